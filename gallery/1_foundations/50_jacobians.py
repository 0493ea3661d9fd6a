r"""
Non-scalar outputs: the Jacobian
================================

So far each result was a single number. Now it is a vector: we learn what ``backward()``
then computes, what its argument ``gradient=`` means, and how we get all the derivatives
at once.

:Time: 25 minutes
:Needs: :doc:`Vectors, matrices and broadcasting
   </lessons/1_foundations/40_vectors_and_matrices>`
:Level: Foundations
:Tags: shapes, derivatives, errors
"""

# sphinx_gallery_warns = ["jit.script since torch 2.14"]

# %%
# A layer has as many answers as neurons. Which of them should ``backward()`` start
# from?
#
# The imports are those of the last lesson, and one for a picture.

import matplotlib.pyplot as plt
import torch

from torchutils import make_dot, record_backward

# %%
# A vector has no gradient
# ------------------------
#
# The smallest case: four numbers go in, four come out, each one the square of its
# input, :math:`y_i = x_i^2`.

x = torch.arange(4.0, requires_grad=True)
y = x**2
make_dot(y, locals())

# %%
# The drawing ends in an output of shape ``(4,)``, not in a scalar.
#
# .. predict::
#
#    Each output may react to each input. How many derivatives are there, and which of
#    them are not zero? Type how many there are.
#
#    .. ask:: y.numel() * x.numel()
#
#    .. answer::
#
#       There are 16, for four outputs times four inputs. But :math:`y_i` contains
#       :math:`x_i` and no other entry, so only four of them can differ from zero.
#
#       .. wrong:: x.numel()
#
#          These are the ones that differ from zero. But a derivative that is zero is an
#          answer as well: this output does not react to that input.
#
# We write them as a matrix, the *Jacobian*, with a row for each output and a column for
# each input:
#
# .. math::
#    :class: law
#
#    J_{ij} = \frac{\partial y_i}{\partial x_j}
#
# For our squares it has :math:`2x_i` on the diagonal, and zeros elsewhere:
#
# .. math::
#
#    \frac{\partial y}{\partial x} = J = \operatorname{diag}(2x)
#    = \operatorname{diag}(0, 2, 4, 6)
#    = \begin{pmatrix}
#    0 & 0 & 0 & 0 \\ 0 & 2 & 0 & 0 \\ 0 & 0 & 4 & 0 \\ 0 & 0 & 0 & 6
#    \end{pmatrix}
#
# A gradient has the shape of its variable, ``(4,)``. There is no room in it for sixteen
# numbers.
#
# .. predict::
#
#    So what does ``y.backward()`` do?
#
#    .. answer::
#
#       It refuses, and says why:
#
#       >>> try:
#       ...     y.backward()
#       ... except RuntimeError as error:
#       ...     print(error)
#       grad can be implicitly created only for scalar outputs

try:
    y.backward()
except RuntimeError as error:
    print(error)

# %%
# What is "implicitly created" here? Each backward step starts at the root with an
# upstream gradient. For a scalar it is 1: the loss changes as fast as itself. In our
# drawings it stands in the output box, as ``adjoint 1``. PyTorch puts it there without
# asking. For four outputs it would need four numbers, and does not guess.

# %%
# One weight for each output
# --------------------------
#
# So we say which numbers. They go into a vector ``v`` with one entry for each output,
# and ``backward`` takes it as ``gradient=v``. What we then get is the gradient of the
# *weighted sum* of the outputs, :math:`v^\top y`. This sum is a scalar, and its
# gradient has four entries. With the Jacobian, it is
#
# .. math::
#    :class: law
#
#    \nabla_x\, (v^\top y) = v^\top J,
#
# the *vector-Jacobian product*. Each weight multiplies a row of :math:`J`, and the rows
# are added up.

v = torch.ones(4)

# %%
# .. predict::
#
#    All weights are 1. What does ``y.backward(gradient=v)`` put into ``x.grad``?
#
#    .. ask:: x.grad
#
#    .. answer::
#
#       Not the Jacobian. It is the sum of the rows of the Jacobian,
#       four numbers: :math:`v^\top J = \mathbf{1}^\top J = (0, 2, 4, 6)`.
#
#       .. wrong:: x.grad.sum()
#
#          Here the outputs *and* the inputs have been added up. The weighted sum runs
#          over the outputs; each input keeps its own number.
#
#       .. wrong:: x.grad / 4
#
#          These are the numbers for the mean of the outputs. Weights of 1 make their
#          sum.
#
#       .. wrong:: x**2
#
#          These are the outputs. We ask how fast their sum changes when an input moves.

y.backward(gradient=v)
x.grad

# %%
# Weights of 1 make an ordinary sum. So ``y.sum().backward()`` does the same, and is
# easier to read.
#
# .. predict::
#
#    We record the backward step of the sum. Which upstream gradient will the squares
#    receive?
#
#    .. ask:: (lambda t: torch.autograd.grad(t.sum(), t)[0])(
#       (x**2).detach().requires_grad_())
#
#    .. answer::
#
#       Four ones. They are our ``v``. The node of the sum does nothing but supply them:
#       the derivative of a sum with respect to each term is 1.
#
#       .. wrong:: 1
#
#          One number arrives at the sum. It sends one to *each* of the four squares.
#
#       .. wrong:: torch.full((4,), 0.25)
#
#          This is what a mean would send. A sum changes as fast as each of its terms.

x.grad = None
s = (x**2).sum()
record_backward(s, locals())

# %%
# One node more, and the same gradient. With other weights, the rows can be told apart.

x.grad = None
y = x**2
v = torch.tensor([1.0, 10.0, 100.0, 1000.0])

# %%
# .. predict::
#
#    What is :math:`v^\top J` now?
#
#    .. ask:: x.grad
#
#    .. answer::
#
#       Each entry on the diagonal is multiplied by its weight:
#       :math:`v^\top J = 2\, v \odot x = (0, 20, 400, 6000)`, where :math:`\odot`
#       multiplies entry by entry.
#
#       .. wrong:: 2 * x
#
#          The weights are forgotten: this is what weights of 1 give. ``v`` is the
#          upstream gradient, and multiplies each slope.
#
#       .. wrong:: v * x
#
#          The inner derivative is not complete: the square has the slope :law:`2x`,
#          with a factor 2.
#
#       .. wrong:: x.grad.sum()
#
#          One number for each input, please. Only the outputs are added up, and here
#          each input has its own output.

record_backward(y, locals(), gradient=v)

# %%
# The output box now starts with our weights, and not with 1.
#
# This sheds new light on all our drawings. Each box receives an upstream gradient, and
# sends on the product with its own Jacobian. In the last lesson, :math:`G` was the
# ``v`` of the layer. A backward pass is a chain of vector-Jacobian products, and none
# of these Jacobians is ever built: the square of a million numbers has one with a
# million times a million entries, and would fill terabytes.
#
# >>> million = torch.ones(1_000_000, requires_grad=True)
# >>> (million**2).sum().backward()
# >>> million.grad.shape
# torch.Size([1000000])

# %%
# A Jacobian that is not square
# -----------------------------
#
# Now the outputs share their inputs. Two numbers go in, three come out:
#
# .. math::
#
#    y = (x_0 x_1, \sin x_0, x_1^2) = (0, 0, 9)
#
# In code, we write it as a function ``f``, because we need it several times.


def f(x):
    return torch.stack([x[0] * x[1], torch.sin(x[0]), x[1] ** 2])


x = torch.tensor([0.0, 3.0], requires_grad=True)
y = f(x)
y

# %%
# .. predict::
#
#    Which shape does the Jacobian have? Fill it, row by row. Type its numbers.
#
#    .. ask:: torch.autograd.functional.jacobian(f, x)
#
#    .. answer::
#
#       Three outputs and two inputs: ``(3, 2)``. Each row is the gradient of one
#       output:
#
#       .. math::
#
#          \frac{\partial y}{\partial x} = J
#          = \begin{pmatrix} x_1 & x_0 \\ \cos x_0 & 0 \\ 0 & 2 x_1 \end{pmatrix}
#          = \begin{pmatrix} 3 & 0 \\ 1 & 0 \\ 0 & 6 \end{pmatrix}
#
#       .. wrong:: torch.autograd.functional.jacobian(f, x).T
#
#          This is the transposed matrix, with a row for each input. Here a row belongs
#          to an *output*.
#
#       .. wrong:: [[x[0], x[1]], [1, 0], [0, 2 * x[1]]]
#
#          The first row is swapped. How strongly a product reacts to one factor is said
#          by the other one.
#
# Three outputs need three weights.

v = torch.tensor([1.0, 2.0, 3.0])

# %%
# .. predict::
#
#    What does ``y.backward(gradient=v)`` put into ``x.grad``?
#
#    .. ask:: x.grad
#
#    .. answer::
#
#       Once the first row, plus twice the second, plus three times the third:
#       :math:`v^\top J = (1 \cdot 3 + 2 \cdot 1, 3 \cdot 6) = (5, 18)`.
#
#       .. wrong:: torch.autograd.functional.jacobian(f, x).sum(0)
#
#          This is the plain sum of the rows. Each row is multiplied by its weight
#          first.
#
#       .. wrong:: v * torch.tensor([3.0, 1.0, 6.0])
#
#          These are three numbers, one for each output. The outputs are added up; what
#          remains is a number for each *input*.

y.backward(gradient=v)
x.grad

# %%
# Three weights go in, two numbers come out: ``v`` has the shape of ``y``, the result
# has the shape of ``x``. The two are easily confused, and PyTorch objects:
#
# >>> try:
# ...     f(x).backward(gradient=torch.ones_like(x))
# ... except RuntimeError as error:
# ...     print(str(error).replace(" and ", "\n"))
# Mismatch in shape: grad_output[0] has a shape of torch.Size([2])
# output[0] has a shape of torch.Size([3]).
#
# To see the whole Jacobian we call ``jacobian``. It takes the function, not its result:
# it evaluates the function itself, and makes a backward step for each output.

J = torch.autograd.functional.jacobian(f, x)
J

# %%
# With a result at hand, we send back the rows of the unit matrix, all in one call:
#
# >>> rows = torch.eye(3)
# >>> torch.equal(torch.autograd.grad(f(x), x, rows, is_grads_batched=True)[0], J)
# True

# %%
# When is a sum enough?
# ---------------------
#
# There is a piece of advice for the error above:
# ``y.backward(gradient=torch.ones_like(y))``. It silences PyTorch. But it is the
# gradient of the sum, as `TensorFlow's guide
# <https://www.tensorflow.org/guide/autodiff>`__ says
# clearly; there, the sum is taken without asking.
#
# .. predict::
#
#    For ``f`` this advice gives :math:`\mathbf{1}^\top J = (4, 6)`. One of these two
#    numbers is the derivative of an output. Which one?
#
#    .. ask:: J[2, 1]
#
#    .. answer::
#
#       The first is not. It is :math:`3 + 1 = 4`: two outputs react to :math:`x_0`, and
#       their derivatives have been added. The second, 6, is, by luck, because only the
#       last output reacts to :math:`x_1` here.
#
#       .. wrong:: J[:, 0].sum()
#
#          Two outputs react to this input, and their derivatives have been added up.
#          The sum is the derivative of neither.
#
# The sum is enough in two cases. Either we *want* the gradient of the sum, as for the
# losses of many samples. Or each output has its own input, as for :math:`x_i^2`. Then
# the Jacobian is diagonal, and a sum over its rows mixes nothing.

# %%
# The other way round
# -------------------
#
# A vector can also stand on the right of :math:`J`. Then it has an entry for each
# *input*. It is a direction, ``u``, in which we move ``x``. The *Jacobian-vector
# product* :math:`Ju` says how fast each output changes when we do.
#
# Let both inputs grow equally fast:

u = torch.tensor([1.0, 1.0])

# %%
# .. predict::
#
#    What is :math:`Ju`?
#
#    .. ask:: Ju
#
#    .. answer::
#
#       The sum of the columns, one number for each output: :math:`Ju = (3, 1, 6)`.
#
#       .. wrong:: v @ J
#
#          This is the product from the left, with the weights ``v``: a number for each
#          input. A direction stands on the right.
#
#       .. wrong:: J.sum(0)
#
#          Here the rows have been added up. With :law:`Ju` we add up the *columns*: all
#          inputs move, and each output changes by all that it gets from them.

_, Ju = torch.func.jvp(f, (x.detach(),), (u,))
Ju

# %%
# ``torch.func.jvp`` computes this on the way forward, together with the value, and
# needs no backward step: this is *forward mode*, and what ``backward()`` does is
# *reverse mode*. (In PyTorch 2.14.1 and 2.15.0, its first call warns that a part that
# it uses will go; the result is the same.) Small steps confirm it:
#
# >>> start = x.detach().double()
# >>> (f(start + 0.001 * u) - f(start)) / 0.001
# tensor([3.0010, 1.0000, 6.0010], dtype=torch.float64)
#
# We can watch it. On the left, ``x`` moves along a straight line, in the direction
# ``u``. On the right, the first two outputs move along a curve. The arrow shows the
# first two entries of :math:`Ju`: it is the velocity on the curve.

line = x.detach() + torch.linspace(-1, 1, 41)[:, None] * u
curve = torch.stack([f(point) for point in line])
fig, (left, right) = plt.subplots(1, 2, figsize=(4.4, 2.6), layout="constrained")
fig.set_label("A straight line through x, and the curve of outputs with its velocity.")
for axes, path, start, speed in [(left, line, x, u), (right, curve, y, Ju)]:
    axes.plot(path[:, 0], path[:, 1], color="tab:blue")
    arrow = {
        "angles": "xy",
        "scale_units": "xy",
        "scale": 2,
        "zorder": 3,
        "width": 0.02,
    }
    axes.quiver(*start[:2].detach(), *speed[:2], color="tab:orange", **arrow)
left.set(title="inputs", xlabel="$x_0$", ylabel="$x_1$")
right.set(title="outputs", xlabel="$y_0$", ylabel="$y_1$")
plt.show()

# %%
# (Both arrows are drawn at half their length.)
#
# The two products fit together. If we weight the change of the outputs with ``v``, it
# does not matter from which side we begin:
#
# .. math::
#
#    v^\top (J u) = (v^\top J)\, u = 23
#
# .. list-table::
#    :header-rows: 1
#
#    * - product
#      - vector-Jacobian product
#      - Jacobian-vector product
#    * - formula
#      - :math:`v^\top J`
#      - :math:`J u`
#    * - we give
#      - a weight for each output
#      - a speed for each input
#    * - we get
#      - one number for each input
#      - one number for each output
#    * - for one entry we get
#      - a row of :math:`J`
#      - a column of :math:`J`
#    * - in PyTorch
#      - ``y.backward(gradient=v)``
#      - ``torch.func.jvp(f, (x,), (u,))``
#
# A loss is *one* output of a million weights. Its Jacobian has a single row, and a
# single vector-Jacobian product gives all of it. That is why training goes backward.

# %%
# Exercises
# ---------
#
# The function and the point are still the same.

x.grad = None
y = f(x)
y

# %%
# .. exercise::
#
#    Get row 1 of the Jacobian, the second one, with a single backward step.
#
#    .. answer::
#
#       We give the weight 1 to the output 1, and 0 to the others. This is the *unit
#       vector* :math:`e_1`, and :math:`e_1^\top J = (1, 0)`.
#
#       >>> torch.autograd.grad(f(x), x, torch.tensor([0.0, 1.0, 0.0]))
#       (tensor([1., 0.]),)
#
# .. exercise::
#
#    What is cheaper for the whole Jacobian of ``f``: vector-Jacobian products or
#    Jacobian-vector products? How many of each would we need?
#
#    .. answer::
#
#       A product from the left gives a row, so we would need three. A product from the
#       right gives a column, so two are enough:
#       :math:`J e_0 = (3, 1, 0)` and :math:`J e_1 = (0, 0, 6)`. With fewer inputs than
#       outputs, going forward is cheaper.
#
#       >>> columns = [torch.func.jvp(f, (x,), (e,))[1] for e in torch.eye(2)]
#       >>> torch.equal(torch.stack(columns, 1), J)
#       True
#       >>> len(J), len(columns)
#       (3, 2)
#
# .. exercise::
#
#    Spot the error. An `answer on Stack Overflow
#    <https://stackoverflow.com/questions/63816321>`__ builds the Jacobian from backward
#    steps. For each ``i`` it sets ``v`` to the unit vector :math:`e_i`, calls
#    ``y.backward(v, retain_graph=True)``, and stores the result with
#    ``J[:, i] = x.grad``. It was tried out on ``y = x * 2``, and looked right.
#
#    .. answer::
#
#       The result is a *row* and belongs to ``J[i]``. As it stands, the loop builds the
#       transposed Jacobian. The function ``x * 2`` could not show it, because its
#       Jacobian is symmetric. Ours can:
#
#       >>> rows = [torch.autograd.grad(f(x), x, e)[0] for e in torch.eye(3)]
#       >>> torch.equal(torch.stack(rows), J)
#       True
#       >>> torch.stack(rows, 1)
#       tensor([[3., 1., 0.],
#               [0., 0., 6.]])
#
# .. exercise::
#
#    Must a result have the shape ``()`` to go without ``gradient=``? Try the shape
#    ``(1,)``.
#
#    .. answer::
#
#       It works. What counts is that there is *one* element, so that one weight, 1,
#       will do.
#
#       >>> y[:1].shape
#       torch.Size([1])
#       >>> torch.autograd.grad(f(x)[:1], x)
#       (tensor([3., 0.]),)
#
# At last the squares once more, and their mean.

x = torch.arange(4.0, requires_grad=True)
y = x**2
m = y.mean()
m

# %%
# .. exercise::
#
#    Which ``v`` makes ``y.backward(gradient=v)`` do the same as ``m.backward()``?
#
#    .. answer::
#
#       A mean gives each of the four outputs the weight :math:`\frac{1}{4}`:
#
#       .. math::
#
#          \nabla_x m
#          = \left(\tfrac{1}{4} \mathbf{1}\right)^\top \frac{\partial y}{\partial x}
#          = \frac{1}{2} x = (0, 0.5, 1, 1.5)
#
#       >>> torch.autograd.grad(x**2, x, torch.full((4,), 0.25))
#       (tensor([0.0000, 0.5000, 1.0000, 1.5000]),)

# %%
# What we can do now
# ------------------
#
# - Say what ``gradient=`` means, and that ``backward()`` never returns a Jacobian.
# - Get a row, a column, or all of it.
# - Tell when a sum of outputs hides something.
#
# Next, :doc:`Accumulation </lessons/1_foundations/60_accumulation>` follows ``x.grad``
# from one backward step to the next.
