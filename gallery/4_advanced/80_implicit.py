r"""
The gradient of a solution
==========================

A program looks for a number, step by step, until it solves an equation. We
differentiate what it finds: through the steps, and by the equation alone. We compare
both at ten, a hundred and a thousand steps, and see what each of them gets wrong.

:Time: 35 minutes
:Needs: :doc:`Custom Functions </lessons/4_advanced/10_custom_function>`,
   :doc:`Derivatives of derivatives </lessons/4_advanced/30_higher_order>`
:Level: Advanced
:Tags: derivatives, graph, errors
"""

# %%
# We look for the square root of 2. If the 2 grows by a thousandth, by how much does the
# result grow? A program that finds it with ``+`` and ``/`` does not know the answer.
# But it can be differentiated.

from functools import partial

import torch

from torchutils import MovingPlot, make_dot, record_backward

# %%
# Through the steps
# -----------------
#
# Newton's way there: take the mean of a guess ``z`` and of ``a / z``. Unless the guess
# is right, one of them is too large, and the other one too small. We begin with the
# guess 1.
#
# It is the method of the lesson on :doc:`derivatives of derivatives
# </lessons/4_advanced/30_higher_order>`, for any equation: from ``z`` we take what is
# left, divided by its slope. Here :law:`z^2 - a` is left, with the slope :law:`2z`, and
# :law:`z - \frac{z^2 - a}{2z} = \frac{1}{2} (z + \frac{a}{z})`.

a = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)


def newton(z, a):
    return (z + a / z) / 2


z1 = newton(1.0, a)
z2 = newton(z1, a)
z2

# %%
# After two steps we have :math:`z_1 = 1.5` and :math:`z_2 = 1.416667`. The truth is
# :math:`\sqrt{a} = 1.414214`, with the slope :math:`\frac{d}{da} \sqrt{a} =
# \frac{1}{2 \sqrt{a}} = 0.353553`.
#
# .. predict::
#
#    The first step makes the mean of 1 and ``a``. Which slope has ``z1`` by ``a``, and
#    which one has ``z2``? Type two numbers. For the second, see what both paths bring.
#
#    .. ask:: first_two
#
#    .. answer::
#
#       :math:`\frac{dz_1}{da} = \frac{1}{2} = 0.5`. In the second step ``a`` divides by
#       ``z1``, which brings :math:`\frac{1}{2 z_1} = 0.3333`. And ``z1`` itself moves,
#       which brings :math:`\frac{1}{2} (1 - \frac{a}{z_1^2}) \cdot 0.5 = 0.0278`.
#       Together that is :math:`\frac{dz_2}{da} = 0.361111`.
#
#       .. wrong:: [0.5, 1 / 3]
#
#          The second path is missing: ``z1`` depends on ``a``, too.
#
#       .. wrong:: [0.353553, 0.353553]
#
#          This is the slope of the solution. The program has not arrived there yet.

first_two = [torch.autograd.grad(z, a, retain_graph=True)[0] for z in (z1, z2)]
record_backward(z2, locals())

# %%
# This is *unrolling*: each step is recorded, and walked back. Five steps, and the slope
# after each:


def unrolled(steps):
    z, slopes = torch.tensor(1.0, dtype=torch.float64), []
    for _ in range(steps):
        z = newton(z, a)
        slopes += torch.autograd.grad(z, a, retain_graph=True)
    return z, torch.stack(slopes)


root, slopes = unrolled(5)
slopes

# %%
# The slopes arrive at the truth, a little later than the value itself does:
#
# >>> [round(s, 8) for s in slopes.tolist()]
# [0.5, 0.36111111, 0.35356594, 0.35355339, 0.35355339]

# %%
# By the equation
# ---------------
#
# Why walk back through these steps, if we know what the result has to do? It solves
# :law:`z^2 = a`. Let ``a`` grow by a little, :law:`da`. Then ``z`` has to grow so that
# the equation still holds. To the left, about :law:`2z\,dz` is added, and to the right
# :law:`da`. So the slope is one over ``2z``, where that is not 0. No step of the solver
# is in it, not even which solver it was. This is *implicit differentiation*.
#
# Is there a slope to be found? If the equation is smooth, and the factor of :law:`dz`
# is not 0, the *implicit function theorem* says yes: near this place the solution moves
# smoothly with ``a``.
#
# In PyTorch it can be had for one line. Cut the solution off from its record (a solver
# may as well run without one), and take one Newton step from there:

solution = root.detach()
z = newton(solution, a)
[implicit] = torch.autograd.grad(z, a)
implicit

# %%
# It is :math:`\text{implicit} = 0.35355339`. At the solution, a Newton step does not
# depend on where it began: :law:`\frac{1}{2} (1 - \frac{a}{z^2}) = 0`. So nothing of
# the slope is lost when the way there is cut. Further derivatives are lost: this slope,
# one over ``2z``, does not know that ``z`` depends on ``a``.
#
# >>> once = newton(solution, a)
# >>> torch.autograd.grad(once, a, create_graph=True)[0].requires_grad
# False
#
# .. predict::
#
#    Now we stop too early, at ``z2``, which is a little too large. Unrolled, the slope
#    is :math:`\text{slopes}_1 = 0.361111`. Is the slope by the equation, taken at this
#    wrong place, further from the truth, or closer? Type it.
#
#    .. ask:: early
#
#    .. answer::
#
#       Closer: :math:`\text{early} = \frac{1}{2 z_2} = 0.352941`. The formula needs a
#       good place, and this one is near, :math:`z_2 - \sqrt{a} = 0.00245`. The unrolled
#       slope still contains the slope of the first, bad guesses.
#
#       .. wrong:: 0.361111
#
#          This is the unrolled slope.
#
#       .. wrong:: 1 / 3
#
#          This is the slope of the step that *leads* to ``z2``. The one that begins
#          there says more.

[early] = torch.autograd.grad(newton(z2.detach(), a), a)
early

# %%
# >>> unrolled_error, early_error = slopes[1] - implicit, early - implicit
# >>> (unrolled_error / early_error).abs() > 10
# tensor(True)

# %%
# A neuron that hears itself
# --------------------------
#
# Our neuron gets its own result as an input, with the weight ``w``, and ``x`` from
# outside. Does it come to rest? We look for the *fixed point*, where
# :law:`z = \tanh(wz + x)`, and simply apply the neuron again and again.


def neuron(z, w, x):
    return torch.tanh(w * z + x)


def settle(w, x, steps):
    z = torch.zeros_like(x)
    for _ in range(steps):
        z = neuron(z, w, x)
    return z


w = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
x = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
z = settle(w, x, 50)
z

# %%
# After fifty steps it rests at :math:`z = 0.895219`, and one step more does not move
# it:
#
# >>> abs((neuron(z, w, x) - z).item()) < 1e-15
# True
#
# .. predict::
#
#    As before, we detach ``z`` and take *one* step from there. At this place
#    :math:`z^2 = 0.801417`, and tanh has one minus that as its slope. Which slope by
#    ``x`` do we get? And is it the right one?
#
#    .. ask:: one_step
#
#    .. answer::
#
#       We get :math:`\text{one\_step} = 1 - z^2 = 0.198583`, and it is *not* right.
#       This step does depend on where it began: ``z`` moves with ``x``, passes through
#       ``w``, and moves ``z`` again. It was Newton's step that had forgotten its
#       beginning.
#
#       .. wrong:: 0.220474
#
#          This is the right one. One step without memory does not see what comes back
#          to the neuron.
#
#       .. wrong:: 0.099291
#
#          This is the slope by ``z``, which has a factor ``w``.

[one_step] = torch.autograd.grad(neuron(z.detach(), w.detach(), x), x)
one_step

# %%
# With the slope of tanh, :math:`s = 1 - z^2`, the step itself brings ``s``. Then ``s``
# times ``w * s`` comes back, then ``s`` times the square of ``w * s``, and so on.
# While ``w * s`` lies between -1 and 1, such a sum has a short form:
#
# .. math::
#
#    \frac{\partial z}{\partial x} = \frac{s}{1 - ws} = 0.220474, \quad
#    \frac{\partial z}{\partial w} = \frac{s\,z}{1 - ws} = 0.197372
#
# The same follows from the equation, without a sum: :law:`dz = s\,(w\,dz + z\,dw +
# dx)`. Bring the two :law:`dz` to one side, and divide.

s = 1 - z.detach() ** 2
slopes = torch.stack(torch.autograd.grad(z, [x, w], retain_graph=True))
slopes

# %%
# One node for a solver
# ---------------------
#
# Now the solver becomes an operation of ours. Its ``forward`` does what it likes, and
# its ``backward`` is the formula: the upstream gradient ``g`` becomes ``u``, and ``u``
# is shared out.


class Rest(torch.autograd.Function):
    @staticmethod
    def forward(ctx, w, x, steps):
        z = settle(w, x, steps)
        ctx.save_for_backward(w, z)
        return z

    @staticmethod
    def backward(ctx, g):
        w, z = ctx.saved_tensors
        s = 1 - z**2
        u = g * s / (1 - w * s)
        return u * z, u, None


z = Rest.apply(w, x, 50)
make_dot(z, locals())

# %%
# The solver is one node, whatever the number of steps. PyTorch's own check accepts it:
#
# >>> def rest(w, x):
# ...     return Rest.apply(w, x, 50)
# >>> torch.autograd.gradcheck(rest, (w, x))
# True
#
# .. predict::
#
#    ``backward`` computes with ``z``, and ``z`` depends on ``w`` and ``x``. Does the
#    *second* derivative know that?
#
#    .. answer::
#
#       Yes. ``z`` is the *result* that was saved, so what is computed from it is
#       connected to this node, and its ``backward`` is called once more. Had
#       ``forward`` saved ``1 - z**2`` instead, this would be a plain number, as in the
#       lesson on :doc:`checking </lessons/3_debugging/70_checking>`.
#
#       >>> torch.autograd.gradgradcheck(rest, (w, x))
#       True

[slope] = torch.autograd.grad(z, x, create_graph=True)
torch.autograd.grad(slope, x)

# %%
# Ten, a hundred, a thousand steps
# --------------------------------
#
# What does each way keep for the way back? We count the saved tensors.


def kept(f):
    seen = []

    def pack(tensor):
        seen.append(tensor.detach())
        return seen[-1]

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda packed: packed):
        f()
    return len(seen)


steps = [10, 100, 1000]
by_steps = torch.tensor([kept(partial(settle, w, x, n)) for n in steps])
by_equation = torch.tensor([kept(partial(Rest.apply, w, x, n)) for n in steps])
by_steps, by_equation

# %%
# Three for each step, less one, as the first zero needs no gradient, against two:
# :math:`\text{by\_steps} = (29, 299, 2999)` and
# :math:`\text{by\_equation} = (2, 2, 2)`. These are not three new numbers: one of the
# three is ``w`` again, and each result is saved twice, by the tanh that made it and by
# the product that uses it. So each step keeps about one new number.
#
# Now a neuron that needs long to come to rest. At ``w = 1`` and ``x = 0.001`` each step
# brings it a tiny bit further.

slow_w = torch.tensor(1.0, dtype=torch.float64)
slow_x = torch.tensor(0.001, dtype=torch.float64, requires_grad=True)


def slope_of(solver):
    return torch.stack([torch.autograd.grad(solver(n), slow_x)[0] for n in steps])


# %%
# .. predict::
#
#    The right slope is about 47. What does unrolling find after ten steps: about 10,
#    about 47, or about 80? And after a hundred? Type both, from these three numbers.
#
#    .. ask:: about[:2]
#
#    .. answer::
#
#       About 10, and then about 80, :math:`\text{about} = (10, 80, 47)`. Each of the
#       first steps adds nearly 1 to the slope. Then it overshoots: the neuron is on its
#       way, where tanh is still steep. After a thousand steps it is at rest.
#
#       .. wrong:: [10, 47]
#
#          It comes to 47 later. On the way it goes beyond.
#
#       .. wrong:: [47, 47]
#
#          So fast it is for the first neuron. This one has hardly moved after ten
#          steps.

by_unrolling = slope_of(lambda n: settle(slow_w, slow_x, n))
about = by_unrolling.round()
by_unrolling

# %%
# Near the root of 2, the equation helped a solver that stopped early. Far from the
# solution it does not. At the same three places:

by_formula = slope_of(lambda n: Rest.apply(slow_w, slow_x, n))
by_formula

# %%
# >>> [round(s) for s in by_formula.tolist()]
# [10001, 116, 47]
#
# After ten steps the formula is off by thousands. It says what *would* be so, if this
# were the solution, and divides by a number close to 0. So check that the equation
# holds before you use it. What is left of it may look small: the eleventh step moves
# ``z`` by a thousandth. Divide it by the same ``1 - w * s``, as Newton would. This says
# about how far ``z`` has to go. Here that is more than tanh has room for, so ``z`` is
# not near its rest:
#
# >>> early_z = settle(slow_w, slow_x, 10)
# >>> left = neuron(early_z, slow_w, slow_x) - early_z
# >>> round(left.item(), 4), round((left / (1 - slow_w * (1 - early_z**2))).item(), 2)
# (0.001, 10.0)
#
# After a thousand steps both slopes are right:
#
# >>> [round(s[2].item(), 4) for s in (by_unrolling, by_formula)]
# [47.4768, 47.4768]
#
# How long does the slope take, and how long the value? The slider moves the weight of
# the loop.

weights = torch.tensor([0.1, 0.3, 0.5, 0.7, 0.9], dtype=torch.float64)
late = torch.arange(1, 31)


def errors(w, x=0.1):
    x = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    end = Rest.apply(w, x, 1000)
    ends = torch.stack([end, *torch.autograd.grad(end, x)]).detach()
    rows = []
    for n in late.tolist():
        z = settle(w, x, n)
        rows.append(torch.stack([z, *torch.autograd.grad(z, x)]).detach() - ends)
    return torch.stack(rows).abs().clamp(min=1e-12).log10()


off = torch.stack([errors(weight) for weight in weights])
plot = MovingPlot(
    {"w": weights},
    "How far off value and slope are",
    xlim=(0, 30),
    ylim=(-12, 1),
    xlabel="step",
    ylabel="error (power of ten)",
)
plot.line(late, off[:, :, 0], "value")
plot.line(late, off[:, :, 1], "slope")
plot.say("After ten steps the value is off by {value:.0e},", value=10 ** off[:, 9, 0])
plot.say("and the slope by {slope:.0e}.", slope=10 ** off[:, 9, 1])
plot

# %%
# In the end both errors shrink by about the same factor in each step, and the slope
# comes later. Before that its error may grow, as in the overshooting above, or change
# its sign: there the line has a dip. At the lower edge we stop counting.

# %%
# A solver without a record
# -------------------------
#
# .. admonition:: Wrong on purpose
#
#    The next cell solves under ``no_grad`` and then goes on. Do not copy it.

# wrong on purpose
with torch.no_grad():
    z = settle(w, x, 50)
loss = (w * z) ** 2
[forgotten] = torch.autograd.grad(loss, w)

# %%
# .. predict::
#
#    The loss is :law:`(wz)^2`, and ``z`` depends on ``w``. Which slope by ``w`` do we
#    get: more than the right one, less, or an error?
#
#    .. answer::
#
#       Less, and no error: :math:`\text{forgotten} = 2wz^2 = 0.8014`. ``w`` is also
#       used outside of the solver, so a gradient does arrive. The part through ``z`` is
#       missing, :law:`2w^2 z \frac{\partial z}{\partial w}`.
#
#       >>> right = torch.autograd.grad((w * Rest.apply(w, x, 50)) ** 2, w)[0]
#       >>> round((right - forgotten).item(), 4), round(right.item(), 4)
#       (0.0883, 0.8898)

forgotten

# %%
# Many neurons
# ------------
#
# Three neurons that hear each other: ``z`` is a vector, ``W`` is a matrix, and the
# vector ``b`` comes from outside, as ``x`` did. Instead of a division there is a system
# of equations. With :law:`D = \operatorname{diag}(1 - z^2)`, the upstream gradient
# becomes :law:`u = D\,(I - W^\top D)^{-1} g`. Where a factor had to differ from 0, a
# matrix has to have an inverse.

torch.manual_seed(0)
W = 0.5 * torch.randn(3, 3, dtype=torch.float64)
W.requires_grad_()
b = torch.randn(3, dtype=torch.float64, requires_grad=True)


def layer(z):
    return torch.tanh(W @ z + b)


z = torch.zeros(3, dtype=torch.float64)
for _ in range(300):
    z = layer(z)
g = torch.ones(3, dtype=torch.float64)
by_walk = torch.autograd.grad(z, b, g)[0]

# %%
# The matrix need not be built. A vector-Jacobian product of one step is what autograd
# does best, so the system is solved as ``z`` was: by repeating. ``v`` is the upstream
# gradient and what comes back to it. This settles where repeating the layer settles;
# after a solver of another kind, it may not.

z = z.detach().requires_grad_()
once_more = layer(z)
v = g
for _ in range(300):
    v = g + torch.autograd.grad(once_more, z, v, retain_graph=True)[0]
by_products = torch.autograd.grad(once_more, b, v)[0]

# %%
# Three ways, one gradient:
#
# >>> D = torch.diag(1 - z.detach() ** 2)
# >>> eye = torch.eye(3, dtype=torch.float64)
# >>> by_solve = D @ torch.linalg.solve(eye - W.detach().T @ D, g)
# >>> others = torch.stack([by_products, by_solve])
# >>> (others - by_walk).abs().max() < 1e-12
# tensor(True)

# %%
# A best weight is a solution, too
# --------------------------------
#
# A line through the origin, close to two points. Its loss is the sum of the two squared
# errors and a penalty :law:`\lambda w^2` that keeps its weight small. The best weight
# is where the slope of the loss is 0. That is an equation, so we can ask how the best
# weight moves with the penalty. The inputs are 1 and 2, the answers 2 and 3.

X = torch.tensor([[1.0], [2.0]], dtype=torch.float64)
y = torch.tensor([2.0, 3.0], dtype=torch.float64)
lam = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
unit = torch.eye(1, dtype=torch.float64)
best = torch.linalg.solve(X.T @ X + lam * unit, X.T @ y)[0]

# %%
# Here :law:`X^\top X = 5` and :law:`X^\top y = 8`, so the best weight is
# :math:`\text{best} = \frac{8}{5 + \lambda} = 1.3333`.
#
# .. predict::
#
#    How fast does it move with :math:`\lambda`?
#
#    .. ask:: penalty_slope
#
#    .. answer::
#
#       :math:`\text{penalty\_slope} = -\frac{8}{36} = -0.2222`. It is also minus the
#       weight, divided by the 6 of the system: ``torch.linalg.solve`` differentiates by
#       its equation, and does not walk through its elimination.
#
#       .. wrong:: 8 / 36
#
#          A larger penalty makes the weight smaller.
#
#       .. wrong:: -8 / 25
#
#          The penalty is 1 here, and not 0.

[penalty_slope] = torch.autograd.grad(best, lam)
penalty_slope

# %%
# Exercises
# ---------
#
# .. exercise::
#
#    The cube root of 8 solves :law:`z^3 = a`. Find its slope by the equation, and write
#    one Newton step that gives it.
#
#    .. answer::
#
#       :law:`3z^2\,dz = da`, so the slope is one over twelve. Newton's step is
#       :law:`z - \frac{z^3 - a}{3z^2}`.
#
#       >>> e = torch.tensor(8.0, dtype=torch.float64, requires_grad=True)
#       >>> r = torch.tensor(2.0, dtype=torch.float64)
#       >>> torch.autograd.grad(r - (r**3 - e) / (3 * r**2), e)[0].item()
#       0.083333
#
# .. exercise::
#
#    The first neuron has made fifty steps. Detach its ``z``, and unroll two more steps
#    alone. How far off is the slope by ``x``?
#
#    .. answer::
#
#       The sum begins with ``s`` and ``s`` times ``w * s``, and these two remain. Each
#       step more brings about one digit here, since ``w * s`` is near a tenth.
#
#       >>> def last(n):
#       ...     z = settle(w, x, 50).detach()
#       ...     for _ in range(n):
#       ...         z = neuron(z, w, x)
#       ...     return torch.autograd.grad(z, x)[0].item()
#       >>> [last(n) for n in (1, 2, 3)], slopes[0].item()
#       ([0.198583, 0.2183, 0.220258], 0.220474)
#       >>> round(slopes[0].item() - last(2), 4)
#       0.0022
#
# .. exercise::
#
#    How can a whole layer be one node, `with its weights
#    <https://github.com/pytorch/pytorch/issues/100626>`__? Do it for the three neurons:
#    write a ``Function`` whose ``backward`` repeats the vector-Jacobian product. What
#    does it have to be called with?
#
#    .. answer::
#
#       With each weight. A ``Function`` sends gradients to the tensors that it was
#       called with, so a layer which hides its weights would get none. Inside this
#       ``backward`` nothing is recorded, so switch that on for the one step.
#
#       >>> class Layer(torch.autograd.Function):
#       ...     @staticmethod
#       ...     def forward(ctx, W, b):
#       ...         z = torch.zeros_like(b)
#       ...         for _ in range(300):
#       ...             z = torch.tanh(W @ z + b)
#       ...         ctx.save_for_backward(W, b, z)
#       ...         return z
#       ...
#       ...     @staticmethod
#       ...     @torch.autograd.function.once_differentiable
#       ...     def backward(ctx, g):
#       ...         W, b, z = (t.detach().requires_grad_() for t in ctx.saved_tensors)
#       ...         with torch.enable_grad():
#       ...             once_more = torch.tanh(W @ z + b)
#       ...         v = g
#       ...         for _ in range(300):
#       ...             back = torch.autograd.grad(once_more, z, v, retain_graph=True)
#       ...             v = g + back[0]
#       ...         return torch.autograd.grad(once_more, (W, b), v)
#       >>> torch.autograd.gradcheck(Layer.apply, (W, b))
#       True
#
# .. exercise::
#
#    *Spot the error.* "My neuron has the weight 2, hears 0 from outside, and rests at
#    0. I start at 0 and use the formula."
#
#    .. answer::
#
#       0 solves the equation, and the formula has an answer. But this rest does not
#       last: ``w * s`` is 2, so a small push grows. The neuron rests at one of two
#       other places, and there the slope has another sign.
#
#       >>> def by_equation_at(z, w=2.0):
#       ...     s = 1 - z**2
#       ...     return s / (1 - w * s)
#       >>> pushed = torch.tensor(1e-6, dtype=torch.float64)
#       >>> end = settle(torch.tensor(2.0), pushed, 100).item()
#       >>> end, by_equation_at(0.0), by_equation_at(end)
#       (0.9575, -1.0, 0.09979)

# %%
# What we can do now
# ------------------
#
# - Say what unrolling keeps, and when its slope is late.
# - Differentiate a solution by its equation, and check that the equation holds.
# - Make one node of a solver, and repeat a vector-Jacobian product instead of building
#   a matrix.
#
# Next, :doc:`gradients through randomness </lessons/4_advanced/90_randomness>` go
# through a mean instead of a solution.

# %%
# Credits and licences
# --------------------
#
# Layers that are solutions of an equation are known from `Deep equilibrium models
# <https://arxiv.org/abs/1909.01377>`__ by S. Bai, J. Z. Kolter and V. Koltun. That the
# slopes of an iteration arrive as well is shown by J. C. Gilbert in
# `Automatic differentiation and iterative processes
# <https://doi.org/10.1080/10556789208805503>`__.
# Our text is under `CC BY-SA 4.0 <https://creativecommons.org/licenses/by-sa/4.0/>`__,
# our code under the `MIT licence <https://opensource.org/license/mit>`__.
