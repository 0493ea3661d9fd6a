"""The lines of text that stand in a node or on an edge."""

import re
from functools import cache, lru_cache
from itertools import groupby
from typing import NamedTuple

from torchutils.calm import once
from torchutils.graph import Edge, Graph, Node, Output, Shape, entitled
from torchutils.values import Value, show, visible

__all__ = [
    "FIRST",
    "HIGHLIGHTED",
    "Line",
    "called",
    "edge_lines",
    "is_ordered",
    "node_lines",
    "numbered",
    "operands",
    "operation",
    "reference",
    "shape",
    "stands_out",
    "title",
]

HIGHLIGHTED, FIRST = "highlighted", "the first "  # notes of nodes that stand out
MOST = 8  # of so many outputs each is listed, of more only those with names

# The order of these operands changes nothing, so the drawing does not number them.
_SYMMETRIC = frozenset(["add", "mul", "dot", "maximum", "minimum"])


class Line(NamedTuple):
    """A line of text; its role: ``t`` title, ``m`` facts, ``v`` value, ``g`` grad.

    ``at`` says of which output it speaks, where there are several: ``_1``.
    What is wider than its ``room``, in pixels, is broken, and takes ``rows`` rows.
    """

    text: str
    role: str = "m"
    at: str = ""
    rows: int = 1
    room: float = 0


@cache
def operation(op: str, style: str = "lesson") -> str:
    """Return an operation's name in a style.

    >>> operation("AvgPool2DBackward0"), operation("Log1PBackward0")
    ('avg_pool2d', 'log1p')
    >>> operation("PowBackward0", "torch")
    'PowBackward0'
    """
    if style == "torch":
        return visible(op)
    short = re.sub(r"Backward\d*$", "", op) or op
    # One word each: 2D, Log1P, Col2Im, Xlog1Py.  But SmoothL1Loss has three, and
    # of all names with 2D or 3D torch parts only those of GridSampler before it.
    one = r"(?<=\d)[A-Z](?=[A-Z]|$)|(?<=2)[A-Z]|(?<=1)P"
    short = re.sub(one, lambda letter: letter[0].lower(), short)
    gap = r"(?<=[a-z0-9])(?=[A-Z])|(?<=GridSampler)(?=\d)"
    return visible(re.sub(gap, "_", short).lower())


def title(node: Node, style: str = "lesson") -> str:
    """Return a node's heading: its names, and what it does.

    Where there are several outputs, ``_`` stands for each that has no name.
    """
    names = ", ".join(node.names)
    if names and node.outputs and node.kind != "module":
        names = ", ".join(_short(["/".join(o.names) for o in node.outputs], "_"))
    if node.kind == "op":
        what = operation(node.op, style)
        if node.count > 1:
            what += f" ×{node.count}"
        return f"{names} = {what}" if names else what
    if node.kind == "module":
        return entitled(names, node.op, node.count)
    if node.kind == "given":
        return "input"
    if node.kind == "more":
        return "… the graph goes on"
    if node.kind == "saved":
        return f"saved {visible(node.op)}" + (f" = {names}" if names else "")
    return names or "no name"


def numbered(node: Node, style: str = "lesson") -> str:
    """Return a node's heading, with its number where words call it by that.

    >>> numbered(Node(2, "op", "SinBackward0")), numbered(Node(1, "leaf"))
    ('#2 = sin', '#1')
    """
    who = reference(node)
    if "#" not in who or node.kind not in ("op", "leaf", "tensor"):
        return title(node, style)
    what = title(node._replace(names=(), outputs=()), style)
    return f"{who} = {what}" if node.kind == "op" else who


def node_lines(
    node: Node, style: str = "lesson", *, number: bool = False
) -> list[Line]:
    """Return all that a drawing says about a node, heading first, uncut."""
    lines = [Line((numbered if number else title)(node, style), "t")]
    same = len({(o.shape, o.dtype) for o in node.outputs}) <= 1
    if same and (facts := _facts(node.kind, node.shape, node.dtype)):
        lines.append(facts)
    if node.attrs:
        lines += [Line(f"{visible(k)} = {visible(show(v))}") for k, v in node.attrs]
    if node.outputs:
        lines += _output_lines(node, facts=not same)
    if node.value is not None and not isinstance(node.value, str):
        lines.append(Line(show(node.value), "v"))
    if node.grad is not None:
        lines.append(Line(f"grad {show(node.grad)}", "g"))
    elif node.adjoint is not None and not node.outputs:
        lines.append(Line(f"adjoint {show(node.adjoint)}", "g"))
    elif node.keeps_grad:
        lines.append(_PENDING)
    if node.notes:
        lines += [Line(visible(note)) for note in node.notes]
    if node.line:
        lines.append(Line(visible(node.line)))
    return lines


def _output_lines(node: Node, *, facts: bool) -> list[Line]:
    """Return what is to be said of each of several outputs."""
    lines = []
    for k, one in enumerate(node.outputs):
        who = called(node, k)
        known = _facts("", one.shape, one.dtype)
        if facts and known and len(node.outputs) <= MOST:
            lines.append(Line(f"{who}: {known.text}"))
        if one.root:
            lines.append(Line(f"result: {who}"))
        if one.value is not None and not isinstance(one.value, str):
            lines.append(Line(f"{who} = {show(one.value)}", "v", f"_{k}"))
        if one.grad is not None:
            lines.append(Line(f"grad of {who} {show(one.grad)}", "g", f"_{k}"))
        elif one.adjoint is not None:
            lines.append(Line(f"adjoint of {who} {show(one.adjoint)}", "g", f"_{k}"))
        elif one.keeps_grad:
            lines.append(Line(f"grad of {who}: not computed yet", "g"))
    return lines


def called(node: Node, out: int) -> str:
    """Return the words for one of several outputs in a box: its name, or its number."""
    names = node.outputs[out].names
    return names[0] if names else f"output {out}"


def _short(words: list[str], blank: str) -> list[str]:
    """Fill the blanks of a short list, and leave them out of a long one."""
    if len(words) <= MOST:
        return [word or blank for word in words]
    runs = groupby(words, key=bool)
    return [w for named, run in runs for w in (run if named else "…")]


_PENDING = Line("grad: not computed yet")


@lru_cache(4096)
def _facts(kind: str, sizes: Shape, dtype: str) -> Line | None:
    facts = [word for word in (_WORDS.get(kind), shape(sizes), dtype) if word]
    return Line(" · ".join(facts)) if facts else None


_WORDS = {"leaf": "leaf", "tensor": "no graph"}


def shape(sizes: tuple[Value, ...] | None) -> str:
    """Return a shape as Python writes it.

    >>> shape((2, 3)), shape((3,)), shape(())
    ('(2, 3)', '(3,)', 'scalar')
    """
    if not sizes:
        return "" if sizes is None else "scalar"
    return str(sizes).replace("'", "")


def stands_out(node: Node) -> bool:
    """Say whether a node is drawn with a thick border; a note says why."""
    return any(note == HIGHLIGHTED or FIRST in note for note in node.notes)


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


@once
def edge_lines(graph: Graph, style: str = "lesson") -> dict[int, tuple[Line, ...]]:
    """Return what stands on the edges, by place: operand, output, contribution."""
    nodes, every = graph.rows, style == "torch"
    ordered = {  # where several operands come in, and it matters which is which
        e[1]
        for e in graph.wires
        if e[2] > 0 and (every or is_ordered(nodes[e[1]][2]))
        if nodes[e[1]][1] != "module"
    }
    found = {}
    lines: tuple[Line, ...]
    for k, (src, dst, arg, out, grad, _, many) in enumerate(graph.wires):
        lines = (_word("operand", arg),) if dst in ordered and arg >= 0 else ()
        if many:
            lines = (Line(many),)
        elif nodes[src][14]:  # outputs
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
    if node.kind == "module":
        return f"{node.names[0]}[{out}]" if node.outputs and out >= 0 else node.names[0]
    if node.kind == "given":
        return f"input #{node.id}"
    if out < 0 and node.outputs:
        every = [_output(node, k, one) for k, one in enumerate(node.outputs)]
        if len(every) > MOST:
            every = _short([o.names[0] if o.names else "" for o in node.outputs], "")
        return f"#{node.id}[…]" if every == ["…"] else ", ".join(every)
    if node.outputs:
        return _output(node, out, node.outputs[out])
    if node.names:
        return node.names[0]
    return "…" if node.kind == "more" else f"#{node.id}"


def _output(node: Node, k: int, one: Output) -> str:
    return one.names[0] if one.names else f"#{node.id}[{k}]"
