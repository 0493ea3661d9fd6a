"""Drawings of real models: they fit, and say what they leave out."""

import itertools
import random
import re

import pytest
import torch

from docs.models import MODELS, run
from torchutils import drawing, layout, make_dot, views
from torchutils.fit import WIDEST, bundle, is_longer
from torchutils.graph import Edge, Graph, Node
from torchutils.lanes import ranks
from torchutils.layout import breadth, lay_out
from torchutils.svg import drawn_width
from torchutils.views import SURELY

# name: what the drawing must say, were it folded before it is cut
TOLD = {
    "GPT-2, 12 layers": "h.0 … h.",
    "BERT, 12 layers": "… layers.11",
    "LSTM, states collected": "operands 0 … 9",
}


@pytest.fixture(scope="module", params=MODELS)
def model(request):
    return request.param, make_dot(*run(request.param))


def test_default_drawing_is_at_most_1600_pixels_wide(model):
    name, drawing = model
    assert drawn_width(drawing.svg) <= WIDEST + 16, name


def test_breadth_is_no_estimate_that_refuses_what_fits(model):
    """What is left undrawn, because it is surely too wide, must be."""
    _, drawing = model
    for view in drawing._opened.walk():
        layout = lay_out(view.graph, direction="TB")
        assert breadth(view.graph, "lesson") <= SURELY * layout.width, view.title


def test_no_layout_is_made_of_what_is_surely_too_wide(monkeypatch):
    tried = []

    def kept(graph, **options):
        tried.append((options["direction"], breadth(graph, "lesson")))
        return lay_out(graph, **options)

    monkeypatch.setattr(views, "lay_out", kept)
    assert make_dot(*run("packed GRU, 100 steps")).html
    assert len(tried) >= 3
    wide = SURELY * WIDEST
    assert not [breadth for way, breadth in tried if way == "TB" and breadth > wide]


@pytest.mark.parametrize("depth", ["auto", 0])
@pytest.mark.parametrize("direction", ["LR", "TB"])
def test_drawing_that_does_not_fit_is_cut_and_no_further(monkeypatch, direction, depth):
    """It stays wide where the direction is the caller's, and does not search on."""
    tries = itertools.count()

    def counted(*args, **options):
        assert next(tries) < 50
        return lay_out(*args, **options)

    monkeypatch.setattr(views, "lay_out", counted)
    y, model = run("GPT-2, 12 layers")
    drawn = make_dot(y, model, direction=direction, depth=depth).drawn
    assert 12 <= len(drawn.nodes) <= 101


def test_default_drawing_has_no_text_under_ten_pixels(model):
    _, drawing = model
    svg = drawing.svg
    shown = drawn_width(svg) / float(re.search(r'viewBox="\S+ \S+ (\S+)', svg)[1])
    sizes = [float(size) for size in re.findall(r'font-size="([\d.]+)"', svg)]
    assert min(sizes) * shown >= 10


def test_repeats_are_folded_before_anything_is_left_out(model):
    name, drawing = model
    assert TOLD.get(name, "") in drawing.svg
    assert not drawing.graph.truncated


def test_what_is_left_out_is_said_in_picture_and_words(model):
    _, drawing = model
    if any(n.kind == "module" for n in drawing.drawn.nodes):
        assert "A closed box is a module; depth=" in drawing.text
        assert "A closed box is a module; depth=" in drawing.html
        return
    weight = stands_for(drawing.drawn)
    if weight < len(drawing.graph.nodes):
        assert "Drawn are the" in drawing.text
        assert "Drawn are the" in drawing.html
        assert any(n.kind == "more" for n in drawing.drawn.nodes)


def stands_for(graph):
    """Count the nodes that a folded graph stands for."""
    times = {-1: 1}
    for g in graph.groups:
        times[g.id] = times[g.parent] * g.count
    return sum(n.count * times[n.group] for n in graph.nodes if n.kind != "more")


def row(count):
    x = torch.ones(2, requires_grad=True)
    for k in range(count):
        x = x ** (k + 2)
    return x


@pytest.mark.parametrize(("count", "way"), [(5, "LR"), (25, "TB")])
def test_drawing_turns_when_it_is_too_wide(count, way):
    y = row(count)
    drawing = make_dot(y)
    assert f"rankdir={way}" in drawing.source
    assert (drawn_width(drawing.svg) < 400) == (way == "TB")
    assert drawn_width(make_dot(y, direction="LR").svg) > 400


def test_all_is_drawn_where_that_is_asked_for():
    y = row(150)
    assert len(make_dot(y).drawn.nodes) == 101
    assert len(make_dot(y, fold=False).drawn.nodes) == 151


def test_larger_graph_is_read_from_its_output_on():
    y = row(2100)
    with pytest.warns(UserWarning, match="stopped after 500 nodes"):
        assert make_dot(y).graph.truncated == 500
    assert make_dot(row(1900)).graph.truncated == 0


def test_many_edges_between_two_boxes_are_one_that_tells_which():
    x = torch.ones(2, requires_grad=True)
    text = make_dot(torch.stack([x] * 7 + [x * 2])).text
    assert "stack(#1 (operands 0 … 6), " in text


def test_place_of_a_slice_varies_in_a_fold_and_is_told():
    x, h = torch.ones(60, requires_grad=True), torch.ones(2, requires_grad=True)
    for k in range(30):
        h = torch.tanh(h + x[2 * k : 2 * k + 2])
    text = make_dot(h).text
    assert "start = 2 … 58" in text or "start = 0 … 58" in text


def test_decoder_that_reads_one_memory_folds():
    y, module = run("nn.Transformer, 6 + 6")
    groups = make_dot(y, module, fold=True).drawn.groups
    counts = {g.label: g.count for g in groups if g.parent < 0}
    assert counts["decoder.layers.0 … decoder.layers.4"] == 5


def test_boxes_of_one_plan_are_laid_out_once(monkeypatch):
    plans = []
    real = layout.run_engine
    monkeypatch.setattr(layout, "run_engine", lambda *a: plans.append(a) or real(*a))
    assert make_dot(*run("DenseNet-121")).html  # nine of its layers look alike
    assert len(plans) >= 10
    assert len(plans) == len(set(plans))


def test_phone_tries_no_more_columns_than_may_fit(monkeypatch):
    """One column of the GRU's steps is far too wide, and two are no narrower."""
    tried = []

    def kept(graph, **options):
        tried.append((options.get("narrow"), options.get("beside", "stacked")))
        return lay_out(graph, **options)

    monkeypatch.setattr(drawing, "lay_out", kept)
    assert make_dot(*run("packed GRU, 100 steps")).html
    assert tried.count((True, 1)) == 1  # of the whole alone
    assert {beside for narrow, beside in tried if narrow} == {1, "stacked"}


def random_graph(seed: int) -> Graph:
    """Return a graph whose edges stand in no order."""
    rng = random.Random(seed)
    count = rng.randint(1, 30)
    pairs = [
        sorted(rng.sample(range(count), 2)) for _ in range(count if count > 1 else 0)
    ]
    edges = tuple(Edge(src, dst) for dst, src in pairs)
    return Graph(tuple(Node(i, "op") for i in range(count)), edges)


def test_longest_row_of_boxes_is_known_without_their_columns():
    answers = set()
    for seed in range(300):
        graph = random_graph(seed)
        for count in (1, 3, 6):
            expected = max(ranks(graph)) + 1 > count
            answers.add((count, expected))
            assert is_longer(graph, count) == expected, (seed, count)
    assert len(answers) == 6


def test_source_of_a_large_graph_makes_no_record_of_a_node_or_an_edge():
    y = torch.ones(2, requires_grad=True)
    for _ in range(100):
        y = y.sin() * y
    drawing = make_dot(y, values=0, fold=False)
    assert drawing.source.count("mul") == 100
    assert not {"nodes", "edges"} & vars(drawing.graph).keys()


def test_many_edges_between_two_nodes_are_one_and_three_are_three():
    x = torch.ones(2, requires_grad=True)
    for count, drawn in ((3, 3), (4, 1)):
        graph = bundle(make_dot(torch.stack([x] * count)).graph)
        assert len(graph.edges) == drawn
