"""The page of questions: each answer is its cell's, and the score is kept."""

import re
from dataclasses import replace

import pytest
from playwright.sync_api import Page
from test_browser import ROOT, SITE, address, bare, page
from test_predict import REFUSED, check, clear_of

from coursebuild.sources.reading import read_page
from coursecheck.stated import Block
from courserun.runner import run_lesson

__all__ = ["address", "bare", "page"]  # fixtures

LESSON = read_page(ROOT / "docs" / "predict.md", ROOT)
BOX = re.compile(r"^\.\. predict::", re.MULTILINE)
NAMES = "predict.html", "quiz_practice.html"


def cells() -> list[int]:
    """Return the places of the cells that are asked about: each above its box."""
    boxes = [k for k, b in enumerate(LESSON.blocks) if BOX.search(b.source)]
    return [k - 1 for k in boxes]


def numbers(form) -> list[float]:
    return [float(n) for n in form.get_attribute("data-numbers").split()]


def score(page: Page) -> str:
    return " ".join(page.locator(".progress-here").inner_text().split())


def test_page_asks_in_each_section_about_a_short_cell():
    text = (ROOT / "docs" / "predict.md").read_text(encoding="utf-8")
    places = cells()
    assert len(places) == len(re.findall("^### ", text, re.MULTILINE)) >= 10
    for place in places:
        assert LESSON.blocks[place].kind == LESSON.blocks[place + 2].kind == "code"
        assert len(LESSON.blocks[place].source.splitlines()) <= 6


def test_page_holds_what_its_cells_compute(stated):
    asked = stated(LESSON).asked
    computed = [a.numbers for a in asked if a.kind == "ask"]
    html = (SITE / "predict.html").read_text(encoding="utf-8")
    shown = re.findall(r'<form class="ask" data-numbers="([^"]*)"', html)
    assert [tuple(map(float, numbers.split())) for numbers in shown] == computed
    assert len(computed) == len(cells())


@pytest.mark.parametrize("place", cells(), ids=lambda k: f"cell-{k}")
def test_answer_that_its_cell_does_not_give_is_refused(place: int):
    first = next(b for b in LESSON.blocks if b.kind == "code")
    cell, box, looks = LESSON.blocks[place : place + 3]
    name = looks.source.strip()
    moved = f"\n{name} = torch.as_tensor({name}) + 987.5"
    spoilt = replace(cell, source=cell.source + moved)
    lesson = replace(LESSON, blocks=(first, spoilt, box, looks))
    failure = run_lesson(lesson, only_statements=True).failure
    assert failure is not None
    assert "its answer does not say" in failure.message
    assert name in failure.message


def test_box_in_a_page_is_read_in_eval_rst_alone():
    source = "```rst\n.. ask:: y\n```\n\n```{eval-rst}\n.. wrong:: y\n\n   Why.\n```\n"
    lesson = replace(LESSON, name="docs/p.md", blocks=(Block("text", source, 1),))
    failure = run_lesson(lesson, only_statements=True).failure
    assert failure is not None
    assert "docs/p.md:6\n  .. wrong:: y" in failure.message
    assert ".. ask::" not in failure.message


@pytest.mark.parametrize("name", NAMES)
def test_score_counts_what_was_found_and_what_at_the_first_try(page, address, name):
    page.goto(address + name)
    forms = page.locator("form.ask")
    count = forms.count()
    start = f"Predictions found on this page: 0 of {count}, 0 of them at the first try."
    assert score(page) == f"{start} A wrong guess teaches, too."
    for place in range(3):
        form = forms.nth(place)
        if place == 1:
            check(form, "no number")  # is no try
        if place == 2:
            others = [numbers(form)]
            check(form, " ".join(map(str, clear_of(numbers(form), others))))
        assert check(form, form.get_attribute("data-numbers")).startswith("Right.")
    opened = page.locator(".box:has(form.ask) details.answer").nth(3)
    opened.locator("summary").press("Enter")
    page.wait_for_function(
        "id => Object.values(localStorage).some(v => v.includes(`#${id}!`))",
        arg=forms.nth(3).evaluate("form => form.closest('section').id"),
    )
    check(forms.nth(3), forms.nth(3).get_attribute("data-numbers"))
    words = "Some are left."
    if count == 4:
        words = "All found, and half or more at once."
    end = f"found on this page: 4 of {count}, 2 of them at the first try. {words}"
    assert score(page).endswith(end)
    page.reload()
    assert score(page).endswith(end)


@pytest.mark.parametrize(
    ("misses", "words"),
    [
        (0, "All found, all at once."),
        (2, "All found, and half or more at once."),
        (None, "All found: what surprised you is worth a second visit."),
    ],
)
def test_score_is_said_in_words(page: Page, address, misses, words):
    page.goto(address + NAMES[1])
    forms = page.locator("form.ask")
    for place in range(forms.count()):
        form = forms.nth(place)
        if misses is None or place < misses:
            check(form, " ".join(map(str, clear_of(numbers(form), []))))
        check(form, form.get_attribute("data-numbers"))
    assert score(page).endswith(words)


def test_score_holds_while_the_storage_is_refused(page: Page, address):
    page.add_init_script(REFUSED)
    page.goto(address + NAMES[0])
    form = page.locator("form.ask").first
    assert check(form, form.get_attribute("data-numbers")).startswith("Right.")
    assert ": 1 of " in score(page)


def test_score_stays_with_its_question_when_another_is_added(page: Page, address):
    html = (SITE / NAMES[0]).read_text(encoding="utf-8")
    name = address + NAMES[0]
    page.goto(name)
    second = page.locator("form.ask").nth(1)
    check(second, second.get_attribute("data-numbers"))
    section = second.evaluate("form => form.closest('section').outerHTML")
    found = re.search(r'<section id="[^"]+">\s*<h3>.*?</section>', html, re.DOTALL)
    more = re.sub('id="[^"]*"', 'id="one-more"', found[0], count=1)
    longer = html.replace(found[0], more + found[0])
    assert longer.count('<form class="ask"') == html.count('<form class="ask"') + 1
    page.route(name, lambda route: route.fulfill(body=longer, content_type="text/html"))
    page.goto(name)
    boxes = page.locator(".box.found")
    assert page.locator("form.ask").count() == html.count('<form class="ask"') + 1
    assert boxes.evaluate_all("all => all.map(it => it.closest('section').id)") == [
        re.search('id="([^"]*)"', section)[1]
    ]


def test_keyboard_alone_leads_to_a_score(page: Page, address):
    page.goto(address + NAMES[0])
    form = page.locator("form.ask").first
    form.locator("input").focus()
    page.keyboard.type(form.get_attribute("data-numbers"))
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
    assert ": 1 of " in score(page)


def test_without_a_script_every_question_can_be_read_and_opened(bare: Page, address):
    bare.goto(address + NAMES[0])
    boxes = bare.locator(".box.predict")
    assert boxes.count() == len(cells())
    assert bare.locator("form.ask:visible, .progress:visible, .covered").count() == 0
    assert bare.locator("section > section a.headerlink").count() >= len(cells())
    boxes.first.locator("summary").press("Enter")
    assert boxes.first.locator("details p").first.is_visible()
