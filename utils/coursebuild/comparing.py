"""Compute the sides of an equation, and compare each with every other."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from coursebuild.algebra import Value, each, evaluate, free_indices, grown, ranges, walk
from coursebuild.binding import Log, Names, names_in
from coursebuild.formulas import Equation, FormulaError, Node
from coursebuild.slips import slip, written

__all__ = ["FalseError", "compare", "derives", "is_literal"]

_LITERAL = {"number", "minus", "tuple", "matrix", "transpose"}


class FalseError(FormulaError):
    """A statement that was computed and is not true."""


def compare(
    equation: Equation, scope: Names, rtol: float | None = None
) -> float | None:
    """Return the largest relative difference of any two members.

    Raise :class:`FalseError` when two of them differ by more than the precision
    of the code's tensors and of the written digits.  Where the scope has been
    moved and a member has no finite value there, the answer is None.
    """
    members = [_Member(equation, k, scope) for k in range(len(equation.members))]
    tensors = [member.value.tensor for member in members]
    if scope.moved and not all(bool(t.isfinite().all()) for t in tensors):
        return None
    if rtol is None:
        rtol = max(1e-9, 16 * scope.log.eps)
        for member in members:
            member.refuse_too_many_digits(rtol)
    members.sort(key=lambda member: -member.weight)  # the truth first
    pairs = itertools.combinations(members, 2)
    worst = max(_difference(stated, truth, rtol) for truth, stated in pairs)
    scope.log.witnesses.update(m.label for m in members if m.label != "autograd")
    return worst


class _Member:
    """One side of an equation, computed."""

    def __init__(self, equation: Equation, k: int, scope: Names) -> None:
        self.node = equation.members[k]
        self.equation = equation
        letters = free_indices(equation.members)
        spans = ranges(letters, equation.members, scope) if letters else []
        self.value = _indexed(self.node, letters, spans, scope)
        rounded = is_literal(self.node) or (k and equation.relations[k - 1] == "≈")
        self.slack = torch.zeros(())
        for number in walk(self.node) if rounded else ():
            if number.op == "number" and "." in number.args[0]:
                half = 0.5 * 10.0 ** -len(number.args[0].split(".")[1])
                nudged = replace(scope, nudged=(number.at, half), log=Log())
                moved = _indexed(self.node, letters, spans, nudged)
                self.slack = self.slack + (moved.tensor - self.value.tensor).abs()

        derived = derives([self.node])
        live = (
            self.node.op in ("name", "index")
            and scope.live(names_in([self.node])[0]) is not None
        )
        self.weight = 3 * derived + 2 * live + (not is_literal(self.node))
        kinds = (derived, "autograd"), (live, "code"), (is_literal(self.node), "digits")
        self.label = next((label for is_it, label in kinds if is_it), "closed form")
        if derived and scope.numeric:
            self.label = "differences"

    def refuse_too_many_digits(self, rtol: float) -> None:
        """Refuse digits that the code's tensors are too coarse to confirm."""
        fine = (self.slack > 0) & (self.slack < 2 * rtol * self.value.tensor.abs())
        if bool(fine.any()):
            raise FormulaError(
                "the code's numbers are too coarse to confirm so many digits:"
                " compute in float64, or state fewer",
                self.node.at,
            )


def _indexed(
    node: Node, letters: tuple[str, ...], spans: list[range], scope: Names
) -> Value:
    if not letters:
        return evaluate(node, scope)
    terms = each(letters, spans, node, scope)
    return Value(torch.stack([torch.as_tensor(t) for t in terms]))


def _difference(a: _Member, b: _Member, rtol: float) -> float:
    """Return how far a (stated) is from b (the truth), or raise."""
    stated, truth = _same_shape(a, b)
    if stated.shape != truth.shape:
        raise _false(a, b, stated, truth)
    same = (stated == truth) | (stated.isnan() & truth.isnan())
    if bool(same.all()):
        return 0.0
    size = torch.maximum(stated.abs(), truth.abs())
    largest = float(size[size.isfinite()].max()) if size.isfinite().any() else 0.0
    if not float(stated.abs().max()) or not float(truth.abs().max()):
        largest = max(1.0, largest)  # a stated zero has no size of its own
        size = torch.ones_like(size) * (largest <= 1)
    gap = (stated - truth).abs()
    allowed = a.slack + b.slack + rtol * (size + 0.1 * largest)
    if not bool((same | (gap.isfinite() & (gap <= allowed))).all()):
        raise _false(a, b, stated, truth)
    return float(torch.where(same, 0.0, gap).max()) / (largest or 1.0)


def _same_shape(a: _Member, b: _Member) -> tuple[Tensor, Tensor]:
    """Let open sizes, a bare 0 and written columns take the other's shape."""
    pair = []
    for one, other in ((a, b), (b, a)):
        tensor = grown(one.value, other.value.tensor.shape, one.node.at).tensor
        shape = other.value.tensor.shape
        zero = one.node.op == "number" and one.node.args[0] == "0"
        if zero and other.value.grow is None:
            tensor = torch.zeros(shape, dtype=tensor.dtype)
        column = (
            one.value.row or one.node.op == "matrix"
        ) and 1 in tensor.shape + shape
        if tensor.numel() == shape.numel() and (
            not tensor.ndim
            or (is_literal(one.node) and column and 1 in (*shape, *tensor.shape))
        ):
            tensor = tensor.reshape(shape)
        pair.append(tensor)
    dtype = torch.promote_types(pair[0].dtype, pair[1].dtype)
    return pair[0].to(dtype), pair[1].to(dtype)


def _false(a: _Member, b: _Member, stated: Tensor, truth: Tensor) -> FalseError:
    source = " ".join(a.equation.text.split())
    lines = (
        f"{'stated':<11} {source}",
        f"{a.label:<11} {written(stated)}",
        f"{b.label:<11} {written(truth)}",
        slip(stated, truth),
    )
    return FalseError("\n".join(f"  {line}" for line in lines if line), a.node.at)


def derives(nodes: Any) -> bool:
    return any(n.op in {"derivative", "bar", "prime"} for n in walk(tuple(nodes)))


def is_literal(node: Node) -> bool:
    """Tell whether a member is written-out numbers: ``3.7 \\cdot 10^{-3}`` too."""
    if node.op in ("times", "dot"):
        power = node.args[1]
        ten = power.op == "power" and power.args[0].args == ("10",)
        return ten and is_literal(node.args[0]) and is_literal(power.args[1])
    if node.op == "over":
        return all(n.op == "number" and n.args[0].isdigit() for n in node.args)
    if node.op == "minus" and len(node.args) == 2:
        return False
    below = [n for n in _flat(node.args) if isinstance(n, Node)]
    return node.op in _LITERAL and all(is_literal(n) for n in below)


def _flat(items: tuple[Any, ...]) -> Iterator[Any]:
    for item in items:
        yield from item if isinstance(item, tuple) else (item,)
