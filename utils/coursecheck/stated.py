"""Plain data about the text of a lesson and about what it states."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from doctest import Example
from typing import Literal

__all__ = [
    "Asked",
    "AskedKind",
    "Block",
    "Formula",
    "Statement",
    "StatementKind",
    "prompted",
    "stating",
]

StatementKind = Literal["doctest", "gradient", "value", "law", "prose", "label"]
AskedKind = Literal["ask", "wrong"]


@dataclass(frozen=True)
class Block:
    """A stretch of a lesson: text, or the code of one cell.

    ``line`` is the 1-based line of the file at which ``source`` begins; ``tags`` are
    those of a notebook's cell.  ``included`` are the texts that it includes; these
    name their ``file``.
    """

    kind: Literal["text", "code"]
    source: str
    line: int
    tags: tuple[str, ...] = ()
    included: tuple[Block, ...] = ()
    file: str = ""


@dataclass(frozen=True)
class Formula:
    """A formula that the checker has read, and its place: a file and a line."""

    source: str
    place: str


@dataclass(frozen=True)
class Statement:
    """A formula, a number or a doctest of the text, and what spoke for it.

    ``kind`` is ``doctest``, ``gradient``, ``value`` or ``law`` (a general law,
    marked by its author as not checked); where numbers are falsified on purpose, also
    ``prose`` or ``label``.  ``witnesses`` names what it was
    compared with, ``error`` is the largest relative difference met.  ``here`` says
    that a formula was compared at the lesson's own point and at no other.
    ``formula`` counts the formulas of the lesson: in which it stands.
    """

    kind: StatementKind
    source: str
    line: int
    witnesses: tuple[str, ...] = ()
    error: float = 0.0
    here: bool = False
    formula: int = -1


@dataclass(frozen=True)
class Asked:
    """What a page asks its reader, or a wrong answer to it, as the lesson computed it.

    ``numbers`` are all numbers of the expression's value, row by row.
    """

    kind: AskedKind
    expression: str
    line: int
    numbers: tuple[float, ...]


def stating(examples: Iterable[Example]) -> list[str]:
    """Return those examples that state something, with what they state."""
    return [prompted(e) + e.want for e in examples if e.want]


def prompted(example: Example) -> str:
    """Return the code of an example as a console shows it."""
    return ">>> " + example.source.rstrip().replace("\n", "\n... ") + "\n"
