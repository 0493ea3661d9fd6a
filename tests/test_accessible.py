"""Pages by keyboard, on a phone, or without motion; axe looks in ``test_browser``."""

import pytest
from gzipped import gzipped
from playwright.sync_api import Page
from test_browser import HIDDEN_TABLES, LESSON, MOVING, SITE

KEY_PAGES = ["index.html", "lessons/index.html", LESSON, "search.html", "ledger.html"]
WALKED = [
    "lessons/1_foundations/20_the_graph_behind_y.html",
    "lessons/1_foundations/30_chain_rule.html",
]
STOP = """() => {
  const e = document.activeElement;
  if (e === document.body) return null;
  const style = getComputedStyle(e);
  const rects = [...e.getClientRects()];
  const { left, right, top, bottom } = rects[0];
  const middle = (a, b, end) => (Math.max(a, 0) + Math.min(b, end)) / 2;
  const at = document.elementFromPoint(
    middle(left, right, innerWidth), middle(top, bottom, innerHeight));
  return {
    name: (e.ariaLabel || e.innerText || e.className || e.tagName).trim().slice(0, 40),
    ring: style.outlineStyle != "none" && parseFloat(style.outlineWidth) >= 1,
    seen: !!at && rects.some((r) => r.width > 3) && (e.contains(at) || at.contains(e)),
  };
}"""


@pytest.fixture(scope="module")
def address():
    with gzipped(SITE) as address:
        yield address


@pytest.fixture
def page(browser):
    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, reduced_motion="reduce"
    )
    yield context.new_page()
    context.close()


def test_narrow_page_scrolls_clear_of_its_bar(page: Page, address):
    """The theme's length of the bar is the body's: html cannot read it."""
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(address + LESSON)
    bar = page.locator(".mobile-header").bounding_box()["height"]
    padding = "parseFloat(getComputedStyle(document.documentElement).scrollPaddingTop)"
    assert 40 < bar <= page.evaluate(padding)
    target = page.locator("article h2").nth(1)
    target.locator("a.headerlink").evaluate("a => a.click()")
    top = target.evaluate("e => e.getBoundingClientRect().top")
    assert bar <= top <= 2.5 * bar


def test_cards_are_named_by_their_lessons_and_show_them(page: Page, address):
    page.goto(address + "lessons/index.html", wait_until="networkidle")
    cards = page.locator(".lesson-card")
    assert cards.count() > 5
    for card in cards.all():
        link = card.get_by_role("link")
        target = page.request.get(address + "lessons/" + link.get_attribute("href"))
        assert f"<title>{link.inner_text()} - " in target.text()
        assert card.locator("img").evaluate("image => image.naturalWidth") > 50


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", [*KEY_PAGES, *WALKED])
def test_keyboard_sees_where_it_is_all_the_way(page: Page, address, name, width):
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(address + name)
    stops = []
    for _ in range(600):
        page.keyboard.press("Tab")
        if not (stop := page.evaluate(STOP)):
            break
        stops.append(stop)
    else:
        pytest.fail("the keyboard does not get out of the page")
    assert len(stops) > 20
    assert [stop for stop in stops if not (stop["ring"] and stop["seen"])] == []


def test_motion_is_noticed(page: Page, address):
    page.goto(address + "index.html")
    page.add_style_tag(content="article p { transition: color 1s }")
    assert page.evaluate(MOVING) != []


def test_table_that_cannot_scroll_is_noticed(page: Page, address):
    page.set_viewport_size({"width": 320, "height": 700})
    page.goto(address + "ledger.html")
    page.locator("article").evaluate(
        "e => e.insertAdjacentHTML('beforeend', '<table style=\"width: 60rem\">')"
    )
    assert page.evaluate(HIDDEN_TABLES) != []
