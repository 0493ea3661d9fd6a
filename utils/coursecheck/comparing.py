"""Compute the sides of an equation, and compare each with every other."""

from __future__ import annotations

import itertools
from dataclasses import replace

import torch
from torch import Tensor

from coursecheck.algebra import evaluate, grown
from coursecheck.binding import Log, Names, UnboundError
from coursecheck.formulas import Equation, FormulaError, Node, is_fraction, walk
from coursecheck.slips import slip, written
from coursecheck.tokens import MEMBERSHIP

__all__ = ["FalseError", "bound", "compare", "derives", "is_literal"]

_CONDITION = "if this is a condition, put it in words, or mark it as law"
_NEAR = r"what is only near 0 is written \approx 0"
_SMALL = 1e-3
_COARSEST = 0.05  # of a value that was rounded on the way
_NOISE = 1e-12  # relative: what float64 may lose at the lesson's point, in one way
_BOUNDS = {"<": torch.lt, "<=": torch.le, ">": torch.gt, ">=": torch.ge, "!=": torch.ne}


class FalseError(FormulaError):
    """A statement that was computed and is not true."""


def compare(
    equation: Equation,
    scope: Names,
    rtol: float | None = None,
    *,
    anywhere: bool = False,
) -> float | None:
    """Return the largest relative difference of any two members.

    Raise :class:`FalseError` when two of them differ by more than the precision
    of the code's tensors and of the written digits.  With ``anywhere``, return
    None where a member has no finite value.
    """
    members = _members(equation, scope)
    tensors = [member.value.tensor for member in members]
    if anywhere and not all(bool(t.isfinite().all()) for t in tensors):
        return None
    exact = rtol is None and not anywhere and "≈" not in equation.relations
    if rtol is None:
        rtol = max(1e-9, 16 * scope.log.eps)
        for member in members:
            member.refuse_too_many_digits(rtol)
    members.sort(key=lambda member: -member.weight)  # the truth first
    pairs = itertools.combinations(members, 2)
    worst = max(_difference(a, b, rtol, exact=exact) for b, a in pairs)
    scope.log.witnesses.update(m.label for m in members if m.label != "autograd")
    return worst


def bound(left: Equation, sign: str, right: Equation, scope: Names) -> None:
    """Compare the last of one run of equals with the first of the next.

    Raise :class:`FalseError` when the relation does not hold for each entry.
    """
    if sign in MEMBERSHIP.values():
        _member_of(left, sign, right.members[0], scope)
        return
    stated, truth = _members(left, scope)[-1], _members(right, scope)[0]
    a, b = _shaped(stated, truth), _shaped(truth, stated)
    if a.ndim and b.ndim and a.shape != b.shape:
        raise _false(stated, truth, a, b)
    if a.is_complex() or b.is_complex():
        raise FormulaError("complex numbers have no order", stated.node.at)
    near = torch.isclose(a, b, rtol=max(1e-9, 16 * scope.log.eps), atol=0.0)
    holds = _BOUNDS[sign](a, b)
    holds = holds | near if "=" in sign[1:] and sign != "!=" else holds & ~near
    if not bool(holds.all()):
        false = _false(stated, truth, a, b, slips=False)
        raise FalseError(f"{false}\n  {_CONDITION}", false.at)
    scope.log.witnesses.update((stated.label, truth.label))
    scope.log.here = True


def _member_of(left: Equation, sign: str, of: Node, scope: Names) -> None:
    """Tell whether a value is of a set; of a space, whether it has its shape."""
    member = _members(left, scope)[-1]
    value = member.value.tensor
    if of.op == "space":
        above = "".join(f", and {n} is {k} above" for n, k in scope.lengths.items())
        found = f"shape {tuple(value.shape)}{above}"
        holds = _is_of_space(value, of, scope)
    else:
        ends = [evaluate(node, scope).tensor for node in of.args]
        holds, found = _is_between(value, ends, of), written(value)
        scope.log.here = True
    if holds != (sign == "∈"):
        said = " ".join(left.text.split())
        message = f"  {'stated':<11} {said}\n  {member.label:<11} {found}"
        raise FalseError(message, member.node.at)
    scope.log.witnesses.add(member.label)


def _is_of_space(value: Tensor, of: Node, scope: Names) -> bool:
    """Compare shapes; a letter without a value has the first size that it meets."""
    letter, sizes = of.args
    if value.is_complex() and letter != "C":
        return False
    whole = letter in "RC" or bool((value == value.round()).all())
    if not whole or (letter == "N" and bool((value < 0).any())):
        return False
    if len(sizes) != value.ndim:
        return False
    for size, length in zip(sizes, value.shape, strict=True):
        if _is_any(size, scope):
            scope.lengths.setdefault(size.args[0], length)
    known = {name: torch.tensor(float(k)) for name, k in scope.lengths.items()}
    return [_size(size, scope.bind(known)) for size in sizes] == [*value.shape]


def _is_any(size: Node, scope: Names) -> bool:
    return size.op == "name" and not scope.knows(size.args[0])


def _size(node: Node, scope: Names) -> float:
    try:
        size = evaluate(node, scope).tensor
    except UnboundError as error:
        why = f"{error.name} has no value here: give it one, or write one letter alone"
        raise FormulaError(why, node.at) from error
    if size.numel() != 1 or size.is_complex():
        raise FormulaError("a size is one real number", node.at)
    return float(size)


def _is_between(value: Tensor, ends: list[Tensor], of: Node) -> bool:
    if any(end.ndim for end in ends) or (of.op != "set" and len(ends) != 2):
        raise FormulaError(r"write \{0, 1\} for a set, [0, 1] for an interval", of.at)
    if of.op == "set":
        near = [torch.isclose(value, end.to(value.dtype)) for end in ends]
        return bool(torch.stack(near).any(0).all())
    low, high = ends
    inside = (low < value) & (value < high)
    if of.op == "closed":
        inside |= torch.isclose(value, low) | torch.isclose(value, high)
    return bool(inside.all())


def _members(equation: Equation, scope: Names) -> list[_Member]:
    return [_Member(equation, k, scope) for k in range(len(equation.members))]


class _Member:
    """One side of an equation, computed; ``slack`` is what its digits leave open."""

    def __init__(self, equation: Equation, k: int, scope: Names) -> None:
        self.node, self.equation = equation.members[k], equation
        self._scope, node = scope, self.node
        if letters := scope.free(equation.letters):
            of = letters, node, equation.members, equation.spans
            node = Node("each", of, node.at)
        self.value = evaluate(node, scope)
        literal = is_literal(self.node)
        self.each = node.op == "each" and literal and self.node.op != "tuple"
        rounded = literal or (k and equation.relations[k - 1] == "≈")
        self.slack = torch.zeros(())
        for number in walk(self.node) if rounded else ():
            if number.op == "number" and "." in number.args[0]:
                half = 0.5 * 10.0 ** -len(number.args[0].split(".")[1])
                nudged = replace(scope, nudged=(number.at, half), log=Log())
                moved = evaluate(node, nudged).tensor
                self.slack = self.slack + (moved - self.value.tensor).abs()
        size = self.value.tensor.abs()[self.value.tensor.isfinite()]
        if not literal and size.numel():  # 100 \cdot 0.0 is not about 4
            self.slack = torch.minimum(self.slack, _COARSEST * size.max())
        self.label, self.weight = self._role(literal, scope)
        self.sizes = scope.sizes(self.node)

    def _role(self, literal: bool, scope: Names) -> tuple[str, int]:
        """Return as what witness it speaks, and how far it is to be believed."""
        if derives(self.node):
            return "differences" if scope.stencil else "autograd", 4
        names = self.node.names if self.node.op in ("name", "index") else ()
        if names and scope.live(names[0]) is not None:
            return "code", 3
        return ("digits", 0) if literal else ("closed form", 1)

    @property
    def finest(self) -> float:
        """Return to what part of itself a number of the code can be told."""
        return max(_NOISE, 16 * self._scope.log.eps)

    def near_zero(self, rtol: float) -> float:
        """Return how far from 0 it may be where 0 is stated of it.

        A formula that cancels leaves what its numbers are too coarse for.  What the
        code or its graph has is 0, or is not: a gradient that vanishes is small.
        """
        if self.label != "closed form":
            return _NOISE if self._scope.log.eps < _NOISE else 0.0
        lives = map(self._scope.live, self._scope.closure(self.node))
        sizes = (
            float(x.abs().max()) for x in lives if isinstance(x, Tensor) and x.numel()
        )
        return rtol * min(1.0, max(sizes, default=1.0))

    def refuse_too_many_digits(self, rtol: float) -> None:
        """Refuse digits that the code's tensors are too coarse to confirm."""
        fine = (self.slack > 0) & (self.slack < 2 * rtol * self.value.tensor.abs())
        if bool(fine.any()):
            raise FormulaError(
                "the code's numbers are too coarse to confirm so many digits:"
                " compute in float64, or state fewer",
                self.node.at,
            )


def _difference(a: _Member, b: _Member, rtol: float, *, exact: bool) -> float:
    """Return how far a (stated) is from b (the truth), or raise.

    Two ways of computing a small slope may lose half of its digits; digits that are
    written have lost none, and where it is ``exact``, a 0 that is stated is one.
    """
    exact &= a.label == "digits"
    if exact:
        rtol = a.finest
    stated, truth = _shaped(a, b), _shaped(b, a)
    dtype = torch.promote_types(stated.dtype, truth.dtype)
    stated, truth = stated.to(dtype), truth.to(dtype)
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
        if exact and not float(stated.abs().max()):
            rtol = b.near_zero(rtol)
    gap = (stated - truth).abs()
    allowed = a.slack + b.slack + rtol * (size + 0.1 * largest)
    if not bool((same | (gap.isfinite() & (gap <= allowed))).all()):
        raise _false(a, b, stated, truth)
    return float(torch.where(same, 0.0, gap).max()) / (largest or 1.0)


def _shaped(one: _Member, other: _Member) -> Tensor:
    """Let open sizes, a bare 0 and written columns take the other's shape."""
    shape = other.value.tensor.shape
    tensor = grown(one.value, shape, one.node.at).tensor
    if one.node == Node("number", ("0",)) and other.value.grow is None:
        return torch.zeros(shape, dtype=tensor.dtype)
    column = one.value.row or one.node.op == "matrix"
    column &= is_literal(one.node) and 1 in (*shape, *tensor.shape)
    fits = tensor.numel() == shape.numel() and (column or not tensor.ndim)
    if one.each and shape[: tensor.ndim] == tensor.shape:  # z_i = 27, of a matrix
        more = [1] * (len(shape) - tensor.ndim)
        return tensor.reshape(*tensor.shape, *more).expand(shape)
    return tensor.reshape(shape) if fits else tensor


def _false(
    a: _Member, b: _Member, stated: Tensor, truth: Tensor, *, slips: bool = True
) -> FalseError:
    fine = 7 if written(stated) != written(truth) else 16  # digits
    lines = (
        f"{'stated':<11} {' '.join(a.equation.text.split())}",
        f"{a.label:<11} {written(stated, fine)}",
        f"{b.label:<11} {written(truth, fine)}",
        slip(stated, truth, a.sizes | b.sizes) if slips and fine == 7 else "",
        _hint(a.node, b.node, differ=stated.shape != truth.shape) if slips else "",
        _NEAR if slips and _is_near_zero(stated, truth) else "",
    )
    return FalseError("\n".join(f"  {line}" for line in lines if line), a.node.at)


def _is_near_zero(stated: Tensor, truth: Tensor) -> bool:
    return not bool(stated.any()) and bool((truth.abs() < _SMALL).all())


def _hint(*sides: Node, differ: bool) -> str:
    """Say what else may be meant, above all where the shapes differ."""
    dotted = [n for n in walk(sides) if n.op == "dot"]
    slopes = [n for n in walk(sides) if n.op == "derivative" and n.args[0] == "partial"]
    if bars := [n for n in walk(sides) if n.op == "bar"]:
        name = bars[0].args[0]
        mean = rf"a mean is \operatorname{{mean}}({name})"
        return rf"\bar {name} is the adjoint of {name} here; {mean}"
    if not differ:
        return ""
    if slopes:
        return r"for each entry by its own write \frac{\partial y_i}{\partial x_i}"
    return r"for the product of each element write \odot" if dotted else ""


def derives(item: object) -> bool:
    """Tell whether there is a derivative in a node or in some."""
    return any(n.op in ("derivative", "bar", "prime") for n in walk(item))


def is_literal(node: Node) -> bool:
    """Tell whether a member is written-out numbers: ``3.7 \\cdot 10^{-3}`` too."""
    if node.op in ("times", "dot"):
        number, power = node.args
        ten = power.op == "power" and power.args[0] == Node("number", ("10",))
        return ten and is_literal(number) and is_literal(power.args[1])
    if node.op == "over":
        return is_fraction(node)
    if node.op == "matrix":
        return all(is_literal(entry) for row in node.args for entry in row)
    one = node.op == "transpose" or (node.op == "minus" and len(node.args) == 1)
    one |= node.op == "tuple"
    return node.op == "number" or (one and all(map(is_literal, node.args)))
