"""The lines of text that stand in a node or on an edge."""

import re
from functools import cache, lru_cache
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
    if node.kind == "op":
        what = operation(node.op, style)
        if node.count > 1:
            what += f" ×{node.count}"
        return f"{names} = {what}" if names else what
    if node.kind == "more":
        return "… the graph goes on"
    if node.kind == "saved":
        return f"saved {visible(node.op)}" + (f" = {names}" if names else "")
    return names or "no name"


def node_lines(node: Node, style: str = "lesson") -> list[Line]:
    """Return all that a drawing says about a node, heading first, uncut."""
    lines = [Line(title(node, style), "t")]
    if facts := _facts(node.kind, node.shape, node.dtype):
        lines.append(facts)
    if node.attrs:
        lines += [Line(f"{visible(k)} = {visible(show(v))}") for k, v in node.attrs]
    if node.value is not None and not isinstance(node.value, str):
        lines.append(Line(show(node.value), "v"))
    if node.grad is not None:
        lines.append(Line(f"grad {show(node.grad)}", "g"))
    elif node.adjoint is not None:
        lines.append(Line(f"adjoint {show(node.adjoint)}", "g"))
    elif node.keeps_grad:
        lines.append(_PENDING)
    if node.notes:
        lines += [Line(visible(note)) for note in node.notes]
    if node.line:
        lines.append(Line(visible(node.line)))
    return lines


_PENDING = Line("grad: not computed yet")


@lru_cache(4096)
def _facts(kind: str, sizes: tuple[int | str, ...] | None, dtype: str) -> Line | None:
    facts = [word for word in (_WORDS.get(kind), shape(sizes), dtype) if word]
    return Line(" · ".join(facts)) if facts else None


_WORDS = {"leaf": "leaf", "tensor": "no graph"}


def shape(sizes: tuple[int | str, ...] | None) -> str:
    """Return a shape as Python writes it.

    >>> shape((2, 3)), shape((3,)), shape(())
    ('(2, 3)', '(3,)', 'scalar')
    """
    if not sizes:
        return "" if sizes is None else "scalar"
    return str(sizes).replace("'", "")


@cache
def is_ordered(op: str) -> bool:
    """Say whether exchanging an operation's operands may change the result."""
    return operation(op) not in _SYMMETRIC


def operands(graph: Graph) -> list[list[Edge]]:
    """Return, for each node, the edges that enter it, in the order of operands."""
    found: list[list[Edge]] = [[] for _ in graph.nodes]
    for edge in graph.edges:
        if edge.arg >= 0:
            found[edge.dst].append(edge)
    for edges in found:
        edges.sort(key=lambda e: e.arg)
    return found


@cache
def _word(what: str, number: int) -> Line:
    return Line(f"{what} {number}")


_OP, _ATTRS = map(Node._fields.index, ("op", "attrs"))


def edge_lines(graph: Graph, style: str = "lesson") -> dict[int, tuple[Line, ...]]:
    """Return what stands on the edges, by place: operand, output, contribution."""
    nodes, every = graph.rows, style == "torch"
    ordered = {  # where several operands come in, and it matters which is which
        e[1]
        for e in graph.wires
        if e[2] > 0 and (every or is_ordered(nodes[e[1]][_OP]))
    }
    found = {}
    for k, (src, dst, arg, out, grad, _) in enumerate(graph.wires):
        lines = (_word("operand", arg),) if dst in ordered and arg >= 0 else ()
        if (attrs := nodes[src][_ATTRS]) and attrs[0][0] == "outputs":
            lines += (_word("output", out),)
        if grad is not None:
            lines += (Line(f"+ {_signed(grad)}", "g"),)
        if lines:
            found[k] = lines
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
