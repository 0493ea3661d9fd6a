r"""
The graph behind y
==================

We take the record that PyTorch makes of a computation, and walk back through it, one
box at a time. At the end we can read a drawing by ``make_dot``, and find every gradient
in it by hand.

:Time: 25 minutes
:Needs: :doc:`Three steps to a gradient </lessons/0_basics/10_gradients_with_pytorch>`
:Level: Foundations
:Tags: graph, chain rule
"""

# %%
# A neuron is a chain of small operations: multiply, add, squeeze. If we know how
# one of them sends a gradient back, we can follow the chain. We end with the neuron of
# :doc:`the first page </index>`, and find its gradients by hand.
#
# So far ``y.backward()`` was a button that we pressed. Now we do its work ourselves.

import torch

from torchutils import make_dot, record_backward

# %%
# Two operations
# --------------
#
# Three numbers, one addition, one multiplication: small enough to know all
# values, :math:`s = a + b = 3` and :math:`y = sc = -12`.

a = torch.tensor(-2.0, requires_grad=True)
b = torch.tensor(5.0, requires_grad=True)
c = torch.tensor(-4.0, requires_grad=True)
s = a + b
y = s * c

# %%
# .. predict::
#
#    Draw the graph on paper: a box for each input and for each operation, an arrow from
#    a box to each box that uses its value. How many boxes, how many arrows? Type both
#    numbers.
#
#    .. ask:: (lambda g: [len(g.nodes), len(g.edges)])(make_dot(y, {}).graph)
#
#    .. answer::
#
#       Five boxes: three inputs, two operations. Four arrows, because each operation
#       has two inputs.
#
#       >>> make_dot(y, locals())
#       autograd graph: 5 nodes, 4 edges, 3 leaves (c, a, b)
#
#       .. wrong:: [2, 4]
#
#          These are the boxes of the operations alone. Each input has a box, too: an
#          arrow has to begin somewhere.
#
#       .. wrong:: [6, 5]
#
#          Here the result has got a box of its own. ``y`` is what the multiplication
#          has made, and is written into its box.

make_dot(y, locals())

# %%
# This is the *computation graph* of ``y``. The words for what we see:
#
# - A box is a *node*, an arrow is an *edge*. An edge takes the value of one node to the
#   next.
# - A *leaf* is a node where the graph begins: ``a``, ``b`` and ``c``.
# - The *root* is the node where it ends and where the way back begins: ``y``.
#
# A value is written in the box that made it. The multiplication has received the values
# of ``s`` and ``c``, and has made ``y``.

# %%
# What PyTorch keeps
# ------------------
#
# The drawing shows something real. ``y.grad_fn`` is PyTorch's node for the
# multiplication, and ``next_functions`` leads from a node to its neighbours.

print(y.grad_fn.name())
for node, _ in y.grad_fn.next_functions:
    print(node.name())

# %%
# .. predict::
#
#    Compare the names with the drawing. Do PyTorch's links point in the direction of
#    the arrows, or against it?
#
#    .. answer::
#
#       Against it. From the multiplication they lead to the addition, where its input
#       came from, and to ``AccumulateGrad``, which stands for the leaf ``c``. We draw
#       the way of the *data*, forward. PyTorch keeps the way *back*, because that is
#       the one it will need. The arrows of our drawing are not the way of the
#       gradients. They show where the data went.
#
#       >>> y.grad_fn.next_functions[0][0] is s.grad_fn
#       True

# %%
# Nothing else is needed for a gradient: the nodes, the links back, and a few *saved
# tensors*, values that the operations have kept.
#
# A word of warning. We use the words as `PyTorch's notes on autograd`__ do: inputs are
# leaves, outputs are roots. A tree in a textbook often has its arrows the other way
# round, from the root to the leaves, and some authors call the inputs roots. Look at
# where the arrows begin before you trust the word.
#
# __ https://docs.pytorch.org/docs/stable/notes/autograd.html

# %%
# Each operation knows its own slopes
# -----------------------------------
#
# An operation does not know the whole function. It knows how *its* result reacts to
# *its* inputs. These are its *local derivatives*.
#
# - The addition :math:`s = a + b` passes a change on as it is:
#   :math:`\frac{\partial s}{\partial a} = \frac{\partial s}{\partial b} = 1`.
# - In the multiplication :math:`y = sc` each factor magnifies the other's changes:
#   :math:`\frac{\partial y}{\partial s} = c = -4` and
#   :math:`\frac{\partial y}{\partial c} = s = 3`.
#
# Now we want to know how ``y`` reacts to *any* node. This number is called the
# *adjoint* of the node, and it is written with a bar, such as
# :math:`\bar s = \frac{\partial y}{\partial s}`. For a leaf, the adjoint is what we
# have called the gradient.
#
# Reactions multiply along the way. If ``s`` moves once as far as ``a``, and ``y`` moves
# −4 times as far as ``s``, then ``y`` moves :math:`(-4) \cdot 1` times as far as ``a``.
# So there is one rule for each edge:
#
# .. math::
#    :class: law
#
#    \text{what goes back} = \text{upstream gradient} \cdot \text{local derivative}
#
# The *upstream gradient* is the adjoint of the node that we come from.

# %%
# The walk back
# -------------
#
# We begin at the root. ``y`` moves as far as itself: :math:`\bar y = 1`.
#
# .. predict::
#
#    Fill in the other four adjoints in your drawing, below the values, from the root to
#    the leaves: of ``s`` and ``c`` first, then of ``a`` and ``b``. Type those of ``a``,
#    ``b`` and ``c``.
#
#    .. ask:: [a.grad, b.grad, c.grad]
#
#    .. answer::
#
#       The multiplication receives 1. It sends
#       :math:`\bar s = \bar y \cdot \frac{\partial y}{\partial s} = 1 \cdot c = -4` to
#       ``s``, and
#       :math:`\bar c = \bar y \cdot \frac{\partial y}{\partial c} = 1 \cdot s = 3` to
#       ``c``.
#
#       The addition receives :math:`\bar s`. Its local derivatives are 1, so it sends
#       the same number to both of its inputs. The three leaves together:
#       :math:`\nabla_{a, b, c}\, y = (-4, -4, 3)`.
#
#       .. wrong:: [1, 1, s]
#
#          At ``a`` and ``b`` this is the local derivative alone. What arrives there has
#          come through the multiplication: the upstream gradient is forgotten.
#
#       .. wrong:: [s, s, c]
#
#          Here each factor has got its own value. It is the *other* factor that says
#          how strongly the product reacts.
#
# ``record_backward`` runs ``y.backward()`` and writes down what happens on the way.

record_backward(y, locals())

# %%
# At the end of the walk, each edge carries in red what went back over it. Each box
# shows its adjoint, and in the leaves it has become ``.grad``.
#
# >>> a.grad, b.grad, c.grad
# (tensor(-4.), tensor(-4.), tensor(3.))
#
# Now take the walk yourself: press *First* below the drawing, then *Next*, one step at
# a time. A thick frame stands around the node whose turn it is, a dashed one around the
# node that receives. (*Text version* tells the same steps under the same numbers; it
# needs no buttons.) Stop at four places, and answer before you go on:
#
# - At :step:`y = mul` the forward pass ends: all values are there. Where will the first
#   red number appear, and which one?
# - At :step:`y sends to s` the law stands in numbers. Which of the two factors is the
#   upstream gradient? And why is the other one the value of ``c``, not that of ``s``?
# - At :step:`c is a leaf` the gradient of ``c`` is complete. Why don't ``a`` and ``b``
#   have theirs yet?
# - At :step:`s (add) has its turn`: what is the adjoint of ``s`` now, and what will the
#   next two steps send to ``a`` and ``b``?
#
# Now tick *Predict* and walk once more. Each step back is asked before it is shown.
#
# Does a negative number make sense for ``a``? We raise ``a`` from −2 to −1.99. The sum
# rises a little. But it is multiplied by −4, so ``y`` falls, by four times as much:
#
# >>> (-2 + 5) * -4, (-1.99 + 5) * -4
# (-12, -12.04)

# %%
# More operations, the same walk
# ------------------------------
#
# The next function is :math:`y = \ln a + ab - \sin b`. Only the operations are new. We
# name each value, so that the drawing can show it. It will go from top to bottom.

a = torch.tensor(2.0, requires_grad=True)
b = torch.tensor(5.0, requires_grad=True)
p = torch.log(a)
z = a * b
r = torch.sin(b)
s = p + z
y = s - r
y

# %%
# So :math:`y = 11.6521`. Here are the local derivatives that we need:
#
# .. list-table::
#    :header-rows: 1
#
#    * - operation
#      - local derivatives
#    * - :math:`y = s - r`
#      - :math:`\frac{\partial y}{\partial s} = 1`,
#        :math:`\frac{\partial y}{\partial r} = -1`
#    * - :math:`s = p + z`
#      - :math:`\frac{\partial s}{\partial p} = 1`,
#        :math:`\frac{\partial s}{\partial z} = 1`
#    * - :math:`p = \ln a`
#      - :math:`\frac{\partial p}{\partial a} = \frac{1}{a} = 0.5`
#    * - :math:`z = ab`
#      - :math:`\frac{\partial z}{\partial a} = b = 5`,
#        :math:`\frac{\partial z}{\partial b} = a = 2`
#    * - :math:`r = \sin b`
#      - :math:`\frac{\partial r}{\partial b} = \cos b = 0.2837`
#
# .. predict::
#
#    Walk back from ``y``, where the adjoint is 1. Which adjoints do ``s``, ``r``, ``p``
#    and ``z`` get? And what arrives at ``a`` and at ``b``? Two edges lead to each; add
#    up what comes. Type the numbers of ``a`` and ``b``.
#
#    .. ask:: [a.grad, b.grad]
#
#    .. answer::
#
#       The subtraction turns the sign for ``r``, and not for ``s``. The addition passes
#       on what it receives, to ``p`` and ``z``:
#       :math:`\nabla_{s, r, p, z}\, y = (1, -1, 1, 1)`.
#
#       At ``a`` two contributions arrive, from the logarithm and from the product:
#       :math:`\frac{\partial y}{\partial a} = \frac{1}{a} + b = 5.5`. At ``b``, too,
#       from the product and from the sine:
#       :math:`\frac{\partial y}{\partial b} = a - \cos b = 1.7163`.
#
#       .. wrong:: [b, a]
#
#          These are the contributions of the product alone. The logarithm also uses
#          ``a``, and the sine also uses ``b``: one path to each is forgotten.
#
#       .. wrong:: [1 / a, -torch.cos(b)]
#
#          The paths through the product are forgotten. Two edges lead to each leaf.
#
#       .. wrong:: [1 / a + b, a + torch.cos(b)]
#
#          A sign is lost. The sine is *subtracted*, so what goes back to it is
#          negative.

record_backward(y, locals(), direction="TB")

# %%
# Two edges are numbered, since the order counts in a difference: operand 1 is
# subtracted from operand 0. Walk through this one with *Predict* ticked, from the first
# question to the last. Two steps are worth a pause. At :step:`r sends to b` the first
# contribution arrives at ``b``. Why does ``b`` not have its turn at once? And at
# :step:`z sends to b` comes the second one: what happens to the first?
#
# A node has its turn when everything that leads back to it has come, and not before.
# What comes is added up: the numbers along the edges are the contributions, and each
# leaf holds the sum of its two.
#
# >>> a.grad, b.grad
# (tensor(5.5000), tensor(1.7163))
#
# No node has ever seen the whole function. Each one did a small multiplication and
# handed on the result. That is all of *backpropagation*. (Why contributions are *added*
# is the question of the next lesson.)

# %%
# A neuron
# --------
#
# Now a building block of neural networks, a neuron. It weighs its inputs,
# :math:`z = w^\top x + b`, and squeezes the result into the range from 0 to 1 by the
# *sigmoid function*:
#
# .. math::
#
#    \sigma(z) = \frac{1}{1 + e^{-z}}
#
# ``w`` and ``x`` have shape ``(2,)``. We want gradients for the weights ``w`` and the
# bias ``b``, because these will be learned. The input ``x`` is data.

w = torch.tensor([2.0, -3.0], requires_grad=True)
b = torch.tensor(-3.0, requires_grad=True)
x = torch.tensor([-1.0, -2.0])
z = torch.dot(w, x) + b
y = torch.sigmoid(z)
y

# %%
# With :math:`w = (2, -3)`, :math:`x = (-1, -2)` and :math:`b = -3` we get
# :math:`z = w_0 x_0 + w_1 x_1 + b = 1` and :math:`y = \sigma(z) = 0.7311`.
#
# The quotient rule gives the sigmoid's local derivative,
# :math:`\frac{\partial y}{\partial z} = \frac{e^{-z}}{(1 + e^{-z})^2}`. What ``y``
# lacks to 1 is :math:`1 - y = \frac{e^{-z}}{1 + e^{-z}}`. So the derivative needs no
# more than the result:
# :math:`\frac{\partial y}{\partial z} = \sigma'(z) = y\,(1 - y) = 0.1966`.
#
# .. predict::
#
#    Which gradients do ``w`` and ``b`` get? And how will ``x`` appear in the drawing?
#    Type the gradient of ``w``.
#
#    .. ask:: w.grad
#
#    .. answer::
#
#       The sigmoid sends :math:`\sigma'(z)`, and the addition passes it on, to ``b``
#       and to the dot product. Each entry of ``w`` gets it times the other factor:
#       :math:`\nabla_w y = \sigma'(z)\, x = (-0.1966, -0.3932)` and
#       :math:`\frac{\partial y}{\partial b} = \sigma'(z) = 0.1966`.
#
#       ``x`` has no box. It does not require a gradient, so nothing goes back to it.
#       The dot product only remembers its value.
#
#       .. wrong:: x
#
#          This is the local derivative of the dot product alone. It must be multiplied
#          by what comes from upstream: the slope of the sigmoid.
#
#       .. wrong:: y * x
#
#          The upstream gradient here is the *value* of the sigmoid. What goes back is
#          its slope, :math:`y\,(1 - y)`.
#
#       .. wrong:: y * (1 - y) * w
#
#          Here each weight has got itself as a factor. How strongly the product reacts
#          to a weight is said by the other factor, the input.

record_backward(y, locals(), direction="TB")

# %%
# Both leaves have their gradients:
#
# >>> w.grad
# tensor([-0.1966, -0.3932])
# >>> b.grad
# tensor(0.1966)
# >>> print(x.grad)
# None
#
# For learning this says: to raise ``y``, lower both weights, the second one twice as
# much as the first, and raise the bias.
#
# Try it. Below the drawing, change ``b`` from −3 to 3, and look at ``y`` and at all
# that comes after :step:`y sends to z`. The neuron answers almost 1 now, and all
# gradients are close to zero: its curve is almost flat there.
#
# >>> high = torch.sigmoid(torch.dot(w, x) + 3)
# >>> high.item(), (high * (1 - high)).item()
# (0.9991, 0.0009)
#
# Such a neuron is called *saturated*. How fast it learns then depends on the *loss* as
# well: the number that says how wrong an answer is, and that learning makes smaller.
# Suppose that the right answer is 0, so that our neuron is wrong. A squared error
# sends almost nothing back. The logarithmic loss :law:`-\ln(1 - y)`, which is made for
# such answers, sends back almost the whole input, namely ``y`` times the input:
#
# >>> u = w.detach().requires_grad_()
# >>> wrong = torch.sigmoid(torch.dot(u, x) + 3)
# >>> torch.autograd.grad(wrong**2, u, retain_graph=True)
# (tensor([-0.0018, -0.0036]),)
# >>> torch.autograd.grad(-torch.log(1 - wrong), u)
# (tensor([-0.9991, -1.9982]),)
# >>> wrong.detach() * x
# tensor([-0.9991, -1.9982])

# %%
# Exercises
# ---------
#
# We come back to the two operations of the beginning.

a = torch.tensor(-2.0, requires_grad=True)
b = torch.tensor(5.0, requires_grad=True)
c = torch.tensor(-4.0, requires_grad=True)
s = a + b
y = s * c

# %%
# .. exercise::
#
#    From memory: take a blank sheet, and draw the graph of :math:`y = (a + b)\, c` for
#    :math:`a = -2`, :math:`b = 5` and :math:`c = -4`. Write each value above its edge
#    and what goes back below it. What would change if ``c`` were 4? (Afterwards, change
#    ``c`` below the first walk of this page, and compare.)
#
#    .. answer::
#
#       Above: −2 and 5 go into the addition, :math:`s = 3` and −4 into the
#       multiplication, and :math:`y = -12` comes out. Below: :math:`\bar s = -4` goes
#       back to the addition, and :math:`\nabla_{a, b, c}\, y = (-4, -4, 3)` to the
#       leaves.
#
#       With 4 instead of −4 the signs of three adjoints change. The adjoint of ``c``
#       stays: it is the other factor, and that does not depend on ``c``.
#
#       >>> u = torch.tensor([-2.0, 5.0, 4.0], requires_grad=True)
#       >>> ((u[0] + u[1]) * u[2]).backward()
#       >>> u.grad
#       tensor([4., 4., 3.])
#
# .. exercise::
#
#    We move all three leaves a little along the gradient: each one by 0.01 times its
#    own gradient. What will ``y`` be then? First forecast it, then compute it.
#
#    .. answer::
#
#       Each leaf changes ``y`` by its gradient times its step, and the step is 0.01
#       times the gradient again. So the squares add up:
#       :math:`y + 0.01 \cdot (4^2 + 4^2 + 3^2) = -12 + 0.01 \cdot 41 = -11.59`.
#
#       >>> a1, b1, c1 = -2 + 0.01 * -4, 5 + 0.01 * -4, -4 + 0.01 * 3
#       >>> (a1 + b1) * c1
#       -11.5924
#
#       The forecast is close. Along the gradient ``y`` rises, as it should.
#
# .. exercise::
#
#    Which nodes does PyTorch keep for ``torch.log(a) + a * b - torch.sin(b)``? Give
#    their names, then collect them with ``next_functions``. How many does that make,
#    together with the leaves?
#
#    .. answer::
#
#       Five operations and two leaves. We start a list with the root. While we walk
#       along the list, we append the neighbours of each node that are not yet in it.
#
#       >>> root = torch.log(a) + a * b - torch.sin(b)
#       >>> nodes = [root.grad_fn]
#       >>> for node in nodes:
#       ...     nodes += [n for n, _ in node.next_functions if n not in nodes]
#       >>> for node in nodes:
#       ...     print(node.name())
#       SubBackward0
#       AddBackward0
#       SinBackward0
#       LogBackward0
#       MulBackward0
#       torch::autograd::AccumulateGrad
#       torch::autograd::AccumulateGrad
#       >>> len(nodes)
#       7
#
#       ``make_dot`` finds them in much the same way. Note that ``a`` is used twice, and
#       has one node.

# %%
# What we can do now
# ------------------
#
# - Name the parts of a graph: nodes, edges, leaves, the root.
# - Find every adjoint by hand: begin with 1 at the root, and multiply the upstream
#   gradient by the local derivative.
# - Say which way the arrows of a drawing point, and that gradients go against them.
#
# Next, :doc:`Chain rule: sum over paths </lessons/1_foundations/30_chain_rule>`
# explains why contributions are added.

# %%
# Credits and licences
# --------------------
#
# The first graph and the neuron are examples of `CS231n
# <https://cs231n.github.io/optimization-2/>`__, with other letters; there the bias is a
# third weight. The second function is the example of the survey on `automatic
# differentiation <https://arxiv.org/abs/1502.05767>`__ by Baydin and others. Our text
# is under `CC BY-SA 4.0 <https://creativecommons.org/licenses/by-sa/4.0/>`__, our code
# under the `MIT licence <https://opensource.org/license/mit>`__.
