"""The result object and the lesson's own drawings."""

import gc
import inspect
import re
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import pytest
import torch

import torchutils
from docs.models import run
from torchutils import make_dot, make_dot_from_trace, record_backward, resize_graph
from torchutils.labels import operation

ROOT = Path(__file__).parent.parent


def lesson() -> dict[str, object]:
    x = torch.arange(4.0, requires_grad=True)
    z = x**2
    return {"x": x, "z": z, "y": torch.dot(x, z), "np": torch, "n": 3, "f": print}


def test_repr_is_one_line():
    names = lesson()
    expected = "autograd graph: 3 nodes, 3 edges, 1 leaf (x)"
    assert repr(make_dot(names["y"], names)) == expected


def test_html_holds_names_shape_and_value():
    names = lesson()
    html = make_dot(names["y"], names).html
    assert all(text in html for text in (">x<", ">z = pow<", "(4,)", "[0, 1, 4, 9]"))


@pytest.mark.parametrize(
    ("layer", "name"),
    [
        (torch.nn.MaxPool2d(2), "max_pool2d_with_indices"),
        (torch.nn.AvgPool2d(2), "avg_pool2d"),
        (torch.nn.Conv2d(1, 1, 2), "convolution"),
        (torch.nn.LogSoftmax(1), "log_softmax"),
    ],
)
def test_operation_is_called_as_its_function(layer, name):
    out = layer(torch.ones(1, 1, 4, 4, requires_grad=True))
    assert f"y = {name}(" in make_dot(out, {"y": out}).text


def test_operation_is_spelled_as_torch_spells_it():
    homes = torch, torch.special, torch.nn.functional, torch.ops.aten
    right = {name.lstrip("_") for home in homes for name in dir(home)}
    right |= {
        s.name.split("::")[1].lstrip("_") for s in torch._C._jit_get_all_schemas()
    }
    letters = {name.replace("_", "") for name in right}
    nodes = [n for n in dir(torch._C._functions) if re.search(r"Backward\d*$", n)]
    found = {operation(node) for node in nodes}
    known = {name for name in found if name.replace("_", "") in letters}
    assert {
        "log1p",
        "col2im",
        "smooth_l1_loss",
        "avg_pool2d",
        "grid_sampler_3d",
    } <= known
    assert known <= right
    assert len(found - known) < 20  # nodes of no function, as UndefinedGradBackward


def test_html_has_no_style_no_handler_and_no_id():
    names = lesson()
    html = make_dot(names["y"], names).html
    assert not any(bad in html for bad in ("<style", " style=", " id=", " on", "href"))


def test_mimebundle_offers_a_picture_and_words_beside_html():
    names = lesson()
    drawing = make_dot(names["y"], names)
    bundle = drawing._repr_mimebundle_()
    kinds = ["text/html", "image/svg+xml", "text/markdown", "text/plain"]
    assert list(bundle) == kinds
    assert ElementTree.fromstring(bundle["image/svg+xml"]).tag.endswith("}svg")
    assert bundle["text/markdown"] == f"```text\n{drawing.text}\n```"


def test_name_with_a_fence_does_not_end_the_words():
    x = torch.ones(2, requires_grad=True)
    words = make_dot(x * 2, {"`" * 3 + "\n# x": x})._repr_mimebundle_()["text/markdown"]
    fences = [line for line in words.splitlines() if line.strip().startswith("`" * 3)]
    assert fences == ["```text", "```"]


@pytest.mark.parametrize(
    "ending", ["svg", "html", "dot", "json", "txt", "png", "pdf", "jpg"]
)
def test_save_writes_every_format(tmp_path, ending):
    names = lesson()
    path = make_dot(names["y"], names).save(tmp_path / f"graph.{ending}")
    assert path.stat().st_size > 100


def test_save_names_the_known_formats(tmp_path):
    names = lesson()
    with pytest.raises(ValueError, match="'bmp' is not one of svg, html"):
        make_dot(names["y"], names).save(tmp_path / "graph.bmp")


def test_torchviz_call_works_unchanged(tmp_path):
    model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU())
    y = model(torch.ones(1, 2))
    dot = make_dot(
        y.mean(),
        params=dict(model.named_parameters()),
        show_attrs=True,
        show_saved=True,
    )
    dot.format = "png"
    path = dot.render("net", directory=tmp_path / "new")
    assert path == str(tmp_path / "new" / "net.png")
    assert (tmp_path / "new" / "net.png").read_bytes().startswith(b"\x89PNG")
    assert "0.weight" in (tmp_path / "new" / "net").read_text()


CALLS = {
    "var": lambda y, names: make_dot(var=y, params=names),
    "by place": lambda y, names: make_dot(y, names, True, True, 20),
    "show": lambda y, names: make_dot(y, names, show_attrs=True, show_saved=True),
    "var by place": lambda y, names: make_dot(y, params=names, max_attr_chars=20),
}


@pytest.mark.parametrize("call", CALLS)
def test_call_written_for_torchviz_draws_the_same(call):
    names = lesson()
    full = call in ("by place", "show")
    expected = make_dot(names["y"], names, attrs=full, saved=full)
    assert CALLS[call](names["y"], names).source == expected.source


def test_view_opens_the_picture(tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    names = lesson()
    drawing = make_dot(names["y"], names)
    drawing.format = "svg"
    path = Path(drawing.view("g", tmp_path))
    assert opened == [path.as_uri()]
    assert path.read_text("utf-8").startswith("<svg")


def test_attributes_reach_graphviz():
    names = lesson()
    drawing = make_dot(names["y"], names)
    drawing.attr(rankdir="TB", label='a "b"')
    drawing.attr("node", fontsize="20")
    drawing.graph_attr.update(size="12,12")
    drawing.edge_attr["color"] = "red"
    lines = drawing.source.splitlines()
    assert lines[2:5] == [
        'graph [rankdir="TB" label="a \\"b\\"" size="12,12"]',
        'node [fontsize="20"]',
        'edge [color="red"]',
    ]
    assert drawing.pipe("png").startswith(b"\x89PNG")


def test_attributes_of_something_else_are_refused():
    names = lesson()
    with pytest.raises(ValueError, match="kw 'leaf' is not one of graph, node, edge"):
        make_dot(names["y"], names).attr("leaf", color="red")


def test_save_without_an_ending_writes_dot(tmp_path):
    names = lesson()
    drawing = make_dot(names["y"], names)
    path = drawing.save("net", tmp_path / "new")
    assert path.read_text("utf-8") == drawing.source


def test_save_without_a_name_writes_dot(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = lesson()
    assert str(make_dot(names["y"], names).save()) == "Digraph.gv"


def test_pipe_with_an_encoding_returns_text():
    names = lesson()
    drawing = make_dot(names["y"], names)
    assert drawing.pipe("dot", encoding="utf-8") == drawing.source
    assert drawing.pipe("svg", encoding="utf-8").encode() == drawing.pipe("svg")


def test_render_writes_the_file_that_it_is_told(tmp_path):
    names = lesson()
    drawing = make_dot(names["y"], names)
    path = drawing.render(outfile=tmp_path / "net.svg", quiet=True)
    assert path == str(tmp_path / "net.svg")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["net.gv", "net.svg"]


def test_trace_is_answered_with_what_to_write():
    with pytest.raises(NotImplementedError, match=r"make_dot\(module\(x\), module\)"):
        make_dot_from_trace(None)


def test_resized_drawing_is_the_same_drawing():
    names = lesson()
    drawing = make_dot(names["y"], names)
    before = drawing.source
    resize_graph(drawing, size_per_element=0.3)
    assert drawing.source == before


def test_render_cleans_up(tmp_path):
    names = lesson()
    make_dot(names["y"], names).render(tmp_path / "g", cleanup=True, format="svg")
    assert [p.name for p in tmp_path.iterdir()] == ["g.svg"]


def test_styles_name_operations_differently():
    names = lesson()
    assert "z = PowBackward0" in make_dot(names["y"], names, style="torch").source


def test_direction_turns_the_drawing():
    names = lesson()
    assert "rankdir=TB" in make_dot(names["y"], names, direction="TB").source


def test_title_is_caption_and_svg_title():
    names = lesson()
    html = make_dot(names["y"], names, title="A <b>").html
    assert html.count("A &lt;b&gt;") == 4  # caption, name, and a title for each width


def test_large_drawing_warns_of_its_size():
    y = [torch.ones(2, requires_grad=True) * k for k in range(80)]
    with pytest.warns(UserWarning, match="160 nodes"):
        assert make_dot(y, fold=False).svg


@pytest.mark.parametrize("draw", [make_dot, record_backward])
def test_every_option_stands_in_the_signature(draw):
    parameters = inspect.signature(draw).parameters.values()
    assert all(p.kind is not p.VAR_KEYWORD for p in parameters)
    documented = draw.__doc__ + make_dot.__doc__
    assert [p.name for p in parameters if p.name not in documented] == []


def test_version_is_that_of_the_project():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert torchutils.__version__ == project["version"]


@pytest.mark.parametrize("was", [True, False])
def test_drawing_searches_for_no_garbage_and_leaves_the_collector_as_it_was(was):
    y, module = run("packed GRU, 100 steps")
    searched = []
    gc.callbacks.append(lambda phase, _: searched.append(phase))
    (gc.enable if was else gc.disable)()
    try:
        drawing = make_dot(y, module)
        found = len(searched)
        assert drawing.html
        assert gc.isenabled() == was
    finally:
        gc.callbacks.pop()
        gc.enable()
    assert len(searched) - found <= 2 * was  # one, when it is enabled again
