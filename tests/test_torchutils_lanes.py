"""Large drawings: laid out at once, nothing over anything, everything said."""

import itertools
import random

import pytest
import torch
from torch import nn

from torchutils import make_dot, record_backward
from torchutils.graph import Graph
from torchutils.labels import edge_lines
from torchutils.lanes import ranks
from torchutils.layout import is_slow, lay_out


def shared(length: int) -> torch.Tensor:
    """Make a chain that uses a few weights again and again, in no order."""
    rng = random.Random(0)
    w = [torch.ones(2, requires_grad=True) for _ in range(4)]
    h = w[0] * 1
    for _ in range(length):
        operation = rng.choice([torch.add, torch.mul, torch.sub, torch.maximum])
        h = operation(h.tanh(), rng.choice(w))
    return h


def dense(length: int) -> torch.Tensor:
    made = [torch.ones(2, requires_grad=True) * 1]
    for _ in range(length):
        made.append(torch.cat(made[-12:]).mean() * made[0])
    return made[-1]


def wide(length: int) -> torch.Tensor:
    x = torch.ones(length, requires_grad=True)
    parts = x.unbind()
    return torch.stack([p * q for p, q in itertools.pairwise(parts)]).sum()


def repeated(length: int) -> torch.Tensor:
    """Make parts that fold, between parts that don't."""
    h = shared(length)
    for _ in range(6):
        h = nn.functional.relu(h * torch.ones(2, requires_grad=True)) + h
    return h


GRAPHS = {
    "shared": lambda: make_dot(shared(60), fold=False).graph,
    "record": lambda: record_backward(shared(60).sum()).graph,
    "dense": lambda: make_dot(dense(30), fold=False).graph,
    "saved": lambda: make_dot(shared(40), fold=False, saved=True).graph,
    "wide": lambda: make_dot(wide(250), fold=False, max_nodes=600).graph,
    "groups": lambda: make_dot(repeated(60), fold=True).drawn,
    "cut": lambda: cut().graph,
}


def cut():
    with pytest.warns(UserWarning, match="stopped after"):
        return make_dot(shared(200), fold=False, max_nodes=150)


def overlap(a, b, room: float = -0.5) -> bool:
    apart = abs(a.x - b.x), abs(a.y - b.y)
    return apart[0] < (a.width + b.width) / 2 + room and (
        apart[1] < (a.height + b.height) / 2 + room
    )


@pytest.mark.parametrize("direction", ["LR", "TB"])
@pytest.mark.parametrize("name", GRAPHS)
def test_large_layout_puts_nothing_over_anything(name, direction):
    graph = GRAPHS[name]()
    assert is_slow(graph, labels=bool(edge_lines(graph)))
    layout = lay_out(graph, direction=direction)
    labels = [w.label for w in layout.wires if w.label]
    assert len(labels) == len(edge_lines(graph))
    things = sorted([*layout.boxes, *labels], key=lambda box: (box.x, box.y))
    assert not [1 for a, b in itertools.combinations(things, 2) if overlap(a, b)]
    for thing in things:
        assert thing.x - thing.width / 2 + 1 >= 0
        assert thing.x + thing.width / 2 <= layout.width + 1
        assert thing.y + thing.height / 2 <= layout.height + 1


@pytest.mark.parametrize("direction", ["LR", "TB"])
@pytest.mark.parametrize("name", GRAPHS)
def test_each_wire_leads_from_its_source_to_its_goal(name, direction):
    graph = GRAPHS[name]()
    layout = lay_out(graph, direction=direction)
    across = direction == "LR"
    for edge, wire in zip(graph.edges, layout.wires, strict=True):
        ends = (edge.src, wire.points[0], 1), (edge.dst, wire.tip, -1)
        for i, (x, y), side in ends:
            box = layout.boxes[i]
            dx, dy = (x - box.x, y - box.y) if across else (y - box.y, x - box.x)
            w, h = (box.width, box.height) if across else (box.height, box.width)
            assert dx == pytest.approx(side * w / 2, abs=0.2)
            assert abs(dy) <= h / 2
        assert len(wire.points) % 3 == 1


@pytest.mark.parametrize("direction", ["LR", "TB"])
def test_frame_holds_its_members_and_nobody_else(direction):
    graph = GRAPHS["groups"]()
    assert graph.groups
    layout = lay_out(graph, direction=direction)
    parent = {g.id: g.parent for g in graph.groups}
    for group, frame in zip(graph.groups, layout.groups, strict=True):
        for node, box in zip(graph.nodes, layout.boxes, strict=True):
            inside, g = False, node.group
            while g >= 0:
                inside, g = inside or g == group.id, parent[g]
            assert overlap(frame, box) == inside


def test_operands_stand_in_columns_before_their_use():
    for make in GRAPHS.values():
        graph = make()
        rank = ranks(graph)
        assert all(rank[e.src] < rank[e.dst] for e in graph.edges)


@pytest.mark.filterwarnings("ignore:.* nodes take about")
@pytest.mark.parametrize("make", [lambda: shared(900), lambda: dense(600)])
def test_what_the_limit_admits_is_drawn_without_the_engine(make, monkeypatch):
    """Graphviz took 200 s for 205 nodes of the first, and could not be stopped."""
    y = make()
    monkeypatch.setattr("torchutils.layout.run_engine", None)
    drawing = make_dot(y, max_nodes=2000, fold=False)
    assert drawing.svg.count('class="ag-node"') == len(drawing.graph.nodes) > 1700


@pytest.mark.parametrize("ending", ["png", "pdf"])
def test_what_graphviz_would_draw_for_minutes_is_refused(ending):
    with pytest.raises(ValueError, match=f"makes {ending} files, could take minutes"):
        make_dot(shared(60), fold=False).pipe(ending)


def test_edges_that_crowd_few_nodes_are_not_left_to_the_engine():
    x = [torch.ones(2, requires_grad=True)]
    for _ in range(12):
        x.append(torch.stack(x).sum(0))
    graph = make_dot(x[-1], fold=False).graph
    assert is_slow(graph, labels=True)


def test_small_drawing_is_left_to_the_engine():
    x = torch.ones(2, requires_grad=True)
    assert not is_slow(make_dot((x * x).sum() * x).graph, labels=True)


def test_graph_without_an_edge_is_laid_out():
    assert ranks(Graph((), ())) == []
