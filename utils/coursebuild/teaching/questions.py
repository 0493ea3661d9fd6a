"""Part a lesson into text, code and questions, each with what answers it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from doctest import DocTestParser, Example
from math import isfinite
from textwrap import dedent
from typing import Literal

from coursebuild.downloads.notebooks import blocks_with_hidden
from coursebuild.downloads.portable import BLOCK
from coursebuild.sources.beside import TITLE
from coursecheck.stated import Asked, Block
from torchutils.answers import answer_key

__all__ = ["Code", "Part", "Question", "Text", "numbers_of", "parts", "sheet"]

BOX = re.compile(BLOCK.format("(?P<kind>predict|exercise)"))
ANSWER = re.compile(BLOCK.format("answer"))
ASK = re.compile(r"(?m)^ *\.\. ask::.*$")
ABOUT = re.compile(r",\s*(?:dtype|grad_fn|requires_grad)=(?:<\w+>|[\w.]+)")
BRACKETS = re.compile(r"\b(?:tensor|torch\.Size|Parameter containing:)\s*(?=[(\[])")


@dataclass(frozen=True)
class Text:
    """Text of a lesson; ``covered`` where it may tell the answer to the last question.

    That is what the site covers: all from a prediction to the next box or heading.
    """

    source: str
    covered: bool


@dataclass(frozen=True)
class Code:
    """A cell of a lesson; ``folded`` where a sheet needs it but does not show it."""

    source: str
    folded: bool = False


@dataclass(frozen=True)
class Question:
    """A box that asks, and what answers it.

    ``text`` is the box without its answer, ``whole`` the box as it stands.  ``numbers``
    are those of the right answer, of which there are none where it is words.  ``code``
    computes them: that of a prediction after the next cell, for which it waits.
    """

    kind: Literal["predict", "exercise"]
    text: str
    whole: str
    numbers: tuple[float, ...]
    code: str

    @property
    def key(self) -> str:
        """The numbers as a notebook's cell carries them; "" where there are none."""
        return answer_key(self.numbers) if self.numbers else ""


Part = Text | Code | Question


def parts(blocks: Iterable[Block], asked: Sequence[Asked]) -> Iterator[Part]:
    """Yield a lesson's parts in their order.

    ``asked`` are the numbers that its run computed for what it asks, in order.

    Raises:
        ValueError: there are not as many as places that ask.
    """
    computed = iter([a for a in asked if a.kind == "ask"])
    covered = False
    for kind, source, _ in blocks_with_hidden(blocks):
        if kind == "code":
            yield Code(source)
            continue
        start = 0
        for match in _borders(source):
            if text := source[start : match.start()].strip("\n"):
                yield Text(text, covered)
            box = match.re is BOX
            start = match.end() if box else match.start()
            covered = box and match["kind"] == "predict"
            if box:
                yield _question(match, computed)
        if text := source[start:].strip("\n"):
            yield Text(text, covered)
    if rest := [a.expression for a in computed]:
        raise ValueError(f"no box asks for {rest[0]}, and its run computed it")


def _borders(source: str) -> list[re.Match[str]]:
    """Return the boxes and the headings of a text, in order."""
    found = [*BOX.finditer(source), *TITLE.finditer(source)]
    return sorted(found, key=lambda match: match.start())


def sheet(parts: Iterable[Part]) -> Iterator[Part]:
    """Yield of a lesson its title, and the sections that ask but for what is covered.

    What other sections compute is there as well, folded: later cells may need it.
    """
    folded: list[str] = []
    sections = _sections(parts)
    yield Text(_title(sections[0][0]), covered=False)
    for section in sections:
        asks = any(isinstance(part, Question) for part in section)
        if not asks:
            folded += [part.source for part in section if isinstance(part, Code)]
        elif folded:
            yield Code("\n\n".join(folded), folded=True)
            folded = []
        for part in section if asks else ():
            if not (isinstance(part, Text) and part.covered):
                yield part


def _title(first: Part) -> str:
    """Return a lesson's title with its line, which its first text begins with."""
    match = TITLE.match(first.source) if isinstance(first, Text) else None
    assert match, "a lesson begins with its title"
    return match[0]


def _sections(parts: Iterable[Part]) -> list[list[Part]]:
    found: list[list[Part]] = []
    for part in parts:
        if not found or (isinstance(part, Text) and TITLE.match(part.source)):
            found.append([])
        found[-1].append(part)
    return found


def _question(box: re.Match[str], computed: Iterator[Asked]) -> Question:
    kind: Literal["predict", "exercise"] = (
        "predict" if box["kind"] == "predict" else "exercise"
    )
    whole = box[0]
    answers = [dedent(m["body"]).strip("\n") for m in ANSWER.finditer(whole)]
    text = ANSWER.sub("", whole)
    numbers, code = _example([text], answers)
    if ASK.search(text):
        found = next(computed, None)
        if found is None:
            raise ValueError(f"no run computed what this asks:\n{text}")
        numbers, code = found.numbers, f"my_answer = {found.expression}"
    elif kind == "predict":
        numbers, code = (), ""  # its answer is words; an example there illustrates
    text = ASK.sub("", text).rstrip()
    return Question(kind, text, whole, numbers, code)


def _example(
    asked: Iterable[str], answers: Iterable[str]
) -> tuple[tuple[float, ...], str]:
    """Return the numbers to which the last example of an answer comes, and its code.

    Before it stands the code of what is ``asked``, which the answer may go on from.  An
    error that it provokes on purpose ends it: what stands below is another matter.
    """
    lines = [e.source.rstrip() for q in asked for e in DocTestParser().get_examples(q)]
    numbers: tuple[float, ...] = ()
    code = ""
    for example in (e for a in answers for e in DocTestParser().get_examples(a)):
        if example.exc_msg:
            break
        if (found := numbers_of(example.want)) and _is_value(example):
            numbers = found
            code = "\n".join([*lines, f"my_answer = {example.source.strip()}"])
        lines.append(example.source.rstrip())
    return numbers, code


def _is_value(example: Example) -> bool:
    """Tell whether an example shows a value, and does not print."""
    body = ast.parse(example.source).body
    shows = len(body) == 1 and isinstance(body[0], ast.Expr)
    return shows and not example.source.startswith("print(")


def numbers_of(shown: str) -> tuple[float, ...]:
    """Return the numbers of a value as Python shows it; none, where it has others.

    >>> numbers_of("(tensor([[4., 2.]], grad_fn=<MulBackward0>), 1)")
    (4.0, 2.0, 1.0)
    >>> numbers_of("torch.Size([3, 2])"), numbers_of("(nan, 1)"), numbers_of("True")
    ((3.0, 2.0), (), ())
    """
    try:
        value = ast.literal_eval(BRACKETS.sub("", ABOUT.sub("", shown.strip())))
        flat = tuple(_flat(value))
    except (ValueError, SyntaxError, TypeError):
        return ()
    return flat if all(map(isfinite, flat)) else ()


def _flat(value: object) -> Iterator[float]:
    if isinstance(value, list | tuple):
        for part in value:
            yield from _flat(part)
    elif isinstance(value, complex):
        yield from (value.real, value.imag)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield float(value)
    else:
        raise TypeError(f"{value!r} is no number")
