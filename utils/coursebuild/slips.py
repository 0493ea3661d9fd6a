"""Say how a stated value departs from the computed one, and what slip would do so."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor

__all__ = ["slip", "written"]

_FACTORS = {
    2.0: "the factor 2 is too much",
    0.5: "the factor 2 is missing",
    -1.0: "the sign is wrong",
    -2.0: "the sign and the factor 2 are wrong",
    -0.5: "the sign is wrong and the factor 2 is missing",
}


def written(value: Tensor) -> str:
    """Write a tensor as the text would, vectors as tuples.

    >>> written(torch.tensor([0.0, 3.5]))
    '(0, 3.5)'
    """
    if value.ndim == 0:
        number = value.item()
        return f"{number:.7g}" if isinstance(number, float) else str(number)
    items = [written(item) for item in value[:8]]
    return f"({', '.join(items + ['…'] * (len(value) > 8))})"


def slip(stated: Tensor, computed: Tensor) -> str:
    """Name the first wrong number, and the common slip that explains the rest.

    >>> slip(torch.tensor([0.0, 28.0]), torch.tensor([0.0, 27.0]))
    'the number at index 1 is wrong: 28, not 27'
    >>> slip(torch.tensor([2.0, 3.0]), torch.tensor([4.0, 6.0]))
    'the factor 2 is missing'
    """
    if stated.shape != computed.shape:
        turned = stated.ndim == 2 and _same(stated.T, computed)
        return (
            f"the shape is {tuple(stated.shape)}, not {tuple(computed.shape)}"
            + "; it is transposed" * turned
            + r"; for the same number everywhere write \mathbf 1" * (not stated.ndim)
        )
    wrong = (~torch.isclose(stated, computed, rtol=1e-6)).nonzero().tolist()
    if stated.ndim and len(wrong) == 1 and stated.numel() > 1:
        return _first(stated, computed, wrong[0])
    if stated.ndim == 2 and _same(stated.T, computed):
        return "it is transposed"
    if stated.ndim == 1:
        for shift in (1, -1):
            if _same(stated.roll(shift), computed):
                return "each number stands one index off: we count from 0"
    factor = _factor(stated, computed)
    if factor is not None:
        return factor
    return _first(stated, computed, wrong[0]) if stated.ndim and wrong else ""


def _same(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and torch.allclose(a, b, rtol=1e-4)


def _first(stated: Tensor, computed: Tensor, place: list[int]) -> str:
    index = ", ".join(map(str, place))
    a, b = (written(t[tuple(place)]) for t in (stated, computed))
    return f"the number at index {index} is wrong: {a}, not {b}"


def _factor(stated: Tensor, computed: Tensor) -> str | None:
    used = computed.abs() > 1e-12
    if not used.any() or stated.is_complex() or computed.is_complex():
        return None
    factor = float((stated[used] / computed[used]).flatten()[0])
    if factor == 0 or not _same(stated, factor * computed):
        return None
    for known, text in _FACTORS.items():
        if abs(factor - known) < 1e-4:
            return text
    sizes = {
        n
        for k in (1, 2)
        for s in itertools.combinations(stated.shape, k)
        for n in (torch.Size(s).numel(),)
    }
    for n in sizes:
        if abs(factor * n - 1) < 1e-4 or abs(factor / n - 1) < 1e-4:
            return f"it is {factor:.4g} times the right one: a mean for a sum?"
    return f"it is {factor:.4g} times the right one" if stated.ndim else ""
