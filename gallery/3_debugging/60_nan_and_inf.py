r"""
NaN and infinity
================

A gradient may be infinite, or not a number, though the result is a plain number.
We find the two factors that make it so, repair them where they are born, and learn what
anomaly mode says, and what it does not say.

:Time: 30 minutes
:Needs: :doc:`Kinks and ties </lessons/3_debugging/50_kinks>`,
   :doc:`Logistic and softmax regression </lessons/2_practice/30_logistic_and_softmax>`
:Level: Debugging
:Tags: errors, derivatives
"""

# %%
# NaN stands for "not a number". It is the answer to a question without one, such as
# zero times infinity.

import math
import warnings

import torch
import torch.nn.functional as F

from torchutils import record_backward

inf = math.inf


def slope(function, *at):
    x = torch.tensor(at, requires_grad=True)
    [gradient] = torch.autograd.grad(function(x).sum(), x)
    return gradient.tolist()


# %%
# >>> torch.tensor([0.0, 1.0]) * inf
# tensor([nan, inf])

# %%
# Zero times infinity
# -------------------
#
# A distance, written as the square root of a square. At :math:`x = 1` it is 0.

x = torch.tensor(1.0, requires_grad=True)
u = x - 1
s = u**2
y = s.sqrt()
y

# %%
# .. predict::
#
#    Walk back by hand. The square root has the slope :law:`\frac{1}{2\sqrt s}`, the
#    square has :law:`2u`. What arrives at ``x``?
#
#    .. answer::
#
#       At 0 the root is vertical: its slope is infinite. The square is flat: its slope
#       is 0. The chain rule multiplies them, and infinity times zero is NaN.

record_backward(y, locals())

# %%
# Read the two factors from the drawing: ``y`` sends infinity to ``s``, and from there
# on it is NaN. The value was never in danger. The factors do not know of each other:
# the square would have brought the infinity down, if both had been taken
# together. That is what ``abs`` does:
#
# >>> x.grad
# tensor(nan)
# >>> slope(lambda x: (x - 1).abs(), 1.0)
# [0.0]
#
# Change ``x`` below the drawing. Beside this one place the program is right:
#
# >>> slope(lambda x: ((x - 1) ** 2).sqrt(), 0.5, 1.5)
# [-1.0, 1.0]

# %%
# The branch that was not taken
# -----------------------------
#
# "The square root where it is defined, else zero" sounds like a condition.
# ``torch.where`` is none: both of its branches have been computed before it chooses.
#
# .. admonition:: Wrong on purpose
#
#    The gradient of the next cell has a NaN. Do not copy it.

# wrong on purpose
x = torch.tensor([0.0, 1.0, 4.0], requires_grad=True)
root = x.sqrt()
chosen = torch.where(x > 0, root, 0.0)
y = chosen.sum()

# %%
# .. predict::
#
#    Each value is right: 0, 1 and 2. Which of the three slopes are NaN? Type a 1 for
#    each that is, and a 0 for each that is not.
#
#    .. ask:: x.grad.isnan().int()
#
#    .. answer::
#
#       1, 0, 0. At 0 the constant was chosen, so the root gets the gradient 0. It
#       multiplies this 0 by its own slope, which is infinite there.
#
#       .. wrong:: [0, 0, 0]
#
#          This is what ``where`` seems to promise. The branch that was not chosen gets
#          a zero, and goes on with it.
#
#       .. wrong:: [0, 1, 1]
#
#          There the root was chosen, and its slopes are a half and a quarter.

record_backward(y, locals())

# %%
# ``sqrt`` stands in the record, chosen or not. This has been reported as a fault `early
# <https://github.com/pytorch/pytorch/issues/18287>`__ and `late
# <https://github.com/pytorch/pytorch/issues/187297>`__. Two repairs keep the bad entry
# away from ``sqrt``. The first chooses *before* it as well, and puts in a number that
# does no harm. The second picks the good entries out:
#
# >>> def twice(x):
# ...     safe = torch.where(x > 0, x, 1.0)
# ...     return torch.where(x > 0, safe.sqrt(), 0.0)
# >>> slope(twice, 0.0, 1.0, 4.0)
# [0.0, 0.5, 0.25]
# >>> slope(lambda x: x[x > 0].sqrt(), 0.0, 1.0, 4.0)
# [0.0, 0.5, 0.25]
#
# The same happens where a branch is too large for the type. This function has no
# kink, and its slope is 1 on the right. In 32 bits :law:`e^{100}` is infinite:
#
# >>> def branches(x):
# ...     return torch.where(x <= 0, x.exp(), 1 + x)
# >>> slope(branches, -1.0, 100.0)
# [0.36787945, nan]
# >>> slope(lambda x: torch.where(x <= 0, x.clamp(max=0).exp(), 1 + x), -1.0, 100.0)
# [0.36787945, 1.0]
#
# With 64 bits it comes later, and comes all the same:
#
# >>> late = torch.tensor([100.0, 1000.0], dtype=torch.float64, requires_grad=True)
# >>> branches(late).sum().backward()
# >>> late.grad
# tensor([1., nan], dtype=torch.float64)

# %%
# A little under the root
# -----------------------
#
# Common advice is to add a small number: :law:`\sqrt{x + \epsilon}`.
#
# .. predict::
#
#    What is the slope at :math:`x = 0`, with :law:`\epsilon = 10^{-4}`, and with
#    :law:`\epsilon = 10^{-8}`? Type both.
#
#    .. ask:: steep
#
#    .. answer::
#
#       The slope is :law:`\frac{1}{2\sqrt\epsilon}`. The roots are a hundredth and a
#       ten-thousandth, so :math:`\text{steep} = (50, 5000)`. The smaller the number,
#       the less it changes the value, and the larger the slope.
#
#       .. wrong:: [0, 0]
#
#          The small number takes the infinity away, not the steepness. A little to the
#          right of its left end the root is still steep.
#
#       .. wrong:: [5000, 50000000]
#
#          The root is missing: half of one divided by the small number *itself*.


def above(x, epsilon):
    return (x + epsilon).sqrt()


steep = torch.tensor(
    [slope(lambda x, e=epsilon: above(x, e), 0.0) for epsilon in (1e-4, 1e-8)]
).flatten()
x, epsilon = torch.tensor(0.0, requires_grad=True), 1e-8
y = above(x, epsilon)
steep

# %%
# So :math:`y = \sqrt{x + \epsilon}` has :math:`\frac{dy}{dx} = \frac{1}{2\sqrt{x +
# \epsilon}} = 5000` here. The infinity has become a large number, and a step of plain
# gradient descent along it is large, too. In the distance above the repair works, since
# there the number meets a zero, and zero times a large number is zero:
#
# >>> slope(lambda x: above((x - 1) ** 2, 1e-8), 1.0)
# [0.0]
#
# PyTorch's own small numbers give large slopes, too. ``F.normalize`` divides a vector
# by its length, or by :law:`10^{-12}` where the length is less. At the vector 0:
#
# >>> f"{slope(lambda x: F.normalize(x, dim=0)[0], 0.0, 0.0)[0]:.0e}"
# '1e+12'

# %%
# By hand and built in
# --------------------
#
# Four functions, written as a formula says, each at its bad place. The values are
# right. The slopes are not.

by_hand = {
    "length": (lambda x: (x * x).sum().sqrt(), (0.0, 0.0)),
    "standard deviation": (lambda x: x.var().sqrt(), (3.0, 3.0)),
    "sine over x": (lambda x: torch.where(x == 0, 1.0, x.sin() / x), (0.0,)),
    "sigmoid": (lambda x: 1 / (1 + (-x).exp()), (-100.0,)),
}

# %%
# >>> for name, (function, at) in by_hand.items():
# ...     print(name, function(torch.tensor(at)).sum().item(), slope(function, *at))
# length 0.0 [nan, nan]
# standard deviation 0.0 [nan, nan]
# sine over x 1.0 [nan]
# sigmoid 0.0 [nan]
#
# .. predict::
#
#    PyTorch has the four: ``x.norm()``, ``x.std()``, ``torch.sinc(x / torch.pi)`` and
#    ``torch.sigmoid``. What slopes do they return at the same places? Two, two, one and
#    one number.
#
#    .. ask:: built_in
#
#    .. answer::
#
#       :math:`\text{built\_in} = (0, 0, 0, 0, 0, 0)`. The first two are choices at a
#       kink. The third is the true slope at the top of a hill. The last is nearly the
#       true one, :law:`e^{-100}`, for which PyTorch returns a zero.
#
#       .. wrong:: [1, 1, 1, 1, 0, 0]
#
#          A length does grow with slope 1, but in each direction, and none is better
#          than another. The choice is zero, the shortest of the subgradients.

built_in = torch.tensor(
    slope(lambda x: x.norm(), 0.0, 0.0)
    + slope(torch.std, 3.0, 3.0)
    + slope(lambda x: torch.sinc(x / torch.pi), 0.0)
    + slope(torch.sigmoid, -100.0)
)
built_in

# %%
# For others already the value goes wrong by hand. A softmax divides infinity by
# infinity, and the logarithm of a sigmoid is infinite where the sigmoid comes out as
# zero:
#
# >>> slope(lambda x: x.exp() / x.exp().sum(), 100.0, 0.0)
# [nan, nan]
# >>> slope(lambda x: x.softmax(dim=0), 100.0, 0.0)
# [0.0, 0.0]
# >>> slope(lambda x: x.sigmoid().log(), -100.0), slope(F.logsigmoid, -100.0)
# ([nan], [1.0])
#
# So look for the function with a name before you write the formula. But not each name
# is a shelter. For a number times its own logarithm, ``torch.xlogy`` returns the right
# value at 0, and sends NaN to its second argument. The true slope at 0 is infinite, and
# ``torch.special.entr``, which has the opposite sign, says so:
#
# >>> torch.xlogy(torch.tensor(0.0), torch.tensor(0.0))
# tensor(0.)
# >>> p, q = torch.zeros(2, requires_grad=True)
# >>> torch.autograd.grad(torch.xlogy(p, q), [p, q])
# (tensor(0.), tensor(nan))
# >>> torch.autograd.grad(p * q.log(), [p, q])
# (tensor(-inf), tensor(nan))
# >>> slope(lambda x: torch.xlogy(x, x), 0.0), slope(torch.special.entr, 0.0)
# ([nan], [inf])
#
# The eigenvectors of the unit matrix are another case. Each direction is that of an
# eigenvector, so there is none to follow when the matrix moves. Each eigenvalue has a
# kink there, and sends a number; their sum has none, and its gradient is right:
#
# >>> A = torch.eye(2, dtype=torch.float64, requires_grad=True)
# >>> torch.autograd.grad(torch.linalg.eigh(A).eigenvectors[0, 0], A)[0].isnan().all()
# tensor(True)
# >>> torch.autograd.grad(torch.linalg.eigvalsh(A)[0], A)[0].isfinite().all()
# tensor(True)
# >>> torch.autograd.grad(torch.linalg.eigvalsh(A).sum(), A)
# (tensor([[1., 0.],
#         [0., 1.]], dtype=torch.float64),)
#
# The angle of the point :math:`(0, 0)` has no slope either. ``torch.atan2`` returns
# zeros; in PyTorch 2.9.1 it returned NaN.
#
# >>> p, q = torch.zeros(2, requires_grad=True)
# >>> [g.abs().item() for g in torch.autograd.grad(torch.atan2(p, q), [p, q])]
# [0.0, 0.0]

# %%
# A row that is masked from end to end
# ------------------------------------
#
# Attention, a part of language models, compares queries with keys by dot products. It
# makes weights of these scores, by a softmax in each row. A masked score becomes
# :math:`-\infty`, and its weight 0. If a whole row is masked, as for padding, the
# softmax has nothing to divide by.
#
# .. admonition:: Wrong on purpose
#
#    The first row of the weights in the next cell is NaN. Do not copy it.

# wrong on purpose
query = torch.tensor([[1.0, 0.0], [0.0, 1.0]], requires_grad=True)
key = torch.tensor([[1.0, 2.0], [3.0, 5.0]], requires_grad=True)
hidden = torch.tensor([[True, True], [False, False]])
scores = query @ key.T
weights = scores.masked_fill(hidden, -inf).softmax(dim=1)
weights

# %%
# A loss passes over the padding: it looks at the second row alone. This row is right,
# and so is the value of the loss.

y = (weights @ key)[1].sum()
y

# %%
# .. predict::
#
#    Do the gradients of ``query`` and of ``key`` hold a NaN? Type 1 for yes and 0 for
#    no, for each of the two.
#
#    .. ask:: spoiled
#
#    .. answer::
#
#       :math:`\text{spoiled} = (0, 1)`. The first row gets the gradient 0. ``query``
#       lies behind the mask, which returns zeros for what it has filled. ``key`` is
#       multiplied by the weights, so on the way back the 0 is too, and 0 times NaN is
#       NaN.
#
#       .. wrong:: [0, 0]
#
#          The first row gets a zero, that is right. On the way to ``key`` it is
#          multiplied by the weights, and these are NaN.
#
#       .. wrong:: [1, 1]
#
#          On the way to ``query`` stands the mask. It does not multiply, it *fills*
#          with zeros.

gradients = torch.autograd.grad(y, [query, key])
spoiled = torch.tensor([int(g.isnan().any()) for g in gradients])
spoiled

# %%
# It can be the other way round, too: a loss that is NaN, and gradients that are finite,
# so that nobody who looks at gradients alone would see it:
#
# >>> scores = torch.zeros(2, 2, requires_grad=True)
# >>> weights = scores.masked_fill(hidden, -inf).softmax(dim=1)
# >>> loss = (weights * torch.tensor([1.0, 2.0])).sum()
# >>> loss, torch.autograd.grad(loss, scores)[0]
# (tensor(nan, grad_fn=<SumBackward0>), tensor([[ 0.0000,  0.0000],
#         [-0.2500,  0.2500]]))
#
# The mean over no sample is such a loss. Here each target is to be ignored:
#
# >>> logits = torch.tensor([[1.0, 2.0]], requires_grad=True)
# >>> loss = F.cross_entropy(logits, torch.tensor([-100]), ignore_index=-100)
# >>> loss, torch.autograd.grad(loss, logits)
# (tensor(nan, grad_fn=<NllLossBackward0>), (tensor([[0., 0.]]),))
#
# ``F.scaled_dot_product_attention`` returns zeros for a row that is masked from end to
# end, and sends zeros back:

seen = ~hidden
out = F.scaled_dot_product_attention(query[None], key[None], key[None], seen[None])
out

# %%
# >>> out[0, 0]
# tensor([0., 0.], grad_fn=<SelectBackward0>)
# >>> [g.isnan().any().item() for g in torch.autograd.grad(out.sum(), [query, key])]
# [False, False]
#
# Not so the layer around it. Asked for its weights, which is its default,
# ``nn.MultiheadAttention`` computes them like our first cell:
#
# >>> layer = torch.nn.MultiheadAttention(2, num_heads=1)
# >>> for wanted in (True, False):
# ...     rows, _ = layer(query, key, key, attn_mask=hidden, need_weights=wanted)
# ...     [g] = torch.autograd.grad(rows[1].sum(), [layer.in_proj_weight])
# ...     print(rows.isnan().any(dim=1), g.isnan().any())
# tensor([ True, False]) tensor(True)
# tensor([False, False]) tensor(False)
#
# By hand, a large negative number in the place of infinity does it. The row is then
# even, not empty, and its result has to be left out as before:
#
# >>> lowest = torch.finfo(torch.float32).min
# >>> weights = (query @ key.T).masked_fill(hidden, lowest).softmax(dim=1)
# >>> weights[0]
# tensor([0.5000, 0.5000], grad_fn=<SelectBackward0>)
# >>> y = (weights @ key)[1].sum()
# >>> [g.isnan().any().item() for g in torch.autograd.grad(y, [query, key])]
# [False, False]

# %%
# Values that are missing
# -----------------------
#
# Data come with gaps, which are NaN. One weight is to be learned, and the gap has to be
# left out.

data = torch.tensor([2.0, math.nan])
w = torch.tensor(1.0, requires_grad=True)
product = w * data
ways = {
    "where behind": torch.where(data.isnan(), 0.0, product).sum(),
    "nan_to_num behind": product.nan_to_num().sum(),
    "index behind": product[~data.isnan()].sum(),
    "nan_to_num before": (w * data.nan_to_num()).sum(),
}

# %%
# .. predict::
#
#    Each of the four sums is 2. Which of them send a finite number to ``w``? Type four
#    times 1 or 0.
#
#    .. ask:: finite
#
#    .. answer::
#
#       :math:`\text{finite} = (0, 0, 0, 1)`. The gap gets a 0 in each case. But in the
#       first three the product with the gap was computed, and its slope is the gap:
#       0 times NaN.
#
#       .. wrong:: [0, 0, 1, 1]
#
#          To pick the good entries out is a repair if it stands *before* the product.
#          Behind it the gap still gets a zero, and multiplies it by NaN.
#
#       .. wrong:: [1, 1, 1, 1]
#
#          The values are right. The record knows what was computed, not what was
#          kept.

slopes = [torch.autograd.grad(y, w, retain_graph=True)[0] for y in ways.values()]
finite = torch.tensor([int(g.isfinite()) for g in slopes])
finite

# %%
# Clean the data before the first product. It is the double ``where`` again.
#
# A function that passes over NaN may send a gradient there, or not. ``torch.fmax``
# returns the other argument when one is NaN. In PyTorch 2.9.1, 2.13 and 2.15 nothing
# goes to the NaN, in PyTorch 2.14 the whole gradient does. ``relu`` and ``maximum``
# return the NaN, and send a 1:
#
# >>> release = tuple(int(part) for part in torch.__version__.split(".")[:2])
# >>> nothing = torch.tensor(0.0)
# >>> to_nan = slope(lambda x: torch.fmax(x, nothing), math.nan)
# >>> to_nan == ([1.0] if release == (2, 14) else [0.0])
# True
# >>> slope(torch.relu, math.nan), slope(lambda x: torch.maximum(x, nothing), math.nan)
# ([1.0], [1.0])

# %%
# Anomaly mode
# ------------
#
# A NaN in a gradient spoils its weight with the next step, and one step later what
# depends on this weight. So we want to know where it was born. In *anomaly mode*
# PyTorch looks at what each operation sends back:


def hunt(function, *at):
    x = torch.tensor(at, requires_grad=True)
    with warnings.catch_warnings(action="ignore"), torch.autograd.detect_anomaly():
        try:
            print(torch.autograd.grad(function(x).sum(), x)[0])
        except RuntimeError as error:
            print(error)


hunt(lambda x: ((x - 1) ** 2).sqrt(), 1.0)

# %%
# The mode also prints a traceback of the forward pass, which leads to the line; here it
# is held back. (It is slow: switch it on for the hunt.) The message accuses
# the square, which has multiplied infinity by zero. That ``sqrt`` had sent an infinity
# is not an anomaly. Neither is a slope that is finite, though the value is NaN:
#
# >>> hunt(torch.sqrt, 0.0)
# tensor([inf])
# >>> hunt(torch.log, -1.0)
# tensor([-1.])
# >>> hunt(torch.sqrt, -1.0)
# Function 'SqrtBackward0' returned nan values in its 0th output.
#
# .. predict::
#
#    And for the ``where`` above, at 0: which operation does the message name, the
#    choice or the square root?
#
#    .. answer::
#
#       The square root. ``where`` has sent it a zero, which is a number.

hunt(lambda x: torch.where(x > 0, x.sqrt(), 0.0), 0.0)

# %%
# The outputs of a backward step belong to the inputs of the operation, counted from 0,
# without those that have no gradient, such as the condition of ``where``. So the "1th
# output" of a division is its divisor:
#
# >>> hunt(lambda x: x / x, 0.0)
# Function 'DivBackward0' returned nan values in its 1th output.
#
# In a training that runs for days the mode is too slow. A look at the length of the
# gradient costs little, and clipping computes this length anyway. Without the look,
# clipping makes one NaN into many:

a = torch.tensor([1.0, 2.0], requires_grad=True)
b = torch.tensor([3.0], requires_grad=True)
a.grad, b.grad = torch.tensor([math.nan, 1.0]), torch.tensor([1.0])
torch.nn.utils.clip_grad_norm_([a, b], max_norm=1.0)
a.grad, b.grad

# %%
# >>> a.grad, b.grad
# (tensor([nan, nan]), tensor([nan]))
#
# With ``error_if_nonfinite=True`` it raises, before it writes:

a.grad, b.grad = torch.tensor([math.nan, 1.0]), torch.tensor([1.0])
try:
    torch.nn.utils.clip_grad_norm_([a, b], 1.0, error_if_nonfinite=True)
except RuntimeError as error:
    message = str(error).split(", so")[0]
    print(message)

# %%
# >>> message
# 'The total norm of order 2.0 for gradients from `parameters` is non-finite'
# >>> a.grad, b.grad
# (tensor([nan, 1.]), tensor([1.]))

# %%
# Exercises
# ---------
#
# .. exercise::
#
#    Repair three lines: ``((x - 1) ** 2).sqrt()`` at 1, ``x.sigmoid().log()`` at −100,
#    and ``torch.where(x > 0, 1 / x, 0.0)`` at 0.
#
#    .. answer::
#
#       The absolute value, the function with a name, and a choice before the division.
#
#       >>> slope(lambda x: (x - 1).abs(), 1.0), slope(F.logsigmoid, -100.0)
#       ([0.0], [1.0])
#       >>> def inverse(x):
#       ...     safe = torch.where(x > 0, x, 1.0)
#       ...     return torch.where(x > 0, 1 / safe, 0.0)
#       >>> slope(inverse, 0.0, 2.0)
#       [0.0, -0.25]
#
# .. exercise::
#
#    Somebody repairs the square root by ``torch.where(x > 0, (x + 1e-12).sqrt(),
#    0.0)``. For which ``x`` is there still a NaN?
#
#    .. answer::
#
#       For those below :law:`-10^{-12}`, where the root itself is NaN, and at this
#       number, where its slope is infinite. At 0 the slope is large, and 0 times a
#       large number is 0.
#
#       >>> def lifted(x):
#       ...     return torch.where(x > 0, (x + 1e-12).sqrt(), 0.0)
#       >>> slope(lifted, 0.0, -5e-13, -1e-12, -1.0)
#       [0.0, 0.0, nan, nan]
#
# .. exercise::
#
#    A feature is constant over the whole batch, and you divide by its standard
#    deviation plus a small number. Is the gradient finite, with ``std()``, and with
#    ``var().sqrt()``?
#
#    .. answer::
#
#       With ``std()`` it is, since its slope is 0 by choice. With the root by hand the
#       small number comes too late: the infinity was born before.
#
#       >>> def scaled(x, deviation):
#       ...     return (x / (deviation(x) + 1e-5))[0]
#       >>> slope(lambda x: scaled(x, torch.std), 0.0, 0.0)
#       [100000.0, 0.0]
#       >>> slope(lambda x: scaled(x, lambda x: x.var().sqrt()), 0.0, 0.0)
#       [nan, nan]
#
# .. exercise::
#
#    A gradient is NaN, and anomaly mode does not name an operation whose slope
#    you know to be infinite. What would you look at?
#
#    .. answer::
#
#       At infinities: the mode looks for NaN alone. ``torch.isfinite`` sees both.
#
#       >>> torch.isfinite(torch.tensor(slope(torch.sqrt, 0.0, 1.0)))
#       tensor([False,  True])

# %%
# What we can do now
# ------------------
#
# - Find the two factors: one that is zero, one that is infinite or NaN.
# - Keep the bad entry away *before* the operation, or take the function with a name.
# - Read what anomaly mode says, and know that it passes over infinity.
#
# Next, :doc:`Checking a gradient </lessons/3_debugging/70_checking>`: is it right,
# where no NaN gives it away?

# %%
# Credits and licences
# --------------------
#
# The smooth function with an exponential on one side comes from `an issue
# <https://github.com/pytorch/pytorch/issues/68425>`__ of PyTorch. Our text is under `CC
# BY-SA 4.0 <https://creativecommons.org/licenses/by-sa/4.0/>`__, our code under the
# `MIT licence <https://opensource.org/license/mit>`__.
