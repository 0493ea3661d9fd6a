"""Draw once what repeats: a run of alike parts becomes one part and a count."""

from collections import Counter, defaultdict
from collections.abc import Iterable

from torchutils.graph import NONE, Edge, Graph, Group, Node, Output
from torchutils.values import Value

__all__ = ["fold"]

REPEATS = 3  # fewer copies than this are drawn one by one
HUB = 8  # a result that is used more often than this belongs to no one copy

Places = dict[int, tuple[int, object]]  # a node's copy in a run, and place in the copy


def fold(graph: Graph) -> Graph:
    """Fold runs of at least three copies that feed one another, inner runs first.

    Two operations are alike when their kind, shape, options and the relative places
    of their operands agree; so what is folded is the same wiring over and over.
    Numbers are left out of what a fold stands for, and a remark says what was done.
    """
    folded = graph
    while at := _find_run(folded):
        folded = _contract(folded, at)
    if folded is graph:
        return graph
    remark = f"Repeated parts are drawn once: {len(folded.nodes)} nodes stand for "
    remark += f"{len(graph.nodes)}."
    if graph.backward:
        remark += " What backward sent is left out; fold=False shows it."
    if graph.bare:
        remark += " Their options were not read (values=0), and may differ."
    return folded.replace(backward=(), remarks=(*graph.remarks, remark))


def _find_run(graph: Graph) -> Places:
    """Return the longest run with the shortest period; empty when there is none."""
    ops = sorted((n for n in graph.nodes if n.kind == "op"), key=lambda n: n.seq)
    signs = _signatures(graph, ops)
    last: dict[tuple, int] = {}
    gaps: Counter[int] = Counter()
    for k, sign in enumerate(signs):
        if sign in last:
            gaps[k - last[sign]] += 1
        last[sign] = k
    for period in sorted(gaps):
        if gaps[period] < (REPEATS - 1) * min(period, 3):
            continue
        for copies, start in _runs(signs, period):
            run = ops[start : start + period * copies]
            at = {n.id: divmod(k, period) for k, n in enumerate(run)}
            if _is_chain(graph, at, copies):
                return at
    return {}


def _signatures(graph: Graph, ops: list[Node]) -> list[tuple]:
    place = {n.id: k for k, n in enumerate(ops)}
    uses = Counter(e.src for e in graph.edges)
    wiring: dict[int, tuple] = defaultdict(tuple)
    for e in graph.edges:
        source = graph.nodes[e.src]
        if source.kind != "op":
            near = (source.kind, source.op, source.shape, source.dtype, source.notes)
            if uses[e.src] > 1:  # which one it is belongs to what the operation does
                near = (source.kind, e.src)
        elif uses[e.src] > HUB:
            near = ("hub", e.src)
        else:
            near = (place[e.dst] - place[e.src], e.out)
        wiring[e.dst] += (e.arg, near)
    counts: dict[int, tuple[int, ...]] = {-1: ()}
    for group in graph.groups:  # a group comes after its parent
        counts[group.id] = (*counts[group.parent], group.count)
    return [
        (
            (n.op, n.shape, n.dtype, n.notes, n.root, n.count),
            tuple((o.shape, o.dtype, o.root) for o in n.outputs),
            (_options(n), counts[n.group], wiring[n.id]),
        )
        for n in ops
    ]


def _options(node: Node) -> tuple[tuple[str, Value], ...]:
    """Return what an operation was told; the numbers of constant tensors left out."""
    numbers = [isinstance(v, tuple) and "." in str(v) for _, v in node.attrs]
    return tuple(a for a, n in zip(node.attrs, numbers, strict=True) if not n)


def _runs(signs: list[tuple], period: int) -> list[tuple[int, int]]:
    """List the runs with a period, the longest first: copies, start."""
    found, length = [], 0
    for k in range(period, len(signs) + 1):
        if k < len(signs) and signs[k] == signs[k - period]:
            length += 1
            continue
        found.append((length // period + 1, k - length - period))
        length = 0
    found.sort(key=lambda run: -run[0])
    return [run for run in found if run[0] >= REPEATS]


def _is_chain(graph: Graph, at: Places, copies: int) -> bool:
    links = {
        at[e.dst][0]
        for e in graph.edges
        if e.src in at and e.dst in at and at[e.src][0] == at[e.dst][0] - 1
    }
    return len(links) == copies - 1


def _contract(graph: Graph, at: Places) -> Graph:
    """Keep the first copy of a run."""
    period = sum(copy == 0 for copy, _ in at.values())
    at = at | _private_leaves(graph, at)
    alike: dict[object, list[Node]] = defaultdict(list)
    for i in sorted(at, key=lambda i: at[i][0]):
        alike[at[i][1]].append(graph.nodes[i])
    first = {n.id: nodes[0].id for nodes in alike.values() for n in nodes}
    groups, inside = graph.groups, -1
    if period > 1:
        inside = max((g.id for g in groups), default=-1) + 1
        inner = _used(groups, (graph.nodes[i].group for i in first.values()))
        groups = (  # outer groups come first
            Group(inside, _label(alike), len(alike[0])),
            *(
                g._replace(parent=inside) if g.id in inner and g.parent < 0 else g
                for g in groups
            ),
        )
    kept = [
        _stand_in(n, alike[at[n.id][1]], inside) if n.id in at else n
        for n in graph.nodes
        if first.get(n.id, n.id) == n.id
    ]
    used = _used(groups, (n.group for n in kept))
    return graph.replace(
        nodes=tuple(n._replace(id=k) for k, n in enumerate(kept)),
        edges=_rewired(graph, {n.id: k for k, n in enumerate(kept)}, first, at),
        groups=tuple(g for g in groups if g.id in used),
    )


def _used(groups: tuple[Group, ...], members: Iterable[int]) -> set[int]:
    """Return the groups that have members, and those that they are in."""
    used = set(members)
    for group in reversed(groups):
        if group.id in used:
            used.add(group.parent)
    return used


def _rewired(
    graph: Graph, number: dict[int, int], first: dict[int, int], at: Places
) -> tuple[Edge, ...]:
    edges: dict[Edge, None] = {}
    for e in graph.edges:
        a, b = at.get(e.src), at.get(e.dst)
        if a and b and (a[0] != b[0] or a[0] > 0):
            continue  # between copies, or inside one that is not drawn
        src, dst = (number[first.get(i, i)] for i in (e.src, e.dst))
        edges[Edge(src, dst, e.arg, e.out)] = None
    return tuple(edges)


def _private_leaves(graph: Graph, at: Places) -> Places:
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
        grad=_how_many(copies),
        adjoint=None,
        line="",
        outputs=tuple(Output((), o.shape, o.dtype, root=o.root) for o in node.outputs),
        count=node.count * len(copies) if group < 0 else node.count,
        group=group if node.group < 0 else node.group,
    )


def _how_many(copies: list[Node]) -> Value:
    count = sum(n.grad not in (None, NONE) for n in copies)
    if count in (0, len(copies)):
        return f"of {count}" if count else None
    return f"of {count} of {len(copies)}"


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
