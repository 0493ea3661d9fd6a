r"""
Learn an edge filter
====================

We learn the nine weights of a filter from a picture and its edges. At the end we can
say before the first step, from the picture alone, how many steps gradient descent may
need, and why a small loss need not mean that the right filter was found.

:Time: 45 minutes
:Needs: :doc:`Convolution and pooling </lessons/2_practice/50_convolution>`,
   :doc:`Linear regression </lessons/2_practice/20_linear_regression>`
:Level: Capstones
:Tags: training, derivatives, shapes
"""

# sphinx_gallery_thumbnail_number = 1

# %%
# In the lesson on convolution, a kernel of four weights was found in a hundred steps.
# Here are nine, and after a thousand steps the loss has fallen to a fiftieth, but the
# weights are wrong. Is the gradient wrong?

import math

import matplotlib.pyplot as plt
import torch
from torch.nn import functional as F

from torchutils import MovingPlot, record_backward

# %%
# A picture and its edges
# -----------------------
#
# A scene with a bright disc, a dark disc and a bright corner, in float64. An *edge* is
# where dark and bright meet. Each pixel has some *grain*, as in a photograph at night.
# Ours is computed from the place, so that it is the same on each machine.

down, across = torch.meshgrid(
    torch.arange(64, dtype=torch.float64),
    torch.arange(64, dtype=torch.float64),
    indexing="ij",
)
grain = 43758.5453 * torch.sin(12.9898 * across + 78.233 * down) % 1 - 0.5


def disc(row, column, radius):
    distance = ((down - row) ** 2 + (across - column) ** 2).sqrt()
    return torch.sigmoid(2 * (radius - distance))


scene = 0.4 + 0.004 * down + 0.4 * disc(20, 42, 11) - 0.3 * disc(42, 20, 14)
scene[40:, 48:] += 0.2
picture = scene + 0.1 * grain
picture.shape, picture.dtype

# %%
# Somebody has laid a filter on it, the *Sobel filter*: in each window of three by three
# pixels it takes the right column minus the left one, and its middle row counts twice.

sobel = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]], dtype=torch.float64)
wanted = F.conv2d(picture[None, None], sobel[None, None])[0, 0]

# %%
# Here are the two side by side:

fig, panels = plt.subplots(1, 2, figsize=(4.4, 2.2))
panels[0].imshow(picture, cmap="gray", vmin=0, vmax=1)
panels[1].imshow(wanted, cmap="gray", vmin=-2, vmax=2)
for ax in panels:
    ax.axis("off")
fig.set_label(
    "Left: a bright disc, a dark disc and a bright corner. Right: their upright edges, "
    "white where the picture gets brighter to the right, black where it gets darker."
)

# %%
# .. predict::
#
#    Somewhere the brightness rises by 0.1 from each pixel to the next one on the right,
#    and does not change downwards. What does the filter say there?
#
#    .. ask:: slope
#
#    .. answer::
#
#       Right and left column are two pixels apart, so they differ by
#       :math:`2 \cdot 0.1 = 0.2`, and the rows count 1, 2 and 1:
#       :math:`\text{slope} = 0.2 \cdot (1 + 2 + 1) = 0.8`.
#
#       .. wrong:: 0.2
#
#          This is one row of weights −1 and 1. There are three rows.
#
#       .. wrong:: 0.4
#
#          This takes neighbours. Between the left and the right column lies another
#          one.
#
#       .. wrong:: 0.6
#
#          The row in the middle counts twice.
#
#       .. wrong:: 0
#
#          The filter says 0 where left and right are *equal*. Here they are not.

ramp = 0.1 * torch.arange(3, dtype=torch.float64).expand(3, 3)
slope = (sobel * ramp).sum()
slope

# %%
# One neuron, many places
# -----------------------
#
# We have the two pictures and do not know the filter. A filter is a neuron with nine
# inputs, without a sigmoid, that is moved over the picture. So we cut the picture into
# its windows, one row of ``X`` for each place, and ask for nine weights ``w`` with
# which :law:`Xw` comes close to ``y``. This is *linear regression*.

X = F.unfold(picture[None, None], 3)[0].T
y = wanted.flatten()
n = len(X)
w = torch.zeros(9, dtype=torch.float64, requires_grad=True)
r = X @ w - y
L = (r**2).mean()
X.shape, L

# %%
# From 62 by 62 places we have :math:`n = 62 \cdot 62 = 3844` rows. The loss is the mean
# of their squared errors, and its gradient is that of the lesson on linear regression:
# each place sends back its nine pixels, times its error.
#
# .. math::
#
#    \nabla_w L = \frac{2}{n} X^\top (Xw - y)

record_backward(L, locals(), values=0, direction="TB")

# %%
# In :step:`#3 sends to w`, what comes back from the many places meets the nine columns
# of ``X``, and is added up.
#
# .. predict::
#
#    We begin with zeros. At a place where the filter *should* say 2, its window has
#    :math:`p_0 = 0.3` on the left and :math:`p_1 = 0.8` on the right. Which gradients
#    does the squared error of this place alone give to the weight there on the left and
#    to the one on the right? Type two numbers.
#
#    .. ask:: one_place
#
#    .. answer::
#
#       Its error is :math:`0 - 2 = -2`. Twice that, times the pixel, is
#       :math:`2 \cdot (-2) \cdot 0.3 = -1.2` on the left and
#       :math:`2 \cdot (-2) \cdot 0.8 = -3.2` on the right. A step against the gradient
#       makes *both* weights larger. That the left one should become smaller, this place
#       does not know. Others have to say so.
#
#       .. wrong:: [1.2, -3.2]
#
#          The weight on the left should become negative in the end. But at this place
#          more weight on any bright pixel helps.
#
#       .. wrong:: [1.2, 3.2]
#
#          The error is prediction minus answer, :math:`0 - 2`.
#
#       .. wrong:: [-0.6, -1.6]
#
#          The square has the slope 2 times the error.

p = torch.tensor([0.3, 0.8], dtype=torch.float64)
v = torch.zeros(2, dtype=torch.float64, requires_grad=True)
error = v @ p - 2
[one_place] = torch.autograd.grad(error**2, v)
one_place

# %%
# Is the formula what autograd finds? And are both what the loss does, if each weight is
# moved by a little, up and down?

gradient = 2 / n * X.T @ (X @ w.detach() - y)
steps = 1e-4 * torch.eye(9, dtype=torch.float64)
up, down_ = ((((steps * s) @ X.T - y) ** 2).mean(dim=1) for s in (1, -1))
differences = (up - down_) / 2e-4

# %%
# >>> (w.grad - gradient).abs().max().item() < 1e-12
# True
# >>> (w.grad - differences).abs().max().item() < 1e-9
# True

# %%
# A thousand steps
# ----------------
#
# So we go down, and keep the weights on the way. The gradient is multiplied out here,
# so that the two products with ``X`` are computed once and not in each step.


def descend(X, y, rate, steps):
    A, b = 2 / len(X) * X.T @ X, 2 / len(X) * X.T @ y
    w, way = torch.zeros(9, dtype=torch.float64), []
    for _ in range(steps + 1):
        way.append(w)
        w = w - rate * (A @ w - b)
    return torch.stack(way)


def loss(w):
    return ((X @ w - y) ** 2).mean().item()


def off(w):
    return (w - sobel.flatten()).abs().max().item()


way = descend(X, y, 0.2, 10000)
[loss(way[step]) for step in (0, 100, 1000, 3000)]

# %%
# In the first hundred steps a third of the loss goes, and after a thousand a fiftieth
# is left:
#
# >>> [round(loss(way[step]), 5) for step in (0, 100, 1000, 3000)]
# [0.05962, 0.03892, 0.00129, 0.00012]
#
# A loss this small, so we stop, and round the weights: a filter has whole numbers.
#
# .. admonition:: Wrong on purpose
#
#    The next cell takes a small loss for the right filter. Do not copy it.

# wrong on purpose
found = way[1000].round()

# %%
# .. predict::
#
#    Which filter does it announce? Type its nine weights, row by row.
#
#    .. ask:: found
#
#    .. answer::
#
#       The three rows are the same: each is −1, 0, 1. It is an edge filter, too, with a
#       name of its own (*Prewitt*), but it is not the one that was used. Its loss would
#       have warned us: by rounding it has become nearly four times as large. The
#       weights had come as far as this:
#
#       >>> way[1000][:3], way[1000][3:6:2], way[1000][6:]
#       (tensor([-1.0692,  0.0027,  1.0671], dtype=torch.float64),
#        tensor([-1.4147,  1.4176], dtype=torch.float64),
#        tensor([-1.0721,  0.0006,  1.0708], dtype=torch.float64))
#       >>> loss(found) / loss(way[1000])
#       3.9
#
#       .. wrong:: sobel
#
#          So one would hope. But with a fiftieth of the loss, the weights can still be
#          far away.
#
#       .. wrong:: [0, 0, 0, 0, 0, 0, 0, 0, 0]
#
#          The loss has fallen, so the weights have moved, further than one half.

found.reshape(3, 3).int()

# %%
# Is the gradient wrong? We have compared it at the start. Here it is once more, at the
# weights after a thousand steps, with autograd:
#
# >>> here = way[1000].clone().requires_grad_()
# >>> [theirs] = torch.autograd.grad(((X @ here - y) ** 2).mean(), here)
# >>> ours = 2 / n * X.T @ (X @ way[1000] - y)
# >>> (theirs - ours).abs().max().item() < 1e-12
# True
#
# It is right, and it is tiny. The way to the Sobel filter is nearly two hundred times
# as long as the gradient, and a step takes a fifth of the gradient:
#
# >>> ours.norm().item(), (way[1000] - sobel.flatten()).norm().item()
# (0.0043, 0.837)

# %%
# Where in the picture?
# ---------------------
#
# The picture is an input of the loss as well, so the loss has a gradient with respect
# to it, in the shape of the picture. It says which pixels the loss would like to
# change. Each place puts down a copy of the kernel, times twice its error, divided by
# ``n``.
#
# .. predict::
#
#    We had begun with nine weights of zero. The picture has :math:`64 \cdot 64 = 4096`
#    pixels. How many entries of this gradient were different from 0 then?
#
#    .. ask:: at_zero.count_nonzero()
#
#    .. answer::
#
#       None, :math:`\text{at\_zero} = 0`. What is put down are copies of a kernel of
#       zeros. The errors are large, but no pixel can help: its weight is zero.
#
#       .. wrong:: 4096
#
#          Each pixel lies in a window that has an error. But on the way back, too, the
#          error is multiplied by a weight, and the weights are zero.
#
#       .. wrong:: 9
#
#          So many weights have a gradient. This one is asked of the picture.


def by_picture(w):
    pixels = picture.clone().requires_grad_()
    out = F.conv2d(pixels[None, None], w.reshape(1, 1, 3, 3))[0, 0]
    return torch.autograd.grad(((out - wanted) ** 2).mean(), pixels)[0]


at_zero, later = by_picture(way[0]), by_picture(way[1000])
at_zero.shape

# %%
# After a thousand steps it is no longer empty:

fig, ax = plt.subplots(figsize=(4.4, 3))
shown = ax.imshow(later * 1e5, cmap="gray", vmin=-20, vmax=20)
ax.axis("off")
fig.colorbar(shown, label="gradient, times 100,000")
fig.set_label(
    "The gradient with respect to the picture: grey in the flat parts, and along each "
    "upright edge black on the brighter side and white on the darker one."
)

# %%
# Black is negative: there the loss falls if the pixel gets brighter. So each edge
# should be steeper, brighter on its bright side and darker on the other. That fits: the
# filter still reacts too weakly. Its right column should add up to 4.
#
# >>> way[1000].reshape(3, 3)[:, 2].sum()
# tensor(3.5555, dtype=torch.float64)
#
# We check ten pixels, drawn at random, by moving each up and down:

torch.manual_seed(0)
places = torch.randint(64, (10, 2)).tolist()
measured = []
for row, column in places:
    pair = []
    for step in (1e-3, -1e-3):
        moved = picture.clone()
        moved[row, column] += step
        out = F.conv2d(moved[None, None], way[1000].reshape(1, 1, 3, 3))[0, 0]
        pair.append(((out - wanted) ** 2).mean())
    measured.append((pair[0] - pair[1]) / 2e-3)
measured = torch.stack(measured)

# %%
# >>> found_there = torch.stack([later[row, column] for row, column in places])
# >>> (found_there - measured).abs().max().item() < 1e-12
# True
# >>> later.abs().max().item()
# 0.00032

# %%
# Nine directions
# ---------------
#
# Seen along a line, the loss is a parabola. How strongly it is curved along which line,
# says a matrix of nine rows and columns, the Hessian. It depends on neither ``w`` nor
# ``y``, but on the windows alone:
#
# .. math::
#
#    H = \nabla_w^2 L = \frac{2}{n} X^\top X

w = way[1000].clone().requires_grad_()
L = ((X @ w - y) ** 2).mean()
H = 2 / n * X.T @ X

# %%
# A symmetric matrix has *eigenvectors*: directions, at right angles to each other, that
# it stretches and does not turn. Its *eigenvalues* say by how much, and this is the
# curvature of the loss in that direction.

eigenvalues, directions = torch.linalg.eigh(H)
eigenvalues

# %%
# Eight are small, and one is not: :math:`\text{eigenvalues}_0 = 0.001629` and
# :math:`\text{eigenvalues}_8 = 5.7226`. The largest, divided by the smallest, is the
# *condition number*:
#
# >>> round((eigenvalues[8] / eigenvalues[0]).item())
# 3512
#
# Why does that make it slow? Along an eigenvector, a step of gradient descent takes
# from the error this error, times curvature, times learning rate. So the error is
# multiplied by :law:`1 - \eta \lambda`, with the learning rate :law:`\eta` and the
# eigenvalue :law:`\lambda`.
#
# .. predict::
#
#    The loss falls slowly, so somebody doubles the learning rate, to 0.4. By which
#    factor is the error in the direction of the largest eigenvalue multiplied, in each
#    step? And which is the largest rate at which this error does not grow? Type two
#    numbers.
#
#    .. ask:: too_fast
#
#    .. answer::
#
#       :math:`1 - 0.4 \cdot \text{eigenvalues}_8 = -1.289`: it changes its sign and
#       grows. It does not grow while the factor is at least −1, so up to a rate of
#       :math:`\frac{2}{\text{eigenvalues}_8} = 0.3495`.
#
#       >>> loss(descend(X, y, 0.4, 100)[100]) > 1e15
#       True
#
#       .. wrong:: [2.289, 0.3495]
#
#          This is the share that is taken away, more than there is.
#
#       .. wrong:: [-1.289, 0.1747]
#
#          This rate jumps to the bottom in one step. Twice as far, the error is as
#          large as before, on the other side.
#
#       .. wrong:: [1.289, 0.3495]
#
#          So large it is, but the step goes beyond the bottom, to the other side.
#
#       .. wrong:: [0.99935, 0.3495]
#
#          This is the factor of the smallest eigenvalue.

too_fast = [1 - 0.4 * eigenvalues[8], 2 / eigenvalues[8]]
too_fast

# %%
# So the largest eigenvalue says how large the steps may be, and the smallest one then
# says how many may be needed. The nine factors, with our own rate:

factors = 1 - 0.2 * eigenvalues
factors

# %%
# .. predict::
#
#    The slowest factor is :math:`\text{factors}_0 = 0.999674`. After how many steps is
#    this error half as large?
#
#    .. ask:: halved
#
#    .. answer::
#
#       :math:`\text{halved} = \frac{\ln 0.5}{\ln \text{factors}_0} = 2126.65`.
#
#       .. wrong:: 0.5 / (1 - factors[0])
#
#          This would be so if each step took the same amount. It takes the same share
#          of what is left, so less and less.

halved = math.log(0.5) / factors[0].log()
halved

# %%
# Does the run do what the nine factors say? We split its error into the nine
# directions, and look at which share of each remains. In the picture, the points are
# the run, and the line is the law. Both axes count powers of ten, and what is below a
# millionth lies at the bottom. Move to step 3000. Where is the loss, and where are the
# nine directions?

moments = [0, 1, 3, 10, 30, 100, 300, 1000, 3000, 10000]
errors = (way[moments] - sobel.flatten()) @ directions
remains = (errors / errors[0]).abs().clamp(min=1e-6)
scale = torch.linspace(-3, 0.8, 40, dtype=torch.float64)
law = (1 - 0.2 * 10**scale).abs() ** torch.tensor(moments)[:, None]

plot = MovingPlot(
    {"step": moments},
    "What remains of the error, in nine directions",
    xlim=(-3, 1),
    ylim=(-6, 0.5),
    xlabel="eigenvalue (power of ten)",
    ylabel="share that remains (power of ten)",
    start={"step": 10},
)
plot.line(scale, law.clamp(min=1e-6).log10(), "the law")
plot.points(
    eigenvalues.log10().expand(len(moments), 9),
    remains.log10(),
    "the run",
)
plot.say("The loss is {loss:.6f},", loss=[loss(way[step]) for step in moments])
plot.say(
    "and the worst weight is off by {off:.3f}.",
    off=[off(way[step]) for step in moments],
)
first, eighth, last = remains[:, [0, 7, 8]].T.round(decimals=3)
plot.say("From left to right, {first:.3f} remains of the first direction,", first=first)
plot.say(
    "{eighth:.3f} of the eighth, {last:.3f} of the last.", eighth=eighth, last=last
)
plot

# %%
# The direction with the largest eigenvalue is gone after ten steps. (After one step,
# the line dips at an eigenvalue of 5: from there, one step leads to the bottom.) After
# three thousand, of the two next to it a five-hundredth or less remains, of the slowest
# more than a third, and the loss is almost gone: what hardly bends the loss hardly
# counts in it.
#
# >>> factors[[0, 6, 7, 8]] ** 3000
# tensor([0.3761, 0.0020, 0.0016, 0.0000], dtype=torch.float64)
#
# The run fits the law to six decimals:
#
# >>> share = errors[7] / errors[0]
# >>> (share - factors**1000).abs().max().item() < 1e-6
# True

# %%
# What a picture can teach
# ------------------------
#
# A direction has nine numbers, so it is a filter itself, and can be drawn. Its
# eigenvalue is twice the mean square of what this filter says of our picture. The
# stronger it reacts, the faster it is learned, as long as no step jumps over the
# bottom.

fig, panels = plt.subplots(3, 3, figsize=(4.4, 4.4), layout="constrained")
for ax, direction, value in zip(panels.flat, directions.T, eigenvalues):
    ax.imshow(direction.reshape(3, 3), cmap="gray", vmin=-0.65, vmax=0.65)
    ax.set_title(f"{value:.4f}")
    ax.axis("off")
fig.set_label(
    "Nine filters of three by three, by their eigenvalues. The last is one even grey, "
    "the two before it rise to one side, and the first is a chequerboard. The third "
    "gets brighter to the right in its middle row, and darker in the two others."
)

# %%
# >>> answers = X @ directions
# >>> (2 * (answers**2).mean(dim=0) - eigenvalues).abs().max().item() < 1e-12
# True
#
# The last one is a mean of the window. It reacts everywhere, as the picture is bright.
# The two before it are slopes, and react to edges. The first is a chequerboard, and of
# this kind our picture has hardly more than its grain. Whether the filter looks for
# chequers or not, *this picture* hardly tells.
#
# And our filter? The third direction sets the middle row against the two others. It is
# what the Prewitt filter lacks and the Sobel filter has. After a thousand steps the
# error is a mixture of the nine, and by squares, two thirds are of this one:
#
# >>> squares = errors[7] ** 2
# >>> (squares / squares.sum())[[0, 2, 7]]
# tensor([0.0014, 0.6669, 0.2078], dtype=torch.float64)
#
# A filter without any slow direction would have been found at once. Ten steps are
# enough for the last of the nine:
#
# >>> mean = directions[:, 8]
# >>> (descend(X, X @ mean, 0.2, 10)[10] - mean).abs().max().item() < 1e-8
# True
#
# Its large eigenvalue comes from the mean brightness, which an edge filter does not
# even look at. We take it away.

X_centred = X - picture.mean()
centred = torch.linalg.eigvalsh(2 / n * X_centred.T @ X_centred)
centred

# %%
# .. predict::
#
#    The largest eigenvalue has fallen to :math:`\text{centred}_8 = 0.5473`, and the
#    smallest is almost what it was, :math:`\text{centred}_0 = 0.001629`. So the rate
#    may be larger in proportion. How many times fewer steps do we need, to two
#    decimals?
#
#    .. ask:: fewer
#
#    .. answer::
#
#       As many times as the condition number is smaller. It is
#       :math:`\frac{\text{centred}_8}{\text{centred}_0} = 335.9` now, so
#       :math:`\text{fewer} = \frac{\text{eigenvalues}_8}{\text{centred}_8} = 10.46`.
#
#       .. wrong:: 1
#
#          With the same rate we would gain little, since the slowest direction is what
#          it was. But the rate may be ten times as large.
#
#       .. wrong:: centred[8] / centred[0]
#
#          This is the new condition number. What counts is how much smaller it is.

fewer = eigenvalues[8] / centred[8]
fewer

# %%
# The answers ``y`` stay as they are, since the nine weights of the filter add up to
# zero. (Otherwise a bias would have to take up the mean.) Now 287 steps do what took
# 3000:
#
# >>> off(way[3000]), off(descend(X_centred, y, 0.2 * fewer, 287)[287])
# (0.208, 0.2)

# %%
# Three pictures to learn from
# ----------------------------
#
# .. predict::
#
#    From which picture is the edge filter learned in the fewest steps: from the scene
#    without its grain, from our picture, or from the grain without a scene?
#
#    .. answer::
#
#       From the grain, in which nobody sees an edge. Each pixel is a surprise there, so
#       the nine directions occur about equally strongly, and the nine eigenvalues are
#       almost the same.

grain_X = F.unfold(grain[None, None], 3)[0].T
grain_y = grain_X @ sobel.flatten()
of_grain = torch.linalg.eigvalsh(2 / n * grain_X.T @ grain_X)
of_grain

# %%
# >>> round((of_grain[8] / of_grain[0]).item(), 2)
# 1.13
#
# With a rate that suits the largest and the smallest alike, ten steps find the filter
# to nine decimals. The scene without its grain is the other extreme: after ten thousand
# steps, a weight is still off by one half.
#
# >>> quick = descend(grain_X, grain_y, 2 / (of_grain[0] + of_grain[8]), 10)[10]
# >>> off(quick) < 1e-9
# True
# >>> clean_X = F.unfold(scene[None, None], 3)[0].T
# >>> clean = descend(clean_X, clean_X @ sobel.flatten(), 0.2, 10000)[10000]
# >>> off(clean)
# 0.547
#
# Grain is a good examiner, too, as each wrong weight costs about the same there. After
# the thousand steps on the picture, this share of the loss of zeros remains: on the
# picture, and on the grain.
#
# >>> def share_of_zeros(X, y):
# ...     return (((X @ way[1000] - y) ** 2).mean() / (y**2).mean()).item()
# >>> share_of_zeros(X, y), share_of_zeros(grain_X, grain_y)
# (0.0216, 0.0627)

# %%
# Other ways down
# ---------------
#
# Who has the Hessian need not go down in small steps. Divide the gradient by it (solve
# a system of equations, that is), and one *Newton step* leads from zeros to the bottom
# of the parabola. And Adam, which gives each weight a rate of its own?

newton = -torch.linalg.solve(H, gradient)


def adam(axes):
    w = torch.zeros(9, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.Adam([w], lr=0.1)
    for _ in range(500):
        optimiser.zero_grad()
        ((X @ (axes @ w) - y) ** 2).mean().backward()
        optimiser.step()
    return axes @ w.detach()


by_weights = adam(torch.eye(9, dtype=torch.float64))
by_directions = adam(directions)

# %%
# >>> off(newton) < 1e-9
# True
# >>> loss(by_weights), loss(way[500])
# (0.000033, 0.0075)
# >>> off(by_weights)
# 0.12
#
# After five hundred steps Adam is far ahead of plain descent, but not there. It
# stretches the axes of the nine *weights*, and the slow directions lie aslant to them.
# Given the nine directions as its axes, it arrives:
#
# >>> off(by_directions) < 1e-9
# True

# %%
# Exercises
# ---------
#
# .. exercise::
#
#    The picture is one even grey, of brightness one half. What does the Sobel filter
#    say of it, what is the gradient of nine weights of zero, and which eigenvalues has
#    the Hessian?
#
#    .. answer::
#
#       It says 0 everywhere, so zeros are right at once, and their gradient is 0. Of
#       the eigenvalues one is left, that of the mean. The sum of the weights can be
#       learned from this picture, and nothing else: descent from any start, in steps
#       that are not too long, ends with weights that add up to zero, and they may be
#       any such weights.
#
#       >>> even = torch.full((25, 9), 0.5, dtype=torch.float64)
#       >>> torch.linalg.eigvalsh(2 / 25 * even.T @ even).round(decimals=6).abs()
#       tensor([0.0000, 0.0000, 0.0000, 0.0000, 0.0000, 0.0000, 0.0000, 0.0000, 4.5000],
#              dtype=torch.float64)
#
# .. exercise::
#
#    *Momentum* adds up the gradients, and lets the older ones fade. The theory of
#    parabolas finds its two numbers in our eigenvalues, from their *roots*:
#
#    >>> roots = eigenvalues[[0, 8]].sqrt()
#    >>> rate = (2 / roots.sum()).item() ** 2
#    >>> momentum = ((roots[1] - roots[0]) / roots.sum()).item() ** 2
#    >>> rate, momentum
#    (0.676, 0.935)
#
#    Give ``SGD`` this rate and this momentum, and start from zeros. How far off is the
#    worst weight after 200 steps?
#
#    .. answer::
#
#       After two hundred steps it is closer than plain descent after ten thousand.
#
#       >>> w = torch.zeros(9, dtype=torch.float64, requires_grad=True)
#       >>> ball = torch.optim.SGD([w], lr=rate, momentum=momentum)
#       >>> for _ in range(200):
#       ...     ball.zero_grad()
#       ...     ((X @ w - y) ** 2).mean().backward()
#       ...     ball.step()
#       >>> off(way[10000])
#       0.0165
#       >>> off(w.detach())
#       0.0039
#
# .. exercise::
#
#    Write down a filter that says 0 on edges from top left to bottom right, and reacts
#    to those from bottom left to top right. Let the grain teach it. Do we have to
#    compute the eigenvalues again?
#
#    .. answer::
#
#       For example, the lower right corner minus the upper left one, with the two other
#       corners left out. The Hessian does not know which filter is wanted, so ten steps
#       are enough again.
#
#       >>> aslant = torch.tensor([-2.0, -1, 0, -1, 0, 1, 0, 1, 2], dtype=torch.float64)
#       >>> rate = 2 / (of_grain[0] + of_grain[8])
#       >>> learned = descend(grain_X, grain_X @ aslant, rate, 10)[10]
#       >>> (learned - aslant).abs().max().item() < 1e-8
#       True
#       >>> rising = torch.tensor([1.0, 1, 0, 1, 0, 0, 0, 0, 0], dtype=torch.float64)
#       >>> falling = torch.tensor([0.0, 1, 1, 0, 0, 1, 0, 0, 0], dtype=torch.float64)
#       >>> (aslant @ rising).item() == -4, (aslant @ falling).item() == 0
#       (True, True)
#
# .. exercise::
#
#    Suppose we know of an edge its *strength* alone: the absolute value of what the
#    filter says. Learn from these, with the loss
#    :law:`\operatorname{mean}((\lvert Xw \rvert - \lvert y \rvert)^2)`, on the grain.
#    What happens from zeros, and what if one weight begins at 1?
#
#    .. answer::
#
#       From zeros nothing: at 0 the absolute value has a kink, PyTorch takes the slope
#       0 there, and the gradient is 0. From a weight on the right the filter is found,
#       and from one on the left its negative: the strength is the same for both.
#
#       >>> strengths = (grain_X @ sobel.flatten()).abs()
#       >>> def slope_at(w):
#       ...     w = w.clone().requires_grad_()
#       ...     misses = (grain_X @ w).abs() - strengths
#       ...     return torch.autograd.grad((misses**2).mean(), w)[0]
#       >>> slope_at(torch.zeros(9, dtype=torch.float64)).abs().max().item()
#       0.0
#       >>> ends = []
#       >>> for w in torch.eye(9, dtype=torch.float64)[[3, 5]]:
#       ...     for _ in range(200):
#       ...         w = w - 3 * slope_at(w)
#       ...     ends.append(w)
#       >>> off(-ends[0]) < 1e-9, off(ends[1]) < 1e-9
#       (True, True)

# %%
# What we can do now
# ------------------
#
# - Learn a filter from two pictures, and check its gradient, and that of the picture.
# - Read from the eigenvalues of the Hessian how large a step may be, and how many are
#   needed.
# - Tell a wrong gradient from a right one that is slow: compare it, then ask for the
#   condition number.
# - Prefer data in which each direction occurs.
#
# What has a Hessian that is not constant, and how to multiply with it without building
# it, is in the lesson on :doc:`derivatives of derivatives
# </lessons/4_advanced/30_higher_order>`. Next, to :doc:`lay one picture over another
# </lessons/5_capstones/60_registration>`, a right gradient leads to a wrong place.

# %%
# Credits and licences
# --------------------
#
# The filter is named after Irwin Sobel, the one with equal rows after Judith Prewitt;
# the `HIPR2 pages <https://homepages.inf.ed.ac.uk/rbf/HIPR2/sobel.htm>`__ tell how
# both are used. To learn an edge filter from a picture is an idea of `Dive into Deep
# Learning
# <https://d2l.ai/chapter_convolutional-neural-networks/conv-layer.html>`__. How the
# condition number slows gradient descent, and what momentum does about it, is shown in
# `Why Momentum Really Works <https://distill.pub/2017/momentum/>`__ by G. Goh. Our
# pictures and code are our own, the text is under `CC BY-SA 4.0
# <https://creativecommons.org/licenses/by-sa/4.0/>`__, the code under the `MIT licence
# <https://opensource.org/license/mit>`__.
