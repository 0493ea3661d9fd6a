r"""Falsify what a text states, one change at a time, to see whether the check notices.

Changed are the formulas that state something (those with an equals sign, laws
left out) and the outputs of doctests.  A change that would plainly state the
same is not made: ``-0``, a swap of equal entries, the coefficient 1, a power of 1.

All mutants of a lesson are tried in one execution of its code: each has a copy
of the checker as it stood before its text, and is shown all that follows.
"""

from __future__ import annotations

import doctest
import random
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Literal

from coursecheck.doctests import fits, play
from coursecheck.faults import StatementError
from coursecheck.maths import find_maths
from coursecheck.stated import Block, Statement
from coursecheck.statements import Checker
from coursecheck.tokens import RELATIONS

__all__ = ["Mutants", "mutants", "next_digit"]

Change = tuple[str, int, int, str]  # kind, from, to, what stands there instead

_OTHER = {
    "sin": "cos", "cos": "sin", "ln": "sqrt", "log": "sin", "exp": "sin",
    "tanh": "sin", "sigma": "tanh", "max": "min", "min": "max", "relu": "abs",
    "tr": "det", "det": "sum", "mean": "sum", "softmax": "exp", "diag": "tr",
}  # fmt: skip
_STATING = re.compile("|".join(map(re.escape, (*RELATIONS, *"≈≃≊≡≜≔＝"))))
_PATTERNS: dict[str, str] = {
    "digit": r"(?<![\^_\d\\,])(?<!\^\{)(?<!\d\.)(?:\d+(?:\.\d*)?|\.\d+)",
    "exponent": r"(?<=\^)\d|(?<=\^\{)\d+",
    "sign": r"(?<=[\w)}\]\s])\s*[+-](?=\s*[\w(\\.{])",
    "minus": r"(?<=[=(,&{])\s*-(?=\s*[\w\\(.])|^-",
    "function": r"\\(?:operatorname\{)?(?:" + "|".join(_OTHER) + r")(?![a-z])\}?",
    "variable": r"(?<![A-Za-z\\])(?<!\\text\{)[A-Za-z](?![A-Za-z])",
    "transpose": r"\^(?:\\top(?![a-z])|T|\{\\top\})|(?<=\^\{-)\\top",
    "coefficient": r"(?<![\d.,^_{}])(?:\d+(?:\.\d+)?|\\t?frac\d\d)(?:\\,)?"
    r"(?=\s*(?:[A-Za-z(]|\\[a-z]))(?!\s*\\(?:cdot|approx|times|\\))",
    "swap": r"(?<!\\max\()(?<!\\min\()(?<=\()([^(),]+),([^(),]+)(?=[,)])",
}


class Mutants:
    """Try every mutant of a lesson; stands in for the lesson's :class:`Checker`.

    Its statements are the mutants: of the changed kind, with the changed line,
    and with the witness ``refused`` unless it survived.  With ``one_in`` above 1
    they are a sample, always the same.
    """

    def __init__(self, checker: Checker, one_in: int = 1) -> None:
        self._checker, self._one_in = checker, one_in
        self._random = random.Random(one_in)
        self._alive: list[tuple[Statement, Checker]] = []

    def read(self, block: Block, namespace: Mapping[str, Any]) -> Iterator[Statement]:
        """Show the text to the mutants of earlier ones, and make its own."""
        yield from self._show(lambda checker: checker.look(block, namespace))
        examples: list[tuple[Statement, Block]] = []
        for kind, line, changed in mutants(block.source, self._checker.markup):
            if self._random.randrange(self._one_in):
                continue
            text = replace(block, source=changed)
            source = changed.splitlines()[line - 1].strip()
            line += block.line - 1
            mutant = Statement(kind, source, line)  # type: ignore[arg-type]  # what changed
            if kind == "doctest":
                examples.append((mutant, text))
            else:
                yield from self._begin(mutant, text, namespace)
        self._checker.look(block, namespace)
        name = self._checker.name
        played = play(block, namespace, name)  # at last: it may free a graph
        for mutant, text in examples:
            yield mutant if fits(text, played, name) else _refused(mutant)

    def confirm(self, namespace: Mapping[str, Any]) -> Iterator[Statement]:
        """Look again at what was stated before this cell."""
        yield from self._show(lambda checker: checker.confirm(namespace))
        self._checker.confirm(namespace)

    def finish(self) -> Iterator[Statement]:
        """Return the mutants that nothing has refused."""
        yield from self._show(lambda checker: checker.finish())
        yield from (mutant for mutant, _ in self._alive)

    def _begin(
        self, mutant: Statement, text: Block, namespace: Mapping[str, Any]
    ) -> Iterator[Statement]:
        twin = self._checker.copy()
        try:
            twin.look(text, namespace)
            self._alive.append((mutant, twin))
        except StatementError:
            yield _refused(mutant)

    def _show(self, look: Callable[[Checker], object]) -> Iterator[Statement]:
        """Let the mutants that are alive see more of the lesson."""
        alive, self._alive = self._alive, []
        for mutant, checker in alive:
            try:
                look(checker)
                self._alive.append((mutant, checker))
            except StatementError:
                yield _refused(mutant)


def _refused(mutant: Statement) -> Statement:
    return replace(mutant, witnesses=("refused",))


def mutants(
    text: str, markup: Literal["rst", "md"] = "rst"
) -> Iterator[tuple[str, int, str]]:
    """Yield the kind, the 1-based line and the whole text of every mutant.

    >>> [mutated for _, _, mutated in mutants(":math:`y = 28`")]
    [':math:`y = 29`', ':math:`q = 28`']
    """
    for kind, start, end, other in _changes(text, markup):
        line = text.count("\n", 0, start) + 1
        yield kind, line, text[:start] + other + text[end:]


def _changes(text: str, markup: Literal["rst", "md"]) -> Iterator[Change]:
    for maths in find_maths(text, markup):
        if maths.law or not _STATING.search(maths.text):
            continue
        for kind, start, end, other in _in_formula(maths.text):
            yield kind, maths.start + start, maths.start + end, other
    yield from _in_doctests(text)


def _in_formula(formula: str) -> Iterator[Change]:
    letters = re.findall(_PATTERNS["variable"], formula)
    for kind, pattern in _PATTERNS.items():
        for match in re.finditer(pattern, formula):
            other = _replacement(kind, match, letters)
            if other is not None:
                yield kind, match.start(), match.end(), other


def _replacement(kind: str, match: re.Match[str], letters: list[str]) -> str | None:
    """Return what a change puts in the place of a match; None if it is the same."""
    text, rest = match[0], match.string[match.end() :].lstrip()
    if kind == "exponent" and re.search(
        r"(?<![\d.])[01]\^\{?$", match.string[: match.start()]
    ):
        return None
    if kind in ("digit", "exponent"):
        return next_digit(text) if text[-1].isdigit() else None
    if kind == "sign":
        return None if rest[:1] == "0" else text[:-1] + {"+": "-", "-": "+"}[text[-1]]
    if kind == "minus":
        return None if re.match(r"0(?![.\d])", rest) else text[:-1]
    if kind == "function":
        name = re.sub(r"\\operatorname\{|[\\}]", "", text)
        if name == "sigma" and rest[:1] != "(":
            return None
        return rf"\operatorname{{{_OTHER[name]}}}"
    if kind == "variable":
        if rest[:2] == "}{" or text in "deIT":
            return None
        other = "r" if text == "q" else "q"
        return next((letter for letter in letters if letter not in (text, "d")), other)
    if kind == "transpose":
        return "1" if text == r"\top" else ""
    if kind == "coefficient":
        return None if text.strip("\\,") == "1" else ""
    first, second = match[1].strip(), match[2].strip()
    return None if first == second else f"{second}, {first}"


def next_digit(number: str) -> str:
    """Change the last digit of a number.

    >>> next_digit("0.19"), next_digit("28")
    ('0.10', '29')
    """
    return number[:-1] + str((int(number[-1]) + 1) % 10)


def _in_doctests(text: str) -> Iterator[Change]:
    """Change each number, each bracket, dtype, flag and node name of an output."""
    patterns: dict[str, Callable[[str], str]] = {
        r"(?<![\w.])-?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?": _other_number,
        r"\[(?=[\d\s.,-]*\])": lambda m: "[[",
        r"True|False": lambda m: {"True": "False", "False": "True"}[m],
        r"float(?:32|64)": lambda m: {"float32": "float64", "float64": "float32"}[m],
        r"(?:Mul|Add|Dot|Sum|Pow)(?=Backward)": lambda m: "Exp",
    }
    starts = [0, *(m.end() for m in re.finditer("\n", text))]
    for example in doctest.DocTestParser().get_examples(text):
        first = example.lineno + example.source.count("\n")
        begin = starts[first] if first < len(starts) else len(text)
        end = begin
        for line in text[begin:].splitlines(keepends=True)[: example.want.count("\n")]:
            end += len(line)
        for pattern, change in patterns.items():
            for match in re.finditer(pattern, text[begin:end]):
                at = begin + match.start()
                yield "doctest", at, begin + match.end(), change(match[0])


def _other_number(number: str) -> str:
    digits = re.search(r"\d(?=\D*$)", number.split("e")[0])
    assert digits is not None  # the pattern asks for a digit
    place = digits.start()
    return next_digit(number[: place + 1]) + number[place + 1 :]
