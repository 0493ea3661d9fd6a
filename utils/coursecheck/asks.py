"""Evaluate what a text asks its reader, so that the page holds the run's own numbers.

An author writes ``.. ask:: x.grad`` and, inside the answer that follows, what is known
to go wrong: ``.. wrong:: x.grad / 2``.  Both are expressions of the lesson's variables,
as they are after the next code cell.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch

from coursecheck.doctests import watch
from coursecheck.faults import StatementError, gathered, raise_all
from coursecheck.questions import Place, Question, fault, shown
from coursecheck.stated import Asked

__all__ = ["evaluate", "near"]

# torchutils has the same two, for notebooks; were they taken from there, each lesson
# would run again when a drawing's code changes.  A test holds them equal.
TOLERANCE = 1e-3  # relative above 1; numbers.js has the same
MOST = 12  # numbers: nobody types more
_REMEDY = (
    "what is asked is one Python expression of the lesson's variables, as they are "
    f"after the next cell; it has 1 to {MOST} finite numbers and changes nothing"
)
_NUMBER = re.compile(r"[-−]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?")
_WORDS = {"zero": 0, "zeros": 0, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6}


def evaluate(
    question: Question, namespace: Mapping[str, Any], name: str
) -> tuple[Asked, ...]:
    """Return the numbers of each expression, in a shallow copy of the namespace.

    Raises:
        StatementError: an expression raises, warns, changes a tensor of the lesson or
            has no finite numbers; two of them cannot be told apart; or the answer does
            not name the numbers that are asked for.
    """
    done: list[Asked] = []
    faults: list[StatementError] = []
    for place in question.expressions:
        with gathered(faults):
            done.append(_evaluated(place, namespace, name, done))
    raise_all(faults)
    stated = list(_stated(question.answer))
    for number in done[0].numbers:
        if not any(near([number], [n]) for n in stated):
            why = f"is {shown(done[0].numbers)}, and its answer does not say {number:g}"
            raise fault(name, question.expressions[0], why)
    return tuple(done)


def _evaluated(
    place: Place, namespace: Mapping[str, Any], name: str, others: Sequence[Asked]
) -> Asked:
    kind, expression, line = place
    try:
        numbers = _numbers(_value(expression, namespace))
    except Exception as error:
        why = f"{type(error).__name__}: {error}\n  {_REMEDY}"
        raise fault(name, place, why) from error
    for other in others:
        if near(numbers, other.numbers, tolerance=3 * TOLERANCE):
            why = f"is the same as `{other.expression}`: {shown(numbers)}"
            raise fault(name, place, why)
    return Asked(kind, expression, line, numbers)


def _stated(answer: str) -> Iterator[float]:
    """Yield the numbers of a text; a minus may belong to one, or stand before it."""
    for number in _NUMBER.findall(answer):
        yield from (float(number.replace("−", "-")), float(number.lstrip("-−")))
    words = re.findall(r"[a-z]+", answer.lower())
    yield from (_WORDS[word] for word in words if word in _WORDS)


def near(
    numbers: Sequence[float], others: Sequence[float], *, tolerance: float = TOLERANCE
) -> bool:
    """Tell whether a reader's numbers count as the others.

    >>> near([2846.83], [2846.0]), near([0.25], [0.252]), near([1], [1, 1])
    (True, False, False)
    """
    return len(numbers) == len(others) and all(
        abs(a - b) <= tolerance * max(1.0, abs(b))
        for a, b in zip(numbers, others, strict=True)
    )


@torch.enable_grad()  # whatever the lesson has switched off
def _value(expression: str, namespace: Mapping[str, Any]) -> Any:
    changed = watch(namespace)
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("error")
        value = eval(expression, dict(namespace))
    if change := changed():
        raise ValueError(f"it changes {change}")
    return value


def _numbers(value: Any) -> tuple[float, ...]:
    """Return all numbers of a value, row by row."""
    flat = tuple(_flat(value))
    if not 1 <= len(flat) <= MOST:
        raise ValueError(f"it has {len(flat)} numbers")
    if strange := [number for number in flat if not math.isfinite(number)]:
        raise ValueError(f"it has {strange[0]} in it")
    return flat


def _flat(value: Any) -> Iterator[float]:
    if isinstance(value, torch.Tensor):
        value = value.detach().tolist()
    if isinstance(value, list | tuple):
        for part in value:
            yield from _flat(part)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield float(value)
    else:
        raise TypeError(f"it gives {value!r:.60}, which is no number")
