r"""
Linear regression
=================

We fit a line to points, with two weights, one loss for a whole batch, and a gradient
that we derive before autograd computes it. At the end we can train such a model, see
that it has arrived, and notice the slip with shapes that spoils it in silence.

:Time: 25 minutes
:Needs: :doc:`Gradient descent by hand </lessons/2_practice/10_gradient_descent>`,
   :doc:`Vectors, matrices and broadcasting
   </lessons/1_foundations/40_vectors_and_matrices>`
:Level: Practice
:Tags: training, shapes, errors
"""

# sphinx_gallery_thumbnail_number = 2

# %%
# Leave out the squeezing, and a neuron can answer with any number: a weight times its
# input, plus a bias. Over one input, that is a line.
#
# In the last lesson we knew the best weight. Now we know three points, and look for the
# line that comes closest to them.

import torch

from torchutils import MovingPlot, record_backward

# %%
# A line and its misses
# ---------------------
#
# The points stand at the places 1, 2 and 3, with the heights 1, 2 and 2 in ``y``. A
# line has the height :law:`w_0 + w_1 \cdot \text{place}`. So each row of ``X`` holds a
# 1 for the first weight and the place for the second, and ``X @ w`` is the height of
# the line at the three places.

X = torch.tensor([[1.0, 1.0], [1.0, 2.0], [1.0, 3.0]], dtype=torch.float64)
y = torch.tensor([1.0, 2.0, 2.0], dtype=torch.float64)
w = torch.zeros(2, dtype=torch.float64, requires_grad=True)
p = X @ w
r = p - y
L = (r**2).mean()
L

# %%
# With :math:`w = (0, 0)` the line lies on the floor, :math:`p = X w = (0, 0, 0)`. It
# misses the points by :math:`r = p - y = (-1, -2, -2)`; these are the *residuals*. The
# loss is the mean of their squares,
# :math:`L = \frac{1}{3} \lVert X w - y \rVert^2 = \frac{1 + 4 + 4}{3} = 3`.

# %%
# The gradient by hand
# --------------------
#
# Forward, we have ``p = X @ w``, then the residuals ``r = p - y``, and the loss
# ``L = (r**2).mean()``. In our numbers the residuals are :math:`r = (-1, -2, -2)`.
#
# We walk back from the loss, first with numbers. The mean of the squares sends
# :math:`\frac{2}{3} r` to the residuals, and the difference passes it on to ``p``:
# :math:`\nabla_p L = \frac{2}{3} r = (-\frac{2}{3}, -\frac{4}{3}, -\frac{4}{3})`.
#
# .. predict::
#
#    Each weight has three paths to the loss, one through each point. In ``X`` the
#    first weight has a column of ones, the second the places 1, 2 and 3. What arrives
#    at ``w``?
#
#    .. ask:: w.grad
#
#    .. answer::
#
#       At :math:`w_0` the three numbers as they are,
#       :math:`-\frac{2}{3} - \frac{4}{3} - \frac{4}{3} = -\frac{10}{3}`. At :math:`w_1`
#       each times its place,
#       :math:`-\frac{2}{3} \cdot 1 - \frac{4}{3} \cdot 2 - \frac{4}{3} \cdot 3 =
#       -\frac{22}{3}`. Both at once, with a transpose:
#
#       .. math::
#
#          \nabla_w L = X^\top\, \nabla_p L = \tfrac{2}{3}\, X^\top (X w - y)
#
#       In our numbers that is :math:`\nabla_w L = (-\frac{10}{3}, -\frac{22}{3})
#       \approx (-3.3333, -7.3333)`.
#
#       .. wrong:: 3 * w.grad
#
#          This is the gradient of the sum of the squares. The loss is their mean.
#
#       .. wrong:: w.grad / 2
#
#          The 2 is forgotten that comes from the squares.
#
#       .. wrong:: -w.grad
#
#          The residual is prediction minus target. The predictions are too low here,
#          and the loss falls when a weight rises.

record_backward(L, locals(), direction="TB")

# %%
# At :step:`p sends to w` three numbers become two. Below the drawing, change ``w`` to
# 0, 1: the line goes through two of the points. What do these two still send?
#
# By hand and by autograd:
#
# >>> by_hand = 2 / 3 * X.T @ (X @ w.detach() - y)
# >>> (w.grad - by_hand).abs().max().item() < 1e-12
# True
#
# For ``n`` points and as many weights as we like, the rule is the same:
#
# .. math::
#    :class: law
#
#    \nabla_w L = \frac{2}{n}\, X^\top (X w - y)

# %%
# Down to the best line
# ---------------------
#
# The loop is the one that we know. It keeps the weights of each step, one in each row.


def fit(X, y, lr, steps):
    w = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    path = [w.detach().clone()]
    for _ in range(steps):
        loss = ((X @ w - y) ** 2).mean()
        loss.backward()
        with torch.no_grad():
            w -= lr * w.grad
        w.grad = None
        path.append(w.detach().clone())
    return torch.stack(path)


path = fit(X, y, lr=0.1, steps=300)
path[[0, 1, 2, 10, 300]]

# %%
# (Without ``clone`` each row would be the same tensor, which the next step changes.)
# What do the first two steps do to the line, and what do the many after them?

steps = [0, 1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 50, 100, 200, 300]
places = torch.tensor([0.5, 3.5], dtype=torch.float64)
lines = path[steps, :1] + path[steps, 1:] * places
losses = ((path[steps] @ X.T - y) ** 2).mean(dim=1)
plot = MovingPlot(
    {"step": steps},
    "The line while it learns",
    xlim=(0.5, 3.5),
    ylim=(-0.5, 4.5),
    xlabel="place",
    ylabel="height",
)
plot.line(places, lines, "the line")
plot.points(X[:, 1], y, "the points")
plot.say(
    "Weights {first:.3f} and {second:.3f}, loss {loss:.4f}.",
    first=path[steps, 0],
    second=path[steps, 1],
    loss=losses,
)
plot

# %%
# The first step takes away most of the loss, and lifts the line too far. The second
# lets it down again. After that the line turns slowly: this is a valley, as in the last
# lesson. Here are the loss, and the height of the line in the middle, where the mean of
# the points is 1 and two thirds:
#
# >>> losses[:4]
# tensor([3.0000, 0.1096, 0.0742, 0.0729], dtype=torch.float64)
# >>> lines[:4].mean(dim=1)
# tensor([0.0000, 1.8000, 1.6044, 1.6270], dtype=torch.float64)
#
# For this loss the goal is known without a walk. At the lowest place the gradient is
# zero, :law:`X^\top (X w - y) = 0`, and that is a linear equation for ``w``.
# ``torch.linalg.lstsq`` solves it (*least squares*).

w_star = torch.linalg.lstsq(X, y[:, None]).solution[:, 0]
misses = X @ w_star - y
w_star, misses

# %%
# The best line has the height two thirds at the place 0, and rises by one half from
# place to place, :math:`w^* = (\frac{2}{3}, \frac{1}{2})`. Its loss is
# :math:`\frac{1}{3} \lVert X w^* - y \rVert^2 = \frac{1}{18}`. After 300 steps the walk
# is there to three digits:
#
# >>> (path[300] - w_star).norm().item() < 1e-3
# True
#
# .. predict::
#
#    The gradient is zero at the best line. What do the three misses add up to, and what
#    do they add up to if each is multiplied by its place? Type both.
#
#    .. ask:: [misses.sum(), misses @ X[:, 1]]
#
#    .. answer::
#
#       These two sums *are* the gradient, but for the factor: they are the rows of
#       :math:`X^\top (X w^* - y) = 0`. So both are 0. The line lies above some points
#       and below others, and neither raising nor turning it helps.
#
#       .. wrong:: [misses.abs().sum(), misses.abs() @ X[:, 1]]
#
#          The signs have been lost. The misses are not zero; they cancel.

X.T @ misses

# %%
# Up to rounding. This loss has a single lowest place (it would have many if the points
# stood at one and the same place), and the gradient tells us that we are close to it.
# The loss itself does not: it need not be small.

w = path[300].clone().requires_grad_()
L = ((X @ w - y) ** 2).mean()
L.backward()
L.item(), w.grad.norm().item()

# %%
# The loss is that of the best line, and the gradient nearly nothing:
#
# >>> L.item(), w.grad.norm().item() < 1e-3
# (0.05556, True)

# %%
# The slip with shapes
# --------------------
#
# Data often come as columns. Here are the same three heights, of shape ``(3, 1)``, and
# the same loop. It runs without an error and without a warning.
#
# .. admonition:: Wrong on purpose
#
#    The next cell hands a column to ``fit``. Do not copy it.

# wrong on purpose
column = y[:, None]
path = fit(X, column, lr=0.1, steps=1000)

# %%
# .. predict::
#
#    ``X @ w`` has shape ``(3,)`` and ``column`` has shape ``(3, 1)``. Which shape has
#    their difference, and which line does the loop find? Type its two weights.
#
#    .. ask:: w
#
#    .. answer::
#
#       The difference is a table of shape ``(3, 3)``, in which each prediction is
#       compared with *all* heights. The mean of the squares is smallest if the line
#       lies at their mean, at each place. So it is a level line, :math:`w \approx
#       (1.6667, 0)`.
#
#       .. wrong:: w_star
#
#          This would be the line if each prediction were compared with its own height.
#
#       .. wrong:: [0, 0]
#
#          The loop does walk, and the loss does fall. It leads somewhere else.

w = path[1000]
w

# %%
# The line has learned nothing of the slope. And the loss fell all the way, from 3 to
# the mean square of the distances between the heights and their mean:
#
# >>> torch.allclose(w, torch.tensor([5 / 3, 0], dtype=torch.float64))
# True
# >>> (X @ w - column).shape
# torch.Size([3, 3])
# >>> ((X @ w - column) ** 2).mean(), y.var(correction=0)
# (tensor(0.2222, dtype=torch.float64), tensor(0.2222, dtype=torch.float64))
#
# This slip was `reported to PyTorch
# <https://github.com/pytorch/pytorch/issues/16045>`__ in 2019, from a linear regression
# like ours. Since then ``mse_loss`` warns; a loss that we write ourselves does not. One
# line at the top of a loop helps:
#
# >>> assert (X @ w).shape == y.shape
# >>> try:
# ...     assert (X @ w).shape == column.shape
# ... except AssertionError:
# ...     print("shapes differ")
# shapes differ

# %%
# Exercises
# ---------
#
# .. exercise::
#
#    With a column of targets the best prediction is the same everywhere, the mean of
#    the targets. Why? Look at one prediction :math:`p_i` alone.
#
#    .. answer::
#
#       It is compared with each target :math:`t_j`. The derivative of
#       :law:`\sum_j (p_i - t_j)^2` is :law:`2 \sum_j (p_i - t_j)`, and this is zero
#       where :math:`p_i` is the mean. Nothing in it depends on :math:`i`.
#
#       >>> u = torch.full((3,), 5 / 3, dtype=torch.float64, requires_grad=True)
#       >>> [g] = torch.autograd.grad(((u - column) ** 2).mean(), u)
#       >>> g.abs().max() < 1e-12
#       tensor(True)
#
# *Ridge regression* adds a price for large weights, here a tenth of the sum of their
# squares.

w = torch.tensor([0.5, 0.25], dtype=torch.float64, requires_grad=True)
lam = 0.1
L = ((X @ w - y) ** 2).mean() + lam * (w**2).sum()
L

# %%
# .. exercise::
#
#    The loss is :math:`L = \frac{1}{3} \lVert X w - y \rVert^2 + \lambda w^\top w`.
#    What is its gradient?
#
#    .. answer::
#
#       The second term adds its own gradient:
#       :math:`\nabla_w L = \frac{2}{3}\, X^\top (X w - y) + 2 \lambda w =
#       (-1.2333, -2.95)`.
#
#       >>> torch.autograd.grad(L, w, retain_graph=True)
#       (tensor([-1.2333, -2.9500], dtype=torch.float64),)
#
# The *Hessian* holds the second derivatives of the loss. Here it does not depend on
# ``w``, :math:`H = \frac{2}{3} X^\top X`, and its eigenvalues are the curvatures along
# the valley and across.

H = 2 / 3 * X.T @ X
along, across = torch.linalg.eigvalsh(H)
along, across

# %%
# .. exercise::
#
#    The curvatures are :math:`\text{along} = 0.2404` and
#    :math:`\text{across} = 11.0929`. What is the border of the learning rate? Try
#    both sides.
#
#    .. answer::
#
#       The strongest curvature decides: :math:`\frac{2}{\text{across}} = 0.1803`. Just
#       below the distance to the best line shrinks, just above it grows:
#
#       >>> def distance(lr, steps):
#       ...     return (fit(X, y, lr, steps)[-1] - w_star).norm().item()
#       >>> distance(0.18, 300) < distance(0.18, 10)
#       True
#       >>> distance(0.181, 300) > distance(0.181, 10)
#       True
#       >>> 2 / across
#       tensor(0.1803, dtype=torch.float64)
#
# .. exercise::
#
#    Measure the places from their mean: −1, 0 and 1 instead of 1, 2 and 3. What
#    becomes of the two curvatures, and of the number of steps?
#
#    .. answer::
#
#       The columns of ``X`` are at a right angle now. The curvatures are
#       :math:`\frac{4}{3}` and 2. They are close to each other, so one learning rate
#       suits both, and a few steps do what took hundreds.
#
#       >>> centred = X - torch.tensor([0.0, 2.0], dtype=torch.float64)
#       >>> torch.linalg.eigvalsh(2 / 3 * centred.T @ centred)
#       tensor([1.3333, 2.0000], dtype=torch.float64)
#       >>> best = torch.tensor([5 / 3, 1 / 2], dtype=torch.float64)
#       >>> (fit(centred, y, lr=0.6, steps=5)[-1] - best).norm().item() < 1e-3
#       True
#       >>> (fit(X, y, lr=0.1, steps=200)[-1] - w_star).norm().item() < 1e-3
#       False

# %%
# What we can do now
# ------------------
#
# - Derive the gradient of a squared error for a whole batch, and check it.
# - See from the gradient, not from the loss, that a fit has arrived.
# - Keep predictions and targets in the same shape: broadcasting asks no
#   questions.
#
# Next, :doc:`Logistic and softmax regression
# </lessons/2_practice/30_logistic_and_softmax>` sorts points into classes.

# %%
# Credits and licences
# --------------------
#
# Our text is under `CC BY-SA 4.0 <https://creativecommons.org/licenses/by-sa/4.0/>`__,
# our code under the `MIT licence <https://opensource.org/license/mit>`__.
