r"""
A two-layer network by hand
===========================

Between the inputs and the last neuron we put a hidden layer. We write its backward pass
by hand, compare it with autograd, and watch it teach a border to bend around its
points.

:Time: 35 minutes
:Needs: :doc:`Logistic and softmax regression
   </lessons/2_practice/30_logistic_and_softmax>`
:Level: Practice
:Tags: training, chain rule, shapes
"""

# sphinx_gallery_thumbnail_number = 3

# %%
# Our network is a chain of two steps that we know: a matrix times a vector, and a
# function applied to each entry. We know the way back through both.

import matplotlib.pyplot as plt
import torch
from torch.nn import functional as F

from torchutils import MovingPlot, record_backward

# %%
# Two neurons, and one that listens to them
# -----------------------------------------
#
# The input has two numbers. The two neurons, also called *units*, are the *hidden
# layer*: each has a row of ``W1`` for its weights, and an entry of ``b1`` for its bias.
# A last neuron, with the weights ``w2``, turns what they say into a prediction. The
# target is ``t``.

x = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
W1 = torch.tensor([[1.0, -1.0], [2.0, 1.0]], dtype=torch.float64, requires_grad=True)
b1 = torch.zeros(2, dtype=torch.float64, requires_grad=True)
w2 = torch.tensor([3.0, 0.5], dtype=torch.float64, requires_grad=True)
b2 = torch.tensor(0.0, dtype=torch.float64, requires_grad=True)
t = torch.tensor(1.0, dtype=torch.float64)

# %%
# Forward, each line has a result that we can work out in our heads.

z = W1 @ x + b1
h = torch.relu(z)
y_hat = w2 @ h + b2
L = (y_hat - t) ** 2 / 2
z, h, y_hat, L

# %%
# - The first layer: :math:`z = W_1 x + b_1 = (-1, 4)`.
# - ReLU lets pass what is positive: :math:`h = \max(0, z) = (0, 4)`. The first unit is
#   silent. A function that acts on each entry between two layers, as ReLU does, is
#   called an *activation*.
# - The last neuron: :math:`\hat y = w_2^\top h + b_2 = \tfrac12 \cdot 4 = 2`.
# - It should have been 1, so :math:`L = \tfrac12 (\hat y - t)^2 = 0.5`.

# %%
# Back, one layer at a time
# -------------------------
#
# We go back by the same four lines, the last one first. The square sends
# :math:`\frac{\partial L}{\partial \hat y} = \hat y - t = 1`. It arrives at a dot
# product and a sum, and there
#
# .. math::
#
#    \nabla_{w_2} L &= (\hat y - t)\, h = (0, 4) \\
#    \frac{\partial L}{\partial b_2} &= \hat y - t = 1 \\
#    \nabla_h L &= (\hat y - t)\, w_2 = (3, 0.5)
#
# Now the hidden layer. Where ReLU let something pass, it lets pass what comes back;
# where it was silent, it is silent again: :math:`\nabla_z L = (0, 0.5)`. This vector,
# one number for each unit, is what the layer's weights need. Some books call it the
# layer's *delta*.
#
# .. predict::
#
#    What arrives at the four entries of ``W1``? Write one row after the other.
#
#    .. ask:: dW1
#
#    .. answer::
#
#       The delta, once for each input. It is the outer product that we know from matrix
#       times vector: :math:`\nabla_{W_1} L = (\nabla_z L)\, x^\top = \begin{pmatrix} 0
#       & 0 \\ 0.5 & 1 \end{pmatrix}`. The silent unit gets a row of zeros.
#
#       .. wrong:: torch.outer(w2, x)
#
#          You went past the ReLU as if it were not there. The first unit had a negative
#          ``z``, and what arrives at it is not let through.
#
#       .. wrong:: torch.outer(x, dz)
#
#          This is the transpose. A row belongs to a unit, so the row's number comes
#          from the delta, and the column's from ``x``.
#
# The bias is added to ``z``, so its gradient is the delta itself,
# :math:`\nabla_{b_1} L = \nabla_z L`. And what would go on, to a layer before this one,
# is :math:`\nabla_x L = W_1^\top \nabla_z L = (1, 0.5)`.

with torch.no_grad():
    dy = y_hat - t
    dw2, db2 = dy * h, dy
    dh = dy * w2
    dz = dh * (z > 0)
    dW1, db1 = torch.outer(dz, x), dz
    dx = W1.T @ dz
dW1

# %%
# Five gradients by hand, and five from autograd. They have the same shapes, and differ
# nowhere by more than a millionth of a millionth:
#
# >>> ours = (dx, dW1, db1, dw2, db2)
# >>> autograd = torch.autograd.grad(L, (x, W1, b1, w2, b2), retain_graph=True)
# >>> [tuple(g.shape) for g in autograd]
# [(2,), (2, 2), (2,), (2,), ()]
# >>> max((a - b).abs().max().item() for a, b in zip(ours, autograd)) < 1e-12
# True

record_backward(L, locals(), direction="TB")

# %%
# The walk does what we have done. Find our lines in it: the delta at
# :step:`h sends to z`, and the outer product two nodes later, where the matrix times
# ``x`` has its turn.
#
# Then wake the first unit: change the first number of ``b1`` below the drawing from 0
# to 1.5. Its ``z`` is positive now. Which row of the gradient of ``W1`` appears?

# %%
# A hundred points at once
# ------------------------
#
# Now the two classes of points from the last lesson. They lie like two half moons, and
# the straight border that we found there has points of both classes on either side.

torch.manual_seed(0)
labels = torch.arange(100) % 2
angle = torch.rand(100, dtype=torch.float64) * torch.pi
points = torch.stack([torch.cos(angle), torch.sin(angle)], dim=1)
points[labels == 1] = (
    torch.tensor([1.0, 0.5], dtype=torch.float64) - points[labels == 1]
)
points += 0.1 * torch.randn(100, 2, dtype=torch.float64)

# %%
# The network has four hidden units. Instead of ReLU we take the hyperbolic tangent,
# which has no kink. So the logit, which we call the *score* from here on, has none
# either. The start is random.

X, y = points, labels.double()
W1 = torch.randn(4, 2, dtype=torch.float64, requires_grad=True)
b1 = torch.zeros(4, dtype=torch.float64, requires_grad=True)
w2 = torch.randn(4, dtype=torch.float64, requires_grad=True)
b2 = torch.zeros((), dtype=torch.float64, requires_grad=True)

# %%
# .. predict::
#
#    How many numbers does this network learn?
#
#    .. ask:: sum(p.numel() for p in (W1, b1, w2, b2))
#
#    .. answer::
#
#       Each hidden unit has two weights and a bias, the last neuron four weights and a
#       bias: :math:`4 \cdot (2 + 1) + (4 + 1) = 17`.
#
#       .. wrong:: W1.numel() + w2.numel()
#
#          The biases are missing: one for each unit, and one for the last neuron.

Z = X @ W1.T + b1
H = torch.tanh(Z)
s = H @ w2 + b2
L = F.binary_cross_entropy_with_logits(s, y)
Z.shape, s.shape, L

# %%
# ``Z`` and ``H`` have a row for each point and a column for each unit. The same
# lines again, from the last to the first, now for matrices. How the loss begins, we
# know from the last lesson: prediction minus label, divided by the number of points.
#
# .. math::
#
#    \nabla_s L &= \frac{\sigma(s) - y}{100} \\
#    \nabla_{w_2} L &= H^\top \nabla_s L \\
#    \frac{\partial L}{\partial b_2} &= \mathbf 1^\top \nabla_s L \\
#    \nabla_H L &= (\nabla_s L)\, w_2^\top \\
#    \nabla_Z L &= \nabla_H L \odot (1 - H \odot H) \\
#    \nabla_{W_1} L &= (\nabla_Z L)^\top X \\
#    \nabla_{b_1} L &= (\nabla_Z L)^\top \mathbf 1
#
# The points share the same weights, so the sums run over the points. The factor
# in brackets is the slope of the hyperbolic tangent, which can be had from its value.
#
# .. predict::
#
#    A hidden unit says 0.8, and 0.5 comes back to it. What does the hyperbolic tangent
#    send on to its ``z``?
#
#    .. ask:: 0.5 * (1 - 0.8**2)
#
#    .. answer::
#
#       Upstream gradient times slope: :math:`0.5 \cdot (1 - 0.8^2) = 0.18`. The
#       closer a unit comes to 1 or −1, the less it lets back. It is *saturated* then.
#
#       .. wrong:: 0.5 * 0.8 * (1 - 0.8)
#
#          This is the slope of the sigmoid function, :law:`\sigma\,(1 - \sigma)`.
#
#       .. wrong:: 0.5 * 0.8
#
#          You multiplied by the value. The slope is wanted.


def gradients(W1, b1, w2, b2):
    H = torch.tanh(X @ W1.T + b1)
    ds = (torch.sigmoid(H @ w2 + b2) - y) / len(y)
    dZ = torch.outer(ds, w2) * (1 - H**2)
    return dZ.T @ X, dZ.sum(dim=0), H.T @ ds, ds.sum()


with torch.no_grad():
    ours = gradients(W1, b1, w2, b2)
[tuple(g.shape) for g in ours]

# %%
# Again autograd agrees:
#
# >>> autograd = torch.autograd.grad(L, (W1, b1, w2, b2), retain_graph=True)
# >>> max((a - b).abs().max().item() for a, b in zip(ours, autograd)) < 1e-12
# True
#
# Here is the graph. A single point would need as many operations, each with one row.

record_backward(L, locals(), direction="TB", values=3)

# %%
# Learning, seen from above
# -------------------------
#
# We train with the gradients that we wrote, by gradient descent with a learning rate of
# 2. At three moments we keep the weights. With them we compute the score of each place
# of the plane, and count the points that are on the wrong side.

across, up = torch.linspace(-1.5, 2.5, 41), torch.linspace(-1.2, 1.7, 30)
plane = torch.cartesian_prod(across, up).double()


def score(places, W1, b1, w2, b2):
    return torch.tanh(places @ W1.T + b1) @ w2 + b2


def count_wrong(weights):
    return ((score(X, *weights) > 0) != (y == 1)).sum().item()


# %%
# The border is where the score is zero.

start = [p.detach() for p in (W1, b1, w2, b2)]
weights, kept = start, {}
for step in range(201):
    if step in (0, 20, 200):
        kept[step] = weights
    weights = [p - 2 * g for p, g in zip(weights, gradients(*weights))]
wrong = {step: count_wrong(old) for step, old in kept.items()}

fig, panels = plt.subplots(1, 3, figsize=(4.4, 2), sharey=True)
for ax, (step, old) in zip(panels, kept.items()):
    grid = score(plane, *old).reshape(41, 30).T
    ax.contourf(across, up, grid, levels=[-99, 0, 99], colors=["C0", "C1"], alpha=0.2)
    for label, marker in enumerate("o^"):
        ax.plot(*X[y == label].T, marker, color=f"C{label}", markersize=3)
    ax.set_title(f"step {step}:\n{wrong[step]} wrong")
fig.set_label(
    "Two half moons, of circles and of triangles, and the border of the network: "
    + "; ".join(
        f"at step {step} it has {n} on the wrong side" for step, n in wrong.items()
    )
)

# %%
# First the border turns until most points are on their own side, and is almost
# straight. Then it bends.
#
# >>> wrong
# {0: 80, 20: 9, 200: 0}
#
# The learning rate is ours to choose. For four of them and for eight moments of the
# training, we look in each column of the plane for the place where the score changes
# its sign. (Where there are several or none, the border has a gap.)

rates, moments = (0.5, 1.0, 2.0, 4.0), (0, 5, 10, 20, 40, 80, 140, 200)
columns, rows = torch.linspace(-1.6, 2.6, 43), torch.linspace(-1.4, 1.9, 331)
plane = torch.cartesian_prod(columns, rows).double()


def border(weights):
    flips = (score(plane, *weights) > 0).reshape(43, 331).int().diff(dim=1).abs()
    return torch.where(flips.sum(dim=1) == 1, rows[flips.argmax(dim=1)], torch.nan)


borders, missed = [], []
for rate in rates:
    weights = start
    for step in range(201):
        if step in moments:
            borders.append(border(weights))
            missed.append(count_wrong(weights))
        weights = [p - rate * g for p, g in zip(weights, gradients(*weights))]
missed = torch.tensor(missed).reshape(4, 8)

# %%
# With which learning rate has the border bent first? And what does the slowest one
# still look like after 200 steps?

plot = MovingPlot(
    {"learning rate": rates, "step": moments},
    "The border of the network",
    xlim=(-1.6, 2.6),
    ylim=(-1.4, 1.9),
    start={"learning rate": 2.0},
)
plot.points(*X[y == 0].T, "class 0")
plot.points(*X[y == 1].T, "class 1")
plot.line(columns, torch.stack(borders).reshape(4, 8, 43), "border")
plot.say("On the wrong side: {missed}.", missed=missed)
plot

# %%
# The largest of these rates is not the best at each moment. After ten steps:
#
# >>> missed[:, 2]
# tensor([20, 17, 10, 11])
#
# And after 200 steps:
#
# >>> missed[:, -1]
# tensor([6, 2, 0, 0])

# %%
# Equal units stay equal
# ----------------------
#
# Why did we begin with random numbers? Let us see what happens if we don't. Here each
# weight of the small network is one half, in both layers.

u = torch.full((2, 2), 0.5, dtype=torch.float64, requires_grad=True)
v = torch.full((2,), 0.5, dtype=torch.float64)
h = torch.tanh(u @ x.detach())
L = (v @ h - t) ** 2 / 2
L

# %%
# Both units see the same numbers, so they say the same, and the same comes back:
#
# .. math::
#
#    \nabla_u L = \begin{pmatrix}
#    -0.00857 & -0.01714 \\ -0.00857 & -0.01714
#    \end{pmatrix}
#
# After a step both rows are equal again, and so they stay. Now four equal units, on the
# half moons:
#
# .. predict::
#
#    We train for 300 steps, with a learning rate of 1. How many points are on the wrong
#    side then? (Think of the shape of the border. At step 20 above it was almost
#    straight.)
#
#    .. ask:: count_wrong(weights)
#
#    .. answer::
#
#       There are 9 of them. Four units that say the same are as good as one that is
#       four times as loud, and the border of a single unit is a straight line: the
#       score is the same wherever :law:`w^\top x + b` is the same.
#
#       .. wrong:: 0
#
#          As many as from the random start. But these four units stay copies of
#          one.
#
#       .. wrong:: 50
#
#          This is what guessing would give. The network does learn, as much as one unit
#          can.

weights = [torch.full_like(p, 0.5) for p in start]
for _ in range(300):
    weights = [p - g for p, g in zip(weights, gradients(*weights))]
weights[0]

# %%
# Each row has learned, and each has learned the same:
#
# >>> count_wrong(weights)
# 9
# >>> torch.allclose(weights[0], weights[0][0].expand(4, 2), rtol=0, atol=1e-12)
# True
#
# Random numbers break this symmetry.

# %%
# A unit that has died
# --------------------
#
# With ReLU, a unit that is silent for one point gets no gradient from this point. That
# does no harm, as long as other points wake it. But a step that is too long can throw
# its weights to where it is silent for each of them.
#
# We train four hidden units with ReLU: their weights are the rows of ``W1``, their
# biases ``b1``, and ``w2`` and ``b2`` belong to the last neuron. The hundred points are
# the rows of ``X``, their labels are in ``y``, and ``start`` holds random weights to
# begin with. The learning rate is 20.


def train_relu(rate):
    weights = [p.clone().requires_grad_() for p in start]
    W1, b1, w2, b2 = weights
    for _ in range(21):
        h = torch.relu(X @ W1.T + b1)
        L = F.binary_cross_entropy_with_logits(h @ w2 + b2, y)
        grads = torch.autograd.grad(L, weights)
        with torch.no_grad():
            for p, g in zip(weights, grads):
                p -= rate * g
    return L, h, grads


L, h, grads = train_relu(20)
L, h.max()

# %%
# After these steps ``h`` is zero for each unit and each point.
#
# .. predict::
#
#    What is the gradient of the first row of ``W1`` now? Type its two numbers.
#
#    .. ask:: grads[0][0]
#
#    .. answer::
#
#       Zero, :math:`(0, 0)`: ReLU lets back nothing where it was silent, and it was
#       silent for all hundred points. So a step of gradient descent leaves the row
#       where it is, and the unit stays silent.
#
#       .. wrong:: train_relu(0)[2][0][0]
#
#          This is the gradient at the start. Since then the unit has been thrown to
#          where it is silent for each point.

[g.norm() for g in grads]

# %%
# Only ``b2`` still learns. Nothing raised an error, and the loss is a number like
# others. That is what a *dead ReLU* looks like: look at the share of zeros in ``h``.
#
# >>> (h == 0).double().mean()
# tensor(1., dtype=torch.float64)
#
# With a shorter step, each unit stays awake for some of the points:
#
# >>> (train_relu(2)[1] > 0).any(dim=0)
# tensor([True, True, True, True])
#
# The hyperbolic tangent rises everywhere, but a computer rounds: far out, a saturated
# unit is as dead.
#
# >>> far = torch.tanh(torch.tensor(20.0, dtype=torch.float64))
# >>> far, 1 - far**2
# (tensor(1., dtype=torch.float64), tensor(0., dtype=torch.float64))

# %%
# Exercises
# ---------
#
# We return to the small network, with its first unit awake:

b1 = torch.tensor([1.5, 0.0], dtype=torch.float64)
W1 = torch.tensor([[1.0, -1.0], [2.0, 1.0]], dtype=torch.float64, requires_grad=True)
w2 = torch.tensor([3.0, 0.5], dtype=torch.float64)
z = W1 @ x.detach() + b1
y_hat = w2 @ torch.relu(z)
L = (y_hat - t) ** 2 / 2

# %%
# .. exercise::
#
#    Let :math:`b_1 = (1.5, 0)`. What are the prediction and the gradient of ``W1`` now?
#
#    .. answer::
#
#       Both units speak, :math:`z = (0.5, 4)`, so :math:`\hat y = 3.5` and
#       :math:`\nabla_z L = (\hat y - t)\, w_2 = (7.5, 1.25)`. Each row is the delta
#       times ``x``: :math:`\nabla_{W_1} L = \begin{pmatrix} 7.5 & 15 \\ 1.25 & 2.5
#       \end{pmatrix}`.
#
#       >>> torch.autograd.grad(L, W1, retain_graph=True)[0]
#       tensor([[ 7.5000, 15.0000],
#               [ 1.2500,  2.5000]], dtype=torch.float64)
#
# Next, the same numbers with the hyperbolic tangent in the place of ReLU, and no bias:

z = W1 @ x.detach()
h = torch.tanh(z)
y_hat = w2 @ h
L = (y_hat - t) ** 2 / 2

# %%
# .. exercise::
#
#    Find :math:`\nabla_{W_1} L`. Why are the rows so different?
#
#    .. answer::
#
#       Now :math:`\hat y = -1.785118`, and :math:`\nabla_z L = (\hat y - t)\, w_2 \odot
#       (1 - h \odot h) = (-3.50903, -0.001867)`. Times ``x``:
#
#       .. math::
#
#          \nabla_{W_1} L = \begin{pmatrix} -3.50903 & -7.01807 \\ -0.001867 & -0.003735
#          \end{pmatrix}
#
#       The second unit is saturated: :math:`h_1 = 0.999329`, and the slope there is
#       :math:`1 - h_1^2 = 0.001341`, while that of the first is :math:`1 - h_0^2 =
#       0.419974`. The rest comes from ``w2``, where the second weight is smaller.
#
#       >>> torch.autograd.grad(L, W1, retain_graph=True)[0]
#       tensor([[-3.5090e+00, -7.0181e+00],
#               [-1.8674e-03, -3.7347e-03]], dtype=torch.float64)
#
# .. exercise::
#
#    What happens to a network of our kind whose weights and biases begin at zero? Go
#    through the lines of ``gradients`` before you run them.
#
#    .. answer::
#
#       ``H`` is zero, so ``w2`` gets nothing; ``w2`` is zero, so ``W1`` and ``b1`` get
#       nothing. What is left is ``b2``, and as there are fifty points of each class,
#       its gradient is zero as well. Nothing will ever move.
#
#       >>> grads = gradients(*[torch.zeros_like(p) for p in start])
#       >>> [g.abs().max().item() for g in grads]
#       [0.0, 0.0, 0.0, 0.0]
#
# The last exercise is for those who want to be sure of themselves. *Batch
# normalisation* shifts and scales each column of ``Z``, over the points, to mean 0 and
# variance 1.

Z = (X @ start[0].T + start[1]).requires_grad_()
m = Z.mean(dim=0)
S = ((Z - m) ** 2).mean(dim=0).sqrt()
Z_hat = (Z - m) / S
L = torch.tanh(Z_hat).sum(dim=1).pow(2).mean()

# %%
# .. exercise::
#
#    Let ``G`` be the gradient that arrives at ``Z_hat``. Write the one that goes on to
#    ``Z``. (In :doc:`Chain rule </lessons/1_foundations/30_chain_rule>`, the last
#    exercise does it for one column.)
#
#    .. answer::
#
#       For each column, and with means over the points: take away from ``G`` its mean,
#       and what of it points along ``Z_hat``, and divide by the spread ``S``.
#
#       >>> G, theirs = torch.autograd.grad(L, (Z_hat, Z), retain_graph=True)
#       >>> ours = (G - G.mean(dim=0) - Z_hat * (G * Z_hat).mean(dim=0)) / S
#       >>> (ours - theirs).abs().max().item() < 1e-12
#       True
#
#       In a column of equal numbers the spread is zero. That is why PyTorch adds a
#       little, :math:`10^{-5}`, to the variance: it divides by :math:`\sqrt{10^{-5}} =
#       0.003162` then, and makes gradients large:
#
#       >>> same = torch.tensor([[5.0], [5.0]], requires_grad=True)
#       >>> normal = F.batch_norm(same, None, None, training=True)
#       >>> torch.autograd.grad(normal[0, 0], same)[0]
#       tensor([[ 158.1139],
#               [-158.1139]])

# %%
# What we can do now
# ------------------
#
# - Write the backward pass of a hidden layer, for one point and for a hundred.
# - Train a network with it, and see its border bend.
# - Recognise units that are equal, saturated or dead.
#
# Next, :doc:`Convolution and pooling </lessons/2_practice/50_convolution>` lets many
# places share the same few weights.

# %%
# Credits and licences
# --------------------
#
# That dead ReLUs and saturated units are what one should know backpropagation for, says
# Andrej Karpathy in `Yes you should understand backprop
# <https://karpathy.medium.com/yes-you-should-understand-backprop-e2f06eab496b>`__; the
# exercise on batch normalisation follows his lecture "Becoming a backprop ninja" in
# `Neural Networks: Zero to Hero <https://karpathy.ai/zero-to-hero.html>`__. Text, code
# and numbers are ours. Our text is under `CC BY-SA 4.0
# <https://creativecommons.org/licenses/by-sa/4.0/>`__, our code under the `MIT licence
# <https://opensource.org/license/mit>`__.
