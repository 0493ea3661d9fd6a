r"""
Surrogate gradients
===================

A rounded weight is to learn. We take the value from the rounding and the gradient from
something else, train through it, and see what such a chosen direction can do and what
it is not.

:Time: 30 minutes
:Needs: :doc:`Stopping gradients </lessons/1_foundations/80_stopping_gradients>`,
    :doc:`Custom Functions </lessons/4_advanced/10_custom_function>`
:Level: Advanced
:Tags: derivatives, training, leaves
"""

# sphinx_gallery_thumbnail_number = 2

# %%
# The weight of a neuron is :law:`1.3`. The chip that shall run it knows whole numbers
# alone, so it runs with 1. How does one train such a weight?

import torch
from torch.autograd import Function, grad, gradcheck
from torch.nn import functional as F

from torchutils import MovingPlot, record_backward

x = torch.tensor(1.3, dtype=torch.float64, requires_grad=True)

# %%
# A weight that is rounded
# ------------------------
#
# The loss wants the weight to be 3, and sees the rounded one.
#
# .. admonition:: Wrong on purpose
#
#    The loss of the next cell does not do what it is for. Do not copy it.

# wrong on purpose
q = x.round()
L = (q - 3) ** 2
L

# %%
# The rounded weight is :math:`q = 1`, and so :math:`L = (q - 3)^2 = 4`.
#
# .. predict::
#
#    Which gradient arrives at ``x``?
#
#    .. ask:: slope
#
#    .. answer::
#
#       :math:`\text{slope} = 0`. Rounding is a staircase: move ``x`` a little, and
#       ``q`` stays. The answer is right, and of no use. The weight would stay where it
#       is.
#
#       .. wrong:: 2 * (q - 3)
#
#          This arrives at ``q``. From there to ``x`` it is multiplied by the slope of
#          the staircase.
#
#       .. wrong:: 2 * (x - 3)
#
#          So it would be without the rounding.

[slope] = grad(L, x)
slope

# %%
# At the edge of a stair there is no slope. PyTorch says 0 there, too:
#
# >>> edge = torch.tensor(1.5, requires_grad=True)
# >>> grad(edge.round(), edge)
# (tensor(0.),)

# %%
# Value from one, gradient from another
# -------------------------------------
#
# What do we wish for? Forward, the rounded number, since the chip will use it. Back, a
# direction: to make ``q`` larger, make ``x`` larger. So we split the result into ``x``
# and the rest ``r``, and detach the rest.

r = (x.round() - x).detach()
q = x + r
L = (q - 3) ** 2
L

# %%
# Nothing changes forward: :math:`q = x + r = 1` and :math:`L = 4`, since the two ``x``
# cancel.
#
# .. predict::
#
#    And the gradient? To autograd ``r`` is a number that stands still.
#
#    .. ask:: x.grad
#
#    .. answer::
#
#       The slope of ``x + r`` is 1, so what arrives at ``q`` goes straight through to
#       ``x``: :math:`\nabla_x L = 2(q - 3) = -4`. It is called the *straight-through
#       estimator*.
#
#       .. wrong:: 2 * (x - 3)
#
#          The direction is that of a loss without rounding, but the loss is computed
#          with the rounded value, and the rounded weight is further away from 3.
#
#       .. wrong:: 0
#
#          This is the gradient of the staircase. It is in ``r``, and ``r`` is detached.
#
#       .. wrong:: 1
#
#          This is the slope of ``x + r``. It is multiplied by what arrives at ``q``.

record_backward(L, locals())

# %%
# See how :step:`q sends to x`: the number goes on as it is. ``round`` has no box, since
# no record leads to it. The same as a Function with two passes:


class StraightThrough(Function):
    @staticmethod
    def forward(x):
        return x.round()

    @staticmethod
    def setup_context(ctx, inputs, output):
        pass

    @staticmethod
    def backward(ctx, g):
        return g


grad((StraightThrough.apply(x) - 3) ** 2, x)

# %%
# Where it leads
# --------------
#
# We descend along this direction, from :law:`1.3`, with the learning rate :law:`0.07`.
# The loss is :law:`(q - t)^2`, and you choose the target ``t``.


def descend(target, rate=0.07, steps=40):
    x = torch.tensor(1.3, dtype=torch.float64)
    path = []
    for _ in range(steps):
        path.append(x)
        x = x - rate * 2 * (x.round() - target)
    return torch.stack(path)


# %%
# .. predict::
#
#    The target is a whole number, 3. Where does ``q`` end, and where does ``x``?
#
#    .. ask:: last
#
#    .. answer::
#
#       :math:`\text{last} = (3, 2.56)`. As soon as ``x`` is rounded to 3, the loss is
#       0, and so is the gradient. ``x`` stops there, just past the edge of the stair.
#
#       .. wrong:: [3, 3]
#
#          The loss looks at ``q`` alone. When it has arrived, the pull at ``x`` ends.
#
#       .. wrong:: [1, 1.3]
#
#          This is where the true gradient leaves them.

last = torch.stack([descend(3.0)[-1].round(), descend(3.0)[-1]])
last

# %%
# If the target is no whole number, no stair is right. The picture begins with
# :law:`2.5`: in the end ``q`` is on one stair in one step, on the other in the next.
# Before you move the slider: how often will it be on the 3 for the target :law:`2.2`?

targets = torch.linspace(1.5, 3.5, 21, dtype=torch.float64)
long = torch.stack([descend(target, steps=500) for target in targets])
means = long[:, 100:].round().mean(1)
paths, step = long[:, :40], torch.arange(40)
plot = MovingPlot(
    {"target": targets},
    "Straight through the staircase",
    xlim=(0, 39),
    ylim=(0.5, 4),
    xlabel="step",
    start={"target": 2.5},
)
plot.line(step, paths, "x")
plot.line(step, paths.round(), "q, rounded")
plot.line([0, 39], targets[:, None].expand(-1, 2), "target")
plot.say("In the long run, q is {mean:.2f} on average.", mean=means)
plot

# %%
# It goes to and fro between 2 and 3. Above the target the direction is down, below it
# is up, and neither becomes small near an edge. The gradient of a smooth loss becomes
# small near its minimum. On average the stairs meet the target, so for :law:`2.2` one
# step in five is on the 3:
#
# >>> (means - targets).abs().max() < 0.02
# tensor(True)
# >>> (descend(2.2, steps=500)[100:].round() == 3).double().mean()
# tensor(0.2000, dtype=torch.float64)
# >>> descend(2.5)[20:].round().diff().abs().unique()
# tensor([1.], dtype=torch.float64)
#
# With a smaller learning rate ``x`` trembles less. ``q`` jumps all the same, between
# the two stairs:
#
# >>> late = descend(2.5, rate=0.007, steps=500)[-100:]
# >>> late.max() - late.min() < 0.05, late.round().unique()
# (tensor(True), tensor([2., 3.], dtype=torch.float64))

# %%
# It is not the gradient
# ----------------------
#
# .. predict::
#
#    ``gradcheck`` compares with differences. What do they say of ``StraightThrough`` at
#    our ``x``?
#
#    .. ask:: measured
#
#    .. answer::
#
#       :math:`\text{measured} = 0`. So the check refuses it, and rightly. What we have
#       is no derivative of what was computed. It is a *direction that we chose*.
#
#       .. wrong:: 1
#
#          This is what our ``backward`` claims. The differences see the staircase,
#          which is flat.


def st(x):
    return StraightThrough.apply(x)


h = 1e-6
with torch.no_grad():
    measured = (st(x + h) - st(x - h)) / (2 * h)
measured, gradcheck(st, x, raise_exception=False)

# %%
# The second derivative follows the choice, too. It is that of :law:`(x + r - 3)^2`,
# which is 2, and not that of the staircase, which is 0:
#
# >>> [first] = grad((x + r - 3) ** 2, x, create_graph=True)
# >>> grad(first, x)
# (tensor(2., dtype=torch.float64),)
#
# ``gradgradcheck`` compares that with differences of the *first* slope. It finds the
# choice consistent, and does not ask whether it is the slope of the value:
#
# >>> torch.autograd.gradgradcheck(st, x)
# True

# %%
# Neurons that fire or do not
# ---------------------------
#
# The oldest artificial neurons have a threshold: 1 if the weighted sum is positive,
# else 0. With their true slope, 0, a layer of them stays as it is. We give them that of
# the sigmoid, which climbs where the step is:


class Spike(Function):
    @staticmethod
    def forward(z):
        return (z > 0).to(z.dtype)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx, g):
        [z] = ctx.saved_tensors
        s = torch.sigmoid(z)
        return g * s * (1 - s)


z = torch.tensor([-2.0, 0.0, 2.0], dtype=torch.float64, requires_grad=True)
spikes = Spike.apply(z)
[surrogate] = grad(spikes.sum(), z)
spikes, surrogate

# %%
# The values are :math:`\text{spikes} = (0, 0, 1)`, the slopes are those of another
# function, :math:`\text{surrogate} = \sigma(z) \odot (1 - \sigma(z)) = (0.1050, 0.25,
# 0.1050)`. Near the threshold a small change may let the neuron fire, and there the
# *surrogate gradient* is largest.
#
# Here are the hundred points of :doc:`Logistic regression
# </lessons/2_practice/30_logistic_and_softmax>` again, two half moons, and a network
# with four units that fire.

torch.manual_seed(0)
labels = torch.arange(100) % 2
angle = torch.rand(100, dtype=torch.float64) * torch.pi
points = torch.stack([torch.cos(angle), torch.sin(angle)], dim=1)
points[labels == 1] = (
    torch.tensor([1.0, 0.5], dtype=torch.float64) - points[labels == 1]
)
points += 0.1 * torch.randn(100, 2, dtype=torch.float64)
X = torch.cat([torch.ones(100, 1, dtype=torch.float64), points], dim=1)


def train(activation, seed):
    """Return how many points are classified correctly in the last of 300 steps."""
    torch.manual_seed(seed)
    W = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    v = torch.zeros(4, dtype=torch.float64, requires_grad=True)
    for _ in range(300):
        logits = activation(X @ W) @ v
        loss = F.binary_cross_entropy_with_logits(logits, labels.double())
        slopes = grad(loss, [W, v], materialize_grads=True)
        with torch.no_grad():
            W -= slopes[0]
            v -= slopes[1]
    return ((logits > 0) == (labels == 1)).sum().item()


# %%
# .. predict::
#
#    With the true slopes the first layer stays as it was drawn, and the second learns.
#    With the surrogate both learn. Does it get more points right with none of six
#    seeds, with some, or with each? Decide, then look.
#
#    .. answer::
#
#       With each of these six, which is no law for other seeds. The forward pass is the
#       same. What is new is that the four lines beyond which the units fire move.

true = [train(lambda z: (z > 0).double(), seed) for seed in range(6)]
chosen = [train(Spike.apply, seed) for seed in range(6)]
true, chosen

# %%
# >>> all(b > a for a, b in zip(true, chosen, strict=True))
# True

# %%
# The other way: reversal
# -----------------------
#
# A surrogate need not stand for a flat function. *Gradient reversal* is the identity on
# the way forward, and turns the gradient round on the way back. It serves where two
# parts of a network are to pull in opposite directions. One head learns to recognise a
# digit from the feature ``f``, another one to tell which camera it comes from. The
# feature shall help the first, and *not* the second.


class Reverse(Function):
    @staticmethod
    def forward(f, strength):
        return f.clone()

    @staticmethod
    def setup_context(ctx, inputs, output):
        _, ctx.strength = inputs

    @staticmethod
    def backward(ctx, g):
        return -ctx.strength * g, None


w = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
f = 1 * w
m = Reverse.apply(f, 0.5)
L = (f - 3) ** 2 + (m - 1) ** 2
L

# %%
# .. predict::
#
#    The feature is :math:`f = 2`. The first head sends :math:`2(f - 3) = -2` back to
#    it. The second computes :math:`2(f - 1) = 2`, which goes through the reversal with
#    the strength :math:`\tfrac12`. What arrives at ``w``?
#
#    .. ask:: w.grad
#
#    .. answer::
#
#       The second head's 2 becomes −1, and :math:`-2 - \tfrac12 \cdot 2 = -3`. A step
#       against it moves ``f`` towards what the first head likes and away from what the
#       second one likes.
#
#       .. wrong:: 0
#
#          Without the reversal the two would cancel: −2 and 2.
#
#       .. wrong:: -2
#
#          So it would be if the second path were cut. A reversal lets it pass, with the
#          other sign.
#
#       .. wrong:: -1
#
#          The strength is there, the sign is not: this adds half of 2 instead of taking
#          it away.

record_backward(L, locals())

# %%
# At :step:`m sends to f` the sign turns. What the second head's *own* weights get is
# not reversed: they learn to find the camera as well as they can. What comes before the
# reversal learns to make it hard for them. With a weight ``a`` of 1 in the second head:
#
# >>> a = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
# >>> grad((a * Reverse.apply(w, 0.5) - 1) ** 2, [a, w])
# (tensor(4., dtype=torch.float64), tensor(-1., dtype=torch.float64))
#
# Without the reversal the weight of the head gets the same:
#
# >>> grad((a * w - 1) ** 2, [a, w])
# (tensor(4., dtype=torch.float64), tensor(2., dtype=torch.float64))

# %%
# Half a gradient
# ---------------
#
# The third choice leaves a path out. In reinforcement learning the value of a state is
# the reward that follows, plus the value of the next state, which counts for a little
# less: it is multiplied by the discount. Both values are estimated. With
# one weight ``p``, a state of feature 1, a next one of feature ``a``, the reward 1 and
# the discount :law:`0.9`, the estimate misses by :law:`d = 1 + 0.9\,a\,p - p`. The loss
# is its square.


def miss(p, a, target=lambda t: t):
    return 1 + target(0.9 * a * p) - p


def slopes_at(p, a):
    p = torch.tensor(p, dtype=torch.float64, requires_grad=True)
    whole = grad(miss(p, a) ** 2, p)[0]
    half = grad(miss(p, a, torch.Tensor.detach) ** 2, p)[0]
    return torch.stack([whole, half])


# %%
# The *semi-gradient* takes the target, reward and next value, for a given number, and
# detaches it.
#
# .. predict::
#
#    With :law:`p = 0.5` and :law:`a = 2` the miss is :math:`1 + 0.9 \cdot 2 \cdot 0.5 -
#    0.5 = 1.4`. What are gradient and semi-gradient of its square?
#
#    .. ask:: both
#
#    .. answer::
#
#       The whole gradient has the inner slope :math:`0.9 \cdot 2 - 1 = 0.8`, the half
#       one :law:`-1`: :math:`\text{both} = (2 \cdot 1.4 \cdot 0.8, -2 \cdot 1.4) =
#       (2.24, -2.8)`. They point in opposite directions.
#
#       .. wrong:: [2.24, 2.24]
#
#          ``detach`` changes no value, but the slope: ``p`` is in the target, too.
#
#       .. wrong:: [-2.8, -2.8]
#
#          This forgets that the whole gradient goes through the target as well.

both = slopes_at(0.5, 2.0)
both

# %%
# Which one is right? The first is the gradient of the loss. The second is a choice. Let
# both descend, with a next feature of one half, and then with 2:


def follow(which, a, steps=200):
    p = 0.5
    for _ in range(steps):
        p = p - 0.05 * slopes_at(p, a)[which].item()
    return p


[[round(follow(which, a), 3) for which in (0, 1)] for a in (0.5, 2.0)]

# %%
# With one half both arrive where the miss is 0, and the semi-gradient is nearer to it
# after 30 steps. With 2 it runs away. It is used all the same, since learning with the
# whole gradient is often much slower.
#
# >>> [abs(miss(follow(which, 0.5), 0.5)) < 0.01 for which in (0, 1)]
# [True, True]
# >>> abs(miss(follow(0, 2.0), 2.0)) < 0.01, abs(follow(1, 2.0)) > 1e6
# (True, True)
# >>> miss(follow(1, 0.5, 30), 0.5) < miss(follow(0, 0.5, 30), 0.5)
# True
#
# Often is not always. With a next feature of minus one half the whole gradient is
# nearer:
#
# >>> abs(miss(follow(0, -0.5, 30), -0.5)) < abs(miss(follow(1, -0.5, 30), -0.5))
# True

# %%
# Exercises
# ---------
#
# .. exercise::
#
#    Weights of −1, 0 and 1: clip ``x`` with ``clamp`` to the range from −1 to 1, then
#    round. Straight through goes the rounding alone. What is the gradient of
#    :law:`(q - 3)^2` at :law:`1.3`, and at :law:`0.3`?
#
#    .. answer::
#
#       At the first place ``clamp`` is flat, and the gradient is 0. At the second it
#       passes, and with the value 0 the gradient is :math:`2 \cdot (0 - 3) = -6`.
#
#       >>> for place in (1.3, 0.3):
#       ...     u = torch.tensor(place, requires_grad=True)
#       ...     c = u.clamp(-1, 1)
#       ...     print(grad((c + (c.round() - c).detach() - 3) ** 2, u)[0].item())
#       0.0
#       -6.0
#
#       PyTorch's own ``fake_quantize`` cuts elsewhere. It asks whether the *rounded*
#       weight is in the range, so between 1 and one and a half the gradient passes.
#
#       >>> places = torch.tensor([1.3, 1.6, 0.3], requires_grad=True)
#       >>> q = torch.fake_quantize_per_tensor_affine(places, 1.0, 0, -1, 1)
#       >>> q.tolist(), grad(((q - 3) ** 2).sum(), places)[0].tolist()
#       ([1.0, 1.0, 0.0], [-4.0, 0.0, -6.0])
#
# .. exercise::
#
#    A classifier shall pick one class, hard, and learn as if it had mixed them, soft.
#    The logits are 2, 1 and 0, the costs of the classes 1, 2 and 3. Write the value
#    with ``hard`` and the gradient with ``soft``, and compute both.
#
#    .. answer::
#
#       ``hard + (soft - soft.detach())`` costs what the picked class costs, 1. The
#       gradient is that of the mean cost, since the cost is linear in the choice.
#
#       >>> logits = torch.tensor([2.0, 1.0, 0.0], requires_grad=True)
#       >>> costs = torch.tensor([1.0, 2.0, 3.0])
#       >>> soft = torch.softmax(logits, 0)
#       >>> hard = F.one_hot(logits.argmax(), 3)
#       >>> cost = (hard + (soft - soft.detach())) @ costs
#       >>> cost.item(), grad(cost, logits, retain_graph=True)[0]
#       (1.0, tensor([-0.2826,  0.1408,  0.1418]))
#       >>> grad(soft @ costs, logits)[0]
#       tensor([-0.2826,  0.1408,  0.1418])
#
#       Without the brackets the value may be off by a rounding error. With them the
#       rest is 0 to the last bit.
#
# .. exercise::
#
#    Write the reversal without a Function.
#
#    .. answer::
#
#       Value from the one, gradient from the other: the gradient is that of
#       :law:`-0.5\,f`, and a detached rest repairs the value, up to rounding errors.
#
#       >>> u = torch.tensor(2.0, requires_grad=True)
#       >>> back = -0.5 * u
#       >>> turned = back + (u - back).detach()
#       >>> turned.item(), grad(turned, u)[0]
#       (2.0, tensor(-0.5000))
#
# .. exercise::
#
#    *Spot the error.* ``q = x.round() + (x - x.round()).detach()``
#
#    .. answer::
#
#       The roles are swapped. The value is that of ``x``, and the gradient that of the
#       staircase: it neither rounds nor learns.
#
#       >>> q = x.round() + (x - x.round()).detach()
#       >>> q.item(), grad(q, x)[0].item()
#       (1.3, 0.0)

# %%
# What we can do now
# ------------------
#
# - Take a value from one function and a gradient from another, with ``detach`` or a
#   Function, and read in the graph what was left out.
# - Train through a staircase or a threshold, and know why it may not come to rest.
# - Say of such a direction that it is chosen: ``gradcheck`` refuses it where it differs
#   from the slope of the value by more than it tolerates, and whether it leads anywhere
#   is to be seen.
#
# Next, :doc:`Derivatives of derivatives </lessons/4_advanced/30_higher_order>`: a
# gradient has a graph, and a gradient of its own.

# %%
# Credits and licences
# --------------------
#
# The straight-through estimator is described by Y. Bengio, N. Léonard and A. Courville
# in `Estimating or propagating gradients through stochastic neurons
# <https://arxiv.org/abs/1308.3432>`__, gradient reversal by Y. Ganin and V. Lempitsky
# in `Unsupervised domain adaptation by backpropagation
# <https://arxiv.org/abs/1409.7495>`__, surrogate slopes for neurons that fire by E.
# Neftci, H. Mostafa and F. Zenke in `Surrogate gradient learning in spiking neural
# networks <https://arxiv.org/abs/1901.09948>`__. The value that runs away follows an
# example, with the reward 0, in R. Sutton's and A. Barto's `Reinforcement learning
# <http://incompleteideas.net/book/the-book-2nd.html>`__, chapter 11. That the whole
# gradient is often the slower one, and why, say A. Sharifnassab and R. Sutton in
# `Toward efficient gradient-based value estimation
# <https://arxiv.org/abs/2301.13757>`__. Our text is under
# `CC BY-SA 4.0 <https://creativecommons.org/licenses/by-sa/4.0/>`__, our code under the
# `MIT licence <https://opensource.org/license/mit>`__.
