r"""
Digits from scratch
===================

A program learns to read digits, with gradients that we write ourselves and that
autograd confirms. At the end we can train a classifier of pictures, judge it by
pictures that it has not seen, and say why a falling loss does not prove a gradient.

:Time: 45 minutes
:Needs: :doc:`Logistic and softmax regression
    </lessons/2_practice/30_logistic_and_softmax>`,
    :doc:`A two-layer network by hand </lessons/2_practice/40_mlp_by_hand>`
:Level: Capstones
:Tags: training, shapes, .grad
"""

# %%
# Ten neurons side by side, one for each digit: a layer reads pictures. Then a second
# layer listens to a first one, which is the network of *Practice*.
#
# We need pictures of digits, a few thousand. The usual collections are files that have
# to be fetched from somewhere. We draw our own.

import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F

from torchutils import MovingPlot, record_backward

# %%
# Two thousand digits
# -------------------
#
# For each digit we write down the way of a pen: pairs of a column and a row, both
# from 0 to 9. The zero begins at the top, in column 5 and row 0, and comes back to
# where it began.

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
ways.shape

# %%
# Ten ways of nine points with two coordinates each. (A short way waits at its end.)
# Nobody writes a digit twice in the same way, so we move each point a little, slant and
# stretch the digit, and shift it, by amounts drawn at random. A picture has eight by
# eight pixels, and each is as dark as it is near to the pen's way.
#
# (``noise`` draws in float64. In PyTorch's default, float32, the last digits of
# ``randn`` can differ between two processors, and three hundred steps of training can
# carry them into the third digit of a network's score.)


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
pixels.shape

# %%
# A row holds the 64 pixels of a digit, line by line. Here are the first twenty.

sheet = pixels[:20].reshape(2, 10, 8, 8).transpose(1, 2).reshape(16, 80)
fig, ax = plt.subplots(figsize=(7, 1.6))
ax.imshow(sheet, cmap="gray_r")
ax.axis("off")
fig.set_label("Twenty digits of eight by eight pixels, each a little different.")
labels[:20].reshape(2, 10)

# %%
# They look like handwriting, but a program has drawn them. What we find out about them
# need not hold for the digits of people, which differ in more ways.
#
# The last 500 we put aside as *test data*. The program will not learn from them; they
# show how well it reads what it has not seen.

X, test_X = pixels[:1500], pixels[1500:]
labels, test_labels = labels[:1500], labels[1500:]
Y = F.one_hot(labels).double()
n = len(X)
X.shape, Y.shape, test_X.shape

# %%
# ``Y`` has a row for each digit, too, with a 1 in the column of its label.

# %%
# One layer, before the first step
# --------------------------------
#
# The first classifier is one layer: 64 pixels go in, ten scores come out, one for each
# digit. Softmax turns the scores into probabilities, and the loss is the mean of
# :law:`-\ln p` over the pictures, where :law:`p` is the probability of the right digit.

W = torch.zeros(64, 10, dtype=torch.float64, requires_grad=True)
b = torch.zeros(10, dtype=torch.float64, requires_grad=True)
S = X @ W + b
P = S.softmax(dim=1)
L = F.cross_entropy(S, labels)

# %%
# .. predict::
#
#    ``W`` and ``b`` are zero. How large is the loss, before anything has been learned?
#
#    .. ask:: L
#
#    .. answer::
#
#       All scores are 0, so all ten probabilities are the same, one tenth. The loss of
#       each picture is :math:`-\ln \frac{1}{10} = \ln 10`, and so is the mean: :math:`L
#       = \ln 10 = 2.302585`.
#
#       .. wrong:: 0.1
#
#          This is the probability of the right digit. The loss is minus its logarithm.
#
#       .. wrong:: 1
#
#          The *scores* are zero. Softmax makes ten equal probabilities of them, one
#          tenth each.

L

# %%
# A loss that begins far above this is a warning: the program is sure of wrong answers
# before it has learned anything.
#
# For one picture, the gradient of the loss with respect to its scores is probability
# minus label. Each picture counts one :math:`n`-th, with :math:`n = 1500`:
#
# .. math::
#
#    \nabla_S L = \frac{1}{n} (P - Y)
#
# The rest are the rules of a layer. What comes back to the scores is multiplied by the
# transposed pixels, and summed over the pictures for ``b``:
#
# .. math::
#
#    \nabla_W L &= \frac{1}{n} X^\top (P - Y) \\
#    \nabla_b L &= \frac{1}{n} (P - Y)^\top \mathbf 1
#
# .. predict::
#
#    Each probability is one tenth. So is the gradient of the bias zero at the start?
#    The first 1500 labels have the digit 0 in 156 pictures and the digit 1 in 136. Type
#    the first two entries.
#
#    .. ask:: b.grad[:2]
#
#    .. answer::
#
#       It is not. The entry of a digit is one tenth minus its *share* of the pictures:
#       :math:`\frac{1}{10} - \frac{156}{1500} = -0.0040` for the zero, of which there
#       are too many, and :math:`\frac{1}{10} - \frac{136}{1500} = 0.009333` for the
#       one.
#
#       .. wrong:: [0, 0]
#
#          This would be so if each digit had the same number of pictures. The labels
#          were drawn at random.
#
#       .. wrong:: -b.grad[:2]
#
#          This is label minus probability. A digit that comes too often should get a
#          larger bias, and a step goes *against* the gradient.
#
#       .. wrong:: n * b.grad[:2]
#
#          This is the sum over the pictures. The loss is their mean.

record_backward(L, locals(), values=0, direction="TB")

# %%
# The formulas are right, to the last digits of float64:
#
# >>> G = (P - Y).detach() / n
# >>> (W.grad - X.T @ G).abs().max().item() < 1e-12
# True
# >>> (b.grad - G.sum(dim=0)).abs().max().item() < 1e-12
# True
# >>> labels.bincount()[:2]
# tensor([156, 136])
# >>> b.grad[:2]
# tensor([-0.0040,  0.0093], dtype=torch.float64)

# %%
# Three hundred steps
# -------------------
#
# For these steps we need no autograd: ``G`` and its two products are the backward step.
# We go against the gradient of the whole loss, with a learning rate of 1. The share of
# pictures that the program reads correctly is its *accuracy*.


def accuracy(scores, labels):
    return (scores.argmax(dim=1) == labels).double().mean().item()


W, b = torch.zeros(64, 10).double(), torch.zeros(10).double()
for _ in range(300):
    S = X @ W + b
    G = (S.softmax(dim=1) - Y) / n
    W -= X.T @ G
    b -= G.sum(dim=0)

one_layer = accuracy(X @ W + b, labels), accuracy(test_X @ W + b, test_labels)
end = F.cross_entropy(X @ W + b, labels)
end

# %%
# .. predict::
#
#    Which share of the 1500 pictures does the program read now, and which share of the
#    500 that it has not seen? Is the second one larger, the same, or smaller?
#
#    .. answer::
#
#       Smaller. The loss was made small for the first 1500, accidents included.
#
#       >>> one_layer
#       (0.972, 0.944)

one_layer

# %%
# So we report the second number. The first one says how well the program remembers.
#
# Was 1 a good learning rate? We try others, and keep the loss after 0, 10, 20 steps and
# so on, and the accuracy at the end.

rates = [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0]
paths, accuracies = torch.empty(len(rates), 31), []
for path, rate in zip(paths, rates):
    V, c = torch.zeros(64, 10).double(), torch.zeros(10).double()
    for step in range(301):
        S = X @ V + c
        if step % 10 == 0:
            path[step // 10] = F.cross_entropy(S, labels)
        G = (S.softmax(dim=1) - Y) / n
        V -= rate * X.T @ G
        c -= rate * G.sum(dim=0)
    accuracies.append(accuracy(test_X @ V + c, test_labels))

# %%
# .. predict::
#
#    Which rate ends with the lowest loss, and with which one is the accuracy
#    on the test data highest? Decide on both, then look.
#
#    .. ask:: [rates[paths[:, -1].argmin()], rates[torch.tensor(accuracies).argmax()]]
#
#    .. answer::
#
#       The rate 20 has the lowest loss. The rate 5 has the highest accuracy. At a
#       high rate the loss leaps up before it falls, and then it falls deep, for the
#       pictures that are learned from. For the others, this is no gain any more.
#
#       .. wrong:: [20, 20]
#
#          The loss is that of the pictures that the program learns from. The test data
#          are other pictures.
#
#       .. wrong:: [5, 5]
#
#          The loss goes on falling where the accuracy does not rise any more.

plot = MovingPlot(
    {"learning rate": rates},
    "Three hundred steps of the single layer",
    xlim=(0, 320),
    ylim=(0, 4),
    xlabel="step",
    ylabel="loss",
)
plot.line(torch.arange(0, 301, 10), paths.clamp(max=4), "loss")
plot.say("The loss ends at {loss:.3f}.", loss=paths[:, -1])
plot.say("Of the test data, a share of {accuracy:.3f} is read.", accuracy=accuracies)
plot

# %%
# (The picture ends at a loss of 4, and what is above is drawn on its edge. After ten
# steps with a rate of 20, the loss is more than three times as high.)
#
# >>> paths[-1, 1]
# tensor(14.50)
#
# Do not make much of small distances: of the 500 pictures, the rate 5 reads two more
# than the rate 2.
#
# >>> round(500 * (accuracies[5] - accuracies[4]))
# 2
#
# And whoever chooses the rate by these numbers has used the test data to choose, and
# needs new ones for the report. A part put aside for choosing is called *validation
# data*.

# %%
# What the weights look like
# --------------------------
#
# Each column of ``W`` has 64 numbers, one for each pixel, so it can be drawn as a
# picture. Dark pixels speak for the digit, light ones against it.

fig, axes = plt.subplots(2, 5, figsize=(4.4, 2.4))
for digit, ax in enumerate(axes.flat):
    ax.imshow(W[:, digit].reshape(8, 8), cmap="gray_r", vmin=-2, vmax=2)
    ax.set_title(digit)
    ax.axis("off")
fig.set_label(
    "The weights of the ten digits as pictures in grey. "
    "That of the zero has a light centre, a dark left side and a greyer right one."
)

# %%
# The picture of the zero has a hole: ink in the middle speaks against a zero.
#
# >>> W[:, 0].reshape(8, 8)[3:5, 3:5].max().item() < 0
# True

# %%
# A hidden layer
# --------------
#
# Now 32 tanh units between pixels and scores. The start is random, and small enough
# that the units are not saturated.

W1 = torch.randn(64, 32, dtype=torch.float64) / 8
b1 = torch.zeros(32, dtype=torch.float64)
W2 = torch.randn(32, 10, dtype=torch.float64) / 32**0.5
b2 = torch.zeros(10, dtype=torch.float64)
weights = [w.requires_grad_() for w in (W1, b1, W2, b2)]

# %%
# .. predict::
#
#    How many numbers does this network learn? The single layer had
#    :math:`64 \cdot 10 + 10 = 650`.
#
#    .. ask:: sum(w.numel() for w in weights)
#
#    .. answer::
#
#       Two layers: :math:`(64 \cdot 32 + 32) + (32 \cdot 10 + 10) = 2410`.
#
#       .. wrong:: W1.numel() + W2.numel()
#
#          The biases are missing, one for each of the 32 units and of the ten scores.

Z = X @ W1 + b1
H = torch.tanh(Z)
S = H @ W2 + b2
L = F.cross_entropy(S, labels)
P = S.softmax(dim=1)
L

# %%
# The backward step has one line more for each value on the way. ``S`` is as before.
# From there, the gradient goes through the second layer, through the slope of tanh, and
# through the first layer:
#
# .. math::
#
#    \nabla_S L &= \tfrac{1}{n} (P - Y) \\
#    \nabla_{W_2} L &= H^\top\, \nabla_S L \\
#    \nabla_H L &= (\nabla_S L)\, W_2^\top \\
#    \nabla_Z L &= \nabla_H L \odot (1 - H \odot H) \\
#    \nabla_{W_1} L &= X^\top\, \nabla_Z L
#
# Each bias gets the sum of what comes to its layer, over the pictures.


def gradients(W1, b1, W2, b2):
    H = torch.tanh(X @ W1 + b1)
    G = ((H @ W2 + b2).softmax(dim=1) - Y) / n
    D = (G @ W2.T) * (1 - H**2)
    return X.T @ D, D.sum(dim=0), H.T @ G, G.sum(dim=0)


ours = gradients(*weights)
theirs = torch.autograd.grad(L, weights, retain_graph=True)
[tuple(g.shape) for g in ours]

# %%
# >>> max((a - b).abs().max().item() for a, b in zip(ours, theirs)) < 1e-12
# True
#
# We train it with our own gradients, and a learning rate of 2.

W1, b1, W2, b2 = (w.detach() for w in weights)
for _ in range(300):
    weights = W1, b1, W2, b2
    W1, b1, W2, b2 = (w - 2 * g for w, g in zip(weights, gradients(*weights)))

scores = torch.tanh(test_X @ W1 + b1) @ W2 + b2
two_layers = accuracy(scores, test_labels)
two_layers

# %%
# >>> one_layer[1], two_layers
# (0.944, 0.970)
#
# Not all of this is the work of the hidden layer. With the best of its rates, the
# single one came closer:
#
# >>> max(accuracies)
# 0.964
#
# Which digits are left? We draw the first ten that it gets wrong, with what it takes
# them for.

said = scores.argmax(dim=1)
wrong = (said != test_labels).nonzero().flatten()[:10]
names = [f"{said[k]}, not {test_labels[k]}" for k in wrong]
fig, axes = plt.subplots(2, 5, figsize=(4.4, 3), layout="constrained")
for ax, k, name in zip(axes.flat, wrong, names):
    ax.imshow(test_X[k].reshape(8, 8), cmap="gray_r")
    ax.set_title(name.replace(" ", "\n", 1))
    ax.axis("off")
fig.set_label("Digits that the network takes for others: " + "; ".join(names))

# %%
# A falling loss proves little
# ----------------------------
#
# Here is the single layer once more, now without its bias. Autograd trains it, with a
# well-known fault: nobody empties ``.grad``. Each step uses the *sum* of the gradients
# so far.


def train(empty):
    W = torch.zeros(64, 10, dtype=torch.float64, requires_grad=True)
    losses = []
    for _ in range(301):
        L = F.cross_entropy(X @ W, labels)
        losses.append(L.item())
        if empty:
            W.grad = None
        L.backward()
        with torch.no_grad():
            W -= W.grad
    return losses


# %%
# .. predict::
#
#    Which loss is lower after three hundred steps: that of the right program, or that
#    of the faulty one?
#
#    .. answer::
#
#       That of the faulty one: less than a third of the other.

emptied, kept = train(empty=True), train(empty=False)
fig, ax = plt.subplots(figsize=(4.4, 2.6))
ax.semilogy(emptied, label="emptied")
ax.semilogy(kept, "--", label="not emptied")
ax.set_xlabel("step")
ax.set_ylabel("loss")
ax.legend()
fig.set_label(
    "Two losses. The dashed one, not emptied, falls faster at first, rests for a "
    "while, and ends lower."
)

# %%
# >>> emptied[300], kept[300]
# (0.1623, 0.0518)
#
# The faulty program is a known method in disguise: *momentum*, with the coefficient 1,
# a ball that rolls without friction. Here it rolls far. On the parabola of the lesson
# on accumulation, the same fault swings to and fro and does not come to rest. Whether a
# loss falls says little about a gradient. To compare it with autograd, as above, says
# more.
#
# >>> W = torch.zeros(64, 10, dtype=torch.float64, requires_grad=True)
# >>> ball = torch.optim.SGD([W], lr=1.0, momentum=1.0)
# >>> for step in range(300):
# ...     ball.zero_grad()
# ...     F.cross_entropy(X @ W, labels).backward()
# ...     ball.step()
# >>> abs(F.cross_entropy(X @ W, labels).item() - kept[300]) < 1e-6
# True

# %%
# Exercises
# ---------
#
# .. exercise::
#
#    Add up each row of ``G``, over the ten digits. What comes out, and why?
#
#    .. answer::
#
#       Zero. In each row, the probabilities add up to 1 and so do the labels. The loss
#       does not change when the same number is added to the ten scores of a picture.
#
#       >>> G.sum(dim=1).abs().max().item() < 1e-12
#       True
#       >>> shifted = F.cross_entropy(S + 5, labels)
#       >>> abs(shifted - F.cross_entropy(S, labels)).item() < 1e-12
#       True
#
# .. exercise::
#
#    Shuffle the pixels, in each picture in the same way. For us the digits are
#    unreadable then. For the single layer?
#
#    .. answer::
#
#       It learns as before, and reaches the same loss. It sees no pictures, only lists
#       of 64 numbers, and has no idea which pixels are neighbours. (A convolution has.)
#
#       >>> shuffled = X[:, torch.randperm(64)]
#       >>> V, c = torch.zeros(64, 10).double(), torch.zeros(10).double()
#       >>> for step in range(300):
#       ...     D = ((shuffled @ V + c).softmax(dim=1) - Y) / n
#       ...     V -= shuffled.T @ D
#       ...     c -= D.sum(dim=0)
#       >>> abs(F.cross_entropy(shuffled @ V + c, labels) - end).item() < 1e-9
#       True
#
# .. exercise::
#
#    We began the single layer with zeros. Why not the network as well?
#
#    .. answer::
#
#       Then the units would say 0, and what goes back to them is multiplied by
#       ``W2``, which is zero. Of the four, ``b2`` alone would learn.
#
#       >>> zeros = [torch.zeros_like(w) for w in (W1, b1, W2, b2)]
#       >>> [g.abs().max().item() > 0 for g in gradients(*zeros)]
#       [False, False, False, True]

# %%
# What we can do now
# ------------------
#
# - Train a classifier of pictures with gradients of our own, and check them first.
# - Judge it by pictures that it has not seen.
# - Distrust a falling loss as a proof.
#
# :doc:`An engine of our own </lessons/5_capstones/10_engine>` would do for this
# program, too: one of its exercises writes the softmax loss. Next, :doc:`The gradient
# of a picture </lessons/5_capstones/30_saliency>` asks which pixels an answer hangs on.

# %%
# Credits and licences
# --------------------
#
# The digits are our own. Small pictures of eight by eight pixels are modelled on a
# `collection of handwritten digits
# <https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits>`__
# of this size, which `scikit-learn
# <https://scikit-learn.org/stable/modules/generated/sklearn.datasets.load_digits.html>`__
# brings along: whoever has it can put its pictures in the place of ours. Our text is
# under `CC BY-SA 4.0 <https://creativecommons.org/licenses/by-sa/4.0/>`__, our code
# under the `MIT licence <https://opensource.org/license/mit>`__.
