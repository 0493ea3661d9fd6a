"""Predictions, progress and the keys between pages, in a real browser."""

import html
import json
import re
from pathlib import Path

import pytest
from course import LESSONS, run_of
from playwright.sync_api import Page
from test_browser import AXE, PAGES, SITE, address, faults  # noqa: F401

SCRIPTS = [lesson for lesson in LESSONS if lesson.name.startswith("gallery")]
FORM = re.compile(r'<form class="ask" data-numbers="([^"]*)"')
FIRST = "lessons/0_basics/10_gradients_with_pytorch.html"
SECOND = "lessons/1_foundations/10_what_is_a_gradient.html"
INDEX = "lessons/1_foundations/index.html"
REFUSED = """Object.defineProperty(window, "localStorage", {
  get() { throw new Error("refused"); } });"""
SHIFT = """new Promise(done => { let sum = 0;
  new PerformanceObserver(list => list.getEntries().forEach(e => sum += e.value))
    .observe({type: "layout-shift", buffered: true});
  setTimeout(() => done(sum), 400); })"""


def page_of(name: str) -> str:
    return name.replace("gallery/", "lessons/").replace(".py", ".html")


@pytest.fixture
def context(browser):
    context = browser.new_context(
        viewport={"width": 1280, "height": 900}, reduced_motion="reduce"
    )
    context.set_default_timeout(30_000)
    yield context
    context.close()


@pytest.fixture
def page(context):
    page = context.new_page()
    messages = []
    page.on("pageerror", lambda e: messages.append(str(e)))
    page.on("console", lambda m: messages.append(m.text))
    yield page
    assert messages == []


def visit(page: Page, name: str) -> None:
    page.goto((SITE / name).as_uri())


def check(form, typed: str) -> str:
    """Type into a form by keyboard alone; return what it says."""
    form.locator("input").fill(typed)
    form.locator("input").press("Enter")
    return form.locator("[role=status]").inner_text()


def written(numbers, sign: str = "−") -> str:
    return "(" + ", ".join(f"{n:.10g}" for n in numbers).replace("-", sign) + ")"


def clear_of(numbers, others) -> list[float]:
    """Return numbers that are neither right nor any of the known wrong ones."""
    new = [n * 1.5 + 7.5 for n in numbers]
    while any(len(o) == len(new) and o[0] == new[0] for o in others):
        new[0] += 1
    return new


# Types one thing after the other into a form; returns what it says to each, and its
# kind.  To fill in and press a key from outside takes nine times as long.
ANSWERS = """(form, all) => all.map((typed) => {
  form.querySelector("input").value = typed;
  form.requestSubmit();
  return [form.querySelector("[role=status]").innerText, form.dataset.card];
})"""
RUBBISH = ("", "abc", "1, two", "nan", ")(", "tensor")


@pytest.mark.parametrize("lesson", SCRIPTS, ids=lambda lesson: Path(lesson.name).stem)
def test_every_prediction_of_the_site(page: Page, stated, lesson):
    """Each value that torch gives now is accepted, each wrong one has its card."""
    asked = stated(lesson).asked
    questions = []
    for item in asked:
        if item.kind == "ask":
            questions.append([item])
        else:
            questions[-1].append(item)
    assert len(questions) >= 3
    assert len(asked) >= 2 * len(questions)  # a card each, at least
    visit(page, page_of(lesson.name))
    forms = page.locator("form.ask")
    assert forms.count() == len(questions)
    for place, (right, *wrongs) in enumerate(questions):
        form = forms.nth(place)
        answer = form.locator("xpath=..").locator("details.answer")
        words = answer.locator(".wrong").all_text_contents()
        others = [w.numbers for w in (right, *wrongs)]
        more = [*right.numbers, 5.0]
        odd = [written(more)] * (len(more) not in {len(o) for o in others})
        new = written(clear_of(right.numbers, others))
        typed = [*RUBBISH, *odd, new, *(written(w.numbers) for w in wrongs)]
        said = form.evaluate(ANSWERS, typed)
        for told, _ in said[: len(RUBBISH)]:
            assert told.startswith("Numbers, please")
        del said[: len(RUBBISH)]
        if odd:
            expected = f"Numbers expected here: {len(right.numbers)}."
            assert said.pop(0)[0] == expected
        assert said.pop(0)[0].startswith("Not yet. Try again")
        for (told, kind), card in zip(said, words, strict=True):
            assert told.startswith("If you found ")
            assert " ".join(told.split())[:30] == " ".join(card.split())[:30]
            assert kind == "wrong"
        assert answer.get_attribute("open") is None
        told = check(form, written(right.numbers, "-").strip("()"))
        assert told.startswith("Right.")
        assert answer.get_attribute("open") is not None
    assert page.locator(".box.found").count() == len(questions)


def test_page_holds_what_torch_gives_digit_by_digit(stated):
    """Those of the build; on an old processor, five of them are the same."""
    for lesson in SCRIPTS:
        text = (SITE / page_of(lesson.name)).read_text()
        shown = [tuple(map(float, f.split())) for f in FORM.findall(text)]
        asked = [a for a in run_of(lesson.name).asked if a.kind == "ask"]
        assert shown == [a.numbers for a in asked]
        again = [a.numbers for a in stated(lesson).asked if a.kind == "ask"]
        assert again == [pytest.approx(n, rel=1e-5, abs=1e-6) for n in shown]


@pytest.mark.parametrize(
    "typed",
    [
        "0, 4, 8, 12",
        "(0, 4, 8, 12)",
        "[0 4 8 12]",
        "[[0, 4], [8, 12]]",
        " 0;4;8;12 ",
        "0., 4.0, +8, 1.2e1",
        "0, 8/2, 24/3, 12",
        "0, 4.003, 7.993, 12.01",
        "tensor([ 0.,  4.,  8., 12.])",
        "tensor([0., 4., 8., 12.], dtype=torch.float64, grad_fn=<MulBackward0>)",
        "(tensor(0.), tensor(4.), tensor(8.), tensor(12.))",
        "9-9, 1+3, 2*4, sqrt(144)",
        "0 m 4 m 8 m/s 12 m",
    ],
)
def test_answer_may_be_written_in_many_ways(page: Page, typed):
    visit(page, FIRST)
    form = page.locator('form.ask[data-numbers="0.0 4.0 8.0 12.0"]')
    assert check(form, typed).startswith("Right.")


@pytest.mark.parametrize("typed", ["-4 -4 3", "−4, −4, 3", "- 4, − 4, 3", "–4 –4 3"])
def test_minus_may_be_any_of_its_signs(page: Page, typed):
    visit(page, "lessons/1_foundations/20_the_graph_behind_y.html")
    form = page.locator('form.ask[data-numbers="-4.0 -4.0 3.0"]')
    assert check(form, typed).startswith("Right.")


def test_what_lacks_a_digit_is_right_so_far_and_no_try(page: Page):
    visit(page, "lessons/1_foundations/20_the_graph_behind_y.html")
    form = page.locator('form.ask[data-numbers^="5.5 1.71"]')
    for typed in ("5.5, 1.7", "5.5 1.72", "11/2; 1.72"):
        assert check(form, typed).startswith("Right so far. One digit more")
    assert check(form, "5.5, 1.716").startswith("Right.")
    assert "1 of them at the first try" in page.locator(".progress").inner_text()
    for typed in ("5.5, 2", "6, 1.7", "5.5, 1.71", "5.6 1.72"):
        assert check(form, typed).startswith("Not yet.")


@pytest.mark.parametrize("typed", ["0, 4, 8, 12.02", "12, 8, 4, 0", "0, 4, 8, -12"])
def test_what_is_not_near_is_not_right(page: Page, typed):
    visit(page, FIRST)
    form = page.locator('form.ask[data-numbers="0.0 4.0 8.0 12.0"]')
    assert check(form, typed).startswith("Not yet.")
    assert check(form, "0 4 8 12").startswith("Right.")  # again, without a reload


def test_keyboard_goes_from_field_to_button_to_answer(page: Page):
    visit(page, FIRST)
    form = page.locator("form.ask").first
    form.locator("input").focus()
    page.keyboard.type("2")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert form.locator("[role=status]").inner_text().startswith("Right.")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 320])
def test_every_state_is_accessible_and_fits(page: Page, address, scheme, width):  # noqa: F811
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(address + FIRST)
    forms = page.locator("form.ask")
    for place, typed in enumerate(
        ["2", "0, 2, 4, 6", "x", "1 2 3 4 5", "7", "0 1 4 9"]
    ):
        check(forms.nth(place), typed)
    states = forms.evaluate_all("all => all.map(e => e.dataset.card)")
    assert states == ["right", "wrong", "number", "count", "other", "wrong"]
    page.locator(".progress").scroll_into_view_if_needed()
    page.wait_for_selector(".sidebar-tree a.read", state="attached")
    page.evaluate(AXE)
    assert faults(page, "") == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("name", [FIRST, INDEX])
def test_nothing_moves_when_the_page_loads(page: Page, context, name):
    visit(page, FIRST)
    check(page.locator("form.ask").first, "2")
    page.locator(".progress").scroll_into_view_if_needed()
    page.wait_for_selector(".sidebar-tree a.read")
    fresh = context.new_page()
    visit(fresh, name)
    assert fresh.evaluate(SHIFT) < 0.01
    before = fresh.evaluate("document.body.scrollHeight")
    fresh.add_style_tag(content=".read::before, .found > ::after {display: none}")
    assert fresh.evaluate("document.body.scrollHeight") == before


def test_without_javascript_there_is_the_folded_answer_with_its_cards(browser):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    visit(page, FIRST)
    assert page.locator("form.ask").count() > 0
    assert page.locator("form.ask:visible, .progress:visible").count() == 0
    answer = page.locator(".box:has(form.ask) details.answer").first
    answer.locator("summary").press("Enter")
    assert answer.locator(".wrong").first.inner_text().startswith("If you found 1:")
    context.close()


def test_forms_are_not_printed_and_cards_are(page: Page):
    visit(page, FIRST)
    page.emulate_media(media="print")
    assert page.locator("form.ask:visible, .progress:visible").count() == 0
    card = page.locator(".wrong").first
    assert card.evaluate("e => e.checkVisibility({contentVisibilityAuto: true})")


def read_to_the_end(page: Page, name: str) -> None:
    visit(page, name)
    page.locator(".progress").scroll_into_view_if_needed()
    page.wait_for_selector(".sidebar-tree .current-page > a.read", state="attached")


def test_progress_survives_and_can_be_forgotten(page: Page):
    visit(page, FIRST)
    assert page.locator(".sidebar-tree a.read, .box.found").count() == 0
    check(page.locator("form.ask").nth(0), "2")
    check(page.locator("form.ask").nth(2), "1, 5, 9, 13")
    check(page.locator("form.ask").nth(3), "0")
    read_to_the_end(page, SECOND)
    visit(page, FIRST)
    found = page.locator(".box:has(form.ask)").evaluate_all(
        "all => all.map(e => e.matches('.found'))"
    )
    assert found[:4] == [True, False, True, False]
    assert not any(found[4:])
    line = page.locator(".progress")
    assert line.inner_text().startswith(
        f"Predictions found on this page: 2 of {len(found)}, 2 of them at the first "
        "try. Some are left. Lessons read to the end: 1"
    )
    visit(page, INDEX)
    card = page.locator(".lesson-card a.read")
    assert card.count() == 1
    assert card.get_attribute("href") == Path(SECOND).name
    assert page.locator(".sidebar-tree a.read").count() == 1
    assert line.inner_text().startswith("Lessons read to the end: 1")
    line.locator("button").press("Enter")
    assert line.inner_text().startswith("Lessons read to the end: 0")
    assert page.evaluate("Object.values(localStorage)") == ["[]"]
    visit(page, FIRST)
    assert page.locator(".sidebar-tree a.read, .box.found").count() == 0


def test_quiz_that_was_scrolled_through_is_no_lesson(page: Page):
    visit(page, "quiz_capstones.html")
    line = page.locator(".progress")
    line.scroll_into_view_if_needed()
    read_to_the_end(page, SECOND)  # this one counts, so the page had time for that one
    assert line.inner_text().count("Lessons read to the end: 1") == 1
    assert page.locator(".sidebar-tree a.read").count() == 1


def test_name_of_a_link_says_that_the_lesson_was_read(page: Page):
    read_to_the_end(page, SECOND)
    name = "read: What is a gradient?"
    assert page.get_by_role("link", name=name, exact=True).count() == 1


def test_progress_is_known_under_a_sub_path_too(page: Page, address):  # noqa: F811
    page.goto(address + FIRST)
    check(page.locator("form.ask").first, "2")
    page.reload()
    assert page.locator(".box.found").count() == 1
    kept = page.evaluate("Object.entries(localStorage)")
    assert [key for key, _ in kept if key != "theme"] == [f"progress {address}"]
    found = json.loads(dict(kept)[f"progress {address}"])[0]
    assert found == f"{address}{FIRST}#forward-compute-and-record"


@pytest.mark.parametrize("kept", ["5", "null", "{", '"x"', '{"a": 1}', "[1, null]"])
def test_what_others_have_stored_breaks_nothing(page: Page, address, kept):  # noqa: F811
    page.goto(address + FIRST)
    page.evaluate(
        "kept => localStorage['progress ' + kept[0]] = kept[1]", [address, kept]
    )
    page.reload()
    assert check(page.locator("form.ask").first, "2").startswith("Right.")
    assert page.locator(".box.found").count() == 1


def test_storage_that_throws_breaks_nothing(context):
    page, errors = context.new_page(), []
    page.on("pageerror", lambda e: errors.append(e.stack or ""))
    page.add_init_script(REFUSED)
    visit(page, FIRST)
    assert check(page.locator("form.ask").first, "2").startswith("Right.")
    page.locator(".progress").scroll_into_view_if_needed()
    page.wait_for_selector(".sidebar-tree .current-page > a.read")
    assert page.locator(".box.found").count() == 1
    page.locator(".progress button").click()
    assert page.locator(".sidebar-tree a.read, .box.found").count() == 0
    assert page.evaluate("document.body.dataset.theme") == "auto"
    assert [e for e in errors if "sphinx_highlight.js" not in e] == []  # not ours


@pytest.mark.parametrize(("key", "link"), [("n", "next"), ("p", "prev")])
def test_access_key_leads_to_the_neighbour(page: Page, key, link):
    visit(page, SECOND)
    there = page.locator(f"a.{link}-page").evaluate("a => a.href")
    assert f"(access key {key.upper()})" in page.locator(f"a.{link}-page").inner_text()
    page.keyboard.press(key)  # alone it does nothing (WCAG 2.1.4)
    page.wait_for_timeout(100)
    assert page.url.endswith(SECOND)
    press = {"type": "keyDown", "key": key, "text": key, "unmodifiedText": key}
    tools = page.context.new_cdp_session(page)  # playwright's own keys have no text
    tools.send("Input.dispatchKeyEvent", press | {"modifiers": 1})  # with Alt
    page.wait_for_url(there)


def test_access_keys_are_the_same_on_every_page_and_unique():
    for name in PAGES:
        keys = re.findall(r'accesskey="(.)"', (SITE / name).read_text())
        assert keys in (["p", "n"], ["p"], ["n"], []), name
    assert re.findall(r'accesskey="(.)"', (SITE / FIRST).read_text()) == ["p", "n"]


def test_notebooks_hold_the_cards_and_no_form():
    (path,) = SITE.glob("_downloads/*/10_gradients_with_pytorch.ipynb")
    cells = json.loads(path.read_text())["cells"]
    text = "\n".join(c["source"] for c in cells if c["cell_type"] == "markdown")
    assert "If you found `2 * x`:" in html.unescape(text)
    assert ".. ask" not in text
