r"""
Modules and optimisers
======================

PyTorch brings layers that keep their own weights, and optimisers that change them. We
write by hand what both compute, and compare, so that neither holds a secret afterwards.

:Time: 35 minutes
:Needs: :doc:`A two-layer network by hand </lessons/2_practice/40_mlp_by_hand>`
:Level: Practice
:Tags: training, .grad, leaves
"""

# sphinx_gallery_thumbnail_number = -1

# %%
# In the lesson before the last we kept four tensors and wrote four gradients. Here are
# the same points, and a network of the same form.

import copy

import torch
from torch import nn
from torch.nn import functional as F

from torchutils import MovingPlot, record_backward

torch.manual_seed(0)
labels = torch.arange(100) % 2
angle = torch.rand(100, dtype=torch.float64) * torch.pi
points = torch.stack([torch.cos(angle), torch.sin(angle)], dim=1)
points[labels == 1] = (
    torch.tensor([1.0, 0.5], dtype=torch.float64) - points[labels == 1]
)
points += 0.1 * torch.randn(100, 2, dtype=torch.float64)
X, y = points, labels.double()

# %%
# A module keeps its leaves
# -------------------------
#
# An ``nn.Linear`` holds a matrix, ``weight``, and a vector, ``bias``. An
# ``nn.Sequential`` runs one module after the other, and the last one here turns the
# column of scores into a vector.

model = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1), nn.Flatten(0))
model = model.double()
for name, p in model.named_parameters():
    print(name, tuple(p.shape))

# %%
# Four *parameters*, and each one is what we had before: a leaf that requires a
# gradient. The number in the name is the place in the sequence, and the hyperbolic
# tangent at place 1 has none.
#
# >>> [p.is_leaf and p.requires_grad for p in model.parameters()]
# [True, True, True, True]
#
# These modules bring no rules of their own for the way back. With those that we wrote
# by hand, from the module's weights,

W1, b1, w2, b2 = model.parameters()
with torch.no_grad():
    H = torch.tanh(X @ W1.T + b1)
    ds = (torch.sigmoid(H @ w2[0] + b2) - y) / len(y)
    dZ = torch.outer(ds, w2[0]) * (1 - H**2)
ours = [dZ.T @ X, dZ.sum(dim=0), (H.T @ ds)[None], ds.sum()[None]]

# %%
# we find what autograd finds:

score = model(X)
loss = F.binary_cross_entropy_with_logits(score, y)
record_backward(loss, dict(model.named_parameters()), direction="TB", values=3)

# %%
# >>> pairs = [(g, p.grad) for g, p in zip(ours, model.parameters())]
# >>> max((a - b).abs().max().item() for a, b in pairs) < 1e-12
# True
#
# The drawing has the names that the module gave to its parameters. Here an
# ``nn.Linear`` is a matrix product and a sum in one operation, ``addmm``. Walk the
# whole way back: which parameter gets its gradient first? (The walk begins at the loss,
# and from there the second layer is the first.)

# %%
# An optimiser reads .grad
# ------------------------
#
# ``torch.optim.SGD`` is told, when it is made, which tensors to change. Its name means
# stochastic gradient descent; *stochastic* is the choice of the samples, not the step.
# What does it need to know of the loss? Let us try it without one: we write ``.grad``
# ourselves.

p = torch.tensor([1.0, 2.0], requires_grad=True)
p.grad = torch.tensor([3.0, 4.0])
optimiser = torch.optim.SGD([p], lr=0.1)

# %%
# .. predict::
#
#    We have computed no loss from ``p``, and there is no graph. What does ``p`` hold
#    after ``optimiser.step()``?
#
#    .. ask:: p
#
#    .. answer::
#
#       It has made its step, :math:`p = (1 - 0.1 \cdot 3,\; 2 - 0.1 \cdot 4) = (0.7,
#       1.6)`: each entry is less by a tenth of what stands in ``.grad``. Where that
#       came from, the optimiser does not ask.
#
#       .. wrong:: [1, 2]
#
#          You expected that it needs a loss. It is told none, here or in training.
#          (Some optimisers, such as ``LBFGS``, want a function that computes the loss
#          again, and call it themselves.)
#
#       .. wrong:: [1 + 0.3, 2 + 0.4]
#
#          A step is meant to make the loss smaller, so it goes against the gradient.

optimiser.step()
p

# %%
# So the last four of these lines are plain gradient descent, for each model whose
# parameters have got a gradient.

model.zero_grad()
by_hand = copy.deepcopy(model)
for _ in range(20):
    F.binary_cross_entropy_with_logits(by_hand(X), y).backward()
    with torch.no_grad():
        for p in by_hand.parameters():
            p -= 0.2 * p.grad
            p.grad = None

# %%
# And this is the same with ``SGD``:


def train(model, optimiser, steps):
    losses = []
    for _ in range(steps):
        loss = F.binary_cross_entropy_with_logits(model(X), y)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return losses


by_optim = copy.deepcopy(model)
losses = train(by_optim, torch.optim.SGD(by_optim.parameters(), lr=0.2), 20)
losses[0], losses[-1]

# %%
# >>> pairs = zip(by_hand.parameters(), by_optim.parameters())
# >>> max((a - b).abs().max().item() for a, b in pairs) < 1e-12
# True

# %%
# Momentum and Adam
# -----------------
#
# Other optimisers remember. *Momentum* keeps a velocity ``v``, adds each new gradient
# to nine tenths of it, and steps against the velocity. *Adam* keeps two means: ``m`` of
# the gradients, and ``s`` of their squares. It divides the one by the square root of
# the other, so that each entry finds a length of its own.
#
# At the beginning both means are zero, and the first gradient ``g`` enters them with
# small weights, :math:`1 - 0.9 = 0.1` in the one and :math:`1 - 0.999 = 0.001` in the
# other. Adam divides each mean by its weight. (Without that, the first step would be
# :math:`0.1 / \sqrt{0.001} = 3.1623` times as long.)

p = torch.tensor([5.0, 5.0], dtype=torch.float64, requires_grad=True)
g = torch.tensor([1000.0, 0.001], dtype=torch.float64)
m = 0.1 * g
s = 0.001 * g**2
step = 0.1 * (m / 0.1) / ((s / 0.001).sqrt() + 1e-8)

# %%
# .. predict::
#
#    The first gradient is a million times the second. The learning rate is one tenth.
#    How far does Adam's first step move each entry?
#
#    .. ask:: step
#
#    .. answer::
#
#       Almost equally far, :math:`\text{step} = (0.1, 0.099999)`. A gradient divided
#       by the root of its own square is 1 or −1, here a thousand as well as a
#       thousandth. (The tiny summand in the denominator, :math:`10^{-8}`, protects
#       against a division by zero, and makes the second step a little shorter.)
#
#       .. wrong:: 0.1 * g
#
#          This is the step of plain gradient descent. Adam divides by the size of the
#          gradients.

p.grad = g.clone()
torch.optim.Adam([p], lr=0.1).step()
5 - p.detach()

# %%
# >>> (5 - p - step).abs().max().item() < 1e-12
# True
#
# A gradient that is smaller than the summand makes a much shorter step, and a zero
# makes none:
#
# >>> q = torch.zeros(2, dtype=torch.float64, requires_grad=True)
# >>> q.grad = torch.tensor([1e-9, 0.0], dtype=torch.float64)
# >>> torch.optim.Adam([q], lr=0.1).step()
# >>> q.tolist()
# [-0.00909091, 0.0]
#
# Now three of them train the network, each from the same start, with five learning
# rates.

rates = (0.02, 0.1, 0.2, 0.5, 2.0)
recipes = {
    "SGD": lambda p, lr: torch.optim.SGD(p, lr),
    "momentum": lambda p, lr: torch.optim.SGD(p, lr, momentum=0.9),
    "Adam": lambda p, lr: torch.optim.Adam(p, lr),
}
curves, wrong = {}, {}
for name, recipe in recipes.items():
    nets = [copy.deepcopy(model) for _ in rates]
    losses = [
        train(net, recipe(net.parameters(), lr), 200) for net, lr in zip(nets, rates)
    ]
    curves[name] = torch.tensor(losses)[:, ::5]
    wrong[name] = [((net(X) > 0) != (y == 1)).sum().item() for net in nets]

# %%
# Before you look: which of the three will want the smallest learning rate?

plot = MovingPlot(
    {"learning rate": rates},
    "The loss over 200 steps",
    xlim=(0, 200),
    ylim=(0, 1),
    xlabel="step",
    ylabel="loss",
)
for name, curve in curves.items():
    plot.line(torch.arange(0, 200, 5), curve, name)
plot.say("On the wrong side at the end, with SGD: {SGD},", SGD=wrong["SGD"])
plot.say("with momentum: {momentum}, with Adam: {Adam}.", **wrong)
plot

# %%
# Adam wants the smallest: one tenth is enough for it, and with the largest it fails.
# Momentum wants a fifth or more, and plain gradient descent the largest:
#
# >>> wrong["Adam"][:3], wrong["Adam"][-1] > 0
# ([7, 0, 0], True)
# >>> wrong["momentum"]
# [9, 4, 0, 0, 0]
# >>> wrong["SGD"]
# [20, 10, 9, 9, 0]
#
# So whoever compares optimisers gives each one its own learning rate.

# %%
# Clipping a gradient
# -------------------
#
# One bad sample can make a gradient huge, and the step with it. *Clipping* shortens it
# between ``backward()`` and ``step()``. One way keeps its direction, the other one need
# not.

p = torch.zeros(2, dtype=torch.float64, requires_grad=True)
p.grad = torch.tensor([3.0, 4.0], dtype=torch.float64)

# %%
# .. predict::
#
#    ``clip_grad_norm_`` shortens this gradient to the length 1. Type what is in
#    ``p.grad`` afterwards.
#
#    .. ask:: p.grad
#
#    .. answer::
#
#       The length was :math:`\sqrt{3^2 + 4^2} = 5`, so both entries are divided by it:
#       :math:`\frac{3}{5} = 0.6` and :math:`\frac{4}{5} = 0.8`. The function returns
#       the length *before* clipping, a number worth logging.
#
#       .. wrong:: [1, 1]
#
#          This would be each entry cut off at 1, which is what ``clip_grad_value_``
#          does.
#
#       .. wrong:: [3 / 7, 4 / 7]
#
#          You divided by the sum of the entries. The length is the root of the sum of
#          their squares.

length = nn.utils.clip_grad_norm_([p], max_norm=1.0)
length, p.grad

# %%
# To be exact, it divides by a little more than the length, so that nothing can be
# divided by zero:
#
# >>> length.item(), p.grad.tolist()
# (5.0, [0.59999988, 0.79999984])
# >>> 3 / (5 + 1e-6)
# 0.59999988
#
# ``clip_grad_value_`` cuts each entry off, and so turns the arrow:
#
# >>> q = torch.zeros(2, dtype=torch.float64, requires_grad=True)
# >>> q.grad = torch.tensor([3.0, 4.0], dtype=torch.float64)
# >>> nn.utils.clip_grad_value_([q], 3.5)
# >>> q.grad
# tensor([3.0000, 3.5000], dtype=torch.float64)
#
# A surprise can wait where two parameters are added. In PyTorch 2.13, a ``backward()``
# may give the *same* tensor to both as their ``.grad``; it makes no copy where none
# seems needed. Then ``clip_grad_norm_`` shortens it twice.

a = torch.zeros(2, requires_grad=True)
b = torch.zeros(2, requires_grad=True)
((a[None] + b[None]) * torch.tensor([3.0, 4.0])).sum().backward()
shared = a.grad.data_ptr() == b.grad.data_ptr()
length = nn.utils.clip_grad_norm_([a, b], max_norm=1.0)
shared, length, a.grad

# %%
# Together the two gradients had the length :math:`\sqrt{5^2 + 5^2} = 7.0711`, so each
# should have been divided by this, once:
#
# >>> torch.tensor([3.0, 4.0]) / 7.0711
# tensor([0.4243, 0.5657])
# >>> a.grad, b.grad
# (tensor([0.0600, 0.0800]), tensor([0.0600, 0.0800]))
#
# The new axis, ``[None]``, matters. For the bare sum a copy is made:
#
# >>> c, d = torch.zeros(2, requires_grad=True), torch.zeros(2, requires_grad=True)
# >>> ((c + d) * torch.tensor([3.0, 4.0])).sum().backward()
# >>> c.grad.data_ptr() == d.grad.data_ptr()
# False

# %%
# Do not clip the error
# ---------------------
#
# Who is afraid of large errors may want to clip the *error*, before it is squared.
# Watch what happens to the sample that is furthest off.
#
# .. admonition:: Wrong on purpose
#
#    The next cell clips the error. Do not copy it.

# wrong on purpose
error = torch.tensor([0.5, 3.0], requires_grad=True)
clipped = error.clamp(-1, 1)
loss = (clipped**2).sum() / 2

# %%
# .. predict::
#
#    What are the gradients of the two errors?
#
#    .. ask:: error.grad
#
#    .. answer::
#
#       :math:`(0.5, 0)`. A clipped value is constant, and a zero goes back through it:
#       the sample that is furthest off teaches nothing.
#
#       .. wrong:: [0.5, 1]
#
#          This is what was meant, a gradient no larger than 1. ``clamp`` cuts the
#          *value* off, and the slope of a value that is cut off is 0.
#
#       .. wrong:: [0.5, 3]
#
#          This is the gradient without clipping.

loss.backward()
error.grad

# %%
# A program that learned to play Atari games had this fault. What was meant is the
# *Huber loss*, which is half the square near zero and goes on straight further out:
#
# >>> away = torch.tensor([0.5, 3.0], requires_grad=True)
# >>> F.huber_loss(away, torch.zeros(2), reduction="sum").backward()
# >>> away.grad
# tensor([0.5000, 1.0000])

# %%
# Weights that nobody knows of
# ----------------------------
#
# An optimiser changes what it was given. A layer that is made anew in each ``forward``
# has new weights each time, and these it was not given.
#
# .. admonition:: Wrong on purpose
#
#    The next module makes its last layer in ``forward``. Do not copy it.


# wrong on purpose
class Forgetful(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(2, 4)

    def forward(self, x):
        last = nn.Linear(4, 1)
        return last(torch.tanh(self.hidden(x)))


[name for name, _ in Forgetful().named_parameters()]

# %%
# The last layer is missing. It runs, it gets a gradient, and then it is thrown away:
# nothing is learned there, and nothing says so. Layers in a plain Python list stay the
# same, but no parameter of theirs is listed, so nothing is learned there either:
#
# >>> class Listed(nn.Module):
# ...     def __init__(self):
# ...         super().__init__()
# ...         self.layers = [nn.Linear(2, 4), nn.Linear(4, 1)]
# >>> torch.optim.SGD(Listed().parameters(), lr=0.1)
# Traceback (most recent call last):
# ValueError: optimizer got an empty parameter list
#
# Here at least the optimiser complains that the list is empty. The cure is to make
# layers in ``__init__``, and to keep several of them in an ``nn.ModuleList``.

# %%
# Exercises
# ---------
#
# .. exercise::
#
#    Write ``SGD`` with momentum by hand, and compare three steps of it with
#    PyTorch's.
#
#    .. answer::
#
#       The velocity begins with the first gradient.
#
#       >>> mine, theirs = copy.deepcopy(model), copy.deepcopy(model)
#       >>> _ = train(theirs, recipes["momentum"](theirs.parameters(), 0.2), 3)
#       >>> velocity = [torch.zeros_like(p) for p in mine.parameters()]
#       >>> for _ in range(3):
#       ...     loss = F.binary_cross_entropy_with_logits(mine(X), y)
#       ...     grads = torch.autograd.grad(loss, list(mine.parameters()))
#       ...     with torch.no_grad():
#       ...         for p, v, g in zip(mine.parameters(), velocity, grads):
#       ...             v *= 0.9
#       ...             v += g
#       ...             p -= 0.2 * v
#       >>> pairs = zip(mine.parameters(), theirs.parameters())
#       >>> max((a - b).abs().max().item() for a, b in pairs) < 1e-12
#       True
#
# .. exercise::
#
#    Freeze the first layer before any backward step. Which gradients are ``None``
#    afterwards? Does the input still get one, if it asks for it?
#
#    .. answer::
#
#       Those of the first layer, and no others. The way back to the input leads past
#       them, as in :doc:`Stopping gradients
#       </lessons/1_foundations/80_stopping_gradients>`.
#
#       >>> net = copy.deepcopy(model)
#       >>> net.zero_grad()
#       >>> _ = net[0].requires_grad_(False)
#       >>> inputs = X.clone().requires_grad_()
#       >>> F.binary_cross_entropy_with_logits(net(inputs), y).backward()
#       >>> {name: p.grad is None for name, p in net.named_parameters()}
#       {'0.weight': True, '0.bias': True, '2.weight': False, '2.bias': False}
#       >>> (inputs.grad != 0).all()
#       tensor(True)
#
# .. exercise::
#
#    What does ``clip_grad_norm_`` return, and what does it change, if the gradient is
#    already shorter than it may be?
#
#    .. answer::
#
#       It returns the length before clipping, and changes nothing: it shortens, and
#       does not lengthen.
#
#       >>> q = torch.zeros(2, dtype=torch.float64, requires_grad=True)
#       >>> q.grad = torch.tensor([0.3, 0.4], dtype=torch.float64)
#       >>> nn.utils.clip_grad_norm_([q], max_norm=1.0)
#       tensor(0.5000, dtype=torch.float64)
#       >>> q.grad
#       tensor([0.3000, 0.4000], dtype=torch.float64)
#
#       Within a millionth of the limit it does shorten, since it divides by that
#       little more than the length:
#
#       >>> q.grad = torch.tensor([0.0, 0.9999995], dtype=torch.float64)
#       >>> length = nn.utils.clip_grad_norm_([q], max_norm=1.0)
#       >>> length.item(), q.grad[1].item()
#       (0.9999995, 0.999999)
#
# .. exercise::
#
#    Inside ``torch.autocast``, matrices are multiplied in a smaller type. Why should
#    ``optimiser.step()`` stand outside of that block?
#
#    .. answer::
#
#       The block keeps the converted copy of a weight, so that it is made once. A
#       weight that changes inside the block is not converted again:
#
#       >>> w, one = torch.ones(1, 1, requires_grad=True), torch.ones(1, 1)
#       >>> with torch.autocast("cpu", dtype=torch.bfloat16):
#       ...     before = one @ w
#       ...     with torch.no_grad():
#       ...         filled = w.fill_(3.0)
#       ...     after = one @ w
#       >>> before.item(), after.item(), w.item()
#       (1.0, 1.0, 3.0)
#
# .. exercise::
#
#    A smaller type has a narrower range. What becomes of a gradient of one part in a
#    hundred million that goes back through ``float16``, and of one of 70,000? What can
#    one do about it?
#
#    .. answer::
#
#       The first becomes zero, the second infinite. So with ``float16`` one multiplies
#       the loss by a large number before ``backward()``, and divides the gradients by
#       it before the step; if one of them is infinite, the step is left out.
#
#       >>> u = torch.ones(1, requires_grad=True)
#       >>> tiny, huge = 1e-8, 7e4
#       >>> torch.autograd.grad(u.half().float() * tiny, u)
#       (tensor([0.]),)
#       >>> torch.autograd.grad(u.half().float() * huge, u)
#       (tensor([inf]),)
#       >>> torch.autograd.grad(u.half().float() * tiny * 65536, u)[0] / 65536
#       tensor([9.9972e-09])

# %%
# What we can do now
# ------------------
#
# - Say what a module is: leaves, their names, and a function that uses them.
# - Write the step of an optimiser, which needs the leaves and their ``.grad``.
# - Clip a gradient, and not the error; find weights that nobody trains.
#
# :doc:`A mixed quiz </quiz_practice>` asks what is left of the level. Next,
# :doc:`Reading error messages </lessons/3_debugging/10_error_messages>` begins with
# what can go wrong on the way.

# %%
# Credits and licences
# --------------------
#
# Adam comes from `Kingma and Ba <https://arxiv.org/abs/1412.6980>`__, and PyTorch's
# `documentation
# <https://docs.pytorch.org/docs/stable/generated/torch.optim.Adam.html>`__ writes out
# its steps. The program that clipped its error, an implementation of DQN, is an example
# of Andrej Karpathy's in `Yes you should understand backprop
# <https://karpathy.medium.com/yes-you-should-understand-backprop-e2f06eab496b>`__. Our
# text is under `CC BY-SA 4.0 <https://creativecommons.org/licenses/by-sa/4.0/>`__, our
# code under the `MIT licence <https://opensource.org/license/mit>`__.
