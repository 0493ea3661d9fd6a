r"""Compute a formula on tensors, in float64; the shapes decide what a product is.

A scalar scales; a matrix times a matrix or vector is the matrix product;
``x^\top z`` is a number, ``xz^\top`` a matrix; two bare vectors side by side are
refused.  Powers of vectors and functions are elementwise.  ``\mathbf 1``, ``e_k``
and ``I`` take the size that their place asks for.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Protocol

import torch
from torch import Tensor

from coursecheck.formulas import FUNCTIONS, FormulaError, Node, walk
from coursecheck.tokens import OpenError

__all__ = [
    "BUILT_IN",
    "Scope",
    "Value",
    "evaluate",
    "grown",
    "resolved",
    "spelled",
    "spellings",
    "subscripts",
]

BUILT_IN: dict[str, Callable[[Tensor], Tensor]] = {
    **{k: getattr(torch, k) for k in ("exp", "sin", "cos", "tan", "arctan", "sinh")},
    **{k: getattr(torch, k) for k in ("cosh", "tanh", "sqrt", "abs", "sign", "relu")},
    **{k: getattr(torch, k) for k in ("sigmoid", "mean", "sum", "arcsin", "arccos")},
    **{k: getattr(torch, k) for k in ("erf", "erfc", "floor", "ceil")},
    "ln": torch.log,
    "Re": torch.real,
    "Im": lambda z: z.imag if z.is_complex() else torch.zeros_like(z),
    "sigma": torch.sigmoid,
    **{k: getattr(torch.nn.functional, k) for k in ("softplus", "silu", "gelu")},
    "shape": lambda x: torch.tensor(x.shape, dtype=torch.float64),
    "softmax": lambda x: torch.softmax(x, -1),
    "logsumexp": lambda x: torch.logsumexp(x, -1),
    "diag": torch.diag,
    "tr": torch.trace,
    "det": torch.linalg.det,
    "max": torch.amax,
    "min": torch.amin,
}
_PAIRS = {"max": torch.maximum, "min": torch.minimum}
_BIG: dict[str, Callable[[Tensor, int], Tensor]] = {
    "sum": torch.sum,
    "prod": torch.prod,
    "max": torch.amax,
    "min": torch.amin,
}
_EMPTY = {"sum": 0.0, "prod": 1.0}
_TESTS = {"<": torch.lt, "<=": torch.le, ">": torch.gt, ">=": torch.ge}
_TESTS |= {"=": torch.eq, "!=": torch.ne}
_NORMS = {"1": 1, "2": 2, r"\infty": math.inf}
_CONSTANTS = {"pi": math.pi, "e": math.e, "infty": math.inf, "i": 1j}
_SIDE_BY_SIDE = (
    r"two vectors side by side: write x^\top z for the number, x z^\top for the"
    r" matrix, x \odot z for each element; another one is marked as law, such as a"
    " convolution"
)


_COUNT_FROM_1 = r", unless the text says x = (x_1, \dots, x_n) before"


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
    def live(self, name: str) -> object: ...
    def closure(self, item: object) -> list[str]: ...
    def number(self, text: str, at: int) -> float: ...
    def bind(self, values: dict[str, Tensor]) -> Scope: ...
    def placed(self, values: dict[str, Tensor]) -> Scope: ...
    def apply(self, name: str, items: list[Tensor], at: int) -> Tensor: ...
    def slope(self, name: str, count: int, items: list[Tensor], at: int) -> Tensor: ...
    def derivative(self, node: Node) -> Tensor: ...
    def leaves(self, name: str) -> tuple[str, ...]: ...
    def base(self, name: str) -> int: ...


def evaluate(node: Node, scope: Scope) -> Value:
    """Compute one member; raise :class:`FormulaError` at the place that fails."""
    try:
        found = _OPERATIONS[node.op](node, scope)
    except (RuntimeError, IndexError, ValueError, OverflowError) as error:
        reason = str(error).splitlines()[0]
        raise FormulaError(f"torch refuses: {reason}", node.at) from error
    return found if isinstance(found, Value) else Value(found)


@lru_cache(maxsize=1024, typed=True)  # nobody writes into it
def _double(number: complex) -> Tensor:
    dtype = torch.complex128 if isinstance(number, complex) else torch.float64
    return torch.tensor(number, dtype=dtype)


def _tensor(node: Node, scope: Scope) -> Tensor:
    return evaluate(node, scope).tensor


def _tensors(nodes: Iterable[Node], scope: Scope) -> list[Tensor]:
    return [_tensor(node, scope) for node in nodes]


# Names and numbers


def _name(node: Node, scope: Scope) -> Value:
    [name] = node.args
    if not scope.knows(name):
        if name in _CONSTANTS:
            return Value(_double(_CONSTANTS[name]))
        if name == "I":
            return _growing(lambda n: torch.eye(n, dtype=torch.float64))
    return Value(scope.value(name, node.at))


def _ones(node: Node, scope: Scope) -> Value:
    return _growing(lambda n: torch.ones(n, dtype=torch.float64))


def _growing(grow: Callable[[int], Tensor]) -> Value:
    return Value(_double(1.0), grow=grow)


def grown(value: Value, shape: Iterable[int], at: int) -> Value:
    """Give an open size the length that a shape has."""
    if value.grow is None:
        return value
    lengths = tuple(shape)
    if not lengths:
        raise OpenError("the size of this vector is unknown here", at)
    return Value(value.tensor * value.grow(lengths[-1]), value.row)


def _at(node: Node, scope: Scope) -> Value:
    """Take a node where the names below its bar have the values given there."""
    of, places = node.args
    for name, place in places:
        if name not in scope.closure(of):
            raise OpenError(f"nothing here says how it depends on {name}", place.at)
    values = {name: _place(name, place, scope) for name, place in places}
    return evaluate(of, scope.placed(values))


def _place(name: str, place: Node, scope: Scope) -> Tensor:
    r"""Give a place its name's shape: ``x = \mathbf 1``, or ``x_i = 1`` for all i."""
    each = place.op == "each_entry"
    for letter in place.args[1:] if each else ():
        if scope.live(letter.args[0]) is not None:
            raise FormulaError(
                f"{letter.args[0]} is a variable here: write {name}_i with another"
                " letter for each entry",
                letter.at,
            )
    value = evaluate(place.args[0] if each else place, scope)
    shape = scope.value(name, place.at).shape if scope.knows(name) else ()
    if shape and not each and not value.tensor.ndim and value.grow is None:
        raise FormulaError(
            rf"{name} has the shape {tuple(shape)}: {name} = \mathbf 1, or"
            f" {name}_i = 1, means 1 in each entry",
            place.at,
        )
    tensor = grown(value, shape, place.at).tensor
    return tensor.expand(shape).clone() if each or value.grow else tensor


def _index(node: Node, scope: Scope) -> Value:
    base, subs = node.args
    if name := spelled(node, scope.knows):
        return Value(scope.value(name, node.at))
    if base.op == "ones" or (base == Node("name", ("I",)) and not scope.knows("I")):
        [size] = (_whole(sub, scope) for sub in subs)
        make = torch.ones if base.op == "ones" else torch.eye
        return Value(make(size, dtype=torch.float64))
    if subs[0].op == "layer":
        names = " or ".join(spellings(node))
        raise FormulaError(f"this is {names}, and the code has neither", node.at)
    if _is_symbol(base, scope):
        numbers = [_whole(sub, scope) for sub in subs]
        if len(numbers) == 2:
            return Value(_double(float(numbers[0] == numbers[1])))
        if base.args[0] == "delta":
            error = r"\delta has two indices; what backward() puts there is \bar z_1"
            raise FormulaError(error, node.at)
        return _growing(lambda n: _unit(numbers[0], n, node.at))
    tensor = _tensor(base, scope)
    return Value(tensor[subscripts(node, tensor.shape, scope)])


def _is_symbol(base: Node, scope: Scope) -> bool:
    r"""Tell whether it is no variable: ``e_k``, ``\delta_{ij}``."""
    names = base.names if base.op == "name" else ()
    return bool({"e", "delta"}.intersection(names)) and not scope.knows(names[0])


def spelled(node: Node, knows: Callable[[str], bool]) -> str | None:
    """Return the variable ``w2`` or ``w_2`` that ``w_2`` may mean, if there is one.

    ``d_k`` is one where there is no ``d`` of which it may be an entry.
    """
    base, subs = node.args
    if subs[0].op == "name" and base.op == "name" and knows(base.args[0]):
        return None
    return next(filter(knows, spellings(node)), None)


def resolved(item: Any, knows: Callable[[str], bool]) -> Any:
    """Put the variable ``w2`` or ``w_2`` in the place of ``w_2``, if there is one."""
    if isinstance(item, tuple):
        return tuple(resolved(part, knows) for part in item)
    if not isinstance(item, Node):
        return item
    if item.op == "index" and (name := spelled(item, knows)):
        return Node("name", (name,), item.at)
    if item.op == "index" and item.args[0].op == "bar":  # of z1, where there is no z
        layer = Node("index", (Node("name", item.args[0].args), item.args[1]))
        if not knows(item.args[0].args[0]) and (name := spelled(layer, knows)):
            return Node("bar", (name,), item.at)
    if item.op == "power" and (variance := _variance(item, knows)):
        return variance
    return replace(item, args=resolved(item.args, knows))


def _variance(power: Node, knows: Callable[[str], bool]) -> Node | None:
    r"""Take ``\sigma^2`` as the variable sigma2, where there is no sigma."""
    base, exponent = power.args
    name = base.args[0] if base.op == "index" else base
    square = exponent == Node("number", ("2",)) and name == Node("name", ("sigma",))
    if not square or knows("sigma") or not knows("sigma2"):
        return None
    sigma2 = Node("name", ("sigma2",), power.at)
    return Node("index", (sigma2, base.args[1]), base.at) if base != name else sigma2


def spellings(node: Node) -> tuple[str, ...]:
    """Return how the code may spell ``w_2`` as one variable."""
    base, subs = node.args
    if base.op != "name" or len(subs) > 1:
        return ()
    if subs[0].op == "name":
        return (f"{base.args[0]}_{subs[0].args[0]}",)
    if subs[0].op not in ("number", "layer"):
        return ()
    return tuple(base.args[0] + between + subs[0].args[0] for between in ("_", ""))


def subscripts(node: Node, shape: tuple[int, ...], scope: Scope) -> tuple[int, ...]:
    """Return the numbers of an index, each within the shape."""
    name, subs = node.args[0].args[0], node.args[1]
    first = scope.base(name) if isinstance(name, str) else 0
    numbers = [_whole(sub, scope) for sub in subs]
    if len(subs) == 1 and subs[0].op == "number" and len(shape) > 1:
        numbers = [int(digit) for digit in subs[0].args[0]]
    for number, size in zip(numbers, shape, strict=False):
        if not first <= number < first + size:
            raise FormulaError(
                f"index {number} is outside {first} to {first + size - 1}: we count"
                f" from {first}" + _COUNT_FROM_1 * (not first and number == size),
                node.at,
            )
    numbers = [number - first for number in numbers]
    if len(numbers) > len(shape):
        raise _too_many(shape, node.at)
    return tuple(numbers)


def _too_many(shape: tuple[int, ...], at: int) -> FormulaError:
    slope = r"; a derivative is \partial_t y" * (not shape)
    return FormulaError(f"too many indices for shape {tuple(shape)}{slope}", at)


def _unit(k: int, n: int, at: int) -> Tensor:
    if not 0 <= k < n:
        raise FormulaError(f"e_{k} is outside 0 to {n - 1}: we count from 0", at)
    return torch.eye(n, dtype=torch.float64)[k]


def _whole(node: Node, scope: Scope) -> int:
    value = _tensor(node, scope).detach()
    if value.is_complex():  # i, which no sum binds here
        message = "over what does this run? a sum ends before +, \\odot and \\cdot"
        raise FormulaError(f"{message}: write parentheses", node.at)
    number = float(value)
    if number != int(number):
        raise FormulaError(f"an index is a whole number, not {number}", node.at)
    return int(number)


# Arithmetic


def _plus(node: Node, scope: Scope) -> Value:
    values = [evaluate(arg, scope) for arg in node.args]
    sign = -1 if node.op == "minus" else 1
    if len(values) == 1:
        return replace(values[0], tensor=sign * values[0].tensor)
    a, b = _same_size(values[0], values[1], node.at)
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


def _shape(node: Node) -> tuple[int, ...] | None:
    """Return the shape that ``(2, 3)(3, 4)`` has, read as shapes of a product."""
    if node.op == "tuple" and len(node.args) == 2:
        whole = all(n.op == "number" and n.args[0].isdigit() for n in node.args)
        return tuple(int(n.args[0]) for n in node.args) if whole else None
    if node.op != "times":
        return None
    left, right = map(_shape, node.args)
    if not left or not right:
        return None
    if left[1] != right[0]:
        raise FormulaError(f"shapes {left} and {right} do not multiply", node.at)
    return left[0], right[1]


def _times(node: Node, scope: Scope) -> Value:
    if shape := _shape(node):
        return Value(torch.tensor(shape, dtype=torch.float64))
    a, b = (evaluate(arg, scope) for arg in node.args)
    for first, second in ((a, b), (b, a)):
        if not first.tensor.ndim and first.grow is None:
            return replace(second, tensor=first.tensor * second.tensor)
    if (a.grow and b.grow) or ((a.grow or b.grow) and b.row):
        message = r"the size of this product is not known: write \mathbf 1_3"
        raise OpenError(message, node.at)
    a = grown(a, b.tensor.shape[:1], node.at)
    b = grown(b, a.tensor.shape[-1:], node.at)
    flat = (a.tensor.ndim, b.tensor.ndim) == (1, 2) and not a.row
    if flat and node.args[1].op == "transpose":  # xA^T, as code and books write it
        a = replace(a, row=True)
        return replace(_product(a, b, node.op == "dot", node.at), row=False)
    return _product(a, b, node.op == "dot", node.at)


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
    p, q = (evaluate(arg, scope) for arg in node.args)
    a, b = _same_size(p, q, node.at)
    _fit(a.tensor, b.tensor, node.at)
    return Value(a.tensor * b.tensor, a.row and b.row)


def _over(node: Node, scope: Scope) -> Value:
    a, b = (evaluate(arg, scope) for arg in node.args)
    if b.tensor.ndim > 1 or b.grow or (b.row and a.tensor.ndim > 1):
        raise FormulaError("nothing is divided by a matrix", node.at)
    _fit(a.tensor, b.tensor, node.at)
    return replace(a, tensor=a.tensor / b.tensor)


def _power(node: Node, scope: Scope) -> Tensor:
    base, power = (evaluate(arg, scope) for arg in node.args)
    if base.grow or base.row or power.grow or (power.tensor.ndim and base.tensor.ndim):
        raise FormulaError("this power has no meaning", node.at)
    if base.tensor.ndim == 2:
        count = _whole(node.args[1], scope)
        product: Tensor = torch.linalg.matrix_power(base.tensor, count)
        return product
    return base.tensor**power.tensor


def _transpose(node: Node, scope: Scope) -> Value:
    value = evaluate(node.args[0], scope)
    if value.tensor.ndim == 2:
        return Value(value.tensor.T)
    return replace(value, row=not value.row)


def _matrix(node: Node, scope: Scope) -> Tensor:
    rows = [_stack(_tensors(row, scope), node.at) for row in node.args]
    return _stack(rows, node.at)


def _stack(items: list[Tensor], at: int) -> Tensor:
    if len({item.shape for item in items}) != 1:
        raise FormulaError("the entries have different shapes", at)
    if any(item.is_complex() for item in items):
        items = [item.to(torch.complex128) for item in items]
    return torch.stack(items)


# Functions


def _call(node: Node, scope: Scope) -> Value | Tensor:
    name, args = node.args
    values = [evaluate(arg, scope) for arg in args]
    if scope.knows(name):  # y(x) on the left: the variable y, at the x that there is
        return scope.value(name, node.at)
    items = [value.tensor for value in values]
    if name not in FUNCTIONS:
        return scope.apply(name, items, node.at)
    if name in _PAIRS and len(items) == 2:
        _fit(items[0], items[1], node.at)
        return _PAIRS[name](*torch.broadcast_tensors(*items))
    if values[0].grow:
        raise OpenError("the size of this vector is unknown here", node.at)
    item = items[0] if len(items) == 1 else _stack(items, node.at)
    return Value(BUILT_IN[name](item), values[0].row)


def _inner(node: Node, scope: Scope) -> Tensor:
    values = _tensors(node.args, scope)
    shapes = {value.shape for value in values}
    if len(values) != 2 or len(shapes) > 1 or not values[0].ndim:
        message = r"\langle x, z \rangle is of two of one shape; a vector is (1, 2)"
        raise FormulaError(message, node.at)
    return (values[0] * values[1]).sum()


def _natural(node: Node, scope: Scope) -> int:
    number = _tensor(node, scope)
    if number.ndim or number < 0:
        raise FormulaError("this is of numbers from 0 on", node.at)
    return _whole(node, scope)


def _factorial(node: Node, scope: Scope) -> Tensor:
    return _double(float(math.factorial(_natural(node.args[0], scope))))


def _binomial(node: Node, scope: Scope) -> Tensor:
    return _double(float(math.comb(*(_natural(arg, scope) for arg in node.args))))


def _entries(node: Node, scope: Scope) -> Tensor:
    r"""Return ``(x_1, \dots, x_n)``, which is x if it has so many entries."""
    tensor, (low, high) = (
        _tensor(node.args[0], scope),
        (_whole(end, scope) for end in node.args[1:]),
    )
    if tensor.ndim != 1 or len(tensor) != high - low + 1:
        shape = tuple(tensor.shape)
        message = f"entries {low} to {high} are not all of shape {shape}"
        raise FormulaError(message, node.at)
    return tensor


def _placed(node: Node, scope: Scope) -> Value:
    """Take ``y(2)`` as y where its leaf is 2, and ``w(2)`` as a product."""
    base, place = node.args
    leaves = scope.leaves(base.args[0])
    if len(leaves) > 1:
        message = rf"where? write y \big|_{{{leaves[0]} = 2}}, or \cdot for a product"
        raise FormulaError(message, node.at)
    if not leaves:
        return evaluate(Node("times", (base, place), node.at), scope)
    at = {leaves[0]: _tensor(place, scope)}
    return evaluate(base, scope.placed(at))


def _prime(node: Node, scope: Scope) -> Tensor:
    name, count, args = node.args
    if scope.knows(name):  # a variable: by its only leaf, there or at a number
        of, leaves = Node("name", (name,), node.at), scope.leaves(name)
        if len(leaves) != 1:
            raise FormulaError(r"by what? write \frac{dy}{dx}", node.at)
        by = tuple(Node("name", (leaf,), node.at) for leaf in leaves)
        if args and args != by:
            scope = scope.placed({leaves[0]: _tensor(args[0], scope)})
        slope = Node("derivative", ("partial", of, by * count, 1), node.at)
        return scope.derivative(slope)
    return scope.slope(name, count, _tensors(args, scope), node.at)


def _norm(node: Node, scope: Scope) -> Tensor:
    inner, order = _tensor(node.args[0], scope), node.args[1]
    norm: Callable[..., Tensor] = torch.linalg.vector_norm
    if order == "F":
        return norm(inner)
    if (order not in _NORMS and not order.isdigit()) or inner.ndim > 1 or order == "0":
        raise FormulaError(
            f"a norm of order {order} of shape {tuple(inner.shape)}:"
            " write _F for a matrix, _1, _2 or _\\infty",
            node.at,
        )
    return norm(inner, _NORMS.get(order) or int(order))


def _cases(node: Node, scope: Scope) -> Tensor:
    """Choose for each element the first value whose condition holds."""
    answer = torch.full((), math.nan, dtype=torch.float64)
    for value, *tests in reversed(node.args):
        here = _tensor(value, scope)
        for test in tests:
            a, b = (_tensor(side, scope) for side in test.args)
            _fit(a, b, node.at)
            here = torch.where(_TESTS[test.op](a, b), here, answer)
        answer = here
    return answer


# Letters that run over an index


def _big(node: Node, scope: Scope) -> Tensor:
    name, letters, lower, upper, body, but = node.args
    spans: list[Sequence[int]]
    spans = [_range(letter, (body,), scope) for letter in letters if lower is None]
    spans = spans or [range(_whole(lower, scope), _whole(upper, scope) + 1)]
    if but is not None:
        left_out = _whole(but, scope)
        spans = [[k for k in span if k != left_out] for span in spans]
    terms = _terms(letters, spans, body, scope)
    if not terms and name in _EMPTY:
        return _double(_EMPTY[name])
    if not terms:
        raise FormulaError("nothing to choose from", node.at)
    return _BIG[name](_stack(terms, node.at), 0)


def _each(node: Node, scope: Scope) -> Tensor:
    """Compute ``body`` for all letters, whose ranges ``of`` tells."""
    letters, body, of, *said = node.args
    ends = {letter: ends for letter, *ends in (said[0] if said else ())}
    spans: list[Sequence[int]] = []
    for letter in letters:
        if letter in ends:
            low, high = (_whole(end, scope) for end in ends[letter])
            spans.append(range(low, high + 1))
        else:
            spans.append(_range(letter, of, scope))
    flat = _stack(_terms(letters, spans, body, scope), node.at)
    return flat.reshape(*(len(span) for span in spans), *flat.shape[1:])


def _terms(
    letters: Iterable[str], spans: list[Sequence[int]], body: Node, scope: Scope
) -> list[Tensor]:
    answer = []
    for numbers in itertools.product(*spans):
        bound = dict(zip(letters, map(_double, map(float, numbers)), strict=True))
        answer.append(_tensor(body, scope.bind(bound)))
    return answer


def _range(letter: str, nodes: Iterable[Node], scope: Scope) -> range:
    """Find how far a letter runs, from the sizes of what it indexes."""
    sizes, at = set(), 0
    for node in walk(tuple(nodes)):
        if node.op == "big" and node.args[-1] == Node("name", (letter,)):
            span = _range(node.args[1][0], (node.args[-2],), scope)
            sizes.add((span.start, span.stop))
        for place, sub in enumerate(node.args[1] if node.op == "index" else ()):
            base = node.args[0]
            if sub == Node("name", (letter,)) and not _is_symbol(base, scope):
                at, shape = node.at, _tensor(base, scope).shape
                if place >= len(shape):
                    raise _too_many(shape, at)
                name = base.args[0]
                first = scope.base(name) if isinstance(name, str) else 0
                sizes.add((first, first + shape[place]))
    if len(sizes) != 1:
        found = " and ".join(f"{a} to {b - 1}" for a, b in sorted(sizes)) or "nothing"
        kind = FormulaError if sizes else OpenError
        raise kind(f"how far does {letter} run? found {found}", at)
    return range(*sizes.pop())


def _no_value(node: Node, scope: Scope) -> Tensor:
    raise FormulaError("a set has no value", node.at)


_OPERATIONS: dict[str, Callable[[Node, Any], Value | Tensor]] = {
    "number": lambda node, scope: _double(scope.number(node.args[0], node.at)),
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
    "tuple": lambda node, scope: _stack(_tensors(node.args, scope), node.at),
    "matrix": _matrix,
    "call": _call,
    "prime": _prime,
    "placed": _placed,
    "inner": _inner,
    "factorial": _factorial,
    "binomial": _binomial,
    "entries": _entries,
    "norm": _norm,
    "cases": _cases,
    "big": _big,
    "each": _each,
    "ones": _ones,
    **dict.fromkeys(("set", "open", "closed", "space"), _no_value),
    "derivative": lambda node, scope: scope.derivative(node),
    "bar": lambda node, scope: scope.derivative(node),
    "at": _at,
}
