"""One box below another, for a phone: nothing over anything, and edges pass by."""

import itertools
from collections.abc import Iterator

import pytest
import torch
from test_torchutils_lanes import GRAPHS, overlap

from docs.models import MODELS, run
from torchutils import make_dot
from torchutils.graph import Edge, Graph, Group, Node
from torchutils.labels import edge_lines
from torchutils.layout import Layout, lay_out
from torchutils.stack import one_by_one
from torchutils.svg import width_of
from torchutils.views import View

MANY = "DenseNet-121"  # its blocks read dozens of results at once


def views(name: str) -> list[View]:
    """Return each drawing of a model: of the whole, and of what is in its boxes."""
    return [*make_dot(*run(name))._opened.walk()]


def pictures() -> Iterator[Graph]:
    """Yield graphs of many shapes, with frames and without."""
    yield from (make() for make in GRAPHS.values())
    for name in MODELS:
        yield from (view.graph for view in views(name)[:12])


@pytest.fixture(scope="module")
def stacked() -> list[tuple[Graph, Layout]]:
    """Lay out each of the graphs."""
    return [(g, lay_out(g, narrow=True, stacked=True)) for g in pictures()]


def along(points: tuple[tuple[float, float], ...]) -> Iterator[tuple[float, float]]:
    """Yield points of a curve that is made of Bézier curves."""
    for k in range(0, len(points) - 1, 3):
        a, b, c, d = points[k : k + 4]
        for step in range(1, 10):
            t, s = step / 10, 1 - step / 10
            weights = s**3, 3 * s * s * t, 3 * s * t * t, t**3
            yield tuple(
                sum(w * p[axis] for w, p in zip(weights, (a, b, c, d), strict=True))
                for axis in (0, 1)
            )


def test_stack_puts_one_box_in_a_row_and_nothing_over_anything(stacked):
    assert len(stacked) > 60
    for graph, layout in stacked:
        rows = sorted(layout.boxes, key=lambda box: box.y)
        for above, below in itertools.pairwise(rows):
            assert above.y + above.height / 2 < below.y - below.height / 2
        labels = [wire.label for wire in layout.wires if wire.label]
        marked = [k for k, wire in enumerate(layout.wires) if wire.label]
        goals = [
            {graph.edges[k].dst for k in known} for known in (marked, edge_lines(graph))
        ]
        assert goals[0] == goals[1]
        for a, b in itertools.combinations(sorted(labels, key=lambda box: box.y), 2):
            assert not overlap(a, b)
        for label in labels:
            assert not any(overlap(label, box) for box in rows)
        for thing in (*rows, *labels):
            assert thing.x - thing.width / 2 + 1 >= 0
            assert thing.x + thing.width / 2 <= layout.width + 1


def test_edge_of_a_stack_crosses_no_box_and_ends_where_it_belongs(stacked):
    crossed = 0
    for graph, layout in stacked:
        rows = sorted(layout.boxes, key=lambda box: box.y)
        for edge, wire in zip(graph.edges, layout.wires, strict=True):
            source, goal = layout.boxes[edge.src], layout.boxes[edge.dst]
            (x, y), (tip, end) = wire.points[0], wire.tip
            assert (x, y) == pytest.approx(
                (source.x, source.y + source.height / 2), 0.2
            )
            assert end == pytest.approx(goal.y - goal.height / 2, abs=0.2)
            assert abs(tip - goal.x) < goal.width / 2
            between = [b for b in rows if source.y < b.y < goal.y]
            for px, py in along(wire.points) if between else ():
                crossed += 1
                assert not any(
                    abs(px - b.x) < b.width / 2 and abs(py - b.y) < b.height / 2
                    for b in between
                )
    assert crossed > 1000


def test_frame_of_a_stack_holds_its_members_their_edges_and_nobody_else(stacked):
    held = 0
    for graph, layout in stacked:
        parent = {g.id: g.parent for g in graph.groups}
        for group, frame in zip(graph.groups, layout.groups, strict=True):
            members = set()
            for node, box in zip(graph.nodes, layout.boxes, strict=True):
                g = node.group
                while g not in (-1, group.id):
                    g = parent[g]
                members |= {node.id} if g == group.id else set()
                assert overlap(frame, box) == (g == group.id)
            for edge, wire in zip(graph.edges, layout.wires, strict=True):
                if {edge.src, edge.dst} <= members:
                    held += 1
                    for x, y in wire.points:
                        assert abs(x - frame.x) < frame.width / 2
                        assert abs(y - frame.y) < frame.height / 2
    assert held > 100


@pytest.mark.parametrize("name", MODELS)
def test_boxes_of_a_model_fit_a_phone_without_graphviz(name):
    wide = {}
    for view in views(name):
        layout = lay_out(view.graph, narrow=True, stacked=True, room=110)
        assert not layout.engine
        wide[view.title] = width_of(view.graph, layout, (369, 670))
    if name == MANY:
        wide = {title: w for title, w in wide.items() if title[-2:-1] != "k"}
    assert len(wide) > 1
    assert max(wide.values()) <= 369


def test_group_whose_nodes_wait_for_others_is_left_to_graphviz():
    """One node of the frame comes before what is outside, and one behind it."""
    nodes = tuple(
        Node(k, "op", "SinBackward0", group=g) for k, g in enumerate([0, -1, 0])
    )
    graph = Graph(nodes, (Edge(2, 1), Edge(1, 0)), groups=(Group(0, "turns"),))
    layout = lay_out(graph, narrow=True, stacked=True)
    assert layout.engine
    assert len(layout.groups) == 1


def test_lines_are_broken_only_where_a_phone_has_no_room(monkeypatch):
    rooms = []

    def kept(graph, **options):
        if options.get("stacked"):
            rooms.append(options["room"])
        return lay_out(graph, **options)

    monkeypatch.setattr("torchutils.drawing.lay_out", kept)
    assert make_dot(*run("GPT-2, 12 layers")).html
    assert set(rooms) == {0}


def test_one_by_one_puts_each_node_behind_its_operands():
    x = torch.ones(2, requires_grad=True)
    graph = make_dot((x.exp() + x.sin() * x).sum()).drawn
    order = one_by_one(graph)
    assert sorted(order) == [node.id for node in graph.nodes]
    places = {node: place for place, node in enumerate(order)}
    assert all(places[edge.src] < places[edge.dst] for edge in graph.edges)


def test_many_operands_are_numbered_at_once_where_they_come_in_from_left_to_right():
    """Seventeen labels beside each other would be four times as wide as a phone."""
    torch.manual_seed(0)
    parts = [torch.randn(2, requires_grad=True) for _ in range(17)]
    graph = make_dot(torch.cat(parts), fold=False).graph
    said = edge_lines(graph)
    assert [lines[0].text for lines in said.values()] == [
        f"operand {n}" for n in range(17)
    ]
    column = lay_out(graph, narrow=True, stacked=True)
    labels = [wire.label for wire in column.wires if wire.label]
    assert [line.text for box in labels for line in box.lines] == ["operands 0 … 16"]
    ends = [wire.points[-3][0] for wire in column.wires]
    assert ends == sorted(ends)
    assert width_of(graph, column, ()) <= 369
