"""The graph in the DOT language: text only, no engine."""

from collections.abc import Iterable
from functools import lru_cache

from torchutils.graph import Graph, Node
from torchutils.labels import Line, edge_lines, node_lines

__all__ = ["quote", "to_dot"]

# Shape and line say what colour says: no role is known by its colour alone.
_LOOKS = {
    "leaf": 'style="rounded,filled" fillcolor="#dcebfa" color="#1b62a5"',
    "op": 'style=filled fillcolor="#f1f1f1" color="#5a5a5a"',
    "root": 'style=filled fillcolor="#dff3e0" color="#1e7a34" peripheries=2',
    "tensor": 'style=dashed color="#6b6b6b"',
    "more": 'style=dashed color="#6b6b6b"',
    "saved": 'shape=note style="dashed,filled" fillcolor="#fdebd3" color="#9a5200"',
}
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "&": "&amp;"})


def quote(text: str) -> str:
    r"""Return text as a DOT string that every Graphviz shows as it is.

    >>> print(quote('a\\Nb "c"'))
    "a\\Nb \"c\""
    """
    if '"' in text or "\\" in text or "&" in text:
        return f'"{text.translate(_ESCAPES)}"'
    return '"' + text.replace("\n", "\\n") + '"'


def to_dot(graph: Graph, *, style: str = "lesson", direction: str = "LR") -> str:
    """Return the graph as DOT, with labels and looks; the same graph, the same text."""
    out = [
        "digraph {",
        f'rankdir={direction} node [shape=box fontname="Helvetica" fontsize=12 '
        'label="?"] edge [fontname="Helvetica" fontsize=11 color="#555555"]',
    ]
    members: dict[int, list[str]] = {}
    for node in graph.nodes:
        if node.names or not (node.value is node.grad is node.adjoint is None):
            line = f"n{node.id} {_attributes(node, style)}"
        else:
            line = f"n{node.id} {_common_attributes(node[1:-2], style)}"
        if node.group < 0:
            out.append(line)
        else:
            members.setdefault(node.group, []).append(line)
    if members:
        out += _clusters(graph, members)
    edges = [f"n{src} -> n{dst}" for src, dst, _, _, _, _ in graph.edges]
    for k, lines in edge_lines(graph, style).items():
        edges[k] += f" [label={_known_label(lines)}]"
    return "\n".join([*out, *edges, "}\n"])


def _attributes(node: Node, style: str) -> str:
    look = _LOOKS["root" if node.root and node.kind == "op" else node.kind]
    return f"[label={_label(node_lines(node, style))} {look}]"


@lru_cache(4096)  # in a large graph the same few operations come again and again
def _common_attributes(fields: tuple, style: str) -> str:
    return _attributes(Node(0, *fields), style)


def _label(lines: Iterable[Line]) -> str:
    return quote("\n".join([line[0] for line in lines]))


_known_label = lru_cache(4096)(_label)


def _clusters(graph: Graph, members: dict[int, list[str]]) -> list[str]:
    """Write each group as a cluster; a loop from the innermost outwards."""
    out = []
    for group in reversed(graph.groups):  # a group comes after its parent
        label = quote(f"{group.label} ×{group.count}")
        lines = [f"subgraph cluster_{group.id} {{ label={label} style=dashed"]
        lines += [*members.pop(group.id, ()), "}"]
        if group.parent >= 0:
            members.setdefault(group.parent, []).extend(lines)
        else:
            out += lines
    return out
