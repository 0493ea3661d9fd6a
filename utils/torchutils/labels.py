"""The lines of text that stand in a node or on an edge."""

import re
from functools import cache
from typing import NamedTuple

from torchutils.graph import Edge, Graph, Node
from torchutils.values import Value, show, visible

__all__ = [
    "Line",
    "edge_lines",
    "is_ordered",
    "node_lines",
    "operands",
    "operation",
    "reference",
    "shape",
    "title",
]

WIDEST = 40  # characters in a line; the whole text is in the tooltip

# The order of these operands changes nothing, so the drawing does not number them.
_SYMMETRIC = frozenset(["add", "mul", "dot", "maximum", "minimum"])


class Line(NamedTuple):
    """A line of text; its role: ``t`` title, ``m`` facts, ``v`` value, ``g`` grad."""

    text: str
    role: str = "m"


@cache
def operation(op: str, style: str = "lesson") -> str:
    """Return an operation's name in a style.

    >>> operation("PowBackward0"), operation("NativeLayerNormBackward0", "torch")
    ('pow', 'NativeLayerNormBackward0')
    """
    if style == "torch":
        return visible(op)
    short = re.sub(r"Backward\d*$", "", op) or op
    return visible(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", short).lower())


def title(node: Node, style: str = "lesson") -> str:
    """Return a node's heading: its names, and what it does."""
    names = ", ".join(node.names)
    if node.kind == "more":
        return "… the graph goes on"
    if node.kind == "saved":
        return f"saved {visible(node.op)}" + (f" = {names}" if names else "")
    if node.kind != "op":
        return names or "no name"
    what = operation(node.op, style)
    times = f" ×{node.count}" if node.count > 1 else ""
    return (f"{names} = {what}" if names else what) + times


def node_lines(node: Node, style: str = "lesson") -> list[Line]:
    """Return all that a drawing says about a node, heading first, uncut."""
    lines = [Line(title(node, style), "t")]
    word = {"leaf": "leaf", "tensor": "no graph"}.get(node.kind)
    facts = [word] if word else []
    if node.shape is not None:
        facts.append(shape(node.shape))
    if node.dtype:
        facts.append(node.dtype)
    if facts:
        lines.append(Line(" · ".join(facts)))
    lines += [Line(f"{visible(k)} = {visible(show(v))}") for k, v in node.attrs]
    if node.value is not None and not isinstance(node.value, str):
        lines.append(Line(show(node.value), "v"))
    if node.grad is not None:
        lines.append(Line(f"grad {show(node.grad)}", "g"))
    elif node.adjoint is not None:
        lines.append(Line(f"adjoint {show(node.adjoint)}", "g"))
    elif node.keeps_grad:
        lines.append(Line("grad: not computed yet"))
    lines += [Line(visible(note)) for note in node.notes]
    return lines + ([Line(visible(node.line))] if node.line else [])


def shape(sizes: tuple[int, ...]) -> str:
    """Return a shape as Python writes it.

    >>> shape((2, 3)), shape(())
    ('(2, 3)', 'scalar')
    """
    return str(sizes) if sizes else "scalar"


def is_ordered(node: Node) -> bool:
    """Say whether exchanging the operands may change the result."""
    return operation(node.op) not in _SYMMETRIC


def operands(graph: Graph) -> list[list[Edge]]:
    """Return, for each node, the edges that enter it, in the order of operands."""
    found: list[list[Edge]] = [[] for _ in graph.nodes]
    for edge in graph.edges:
        if edge.arg >= 0:
            found[edge.dst].append(edge)
    for edges in found:
        edges.sort(key=lambda e: e.arg)
    return found


def edge_lines(graph: Graph, style: str = "lesson") -> list[list[Line]]:
    """Return what stands on each edge: operand, output, contribution."""
    inputs = operands(graph)
    found = []
    for e in graph.edges:
        src, dst = graph.nodes[e.src], graph.nodes[e.dst]
        lines = []
        ordered = style == "torch" or is_ordered(dst)
        if e.arg >= 0 and ordered and (e.arg or len(inputs[e.dst]) > 1):
            lines.append(Line(f"operand {e.arg}"))
        if src.attrs and src.attrs[-1][0] == "outputs":
            lines.append(Line(f"output {e.out}"))
        if e.grad is not None:
            lines.append(Line(f"+ {_signed(e.grad)}", "g"))
        found.append(lines)
    return found


def _signed(value: Value) -> str:
    text = show(value)
    return f"({text})" if text.startswith("-") else text


def reference(node: Node, out: int = -1) -> str:
    """Return the shortest words for a node, or for one of its outputs."""
    if 0 <= out < len(node.outputs):
        return node.outputs[out] or f"#{node.id}[{out}]"
    if node.names:
        return node.names[0]
    return "…" if node.kind == "more" else f"#{node.id}"
