r"""
Gradient descent by hand
========================

We make a loss smaller, step by step against its gradient, and write each step
ourselves. At the end we can write the update of a weight without its three traps, and
say which learning rates arrive, swing or run away.

:Time: 30 minutes
:Needs: :doc:`Accumulation </lessons/1_foundations/60_accumulation>`,
   :doc:`Stopping gradients </lessons/1_foundations/80_stopping_gradients>`
:Level: Practice
:Tags: training, errors, leaves
"""

# sphinx_gallery_thumbnail_number = 5

# %%
# So far we have computed gradients and used none of them. The neuron of the
# foundations had two weights and a bias; we begin with a single weight.

import warnings

import matplotlib.pyplot as plt
import torch

from torchutils import MovingPlot, make_dot, record_backward

# %%
# One step down
# -------------
#
# The weight ``w`` is 0, and the loss ``L`` is the square of its distance ``d`` from 3.
# This distance has a sign: below 3 it is negative. We know that 3 would be best. The
# program does not: it has a loss and, soon, a gradient.

w = torch.tensor(0.0, dtype=torch.float64, requires_grad=True)
d = w - 3
L = d**2
L

# %%
# At :math:`w = 0` we have :math:`d = w - 3 = -3` and :math:`L = d^2 = 9`.
#
# .. predict::
#
#    What is the gradient, and in which direction should ``w`` go? Type the gradient.
#
#    .. ask:: w.grad
#
#    .. answer::
#
#       The square sends :math:`2d = -6` to ``d``, and the difference passes it on:
#       :math:`\frac{dL}{dw} = 2d = 2\,(w - 3) = -6`. A negative slope says that ``L``
#       falls when ``w`` rises. So ``w`` should rise: *against* the gradient.
#
#       .. wrong:: d
#
#          This is the distance. The slope of its square is twice as large.
#
#       .. wrong:: -2 * d
#
#          This is the direction that ``w`` should take, and it is the opposite of the
#          gradient, which points up.

record_backward(L, locals())

# %%
# At :step:`L sends to d` the line spells the slope of the square, and
# :step:`d sends to w` passes the number on. By hand it is one line:
#
# >>> by_hand = 2 * (w.item() - 3)
# >>> abs(w.grad.item() - by_hand) < 1e-12
# True
#
# How far should ``w`` go? The slope holds close to where we stand, so we do not go far.
# The *learning rate*, ``lr`` in code, says which part of the gradient we take, here a
# tenth.
#
# .. predict::
#
#    We subtract ``lr * w.grad``. Where is ``w`` then?
#
#    .. ask:: w
#
#    .. answer::
#
#       A tenth of the gradient is subtracted: :math:`w = 0 - 0.1 \cdot (-6) = 0.6`. The
#       loss will be :math:`(0.6 - 3)^2 = 5.76` there, after 9.
#
#       .. wrong:: -w
#
#          The gradient was added here. It points the way up, and we want to go down.
#
#       .. wrong:: 10 * w
#
#          This is a step by the whole gradient. It leads beyond 3, and there the loss
#          is 9 again.

lr = 0.1
with torch.no_grad():
    w -= lr * w.grad
w

# %%
# This is the whole method, *gradient descent*:
#
# .. math::
#    :class: law
#
#    w \leftarrow w - \eta\, \nabla_w L
#
# The Greek letter eta stands for the learning rate.
#
# The step has changed ``w`` and nothing else. ``L`` and ``w.grad`` still say what they
# said before it. For the next step we go forward and backward again, and before that
# we empty ``.grad``, since ``backward()`` adds.
#
# >>> L.item(), w.grad.item()
# (9.0, -6.0)

w.grad = None
d = w - 3
L = d**2
L

# %%
# Now :math:`L = 5.76`. The gradient has become smaller as well,
# :math:`\frac{dL}{dw} = 2\,(w - 3) = -4.8`, so the second step will be shorter than the
# first.

L.backward()
w.grad

# %%
# Three ways to write it wrongly
# ------------------------------
#
# The step has ``no_grad`` around it, and ``-=`` in it. What if one of them is missing,
# or both?
#
# .. predict::
#
#    First without ``no_grad``. What will ``w -= lr * w.grad`` do?
#
#    .. answer::
#
#       It is refused. ``w`` is a leaf that requires a gradient, so a record may begin
#       at it. An operation that is recorded may not overwrite it.

try:
    w -= lr * w.grad
except RuntimeError as error:
    message = str(error)
    print(message)

# %%
# *Variable* is an old name for a tensor that autograd works with.
#
# >>> message
# 'a leaf Variable that requires grad is being used in an in-place operation.'
#
# One of PyTorch's own examples `was repaired after this message
# <https://github.com/pytorch/examples/pull/779>`__ in 2020. Now the in-place operation
# is missing as well: ``w = w - lr * w.grad`` makes a new tensor. To see both, we keep
# the old one under a second name.
#
# .. admonition:: Wrong on purpose
#
#    The step of the next cell is recorded. Do not copy it.

# wrong on purpose
old = w
w = w - lr * w.grad
L = (w - 3) ** 2
make_dot(L, locals())

# %%
# No error. But look at the drawing: the step itself has been recorded, and the leaf is
# ``old``. (The last line of its box tells of our first step, which was in place.)
#
# .. predict::
#
#    Before this, ``old.grad`` is :math:`-4.8`. What will ``L.backward()`` put into
#    ``w.grad``, and what does ``old.grad`` hold afterwards? Type ``old.grad``.
#
#    .. ask:: old.grad
#
#    .. answer::
#
#       ``w`` is no leaf, so ``w.grad`` stays ``None``. The gradient runs through the
#       subtraction to ``old``, where :math:`2\,(w - 3) = -3.84` is added to what is
#       there, :math:`-4.8 - 3.84 = -8.64`.
#
#       .. wrong:: 2 * (w - 3)
#
#          This is what arrives. It is *added* to :math:`-4.8`, which nobody has taken
#          away.
#
#       .. wrong:: -4.8
#
#          You took ``old`` for out of use. It is still the leaf at the end of the
#          record, and the gradient arrives there.

L.backward()
with warnings.catch_warnings(action="ignore"):
    print(w.grad)
old.grad

# %%
# (PyTorch warns whoever reads ``w.grad`` here; we have silenced it.) The next step of
# the loop has nothing to multiply:
#
# >>> w.is_leaf
# False
# >>> try:
# ...     lr * None
# ... except TypeError as error:
# ...     print(error)
# unsupported operand type(s) for *: 'float' and 'NoneType'
#
# The third way has ``no_grad``, but no ``-=``. The new tensor is plain data then, and
# the next backward step finds no record:
#
# .. admonition:: Wrong on purpose
#
#    The ``w`` of the next cell requires no gradient after its step. Do not copy it.

# wrong on purpose
w = torch.tensor(0.6, dtype=torch.float64, requires_grad=True)
w.grad = torch.tensor(-4.8, dtype=torch.float64)
with torch.no_grad():
    w = w - lr * w.grad
L = (w - 3) ** 2
L

# %%
# ``L`` has no ``grad_fn``:
#
# >>> w.is_leaf, w.requires_grad
# (True, False)
# >>> try:
# ...     L.backward()
# ... except RuntimeError as error:
# ...     print(error)
# element 0 of tensors does not require grad and does not have a grad_fn
#
# .. list-table::
#    :header-rows: 1
#
#    * - the step
#      - under ``no_grad``
#      - recorded
#    * - ``w -= lr * w.grad``
#      - right
#      - refused at once
#    * - ``w = w - lr * w.grad``
#      - an error at the next ``backward()``
#      - an error at the next step
#
# ``backward()`` fails if ``w`` was the one leaf. With another leaf beside it the loss
# keeps a record, ``w`` gets nothing, and the error comes with the next step:
#
# >>> other = torch.tensor(1.0, requires_grad=True)
# >>> (w * other).backward()
# >>> print(w.grad)
# None

# %%
# The loop
# --------
#
# Forward, backward, step, empty. The function walks ``steps`` steps from 0, and
# returns where ``w`` was before each of them and at the end.


def descend(lr, steps):
    w = torch.tensor(0.0, dtype=torch.float64, requires_grad=True)
    path = [w.item()]
    for _ in range(steps):
        loss = (w - 3) ** 2
        loss.backward()
        with torch.no_grad():
            w -= lr * w.grad
        w.grad = None
        path.append(w.item())
    return torch.tensor(path, dtype=torch.float64)


# %%
# .. predict::
#
#    With the learning rate :math:`0.1` the first step led to :math:`0.6`, so the
#    distance from 3 went from −3 to :math:`0.6 - 3 = -2.4`. It shrinks by the same
#    factor in each step. Which one?
#
#    .. ask:: (path[1] - 3) / (path[0] - 3)
#
#    .. answer::
#
#       A step subtracts :math:`0.1 \cdot 2\,(w - 3)`, which is a fifth of the distance.
#       The rest is :math:`1 - 0.1 \cdot 2 = 0.8` of it. After :math:`k` steps,
#       :math:`\text{path}_k = 3\,(1 - 0.8^k)`.
#
#       .. wrong:: 1 - (path[1] - 3) / (path[0] - 3)
#
#          This is the part that goes away. What stays is the rest.
#
#       .. wrong:: 1 - lr
#
#          The slope is *twice* the distance. A tenth of it is a fifth of the distance.

path = descend(lr, 10)
path

# %%
# The steps become shorter and shorter, and ``w`` comes closer to 3 and never quite gets
# there:
#
# >>> path[10].item()
# 2.677877
# >>> descend(lr, 300)[-1] < 3
# tensor(True)
#
# Nobody has made the learning rate smaller on the way. The *gradient* becomes smaller.

# %%
# How large may a step be?
# ------------------------
#
# Larger steps should arrive sooner.
#
# .. predict::
#
#    The learning rate is 1 now. Where is ``w`` after one, two and three steps?
#
#    .. ask:: path[1:]
#
#    .. answer::
#
#       At 0 the gradient is −6, and the step leads to 6. There it is 6, and the step
#       leads back. The distance is multiplied by :math:`1 - 1 \cdot 2 = -1`: it keeps
#       its size and changes its side, :math:`\text{path} = (0, 6, 0, 6)`.
#
#       .. wrong:: [3, 3, 3]
#
#          This is what the learning rate :math:`0.5` does. Its factor is 0, and it
#          arrives with its first step.
#
#       .. wrong:: [6, 12, 18]
#
#          The gradient is not −6 in each step. At 6 it has the other sign.

path = descend(1.0, 3)
path

# %%
# In general a step with the learning rate :math:`\eta` multiplies the distance by
# :law:`1 - 2\eta`. Look for three things: with which rate does ``w`` arrive at once,
# where does it begin to swing, and where does it no longer arrive?

rates = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1, 1.05, 1.1]
walks = torch.stack([descend(rate, 8) for rate in rates])
plot = MovingPlot(
    {"learning rate": rates},
    "Eight steps",
    xlim=(0, 8.3),
    ylim=(-11, 15),
    xlabel="step",
    ylabel="w",
    start={"learning rate": 0.1},
)
plot.line([0, 8], [3, 3])
plot.line(torch.arange(9), walks, "w")
plot.point(8, walks[:, -1], "the last w")
plot.say(
    "Each step multiplies the distance by {factor:.1f}. The last w: {last:.3f}.",
    factor=1 - 2 * torch.tensor(rates, dtype=torch.float64),
    last=walks[:, -1],
)
plot

# %%
# Five of these learning rates, on both sides of the border:
#
# .. list-table::
#    :header-rows: 1
#
#    * - rate
#      - factor
#      - what ``w`` does
#    * - :math:`0.1`
#      - :math:`1 - 2 \cdot 0.1 = 0.8`
#      - creeps up to 3
#    * - :math:`0.5`
#      - :math:`1 - 2 \cdot 0.5 = 0`
#      - is there after one step
#    * - :math:`0.9`
#      - :math:`1 - 2 \cdot 0.9 = -0.8`
#      - swings, less and less
#    * - :math:`1`
#      - :math:`1 - 2 \cdot 1 = -1`
#      - swings between 0 and 6
#    * - :math:`1.1`
#      - :math:`1 - 2 \cdot 1.1 = -1.2`
#      - runs away
#
# The distance shrinks if the factor lies between −1 and 1, so the learning rate has to
# be positive and less than 1. Beyond 1 it grows in each step, with :math:`1.1` by a
# fifth, and autograd has no complaint:
#
# >>> [round(abs(v - 3), 4) for v in descend(1.1, 4).tolist()]
# [3.0, 3.6, 4.32, 5.184, 6.2208]
#
# The border belongs to this loss. What matters is how strongly it is curved, which its
# second derivative says. A loss that is curved twice as strongly allows half the
# learning rate. Where the curvature is positive, and the same at each place, as here:
#
# .. math::
#    :class: law
#
#    0 < \eta < \frac{2}{L''}

w = torch.tensor(0.0, dtype=torch.float64, requires_grad=True)
L = (w - 3) ** 2

# %%
# Here :math:`L = (w - 3)^2`, so :math:`\frac{d^2 L}{dw^2} = 2` for each ``w``, and the
# border is :math:`\frac{2}{2} = 1`.

# %%
# A valley
# --------
#
# With more than one number to learn, a loss can be curved strongly in one direction and
# weakly in another. A famous example, by Rosenbrock, is a bent valley with steep sides.
# ``x`` has shape ``(2,)``.

x = torch.tensor([-1.2, 1.0], dtype=torch.float64, requires_grad=True)
u, v = x[0], x[1]
a = u - 1
b = v - u**2
y = a**2 + 100 * b**2
y

# %%
# The floor of the valley is where :law:`x_1 = x_0^2`, and the lowest place on it is
# :math:`(1, 1)`. We stand at :math:`x = (-1.2, 1)`, where
# :math:`a = x_0 - 1 = -2.2` and :math:`b = x_1 - x_0^2 = -0.44`. The height is
# :math:`y = a^2 + 100 b^2 = 24.2`.
#
# .. predict::
#
#    Walk back by hand. The squares send :math:`\frac{\partial y}{\partial a} = 2a =
#    -4.4` and :math:`\frac{\partial y}{\partial b} = 200b = -88`. What arrives at both
#    entries of ``x``?
#
#    .. ask:: x.grad
#
#    .. answer::
#
#       The entry :math:`x_1` is in ``b`` alone, with the slope 1. The entry :math:`x_0`
#       is in both, with the slopes 1 and :math:`-2x_0 = 2.4`. The two paths add up:
#
#       .. math::
#
#          \nabla_x y = (2a - 2x_0 \cdot 200b,\; 200b)
#
#       In our numbers that is :math:`\nabla_x y = (-215.6, -88)`.
#
#       .. wrong:: [-2 * x[0] * 200 * b, 200 * b]
#
#          This is what comes through ``b``. The first entry is in ``a``, too.
#
#       .. wrong:: [2 * a, 200 * b]
#
#          This is what comes to the first entry through ``a``. It is in ``b`` as well,
#          and that side is steep.

record_backward(y, locals(), direction="TB")

# %%
# Below the drawing, change ``x`` to 1, 1, the lowest place: what do the squares of
# ``a`` and ``b`` send there? Then to 1, 2, high up on the side. By hand and by
# autograd:
#
# >>> u, v = x.tolist()
# >>> by_hand = [2 * (u - 1) - 400 * u * (v - u**2), 200 * (v - u**2)]
# >>> (x.grad - x.grad.new_tensor(by_hand)).abs().max().item() < 1e-12
# True
#
# The gradient is about 230 long. A tenth of it would throw us far out of the valley, so
# we take a thousandth, and a thousand steps.


def height(x):
    return (x[0] - 1) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


x.grad = None
places = [x.tolist()]
for _ in range(1000):
    height(x).backward()
    with torch.no_grad():
        x -= 0.001 * x.grad
    x.grad = None
    places.append(x.tolist())

# %%
# .. predict::
#
#    A thousandth of the first gradient is a step of more than a fifth. A thousand of
#    these would be a long way. Does the walk arrive at :math:`(1, 1)`, which is little
#    more than 2 away?
#
#    .. answer::
#
#       No. The first steps fall down the steep side, on to the floor of the valley.
#       There the slope is small, and the steps are short: they are a part of the
#       gradient. After a thousand of them the walk is still on its way.

columns, rows = torch.linspace(-1.6, 1.4, 150), torch.linspace(-0.4, 1.6, 120)
grid = torch.meshgrid(columns, rows, indexing="xy")
shown = places[:10] + places[10::30]
fig, ax = plt.subplots(layout="constrained")
levels = [0.5, 2, 4, 10, 24.2, 60, 150]
ax.contour(*grid, height(grid), levels, colors="gray", linewidths=0.7)
ax.plot(*zip(*shown, strict=True), ".-", color="tab:blue")
ax.plot(1, 1, "*", color="tab:green", markersize=12)
ax.set(xlabel="$x_0$", ylabel="$x_1$")
fig.set_label(
    "A bent valley, drawn by lines of equal height. The path falls into it with its "
    "first step, then creeps along the floor and ends before the star at the lowest "
    "place."
)

# %%
# Along a grey line the height is the same, and the star is the lowest place. Where the
# walk is now, how high, and how long its first and its last step were:
#
# >>> x.detach(), height(x).item()
# (tensor([0.3273, 0.1040], dtype=torch.float64), 0.4535)
# >>> steps = torch.tensor(places, dtype=torch.float64).diff(dim=0).norm(dim=1)
# >>> steps[0], steps[-1]
# (tensor(0.2329, dtype=torch.float64), tensor(0.0011, dtype=torch.float64))
#
# Why not take much larger steps, then? Because of the steep sides. With ten times the
# learning rate the walk runs away:
#
# >>> far = torch.tensor([-1.2, 1.0], dtype=torch.float64, requires_grad=True)
# >>> for _ in range(5):
# ...     [slope] = torch.autograd.grad(height(far), far)
# ...     with torch.no_grad():
# ...         far -= 0.01 * slope
# >>> height(far).item() > 1e100
# True
#
# At the lowest place the valley is curved 2500 times as strongly across as it is along.
# The second derivatives stand in a matrix, the Hessian, and its eigenvalues are the two
# curvatures:
#
# >>> lowest = torch.ones(2, dtype=torch.float64)
# >>> second = torch.autograd.functional.hessian(height, lowest)
# >>> along, across = torch.linalg.eigvalsh(second).tolist()
# >>> along, across, across / along
# (0.399361, 1001.600639, 2508.01)
#
# One learning rate has to serve both. The strong curvature says how large a step may
# be, the weak one how many steps it takes. The next lesson computes both for a loss
# whose curvatures do not change from place to place.

# %%
# Exercises
# ---------
#
# .. exercise::
#
#    With the learning rate :math:`0.1`, how many steps does the first walk need until
#    ``w`` is closer to 3 than :math:`0.01`? First compute it, then count.
#
#    .. answer::
#
#       The distance is :law:`3 \cdot 0.8^k`, which has to be less than :math:`0.01`. So
#       ``k`` has to be greater than :math:`\frac{\ln 300}{\ln 1.25} = 25.56`, and 26
#       steps are needed.
#
#       >>> (descend(0.1, 30) - 3).abs().lt(0.01).nonzero()[0].item()
#       26
#
# .. exercise::
#
#    For which learning rates does ``w`` arrive at 3, if the loss is
#    :law:`L = 5\,(w - 3)^2`? Find the border, and try one on each side of it.
#
#    .. answer::
#
#       The second derivative is 10, so the border is at :math:`\frac{2}{10}`, a fifth
#       of what it was. Below it each step makes the distance smaller, above it larger:
#
#       >>> def after(lr, steps):
#       ...     u = torch.tensor(0.0, dtype=torch.float64, requires_grad=True)
#       ...     for _ in range(steps):
#       ...         [slope] = torch.autograd.grad(5 * (u - 3) ** 2, u)
#       ...         with torch.no_grad():
#       ...             u -= lr * slope
#       ...     return abs(u.item() - 3)
#       >>> after(0.19, 50) < 0.02, after(0.21, 50) > 300
#       (True, True)
#       >>> place = torch.tensor(0.0, dtype=torch.float64)
#       >>> 2 / torch.autograd.functional.hessian(lambda w: 5 * (w - 3) ** 2, place)
#       tensor(0.2000, dtype=torch.float64)
#
# .. exercise::
#
#    Forget to empty ``.grad``, with the learning rate :math:`0.1`. What does ``w`` do
#    in the long run?
#
#    .. answer::
#
#       It swings between about 0 and 6, and does not come to rest: the sum of all
#       gradients pushes it on where the gradient itself is 0.
#
#       >>> u = torch.tensor(0.0, dtype=torch.float64, requires_grad=True)
#       >>> swing = []
#       >>> for _ in range(2000):
#       ...     ((u - 3) ** 2).backward()
#       ...     with torch.no_grad():
#       ...         u -= 0.1 * u.grad
#       ...     swing.append(u.item())
#       >>> round(min(swing[-50:]), 1), round(max(swing[-50:]), 1)
#       (-0.1, 6.1)
#
# .. exercise::
#
#    *Momentum* is that slip on purpose, and in part: each step keeps :math:`0.9` of
#    what pushed it before, and adds the new gradient. Where is ``w`` after one and
#    after two such steps from 0, with the learning rate :math:`0.1`?
#
#    .. answer::
#
#       The first push is the gradient, −6, so ``w`` goes to :math:`0 + 0.1 \cdot 6 =
#       0.6`. The gradient there is :math:`2 \cdot (0.6 - 3) = -4.8`, so the second push
#       is :math:`0.9 \cdot (-6) - 4.8 = -10.2`, and ``w`` goes
#       to :math:`0.6 + 0.1 \cdot 10.2 = 1.62`. PyTorch's optimiser agrees:
#
#       >>> u = torch.tensor(0.0, dtype=torch.float64, requires_grad=True)
#       >>> optimizer = torch.optim.SGD([u], lr=0.1, momentum=0.9)
#       >>> places = []
#       >>> for _ in range(2):
#       ...     optimizer.zero_grad()
#       ...     ((u - 3) ** 2).backward()
#       ...     optimizer.step()
#       ...     places.append(round(u.item(), 6))
#       >>> places
#       [0.6, 1.62]
#
#       With 1 in place of :math:`0.9` it is the swing of the exercise before.
#
# .. exercise::
#
#    *Spot the error.* The line ``s_batch -= s_learning_rate * s_batch.grad`` of a
#    published program was refused, and the `advice
#    <https://github.com/BaiTheBest/SparseLLM/issues/13>`__ was to write
#    ``s_batch = s_batch - s_learning_rate * s_batch.grad``. The next line of the
#    program is ``s_batch.grad.zero_()``. What will it do?
#
#    .. answer::
#
#       It fails. The new ``s_batch`` is no leaf, and has no ``.grad`` that could be
#       zeroed. ``no_grad`` around the old line is what was missing.
#
#       >>> s_batch = torch.ones(2, requires_grad=True)
#       >>> (s_batch**2).sum().backward()
#       >>> s_batch = s_batch - 0.1 * s_batch.grad
#       >>> with warnings.catch_warnings(action="ignore"):
#       ...     try:
#       ...         s_batch.grad.zero_()
#       ...     except AttributeError as error:
#       ...         print(error)
#       'NoneType' object has no attribute 'zero_'

# %%
# What we can do now
# ------------------
#
# - Write the loop: forward, backward, a step under ``no_grad``, empty.
# - Recognise the three wrong updates by what they lead to.
# - Say for a simple loss which learning rates arrive, and why a valley is slow.
#
# Next, :doc:`Linear regression </lessons/2_practice/20_linear_regression>` fits a line
# to points, with the gradient of a whole batch.

# %%
# Credits and licences
# --------------------
#
# The valley is from H. H. Rosenbrock, `An automatic method for finding the greatest or
# least value of a function <https://doi.org/10.1093/comjnl/3.3.175>`__, with the place
# to start from that has been common since. Our text is under `CC BY-SA 4.0
# <https://creativecommons.org/licenses/by-sa/4.0/>`__, our code under the `MIT licence
# <https://opensource.org/license/mit>`__.
