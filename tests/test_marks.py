"""The marks on checked formulas and the ledger, on the built site."""

import re

import pytest
from course import LESSONS, ROOT, run_of

from coursebuild.extension.checked import LAW, spoken
from coursebuild.sources.docnames import page_of
from coursecheck.stated import Statement

SITE = ROOT / "build" / "html"


def test_mark_names_the_witnesses_of_all_equations_of_a_formula():
    statements = [
        Statement("gradient", "a", 1, ("autograd", "digits")),
        Statement("value", "b", 1, ("code",)),
    ]
    assert spoken(statements) == "checked: autograd, code, digits"


def test_law_is_not_called_checked():
    assert spoken([Statement("law", "a", 1)]) == LAW


@pytest.mark.parametrize("name", [lesson.name for lesson in LESSONS])
def test_page_marks_every_formula_that_was_checked(name):
    statements = [s for s in run_of(name).statements if s.kind != "doctest"]
    text = (SITE / page_of(name)).read_text()
    marks = len(re.findall(r'<span class="checked (?:true|law)"', text))
    assert (marks > 0) == bool(statements)
    assert marks <= len(statements)


def test_ledger_lists_every_statement():
    statements = [s for x in LESSONS for s in run_of(x.name).statements]
    rows = (SITE / "ledger.html").read_text().count("<tr><td>")
    assert rows == len(statements) > 100


def test_ledger_counts_what_it_lists():
    text = (SITE / "ledger.html").read_text()
    laws = sum(s.kind == "law" for x in LESSONS for s in run_of(x.name).statements)
    (true,) = re.findall(r"<strong>(\d+) statements</strong>", text)
    assert int(true) == text.count("<tr><td>") - laws
    assert f"{laws} general laws" in text
