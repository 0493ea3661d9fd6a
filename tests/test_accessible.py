"""Every page for those who need it larger, on paper, by keyboard, or without motion."""

from itertools import pairwise

import pytest
from gzipped import gzipped
from playwright.sync_api import Page
from test_browser import AXE, LESSON, PAGES, SITE, faults

KEY_PAGES = ["index.html", "lessons/index.html", LESSON, "search.html", "ledger.html"]
WALKED = [
    "lessons/1_foundations/20_the_graph_behind_y.html",
    "lessons/1_foundations/30_chain_rule.html",
]
OPEN = """document.querySelectorAll('details').forEach(e => e.open = true);
document.documentElement.classList.add("show-back-to-top")  // as on the way up"""
# Beyond what test_browser looks at: how the page is shown, and at which width.
STATES = {
    "answers open, at 200 %": ({"color_scheme": "light"}, 640),
    "answers open, at 400 %": ({"color_scheme": "dark"}, 320),
    "on paper": ({"color_scheme": "light", "media": "print"}, 720),
}
FAULTS = {  # what a page must not have, and the rule that has to notice
    '<a href="#"></a>': "link-name",
    '<img src="data:,">': "image-alt",
    "<h2>a</h2><h4>b</h4>": "heading-order",
    '<p style="color: #888; background: #777">Pale': "color-contrast",
    '<div style="height: 9px; overflow: auto"><br><br><br>a</div>': (
        "scrollable-region-focusable"
    ),
    "<table><tr><th></th></tr></table>": "empty-table-header",
}
# Without the inside of typeset formulas: thousands of spans in the text's own colour.
CONTEXT = '{exclude: [".katex-html"]}, '
# Two frames: what a script does after a change of size is done in the first.
SETTLED = "new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)))"
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
MOVING = """() => [...document.querySelectorAll("*")].flatMap((e) =>
  ["", "::before", "::after"].flatMap((part) => {
    const { transitionDuration, animationDuration, scrollBehavior } =
      getComputedStyle(e, part);
    const seconds = `${transitionDuration},${animationDuration}`.split(",");
    const moves = seconds.some((s) => parseFloat(s) > 0) || scrollBehavior == "smooth";
    return moves ? [e.tagName + "." + e.className + part] : [];
  }))"""
HEADINGS = """[...document.querySelectorAll("h1, h2, h3, h4, h5, h6")]
  .filter((h) => h.checkVisibility()).map((h) => +h.tagName[1])"""
HIDDEN_TABLES = """[...document.querySelectorAll("article table")].filter((table) => {
  for (let box = table; box.tagName != "ARTICLE"; box = box.parentElement)
    if (getComputedStyle(box).overflowX == "auto" && box.tabIndex == 0) return false;
  return table.getBoundingClientRect().right > innerWidth;
}).map((table) => table.innerText.slice(0, 40))"""
VAGUE = {"", "here", "click here", "this", "link", "more", "read more", "page"}


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


@pytest.mark.parametrize("name", PAGES)
def test_page_is_accessible_opened_enlarged_and_on_paper(page: Page, address, name):
    page.goto(address + name)
    page.evaluate(AXE)
    page.evaluate(OPEN)
    found = []
    for state, (media, width) in STATES.items():
        page.emulate_media(**media)
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate(SETTLED)
        lines = faults(page, CONTEXT)
        if "media" in media:  # nobody clicks on paper
            lines = [line for line in lines if not line.startswith("target-size")]
        found += [f"{state}: {line}" for line in lines]
    assert found == []


@pytest.mark.parametrize(("fault", "rule"), FAULTS.items(), ids=FAULTS.values())
def test_fault_is_noticed(page: Page, address, fault, rule):
    page.goto(address + "index.html")
    page.evaluate(AXE)
    article = page.locator("article")
    article.evaluate("(e, html) => e.insertAdjacentHTML('beforeend', html)", fault)
    assert [line for line in faults(page, CONTEXT) if line.startswith(rule)]


@pytest.mark.parametrize("name", PAGES)
def test_page_is_in_order(page: Page, address, name):
    """One top heading and no level left out; links say where; nothing is lost."""
    page.set_viewport_size({"width": 320, "height": 700})
    page.goto(address + name)
    levels = page.evaluate(HEADINGS)
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))
    links = page.locator("article a").evaluate_all(
        "all => all.map(a => (a.ariaLabel ?? a.textContent).trim().toLowerCase())"
    )
    assert VAGUE.isdisjoint(links)
    assert page.evaluate(HIDDEN_TABLES) == []
    assert page.evaluate(MOVING) == []


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
