r"""
The gradient of a picture
=========================

Which pixels does an answer hang on, and which small change turns it? At the end we can
draw a saliency map and check it, share a score out among the pixels so that the shares
add up (integrated gradients), and measure how a network reads under an attack (FGSM).

:Time: 45 minutes
:Needs: :doc:`Digits from scratch </lessons/5_capstones/20_digits>`
:Level: Capstones
:Tags: derivatives, training, leaves
"""

# sphinx_gallery_thumbnail_number = 3
# sphinx_gallery_warns = ["non-leaf"]

# %%
# So far we have asked how an answer reacts to the weights. Autograd does not mind which
# leaf we ask for. Here is our neuron once more, and this time we want to know how
# strongly its answer reacts to each *input*.

import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F

from torchutils import MovingPlot, record_backward

x = torch.tensor([-1.0, -2.0], requires_grad=True)
w = torch.tensor([2.0, -3.0], requires_grad=True)
b = torch.tensor(-3.0, requires_grad=True)
z = torch.dot(w, x) + b
y = torch.sigmoid(z)
y

# %%
# The other way round
# -------------------
#
# The answer is :math:`y = \sigma(w^\top x + b) = 0.7311`, and the slope of the sigmoid
# function there is :math:`y\,(1 - y) = 0.1966`.
#
# .. predict::
#
#    What is the gradient of the answer with respect to the two inputs?
#
#    .. ask:: x.grad
#
#    .. answer::
#
#       In a product, each factor gets the other one. So the inputs get the weights,
#       times the slope: :math:`\nabla_x y = y\,(1 - y)\, w = (0.3932, -0.5898)`.
#
#       .. wrong:: y * (1 - y) * x
#
#          This is the gradient of the *weights*. They get the inputs.
#
#       .. wrong:: w
#
#          This is the gradient of ``z``. The sigmoid function is still on the way.

record_backward(y, locals(), direction="TB")

# %%
# It is the walk that we know: compare :step:`#2 sends to x` with
# :step:`#2 sends to w`.
#
# Now suppose that somebody may change each input by :math:`\epsilon = 0.2`, up or down,
# and wants the answer as small as possible. Each input goes *against* its own slope:

epsilon = 0.2
with torch.no_grad():
    against = x - epsilon * x.grad.sign()
    y_against = torch.sigmoid(torch.dot(w, against) + b)

# %%
# .. predict::
#
#    The first input falls by ``epsilon``, the second one rises by as much. What is the
#    answer then?
#
#    .. ask:: y_against
#
#    .. answer::
#
#       The sum ``z`` falls by :math:`\epsilon \cdot 2 + \epsilon \cdot 3 = 1`. It was 1
#       and becomes 0, so the neuron has no opinion any more:
#       :math:`\text{y\_against} = \sigma(0) = 0.5`.
#
#       .. wrong:: y - epsilon
#
#          So much changes each input. The answer reacts to both, with its slopes.
#
#       .. wrong:: y - epsilon * x.grad.abs().sum()
#
#          So says the tangent. The sigmoid function is curved, and falls a little
#          deeper.

y_against

# %%
# Both inputs push in the same direction, each as hard as its weight is large. So ``z``
# moves by ``epsilon`` times the sum of the weights without their signs. This sum is
# written with two bars and a small 1: :math:`\epsilon \lVert w \rVert_1 = 0.2 \cdot
# (2 + 3) = 1`. None of the three other combinations of signs moves ``z`` as far down:
#
# >>> signs = torch.cartesian_prod(torch.tensor([1.0, -1]), torch.tensor([1.0, -1]))
# >>> ((x + epsilon * signs) @ w + b).detach()
# tensor([0.8000, 2.0000, 0.0000, 1.2000])
#
# This step, by the *sign* of the gradient, is called the *fast gradient sign method*,
# FGSM. Two inputs can move ``z`` by 1. What can 64 do?

# %%
# The digits, once more
# ---------------------
#
# We draw the digits of :doc:`Digits from scratch </lessons/5_capstones/20_digits>`
# again, by the same program and with the same seed.

pens = [
    "50 22 15 27 59 77 85 72 50",
    "32 50 59",
    "22 40 70 82 74 29 89",
    "21 50 81 83 54 85 87 59 27",
    "60 16 86 66 60 69",
    "80 30 24 63 85 87 59 28",
    "70 33 26 38 59 78 86 64 36",
    "20 80 49",
    "54 31 50 71 54 27 59 87 54",
    "83 60 32 34 55 83 69",
]
ways = [[[int(column), int(row)] for column, row in pen.split()] for pen in pens]
ways = torch.tensor([way + way[-1:] * (9 - len(way)) for way in ways]) / 4.5 - 1.0


def noise(*size):
    return torch.randn(size, dtype=torch.float64)


def write(labels):
    count = len(labels)
    points = ways[labels] + 0.08 * noise(count, 9, 2)
    points = 0.9 * points @ (torch.eye(2) + 0.12 * noise(count, 2, 2))
    points = 3.5 + 3.2 * (points + 0.1 * noise(count, 1, 2))
    start, step = points[:, None, :-1], points[:, None, 1:] - points[:, None, :-1]
    places = torch.cartesian_prod(torch.arange(8.0), torch.arange(8.0)).flip(1)
    away = places[:, None] - start
    along = (away * step).sum(-1) / (step**2).sum(-1).clamp(min=1e-9)
    distance = (away - along.clamp(0, 1)[..., None] * step).norm(dim=-1).amin(-1)
    return torch.exp(-((distance / 0.7) ** 2))


torch.manual_seed(0)
labels = torch.randint(10, (2000,))
pixels = write(labels)
X, test_X = pixels[:1500], pixels[1500:]
labels, test_labels = labels[:1500], labels[1500:]

# %%
# And we train the same two classifiers in the same way: a single layer with the weights
# ``W``, and a network with 32 hidden units.


def network(x):
    return torch.tanh(x @ W1 + b1) @ W2 + b2


def train(scores, weights, rate):
    for _ in range(300):
        loss = F.cross_entropy(scores(X), labels)
        grads = torch.autograd.grad(loss, weights)
        with torch.no_grad():
            for weight, grad in zip(weights, grads):
                weight -= rate * grad


def accuracy(scores, labels):
    return (scores.argmax(dim=1) == labels).double().mean().item()


W = torch.zeros(64, 10, dtype=torch.float64, requires_grad=True)
b = torch.zeros(10, dtype=torch.float64, requires_grad=True)
train(lambda x: x @ W + b, [W, b], rate=1)

W1 = torch.randn(64, 32, dtype=torch.float64) / 8
b1 = torch.zeros(32, dtype=torch.float64)
W2 = torch.randn(32, 10, dtype=torch.float64) / 32**0.5
b2 = torch.zeros(10, dtype=torch.float64)
weights = [w.requires_grad_() for w in (W1, b1, W2, b2)]
train(network, weights, rate=2)

# %%
# They read what they read there:
#
# >>> accuracy(test_X @ W + b, test_labels), accuracy(network(test_X), test_labels)
# (0.944, 0.970)

# %%
# One layer
# ---------
#
# We take a picture that neither of them has seen, a three.

picture = test_X[434]
x = picture.clone().requires_grad_()
s = W.T @ x + b
p = s.softmax(dim=0)
L = F.cross_entropy(s, test_labels[434])
test_labels[434]

# %%
# The scores are :math:`s = W^\top x + b`, and the loss is
# :math:`L = \operatorname{logsumexp}(s) - s_3`. What comes back to the scores is
# probability minus label, and the label of a three is the unit vector :math:`e_3`. The
# layer multiplies it by the weights:
#
# .. math::
#
#    \nabla_x L = W (p - e_3)
#
# Each column of ``W`` is a picture. So this gradient is a *mixture* of the ten weight
# pictures: each counts with its probability, and the right one with its probability
# minus 1.
#
# .. predict::
#
#    We leave softmax and loss away and ask for the gradient of the score of the three
#    alone, once for our picture, and once for a picture of a four. We subtract the two
#    gradients. What is the largest difference among the 64?
#
#    .. ask:: apart
#
#    .. answer::
#
#       They are the same, :math:`\text{apart} = 0`. The score is a weighted sum of the
#       pixels, and its slopes are the weights, :math:`\nabla_x s_3 = W e_3`, whatever
#       the picture is.
#
#       .. wrong:: (test_X[434] - test_X[2]).abs().max()
#
#          So far apart are the *pictures*. The slopes of a weighted sum are its
#          weights, and not what they are multiplied by.

maps = []
for k in (434, 2):
    leaf = test_X[k].clone().requires_grad_()
    maps += torch.autograd.grad((leaf @ W + b)[3], leaf)
apart = (maps[0] - maps[1]).abs().max()
apart

# %%
# A single layer has the same opinion of each pixel in each picture. Our network has
# not:
#
# >>> maps = []
# >>> for k in (434, 2):
# ...     leaf = test_X[k].clone().requires_grad_()
# ...     maps += torch.autograd.grad(network(leaf)[3], leaf)
# >>> (maps[0] - maps[1]).abs().max()
# tensor(1.791, dtype=torch.float64)

# %%
# A map of the network
# --------------------
#
# The gradient of a score with respect to the pixels is called a *saliency map*. Here is
# the way to the score of the three through the hidden units ``h``:

x = picture.clone().requires_grad_()
h = torch.tanh(x @ W1 + b1)
f = (h @ W2 + b2)[3]
[saliency] = torch.autograd.grad(f, x, retain_graph=True)
f

# %%
# With our own hands it is one line more than in the lesson on digits, where the way
# back ended at the first weights:
#
# .. math::
#
#    \nabla_x f = W_1 \big( (1 - h \odot h) \odot (W_2 e_3) \big)
#
# Do not trust a picture that looks plausible. We draw ten pixels at random, move each
# of them by itself a little up and down, and compare the score's change with the map:

step = 1e-5
chosen = torch.randperm(64)[:10]
moves = step * torch.eye(64, dtype=torch.float64)[chosen]
with torch.no_grad():
    there, back = network(picture + moves)[:, 3], network(picture - moves)[:, 3]
quotients = (there - back) / (2 * step)
quotients[:4], saliency[chosen[:4]]

# %%
# All ten agree:
#
# >>> (quotients - saliency[chosen]).abs().max() < 1e-8
# tensor(True)
#
# On the left the picture, on the right its map. Blue pixels speak for a three: more ink
# there raises the score. Red ones speak against it.

fig, axes = plt.subplots(1, 2, figsize=(4.4, 2.2), layout="constrained")
axes[0].imshow(picture.reshape(8, 8), cmap="gray_r")
axes[1].imshow(saliency.reshape(8, 8), cmap="RdBu", vmin=-1.7, vmax=1.7)
for ax, name in zip(axes, ("picture", "gradient")):
    ax.set_title(name)
    ax.axis("off")
fig.set_label(
    "Left a three. Right its saliency map: deep blue right of the middle, where the "
    "two bows meet, and deep red left of the middle, where the picture is white."
)

# %%
# The map does not show the three. It shows what a *little* more ink would do, and it
# says that of white pixels, too, some of them in strong colours:
#
# >>> white = picture < 0.05
# >>> white.sum(), saliency[white].abs().max() > saliency[~white].abs().max() / 2
# (tensor(21), tensor(True))

# %%
# Whose gradient is it?
# ---------------------
#
# Pictures often come as whole numbers up to 255, and are divided before the network
# sees them. Then there are two pictures that one might ask.

raw = (255 * picture).round().requires_grad_()
x = raw / 255
score = network(x)[3]
score.backward(inputs=[raw])
print(x.grad)

# %%
# ``x`` is no leaf, so ``x.grad`` is ``None``, and PyTorch warns. What we find in
# ``raw.grad`` is a gradient, but in other units.
#
# .. predict::
#
#    Which factor leads from the gradient of ``x`` to that of ``raw``?
#
#    .. ask:: factor
#
#    .. answer::
#
#       The slope of the division, :math:`\text{factor} = \frac{1}{255} = 0.003922`. A
#       step of ``epsilon`` in ``x`` is one of :math:`255 \epsilon = 51` in ``raw``. The
#       *sign* is the same.
#
#       .. wrong:: 255
#
#          ``raw`` has the larger numbers, so a unit of it does less. Its gradient is
#          the smaller one.
#
#       .. wrong:: 1
#
#          They show the same picture. A gradient is change per unit, and the units
#          differ.

[by_x] = torch.autograd.grad(network(x)[3], x)
factor = (raw.grad / by_x).mean()
factor

# %%
# We wrote ``inputs=[raw]``. Whoever forgets it leaves more behind than a map.
#
# .. admonition:: Wrong on purpose
#
#    The next cell asks for the gradient of one picture, and writes elsewhere, too. Do
#    not copy it.

# wrong on purpose
x = picture.clone().requires_grad_()
network(x)[3].backward()

# %%
# .. predict::
#
#    There are four weights, ``W1``, ``b1``, ``W2`` and ``b2``, and we wanted a map of
#    the picture. How many of them have a ``.grad`` now?
#
#    .. ask:: touched
#
#    .. answer::
#
#       All of them, :math:`\text{touched} = 4`. ``backward()`` fills each leaf on its
#       way that requires a gradient. If training goes on and does not begin with
#       ``zero_grad()``, its next step also follows the score of this one picture.
#
#       .. wrong:: 0
#
#          So it would be with ``torch.autograd.grad``, which returns what was asked for
#          and leaves ``.grad`` as it is.
#
#       .. wrong:: 2
#
#          The biases are leaves, too.

touched = sum(w.grad is not None for w in weights)
touched

# %%
# So we ask with ``grad`` from now on, and throw away what has been collected.

for w in weights:
    w.grad = None

# %%
# Shares that add up
# ------------------
#
# "Which pixels made this score?" is another question than "which pixels would change
# it?". A first idea is to multiply each pixel by its slope. Two numbers are enough to
# see the trouble.

ab = torch.tensor([2.0, 3.0], requires_grad=True)
product = ab[0] * ab[1]
[slopes] = torch.autograd.grad(product, ab)
by_slopes = ab.detach() * slopes
by_slopes

# %%
# The product is :math:`\text{product} = 6`, and the two shares are
# :math:`\text{by\_slopes} = (6, 6)`. Together they claim 12. Half of that came about
# because each was judged as if the other had been there from the beginning.
#
# *Integrated gradients* do not judge at the end. They walk from an empty start, here
# from two zeros, straight to the input, and ask for the slopes on the way. The share of
# an input is what was added to it, times the *mean* of its slopes.

t = (torch.arange(200) + 0.5) / 200
road = (t[:, None] * ab.detach()).requires_grad_()
[on_the_way] = torch.autograd.grad((road[:, 0] * road[:, 1]).sum(), road)
shares = ab.detach() * on_the_way.mean(dim=0)

# %%
# (The 200 places are the midpoints of 200 equal parts. They go through in one batch,
# and as none of them has to do with another, the gradient of the sum holds the slopes
# of each.)
#
# .. predict::
#
#    The first slope is the second number. Halfway that is half of 3. What are the two
#    shares?
#
#    .. ask:: shares
#
#    .. answer::
#
#       On the way the first slope rises evenly from 0 to 3, so its mean is half of 3,
#       and the share is twice that. The second share is 3 times 1:
#       :math:`\text{shares} = (3, 3)`. Together they are the product.
#
#       .. wrong:: by_slopes
#
#          These are the shares with the slopes at the end of the way.
#
#       .. wrong:: on_the_way.mean(dim=0)
#
#          These are the mean slopes. The share is the slope times what was added.

shares

# %%
# That they add up is no accident. Each share adds up what its own input does to the
# result on the way, and together that is the result at the end minus the result at the
# start, :math:`\sum_i \text{shares}_i = \text{product} - 0 = 6`. This is called
# *completeness*.
#
# Now the three, from an empty page.

x = picture
t = (torch.arange(200, dtype=torch.float64) + 0.5) / 200
road = (t[:, None] * x).requires_grad_()
on_road = network(road)[:, 3]
[slopes] = torch.autograd.grad(on_road.sum(), road)
shares = x * slopes.mean(dim=0)
blank = network(torch.zeros_like(x))[3].detach()

# %%
# .. predict::
#
#    The score of the three is :math:`f = 11.854` at the picture, and on the empty page
#    it is :math:`\text{blank} = -1.591`. What do the shares of the 64 pixels add up to?
#
#    .. ask:: shares.sum()
#
#    .. answer::
#
#       To the rise, :math:`f - \text{blank} = 13.445`. Indeed :math:`\sum_i
#       \text{shares}_i = 13.445`. The slopes at 200 places stand for those between
#       them, so a small error is left:
#
#       >>> 1e-6 < (shares.sum() - (f - blank)).abs() < 1e-4
#       tensor(True)
#
#       .. wrong:: f
#
#          This is the score at the picture. On the empty page it was not 0.
#
#       .. wrong:: f + blank
#
#          The score begins below 0, so it rises by more than it reaches.

shares.sum()

# %%
# How does the score grow when the ink comes slowly? The picture shows it along the
# road. The slope at the point says how far the score would rise on the whole road, if
# it rose everywhere as it does there. Move the point to the end.

ink = torch.linspace(0, 1, 11, dtype=torch.float64)
partly = (ink[:, None] * x).requires_grad_()
level = network(partly)[:, 3]
rise = torch.autograd.grad(level.sum(), partly)[0] @ x
level = level.detach()
reach = torch.tensor([-0.2, 0.2])
so_far = F.pad((slopes @ x).cumsum(0) / 200, (1, 0))[::20]
plot = MovingPlot(
    {"ink": ink},
    "The score of the three, from an empty page to the picture",
    xlim=(0, 1),
    ylim=(-2, 14),
    xlabel="ink",
    ylabel="score",
)
plot.line(t, on_road, "score")
plot.line(
    ink[:, None] + reach, level[:, None] + rise[:, None] * reach, "slope at the point"
)
plot.point(ink, level, "here")
plot.say("Here the slope is {slope:.2f}.", slope=rise)
plot.say("The shares so far add up to {sum:.2f}.", sum=so_far)
plot.say("The score has risen by {risen:.2f}.", risen=level - level[0])
plot

# %%
# At the end the curve is much flatter than at the beginning, since hidden units are
# saturated there. The slope of tanh is 1 at most, and this is its mean over the units
# at the beginning, halfway and at the end, below the slopes of the score:
#
# >>> rise[[0, 5, 10]]
# tensor([22.03, 13.02,  4.04], dtype=torch.float64)
# >>> (1 - torch.tanh(partly @ W1 + b1) ** 2).mean(dim=1)[[0, 5, 10]].detach()
# tensor([0.914, 0.638, 0.386], dtype=torch.float64)
#
# So the slopes at the picture itself account for less than a third of the rise:

end_shares = x * saliency
end_shares.sum()

# %%
# >>> end_shares.sum() / shares.sum()
# tensor(0.300, dtype=torch.float64)
#
# Here are both as pictures. Blue shares raise the score, red ones lower it. In both,
# white pixels are pale: a share is the slope times the ink, and there is next to none.
#
# >>> white = picture < 0.05
# >>> [(m[white].abs().max() / m.abs().max()).item() for m in (end_shares, shares)]
# [0.015, 0.021]

fig, axes = plt.subplots(1, 2, figsize=(4.4, 2.2), layout="constrained")
for ax, map_, name in zip(axes, (end_shares, shares), ("at the end", "on the road")):
    ax.imshow(map_.reshape(8, 8), cmap="RdBu", vmin=-2.6, vmax=2.6)
    ax.set_title(name)
    ax.axis("off")
fig.set_label(
    "Two maps of the three, on which only pixels with ink have colours. At the end of "
    "the road they are pale, but for a blue one where the two bows meet. Along the "
    "road they are stronger: blue on most of the pen's way, clearly red in one at its "
    "top."
)

# %%
# A step against the network
# --------------------------
#
# Back to the question of the beginning: what can 64 inputs do, if each may change by a
# little? We use the attack as a measuring instrument. It tells how far the answers of a
# network hang on changes that mean little to us. This time the gradient is that of the
# loss, so a step *along* its sign makes the loss larger.

leaf = test_X.clone().requires_grad_()
loss = F.cross_entropy(network(leaf), test_labels)
[g] = torch.autograd.grad(loss, leaf)
chance = torch.randn_like(test_X).sign()


def attacked(pictures, direction, epsilon):
    return (pictures + epsilon * direction).clamp(0, 1)


# %%
# (``clamp`` keeps the pixels between white and black. The loss is a mean, so the
# gradient of each picture is divided by 500, and its sign does not mind.)
#
# .. predict::
#
#    Each pixel moves by ``epsilon``, as above. Once the signs are drawn by chance, once
#    they are those of the gradient. Of ten pictures, how many does the network still
#    read, rounded? Type the two numbers.
#
#    .. ask:: of_ten
#
#    .. answer::
#
#       Nine and none, :math:`\text{of\_ten} = (9, 0)`.
#
#       >>> accuracy(network(attacked(test_X, chance, epsilon)), test_labels)
#       0.912
#       >>> accuracy(network(attacked(test_X, g.sign(), epsilon)), test_labels)
#       0.024
#
#       .. wrong:: [9, 9]
#
#          Each pixel moves as far in both. With signs by chance, much of what one pixel
#          does another one takes back. With those of the gradient, they push the same
#          way.
#
#       .. wrong:: [0, 0]
#
#          Noise of this size is little trouble: much of what one pixel adds to a
#          score, another one takes away.
#
#       .. wrong:: [9, 5]
#
#          Half of this step leaves five, as the slider below shows.

of_ten = torch.tensor(
    [
        10 * accuracy(network(attacked(test_X, direction, epsilon)), test_labels)
        for direction in (chance, g.sign())
    ]
).round()
of_ten

# %%
# For a small step, the loss of a picture changes by the sum of its slopes, each times
# the move of its pixel. With the signs of the gradient that is :law:`\epsilon \lVert g
# \rVert_1`. With signs by chance it is around 0, with a standard deviation of
# ``epsilon`` times the length of the gradient, :law:`\epsilon \lVert g \rVert_2`. For
# our three, the first is about six times as large:
#
# >>> own = g[434]
# >>> own.abs().sum() / own.norm()
# tensor(5.96, dtype=torch.float64)
# >>> draws = torch.randn(10_000, 64).double().sign()
# >>> (draws @ own).std() / own.norm()
# tensor(1.012, dtype=torch.float64)
#
# With slopes of one size, the ratio would be the root of the number of pixels. That is
# 8 for ours, and nearly 400 for a photograph of 224 by 224 pixels in three colours:
# :math:`\sqrt{3 \cdot 224^2} = 387.98`. So the more pixels there are, the further
# an attack can go beyond noise of the same size.
#
# Now watch the three, printed as newspapers print: up to nine dots in each pixel, the
# more ink, the more dots.

row, column = torch.cartesian_prod(torch.arange(8), torch.arange(8)).T
order = [4, 1, 7, 3, 5, 0, 8, 2, 6]  # from the middle of a pixel to its corners
dots = torch.cartesian_prod(torch.arange(3), torch.arange(3))[order] / 3 - 1 / 3
across = (column[:, None] + dots[:, 0]).flatten()
up = (7 - row[:, None] + dots[:, 1]).flatten()


def printed(pictures):
    """Return how high each dot stands, or nan if the pixel has less ink."""
    inked = pictures[..., None] > (torch.arange(9) + 0.5) / 9
    return torch.where(inked.flatten(-2), up, torch.nan)


# %%
# The slider changes how far each pixel moves.

sizes = torch.arange(13) / 40
frames = torch.stack([attacked(picture, g[434].sign(), size) for size in sizes])
with torch.no_grad():
    sure, said = network(frames).softmax(dim=1).max(dim=1)
shares_read = [
    [accuracy(network(attacked(test_X, way, size)), test_labels) for size in sizes]
    for way in (g.sign(), chance)
]
plot = MovingPlot(
    {"epsilon": sizes},
    "A three under attack",
    xlim=(-0.7, 7.7),
    ylim=(-0.7, 7.7),
    equal=True,
    start={"epsilon": 0.1},
)
plot.points(across, printed(frames), "ink")
plot.say(
    "The network says {answer}, with the probability {sure:.2f}.",
    answer=said,
    sure=sure,
)
plot.say(
    "Of the test data it reads a share of {attacked:.3f}; with signs by chance, "
    "{by_chance:.3f}.",
    attacked=shares_read[0],
    by_chance=shares_read[1],
)
plot

# %%
# Where does the answer turn, and what do you read there? And how sure is the network a
# third of the way, just behind the turn, and at the end?
#
# >>> sizes[[5, 6]], said[[5, 6]]
# (tensor([0.1250, 0.1500]), tensor([3, 2]))
# >>> sure[[4, 6, 12]]
# tensor([0.870, 0.559, 0.955], dtype=torch.float64)
#
# For those who do not see the dots: 19 pixels of the three are more than half dark.
# Just behind the turn, 17 of them still are, and 4 others have become so. At the end 16
# are left, and 7 are new:
#
# >>> dark = frames > 0.5
# >>> (dark & dark[0]).sum(dim=1)[[0, 6, 12]], (dark & ~dark[0]).sum(dim=1)[[0, 6, 12]]
# (tensor([19, 17, 16]), tensor([0, 4, 7]))
#
# Our pictures have few pixels, so the change can be seen. The paper that introduced
# this step (below) turns the answer for a photograph with an ``epsilon`` of 0.007.
#
# Nothing here needs a hidden layer. The single layer is led astray as well, by many
# small pushes in one direction, as the neuron with two inputs was:
#
# >>> leaf = test_X.clone().requires_grad_()
# >>> loss = F.cross_entropy(leaf @ W + b, test_labels)
# >>> [g_layer] = torch.autograd.grad(loss, leaf)
# >>> accuracy(attacked(test_X, g_layer.sign(), epsilon) @ W + b, test_labels)
# 0.050

# %%
# A network that seems safe
# -------------------------
#
# Somebody sells us a network that withstands this attack. It is ours: the scores are
# multiplied by 30, and it computes in float32, PyTorch's default.

single = test_X.float()
small = [weight.detach().float() for weight in weights]


def sharp(x):
    return 30 * (torch.tanh(x @ small[0] + small[1]) @ small[2] + small[3])


# %%
# The largest score is still the largest, so it reads as well as ours:
#
# >>> accuracy(sharp(single), test_labels)
# 0.970
#
# .. admonition:: Wrong on purpose
#
#    The next cell measures how safe it is by the sign of a gradient that is no longer
#    there. Do not copy it.

# wrong on purpose
leaf = single.clone().requires_grad_()
scores = sharp(leaf)
loss = F.cross_entropy(scores, test_labels)
[g_sharp] = torch.autograd.grad(loss, leaf, retain_graph=True)

# %%
# .. predict::
#
#    The same attack, with the same step: of ten pictures, how many does this network
#    read, rounded?
#
#    .. ask:: withstands
#
#    .. answer::
#
#       Nine, :math:`\text{withstands} = 9`. Where the network is right, it is mostly so
#       sure that float32 rounds the probability of the label to 1, and what the nine
#       others send back to 0. Then nothing comes back to the ten scores, nor to the
#       pixels, and the sign of 0 is 0. These pictures stay as they were:
#
#       >>> [at_scores] = torch.autograd.grad(loss, scores, retain_graph=True)
#       >>> unmoved = (at_scores == 0).all(dim=1)
#       >>> unmoved.double().mean() > 0.8, g_sharp[unmoved].abs().max()
#       (tensor(True), tensor(0.))
#
#       .. wrong:: 0
#
#          A factor does not change the sign of a gradient, as long as the gradient is
#          not rounded to 0.
#
#       .. wrong:: 2
#
#          So it is in float64, which can tell smaller probabilities from 0.

withstands = round(
    10 * accuracy(sharp(attacked(single, g_sharp.sign(), epsilon)), test_labels)
)
withstands

# %%
# The nine small probabilities make the difference. float64, too, rounds nearly all of
# the 500 largest to 1, but few of the 4500 others to 0:
#
# >>> p32, p64 = sharp(single).softmax(dim=1), (30 * network(test_X)).softmax(dim=1)
# >>> (p32 == 1).sum() > 450, (p64 == 1).sum() > 450
# (tensor(True), tensor(True))
# >>> (p32 == 0).sum() > 4000, (p64 == 0).sum() < 100
# (tensor(True), tensor(True))
#
# The network did not become safer, the instrument became blind. Ask for a gradient
# that softmax does not round away, that of the best wrong score minus the right one,
# and few pictures are left:

wrong_scores = scores.scatter(1, test_labels[:, None], -torch.inf)
right_scores = scores.gather(1, test_labels[:, None])[:, 0]
lead = (wrong_scores.amax(dim=1) - right_scores).sum()
[g_lead] = torch.autograd.grad(lead, leaf)
led = sharp(attacked(single, g_lead.sign(), epsilon))
led_astray = accuracy(led, test_labels)
led_astray

# %%
# >>> led_astray < 0.05
# True
#
# Defences have been published whose strength was of this kind; the last source below
# broke six of them altogether. So an accuracy under attack that is surprisingly good is
# a reason to look at the gradient first.

# %%
# Exercises
# ---------
#
# .. exercise::
#
#    Make the network read eights in the threes of the test data, with an ``epsilon`` of
#    0.3. Which gradient do you ask for, and in which direction do you go?
#
#    .. answer::
#
#       That of the loss with the label 8. This loss should become *smaller*, so the
#       step goes against its sign.
#
#       >>> threes = test_X[test_labels == 3]
#       >>> leaf = threes.clone().requires_grad_()
#       >>> wanted = torch.full((len(threes),), 8)
#       >>> loss = F.cross_entropy(network(leaf), wanted)
#       >>> [g_wanted] = torch.autograd.grad(loss, leaf)
#       >>> led = network(attacked(threes, -g_wanted.sign(), 0.3)).argmax(dim=1)
#       >>> len(threes), (led == 8).sum()
#       (53, tensor(48))
#
# .. exercise::
#
#    Why the sign, and not the gradient itself? Stretch each picture's gradient so that
#    its largest pixel moves by ``epsilon``, and then so that the move has the same
#    length as that of the sign.
#
#    .. answer::
#
#       It depends on what is scarce. If each pixel may move by ``epsilon``, the sign
#       uses that up in all pixels, and the gradient in one. If the *length* of the move
#       is given, the gradient itself is the steepest way.
#
#       >>> by_largest = g / g.abs().amax(dim=1, keepdim=True)
#       >>> accuracy(network(attacked(test_X, by_largest, epsilon)), test_labels)
#       0.560
#       >>> by_length = 8 * g / g.norm(dim=1, keepdim=True)
#       >>> accuracy(network(attacked(test_X, by_length, epsilon)), test_labels)
#       0.004
#
# .. exercise::
#
#    Walk to the three from a *black* page. What do the shares add up to, and what do
#    the white pixels get?
#
#    .. answer::
#
#       To the difference of the scores again, but of other scores. Now the white pixels
#       have changed, and get more than the whole: the others take some back. Where the
#       road begins is a choice, and a map should say which one was made.
#
#       >>> black = torch.ones(64).double()
#       >>> road = (black + t[:, None] * (picture - black)).requires_grad_()
#       >>> [slopes] = torch.autograd.grad(network(road)[:, 3].sum(), road)
#       >>> shares = (picture - black) * slopes.mean(dim=0)
#       >>> shares.sum(), shares[picture < 0.05].sum()
#       (tensor(10.92, dtype=torch.float64), tensor(12.05, dtype=torch.float64))
#       >>> (network(picture) - network(black))[3].item()
#       10.92
#
# .. exercise::
#
#    *Spot the error.* "Picture times gradient, without its signs, shows the digit. So
#    the network has understood the digit." Try a network that has not learned anything.
#
#    .. answer::
#
#       Its maps, made in this way, look similar. What one sees in them is the picture,
#       which is a factor of both. (``alike`` is the *correlation* of two maps of a
#       picture, averaged over the pictures: the cosine of the angle between them, once
#       each has lost its mean. It is 1 if both rise and fall together, and about 0 if
#       one says nothing about the other.)
#
#       >>> def maps_of(read):
#       ...     leaf = test_X.clone().requires_grad_()
#       ...     own = read(leaf).gather(1, test_labels[:, None])
#       ...     return torch.autograd.grad(own.sum(), leaf)[0]
#       >>> def alike(*maps):
#       ...     maps = [m.abs() - m.abs().mean(dim=1, keepdim=True) for m in maps]
#       ...     return F.cosine_similarity(*maps, dim=1).mean()
#       >>> generator = torch.manual_seed(0)
#       >>> V1, V2 = torch.randn(64, 32).double() / 8, torch.randn(32, 10).double()
#       >>> taught, untaught = maps_of(network), maps_of(lambda x: (x @ V1).tanh() @ V2)
#       >>> alike(test_X * taught, test_X * untaught)
#       tensor(0.540, dtype=torch.float64)
#       >>> alike(taught, untaught).abs() < 0.05
#       tensor(True)
#
#       The gradients themselves tell the two networks apart. So compare a map with that
#       of random weights before you believe it.

# %%
# What we can do now
# ------------------
#
# - Ask for the gradient with respect to an input, and leave the weights alone.
# - Check a map by differences, and compare it with that of random weights.
# - Share out a score so that the shares add up, and say from where.
# - Measure how a network reads under attack, and distrust a number that is too good.
#
# Next, a picture :doc:`climbs </lessons/5_capstones/40_feature_visualisation>` along
# this gradient, until the network is as sure as it can be.

# %%
# Credits and licences
# --------------------
#
# Saliency maps are from `Deep inside convolutional networks
# <https://arxiv.org/abs/1312.6034>`__, integrated gradients from `Axiomatic attribution
# for deep networks <https://arxiv.org/abs/1703.01365>`__, and the step by the sign from
# `Explaining and harnessing adversarial examples <https://arxiv.org/abs/1412.6572>`__.
# That a map should be compared with that of random weights is shown in `Sanity checks
# for saliency maps <https://arxiv.org/abs/1810.03292>`__, and that hidden gradients
# make no defence in `Obfuscated gradients give a false sense of security
# <https://arxiv.org/abs/1802.00420>`__. Our text is under `CC BY-SA 4.0
# <https://creativecommons.org/licenses/by-sa/4.0/>`__, our code under the `MIT licence
# <https://opensource.org/license/mit>`__.
