"""The way in: what the first page promises, where lessons lead, what a quiz asks."""

import re
from itertools import pairwise
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from docutils import nodes
from playwright.sync_api import Page
from published import SITE, found
from test_browser import address, bare, page

from coursebuild.extension.asks import ask
from coursebuild.extension.course import levels, skip, spell
from coursebuild.extension.plotting import draws
from coursebuild.extension.quiz import question

__all__ = ["address", "bare", "page"]  # fixtures

ROOT = Path(__file__).parents[1]
FIRST = "lessons/0_basics/10_gradients_with_pytorch.html"
LESSONS = sorted(
    path.relative_to(SITE).as_posix()
    for path in SITE.glob("lessons/*/*.html")
    if path.stem != "index"
)
QUIZZES = sorted(path.name for path in SITE.glob("quiz_*.html"))
ENDS = '//section[@id="what-we-can-do-now"]'
DRAWN = '//*[@class="drawn-from"]'
PACE = 125  # words of a lesson and its code a minute, exercises left out
FACTS = '//dl[starts-with(@class, "facts ")]'
TIME = f"{FACTS}/dd[1]"
NEEDS = f'{FACTS}/dt[contains(., "Needs")]/following-sibling::dd[1]'
SMALL = "zero one two three four five six seven eight nine ten eleven twelve thirteen "
SMALL += "fourteen fifteen sixteen seventeen eighteen nineteen"
WORDS = {word: number for number, word in enumerate(SMALL.split())}
WORDS |= {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50}
COUNTS = [  # a page, the words that count, and what they count
    *[(quiz, r"^(\S+) questions from", "article section") for quiz in QUIZZES],
    ("questions.html", r"^(\S+) messages and questions", "article h2"),
    ("playground.html", r"^(\S+) starting points", "#twelve-starting-points h3"),
    (
        "practice.html",
        r"Exercises of (\S+) kinds",
        "label:-soup-contains(Kind) option + option",
    ),
    ("lessons/1_foundations/index.html", r"(\S+) lessons lead", ".lesson-card"),
]
HEADER = "Level\n-----\n\nOne sentence.\nAnother one.\n\n.. checks: strict\n"


def soup(name: str) -> BeautifulSoup:
    return BeautifulSoup((SITE / name).read_text(encoding="utf-8"), "html.parser")


def course(root: Path, times: dict[str, int]) -> Path:
    """Write the lessons ``folder/name`` with their minutes."""
    for name, minutes in times.items():
        path = root / "gallery" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'"""\nT\n=\n\n:Time: {minutes} minutes\n"""\n')
        (path.parent / "GALLERY_HEADER.rst").write_text(HEADER)
    return root


def test_levels_count_lessons_and_minutes(tmp_path: Path):
    root = course(tmp_path, {"1_a/10_x": 20, "1_a/20_y": 25, "2_b/10_z": 60})
    found = [(x.page, x.lessons, x.minutes) for x in levels(root)]
    assert found == [("lessons/1_a/index", 2, 45), ("lessons/2_b/index", 1, 60)]
    assert levels(root)[0].says == "One sentence. Another one."


def test_levels_without_a_lesson_are_none(tmp_path: Path):
    root = course(tmp_path, {"1_a/10_x": 20, "1_a/_helper": 0})
    (root / "gallery/2_b").mkdir()
    (root / "gallery/2_b/GALLERY_HEADER.rst").write_text(HEADER)
    assert [(x.title, x.lessons) for x in levels(root)] == [("Level", 1)]


@pytest.mark.parametrize(
    ("minutes", "says"),
    [(5, "5 minutes"), (60, "1 hour"), (75, "1 hour"), (90, "1½ hours")],
)
def test_length_is_said_to_the_half_hour(minutes, says):
    assert spell(minutes) == says


def test_lists_of_lessons_are_skipped_both_ways():
    order = ["index", "lessons/index", "lessons/1/index", "lessons/1/10", "questions"]
    around = zip([None, *order], order, [*order[1:], None], strict=False)
    relations = {name: [None, before, after] for before, name, after in around}
    assert skip("index", 2, relations) == "lessons/1/10"
    assert skip("lessons/1/10", 1, relations) == "index"
    assert skip("questions", 2, relations) is None


@pytest.mark.parametrize(
    ("code", "is_drawing"),
    [
        ("fig, ax = plt.subplots()\nax.plot(x)\nfig.set_label('A')", True),
        (
            "import matplotlib.pyplot as plt\n\nfig, ax = plt.subplots()\nax.plot(x)",
            True,
        ),
        ("plot = MovingPlot({}, 'A')\nplot", True),
        ("a = 1\nb = 2\nc = 3\nfig, ax = plt.subplots()\nax.plot(a, b)", False),
        ("plt.close()", False),
        ("make_dot(y, locals())", False),
        ("%matplotlib inline\nplt.subplots()", False),
    ],
)
def test_cell_that_draws_is_told_from_one_that_computes(code, is_drawing):
    assert draws(code) == is_drawing


def lesson_tree() -> nodes.document:
    """A section with a paragraph, an output, code, two boxes and the cell between."""
    document = nodes.document("", "")
    section = nodes.section("", nodes.title("", "Here"), ids=["here"])
    section += nodes.paragraph("", "Before.", ids=["before"])
    section += nodes.raw("", "<p>output</p>", format="html")
    section += nodes.container("", nodes.paragraph("", "No number"), classes=["box"])
    section += nodes.container("", ask(numbers=(1.0,)), classes=["box"])
    section += nodes.literal_block("y", "y")
    section += nodes.raw("", "<p>1</p>", format="html")
    section += nodes.paragraph("", "After.")
    document += section
    return document


def test_question_leaves_outputs_and_other_boxes_behind():
    found = question(lesson_tree(), "Here")
    kinds = [type(node).__name__ for node in found]
    assert kinds == ["paragraph", "literal_block", "container"]
    assert found[2][0]["numbers"] == (1.0,)
    assert not any(node["ids"] for node in found)


@pytest.mark.parametrize(
    ("title", "says"), [("There", "no section"), ("Here", "no box")]
)
def test_question_that_is_not_there_is_an_error(title, says):
    tree = lesson_tree()
    for node in list(tree.findall(ask)):
        node.parent.remove(node)
    with pytest.raises(LookupError, match=says):
        question(tree, title)


def test_first_page_has_a_card_for_each_level_and_no_other():
    cards = soup("index.html").select(".levels li")
    folders = [path.name for path in sorted(ROOT.glob("gallery/[0-9]*"))]
    assert [li.a["href"].split("/")[1] for li in cards] == folders
    assert all(re.search(r"\d lessons?, \d", li.get_text()) for li in cards)


@pytest.mark.parametrize("words", ["For whom", "How long", "Afterwards", "different"])
def test_first_page_says(words):
    terms = " ".join(dt.get_text() for dt in soup("index.html").select(".promise dt"))
    assert words in terms


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (390, 664)])
def test_ways_to_start_are_above_the_fold(page: Page, address, width, height):
    page.set_viewport_size({"width": width, "height": height})
    page.goto(address + "index.html")
    boxes = [link.bounding_box() for link in page.locator(".start a").all()]
    assert len(boxes) == 2  # the first lesson, the playground
    assert all(box["y"] + box["height"] <= height for box in boxes)


@pytest.mark.parametrize(
    ("width", "is_beside"), [(1100, True), (1280, True), (1090, False)]
)
def test_contents_stand_beside_the_text(page: Page, address, width, is_beside):
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(address + FIRST)
    contents = page.locator(".toc-tree").bounding_box()
    text = page.locator("article").bounding_box()
    beside = text["x"] + text["width"] <= contents["x"] < width
    assert beside == is_beside
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_buttons_lead_from_lesson_to_lesson_and_to_the_quiz_of_a_level():
    """In which order the quizzes come is asked in ``test_site``."""
    here, seen, quizzes = "index.html", [], []
    while links := found(here, '//a[@class="next-page"]'):
        here = (SITE / here).parent.joinpath(links[0].get("href")).resolve()
        here = here.relative_to(SITE.resolve()).as_posix()
        if here.startswith("quiz_"):
            quizzes.append(here)
        elif here.startswith("lessons/"):
            seen.append(here)
        else:
            break
    assert seen == LESSONS
    assert sorted(quizzes) == QUIZZES


def leads(name: str, place: str) -> list[str]:
    """Return the pages to which the links of a place lead, from the site's root."""
    root = SITE.resolve()
    links = [href.partition("#")[0] for href in found(name, f"{place}//a/@href")]
    goals = [(root / name).parent.joinpath(link).resolve() for link in links if link]
    return [goal.relative_to(root).as_posix() for goal in goals if root in goal.parents]


@pytest.mark.parametrize(("name", "after"), [*pairwise(LESSONS)])
def test_last_words_of_a_lesson_lead_to_the_next(name, after):
    assert [page for page in leads(name, ENDS) if page in LESSONS][-1:] == [after]


def test_quiz_is_named_where_the_last_of_its_lessons_ends():
    last = {max(leads(quiz, DRAWN)): quiz for quiz in QUIZZES}
    named = {page: [q for q in leads(page, ENDS) if q in QUIZZES] for page in LESSONS}
    assert {page: quizzes for page, quizzes in named.items() if quizzes} == {
        page: [quiz] for page, quiz in last.items()
    }


def test_lesson_needs_what_comes_before_it():
    needs = {name: leads(name, NEEDS) for name in LESSONS}
    assert all(needs[name] for name in LESSONS[1:])
    assert [(a, b) for a, found in needs.items() for b in found if b >= a] == []


def test_lesson_calls_what_it_needs_by_its_title():
    titles = {name: found(name, "//h1")[0].text for name in LESSONS}
    other = []
    for name in LESSONS:
        goals = leads(name, NEEDS)
        words = [link.text_content() for link in found(name, f"{NEEDS}//a")]
        pairs = zip(words, goals, strict=True)
        other += [word for word, goal in pairs if not titles[goal].startswith(word)]
    assert other == []


def test_exam_needs_what_its_table_says_it_asks():
    known, todo = set(), ["lessons/3_debugging/90_exam.html"]
    while todo:
        known.add(name := todo.pop())
        todo += leads(name, NEEDS)
    asked = leads("lessons/3_debugging/90_exam.html", '//*[@id="where-each-is-taught"]')
    assert len(asked) == 12
    assert set(asked) <= known


def test_first_page_says_how_long_its_first_lesson_is():
    time = found(FIRST, TIME)[0].text_content().strip()
    assert (
        f"{time} for the first lesson" in soup("index.html").select_one(".promise").text
    )


@pytest.mark.parametrize("name", LESSONS)
def test_lesson_gives_its_reader_time(name):
    path = ROOT / Path("gallery", *Path(name).parts[1:]).with_suffix(".py")
    read, _, rest = path.read_text(encoding="utf-8").partition("\n# Exercises\n")
    words = len(f"{read} {rest.partition('# What we can do now')[2]}".split())
    minutes = int(re.search(r"^:Time: (\d+) minutes$", read, re.MULTILINE)[1])
    assert words / minutes < PACE


def test_term_adds_up_and_each_meeting_needs_what_stands_above_it():
    rows = soup("teaching.html").select("#a-term tbody tr")
    known = set()
    for number, row in enumerate(rows, 1):
        place = f'(//*[@id="a-term"]//tbody/tr)[{number}]'
        lessons = [page for page in leads("teaching.html", place) if page in LESSONS]
        for lesson in lessons:
            assert set(leads(lesson, NEEDS)) <= known, lesson
            known.add(lesson)
        times = [found(x, TIME)[0].text_content().split()[0] for x in lessons]
        assert sum(map(int, times)) == int(row.select("td")[-1].text)
    rest = [page for page in LESSONS if "5_capstones" in page and page not in known]
    assert len(rest) == 4
    assert {n for page in rest for n in leads(page, NEEDS)} <= known | {*rest}


@pytest.mark.parametrize(("name", "words", "what"), COUNTS)
def test_page_has_as_many_as_it_says(name, words, what):
    text = soup(name)
    said = [" ".join(p.text.split()) for p in text.select("article p, article h2")]
    (number,) = {found[1] for part in said if (found := re.search(words, part))}
    assert sum(WORDS[part] for part in number.lower().split("-")) == len(
        text.select(what)
    )


@pytest.mark.parametrize("name", LESSONS)
def test_lesson_begins_with_itself_and_runs_at_its_foot(name):
    (link,) = found(name, '//*[starts-with(@class, "to-foot")]//a/@href')
    (foot,) = found(name, '//section[contains(@class, "downloads")]')
    assert link == f"#{foot.get('id')}"
    assert not foot.xpath("following::section")
    (first,) = found(name, "(//h1/following::p)[1]")
    assert not first.xpath('ancestor::*[contains(@class, "downloads")]')


@pytest.mark.parametrize("name", QUIZZES)
def test_quiz_asks_what_its_lessons_ask(name):
    questions = soup(name).select("article section")
    assert len(questions) >= 4
    for section in questions:
        (form,) = section.select("form.ask")
        lesson = section.select_one(".drawn-from a")["href"]
        assert form["data-numbers"] in found(lesson, "//form/@data-numbers")
        assert section.select_one(".answer")
        assert not section.select(".cell-output")


def test_every_level_has_a_quiz_that_draws_from_all_its_lessons():
    assert {page for quiz in QUIZZES for page in leads(quiz, DRAWN)} == {*LESSONS}


def test_quiz_checks_an_answer(page: Page, address):
    page.goto(address + "quiz_practice.html")
    form = page.locator("form.ask").first
    form.locator("input").fill(form.get_attribute("data-numbers"))
    form.locator("button").press("Enter")
    assert form.get_attribute("data-card") == "right"
    assert page.locator(".drawn-from").first.is_visible()


def test_quiz_is_complete_without_javascript(bare: Page, address):
    bare.goto(address + "quiz_practice.html")
    assert bare.locator(".drawn-from:visible").count() == bare.locator(".ask").count()


def test_glossary_is_in_alphabetical_order():
    heads = soup("glossary.html").select("dt:first-child, dd + dt")  # not other names
    first = [head.get_text().rstrip("¶# ") for head in heads]
    assert len(first) > 50
    assert [t.casefold() for t in first] == sorted(t.casefold() for t in first)


def test_pages_for_authors_stand_apart():
    captions = [p.get_text(strip=True) for p in soup("index.html").select(".caption")]
    assert captions[0] == "Lessons"
    assert captions[-1] == "For authors"


def test_captions_of_the_sidebar_are_no_headings_without_a_level():
    assert not soup("index.html").select('[role="heading"]:not([aria-level])')


def test_map_of_calls_leads_to_an_entry_for_each_row():
    page = soup("calls.html")
    rows = page.select("tbody tr")
    assert len(rows) >= 18
    for row in rows:
        place = row.a["href"].lstrip("#")
        assert page.find(id=place).select(".highlight, .cell"), place


@pytest.mark.parametrize(
    "call", ["backward", "grad", "jacobian", "jvp", "vjp", "hessian", "detach"]
)
def test_map_of_calls_has(call):
    assert call in soup("calls.html").table.get_text()


def test_each_end_of_the_tree_has_cause_check_and_section():
    [article] = soup("what_is_wrong.html").select("article")
    ends = article.select("section details.answer")
    assert len(ends) == 19
    for end in ends:
        said = [strong.get_text() for strong in end.select("strong")]
        assert said == ["Cause.", "Check.", "Read"], end.summary.get_text()
        assert end.select("pre .gp"), end.summary.get_text()  # an example, so it ran
        assert end.select("p:last-of-type a[href*='#']"), end.summary.get_text()


def test_tree_opens_by_keyboard_without_javascript(bare: Page, address):
    bare.goto(address + "what_is_wrong.html")
    end = bare.locator("section details.answer").first
    assert not end.locator("pre").first.is_visible()
    end.locator("summary").press("Enter")
    assert end.locator("pre").first.is_visible()


def test_tree_is_open_on_paper(bare: Page, address):
    bare.goto(address + "what_is_wrong.html")
    bare.emulate_media(media="print")
    shown = bare.locator("details.answer pre")
    assert shown.count() > 19
    assert [pre.is_visible() for pre in shown.all()] == [True] * shown.count()


@pytest.mark.parametrize(
    "name",
    ["index.html", "questions.html", "lessons/3_debugging/10_error_messages.html"],
)
def test_way_leads_to_the_tree(name):
    links = [a["href"] for a in soup(name).select("article a[href]")]
    assert [link for link in links if link.endswith("what_is_wrong.html")]
