"""Drawings, code and bars fit the window, and their letters can be read."""

import re
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import Page
from test_predict import context, page, visit
from test_walk import GRAPHS, PAGES, SITE

__all__ = ["context", "page"]  # fixtures

OPEN = """details::details-content {content-visibility: visible; height: auto}"""
UNCOVER = "document.querySelectorAll('.cover-one').forEach(e => e.click())"
SIDEWAYS = """query => { const all = [...document.querySelectorAll(query)];
  if (!all.length) throw Error(`nothing is ${query}`);
  return all.filter(e => !e.closest("svg, .katex-mathml, .visually-hidden, .checked")
  && getComputedStyle(e).overflowX != "visible"
  && e.clientWidth > 1 && e.scrollWidth > e.clientWidth + 1)
  .map(e => `${e.tagName} ${e.scrollWidth} ${e.textContent.slice(0, 60)}`); }"""
LETTERS = """() => [...document.querySelectorAll(".ag-svg")]
  .filter(svg => svg.checkVisibility())
  .map(svg => 13 * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width)"""
CODE_SIZES = """() => [...document.querySelectorAll("article :is(pre, code)")]
  .map(e => parseFloat(getComputedStyle(e).fontSize))"""
# Of each drawing that has a narrow one beside it: how many of the two are shown.
SHOWN = """() => [...document.querySelectorAll(".ag-scroll:has(.ag-narrow)")]
  .filter(e => e.checkVisibility())
  .map(e => [...e.querySelectorAll("svg")].filter(s => s.checkVisibility()).length)"""
PLOTS = [name for name in PAGES if "only-light" in (SITE / name).read_text()]
# How matplotlib places a text, in hundredths of a point.
POINTS = re.compile(r"scale\((0?\.\d+) -\1\)")
# Practice draws what its address asks for; by itself it may ask without a drawing.
ASKED = {"practice.html": "#kind=read&level=4&seed=1"}
DRAWN = [name for name in PAGES if "ag-scroll" in (SITE / name).read_text()]
TABLES = [name for name in PAGES if "table-wrapper" in (SITE / name).read_text()]


STARTS = """() => { const found = [], range = new Range();
  const walk = document.createTreeWalker(
    document.querySelector("article"), NodeFilter.SHOW_TEXT);
  const rect = (text, at) => { range.setStart(text, at); range.setEnd(text, at + 1);
    return range.getBoundingClientRect(); };
  for (let last = null, text; text = walk.nextNode(); last = text) {
    if (!text.data.trim() || text.parentElement.closest("svg, pre, .checked")
      || !text.parentElement.checkVisibility()) { text = last; continue; }
    if (last && /^[,.;:?!)\\]](?![\\w.])/.test(text.data)
      && rect(text, 0).top > rect(last, last.data.length - 1).bottom - 2)
      found.push(last.data.slice(-20) + text.data.slice(0, 20)); }
  return found; }"""
# Headings whose link stands below their last word.
ALONE = """() => [...document.querySelectorAll(".headerlink")].filter(link => {
  const words = new Range();
  words.setStart(link.parentElement, 0);
  words.setEndBefore(link);
  return link.getBoundingClientRect().top > words.getBoundingClientRect().bottom - 2; })
  .map(link => link.parentElement.textContent)"""
EXAMPLES = [*(p for p in PAGES if p.startswith("lessons/3")), "questions.html"]
EXAMPLES += ["what_is_wrong.html"]
EXAMPLES = [
    name for name in EXAMPLES if 'class="highlight"' in (SITE / name).read_text()
]
# Numbers of a text version that begin left of the drawing's frame, by pixels.
OUTSIDE = """() => [...document.querySelectorAll(".ag-text ol")]
  .filter(list => list.checkVisibility()).map(list => {
    const style = getComputedStyle(list), left = e => e.getBoundingClientRect().left;
    const pen = new OffscreenCanvas(1, 1).getContext("2d");
    pen.font = `${style.fontSize} ${style.fontFamily}`;
    const number = pen.measureText(`${list.start + list.children.length - 1}. `).width;
    return number - parseFloat(style.paddingLeft) - left(list)
      + left(list.closest(".ag")); })"""

# Formulas over which their own sign lies, and titles that reach below a card's sign.
OVER = """() => [...document.querySelectorAll("div.math .checked")]
  .filter(sign => { const a = sign.getBoundingClientRect();
    return [...sign.closest("div.math").querySelectorAll(".katex-base")].some(part => {
      const b = part.getBoundingClientRect();
      return a.right > b.left && a.left < b.right
        && a.bottom > b.top && a.top < b.bottom; }); })
  .map(sign => sign.closest("div.math").textContent.slice(0, 60))"""
REACHING = """() => [...document.querySelectorAll(".lesson-card a")].filter(title => {
  const range = new Range(), right = e => e.getBoundingClientRect().right;
  range.selectNodeContents(title);
  return right(range) > right(title.closest(".lesson-card")) - 26; })
  .map(title => title.textContent)"""


@pytest.mark.parametrize("name", ["40_vectors_and_matrices", "50_jacobians"])
def test_sign_of_a_formula_never_lies_over_it(page: Page, name):
    page.set_viewport_size({"width": 390, "height": 844})
    visit(page, f"lessons/1_foundations/{name}.html")
    page.add_style_tag(content=OPEN)
    assert page.locator("div.math .checked").count() > 5
    assert page.evaluate(OVER) == []


def test_ledger_gives_code_the_width_of_a_phone(page: Page):
    page.set_viewport_size({"width": 390, "height": 844})
    visit(page, "ledger.html")
    stated = page.locator(".ledger tbody td:nth-child(2)")
    widths = stated.evaluate_all("all => all.map(e => e.clientWidth)")
    assert len(widths) > 1000
    assert min(widths) > 250


@pytest.mark.parametrize("width", [1280, 390])
def test_title_of_a_card_leaves_room_for_its_sign(page: Page, width):
    page.set_viewport_size({"width": width, "height": 844})
    visit(page, "lessons/index.html")
    assert page.locator(".lesson-card a").count() > 20
    assert page.evaluate(REACHING) == []


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize(
    "name",
    ["lessons/1_foundations/40_vectors_and_matrices.html", "rules.html", "calls.html"],
)
def test_line_never_begins_with_a_comma(page: Page, name, width):
    page.set_viewport_size({"width": width, "height": 844})
    visit(page, name)
    page.add_style_tag(content=OPEN)
    assert page.evaluate(STARTS) == []


def test_numbers_of_steps_stand_inside_the_frame(page: Page):
    page.set_viewport_size({"width": 390, "height": 844})
    visit(page, "lessons/1_foundations/30_chain_rule.html")
    page.evaluate("document.querySelectorAll('.ag-text').forEach(e => e.open = true)")
    outside = page.evaluate(OUTSIDE)
    assert len(outside) > 5
    assert max(outside) < 0


@pytest.mark.parametrize("name", PAGES)
def test_nothing_goes_sideways_on_a_desktop(page: Page, name):
    visit(page, name)
    page.add_style_tag(content=OPEN)
    assert page.evaluate(SIDEWAYS, ":is(article, body:not(:has(article))) *") == []


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", sorted({*GRAPHS, *DRAWN}))
def test_drawing_fits_and_can_be_read(page: Page, name, width):
    page.set_viewport_size({"width": width, "height": 844})
    page.goto((SITE / name).as_uri() + ASKED.get(name, ""))
    wide = page.evaluate(SIDEWAYS, ".ag-scroll")
    assert wide == []
    letters = page.evaluate(LETTERS)
    assert letters
    assert min(letters) >= 11.95  # 12, but for a pixel's rounding
    assert set(page.evaluate(SHOWN)) <= {1}


@pytest.mark.parametrize("name", PLOTS)
def test_letters_of_a_plot_can_be_read_on_a_phone(page: Page, name):
    page.set_viewport_size({"width": 390, "height": 844})
    visit(page, name)
    page.add_style_tag(content=OPEN)
    page.evaluate(UNCOVER)
    shown = page.locator("article img.only-light").evaluate_all(
        "all => all.map(e => [e.src, e.clientWidth / e.naturalWidth])"
    )
    assert shown
    for address, scale in shown:
        path = SITE / name / unquote(urlsplit(address).path)
        svg = path.read_text() if path.suffix == ".svg" else ""
        sizes = [float(size) * 100 * 4 / 3 * scale for size in POINTS.findall(svg)]
        assert len(sizes) >= svg.count('<g id="text_')
        assert min(sizes, default=12) >= 11.9, (path.name, sizes)


@pytest.mark.parametrize("name", EXAMPLES)
def test_line_of_an_example_is_whole_on_a_desktop(page: Page, name):
    visit(page, name)
    page.evaluate("document.querySelectorAll('details').forEach(e => e.open = true)")
    page.add_style_tag(content="article pre {white-space: pre}")
    assert page.evaluate(SIDEWAYS, "article .highlight pre") == []


def test_message_is_read_as_a_whole_on_a_phone(page: Page):
    page.set_viewport_size({"width": 390, "height": 844})
    visit(page, "lessons/3_debugging/10_error_messages.html")
    page.evaluate(UNCOVER)
    assert page.evaluate(SIDEWAYS, ".cell-output > pre") == []


@pytest.mark.parametrize(
    "name", ["what_is_wrong.html", "lessons/3_debugging/70_checking.html"]
)
def test_hidden_link_of_a_heading_begins_no_line(page: Page, name):
    page.set_viewport_size({"width": 390, "height": 844})
    visit(page, name)
    assert page.evaluate(ALONE) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("name", TABLES)
def test_table_fits_a_phone(page: Page, name):
    page.set_viewport_size({"width": 390, "height": 844})
    visit(page, name)
    page.add_style_tag(content=OPEN)
    assert page.evaluate(SIDEWAYS, "article .table-wrapper") == []


def test_printed_sentence_is_broken_on_a_phone_and_an_array_is_not(page: Page):
    page.set_viewport_size({"width": 390, "height": 844})
    visit(page, "drawing_graphs.html")
    assert page.evaluate(SIDEWAYS, ".cell-output > pre:not(.columns)") == []
    assert page.locator(".cell-output > pre:not(.columns)").count() > 3
    visit(page, "lessons/2_practice/50_convolution.html")
    lines = page.locator(".cell-output > pre.columns").first
    assert lines.evaluate("e => getComputedStyle(e).whiteSpace") == "pre"


@pytest.mark.parametrize("page_of_code", ["lessons/3_debugging/90_exam", "questions"])
def test_code_in_small_print_can_be_read(page: Page, page_of_code):
    visit(page, f"{page_of_code}.html")
    sizes = page.evaluate(CODE_SIZES)
    assert sizes
    assert min(sizes) >= 13


@pytest.mark.parametrize("height", [844, 667])
@pytest.mark.parametrize("predict", [False, True])
def test_bar_takes_a_quarter_of_a_phone(page: Page, height, predict):
    page.set_viewport_size({"width": 390, "height": height})
    visit(page, "lessons/1_foundations/20_the_graph_behind_y.html")
    page.evaluate(UNCOVER)
    figure = page.locator("figure.ag:has(.ag-walk)").first
    bar = figure.locator(".ag-walk")
    assert bar.bounding_box()["height"] <= height / 4
    if predict:
        figure.locator(".ag-predict input").click()
        for given in ("a", "1 2 3", "nobody"):
            figure.locator(".ag-ask input").fill(given)
            page.keyboard.press("Enter")
            assert bar.bounding_box()["height"] <= height / 4 + 1
            inside = bar.bounding_box()
            said = figure.locator("[role=status] p:visible").bounding_box()
            assert said["y"] >= inside["y"]
            assert said["y"] < inside["y"] + inside["height"]


def test_picture_of_a_card_is_in_its_own_size(page: Page):
    """A long or wide drawing shows the part for which there is room."""
    visit(page, "lessons/1_foundations/index.html")
    drawn = page.locator(".lesson-card img").evaluate_all(
        "all => all.map(e => [e.naturalWidth, e.naturalHeight, e.clientWidth])"
    )
    graphs = [(w, h, room) for w, h, room in drawn if w <= 320 and h <= 144]
    assert len(graphs) >= 5
    assert all(13 * min(1, (room - 13) / w, 131 / h) > 11.7 for w, h, room in graphs)
