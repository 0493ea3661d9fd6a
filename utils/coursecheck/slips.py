"""Say how a stated value departs from the computed one, and what slip would do so."""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import Tensor

__all__ = ["slip", "written"]

_FACTORS = {2.0: "the factor 2 is too much", 0.5: "the factor 2 is missing"}
_FACTORS |= {-1.0: "the sign is wrong"}


def written(value: Tensor, digits: int = 7) -> str:
    """Write a tensor as the text would, vectors as tuples, to so many ``digits``.

    >>> written(torch.tensor([0.0, 3.5]))
    '(0, 3.5)'
    """
    if value.ndim == 0:
        number = value.item()
        return f"{number:.{digits}g}" if isinstance(number, float) else str(number)
    items = [written(item, digits) for item in value[:8]]
    return f"({', '.join(items + ['…'] * (len(value) > 8))})"


def slip(stated: Tensor, computed: Tensor, sizes: Collection[int] = ()) -> str:
    """Name the common slip that explains the difference, or the first wrong number.

    >>> slip(torch.tensor([0.0, 28.0]), torch.tensor([0.0, 27.0]))
    'the number at index 1 is wrong: 28, not 27'
    >>> slip(torch.tensor([2.0, 3.0]), torch.tensor([4.0, 6.0]))
    'the factor 2 is missing'

    A mean is taken for a sum where they differ by a number of ``sizes``, or 1 over it.
    """
    if stated.ndim == 2 and _same(stated.T, computed):
        return "it is transposed"
    if stated.shape != computed.shape:
        shapes = f"the shape is {tuple(stated.shape)}, not {tuple(computed.shape)}"
        everywhere = r"; for the same number everywhere write \mathbf 1"
        return shapes + everywhere * (not stated.ndim)
    wrong = (~torch.isclose(stated, computed, rtol=1e-6)).nonzero().tolist()
    if stated.ndim == 1 and any(_same(stated.roll(k), computed) for k in (1, -1)):
        return "each number stands one index off: we count from 0"
    if (len(wrong) != 1 or not stated.ndim) and not stated.is_complex():
        factor = (stated / computed).nan_to_num(0, 0, 0).flatten()
        factor = factor[factor.abs().argmax()]
        if factor and _same(stated, factor * computed):
            return _FACTORS.get(round(factor.item(), 4)) or (
                f"it is {written(factor)} times the right one"
                + ": a mean for a sum?" * _is_size(factor.item(), sizes)
            )
    if not stated.ndim or not wrong:
        return ""
    a, b = (written(t[tuple(wrong[0])]) for t in (stated, computed))
    return f"the number at index {', '.join(map(str, wrong[0]))} is wrong: {a}, not {b}"


def _is_size(factor: float, sizes: Collection[int]) -> bool:
    ratio = max(abs(factor), 1 / abs(factor))
    return factor > 0 and any(n > 1 and abs(ratio / n - 1) < 1e-4 for n in sizes)


def _same(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and torch.allclose(a, b, rtol=1e-4)
