"""The site on paper: nothing of the screen's tools, nothing folded, nothing cut."""

from pathlib import Path

import pytest
from paper import words_of
from playwright.sync_api import Page

from coursebuild.extension.paper import TEXT_WIDTH, TOO_WIDE, margin_box

SITE = Path(__file__).parents[1] / "build" / "html"
PAGES = sorted(p.relative_to(SITE).as_posix() for p in SITE.glob("**/*.html"))
LESSON = "lessons/1_foundations/20_the_graph_behind_y.html"
TOOLS = (
    ".skip-to-content, .sidebar-drawer, .toc-drawer, .mobile-header, .downloads, "
    ".content-icon-container, .ag-walk, .ag-leaves, .headerlink, .related-pages, button"
)
LIGHT = "rgb(255, 255, 255)"


@pytest.fixture(scope="module")
def paper(browser):
    """A page as wide as the text on paper, whose reader likes it dark."""
    size = {"width": TEXT_WIDTH, "height": 1000}
    page = browser.new_page(viewport=size, color_scheme="dark")
    page.emulate_media(media="print")
    yield page
    page.close()


def show(page: Page, name: str) -> None:
    page.goto((SITE / name).absolute().as_uri())
    page.evaluate("document.body.dataset.theme = 'dark'")


@pytest.fixture
def lesson(paper):
    show(paper, LESSON)
    return paper


@pytest.fixture(scope="module")
def printed(browser):
    page = browser.new_page()
    show(page, LESSON)
    pdf = page.pdf(prefer_css_page_size=True)
    page.close()
    return words_of(pdf)


def test_no_page_is_wider_than_paper(paper):
    found = {}
    for name in PAGES:
        show(paper, name)
        found[name] = paper.evaluate(TOO_WIDE)
    assert len(found) > 10
    assert {name: wide for name, wide in found.items() if wide} == {}


def test_what_is_too_wide_is_seen(lesson):
    lesson.evaluate("document.querySelector('article h2').style.width = '99rem'")
    assert lesson.evaluate(TOO_WIDE)


def test_tools_of_the_screen_are_not_printed(lesson):
    tools = lesson.locator(TOOLS)
    assert tools.count() > 20
    assert tools.evaluate_all("all => all.filter(e => e.checkVisibility())") == []


def test_answers_and_recorded_walks_are_open_on_paper(lesson):
    folded = lesson.locator("details:is(.answer, .ag-walk ~ .ag-text) > :not(summary)")
    assert folded.count() > 10
    seen = "all => all.every(e => e.checkVisibility({contentVisibilityAuto: true}))"
    assert folded.evaluate_all(seen)


def test_fonts_of_folded_formulas_are_there_before_one_prints(browser):
    """Or a browser that prints leaves their brackets and sums out."""
    page = browser.new_page()
    show(page, "lessons/2_practice/50_convolution.html")
    page.evaluate("document.fonts.ready.then(() => null)")
    folded = page.locator("details:not([open]) .katex-html").locator(
        "css=.op-symbol.small-op, .delimsizing.size3"
    )
    assert folded.count() > 0
    fonts = folded.evaluate_all(
        "all => all.map(e => '1em ' + getComputedStyle(e).fontFamily)"
    )
    missing = "all => all.filter(font => !document.fonts.check(font))"
    assert page.evaluate(missing, sorted(set(fonts))) == []
    page.close()


def test_step_of_a_walk_hides_no_letter_on_paper(lesson):
    """What runs on a screen would be printed as it begins: unseen."""
    assert lesson.locator(".highlight .ag-at").count() > 0
    assert lesson.locator(".ag-node.ag-on text[data-v]").count() > 0
    moves = "all => all.map(e => getComputedStyle(e)).map(s => s.animationName)"
    assert set(lesson.locator(".ag-on, .ag-on *").evaluate_all(moves)) == {"none"}
    bars = "all => all.map(e => getComputedStyle(e).boxShadow)"
    assert set(lesson.locator(".highlight .ag-at").evaluate_all(bars)) == {"none"}


def test_print_is_dark_on_white_in_the_dark_theme(lesson):
    style = "e => { const s = getComputedStyle(e); return [s.color, s.fill] }"
    assert lesson.locator("article p").first.evaluate(style)[0] == "rgb(0, 0, 0)"
    ink = lesson.locator(".ag-svg .ag-ink").first.evaluate(style)[1]
    assert ink == "rgb(26, 26, 26)"
    accent = "getComputedStyle(document.body).getPropertyValue('--gp-accent').trim()"
    assert lesson.evaluate(accent) == "#0b6e6e"
    back = "getComputedStyle(document.body).backgroundColor"
    assert lesson.evaluate(back) == LIGHT


def test_links_to_other_sites_are_spelled_out(lesson):
    link = lesson.locator('article a[href*="docs.pytorch.org"]').first
    shown = link.evaluate("e => getComputedStyle(e, '::after').content")
    assert link.get_attribute("href") in shown


def test_each_printed_page_has_its_title_and_number(printed):
    for number, text in enumerate(printed, 1):
        assert "Gradients with PyTorch: The graph behind y" in text
        assert f"{number} / {len(printed)}" in text


def test_no_printed_page_is_almost_empty(printed):
    assert 5 < len(printed) < 14
    assert min(map(len, printed)) > 200


@pytest.mark.parametrize(
    "name",
    [
        "1_foundations/20_the_graph_behind_y",
        "3_debugging/90_exam",
        "5_capstones/10_engine",
    ],
)
def test_footer_has_no_page_of_its_own(browser, name):
    page = browser.new_page()
    show(page, f"lessons/{name}.html")
    *_, text = words_of(page.pdf(prefer_css_page_size=True))
    page.close()
    assert "Copyright" in text
    assert len(text) > 300


def test_what_belongs_together_is_not_parted(paper):
    show(paper, "lessons/3_debugging/90_exam.html")
    style = "all => all.map(e => getComputedStyle(e).{})"
    for query, name in [
        ("article p:has(+ div[class*='highlight-'])", "breakInside"),
        (".admonition", "breakInside"),
        ("article p:has(+ .admonition)", "breakInside"),
        ("article p:has(+ .admonition)", "breakAfter"),
    ]:
        found = paper.locator(query).evaluate_all(style.format(name))
        assert len(found) > 5
        assert set(found) == {"avoid"}


def test_line_of_a_walk_is_not_marked_on_paper(lesson):
    shown = "e => { e.classList.add('ag-at'); return getComputedStyle(e).boxShadow }"
    assert lesson.locator(".highlight [data-made]").first.evaluate(shown) == "none"


def test_margin_box_cannot_leave_its_string():
    title = '"; } </style><script>'
    assert margin_box(title).count('"') == 2
    assert "<" not in margin_box(title)
