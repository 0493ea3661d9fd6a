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
    with pytest.raises(ValueError, match="none of the modules that ran: wte"):
        str(make_dot(y, model, only="h.9").text)


def test_box_opens_in_html_without_a_script():
    html = make_dot(*gpt2(), depth=1).html
    assert '<details class="ag-inside"><summary>Inside h.0 … h.3' in html
    assert "<script" not in html


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


@pytest.mark.parametrize("copied", [False, True])
def test_modules_that_ran_in_two_threads_are_in_no_box_of_the_trace(copied):
    model = Halves(copied=copied)
    with trace_modules(model):
        y = model(torch.ones(1, 2)).sum()
    graph = read_graph(y, model)
    assert THREADS in graph.remarks
    assert graph.groups == ()
    drawing = make_dot(y, model, depth=1)
    for told in (drawing.text, drawing.html, drawing.json):
        assert THREADS in told
    assert drawing.graph.guessed
    assert "The modules are guessed" in drawing.text


def test_operation_of_another_thread_is_in_no_box_of_the_trace():
    """A thread begins to count at 0, so that it gives numbers of the other's calls."""

    def run_in_thread(call, *given):
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(call, *given).result()

    class Outside(nn.Module):
        def forward(self, x):
            return x.exp() * run_in_thread(torch.sin, x)

    def traced_run():
        model, x = nn.Sequential(Outside(), nn.Tanh()), leaf
        with trace_modules(model):
            y = model(x).sum()
        return read_graph(y, model)

    leaf = torch.ones(2, requires_grad=True)
    graph = run_in_thread(traced_run)
    assert THREADS in graph.remarks
    assert graph.groups == ()


def test_module_that_ran_in_a_thread_with_its_trace_is_in_its_box():
    with ThreadPoolExecutor(1) as pool:
        graph = pool.submit(lambda: read_graph(*gpt2())).result()
    assert THREADS not in graph.remarks
    assert len(graph.groups) > 20
