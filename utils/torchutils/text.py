"""The drawing in words: numbered steps, for a terminal and for screen readers."""

from torchutils.graph import Edge, Graph, Node, engine_order
from torchutils.labels import node_lines, operands, operation, reference
from torchutils.values import show

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
    names = [n.names[0] if n.names else "no name" for n in graph.leaves]
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
        if node.kind == "leaf":
            backward.append(_added(graph, node))
        else:
            sent = [_sent(graph, e) for e in inputs[i] if e.grad is not None]
            text = f"{_name(node, style)}: receives {show(node.adjoint)}"
            backward.append("; ".join([f"{text} = g", *sent]))
    return forward, backward


def _added(graph: Graph, leaf: Node) -> str:
    came = {e: k for k, e in enumerate(graph.backward)}
    edges = [e for e in graph.edges if e.src == leaf.id and e.grad is not None]
    edges.sort(key=lambda e: (came.get(e.dst, -1), e.arg))
    terms = " + ".join(show(e.grad) for e in edges)
    total = show(leaf.adjoint)
    text = f"{terms} = {total}" if len(edges) > 1 else total
    return f"{reference(leaf)}: adds up {text}; .grad is {show(leaf.grad)}"


def _sent(graph: Graph, edge: Edge) -> str:
    rule = f"{edge.rule} = " if edge.rule not in ("", "g") else ""
    return (
        f"sends {rule}{show(edge.grad)} to {reference(graph.nodes[edge.src], edge.out)}"
    )


def _name(node: Node, style: str) -> str:
    if node.kind != "op":
        return reference(node)
    return f"{reference(node)} ({operation(node.op, style)})"


def _made(graph: Graph, node: Node, inputs: list, style: str) -> str:
    facts = [line.text for line in node_lines(node, style)[1:]]
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
    out += [f"{k:3}. {line}" for k, line in enumerate(forward, 1)]
    if backward:
        out += ["Backward:"]
        out += [f"{k:3}. {s}" for k, s in enumerate(backward, 1 + len(forward))]
    elif any(n.kind == "op" for n in graph.nodes):
        order = [_name(graph.nodes[i], style) for i in engine_order(graph)]
        out += ["Backward will visit: " + ", ".join(order[:20])]
    return "\n".join(out)
