"""Find what a text asks its reader, and what its author knows to go wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Literal

from coursecheck.faults import StatementError
from coursecheck.maths import rst_in, running_text
from coursecheck.stated import AskedKind, Block

__all__ = [
    "DIRECTIVE",
    "Place",
    "Question",
    "fault",
    "find_questions",
    "shown",
    "unanswered",
]

# A directive's kind, its expression, its line in the file.
Place = tuple[AskedKind, str, int]
DIRECTIVE = re.compile(
    r"^(?P<indent>[ ]*)\.\.[ ](?P<kind>ask|wrong|answer)::"
    r"(?P<argument>.*(?:\n(?P=indent)[ ]+\S.*)*)",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Question:
    """What one box asks: an expression, those of wrong answers, and the answer.

    Each expression comes with its kind and its line in the file.
    """

    expressions: tuple[Place, ...]
    answer: str


def find_questions(
    block: Block,
    name: str,
    faults: list[StatementError],
    markup: Literal["rst", "md"] = "rst",
) -> Iterator[Question]:
    """Yield what a text asks, and add to ``faults`` what is wrong there.

    An ``ask`` needs an answer of its own; a ``wrong`` stands in such an answer and has
    a text; each has an expression.  A page in MyST asks inside ``{eval-rst}``.
    """
    source = rst_in(block.source, markup)
    block = replace(block, source=source)
    found = list(DIRECTIVE.finditer(running_text(source, "rst")))
    wrongs = [match for match in found if match["kind"] == "wrong"]
    strays = wrongs

    def refuse(match: re.Match[str], why: str) -> None:
        faults.append(fault(name, _place(block, match), why))

    for ask, answer in zip_longest(found, found[1:]):
        if ask["kind"] != "ask":
            continue
        below = answer and (answer["kind"], answer["indent"])
        if below != ("answer", ask["indent"]):
            refuse(ask, "needs an answer directly below it")
            continue
        inside = [w for w in wrongs if answer.end() <= w.start() < _end(source, answer)]
        strays = [w for w in strays if w not in inside]
        bodies = [(w.start(), _end(source, w)) for w in inside]
        for wrong in inside:
            if not source[wrong.end() : _end(source, wrong)].strip():
                refuse(wrong, "has no text: explain what went wrong, indented below it")
        yield Question(
            tuple(_place(block, match) for match in (ask, *inside)),
            _without(source[: _end(source, answer)], bodies)[answer.end() :],
        )
    for wrong in strays:
        refuse(wrong, "belongs inside an answer, and above this answer stands no `ask`")


def fault(name: str, place: Place, why: str) -> StatementError:
    """Return the fault of a directive, with its place."""
    kind, expression, line = place
    return StatementError(f"{name}:{line}\n  .. {kind}:: {expression}\n  {why}", line)


def unanswered(question: Question, name: str) -> StatementError:
    """Return the fault of a question after which no cell runs."""
    why = "is evaluated after the next code cell, and none follows: add one, or move it"
    return fault(name, question.expressions[0], why)


def shown(numbers: Sequence[float]) -> str:
    """Write numbers as a reader does.

    >>> shown([0.1966119]), shown([0.0, 4.0])
    ('0.196612', '(0, 4)')
    """
    text = ", ".join(f"{number:g}".replace("-", "−") for number in numbers)
    return text if len(numbers) == 1 else f"({text})"


def _place(block: Block, match: re.Match[str]) -> Place:
    start, end = match.span("argument")
    line = block.line + block.source.count("\n", 0, match.start())
    kind: AskedKind = "wrong" if match["kind"] == "wrong" else "ask"
    return kind, " ".join(block.source[start:end].split()), line


def _end(source: str, match: re.Match[str]) -> int:
    """Return where a directive's content ends: at the next line that is not deeper."""
    deeper = re.compile(rf"(?:\n[ ]*(?=\n|\Z)|\n{match['indent']}[ ]+\S.*)*")
    return deeper.match(source, match.end()).end()  # type: ignore[union-attr]


def _without(text: str, spans: Sequence[tuple[int, int]]) -> str:
    for start, end in spans:
        text = text[:start] + " " * (end - start) + text[end:]
    return text
