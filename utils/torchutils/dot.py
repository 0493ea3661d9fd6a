"""The graph in the DOT language: text only, no engine."""

from collections.abc import Iterable
from functools import lru_cache

from torchutils.graph import NONE, Graph, Node, Shape
from torchutils.labels import Line, edge_lines, node_lines, stands_out
from torchutils.values import Value

__all__ = ["quote", "to_dot"]

# Shape and line say what colour says: no role is known by its colour alone.  An
# operation's look is every node's, unless it says otherwise.
_NODES = (
    'node [shape=box style=filled fillcolor="#f1f1f1" color="#5a5a5a" '
    'fontname="Helvetica" fontsize=12 label="?"]'
)
_EDGES = 'edge [fontname="Helvetica" fontsize=11 color="#555555"]'
_LOOKS = {
    "leaf": ' style="rounded,filled" fillcolor="#dcebfa" color="#1b62a5"',
    "op": "",
    "root": ' fillcolor="#dff3e0" color="#1e7a34" peripheries=2',
    "tensor": ' style=dashed color="#6b6b6b"',
    "more": ' style=dashed color="#6b6b6b"',
    "module": ' shape=box3d fillcolor="#ece7f6" color="#5b3f9e"',
    "given": ' style=dashed color="#6b6b6b"',
    "saved": ' shape=note style="dashed,filled" fillcolor="#fdebd3" color="#9a5200"',
}
_NAME = ("\0",)  # the place of the names
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "&": "&amp;"})


def quote(text: str) -> str:
    r"""Return text as a DOT string that every Graphviz shows as it is.

    >>> print(quote('a\\Nb "c"'))
    "a\\Nb \"c\""
    """
    return f'"{_escape(text)}"'


def _escape(text: str) -> str:
    if '"' in text or "\\" in text or "&" in text:
        return text.translate(_ESCAPES)
    return text.replace("\n", "\\n")


def to_dot(graph: Graph, *, style: str = "lesson", direction: str = "LR") -> str:
    """Return the graph as DOT, with labels and looks; the same graph, the same text."""
    out = [f"digraph {{\nrankdir={direction} {_NODES} {_EDGES}"]
    members: dict[int, list[str]] = {}
    # fmt: off
    for (i, kind, op, names, shape, dtype, value, grad, keeps, adjoint, attrs, notes,
         root, line, _, count, _, group) in graph.rows:
        # fmt: on
        held = grad if grad != NONE else None
        if attrs or notes or line or not value is held is adjoint is None:
            text = _attributes(graph.nodes[i], style)
        else:
            name = _NAME if names else ()
            text = _plain(
                style, kind, op, name, shape, dtype, grad, keeps, root, count
            )
            if names:
                text = text.replace("\0", _escape(", ".join(names)))
        if group < 0:
            out.append(f"n{i} {text}")
        else:
            members.setdefault(group, []).append(f"n{i} {text}")
    if members:
        out += _clusters(graph, members)
    edges = [f"n{edge[0]} -> n{edge[1]}" for edge in graph.wires]
    for k, lines in edge_lines(graph, style).items():
        edges[k] += f" [label={_known_label(lines)}]"
    return "\n".join([*out, *edges, "}\n"])


@lru_cache(4096)  # in a large graph the same few operations come again and again
def _plain(
    style: str,
    kind: str,
    op: str,
    names: tuple[str, ...],
    shape: Shape,
    dtype: str,
    grad: Value,
    keeps: bool,
    root: bool,
    count: int,
) -> str:
    """Return the attributes of nodes that differ in their names alone."""
    node = Node(0, kind, op, names, shape, dtype, None, grad, keeps)
    return _attributes(node._replace(root=root, count=count), style)


def _attributes(node: Node, style: str) -> str:
    look = _LOOKS["root" if node.root and node.kind == "op" else node.kind]
    look += " penwidth=4" if stands_out(node) else ""
    return f"[label={_label(node_lines(node, style))}{look}]"


def _label(lines: Iterable[Line]) -> str:
    return quote("\n".join([line[0] for line in lines]))


_known_label = lru_cache(4096)(_label)


def _clusters(graph: Graph, members: dict[int, list[str]]) -> list[str]:
    """Write each group as a cluster; a loop from the innermost outwards."""
    out = []
    for group in reversed(graph.groups):  # a group comes after its parent
        label = quote(group.title)
        lines = [f"subgraph cluster_{group.id} {{ label={label} style=dashed"]
        lines += [*members.pop(group.id, ()), "}"]
        if group.parent >= 0:
            members.setdefault(group.parent, []).extend(lines)
        else:
            out += lines
    return out
