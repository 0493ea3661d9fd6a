r"""Compute a formula on tensors, in float64; the shapes decide what a product is.

A scalar scales; a matrix times a matrix or vector is the matrix product;
``x^\top z`` is a number, ``xz^\top`` a matrix; two bare vectors side by side are
refused.  Powers and functions are elementwise.  ``\mathbf 1``, ``e_k`` and ``I``
take the size that their place asks for.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

import torch
from torch import Tensor

from coursebuild.formulas import FormulaError, Node

__all__ = [
    "FUNCTIONS",
    "Scope",
    "Value",
    "each",
    "evaluate",
    "free_indices",
    "grown",
    "ranges",
    "spelled",
    "walk",
]

FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "exp": torch.exp,
    "ln": torch.log,
    "sin": torch.sin,
    "cos": torch.cos,
    "tan": torch.tan,
    "sinh": torch.sinh,
    "cosh": torch.cosh,
    "tanh": torch.tanh,
    "arctan": torch.arctan,
    "sqrt": torch.sqrt,
    "abs": torch.abs,
    "sign": torch.sign,
    "sigma": torch.sigmoid,
    "sigmoid": torch.sigmoid,
    "relu": torch.relu,
    "softplus": torch.nn.functional.softplus,
    "softmax": lambda x: torch.softmax(x, -1),
    "logsumexp": lambda x: torch.logsumexp(x, -1),
    "diag": torch.diag,
    "tr": torch.trace,
    "det": torch.linalg.det,
    "mean": torch.mean,
    "sum": torch.sum,
    "max": torch.amax,
    "min": torch.amin,
}
_PAIRS = {"max": torch.maximum, "min": torch.minimum}
_BIG = {"sum": torch.sum, "prod": torch.prod, "max": torch.amax, "min": torch.amin}
_ORDERS = {"1": 1, "2": 2, r"\infty": math.inf}
_SIDE_BY_SIDE = (
    r"two vectors side by side: write x^\top z for the number, x z^\top for the"
    r" matrix, x \odot z for each element"
)


@dataclass(frozen=True)
class Value:
    """A tensor; ``row`` marks a transposed vector.

    With ``grow`` the size is still open (``\\mathbf 1``, ``e_k``, ``I``): it makes
    the tensor of a length, and ``tensor`` is only the factor before it.
    """

    tensor: Tensor
    row: bool = False
    grow: Callable[[int], Tensor] | None = None


class Scope(Protocol):
    """What a formula needs to know about the names in it."""

    def value(self, name: str, at: int) -> Tensor: ...
    def knows(self, name: str) -> bool: ...
    def number(self, text: str, at: int) -> float: ...
    def bind(self, values: dict[str, Tensor]) -> Scope: ...
    def apply(self, name: str, items: list[Tensor], at: int) -> Tensor: ...
    def slope(self, name: str, count: int, items: list[Tensor], at: int) -> Tensor: ...
    def derivative(self, node: Node) -> Tensor: ...


def evaluate(node: Node, scope: Scope) -> Value:
    """Compute one member; raise :class:`FormulaError` at the place that fails."""
    try:
        return _OPERATIONS[node.op](node, scope)
    except (RuntimeError, IndexError, ValueError, OverflowError) as error:
        reason = str(error).splitlines()[0]
        raise FormulaError(f"torch refuses: {reason}", node.at) from error


def walk(node: object) -> Iterator[Node]:
    """Yield a node and all below it."""
    stack = [node]
    while stack:
        item = stack.pop()
        if isinstance(item, Node):
            yield item
            stack += reversed(item.args)
        elif isinstance(item, tuple):
            stack += reversed(item)


def free_indices(nodes: Iterable[Node]) -> tuple[str, ...]:
    """Return the letters that stand in subscripts and are bound by no sum."""
    found = [n for node in nodes for n in walk(node)]
    bound = {letter for n in found if n.op == "big" for letter in n.args[1]}
    letters = (
        s.args[0] for n in found if n.op == "index" for s in n.args[1] if s.op == "name"
    )
    return tuple(dict.fromkeys(s for s in letters if s not in bound))


def ranges(letters: Iterable[str], nodes: Iterable[Node], scope: Scope) -> list[range]:
    """Find how far each letter runs, from the sizes of what it indexes."""
    found = [n for node in nodes for n in walk(node) if n.op == "index"]
    answer = []
    for letter in letters:
        sizes = {
            _size(n, place, scope)
            for n in found
            for place, sub in enumerate(n.args[1])
            if sub.op == "name" and sub.args[0] == letter and n.args[0].args[0] != "e"
        }
        if len(sizes) != 1:
            at = found[0].at if found else 0
            raise FormulaError(f"how far does {letter} run? sizes {sorted(sizes)}", at)
        answer.append(range(sizes.pop()))
    return answer


def _size(index: Node, place: int, scope: Scope) -> int:
    tensor = evaluate(index.args[0], scope).tensor
    if place >= tensor.ndim:
        raise FormulaError(
            f"too many indices for shape {tuple(tensor.shape)}", index.at
        )
    return tensor.shape[place]


def _number(node: Node, scope: Scope) -> Value:
    number = scope.number(node.args[0], node.at)
    return Value(torch.tensor(number, dtype=torch.float64))


def _name(node: Node, scope: Scope) -> Value:
    name = node.args[0]
    if not scope.knows(name):
        if name in _CONSTANTS:
            return Value(_CONSTANTS[name])
        if name == "I":
            return _growing(lambda n: torch.eye(n, dtype=torch.float64))
    return Value(scope.value(name, node.at))


_CONSTANTS = {
    "pi": torch.tensor(math.pi, dtype=torch.float64),
    "e": torch.tensor(math.e, dtype=torch.float64),
    "infty": torch.tensor(math.inf, dtype=torch.float64),
    "i": torch.tensor(1j, dtype=torch.complex128),
}


def _ones(node: Node, scope: Scope) -> Value:
    return _growing(lambda n: torch.ones(n, dtype=torch.float64))


def _growing(grow: Callable[[int], Tensor]) -> Value:
    return Value(torch.tensor(1.0, dtype=torch.float64), grow=grow)


def grown(value: Value, shape: Iterable[int], at: int) -> Value:
    """Give an open size the length that a shape has."""
    if value.grow is None:
        return value
    lengths = tuple(shape)
    if not lengths:
        raise FormulaError("the size of this vector is unknown here", at)
    return Value(value.tensor * value.grow(lengths[-1]), value.row)


def _index(node: Node, scope: Scope) -> Value:
    base, subs = node.args
    if base.op == "name" and (name := spelled(base.args[0], subs, scope.knows)):
        return Value(scope.value(name, node.at))
    numbers = [_whole(sub, scope) for sub in subs]
    if base.args[0] == "e" and not scope.knows("e"):
        return _growing(lambda n: _unit(numbers[0], n, node.at))
    tensor = evaluate(base, scope).tensor
    if len(subs) == 1 and subs[0].op == "number" and tensor.ndim > 1:
        numbers = [int(digit) for digit in subs[0].args[0]]
    for number, size in zip(numbers, tensor.shape, strict=False):
        if not 0 <= number < size:
            raise FormulaError(
                f"index {number} is outside 0 to {size - 1}: we count from 0", node.at
            )
    if len(numbers) > tensor.ndim:
        raise FormulaError(f"too many indices for shape {tuple(tensor.shape)}", node.at)
    return Value(tensor[tuple(numbers)])


def spelled(
    name: str, subs: tuple[Node, ...], knows: Callable[[str], bool]
) -> str | None:
    """Return the variable ``w2`` or ``w_2`` that ``w_2`` may mean, if there is one."""
    if len(subs) == 1 and subs[0].op == "number":
        label = subs[0].args[0]
        return next(filter(knows, (f"{name}_{label}", f"{name}{label}")), None)
    return None


def _unit(k: int, n: int, at: int) -> Tensor:
    if not 0 <= k < n:
        raise FormulaError(f"e_{k} is outside 0 to {n - 1}: we count from 0", at)
    return torch.eye(n, dtype=torch.float64)[k]


def _whole(node: Node, scope: Scope) -> int:
    number = float(evaluate(node, scope).tensor)
    if number != int(number):
        raise FormulaError(f"an index is a whole number, not {number}", node.at)
    return int(number)


def _plus(node: Node, scope: Scope) -> Value:
    values = [evaluate(arg, scope) for arg in node.args]
    sign = -1 if node.op == "minus" else 1
    if len(values) == 1:
        return replace(values[0], tensor=sign * values[0].tensor)
    a, b = _same_size(*values, node.at)
    if a.tensor.ndim == 1 and b.tensor.ndim == 1 and a.row != b.row:
        raise FormulaError("a row and a column cannot be added", node.at)
    _fit(a.tensor, b.tensor, node.at)
    return Value(a.tensor + sign * b.tensor, a.row or b.row)


def _fit(a: Tensor, b: Tensor, at: int) -> None:
    """Refuse shapes that broadcast by chance: only scalars and last axes do."""
    short, long = sorted((tuple(a.shape), tuple(b.shape)), key=len)
    if short and long[len(long) - len(short) :] != short:
        raise FormulaError(f"shapes {short} and {long} do not fit", at)


def _same_size(a: Value, b: Value, at: int) -> tuple[Value, Value]:
    return grown(a, b.tensor.shape, at), grown(b, a.tensor.shape, at)


def _times(node: Node, scope: Scope) -> Value:
    a, b = (evaluate(arg, scope) for arg in node.args)
    dotted = node.op == "dot"
    for first, second in ((a, b), (b, a)):
        if not first.tensor.ndim and first.grow is None:
            return replace(second, tensor=first.tensor * second.tensor)
    if (a.grow and b.grow) or ((a.grow or b.grow) and b.row):
        raise FormulaError("the size of this product is not known", node.at)
    a = grown(a, b.tensor.shape[:1], node.at)
    b = grown(b, a.tensor.shape[-1:], node.at)
    return _product(a, b, dotted, node.at)


def _product(a: Value, b: Value, dotted: bool, at: int) -> Value:
    p, q = a.tensor, b.tensor
    if p.ndim == q.ndim == 1:
        if (not (a.row or b.row) and dotted) or (a.row and not b.row):
            _fit(p, q, at)
            return Value(p @ q)
        if b.row and not a.row:
            return Value(torch.outer(p, q))
        raise FormulaError(_SIDE_BY_SIDE, at)
    if p.ndim > 2 or q.ndim > 2:
        raise FormulaError("products are of vectors and matrices only", at)
    if (q.ndim == 2 and p.ndim == 1 and not a.row) or (q.ndim == 1 and b.row):
        raise FormulaError(r"write x^\top A, or A x", at)
    if p.shape[-1] != q.shape[0]:
        raise FormulaError(
            f"shapes {tuple(p.shape)} and {tuple(q.shape)} do not multiply", at
        )
    return Value(p @ q, row=p.ndim == 1)


def _hadamard(node: Node, scope: Scope) -> Value:
    a, b = _same_size(*(evaluate(arg, scope) for arg in node.args), node.at)
    _fit(a.tensor, b.tensor, node.at)
    return Value(a.tensor * b.tensor, a.row and b.row)


def _over(node: Node, scope: Scope) -> Value:
    a, b = (evaluate(arg, scope) for arg in node.args)
    if b.tensor.ndim > 1 or b.grow or (b.tensor.ndim and a.tensor.ndim > 1):
        raise FormulaError("nothing is divided by a matrix", node.at)
    _fit(a.tensor, b.tensor, node.at)
    return replace(a, tensor=a.tensor / b.tensor)


def _power(node: Node, scope: Scope) -> Value:
    base, power = (evaluate(arg, scope) for arg in node.args)
    if base.grow or base.row or power.grow or (power.tensor.ndim and base.tensor.ndim):
        raise FormulaError("this power has no meaning", node.at)
    if base.tensor.ndim == 2:
        if float(power.tensor) == -1:
            return Value(torch.linalg.inv(base.tensor))
        raise FormulaError(r"a power of a matrix: write AA or A \odot A", node.at)
    return Value(base.tensor**power.tensor)


def _transpose(node: Node, scope: Scope) -> Value:
    value = evaluate(node.args[0], scope)
    if value.tensor.ndim == 2:
        return Value(value.tensor.T)
    return replace(value, row=not value.row)


def _tuple(node: Node, scope: Scope) -> Value:
    return Value(_stack([evaluate(arg, scope).tensor for arg in node.args], node.at))


def _matrix(node: Node, scope: Scope) -> Value:
    rows = [[evaluate(e, scope).tensor for e in row] for row in node.args]
    return Value(_stack([_stack(row, node.at) for row in rows], node.at))


def _stack(items: list[Tensor], at: int) -> Tensor:
    if len({item.shape for item in items}) != 1:
        raise FormulaError("the entries have different shapes", at)
    dtype = items[0].dtype
    for item in items:
        dtype = torch.promote_types(dtype, item.dtype)
    return torch.stack([item.to(dtype) for item in items])


def _call(node: Node, scope: Scope) -> Value:
    name, args = node.args
    values = [evaluate(arg, scope) for arg in args]
    if scope.knows(name):  # y(x) on the left: the variable y, at the x that there is
        return Value(scope.value(name, node.at))
    items = [value.tensor for value in values]
    if name not in FUNCTIONS:
        return Value(scope.apply(name, items, node.at))
    if name in _PAIRS and len(items) == 2:
        _fit(*items, node.at)
        return Value(_PAIRS[name](*torch.broadcast_tensors(*items)))
    item = items[0] if len(items) == 1 else _stack(items, node.at)
    if values[0].grow:
        raise FormulaError("the size of this vector is unknown here", node.at)
    return Value(FUNCTIONS[name](item), values[0].row)


def _prime(node: Node, scope: Scope) -> Value:
    name, count, args = node.args
    items = [evaluate(arg, scope).tensor for arg in args]
    return Value(scope.slope(name, count, items, node.at))


def _norm(node: Node, scope: Scope) -> Value:
    inner, order = evaluate(node.args[0], scope).tensor, node.args[1]
    if order == "F" or (order == "2" and inner.ndim < 2):
        return Value(torch.linalg.vector_norm(inner))
    if order not in _ORDERS or inner.ndim > 1:
        raise FormulaError(
            f"a norm of order {order} of shape {tuple(inner.shape)}:"
            " write _F for a matrix, _1, _2 or _\\infty",
            node.at,
        )
    return Value(torch.linalg.vector_norm(inner, _ORDERS[order]))


def _big(node: Node, scope: Scope) -> Value:
    name, letters, lower, upper, body = node.args
    if lower is None:
        spans = ranges(letters, [body], scope)
    else:
        spans = [range(_whole(lower, scope), _whole(upper, scope) + 1)]
    terms = each(letters, spans, body, scope)
    if not terms:
        raise FormulaError("nothing to sum", node.at)
    return Value(_BIG[name](_stack(terms, node.at), 0))


def each(
    letters: Iterable[str], spans: list[range], body: Node, scope: Scope
) -> list[Tensor]:
    """Compute a term for every combination of the letters."""
    answer = []
    for numbers in itertools.product(*spans):
        bound = {
            k: torch.tensor(float(n), dtype=torch.float64)
            for k, n in zip(letters, numbers, strict=True)
        }
        answer.append(evaluate(body, scope.bind(bound)).tensor)
    return answer


def _each(node: Node, scope: Scope) -> Value:
    letters, body = node.args
    spans = ranges(letters, [body], scope)
    flat = _stack(each(letters, spans, body, scope), node.at)
    return Value(flat.reshape(*(len(span) for span in spans), *flat.shape[1:]))


def _derivative(node: Node, scope: Scope) -> Value:
    return Value(scope.derivative(node))


_OPERATIONS: dict[str, Callable[[Node, Any], Value]] = {
    "number": _number,
    "name": _name,
    "index": _index,
    "plus": _plus,
    "minus": _plus,
    "times": _times,
    "dot": _times,
    "hadamard": _hadamard,
    "over": _over,
    "power": _power,
    "transpose": _transpose,
    "tuple": _tuple,
    "matrix": _matrix,
    "call": _call,
    "prime": _prime,
    "norm": _norm,
    "big": _big,
    "each": _each,
    "ones": _ones,
    "derivative": _derivative,
    "bar": _derivative,
}
