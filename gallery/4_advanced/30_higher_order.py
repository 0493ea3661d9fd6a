r"""
Derivatives of derivatives
==========================

A gradient is computed, so it has a graph, and a gradient of its own. We find second
derivatives, multiply with a Hessian that nobody builds, put a gradient into a loss, and
learn which of the ways to differentiate twice can be wrong without a word.

:Time: 40 minutes
:Needs: :doc:`Non-scalar outputs </lessons/1_foundations/50_jacobians>`,
   :doc:`Checking a gradient </lessons/3_debugging/70_checking>`,
   :doc:`Custom Functions </lessons/4_advanced/10_custom_function>`
:Level: Advanced
:Tags: derivatives, graph, errors
"""

# sphinx_gallery_warns = ["jit.script since torch 2.14"]

# %%
# At 5, the cube rises 75 times as fast as its input. And how fast does this slope rise?
# The answer says how far a slope can be trusted, so how long a step may be. And a loss
# that contains a slope needs it to be trained.

import torch
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from torchutils import MovingPlot, make_dot, record_backward

# %%
# A slope has a slope
# -------------------
#
# We know the derivative from school: :law:`3x^2`. PyTorch writes no formula. It
# computes a number on the way back, with operations such as ``*`` and ``**``. These can
# be recorded like any others, if we say ``create_graph=True``.

x = torch.tensor(5.0, requires_grad=True)
y = x**3
[slope] = torch.autograd.grad(y, x, create_graph=True)
make_dot(slope, locals())

# %%
# This is the graph of the *slope*: the input squared, times 3, times the upstream
# gradient 1. It begins at ``x`` again, because the slope depends on ``x``:
# :math:`\text{slope} = \frac{dy}{dx} = 3x^2 = 75`. So we can go back once more.
#
# .. predict::
#
#    What arrives at ``x`` when we start at ``slope``?
#
#    .. ask:: x.grad
#
#    .. answer::
#
#       The second derivative,
#       :math:`\frac{d}{dx} \text{slope} = \frac{d^2 y}{dx^2} = 6x = 30`.
#
#       .. wrong:: 6
#
#          This is the third derivative. The second one still depends on ``x``, and is
#          taken at 5.
#
#       .. wrong:: slope
#
#          This is the slope itself, where we start. What arrives is how it changes with
#          ``x``.
#
#       .. wrong:: 105
#
#          The sum of both derivatives. ``autograd.grad`` returns the first one, and
#          leaves ``x.grad`` alone. The second arrives there.

record_backward(slope, locals())

# %%
# Each time, ``create_graph=True`` keeps the door open for the next derivative. Here are
# the cube and its first three derivatives at 2:
#
# >>> x = torch.tensor(2.0, requires_grad=True)
# >>> values = [x**3]
# >>> for _ in range(3):
# ...     values += torch.autograd.grad(values[-1], x, create_graph=True)
# >>> [value.item() for value in values]
# [8.0, 12.0, 12.0, 6.0]
#
# Without it, the slope is a number like any other, and nothing leads back from it:
#
# >>> [plain] = torch.autograd.grad(x**3, x)
# >>> torch.autograd.grad(plain, x)
# Traceback (most recent call last):
# RuntimeError: element 0 of tensors does not require grad and does not have a grad_fn
#
# ``y.backward(create_graph=True)`` exists, too, and :ref:`warns
# <lessons/3_debugging/10_error_messages:Four warnings>`: ``x.grad`` would then hold a
# graph that holds ``x``, and neither is freed before ``x.grad`` is set to ``None``. So
# we use ``torch.autograd.grad``.

# %%
# A matrix of second derivatives
# ------------------------------
#
# Two inputs have four second derivatives: each of the two slopes may change when either
# input moves. Here is :math:`y = x_0^2 x_1 + x_1^3` at 1 and 2.


def f(x):
    return x[0] ** 2 * x[1] + x[1] ** 3


x = torch.tensor([1.0, 2.0], requires_grad=True)
y = f(x)
[g] = torch.autograd.grad(y, x, create_graph=True)
g

# %%
# The gradient is :math:`g = \nabla_x y = (2 x_0 x_1, x_0^2 + 3 x_1^2) = (4, 13)`. Its
# Jacobian is called the *Hessian*, written :law:`\nabla_x^2 y`: row ``i`` says how
# slope ``i`` changes with each input.
#
# .. predict::
#
#    Differentiate both slopes. Type the Hessian, row by row, four numbers.
#
#    .. ask:: H
#
#    .. answer::
#
#       .. math::
#
#          \nabla_x^2 y
#          = \begin{pmatrix} 2 x_1 & 2 x_0 \\ 2 x_0 & 6 x_1 \end{pmatrix}
#          = \begin{pmatrix} 4 & 2 \\ 2 & 12 \end{pmatrix}
#
#       .. wrong:: [[4, 0], [0, 12]]
#
#          You differentiated each slope by its own input. The first slope, :law:`2 x_0
#          x_1`, also changes when :law:`x_1` moves.
#
#       .. wrong:: [[16, 52], [52, 169]]
#
#          Each slope times each slope. A second derivative is no product of first ones.

H = torch.stack([torch.autograd.grad(entry, x, retain_graph=True)[0] for entry in g])
H

# %%
# One backward pass for each row. The matrix is symmetric: how the slope along one input
# changes with the other is the same either way round, where second derivatives are
# continuous. PyTorch has the matrix ready, twice:

by_autograd = torch.autograd.functional.hessian(f, x)
by_func = torch.func.hessian(f)(x.detach())
by_autograd, by_func

# %%
# They come to the same numbers by different ways. At other places of this page they
# will not agree.
#
# >>> torch.equal(by_autograd, H), torch.equal(by_func, H)
# (True, True)

# %%
# Times a vector, without the matrix
# ----------------------------------
#
# A model with a million weights has a Hessian of a million times a million entries.
# For many purposes a product is enough: how does the gradient change when we move in
# the direction ``u``? That is the *Hessian-vector product* :law:`Hu`.
#
# The gradient is a function of ``x``. We weight its entries with ``u`` and go back, as
# for any vector-Jacobian product. The matrix is symmetric, so :law:`u^\top H` holds the
# same numbers as :law:`Hu`.

u = torch.tensor([1.0, -1.0])
s = g @ u
[Hu] = torch.autograd.grad(s, x, retain_graph=True)

# %%
# .. predict::
#
#    ``s`` is the gradient times ``u``, a single number. What is the gradient of ``s``?
#
#    .. ask:: Hu
#
#    .. answer::
#
#       It is :math:`\nabla_x s = \text{Hu} = H u = (4 - 2, 2 - 12) = (2, -10)`. Two
#       backward passes, and no matrix.
#
#       >>> torch.equal(Hu, H @ u)
#       True
#
#       .. wrong:: u * H.diagonal()
#
#          The two entries beside the diagonal are missing.
#
#       .. wrong:: s
#
#          This is ``s`` itself: how fast ``y`` changes along ``u``. Asked is how the
#          two slopes change.

Hu

# %%
# Forward mode comes to the same from the other side. It moves ``x`` along ``u`` and
# carries the change of the gradient along:
#
# >>> gradient = torch.func.grad(f)
# >>> torch.func.jvp(gradient, (x.detach(),), (u,))[1]
# tensor([  2., -10.])
#
# A million inputs are no obstacle:
#
# >>> p = torch.ones(1_000_000, requires_grad=True)
# >>> [first] = torch.autograd.grad((p**2 * p.roll(1)).sum(), p, create_graph=True)
# >>> [product] = torch.autograd.grad(first.sum(), p)
# >>> product.shape, product[0]
# (torch.Size([1000000]), tensor(6.))
#
# (Each entry stands in two terms, the first in :law:`p_0^2 p_{-1} + p_1^2 p_0`, where
# :law:`p_{-1}` is the last one. Its row of the Hessian holds 2 for itself and 2 for
# either neighbour, and zeros.)

# %%
# The parabola that touches
# -------------------------
#
# The first derivative gives a line that touches a curve, the second a parabola. Our
# neuron has one weight here, its input is 1, and the right answer is 1. So its squared
# error is :law:`L = (\sigma(w) - 1)^2`.

w = torch.tensor(-2.0, dtype=torch.float64, requires_grad=True)
s = torch.sigmoid(w)
L = (s - 1) ** 2
[slope] = torch.autograd.grad(L, w, create_graph=True)
[curvature] = torch.autograd.grad(slope, w, retain_graph=True)
L, slope, curvature

# %%
# At :math:`w = -2` the neuron says :math:`s = 0.119203`, and its error is :math:`L =
# 0.775803`. The slope of the loss is
# :math:`\frac{dL}{dw} = -2 s\,(1 - s)^2 = -0.184956`, so ``w`` should rise. *Newton's
# method* takes the touching parabola for the loss itself and goes to the place where
# the parabola is level: by the slope divided by the curvature, against the sign.

newton = (w - slope / curvature).detach()

# %%
# .. predict::
#
#    The curvature is :math:`\frac{d^2 L}{dw^2} = \text{curvature} = -0.118814`. Where
#    does Newton's step lead?
#
#    .. ask:: newton
#
#    .. answer::
#
#       To :math:`w - \frac{\text{slope}}{\text{curvature}} = -3.556684`: the wrong way,
#       and the loss rises. The parabola opens downwards, and the place where it is
#       level is its *top*.
#
#       .. wrong:: w + slope / curvature
#
#          This is the way down. But minus divided by minus is plus, and Newton's step
#          subtracts it.
#
#       .. wrong:: w - slope
#
#          This is gradient descent with the learning rate 1. Newton's step divides by
#          the curvature.

newton, (torch.sigmoid(newton) - 1) ** 2

# %%
# The same at seventeen places: value, slope, curvature, and where the step leads. Each
# loss depends on its own place alone. So the gradient of their sum holds the slope at
# each place, and the gradient of the sum of slopes holds each curvature.

places = torch.arange(-4, 4.01, 0.5, dtype=torch.float64).requires_grad_()
s = torch.sigmoid(places)
loss = (s - 1) ** 2
[tilt] = torch.autograd.grad(loss.sum(), places, create_graph=True)
[bend] = torch.autograd.grad(tilt.sum(), places)
places, s, loss, tilt = (t.detach() for t in (places, s, loss, tilt))
goal = places - tilt / bend

# %%
# Move the neuron's weight. Where does the parabola begin to open upwards, and what does
# Newton's step do close to that place?

move = torch.linspace(-4, 4, 33, dtype=torch.float64)
touching = loss[:, None] + tilt[:, None] * move + bend[:, None] * move**2 / 2
touching[(touching - 0.5).abs() > 0.9] = torch.nan  # outside the picture
axis = torch.linspace(-8, 8, 65, dtype=torch.float64)
plot = MovingPlot(
    {"w": places},
    "The loss and the parabola that touches it",
    xlim=(-8, 8),
    ylim=(-0.4, 1.4),
    xlabel="w",
    ylabel="loss",
    start={"w": -2.0},
)
plot.line(axis, (torch.sigmoid(axis) - 1) ** 2, "loss")
plot.line(places[:, None] + move, touching, "parabola")
plot.point(places, loss, "w")
plot.point(goal, (torch.sigmoid(goal) - 1) ** 2, "after Newton's step")
plot.say("Slope {slope:.3f}, curvature {curvature:.3f}.", slope=tilt, curvature=bend)
plot.say(
    "Newton's step leads to {goal:.2f}, where the loss is {after:.3f}.",
    goal=goal,
    after=(torch.sigmoid(goal) - 1) ** 2,
)
plot

# %%
# The curvature is :math:`\text{bend} = -2 s \odot (1 - s)^2 \odot (1 - 3s)` at each
# place. It changes its sign where the neuron says one third, and close to that place
# the step becomes as long as you like. So Newton's method is used near a minimum, or
# with a guard. Where the loss *is* a parabola that opens upwards, one step is enough,
# and an exercise below takes it.

# %%
# A gradient in the loss
# ----------------------
#
# A slope can be a part of what is trained. A *gradient penalty* asks that the output
# not react too strongly to the *input*: it adds the square of the slope to the loss.
# Here the model is :math:`y = w x^3` with one weight.

w = torch.tensor(1.0, requires_grad=True)
x = torch.tensor(2.0, requires_grad=True)
y = w * x**3
[slope] = torch.autograd.grad(y, x, create_graph=True)
penalty = slope**2
record_backward(penalty, locals(), direction="TB")

# %%
# The slope by the input is :math:`\text{slope} = \frac{\partial y}{\partial x} = 3 w
# x^2 = 12`, and the penalty is :math:`\text{penalty} = (3 w x^2)^2 = 144`. What
# training needs is its derivative by the *weight*, a derivative of a derivative by
# another variable: :math:`\frac{\partial}{\partial w} \text{penalty} = 18 w x^4 = 288`.
# In the drawing, :step:`penalty sends to slope` is the square, and from there a path
# leads through the recorded backward pass to ``w``. (That ``x`` receives 288 as well is
# a coincidence: :math:`\frac{\partial}{\partial x} \text{penalty} = 36 w^2 x^3 = 288`.)
#
# .. admonition:: Wrong on purpose
#
#    The penalty of the next cell trains no weight. Do not copy it.

# wrong on purpose
y = w * x**3
[slope] = torch.autograd.grad(y, x, retain_graph=True)
loss = y + slope**2
w.grad = None
loss.backward()

# %%
# .. predict::
#
#    ``retain_graph=True`` was written to get rid of an error. The loss is 8 plus 144,
#    and falls if either does. What is ``w.grad``?
#
#    .. ask:: w.grad
#
#    .. answer::
#
#       It is 8: :math:`x^3 = 8`. The slope has no record, so for autograd 144 is a
#       constant. The loss *shows* the penalty, and nobody trains it.
#
#       >>> slope.requires_grad, loss.item(), w.grad.item()
#       (False, 152.0, 8.0)
#
#       .. wrong:: 296
#
#          This is right, 8 and 288, with ``create_graph=True``. ``retain_graph`` keeps
#          the record of the forward pass, and makes none of the backward pass.
#
#       .. wrong:: 288
#
#          This is the derivative of the penalty alone, had it been recorded.

w.grad

# %%
# One word makes the difference:
#
# >>> y = w * x**3
# >>> [slope] = torch.autograd.grad(y, x, create_graph=True)
# >>> torch.autograd.grad(y + slope**2, w)
# (tensor(296.),)

# %%
# A step inside a step
# --------------------
#
# Suppose that each new task is learned with *one* step of gradient descent. From which
# weight should we start? To find out we differentiate *through* the step. For one task,
# with the loss :law:`(w - 3)^2` and the learning rate :law:`0.1`, that looks so:

w = torch.tensor(0.0, requires_grad=True)
inner = (w - 3) ** 2
[g] = torch.autograd.grad(inner, w, create_graph=True)
w1 = w - 0.1 * g
outer = (w1 - 3) ** 2

# %%
# The step goes from 0 to :math:`\text{w1} = 0.6`, and the loss falls from
# :math:`\text{inner} = 9` to :math:`\text{outer} = 5.76`.
#
# .. predict::
#
#    How does the loss *after* the step react to the weight *before* it? Type
#    :math:`\frac{d}{dw} \text{outer}`.
#
#    .. ask:: w.grad
#
#    .. answer::
#
#       The slope at the end is :law:`2(0.6 - 3) = -4.8`. But a start that is further to
#       the right has a smaller step before it: the step is a tenth of a slope, and this
#       slope changes twice as fast as ``w``. So the end moves by :law:`1 - 0.1 \cdot 2
#       = 0.8` of what the start moves:
#       :math:`\frac{d}{dw} \text{outer} = 2 (\text{w1} - 3) \cdot 0.8 = -3.84`.
#
#       .. wrong:: 2 * (w1 - 3)
#
#          The slope at the end, as if the step were the same from each start. This is
#          *first-order MAML*, which leaves the second derivative out to save time.
#
#       .. wrong:: 2 * (w - 3)
#
#          The slope before the step.

record_backward(outer, locals(), direction="TB")

# %%
# Two paths lead from ``w1`` to ``w``: :step:`w1 sends to w`, and one through ``g``,
# with the second derivative. ``create_graph=True`` made the second. Training such a
# start over many tasks is called *MAML*, model-agnostic meta-learning.

# %%
# Four ways to differentiate twice
# --------------------------------
#
# Each derivative can be taken in reverse or in forward mode. So there are four ways to
# take two, and mathematics says that they agree.


def reverse(f):
    return torch.func.grad(f)


def forward(f):
    return lambda t: torch.func.jvp(f, (t,), (torch.ones_like(t),))[1]


def four_ways(f, at):
    t = torch.tensor(at, dtype=torch.float64)
    both = (reverse, forward)
    return [outer(inner(f))(t).item() for inner in both for outer in both]


# %%
# The four numbers are reverse over reverse, forward over reverse, reverse over forward,
# and forward over forward: "over" names the mode of the second derivative first.
#
# >>> four_ways(lambda t: t**3, 2.0)
# [12.0, 12.0, 12.0, 12.0]
#
# A ``torch.autograd.Function`` of our own brings one rule for reverse mode,
# ``backward``, and one for forward mode, ``jvp``: from the tangent of the input, how
# fast it moves, it computes the tangent of the output. Both rules of the next cell are
# right. They double what arrives, so there is no tensor to save.
#
# .. admonition:: Wrong on purpose
#
#    One of the four second derivatives of the next cell is wrong. Do not copy it.

# wrong on purpose


class Double(torch.autograd.Function):
    @staticmethod
    def forward(x):
        return 2 * x

    @staticmethod
    def setup_context(ctx, inputs, output):
        pass

    @staticmethod
    def backward(ctx, g):
        return 2 * g

    @staticmethod
    def jvp(ctx, tangent):
        return 2 * tangent


def doubled(t):
    return Double.apply(t**2)


ways = four_ways(doubled, 3.0)

# %%
# .. predict::
#
#    Twice the square has the slope :law:`4t` and the second derivative 4. What does
#    forward over forward return?
#
#    .. ask:: ways[3]
#
#    .. answer::
#
#       It is 0. While a ``jvp`` of ours runs, forward mode is switched off: :ref:`we
#       asked it from inside <lessons/4_advanced/10_custom_function:Forward mode and
#       vmap>`. The tangent that arrives, :law:`2t`, changes with ``t``. But ``2 *
#       tangent`` is computed while nobody follows this change, so the outer pass finds
#       a constant. Nothing is said.
#
#       >>> ways
#       [4.0, 4.0, 4.0, 0.0]
#
#       .. wrong:: 4
#
#          The other three ways find it. Recording for reverse mode stays switched on
#          in a ``jvp``.
#
#       .. wrong:: 12
#
#          This is the first derivative at 3.
#
#       .. wrong:: 2
#
#          This is the second derivative of the square, before it is doubled.

ways

# %%
# ``gradcheck`` and ``gradgradcheck`` look at other ways, and are content:
#
# >>> at = torch.tensor([3.0], dtype=torch.float64, requires_grad=True)
# >>> torch.autograd.gradcheck(doubled, at, check_forward_ad=True)
# True
# >>> torch.autograd.gradgradcheck(doubled, at, check_fwd_over_rev=True)
# True

# %%
# Rules of PyTorch that lose a term
# ---------------------------------
#
# The determinant of a matrix with ``t`` and ``3t`` on its diagonal is :law:`3t^2`, its
# logarithm is :law:`\ln 3 + 2 \ln t`. And the equation :law:`t x = 1` has the solution
# :law:`x = \frac{1}{t}`.


def matrix(t):
    return torch.stack([t, 3 * t]).diag()


def solution(t):
    return torch.linalg.solve(t.view(1, 1), torch.ones_like(t).view(1))[0]


def normed(t):
    return F.layer_norm(torch.stack([t, t**2, 3 + 0 * t]), (3,))[0]


examples = {
    "det": lambda t: torch.linalg.det(matrix(t)),
    "logdet": lambda t: torch.logdet(matrix(t)),
    "solve": solution,
    "layer_norm": normed,
}
table = {name: four_ways(f, 2.0) for name, f in examples.items()}
major, minor = torch.__version__.split(".")[:2]
repaired = (int(major), int(minor)) >= (2, 15)
print("          ", "   r/r    f/r    r/f    f/f")
for name, row in table.items():
    print(f"{name:10}", "".join(f"{value:7.3f}" for value in row))

# %%
# (``r/f`` is reverse over forward.) With PyTorch 2.13, the columns with reverse mode on
# the inside are right, and those with forward mode on the inside are wrong. At 2, the
# second derivatives of the first three are :law:`6`, :law:`-\frac{2}{t^2} = -0.5` and
# :law:`\frac{2}{t^3} = 0.25`.
#
# One reason explains the numbers. The forward rule of a determinant is :law:`\det(A)
# \operatorname{tr}(A^{-1} \dot A)`, where :law:`\dot A` is the tangent of the matrix.
# For :law:`A^{-1}` it takes the triangular factors that the value was computed with,
# and these carry no derivative. So the trace, here :law:`\frac{2}{t}`, counts as a
# constant. What is then lost is a summand:
#
# .. math::
#
#    \det(A)' \cdot \frac{2}{t}
#    + \det(A) \cdot \left(-\frac{2}{t^2}\right)
#
# At 2 the determinant is 12, and so is its slope: :math:`12 \cdot 1 + 12 \cdot
# \left(-\frac{2}{4}\right) = 6`. Without the second summand it is 12. Of the logarithm,
# whose slope is the trace, nothing remains. Of the solution one of two equal summands
# remains:
#
# >>> expected = {
# ...     "det": [6, 6, 12, 12],
# ...     "logdet": [-0.5, -0.5, 0, 0],
# ...     "solve": [0.25, 0.25, 0.125, 0.125],
# ... }
# >>> for name, row in expected.items():
# ...     if repaired:
# ...         row = 2 * row[:2]
# ...     print((torch.tensor(table[name]) - torch.tensor(row)).abs().max() < 1e-6)
# tensor(True)
# tensor(True)
# tensor(True)
#
# The first three are right in PyTorch 2.15.0. In 2.9.1, 2.13.0 and 2.14.1 they are
# wrong without a word. Layer normalisation keeps its mean and its spread in the same
# way, and is wrong in each of these releases. One remedy works for all four examples:
# reverse mode inside. That is what ``torch.func.hessian`` does, which is
# ``jacfwd(jacrev(f))``.
#
# >>> torch.func.hessian(normed)(torch.tensor(2.0)), four_ways(normed, 2.0)[0]
# (tensor(-0.1019), -0.10194802)
#
# In the same four releases, batch normalisation is wrong in the same way while it
# trains, and group normalisation is right. A running product, ``cumprod``, has a rule
# of its own where a factor is 0. Here it makes :law:`(t - 1)^2`, whose second
# derivative is 2. In each row, the first two numbers have reverse mode inside:
#
# >>> def batch(t):
# ...     column = torch.stack([t, t**2, 3 + 0 * t])[:, None]
# ...     return F.batch_norm(column, None, None, training=True)[0, 0]
# >>> def group(t):
# ...     return F.group_norm(torch.stack([t, t**2, 3 + 0 * t])[None], 1)[0, 0]
# >>> [round(way, 3) for way in four_ways(batch, 2.0)]
# [-0.102, -0.102, 3.878, 3.878]
# >>> [round(way, 3) for way in four_ways(group, 2.0)]
# [-0.102, -0.102, -0.102, -0.102]
# >>> four_ways(lambda t: torch.stack([t - 1, t - 1]).cumprod(0)[1], 1.0)
# [2.0, 2.0, nan, 1.0]

# %%
# NaN, zero or an error
# ---------------------
#
# The square of a length is :law:`x^\top x`, and its Hessian is :law:`2I` at each place.
# Let us take it at 0, with the length written as ``x.norm()``.


def squared_length(x):
    return x.norm() ** 2


zero = torch.zeros(2)
by_func = torch.func.hessian(squared_length)(zero)
by_autograd = torch.autograd.functional.hessian(squared_length, zero)

# %%
# .. predict::
#
#    What does ``torch.func.hessian`` return? None of its four numbers is NaN.
#
#    .. ask:: by_func
#
#    .. answer::
#
#       Zeros, :math:`\text{by\_func} = \begin{pmatrix} 0 & 0 \\ 0 & 0 \end{pmatrix}`.
#       A root has no slope at 0. The rule of the norm writes 0 there, which is good for
#       the first derivative. The second one is a derivative of this rule.
#
#       .. wrong:: [[2, 0], [0, 2]]
#
#          This is the truth. Both functions see the steps: a root, and then a square.

by_func, by_autograd

# %%
# The other function, reverse over reverse, goes back through a division by the length,
# and divides zero by zero. Written without a square root, the function needs no repair:
#
# >>> by_autograd
# tensor([[nan, nan],
#         [nan, nan]])
# >>> torch.func.hessian(lambda x: x @ x)(zero)
# tensor([[2., 0.],
#         [0., 2.]])
#
# Reverse mode inside has a NaN of its own in PyTorch 2.9.1, 2.13.0 and 2.14.1, and none
# in 2.15.0. Under ``torch.func``, the determinant takes a rule that also serves
# matrices without an inverse. It uses singular values, and its derivative divides by
# the differences of their squares. For a multiple of the unit matrix they are equal,
# and ``torch.func.hessian`` is no remedy. ``torch.autograd.grad`` takes another rule:
#
# >>> def scaled(t):
# ...     return torch.linalg.det(t * torch.eye(2, dtype=torch.float64))
# >>> t = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
# >>> [first] = torch.autograd.grad(scaled(t), t, create_graph=True)
# >>> torch.autograd.grad(first, t)
# (tensor(2., dtype=torch.float64),)
# >>> for way in (reverse(reverse(scaled)), torch.func.hessian(scaled)):
# ...     print(way(t.detach()).isnan().item() != repaired)
# True
# True
#
# Whether the backward pass is recorded can change even the *first* derivative. The next
# matrix has no inverse. If only its last entry moves, the determinant moves twice as
# fast. The fast rule misses that, and the one that can be differentiated is right:
#
# >>> A = torch.diag(torch.tensor([1.0, 2.0, 0.0])).requires_grad_()
# >>> for recorded in (False, True):
# ...     [g] = torch.autograd.grad(torch.linalg.det(A), A, create_graph=recorded)
# ...     print(g.diagonal().tolist())
# [0.0, 0.0, 0.0]
# [0.0, 0.0, 2.0]
#
# The sum of the entries has a Hessian of zeros. By hand it is an error: the gradient
# does not depend on the input, and so has no graph in spite of ``create_graph=True``.
#
# >>> x = torch.ones(2, requires_grad=True)
# >>> [ones] = torch.autograd.grad(x.sum(), x, create_graph=True)
# >>> torch.autograd.grad(ones.sum(), x)
# Traceback (most recent call last):
# RuntimeError: element 0 of tensors does not require grad and does not have a grad_fn
#
# ``hessian`` says zero, unless it is told to be strict. But it is strict about the
# gradient as a whole: one entry that depends on the input is enough.
#
# >>> hessian = torch.autograd.functional.hessian
# >>> def says(f, **options):
# ...     try:
# ...         return hessian(f, torch.ones(2), **options)
# ...     except RuntimeError as error:
# ...         return str(error).partition(",")[0]
# >>> says(torch.sum)
# tensor([[0., 0.],
#         [0., 0.]])
# >>> says(torch.sum, strict=True)
# 'While computing the hessian'
# >>> says(lambda x: x[0] ** 2 + x[1], strict=True)
# tensor([[2., 0.],
#         [0., 0.]])
#
# And an operation may have no rule for a second derivative. A fused operation computes
# several steps in one, and its backward pass is one step as well, without a rule of its
# own. Attention may be fused. Which shapes are depends on the release: four dimensions
# are in PyTorch 2.9.1 and 2.13.0, and in 2.14.1 and 2.15.0 three are, too.


def twice(*shape):
    q = torch.linspace(-1, 1, 8).view(shape).requires_grad_()
    y = F.scaled_dot_product_attention(q, q, q)
    [g] = torch.autograd.grad((y**2).sum(), q, create_graph=True)
    try:
        [second] = torch.autograd.grad((g**2).sum(), q)
    except RuntimeError as error:
        return str(error)
    return f"finite: {second.isfinite().all().item()}"


with sdpa_kernel(SDPBackend.MATH):
    plain = twice(1, 2, 4), twice(1, 1, 2, 4)
fused = twice(1, 2, 4), twice(1, 1, 2, 4)
plain, fused

# %%
# With ``SDPBackend.MATH`` it is not fused, and has a second derivative for both shapes.
# The error names a backward pass:
#
# >>> plain
# ('finite: True', 'finite: True')
# >>> fused[1].startswith("derivative for aten::_scaled_dot_product_flash_attention")
# True
# >>> fused[1].endswith("_backward is not implemented")
# True

# %%
# Exercises
# ---------
#
# .. exercise::
#
#    Minimise :law:`\tfrac12 x^\top A x - b^\top x` by one step of Newton's method from
#    0, with the rows 4, 1 and 1, 3 in ``A`` and 1, 2 in ``b``. (For several inputs, the
#    step is the solution of :law:`H d = g`, and ``x - d`` is where it leads.)
#
#    .. answer::
#
#       The gradient at 0 is :law:`-b` and the Hessian is ``A``, so the step solves
#       :law:`A x = b`: the result is 1 and 7, divided by 11. The function is its own
#       touching parabola, and both eigenvalues of ``A`` are positive, so it opens
#       upwards, and this is its minimum.
#
#       >>> A = torch.tensor([[4.0, 1.0], [1.0, 3.0]])
#       >>> b = torch.tensor([1.0, 2.0])
#       >>> def bowl(x):
#       ...     return x @ A @ x / 2 - b @ x
#       >>> start = torch.zeros(2)
#       >>> slopes = torch.func.grad(bowl)(start)
#       >>> goal = start - torch.linalg.solve(torch.func.hessian(bowl)(start), slopes)
#       >>> 11 * goal
#       tensor([1., 7.])
#       >>> torch.func.grad(bowl)(goal).abs().max() < 1e-6
#       tensor(True)
#       >>> (torch.linalg.eigvalsh(A) > 0).all()
#       tensor(True)
#
# .. exercise::
#
#    Find the largest eigenvalue of the Hessian of ``f`` at 1 and 2, without building
#    the Hessian.
#
#    .. answer::
#
#       *Power iteration*: multiply a vector by the matrix again and again, and
#       bring it to the length 1. It turns towards the eigenvector whose eigenvalue is
#       farthest from 0, and then the product is that many times as long. (The start
#       must have a part in this direction.)
#
#       >>> x = torch.tensor([1.0, 2.0], dtype=torch.float64)
#       >>> u = torch.tensor([1.0, 0.0], dtype=torch.float64)
#       >>> for _ in range(40):
#       ...     _, product = torch.func.jvp(torch.func.grad(f), (x,), (u,))
#       ...     u = product / product.norm()
#       >>> product.norm().item(), u.tolist()
#       (12.472136, [0.229753, 0.973249])
#
#       For the whole Hessian of ``n`` inputs it takes ``n`` such products, one for each
#       column. So a Hessian is dearer than a gradient, which takes one backward pass.
#
# .. exercise::
#
#    :ref:`Rosenbrock's valley <lessons/2_practice/10_gradient_descent:A valley>`
#    :law:`(1 - x_0)^2 + 100\,(x_1 - x_0^2)^2` has its lowest place at 1 and 1. How many
#    times stronger is it curved across the valley than along it?
#
#    .. answer::
#
#       2508 times: the quotient of the two eigenvalues of its Hessian, its *condition
#       number*. Gradient descent needs a learning rate that suits the walls, and then
#       crawls along the floor.
#
#       >>> def valley(x):
#       ...     return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2
#       >>> bends = torch.func.hessian(valley)(torch.ones(2, dtype=torch.float64))
#       >>> bends
#       tensor([[ 802., -400.],
#               [-400.,  200.]], dtype=torch.float64)
#       >>> low, high = torch.linalg.eigvalsh(bends)
#       >>> (high / low).round()
#       tensor(2508., dtype=torch.float64)
#
# .. exercise::
#
#    A unit computes ``v * relu(w * x)``. Between its kinks its second derivative by
#    ``x`` is zero. Is a penalty on its slope by ``x`` useless for training ``w``?
#
#    .. answer::
#
#       No. The slope is :law:`v w` where the unit is awake. It does not depend on
#       ``x``, but on ``w``: the penalty is :law:`v^2 w^2`, with the derivative
#       :law:`2 v^2 w` by ``w``.
#
#       >>> v, w, x = (torch.tensor(c, requires_grad=True) for c in (2.0, 3.0, 1.0))
#       >>> [slope] = torch.autograd.grad(v * torch.relu(w * x), x, create_graph=True)
#       >>> torch.autograd.grad(slope**2, [x, w], allow_unused=True)
#       (tensor(0.), tensor(24.))
#
# .. exercise::
#
#    *Spot the error.* "For the diagonal of the Hessian I go back from ``g.sum()``. That
#    is the second derivative of each entry."
#
#    .. answer::
#
#       It is the sum of each row: the product of the Hessian with a vector of ones. The
#       diagonal of our first Hessian is 4 and 12, its rows have the sums 6 and 14. For
#       a function in which each term has one input, the two are the same, and the
#       mistake stays out of sight.
#
#       >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
#       >>> [g] = torch.autograd.grad(f(x), x, create_graph=True)
#       >>> torch.autograd.grad(g.sum(), x)[0], H.diagonal()
#       (tensor([ 6., 14.]), tensor([ 4., 12.]))

# %%
# What we can do now
# ------------------
#
# - Differentiate a derivative, with ``create_graph=True`` and without a leak.
# - Multiply with a Hessian of any size by two passes.
# - Train with a gradient in the loss, and through a step of training.
# - Take the inner derivative in reverse mode, and say what goes wrong otherwise.
#
# Next, :doc:`Forward mode </lessons/4_advanced/40_forward_mode>` takes the other
# direction apart.

# %%
# Credits and licences
# --------------------
#
# The product with a Hessian is B. Pearlmutter's `Fast exact multiplication by the
# Hessian <https://doi.org/10.1162/neco.1994.6.1.147>`__. The penalty is modelled on
# `Improved training of Wasserstein GANs <https://arxiv.org/abs/1704.00028>`__, the step
# inside a step on `Model-agnostic meta-learning <https://arxiv.org/abs/1703.03400>`__,
# which also describes the first-order form. Why a second derivative is dearer is asked
# by `Dive into Deep Learning
# <https://d2l.ai/chapter_preliminaries/autograd.html>`__. The forward rules of ``det``
# and ``solve`` were reported in PyTorch's `issue 192540
# <https://github.com/pytorch/pytorch/issues/192540>`__, the singular values in `issue
# 192521 <https://github.com/pytorch/pytorch/issues/192521>`__, the second ``jvp`` of a
# custom Function in `issue 197867
# <https://github.com/pytorch/pytorch/issues/197867>`__. Our text is under `CC BY-SA 4.0
# <https://creativecommons.org/licenses/by-sa/4.0/>`__, our code under the `MIT licence
# <https://opensource.org/license/mit>`__.
