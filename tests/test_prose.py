"""Results in running text: which are found, what is let pass, and by whose leave."""

import re

import pytest
from course import LESSONS, ROOT

from coursebuild.commands.doctest import confirm, judged
from coursebuild.commands.html import SiteError
from coursebuild.texts.loose_numbers import (
    all_numbers,
    loose_numbers,
    numbers,
    reviewed,
    unused,
)
from coursecheck.stated import Block
from courserun.lesson import Lesson

FOUND = [
    ("The slope is 0.1966 there.", "rst", ["0.1966"]),
    ("It falls to −1.99.", "rst", ["−1.99"]),
    ("The gradient is (0, 4, 8, 12).", "rst", ["(0, 4, 8, 12)"]),
    ("So y = 28.", "rst", ["y = 28"]),
    ("So x.grad = 4, we see.", "md", ["x.grad = 4"]),
    ("It takes 1.5e-3 of it.", "rst", ["1.5e-3"]),
    (".. note::\n\n   It is 0.5.\n", "rst", ["0.5"]),
    ("| a | 0.25 |\n|---|---|\n", "md", ["0.25"]),
    ("It is (2,\n3).", "rst", ["(2, 3)"]),
    (".. wrong:: 0.5 * x\n\n   It is 0.25.", "rst", ["0.25"]),
    ("It is [5, 6, 7].", "rst", ["[5, 6, 7]"]),
    ("It is 5e-3, or 5/2 of it.", "md", ["5e-3", "5/2"]),
    ("So y == 5.", "rst", ["y == 5"]),
    ("Here y equals\n5.", "rst", ["y equals 5"]),
    ("It is equal to 6.", "md", ["It is equal to 6"]),
    ("It prints ``tensor(5.)`` here.", "rst", ["tensor(5.)"]),
    ("It prints `tensor([5.])` here.", "md", ["tensor([5.])"]),
    ("So ∇y = 4x.", "rst", ["∇y = 4x"]),
    ("A shape of (2, 3) holds (4, 5).", "rst", ["(4, 5)"]),
]
LEFT = [
    ("All 28 entries, 4 of them (see 2) in 35 minutes.", "rst"),
    (":math:`y = 28`, ``y = 28``, :law:`a = 0.5`", "rst"),
    ("$y = 0.5$ and `y = 0.5`", "md"),
    (">>> y.item()\n0.5\n", "rst"),
    ("::\n\n   y = 0.5\n", "rst"),
    (".. math::\n\n   y = 0.5\n", "rst"),
    ("```python\ny = 0.5\n```\n", "md"),
    ("`CC BY 4.0 <https://example.org/4.0>`__", "rst"),
    ("[version 1.5](https://example.org/1.5) or <https://example.org/2.5>", "md"),
    ("Step 3. Then 4.", "rst"),
    ("torch2.13 and v1.2.3", "rst"),
    ("Since PyTorch 2.1, or versions >= 1.11 and 1.12 (Python 3.11).", "rst"),
    ("See section 3.2, Sections 3.2/3.3 and Figure 1.4.", "md"),
    ("Along dim=1, with keepdim=1, or dim=-1.", "rst"),
    ("Its shape is (1, 1000); the (3, 4) matrix has size [3, 4].", "rst"),
    ("We write ``torch.tensor(5.)`` or ``y == 5``.", "rst"),
    (
        ".. ask:: 0.5 * x\n\n.. answer::\n\n   .. wrong:: [0.5,\n      x]\n\n   A.",
        "rst",
    ),
]
LABELS = [
    ('fig.set_label("It ends at 7.")', ["7"]),
    ('fig.set_label("From 2000 "\n    "down to 1000.")', ["2000", "1000"]),
    ('fig.set_label(f"It ends at {y:.1f}, not at 3")', ["3"]),
    ('fig.set_label(f"It ends at {y:.1f}")', []),
    ('ax.set_title("It ends at 7")', []),
]
TOY = "gallery/0_toy/10_toy.py"


def lesson(*blocks: Block) -> Lesson:
    return Lesson(TOY, blocks)


@pytest.mark.parametrize(("text", "markup", "expected"), FOUND)
def test_result_in_running_text_is_found(text, markup, expected):
    block = Block("text", text, 1)
    assert [number for _, number, *_ in numbers(block, markup)] == expected


@pytest.mark.parametrize(("text", "markup"), LEFT)
def test_what_is_checked_or_no_result_is_left_alone(text, markup):
    assert list(numbers(Block("text", text, 1), markup)) == []


@pytest.mark.parametrize(("code", "expected"), LABELS)
def test_number_of_a_label_is_found_unless_the_code_computes_it(code, expected):
    assert [n for _, n, *_ in numbers(Block("code", code, 1), "rst")] == expected


def test_message_names_file_line_and_remedy():
    block = Block("text", "One\ntwo 0.5.", 10)
    [text] = loose_numbers(TOY, all_numbers(lesson(block)))
    assert text.startswith(f"{TOY}:11\n  0.5 stands")
    assert "put it into a formula or a doctest" in text


def test_reviewed_words_pass_and_others_do_not():
    block = Block("text", "A step of\n0.5, and 0.5 more, or 0.25.", 1)
    [text] = loose_numbers(TOY, all_numbers(lesson(block)), [(TOY, "A step of 0.5")])
    assert "0.25" in text


def test_reviewed_words_of_another_file_do_not_count():
    block = Block("text", "A step of 0.5", 1)
    assert list(
        loose_numbers(TOY, all_numbers(lesson(block)), [("docs/a.md", "A step of 0.5")])
    )


def test_entry_that_fits_nothing_any_more_is_named():
    block = Block("text", "A step of 0.5", 1)
    entries = [(TOY, "step of 0.5"), (TOY, "step of 0.6")]
    [text] = unused({TOY: all_numbers(lesson(block))}, entries)
    assert "'step of 0.6'" in text


def test_list_of_the_site_is_short_and_in_use():
    allowed = reviewed(ROOT)
    found = {lesson.name: all_numbers(lesson) for lesson in LESSONS}
    assert unused(found, allowed) == []
    assert 0 < len(allowed) <= 40


def test_confirmation_reports_loose_results(tmp_path):
    (tmp_path / TOY).parent.mkdir(parents=True)
    (tmp_path / TOY).with_name("GALLERY_HEADER.rst").write_text("Toy\n---\n")
    text = '"""\nToy\n===\n"""\n\ny = 28\n\n# %%\n# So :math:`y = 28` or 0.5.\n'
    (tmp_path / TOY).write_text(text)
    assert f"note: {TOY}:9\n  0.5 stands" in confirm(tmp_path, [TOY])
    (tmp_path / TOY).write_text(text + '# sphinx_gallery_checks = "strict"\n')
    with pytest.raises(SiteError, match=rf"{TOY}:9\n  0.5 stands"):
        confirm(tmp_path, [TOY])


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_lesson_is_true_at_other_random_points(stated, lesson):
    assert stated(lesson).failure is None


def test_course_is_confirmed_as_a_whole(stated):
    said = judged(ROOT, LESSONS, [*map(stated, LESSONS)], ())
    [total] = re.findall(r"^(\d+) statements are true in", said, re.MULTILINE)
    assert int(total) > 1000
    assert f"{len(LESSONS)} lessons and pages" in said
