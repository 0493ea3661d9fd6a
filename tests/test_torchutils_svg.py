"""The figure: safe whatever the names are, accessible, and the same everywhere."""

import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
import textwrap
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
import torch

import torchutils
from docs.models import run
from torchutils import make_dot, record_backward
from torchutils.html import stylesheet
from torchutils.labels import Line
from torchutils.layout import (
    INSET,
    LINE,
    STEP,
    TITLE,
    broken,
    lay_out,
    run_engine,
    text_width,
)
from torchutils.text import timeline
from torchutils.values import visible

SVG = "{http://www.w3.org/2000/svg}"
ALLOWED = {
    "svg": {
        "xmlns",
        "class",
        "role",
        "width",
        "height",
        "viewBox",
        "font-family",
        "font-size",
    },
    "title": set(),
    "desc": set(),
    "g": {
        "class",
        "fill",
        "stroke",
        "stroke-width",
        "text-anchor",
        "data-node",
        "data-edge",
    },
    "rect": {
        "class",
        "x",
        "y",
        "width",
        "height",
        "rx",
        "fill",
        "stroke",
        "stroke-dasharray",
    },
    "path": {"class", "d", "fill", "stroke", "stroke-dasharray"},
    "text": {
        "class",
        "x",
        "y",
        "fill",
        "font-size",
        "font-weight",
        "visibility",
        "data-v",
        "data-from",
        "data-to",
    },
}
HOSTILE = [
    'a"b',
    "it's",
    "a\\",
    "a\\Nb",
    "a\\lb\\G",
    "<b>bold</b>",
    "<b",
    "&amp; &lt;",
    "]]>",
    "</script><script>alert(1)</script>",
    "-->",
    "a\nb",
    "a\x00b",
    "a\x1bb",
    "שלום",
    "\u202eevil",
    "日本語テスト",
    "👩‍🔬",
    "x" * 10_000,
    "",
    " ",
    "{a|b}",
    "%s %n",
    "\ufffe",
    "e\u0301",
    "\ud800",
    "<<TABLE>>",
]


def two(name: str) -> torchutils.Drawing:
    x = torch.ones(2, requires_grad=True)
    return make_dot(x * 2, {name: x})


def texts(svg: str) -> set[str]:
    root = ElementTree.fromstring(svg)
    return {(t.text or "").replace("\u00a0", " ") for t in root.iter(f"{SVG}text")}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_name_comes_out_as_text(name):
    drawing = two(name)
    shown = visible(name) or "no name"
    cut = shown if len(shown) <= 40 else shown[:39] + "…"
    assert cut in texts(drawing.svg)
    full = [t.text for t in ElementTree.fromstring(drawing.svg).iter(f"{SVG}title")]
    assert any((t or "").split("\n")[0] == shown for t in full)
    assert json.loads(drawing.json)["nodes"][1]["names"] == [visible(name)]


@pytest.mark.parametrize("name", [n for n in HOSTILE if len(n) < 100])
def test_hostile_name_survives_graphviz(name):
    """The engine, given the DOT source, must read the very label that we meant."""
    shown = visible(name)
    svg = run_engine(two(name).source, "svg").decode()
    lines = {t.strip() for t in texts(svg[svg.index("<svg") :])}
    assert (shown or "no name").strip() in lines


@pytest.mark.parametrize("name", HOSTILE)
def test_svg_passes_the_allow_list(name):
    root = ElementTree.fromstring(two(name).svg.replace('xmlns="', 'data="', 1))
    for element in root.iter():
        assert element.tag in ALLOWED
        assert set(element.attrib) - {"data"} <= ALLOWED[element.tag]


def test_class_name_of_a_function_is_only_text():
    evil = type(
        "</script><script>x",
        (torch.autograd.Function,),
        {
            "forward": staticmethod(lambda ctx, x: x * 2),
            "backward": staticmethod(lambda ctx, g: g * 2),
        },
    )
    drawing = record_backward(evil.apply(torch.ones(2, requires_grad=True)).sum())
    assert drawing.html.count("<script") == drawing.html.count("</script") == 1


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_startendtag(self, tag, attrs):
        pass


@pytest.mark.parametrize("name", HOSTILE)
def test_figure_closes_every_tag(name):
    parser = _Tags()
    parser.feed(two(name).html)
    assert parser.open == []


def lesson() -> torchutils.Drawing:
    x = torch.arange(4.0, requires_grad=True)
    z = x**2
    return record_backward(torch.dot(x, z), {"x": x, "z": z})


def test_svg_has_role_title_and_description():
    svg = ElementTree.fromstring(lesson().svg)
    assert svg.get("role") == "img"
    assert svg[0].tag == f"{SVG}title"
    assert svg[0].text == "autograd graph: 3 nodes, 3 edges, 1 leaf (x)"
    assert svg[1].tag == f"{SVG}desc"
    assert svg[1].text


def test_data_is_json_with_every_step():
    data = re.search(r'class="ag-data">(.*)</script>', lesson().html)[1]
    graph = json.loads(data)
    assert graph["forward"] == [1, 2, 0]
    assert graph["backward"] == [0, 2, 1]
    assert [e["grad"] for e in graph["edges"]] == [
        [0, 1, 4, 9],
        [0, 1, 2, 3],
        [0, 2, 8, 18],
    ]


def test_json_has_no_nan_and_no_infinity():
    x = torch.tensor([float("nan"), float("inf")], requires_grad=True)
    text = make_dot(x * 2, {"x": x}).json
    json.loads(text, parse_constant=lambda name: pytest.fail(name))
    assert '"value":["nan","inf"]' in text


def test_float32_is_written_shortly_and_exactly():
    x = torch.tensor([0.1, 1 / 3], requires_grad=True)
    value = json.loads(make_dot(x * 2).json)["nodes"][1]["value"]
    assert value[0] == 0.1
    assert torch.equal(torch.tensor(value), x.detach())


@pytest.mark.saved
def test_legend_names_only_the_roles_that_occur():
    x = torch.ones(2, requires_grad=True)
    plain, saved = make_dot(x**2).svg, make_dot(x**2, saved=True).svg
    assert "saved for backward" not in plain
    assert "saved for backward" in saved


@pytest.mark.parametrize(
    ("line", "rows"),
    [
        (Line("a short line", room=160), ("a short line",)),
        (Line("a line that is not to be broken"), ("a line that is not to be broken",)),
        (
            Line("[-0.0097, -0.0071, -0.035, 0.0731]", "g", room=160),
            ("[-0.0097, -0.0071, ", "-0.035, 0.0731]"),
        ),
        (
            Line("L = binary_cross_entropy_with_logits", "t", room=160),
            ("L = binary_cross_", "entropy_with_logits"),
        ),
        (Line("0.123456789012345", "v", room=20), ("0.123456789012345",)),
    ],
)
def test_line_is_broken_into_rows_about_equally_long(line, rows):
    assert broken(line) == rows


def test_broken_lines_have_room_in_their_box_at_every_step():
    x = torch.tensor([-0.12345, 1.2345, 2.3456, 3.4567], requires_grad=True)
    graph = record_backward((x * x).sum(), locals()).drawn
    layout = lay_out(graph, narrow=True, room=110)
    said = timeline(graph)
    (leaf,) = graph.leaves
    box, states = layout.boxes[leaf.id], said[f"g{leaf.id}"]
    (grad,) = (line for line in box.lines if line.role == "g")
    rows = [broken(grad._replace(text=text)) for _, _, text in states]
    assert grad.rows == max(map(len, rows)) > 1
    assert max(text_width(row) for every in rows for row in every) <= box.width
    assert box.height >= STEP * sum(line.rows for line in box.lines)


@pytest.mark.parametrize(
    ("options", "name"),
    [({}, "Drawing of y = sum"), ({"title": "A <sum>"}, "Drawing of A &lt;sum&gt;")],
)
def test_drawing_is_named_by_ear(options, name):
    x = torch.ones(2, requires_grad=True)
    y = x.sum()
    assert f'aria-label="{name}"' in make_dot(y, {"x": x, "y": y}, **options).html


def test_drawing_of_many_results_names_three_by_ear():
    x = torch.ones(5, requires_grad=True)
    html = make_dot([k + 1 for k in x]).html
    assert 'aria-label="Drawing of #0 = add, #1 = add, #2 = add and 2 more"' in html


def test_no_text_is_smaller_than_12_pixels():
    sizes = re.findall(r'font-size="([\d.]+)"', lesson().svg)
    assert min(map(float, sizes)) >= 12


def test_lines_fit_into_their_boxes():
    drawing = lesson()
    for box in lay_out(drawing.graph).boxes:
        assert all(text_width(line.text) <= box.width - 10 for line in box.lines)


def test_boxes_do_not_overlap():
    boxes = lay_out(lesson().graph).boxes
    for k, a in enumerate(boxes):
        for b in boxes[:k]:
            apart = abs(a.x - b.x) - (a.width + b.width) / 2
            above = abs(a.y - b.y) - (a.height + b.height) / 2
            assert max(apart, above) > 0


def colours(theme: int) -> dict[str, str]:
    pairs = re.findall(r"--ag-([\w-]+): light-dark\((#\w+), (#\w+)\)", stylesheet())
    return {name: pair[theme] for name, *pair in pairs}


def contrast(a: str, b: str) -> float:
    """Return the contrast of two colours (WCAG 2.2, relative luminance)."""

    def luminance(colour: str) -> float:
        parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        lin = [
            p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts
        ]
        return 0.2126 * lin[0] + 0.7152 * lin[1] + 0.0722 * lin[2]

    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1])
def test_contrast_is_enough(theme):
    palette = colours(theme)
    fills = [v for k, v in palette.items() if k.endswith("fill")] + [palette["page"]]
    lines = [v for k, v in palette.items() if k.endswith(("line", "faint"))]
    assert len(fills) == 6
    for text in (palette["ink"], palette["grad"]):
        assert min(contrast(text, fill) for fill in fills) >= 4.5
    assert min(contrast(line, palette["page"]) for line in lines) >= 3


def test_page_of_its_own_has_light_words_in_the_dark():
    rule = re.search(r"\.ag-alone \{(.*?)\}", stylesheet(), re.DOTALL)[1]
    pairs = dict(re.findall(r"([\w-]+): light-dark\((.*?)\)", rule))
    themes = (pairs[k].split(", ") for k in ("color", "background"))
    for words, page in zip(*themes, strict=True):
        assert contrast(words, page) > 10


@pytest.mark.saved
def test_light_palette_equals_the_attributes():
    svg = make_dot(torch.ones(2, requires_grad=True) ** 2, saved=True).svg
    palette = colours(0)
    for role in ("leaf", "root", "saved"):
        shape = re.search(rf'class="ag-box ag-{role}"[^>]*', svg)[0]
        assert palette[f"{role}-fill"] in shape
        assert palette[f"{role}-line"] in shape


def test_two_processes_make_the_same_bytes():
    code = """
        import hashlib, torch
        from torchutils import make_dot
        torch.ones(3).requires_grad_().exp()  # moves torch's own counters
        x = torch.linspace(0, 1, 3, requires_grad=True)
        w = torch.ones(3, requires_grad=True)
        d = make_dot({"b": (x * w).sum() - x.exp().sum(), "a": w}, locals())
        every = d.source + d.html + d.json + d.text
        print(hashlib.sha256(every.encode()).hexdigest(), len(every))
    """
    utils = str(Path(torchutils.__file__).parent.parent)
    seen = set()
    for seed, fonts in (("1", "/nonexistent"), ("2", "")):
        env = {**os.environ, "PYTHONPATH": utils, "PYTHONHASHSEED": seed}
        env |= {"FONTCONFIG_FILE": fonts} if fonts else {}
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code) * int(seed)],
            env=env,
            capture_output=True,
            text=True,
            check=True,
        )
        seen.add(done.stdout.split("\n")[0])
    assert len(seen) == 1


def test_program_on_the_path_draws_the_same_layout_contract(monkeypatch, tmp_path):
    """Without pygraphviz, a ``dot`` on the PATH is given the plan."""
    program = tmp_path / "dot"
    code = "import sys; print(sys.argv[1], len(sys.stdin.read()))"
    command = shlex.join([sys.executable, "-c", code])
    program.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert run_engine("digraph {}", "json0") == b"-Tjson0 10\n"


def test_missing_engine_names_the_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(RuntimeError, match="pip install pygraphviz"):
        run_engine("digraph {}", "json0")


def test_standalone_svg_carries_its_theme(tmp_path):
    path = lesson().save(tmp_path / "graph.svg")
    root = ElementTree.parse(path).getroot()
    assert root.find(f"{SVG}style") is not None


def test_same_drawing_has_the_same_digest_twice():
    digests = {hashlib.sha256(lesson().html.encode()).hexdigest() for _ in range(2)}
    assert len(digests) == 1


def patterns(**look: str) -> torchutils.Drawing:
    """Record y = 2 (ab + max(c, d)), in which only the leaves and y have names."""
    a, b, c, d = (torch.tensor(v, requires_grad=True) for v in (3.0, -4.0, 2.0, -1.0))
    y = 2 * (a * b + torch.maximum(c, d))
    return record_backward(y, {"a": a, "b": b, "c": c, "d": d, "y": y}, **look)


def parts():
    """Record a graph in which the outputs of one box have no names."""
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    a, b = x.unbind(0)
    return record_backward(a * b, {"x": x})


def test_leaf_without_a_name_is_called_by_its_number():
    drawing = record_backward(torch.tensor(2.0, requires_grad=True) * 3)
    assert ">#1</text>" in drawing.svg


@pytest.mark.parametrize("make", [patterns, parts])
def test_number_that_words_use_is_in_the_drawing(make):
    drawing = make()
    used = set(re.findall(r"#\d+(?:\[\d\])?", drawing.text))
    assert used
    assert used <= set(re.findall(r"#\d+(?:\[\d\])?", drawing.svg))


@pytest.mark.parametrize("direction", ["LR", "TB"])
@pytest.mark.saved
def test_fields_stand_in_the_order_of_the_drawing(direction):
    drawing = patterns(direction=direction)
    boxes = lay_out(drawing.graph, direction=direction).boxes
    leaves = {n.names[0]: boxes[n.id] for n in drawing.graph.leaves}
    fields = re.findall(r"<label>(\w) = ", drawing.html)
    assert fields == sorted(leaves, key=lambda k: (leaves[k].y, leaves[k].x))
    assert len(fields) == 4


def test_leaf_of_the_legend_is_a_rounded_box():
    legend = ElementTree.fromstring(patterns().svg).find(
        f".//{SVG}g[@class='ag-legend']"
    )
    leaf = legend.find(f"{SVG}rect[@class='ag-box ag-leaf']")
    assert 0 < float(leaf.get("rx")) < float(leaf.get("height")) / 2


def test_way_back_has_its_head_at_the_other_end():
    drawing = patterns()
    boxes = lay_out(drawing.graph).boxes
    found = re.findall(r'class="ag-back" d="M\S+ (\S+?) \S+?z', drawing.svg)
    assert len(found) == len(drawing.graph.edges)
    for tip, edge in zip(found, drawing.graph.edges, strict=True):
        x = float(tip.split(",")[0])
        source, goal = boxes[edge.src], boxes[edge.dst]
        assert abs(x - source.x - source.width / 2) < abs(x - goal.x + goal.width / 2)


def test_narrow_box_keeps_its_words_off_its_border():
    x = torch.ones(2, requires_grad=True)
    boxes = lay_out(make_dot(x * 2).drawn, narrow=True).boxes
    assert {box.height - STEP * len(box.lines) for box in boxes} == {6}


def test_narrow_title_of_an_output_stays_inside_both_outlines():
    x = torch.zeros((), requires_grad=True)
    graph = make_dot(torch.sigmoid(x), {"result": torch.sigmoid(x)}).drawn
    [box] = [
        b for b in lay_out(graph, narrow=True).boxes if "sigmoid" in b.lines[0].text
    ]
    assert text_width(box.lines[0].text, TITLE * 1.08) + 8 <= box.width - 2 * INSET + 1


@pytest.mark.parametrize("narrow", [True, False])
def test_note_longer_than_a_line_goes_on_in_the_next(narrow):
    y = torch.ones(3, requires_grad=True) * 1
    y[:2].mul_(torch.ones(2))
    [box] = [
        box
        for box in lay_out(make_dot(y.sum()).drawn, narrow=narrow).boxes
        if "copy_slices" in box.lines[0].text
    ]
    said = [line.text for line in box.lines]
    assert "saved tensors not checked: PyTorch hides them" in " ".join(said)
    assert max(map(len, said)) <= LINE


def test_narrow_box_is_as_wide_as_each_sum_on_the_way():
    a = torch.tensor(3.0, requires_grad=True)
    graph = record_backward(a * -0.123456 + a * 1.123456, {"a": a}).drawn
    box = next(b for b in lay_out(graph, narrow=True).boxes if b.lines[0].text == "a")
    said = timeline(graph)[f"g{graph.leaves[0].id}"]
    sums = [text for _, _, text in said if text.startswith("adjoint")]
    assert len(sums) == 2
    assert max(map(text_width, sums)) + 8 <= box.width + 1


@pytest.mark.parametrize("beside", [1, 2])
def test_narrow_drawing_puts_no_more_boxes_beside_each_other_than_asked(beside):
    x, y, z = torch.ones(3, requires_grad=True).unbind()
    graph = make_dot((x * y) * (y + z) / (x - z)).drawn
    boxes = lay_out(graph, narrow=True, beside=beside).boxes
    rows = [
        sum(abs(one.y - other.y) < other.height / 2 for one in boxes) for other in boxes
    ]
    assert len(boxes) > 6
    assert max(rows) == beside


def test_title_of_a_frame_hides_the_edges_behind_it():
    svg = make_dot(*run("ResNet-18"), depth=2).svg
    frames = svg.count('class="ag-frame"')
    assert frames >= 4
    titles = [
        m.start() for m in re.finditer(r'<rect class="ag-page"[^>]*/><text ', svg)
    ]
    assert len(titles) == frames
    assert min(titles) > svg.rindex('class="ag-edge"')
