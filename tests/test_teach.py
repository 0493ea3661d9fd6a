"""The teacher's pack: it asks without telling, and what it asks can be answered."""

import ast
import json
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from functools import cache
from pathlib import Path

import nbformat
import pikepdf
import pytest
from bs4 import BeautifulSoup
from paper import words_of

from coursebuild.books import about
from coursebuild.books.chapters import Chapter, copied
from coursebuild.sources.beside import scripts
from coursebuild.teaching import (
    print_sheets,
    read_levels,
    read_taught,
    write_notebooks,
    write_slides,
)
from coursebuild.teaching.needed import Said, needed
from coursebuild.teaching.questions import Code, Question, Text, parts, sheet
from coursebuild.teaching.sheets import with_answers, without_answers
from coursebuild.teaching.slides import LONG, slides
from coursecheck.stated import Asked, Block

ROOT = Path(__file__).parents[1]
SITE = ROOT / "build" / "html"
BOOK = about(ROOT)
LESSONS = [(path.parent.name, path.stem) for path in scripts(ROOT)]
LEVELS = sorted({level for level, _ in LESSONS})
SHEETS = [(level, name) for level in LEVELS for name in ("sheet", "answers")]
NAMES = [stem for _, stem in LESSONS]
DETAILS = re.compile(r"<summary>Answer</summary>(.*?)</details>", re.DOTALL)
PROMPT = re.compile(r"^\s*(?:>>>|\.\.\.)?\s*")
TOLD = 20  # characters: what is shorter may stand elsewhere by chance

BOX = """\
Title
=====

.. predict::

   What is it?

   .. ask:: x.grad

   .. answer::

      It is 5.

      .. wrong:: 4

         No.

It has come out.

Next
----

Here.

.. exercise::

   And now?

   .. answer::

      >>> u = 3
      >>> u + 1
      4
      >>> print(7)
      7

"""


@pytest.fixture(scope="session")
def taught():
    return {it.stem: it for it in read_taught(ROOT)}


@pytest.fixture(scope="session")
def pack(once):
    return once(
        "teach", lambda folder: write_notebooks(ROOT, read_taught(ROOT), folder)
    )


def cells(path: Path, kind: str) -> list[str]:
    book = json.loads(path.read_text("utf-8"))
    return [c["source"] for c in book["cells"] if c["cell_type"] == kind]


def told(pack: Path, level: str, name: str) -> str:
    return "\n".join(cells(pack / "teachers" / level / f"{name}.ipynb", "markdown"))


def questions(found) -> list[Question]:
    return [part for part in found if isinstance(part, Question)]


def test_lesson_is_parted_into_what_asks_and_what_tells():
    blocks = [Block("text", BOX, 1), Block("code", "x.grad", 40)]
    asked = [Asked("ask", "x.grad", 8, (5.0,)), Asked("wrong", "4", 14, (4.0,))]
    title, predict, after, here, exercise, code = parts(blocks, asked)
    assert title == Text("Title\n=====", covered=False)
    assert (predict.text, predict.numbers) == (".. predict::\n\n   What is it?", (5.0,))
    assert predict.code == "my_answer = x.grad"
    assert after == Text("It has come out.", covered=True)
    assert here == Text("Next\n----\n\nHere.", covered=False)
    assert (exercise.numbers, exercise.code) == ((4.0,), "u = 3\nmy_answer = u + 1")
    assert exercise.text == ".. exercise::\n\n   And now?"
    assert code == Code("x.grad")


def test_numbers_that_nobody_asks_for_are_an_error():
    with pytest.raises(ValueError, match=r"no run computed what this asks"):
        [*parts([Block("text", BOX, 1)], [])]
    with pytest.raises(ValueError, match=r"no box asks for y"):
        [*parts([Block("text", "Text", 1)], [Asked("ask", "y", 1, (1.0,))])]


def test_sheet_has_no_section_that_asks_nothing():
    quiet = [Block("text", "Quiet\n-----\n\nWords.", 50), Block("code", "z = 1", 54)]
    more = [Block("text", "Last\n----\n\n.. exercise::\n\n   Why?", 60)]
    asked = [Asked("ask", "x.grad", 8, (5.0,))]
    found = [*sheet(parts([Block("text", BOX, 1), *quiet, *more], asked))]
    assert Code("z = 1", folded=True) in found
    said = "\n".join(part.source for part in found if isinstance(part, Text))
    assert "Quiet" not in said
    assert "Words." not in said
    assert "It has come out." not in said
    assert [q.kind for q in questions(found)] == ["predict", "exercise", "exercise"]


def test_every_lesson_has_its_notebooks(taught):
    assert sorted(taught) == sorted(NAMES)


@pytest.mark.parametrize(("level", "name"), LESSONS, ids=NAMES)
def test_notebooks_are_valid_and_check_what_numbers_answer(taught, pack, level, name):
    asked = questions(taught[name].parts)
    keys = [question.key for question in asked if question.key]
    assert keys
    for folder in ("students", "teachers"):
        path = pack / folder / level / f"{name}.ipynb"
        nbformat.validate(nbformat.read(path, as_version=4))
        code = "\n".join(cells(path, "code"))
        found = re.findall(r'^check_answer\(my_answer, "(.*)"\)$', code, re.MULTILINE)
        assert sorted(found) == sorted(keys)


@pytest.mark.parametrize(("level", "name"), LESSONS, ids=NAMES)
def test_no_answer_stands_in_a_students_notebook(taught, pack, level, name):
    """What the teacher's notebook has in its answers and nowhere else is not there."""
    answers = DETAILS.findall(told(pack, level, name))
    assert len(answers) == len(questions(taught[name].parts))
    level_has = [it for it in taught.values() if it.level == level]
    outside = "\n".join(
        [DETAILS.sub("", told(pack, level, it.stem)) for it in level_has]
        + [p.source for it in level_has for p in it.parts if isinstance(p, Code)]
    )
    lines = {PROMPT.sub("", line) for a in answers for line in a.splitlines()}
    telling = [s for s in lines if len(s) >= TOLD and s not in outside]
    assert telling
    for book in (name, "sheet"):
        given = (pack / "students" / level / f"{book}.ipynb").read_text("utf-8")
        text = "\n".join(c["source"] for c in json.loads(given)["cells"])
        assert [line for line in telling if line in text] == []
        assert "<summary>Answer" not in text
        assert not re.search(r"my_answer = (?!\.\.\.)", text)


ALL = LESSONS + SHEETS


@pytest.mark.parametrize(("level", "name"), ALL, ids=["-".join(it) for it in ALL])
def test_checks_are_red_without_answers_and_green_with_them(reader, pack, level, name):
    for folder, right in (("students", False), ("teachers", True)):
        path = pack / folder / level / f"{name}.ipynb"
        if (name, folder) in (("sheet", "teachers"), ("answers", "students")):
            assert not path.exists()  # each for one of the two
            continue
        found = reader.run("cells", path)
        assert "failed" not in found, found["failed"]
        assert found["said"]
        assert set(found["said"]) == {right}
        assert found["borrowed"] == []


def test_notebooks_run_in_jupyter(reader, jupyter, pack, tmp_path):
    level, name = LESSONS[0]
    for folder, sign in (("students", "✗"), ("teachers", "✓")):
        book = tmp_path / f"{folder}.ipynb"
        shutil.copy(pack / folder / level / f"{name}.ipynb", book)
        done = reader.run("jupyter", book, jupyter)
        assert "failed" not in done, done["failed"]
        said = re.findall("[✓✗](?= [A-Z])", book.read_text("utf-8"))
        assert said
        assert set(said) == {sign}


@pytest.fixture(scope="session")
def shown(once):
    """Return a folder with the slides, and with each lesson's chapter as it was read.

    To read the site takes as long as all tests of its chapters: one worker does.
    """
    return once("slides", _show)


def _show(folder: Path) -> None:
    levels = read_levels(SITE)
    write_slides(BOOK, levels, SITE, folder)
    for level, chapters in levels.items():
        (folder / level).mkdir()
        for name, chapter in zip(names_in(level), chapters, strict=True):
            assert chapter.key.endswith(f"-{name}")
            said = [*chapter[:-1], str(chapter.body)]
            (folder / level / name).write_text(json.dumps(said), "utf-8")


def names_in(level: str) -> list[str]:
    return [name for folder, name in LESSONS if folder == level]


@pytest.fixture(scope="session")
def chapter(shown):
    """Return the chapter of a lesson, which nobody may change."""

    @cache
    def read(level: str, name: str) -> Chapter:
        *said, html = json.loads((shown / level / name).read_text("utf-8"))
        return Chapter(*said, BeautifulSoup(html, "html5lib").article)

    return read


def words(tag) -> str:
    return " ".join(tag.get_text(" ").split())


@pytest.mark.parametrize("level", LEVELS)
def test_sheet_asks_all_that_its_level_asks_and_answers_none(chapter, level):
    lessons = [chapter(level, name) for name in names_in(level)]
    boxes = [box for lesson in lessons for box in lesson.body.select(".box")]
    answers = [copy(box.select_one(".answer")) for box in boxes]
    for tick in (tag for answer in answers for tag in answer.select(".checked")):
        tick.decompose()
    answers = [words(answer) for answer in answers]
    assert len(boxes) > len(lessons)
    told = with_answers([copied(lesson) for lesson in lessons])
    asked = without_answers([copied(lesson) for lesson in lessons])
    book, given = (" ".join(words(c.body) for c in it) for it in (told, asked))
    assert [a for a in answers if a not in book] == []
    assert [a for a in answers if a in given] == []
    assert {chapter.level for chapter in told + asked} == {0}  # its contents: a list
    for one in (told, asked):
        assert sum(len(c.body.select(".box")) for c in one) == len(boxes)
        assert not [c for c in one for _ in c.body.select(".checked, .downloads")]
        ids = {tag["id"] for c in one for tag in c.body.select("[id]")}
        links = {a["href"][1:] for c in one for a in c.body.select('[href^="#"]')}
        assert links <= ids | {chapter.key for chapter in one}
    rooms = [box.select(".room") for c in asked for box in c.body.select(".box")]
    assert {len(found) for found in rooms} == {1}


def test_what_the_site_covers_is_on_no_sheet():
    html = """<article><div><h2>Title</h2><p>Promise.</p>
      <section><h3>One</h3><p>Before.</p><div class="box predict">Ask
      <details class="answer">Told</details></div><div class="highlight-Python">code
      </div><div class="cell-output">covered</div><p>covered</p>
      <div class="box exercise">Do <code>x</code><details class="answer">Told
      </details></div><p>After.</p></section><section><h3>Two</h3>Quiet</section></div></article>"""
    body = BeautifulSoup(html, "html5lib").article
    (found,) = without_answers([Chapter("key", "Title", 1, body)])
    said = words(found.body)
    assert said == "Title One Before. Ask Do x After."


def test_cell_that_a_question_needs_is_on_its_sheet():
    html = """<article><div><h2>Title</h2><p>Promise.</p>
      <div class="highlight-Python">def f(): return 1</div>
      <section><h3>Quiet</h3><p>Words.</p><div class="highlight-Python">g = 2</div>
      <div class="highlight-Python">idle = 3</div></section>
      <section><h3>Asks</h3><div class="box predict">What is <code>f()</code>?
      <details class="answer">Told <code>idle</code></details></div>
      <div class="highlight-Python">f()</div>
      <div class="cell-output">1</div><div class="highlight-Python">h = g</div>
      <div class="box exercise">And <code>h</code>?</div></section>
      <section><h3>Ends</h3><div class="highlight-Python">g</div></section></div>"""
    body = BeautifulSoup(html, "html5lib").article
    (found,) = without_answers([Chapter("key", "Title", 1, body)])
    assert words(found.body) == (
        "Title def f(): return 1 Quiet g = 2 Asks What is f() ? h = g And h ?"
    )


def test_gradient_that_a_question_asks_for_has_its_backward_step_on_the_sheet():
    cells = "x = f(1)\ny = 2 * x", "y.backward()\nx.grad", "y = 3 * x", "And x.grad?"
    shown = [True, True, False, True]
    assert needed([Said(cell, "?" in cell) for cell in cells]) == shown
    fresh = cells[0], cells[1], cells[0], "y.backward()", "And x.grad?"
    shown = [False, False, True, True, True]
    assert needed([Said(cell, "?" in cell) for cell in fresh]) == shown
    zeroed = cells[0], cells[1], "x.grad.zero_()", "y.backward()", "And x.grad?"
    shown = [True, False, True, True, True]
    assert needed([Said(cell, "?" in cell) for cell in zeroed]) == shown


@pytest.mark.parametrize(
    ("cell", "needs"),
    [
        ("y = f(2)\ny", False),
        ("with g:\n    y = f(2)\n    y", False),
        ("try:\n    f(2)\nexcept E as y:\n    print(y)", False),
        ("y = f(2)\nh = lambda: y.add_(1)", False),
        ("y += 1", True),
        ("y.add_(1)", True),
        ("y[0] = 1\ny += 1", True),
        ("for _ in r:\n    y = y + 1", True),
    ],
)
def test_cell_that_binds_what_it_uses_needs_no_other_that_does(cell, needs):
    """What a block or an error binds is bound; what a lambda changes, later."""
    cells = "y = f(1)", cell, "And y?"
    assert needed([Said(it, "?" in it) for it in cells]) == [needs, True, True]


@pytest.mark.parametrize(("level", "name"), LESSONS, ids=NAMES)
def test_what_a_sheet_speaks_of_stands_on_it(chapter, level, name):
    """A name in its code, or alone in a question, that a cell of the lesson makes."""
    lesson = chapter(level, name)
    (sheet,) = without_answers([copied(lesson)])
    made, asked = read_on(lesson.body)
    known, said = read_on(sheet.body)
    assert len(said) == len(asked)
    for (above, _), (shown, box) in zip(asked, said, strict=True):
        alone = {code.get_text() for code in box.select("code")}
        assert (alone & above) - shown == set(), box.get_text()
    own: set[str] = set()
    for cell in (c.get_text() for c in sheet.body.select(CELL)):
        own |= bound_in(cell)
        read = {n.id for n in ast.walk(ast.parse(cell)) if isinstance(n, ast.Name)}
        assert (read & made) - own == set(), cell
    assert known <= made


CELL = ".highlight-Python"


def read_on(body):
    """Return the names that cells bind; for each question, those above it."""
    bound: set[str] = set()
    asked = []
    for tag in body.select(f"{CELL}, .box"):
        if "box" in tag["class"]:
            asked.append(({*bound}, tag))
        else:
            bound |= bound_in(tag.get_text())
    return bound, asked


def bound_in(cell: str) -> set[str]:
    """Return the names that a cell gives to something, but for imported ones."""
    found = set()
    for node in ast.walk(ast.parse(cell)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
    return found


@pytest.mark.parametrize(("level", "name"), LESSONS, ids=NAMES)
def test_slides_are_one_file_that_asks_no_network(shown, chapter, level, name):
    html = (shown / "slides" / level / f"{name}.html").read_text("utf-8")
    loads = re.findall(r"""(?:src=|url\()["']?([^"')\s>]{5})""", html)
    assert set(loads) <= {"data:"}
    page = BeautifulSoup(html, "html5lib")
    assert not page.select("link, script[src], iframe, form")
    lesson = chapter(level, name)
    slides = page.select(".slide")
    headings = {words(h) for h in lesson.body.select("section > h3, section > h4")}
    assert headings <= {words(slide.h2) for slide in slides}
    drawings = lesson.body.select("svg.ag-svg")
    assert len(page.select("svg.ag-svg")) == len(drawings)
    predicted = len(lesson.body.select(".predict"))
    assert len(page.select(".slide .says")) == predicted
    together = [s for s in slides if s.select(".predict") and s.select(".says")]
    assert together == []


MISFITS = """() => [...document.querySelectorAll(".slide")].flatMap(slide => {
    const inner = slide.querySelector(".fit"), zoom = +inner.style.zoom;
    const [frame, within, foot] = [slide, inner, slide.querySelector("footer")]
        .map(it => it.getBoundingClientRect());
    const texts = [...inner.querySelectorAll("pre, p, li, td")];
    const sizes = texts.filter(it => it.innerText.trim() && !it.closest("details"))
        .map(it => parseFloat(getComputedStyle(it).fontSize) * zoom);
    const found = [];
    if (within.bottom > foot.top + 2 || within.top < frame.top) found.push("cut");
    if (foot.bottom > frame.bottom) found.push("without its footer");
    if (Math.min(...sizes, 99) < 13.3) found.push(`small: ${Math.min(...sizes)}`);
    return found.map(it => `${slide.id} ${it}`);
})"""


@pytest.mark.parametrize(("level", "name"), LESSONS, ids=NAMES)
def test_each_slide_fits_its_frame(shown, browser, level, name):
    """Also its letters are no smaller than 10 points, on screen and on paper."""
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    page.goto((shown / "slides" / level / f"{name}.html").as_uri())
    page.wait_for_function(
        "[...document.querySelectorAll('.fit')].every(it => it.style.zoom)"
    )
    for media in ("screen", "print"):
        page.emulate_media(media=media)
        assert page.evaluate(MISFITS) == []
    page.close()


def test_long_code_is_parted_and_keeps_each_line():
    part = "<i>if</i> x:\n    <b>y</b>\n        <b>z</b>\n"
    lines = [part for _ in range(9)]
    code = "\n".join(lines)
    html = f"""<article><div><h2>Title</h2><p>Promise.</p><section><h3>One</h3>
      <p>Before.</p><div class="highlight-Python"><pre>{code}</pre></div>
      <div class="cell-output"><pre>out</pre></div></section></div></article>"""
    body = BeautifulSoup(html, "html5lib").article
    _, *found = slides(Chapter("key", "Title", 1, body))
    shown = [BeautifulSoup(slide.html, "html5lib") for slide in found]
    codes = [it.select_one(".highlight-Python pre").get_text() for it in shown]
    assert len(codes) == 2
    assert max(code.count("\n") for code in codes) <= LONG
    kept = [line for code in codes for line in code.splitlines() if line]
    whole = BeautifulSoup(f"<pre>{code}</pre>", "html5lib").pre.get_text()
    assert kept == [line for line in whole.splitlines() if line]
    assert [bool(it.select(".cell-output")) for it in shown] == [False, True]


def test_slide_that_does_not_fit_is_found(shown, browser):
    level, name = LESSONS[0]
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    page.goto((shown / "slides" / level / f"{name}.html").as_uri())
    page.wait_for_function(
        "[...document.querySelectorAll('.fit')].every(it => it.style.zoom)"
    )
    page.evaluate(
        """() => {
            document.querySelector("#slide-2 .fit").style.height = "800px";
            document.querySelector("#slide-3 .fit").style.zoom = 0.4;
        }"""
    )
    found = page.evaluate(MISFITS)
    page.close()
    assert [it.partition(":")[0] for it in found] == ["slide-2 cut", "slide-3 small"]


def test_keys_turn_the_slides(shown, browser):
    level, name = LESSONS[0]
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    page.goto((shown / "slides" / level / f"{name}.html").as_uri() + "#slide-3")
    at = (
        "n => Math.abs(document.getElementById('slide-' + n)"
        ".getBoundingClientRect().top) < 2"
    )
    page.wait_for_function(at, arg=3)
    last = page.locator(".slide").count()
    steps = ["ArrowRight", 4], [" ", 5], ["ArrowLeft", 4], ["End", last], ["Home", 1]
    for key, number in steps:
        page.keyboard.press(key)
        page.wait_for_function(at, arg=number)
        assert page.url.endswith(f"#slide-{number}")
    page.close()


def _code_sizes(path):
    """Yield the sizes, in points, of what a PDF sets like code."""
    with pikepdf.open(path) as pdf:
        for page in pdf.pages:
            fonts = page.Resources.Font.items()
            code = {name for name, font in fonts if "Mono" in str(font.BaseFont)}
            for operands, operator in pikepdf.parse_content_stream(page):
                if str(operator) == "Tf" and str(operands[0]) in code:
                    yield float(operands[1]) * 0.75  # CSS pixels


def test_sheet_is_printed_with_room_and_without_answers(once, chapter):
    level = LEVELS[0]
    lessons = [chapter(level, name) for name in names_in(level)]

    def print_it(folder: Path) -> None:
        with ThreadPoolExecutor(1) as other:  # Playwright's loop may run once a thread
            other.submit(print_sheets, ROOT, {level: lessons}, SITE, folder).result()

    folder = once("sheets", print_it)
    asked, told = (
        ["".join(text.split()) for text in words_of(path)]
        for path in (
            folder / "students" / level / "sheet.pdf",
            folder / "teachers" / level / "answers.pdf",
        )
    )
    boxes = [box for c in lessons for box in c.body.select(".box:has(.answer pre)")]
    assert boxes
    for box in boxes:
        title = "".join(words(box.select_one(".box-title")).split())
        codes = ["".join(words(code).split()) for code in box.select(".answer pre")]
        assert any(all(x in page for x in [title, *codes]) for page in told)
        assert [code for code in codes if code in "".join(asked)] == []
    lesson = lessons[-1].title.replace(" ", "")
    assert [p for p in asked[2:] if not p.startswith(f"Basics:sheet·{lesson}")] == []
    assert min(_code_sizes(folder / "students" / level / "sheet.pdf")) >= 9
