r"""
Reading error messages
======================

We provoke what PyTorch says about gradients, message by message, and name the cause
before the repair. Afterwards we can tell where a record was cut, and a repair from a
line that makes a message go away.

:Time: 40 minutes
:Needs: :doc:`Leaves, requires_grad and retain_grad </lessons/1_foundations/70_leaves>`,
   :doc:`Stopping gradients </lessons/1_foundations/80_stopping_gradients>`
:Level: Debugging
:Tags: errors, leaves, .grad
"""

# %%
# A message names what PyTorch could not do. It does not name the line that is to blame,
# which often ran long before. We need something to read messages with: a
# function that does what we ask for, prints the error or the warning, and remembers it.

import warnings

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from torchutils import make_dot

said = []


def says(action):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            action()
        except (RuntimeError, TypeError, ValueError) as error:
            said.append(str(error))
            print(error)
    for warning in caught:
        said.append(str(warning.message).split(" (Triggered")[0])
        print(said[-1])


# %%
# Three ways to be in trouble
# ---------------------------
#
# Before any repair we ask what we see:
#
# - **It raised.** Which family is the message of?
#
#   - "element 0 of tensors does not require grad": :ref:`no record lies behind the
#     result <lessons/3_debugging/10_error_messages:No record behind the result>`.
#     Look for the cut.
#   - "scalar outputs", "Mismatch in shape", "not have been used in the graph":
#     :ref:`the question does not fit
#     <lessons/3_debugging/10_error_messages:The question does not fit>`. The record
#     may be sound; ask for something else.
#   - "a second time", "modified by an inplace operation", "used in an in-place
#     operation": :ref:`the record is used up or spoiled
#     <lessons/3_debugging/10_error_messages:The record is used up or spoiled>`. Look
#     at the order of the lines.
#   - "floating point", "numpy()", "non-leaf", "deepcopy", "Inference tensors",
#     "ZeroTensors": :ref:`the tensor is not made for that
#     <lessons/3_debugging/10_error_messages:The tensor is not made for that>`. Look
#     at how it was made.
#   - "invalid gradient", "incorrect number of gradients": :ref:`our own backward pass
#     <lessons/3_debugging/10_error_messages:A Function of our own>` returns what does
#     not fit.
#
# - ``.grad`` **is None.** :ref:`Four questions <lessons/1_foundations/70_leaves:Which
#   .grad is None?>` settle it. Does it require a gradient? Does a path lead to it from
#   the result? Is it a leaf? If it is not, did ``retain_grad()`` come first? And has
#   somebody called ``backward()``, and nobody emptied ``.grad`` since?
# - **The number is wrong.** No message will help. Is it ``nan``? See :doc:`NaN and
#   infinity </lessons/3_debugging/60_nan_and_inf>`. Do the
#   shapes agree, does each path count, was ``.grad`` emptied? See :doc:`Silent mistakes
#   </lessons/3_debugging/40_silent_mistakes>`. Is it a kink? See :doc:`Kinks and ties
#   </lessons/3_debugging/50_kinks>`. If you don't know what it should be, :doc:`check
#   it </lessons/3_debugging/70_checking>` against differences.
#
# :doc:`What is wrong with my gradient? </what_is_wrong>` goes on from here, to a cause
# and a check for each. This lesson takes the first of the three, family by family.

# %%
# No record behind the result
# ---------------------------
#
# A model with one weight, ``w``, multiplies each of three inputs.

x = torch.tensor([1.0, 2.0, 3.0])
t = torch.tensor([2.0, 4.0, 6.0])
w = torch.tensor(1.0, requires_grad=True)
y = w * x
y

# %%
# We have :math:`y = w x = (1, 2, 3)`, and ``y`` has a record. Seven things are made of
# it:

made = {
    "argmax": y.argmax(),
    "comparison": y > 2,
    "round": y.round(),
    "stack": torch.stack([y[0], y[1]]),
    "tensor": torch.tensor(y.tolist()),
    "view": y.view(torch.float32),
    "float": y.float(),
}

# %%
# .. predict::
#
#    Which of the seven still have a record? Type a 1 for each that has, and a 0 for
#    each that has none.
#
#    .. ask:: [int(value.requires_grad) for value in made.values()]
#
#    .. answer::
#
#       Three of them: 0, 0, 1, 1, 0, 0, 1. A position and a truth value are no numbers
#       that could move a little. ``torch.tensor`` reads numbers and makes a new leaf of
#       them. ``view(torch.float32)`` looks at the *bits* of the numbers, and has no
#       derivative, not even where the type stays the same.
#
#       .. wrong:: [0, 0, 1, 1, 0, 1, 1]
#
#          Nearly. A view with a *shape* is recorded. With a dtype it reads the bits
#          anew, and cuts, even if the dtype is the one that was there.
#
#       .. wrong:: [0, 0, 0, 1, 0, 0, 1]
#
#          ``round`` is recorded. Its slope is zero, so what it sends back is
#          zeros. There is no error, and no weight moves.
#
#       .. wrong:: [0, 0, 1, 1, 0, 0, 0]
#
#          To convert is no cut, as long as the new numbers can move a little, too.

[int(value.requires_grad) for value in made.values()]

# %%
# To go back from one of the four is refused, and ``round`` sends back a zero:
#
# >>> says(made["view"].sum().backward)
# element 0 of tensors does not require grad and does not have a grad_fn
# >>> torch.autograd.grad(made["round"].sum(), w, retain_graph=True)
# (tensor(0.),)
#
# ``y.float()`` had nothing to convert. A conversion to another type of floating point
# is recorded as well; one to whole numbers cuts.
#
# >>> made["float"] is y
# True
# >>> y.double().requires_grad, y.int().requires_grad
# (True, False)
#
# "Element 0" is the first tensor for which ``backward`` was called. More such cuts are
# ``.item()``, ``.detach()``, a forward pass under ``no_grad``, and a detour through
# NumPy.
#
# To find the cut, print ``requires_grad`` of each value on the way from the weight to
# the loss. The first ``False`` stands behind it. Here is a loss with a cut in the
# middle:
#
# .. admonition:: Wrong on purpose
#
#    One of the next lines cuts the record. Do not copy it.

# wrong on purpose
parts = [w * v for v in x]
scores = torch.tensor([part.item() for part in parts])
loss = ((scores - t) ** 2).sum()
[value.requires_grad for value in [parts[0], scores, loss]]

# %%
# ``scores`` is the first without a record, so its line has the cut. ``torch.stack``
# puts the parts together and keeps the record. Then
# :math:`\text{total} = \sum_i (w x_i - t_i)^2` is 14, and its gradient is not missing:

total = ((torch.stack(parts) - t) ** 2).sum()
total

# %%
# :math:`\frac{d\,\text{total}}{dw} = \sum_i 2 x_i (w x_i - t_i) = -28`.

total.backward()
w.grad

# %%
# A repair that repairs nothing
# -----------------------------
#
# The message says that the loss does not require a gradient. So let it require one:
# such lines are found `in real code
# <https://github.com/ronghuaiyang/arcface-pytorch/issues/56>`__.
#
# .. admonition:: Wrong on purpose
#
#    The weight does not move in the next cell. Do not copy it.

# wrong on purpose
w = torch.tensor(1.0, requires_grad=True)
optimizer = torch.optim.SGD([w], lr=0.01)
losses = []
for _ in range(3):
    with torch.no_grad():
        loss = ((w * x - t) ** 2).sum()
    loss.requires_grad = True
    loss.backward()
    optimizer.step()
    losses.append(loss.item())

# %%
# .. predict::
#
#    The message is gone. With :math:`w = 1` the first loss is
#    :math:`1^2 + 2^2 + 3^2 = 14`, and the best weight would be 2. What do the three
#    losses read?
#
#    .. ask:: losses
#
#    .. answer::
#
#       14, 14, 14. The loss is a leaf now, without a path to ``w``. The way back
#       begins at the loss and ends there.
#
#       .. wrong:: [14 * 0.72 ** (2 * k) for k in range(3)]
#
#          So they would go if the gradient arrived. It does not: the loss was
#          computed without a record, and has been made a leaf afterwards.

losses

# %%
# The loss got the gradient, and the weight got none. A loss with respect to itself has
# the slope 1:
#
# >>> loss.grad
# tensor(1.)
# >>> print(w.grad)
# None
# >>> loss.is_leaf, loss.grad_fn is None
# (True, True)
#
# The drawing of its record is a single box.

make_dot(loss, locals())

# %%
# The optimiser does not complain of a missing gradient; it passes by. To repair means
# to take the cut away:


def train(steps):
    w = torch.tensor(1.0, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.01)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = ((w * x - t) ** 2).sum()
        loss.backward()
        optimizer.step()
        yield loss.item()


# %%
# A step takes a hundredth of :math:`-28` from the weight, and the distance to 2 shrinks
# to :math:`1 - 0.28 = 0.72` of what it was:
#
# >>> [round(number, 4) for number in train(3)]
# [14.0, 7.2576, 3.7623]

# %%
# The question does not fit
# -------------------------
#
# The record is sound here, and the question is not. Two values are not one number:

x = torch.tensor([1.0, 2.0], requires_grad=True)
y = x**2
says(y.backward)

# %%
# The entries of ``y`` are to be weighed. Here the second counts ten times as much:

v = torch.tensor([1.0, 10.0])
v

# %%
# With :math:`v = (1, 10)` what arrives is
# :math:`v^\top \frac{\partial y}{\partial x} = (2, 40)`. The weights have the shape of
# ``y``; others are refused.

y.backward(gradient=v)
x.grad

# %%
# >>> says(lambda: (x**2).backward(gradient=torch.ones(3)))
# Mismatch in shape: grad_output[0] has a shape of torch.Size([3]) and output[0] has a
# shape of torch.Size([2]).
#
# A complex result does not fit either, though it is one number. Like two numbers, it
# may be weighed with ``gradient=``. What is trained is a real number, for example its
# absolute value:
#
# >>> z = torch.tensor(3 + 4j, dtype=torch.complex128, requires_grad=True)
# >>> says((z * z).backward)
# grad can be implicitly created only for real scalar outputs but got torch.complex128
# >>> torch.autograd.grad(z.abs(), z)
# (tensor(0.6000+0.8000j, dtype=torch.complex128),)
#
# Next, ``torch.autograd.grad`` is asked for a tensor that has no part in the result.

w = torch.ones(2, requires_grad=True)
c = torch.ones(2)
says(lambda: torch.autograd.grad(x.sum(), [x, w]))

# %%
# "At index 1" is the second of the list. Either it has no influence, and we say that we
# know, or the wrong tensor is asked, a copy for example.
#
# >>> torch.autograd.grad(x.sum(), [x, w], allow_unused=True)
# (tensor([1., 1.]), None)
# >>> torch.autograd.grad(x.sum(), [x, w], materialize_grads=True)
# (tensor([1., 1.]), tensor([0., 0.]))
#
# .. predict::
#
#    The tensor ``c`` has no part in ``x.sum()`` either. It does not even require a
#    gradient. What does
#    ``torch.autograd.grad(x.sum(), [x, c], allow_unused=True)`` return for it?
#
#    .. answer::
#
#       It raises. ``allow_unused`` is about tensors that could get a gradient and
#       don't. To ask for the gradient of a tensor that does not require one is
#       another fault.

says(lambda: torch.autograd.grad(x.sum(), [x, c], allow_unused=True))

# %%
# The record is used up or spoiled
# --------------------------------
#
# A backward pass frees what the forward pass has saved. A second one finds it gone:

y = (x * x).sum()
y.backward()
says(y.backward)

# %%
# The message offers ``retain_graph=True``. Look first why there is a second pass: as a
# rule a part of the forward pass stands before the loop and belongs into it.
# :doc:`The second backward </lessons/3_debugging/30_second_backward>` is about that.
#
# Or what was saved has been changed since. Here ``exp`` has saved its result:

x = torch.tensor([0.0, 1.0], dtype=torch.float64, requires_grad=True)
y = x.exp()
z = y.add_(1)
says(z.sum().backward)

# %%
# Read from the left: which type and shape, which operation made the tensor, how often
# it was changed since. :doc:`The next lesson </lessons/3_debugging/20_in_place>` is
# about this message.
#
# A third one comes at once, not on the way back. A leaf that requires a gradient may
# not be overwritten by a recorded operation, nor may a part of it:
#
# >>> says(lambda: x.add_(1))
# a leaf Variable that requires grad is being used in an in-place operation.
# >>> says(lambda: x[:1].add_(1))
# a view of a leaf Variable that requires grad is being used in an in-place operation.
#
# The update of a weight belongs under ``no_grad``, as :ref:`gradient descent
# <lessons/2_practice/10_gradient_descent:Three ways to write it wrongly>` shows.

# %%
# The tensor is not made for that
# -------------------------------
#
# Each of these is refused for the way in which the tensor was made. Whole numbers
# first:

says(lambda: torch.arange(4, requires_grad=True))
says(lambda: torch.arange(4).requires_grad_())

# %%
# Two places in PyTorch say it, in two wordings. What is meant is the same: write
# ``torch.arange(4.0)``. (Complex numbers may require a gradient, too.)
#
# An optimiser wants leaves. The weights below are the result of a multiplication:
#
# >>> w = torch.ones(3, requires_grad=True) * 0.1
# >>> says(lambda: torch.optim.SGD([w], lr=0.1))
# can't optimize a non-leaf Tensor
# >>> w = (torch.ones(3) * 0.1).requires_grad_()
# >>> says(lambda: torch.optim.SGD([w], lr=0.1))
#
# The last line is silent: compute first, ask for gradients last.
#
# Whether a *result* requires a gradient follows from its inputs. Its flag can't be
# switched off; ``detach()`` gives a tensor without the record. Nor can we keep a
# gradient where none will come:
#
# >>> says(lambda: (2 * x).requires_grad_(False))
# you can only change requires_grad flags of leaf variables. If you want to use a
# computed variable in a subgraph that doesn't require differentiation use
# var_no_grad = var.detach().
# >>> (2 * x).detach().requires_grad
# False
# >>> says(c.retain_grad)
# can't retain_grad on Tensor that has requires_grad=False
#
# NumPy has no records, and a deep copy of a result would have to copy its record:
#
# >>> says(x.numpy)
# Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.
# >>> import copy
# >>> says(lambda: copy.deepcopy(2 * x))  # doctest: +ELLIPSIS
# Only Tensors created explicitly by the user (graph leaves) support the deepcopy
# protocol at the moment. ...
# >>> copy.deepcopy(x).requires_grad, (2 * x).detach().clone().requires_grad
# (True, False)
#
# And what was computed under ``inference_mode`` may not be saved for a way back:

with torch.inference_mode():
    feature = torch.ones(2, dtype=torch.float64)
says(lambda: x * feature)

# %%
# A copy is an ordinary tensor again:
#
# >>> (x * feature.clone()).requires_grad
# True

# %%
# A gradient without memory
# -------------------------
#
# ``torch.sgn`` is the sign of a number, also of a complex one. For real numbers it is
# flat, but for its jump at zero: the gradient is 0.

x = torch.tensor([2.0, -1.0], requires_grad=True)
torch.sgn(x).sum().backward()
x.grad

# %%
# .. predict::
#
#    Five things are done with this gradient: ``x.grad + 1``, ``x.grad.tolist()``,
#    ``x.grad.zero_()``, a step of ``SGD``, and ``clip_grad_norm_``. Which of them work?
#    Type five times 1 or 0.
#
#    .. ask:: worked
#
#    .. answer::
#
#       1, 0, 0, 1, 0. The zeros are not in memory. PyTorch has returned a *ZeroTensor*,
#       which `only says that it is zero
#       <https://github.com/pytorch/pytorch/issues/69687>`__. One can compute with it,
#       and print it. What would write into it is refused, and so is a list of numbers.
#
#       .. wrong:: [1, 1, 1, 1, 1]
#
#          It looks like two zeros. But there is no memory behind them that could be
#          read or overwritten.


def works(action):
    try:
        action()
    except RuntimeError:
        return False
    return True


actions = [
    lambda: x.grad + 1,
    lambda: x.grad.tolist(),
    lambda: x.grad.zero_(),
    lambda: torch.optim.SGD([x], lr=0.1).step(),
    lambda: nn.utils.clip_grad_norm_([x], 1.0),
]
worked = [int(works(action)) for action in actions]
worked

# %%
# The message is about the tensor, not about ``sgn``, and comes later than its cause:
#
# >>> says(lambda: nn.utils.clip_grad_norm_([x], 1.0))
# ZeroTensors are immutable. Please use the materialized zero tensor obtained using
# .clone() if you want a mutable tensor.
#
# Even a second backward pass meets it, which has something to add:
#
# >>> says((x * x).sum().backward)
# ZeroTensors are immutable. Please use the materialized zero tensor obtained using
# .clone() if you want a mutable tensor.
#
# For real numbers ``torch.sign`` does the same and returns zeros that are there. Or
# follow the message:

x.grad = x.grad.clone()
(x * x).sum().backward()
x.grad

# %%
# These are the zeros plus :math:`2x = (4, -2)`.
#
# >>> u = torch.tensor([2.0, -1.0], requires_grad=True)
# >>> torch.sign(u).sum().backward()
# >>> u.grad.zero_().tolist()
# [0.0, 0.0]

# %%
# A Function of our own
# ---------------------
#
# With ``torch.autograd.Function``, which has :doc:`a lesson of its own
# </lessons/4_advanced/10_custom_function>`, we write a backward pass ourselves, and
# PyTorch looks at what it returns: at how many gradients there are, and at their
# shapes. A shape that can be *summed* to the right one is summed, as if it came from
# broadcasting. ``answer`` is what our backward pass returns.


class Double(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, answer):
        ctx.answer = answer
        return 2 * x

    @staticmethod
    def backward(ctx, upstream):
        return ctx.answer, None


def slope(answer):
    x = torch.ones(3, requires_grad=True)
    Double.apply(x, answer).sum().backward()
    return x.grad


# %%
# .. predict::
#
#    The input has shape ``(3,)``, and our backward pass returns ones of shape
#    ``(5, 3)``. What arrives in ``x.grad``?
#
#    .. ask:: slope(torch.ones(5, 3))
#
#    .. answer::
#
#       The five rows are summed: 5, 5, 5. It is not the error that one would wish for.
#       (The right gradient is 2, 2, 2: the fault is in the shape and in the number, and
#       PyTorch sees neither.)
#
#       .. wrong:: [1, 1, 1]
#
#          This is one of the five rows. The others are used, too: what was copied
#          forward is summed backward, and PyTorch believes that something was copied.
#
#       .. wrong:: [2, 2, 2]
#
#          This is the right gradient, and nobody computes it. A Function of our own is
#          believed.

slope(torch.ones(5, 3))

# %%
# Two numbers cannot become three by a sum, and now there is a message. Another dtype is
# converted without a word. One gradient for two arguments is too few:
#
# >>> says(lambda: slope(torch.ones(2)))
# Function DoubleBackward returned an invalid gradient at index 0 - got [2] but expected
# shape compatible with [3]
# >>> slope(torch.ones(3, dtype=torch.float64)).dtype
# torch.float32
# >>> class Forgetful(Double):
# ...     @staticmethod
# ...     def backward(ctx, upstream):
# ...         return 2 * upstream
# >>> says(Forgetful.apply(x, None).sum().backward)
# function ForgetfulBackward returned an incorrect number of gradients (expected 2, got
# 1)
#
# ``apply`` takes arguments by keyword in PyTorch 2.13; in PyTorch 2.9.1 that was a
# ``TypeError``. They count: ``backward`` returns a gradient for them as well.
#
# >>> Double.apply(torch.ones(3), answer=None)
# tensor([2., 2., 2.])
# >>> says(Forgetful.apply(x, answer=None).sum().backward)
# function ForgetfulBackward returned an incorrect number of gradients (expected 2, got
# 1)

# %%
# Four warnings
# -------------
#
# A warning does not stop a program. What it warns of is often worse than an error.

says(lambda: (2 * x).grad)

# %%
# Somebody reads ``.grad`` where none will be. The result is ``None``. What was meant is
# the leaf, or a ``retain_grad()`` before the backward pass. The second is about shapes:

column, row = torch.ones(3, 1), torch.ones(3)
says(lambda: nn.MSELoss()(column, row))

# %%
# A column minus a row is a table, ``(3, 3)``. The training runs, and learns
# something else. A loss that we write ourselves does not even warn:
#
# >>> (column - row).shape
# torch.Size([3, 3])
# >>> says(lambda: ((column - row) ** 2).mean())
#
# The third comes from checkpointing, which computes a part of the forward pass twice to
# save memory. Its older variant looks at the inputs, and forgets the weights:

layer = nn.Linear(2, 2)
says(lambda: checkpoint(layer, torch.ones(2), use_reentrant=True))

# %%
# With ``use_reentrant=False`` the weights get their gradients.
#
# >>> output = checkpoint(layer, torch.ones(2), use_reentrant=False)
# >>> torch.autograd.grad(output.sum(), layer.bias)
# (tensor([1., 1.]),)
#
# The last comes with ``create_graph=True``, which records the way back as well, so that
# :ref:`a slope has a slope <lessons/4_advanced/30_higher_order:A slope has a slope>`.
# Then ``.grad`` has a record that holds the leaf, and the leaf holds ``.grad``.

says(lambda: (x**2).sum().backward(create_graph=True))

# %%
# Such a circle stays in memory when nobody needs it any more. Python's collector of
# circles does not free it either; to empty ``.grad`` does. We ask whether the leaf is
# still there after each:
#
# >>> import gc, weakref
# >>> def circle(emptied):
# ...     u = torch.tensor([2.0, -1.0], requires_grad=True)
# ...     with warnings.catch_warnings(action="ignore"):
# ...         (u**2).sum().backward(create_graph=True)
# ...     if emptied:
# ...         u.grad = None
# ...     return weakref.ref(u)
# >>> left, gone = circle(emptied=False), circle(emptied=True)
# >>> freed = gc.collect()
# >>> left() is None, gone() is None
# (False, True)
#
# ``torch.autograd.grad`` returns such a gradient without the circle.

# %%
# What it says, what it means
# ---------------------------
#
# .. list-table::
#    :header-rows: 1
#
#    * - words of the message
#      - cause
#      - look at
#    * - ``element 0 of tensors does not require grad``
#      - no record behind the result
#      - the first value on the way whose ``requires_grad`` is ``False``
#    * - ``only for scalar outputs``, ``only for real scalar outputs``
#      - several numbers, or a complex one
#      - a forgotten ``mean()``; ``gradient=``; ``abs()``
#    * - ``Mismatch in shape: grad_output[0]``
#      - weights without the shape of the result
#      - the shape of the result
#    * - ``not have been used in the graph``
#      - no path from the result to this input
#      - which tensor was used; ``allow_unused=True``
#    * - ``One of the differentiated Tensors does not require grad``
#      - the input was no candidate
#      - ``requires_grad`` of the input
#    * - ``a second time``
#      - the first pass has freed what was saved
#      - what stands before the loop
#    * - ``modified by an inplace operation``
#      - a saved tensor was changed
#      - ``+=``, names with an underscore at the end, ``optimizer.step()``
#    * - ``is being used in an in-place operation``
#      - a leaf would be overwritten by a recorded operation
#      - ``no_grad`` around the update
#    * - ``floating point``
#      - whole numbers
#      - ``arange(4.0)``, ``.float()``
#    * - ``can't optimize a non-leaf Tensor``
#      - the weight is a result
#      - what follows after ``requires_grad=True``
#    * - ``can't retain_grad``
#      - no gradient will come here
#      - the cut before it
#    * - ``only change requires_grad flags of leaf``
#      - a result takes this from its inputs
#      - ``detach()``
#    * - ``Can't call numpy()``
#      - an array has no record
#      - ``detach()``, if no gradient is wanted
#    * - ``support the deepcopy protocol``
#      - a result among the attributes
#      - ``detach().clone()``
#    * - ``Inference tensors cannot be saved``
#      - made under ``inference_mode``
#      - ``clone()``, or ``no_grad`` there
#    * - ``ZeroTensors are immutable``
#      - a gradient that has no memory
#      - ``sign`` in the place of ``sgn``; ``clone()``
#    * - ``invalid gradient``, ``incorrect number of gradients``
#      - our own backward pass
#      - one gradient for each argument, each with its shape
#
# PyTorch has said each of these on this page. Here they are looked up in what ``says``
# has kept:
#
# >>> table = (
# ...     "element 0 of tensors does not require grad|only for scalar outputs"
# ...     "|only for real scalar outputs|Mismatch in shape: grad_output[0]"
# ...     "|not have been used in the graph|a second time"
# ...     "|modified by an inplace operation"
# ...     "|One of the differentiated Tensors does not require grad"
# ...     "|is being used in an in-place operation|floating point"
# ...     "|can't optimize a non-leaf Tensor|can't retain_grad"
# ...     "|only change requires_grad flags of leaf|Can't call numpy()"
# ...     "|support the deepcopy protocol|Inference tensors cannot be saved"
# ...     "|ZeroTensors are immutable|incorrect number of gradients|invalid gradient"
# ... ).split("|")
# >>> [words for words in table if not any(words in message for message in said)]
# []
#
# So the four warnings:
#
# >>> table = (
# ...     "not a leaf Tensor is being accessed|Using a target size"
# ...     "|None of the inputs have requires_grad=True|create a reference cycle"
# ... ).split("|")
# >>> [words for words in table if not any(words in message for message in said)]
# []
#
# Texts change from release to release; these were printed by the PyTorch with which
# this page was built. To look up a message, paste it into :doc:`the page of questions
# </questions>`.

# %%
# Exercises
# ---------
#
# Five functions, and each has a fault.
#
# .. admonition:: Wrong on purpose
#
#    Each of the five ends in an error. Do not copy them.

# wrong on purpose
w = torch.tensor(1.0, requires_grad=True)
x = torch.tensor([1.0, 2.0, 3.0])
t = torch.tensor([2.0, 4.0, 6.0])


def one():
    (w * x).argmax().backward()


def two():
    loss = sum((w * v).item() for v in x)
    torch.tensor(loss).backward()


def three():
    loss = ((w * x - t) ** 2).mean()
    torch.tensor([loss.item(), 0.5]).sum().backward()


def four():
    with torch.no_grad():
        y = w * x
    ((y - t) ** 2).mean().backward()


def five():
    torch.arange(4, requires_grad=True).sum().backward()


for broken in [one, two, three, four, five]:
    says(broken)

# %%
# .. exercise::
#
#    Four of the five get the same message. Name what cuts in each, and what
#    the other one asks for.
#
#    .. answer::
#
#       ``argmax()``, a position. ``.item()``, a number of Python. ``torch.tensor``, a
#       new leaf (and ``.item()`` in it). ``no_grad`` around the forward pass. The fifth
#       asks whole numbers for a gradient.
#
# .. exercise::
#
#    Repair the second. What is the gradient then?
#
#    .. answer::
#
#       The sum of ``w * v`` over all ``v``, with its record. Its slope is the sum of
#       the inputs, :math:`1 + 2 + 3 = 6`.
#
#       >>> torch.autograd.grad(sum(w * v for v in x), w)
#       (tensor(6.),)
#
# .. exercise::
#
#    Repair the third: the loss and a constant, half, added.
#
#    .. answer::
#
#       ``loss + 0.5``. The slope is that of the loss: a third of :math:`-28`.
#
#       >>> torch.autograd.grad(((w * x - t) ** 2).mean() + 0.5, w)
#       (tensor(-9.3333),)
#
# .. exercise::
#
#    The fourth computes its forward pass as one does to evaluate a model. What would
#    you move?
#
#    .. answer::
#
#       The forward pass out of ``no_grad``. The loss is the mean of three squares, and
#       its gradient the same as in the third.
#
#       >>> torch.autograd.grad(((w * x - t) ** 2).mean(), w)
#       (tensor(-9.3333),)
#
# .. exercise::
#
#    The first wants the class with the highest score to win. What could be trained in
#    its place?
#
#    .. answer::
#
#       Something smooth, such as the logarithm of the probability of the right class.
#
#       >>> loss = nn.functional.cross_entropy(w * x, torch.tensor(2))
#       >>> torch.autograd.grad(loss, w)
#       (tensor(-0.4248),)

# %%
# What we can do now
# ------------------
#
# - Ask first what we see: a message, a ``None``, or a wrong number.
# - Find the cut: the first ``requires_grad`` on the way that is ``False``.
# - Tell a repair from a line that silences: does the weight get a gradient?
#
# Next, :doc:`In place, and versions </lessons/3_debugging/20_in_place>` takes one
# message apart, word by word.

# %%
# Credits and licences
# --------------------
#
# The messages are PyTorch's own. That cases in which a gradient is ``None`` are told
# apart by their cause follows a section of TensorFlow's `guide to automatic
# differentiation <https://www.tensorflow.org/guide/autodiff>`__. Our text is under `CC
# BY-SA 4.0 <https://creativecommons.org/licenses/by-sa/4.0/>`__, our code under the
# `MIT licence <https://opensource.org/license/mit>`__.
