"""Make a drawing fit: its direction, edges side by side, and where it stops."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace

from torchutils.graph import Edge, Graph, Node
from torchutils.lanes import ranks

__all__ = ["SHOWN", "WIDEST", "bundle", "is_longer", "keep", "nearest"]

SHOWN = 100  # nodes that a drawing shows by itself
WIDEST = 1600  # pixels of a drawing, unless the caller says how it is to look
MANY = 3  # so many edges between two nodes are drawn one by one


def is_longer(graph: Graph, count: int) -> bool:
    """Say whether more than so many boxes stand one after the other.

    Each depth here is the length of some path, perhaps not of the longest: in most
    large graphs one is soon long enough.
    """
    depth = [0] * len(graph.rows)
    for src, dst, *_ in graph.wires:
        if depth[src] <= depth[dst]:
            depth[src] = depth[dst] + 1
            if depth[src] >= count:
                return True
    return max(ranks(graph), default=0) >= count


def bundle(graph: Graph) -> Graph:
    """Draw many edges between the same two nodes as one that says which they are."""
    # Of the rows first: few graphs have such edges, and records take time to make.
    most = Counter((wire[0], wire[1]) for wire in graph.wires)
    if max(most.values(), default=0) <= MANY:
        return graph
    between: dict[tuple[int, int], list[Edge]] = defaultdict(list)
    for edge in graph.edges:
        between[edge.src, edge.dst].append(edge)
    edges: list[Edge] = []
    for alike in between.values():
        if len(alike) <= MANY:
            edges += alike
            continue
        args, outs = sorted(e.arg for e in alike), {e.out for e in alike}
        words = f"{len(args)} operands"
        if args[-1] - args[0] + 1 == len(args):
            words = f"operands {args[0]} … {args[-1]}"
        words += f" from {len(outs)} outputs" if len(outs) > 1 else ""
        edges.append(alike[0]._replace(arg=args[0], many=words))
    return replace(graph, wires=tuple(edges))


def nearest(graph: Graph, count: int, remedy: str) -> Graph:
    """Keep so many nodes, the nearest to the output, and say what is left out."""
    known = [n for n in graph.nodes if n.kind != "more"]
    if len(known) <= count:
        return graph
    kept = {n.id for n in known[:count]}  # they are numbered from the output on
    remark = f"Drawn are the {count} nodes nearest to the output, of {len(known)}; "
    return keep(graph, kept, remark + remedy)


def keep(graph: Graph, kept: set[int], remark: str) -> Graph:
    """Leave some nodes, and one for all the others that they are made from."""
    number = {i: k for k, i in enumerate(sorted(kept))}
    last = len(kept)
    edges = dict.fromkeys(_kept(graph.edges, number, last))
    nodes = [n._replace(id=number[n.id]) for n in graph.nodes if n.id in kept]
    if any(edge.src == last for edge in edges):
        nodes.append(Node(last, "more"))
    groups, used = [], {n.group for n in nodes}
    for group in reversed(graph.groups):
        if group.id in used:
            used.add(group.parent)
            groups.append(group)
    return replace(
        graph,
        rows=tuple(nodes),
        wires=tuple(edges),
        groups=tuple(reversed(groups)),
        remarks=(*graph.remarks, remark),
    )


def _kept(edges: Iterable[Edge], number: dict[int, int], rest: int) -> Iterable[Edge]:
    for edge in edges:
        if edge.dst in number:
            src = number.get(edge.src, rest)
            many = edge.many if src != rest else ""
            out = edge.out if src != rest else 0
            found = edge._replace(src=src, dst=number[edge.dst], out=out, many=many)
            yield found
