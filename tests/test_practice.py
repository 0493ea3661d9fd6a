"""The practice page in a real browser: played by keyboard, judged, kept, printed."""

import re

import pytest
from paper import words_of
from playwright.sync_api import Page, expect
from test_browser import AXE, SITE, bare, faults
from test_playground import HEARD, watched
from test_predict import REFUSED

__all__ = ["bare"]  # a fixture

PAGE = (SITE / "practice.html").absolute().as_uri()
KINDS = ["read", "next", "paths", "shapes", "none", "wrong"]
MADE = "([kind, level, seed]) => exercises.make(kind, level, seed)"
KEPT = """() => JSON.parse(Object.entries(localStorage)
  .find(([key]) => /^practice/.test(key))?.[1] ?? "null")"""
MANY = """([kind, level]) => Array.from({length: 25},
  (_, k) => exercises.make(kind, level, k + 1))"""


@pytest.fixture(params=[1280, 390])
def page(request, browser):
    address = f"{PAGE}#kind=paths&level=1&seed=17"
    with watched(browser, request.param, address) as page:
        yield page


def visit(page: Page, kind: str, level: int, seed: int, more: str = ""):
    page.goto("about:blank")
    page.goto(f"{PAGE}#kind={kind}&level={level}&seed={seed}{more}")


def typed(numbers: list[float]) -> str:
    return ", ".join(f"{n:g}" for n in numbers)


def answer(page: Page, text: str):
    page.locator(".pr-ask input").fill(text)
    page.keyboard.press("Enter")


def says(page: Page) -> str:
    return page.locator(".pr-says").inner_text()


def title(page: Page) -> str:
    return page.locator("#pr-title").inner_text()


def place(page: Page) -> list:
    return re.findall(r"kind=(\w+)&level=(\d)&seed=(\d+)", page.url)[0]


@pytest.mark.parametrize("kind", KINDS)
def test_kind_is_played_by_keyboard(page: Page, kind):
    visit(page, kind, 2, 5)
    page.locator(".pr-ask input").focus()
    for seed in (5, 6, 7):
        made = page.evaluate(MADE, [kind, 2, seed])
        assert title(page).endswith(f"level 2, number {seed}")
        page.keyboard.type(typed(made["cards"][0][1]))
        page.keyboard.press("Enter")
        expect(page.locator(".pr-says")).not_to_be_empty()
        assert not says(page).startswith("Right")
        page.keyboard.type(typed(made["answer"]))  # what was typed is selected
        page.keyboard.press("Enter")
        assert says(page).startswith("Right.")
        assert page.evaluate("document.activeElement.textContent") == "Next exercise"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.matches('.pr-ask input')")
        expect(page.locator("#pr-title")).to_be_in_viewport()
    assert place(page) == (kind, "2", "8")


def test_known_mistake_gets_its_own_words(page: Page):
    cards = page.locator(".pr-cards dt").evaluate_all(
        "all => all.map(dt => [dt.dataset.card, dt.textContent])"
    )
    titles = dict(cards)
    assert len(titles) == len(cards) > 20
    met = set()
    for kind in KINDS:
        for level in range(1, 5):
            made = page.evaluate(MANY, [kind, level])
            met |= {card for one in made for card, _ in one["cards"]}
            visit(page, kind, level, 1)
            for card, numbers in made[0]["cards"]:
                answer(page, typed(numbers))
                assert says(page).startswith(titles[card]), (kind, level, card)
    assert met == {*titles}


def test_other_numbers_are_not_yet_right_and_no_number_is_no_try(page: Page):
    made = page.evaluate(MADE, ["paths", 1, 17])
    answer(page, "no number")
    assert says(page).startswith("Numbers, please")
    answer(page, "1, 2")
    assert says(page).startswith("Numbers expected here: 1")
    answer(page, typed(made["answer"]))
    assert page.evaluate(KEPT)["first"] == 1
    visit(page, "paths", 1, 18)
    answer(page, "987.5")
    assert says(page).startswith("Not yet.")


def test_shape_is_not_told_by_how_many_sizes_it_has(page: Page):
    visit(page, "shapes", 1, 3)
    answer(page, "7, 7, 7, 7")
    assert says(page).startswith("Not yet.")


@pytest.mark.parametrize(
    ("kind", "level", "texts"),
    [
        ("shapes", 1, ["(5, 4)", "torch.Size([5, 4])", "5x4", "y.shape = (5, 4)"]),
        ("shapes", 1, ["5×4", "y is 5 × 4"]),
        ("paths", 1, ["8/2", "x.grad = 4", "tensor(4., dtype=torch.float64)"]),
        ("next", 3, ["[-12, -6]", "tensor([-12., -6.])", "w.grad = [-12, -6]"]),
        ("none", 1, ["b, c", "b and c", "c b are None", "0 None None", "[0, 1, 1]"]),
        ("none", 1, ["b.grad, C.grad", "B and C"]),
        ("none", 3, ["a b c", "None, 0, None, None, 0, 0"]),
        ("wrong", 1, ["1: 4", "x[1] = 4", "x.grad[1] = 4.0", "place 1, 8/2"]),
        ("wrong", 3, ["2, 75.", "(2) 75"]),
    ],
)
def test_right_answer_is_taken_as_it_is_typed(page: Page, kind, level, texts):
    for text in texts:
        visit(page, kind, level, 11)
        answer(page, text)
        assert says(page).startswith("Right."), text


@pytest.mark.parametrize(
    ("kind", "level", "text", "said"),
    [
        ("none", 1, "b", "Nothing arrives."),
        ("none", 1, "a is, b no", "Names from the question, please"),
        ("wrong", 1, "-12, 4", "The place is missing."),
        ("wrong", 3, "12, 48, 75", "The place is missing."),
        ("wrong", 3, "75", "The place is missing."),
        ("read", 1, "15", "A minus is lost."),
        ("none", 3, "1, 0, 1, 0, 0, 0", "It asked for no gradient."),
    ],
)
def test_what_is_said_is_in_sight(page: Page, kind, level, text, said):
    visit(page, kind, level, 11)
    answer(page, text)
    assert says(page).startswith(said)
    place = page.locator(".pr-says")
    expect(place).to_be_in_viewport(ratio=0.95)
    room, own = [it.bounding_box() for it in (page.locator(".pr"), place)]
    assert own["x"] + own["width"] <= room["x"] + room["width"]


def test_names_that_are_typed_are_not_taken_for_numbers(page: Page):
    visit(page, "none", 1, 11)
    for text, said in {
        "none": "Not yet.",  # no name at all
        "Nothing": "Not yet.",
        "b.grad, q": "Names from the question, please",
        "grad_c": "Names from the question, please",
        "A.grad": "The other way round. 1 stands for None, and 0 for a tensor. A name",
        "1, 1": "Numbers expected here: 3.",
        "": "Names from the question, please",
    }.items():
        answer(page, text)
        assert says(page).startswith(said), text


def test_times_sign_parts_sizes_of_shapes_alone(page: Page):
    made = page.evaluate(MADE, ["paths", 1, 17])
    answer(page, f"2×{made['answer'][0] / 2}")
    assert says(page).startswith("Right.")


def test_answer_is_shown_with_the_whole_graph(page: Page):
    made = page.evaluate(MADE, ["paths", 1, 17])
    assert "adjoint" not in page.locator(".pr-stage .ag-svg").text_content()
    assert "Backward" not in page.locator(".pr-stage .ag-text").text_content()
    page.click(".pr-give")
    number = f"{made['answer'][0]:g}".replace("-", "−")
    assert says(page).startswith(f"The answer is {number}.")
    assert "Backward" in page.locator(".pr-stage .ag-text").text_content()
    assert page.evaluate(KEPT) == {
        "count": 1,
        "first": 0,
        "due": {"paths 1": [0, 3]},
    }


@pytest.mark.parametrize("kind", KINDS)
def test_playground_opens_with_the_same_program(page: Page, kind):
    visit(page, kind, 3, 2)
    made = page.evaluate(MADE, [kind, 3, 2])
    page.click(".pr-give")
    page.click(".pr-after a")
    page.wait_for_url("**/playground.html#p=*")
    assert page.input_value("#pg-text") == made["program"]
    assert page.locator("#pg-fault").inner_text() == ""


def test_same_address_shows_the_same_to_everybody(page: Page, browser):
    visit(page, "mixed", 3, 40)
    other = browser.new_page()
    other.goto(page.url)
    shown = [p.locator(".pr-stage").inner_html() for p in (page, other)]
    assert shown[0] == shown[1]
    assert len(shown[0]) > 200
    other.close()


@pytest.mark.parametrize(
    "end",
    ["", "#kind=paths", "#kind=__proto__&level=2&seed=3", "#kind=read&level=9&seed=-1"],
)
def test_address_that_says_nothing_gets_an_exercise(page: Page, end):
    page.goto("about:blank")
    page.goto(PAGE + end)
    kind, level, seed = place(page)
    assert (kind, level) == ("mixed", "1")
    assert title(page).endswith(f"level 1, number {seed}")


def test_choice_goes_into_the_address_and_back(page: Page):
    page.select_option(".pr-choose select >> nth=0", "none")
    page.select_option(".pr-choose select >> nth=1", "4")
    assert place(page) == ("none", "4", "17")
    page.go_back()
    page.wait_for_function(
        "document.querySelector('.pr-choose select').value == 'none'"
    )
    assert title(page) == "Which .grad is None, level 1, number 17"


def play(page: Page, right: bool) -> str:
    """Answer at once, or show the answer; return the kind, and go on."""
    now = title(page)
    kind = page.evaluate(
        "title => [...document.querySelectorAll('.pr-choose option')]"
        ".find(o => title.startsWith(o.text + ',')).value",
        now,
    )
    level, seed = map(int, re.findall(r"\d+", now)[-2:])
    if right:
        answer(page, typed(page.evaluate(MADE, [kind, level, seed])["answer"]))
    else:
        page.click(".pr-give")
    page.keyboard.press("Enter")
    return kind


def test_what_went_wrong_comes_again_sooner_until_it_is_found(page: Page):
    visit(page, "mixed", 1, 6)  # begins with the first kind
    kinds = [play(page, right=k != 1) for k in range(12)]
    assert kinds[:4] == ["read", "next", "paths", "shapes"]
    assert kinds[4] == "next"  # after two others
    assert kinds[5:9] == ["paths", "shapes", "none", "wrong"]
    assert kinds[9] == "next"  # after four more
    assert kinds[10:] == ["paths", "shapes"]  # found twice: in turn again
    kept = page.evaluate(KEPT)
    assert kept == {"count": 12, "first": 11, "due": {}}


def test_who_is_always_wrong_still_meets_each_kind(page: Page):
    """Three kinds that were due every third time once kept the three others out."""
    visit(page, "mixed", 1, 1)
    kinds = [play(page, right=False) for _ in range(9)]
    assert kinds[:4] == ["next", "paths", "shapes", "next"]  # after two others
    assert {*kinds} == {*KINDS}
    assert max(kinds.count(kind) for kind in KINDS) <= 3


def test_first_lesson_is_enough_for_the_kind_that_the_page_names(page: Page):
    assert "the first lesson choose Sum over paths" in page.inner_text("h1 + p")
    made = page.evaluate(MANY, ["paths", 1])
    called = set(re.findall(r"\w+(?=\()", " ".join(m["program"] for m in made)))
    assert called == {"tensor", "relu"}
    assert "relu leaves a positive number" in page.text_content("#how-it-works")


@pytest.mark.parametrize("more", ["", "&ten"])
def test_link_to_a_place_on_the_page_leaves_the_exercise_as_it_is(page: Page, more):
    """To skip to the content threw the sheet away."""
    visit(page, "paths", 1, 17, more)
    shown = page.locator(".pr section:visible")
    before = shown.inner_html()
    if not more:
        answer(page, "1")
        before = shown.inner_html()
    for place in ("#furo-main-content", "#how-it-works"):
        page.evaluate(
            "place => document.querySelector(`a[href='${place}']`).click()", place
        )
        page.wait_for_url("**" + place)
        assert shown.inner_html() == before
    page.go_back()
    page.go_back()
    page.wait_for_url("**seed=17" + more)
    assert shown.inner_html() == before
    assert more or page.input_value(".pr-ask input") == "1"


def test_what_is_remembered_is_said_and_forgotten_by_one_button(page: Page):
    play(page, right=False)
    page.reload()
    line = page.locator(".pr-kept")
    expect(line).to_contain_text("Answered: 1, 0 of them at the first try.")
    expect(line).to_contain_text("Coming again: Sum over paths, level 1.")
    line.get_by_role("button").click()
    expect(line).to_contain_text("Answered: 0, 0 of them")
    expect(line).not_to_contain_text("Coming again")
    assert page.evaluate(KEPT) == {"count": 0, "first": 0, "due": {}}


def test_page_works_while_the_storage_is_refused(browser):
    page = browser.new_page()
    page.add_init_script(REFUSED)
    visit(page, "paths", 1, 17)
    play(page, right=True)
    assert "Answered: 1, 1 of them" in page.locator(".pr-kept").inner_text()
    page.close()


def test_sheet_has_ten_questions_and_their_answers(page: Page):
    page.locator(".pr-ten").press("Enter")
    page.wait_for_url("**&ten")
    expect(page.locator("#pr-sheet-title")).to_be_focused()  # above the ten
    expect(page.locator("#pr-sheet-title")).to_be_in_viewport()
    items = page.locator(".pr-sheet > ol > li")
    expect(items).to_have_count(10)
    assert not page.locator(".pr-one").is_visible()
    page.locator(".pr-back summary").click()
    given = page.locator(".pr-back li").all_inner_texts()
    for k, text in enumerate(given):
        made = page.evaluate(MADE, ["paths", 1, 17 + k])
        assert text == typed(made["answer"]).replace("-", "−")
        assert made["program"] in items.nth(k).locator("pre").text_content()
    assert len(given) == 10


@pytest.mark.parametrize("kind", ["mixed", *KINDS])
def test_paper_has_the_answers_on_a_page_of_their_own(page: Page, kind):
    visit(page, kind, 2, 17, "&ten")
    texts = words_of(page.pdf(format="A4"))
    assert 2 <= len(texts) <= 6  # on a phone ten drawings take five
    assert [k for k, text in enumerate(texts) if "Answers" in text] == [len(texts) - 1]
    assert not re.search("Mistakes that|Exercises of six", "".join(texts))
    assert len(re.findall(r"^\s*\d+\.", texts[-1], re.MULTILINE)) == 10
    which = page.inner_text("#pr-sheet-title").removeprefix("Ten exercises: ")
    assert f"Answers: {which}" in texts[-1]  # a page that lies apart from its questions
    assert "Name:" in texts[0]
    assert "Name:" not in texts[-1]


def test_paper_has_a_line_to_write_on_below_each_exercise(page: Page):
    visit(page, "mixed", 2, 17, "&ten")
    drawn = """all => all.map((e) => getComputedStyle(e, "::after"))
      .filter((s) => s.content != "none" && parseFloat(s.borderBottomWidth) >= 1
        && parseFloat(s.height) > 15).length"""
    items = page.locator(".pr-sheet > ol > li")
    assert items.evaluate_all(drawn) == 0
    page.emulate_media(media="print")
    assert items.evaluate_all(drawn) == 10
    assert page.locator(".pr-back li").evaluate_all(drawn) == 0


def test_paper_shows_no_ring_round_what_has_the_focus(page: Page):
    visit(page, "mixed", 2, 17, "&ten")
    page.keyboard.press("Tab")
    page.locator("#pr-sheet-title").focus()
    style = "() => getComputedStyle(document.activeElement).outlineStyle"
    assert page.evaluate(style) != "none"
    page.emulate_media(media="print")
    assert page.evaluate(style) == "none"


CHOICES = [
    (".pr-choose label:nth-child(1) select", "none"),
    (".pr-choose label:nth-child(2) select", "3"),
    (".pr-choose input", "18"),
    (".pr-kept button", ""),
]


@pytest.mark.parametrize(
    ("control", "value", "sheet"),
    [
        *((*choice, sheet) for choice in CHOICES for sheet in ("", "&ten")),
        (".pr-ask input", "no number", ""),  # a sheet is answered on paper
    ],
)
def test_what_a_control_changes_is_heard(page: Page, control, value, sheet):
    visit(page, "paths", 1, 17, sheet)
    before = page.evaluate(HEARD)
    place = page.locator(control)
    place.focus()
    if place.evaluate("e => e.matches('select')"):
        place.select_option(value)
    elif value:
        place.fill(value)
        page.keyboard.press("Enter")
    else:
        page.keyboard.press("Enter")
    assert page.evaluate(HEARD) != before
    assert place.evaluate("e => e == document.activeElement")
    assert page.locator(".pr-sheet").is_visible() == bool(sheet)
    assert page.url.endswith("&ten") == bool(sheet)


def test_what_a_link_shows_is_heard_there_and_back(page: Page):
    for shown in ("#pr-sheet-title", "#pr-title"):
        page.locator(".pr-ten").press("Enter")
        expect(page.locator(shown)).to_be_focused()
        expect(page.locator(shown)).to_be_in_viewport()
    page.go_back()
    expect(page.locator("#pr-sheet-title")).to_be_focused()


def test_page_is_accessible(page: Page):
    page.evaluate(AXE)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for k, kind in enumerate(KINDS):
            page.evaluate("a => location.hash = a", f"#kind={kind}&level=4&seed=3")
            page.wait_for_function("kind => location.hash.includes(kind)", arg=kind)
            if k % 2:
                page.click(".pr-give")
            assert faults(page, "") == [], (scheme, kind)
        page.evaluate("a => location.hash = a", "#kind=mixed&level=4&seed=3&ten")
        expect(page.locator(".pr-sheet")).to_be_visible()
        assert faults(page, "") == [], scheme


def test_page_fits_its_width(page: Page):
    width = page.viewport_size["width"]
    for kind in KINDS:
        for end in ("", "&ten"):
            visit(page, kind, 4, 3, end)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, kind


def test_page_without_javascript_leads_to_questions(bare: Page):
    bare.goto(PAGE)
    assert "made by JavaScript" in bare.locator("noscript").inner_text()
    assert not bare.locator(".pr").is_visible()
    bare.click("noscript a")
    assert bare.url.endswith("predict.html")


def test_lists_of_kinds_agree(page: Page):
    options = page.locator(".pr-choose select").first.locator("option")
    values = options.evaluate_all("all => all.map(o => o.value)")
    assert values == ["mixed", *page.evaluate("exercises.KINDS")] == ["mixed", *KINDS]
