"""Modules as boxes: a closed one for all that is in it, or what is in one alone."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from torchutils.graph import Edge, Graph, Group, Node, Output

__all__ = ["Parts", "close", "levels", "part", "plain"]

RUN = ("leaf", "tensor", "op", "module", "given")
Place = tuple[int, int]  # a node and one of its outputs


def levels(graph: Graph) -> dict[int, int]:
    """Return in how many modules each group is, itself included."""
    found = {-1: 0}
    for group in graph.groups:  # a group comes after its parent
        found[group.id] = found[group.parent] + bool(group.cls)
    return found


def within(graph: Graph, outer: int) -> set[int]:
    """Return a group and all those in it."""
    found = {outer}
    for group in graph.groups:
        if group.parent in found:
            found.add(group.id)
    return found


def plain(graph: Graph) -> Graph:
    """Return a graph that knows of no groups."""
    if not graph.groups:
        return graph
    rows = tuple(n._replace(group=-1) if n.group >= 0 else n for n in graph.nodes)
    return replace(graph, rows=rows, groups=(), guessed=False)


def close(graph: Graph, depth: int) -> tuple[Graph, dict[int, int]]:
    """Draw each module of a depth as one box; those around it stay frames.

    Returns the graph, and the group of each box.  Modules that ran in turns, so that
    each waits for the other, are no boxes: then nothing is closed.
    """
    level = levels(graph)
    shut: dict[int, int] = {}  # a group, and the closed one that it is in
    for group in graph.groups:
        if group.parent in shut:
            shut[group.id] = shut[group.parent]
        elif group.cls and level[group.id] == depth:
            shut[group.id] = group.id
    if not shut:
        return graph, {}
    members: dict[int, list[Node]] = defaultdict(list)
    for node in graph.nodes:
        if node.group in shut:
            members[shut[node.group]].append(node)
    home = {n.id: box for box, nodes in members.items() for n in nodes}
    used = _used_outside(graph, home)
    rest: list[tuple[int, Node]] = [(n.id, n) for n in graph.nodes if n.id not in home]
    groups = {g.id: g for g in graph.groups}
    weights = _weights(graph)
    for box, nodes in members.items():
        one = _box(groups[box], nodes, used[box], weights)
        rest.append((min(n.id for n in nodes), one))
    rest.sort(key=lambda pair: pair[0])
    number = {first: k for k, (first, _) in enumerate(rest)}
    start = {box: min(n.id for n in nodes) for box, nodes in members.items()}
    closed = replace(
        without_record(graph),
        rows=tuple(Node(k, *n[1:]) for k, (_, n) in enumerate(rest)),
        wires=tuple(_edges(graph, home, used, number, start)),
        groups=tuple(g for g in graph.groups if g.id not in shut),
    )
    boxes = {number[first]: box for box, first in start.items()}
    ran_in_turn = len(closed.forward) < sum(n.kind in RUN for n in closed.nodes)
    return (plain(graph), {}) if ran_in_turn else (closed, boxes)


def _used_outside(graph: Graph, home: dict[int, int]) -> dict[int, list[Place]]:
    """List, for each box, the results in it that are outputs, or used outside."""
    used: dict[int, dict[Place, None]] = defaultdict(dict)
    for node in graph.nodes:
        if node.root and node.id in home:
            roots = [k for k, o in enumerate(node.outputs) if o.root]
            for out in roots or [0]:
                used[home[node.id]][node.id, out] = None
    for e in graph.edges:
        if e.src in home and home[e.src] != home.get(e.dst):
            used[home[e.src]][e.src, e.out] = None
    return {box: sorted(places) for box, places in used.items()}


def _weights(graph: Graph) -> dict[int, int]:
    """Return for how many nodes one in each group stands."""
    times = {-1: 1}
    for group in graph.groups:
        times[group.id] = times[group.parent] * group.count
    return times


def _box(
    group: Group, nodes: list[Node], used: list[Place], weights: dict[int, int]
) -> Node:
    known = {n.id: n for n in nodes}
    outer = weights[group.id]  # of one copy is told how much is in it
    ops = [n for n in nodes if n.kind in ("op", "module")]
    leaves = [n for n in nodes if n.kind == "leaf"]
    sizes = [
        (sum(n.count * weights[n.group] // outer for n in some), word)
        for some, word in ((ops, "operation"), (leaves, "parameter"))
    ]
    facts = [f"{count} {word}{'s' * (count != 1)}" for count, word in sizes if count]
    notes = dict.fromkeys(note for n in ops for note in n.notes)
    outputs = [
        _output(known[i], out)._replace(root=_is_root(known[i], out)) for i, out in used
    ]
    first = outputs[0] if outputs else Output()
    return Node(
        0,
        "module",
        group.cls,
        names=(group.name,),
        shape=first.shape,
        dtype=first.dtype,
        attrs=(("saves", group.held),) if group.saves else (),
        notes=(", ".join(facts), *notes),
        root=any(o.root for o in outputs),
        outputs=tuple(outputs) if len(outputs) > 1 else (),
        count=group.count,
        seq=min((n.seq for n in ops), default=-1),
        group=group.parent,
    )


def _is_root(node: Node, out: int) -> bool:
    return node.outputs[out].root if node.outputs else node.root


def _output(node: Node, out: int) -> Output:
    one = node.outputs[out] if node.outputs else node
    return Output((), one.shape, one.dtype)


def _edges(
    graph: Graph,
    home: dict[int, int],
    used: dict[int, list[Place]],
    number: dict[int, int],
    start: dict[int, int],
) -> Iterable[Edge]:
    """Lead the edges to and from boxes; what a box reads twice comes in once."""
    read: dict[int, dict[Place, None]] = defaultdict(dict)
    output = {place: k for places in used.values() for k, place in enumerate(places)}
    for e in graph.edges:
        a, b = home.get(e.src), home.get(e.dst)
        if a is not None and a == b:
            continue
        source = (number[e.src if a is None else start[a]], e.out)
        if a is not None:
            source = (source[0], output[e.src, e.out])
        if b is None:
            yield Edge(source[0], number[e.dst], e.arg, source[1], *e[4:])
            continue
        goal = number[start[b]]
        if source not in read[goal]:
            read[goal][source] = None
            yield Edge(source[0], goal, len(read[goal]) - 1, source[1])


def without_record(graph: Graph) -> Graph:
    """Leave out what a backward pass did, of which a box shows nothing, and say so."""
    if not graph.backward:
        return graph
    remark = "What backward sent is left out; without depth= it is shown."
    return replace(graph, backward=(), seeds=(), remarks=(*graph.remarks, remark))


def part(graph: Graph, path: str) -> Graph:
    """Return what is in the first call of a module.

    Raises ValueError, with the paths that there are, when none has this path.
    """
    found = next((g.id for g in graph.groups if path in (g.label, g.name)), None)
    if found is not None:
        return Parts(graph).inside(found)
    known = [*dict.fromkeys(g.label for g in graph.groups if g.label)]
    if not known:
        raise ValueError(
            f"only={path!r}: this graph has no box; pass the model as names. What a "
            "module does without calling another, as nn.MultiheadAttention does "
            "with its out_proj, has no box of its own"
        )
    some = ", ".join(known[:20]) + (", …" if len(known) > 20 else "")
    raise ValueError(f"only={path!r} has no box in this graph: {some} have one")


class Parts:
    """Where the nodes and edges of a graph's groups are, to look into many groups."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.own: dict[int, list[int]] = defaultdict(list)  # nodes, by group
        self.into: dict[int, list[int]] = defaultdict(list)  # edges, by node
        self.out_of: dict[int, list[int]] = defaultdict(list)
        for i, row in enumerate(graph.rows):
            self.own[row[-1]].append(i)
        for k, (src, dst, *_) in enumerate(graph.wires):
            self.into[dst].append(k)
            self.out_of[src].append(k)

    def size(self, outer: int) -> int:
        """Return how many nodes are in a group, with those that only it can show."""
        own = self._own(outer)
        read = {self.graph.wires[k][0] for i in own for k in self.into[i]}
        return len(own | {i for i in read if self.graph.rows[i][1] != "op"})

    def _own(self, outer: int) -> set[int]:
        return {i for g in within(self.graph, outer) for i in self.own[g]}

    def inside(self, outer: int) -> Graph:
        """Return what is in a group; what comes from outside is a box of its own."""
        graph = self.graph
        groups = within(graph, outer)
        own = self._own(outer)
        nodes: dict[int, Node] = {}
        for i in own:
            node = graph.nodes[i]
            outs = self._outputs(node, own)
            if node.outputs or node.root != bool(outs):
                every = enumerate(node.outputs)
                outputs = tuple(o._replace(root=k in outs) for k, o in every)
                node = node._replace(root=bool(outs), outputs=outputs)
            nodes[i] = node
        given: dict[Place, int] = {}
        edges = []
        for k in sorted(k for i in own for k in self.into[i]):
            e = graph.edges[k]
            if e.src in own or graph.nodes[e.src].kind != "op":
                if e.src not in nodes:
                    nodes[e.src] = graph.nodes[e.src]._replace(group=-1)
                edges.append(e)
                continue
            place = given.setdefault((e.src, e.out), len(graph.nodes) + len(given))
            one = _output(graph.nodes[e.src], e.out)
            nodes[place] = Node(place, "given", shape=one.shape, dtype=one.dtype)
            edges.append(e._replace(src=place, out=0))
        moved = {outer: -1}
        listed = sorted(nodes.values(), key=lambda n: n.id)
        number = {n.id: k for k, n in enumerate(listed)}
        return replace(
            graph,
            rows=tuple(
                Node(number[n.id], *n[1:-1], moved.get(n.group, n.group))
                for n in listed
            ),
            wires=tuple(
                Edge(number[e.src], number[e.dst], e.arg, e.out, None, *e[5:])
                for e in edges
            ),
            groups=tuple(
                g._replace(parent=moved.get(g.parent, g.parent))
                for g in graph.groups
                if g.id in groups and g.id != outer
            ),
            backward=(),
            seeds=(),
            truncated=0,
            remarks=(),
        )

    def _outputs(self, node: Node, own: set[int]) -> set[int]:
        """Return the outputs of a node that are results, or are used outside."""
        edges = (self.graph.edges[k] for k in self.out_of[node.id])
        roots = {k for k, o in enumerate(node.outputs) if o.root}
        return (roots or set(range(node.root))) | {
            e.out for e in edges if e.dst not in own
        }
