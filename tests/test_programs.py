"""Each walk that the playground can compute is opened there, with its own numbers."""

import json
import re
from collections import Counter

import pytest
import torch
from bs4 import BeautifulSoup
from playwright.sync_api import Page
from test_browser import SITE, address
from test_walk import FOUND

from coursebuild.extension.programs import UnsaidError, link, to_program
from coursebuild.extension.walks import join
from torchutils import record_backward

__all__ = ["address"]  # a fixture

# What stands in the way of a link, in the walks of the site.
UNSAID = {
    "a constant of add, which PyTorch does not keep",
    "a constant of stack, which PyTorch does not keep",
    "a tensor whose numbers are not drawn",
    "complex numbers",
    "the operation cube",
    "the operation linalg_det",
    "the operation max_pool2d_with_indices",
    "the operation reverse",
}
LINKS = 42  # there were so many in 54 walks; a lesson may bring more
RUN = """() => {
  const text = document.querySelector("#pg-text").value;
  const { fault, nodes, output } = playground.run(text);
  const plain = (list) => list && [...list].map(String);
  const told = ({ id, leaf, value, grad, held }) =>
    ({ id, leaf, value: plain(value), grad: plain(grad), held: plain(held) });
  const named = nodes.flatMap((n) => n.names.map((name) => [name, told(n)]));
  return { fault, output, nodes: Object.fromEntries(named),
    said: document.querySelector("#pg-fault").textContent };
}"""


def flat(value):
    """Return numbers as JSON holds them, nan and inf as words; None where none are."""
    if isinstance(value, list):
        parts = [flat(part) for part in value]
        return None if None in parts else [x for part in parts for x in part]
    try:
        return [float(value)]
    except (TypeError, ValueError):
        return None


def close(ours: list[str], drawn) -> bool:
    theirs = flat(drawn)
    a = torch.tensor([float(x.replace("Infinity", "inf")) for x in ours])
    b = torch.tensor(theirs)
    least = 1e-6 * b[b.isfinite()].abs().sum().item()
    return torch.allclose(a, b, rtol=0, atol=least, equal_nan=True)


def graph_of(y, names) -> dict:
    return json.loads(record_backward(y, names).json)


def leaves(dtype=torch.float64) -> dict[str, torch.Tensor]:
    numbers = {"a": 2.0, "b": [1.0, -3.0], "M": [[1.0, 2.0], [0.5, -1.0]]}
    return {
        name: torch.tensor(value, dtype=dtype, requires_grad=True)
        for name, value in numbers.items()
    }


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("a - (a - a)", ""),
        ("a - a - a", ""),
        ("a / (a * a) * a", ""),
        ("(-a)**2 - (-(a**2))", "(-a)**2 - -a**2"),
        ("a**a**2", ""),
        ("(a**a)**2", ""),
        ("b @ (M @ b)", ""),
        ("b @ M.T @ b", "(b.unsqueeze(0) @ M.T).reshape(2) @ b"),
        ("(M.t() @ M).sum()", ""),
        ("(2 * a + 3) * (5 - a / 4)", ""),
        ("(a * a).exp()", "exp(a * a)"),
        ("1 / a", "1 * reciprocal(a)"),
        ("torch.tensor(3.0, dtype=torch.float64) - a", "tensor(3.0) - a"),
        ("torch.tensor(3.0, dtype=torch.float64) / a", "tensor(3.0) / a"),
        ("M.sum(1).relu() @ b", "relu(M.sum(dim=(1,))) @ b"),
        ("M.mean(0, keepdim=True).sum()", "M.mean(dim=(0,), keepdim=True).sum()"),
        ("M[:, 1] @ b[0:2]", ""),
        ("M[1].softmax(0) @ b", "M[1].softmax(0) @ b"),
        (
            "b.unsqueeze(1).squeeze().clone() @ b",
            "b.unsqueeze(1).reshape(2).clone() @ b",
        ),
        ("(M * b.unsqueeze(1).expand(2, 2)).sum()", ""),
        ("torch.maximum(b, M).sum()", "maximum(b, M).sum()"),
        ("torch.stack([b - b, b], 1)[0] @ b", "stack([b - b, b], 1)[0] @ b"),
        ("torch.cat([b, M[0]])[1:4].sum()", "cat([b, M[0]], 0)[1:4].sum()"),
        ("torch.nn.functional.softplus(b) @ b", "softplus(b) @ b"),
    ],
)
def test_program_is_what_was_written(line, said):
    names = leaves()
    y = eval(line, {"torch": torch}, names)
    program = to_program(graph_of(y, {**names, "y": y}))
    assert program.splitlines()[-1] == f"y = {said or line}".replace("torch.", "")


def test_names_and_constants_have_lines_of_their_own():
    x = torch.tensor([1.0, 2.0])
    w = torch.tensor([0.1, 0.2], requires_grad=True)
    h = w * x
    t = (h - torch.tensor([0.3, 0.7])).sin()  # used twice
    log = t @ t
    program = to_program(graph_of(log, {"x": x, "w": w, "h": h, "log": log}))
    assert program.split("\n") == [
        "w = tensor([0.1, 0.2], requires_grad=True)",
        "x = tensor([1.0, 2.0])",
        "h = w * x",
        "a = sin(h - tensor([0.3, 0.7]))",
        "log_ = a @ a",
    ]


@pytest.mark.parametrize(
    ("operands", "said"),
    [
        ("[True, False], b, a", "[True, False]), b, a)"),
        ("[True, False], b + b, 3.", "[True, False]), b + b, 3)"),
        ("[[True], [False]], 0., M", "[[True], [False]]), 0, M)"),
        ("[True, True], b, b.detach()", "[True, True]), b, 0)"),
        ("[False, False], b, c", "[False, False]), b, tensor([5.0, 6.0]))"),
        ("True, a, a * a", "True), a, a * a)"),
    ],
)
def test_choice_is_written_as_a_mask(operands, said):
    names = leaves() | {"c": torch.tensor([5.0, 6.0], dtype=torch.float64)}
    condition = re.split(r"(?<=[\]e]), (?=[a-z0])", operands, maxsplit=1)
    line = f"torch.where(torch.tensor({condition[0]}), {condition[1]})"
    chosen = eval(line, {"torch": torch}, names)
    program = to_program(graph_of(chosen.sum(), {**names, "chosen": chosen}))
    assert program.splitlines()[-2] == f"chosen = where(tensor({said}"


def test_upstream_gradient_is_given_to_backward():
    b = leaves()["b"]
    y = (b * b).exp()
    given = torch.tensor([1.0, 10.0], dtype=torch.float64)
    graph = json.loads(record_backward(y, {"b": b, "y": y}, gradient=given).json)
    program = to_program(graph)
    assert program.splitlines()[1:] == [
        "y = exp(b * b)",
        "y.backward(tensor([1.0, 10.0]))",
    ]
    graph["nodes"][-1]["adjoint"][1] += 1
    with pytest.raises(UnsaidError, match="numbers that the playground does not find"):
        to_program(graph)


def test_gradient_from_before_is_written_down():
    a = leaves()["a"]
    (a * 3).backward()
    graph = graph_of(a**2, {"a": a})
    assert to_program(graph).splitlines() == [
        "a = tensor(2.0, requires_grad=True)",
        "a.grad = tensor(3.0)",
        "b = a**2",
    ]
    graph["nodes"][-1]["grad"] += 1
    with pytest.raises(UnsaidError, match="numbers that the playground does not find"):
        to_program(graph)


def vast(a):
    return (a * torch.ones(9, dtype=torch.float64)).sum()


def long(a):
    return sum((a * float(f"1.{k:06}") for k in range(2, 30)), a)


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (vast, "numbers are not drawn"),
        (long, "too long for an address"),
        (lambda a: torch.where(a > 0, a, torch.ones(3, 3).double()).sum(), "numbers"),
        (lambda a: a.erf(), "the operation erf"),
        (lambda a: torch.nn.functional.softplus(a, 2), "the operation softplus"),
        (lambda a: torch.stack([a, a.detach()]).sum(), "a constant of stack"),
        (lambda a: torch.add(a, a, alpha=2), "the operation add"),
        (lambda a: (a + 0j).abs(), "complex numbers"),
        (lambda a: (a + 1 + a).exp(), "a constant of add"),
    ],
)
def test_what_cannot_be_said_has_a_reason_and_no_link(make, why):
    graph = graph_of(make(leaves()["a"]), {})
    with pytest.raises(UnsaidError, match=why):
        to_program(graph)
    assert link(graph, "playground.html") == ""


def test_program_with_other_numbers_is_none():
    a = leaves()["a"]
    graph = graph_of(a.sin(), {"a": a})
    assert to_program(graph)
    graph["nodes"][1]["adjoint"] *= 1 + 2e-6
    with pytest.raises(UnsaidError, match="numbers that the playground does not find"):
        to_program(graph)


def test_link_stands_in_its_figure_alone():
    a = leaves()["a"]
    body = record_backward(a.sin(), {"a": a}).html
    (found,) = BeautifulSoup(join(body, "p.html")[0], "html5lib").select("figure a")
    program = "a = tensor(2.0, requires_grad=True)\nb = sin(a)"
    assert found["href"].startswith(
        "p.html#p=a%20=%20tensor(2.0,%20requires_grad=True)"
    )
    assert found["href"].endswith("%0Ab%20=%20sin(a)")
    assert "<" not in found["href"]
    assert to_program(graph_of(leaves()["a"].sin(), {})) == program
    assert "playground" not in join(body)[0]


def found_links() -> list[tuple[str, str, dict]]:
    """Return each link to the playground: its page, its address, its graph."""
    every = []
    for name in FOUND:
        soup = BeautifulSoup((SITE / name).read_text("utf-8"), "html.parser")
        for figure in soup.select("figure.ag:has(.ag-walk)"):
            graph = json.loads(figure.select_one(".ag-data").string)
            every += [(name, a["href"], graph) for a in figure.select(".ag-open a")]
    return every


def test_every_walk_has_its_link_or_a_reason():
    reasons = Counter()
    graphs = [
        json.loads(d)
        for n, all_ in FOUND.items()
        if n != "playground.html"
        for d in all_
    ]
    for graph in graphs:
        try:
            to_program(graph)
        except UnsaidError as error:
            reasons[str(error)] += 1
    assert set(reasons) == UNSAID, "is there a new reason, or is one gone?"
    assert len(found_links()) == len(graphs) - reasons.total() >= LINKS


def test_each_link_opens_the_graph_with_its_own_numbers(browser, address):
    page: Page = browser.new_page()
    compared = 0
    for name, href, graph in found_links():
        assert len(href) <= 600, name
        page.goto("about:blank")
        page.goto(address + name)
        page.goto(page.evaluate("href => new URL(href, document.baseURI).href", href))
        ran = page.evaluate(RUN)
        assert (ran["fault"], ran["said"]) == (None, ""), (name, href)
        for node in graph["nodes"]:
            if not node.get("names"):
                continue
            own = ran["nodes"][node["names"][0]]
            assert node.get("root", False) == (own["id"] == ran["output"]), name
            assert close(own["value"], node["value"]), (name, node)
            if node["kind"] == "leaf":
                assert own["leaf"]
                assert close(own["grad"], node["adjoint"]), (name, node)
                assert close(own["held"], node["grad"]), (name, node)
            compared += 1
        assert page.locator(".ag-node").count() > 1
    assert compared > 3 * LINKS
    page.close()


def test_link_leads_there_by_keyboard(browser, address):
    page: Page = browser.new_page()
    page.goto(address + "index.html")
    page.locator(".ag-open a").press("Enter")
    page.wait_for_url("**/playground.html#p=**")
    assert page.input_value("#pg-text").endswith("z = w @ x + b\ny = sigmoid(z)")
    assert (
        page.locator(".ag-scroll").get_attribute("aria-label")
        == "Drawing of y = sigmoid"
    )
    page.close()
