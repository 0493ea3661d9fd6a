"""Check a student's numbers against those of an answer, without showing these."""

from __future__ import annotations

import math
import re
import reprlib
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from types import EllipsisType
from typing import SupportsFloat
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
    above 1 by a thousandth of the right one.  ``...`` is no answer yet.  Whatever else
    an answer is, it gets a verdict, and no traceback.

    The verdict says which numbers are wrong, and never a right one.  ``key`` is what
    :func:`answer_key` returns: the numbers in another notation, so that nobody reads
    them by accident.  It is no secret, and whoever wants to can read it.

    Raises:
        ValueError: the key is damaged.

    >>> key = answer_key([0, 4, 8])
    >>> check_answer([0, 4, 7], key)
    ✗ Not right yet: the 3rd of 3 numbers.
    >>> check_answer([0, 4, 8.001], key)
    ✓ Right: all 3 numbers.
    """
    right = _numbers_in(key)
    if isinstance(answer, EllipsisType):
        return Verdict(False, "No answer yet: write yours in place of the dots.")
    try:
        given = list(_flat(answer))
    except _NoNumberError as error:
        return Verdict(False, str(error))
    except Exception:  # an object may raise what it likes when it is read
        return Verdict(False, "This cannot be read: write numbers, as in [1, 2.5].")
    if len(given) != len(right):
        said = f"Here {_count(len(given))}, and this cell compares {len(right)}."
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
        value = value.detach().to_dense()
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list | tuple | range):
        for part in value:
            yield from _flat(part)
    elif isinstance(value, complex):
        yield from (value.real, value.imag)
    elif isinstance(value, SupportsFloat) and not isinstance(value, bool):
        yield float(value)
    else:
        raise _NoNumberError(value)


class _NoNumberError(TypeError):
    """An answer holds something else than numbers."""

    def __init__(self, value: object) -> None:
        match value:
            case EllipsisType():
                said = "Dots are left: write a number in place of them."
            case str():
                said = f"{reprlib.repr(value)} is text: leave out the quotes."
            case _:
                said = f"{reprlib.repr(value)} is no number: write as in [1, 2.5]."
        super().__init__(said)


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
    """Name the places; a single number needs no name.

    >>> _where([0, 10, 21], range(30))
    ': the 1st, 11th, 22nd of 30 numbers'
    """
    if len(right) == 1:
        return ""
    names = ", ".join(_ordinal(place + 1) for place in wrong)
    return f": the {names} of {len(right)} numbers"


def _ordinal(number: int) -> str:
    ends = {} if number // 10 % 10 == 1 else {1: "st", 2: "nd", 3: "rd"}
    return f"{number}{ends.get(number % 10, 'th')}"
