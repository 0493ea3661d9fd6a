r"""
Custom Functions
================

Autograd differentiates the steps of a program. We replace what it finds by a derivative
of our own, check it up to the second one, and learn what PyTorch asks of such a
Function, and what it lets pass without a word.

:Time: 35 minutes
:Needs: :doc:`Non-scalar outputs </lessons/1_foundations/50_jacobians>`,
    :doc:`Checking a gradient </lessons/3_debugging/70_checking>`
:Level: Advanced
:Tags: derivatives, graph, errors
"""

# sphinx_gallery_thumbnail_number = 2
# sphinx_gallery_warns = ["jit.script since torch 2.14"]

# %%
# Autograd knows the derivative of each operation that it records. So why should we
# write one?

import gc
import weakref

import numpy as np
import torch
from torch.autograd import Function, grad, gradcheck, gradgradcheck
from torch.autograd.function import once_differentiable
from torch.func import jacfwd, jacrev

from torchutils import MovingPlot, make_dot, record_backward

# %%
# A loss in six steps
# -------------------
#
# The neuron of :doc:`Logistic regression </lessons/2_practice/30_logistic_and_softmax>`
# has a logit ``z``. If the right answer is no, its loss is :law:`\ln(1 + e^z)`, which
# is called *softplus*. Written so, it becomes infinite for a large logit. There is a
# form that does not:
#
# .. math::
#    :class: law
#
#    \ln(1 + e^z) = \max(0, z) + \ln(1 + e^{-\lvert z \rvert})
#
# The exponent is negative or zero, so this exponential does not exceed 1.


def stable(z):
    return torch.relu(z) + torch.log1p(torch.exp(-z.abs()))


z = torch.tensor([-1000.0, 0.0, 1000.0], dtype=torch.float64, requires_grad=True)
naive = torch.log(1 + torch.exp(z))
y = stable(z)
torch.stack([naive, y]).detach()

# %%
# At −1000, 0 and 1000 the values are :math:`y = (0, 0.693147, 1000)`, where the naive
# form ends in infinity.
#
# .. predict::
#
#    On paper the slope of softplus is the sigmoid, :law:`\sigma(z)`. What does autograd
#    find for ``stable`` at the three places?
#
#    .. ask:: slopes
#
#    .. answer::
#
#       :math:`\text{slopes} = (0, 0, 1)`. At 0 it should be :math:`\sigma(0) = 0.5`.
#       Both terms have a kink there. On paper the two cancel. In the program each
#       operation answers for itself: ``relu`` says 0 at its kink, ``abs`` does so too,
#       and :math:`0 + 0 = 0`.
#
#       .. wrong:: torch.sigmoid(z)
#
#          This is the truth. Autograd does not know which function we mean. It
#          differentiates the operations that ran.
#
#       .. wrong:: [0, 1, 1]
#
#          So it would be if ``relu`` said 1 at its kink. It says 0.

[slopes] = grad(y.sum(), z)
slopes

# %%
# A logit of exactly 0 is no rare thing: a neuron whose weights and bias are 0 begins
# there. (With ``z.clamp(min=0)`` in the place of ``relu``, the slope depends on the
# release of PyTorch, as :doc:`the atlas </atlas>` shows.) Here is what was recorded,
# one box for each operation:

z = torch.tensor(0.0, dtype=torch.float64, requires_grad=True)
y = stable(z)
make_dot(y, locals())

# %%
# This lesson has three reasons for a derivative of our own, and here are two of them:
# we know the function better than its steps do, and six operations keep more than one
# would. The third is a computation outside of PyTorch. We come to it.
#
# (For this function PyTorch has an operation already, and its slope at 0 is right. We
# write ours to see how it is done.)
#
# >>> grad(torch.nn.functional.softplus(z), z)
# (tensor(0.5000, dtype=torch.float64),)

# %%
# Forward, what to keep, backward
# -------------------------------
#
# A custom Function is a class with three static methods. ``forward`` computes, without
# a record. ``setup_context`` says what to keep. ``backward`` gets the *upstream
# gradient* ``g`` and returns the vector-Jacobian product: here each entry of ``g``
# times the slope at its place.


class Softplus(Function):
    @staticmethod
    def forward(z):
        return stable(z)

    @staticmethod
    def setup_context(ctx, inputs, output):
        [z] = inputs
        ctx.save_for_backward(z)

    @staticmethod
    def backward(ctx, g):
        [z] = ctx.saved_tensors
        return g * torch.sigmoid(z)


x = torch.tensor([3.0, 1.0], dtype=torch.float64)
w = torch.tensor([0.0, 1.0], dtype=torch.float64, requires_grad=True)
z = torch.dot(w, x)
L = Softplus.apply(z)
L

# %%
# We call ``apply``, not ``forward``. ``ctx``, the *context*, is the node of the graph:
# what is kept in it waits there for the way back. With :math:`x = (3, 1)` and :math:`w
# = (0, 1)` the logit is :math:`z = 1`, and the loss is :math:`L =
# \operatorname{softplus}(z) = 1.313262`.
#
# .. predict::
#
#    What arrives at ``w``? The slope that ``backward`` uses is :math:`\sigma(z) =
#    0.731059`.
#
#    .. ask:: w.grad
#
#    .. answer::
#
#       ``backward`` sends this slope to ``z``, and the dot product sends it on, times
#       the other factor: :math:`\nabla_w L = \sigma(z)\, x = (2.193176, 0.731059)`.
#
#       .. wrong:: (torch.sigmoid(z) - 1) * x
#
#          This belongs to the answer yes. For the answer no the error is probability
#          minus 0.
#
#       .. wrong:: x
#
#          These would be the gradients if ``backward`` returned ``g`` alone. It
#          multiplies ``g`` by the slope.
#
#       .. wrong:: torch.sigmoid(z)
#
#          This arrives at ``z``. From there it goes on through the dot product.

record_backward(L, locals())

# %%
# One box where there were six. Its step is :step:`L sends to z`. To the rest of the
# graph it is an operation like any other, and its name is that of our class:
#
# >>> L.grad_fn.name()
# 'SoftplusBackward'
#
# It keeps one tensor for the way back. The six keep something four times, which are
# three tensors: ``relu`` keeps what it returned, ``abs`` keeps ``z``, and ``exp`` and
# ``log1p`` the exponential.
#
# >>> def kept(function):
# ...     seen = []
# ...     keep = lambda t: seen.append(t) or t
# ...     with torch.autograd.graph.saved_tensors_hooks(keep, lambda t: t):
# ...         function(z)
# ...     return len(seen), len({t.data_ptr() for t in seen})
# >>> kept(stable), kept(Softplus.apply)
# ((4, 3), (1, 1))

# %%
# Check it, twice
# ---------------
#
# Nobody checks the numbers that a ``backward`` returns. Autograd believes them. So we
# compare them with differences, at random places, in ``float64``:

torch.manual_seed(0)
places = torch.randn(5, dtype=torch.float64, requires_grad=True)
gradcheck(Softplus.apply, places)

# %%
# And the second derivative? We have written none.


def derivatives(function, place):
    z = torch.tensor(place, dtype=torch.float64, requires_grad=True)
    value = function(z)
    [first] = grad(value, z, create_graph=True)
    [second] = grad(first, z)
    return torch.stack([value, first, second]).detach()


at_1000 = derivatives(Softplus.apply, 1000.0)
at_1000

# %%
# Far to the right softplus is all but a straight line, and ``float64`` sees no
# difference: :math:`\text{at\_1000} = (1000, 1, 0)`.
#
# .. predict::
#
#    What are the value, the first and the second derivative at 0? The slope of the
#    sigmoid is :law:`\sigma\,(1 - \sigma)`.
#
#    .. ask:: at_0
#
#    .. answer::
#
#       :math:`\text{at\_0} = (\ln 2, \tfrac12, \tfrac12 \cdot \tfrac12) = (0.693147,
#       0.5, 0.25)`. With ``create_graph=True`` our ``backward`` is recorded like any
#       computation. It is made of operations of PyTorch, and they know their own
#       derivatives.
#
#       .. wrong:: [at_0[0], at_0[1], 0]
#
#          It would be 0 if ``backward`` returned a constant. It computes a sigmoid of
#          ``z``, and this has a slope.
#
#       .. wrong:: [at_0[0], 0, 0]
#
#          This is what ``stable`` gives, without our ``backward``.

at_0 = derivatives(Softplus.apply, 0.0)
at_0

# %%
# The second check is for this:

gradgradcheck(Softplus.apply, places)

# %%
# Here is the record of the first derivative, which ``backward`` has left behind:

z = torch.tensor(0.0, dtype=torch.float64, requires_grad=True)
[first] = grad(Softplus.apply(z), z, create_graph=True)
make_dot(first, locals())

# %%
# Two operations, a sigmoid and a product. Move ``z`` along the curve. The tangent has
# the slope that our ``backward`` returns. Where does this slope grow fastest?

grid = torch.linspace(-4, 4, 33, dtype=torch.float64)
table = torch.stack([derivatives(Softplus.apply, place) for place in grid.tolist()])
steps = torch.stack([derivatives(stable, place) for place in grid.tolist()])
value, slope, bend = table.T
plot = MovingPlot(
    {"z": grid},
    "Softplus, with the slope that we wrote",
    xlim=(-4, 4),
    ylim=(-1, 5),
    start={"z": 0.0},
)
ends = torch.tensor([-4.0, 4.0], dtype=torch.float64)
plot.line(grid, value, "softplus")
plot.line(ends, value[:, None] + slope[:, None] * (ends - grid[:, None]), "tangent")
plot.point(grid, value)
plot.say("Our slope is {slope:.3f},", slope=slope)
plot.say("that of the six steps {steps:.3f},", steps=steps[:, 1])
plot.say("and the second derivative {bend:.3f}.", bend=bend)
plot

# %%
# At 0, where the second derivative is largest. That is also the one place of these
# where the six steps have another slope:
#
# >>> grid[bend.argmax()], grid[(slope - steps[:, 1]).abs() > 1e-9]
# (tensor(0., dtype=torch.float64), tensor([0.], dtype=torch.float64))

# %%
# One answer for each argument
# ----------------------------
#
# Now softplus gets a second argument: the larger ``beta``, the sharper its bend.
# ``inputs`` holds the arguments, and ``backward`` returns one answer for each, in the
# same order. A number that is no tensor has no gradient: its answer is ``None``.


class Sharp(Function):
    @staticmethod
    def forward(z, beta=1.0):
        return stable(beta * z) / beta

    @staticmethod
    def setup_context(ctx, inputs, output):
        z, ctx.beta = inputs
        ctx.save_for_backward(z)

    @staticmethod
    def backward(ctx, g):
        [z] = ctx.saved_tensors
        return g * torch.sigmoid(ctx.beta * z), None


# %%
# Arguments may be named, which raised a ``TypeError`` in PyTorch 2.9.1, and may be left
# out. Either way they stand in ``inputs``, and are counted:
#
# >>> z = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
# >>> for y in (Sharp.apply(z, 4.0), Sharp.apply(z, beta=4.0), Sharp.apply(z)):
# ...     print(y.item(), grad(y, z)[0].item())
# 0.531732 0.880797
# 0.531732 0.880797
# 0.974077 0.622459
#
# With too *few* answers there is an error, and a wrong *shape* may be summed in
# silence; :ref:`Error messages <lessons/3_debugging/10_error_messages:A Function of our
# own>` shows both. A ``None`` in the place of a gradient is silent as well:

z = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
beta = torch.tensor(4.0, dtype=torch.float64, requires_grad=True)
Sharp.apply(z, beta).backward()
z.grad, beta.grad

# %%
# Here ``beta`` is a tensor that wants to learn, and our ``backward`` says ``None``. No
# message, and ``beta`` stays where it is. An exercise repairs it.
#
# If an answer is costly, ask first whether anybody wants it. ``ctx.needs_input_grad``
# has a truth value for each argument.

asked = []


class Product(Function):
    @staticmethod
    def forward(a, b):
        return a * b

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx, g):
        a, b = ctx.saved_tensors
        asked.append(ctx.needs_input_grad)
        for_a = g * b if ctx.needs_input_grad[0] else None
        for_b = g * a if ctx.needs_input_grad[1] else None
        return for_a, for_b


a = torch.tensor(2.0, requires_grad=True)
b = torch.tensor(5.0, requires_grad=True)
p = Product.apply(a, b)

# %%
# .. predict::
#
#    Both factors require a gradient, and we ask for that of ``a`` alone. Which two
#    values does ``backward`` see in ``needs_input_grad``? Type 1 for true, 0 for false.
#
#    .. ask:: [float(needed) for needed in asked[0]]
#
#    .. answer::
#
#       1 and 1. The attribute says which arguments *require* a gradient. It was fixed
#       when the graph was made, before ``grad`` was asked for anything.
#
#       .. wrong:: [1, 0]
#
#          The name promises this. ``backward`` computes the other one as well, and it
#          is thrown away.

[slope_a] = grad(p, a)
slope_a, asked[0]

# %%
# What helps is to cut: for a factor that is detached, or frozen before the forward
# pass, the work is saved.
#
# >>> _ = grad(Product.apply(a, b.detach()), a)
# >>> asked[-1]
# (True, False)

# %%
# What to keep, and where
# -----------------------
#
# Inputs and outputs belong in ``save_for_backward``, numbers and shapes on ``ctx``.
# What if a tensor is put onto ``ctx`` as well?
#
# .. admonition:: Wrong on purpose
#
#    The next Function keeps a tensor on ``ctx``. Do not copy it.

# wrong on purpose


class Kept(Function):
    @staticmethod
    def forward(x, c):
        return x * c

    @staticmethod
    def setup_context(ctx, inputs, output):
        _, ctx.c = inputs

    @staticmethod
    def backward(ctx, g):
        return g * ctx.c, None


class Saved(Kept):
    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(inputs[1])

    @staticmethod
    def backward(ctx, g):
        [c] = ctx.saved_tensors
        return g * c, None


u = torch.tensor(1.0, requires_grad=True)
c = torch.tensor(2.0)
y = Kept.apply(u, c)
c += 10

# %%
# .. predict::
#
#    ``y`` is 2 times ``u``, and then ``c`` has grown to 12. Which slope does autograd
#    find?
#
#    .. ask:: changed
#
#    .. answer::
#
#       :math:`\text{changed} = 12`, which is the slope of nothing that was computed.
#       ``ctx.c`` is the tensor itself, not a copy, and nobody looks at its version.
#
#       .. wrong:: 2
#
#          This is the truth. To find it, ``ctx`` would have to hold a copy.

[changed] = grad(y, u)
changed

# %%
# ``save_for_backward`` remembers the version, and compares:

c = torch.tensor(2.0)
y = Saved.apply(u, c)
c += 10
try:
    grad(y, u)
except RuntimeError as error:
    message = str(error)
    print(message.split(": [")[0])

# %%
# It compares where ``saved_tensors`` is read; a ``backward`` that does not read them is
# :ref:`not warned <lessons/3_debugging/20_in_place:What nobody notices>`. There is a
# second reason. An *output* on ``ctx`` holds its own node, and this node is ``ctx``: a
# ring, which reference counting does not free.


class Exp(Function):
    @staticmethod
    def forward(x):
        return x.exp()

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(output)

    @staticmethod
    def backward(ctx, g):
        [y] = ctx.saved_tensors
        return g * y


class Ring(Exp):
    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.y = output

    @staticmethod
    def backward(ctx, g):
        return g * ctx.y


def freed(function):
    """Say whether an output is gone once nobody holds it, without the collector."""
    gc.disable()
    try:
        return weakref.ref(function(u))() is None
    finally:
        gc.enable()


freed(Exp.apply), freed(Ring.apply)

# %%
# Here is the ring, once around:
#
# >>> ring = Ring.apply(u)
# >>> ring.grad_fn.y is ring
# True
#
# A saved output counts as a function of the input, also for a second derivative. For
# :law:`e^x` all derivatives at 1 are ``e``:
#
# >>> derivatives(Exp.apply, 1.0)
# tensor([2.7183, 2.7183, 2.7183], dtype=torch.float64)
#
# A value that is neither input nor output does not. ``forward`` is not recorded, so
# what is computed and kept on the way is a plain number for ``backward``, and :ref:`the
# second derivative is wrong <lessons/3_debugging/70_checking:A second derivative is a
# second check>`. To compute it anew is one cure. Here is another one: make it an
# output.

arrived = []


class XExp(Function):
    @staticmethod
    def forward(x):
        t = x.exp()
        return x * t, t

    @staticmethod
    def setup_context(ctx, inputs, outputs):
        ctx.save_for_backward(inputs[0], outputs[1])

    @staticmethod
    def backward(ctx, g, g_t):
        x, t = ctx.saved_tensors
        arrived.append(g_t.sum())
        return g * (x + 1) * t + g_t * t


def x_exp(x):
    return XExp.apply(x)[0]


# %%
# Two outputs, so two upstream gradients. Nobody outside uses ``t``.
#
# .. predict::
#
#    For the first derivative the ``backward`` of ``XExp`` runs once, for the second it
#    runs again. What is its ``g_t`` the first time, and what the second time? We are at
#    0, where the slope of the first derivative along ``t`` is :law:`x + 1 = 1`.
#
#    .. ask:: arrived
#
#    .. answer::
#
#       0, then 1. The first time nobody has used ``t``. The second time ``backward``
#       itself has, and what it owes to ``t`` comes back on this way. With it the second
#       derivative is right: 2, where a kept number gave 1.
#
#       .. wrong:: [0, 0]
#
#          Outside nobody uses ``t``, but the first ``backward`` did, and it was
#          recorded.
#
#       .. wrong:: [1, 1]
#
#          The product that ``forward`` has made of ``t`` does not count here: it is in
#          ``g * (x + 1) * t`` already.

arrived.clear()
at_0 = derivatives(x_exp, 0.0)
at_0

# %%
# The value, the first and the second derivative are :math:`\text{at\_0} = (0, 1, 2)`,
# and the check agrees:
#
# >>> gradgradcheck(x_exp, places)
# True

# %%
# When backward leaves PyTorch
# ----------------------------
#
# The third reason for a Function: a step that another library computes. Here it is
# NumPy. The ``backward`` leaves PyTorch, too, and has no record for a second
# derivative. ``once_differentiable`` says so.


def squared(x):
    return torch.as_tensor(np.square(x.detach().numpy()))


def doubled(x, g):
    return torch.as_tensor(2 * x.detach().numpy() * g.detach().numpy())


class Square(Function):
    @staticmethod
    def forward(x):
        return squared(x)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)

    @staticmethod
    @once_differentiable
    def backward(ctx, g):
        [x] = ctx.saved_tensors
        return doubled(x, g)


gradcheck(Square.apply, places)

# %%
# The first derivative is right. Now we build a cube from it, :law:`x^2 \cdot x`, whose
# first derivative at 1 is 3, and whose second is 6.

v = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
y = Square.apply(v) * v
[first] = grad(y, v, create_graph=True)
first

# %%
# .. predict::
#
#    The mark says that the Function can be differentiated once. We call
#    ``grad(first, v)``. Does it raise an error, or which number does it return? Type
#    the number, or open the answer.
#
#    .. ask:: second
#
#    .. answer::
#
#       No error, and :math:`\text{second} = 2`. On paper the first derivative is
#       :law:`2x \cdot x + x^2`. The part that came out of ``backward`` ends in a node
#       that refuses. ``grad`` visits the nodes which lead to ``v``, and this one does
#       not. What is left is the slope of :law:`x^2`.
#
#       .. wrong:: 6
#
#          This is the truth. The part :law:`2x \cdot x` would have to be
#          differentiated, and it came from NumPy.
#
#       .. wrong:: 4
#
#          This is what :law:`2x \cdot x` would add. It is the part that is lost.

[second] = grad(first, v, retain_graph=True)
second

# %%
# ``first.backward()`` visits the refusing node as well, and is told:

try:
    first.backward()
except RuntimeError as error:
    message = str(error)
    print(message)

# %%
# To ``grad`` the mark is no protection. The second check finds the fault:
#
# >>> message
# 'trying to differentiate twice a function that was marked with @once_differentiable'
# >>> gradgradcheck(lambda x: Square.apply(x) * x, places, raise_exception=False)
# False
#
# Alone, with nothing around it, it gets an upstream gradient without a record, and then
# the first derivative has none either:
#
# >>> [g.requires_grad for g in grad(Square.apply(v), v, create_graph=True)]
# [False]

# %%
# Forward mode and vmap
# ---------------------
#
# ``backward`` is for reverse mode. Forward mode has a rule of its own, ``jvp``: it gets
# the *tangent*, how fast the input moves, and returns how fast the output does. With
# ``generate_vmap_rule = True`` a class whose methods are made of PyTorch's operations
# works under ``vmap``, which runs a function for many samples at once, and which
# ``jacfwd`` and ``jacrev`` need. (:doc:`Functions that return gradients
# </lessons/4_advanced/50_torch_func>` is about these three.) A class with
# ``setup_context`` can have both.

forward_mode = []


class Times(Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(x):
        return x * x

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)
        ctx.save_for_forward(*inputs)

    @staticmethod
    def backward(ctx, g):
        [x] = ctx.saved_tensors
        return g * 2 * x

    @staticmethod
    def jvp(ctx, tangent):
        [x] = ctx.saved_tensors
        forward_mode.append(torch._C._is_fwd_grad_enabled())
        return 2 * x * tangent


square = Times.apply
gradcheck(square, places, check_forward_ad=True)

# %%
# Both first derivatives are right. The second derivative of :law:`x^2` is 2 everywhere,
# and there are several ways to it: ``jacfwd`` goes forward, ``jacrev`` goes back.
#
# .. predict::
#
#    At 3, what is the second derivative by ``jacfwd(jacfwd(square))``, by
#    ``jacrev(jacfwd(square))`` and by ``jacrev(jacrev(square))``?
#
#    .. ask:: ways
#
#    .. answer::
#
#       :math:`\text{ways} = (0, 2, 2)`. While a ``jvp`` of ours runs, forward mode is
#       switched off, so forward over forward takes ``2 * x`` for a constant. It says 0,
#       without a warning. Backward over forward is recorded, and right.
#
#       .. wrong:: [2, 2, 2]
#
#          For a function made of PyTorch's operations this holds. The rule of a custom
#          Function is not itself run in forward mode.

three = torch.tensor(3.0)
ways = torch.stack(
    [
        jacfwd(jacfwd(square))(three),
        jacrev(jacfwd(square))(three),
        jacrev(jacrev(square))(three),
    ]
)
ways

# %%
# Asked from inside, PyTorch 2.13 says the same: no call of ``jvp`` has seen forward
# mode switched on.
#
# >>> len(forward_mode) > 3, any(forward_mode)
# (True, False)
# >>> jacfwd(jacfwd(lambda x: x * x))(three)
# tensor(2.)
# >>> torch.func.vmap(square)(torch.tensor([1.0, 2.0, 3.0]))
# tensor([1., 4., 9.])
#
# ``torch.func.hessian``, the second derivatives in one call, is forward over reverse,
# and is right here:
#
# >>> torch.func.hessian(square)(three)
# tensor(2.)

# %%
# More than one output
# --------------------
#
# ``backward`` gets one upstream gradient for each output, whether somebody used it or
# not. Four details are easy to miss. First, an output that is marked as not
# differentiable gets an upstream gradient like the others. For truth values it is a
# truth value:

seen = []


class Gate(Function):
    @staticmethod
    def forward(x):
        return 3 * x, x > 0

    @staticmethod
    def setup_context(ctx, inputs, outputs):
        ctx.mark_non_differentiable(outputs[1])

    @staticmethod
    def backward(ctx, g, g_open):
        seen.append(g_open)
        return 3 * g


v = torch.tensor(1.0, requires_grad=True)
y, opened = Gate.apply(v)
y.backward()
seen, v.grad

# %%
# Second, a *list* of outputs instead of a tuple leaves autograd without a record, as
# :ref:`Silent mistakes <lessons/3_debugging/40_silent_mistakes:A Function that returns
# a list>` shows. Third, ``set_materialize_grads(False)`` turns the zeros for unused
# outputs into ``None``:
#
# >>> class Bare(Gate):
# ...     @staticmethod
# ...     def setup_context(ctx, inputs, outputs):
# ...         ctx.mark_non_differentiable(outputs[1])
# ...         ctx.set_materialize_grads(False)
# >>> seen.clear()
# >>> grad(Bare.apply(v)[0], v), seen
# ((tensor(3.),), [None])
#
# Fourth, the gradients may come in *one list*, so that ``backward`` can free each as
# soon as it is used up. PyTorch 2.13.0, 2.14.1 and 2.15.0 do so, and 2.9.1 does not.
# The class says ``boxed_grads_call = True``, and ``backward`` takes one argument
# instead of two:
#
# >>> class Boxed(Function):
# ...     boxed_grads_call = True
# ...     @staticmethod
# ...     def forward(ctx, x):
# ...         return x * 1, x * 2
# ...     @staticmethod
# ...     def backward(ctx, grads):
# ...         seen.append(type(grads).__name__)
# ...         second, first = grads.pop(), grads.pop()
# ...         return first + 2 * second
# >>> seen.clear()
# >>> grad(sum(Boxed.apply(v)), v), seen
# ((tensor(3.),), ['list'])
#
# ``forward(ctx, x)`` without ``setup_context`` is the older form, which ``torch.func``
# refuses:
#
# >>> try:
# ...     jacrev(lambda x: sum(Boxed.apply(x)))(three)
# ... except RuntimeError as error:
# ...     print(str(error).split(", it ")[1].split(". ")[0])
# must override the setup_context staticmethod

# %%
# Exercises
# ---------
#
# .. exercise::
#
#    Write the Legendre polynomial :math:`P_3(x) = \tfrac12 (5x^3 - 3x)` as a Function,
#    and check it. What are value and slope at one half?
#
#    .. answer::
#
#       :math:`P_3(\tfrac12) = -0.4375` and :math:`P_3'(\tfrac12) = 0.375`.
#
#       >>> class Legendre(Softplus):
#       ...     @staticmethod
#       ...     def forward(x):
#       ...         return (5 * x**3 - 3 * x) / 2
#       ...     @staticmethod
#       ...     def backward(ctx, g):
#       ...         [x] = ctx.saved_tensors
#       ...         return g * 1.5 * (5 * x**2 - 1)
#       >>> derivatives(Legendre.apply, 0.5)[:2]
#       tensor([-0.4375,  0.3750], dtype=torch.float64)
#       >>> gradcheck(Legendre.apply, places), gradgradcheck(Legendre.apply, places)
#       (True, True)
#
#       ``Softplus`` lends it ``setup_context``. From ``Times`` it would take over
#       ``jvp`` as well, and this belongs to :law:`x^2`.
#
# .. exercise::
#
#    Let ``beta`` learn: repair ``Sharp``. On paper its slope is
#    :law:`\frac{z\,\sigma(\beta z) - y}{\beta}`, with the output ``y``.
#
#    .. answer::
#
#       Both arguments and the output are kept, and there are two answers.
#
#       >>> class Learning(Sharp):
#       ...     @staticmethod
#       ...     def setup_context(ctx, inputs, output):
#       ...         ctx.save_for_backward(*inputs, output)
#       ...     @staticmethod
#       ...     def backward(ctx, g):
#       ...         z, beta, y = ctx.saved_tensors
#       ...         s = torch.sigmoid(beta * z)
#       ...         return g * s, (g * (z * s - y) / beta).sum()
#       >>> double = {"dtype": torch.float64, "requires_grad": True}
#       >>> pair = places, torch.tensor(4.0, **double)
#       >>> gradcheck(Learning.apply, pair), gradgradcheck(Learning.apply, pair)
#       (True, True)
#
#       ``beta`` was copied to each of the five places, so its gradients are summed.
#       (Without ``sum`` PyTorch would do it, from the shapes.) The price: ``beta`` must
#       be a tensor now, because ``save_for_backward`` takes no numbers.
#
#       >>> try:
#       ...     Learning.apply(places)
#       ... except TypeError as error:
#       ...     print(error)
#       save_for_backward can only save variables, but argument 1 is of type float
#
# .. exercise::
#
#    A loss contains :law:`\sqrt{x}`, and ``x`` may be 0, where the slope is infinite.
#    Write a root whose slope at 0 is 0. Which slopes has it at 0 and at 4?
#
#    .. answer::
#
#       The output is kept, and the slope is chosen where it would be infinite.
#
#       >>> class Root(Exp):
#       ...     @staticmethod
#       ...     def forward(x):
#       ...         return x.sqrt()
#       ...     @staticmethod
#       ...     def backward(ctx, g):
#       ...         [y] = ctx.saved_tensors
#       ...         safe = torch.where(y > 0, y, 1.0)
#       ...         return torch.where(y > 0, g / (2 * safe), 0.0)
#       >>> u = torch.tensor([0.0, 4.0], requires_grad=True)
#       >>> grad(u.sqrt().sum(), u)
#       (tensor([   inf, 0.2500]),)
#       >>> grad(Root.apply(u).sum(), u)
#       (tensor([0.0000, 0.2500]),)
#
#       The inner ``where`` keeps the zero out of the division. Without it the slope is
#       0 as well, but its own derivative with respect to a factor of the root is NaN.
#
#       >>> class Careless(Root):
#       ...     @staticmethod
#       ...     def backward(ctx, g):
#       ...         [y] = ctx.saved_tensors
#       ...         return torch.where(y > 0, g / (2 * y), 0.0)
#       >>> def along_factor(root):
#       ...     w, x = torch.tensor([1.0, 0.0], requires_grad=True).unbind()
#       ...     [first] = grad(w * root.apply(x), x, create_graph=True)
#       ...     return first.item(), grad(first, w)[0].item()
#       >>> along_factor(Root), along_factor(Careless)
#       ((0.0, 0.0), (0.0, nan))
#
# .. exercise::
#
#    *Spot the error.* "My ``backward`` calls ``z.item()``, and computes with Python's
#    ``math`` from there on. ``gradcheck`` says ``True``, so I use it in a loss that
#    contains a gradient."
#
#    .. answer::
#
#       Such a loss needs the second derivative, and Python's ``math`` is not recorded.
#       The first derivative is right, and the second is missing.
#
#       >>> import math
#       >>> class ByMath(Softplus):
#       ...     @staticmethod
#       ...     def backward(ctx, g):
#       ...         [z] = ctx.saved_tensors
#       ...         return g / (1 + math.exp(-z.item()))
#       >>> z = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
#       >>> gradcheck(ByMath.apply, z)
#       True
#       >>> gradgradcheck(ByMath.apply, z, raise_exception=False)
#       False
#
# .. exercise::
#
#    *Spot the error.* "My ``backward`` leaves the work to autograd: it returns
#    ``grad(x**3, x, g)[0]``. PyTorch complains that element 0 does not require a
#    gradient, but ``x`` does."
#
#    .. answer::
#
#       ``x`` does, and ``x**3`` does not: ``backward`` runs without a record, unless
#       the caller asks for ``create_graph=True``.
#
#       >>> class Seen(Softplus):
#       ...     @staticmethod
#       ...     def backward(ctx, g):
#       ...         print(torch.is_grad_enabled())
#       >>> for asked_twice in (False, True):
#       ...     y = Seen.apply(z)
#       ...     _ = grad(y, z, create_graph=asked_twice, allow_unused=True)
#       False
#       True
#
#       ``torch.func.vjp`` makes a record of its own. It returns the value, and a
#       function that turns ``g`` into the vector-Jacobian product.
#
#       >>> class Cube(Softplus):
#       ...     @staticmethod
#       ...     def forward(x):
#       ...         return x**3
#       ...     @staticmethod
#       ...     def backward(ctx, g):
#       ...         [x] = ctx.saved_tensors
#       ...         _, product = torch.func.vjp(lambda x: x**3, x)
#       ...         return product(g)[0]
#       >>> gradcheck(Cube.apply, places), gradgradcheck(Cube.apply, places)
#       (True, True)

# %%
# What we can do now
# ------------------
#
# - Say when a derivative of our own is worth it: the function is known better than its
#   steps, less is kept, or the step leaves PyTorch.
# - Write ``forward``, ``setup_context`` and ``backward``, with one answer for each
#   argument, and keep inputs and outputs where their versions are watched.
# - Check both derivatives, and know which second derivatives are silently wrong: of a
#   value that was kept on the way, through ``once_differentiable``, and forward over
#   forward.
#
# But for the root at 0 the derivative was the true one here. Next, in :doc:`Surrogate
# gradients </lessons/4_advanced/20_surrogate_gradients>`, it is one that we choose.

# %%
# Credits and licences
# --------------------
#
# PyTorch describes ``Function`` in `Extending PyTorch
# <https://docs.pytorch.org/docs/stable/notes/extending.html>`__ and intermediates as
# outputs in `Double backward with custom Functions
# <https://docs.pytorch.org/tutorials/intermediate/custom_function_double_backward_tutorial.html>`__.
# The Legendre polynomial is from its `tutorial with examples
# <https://docs.pytorch.org/tutorials/beginner/pytorch_with_examples.html>`__. Our text
# is under `CC BY-SA 4.0 <https://creativecommons.org/licenses/by-sa/4.0/>`__, our code
# under the `MIT licence <https://opensource.org/license/mit>`__.
