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
from typing import Any

import torch
from torch import Tensor

from coursebuild.algebra import FUNCTIONS, evaluate, spelled, walk
from coursebuild.formulas import FormulaError, Node

__all__ = ["Definition", "Log", "Names", "UnboundError", "names_in"]

_SPELLINGS = {"lambda": ("lambda_", "lam"), "varepsilon": ("epsilon", "eps")}
DERIVED_NAMES = ("J", "H")  # they mean the only derivative that there is
_Map = Callable[[Tensor], Tensor]
_STEP = 1e-4  # of the central differences, fourth order


class UnboundError(FormulaError):
    """A name that neither the code nor the text gives a value."""

    def __init__(self, name: str, at: int) -> None:
        remedy = "a general law is marked as law"
        if name == "d":
            remedy = r"for a gradient write \nabla_x y or \frac{dy}{dx}"
        super().__init__(
            f"neither the code nor the text gives {name} a value: {remedy}", at
        )
        self.name = name


@dataclass(frozen=True)
class Definition:
    """What the text says that a name stands for; ``of`` is the tensor it fits."""

    params: tuple[str, ...]
    body: Node
    of: weakref.ref[Tensor] | None = None


@dataclass
class Log:
    """What a computation made use of."""

    witnesses: set[str] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)  # names known by the text only
    eps: float = 0.0


@dataclass(frozen=True)
class Names:
    """A scope of live variables; ``moved`` ones have left the lesson's point."""

    namespace: Mapping[str, Any]
    definitions: Mapping[str, Definition]
    log: Log
    bound: Mapping[str, Tensor] = field(default_factory=dict)
    moved: tuple[str, ...] = ()
    numeric: bool = False
    nudged: tuple[int, float] = (-1, 0.0)

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
        return (
            name in self.bound
            or self.live(name) is not None
            or (name in self.definitions and not self.definitions[name].params)
        )

    def is_function(self, name: str) -> bool:
        if name in FUNCTIONS or self.live(name) is not None:
            return False
        definition = self.definitions.get(name)
        return bool(definition and definition.params) or callable(
            self.namespace.get(name)
        )

    def number(self, text: str, at: int) -> float:
        return float(text) + (self.nudged[1] if self.nudged[0] == at else 0.0)

    def bind(self, values: Mapping[str, Tensor]) -> Names:
        return replace(self, bound={**self.bound, **values})

    def move(self, values: Mapping[str, Tensor]) -> Names:
        """Leave the lesson's point: what depends on these is computed anew."""
        return replace(self.bind(values), moved=(*self.moved, *values))

    def value(self, name: str, at: int) -> Tensor:
        """Return a float64 copy; raise :class:`UnboundError` for an unknown name."""
        if name in self.bound:
            return self.bound[name]
        live = self.live(name)
        if live is not None and not self._depends(name):
            return self._copy(live, name, at)
        definition = self.definitions.get(name)
        if definition is None or (live is not None and not self._fits(name)):
            if live is not None:
                raise FormulaError(f"the text does not say what {name} is made of", at)
            if name in DERIVED_NAMES:
                return self.derivative(self._usual(name, at))
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
            raise FormulaError(
                f"{name} is no number or tensor in the code", at
            ) from error
        if not double and tensor.is_floating_point():
            self.log.eps = max(self.log.eps, torch.finfo(tensor.dtype).eps)
        return tensor.to(torch.complex128 if tensor.is_complex() else torch.float64)

    def _fits(self, name: str) -> bool:
        of = self.definitions[name].of
        return of is not None and of() is self.live(name)

    def _depends(self, name: str) -> bool:
        """Tell whether a live name follows from one that has been moved."""
        moved = [self.live(m) for m in self.moved]
        for item in self.closure([Node("name", (name,), 0)]) if moved else ():
            if item in self.moved or any(_follows(self.live(item), m) for m in moved):
                return True
        return False

    # Functions

    def apply(self, name: str, items: list[Tensor], at: int) -> Tensor:
        """Apply a function that the text or the code defines."""
        definition = self.definitions.get(name)
        function = self.namespace.get(name)
        if not callable(function) and definition:
            if len(definition.params) != len(items):
                raise FormulaError(f"{name} takes {len(definition.params)} values", at)
            self.log.texts.add(name)
            values = dict(zip(definition.params, items, strict=True))
            return evaluate(definition.body, self.bind(values)).tensor
        if not callable(function):
            raise UnboundError(name, at)
        answer = function(*items)
        self.log.witnesses.add("the code's function")
        return torch.as_tensor(answer, dtype=items[0].dtype)

    def slope(self, name: str, count: int, items: list[Tensor], at: int) -> Tensor:
        """Return the derivative of a function of one number, elementwise."""
        definition = self.definitions.get(name)
        if not items and definition and len(definition.params) == 1:
            items = [self.value(definition.params[0], at)]
        if len(items) != 1:
            raise FormulaError(f"say where: {name}'(…) of one number", at)
        builtin = FUNCTIONS.get(name)

        def function(t: Tensor) -> Tensor:
            return builtin(t) if builtin else self.apply(name, [t], at)

        for _ in range(count):
            function = self._slope(function)
        return function(items[0])

    def _slope(
        self, function: Callable[[Tensor], Tensor]
    ) -> Callable[[Tensor], Tensor]:
        def summed(t: Tensor) -> Tensor:
            return function(t).sum()

        return lambda t: self._jacobian(summed, t)

    # Derivatives

    def derivative(self, node: Node) -> Tensor:
        """Differentiate what the node says, where the scope stands."""
        if node.op == "bar":
            node = self._usual(node.args[0], node.at, adjoint=True)
        kind, of, targets, order = node.args
        of, *targets = (self._resolved(n) for n in (of, *targets))
        if not targets and of.op == "call":
            return self._at_arguments(of)
        targets = targets or self._variables(of)
        if kind == "nabla" and len(targets) > 1:
            if len(set(names_in(targets))) < len(targets):
                raise FormulaError("a name stands here twice", targets[0].at)
            parts = [self._one(node, of, (t,) * order) for t in targets]
            return torch.stack(parts)
        return self._one(node, of, tuple(targets) * order)

    def _resolved(self, node: Node) -> Node:
        """Take ``y_2`` as the variable ``y2`` or ``y_2`` where there is one."""
        if node.op == "index" and node.args[0].op == "name":
            name = spelled(node.args[0].args[0], node.args[1], self.knows)
            if name:
                return Node("name", (name,), node.at)
        return node

    def _one(self, node: Node, of: Node, targets: tuple[Node, ...]) -> Tensor:
        scalar = node.args[0] == "nabla"
        for target in targets:
            if _base(target).op != "name":
                raise FormulaError("differentiate with respect to a name", target.at)
        named = _base(of).op == "name"
        lives = [self.live(_base(n).args[0]) for n in (of, *targets) if named]
        direct = not any(_base(n).args[0] in self.bound for n in (of, *targets))
        if (
            named
            and direct
            and not self.moved
            and not self.numeric
            and all(isinstance(t, Tensor) and t.requires_grad for t in lives)
        ):
            return self._live(node, of, targets, lives)
        return self._text(of, targets, scalar)

    def _live(
        self, node: Node, of: Node, targets: tuple[Node, ...], lives: list[Tensor]
    ) -> Tensor:
        y, *xs = lives
        self.log.eps = max(self.log.eps, *(torch.finfo(t.dtype).eps for t in lives))
        if of.op == "index":
            y = y[self._place(of)]
        if node.args[0] == "nabla" and y.numel() != 1:
            raise FormulaError(
                f"a gradient is of a number, not of shape {tuple(y.shape)}:"
                r" write \frac{\partial y}{\partial x} for a Jacobian",
                of.at,
            )
        try:
            with _undisturbed(self.namespace):
                y = self._asked(y, xs, targets)
        except _UnusedError as error:
            name = _base(targets[0]).args[0]
            raise FormulaError(f"the graph does not lead to {name}", of.at) from error
        except RuntimeError as error:
            if "freed" not in str(error) and "second time" not in str(error):
                raise
            return self._freed(of, targets, xs[0])
        self.log.witnesses.add("autograd")
        return y.detach().to(torch.promote_types(y.dtype, torch.float64))

    def _asked(self, y: Tensor, xs: list[Tensor], targets: tuple[Node, ...]) -> Tensor:
        for k, (x, target) in enumerate(zip(xs, targets, strict=True)):
            y = _jacobian(y, x, further=k + 1 < len(xs))
            if target.op == "index":
                lead = y.ndim - x.ndim
                y = y[(slice(None),) * lead + self._place(target)]
        return y

    def _freed(self, of: Node, targets: tuple[Node, ...], x: Tensor) -> Tensor:
        """After backward(): the text's definition and ``.grad`` speak together."""
        name = of.args[0]
        if (
            len(targets) == 1
            and targets[0].op == of.op == "name"
            and x.is_leaf
            and (name in self.definitions and self._fits(name) and x.grad is not None)
        ):
            answer = self._text(of, targets, True)
            if torch.allclose(answer, x.grad.double(), rtol=1e-5, atol=1e-7):
                self.log.witnesses.add(".grad")
                return answer
        raise FormulaError(
            "backward() has freed this graph: state the gradient before that cell",
            of.at,
        )

    def _text(self, of: Node, targets: tuple[Node, ...], scalar: bool) -> Tensor:
        """Differentiate the formula, not the graph of the code."""

        for target in targets:
            if _base(target).args[0] not in self.closure([of]):
                raise FormulaError(
                    f"nothing says how it depends on {_base(target).args[0]}:"
                    " a general law is marked as law",
                    target.at,
                )

        def start(scope: Names) -> Tensor:
            value = evaluate(of, scope).tensor
            if scalar and value.numel() != 1:
                raise FormulaError(
                    f"a gradient is of a number, not of shape {tuple(value.shape)}",
                    of.at,
                )
            return value

        function: Callable[[Names], Tensor] = start
        for target in targets:
            function = self._step(function, target)
        return function(self)

    def _step(
        self, function: Callable[[Names], Tensor], target: Node
    ) -> Callable[[Names], Tensor]:
        name = _base(target).args[0]

        def derived(scope: Names) -> Tensor:
            point = scope.value(name, target.at)
            answer = self._jacobian(lambda t: function(scope.move({name: t})), point)
            if target.op == "index":
                lead = answer.ndim - point.ndim
                answer = answer[(slice(None),) * lead + scope._place(target)]
            return answer

        return derived

    def _jacobian(self, function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
        if self.numeric:
            return _differences(function, x)
        self.log.witnesses.add("autograd of the formula")
        answer = torch.autograd.functional.jacobian(function, x, create_graph=True)
        return (
            answer if torch.is_grad_enabled() and x.requires_grad else answer.detach()
        )

    def closure(self, nodes: Iterable[Node]) -> list[str]:
        """Return all names that some formulas come down to, by the definitions."""
        found, stack = {}, names_in(nodes)
        while stack:
            name = stack.pop()
            if name not in found:
                found[name] = True
                if name in self.definitions:
                    stack += names_in([self.definitions[name].body])
        return list(found)

    def _at_arguments(self, call: Node) -> Tensor:
        name, args = call.args
        items = [evaluate(arg, self).tensor for arg in args]
        if len(items) == 1:
            return self._jacobian(lambda t: self.apply(name, [t], call.at), items[0])
        point = torch.stack(items)
        return self._jacobian(lambda t: self.apply(name, list(t), call.at), point)

    def _place(self, index: Node) -> tuple[int, ...]:
        """Return the numbers that an index node means, within its shape."""
        tensor = self.value(_base(index).args[0], index.at)
        grid = torch.arange(tensor.numel(), dtype=torch.float64).reshape(tensor.shape)
        subs = index.args[1]
        one = len(subs) == 1 and subs[0].op == "number" and tensor.ndim > 1
        if one:
            subs = tuple(Node("number", (d,), subs[0].at) for d in subs[0].args[0])
        bound = self.bind({_base(index).args[0]: grid})
        evaluate(Node("index", (_base(index), subs), index.at), bound)
        return tuple(int(evaluate(sub, self).tensor) for sub in subs)

    # What an author leaves out

    def _variables(self, of: Node) -> tuple[Node, ...]:
        definition = self.definitions.get(of.args[0]) if of.op == "name" else None
        names = definition.params if definition else ()
        if not names and of.op == "name":
            names = self._leaves(self.live(of.args[0]))
            if len(names) != 1:
                raise FormulaError(
                    f"with respect to what? write \\nabla_x ({', '.join(names)})", of.at
                )
        if not names:
            raise FormulaError(r"with respect to what? write \nabla_x", of.at)
        return tuple(Node("name", (name,), of.at) for name in names)

    def _leaves(self, y: Any) -> tuple[str, ...]:
        tensors = {k: v for k, v in self.namespace.items() if isinstance(v, Tensor)}
        leaves = [k for k, v in tensors.items() if v.is_leaf and v.requires_grad]
        return tuple(
            k for k in leaves if isinstance(y, Tensor) and _follows(y, tensors[k])
        )

    def _usual(self, name: str, at: int, adjoint: bool = False) -> Node:
        r"""Say what ``\bar x``, J and H leave out, where there is only one answer."""
        scalar = adjoint or name == "H"
        ends = self._ends(scalar)
        if adjoint:
            x = self.live(name)
            ends = [
                e for e in ends if isinstance(x, Tensor) and _follows(self.live(e), x)
            ]
            pairs = [(end, name) for end in ends]
        else:
            pairs = [
                (end, leaf) for end in ends for leaf in self._leaves(self.live(end))
            ]
        if len(pairs) != 1:
            found = ", ".join(f"{y} by {x}" for y, x in pairs) or "nothing"
            raise FormulaError(
                f"{name} is the derivative of what by what? found {found};"
                r" write \frac{\partial y}{\partial x}",
                at,
            )
        of, by = (Node("name", (n,), at) for n in pairs[0])
        order = 2 if name == "H" and not adjoint else 1
        return Node(
            "derivative", ("nabla" if scalar else "partial", of, (by,), order), at
        )

    def _ends(self, scalar: bool) -> list[str]:
        """Return the results from which no other result is computed."""
        tensors = {
            k: v
            for k, v in self.namespace.items()
            if isinstance(v, Tensor)
            and v.grad_fn is not None
            and (v.numel() == 1 if scalar else v.ndim > 0)
        }
        return [
            k
            for k, v in tensors.items()
            if not any(w is not v and _follows(w, v) for w in tensors.values())
        ]


@contextmanager
def _undisturbed(namespace: Mapping[str, Any]) -> Iterator[None]:
    """Keep hooks from running and ``retain_grad`` from filling ``.grad``.

    ``torch.autograd.grad`` does both on its way, although it fills no leaf.
    """
    tensors = [t for t in namespace.values() if isinstance(t, Tensor)]
    retained = [(t, t.grad) for t in tensors if t.retains_grad]
    hooks = [(t._backward_hooks, dict(t._backward_hooks or {})) for t in tensors]
    try:
        for tensor, _ in retained:
            tensor.grad = None
        for live, kept in hooks:
            if kept:
                live.clear()
        yield
    finally:
        for tensor, grad in retained:
            tensor.grad = grad
        for live, kept in hooks:
            if kept:
                live.update(kept)


class _UnusedError(Exception):
    """The derivative of something that was not used."""


def _base(node: Node) -> Node:
    return node.args[0] if node.op == "index" else node


def _follows(y: Any, x: Any) -> bool:
    """Tell whether x is in the graph that made y (or is y)."""
    if not isinstance(x, Tensor) or not isinstance(y, Tensor) or y.grad_fn is None:
        return y is x
    stack, seen = [y.grad_fn], set()
    while stack:
        node = stack.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if node is x.grad_fn or getattr(node, "variable", None) is x:
            return True
        stack += [below for below, _ in node.next_functions]
    return False


def _jacobian(y: Tensor, x: Tensor, *, further: bool) -> Tensor:
    """Ask autograd for all of dy/dx, of shape y.shape + x.shape."""
    if y.grad_fn is None and y is not x:  # the first derivative was constant
        return torch.zeros(y.shape + x.shape, dtype=x.dtype)
    rows = []
    for entry in y.reshape(-1):
        [row] = torch.autograd.grad(
            entry, x, retain_graph=True, create_graph=further, allow_unused=True
        )
        rows.append(row)
    if all(row is None for row in rows):
        raise _UnusedError
    rows = [torch.zeros_like(x) if row is None else row for row in rows]
    return torch.stack(rows).reshape(y.shape + x.shape)


def _differences(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Central differences of fourth order (Abramowitz and Stegun, 25.3.6)."""
    columns = []
    for k in range(x.numel()):
        step = torch.zeros(x.numel(), dtype=x.dtype)
        step[k] = _STEP * max(1.0, float(abs(x.reshape(-1)[k])))
        h = step.reshape(x.shape)
        near = function(x + h) - function(x - h)
        far = function(x + 2 * h) - function(x - 2 * h)
        columns.append((8 * near - far) / (12 * step[k]))
    return torch.stack(columns, -1).reshape(columns[0].shape + x.shape)


def names_in(nodes: Iterable[Node]) -> list[str]:
    """Return the names that stand in some nodes, each once, in order."""
    found = (n.args[0] for node in nodes for n in walk(node) if n.op == "name")
    return list(dict.fromkeys(found))
