"""The recorded graph as scalar instructions, which a page can run for other leaves."""

import json
from collections.abc import Callable, Sequence
from math import log, pi

import torch

from torchutils.graph import Graph, Node
from torchutils.labels import operands, operation
from torchutils.rules import BEFORE, SECOND
from torchutils.values import Value, frozen, plain

__all__ = ["Tape", "added_constant", "to_tape"]

_Two = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
_broadcast: Callable[..., Sequence[torch.Tensor]] = torch.broadcast_tensors
Slots = torch.Tensor  # for each entry of a tensor, the instruction that makes it


class _UnknownError(Exception):
    """What stands in the way."""


class Tape:
    """Instructions that compute a graph anew, number by number.

    ``code`` holds instructions, each making one number: ``[3.0]`` is that number,
    ``["*", 0, 1]`` the product of what instructions 0 and 1 made.  Each edge copies its
    source, so that the adjoint of the copy is what goes back along it.  ``seeds`` are
    the adjoints to begin with.  ``places`` finds each number of the text version: 0 for
    a value or 1 for an adjoint, then lists of instructions that are to be added.
    """

    def __init__(self, dtype: str) -> None:
        self.dtype = dtype
        self.code: list[list[object]] = []
        self.seeds: dict[int, object] = {}
        self.places: dict[str, tuple[int, *tuple[list[int], ...]]] = {}
        self._known: dict[float, Slots] = {}

    def put(self, *instruction: object) -> int:
        """Write one instruction, and return where."""
        self.code.append(list(instruction))
        return len(self.code) - 1

    def to_json(self) -> str:
        """Return the tape as JSON text."""
        names = ("dtype", "code", "seeds", "places")
        document = {name: getattr(self, name) for name in names}
        return json.dumps(document, separators=(",", ":"))

    def numbers(self, value: Value) -> Slots:
        """Write numbers, in the shortest way that the data's type tells apart."""
        tensor = _tensor(value, "a large tensor")
        return _map(lambda x: self.put(plain(x, self.dtype)), tensor)

    def each(self, op: str, *given: Slots | float) -> Slots:
        """Write one instruction for each entry, operands broadcast."""
        slots = [x if isinstance(x, torch.Tensor) else self._one(x) for x in given]
        return _map(lambda *at: self.put(op, *at), *_broadcast(*slots))

    def _one(self, number: float) -> Slots:
        if number not in self._known:
            self._known[number] = torch.tensor(self.put(plain(number)))
        return self._known[number]

    def total(self, rows: Slots) -> Slots:
        """Write the sum over the last dimension."""
        total, *others = rows.unbind(-1) if rows.shape[-1] else (self._one(0.0),)
        for other in others:
            total = self.each("+", total, other)
        return total

    def note(self, place: str, adjoint: int, *parts: Slots) -> None:
        """Note where a number of the text version is found, told in words or not."""
        self.places[place] = (adjoint, *(part.flatten().tolist() for part in parts))

    def seed(self, slots: Slots, value: Value) -> None:
        """Note adjoints to begin with."""
        numbers = _tensor(value, "a large gradient").expand(slots.shape)
        told = (plain(x, self.dtype) for x in numbers.flatten().tolist())
        self.seeds.update(zip(slots.flatten().tolist(), told, strict=True))


def _map(write: Callable[..., int], *tensors: torch.Tensor) -> Slots:
    entries = zip(*(t.flatten().tolist() for t in tensors), strict=True)
    made = [write(*entry) for entry in entries]
    return torch.tensor(made, dtype=torch.int64).reshape(tensors[0].shape)


def _tensor(value: Value, what: str) -> torch.Tensor:
    try:
        numbers = torch.tensor(value, dtype=torch.float64)
    except (TypeError, ValueError, RuntimeError):
        raise _UnknownError(what) from None
    if not numbers.isfinite().all():
        raise _UnknownError("a number that is not finite")
    return numbers


def to_tape(graph: Graph) -> Tape | str:
    """Return a recorded graph's tape, or in words what stands in its way.

    >>> from torchutils.graph import Edge
    >>> x = Node(0, "leaf", value=2.0, shape=())
    >>> y = Node(1, "op", "SinBackward0", shape=(), adjoint=1.0, root=True)
    >>> to_tape(Graph((x, y), (Edge(0, 1, 0, 0, 1.0),), (1, 0))).code
    [[2], [0], ['+', 0, 1], ['sin', 2]]
    >>> to_tape(Graph((x, y._replace(op="ErfBackward0")), (Edge(0, 1),), (1, 0)))
    'the operation erf'
    """
    with torch.device("cpu"):  # whatever the default is where the drawing is shown
        return _lowered(graph)


def _lowered(graph: Graph) -> Tape | str:
    tape = Tape(graph.nodes[graph.backward[0]].dtype)
    made: dict[int, Slots] = {}
    sent: dict[int, Slots] = {}
    inputs = operands(graph)
    place = {(e.dst, e.arg): k for k, e in enumerate(graph.edges)}
    try:
        for i in graph.forward:
            node = graph.nodes[i]
            if any(o.dtype.startswith("complex") for o in node.outputs or [node]):
                raise _UnknownError("complex numbers")
            if node.kind != "op":
                made[i] = tape.numbers(node.value)
                continue
            if any(e.src not in made for e in inputs[i]):
                raise _UnknownError("the operations that are not drawn")
            given = {e.arg: tape.each("+", made[e.src], 0.0) for e in inputs[i]}
            sent |= {place[i, arg]: slots for arg, slots in given.items()}
            made[i] = _Lowering(tape, graph, node, given).result()
        _note(tape, graph, made, sent)
    except _UnknownError as unknown:
        return str(unknown)
    return tape


def _note(
    tape: Tape, graph: Graph, made: dict[int, Slots], sent: dict[int, Slots]
) -> None:
    sums: dict[int, list[Slots]] = {}
    into: dict[int, list[int]] = {i: [] for i in graph.backward}
    for k, edge in enumerate(graph.edges):
        into.get(edge.dst, []).append(k)
    for i in graph.backward:
        for k in into[i]:
            if graph.edges[k].grad is not None:
                goal = sums.setdefault(graph.edges[k].src, [])
                goal.append(sent[k])
                tape.note(f"s{k}", 1, sent[k])
                tape.note(f"p{k}", 1, *goal)
    for node in graph.nodes:
        if node.id not in made:
            continue  # what was saved is computed from nothing
        i, slots, held = node.id, made[node.id], []
        if (old := dict(node.attrs).get(BEFORE)) is not None:
            held = [tape.numbers(old)]
            tape.seed(held[0], old)
            tape.note(f"b{i}", 1, *held)
        tape.note(f"v{i}", 0, slots)
        tape.note(f"a{i}", 1, slots)
        tape.note(f"r{i}", 1, slots, *held)
        if node.root:
            if i in sums:
                raise _UnknownError("an output that is used again")
            tape.seed(slots, node.adjoint)


class _Lowering:
    """One operation of torch, said in instructions that the page knows."""

    def __init__(
        self, tape: Tape, graph: Graph, node: Node, given: dict[int, Slots]
    ) -> None:
        self.tape, self.graph, self.node, self.given = tape, graph, node, given
        self.attrs = dict(node.attrs)
        self.op = operation(node.op)

    def result(self) -> Slots:
        """Write the operation; it has the shape that torch recorded."""
        lower = _LOWER.get(self.op)
        made = None
        if lower is not None and not (self.node.outputs or "alpha" in self.attrs):
            made = lower(self)
        if made is None or made.shape != self.node.shape:
            raise _UnknownError(f"the operation {self.op}")
        return made

    def each(self, op: str, *given: Slots | float) -> Slots:
        """Write one instruction for each entry."""
        return self.tape.each(op, *given)

    @property
    def a(self) -> Slots:
        """The first operand."""
        return self.given[0] if 0 in self.given else self._constant(("self",))

    @property
    def b(self) -> Slots:
        """The second operand."""
        return self.given[1] if 1 in self.given else self._constant(SECOND)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape that torch recorded."""
        whole = tuple(n for n in self.node.shape or () if isinstance(n, int))
        if whole != self.node.shape:
            raise _UnknownError(f"the operation {self.op}")
        return whole

    def whole(self, name: str) -> tuple[int, ...]:
        """An option of whole numbers; what is 0 alone was left out as usual."""
        value = self.attrs.get(name, 0)
        some = value if isinstance(value, tuple) else (value,)
        return tuple(n for n in some if isinstance(n, int))

    def number(self, name: str) -> Value:
        """An option, or the constant that it names."""
        value = self.attrs.get(name)
        return self.attrs.get(value, value) if isinstance(value, str) else value

    def _constant(self, names: tuple[str, ...]) -> Slots:
        for name in names:
            if name in self.attrs:
                return self.tape.numbers(self.number(name))
        return self.tape.numbers(self._guess())

    def _guess(self) -> Value:
        """Find the constant of a sum, which torch does not keep, by its result."""
        op = "rsub" if self.op == "sub" and 0 not in self.given else self.op
        what = f"a constant of {op}, which PyTorch does not keep"
        if op not in _SUMS:
            raise _UnknownError(what)
        source = next(e.src for e in self.graph.edges if e.dst == self.node.id)
        given = _tensor(self.graph.nodes[source].value, what)
        result = _tensor(self.node.value, what)
        return added_constant(op, given, result, getattr(torch, self.node.dtype))

    def scaled(self, slots: Slots, factor: float) -> Slots:
        """Multiply by a number."""
        return self.each("*", slots, factor)

    def power(self) -> Slots:
        """Raise to a constant, or a positive constant to what is given."""
        if self.node.op == "PowBackward2":
            base = self.attrs.get("self")
            if not isinstance(base, int | float) or base <= 0:
                raise _UnknownError("a power of a tensor")
            return self.each("exp", self.scaled(self.a, log(base)))
        exponent = _tensor(self.number("exponent"), "a power of a tensor")
        if (exponent == 0).any():
            raise _UnknownError("a power of 0")
        one = exponent.item() if exponent.dim() == 0 else None
        slots = self.tape.numbers(frozen(exponent.tolist())) if one is None else one
        return self.each("^", self.a, slots)

    def abs(self, slots: Slots) -> Slots:
        """Write the absolute value, whose slope at 0 is 0."""
        parts = self.each("relu", slots), self.each("relu", self.scaled(slots, -1.0))
        return self.each("+", *parts)

    def extreme(self, sign: float) -> Slots:
        """Write the larger or smaller of two; a tie shares its gradient."""
        a, b = self.scaled(self.a, 0.5), self.scaled(self.b, 0.5)  # none overflows
        gap = self.abs(self.each("+", a, self.scaled(b, -1.0)))
        return self.each("+", self.each("+", a, b), self.scaled(gap, sign))

    def matrix_product(self) -> Slots:
        """Write a product of matrices, or of a matrix and a vector."""
        a, b = self.a, self.b
        columns = b.unsqueeze(1) if b.dim() == 1 else b
        terms = self.each("*", a.unsqueeze(1), columns.t().unsqueeze(0))
        return self.tape.total(terms).reshape(self.shape)

    def rows(self) -> Slots:
        """Bring the entries that are to be added into the last dimension."""
        if not self.shape:
            return self.a.flatten()
        dims = self.whole("dim")
        a = self.a.movedim(dims, tuple(range(-len(dims), 0)))
        return a.reshape(*self.shape, -1)

    def mean(self) -> Slots:
        """Write the mean over some dimensions."""
        rows = self.rows()
        return self.scaled(self.tape.total(rows), 1 / rows.shape[-1])


# How a constant follows from the other operand and the result, and the result from it.
_SUMS: dict[str, tuple[_Two, _Two]] = {
    "add": (lambda x, y: y - x, lambda x, c: x + c),
    "sub": (lambda x, y: x - y, lambda x, c: x - c),
    "rsub": (lambda x, y: x + y, lambda x, c: c - x),
}


def added_constant(
    op: str, given: torch.Tensor, result: torch.Tensor, dtype: torch.dtype
) -> Value:
    """Return the constant c of a sum by its result: given + c, given − c, or c − given.

    Of the numbers that lead to the same ``result`` it is the one with fewest digits.
    ``op`` is add, sub or rsub; ``dtype`` is the type in which the sum was computed.

    >>> half, sums = torch.tensor(0.5), torch.tensor([0.6, 0.7])
    >>> added_constant("add", half, sums, torch.float32)
    (0.1, 0.2)
    """
    x, y = _broadcast(given.to(dtype), result.to(dtype))
    solve, compute = _SUMS[op]
    found = solve(x.double(), y.double())
    for digits in range(9, 0, -1):
        short = found.clone().apply_(lambda c, d=digits: float(f"{c:.{d}g}"))
        same = compute(x, short.to(dtype)) == y
        found = torch.where(same, short, found)
    return frozen(found.tolist())


_LOWER: dict[str, Callable[[_Lowering], Slots]] = {
    "add": lambda t: t.each("+", t.a, t.b),
    "sub": lambda t: t.each("+", t.a, t.scaled(t.b, -1.0)),
    "rsub": lambda t: t.each("+", t.scaled(t.a, -1.0), t.b),
    "mul": lambda t: t.each("*", t.a, t.b),
    "div": lambda t: t.each("*", t.a, t.each("^", t.b, -1.0)),
    "pow": _Lowering.power,
    "neg": lambda t: t.scaled(t.a, -1.0),
    "reciprocal": lambda t: t.each("^", t.a, -1.0),
    "sqrt": lambda t: t.each("^", t.a, 0.5),
    "exp": lambda t: t.each("exp", t.a),
    "log": lambda t: t.each("log", t.a),
    "sin": lambda t: t.each("sin", t.a),
    "cos": lambda t: t.each("sin", t.each("+", t.a, pi / 2)),
    "sigmoid": lambda t: t.each("sigmoid", t.a),
    "tanh": lambda t: t.each(
        "+", t.scaled(t.each("sigmoid", t.scaled(t.a, 2.0)), 2.0), -1.0
    ),
    "relu": lambda t: t.each("relu", t.a),
    "abs": lambda t: t.abs(t.a),
    "maximum": lambda t: t.extreme(1.0),
    "minimum": lambda t: t.extreme(-1.0),
    "dot": lambda t: t.tape.total(t.each("*", t.a, t.b)),
    "mv": _Lowering.matrix_product,
    "mm": _Lowering.matrix_product,
    "sum": lambda t: t.tape.total(t.rows()),
    "mean": _Lowering.mean,
    "clone": lambda t: t.a,
    "t": lambda t: t.a.t(),
    "permute": lambda t: t.a.permute(t.whole("dims")),
    "select": lambda t: t.a.select(*t.whole("dim"), *t.whole("index")),
    "expand": lambda t: t.a.expand(t.shape),
    **dict.fromkeys(
        ("view", "unsafe_view", "squeeze", "unsqueeze"),
        lambda t: t.a.reshape(t.shape),
    ),
}
