r"""
What is a gradient?
===================

We measure how fast a function changes, first along a line, then in every direction of
a plane. At the end we can read a gradient as an arrow, and predict with it how far a
function moves when its inputs move a little.

:Time: 30 minutes
:Needs: :doc:`Three steps to a gradient </lessons/0_basics/10_gradients_with_pytorch>`,
   school calculus
:Level: Foundations
:Tags: derivatives
"""

# %%
# A neuron asks of each weight: if I turn it up a little, does my answer rise or fall,
# and how much? A gradient is the reply, and we measure one before we compute it.
#
# In the first lesson we got gradients and checked them. Now we ask what such numbers
# are good for. ``matplotlib`` will draw for us.

import matplotlib.pyplot as plt
import torch

from torchutils import MovingPlot, make_dot

# %%
# The slope at a point
# --------------------
#
# We begin with one input and one output, at the place :math:`x = 1`. Small steps need
# many digits, so we choose the dtype ``float64``. It keeps about 16 digits; the usual
# ``float32`` keeps about 7.


def f(x):
    return 3 * x**2 - 4 * x


x = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
y = f(x)
y

# %%
# So :math:`y = 3x^2 - 4x = -1`. How fast does ``y`` change when ``x`` does? We take a
# step of length ``h`` to the right, see how far the function has moved, and divide by
# the length of the step. This is the *difference quotient*:
#
# .. math::
#    :class: law
#
#    \frac{f(x + h) - f(x)}{h}
#
# .. predict::
#
#    We try the steps 0.1, 0.01 and 0.001, all in one tensor. Towards which number will
#    the three quotients go?
#
#    .. ask:: torch.autograd.grad(f(x), x)[0]
#
#    .. answer::
#
#       Multiply out :math:`3\,(1 + h)^2 - 4\,(1 + h)`, and you get
#       :math:`f(1 + h) = -1 + 2h + 3h^2`. So
#       :math:`\frac{f(1 + h) - f(1)}{h} = 2 + 3h = (2.3, 2.03, 2.003)`. The shorter the
#       step, the less remains of :math:`3h`, and the quotients go to 2.
#
#       .. wrong:: f(x)
#
#          This is the value of the function at 1. The quotient says how fast the value
#          *changes*.
#
#       .. wrong:: 6 * x
#
#          This is the slope of the first term alone. The second term, :law:`-4x`, falls
#          by 4 for each step of 1, and takes that away.
#
#       .. wrong:: (f(1 + h[0]) - f(1)) / h[0]
#
#          This is the quotient for the longest of the three steps. The shorter the
#          step, the less remains of what it has too much.

h = torch.tensor([0.1, 0.01, 0.001], dtype=torch.float64)
(f(1 + h) - f(1)) / h

# %%
# The number that the quotients go to is the *slope* of ``f`` at 1, or its *derivative*,
# :math:`f'(1) = 2`. School calculus has a rule for it:
# :math:`\frac{dy}{dx} = 6x - 4 = 2`. Autograd agrees.

y.backward()
x.grad

# %%
# Autograd has not tried a step. It used the exact derivative of each operation that
# ran, so there is no remainder, but for rounding.
#
# >>> x.grad
# tensor(2., dtype=torch.float64)
#
# .. predict::
#
#    If small steps are good, a tiny one should be better. We take
#    ``h = 1e-16``, a step of :math:`10^{-16}`. What will the quotient be?
#
#    .. ask:: (f(1 + 1e-16) - f(1)) / 1e-16
#
#    .. answer::
#
#       In 16 digits :math:`1 + 10^{-16}` is rounded to 1. The step is lost, so the
#       function does not move. A smaller step is better only up to a point.
#
#       >>> 1 + 1e-16 == 1
#       True
#       >>> (f(1 + 1e-16) - f(1)) / 1e-16
#       0.0
#
#       .. wrong:: torch.autograd.grad(f(x), x)[0]
#
#          On paper, yes. But the computer keeps 16 digits, and this step is too short
#          to change the last of them: it compares the function with itself.

(f(1 + 1e-16) - f(1)) / 1e-16

# %%
# The secant becomes the tangent
# ------------------------------
#
# A quotient is a slope, too. It belongs to the *secant*, the straight line through two
# points of the curve, at 1 and at :math:`1 + h`. We compute it for 17 steps, each ten
# times shorter than the one before.

steps = 10.0 ** -torch.arange(17, dtype=torch.float64)
quotient = (f(1 + steps) - f(1)) / steps
places = torch.linspace(0, 2, 100)

# %%
# What becomes of the secant when its second point comes close to the first one?

plot = MovingPlot(
    {"h": steps}, "A secant of f", xlim=(0, 2), ylim=(-2, 4), xlabel="x", ylabel="y"
)
plot.line(places, f(places), "f")
plot.line([0, 2], torch.stack([-1 - quotient, -1 + quotient], dim=1), "secant")
plot.point(1, -1)
plot.point(1 + steps, f(1 + steps), "point at 1 + h")
plot.say("The secant's slope is {slope:.9g}.", slope=quotient)
plot.say("It misses the derivative by {error}.", error=(quotient - 2).abs())
plot

# %%
# The secant turns until it cannot be told from a line that only touches the curve, the
# *tangent*. Its slope is the derivative. From the ninth step on, rounding takes over:
# the difference of two numbers that are almost the same keeps few of their digits, and
# a short ``h`` makes much of what is wrong with the last. In the end the line turns
# away again.
#
# >>> (quotient - 2).abs().argmin()
# tensor(8)
# >>> quotient[[0, 8, 15, 16]]
# tensor([5.0000, 2.0000, 2.2204, 0.0000], dtype=torch.float64)

# %%
# The slope predicts
# ------------------
#
# Near 1 the curve looks like its tangent.

fig, ax = plt.subplots()
ax.plot(places, f(places), color="black", label="f")
ax.plot(places, -1 + 2 * (places - 1), "--", color="tab:blue", label="tangent at 1")
ax.plot(1, -1, "o", color="tab:blue")
ax.set_xlabel("x")
ax.legend()
fig.set_label("A parabola and its tangent at 1. They part slowly on both sides.")

# %%
# The tangent is a good forecast: to know ``f`` a little to the right, follow the line.
#
# .. math::
#    :class: law
#
#    f(x + h) \approx f(x) + f'(x)\, h
#
# .. predict::
#
#    The forecast is not exact. Again, :math:`f(1 + h) = -1 + 2h + 3h^2`. If the step
#    becomes ten times smaller, how many times smaller does the error become?
#
#    .. ask:: (f(1 + h) - (-1 + 2 * h))[0] / (f(1 + h) - (-1 + 2 * h))[1]
#
#    .. answer::
#
#       It becomes 100 times smaller. The forecast is :math:`-1 + 2h`, so the error is
#       what is left,
#       :math:`f(1 + h) - (-1 + 2h) = 3h^2 = (0.03, 0.0003, 0.000003)`.
#
#       .. wrong:: h[0] / h[1]
#
#          This is how much shorter the step has become. The error contains the *square*
#          of the step.

f(1 + h) - (-1 + 2 * h)

# %%
# The error shrinks much faster than the step. This is what makes a derivative useful:
# for small steps the forecast is almost perfect.

# %%
# Two inputs: a hillside
# ----------------------
#
# Now ``x`` has two entries, shape ``(2,)``. Think of a place on a map: :math:`x_0` says
# how far east we are, :math:`x_1` how far north. The function gives the height of the
# ground there, :math:`y = x_0^2\, x_1 + 3x_1`.


def hill(x):
    return x[0] ** 2 * x[1] + 3 * x[1]


x = torch.tensor([2.0, 1.0], dtype=torch.float64, requires_grad=True)
y = hill(x)
y

# %%
# We stand at :math:`x = (2, 1)`, at the height :math:`y = 7`. The graph shows how the
# height was computed, drawn from top to bottom. Each ``select`` takes one entry out of
# ``x``.

make_dot(y, locals(), direction="TB")

# %%
# How steep is it here? That depends on where we go. We hold one entry fixed and move
# the other:
#
# - East: :math:`x_1` stays 1. Only :math:`x_0^2` matters, and the slope is
#   :math:`\frac{\partial y}{\partial x_0} = 2x_0 x_1 = 4`.
# - North: :math:`x_0` stays 2. The height is a multiple of :math:`x_1`, and the slope
#   is :math:`\frac{\partial y}{\partial x_1} = x_0^2 + 3 = 7`.
#
# These two slopes are the *partial derivatives*. The curly :math:`\partial` says that
# the other entries stay where they are.
#
# .. predict::
#
#    What will ``y.backward()`` put into ``x.grad``? Give the numbers and their order.
#
#    .. ask:: x.grad
#
#    .. answer::
#
#       The gradient lists the partial derivatives in the order of the entries:
#       :math:`\nabla_x y = (2x_0 x_1, x_0^2 + 3) = (4, 7)`. It has the shape of ``x``.
#
#       .. wrong:: x.grad.flip(0)
#
#          The numbers are right, and their order is not: the entry at index 0 belongs
#          to :math:`x_0`, the way to the east.
#
#       .. wrong:: [2 * x[0] * x[1], 3]
#
#          In the second entry one term is forgotten. The first product contains
#          :math:`x_1`, too, and there it is multiplied by the square of :math:`x_0`.

y.backward()
x.grad

# %%
# The gradient is an arrow
# ------------------------
#
# Two numbers for a place with two coordinates: we can draw the gradient as an arrow on
# a map. First we compute the height on a grid of places.

east, north = torch.meshgrid(
    torch.linspace(0.5, 3.5, 50), torch.linspace(0, 2.5, 50), indexing="xy"
)
height = hill((east, north))

# %%
# Each line of the map joins places of the same height, and the arrow stands where we
# are. It is drawn at a tenth of its length, to fit.

fig, ax = plt.subplots(figsize=(4.4, 4))
lines = ax.contour(east, north, height, range(1, 22, 2), colors="black")
ax.clabel(lines)
ax.quiver(2, 1, *x.grad, color="tab:blue", angles="xy", scale_units="xy", scale=10)
ax.set(xlabel="$x_0$ (east)", ylabel="$x_1$ (north)", aspect="equal")
fig.set_label(
    "A map with lines of equal height; the gradient is at a right angle to its line."
)

# %%
# Two things can be seen. The arrow points uphill. And it stands at a right angle to the
# line on which we are. The next section says why.

# %%
# The slope in any direction
# --------------------------
#
# We may walk in other directions than east and north. A direction is an arrow of
# length 1, such as :math:`d = \frac{1}{5}(3, 4) = (0.6, 0.8)`. We walk the length
# ``t`` along it and take the difference quotient.

d = torch.tensor([3.0, 4.0], dtype=torch.float64) / 5
t = 0.001
(hill((2 + 0.6 * t, 1 + 0.8 * t)) - hill((2, 1))) / t

# %%
# We could have known what this comes close to. A part of the way leads east and a part
# leads north, and the gradient knows both slopes. So the slope along ``d``, the
# *directional derivative*, is a dot product:
# :math:`\nabla_x y \cdot d = 4 \cdot 0.6 + 7 \cdot 0.8 = 8`.

torch.dot(x.grad, d)

# %%
# The same in all directions, from east (0°) over north (90°) once around:

angle = torch.linspace(0, 360, 181)
slope = 4 * torch.cos(torch.deg2rad(angle)) + 7 * torch.sin(torch.deg2rad(angle))
fig, ax = plt.subplots(figsize=(4.4, 2.6))
ax.axhline(0, color="black", linewidth=0.7)
ax.plot(angle, slope, color="tab:blue")
ax.set(xlabel="direction in degrees", ylabel="slope", xticks=range(0, 361, 45))
fig.set_label(
    "The slope as a wave over the direction: highest near 60 degrees, "
    "lowest near 240, and zero in two directions."
)

# %%
# .. predict::
#
#    In which direction is the hill steepest, and how steep is it there? Remember that a
#    dot product is the product of the two lengths and the cosine of the angle between
#    the arrows. Type how steep.
#
#    .. ask:: torch.linalg.vector_norm(x.grad)
#
#    .. answer::
#
#       ``d`` has length 1, so the slope is the length of the gradient times the cosine.
#       The cosine is largest, namely 1, if ``d`` points *along the gradient*. The slope
#       is then the length of the gradient,
#       :math:`\| \nabla_x y \| = \sqrt{4^2 + 7^2} = \sqrt{65} = 8.0623`.
#
#       .. wrong:: x.grad.sum()
#
#          Here both slopes have been added. To gain both in full we would have to walk
#          east *and* north, which is a longer way than 1.
#
#       .. wrong:: x.grad.max()
#
#          This is the slope to the north, the steeper one of two directions. Between
#          them there is one that is steeper still.
#
#       .. wrong:: (x.grad**2).sum()
#
#          This is the square of the length: the root is missing.

uphill = x.grad / torch.linalg.vector_norm(x.grad)
torch.dot(x.grad, uphill)

# %%
# So the gradient says two things at once: its *direction* is the steepest way up, its
# *length* is the slope on that way. The opposite direction is the steepest way down,
# and *gradient descent*, by which models learn, goes that way.
#
# And where the cosine is 0, the slope is 0. So at a right angle to the gradient the
# height does not change at first: this is the way of the line of equal height.

# %%
# Predict a change
# ----------------
#
# The forecast by the tangent works here, too. The slope times the step has become a dot
# product; ``s`` is a small step on the map.
#
# .. math::
#    :class: law
#
#    f(x + s) \approx f(x) + \nabla_x f \cdot s
#
# .. predict::
#
#    From :math:`x = (2, 1)` we go a little east and a little more south,
#    :math:`s = (0.01, -0.02)`. How much higher or lower will we be?
#
#    .. ask:: torch.dot(x.grad, s)
#
#    .. answer::
#
#       Lower by a tenth:
#       :math:`\nabla_x y \cdot s = 4 \cdot 0.01 - 7 \cdot 0.02 = -0.1`.
#
#       .. wrong:: x.grad[0] * s[0] - x.grad[1] * s[1]
#
#          A sign is lost. The step leads south, which is the negative direction, and
#          the hill rises to the north: this part of the way leads down.
#
#       .. wrong:: -torch.dot(x.grad, s)
#
#          The size is right. But the way to the south leads down, further than the way
#          to the east leads up.
#
#       .. wrong:: s.sum()
#
#          This adds up the steps themselves. Each one changes the height by its own
#          slope times its length.

s = torch.tensor([0.01, -0.02], dtype=torch.float64)
torch.dot(x.grad, s), hill((2.01, 0.98)) - hill((2, 1))

# %%
# The first number is the forecast, the second the truth. They differ by less than a
# hundredth of the change.
#
# >>> round(hill((2.01, 0.98)) - hill((2, 1)), 6)
# -0.100702

# %%
# How good is the forecast elsewhere? We compute the heights of many places at once. A
# height depends on its own place alone, so the gradient of the sum holds the gradient
# at each place.

ways = torch.linspace(0.5, 3.5, 13), torch.linspace(0, 2.5, 11)
here = torch.stack(torch.meshgrid(*ways, indexing="ij")).double().requires_grad_()
top = hill(here)
top.sum().backward()

# %%
# In the grid we find our place again, and its gradient:
#
# >>> here[:, 6, 4]
# tensor([2., 1.], dtype=torch.float64, grad_fn=<SelectBackward0>)
# >>> here.grad[:, 6, 4]
# tensor([4., 7.], dtype=torch.float64)
#
# From each place we go a short step along the gradient. The forecast is the length of
# the step times that of the gradient.

length = torch.linalg.vector_norm(here.grad, dim=0)
uphill, slopes = here.grad / length, here.grad.movedim(0, -1)
truth = hill(here + 0.1 * uphill) - top

# %%
# The map again, this time for many places.

plot = MovingPlot(
    {"x₀": ways[0], "x₁": ways[1]},
    "The hill from above",
    xlim=(0.5, 3.5),
    ylim=(0, 2.5),
    xlabel="x₀ (east)",
    ylabel="x₁ (north)",
    equal=True,
    start={"x₀": 2, "x₁": 1},
)
for c in range(1, 22, 2):
    plot.line(ways[0], c / (ways[0] ** 2 + 3))

# %%
# Two lines lead through the place where we are. On the first the height stays the same,
# on the second the forecast does: it is straight, at a right angle to the gradient.

plot.line(ways[0], top[..., None] / (ways[0] ** 2 + 3), "same height")
aside = torch.stack([uphill[1], -uphill[0]])
plot.line(
    *(here[..., None] + aside[..., None] * torch.tensor([-4, 4])), "same forecast"
)
plot.arrow(*here, *here.grad / 10, "gradient, at a tenth of its length")
plot.point(*here, "where we are")

# %%
# Last come the words for each place.

plot.say("Height {height}, gradient {gradient}.", height=top, gradient=slopes)
plot.say(
    "A step of {step} uphill: forecast {forecast:+.3f}, truth {truth:+.3f}.",
    step=0.1,
    forecast=0.1 * length,
    truth=truth,
)
plot

# %%
# Where we are, both lines have the same direction, and they part slowly: the forecast
# is good nearby. The steeper the hill, the closer the lines of the map.

# %%
# A gradient without calculus
# ---------------------------
#
# Another function of a place: its distance from the origin,
# :math:`y = \sqrt{x_0^2 + x_1^2}`. This is the length of the arrow ``x``, called its
# *norm* and written :math:`\| x \|`.

x = torch.tensor([3.0, 4.0], dtype=torch.float64, requires_grad=True)
y = torch.linalg.vector_norm(x)
y

# %%
# .. predict::
#
#    We stand at :math:`x = (3, 4)`, and :math:`y = 5`. Do not compute. Which way leads
#    away from the origin most quickly? How fast does the distance grow on that way?
#    Type how fast.
#
#    .. ask:: torch.linalg.vector_norm(x.grad)
#
#    .. answer::
#
#       Straight away from the origin, the direction of ``x`` itself. Each metre of the
#       way adds a metre of distance, so the slope is 1, and the gradient is an arrow of
#       length 1: :math:`\nabla_x y = \frac{x}{\| x \|} = (0.6, 0.8)`.
#
#       .. wrong:: y
#
#          This is the distance that we have reached. We ask how fast it grows with each
#          step.
#
#       .. wrong:: x.grad
#
#          This is the gradient, an arrow. How fast the distance grows along it is the
#          length of this arrow.

y.backward()
x.grad

# %%
# Of what can we take the gradient?
# ---------------------------------
#
# If :math:`\nabla_x y` is so useful, what is :math:`\nabla (\nabla y)`? A list of types
# helps. For the hill:
#
# .. list-table::
#    :header-rows: 1
#
#    * - what
#      - made from
#      - shape
#    * - the place ``x``
#      -
#      - ``(2,)``
#    * - the height ``y``
#      - ``x``
#      - ``()``, a number
#    * - the gradient of ``y``
#      - ``x`` and ``y``
#      - ``(2,)``
#
# A gradient says how *one number* reacts. The gradient itself is not a number, so it
# has none. We write the two slopes of the hill as a tensor ``p``, and try.

x = torch.tensor([2.0, 1.0], dtype=torch.float64, requires_grad=True)
p = torch.stack([2 * x[0] * x[1], x[0] ** 2 + 3])
try:
    p.backward()
except RuntimeError as error:
    print(error)

# %%
# PyTorch refuses, because ``p`` has two entries and a *scalar output* is asked for:
#
# >>> try:
# ...     p.backward()
# ... except RuntimeError as error:
# ...     print(error)
# grad can be implicitly created only for scalar outputs
#
# What does make sense is the gradient of each entry. Of the first,
# :math:`p_0 = 2x_0 x_1`, it is :math:`\nabla_x p_0 = (2x_1, 2x_0) = (2, 4)`. Of the
# second, :math:`p_1 = x_0^2 + 3`, it is :math:`\nabla_x p_1 = (2x_0, 0) = (4, 0)`.
# Two vectors, one for each entry: together they form a matrix. :doc:`A later lesson
# </lessons/1_foundations/50_jacobians>` is about such matrices. (``retain_graph=True``
# keeps the record for a second question.)
#
# >>> torch.autograd.grad(p[0], x, retain_graph=True)
# (tensor([2., 4.], dtype=torch.float64),)
# >>> torch.autograd.grad(p[1], x, retain_graph=True)
# (tensor([4., 0.], dtype=torch.float64),)

# %%
# Exercises
# ---------
#
# The first function has its input in two places.

x = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
y = x**x
y

# %%
# .. exercise::
#
#    What is the slope of :math:`y = x^x` at 2? Hint: write it as a power of
#    :math:`e`.
#
#    .. answer::
#
#       Since :math:`y = e^{x \ln x}`, the slope is ``y`` times the slope of the
#       exponent: :math:`\frac{dy}{dx} = x^x (\ln x + 1) = 4\,(\ln 2 + 1) = 6.7726`.
#
#       >>> u = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
#       >>> (u**u).backward()
#       >>> u.grad
#       tensor(6.7726, dtype=torch.float64)
#
# The second has two inputs.

x = torch.tensor([1.0, 0.0], dtype=torch.float64, requires_grad=True)
y = 3 * x[0] ** 2 + 5 * torch.exp(x[1])
y

# %%
# .. exercise::
#
#    What is the gradient of :math:`y = 3x_0^2 + 5e^{x_1}` at :math:`x = (1, 0)`?
#
#    .. answer::
#
#       Each term belongs to one entry:
#       :math:`\nabla_x y = (6x_0, 5e^{x_1}) = (6, 5)`.
#
#       >>> u = torch.tensor([1.0, 0.0], requires_grad=True)
#       >>> (3 * u[0] ** 2 + 5 * torch.exp(u[1])).backward()
#       >>> u.grad
#       tensor([6., 5.])
#
# We return to the hill.

x = torch.tensor([2.0, 1.0], dtype=torch.float64, requires_grad=True)
y = hill(x)

# %%
# .. exercise::
#
#    At :math:`x = (2, 1)`, find a direction ``n`` in which the height does not change
#    at first. Look for it in the two pictures, too.
#
#    .. answer::
#
#       We need a right angle to the gradient. Swap its entries and change one sign:
#       :math:`n = \frac{1}{\sqrt{65}} (7, -4)`. Its length is :math:`\| n \| = 1`, and
#       :math:`\nabla_x y \cdot n = 0`, because :math:`4 \cdot 7 - 7 \cdot 4 = 0`. On
#       the map this is the direction of the line of equal height. In the wave it is one
#       of the two zeros. (The other is the opposite direction.)
#
#       >>> u = torch.tensor([2.0, 1.0], dtype=torch.float64, requires_grad=True)
#       >>> hill(u).backward()
#       >>> n = torch.tensor([7.0, -4.0], dtype=torch.float64) / 65**0.5
#       >>> torch.dot(u.grad, n)
#       tensor(0., dtype=torch.float64)
#
# .. exercise::
#
#    At the origin, what is the gradient of the norm :math:`\| x \|`? Think first; then
#    ask autograd.
#
#    .. answer::
#
#       There is none. In *every* direction the distance grows, with slope 1. Yet if an
#       arrow predicted growth in one direction, its dot product with the opposite
#       direction would predict the same fall. PyTorch answers nevertheless:
#
#       >>> u = torch.zeros(2, requires_grad=True)
#       >>> torch.linalg.vector_norm(u).backward()
#       >>> u.grad
#       tensor([0., 0.])
#
#       Zeros are a choice, made so that a computation can go on. A later lesson is
#       about :doc:`such points </lessons/3_debugging/50_kinks>`.

# %%
# What we can do now
# ------------------
#
# - Say what a gradient means: its direction is the steepest way up, its length the
#   slope on that way.
# - Get the slope in any direction, and forecast a small change, by a dot product.
# - Check types: a gradient is taken of one number, and has the shape of the input.
#
# Next, :doc:`The graph behind y </lessons/1_foundations/20_the_graph_behind_y>` shows
# how autograd finds all these slopes in one walk.

# %%
# Credits and licences
# --------------------
#
# The first function and its quotients, and the ideas of the second and the fourth
# exercise, come from the chapter on `calculus
# <https://d2l.ai/chapter_preliminaries/calculus.html>`__ of *Dive into Deep Learning*.
# Our text is under `CC BY-SA 4.0 <https://creativecommons.org/licenses/by-sa/4.0/>`__,
# our code under the `MIT licence <https://opensource.org/license/mit>`__.
