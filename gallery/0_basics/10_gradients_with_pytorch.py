"""
Three steps to a gradient
=========================

We write a small function, and PyTorch tells us how its result reacts to each input.
At the end we can get a gradient in three steps, check it on paper, and say where
PyTorch has put it.

:Time: 30 minutes
:Needs: school calculus, a little Python
:Level: Basics
:Tags: graph, .grad, leaves
"""

# %%
# The neuron on :doc:`the first page </index>` learns by turning its weights, and for
# each of them it needs to know how strongly the result reacts. Such a list of reactions
# is a gradient. We get one for the first thing that a neuron computes, a sum of
# products.
#
# Two imports are enough. ``torch`` computes. ``make_dot`` draws what PyTorch has
# recorded; it comes from ``torchutils``, the small package of this course, which lies
# in the zip file of this lesson.

import torch

from torchutils import make_dot

# %%
# A tensor to start from
# ----------------------
#
# A *tensor* is PyTorch's array of numbers. Ours holds four of them: ``arange(4.0)``
# counts from 0 and stops before 4.

x = torch.arange(4.0)
x

# %%
# So :math:`x = (0, 1, 2, 3)`. The *shape* of ``x`` is ``(4,)``: one axis, four entries.
# We count from 0, in formulas as in code: :math:`x_0` is ``x[0]``, the first entry, and
# :math:`x_3` is ``x[3]``, the last.
#
# >>> x.shape
# torch.Size([4])
# >>> x[3]
# tensor(3.)
#
# Lines like these, with ``>>>`` in front, are promises. The build of this page runs
# each one and compares the answer with the one that you read.
#
# A derivative asks what happens when an input moves a tiny bit, and an integer cannot
# do that. So PyTorch offers gradients for floating point numbers (and complex ones),
# not for integers. The dot in ``4.0`` matters: without it we get an error, which we
# catch and print.

try:
    torch.arange(4).requires_grad_()
except RuntimeError as error:
    print(error)

# %%
# The type of the numbers in a tensor is its ``dtype``. Ours is a floating point type:
#
# >>> torch.arange(4).dtype, x.dtype
# (torch.int64, torch.float32)
#
# With ``requires_grad_`` we announce that we want gradients with respect to ``x``. From
# then on *autograd*, the part of PyTorch that computes gradients, records the
# operations that use ``x``.
#
# .. predict::
#
#    PyTorch will store the gradient in ``x.grad``. Nothing has been computed from ``x``
#    yet. What does ``x.grad`` hold?
#
#    .. answer::
#
#       ``None``, and not four zeros. Zeros would be an answer: "the result does not
#       react to ``x``". There is no result yet, so there is no answer either. The
#       place stays empty until the first backward step.

x.requires_grad_(True)
print(x.grad)

# %%
# The underscore at the end of ``requires_grad_`` says that it changes ``x`` itself.
#
# No operation made ``x``; we wrote it down. Such a tensor is called a *leaf*. The
# attribute ``grad_fn`` names the operation that made a tensor, so a leaf has none:
#
# >>> x.is_leaf
# True
# >>> print(x.grad_fn)
# None

# %%
# Forward: compute and record
# ---------------------------
#
# Our first function multiplies each entry of ``x`` by itself, adds up the products, and
# doubles the sum. Here it is in three notations:
#
# .. math::
#
#    y = 2\, x^\top x = 2 \sum_{i=0}^{3} x_i \, x_i = 2 \sum_{i=0}^{3} x_i^2
#
# The first, :math:`x^\top x`, is the *dot product* of ``x`` with itself. On paper we
# get :math:`y = 2\,(0^2 + 1^2 + 2^2 + 3^2) = 28`.

y = 2 * torch.dot(x, x)
y

# %%
# PyTorch agrees. The remark ``grad_fn=<MulBackward0>`` shows that autograd is
# recording: the last operation was a multiplication.
#
# Four numbers went in, one came out. The shape of ``y`` is empty; we call such a tensor
# a *scalar*.
#
# >>> y.shape
# torch.Size([])
#
# ``make_dot`` draws the record. With ``locals()`` we hand it all our names. It uses the
# names of the tensors that it meets, and ignores the rest.
#
# .. predict::
#
#    The drawing shows ``x`` and two operations, the dot product and the
#    multiplication by 2. How many arrows leave ``x``?
#
#    .. ask:: len(y.grad_fn.next_functions[0][0].next_functions)
#
#    .. answer::
#
#       Two. A dot product takes two inputs, and here ``x`` is both of them.
#
#       .. wrong:: 1
#
#          There is one box for ``x``, however often it is used. But each use is an
#          arrow, and the dot product uses it twice.

make_dot(y, locals())

# %%
# This is the *graph* of ``y``. We read along the arrows: ``x`` enters the dot product
# twice, the result enters the multiplication, and ``y`` comes out. The factor has no
# box of its own: it stands in that of ``y``, as ``other = 2``. One box is marked as a
# leaf. There, in ``x.grad``, the gradient will be stored; none is computed yet.
#
# The arrows show where the data went. Gradients will travel *against* the arrows, from
# ``y`` back to ``x``. This is what PyTorch's own names for the two operations mean,
# ``DotBackward0`` and ``MulBackward0``.

# %%
# Backward, then read
# -------------------
#
# A *partial derivative* says how fast ``y`` changes when one entry moves and the others
# stay fixed. The *gradient* of ``y`` with respect to ``x``, written
# :math:`\nabla_x y`, lists the partial derivatives for all entries:
#
# .. math::
#    :class: law
#
#    \nabla_x y = \left(
#    \frac{\partial y}{\partial x_0}, \frac{\partial y}{\partial x_1},
#    \frac{\partial y}{\partial x_2}, \frac{\partial y}{\partial x_3} \right)
#
# One number for each entry: the gradient has the shape of ``x``, ``(4,)``.
#
# .. predict::
#
#    Written out, :math:`y = 2x_0^2 + 2x_1^2 + 2x_2^2 + 2x_3^2`. Which four numbers make
#    up the gradient?
#
#    .. ask:: x.grad
#
#    .. answer::
#
#       Only one term contains :math:`x_i`, namely :math:`2x_i^2`. The other terms stay
#       fixed and add nothing. So :math:`\frac{\partial y}{\partial x_i} = 4x_i`, and
#       for all entries together :math:`\nabla_x y = 4x = (0, 4, 8, 12)`.
#
#       .. wrong:: 2 * x
#
#          This is the derivative of the square alone. The factor 2 in front of it
#          stays, and doubles the slope.
#
#       .. wrong:: 2 * x**2
#
#          These are the four terms of ``y``: values, not slopes. We ask how fast each
#          of them changes when its entry moves.
#
#       .. wrong:: x.grad.sum()
#
#          Here the partial derivatives have been added up. The gradient keeps them
#          apart, one for each entry.

y.backward()
x.grad

# %%
# These are the numbers from paper, and they follow the formula:
#
# >>> x.grad
# tensor([ 0.,  4.,  8., 12.])
# >>> torch.equal(x.grad, 4 * x)
# True
#
# In this lesson each gradient takes these three steps:
#
# 1. *Forward*: compute ``y`` from ``x``, while autograd records.
# 2. *Backward*: call ``y.backward()``, and autograd goes through its record from the
#    end to the beginning.
# 3. *Read*: look at ``x.grad``.
#
# Autograd did not find the formula :math:`4x`. It did not try out small steps either.
# It knows the exact derivative of each operation in the record, and works with numbers:
# the gradient is the one at the present ``x``. Another ``x`` needs another forward step
# and another backward step.

# %%
# Gradients add up
# ----------------
#
# The second function adds up the entries: :math:`y = \sum_{i=0}^{3} x_i = 6`.

y = x.sum()
y

# %%
# Raise one entry a little, and the sum rises by as much. Every partial derivative is 1:
# :math:`\nabla_x y = \mathbf{1} = (1, 1, 1, 1)`. The bold 1 is a vector of ones.
#
# .. predict::
#
#    We call ``y.backward()`` as before, and nothing else. What does ``x.grad`` hold?
#
#    .. ask:: x.grad
#
#    .. answer::
#
#       Not the four ones alone: ``backward()`` *adds* to ``x.grad``, which still held
#       the first gradient. So we find :math:`4x + \mathbf{1} = (1, 5, 9, 13)`.
#
#       .. wrong:: torch.ones(4)
#
#          This is the new gradient alone. It would be there if ``backward()`` overwrote
#          ``x.grad``; but it adds to what it finds, and it finds the gradient of the
#          first function.
#
#       .. wrong:: 4 * x
#
#          This is the old gradient alone. The new one has been added to it, a one in
#          each entry.

y.backward()
x.grad

# %%
# This is the old gradient, plus one in each entry:
#
# >>> torch.equal(x.grad, 4 * x + 1)
# True
#
# So the precise rule is: ``y.backward()`` *increases* ``x.grad`` by the gradient of
# ``y``. :doc:`A later lesson </lessons/1_foundations/60_accumulation>` makes good use
# of this. Here we want the new gradient alone, so we set the old one to zero first.

x.grad.zero_()
y = x.sum()
y.backward()
x.grad

# %%
# Here are the four ones:
#
# >>> torch.equal(x.grad, torch.ones(4))
# True
#
# The assignment ``x.grad = None`` would do as well: it empties the place, and the next
# backward step fills it.
#
# We also ran the forward step again. As a rule a record serves for one backward step;
# then PyTorch throws away the values that it had saved in it.

# %%
# Two leaves
# ----------
#
# Now a second leaf joins in: ``w``, four ones. This time we ask for gradients while we
# make the tensor. The third function is the dot product of the two,
# :math:`y = x^\top w = \sum_{i=0}^{3} x_i w_i = 6`.

w = torch.ones(4, requires_grad=True)
y = torch.dot(x, w)
y

# %%
# Two tensors can move now, so ``y`` has two gradients. In the term :math:`x_i w_i` the
# factor :math:`w_i` says how strongly ``y`` reacts to :math:`x_i`, and the other way
# round: :math:`\nabla_x y = w = (1, 1, 1, 1)` and
# :math:`\nabla_w y = x = (0, 1, 2, 3)`.

x.grad.zero_()
y.backward()
x.grad, w.grad

# %%
# Each gradient is the other factor:
#
# >>> torch.equal(x.grad, w), torch.equal(w.grad, x)
# (True, True)
#
# Which parts of the graph store a gradient? We look at the drawing.

make_dot(y, locals())

# %%
# The two leaves do, ``x`` and ``w``, and each shows its own. The one operation,
# ``DotBackward0``, passes gradients on and stores none. What it had saved is gone: this
# record has served.
#
# But one thing is unsatisfying. Four ones in ``x.grad``: we had those with the sum,
# too. Do they really come from ``w``? Ones cannot tell. We choose values that can.

w = torch.tensor([1.0, 10.0, 100.0, 1000.0], requires_grad=True)
y = torch.dot(x, w)
y

# %%
# Each entry of ``x`` has become a digit of :math:`y = 3210`.
#
# .. predict::
#
#    What will ``x.grad`` and ``w.grad`` be? We empty ``x.grad`` first. Why not
#    ``w.grad``, too? Type ``x.grad``.
#
#    .. ask:: x.grad
#
#    .. answer::
#
#       Again, each gradient is the other factor:
#       :math:`\nabla_x y = w = (1, 10, 100, 1000)` and
#       :math:`\nabla_w y = x = (0, 1, 2, 3)`. This ``w`` is a new tensor: its
#       ``.grad`` is still ``None``.
#
#       .. wrong:: x
#
#          This is what ``w.grad`` will hold. How strongly ``y`` reacts to an entry of
#          ``x`` depends on the *other* factor.
#
#       .. wrong:: w + 1
#
#          Here the four ones of the last function are still in. We have emptied
#          ``x.grad`` before this step.

x.grad = None
y.backward()
x.grad, w.grad

# %%
# Now there is no doubt: the numbers in ``x.grad`` are those of ``w``.

# %%
# A value in between
# ------------------
#
# In the last function both factors were leaves. Now we *compute* one factor from ``x``:
# first :math:`z_i = x_i^2`, then :math:`y = \sum_{i=0}^{3} x_i z_i`.

z = x**2
y = torch.dot(x, z)
y

# %%
# On paper: :math:`z = (0, 1, 4, 9)` and :math:`y = \sum_{i=0}^{3} x_i^3 = 36`.
#
# .. predict::
#
#    How many leaves does the graph have? And how many different paths lead from ``x``
#    to ``y``? Type the number of paths.
#
#    .. ask:: len(y.grad_fn.next_functions)
#
#    .. answer::
#
#       One leaf, ``x``. Two paths: one goes from ``x`` straight into the dot product,
#       the other takes a detour through the square.
#
#       .. wrong:: 1
#
#          One path is forgotten. ``z`` was computed from ``x``, so when ``x`` moves,
#          ``y`` moves in two ways.

make_dot(y, locals())

# %%
# ``z`` is no leaf, because a recorded operation made it: the power, ``PowBackward0``.
# We call ``z`` an *intermediate value*. (The gradient that the box of ``x`` shows is
# still the one of the last function.)
#
# >>> z.is_leaf
# False
#
# Autograd keeps the *value* of ``z``, which it will need on the way back. It does not
# keep the *gradient* of an intermediate value, unless we ask for it with
# ``z.retain_grad()`` before the backward step.
#
# .. predict::
#
#    Work out both gradients, of ``y`` with respect to ``z`` and with respect to ``x``.
#    Careful with the second. Type the second.
#
#    .. ask:: x.grad
#
#    .. answer::
#
#       If ``z`` alone moves, we are back at two factors, and the gradient is the other
#       one: :math:`\nabla_z y = x = (0, 1, 2, 3)`.
#
#       If ``x`` moves, ``z`` moves along, so both paths from ``x`` to ``y`` count. The
#       direct path gives the other factor, :math:`x^2`. The detour gives :math:`2x^2`:
#       :math:`z_i` moves :math:`2x_i` times as fast as :math:`x_i`, and :math:`y` moves
#       :math:`x_i` times as fast as :math:`z_i`. Together,
#       :math:`\nabla_x y = x^2 + 2x^2 = 3x^2 = (0, 3, 12, 27)`.
#
#       .. wrong:: x**2
#
#          This is the direct path alone, as if ``z`` stayed where it is. But ``z``
#          moves along with ``x``, and the detour through it counts as well.
#
#       .. wrong:: 2 * x**2
#
#          This is the detour through ``z`` alone. The direct path, on which ``x`` is a
#          factor itself, is forgotten.
#
#       .. wrong:: x
#
#          This is the gradient with respect to ``z``, the other factor of ``x`` in the
#          dot product.

x.grad.zero_()
z.retain_grad()
y.backward()
z.grad

# %%
# This is ``x``, as predicted. It is there only because ``retain_grad`` came first.
#
# >>> torch.equal(z.grad, x)
# True
#
# Now the gradient with respect to ``x``:

x.grad

# %%
# Both paths are in it:
#
# >>> torch.equal(x.grad, 3 * x**2)
# True

# %%
# Why 3x² and not x²?
# -------------------
#
# Because two paths lead from ``x`` to ``y``, and their contributions add up. (The power
# of a vector is meant entry by entry, as in Python.)
#
# .. list-table::
#    :header-rows: 1
#
#    * - path
#      - contribution
#    * - straight into the dot product
#      - :math:`x^2 = (0, 1, 4, 9)`
#    * - through ``z``
#      - :math:`2x^2 = (0, 2, 8, 18)`
#    * - both together
#      - :math:`3x^2 = (0, 3, 12, 27)`
#
# Still in doubt? We ask the function itself. The entry :math:`x_2 = 2` contributes
# :math:`x_2^3` to ``y``. We move it from 2 to 2.001 and look how much faster the cube
# moves:
#
# >>> round((2.001**3 - 2**3) / 0.001, 2)
# 12.01
#
# This is close to :math:`3x_2^2 = 12`, the entry at index 2 of the gradient. The direct
# path alone would give :math:`x_2^2 = 4`.

# %%
# Why is z.grad None?
# -------------------
#
# We run the same function once more, and this time we forget ``retain_grad``.

x.grad.zero_()
z = x**2
y = torch.dot(x, z)
y.backward()
x.grad

# %%
# The gradient of ``x`` is complete, so the detour through ``z`` has been counted. And
# ``z.grad``? PyTorch answers, and warns. We catch the warning and print its first
# sentence.

import warnings

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    print(z.grad)
print(str(caught[0].message).split(". ")[0])

# %%
# ``None`` does not mean that no gradient passed through ``z``. One did, but PyTorch did
# not keep it: a large model has many intermediate values, and memory is precious.
#
# Three ways to see it:
#
# - ``z.retain_grad()`` before the backward step. After it, the gradient is gone.
# - ``torch.autograd.grad(y, z)``, which returns the gradient and stores nothing.
# - ``z.register_hook(print)`` before the backward step. A *hook* is a function that is
#   given the gradient as it passes.
#
# The second way, with a record of its own:
#
# >>> square = x**2
# >>> torch.autograd.grad(torch.dot(x, square), square)
# (tensor([0., 1., 2., 3.]),)
#
# PyTorch's own `introduction to autograd`__ says that gradients are available for
# leaves and for nothing else. That is too strict. They are *kept* for nothing else,
# and we can ask for the others.
#
# __ https://docs.pytorch.org/tutorials/beginner/basics/autogradqs_tutorial.html

# %%
# Exercises
# ---------
#
# Each exercise begins with a forward step. Find the gradients on paper, as if every
# ``.grad`` were empty; then open the answer. It confirms the numbers with a fresh leaf,
# ``u``, that holds the same entries as ``x``.

z = x**3
y = torch.dot(x, z)
y

# %%
# .. exercise::
#
#    What does ``y.backward()`` put into ``x.grad``? And into ``z.grad``, if we call
#    ``z.retain_grad()`` first?
#
#    .. answer::
#
#       Again two paths lead from ``x`` to ``y``. The direct one gives :math:`x^3`, the
#       detour :math:`3x^3`, and together
#       :math:`\nabla_x y = 4x^3 = (0, 4, 32, 108)`. And as before,
#       :math:`\nabla_z y = x = (0, 1, 2, 3)`.
#
#       >>> u = torch.arange(4.0, requires_grad=True)
#       >>> torch.dot(u, u**3).backward()
#       >>> u.grad
#       tensor([  0.,   4.,  32., 108.])
#
# Next, ``detach()``. It returns a tensor with the same values, but without the record
# of where they came from.

z = (x**2).detach()
y = torch.dot(x, z)
y

# %%
# .. exercise::
#
#    The value, :math:`y = 36`, is the same as without ``detach()``. What does
#    ``y.backward()`` put into ``x.grad`` now? And what happens if we call
#    ``z.retain_grad()``?
#
#    .. answer::
#
#       For autograd ``z`` is now a fixed list of numbers. The detour is closed, and
#       only the direct path is left: :math:`\nabla_x y = x^2 = (0, 1, 4, 9)`.
#
#       >>> u = torch.arange(4.0, requires_grad=True)
#       >>> torch.dot(u, (u**2).detach()).backward()
#       >>> u.grad
#       tensor([0., 1., 4., 9.])
#
#       No gradient passes through ``z``, so there is none to keep, and PyTorch refuses:
#
#       >>> try:
#       ...     z.retain_grad()
#       ... except RuntimeError as error:
#       ...     print(error)
#       can't retain_grad on Tensor that has requires_grad=False
#
# .. exercise::
#
#    We run ``y = 2 * torch.dot(x, x)`` and ``y.backward()``, and then both lines a
#    second time, without setting anything to zero. What does ``x.grad`` hold?
#
#    .. answer::
#
#       Each of the two backward steps adds :math:`4x`, so we find
#       :math:`4x + 4x = 8x = (0, 8, 16, 24)`.
#
#       >>> u = torch.arange(4.0, requires_grad=True)
#       >>> (2 * torch.dot(u, u)).backward()
#       >>> (2 * torch.dot(u, u)).backward()
#       >>> u.grad
#       tensor([ 0.,  8., 16., 24.])
#
# The last function is the mean of the entries.

y = x.mean()
y

# %%
# .. exercise::
#
#    What is the gradient of the mean with respect to ``x``?
#
#    .. answer::
#
#       The mean is the sum divided by four,
#       :math:`y = \frac{1}{4} \sum_{i=0}^{3} x_i = 1.5`. So each partial derivative is
#       a quarter of the sum's:
#       :math:`\nabla_x y = \frac{1}{4} \mathbf{1} = (0.25, 0.25, 0.25, 0.25)`.
#
#       >>> u = torch.arange(4.0, requires_grad=True)
#       >>> u.mean().backward()
#       >>> u.grad
#       tensor([0.2500, 0.2500, 0.2500, 0.2500])

# %%
# What we can do now
# ------------------
#
# - Get a gradient in three steps, forward, backward, read, and check it on paper.
# - Empty ``.grad`` before we use it again, because ``backward()`` adds.
# - Tell a leaf from an intermediate value, and see the gradient of either.
#
# Next, :doc:`What is a gradient? </lessons/1_foundations/10_what_is_a_gradient>` says
# what such numbers mean, and what they predict.

# %%
# Credits and licences
# --------------------
#
# This lesson takes the path of the notebook "Gradients with pytorch" from the lecture
# *Computer Vision and Machine Learning I*. Erik Rodner adapted it from the chapter on
# `automatic differentiation <https://d2l.ai/chapter_preliminaries/autograd.html>`__ of
# *Dive into Deep Learning* by Aston Zhang, Zachary C. Lipton, Mu Li and Alexander J.
# Smola, whose text is under
# `CC BY-SA 4.0 <https://creativecommons.org/licenses/by-sa/4.0/>`__ and whose sample
# code is under a `modified MIT licence
# <https://github.com/d2l-ai/d2l-en/blob/master/LICENSE-SAMPLECODE>`__.
#
# We changed the wording throughout, added the predictions, explanations, exercises and
# some of the functions, and named the second leaf ``w``; in the notebook it is called
# ``z``, like the intermediate value after it. Our text is under CC BY-SA 4.0 as well,
# our code under the `MIT licence <https://opensource.org/license/mit>`__.
