"""The drawing in words: numbered steps, for a terminal and for screen readers."""

from collections.abc import Sequence
from functools import reduce
from typing import NamedTuple

from torchutils.graph import NONE, Edge, Graph, Node, engine_order
from torchutils.labels import (
    Line,
    called,
    is_ordered,
    node_lines,
    operands,
    operation,
    reference,
    title,
)
from torchutils.rules import BEFORE, HOOKED, MARK, bracketed, mark, spell
from torchutils.saved import FREED
from torchutils.values import Value, added, show

__all__ = [
    "Step",
    "Timeline",
    "made",
    "steps",
    "summary",
    "timeline",
    "to_text",
    "unopened",
]

Timeline = dict[str, list[tuple[int, str, str]]]

PLANNED = 20  # of a backward pass to come, so many steps are told


def summary(graph: Graph) -> str:
    """Return the graph in one line.

    >>> summary(Graph((Node(0, "leaf", names=("x",)),), ()))
    'autograd graph: 1 node, 0 edges, 1 leaf (x)'
    """
    drawn = [n for n in graph.nodes if n.kind in ("leaf", "op")]
    edges = [e for e in graph.edges if graph.nodes[e.src].kind in ("leaf", "op")]
    if not drawn:
        return f"no autograd graph: {_many(len(graph.nodes), 'tensor')}"
    names = [n.names[0] if n.names else "no name" for n in graph.leaves]
    if len(names) > 8:
        names = [*names[:7], f"and {len(names) - 7} more"]
    text = f"autograd graph: {_many(len(drawn), 'node')}, {_many(len(edges), 'edge')}, "
    text += _many(len(graph.leaves), "leaf", "leaves")
    text += f" ({', '.join(names)})" if names else ""
    return text + (f", stopped after {graph.truncated}" if graph.truncated else "")


def _many(count: int, one: str, several: str = "") -> str:
    return f"{count} {one if count == 1 else several or one + 's'}"


class Step(NamedTuple):
    """One thing that happens, at a node or along an edge; its numbers are marked.

    What a reader may be asked before a backward step: whose ``turn`` it is, what the
    ``first`` contribution is, what an ``adjoint`` or a ``grad`` adds up to.
    """

    node: int
    edge: int | None
    text: str
    ask: str = ""


def steps(graph: Graph, style: str = "lesson") -> tuple[list[Step], list[Step]]:
    """Return what happens in the forward pass, and in the backward pass.

    Forward, each node gets its value.  Backward, each node has its turn, and then
    sends a contribution along each of its edges.
    """
    inputs = operands(graph)
    forward = [
        Step(i, None, made(graph, graph.nodes[i], inputs[i], style))
        for i in graph.forward
    ]
    place = {(e.dst, e.arg): k for k, e in enumerate(graph.edges)}
    sums = _seeds(graph)  # what came to each output, and along which edge last
    backward = []
    for i in graph.backward:
        held = BEFORE in dict(graph.nodes[i].attrs)
        ask = "grad" if held else "turn"
        backward.append(Step(i, None, _turn(graph, i, sums, style), ask))
        for edge in inputs[i]:
            if edge.grad is None:
                continue
            k, goal = place[i, edge.arg], (edge.src, edge.out)
            text = _sent(graph, inputs[i], k)
            ask = "adjoint" if goal in sums else "first"
            total: Value = edge.grad
            if goal in sums:
                last, old = sums[goal]
                total = added(old, edge.grad, _dtype(graph.nodes[edge.src], edge.out))
                text += _added(graph, k, last, old, total)
            sums[goal] = f"p{k}", total
            backward.append(Step(i, k, bracketed(text), ask))
    return forward, backward


_Sums = dict[tuple[int, int], tuple[str, Value]]


def _seeds(graph: Graph) -> _Sums:
    sums: _Sums = {}
    for i, out, seed in graph.seeds:
        dtype = _dtype(graph.nodes[i], out)
        old = sums.get((i, out))
        sums[i, out] = f"d{i}", added(old[1], seed, dtype) if old else seed
    return sums


def timeline(graph: Graph) -> Timeline:
    """Return what the drawing says from which step on: step, place, text.

    The keys are ``v0``, the value of node 0; ``g0``, its gradient's line, which grows
    as contributions arrive; ``s1``, the contribution along edge 1.
    """
    forward, backward = steps(graph)
    said: Timeline = {}
    for k, (node, edge, text, _) in enumerate((*forward, *backward), 1):
        marks = MARK.findall(text)
        if edge is not None:
            place, number = marks[-1]
            goal, out = graph.nodes[graph.edges[edge].src], graph.edges[edge].out
            line, text = f"g{goal.id}", f"adjoint {number}"
            if goal.outputs:
                line, text = f"{line}_{out}", f"adjoint of {called(goal, out)} {number}"
            said[f"s{edge}"] = [(k, f"s{edge}", "")]
            said.setdefault(line, []).append((k, place, text))
        elif k > len(forward):
            for at in _places(graph.nodes[node]):
                said.setdefault(f"g{node}{at}", []).append((k, "", ""))
        else:
            for at in _places(graph.nodes[node]):
                said[f"v{node}{at}"] = [(k, f"v{node}{at}", "")]
            if graph.nodes[node].kind == "leaf":
                old = dict(graph.nodes[node].attrs).get(BEFORE)
                said[f"g{node}"] = [(k, f"b{node}", f"grad {show(old)}")]
    return said


def _places(node: Node) -> list[str]:
    return [f"_{k}" for k in range(len(node.outputs))] or [""]


def _dtype(node: Node, out: int) -> str:
    return (node.outputs[out] if node.outputs else node).dtype


def _turn(graph: Graph, i: int, sums: _Sums, style: str) -> str:
    node = graph.nodes[i]
    hooked = _begun(graph, node) + _hooked(graph, node, sums)
    if node.kind != "leaf":
        came = [(k, o.adjoint) for k, o in enumerate(node.outputs)]
        parts = [
            f"{mark(f'a{i}', adjoint)} for {reference(node, k)}"
            for k, adjoint in came
            if adjoint is not None
        ] or [mark(f"a{i}", node.adjoint)]
        return f"{_who(node, style)} has its turn: g = {', '.join(parts)}{hooked}"
    old, new = dict(node.attrs).get(BEFORE), mark(f"r{i}", node.grad)
    was = mark(f"b{i}", old)
    total = node.adjoint if old is None else added(old, node.adjoint, node.dtype)
    if node.grad == NONE and node.adjoint is not None:
        hooked += "; something else emptied it"
    elif not _same(total, node.grad):
        hooked += "; something else changed it"
    elif old is not None:
        new = bracketed(f"{was} + {mark(f'a{i}', node.adjoint)} = {new}")
    return f"{reference(node)} is a leaf: its .grad was {was}, is {new}{hooked}"


def _begun(graph: Graph, node: Node) -> str:
    """Say what an output begins with that was given several times."""
    found = ""
    for k in range(len(node.outputs) or 1):
        given = [seed for i, out, seed in graph.seeds if (i, out) == (node.id, k)]
        if len(given) < 2 or any(isinstance(seed, str) for seed in given):
            continue
        dtype = _dtype(node, k)
        total = show(reduce(lambda a, b: added(a, b, dtype), given))
        first, *others = map(show, given)
        terms = [first, *(f"({t})" if t.startswith("-") else t for t in others)]
        found += f"; {reference(node, k)} began with {' + '.join(terms)} = {total}"
    return found


def _hooked(graph: Graph, node: Node, sums: _Sums) -> str:
    """Say where a node did not get the sum of what was sent to it."""
    found = ""
    for k, adjoint in enumerate([o.adjoint for o in node.outputs] or [node.adjoint]):
        _, came = sums.get((node.id, k), ("", adjoint))
        if adjoint is None or _same(came, adjoint):
            continue
        if graph.truncated:
            found += f"; of it, {show(came)} came along edges that are drawn"
        else:
            found += f"; a hook made {show(adjoint)} of {show(came)}"
    return found


def _same(a: Value, b: Value) -> bool:
    return isinstance(a, str) or isinstance(b, str) or show(a) == show(b)


def _visited(node: Node, style: str) -> str:
    return reference(node) if node.kind == "leaf" else _who(node, style)


def _who(node: Node, style: str) -> str:
    return f"{reference(node)} ({operation(node.op, style)})"


def _sent(graph: Graph, inputs: list[Edge], k: int) -> str:
    edge = graph.edges[k]
    terms = [edge.rule] if edge.rule else []
    if edge.rule not in ("", "g"):
        terms.append(spell(graph, inputs, edge))
    text = " = ".join([*terms, mark(f"s{k}", edge.grad)])
    goal, node = reference(graph.nodes[edge.src], edge.out), graph.nodes[edge.dst]
    after = ", after its hook" if any(n.startswith(HOOKED) for n in node.notes) else ""
    return f"{reference(node)} sends to {goal}: {text}{after}"


def _added(graph: Graph, k: int, last: str, old: Value, total: Value) -> str:
    edge = graph.edges[k]
    goal = reference(graph.nodes[edge.src], edge.out)
    terms = f"{mark(last, old)} + {mark(f's{k}', edge.grad)}"
    return f"; {goal} adds up {terms} = {mark(f'p{k}', total)}"


def made(graph: Graph, node: Node, inputs: list[Edge], style: str = "lesson") -> str:
    """Return a node in words: what it is made from, and its facts."""
    facts = [
        _marked(node, line) if line.role == "v" else line.text
        for line in node_lines(node, style)[1:]
        if not (graph.backward and line.role == "g")  # what backward has yet to bring
    ]
    if node.kind == "op":
        given = ", ".join(_given(graph, node, inputs))
        names = reference(node) if node.outputs else ", ".join(node.names)
        names = names or f"#{node.id}"
        head = f"{names} = {operation(node.op, style)}({given})"
        head += f" ×{node.count}" if node.count > 1 else ""
    elif node.kind == "module":
        given = ", ".join(_given(graph, node, inputs))
        head = title(node, style) + (f" of {given}" if given else "")
    else:
        head = ", ".join(node.names) or reference(node)
    if node.root:
        facts.insert(0, "output")
    return f"{head}: {', '.join(facts)}"


def _given(graph: Graph, node: Node, inputs: list[Edge]) -> list[str]:
    """Return the operands; where the order matters, constants before them count."""
    words = [reference(graph.nodes[e.src], e.out) for e in inputs]
    if any(e.many for e in inputs):
        pairs = zip(words, inputs, strict=True)
        return [f"{word} ({e.many})" if e.many else word for word, e in pairs]
    if not is_ordered(node.op) or node.count > 1 or node.kind == "module":
        return words
    given = ["constant"] * (max((e.arg for e in inputs), default=-1) + 1)
    for edge, word in zip(inputs, words, strict=True):
        given[edge.arg] = word
    return given


def _marked(node: Node, line: Line) -> str:
    if not line.at:
        return mark(f"v{node.id}", node.value)
    k = int(line.at[1:])
    value = mark(f"v{node.id}{line.at}", node.outputs[k].value)
    return f"{reference(node, k)} = {value}"


def unopened(names: Sequence[str]) -> str:
    """Say which boxes nobody opens here, and how to."""
    listed = ", ".join(names[:5]) + (f" and {len(names) - 5} more" * (len(names) > 5))
    return f"Not opened here: {listed}; only={names[0]!r} draws what is in the first."


def to_text(
    graph: Graph, *, style: str = "lesson", whole: Graph | None = None, title: str = ""
) -> str:
    """Return a drawing as numbered lines; the first one tells of the ``whole``."""
    forward, backward = steps(graph, style)
    first = f"Inside {title}:" if title else summary(whole or graph)
    out = [first, *graph.remarks, *([] if title else ["Forward:"])]
    lines = [MARK.sub(r"\2", step.text) for step in (*forward, *backward)]
    lines = [f"{k:3}. {line}" for k, line in enumerate(lines, 1)]
    out += lines[: len(forward)]
    if backward:
        out += ["Backward:", *lines[len(forward) :]]
    elif any(f"saved tensors {FREED}" in n.notes for n in graph.nodes):
        out += ["Backward would fail: what the operations had saved is freed."]
    elif any(n.kind == "module" for n in graph.nodes) or title:
        pass  # the engine goes from operation to operation, not from box to box
    elif any(n.kind == "op" for n in graph.nodes) and not graph.ran:
        known = (graph.nodes[i] for i in engine_order(graph))
        order = [_visited(n, style) for n in known if n.kind in ("leaf", "op")]
        if more := len(order) - PLANNED:
            order[PLANNED:] = [f"and {more} more"] if more > 0 else []
        out += ["Backward will visit: " + ", ".join(order)]
    return "\n".join(out)
