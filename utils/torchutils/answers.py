"""Check a student's numbers against those of an answer, without showing these."""

from __future__ import annotations

import math
import re
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from types import EllipsisType
from zlib import crc32

__all__ = ["TOLERANCE", "Verdict", "answer_key", "check_answer", "near"]

TOLERANCE = 1e-3  # relative above 1; numbers.js has the same
_DECIMALS = re.compile(r"-?\d+\.(\d+)")
_STYLE = "border-left: 0.3em solid {}; padding-left: 0.6em; margin: 0.4em 0"


@dataclass(frozen=True)
class Verdict:
    """What a check says: true where the answer is ``right``; a notebook colours it."""

    right: bool
    text: str

    def __bool__(self) -> bool:
        """Tell whether the answer is right."""
        return self.right

    def __repr__(self) -> str:
        """Return the text, after a sign that needs no colour."""
        return f"{'✓' if self.right else '✗'} {self.text}"

    def _repr_html_(self) -> str:
        style = _STYLE.format("#2e9e4f" if self.right else "#d64545")
        return f'<p style="{style}">{escape(repr(self))}</p>'


def check_answer(answer: object, key: str) -> Verdict:
    """Compare an answer with the numbers in ``key``, as the site compares predictions.

    ``answer`` is a number, a tensor or an array, or lists of them: all its numbers
    count, row by row, of a complex one first the real part.  Each may be off by 0.001,
    above 1 by a thousandth of the right one.  ``...`` is no answer yet.

    The verdict names the entries that are wrong, counted from 1, and never a right
    number.  ``key`` is what :func:`answer_key` returns: the numbers in another
    notation, so that nobody reads them by accident.  It is no secret, and whoever wants
    to can read it.

    Raises:
        ValueError: the key is damaged.

    >>> key = answer_key([0, 4, 8])
    >>> check_answer([0, 4, 7], key)
    ✗ Not right yet: entry 3 of 3.
    >>> check_answer([0, 4, 8.001], key)
    ✓ Right: all 3 numbers.
    """
    right = _numbers_in(key)
    if isinstance(answer, EllipsisType):
        return Verdict(False, "No answer yet: write yours in place of the dots.")
    try:
        given = list(_flat(answer))
    except TypeError as error:
        return Verdict(False, str(error))
    if len(given) != len(right):
        said = f"Here {_count(len(given))}, and the question asks for {len(right)}."
        return Verdict(False, said)
    wrong = [k for k, x in enumerate(given) if not near([x], [right[k]])]
    if not wrong:
        all_of = f": all {len(right)} numbers" if len(right) > 1 else ""
        return Verdict(True, f"Right{all_of}.")
    rounded = all(_is_rounded(right[k], given[k]) for k in wrong)
    said = "Almost, a digit is missing" if rounded else "Not right yet"
    return Verdict(False, f"{said}{_where(wrong, right)}.")


def answer_key(numbers: object) -> str:
    """Return the key with which :func:`check_answer` compares, for a notebook's cell.

    ``numbers`` are those of the right answer, in any form that ``check_answer`` takes.

    Raises:
        ValueError: there is no number, or one that is not finite.

    >>> answer_key([])
    Traceback (most recent call last):
    ValueError: an answer has one finite number or more, and this one []
    """
    flat = list(_flat(numbers))
    if not flat or not all(map(math.isfinite, flat)):
        raise ValueError(
            f"an answer has one finite number or more, and this one {flat}"
        )
    data = struct.pack(f"<{len(flat)}d", *flat)
    return urlsafe_b64encode(struct.pack("<I", crc32(data)) + data).decode()


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


def _numbers_in(key: str) -> tuple[float, ...]:
    try:
        data = urlsafe_b64decode(key)
        (said,) = struct.unpack("<I", data[:4])
        if said == crc32(data[4:]):
            return struct.unpack(f"<{len(data[4:]) // 8}d", data[4:])
    except (ValueError, struct.error):
        pass
    raise ValueError("this key is damaged: copy the cell once more from the notebook")


def _flat(value: object) -> Iterator[float]:
    """Yield all numbers of a value, row by row; of a complex one both parts."""
    if hasattr(value, "detach"):
        value = value.detach()
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list | tuple):
        for part in value:
            yield from _flat(part)
    elif isinstance(value, complex):
        yield from (value.real, value.imag)
    elif isinstance(value, int | float):
        yield float(value)
    else:
        raise TypeError(f"{value!r:.60} is no number, and the question asks for some.")


def _is_rounded(right: float, given: float) -> bool:
    """Tell whether a number is right in all digits that it has, two or more.

    >>> _is_rounded(0.1966, 0.2), _is_rounded(0.1966, 0.20), _is_rounded(2.0596, 2.1)
    (False, False, True)
    """
    decimals = _DECIMALS.fullmatch(f"{given!r}".removesuffix(".0"))
    unit = 0.1 ** len(decimals[1]) if decimals else math.nan
    return abs(given) > 9.5 * unit and abs(right - given) < 0.51 * unit


def _count(number: int) -> str:
    return "is 1 number" if number == 1 else f"are {number} numbers"


def _where(wrong: Sequence[int], right: Sequence[float]) -> str:
    """Name the entries; a single number needs no name."""
    if len(right) == 1:
        return ""
    names = ", ".join(str(k + 1) for k in wrong)
    return f": {'entry' if len(wrong) == 1 else 'entries'} {names} of {len(right)}"
