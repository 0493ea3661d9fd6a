"""Each walk that the playground can compute is opened there, with its own numbers."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from urllib.parse import unquote, urljoin

import pytest
import torch
from bs4 import BeautifulSoup
from lxml.html import HtmlElement
from playground_programs import answer
from playwright.sync_api import Page
from published import found
from test_browser import address
from test_walk import FOUND, ROOT

from coursebuild.extension.instead import FILE, Instead, InsteadError, read_instead
from coursebuild.extension.programs import LARGEST, UnsaidError, link, to_program
from coursebuild.extension.walks import join
from coursebuild.extension.written import written
from torchutils import record_backward

__all__ = ["address"]  # a fixture

# What the reader is told where no link can be, in the walks of the site.
UNSAID = {
    "a tensor here has 400 numbers, and there it may have at most 256": 2,
    "a tensor here has 3844 numbers, and there it may have at most 256": 1,
    "a tensor here has 15000 numbers, and there it may have at most 256": 1,
    "it knows no backward pass but PyTorch's, and `Cube` brings its own": 1,
    "it knows no backward pass but PyTorch's, and `Reverse` brings its own": 1,
    "it has no complex numbers": 1,
    "PyTorch does not keep a number that goes into `stack`": 1,
}
INSTEAD = ROOT / FILE
LINKS = 46  # there were so many in 54 walks; a lesson may bring more
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
    if theirs is None:
        return drawn == f"{len(ours)} numbers"
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
    with pytest.raises(UnsaidError, match="it finds other numbers"):
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
    with pytest.raises(UnsaidError, match="it finds other numbers"):
        to_program(graph)


def vast(a):
    return (a * torch.ones(9, dtype=torch.float64)).sum()


def large(a):
    return a.expand(300).sum()


class Doubled(torch.autograd.Function):
    @staticmethod
    def forward(ctx, a):
        return 2 * a

    @staticmethod
    def backward(ctx, g):
        return g


def long(a):
    return sum((a * float(f"1.{k:06}") for k in range(2, 30)), a)


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (vast, "leaves out numbers"),
        (large, "a tensor here has 300 numbers, and there it may have at most 256"),
        (long, "the program is too long for an address"),
        (lambda a: torch.where(a > 0, a, torch.ones(3, 3).double()).sum(), "numbers"),
        (lambda a: a.erf(), "it has no `erf`"),
        (lambda a: torch.nn.functional.softplus(a, 2), "it has no `softplus`"),
        (lambda a: torch.stack([a, a.detach()]).sum(), "not keep a number .* `stack`"),
        (lambda a: torch.add(a, a, alpha=2), "it has no `add`"),
        (lambda a: torch.linalg.det(a.expand(3, 3)), "it has no `linalg_det`"),
        (lambda a: Doubled.apply(a), "PyTorch's, and `Doubled` brings its own"),
        (lambda a: (a + 0j).abs(), "it has no complex numbers"),
        (lambda a: (a + 1 + a).exp(), "not keep a number that goes into `add`"),
    ],
)
def test_what_cannot_be_said_has_a_reason_that_is_told(make, why):
    graph = graph_of(make(leaves()["a"]), {})
    with pytest.raises(UnsaidError, match=why) as refused:
        to_program(graph)
    (told,) = BeautifulSoup(link(graph, "playground.html"), "html5lib").select("p")
    assert told["class"] == ["ag-open"]
    assert told.text == f"Not in the playground: {refused.value}.".replace("`", "")
    names = re.findall("`(.*)`", str(refused.value))
    assert [c.text for c in told.select("code")] == names
    assert not told.select("a")


def test_walk_from_two_outputs_is_told():
    a = leaves()["a"]
    both = record_backward([a.sin(), a.cos()], {"a": a})
    told = link(json.loads(both.json), "playground.html")
    assert told.endswith("it starts from one output, and this walk from 2.</p>")


def test_largest_tensor_is_that_of_the_engine():
    engine = (ROOT / "docs/_static/playground/tensor.js").read_text("utf-8")
    assert int(re.search(r"const LIMIT = (\d+);", engine)[1]) == LARGEST


C = "torch.linspace(0, 1, 9, dtype=torch.float64) / 2"
X = "torch.arange(1.0, 10, dtype=torch.float64).reshape(3, 3).requires_grad_()"


def test_numbers_that_are_not_drawn_are_those_of_the_code():
    code = [f"import torch\nx = {X}", "an output", f"c = {C}"]
    made = written(code)
    x, c = (eval(made[name], {"torch": torch}) for name in "xc")
    y = (x.flatten() @ c).sin()
    graph = graph_of(y, {"x": x, "c": c, "y": y})
    with pytest.raises(UnsaidError, match="leaves out numbers"):
        to_program(graph)
    program = to_program(graph, made)
    numbers = "[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]"
    assert program.splitlines()[0] == f"x = tensor({numbers}, requires_grad=True)"
    with pytest.raises(UnsaidError, match="it finds other numbers"):
        to_program(graph, {**made, "x": made["x"].replace("1.0, 10", "2.0, 11")})


@pytest.mark.parametrize(
    "later",
    [
        "x = f(x)",
        "x, y = 1, 2",
        "x += 1",
        "x[0] = 1",
        "x[0] += 1",
        "x.mul_(2)",
        "x.data = y",
        "x = torch.rand(9)",
        "for x in y: pass",
        "with f() as x: pass",
        "if y:\n    x = 2",
        "def x(): pass",
    ],
)
def test_code_that_may_have_changed_numbers_does_not_say_them(later):
    assert written([f"x = {X}", later]) == {}


@pytest.mark.parametrize(
    "value",
    ["torch.rand(9)", "f(9)", "torch.ones(n)", "torch.load('x')", "y.reshape(3, 3)"],
)
def test_what_is_not_made_of_numbers_is_not_read(value):
    assert written([f"x = {value}"]) == {}


def determinant(M):
    return (torch.linalg.det(2 * M) ** 2).log()


def convolved(X, K):
    return torch.nn.functional.conv2d((X * X)[None, None], K[None, None])[0, 0]


def pooled(P):
    return torch.nn.functional.max_pool2d(P[None, None], (2, 3)).exp()


PLANE = [[1.0, 2.0, 0.5], [-1.0, 0.0, 2.0]]


@pytest.mark.parametrize(
    ("make", "numbers"),
    [
        (determinant, [[[2.0, 1.0], [0.5, 3.0]]]),
        (convolved, [PLANE, [[1.0, -2.0]]]),
        (convolved, [PLANE, [[3.0], [1.0]]]),
        (pooled, [PLANE]),
    ],
)
def test_what_the_playground_lacks_is_said_by_what_it_has(make, numbers):
    given = [torch.tensor(n, dtype=torch.float64, requires_grad=True) for n in numbers]
    names = dict(zip("PK", given, strict=False))
    y = make(*given)
    up = torch.arange(1.0, 1 + y.numel(), dtype=torch.float64).reshape(y.shape)
    graph = json.loads(record_backward(y, {**names, "y": y}, gradient=up).json)
    ran = {"tensor": torch.tensor, "stack": torch.stack, "log": torch.log}
    program = to_program(graph)
    exec(program, {"exp": torch.exp}, ran)
    if ".backward(" not in program:
        ran["y"].backward()
    expected = torch.autograd.grad(make(*given), given, up)
    for name, gradient in zip(names, expected, strict=True):
        assert torch.allclose(ran[name].grad.double(), gradient)


def test_convolution_with_steps_is_not_taken_for_one_without():
    X, K = (torch.ones(n, n, dtype=torch.float64, requires_grad=True) for n in (2, 2))
    wide = torch.nn.functional.conv2d(X[None, None], K[None, None], padding=1, stride=2)
    graph = graph_of(wide.sum(), {"X": X, "K": K})
    with pytest.raises(UnsaidError):
        to_program(graph)


def test_number_of_a_sum_that_is_divided_is_found():
    a = leaves()["a"]
    program = to_program(graph_of((1 + a) / 2, {"a": a}))
    assert program.splitlines()[1] == "b = (a + 1) / 2"


def test_program_with_other_numbers_is_none():
    a = leaves()["a"]
    graph = graph_of(a.sin(), {"a": a})
    assert to_program(graph)
    graph["nodes"][1]["adjoint"] *= 1 + 2e-6
    with pytest.raises(UnsaidError, match="it finds other numbers"):
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


OPENED = "Open in the playground"
WALKS = '//figure[starts-with(@class, "ag")][.//*[starts-with(@class, "ag-walk")]]'


def found_lines() -> Iterator[tuple[str, HtmlElement, dict]]:
    """Yield what stands below each walk: its page, the line, and the graph."""
    for name in FOUND:
        if name == "playground.html":
            assert not found(name, '//*[@class="ag-open"]')
            continue
        for figure in found(name, WALKS):
            (line,) = figure.xpath('.//*[@class="ag-open"]')
            (data,) = figure.xpath('.//*[@class="ag-data"]')
            yield name, line, json.loads(data.text)


def test_every_walk_is_opened_or_what_stands_instead_and_it_is_said_why():
    opened, told, others = 0, Counter(), []
    for name, line, _ in found_lines():
        (link,) = line.iter("a")
        for code in line.iter("code"):
            code.text = f"`{code.text}`"
        said, _, other = line.text_content().partition(". ")
        if said.startswith("Not in the playground: "):
            told[said.removeprefix("Not in the playground: ")] += 1
            others.append((name, other, link.get("href")))
        opened += not other
    assert told == UNSAID, "is there a new reason, or is one gone?"
    assert opened >= LINKS
    entries = [
        (f"{name}.html", f"Open {entry.words}.")
        for name, walks in read_instead(INSTEAD.read_text("utf-8")).items()
        for entry in walks.values()
    ]
    assert sorted((name, other) for name, other, _ in others) == sorted(entries)


def opened(page: Page, address: str, name: str, href: str) -> dict:
    """Return what the playground finds for a link of a page."""
    assert len(href) <= 600, name
    page.goto("about:blank")
    page.goto(urljoin(address + name, href))
    ran = page.evaluate(RUN)
    assert (ran["fault"], ran["said"]) == (None, ""), (name, href)
    assert page.locator(".ag-node").count() > 1
    return ran


def test_each_link_opens_the_graph_with_its_own_numbers(browser, address):
    page: Page = browser.new_page()
    compared = 0
    for name, line, graph in found_lines():
        if line.text_content() != OPENED:
            continue
        (href,) = line.xpath(".//a/@href")
        ran = opened(page, address, name, href)
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
    assert compared > 3 * LINKS
    page.close()


# What the text beside a walk says of it, found by what is opened in its place.
KNOWN = {
    "70_checking": {"w": 36},
    "20_surrogate_gradients": {"w": -3},
    "70_complex": {"a": -10, "b": -10},
    "60_registration": {"u": 3},
}


def test_what_is_opened_instead_has_the_numbers_of_torch(browser, address):
    page: Page = browser.new_page()
    known = 0
    for name, line, _ in found_lines():
        (href,) = line.xpath(".//a/@href")
        if line.text_content() == OPENED:
            continue
        ran = opened(page, address, name, href)
        program = unquote(href.partition("#p=")[2])
        said = answer(program, page.evaluate("playground.PRELUDE"))
        assert said.gradients, (name, said.reason)
        for key, grad in said.gradients.items():
            assert close(ran["nodes"][key]["grad"], grad.tolist()), (name, key)
        for key, number in KNOWN.get(name.split("/")[-1][:-5], {}).items():
            assert said.gradients[key] == number, (name, key)
            known += 1
    assert known == sum(map(len, KNOWN.values()))
    page.close()


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ("[a 0] one\nx = 1", r":2\n  '\[a 0\] one' must be \[PAGE WALK\] and words"),
        ("[a 1]\nx = 1", r":2\n  '\[a 1\]' must be"),
        ("[a 1] one\n\n", ":2\n.* and a program below"),
        ("[a 1] one\nx = 1\n[a 1] two\nx = 1", ":4\n.* is the second of this walk"),
        ("x = 1", ":2\n  'x = 1' must be"),
    ],
)
def test_entry_of_another_form_is_refused(entry, why):
    with pytest.raises(InsteadError, match=f"^docs/instead.txt{why}"):
        read_instead(f"# comment\n{entry}\n")


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("y = sinn(2)", "PyTorch says of the program: name 'sinn' is not defined"),
        ("x = tensor(1.)\ny = 2 * x", "PyTorch says .*does not require grad"),
        ("x = tensor(1.) # " + "long" * 200, "too long for an address"),
    ],
)
def test_what_is_opened_instead_has_to_run(program, why):
    graph = graph_of(leaves()["a"].erf(), {})
    with pytest.raises(InsteadError, match=f"^docs/instead.txt:7\n.*{why}"):
        link(graph, "p.html", None, Instead("it", program, 7))


def test_walk_that_can_be_opened_needs_nothing_instead():
    a = leaves()["a"]
    body = record_backward(a.sin(), {"a": a}).html
    with pytest.raises(InsteadError, match=":3\n  this walk can be opened itself"):
        join(body, "p.html", None, {1: Instead("it", "x = 1", 3)})
    with pytest.raises(InsteadError, match=":5\n  its page has no walk 2"):
        join(body, "p.html", None, {2: Instead("it", "x = 1", 5)})


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
