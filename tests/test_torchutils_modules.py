"""Boxes of modules: traced or guessed, closed where they must be, never in the way."""

import threading
from concurrent.futures import ThreadPoolExecutor
from copy import copy

import pytest
import torch
from torch import nn

from docs.models import GPT2
from torchutils import make_dot, read_graph, trace_modules
from torchutils.close import close
from torchutils.modules import THREADS

WORDS = torch.arange(16).reshape(2, 8)


def gpt2():
    torch.manual_seed(0)
    model = GPT2(layers=4)
    with trace_modules(model):
        y = model(WORDS).sum()
    return y, model


def test_trace_leaves_numbers_random_state_and_hooks_alone():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5), nn.Tanh())
    x = torch.ones(3, 2)
    torch.manual_seed(1)
    plain = model(x).sum()
    torch.manual_seed(1)
    with trace_modules(model):
        traced = model(x).sum()
    assert torch.equal(plain, traced)
    assert make_dot(plain).source == make_dot(traced).source
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def test_each_operation_is_in_the_module_that_ran_it():
    graph = read_graph(*gpt2())
    groups = {g.id: g for g in graph.groups}
    ran = {n.op: groups[n.group].title for n in graph.nodes if n.op and n.group >= 0}
    assert ran["GeluBackward0"].endswith(".mlp.act (GELU)")
    assert ran["NativeLayerNormBackward0"].endswith("(LayerNorm)")
    assert not graph.guessed


def test_calls_of_one_module_are_told_apart():
    cell = nn.RNNCell(2, 2)
    with trace_modules(cell):
        h = cell(torch.ones(1, 2))
        h = cell(torch.ones(1, 2), h)
    groups = read_graph(h, {"cell": cell}).groups
    assert [g.title for g in groups] == [
        "cell, call 1 (RNNCell)",
        "cell, call 2 (RNNCell)",
    ]


def test_layers_alike_are_one_box_with_a_count():
    text = make_dot(*gpt2(), depth=1).text
    assert "h.0 … h.3 (Block) ×4" in text
    assert "Inside h.0 … h.3" in text


def test_modules_without_a_trace_are_said_to_be_guessed():
    torch.manual_seed(0)
    model = GPT2(layers=4)
    drawing = make_dot(model(WORDS).sum(), model)
    assert "The modules are guessed" in drawing.text
    assert "The modules are guessed" in drawing.html
    assert "guessed" not in make_dot(*gpt2()).text


def test_only_draws_what_is_in_a_module():
    y, model = gpt2()
    text = make_dot(y, model, only="h.2.mlp").text
    assert "gelu" in text
    assert "layer_norm" not in text
    with pytest.raises(ValueError, match=r"no box in this graph: wte, wpe, h\.0"):
        str(make_dot(y, model, only="h.9").text)


def test_box_opens_in_html_without_a_script():
    html = make_dot(*gpt2(), depth=1).html
    assert '<details class="ag-inside"><summary>Inside h.0 … h.3' in html
    assert "<script" not in html


@pytest.mark.saved
def test_warning_inside_a_box_is_told_on_it():
    y, model = gpt2()
    y.backward()
    closed, _ = close(read_graph(y, model), 1)
    boxes = [n for n in closed.nodes if n.kind == "module"]
    assert boxes
    assert any("saved tensors freed" in n.notes for n in boxes)


@pytest.mark.parametrize("depth", [-1, 1.5, "deep"])
def test_depth_that_cannot_be_is_refused(depth):
    with pytest.raises(ValueError, match="depth="):
        make_dot(*gpt2(), depth=depth)


def test_json_holds_the_modules():
    text = make_dot(*gpt2()).json
    assert '"label":"h.0.attn"' in text
    assert '"cls":"Attention"' in text


class Half(nn.Module):
    """Two layers that wait, between any two operations, for the other half."""

    def __init__(self, barrier: threading.Barrier) -> None:
        super().__init__()
        self.first, self.last, self.barrier = nn.Linear(2, 2), nn.Linear(2, 2), barrier

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for step in (self.first, torch.tanh, torch.exp, self.last):
            self.barrier.wait(60)
            x = step(x)
        return x


class Halves(nn.Module):
    """Two modules, or copies of them, that run at the same time in two threads."""

    def __init__(self, *, copied: bool) -> None:
        super().__init__()
        barrier = threading.Barrier(2)
        self.a, self.b, self.copied = Half(barrier), Half(barrier), copied
        self.head = nn.Linear(2, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        halves = [copy(h) if self.copied else h for h in (self.a, self.b)]
        with ThreadPoolExecutor(2) as pool:
            a, b = pool.map(lambda half: half(x), halves)
        return self.head(a * b)


def in_a_thread(call, *given, after=0):
    """Call in a new thread, whose numbers begin at 0, after so many operations."""

    def begin():
        one = torch.ones(1, requires_grad=True)
        for _ in range(after):
            one.exp()
        return call(*given)

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(begin).result()


@pytest.mark.parametrize("after", [0, 2, 40])  # operations of the thread that traces
@pytest.mark.parametrize("copied", [False, True])
def test_modules_that_ran_in_two_threads_are_in_no_box_of_the_trace(copied, after):
    model = Halves(copied=copied)

    def run():
        with trace_modules(model):
            return model(torch.ones(1, 2)).sum()

    y = in_a_thread(run, after=after)
    graph = read_graph(y, model)
    assert THREADS in graph.remarks
    assert graph.groups == ()
    drawing = make_dot(y, model, depth=1)
    for told in (drawing.text, drawing.html, drawing.json):
        assert THREADS in told
    assert drawing.graph.guessed
    assert "The modules are guessed" in drawing.text
    assert [group.label for group in read_graph(y, model, guess_from=0).groups] == [
        *("a", "a.first", "a.last", "b", "b.first", "b.last", "head"),
    ]


def test_operation_of_another_thread_is_in_no_box_of_the_trace():
    """A thread begins to count at 0, so that it gives numbers of the other's calls."""

    class Outside(nn.Module):
        def forward(self, x):
            return x.exp() * in_a_thread(torch.sin, x)

    def traced_run():
        model, x = nn.Sequential(Outside(), nn.Tanh()), leaf
        with trace_modules(model):
            y = model(x).sum()
        return read_graph(y, model)

    leaf = torch.ones(2, requires_grad=True)
    graph = in_a_thread(traced_run)
    assert THREADS in graph.remarks
    assert graph.groups == ()


@pytest.mark.parametrize(("after", "noticed"), [(0, True), (4, True), (6, False)])
def test_lone_operation_of_a_thread_contradicts_the_numbers_of_a_trace(after, noticed):
    """The trace gives the numbers 0 to 5, and the graph holds only 1, 3 and 5."""

    class Waste(nn.Module):
        def forward(self, x):
            x.exp()
            return x.tanh()

    class Outside(nn.Module):
        def forward(self, x):
            return in_a_thread(torch.sin, x, after=after)

    def traced_run():
        model = nn.Sequential(Waste(), Outside(), Waste(), Waste())
        with trace_modules(model):
            return read_graph(model(leaf), model)

    leaf = torch.ones(2, requires_grad=True)
    graph = in_a_thread(traced_run)
    assert (THREADS in graph.remarks) == noticed
    if not noticed:  # its number is of no call
        sin = next(node for node in graph.nodes if node.op == "SinBackward0")
        assert sin.group == -1
        assert [group.label for group in graph.groups] == ["0", "2", "3"]


def test_renewed_view_is_no_operation_of_another_thread():
    class Renewed(nn.Module):
        def forward(self, x):
            base = x.exp()
            view = base[:1]
            base.mul_(2)
            return view * view  # its operand is made anew, after it

    model, x = nn.Sequential(Renewed(), nn.Tanh()), torch.ones(2, requires_grad=True)
    with trace_modules(model):
        graph = read_graph(model(x), model)
    number = {node.op: node.seq for node in graph.nodes}
    assert number["AsStridedBackward0"] > number["MulBackward0"]
    assert THREADS not in graph.remarks
    assert [group.label for group in graph.groups] == ["0", "1"]


def test_module_that_ran_in_a_thread_with_its_trace_is_in_its_box():
    with ThreadPoolExecutor(1) as pool:
        graph = pool.submit(lambda: read_graph(*gpt2())).result()
    assert THREADS not in graph.remarks
    assert len(graph.groups) > 20


def test_module_that_nobody_called_is_not_told_to_be_passed():
    attention = nn.MultiheadAttention(4, 2)
    x = torch.ones(3, 1, 4)
    with trace_modules(attention):
        y, _ = attention(x, x, x)
    with pytest.raises(ValueError, match="out_proj, has no box of its own"):
        str(make_dot(y.sum(), attention, only="out_proj").text)


def test_model_that_ran_twice_is_not_listed_without_a_name():
    model = nn.Sequential(nn.Linear(2, 2), nn.Tanh())
    with trace_modules(model):
        y = model(torch.ones(1, 2)) + model(torch.zeros(1, 2))
    with pytest.raises(ValueError, match="in this graph: 0, 1 have one"):
        str(make_dot(y.sum(), model, only="2").text)
