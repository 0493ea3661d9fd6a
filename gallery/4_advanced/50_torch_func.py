r"""
Functions that return gradients
===============================

A batch returns one gradient for its samples together. We ask for one for each, without
a loop, by turning functions into other functions. On the way we learn what such a
function does with randomness, and where its second derivatives are NaN.

:Time: 30 minutes
:Needs: :doc:`Linear regression </lessons/2_practice/20_linear_regression>`,
   :doc:`Forward mode and dual numbers </lessons/4_advanced/40_forward_mode>`
:Level: Advanced
:Tags: derivatives, training, errors
"""

# sphinx_gallery_warns = ["jit.script since torch 2.14"]

# %%
# Three points pull at a line. Which of them pulls hardest? The gradient of their common
# loss does not say: it is a mean, and a mean forgets what it is made of.

import torch
from torch.func import functional_call, grad, hessian, jacfwd, jacrev, vmap
from torch.nn import functional as F

from torchutils import MovingPlot, record_backward

# %%
# Where the samples are added up
# ------------------------------
#
# Here are the three points of the lesson on linear regression: the places 1, 2 and 3
# behind a column of ones, and their heights.

X = torch.tensor([[1.0, 1.0], [1.0, 2.0], [1.0, 3.0]], dtype=torch.float64)
y = torch.tensor([1.0, 2.0, 2.0], dtype=torch.float64)
w = torch.zeros(2, dtype=torch.float64, requires_grad=True)
p = X @ w
r = p - y
L = (r**2).mean()

# %%
# The loss is :math:`L = \frac13 \lVert X w - y \rVert^2 = 3`, and its gradient is
# :math:`\nabla_w L = \frac23 X^\top (X w - y) = (-\frac{10}{3}, -\frac{22}{3})`.

record_backward(L, locals())

# %%
# Look at :step:`p sends to w`: three numbers arrive, one for each point, and two leave,
# one for each weight. In this step the points are added up, and what a single one has
# said is gone.
#
# So we write down the loss of *one* point, ``x`` with the height ``t``, and ask three
# times.


def loss(w, x, t):
    return (x @ w - t) ** 2


rows = []
for x, t in zip(X, y, strict=True):
    rows += torch.autograd.grad(loss(w, x, t), w)
G = torch.stack(rows)
G

# %%
# A row for each point:
#
# .. math::
#
#    G = \begin{pmatrix} -2 & -2 \\ -4 & -8 \\ -4 & -12 \end{pmatrix}
#
# The third point pulls hardest. These rows are called *per-sample gradients*.
#
# .. predict::
#
#    What is the mean of the three rows? Two numbers.
#
#    .. ask:: G.mean(0)
#
#    .. answer::
#
#       The gradient of the batch, as the loss of the batch is the mean of the losses:
#       :math:`\frac13 \sum_k G_k = (-3.3333, -7.3333)`.
#
#       .. wrong:: G.sum(0)
#
#          This is the sum. The loss of the batch is a mean.
#
#       .. wrong:: G.mean(1)
#
#          The mean over the weights, for each point. It mixes what belongs to different
#          weights.

G.mean(0)

# %%
# A function from a function
# --------------------------
#
# ``L.backward()`` asks a *result* for its gradient. One can also ask a *function*, as
# earlier lessons did in passing. ``torch.func.grad`` takes a function whose result is a
# single number. It returns another function, which computes the gradient with respect
# to the first argument.

slope = grad(loss)
weights = torch.zeros(2, dtype=torch.float64)
first = slope(weights, X[0], y[0])
first

# %%
# That is the first row, :math:`\text{first} = G_0 = (-2, -2)`. ``weights`` does not
# require a gradient, and nothing is stored in it:
#
# >>> weights.requires_grad, weights.grad
# (False, None)
#
# ``argnums`` chooses another argument. And what is returned is a function like any
# other, so it can be differentiated, too:
#
# >>> grad(loss, argnums=2)(weights, X[2], y[2])
# tensor(4., dtype=torch.float64)
# >>> grad(grad(lambda s: s**3))(torch.tensor(2.0))
# tensor(12.)

# %%
# One more dimension
# ------------------
#
# ``vmap`` also takes a function and returns one. If the first computes something for
# one sample, the second computes it for many at once. ``in_dims`` says along which
# dimension of each argument the samples lie; ``None`` stands for an argument that they
# share. Ours share the weights.

per_sample = vmap(grad(loss), in_dims=(None, 0, 0))
per_sample(weights, X, y)

# %%
# >>> torch.equal(per_sample(weights, X, y), G)
# True
#
# Read from the inside: a loss of one sample, its gradient, and that for each sample. No
# loop is left in our code. Is there one inside?
#
# .. predict::
#
#    We count how often the loss is called for the three points. Type the number for our
#    loop, and then for ``vmap``.
#
#    .. ask:: counted
#
#    .. answer::
#
#       Three times and once, :math:`\text{counted} = (3, 1)`. ``vmap`` hands over one
#       tensor that stands for three, and the operations inside work on all of them:
#       ``x @ w`` becomes ``X @ w``.
#
#       .. wrong:: [3, 3]
#
#          So it would be if ``vmap`` were a loop in disguise. It changes what the
#          operations do, and calls the function once. (With ``chunk_size`` it calls it
#          once for each chunk.)

calls = []


def watched(w, x, t):
    calls.append(x.shape)
    return loss(w, x, t)


for x, t in zip(X, y, strict=True):
    grad(watched)(weights, x, t)
by_loop = len(calls)
vmap(grad(watched), in_dims=(None, 0, 0))(weights, X, y)
counted = [by_loop, len(calls) - by_loop]
counted

# %%
# Inside, each sample looks as if it were alone. The shape that the function saw in the
# last call is that of one row:
#
# >>> calls[-1]
# torch.Size([2])
#
# Outside, the graph holds one product, the same as that of ``X @ w``:
#
# >>> vmap(lambda x: x @ w)(X).grad_fn.name() == (X @ w).grad_fn.name()
# True
#
# A few operations have no such rule yet. Inside, they do run in a loop, and a warning
# says so.
#
# .. admonition:: Wrong on purpose
#
#    The function of the next cell is written for a whole batch. Do not copy it.


# wrong on purpose
def centred(x):
    return x - x.mean(0)


together = centred(X)
alone = vmap(centred)(X)

# %%
# .. predict::
#
#    ``together`` takes the mean of each column from it. Its first row is
#    :math:`\text{together}_0 = (0, -1)`, and its last one is
#    :math:`\text{together}_2 = (0, 1)`. What is in the last row of ``alone``?
#
#    .. ask:: alone[2]
#
#    .. answer::
#
#       The mean of the row itself has been taken from it: :math:`\text{alone}_2 = (-1,
#       1)`. Within ``vmap`` a sample does not see the others, and dimension 0 is that
#       of its own numbers. There is no error.
#
#       .. wrong:: together[2]
#
#          This needs the other points. Under ``vmap`` the function has one.
#
#       .. wrong:: [0, 0]
#
#          So it would be for a batch of one row: the mean of each column is the row.
#          Here dimension 0 is that of the two numbers.

alone

# %%
# Clip each, then take the mean
# -----------------------------
#
# What are per-sample gradients good for? A sample that pulls far too hard can be held
# back *before* the mean is taken, so that none has more than a fixed influence. Private
# training does so, and adds noise in proportion to this limit. Here the limit is 5.

norms = G.norm(dim=1)
factors = (5 / norms).clamp(max=1)
clipped = factors[:, None] * G
g = clipped.mean(0)
late = G.mean(0) * 5 / G.mean(0).norm()
norms

# %%
# The three lengths are :math:`\text{norms} = (2.8284, 8.9443, 12.6491)`. The first is
# below the limit and stays; the other two are shortened to 5.
#
# .. predict::
#
#    What is the mean of the clipped gradients? (The mean of the gradients, clipped
#    afterwards, would be :math:`\text{late} = (-2.0690, -4.5518)`.)
#
#    .. ask:: g
#
#    .. answer::
#
#       It is :math:`g = (-1.9391, -3.7385)`: shorter, and in another direction. The
#       first point keeps its influence, the second a good half of it, and the third
#       less than half: :math:`\text{factors} = (1, 0.5590, 0.3953)`.
#
#       .. wrong:: late
#
#          This clips the mean. Its direction is still the old one, and the third point
#          has as great a part in it as before.
#
#       .. wrong:: clipped.sum(0)
#
#          This is the sum of the clipped gradients. The loss is a mean.

g

# %%
# Move the limit. Which way does the mean turn when it gets lower, and where does it
# stop turning?

limits = torch.arange(1, 15)
held = (limits[:, None].double() / norms).clamp(max=1)[:, :, None] * G
middle = held.mean(1)
plot = MovingPlot(
    {"limit": limits},
    "Three gradients, each one clipped, and their mean",
    xlim=(-13, 3),
    ylim=(-13, 1),
    equal=True,
    start={"limit": 5},
    xlabel="first weight",
    ylabel="second weight",
)
for k, name in enumerate(["first", "second", "third"]):
    plot.arrow(0.0, 0.0, *held[:, k].T, name)
plot.arrow(0.0, 0.0, *middle.T, "mean")
plot.say(
    "The mean is {length:.3f} long, {steepness:.3f} down for each step to the left.",
    length=middle.norm(dim=1),
    steepness=middle[:, 1] / middle[:, 0],
)
plot

# %%
# Towards the arrow of the first point. Below the length of the shortest gradient, each
# of the three is cut to the same length, and from there on the mean gets shorter but
# keeps its direction:
#
# >>> (middle[1] - 2 * middle[0]).abs().max() < 1e-12
# tensor(True)

# %%
# A network is a function, too
# ----------------------------
#
# The weights of a module are inside of it. ``functional_call`` runs the module with
# other weights, which we hand over as a dictionary. So a network becomes a function of
# its weights.

torch.manual_seed(0)
net = torch.nn.Sequential(
    torch.nn.Linear(1, 2), torch.nn.Tanh(), torch.nn.Linear(2, 1)
).double()
parameters = {name: p.detach() for name, p in net.named_parameters()}


def miss(parameters, place, height):
    [answer] = functional_call(net, parameters, (place,))
    return (answer - height) ** 2


each = vmap(grad(miss), in_dims=(None, 0, 0))(parameters, X[:, 1:], y)

# %%
# .. predict::
#
#    The first layer has two neurons, each with one weight. Which shape does
#    ``each["0.weight"]`` have? Type its numbers.
#
#    .. ask:: list(each["0.weight"].shape)
#
#    .. answer::
#
#       That of the weight, ``(2, 1)``, with the three points before it:
#       :math:`\text{sizes} = (3, 2, 1)`.
#
#       .. wrong:: [2, 1]
#
#          This is the shape of the weight, and of the gradient for one point. We have
#          three.

sizes = list(each["0.weight"].shape)
sizes

# %%
# The means are what ``backward()`` finds for the batch:

((net(X[:, 1:])[:, 0] - y) ** 2).mean().backward()
gaps = [(each[name].mean(0) - p.grad).abs().max() for name, p in net.named_parameters()]
max(gaps)

# %%
# >>> max(gaps) < 1e-12
# tensor(True)
#
# *Batch normalisation* has no such gradients in training. It subtracts the mean of the
# batch, so the loss of one sample depends on the others, too. One row alone is refused:
#
# >>> norm = torch.nn.BatchNorm1d(2).double()
# >>> try:
# ...     vmap(lambda x: functional_call(norm, {}, (x[None],)))(X)
# ... except ValueError as error:
# ...     print(str(error).split(",")[0])
# Expected more than 1 value per channel when training
#
# A sample with several values for each channel, as in an image, is not refused if the
# layer keeps no running statistics. Then each sample is normalised by itself, and that
# is another network:
#
# >>> norm = torch.nn.BatchNorm1d(2, track_running_stats=False)
# >>> signals = torch.arange(24.0).reshape(3, 2, 4)
# >>> apart = vmap(lambda x: norm(x[None])[0])(signals)
# >>> torch.allclose(apart, norm(signals))
# False
# >>> torch.allclose(apart, F.instance_norm(signals))
# True

# %%
# Random numbers
# --------------
#
# Dropout draws which inputs it lets pass. Three samples of six ones:

samples = torch.ones(3, 6)


def gate(x):
    return F.dropout(x, 0.5)


try:
    vmap(gate)(samples)
except RuntimeError as error:
    message = str(error)
    print(message.replace(". ", ".\n"))

# %%
# >>> message.split(". ")[0]
# 'vmap: called random operation while in randomness error mode'
#
# It asks what we mean. Shall each sample have a draw of its own, or shall they share
# one?

torch.manual_seed(0)
same = vmap(gate, randomness="same")(samples)
torch.manual_seed(0)
different = vmap(gate, randomness="different")(samples)

# %%
# .. predict::
#
#    How many different rows does ``same`` have, and how many ``different``? Two
#    numbers.
#
#    .. ask:: kinds
#
#    .. answer::
#
#       One and three, :math:`\text{kinds} = (1, 3)`. With "same" one draw serves every
#       sample, which training seldom wants: then dropout switches off the same inputs
#       for the whole batch. (With "different" two draws can be equal by chance. These
#       are not.)
#
#       .. wrong:: [3, 3]
#
#          "same" means the same draw for each sample, and not the same as without
#          ``vmap``.

kinds = [len(same.unique(dim=0)), len(different.unique(dim=0))]
kinds

# %%
# "different" is what dropout does to a batch without ``vmap``. On a CPU, and with the
# same seed, even the numbers are those:
#
# >>> _ = torch.manual_seed(0)
# >>> torch.equal(gate(samples), different)
# True
#
# The question comes up where nobody has written ``vmap``. ``jacfwd`` sends its
# directions through the function together, by ``vmap``. ``jacrev`` runs the function
# once, and uses ``vmap`` on the way back. So one of them refuses, until we say what we
# want:

torch.manual_seed(7)
by_rows = jacrev(gate)(torch.ones(4))
try:
    jacfwd(gate)(torch.ones(4))
except RuntimeError as error:
    message = str(error)
torch.manual_seed(7)
by_columns = jacfwd(gate, randomness="different")(torch.ones(4))
by_rows.diagonal(), by_columns.diagonal()

# %%
# >>> message.split(". ")[0]
# 'vmap: called random operation while in randomness error mode'
#
# And here "different" is a trap. Each column then belongs to a draw of its own, and the
# matrix mixes four of them. The third number on its diagonal is 2, though the draw of
# the first column stops the third input:
#
# >>> by_rows.diagonal(), by_columns.diagonal()
# (tensor([2., 2., 0., 0.]), tensor([2., 0., 2., 0.]))
#
# Here are the four draws. The matrix is the Jacobian of none of them:
#
# >>> _ = torch.manual_seed(7)
# >>> draws = vmap(gate, randomness="different")(torch.ones(4, 4))
# >>> draws
# tensor([[2., 2., 0., 0.],
#         [0., 0., 2., 0.],
#         [0., 0., 2., 2.],
#         [2., 2., 2., 0.]])
# >>> torch.equal(draws.diagonal(), by_columns.diagonal())
# True
#
# With "same" the columns fit together:
#
# >>> _ = torch.manual_seed(7)
# >>> torch.equal(jacfwd(gate, randomness="same")(torch.ones(4)), by_rows)
# True

# %%
# What such functions may not do
# ------------------------------
#
# Under ``vmap``, what depends on a sample is no single number that an ``if`` could look
# at, and ``item()`` has none to return. ``torch.where`` chooses for each sample.
#
# >>> def size(x):
# ...     return x if x > 0 else -x
# >>> try:
# ...     vmap(size)(torch.tensor([1.0, -2.0]))
# ... except RuntimeError as error:
# ...     print("data-dependent control flow" in str(error))
# True
# >>> vmap(lambda x: torch.where(x > 0, x, -x))(torch.tensor([1.0, -2.0]))
# tensor([1., 2.])
#
# The graph is recorded outside, so ``backward()`` works on what ``vmap`` returns:
#
# >>> s = torch.ones(3, requires_grad=True)
# >>> vmap(lambda x: x**2)(s).sum().backward()
# >>> s.grad
# tensor([2., 2., 2.])
#
# Inside, a result shows no graph, and ``torch.autograd.grad`` finds none. There, take
# ``torch.func.grad``:
#
# >>> def old(x):
# ...     return torch.autograd.grad(x**2, x)[0]
# >>> try:
# ...     vmap(old)(torch.ones(3, requires_grad=True))
# ... except RuntimeError as error:
# ...     print(error)
# element 0 of tensors does not require grad and does not have a grad_fn
# >>> vmap(grad(lambda x: x**2))(torch.ones(3))
# tensor([2., 2., 2.])

# %%
# Matrices of derivatives
# -----------------------
#
# ``jacrev`` is ``vmap`` of the way back, with a row of the unit matrix for each output.
# ``jacfwd`` is ``vmap`` of the way forward, with a column for each input. The Jacobian
# of softmax, at the logits of the lesson on classifiers:

z = torch.tensor([2.0, 1.0, 0.0], dtype=torch.float64, requires_grad=True)
q = torch.softmax(z, dim=0)
J = jacrev(lambda z: torch.softmax(z, dim=0))(z.detach())
J

# %%
# .. math::
#
#    J = \operatorname{diag}(q) - q q^\top = \begin{pmatrix}
#    0.2227 & -0.1628 & -0.0599 \\
#    -0.1628 & 0.1848 & -0.0220 \\
#    -0.0599 & -0.0220 & 0.0819
#    \end{pmatrix}
#
# Each row has the sum 0, as all logits may rise together without a change:
#
# >>> J.sum(1).abs().max() < 1e-12
# tensor(True)
#
# ``hessian`` puts one into the other: it is ``jacfwd`` of ``jacrev``. Here it is for
# the loss of the third point. Its Hessian does not depend on the weights:

H = hessian(loss)(weights, X[2], y[2])
outer = 2 * torch.outer(X[2], X[2])
H

# %%
# It is :math:`H = \text{outer} = \begin{pmatrix} 2 & 6 \\ 6 & 18 \end{pmatrix}`. With
# ``vmap`` around it there is one for each point, and their mean is that of the batch:
#
# >>> mean = vmap(hessian(loss), in_dims=(None, 0, 0))(weights, X, y).mean(0)
# >>> mean
# tensor([[2.0000, 4.0000],
#         [4.0000, 9.3333]], dtype=torch.float64)
# >>> torch.allclose(mean, hessian(lambda w: ((X @ w - y) ** 2).mean())(weights))
# True

# %%
# A Hessian with holes
# --------------------
#
# ``sinc`` is :law:`\frac{\sin \pi x}{\pi x}`, and 1 at 0. It is as smooth as a function
# can be, and bends down there with the second derivative :law:`-\frac{\pi^2}{3}`.

at = torch.zeros((), dtype=torch.float64)
bend = -(torch.pi**2) / 3
found = hessian(torch.sinc)(at)

# %%
# .. predict::
#
#    What does ``torch.func.hessian`` return at 0?
#
#    .. ask:: found
#
#    .. answer::
#
#       It is silent, and wrong: :math:`\text{found} = 0`. The rule for the first
#       derivative has a case of its own for 0, where it writes 0, and the way forward
#       takes this for a constant.
#
#       .. wrong:: bend
#
#          The truth, :math:`\text{bend} = -3.2899`. It would need a rule that knows how
#          the slope goes on beside 0.

found

# %%
# Reverse over reverse sees the other case, which divides zero by zero, and is NaN. Half
# a thousandth beside 0, both find it:
#
# >>> grad(grad(torch.sinc))(at)
# tensor(nan, dtype=torch.float64)
# >>> beside = at + 0.0005
# >>> for second in (hessian(torch.sinc), grad(grad(torch.sinc))):
# ...     print(round(second(beside).item(), 2))
# -3.29
# -3.29
#
# The determinant of a matrix with two rows is :law:`A_{00} A_{11} - A_{01} A_{10}`. Two
# of its second derivatives are 1, two are −1, and the other twelve are 0, whatever the
# matrix is. At the unit matrix, what do we get?

unit = torch.eye(2, dtype=torch.float64)
by_func = hessian(torch.linalg.det)(unit)
by_autograd = torch.autograd.functional.hessian(torch.linalg.det, unit)
by_func.isnan().sum(), by_autograd.isnan().sum()

# %%
# In PyTorch 2.9.1, 2.13.0 and 2.14.1 the first answer is NaN, in each of sixteen
# entries, and the second has none. (In 2.15.0 neither has.) It depends on who asks:
# under ``torch.func`` the determinant takes a rule with singular values, whose
# derivative divides by the differences of their squares. Those of the unit matrix are
# equal. Where no two are equal, all is well:
#
# >>> major, minor = torch.__version__.split(".")[:2]
# >>> repaired = (int(major), int(minor)) >= (2, 15)
# >>> by_func.isnan().sum().item() == (0 if repaired else 16)
# True
# >>> by_autograd[0, 0, 1, 1].item(), by_autograd[0, 1, 1, 0].item()
# (1.0, -1.0)
# >>> by_autograd.abs().sum()
# tensor(4., dtype=torch.float64)
# >>> uneven = torch.tensor([[2.0, 1.0], [1.0, 3.0]], dtype=torch.float64)
# >>> torch.allclose(hessian(torch.linalg.det)(uneven), by_autograd)
# True
#
# A unit matrix is where many programs start. So look for NaN in a Hessian before you
# trust it, and compare two ways to it:
#
# >>> def by_hand(A):
# ...     return A[0, 0] * A[1, 1] - A[0, 1] * A[1, 0]
# >>> torch.equal(hessian(by_hand)(unit), by_autograd)
# True
#
# A repair that works here is the formula itself. Why reverse and forward mode do not
# agree on second derivatives, and which of four ways is right, is told in
# :doc:`Derivatives of derivatives </lessons/4_advanced/30_higher_order>`.

# %%
# Exercises
# ---------
#
# .. exercise::
#
#    Get the length of each per-sample gradient of the network, its weights taken
#    together. Three numbers.
#
#    .. answer::
#
#       Square, add up over the dimensions behind the first, add the weights, take the
#       root.
#
#       >>> squares = sum((g**2).flatten(1).sum(1) for g in each.values())
#       >>> lengths = squares.sqrt()
#       >>> def one(k):
#       ...     gs = grad(miss)(parameters, X[k, 1:], y[k]).values()
#       ...     return torch.cat([g.flatten() for g in gs]).norm()
#       >>> torch.allclose(lengths, torch.stack([one(k) for k in range(3)]))
#       True
#       >>> lengths
#       tensor([2.1984, 4.7685, 5.0969], dtype=torch.float64)
#
# .. exercise::
#
#    Two layers without a bias share one weight, ``b.weight = a.weight``, and the
#    network computes ``b(a(x))``. ``functional_call`` gets 3 for ``"a.weight"``. At
#    :law:`x = 1`, what are output and gradient?
#
#    .. answer::
#
#       9 and 6: it knows that the weights are tied, and replaces both. (With
#       ``tie_weights=False`` it replaces one.) The output is the square of the weight.
#
#       >>> tied = torch.nn.Sequential()
#       >>> tied.a = torch.nn.Linear(1, 1, bias=False)
#       >>> tied.b = torch.nn.Linear(1, 1, bias=False)
#       >>> tied.b.weight = tied.a.weight
#       >>> def output(v):
#       ...     return functional_call(tied, {"a.weight": v}, (torch.ones(1, 1),)).sum()
#       >>> three = torch.tensor([[3.0]])
#       >>> output(three), grad(output)(three)
#       (tensor(9.), tensor([[6.]]))
#
# .. exercise::
#
#    *Spot the error.* "For per-sample gradients I call ``jacrev`` on the losses of the
#    batch, a vector." Is the result right, and what does it cost?
#
#    .. answer::
#
#       It is right: row by row the same matrix. But each row is a way back through the
#       *whole* batch, with a weight of 0 for all other samples. For three points that
#       is three times three, and for a thousand it is a thousand times a thousand.
#
#       >>> def losses(w):
#       ...     return (X @ w - y) ** 2
#       >>> torch.equal(jacrev(losses)(weights), G)
#       True
#
# .. exercise::
#
#    Write ``jacrev`` for a function of a vector yourself, from ``torch.func.vjp`` and
#    ``vmap``.
#
#    .. answer::
#
#       One way forward, then one way back for each row of the unit matrix.
#
#       >>> def rows_of(f, x):
#       ...     out, back = torch.func.vjp(f, x)
#       ...     return vmap(back)(torch.eye(len(out), dtype=out.dtype))[0]
#       >>> torch.equal(rows_of(losses, weights), jacrev(losses)(weights))
#       True

# %%
# What we can do now
# ------------------
#
# - Turn a loss of one sample into its gradient for each sample of a batch.
# - Clip each of them before the mean.
# - Say what a draw means under ``vmap``, and why ``jacfwd`` asks about it.
# - Look for NaN in a Hessian, and know that zeros may be wrong as well.
#
# Next, :doc:`Memory </lessons/4_advanced/60_memory>` asks what a way back has
# to keep.

# %%
# Credits and licences
# --------------------
#
# Clipping each gradient before the mean is from M. Abadi and others, `Deep Learning
# with Differential Privacy <https://arxiv.org/abs/1607.00133>`__. What the flag for
# randomness does is said in `PyTorch's documentation of vmap
# <https://docs.pytorch.org/docs/stable/generated/torch.func.vmap.html>`__. Our text is
# under `CC BY-SA 4.0 <https://creativecommons.org/licenses/by-sa/4.0/>`__, our code
# under the `MIT licence <https://opensource.org/license/mit>`__.
