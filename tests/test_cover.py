"""What answers a prediction stays covered until the reader wants it, in a browser."""

import html
import re

import pytest
from playwright.sync_api import Page
from test_browser import AXE, PAGES, SITE, address, faults
from test_predict import (
    FIRST,
    FORM,
    REFUSED,
    SECOND,
    SHIFT,
    check,
    context,
    page,
    visit,
)

__all__ = ["address", "context", "page"]  # fixtures

CHAIN = "lessons/1_foundations/30_chain_rule.html"
ASKING = [
    name for name in PAGES if '<div class="box predict' in (SITE / name).read_text()
]
# For each box: the parts of what stands up to the next box or heading, code left out.
PARTS = """box => {
  const parts = [];
  for (let it = box.nextElementSibling; it && !it.matches("section, .box");
       it = it.nextElementSibling)
    parts.push(...(it.matches(".cell") ? it.children : [it]));
  return parts.filter(
    p => !p.matches("[class*=highlight-Python], .cell_input, .plotting")); }"""
SEES = "e => e.checkVisibility({visibilityProperty: true})"
SEEN = f"""() => [...document.querySelectorAll(".predict")].flatMap({PARTS})
  .flatMap(e => [e, ...e.querySelectorAll("*")]).filter({SEES})
  .map(e => e.outerHTML.slice(0, 100))"""
UNSEEN = f"""() => [...document.querySelectorAll(".predict")].flatMap({PARTS})
  .filter(e => !({SEES})(e)).map(e => e.outerHTML.slice(0, 100))"""
CODE = """() => [...document.querySelectorAll(
    ":not(.plotting) > [class*=highlight-Python] pre, .plotting > summary")]
  .every(pre => pre.checkVisibility({visibilityProperty: true}))"""


PRINTED = re.compile(r'<div class="cell-output"><pre.*?</pre>', re.DOTALL)
NUMBER = re.compile(r"(?<![\w.])[-−]?\d+(?:\.\d*)?(?:e[-+]?\d+)?")

# two slopes are printed, and the box asks whether one complex number holds the same
PRINTED_ON_PURPOSE = {"lessons/4_advanced/70_complex.html": [[6, 8]]}

# in the exam most boxes ask for a sentence, and only three show an output after them
ASKED_ALONE = {"lessons/3_debugging/90_exam.html": 3}


def numbers(text: str) -> list[float]:
    return [float(n.replace("−", "-")) for n in NUMBER.findall(text)]


def shown_before(page: str) -> list[list[float]]:
    """Return the answers of a page that an output above, in their section, is.

    One number, or noughts and ones alone, are printed by chance as well.
    """
    found = []
    for section in page.split("<h2")[1:]:
        outputs = [
            (match.start(), numbers(html.unescape(re.sub("<[^>]*>", " ", match[0]))))
            for match in PRINTED.finditer(section)
        ]
        for form in FORM.finditer(section):
            above = [shown for place, shown in outputs if place < form.start()]
            asked = [round(n, 6) for n in numbers(form[1])]
            if len(asked) > 1 and not {*asked} <= {0, 1}:
                found += [
                    asked for shown in above if shown == pytest.approx(asked, abs=1e-4)
                ]
    return found


def covered(page: Page) -> int:
    return page.locator(".covered").count()


def test_there_are_pages_that_ask():
    assert len(ASKING) >= 10


@pytest.mark.parametrize(
    ("output", "found"),
    [
        ("tensor([  2., -10.])", [[2, -10]]),
        ("tensor([  2., 10.])", []),
        ("tensor([2, -10, 3])", []),
    ],
)
def test_answer_that_is_printed_above_its_box_is_found(output, found):
    printed = f'<div class="cell-output"><pre>{output}</pre></div>'
    box = '<form class="ask" data-numbers="2.0 -10.0">'
    assert shown_before(f"<h2>A</h2>{printed}{box}") == found
    assert shown_before(f"<h2>A</h2>{box}{printed}") == []
    assert shown_before(f"<h2>A</h2>{printed}<h2>B</h2>{box}") == []


def test_no_output_above_a_box_is_its_answer():
    pages = {name: (SITE / name).read_text(encoding="utf-8") for name in ASKING}
    assert sum(len(PRINTED.findall(page)) for page in pages.values()) > 100
    spoilt = {name: shown_before(page) for name, page in pages.items()}
    found = {name: answers for name, answers in spoilt.items() if answers}
    assert found == PRINTED_ON_PURPOSE


@pytest.mark.parametrize("name", ASKING)
def test_everything_but_code_is_covered_and_can_be_shown(page: Page, name):
    visit(page, name)
    before = page.evaluate("document.body.scrollHeight")
    assert page.evaluate(SEEN) == []
    boxes = ASKED_ALONE.get(name) or page.locator(".predict").count()
    assert len(page.evaluate(UNSEEN)) >= boxes
    assert page.evaluate(CODE)
    buttons = page.locator(".cover-one:visible")
    while buttons.count():
        buttons.first.press("Enter")
    assert covered(page) == 0
    assert page.evaluate(UNSEEN) == []
    assert page.evaluate("document.body.scrollHeight") == before


@pytest.mark.parametrize(("typed", "opens"), [("27", 1), ("9", 0), ("8", 0), ("x", 0)])
def test_only_what_is_right_uncovers(page: Page, typed, opens):
    visit(page, CHAIN)
    before = covered(page)
    check(page.locator("form.ask").first, typed)
    if opens:  # the event of the answer that opens comes later
        uncovered = "before => document.querySelectorAll('.covered').length < before"
        page.wait_for_function(uncovered, arg=before)
    else:
        page.wait_for_timeout(50)
        assert covered(page) == before


def test_opened_answer_uncovers_its_own_box_for_good(page: Page):
    visit(page, CHAIN)
    walk = page.locator("figure.ag svg").first
    summary = page.locator(".answer summary").first
    summary.press("Enter")
    walk.wait_for(state="visible")
    summary.press("Enter")
    page.wait_for_timeout(50)
    assert walk.is_visible()
    assert covered(page) > 0  # the other boxes'


def test_keyboard_lands_on_what_it_has_uncovered(page: Page):
    visit(page, CHAIN)
    page.locator(".answer summary").first.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert page.evaluate("document.activeElement.className") == "cell-output"


def test_pointer_uncovers_where_it_clicks(page: Page):
    visit(page, CHAIN)
    page.locator(".cell-output.covered").first.click(force=True)
    assert page.locator("figure.ag svg").first.is_visible()


@pytest.mark.parametrize("where", ["#ag-1-s5", "#ag-1-s0"])
def test_link_to_a_step_uncovers_its_drawing(page: Page, where):
    visit(page, CHAIN)
    page.evaluate("where => location.hash = where", where)
    page.wait_for_function("!document.querySelector('figure.ag').closest('.covered')")
    visit(page, "index.html")
    page.goto((SITE / CHAIN).as_uri() + where)
    assert page.locator("figure.ag svg").first.is_visible()
    assert covered(page) > 0


def test_everything_stays_shown_until_it_is_covered_again(page: Page):
    visit(page, FIRST)
    button = page.locator(".cover-all")
    assert button.count() == 1
    assert button.get_attribute("aria-pressed") == "false"
    button.press("Enter")
    assert covered(page) == 0
    visit(page, SECOND)
    assert covered(page) == 0
    assert page.locator(".cover-one:visible").count() == 0
    assert button.get_attribute("aria-pressed") == "true"
    button.press("Enter")
    assert covered(page) > 0
    page.reload()
    assert covered(page) > 0


def test_box_that_was_found_is_open_at_the_next_visit(page: Page):
    visit(page, CHAIN)
    check(page.locator("form.ask").first, "27")
    page.reload()
    assert page.locator("figure.ag svg").first.is_visible()
    assert covered(page) > 0


def test_storage_that_throws_covers_and_uncovers(context):
    page = context.new_page()  # in which the theme's own script complains
    page.add_init_script(REFUSED)
    visit(page, CHAIN)
    assert covered(page) > 0
    page.locator(".cover-all").click()
    assert covered(page) == 0


def test_nothing_is_covered_without_javascript_or_on_paper(browser, page: Page):
    bare = browser.new_context(java_script_enabled=False).new_page()
    visit(bare, CHAIN)
    assert bare.locator(".covered, .cover-all, .cover-one").count() == 0
    assert bare.locator("figure.ag svg").first.is_visible()
    bare.context.close()
    visit(page, CHAIN)
    page.emulate_media(media="print")
    assert covered(page) > 0
    assert page.locator(".covered").first.is_visible()
    assert page.locator(".cover-all:visible, .cover-one:visible").count() == 0


@pytest.mark.parametrize("name", [FIRST, CHAIN])
def test_cover_moves_nothing_when_the_page_loads(page: Page, name):
    visit(page, name)
    assert page.evaluate(SHIFT) < 0.001


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_covered_page_is_accessible(page: Page, address, scheme, width):
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(address + CHAIN)
    page.evaluate(AXE)
    assert covered(page) > 0
    assert faults(page, "'article', ") == []
    page.locator(".cover-all").click()
    assert faults(page, "'article', ") == []


def test_walk_opens_where_the_forward_pass_ends(page: Page):
    visit(page, CHAIN)
    assert page.locator("output").first.evaluate("e => e.value") == "3 / 9"
    visit(page, "index.html")
    now, last = page.locator("output").first.evaluate("e => e.value").split(" / ")
    assert now == last
