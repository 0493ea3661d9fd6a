"""A layout of our own for what an engine would take minutes for: columns and lanes.

Nodes stand in columns, by the longest path that leads to them.  An edge to the next
column goes there at once; a longer one takes its source's lane above all columns, and
comes down in front of its goal, where its label stands.  So no edge and no label
crosses a box, and the work grows with the number of edges alone.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from torchutils.calm import once
from torchutils.graph import Graph

__all__ = ["Geometry", "arrange", "ranks", "work"]

TURN, TIP, SPACE, LANE, FRAME = 26, 22, 14, 12, 26  # distances in pixels

Point = tuple[float, float]
Size = tuple[float, float]
_Lists = dict[int, list[int]]


class Geometry(NamedTuple):
    """Centres of nodes, curves with their tips, centres of labels, and frames."""

    nodes: list[Point]
    wires: list[tuple[list[Point], Point]]
    labels: dict[int, Point]
    frames: dict[int, tuple[float, float, float, float]]  # left, top, right, bottom


@once
def ranks(graph: Graph) -> list[int]:
    """Return each node's column; what has no operand stands just before its use."""
    rank, first = [0] * len(graph.rows), {}
    users: dict[int, list[int]] = defaultdict(list)
    waiting = [0] * len(graph.rows)
    for edge in graph.wires:
        users[edge[0]].append(edge[1])
        waiting[edge[1]] += 1
    sources = [i for i, count in enumerate(waiting) if not count]
    order = list(sources)
    for i in order:  # it grows while we go
        for user in users[i]:
            rank[user] = max(rank[user], rank[i] + 1)
            waiting[user] -= 1
            if not waiting[user]:
                order.append(user)
    for i in sources:
        first[i] = min((rank[user] for user in users[i]), default=1) - 1
    return [first.get(i, r) for i, r in enumerate(rank)]


def work(graph: Graph, *, labels: bool) -> int:
    """Return how many places an engine must order: nodes, and edges on their way.

    A label doubles the columns, and so the length of each edge.
    """
    rank, long = ranks(graph), 2 if labels else 1
    return len(graph.rows) + sum(long * (rank[e[1]] - rank[e[0]]) for e in graph.wires)


def arrange(
    graph: Graph,
    sizes: Sequence[Size],
    labels: dict[int, Size],
    titles: dict[int, float],
    *,
    across: bool,
) -> Geometry:
    """Place everything; ``across`` from left to right, else from top to bottom.

    ``titles`` are the widths of the groups' titles, which stand inside their frames.
    """
    if across:
        return _Columns(graph, sizes, labels, {}).geometry()
    turned = {k: _swap(size) for k, size in labels.items()}
    found = _Columns(graph, list(map(_swap, sizes)), turned, titles).geometry()
    return Geometry(
        list(map(_swap, found.nodes)),
        [(list(map(_swap, points)), _swap(tip)) for points, tip in found.wires],
        {k: _swap(place) for k, place in found.labels.items()},
        {k: (y0, x0, y1, x1) for k, (x0, y0, x1, y1) in found.frames.items()},
    )


def _swap(pair: Point) -> Point:
    return pair[1], pair[0]


class _Columns:
    def __init__(
        self,
        graph: Graph,
        sizes: Sequence[Size],
        labels: dict[int, Size],
        least: dict[int, float],
    ) -> None:
        self.graph, self.sizes, self.labels, self.least = graph, sizes, labels, least
        self.rank = ranks(graph)
        self.into: dict[int, list[int]] = defaultdict(list)
        for k, edge in enumerate(graph.edges):
            self.into[edge.dst].append(k)
        self.frames: dict[int, tuple[float, float, float, float]] = {}
        self.y = [0.0] * len(graph.nodes)
        self.left: list[float] = []

    def geometry(self) -> Geometry:
        """Give each node its row and column, then let the edges follow."""
        count = max(self.rank, default=0) + 1
        wide, room = [0.0] * count, [0.0] * count
        for i, r in enumerate(self.rank):
            wide[r] = max(wide[r], self.sizes[i][0])
            widths = [self.labels[k][0] for k in self.into[i] if k in self.labels]
            room[r] = max(room[r], *widths, 0)
        right = 0.0
        for w, label in zip(wide, room, strict=True):
            self.left.append(right + (TURN + label + TIP if self.left else 0))
            right = self.left[-1] + w
        self.right = [x + w for x, w in zip(self.left, wide, strict=True)]
        self.gap = [self.right[r - 1] if r else 0.0 for r in range(count)]
        self._stack_bands()
        lanes = self._lanes()
        ports = {k: y for i in self.into for k, y in self._ports(i)}
        labels = {
            k: (
                self.left[self.rank[self.graph.edges[k].dst]] - TIP - width / 2,
                ports[k] - height / 2 - 1,
            )
            for k, (width, height) in self.labels.items()
        }
        wires = [self._wire(k, ports[k], lanes) for k in range(len(self.graph.edges))]
        return Geometry(
            [*map(self._centre, range(len(self.y)))], wires, labels, self.frames
        )

    def _centre(self, i: int) -> Point:
        r = self.rank[i]
        return (self.left[r] + self.right[r]) / 2, self.y[i]

    def _stack_bands(self) -> None:
        """Give each group a band of rows to itself, inner ones inside outer ones."""
        members: dict[int, list[int]] = defaultdict(list)
        for node in self.graph.nodes:
            members[node.group].append(node.id)
        inner: dict[int, list[int]] = defaultdict(list)
        for group in self.graph.groups:
            inner[group.parent].append(group.id)
        top, todo = self._stack(members[-1], 0.0), [(g, False) for g in inner[-1][::-1]]
        start: dict[int, float] = {}
        while todo:
            i, done = todo.pop()
            if done:
                top += SPACE
                self.frames[i] = self._frame(i, members, inner, start[i], top)
                top += SPACE
                continue
            start[i] = top
            room = max(FRAME, self.least.get(i, 0))  # beside or below its title
            top = self._stack(members[i], top + room)
            todo += [(i, True), *((g, False) for g in inner[i][::-1])]

    def _frame(
        self, group: int, members: _Lists, inner: _Lists, top: float, bottom: float
    ) -> tuple[float, float, float, float]:
        within, columns = [group], set()
        for g in within:  # it grows while we go
            within += inner[g]
            columns |= {self.rank[i] for i in members[g]}
        left = self.left[min(columns)] - TIP
        return left, top, self.right[max(columns)] + TIP / 2, bottom

    def _stack(self, nodes: Iterable[int], top: float) -> float:
        """Put nodes below each other in their columns; return where the band ends."""
        columns: dict[int, list[int]] = defaultdict(list)
        for i in nodes:
            columns[self.rank[i]].append(i)
        bottom = top
        for r in sorted(columns):
            y = top
            for i in sorted(columns[r], key=self._pull):
                height = self._height(i)
                self.y[i] = y + height / 2
                y += height + SPACE
            bottom = max(bottom, y)
        return bottom

    def _pull(self, i: int) -> float:
        rows = [self.y[self.graph.edges[k].src] for k in self.into[i]]
        return sum(rows) / len(rows) if rows else 0.0

    def _height(self, i: int) -> float:
        return max(self.sizes[i][1], sum(h for _, h in self._slots(i)))

    def _slots(self, i: int) -> list[tuple[int, float]]:
        return [
            (k, self.labels[k][1] + 4 if k in self.labels else 8) for k in self.into[i]
        ]

    def _ports(self, i: int) -> list[tuple[int, float]]:
        slots = self._slots(i)
        y = self.y[i] - sum(h for _, h in slots) / 2
        found = []
        for k, height in slots:
            y += height
            found.append((k, y - 3))
        return found

    def _lanes(self) -> dict[int, float]:
        """Give each source of long edges the lowest lane that is free so far."""
        reach: dict[int, int] = {}
        for edge in self.graph.edges:
            if self.rank[edge.dst] - self.rank[edge.src] > 1:
                reach[edge.src] = max(reach.get(edge.src, 0), self.rank[edge.dst])
        free: list[int] = []  # the column from which on each lane is free
        lanes = {}
        for i in sorted(reach, key=lambda i: (self.rank[i], i)):
            lane = next((n for n, r in enumerate(free) if r <= self.rank[i]), len(free))
            free[lane : lane + 1] = [reach[i]]
            lanes[i] = -(lane + 1.0) * LANE - SPACE
        return lanes

    def _wire(
        self, k: int, port: float, lanes: dict[int, float]
    ) -> tuple[list[Point], Point]:
        edge = self.graph.edges[k]
        (x0, y0), (width, _) = self._centre(edge.src), self.sizes[edge.src]
        (x1, y1), (w, h) = self._centre(edge.dst), self.sizes[edge.dst]
        here, there = self.rank[edge.src], self.rank[edge.dst]
        path = _Path((x0 + width / 2, y0))
        path.line((self.right[here], y0))
        if there - here > 1:
            path.bend((self.right[here] + TURN - 4, lanes[edge.src]))
            path.line((self.gap[there], lanes[edge.src]))
        path.bend((self.gap[there] + TURN - 4, port))
        path.line((self.left[there] - TIP, port))
        tip = x1 - w / 2, min(max(port, y1 - h / 2 + 4), y1 + h / 2 - 4)
        path.bend((self.left[there] - 7, tip[1]))
        path.line((tip[0] - 7, tip[1]))
        return path.points, tip


class _Path:
    """A curve as Graphviz writes it: a start, then triples of Bézier points."""

    def __init__(self, start: Point) -> None:
        self.points = [start]

    def line(self, goal: Point) -> None:
        """Go straight."""
        (x0, y0), (x1, y1) = self.points[-1], goal
        one, two = ((x0 + (x1 - x0) * t, y0 + (y1 - y0) * t) for t in (1 / 3, 2 / 3))
        self._go(one, two, goal)

    def bend(self, goal: Point) -> None:
        """Leave and arrive in the direction of the columns."""
        (x0, y0), (x1, y1) = self.points[-1], goal
        self._go(((x0 + x1) / 2, y0), ((x0 + x1) / 2, y1), goal)

    def _go(self, first: Point, second: Point, goal: Point) -> None:
        if self.points[-1] != goal:
            self.points += [first, second, goal]
