"""What is no matter of truth: where it stops a lesson, and who says so."""

from pathlib import Path

import pytest
from course import LESSONS

from coursebuild.publishing.easy_links import mend
from coursebuild.sources.reading import read_lessons
from coursebuild.sources.settings import settings
from coursebuild.texts.form import faults, review, sort_messages
from coursecheck.stated import Block, Statement
from courserun.lesson import Lesson, Run
from courserun.runs import LessonError

ROOT = Path(__file__).parents[1]
SCRIPT, PAGE = "gallery/0_toy/10_toy.py", "docs/page.md"
STRICT = ".. checks: strict\n"
SAID = [  # a source, its level's header, what it says itself, what is told apart
    (SCRIPT, "", {}, set()),
    (SCRIPT, STRICT, {}, {"strict"}),
    (SCRIPT, STRICT, {"checks": "easy"}, set()),
    (SCRIPT, "", {"checks": "strict"}, {"strict"}),
    (SCRIPT, f"Toy\n---\n\n{STRICT}.. formulas: laws\n", {}, {"strict", "laws"}),
    (SCRIPT, "Say ``.. checks: strict`` here.\n", {}, set()),
    (SCRIPT, "", {"consoles": "shown", "seconds": 9}, {"quotes"}),
    (PAGE, "", {}, {"strict"}),
    (PAGE, "", {"checks": "easy"}, set()),
    ("docs/page.rst", "", {}, {"strict"}),
    ("docs/page.ipynb", "", {}, set()),
    ("docs/page.ipynb", "", {"checks": "strict"}, {"strict"}),
]


def project(root: Path, header: str) -> Path:
    (root / SCRIPT).parent.mkdir(parents=True)
    (root / SCRIPT).with_name("GALLERY_HEADER.rst").write_text(header)
    return root


@pytest.mark.parametrize(("name", "header", "own", "wanted"), SAID)
def test_setting_is_its_own_or_the_level_s(tmp_path, name, header, own, wanted):
    said = settings(project(tmp_path, header) / name, tmp_path, own)
    assert {option for option, value in said.items() if value} == wanted


@pytest.mark.parametrize(
    ("header", "own", "message"),
    [
        ("", {"checks": "lax"}, f"{SCRIPT}:1: checks is easy or strict, not 'lax'"),
        ("\n.. formulas: law\n", {}, "HEADER.rst:2: formulas is checked or laws, not"),
    ],
)
def test_setting_that_is_no_choice_is_refused(tmp_path, header, own, message):
    with pytest.raises(LessonError, match=message):
        settings(project(tmp_path, header) / SCRIPT, tmp_path, own)


def test_lessons_and_pages_of_the_site_are_strict():
    assert len(LESSONS) > 10
    easy = [lesson.name for lesson in LESSONS if not lesson.strict]
    assert easy == [], "say `.. checks: strict` in the header of the level"


@pytest.mark.parametrize("strict", [True, False])
def test_matter_of_form_is_a_fault_or_a_note(tmp_path, strict):
    text = Block("text", "Toy\n===\n\nIt is 0.5.", 1)
    lesson = Lesson(SCRIPT, (text,), strict=strict)
    run = Run(SCRIPT, (None,), notes=("a note",))
    wrong, notes = review(tmp_path, [lesson], [run], state=True)
    assert notes[0] == "a note"
    found = wrong if strict else notes[1:]
    begins = ["  0.5 stands", "  has no field", "  states nothi"]
    begins = begins if strict else begins[::2]  # a foreign script has no field list
    assert [text.split("\n")[1][:14].rstrip("w ") for text in found] == begins
    assert len(wrong) + len(notes) == 1 + len(begins)


def test_strict_lesson_may_state_nothing_while_it_is_written(tmp_path):
    lesson = Lesson(SCRIPT, (Block("text", ":Time: 1 minute", 1),))
    wrong, notes = review(tmp_path, [lesson], [Run(SCRIPT, (None,))])
    assert (len(wrong), len(notes)) == (0, 1)


def test_lesson_that_states_something_is_not_named(tmp_path):
    lesson = Lesson(SCRIPT, (Block("text", ":Time: 1 minute", 1),))
    run = Run(SCRIPT, (None,), (Statement("value", "y = 2", 1),))
    assert review(tmp_path, [lesson], [run], state=True) == ([], [])


def test_page_needs_no_field_list():
    assert list(faults(Lesson(PAGE, (Block("text", "# Page", 1),), markup="md"))) == []


AT = SCRIPT.replace(".py", ".rst:7: WARNING: ")
NOTES = (  # what Sphinx says and an easy lesson goes on with
    AT + "Bullet list ends without a blank line. [docutils]",
    AT + "image file not readable: a.png [image.not_readable]",
    AT + "py:class reference target not found: A [ref.class]",
    AT + "duplicate label a, other instance in b [autosectionlabel.c/d]",
    AT + "document isn't included in any toctree [toc.not_included]",
    AT.replace("WARNING", "ERROR")
    + 'Unknown directive type "grid".\n\n.. a [docutils]',
    f"WARNING: {SCRIPT}:7\n  y=5\n  single backticks are no formula [form]",
    AT + "Title underline too short. [docutils]\n  (make the line longer)",
    AT + "Lexing gave:\nx = $\nan error [misc.highlighting_failure]",
)
FAULTS = (
    AT.replace("WARNING", "ERROR") + "Unexpected indentation. [docutils]",
    AT + "Inline strong start-string without end-string. [docutils]",
    AT + "KaTeX: no such command",
    "conf.py: WARNING: odd [docutils]",
    f"WARNING: {SCRIPT}:7\n  x\n  a control character is shown",
    "WARNING: odd [docutils]",
    "docs/index.md:3: WARNING: odd [docutils]",
)


def test_warning_on_form_is_a_note_in_an_easy_lesson_only():
    said, page = "\n".join(FAULTS + NOTES), Lesson("docs/index.md", ())
    wrong, notes = sort_messages(said, [Lesson(SCRIPT, (), strict=False), page])
    assert (tuple(wrong), tuple(notes)) == (FAULTS, NOTES)
    assert sort_messages(said, [Lesson(SCRIPT, ())]) == ([*FAULTS, *NOTES], [])


def test_message_that_is_not_sphinx_s_is_a_fault():
    assert sort_messages("Something odd\n", []) == (["Something odd\n"], [])
    assert sort_messages("\n", []) == ([], [])


MENDED = [
    ('<a class="x" href="gone.html?a=1&amp;b">See</a>', "<span>See</span>"),
    ('<a href="#no">See</a>', "<span>See</span>"),
    ('<img alt="A &lt; B" src="gone.png" width="3">', "<em>A &lt; B</em>"),
    ('<img src="img/gone.png">', "<em>gone.png</em>"),
    (
        '<img alt="A" src="https://example.org/a.png">',
        '<a href="https://example.org/a.png">A</a>',
    ),
    (
        '<iframe width="9" src="https://example.org/v?a=1&amp;b=2" b></iframe>',
        '<a href="https://example.org/v?a=1&amp;b=2">https://example.org/v?a=1&amp;b=2</a>',
    ),
]
RIGHT = '<a href="https://example.org">x</a><a href="#a">y</a>'


@pytest.mark.parametrize(("body", "wanted"), MENDED)
def test_link_that_leads_nowhere_is_mended_in_an_easy_page(tmp_path, body, wanted):
    page = tmp_path / "site/lessons/0_toy/10_toy.html"
    page.parent.mkdir(parents=True)
    page.write_text(f'<html><body id="a">{RIGHT}{body}</body></html>')
    (project(tmp_path, "") / SCRIPT).write_text('"""\ngone.png\n"""')
    assert mend(tmp_path / "site", tmp_path, []) == []
    [note] = mend(tmp_path / "site", tmp_path, [SCRIPT])
    assert page.read_text() == f'<html><body id="a">{RIGHT}{wanted}</body></html>'
    line = 2 if 'src="gone.png' in body else 1
    assert note.startswith(f"{SCRIPT}:{line}\n")


@pytest.mark.parametrize(
    ("setting", "seconds"),
    [("", 300), ('# sphinx_gallery_checks = "strict"\n', 60)],
)
def test_easy_lesson_has_more_time(tmp_path, setting, seconds):
    text = f'"""\nToy\n===\n"""\n{setting}x = 1\n'
    (project(tmp_path, "Toy\n---\n") / SCRIPT).write_text(text)
    [lesson] = read_lessons(tmp_path)
    assert lesson.seconds == seconds


def test_role_that_sphinx_names_without_a_place_is_told_with_one():
    text = Block("text", "See\n:external+other:doc:`a`.", 3)
    said = "WARNING: unknown role name: external+other:doc\n"
    told = f"{SCRIPT}:4: {said.strip()}"
    assert sort_messages(said, [Lesson(SCRIPT, (text,))]) == ([told], [])
    assert sort_messages(said, [Lesson(SCRIPT, (text,), strict=False)]) == ([], [told])
    twice = f'{SCRIPT}:4: ERROR: Unknown interpreted text role "external+other:doc".'
    assert sort_messages(f"{said}\n{twice}", [Lesson(SCRIPT, (text,))]) == ([twice], [])
