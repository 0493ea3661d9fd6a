"""The reader of numbers that all boxes share, in a browser; and what the boxes say."""

import random

import pytest
import torch
from playwright.sync_api import Page
from test_predict import check, context, page, visit
from test_walk import PAGES, ROOT, SITE, figures, serve, tab, vector
from test_walk import page as walk_page

from torchutils import answer_key, check_answer, record_backward

__all__ = ["context", "page", "tab", "walk_page"]  # fixtures

NUMBERS = (ROOT / "docs/_static/numbers.js").read_text()
READ = [  # text, numbers
    ("27", [27]),
    ("[1, 2]", [1, 2]),
    ("1 2", [1, 2]),
    ("[[1], [2],[3]]", [1, 2, 3]),
    ("(1, (2, 3)); 4", [1, 2, 3, 4]),
    ("1/3", [1 / 3]),
    ("-62/3", [-62 / 3]),
    ("sqrt(65)", [65**0.5]),
    ("√65", [65**0.5]),
    ("2 * sqrt(4) + 1", [5]),
    ("9+18", [27]),
    ("9 + 18", [27]),
    ("9 - 18", [-9]),
    ("9-18", [-9]),
    ("1 -2", [1, -2]),
    ("- 4, − 4, 3", [-4, -4, 3]),
    ("–4 ‐4 -4", [-4, -4, -4]),
    ("-2^2", [-4]),
    ("2**10", [1024]),
    ("(1 + 2) * 3", [9]),
    ("2 · 6", [12]),
    ("2e-3", [0.002]),
    ("-1.5E+2", [-150]),
    (".5 5.", [0.5, 5]),
    ("tensor([0., 4.])", [0, 4]),
    ("tensor(27., grad_fn=<MulBackward0>)", [27]),
    ("tensor([1.], dtype=torch.float64, requires_grad=True)", [1]),
    ("tensor([[1., 2.],         [3., 4.]], device='cuda:0')", [1, 2, 3, 4]),
    ("(tensor(-8.), tensor(6.))", [-8, 6]),
    ("27 m", [27]),
    ("27m", [27]),
    ("3 m/s, 40 %", [3, 40]),
    ("exp(0) ln(1) cos(0)", [1, 0, 1]),
    ("6 + 8i", [6, 8]),
    ("6 -8i", [6, -8]),
    ("-10-10j", [-10, -10]),
    ("2 − 4i, −i, 1", [2, -4, 0, -1, 1, 0]),
    ("tensor(6.0000+8.j, dtype=torch.complex128)", [6, 8]),
    ("tensor([2.-4.j, 0.-1.j, 1.+0.j])", [2, -4, 0, -1, 1, 0]),
    ("1/2 + 3j/4", [0.5, 0.75]),
    ("1e-5+2e-3j", [1e-5, 2e-3]),
    ("3 in", [3]),
]
REFUSED = [  # text, fault
    ("", "number"),
    ("abc", "number"),
    ("1, two", "number"),
    ("nan", "number"),
    (")(", "number"),
    ("[]", "number"),
    ("(1", "number"),
    ("1)", "number"),
    ("tensor", "number"),
    ("--", "number"),
    ("1 +", "number"),
    ("0x10", "number"),
    ("0xff", "number"),
    ("1_000", "number"),
    ("1.2.3", "number"),
    ("[1, 2] * 2", "number"),
    ("constructor(1)", "number"),
    ("alert(1)", "number"),
    ("1e999", "large"),
    ("1/0", "large"),
    ("sqrt(-1)", "large"),
    ("(" * 9999, "number"),
    ("(1 + 2i) * (3 + 4i)", "number"),
    ("1j ** 2", "number"),
    ("3j2", "number"),
    ("1/i", "large"),
]
COUNTED = [  # text, how many are expected, fault
    ("1 2 3", 3, ""),
    ("1 2 3", 4, "count"),
    ("27,0", 1, "comma"),
    ("0,99", 1, "comma"),
    ("-0,5", 1, "comma"),
    ("1,5; 2,5", 2, "comma"),
    ("1,5", 2, ""),
    ("1, 5", 1, "count"),
    ("1e999", 2, "large"),
    ("6 + 8i", 2, ""),
    ("6 + 8i", 1, "count"),
    ("14", 2, "count"),
]


def read(page: Page, *given) -> dict:
    page.goto("about:blank")
    return page.evaluate(
        f"given => {{ {NUMBERS}; return readNumbers(...given); }}", given
    )


@pytest.mark.parametrize(("text", "numbers"), READ)
def test_reader_takes(page: Page, text, numbers):
    found = read(page, text)
    assert found["fault"] == ""
    assert found["numbers"] == pytest.approx(numbers)


@pytest.mark.parametrize(("text", "fault"), REFUSED)
def test_reader_refuses(page: Page, text, fault):
    assert read(page, text)["fault"] == fault


@pytest.mark.parametrize(("text", "count", "fault"), COUNTED)
def test_reader_counts(page: Page, text, count, fault):
    assert read(page, text, count)["fault"] == fault


def test_decimal_comma_gets_a_hint(page: Page):
    visit(page, "lessons/1_foundations/30_chain_rule.html")
    form = page.locator("form.ask").first
    assert check(form, "27,0").startswith("A decimal point, please, as in 0.5.")
    assert form.get_attribute("data-card") == "comma"


def test_number_of_the_lesson_gets_its_card(page: Page):
    """What the text of the lesson says, −9996, is what the card says."""
    visit(page, "lessons/1_foundations/90_control_flow.html")
    box = page.locator(".predict", has_text="At 499.9")
    assert check(box.locator("form.ask"), "−9996").startswith("If you found −9996:")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("1, 2, 1e999", "Too large"),
        ("abc", "Numbers, please"),
        ("1, 2", "Numbers expected here: 3."),
        ("0,1 0,2 0,3", "A decimal point, please"),
    ],
)
def test_field_of_a_leaf_says_what_is_wrong(walk_page: Page, given, says):
    serve(walk_page, vector())
    field = walk_page.locator(".ag-leaves input")
    field.fill(given)
    words = walk_page.locator(f"#{field.get_attribute('aria-describedby')}")
    assert words.inner_text().startswith(says)
    assert words.get_attribute("role") == "status"
    assert field.evaluate("e => e == document.activeElement")
    field.fill("4, 1/2, [3]")
    assert words.inner_text() == ""
    assert field.get_attribute("aria-describedby") is None
    assert field.get_attribute("aria-invalid") == "false"


def ones():
    """Make a broadcast sum, whose twelve ones the drawing tells in words."""
    x = torch.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
    w = torch.tensor([[1.0], [2.0], [3.0]], requires_grad=True)
    y = (x * w).sum()
    return record_backward(y, {"x": x, "w": w, "y": y})


@pytest.mark.parametrize(
    ("typed", "card"),
    [("12", "fault"), ("1 " * 12, "right"), ("2 " * 12, "number"), ("0x1", "fault")],
)
def test_prediction_of_what_is_told_in_words(walk_page: Page, typed, card):
    drawing = ones()
    step = len(drawing.graph.forward) + 1
    serve(walk_page, drawing, step=f"#ag-1-s{step}")
    walk_page.locator(".ag-predict input").click()
    form = walk_page.locator("form.ag-ask")
    assert "(shape (3, 4))" in form.locator("label").inner_text()
    form.locator("input").fill(typed)
    walk_page.keyboard.press("Enter")
    assert form.get_attribute("data-card") == card


def test_prediction_takes_a_tensor(walk_page: Page):
    serve(walk_page, vector(), step="#ag-1-s7")
    walk_page.locator(".ag-predict input").click()
    walk_page.locator("form.ag-ask input").fill("tensor([ 3., 12., 27.])")
    walk_page.keyboard.press("Enter")
    assert figures(walk_page).locator("output").inner_text() == "8 / 9"


def test_every_box_of_the_site_has_the_reader():
    for name in PAGES:
        text = (SITE / name).read_text()
        boxes = any(f'class="{it}"' in text for it in ("ask", "ag-walk", "pr-ask"))
        assert text.count('id="number-says"') == boxes, name


@pytest.mark.parametrize(
    ("typed", "card"),
    [
        ("-10-10j", "right"),
        ("-10, -10", "right"),
        ("-20", "fault"),
        ("14-2j", "number"),
    ],
)
def test_prediction_of_a_complex_adjoint_needs_both_parts(walk_page: Page, typed, card):
    w = torch.tensor(1 + 0j, dtype=torch.complex128, requires_grad=True)
    loss = (w * (1 + 2j) - 5j).abs() ** 2
    drawing = record_backward(loss, {"w": w, "loss": loss})
    serve(walk_page, drawing)
    for button in ("Last", "Back", "Back"):
        walk_page.get_by_role("button", name=button).click()
    walk_page.locator(".ag-predict input").click()
    form = walk_page.locator("form.ag-ask")
    assert "sends to w" in form.locator("label").inner_text()
    form.locator("input").fill(typed)
    walk_page.keyboard.press("Enter")
    assert form.get_attribute("data-card") == card


def test_verdict_is_that_of_the_site(browser):
    """Both compare 600 pairs, most of them near a border."""
    chance = random.Random(5)
    pairs = []
    for _ in range(600):
        right = chance.choice([0.0, 1.0, -1.0, 10 ** chance.uniform(-4, 4)])
        gap = chance.choice([0, 0.9e-3, 1.1e-3, -0.9e-3, 0.02]) * max(1, abs(right))
        pairs.append((right, round(right + gap, chance.randint(1, 6))))
    page = browser.new_page()
    page.add_script_tag(content=NUMBERS)
    theirs = page.evaluate(
        """pairs => pairs.map(([x, y]) => nearNumbers([x], [y]) ? "Right."
           : nearNumbers([x], [y], isRounded) ? "Almost, a digit is missing."
           : "Not right yet.")""",
        pairs,
    )
    page.close()
    ours = [check_answer(given, answer_key(right)).text for right, given in pairs]
    assert ours == theirs
    assert len(set(ours)) == 3
