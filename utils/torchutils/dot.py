"""The graph in the DOT language: text only, no engine."""

from torchutils.graph import Graph
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
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


def quote(text: str) -> str:
    r"""Return text as a DOT string that every Graphviz shows as it is.

    >>> print(quote('a\\Nb "c"'))
    "a\\Nb \"c\""
    """
    return '"' + text.replace("&", "&amp;").translate(_ESCAPES) + '"'


def to_dot(graph: Graph, *, style: str = "lesson", direction: str = "LR") -> str:
    """Return the graph as DOT, with labels and looks; the same graph, the same text."""
    out = [
        "digraph {",
        f'rankdir={direction} node [shape=box fontname="Helvetica" fontsize=12 '
        'label="?"] edge [fontname="Helvetica" fontsize=11 color="#555555"]',
    ]
    members: dict[int, list[str]] = {}
    for node in graph.nodes:
        look = _LOOKS["root" if node.root and node.kind == "op" else node.kind]
        label = _label(node_lines(node, style))
        line = f"n{node.id} [label={label} {look}]"
        if node.group < 0:
            out.append(line)
        else:
            members.setdefault(node.group, []).append(line)
    out += _clusters(graph, members)
    for edge, lines in zip(graph.edges, edge_lines(graph, style), strict=True):
        label = f" [label={_label(lines)}]" if lines else ""
        out.append(f"n{edge.src} -> n{edge.dst}{label}")
    return "\n".join([*out, "}\n"])


def _label(lines: list[Line]) -> str:
    return quote("\n".join(line.text for line in lines))


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
