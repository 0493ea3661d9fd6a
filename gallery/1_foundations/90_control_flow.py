"""
Control flow
============

Loops and conditions decide which operations run, and autograd records only those that
did. At the end we know what is differentiated in a program that branches, and what the
gradient cannot see.

:Time: 20 minutes
:Needs: :doc:`Chain rule: sum over paths </lessons/1_foundations/30_chain_rule>`
:Level: Foundations
:Tags: graph, derivatives
"""

# %%
# Our neuron ran the same operations for each input. A program may choose: a neuron with
# a kink instead of a sigmoid, a network that is run until its answer is large enough.
#
# Our function doubles its argument until the result is large. The norm of a single
# number is its absolute value. A positive result is returned as it is, a negative one a
# hundred times.

import torch

from torchutils import make_dot


def f(a):
    b = 2 * a
    while b.norm() < 1000:
        b = 2 * b
    return b if b.sum() > 0 else 100 * b


# %%
# How often the loop runs is not written anywhere. It depends on ``a``: from a small one
# it takes many rounds, and at 0, which stays 0 when it is doubled, it would not end.
# Can such a function have a gradient? We try it.
#
# >>> b = torch.zeros(())
# >>> for _ in range(1000):
# ...     b = 2 * b
# >>> b.norm() < 1000
# tensor(True)

# %%
# The loop is gone
# ----------------
#
# We begin at one half.

a = torch.tensor(0.5, requires_grad=True)
y = f(a)
y

# %%
# From one half to 1024 it takes eleven doublings, so here
# :math:`y = 2^{11} a = 2048\,a = 1024`.
#
# .. predict::
#
#    We draw the graph. How many boxes of operations does it have? Where are ``while``
#    and ``if``? Type how many.
#
#    .. ask:: len(make_dot(y, {}).graph.nodes) - 1
#
#    .. answer::
#
#       11 boxes, one for each doubling that has run. ``while`` and ``if`` are not
#       there. They are Python's business; autograd sees tensors being multiplied.
#
#       .. wrong:: 1
#
#          The loop has one line that doubles, and it has run many times. Each time that
#          it runs, autograd records one more operation.
#
#       .. wrong:: 10
#
#          The first doubling, before the loop, is forgotten. It is recorded like the
#          others.

make_dot(y, locals(), direction="TB")

# %%
# It is an ordinary graph, a chain without a branch.
#
# .. predict::
#
#    What is the derivative of ``y`` with respect to ``a``?
#
#    .. ask:: a.grad
#
#    .. answer::
#
#       Each doubling contributes a factor 2, and the chain rule multiplies eleven of
#       them: :math:`\frac{dy}{da} = 2^{11} = 2048`.
#
#       .. wrong:: 2 * 11
#
#          The factors have been added. Along a path, local derivatives are
#          *multiplied*.
#
#       .. wrong:: y
#
#          This is the value. It is half as large as the derivative, because ``a`` is
#          one half.

y.backward()
a.grad

# %%
# Eleven factors:
#
# >>> a.grad.item() == 2**11
# True
#
# Why does the test ``b.norm() < 1000`` leave no trace in the graph? The norm is
# recorded like any operation. But the comparison returns true or false. These have no
# slope, so the record ends there, and nothing in ``y`` refers to it:
#
# >>> length = f(a).norm()
# >>> length.grad_fn.name()
# 'LinalgVectorNormBackward0'
# >>> test = length < 2000
# >>> test.dtype, test.requires_grad
# (torch.bool, False)
#
# This is no speciality of PyTorch. `TensorFlow's record
# <https://www.tensorflow.org/guide/autodiff>`__ follows the same rule.

# %%
# Another input, another graph
# ----------------------------
#
# Each call makes a new record. From 100 it is not far:

a = torch.tensor(100.0, requires_grad=True)
y = f(a)
make_dot(y, locals(), direction="TB")

# %%
# Four doublings, :math:`y = 2^4 a = 1600`, and so :math:`\frac{dy}{da} = 2^4 = 16`.
#
# .. predict::
#
#    And at ``a = -0.5``? Now the ``else`` is taken. Type the derivative.
#
#    .. ask:: torch.autograd.grad(y, a, retain_graph=True)[0]
#
#    .. answer::
#
#       Eleven doublings lead to −1024. Then comes one more box, the multiplication by
#       100. So :math:`y = 100 \cdot 2^{11} a = -102400`, and
#       :math:`\frac{dy}{da} = 100 \cdot 2^{11} = 204800`. The derivative is positive:
#       if ``a`` grows, ``y`` becomes less negative.
#
#       .. wrong:: y / (-a)
#
#          The sign is that of ``y``. But the slope is a product of factors that are all
#          positive: 2, again and again, and 100.
#
#       .. wrong:: 2**11
#
#          The last operation is forgotten, the multiplication by 100.
#
#       .. wrong:: y
#
#          This is the value of ``y``, not its slope.

a = torch.tensor(-0.5, requires_grad=True)
y = f(a)
y

# %%
# We ask for the gradient without storing it:

torch.autograd.grad(y, a)

# %%
# The rule is short: *what we run is what we differentiate*. Autograd takes the
# operations that ran for this input, and treats them as if they were the whole
# function. To find derivatives of a program in this way is called *automatic
# differentiation*.

# %%
# Jumps are invisible
# -------------------
#
# Is that allowed? Near one half the loop runs equally often for all neighbours. There
# our function *is* :math:`2048\,a`, and the gradient is right. But somewhere the
# number of doublings must change. We draw ``y`` between 125 and 1100.

import matplotlib.pyplot as plt

fig, ax = plt.subplots()
for start, stop in [(125.0, 249.9), (250.0, 499.9), (500.0, 1100.0)]:
    ends = torch.tensor([start, stop])
    ax.plot(ends, [f(a) for a in ends], "o-", color="C0")
ax.set(xlabel="a", ylabel="y")
fig.set_label(
    "Three rising straight lines, each less steep than the one before. Between "
    "them y jumps from almost 2000 down to 1000."
)

# %%
# Two dots lie almost above each other, at ``a = 499.9`` and ``a = 500``. At 500 a
# single doubling gives 1000, which is enough: :math:`y = 2a = 1000`. The one operation
# that ran has the slope 2, and this is what autograd says.

a = torch.tensor(500.0, requires_grad=True)
y = f(a)
y, torch.autograd.grad(y, a)

# %%
# .. predict::
#
#    At 499.9 the first doubling does not quite suffice. What are ``y`` and its
#    derivative there? And what do we find if we go from one dot to the other, and
#    divide the change of ``y`` by the change of ``a``? Type the derivative.
#
#    .. ask:: torch.autograd.grad(y, a, retain_graph=True)[0]
#
#    .. answer::
#
#       One more doubling runs: :math:`y = 4a = 1999.6`, with the derivative
#       :math:`\frac{dy}{da} = 4`. Both slopes are positive. But from dot to dot
#       ``y`` *falls*, and steeply:
#       :math:`\frac{1000 - 1999.6}{500 - 499.9} = -9996`.
#
#       .. wrong:: 2
#
#          This is what autograd says at 500. At 499.9 the loop runs once more, and
#          brings another factor.
#
#       .. wrong:: (1000 - 1999.6) / (500 - 499.9)
#
#          This is what we find if we go from dot to dot. The derivative looks at one
#          point, and there the slope is that of its own line.

a = torch.tensor(499.9, requires_grad=True)
y = f(a)
y

# %%
# Each derivative is the slope of its own line. At 499.9 this is the derivative of
# the function. At 500, where the new line begins, it is the slope to the right only. To
# the left there is the jump: the closer the dots, the steeper the way from one to the
# other.
#
# >>> border = torch.tensor(500.0, dtype=torch.float64)
# >>> [round(((f(border) - f(border - h)) / h).item()) for h in (0.1, 0.001)]
# [-9996, -999996]
#
# So the function has no derivative at 500. Autograd does not say so; it returns the
# slope of what ran. And no derivative tells of the jump. Suppose we stand at 499.9 and
# want a small ``y``. The gradient sends us to the left, down the slope. It does not
# know that one step to the right ``y`` is only about half as large.

# %%
# One decision for a whole vector
# -------------------------------
#
# The function takes vectors, too. Then the norm is the length, here of
# :math:`a = (0.6, 0.8)`, which is :math:`\|a\| = 1`. All entries are doubled
# together.

a = torch.tensor([0.6, 0.8], requires_grad=True)
y = f(a)
y

# %%
# Ten doublings, :math:`y = 2^{10} a = (614.4, 819.2)`. The result has two entries, so
# we ask for the :doc:`Jacobian </lessons/1_foundations/50_jacobians>`: one row for each
# entry of ``y``, one column for each entry of ``a``.
#
# .. predict::
#
#    The length that decides about the loop is made of *both* entries. Does ``y[0]``
#    react to ``a[1]``? Type the four numbers of the Jacobian, row by row.
#
#    .. ask:: torch.autograd.functional.jacobian(f, a)
#
#    .. answer::
#
#       Not according to autograd. The test is not in the record, only the doublings
#       are: :math:`J = 1024\, I = \begin{pmatrix} 1024 & 0 \\ 0 & 1024 \end{pmatrix}`.
#       And that is true, as long as the number of doublings does not change.
#
#       .. wrong:: 1024 * torch.ones(4)
#
#          Each entry of ``y`` is made from its own entry of ``a``, by doubling. The
#          test looks at both, but it leaves no trace in the record.

torch.autograd.functional.jacobian(f, a)

# %%
# >>> torch.equal(torch.autograd.functional.jacobian(f, a), 1024 * torch.eye(2))
# True

# %%
# On the border
# -------------
#
# Here is the absolute value, written with a condition. It is right for each number.

x = torch.tensor(0.0, requires_grad=True)
y = x if x > 0 else -x

# %%
# .. predict::
#
#    What is the derivative at 0, with this code? And what does ``torch.abs`` say? Type
#    the first.
#
#    .. ask:: torch.autograd.grad(y, x, retain_graph=True)[0]
#
#    .. answer::
#
#       Zero is not greater than zero, so the ``else`` has run: ``y`` is :math:`-x`, and
#       :math:`\frac{dy}{dx} = -1`. ``torch.abs`` says 0. At its kink the absolute
#       value has no derivative at all; the condition and ``torch.abs`` made different
#       choices.
#
#       >>> torch.autograd.grad(torch.abs(x), x)
#       (tensor(0.),)
#
#       .. wrong:: 0
#
#          This is what ``torch.abs`` says. The condition makes another choice: only one
#          of its branches has run.
#
#       .. wrong:: 1
#
#          This is the slope of the other branch. Zero is not greater than zero.

torch.autograd.grad(y, x), torch.autograd.grad(torch.abs(x), x)

# %%
# So two programs that compute the same function may have different gradients.
#
# On a kink one can argue. The next example has no kink. The function returns its
# argument, in a clumsy way:


def g(x):
    return x if x != 0 else torch.zeros(())


# %%
# On paper its slope is 1 everywhere, also at 0.
#
# .. predict::
#
#    What will we get for the gradient of ``g(x)`` at 0?
#
#    .. answer::
#
#       None, because there is no graph. What ran at 0 is ``torch.zeros(())``, and it
#       has nothing to do with ``x``. A call of ``backward()`` would raise an error.
#
#       >>> g(x).requires_grad, g(x + 1).requires_grad
#       (False, True)

g(x).requires_grad

# %%
# Somebody proposes ``torch.where`` instead, which takes ``x`` where the condition is
# true, and zero elsewhere. It is an operation itself, so it is recorded in any case.

y = torch.where(x != 0, x, 0.0)
make_dot(y, locals())

# %%
# There is a path to ``x``. But the side that was not chosen gets a zero, and at 0 the
# constant was chosen: :math:`\frac{dy}{dx} = 0`.

y.backward()
x.grad

# %%
# No graph, or a zero, and the right answer is 1. No graph is the lesser evil: a
# backward step from ``g(x)`` is an error, and an error can be seen. In a sum with
# something that has a graph, even this goes unseen:
#
# >>> u, w = torch.zeros((), requires_grad=True), torch.ones((), requires_grad=True)
# >>> (g(u) + w).backward()
# >>> print(u.grad, w.grad)
# None tensor(1.)
#
# What helps is to write the function so that the branch that runs has the right
# derivative, not only the right value. Here, that is plain ``x``.

# %%
# Exercises
# ---------
#
# First, our function at 1. Work it out before you open the answer.

a = torch.tensor(1.0, requires_grad=True)
y = f(a)

# %%
# .. exercise::
#
#    What are :math:`y` and :math:`\frac{dy}{da}` at ``a = 1``?
#
#    .. answer::
#
#       Ten doublings: :math:`y = 2^{10} a = 1024` and
#       :math:`\frac{dy}{da} = 2^{10} = 1024`.
#
#       >>> torch.autograd.grad(y, a, retain_graph=True)
#       (tensor(1024.),)
#
# In a *second-price auction* the highest bidder wins, and pays the second highest bid.

b = torch.tensor([3.0, 7.0, 5.0], requires_grad=True)
p = b.sort(descending=True).values[1]
p

# %%
# .. exercise::
#
#    The price is :math:`p = 5`. What is its gradient with respect to the three bids?
#    What does this say about the auction? (From an `older edition
#    <https://github.com/d2l-ai/d2l-en/blob/00ad4e5fd3bc40dc56f9af381468befb5bf544a1/chapter_preliminaries/autograd.md>`__
#    of *Dive into Deep Learning*.)
#
#    .. answer::
#
#       Sorting compares, and then moves numbers. The comparisons are invisible. The
#       price *is* the bid at index 2, :math:`p = b_2`, so
#       :math:`\nabla_b p = (0, 0, 1)`:
#
#       >>> torch.autograd.grad(p, b, retain_graph=True)
#       (tensor([0., 0., 1.]),)
#
#       As long as it is the highest, the winner's bid, at index 1, has no influence on
#       what the winner pays. There is nothing to gain by bidding a little less.
#
# Here a number decides how often a loop runs.

n = torch.tensor(3.0, requires_grad=True)
x = torch.tensor(2.0, requires_grad=True)
y = torch.ones(())
for _ in range(int(n)):
    y = y * x

# %%
# .. exercise::
#
#    On paper this is :math:`y = x^n = 8`. Autograd finds
#    :math:`\frac{dy}{dx} = n\,x^{n-1} = 12`, as it should. What does it find for
#    ``n``, and why not the derivative of :math:`x^n` with respect to ``n``?
#
#    .. answer::
#
#       Nothing, not even a zero. ``int(n)`` returns a Python number and so leaves
#       autograd; no path leads back to ``n``.
#
#       >>> torch.autograd.grad(y, n, retain_graph=True, allow_unused=True)
#       (None,)
#
#       Nothing is lost by that. A loop cannot run three and a half times. As a function
#       of ``n`` the program is a staircase: flat, with jumps. If we mean the power, we
#       write ``x**n``, and get :math:`x^n \ln x = 5.5452`:
#
#       >>> torch.autograd.grad(x**n, n)
#       (tensor(5.5452),)

# %%
# What we can do now
# ------------------
#
# - Read in the graph which branch was taken, and how often a loop ran.
# - Say what is differentiated: the operations that ran, at this input.
# - Expect no help from a gradient where the number of operations jumps.
#
# This completes the level Foundations; :doc:`a mixed quiz </quiz_foundations>` asks
# what is left of it. The next one, *Practice*, begins with
# :doc:`Gradient descent by hand </lessons/2_practice/10_gradient_descent>`: we follow a
# gradient downhill.

# %%
# Credits and licences
# --------------------
#
# The function ``f`` is, in our words, the example for control flow of `Dive into Deep
# Learning <https://d2l.ai/chapter_preliminaries/autograd.html>`__. Our text is under
# `CC BY-SA 4.0 <https://creativecommons.org/licenses/by-sa/4.0/>`__, our code under the
# `MIT licence <https://opensource.org/license/mit>`__.
