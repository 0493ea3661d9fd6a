"""The result object and the lesson's own drawings."""

import pytest
import torch
from torchutils import make_dot


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


def test_html_has_no_style_no_handler_and_no_id():
    names = lesson()
    html = make_dot(names["y"], names).html
    assert not any(bad in html for bad in ("<style", " style=", " id=", " on", "href"))


def test_mimebundle_offers_html_and_plain():
    names = lesson()
    bundle = make_dot(names["y"], names)._repr_mimebundle_()
    assert list(bundle) == ["text/html", "text/plain"]


@pytest.mark.parametrize("ending", ["svg", "html", "dot", "json", "txt", "png", "pdf"])
def test_save_writes_every_format(tmp_path, ending):
    names = lesson()
    path = make_dot(names["y"], names).save(tmp_path / f"graph.{ending}")
    assert path.stat().st_size > 100


def test_save_names_the_known_formats(tmp_path):
    names = lesson()
    with pytest.raises(ValueError, match="'bmp' is not one of svg, html"):
        make_dot(names["y"], names).save(tmp_path / "graph.bmp")
