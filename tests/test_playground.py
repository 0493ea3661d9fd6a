"""The playground in a real browser: what is typed is drawn, told, kept, and true."""

import gzip
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

import pytest
import torch
from bs4 import BeautifulSoup
from playwright.sync_api import Page, expect
from test_browser import AXE, ROOT, SITE, bare, faults

from coursebuild.extension.site_files import JOINED
from torchutils import record_backward

__all__ = ["bare"]  # a fixture

PAGE = (SITE / "playground.html").absolute().as_uri()
SCRIPTS = ROOT / "docs" / "_static" / "playground"
STARTS = re.findall(
    r"^### (.*?)\n.*?```python\n(.*?)\n```",
    (ROOT / "docs" / "playground.md").read_text("utf-8").partition("## Twelve")[2],
    re.DOTALL | re.MULTILINE,
)
SQUARE = "x = tensor([1., 3.], requires_grad=True)\ny = (x**2).sum()"
# What changes within a live region is read aloud, also if it says the same as before.
SAID = """() => {
  window.said = [];
  const options = { childList: true, characterData: true, subtree: true };
  for (const live of document.querySelectorAll("output, [role=status], [aria-live]"))
    new MutationObserver(() => live.checkVisibility() && said.push(live.textContent))
      .observe(live, options);
}"""
PLACES = """() => Object.fromEntries([...document.querySelectorAll(".ag-text b")]
  .map((b) => [b.dataset.v, b.textContent]))"""


@contextmanager
def watched(browser, width: int, address: str) -> Iterator[Page]:
    """Open a page on a desktop or on a phone; afterwards no script has failed."""
    size = {"width": width, "height": 800}
    context = browser.new_context(viewport=size, reduced_motion="reduce")
    page = context.new_page()
    errors = []
    page.on("pageerror", lambda e: errors.append(str(e)))
    page.goto(address)
    yield page
    assert errors == []
    context.close()


@pytest.fixture(params=[1280, 390])
def page(request, browser):
    with watched(browser, request.param, PAGE) as page:
        yield page


@pytest.fixture(scope="module")
def still(browser):
    """One page for many programs, with the function in sight."""
    with watched(browser, 1280, PAGE) as page:
        page.locator(".pg-see summary").click()
        yield page


def write(page: Page, program: str):
    page.fill("#pg-text", program)


def retype(page: Page, program: str):
    """Change the program in one step: to fill in many lines takes as many."""
    change = "(e, text) => { e.value = text; e.dispatchEvent(new Event('input')); }"
    page.locator("#pg-text").evaluate(change, program)


def title(page: Page) -> str:
    return page.locator(".ag-scroll").get_attribute("aria-label")


def text(page: Page) -> str:
    return page.locator(".ag-text").text_content()


def status(page: Page) -> str:
    return page.locator("#pg-fault").inner_text()


def test_there_are_twelve_starting_points(page: Page):
    options = page.locator(".pg-write option:not([hidden])").all_inner_texts()
    assert options == [name for name, _ in STARTS]
    assert len(options) == 12


def test_choice_names_the_program_that_stands_there(page: Page):
    chosen = page.locator(".pg-write select option:checked")
    assert chosen.text_content() == STARTS[0][0]  # before anything was chosen
    page.locator(".ag-leaves input").fill("1, 2, 3, 4")
    assert chosen.text_content() == "a program of your own"
    write(page, STARTS[2][1])
    assert chosen.text_content() == STARTS[2][0]
    write(page, SQUARE)
    assert chosen.text_content() == "a program of your own"


def test_typing_says_no_more_than_has_changed(page: Page):
    """The walk's hint, and its count, were read aloud anew at each letter."""
    page.evaluate(SAID)
    retype(page, STARTS[0][1].replace("3.0]", "4.0]"))
    assert "grad [0, 3, 12, 48]" in page.locator(".ag-svg").first.text_content()
    assert page.evaluate("said") == []
    page.locator(".ag-walk [type=range]").press("ArrowLeft")
    assert len(page.evaluate("said")) > 0


def test_typing_draws(page: Page):
    write(page, "")
    page.locator("#pg-text").press_sequentially(SQUARE)
    assert title(page) == "Drawing of y = sum"
    assert page.locator(".ag-node").count() == 3
    shown = page.evaluate(PLACES)
    assert (shown["v0"], shown["r2"]) == ("10", "[2, 6]")
    drawn = page.locator(".ag-node[data-node='2']").text_content()
    assert "grad [2, 6]" in drawn


def test_page_lists_the_operations_of_the_engine(page: Page):
    (listed,) = page.locator("#what-it-knows code", has_text="+ - *").all_inner_texts()
    known = page.evaluate("playground.OPERATIONS.join(' ')")
    assert sorted(listed.split()) == sorted(known.split())


def test_fault_has_a_place_and_keeps_the_last_drawing(page: Page):
    write(page, SQUARE + "\nz = y + w")
    expect(page.locator("#pg-fault")).not_to_be_empty()
    assert status(page).startswith("Line 3, column 9: name 'w' is not defined")
    assert page.locator(".pg-code mark").text_content() == "w"
    assert title(page) == "Drawing of y = sum" or "y = dot" in title(page)
    assert page.locator("#pg-text").get_attribute("aria-invalid") == "true"
    retype(page, SQUARE)
    # Who heard of the fault hears that it is gone.
    assert status(page) == "Drawing of y = sum."
    assert page.locator(".pg-code mark").count() == 0
    assert title(page) == "Drawing of y = sum"
    retype(page, SQUARE + " ")
    assert status(page) == ""


X = "x = tensor([1., 2.], requires_grad=True)\n"
NOT = "z = x * 2\ny = z.sum()\nx.requires_grad = False\ny.backward()"


@pytest.mark.parametrize(
    ("program", "help_"),
    [
        ("x = 3.\ny = x**2", "Begin with a leaf"),
        (X + "y = x**2", "Make one number of the last line"),
        (X + "y = x**2", "y.backward(tensor([1., 1.]))"),
        (X + "y = x^2", "A power is written x**2"),
        (X + "y = 2x.sum()", "2 * x"),
        (X + "y = np.exp(x).sum()", "Write the function alone"),
        (X.replace("True", "true") + "y = x.sum()", "True and False"),
        ("x = Tensor([1., 2.])", "Write tensor."),
        ("x = tensor([1, 2])\n" + X, "holds no integers: write tensor() with"),
        ("x = tensor(1., 2.)", "square brackets"),
        ("x = tensor([1., 2.])\ny = x.sum()", "Begin with a leaf"),
        (X + "x += 1\ny = x.sum()", "z = x + 1"),
        (X + "y = x.exp()\ny += 1\ny.sum()", "z = x + 1"),
        (X + "for i in x: y = i", "a line of its own"),
        (X + "y = x.sum", "brackets call it, sum()"),
        (X + "y = (x * 2\nz = y.sum()", "Line 2, column 5: '(' was never closed"),
        (X + "y = x.sum(", "Line 2, column 10: '(' was never closed"),
        (X + "y = [x\n", "'[' was never closed"),
        (X + "y = 2 3\nz = (x", "Line 2, column 7: invalid syntax"),
        ("x = ones(2)\nx.retain_grad()", "can't retain_grad on Tensor that has"),
        (X + "make_dot(x.sum(), locals())", "name 'make_dot' is not defined"),
        (X + "y = x.sum().detach()", "No leaf leads here: see detach() and"),
        (X + "y = ones(2).sum()", "No leaf leads here"),
        (X + "y = x.sum()\nx.grad", "x.grad is None before y.backward()."),
        (X + "x.sum().backward()\nx.grad.zero_()", "Write x.grad = None."),
        (X + "z = x * 2\nz[0] = 1.", "Make it anew: stack([a, b])."),
        (X + "with no_grad():\n  x -= 0.1", "Make a new leaf: w = (x - 0.1 * x.grad)"),
        (X + "norm(x, dim=1)", "keyword argument 'dim' in the playground"),
        (X + "x.norm(1)", "norm() takes at most 1 by position in the playground"),
        (X + "x + torch.float64", "'Tensor' and 'dtype'"),
        (X + "x + no_grad()", "'Tensor' and 'no_grad'"),
        (X + "x + print()", "'Tensor' and 'NoneType'"),
    ],
)
def test_mistake_of_a_beginner_is_helped(page: Page, program, help_):
    write(page, program)
    expect(page.locator("#pg-fault")).to_contain_text(help_)


LESSON = """import torch
from torchutils import make_dot
x = torch.arange(4.0)
x.requires_grad_(True)
print(x.grad)
z = x**2
y = torch.dot(x, z)
make_dot(y, locals())
z.retain_grad()
y.backward()
x.grad, z.grad
make_dot(y, locals())"""
HELD = """program => playground.run(program).nodes.filter(({ held }) => held)
  .map(({ held }) => [...held])"""


def test_lines_of_the_first_lesson_run_here_too(page: Page):
    write(page, X + "y = (x**2).sum()\ny.backward()\nprint(x.grad)\nx.grad")
    assert status(page) == ""
    assert title(page) == "Drawing of y = sum"
    write(page, LESSON)
    assert status(page) == ""
    assert title(page) == "Drawing of y = dot"
    assert page.evaluate(HELD, LESSON) == [[0, 3, 12, 27], [0, 1, 2, 3]]
    assert page.evaluate(HELD, LESSON.replace("z.retain_grad()", "")) == [
        [0, 3, 12, 27]
    ]
    write(page, X + "y = (x**2).sum()\nprint(y)")
    assert status(page) == ""
    assert title(page) == "Drawing of y = sum"


def test_hostile_text_is_only_text(page: Page):
    write(page, "<img src=x onerror=alert(1)> = constructor['x'](\n\"</pre>\\u0000")
    expect(page.locator("#pg-fault")).not_to_be_empty()
    assert page.locator(".pg-write img, #pg-fault img").count() == 0


def test_address_holds_the_program_and_the_step(page: Page):
    write(page, SQUARE)
    page.wait_for_url(lambda url: url.endswith("#p=" + quote(SQUARE, "!'()*")))
    page.locator(".ag-walk [type=range]").press("Home")
    page.keyboard.press("ArrowRight")
    page.wait_for_url(lambda url: url.endswith("&s=1"))
    url = page.url
    page.goto("about:blank")
    page.goto(url)
    assert page.input_value("#pg-text") == SQUARE
    assert page.locator(".ag-walk output").inner_text().startswith("1 /")


@pytest.mark.parametrize("address", ["#p", "#what-it-knows", "#p&s=2"])
def test_address_without_a_program_shows_the_first(page: Page, address):
    page.goto("about:blank")
    page.goto(PAGE + address)
    assert page.input_value("#pg-text") == STARTS[0][1]


def test_address_with_a_faulty_program_shows_the_fault(page: Page):
    page.goto("about:blank")
    page.goto(PAGE + "#p=" + quote("y = 1 +"))
    assert page.input_value("#pg-text") == "y = 1 +"
    assert status(page).startswith("Line 1, column 8: invalid syntax")
    write(page, SQUARE)
    assert title(page) == "Drawing of y = sum"


def test_walk_by_keyboard_shows_one_step_after_the_other(page: Page):
    write(page, SQUARE)
    slider = page.locator(".ag-walk [type=range]")
    slider.press("Home")
    said = []
    for _ in range(7):
        page.keyboard.press("ArrowRight")
        said.append(page.locator(".ag-say").inner_text())
    assert said[0] == "x: leaf · (2,) · float64, [1, 3]"
    assert said[3] == "y (sum) has its turn: g = 1"
    assert said[4] == "y sends to #1: g, copied to each = 1, copied to each = [1, 1]"
    assert page.locator(".ag-edge.ag-on").count() == 1


def test_prediction_is_judged(page: Page):
    write(page, SQUARE)
    page.check(".ag-predict input")
    field = page.locator(".ag-ask input")
    field.fill("y")
    field.press("Enter")
    field.fill("[1, 1]")
    field.press("Enter")
    assert page.locator(".ag-ask .ag-right").is_visible()


COLOUR = "e => getComputedStyle(e).color"


def test_field_writes_into_the_program(page: Page):
    write(page, SQUARE)
    page.fill(".ag-leaves input", "2, -0.5")
    said = page.locator(".ag-leaves [role=status]")
    assert said.inner_text() == "y = 4.25"
    quiet = said.evaluate(COLOUR)
    first = page.input_value("#pg-text").split("\n")[0]
    assert first == "x = tensor([2., -0.5], requires_grad=True)"
    assert page.evaluate(PLACES)["r2"] == "[4, -1]"
    page.fill(".ag-leaves input", "2")
    assert "Numbers expected here: 2" in page.locator(".ag-leaves").inner_text()
    assert said.evaluate(COLOUR) != quiet  # a fault is seen to be one
    assert page.evaluate(PLACES)["r2"] == "[4, -1]"


def numbers(page: Page) -> tuple[str, dict]:
    """Return what the engine gives for the page's program."""
    found = page.evaluate("""() => {
      const { fault, nodes, output, leaves } = playground.run(
        document.querySelector("#pg-text").value);
      const of = (id) => nodes.find((node) => node.id == id);
      return JSON.stringify({ fault, value: of(output).value[0],
        grads: Object.fromEntries(leaves.map((id) => [of(id).names[0],
          of(id).grad && [...of(id).grad].map(String)])) }); }""")
    return json.loads(found)


def flat(value) -> list[float]:
    if isinstance(value, list):
        return [x for part in value for x in flat(part)]
    return [value]


def close(a: float, b: float) -> bool:
    return a == b or (a != a and b != b) or abs(a - b) <= 1e-12 * max(1, abs(a), abs(b))


def printed(scripts: list[str]) -> list[dict[str, list[float]]]:
    """Return what each script prints, run by torch: numbers by their names."""
    program = """import contextlib, io, json, sys
for script in json.load(sys.stdin):
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(script, {"__name__": "__main__"})
    print(json.dumps(out.getvalue()))"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=json.dumps(scripts),
        capture_output=True,
        text=True,
        check=True,
    )
    known = {"nan": float("nan"), "inf": float("inf")}
    texts = map(json.loads, done.stdout.splitlines())
    rows = ([line.split(" = ", 1) for line in text.splitlines()] for text in texts)
    return [{name: flat(eval(numbers, known)) for name, numbers in row} for row in rows]


def test_starting_points_are_what_torch_computes(page: Page):
    ours, scripts = [], []
    for name, program in STARTS:
        page.select_option(".pg-write select", label=name)
        assert page.input_value("#pg-text") == program
        assert status(page) == title(page) + "."
        ours.append(numbers(page))
        scripts.append(page.locator(".pg-script").text_content())
    theirs = printed(scripts)
    assert len(theirs) == len(ours) == 12
    for own, found in zip(ours, theirs, strict=True):
        (value,) = (x for name, x in found.items() if not name.endswith(".grad"))
        assert close(value[0], own["value"])
        grads = {n.removesuffix(".grad") for n in found if n.endswith(".grad")}
        assert grads == set(own["grads"])
        for leaf, grad in own["grads"].items():
            mine = [float(x.replace("Infinity", "inf")) for x in grad]
            assert len(mine) == len(found[f"{leaf}.grad"])
            assert all(map(close, mine, found[f"{leaf}.grad"])), leaf


def test_script_is_saved_as_it_is_shown(page: Page, tmp_path):
    page.locator(".pg-file summary").click()
    with page.expect_download() as download:
        page.click(".pg-save")
    assert download.value.suggested_filename == "playground.py"
    saved = download.value.path().read_text("utf-8")
    assert saved == page.locator(".pg-script").text_content()


def test_text_version_is_the_one_of_the_build(page: Page, bare: Page):
    bare.goto(PAGE)
    built = bare.locator(".ag-text").text_content()
    assert len(built) > 500
    assert text(page) == built


LEAVES = """
a = tensor([1., -2., 3.], requires_grad=True)
b = tensor([2., 0.5, -1.], requires_grad=True)
M = tensor([[1., 2., 0.], [-1., 3., 1.]], requires_grad=True)
k = tensor(2., requires_grad=True)
h = M @ b
"""
TOLD = [  # each rule that the page states in words, with and without broadcasting
    "(a + b * k).sum()",
    "(a - k - b).sum()",
    "(2 - a).mean()",
    "(a / b + a / k + 1 / b).sum()",
    "(a**3 * k).sum()",
    "(-a).exp().sum() * k",
    "a.reciprocal().sum() + a.clone().dot(b)",
    "h.relu().dot(M @ a)",
    "(M @ M.t()).sum() * a.dot(a)",
    "(a.abs() + 1).log().sum()",
    "(a.sin() * b.cos()).sum()",
    "(a.tanh() + b.sigmoid()).sum()",
    "(a * a).sqrt().mean()",
]


def test_each_rule_is_told_as_the_build_tells_it(page: Page):
    prelude = page.evaluate("playground.PRELUDE")
    dtype, told = torch.get_default_dtype(), set()
    for program in TOLD:
        write(page, f"{LEAVES}y = {program}")
        assert status(page) == "", program
        steps = page.locator(".ag-text ol").nth(1).locator("li").all_text_contents()
        names = {}
        try:
            exec(f"{prelude}{LEAVES}y = {program}", names)
        finally:
            torch.set_default_dtype(dtype)
        tensors = {n: v for n, v in names.items() if isinstance(v, torch.Tensor)}
        built = BeautifulSoup(record_backward(names["y"], tensors).html, "html5lib")
        expected = [li.get_text() for li in built.select("ol")[1].select("li")]
        # The sign of a 0 depends on the order in which a product of matrices adds up.
        assert steps == [re.sub(r"-0(?![\d.])", "0", line) for line in expected]
        told |= set(re.findall(r"\((\w+)\) has its turn", "\n".join(steps)))
    rules = (SCRIPTS / "draw.js").read_text("utf-8").split("const RULES = {")[1]
    assert set(re.findall(r"(\w+): \[", rules.split("};")[0])) <= told


def test_differences_agree(page: Page):
    write(page, "x = tensor([1., 3.], requires_grad=True)\ny = (x**3).sum()")
    page.locator(".pg-see summary").click()
    rows = page.locator(".pg-see tbody tr")
    expect(rows).to_have_count(2)
    assert [float(t) for t in rows.nth(1).locator("td").all_inner_texts()[:2]] == [
        pytest.approx(27),
        pytest.approx(27, rel=1e-7),
    ]
    assert rows.nth(1).locator("th").inner_text() == "x[1]"
    apart = """() => +document.querySelector(".pg-see tbody td:last-child")
      .textContent.replace("−", "-")"""
    fine = page.evaluate(apart)
    caption = "document.querySelector('.pg-see figcaption').firstChild"
    page.evaluate(f"window.said = {caption}")
    page.select_option(".pg-see p:last-of-type select", "0.1")
    assert page.evaluate(apart) == pytest.approx(0.01)  # h² for a cube
    assert page.evaluate(f"said == {caption}")  # not read out again
    assert (
        "one to each side. At most 1.0e-2 apart."
        in page.locator(".pg-see").inner_text()
    )
    assert fine < 1e-8


def test_what_has_no_tangent_and_no_direction_is_not_said_to_have_one(page: Page):
    program = "x = tensor([1., 3.], requires_grad=True)\ny = (x.detach() * x).sum()"
    write(page, program)
    assert (
        page.locator(".pg-write option:checked").inner_text() == "a program of your own"
    )
    page.locator(".pg-see summary").click()
    caption = page.locator(".pg-see figcaption")
    expect(caption).to_contain_text(
        "a tangent, unless there is a kink, or something is"
    )
    page.locator(".pg-see select").nth(1).select_option("x[1]")
    expect(caption).to_contain_text("across them, unless there is a kink")
    inside = """() => [...document.querySelectorAll(".pg-plot text")].filter((e) => {
      const [own, all] = [e, e.closest("figure")].map((it) => it.getClientRects()[0]);
      return own.left < all.left || own.right > all.right; }).length"""
    assert page.evaluate(inside) == 0
    write(page, program.replace("* x).sum()", "* 0 * x).sum()"))
    expect(caption).to_contain_text("(0, 0) has no direction, so there is no arrow")
    assert page.locator(".pg-see tbody td").nth(1).inner_text() == "0"


@pytest.mark.parametrize(
    ("program", "cells", "circles"),
    [
        ("(x * sqrt(x)).sum()", "nan nan nan", 1),
        ("sqrt(x)", "inf nan nan", 1),
        ("x**0.5", "inf nan nan", 1),
        ("log(x)", "inf nan nan", 0),
        ("log(x - 1)", "−1 nan nan", 0),
        ("1 / x", "−inf 1.0000000e+10 inf", 0),
        ("x / x", "nan 0 nan", 0),
    ],
)
def test_no_agreement_and_no_tangent_are_claimed_for_inf_and_nan(
    still: Page, program, cells, circles
):
    errors = []
    still.on("console", lambda message: errors.append(message.text))
    retype(still, f"x = tensor(0., requires_grad=True)\ny = {program}")
    see = still.locator(".pg-see")
    assert see.locator("tbody td").all_inner_texts() == cells.split()
    assert see.locator("[role=status]").inner_text().startswith("No difference can")
    assert "No tangent is drawn at x = 0" in see.locator("figcaption").inner_text()
    assert see.locator("circle").count() == circles
    assert see.locator("path").count() == 1
    assert errors == []


def test_numbers_are_written_as_pytorch_writes_them(still: Page):
    retype(still, "x = tensor(1., requires_grad=True)\ny = x * 1e999")
    assert "g · inf" in text(still)
    shown = still.locator("article").inner_text() + text(still)
    assert not re.search("Infinity|NaN", shown.replace("NaN and infinity", ""))


@pytest.mark.parametrize(
    "program",
    ["x = tensor(2., requires_grad=True)\nx = x * x\ny = x * x", X + NOT],
)
def test_program_without_a_named_leaf_says_so(still: Page, program):
    retype(still, SQUARE)
    see = still.locator(".pg-see")
    assert see.locator("tbody tr").count() == 2
    retype(still, program)
    assert status(still) == ""
    assert see.locator("tbody tr, svg *").count() == 0
    why = "No leaf with a name has a .grad."
    assert see.locator("figcaption").inner_text() == why
    assert see.locator("[role=status]").text_content() == ""
    assert see.inner_text().split("\n")[1:] == [why]
    assert not still.locator(".ag-leaves").is_visible()
    assert "# " + why in still.locator(".pg-script").text_content()
    retype(still, SQUARE)
    assert still.locator(".ag-leaves").is_visible()
    assert see.locator("table").is_visible()


def test_curve_and_contours_are_drawn(page: Page):
    write(
        page,
        "x = tensor([2., 1.], requires_grad=True)\ny = x[0]**2 * x[1] + 3 * x[1]",
    )
    page.locator(".pg-see summary").click()
    caption = page.locator(".pg-see figcaption")
    expect(caption).to_contain_text("has the gradient's entry 4 as its slope")
    path = page.locator(".pg-see path.mv-1").first.get_attribute("d")
    assert path.count("L") == 120
    page.locator(".pg-see select").nth(1).select_option("x[1]")
    expect(caption).to_contain_text("(4, 7)")
    assert page.locator(".pg-see path.mv-1").count() == 9


# What a screen reader says of a change elsewhere than in the focus.
HEARD = """() => [...document.querySelectorAll("[role=status], [aria-live=polite]")]
  .filter((e) => e.checkVisibility()).map((e) => e.textContent).join("|")"""


@pytest.mark.parametrize(
    ("control", "value"),
    [
        (".pg-write select", "3"),
        (".ag-leaves input", "1, no number"),
        (".ag-leaves input", "5, 1, 2, 3"),
        (".pg-see p:first-of-type label:first-of-type select", "1"),
        (".pg-see p:first-of-type label:last-of-type select", "1"),
        (".pg-see p:last-of-type select", "0.1"),
        (".pg-write textarea", "y ="),
    ],
)
def test_what_a_control_changes_is_heard(page: Page, control, value):
    if control.startswith(".pg-see"):
        page.locator(".pg-see summary").click()
    before = page.evaluate(HEARD)
    place = page.locator(control)
    place.focus()
    is_select = place.evaluate("e => e.matches('select')")
    place.select_option(value) if is_select else place.fill(value)
    page.wait_for_function(f"before => ({HEARD})() != before", arg=before)
    assert place.evaluate("e => e == document.activeElement")


def test_page_is_accessible(page: Page):
    page.evaluate("document.querySelectorAll('details').forEach(it => it.open = true)")
    page.evaluate(AXE)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for program in (STARTS[3][1], "x = tensor("):
            before = page.evaluate(HEARD)
            write(page, program)
            page.wait_for_function(f"before => ({HEARD})() != before", arg=before)
            assert faults(page, "") == [], (scheme, program)


APART = """() => {
  const all = [...document.querySelectorAll(".ag-scroll :is(.ag-node, .ag-mark)")]
    .map((e) => e.getBoundingClientRect()).filter((r) => r.width);
  if (all.length < 2) throw Error("nothing is drawn");
  return all.filter((a, i) => all.some((b, k) => k > i && a.left < b.right - 1
    && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1)).length;
}"""


ROOM = """() => { const place = document.querySelector(".pg-write ~ .cell .ag-scroll");
  return [place.clientWidth, place.scrollWidth]; }"""


@pytest.mark.parametrize("width", [1280, 390, 360, 320])
def test_drawings_keep_apart_what_they_show_and_fit_the_page(browser, width):
    with watched(browser, width, PAGE) as page:
        check_drawings(page, width)


def check_drawings(page: Page, width: int):
    for name, program in STARTS:
        write(page, program)
        assert page.evaluate(APART) == 0, name
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        room, needed = page.evaluate(ROOM)
        assert 0 < needed <= room, name
        legend = page.locator(".ag-scroll .ag-legend").text_content()
        assert legend.startswith("leaf: keeps .grad"), name
        assert "…" not in legend, name


def test_what_no_layout_can_fit_scrolls_and_is_drawn_whole(page: Page):
    row = f"[{', '.join(['1.2345'] * 16)}]"
    leaves = [f"{x} = tensor({row}, requires_grad=True)" for x in "abcdefgh"]
    write(page, "\n".join([*leaves, f"y = stack([{', '.join('abcdefgh')}]).sum()"]))
    assert page.locator(".ag-node").count() == 10
    assert page.evaluate(APART) == 0
    room, needed = page.evaluate(ROOM)
    assert needed > 0.9 * room  # it takes what there is


JACOBIAN = X + "y = x**2\ny.backward(tensor([1., 10.]))"


def test_upstream_gradient_is_drawn_walked_seen_and_saved(page: Page):
    write(page, JACOBIAN)
    assert status(page) == ""
    assert "y (pow) has its turn: g = [1, 10]" in text(page)
    assert page.evaluate(PLACES)["r1"] == "[2, 40]"
    page.locator(".pg-see summary").click()
    rows = page.locator(".pg-see tbody tr td:nth-of-type(2)").all_inner_texts()
    assert [float(row) for row in rows] == pytest.approx([2, 40])
    caption = page.locator(".pg-see figcaption")
    expect(caption).to_contain_text("sum of the output's entries, each times its")
    (found,) = printed([page.locator(".pg-script").text_content()])
    assert found == {"y": [1, 4], "x.grad": [2, 40]}


def test_gradients_of_two_passes_add_up(page: Page):
    write(page, X + "a = x.sum()\na.backward()\nb = x @ x\nb.backward()")
    assert title(page) == "Drawing of b = dot"
    said = text(page)
    assert "its .grad was [1, 1], is [1, 1] + [2, 4] = [3, 5]" in said
    drawn = page.locator(".ag-node[data-node='1']").text_content()
    assert "grad before = [1, 1]" in drawn
    assert "grad [1, 1]" in drawn
    assert "grad [3, 5]" in drawn
    (found,) = printed([page.locator(".pg-script").text_content()])
    assert found["x.grad"] == [3, 5]


# What a drawing tells of masks, upstream gradients, and a .grad from before.
MORE = {
    "w = where(tensor([True, False, True]), a, b)\ny = w.sum()": "",
    "p = a * b\ny = exp(p)": "y.backward(tensor([1., 3., -2.]))",
    "p = a * b\ny = p.sum()": "a.grad = tensor([1., -2., 0.5])",
}


@pytest.mark.parametrize(("line", "start"), MORE.items())
def test_start_and_choice_are_told_as_the_build_tells_them(page: Page, line, start):
    write(page, f"{LEAVES}{line}\n{start}")
    assert status(page) == ""
    prelude, dtype = page.evaluate("playground.PRELUDE"), torch.get_default_dtype()
    names = {}
    given = None
    try:
        exec(f"{prelude}{LEAVES}{line}", names)
        if ".grad =" in start:
            exec(start, names)
        elif start:
            given = eval(start.removeprefix("y.backward"), names)
    finally:
        torch.set_default_dtype(dtype)
    tensors = {n: v for n, v in names.items() if isinstance(v, torch.Tensor)}
    built = record_backward(names["y"], tensors, gradient=given).html
    expected = BeautifulSoup(built, "html5lib").select_one(".ag-text").get_text()
    assert text(page) == expected


CHANGED = "h = a * b\nh += k\nh.exp_()\ny = h.sum()"


def test_change_in_place_is_walked_as_the_build_walks_it(page: Page):
    write(page, LEAVES + CHANGED)
    assert status(page) == ""
    names, dtype = {}, torch.get_default_dtype()
    try:
        exec(page.evaluate("playground.PRELUDE") + LEAVES + CHANGED, names)
    finally:
        torch.set_default_dtype(dtype)
    tensors = {n: v for n, v in names.items() if isinstance(v, torch.Tensor)}
    built = BeautifulSoup(record_backward(names["y"], tensors).html, "html5lib")
    told = [page.locator(".ag-text ol").nth(k) for k in (0, 1)]
    ours = [place.locator("li").all_text_contents() for place in told]
    theirs = [[li.get_text() for li in ol.select("li")] for ol in built.select("ol")]
    assert ours[1] == theirs[1]
    named = [[line for line in list_[0] if line[0] != "#"] for list_ in (ours, theirs)]
    assert named[0] == named[1]
    assert sum("changed in place: version 2" in line for line in named[0]) == 1
    data = json.loads(page.locator(".pg-write ~ .cell .ag-data").text_content())
    assert len(data["nodes"]) == page.locator(".ag-node").count() == 7
    line = page.locator('.pg-line[data-made="1-1"]').inner_text()
    assert line.rstrip() == "h.exp_()"


def assert_differences(page: Page, *slopes: float) -> None:
    """Autograd and differences give these slopes along the leaf's entries."""
    page.locator(".pg-see summary").click()
    rows = page.locator(".pg-see tbody tr")
    expect(rows).to_have_count(len(slopes))
    for row, slope in zip(rows.all(), slopes, strict=True):
        found = row.locator("td").all_inner_texts()[:2]
        assert [float(t) for t in found] == pytest.approx([slope, slope])


def test_change_in_place_is_seen_and_saved(page: Page):
    write(page, X + "y = x * 3\ny *= x\ny -= 1\nL = y.sum()")
    assert_differences(page, 6, 12)
    (found,) = printed([page.locator(".pg-script").text_content()])
    assert found == {"L": [13], "x.grad": [6, 12]}


def test_leaf_that_is_computed_is_seen_as_it_is(page: Page):
    leaf = "x = (tensor([1., 3.]) * 2).requires_grad_()\n"
    write(page, leaf + "z = x\ny = (z**2).sum()")
    assert_differences(page, 4, 12)


def test_each_field_stands_beside_its_name(page: Page):
    page.select_option(".pg-write select", label="The chain rule")
    labels = page.locator(".ag-leaves label")
    assert labels.count() == 4
    for label in labels.all():
        field = label.locator("input").bounding_box()
        assert label.bounding_box()["height"] < 1.9 * field["height"]


def test_plot_that_is_opened_late_shows_what_ran(page: Page):
    write(page, SQUARE)
    write(page, SQUARE + "\nz = y +")
    page.locator(".pg-see summary").click()
    rows = page.locator(".pg-see tbody tr")
    expect(rows).to_have_count(2)
    assert rows.nth(1).locator("td").first.inner_text() == "6"
    assert float(rows.nth(1).locator("td").nth(1).inner_text()) == pytest.approx(6)
    path = page.locator(".pg-see path.mv-1").first.get_attribute("d")
    assert path.count("L") == 120


def test_paper_shows_the_program_and_its_drawing(page: Page):
    page.emulate_media(media="print")
    assert page.locator("#pg-text").is_visible()
    assert page.locator("figure.ag svg").first.is_visible()
    assert not page.locator(".ag-walk").is_visible()
    assert not page.locator(".pg-write label").first.is_visible()
    assert page.locator(".pg-write label[for]").is_visible()
    see = page.locator(".pg-see")
    assert not see.is_visible()
    see.evaluate("e => e.open = true")
    assert see.is_visible()


def test_page_without_javascript_says_so_and_shows_a_drawing(bare: Page):
    bare.goto(PAGE)
    assert "needs JavaScript" in bare.locator("noscript").inner_text()
    assert not bare.locator("#pg-text").is_visible()
    assert bare.locator("figure.ag svg").first.bounding_box()["height"] > 50
    assert bare.locator(".cell_input").first.is_visible()
    assert not bare.locator(".pg-see").is_visible()


def test_scripts_are_small_and_on_their_pages_alone():
    pages = {p.name: p.read_text("utf-8") for p in SITE.glob("**/*.html")}
    found = {
        n: re.findall(r"_static/playground/(\w+\.js)", t) for n, t in pages.items()
    }
    loading = {name: files for name, files in found.items() if files}
    assert {*loading} == {"playground.html", "practice.html"}
    for name, files in loading.items():
        assert files == [name.replace(".html", ".js")]
        code = (SITE / "_static" / "playground" / files[0]).read_bytes()
        parts = JOINED[name.removesuffix(".html")]
        assert len(parts) >= 5
        assert len(code) > 60_000
        assert len(gzip.compress(code, 6)) <= 30 * 1024
    assert len(pages) > 50


def test_no_text_of_the_scripts_loses_an_indent():
    """The build strips indents and empty lines, which a long text may need."""
    files = sorted((ROOT / "docs" / "_static" / "playground").glob("*.js"))
    for file in files:
        inside = False
        for line in file.read_text("utf-8").splitlines():
            assert not inside or line.strip() == line != "", (file.name, line)
            inside ^= line.count("`") % 2
    assert len(files) >= 5


def test_playground_leaves_nothing_behind_in_the_browser(page: Page):
    before = page.evaluate("JSON.stringify({...localStorage})")
    write(page, SQUARE)
    page.wait_for_timeout(400)
    assert page.evaluate("JSON.stringify({...localStorage})") == before
    assert page.evaluate("sessionStorage.length") == 0


def test_bar_covers_the_drawing_of_a_phone_once_it_is_used(browser):
    with watched(browser, 390, PAGE) as page:
        bar, drawing = page.locator(".ag-walk"), page.locator(".ag-scroll")
        write(page, "x = tensor([1., 2.], requires_grad=True)\ny = (3 * x**2).sum()")
        assert drawing.bounding_box()["height"] > 400
        page.evaluate("scrollTo(0, 0)")
        below = drawing.bounding_box()["y"] + drawing.bounding_box()["height"]
        assert bar.bounding_box()["y"] >= below - 1
        bar.get_by_role("button", name="Next").click()
        drawing.evaluate("e => e.scrollIntoView({block: 'start'})")
        inside = bar.bounding_box()
        assert inside["y"] < below
        assert inside["y"] + inside["height"] <= 801
