r"""
Lay one picture over another
============================

Two photographs show the same wall from two places. At the end we can find by gradients
where each pixel of the one lies in the other, first for a shift, then for a camera that
has moved, and say why a right gradient may lead to a wrong place, and what blur does
about it.

:Time: 60 minutes
:Needs: :doc:`Learn an edge filter </lessons/5_capstones/50_edge_filter>`,
   :doc:`Kinks and ties </lessons/3_debugging/50_kinks>`
:Level: Capstones
:Tags: training, derivatives, errors
"""

# sphinx_gallery_thumbnail_number = 1
# sphinx_gallery_warns = ["jit.script since torch 2.14"]

# %%
# A point lies in column 37 of one photograph, and in column 17 of the other. Which
# shift brings them together? Twenty pixels, says whoever has seen the point in both. We
# have pixels alone, and nobody who names points. But we can shift a picture by a
# *little*, and ask whether it fits better. That is a question for a gradient.

import math

import matplotlib.pyplot as plt
import torch
from torch.func import jacfwd
from torch.nn import functional as F

from torchutils import MovingPlot, record_backward

# %%
# Between two pixels
# ------------------
#
# To shift by a little, we have to read a picture between its pixels. Here is a row of
# five. At the place :math:`u = 1.5`, half way from the 1 to the 4, we read their mean,
# :math:`\text{value} = \tfrac12 \cdot 1 + \tfrac12 \cdot 4 = 2.5`.
#
# This is a neuron without a bias: two inputs, 1 and 4, and two weights, one half each.
# Until now, weights were learned. Here they follow from a *place*, and the place is
# learned.

row = torch.tensor([0.0, 1, 4, 9, 16], dtype=torch.float64)
u = torch.tensor(1.5, dtype=torch.float64, requires_grad=True)
s = u / 2 - 1
place = torch.stack([s, torch.zeros_like(s)]).reshape(1, 1, 1, 2)
value = F.grid_sample(row[None, None, None], place, align_corners=True).squeeze()
value

# %%
# ``grid_sample`` reads a picture at given places, column first. It does not count
# pixels: with ``align_corners=True``, the first pixel is at −1 and the last one at 1.
# So our place becomes :math:`s = \frac{u}{2} - 1 = -0.25`.
#
# .. predict::
#
#    Which slope has the value by ``u``, and which one by ``s``? Type both.
#
#    .. ask:: torch.stack([u.grad, 2 * u.grad])
#
#    .. answer::
#
#       From the 1 to the 4 the value rises by 3 in one pixel, :math:`\frac{d\,
#       \text{value}}{du} = 4 - 1 = 3`. One unit of ``s`` is two pixels, so the slope by
#       ``s`` is :math:`2 \cdot 3 = 6`. In a picture of 1000 columns, that factor is
#       about 500.
#
#       .. wrong:: [3, 1.5]
#
#          One unit of ``s`` is *two* pixels, so more happens in it.
#
#       .. wrong:: [3, 3]
#
#          The units differ. The row is 4 pixels long, and as long as from −1 to 1.
#
#       .. wrong:: [2.5, 5]
#
#          This is the value itself, and twice it.

record_backward(value, locals())

# %%
# From :step:`s (sub) has its turn` on, the slope by ``s`` is on its way to ``u``.

# %%
# On a pixel
# ----------
#
# .. predict::
#
#    Now we read exactly on a pixel, at 2, where the row is 4. To the left it rises by 3
#    per pixel, to the right by 5. Which slope does autograd return?
#
#    .. ask:: on_pixel
#
#    .. answer::
#
#       The one on the right, :math:`\text{on\_pixel} = 9 - 4 = 5`. What is read is a
#       line from pixel to pixel, with a *kink* on each pixel. ``grid_sample`` rounds
#       the place down, takes that pixel and the next, and so the slope between these
#       two.
#
#       .. wrong:: 3
#
#          This is the slope on the left. Here the place is rounded down to 2, and the
#          two pixels are 2 and 3.
#
#       .. wrong:: 4
#
#          The mean of both sides, and the slope of a parabola through these points.
#          ``grid_sample`` knows no parabola.


def read_row(u, padding="zeros"):
    place = torch.stack([u / 2 - 1, torch.zeros_like(u)]).reshape(1, 1, 1, 2)
    image = row[None, None, None]
    return F.grid_sample(
        image, place, padding_mode=padding, align_corners=True
    ).squeeze()


u = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
[on_pixel] = torch.autograd.grad(read_row(u), u)
on_pixel

# %%
# Two photographs
# ---------------
#
# Our scene is a formula of two coordinates, so it can be photographed from anywhere:
# five soft spots, bright or dark, on a wall of fine *bricks* that repeat after eight
# pixels. For the second photograph the camera looks 20 pixels further right and 12
# higher up. So what both show lies further left and lower down in the second one.

count = torch.arange(65, dtype=torch.float64)
y, x = torch.meshgrid(count, count, indexing="ij")


def bricks(x, y):
    return 0.3 * torch.cos(math.pi * x / 4) * torch.cos(math.pi * y / 4)


def scene(x, y):
    def spot(column, row, size):
        return torch.exp(-((x - column) ** 2 + (y - row) ** 2) / (2 * size**2))

    bright = 0.8 * spot(40, 24, 8) + 0.6 * spot(18, 42, 7) + 0.5 * spot(42, 48, 5)
    dark = 0.5 * spot(50, 36, 5) + 0.4 * spot(20, 18, 5)
    return bright - dark + bricks(x, y) * spot(32, 32, 16)


first, second = scene(x, y), scene(x + 20, y - 12)

fig, panels = plt.subplots(1, 2, figsize=(4.4, 2.4))
for ax, image, title in zip(panels, (first, second), ("first", "second")):
    ax.imshow(image, cmap="gray", vmin=-0.6, vmax=1)
    ax.set_title(title)
    ax.axis("off")
fig.set_label(
    "Two pictures of soft bright and dark spots with a fine chequered pattern. In the "
    "second one they lie further left and lower down."
)

# %%
# To find the shift ``t``, we read the first picture at shifted places, and compare it
# with the second, pixel by pixel. The loss is the mean of the squared differences
# ``r``.


def read(image, x, y):
    places = torch.stack([x, y], dim=-1) / 32 - 1
    return F.grid_sample(
        image[None, None], places[None], padding_mode="border", align_corners=True
    )[0, 0]


def slide(t):
    return x + t[0], y + t[1]


t = torch.tensor([0.4, -0.3], dtype=torch.float64, requires_grad=True)
there_x, there_y = slide(t)
r = read(first, there_x, there_y) - second
L = (r**2).mean()
L

# %%
# What is its gradient? If the place moves right, what is read there changes by the
# slope ``D`` of the picture at this place. And so the loss changes by twice the
# difference times this slope, in the mean over the pixels:
#
# .. math::
#
#    \frac{\partial L}{\partial t_0} = \operatorname{mean}(2\, r \odot D)
#
# The slopes of the picture at each place come from one walk back. Each value read
# depends on its own place alone, so the gradient of their *sum* has one slope for each
# place.

[D] = torch.autograd.grad(read(first, there_x, there_y).sum(), there_x)
[gradient] = torch.autograd.grad(L, t, retain_graph=True)
gradient

# %%
# And by moving a little to both sides:


def loss_at(t, first=first):
    return ((read(first, *slide(t)) - second) ** 2).mean()


h = 1e-5 * torch.eye(2, dtype=torch.float64)
sides = [(loss_at(t.detach() + e), loss_at(t.detach() - e)) for e in h]
measured = torch.stack([(up - down) / 2e-5 for up, down in sides])

# %%
# >>> (gradient - measured).abs().max().item() < 1e-9
# True
#
# The first picture has a gradient, too: each pixel that was read gets what comes back,
# times the weight with which it was read. We check ten of its pixels, drawn at random:

pixels = first.clone().requires_grad_()
[by_first] = torch.autograd.grad(loss_at(t.detach(), pixels), pixels)
torch.manual_seed(0)
drawn = torch.randint(65, (10, 2)).tolist()
changes = []
for i, j in drawn:
    moved = torch.zeros(65, 65, dtype=torch.float64)
    moved[i, j] = 1e-3
    up, down = (loss_at(t.detach(), first + sign * moved) for sign in (1, -1))
    changes.append((up - down) / 2e-3)

# %%
# >>> found = torch.stack([by_first[i, j] for i, j in drawn])
# >>> (found - torch.stack(changes)).abs().max().item() < 1e-12
# True
# >>> by_first.shape
# torch.Size([65, 65])

# %%
# Stuck on the wrong brick
# ------------------------
#
# Adam goes down from no shift, 150 steps, with a rate that begins at one pixel and
# fades. ``blur`` is for later; 0 means none.


def blur(image, size):
    if size == 0:
        return image
    k = torch.arange(-3 * size, 3 * size + 1, dtype=torch.float64)
    k = torch.exp(-(k**2) / (2 * size**2))
    k = (k / k.sum())[None, None, None]
    image = F.pad(image[None, None], [3 * size] * 4, mode="replicate")
    return F.conv2d(F.conv2d(image, k), k.mT)[0, 0]


def descend(second, sizes):
    t = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    for size in sizes:
        a, b = blur(first, size), blur(second, size)
        adam = torch.optim.Adam([t], lr=1.0)
        fading = torch.optim.lr_scheduler.ExponentialLR(adam, 0.97)
        for _ in range(150):
            adam.zero_grad()
            ((read(a, *slide(t)) - b) ** 2).mean().backward()
            adam.step()
            fading.step()
    return t.detach()


near = descend(scene(x + 5, y - 3), [0])
far = descend(second, [0])
near, far

# %%
# A shift by 5 and −3 is found to a hundredth of a pixel. The one by 20 and −12 is not:
# the descent has ended after less than a pixel.
#
# >>> near
# tensor([ 5.00, -3.00], dtype=torch.float64)
# >>> far
# tensor([0.4, 0.5], dtype=torch.float64)

# %%
# Is its gradient wrong? Where the descent has ended, autograd and small moves to both
# sides agree, and find next to nothing:
#
# >>> there = far.clone().requires_grad_()
# >>> [by_walk] = torch.autograd.grad(loss_at(there), there)
# >>> by_moves = torch.stack([loss_at(far + e) - loss_at(far - e) for e in h]) / 2e-5
# >>> (by_walk - by_moves).abs().max().item() < 1e-9, by_walk.norm().item() < 1e-5
# (True, True)
#
# It is an honest answer to a question about the next hundredth of a pixel. The bricks
# repeat, so with no shift, each lies on another one of its kind already, and a little
# further it gets worse:
#
# >>> (bricks(x + 20, y - 12) - bricks(x, y)).abs().max().item() < 1e-12
# True
#
# So distance alone does not decide. The shift by 4 and −2 is shorter than the one that
# was found, and it is missed:
#
# >>> descend(scene(x + 4, y - 2), [0])
# tensor([1.2, 1.2], dtype=torch.float64)
#
# The bricks lead astray, and the large spots would lead home. So blur both
# pictures: a mean over the neighbours, with weights like a bell that is ``size`` pixels
# wide. The slider changes this size. The line is the loss along the straight way from
# no shift, 0, to the right one, 1. The point is where we begin. With which size does
# the way fall from there? And is that enough for Adam?

sizes = [0, 1, 2, 3, 4, 6, 8]
share = torch.linspace(-0.2, 1.4, 49, dtype=torch.float64)
way = torch.tensor([20.0, -12], dtype=torch.float64)
curves, misses = [], []
for size in sizes:
    a, b = blur(first, size), blur(second, size)
    curve = [((read(a, *slide(s * way)) - b) ** 2).mean() for s in [*share, 0]]
    curves.append(torch.stack(curve[:-1]) / curve[-1])
    misses.append((descend(second, [size]) - way).norm())

plot = MovingPlot(
    {"blur": sizes},
    "The loss on the way to the right shift",
    xlim=(-0.2, 1.4),
    ylim=(0, 1.3),
    xlabel="share of the way",
    ylabel="loss, in parts of that at 0",
)
plot.line(share, torch.stack(curves), "loss")
plot.point(0.0, 1.0, "start")
inside = torch.stack(curves)[:, (share > -0.01) & (share < 1.01)]
falls = (inside.diff() < 0).all(dim=1).tolist()
words = ["only falls" if fall else "rises, too" for fall in falls]
plot.say("From the start to the right shift, the line {line}.", line=words)
plot.say("Adam ends {miss:.2f} pixels from the right shift.", miss=misses)
plot

# %%
# From a blur of 2 on, the straight way falls all along. It is not enough: Adam does not
# know which way is straight, goes by the slope where it stands, and with a blur of 2 or
# 3 still ends elsewhere.
#
# >>> falls
# [False, False, True, True, True, True, True]
# >>> [round(misses[sizes.index(size)].item(), 1) for size in (2, 3)]
# [26.9, 4.4]

# %%
# .. predict::
#
#    With a blur of 4 Adam comes within a tenth of a pixel, and with 8 it gets no better
#    but worse. If we go on from there with a blur of 2, and then without any, how far
#    off is it at the end: half a pixel, a tenth, or a hundredth?
#
#    .. answer::
#
#       About a hundredth. Each blur begins where the one before it has ended, and that
#       is near enough. A coarse picture leads there from afar, and a fine one says
#       where exactly. The small rest comes from the border: at the right shift, what
#       can be read of the first picture fits, and what lies beyond its border does not.
#
#       >>> gap = (read(first, *slide(way)) - second).abs()
#       >>> gap[12:, :45].max().item() < 1e-12, gap.max().item()
#       (True, 0.069)

stages = descend(second, [4, 2, 0])
stages

# %%
# >>> (stages - way).abs().max() < 0.02
# tensor(True)
# >>> misses[sizes.index(4)].item(), misses[sizes.index(8)].item()
# (0.09, 0.55)

# %%
# Why does blur help? The gradient is difference times *slope of the picture*. A spot or
# a brick points home as far as its own slope reaches, about its own width. Blur makes
# the spots wider, and of the bricks hardly anything is left:
#
# >>> [blur(bricks(x, y), size)[32, 32].item() for size in (0, 1, 2, 4)]
# [0.3, 0.1621, 0.0254, 0.00002]

# %%
# Kinks at each pixel
# -------------------
#
# We began at no shift, and there *each* of the 4225 pixels is read exactly on a pixel,
# on a kink. (With 65 columns, pixel ``k`` is at :law:`\frac{k}{32} - 1`, which a float
# holds without rounding.)

start = torch.zeros(2, dtype=torch.float64, requires_grad=True)
[at_start] = torch.autograd.grad(loss_at(start), start)
step = torch.tensor([1e-6, 0], dtype=torch.float64)
with torch.no_grad():
    rightwards = 1000 * (loss_at(start + step) - loss_at(start)) / 1e-6
    leftwards = 1000 * (loss_at(start) - loss_at(start - step)) / 1e-6
rightwards, leftwards

# %%
# .. predict::
#
#    Here are the slopes of the loss by the shift to the right, in thousandths:
#    :math:`\text{rightwards} = -2.65` on the right of 0, and
#    :math:`\text{leftwards} = 0.55` on the left. Which does autograd say?
#
#    .. ask:: by_autograd
#
#    .. answer::
#
#       The one on the right, as on a single pixel: :math:`\text{by\_autograd} = -2.65`.
#       To the left the loss falls as well, which the gradient does not say: we stand on
#       a ridge.
#
#       .. wrong:: -1.05
#
#          This is the mean of both, which a central difference finds. It fits no side.
#
#       .. wrong:: 0
#
#          A ridge has no slope along its top, but autograd takes a side.
#
#       .. wrong:: leftwards
#
#          ``grid_sample`` rounds down, so it reads the pixel and its right neighbour.

by_autograd = (1000 * at_start[0]).round(decimals=2)
by_autograd

# %%
# So ``gradcheck``, which takes central differences, calls this gradient wrong, and a
# shift of a tenth of a pixel makes the two agree:
#
# >>> def check(*t):
# ...     t = torch.tensor(t, dtype=torch.float64, requires_grad=True)
# ...     return torch.autograd.gradcheck(loss_at, t, raise_exception=False)
# >>> check(0.0, 0.0), check(0.1, 0.1)
# (False, True)

# %%
# Half a pixel, in silence
# ------------------------
#
# .. admonition:: Wrong on purpose
#
#    The next cell says ``align_corners`` in two ways. Do not copy it.

# wrong on purpose
same = torch.eye(2, 3, dtype=torch.float64)[None]
places = F.affine_grid(same, (1, 1, 65, 65), align_corners=False)
unmoved = F.grid_sample(first[None, None], places, align_corners=True)[0, 0]
columns = (places[0, 0, :, 0] + 1) * 32

# %%
# .. predict::
#
#    ``affine_grid`` makes the places for a map, here the one that moves no pixel. With
#    ``align_corners=False``, −1 and 1 are the outer *rims* of the 65 columns, and the
#    middle of the first one lies half a column further in. Then ``grid_sample`` takes
#    −1 and 1 for the *middles* of the first and the last one. In which column does it
#    read the first pixel?
#
#    .. ask:: columns[0]
#
#    .. answer::
#
#       Half a column of 65 is :math:`\frac{1}{65}` in these units, so the place is
#       :math:`\frac{1}{65} - 1`. Back in columns, that is :math:`\text{columns}_0 =
#       \frac{32}{65} = 0.4923`. The last is read half a pixel too early. The picture
#       has been stretched, with no error and no warning.
#
#       >>> columns[64]
#       tensor(63.5077, dtype=torch.float64)
#       >>> (unmoved - first).abs().max() > 0.01
#       tensor(True)
#
#       .. wrong:: columns[0] / 32
#
#          This is half a column where the row is as long as from −1 to 1. One of these
#          units is 32 columns for ``grid_sample``.
#
#       .. wrong:: 0
#
#          So it is if both say the same.
#
#       .. wrong:: 0.5
#
#          Nearly. Half of a column is meant, but from −1 to 1 there are 65 columns for
#          the one function, and 64 for the other.
#
#       .. wrong:: -0.5
#
#          The middle lies further *in* than the rim.

columns

# %%
# A camera that has moved
# -----------------------
#
# Now the second photograph is taken from the side. A wall stays flat, and straight
# lines stay straight, but squares become crooked. Such a map is a *homography*: three
# by three numbers, with which column and row (and a 1 as the third) are multiplied, and
# a division by the third result.
#
# .. predict::
#
#    Of how many numbers, free of each other, does it consist?
#
#    .. ask:: corners.numel()
#
#    .. answer::
#
#       Of eight. If the nine are doubled, the division takes the 2 away again, so one
#       of them, if it is not 0, may be set to 1. The four corners, with two coordinates
#       each, are :math:`4 \cdot 2 = 8` numbers as well, and say where all else goes. We
#       use these, as they are pixels.
#
#       .. wrong:: 9
#
#          Nine numbers, but nine times two gives the same map.
#
#       .. wrong:: 6
#
#          An affine map has six. It keeps parallel lines parallel.
#
#       .. wrong:: 4
#
#          So many corners. Each has two coordinates.

corners = torch.tensor([[0.0, 0.0], [64, 0], [64, 64], [0, 64]], dtype=torch.float64)


def move(to):
    u, v, a, b = *corners.T, *to.T
    one, zero = torch.ones_like(u), torch.zeros_like(u)
    top = torch.stack([u, v, one, zero, zero, zero, -u * a, -v * a], dim=1)
    bottom = torch.stack([zero, zero, zero, u, v, one, -u * b, -v * b], dim=1)
    m = torch.linalg.solve(torch.cat([top, bottom]), torch.cat([a, b]))
    depth = m[6] * x + m[7] * y + 1
    return (m[0] * x + m[1] * y + m[2]) / depth, (m[3] * x + m[4] * y + m[5]) / depth


shifts = torch.tensor([[6.0, -9], [-5, 4], [3, -8], [9, 5]], dtype=torch.float64)
truth = corners + shifts
from_side = scene(*move(truth))
(truth - corners).norm(dim=1)

# %%
# One corner has moved by :math:`\sqrt{6^2 + 9^2} \approx 10.8` pixels. ``move`` finds
# the eight numbers as the solution of eight equations, and autograd goes :doc:`through
# the solution </lessons/4_advanced/80_implicit>`.
#
# Eight numbers are few, so their Jacobian is cheap: how each pixel that is read changes
# with each of the eight. In :doc:`forward mode
# </lessons/4_advanced/40_forward_mode>` that would be eight columns. But:

refusal = ""
try:
    jacfwd(lambda to: read(first, *move(to)))(corners)
except NotImplementedError as error:
    refusal = str(error).split(" because")[0]
refusal

# %%
# PyTorch 2.13.0 has no forward rule for ``grid_sample``, and 2.9.1 and 2.14.1 have none
# either. In 2.15.0 there is one, and nothing is refused:
#
# >>> major, minor = torch.__version__.split(".")[:2]
# >>> (refusal == "") == ((int(major), int(minor)) >= (2, 15))
# True
#
# Reverse mode would need one walk for each of 4225 pixels. So we go half the way from
# each side, which these four releases can do: the slopes of the picture in *one* walk
# back, as for ``D`` above, and the places by the corners in forward mode, in eight
# columns. The chain rule multiplies the two.
#
# With the Jacobian we need no learning rate. Where would the eight numbers have to go,
# to make the squared differences smallest, if the picture were as straight as its
# slopes say? That is *least squares*, and a step of this kind is a *Gauss-Newton step*.


def gauss_newton(second, move, p, sizes):
    way = [p]
    for size in sizes:
        a, b = blur(first, size), blur(second, size)
        for _ in range(8):
            u, v = (k.detach().requires_grad_() for k in move(p))
            seen = read(a, u, v)
            slopes = torch.autograd.grad(seen.sum(), (u, v))
            parts = zip(slopes, jacfwd(move)(p))
            J = sum(s.reshape(-1, 1) * part.reshape(65 * 65, -1) for s, part in parts)
            difference = (seen.detach() - b).reshape(-1, 1)
            p = p - torch.linalg.lstsq(J, difference).solution.reshape(p.shape)
            way.append(p)
    return torch.stack(way)


to = gauss_newton(from_side, move, corners, [4, 2, 0])
off = (to - truth).norm(dim=2).amax(dim=1)
off

# %%
# The slider walks through its 24 steps: eight with a blur of 4, eight with 2, eight
# without. Drawn is the frame of the second picture, as it lies in the first. After
# which step do both frames look the same to you, and how far off is the worst corner
# then?

frame = torch.cat([to, to[:, :1]], dim=1)
goal = torch.cat([truth, truth[:1]])
plot = MovingPlot(
    {"step": torch.arange(25)},
    "The frame of the second picture",
    xlim=(-8, 78),
    ylim=(-10, 78),
    xlabel="column",
    ylabel="rows, from below",
    equal=True,
)
plot.line(goal[:, 0], 64 - goal[:, 1], "the truth")
plot.line(frame[:, :, 0], 64 - frame[:, :, 1], "found")
plot.points(to[:, :, 0], 64 - to[:, :, 1], "its corners")
blurs = [4] * 9 + [2] * 8 + [0] * 8
plot.say("With a blur of {blur}, the worst corner is off by", blur=blurs)
plot.say("{off:.3f} pixels.", off=off)
plot

# %%
# Eight steps with the strongest blur leave more than a pixel, the next eight a third of
# one, and the last eight less than a hundredth:
#
# >>> [round(worst, 3) for worst in off[[0, 8, 16, 24]].tolist()]
# [10.817, 1.264, 0.336, 0.006]
#
# Why not blur alone? Both pictures are blurred by as many pixels, but from the side a
# brick is not as large as before. So even at the right corners the blurred pictures do
# not quite fit. After a shift they do. Away from the border, the largest difference is:
#
# >>> def rest(second, places):
# ...     difference = read(blur(first, 4), *places) - blur(second, 4)
# ...     return difference[24:53, 12:33].abs().max().item()
# >>> rest(second, slide(way)) < 1e-12, rest(from_side, move(truth))
# (True, 0.03)
#
# And why not without blur? Then the steps do not arrive:
#
# >>> sharp = gauss_newton(from_side, move, corners, [0])
# >>> (sharp[-1] - truth).norm(dim=1).max() > 10
# tensor(True)

after = read(first, *move(to[-1]))
fig, panels = plt.subplots(1, 2, figsize=(4.4, 2.4))
for ax, image, title in zip(panels, (first, after), ("before", "after")):
    ax.imshow(image - from_side, cmap="gray", vmin=-0.6, vmax=0.6)
    ax.set_title(title)
    ax.axis("off")
fig.set_label(
    "The difference of both pictures. Before: bright and dark spots. After: grey."
)

# %%
# Exercises
# ---------
#
# .. exercise::
#
#    ``grid_sample`` can also read the *nearest* pixel, ``mode="nearest"``. What becomes
#    of the gradient by the shift, and why?
#
#    .. answer::
#
#       It is zero. A nearest pixel stays the nearest if the place moves by a little, so
#       the value is made of steps, and a step function has the slope 0 between its
#       jumps. A descent would stay where it begins.
#
#       >>> t = torch.tensor([0.4, -0.3], dtype=torch.float64, requires_grad=True)
#       >>> places = torch.stack(slide(t), dim=-1)[None] / 32 - 1
#       >>> seen = F.grid_sample(
#       ...     first[None, None], places, mode="nearest", align_corners=True
#       ... )
#       >>> torch.autograd.grad(seen.sum(), t)[0]
#       tensor([0., 0.], dtype=torch.float64)
#
# .. exercise::
#
#    An *affine* map has no division: six numbers, the images of three corners. Write
#    ``move`` for it, turn the camera by a tenth of a radian, and find it.
#
#    .. answer::
#
#       The first corner, and two arrows to its neighbours:
#
#       >>> def affine(to):
#       ...     right, down = (to[1] - to[0]) / 64, (to[2] - to[0]) / 64
#       ...     return tuple(to[0, k] + right[k] * x + down[k] * y for k in (0, 1))
#       >>> three = corners[[0, 1, 3]]
#       >>> turn = torch.tensor(0.1, dtype=torch.float64)
#       >>> turn = torch.stack([turn.cos(), -turn.sin(), turn.sin(), turn.cos()])
#       >>> turned = (three - 32) @ turn.reshape(2, 2) + 32
#       >>> found = gauss_newton(scene(*affine(turned)), affine, three, [4, 2, 0])[-1]
#       >>> (found - turned).abs().max() < 0.02
#       tensor(True)
#
# .. exercise::
#
#    Blur the first picture alone, with a size of 4, and begin at the right shift. There
#    is none now that makes the pictures equal. Does the descent leave?
#
#    .. answer::
#
#       It stays, within a hundredth of a pixel. The first picture lacks a pattern that
#       the second has, but this pattern pulls to one side here and to the other there.
#
#       >>> soft, t = blur(first, 4), way.clone().requires_grad_()
#       >>> adam = torch.optim.Adam([t], lr=0.5)
#       >>> fading = torch.optim.lr_scheduler.ExponentialLR(adam, 0.97)
#       >>> for _ in range(300):
#       ...     adam.zero_grad()
#       ...     loss_at(t, soft).backward()
#       ...     adam.step()
#       ...     fading.step()
#       >>> (t.detach() - way).norm() < 0.02, loss_at(t, soft).item()
#       (tensor(True), 0.0058)
#
# .. exercise::
#
#    On the last pixel, the row 0, 1, 4, 9, 16 goes on with zeros, or with 16 for ever,
#    by ``padding_mode``. Which slope by ``u`` do you expect at the place 4, for each?
#    And with the border, at the place 0?
#
#    .. answer::
#
#       Each time the side that lies outside: down to 0 in one pixel, or none. At the
#       place 0 this is the *left* side, against the rule. So at no shift autograd
#       differed from the slope on the right, in the fourth digit.
#
#       >>> round(rightwards.item(), 4), round(1000 * at_start[0].item(), 4)
#       (-2.6459, -2.6453)
#       >>> def end(u, padding):
#       ...     u = torch.tensor(u, dtype=torch.float64, requires_grad=True)
#       ...     return torch.autograd.grad(read_row(u, padding), u)[0].item()
#       >>> end(4.0, "zeros"), end(4.0, "border"), end(0.0, "border")
#       (-16.0, 0.0, 0.0)

# %%
# What we can do now
# ------------------
#
# - Read a picture between its pixels, and say which slope autograd takes on them.
# - Find a shift or a homography by gradients, coarse first and fine after.
# - Tell a wrong gradient from a right one that sees no further than a pixel.
# - Build a Jacobian from both sides, where one mode has no rule.
#
# What a kink does elsewhere is collected in :doc:`Kinks and ties
# </lessons/3_debugging/50_kinks>`.
#
# This was the last lesson. :doc:`A mixed quiz </quiz_capstones>` asks what is left of
# the level, and :doc:`Predict autograd </predict>` what is left of the course.

# %%
# Credits and licences
# --------------------
#
# To lay pictures over each other by least squares and the slopes of one of them is the
# method of B. D. Lucas and T. Kanade, in `An Iterative Image Registration Technique
# <https://www.ri.cmu.edu/publications/an-iterative-image-registration-technique-with-an-application-to-stereo-vision/>`__.
# A layer that reads at learned places is from `Spatial Transformer Networks
# <https://arxiv.org/abs/1506.02025>`__ by M. Jaderberg and others. How ``grid_sample``
# counts is said in `its documentation
# <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.grid_sample.html>`__.
# Pictures and code are our own, the text is under `CC BY-SA 4.0
# <https://creativecommons.org/licenses/by-sa/4.0/>`__, the code under the `MIT licence
# <https://opensource.org/license/mit>`__.
