r"""Falsify what a text states, one change at a time, to see whether the check notices.

Changed are the formulas that state something (those with an equals sign, laws
left out) and the outputs of doctests.  A change that would plainly state the
same is not made: ``-0``, a swap of two equal entries, the coefficient 1.
"""

from __future__ import annotations

import doctest
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from coursebuild.maths import find_maths

__all__ = ["KillRate", "kill_rate", "mutants"]

Change = tuple[str, int, int, str]  # kind, from, to, what stands there instead

_OTHER = {
    "sin": "cos", "cos": "sin", "ln": "sqrt", "log": "sin", "exp": "sin",
    "tanh": "sin", "sigma": "tanh", "max": "min", "min": "max", "relu": "abs",
    "tr": "det", "det": "sum", "mean": "sum", "softmax": "exp", "diag": "tr",
}  # fmt: skip
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


@dataclass(frozen=True)
class KillRate:
    """How many mutants of each kind there were, and which ones survived."""

    total: Counter[str]
    survivors: tuple[tuple[str, int, str], ...]  # kind, line, mutated line

    @property
    def rate(self) -> float:
        """The part of all mutants that the check refused."""
        number = self.total.total()
        return 1 - len(self.survivors) / number if number else 0.0


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


def kill_rate(
    text: str,
    check: Callable[[str], bool],
    markup: Literal["rst", "md"] = "rst",
) -> KillRate:
    """Ask a check about every mutant; it returns True for what it takes as true.

    Raise ValueError when it refuses the text itself: then nothing is measured.
    """
    if not check(text):
        raise ValueError("the unchanged text is refused: repair it first")
    total: Counter[str] = Counter()
    survivors = []
    for kind, line, mutated in mutants(text, markup):
        total[kind] += 1
        if check(mutated):
            survivors.append((kind, line, mutated.splitlines()[line - 1].strip()))
    return KillRate(total, tuple(survivors))


def _changes(text: str, markup: Literal["rst", "md"]) -> Iterator[Change]:
    for maths in find_maths(text, markup):
        if maths.law or not re.search(r"=|\\approx", maths.text):
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
    if kind in ("digit", "exponent"):
        return text[:-1] + _next_digit(text) if text[-1].isdigit() else None
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
        return next((letter for letter in letters if letter not in (text, "d")), "q")
    if kind == "transpose":
        return "1" if text == r"\top" else ""
    if kind == "coefficient":
        return None if text.strip("\\,") == "1" else ""
    first, second = match[1].strip(), match[2].strip()
    return None if first == second else f"{second}, {first}"


def _next_digit(number: str) -> str:
    return str((int(number[-1]) + 1) % 10)


def _in_doctests(text: str) -> Iterator[Change]:
    """Change each number, each bracket, dtype, flag and node name of an output."""
    patterns = {
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
    return number[:place] + _next_digit(number[: place + 1]) + number[place + 1 :]
