r"""
Chain rule: sum over paths
==========================

If a value is used twice, two paths lead from it to the result, and its gradient is the
sum over both. At the end we can explain such a sum, write a backward pass by hand, and
say why autograd never needs to list the paths.

:Time: 25 minutes
:Needs: :doc:`The graph behind y </lessons/1_foundations/20_the_graph_behind_y>`
:Level: Foundations
:Tags: chain rule, graph
"""

# %%
# In a network the answer of one neuron goes to several others, so a weight reaches the
# result on several paths.
#
# In the last lesson contributions met at a leaf and were added. Now we ask why.

import matplotlib.pyplot as plt
import torch

from torchutils import record_backward

# %%
# One path: multiply
# ------------------
#
# First a chain without a fork: ``x`` makes ``z``, and ``z`` makes ``y``.

x = torch.tensor(3.0, requires_grad=True)
z = x**2
y = 2 * z
y

# %%
# At :math:`x = 3`, ``z`` moves :math:`\frac{dz}{dx} = 2x = 6` times as far as ``x``,
# and ``y`` moves :math:`\frac{dy}{dz} = 2` times as far as ``z``. The factors multiply:
# :math:`\frac{dy}{dx} = \frac{dy}{dz} \cdot \frac{dz}{dx} = 2 \cdot 6 = 12`. This is
# the *chain rule*.

y.backward()
x.grad

# %%
# So along a path we multiply the local derivatives of its edges.

# %%
# Two paths: add
# --------------
#
# Now ``y`` uses ``x`` a second time: :math:`y = x z`, where :math:`z = x^2`.

x = torch.tensor(3.0, requires_grad=True)
z = x**2
y = x * z
y

# %%
# .. predict::
#
#    At :math:`x = 3` we have :math:`z = 9` and :math:`y = 27`. What is the gradient?
#    Find both paths from ``x`` to ``y``, and what each contributes.
#
#    .. ask:: x.grad
#
#    .. answer::
#
#       The direct path has one edge, into the product. Its local derivative is the
#       other factor, :math:`z = 9`. The detour has two edges: :math:`2x = 6` from ``x``
#       to ``z``, and :math:`x = 3` from ``z`` to ``y``. They make
#       :math:`2x \cdot x = 18`. Together
#       :math:`\frac{dy}{dx} = z + 2x \cdot x = 9 + 18 = 27`.
#
#       .. wrong:: z
#
#          You held ``z`` fixed and forgot the detour.
#
#       .. wrong:: 2 * x * x
#
#          This is the detour alone. The direct path, on which ``x`` is a factor,
#          contributes as well.
#
#       .. wrong:: 2 * x * x * z
#
#          The two paths have been multiplied. Along a path we multiply; over paths we
#          *add*.

record_backward(y, locals())

# %%
# At the end of the walk, the contributions stand along the two edges that leave ``x``:
#
# >>> x.grad
# tensor(27.)
#
# Watch the sum come about, from the first step to :step:`y sends to x`. What is the
# adjoint of ``x`` now? It is what the direct path brings, and it looks like an
# answer. But ``x`` does not have its turn yet, because the detour is still on its way.
#
# - At :step:`z (pow) has its turn`: what is the adjoint of ``z``? What will it send?
# - At :step:`z sends to x` both paths have arrived. Find in this line the upstream
#   gradient, the local derivative, their product, and the sum.
#
# Then change ``x`` below the drawing to −3. Which of the two contributions keeps its
# sign, and why? (The direct path sends :math:`z`, a square; the detour sends
# :math:`2x \cdot x`, which is twice the same square.)
#
# Here are the two paths once more, each in its own style.

fig, ax = plt.subplots(figsize=(4.4, 2))
ax.plot([0, 1, 2], [0, 1, 0], "o--", color="tab:orange", linewidth=3)
ax.plot([0, 2], [0, 0], "o-", color="tab:blue", linewidth=3)
for place, text in {(-0.1, 0): "x", (1, 1.1): "z", (2.1, 0): "y"}.items():
    ax.text(*place, text, size=14, ha="center")
ax.text(1, 0.08, f"z = {z:.0f}", size=14, ha="center")
ax.text(0.4, 0.55, f"2x = {2 * x:.0f}", size=14, ha="right")
ax.text(1.6, 0.55, f"x = {x:.0f}", size=14)
ax.axis("off")
fig.set_label("Two paths from x to y: a straight line, and a dashed detour through z.")

# %%
# Why do we add?
# --------------
#
# Let ``x`` take a small step, from 3 to 3.001, and look at the two roles of ``x``
# separately. First only the factor ``x`` moves and the square stays, then only the
# square moves:
#
# >>> round((3.001 * 3**2 - 27) / 0.001, 2)
# 9.0
# >>> round((3 * 3.001**2 - 27) / 0.001, 2)
# 18.0
#
# In truth both move at once, and ``y`` moves by both amounts:
#
# >>> round((3.001 * 3.001**2 - 27) / 0.001, 2)
# 27.01
#
# The tiny rest comes from the step, and goes away with it. So this is the chain rule
# for a graph, in words: multiply along each path, and add over all paths.
#
# .. math::
#    :class: law
#
#    \frac{\partial y}{\partial x} = \sum_{\text{paths}} \;
#    \prod_{\text{edges}} \text{local derivative}

# %%
# Add, do not overwrite
# ---------------------
#
# We write the walk back for this function by hand, with plain numbers. The adjoint of
# ``x`` begins at zero, and each of the two edges brings its contribution.

x_value, z_value = 3.0, 9.0
x_adjoint = 0.0
x_adjoint += z_value * 1.0
z_adjoint = x_value * 1.0
x_adjoint += 2 * x_value * z_adjoint
x_adjoint

# %%
# .. predict::
#
#    What comes out if we write ``=`` instead of ``+=`` in both places?
#
#    .. ask:: x_adjoint
#
#    .. answer::
#
#       Only :math:`2x \cdot x = 18`: the detour comes last and overwrites the direct
#       path. Nothing warns us. Whoever writes an autograd should try this function: as
#       long as no value is used twice, ``=`` and ``+=`` do the same.
#
#       .. wrong:: z_value + 2 * x_value * x_value
#
#          This is the right gradient, the sum of both paths. Without ``+=`` nothing is
#          summed.
#
#       .. wrong:: z_value
#
#          This is what the first assignment writes. The second one comes after it, and
#          overwrites it.

x_adjoint = z_value * 1.0
x_adjoint = 2 * x_value * z_adjoint
x_adjoint

# %%
# At every fork, adding is the rule. In the same spirit ``backward()`` *adds* the
# finished sum to what is already in ``.grad``.

# %%
# Three patterns
# --------------
#
# Three patterns are worth knowing by sight. They occur in
# :math:`y = 2\,(ab + \max(c, d))`.

a = torch.tensor(3.0, requires_grad=True)
b = torch.tensor(-4.0, requires_grad=True)
c = torch.tensor(2.0, requires_grad=True)
d = torch.tensor(-1.0, requires_grad=True)
y = 2 * (a * b + torch.maximum(c, d))
y

# %%
# - An *addition* copies: each input gets the upstream gradient.
# - A *product* swaps: each factor gets the upstream gradient times the *other* factor.
# - A *maximum* chooses: the larger input gets all, the smaller one nothing. If the
#   smaller one moves a little, the maximum stays where it is.
#
# .. predict::
#
#    The value is :math:`y = -20`. Which four gradients do you expect?
#
#    .. ask:: [a.grad, b.grad, c.grad, d.grad]
#
#    .. answer::
#
#       The factor 2 sends 2 to the addition, and the addition copies it. The product
#       sends :math:`2b = -8` to ``a`` and :math:`2a = 6` to ``b``. The maximum sends
#       all to ``c``, the larger one, and nothing to ``d``:
#       :math:`\nabla_{a, b, c, d}\, y = (-8, 6, 2, 0)`.
#
#       .. wrong:: [b, a, 1, 0]
#
#          The factor 2 in front is forgotten. It stands between all of this and ``y``:
#          it is the upstream gradient.
#
#       .. wrong:: [2 * a, 2 * b, 2, 0]
#
#          A product swaps: ``a`` gets the value of ``b``, and ``b`` that of ``a``.
#
#       .. wrong:: [2 * b, 2 * a, 2, 2]
#
#          A maximum does not copy. If ``d`` moves a little, the larger one is still
#          ``c``, and nothing changes.

record_backward(y, locals())

# %%
# Compare the numbers along the edges with the patterns. Each pattern is two steps of
# the walk: the addition at :step:`#1 sends to #2` and the next, the maximum at
# :step:`#3 sends to c` and the next, the product at :step:`#2 sends to a` and the next.
# (A node without a name is called by its number, such as #2.) Then change ``d`` below
# the drawing from −1 to 3: who gets what the maximum sends?
#
# >>> a.grad, b.grad, c.grad, d.grad
# (tensor(-8.), tensor(6.), tensor(2.), tensor(0.))
#
# ``d.grad`` is zero, and not ``None``. An edge does lead to ``d``; what goes back over
# it is a zero. (And if ``c`` and ``d`` were equal? A later lesson is about
# :ref:`such ties <lessons/3_debugging/50_kinks:Ties>`.)

# %%
# A longer walk by hand
# ---------------------
#
# Now a function that nobody wants to differentiate in one go. In steps it is easy:
#
# .. math::
#
#    y = \frac{a + \sigma(b)}{\sigma(a) + (a + b)^2}
#
# As in the last lesson, :math:`\sigma` is the sigmoid function. We call the upper part
# ``p`` and the lower part ``s``, and give a name to the sum ``r`` within it.

a = torch.tensor(3.0, dtype=torch.float64, requires_grad=True)
b = torch.tensor(-4.0, dtype=torch.float64, requires_grad=True)
r = a + b
p = a + torch.sigmoid(b)
s = torch.sigmoid(a) + r**2
y = p / s
y

# %%
# In steps: :math:`r = a + b = -1`, :math:`p = a + \sigma(b)`,
# :math:`s = \sigma(a) + r^2` and :math:`y = \frac{p}{s} = 1.545645`.
#
# .. predict::
#
#    How many paths lead from ``a`` to ``y``? And from ``b``? Type both numbers.
#
#    .. ask:: torch.autograd.grad((a + b) + (a + (a + b)), (a, b))
#
#    .. answer::
#
#       From ``a`` three: through ``p``, through the sigmoid into ``s``, and through
#       ``r`` into ``s``. From ``b`` two: through the sigmoid into ``p``, and through
#       ``r`` into ``s``.
#
#       .. wrong:: [2, 2]
#
#          From ``a``, two paths lead into the lower part: one through the sigmoid, one
#          through the sum ``r``. Both count.
#
# The walk back begins with the quotient. It has two inputs, and sends
# :math:`\frac{\partial y}{\partial p} = \frac{1}{s}` to ``p`` and
# :math:`\frac{\partial y}{\partial s} = -\frac{p}{s^2}` to ``s``. Then ``s`` sends
# :math:`\frac{\partial y}{\partial r} = -\frac{p}{s^2} \cdot 2r` to ``r``.
#
# At the leaves we add one term for each path. The sigmoid's own slope is
# :math:`\sigma'(a) = \sigma(a)\,(1 - \sigma(a))`.
#
# .. math::
#
#    \frac{\partial y}{\partial a}
#    &= \frac{1}{s} - \frac{p}{s^2}\, \sigma'(a) - \frac{p}{s^2} \cdot 2r = 2.059570 \\
#    \frac{\partial y}{\partial b}
#    &= \frac{1}{s}\, \sigma'(b) - \frac{p}{s^2} \cdot 2r = 1.592233

record_backward(y, locals(), direction="TB")

# %%
# Autograd finds :math:`\nabla_{a, b}\, y` in the same way:
#
# >>> a.grad.item(), b.grad.item()
# (2.059570, 1.592233)
#
# Look at the last term of both sums. It is the same, and the walk has computed it only
# once, as the adjoint of ``r``: go to :step:`r (add) has its turn`. The next two steps
# send this one number on, to ``a`` and to ``b``. That is the secret of the next
# section.
#
# The engine has its own order, and it is not the order of our sums. At
# :step:`#5 sends to a` the first contribution arrives at ``a``; count the steps until
# the last one comes, and until ``a`` has its turn.

# %%
# Nobody lists the paths
# ----------------------
#
# We multiply a number by itself, three times in a row. Each product uses its input
# twice, so each one has two edges.

x = torch.tensor(1.001, dtype=torch.float64, requires_grad=True)
u = x
for _ in range(3):
    u = u * u
record_backward(u, locals(), direction="TB")

# %%
# .. predict::
#
#    How many paths lead from ``x`` to ``u`` here? And how many boxes of products are
#    there? After ten such products, how many paths would there be? Type the last
#    number.
#
#    .. ask:: 2**10
#
#    .. answer::
#
#       At each product a path can take one edge or the other, so each product doubles
#       the number: :math:`2^3 = 8` here, and :math:`2^{10} = 1024` after ten. But there
#       is only one box for each product.
#
#       .. wrong:: 2 * 10
#
#          Each product does not add two paths, it *doubles* all that there are: whoever
#          comes to it can go on along either edge.
#
#       .. wrong:: 10
#
#          This is the number of boxes. Each has two edges, and a path takes one of them
#          at each box.
#
# Ten products make :math:`u = x^{1024}`.

x = torch.tensor(1.001, dtype=torch.float64, requires_grad=True)
u = x
for _ in range(10):
    u = u * u
u

# %%
# School calculus knows the answer: :math:`\frac{du}{dx} = 1024\, x^{1023} = 2846.83`.
# How many boxes does the walk back visit?

record = record_backward(u)
len(record.graph.backward), x.grad

# %%
# Ten products and one leaf:
#
# >>> len(record.graph.backward)
# 11
#
# At each box the walk *first* adds up what comes in, and then goes on with one number.
# So all the paths that meet in a box share the rest of the way. It is the same as
# taking out a common factor:
#
# .. math::
#    :class: law
#
#    p\,r + p\,s + q\,r + q\,s = (p + q)\,(r + s)
#
# On the left, four paths, each multiplied out. On the right, two sums and one product.
# (A box must wait until all its contributions have come. The engine keeps count: that
# is why, in each walk of this page, no leaf has its turn before its sum is complete.)
#
# This is how one backward step can differentiate a model with millions of weights: the
# work grows with the number of edges, not with the number of paths.

# %%
# Exercises
# ---------
#
# The smallest fork there is:

a = torch.tensor(3.0, requires_grad=True)
y = a + a
y

# %%
# .. exercise::
#
#    What is the slope of :math:`y = a + a`? What would an engine say that overwrites
#    instead of adding?
#
#    .. answer::
#
#       Two edges lead from ``a`` into the addition, and each one brings 1:
#       :math:`\frac{dy}{da} = 1 + 1 = 2`. If the second overwrites the first, only 1 is
#       left:
#
#       >>> added, overwritten = 0.0, 0.0
#       >>> for contribution in (1.0, 1.0):
#       ...     added += contribution
#       ...     overwritten = contribution
#       >>> added, overwritten
#       (2.0, 1.0)
#
# Back to the product of ``x`` and its square, with one path closed:

x = torch.tensor(3.0, requires_grad=True)
z = (x**2).detach()
y = x * z
y

# %%
# .. exercise::
#
#    ``detach()`` forgets where the values of ``z`` came from. What is the gradient
#    now?
#
#    .. answer::
#
#       Only the direct path is left: :math:`\frac{dy}{dx} = z = 9`.
#
#       >>> u = torch.tensor(3.0, requires_grad=True)
#       >>> (u * (u**2).detach()).backward()
#       >>> u.grad
#       tensor(9.)
#
# Next, a function whose derivative we find in two directions.

x = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
y = torch.log(x**2) * torch.sin(x) + 1 / x
y

# %%
# .. exercise::
#
#    Differentiate :math:`y = \ln(x^2) \sin(x) + \frac{1}{x}` at :math:`x = 2`, twice:
#    once from ``x`` to ``y``, where each step takes along the derivative of its value
#    by ``x``; and once from ``y`` back to ``x``. Which of the two needs to keep values?
#
#    .. answer::
#
#       Both give :math:`\frac{dy}{dx} = \frac{2}{x} \sin(x) + \ln(x^2) \cos(x) -
#       \frac{1}{x^2} = 0.0823954`. Forward, a dot in mind for "derivative by x":
#
#       >>> import math
#       >>> v = 2.0
#       >>> s, ds = v**2, 2 * v
#       >>> p, dp = math.log(s), ds / s
#       >>> q, dq = math.sin(v), math.cos(v)
#       >>> dp * q + p * dq - 1 / v**2
#       0.0823954
#
#       Backward, we begin with 1 at the end. Three contributions arrive at ``x``: from
#       the square, the sine and the quotient.
#
#       >>> p_adjoint, q_adjoint = 1.0 * q, 1.0 * p
#       >>> s_adjoint = p_adjoint / s
#       >>> s_adjoint * 2 * v + q_adjoint * math.cos(v) - 1.0 / v**2
#       0.0823954
#
#       Forward, a value and its derivative travel together, and nothing else is kept.
#       Backward, the walk needs ``s``, ``p`` and ``q`` again, so they must have been
#       stored. The price has a reward: one walk back serves all inputs.
#
# The last function is used in many networks: it shifts and scales numbers so that their
# mean is 0 and their variance is 1.

x = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64, requires_grad=True)
m = x.mean()
s = ((x - m) ** 2).mean().sqrt()
x_hat = (x - m) / s
y = x_hat[0]
x_hat

# %%
# .. exercise::
#
#    Here ``x`` and ``x_hat`` have shape ``(3,)``, and ``m`` and ``s`` are numbers. The
#    root is the first entry of the result, :math:`y = \hat x_0`. Which paths lead from
#    ``x`` to ``y``? Is the gradient zero at :math:`x_1` and :math:`x_2`, which
#    ``y`` does not seem to contain?
#
#    .. answer::
#
#       Four. One is direct, one leads through the mean ``m``, and two through the
#       spread ``s``: straight into the squares, and by way of the mean in them. What
#       comes along the fourth adds up to zero. The second and the third reach *all*
#       entries, and so none is zero here. Let :math:`g = (1, 0, 0)`, which comes back
#       from ``y``, and let :math:`\odot` multiply entry by entry. The direct path
#       divides it by ``s``. The mean moves a third as far as an entry, and is
#       subtracted from each of them: so the mean of :math:`g` goes away. The spread
#       moves by :math:`\nabla_x s = \frac{1}{3} \hat x`, and each entry of the result
#       shrinks with it in proportion. One term for each of these three: :math:`\nabla_x
#       y = \frac{1}{s} (g - \operatorname{mean}(g)\, \mathbf{1} - \operatorname{mean}(g
#       \odot \hat x)\, \hat x) = (0.2041, -0.4082, 0.2041)`.
#
#       >>> u = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64, requires_grad=True)
#       >>> u_hat = (u - u.mean()) / u.std(correction=0)
#       >>> u_hat[0].backward()
#       >>> u.grad
#       tensor([ 0.2041, -0.4082,  0.2041], dtype=torch.float64)

# %%
# What we can do now
# ------------------
#
# - Explain a gradient as a sum: multiply along each path, add over all paths.
# - Walk back through a longer function by hand, and use ``+=`` at every fork.
# - Say why the walk back is cheap: it adds in each box before it goes on.
#
# Next, :doc:`Vectors, matrices and broadcasting
# </lessons/1_foundations/40_vectors_and_matrices>` finds gradients of the right shape.

# %%
# Credits and licences
# --------------------
#
# The three patterns, the longer function and the advice to add at forks come from
# `CS231n <https://cs231n.github.io/optimization-2/>`__. The third exercise uses the
# function of the chapter on `automatic differentiation
# <https://d2l.ai/chapter_preliminaries/autograd.html>`__ in *Dive into Deep Learning*.
# The sum ``a + a`` as a test for overwriting, and a normalised batch differentiated by
# hand, are subjects of `Neural Networks: Zero to Hero
# <https://github.com/karpathy/nn-zero-to-hero>`__. Our text is under `CC BY-SA 4.0
# <https://creativecommons.org/licenses/by-sa/4.0/>`__, our code under the `MIT licence
# <https://opensource.org/license/mit>`__.
