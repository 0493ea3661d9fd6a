"""Draw once what repeats: a run of alike parts becomes one part and a count."""

from collections import Counter, defaultdict
from operator import itemgetter
from typing import NamedTuple

from torchutils.graph import Edge, Graph, Group, Node
from torchutils.values import Value

__all__ = ["fold"]

REPEATS = 3  # fewer copies than this are drawn one by one
HUB = 8  # a result that is used more often than this belongs to no one copy


class _Run(NamedTuple):
    start: int  # place of the first copy in the order of execution
    period: int  # operations in a copy
    copies: int


def fold(graph: Graph) -> Graph:
    """Fold runs of at least three copies that feed one another, inner runs first.

    Two operations are alike when their kind, shape, options and the relative places
    of their operands agree; so what is folded is the same wiring over and over.
    Numbers are left out of what a fold stands for, and a remark says what was done.
    """
    folded = graph
    while (run := _find_run(folded)) is not None:
        folded = _contract(folded, run)
    if folded is graph:
        return graph
    remark = f"Repeated parts are drawn once: {len(folded.nodes)} nodes stand for "
    remark += f"{len(graph.nodes)}."
    return folded.replace(backward=(), remarks=(*graph.remarks, remark))


def _executed(graph: Graph) -> list[Node]:
    return sorted((n for n in graph.nodes if n.kind == "op"), key=lambda n: n.seq)


def _signatures(graph: Graph) -> list[tuple]:
    ops = _executed(graph)
    place = {n.id: k for k, n in enumerate(ops)}
    uses = Counter(e.src for e in graph.edges)
    wiring: dict[int, list[tuple]] = defaultdict(list)
    for e in graph.edges:
        source = graph.nodes[e.src]
        if source.kind != "op":
            near = (source.kind, source.op, source.shape, source.dtype)
        elif uses[e.src] > HUB:
            near = ("hub", e.src)
        else:
            near = (place[e.dst] - place[e.src], e.out)
        wiring[e.dst].append((e.arg, near))
    counts = _group_counts(graph)
    return [
        (
            (n.op, n.shape, n.dtype, _options(n), n.notes, n.root),
            (n.count, counts[n.group], tuple(sorted(wiring[n.id], key=itemgetter(0)))),
        )
        for n in ops
    ]


def _options(node: Node) -> tuple[tuple[str, Value], ...]:
    """Return what an operation was told; the numbers of constant tensors left out."""
    return tuple(
        (name, value)
        for name, value in node.attrs
        if not (isinstance(value, tuple) and "." in str(value))
    )


def _group_counts(graph: Graph) -> dict[int, tuple[int, ...]]:
    counts: dict[int, tuple[int, ...]] = {-1: ()}
    for group in graph.groups:  # a group comes after its parent
        counts[group.id] = (*counts[group.parent], group.count)
    return counts


def _find_run(graph: Graph) -> _Run | None:
    """Return the run with the shortest period, if there is any."""
    signs = _signatures(graph)
    last: dict[tuple, int] = {}
    gaps: Counter[int] = Counter()
    for k, sign in enumerate(signs):
        if sign in last:
            gaps[k - last[sign]] += 1
        last[sign] = k
    for period in sorted(gaps):
        if gaps[period] >= (REPEATS - 1) * min(period, 3):
            run = _longest_run(graph, signs, period)
            if run is not None:
                return run
    return None


def _longest_run(graph: Graph, signs: list[tuple], period: int) -> _Run | None:
    best, length = None, 0
    for k in range(period, len(signs) + 1):
        if k < len(signs) and signs[k] == signs[k - period]:
            length += 1
            continue
        run = _Run(k - length - period, period, length // period + 1)
        if run.copies >= REPEATS and (best is None or run.copies > best.copies):
            best = run if _is_chain(graph, run) else best
        length = 0
    return best


def _copies(graph: Graph, run: _Run) -> dict[int, tuple[int, int]]:
    """Map each operation of a run to its copy and its place in the copy."""
    ops = _executed(graph)[run.start : run.start + run.period * run.copies]
    return {n.id: divmod(k, run.period) for k, n in enumerate(ops)}


def _is_chain(graph: Graph, run: _Run) -> bool:
    at = _copies(graph, run)
    links = {
        at[e.dst][0]
        for e in graph.edges
        if e.src in at and e.dst in at and at[e.src][0] == at[e.dst][0] - 1
    }
    return len(links) == run.copies - 1


def _contract(graph: Graph, run: _Run) -> Graph:
    at = _copies(graph, run)
    at |= _private_leaves(graph, at)
    alike: dict[object, list[Node]] = defaultdict(list)
    for node in graph.nodes:
        if node.id in at:
            alike[at[node.id][1]].append(node)
    for nodes in alike.values():
        nodes.sort(key=lambda n: at[n.id][0])
    first = {n.id: nodes[0].id for nodes in alike.values() for n in nodes}
    groups, inside = graph.groups, -1
    if run.period > 1:
        inside = max((g.id for g in groups), default=-1) + 1
        groups = _regroup(graph, first, Group(inside, _label(alike), run.copies))
    kept = []
    for node in graph.nodes:
        if node.id not in first:
            kept.append(node)
        elif first[node.id] == node.id:
            copies = alike[at[node.id][1]]
            kept.append(_stand_in(node, copies, inside))
    return _renumbered(graph, kept, first, at, groups)


def _private_leaves(
    graph: Graph, at: dict[int, tuple[int, int]]
) -> dict[int, tuple[int, object]]:
    """Find leaves that only one copy uses, and their place in it."""
    users: dict[int, list[Edge]] = defaultdict(list)
    for e in graph.edges:
        if graph.nodes[e.src].kind in ("leaf", "saved"):
            users[e.src].append(e)
    found = {}
    for leaf, edges in users.items():
        copies = {at[e.dst][0] if e.dst in at else None for e in edges}
        if len(copies) == 1 and None not in copies:
            place = ("leaf", at[edges[0].dst][1], edges[0].arg)
            found[leaf] = (copies.pop(), place)
    counts = Counter(place for _, place in found.values())
    most = max(counts.values(), default=0)
    return {n: p for n, p in found.items() if counts[p[1]] == most >= REPEATS}


def _stand_in(node: Node, copies: list[Node], group: int) -> Node:
    names = _pattern([n.names[0] if n.names else "" for n in copies])
    return node._replace(
        names=(names,) if names else (),
        attrs=_options(node),
        value=None,
        grad=None if all(n.grad is None for n in copies) else f"of {len(copies)}",
        adjoint=None,
        line="",
        outputs=(),
        count=node.count * len(copies) if group < 0 else node.count,
        group=group if node.group < 0 else node.group,
    )


def _pattern(names: list[str]) -> str:
    """Return one name for many: ``blocks.*.weight``, or the first and the last."""
    if len(set(names)) == 1:
        return names[0]
    parts = [n.split(".") for n in names]
    if len({len(p) for p in parts}) == 1 and len(parts[0]) > 1:
        columns = zip(*parts, strict=True)
        return ".".join(c[0] if len(set(c)) == 1 else "*" for c in columns)
    return f"{names[0]} … {names[-1]}" if all(names) else ""


def _label(alike: dict[object, list[Node]]) -> str:
    for copies in alike.values():
        names = [n.names[0] for n in copies if n.names]
        pattern = _pattern(names) if len(names) == len(copies) else ""
        if "*" in pattern:
            stem = pattern.partition("*")[0]
            ends = [n[len(stem) :].partition(".")[0] for n in (names[0], names[-1])]
            return f"{stem}{ends[0]} … {stem}{ends[1]}"
    return "repeated"


def _regroup(graph: Graph, first: dict[int, int], new: Group) -> tuple[Group, ...]:
    """Put the groups of the kept copy inside the new one; outer groups come first."""
    kept = {graph.nodes[i].group for i in first.values()}
    parents = {g.id: g.parent for g in graph.groups}
    for group in list(kept):
        while group >= 0:
            kept.add(group)
            group = parents[group]
    inner = [
        g._replace(parent=new.id) if g.id in kept and g.parent < 0 else g
        for g in graph.groups
    ]
    return (new, *inner)


def _renumbered(
    graph: Graph,
    kept: list[Node],
    first: dict[int, int],
    at: dict[int, tuple[int, object]],
    groups: tuple[Group, ...],
) -> Graph:
    number = {n.id: k for k, n in enumerate(kept)}
    edges: dict[Edge, None] = {}
    for e in graph.edges:
        a, b = at.get(e.src), at.get(e.dst)
        if a and b and (a[0] != b[0] or a[0] > 0):
            continue  # between copies, or inside one that is not drawn
        src, dst = (number[first.get(i, i)] for i in (e.src, e.dst))
        edges[Edge(src, dst, e.arg, e.out)] = None
    used = {n.group for n in kept}
    for group in reversed(groups):
        used |= {group.parent} if group.id in used else set()
    return graph.replace(
        nodes=tuple(n._replace(id=number[n.id]) for n in kept),
        edges=tuple(edges),
        groups=tuple(g for g in groups if g.id in used),
    )
