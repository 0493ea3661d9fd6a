"""Sentences that claim much: which are found, and what counts as their backing."""

import re
from pathlib import Path
from typing import Literal

import pytest
from course import LESSONS

from coursebuild.commands.doctest import confirm
from coursebuild.commands.html import SiteError
from coursebuild.texts.claims import check_claims, claims, read_backing, report
from coursecheck.stated import Block
from courserun.lesson import Lesson

ROOT = Path(__file__).parents[1]
TOY = "gallery/0_toy/10_toy.py"
FOUND = [  # text, its markup: the strong words of its sentences
    ("It always works. Then it stops.", "rst", ["always"]),
    ("One.\nTwo is never\nthree. It must be.", "md", ["never", "must"]),
    ("Therefore it holds, because\nwe say so.", "rst", ["Therefore"]),
    ("- All leaves\n- some nodes\n- every root", "md", ["All", "every"]),
    ("Title: nothing\n==============\n\nIt can't be.", "rst", ["can't"]),
    ("# Only a title\n\nThe most.", "md", ["most"]),
    (".. wrong:: 2 * x\n\n   Nothing else.", "rst", ["Nothing"]),
]
LEFT = [
    ("It prints ``None`` or ``all``.", "rst"),
    (">>> all([])\nTrue\n", "rst"),
    (":::{container} also\nAlso: nothing works,\nall is zero.\n:::", "md"),
    ("See :doc:`Only this </a/b>` or `every <https://all.example>`__.", "rst"),
    ("See [this](only.md) and `torch.all`.", "md"),
    ("```python\nall(x)\n```", "md"),
    ("Allow it overall, mostly.", "rst"),
]
BESIDE = [
    ("It is always so, :math:`y = 4`.", "rst", "formula"),
    ("It is always so, $y = 4$.", "md", "formula"),
    ("It is always so:\n\n>>> 1\n1\n", "rst", "example"),
    ("It is always so:\n\n```pycon\n>>> 1\n1\n```\n", "md", "example"),
    ("It is always so.\n\nAnother paragraph, :math:`y = 4`.", "rst", ""),
    ("It is always so, :law:`y = 4`.", "rst", ""),
]


def lesson(text: str, markup: Literal["rst", "md"] = "rst") -> Lesson:
    return Lesson(TOY, (Block("text", text, 5),), markup=markup)


@pytest.mark.parametrize(("text", "markup", "words"), FOUND)
def test_strong_word_is_found(text, markup, words):
    assert [claim.word for claim in claims(lesson(text, markup))] == words


@pytest.mark.parametrize(("text", "markup"), LEFT)
def test_word_that_is_no_prose_is_left(text, markup):
    assert list(claims(lesson(text, markup))) == []


@pytest.mark.parametrize(("text", "markup", "beside"), BESIDE)
def test_paragraph_tells_what_stands_beside(text, markup, beside):
    (claim,) = claims(lesson(text, markup))
    assert claim.beside == beside


def test_claim_without_backing_is_told_with_its_place():
    (fault,), _ = report([lesson("One.\n\nTwo is\nalways three.")], ())
    assert fault.startswith(f"{TOY}:8\n  'always' claims much: Two is always three.\n")
    assert "docs/prose_claims.txt" in fault


def test_entry_backs_the_sentence_that_holds_its_words():
    wrong, counted = report(
        [lesson("Two is always three.")], ((TOY, "is always", "x"),)
    )
    assert (wrong, counted[:25]) == ([], "1 sentences claim much: 0")


def test_entry_without_its_claim_is_told():
    (fault,), _ = report([lesson("Nothing here.")][:0], ((TOY, "is always", "x"),))
    assert fault.startswith("docs/prose_claims.txt: 'is always' is no claim of")


@pytest.mark.parametrize("line", ["a.py: words", "a.py -> backing", "a.py: -> b"])
def test_line_that_is_no_entry_is_refused_with_its_number(tmp_path, line):
    path = tmp_path / "docs" / "prose_claims.txt"
    path.parent.mkdir()
    path.write_text(f"# a comment\n{line}\n")
    with pytest.raises(ValueError, match=r"docs/prose_claims.txt:2: write FILE: WORDS"):
        read_backing(tmp_path)


def test_confirmation_refuses_a_claim_that_nothing_backs(tmp_path):
    script = tmp_path / TOY
    script.parent.mkdir(parents=True)
    (script.parent / "GALLERY_HEADER.rst").write_text("Toy\n---\n")
    easy = '"""\nToy\n===\n\n:Level: Toy\n"""\n\ny = 1\n\n# %%\n# It always works.\n'
    easy += "#\n# >>> y\n# 1\n#\n# Never two.\n"
    script.write_text(easy)
    assert "2 statements" not in confirm(tmp_path, [TOY])
    script.write_text(easy + '# sphinx_gallery_checks = "strict"\n')
    with pytest.raises(SiteError, match=rf"{TOY}:16\n  'Never' claims much"):
        confirm(tmp_path, [TOY])


def test_every_claim_of_the_site_has_its_backing():
    counted = check_claims(ROOT, LESSONS)
    assert int(counted.split()[0]) > 100


@pytest.mark.parametrize(
    "refuted",
    [
        "Only a scalar has a gradient",  # a tensor of shape (1,) has one too
        "every number in its text",  # some are reviewed by hand, laws are not checked
        "Nothing else has to be installed",  # some lessons import matplotlib
        "no reason to write",  # .data: torch's own Module._apply does
        "Therefore PyTorch warns",  # it did before the report that was named
        "reads it as a plain number",  # forward mode is switched off in a jvp of ours
        "Reverse over reverse has a NaN of its own",  # forward over reverse has it, too
        "matrix without an inverse, the fast rule is wrong",  # right at rank n - 2
    ],
)
def test_refuted_sentence_has_not_come_back(refuted):
    kinds = ("docs/*.md", "gallery/**/*.py", "gallery/**/*.rst")
    pages = [path for kind in kinds for path in ROOT.glob(kind)]
    texts = {p: re.sub(r"[#\s]+", " ", p.read_text("utf-8")) for p in pages}
    assert len(texts) > 50
    assert [str(path) for path, text in texts.items() if refuted in text] == []
