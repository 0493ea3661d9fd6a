"""Find the results that stand in running text, where nothing checks them.

A number with decimals, a fraction, a tuple or an equality belongs into a formula or a
doctest, and any number of a figure's label into an f-string.  A version, a section, a
shape and an argument (``dim=1``) are no results.  What else may stand all the same (a
step, a time) is listed in ``docs/prose_numbers.txt``, word by word.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal

from coursecheck.maths import blank, running_text, without_blocks
from coursecheck.questions import DIRECTIVE
from coursecheck.stated import Block
from courserun.lesson import Lesson

__all__ = [
    "Number",
    "all_numbers",
    "is_reviewed",
    "loose_numbers",
    "numbers",
    "reviewed",
    "unused",
]

Number = tuple[int, str, str, str]  # its line, itself, the text around, of which kind
LIST = "docs/prose_numbers.txt"
_NUMBER = r"[-−+]?\d+(?:[.,]\d+)*"
_MANY = rf"{_NUMBER}(?:\s*,\s*{_NUMBER})+"
_RESULT = re.compile(
    rf"(?<![\w./])(?:\({_MANY}\)|\[{_MANY}\]|[-−+]?\d+/\d+(?!/)"
    r"|[-−+]?\d+(?:\.\d+(?:e[-−+]?\d+)?|e[-−+]?\d+)"
    rf"|[\w.]+(?:\(\w*\))?\s*(?:==?|[≈≡]|\bis\s+equal\s+to\b|\bequals\b)\s*{_NUMBER})"
    r"(?!\.?\w)|[∇∂][^\s=≈]*\s*[=≈]\s*\S*\w"
)
_PRINTED = re.compile(r"(?<!`)(`{1,2})(tensor\([-\[\s]*\d[^`]*)\1(?!`)")
_NO_RESULT = re.compile(  # a version, a section, a shape; an argument
    r"(?:\b(?:versions?|releases?|PyTorch|torch|Python|CUDA|NumPy)\s+(?:[<>=≥≤]+\s*)?"
    r"|\b(?:[Ss]ections?|[Cc]hapters?|[Ff]ig(?:ures?|\.)|[Tt]ables?|[Ee]xercises?)\s+|§\s*)"
    r"\d+(?:\.\d+)*(?:(?:\s*[/,–]\s*|\s+(?:and|or|to)\s+)\d+(?:\.\d+)+)*"
    rf"|\b(?:shapes?|sizes?)\s+(?:(?:of|is|are)\s+)?(?:\({_MANY}\)|\[{_MANY}\])"
    rf"|\({_MANY}\)(?=[\s-]+(?:tensor|matrix|array|shape))"
    r"|(?<![\w.])[a-z_]{3,}=-?\d+(?!\.?\w)"
)
_NO_PROSE = re.compile(  # a doctest with its output, a link, a target
    r"^[ ]*>>> .*\n(?:[ ]*\S.*(?:\n|$))*|`[^`]*<[^>]*>`__?|\[[^\]]*\]\([^)]*\)"
    r"|<?https?://\S+|^\.\. _.*",
    re.MULTILINE,
)


def reviewed(root: Path) -> tuple[tuple[str, str], ...]:
    """Read the list: a file's name, and words of it that hold a number."""
    path = root / LIST
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    entries = (line.partition(": ") for line in lines if line and line[0] != "#")
    return tuple((name, words) for name, _, words in entries)


def all_numbers(lesson: Lesson) -> list[Number]:
    """Return what looks like a result in a lesson's texts and labels."""
    return [n for block in lesson.blocks for n in numbers(block, lesson.markup)]


def loose_numbers(
    name: str, found: Iterable[Number], allowed: Iterable[tuple[str, str]] = ()
) -> Iterator[str]:
    """Yield a message for each number of a lesson that the list does not allow."""
    allowed = tuple(allowed)
    for line, number, around, kind in found:
        place = "formula or a doctest" if kind == "text" else "f-string"
        if not is_reviewed(name, number, around, allowed):
            yield (
                f"{name}:{line}\n  {number} stands where nothing checks it:"
                f" put it into a {place}, or, if it is no result, into {LIST}"
            )


def is_reviewed(
    name: str, number: str, around: str, allowed: Iterable[tuple[str, str]]
) -> bool:
    """Tell whether the list has words with this number, in this file's text."""
    words = (words for file, words in allowed if file == name)
    return any(number in w and w in around for w in words)


def unused(
    found: Mapping[str, Iterable[Number]], allowed: Iterable[tuple[str, str]]
) -> list[str]:
    """Return a message for each entry that fits no lesson's text any more."""
    texts = {name: {n[2] for n in numbers} for name, numbers in found.items()}
    return [
        f"{LIST}: no number stands in {words!r} of {name} any more"
        for name, words in allowed
        if not any(words in text for text in texts.get(name, ()))
    ]


def numbers(block: Block, markup: Literal["rst", "md"]) -> Iterator[Number]:
    """Yield what looks like a result in a text, and each number of a label."""
    if block.kind == "text":
        running = _NO_PROSE.sub(blank, running_text(block.source, markup))
        running = DIRECTIVE.sub(blank, running)  # what it asks is code
        running = _NO_RESULT.sub(blank, running)
        prose = _NO_PROSE.sub(blank, without_blocks(block.source, markup))
        around = " ".join(block.source.split())
        found = [(m.start(), m[0]) for m in _RESULT.finditer(running)]
        found += [(m.start(), m[2]) for m in _PRINTED.finditer(prose)]
        for start, number in sorted(found):
            line = block.line + block.source.count("\n", 0, start)
            yield line, " ".join(number.split()), around, block.kind
    for line, label in _labels(block) if "set_label" in block.source else ():
        for match in re.finditer(r"\d[\d.,]*(?<=\d)", label):
            yield block.line + line - 1, match[0], label, block.kind


def _labels(block: Block) -> Iterator[tuple[int, str]]:
    """Yield line and text of the literal parts of a figure's alternative text."""
    calls = ast.walk(ast.parse(block.source)) if block.kind == "code" else ()
    for call in calls:
        if isinstance(call, ast.Call) and getattr(call.func, "attr", "") == "set_label":
            for text in call.args:
                parts = text.values if isinstance(text, ast.JoinedStr) else [text]
                said = [part for part in parts if isinstance(part, ast.Constant)]
                yield from ((part.lineno, str(part.value)) for part in said)
