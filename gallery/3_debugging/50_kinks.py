r"""
Kinks and ties
==============

Where a function has a kink, or two candidates for a maximum are equal, there is no
derivative, and still PyTorch returns a number. We see which number it is, by which rule
it was chosen, and where the rule is broken or leads astray.

:Time: 30 minutes
:Needs: :doc:`Control flow </lessons/1_foundations/90_control_flow>`
:Level: Debugging
:Tags: derivatives, errors
"""

# %%
# ReLU keeps what is positive and returns zero for the rest. Left of 0 its slope is 0,
# right of it 1. At 0 itself there is no slope, and a layer whose weights and bias begin
# at zero stands exactly there.

import torch
import torch.nn.functional as F

from torchutils import MovingPlot, record_backward


def slope(function, *at):
    x = torch.tensor(at, requires_grad=True)
    [gradient] = torch.autograd.grad(function(x).sum(), x)
    return gradient.tolist()


# %%
# ``slope`` goes backward once, at as many places as we like:
#
# >>> slope(torch.relu, -0.1, 0.1)
# [0.0, 1.0]

# %%
# One function, six programs
# --------------------------
#
# Here is ReLU, written in six ways. On paper they are one function, and at the three
# places below the cell they agree.

zero = torch.zeros(())
relus = {
    "relu": torch.relu,
    "where, >": lambda x: torch.where(x > 0, x, 0.0),
    "where, >=": lambda x: torch.where(x >= 0, x, 0.0),
    "maximum": lambda x: torch.maximum(x, zero),
    "abs": lambda x: (x + x.abs()) / 2,
    "max": lambda x: max(x, 0.0),
}

# %%
# >>> places = torch.tensor([-2.0, 0.0, 3.0])
# >>> {tuple(float(f(v)) for v in places) for f in relus.values()}
# {(0.0, 0.0, 3.0)}
#
# .. predict::
#
#    What are the six slopes at 0? The last one uses Python's own ``max``, which returns
#    its first argument when the two are equal.
#
#    .. ask:: kinks
#
#    .. answer::
#
#       :math:`\text{kinks} = (0, 0, 1, 0.5, 0.5, 1)`. ``relu`` has decided for 0. With
#       ``where`` and with ``max`` the branch that was taken counts, and ``>=`` takes
#       the other one than ``>``. ``maximum`` divides between its two arguments, and the
#       absolute value has the slope 0 at its own kink, so half of 1 is left.
#
#       .. wrong:: [0, 0, 0, 0, 0, 0]
#
#          One function, one slope: that would be so if autograd saw functions. It sees
#          programs.
#
#       .. wrong:: [0, 0, 1, 0.5, 0.5, 0]
#
#          Nearly. Python's ``max(x, 0.0)`` returns ``x`` itself when both are equal,
#          since ``x`` comes first. Its slope is 1.

kinks = []
for function in relus.values():
    x = torch.tensor(0.0, requires_grad=True)
    kinks += torch.autograd.grad(function(x), x)
kinks = torch.stack(kinks)
kinks

# %%
# Three numbers for one kink (`counted by others, too
# <https://github.com/pytorch/pytorch/issues/184572>`__). With its arguments the other
# way round, ``max(0.0, x)`` has no slope at 0 at all, since it returns the constant:
#
# >>> max(0.0, torch.zeros((), requires_grad=True))
# 0.0
#
# The absolute value fares no better. Left of 0 its slope is −1, right of it 1. By seven
# programs, at 0:
#
# >>> nothing = torch.zeros(1, 1)
# >>> absolutes = [
# ...     torch.abs,
# ...     lambda x: torch.maximum(x, -x),
# ...     lambda x: x.norm(),
# ...     lambda x: (x * x).sqrt(),
# ...     lambda x: torch.hypot(x, zero),
# ...     lambda x: torch.linalg.svdvals(x.view(1, 1)),
# ...     lambda x: F.pairwise_distance(x.view(1, 1), nothing),
# ... ]
# >>> [slope(f, 0.0)[0] for f in absolutes]
# [0.0, 0.0, 0.0, nan, nan, 1.0, 1.0]
#
# The two NaN are the subject of the next lesson. A *singular value* says how far a
# matrix stretches, and of one with a single entry it is the absolute value. Here it has
# taken the slope of one side. The last function adds a millionth to the difference
# before it takes the length, so it stands a little to the right of the kink.

# %%
# Which slopes are allowed?
# -------------------------
#
# Lay a line through the kink of ReLU, and turn it. For some slopes the line lies
# nowhere above the graph. Which?

slopes = torch.arange(-5, 16) / 10
u = torch.tensor([-2.0, 0.0, 2.0])
lines = slopes[:, None] * u
below = (lines <= torch.relu(u)).all(dim=1)
plot = MovingPlot(
    {"slope": slopes},
    "A line through the kink of ReLU",
    xlim=(-2, 2),
    ylim=(-1, 3.1),
    start={"slope": 0.5},
)
plot.line(u, torch.relu(u), "relu")
plot.line(u, lines, "the line")
plot.point(2, lines[:, -1], "its end")
plot.say(
    "With this slope the line is {where} above the graph.",
    where=["nowhere" if fits else "somewhere" for fits in below],
)
plot

# %%
# From 0 to 1, that is: each slope between those on the two sides.
#
# >>> slopes[below].min(), slopes[below].max()
# (tensor(0.), tensor(1.))
#
# Such a slope is called a *subgradient*. With the slope :math:`s` at the kink
# :math:`c`, each place :math:`u` has to satisfy:
#
# .. math::
#    :class: law
#
#    f(u) \ge f(c) + s\,(u - c)
#
# For ReLU at 0 the three numbers above are subgradients. For the absolute value it is
# each number from −1 to 1, and NaN is none. The definition is made for
# *convex* functions, those which bend upward. Turn it upside down for *concave* ones,
# those which bend downward. Where a function does both in turn, let the places
# :math:`u` near the kink count.

# %%
# The rule, and who keeps it
# --------------------------
#
# PyTorch's notes `have a list
# <https://docs.pytorch.org/docs/stable/notes/autograd.html#gradients-for-non-differentiable-functions>`__
# of what to return. The first point that fits is taken. Here are the first five:
#
# 1. If there is a derivative, return it.
# 2. If the function is convex here, return the subgradient that is closest to zero.
# 3. If it is concave here, the same, upside down.
# 4. If it has a value here, go on as the slopes nearby do. This may end in infinity. If
#    they do not agree, take any.
# 5. If it has no value here, the answer is arbitrary.
#
# ``relu`` and ``abs`` follow the second point: 0 is allowed, and nothing is closer to
# zero. The square root at 0 is an example of the fourth, the logarithm at −1 of the
# last. It has no value there, and has a slope:
#
# >>> slope(torch.relu, 0.0), slope(torch.abs, 0.0)
# ([0.0], [0.0])
# >>> slope(torch.sqrt, 0.0), slope(torch.log, 0.0)
# ([inf], [inf])
# >>> torch.tensor(-1.0).log(), slope(torch.log, -1.0)
# (tensor(nan), [-1.0])
#
# .. predict::
#
#    ``F.hardtanh`` keeps what lies between −1 and 1, and cuts off the rest. What does
#    the rule demand at the two bounds? And what of ``F.leaky_relu(x, 2)`` at 0, where
#    the slope is 2 on the left and 1 on the right? Type what PyTorch returns, three
#    numbers.
#
#    .. ask:: bounds
#
#    .. answer::
#
#       At −1 the graph bends upward, from slope 0 to slope 1, and 0 is closest to zero.
#       At 1 it bends downward, from 1 to 0, and it is 0 again. ``leaky_relu`` bends
#       downward, from 2 to 1, so the rule demands 1. What is returned is 0, 0 and 2:
#       the last one does not keep the rule.
#
#       .. wrong:: [0, 0, 1]
#
#          This is what the rule says. It is a rule for those who write functions, and
#          ``leaky_relu`` does not keep it: at 0 it takes the slope of the left side.
#
#       .. wrong:: [1, 1, 2]
#
#          At a bound both slopes are allowed, 0 and 1. ``hardtanh`` takes the one that
#          is closest to zero.

bounds = slope(F.hardtanh, -1.0, 1.0) + slope(lambda x: F.leaky_relu(x, 2.0), 0.0)
bounds

# %%
# More that keep it, at 0 and 6, at −3 and 3, and at 0. With a half on the left
# ``leaky_relu`` bends upward, and keeps it, too:
#
# >>> slope(F.relu6, 0.0, 6.0), slope(F.hardsigmoid, -3.0, 3.0), slope(torch.sign, 0.0)
# ([0.0, 0.0], [0.0, 0.0], [0.0])
# >>> slope(lambda x: F.leaky_relu(x, 0.5), 0.0)
# [0.5]
#
# ``F.elu(x, alpha=2)`` has the slopes 2 and 1 beside 0 as well. But left of 0 it is
# curved, and its slope grows up to the kink, where it falls. That is neither convex nor
# concave, so the fourth point holds: the function may choose. ``F.hardswish`` has two
# such kinks, at −3 and at 3:
#
# >>> slope(lambda x: F.elu(x, alpha=2.0), -0.01, 0.0, 0.01)
# [1.98, 2.0, 1.0]
# >>> slope(F.hardswish, -3.01, -3.0, -2.99), slope(F.hardswish, 2.99, 3.0, 3.01)
# ([0.0, 0.0, -0.497], [1.497, 1.0, 1.0])

# %%
# The number depends on the release
# ---------------------------------
#
# PyTorch 2.14 gave some functions another number. Which one does your release return?
#
# .. list-table::
#    :header-rows: 1
#
#    * - slope at the kink
#      - PyTorch 2.9.1 and 2.13
#      - PyTorch 2.14 and 2.15
#    * - ``x.clamp(min=0)``, ``x.clamp(max=0)`` at 0
#      - 1
#      - 0
#    * - ``x.clamp(-1, 1)`` at −1 and at 1, where ``hardtanh`` has 0
#      - 1
#      - 0
#    * - ``x.clamp(min=tensor)`` at the bound
#      - 1
#      - a half
#    * - ``torch.fmax(x, zero)`` at 0
#      - 1
#      - a half
#    * - ``torch.fmax(zero, x)`` at 0
#      - 0
#      - a half
#    * - ``F.margin_ranking_loss`` exactly on the margin, by its first argument
#      - −1
#      - 0
#    * - ``F.hinge_embedding_loss`` exactly on the margin
#      - −1
#      - 0
#
# The examples know both columns, and compare with that of the PyTorch that built this
# page:
#
# >>> major, minor = torch.__version__.split(".")[:2]
# >>> old = (int(major), int(minor)) < (2, 14)
# >>> slope(lambda x: x.clamp(min=0), 0.0) == ([1.0] if old else [0.0])
# True
# >>> slope(lambda x: x.clamp(max=0), 0.0) == ([1.0] if old else [0.0])
# True
# >>> slope(lambda x: x.clamp(-1, 1), -1.0, 1.0) == ([1.0, 1.0] if old else [0.0, 0.0])
# True
# >>> slope(lambda x: x.clamp(min=zero), 0.0) == ([1.0] if old else [0.5])
# True
# >>> slope(lambda x: torch.fmax(x, zero), 0.0) == ([1.0] if old else [0.5])
# True
# >>> slope(lambda x: torch.fmax(zero, x), 0.0) == ([0.0] if old else [0.5])
# True
# >>> one = torch.ones(1)
# >>> def ranking(x):
# ...     return F.margin_ranking_loss(x, 0 * one, one, margin=1.0)
# >>> slope(ranking, 1.0) == ([-1.0] if old else [0.0])
# True
# >>> def hinge(x):
# ...     return F.hinge_embedding_loss(x, -one, margin=1.0)
# >>> slope(hinge, 1.0) == ([-1.0] if old else [0.0])
# True
#
# A third margin loss returns zero in all four releases:
#
# >>> pair = torch.tensor([[1.0, 0.0]], requires_grad=True)
# >>> torch.autograd.grad(F.multi_margin_loss(pair, torch.tensor([0])), pair)
# (tensor([[0., 0.]]),)
#
# So ``x.clamp(min=0)`` is no replacement for ``relu`` if a result has to stay the same
# with another release.

# %%
# Ties
# ----
#
# A maximum of several entries has a kink as well: where the two largest are equal. A
# little more of either, and it wins alone.
#
# .. predict::
#
#    The entries are 2, 2 and 1. What is the gradient of their maximum, by ``x.max()``,
#    and by ``x.max(dim=0).values``? Type both, six numbers.
#
#    .. ask:: ties
#
#    .. answer::
#
#       ``x.max()`` divides evenly, and with ``dim`` the first of the equal ones gets
#       it whole: :math:`\text{ties} = (0.5, 0.5, 0, 1, 0, 0)`.
#
#       .. wrong:: [1, 1, 0, 1, 1, 0]
#
#          If both rose by 1, the maximum would rise by 1. This says 2.
#
#       .. wrong:: [0.5, 0.5, 0, 0.5, 0.5, 0]
#
#          The first half is right. With ``dim`` there is an index for each maximum, and
#          the gradient goes to that entry alone.
#
#       .. wrong:: [1, 0, 0, 1, 0, 0]
#
#          The second half is right. Without ``dim`` there is no index, and the equal
#          ones share.

shared = slope(torch.max, 2.0, 2.0, 1.0)
single = slope(lambda x: x.max(dim=0).values, 2.0, 2.0, 1.0)
ties = torch.tensor(shared + single)
ties

# %%
# What looks for an index gives it to the entry at this index. That is ``max`` with
# ``dim``, which takes the first, and pooling. ``amax`` shares, as `its documentation
# <https://docs.pytorch.org/docs/stable/generated/torch.amax.html>`__ says, and so do
# the median without ``dim`` and the largest absolute value:
#
# >>> slope(torch.amax, 2.0, 2.0, 1.0), slope(torch.median, 1.0, 2.0, 2.0)
# ([0.5, 0.5, 0.0], [0.0, 0.5, 0.5])
# >>> slope(lambda x: x.norm(float("inf")), 3.0, -3.0)
# [0.5, -0.5]
# >>> slope(lambda x: F.max_pool1d(x.view(1, 1, 3), 3), 2.0, 2.0, 1.0)
# [1.0, 0.0, 0.0]
# >>> slope(lambda x: x.cummax(dim=0).values[-1], 1.0, 3.0, 3.0, 3.0)
# [0.0, 0.0, 0.0, 1.0]
#
# ``cummax`` gives it to the last of them. ``sort``, ``topk``, ``kthvalue`` and
# ``median`` with ``dim`` do not say which entry it will be. One gets the whole:
#
# >>> def one_gets_it(function, *at):
# ...     return sorted(slope(function, *at))[-2:] == [0.0, 1.0]
# >>> one_gets_it(lambda x: x.sort(descending=True).values[0], 3.0, 3.0, 3.0, 1.0)
# True
# >>> one_gets_it(lambda x: x.topk(1).values, 3.0, 3.0, 3.0, 1.0)
# True
# >>> one_gets_it(lambda x: x.kthvalue(4).values, 3.0, 3.0, 3.0, 1.0)
# True
# >>> one_gets_it(lambda x: x.median(dim=0).values, 1.0, 2.0, 2.0)
# True
#
# ``quantile`` sorts as well. So at one and the same place the median shares, and the
# middle quantile does not:
#
# >>> one_gets_it(lambda x: x.quantile(0.5), 1.0, 2.0, 2.0)
# True
# >>> one_gets_it(torch.median, 1.0, 2.0, 2.0)
# False
#
# Why share? Each pair of shares that are not negative and add up to 1 is a subgradient.
# The even one is the shortest: :math:`(\tfrac12)^2 + (\tfrac12)^2 = \tfrac12`, and
# :math:`1^2 + 0^2 = 1` for a winner that takes all. It is the second point of the list.
# ``maximum`` of two tensors does the same:

a = torch.tensor(2.0, requires_grad=True)
b = torch.tensor(2.0, requires_grad=True)
c = torch.maximum(a, b)
y = 3 * c
y

# %%
# What arrives at ``c`` is :math:`\bar c = 3`, and each of the two gets half of it:

record_backward(y, locals())

# %%
# >>> a.grad, b.grad
# (tensor(1.5000), tensor(1.5000))
#
# Change ``b`` to 1 below the drawing: who gets the 3? If both arguments are one
# tensor, the halves come together again:
#
# >>> slope(lambda x: torch.maximum(x, x), 2.0)
# [1.0]

# %%
# Points that coincide
# --------------------
#
# A distance has a kink where its two points are the same. It happens when a loss
# compares a sample with itself.

point = torch.tensor([[1.0, 2.0]], requires_grad=True)
same = point.detach().clone()
distances = [
    torch.dist(point, same),
    torch.cdist(point, same).sum(),
    F.pairwise_distance(point, same).sum(),
]

# %%
# .. predict::
#
#    We ask for the gradient with respect to the two entries of ``point``. For a
#    distance the rule says 0 and 0. Do the three return this? Type six numbers.
#
#    .. ask:: pulls
#
#    .. answer::
#
#       :math:`\text{pulls} = (0, 0, 0, 0, 0.7071, 0.7071)`. The third adds a millionth
#       to each entry of the difference, so it has moved a little off the kink, along
#       the diagonal. An arrow along the diagonal that is 1 long has the entries
#       :math:`\frac{1}{\sqrt 2} = 0.7071`.
#
#       .. wrong:: [0, 0, 0, 0, 0, 0]
#
#          Two of the three. ``pairwise_distance`` adds a millionth to the difference,
#          and the slope of a length is 1 beside the kink.

pulls = torch.cat([torch.autograd.grad(d, point)[0][0] for d in distances])
pulls

# %%
# The triplet loss is built from the third. With anchor, positive and negative at one
# place it pulls the two others along the diagonal, in opposite directions:
#
# >>> trio = [torch.zeros(1, 2, requires_grad=True) for _ in range(3)]
# >>> for gradient in torch.autograd.grad(F.triplet_margin_loss(*trio), trio):
# ...     print(gradient)
# tensor([[0., 0.]])
# tensor([[-0.7071, -0.7071]])
# tensor([[0.7071, 0.7071]])

# %%
# Rules that do not add up
# ------------------------
#
# One more function: ReLU of ``x``, minus ReLU of the opposite. For positive numbers the
# first part is ``x`` and the second is 0, for negative ones the other way round. It is
# the function :law:`f(x) = x`, in two pieces.
#
# .. predict::
#
#    Its slope is 1 everywhere, also at 0, where it has no kink. What does autograd
#    return at −1, at 0 and at 1?
#
#    .. ask:: slope(lambda x: torch.relu(x) - torch.relu(-x), -1.0, 0.0, 1.0)
#
#    .. answer::
#
#       1, 0, 1. Each part has a kink at 0, with the slope 0 by convention. The sum of
#       the two has no kink, and its slope is wrong.
#
#       .. wrong:: [1, 1, 1]
#
#          This is the derivative. Autograd does not see that the kinks cancel. It adds
#          two conventions.
#
#       .. wrong:: [0, 0, 1]
#
#          This is ReLU alone. The second part is there for the left side.

slope(lambda x: torch.relu(x) - torch.relu(-x), -1.0, 0.0, 1.0)

# %%
# Would another number at the kink help? With 1 in place of 0 the sum has the slope 2.
# With a half it is right here, and wrong as soon as one of the two stands in another
# ReLU. This changes no value, and makes :math:`(\tfrac12)^2 + \tfrac12 = \tfrac34`:
#
# >>> right, half = relus["where, >="], relus["maximum"]
# >>> slope(lambda x: right(x) - right(-x), 0.0)
# [2.0]
# >>> slope(lambda x: half(x) - half(-x), 0.0)
# [1.0]
# >>> slope(lambda x: half(half(x)) - half(-x), 0.0)
# [0.75]
#
# Each part returns a subgradient of its own, and autograd adds and multiplies them. The
# result need not be one of the whole. `Kakade and Lee
# <https://arxiv.org/abs/1809.08530>`__ give a method that finds one, for a class of
# programs.

# %%
# Does it matter?
# ---------------
#
# A random number hardly ever falls on a kink. Zeros that somebody has put there do: a
# layer that begins with zeros, padding, a black picture, whole numbers, equal pixels.
# So do numbers of 16 bits, since there are few of them: of a thousand rows with a
# thousand random numbers, more than ten have two that are the largest.
#
# >>> rows = torch.randn(1000, 1000).bfloat16()
# >>> ((rows == rows.amax(dim=1, keepdim=True)).sum(dim=1) > 1).sum() > 10
# tensor(True)
#
# Here a weight starts at 0, and the target is 1:


def train(activation):
    w = torch.tensor(0.0, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.25)
    for _ in range(20):
        optimizer.zero_grad()
        loss = (activation(2 * w) - 1) ** 2
        loss.backward()
        optimizer.step()
    return w.item()


# %%
# With ``relu`` the weight gets 0 in each step, and stays. With ``maximum`` it gets half
# of the slope, is off the kink after its first step, and arrives:
#
# >>> train(torch.relu), train(relus["maximum"])
# (0.0, 0.5)
#
# The second kind of trouble comes from tests. A difference quotient that looks to both
# sides finds the middle of the two slopes. ``gradcheck`` compares with it, and is
# content where the convention is the middle:
#
# >>> def checks(function, *at):
# ...     x = torch.tensor(at, dtype=torch.float64, requires_grad=True)
# ...     return torch.autograd.gradcheck(function, x, raise_exception=False)
# >>> checks(torch.relu, 0.0), checks(torch.abs, 0.0), checks(F.hardtanh, 1.0)
# (False, True, False)
# >>> checks(torch.max, 1.0, 1.0), checks(lambda x: x.max(dim=0).values, 1.0, 1.0)
# (True, False)
#
# So a test chooses points beside the kinks, farther away than the quotient looks, which
# is a millionth:
#
# >>> checks(torch.relu, 1e-7), checks(torch.relu, 1e-5)
# (False, True)

# %%
# Exercises
# ---------
#
# .. exercise::
#
#    Is a half a subgradient of ReLU at 0? Is it one of ``x.clamp(max=0)``?
#
#    .. answer::
#
#       Of ReLU it is: the line with this slope lies below the graph on both sides. The
#       second bends downward, so it has none; upside down, a half is allowed.
#
#       >>> u = torch.tensor([-2.0, 2.0])
#       >>> u / 2 <= torch.relu(u), u / 2 >= u.clamp(max=0)
#       (tensor([True, True]), tensor([True, True]))
#
# .. exercise::
#
#    Three entries are equal, and larger than the others. How long is the gradient of
#    ``x.max()``, and how long that of ``x.max(dim=0)``?
#
#    .. answer::
#
#       Three thirds: :math:`\sqrt{3 \cdot (\tfrac13)^2} = 0.57735`. One winner:
#       1.
#
#       >>> x = torch.tensor([1.0, 3.0, 3.0, 3.0], requires_grad=True)
#       >>> torch.autograd.grad(x.max(), x)[0].norm()
#       tensor(0.5774)
#       >>> torch.autograd.grad(x.max(dim=0).values, x)[0].norm()
#       tensor(1.)
#
# .. exercise::
#
#    *Spot the error.* A `good course
#    <https://cs231n.github.io/optimization-2/>`__ gives the gradient of a maximum as
#    :law:`\mathbb 1(x \ge y)` for the first argument and :law:`\mathbb 1(y \ge x)` for
#    the second: 1 where the condition holds, else 0. Where is it not a subgradient?
#
#    .. answer::
#
#       At a tie, where both are 1. Let both rise by 1: the maximum rises by 1, and this
#       says 2. With ``>`` in one of the two places one winner is left.
#
#       >>> a, b = torch.tensor(2.0), torch.tensor(2.0)
#       >>> promised = (a >= b).float() + (b >= a).float()
#       >>> promised, torch.maximum(a + 1, b + 1) - torch.maximum(a, b)
#       (tensor(2.), tensor(1.))
#
# .. exercise::
#
#    ``floor`` and ``round`` have slope 0, and jump. So do ``argmax``, a comparison, and
#    whole division. What does each of them do on the way back?
#
#    .. answer::
#
#       Three things occur: zeros, no record, and an error. ``//`` is recorded, and
#       raises when its derivative is asked for.
#
#       >>> slope(torch.floor, 7.5), slope(torch.round, 7.5)
#       ([0.0], [0.0])
#       >>> x = torch.tensor(7.5, requires_grad=True)
#       >>> x.argmax().requires_grad, (x > 7).requires_grad
#       (False, False)
#       >>> try:
#       ...     torch.autograd.grad(x // 2, x)
#       ... except RuntimeError as error:
#       ...     print(error)
#       derivative for aten::floor_divide is not implemented
#       >>> slope(lambda x: torch.div(x, 2, rounding_mode="floor"), 7.5)
#       [0.0]

# %%
# What we can do now
# ------------------
#
# - Say what a kink does to a gradient: a convention, which may differ from function to
#   function and from release to release.
# - Test whether a number is a subgradient.
# - Choose on purpose between sharing and one winner.
#
# Next, :doc:`NaN and infinity </lessons/3_debugging/60_nan_and_inf>`: what happens
# where a slope is infinite.

# %%
# Credits and licences
# --------------------
#
# The list of rules is told after PyTorch's `notes on autograd
# <https://docs.pytorch.org/docs/stable/notes/autograd.html>`__; the two pieces that
# make the identity are an example of S. Kakade and J. Lee, `Provably correct automatic
# subdifferentiation for qualified programs <https://arxiv.org/abs/1809.08530>`__. Our
# text is under `CC BY-SA 4.0 <https://creativecommons.org/licenses/by-sa/4.0/>`__, our
# code under the `MIT licence <https://opensource.org/license/mit>`__.
