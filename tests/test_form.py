"""What is no matter of truth: where it stops a lesson, and who says so."""

from pathlib import Path

import pytest

from coursebuild.form import faults, review
from coursebuild.reading import read_lessons
from coursebuild.settings import settings
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
        ("\n.. formulas: law\n", {}, "HEADER.rst:1: formulas is checked or laws, not"),
    ],
)
def test_setting_that_is_no_choice_is_refused(tmp_path, header, own, message):
    with pytest.raises(LessonError, match=message):
        settings(project(tmp_path, header) / SCRIPT, tmp_path, own)


def test_lessons_and_pages_of_the_site_are_strict():
    lessons = list(read_lessons(ROOT))
    assert len(lessons) > 10
    easy = [lesson.name for lesson in lessons if not lesson.strict]
    assert easy == [], "say `.. checks: strict` in the header of the level"


@pytest.mark.parametrize("strict", [True, False])
def test_matter_of_form_is_a_fault_or_a_note(tmp_path, strict):
    text = Block("text", "Toy\n===\n\nIt is 0.5.", 1)
    lesson = Lesson(SCRIPT, (text,), strict=strict)
    run = Run(SCRIPT, (None,), notes=("a note",))
    wrong, notes = review(tmp_path, [lesson], [run], state=True)
    assert notes[0] == "a note"
    found = wrong if strict else notes[1:]
    assert [text.split("\n")[1][:14] for text in found] == [
        "  0.5 stands w",
        "  has no field",
        "  states nothi",
    ]
    assert len(wrong) + len(notes) == 4


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
