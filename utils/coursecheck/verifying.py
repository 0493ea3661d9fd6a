"""Decide whether an equation is true: at the lesson's point, elsewhere, and in slope.

A formula that is right for one set of numbers may be wrong as a formula.  So it is
tried at random points where the text says enough to go there, and where it gives
the value of a live tensor, its derivatives are compared with those of the graph.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import pairwise

import torch
from torch import Tensor

from coursecheck.algebra import evaluate
from coursecheck.binding import Log, Names, UnboundError
from coursecheck.comparing import FalseError, bound, compare, derives, is_literal
from coursecheck.formulas import Equation, FormulaError, Node, names_in, walk

__all__ = ["STENCILS", "verify"]

_POINTS = 3  # random points at which a formula is tried
_TRIES = 12  # to find points where it has a value
_LARGEST = 64  # entries of a higher derivative that is compared
_NUMERIC = 1e-5  # relative: what central differences are good for
STENCILS = (  # the first is cheapest; a steep power needs one of the others
    (1e-4, (1 / 2,)),
    (1e-4, (2 / 3, -1 / 12)),
    (1e-5, (2 / 3, -1 / 12)),
)
_Move = Callable[[Names, Mapping[str, Tensor]], Names]


def verify(equation: Equation, scope: Names, seed: int) -> float:
    """Compare all members; return the largest relative difference.

    ``scope.log`` tells which witnesses have spoken, and whether a formula was tried
    at this point only.  Raise :class:`FalseError` for a false equation,
    :class:`FormulaError` for one that cannot be decided.
    """
    runs = equation.runs
    for left, sign, right in zip(runs, equation.bounds, runs[1:], strict=False):
        bound(left, sign, right, scope)
    chains = [run for run in runs if run.relations]
    return max((_verify(run, scope, seed) for run in chains), default=0.0)


def _verify(equation: Equation, scope: Names, seed: int) -> float:
    random = torch.Generator().manual_seed(seed)
    free: dict[str, Tensor] = {}
    while True:
        try:
            worst = compare(equation, scope.bind(free), anywhere=bool(free)) or 0.0
            break
        except UnboundError as unbound:
            if unbound.name in free or unbound.name not in _params(equation, scope):
                raise
            free[unbound.name] = _draw(torch.tensor(1.0), random, 0)
    if free:
        scope.log.witnesses.add("random points")
        worst = _try(equation, scope, free, Names.bind, random)
    elsewhere = bool(free)
    if derives(equation.members):
        _try_differences(equation, scope.bind(free))
        elsewhere = elsewhere or _try_elsewhere(equation, scope, random)
    elif not free:
        elsewhere = _try_slopes(equation, scope) or _holds(equation, scope, random)
    formulas = [
        m
        for m in equation.members
        if m.op != "entries" and any(map(scope.knows, names_in(m)))
    ]
    scope.log.here |= len(formulas) > 1 and not elsewhere
    return worst


def _params(equation: Equation, scope: Names) -> set[str]:
    """Return the names that stand for any number."""
    texts = (d for k, d in scope.definitions.items() if scope.live(k) is None)
    names = {p for d in texts for p in d.params}
    head = equation.members[0]
    if head.op in ("call", "prime"):
        names |= set(names_in(head.args[-1]))
    return names


# As a formula


def _try_differences(equation: Equation, scope: Names) -> None:
    """Ask finite differences where autograd has spoken of the text's own formula."""
    if "autograd of the formula" in scope.log.witnesses:
        numeric = replace(scope, stencil=STENCILS[0])
        has_value = [_has_value(m, equation, numeric) for m in equation.members]
        known = [k for k, has in enumerate(has_value) if has]
        if len(known) < 2:
            return
        signs = (equation.relations[a:b] for a, b in pairwise(known))
        kept = replace(
            equation,
            members=tuple(equation.members[k] for k in known),
            relations=tuple(max(sign) for sign in signs),  # "≈" goes before "="
        )
        _compare_numerically(kept, scope)
        scope.log.witnesses.add("finite differences")


def _has_value(member: Node, equation: Equation, scope: Names) -> bool:
    """Tell whether the text says enough to compute a member from its formula."""
    twice = replace(equation, members=(member, member), relations=("=",))
    try:
        compare(twice, replace(scope, log=Log()), _NUMERIC)
    except FormulaError:
        return False
    return True


def _try_elsewhere(equation: Equation, scope: Names, random: torch.Generator) -> bool:
    """Move the leaves, and ask finite differences; tell whether that was possible."""
    formulas = tuple(
        m for m in equation.members if derives(m) or any(map(scope.knows, names_in(m)))
    )
    leaves = _leaves(equation.members, scope)
    if not leaves or len(formulas) < 2:
        return False
    kept = replace(equation, members=formulas, relations=("=",) * len(formulas))
    try:
        _try(kept, scope, leaves, Names.move, random, _compare_numerically)
        scope.log.witnesses.add("finite differences")
        return True
    except FalseError:
        tensors = [scope.live(name) for name in scope.closure(equation.members)]
        if all(t.requires_grad for t in tensors if isinstance(t, Tensor)):
            raise  # else one of them may be a detached value of the others
    except FormulaError:
        pass  # the text does not say enough to move, or leads to no number
    return False


def _holds(equation: Equation, scope: Names, random: torch.Generator) -> bool:
    """Tell whether formulas of leaves are equal elsewhere too; they need not be."""
    formulas = tuple(m for m in equation.members if not is_literal(m))
    leaves = _leaves(formulas, scope)
    named = any(m.op in ("name", "index", "placed") for m in formulas)
    if named or not leaves or len(formulas) < 2:
        return False
    signs = ("=",) * (len(formulas) - 1)
    kept = replace(equation, members=formulas, relations=signs)
    try:
        _try(kept, replace(scope, log=Log()), leaves, Names.move, random)
    except FormulaError:
        return False
    scope.log.witnesses.add("random points")
    return True


def _try(
    equation: Equation,
    scope: Names,
    like: Mapping[str, Tensor],
    go: _Move,
    random: torch.Generator,
    look: Callable[..., float | None] = compare,
) -> float:
    """Compare at random points where the formulas have a value."""
    found: list[float | FalseError] = []
    for k in range(_TRIES):
        point = go(scope, {name: _draw(t, random, k) for name, t in like.items()})
        try:
            difference = look(equation, point, anywhere=True)
        except FalseError as error:
            found.append(error)
        else:
            found += [] if difference is None else [difference]
        if len(found) == _POINTS:
            break
    false = [f for f in found if isinstance(f, FalseError)]
    if len(false) > (look is not compare):  # a kink may lie between two differences
        text = f"  true here, but not as a formula:\n{false[0]}"
        raise FalseError(text, false[0].at)
    if not found:
        raise FormulaError("found no number where this has a value", equation.start)
    return max(f for f in found if not isinstance(f, FalseError))


def _compare_numerically(
    equation: Equation, scope: Names, *, anywhere: bool = False
) -> float | None:
    """Compare with central differences: one that agrees is enough."""
    for stencil in STENCILS:
        numeric = replace(scope, stencil=stencil, log=Log(eps=scope.log.eps))
        try:
            return compare(equation, numeric, _NUMERIC, anywhere=anywhere)
        except FalseError as error:
            false = error
    raise false


def _draw(like: Tensor, random: torch.Generator, k: int) -> Tensor:
    """Draw a point, every other time one where roots and ln have a value."""
    if like.is_complex():
        return torch.complex(_draw(like.real, random, k), _draw(like.imag, random, k))
    uniform = torch.rand(like.shape, generator=random, dtype=torch.float64)
    return 4 * uniform - 2 if k % 2 else 0.4 + 1.6 * uniform


def _leaves(item: object, scope: Names) -> dict[str, Tensor]:
    """Return what can be moved: leaves, and what is differentiated by."""
    derivatives = [node for node in walk(item) if node.op == "derivative"]
    targets = names_in([node.args[2] for node in derivatives])
    lives = {name: scope.live(name) for name in scope.closure(item)}
    return {
        name: live
        for name, live in lives.items()
        if isinstance(live, Tensor)
        and live.requires_grad
        and (live.is_leaf or name in targets)
    }


# In slope


def _try_slopes(equation: Equation, scope: Names) -> bool:
    """Compare a formula for a live tensor with the graph that made this tensor.

    Tell whether all could be compared.
    """
    compared = []
    for leaf, slopes in _slopes(equation, scope):
        try:
            if leaf not in scope.leaves(slopes.members[0].args[1].args[0]):
                raise FormulaError("the graph does not lead there", equation.start)
            compare(slopes, scope)
            scope.log.witnesses.add("autograd")
            compared.append(True)
        except FalseError as error:
            if _is_smooth(slopes.members[1], leaf, scope):
                text = (
                    f"  the value is right, but not how it changes with {leaf}: give"
                    f" what is detached a name of its own\n{error}"
                )
                raise FalseError(text, error.at) from error
            compared.append(False)
        except FormulaError:  # the graph is freed, or the text does not say enough
            compared.append(False)
    return bool(compared) and all(compared)


def _slopes(equation: Equation, scope: Names) -> Iterator[tuple[str, Equation]]:
    """Yield the derivatives of both, up to the third, by each leaf."""
    head, *members = equation.members
    name = head.args[0] if head.op in ("name", "call") else None
    each = scope.free(equation.letters) if head.op == "index" else ()
    if each and head.args[1] == tuple(Node("name", (k,)) for k in each):
        name = head.args[0].args[0]
        of = [(each, m, (m,), equation.spans) for m in members]
        members = [Node("each", parts, head.at) for parts in of]
    live = scope.live(name) if isinstance(name, str) else None
    if not isinstance(live, Tensor) or live.grad_fn is None:
        return
    y = Node("name", (name,), head.at)
    for formula in members:
        if formula.op in ("name", "index") or is_literal(formula):
            continue  # another variable is no formula
        leaves = _leaves(formula, scope).items()
        for (leaf, x), order in itertools.product(leaves, (1, 2, 3)):
            if order == 1 or live.numel() * x.numel() ** order <= _LARGEST:
                by = (Node("name", (leaf,), formula.at),) * order
                sides = tuple(
                    Node("derivative", ("partial", side, by, 1), formula.at)
                    for side in (y, formula)
                )
                yield leaf, replace(equation, members=sides, relations=("=",))


def _is_smooth(slope: Node, leaf: str, scope: Names) -> bool:
    """Tell whether a slope is nearly the same on both sides of the lesson's point."""
    x = scope.value(leaf, slope.at)
    near = (scope.move({leaf: x + h}) for h in (-1e-6, 1e-6))
    left, right = (evaluate(slope, point).tensor for point in near)
    return torch.allclose(left, right, rtol=1e-3, atol=1e-3)
