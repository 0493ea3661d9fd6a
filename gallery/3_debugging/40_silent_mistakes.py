r"""
Silent mistakes
===============

No error, a loss that falls, and a gradient that is wrong. We meet eight such mistakes,
and three short tests that find six of them.

:Time: 30 minutes
:Needs: :doc:`Vectors, matrices and broadcasting
   </lessons/1_foundations/40_vectors_and_matrices>`,
   :doc:`Stopping gradients </lessons/1_foundations/80_stopping_gradients>`
:Level: Debugging
:Tags: errors, shapes, .grad
"""

# sphinx_gallery_warns = ["Converting a tensor with requires_grad=True"]

# %%
# A message is good luck: it names a place. The mistakes of this lesson raise no error.
# What we do *wrong on purpose* is in cells whose first line says so; the last two
# mistakes are PyTorch's own doing.

import torch
from torch.nn import functional as F

from torchutils import make_dot

# %%
# Shapes that fit by chance
# -------------------------
#
# Three predictions in a column, three targets in a row. Each prediction is right.
#
# .. admonition:: Wrong on purpose
#
#    The loss of the next cell compares each prediction with each target. Do not copy
#    it.

# wrong on purpose
p = torch.tensor([[1.0], [2.0], [3.0]], requires_grad=True)
t = torch.tensor([1.0, 2.0, 3.0])
L = ((p - t) ** 2).mean()

# %%
# A column minus a row is a table of nine differences. So :math:`L = \frac{4}{3}`, where
# the loss should be 0.
#
# .. predict::
#
#    Which gradient do the three predictions get?
#
#    .. ask:: p.grad
#
#    .. answer::
#
#       Each is pulled to the three targets at once, whose sum is 6:
#
#       .. math::
#
#          \nabla_p L = \frac{2}{9}\, (3 p - 6)
#          = \left(-\tfrac{2}{3}, 0, \tfrac{2}{3}\right)^\top
#
#       >>> torch.autograd.grad(((p - t) ** 2).mean(), p)[0].flatten()
#       tensor([-0.6667,  0.0000,  0.6667])
#
#       A step against it makes the first prediction larger and the last one smaller. In
#       the end each is 2, the mean of the targets.
#
#       .. wrong:: [0, 0, 0]
#
#          This would be right for three differences. There are nine.
#
#       .. wrong:: [-2, 0, 2]
#
#          This divides by three. The mean is over nine differences.

L.backward()
p.grad

# %%
# We know this example from :ref:`Vectors, matrices and broadcasting
# <lessons/1_foundations/40_vectors_and_matrices:When nobody asked for a copy>`.
# ``nn.MSELoss`` warns of it today; a loss that we write ourselves does not. The first
# of our tests is one line, and stands before the loss.
#
# >>> try:
# ...     assert p.shape == t.shape, f"{tuple(p.shape)} and {tuple(t.shape)}"
# ... except AssertionError as error:
# ...     print(error)
# (3, 1) and (3,)

# %%
# A path that is lost
# -------------------
#
# Two numbers are to become a vector. ``torch.tensor`` takes their values, and
# ``torch.stack`` takes the tensors. Each vector is multiplied by a third leaf, ``c``,
# and so both results have a graph.
#
# .. admonition:: Wrong on purpose
#
#    ``lost`` does not know of ``a`` and ``b``. Do not copy the line that makes it.

# wrong on purpose
a, b, c = (torch.tensor(v, requires_grad=True) for v in (2.0, 3.0, 5.0))
lost = (c * torch.tensor([a, b])).sum()
kept = (c * torch.stack([a, b])).sum()
make_dot([lost, kept], locals())

# %%
# PyTorch does warn here, where it takes a plain number out of a tensor that requires a
# gradient. It does so once in a program. Somewhere else, or in another round, it is
# silent; and ``linspace``, which we meet below, loses a path without any warning.
#
# >>> import warnings
# >>> with warnings.catch_warnings(record=True) as caught:
# ...     warnings.simplefilter("always")
# ...     again = torch.tensor([a, b])
# >>> len(caught)
# 0
#
# The values agree, :math:`\text{lost} = \text{kept} = 25`. In the drawing no edge leads
# from ``a`` and ``b`` to ``lost``; the stack is a node, and two edges lead to it. A
# test for this asks for the gradients of all parameters, and for the names of those
# that get none.


def assert_connected(loss, parameters):
    found = torch.autograd.grad(
        loss, list(parameters.values()), retain_graph=True, allow_unused=True
    )
    missed = [name for name, g in zip(parameters, found, strict=True) if g is None]
    assert not missed, f"no path from {missed}"


# %%
# It touches no ``.grad``, and ``retain_graph=True`` leaves the graph for the real
# backward step.
#
# >>> named = {"a": a, "b": b, "c": c}
# >>> assert_connected(kept, named)
# >>> try:
# ...     assert_connected(lost, named)
# ... except AssertionError as error:
# ...     print(error)
# no path from ['a', 'b']
# >>> a.grad is None, c.grad is None
# (True, True)
#
# Which functions lose the path? Seven tensors, made of ``s`` or of ``x``:

s = torch.tensor(1.0, requires_grad=True)
x = torch.tensor([0.2, 0.8], requires_grad=True)
end = torch.tensor(2.0)

# %%
# .. predict::
#
#    ``torch.as_tensor(s)``, ``torch.as_tensor([s, s])``, ``torch.linspace(s, end, 3)``,
#    ``torch.lerp(s, end, 0.5)``, ``torch.zeros_like(x)``, ``x.round()``,
#    ``torch.bernoulli(x)``. Type 1 for each that requires a gradient, and 0 for the
#    others.
#
#    .. ask:: linked
#
#    .. answer::
#
#       :math:`\text{linked} = (1, 0, 0, 1, 0, 1, 1)`. ``as_tensor`` returns a tensor as
#       it is, but of a *list* it takes the values. ``linspace`` takes tensors as its
#       ends, and forgets where they came from; ``lerp`` computes a point between them
#       with a record. ``zeros_like`` takes a shape and a dtype, and no values.
#
#       .. wrong:: [1, 1, 0, 1, 0, 1, 1]
#
#          ``as_tensor`` of a list makes a new tensor from values, like
#          ``torch.tensor``.
#
#       .. wrong:: [1, 0, 1, 1, 0, 1, 1]
#
#          ``linspace`` makes constants, whatever its ends are.
#
#       .. wrong:: [1, 0, 0, 1, 0, 0, 0]
#
#          Rounding and drawing are recorded. Their slope is 0, so a gradient does
#          arrive, and it is zero.

made = [
    torch.as_tensor(s),
    torch.as_tensor([s, s]),
    torch.linspace(s, end, 3),
    torch.lerp(s, end, 0.5),
    torch.zeros_like(x),
    x.round(),
    torch.bernoulli(x),
]
linked = torch.tensor([tensor.requires_grad for tensor in made]).int()
linked

# %%
# That a tensor requires a gradient does not mean that one arrives which is worth
# something. Behind the last two it is zero:
#
# >>> steps = torch.round, torch.bernoulli
# >>> [torch.autograd.grad(step(x).sum(), x)[0].tolist() for step in steps]
# [[0.0, 0.0], [0.0, 0.0]]
#
# And this is ``linspace`` with a record: a weight for each place between the ends.
#
# >>> points = torch.lerp(s, end, torch.linspace(0, 1, 3))
# >>> points
# tensor([1.0000, 1.5000, 2.0000], grad_fn=<LerpBackward1>)
# >>> torch.autograd.grad(points.sum(), s)
# (tensor(1.5000),)

# %%
# The same entry twice
# --------------------
#
# A list of indices may name an entry twice. Here entry 0 is to be doubled.
#
# .. admonition:: Wrong on purpose
#
#    The index 0 stands twice in the next cell. Do not copy it.

# wrong on purpose
x = torch.tensor([1.0, 3.0], dtype=torch.float64, requires_grad=True)
y = x * 1
y[[0, 0]] *= 2
y

# %%
# The entry was doubled once: both copies were read before one of them was written. So
# the result is :math:`(2x_0, x_1) = (2, 3)`, with the slopes 2 and 1.
#
# .. predict::
#
#    Which gradient does autograd find for the sum of ``y``?
#
#    .. ask:: x.grad
#
#    .. answer::
#
#       4 and 1. Backward, each of the two copies gets what arrives at entry 0, as if
#       both were in the result, and each brings it back with a factor of 2.
#
#       .. wrong:: [2, 1]
#
#          These are the true slopes. Autograd does not find them here.
#
#       .. wrong:: [8, 1]
#
#          The copies are not doubled one after the other. Each has the factor 2, and
#          their contributions are added.

y.sum().backward()
x.grad

# %%
# `The manual
# <https://docs.pytorch.org/docs/stable/generated/torch.Tensor.index_put_.html>`__
# leaves open what happens if an index occurs twice. The third of our tests compares
# with finite differences, and sees it:
#
# >>> def doubled(x, indices):
# ...     y = x * 1
# ...     y[indices] *= 2
# ...     return y.sum()
# >>> u = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
# >>> torch.autograd.gradcheck(lambda u: doubled(u, [0]), u)
# True
# >>> torch.autograd.gradcheck(lambda u: doubled(u, [0, 0]), u, raise_exception=False)
# False
#
# To add something to an entry for each time that it is named, there is ``index_add``:
#
# >>> torch.zeros(2).index_add(0, torch.tensor([0, 0]), torch.ones(2))
# tensor([2., 0.])

# %%
# Two gradients in one memory
# ---------------------------
#
# Two parameters get an axis more before they are added. Both have the gradient ``d``.
# Then a second backward step, without emptying, reaches ``a`` alone.
#
# .. admonition:: Wrong on purpose
#
#    The gradients of the next cell are not two. Do not copy it.

# wrong on purpose
a, b = torch.zeros(2, requires_grad=True), torch.zeros(2, requires_grad=True)
d = torch.tensor([1.0, 2.0])
((a.unsqueeze(0) + b.unsqueeze(0)) * d).sum().backward()

# %%
# .. predict::
#
#    After ``(a * d).sum().backward()``, what does ``b.grad`` hold? ``b`` does not occur
#    in it.
#
#    .. ask:: b.grad
#
#    .. answer::
#
#       :math:`2d = (2, 4)`, like ``a.grad``. The addition sends the same tensor to both
#       sides, each ``unsqueeze`` sends a view of it on, and each leaf keeps the view
#       that it gets. So both gradients lie in the same memory, and the second step adds
#       into it.
#
#       .. wrong:: d
#
#          This would be right if ``b.grad`` had numbers of its own.

(a * d).sum().backward()
a.grad, b.grad

# %%
# Without the two axes each leaf gets numbers of its own. Then it is one tensor that
# arrives at both leaves, and a leaf copies what somebody else holds as well. Two views
# are two tensors, and each has one holder:
#
# >>> u, v = torch.zeros(2, requires_grad=True), torch.zeros(2, requires_grad=True)
# >>> ((u + v) * d).sum().backward()
# >>> (u * d).sum().backward()
# >>> u.grad, v.grad
# (tensor([2., 4.]), tensor([1., 2.]))
#
# So accumulation goes wrong. Two backward steps in a row should double the gradient.
# The first leaves one ``d`` in the common memory; the second adds one for each leaf,
# and that makes three. A hook that copies gives a leaf numbers of its own.
#
# >>> def summed(prepare, hook=None):
# ...     u, v = torch.zeros(2, requires_grad=True), torch.zeros(2, requires_grad=True)
# ...     if hook:
# ...         u.register_hook(hook)
# ...     for _ in range(2):
# ...         ((prepare(u) + prepare(v)) * d).sum().backward()
# ...     return u.grad
# >>> summed(lambda u: u), summed(lambda u: u[None])
# (tensor([2., 4.]), tensor([3., 6.]))
# >>> summed(lambda u: u[None], hook=torch.clone)
# tensor([2., 4.])
#
# Where ``.grad`` is ``None`` before each backward step, nothing is added to, and the
# numbers are right. Zeros do not help: they are written into the common memory, to
# which both leaves then add.
#
# >>> u, v = torch.zeros(2, requires_grad=True), torch.zeros(2, requires_grad=True)
# >>> optimizer = torch.optim.SGD([u, v])
# >>> for _ in range(2):
# ...     optimizer.zero_grad(set_to_none=False)
# ...     ((u[None] + v[None]) * d).sum().backward()
# >>> u.grad
# tensor([2., 4.])
#
# What changes gradients in place changes shared ones twice, even after a single
# backward step. So it was when we :ref:`clipped two of them
# <lessons/2_practice/60_modules_and_optimisers:Clipping a gradient>`.
#
# Whether two gradients share memory, ``data_ptr`` says, the place where it begins:
#
# >>> a.grad.data_ptr() == b.grad.data_ptr()
# True

# %%
# Recording was off
# -----------------
#
# A generator prepares its data without a record, and hands them out one by one.
#
# .. admonition:: Wrong on purpose
#
#    Do not copy the generator of the next cell.

# wrong on purpose


def batches():
    with torch.no_grad():
        for number in (1.0, 2.0, 3.0):
            yield torch.tensor(number)


w = torch.tensor(1.0, requires_grad=True)
recorded = []
for number in batches():
    recorded.append((w * number).requires_grad)
recorded.append((w * number).requires_grad)

# %%
# .. predict::
#
#    The products are computed in our loop, and not in the generator. Type 1 for each
#    that was recorded, and 0 for the others: three in the loop, and one behind it.
#
#    .. ask:: torch.tensor(recorded).int()
#
#    .. answer::
#
#       :math:`\text{recorded} = (0, 0, 0, 1)`. When a generator hands out a value, it
#       pauses *inside* its ``with`` block. The block is left when the generator ends,
#       and until then nothing is recorded in this thread, whoever computes.
#
#       .. wrong:: [1, 1, 1, 1]
#
#          The block looks as if it held for the lines in it. It holds for whatever runs
#          while it is open.
#
#       .. wrong:: [0, 0, 0, 0]
#
#          The loop has ended the generator, and so the block is closed behind it.

recorded

# %%
# Who leaves such a loop early, and keeps the generator, has no record from then on:
#
# >>> stream = batches()
# >>> for number in stream:
# ...     break
# >>> (w * number).requires_grad
# False
# >>> stream.close()
# >>> (w * number).requires_grad
# True
#
# As a decorator, ``no_grad`` knows of generators, and switches back at each pause:
#
# >>> @torch.no_grad()
# ... def numbers():
# ...     for number in (1.0, 2.0):
# ...         yield torch.tensor(number)
# >>> [(w * number).requires_grad for number in numbers()]
# [True, True]
#
# On a class it covers ``__init__`` alone, and warns that classes should not be
# decorated. On a coroutine it covers nothing at all, and does not warn: recording is
# *on* there, where we asked for off.
#
# >>> import warnings
# >>> class Model:
# ...     def __init__(self):
# ...         self.built = torch.is_grad_enabled()
# ...     def run(self):
# ...         return torch.is_grad_enabled()
# >>> with warnings.catch_warnings(record=True) as caught:
# ...     warnings.simplefilter("always")
# ...     Covered = torch.no_grad()(Model)
# >>> Covered().built, Covered().run(), len(caught)
# (False, True, 1)
# >>> import asyncio
# >>> async def run():
# ...     return torch.is_grad_enabled()
# >>> with warnings.catch_warnings(record=True) as caught:
# ...     warnings.simplefilter("always")
# ...     covered = torch.no_grad()(run)
# >>> asyncio.run(covered()), len(caught)
# (True, 0)

# %%
# A Function that returns a list
# ------------------------------
#
# A Function of our own with two results. One bracket makes the difference: a tuple is
# connected, a list is taken for something that is no tensor.
#
# .. admonition:: Wrong on purpose
#
#    Do not copy the list in the next cell.

# wrong on purpose


class Listed(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return [x * 1, x * 2]

    @staticmethod
    def backward(ctx, first, second):
        return first + 2 * second


class Paired(Listed):
    @staticmethod
    def forward(ctx, x):
        return x * 1, x * 2


[[y.requires_grad for y in function.apply(s)] for function in (Listed, Paired)]

# %%
# >>> [y.requires_grad for y in Listed.apply(s)]
# [False, False]
# >>> first, second = Paired.apply(s)
# >>> torch.autograd.grad(first + second, s)
# (tensor(3.),)

# %%
# A forward step that writes
# --------------------------
#
# An embedding looks up rows of its weight. With ``max_norm=1`` none that it looks up
# shall be longer than 1. The one row here has the entries 3 and 4, and so the length 5.

rows = torch.tensor([[3.0, 4.0]], requires_grad=True)
y = F.embedding(torch.tensor([0]), rows, max_norm=1.0)

# %%
# .. predict::
#
#    What does ``rows`` hold now, before any backward step?
#
#    .. ask:: rows
#
#    .. answer::
#
#       The row divided by its length,
#       :math:`\text{rows} = \begin{pmatrix} 0.6 & 0.8 \end{pmatrix}`. The forward step
#       has shortened the weight itself, in place. That happens without a record, and so
#       under ``torch.no_grad()`` as well, in an evaluation:
#
#       >>> u = torch.tensor([[3.0, 4.0]], requires_grad=True)
#       >>> with torch.no_grad():
#       ...     found = F.embedding(torch.tensor([0]), u, max_norm=1.0)
#       >>> u
#       tensor([[0.6000, 0.8000]], requires_grad=True)
#
#       .. wrong:: [3, 4]
#
#          One expects this of a forward step. It reads weights, as a rule, and here it
#          writes.

rows

# %%
# The shortening is not in the gradient, either. Autograd's slopes are those of the row
# as it is now, two ones. If we shorten the row ourselves, and record it, they are
# others:
#
# >>> torch.autograd.grad(y.sum(), rows)
# (tensor([[1., 1.]]),)
# >>> u = torch.tensor([3.0, 4.0], requires_grad=True)
# >>> torch.autograd.grad((u / u.norm()).sum(), u)
# (tensor([ 0.0320, -0.0240]),)
#
# `The manual
# <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.embedding.html>`__
# says that the weight is changed in place.

# %%
# A fault of PyTorch's own
# ------------------------
#
# ``torch.ldexp(x, n)`` is :law:`x \cdot 2^n`, so its slope is :law:`2^n`. With the
# whole numbers 1, −1 and −2 that should be 2, :math:`2^{-1} = 0.5` and :math:`2^{-2} =
# 0.25`.

x = torch.ones(3, requires_grad=True)
n = torch.tensor([1, -1, -2])
torch.ldexp(x, n), torch.autograd.grad(torch.ldexp(x, n).sum(), x)

# %%
# The values are right in each release that we tried. In 2.13.0 two slopes are 0: there
# the power of a whole number was rounded to a whole number (`the report
# <https://github.com/pytorch/pytorch/issues/187460>`__). `Another report
# <https://github.com/pytorch/pytorch/issues/196680>`__ has met that in 2.12.0. In
# 2.9.1, 2.14.1 and 2.15.0 the slopes are right.
#
# >>> wrong, right = [2.0, 0.0, 0.0], [2.0, 0.5, 0.25]
# >>> torch.ldexp(x, n).tolist() == right
# True
# >>> [slope] = torch.autograd.grad(torch.ldexp(x, n).sum(), x)
# >>> slope.tolist() == (wrong if torch.__version__.startswith("2.13.") else right)
# True
#
# With exponents that are floating-point numbers it is right in 2.13.0 as well:
#
# >>> torch.autograd.grad(torch.ldexp(x, n.float()).sum(), x)
# (tensor([2.0000, 0.5000, 0.2500]),)
#
# A fault of autograd itself raises no error, either. The test with finite differences
# does not ask whose fault it is:
#
# >>> u = torch.ones(3, dtype=torch.float64, requires_grad=True)
# >>> passed = torch.autograd.gradcheck(
# ...     lambda u: torch.ldexp(u, n), u, raise_exception=False
# ... )
# >>> passed == (not torch.__version__.startswith("2.13."))
# True

# %%
# Three tests for a silent program
# --------------------------------
#
# .. list-table::
#    :header-rows: 1
#
#    * - the mistake
#      - what finds it
#    * - a column minus a row
#      - ``assert p.shape == t.shape`` before the loss
#    * - ``torch.tensor`` or ``as_tensor`` of a list of tensors, ``linspace``
#      - ``assert_connected``
#    * - ``no_grad`` in a paused generator, a list from a Function
#      - ``assert_connected``, or an error at ``backward()`` if no path is left
#    * - an index twice, a fault of PyTorch
#      - ``gradcheck``
#    * - two gradients in one memory
#      - ``data_ptr``; ``gradcheck`` does not look at ``.grad``
#    * - a forward step that writes
#      - a copy of the weights before it, and ``torch.equal``
#    * - ``.grad`` not emptied, means of parts of different size
#      - :doc:`Accumulation </lessons/1_foundations/60_accumulation>`: the gradient of
#        the whole batch, computed once for comparison
#    * - a change through ``.data``
#      - :doc:`Stopping gradients </lessons/1_foundations/80_stopping_gradients>`: write
#        ``detach()``, and it becomes an error

# %%
# Exercises
# ---------
#
# Four short programs. Each should find the slope of the squared error of ``v * x`` at
# ``v = 1``, with respect to ``v``, and none raises an error.
#
# .. admonition:: Wrong on purpose
#
#    None of the next four functions is right. Do not copy them.

# wrong on purpose
x, target = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([[2.0], [4.0], [6.0]])


def first():
    v = torch.tensor(1.0, requires_grad=True)
    ((v * x - target) ** 2).mean().backward()
    return v.grad


def second():
    v, bias = (torch.tensor(k, requires_grad=True) for k in (1.0, 0.0))
    p = torch.tensor([v * k for k in x]) + bias
    ((p - target[:, 0]) ** 2).mean().backward()
    return v.grad


def third():
    v = torch.tensor(1.0, requires_grad=True)
    p, q = v * x, v.data * x
    ((p - target[:, 0]) * (q - target[:, 0])).mean().backward()
    return v.grad


def fourth():
    v = torch.tensor(1.0, requires_grad=True)
    for _ in range(3):
        ((v * x - target[:, 0]) ** 2).mean().backward()
    return v.grad


[function() for function in (first, second, third, fourth)]

# %%
# .. exercise::
#
#    What is the right slope? Which mistake is in which program, and which test finds
#    it?
#
#    .. answer::
#
#       The misses are −1, −2 and −3, and each counts twice, times its ``x``:
#       :math:`\frac{2}{3}\,(-1 - 4 - 9) = -\frac{28}{3}`.
#
#       The first compares a row with a column: ``assert`` on the shapes. The second
#       makes a tensor of a list, so ``v`` gets ``None``, and ``bias`` keeps the error
#       away: ``assert_connected``. The third squares as a product, and reads ``v.data``
#       in one of its factors, which is then a constant. The half is missing, and finite
#       differences tell it. The fourth does not empty ``.grad`` and has three times the
#       slope.
#
#       >>> first(), second(), third(), fourth()
#       (tensor(-6.6667), None, tensor(-4.6667), tensor(-28.))
#       >>> v = torch.tensor(1.0, requires_grad=True)
#       >>> torch.autograd.grad(((v * x - target[:, 0]) ** 2).mean(), v)
#       (tensor(-9.3333),)
#
# .. exercise::
#
#    Which predictions make the loss of the first section smallest, and how small is it?
#
#    .. answer::
#
#       Its gradient :law:`\frac{2}{9}\,(3 p_i - 6)` is 0 where each prediction is 2,
#       the mean of the targets. The loss is then the mean square of the distances from
#       it.
#
#       >>> u = torch.full((3, 1), 2.0, requires_grad=True)
#       >>> loss = ((u - t) ** 2).mean()
#       >>> torch.autograd.grad(loss, u, retain_graph=True)[0].abs().max(), loss.item()
#       (tensor(0.), 0.6667)
#
# .. exercise::
#
#    ``assert_connected`` lets ``x.round()`` pass: a gradient arrives, and it is zero.
#    Change the test, so that it names such parameters, too. When is that too strict?
#
#    .. answer::
#
#       Ask for ``g is None or not g.any()``. It is too strict where a slope of 0 is
#       right: at a minimum, behind a ReLU that is silent for this batch, in an
#       embedding of which no row was looked up.
#
#       >>> def assert_moved(loss, parameters):
#       ...     leaves = list(parameters.values())
#       ...     found = torch.autograd.grad(loss, leaves, allow_unused=True)
#       ...     pairs = zip(parameters, found, strict=True)
#       ...     still = [name for name, g in pairs if g is None or not g.any()]
#       ...     assert not still, f"nothing arrives at {still}"
#       >>> u = torch.tensor([0.2, 0.8], requires_grad=True)
#       >>> assert_connected(u.round().sum(), {"u": u})
#       >>> try:
#       ...     assert_moved(u.round().sum(), {"u": u})
#       ... except AssertionError as error:
#       ...     print(error)
#       nothing arrives at ['u']

# %%
# What we can do now
# ------------------
#
# - Put an ``assert`` on shapes before each loss of our own.
# - Ask once, before a long training, which parameters a loss reaches.
# - Suspect lists, repeated indices, paused generators and shared gradients.
# - Compare a gradient with finite differences before we trust it.
#
# Next, :doc:`Kinks and ties </lessons/3_debugging/50_kinks>`: where there is no slope,
# and still a number is returned.

# %%
# Credits and licences
# --------------------
#
# The column and the row are from `an issue of PyTorch
# <https://github.com/pytorch/pytorch/issues/16413>`__. Our text is under `CC BY-SA 4.0
# <https://creativecommons.org/licenses/by-sa/4.0/>`__, our code under the `MIT licence
# <https://opensource.org/license/mit>`__.
