"""
Leaves, requires_grad and retain_grad
=====================================

We ask a tensor two questions: do you want gradients, and did a recorded operation make
you? At the end we can say, before the backward step, which ``.grad`` will be filled
and which will be ``None``, and repair the ones that are empty by mistake.

:Time: 20 minutes
:Needs: :doc:`The graph behind y </lessons/1_foundations/20_the_graph_behind_y>`
:Level: Foundations
:Tags: leaves, .grad, errors
"""

# %%
# The weights and the bias of a neuron are leaves, its sum and its answer are not. If
# one of these places stays empty where training needs it, the neuron does not learn.
#
# In :doc:`Three steps to a gradient </lessons/0_basics/10_gradients_with_pytorch>` one
# ``.grad`` was filled and another one was not. We find the rule behind that.

import torch
from torch import nn

from torchutils import make_dot, record_backward

# %%
# Two questions
# -------------
#
# Here are three tensors of shape ``(2,)``. We write down ``a`` and ``b``, and ask for
# gradients only for ``a``. An operation makes ``c``.

a = torch.tensor([1.0, 2.0], requires_grad=True)
b = torch.ones(2)
c = a * 2

# %%
# Each tensor answers two questions:
#
# - ``requires_grad``: does autograd record what we compute from this tensor?
# - ``is_leaf``: does the record *begin* here, with no operation before it?
#
# .. predict::
#
#    What do the three tensors answer? Think twice about ``b``, which wants no gradient.
#
#    .. answer::
#
#       ``b`` is a leaf, too. Whether it requires a gradient is another question:
#       ``is_leaf`` asks only whether a record stands behind the tensor. Behind ``a``
#       and ``b`` there is none; behind ``c`` there is the multiplication.

for name, t in {"a": a, "b": b, "c": c}.items():
    print(f"{name}: is_leaf={t.is_leaf}, requires_grad={t.requires_grad}")

# %%
# The attribute ``grad_fn`` leads to the record of a tensor. Where it is ``None``, the
# tensor is a leaf.
#
# >>> print(a.grad_fn, b.grad_fn)
# None None
# >>> c.grad_fn.name()
# 'MulBackward0'
#
# ``c`` requires a gradient although nobody asked for it. The property is inherited, as
# soon as one of the inputs has it:
#
# >>> (a + b).requires_grad, (b + b).requires_grad
# (True, False)
#
# A comparison and an index do not inherit it. They are no floating point numbers, and
# have no slope:
#
# >>> (a > 0).requires_grad, a.argmax().requires_grad
# (False, False)
#
# .. predict::
#
#    ``b * 2`` is the result of an operation. Is it a leaf?
#
#    .. answer::
#
#       It is. No input wants a gradient, so autograd does not record the
#       multiplication. A *leaf* is a tensor without a recorded operation behind it.
#
#       >>> (b * 2).is_leaf, (b * 2).requires_grad
#       (True, False)

# %%
# So there are three kinds of tensors. A fourth, no leaf and no wish for a gradient,
# does not exist: without the wish nothing is recorded.
#
# .. list-table::
#    :header-rows: 1
#
#    * - ``is_leaf``
#      - ``requires_grad``
#      - what it is
#      - ``.grad`` after a backward step through it
#    * - ``True``
#      - ``True``
#      - a leaf to differentiate by: an input, a weight
#      - filled
#    * - ``False``
#      - ``True``
#      - an intermediate value, or the root
#      - ``None``, unless we ask
#    * - ``True``
#      - ``False``
#      - plain data
#      - as it was, ``None`` at first

# %%
# A graph that says who is a leaf
# -------------------------------
#
# We take the last function of the first lesson, :math:`z_i = x_i^2` and
# :math:`y = \sum_{i=0}^{3} x_i z_i = 36`, where :math:`x = (0, 1, 2, 3)`.

x = torch.arange(4.0, requires_grad=True)
z = x**2
y = torch.dot(x, z)
y

# %%
# ``make_dot`` writes on the boxes whatever names we give it. We let each name say what
# its tensor answers.

known = [("x", x), ("z", z), ("y", y)]
make_dot(y, {f"{name}: is_leaf={t.is_leaf}": t for name, t in known})

# %%
# One leaf, two tensors that are none. All three require a gradient.
#
# .. predict::
#
#    After ``y.backward()``, which of ``x.grad``, ``z.grad`` and ``y.grad`` are filled?
#    And through which of the three tensors does a gradient flow? Type ``x.grad``.
#
#    .. ask:: x.grad
#
#    .. answer::
#
#       A gradient flows through all three. Kept is the one of the leaf:
#       :math:`\nabla_x y = 3x^2 = (0, 3, 12, 27)`. The other two are ``None``. Do not
#       read this ``None`` as "no gradient came by here". One did,
#       :math:`\nabla_z y = x = (0, 1, 2, 3)`, and it was needed to get to ``x``.
#
#       .. wrong:: x**2
#
#          This is the direct path alone. The way through ``z`` leads to ``x``, too,
#          although ``z.grad`` stays empty.
#
#       .. wrong:: x
#
#          This is the gradient that passes through ``z``. It travels on, to ``x``, and
#          arrives there changed.
#
# ``record_backward`` runs the backward step and writes down what passes along each
# edge.

record_backward(y, {"x": x, "z": z, "y": y})

# %%
# The box of ``z`` received four numbers, so a gradient came by. It was passed on and
# forgotten:
#
# >>> x.grad
# tensor([ 0.,  3., 12., 27.])
# >>> z.is_leaf, z.retains_grad
# (False, False)
#
# Reading ``z.grad`` now would give ``None`` and a warning. PyTorch saves memory here: a
# large model has many intermediate values.

# %%
# Ask to keep it
# --------------
#
# With ``z.retain_grad()`` we order a copy, *before* the gradient comes by. The backward
# step has used up the record, so we make a new one.

z = x**2
y = torch.dot(x, z)

# %%
# The gradient of ``y`` with respect to ``z`` is the other factor of the dot product,
# :math:`\nabla_z y = x = (0, 1, 2, 3)`.

z.retain_grad()
y.backward()
z.grad

# %%
# That is ``x``:
#
# >>> torch.equal(z.grad, x)
# True
# >>> z.retains_grad
# True
#
# .. predict::
#
#    The leaf ``x`` took part in this backward step, too, and we have not emptied
#    ``x.grad``. What does it hold?
#
#    .. ask:: x.grad
#
#    .. answer::
#
#       Twice the gradient, :math:`3x^2 + 3x^2 = 6x^2 = (0, 6, 24, 54)`, because
#       ``backward()`` adds.
#
#       .. wrong:: x.grad / 2
#
#          This is the gradient of one backward step. There have been two, nobody has
#          emptied ``x.grad`` in between, and ``backward()`` adds.
#
# What does ``retain_grad`` do for the other two kinds of tensors? For a leaf that
# requires a gradient it does nothing, since its gradient is kept anyway. For plain data
# there is nothing to keep, and PyTorch says so.

a.retain_grad()
try:
    b.retain_grad()
except RuntimeError as error:
    message = str(error)
    print(message)

# %%
# The same message comes for a tensor from ``detach()``, or made under
# ``torch.no_grad()``. These are subjects of the next lesson.
#
# >>> message
# "can't retain_grad on Tensor that has requires_grad=False"
#
# And ``a``? It keeps its gradient, but ``retains_grad`` says ``False``. This attribute
# reports only what was ordered for a tensor that is no leaf.
#
# >>> a.retains_grad
# False

# %%
# Eight tensors made from one leaf
# --------------------------------
#
# Many operations return "the same tensor, only a bit different". Are their results
# still leaves? We take ``a``, a leaf of 32-bit numbers, and make eight tensors.

with torch.no_grad():
    unrecorded = a * 2
made = {
    "torch.ones(2)": torch.ones(2),
    "a * 2": a * 2,
    "a.detach()": a.detach(),
    "nn.Parameter(a.detach())": nn.Parameter(a.detach()),
    "a.clone()": a.clone(),
    "a.view(-1)": a.view(-1),
    "a.to(torch.float64)": a.to(torch.float64),
    "a * 2 under no_grad": unrecorded,
}

# %%
# Some of these are new. ``detach()`` gives the same numbers without the record.
# ``nn.Parameter`` makes a leaf that requires a gradient, as the weights of a model do.
# ``clone`` copies, ``view`` shows the same numbers in another shape, ``to`` changes the
# ``dtype``. Under ``torch.no_grad()`` nothing is recorded.
#
# .. predict::
#
#    Four of the eight are leaves. Which? And which one of these requires a gradient?
#
#    .. answer::
#
#       Ask each time: did autograd record an operation? Multiplying, copying, viewing
#       and converting ``a`` are recorded operations, so these four are no leaves.
#       ``torch.ones(2)`` has nothing to do with ``a``. ``detach`` and ``no_grad`` leave
#       no record. These three want no gradient. ``nn.Parameter`` wants one: the fourth
#       leaf.

for how, t in made.items():
    print(f"{how:26} is_leaf={t.is_leaf!s:6} requires_grad={t.requires_grad}")

# %%
# One row has a catch. If a tensor has the ``dtype`` already, ``to`` does nothing and
# returns the same object, a leaf as before:
#
# >>> d = torch.ones(2, dtype=torch.float64, requires_grad=True)
# >>> d.to(torch.float64) is d
# True
# >>> a.to(torch.float64) is a, a.to(torch.float64).is_leaf
# (False, False)
#
# So the same line of code may give a leaf on one machine and no leaf on another. With
# ``.to(device)`` and ``.cuda()`` it is the same: they return the tensor itself if it is
# there already, and else the result of a recorded copy.

# %%
# The weights that never learn
# ----------------------------
#
# This line is meant to give three random weights between −1 and 1:
#
# .. admonition:: Wrong on purpose
#
#    The ``w`` of the next cell does not learn. Do not copy the line that makes it.

# wrong on purpose
w = torch.rand(3, requires_grad=True) * 2 - 1
y = torch.dot(w, w)

# %%
# There is a gradient to find: for :math:`y = \sum_{i=0}^{2} w_i^2` it is
# :math:`\nabla_w y = 2w`.
#
# .. predict::
#
#    We call ``y.backward()`` and read ``w.grad``. What do we find?
#
#    .. answer::
#
#       ``None``. The leaf is what ``torch.rand`` returned, and it has no name. Our
#       ``w`` is the result of a multiplication and a subtraction. The gradient flowed
#       through ``w`` to the leaf. No name of ours leads there, but the graph does:
#
#       >>> node = w.grad_fn
#       >>> while node.next_functions:
#       ...     node = node.next_functions[0][0]
#       >>> node.variable.is_leaf, node.variable.shape == w.shape
#       (True, True)

make_dot(y, locals(), direction="TB")

# %%
# The leaf at the top is nameless. An optimiser, which is to change the weights later
# on, refuses ``w`` at once:

try:
    torch.optim.SGD([w], lr=0.1)
except ValueError as error:
    message = str(error)
    print(message)

# %%
# It needs leaves: in these a backward step stores what it finds.
#
# >>> message
# "can't optimize a non-leaf Tensor"
#
# The same trap has many faces: ``torch.randn(3, requires_grad=True).cuda()``, or
# ``.to(device)``, or ``.double()``. It has been reported to the makers of PyTorch, for
# example in `issue 8287 <https://github.com/pytorch/pytorch/issues/8287>`__. Since
# `change 30531 <https://github.com/pytorch/pytorch/pull/30531>`__ PyTorch warns when we
# read the ``.grad`` of a tensor that is no leaf; `issue 35379
# <https://github.com/pytorch/pytorch/issues/35379>`__ asks for the same warning in C++.
# Here is the first sentence.

import warnings

y.backward()
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    print(w.grad)
print(str(caught[0].message).split(". Its")[0])

# %%
# Which .grad is None?
# --------------------
#
# Four questions, in this order, settle it for any tensor ``t``:
#
# 1. Is ``t.requires_grad`` false? Then ``t.grad`` stays as it is, and that means
#    ``None`` if nothing was there before.
# 2. Does no path lead from the root back to ``t``? Then it stays as it is, too.
# 3. Is ``t`` a leaf? Then ``t.grad`` increases by the gradient.
# 4. Else it is an intermediate value or the root. Then ``t.grad`` is filled only if
#    ``t.retain_grad()`` came first.
#
# "As it is" need not be ``None``: a tensor may have had its gradient before.
#
# >>> t = torch.ones(2, requires_grad=True)
# >>> t.sum().backward()
# >>> t.requires_grad_(False).grad
# tensor([1., 1.])
#
# We try the questions on a function that multiplies ``x`` by zero.

x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
w = torch.tensor([4.0, 5.0, 6.0], requires_grad=True)
b = torch.ones(3)
z = 0 * x + b
y = z.sum()

# %%
# .. predict::
#
#    After ``y.backward()``: what is in ``x.grad``, ``w.grad`` and ``b.grad``? Type
#    ``x.grad``, if it holds numbers.
#
#    .. ask:: x.grad
#
#    .. answer::
#
#       ``x`` is a leaf, and a path leads to it, so ``x.grad`` is filled, with
#       :math:`\nabla_x y = 0 \cdot \mathbf{1} = (0, 0, 0)`. No path leads to ``w``, and
#       ``b`` requires no gradient: ``None`` twice.
#
#       .. wrong:: torch.ones(3)
#
#          This is what arrives at ``z`` from the sum. On the way to ``x`` it is
#          multiplied by the local derivative, and that is 0.

y.backward()
x.grad, w.grad, b.grad

# %%
# Three zeros and ``None`` do not say the same. Zeros are an answer: ``y`` does not
# react to ``x``. ``None`` says that nobody has asked, or that there was no path.
#
# >>> w.grad is None, b.grad is None
# (True, True)

# %%
# Exercises
# ---------
#
# .. exercise::
#
#    *Quiz.* Let ``a`` be a leaf that requires a gradient, this time of dtype
#    ``torch.float64``. Cover the list above. What are ``is_leaf`` and
#    ``requires_grad`` for ``torch.ones(2)``, ``a * 2``, ``a.detach()``,
#    ``nn.Parameter(a.detach())``, ``a.clone()``, ``a.view(-1)``,
#    ``a.to(torch.float64)``, and for ``a * 2`` computed under ``torch.no_grad()``?
#
#    .. answer::
#
#       As above, with one difference. ``a`` is a ``float64`` tensor already, so
#       ``a.to(torch.float64)`` is ``a``, and a leaf.
#
#       >>> def ask(t: torch.Tensor) -> None:
#       ...     print(f"is_leaf={t.is_leaf}, requires_grad={t.requires_grad}")
#       >>> a64 = torch.ones(2, dtype=torch.float64, requires_grad=True)
#       >>> ask(torch.ones(2))
#       is_leaf=True, requires_grad=False
#       >>> ask(a64 * 2)
#       is_leaf=False, requires_grad=True
#       >>> ask(a64.detach())
#       is_leaf=True, requires_grad=False
#       >>> ask(nn.Parameter(a64.detach()))
#       is_leaf=True, requires_grad=True
#       >>> ask(a64.clone())
#       is_leaf=False, requires_grad=True
#       >>> ask(a64.view(-1))
#       is_leaf=False, requires_grad=True
#       >>> ask(a64.to(torch.float64))
#       is_leaf=True, requires_grad=True
#       >>> with torch.no_grad():
#       ...     ask(a64 * 2)
#       is_leaf=True, requires_grad=False
#
# The next exercise needs the function of the beginning once more.

x = torch.arange(4.0, requires_grad=True)
z = x**2
y = torch.dot(x, z)

# %%
# .. exercise::
#
#    Find three ways to see :math:`\nabla_z y`. Which of them must come before the
#    backward step?
#
#    .. answer::
#
#       Each must give :math:`\nabla_z y = x = (0, 1, 2, 3)`. First,
#       ``retain_grad``, before the backward step:
#
#       >>> u = torch.arange(4.0, requires_grad=True)
#       >>> square = u**2
#       >>> square.retain_grad()
#       >>> torch.dot(u, square).backward()
#       >>> square.grad
#       tensor([0., 1., 2., 3.])
#
#       Second, a hook, a function that is given the gradient as it passes. It, too,
#       comes before:
#
#       >>> square = u**2
#       >>> handle = square.register_hook(print)
#       >>> torch.dot(u, square).backward()
#       tensor([0., 1., 2., 3.])
#
#       Third, ``torch.autograd.grad`` *instead of* the backward step:
#
#       >>> square = u**2
#       >>> torch.autograd.grad(torch.dot(u, square), square)
#       (tensor([0., 1., 2., 3.]),)
#
# .. exercise::
#
#    Repair ``w = torch.rand(3, requires_grad=True) * 2 - 1``, so that ``w`` is a leaf.
#
#    .. answer::
#
#       Compute first, and ask for gradients at the end. What comes before
#       ``requires_grad_()`` is plain data and leaves no record.
#
#       >>> w = (torch.rand(3) * 2 - 1).requires_grad_()
#       >>> w.is_leaf, w.requires_grad
#       (True, True)
#
# .. exercise::
#
#    *Spot the error.* PyTorch's tutorial on `leaf and non-leaf tensors`__ ends in a
#    table. On a tensor that is no leaf, it says, ``requires_grad_()`` has no effect.
#    And in its second diagram the label ``y`` has ``requires_grad=True``, although the
#    code makes it by ``y = torch.ones(1, 2)``. What is wrong?
#
#    __ https://docs.pytorch.org/tutorials/beginner/understanding_leaf_vs_nonleaf_tutorial.html
#
#    .. answer::
#
#       The table is right for ``requires_grad_(True)``, which changes nothing. But
#       ``requires_grad_(False)`` is refused: as long as a record stands behind a value,
#       the value requires a gradient.
#
#       >>> t = torch.ones(2, requires_grad=True) * 2
#       >>> t.requires_grad_().requires_grad
#       True
#       >>> try:
#       ...     t.requires_grad_(False)
#       ... except RuntimeError as error:
#       ...     print(str(error).split(". ")[0])
#       you can only change requires_grad flags of leaf variables
#
#       PyTorch advises to use ``detach()``, which gives another tensor. ``detach_()``
#       takes the record away from this one:
#
#       >>> t.detach_().requires_grad, t.is_leaf
#       (False, True)
#
#       As for the diagram, a label is plain data, and no backward step changes that:
#
#       >>> torch.ones(1, 2).requires_grad
#       False

# %%
# What we can do now
# ------------------
#
# - Tell three kinds of tensors apart by ``is_leaf`` and ``requires_grad``.
# - Say before the backward step which ``.grad`` will be filled, and which stays
#   ``None``.
# - Get the gradient of an intermediate value, and repair a weight that is no leaf.
#
# Next, :doc:`Stopping gradients </lessons/1_foundations/80_stopping_gradients>` cuts
# the record on purpose.

# %%
# Credits and licences
# --------------------
#
# What a leaf is, PyTorch's reference defines under `Tensor.is_leaf
# <https://docs.pytorch.org/docs/stable/generated/torch.Tensor.is_leaf.html>`__. Our
# text is under `CC BY-SA 4.0 <https://creativecommons.org/licenses/by-sa/4.0/>`__, our
# code under the `MIT licence <https://opensource.org/license/mit>`__.
