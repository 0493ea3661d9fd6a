"""Bind the names of a formula: live variables, definitions in the text, derivatives.

A derivative of a live tensor is asked of its own autograd graph, which fills no
``.grad`` and frees nothing.  A derivative of anything else is taken of the
formula that the text gives, by autograd or by central differences.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from operator import mul
from typing import Any

import numpy
import torch
from torch import Tensor

from coursecheck.algebra import BUILT_IN, evaluate, spelled, subscripts
from coursecheck.formulas import FUNCTIONS, FormulaError, Node, names_in
from coursecheck.tokens import OpenError

__all__ = ["DERIVED_NAMES", "Definition", "FreedError", "Log", "Names", "UnboundError"]

_UNSAID = {
    **dict.fromkeys(("Var", "var", "std"), "write the sum out: is it over n or n - 1?"),
    **dict.fromkeys(("argmax", "argmin"), "write the index itself"),
    "rank": "write the number alone",
}
_SPELLINGS = {
    "lambda": ("lambda_", "lam"),
    "varepsilon": ("epsilon", "eps"),
    "epsilon": ("eps",),
}
DERIVED_NAMES = ("J", "H")  # they mean the only derivative that there is
Stencil = tuple[float, tuple[float, ...]]  # a step; weights at 1, 2, … steps away


class FreedError(FormulaError):
    """A gradient of a graph that backward() has freed."""


class UnboundError(OpenError):
    """A name that neither the code nor the text gives a value."""

    def __init__(self, name: str, at: int) -> None:
        remedy = f"define it before ({name} = …); a general law is marked as law"
        if name in _UNSAID:
            remedy = _UNSAID[name]
        if name == "d":
            remedy = r"for a gradient write \nabla_x y or \frac{dy}{dx}"
        super().__init__(
            f"neither the code nor the text gives {name} a value: {remedy}", at
        )
        self.name = name


@dataclass(frozen=True)
class Definition:
    """What the text says that a name stands for; ``of`` is the tensor it fits.

    An ``end`` is the last index of something, and does not run as other letters do.
    """

    params: tuple[str, ...]
    body: Node
    of: weakref.ref[Tensor] | None = None
    end: bool = False


@dataclass
class Log:
    """What a computation made use of."""

    witnesses: set[str] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)  # names known by the text only
    eps: float = 0.0  # of the coarsest tensor
    here: bool = False  # a formula was compared at the lesson's point only


@dataclass(frozen=True)
class Names:
    """A scope of live variables; ``moved`` ones have left the lesson's point."""

    namespace: Mapping[str, Any]
    definitions: Mapping[str, Definition]
    log: Log
    bound: Mapping[str, Tensor] = field(default_factory=dict)
    moved: tuple[str, ...] = ()
    stencil: Stencil | None = None  # of central differences; None means autograd
    nudged: tuple[int, float] = (-1, 0.0)  # a number's place, and how much is added
    bases: Mapping[str, int] = field(default_factory=dict)  # what counts from 1
    lengths: dict[str, int] = field(default_factory=dict)  # n, of x in R^n above

    def live(self, name: str) -> Any:
        """Return the variable of the code that a name of the formula means."""
        for spelling in (name, *_SPELLINGS.get(name, ())):
            value = self.namespace.get(spelling)
            if isinstance(value, (Tensor, int, float, list, tuple)) or (
                type(value).__module__ == "numpy"
            ):
                return value
        return None

    def knows(self, name: str) -> bool:
        """Tell whether a name has a value."""
        text = self.definitions.get(name)
        known = name in self.bound or self.live(name) is not None
        return known or (text is not None and not text.params)

    def is_function(self, name: str) -> bool:
        """Tell whether a name is applied by parentheses."""
        if name in FUNCTIONS or self.live(name) is not None:
            return False
        definition = self.definitions.get(name)
        return bool(definition and definition.params) or self.has_function(name)

    def is_new(self, name: str) -> bool:
        """Tell whether neither the code nor the text nor mathematics has a name."""
        known = name in FUNCTIONS or name in self.definitions
        return not known and self.namespace.get(name) is None

    def base(self, name: str) -> int:
        """Return the index of a name's first entry."""
        return self.bases.get(name, 0)

    def leaves(self, name: str) -> tuple[str, ...]:
        """Return the leaves from which the code has computed a name."""
        live = self.live(name)
        made = isinstance(live, Tensor) and live.grad_fn is not None
        return self._leaves(live) if made else ()

    def free(self, letters: Iterable[str]) -> tuple[str, ...]:
        """Return the letters that run, as ``n`` does not in ``(x_1, \\dots, x_n)``."""
        ends = {name for name, text in self.definitions.items() if text.end}
        return tuple(k for k in letters if k not in ends or self.live(k) is not None)

    def sizes(self, item: object) -> set[int]:
        """Return over how many a mean may be, of what stands in some nodes."""
        lives = [self.live(name) for name in self.closure(item)]
        shapes = [live.shape for live in lives if isinstance(live, Tensor)]
        return {n for shape in shapes for n in (*shape, shape.numel())}

    def has_function(self, name: str) -> bool:
        """Tell whether the code has a function of this name."""
        return callable(self.namespace.get(name)) and self.live(name) is None

    def number(self, text: str, at: int) -> float:
        """Return a written number, or one nearby."""
        return float(text) + (self.nudged[1] if self.nudged[0] == at else 0.0)

    def bind(self, values: Mapping[str, Tensor]) -> Names:
        """Give names a value that goes before all others."""
        return replace(self, bound={**self.bound, **values})

    def move(self, values: Mapping[str, Tensor]) -> Names:
        """Leave the lesson's point: what depends on these is computed anew."""
        return replace(self.bind(values), moved=(*self.moved, *values))

    def placed(self, values: Mapping[str, Tensor]) -> Names:
        """Go to a stated place, which may be the lesson's own."""
        here = all(
            self.live(k) is not None and bool((self.value(k, 0) == v).all())
            for k, v in values.items()
        )
        return self if here else self.move(values)

    def value(self, name: str, at: int) -> Tensor:
        """Return a float64 copy; raise :class:`UnboundError` for an unknown name."""
        if name in self.bound:
            return self.bound[name]
        live = self.live(name)
        if live is not None and not self._depends(name):
            return self._copy(live, name, at)
        definition = self.definitions.get(name)
        if live is not None and not (definition and self._fits(name)):
            raise OpenError(f"the text does not say what {name} is made of", at)
        if definition is None and name in DERIVED_NAMES:
            return self.derivative(self._usual(name, at))
        if definition is None:
            raise UnboundError(name, at)
        if live is None:
            self.log.texts.add(name)
        rest = {k: d for k, d in self.definitions.items() if k != name}
        return evaluate(definition.body, replace(self, definitions=rest)).tensor

    def _copy(self, live: Any, name: str, at: int) -> Tensor:
        try:
            double = None if isinstance(live, Tensor) else torch.float64
            tensor = torch.as_tensor(live, dtype=double).detach()
        except (TypeError, ValueError, RuntimeError) as error:
            raise OpenError(f"{name} is no number or tensor in the code", at) from error
        if not double and tensor.is_floating_point():
            self.log.eps = max(self.log.eps, torch.finfo(tensor.dtype).eps)
        return tensor.to(torch.promote_types(tensor.dtype, torch.float64))

    def _fits(self, name: str) -> bool:
        of = self.definitions[name].of
        return of is not None and of() is self.live(name)

    def _depends(self, name: str) -> bool:
        """Tell whether a live name follows from one that has been moved."""
        moved = [self.live(m) for m in self.moved]
        for item in self.closure(Node("name", (name,))) if moved else ():
            if item in self.moved or any(_follows(self.live(item), m) for m in moved):
                return True
        return False

    def closure(self, item: object) -> list[str]:
        """Return all names that some formulas come down to, by the definitions."""
        found, stack = {}, names_in(item)
        while stack:
            name = stack.pop()
            if name not in found:
                found[name] = True
                if name in self.definitions:
                    stack += names_in(self.definitions[name].body)
        return list(found)

    # Functions

    def apply(self, name: str, items: list[Tensor], at: int) -> Tensor:
        """Apply a function that the code or the text defines."""
        if callable(function := self.namespace.get(name)):
            self.log.witnesses.add("the code's function")
            return torch.as_tensor(function(*items), dtype=items[0].dtype)
        if not (definition := self.definitions.get(name)):
            raise UnboundError(name, at)
        if len(definition.params) != len(items):
            raise FormulaError(f"{name} takes {len(definition.params)} values", at)
        self.log.texts.add(name)
        values = dict(zip(definition.params, items, strict=True))
        return evaluate(definition.body, self.bind(values)).tensor

    def slope(self, name: str, count: int, items: list[Tensor], at: int) -> Tensor:
        """Return the derivative of a function of one number, elementwise."""
        definition = self.definitions.get(name)
        if not items and definition and len(definition.params) == 1:
            items = [self.value(definition.params[0], at)]
        if len(items) != 1:
            raise FormulaError(f"say where: {name}'(…) of one number", at)
        builtin = BUILT_IN.get(name)

        def function(t: Tensor, order: int = count) -> Tensor:
            if not order:
                return builtin(t) if builtin else self.apply(name, [t], at)
            return self._jacobian(lambda s: function(s, order - 1).sum(), t)

        return function(items[0])

    # Derivatives

    def derivative(self, node: Node) -> Tensor:
        """Differentiate what the node says, where the scope stands."""
        if node.op == "bar" and self.live(f"{node.args[0]}_bar") is not None:
            text = rf"the adjoint of {node.args[0]}, or \text{{{node.args[0]}\_bar}}?"
            raise FormulaError(text, node.at)
        if node.op == "bar":
            node = self._usual(node.args[0], node.at, adjoint=True)
        kind, of, targets, order = node.args
        of, *targets = (self._resolved(n) for n in (of, *targets))
        if of in targets and of.at != targets[0].at:  # \bar y is where it begins
            raise FormulaError("by itself? that is 1, always", of.at)
        if not targets and of.op == "call":
            return self._at_arguments(of)
        targets = targets or self._variables(of)
        if kind == "partial" or len(targets) == 1:
            return self._one(kind, of, tuple(targets) * order)
        if len(set(names_in(targets))) < len(targets):
            raise FormulaError("a name stands here twice", targets[0].at)
        return torch.stack([self._one(kind, of, (t,) * order) for t in targets])

    def _resolved(self, node: Node) -> Node:
        """Take ``y_2`` as the variable ``y2``, and ``y(x)`` as ``y``, if there is."""
        name = None
        if node.op == "call" and self.knows(node.args[0]):
            name = node.args[0]
        elif node.op == "index":
            name = spelled(node, self.knows)
        return Node("name", (name,), node.at) if name else node

    def _one(self, kind: str, of: Node, targets: tuple[Node, ...]) -> Tensor:
        for target in targets:
            if _base(target).op != "name":
                raise FormulaError("differentiate with respect to a name", target.at)
        if _base(of).op == "name" and not (self.moved or self.stencil):
            names = [_base(n).args[0] for n in (of, *targets)]
            found = [None if n in self.bound else self.live(n) for n in names]
            lives = [t for t in found if isinstance(t, Tensor) and t.requires_grad]
            if len(lives) == len(names):
                return self._live(kind, of, targets, lives)
        return self._text(kind, of, targets)

    def _live(
        self, kind: str, of: Node, targets: tuple[Node, ...], lives: list[Tensor]
    ) -> Tensor:
        """Ask the graph of the code."""
        y, *xs = lives
        self.log.eps = max(self.log.eps, *(torch.finfo(t.dtype).eps for t in lives))
        if of.op == "index":
            y = y[subscripts(of, y.shape, self)]
        if kind == "nabla":
            _refuse_vector(y, of.at)
        try:
            with _undisturbed(self.namespace):
                for k, (x, target) in enumerate(zip(xs, targets, strict=True)):
                    y = self._entry(_jacobian(y, x, further=xs[k + 1 :]), x, target)
        except RuntimeError as error:
            if "freed" not in str(error) and "second time" not in str(error):
                raise
            return self._freed(of, targets, xs[0])
        self.log.witnesses.add("autograd")
        return y.detach().to(torch.promote_types(y.dtype, torch.float64))

    def _entry(self, jacobian: Tensor, x: Tensor, target: Node) -> Tensor:
        if target.op != "index":
            return jacobian
        lead = (slice(None),) * (jacobian.ndim - x.ndim)
        return jacobian[lead + subscripts(target, x.shape, self)]

    def _freed(self, of: Node, targets: tuple[Node, ...], x: Tensor) -> Tensor:
        """After backward(): the text's definition and ``.grad`` speak together."""
        known = of.op == "name" and of.args[0] in self.definitions
        known = known and self._fits(of.args[0]) and len(targets) == 1
        if known and targets[0].op == "name" and x.is_leaf and x.grad is not None:
            answer = self._text("nabla", of, targets)
            if torch.allclose(answer, x.grad.to(answer.dtype), rtol=1e-5, atol=1e-7):
                self.log.witnesses.add(".grad")
                return answer
        raise FreedError(
            "backward() has freed this graph: state the gradient before that cell",
            of.at,
        )

    def _text(self, kind: str, of: Node, targets: tuple[Node, ...]) -> Tensor:
        """Differentiate the formula, not the graph of the code."""

        def function(scope: Names, order: int = len(targets)) -> Tensor:
            if not order:
                value = evaluate(of, scope).tensor
                if kind == "nabla":
                    _refuse_vector(value, of.at)
                return value
            target = targets[order - 1]
            name = _base(target).args[0]
            point = scope.value(name, target.at)

            def moved(t: Tensor) -> Tensor:
                return function(scope.move({name: t}), order - 1)

            entry = (
                subscripts(target, point.shape, scope) if target.op == "index" else ()
            )
            if self.stencil and entry and len(entry) == point.ndim:
                return _differences(moved, point, self.stencil, entry)[..., 0]
            return scope._entry(self._jacobian(moved, point), point, target)

        known = self.closure(of)
        for target in targets:
            if (name := _base(target).args[0]) not in known:
                raise OpenError(
                    f"nothing says how it depends on {name}: say before how it is made"
                    " (y = …); a general law is marked as law",
                    target.at,
                )
        return function(self)

    def _jacobian(self, function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
        if self.stencil:
            return _differences(function, x, self.stencil)
        self.log.witnesses.add("autograd of the formula")
        answer: Tensor
        answer = torch.autograd.functional.jacobian(function, x, create_graph=True)
        return answer if x.requires_grad else answer.detach()

    def _at_arguments(self, call: Node) -> Tensor:
        name, args = call.args
        items = [evaluate(arg, self).tensor for arg in args]
        if len(items) == 1:
            return self._jacobian(lambda t: self.apply(name, [t], call.at), items[0])
        point = torch.stack(items)
        return self._jacobian(lambda t: self.apply(name, list(t), call.at), point)

    # What an author leaves out

    def _variables(self, of: Node) -> tuple[Node, ...]:
        names: tuple[str, ...] = ()
        if of.op == "name":
            definition = self.definitions.get(of.args[0])
            names = definition.params if definition else ()
            leaves = self._leaves(self.live(of.args[0]))
            names = names or (leaves if len(leaves) == 1 else ())
        if not names:
            raise FormulaError(r"with respect to what? write \nabla_x", of.at)
        return tuple(Node("name", (name,), of.at) for name in names)

    def _leaves(self, y: Any) -> tuple[str, ...]:
        tensors = {k: v for k, v in self.namespace.items() if isinstance(v, Tensor)}
        leaves = [k for k, v in tensors.items() if v.is_leaf and v.requires_grad]
        made = isinstance(y, Tensor)
        return tuple(k for k in leaves if made and _follows(y, tensors[k]))

    def _usual(self, name: str, at: int, adjoint: bool = False) -> Node:
        r"""Say what ``\bar x``, J and H leave out, where there is only one answer."""
        scalar = adjoint or name == "H"
        x = self.live(name)
        pairs = [
            (end, by)
            for end, y in self._ends(scalar)
            for by in ((name,) if adjoint else self._leaves(y))
            if not adjoint or (isinstance(x, Tensor) and _follows(y, x))
        ]
        if len(pairs) != 1:
            found = ", ".join(f"{y} by {x}" for y, x in pairs) or "nothing"
            one = rf", \bar {name}_1 of a variable {name}1, or mark it as law"
            raise FormulaError(
                f"{name} is the derivative of what by what? found {found};"
                r" write \frac{\partial y}{\partial x}" + one * (not pairs and adjoint),
                at,
            )
        of, by = (Node("name", (n,), at) for n in pairs[0])
        order = 2 if name == "H" and not adjoint else 1
        return Node(
            "derivative", ("nabla" if scalar else "partial", of, (by,), order), at
        )

    def _ends(self, scalar: bool) -> list[tuple[str, Tensor]]:
        """Return the results from which no other result is computed."""
        results = [
            (k, v)
            for k, v in self.namespace.items()
            if isinstance(v, Tensor) and v.grad_fn is not None
            if (v.numel() == 1 if scalar else v.ndim > 0)
        ]
        return [
            (k, v)
            for k, v in results
            if not any(w is not v and _follows(w, v) for _, w in results)
        ]


@contextmanager
def _undisturbed(namespace: Mapping[str, Any]) -> Iterator[None]:
    """Keep hooks from running and ``retain_grad`` from filling ``.grad``.

    ``torch.autograd.grad`` does both on its way, although it fills no leaf.
    """
    tensors = [t for t in namespace.values() if isinstance(t, Tensor)]
    retained = [(t, t.grad) for t in tensors if t.retains_grad]
    hooks = [t._backward_hooks for t in tensors if t._backward_hooks]
    kept = [dict(live) for live in hooks]
    try:
        for tensor, _ in retained:
            tensor.grad = None
        for live in hooks:
            live.clear()
        yield
    finally:
        for tensor, grad in retained:
            tensor.grad = grad
        for live, own in zip(hooks, kept, strict=True):
            live.update(own)


def _base(node: Node) -> Node:
    return node.args[0] if node.op == "index" else node


def _refuse_vector(y: Tensor, at: int) -> None:
    if y.numel() != 1:
        raise FormulaError(
            f"a gradient is of a number, not of shape {tuple(y.shape)}:"
            r" write \frac{\partial y}{\partial x} for a Jacobian",
            at,
        )


def _follows(y: Any, x: Any) -> bool:
    """Tell whether x is in the graph that made y (or is y)."""
    if not isinstance(x, Tensor) or not isinstance(y, Tensor) or y.grad_fn is None:
        return y is x
    stack: list[Any] = [y.grad_fn]
    seen = set()
    while stack:
        node = stack.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if node is x.grad_fn or getattr(node, "variable", None) is x:
            return True
        stack += [below for below, _ in node.next_functions]
    return False


def _jacobian(y: Tensor, x: Tensor, *, further: object) -> Tensor:
    """Ask autograd for all of dy/dx, of shape y.shape + x.shape."""
    if y.grad_fn is None and y is not x:  # the first derivative was constant
        return torch.zeros(y.shape + x.shape, dtype=x.dtype)
    grads = [
        torch.autograd.grad(
            entry, x, retain_graph=True, create_graph=bool(further), allow_unused=True
        )[0]
        for entry in y.reshape(-1)
    ]
    rows = [torch.zeros_like(x) if grad is None else grad for grad in grads]
    return torch.stack(rows).reshape(y.shape + x.shape)


def _differences(
    function: Callable[[Tensor], Tensor],
    x: Tensor,
    stencil: Stencil,
    entry: tuple[int, ...] = (),
) -> Tensor:
    """Central differences (Fornberg 1988, table 1): by one entry or by all.

    The last axes are those of x, or of length 1.  By a complex number it is torch's
    gradient: the slope along the real axis, plus i times that along the other.
    Raises ValueError for a complex function of it, whose two parts have one each.
    """
    step, weights = stencil
    columns, steps = [], range(1, len(weights) + 1)
    for place in [entry] if entry else numpy.ndindex(*x.shape):
        slopes = []
        for unit in (1, 1j) if x.is_complex() else (1,):
            h = torch.zeros_like(x)
            size = step * max(1.0, float(abs(x[place])))
            h[place] = torch.tensor(unit * size, dtype=x.dtype)
            gaps = (function(x + k * h) - function(x - k * h) for k in steps)
            slopes.append(unit * sum(map(mul, weights, gaps)) / abs(h[place]))
        if len(slopes) > 1 and slopes[0].is_complex():
            raise ValueError("a complex result: differentiate its real part")
        columns.append(sum(slopes))
    shape = (1,) if entry else x.shape
    return torch.stack(columns, -1).reshape(columns[0].shape + shape)
