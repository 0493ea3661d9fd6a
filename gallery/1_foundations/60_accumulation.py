r"""
Accumulation: the life of .grad
===============================

We follow ``.grad`` through its life: empty, filled, added to, emptied. At the end we
know when the adding harms and when it helps, and how to split a batch of data without
changing its gradient.

:Time: 25 minutes
:Needs: :doc:`Three steps to a gradient </lessons/0_basics/10_gradients_with_pytorch>`
:Level: Foundations
:Tags: .grad, training, errors
"""

# %%
# A neuron learns from many examples, and each has a wish of its own for the weights.
# In ``.grad`` the wishes are added up; whoever trains has to know when that begins.
#
# ``make_dot`` draws what autograd has recorded. ``record_backward`` runs the backward
# step, too, and draws which gradient went along which arrow.

import matplotlib.pyplot as plt
import torch

from torchutils import make_dot, record_backward

# %%
# Empty, filled, added to
# -----------------------
#
# We begin with the first function of the first lesson, the doubled dot product of ``x``
# with itself, :math:`y = 2\, x^\top x = 28`.

x = torch.arange(4.0, requires_grad=True)
y = 2 * torch.dot(x, x)
print(x.grad)

# %%
# The forward step has filled nothing: ``x.grad`` is still ``None``. The backward step
# does, with :math:`\nabla_x y = 4x = (0, 4, 8, 12)`. We also give the result a second
# name, ``kept``.

y.backward()
kept = x.grad
kept

# %%
# Forward and backward once more.
#
# .. predict::
#
#    What does ``x.grad`` hold after the second backward step? And what does ``kept``
#    hold? Type ``x.grad``.
#
#    .. ask:: x.grad
#
#    .. answer::
#
#       ``backward()`` does not overwrite, it adds, and so ``x.grad`` holds
#       :math:`4x + 4x = 8x = (0, 8, 16, 24)`.
#
#       ``kept`` holds the same! It is not a copy, but a second name for the same
#       tensor, and PyTorch adds *into* this tensor.
#
#       .. wrong:: x.grad / 2
#
#          This is one gradient alone. It would be right if the second backward step
#          overwrote the first; but it adds to what is there.

y = 2 * torch.dot(x, x)
y.backward()
x.grad, kept

# %%
# One tensor, two names:
#
# >>> kept is x.grad
# True
#
# This adding is called *accumulation*. Whoever wants to keep a gradient makes a copy,
# ``x.grad.clone()``.

# %%
# Emptied: zero or None
# ---------------------
#
# There are two ways to empty ``.grad``, and they are not the same. The first one writes
# zeros into the tensor.
#
# .. predict::
#
#    After ``x.grad.zero_()``, what does ``kept`` hold?
#
#    .. ask:: kept
#
#    .. answer::
#
#       Four zeros. It is still the same tensor.
#
#       .. wrong:: 8 * x
#
#          A copy would hold these numbers still. ``kept`` is no copy: it is a second
#          name for the tensor into which the zeros are written.

x.grad.zero_()
kept

# %%
# The second way, ``x.grad = None``, leaves that tensor alone and takes away the name.
# The next backward step fills a new one. In spite of its name,
# ``optimizer.zero_grad()`` works in this way too, because it saves memory.
#
# An *optimiser* is an object that changes leaves for us. It finds their gradients in
# ``.grad``. This one makes steps of size 0.1, and has *weight decay*: it adds 0.1
# times the weight to the gradient, so that weights which are not needed shrink.

w = torch.tensor(1.0, requires_grad=True)
optimizer = torch.optim.SGD([w], lr=0.1, weight_decay=0.1)
w.grad = torch.tensor(0.0)

# %%
# .. predict::
#
#    The gradient is zero. Does ``optimizer.step()`` change ``w``? Type its value after
#    the step.
#
#    .. ask:: w
#
#    .. answer::
#
#       Yes. Zero is an answer: "the loss does not react". The optimiser takes its step,
#       and the weight decay acts: :math:`w = 1 - 0.1\,(0 + 0.1 \cdot 1) = 0.99`.
#
#       .. wrong:: 1
#
#          You took a gradient of zero for no gradient. The optimiser takes its step all
#          the same, and the weight decay pulls at ``w``.
#
#       .. wrong:: 0.9
#
#          A tenth of the weight is the gradient that the decay makes. The step then
#          takes a tenth of *that*.

optimizer.step()
w

# %%
# The decay reads the weight itself: one that is five times as large shrinks by five
# times as much.
#
# >>> five = torch.tensor(5.0, requires_grad=True)
# >>> five.grad = torch.tensor(0.0)
# >>> torch.optim.SGD([five], lr=0.1, weight_decay=0.1).step()
# >>> five
# tensor(4.9500, requires_grad=True)
#
# Now we empty with ``zero_grad()`` and make the same step.

optimizer.zero_grad()
optimizer.step()
w.grad, w

# %%
# ``None`` is no answer at all: "nobody has asked". The optimiser leaves such a
# weight out, and :math:`w = 0.99` stays. `PyTorch's manual
# <https://docs.pytorch.org/docs/stable/generated/torch.optim.Optimizer.zero_grad.html>`__
# warns of this difference.
#
# .. list-table::
#    :header-rows: 1
#
#    * - moment
#      - ``.grad``
#      - what the optimiser does
#    * - before the first backward step
#      - ``None``
#      - leaves the weight out
#    * - after a backward step
#      - the gradient
#      - uses it
#    * - after one more
#      - the *sum* of both gradients
#      - uses the sum
#    * - after ``.grad.zero_()``
#      - zeros, in the same tensor
#      - takes a step with gradient 0
#    * - after ``.grad = None`` or ``optimizer.zero_grad()``
#      - ``None``
#      - leaves the weight out

# %%
# Forgetting to empty
# -------------------
#
# What happens if we never empty? We look for the weight ``w`` that turns the data ``x``
# into the targets ``t``. As each target is twice its ``x``, the best weight is 2. The
# function ``loss`` is the mean squared error of the samples from ``first`` up to, but
# without, ``last``.

x = torch.tensor([1.0, 2.0, 3.0, 4.0])
t = 2 * x


def loss(w, first=0, last=4):
    return ((w * x[first:last] - t[first:last]) ** 2).mean()


# %%
# And this walks from 1 to the best weight, in 30 steps. It empties ``w.grad`` after
# each step, or it forgets to.


def descend(empty):
    w = torch.tensor(1.0, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.02)
    path = [w.item()]
    for _ in range(30):
        loss(w).backward()
        optimizer.step()
        if empty:
            optimizer.zero_grad()
        path.append(w.item())
    return path


# %%
# .. predict::
#
#    Sketch both paths, step by step. What will the forgetful one do at 2?
#
#    .. answer::
#
#       At 2 the gradient is 0. But ``w.grad`` still holds the sum of all gradients
#       before, so the weight runs past 2, until new gradients of the other sign have
#       used up the sum. Then it comes back, and runs past 2 again.

fig, axes = plt.subplots(layout="constrained")
fig.set_label("Emptied, w settles at 2. Not emptied, it swings between 1 and 3.")
axes.plot(descend(empty=True), "o-", color="tab:blue", label="emptied")
axes.plot(descend(empty=False), "s--", color="tab:orange", label="never emptied")
axes.set(xlabel="step", ylabel="w", ylim=(0.7, 3.7))
axes.legend(loc="upper right", ncols=2)
plt.show()

# %%
# No error, no warning, and a loss that falls at first: such a mistake is hard to see.
# It is the reason for the line in a training loop that empties ``.grad``.

# %%
# Adding on purpose: half a batch at a time
# -----------------------------------------
#
# Why does PyTorch add at all, if it is such a trap? Because the gradient of a sum is
# the sum of the gradients. Several paths from one leaf are added up for this reason,
# and several backward steps as well. We can use it.
#
# A set of samples whose loss we compute together is called a *batch*. Our four samples
# are one, with :math:`L = \frac{1}{4} \sum_{i=0}^{3} (w x_i - t_i)^2 = 7.5` at
# :math:`w = 1`.

w = torch.tensor(1.0, requires_grad=True)
L = loss(w)
L

# %%
# Its gradient is our goal:
#
# .. math::
#
#    \frac{dL}{dw} = \frac{2}{4} \sum_{i=0}^{3} (w x_i - t_i)\, x_i = -15

L.backward()
w.grad

# %%
# Now suppose that our memory holds two samples only. We split the batch into two
# *micro-batches*. The mean over all four is half the mean over the first two plus half
# the mean over the last two, so we divide each loss by 2. We write both out, so that
# what is predicted, ``p``, and its distance from the target, ``d``, have names.

w.grad = None
p0, p1 = w * x[:2], w * x[2:]
d0, d1 = p0 - t[:2], p1 - t[2:]
L0 = (d0**2).mean() / 2
L1 = (d1**2).mean() / 2
make_dot([L0, L1], locals(), direction="TB")

# %%
# Two graphs, one leaf: all that they share is the place where both gradients will be
# added up, ``w.grad``.
#
# .. predict::
#
#    We call ``L0.backward()``, then ``L1.backward()``. What does ``w.grad`` hold after
#    the first, and after the second? Type both numbers.
#
#    .. ask:: [w.grad, w.grad + torch.autograd.grad(L1, w, retain_graph=True)[0]]
#
#    .. answer::
#
#       First the gradient of the first half,
#
#       .. math::
#
#          \frac{dL_0}{dw} = \frac{1}{2} \sum_{i=0}^{1} (w x_i - t_i)\, x_i = -2.5
#
#       The second half brings
#
#       .. math::
#
#          \frac{dL_1}{dw} = \frac{1}{2} \sum_{i=2}^{3} (w x_i - t_i)\, x_i = -12.5
#
#       Together they are :math:`-2.5 - 12.5 = -15`, the gradient of the whole batch.
#
#       .. wrong:: [w.grad, torch.autograd.grad(L1, w, retain_graph=True)[0]]
#
#          The second number is what the second half brings. It does not replace what
#          the first half has left there: it is added.
#
#       .. wrong:: [2 * w.grad, 2 * w.grad
#          + 2 * torch.autograd.grad(L1, w, retain_graph=True)[0]]
#
#          The division by 2 is forgotten. Each half is a mean over two samples, and
#          counts only half in the mean over four.

record_backward(L0, locals(), direction="TB")

# %%
# Until the last step ``w.grad`` is ``None``; at :step:`p0 sends to w` the adjoint of
# ``w`` is complete, and only :step:`w is a leaf` puts it into ``.grad``. Adjoints
# belong to one walk, and are gone when it ends. ``.grad`` belongs to the leaf, and
# stays.
#
# Half of the way: ``w.grad`` holds what the first two samples say.
#
# >>> w.grad
# tensor(-2.5000)
#
# What this graph had saved is free again. A program that is short of memory builds the
# second graph only now, so it never holds more than half a batch.

record_backward(L1, locals(), direction="TB")

# %%
# Walk through the second pass. At :step:`w: leaf`, its first step, ``w`` brings along
# what the first pass has left. Tick *Predict*, and go to :step:`p1 sends to w`: what
# will ``w.grad`` hold after the next step?
#
# The second pass sent its own number to ``w``, and it was *added* to what ``w.grad``
# held:
#
# >>> w.grad
# tensor(-15.)
#
# .. exercise::
#
#    Below this drawing, change ``w`` to 2, the best weight. What does the pass send to
#    ``w`` now, and what does ``w.grad`` hold in the end? First think, then look.
#
#    .. answer::
#
#       At the best weight the loss does not react, so the pass sends zero. But zero is
#       *added*, like every other number, and ``w.grad`` keeps what the first pass has
#       left there. A training loop that forgets to empty would go on with this number.
#
#       >>> u = torch.tensor(2.0, requires_grad=True)
#       >>> u.grad = torch.tensor(-2.5)
#       >>> (loss(u, 2, 4) / 2).backward()
#       >>> u.grad
#       tensor(-2.5000)

# %%
# Parts of different size
# -----------------------
#
# Three samples fit into memory now. So the first micro-batch has three, and the last
# one has what is left. We still divide each mean by 2.
#
# .. predict::
#
#    Is the result still that of the whole batch? What does ``w.grad`` hold in the end?
#
#    .. ask:: w.grad
#
#    .. answer::
#
#       No. The mean of two means is the mean of all if both parts have the same size;
#       with different sizes it would be by luck. The first part gives
#       :math:`\frac{1}{3} \sum_{i=0}^{2} (w x_i - t_i)\, x_i = -4.6667`, the second
#       :math:`(w x_3 - t_3)\, x_3 = -16`. Together that is
#       :math:`-4.6667 - 16 = -20.6667`, and not :math:`-15`: the single sample counts
#       as much as the three others together.
#
#       .. wrong:: torch.autograd.grad(loss(w), w)[0]
#
#          This is the gradient of the whole batch, and it would be right for two halves
#          of the same size. A mean of means lets the single sample count as much as the
#          three others together.
#
#       .. wrong:: 2 * w.grad
#
#          Each mean has been divided by 2, and here this is forgotten.

w.grad = None
for first, last in [(0, 3), (3, 4)]:
    L = loss(w, first, last) / 2
    L.backward()
w.grad

# %%
# Nothing warns us. The loss itself was no longer the mean over all four:
#
# >>> w.grad
# tensor(-20.6667)
# >>> loss(w, 0, 3) / 2 + loss(w, 3, 4) / 2, loss(w)
# (tensor(10.3333, grad_fn=<AddBackward0>), tensor(7.5000, grad_fn=<MeanBackward0>))
#
# .. exercise::
#
#    Spot the error. A recipe on the web, `quoted on PyTorch's forum
#    <https://discuss.pytorch.org/t/pytorch-gradient-accumulation/55955>`__, divides
#    each loss by ``accumulation_steps``, the number of micro-batches. Our batch has
#    1000 samples, and 64 of them fit into memory. Which condition does the recipe not
#    mention?
#
#    .. answer::
#
#       That all parts have the same size. With 960 samples they would: 15 parts of 64.
#       With 1000 the last part has only 40, and each sample in it counts 1.6 times as
#       much as one of the others.
#
#       >>> 15 * 64, 1000 - 15 * 64, 64 / 40
#       (960, 40, 1.6)
#
#       A language model's loss is a mean over the *words* of a part, and two parts with
#       as many texts need not have as many words. A widely used library had to `correct
#       <https://github.com/huggingface/transformers/pull/34191>`__ this in 2024.
#
# .. exercise::
#
#    Repair the split into three samples and one.
#
#    .. answer::
#
#       A part with :math:`n_i` of :math:`n` samples gets the weight :math:`n_i / n`, so
#       that each sample has the same: :math:`\frac{3}{4}` and :math:`\frac{1}{4}`. The
#       parts then give :math:`\frac{2}{4} \sum_{i=0}^{2} (w x_i - t_i)\, x_i = -7` and
#       :math:`\frac{2}{4}\, (w x_3 - t_3)\, x_3 = -8`, and together
#       :math:`-7 - 8 = -15`.
#
#       >>> u = torch.tensor(1.0, requires_grad=True)
#       >>> for first, last in [(0, 3), (3, 4)]:
#       ...     (loss(u, first, last) * (last - first) / 4).backward()
#       >>> u.grad
#       tensor(-15.)

# %%
# A gradient without a trace
# --------------------------
#
# Sometimes we want to look at a gradient and leave no trace. ``torch.autograd.grad``
# does not touch any ``.grad``. It returns a tuple, with one gradient for each tensor
# that we name.

x = torch.arange(4.0, requires_grad=True)
y = 2 * torch.dot(x, x)
torch.autograd.grad(y, x)

# %%
# .. exercise::
#
#    What does ``x.grad`` hold now?
#
#    .. answer::
#
#       ``None``. The gradient was returned, and not stored.
#
#       >>> print(x.grad)
#       None
#
# .. list-table::
#    :header-rows: 1
#
#    * - question
#      - ``y.backward()``
#      - ``torch.autograd.grad(y, x)``
#    * - where is the gradient?
#      - added to ``x.grad``
#      - returned
#    * - for which tensors?
#      - the leaves that a path leads back to, or those named by ``inputs=``
#      - those that we name, leaf or not
#    * - called twice, each time with a new record
#      - the sum of both
#      - the same gradient twice
#    * - made for
#      - training, with an optimiser
#      - looking, and further computing
#
# The second row as an example, with two leaves and a value between them and the root:
#
# >>> p, q = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
# >>> s = 3 * p * q
# >>> torch.autograd.grad(s.sum(), s, retain_graph=True)
# (tensor([1., 1.]),)
# >>> s.sum().backward(inputs=[p])
# >>> p.grad, q.grad
# (tensor([3., 3.]), None)

# %%
# Exercises
# ---------
#
# Two losses of the same leaf:

a = torch.dot(x, x)
b = x.sum()
y = a + b
make_dot(y, locals())

# %%
# .. exercise::
#
#    Compare ``y.backward()``, where :math:`y = a + b`, with the two steps
#    ``a.backward()`` and ``b.backward()``. Which ``x.grad`` does each leave?
#
#    .. answer::
#
#       The same: :math:`\nabla_x y = \nabla_x a + \nabla_x b = 2x + \mathbf{1}
#       = (1, 3, 5, 7)`. In the first case the sum is taken inside one backward pass, in
#       the second by two passes in a row.
#
#       >>> u = torch.arange(4.0, requires_grad=True)
#       >>> torch.dot(u, u).backward()
#       >>> u.sum().backward()
#       >>> u.grad
#       tensor([1., 3., 5., 7.])
#
# .. exercise::
#
#    Spot the error. In 2017 an `answer about zero_grad
#    <https://stackoverflow.com/questions/48001598>`__ had a training loop that begins
#    each round with ``W.grad.data.zero_()``, then goes forward and backward. What
#    happens in the first round?
#
#    .. answer::
#
#       Before the first backward step there is no gradient, not even zeros, and
#       ``None`` cannot be zeroed:
#
#       >>> W = torch.ones(2, requires_grad=True)
#       >>> try:
#       ...     W.grad.data.zero_()
#       ... except AttributeError as error:
#       ...     print(error)
#       'NoneType' object has no attribute 'data'
#
#       ``W.grad = None`` works in each round, and so does ``optimizer.zero_grad()``.

# %%
# What we can do now
# ------------------
#
# - Say what ``.grad`` holds at each moment, and empty it at the right one.
# - Split a batch, and weight its parts so that the gradient stays the same.
# - Get a gradient without touching any ``.grad``.
#
# Next, :doc:`Leaves </lessons/1_foundations/70_leaves>` asks which tensors have a
# ``.grad`` at all.
