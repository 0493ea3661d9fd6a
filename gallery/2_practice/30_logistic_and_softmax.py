r"""
Logistic and softmax regression
===============================

We turn the neuron into a classifier, first for two classes, then for three, and see two
slopes cancel on the way back. At the end we can write both gradients down, train a
border between a hundred points, and keep such a loss from becoming NaN.

:Time: 30 minutes
:Needs: :doc:`Linear regression </lessons/2_practice/20_linear_regression>`
:Level: Practice
:Tags: training, derivatives, errors
"""

# sphinx_gallery_thumbnail_number = 2

# %%
# A line gives a height. Now the answer is to be yes or no.

import torch
import torch.nn.functional as F

from torchutils import MovingPlot, make_dot, record_backward

# %%
# One neuron, one answer
# ----------------------
#
# The neuron of the foundations weighs its inputs, and the sigmoid squeezes the sum
# ``z`` into the range from 0 to 1. We read the result ``s`` as a *probability*: how
# sure the neuron is that the answer is yes. The sum before it is called the *logit*.

x = torch.tensor([3.0, 1.0], dtype=torch.float64)
w = torch.tensor([0.0, 1.0], dtype=torch.float64, requires_grad=True)
z = torch.dot(w, x)
s = torch.sigmoid(z)
L = -torch.log(s)
L

# %%
# With :math:`w = (0, 1)` and :math:`x = (3, 1)` we get :math:`z = w^\top x = 1` and
# :math:`s = \sigma(z) = 0.731059`. The right answer is yes. The loss is :math:`L = -\ln
# s = 0.313262`: close to zero for a neuron that is sure and right, and the larger the
# surer it is of the wrong answer. It is called *cross-entropy*.
#
# .. predict::
#
#    Walk back. The logarithm sends :math:`\frac{\partial L}{\partial s} =
#    -\frac{1}{s}`, and the slope of the sigmoid is :math:`\frac{\partial s}{\partial z}
#    = s\,(1 - s)`. What arrives at ``z``, and what at ``w``? Type the gradient of
#    ``w``.
#
#    .. ask:: w.grad
#
#    .. answer::
#
#       The factor ``s`` cancels, and what is left is simple:
#       :math:`\frac{\partial L}{\partial z} = -\frac{1}{s} \cdot s\,(1 - s) =
#       \sigma(z) - 1 = -0.268941`. Each weight gets it times its input:
#       :math:`\nabla_w L = (\sigma(z) - 1)\, x = (-0.806824, -0.268941)`.
#
#       .. wrong:: -x / s
#
#          The sigmoid is left out. Its slope is on the way.
#
#       .. wrong:: s * x
#
#          This is the gradient where the right answer is no. Here it is yes:
#          probability minus 1.
#
#       .. wrong:: (1 - s) * x
#
#          The sign: the loss falls when ``z`` rises, since the right answer is yes.

record_backward(L, locals(), direction="TB")

# %%
# Look at :step:`#1 sends to s`: a number below −1. At :step:`s sends to z` it is
# multiplied by a small slope, and the product is the *error*: probability minus answer.
# Below the drawing, change ``w`` to 0, −9, so that the neuron is sure and wrong. The
# two numbers become extreme, and their product does not.
#
# Compared with autograd:
#
# >>> by_hand = (s.detach() - 1) * x
# >>> (w.grad - by_hand).abs().max().item() < 1e-12
# True
#
# If the right answer is no, the loss is :law:`-\ln(1 - s)`, and the same cancelling
# gives :law:`\sigma(z)`. With ``y`` for the right answer, 1 for yes and 0 for no, both
# cases are one formula, and so are both slopes:
#
# .. math::
#    :class: law
#
#    L &= -y \ln \sigma(z) - (1 - y) \ln(1 - \sigma(z)) \\
#    \frac{dL}{dz} &= \sigma(z) - y
#
# So a neuron that is sure and wrong gets a slope of almost 1, or −1 if the answer is
# yes. With a squared error it would be almost 0, as the lesson on the graph has shown:
# there the slope of the sigmoid stays.

# %%
# A hundred points
# ----------------
#
# Two half moons of fifty points each, made with a seed. They stay with us in the next
# lessons.

torch.manual_seed(0)
labels = torch.arange(100) % 2
angle = torch.rand(100, dtype=torch.float64) * torch.pi
points = torch.stack([torch.cos(angle), torch.sin(angle)], dim=1)
points[labels == 1] = (
    torch.tensor([1.0, 0.5], dtype=torch.float64) - points[labels == 1]
)
points += 0.1 * torch.randn(100, 2, dtype=torch.float64)

# %%
# As for the line, a column of ones in ``X`` serves the first weight. The other two
# belong to the coordinates of a point.

X = torch.cat([torch.ones(100, 1, dtype=torch.float64), points], dim=1)
y = labels.double()
w = torch.zeros(3, dtype=torch.float64, requires_grad=True)
s = torch.sigmoid(X @ w)
L = -(y * torch.log(s) + (1 - y) * torch.log(1 - s)).mean()

# %%
# .. predict::
#
#    The three weights are 0. How sure is the neuron of each point, and how large is the
#    loss?
#
#    .. ask:: L
#
#    .. answer::
#
#       Each logit is 0, so each probability is one half: a neuron that has no idea.
#       Each point costs :math:`-\ln \frac{1}{2}`, and so does their mean, :math:`L =
#       \ln 2 = 0.6931`.
#
#       .. wrong:: 0.5
#
#          This is the probability. The loss is minus its logarithm.
#
#       .. wrong:: 100 * L
#
#          The loss is the mean over the points, not the sum.

L

# %%
# The gradient is like that of the line, with the sigmoid in it, and without the 2 that
# came from the squares:
# :math:`\nabla_w L = \frac{1}{100} X^\top (\sigma(X w) - y)`.

by_hand = X.T @ (torch.sigmoid(X @ w.detach()) - y) / 100
L.backward()
w.grad, by_hand

# %%
# They agree to the last digits:
#
# >>> (w.grad - by_hand).abs().max().item() < 1e-12
# True
#
# So we train without autograd this time, by the formula alone.

w = torch.zeros(3, dtype=torch.float64)
path = [w]
for _ in range(400):
    w = w - X.T @ (torch.sigmoid(X @ w) - y) / 100
    path.append(w)
path = torch.stack(path)

# %%
# (No ``no_grad`` and no ``-=`` here: these weights require no gradient, and there is no
# record.) The learning rate is 1. The neuron says yes where its logit is positive, so
# the border between yes and no is a line, where :law:`w_0 + w_1 x_0 + w_2 x_1 = 0`.
#
# .. predict::
#
#    The two moons reach into each other. How many of the hundred points will a straight
#    border get right: about half, about 90, or each of them? Decide, then look.
#
#    .. answer::
#
#       About 90: a straight border does not follow a bend, and the tips of the moons
#       stay on the wrong side. After 400 steps 91 points are right.
#
#       >>> ((X @ path[400] > 0) == (labels == 1)).sum().item()
#       91

steps = [1, 2, 3, 5, 10, 20, 30, 50, 100, 200, 400]
place = torch.tensor([-1.5, 2.5], dtype=torch.float64)
border = -(path[steps, :1] + path[steps, 1:2] * place) / path[steps, 2:]
s = torch.sigmoid(path[steps] @ X.T)
plot = MovingPlot(
    {"step": steps},
    "A border that learns",
    xlim=(-1.5, 2.5),
    ylim=(-1, 1.5),
    equal=True,
)
plot.points(*points[labels == 0].T, "no")
plot.points(*points[labels == 1].T, "yes")
plot.line(place, border, "border")
plot.say(
    "Loss {loss:.3f}, and {right} of the points are right.",
    loss=-(y * torch.log(s) + (1 - y) * torch.log(1 - s)).mean(dim=1),
    right=((s > 0.5) == (labels == 1)).sum(dim=1),
)
plot

# %%
# To get the tips right a border has to bend. In the next lesson the neuron listens to
# other neurons, and its border does.

# %%
# Three classes: softmax
# ----------------------
#
# With three classes there are three logits, one for each. *Softmax* makes them positive
# with the exponential function, and divides by their sum, so that the probabilities add
# up to 1. In ``z`` the class 0 leads, and it is the right one.

z = torch.tensor([2.0, 1.0, 0.0], dtype=torch.float64, requires_grad=True)
u = torch.exp(z)
p = u / u.sum()
L = -torch.log(p[0])
p, L

# %%
# The probabilities are :math:`p = \operatorname{softmax}(z) = (0.665241, 0.244728,
# 0.090031)`, and the loss is :math:`L = -\ln p_0 = 0.407606`. The logarithm of a
# quotient is a difference, so it is also :math:`L = \operatorname{logsumexp}(z) - z_0`:
# the logarithm of a sum of exponentials, minus the logit of the right class.
#
# .. predict::
#
#    With two classes the gradient was probability minus answer. What arrives at the
#    three logits?
#
#    .. ask:: z.grad
#
#    .. answer::
#
#       The same, entry by entry. The slope of the logarithm is 1 divided by the sum of
#       the exponentials, and each of these is its own slope. So the first term brings
#       :math:`\frac{1}{\sum_{k=0}^{2} u_k}\, u = p`. The second takes away the answer,
#       the unit vector :math:`e_0`, which has a 1 at the right class:
#
#       .. math::
#
#          \nabla_z L = p - e_0
#
#       In our numbers that is :math:`\nabla_z L = (-0.334759, 0.244728, 0.090031)`.
#       The right logit should rise, the others fall, each by as much as its class was
#       believed.
#
#       .. wrong:: p
#
#          This is the gradient of the first term, logsumexp. The second takes 1 away
#          from the right class.
#
#       .. wrong:: -z.grad
#
#          This is the way that the logits should go. The gradient points up.
#
#       .. wrong:: [z.grad[0], 0, 0]
#
#          The other logits are in the sum, too: when one of them rises, the right class
#          loses.

record_backward(L, locals(), direction="TB")

# %%
# Seven boxes. Two paths lead away from ``u``, one through the sum, and
# :step:`#5 sends to u` adds up what comes back on both. By hand:
#
# >>> by_hand = torch.softmax(z.detach(), dim=0) - torch.tensor([1.0, 0.0, 0.0])
# >>> (z.grad - by_hand).abs().max().item() < 1e-12
# True
#
# PyTorch has the whole way as one function, and it records two nodes:

L = F.cross_entropy(z, torch.tensor(0))
make_dot(L, locals())

# %%
# The value and the gradient are the same as before,
# :math:`L = 0.407606` and :math:`\nabla_z L = (-0.334759, 0.244728, 0.090031)`. Two
# more derivatives are worth knowing. The gradient of logsumexp is softmax:

q = torch.logsumexp(z, dim=0)
p = torch.softmax(z, dim=0)

# %%
# .. math::
#
#    \nabla_z q = p,
#
#    \frac{\partial p}{\partial z} = \operatorname{diag}(p) - p p^\top
#
# The second is a matrix, since softmax has three outputs. Its diagonal is
# :law:`p_i (1 - p_i)`, as for the slope of the sigmoid.

# %%
# Numbers that are too large
# --------------------------
#
# On paper the formulas are the same. In a computer, the exponential of 89 is too large
# for ``float32``, and becomes infinite.
#
# >>> torch.exp(torch.tensor([88.0, 89.0]))
# tensor([1.6516e+38, inf])
#
# .. admonition:: Wrong on purpose
#
#    The loss of the next cell is softmax as on paper. Do not copy it.

# wrong on purpose
z = torch.tensor([0.0, 1000.0], requires_grad=True)
u = torch.exp(z)
L = -torch.log(u[0] / u.sum())
L

# %%
# Class 0 is right, and the classifier is sure of class 1. The loss should be 1000.
#
# .. predict::
#
#    The loss has become infinite. What will the gradient be, and what should it be?
#    Type what it should be, probability minus answer.
#
#    .. ask:: torch.autograd.grad(F.cross_entropy(z, torch.tensor(0)), z)[0]
#
#    .. answer::
#
#       The probabilities are 0 and 1, and the answer is 1 and 0, so it should be
#       :math:`(-1, 1)`. It is NaN twice: on the way back infinity is multiplied by
#       zero.
#
#       .. wrong:: [0, 0]
#
#          This would be right if the classifier were right. It is sure of the wrong
#          class.

L.backward()
z.grad

# %%
# One such point is enough: after the next step the weights behind the logits would be
# NaN. ``cross_entropy`` subtracts the largest logit first, which changes no
# probability:
#
# >>> z.grad
# tensor([nan, nan])
# >>> L = F.cross_entropy(z, torch.tensor(0))
# >>> L.item(), torch.autograd.grad(L, z)[0]
# (1000.0, tensor([-1.,  1.]))
#
# The same happens with two classes, in two places: for the answer no the loss is
# :law:`-\ln(1 - \sigma(z)) = \ln(1 + e^z)`, for the answer yes it is
# :law:`-\ln \sigma(z)`. Here is a function that shows value and gradient at one place.


def at(function, place):
    z = torch.tensor(place, requires_grad=True)
    y = function(z)
    return y.item(), torch.autograd.grad(y, z)[0].item()


at(lambda z: -torch.log(torch.sigmoid(z)), -1000.0)

# %%
# .. list-table::
#    :header-rows: 1
#
#    * - on paper
#      - naive
#      - stable
#    * - :law:`\ln(1 + e^z)`
#      - ``log(1 + exp(z))``
#      - ``softplus(z)``
#    * - :law:`-\ln \sigma(z)`
#      - ``-log(sigmoid(z))``
#      - ``-logsigmoid(z)``
#    * - :law:`-\ln p_k`
#      - ``-log(softmax(z)[k])``
#      - ``cross_entropy(z, k)``
#
# The naive ones first, at 1000 and at −1000, then the stable ones:
#
# >>> at(lambda z: torch.log(1 + torch.exp(z)), 1000.0)
# (inf, nan)
# >>> at(lambda z: -torch.log(torch.sigmoid(z)), -1000.0)
# (inf, nan)
# >>> at(F.softplus, 1000.0)
# (1000.0, 1.0)
# >>> at(lambda z: -F.logsigmoid(z), -1000.0)
# (1000.0, -1.0)
#
# There is a third behaviour, and it is harder to see. ``binary_cross_entropy`` takes a
# probability. It cuts the loss off at 100, as `its manual
# <https://docs.pytorch.org/docs/stable/generated/torch.nn.BCELoss.html>`__ says, so the
# loss stays finite.
#
# .. predict::
#
#    The logit is −1000 and the right answer is yes, as before. Which gradient arrives
#    at the logit, through the sigmoid and ``binary_cross_entropy``?
#
#    .. ask:: b
#
#    .. answer::
#
#       None that helps: 0. The sigmoid is so flat there that its slope has been rounded
#       to zero. A point that is as wrong as can be, and the neuron is told that it does
#       not matter.
#
#       .. wrong:: -1
#
#          This is the right gradient. It comes if the loss is given the logit.

yes = torch.tensor(1.0)
a, b = at(lambda z: F.binary_cross_entropy(torch.sigmoid(z), yes), -1000.0)
a, b

# %%
# The loss that takes the logit itself does both steps at once:
#
# >>> at(lambda z: F.binary_cross_entropy_with_logits(z, yes), -1000.0)
# (1000.0, -1.0)
#
# So a classifier hands *logits* to its loss, and computes probabilities for the eye
# alone.

# %%
# Exercises
# ---------
#
# The three logits of above once more:

z = torch.tensor([2.0, 1.0, 0.0], dtype=torch.float64, requires_grad=True)
L = F.cross_entropy(z, torch.tensor(0))

# %%
# .. exercise::
#
#    The entries of :math:`\nabla_z L` add up to 0. Why?
#
#    .. answer::
#
#       If the same number is added to each logit, the probabilities stay, and so does
#       the loss. In this direction the slope is zero, and it is the sum of the entries.
#       Or by the formula: probabilities add up to 1, and so does the answer.
#
#       >>> [g] = torch.autograd.grad(L, z, retain_graph=True)
#       >>> abs(g.sum().item()) < 1e-12
#       True
#       >>> torch.allclose(torch.softmax(z + 5, 0), torch.softmax(z, 0))
#       True
#
# .. exercise::
#
#    Derive :law:`\frac{dL}{dz} = \sigma(z) - y` for both answers at once.
#
#    .. answer::
#
#       The slope of the loss along the probability, times that of the sigmoid:
#
#       .. math::
#          :class: law
#
#          &\left(\frac{1 - y}{1 - \sigma} - \frac{y}{\sigma}\right)
#          \sigma\,(1 - \sigma) \\
#          &= (1 - y)\,\sigma - y\,(1 - \sigma) = \sigma - y
#
#       >>> for answer in (0.0, 1.0):
#       ...     u = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
#       ...     t = torch.tensor(answer, dtype=torch.float64)
#       ...     F.binary_cross_entropy_with_logits(u, t).backward()
#       ...     print(u.grad.item(), torch.sigmoid(u).item() - answer)
#       0.731059 0.731059
#       -0.268941 -0.268941
#
# *Label smoothing* gives a tenth of the answer away, in equal parts to the three
# classes.

L = F.cross_entropy(z, torch.tensor(0), label_smoothing=0.1)
p = torch.softmax(z, dim=0)
t = torch.tensor([0.9, 0.0, 0.0], dtype=torch.float64) + 0.1 / 3

# %%
# .. exercise::
#
#    What is :math:`\nabla_z L` now?
#
#    .. answer::
#
#       Probability minus answer again, with a softer answer ``t``:
#       :math:`\nabla_z L = p - t = (-0.268092, 0.211395, 0.056697)`.
#
#       >>> torch.autograd.grad(L, z, retain_graph=True)
#       (tensor([-0.2681,  0.2114,  0.0567], dtype=torch.float64),)
#
# .. exercise::
#
#    *Spot the error.* Somebody wants to train on what counts in the end, the number of
#    right answers: ``loss = (z.argmax() != label).double()``. What does
#    ``loss.backward()`` say?
#
#    .. answer::
#
#       ``argmax`` gives a whole number, which jumps and has no slope. No record leads
#       back from it.
#
#       >>> loss = (z.argmax() != torch.tensor(0)).double()
#       >>> try:
#       ...     loss.backward()
#       ... except RuntimeError as error:
#       ...     print(error)
#       element 0 of tensors does not require grad and does not have a grad_fn
#
#       Cross-entropy is the smooth stand-in that has a slope.
#
# .. exercise::
#
#    ``cross_entropy`` ignores points with the label −100. What is the mean loss of a
#    batch in which it ignores each point, and what is its gradient?
#
#    .. answer::
#
#       The mean of nothing is NaN. The gradient is zero, so the weights survive, but
#       whoever adds up losses does not.
#
#       >>> u = torch.tensor([[1.0, 2.0]], requires_grad=True)
#       >>> L = F.cross_entropy(u, torch.tensor([-100]))
#       >>> L.item()
#       nan
#       >>> torch.autograd.grad(L, u)[0]
#       tensor([[0., 0.]])

# %%
# What we can do now
# ------------------
#
# - Say what a classifier's logits get back: probability minus answer.
# - Train a border by this formula, without autograd, and check it with autograd.
# - Hand logits to the loss, and know how the naive forms fail.
#
# Next, :doc:`A two-layer network by hand </lessons/2_practice/40_mlp_by_hand>` bends
# the border.

# %%
# Credits and licences
# --------------------
#
# The first function of the table, naive and NaN, is an example in the manual of
# TensorFlow's `custom_gradient
# <https://www.tensorflow.org/api_docs/python/tf/custom_gradient>`__. Two half moons are
# a common test for classifiers. Our text is under `CC BY-SA 4.0
# <https://creativecommons.org/licenses/by-sa/4.0/>`__, our code under the `MIT licence
# <https://opensource.org/license/mit>`__.
