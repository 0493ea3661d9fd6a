"""Numbers out of tensors, and their text: one rule for every drawing."""

import math
import struct
import unicodedata
from typing import Any, TypeAlias

import torch

__all__ = [
    "KINDS",
    "Value",
    "added",
    "frozen",
    "kinds",
    "numbers",
    "plain",
    "show",
    "visible",
]

# None: not known.  A string: known to exist, in words.  Else the numbers.
Value: TypeAlias = str | bool | int | float | complex | tuple["Value", ...] | None
KINDS = ("nan", "inf")


def numbers(tensor: torch.Tensor, limit: int) -> Value:
    """Return a tensor's numbers, as nested tuples, when there are at most ``limit``.

    More numbers, or none that can be read (meta, fake, inside ``vmap``), come
    back as words.

    >>> numbers(torch.ones(2), 2), numbers(torch.ones(2), 1), numbers(torch.ones(()), 0)
    ((1.0, 1.0), '2 numbers', '1 number')
    """
    try:
        if tensor.is_meta:
            return "no data (meta)"
        if tensor.is_nested:
            parts = [u.detach() for u in tensor.unbind()]
            if sum(u.numel() for u in parts) <= limit:
                return tuple(frozen(u.tolist()) for u in parts)
            return "nested numbers"
        if (count := tensor.numel()) > limit:
            return f"{count} number{'s' * (count > 1)}"
        if tensor.layout is not torch.strided:
            tensor = tensor.detach().to_dense()
        return frozen(tensor.tolist())
    except (RuntimeError, NotImplementedError, TypeError, AttributeError) as error:
        return f"not readable ({type(error).__name__})"


def kinds(tensor: torch.Tensor) -> frozenset[str] | None:
    """Return which of nan and inf a tensor holds; None where it can't be read.

    >>> kinds(torch.tensor([1.0, -math.inf]))
    frozenset({'inf'})
    >>> kinds(torch.ones(2, device="meta"))
    """
    try:
        parts = tensor.unbind() if tensor.is_nested else (tensor,)
        with torch.no_grad():
            whole = [p.detach() for p in parts]
            dense = [p if p.layout is torch.strided else p.to_dense() for p in whole]
            nan = any(bool(p.isnan().any()) for p in dense)
            inf = any(bool(p.isinf().any()) for p in dense)
    except (RuntimeError, NotImplementedError, TypeError, AttributeError):
        return None
    return frozenset(k for k, there in zip(KINDS, (nan, inf), strict=True) if there)


def frozen(value: list[Any] | complex) -> Value:  # torch gives tolist() no type
    """Return what ``tolist`` gave with tuples instead of lists."""
    if not isinstance(value, list):
        return value
    nested = value and isinstance(value[0], list)
    return tuple(map(frozen, value)) if nested else tuple(value)


def added(a: Value, b: Value, dtype: str) -> Value:
    """Return the sum of two values as their type rounds it, and overflows.

    >>> added((256.0,), (1.0,), "bfloat16"), added(3e38, 3e38, "float32")
    ((256.0,), inf)
    """
    if isinstance(a, tuple) and isinstance(b, tuple):
        return tuple(added(x, y, dtype) for x, y in zip(a, b, strict=True))
    if not (isinstance(a, complex | float) and isinstance(b, complex | float)):
        return b if isinstance(b, str) else a
    kind = getattr(torch, dtype, None)
    return (
        a + b if kind is None else torch.tensor(a + b, dtype=kind, device="cpu").item()
    )


def show(value: Value, width: int = 44) -> str:
    """Return a value as text of at most about ``width`` characters.

    Whole numbers are exact, others have four digits; what is too long loses numbers
    in its middle, never digits.  Each bracket that is left has its other one.

    >>> show((0.0, 1.0, 2.5)), show(1 / 3), show(204800.0), show("300 numbers")
    ('[0, 1, 2.5]', '0.3333', '204800', '300 numbers')
    """
    text = _text(value)
    if len(text) <= width:
        return text
    if not isinstance(value, tuple):
        return text[: width // 2] + " … " + text[-8:]
    first = text[: width // 2].rpartition(", ")[0]
    last = text[-width // 3 :].partition(", ")[2] or text.rpartition(", ")[2]
    while (inside := _depth(first)) != (left := -_depth(last)):  # a row was cut
        if inside < left and ", " in first:
            first = first.rpartition(", ")[0]
        elif inside > left and ", " in last:
            last = last.partition(", ")[2]
        else:
            break
    return f"{first}, …, {last}"


def _depth(text: str) -> int:
    return text.count("[") - text.count("]")


def _text(value: Value) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_text, value)) + "]"
    if isinstance(value, float) and 1e4 <= abs(value) < 1e7 and value.is_integer():
        return str(int(value))
    return f"{value:.4g}" if isinstance(value, float | complex) else str(value)


def plain(value: object, dtype: str = "") -> object:
    """Return a value as JSON can hold it: shortest float32, words for nan and inf."""
    if isinstance(value, tuple):
        return [plain(v, dtype) for v in value]
    if isinstance(value, complex):
        return str(value)
    if not isinstance(value, float):
        return value
    if not math.isfinite(value):
        return str(value)
    if value.is_integer() and abs(value) < 1e15 and str(value) != "-0.0":
        return int(value)  # which has no negative zero
    return _shortest(value) if dtype == "float32" else value


def _shortest(value: float) -> float:
    for digits in (6, 7, 8):
        short = float(f"{value:.{digits}g}")
        if struct.pack("f", short) == struct.pack("f", value):
            return short
    return value


def visible(text: str) -> str:
    r"""Return text in which what cannot be seen is spelled out.

    >>> visible("a\x00b\u202ec")
    'a\\x00b\\u202ec'
    """
    if text.isprintable():
        return text
    return "".join(c if _printable(c) else ascii(c)[1:-1] for c in text)


def _printable(char: str) -> bool:
    if char in "\u200d\ufffe\uffff":  # the joiner of emoji stays; XML forbids two
        return char == "\u200d"
    return unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Zl", "Zp")
