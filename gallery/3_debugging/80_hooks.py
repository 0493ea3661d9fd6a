r"""
Hooks, and how gradients flow
=============================

A hook shows us a gradient while it passes. We learn when each kind of hook is called
and what it sees, and use hooks to watch gradients vanish and explode in a deep network.

:Time: 40 minutes
:Needs: :doc:`Leaves, requires_grad and retain_grad </lessons/1_foundations/70_leaves>`,
   :doc:`Modules and optimisers </lessons/2_practice/60_modules_and_optimisers>`
:Level: Debugging
:Tags: errors, graph, training
"""

# sphinx_gallery_thumbnail_number = -1
# sphinx_gallery_warns = ["no inputs require gradients"]

# %%
# After a backward step the leaves have their gradients, and what passed in between is
# gone. A *hook* is a function of ours that autograd calls on the way.

import warnings

import matplotlib.pyplot as plt
import torch
from torch import nn

from torchutils import MovingPlot, record_backward

# %%
# A hook looks, or replaces
# -------------------------
#
# At :math:`x = 3` we compute :math:`y = 2x` and :math:`z = y^2`. The hook on ``y`` gets
# the gradient that arrives there.

x = torch.tensor(3.0, requires_grad=True)
y = 2 * x
seen = []
handle = y.register_hook(seen.append)
z = y**2

# %%
# By the chain rule :math:`\frac{\partial z}{\partial y} = 2y = 12` arrives at ``y``,
# and :math:`\frac{dz}{dx} = 2y \cdot 2 = 24` at ``x``.

z.backward()
seen, x.grad

# %%
# What a hook returns takes the place of the gradient. This one returned ``None``, as
# ``list.append`` does, and the gradient went on as it was. ``handle.remove()`` takes
# the hook away again, and the next gradient goes by unseen:
#
# >>> handle.remove()
# >>> torch.autograd.grad(y**2, y)
# (tensor(12.),)
# >>> seen
# [tensor(12.)]
#
# .. predict::
#
#    Now the hook on ``y`` returns twice what it gets. What is ``x.grad``?
#
#    .. ask:: x.grad
#
#    .. answer::
#
#       It is 48. At ``y`` 12 arrives and 24 goes on, and ``x`` gets twice that.
#
#       .. wrong:: 24
#
#          So it is without the hook. What it returns is what goes on.
#
#       .. wrong:: 36
#
#          The hook's gradient replaces the one that arrived, and is not added to it.

x = torch.tensor(3.0, requires_grad=True)
y = 2 * x
y.register_hook(lambda g: 2 * g)
z = y**2
z.backward()
x.grad

# %%
# Four things are refused. A gradient keeps its shape and its dtype, it stays a tensor,
# and where no gradient passes there is no place for a hook:
#
# >>> def refused(action):
# ...     try:
# ...         action()
# ...     except (RuntimeError, TypeError) as error:
# ...         print(str(error).split(" (")[0])
# >>> three = torch.ones(3, requires_grad=True) * 1
# >>> handle = three.register_hook(lambda g: g.sum())
# >>> refused(three.sum().backward)
# hook '<lambda>' has changed the size of value
# >>> three = torch.ones(3, requires_grad=True) * 1
# >>> handle = three.register_hook(lambda g: g.double())
# >>> refused(three.sum().backward)
# hook '<lambda>' has changed the type of value
# >>> three = torch.ones(3, requires_grad=True) * 1
# >>> handle = three.register_hook(lambda g: 1.0)
# >>> refused(three.sum().backward)
# expected Variable, but hook returned 'float'
# >>> refused(lambda: torch.ones(3).register_hook(print))
# cannot register a hook on a tensor that doesn't require gradient

# %%
# Who is called first?
# --------------------
#
# Besides the hooks of a tensor there are those of a *node*: a pre-hook gets what
# arrives at the operation, a hook what it sends on as well. We register them in
# disorder.

order = []
x = torch.tensor(1.0, requires_grad=True)
y = x * 2
y.grad_fn.register_hook(lambda sent, came: order.append("node"))
y.grad_fn.register_prehook(lambda came: order.append("node, before"))
y.register_hook(lambda g: order.append("tensor, first"))
y.register_hook(lambda g: order.append("tensor, second"))
y.backward()
order

# %%
# First those of the tensor, in their own order, then the node's: before its work, and
# after it.
#
# >>> order
# ['tensor, first', 'tensor, second', 'node, before', 'node']
#
# A leaf has no ``grad_fn``. Its node is the ``AccumulateGrad`` to which the edges of
# the graph lead, and it has one more kind of hook, which runs when ``.grad`` has been
# written:
#
# >>> order = []
# >>> x = torch.tensor(1.0, requires_grad=True)
# >>> node = x.view_as(x).grad_fn.next_functions[0][0]
# >>> handles = [
# ...     node.register_hook(lambda sent, came: order.append("node")),
# ...     node.register_prehook(lambda came: order.append("node, before")),
# ...     x.register_post_accumulate_grad_hook(lambda x: order.append("accumulated")),
# ...     x.register_hook(lambda g: order.append("tensor")),
# ... ]
# >>> (x * 2).backward()
# >>> order
# ['tensor', 'node, before', 'accumulated', 'node']
#
# This node lives as long as somebody holds it, and its hooks go with it:
#
# >>> order = []
# >>> x = torch.tensor(1.0, requires_grad=True)
# >>> node = x.view_as(x).grad_fn.next_functions[0][0]
# >>> handle = node.register_hook(lambda sent, came: order.append("node"))
# >>> del node
# >>> (x * 2).backward()
# >>> order
# []
#
# ``register_multi_grad_hook`` waits until the gradients of several tensors have come.
# For one it runs as a hook of this tensor, here registered before the other:
#
# >>> order = []
# >>> x = torch.tensor(1.0, requires_grad=True)
# >>> handles = [
# ...     x.register_post_accumulate_grad_hook(lambda x: order.append("accumulated")),
# ...     torch.autograd.graph.register_multi_grad_hook(
# ...         [x], lambda gs: order.append("multi")
# ...     ),
# ...     x.register_hook(lambda g: order.append("tensor")),
# ... ]
# >>> (x * 2).backward()
# >>> order
# ['multi', 'tensor', 'accumulated']

# %%
# What is kept, and what goes on
# ------------------------------
#
# ``retain_grad`` stores the gradient of a value. If hooks change it, which state is
# stored?

x = torch.tensor(1.0, requires_grad=True)
y = x * 2
y.grad_fn.register_prehook(lambda came: (came[0] * 10,))
y.register_hook(lambda g: g * 3)
y.retain_grad()
y.register_hook(lambda g: g * 5)
y.backward()

# %%
# .. predict::
#
#    A 1 arrives at ``y``. What do ``y.grad`` and ``x.grad`` hold?
#
#    .. ask:: kept
#
#    .. answer::
#
#       :math:`\text{kept} = (3 \cdot 5,\; 3 \cdot 5 \cdot 10 \cdot 2) = (15, 300)`.
#       ``retain_grad`` comes after the hooks of its tensor, wherever it stands among
#       them, and before those of the node.
#
#       .. wrong:: [3, 300]
#
#          In the order of registration it would be so. ``retain_grad`` waits for the
#          tensor's last hook.
#
#       .. wrong:: [150, 300]
#
#          The factor 10 is the node's pre-hook, which comes after what is kept.

kept = torch.stack([y.grad, x.grad])
kept

# %%
# ``torch.autograd.grad`` for a value in the middle sees as much, its tensor's hooks and
# not those of its node:
#
# >>> x = torch.tensor(1.0, requires_grad=True)
# >>> y = x * 1
# >>> handle = y.grad_fn.register_prehook(lambda came: (came[0] * 10,))
# >>> handle = y.register_hook(lambda g: g * 3)
# >>> torch.autograd.grad(y * 2, y, retain_graph=True)
# (tensor(6.),)
# >>> torch.autograd.grad(y * 2, x)
# (tensor(60.),)
#
# The same holds at a leaf. Here ``.grad`` gets more than ``torch.autograd.grad``
# returns:
#
# >>> node = x.view_as(x).grad_fn.next_functions[0][0]
# >>> handle = node.register_prehook(lambda came: (came[0] * 10,))
# >>> torch.autograd.grad(x * 2, x)
# (tensor(2.),)
# >>> (x * 2).backward()
# >>> x.grad
# tensor(20.)

# %%
# A hook belongs to a value, not to a name
# ----------------------------------------
#
# Here ``y`` is changed in place between two hooks.

saw = []
x = torch.tensor(1.0, requires_grad=True)
y = x * 1
y.register_hook(lambda g: saw.append(g.item()))
y.mul_(2)
handle = y.register_hook(lambda g: saw.append(g.item()))

# %%
# .. predict::
#
#    We go back from ``y * 3``. What do the hooks see, in the order in which they are
#    called?
#
#    .. ask:: saw
#
#    .. answer::
#
#       First 3, then 6. The second hook was registered on what ``y`` is now, and the
#       way back meets that first. The first one stays with what ``y`` was before
#       ``mul_``.
#
#       .. wrong:: [6, 3]
#
#          These are the numbers, in the order of registration. The way back comes from
#          the end.
#
#       .. wrong:: [3, 3]
#
#          One name, but two values. Between them stands the factor 2.

(y * 3).backward()
saw

# %%
# ``retain_grad`` moves along with the name, and keeps the gradient of what ``y`` is in
# the end:
#
# >>> x = torch.tensor(1.0, requires_grad=True)
# >>> y = x * 1
# >>> y.retain_grad()
# >>> changed = y.mul_(5)
# >>> (y * 3).backward()
# >>> y.grad, x.grad
# (tensor(3.), tensor(15.))
#
# A hook on a *view* is left behind when the base is changed. This one wanted to let
# nothing pass:
#
# >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
# >>> y = x * 1
# >>> first = y[0]
# >>> handle = first.register_hook(lambda g: g * 0)
# >>> changed = y.mul_(3)
# >>> first.backward()
# >>> x.grad
# tensor([3., 0.])

# %%
# The order of the walk
# ---------------------
#
# With hooks we can see in which order the way back comes by. Of the operations that
# have all their gradients, the one that was computed last is taken first. A leaf does
# not wait: it gets its gradient as soon as all of it is there.
#
# >>> def watch(**values):
# ...     for name, t in values.items():
# ...         t.register_hook(lambda g, name=name: order.append(name))
# >>> order = []
# >>> a = torch.tensor(1.0, requires_grad=True)
# >>> b = torch.tensor(1.0, requires_grad=True)
# >>> u, v = a.exp(), b.sin()
# >>> watch(u=u, v=v, a=a, b=b)
# >>> (u + v).backward()
# >>> order
# ['v', 'b', 'u', 'a']
#
# A branch need not be finished before another one begins:
#
# >>> order = []
# >>> u, v = a.exp(), b.sin()
# >>> w = u.cos()
# >>> watch(u=u, v=v, w=w)
# >>> (w + v).backward()
# >>> order
# ['w', 'v', 'b', 'u', 'a']
#
# So a leaf can be finished while another has not been reached. When a hook raises in
# between, some gradients are there and others are not:
#
# >>> order = []
# >>> a, b, c = (torch.tensor(float(k), requires_grad=True) for k in (1, 2, 3))
# >>> watch(a=a, b=b, c=c)
# >>> (a * b * c).backward()
# >>> order
# ['c', 'a', 'b']
# >>> a, b, c = (torch.tensor(float(k), requires_grad=True) for k in (1, 2, 3))
# >>> handle = b.register_hook(lambda g: 1 / 0)
# >>> (a * b * c).backward()
# Traceback (most recent call last):
# ZeroDivisionError: division by zero
# >>> [t.grad is not None for t in (a, b, c)]
# [True, False, True]

# %%
# Hooks of a module
# -----------------
#
# A module has hooks as well: a *forward hook* gets its inputs and outputs, a *full
# backward hook* the gradients with respect to both.


class Parabola(nn.Module):
    def forward(self, x):
        return 3 * x**2


parabola = Parabola()
told = []
parabola.register_full_backward_hook(lambda m, sent, came: told.append((sent, came)))
x = torch.tensor(2.0, requires_grad=True)
parabola(x).backward()
told

# %%
# At 2 the slope is :law:`6 \cdot 2 = 12`: a 1 came in at the output, and 12 leaves at
# the input. The old ``register_backward_hook`` saw the last operation alone, here the
# product by 3, and warns:
#
# >>> old, told = Parabola(), []
# >>> handle = old.register_backward_hook(lambda m, sent, came: told.append(sent))
# >>> with warnings.catch_warnings(record=True) as caught:
# ...     warnings.simplefilter("always")
# ...     old(torch.tensor(2.0, requires_grad=True)).backward()
# >>> told
# [(tensor(3.), None)]
# >>> "missing some grad_input" in str(caught[0].message)
# True
#
# Whoever writes ``model.forward(x)`` instead of ``model(x)`` goes past the hooks:
#
# >>> calls, layer = [], nn.Linear(1, 1)
# >>> handle = layer.register_forward_hook(lambda m, i, o: calls.append("called"))
# >>> output = layer.forward(torch.ones(1, 1))
# >>> calls
# []
# >>> output = layer(torch.ones(1, 1))
# >>> calls
# ['called']
#
# And a value that passes such a hook may not be changed in place afterwards:
#
# >>> net = nn.Sequential(nn.Linear(1, 1), nn.ReLU(inplace=True))
# >>> handle = net[0].register_full_backward_hook(lambda m, sent, came: None)
# >>> try:
# ...     net(torch.ones(1, 1))
# ... except RuntimeError as error:
# ...     print(str(error).split(". ")[0])
# Output 0 of BackwardHookFunction is a view and is being modified inplace

# %%
# .. predict::
#
#    A full backward hook looks whether the layer's own ``weight.grad`` is there
#    already. We try it with ``nn.Linear``, for an input that requires a gradient, then
#    for one that does not. Type 1 for yes and 0 for no, twice.
#
#    .. ask:: there
#
#    .. answer::
#
#       Yes and no, :math:`\text{there} = (1, 0)`. The hook waits until the gradient of
#       the input has been computed. If the input wants none, there is nothing to wait
#       for, and it runs when the gradient of the output arrives.
#
#       .. wrong:: [1, 1]
#
#          One would like to rely on it. Without a gradient for the input the hook runs
#          before the layer has done its work.
#
#       .. wrong:: [0, 0]
#
#          So it is for the first layer of a network, whose input is data. In a later
#          layer the input requires a gradient.


def looks(needs):
    layer, found = nn.Linear(1, 1), []
    layer.register_full_backward_hook(
        lambda m, sent, came: found.append(m.weight.grad is not None)
    )
    layer(torch.ones(1, 1, requires_grad=needs)).sum().backward()
    return float(found[0])


there = [looks(True), looks(False)]
there

# %%
# In the second case PyTorch has warned us. For the same reason the hook of a whole
# sequence may run before those of its parts. First with an input that requires no
# gradient, then with one that does:


def turns(needs):
    order = []
    net = nn.Sequential(nn.Linear(1, 1), nn.ReLU())
    for name, m in (("sequence", net), ("linear", net[0]), ("relu", net[1])):
        m.register_full_backward_hook(lambda *_, name=name: order.append(name))
    with warnings.catch_warnings(action="ignore"):
        net(torch.ones(1, 1, requires_grad=needs)).sum().backward()
    return order


without, along = turns(False), turns(True)
without, along

# %%
# >>> without
# ['sequence', 'relu', 'linear']
# >>> along
# ['relu', 'linear', 'sequence']
#
# Even an input that requires a gradient is no promise. A layer that is used twice calls
# its hook twice, the first time before ``weight.grad`` is there:
#
# >>> layer, found = nn.Linear(1, 1), []
# >>> handle = layer.register_full_backward_hook(
# ...     lambda m, sent, came: found.append(m.weight.grad is not None)
# ... )
# >>> layer(layer(torch.ones(1, 1, requires_grad=True))).sum().backward()
# >>> found
# [False, True]
#
# To read or to change the ``.grad`` of a parameter,
# ``register_post_accumulate_grad_hook`` is the place: it runs when the backward step
# has written ``.grad``.

# %%
# Three sigmoids
# --------------
#
# What is there to be seen? Here are three sigmoids, one after the other.

x = torch.tensor(0.0, dtype=torch.float64, requires_grad=True)
a = torch.sigmoid(x)
b = torch.sigmoid(a)
c = torch.sigmoid(b)

# %%
# .. predict::
#
#    The slope of a sigmoid is :law:`\sigma\,(1 - \sigma)`. How large are the three
#    slopes, from ``x`` on? Use a calculator; three digits are enough.
#
#    .. ask:: slopes
#
#    .. answer::
#
#       :math:`\text{slopes} = (a(1 - a), b(1 - b), c(1 - c)) = (0.25, 0.2350037,
#       0.2272661)`. A quarter is the largest slope that a sigmoid has.
#
#       .. wrong:: [1, 1, 1]
#
#          This would be the identity. A sigmoid squeezes the whole line into the
#          numbers from 0 to 1, and its steepest place is a quarter.
#
#       .. wrong:: [a, b, c]
#
#          These are the values. Each is to be multiplied by what is missing to 1.

slopes = torch.stack([a * (1 - a), b * (1 - b), c * (1 - c)]).detach()
slopes

# %%
# What reaches ``x`` is their product, :math:`\frac{dc}{dx} = a(1 - a) \cdot b(1 - b)
# \cdot c(1 - c) = 0.0133521`. Walk back: at each box the gradient gets four times
# smaller, or a little more.

record_backward(c, locals())

# %%
# With more of them it goes on like this. A hook at each value notes what arrives there:


def adjoints(step, depth, start):
    sizes = []
    value = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    value.register_hook(lambda g: sizes.append(g.item()))
    for _ in range(depth):
        value = step(value)
        value.register_hook(lambda g: sizes.append(g.item()))
    value.backward()
    return sizes


sizes = adjoints(torch.sigmoid, 10, 0.0)

# %%
# How much of it is left behind each of ten sigmoids, as the width of the line:

fig, ax = plt.subplots(figsize=(4.4, 1.2), layout="constrained")
for k, size in enumerate(sizes[1:]):
    ax.plot([10 - k, 9 - k], [0, 0], linewidth=60 * size, color="tab:red")
ax.plot(range(11), [0] * 11, "o", color="tab:gray")
ax.set(yticks=[], ylim=(-1, 1), xlabel="sigmoids before")
fig.set_label(
    "A row of eleven dots, joined by a red line. From the right it gets thinner "
    "so fast that behind three dots no more than a hair is left."
)

# %%
# Behind twenty, a ten-billionth of a thousandth:
#
# >>> f"{adjoints(torch.sigmoid, 20, 0.0)[-1]:.2e}"
# '1.27e-13'

# %%
# One factor, fifty times
# -----------------------
#
# A chain need not have a sigmoid to do this. With the same factor in each link the
# value is :law:`w^{50}`.
#
# .. predict::
#
#    What is the derivative of :law:`w^{50}` at :law:`w = 0.9`, at 1 and at :law:`1.1`?
#    Guess, or use a calculator.
#
#    .. ask:: steep
#
#    .. answer::
#
#       By :law:`50\,w^{49}` it is :math:`\text{steep} = (0.28632, 50, 5335.95)`. A
#       tenth less or more in the factor makes the gradient more than a hundred times
#       smaller or larger.
#
#       .. wrong:: [45, 50, 55]
#
#          Ten per cent would remain ten per cent, if it were multiplied once. Here it
#          is multiplied 49 times.
#
#       .. wrong:: [0.9**50, 1, 1.1**50]
#
#          These are the values. Each of the fifty places where ``w`` stands adds its
#          own path.

w = torch.tensor([0.9, 1.0, 1.1], dtype=torch.float64, requires_grad=True)
[steep] = torch.autograd.grad((w**50).sum(), w)
steep

# %%
# *Vanishing* and *exploding* gradients are the two sides of one thing: a product of
# many factors. Four steps, repeated; which of them keeps the gradient near 1?

kinds = {
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "x + tanh(x)": lambda v: v + torch.tanh(v),
}
depths = torch.arange(1, 21)
flows = {}
for name, step in kinds.items():
    flows[name] = torch.tensor([adjoints(step, int(k), 0.5)[-1] for k in depths])

# %%
# The slider changes how often each step is repeated.

plot = MovingPlot(
    {"depth": depths},
    "The gradient that reaches x",
    xlim=(0, 20),
    ylim=(-14, 2),
    xlabel="depth",
    ylabel="power of ten",
    start={"depth": 10},
)
for name, flow in flows.items():
    plot.line(depths, torch.log10(flow), name)
plot.point(depths, torch.log10(flows["sigmoid"]))
plot.say(
    "Sigmoid {sigmoid:.2g}, tanh {tanh:.2g},",
    **{k: flows[k] for k in ("sigmoid", "tanh")},
)
plot.say(
    "relu {relu:.2g}, residual {residual:.3g}.",
    relu=flows["relu"],
    residual=flows["x + tanh(x)"],
)
plot

# %%
# ReLU keeps it at 1: a positive number passes unchanged. The last one is a *residual*
# step: it adds to its input instead of replacing it, so
# one path leads back past each step with the slope 1. In exchange the gradient can
# grow.

# %%
# A network of twenty layers
# --------------------------
#
# Now with weights. A forward hook gets the output of each layer, and puts a hook on it
# that keeps the length of the gradient.


class Residual(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.inner = nn.Linear(width, width)

    def forward(self, x):
        return x + torch.tanh(self.inner(x))


def gradient_flow(layers):
    net, lengths = nn.Sequential(*layers), []

    def watch(module, inputs, output):
        output.register_hook(lambda g: lengths.append(g.norm().item()))

    handles = [layer.register_forward_hook(watch) for layer in layers]
    net(torch.ones(1, 16)).sum().backward()
    for handle in handles:
        handle.remove()
    return lengths[::-1]


def stack(activation, prepare=lambda weight: None):
    torch.manual_seed(0)
    layers = []
    for _ in range(20):
        linear = nn.Linear(16, 16)
        prepare(linear.weight)
        layers.append(nn.Sequential(linear, activation()))
    return layers


torch.manual_seed(0)
nets = {
    "sigmoid": stack(nn.Sigmoid),
    "relu": stack(nn.ReLU),
    "relu, He's start": stack(nn.ReLU, nn.init.kaiming_normal_),
    "residual": [Residual(16) for _ in range(20)],
}
lengths = {name: gradient_flow(layers) for name, layers in nets.items()}

# %%
# The picture is a *gradient-flow plot*. Look at it from the right, where the way back
# begins:

fig, ax = plt.subplots(layout="constrained")
for (name, values), mark in zip(lengths.items(), "osv^", strict=True):
    ax.semilogy(range(1, 21), values, marker=mark, markersize=4, label=name)
ax.set(xlabel="layer", ylabel="length of the gradient", xticks=[1, 5, 10, 15, 20])
ax.legend()
fig.set_label(
    "Four curves on a scale of powers of ten, at one height at the last layer. "
    "Towards the first, sigmoid falls steepest, relu falls, relu with He's "
    "start stays about level, residual rises a little."
)

# %%
# What reaches the first layer, in parts of what leaves the last:
#
# >>> left = {name: values[0] / values[-1] for name, values in lengths.items()}
# >>> left["sigmoid"] < 1e-12, left["relu"] < 1e-6
# (True, True)
# >>> 0.01 < left["relu, He's start"] < 100, 1 < left["residual"] < 100
# (True, True)
#
# A ReLU alone is no cure: about half of its units are silent, and the weights with
# which ``nn.Linear`` begins are small. The squares of sixteen weights, those of one
# unit, have the mean sum of a third, where He's start has 2:
#
# >>> many = nn.Linear(16, 1000).weight
# >>> he = nn.init.kaiming_normal_(torch.empty(1000, 16))
# >>> round(many.square().sum(1).mean().item(), 1)
# 0.3
# >>> round(he.square().sum(1).mean().item())
# 2
#
# What helps: a start that fits the activation, as He's does for ReLU; a path past each
# layer; and where gradients explode, :ref:`clipping
# <lessons/2_practice/60_modules_and_optimisers:Clipping a gradient>`. A normalisation
# before the activation helps ReLU, and does not save the sigmoid:
#
# >>> def normed(activation):
# ...     torch.manual_seed(0)
# ...     return [
# ...         nn.Sequential(nn.Linear(16, 16), nn.LayerNorm(16), activation())
# ...         for _ in range(20)
# ...     ]
# >>> flow = gradient_flow(normed(nn.ReLU))
# >>> flow[0] / flow[-1] > 1e-3
# True
# >>> flow = gradient_flow(normed(nn.Sigmoid))
# >>> flow[0] / flow[-1] < 1e-6
# True

# %%
# Exercises
# ---------
#
# .. exercise::
#
#    For ten layers that begin at one half, how much reaches ``x``? Order the four
#    ``kinds`` by it first, then compute the numbers with ``adjoints``.
#
#    .. answer::
#
#       Sigmoid lets a third of a millionth through, tanh more than a fifth, ReLU all,
#       and the residual step makes three of one.
#
#       >>> [float(f"{adjoints(step, 10, 0.5)[-1]:.3g}") for step in kinds.values()]
#       [3.48e-07, 0.223, 1.0, 2.97]
#
# .. exercise::
#
#    A recurrent network multiplies by the same matrix at each moment. What becomes of
#    the gradient after fifty moments, with the largest eigenvalue :law:`0.9`, and with
#    :law:`1.1`?
#
#    .. answer::
#
#       It vanishes in the first case, and explodes in the second: the largest
#       eigenvalue is the factor, and the other one, one half, is long gone.
#
#       >>> def after_fifty(largest):
#       ...     W = torch.tensor([[largest, 0.0], [0.3, 0.5]], dtype=torch.float64)
#       ...     h = torch.ones(2, dtype=torch.float64, requires_grad=True)
#       ...     state = h
#       ...     for _ in range(50):
#       ...         state = W @ state
#       ...     return torch.autograd.grad(state.sum(), h)[0].norm().item()
#       >>> after_fifty(0.9), after_fifty(1.1)
#       (0.00902, 176.09)
#
# .. exercise::
#
#    Write a hook that clips the gradient of a value to the length 1. Why does it not do
#    the same as ``clip_grad_norm_`` on the leaf behind it?
#
#    .. answer::
#
#       The hook shortens on the way, and what comes after it multiplies on. Here the
#       factor 2 comes after.
#
#       >>> start = torch.tensor([3.0, 4.0], requires_grad=True)
#       >>> middle = 2 * start
#       >>> handle = middle.register_hook(lambda g: g / g.norm().clamp(min=1))
#       >>> (middle**2).sum().backward()
#       >>> start.grad.norm()
#       tensor(2.)
#
# .. exercise::
#
#    *Spot the error.* "I register a hook on each weight and read ``weight.grad`` in it,
#    to log the gradient."
#
#    .. answer::
#
#       The hook of a tensor runs before ``.grad`` is written, so it reads the one of
#       the step before, or ``None``. Log the argument, or use the hook that runs
#       afterwards.
#
#       >>> weight, read = torch.ones(1, requires_grad=True), []
#       >>> handle = weight.register_hook(lambda g: read.append(weight.grad))
#       >>> handle = weight.register_post_accumulate_grad_hook(
#       ...     lambda t: read.append(t.grad.item())
#       ... )
#       >>> (weight * 7).sum().backward()
#       >>> read
#       [None, 7.0]

# %%
# What we can do now
# ------------------
#
# - See a gradient where it passes, replace it, and take the hook away again.
# - Say in which order hooks run, and what each sees: tensor, node, ``.grad``, module.
# - Find the layer where a gradient vanishes or explodes, and name a cure.
#
# Next, :doc:`Twelve broken scripts </lessons/3_debugging/90_exam>` wait to be repaired,
# with what the whole level has taught.

# %%
# Credits and licences
# --------------------
#
# The chain of sigmoids and the recurrent network are examples of Andrej Karpathy's in
# `Yes you should understand backprop
# <https://karpathy.medium.com/yes-you-should-understand-backprop-e2f06eab496b>`__. He's
# start is from `Delving deep into rectifiers <https://arxiv.org/abs/1502.01852>`__, the
# residual step from `Deep residual learning <https://arxiv.org/abs/1512.03385>`__.
# PyTorch describes the order of its hooks in its `notes on autograd
# <https://docs.pytorch.org/docs/stable/notes/autograd.html#backward-hooks-execution>`__.
# Our text is under `CC BY-SA 4.0 <https://creativecommons.org/licenses/by-sa/4.0/>`__,
# our code under the `MIT licence <https://opensource.org/license/mit>`__.
