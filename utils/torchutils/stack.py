"""A layout of our own for a phone: one box below another, and edges that pass by.

An edge to the next box goes straight down.  A longer one takes its source's lane, left
of all boxes between, and turns in above its goal, where its label stands: so no edge
crosses a box.  An edge between two nodes of a group stays inside the group's frame.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from graphlib import CycleError, TopologicalSorter

from torchutils.graph import Graph
from torchutils.lanes import Geometry, Point, Size

__all__ = ["one_by_one", "stack"]

Frame = tuple[float, float, float, float]  # left, top, right, bottom

TURN, TIP, SHORT = 26, 22, 8  # above a box: where edges turn, and come in, or none do
LANE, CLOSE = 12, 7  # between lanes, and between a lane and a box; where there are many
DOZEN = 12  # so many lanes are no closer
HEAD, INSET = 24, 12  # a frame's title; between a frame and what is in it
ARROW = 7  # pixels before its goal an edge ends, and its arrow's head begins


def one_by_one(graph: Graph) -> list[int]:
    """Return all nodes, each behind its operands, those last that need the least.

    So what an edge joins stands near each other, and few edges pass by other boxes.
    """
    operands: dict[int, set[int]] = {node.id: set() for node in graph.nodes}
    for edge in graph.edges:
        operands[edge.dst].add(edge.src)
    return _one_by_one(operands)


def _one_by_one(operands: dict[int, set[int]]) -> list[int]:
    depth: dict[int, int] = {}
    for node in _behind(operands, {}):
        depth[node] = 1 + max((depth[k] for k in operands[node]), default=0)
    return _behind(operands, depth)


def _behind(operands: dict[int, set[int]], depth: dict[int, int]) -> list[int]:
    order: dict[int, None] = {}
    todo = sorted(operands, reverse=True)
    while todo:
        waiting = sorted(k for k in operands[todo[-1]] if k not in order)
        todo += sorted(waiting, key=lambda k: depth.get(k, 0))
        if not waiting:
            order.setdefault(todo.pop())
    return list(order)


def stack(
    graph: Graph,
    sizes: Sequence[Size],
    labels: dict[int, Size],
    titles: dict[int, float],
) -> Geometry | None:
    """Place everything, sizes in pixels; ``titles`` are the widths of groups' titles.

    None where the nodes of a group cannot stand together, each behind its operands.
    """
    try:
        order = _together(graph)
    except CycleError:
        return None
    return _Stack(graph, order, sizes, labels, titles).geometry()


def _together(graph: Graph) -> list[int]:
    """Return all nodes, each behind its operands, and those of a group together.

    A group takes part in its parent's order as its first node.  Raises CycleError.
    """
    ways = _ways(graph)
    first: dict[int, int] = {}
    for node in graph.nodes:  # by number
        for group in ways[node.group]:
            first.setdefault(group, node.id)
    paths = [(*(first[g] for g in ways[n.group]), n.id) for n in graph.nodes]
    read: dict[int, dict[int, set[int]]] = defaultdict(
        dict
    )  # by group, what items read
    inner = {}
    for node in graph.nodes:
        within = -1
        for group in ways[node.group]:
            inner[within, first[group]] = group
            read[within].setdefault(first[group], set())
            within = group
        read[within].setdefault(node.id, set())
    for edge in graph.edges:
        pairs = zip(paths[edge.src], paths[edge.dst], strict=False)
        depth, (src, dst) = next((k, p) for k, p in enumerate(pairs) if p[0] != p[1])
        around = (-1, *ways[graph.nodes[edge.dst].group])[depth]
        read[around][dst].add(src)

    def listed(group: int) -> Iterator[int]:
        TopologicalSorter(read[group]).prepare()
        for item in _one_by_one(read[group]):
            within = inner.get((group, item))
            if within is None:
                yield item
            else:
                yield from listed(within)

    return list(listed(-1))


def _ways(graph: Graph) -> dict[int, tuple[int, ...]]:
    """Return each group with those around it, the outermost first."""
    ways: dict[int, tuple[int, ...]] = {-1: ()}
    for group in graph.groups:  # a group comes after its parent
        ways[group.id] = (*ways[group.parent], group.id)
    return ways


class _Stack:
    """Rows are numbered from above; the middle of each box is at 0.

    What is left of the boxes is known for rows and for the gaps below: row 3 is at the
    place 6, the gap below it at 7.
    """

    def __init__(
        self,
        graph: Graph,
        order: Sequence[int],
        sizes: Sequence[Size],
        labels: dict[int, Size],
        titles: dict[int, float],
    ) -> None:
        self.graph, self.labels, self.titles = graph, labels, titles
        self.order, self.sizes = order, sizes
        self.row = {i: r for r, i in enumerate(order)}
        self.into: dict[int, list[int]] = {i: [] for i in order}
        for k, edge in enumerate(graph.edges):
            self.into[edge.dst].append(k)
        self.spans = self._spans()
        begun, ended = ([span[k] for span in self.spans.values()] for k in (0, 1))
        self.begun = [begun.count(r) for r in range(len(order))]
        self.ended = [0, *(ended.count(r) for r in range(len(order)))]
        self.ports = {k: x for i in order for k, x in self._ports(i)}
        half = [self._room(i) / 2 for i in order]
        self.right = half
        self.left = [0.0] * (2 * len(order) + 1)
        self.left[: 2 * len(half) : 2] = [-w for w in half]
        self.top: list[float] = []  # of each box
        self.turn: list[float] = []  # where edges begin to turn above it
        self.below: list[float] = []  # room above it for labels and arrows

    def geometry(self) -> Geometry:
        """Place rows, then lanes and frames from the inside out, then edges."""
        self._place_rows()
        lanes, frames = self._lanes_and_frames()
        middle = {
            i: top + self.sizes[i][1] / 2
            for i, top in zip(self.order, self.top, strict=True)
        }
        return Geometry(
            [(0.0, middle[n.id]) for n in self.graph.nodes],
            [self._wire(k, lanes) for k in range(len(self.graph.edges))],
            {k: self._label(k) for k in self.labels},
            frames,
        )

    def _spans(self) -> dict[int, tuple[int, int]]:
        """Return each group's first row and last row, those of inner groups first."""
        parent = {g.id: g.parent for g in self.graph.groups}
        rows: dict[int, list[int]] = {g.id: [] for g in reversed(self.graph.groups)}
        for node in self.graph.nodes:
            group = node.group
            while group >= 0:
                rows[group].append(self.row[node.id])
                group = parent[group]
        return {g: (min(known), max(known)) for g, known in rows.items()}

    def _slot(self, k: int) -> float:
        return self.labels[k][0] + 4 if k in self.labels else 8.0

    def _room(self, i: int) -> float:
        """Return how wide a row is: a single label stands left of the middle."""
        slots = sum(map(self._slot, self.into[i]))
        return max(self.sizes[i][0], slots * (1 + (len(self.into[i]) == 1)))

    def _ports(self, i: int) -> Iterator[tuple[int, float]]:
        """Yield where each edge comes in: a single one in the middle of the box."""
        if len(self.into[i]) == 1:
            yield self.into[i][0], 0.0
            return
        x = -sum(map(self._slot, self.into[i])) / 2
        for k in self.into[i]:
            x += self._slot(k)
            yield k, x - (3 if k in self.labels else self._slot(k) / 2)

    def _steps(self, k: int) -> int:
        edge = self.graph.edges[k]
        return self.row[edge.dst] - self.row[edge.src]

    def _place_rows(self) -> None:
        bent = {  # rows above which an edge turns
            row
            for k, edge in enumerate(self.graph.edges)
            if self._steps(k) > 1 or k in self.labels or self.ports[k]
            for row in (self.row[edge.src] + 1, self.row[edge.dst])
        }
        y = 0.0
        for row, i in enumerate(self.order):
            y += INSET * self.ended[row]
            self.turn.append(y)
            marks = [self.labels[k][1] for k in self.into[i] if k in self.labels]
            self.below.append(max(marks, default=0) + TIP if row in bent else SHORT)
            if row or self.begun[row]:
                y += HEAD * self.begun[row] + self.below[row]
            y += TURN if row else 0
            self.top.append(y)
            y += self.sizes[i][1]

    def _lanes_and_frames(self) -> tuple[dict[int, float], dict[int, Frame]]:
        """Lay the lanes in a group, then its frame around them; inner groups first."""
        reach = self._reach()
        apart = LANE if len(reach) <= DOZEN else CLOSE
        lanes: dict[int, float] = {}
        frames: dict[int, Frame] = {}
        for group in (*self.spans, -1):
            own = [(last, i) for i, (home, last) in reach.items() if home == group]
            for last, i in sorted(own, key=lambda p: (p[0] - self.row[p[1]], p[0])):
                places = slice(2 * self.row[i] + 1, 2 * last)
                lanes[i] = min(self.left[places]) - apart
                self.left[places] = [lanes[i]] * (places.stop - places.start)
            if group >= 0:
                frames[group] = self._frame(group, [*frames])
        return lanes, frames

    def _reach(self) -> dict[int, tuple[int, int]]:
        """Return, for what has a lane, the group around it and its last row."""
        ways = _ways(self.graph)
        around: dict[int, tuple[int, ...]] = {}
        last: dict[int, int] = {}
        for k, edge in enumerate(self.graph.edges):
            if self._steps(k) > 1:
                goal = ways[self.graph.nodes[edge.dst].group]
                own = around.get(edge.src, ways[self.graph.nodes[edge.src].group])
                around[edge.src] = tuple(g for g in own if g in goal)
                last[edge.src] = max(last.get(edge.src, 0), self.row[edge.dst])
        return {i: ((-1, *around[i])[-1], row) for i, row in last.items()}

    def _frame(self, group: int, inner: Sequence[int]) -> Frame:
        first, last = self.spans[group]
        begun = 1 + sum(self.spans[g][0] == first for g in inner)
        ended = 1 + sum(self.spans[g][1] == last for g in inner)
        right = max(self.right[first : last + 1]) + INSET
        left = min(self.left[2 * first : 2 * last + 1]) - INSET
        left = min(left, right - self.titles[group])
        self.right[first : last + 1] = [right] * (last + 1 - first)
        self.left[2 * first : 2 * last + 1] = [left] * (2 * (last - first) + 1)
        top = self.top[first] - self.below[first] - HEAD * begun
        bottom = self.top[last] + self.sizes[self.order[last]][1] + INSET * ended
        return left, top, right, bottom

    def _label(self, k: int) -> Point:
        width, height = self.labels[k]
        top = self.top[self.row[self.graph.edges[k].dst]]
        return self.ports[k] - width / 2 - 1, top - TIP - height / 2

    def _wire(self, k: int, lanes: dict[int, float]) -> tuple[list[Point], Point]:
        edge, port = self.graph.edges[k], self.ports[k]
        here, there = self.row[edge.src], self.row[edge.dst]
        path = [(0.0, self.top[here] + self.sizes[edge.src][1])]
        top, half = self.top[there], self.sizes[edge.dst][0] / 2 - 4
        if there - here > 1:
            _down(path, 0, self.turn[here + 1])
            _down(path, lanes[edge.src], self.turn[here + 1] + TURN - 4)
            _down(path, lanes[edge.src], self.turn[there])
        elif port:
            _down(path, 0, self.turn[there])
        if there - here > 1 or port:
            _down(path, port, self.turn[there] + TURN - 4)
        tip = min(max(port, -half), half)
        if tip != port:
            _down(path, port, top - TIP)
        _down(path, tip, top - ARROW)
        return path, (tip, top)


def _down(path: list[Point], x: float, y: float) -> None:
    """Go down to a point, straight, or leaving and arriving vertically."""
    x0, middle = path[-1][0], (path[-1][1] + y) / 2
    if path[-1] != (x, y):
        path += [(x0, middle), (x, middle), (x, y)]
