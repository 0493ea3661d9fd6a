"""A page's walks joined to its code and its text."""

import json
import re

import pytest

from coursebuild.downloads.notebooks import markdown
from coursebuild.extension import programs
from coursebuild.extension.instead import Instead
from coursebuild.extension.walks import join, makers
from courserun.kept import Kept

STEPS = [
    "x: leaf",
    "y = <b>sin</b>(x)",
    "y (sin) has its turn",
    "y sends to x: g &lt; 2",
]
GRAPH = {
    "nodes": [{"id": 0, "names": ["y"]}, {"id": 1, "names": ["x"]}],
    "edges": [{"src": 1, "dst": 0}],
}


def walk(graph=GRAPH, steps=STEPS):
    listed = "".join(f'<li data-node="0">{step}</li>' for step in steps)
    data = (
        f'<script type="application/json" class="ag-data">{json.dumps(graph)}</script>'
    )
    bar = '<div class="ag-walk"></div>'
    return f'<figure class="ag">{bar}<ol>{listed}</ol>{data}</figure>'


def code(*lines):
    return f'<div class="highlight"><pre>{chr(10).join(lines)}</pre></div>'


def test_steps_are_numbered_through_each_walk():
    html, faults = join(walk() + '<figure class="ag"></figure>' + walk())
    ids = [f"ag-{n}-s{k}" for n in (1, 2) for k in (1, 2, 3, 4)]
    assert re.findall(r'<li id="(.*?)" data', html) == ids
    assert faults == []


def test_role_links_to_the_step_that_begins_so():
    html, faults = join(f'{walk()}<p><a class="ag-step">y sends to x: g &lt;</a></p>')
    assert html.endswith('<p><a href="#ag-1-s4">step 4</a></p>')
    assert faults == []


@pytest.mark.parametrize("before", ["", walk(), '<figure class="ag"></figure>'])
def test_missing_step_is_a_fault(before):
    _, faults = join(f'{before}<a class="ag-step">z sends</a>')
    assert faults == ["z sends"]


def test_role_looks_at_the_drawing_just_above():
    other = walk(steps=["y sends to x"])
    html, _ = join(f'{walk()}{other}<a class="ag-step">y sends</a>{walk()}')
    assert '<a href="#ag-2-s1">step 1</a>' in html


def test_line_is_marked_with_the_nodes_that_it_made():
    html, _ = join(code("<i>x</i> = 3", "y = sin(x)", "", "print(y)") + walk() + walk())
    assert '<span data-made="1-1 2-1"><i>x</i> = 3</span>\n' in html
    assert '<span data-made="1-0 2-0">y = sin(x)</span>\n\nprint(y)' in html


def test_line_that_ends_in_an_element_of_blanks_is_marked_as_a_whole():
    html, _ = join(code('x = 3<span class="w">', "</span>y = sin(x)") + walk())
    assert '<span data-made="1-1">x = 3</span>\n' in html
    assert '<span data-made="1-0">y = sin(x)</span></pre>' in html


def test_line_below_a_walk_made_nothing_of_it():
    html, _ = join(code("x = 3", "y = x") + walk() + code("x = 4"))
    assert "\n".join(html.split("<pre>")[2:]).startswith("x = 4<")


def test_element_that_goes_on_in_the_next_line_is_left_alone():
    html, _ = join(code('y = f(<span class="s">"""', '"""</span>)') + walk())
    assert "data-made" not in html


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (["x = 3", "y = x", "x = 4", "y = x"], {0: 3, 1: 2}),
        (["a, x = 3, 4", "y *= x"], {0: 1, 1: 0}),
        (["for x in z:", "    y = f(x, y=2)"], {0: 1}),
        ([">>> x = 3", "y == x", "x: int"], {}),
    ],
)
def test_name_is_made_where_it_was_bound_last(lines, found):
    assert makers(GRAPH, lines) == found


def test_node_without_a_name_is_made_where_it_is_used():
    nodes = [{"id": 0, "names": ["y"]}, {"id": 1}, {"id": 2, "names": ["w[0]"]}]
    graph = {"nodes": nodes, "edges": [{"src": 1, "dst": 0}, {"src": 2, "dst": 1}]}
    assert makers(graph, ["w = [a]", "y = w[0] * 2 + 1"]) == {0: 1, 1: 1, 2: 0}


def test_output_without_a_name_is_made_in_the_last_line():
    graph = {"nodes": [{"id": 0}], "edges": []}
    assert makers(graph, ["x = 3", "record_backward(x * 2)", ""]) == {0: 1}


def test_notebook_names_the_step():
    assert markdown(["See :step:`y sends to x`."]) == ["See *y sends to x*."]


def test_what_opens_a_walk_is_tried_once(monkeypatch, tmp_path):
    tried = []
    monkeypatch.setattr(programs, "link", lambda *a: tried.append(a) or "<p>open</p>")
    body = walk().replace("</figure>", '<details class="ag-text"></details></figure>')
    first, _ = join(body, "p.html", Kept(tmp_path))
    again, _ = join(body, "p.html", Kept(tmp_path))
    assert first == again
    assert "<p>open</p><details" in again
    assert tried == [(GRAPH, "p.html", {}, None)]
    join(body.replace('"x"', '"z"'), "p.html", Kept(tmp_path))
    assert len(tried) == 2
    other = Instead("a smaller one", "y = x**2")
    for _ in range(2):
        join(body, "p.html", Kept(tmp_path), {1: other})
    assert tried[2:] == [(GRAPH, "p.html", {}, other)]


def test_numbers_of_the_code_above_open_a_walk(monkeypatch, tmp_path):
    tried = []
    monkeypatch.setattr(programs, "link", lambda *a: tried.append(a[2]) or "open")
    body = walk().replace("</figure>", '<details class="ag-text"></details></figure>')
    above = code("x = <i>torch</i>.eye(2)", "z = torch.eye(2)")
    for numbers in (2, 3, 3):
        lines = above.replace("eye(2)", f"eye({numbers})")
        join(lines + body + code("x = 1"), "p.html", Kept(tmp_path))
    assert tried == [{"x": "torch.eye(2)"}, {"x": "torch.eye(3)"}]
