"""The autograd graph as plain, frozen records, and their JSON form."""

import heapq
import json
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from typing import Any, NamedTuple

from torchutils.values import Value, plain

__all__ = [
    "FORMAT",
    "NONE",
    "Edge",
    "Graph",
    "Group",
    "Node",
    "Output",
    "Row",
    "Shape",
    "WireRow",
    "engine_order",
    "entitled",
]

FORMAT = "torchutils-graph/2"
NONE = "None"  # a .grad that is None, with nothing that says one will come
Shape = tuple[int | str, ...] | None  # a ragged dimension is a word


# Named tuples, not dataclasses: a graph holds thousands of these, and a frozen
# dataclass takes four times as long to make.  A plain tuple takes a quarter again, and
# is no work for the garbage collector: hence the rows of a Graph.
class Output(NamedTuple):
    """One of several results of an operation; its fields mean what a node's mean."""

    names: tuple[str, ...] = ()
    shape: Shape = None
    dtype: str = ""
    value: Value = None
    grad: Value = None
    keeps_grad: bool = False
    adjoint: Value = None
    root: bool = False


class Node(NamedTuple):
    """One node: a leaf, an operation, or what stands for something else.

    ``kind`` is ``leaf``, ``op``, ``tensor`` (it has no graph), ``saved``, or
    ``more`` (the graph goes on, the drawing does not).  A drawing has two more:
    ``module``, a closed box, and ``given``, what comes into one.  Where an operation
    has several ``outputs``, each has a shape and a value of its own; the node then has
    the shape of the first, no value, and as its adjoint a tuple of theirs.
    """

    id: int
    kind: str
    op: str = ""  # torch's name, such as PowBackward0
    names: tuple[str, ...] = ()
    shape: Shape = None
    dtype: str = ""
    value: Value = None
    grad: Value = None  # what .grad holds
    keeps_grad: bool = False  # a leaf, or retain_grad() was called
    adjoint: Value = None  # what a recorded backward pass brought here
    attrs: tuple[tuple[str, Value], ...] = ()
    notes: tuple[str, ...] = ()
    root: bool = False
    line: str = ""
    outputs: tuple[Output, ...] = ()  # by number, where there are several
    count: int = 1  # type: ignore[assignment]  # alike ones; hides tuple's count()
    seq: int = -1  # order of execution in the forward pass; -1 for leaves
    group: int = -1


class Edge(NamedTuple):
    """One operand: the output ``out`` of ``src`` is argument ``arg`` of ``dst``."""

    src: int
    dst: int
    arg: int = 0
    out: int = 0
    grad: Value = None  # the contribution that a backward pass sent along it
    rule: str = ""  # how the contribution comes from the upstream gradient g
    many: str = ""  # which operands, where the edge stands for several


# fmt: off
Row = tuple[  # a Node's
    int, str, str, tuple[str, ...], Shape, str, Value, Value, bool, Value,
    tuple[tuple[str, Value], ...], tuple[str, ...], bool, str, tuple[Output, ...],
    int, int, int,
]
# fmt: on
WireRow = tuple[int, int, int, int, Value, str, str]  # an Edge's


class Group(NamedTuple):
    """A framed part: a module's call, or what is drawn once for ``count`` alike.

    ``label`` is a module's path, and ``cls`` its class; ``call`` says which of several
    calls it is; ``saves`` is how many bytes one copy holds for backward, if counted.
    """

    id: int
    label: str
    count: int = 1  # type: ignore[assignment]  # hides tuple's count()
    parent: int = -1
    cls: str = ""
    call: str = ""
    saves: int = 0

    @property
    def name(self) -> str:
        """What it is called, among all groups."""
        return ", ".join(part for part in (self.label, self.call) if part)

    @property
    def title(self) -> str:
        """What stands on the frame."""
        title = entitled(self.name, self.cls, self.count)
        return f"{title}: saves {self.held}" if self.saves else title

    @property
    def held(self) -> str:
        """How much it saves, in words."""
        return f"{self.saves:,} bytes" + " each" * (self.count > 1)


def entitled(name: str, cls: str, count: int) -> str:
    """Return the heading of a module, or of what repeats.

    >>> entitled("h.0 … h.11", "Block", 12), entitled("", "GPT2", 1)
    ('h.0 … h.11 (Block) ×12', 'GPT2')
    """
    what = f"{name} ({cls})" if name and cls else name or cls
    return f"{what} ×{count}" if count > 1 else what


@dataclass(frozen=True)
class Graph:
    """All that a drawing knows; holds no tensor and no autograd node.

    ``rows`` and ``wires`` are ``nodes`` and ``edges``, perhaps as plain tuples of the
    same fields: they become records when they are first asked for.
    """

    rows: tuple[Row, ...]
    wires: tuple[WireRow, ...]
    backward: tuple[int, ...] = ()  # recorded, in the engine's order
    truncated: int = 0  # the limit that stopped the reading
    groups: tuple[Group, ...] = ()
    remarks: tuple[str, ...] = ()  # sentences about the whole
    seeds: tuple[tuple[int, int, Value], ...] = ()  # gradients of outputs: node, out
    ran: bool = False  # a backward pass went through it
    bare: bool = False  # not every option of an operation was read
    guessed: bool = False  # the groups, which are calls of modules, are a guess
    memo: dict[object, Any] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )  # what was computed of it, see calm.once

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """The nodes; each one's id is its place."""
        return tuple(n if type(n) is Node else Node._make(n) for n in self.rows)

    @cached_property
    def edges(self) -> tuple[Edge, ...]:
        """The edges: for each node, those that enter it in the order of operands."""
        return tuple(e if type(e) is Edge else Edge._make(e) for e in self.wires)

    @property
    def leaves(self) -> tuple[Node, ...]:
        """The leaves, in the order of their discovery."""
        return tuple(n for n in self.nodes if n.kind == "leaf")

    @property
    def forward(self) -> tuple[int, ...]:
        """Ids in the order of execution, leaves first.

        What makes an operand comes before what uses it.  Sequence numbers decide among
        the rest only: a view that is renewed after its base has changed gets a
        younger node than its consumers, and each thread counts for itself.
        """
        known = [
            n
            for n in self.nodes
            if n.kind in ("leaf", "tensor", "op", "module", "given")
        ]
        waiting = dict.fromkeys((n.id for n in known), 0)
        users: dict[int, list[int]] = {n.id: [] for n in known}
        for e in self.edges:
            if e.src in waiting:
                waiting[e.dst] += 1
                users[e.src].append(e.dst)
        ready = [(n.seq, n.id) for n in known if not waiting[n.id]]
        heapq.heapify(ready)
        order = []
        while ready:
            _, i = heapq.heappop(ready)
            order.append(i)
            for user in users[i]:
                waiting[user] -= 1
                if not waiting[user]:
                    heapq.heappush(ready, (self.nodes[user].seq, user))
        return tuple(order)

    def to_json(self) -> str:
        """Return the graph as JSON text; fields at their default are left out.

        >>> Graph((Node(0, "leaf", names=("x",), shape=(3,)),), ()).to_json()
        '{"format":"torchutils-graph/2","nodes":[{"id":0,"kind":"leaf",\
"names":["x"],"shape":[3]}],"edges":[],"forward":[0],"backward":[]}'
        """
        document: dict[str, object] = {
            "format": FORMAT,
            "nodes": [_record(n) for n in self.nodes],
            "edges": [_record(e, always=4) for e in self.edges],
            "forward": self.forward,
            "backward": self.backward,
        }
        if self.groups:
            document["groups"] = [_record(g) for g in self.groups]
        for name in ("truncated", "remarks", "seeds", "guessed"):
            if getattr(self, name):
                document[name] = plain(getattr(self, name))
        return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def _record(item: Node | Edge | Output | Group, always: int = 2) -> dict[str, object]:
    default = type(item)._field_defaults
    dtype = getattr(item, "dtype", "")
    found = {
        name: plain(value, dtype)
        for k, (name, value) in enumerate(zip(item._fields, item, strict=True))
        if k < always or value != default.get(name)
    }
    if isinstance(item, Node) and item.outputs:
        found["outputs"] = [_record(output, 0) for output in item.outputs]
    return found


def engine_order(graph: Graph) -> tuple[int, ...]:
    """Return the order in which the engine will visit the nodes.

    The engine takes, among the nodes that have received every contribution,
    the one executed last in the forward pass; leaves go first of all
    (torch/csrc/autograd/engine.cpp, ``CompareNodeTaskTime``).  Among leaves that
    are ready at once its order is that of a C++ heap, which we don't foretell: here
    they go in the order in which they became ready.
    """
    waiting = [0] * len(graph.nodes)
    inputs: list[list[int]] = [[] for _ in graph.nodes]
    for e in graph.edges:
        waiting[e.src] += 1
        inputs[e.dst].append(e.src)

    arrivals = count()

    def key(i: int) -> tuple[int, int, int]:
        seq = graph.nodes[i].seq
        return (-seq if seq >= 0 else -len(graph.nodes), next(arrivals), i)

    ready = [key(n.id) for n in graph.nodes if not waiting[n.id] and n.kind != "saved"]
    heapq.heapify(ready)
    order = []
    while ready:
        i = heapq.heappop(ready)[2]
        order.append(i)
        for src in inputs[i]:
            waiting[src] -= 1
            if not waiting[src]:
                heapq.heappush(ready, key(src))
    return tuple(order)
