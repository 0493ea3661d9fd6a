"""The drawing in Mermaid's language, which GitHub and many wikis draw by themselves."""

import re
from collections.abc import Iterable

from torchutils.graph import Graph, Node
from torchutils.labels import Line, edge_lines, node_lines, stands_out

__all__ = ["to_mermaid"]

# Shape and line say what colour says; Mermaid's themes choose the colours.
_SHAPES = {
    "leaf": ("([", "])"),
    "op": ("[", "]"),
    "root": ("[[", "]]"),
    "tensor": ("[", "]:::dashed"),
    "more": ("[", "]:::dashed"),
    "given": ("[", "]:::dashed"),
    "module": ("[/", "/]"),
    "saved": (">", "]:::dashed"),
}
_CLASSES = ("classDef dashed stroke-dasharray: 5 3", "classDef lit stroke-width: 4px")
# What Mermaid might read as more than text.
_SPECIAL = re.compile(r'["#<>&`*_~%;]')
# It reads these after it has resolved entities: a line's end, a formula, a picture (as
# "fa:fa-car" is).  A space without width keeps them apart.
_PAIRS = re.compile(r"[\\$]|:(?! )")


def to_mermaid(graph: Graph, *, style: str = "lesson", direction: str = "LR") -> str:
    """Return the graph as a Mermaid flowchart; the same graph, the same text.

    >>> print(to_mermaid(Graph((Node(0, "leaf", names=("x",)),), ())), end="")
    flowchart LR
    n0(["x<br>leaf"])
    classDef dashed stroke-dasharray: 5 3
    classDef lit stroke-width: 4px
    """
    members: dict[int, list[str]] = {}
    for node in graph.nodes:
        members.setdefault(node.group, []).append(_node(node, style))
    for group in reversed(graph.groups):  # a group comes after its parent
        head = f'subgraph g{group.id} ["{_escape(group.title)}"]'
        body = [head, *members.pop(group.id, ()), "end"]
        members.setdefault(group.parent, []).extend(body)
    marks = edge_lines(graph, style)
    edges = []
    for k, edge in enumerate(graph.edges):
        mark = f'|"{_label(marks[k])}"|' if k in marks else ""
        edges.append(f"n{edge.src} -->{mark} n{edge.dst}")
    lines = [f"flowchart {direction}", *members.get(-1, ()), *edges, *_CLASSES]
    return "\n".join(lines) + "\n"


def _node(node: Node, style: str) -> str:
    start, end = _SHAPES["root" if node.root and node.kind == "op" else node.kind]
    if stands_out(node):
        end = f"{end.removesuffix(':::dashed')}:::lit"
    return f'n{node.id}{start}"{_label(node_lines(node, style))}"{end}'


def _label(lines: Iterable[Line]) -> str:
    return "<br>".join(_escape(line.text) for line in lines)


def _escape(text: str) -> str:
    text = _SPECIAL.sub(lambda m: f"#{ord(m[0])};", text)
    return _PAIRS.sub(lambda m: f"#{ord(m[0])};#8203;", text)
