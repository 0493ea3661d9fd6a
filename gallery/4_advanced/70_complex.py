r"""
Gradients of complex numbers
============================

A complex weight is two numbers in one, and so is its gradient. We find out which two
PyTorch puts there, why a conjugate appears on the way back, and where a factor of two
hides.

:Time: 35 minutes
:Needs: :doc:`Non-scalar outputs </lessons/1_foundations/50_jacobians>`,
   :doc:`Modules and optimisers </lessons/2_practice/60_modules_and_optimisers>`,
   :doc:`Checking a gradient </lessons/3_debugging/70_checking>`
:Level: Advanced
:Tags: derivatives, training, errors
"""

# sphinx_gallery_warns = ["jit.script since torch 2.14"]

# %%
# So far each weight was a place on a line. A wave needs two numbers, how strong and how
# early, and audio, radio and imaging write both as one *complex number*. A gradient has
# the shape of its variable. So what is the gradient of a number that is two?

import torch

from torchutils import MovingPlot, record_backward

# %%
# Two numbers in one
# ------------------
#
# We begin with two ordinary numbers, ``a`` and ``b``, and with the square of their
# distance from 0.

a = torch.tensor(3.0, dtype=torch.float64, requires_grad=True)
b = torch.tensor(4.0, dtype=torch.float64, requires_grad=True)
L = a**2 + b**2

# %%
# Nothing is new here: :math:`L = a^2 + b^2 = 25`, with the slopes
# :math:`\frac{\partial L}{\partial a} = 2a = 6` and
# :math:`\frac{\partial L}{\partial b} = 2b = 8`.

L.backward()
a.grad, b.grad

# %%
# Now the same two numbers in one tensor. The first is the *real part*, the second, with
# the factor :math:`i` before it, is the *imaginary part*. Python writes ``j`` for
# :math:`i`.

z = torch.tensor(3 + 4j, dtype=torch.complex128, requires_grad=True)
L = z.abs() ** 2

# %%
# With :math:`z = 3 + 4i` we have :math:`L = \lvert z \rvert^2 = 25` again.
#
# .. predict::
#
#    What does ``z.grad`` hold? Type its real part, then its imaginary part.
#
#    .. ask:: torch.view_as_real(z.grad)
#
#    .. answer::
#
#       The two slopes, each in its own place: :math:`\nabla_z L = 6 + 8i`. The real
#       part is 6, the imaginary part is 8.
#
#       .. wrong:: [3, 4]
#
#          This is what textbooks on complex functions call the derivative by the
#          conjugate. It is half of what PyTorch returns; more below.
#
#       .. wrong:: [6, -8]
#
#          This is the conjugate. JAX returns it; PyTorch does not.

L.backward()
z.grad

# %%
# So the rule for a real loss is a short one. With ``a`` and ``b`` for the two parts of
# a complex number:
#
# .. math::
#    :class: law
#
#    \text{z.grad} = \frac{\partial L}{\partial a} + i\,\frac{\partial L}{\partial b}
#
# It is the gradient of two real numbers, written as one complex number. So it points
# the steepest way up, and a step down goes against it.
#
# .. predict::
#
#    We make one step of gradient descent with the learning rate a tenth. Where does it
#    lead? Type both parts of the new number.
#
#    .. ask:: torch.view_as_real(z_1)
#
#    .. answer::
#
#       To :math:`z_1 = z - \frac{1}{10} \nabla_z L = 2.4 + 3.2i`: straight towards 0.
#
#       .. wrong:: [2.4, 4.8]
#
#          This is a step against the conjugate. The imaginary part grows.
#
#       .. wrong:: [2.7, 3.6]
#
#          The direction is right, but this step is half as long. The factor 2 of the
#          square is missing.

L = z.abs() ** 2
z_1 = z.detach() - 0.1 * z.grad
z_1

# %%
# Slopes in all directions
# ------------------------
#
# A complex number of length 1 is a direction in the plane. Here we stand at ``z``, turn
# around once, and measure in each direction how fast the loss rises.

degrees = torch.arange(0, 360, 10)
direction = torch.polar(torch.ones(36, dtype=torch.float64), degrees.deg2rad().double())
here, h = z.detach(), 1e-6
ahead = (here + h * direction).abs() ** 2
behind = (here - h * direction).abs() ** 2
slope = (ahead - behind) / (2 * h)

# %%
# In the picture, the arrow *slope* is as long as the slope, and points backwards where
# the loss falls.
#
# .. predict::
#
#    Turn the arrow *slope* until it is longest. Will it then lie on ``z.grad``, on its
#    conjugate, or on neither?
#
#    .. answer::
#
#       On ``z.grad``. Its direction is near 53 degrees, and its length is the steepest
#       slope, :math:`\sqrt{6^2 + 8^2} = 10`. Along the conjugate the loss falls:
#
#       >>> slope[5], slope[31]
#       (tensor(9.9851, dtype=torch.float64), tensor(-2.2716, dtype=torch.float64))
#       >>> degrees[slope.argmax()]
#       tensor(50)

plot = MovingPlot(
    {"direction in degrees": degrees},
    "Where the loss rises, and how fast",
    xlim=(-10, 16),
    ylim=(-8, 16),
    equal=True,
    xlabel="real part",
    ylabel="imaginary part",
)
plot.line(here.real + slope * direction.real, here.imag + slope * direction.imag)
plot.arrow(here.real, here.imag, z.grad.real, z.grad.imag, "z.grad")
plot.arrow(here.real, here.imag, z.grad.real, -z.grad.imag, "its conjugate")
plot.arrow(
    here.real, here.imag, slope * direction.real, slope * direction.imag, "slope"
)
plot.say("In this direction the loss rises at the rate {slope:.3f}.", slope=slope)
plot

# %%
# The same rule for any real loss
# -------------------------------
#
# A loss may do anything with a complex number, as long as a real number comes out in
# the end: take its length, its real part, its angle. This function returns what PyTorch
# sends back to ``z``.


def at(loss, place):
    z = torch.tensor(place, dtype=torch.complex128, requires_grad=True)
    return torch.autograd.grad(loss(z), z)[0]


at(torch.abs, 3 + 4j), at(torch.real, 3 + 4j), at(torch.imag, 3 + 4j)

# %%
# The length rises fastest straight away from 0, with slope 1: its gradient
# is the direction of ``z``. The real part rises fastest to the right, the imaginary
# part upwards.

z = torch.tensor(3 + 4j, dtype=torch.complex128, requires_grad=True)
m = z.abs()
r = (z * z).real

# %%
# For the length that says :math:`\nabla_z m = \frac{z}{m} = 0.6 + 0.8i`.
#
# .. predict::
#
#    What is the gradient of ``r``, the real part of the square? In ``a`` and ``b`` it
#    is :law:`a^2 - b^2`. Type both parts.
#
#    .. ask:: torch.view_as_real(at(lambda z: (z * z).real, 3 + 4j))
#
#    .. answer::
#
#       Its slopes are :law:`2a` and :law:`-2b`, so the gradient is
#       :math:`\nabla_z r = 6 - 8i`: the real part is 6, the imaginary one −8.
#
#       .. wrong:: [6, 8]
#
#          This is :law:`2z`, the derivative of the square. But the real part falls when
#          ``b`` grows.
#
#       .. wrong:: [8, 6]
#
#          This is the gradient of the imaginary part, :law:`2ab`.

at(lambda z: (z * z).real, 3 + 4j)

# %%
# Here the conjugate has appeared by itself: :math:`\nabla_z r = 2z^*`, where the star
# turns :math:`3 + 4i` into :math:`z^* = 3 - 4i`. Nobody conjugated anything on purpose.
# It is what the two slopes are.

z_star = z.detach().conj()
z_star

# %%
# Why a conjugate?
# ----------------
#
# The square of a complex number is a function of two numbers with two results,
# :law:`(a^2 - b^2, 2ab)`. It has a Jacobian like any other.


def square(parts):
    z = torch.view_as_complex(parts)
    return torch.view_as_real(z * z)


parts = torch.tensor([3.0, 4.0], dtype=torch.float64)
J = torch.autograd.functional.jacobian(square, parts)
J

# %%
# .. math::
#
#    J = \begin{pmatrix} 6 & -8 \\ 8 & 6 \end{pmatrix}
#
# Equal numbers on the one diagonal, opposite ones on the other: a matrix of this form
# turns the plane and stretches it. It does what a multiplication by
# :math:`2z = 6 + 8i` does: it takes 1, which is the pair :law:`(1, 0)`, to the pair
# :math:`J e_0 = (6, 8)`. This is the derivative that textbooks write as
# :law:`f'(z) = 2z`.
#
# On the way back a matrix works from its other side, as the transpose. What is the
# transpose of a turn? The turn in the opposite direction; the stretch stays. As a
# complex number, that is the conjugate:
#
# .. math::
#
#    J^\top = \begin{pmatrix} 6 & 8 \\ -8 & 6 \end{pmatrix}, \quad J^\top e_0 = (6, -8)
#
# So wherever a real program multiplies the upstream gradient by a slope, a complex one
# multiplies by the *conjugate* of the slope. With a bar for the adjoint, and a star for
# the conjugate:
#
# .. math::
#    :class: law
#
#    \bar z = \bar y \cdot f'(z)^* \quad \text{for } y = f(z)
#
# It holds for the functions that turn and stretch, which are called *holomorphic*:
# powers, ``exp``, ``sin``, quotients. The length, the real part and the conjugate are
# not among them. Their Jacobians have another form, and their slopes have to be found
# one by one.

# %%
# A complex result
# ----------------
#
# What if the result itself is complex? Then it is two results, and PyTorch refuses to
# guess a weight for each.

y = z * z
try:
    y.backward()
except RuntimeError as error:
    message = str(error)
    print(message)

# %%
# >>> message.split(" but got ")
# ['grad can be implicitly created only for real scalar outputs', 'torch.complex128']
#
# With ``gradient=`` we say which. The weight is complex, too: its real part is the
# weight of the real part, its imaginary part that of the imaginary part. So 1 asks for
# the real part alone, and :math:`i` for the imaginary part.


def sent(function, place, weight=1):
    z = torch.tensor(place, dtype=torch.complex128, requires_grad=True)
    weight = torch.tensor(weight, dtype=torch.complex128)
    return torch.autograd.grad(function(z), z, weight)[0]


sent(lambda z: z * z, 3 + 4j), sent(lambda z: z * z, 3 + 4j, 1j)

# %%
# The first is the gradient of the real part, which we know. The second is that of the
# imaginary part:
#
# >>> at(lambda z: (z * z).imag, 3 + 4j)
# tensor(8.+6.j, dtype=torch.complex128)
#
# This is the question at which people fail who know complex analysis well.

functions = [
    (lambda z: z * z, 1 + 2j),
    (lambda z: torch.exp(1j * z), 0j),
    (lambda z: 1 / z, 1j),
]
received = torch.stack([sent(f, place) for f, place in functions])

# %%
# .. predict::
#
#    Three functions, each with the weight 1. What does ``z`` receive from ``z * z`` at
#    1 + 2i, from ``exp(1j * z)`` at 0, and from ``1 / z`` at i? Type six numbers: real
#    and imaginary part of each.
#
#    .. ask:: torch.view_as_real(received)
#
#    .. answer::
#
#       :math:`2 - 4i`, :math:`-i` and :math:`1`, that is
#       :math:`\text{received} = (2 - 4i, -i, 1)`: the conjugates of the derivatives. As
#       pairs they are :math:`2, -4`, then :math:`0, -1`, then :math:`1, 0`.
#
#       .. wrong:: [2, 4, 0, 1, 1, 0]
#
#          These are the derivatives :law:`2z`, :law:`i e^{iz}` and
#          :law:`-\frac{1}{z^2}` of complex analysis. The way back multiplies by their
#          conjugates.
#
#       .. wrong:: [2, -4, 0, 1, 1, 0]
#
#          The inner derivative of ``exp(1j * z)`` is :math:`i`, and is conjugated like
#          the rest.

received

# %%
# The third one is the trap in the trap. At :math:`i` the derivative
# :law:`-\frac{1}{z^2}` is 1, a real number, so whoever tests there sees no difference.
# Forward mode works with the matrix itself, and does not conjugate:

one = torch.tensor(1 + 0j, dtype=torch.complex128)
_, forward = torch.func.jvp(lambda z: z * z, (one + 2j,), (one,))
forward

# %%
# It finds :math:`\text{forward} = 2 + 4i`, the derivative of the textbook.

# %%
# Three conventions
# -----------------
#
# Two other numbers are called the gradient of a complex number, and both have the right
# to it. For our first loss at :math:`3 + 4i`:

z = torch.tensor(3 + 4j, dtype=torch.complex128, requires_grad=True)
L = z.abs() ** 2
[g] = torch.autograd.grad(L, z, retain_graph=True)
wirtinger = g / 2
jax = g.conj()
g, wirtinger, jax

# %%
# .. list-table::
#    :header-rows: 1
#
#    * - who
#      - what
#      - here
#    * - PyTorch
#      - :law:`\frac{\partial L}{\partial a} + i\,\frac{\partial L}{\partial b}`
#      - :math:`g = 6 + 8i`
#    * - textbooks
#      - :law:`\frac12 \left(\frac{\partial L}{\partial a}
#        + i\,\frac{\partial L}{\partial b}\right)`
#      - :math:`\text{wirtinger} = 3 + 4i`
#    * - JAX
#      - :law:`\frac{\partial L}{\partial a} - i\,\frac{\partial L}{\partial b}`
#      - :math:`\text{jax} = 6 - 8i`
#
# The second is the *Wirtinger derivative* by the conjugate, :law:`\frac{\partial
# L}{\partial z^*}`. Why half? Because it is made so that the rules of calculus go on to
# hold if ``z`` and its conjugate are taken for two independent variables:
# :law:`\lvert z \rvert^2 = z z^*`, differentiated by the second factor, is the first.
# `PyTorch's note on autograd
# <https://docs.pytorch.org/docs/stable/notes/autograd.html#autograd-for-complex-numbers>`__
# says that it returns this derivative. As the numbers show, it returns twice that:
# :math:`g = 2z`, and not :law:`z`. A learning rate from a paper with Wirtinger
# derivatives is to be halved.
#
# JAX's choice is `discussed at its issues
# <https://github.com/jax-ml/jax/issues/9110>`__. It makes the gradient of the real part
# of a holomorphic function its derivative, without a star. The price: whoever descends
# has to conjugate first.

# %%
# A complex neuron
# ----------------
#
# A wave comes in, ``x``, and is to leave as ``t``. The neuron multiplies it by one
# weight, which makes it stronger or weaker and shifts it in time.

x = torch.tensor(1 + 2j, dtype=torch.complex128)
t = torch.tensor(5j, dtype=torch.complex128)
w = torch.tensor(1 + 0j, dtype=torch.complex128, requires_grad=True)
s = w * x
r = s - t
L = r.real**2 + r.imag**2

# %%
# At the start the weight is 1, the residual is :math:`r = w x - t = 1 - 3i`, and the
# loss is :math:`L = \lvert w x - t \rvert^2 = 10`. For a real neuron the gradient would
# be :law:`2 (w x - t)\,x`: residual times input.
#
# .. predict::
#
#    What is it here? The input is the slope of ``s``, and slopes are conjugated on the
#    way back. Type both parts.
#
#    .. ask:: torch.view_as_real(w.grad)
#
#    .. answer::
#
#       Residual times *conjugate* input, :math:`\nabla_w L = 2 (w x - t)\, x^* = 2 (1 -
#       3i)(1 - 2i) = -10 - 10i`.
#
#       .. wrong:: torch.view_as_real(2 * (r * x).detach())
#
#          The formula of the real neuron, taken as it is. The input has to be
#          conjugated.
#
#       .. wrong:: torch.view_as_real(w.grad / 2)
#
#          The Wirtinger derivative. PyTorch returns twice that.

x_star = x.conj()
record_backward(L, locals(), direction="TB")

# %%
# Look where a complex number comes from on the way back. The loss is real, and so is
# all that its squares send. At :step:`#6 sends to r` a slope by the imaginary part
# gets the factor :math:`i`, and at :step:`#5 sends to r` that by the real part joins
# it. The last step, :step:`s sends to w`, multiplies by the conjugate of ``x``.
#
# A step of a tenth leads to the weight :math:`w - 0.1\,\nabla_w L = 2 + i`, and this
# one is right: :math:`(2 + i)(1 + 2i) = 5i`. It is no accident. Twice the squared
# length of ``x`` is 10, and for a loss with the same bend in all directions one step of
# the right length is enough, as in the lesson on gradient descent.
#
# .. admonition:: Wrong on purpose
#
#    Half of the next cell descends without a conjugate. Do not copy it.

# wrong on purpose
right, wrong = [w.detach()], [w.detach()]
for _ in range(12):
    right.append(right[-1] - 0.02 * 2 * (right[-1] * x - t) * x.conj())
    wrong.append(wrong[-1] - 0.02 * 2 * (wrong[-1] * x - t) * x)
right, wrong = torch.stack(right), torch.stack(wrong)

# %%
# .. predict::
#
#    Which way does the weight go without the conjugate: to the same goal on a detour,
#    to another goal, or away?
#
#    .. answer::
#
#       Away, in a spiral. Each step multiplies the distance to the goal by :law:`1 -
#       0.04\,x^2`, and its length is more than 1. With the conjugate the factor is
#       :law:`1 - 0.04\,\lvert x \rvert^2`, which is four fifths.
#
#       >>> abs(1 - 0.04 * x**2), 1 - 0.04 * abs(x) ** 2
#       (tensor(1.1314, dtype=torch.float64), tensor(0.8000, dtype=torch.float64))

steps = torch.arange(13)
plot = MovingPlot(
    {"step": steps},
    "With and without the conjugate",
    xlim=(-4, 5),
    ylim=(-1, 7),
    equal=True,
    start={"step": 6},
    xlabel="real part of w",
    ylabel="imaginary part of w",
)
for path, name in [(right, "with"), (wrong, "without")]:
    plot.line(path.real, path.imag)
    plot.point(path.real, path.imag, name)
plot.say(
    "The loss is {with_it:.3f} with the conjugate, and {without:.3f} without.",
    with_it=(right * x - t).abs() ** 2,
    without=(wrong * x - t).abs() ** 2,
)
plot

# %%
# A real ``x`` would not have shown the fault, as its conjugate is itself. So a test of
# a complex backward pass needs a place where the slope has an imaginary part. For
# ``1 / z`` the slope at i has none, as we saw. ``gradcheck`` takes complex inputs,
# moves both parts, and knows the convention:


class Scale(torch.autograd.Function):
    @staticmethod
    def forward(ctx, w, x):
        ctx.save_for_backward(x)
        return w * x

    @staticmethod
    def backward(ctx, g):
        [x] = ctx.saved_tensors
        return g * x.conj(), None


torch.autograd.gradcheck(Scale.apply, (w, x))

# %%
# Without ``.conj()`` it raises:
#
# >>> class Forgotten(Scale):
# ...     @staticmethod
# ...     def backward(ctx, g):
# ...         [x] = ctx.saved_tensors
# ...         return g * x, None
# >>> torch.autograd.gradcheck(Forgotten.apply, (w, x), raise_exception=False)
# False
# >>> torch.autograd.gradcheck(Forgotten.apply, (w, x.real + 0j), raise_exception=False)
# True

# %%
# Where real and complex meet
# ---------------------------
#
# A volume control makes a wave stronger or weaker, and does not shift it in time. Its
# weight ``k`` is real; input and goal are as before.

k = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
M = (k * x - t).abs() ** 2

# %%
# .. predict::
#
#    The complex weight received :math:`-10 - 10i` at the same place. What does the real
#    one receive?
#
#    .. ask:: torch.autograd.grad((k * x - t).abs() ** 2, k)[0]
#
#    .. answer::
#
#       The real part, :math:`\nabla_k M = -10`. A real number can move along
#       one axis, and the slope along the other one is of no use to it.
#
#       .. wrong:: abs(w.grad)
#
#          The length of the complex gradient is the slope in the steepest direction,
#          which is not that of the real axis.
#
#       .. wrong:: -20
#
#          Sum of both parts? The imaginary one is the slope in a direction in which
#          ``k`` does not move.

M.backward()
k.grad

# %%
# What else changes for those who know the real case:
#
# At 0 the length has a kink. PyTorch returns 0 there. The same length, written with a
# root, is NaN:
#
# >>> at(torch.abs, 0j)
# tensor(0.+0.j, dtype=torch.complex128)
# >>> at(lambda z: (z * z.conj()).real.sqrt(), 0j)
# tensor(nan+nanj, dtype=torch.complex128)
#
# ``jacrev`` and ``jacfwd`` refuse complex inputs, ``torch.func.grad`` takes them:
#
# >>> try:
# ...     torch.func.jacrev(lambda z: z * z)(x)
# ... except RuntimeError as error:
# ...     print(str(error).split(" at ")[0])
# jacrev: Expected all inputs to be real but received complex tensor
# >>> torch.func.grad(lambda z: z.abs() ** 2)(x)
# tensor(2.0000+4.j, dtype=torch.complex128)
#
# A conjugate may wait: PyTorch marks the tensor, and computes it when somebody needs
# the numbers. So a gradient can be one that is only marked:
#
# >>> q = torch.tensor([3 + 4j], dtype=torch.complex128, requires_grad=True)
# >>> c = torch.tensor([2 - 1j], dtype=torch.complex128)
# >>> (q.conj() * c).real.sum().backward()
# >>> q.grad, q.grad.is_conj()
# (tensor([2.-1.j], dtype=torch.complex128), True)
#
# Adam takes complex weights, too, but not with such a gradient. ``resolve_conj``
# computes it:
#
# >>> adam = torch.optim.Adam([q], lr=0.1)
# >>> try:
# ...     adam.step()
# ... except RuntimeError as error:
# ...     print(str(error).split(".")[0])
# view_as_real doesn't work on unresolved conjugated tensors
# >>> q.grad = q.grad.resolve_conj()
# >>> adam.step()
#
# ``Adafactor``, ``Muon`` and ``SparseAdam`` refuse complex weights altogether. Here is
# Adam on a loss whose gradient is an ordinary tensor:

p = torch.tensor([3 + 4j], dtype=torch.complex128, requires_grad=True)
optimiser = torch.optim.Adam([p], lr=0.1)
(p.abs() ** 2).sum().backward()

# %%
# .. predict::
#
#    With real weights, Adam's first step moves each entry by the learning rate, here a
#    tenth. Now the gradient is :math:`6 + 8i`. Where does the step lead? Type both
#    parts.
#
#    .. ask:: torch.view_as_real(p.detach())
#
#    .. answer::
#
#       Adam takes each *part* for an entry, and so do ``Adagrad`` and ``RMSprop``. Each
#       part moves by a tenth, to :math:`\operatorname{Re}(p_0) = 2.9` and
#       :math:`\operatorname{Im}(p_0) = 3.9`. The step does not lead straight towards 0:
#       against the gradient it has turned.
#
#       .. wrong:: [2.94, 3.92]
#
#          This step has the length of a tenth, and the direction of the gradient. Adam
#          divides each part by its own size.
#
#       .. wrong:: [2.4, 3.2]
#
#          This is the step of plain gradient descent.

optimiser.step()
p

# %%
# That has a consequence. This loss is the same in all directions. So if we turn the
# start by any angle, plain gradient descent takes the same path, turned by that angle.
# Adam does so for 90 degrees, which swap the parts, but not for every angle. Turn the
# start until it lies on the real axis, at 5, and Adam steps straight towards 0:
#
# >>> turned = torch.tensor([5 + 0j], dtype=torch.complex128, requires_grad=True)
# >>> (turned.abs() ** 2).sum().backward()
# >>> torch.optim.Adam([turned], lr=0.1).step()
# >>> turned.detach().abs(), p.detach().abs()
# (tensor([4.9000], dtype=torch.float64), tensor([4.8600], dtype=torch.float64))

# %%
# Exercises
# ---------
#
# .. exercise::
#
#    The angle of ``z`` is ``z.angle()``. Draw the gradient at 3 + 4i: which direction,
#    which length? Then ask PyTorch.
#
#    .. answer::
#
#       The angle grows fastest at a right angle to ``z``, and a step of the same length
#       turns a long number less: the length of the gradient is 1 divided by 5. So it is
#       :law:`\frac{i z}{\lvert z \rvert^2}`.
#
#       >>> at(torch.angle, 3 + 4j)
#       tensor(-0.1600+0.1200j, dtype=torch.complex128)
#       >>> 1j * (3 + 4j) / 25
#       (-0.16+0.12j)
#
# .. exercise::
#
#    *Spot the error.* "My residual is complex, so as loss I take
#    ``((w * x - t) ** 2).real``, a squared error as before."
#
#    .. answer::
#
#       The square of a complex number is not the square of its length. For our neuron
#       the loss begins below 0, and has no lowest value: it falls on and on with the
#       imaginary part of the residual. Take ``.abs() ** 2``.
#
#       >>> ((w * x - t) ** 2).real
#       tensor(-8., dtype=torch.float64, grad_fn=<SelectBackward0>)
#
# .. exercise::
#
#    The Fourier transform of four real numbers has four complex ones, and the sum of
#    their squared lengths is four times that of the numbers. ``rfft`` returns three of
#    them, as the fourth is the conjugate of the second. Do the two losses have the same
#    gradient?
#
#    .. answer::
#
#       No. With ``fft`` it is :law:`8x`. With ``rfft`` the second frequency is counted
#       once instead of twice, so loss and gradient are those of another loss, without
#       an error.
#
#       >>> wave = torch.arange(4.0, dtype=torch.float64, requires_grad=True)
#       >>> def energy(transform):
#       ...     return (transform(wave).abs() ** 2).sum()
#       >>> torch.autograd.grad(energy(torch.fft.fft), wave)
#       (tensor([ 0.,  8., 16., 24.], dtype=torch.float64),)
#       >>> torch.autograd.grad(energy(torch.fft.rfft), wave)
#       (tensor([ 4., 12., 12., 20.], dtype=torch.float64),)
#
# .. exercise::
#
#    Find both parts of a gradient with two real backward steps: write the loss
#    :law:`\lvert z - 1 \rvert` for the pair ``parts``, at 3 + 4i, and compare.
#
#    .. answer::
#
#       :law:`\sqrt{(a - 1)^2 + b^2}` has the slopes of the complex loss as its entries.
#
#       >>> pair = parts.clone().requires_grad_()
#       >>> distance = ((pair[0] - 1) ** 2 + pair[1] ** 2).sqrt()
#       >>> [by_parts] = torch.autograd.grad(distance, pair)
#       >>> as_one = at(lambda z: (z - 1).abs(), 3 + 4j)
#       >>> torch.allclose(by_parts, torch.view_as_real(as_one))
#       True
#
# .. exercise::
#
#    A friend moves a program from JAX to PyTorch and keeps the line
#    ``z = z - lr * grad.conj()``. What happens to the real part of ``z``, what to the
#    imaginary one, for the loss :law:`\lvert z \rvert^2` and the learning rate a tenth?
#    Where is ``z`` after two steps from 3 + 4i?
#
#    .. answer::
#
#       The real part shrinks by a fifth in each step, the imaginary one grows by a
#       fifth: that is ascent in one direction and descent in the other.
#
#       >>> friend = torch.tensor(3 + 4j, dtype=torch.complex128)
#       >>> for _ in range(2):
#       ...     friend = friend - 0.1 * (2 * friend).conj()
#       >>> friend
#       tensor(1.9200+5.7600j, dtype=torch.complex128)

# %%
# What we can do now
# ------------------
#
# - Read ``z.grad`` of a real loss: the slope by the real part, plus :math:`i` times the
#   slope by the imaginary part.
# - Walk back through complex numbers: multiply by conjugate slopes.
# - Translate between PyTorch, JAX and textbooks.
# - Test complex gradients where the slopes have an imaginary part.
#
# For practice, take a loss of your own with a Fourier transform in it, and
# :doc:`check its gradient </lessons/3_debugging/70_checking>`. Next, :doc:`The gradient
# of a solution </lessons/4_advanced/80_implicit>` differentiates a number that a
# program has looked for.

# %%
# Credits and licences
# --------------------
#
# What PyTorch returns, and why, is discussed in its `issue on the convention
# <https://github.com/pytorch/pytorch/issues/41857>`__. The derivatives by a number and
# by its conjugate are W. Wirtinger's, of 1927. Our text is under `CC BY-SA 4.0
# <https://creativecommons.org/licenses/by-sa/4.0/>`__, our code under the `MIT licence
# <https://opensource.org/license/mit>`__.
