r"""
Convolution and pooling
=======================

A few weights slide over many places, and each place sends its own gradient back to
them. We find the gradients of kernel and image by hand, and learn a kernel from a
picture.

:Time: 30 minutes
:Needs: :doc:`Vectors, matrices and broadcasting
   </lessons/1_foundations/40_vectors_and_matrices>`,
   :doc:`A two-layer network by hand </lessons/2_practice/40_mlp_by_hand>`
:Level: Practice
:Tags: shapes, chain rule, training
"""

# sphinx_gallery_thumbnail_number = -1

# %%
# A neuron that sees a few neighbours, and is moved over an image, uses the same weights
# at each place. That is a convolution.
#
# The smallest case has one dimension: two weights slide over four numbers.

import matplotlib.pyplot as plt
import torch
from torch.nn import functional as F

from torchutils import MovingPlot, record_backward

# %%
# Two weights, three places
# -------------------------
#
# At each place the left neighbour is multiplied by ``p`` and the right one by ``q``.

x = torch.tensor([1.0, 2.0, 4.0, 8.0], dtype=torch.float64, requires_grad=True)
p = torch.tensor(-1.0, dtype=torch.float64, requires_grad=True)
q = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)

left, right = x[:3], x[1:4]
o = p * left + q * right
L = (o**2).sum() / 2
o, L

# %%
# With these weights we get the differences of neighbours, :math:`o = (1, 2, 4)`. The
# loss is half the sum of their squares, so that each place sends back its own number,
# :math:`\nabla_o L = o`.
#
# .. predict::
#
#    The weight ``p`` was used at three places. What is its gradient?
#
#    .. ask:: p.grad
#
#    .. answer::
#
#       What arrives at each place, times the left neighbour there, added up:
#       :math:`\frac{\partial L}{\partial p} = \sum_{i=0}^{2} o_i x_i = 1 \cdot 1 + 2
#       \cdot 2 + 4 \cdot 4 = 21`.
#
#       .. wrong:: left.sum()
#
#          These are the neighbours, added up. The factor is missing with which each
#          counts: what arrives at its place.
#
#       .. wrong:: o[0] * x[0]
#
#          This is the contribution of the first place. The weight was used at three.

record_backward(L, locals(), direction="TB")

# %%
# The sign Σ says it: go to :step:`#4 sends to p`, and to the same step for ``q``. A
# weight that is shared by many places gets the *sum* over these places.
#
# >>> p.grad, q.grad
# (tensor(21., dtype=torch.float64), tensor(42., dtype=torch.float64))
#
# Within ``x``, an entry has two uses, one as a left and one as a right neighbour, and
# at :step:`left sends to x` they meet. Its ends have one use each:
#
# >>> x.grad
# tensor([-1., -1., -2.,  4.], dtype=torch.float64)
#
# The same two weights on a longer row of numbers, which rises in the middle. What comes
# back to a place is again its own output.

long = torch.tensor([1.0, 1, 1, 2, 4, 7, 9, 10, 10, 9, 9, 9])
left, right = long[:-1], long[1:]
o = right - left
place = torch.arange(11)
total = (o * left).cumsum(dim=0)

plot = MovingPlot(
    {"place": place},
    "Two weights slide",
    xlim=(-0.5, 11.5),
    ylim=(-2, 11),
    xlabel="i",
)
plot.line(torch.arange(12), long)
plot.line(place, torch.where(place <= place[:, None], o, torch.nan), "output so far")
plot.point(place, left, "left neighbour")
plot.point(place + 1, right, "right neighbour")
plot.say(
    "Here the output is {right} − {left} = {output}.",
    right=right,
    left=left,
    output=o,
)
plot.say("The gradient of p has come to {total}.", total=total)
plot

# %%
# Move the window along. Where is the output large, and where zero? A place whose output
# is zero adds nothing to the gradient of ``p`` either, as nothing comes back to it. And
# where does the gradient shrink?
#
# >>> o
# tensor([ 0.,  0.,  1.,  2.,  3.,  2.,  1.,  0., -1.,  0.,  0.])
# >>> total
# tensor([ 0.,  0.,  1.,  5., 17., 31., 40., 40., 30., 30., 30.])

# %%
# A window slides over an image
# -----------------------------
#
# The weights that slide are called a *kernel*. Now the image has three rows and three
# columns, and the kernel two of each.

X = torch.arange(1.0, 10, dtype=torch.float64).reshape(3, 3).requires_grad_()
K = torch.tensor([[1.0, 0.0], [0.0, -1.0]], dtype=torch.float64, requires_grad=True)
X

# %%
# .. predict::
#
#    The kernel is laid on the top left corner of the image. What does ``conv2d``
#    compute there? (Multiply what lies on top of each other, and add.)
#
#    .. ask:: Y[0, 0]
#
#    .. answer::
#
#       The two zeros add nothing, and what is left is :math:`1 \cdot 1 + (-1) \cdot 5 =
#       -4`.
#
#       .. wrong:: 4
#
#          So it is in mathematics, where a convolution turns the kernel upside down and
#          left to right before it slides. ``conv2d`` does not turn it.

Y = F.conv2d(X[None, None], K[None, None])[0, 0]
Y

# %%
# (``conv2d`` wants axes for a batch of images and for the channels of each. We have one
# of each, and take the axes away again.)
#
# What ``conv2d`` computes is, strictly, a *cross-correlation*, and its documentation
# says so. For a kernel that is learned, it makes no difference: the turned one is
# learned just as well. Whoever brings a kernel that was made for the convolution of
# mathematics turns it first:
#
# >>> F.conv2d(X[None, None], K.flip(0, 1)[None, None])[0, 0]
# tensor([[4., 4.],
#         [4., 4.]], dtype=torch.float64, grad_fn=<SelectBackward0>)
#
# For each place of the output:
#
# .. math::
#
#    Y_{ij} = \sum_{a=0}^{1} \sum_{b=0}^{1} K_{ab}\, X_{i+a,\,j+b}
#
# and so the upstream gradients :math:`G_{ij}` come back with the other factor.

# %%
# The gradient of the kernel
# --------------------------
#
# First let the loss be the sum of the output, so that ones come back.

L = Y.sum()
L

# %%
# .. predict::
#
#    Each weight lay on four pixels, one after the other. What are the four gradients of
#    ``K``? Write one row after the other.
#
#    .. ask:: K.grad
#
#    .. answer::
#
#       The sum of the pixels on which the weight lay. For the first these are 1, 2, 4
#       and 5: :math:`\nabla_K L = \begin{pmatrix} 12 & 16 \\ 24 & 28 \end{pmatrix}`.
#
#       .. wrong:: X[:2, :2]
#
#          This is the contribution of one place, the top left one. There are four.
#
#       .. wrong:: F.avg_pool2d(X[None, None], 2, stride=1)
#
#          You took the mean. The loss is a sum, and gradients add up.
#
# And the image? Each pixel collects the weights that lay on it.
#
# .. predict::
#
#    The pixel in the middle lay below each of the four weights, a corner below one.
#    What are the nine gradients of ``X``?
#
#    .. ask:: X.grad
#
#    .. answer::
#
#       The corner top left saw the 1, the corner bottom right the −1, the two other
#       corners a zero, and for the middle the four weights add up to zero:
#       :math:`\nabla_X L = \begin{pmatrix} 1 & 1 & 0 \\ 1 & 0 & -1 \\ 0 & -1 & -1
#       \end{pmatrix}`.
#
#       .. wrong:: [1, 0, 0, 0, -1, 0, 0, 0, 0]
#
#          This is the contribution of one place, the top left one. The kernel was laid
#          on four.
#
#       .. wrong:: [-1, -1, 0, -1, 0, 1, 0, 1, 1]
#
#          You turned the kernel before you laid it down. Going back, each weight
#          returns to the pixel that it was multiplied by.

record_backward(L, locals())

# %%
# The whole convolution is one operation for PyTorch, ``ConvolutionBackward0``: see
# :step:`Y (select) has its turn` and what follows.
#
# Ones do not tell what was multiplied. So let four different numbers come back, and
# write both rules as loops over the places of the output:

G = torch.tensor([[1.0, 10.0], [100.0, 1000.0]], dtype=torch.float64)
dK = torch.zeros(2, 2, dtype=torch.float64)
dX = torch.zeros(3, 3, dtype=torch.float64)
with torch.no_grad():
    for i in range(2):
        for j in range(2):
            dK += G[i, j] * X[i : i + 2, j : j + 2]
            dX[i : i + 2, j : j + 2] += G[i, j] * K
dK, dX

# %%
# Autograd agrees. (``grad`` takes the upstream gradient as its third argument.)
#
# >>> Y = F.conv2d(X[None, None], K[None, None])[0, 0]
# >>> theirs = torch.autograd.grad(Y, (K, X), G)
# >>> max((a - b).abs().max().item() for a, b in zip((dK, dX), theirs)) < 1e-12
# True
#
# Both are convolutions again. For the kernel, ``G`` slides over the image. For the
# image, each number of ``G`` puts down a copy of the kernel, and copies that overlap
# add up. This has a name, the *transposed convolution*:
#
# >>> F.conv2d(X[None, None], G[None, None])[0, 0].allclose(dK)
# True
# >>> F.conv_transpose2d(G[None, None], K[None, None])[0, 0].allclose(dX)
# True

# %%
# Pooling
# -------
#
# After a convolution, many networks keep one number for each small window: its mean or
# its maximum.

M = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]], requires_grad=True)
mean = F.avg_pool2d(M, 2)
largest = F.max_pool2d(M, 2)
mean, largest

# %%
# A mean of four sends a quarter to each, and a maximum sends all to the winner:
#
# >>> torch.autograd.grad(mean, M, retain_graph=True)
# (tensor([[[[0.2500, 0.2500],
#           [0.2500, 0.2500]]]]),)
# >>> torch.autograd.grad(largest, M, retain_graph=True)
# (tensor([[[[0., 0.],
#           [0., 1.]]]]),)
#
# .. predict::
#
#    If the four numbers are equal, who is the winner? Type what comes back, one row
#    after the other.
#
#    .. ask:: tie.grad
#
#    .. answer::
#
#       The first, alone: 1, 0, 0, 0. ``max_pool2d`` remembers one index for each
#       window, and where several pixels are equally large it keeps the first. Another
#       maximum, ``amax``, divides the gradient evenly: at a tie there is no slope to
#       compute, so each function has a convention.
#
#       >>> other = torch.full((2, 2), 4.0, requires_grad=True)
#       >>> torch.autograd.grad(other.amax(), other)
#       (tensor([[0.2500, 0.2500],
#               [0.2500, 0.2500]]),)
#
#       .. wrong:: [0.25, 0.25, 0.25, 0.25]
#
#          A fair division, and it is what ``amax`` does. ``max_pool2d`` remembers one
#          winner.
#
#       .. wrong:: [1, 1, 1, 1]
#
#          If the four rose by 1 together, the maximum would rise by 1, and not by 4.
#
#       .. wrong:: [0, 0, 0, 1]
#
#          One winner, but not the last.

tie = torch.full((1, 1, 2, 2), 4.0, requires_grad=True)
pooled = F.max_pool2d(tie, 2)
record_backward(pooled, locals())

# %%
# In a picture with large areas of one colour, this is the rule and not the exception.

# %%
# ReLU in place
# -------------
#
# A ReLU usually follows a convolution. ``nn.ReLU(inplace=True)`` saves memory: it
# writes its result over its input. After a convolution the way back survives that, as
# a convolution keeps its image and its kernel for it, and not its output.

image = torch.ones(1, 1, 3, 3, requires_grad=True)
kernel = torch.ones(1, 1, 2, 2, requires_grad=True)
relu = torch.nn.ReLU(inplace=True)
relu(F.conv2d(image, kernel)).sum().backward()
kernel.grad

# %%
# But some functions find their slope in their *output*, as the sigmoid function does.
# If ReLU writes over that, autograd notices:

try:
    relu(F.conv2d(image, kernel).sigmoid()).sum().backward()
except RuntimeError as error:
    message = str(error).split(" Hint")[0]
    print(message)

# %%
# The values here are positive, and ReLU has not changed one of them. It has
# *written*, and that is what autograd counts: the tensor is at version 1, and not at
# the version 0 that was saved.
#
# >>> message.split(", which is ")[1]
# 'output 0 of Sigmoid, is at version 1; expected version 0 instead.'

# %%
# Learning a kernel
# -----------------
#
# Somebody has drawn the picture on the right from the one on the left, with a kernel
# that we do not know. We begin with zeros and let gradient descent find it.

down, across = torch.meshgrid(torch.arange(12.0), torch.arange(12.0), indexing="ij")
picture = ((down - 5.5) ** 2 + (across - 5.5) ** 2 < 14).double()[None, None]
secret = torch.tensor([[1.0, 0.0], [0.0, -1.0]], dtype=torch.float64)[None, None]
wanted = F.conv2d(picture, secret)

fig, panels = plt.subplots(1, 2, figsize=(4.4, 2))
for ax, image in zip(panels, (picture, wanted)):
    ax.imshow(image[0, 0], cmap="gray", vmin=-1, vmax=1)
    ax.axis("off")
fig.set_label(
    "A white disc on grey, and its outline: white at the bottom right, black at the "
    "top left."
)

# %%
# The loss is the mean of the squared errors, and its gradient needs no ``backward()``:
# the errors slide over the picture.

guess = torch.zeros(1, 1, 2, 2, dtype=torch.float64)
for _ in range(100):
    errors = F.conv2d(picture, guess) - wanted
    guess -= 0.5 * F.conv2d(picture, 2 * errors / errors.numel())
guess.round(decimals=3)

# %%
# That is the kernel:
#
# >>> (guess - secret).abs().max().item() < 1e-4
# True
#
# Nobody told it what an outline is. ``2 * errors / errors.numel()`` is the upstream
# gradient, and the second ``conv2d`` is the rule for ``dK`` from above.

# %%
# Exercises
# ---------
#
# First a bias, which ``conv2d`` adds to each number of its output:

bias = torch.zeros(1, dtype=torch.float64, requires_grad=True)
Y = F.conv2d(X[None, None], K[None, None], bias)
L = Y.sum()

# %%
# .. exercise::
#
#    What is the gradient of ``L`` with respect to the bias?
#
#    .. answer::
#
#       The bias is used at four places, so :math:`\nabla_{\text{bias}} L = 4`.
#
#       >>> torch.autograd.grad(L, bias, retain_graph=True)[0]
#       tensor([4.], dtype=torch.float64)
#
# With a *stride* of 2, the window moves two pixels at a time. On our image it then fits
# in one place:

Y = F.conv2d(X[None, None], K[None, None], stride=2)
L = Y.sum()
Y.shape

# %%
# .. exercise::
#
#    What are the gradients of ``K`` and ``X`` now?
#
#    .. answer::
#
#       The contribution of the top left corner alone. The kernel gets the pixels that
#       it lay on, and these pixels get the kernel:
#
#       .. math::
#
#          \nabla_K L &= \begin{pmatrix} 1 & 2 \\ 4 & 5 \end{pmatrix} \\
#          \nabla_X L &=
#          \begin{pmatrix} 1 & 0 & 0 \\ 0 & -1 & 0 \\ 0 & 0 & 0 \end{pmatrix}
#
#       >>> of_kernel, of_image = torch.autograd.grad(L, (K, X), retain_graph=True)
#       >>> of_kernel.tolist(), of_image.tolist()
#       ([[1.0, 2.0], [4.0, 5.0]], [[1.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, 0.0]])
#
# .. exercise::
#
#    How many pixels does the gradient of a *single* output reach? And if two such
#    convolutions follow each other?
#
#    .. answer::
#
#       Those that the window covers, 2×2. After two layers, 3×3: the second window
#       covers 2×2 numbers of the first output, and their windows overlap. This is the
#       *receptive field*. With positive weights, a gradient shows it.
#
#       >>> u = torch.zeros(1, 1, 5, 5, requires_grad=True)
#       >>> ones = torch.ones(1, 1, 2, 2)
#       >>> v = F.conv2d(F.conv2d(u, ones), ones)
#       >>> torch.autograd.grad(v[0, 0, 0, 0], u)[0][0, 0]
#       tensor([[1., 2., 1., 0., 0.],
#               [2., 4., 2., 0., 0.],
#               [1., 2., 1., 0., 0.],
#               [0., 0., 0., 0., 0.],
#               [0., 0., 0., 0., 0.]])
#
# .. exercise::
#
#    A convolution is a matrix times a vector. ``F.unfold`` makes a column of each
#    window. Write ``Y`` with it, and the gradient of ``K``, without a loop.
#
#    .. answer::
#
#       Each output is the dot product of the kernel with one column. So the gradient of
#       the kernel is the matrix of windows times what comes back.
#
#       >>> windows = F.unfold(X[None, None], 2)[0]
#       >>> windows.shape
#       torch.Size([4, 4])
#       >>> (K.flatten() @ windows).reshape(2, 2)
#       tensor([[-4., -4.],
#               [-4., -4.]], dtype=torch.float64, grad_fn=<ViewBackward0>)
#       >>> (windows @ G.flatten()).reshape(2, 2).allclose(dK)
#       True

# %%
# What we can do now
# ------------------
#
# - Find the gradient of a shared weight: the sum over the places that use it.
# - Find the gradient of an image: each place puts the kernel down again.
# - Know who gets the gradient behind a pooling, and when ReLU may write in place.
#
# Next, :doc:`Modules and optimisers </lessons/2_practice/60_modules_and_optimisers>`
# trains the network of the half moons again, with what PyTorch brings along.

# %%
# Credits and licences
# --------------------
#
# To learn a kernel from a picture and its edges is an idea of `Dive into Deep Learning
# <https://d2l.ai/chapter_convolutional-neural-networks/conv-layer.html>`__; picture,
# code and text are ours. That ``conv2d`` is a cross-correlation says `its documentation
# <https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv2d.html>`__. Our text is
# under `CC BY-SA 4.0 <https://creativecommons.org/licenses/by-sa/4.0/>`__, our code
# under the `MIT licence <https://opensource.org/license/mit>`__.
