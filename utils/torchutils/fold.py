"""Draw once what repeats: a run of alike parts becomes one part and a count."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace
from operator import eq
from typing import NamedTuple

from torchutils.graph import NONE, Edge, Graph, Group, Node, Output
from torchutils.values import Value, show

__all__ = ["fold"]

REPEATS = 3  # fewer copies than this are drawn one by one
PLACES = ("start", "end", "index")  # where in a sequence a copy takes its part
VARIES = "varies"

Places = dict[int, tuple[int, object]]  # a node's copy in a run, and place in the copy


class Item(NamedTuple):
    """An operation, or a group with all that is in it, as part of a sequence.

    ``sign`` is a number for what it is, apart from the operations outside that feed it,
    and from the leaves that others use too: of each of those ``fed`` holds the item
    that makes it or uses it first, the place inside that, the node and the output.
    """

    members: list[int]
    group: int  # -1: an operation by itself
    sign: int
    fed: list["Feed"]


Feed = tuple[int, object, int, int]
Use = tuple[int, int, int]  # the item, the place inside that, the operand
Sign = tuple[object, ...]
Known = dict[int, tuple[Node, Sign]]  # what nodes are, by id; the node keeps its id
Way = tuple[str, ...] | None  # how each operand corresponds to a copy's before
LEAF = -1  # instead of an output's number


def fold(graph: Graph) -> Graph:
    """Fold runs of at least three copies that feed one another.

    What a run is made of are operations and groups; groups are folded from the
    outermost inwards.  Two operations are alike when their kind, shape, options and
    the places of their operands agree, two groups when all in them is; so what is
    folded is the same wiring over and over.  Numbers are left out of what a fold stands
    for, and a remark says what was done.
    """
    known: Known = {}
    folded, todo, index = graph, [-1], _Index(graph, known)
    for parent in todo:  # it grows while we go
        while run := _find_run(index, parent):
            folded = _contract(folded, parent, run)
            index = _Index(folded, known)
        todo += index.inner[parent]
    if folded is graph:
        return graph
    remark = f"Repeated parts are drawn once: {len(folded.nodes)} nodes stand for "
    remark += f"{len(graph.nodes)}."
    if graph.backward:
        remark += " What backward sent is left out; fold=False shows it."
    if graph.bare:
        remark += " Their options were not all read, and may differ."
    return replace(folded, backward=(), remarks=(*graph.remarks, remark))


class _Index:
    """What is where in a graph: operations and groups by group, edges by their ends."""

    def __init__(self, graph: Graph, known: Known) -> None:
        self.graph, self.known = graph, known
        self.ops: dict[int, list[Node]] = defaultdict(list)
        self.inner: dict[int, list[int]] = defaultdict(list)
        self.into: dict[int, list[Edge]] = defaultdict(list)
        self.out_of: dict[int, list[Edge]] = defaultdict(list)
        for node in graph.nodes:
            if node.kind == "op":
                self.ops[node.group].append(node)
        for group in graph.groups:
            self.inner[group.parent].append(group.id)
        for edge in graph.edges:
            self.into[edge.dst].append(edge)
            self.out_of[edge.src].append(edge)


def _find_run(index: _Index, parent: int) -> list[list[Item]]:
    """Return the longest run with the shortest period; empty when there is none."""
    items = _items(index, parent)
    signs = [item.sign for item in items]
    last: dict[object, int] = {}
    gaps: Counter[int] = Counter()
    for k, item in enumerate(items):
        leaves = tuple(feed[2] for feed in item.fed if feed[3] == LEAF)
        for sign in {item.sign, (item.sign, leaves)}:
            if sign in last:
                gaps[k - last[sign]] += 1
            last[sign] = k
    for period in sorted(gaps):
        if gaps[period] < (REPEATS - 1) * min(period, 3):
            continue
        if bytes(period * [1]) not in bytes(map(eq, signs[period:], signs)):
            continue  # no copy is followed by one of the same signs
        for copies, start in _runs(items, period):
            if _is_chain(items, start, period, copies):
                ends = range(start, start + copies * period, period)
                return [items[k : k + period] for k in ends]
    return []


def _items(index: _Index, parent: int) -> list[Item]:
    """List what is directly in a group, in the order of execution."""
    if len(index.ops[parent]) + len(index.inner[parent]) < REPEATS:
        return []
    within = _within(index, parent)
    ops = sorted((n for g in within for n in index.ops[g]), key=lambda n: (n.seq, n.id))
    parts: dict[tuple[int, int], list[Node]] = defaultdict(list)
    for node in ops:
        group = within[node.group]
        parts[(group, -1) if group >= 0 else (-1, node.id)].append(node)
    if len(parts) < REPEATS:
        return []
    place = {
        n.id: (k, j)
        for k, nodes in enumerate(parts.values())
        for j, n in enumerate(nodes)
    }
    facts = _Facts(index, place)
    return [
        facts.item(k, nodes, group)
        for k, ((group, _), nodes) in enumerate(parts.items())
    ]


def _within(index: _Index, parent: int) -> dict[int, int]:
    """Map each group inside a parent to the part of the parent that it is in, or -1."""
    within = {parent: -1} | {group: group for group in index.inner[parent]}
    todo = list(index.inner[parent])
    for group in todo:  # it grows while we go
        within |= dict.fromkeys(index.inner[group], within[group])
        todo += index.inner[group]
    return within


class _Facts:
    """What items are, in terms that are equal where items are alike."""

    def __init__(self, index: _Index, place: dict[int, tuple[int, int]]) -> None:
        self.index, self.nodes, self.place = index, index.graph.nodes, place
        self.groups = {g.id: g for g in index.graph.groups}
        self.signs: dict[Sign, int] = {}  # large ones are compared but once
        self.spans: dict[int, tuple[Use, Use]] = {}

    def item(self, k: int, nodes: list[Node], group: int) -> Item:
        """Make the item of place ``k`` from its operations."""
        sign: list[object] = []
        fed: list[Feed] = []
        own: dict[int, int] = {}
        for n in nodes:
            sign.append(_what(n, self.index.known))
            sign.append(self._inside(n.group, group))
            for e in self.index.into[n.id]:
                sign.append((e.arg, *self._feed(k, e, fed, own)))
        number = self.signs.setdefault(tuple(sign), len(self.signs))
        return Item([n.id for n in nodes], group, number, fed)

    def _inside(self, group: int, outer: int) -> Sign:
        """Return the groups that a node is in, up to the item's own."""
        chain: list[object] = []
        while group >= 0 and outer >= 0:
            one = self.groups[group]
            path = one.label.rpartition(".")[2] if group != outer else ""
            chain.append((one.cls, one.count, path, one.saves))
            group = one.parent if group != outer else -1
        return tuple(chain)

    def _feed(self, k: int, e: Edge, fed: list[Feed], own: dict[int, int]) -> Sign:
        source = self.nodes[e.src]
        if source.kind == "op":
            at, inside = self.place.get(e.src, (-1, 0))
            if at == k:
                return ("here", inside, e.out)
            fed.append((at, inside, e.src, e.out))
            return ("op",)
        facts = (source.kind, source.op, source.shape, source.dtype, source.notes)
        first, last = self._span(e.src)
        if not first[0] == last[0] == k:  # it belongs where it is used first
            fed.append((first[0], first[1:], e.src, LEAF))
            return facts
        return (own.setdefault(e.src, len(own)), *facts)

    def _span(self, leaf: int) -> tuple[Use, Use]:
        """Return the first and the last use of a leaf."""
        if leaf not in self.spans:
            uses = [
                (*self.place.get(e.dst, (-1, 0)), e.arg)
                for e in self.index.out_of[leaf]
            ]
            self.spans[leaf] = min(uses), max(uses)
        return self.spans[leaf]


def _what(n: Node, known: Known) -> Sign:
    if id(n) not in known:
        outputs = tuple((o.shape, o.dtype, o.root) for o in n.outputs)
        facts = n.op, n.shape, n.dtype, n.notes, n.root, n.count
        known[id(n)] = n, (*facts, outputs, _options(n))
    return known[id(n)][1]


def _options(node: Node) -> tuple[tuple[str, Value], ...]:
    """Return what an operation was told; the numbers of constant tensors left out."""
    return tuple(
        (name, VARIES if name in PLACES else value)
        for name, value in node.attrs
        if not (isinstance(value, tuple) and "." in str(value))
    )


def _relation(item: Item, before: Item, period: int) -> Way:
    """Say how each operand corresponds: the same one, or as far back; None: neither."""
    if item.sign != before.sign:
        return None
    found = []
    for (a, i, node, out), (b, j, other, out2) in zip(
        item.fed, before.fed, strict=True
    ):
        if node == other and out == out2:
            found.append("same")
        elif a >= 0 <= b and a - b == period and i == j and out == out2:
            found.append("back")
        else:
            return None
    return tuple(found)


def _runs(items: list[Item], period: int) -> list[tuple[int, int]]:
    """List the runs with a period, the longest first: copies, start."""
    found, length = [], 0
    ways = [
        _relation(items[k], items[k - period], period)
        for k in range(period, len(items))
    ]
    for k, way in enumerate([*ways, None]):
        if way is not None and (length < period or way == ways[k - period]):
            length += 1
            continue
        run = _trimmed(items, ways, period, length // period + 1, k - length)
        found.append(_begun(items, ways, period, *run))
        length = 0 if way is None else 1
    found.sort(key=lambda run: -run[0])
    return [run for run in found if run[0] >= REPEATS]


def _trimmed(
    items: list[Item], ways: list[Way], period: int, copies: int, start: int
) -> tuple[int, int]:
    """Leave out first copies that make what all the others read."""
    while copies >= REPEATS:
        shared = [
            at
            for k in range(start + period, start + 2 * period)
            for (at, *_, out), way in zip(
                items[k].fed, ways[k - period] or (), strict=True
            )
            if way == "same" and out != LEAF
        ]
        if all(at < start for at in shared):
            break
        copies, start = copies - 1, start + period
    return copies, start


def _begun(
    items: list[Item], ways: list[Way], period: int, copies: int, start: int
) -> tuple[int, int]:
    """Add the copy before, if it differs only in what comes to it from outside."""
    early = start - period
    if early < 0 or copies < REPEATS - 1:
        return copies, start
    for k in range(early, start):
        one, two = items[k], items[k + period]
        if one.sign != two.sign:
            return copies, start
        for before, now, way in zip(
            one.fed, two.fed, ways[k + period] or (), strict=True
        ):
            back = now[0] - before[0] == period and before[1] == now[1]
            fits = {
                "same": before[2:] == now[2:] and (now[0] < early or now[3] == LEAF),
                "back": back and before[0] >= 0 and before[3] == now[3],
            }[way]
            new = way == "back" and before[0] < early <= now[0] < start
            if not fits and (not new or now[3] == LEAF):
                return copies, start
    return copies + 1, early


def _is_chain(items: list[Item], start: int, period: int, copies: int) -> bool:
    """Say whether each copy reads something of the one before."""
    links = set()
    for k in range(start, start + period * copies):
        links |= {
            (k - start) // period
            for at, *_, out in items[k].fed
            if out != LEAF
            and at >= start
            and (at - start) // period == (k - start) // period - 1
        }
    return len(links) == copies - 1


def _contract(graph: Graph, parent: int, run: list[list[Item]]) -> Graph:
    """Keep the first copy of a run."""
    at: Places = {
        i: (copy, (p, j))
        for copy, items in enumerate(run)
        for p, item in enumerate(items)
        for j, i in enumerate(item.members)
    }
    at = at | _private_leaves(graph, at, len(run))
    alike: dict[object, list[Node]] = defaultdict(list)
    for i in sorted(at, key=lambda i: at[i][0]):
        alike[at[i][1]].append(graph.nodes[i])
    first = {n.id: nodes[0].id for nodes in alike.values() for n in nodes}
    groups, inside = _grouped(graph, parent, run, alike)
    times = len(run) if inside == parent and run[0][0].group < 0 else 1
    kept = [
        _stand_in(n, alike[at[n.id][1]], times, {parent: inside}) if n.id in at else n
        for n in graph.nodes
        if first.get(n.id, n.id) == n.id
    ]
    used = _used(groups, (n.group for n in kept))
    return replace(
        graph,
        rows=tuple(Node(k, *n[1:]) for k, n in enumerate(kept)),
        wires=_rewired(graph, {n.id: k for k, n in enumerate(kept)}, first, at),
        groups=tuple(g for g in groups if g.id in used),
    )


def _grouped(
    graph: Graph, parent: int, run: list[list[Item]], alike: dict[object, list[Node]]
) -> tuple[tuple[Group, ...], int]:
    """Return the groups after a fold, and the one in which its first copy is now."""
    groups = {g.id: g for g in graph.groups}
    known = groups.get(run[0][0].group)
    if len(run[0]) == 1 and (known is None or known.count == 1):
        if known is not None:
            last = groups[run[-1][0].group]
            label, call = _range(known.label, last.label), _range(known.call, last.call)
            call = call if label == known.label else ""
            new = known._replace(label=label, call=call, count=len(run))
            groups[known.id] = new
        return tuple(groups.values()), parent
    inside = max(groups, default=-1) + 1
    inner = {item.group for item in run[0]}
    new = Group(inside, _label(alike), len(run), parent)
    found = [g._replace(parent=inside) if g.id in inner else g for g in graph.groups]
    place = next((k for k, g in enumerate(found) if g.id in inner), len(found))
    return (*found[:place], new, *found[place:]), inside  # outer groups come first


def _range(first: str, last: str) -> str:
    return first if first == last else f"{first} … {last}"


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
        if b and (b[0] > 0 or (a and a[0] > 0)):
            continue  # into a copy that is not drawn, or between copies
        src, dst = (number[first.get(i, i)] for i in (e.src, e.dst))
        edges[Edge(src, dst, e.arg, e.out, many=e.many)] = None
    return tuple(edges)


def _private_leaves(graph: Graph, at: Places, copies: int) -> Places:
    """Find leaves that only one copy uses, and their place in it."""
    users: dict[int, list[Edge]] = defaultdict(list)
    for e in graph.edges:
        if graph.nodes[e.src].kind in ("leaf", "saved"):
            users[e.src].append(e)
    found = {}
    for leaf, edges in users.items():
        using = {at.get(e.dst, (-1, None))[0] for e in edges}
        if len(using) == 1 and min(using) >= 0:
            place = ("leaf", *min((at[e.dst][1], e.arg) for e in edges))
            found[leaf] = (using.pop(), (*place, graph.nodes[leaf].op))
    counts = Counter(place for _, place in found.values())
    return {n: p for n, p in found.items() if counts[p[1]] == copies}


def _stand_in(
    node: Node, copies: list[Node], times: int, moved: dict[int, int]
) -> Node:
    names = _pattern([n.names[0] if n.names else "" for n in copies])
    return node._replace(
        names=(names,) if names else (),
        attrs=tuple(_common(copies)),
        value=None,
        grad=_how_many(copies),
        adjoint=None,
        line="",
        outputs=tuple(Output((), o.shape, o.dtype, root=o.root) for o in node.outputs),
        count=node.count * times,
        group=moved.get(node.group, node.group),
    )


def _common(copies: list[Node]) -> Iterable[tuple[str, Value]]:
    """Yield the options of all copies; of places that differ, first and last."""
    first, last = dict(copies[0].attrs), dict(copies[-1].attrs)
    for name, value in _options(copies[0]):
        if value is not VARIES or first[name] == last[name]:
            yield name, first[name]
        else:
            yield name, f"{show(first[name])} … {show(last[name])}"


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
    """Call a part by what varies in the names of its leaves."""
    for copies in alike.values():
        names = [n.names[0] for n in copies if n.names]
        pattern = _pattern(names) if len(names) == len(copies) else ""
        if "*" in pattern:
            stem = pattern.partition("*")[0]
            ends = [n[len(stem) :].partition(".")[0] for n in (names[0], names[-1])]
            return f"{stem}{ends[0]} … {stem}{ends[1]}"
    return "repeated"
