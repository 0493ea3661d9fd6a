"""The site in a real browser: offline, by keyboard, in the dark, on a phone."""

import functools
import threading
from http.server import SimpleHTTPRequestHandler
from pathlib import Path

import pytest
from gzipped import Server
from playwright.sync_api import Page

ROOT = Path(__file__).parents[1]
SITE = ROOT / "build" / "html"
LESSON = "lessons/0_basics/10_gradients_with_pytorch.html"
PAGES = sorted(p.relative_to(SITE).as_posix() for p in SITE.glob("**/*.html"))
AXE = (ROOT / "vendor/axe-core/axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


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


def faults(page: Page, context: str) -> list[str]:
    """Return what axe finds; only that crosses over, not the thousands it let pass."""
    options = '{runOnly: rules, resultTypes: ["violations"]}'
    call = f"async rules => (await axe.run({context}{options})).violations"
    found = page.evaluate(call, RULES)
    return [f"{v['id']}: {v['nodes'][0]['html'][:120]}" for v in found]


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


def test_page_is_accessible(visit):
    page, *_ = visit
    page.evaluate(AXE)
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        for width in (1440, 390):
            page.set_viewport_size({"width": width, "height": 900})
            page.wait_for_timeout(50)  # the resize event
            found += [f"{scheme} {width}: {fault}" for fault in faults(page, "")]
    assert found == []


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
