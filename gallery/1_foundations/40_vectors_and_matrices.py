r"""
Vectors, matrices and broadcasting
==================================

We derive gradients with respect to vectors and matrices, by looking at one entry. At
the end we can write down the backward step of a whole layer, with all shapes right, and
say what broadcasting does to a gradient.

:Time: 35 minutes
:Needs: :doc:`Chain rule </lessons/1_foundations/30_chain_rule>`
:Level: Foundations
:Tags: shapes, errors
"""

# %%
# Several neurons that see the same input are a *layer*. Its weights are a matrix with a
# row for each neuron, and its gradient has to be one as well. (Matrices are new to you?
# :doc:`Ten minutes </matrices>` are enough.)
#
# As before, ``make_dot`` draws what autograd has recorded. ``record_backward`` also
# runs the backward step, and writes down which gradient went along which arrow.

import torch

from torchutils import make_dot, record_backward

# %%
# A gradient has the shape of its variable
# ----------------------------------------
#
# The smallest case with a matrix: a vector ``x`` of shape ``(2,)`` and a matrix ``A``
# of shape ``(2, 2)``. The first index of :math:`A_{ij}` counts the rows, the second one
# the columns. We multiply ``A``
# by ``x`` from both sides:
#
# .. math::
#
#    y = x^\top A x = \sum_{i=0}^{1} \sum_{j=0}^{1} x_i A_{ij} x_j = 27

x = torch.tensor([1.0, 2.0], requires_grad=True)
A = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
y = torch.dot(x, A @ x)
y

# %%
# In code, ``@`` is the product of matrices, or of a matrix and a vector.
#
# .. predict::
#
#    Which shapes will ``x.grad`` and ``A.grad`` have?
#
#    .. answer::
#
#       ``(2,)`` and ``(2, 2)``. A gradient holds one number for each entry of the
#       variable: how fast ``y`` changes when this entry moves. So it has the shape of
#       the variable. PyTorch refuses any other:
#
#       >>> try:
#       ...     x.detach().requires_grad_().grad = torch.ones(3)
#       ... except RuntimeError as error:
#       ...     print(str(error).split(" a ")[0])
#       attempting to assign
#
# How do we find the numbers? We do not need new rules. We write the function as a sum,
# as above, let *one* entry move, and see which terms contain it.
#
# The entry :math:`A_{ij}` stands in a single term, :math:`x_i A_{ij} x_j`. So
# :math:`\frac{\partial y}{\partial A_{ij}} = x_i x_j`. All entries together form the
# matrix :math:`x x^\top`, the *outer product* of ``x`` with itself:
#
# .. math::
#
#    \nabla_A y = x x^\top = \begin{pmatrix} 1 & 2 \\ 2 & 4 \end{pmatrix}
#
# The vector ``x`` stands on both sides of ``A``, so two paths lead from it to ``y``.
# Holding the right one still, the left one gives :math:`A x = (5, 11)`. Holding the
# left one still, the right one gives :math:`A^\top x = (7, 10)`.
#
# >>> torch.autograd.grad(x @ (A @ x.detach()), x)
# (tensor([ 5., 11.]),)
#
# .. predict::
#
#    What is the gradient of ``y`` with respect to ``x``?
#
#    .. ask:: x.grad
#
#    .. answer::
#
#       The two paths add up:
#
#       .. math::
#
#          \nabla_x y = A x + A^\top x = (A + A^\top)\, x = (12, 21)
#
#       Both paths give the same for each ``x`` if ``A`` is symmetric, which means that
#       :law:`A^\top = A`.
#
#       .. wrong:: 2 * A @ x
#
#          You took both paths for the same, :math:`2 A x`. The path of the ``x`` on
#          the right of ``A`` gives :math:`A^\top x`.
#
#       .. wrong:: torch.autograd.grad(x @ (A @ x.detach()), x)[0]
#
#          This is the path of the ``x`` on the left of ``A`` alone. ``x`` stands on the
#          right as well, and there it counts, too.
#
#       .. wrong:: torch.autograd.grad(x.detach() @ (A @ x), x)[0]
#
#          This is the path of the ``x`` on the right of ``A`` alone. ``x`` stands on
#          the left as well, and there it counts, too.

record_backward(y, locals())

# %%
# The drawing shows both paths: ``x`` adds up what comes directly and what comes through
# the product ``A @ x``. And each gradient has the shape of its leaf.
#
# >>> x.grad, A.grad
# (tensor([12., 21.]), tensor([[1., 2.],
#         [2., 4.]]))
# >>> torch.equal(A.grad, torch.outer(x, x))
# True

# %%
# A layer, and three gradients
# ----------------------------
#
# Neural networks are made of layers. Here is one. ``X`` holds two samples, one in each
# row, with three features each: the numbers that a neuron sees. The weights ``W`` turn
# three features into two outputs, and the bias ``b`` is added to each row.

X = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], requires_grad=True)
W = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], requires_grad=True)
b = torch.tensor([0.5, -0.5], requires_grad=True)
Y = X @ W + b
L = (Y**2).sum() / 2
Y, L

# %%
# With its numbers,
#
# .. math::
#
#    Y = X W + b = \begin{pmatrix} 4.5 & 4.5 \\ 10.5 & 10.5 \end{pmatrix},
#
# and our loss is half the sum of all squared entries,
# :math:`L = \frac{1}{2} \|Y\|_F^2 = 130.5`. (The length of a matrix, read as one long
# vector, is its *Frobenius norm*; hence the F.)
#
# What we now want to see are shapes. With ``values=0`` the drawing leaves the numbers
# out, and ``direction="TB"`` draws it from top to bottom.

make_dot(L, locals(), values=0, direction="TB")

# %%
# ``mm`` is the matrix product. Inside it, the axis of length 3 disappears: ``(2, 3)``
# times ``(3, 2)`` gives ``(2, 2)``.
#
# The gradient that comes back to ``Y`` from below is the upstream gradient of the
# layer. We call it :math:`G`. It has the shape of ``Y``, and here it even has its
# entries, because half of :math:`Y_{nj}^2` changes :math:`Y_{nj}` times as fast as
# :math:`Y_{nj}`: :math:`\nabla_Y L = Y`.
#
# ``torch.autograd.grad`` returns this gradient and stores nothing. With
# ``retain_graph=True`` it keeps the record for the backward step that is to come.

[G] = torch.autograd.grad(L, Y, retain_graph=True)
G

# %%
# .. predict::
#
#    Now ``W``. Which of the four entries of ``Y`` change when the entry
#    :math:`W_{21}` moves, the one in the last row and the last column?
#
#    .. answer::
#
#       The column 1 of ``Y``, in both rows:
#       :math:`\frac{\partial Y_{n1}}{\partial W_{21}} = X_{n2}`. Each sample meets the
#       same weight. The column 0 stays:
#       :math:`\frac{\partial Y_{n0}}{\partial W_{21}} = 0`.
#
# So one weight has as many paths to the loss as there are samples, and we add them up:
#
# .. math::
#
#    \frac{\partial L}{\partial W_{ij}} = \sum_n X_{ni}\, G_{nj}
#
# This is a matrix product, once the indices stand in the right order. The sum runs over
# the *rows* of ``X``, so ``X`` must be transposed:
#
# .. math::
#
#    \nabla_W L = X^\top G
#    = \begin{pmatrix} 46.5 & 46.5 \\ 61.5 & 61.5 \\ 76.5 & 76.5 \end{pmatrix}
#
# .. predict::
#
#    Do the same for ``X`` and for ``b``. Which sums appear, and over which index? Type
#    the gradient of ``b``.
#
#    .. ask:: b.grad
#
#    .. answer::
#
#       The entry :math:`X_{ni}` meets the row :math:`i` of ``W`` and lands in the row
#       :math:`n` of ``Y``. Its paths are the columns :math:`j`:
#
#       .. math::
#
#          \frac{\partial L}{\partial X_{ni}} = \sum_j G_{nj} W_{ij},
#
#          \nabla_X L = G W^\top
#          = \begin{pmatrix} 4.5 & 4.5 & 9 \\ 10.5 & 10.5 & 21 \end{pmatrix}
#
#       The entry :math:`b_j` is added in each row, so its paths are the rows:
#       :math:`\nabla_b L = \sum_n G_n = (15, 15)`, where :math:`G_n` is the row
#       :math:`n` of the upstream gradient.
#
#       .. wrong:: G[0]
#
#          This is what the first sample says. The bias is added to *each* row, and each
#          of them sends something back.
#
#       .. wrong:: G.mean(0)
#
#          This is the mean over the samples. The loss is a sum, so the contributions
#          add up.
#
#       .. wrong:: G.sum(1)
#
#          This is the sum over the outputs, along the other axis. Its entries belong to
#          the samples, and a bias belongs to an output.

L.backward()
W.grad

# %%
# All three rules hold:
#
# >>> torch.equal(W.grad, X.T @ G)
# True
# >>> torch.equal(X.grad, G @ W.T)
# True
# >>> torch.equal(b.grad, G.sum(0))
# True
#
# This is the whole backward step of a layer. It never needs to know what comes after
# the layer: all of that is in the upstream gradient :math:`G`.
#
# .. list-table::
#    :header-rows: 1
#
#    * - gradient
#      - rule
#      - shape
#    * - of the input
#      - :law:`\nabla_X L = G W^\top`
#      - ``(2, 3)``, like ``X``
#    * - of the weights
#      - :law:`\nabla_W L = X^\top G`
#      - ``(3, 2)``, like ``W``
#    * - of the bias
#      - :law:`\nabla_b L = \sum_n G_n`
#      - ``(2,)``, like ``b``

# %%
# Shapes are a filter, not a proof
# --------------------------------
#
# The notes of the `course CS231n <https://cs231n.github.io/optimization-2/>`__ advise
# us not to learn these rules by heart: the shapes must match, and that finds the right
# product quickly. It is good advice, with one gap.
#
# .. predict::
#
#    ``W`` needs a gradient of shape ``(3, 2)``, made of ``X`` and ``G``. Is ``X.T @ G``
#    the only product that has this shape?
#
#    .. answer::
#
#       No. Here ``G`` is square, so ``X.T @ G.T`` has the same shape. Its entries are
#       wrong. A shape that fits says that a formula may be right. One that does not fit
#       says that it is wrong.

X.T @ G.T

# %%
# The shape is that of ``W``, but the numbers are not those of the gradient:
#
# >>> (X.T @ G.T).shape == W.shape
# True
# >>> torch.equal(X.T @ G.T, W.grad)
# False
#
# So when we try out a rule, we take sizes that are all different, as well as values
# that we can tell apart. And when in doubt, we go back to one entry.

# %%
# What is copied forward is summed backward
# -----------------------------------------
#
# The bias has shape ``(2,)``, yet we added it to a matrix of shape ``(2, 2)``. PyTorch
# *broadcasts*: it acts as if ``b`` had been copied to each row. Each copy is a path,
# and the gradients of paths add up. This is where the sum in :math:`\nabla_b L` comes
# from.
#
# Both sides can be copied at once. The column ``p`` has shape ``(3, 1)``, the row ``q``
# has shape ``(4,)``. Together they make a table of shape ``(3, 4)``.

p = torch.tensor([[1.0], [2.0], [3.0]], requires_grad=True)
q = torch.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
y = (p * q).sum()
y

# %%
# Each of the twelve products :math:`p_{i0}\, q_j` is in the sum:
#
# .. math::
#
#    y = \sum_{i=0}^{2} \sum_{j=0}^{3} p_{i0}\, q_j = 60
#
# .. predict::
#
#    How often is each entry of ``p`` copied? And each entry of ``q``? So which numbers
#    do the two gradients hold, and in which shapes? Type the gradient of ``q``.
#
#    .. ask:: q.grad
#
#    .. answer::
#
#       Each entry of ``p`` is copied along its row, four times, and the copies meet
#       1, 2, 3 and 4:
#
#       .. math::
#
#          \frac{\partial y}{\partial p_{i0}} = \sum_{j=0}^{3} q_j = 10,
#
#          \nabla_p y = \begin{pmatrix} 10 \\ 10 \\ 10 \end{pmatrix}
#
#       Each entry of ``q`` is copied along its column, three times, and the copies meet
#       1, 2 and 3: :math:`\nabla_q y = (6, 6, 6, 6)`. The shapes are ``(3, 1)`` and
#       ``(4,)``, those of the variables, not that of the table.
#
#       .. wrong:: p * torch.ones(4)
#
#          These are twelve slopes, one for each copy. The copies of one entry add up,
#          and the gradient has the shape of ``q``.
#
#       .. wrong:: p.grad
#
#          These are the numbers for ``p``, which meets the entries of ``q``. What do
#          the entries of ``q`` meet?
#
#       .. wrong:: p.mean() * torch.ones(4)
#
#          This is the mean of the copies. They move together, so ``y`` gets all of
#          them: their *sum*.

record_backward(y, locals(), direction="TB")

# %%
# The multiplication receives an upstream gradient of shape ``(3, 4)``, twelve ones.
# What it sends to ``p`` and ``q`` has already been summed. By hand, with ``ones`` in
# the role of the upstream gradient:
#
# >>> ones = torch.ones(3, 4)
# >>> (ones * q).sum(1, keepdim=True)
# tensor([[10.],
#         [10.],
#         [10.]], grad_fn=<SumBackward1>)
# >>> (ones * p).sum(0)
# tensor([6., 6., 6., 6.], grad_fn=<SumBackward1>)
#
# The rule: *what was copied along an axis is summed along this axis*.
#
# Now the sum instead of the product.

p.grad = q.grad = None
y = (p + q).sum()
y

# %%
# .. predict::
#
#    Which gradients now? Type the gradient of ``p``.
#
#    .. ask:: p.grad
#
#    .. answer::
#
#       The derivative of a sum with respect to each term is 1, so we count copies. Four
#       copies of each entry of ``p``: :math:`\nabla_p y = (4, 4, 4)^\top`. Three copies
#       of each entry of ``q``: :math:`\nabla_q y = (3, 3, 3, 3)`.
#
#       .. wrong:: torch.ones(3)
#
#          One copy alone. Each entry of ``p`` stands in four places of the table.
#
#       .. wrong:: torch.full((3,), 3.0)
#
#          These are the copies of an entry of ``q``, along a column. An entry of ``p``
#          is copied along its row.

y.backward()
p.grad.T, q.grad

# %%
# (We print the column ``p.grad`` as a row, with ``.T``, to save space.)

# %%
# When nobody asked for a copy
# ----------------------------
#
# Where the shapes fit, broadcasting asks no questions. Here is a model whose three
# predictions are perfect: each equals its target. The loss, the mean squared error,
# should be 0. But the predictions have shape ``(3, 1)``, the targets ``(3,)``.
#
# .. admonition:: Wrong on purpose
#
#    The loss of the next cell is not the mean squared error. Do not copy it.

# wrong on purpose
pred = torch.tensor([[1.0], [2.0], [3.0]], requires_grad=True)
target = torch.tensor([1.0, 2.0, 3.0])
L = ((pred - target) ** 2).mean()
L

# %%
# .. exercise::
#
#    The loss is :math:`L = \frac{4}{3}`. Spot the error. Which shape does
#    ``pred - target`` have, and where would gradient descent drive the predictions?
#
#    .. answer::
#
#       A column minus a row is a table: ``(3, 3)``. Each prediction is compared with
#       *all* targets, not with its own:
#
#       .. math::
#
#          L = \frac{1}{9} \sum_{i=0}^{2} \sum_{j=0}^{2}
#          (\text{pred}_{i0} - \text{target}_j)^2
#
#       The sum of the targets is 6, so
#
#       .. math::
#
#          \nabla_{\text{pred}} L = \frac{2}{9}\, (3\,\text{pred} - 6)
#          = \begin{pmatrix} -\frac{2}{3} \\ 0 \\ \frac{2}{3} \end{pmatrix}
#
#       It is zero where each prediction is 2, the *mean* of the targets. The model
#       would unlearn what it knows, and no error would be raised.
#
#       >>> (pred - target).shape
#       torch.Size([3, 3])
#       >>> ((pred.squeeze(1) - target) ** 2).mean()
#       tensor(0., grad_fn=<MeanBackward0>)
#
# One reader lost two hours to `this very example
# <https://github.com/pytorch/pytorch/issues/16413>`__. Some of PyTorch's own loss
# functions warn today when the shapes differ. Others do not, and neither does plain
# arithmetic:
#
# >>> import warnings
# >>> def warnings_of(loss):
# ...     with warnings.catch_warnings(record=True) as caught:
# ...         warnings.simplefilter("always")
# ...         loss(torch.ones(3, 1), torch.ones(3))
# ...     return sum("target size" in str(warning.message) for warning in caught)
# >>> losses = torch.nn.functional
# >>> warnings_of(losses.mse_loss), warnings_of(losses.huber_loss)
# (1, 1)
# >>> warnings_of(losses.poisson_nll_loss), warnings_of(losses.hinge_embedding_loss)
# (0, 0)
#
# So we look at the shapes ourselves, before we subtract.

# %%
# Two rules for square matrices
# -----------------------------
#
# Two functions of a matrix appear again and again in books. The *trace* adds up the
# diagonal. For the ``A`` from above and a matrix ``M`` of the same shape,
# :math:`y = \operatorname{tr}(A M) = \sum_{i,j} A_{ij} M_{ji} = 19`.

M = torch.tensor([[2.0, 1.0], [1.0, 3.0]], requires_grad=True)
y = torch.trace(A @ M)
y

# %%
# .. predict::
#
#    Which entry of ``A`` does :math:`M_{ji}` meet? So what is the gradient of ``y``
#    with respect to ``M``? Type its four numbers, row by row.
#
#    .. ask:: M.grad
#
#    .. answer::
#
#       It meets :math:`A_{ij}`: the indices are swapped. So
#
#       .. math::
#
#          \nabla_M y = A^\top = \begin{pmatrix} 1 & 3 \\ 2 & 4 \end{pmatrix}
#
#       .. wrong:: A
#
#          The indices are swapped: what meets the entry in row 0 and column 1 of ``M``
#          stands in row 1 and column 0 of ``A``.

y.backward()
M.grad

# %%
# The second function is the logarithm of the *determinant*. Its gradient is the
# transposed inverse, which we only check here. First the forward step, with
# :math:`y = \ln \det M = 1.6094`.

M.grad = None
y = torch.log(torch.det(M))
y

# %%
# .. math::
#
#    \nabla_M y = (M^{-1})^\top = M^{-\top}
#    = \begin{pmatrix} 0.6 & -0.2 \\ -0.2 & 0.4 \end{pmatrix}

record_backward(y, locals())

# %%
# Our ``M`` is symmetric, and so is its inverse. These numbers alone would not show us
# that we must transpose. Another matrix does:
#
# >>> u = torch.tensor([[2.0, 1.0], [0.0, 4.0]], requires_grad=True)
# >>> torch.log(torch.det(u)).backward()
# >>> u.grad
# tensor([[ 0.5000,  0.0000],
#         [-0.1250,  0.2500]])
# >>> torch.linalg.inv(u.detach())
# tensor([[ 0.5000, -0.1250],
#         [ 0.0000,  0.2500]])

# %%
# Other books, other layouts
# --------------------------
#
# All of this course follows one convention. A gradient has the shape of its variable.
# If the result is a vector, too, the derivatives :law:`J_{ij} = \frac{\partial
# y_i}{\partial x_j}` form a matrix, the *Jacobian*: rows for outputs, columns for
# inputs. The next lesson is about it.
#
# For the product of a matrix and a vector, :law:`y = A x`, that gives :law:`J = A`.
# `Parr and Howard <https://explained.ai/matrix-calculus/>`__ have the same rows and
# columns, and therefore write the gradient of a scalar as a row. `Dive into Deep
# Learning <https://d2l.ai/chapter_preliminaries/calculus.html>`__ states
# :law:`\nabla_x\, A x = A^\top` instead. Neither is wrong: the second is the first,
# transposed. Before we copy a formula from a book, we look which layout it has.

# %%
# Exercises
# ---------
#
# Find the gradients on paper, as if every ``.grad`` were empty. First, a mean of
# squares over the table of ``p`` and ``q``:

y = ((p + q) ** 2).mean()
y

# %%
# .. exercise::
#
#    What are the gradients of
#    :math:`y = \frac{1}{12} \sum_{i=0}^{2} \sum_{j=0}^{3} (p_{i0} + q_j)^2`?
#
#    .. answer::
#
#       Each entry collects from all terms that contain it. For ``p`` we add up a row,
#       for ``q`` a column:
#
#       .. math::
#
#          \frac{\partial y}{\partial p_{i0}}
#          = \frac{1}{6} \sum_{j=0}^{3} (p_{i0} + q_j),
#
#          \nabla_p y = \begin{pmatrix} 2.3333 \\ 3 \\ 3.6667 \end{pmatrix}
#
#       .. math::
#
#          \frac{\partial y}{\partial q_j}
#          = \frac{1}{6} \sum_{i=0}^{2} (p_{i0} + q_j),
#
#          \nabla_q y = (1.5, 2, 2.5, 3)
#
#       >>> torch.autograd.grad(((p + q) ** 2).mean(), q)
#       (tensor([1.5000, 2.0000, 2.5000, 3.0000]),)
#
# Then the squares of all entries of ``M``.

y = (M**2).sum()
y

# %%
# .. exercise::
#
#    What is the gradient of :math:`y = \|M\|_F^2 = 15` with respect to ``M``?
#
#    .. answer::
#
#       Each entry stands in one term, its own square:
#       :math:`\nabla_M y = 2M`, with the rows :math:`(4, 2)` and :math:`(2, 6)`.
#
#       >>> torch.autograd.grad((M**2).sum(), M)
#       (tensor([[4., 2.],
#               [2., 6.]]),)
#
# At last, the layer once more.

L = ((X @ W + b) ** 2).sum() / 2
L

# %%
# .. exercise::
#
#    ``W`` has shape ``(3, 2)``. We feed a thousand samples instead of two. Which shape
#    does the gradient with respect to ``W`` have now?
#
#    .. answer::
#
#       Still ``(3, 2)``. The samples are summed over, and ``W`` has not changed.
#
#       >>> samples = torch.ones(1000, 3)
#       >>> [g] = torch.autograd.grad((samples @ W).sum(), W)
#       >>> g.shape
#       torch.Size([3, 2])
#
# .. exercise::
#
#    Compute a single entry of the gradient by hand:
#    :math:`\frac{\partial L}{\partial W_{21}}`.
#
#    .. answer::
#
#       The weight in row 2 and column 1 takes the feature 2 of each sample to the
#       output 1:
#
#       .. math::
#
#          \frac{\partial L}{\partial W_{21}} = \sum_{n=0}^{1} X_{n2}\, G_{n1}
#          = 3 \cdot 4.5 + 6 \cdot 10.5 = 76.5
#
#       >>> W.grad[2, 1]
#       tensor(76.5000)

# %%
# What we can do now
# ------------------
#
# - Derive a gradient by moving one entry, and give it the shape of its variable.
# - Write down the backward step of a layer, with :math:`G` for all that comes after it.
# - Say what broadcasting has copied, and sum over it.
#
# Next, :doc:`Non-scalar outputs </lessons/1_foundations/50_jacobians>` asks what
# ``backward()`` does when the result is not a single number.
