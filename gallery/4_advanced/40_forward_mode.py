r"""
Forward mode and dual numbers
=============================

A derivative can travel with the value, from the inputs to the outputs. We write a small
class that does it, count what either direction costs, and meet the places where the two
directions do not agree.

:Time: 35 minutes
:Needs: :doc:`Non-scalar outputs </lessons/1_foundations/50_jacobians>`,
   :doc:`Derivatives of derivatives </lessons/4_advanced/30_higher_order>`
:Level: Advanced
:Tags: derivatives, shapes, errors
"""

# sphinx_gallery_warns = ["jit.script since torch 2.14"]

# %%
# What is the cube of :law:`2 + \varepsilon`, if :law:`\varepsilon^2` is 0? The answer
# holds a derivative, and no graph was recorded to find it. Where few inputs have many
# outputs, this way is the cheaper one.

import math

import torch
from torch.autograd import forward_ad
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from torchutils import MovingPlot, record_backward

# %%
# A number that carries its slope
# -------------------------------
#
# Multiply as at school, and leave out what has :law:`\varepsilon^2` in it:
#
# .. math::
#    :class: law
#
#    (2 + \varepsilon)(2 + \varepsilon) &= 4 + 4 \varepsilon \\
#    (4 + 4 \varepsilon)(2 + \varepsilon) &= 8 + 12 \varepsilon
#
# In front of :law:`\varepsilon` stands 12, the slope of the cube at 2. That is no
# accident. A pair of a value and a slope is called a *dual number*, and its second part
# the *tangent*. Products of dual numbers follow the product rule, and a function
# multiplies the tangent by its own slope, as the chain rule says. So a program that
# computes with them differentiates as it goes. Ours has a method or a function for each
# operation that we need:


class Dual:
    """A value and its tangent: how fast the value moves when the inputs do."""

    def __init__(self, value, tangent=0.0):
        self.value, self.tangent = value, tangent

    def __add__(self, other):
        other = dual(other)
        return Dual(self.value + other.value, self.tangent + other.tangent)

    def __mul__(self, other):
        other = dual(other)
        tangent = self.tangent * other.value + self.value * other.tangent
        return Dual(self.value * other.value, tangent)

    def __neg__(self):
        return self * -1

    def __repr__(self):
        return f"{self.value:.6g} + {self.tangent:.6g}ε"


def dual(number):
    return number if isinstance(number, Dual) else Dual(number)


def ln(u):
    return Dual(math.log(u.value), u.tangent / u.value)


def sin(u):
    return Dual(math.sin(u.value), u.tangent * math.cos(u.value))


x = Dual(2.0, 1.0)
x * x * x

# %%
# A constant has the tangent 0: it does not move. The tangent that we give to the input
# says how fast *it* moves, and need not be 1.

t = 0.1
slow = Dual(2.0, t)
cube = slow * slow * slow
speed = cube.tangent

# %%
# .. predict::
#
#    The input moves with the speed :math:`t = 0.1`. What is the tangent of its cube?
#
#    .. ask:: speed
#
#    .. answer::
#
#       It is :math:`\text{speed} = 12 t = 1.2`: the slope times the speed of
#       the input.
#
#       .. wrong:: 2.1**3 - 2**3
#
#          This is the difference of two cubes, one of them a step further. A tangent is
#          no small step: ten times the speed gives ten times the tangent.
#
#       .. wrong:: 12
#
#          The slope. It has to be multiplied by the speed of the input.

cube

# %%
# One direction at a time
# -----------------------
#
# Now two inputs, and the function :law:`\ln a + ab - \sin b`. Each line of the output
# is a step: the value, and how fast it moves while ``a`` does and ``b`` is held.


def f(a, b):
    return ln(a) + a * b + -sin(b)


def steps(a, b):
    print(ln(a), a * b, sin(b), f(a, b), sep="\n")


steps(Dual(2.0, 1.0), Dual(5.0, 0.0))

# %%
# So the derivative by ``a`` is one half from the logarithm plus 5 from the product. No
# step was chosen, so it is exact but for rounding.
#
# >>> f(Dual(2.0, 1.0), Dual(5.0, 0.0)).tangent
# 5.5

by_b = f(Dual(2.0, 0.0), Dual(5.0, 1.0)).tangent

# %%
# .. predict::
#
#    Now ``b`` moves and ``a`` is held. What is the tangent?
#
#    .. ask:: by_b
#
#    .. answer::
#
#       It is :math:`\text{by\_b} = 2 - \cos 5 = 1.716338`. The product moves with
#       ``a``, which is 2, the sine with its cosine, and the logarithm not at all.
#
#       .. wrong:: 2 + math.cos(5)
#
#          The sine is subtracted, and so is its tangent.
#
#       .. wrong:: 5.5 + by_b
#
#          Both move here, and the tangents of both add up. Asked is ``b`` alone.

steps(Dual(2.0, 0.0), Dual(5.0, 1.0))

# %%
# Two inputs took two passes. The way back takes one for both:

a = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
b = torch.tensor(5.0, dtype=torch.float64, requires_grad=True)
u = torch.log(a)
p = a * b
s = torch.sin(b)
y = u + p - s

# %%
# The gradient is
# :math:`\nabla_{a, b}\, y = (\frac{1}{a} + b, a - \cos b) = (5.5, 1.716338)`.

record_backward(y, locals(), direction="TB")

# %%
# The graph is the same for both modes. Forward, tangents go through the boxes with the
# arrows: a pass follows *one* direction of the inputs to the results. Backward,
# adjoints go against them: a pass follows *one* result, or one weighted sum of results,
# to the inputs: :step:`#1 sends to p`, and from there to both.
#
# A tangent can be thrown away when no later step uses it. An adjoint may need values
# of the forward pass, such as ``b`` for the slope of the product, so they are kept, or
# computed again. Ten steps in a row, and what autograd keeps of them:

kept = []


def keep(t):
    kept.append(t)
    return t


def chain(x):
    for _ in range(10):
        x = torch.tanh(x)
    return x


with torch.autograd.graph.saved_tensors_hooks(keep, lambda t: t):
    chain(torch.ones(1000, requires_grad=True))
    for_backward = len(kept)
    kept.clear()
    torch.func.jvp(chain, (torch.ones(1000),), (torch.ones(1000),))
    for_forward = len(kept)
for_backward, for_forward

# %%
# :math:`\text{for\_backward} = 10` tensors, and :math:`\text{for\_forward} = 0`. That
# holds while no tensor requires a gradient. If one does, its tangent is recorded for
# the way back as well, unless ``no_grad`` surrounds the call:
#
# >>> leaf, ones = torch.ones(1000, requires_grad=True), torch.ones(1000)
# >>> torch.func.jvp(chain, (leaf,), (ones,))[1].requires_grad
# True
# >>> with torch.no_grad():
# ...     torch.func.jvp(chain, (leaf,), (ones,))[1].requires_grad
# False

# %%
# PyTorch's dual numbers
# ----------------------
#
# PyTorch does the same with each operation that has a forward rule. Inside
# ``dual_level`` a tensor may have a tangent: ``make_dual`` gives it one, and
# ``unpack_dual`` reads it. Here is the neuron of the first page. Its two weights
# and its bias rise with the speed 1.

x = torch.tensor([-1.0, -2.0], dtype=torch.float64)
w = torch.tensor([2.0, -3.0], dtype=torch.float64)
b = torch.tensor(-3.0, dtype=torch.float64)


def neuron(w, b):
    return torch.sigmoid(torch.dot(w, x) + b)


with forward_ad.dual_level():
    moving_w = forward_ad.make_dual(w, torch.ones_like(w))
    moving_b = forward_ad.make_dual(b, torch.ones_like(b))
    y, speed = forward_ad.unpack_dual(neuron(moving_w, moving_b))

# %%
# .. predict::
#
#    The answer is :math:`y = 0.731059`, and the slope of the sigmoid there is
#    :math:`y\,(1 - y) = 0.196612`. With which speed does the answer move?
#
#    .. ask:: speed
#
#    .. answer::
#
#       The sum before the sigmoid moves by each input, and by 1 for the bias: by
#       :law:`-1 - 2 + 1 = -2`. Times the slope, that is
#       :math:`\text{speed} = -2 \cdot y\,(1 - y) = -0.393224`.
#
#       .. wrong:: [-0.196612, -0.393224, 0.196612]
#
#          This is the gradient, three numbers. Forward mode gives its product with the
#          direction, one number.
#
#       .. wrong:: -2
#
#          This is the speed before the sigmoid.

speed

# %%
# ``torch.func.jvp`` wraps this up. It takes a function, its inputs and their tangents:
#
# >>> tangents = torch.ones_like(w), torch.ones_like(b)
# >>> torch.func.jvp(neuron, (w, b), tangents)[1]
# tensor(-0.3932, dtype=torch.float64)

# %%
# Columns or rows
# ---------------
#
# For a whole Jacobian, forward mode makes one pass for each input: a *column* each.
# Reverse mode makes one for each output, a *row* each. The function of the lesson on
# Jacobians has two inputs and three outputs:


def outputs(x):
    return torch.stack([x[0] * x[1], torch.sin(x[0]), x[1] ** 2])


x = torch.tensor([0.0, 3.0])
columns = [torch.func.jvp(outputs, (x,), (e,))[1] for e in torch.eye(2)]
J = torch.stack(columns, dim=1)
J

# %%
# Two passes made it: :math:`J = \begin{pmatrix} 3 & 0 \\ 1 & 0 \\ 0 & 6 \end{pmatrix}`.
# ``jacfwd`` and ``jacrev`` do all columns, or all rows, in one batch:
#
# >>> torch.equal(torch.func.jacfwd(outputs)(x), J)
# True
# >>> torch.equal(torch.func.jacrev(outputs)(x), J)
# True
#
# What does that cost? ``FlopCounterMode`` counts the multiplications and additions of
# matrix products, and leaves out what ``tanh`` costs. We take a network with a hidden
# layer, whose weights are constants, and count in units of one evaluation.


def network(n, m):
    W, V = torch.ones(n, 16), torch.ones(16, m)
    return lambda x: (torch.tanh(x[None] @ W) @ V)[0]


def flops(f, n):
    with FlopCounterMode(display=False) as counter:
        f(torch.ones(n))
    return counter.get_total_flops()


def costs(n, m):
    f = network(n, m)
    modes = torch.func.jacfwd(f), torch.func.jacrev(f)
    return [flops(mode, n) / flops(f, n) for mode in modes]


by_forward, by_reverse = costs(1000, 1)

# %%
# .. predict::
#
#    A thousand inputs, one output, as for a loss. How many evaluations does the
#    gradient cost in reverse mode?
#
#    .. ask:: by_reverse
#
#    .. answer::
#
#       As much as :math:`\text{by\_reverse} = 2`: the evaluation itself, and the way
#       back. With forward mode it would be :math:`\text{by\_forward} = 1002`.
#
#       .. wrong:: 1001
#
#          About what forward mode takes, or finite differences: one for each input. The
#          way back serves the inputs together.
#
#       .. wrong:: 1
#
#          The way back costs something, too: here as much as the way there.

by_forward, by_reverse

# %%
# That a gradient costs a small multiple of its function, however many inputs there are,
# is called the *cheap gradient principle*. Where the weights get gradients as well,
# a layer makes two products on the way back, and the multiple is 3:
#
# >>> def loss(x, W, V):
# ...     return (torch.tanh(x @ W) @ V).sum()
# >>> sizes = torch.ones(1, 1000), torch.ones(1000, 16), torch.ones(16, 1)
# >>> with FlopCounterMode(display=False) as there:
# ...     value = loss(*sizes)
# >>> with FlopCounterMode(display=False) as both:
# ...     slopes_of_all = torch.func.grad(loss, (0, 1, 2))(*sizes)
# >>> both.get_total_flops() / there.get_total_flops()
# 3.0
#
# One caution: a matrix times a vector is counted as nothing in PyTorch 2.13.0, and a
# vector times a matrix in full.
#
# >>> W = torch.ones(16, 1000)
# >>> flops(lambda x: W @ x, 1000), flops(lambda x: x @ W.T, 1000)
# (0, 32000)
#
# Now with ``m`` outputs. Before you move the slider: where will the two lines meet?

inputs = torch.tensor([1, 2, 4, 8, 16])
results = torch.tensor([1, 2, 4, 8, 16])
table = torch.tensor([[costs(int(n), int(m)) for n in inputs] for m in results])

# %%
# In the picture, each dot was counted.

plot = MovingPlot(
    {"outputs": results},
    "What a Jacobian costs",
    xlim=(0, 17),
    ylim=(0, 20),
    xlabel="inputs",
    ylabel="evaluations",
)
plot.line(inputs, table[..., 0], "forward mode")
plot.line(inputs, table[..., 1], "reverse mode")
plot.points(inputs, table[..., 0])
plot.points(inputs, table[..., 1])
plot.say(
    "Sixteen inputs: {forward:.0f} evaluations forward, {reverse:.0f} in reverse.",
    forward=table[:, -1, 0],
    reverse=table[:, -1, 1],
)
plot

# %%
# They meet where there is one input fewer than outputs, and not at all with one output.
# In this count reverse mode costs one evaluation, and one for each output. Forward mode
# costs one for each input, and *two* more:
#
# >>> torch.equal(table[..., 1], (results + 1.0)[:, None].expand(5, 5))
# True
# >>> torch.equal(table[..., 0], (inputs + 2.0).expand(5, 5))
# True
#
# Why two? The product ``x @ W`` has the tangent :law:`\dot x W + x \dot W`, where a dot
# marks the tangent of what is below it. Our weights do not move, so their tangent is
# zero. PyTorch multiplies with it all the same, with a matrix of zeros. One tangent
# costs three products where two would do, as if the weights moved as well:
#
# >>> X, W = torch.ones(1, 1000), torch.ones(1000, 16)
# >>> def counted(function, *inputs):
# ...     with FlopCounterMode(display=False) as counter:
# ...         torch.func.jvp(function, inputs, inputs)
# ...     return counter.get_total_flops()
# >>> counted(lambda X: X @ W, X) / flops(lambda x: x[None] @ W, 1000)
# 3.0
# >>> counted(torch.matmul, X, W) / flops(lambda x: x[None] @ W, 1000)
# 3.0

# %%
# no_grad and detach
# ------------------
#
# To hold a factor constant, people write ``no_grad`` or ``detach``. For the way back
# both do. Here ``c`` is to count as a constant.
#
# .. admonition:: Wrong on purpose
#
#    The next cell holds ``c`` by ``no_grad``. Do not copy it: write ``detach``.

# wrong on purpose


def held(x):
    with torch.no_grad():
        c = x**2
    return x * c


x = torch.tensor(2.0)
back = torch.func.grad(held)(x)
_, forth = torch.func.jvp(held, (x,), (torch.ones(()),))

# %%
# .. predict::
#
#    In reverse mode the slope is :law:`c`, which is 4. What does forward mode return?
#
#    .. ask:: forth
#
#    .. answer::
#
#       It returns :math:`\text{forth} = 3 x^2 = 12`, the slope of the cube, while
#       :math:`\text{back} = 4`. ``no_grad`` says: do not *record*. A tangent needs no
#       record, and passes.
#
#       .. wrong:: 4
#
#          So it would be with ``detach``, which takes the tangent away, too.
#
#       .. wrong:: 8
#
#          Half of the product rule: ``c`` moves with the speed 4, and ``x`` does not
#          stand still either.

back, forth

# %%
# What stops which mode? ``detach`` stops both, and so it is the one to write:


def slopes(f, at):
    x = torch.tensor(at)
    _, tangent = torch.func.jvp(f, (x,), (torch.ones_like(x),))
    return torch.func.grad(f)(x).item(), tangent.item()


slopes(lambda x: x * (x**2).detach(), 2.0)

# %%
# With the dual numbers themselves: what is left of the tangent of the square under
# ``no_grad``, under ``inference_mode``, and behind ``detach``.
#
# >>> with forward_ad.dual_level():
# ...     d = forward_ad.make_dual(torch.tensor(2.0), torch.tensor(1.0))
# ...     with torch.no_grad():
# ...         a = d**2
# ...     with torch.inference_mode():
# ...         b = d**2
# ...     print([forward_ad.unpack_dual(t).tangent for t in (a, b, d.detach() ** 2)])
# [tensor(4.), None, None]

# %%
# Where the modes disagree
# ------------------------
#
# Many operations have two rules, one for either mode; others, such as ``tanh``, use one
# formula for both. Two rules may differ where mathematics leaves a choice, or where a
# rule is wrong. Here the two numbers of a vector are written into another one, both at
# the *same* place, so that the second number overwrites the first.


def written(v):
    places = (torch.tensor([0, 0]),)
    return torch.zeros(2).index_put(places, v).sum()


v = torch.tensor([1.0, 2.0])
in_reverse = torch.func.grad(written)(v)
in_forward = torch.func.jacfwd(written)(v)
written(v)

# %%
# .. predict::
#
#    The result is 2, the second number. What is its gradient in reverse mode?
#
#    .. ask:: in_reverse
#
#    .. answer::
#
#       It is :math:`\text{in\_reverse} = (1, 1)`. The rule reads for each number what
#       arrives at its place, and does not know that the first was overwritten. Forward
#       mode writes the tangents as it writes the values, and is right:
#       :math:`\text{in\_forward} = (0, 1)`.
#
#       .. wrong:: [0, 1]
#
#          This is right, and forward mode says so. The way back does not know which
#          number was overwritten.
#
#       .. wrong:: [0.5, 0.5]
#
#          A fair division, as for a tie in ``max``. Here each gets the whole.

in_reverse, in_forward

# %%
# (PyTorch's manual calls the behaviour undefined if an index stands there twice. So
# write to each place once, or say ``accumulate=True``.) More such places, each line
# with the slope in reverse and in forward mode:

zero = torch.zeros(())


def product(t):
    both = torch.stack([t, t])
    return torch.ones(1).scatter_reduce(0, torch.tensor([0, 0]), both, "prod")[0]


special = {
    "prelu at 0": (lambda x: F.prelu(x[None], torch.tensor([0.25]))[0], 0.0),
    "maximum at nan": (lambda x: torch.maximum(x, zero), math.nan),
    "where, sqrt at 0": (lambda x: torch.where(x > 0, x.sqrt(), zero), 0.0),
    "atan2 at 0, 0": (lambda x: torch.atan2(x, zero), 0.0),
    "lp_pool1d at 0": (lambda x: F.lp_pool1d(x.expand(1, 1, 2), 2.0, 2).sum(), 0.0),
    "product at 3": (product, 3.0),
}
found = {name: slopes(f, at) for name, (f, at) in special.items()}
for name, (reverse, forward) in found.items():
    print(f"{name:18}{reverse:6.2f}{forward:6.2f}")

# %%
# >>> [str(pair) for pair in found.values()][:3]
# ['(0.25, 1.0)', '(1.0, 0.0)', '(nan, 0.0)']
# >>> [str(pair) for pair in found.values()][3:]
# ['(0.0, nan)', '(0.0, nan)', '(6.0, 0.0)']
#
# At a kink both numbers may be allowed: they are the slopes of ``prelu`` to the left
# and to the right of 0. A zero may meet an infinity in one rule and not in the other.
# In the last line the truth is 6, and forward mode has no tangent to give. Beside a NaN
# no slope is right. The numbers are the same in the releases 2.13.0, 2.14.1 and 2.15.0.
# (In 2.9.1 ``atan2`` is NaN in both modes.) A tie in ``fmax`` has another slope in
# 2.14.1 and 2.15.0:
#
# >>> major, minor = torch.__version__.split(".")[:2]
# >>> old = (int(major), int(minor)) < (2, 14)
# >>> pair = slopes(lambda x: torch.fmax(x, torch.ones(())), 1.0)
# >>> pair == ((1.0, 0.0) if old else (0.5, 0.5))
# True
#
# So the modes can check one another. Take a direction ``u`` and weights ``v``: where
# the function has a slope and the rules are right, the number :law:`v^\top J u` is the
# same from both sides, but for rounding.
#
# >>> u, v = torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0, 5.0])
# >>> at = torch.tensor([0.5, 3.0])
# >>> value, back = torch.func.vjp(outputs, at)
# >>> moved = torch.func.jvp(outputs, (at,), (u,))[1]
# >>> torch.allclose(v @ moved, back(v)[0] @ u)
# True
#
# That they agree is no proof. This difference is ``x`` itself, of slope 1, and both
# modes say 0:
#
# >>> slopes(lambda x: torch.relu(x) - torch.relu(-x), 0.0)
# (0.0, 0.0)

# %%
# Exercises
# ---------
#
# .. exercise::
#
#    Forward or reverse? A loss of a million weights. The path of a ball as a thousand
#    positions that depend on its speed at the start. The sixteen slopes of four outputs
#    by four inputs.
#
#    .. answer::
#
#       Reverse: one output. Forward: one input. For the third it hardly matters, 5
#       against 6 evaluations:
#
#       >>> costs(4, 4)
#       [6.0, 5.0]
#       >>> costs(1, 1000)
#       [3.0, 1001.0]
#
# .. exercise::
#
#    Teach our dual numbers to divide. Check it with :law:`\frac{\sin x}{x}` at 2.
#
#    .. answer::
#
#       The quotient rule, or shorter: :law:`q = \frac{u}{v}` means :law:`u = qv`, so
#       :law:`\dot u = \dot q v + q \dot v`, and solve for :law:`\dot q`.
#
#       >>> def divide(u, v):
#       ...     q = u.value / v.value
#       ...     return Dual(q, (u.tangent - q * v.tangent) / v.value)
#       >>> x = Dual(2.0, 1.0)
#       >>> divide(sin(x), x).tangent
#       -0.435398
#       >>> x = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
#       >>> torch.autograd.grad(torch.sin(x) / x, x)
#       (tensor(-0.4354, dtype=torch.float64),)
#
# .. exercise::
#
#    What does the cube give if value and tangent are dual numbers themselves? Look at
#    its parts: our ``__repr__`` does not know how to write such a pair.
#
#    .. answer::
#
#       The second derivative. Each part of the outer pair is a dual number, so the
#       slope carries its own slope along.
#
#       >>> x = Dual(Dual(2.0, 1.0), Dual(1.0, 0.0))
#       >>> cube = x * x * x
#       >>> cube.value.value, cube.tangent.value, cube.tangent.tangent
#       (8.0, 12.0, 12.0)
#
#       No part is lost here: the rule of the product is itself made of products of dual
#       numbers. What may be lost otherwise shows :doc:`the lesson before
#       </lessons/4_advanced/30_higher_order>`.
#
# .. exercise::
#
#    *Spot the error.* "For the gradient of a loss I call ``jvp`` with a tangent of
#    ones. One pass, and no memory for a graph."
#
#    .. answer::
#
#       One pass gives one number, the *sum* of the gradient's entries, the slope in the
#       direction in which all weights rise. Each entry would need a pass of its own.
#
#       >>> def loss(x):
#       ...     return (x**3).sum()
#       >>> x = torch.tensor([1.0, 2.0])
#       >>> torch.func.jvp(loss, (x,), (torch.ones(2),))[1], torch.func.grad(loss)(x)
#       (tensor(15.), tensor([ 3., 12.]))

# %%
# What we can do now
# ------------------
#
# - Compute with dual numbers, and say that no small step is in them.
# - Choose the mode by counting: inputs against outputs.
# - Hold a value constant for both modes, with ``detach``.
# - Distrust a special place at which the two modes disagree.
#
# Next, :doc:`Functions that return gradients </lessons/4_advanced/50_torch_func>` asks
# for a gradient for each sample of a batch.

# %%
# Credits and licences
# --------------------
#
# The function of two inputs is the example of A. G. Baydin and others, `Automatic
# differentiation in machine learning: a survey <https://arxiv.org/abs/1502.05767>`__.
# The cheap gradient principle is a result of W. Baur and V. Strassen, `The complexity
# of partial derivatives <https://doi.org/10.1016/0304-3975(83)90110-X>`__, and is
# explained in A. Griewank and A. Walther, `Evaluating derivatives
# <https://doi.org/10.1137/1.9780898717761>`__. Our text is under `CC BY-SA 4.0
# <https://creativecommons.org/licenses/by-sa/4.0/>`__, our code under the `MIT licence
# <https://opensource.org/license/mit>`__.
