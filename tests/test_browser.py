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
AMONG_OTHERS = "lessons/1_foundations/30_chain_rule.html"
PAGES = sorted(p.relative_to(SITE).as_posix() for p in SITE.glob("**/*.html"))
AXE = (ROOT / "vendor/axe-core/axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
COLOURS = ["color-contrast", "link-in-text-block"]
LAYOUT = [*COLOURS, "scrollable-region-focusable", "target-size"]
OPEN = """document.querySelectorAll('details').forEach(e => e.open = true);
document.querySelectorAll('.cover-one').forEach(e => e.click());
document.documentElement.classList.add("show-back-to-top")  // as on the way up"""
# Two frames: what a script does after a change of size is done in the first.
SETTLED = "new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)))"
# Without the inside of typeset formulas: thousands of spans in the text's own colour.
EACH = "*:not(.katex-html *)"
# Most of axe's time goes into contrast, and a table of a thousand rows has a few kinds
# of words: three of each will do, alike in colours and size, and in the elements,
# classes and grounds of all that holds them.  What is inside a formula is alike where
# its colours are, and so are a drawing's two sizes.  What is beside the window, or told
# to a screen reader only, is no word to axe.  A kind is looked at once in each scheme,
# whatever the width; a kind of ``known`` was, on another page: those around the article
# and in the bar below a drawing, which are the same everywhere.  Returns how many words
# there are to look at.
SAMPLE = """([scheme, known]) => {
  const before = new Set([...known, ...sampled[scheme] ?? []]);
  const grounds = new Map(), counts = new Map();
  const end = Math.max(document.body.scrollWidth, document.documentElement.clientWidth);
  const hash = (text) => {
    let a = 0xdeadbeef, b = 0x41c6ce57;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      a = Math.imul(a ^ code, 2654435761);
      b = Math.imul(b ^ code, 1597334677);
    }
    return (a >>> 0).toString(36) + (b >>> 0).toString(36);
  };
  const ground = (e) => {
    if (!e) return "";
    if (!grounds.has(e)) {
      const { color, backgroundColor, backgroundImage, opacity, filter,
              position, zIndex } = getComputedStyle(e);
      const typeset = e.parentElement?.closest(".katex-html");
      const own = [color, backgroundColor, backgroundImage, opacity, filter,
        ...typeset ? [] : [e.tagName, position, zIndex,
          !e.matches("html, svg") && e.getAttribute("class"),
          e.matches(":disabled, [aria-disabled=true]")]].join();
      const held = ground(e.parentElement);
      const same = typeset && held[1] == own;
      grounds.set(e, same ? held : [hash(held[0] + own), own]);
    }
    return grounds.get(e);
  };
  const speaks = (e) => {
    if (![...e.childNodes].some((n) => n.nodeType == 3 && n.data.trim())) return false;
    const { left, right } = e.getBoundingClientRect();
    return e.checkVisibility() && right > 0 && left < end && right - left > 1
      && !e.closest(".katex-mathml");
  };
  let found = 0;
  for (const e of document.querySelectorAll("body, body *")) {
    e.removeAttribute("data-sample");
    if (!speaks(e)) continue;
    const { fontSize, fontWeight, textShadow, textDecorationLine } =
      getComputedStyle(e);
    const size = parseFloat(fontSize), bold = fontWeight >= 700;
    const around = !e.closest("article") || e.closest(".ag-walk");
    const large = size >= (bold ? 18.66 : 24); // WCAG's 14 pt and 18 pt
    const key = (around ? "" : ".") + hash(
      [ground(e)[0], large, textShadow, textDecorationLine].join());
    const count = (counts.get(key) ?? 0) + 1;
    if (count > 3 || before.has(key)) continue;
    counts.set(key, count);
    e.dataset.sample = "";
    found++;
  }
  sampled[scheme] = [...sampled[scheme] ?? [], ...counts.keys()];
  return found;
}"""
SAMPLED = "[data-sample]"
AROUND = """() => Object.fromEntries(Object.entries(sampled).map(
  ([scheme, keys]) => [scheme, keys.filter((key) => key[0] != ".")]))"""
FRESH = "window.sampled = {}; window.wasShown = {}"
# Remembers what is shown at a width, or names what was shown there and is no longer,
# or only now.  Each scheme has its own pictures: all rules see the dark ones at 400 %.
SHOWN = """(width) => {
  const how = { visibilityProperty: true, opacityProperty: true };
  const own = "[class*=theme-toggle], [class*=theme-toggle] *, .only-light, .only-dark";
  const all = [...document.querySelectorAll(`*:not(${own})`)];
  const now = new Map(all.map((e) => [e, e.checkVisibility(how)]));
  const before = wasShown[width] ??= now;
  return all.filter((e) => before.has(e) && before.get(e) != now.get(e))
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
Kinds = dict[str, list[str]]  # of words, by scheme


class State(NamedTuple):
    """How a page is shown, and what axe looks at there."""

    name: str
    width: int
    media: dict[str, str]
    rules: list[str] = RULES
    words: str = SAMPLED  # those whose contrast is measured


LIGHT, DARK = {"color_scheme": "light"}, {"color_scheme": "dark"}
PAPER = LIGHT | {"media": "print"}
# Both schemes show the same elements at a width, as `look_at_all` sees to: the layout
# of one is looked at, and of the other those words that are new in this scheme.
CLOSED = [
    State("light 1440", 1440, LIGHT),
    State("dark 390", 390, DARK, LAYOUT),
    State("dark 1440", 1440, DARK, COLOURS),
    State("light 390", 390, LIGHT, COLOURS),
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
    """Return what axe finds; only that crosses over, not the thousands it let pass.

    Style sheets are loaded again for an experimental rule alone, which is not run.
    """
    options = """{runOnly: rules, resultTypes: ["violations"],
      preload: {assets: ["media"]}}"""
    call = f"async rules => (await axe.run({context}{options})).violations"
    found = page.evaluate(call, rules)
    return [f"{v['id']}: {n['html'][:120]}" for v in found for n in v["nodes"]]


def show(page: Page, state: State) -> None:
    """Show a page in a state, as soon as its scripts have taken notice."""
    page.emulate_media(**state.media, reduced_motion="reduce")
    page.set_viewport_size({"width": state.width, "height": 900})
    page.evaluate(SETTLED)


def look(page: Page, state: State, known: Kinds) -> Iterator[str]:
    """Tell what axe finds in a state, whose ``known`` kinds of words have been seen."""
    show(page, state)
    if state.words == SAMPLED:
        scheme = state.media.get("media", state.media["color_scheme"])
        words = page.evaluate(SAMPLE, [scheme, known.get(scheme, [])])
        if not words and state.rules == COLOURS:
            return
    rule = {"id": "color-contrast", "selector": state.words}
    page.evaluate("rule => axe.configure({rules: [rule]})", rule)
    for fault in faults(page, "", state.rules):
        if state.media != PAPER or not fault.startswith("target-size"):  # no clicks
            yield f"{state.name}: {fault}"


def look_at_all(page: Page, known: Kinds) -> list[str]:
    """Tell what axe finds in all states, and where one scheme shows other elements."""
    page.evaluate(AXE)
    page.evaluate(FRESH)
    found = []
    for state in CLOSED:
        found += look(page, state, known)
        others = page.evaluate(SHOWN, state.width)
        found += [f"{state.name}: shown in one scheme: {html}" for html in others]
    page.evaluate(OPEN)
    return found + [line for state in OPENED for line in look(page, state, known)]


@pytest.fixture(scope="module")
def theme(browser, address) -> Kinds:
    """Look at all of one page; return the kinds of words that are around it."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(address + AMONG_OTHERS, wait_until="networkidle")
    assert look_at_all(page, {}) == []
    kinds = page.evaluate(AROUND)
    context.close()
    assert all(kinds.values())
    return kinds


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
    page.evaluate(SETTLED)  # what is too wide now gets the keyboard in the next frame
    assert page.evaluate(HIDDEN_TABLES) == []
    assert page.evaluate(MOVING) == []


def test_page_is_accessible_closed_opened_enlarged_and_on_paper(visit, theme):
    page, *_ = visit
    assert look_at_all(page, theme) == []


ALL = [state.name for state in (*CLOSED, *OPENED)]
WIDE, PHONE, WIDE_DARK, PHONE_LIGHT, ENLARGED, LARGEST, PRINT = ALL
STRUCTURE = [WIDE, ENLARGED, LARGEST, PRINT]
COLOURED = [WIDE, PHONE, ENLARGED, PRINT]  # the first of each scheme, and that of EACH
PLANTED = [  # what a page must not have, its rule, and the states that have to notice
    ("<a id=f0 href='#'></a>", "link-name", STRUCTURE),
    ("<img id=f1 src='data:,'>", "image-alt", STRUCTURE),
    ("<h2>a</h2><h4 id=f2>b</h4>", "heading-order", STRUCTURE),
    ("<p id=f3 class=pale>Pale</p>", "color-contrast", COLOURED),
    (
        "<div id=f4 style='height: 9px; overflow: auto'><br><br><br>a</div>",
        "scrollable-region-focusable",
        [PHONE, *STRUCTURE],
    ),
    ("<table><tr><th id=f5></th></tr></table>", "empty-table-header", STRUCTURE),
    (
        "<p class=tight><button id=f6>a</button><button>b</button></p>",
        "target-size",
        [PHONE, *STRUCTURE[:-1]],
    ),
    ("<p id=f7 class=night>Pale</p>", "color-contrast", [PHONE]),
    ("<p id=f8 class=printed>Pale</p>", "color-contrast", [PRINT]),
    ("<p id=f9 class=narrow>Pale</p>", "color-contrast", [PHONE, PHONE_LIGHT]),
    ("<img id=f10 class=narrow src='data:,'>", "image-alt", [LARGEST]),
    (
        "<details><summary>a</summary><img id=f11 src='data:,'></details>",
        "image-alt",
        [ENLARGED, LARGEST, PRINT],
    ),
    (
        "<p class=alike>Dark</p>" * 50
        + "<p class=alike id=f12 style='color: #888'>Pale</p>",
        "color-contrast",
        COLOURED,
    ),
    ("<p id=f13 class=wide>Pale</p>", "color-contrast", [WIDE, WIDE_DARK]),
    (
        "<details><summary>a</summary><p id=f14 class=pale>Pale</p></details>",
        "color-contrast",
        [ENLARGED, LARGEST, PRINT],
    ),
    (
        "<p class=katex-html><b>alpha</b><b id=f15 class=pale>beta</b></p>",
        "color-contrast",
        [WIDE, PHONE, PRINT],
    ),
    (
        "<p>text <a href='#' id=f16 class=bare>link</a> text</p>",
        "link-in-text-block",
        ALL,
    ),
]
STYLE = """.pale, .alike { color: #888; background: #777 }
.alike { color: #000 }
.tight > button { width: 9px; height: 9px; padding: 0 }
.narrow { display: none; color: #888; background: #777 }
@media (max-width: 400px) { .narrow { display: block } }
.wide { display: none; color: #888; background: #777 }
@media (min-width: 1000px) { .wide { display: block } }
article a.bare, footer a.bare { color: #333; text-decoration: none }
@media screen and (prefers-color-scheme: dark) {
  .night { color: #888; background: #777 }
  article a.bare, footer a.bare { color: #aaa }
}
@media print { .printed { color: #888; background: #777 } }"""


@pytest.mark.parametrize("place", ["article", "footer"])
def test_each_state_notices_the_faults_that_it_shows(page: Page, address, theme, place):
    page.goto(address + "index.html")
    page.add_style_tag(content=STYLE)
    planted = "".join(fault for fault, *_ in PLANTED)
    insert = "(e, html) => e.insertAdjacentHTML('beforeend', html)"
    page.locator(place).last.evaluate(insert, planted)
    found = look_at_all(page, theme)
    for number, (_, rule, states) in enumerate(PLANTED):
        mine = [line for line in found if f'id="f{number}"' in line and rule in line]
        assert {line.partition(f": {rule}")[0] for line in mine} == set(states), number


def test_what_one_scheme_alone_shows_is_noticed(page: Page, address, theme):
    page.goto(address + "index.html")
    page.add_style_tag(
        content="@media (prefers-color-scheme: dark) { h1 {opacity: 0} }"
    )
    found = look_at_all(page, theme)
    lines = [line for line in found if "shown in one scheme: <h1" in line]
    assert [line.partition(":")[0] for line in lines] == [WIDE_DARK, PHONE_LIGHT]


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
