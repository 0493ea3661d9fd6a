"""Pictures that a reader moves, in a real browser: by keyboard, by pointer, by none."""

import json

import pytest
from playwright.sync_api import Locator, Page
from test_browser import AXE, PAGES, SITE, faults

MOVING = [name for name in PAGES if 'class="mv"' in (SITE / name).read_text()]
UNCOVER = "document.querySelectorAll('.cover-one').forEach(e => e.click())"
SHOWN = """figure => ({
  marks: [...figure.querySelectorAll("[data-row]:not(.mv-held)")]
    .map(e => e.getAttribute("d")),
  words: [...figure.querySelectorAll(".mv-say b")].map(e => e.textContent),
  at: [...figure.querySelectorAll("output")].map(e => e.value),
  spoken: [...figure.querySelectorAll("input")].map(e => e.ariaValueText)})"""
LABEL = """figure => [figure.querySelector("svg").ariaLabel,
  figure.querySelector(".mv-say").textContent]"""
SEEN = f"figure => [({SHOWN})(figure), ...({LABEL})(figure)]"
ANEW = """document.querySelectorAll(".mv form").forEach(
  form => { form.reset(); form.oninput(); }); scrollTo(0, 0)"""
LETTERS = """() => [...document.querySelectorAll(".mv > svg")].map(
  svg => 12 * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width)"""
# Where a moving point is on the screen, at a position.
PLACE = """(figure, row) => { const held = figure.querySelector(".mv-held");
  const data = JSON.parse(figure.querySelector(".mv-data").textContent);
  const [x, y] = data.marks[held.dataset.row][row].match(/\\d+/g);
  const { x: u, y: v } = new DOMPoint(x, y).matrixTransform(held.getScreenCTM());
  return [u, v]; }"""


@pytest.fixture(scope="module", params=MOVING)
def opened(request, browser):
    """Open a page once for all tests of it, uncovered; return it with what it says."""
    context = browser.new_context(reduced_motion="reduce")
    context.set_default_timeout(30_000)
    page = context.new_page()
    messages = []
    page.on("pageerror", lambda e: messages.append(str(e)))
    page.on("console", lambda m: messages.append(m.text))
    page.goto((SITE / request.param).as_uri())
    page.evaluate(UNCOVER)
    yield page, messages
    context.close()


@pytest.fixture
def page(opened):
    """A page as a reader finds it, wherever an earlier test has moved its pictures."""
    page, messages = opened
    page.set_viewport_size({"width": 1280, "height": 900})
    page.emulate_media(media="screen", color_scheme="light")
    page.evaluate(ANEW)
    yield page
    page.mouse.up()
    assert messages == []


def figures(page: Page) -> list[Locator]:
    found = page.locator("figure.mv").all()
    assert found
    return found


def data(figure: Locator) -> dict:
    return json.loads(figure.locator(".mv-data").text_content())


def rows(figure: Locator) -> list[dict]:
    """Return what each position has to show, from the picture's table."""
    table = data(figure)
    first, second = [*table["at"], [None]][:2]
    at = [[x, y][: len(table["at"])] for x in first for y in second]
    return [
        {
            "marks": [paths[k] for paths in table["marks"]],
            "words": [words[k] for words in table["words"]],
            "at": places,
            "spoken": places,
        }
        for k, places in enumerate(at)
    ]


def test_there_are_pictures_to_move():
    assert MOVING
    held = sum((SITE / name).read_text().count("mv-held") for name in MOVING)
    assert held >= 2


def test_keyboard_shows_each_row_of_the_table(page: Page):
    for figure in figures(page):
        expected = rows(figure)
        sliders = figure.locator("input").all()
        for slider in sliders:
            slider.press("Home")
        last = len(data(figure)["at"][-1])
        handle = figure.element_handle()
        for k, row in enumerate(expected):
            shown, label, said = handle.evaluate(SEEN)
            assert shown == row
            assert label.endswith(f". {said}")
            assert all(f" = {value}" in label for value in row["at"])
            if (k + 1) % last:
                page.keyboard.press("ArrowRight")  # the last one has the focus
            else:
                sliders[0].press("ArrowRight")
                sliders[-1].press("Home")


def test_pointer_drags_to_the_nearest_position(page: Page):
    for figure in figures(page):
        if not figure.locator(".mv-held").count():
            continue  # no point of it moves
        figure.scroll_into_view_if_needed()
        expected = rows(figure)
        held = figure.locator(".mv-held").get_attribute("data-row")
        assert len({*data(figure)["marks"][int(held)]}) > 1  # there is a way to drag it
        for k in (0, len(expected) // 2, len(expected) - 1, 1):
            x, y = figure.evaluate(PLACE, k)
            if k == 0:
                page.mouse.move(x, y)
                page.mouse.down()
            page.mouse.move(x, y)
            shown = figure.evaluate(SHOWN)
            assert shown in expected
            paths = data(figure)["marks"][int(held)]
            assert paths[expected.index(shown)] == paths[k]
        page.mouse.up()
        before = figure.evaluate(SHOWN)
        page.mouse.move(*figure.evaluate(PLACE, 0))
        assert figure.evaluate(SHOWN) == before


@pytest.fixture(scope="module")
def bare(browser):
    """One page without JavaScript for all tests: a new one takes longer."""
    context = browser.new_context(java_script_enabled=False)
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("name", MOVING)
def test_picture_is_complete_without_a_script(bare: Page, name):
    bare.goto((SITE / name).as_uri())
    for figure in bare.locator("figure.mv").all():
        assert figure.locator("svg").first.is_visible()
        assert figure.locator(".mv-say").is_visible()
        assert figure.locator("output").first.is_visible()  # which position it shows
        assert not figure.locator("input").first.is_visible()
        figure.locator("summary").click()
        assert figure.locator("td").count() >= 4
        assert figure.locator("td").first.is_visible()


def test_paper_has_picture_and_table_and_no_slider(page: Page):
    page.emulate_media(media="print")
    for figure in figures(page):
        assert figure.locator("svg").first.is_visible()
        assert figure.locator("td").first.is_visible()
        assert figure.locator("output").first.is_visible()
        assert not figure.locator("input").first.is_visible()


def test_picture_fits_and_can_be_read(page: Page):
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 844})
        for figure in figures(page):
            room = figure.bounding_box()
            assert room["x"] >= 0
            assert room["x"] + room["width"] <= width
        assert min(page.evaluate(LETTERS)) >= 12


def test_picture_has_no_faults(page: Page):
    """Axe sees it on a desktop here; in ``test_browser`` on a phone and in the dark."""
    page.evaluate(AXE)
    assert faults(page, "'figure.mv', ") == []


def test_nothing_jumps_when_it_moves(page: Page):
    page.set_viewport_size({"width": 390, "height": 844})
    for figure in figures(page):
        heights = set()
        for key in ("Home", "PageUp", "End", "ArrowLeft"):
            figure.locator("input").first.press(key)
            heights.add(figure.bounding_box()["height"])
        assert len(heights) == 1
