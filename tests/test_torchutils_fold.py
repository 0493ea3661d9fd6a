"""Folding: what is drawn once stands for exactly what was there."""

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

from torchutils import make_dot
from torchutils.fold import fold
from torchutils.read import read_graph


def chain(length: int) -> torch.Tensor:
    x = y = torch.ones(2, requires_grad=True)
    for _ in range(length):
        y = y * x
    return y.exp()


def mlp(depth: int) -> torch.Tensor:
    layers = [m for _ in range(depth) for m in (nn.Linear(4, 4), nn.ReLU())]
    model = nn.Sequential(*layers)
    return model(torch.ones(1, 4)).sum(), dict(model.named_parameters())


def blocks() -> torch.Tensor:
    y = m = torch.ones(2, requires_grad=True)
    for _ in range(5):
        y = y.exp() * m
        for _ in range(4):
            y = y.sin() + m
    return y.sum()


def weight(graph) -> int:
    """Count the nodes that a folded graph stands for."""
    times = {-1: 1}
    for g in graph.groups:
        times[g.id] = times[g.parent] * g.count
    return sum(n.count * times[n.group] for n in graph.nodes)


@pytest.mark.parametrize(
    ("graph", "nodes"),
    [
        (lambda: read_graph(chain(40)), 42),
        (lambda: read_graph(*mlp(12)), 12 * 5 + 1),
        (lambda: read_graph(blocks()), 5 * 10 + 2),
    ],
)
def test_fold_stands_for_every_node(graph, nodes):
    full = graph()
    folded = fold(full)
    assert len(full.nodes) == weight(folded) == nodes
    assert len(folded.nodes) <= 15


def test_run_of_one_operation_becomes_one_node_with_a_count():
    folded = fold(read_graph(chain(40)))
    assert max(n.count for n in folded.nodes) == 39


def test_nested_repeats_make_nested_groups():
    folded = fold(read_graph(blocks()))
    assert any(g.parent >= 0 for g in folded.groups)


def test_group_is_called_by_its_modules():
    folded = fold(read_graph(*mlp(12)))
    assert [(g.label, g.count) for g in folded.groups] == [("2 … 22", 11)]


def test_different_constants_are_not_folded():
    y = torch.ones(2, requires_grad=True)
    for k in range(2, 8):
        y = y**k
    graph = read_graph(y)
    assert fold(graph) is graph


def scaled(h, count, make):
    for k in range(count):
        h = make(h, k)
    return h


UNLIKE = {
    "outer leaves": lambda h, w: lambda h, k: torch.tanh(h * w[k % 2 or k % 3]),
    "concatenated": lambda h, w: lambda h, k: torch.cat([h[:1], w[k % 3 or k % 4]])[:2],
    "factors": lambda h, w: lambda h, k: h * (k + 1.0),
    "words": lambda h, w: (
        lambda h, k: nn.functional.gelu(
            h, approximate=("none", "tanh")[k % 2 or k % 3 % 2]
        )
    ),
    "outputs": lambda h, w: lambda h, k: torch.stack([h, h * 1]).unbind()[k % 3 % 2],
}


@pytest.mark.parametrize("count", [20, 130])
@pytest.mark.parametrize("case", UNLIKE)
@pytest.mark.saved
def test_unlike_operations_are_never_one(case, count):
    h = torch.ones(2, requires_grad=True)
    leaves = [torch.ones(2, requires_grad=True) for _ in range(5)]
    graph = read_graph(scaled(h, count, UNLIKE[case](h, leaves)), max_nodes=2000)
    folded = fold(graph)
    assert weight(folded) == len(graph.nodes)
    check_operands(graph, folded)
    if case == "factors":
        assert folded is graph


def check_operands(full, folded):
    """A folded operation has the operands of each that it stands for."""
    arguments = [{e.arg for e in full.edges if e.dst == n.id} for n in full.nodes]
    counts = {(n.op, len(a)) for n, a in zip(full.nodes, arguments, strict=True)}
    for node in folded.nodes:
        edges = [(e.arg, e.src) for e in folded.edges if e.dst == node.id]
        assert len({arg for arg, _ in edges}) == len(edges)
        assert (node.op, len(edges)) in counts or node.kind != "op"


def test_leaves_in_turn_make_a_part_that_repeats():
    w = [torch.ones(2, requires_grad=True) for _ in range(2)]
    h = torch.ones(2, requires_grad=True) * 1
    for i in range(20):
        h = torch.tanh(h * w[i % 2])
    folded = fold(read_graph(h.sum(), {"w": w}))
    assert [g.count for g in folded.groups] == [10]
    assert "mul" in make_dot(h, {"w": w}).text


def test_options_that_nobody_read_may_differ_and_that_is_said():
    h = scaled(torch.ones(2, requires_grad=True), 40, lambda h, k: h * (k + 1.0))
    assert "options were not all read" in make_dot(h, values=0).text


@pytest.mark.parametrize(
    ("have", "told"), [(0, "not computed"), (1, "grad of 1 of 11")]
)
def test_grads_that_few_of_many_have_are_counted(have, told):
    layers = [nn.Linear(2, 2) for _ in range(12)]
    y = nn.Sequential(*layers)(torch.ones(1, 2)).sum()
    for layer in layers[4 : 4 + have]:
        layer.weight.grad = torch.ones(2, 2)
    assert told in make_dot(y).text


def test_parallel_branches_are_not_folded_into_a_chain():
    x = torch.ones(2, requires_grad=True)
    graph = read_graph([x.exp(), x.exp(), x.exp(), x.exp()])
    assert fold(graph) is graph


def test_fold_is_announced():
    drawing = make_dot(chain(40))
    assert "Repeated parts are drawn once: 4 nodes stand for 42." in drawing.html


def test_small_graph_is_never_folded_unasked():
    drawing = make_dot(chain(5))
    assert drawing.drawn is drawing.graph
    assert make_dot(chain(5), fold=True).drawn is not None


def test_json_holds_the_unfolded_graph():
    assert make_dot(chain(40)).json.count('"kind"') == 42


@st.composite
def loops(draw: st.DrawFn) -> list[torch.Tensor]:
    """Draw a loop: a body of a few operations, run several times."""
    one = [torch.sin, torch.exp, lambda a: a**2, lambda a: a * 2]
    two = [torch.add, torch.mul, torch.sub]
    step = st.tuples(st.sampled_from(one + two), st.integers(1, 4), st.booleans())
    body = draw(st.lists(step, min_size=1, max_size=4))
    seen = [torch.ones(2, requires_grad=True)]
    for _ in range(draw(st.integers(2, 9))):
        for operation, back, new in body:
            other = seen[-min(back, len(seen))]
            other = torch.ones(2, requires_grad=True) if new else other
            args = [seen[-1], other] if operation in two else [seen[-1]]
            seen.append(operation(*args))
    extra = draw(st.lists(st.sampled_from(seen), max_size=1))
    return [seen[-1].sum(), *(t * 1.5 for t in extra)]


@given(loops())
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
def test_fold_of_any_loop_stands_for_every_node(outputs):
    full = read_graph(outputs)
    folded = fold(full)
    assert weight(folded) == len(full.nodes)
    kinds = {(full.nodes[e.src].op, full.nodes[e.dst].op, e.arg) for e in full.edges}
    ends = {
        (folded.nodes[e.src].op, folded.nodes[e.dst].op, e.arg) for e in folded.edges
    }
    assert ends <= kinds
