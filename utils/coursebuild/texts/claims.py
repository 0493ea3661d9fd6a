"""List the sentences that claim much, and what backs each: ``make claims``.

Whoever writes *always*, *never*, *only* or *therefore* says that no counterexample
exists, or names a cause; no checker of formulas sees that.  A claim is backed by a
formula or an example of its own paragraph, or by an entry of ``docs/prose_claims.txt``
that says what backs it.  That a neighbour really backs a sentence is the author's word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from coursecheck.maths import blank, without_blocks
from coursecheck.questions import DIRECTIVE
from coursecheck.stated import Block
from courserun.lesson import Lesson

__all__ = [
    "LIST",
    "Claim",
    "check_claims",
    "claims",
    "read_backing",
    "report",
    "review_claims",
]

LIST = "docs/prose_claims.txt"
_FOR_AUTHORS = ("docs/architecture.md", "docs/authors.md", "docs/speed.md")
_STRONG = re.compile(
    r"\b(?:always|never|only|nothing|all|every(?:thing)?|must|cannot|can't|most"
    r"|therefore|because|impossible)\b",
    re.IGNORECASE,
)
_EXAMPLE = re.compile(r"^[ ]*>>> ", re.MULTILINE)
_FORMULA = re.compile(r":math:`|(?<![\\$])\$[^$\s]|^\s*\.\. math::", re.MULTILINE)
_ASKED = re.compile(  # how readers put a question, for the finder
    r"^(:{3,})\{container\} also\n.*?^\1$", re.MULTILINE | re.DOTALL
)
_HIDDEN = re.compile(  # examples, titles, tables, code, addresses, names of roles
    r"^[ ]*>>> .*\n(?:[ ]*\S.*(?:\n|$))*|^.+\n[-=]{3,}$|^#+ .*|^\|.*|``[^`]*``"
    r"|`[^`]*<[^>]*>`__?|(?::[\w:-]+:|\{[\w:]+\})?`[^`]*`|\]\([^)]*\)|https?://\S+",
    re.MULTILINE,
)
_END = re.compile(r"(?<=[.!?:])[)*\"”]*\s+(?=[(*`\"“:]*[A-Z])|\n[ ]*(?:[-*]|\d+\.)[ ]")
_PARAGRAPH = re.compile(r"\n[ ]*\n")


class Claim(NamedTuple):
    """A sentence, where its strong word stands, and what in its paragraph backs it."""

    name: str
    line: int
    word: str
    sentence: str
    beside: Literal["formula", "example", ""]


def claims(lesson: Lesson) -> Iterator[Claim]:
    """Yield the sentences of a lesson's text that hold a strong word."""
    for block in lesson.blocks:
        if block.kind == "text":
            yield from _of_block(lesson.name, block, lesson.markup)


def _of_block(name: str, block: Block, markup: Literal["rst", "md"]) -> Iterator[Claim]:
    own = _ASKED.sub(blank, block.source)
    text = DIRECTIVE.sub(blank, without_blocks(own, markup))
    for start, end in _spans(text, _PARAGRAPH):
        beside = _beside(block.source[start:end], block.source[end:])
        for first, last in _spans(_HIDDEN.sub(blank, text[start:end]), _END):
            words = _HIDDEN.sub(blank, text[start:end])[first:last]
            if found := _STRONG.search(words):
                place = start + first
                line = block.line + block.source.count("\n", 0, place + found.start())
                sentence = " ".join(block.source[place : start + last].split())
                yield Claim(name, line, found[0], sentence, beside)


def _spans(text: str, between: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    start = 0
    for cut in between.finditer(text):
        yield start, cut.start()
        start = cut.end()
    yield start, len(text)


def _beside(paragraph: str, after: str) -> Literal["formula", "example", ""]:
    if _EXAMPLE.search(paragraph) or re.match(r"\s*(?:```\w*\n)?>>> ", after):
        return "example"
    return "formula" if _FORMULA.search(paragraph) else ""


def read_backing(root: Path) -> tuple[tuple[str, str, str], ...]:
    """Read the list: a file's name, words of a claim in it, and what backs them.

    Raises:
        ValueError: a line has not these three parts.
    """
    entries = []
    path = root / LIST
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    for number, line in enumerate(lines, 1):
        if line and line[0] != "#":
            name, _, rest = line.partition(": ")
            words, _, backing = rest.rpartition(" -> ")
            if not (name and words and backing):
                raise ValueError(
                    f"{LIST}:{number}: write FILE: WORDS -> WHAT BACKS THEM"
                )
            entries.append((name, words, backing))
    return tuple(entries)


def report(
    lessons: Iterable[Lesson], backing: tuple[tuple[str, str, str], ...]
) -> tuple[list[str], str]:
    """Return what is wrong, a message each, and a sentence that counts the rest."""
    found = [claim for lesson in lessons for claim in claims(lesson)]
    listed = {claim: _entries(claim, backing) for claim in found}
    bare = [
        f"{c.name}:{c.line}\n  {c.word!r} claims much: {c.sentence}\n  Put an example "
        f"or a formula beside it, weaken it, or say in {LIST} what backs it."
        for c, entries in listed.items()
        if not c.beside and not entries
    ]
    used = {entry for entries in listed.values() for entry in entries}
    lost = [
        f"{LIST}: {words!r} is no claim of {name} any more: take the line out"
        for name, words, what in backing
        if (name, words, what) not in used
    ]
    beside = sum(bool(c.beside) and not entries for c, entries in listed.items())
    return bare + lost, (
        f"{len(found)} sentences claim much: {beside} have a formula or an example in "
        f"their paragraph, {len(used)} lines of {LIST} back the others."
    )


def _entries(
    claim: Claim, backing: tuple[tuple[str, str, str], ...]
) -> list[tuple[str, str, str]]:
    return [e for e in backing if e[0] == claim.name and e[1] in claim.sentence]


def review_claims(
    root: Path, lessons: Iterable[Lesson], *, whole: bool = True
) -> tuple[list[str], str]:
    """Report on strict lessons and readers' pages; ``whole``: these are all of them.

    Raises:
        ValueError: the list holds a line that is no entry.
    """
    read = [x for x in lessons if x.strict and x.name not in _FOR_AUTHORS]
    names = {x.name for x in read}
    backing = read_backing(root)
    return report(read, tuple(e for e in backing if whole or e[0] in names))


def check_claims(root: Path, lessons: Iterable[Lesson]) -> str:
    """Judge all lessons; return a sentence that counts.

    Raises:
        ValueError: a claim has no backing, or an entry no claim.
    """
    wrong, counted = review_claims(root, lessons)
    if wrong:
        raise ValueError("\n\n".join(wrong))
    return counted
