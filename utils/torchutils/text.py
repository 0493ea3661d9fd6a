"""The drawing in words: numbered steps, for a terminal and for screen readers."""

from typing import NamedTuple

from torchutils.graph import Edge, Graph, Node, engine_order
from torchutils.labels import node_lines, operands, operation, reference
from torchutils.rules import BEFORE, MARK, bracketed, mark, spell
from torchutils.values import Value, show

__all__ = ["Step", "steps", "summary", "timeline", "to_text"]


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
        Step(i, None, _made(graph, graph.nodes[i], inputs[i], style))
        for i in graph.forward
    ]
    place = {(e.dst, e.arg): k for k, e in enumerate(graph.edges)}
    sums: dict[tuple[int, int], tuple[int, Value]] = {}  # what came to each output
    backward = []
    for i in graph.backward:
        added = BEFORE in dict(graph.nodes[i].attrs)
        ask = "grad" if added else "turn"
        backward.append(Step(i, None, _turn(graph.nodes[i], style), ask))
        for edge in inputs[i]:
            if edge.grad is None:
                continue
            k, goal = place[i, edge.arg], (edge.src, edge.out)
            text = _sent(graph, inputs[i], k)
            ask = "adjoint" if goal in sums else "first"
            if goal in sums:
                text += _added(graph, k, *sums[goal])
            sums[goal] = k, _plus(sums[goal][1] if goal in sums else None, edge.grad)
            backward.append(Step(i, k, bracketed(text), ask))
    return forward, backward


def timeline(graph: Graph) -> dict[str, list[tuple[int, str, str]]]:
    """Return what the drawing says from which step on: step, place, text.

    The keys are ``v0``, the value of node 0; ``g0``, its gradient's line, which grows
    as contributions arrive; ``s1``, the contribution along edge 1.
    """
    forward, backward = steps(graph)
    said: dict[str, list[tuple[int, str, str]]] = {}
    for k, (node, edge, text, _) in enumerate((*forward, *backward), 1):
        marks = MARK.findall(text)
        if edge is not None:
            place, number = marks[-1]
            goal = graph.edges[edge].src
            said[f"s{edge}"] = [(k, f"s{edge}", "")]
            said.setdefault(f"g{goal}", []).append((k, place, f"adjoint {number}"))
        elif k > len(forward):
            said.setdefault(f"g{node}", []).append((k, "", ""))
        else:
            said[f"v{node}"] = [(k, f"v{node}", "")]
            if graph.nodes[node].kind == "leaf":
                old = dict(graph.nodes[node].attrs).get(BEFORE)
                said[f"g{node}"] = [(k, f"b{node}", f"grad {show(old)}")]
    return said


def _turn(node: Node, style: str) -> str:
    i = node.id
    if node.kind != "leaf":
        return f"{_who(node, style)} has its turn: g = {mark(f'a{i}', node.adjoint)}"
    old, new = dict(node.attrs).get(BEFORE), mark(f"r{i}", node.grad)
    was = mark(f"b{i}", old)
    if old is not None:
        new = bracketed(f"{was} + {mark(f'a{i}', node.adjoint)} = {new}")
    return f"{reference(node)} is a leaf: its .grad was {was}, is {new}"


def _who(node: Node, style: str) -> str:
    return f"{reference(node)} ({operation(node.op, style)})"


def _sent(graph: Graph, inputs: list[Edge], k: int) -> str:
    edge = graph.edges[k]
    terms = [edge.rule] if edge.rule else []
    if edge.rule not in ("", "g"):
        terms.append(spell(graph, inputs, edge))
    text = " = ".join([*terms, mark(f"s{k}", edge.grad)])
    goal = reference(graph.nodes[edge.src], edge.out)
    return f"{reference(graph.nodes[edge.dst])} sends to {goal}: {text}"


def _added(graph: Graph, k: int, last: int, old: Value) -> str:
    edge = graph.edges[k]
    goal = reference(graph.nodes[edge.src], edge.out)
    terms = f"{mark(f'p{last}', old)} + {mark(f's{k}', edge.grad)}"
    return f"; {goal} adds up {terms} = {mark(f'p{k}', _plus(old, edge.grad))}"


def _plus(a: Value, b: Value) -> Value:
    if isinstance(a, tuple) and isinstance(b, tuple):
        return tuple(map(_plus, a, b))
    return b if a is None or isinstance(b, str) else a + b


def _made(graph: Graph, node: Node, inputs: list, style: str) -> str:
    facts = [
        mark(f"v{node.id}", node.value) if line.role == "v" else line.text
        for line in node_lines(node, style)[1:]
        if not (graph.backward and line.role == "g")  # what backward has yet to bring
    ]
    if node.kind == "op":
        given = ", ".join(reference(graph.nodes[e.src], e.out) for e in inputs)
        names = ", ".join(node.names) or f"#{node.id}"
        head = f"{names} = {operation(node.op, style)}({given})"
        head += f" ×{node.count}" if node.count > 1 else ""
    else:
        head = ", ".join(node.names) or f"#{node.id}"
    if node.root:
        facts.insert(0, "output")
    return f"{head}: {', '.join(facts)}"


def to_text(graph: Graph, *, style: str = "lesson") -> str:
    """Return the whole graph as numbered lines of text."""
    forward, backward = steps(graph, style)
    out = [summary(graph), *graph.remarks, "Forward:"]
    lines = [MARK.sub(r"\2", step.text) for step in (*forward, *backward)]
    lines = [f"{k:3}. {line}" for k, line in enumerate(lines, 1)]
    out += lines[: len(forward)]
    if backward:
        out += ["Backward:", *lines[len(forward) :]]
    elif any(n.kind == "op" for n in graph.nodes):
        order = [_who(graph.nodes[i], style) for i in engine_order(graph)]
        out += ["Backward will visit: " + ", ".join(order[:20])]
    return "\n".join(out)
