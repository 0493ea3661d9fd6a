r"""
In place, and versions
======================

We write into tensors that autograd has saved, and see when it notices. Afterwards we
can say what an operation saves, read the numbers in the message, and know the changes
that pass unseen.

:Time: 30 minutes
:Needs: :doc:`The graph behind y </lessons/1_foundations/20_the_graph_behind_y>`,
   :doc:`Reading error messages </lessons/3_debugging/10_error_messages>`
:Level: Debugging
:Tags: errors, graph, .grad
"""

# sphinx_gallery_thumbnail_number = 2

# %%
# An operation *in place* writes its result over its input: ``y.add_(1)``, ``y += 1``,
# ``y[0] = 0``. That may spare memory. But autograd may still need what was there.

import torch
from torch.nn import functional as F

from torchutils import make_dot

# %%
# One saved value
# ---------------
#
# The exponential function is its own derivative, so ``exp`` saves its *result* for the
# way back. A tensor also has a *version counter*: how often it was written to in
# place.

x = torch.tensor([0.0, 1.0], dtype=torch.float64, requires_grad=True)
y = x.exp()
z = y.sum()
y._version

# %%
# ``y`` has been made, and that does not count. With
# ``saved=True`` the drawing shows what waits for the backward pass.

make_dot(z, locals(), saved=True)

# %%
# Now we add 1 to ``y``, in place, and draw again.

y.add_(1)
make_dot(z, locals(), saved=True)

# %%
# The drawing warns already: it compares the version that ``exp`` has noted with the one
# of today. So does the backward pass.
#
# >>> y._version
# 1


def outcome(action):
    try:
        return action()
    except RuntimeError as error:
        return str(error).split(" Hint")[0]


print(outcome(z.backward))

# %%
# From left to right: the way back needs a tensor (in the older word, a *variable*) of
# two 64-bit numbers. It is the result of ``exp``. It was at version 0 when it was
# saved, and has been written to once since. The numbers in it are not compared. To
# multiply by 1 changes none of them, and counts all the same:
#
# >>> y = x.exp()
# >>> z = y.sum()
# >>> y = y.mul_(1)
# >>> outcome(z.backward).split(", ")[-1]
# 'is at version 1; expected version 0 instead.'
#
# Twice in place is version 2. Two cures: a new tensor, ``y = y + 1``, or a copy,
# ``y.clone().add_(1)``. Both leave alone what ``exp`` has saved, and the gradient is
# :math:`e^x = (1, 2.7183)`:
#
# >>> torch.autograd.grad(x.exp().clone().add_(1).sum(), x)
# (tensor([1.0000, 2.7183], dtype=torch.float64),)

# %%
# Not each change does harm
# -------------------------
# Now ``y`` is twice ``x``, and then 1 is added in place.

y = x * 2
y.add_(1)
z = y.sum()
z

# %%
# .. predict::
#
#    What does ``x.grad`` hold after the backward pass? Type the numbers, if you expect
#    some.
#
#    .. ask:: x.grad
#
#    .. answer::
#
#       No error: :math:`z = \sum_i (2 x_i + 1) = 4` and :math:`\nabla_x z = (2, 2)`. To
#       go back through a doubling one needs the number 2, and not its result. So ``y``
#       was not saved, and may be changed.
#
#       .. wrong:: [3, 3]
#
#          A sum has the slope 1 for what is added to. The slopes multiply; they do not
#          add up along a path.
#
#       .. wrong:: [0, 2]
#
#          That would be twice the value of ``x``. The slope of a doubling does not
#          depend on it.

z.backward()
x.grad

# %%
# Who saves what
# --------------
#
# We let PyTorch tell. ``notices`` computes ``b`` from ``a``, adds 1 to one of the two
# in place, and tries to go back. An error says that this one was saved. (``a`` is a
# result itself: a leaf may not be overwritten.)

w = torch.tensor([3.0, 4.0], dtype=torch.float64, requires_grad=True)


def notices(operation, which):
    x = torch.tensor([0.5, 2.0], dtype=torch.float64, requires_grad=True)
    a = x * 1
    b = operation(a)
    {"input": a, "result": b}[which].add_(1)
    found = outcome(lambda: torch.autograd.grad(b.sum(), [x, w], allow_unused=True))
    return isinstance(found, str)


operations = {
    "a * w": lambda a: a * w,
    "a / w": lambda a: a / w,
    "a @ w": lambda a: a @ w,
    "a ** 2": lambda a: a**2,
    "sin": torch.sin,
    "log": torch.log,
    "abs": torch.abs,
    "leaky_relu": F.leaky_relu,
    "exp": torch.exp,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "relu": torch.relu,
    "sqrt": torch.sqrt,
    "softmax": lambda a: a.softmax(0),
    "a * 2": lambda a: a * 2,
    "a + w": lambda a: a + w,
    "-a": torch.neg,
    "clone": torch.clone,
    "sum": torch.sum,
}

# %%
# .. predict::
#
#    Six of them: ``sigmoid``, ``sqrt``, ``leaky_relu``, ``relu``, ``a * 2`` and
#    ``a ** 2``. Their *input* is changed afterwards. Which still find their way back?
#    Type a 1 for each that does, and a 0 for each that raises.
#
#    .. ask:: kept
#
#    .. answer::
#
#       1, 1, 0, 1, 1, 0. The slopes of ``sigmoid``, ``sqrt`` and ``relu`` can be had
#       from their results, and these are saved. ``a * 2`` needs neither. The square
#       needs its input. ``leaky_relu`` saves its input, too, though the sign of its
#       result would do.
#
#       .. wrong:: [0, 0, 0, 0, 1, 0]
#
#          A derivative is written with the input, but may be computed from the result:
#          for the sigmoid ``s``, it is ``s * (1 - s)``. Then the input may change.
#
#       .. wrong:: [1, 1, 1, 1, 1, 0]
#
#          ``relu`` and ``leaky_relu`` look like twins. But the first saves its result,
#          and the second its input.

six = ["sigmoid", "sqrt", "leaky_relu", "relu", "a * 2", "a ** 2"]
kept = [int(not notices(operations[name], "input")) for name in six]
kept

# %%
# Here are the others, too. The lists are made from what the backward pass says:

for which in ["input", "result"]:
    print(which, [name for name in operations if notices(operations[name], which)])

# %%
# The rest saves neither:
#
# >>> def quiet(name):
# ...     return not any(notices(operations[name], w) for w in ["input", "result"])
# >>> [name for name in operations if quiet(name)]
# ['a * 2', 'a + w', '-a', 'clone', 'sum']
#
# So it is not the change that decides, but who saved the tensor. ``sin`` saves its
# input, and its *result* may be doubled in place. ``sigmoid`` saves its result, and an
# in-place ReLU on top is refused, though it changes no number there:
#
# >>> s = x.sigmoid()
# >>> s = s.relu_()
# >>> outcome(s.sum().backward).split("], ")[1]
# 'which is output 0 of Sigmoid, is at version 1; expected version 0 instead.'
#
# A product saves a factor for the sake of the *other*. If the other needs no gradient,
# the factor is not saved:
#
# >>> (x * torch.ones(2)).grad_fn._saved_self is None
# True
# >>> (x * w).grad_fn._saved_self is x
# True
#
# A tensor made under ``inference_mode`` has no version counter. An operation that
# would save it refuses it at once; with the others it works:

with torch.inference_mode():
    c = torch.tensor([2.0, 2.0], dtype=torch.float64)
for binary in [torch.add, torch.sub, torch.mul, torch.div, torch.maximum]:
    words = outcome(lambda binary=binary: binary(x, c).sum())
    print(binary.__name__, "refused" if isinstance(words, str) else "works")

# %%
# >>> outcome(lambda: c._version)
# 'Inference tensors do not track version counter.'

# %%
# Views share the counter
# -----------------------
#
# .. predict::
#
#    ``y`` has two entries. The first is squared, the *second* is overwritten. Does
#    the backward pass notice?
#
#    .. answer::
#       It does, and refuses. ``a`` is a view: it shares memory with ``y``, and the
#       counter as well. Which entry was written to is not counted.

x = torch.tensor([3.0, 4.0], requires_grad=True)
y = x * 1
a = y[0]
z = a * a
y[1] = 7.0
print(outcome(z.backward))

# %%
# ``a`` is what was saved, and nobody wrote into it. Yet its version has grown with that
# of its base:
#
# >>> a._version, y._version
# (1, 1)
#
# A copy of what is saved, ``a = y[0].clone()``, has a counter of its own:
#
# >>> y = x * 1
# >>> a = y[0].clone()
# >>> z = a * a
# >>> y[1] = 7.0
# >>> torch.autograd.grad(z, x)
# (tensor([6., 0.]),)
#
# These changes reach the counter, or not:
#
# >>> m = torch.ones(2)
# >>> steps = []
# >>> changed = m.data.add_(1)  # a counter of its own
# >>> steps.append(m._version)
# >>> changed = m.detach().add_(1)
# >>> steps.append(m._version)
# >>> m.numpy()[0] = 1  # NumPy counts nothing
# >>> steps.append(m._version)
# >>> changed = m.view(2, 1).mul_(2)
# >>> steps.append(m._version)
# >>> steps
# [0, 1, 1, 2]

# %%
# An assignment is an operation
# -----------------------------
#
# ``y[0] = 0`` writes into a part of ``y``. It is recorded as a node of its own.

x = torch.tensor([1.0, 2.0], requires_grad=True)
y = x.clone()
y[0] = 0
z = y.sum()
make_dot(z, locals())

# %%
# What is written to ``y[0]`` is not computed from ``x``. So nothing goes back from
# there, and the other entry passes on what arrives: :math:`\nabla_x z = (0, 1)`.

z.backward()
x.grad

# %%
# A running product
# -----------------
#
# Three times ``h`` is multiplied by ``x``, in place.

x = torch.tensor(2.0, requires_grad=True)
h = torch.ones(())
for _ in range(3):
    h *= x
h

# %%
# .. predict::
#
#    The slope of each product by ``x`` is the old value of ``h``, which has been
#    overwritten since. What happens on the way back? Type the gradient, if you expect
#    one.
#
#    .. ask:: x.grad
#
#    .. answer::
#
#       It is right: :math:`h = x^3`, so :math:`\frac{dh}{dx} = 3x^2 = 12`. An in-place
#       product that needs its old value saves a *copy* of it before it writes.
#
#       .. wrong:: 3 * h
#
#          So it would be if the way back found the last value of ``h`` in the place of
#          each older one.
#
#       .. wrong:: h / 2
#
#          This is the last product alone, with the old ``h``. ``x`` is in the other two
#          as well.

saved = h.grad_fn._saved_self
h.backward()
x.grad

# %%
# The copy is a step of its own; its value is that of ``h`` before the last product:
#
# >>> saved
# tensor(4., grad_fn=<CloneBackward0>)
# >>> h._version
# 3
#
# So no memory is spared here. Others that need their old value do the same, and get
# the gradients of the operations that are not in place. A few have no derivative in
# place, and say so:
#
# >>> def slope(f):
# ...     u = torch.tensor(2.0, requires_grad=True)
# ...     return torch.autograd.grad(f(u * 1), u)[0].item()
# >>> slope(lambda a: a.sin_()) == slope(lambda a: a.sin())
# True
# >>> slope(lambda a: a.pow_(3)), slope(lambda a: a.log_())
# (12.0, 0.5)
# >>> outcome(lambda: slope(lambda a: a.asinh_()))
# "the derivative for 'inplace version of asinh' is not implemented."
#
# The copy is one of the tensor that is written to. What *another* operation has saved
# of ``h`` is lost as before, and so is ``h`` as the *second* factor:
#
# >>> h = torch.ones(())
# >>> for _ in range(3):
# ...     h *= h.sin() * x
# >>> outcome(h.backward).split("is at ")[1]
# 'version 3; expected version 2 instead.'
# >>> outcome(lambda: slope(lambda a: a.mul_(a))).split("is at ")[1]
# 'version 1; expected version 0 instead.'

# %%
# What nobody notices
# -------------------
#
# ``no_grad`` hides a change from the record, and not from the counter. ``.data`` hides
# it from both.

x = torch.tensor([1.0, 2.0], requires_grad=True)
z = (x**2).sum()
with torch.no_grad():
    x.mul_(10)
print(outcome(z.backward))

# %%
# .. admonition:: Wrong on purpose
#
#    The next cell gets a wrong gradient without an error. Do not copy it.

# wrong on purpose
x = torch.tensor([1.0, 2.0], requires_grad=True)
z = (x**2).sum()
x.data.mul_(10)
z.backward()
x.grad

# %%
# ``z`` is 5, computed at :math:`(1, 2)`, where the gradient is :law:`2x = (2, 4)`. What
# came out belongs to another place: :math:`2x = (20, 40)` with the new ``x``.
#
# The counter is compared when a saved tensor is taken out again. Who puts something
# between, a *hook* on what is saved, gets the tensor without this check.
# ``save_on_cpu`` is made of such hooks: it moves what is saved to the CPU. What is
# there already is not copied.
#
# .. admonition:: Wrong on purpose
#
#    The next cells get a wrong gradient, too. Do not copy them.

# wrong on purpose
x = torch.tensor(2.0, requires_grad=True)
with torch.autograd.graph.save_on_cpu():
    y = x * 1
    z = y**2
    y.add_(1)

# %%
# .. predict::
#
#    ``z`` is 4, the square of 2, and ``y`` is 3 now. What is ``x.grad`` after the
#    backward pass?
#
#    .. ask:: x.grad
#
#    .. answer::
#
#       6, twice the 3 that stands there now, and no error. The right slope is 4.
#
#       .. wrong:: 4
#
#          This is the right slope of the square at 2. The number from which it would be
#          computed has been overwritten.

z.backward()
x.grad

# %%
# A copy of what is saved repairs it. PyTorch has a mode that makes copies when they are
# needed:
#
# >>> u = torch.tensor(2.0, requires_grad=True)
# >>> with torch.autograd.graph.allow_mutation_on_saved_tensors():
# ...     y = u * 1
# ...     z = y**2
# ...     y = y.add_(1)
# ...     print(torch.autograd.grad(z, u))
# (tensor(4.),)
#
# In PyTorch 2.13.0 it makes no copy when one entry is saved and the whole is changed,
# or the other way round, unless it is the first entry. And inside it no error is
# raised. The slope of a square at 2 is 4, and twice the new 3 arrives:
#
# >>> u = torch.tensor([1.0, 2.0], requires_grad=True)
# >>> with torch.autograd.graph.allow_mutation_on_saved_tensors():
# ...     y = u * 1
# ...     z = y[1] ** 2
# ...     y = y.add_(1)
# ...     print(torch.autograd.grad(z, u))
# (tensor([0., 6.]),)
#
# Square ``y[1].clone()``, and it is 4 with the mode or without.
#
# >>> y = u * 1
# >>> z = y[1].clone() ** 2
# >>> y = y.add_(1)
# >>> torch.autograd.grad(z, u)
# (tensor([0., 4.]),)
#
# What a Function of our own has put into ``ctx.save_for_backward`` is compared when its
# ``backward`` reads ``ctx.saved_tensors``. If it does not read them, no change is
# noticed, and a second pass is not refused either.


class Twice(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, c):
        ctx.save_for_backward(c)
        return 2 * x

    @staticmethod
    def backward(ctx, upstream):
        return 2 * upstream, None


x, c = torch.tensor(1.0, requires_grad=True), torch.ones(1)
y = Twice.apply(x, c)
c.add_(1)
y.backward()
y.backward()
x.grad

# %%
# Two passes, twice 2. And a Function that writes into its input has to say so, with
# ``ctx.mark_dirty``. If it does not, the input keeps its old record and gets new
# numbers.
#
# .. admonition:: Wrong on purpose
#
#    The next Function forgets ``ctx.mark_dirty(x)``. Do not copy it.


# wrong on purpose
class Forgetful(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.mul_(2)

    @staticmethod
    def backward(ctx, upstream):
        return 2 * upstream


x = torch.tensor(1.0, requires_grad=True)
y = x * 1
z = Forgetful.apply(y)
y, z

# %%
# ``y`` is 2 like ``z``, but its record says that it is once ``x``:
#
# >>> z is y
# False
# >>> torch.autograd.grad(y, x, retain_graph=True), torch.autograd.grad(z, x)
# ((tensor(1.),), (tensor(2.),))
# >>> class Marked(Forgetful):
# ...     @staticmethod
# ...     def forward(ctx, x):
# ...         ctx.mark_dirty(x)
# ...         return x.mul_(2)
# >>> y = x * 1
# >>> z = Marked.apply(y)
# >>> z is y, torch.autograd.grad(y, x)
# (True, (tensor(2.),))

# %%
# Gradients share memory, too
# ---------------------------
#
# A gradient is a tensor, and may look at memory that somebody else holds. Here a view
# of a leaf gets its upstream gradient ``g`` from us, and then we set ``g`` to zero.

w = torch.ones(2, requires_grad=True)
g = torch.tensor([[5.0, 6.0]])
w.view(1, 2).backward(g)
g.zero_()

# %%
# .. predict::
#
#    What does ``w.grad`` hold?
#
#    .. ask:: w.grad
#
#    .. answer::
#
#       Zeros. On the way back the view gives ``g`` another shape, which is a view
#       again. This view has become ``w.grad``, so it shares the memory of ``g``.
#
#       .. wrong:: [5, 6]
#
#          These were sent. What is stored is no copy of them, but a view of ``g``.

w.grad

# %%
# Called on the leaf itself, ``backward`` keeps a copy:
#
# >>> x = torch.ones(2, requires_grad=True)
# >>> g = torch.tensor([5.0, 6.0])
# >>> x.backward(g)
# >>> g = g.zero_()
# >>> x.grad
# tensor([5., 6.])
#
# An addition hands the same gradient to both inputs, and ``autograd.grad`` returns the
# same *tensor* twice. And the gradient of a sum is one number, shown in each place,
# which can't be written to:
#
# >>> y = torch.ones(2, requires_grad=True)
# >>> first, second = torch.autograd.grad(x + y, [x, y], torch.ones(2))
# >>> first is second
# True
# >>> first = first.mul_(5)
# >>> second
# tensor([5., 5.])
# >>> [ones] = torch.autograd.grad(x.sum(), x)
# >>> ones.stride()
# (0,)
# >>> outcome(lambda: ones.mul_(2))  # doctest: +ELLIPSIS
# 'unsupported operation: more than one element of the written-to tensor refers to a ...
#
# ``clone()`` before we write into a gradient that ``autograd.grad`` gave us is the cure
# for both. ``backward`` puts such a number into ``.grad`` as numbers of its own:
#
# >>> x.grad = None
# >>> x.sum().backward()
# >>> x.grad.mul_(2)
# tensor([2., 2.])

# %%
# Exercises
# ---------
#
# .. exercise::
#
#    Raises, or works? (1) ``exp``, then ``add_(1)`` on the result. (2) ``a * 2``, then
#    ``add_(1)``. (3) ``a ** 2``, then ``add_(1)``. (4) ``sin``, then ``mul_(2)``.
#    (5) ``relu``, then ``add_(1)``. (6) ``sigmoid``, then ``relu_()``. What is the
#    gradient of (4) at :math:`(0, 1)`?
#
#    .. answer::
#       (1), (5) and (6) raise: they saved their results. (3) and (4) saved their
#       inputs, (2) neither. For (4) it is twice the cosine.
#
#       >>> u = torch.tensor([0.0, 1.0], requires_grad=True)
#       >>> pairs = [
#       ...     (torch.exp(u), lambda y: y.add_(1)),
#       ...     (u * 2, lambda y: y.add_(1)),
#       ...     (u**2, lambda y: y.add_(1)),
#       ...     (u.sin(), lambda y: y.mul_(2)),
#       ...     (u.relu(), lambda y: y.add_(1)),
#       ...     (u.sigmoid(), lambda y: y.relu_()),
#       ... ]
#       >>> for y, change in pairs:
#       ...     y = change(y)
#       ...     found = outcome(lambda: torch.autograd.grad(y.sum(), u))
#       ...     print("raises" if isinstance(found, str) else found[0])
#       raises
#       tensor([2., 2.])
#       tensor([0., 2.])
#       tensor([2.0000, 1.0806])
#       raises
#       raises
#       >>> torch.autograd.grad(u.sin().mul_(2).sum(), u)[0]
#       tensor([2.0000, 1.0806])
#
# .. exercise::
#
#    "is at version 3; expected version 1 instead": what does it tell?
#
#    .. answer::
#
#       That the tensor was saved after one change, and has been changed twice since. So
#       look at what stands *behind* the operation that saved it.
#
# The next one has two players, as in a GAN. ``d`` judges, ``g`` makes something to be
# judged, and each has its own optimiser.
#
# .. admonition:: Wrong on purpose
#
#    The next cell ends in an error. Do not copy it.

# wrong on purpose
d = torch.tensor(1.0, requires_grad=True)
g = torch.tensor(2.0, requires_grad=True)
step_d, step_g = torch.optim.SGD([d], lr=0.1), torch.optim.SGD([g], lr=0.1)
score = d * (3 * g)
score.backward(retain_graph=True)
step_d.step()
print(outcome((-score).backward))

# %%
# .. exercise::
#
#    Which line changed a saved tensor in place? Find two repairs. What is the gradient
#    that ``g`` should get from ``-score``, before the step of ``d`` and after it?
#
#    .. answer::
#
#       ``step_d.step()``: an optimiser writes into its weights, and the product had
#       saved ``d``. Either take both steps after the last backward pass, or compute
#       ``score`` again after the step. The gradient of ``-score`` is :law:`-3d`: −3
#       with the first ``d``. The step takes a tenth of 6 from it, :math:`d = 1 - 0.1
#       \cdot 6 = 0.4`, and then the gradient is :math:`-3d = -1.2`.
#
#       >>> torch.autograd.grad(-1 * (3 * g), g)
#       (tensor(-3.),)
#       >>> torch.autograd.grad(-d * (3 * g), g)
#       (tensor(-1.2000),)
#
# .. exercise::
#
#    Somebody keeps the powers of ``x`` in a list: ``h *= x``, then
#    ``powers.append(h)``. The sum of the list has which value and gradient, for two
#    rounds, if ``x`` is 2?
#
#    .. answer::
#
#       The list holds the same tensor twice, with its last value 4. The sum is 8 in the
#       place of 6, and its gradient 8 in the place of 5. No error: ``h = h * x`` was
#       meant.
#
#       >>> u = torch.tensor(2.0, requires_grad=True)
#       >>> def total(in_place):
#       ...     h, powers = torch.ones(()), []
#       ...     for _ in range(2):
#       ...         h = h.mul_(u) if in_place else h * u
#       ...         powers.append(h)
#       ...     return sum(powers)
#       >>> total(True).item(), torch.autograd.grad(total(True), u)
#       (8.0, (tensor(8.),))
#       >>> total(False).item(), torch.autograd.grad(total(False), u)
#       (6.0, (tensor(5.),))

# %%
# What we can do now
# ------------------
#
# - Read the message: what was saved, by whom, and how often it was changed since.
# - Say of an operation whether it saves its input, its result, or neither.
# - Stay away from the changes that pass unseen: ``.data``, NumPy, hooks on what is
#   saved.
#
# Next, :doc:`The second backward </lessons/3_debugging/30_second_backward>` is about
# what a backward pass throws away.

# %%
# Credits and licences
# --------------------
#
# What each operation saves is written in PyTorch's table of derivatives,
# `derivatives.yaml
# <https://github.com/pytorch/pytorch/blob/main/tools/autograd/derivatives.yaml>`__.
# That an optimiser's step comes between two backward passes is the cause in `a much
# read issue <https://github.com/pytorch/pytorch/issues/39141>`__. Our text is under `CC
# BY-SA 4.0 <https://creativecommons.org/licenses/by-sa/4.0/>`__, our code under the
# `MIT licence <https://opensource.org/license/mit>`__.
