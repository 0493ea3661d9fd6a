"""The drawing in words: numbered steps, for a terminal and for screen readers."""

from torchutils.graph import Graph, Node, engine_order
from torchutils.labels import node_lines, operands, operation, reference
from torchutils.values import show, visible

__all__ = ["steps", "summary", "to_text"]


def summary(graph: Graph) -> str:
    """Return the graph in one line.

    >>> summary(Graph((Node(0, "leaf", names=("x",)),), ()))
    'autograd graph: 1 node, 0 edges, 1 leaf (x)'
    """
    drawn = [n for n in graph.nodes if n.kind in ("leaf", "op")]
    edges = [e for e in graph.edges if graph.nodes[e.src].kind in ("leaf", "op")]
    if not drawn:
        return f"no autograd graph: {_many(len(graph.nodes), 'tensor')}"
    names = [visible(n.names[0]) if n.names else "no name" for n in graph.leaves]
    if len(names) > 8:
        names = [*names[:7], f"and {len(names) - 7} more"]
    text = f"autograd graph: {_many(len(drawn), 'node')}, {_many(len(edges), 'edge')}, "
    text += _many(len(graph.leaves), "leaf", "leaves")
    text += f" ({', '.join(names)})" if names else ""
    return text + (f", stopped after {graph.truncated}" if graph.truncated else "")


def _many(count: int, one: str, several: str = "") -> str:
    return f"{count} {one if count == 1 else several or one + 's'}"


def steps(graph: Graph, style: str = "lesson") -> tuple[list[str], list[str]]:
    """Return the sentences for the forward and for the backward pass."""
    inputs = operands(graph)
    forward = [_made(graph, graph.nodes[i], inputs[i], style) for i in graph.forward]
    backward = []
    for i in graph.backward:
        node = graph.nodes[i]
        sent = [
            f"{show(e.grad)} to {reference(graph.nodes[e.src])}"
            for e in inputs[i]
            if e.grad is not None
        ]
        if node.kind == "leaf":
            text = f"{reference(node)}: adds up {show(node.adjoint)}"
            backward.append(f"{text}; .grad is {show(node.grad)}")
        else:
            name = _name(node, style)
            backward.append(
                f"{name}: receives {show(node.adjoint)}; sends {', '.join(sent)}"
            )
    return forward, backward


def _name(node: Node, style: str) -> str:
    return f"{reference(node)} ({operation(node.op, style)})"


def _made(graph: Graph, node: Node, inputs: list, style: str) -> str:
    facts = [line.text for line in node_lines(node, style)[1:]]
    if node.kind == "op":
        given = ", ".join(reference(graph.nodes[e.src]) for e in inputs)
        names = ", ".join(map(visible, node.names)) or f"#{node.id}"
        head = f"{names} = {operation(node.op, style)}({given})"
        head += f" ×{node.count}" if node.count > 1 else ""
    else:
        head = ", ".join(map(visible, node.names)) or f"#{node.id}"
    if node.root:
        facts.insert(0, "output")
    return f"{head}: {', '.join(facts)}"


def to_text(graph: Graph, *, style: str = "lesson") -> str:
    """Return the whole graph as numbered lines of text."""
    forward, backward = steps(graph, style)
    out = [summary(graph), *graph.remarks, "Forward:"]
    out += [f"{k:3}. {line}" for k, line in enumerate(forward, 1)]
    if backward:
        out += ["Backward:"]
        out += [f"{k:3}. {s}" for k, s in enumerate(backward, 1 + len(forward))]
    elif any(n.kind == "op" for n in graph.nodes):
        order = [_name(graph.nodes[i], "torch") for i in engine_order(graph)]
        out += ["Backward will visit: " + ", ".join(order[:20])]
    return "\n".join(out)
