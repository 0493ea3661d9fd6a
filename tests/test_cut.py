"""Edges that a reader cuts, in a real browser: what arrives is what torch sends."""

from itertools import chain, combinations

import pytest
import torch
from playwright.sync_api import Page, expect
from test_predict import context, visit
from test_predict import page as lesson
from test_walk import figures, find_faults, page, serve, tab, text

from torchutils import record_backward

__all__ = ["context", "lesson", "page", "tab"]  # fixtures

EDGES = ("x → z", "x → y", "z → y")
CUTS = [*chain.from_iterable(combinations(EDGES, n) for n in range(4))]
PLACES = """(figure, kind) => Object.fromEntries([...figure.querySelectorAll(
  "li b[data-v]")].filter(e => e.dataset.v[0] == kind)
  .map(e => [e.dataset.v, e.textContent.replace(/[()]/g, "")]))"""
LESSON = "lessons/1_foundations/80_stopping_gradients.html"


def product(cut: tuple[str, ...] = ()) -> dict:
    """Make y = x · x², with some edges detached."""
    x = torch.tensor([1.0, -2.0, 3.0], requires_grad=True)
    kept = {edge: edge not in cut for edge in EDGES}
    z = (x if kept["x → z"] else x.detach()) ** 2
    first = x if kept["x → y"] else x.detach()
    y = torch.dot(first, z if kept["z → y"] else z.detach())
    return {"x": x, "z": z, "y": y}


def expected(cut: tuple[str, ...]) -> dict[str, str]:
    """Return what torch leaves in .grad, in words."""
    found = product(cut)
    if found["z"].requires_grad:
        found["z"].retain_grad()
    if found["y"].requires_grad:
        found["y"].backward()
    grads = {name: found[name].grad for name in "xz"}
    words = {
        k: "None" if g is None else text(tuple(g.tolist())) for k, g in grads.items()
    }
    return {"x": words["x"], "z": words["z"].replace("None", "nothing")}


def shown(figure) -> dict[str, str]:
    """Return the leaf's .grad and the adjoint of z, as the page has them."""
    grads, adjoints = (figure.evaluate(PLACES, kind) for kind in "ra")
    (x,) = grads.values()
    names = figure.locator("svg").first.locator(".ag-node").all_text_contents
    (z,) = [k for k, words in enumerate(names()) if words.startswith("z")]
    return {"x": x, "z": adjoints[f"a{z}"]}


@pytest.fixture
def figure(page: Page):
    found = product()
    serve(page, record_backward(found["y"], found, detachable=True))
    return figures(page)


def box(figure, edge: str):
    return figure.get_by_label(edge, exact=True)


@pytest.mark.parametrize("cut", CUTS, ids=", ".join)
def test_what_arrives_is_what_torch_sends(figure, cut):
    for edge in cut:
        box(figure, edge).press("Space")
    assert shown(figure) == expected(cut)
    for edge in cut:
        box(figure, edge).press("Space")
    assert shown(figure) == expected(())


def test_changed_leaf_and_cut_edge_go_together(figure):
    box(figure, "z → y").check()
    figure.locator(".ag-leaves [size]").fill("2, 0, -1")
    assert shown(figure) == {"x": "[4, 0, 1]", "z": "nothing"}
    figure.locator("[type=reset]").click()
    expect(figure.locator("fieldset :checked, .ag-cut")).to_have_count(0)
    assert shown(figure) == expected(())


def test_click_on_an_arrow_cuts_it(figure):
    arrow = figure.locator("svg .ag-hit").nth(2)
    arrow.dispatch_event("click")
    assert figure.locator("fieldset :checked").count() == 1
    assert figure.locator("svg .ag-edge.ag-cut").count() >= 1
    arrow.dispatch_event("click")
    assert figure.locator("fieldset :checked, .ag-cut").count() == 0


def test_walk_tells_that_nothing_is_sent_and_asks_nothing(figure):
    box(figure, "z → y").check()
    figure.locator("button[value=End]").click()
    assert figure.locator(".ag-predict input").is_disabled()
    told = figure.locator(".ag-text li").all_text_contents()
    assert [t for t in told if t.startswith("y sends to z") and t.endswith("nothing")]
    assert figure.locator(".ag-say").inner_text().endswith("is [1, 4, 9]")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_boxes_have_no_faults(page: Page, theme):
    found = product()
    drawing = record_backward(found["y"], found, detachable=True)
    serve(page, drawing, theme=theme)
    box(figures(page), "z → y").check()
    assert find_faults(page) == []


def test_graph_that_a_page_cannot_compute_is_refused():
    x = torch.tensor(1.0, requires_grad=True)
    with pytest.raises(ValueError, match="because of the operation erf"):
        record_backward(torch.erf(x), {"x": x}, detachable=True)


def test_edges_of_other_graphs_cannot_be_cut(page: Page):
    found = product()
    serve(page, record_backward(found["y"], found))
    assert page.locator("fieldset, .ag-hit").count() == 0


@pytest.mark.parametrize("width", [1280, 390])
def test_lesson_has_an_edge_to_cut(lesson: Page, width):
    lesson.set_viewport_size({"width": width, "height": 844})
    visit(lesson, LESSON)
    figure = lesson.locator("figure.ag:has(fieldset)")
    box(figure, "z → y").check()
    assert shown(figure)["x"] == "[0, 1, 4, 9]"
    fieldset = figure.locator("fieldset").bounding_box()
    assert fieldset["x"] + fieldset["width"] <= width
