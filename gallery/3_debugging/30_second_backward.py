r"""
The second backward, and graphs that grow
=========================================

We walk back twice, and see what is refused and what is not. At the end we can tell a
loop that needs its old graph from one that forgets to let it go.

:Time: 40 minutes
:Needs: :doc:`Accumulation </lessons/1_foundations/60_accumulation>`,
   :doc:`Stopping gradients </lessons/1_foundations/80_stopping_gradients>`
:Level: Debugging
:Tags: graph, errors, training
"""

# %%
# "Trying to backward through the graph a second time": few messages of PyTorch are
# asked about as often (`here on its forum <https://discuss.pytorch.org/t/6795>`__). It
# recommends ``retain_graph=True``. That makes the message go away, and it is seldom the
# cure.

import torch
from torch.utils.checkpoint import checkpoint

from torchutils import make_dot, read_graph, record_backward

# %%
# Freed is not gone
# -----------------
#
# The dot product of ``x`` with itself, and two backward steps without a forward step
# between them.

x = torch.ones(2, requires_grad=True)
y = torch.dot(x, x)
y.backward()
try:
    y.backward()
except RuntimeError as error:
    message = str(error)
    print(message.split(". ")[1])

# %%
# The graph is not what is missing. Its nodes and edges are still there:

make_dot(y, locals())

# %%
# To go back through a product, autograd needs the factors. It saved them in the forward
# step; the first backward step used them, and freed them.
#
# >>> message.split(" (")[0]
# 'Trying to backward through the graph a second time'
#
# .. predict::
#
#    Now the plain sum of the entries, ``s = x.sum()``, and again two backward steps.
#    What does ``x.grad`` hold after them?
#
#    .. ask:: x.grad
#
#    .. answer::
#
#       Both steps work, and each adds ones. Each entry of a sum has the slope 1,
#       whatever its value is. So a sum saves no numbers, and none can be missing.
#
#       >>> u = torch.ones(2, requires_grad=True)
#       >>> total = u.sum()
#       >>> total.backward()
#       >>> total.backward()
#       >>> u.grad
#       tensor([2., 2.])
#
#       .. wrong:: x.grad / 2
#
#          This is what the first step leaves. The second one is not refused: a sum has
#          no saved numbers that could be missing.

x.grad = None
s = x.sum()
s.backward()
s.backward()
x.grad

# %%
# So it depends on what the operations on the way have saved. This function tries it.


def twice(operation):
    x = torch.ones(2, requires_grad=True)
    y = operation(x).sum()
    y.backward()
    try:
        y.backward()
    except RuntimeError:
        return "refused"
    return "works"


# %%
# A sign, a copy, an added number and one entry can be walked twice. An exponential, a
# square and a product can't, and that holds for a product with a plain number, too: its
# node has saved the 2.
#
# >>> [twice(f) for f in (torch.neg, torch.clone, lambda x: x + 1, lambda x: x[0])]
# ['works', 'works', 'works', 'works']
# >>> [twice(f) for f in (torch.exp, torch.square, lambda x: x * x, lambda x: 2 * x)]
# ['refused', 'refused', 'refused', 'refused']

# %%
# A refused walk may be half done
# -------------------------------
#
# Two leaves. ``a`` is added as it is, ``b`` is squared first: with :math:`a = 1` and
# :math:`b = 2`, :math:`L = a + b^2 = 5`.

a = torch.tensor(1.0, requires_grad=True)
b = torch.tensor(2.0, requires_grad=True)
L = a + b**2

# %%
# The slopes are :math:`\frac{\partial L}{\partial a} = 1` and
# :math:`\frac{\partial L}{\partial b} = 2b = 4`.
#
# .. predict::
#
#    We go back twice. The second time there is an error, as we know. What do ``a.grad``
#    and ``b.grad`` hold then? Type both.
#
#    .. ask:: [a.grad, b.grad]
#
#    .. answer::
#
#       2 and 4. The engine does not look ahead to see whether what it needs is there.
#       It has added a second 1 to ``a.grad`` before it comes to the square. There the
#       saved number is missing, and it stops.
#
#       >>> u = torch.tensor(1.0, requires_grad=True)
#       >>> v = torch.tensor(2.0, requires_grad=True)
#       >>> total = u + v**2
#       >>> total.backward()
#       >>> try:
#       ...     total.backward()
#       ... except RuntimeError:
#       ...     print(u.grad.item(), v.grad.item())
#       2.0 4.0
#
#       .. wrong:: [a.grad / 2, b.grad]
#
#          This would be right if a refused walk left ``.grad`` as it was. The error
#          comes on the way, and what was added before it stays.
#
#       .. wrong:: [a.grad, 2 * b.grad]
#
#          The walk breaks off at the square, so ``b`` does not get a second time.

L.backward()
try:
    L.backward()
except RuntimeError:
    print("refused")
a.grad, b.grad

# %%
# Whoever catches this error and goes on trains with such numbers. How far a refused
# walk gets depends on the order in which the engine takes the nodes. A leaf goes first;
# one addition more in front of ``a``, made before the square, and the square comes
# earlier:
#
# >>> def refused(build):
# ...     u, v = (torch.tensor(k, requires_grad=True) for k in (1.0, 2.0))
# ...     total = build(u, v)
# ...     total.backward()
# ...     try:
# ...         total.backward()
# ...     except RuntimeError:
# ...         return u.grad.item(), v.grad.item()
# >>> refused(lambda u, v: u + v**2), refused(lambda u, v: (u + 0) + v**2)
# ((2.0, 4.0), (1.0, 4.0))
#
# So after an error in a backward step, empty ``.grad``.

# %%
# Two losses, one trunk
# ---------------------
#
# Two results often share the first part of the way, such as the layers of a network.
# Here ``z`` is the trunk, and ``y1`` and ``y2`` are its branches. At :math:`x = 2` and
# :math:`w = 3` we have :math:`z = 2\,(x + w) = 10`, :math:`y_1 = z^2 = 100` and
# :math:`y_2 = z^3 = 1000`.

x = torch.tensor(2.0, requires_grad=True)
w = torch.tensor(3.0, requires_grad=True)
z = 2 * (x + w)
y1, y2 = z**2, z**3

# %%
# After one backward step from ``y1``:

y1.backward()
make_dot([y1, y2], locals())

# %%
# The cube still has what it needs. But its way leads through the trunk, where the first
# walk has freed what was saved.

try:
    y2.backward()
except RuntimeError as error:
    message = str(error)
    print(message.split(" (")[0])

# %%
# >>> message.split(". ")[2][:26]
# 'Specify retain_graph=True '
# >>> x.grad
# tensor(40.)
#
# We obey the message, and begin anew.

x.grad = w.grad = None
z = 2 * (x + w)
y1, y2 = z**2, z**3

# %%
# .. predict::
#
#    First ``y1.backward(retain_graph=True)``, then ``y2.backward()``. What does
#    ``x.grad`` hold in the end?
#
#    .. ask:: x.grad
#
#    .. answer::
#
#       Both walks work, and their results are added:
#       :math:`\frac{\partial y_1}{\partial x} = 2 \cdot 2z = 40` and
#       :math:`\frac{\partial y_2}{\partial x} = 2 \cdot 3z^2 = 600`, together
#       :math:`40 + 600 = 640`.
#
#       .. wrong:: x.grad - 40
#
#          This is what the second walk brings. It does not replace what the first one
#          has left.
#
#       .. wrong:: x.grad / 2
#
#          The factor 2 of the trunk is forgotten.

y1.backward(retain_graph=True)
y2.backward()
x.grad

# %%
# But the trunk was walked twice. We can have the same from one walk, if we add the
# losses first: a derivative of a sum is the sum of the derivatives.

x.grad = w.grad = None
z = 2 * (x + w)
y1, y2 = z**2, z**3
y = y1 + y2
record_backward(y, locals())

# %%
# The cube sends 300 to the trunk first. At :step:`y1 sends to z` the square adds its
# 20. Now the adjoint of the trunk is complete, and goes on to ``x`` and ``w`` once.
#
# >>> x.grad, w.grad
# (tensor(640.), tensor(640.))
#
# ``retain_graph=True`` is right where the two gradients are wanted apart, for example
# to compare them. Then the last walk goes without it, so that the memory is freed:
#
# >>> z = 2 * (x + w)
# >>> y1, y2 = z**2, z**3
# >>> torch.autograd.grad(y1, x, retain_graph=True), torch.autograd.grad(y2, x)
# ((tensor(40.),), (tensor(600.),))

# %%
# A state from the round before
# -----------------------------
#
# In a loop the forward step is computed anew in each round, so the message should not
# come up. It does where something comes in from the round before: the state of a
# recurrent network, which is an input of its next round, a running mean, a value
# computed once above the loop.
#
# .. admonition:: Wrong on purpose
#
#    The state ``h`` in the next cell brings its graph along. Do not copy it.

# wrong on purpose
w = torch.tensor(0.5, requires_grad=True)
h = torch.tensor(1.0)
rounds = 0
try:
    for _ in range(3):
        h = w * h + 1
        (h**2).backward()
        rounds += 1
except RuntimeError as error:
    message = str(error)

# %%
# .. predict::
#
#    How many of the three rounds went well?
#
#    .. ask:: rounds
#
#    .. answer::
#
#       :math:`\text{rounds} = 1`. In the second round ``h`` is made from ``w`` and from
#       the ``h`` before it, and a path leads back through that one into the graph of
#       the first round. There the saved values have been freed.
#
#       .. wrong:: 3
#
#          Each round computes a new ``h``, but from the old one, which brings its graph
#          along.
#
#       .. wrong:: 0
#
#          The first ``h`` is a plain number, and the first graph is new.

rounds, message.split(" (")[0]

# %%
# The first round is fine. ``h`` is not a number after it: it has a ``grad_fn``.
#
# With ``retain_graph=True`` the loop runs. The way back becomes longer from round to
# round, though, and what was saved stays in memory. ``read_graph`` reads what
# ``make_dot`` draws, and so we can count nodes. This function runs a few rounds, with
# what is to happen to ``h`` before each.


def sizes(before, rounds=4):
    w = torch.tensor(0.5, requires_grad=True)
    h = torch.tensor(1.0)
    counted = []
    for _ in range(rounds):
        h = w * before(h) + 1
        loss = h**2
        counted.append(len(read_graph(loss).nodes))
        loss.backward(retain_graph=True)
    return counted


# %%
# Two more nodes in each round, unless the state is detached:
#
# >>> sizes(lambda h: h)
# [4, 6, 8, 10]
# >>> sizes(torch.Tensor.detach)
# [4, 4, 4, 4]
#
# With an optimiser in the loop, ``retain_graph=True`` leads to another error, here in
# the third round. The second round has saved the weight, for the slope of the state,
# and the step behind it has changed the weight in place:
#
# >>> w = torch.tensor(0.5, requires_grad=True)
# >>> optimizer = torch.optim.SGD([w], lr=0.1)
# >>> h = torch.tensor(1.0)
# >>> went_well = 0
# >>> try:
# ...     for _ in range(5):
# ...         h = w * h + 1
# ...         (h**2).backward(retain_graph=True)
# ...         optimizer.step()
# ...         went_well += 1
# ... except RuntimeError as error:
# ...     print(went_well, str(error).split(" has been ")[1].split(": ")[0])
# 2 modified by an inplace operation
#
# So: ``h = h.detach()`` at the beginning of a round. It is a decision, and has its
# price.

w = torch.tensor(0.5, requires_grad=True)
h0 = 1.0
h1 = w * h0 + 1
h2 = w * h1 + 1
c2 = w * h1.detach() + 1

# %%
# With the whole way back, :math:`\frac{dh_2}{dw} = h_1 + w h_0 = 1.5 + 0.5 = 2`. Cut
# off from the round before, ``c2`` has the same value, :math:`c_2 = h_2 = 1.75`, and a
# part of the slope, that of its own round:
#
# >>> [torch.autograd.grad(y, w, retain_graph=True)[0].item() for y in (h2, c2)]
# [2.0, 1.5]
#
# Those who train recurrent networks call this *truncated* backpropagation through time:
# they detach after some rounds, take one backward step for these, and go on.

# %%
# Between forward and backward
# ----------------------------
#
# The graph is made while we compute. Here are two leaves that change their mind after
# it: one asks for a gradient too late, the other is frozen. The walk ends without an
# error, and brings a gradient to neither.
#
# >>> late, frozen = torch.tensor(1.0), torch.tensor(1.0, requires_grad=True)
# >>> y = late * frozen
# >>> late, frozen = late.requires_grad_(), frozen.requires_grad_(False)
# >>> y.backward()
# >>> print(late.grad, frozen.grad)
# None None
#
# So an edge that is there can be closed at its end, by freezing. One that is not there
# can't be had any more. And a tensor that we make afterwards is not in the graph,
# though it shows the same numbers. ``v[0]`` is a new view each time that we write it:
#
# >>> v = torch.tensor([3.0, 1.0], requires_grad=True)
# >>> y = (v * v).sum()
# >>> try:
# ...     torch.autograd.grad(y, v[0])
# ... except RuntimeError as error:
# ...     print(str(error).split(". ")[0])
# The differentiated Tensor at index 0 appears to not have been used in the graph
# >>> torch.autograd.grad(y, v.view(-1), allow_unused=True)
# (None,)
#
# Ask for the gradient of the whole, and take its entry:
#
# >>> y = (v * v).sum()
# >>> torch.autograd.grad(y, v)[0][0]
# tensor(6.)

# %%
# Graphs that grow
# ----------------
#
# The other way to keep an old graph needs no error. Somebody adds up the losses, in
# order to print their mean in the end. `PyTorch's manual
# <https://docs.pytorch.org/docs/stable/notes/faq.html>`__ has this loop, too.
#
# .. admonition:: Wrong on purpose
#
#    ``total`` in the next cell holds on to each loss, and to its graph. Do not copy it.

# wrong on purpose
w = torch.tensor(1.0, requires_grad=True)
total = 0
nodes = []
for _ in range(3):
    loss = (2 * w - 1) ** 2
    total = total + loss
    nodes.append(len(read_graph(total).nodes))

# %%
# .. predict::
#
#    A loss has the nodes of a product, a difference and a square, and the leaf ``w`` is
#    one more. How many nodes lie behind ``total`` after the first, the second and the
#    third round?
#
#    .. ask:: nodes
#
#    .. answer::
#
#       5, 9 and 13. Each round brings three nodes for its loss and one for the
#       addition. The leaf is the same one in each round, and counts once.
#
#       .. wrong:: [4, 7, 10]
#
#          The additions are recorded as well, that to 0 included.
#
#       .. wrong:: [5, 10, 15]
#
#          The leaf is counted in each round. It is one node, with a path for each
#          round.
#
#       .. wrong:: [5, 5, 5]
#
#          A new loss does not replace the old ones: ``total`` was made of them, and its
#          graph leads to each.

nodes

# %%
# How much that costs depends on whether somebody goes back. Here no loss has gone back,
# as in an evaluation, and all that was saved is still there:
#
# >>> make_dot(total, saved="sizes").text.splitlines()[1].split(";")[0]
# 'Saved for backward: 36 bytes'
#
# In a training loop each loss goes back and frees what it has saved. The nodes remain:
#
# >>> v = torch.tensor(1.0, requires_grad=True)
# >>> total = 0
# >>> for _ in range(3):
# ...     loss = (2 * v - 1) ** 2
# ...     loss.backward()
# ...     total = total + loss
# >>> make_dot(total, saved="sizes").text.splitlines()[1].split(";")[0]
# 'Saved for backward: 0 bytes'
# >>> len(read_graph(total).nodes)
# 13
#
# With ``loss.item()``, which is a Python number, nothing remains. ``loss.detach()``
# does it as well, and does not have to `wait for a graphics card
# <https://docs.pytorch.org/tutorials/recipes/recipes/tuning_guide.html>`__. What else
# holds on to a graph: a list of losses, the best loss so far, an output that is kept
# for a plot.
#
# >>> total = 0.0
# >>> best = torch.tensor(10.0)
# >>> for _ in range(3):
# ...     loss = (2 * w - 1) ** 2
# ...     total += loss.item()
# ...     best = torch.minimum(best, loss)
# >>> total, best.requires_grad
# (3.0, True)
#
# For an evaluation, use ``torch.no_grad()`` or ``torch.inference_mode()``: what is not
# recorded can't be kept.
#
# >>> with torch.no_grad():
# ...     loss = (2 * w - 1) ** 2
# >>> loss.requires_grad
# False

# %%
# Computed again instead of kept
# ------------------------------
#
# *Checkpointing* is a different bargain with memory. ``checkpoint(f, x)`` computes
# ``f(x)`` and throws away what its operations would have saved. When the backward pass
# comes along, it runs ``f`` again, and that can be noticed.
#
# There are two variants. ``use_reentrant=True`` is the older one. If we don't say
# which, PyTorch 2.13.0, 2.14.1 and 2.15.0 warn, and take the older one:
#
# >>> x = torch.tensor(1.0, requires_grad=True)
# >>> import warnings
# >>> with warnings.catch_warnings(action="ignore"):
# ...     print(checkpoint(torch.sin, x).grad_fn.name())
# CheckpointFunctionBackward
#
# Here a weight stands in ``f``, and somebody changes it between forward and backward.

w = torch.tensor(3.0, requires_grad=True)
x = torch.tensor(2.0, requires_grad=True)
y = checkpoint(lambda x: x * w, x, use_reentrant=False)

# %%
# So far :math:`y = xw = 6`.
#
# .. predict::
#
#    The weight becomes 10, in place, and then we call ``y.backward()``. What is
#    ``x.grad``: 3, 10, or is it an error? Type the number, if you expect one.
#
#    .. ask:: x.grad
#
#    .. answer::
#
#       10, without an error. Without the checkpoint the product would have saved ``w``,
#       with its version, and autograd would notice the change. Here it was not saved.
#       The second run of ``f`` reads the weight as it is now.
#
#       .. wrong:: y / x
#
#          This is the slope that belongs to the value of ``y``. The second run does not
#          know what the weight was in the first.

with torch.no_grad():
    w.fill_(10.0)
y.backward()
x.grad

# %%
# The older variant does the same, and without a checkpoint there is an error:
#
# >>> def changed(f):
# ...     w = torch.tensor(3.0, requires_grad=True)
# ...     x = torch.tensor(2.0, requires_grad=True)
# ...     y = f(lambda x: x * w, x)
# ...     with torch.no_grad():
# ...         _ = w.fill_(10.0)
# ...     try:
# ...         y.backward()
# ...     except RuntimeError:
# ...         return "refused"
# ...     return x.grad
# >>> changed(lambda f, x: checkpoint(f, x, use_reentrant=True))
# tensor(10.)
# >>> changed(lambda f, x: f(x))
# 'refused'
#
# Where the two variants differ
# -----------------------------
#
# We run both: ``both`` returns what ``action`` says with the older variant, and with
# the newer one.


def older(f, x):
    return checkpoint(f, x, use_reentrant=True)


def newer(f, x):
    return checkpoint(f, x, use_reentrant=False)


def both(action):
    return [action(older), action(newer)]


# %%
# **How often** does ``f`` run, if it adds 1 and so has nothing to save? The newer
# variant runs it again when a saved value is asked for, and here none is.
#
# >>> def runs(kept):
# ...     count = []
# ...     def f(x):
# ...         count.append(1)
# ...         return x + 1
# ...     kept(f, torch.tensor(1.0, requires_grad=True)).backward()
# ...     return len(count)
# >>> both(runs)
# [2, 1]
#
# **How far** does the second run get? In this ``f`` the sine and the exponential save
# something, the addition behind them does not. The newer variant stops as soon as it
# has what it needs, here before the last two letters.
#
# >>> def letters(kept):
# ...     seen = []
# ...     def f(x):
# ...         seen.append("a")
# ...         y = x.sin()
# ...         seen.append("b")
# ...         y = y.exp()
# ...         seen.append("c")
# ...         y = y + 1
# ...         seen.append("d")
# ...         return y
# ...     y = kept(f, torch.tensor(1.0, requires_grad=True))
# ...     seen.clear()
# ...     y.backward()
# ...     return "".join(seen)
# >>> both(letters)
# ['abcd', 'ab']
#
# **Is it recorded?** In the older variant the first run is not. A function that asks
# may then compute something else, and value and gradient no longer belong together: 3
# has the slope 3, and not 2.
#
# >>> def asks(kept):
# ...     x = torch.tensor(1.0, requires_grad=True)
# ...     y = kept(lambda x: 2 * x if torch.is_grad_enabled() else 3 * x, x)
# ...     y.backward()
# ...     return y.item(), x.grad.item()
# >>> both(asks)
# [(3.0, 2.0), (2.0, 2.0)]
#
# **What if the input needs no gradient?** The older variant looks at the input alone.
# It warns, and the weight in ``f`` learns nothing.
#
# >>> def unasked(kept):
# ...     w = torch.tensor(3.0, requires_grad=True)
# ...     return kept(lambda x: x * w, torch.tensor(2.0)).requires_grad
# >>> import warnings
# >>> with warnings.catch_warnings(record=True) as caught:
# ...     warnings.simplefilter("always")
# ...     print(both(unasked), caught[0].message)
# [False, True] None of the inputs have requires_grad=True. Gradients will be None
#
# **What if the two runs differ?** Here the first run squares and the second cubes. At 2
# the slopes are 4 and 12. The older variant believes the second run. The newer one
# keeps the nodes of the first run and takes saved values from the second, and here
# neither of them complains.
#
# >>> def differ(kept, first=torch.square, second=lambda x: x**3):
# ...     functions = [first, second]
# ...     x = torch.tensor(2.0, requires_grad=True)
# ...     kept(lambda x: functions.pop(0)(x), x).backward()
# ...     return x.grad.item()
# >>> both(differ)
# [12.0, 4.0]
#
# The newer one compares how many values are saved, and their shapes, dtypes and
# devices, but no numbers. Two sines and then one are refused; a sine and then an
# exponential are not, and the slope is the cosine of :math:`e^2`, which belongs to
# neither.
#
# >>> def two_sines(x):
# ...     return x.sin().sin()
# >>> try:
# ...     differ(newer, two_sines, torch.sin)
# ... except torch.utils.checkpoint.CheckpointError as error:
# ...     print(str(error).split(": ")[1].split(" during")[0])
# A different number of tensors was saved
# >>> differ(newer, torch.sin, torch.exp)
# 0.4484
#
# **What of chance?** Before the second run, both variants set PyTorch's own random
# generator back to where it was, so that a dropout drops the same entries. A generator
# of ours goes on.
#
# >>> def same(kept, draw=torch.rand_like):
# ...     x = torch.ones(8, requires_grad=True)
# ...     y = kept(lambda x: x * x * draw(x), x)
# ...     y.sum().backward()
# ...     return torch.equal(x.grad, 2 * y)
# >>> both(same)
# [True, True]
# >>> ours = torch.Generator().manual_seed(0)
# >>> both(lambda kept: same(kept, lambda x: torch.rand(8, generator=ours)))
# [False, False]
#
# **What does a hook see?** A weight that is used in ``f`` and once outside gets two
# contributions. The older variant has a walk of its own inside, so the hook is called
# twice, each time with a part. In the newer one it sees the sum.
#
# >>> def hooked(kept):
# ...     seen = []
# ...     w = torch.tensor(2.0, requires_grad=True)
# ...     w.register_hook(lambda gradient: seen.append(gradient.item()))
# ...     x = torch.tensor(1.0, requires_grad=True)
# ...     (kept(lambda x: x * w, x) + w).backward()
# ...     return seen
# >>> both(hooked)
# [[1.0, 1.0], [2.0]]
#
# So say ``use_reentrant=False``, and let ``f`` compute the same each time that it runs.

# %%
# Two results of one function
# ---------------------------
#
# A checkpoint with two results, and a backward step for each. The two branches begin at
# the same leaf and share no operation, so no ``retain_graph`` is needed. But each walk
# computes again for itself, and ``f`` runs three times. ``GraphExecGroup`` lets two
# walks share one run (PyTorch 2.9.1 did not have it).
#
# >>> from contextlib import nullcontext
# >>> from torch.utils.checkpoint import GraphExecGroup
# >>> def two(group):
# ...     count = []
# ...     def f(x):
# ...         count.append(1)
# ...         return x.sin().exp(), x.cos().exp()
# ...     x = torch.tensor(1.0, requires_grad=True)
# ...     p, q = checkpoint(f, x, use_reentrant=False)
# ...     with group():
# ...         p.backward()
# ...         q.backward()
# ...     return len(count)
# >>> two(nullcontext), two(GraphExecGroup)
# (3, 2)
#
# ``torch.compile`` can make *one* node of a whole function; the backend ``aot_eager``
# does. The two results of ``together`` have no operation in common, but they share that
# node, and what works without compiling is refused.


def together(x, w):
    return x.exp(), w.exp()


def separate(function):
    x = torch.tensor(2.0, requires_grad=True)
    w = torch.tensor(3.0, requires_grad=True)
    p, q = function(x, w)
    p.backward()
    try:
        q.backward()
    except RuntimeError as error:
        return str(error).split(" (")[0]
    return "works"


compiled = torch.compile(together, backend="aot_eager")
separate(together), separate(compiled)

# %%
# >>> separate(compiled)
# 'Trying to backward through the graph a second time'
#
# The backend ``eager`` makes no such node: it runs the operations as they are, and each
# is recorded.
#
# >>> separate(torch.compile(together, backend="eager"))
# 'works'
#
# Which results a checkpoint saves and which it computes again can be chosen, too: a
# *policy* is asked for each operation. In PyTorch 2.13.0, 2.14.1 and 2.15.0 it is asked
# once, in the first run. (2.9.1 asked it again in the second.)
#
# >>> from torch.utils.checkpoint import (
# ...     CheckpointPolicy,
# ...     create_selective_checkpoint_contexts,
# ... )
# >>> asked = []
# >>> def policy(context, operation, *arguments, **options):
# ...     asked.append(context.is_recompute)
# ...     return CheckpointPolicy.PREFER_RECOMPUTE
# >>> def contexts():
# ...     return create_selective_checkpoint_contexts(policy)
# >>> v = torch.tensor(2.0, requires_grad=True)
# >>> options = {"use_reentrant": False, "context_fn": contexts}
# >>> checkpoint(lambda v: v.sin().exp(), v, **options).backward()
# >>> asked
# [False, False]

# %%
# Exercises
# ---------
#
# .. exercise::
#
#    Which of these need ``retain_graph=True``, and which can do without? Two backward
#    steps from ``x.sum()``; two from ``(x * x).sum()``; one from each of two losses
#    that share a part.
#
#    .. answer::
#
#       The first doesn't: a sum saves no numbers. The second does. The third does where
#       the shared part has saved something, and then it is better to add the losses.
#       The trunk below has saved nothing.
#
#       >>> twice(lambda x: x), twice(lambda x: x * x)
#       ('works', 'refused')
#       >>> u = torch.tensor(2.0, requires_grad=True)
#       >>> trunk = u + 1
#       >>> (trunk**2).backward()
#       >>> (trunk**3).backward()
#       >>> u.grad
#       tensor(33.)
#
#       It is an addition; the square and the cube belong to one loss each. Their slopes
#       add up to :math:`2 \cdot 3 + 3 \cdot 3^2 = 33`.
#
# .. exercise::
#
#    *Spot the error.* A `program on GitHub
#    <https://github.com/lucidrains/denoising-diffusion-pytorch/issues/109>`__ fits its
#    data to the input of a network with a convolution. This is done once, above the
#    training loop. The first round works. What happens in the second, and why is
#    ``retain_graph=True`` no cure?
#
#    .. answer::
#
#       The convolution has weights, so its result has a graph, and the first round
#       frees what it has saved. With ``retain_graph=True`` the loop would run until an
#       optimiser changes these weights, or train them with slopes of the first round.
#       If they are to be learned, the convolution belongs into the loop; if not, under
#       ``torch.no_grad()``.
#
#       >>> layer = torch.nn.Conv1d(1, 1, 1)
#       >>> data = layer(torch.ones(1, 1, 3))
#       >>> v = torch.ones((), requires_grad=True)
#       >>> (v * data).sum().backward()
#       >>> try:
#       ...     (v * data).sum().backward()
#       ... except RuntimeError as error:
#       ...     print(str(error).split(" (")[0])
#       Trying to backward through the graph a second time
#       >>> with torch.no_grad():
#       ...     data = layer(torch.ones(1, 1, 3))
#       >>> for _ in range(2):
#       ...     (v * data).sum().backward()
#
# .. exercise::
#
#    Six rounds of ``h = w * h + 1``, and a backward step after the second, the fourth
#    and the sixth. Write the loop, with one ``detach`` in the right place.
#
#    .. answer::
#
#       At the beginning of each piece, so that two rounds are behind each loss.
#
#       >>> v = torch.tensor(0.5, requires_grad=True)
#       >>> state = torch.tensor(1.0)
#       >>> lengths = []
#       >>> for _ in range(3):
#       ...     state = state.detach()
#       ...     for _ in range(2):
#       ...         state = v * state + 1
#       ...     lengths.append(len(read_graph(state).nodes))
#       ...     state.backward()
#       >>> lengths
#       [5, 5, 5]
#
# .. exercise::
#
#    A program keeps a running mean, ``m = 0.9 * m + 0.1 * y``, to print it now and
#    then, where ``y`` is the output of a network. Its memory grows. Where is the graph
#    kept, and which word is missing?
#
#    .. answer::
#
#       Each ``m`` is made from the one before it, so the last one leads back to each
#       ``y``. ``y.detach()`` is enough: then nothing that ``m`` is made of has a graph.
#
#       >>> def running(use):
#       ...     v = torch.tensor(1.0, requires_grad=True)
#       ...     m = torch.tensor(0.0)
#       ...     for _ in range(10):
#       ...         m = 0.9 * m + 0.1 * use(2 * v)
#       ...     return m
#       >>> len(read_graph(running(lambda y: y)).nodes)
#       40
#       >>> running(torch.Tensor.detach).requires_grad
#       False

# %%
# What we can do now
# ------------------
#
# - Say which graphs can be walked twice, and what a first walk has freed.
# - Add losses that share a trunk, and detach a state, before we think of
#   ``retain_graph``.
# - Find what holds on to an old graph, and count its nodes.
# - Say when a checkpoint computes again, and what it then sees.
#
# Next, :doc:`Silent mistakes </lessons/3_debugging/40_silent_mistakes>`: what no
# message tells of.

# %%
# Credits and licences
# --------------------
#
# Our text is under `CC BY-SA 4.0 <https://creativecommons.org/licenses/by-sa/4.0/>`__,
# our code under the `MIT licence <https://opensource.org/license/mit>`__.
