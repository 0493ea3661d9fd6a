r"""
Feature visualisation
=====================

The weights stand still and the picture learns: it climbs until a network is as sure as
it can be. At the end we can let a network draw what one of its scores answers to, keep
the drawing within bounds, and say what such a drawing proves, and what it does not.

:Time: 35 minutes
:Needs: :doc:`The gradient of a picture </lessons/5_capstones/30_saliency>`
:Level: Capstones
:Tags: training, leaves, derivatives
"""

# sphinx_gallery_thumbnail_number = -1

# %%
# The gradient with respect to a picture says which small change raises a score. Nobody
# keeps us from making this change, asking again, and going on. First with two inputs.

import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F

from torchutils import MovingPlot, record_backward

# %%
# Two inputs climb
# ----------------
#
# Our neuron weighs its inputs, and we look for those that please it best. Its sum ``z``
# has no largest value: twice as much of the right input pleases it more. So large
# inputs have to cost something, here the sum of their squares. (We leave the bias out.
# It shifts the sum, wherever we are, and has no slope with respect to the inputs.)

x = torch.tensor([-1.0, -2.0], requires_grad=True)
w = torch.tensor([2.0, -3.0])
z = w @ x
cost = x @ x
goal = z - cost

# %%
# At the start it is :math:`z = w^\top x = 4` and :math:`\text{cost} = x^\top x = 5`, so
# :math:`\text{goal} = z - \text{cost} = -1`.
#
# .. predict::
#
#    What is the gradient of ``goal`` with respect to ``x``?
#
#    .. ask:: x.grad
#
#    .. answer::
#
#       The sum gives the weights, and the cost takes twice the inputs away:
#       :math:`\nabla_x \text{goal} = w - 2x = (4, 1)`.
#
#       .. wrong:: -x.grad
#
#          This is the way *down*. We want to climb.
#
#       .. wrong:: w
#
#          This is the gradient of ``z``. The cost has a slope, too.
#
#       .. wrong:: w + 2 * x
#
#          The cost is subtracted, and so is its slope.

record_backward(goal, locals(), direction="TB")

# %%
# The input has two uses, and at :step:`x is a leaf` both have arrived. Until now we
# went against a gradient, as a loss should fall. This goal should rise, so we go
# *along* it.

climbed = x.detach().clone()
for _ in range(50):
    climbed += 0.1 * (w - 2 * climbed)

# %%
# .. predict::
#
#    Where does the input come to rest? Type its two numbers.
#
#    .. ask:: climbed
#
#    .. answer::
#
#       Where the gradient is zero, so where twice the input is the weights:
#       :math:`\frac{w}{2} = (1, -1.5)`. There the goal is
#       :math:`w^\top \frac{w}{2} - \frac{w^\top w}{4} = 3.25`.
#
#       .. wrong:: w
#
#          The square has a slope of *twice* the input.
#
#       .. wrong:: [0, 0]
#
#          There the cost is smallest. The neuron wants something as well.

climbed

# %%
# The best input is a picture of the weights. Keep that in mind for later.
#
# .. admonition:: Wrong on purpose
#
#    The next cell has a minus out of habit. Do not copy it.

# wrong on purpose
fallen = x.detach().clone()
for _ in range(20):
    fallen -= 0.1 * (w - 2 * fallen)
fallen

# %%
# .. predict::
#
#    The distance to the best input: by which factor does one *right* step multiply it,
#    and by which one a step with the minus?
#
#    .. ask:: factors
#
#    .. answer::
#
#       By :math:`\text{factors} = (0.8, 1.2)`. A right step goes a fifth of the way,
#       as the gradient is twice the distance and the rate is a tenth. The other one
#       goes just as far in the wrong direction.
#
#       .. wrong:: [0.9, 1.1]
#
#          The rate is a tenth, but the slope of a square is twice its argument.
#
#       .. wrong:: [1.2, 0.8]
#
#          A goal rises when we go along its gradient.

best = w / 2
right, wrong = x + 0.1 * (w - 2 * x), x - 0.1 * (w - 2 * x)
factors = torch.stack([(right - best).norm(), (wrong - best).norm()]).detach()
factors /= (x - best).norm().detach()
factors

# %%
# No error told us. So print the goal, not the step: it should rise. (PyTorch's
# optimisers go down; ``maximize=True`` turns them round, as an exercise shows.)

# %%
# A network that stands still
# ---------------------------
#
# We draw the digits again and train the single layer and the network again, as in
# :doc:`the lesson before </lessons/5_capstones/30_saliency>`. Skip it if you know it.

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
# >>> accuracy(test_X @ W + b, test_labels), accuracy(network(test_X), test_labels)
# (0.944, 0.97)
#
# From here on the weights are frozen. The input is a grey page, and it is the one leaf
# that requires a gradient.

for weight in (W, b, *weights):
    weight.requires_grad_(False)

x = torch.full((64,), 0.5, dtype=torch.float64, requires_grad=True)
score = network(x)[3]
score

# %%
# Frozen weights stop nothing on the way back, they are no longer a goal of it. The
# gradient arrives at the pixels:
#
# >>> torch.autograd.grad(score, x, retain_graph=True)[0].shape
# torch.Size([64])
#
# Now a step. The obvious line raises an error:

try:
    x += 0.05 * torch.autograd.grad(score, x)[0]
except RuntimeError as error:
    message = str(error)
    print(message)

# %%
# .. predict::
#
#    ``x = x + ...`` raises no error. We take three steps in this way, under the name
#    ``grown``. Each step adds the gradient, and clamps. How many nodes lie then on the
#    way from ``grown`` back to the grey page?
#
#    .. ask:: nodes
#
#    .. answer::
#
#       Six additions and clamps, and the ``AccumulateGrad`` of the page at the end:
#       :math:`\text{nodes} = 7`. The name ``grown`` now means another tensor, which
#       is no leaf. Each step makes the record longer.
#
#       .. wrong:: 0
#
#          A new tensor is no new leaf. It remembers how it was made.
#
#       .. wrong:: 6
#
#          The leaf has a node, too.
#
#       .. wrong:: 3
#
#          A step is an addition and a clamp.

grown = x
for _ in range(3):
    [slope] = torch.autograd.grad(network(grown)[3], grown)
    grown = (grown + 0.05 * slope).clamp(0, 1)

node, nodes = grown.grad_fn, 0
while node is not None:
    nodes += 1
    node = node.next_functions[0][0] if node.next_functions else None
nodes

# %%
# So the step is taken in place, under ``no_grad``, as for weights. The pixels stay
# between white and black, and their squares cost as above.


def climb(goal, start, steps=300, rate=0.05):
    """Return the pictures on the way up, one more than there are steps."""
    x = start.clone().requires_grad_()
    path = [x.detach().clone()]
    for _ in range(steps):
        [slope] = torch.autograd.grad(goal(x), x)
        with torch.no_grad():
            x += rate * slope
            x.clamp_(0, 1)
        path.append(x.detach().clone())
    return torch.stack(path)


grey = torch.full((64,), 0.5, dtype=torch.float64)
path = climb(lambda x: network(x)[3] - x @ x, grey)
scores = network(path)
best_three = network(X)[:, 3].max()

# %%
# A picture climbs
# ----------------
#
# Such a climb is called *feature visualisation*.
#
# .. predict::
#
#    Of the 1500 pictures that the network has learned from, the best three has the
#    score :math:`\text{best\_three} = 12.75`. The grey page has
#    :math:`\text{scores}_{0,3} = 0.77`. Where does the climb end: 1 below the grey
#    page, 2 between the two, 3 above the best three? Type a number, and think of the
#    cost.
#
#    .. ask:: place
#
#    .. answer::
#
#       Between them, :math:`\text{place} = 2`, but much nearer to the best three,
#       and with far less ink. The network is sure that it sees a three.
#
#       >>> scores[300, 3], scores[300].softmax(dim=0)[3]
#       (tensor(11.07, dtype=torch.float64), tensor(0.9998, dtype=torch.float64))
#       >>> path[300].sum(), X[network(X)[:, 3].argmax()].sum()
#       (tensor(8.1, dtype=torch.float64), tensor(20.4, dtype=torch.float64))
#
#       .. wrong:: 3
#
#          So it would be without the cost, as an exercise shows.
#
#       .. wrong:: 1
#
#          Ink costs something, but the pixels that make a three bring more.

place = 1 + torch.stack([scores[0, 3], best_three]).lt(scores[300, 3]).sum()
place

# %%
# Watch it climb. Each pixel is printed with up to nine dots, the more ink, the more
# dots.

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
# The slider takes the first steps one by one, and then greater leaps.

steps = torch.tensor([0, 1, 2, 3, 4, 5, 7, 10, 15, 20, 40, 300])
plot = MovingPlot(
    {"step": steps},
    "A grey page becomes a three, for the network",
    xlim=(-0.7, 7.7),
    ylim=(-0.7, 7.7),
    equal=True,
)
plot.points(across, printed(path[steps]), "ink")
plot.say(
    "The score of the three is {score:.2f}, its probability {sure:.4f}.",
    score=scores[steps, 3],
    sure=scores[steps].softmax(dim=1)[:, 3],
)
goals = scores[:, 3] - (path**2).sum(dim=1)
plot.say("The goal, score minus cost, is {goal:.2f}.", goal=goals[steps])
plot.say(
    "The page has ink for {ink:.1f} black pixels, and {white} white ones.",
    ink=path[steps].sum(dim=1),
    white=(path[steps] == 0).sum(dim=1),
)
plot

# %%
# After how many steps is the network sure to 99 %? And after how many would you read a
# three?
#
# >>> sure = scores.softmax(dim=1)[:, 3]
# >>> (sure > 0.99).nonzero()[0]
# tensor([3])
#
# What climbs is the goal. The score is higher after 7 steps than at the end: from there
# on, cheaper ink is worth more than a higher score.
#
# >>> goals.diff().min() > -1e-9
# tensor(True)
# >>> scores[[7, 300], 3], goals[[7, 300]]
# (tensor([11.53, 11.07], dtype=torch.float64), tensor([5.75, 7.96],
# dtype=torch.float64))

# %%
# Where it comes to rest
# ----------------------
#
# With two inputs, the end was where the gradient of the goal was zero. Here a pixel can
# also rest at the border, where ``clamp`` holds it.

x = path[300].clone().requires_grad_()
[slope] = torch.autograd.grad(network(x)[3], x)
x = x.detach()
ink, wish = x.max(), slope[x.argmax()]
inside, white = (x > 0) & (x < 1), x == 0
inside.sum(), white.sum()

# %%
# .. predict::
#
#    The darkest pixel has :math:`\text{ink} = 0.6770`. What is the slope of the *score*
#    there?
#
#    .. ask:: wish
#
#    .. answer::
#
#       Twice the ink, :math:`\text{wish} = 2 \cdot \text{ink} = 1.3540`. What the score
#       gains by a little more ink, the cost takes away.
#
#       .. wrong:: 0
#
#          This is the slope of the goal. The score alone would like more ink.
#
#       .. wrong:: ink
#
#          The square of the ink has a slope of twice the ink.

wish

# %%
# So it is in each pixel that has ink. And where the page is white, the score falls with
# ink:
#
# >>> (slope - 2 * x)[inside].abs().max() < 1e-9
# tensor(True)
# >>> slope[white].max() < 0
# tensor(True)
#
# Now we can read the drawing. Its ink is half of its own saliency map, where this is
# positive: the climb ends where picture and map agree.

# %%
# What a single layer draws
# -------------------------
#
# The score of a single layer is a weighted sum, as that of the neuron. So we know the
# end of the climb: half of the weights where they are positive, and white elsewhere.

end = climb(lambda x: (x @ W + b)[3] - x @ x, grey)[300]
half = (W[:, 3] / 2).clamp(min=0)

# %%
# >>> (end - half).abs().max() < 1e-9
# tensor(True)
#
# Here are both climbs, and for comparison the mean of the threes that they have learned
# from:

mean = X[labels == 3].mean(dim=0)
fig, axes = plt.subplots(1, 3, figsize=(4.4, 1.9), layout="constrained")
for ax, image, name in zip(
    axes, (end, path[300], mean), ("one layer", "network", "mean three")
):
    ax.imshow(image.reshape(8, 8), cmap="gray_r", vmin=0, vmax=1)
    ax.set_title(name)
    ax.axis("off")
fig.set_label(
    "Three pictures. The single layer and the network have drawn a few grey pixels, "
    "most of them where the mean three, on the right, has ink."
)

# %%
# Neither drawing is the mean three. A network is trained to tell a three from the
# *other nine* digits, and what all digits share is of no use for that. In the single
# layer, the ten pictures of weights add up to 0: where one gains, others lose.
#
# >>> W.sum(dim=1).abs().max() < 1e-9
# tensor(True)
#
# The mean three scores hardly higher than the network's drawing, with more than twice
# the ink:
#
# >>> network(mean)[3], mean.sum()
# (tensor(11.17, dtype=torch.float64), tensor(19.7, dtype=torch.float64))

# %%
# A penalty without a slope
# -------------------------
#
# The drawings are restless. A known remedy is a price on the *total variation*, the sum
# of the differences between neighbours without their signs.


def variation(x):
    square = x.reshape(8, 8)
    down, right = square[1:] - square[:-1], square[:, 1:] - square[:, :-1]
    return down.abs().sum() + right.abs().sum()


x = grey.clone().requires_grad_()
[flat] = torch.autograd.grad(variation(x), x)

# %%
# .. predict::
#
#    On the grey page each difference is 0. What is the largest slope of the variation
#    there?
#
#    .. ask:: flat.abs().max()
#
#    .. answer::
#
#       It is 0, :math:`\max_i \lvert \text{flat}_i \rvert = 0`: each difference stands
#       on its kink, and PyTorch gives the absolute value the slope 0 there. At the
#       first step the penalty is silent.
#
#       .. wrong:: 4
#
#          A pixel has up to four neighbours, and each difference has the slope 1 or −1,
#          unless it is 0.
#
#       .. wrong:: 1
#
#          So it is at each side of the kink. On it PyTorch chooses the middle.

flat.abs().max()

# %%
# The two differences of a pixel can also be written as one length, by Pythagoras.
#
# .. admonition:: Wrong on purpose
#
#    The next cell takes the root of a sum of squares where the squares are 0. Do not
#    copy it.

# wrong on purpose
square = x.reshape(8, 8)
down, right = square[1:, 1:] - square[:-1, 1:], square[1:, 1:] - square[1:, :-1]
length = (down**2 + right**2).sqrt().sum()
[broken] = torch.autograd.grad(length, x)
broken.isnan().sum()

# %%
# ``sqrt`` has an infinite slope at 0, and the square has the slope 0 there: their
# product is NaN. After one step the picture is gone but for a corner, without an error.
# A small number under the root helps:
#
# >>> square = x.reshape(8, 8)
# >>> down, right = square[1:, 1:] - square[:-1, 1:], square[1:, 1:] - square[1:, :-1]
# >>> length = (down**2 + right**2 + 1e-8).sqrt().sum()
# >>> torch.autograd.grad(length, x)[0].abs().max()
# tensor(0., dtype=torch.float64)
#
# Back to the signless differences, whose gradient is finite. We let the drawing pay
# for them, once with the rate of before, once with a tenth of it and ten times as many
# steps.


def calmer(x):
    return network(x)[3] - x @ x - 1.25 * variation(x)


fast = climb(calmer, grey)
slow = climb(calmer, grey, steps=3000, rate=0.005)
variations = torch.tensor(
    [sum(map(variation, way[-100:])) / 100 for way in (path, fast, slow)]
)

# %%
# .. predict::
#
#    Three drawings: 1 without the price, 2 with it at the rate of before, 3 with it at
#    a tenth of the rate. Which one has the *largest* variation, on average over its
#    last hundred steps?
#
#    .. ask:: largest
#
#    .. answer::
#
#       The second, :math:`\text{largest} = 2`, with :math:`\text{variations} = (16.3,
#       22.1, 3.7)`. The price on unrest makes unrest: the slope of a difference is 1
#       just beside its kink, so each step leaps over the kink and the next one leaps
#       back. The pixels flutter, by as much as the rate allows.
#
#       >>> [(way[-1] - way[-2]).abs().max().item() for way in (path, fast, slow)]
#       [0.00, 0.35, 0.03]
#
#       .. wrong:: 1
#
#          So one would hope, and so it is at a small rate.
#
#       .. wrong:: 3
#
#          A small rate leaps less far over a kink, so its drawing is the calmest.

largest = variations.argmax() + 1
largest

# %%
# The gradient is right in each step. It is the step that does not fit: beside a kink, a
# slope does not become small when the goal is near.

drawings = torch.stack(
    [climb(lambda x, k=k: network(x)[k] - x @ x, grey)[300] for k in range(10)]
)
drawings.shape

# %%
# Here are the three drawings, and below them those of the ten scores, without the
# price.

fig, axes = plt.subplots(1, 3, figsize=(4.4, 1.9), layout="constrained")
for ax, way, name in zip(axes, (path, fast, slow), ("no price", "price", "small rate")):
    ax.imshow(way[-1].reshape(8, 8), cmap="gray_r", vmin=0, vmax=1)
    ax.set_title(name)
    ax.axis("off")
fig.set_label(
    "Three drawings of a three: loose groups of grey pixels, a chequered one, and one "
    "of a few even areas."
)
plt.show()
fig, axes = plt.subplots(2, 5, figsize=(4.4, 2.4))
for digit, ax in enumerate(axes.flat):
    ax.imshow(drawings[digit].reshape(8, 8), cmap="gray_r", vmin=0, vmax=1)
    ax.set_title(digit)
    ax.axis("off")
fig.set_label(
    "Ten drawings, one for each score: a few grey or black pixels each, in which one "
    "could guess some of the digits."
)

# %%
# The network reads each of the ten as it should, and is sure. We would not be.
#
# >>> network(drawings).argmax(dim=1)
# tensor([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
# >>> network(drawings).softmax(dim=1).diagonal().min() > 0.998
# tensor(True)
#
# A high probability says that this network finds a picture *more like a three than like
# the other nine*. It does not say that the picture is like a three.

# %%
# Exercises
# ---------
#
# .. exercise::
#
#    Climb without the cost. What score does the network reach, and how many pixels end
#    at a border?
#
#    .. answer::
#
#       More than the best three that it has learned from. White and black hold it back.
#
#       >>> wild = climb(lambda x: network(x)[3], grey)[300]
#       >>> network(wild)[3], best_three
#       (tensor(14.71, dtype=torch.float64), tensor(12.75, dtype=torch.float64))
#       >>> ((wild == 0) | (wild == 1)).sum()
#       tensor(46)
#
# .. exercise::
#
#    Climb from three pages of random pixels instead of the grey one. Do they end in the
#    same drawing?
#
#    .. answer::
#
#       With the cost they do. Without it they reach nearly the same score with
#       different drawings: where these differ, the score has next to no slope left.
#
#       >>> generator = torch.manual_seed(0)
#       >>> pages = grey, *torch.rand(3, 64, dtype=torch.float64)
#       >>> def ends(price):
#       ...     def goal(x):
#       ...         return network(x)[3] - price * x @ x
#       ...     return torch.stack([climb(goal, page)[300] for page in pages])
#       >>> with_cost, without = ends(1), ends(0)
#       >>> (with_cost - with_cost[0]).abs().max() < 1e-9
#       tensor(True)
#       >>> leaf = without.clone().requires_grad_()
#       >>> [slopes] = torch.autograd.grad(network(leaf)[:, 3].sum(), leaf)
#       >>> apart = without.amax(dim=0) - without.amin(dim=0) > 0.2
#       >>> apart.sum() > 9, slopes[:, apart].abs().max() < 0.1 < slopes.abs().max()
#       (tensor(True), tensor(True))
#       >>> network(with_cost)[:, 3].std() < 1e-9, network(without)[:, 3].std() < 0.1
#       (tensor(True), tensor(True))
#
# .. exercise::
#
#    Let ``torch.optim.SGD`` climb. What do you hand it, and what do you tell it?
#
#    .. answer::
#
#       The picture, and ``maximize=True``. Clamp after each step, under ``no_grad``.
#
#       >>> x = grey.clone().requires_grad_()
#       >>> optimiser = torch.optim.SGD([x], lr=0.05, maximize=True)
#       >>> for _ in range(300):
#       ...     optimiser.zero_grad()
#       ...     (network(x)[3] - x @ x).backward()
#       ...     optimiser.step()
#       ...     with torch.no_grad():
#       ...         _ = x.clamp_(0, 1)
#       >>> (x - path[300]).abs().max().item() < 1e-9
#       True
#
# .. exercise::
#
#    Draw what the first hidden unit answers to. Should the goal be the sum before tanh,
#    or what tanh makes of it? Try both without the cost as well.
#
#    .. answer::
#
#       The sum. It is a weighted sum of the pixels, so with the cost the end is half of
#       its weights again.
#
#       >>> def before(x):
#       ...     return x @ W1[:, 0] + b1[0]
#       >>> unit = climb(lambda x: before(x) - x @ x, grey)[300]
#       >>> (unit - (W1[:, 0] / 2).clamp(0, 1)).abs().max() < 1e-9
#       tensor(True)
#
#       Without the cost, both climbs begin alike, but soon the unit is saturated. There
#       tanh has next to no slope, and the climb behind it comes not even half as far:
#
#       >>> with_sum = climb(before, grey)[300]
#       >>> with_tanh = climb(lambda x: before(x).tanh(), grey)[300]
#       >>> before(torch.stack([with_sum, with_tanh]))
#       tensor([7.01, 3.28], dtype=torch.float64)

# %%
# What we can do now
# ------------------
#
# - Let an input learn while the weights stand still, and go up instead of down.
# - Keep it within bounds without a growing record.
# - Say where such a climb ends, and read the drawing.
# - Not mistake a high probability for a likeness.
#
# Next, :doc:`an edge filter </lessons/5_capstones/50_edge_filter>` is learned, with the
# right gradient and for a long time.

# %%
# Credits and licences
# --------------------
#
# Pictures that climb, with a price on their squares, are from `Deep inside
# convolutional networks <https://arxiv.org/abs/1312.6034>`__. `Feature visualization
# <https://distill.pub/2017/feature-visualization/>`__ shows what deep networks draw,
# and sure answers to pictures that nobody can name are from `Deep neural networks are
# easily fooled <https://arxiv.org/abs/1412.1897>`__. Our text is under `CC BY-SA 4.0
# <https://creativecommons.org/licenses/by-sa/4.0/>`__, our code under the `MIT licence
# <https://opensource.org/license/mit>`__.
