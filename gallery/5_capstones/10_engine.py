r"""
An engine of our own
====================

We build autograd itself, in less than a hundred lines of NumPy: cell by cell, and each
cell is compared with PyTorch at once. At the end our engine describes its graph for a
drawing and trains a network, and we can say what the real one has that ours lacks.

:Time: 60 minutes
:Needs: :doc:`Chain rule </lessons/1_foundations/30_chain_rule>`,
    :doc:`Vectors, matrices and broadcasting
    </lessons/1_foundations/40_vectors_and_matrices>`,
    :doc:`A two-layer network by hand </lessons/2_practice/40_mlp_by_hand>`
:Level: Capstones
:Tags: graph, chain rule, training
"""

# sphinx_gallery_thumbnail_number = -1

# %%
# By hand we have gone back through one network at a time, and PyTorch has gone back for
# us through the others. Now we write a program that does it, until it trains a network.
#
# NumPy computes with arrays, and has no idea of gradients. What our engine can do we
# have put into it. PyTorch stands beside it and checks.

import inspect
import itertools

import matplotlib.pyplot as plt
import numpy as np
import torch

from torchutils import MovingPlot, record_backward

# %%
# A value that remembers
# ----------------------
#
# A graph is made of values that know where they came from. Ours hold six things: the
# numbers, the name of the operation, its inputs, one function for each input (the next
# section says which), the place in the order in which values were made, and room for a
# gradient.

clock = itertools.count()


class Var:
    """A value, and how it was made."""

    def __init__(self, value, op="", inputs=(), vjps=()):
        self.value = np.asarray(value, dtype=float)
        self.op, self.inputs, self.vjps = op, inputs, vjps
        self.number = next(clock)
        self.grad = None


# %%
# A value that we make ourselves has no inputs. It is a leaf, and its ``grad`` is
# ``None`` until something arrives, as in PyTorch:
#
# >>> leaf = Var(3.0)
# >>> leaf.inputs, leaf.grad
# ((), None)
# >>> u = torch.tensor(3.0, requires_grad=True)
# >>> u.grad_fn, u.grad
# (None, None)

# %%
# An operation brings its slopes
# ------------------------------
#
# An operation computes a value and hands it to ``Var``, together with a function for
# each input. It takes the upstream gradient ``g`` and returns what to send to this
# input. (It is a vector-Jacobian product; hence the name ``vjps``.) A product swaps:
# each factor is sent ``g`` times the other factor. A plain number becomes a ``Var``
# first.


def var(x):
    return x if isinstance(x, Var) else Var(x)


def mul(a, b):
    a, b = var(a), var(b)
    vjps = (lambda g: g * b.value, lambda g: g * a.value)
    return Var(a.value * b.value, "mul", (a, b), vjps)


Var.__mul__ = Var.__rmul__ = mul

# %%
# The last line says what ``*`` means for us. We multiply 3 and −4, and PyTorch does it
# too.

p, q = Var(3.0), Var(-4.0)
r = p * q
x = torch.tensor(3.0, dtype=torch.float64, requires_grad=True)
w = torch.tensor(-4.0, dtype=torch.float64, requires_grad=True)
y = x * w
print(r.value, y.item())

# %%
# .. predict::
#
#    We call both functions of ``r`` with the upstream gradient 1. What do they return?
#
#    .. ask:: [vjp(1.0) for vjp in r.vjps]
#
#    .. answer::
#
#       The two slopes, which are the other factors:
#       :math:`\nabla_{x, w}\, y = (w, x) = (-4, 3)`.
#
#       .. wrong:: [3, -4]
#
#          A product swaps. The first function belongs to the first factor, and this
#          factor is multiplied by the second one.
#
#       .. wrong:: [1, 1]
#
#          This is what an addition sends. A product multiplies by the other factor.

print(*[vjp(1.0) for vjp in r.vjps])

# %%
# The same from PyTorch:
#
# >>> torch.autograd.grad(y, (x, w))
# (tensor(-4., dtype=torch.float64), tensor(3., dtype=torch.float64))
#
# An addition copies: each input is sent ``g`` as it is.


def add(a, b):
    a, b = var(a), var(b)
    return Var(a.value + b.value, "add", (a, b), (lambda g: g, lambda g: g))


Var.__add__ = Var.__radd__ = add

# %%
# >>> r = p + q
# >>> float(r.value), [vjp(1.0) for vjp in r.vjps]
# (-1.0, [1.0, 1.0])
# >>> y = x + w
# >>> y.item(), *torch.autograd.grad(y, (x, w))
# (-1.0, tensor(1., dtype=torch.float64), tensor(1., dtype=torch.float64))
#
# The forward step is done: Python computes as usual, and the graph grows on its own.

# %%
# The way back, a first try
# -------------------------
#
# Going back, we visit the values from the root on. First we find them: a list that
# grows while we go along it. No function calls itself here, and that will be worth
# something.


def found(root):
    """All values that led to root, itself first, in the order of discovery."""
    todo, seen = [root], {root}
    for v in todo:
        for u in v.inputs:
            if u not in seen:
                seen.add(u)
                todo.append(u)
    return todo


# %%
# Then each value has its turn. Its adjoint is taken from a dictionary, multiplied by
# the slopes, and sent on. A leaf adds what it has got to its ``grad``.


def backward(root):
    adjoint = {root: np.ones_like(root.value)}
    for v in found(root):
        g = adjoint.pop(v)
        if not v.inputs:
            v.grad = g if v.grad is None else v.grad + g
        for u, vjp in zip(v.inputs, v.vjps, strict=True):
            adjoint[u] = vjp(g)


backward(2 * (p * q))
print(p.grad, q.grad)

# %%
# PyTorch agrees: with :math:`y = 2xw` the gradients are
# :math:`\nabla_{x, w}\, y = (2w, 2x) = (-8, 6)`.

y = 2 * (x * w)
y.backward()
x.grad, w.grad

# %%
# .. predict::
#
#    Does it hold for every function? We try a product of a value with itself,
#    :math:`x^2` at 3. What does our engine answer?
#
#    .. ask:: p.grad
#
#    .. answer::
#
#       Half of the truth: 3. Two edges lead to the same leaf, each brings 3, and the
#       second *overwrites* the first. The slope is :math:`2 \cdot 3 = 6`:
#
#       >>> u = torch.tensor(3.0, requires_grad=True)
#       >>> (u * u).backward()
#       >>> u.grad
#       tensor(6.)
#
#       .. wrong:: 2 * p.value
#
#          This is the right slope. Look at the last line of ``backward``: what becomes
#          of the first contribution when the second one arrives?
#
#       .. wrong:: p.value**2
#
#          This is the value of the square, and not its slope.

p = Var(3.0)
backward(p * p)
print(p.grad)

# %%
# Add, do not overwrite
# ---------------------
#
# The remedy is the ``+=`` of the lesson on the chain rule. As long as there is no entry
# yet, we begin at 0.


def backward(root):
    adjoint = {root: np.ones_like(root.value)}
    for v in found(root):
        g = adjoint.pop(v)
        if not v.inputs:
            v.grad = g if v.grad is None else v.grad + g
        for u, vjp in zip(v.inputs, v.vjps, strict=True):
            adjoint[u] = adjoint.get(u, 0) + vjp(g)


p = Var(3.0)
backward(p * p)
print(p.grad)

# %%
# >>> float(p.grad)
# 6.0

# %%
# Whose turn is it?
# -----------------
#
# The next function has a fork in the middle: ``z`` goes into ``y`` directly, and by way
# of ``w``.
#
# .. math::
#
#    z &= x^2 = 3^2 = 9 \\
#    w &= z x = 27 \\
#    y &= z + w = 36 \\
#    \frac{dy}{dx} &= 2x + 3x^2 = 33

x = torch.tensor(3.0, dtype=torch.float64, requires_grad=True)
z = x * x
w = z * x
y = z + w

# %%
# Here is PyTorch's walk. When does ``z`` have its turn: before ``w``, or after it?

record_backward(y, locals())

# %%
# It waits: :step:`z sends to x` comes after :step:`w sends to z`, with the sum of both
# contributions. Our list is in the order of discovery: the root ``y``, then its
# inputs ``z`` and ``w``, and ``x`` last.
#
# .. predict::
#
#    Walk along this list by hand. What does our engine find for ``x``?
#
#    .. ask:: p.grad
#
#    .. answer::
#
#       It finds 15. From ``y``, a 1 comes to ``z`` and to ``w``. Then ``z`` has its
#       turn and sends 3 to ``x``, twice. Then ``w`` sends 9 to ``x``. It also sends 3
#       to ``z``, but ``z`` has had its turn, and nobody fetches the 3. Together
#       :math:`3 + 3 + 9 = 15`. Lost is what it would have become, :math:`3 \cdot 2
#       \cdot 3 = 18`.
#
#       .. wrong:: 2 * p.value + 3 * p.value**2
#
#          This is the truth. Our list lets ``z`` have its turn before ``w``.
#
#       .. wrong:: 3 * p.value**2
#
#          This is the path through ``w`` alone. The direct one, from ``z`` into ``y``,
#          brings something as well.

p = Var(3.0)
q = p * p
backward(q + q * p)
print(p.grad)

# %%
# A value may have its turn when each value that it went into, on the way to the root,
# has had its own. An order in which this holds is called a *topological order*. We have
# one already: an input is made *before* what is made from it. So we sort by the number
# that each value got when it was made, the newest first.


def order(root):
    return sorted(found(root), key=lambda v: v.number, reverse=True)


def backward(root):
    adjoint = {root: np.ones_like(root.value)}
    for v in order(root):
        g = adjoint.pop(v)
        if not v.inputs:
            v.grad = g if v.grad is None else v.grad + g
        for u, vjp in zip(v.inputs, v.vjps, strict=True):
            adjoint[u] = adjoint.get(u, 0) + vjp(g)


p = Var(3.0)
q = p * p
backward(q + q * p)
print(p.grad)

# %%
# >>> float(p.grad), x.grad.item()
# (33.0, 33.0)
#
# PyTorch counts, for each operation, how many contributions are still missing. And it
# numbers them, too, in the order in which they were computed:
#
# >>> z.grad_fn._sequence_nr() < w.grad_fn._sequence_nr() < y.grad_fn._sequence_nr()
# True
#
# From now on a function of ours does the comparing. It computes the gradients of the
# same expression with both engines, and returns the largest distance between them.


def compare(f, *values):
    ours = [Var(value) for value in values]
    theirs = [torch.tensor(value, dtype=torch.float64) for value in values]
    backward(f(*ours))
    f(*(t.requires_grad_() for t in theirs)).sum().backward()
    pairs = zip(ours, theirs, strict=True)
    return max(float(abs(u.grad - t.grad.numpy()).max()) for u, t in pairs)


compare(lambda a, b: a * b * a + 5 * b + a, 1.7, -0.3)

# %%
# >>> compare(lambda a, b: a * b * a + 5 * b + a, 1.7, -0.3) < 1e-12
# True

# %%
# What was copied must be summed
# ------------------------------
#
# NumPy broadcasts as PyTorch does. We take a column of shape ``(3, 1)`` and a row of
# shape ``(4,)``; their product is a table of shape ``(3, 4)``. Our ``backward`` begins
# with ones, one for each entry of the root. That makes it the gradient of their *sum*.

p, q = Var([[1.0], [2.0], [3.0]]), Var([1.0, 2.0, 3.0, 4.0])
backward(p * q)
p.grad.shape, q.grad.shape

# %%
# Both are wrong. A gradient has the shape of its variable, and here come twelve
# numbers, one for each copy. On the way back we sum over the axes along which NumPy has
# copied: those that a shape lacks in front, and those of length 1.


def fit(g, shape):
    g = g.sum(axis=tuple(range(g.ndim - len(shape))))
    ones = tuple(i for i, n in enumerate(shape) if n == 1)
    return g.sum(axis=ones, keepdims=True)


def backward(root):
    adjoint = {root: np.ones_like(root.value)}
    for v in order(root):
        g = adjoint.pop(v)
        if not v.inputs:
            v.grad = g if v.grad is None else v.grad + g
        for u, vjp in zip(v.inputs, v.vjps, strict=True):
            adjoint[u] = adjoint.get(u, 0) + fit(vjp(g), u.value.shape)


# %%
# This is the last version. ``fit`` stands in one place, and no operation needs to know
# of it.
#
# .. predict::
#
#    What will ``p.grad`` hold now, and what ``q.grad``? Type the four numbers of ``q``.
#
#    .. ask:: q.grad.tolist()
#
#    .. answer::
#
#       Each entry of ``q`` was copied to three rows, where it met 1, 2 and 3:
#       :math:`1 + 2 + 3 = 6`, four times. Each entry of ``p`` met the whole row:
#       :math:`1 + 2 + 3 + 4 = 10`, three times.
#
#       .. wrong:: q.value.tolist()
#
#          These are the factors that an entry of ``p`` meets. What does an entry of
#          ``q`` meet, and how often?
#
#       .. wrong:: [10, 10, 10, 10]
#
#          This number belongs to ``p``, whose entries meet the whole row.

p, q = Var([[1.0], [2.0], [3.0]]), Var([1.0, 2.0, 3.0, 4.0])
backward(p * q)
print(p.grad.T, q.grad)

# %%
# >>> p.grad.tolist(), q.grad.tolist()
# ([[10.0], [10.0], [10.0]], [6.0, 6.0, 6.0, 6.0])
#
# PyTorch agrees, for this product, and for one in which a single number is copied:
#
# >>> column, row = [[1.0], [2.0], [3.0]], [1.0, 2.0, 3.0, 4.0]
# >>> compare(lambda a, b: a * b, column, row) < 1e-12
# True
# >>> compare(lambda a, b, c: a * b + c * b, column, row, 0.5) < 1e-12
# True

# %%
# The other operations
# --------------------
#
# A network needs four more kinds. A power with a fixed exponent, the sum of the
# entries, and the product of two matrices, whose two rules come from the lesson on
# vectors and matrices:


def power(a, n):
    vjps = (lambda g: g * n * a.value ** (n - 1),)
    return Var(a.value**n, f"pow {n}", (a,), vjps)


def total(a):
    vjps = (lambda g: g * np.ones_like(a.value),)
    return Var(a.value.sum(), "sum", (a,), vjps)


def matmul(a, b):
    vjps = (lambda g: g @ b.value.T, lambda g: a.value.T @ g)
    return Var(a.value @ b.value, "matmul", (a, b), vjps)


Var.__pow__, Var.sum, Var.__matmul__ = power, total, matmul

# %%
# And functions that act on each entry. They differ in their name, their values and
# their slope, so one function makes them.


def elementwise(op, f, slope):
    def method(a):
        y = f(a.value)
        return Var(y, op, (a,), (lambda g: g * slope(a.value, y),))

    setattr(Var, op, method)


elementwise("relu", lambda x: np.maximum(x, 0), lambda x, y: x > 0)
elementwise("tanh", np.tanh, lambda x, y: 1 - y**2)
elementwise("exp", np.exp, lambda x, y: y)
elementwise("log", np.log, lambda x, y: 1 / x)

# %%
# Minus and the quotient are made of what is there. We need no slope for them.

Var.__neg__ = lambda a: a * -1
Var.__sub__ = lambda a, b: a + var(b) * -1
Var.__rsub__ = lambda a, b: b + a * -1
Var.__truediv__ = lambda a, b: a * var(b) ** -1
Var.__rtruediv__ = lambda a, b: b * a**-1

# %%
# Each of them is tried on a product ``m`` of two random matrices.

random = np.random.default_rng(0)
A, B = random.normal(size=(3, 2)), random.normal(size=(2, 4))
trials = {
    "matmul, pow": lambda m: m**3,
    "sum": lambda m: m.sum() * m,
    "relu": lambda m: m.relu(),
    "tanh": lambda m: m.tanh(),
    "exp, minus": lambda m: 1 - (-m).exp(),
    "log": lambda m: (m**2 + 1).log(),
    "quotients": lambda m: m / (m**2 + 1) - 1 / (m**2 + 2),
}
for name, f in trials.items():
    distance = compare(lambda a, b, f=f: f(a @ b), A, B)
    print(f"{name:12} {distance:.0e}")

# %%
# The distances are rounding errors of float64:
#
# >>> max(compare(lambda a, b: f(a @ b), A, B) for f in trials.values()) < 1e-12
# True
#
# `micrograd <https://github.com/karpathy/micrograd>`__, a well-known engine of this
# size, tests itself with two functions. The first one is small. At :math:`x = -4` its
# values are :math:`z = 3x + 2 = -10`, :math:`q = 40` and :math:`y = -20`.
#
# The same function serves both engines: they know the same signs and names.


def small(x):
    z = 2 * x + 2 + x
    q = z.relu() + z * x
    return (z * z).relu() + q + q * x


x = torch.tensor(-4.0, dtype=torch.float64, requires_grad=True)
z = 2 * x + 2 + x
q = z.relu() + z * x
y = (z * z).relu() + q + q * x
p = Var(-4.0)
backward(small(p))

# %%
# .. predict::
#
#    What is the slope at :math:`x = -4`? Find the slopes of ``z``, ``q`` and ``y`` one
#    after the other.
#
#    .. ask:: p.grad
#
#    .. answer::
#
#       The slope of ``z`` is :math:`\frac{dz}{dx} = 3`. The value of ``z`` is negative,
#       so its relu is flat and sends a zero, and what is left of ``q`` is the product:
#       :math:`\frac{dq}{dx} = 3 \cdot (-4) + (-10) = -22`. Then, with the values from
#       above,
#
#       .. math::
#
#          \frac{dy}{dx} &= 2 \cdot (-10) \cdot 3 + (-22) \\
#          &\quad + (-22) \cdot (-4) + 40 = 46
#
#       .. wrong:: 2 * (-10) * 3 + (-22) * (1 - 4)
#
#          The last product of ``y`` has two factors, and both depend on ``x``: the
#          path on which ``q`` stays fixed is missing.
#
#       .. wrong:: 2 * (-10) * 3 + (-22 + 3) * (1 - 4) + 40
#
#          You let the slope of ``z`` pass through its relu. There ``z`` is negative,
#          and the relu function is flat.

print(p.grad)

# %%
# >>> float(small(p).value), float(p.grad)
# (-20.0, 46.0)
#
# The second function has two inputs and more forks. In our own spelling, and with
# :law:`r(s)` for the larger one of 0 and :law:`s`, it is :law:`y = e^2/2 + 10/e^2`,
# where :law:`e = c - d`, :law:`c = 4(a + b) + 3 - a` and :law:`d = 12(ab + b^3) +
# 4\,r(a + b) + r(b - a)`. At ``a`` −4 and ``b`` 2:


def large(a, b):
    c = 4 * (a + b) + 3 - a
    d = 12 * (a * b + b**3) + 4 * (a + b).relu() + (b - a).relu()
    e = c - d
    return e**2 / 2 + 10 / e**2


a, b = Var(-4.0), Var(2.0)
y = large(a, b)
backward(y)
print(y.value, a.grad, b.grad)

# %%
# >>> float(y.value), float(a.grad), float(b.grad)
# (24.7041, 138.8338, 645.5773)
# >>> compare(large, -4.0, 2.0) < 1e-12
# True

# %%
# It describes itself
# -------------------
#
# A drawing needs what the walk needs: the values and their inputs. We write them in the
# language of Graphviz, which ``make_dot(y).source`` has, too: a line for each box, and
# one for each arrow. Names come from our variables. Any program that knows this
# language makes a picture of the lines.


def draw(root, names):
    known = {v: name for name, v in names.items() if isinstance(v, Var)}
    place = {v: f"n{i}" for i, v in enumerate(order(root))}
    for v, box in place.items():
        label = " = ".join(filter(None, (known.get(v), v.op))) or v.value
        yield f'{box} [label="{label}"]'
        yield from (f"{place[u]} -> {box}" for u in v.inputs)


x = Var(3.0)
z = x * x
w = z * x
y = z + w
print("digraph {", *draw(y, locals()), "}", sep="\n")

# %%
# Compare it with the drawing above, from PyTorch's own record of this function: the
# same four boxes and the same six arrows. Between ``x`` and ``z`` there are two.
#
# >>> lines = list(draw(y, {"x": x, "y": y, "z": z, "w": w}))
# >>> sum("label" in line for line in lines), sum("->" in line for line in lines)
# (4, 6)
# >>> lines.count("n3 -> n2"), lines[0]
# (2, 'n0 [label="y = add"]')

# %%
# Two faults of small engines
# ---------------------------
#
# In micrograd, and in engines like it, the walk differs from ours in two places. It
# keeps the adjoint of each value *in the value*, and it finds the order by a function
# that calls itself. Both are shorter. We write such a walk, and see what happens.
#
# .. admonition:: Wrong on purpose
#
#    The walk of the next cell has two faults. Do not copy it.


# wrong on purpose
def visit(v, done):
    for u in v.inputs:
        if u not in done:
            visit(u, done)
    done[v] = True


def backward_in_place(root):
    visit(root, done := {})
    root.grad = 1.0
    for v in reversed(done):
        for u, vjp in zip(v.inputs, v.vjps, strict=True):
            u.grad = (u.grad or 0.0) + vjp(v.grad)


x = Var(3.0)
y = x * x * x
backward_in_place(y)
print(x.grad)

# %%
# That is right, :law:`3x^2` at 3:
#
# >>> float(x.grad)
# 27.0
#
# .. predict::
#
#    Now we go back through the same graph a second time. PyTorch, asked with
#    ``retain_graph=True`` to keep its record, adds the second gradient to the first.
#    What does it hold then, and what does this engine hold? Type both.
#
#    .. ask:: [2 * 27.0, x.grad]
#
#    .. answer::
#
#       PyTorch holds :math:`27 + 27 = 54`, this engine 72. In its first walk, the
#       square in the middle got the adjoint 3, and *kept* it. The second walk adds 3 to
#       that, and sends on 6 instead of 3. So ``x`` gets 9 directly and :math:`6 \cdot 2
#       \cdot 3 = 36` through the square: :math:`27 + 9 + 36 = 72`.
#
#       .. wrong:: [27, 27]
#
#          This would be so if each walk began with empty hands. But a gradient adds to
#          what is there, in PyTorch as well.
#
#       .. wrong:: [54, 54]
#
#          What is right for a leaf is done here to the square in the middle, too: it
#          still has what it got in the first walk.

backward_in_place(y)
print(x.grad)

# %%
# PyTorch and our dictionary, which is new in each walk, agree:
#
# >>> u = torch.tensor(3.0, requires_grad=True)
# >>> cube = u * u * u
# >>> cube.backward(retain_graph=True)
# >>> cube.backward()
# >>> u.grad
# tensor(54.)
# >>> p = Var(3.0)
# >>> cube = p * p * p
# >>> backward(cube)
# >>> backward(cube)
# >>> float(p.grad)
# 54.0
#
# The second fault needs a long graph. We add ``x`` ten thousand times.

x = Var(1.0)
y = x
for _ in range(10_000):
    y = y + x

try:
    backward_in_place(y)
except RecursionError as error:
    print(type(error).__name__)

# %%
# A function that calls itself once for each operation comes to Python's limit, and a
# long loop is enough to get there. Our list has no such limit. ``x`` was added to
# itself that many times, so the slope is one more:
#
# >>> x = Var(1.0)
# >>> y = x
# >>> for _ in range(10_000):
# ...     y = y + x
# >>> backward(y)
# >>> int(x.grad)
# 10001

# %%
# It learns
# ---------
#
# Now the test that counts. A hundred points lie in two half moons, one for each class,
# those of :doc:`A two-layer network by hand </lessons/2_practice/40_mlp_by_hand>`.
# ``sign`` is 1 for the one class and −1 for the other.

torch.manual_seed(0)
labels = torch.arange(100) % 2
angle = torch.rand(100, dtype=torch.float64) * torch.pi
points = torch.stack([torch.cos(angle), torch.sin(angle)], dim=1)
points[labels == 1] = (
    torch.tensor([1.0, 0.5], dtype=torch.float64) - points[labels == 1]
)
points += 0.1 * torch.randn(100, 2, dtype=torch.float64)
sign = (2.0 * labels.double() - 1.0).reshape(100, 1)

# %%
# The network has a hidden layer of four tanh units, and one output, its *score*:
# positive for the one class, negative for the other. Let ``s`` be the score of a
# point, times its sign. The loss is the mean of :law:`\ln(1 + e^{-s})` over the points.
# That is near 0 where ``s`` is large, and large where it is negative. (Written like
# this it overflows where ``s`` is far below zero; :doc:`Logistic and softmax regression
# </lessons/2_practice/30_logistic_and_softmax>` has the stable form. Our scores stay
# small.)
#
# The start is that of the other lesson, too, so we know what to expect.


def score(X, W1, b1, w2, b2):
    return (X @ W1 + b1).tanh() @ w2 + b2


def loss(X, sign, *weights):
    return (1 + (-sign * score(X, *weights)).exp()).log().sum() / 100


W1 = torch.randn(4, 2, dtype=torch.float64).T
w2 = torch.randn(4, 1, dtype=torch.float64)
zeros = torch.zeros(5, dtype=torch.float64)
theirs = [w.clone().requires_grad_() for w in (W1, zeros[:4], w2, zeros[4])]
ours = [Var(w.detach().numpy().copy()) for w in theirs]
X, S = Var(points.numpy()), Var(sign.numpy())

# %%
# Before the first step we compare the gradients of the two layers' weights and biases:

backward(loss(X, S, *ours))
L = loss(points, sign, *theirs)
L.backward()
pairs = list(zip(ours, theirs, strict=True))
for u, t in pairs:
    print(u.grad.shape, f"{abs(u.grad - t.grad.numpy()).max():.0e}")

# %%
# >>> max(float(abs(u.grad - t.grad.numpy()).max()) for u, t in pairs) < 1e-12
# True
#
# Then both engines train, side by side, with a learning rate of 2. Our ``value`` is a
# plain array: changing it is no operation of the graph, and we need no ``no_grad``.

kept = {}
for step in range(201):
    for v in [*ours, *theirs]:
        v.grad = None
    losses = loss(X, S, *ours), loss(points, sign, *theirs)
    backward(losses[0])
    losses[1].backward()
    if step in (0, 5, 10, 20, 30, 50, 70, 100, 200):
        kept[step] = [Var(u.value) for u in ours]
    for u, t in pairs:
        u.value = u.value - 2 * u.grad
        with torch.no_grad():
            t -= 2 * t.grad

# %%
# .. predict::
#
#    Both began with the same numbers. After two hundred steps, how far apart are the
#    two losses, do you think? Need they be equal to the last digit?
#
#    .. answer::
#
#       They agree to nine places and more. Equal to the last bit they need not be: the
#       two may add up the same numbers in different orders, and each step begins where
#       the one before has ended.
#
#       >>> abs(float(losses[0].value) - losses[1].item()) < 1e-9
#       True

float(losses[0].value), losses[1].item()

# %%
# The border of our own network is where its score is zero. Our engine computes the
# score at each place of a grid, and matplotlib finds the line between plus and minus.
# (It may have several parts; ``nan`` stands for the gaps.)

across, up = np.meshgrid(np.linspace(-1.5, 2.5, 41), np.linspace(-1.2, 1.7, 30))
plane = Var(np.stack([across.ravel(), up.ravel()], axis=1))


def border(weights):
    heights = score(plane, *weights).value.reshape(30, 41)
    parts = plt.contour(across, up, heights, levels=[0.0]).allsegs[0]
    plt.close()
    gap = np.full((1, 2), np.nan)
    line = np.concatenate([piece for part in parts for piece in (part, gap)])
    return np.append(line, gap.repeat(200 - len(line), axis=0), axis=0)


# %%
# .. predict::
#
#    How many of the hundred points are on the wrong side of the border at the start,
#    and how many at the end? (Perhaps you remember.) And when does the border begin
#    to bend?
#
#    .. ask:: [wrong[0], wrong[200]]
#
#    .. answer::
#
#       It begins with 80 on the wrong side, worse than a coin, and ends with 0. First
#       the border turns, and it is rather straight. From step 50 on it bends.
#
#       .. wrong:: [50, 0]
#
#          A coin would get about this. The random start of this network does worse.

lines = torch.tensor(np.stack([border(weights) for weights in kept.values()]))
wrong = {
    step: int((score(X, *weights).value * S.value < 0).sum())
    for step, weights in kept.items()
}
plot = MovingPlot(
    {"step": list(kept)},
    "Our engine learns",
    xlim=(-1.5, 2.5),
    ylim=(-1.2, 1.7),
    equal=True,
)
plot.points(*points[labels == 0].T, "sign −1")
plot.points(*points[labels == 1].T, "sign 1")
plot.line(lines[..., 0], lines[..., 1], "border")
missed = list(wrong.values())
plot.say("{wrong} of the points are on the wrong side.", wrong=missed)
plot

# %%
# These are the counts of the other lesson, where PyTorch confirmed gradients that we
# had written by hand:
#
# >>> [wrong[step] for step in (0, 20, 200)]
# [80, 9, 0]
#
# The engine that did this is short. We count the lines of its functions, the drawing
# included; imports, assignments and the head of ``Var`` come on top.

parts = [Var.__init__, var, mul, add, found, order, fit, backward]
parts += [power, total, matmul, elementwise, draw]
lines = "".join(inspect.getsource(part) for part in parts).splitlines()
count = len([line for line in lines if line.strip()])
count

# %%
# >>> on_top = 2 + 1 + 2 + 3 + 5 + 4  # imports, clock, class, signs, calls
# >>> count + on_top < 100
# True

# %%
# What PyTorch has, and ours lacks
# --------------------------------
#
# What is missing is not the idea. Each row of this table can be read as a plan for the
# next week:
#
# .. list-table::
#    :header-rows: 1
#
#    * - what
#      - PyTorch
#      - our engine
#    * - operations
#      - hundreds, with shapes of any number of axes
#      - nine; ``matmul`` takes two matrices, ``sum`` takes no axis
#    * - where it computes
#      - on processors and on graphics cards, in several dtypes
#      - on the processor, in float64
#    * - what gets a gradient
#      - what asks for one, by ``requires_grad``
#      - each leaf, the data and the number 2 included
#    * - switching off
#      - ``no_grad``, ``detach``
#      - work with ``.value``, outside of the graph
#    * - where it may begin
#      - at a single number, or with a gradient of ours
#      - at ones, whatever the shape
#    * - an input changed in place
#      - is noticed where it was saved, by a version counter, but not through ``.data``
#      - is not: the first exercise
#    * - second derivatives
#      - ``create_graph=True``
#      - no: the last exercise
#    * - memory
#      - saved tensors are freed by the backward step
#      - a graph lives as long as its root
#    * - values in between
#      - ``retain_grad``, hooks
#      - no

# %%
# Exercises
# ---------
#
# .. exercise::
#
#    We compute the square of 3, then change the input to 5, and go back. What does our
#    engine say, and what does PyTorch?
#
#    .. answer::
#
#       Ours says 10, the slope at 5, though the value that we hold is 9. Its functions
#       look at ``b.value`` when they are *called*, and do not keep what they saw.
#       PyTorch counts the changes of what it has saved, and refuses.
#
#       >>> p = Var(3.0)
#       >>> square = p * p
#       >>> p.value = np.asarray(5.0)
#       >>> backward(square)
#       >>> float(square.value), float(p.grad)
#       (9.0, 10.0)
#       >>> u = torch.tensor(3.0, requires_grad=True)
#       >>> square = u * u
#       >>> with torch.no_grad():
#       ...     change = u.fill_(5.0)
#       >>> try:
#       ...     square.backward()
#       ... except RuntimeError as error:
#       ...     print("modified by an inplace operation" in str(error))
#       True
#
# .. exercise::
#
#    Add an operation: the larger one of two values, for each entry. Where both are
#    equal, each gets half of what comes back.
#
#    .. answer::
#
#       ``torch.maximum`` shares in the same way.
#
#       >>> def maximum(a, b):
#       ...     share = (a.value > b.value) + (a.value == b.value) / 2
#       ...     vjps = (lambda g: g * share, lambda g: g * (1 - share))
#       ...     return Var(np.maximum(a.value, b.value), "max", (a, b), vjps)
#       >>> p, q = Var([1.0, 2.0, 3.0]), Var([3.0, 2.0, 1.0])
#       >>> backward(maximum(p, q))
#       >>> p.grad.tolist(), q.grad.tolist()
#       ([0.0, 0.5, 1.0], [1.0, 0.5, 0.0])
#       >>> u = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
#       >>> torch.maximum(u, torch.tensor([3.0, 2.0, 1.0])).sum().backward()
#       >>> u.grad
#       tensor([0.0000, 0.5000, 1.0000])
#
# .. exercise::
#
#    Add a convolution in one dimension, as networks use it: a kernel ``k`` slides along
#    a signal, and each output is a sum of products, :law:`y_i = \sum_j k_j\, s_{i+j}`.
#    NumPy calls it ``np.correlate(signal, kernel, "valid")``. What goes back to each of
#    the two?
#
#    .. answer::
#
#       The entry :law:`k_j` meets :law:`s_{i+j}` in the output :law:`i`. So what goes
#       to the kernel is a sliding sum again, of the signal with ``g``. The entry
#       :law:`s_n` meets :law:`k_{n-i}`: this is ``np.convolve``, which slides the other
#       way round.
#
#       >>> def conv1d(s, k):
#       ...     y = np.correlate(s.value, k.value, "valid")
#       ...     to_signal = lambda g: np.convolve(g, k.value)
#       ...     to_kernel = lambda g: np.correlate(s.value, g, "valid")
#       ...     return Var(y, "conv1d", (s, k), (to_signal, to_kernel))
#       >>> s, k = Var([1.0, 2.0, 4.0, 7.0, 0.0]), Var([3.0, -1.0])
#       >>> backward(conv1d(s, k) ** 2)
#       >>> s.grad.tolist(), k.grad.tolist()
#       ([6.0, 10.0, 26.0, 116.0, -42.0], [344.0, 90.0])
#       >>> u = torch.tensor([[1.0, 2.0, 4.0, 7.0, 0.0]], requires_grad=True)
#       >>> v = torch.tensor([[[3.0, -1.0]]], requires_grad=True)
#       >>> torch.nn.functional.conv1d(u, v).pow(2).sum().backward()
#       >>> u.grad, v.grad
#       (tensor([[  6.,  10.,  26., 116., -42.]]), tensor([[[344.,  90.]]]))
#
# .. exercise::
#
#    Write the softmax loss, for scores with a row for each picture, without a new
#    operation. Our ``sum`` takes no axis: what else adds up the entries of a row?
#
#    .. answer::
#
#       A product with a column of ones.
#
#       >>> def softmax_loss(scores, target):
#       ...     ones = Var(np.ones((3, 1)))
#       ...     right = (scores * target) @ ones
#       ...     return ((scores.exp() @ ones).log() - right).sum() / 2
#       >>> scores = Var([[2.0, 0.0, 1.0], [0.0, 3.0, 0.0]])
#       >>> backward(softmax_loss(scores, Var([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])))
#       >>> u = torch.tensor(scores.value, requires_grad=True)
#       >>> torch.nn.functional.cross_entropy(u, torch.tensor([0, 2])).backward()
#       >>> float(abs(scores.grad - u.grad.numpy()).max()) < 1e-12
#       True
#
# .. exercise::
#
#    Make the engine differentiate twice. What kind of thing have the functions in
#    ``vjps`` to return?
#
#    .. answer::
#
#       A ``Var``. Then the way back is computed with operations that are recorded, too,
#       and we can go back through *it*. For products of numbers:
#
#       >>> def times(a, b):
#       ...     vjps = (lambda g: times(g, b), lambda g: times(g, a))
#       ...     return Var(a.value * b.value, "mul", (a, b), vjps)
#       >>> def gradient(root, leaf):
#       ...     adjoint = {root: Var(1.0)}
#       ...     for v in order(root):
#       ...         g = adjoint.pop(v)
#       ...         if v is leaf:
#       ...             return g
#       ...         for u, vjp in zip(v.inputs, v.vjps, strict=True):
#       ...             adjoint[u] = adjoint[u] + vjp(g) if u in adjoint else vjp(g)
#       >>> p = Var(3.0)
#       >>> slope = gradient(times(times(p, p), p), p)
#       >>> float(slope.value), float(gradient(slope, p).value)
#       (27.0, 18.0)
#
#       At 3, :law:`3x^2` is 27 and :law:`6x` is 18. PyTorch does it with
#       ``create_graph=True``:
#
#       >>> u = torch.tensor(3.0, requires_grad=True)
#       >>> [g] = torch.autograd.grad(u * u * u, u, create_graph=True)
#       >>> torch.autograd.grad(g, u)
#       (tensor(18.),)

# %%
# What we can do now
# ------------------
#
# - Build an engine: values that remember, slopes for each operation, a walk back.
# - Say which order the walk needs, why it adds, and where it sums over copies.
# - Name what PyTorch does beyond that.
#
# Next, :doc:`Digits from scratch </lessons/5_capstones/20_digits>` trains on pictures,
# with gradients that we write ourselves.

# %%
# Credits and licences
# --------------------
#
# The idea of an engine that fits on a few pages is that of `micrograd
# <https://github.com/karpathy/micrograd>`__ by Andrej Karpathy and of `autodidact
# <https://github.com/mattjj/autodidact>`__ by Matthew Johnson. The values and slopes of
# the two test functions are those of micrograd's tests, whose code is under the MIT
# licence; our code is our own. Our text is under `CC BY-SA 4.0
# <https://creativecommons.org/licenses/by-sa/4.0/>`__, our code under the `MIT licence
# <https://opensource.org/license/mit>`__.
