r"""
Checking a gradient
===================

A wrong gradient looks like any other number. We compare gradients with differences,
find the step that suits them, and learn what PyTorch's own check lets pass and what it
refuses.

:Time: 35 minutes
:Needs: :doc:`Non-scalar outputs </lessons/1_foundations/50_jacobians>`
:Level: Debugging
:Tags: errors, derivatives
"""

# sphinx_gallery_warns = ["jit.script since torch 2.14"]

# %%
# A derivative says how much faster the output moves than the input. So we can test it:
# move the input a little, and look. We begin with a slope that everybody can look up,
# that of the sine at 1.

import warnings

import torch
from torch.nn import functional as F

from torchutils import MovingPlot, record_backward

x = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
y = torch.sin(x)
y.backward()
x.grad

# %%
# With :math:`y = \sin x`, autograd says :math:`\frac{dy}{dx} = \cos x = 0.5403023`.

# %%
# Two differences
# ---------------
#
# One step to the right gives the *forward difference*. One to each side gives the
# *central difference*.


def forward(f, x, h):
    return (f(x + h) - f(x)) / h


def central(f, x, h):
    return (f(x + h) - f(x - h)) / (2 * h)


x = torch.tensor(1.0, dtype=torch.float64)
slope = torch.cos(x)
forward(torch.sin, x, 0.01), central(torch.sin, x, 0.01)

# %%
# The second shows no error in these digits. How far off both are, for a step of a
# hundredth and for one of a thousandth:


def error(difference, h):
    return (difference(torch.sin, x, h) - slope).abs()


at_hundredth = torch.stack([error(forward, 0.01), error(central, 0.01)])
at_thousandth = torch.stack([error(forward, 0.001), error(central, 0.001)])
at_hundredth

# %%
# .. predict::
#
#    The second step is ten times shorter. By which factor does the error of the forward
#    difference shrink, and by which that of the central one? Type two whole numbers.
#
#    .. ask:: shrunk
#
#    .. answer::
#
#       By 10 and by 100, :math:`\text{shrunk} = (10, 100)`. The forward error goes with
#       ``h``, the central one with its square: to the left and to the right the curve
#       bends away in the same manner, and the difference of the two sides does not see
#       it.
#
#       .. wrong:: [10, 10]
#
#          So it would be if the two sides were two measurements, whose mean is a
#          little better. Their largest errors have opposite signs, and cancel.
#
#       .. wrong:: [100, 100]
#
#          This holds for the central difference. The forward one has an error that goes
#          with ``h`` itself.

shrunk = (at_hundredth / at_thousandth).round()
shrunk

# %%
# How short may a step be?
# ------------------------
#
# Then a very short step should be best. Here are five, each a thousandth of the one
# before.

steps = torch.tensor([1e-2, 1e-5, 1e-8, 1e-11, 1e-14], dtype=torch.float64)

# %%
# .. predict::
#
#    With which of the five is the forward difference closest to the slope? Type the
#    power of ten, such as −2 for a hundredth.
#
#    .. ask:: best
#
#    .. answer::
#
#       The third, :math:`\text{best} = -8`. Before it, the step is too long. After it,
#       rounding takes over: two numbers that agree in most of their sixteen digits are
#       subtracted, and few digits are left.
#
#       .. wrong:: -14
#
#          You trusted the limit. In a computer, ``sin(x + h)`` and ``sin(x)`` then
#          agree in fourteen of sixteen digits, and the difference has two.
#
#       .. wrong:: -5
#
#          A good step for the central difference. The forward one is off by about
#          ``h`` itself, and can do better.
#
#       .. wrong:: -11
#
#          Already too short. It loses eleven of sixteen digits, which is more than the
#          longer step loses by its length.

forward_errors = error(forward, steps)
best = torch.log10(steps[forward_errors.argmin()])
forward_errors

# %%
# The five errors, with the forward and with the central difference:
#
# >>> [f"{e:.1e}" for e in forward_errors.tolist()]
# ['4.2e-03', '4.2e-06', '3.0e-09', '1.2e-06', '3.7e-03']
# >>> [f"{e:.1e}" for e in error(central, steps).tolist()]
# ['9.0e-06', '1.1e-11', '2.6e-09', '1.2e-06', '3.7e-03']
#
# Now sixteen steps, each a tenth of the one before, on scales that count powers of ten.
# Before you look: which curve has its lowest place further to the left, with the
# shorter steps?

powers = torch.arange(-1, -17, -1)
steps = 10.0 ** powers.double()
curves = {
    "forward": torch.log10(error(forward, steps)),
    "central": torch.log10(error(central, steps)),
}
plot = MovingPlot(
    {"power of ten": powers},
    "How far off a difference is",
    xlim=(-16, 0),
    ylim=(-12, 1),
    xlabel="step (power of ten)",
    ylabel="error (power of ten)",
)
for name, curve in curves.items():
    plot.line(powers, curve, name)
    plot.point(powers, curve)
plot.say("Forward, it is off by {forward:.0e},", forward=error(forward, steps))
plot.say("central by {central:.0e}.", central=error(central, steps))
plot

# %%
# The forward one, and it does not get as low. From the right both fall, one with slope
# 1 and one with slope 2: the step's own error. From the left both come down together:
# rounding, which is divided by ``h``. The next ``float64`` after 1 is larger by
# :math:`\text{eps} = 2.22 \cdot 10^{-16}`. Where the two errors are about equal,
# the step is best: near :math:`\sqrt{\text{eps}} = 1.49 \cdot 10^{-8}` for the forward
# difference, and near :math:`\text{eps}^{1/3} = 6.06 \cdot 10^{-6}` for the central
# one.

eps = torch.finfo(torch.float64).eps
error(forward, eps ** (1 / 2)), error(central, eps ** (1 / 3))

# %%
# The central difference gets about eleven digits right:
#
# >>> 1e-12 < error(central, eps ** (1 / 3)) < 1e-10
# tensor(True)

# %%
# A step without subtraction
# --------------------------
#
# What if the step is so short that it is lost?
#
# .. predict::
#
#    We take :law:`h = 10^{-30}`. What does the forward difference return?
#
#    .. ask:: lost
#
#    .. answer::
#
#       :math:`\text{lost} = 0`. ``x + h`` has the digits of ``x``, so the two sines are
#       the same number.
#
#       .. wrong:: slope
#
#          The limit, if numbers had digits without end. These have sixteen, and ``x +
#          h`` is ``x``.

h = 1e-30
lost = forward(torch.sin, x, h)
lost

# %%
# A complex number has a second place to keep a step in. For small ``h`` we have
# :law:`\sin(x + ih) = \sin x + ih \cos x`, so the slope stands in the imaginary part,
# without a subtraction. This is the *complex step*:

z = torch.complex(x, torch.tensor(h, dtype=torch.float64))
by_complex = torch.sin(z).imag / h
by_complex - slope

# %%
# >>> (by_complex - slope).abs() < 3e-16
# tensor(True)
#
# It asks for a function that continues into the complex numbers. The absolute value of
# a complex number is another function there, and returns a real number, without the
# step. ``relu`` refuses:
#
# >>> z.abs()
# tensor(1., dtype=torch.float64)
# >>> torch.relu(z)
# Traceback (most recent call last):
# NotImplementedError: clamp is not supported for complex types

# %%
# A thousand inputs, one direction
# --------------------------------
#
# A gradient with a thousand entries would need two thousand evaluations. But along one
# *direction* ``u`` a function has one slope, and the gradient says which:
# :law:`\nabla f \cdot u`.

torch.manual_seed(0)
p = torch.randn(1000, dtype=torch.float64, requires_grad=True)
u = F.normalize(torch.randn(1000, dtype=torch.float64), dim=0)


def f(p):
    return (torch.sin(p) * p.roll(1)).sum()


[gradient] = torch.autograd.grad(f(p), p)
with torch.no_grad():
    measured = central(lambda t: f(p + t * u), 0, 6e-6)
gradient @ u, measured

# %%
# Two evaluations for a thousand entries. How large may the difference be? That depends
# on the size of what we compare. So we divide by the larger of the two, and look at the
# *relative* error:


def relative(a, b):
    return (a - b).abs() / torch.maximum(a.abs(), b.abs())


relative(gradient @ u, measured)

# %%
# .. predict::
#
#    We double the first entry of the gradient, and leave the other 999 as they are.
#    Does the check along ``u`` notice?
#
#    .. answer::
#
#       Yes. The difference is the first entry times :math:`u_0`, and :math:`u_0` is not
#       0. A wrong gradient whose error stands at a right angle to ``u`` would pass, so
#       take a second direction, if in doubt.

spoiled = gradient.clone()
spoiled[0] *= 2
relative(spoiled @ u, measured)

# %%
# >>> relative(gradient @ u, measured) < 1e-8, relative(spoiled @ u, measured) > 1e-4
# (tensor(True), tensor(True))

# %%
# gradcheck asks more
# -------------------
#
# ``torch.autograd.gradcheck`` takes central differences of each output with respect to
# each input. It returns ``True`` where they agree with autograd, and raises otherwise.

torch.autograd.gradcheck(f, p[:5].detach().requires_grad_())

# %%
# "Agree" means: they differ by no more than ``atol`` plus ``rtol`` times the
# difference quotient. The step is ``eps``, no longer the distance of two numbers.
#
# >>> import inspect
# >>> known = inspect.signature(torch.autograd.gradcheck).parameters
# >>> {name: known[name].default for name in ("eps", "atol", "rtol")}
# {'eps': 1e-06, 'atol': 1e-05, 'rtol': 0.001}
#
# All this takes two evaluations for each input. ``fast_mode=True`` goes along a random
# direction, as we did:
#
# >>> calls = []
# >>> def counted(p):
# ...     calls.append(1)
# ...     return f(p)
# >>> torch.autograd.gradcheck(counted, p), len(calls) > 2000
# (True, True)
# >>> calls.clear()
# >>> torch.autograd.gradcheck(counted, p, fast_mode=True), len(calls) < 10
# (True, True)
#
# The check is meant for backward passes that we write ourselves. A class derived from
# ``torch.autograd.Function`` brings its own; ``g`` is the upstream gradient that
# arrives.
#
# .. admonition:: Wrong on purpose
#
#    The ``backward`` of the next cell has a fault. Do not copy it.

# wrong on purpose


class Cube(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, g):
        [x] = ctx.saved_tensors
        return 3 * x**2


w = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
[alone] = torch.autograd.grad(Cube.apply(w), w)
alone

# %%
# At 2 that is right, :math:`\text{alone} = 3 \cdot 2^2 = 12`.
#
# .. predict::
#
#    Now ``s = 3 * Cube.apply(w)``. The derivative of :law:`3w^3` at 2 is 36. What does
#    autograd find?
#
#    .. ask:: w.grad
#
#    .. answer::
#
#       It finds 12. The factor 3 arrives as ``g``, and ``backward`` does not multiply
#       by it. Alone, or under a plain ``.sum()``, ``g`` is 1, and the fault stays out
#       of sight.
#
#       >>> u = torch.ones(2, dtype=torch.float64, requires_grad=True)
#       >>> torch.autograd.grad(Cube.apply(u).sum(), u)
#       (tensor([3., 3.], dtype=torch.float64),)
#
#       .. wrong:: 36
#
#          This is the truth. To find it, ``backward`` would have to return
#          ``g * 3 * x**2``.

c = Cube.apply(w)
s = 3 * c
record_backward(s, locals())

# %%
# Walk to ``w``: 3 is sent to ``c``, and from there 12 goes on where 36 should. A test
# that ends in ``.sum()`` passes. ``gradcheck`` also sends a zero, expects zeros back,
# and says what is missing:

try:
    torch.autograd.gradcheck(Cube.apply, w)
except RuntimeError as failure:
    message = str(failure)
    print(message)

# %%
# >>> message
# 'backward not multiplied by grad_output'
#
# What does ``fast_mode`` miss? In the next square, the slope of one entry is three
# times what it should be. Among ten entries it is found. Among a thousand, fast mode
# lets it pass in PyTorch 2.13.0:
#
# >>> class Square(torch.autograd.Function):
# ...     @staticmethod
# ...     def forward(ctx, x):
# ...         ctx.save_for_backward(x)
# ...         return x**2
# ...
# ...     @staticmethod
# ...     def backward(ctx, g):
# ...         slopes = 2 * ctx.saved_tensors[0]
# ...         slopes[0] *= 3
# ...         return g * slopes
# >>> def passes_with(entries, fast_mode):
# ...     x = torch.linspace(1, 2, entries, dtype=torch.float64).requires_grad_()
# ...     return torch.autograd.gradcheck(
# ...         Square.apply, x, fast_mode=fast_mode, raise_exception=False
# ...     )
# >>> passes_with(10, True), passes_with(1000, True), passes_with(1000, False)
# (False, True, False)
#
# It compares one number, a sum of the slopes with random weights. The more slopes, the
# less one of them counts.

# %%
# First suspect the dtype
# -----------------------
#
# A right gradient may be refused, too. Here is the sine once more, in ``float32``.

x32 = torch.ones(1, requires_grad=True)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    try:
        torch.autograd.gradcheck(torch.sin, x32)
    except RuntimeError as failure:
        message = str(failure)
        print(message)

# %%
# The step is a millionth, and a ``float32`` has seven digits: few digits of the
# difference are left. Even a straight line fails, whose differences have no error but
# rounding:
#
# >>> message.splitlines()[1:]
# ['numerical:tensor([[0.5364]])', 'analytical:tensor([[0.5403]])']
# >>> with warnings.catch_warnings(action="ignore"):
# ...     torch.autograd.gradcheck(lambda v: 3 * v, x32, raise_exception=False)
# False
#
# It had warned us, before it raised:
#
# >>> str(caught[0].message).split(". ")[0]
# 'Input #0 requires gradient and is not a double precision floating point or complex'
#
# The cure is ``x32.double()``, for which this step is made:
#
# >>> torch.autograd.gradcheck(torch.sin, x32.detach().double().requires_grad_())
# True

# %%
# What it lets pass
# -----------------
#
# Tolerances are there to be used up. Here the derivative of the square is multiplied by
# a factor that has no business there.
#
# .. admonition:: Wrong on purpose
#
#    Each gradient of the next cell is wrong. Do not copy it.

# wrong on purpose


def square(factor):
    class Square(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**2

        @staticmethod
        def backward(ctx, g):
            [x] = ctx.saved_tensors
            return factor * g * 2 * x

    return Square.apply


def passes(f, *values):
    at = torch.tensor(values, dtype=torch.float64, requires_grad=True)
    return torch.autograd.gradcheck(f, at, raise_exception=False)


# %%
# .. predict::
#
#    Is each of these accepted: the factor :law:`1.0009` at 1, the factor
#    :law:`1.0011` at 1, the factor 7 at 0? Type 1 for yes and 0 for no.
#
#    .. ask:: accepted
#
#    .. answer::
#
#       :math:`\text{accepted} = (1, 0, 1)`. A relative error of less than a thousandth
#       is tolerated, so the first passes and the second does not. At 0 the slope is 0,
#       and seven times 0 is right.
#
#       .. wrong:: [0, 0, 0]
#
#          Three wrong functions. But the check sees numbers at one place, and has
#          tolerances.
#
#       .. wrong:: [1, 0, 0]
#
#          The tolerance is as you think. At 0, though, the factor multiplies a zero.
#
#       .. wrong:: [1, 1, 1]
#
#          The second factor is beyond the tolerance of a thousandth.

accepted = [
    float(passes(square(1.0009), 1.0)),
    float(passes(square(1.0011), 1.0)),
    float(passes(square(7.0), 0.0)),
]
accepted

# %%
# So check at places without anything special: random ones, not 0 and not 1. Where a
# thousandth is too coarse, set ``rtol`` lower.
#
# >>> at = torch.tensor([1.0], dtype=torch.float64, requires_grad=True)
# >>> torch.autograd.gradcheck(square(1.0009), at, rtol=1e-6, raise_exception=False)
# False

# %%
# What it refuses at a kink
# -------------------------
#
# .. predict::
#
#    What does the central difference say of ``relu`` at 0, with the step that
#    ``gradcheck`` uses?
#
#    .. ask:: middle
#
#    .. answer::
#
#       The middle of the slopes 0 and 1, :math:`\text{middle} = \frac{0 + 1}{2} =
#       0.5`. PyTorch has chosen 0 there, so ``gradcheck`` refuses it, although
#       nobody has made a mistake.
#
#       .. wrong:: 0
#
#          This is what PyTorch chose for the kink. The difference looks to both sides,
#          and on the right one the slope is 1.
#
#       .. wrong:: 1
#
#          This is the slope on the right. The central difference looks to the left,
#          too.

middle = central(torch.relu, torch.tensor(0.0, dtype=torch.float64), 1e-6)
middle

# %%
# Where PyTorch's choice is the middle, the check passes: ``abs``, whose slopes −1 and 1
# have the middle 0, and the largest of two equal numbers, if both get half.
#
# >>> passes(torch.relu, 0.0), passes(F.hardtanh, 1.0)
# (False, False)
# >>> passes(torch.abs, 0.0)
# True
# >>> passes(torch.max, 1.0, 1.0), passes(lambda v: v.max(0).values, 1.0, 1.0)
# (True, False)
#
# A check that fails at a kink says something about the place. Move away from it, by
# more than a step, and check again.

# %%
# Where it is right to complain
# -----------------------------
#
# A determinant has no kink. Each of its derivatives is, up to its sign, a smaller
# determinant. For ``A``, with 1, 2 and 0 on the diagonal, the last one is
# :law:`1 \cdot 2 = 2`.

A = torch.diag(torch.tensor([1.0, 2.0, 0.0], dtype=torch.float64)).requires_grad_()
[found] = torch.autograd.grad(torch.linalg.det(A), A)
found

# %%
# Autograd says 0 everywhere, in the releases 2.9, 2.13, 2.14 and 2.15. Its rule
# solves a system of equations that has the determinant on its right side, and from 0 it
# finds 0. ``gradcheck`` notices:
#
# >>> torch.autograd.gradcheck(torch.linalg.det, A, raise_exception=False)
# False
# >>> last = torch.diag(torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64))
# >>> central(lambda t: torch.linalg.det(A.detach() + t * last), 0, 1e-6)
# tensor(2., dtype=torch.float64)
#
# With ``create_graph=True`` the way back is recorded, so that it can be differentiated,
# too. Then it follows another rule, and is right:
#
# >>> torch.autograd.grad(torch.linalg.det(A), A, create_graph=True)[0].diagonal()
# tensor([0., 0., 2.], dtype=torch.float64, grad_fn=<DiagonalBackward0>)
#
# For a matrix of zeros all smaller determinants are 0, and the check passes:
#
# >>> passes(torch.linalg.det, [0.0, 0.0], [0.0, 0.0])
# True
#
# ``F.ctc_loss`` has an agreement of its own. It takes the logarithms of probabilities,
# and returns the gradient with respect to what stood *before* the softmax. Behind
# ``log_softmax`` that is right. With respect to the logarithms themselves it is not:

logs = torch.full((2, 2), 0.5, dtype=torch.float64).log().requires_grad_()


def ctc(logs):
    label = torch.tensor([[1]])
    lengths = torch.tensor([2]), torch.tensor([1])
    return F.ctc_loss(logs[:, None], label, *lengths, reduction="sum")


[direct] = torch.autograd.grad(ctc(logs), logs)
[behind] = torch.autograd.grad(ctc(logs.log_softmax(1)), logs)
direct[0], behind[0]

# %%
# The same numbers, and of the two only the second are right. Softmax is not the point.
# What counts is that the probabilities have the sum 1, wherever we go:
#
# >>> torch.autograd.gradcheck(ctc, logs, raise_exception=False)
# False
# >>> torch.autograd.gradcheck(lambda v: ctc(v.log_softmax(1)), logs)
# True
# >>> parts = torch.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=torch.float64)
# >>> parts.requires_grad_().shape
# torch.Size([2, 2])
# >>> torch.autograd.gradcheck(lambda v: ctc((v / v.sum(1, True)).log()), parts)
# True
# >>> torch.autograd.gradcheck(lambda v: ctc(v.log()), parts, raise_exception=False)
# False
#
# (Two moments, and at each the label or a blank, with probability one half. Three of
# the four ways spell the label. A blank comes first in one of the three, so the slope
# is :law:`-\frac{1}{3}`, and for the label :law:`-\frac{2}{3}`.)
#
# >>> with torch.no_grad():
# ...     for row in torch.eye(2, dtype=torch.float64):
# ...         step = torch.stack([row, 0 * row])
# ...         print(central(lambda t: ctc(logs + t * step), 0, 1e-6))
# tensor(-0.3333, dtype=torch.float64)
# tensor(-0.6667, dtype=torch.float64)

# %%
# A second derivative is a second check
# -------------------------------------
#
# Here is :law:`f(x) = x e^x` with a backward pass of its own. To save work it keeps the
# exponential from the forward pass.
#
# .. admonition:: Wrong on purpose
#
#    The first derivative of the next cell is right, the second is not. Do not copy it.

# wrong on purpose


class XExp(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        t = x.exp()
        ctx.save_for_backward(x, t)
        return x * t

    @staticmethod
    def backward(ctx, g):
        x, t = ctx.saved_tensors
        return g * t * (x + 1)


v = torch.zeros(1, dtype=torch.float64, requires_grad=True)
[first] = torch.autograd.grad(XExp.apply(v), v, create_graph=True)

# %%
# .. predict::
#
#    The first derivative is :law:`(x + 1)\,e^x`, and ``backward`` says the same. The
#    second is :law:`(x + 2)\,e^x`, which is 2 at 0. What does autograd find, when it
#    differentiates what ``backward`` has computed?
#
#    .. ask:: second
#
#    .. answer::
#
#       It finds 1. What ``forward`` does inside is not recorded, so ``t`` is a plain
#       number there. Of ``t * (x + 1)`` the factor ``x + 1`` alone is differentiated.
#
#       .. wrong:: 2
#
#          This needs the derivative of ``t`` as well. Had ``backward`` computed
#          ``x.exp()`` anew, it would be there.

[second] = torch.autograd.grad(first, v)
second

# %%
# ``gradcheck`` compares first derivatives, and is content. For the second ones there is
# ``gradgradcheck``:
#
# >>> torch.autograd.gradcheck(XExp.apply, v)
# True
# >>> torch.autograd.gradgradcheck(XExp.apply, v, raise_exception=False)
# False
# >>> torch.autograd.gradgradcheck(lambda v: v * v.exp(), v)
# True

# %%
# Forward mode is a third rule
# ----------------------------
#
# An operation has a rule for the way back and another one for the way forward. Here a
# product is written with ``scatter_reduce``, :law:`f(t) = 1 \cdot t \cdot t`, whose
# slope at 3 is 6.


def twice(t):
    places = torch.tensor([0, 0])
    return t.new_ones(1).scatter_reduce(0, places, torch.stack([t, t]), "prod")


t = torch.tensor(3.0, dtype=torch.float64, requires_grad=True)
[backward_slope] = torch.autograd.grad(twice(t), t)
_, forward_slope = torch.func.jvp(twice, (t.detach(),), (torch.ones_like(t),))
backward_slope, forward_slope

# %%
# The way back is right, :math:`\text{backward\_slope} = 2t = 6`. In forward mode the
# slope is missing: the releases 2.13, 2.14 and 2.15 leave it out without a word.
# ``gradcheck`` looks at forward mode if we ask:
#
# >>> torch.autograd.gradcheck(twice, t)
# True
# >>> try:
# ...     torch.autograd.gradcheck(twice, t, check_forward_ad=True)
# ... except RuntimeError as failure:
# ...     print(str(failure).splitlines()[0])
# Jacobian computed with forward mode mismatch for output 0 with respect to input 0,
#
# At special places the two modes may differ as well. Backward and forward, at 0
# (``torch.func.grad`` takes a function, and returns its gradient as a function):
#
# >>> def both(f):
# ...     at, one = torch.zeros(1), torch.ones(1)
# ...     slope = torch.func.grad(lambda v: f(v).sum())(at)
# ...     return slope.item(), torch.func.jvp(f, (at,), (one,))[1].item()
# >>> both(lambda v: F.prelu(v, torch.tensor([0.25])))
# (0.25, 1.0)
# >>> both(lambda v: torch.where(v > 0, v.sqrt(), 0.0))
# (nan, 0.0)

# %%
# Exercises
# ---------
#
# .. exercise::
#
#    A check prints the gradient and the difference quotient of two weights. For the
#    first they are 1000 and :law:`1000.1`, for the second :law:`0.00001` and
#    :law:`0.00002`. Which one should worry us?
#
#    .. answer::
#
#       The second. It is half wrong, while the first agrees to one part in ten
#       thousand. The absolute differences say the opposite.
#
#       >>> a = torch.tensor([1000, 0.00001], dtype=torch.float64)
#       >>> b = torch.tensor([1000.1, 0.00002], dtype=torch.float64)
#       >>> relative(a, b)
#       tensor([0.0001, 0.5000], dtype=torch.float64)
#
# .. exercise::
#
#    How many evaluations of a function of a million inputs does a check along one
#    random direction cost? Check the gradient of :law:`\sum_i p_i^3` so, for the
#    thousand numbers ``p``.
#
#    .. answer::
#
#       Two, however many inputs there are: one on each side. (A third one, with its
#       backward pass, makes the gradient that we check.)
#
#       >>> calls = []
#       >>> def cubes(p):
#       ...     calls.append(1)
#       ...     return (p**3).sum()
#       >>> [slopes] = torch.autograd.grad(cubes(p), p)
#       >>> calls.clear()
#       >>> with torch.no_grad():
#       ...     quotient = central(lambda t: cubes(p + t * u), 0, 6e-6)
#       >>> relative(slopes @ u, quotient) < 1e-7
#       tensor(True)
#       >>> len(calls)
#       2
#
# .. exercise::
#
#    Why does ``gradcheck`` refuse dropout? Make it pass.
#
#    .. answer::
#
#       Each call draws at random which inputs it lets through, so the two sides of a
#       difference belong to two functions. With a seed inside, it is one.
#
#       >>> def seeded(v):
#       ...     torch.manual_seed(1)
#       ...     return F.dropout(v, 0.5)
#       >>> numbers = [float(k) for k in range(1, 9)]
#       >>> passes(F.dropout, *numbers), passes(seeded, *numbers)
#       (False, True)
#
# .. exercise::
#
#    *Spot the error.* "``gradcheck`` accepts ``torch.floor``, so I can train through
#    it."
#
#    .. answer::
#
#       It accepts it because the slope, 0, is right between two steps of the staircase.
#       A right gradient need not be a useful one.
#
#       >>> passes(torch.floor, 1.5)
#       True
#       >>> steps_of = torch.tensor(1.5, requires_grad=True)
#       >>> torch.autograd.grad(torch.floor(steps_of), steps_of)
#       (tensor(0.),)
#
# .. exercise::
#
#    Repair ``Cube`` and ``XExp``, so that both checks pass.
#
#    .. answer::
#
#       ``Cube`` multiplies by ``g``. ``XExp`` computes the exponential again, from an
#       input that is recorded.
#
#       >>> class GoodCube(Cube):
#       ...     @staticmethod
#       ...     def backward(ctx, g):
#       ...         [x] = ctx.saved_tensors
#       ...         return g * 3 * x**2
#       >>> class GoodXExp(XExp):
#       ...     @staticmethod
#       ...     def backward(ctx, g):
#       ...         x, _ = ctx.saved_tensors
#       ...         return g * x.exp() * (x + 1)
#       >>> place = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
#       >>> for f in (GoodCube.apply, GoodXExp.apply):
#       ...     print(passes(f, 0.7), torch.autograd.gradgradcheck(f, place))
#       True True
#       True True

# %%
# What we can do now
# ------------------
#
# - Choose a step: about the root of ``eps`` for a forward difference, about its cube
#   root for a central one, and far smaller for the complex step.
# - Check a thousand entries with two evaluations.
# - Read a refusal of ``gradcheck``: the dtype, a kink, randomness, and then the fault.
# - Know what it lets pass: a thousandth, a special place, a second derivative, forward
#   mode.
#
# Next, :doc:`Hooks </lessons/3_debugging/80_hooks>` look at gradients on their way.

# %%
# Credits and licences
# --------------------
#
# That a relative error is what to look at, that kinks spoil a check, and that a check
# at one place says little of others, is advice of the course notes of Stanford's
# `CS231n
# <https://cs231n.github.io/neural-networks-3/>`__. The complex step is from W. Squire
# and G. Trapp, `Using complex variables to estimate derivatives of real functions
# <https://doi.org/10.1137/S003614459631241X>`__. What ``gradcheck`` compares, and with
# which tolerances, says `PyTorch's documentation
# <https://docs.pytorch.org/docs/stable/generated/torch.autograd.gradcheck.gradcheck.html>`__.
# Our text is under `CC BY-SA 4.0 <https://creativecommons.org/licenses/by-sa/4.0/>`__,
# our code under the `MIT licence <https://opensource.org/license/mit>`__.
