"""Say of a text all that a run of its lesson depends on: what it states and asks.

The words around may change.  What is found here is found by the functions that
the checker itself calls: ``statements.Checker`` and ``courserun.cells`` read nothing
else of a text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Literal

from coursecheck.faults import StatementError
from coursecheck.maths import Maths, Roles, find_maths, without_blocks
from coursecheck.questions import find_questions
from coursecheck.spoken import spoken
from coursecheck.stated import Block

__all__ = ["gist"]

_BLANK = re.compile(r"\n[ ]*\n")
_CHUNK = re.compile(r"(?:^[ \t]*\S.*(?:\n|\Z))+", re.MULTILINE)
_PROMPT = ">>>"


def gist(block: Block, markup: Literal["rst", "md"], roles: Roles) -> list[Any]:
    """Return what a text states and asks, with the lines, as data that JSON can hold.

    That is its formulas, what is said of them in words, its examples, its questions.
    ``roles`` are those that the text above has made; what this one makes is added.

    >>> one = gist(Block("text", "So $y = 28$, as one sees.", 1), "md", {})
    >>> one == gist(Block("text", "Thus $y = 28$, as we see.", 1), "md", {})
    True
    >>> one == gist(Block("text", "So $y = 29$, as one sees.", 1), "md", {})
    False
    """
    faults: list[StatementError] = []
    asked = [
        [question.expressions, question.answer]
        for question in find_questions(block, "", faults, markup)
    ]
    parts = [_of(part, markup, roles) for part in (block, *block.included)]
    return [asked, [str(fault) for fault in faults], parts, sorted(roles.items())]


def _of(part: Block, markup: Literal["rst", "md"], roles: Roles) -> list[Any]:
    text = part.source
    found = find_maths(text, markup, roles)
    said = list(spoken(text, found))
    shown = without_blocks(text, markup) if _PROMPT in text else ""
    examples = [*_examples(text), _examples(shown)]
    return [part.line, part.file, _placed(text, found), _placed(text, said), examples]


def _placed(text: str, found: Iterable[Maths]) -> list[tuple[str, int, int, bool]]:
    """Return formulas with their lines and paragraphs: a name may change in between."""

    def place(maths: Maths) -> tuple[str, int, int, bool]:
        above = text[: maths.start]
        return maths.text, above.count("\n"), len(_BLANK.findall(above)), maths.law

    return [place(maths) for maths in found]


def _examples(text: str) -> list[tuple[int, str]]:
    """Return what stands around each prompt up to the next blank lines."""
    chunks = _CHUNK.finditer(text) if _PROMPT in text else ()
    return [
        (text.count("\n", 0, chunk.start()), chunk[0])
        for chunk in chunks
        if _PROMPT in chunk[0]
    ]
