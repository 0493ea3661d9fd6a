"""
Stopping gradients
==================

Sometimes a value should count as a plain number, and no gradient should pass through
it. We meet six tools that seem to do this, see what each of them really cuts, and can
choose the right one afterwards.

:Time: 25 minutes
:Needs: :doc:`Leaves, requires_grad and retain_grad </lessons/1_foundations/70_leaves>`
:Level: Foundations
:Tags: leaves, training, errors
"""

# %%
# A network is often trained in part: some of its neurons learn, others stay as they
# are, and a target counts as a number.
#
# The smallest case is one value that we use twice: once as it is, and once cut off from
# its record.

import torch
from torch import nn

from torchutils import make_dot, record_backward

# %%
# detach cuts one edge
# --------------------
#
# We compute :math:`z_i = x_i^2`. Then ``detach()`` returns a tensor with the same
# numbers, but without the record of where they came from.

x = torch.arange(4.0, requires_grad=True)
z = x**2
u = z.detach()
z, u

# %%
# Only the first shows a ``grad_fn``. We multiply both by ``x``, which is
# :math:`(0, 1, 2, 3)`, and compare the graphs of :math:`y = x^\top z` and
# :math:`c = x^\top u`.

y = torch.dot(x, z)
c = torch.dot(x, u)
make_dot([y, c], locals())

# %%
# The values are the same, :math:`y = c = 36`. The graphs are not. Two edges lead into
# ``y``, and behind one of them stands the square. One edge leads into ``c``; ``u`` is
# only mentioned in its box, as a constant.
#
# .. predict::
#
#    What is the gradient of ``y`` with respect to ``x``, and what is that of ``c``?
#    Type the second.
#
#    .. ask:: x.grad
#
#    .. answer::
#
#       Along both paths together, :math:`\nabla_x y = 3x^2 = (0, 3, 12, 27)`. For
#       ``c`` the detour through the square is closed. What remains is the direct path,
#       and along it the other factor: :math:`\nabla_x c = u = x^2 = (0, 1, 4, 9)`.
#
#       .. wrong:: 3 * x**2
#
#          This is the gradient of ``y``, with both paths. For ``c`` the one through the
#          square is closed: autograd takes ``u`` for a list of numbers.
#
#       .. wrong:: 2 * x**2
#
#          This is the path that has been closed. What is left is the other one, the
#          direct path.

c.backward()
x.grad

# %%
# The four numbers are those of ``u``:
#
# >>> torch.equal(x.grad, u)
# True
#
# So :math:`x^2` is *not* the derivative of :math:`x^3`. It is what we asked for: "as if
# ``u`` did not depend on ``x``". ``detach`` is a claim of ours, and autograd believes
# it.

# %%
# Cut an edge yourself
# --------------------
#
# Here is ``y`` once more, with what a backward step sends along each edge. What is
# left of it when one of them is cut?

x = torch.arange(4.0, requires_grad=True)
z = x**2
y = torch.dot(x, z)
record_backward(y, locals(), detachable=True)

# %%
# Nothing is sent along an edge that is cut, and what is behind it gets its sum from the
# other paths alone. Without the edge from ``z`` to ``y`` the leaf holds ``u`` again.
# Without the one from ``x`` to ``y`` it holds the detour, :math:`2x \odot x`:
#
# >>> torch.autograd.grad(torch.dot(x, x.detach() ** 2), x)
# (tensor([0., 1., 4., 9.]),)
# >>> torch.autograd.grad(torch.dot(x.detach(), x**2), x)
# (tensor([ 0.,  2.,  8., 18.]),)
#
# Cut the edge from ``x`` to ``z``, and nothing is sent to ``z`` either: no leaf is
# behind it any more, so it does not require a gradient. Cut both paths, and ``x.grad``
# stays ``None``.
#
# >>> (x.detach() ** 2).requires_grad
# False

# %%
# A detached tensor shares its numbers
# ------------------------------------
#
# .. predict::
#
#    Let ``v`` hold 1, 2 and 3. We detach it, and set all entries of the result to zero
#    with ``zero_()``. What does ``v`` hold then?
#
#    .. ask:: v
#
#    .. answer::
#
#       Zeros. ``detach`` does not copy: both tensors look at the same numbers in
#       memory, and only the record is left out.
#
#       >>> pair = torch.tensor([1.0, 2.0])
#       >>> zeros = pair.detach().zero_()
#       >>> pair
#       tensor([0., 0.])
#
#       .. wrong:: [1, 2, 3]
#
#          You took ``detach`` for a copy. It leaves out the record and nothing else:
#          the numbers in memory are the same, and now they are zeros.

v = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
v.detach().zero_()
v

# %%
# If we want numbers of its own, we add a copy, ``v.detach().clone()``. (``data_ptr``
# says where in memory the numbers begin.)
#
# >>> v.detach().data_ptr() == v.data_ptr()
# True
# >>> v.detach().clone().data_ptr() == v.data_ptr()
# False

# %%
# no_grad records nothing
# -----------------------
#
# ``detach`` works on one tensor, after the operation. ``torch.no_grad()`` works on all
# operations in a block of code: none of them is recorded.

with torch.no_grad():
    u = x**2
    y = torch.dot(x, u)
u.requires_grad, y.requires_grad

# %%
# ``u`` can be used afterwards like a detached tensor. But ``y`` was computed in the
# block, too, and has no record at all.
#
# .. predict::
#
#    What happens if we call ``y.backward()``?
#
#    .. answer::
#
#       An error. There is no record to go back through.

try:
    y.backward()
except RuntimeError as error:
    message = str(error)
    print(message)

# %%
# "Element 0" is the first tensor that we called ``backward`` for; here it is ``y``.
#
# >>> message
# 'element 0 of tensors does not require grad and does not have a grad_fn'
#
# ``detach`` or ``no_grad``? For one value the gradient is the same (`a popular question
# <https://stackoverflow.com/questions/56816241>`__). With ``detach`` the operations
# before it are recorded first. ``no_grad`` saves this work and memory, and is the
# better choice for a whole stretch of code.
#
# One thing can mislead us. A *view* that is made in the block still says that it
# requires a gradient, like the tensor whose numbers it shows. But no record leads back
# from it, and no gradient arrives:
#
# >>> with torch.no_grad():
# ...     shown = x.view(2, 2)
# >>> shown.requires_grad, shown.is_leaf
# (True, True)
# >>> shown.sum().backward()
# >>> print(shown.grad)
# None
#
# It is also the way to change a leaf by hand. At :math:`w = 3` the gradient of
# :math:`y = w^2` is :math:`\frac{dy}{dw} = 2w = 6`.

w = torch.tensor(3.0, requires_grad=True)
y = w**2

# %%
# We take a tenth of the gradient away, :math:`w - \frac{1}{10} \cdot 2w = 2.4`.

y.backward()
with torch.no_grad():
    w -= 0.1 * w.grad
w

# %%
# ``w`` is the same leaf as before, and still requires a gradient. The step itself is
# not in the record, and it should not be.
#
# >>> w
# tensor(2.4000, requires_grad=True)
# >>> w.is_leaf
# True

# %%
# Freezing a leaf
# ---------------
#
# With ``requires_grad_(False)`` we *freeze* a leaf: backward steps send it no gradient
# any more, while others learn. Here the weight ``w`` is frozen, and ``x`` stands for
# all that comes before it, such as the earlier layers of a network.

x = torch.tensor(2.0, requires_grad=True)
w = torch.tensor(3.0, requires_grad=True)
w.requires_grad_(False)
y = w * x**2
make_dot(y, locals())

# %%
# ``w`` is no longer a box of its own; it is mentioned as a constant.
#
# .. predict::
#
#    What will ``x.grad`` and ``w.grad`` be? Type ``x.grad``.
#
#    .. ask:: x.grad
#
#    .. answer::
#
#       Does a gradient get through behind a frozen weight? It does. Freezing
#       closes only the way *into* ``w``. The way to ``x`` leads past it:
#       :math:`\frac{dy}{dx} = 2wx = 12`. The number ``w`` is still a factor on this
#       way. ``w.grad`` stays ``None``.
#
#       .. wrong:: 0
#
#          You took freezing for a cut. It closes the way *into* ``w``, so that ``w``
#          learns nothing; the way to ``x`` leads past it.
#
#       .. wrong:: 2 * x
#
#          The factor ``w`` is forgotten. It is frozen, and still a number that
#          multiplies all that goes by.
#
#       .. wrong:: 2 * w
#
#          The inner derivative is not complete: the square of ``x`` has the slope
#          :law:`2x`.

y.backward()
x.grad, w.grad

# %%
# (By chance :math:`y = wx^2 = 12` has the same value as its derivative.)
#
# >>> w.grad is None
# True
#
# That is so because ``w`` was frozen before it ever got a gradient. A gradient that is
# there already stays there, and an optimiser goes on using it:
#
# >>> v = torch.ones(1, requires_grad=True)
# >>> (v**2).sum().backward()
# >>> frozen = v.requires_grad_(False)
# >>> torch.optim.SGD([v], lr=0.1).step()
# >>> v
# tensor([0.8000])
#
# So whoever freezes a leaf during training also says ``v.grad = None``.

# %%
# inference_mode keeps its tensors out
# ------------------------------------
#
# ``torch.inference_mode()`` is a stricter ``no_grad``. It saves a little more work,
# and its tensors carry a mark: they must not take part in a later record that would
# have to save them, nor be changed in place outside of the block.

with torch.inference_mode():
    t = 2 * torch.ones(2)
w = torch.ones(2, requires_grad=True)
t.is_inference(), (w + t).requires_grad

# %%
# An addition is allowed: to go back through it, autograd needs none of the numbers. To
# change the tensor in place is refused outside of the block:
#
# >>> try:
# ...     t.add_(1)
# ... except RuntimeError as error:
# ...     print(str(error).split(" outside")[0])
# Inplace update to inference tensor
#
# .. predict::
#
#    And a product, ``w * t``?
#
#    .. answer::
#
#       It is refused. The derivative with respect to ``w`` is ``t``, so autograd would
#       have to save ``t``.

try:
    w * t
except RuntimeError as error:
    message = str(error).split(". ")[0]
    print(message)

# %%
# We print only the first sentence.
#
# >>> message
# 'Inference tensors cannot be saved for backward'
#
# A copy, ``t.clone()``, is an ordinary tensor again:
#
# >>> (w * t.clone()).requires_grad
# True

# %%
# eval cuts nothing
# -----------------
#
# A model has two modes, chosen by ``model.train()`` and ``model.eval()``. In the first,
# ``nn.Dropout``, for example, sets some of its inputs to zero at random. In the second
# it lets all of them pass. Here it stands behind a layer, ``nn.Linear``. (A later
# lesson is about :doc:`such models </lessons/2_practice/60_modules_and_optimisers>`.)

model = nn.Sequential(nn.Linear(2, 1), nn.Dropout(0.5))
model.eval()
score = model(torch.ones(1, 2))

# %%
# .. predict::
#
#    The model is in ``eval`` mode. Does ``score`` require a gradient?
#
#    .. answer::
#
#       Yes. ``eval()`` changes what some layers *compute*. What they compute is
#       recorded as before. The name suggests otherwise; `PyTorch's notes on autograd
#       <https://docs.pytorch.org/docs/stable/notes/autograd.html>`__ warn of it.
#
#       >>> model.training, score.requires_grad
#       (False, True)

score.requires_grad

# %%
# For an evaluation we usually want both: ``eval()`` for the right numbers, and
# ``no_grad`` or ``inference_mode`` so that nothing is recorded.
#
# >>> with torch.inference_mode():
# ...     print(model(torch.ones(1, 2)).requires_grad)
# False

# %%
# .data cuts without a guard
# --------------------------
#
# In old code we find ``t.data``. It looks like ``t.detach()``: same numbers, no record.
# The difference shows when somebody changes these numbers. Here is a right gradient
# first, of :math:`z_i = \sigma(x_i)` and :math:`y = \sum_{i=0}^{2} z_i`.

x = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64, requires_grad=True)
z = x.sigmoid()
y = z.sum()

# %%
# The derivative of the sigmoid can be had from its value, and that is how PyTorch
# computes it: :math:`\nabla_x y = z \odot (1 - z) = (0.1966, 0.1050, 0.0452)`. The
# circled dot multiplies entry by entry.

y.backward()
x.grad

# %%
# We compute ``y`` again. But before we go backward, somebody has no more use for ``z``,
# and sets it to zero by an *in-place operation*: one that writes into a tensor, and
# makes no new one.
#
# .. admonition:: Wrong on purpose
#
#    The next cell writes into ``z`` behind autograd's back. Do not copy it.
#
# .. predict::
#
#    ``y`` was finished before that. What is ``x.grad`` now: the same numbers, others,
#    or an error? Type the numbers, if you expect some.
#
#    .. ask:: x.grad
#
#    .. answer::
#
#       Others, and no error. Autograd had saved ``z``, to compute the derivative from
#       it. It finds :math:`z = (0, 0, 0)` there, multiplies as before, and gets zeros.
#
#       .. wrong:: x.sigmoid() * (1 - x.sigmoid())
#
#          These are the right numbers, which autograd would find if it had a copy of
#          ``z``. It has saved ``z`` itself, and somebody has written zeros into it.

# wrong on purpose
x.grad = None
z = x.sigmoid()
y = z.sum()
z.data.zero_()
y.backward()
x.grad

# %%
# ``x`` is the same, ``y`` is the same, and the gradient is wrong, without a word.
#
# >>> x.grad
# tensor([0., 0., 0.], dtype=torch.float64)
#
# With ``detach`` we get an error instead:

z = x.sigmoid()
y = z.sum()
z.detach().zero_()
try:
    y.backward()
except RuntimeError as error:
    message = str(error).split(": ")[0]
    print(message)

# %%
# Autograd counts the changes of each tensor, and compares when it needs what it saved.
# A detached tensor shares this count. ``.data`` has a count of its own, so nobody
# notices.
#
# >>> message.split(" has been ")[1]
# 'modified by an inplace operation'
#
# An error is better than a wrong number. In our own code we write ``detach``. PyTorch
# itself still has a use for ``.data``, for example where a module moves its parameters
# to another device:
#
# >>> import inspect
# >>> "param.data = param_applied" in inspect.getsource(nn.Module._apply)
# True

# %%
# What each tool cuts
# -------------------
#
# .. list-table::
#    :header-rows: 1
#
#    * - tool
#      - what it does to the record
#      - what it leaves alone
#    * - ``t.detach()``
#      - gives a tensor with the same numbers and no record
#      - ``t`` and its record
#    * - ``torch.no_grad()``
#      - records no operation of the block
#      - leaves, and what was recorded before
#    * - ``torch.inference_mode()``
#      - like ``no_grad``; its tensors can't be saved in a later record, nor changed in
#        place outside
#      - what was recorded before
#    * - ``w.requires_grad_(False)``
#      - nothing leads into the leaf ``w`` any more
#      - all paths that lead past ``w``
#    * - ``model.eval()``
#      - nothing: what runs is recorded
#      - every path
#    * - ``t.data``
#      - like ``detach``, but autograd does not notice when it is changed
#      - ``t`` and its record

# %%
# Exercises
# ---------
#
# The first exercise is about the dot product of ``x`` with itself, half detached.

x = torch.arange(4.0, requires_grad=True)
y = torch.dot(x.detach(), x)
y

# %%
# .. exercise::
#
#    What is :math:`\nabla_x y`?
#
#    .. answer::
#
#       Without ``detach`` it would be :math:`2x`, one :math:`x` from each of two equal
#       paths. One path is cut, so :math:`\nabla_x y = x = (0, 1, 2, 3)`.
#
#       >>> u = torch.arange(4.0, requires_grad=True)
#       >>> torch.dot(u.detach(), u).backward()
#       >>> u.grad
#       tensor([0., 1., 2., 3.])
#
# .. exercise::
#
#    Does ``x.clone().detach().zero_()`` change ``x``? Does ``x.detach().zero_()``?
#
#    .. answer::
#
#       The first does not, because ``clone`` has made a copy. The second does.
#
#       >>> u = torch.arange(4.0, requires_grad=True)
#       >>> zeros = u.clone().detach().zero_()
#       >>> u
#       tensor([0., 1., 2., 3.], requires_grad=True)
#       >>> zeros = u.detach().zero_()
#       >>> u
#       tensor([0., 0., 0., 0.], requires_grad=True)
#
# The next one comes from reinforcement learning. A machine learns the *value* of a
# state ``s``, here :math:`\theta^\top s`. It steps from state ``s0`` to state ``s1``
# and earns a reward ``r``. The value of ``s0`` should then have been the reward plus
# the value of ``s1``; this sum is the *target*.

theta = torch.tensor([0.1, -0.1, 0.0], requires_grad=True)
s0 = torch.tensor([1.0, 2.0, -1.0])
s1 = torch.tensor([2.0, 1.0, 0.0])
r = 1.0

# %%
# The value missed the target by
# :math:`\delta = r + \theta^\top s_1 - \theta^\top s_0 = 1.2`. We choose
# :math:`L = -\frac{1}{2} \delta^2`, whose gradient is to be *added* to ``theta``.

target = r + theta @ s1
delta = target - theta @ s0
L = -(delta**2) / 2

# %%
# .. exercise::
#
#    Find :math:`\nabla_\theta L`.
#
#    .. answer::
#
#       The outer derivative is :math:`-\delta`. The inner one is :math:`s_1 - s_0`,
#       because ``theta`` is in the target, too. Together
#       :math:`\nabla_\theta L = -\delta\,(s_1 - s_0) = (-1.2, 1.2, -1.2)`.
#
#       >>> torch.autograd.grad(L, theta, retain_graph=True)[0]
#       tensor([-1.2000,  1.2000, -1.2000])
#
# But the method, called *TD(0)*, wants to move the value of ``s0`` towards the target,
# and not the target towards the value. For the gradient the target shall be a fixed
# number.

delta = target.detach() - theta @ s0
L = -(delta**2) / 2

# %%
# .. exercise::
#
#    What is :math:`\nabla_\theta L` now?
#
#    .. answer::
#
#       The path through the target is cut, and the inner derivative is :math:`-s_0`:
#       :math:`\nabla_\theta L = \delta\, s_0 = (1.2, 2.4, -1.2)`. Another direction
#       altogether. The first entry has even changed its sign.
#
#       >>> torch.autograd.grad(L, theta, retain_graph=True)
#       (tensor([ 1.2000,  2.4000, -1.2000]),)
#
# .. exercise::
#
#    Which tool is for which task? (1) Run a model on data that it does not learn from.
#    (2) Change a weight by hand. (3) Use a target that depends on the weights. (4)
#    Train only the last layers of a network. (5) Switch dropout off.
#
#    .. answer::
#
#       (1) ``inference_mode``: nothing of it will ever be differentiated.
#       (2) ``no_grad``: the weight must stay an ordinary leaf.
#       (3) ``detach``: one value is cut, and all the rest is recorded.
#       (4) ``requires_grad_(False)`` for the weights of the earlier layers.
#       (5) ``eval()``, which stops no gradient.

# %%
# What we can do now
# ------------------
#
# - Cut one value out of the record with ``detach``, or a stretch of code with
#   ``no_grad``.
# - Freeze a weight, and know that gradients still pass by it.
# - Stay away from ``.data``, and tell ``eval()`` from a cut.
#
# Next, :doc:`Control flow </lessons/1_foundations/90_control_flow>` shows cuts that
# nobody has ordered.

# %%
# Credits and licences
# --------------------
#
# The first example follows the section on detaching in `Dive into Deep Learning
# <https://d2l.ai/chapter_preliminaries/autograd.html>`__; the exercise on TD(0) uses
# the numbers of JAX's `Advanced automatic differentiation
# <https://github.com/jax-ml/jax/blob/jax-v0.8.0/docs/advanced-autodiff.md>`__. Our
# text is under `CC BY-SA 4.0 <https://creativecommons.org/licenses/by-sa/4.0/>`__, our
# code under the `MIT licence <https://opensource.org/license/mit>`__.
