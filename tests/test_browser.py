"""The site in a real browser: offline, by keyboard, in the dark, on a phone."""

import functools
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest
from gzipped import Server
from playwright.sync_api import Page

ROOT = Path(__file__).parents[1]
SITE = ROOT / "build" / "html"
LESSON = "lessons/0_basics/10_gradients_with_pytorch.html"
PAGES = sorted(p.relative_to(SITE).as_posix() for p in SITE.glob("**/*.html"))
AXE = (ROOT / "vendor/axe-core/axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
COLOURS = ["color-contrast", "link-in-text-block"]
LAYOUT = [*COLOURS, "scrollable-region-focusable", "target-size"]
OPEN = """document.querySelectorAll('details').forEach(e => e.open = true);
document.documentElement.classList.add("show-back-to-top")  // as on the way up"""
# Two frames: what a script does after a change of size is done in the first.
SETTLED = "new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)))"
# Without the inside of typeset formulas: thousands of spans in the text's own colour.
EACH = "*:not(.katex-html *)"
# Most of axe's time goes into contrast, and a table of a thousand rows has a few kinds
# of words: three of each will do, alike in colours and letters, and in the elements,
# classes and grounds of all that holds them.
SAMPLE = """() => {
  const numbers = new Map(), grounds = new Map(), counts = new Map();
  const number = (key) =>
    numbers.get(key) ?? (numbers.set(key, numbers.size), numbers.size - 1);
  const ground = (e) => {
    if (!e) return "";
    if (!grounds.has(e)) {
      const { backgroundColor, backgroundImage, opacity, position, zIndex, filter } =
        getComputedStyle(e);
      grounds.set(e, number([
        ground(e.parentElement), e.tagName, e.getAttribute("class"),
        e.matches(":disabled, [aria-disabled=true]"),
        backgroundColor, backgroundImage, opacity, position, zIndex, filter,
      ].join()));
    }
    return grounds.get(e);
  };
  const speaks = (e) => e.checkVisibility()
    && [...e.childNodes].some((n) => n.nodeType == 3 && n.data.trim());
  for (const e of document.querySelectorAll("body, body *")) {
    const { color, fontSize, fontWeight, textShadow } = getComputedStyle(e);
    const key = [ground(e), color, fontSize, fontWeight, textShadow].join();
    const count = speaks(e) ? (counts.get(key) ?? 0) + 1 : 4;
    if (count < 4) counts.set(key, count);
    e.toggleAttribute("data-sample", count < 4);
  }
}"""
SAMPLED = "[data-sample]"
# Remembers what is shown, or names what was remembered and is shown no longer, or only
# now.  Each scheme has its own pictures: all rules look at them in the dark at 400 %.
SHOWN = """(remember) => {
  const how = { visibilityProperty: true, opacityProperty: true };
  const shown = (e) => e.checkVisibility(how);
  const own = "[class*=theme-toggle], [class*=theme-toggle] *, .only-light, .only-dark";
  const all = [...document.querySelectorAll(`*:not(${own})`)];
  if (remember) all.forEach((e) => { e.wasShown = shown(e); });
  return all.filter((e) => "wasShown" in e && e.wasShown != shown(e))
    .map((e) => e.outerHTML.slice(0, 120));
}"""
HEADINGS = """[...document.querySelectorAll("h1, h2, h3, h4, h5, h6")]
  .filter((h) => h.checkVisibility()).map((h) => +h.tagName[1])"""
HIDDEN_TABLES = """[...document.querySelectorAll("article table")].filter((table) => {
  for (let box = table; box.tagName != "ARTICLE"; box = box.parentElement)
    if (getComputedStyle(box).overflowX == "auto" && box.tabIndex == 0) return false;
  return table.getBoundingClientRect().right > innerWidth;
}).map((table) => table.innerText.slice(0, 40))"""
MOVING = """() => [...document.querySelectorAll("*")].flatMap((e) =>
  ["", "::before", "::after"].flatMap((part) => {
    const { transitionDuration, animationDuration, scrollBehavior } =
      getComputedStyle(e, part);
    const seconds = `${transitionDuration},${animationDuration}`.split(",");
    const moves = seconds.some((s) => parseFloat(s) > 0) || scrollBehavior == "smooth";
    return moves ? [e.tagName + "." + e.className + part] : [];
  }))"""
VAGUE = {"", "here", "click here", "this", "link", "more", "read more", "page"}


class State(NamedTuple):
    """How a page is shown, and what axe looks at there."""

    name: str
    width: int
    media: dict[str, str]
    rules: list[str] = RULES
    words: str = SAMPLED  # those whose contrast is measured


LIGHT, DARK = {"color_scheme": "light"}, {"color_scheme": "dark"}
PAPER = LIGHT | {"media": "print"}
# The dark shows the same elements, as `look_at_all` sees to: only their colours differ.
CLOSED = [
    State("light 390", 390, LIGHT, LAYOUT),
    State("dark 390", 390, DARK, COLOURS),
    State("light 1440", 1440, LIGHT),
    State("dark 1440", 1440, DARK, COLOURS),
]
OPENED = [
    State("answers open, at 200 %", 640, LIGHT, words=EACH),
    State("answers open, at 400 %", 320, DARK),
    State("on paper", 720, PAPER),
]


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Serve the site under a sub-path, as GitHub Pages does."""
    top = tmp_path_factory.mktemp("www")
    (top / "some").mkdir()
    (top / "some" / "where").symlink_to(SITE.resolve())
    server = Server(("127.0.0.1", 0), functools.partial(Quiet, directory=str(top)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/some/where/"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def page(browser):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


@pytest.fixture
def bare(browser):
    """A page without JavaScript."""
    context = browser.new_context(java_script_enabled=False)
    yield context.new_page()
    context.close()


def faults(page: Page, context: str, rules: list[str] = RULES) -> list[str]:
    """Return what axe finds; only that crosses over, not the thousands it let pass."""
    options = '{runOnly: rules, resultTypes: ["violations"]}'
    call = f"async rules => (await axe.run({context}{options})).violations"
    found = page.evaluate(call, rules)
    return [f"{v['id']}: {n['html'][:120]}" for v in found for n in v["nodes"]]


def show(page: Page, state: State) -> None:
    """Show a page in a state, as soon as its scripts have taken notice."""
    page.emulate_media(**state.media, reduced_motion="reduce")
    page.set_viewport_size({"width": state.width, "height": 900})
    page.evaluate(SETTLED)


def look(page: Page, state: State) -> Iterator[str]:
    """Tell what axe finds in a state."""
    show(page, state)
    page.evaluate(SAMPLE)
    rule = {"id": "color-contrast", "selector": state.words}
    page.evaluate("rule => axe.configure({rules: [rule]})", rule)
    for fault in faults(page, "", state.rules):
        if state.media != PAPER or not fault.startswith("target-size"):  # no clicks
            yield f"{state.name}: {fault}"


def look_at_all(page: Page) -> list[str]:
    """Tell what axe finds in all states, and where the dark shows other elements."""
    page.evaluate(AXE)
    found = []
    for state in CLOSED:
        found += look(page, state)
        others = page.evaluate(SHOWN, state.media == LIGHT)
        found += [f"{state.name}: shown in one scheme: {html}" for html in others]
    page.evaluate(OPEN)
    return found + [line for state in OPENED for line in look(page, state)]


def test_axe_finds_faults(page: Page):
    page.set_content("<img src='data:,'><p style='color: #ddd'>Pale</p>")
    page.evaluate(AXE)
    found = {fault.split(":")[0] for fault in faults(page, "")}
    assert {"image-alt", "color-contrast", "html-has-lang"} <= found


def test_there_are_pages_to_test():
    assert LESSON in PAGES
    assert "index.html" in PAGES


@pytest.fixture(scope="module", params=PAGES)
def visit(request, browser, address):
    """Open one page, on a small phone; return it with what it asked for and said.

    Opened once for all tests of each page: that takes longer than most of them.
    """
    context = browser.new_context(viewport={"width": 320, "height": 700})
    page = context.new_page()
    requests, failures, messages = [], [], []
    page.on("request", lambda r: requests.append(r.url))
    page.on("response", lambda r: r.ok or failures.append(r.url))
    page.on("console", lambda m: messages.append(m.text))
    page.on("pageerror", lambda e: messages.append(str(e)))
    page.goto(address + request.param, wait_until="networkidle")
    yield page, requests, failures, messages
    context.close()


def test_page_asks_no_other_host_and_misses_nothing(visit, address):
    page, requests, failures, messages = visit
    strangers = [u for u in requests if not u.startswith((address, "data:"))]
    assert page.url.partition("#")[0] in requests
    assert (strangers, failures, messages) == ([], [], [])


def test_page_fits_a_small_phone(visit):
    page, *_ = visit
    page.set_viewport_size({"width": 320, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_page_is_in_order(visit):
    """One top heading and no level left out; links say where; nothing is lost."""
    page, *_ = visit
    page.emulate_media(reduced_motion="reduce")
    page.set_viewport_size({"width": 320, "height": 700})
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


def test_page_is_accessible_closed_opened_enlarged_and_on_paper(visit):
    page, *_ = visit
    assert look_at_all(page) == []


ALL = [state.name for state in (*CLOSED, *OPENED)]
STRUCTURE = ["light 1440", *ALL[4:]]
DAY = [name for name in ALL if name not in ("dark 390", "dark 1440", ALL[5])]
PLANTED = [  # what a page must not have, its rule, and the states that have to notice
    ("<a id=f0 href='#'></a>", "link-name", STRUCTURE),
    ("<img id=f1 src='data:,'>", "image-alt", STRUCTURE),
    ("<h2>a</h2><h4 id=f2>b</h4>", "heading-order", STRUCTURE),
    ("<p id=f3 class=pale>Pale</p>", "color-contrast", ALL),
    (
        "<div id=f4 style='height: 9px; overflow: auto'><br><br><br>a</div>",
        "scrollable-region-focusable",
        ["light 390", *STRUCTURE],
    ),
    ("<table><tr><th id=f5></th></tr></table>", "empty-table-header", STRUCTURE),
    (
        "<p class=tight><button id=f6>a</button><button>b</button></p>",
        "target-size",
        ["light 390", *STRUCTURE[:-1]],
    ),
    ("<p id=f7 class=night>Pale</p>", "color-contrast", [*ALL[1:4:2], ALL[5]]),
    ("<p id=f8 class=printed>Pale</p>", "color-contrast", ["on paper"]),
    ("<p id=f9 class=narrow>Pale</p>", "color-contrast", [*ALL[:2], ALL[5]]),
    ("<img id=f10 class=narrow src='data:,'>", "image-alt", [ALL[5]]),
    (
        "<details><summary>a</summary><img id=f11 src='data:,'></details>",
        "image-alt",
        ALL[4:],
    ),
    (
        "<p class=alike>Dark</p>" * 50
        + "<p class=alike id=f12 style='color: #888'>Pale</p>",
        "color-contrast",
        ALL,
    ),
]
STYLE = """.pale, .alike { color: #888; background: #777 }
.alike { color: #000 }
.tight > button { width: 9px; height: 9px; padding: 0 }
.narrow { display: none; color: #888; background: #777 }
@media (max-width: 400px) { .narrow { display: block } }
@media screen and (prefers-color-scheme: dark) {
  .night { color: #888; background: #777 }
}
@media print { .printed { color: #888; background: #777 } }"""


def test_each_state_notices_the_faults_that_it_shows(page: Page, address):
    page.goto(address + "index.html")
    page.add_style_tag(content=STYLE)
    planted = "".join(fault for fault, *_ in PLANTED)
    article = page.locator("article")
    article.evaluate("(e, html) => e.insertAdjacentHTML('beforeend', html)", planted)
    found = look_at_all(page)
    for number, (_, rule, states) in enumerate(PLANTED):
        mine = [line for line in found if f'id="f{number}"' in line and rule in line]
        assert {line.partition(f": {rule}")[0] for line in mine} == set(states), number


def test_what_one_scheme_alone_shows_is_noticed(page: Page, address):
    page.goto(address + "index.html")
    page.add_style_tag(
        content="@media (prefers-color-scheme: dark) { h1 {opacity: 0} }"
    )
    lines = [line for line in look_at_all(page) if "shown in one scheme: <h1" in line]
    assert [line.partition(":")[0] for line in lines] == ["dark 390", "dark 1440"]


def test_site_works_from_a_file(page: Page):
    page.goto((SITE / "index.html").absolute().as_uri())
    page.click("text=Start here")
    page.wait_for_url(f"**/{LESSON}")
    assert page.title().startswith("Three steps to a gradient")
    assert page.url.startswith("file://")


def test_search_finds_from_a_file(page: Page):
    page.goto((SITE / "search.html").absolute().as_uri() + "?q=retain_grad")
    page.wait_for_selector("#search-results li a")
    while (more := page.locator("#search-more")).is_visible():
        more.click()
    links = page.locator("#search-results li a").evaluate_all(
        "all => all.map(a => a.href)"
    )
    assert any(LESSON in link for link in links)


def test_formula_uses_the_fonts_of_the_site(page: Page, address):
    page.goto(address + LESSON, wait_until="networkidle")
    used = page.evaluate(
        "[...document.fonts].filter(f => f.status === 'loaded').map(f => f.family)"
    )
    assert "KaTeX_Main" in {name.strip('"') for name in used}


def test_answer_opens_without_javascript(bare: Page, address):
    bare.goto(address + LESSON)
    answer = bare.locator("details.answer").first
    text = answer.locator("p").first
    assert not text.is_visible()
    answer.locator("summary").press("Enter")
    assert text.is_visible()


def test_drawing_is_seen_without_javascript(bare: Page, address):
    bare.goto(address + LESSON)
    box = bare.locator("figure.ag svg[role=img]").first.bounding_box()
    assert box["width"] > 100
    assert box["height"] > 50


def test_first_tab_stop_skips_to_the_content(page: Page, address):
    page.goto(address + LESSON)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.innerText.trim()") == "Skip to content"
    page.keyboard.press("Enter")
    page.wait_for_url("**#furo-main-content")


def test_everything_that_acts_is_reached_by_keyboard(page: Page, address):
    page.goto(address + LESSON)
    acts = "article :is(a[href]:not(.headerlink), summary)"
    wanted = page.locator(f"{acts}:visible").count()
    reached = set()
    for _ in range(400):
        page.keyboard.press("Tab")
        place = page.evaluate(
            "acts => [...document.querySelectorAll(acts)]"
            ".indexOf(document.activeElement)",
            acts,
        )
        if place >= 0:
            reached.add(place)
        elif reached and page.evaluate("!document.activeElement.closest('article')"):
            break
    assert len(reached) == wanted > 10


def test_wide_output_gets_a_tab_stop_on_a_phone(page: Page, address):
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(address + LESSON)
    page.wait_for_selector("pre[tabindex='0']")
    page.set_viewport_size({"width": 1440, "height": 800})
    page.wait_for_function("document.querySelectorAll('pre[tabindex]').length === 0")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_drawing_follows_the_chosen_theme(page: Page, address, theme):
    other = {"light": "dark", "dark": "light"}[theme]
    page.emulate_media(color_scheme=other)
    page.goto(address + LESSON)
    box = page.locator("figure.ag .ag-leaf.ag-box").first
    before = box.evaluate("e => getComputedStyle(e).fill")
    page.evaluate("theme => document.body.dataset.theme = theme", theme)
    assert box.evaluate("e => getComputedStyle(e).fill") != before


def test_theme_button_changes_the_page(page: Page, address):
    page.goto(address + LESSON)
    before = page.evaluate("document.body.dataset.theme")
    page.locator("button.theme-toggle:visible").press("Enter")
    assert page.evaluate("document.body.dataset.theme") != before


def test_downloads_arrive(page: Page, address):
    page.goto(address + LESSON)
    for label in ("Script", "Notebook", "Zip"):
        with page.expect_download() as download:
            page.locator(".downloads").get_by_text(label, exact=True).click()
        assert Path(download.value.path()).stat().st_size > 1000


def test_previous_and_next_lead_through_the_lessons(page: Page, address):
    page.goto(address + "lessons/0_basics/index.html")
    page.locator("a.next-page").click()
    page.wait_for_url(f"**/{LESSON}")
    page.locator("a.next-page").click()  # over the list of the next level
    page.wait_for_url("**/lessons/1_foundations/10_what_is_a_gradient.html")
    page.locator("a.prev-page").click()
    page.wait_for_url(f"**/{LESSON}")


def test_answers_are_open_on_paper(page: Page, address):
    page.goto(address + LESSON)
    page.emulate_media(media="print")
    answer = page.locator("details.answer p").first
    assert answer.evaluate("e => e.checkVisibility({contentVisibilityAuto: true})")
