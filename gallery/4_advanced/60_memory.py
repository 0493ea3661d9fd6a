r"""
Memory: what is kept, and what is computed again
================================================

Training takes far more memory than using a network. We count what waits for the way
back, byte by byte, watch it come and go, and trade a part of it for computing.

:Time: 40 minutes
:Needs: :doc:`Modules and optimisers </lessons/2_practice/60_modules_and_optimisers>`,
   :doc:`In place, and versions </lessons/3_debugging/20_in_place>`,
   :doc:`The second backward </lessons/3_debugging/30_second_backward>`
:Level: Advanced
:Tags: graph, training
"""

# sphinx_gallery_warns = ["None of the inputs have requires_grad"]

# %%
# A thousand numbers of eight bytes go through sixteen functions, one after the other.
# At the end there are a thousand numbers again, which are :law:`8000` bytes. How many
# bytes have to wait for the way back?

import gc
import weakref
from contextlib import nullcontext
from functools import partial

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.checkpoint import (
    CheckpointPolicy,
    checkpoint,
    checkpoint_sequential,
    create_selective_checkpoint_contexts,
)
from torch.utils.flop_counter import FlopCounterMode

from torchutils import MovingPlot, make_dot, record_backward

# %%
# A slope needs numbers
# ---------------------
#
# Why does anything have to wait? We ask our neuron. It has one input here, and its
# squashing function is tanh.

x = torch.tensor(3.0, requires_grad=True)
w = torch.tensor(0.5, requires_grad=True)
z = w * x
s = torch.tanh(z)
L = s**2

# %%
# With :math:`w = 0.5` and :math:`x = 3` we get :math:`z = wx = 1.5` and
# :math:`s = \tanh z = 0.90515`. The slope of tanh can be said by its result,
# :math:`\frac{ds}{dz} = 1 - s^2 = 0.1807`.

record_backward(L, locals())

# %%
# Three operations go back, and each one needs numbers of the way there. At
# :step:`L sends to s` it is ``s``. At :step:`s sends to z` it is ``s`` once more. At
# :step:`z sends to w` it is the input ``x``, and at :step:`z sends to x` the weight.
# ``z`` itself is not needed.
#
# So each operation keeps what its own slope is made of. PyTorch lets us watch: a *pack
# hook* is called with each tensor that an operation saves. Ours notes the tensor. It
# returns what is to be kept in its place, and the second hook, *unpack*, makes of that
# what the backward pass is given.


def kept(f):
    seen = []

    def pack(tensor):
        seen.append(tensor.detach())
        return seen[-1]

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda packed: packed):
        f()
    return seen


kept(lambda: torch.tanh(w * x) ** 2)

# %%
# The two factors, and ``s`` twice.
#
# .. predict::
#
#    How many tensors does the hook see for each of these five: ``3 * x``, ``x * x``,
#    ``x.exp()``, ``x / x`` and ``x.sum()``? Type five numbers.
#
#    .. ask:: counts
#
#    .. answer::
#
#       :math:`\text{counts} = (0, 2, 1, 2, 0)`. The 3 is a plain number. It is
#       kept, but no hook is called for it. The product saves each factor for the slope
#       of the other. The exponential is its own slope. A quotient needs both. A sum has
#       the slope 1 everywhere.
#
#       .. wrong:: [1, 2, 1, 2, 1]
#
#          So it would be if each operation kept its inputs. It keeps what its slope
#          needs, and the slopes of ``3 * x`` and of a sum do not depend on ``x``.
#
#       .. wrong:: [0, 1, 1, 1, 0]
#
#          Here each memory is counted once. But the two factors are saved by two names,
#          and the hook is called for each.

five = [lambda: 3 * x, lambda: x * x, lambda: x.exp(), lambda: x / x, lambda: x.sum()]
counts = [len(kept(f)) for f in five]
counts

# %%
# The same *memory* twice costs no more than once. We add up the bytes of each storage:


def memory(tensors):
    storages = {t.untyped_storage().data_ptr(): t.untyped_storage() for t in tensors}
    return sum(storage.nbytes() for storage in storages.values())


x = torch.linspace(-1, 1, 1000, dtype=torch.float64).requires_grad_()

# %%
# >>> len(kept(lambda: x * x)), memory(kept(lambda: x * x))
# (2, 8000)

# %%
# Kept is not copied
# ------------------
#
# Four of these eight functions save their result, and four their input. Either is there
# already, so nothing is copied:
#
# >>> def saves(f):
# ...     there = {"input": x}
# ...     [saved] = kept(lambda: there.update(result=f(x)))
# ...     return [k for k, t in there.items() if t.data_ptr() == saved.data_ptr()]
# >>> [saves(f) for f in (torch.tanh, torch.sigmoid, torch.relu, torch.exp)]
# [['result'], ['result'], ['result'], ['result']]
# >>> from torch.nn.functional import gelu, leaky_relu, silu
# >>> [saves(f) for f in (torch.sin, gelu, silu, leaky_relu)]
# [['input'], ['input'], ['input'], ['input']]
#
# The price is that this memory is not let go. (And who changes it behind autograd's
# back changes a slope, as the lesson on changes :doc:`in place
# </lessons/3_debugging/20_in_place>` has shown.)
#
# This matters more than it seems. Here are eight layers of neurons and a batch of a
# hundred, with the one squashing function or the other.

torch.manual_seed(0)
batch = torch.randn(100, 32)


def network(squash, depth=8):
    return nn.Sequential(
        *[m for _ in range(depth) for m in (nn.Linear(32, 32), squash)]
    )


def activations(net):
    weights = {p.data_ptr() for p in net.parameters()}
    saved = {t.data_ptr() for t in kept(lambda: net(batch))}
    return len(saved - weights)


# %%
# .. predict::
#
#    The weights are there anyway, so we leave them out. How many *different* tensors of
#    a hundred rows wait for the way back, with ReLU and with GELU? Type both numbers.
#
#    .. ask:: waiting
#
#    .. answer::
#
#       9 and 16, :math:`\text{waiting} = (9, 16)`. Each linear layer keeps its input.
#       ReLU keeps its result, which *is* the input of the next layer: one memory for
#       both, so eight results and the batch. GELU keeps its own input, which nobody
#       else needs: one more for each layer.
#
#       .. wrong:: [16, 16]
#
#          Each of the sixteen modules keeps one tensor, in both networks. But a tensor
#          that two of them keep is one memory.
#
#       .. wrong:: [8, 16]
#
#          The first linear layer keeps its input, too, and that is the batch.
#
#       .. wrong:: [9, 9]
#
#          This holds where the squashing function keeps its result. GELU keeps its
#          input.

waiting = [activations(network(nn.ReLU())), activations(network(nn.GELU()))]
waiting

# %%
# With the same weights and the same shapes, the second network needs almost twice the
# memory for its activations. SiLU is like GELU, and tanh like ReLU:
#
# >>> activations(network(nn.SiLU())), activations(network(nn.Tanh()))
# (16, 9)

# %%
# Sixteen in a row
# ----------------
#
# Now sixteen functions, one after the other.


def deep(x, depth=16):
    for _ in range(depth):
        x = torch.tanh(x)
    return x


# %%
# .. predict::
#
#    ``deep`` applies tanh sixteen times to a thousand numbers of eight bytes. How many
#    bytes wait for the way back?
#
#    .. ask:: bytes_kept
#
#    .. answer::
#
#       Each tanh keeps its result: :math:`\text{bytes\_kept} = 16 \cdot 1000 \cdot 8 =
#       128000`.
#
#       .. wrong:: 8000
#
#          One result would be enough to go on *forward*. On the way back, each of the
#          sixteen is needed.
#
#       .. wrong:: 136000
#
#          The input is not needed: each tanh keeps its result.

bytes_kept = memory(kept(lambda: deep(x)))
bytes_kept

# %%
# In a drawing, ``saved="sizes"`` says for each operation what it holds. Four of them:

y = deep(x, 4)
make_dot(y, locals(), saved="sizes")

# %%
# What is saved is one thing, and what is in memory at each moment another: results come
# and go, and gradients do, too. We want to *measure*. A dispatch mode sees each
# operation as it is carried out, on the way there and on the way back. Ours notes each
# new storage, and is told when it is freed.


class Alive(TorchDispatchMode):
    def __init__(self, *present):
        super().__init__()
        self.now, self.curve = 0, []
        self.known = weakref.WeakSet(t.untyped_storage() for t in present)

    def __torch_dispatch__(self, operation, types, arguments=(), options=None):
        result = operation(*arguments, **(options or {}))
        for part in tree_leaves(result):  # a normalisation returns three tensors
            if isinstance(part, torch.Tensor):
                self.note(part.untyped_storage())
        self.curve.append(self.now)
        return result

    def note(self, storage):
        if storage not in self.known:
            self.known.add(storage)
            self.add(storage.nbytes())
            weakref.finalize(storage, self.add, -storage.nbytes())

    def add(self, nbytes):
        self.now += nbytes


def there_and_back(f):
    with Alive(x) as alive:
        y = f(x)
        torch.autograd.grad(y, x, torch.ones_like(y))
    return torch.tensor(alive.curve) / 8000


plain = there_and_back(deep)
plain

# %%
# The unit is a tensor of 8000 bytes. It goes up to 16 on the way there, then comes the
# upstream gradient. Each step back makes a gradient. Then a result is freed, and the
# gradient that the step came from. (The first step frees neither: our function still
# holds both.) The highest value decides whether a program runs at all: it is called the
# *peak*, here 19.
#
# >>> plain.max()
# tensor(19.)

# %%
# Four segments
# -------------
#
# *Checkpointing* keeps less. We cut the way into four *segments* of four. Of each
# segment its input is kept. When the way back comes to it, the segment is computed
# again, and keeps what its slopes need.

calls = []


def counted(x, depth):
    for _ in range(depth):
        calls.append(1)
        x = torch.tanh(x)
    return x


def in_segments(x, segments):
    for _ in range(segments):
        x = checkpoint(counted, x, 16 // segments, use_reentrant=False)
    return x


len(kept(lambda: in_segments(x, 4)))

# %%
# Four tensors wait, instead of sixteen:
#
# >>> memory(kept(lambda: in_segments(x, 4)))
# 32000
#
# .. predict::
#
#    How often is tanh computed now, there and back together?
#
#    .. ask:: computed
#
#    .. answer::
#
#       :math:`\text{computed} = 2 \cdot 16 = 32`: each one once on the way there, and
#       once more before its segment is walked back.
#
#       .. wrong:: 16
#
#          So it is without checkpoints. What is not kept has to be computed again.
#
#       .. wrong:: 28
#
#          The results of the last segment have just been computed, and could have been
#          kept. ``checkpoint`` does not know that this is the last segment.

calls.clear()
y = in_segments(x, 4)
[gradient] = torch.autograd.grad(y.sum(), x)
computed = len(calls)
computed

# %%
# The gradients are equal, to the last bit, because the same operations run on the same
# numbers:
#
# >>> [directly] = torch.autograd.grad(deep(x).sum(), x)
# >>> torch.equal(gradient, directly)
# True
#
# The drawing of two segments of two. What they keep is said to be computed again:

small = torch.linspace(-1, 1, 3, requires_grad=True)
middle = checkpoint(deep, small, 2, use_reentrant=False)
y = checkpoint(deep, middle, 2, use_reentrant=False)
make_dot(y, locals(), saved=True)

# %%
# PyTorch's own ``checkpoint_sequential`` cuts a network into segments. It does know
# which one is the last:


class Tanh(nn.Module):
    def forward(self, x):
        return counted(x, 1)


sixteen = nn.Sequential(*[Tanh() for _ in range(16)])

# %%
# .. predict::
#
#    How often is tanh computed with ``checkpoint_sequential`` and four segments, there
#    and back together?
#
#    .. ask:: in_sequence
#
#    .. answer::
#
#       :math:`\text{in\_sequence} = 16 + 12 = 28`. The last segment is computed as
#       usual, without a checkpoint: its results are needed at once.
#
#       .. wrong:: 32
#
#          Here four calls are saved. The way back begins where the way there has ended,
#          so what the last segment keeps is used at once.

calls.clear()
checkpoint_sequential(sixteen, 4, x, use_reentrant=False).sum().backward()
in_sequence = len(calls)
in_sequence

# %%
# How many segments?
# ------------------
#
# With one segment, with two, four, eight, or one for each tanh: which has the lowest
# peak?
#
# .. predict::
#
#    Without checkpoints the peak is 19. What is it with *sixteen* segments, one
#    checkpoint for each tanh?
#
#    .. ask:: peaks[4]
#
#    .. answer::
#
#       It is :math:`\text{peaks}_4 = 19`, as if there were none. What the sixteen
#       segments return is kept, and these are the sixteen results. We have computed
#       them twice, and gained nothing. With *one* segment, nothing but ``x`` is kept at
#       first. But then sixteen results are computed again at once, and the peak is the
#       same, :math:`\text{peaks}_0 = 19`.
#
#       .. wrong:: 4
#
#          One segment's result, and three on their way. But what the other segments
#          have returned has to wait, too.
#
#       .. wrong:: 10
#
#          This is the peak with four segments.

k = torch.tensor([1, 2, 4, 8, 16])
curves = torch.stack(
    [there_and_back(partial(in_segments, segments=n)) for n in k.tolist()]
)
peaks = curves.max(dim=1).values
peaks

# %%
# Move the slider. The grey line is the way without checkpoints, which takes fewer
# steps. Where are the teeth, and how many?

steps = torch.arange(curves.shape[1])
plot = MovingPlot(
    {"segments": k},
    "What is in memory",
    xlim=(0, len(steps)),
    ylim=(0, 20),
    start={"segments": 4},
    xlabel="operation",
    ylabel="tensors",
)
plot.line(steps[: len(plain)], plain)
plot.line(steps, curves, "with checkpoints")
plot.point(curves.argmax(dim=1), peaks, "peak")
plot.say("Between operations, {peak:.0f} tensors are alive at the most.", peak=peaks)
plot

# %%
# A tooth is a segment that is computed again, and then walked back, so there are as
# many as segments. The five measured peaks follow one law. With ``k`` segments, what
# these return is alive, and at one time the results inside of one segment, and two
# gradients that are on their way:
#
# .. math::
#
#    \text{peaks} = k + \frac{16}{k} + 2 = (19, 12, 10, 12, 19)
#
# More segments make the first term larger and the second one smaller. With
# :math:`f(s) = s + \frac{16}{s} + 2`, so that :math:`f(4) = 10`, the slope is
# :math:`f'(s) = 1 - \frac{16}{s^2}`, and :math:`f'(4) = 0`: the best number is the root
# of the number of layers. For :math:`n = 10\,000` layers it is :math:`\sqrt{n} = 100`,
# and :math:`2 \sqrt{n} = 200` tensors instead of ten thousand.

n = 10_000

# %%
# What it costs
# -------------
#
# The way there is computed twice. Does a step take twice as long? We count
# multiplications in a network of linear layers. ``FlopCounterMode`` adds up what the
# matrix products of a run take.

layers = network(nn.Tanh(), depth=16)
entry = batch.clone().requires_grad_()


def flops(run):
    with FlopCounterMode(display=False) as counter:
        run()
    return counter.get_total_flops()


def train(**options):
    h = entry
    for start in range(0, 32, 8):
        h = checkpoint(layers[start : start + 8], h, use_reentrant=False, **options)
    h.sum().backward()


# %%
# .. predict::
#
#    A step with four checkpoints, divided by a step without: what is the quotient of
#    the two counts?
#
#    .. ask:: quotient
#
#    .. answer::
#
#       :math:`\text{quotient} = \frac{4}{3} = 1.3333`. The way back is dearer than the
#       way there: each layer multiplies once for the gradient of its weights, and once
#       for that of its input. One and two make three, and the second run adds one.
#
#       .. wrong:: 2
#
#          The *forward* step is done twice. The way back, which takes twice as much,
#          is done once.
#
#       .. wrong:: 1.5
#
#          This would be right if the way back took as much as the way there. For a
#          linear layer it takes two products.

quotient = flops(train) / flops(lambda: layers(entry).sum().backward())
quotient

# %%
# A third more computing, then. And some memory that is no part of the graph: so that a
# dropout drops the same entries again, each checkpoint also keeps the state of the
# random generator. Where a segment has nothing random, ``preserve_rng_state=False``
# saves that.
#
# >>> torch.get_rng_state().nbytes
# 5056

# %%
# Keep what is dear
# -----------------
#
# A matrix product takes long, and a squashing function does not. So keep the products
# and compute the rest again: *selective checkpointing*. A *policy* is asked for each
# operation. (When it is asked, says the lesson on the :ref:`second backward
# <lessons/3_debugging/30_second_backward:Two results of one function>`.)


def policy(context, operation, *arguments, **options):
    if operation == torch.ops.aten.addmm.default:
        return CheckpointPolicy.MUST_SAVE
    return CheckpointPolicy.PREFER_RECOMPUTE


again = partial(checkpoint, use_reentrant=False, preserve_rng_state=False)
ways = {
    "keep": lambda b, h: b(h),
    "again": again,
    "choose": partial(
        again, context_fn=partial(create_selective_checkpoint_contexts, policy)
    ),
}


def bargain(blocks):
    return {way: cost(blocks, step) for way, step in ways.items()}


def cost(blocks, step):
    entry = batch.clone().requires_grad_()

    def forward():
        h = entry
        for b in blocks:
            h = step(b, h)
        return h.sum()

    with Alive(entry, *blocks.parameters()) as alive:
        loss = forward()
        waiting = (alive.now - loss.nbytes) // entry.nbytes
    return waiting, flops(lambda: forward().backward()) / flops(forward)


class Swish(nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(1.702 * x)


def blocks(*squash):
    return nn.ModuleList(nn.Sequential(nn.Linear(32, 32), *squash) for _ in range(8))


bargain(blocks(nn.LayerNorm(32), Swish()))

# %%
# Eight blocks, each with a linear layer, a normalisation, and a squashing function of
# three operations. For each way we see how many tensors wait, and what there and back
# cost together, with the way there as unit. In the third way the products are kept: 15
# tensors wait instead of 31, and no product is computed twice.
#
# >>> bargain(blocks(nn.LayerNorm(32), Swish()))
# {'keep': (31, 3.0), 'again': (7, 4.0), 'choose': (15, 3.0)}
#
# (The normalisation also keeps two numbers for each row. They are so few that our count
# of whole tensors leaves them out. Nothing is drawn at random, so both checkpoints are
# told to keep no state of the generator. ``Alive`` does not see these states, and eight
# of them would be as large as three of our tensors:)
#
# >>> 3 < 8 * torch.get_rng_state().nbytes / batch.nbytes < 3.2
# True
#
# .. predict::
#
#    Now the blocks are a linear layer and tanh. How many tensors wait in each of the
#    three ways? Type three numbers.
#
#    .. ask:: with_tanh
#
#    .. answer::
#
#       8, 7 and 15, :math:`\text{with\_tanh} = (8, 7, 15)`. The policy makes it worse.
#       Without a checkpoint, the result of a product is let go at once: tanh keeps its
#       own result, and nobody asks for what it was made of. The policy keeps the
#       product as well as the input of each block.
#
#       .. wrong:: [31, 7, 15]
#
#          So it was above. There the normalisation kept the product, and the other
#          squashing function its input and the sigmoid. Tanh keeps its result, which
#          is the input of the next block.
#
#       .. wrong:: [16, 7, 15]
#
#          So it would be if the product were kept anyway. Tanh keeps its own result
#          instead.

with_tanh = [waiting for waiting, _ in bargain(blocks(nn.Tanh())).values()]
with_tanh

# %%
# So measure before you choose. With GELU, which keeps its input, a tie:
#
# >>> bargain(blocks(nn.GELU()))
# {'keep': (15, 3.0), 'again': (7, 4.0), 'choose': (15, 3.0)}

# %%
# Pack it smaller
# ---------------
#
# The hooks of the first section can do more than look. What *pack* returns is kept, be
# it a tensor, a number or the name of a file, and *unpack* has to make a tensor of it.
# ReLU asks of what it has kept a single thing: is it positive? For that a ``bool`` is
# enough, of one byte instead of eight.

torch.manual_seed(0)
rows = torch.randn(20, 50, dtype=torch.float64)
W = torch.randn(50, 50, dtype=torch.float64, requires_grad=True)
signs = partial(
    torch.autograd.graph.saved_tensors_hooks,
    lambda t: t > 0,
    lambda packed: packed.double(),
)

z = rows @ W
with signs():
    y = torch.relu(z)
[packed] = torch.autograd.grad(y.sum(), W)
[exact] = torch.autograd.grad(torch.relu(rows @ W).sum(), W)

# %%
# >>> torch.equal(packed, exact)
# True
#
# An eighth of what ReLU keeps, and the same gradient to the last bit. It pays where
# nobody else keeps this result. In our network of eight layers the next linear layer
# does, so there the signs would come on top.
#
# .. admonition:: Wrong on purpose
#
#    In the next cell one line has moved. Do not copy it.

# wrong on purpose
with signs():
    y = torch.relu(rows @ W)
[spoiled] = torch.autograd.grad(y.sum(), W)

# %%
# .. predict::
#
#    Now the product stands below the hooks, too. Is it an error, the same gradient, or
#    another one?
#
#    .. answer::
#
#       Another one, and no error. A hook is not told which operation saves. The product
#       has kept ``rows`` for the gradient of ``W``, and gets ones and zeros back.
#
#       >>> ones_and_zeros = (rows > 0).double(), (z > 0).double()
#       >>> torch.equal(spoiled, ones_and_zeros[0].T @ ones_and_zeros[1])
#       True

(spoiled - exact).abs().max()

# %%
# Half the digits
# ---------------
#
# Another idea: keep ``float16`` instead of ``float64``, a quarter of the memory.

halved = partial(
    torch.autograd.graph.saved_tensors_hooks, torch.Tensor.half, torch.Tensor.double
)


def slope(f, at, hooks):
    at = torch.tensor(at, dtype=torch.float64, requires_grad=True)
    with hooks():
        y = f(at)
    return torch.autograd.grad(y.sum(), at)[0]


# %%
# A ``float16`` has three digits, so we expect slopes with an error of about a
# thousandth. For our sixteen tanh, the largest is near that:
#
# >>> rough, fine = [slope(deep, x.tolist(), h) for h in (halved, nullcontext)]
# >>> (rough / fine - 1).abs().max()
# tensor(0.0016, dtype=torch.float64)
#
# The sine keeps its input. ``float16`` has the number 5, so nothing is lost there:
#
# >>> slope(torch.sin, 5.0, halved), torch.tensor(5.0).cos()
# (tensor(0.2837, dtype=torch.float64), tensor(0.2837))
#
# .. predict::
#
#    Now tanh at 5. Its result is kept in ``float16``, and the slope that comes back is
#    divided by the right one. What is the quotient?
#
#    .. ask:: share
#
#    .. answer::
#
#       :math:`\text{share} = 0`: zero comes back. The result is a ten-thousandth below
#       1. ``float16`` has no number there, so 1 is kept. In :law:`1 - s^2` the digits
#       cancel, and an error of a ten-thousandth has become one of a hundred percent.
#
#       >>> torch.tanh(torch.tensor(5.0)), torch.tanh(torch.tensor(5.0)).half().item()
#       (tensor(0.9999), 1.0)
#
#       .. wrong:: 1
#
#          Three right digits would do, if the *slope* had been kept. But the result is,
#          and it is subtracted from 1.

right = slope(torch.tanh, 5.0, nullcontext)
share = slope(torch.tanh, 5.0, halved) / right
share

# %%
# A neuron that stands so far from zero learns slowly. With this hook it has stopped.

# %%
# What surprises those who know
# -----------------------------
#
# **A hook that returns its tensor can leak.** ``exp`` keeps its result. If *pack*
# returns the very tensor that it was given, the result holds its node, and the node
# holds the result. If nobody walks this graph back, it stays, even when Python collects
# its garbage. ``detach()`` breaks the ring: that is why our first hook has it.


def survives(pack, f=torch.exp, walk=False):
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda packed: packed):
        y = f(W)
    if walk:
        torch.autograd.grad(y.sum(), W)
    result = weakref.ref(y)
    del y
    gc.collect()
    return result() is not None


# %%
# >>> survives(lambda t: t), survives(torch.Tensor.detach)
# (True, False)
#
# The way back lets go of what was kept, and the ring is gone. And the sine keeps its
# input, which does not hold the node:
#
# >>> survives(lambda t: t, walk=True), survives(lambda t: t, torch.sin)
# (False, False)
#
# **A hook does not cut a path.** A detached number has no history. Does a second
# derivative still work, if what is kept was detached?
#
# .. predict::
#
#    *Pack* detaches, *unpack* returns what it gets. What is the second derivative of
#    :law:`x^3` at 2: 12, 0, or is it an error? Type the number, if you expect one.
#
#    .. ask:: second
#
#    .. answer::
#
#       12, as it should be. The hooks carry the numbers. *Where* they belong in the
#       graph is kept by the node itself, and PyTorch puts both together again.
#
#       If what *unpack* returns were used as it is, ``first`` would have no history,
#       and asking for its slope would be an error:
#
#       >>> two = torch.tensor(2.0, requires_grad=True)
#       >>> (3 * two.detach() ** 2).requires_grad
#       False
#
#       .. wrong:: 0
#
#          You took what *unpack* returns for a constant. It is put back to its place in
#          the graph.

u = torch.tensor(2.0, requires_grad=True)
with torch.autograd.graph.saved_tensors_hooks(
    torch.Tensor.detach, lambda packed: packed
):
    y = u**3
[first] = torch.autograd.grad(y, u, create_graph=True)
[second] = torch.autograd.grad(first, u)
second

# %%
# **The older variant can silence a layer.** Data need no gradient. With
# ``use_reentrant=True``, a checkpoint whose *inputs* need none is not recorded, and
# its weights stay as they are. It warns, and training goes on: the layers behind
# learn, and the loss falls.
#
# .. admonition:: Wrong on purpose
#
#    The first layer of the next cell is not trained. Do not copy it.

# wrong on purpose
net = network(nn.Tanh(), depth=2)
h = checkpoint(net[:2], batch, use_reentrant=True)
net[2:](h).sum().backward()

# %%
# >>> [p.grad is None for p in net.parameters()]
# [True, True, False, False]
#
# With ``use_reentrant=False`` they all learn:
#
# >>> h = checkpoint(net[:2], batch, use_reentrant=False)
# >>> gradients = torch.autograd.grad(net[2:](h).sum(), list(net.parameters()))
# >>> [g.shape for g in gradients[:2]]
# [torch.Size([32, 32]), torch.Size([32])]

# %%
# Exercises
# ---------
#
# .. exercise::
#
#    64 layers, eight segments: how many tensors are kept for the way back?
#    With how many segments would one need the least?
#
#    .. answer::
#
#       Eight that the segments return, and eight inside of one segment,
#       :math:`8 + \frac{64}{8} = 16` instead of 64. Eight is the root of 64, so it is
#       the best. Measured, with the two gradients:
#
#       >>> def eight(x, segments=8):
#       ...     for _ in range(segments):
#       ...         x = checkpoint(deep, x, 64 // segments, use_reentrant=False)
#       ...     return x
#       >>> there_and_back(eight).max(), there_and_back(partial(deep, depth=64)).max()
#       (tensor(18.), tensor(67.))
#
# .. exercise::
#
#    Which of ``x + x``, ``x * x`` and ``x.exp()`` saves no tensor? And can its graph be
#    walked twice?
#
#    .. answer::
#
#       The sum: its slopes are 1 everywhere. No tensor is saved, so none can be
#       freed: yes.
#
#       >>> [len(kept(f)) for f in (lambda: W + W, lambda: W * W, lambda: W.exp())]
#       [0, 2, 1]
#       >>> doubled = W + W
#       >>> [torch.autograd.grad(doubled.sum(), W)[0].max().item() for _ in range(2)]
#       [2.0, 2.0]
#
# .. exercise::
#
#    A linear layer is *frozen*: its weights do not require a gradient, its input does.
#    What does it keep? And what if a small trainable layer is put beside it, whose
#    result is added?
#
#    .. answer::
#
#       Frozen, it keeps its weights alone, for the gradient that goes on. Its input was
#       needed for the gradient of the weights. The layer beside it needs the same
#       input, so it is kept again: adapters of this kind save memory for gradients and
#       optimisers, and not for inputs.
#
#       >>> frozen = nn.Linear(32, 32).requires_grad_(False)
#       >>> beside = nn.Linear(32, 2, bias=False)
#       >>> [t.shape for t in kept(lambda: frozen(entry))]
#       [torch.Size([32, 32])]
#       >>> [t.shape for t in kept(lambda: frozen(entry)[:, :2] + beside(entry))]
#       [torch.Size([32, 32]), torch.Size([32, 2]), torch.Size([100, 32])]
#
# .. exercise::
#
#    *Spot the error.* "Sixteen tanh in a row need too much memory, so I wrap each of
#    them into a checkpoint. Now each keeps its input alone."
#
#    .. answer::
#
#       Each kept one tensor before, too, its result, and now it is computed twice. It
#       helps where a segment holds several tensors that are not kept.
#
#       >>> len(kept(lambda: deep(batch.clone().requires_grad_())))
#       16
#       >>> len(kept(lambda: in_segments(batch.clone().requires_grad_(), 16)))
#       16

# %%
# What we can do now
# ------------------
#
# - Say what an operation keeps, and count it in bytes.
# - Measure the peak, and choose the number of segments.
# - Say what computing again costs, and keep what is dear.
# - Pack what is kept, and know what a hook does not know.
#
# Next, :doc:`Gradients of complex numbers </lessons/4_advanced/70_complex>` asks what a
# gradient is where a weight is two numbers in one.

# %%
# Credits and licences
# --------------------
#
# That the root of the number of layers is enough is from `Training deep nets with
# sublinear memory cost <https://arxiv.org/abs/1604.06174>`__ by T. Chen, B. Xu,
# C. Zhang and C. Guestrin. To keep some and compute the others again is older, see
# A. Griewank and A. Walther, `Algorithm 799: revolve
# <https://doi.org/10.1145/347837.347846>`__. The warning of the older variant was
# followed up in `open_clip <https://github.com/mlfoundations/open_clip/issues/573>`__,
# where the loss became better with the newer one. What both promise says `PyTorch's
# documentation <https://docs.pytorch.org/docs/stable/checkpoint.html>`__.
# Our text is under `CC BY-SA 4.0 <https://creativecommons.org/licenses/by-sa/4.0/>`__,
# our code under the `MIT licence <https://opensource.org/license/mit>`__.
