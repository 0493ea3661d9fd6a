"""The signs of formulas as a reader meets them: beside the text, never in it."""

import pytest
from playwright.sync_api import Page
from test_predict import FIRST, SECOND, context, page, read_to_the_end, visit
from test_walk import PAGES, SITE

__all__ = ["context", "page"]  # fixtures

MARKED = [name for name in PAGES if '<span class="checked' in (SITE / name).read_text()]
UNCOVER = "document.querySelectorAll('.cover-one').forEach(e => e.click())"
# Signs that are in the flow of a line, lie over words or formulas, or leave the window.
MISPLACED = """() => [...document.querySelectorAll(".checked")].filter(sign => {
  if (!sign.checkVisibility({contentVisibilityAuto: true})) return false;
  const { left, right, top, bottom } = sign.getBoundingClientRect();
  const middle = (top + bottom) / 2, range = new Range();
  const walk = document.createTreeWalker(
    sign.closest("p, td, th, li, dd, div.math"), NodeFilter.SHOW_TEXT);
  let touches = false;
  for (let text; text = walk.nextNode();) {
    if (!text.data.trim() || text.parentElement.closest(".checked, .katex-mathml"))
      continue;
    range.selectNodeContents(text);
    touches ||= [...range.getClientRects()].some(r => r.width > 1
      && r.left + 1 < right && left + 1 < r.right
      && r.top < middle + 4 && middle - 4 < r.bottom);
  }
  const scrolls = sign.closest(".table-wrapper, div.math"); // with what it belongs to
  const outside = !scrolls && (left < 0 || right > innerWidth);
  return getComputedStyle(sign).position != "absolute" || touches || outside;
}).map(sign => sign.parentElement.querySelector("annotation").textContent)"""


def test_there_are_marks():
    assert len(MARKED) >= 10


@pytest.mark.parametrize("name", MARKED)
def test_sign_stands_beside_its_line(page: Page, name):
    visit(page, name)
    page.evaluate(UNCOVER)
    page.add_style_tag(content="details::details-content {content-visibility: visible}")
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert (width, page.evaluate(MISPLACED)) == (width, [])


def test_whole_formula_is_what_one_points_at(page: Page):
    visit(page, SECOND)
    marked = page.locator(".stated")
    titles = marked.evaluate_all("all => all.map(e => e.title)")
    words = marked.locator(".checked").all_text_contents()
    assert words == [f" ({title})" for title in titles]
    size = marked.first.locator(".katex").bounding_box()
    assert min(size["width"], size["height"]) >= 20


def test_lesson_that_was_read_has_another_sign(page: Page):
    read_to_the_end(page, SECOND)
    visit(page, FIRST)
    content = "(e, s) => getComputedStyle(e, s).content"
    read = page.locator(".sidebar-tree a.read").first.evaluate(content, "::before")
    check = page.locator(".checked.true").first.evaluate(content, "::after")
    assert read.split("/")[0] != check.split("/")[0]
    assert "read" in read
