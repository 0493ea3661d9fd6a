"""What is drawn: the whole, as deep as it fits, and what is inside of its boxes."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import NamedTuple

from torchutils.close import Parts, close, levels, plain
from torchutils.fit import SHOWN, WIDEST, bundle, is_longer, nearest
from torchutils.graph import Graph
from torchutils.layout import Engine, Layout, breadth, lay_out, place, row_width

__all__ = ["Look", "View", "open_boxes", "view_of", "way_of"]

BOXES = 40  # so many nodes a drawing has at most, if closing modules does it
PAGE = 240  # so many nodes the drawings on a page have together
LEAST = 12  # nodes that are drawn however wide they are
SURELY = 1.5  # times too wide by an estimate that was at most 1.4 times the truth
LONG = 20  # so many boxes one after the other are wider than a drawing may be
GUESSED = (
    "The modules are guessed from the names of parameters: with trace_modules(model) "
    "around the forward pass they are known."
)
NEAREST = "fold=False shows all."


class Look(NamedTuple):
    """How a drawing looks: its style, and its direction or "auto"; and who lays it out.

    What is in many boxes has the same plan: an engine that remembers is asked once.
    """

    style: str
    direction: str
    engine: Engine = place


@dataclass
class View:
    """One drawing: of the whole, or of what is in a box of another."""

    title: str
    graph: Graph
    layout: Layout | None = None  # where it was laid out, to see how wide it is
    boxes: dict[int, int] = field(default_factory=dict)  # the groups of its boxes
    parts: Parts | None = None  # where to look for what is in them
    insides: list["View"] = field(default_factory=list)
    more: list[str] = field(default_factory=list)  # boxes that are not opened

    def walk(self) -> Iterator["View"]:
        """Yield this and what is in its boxes, in the order of reading."""
        yield self
        for view in self.insides:
            yield from view.walk()


def way_of(graph: Graph, look: Look) -> str:
    """Return the direction: from left to right, if there is room for that."""
    if look.direction != "auto":
        return look.direction
    if is_longer(graph, LONG):
        return "TB"
    return "LR" if row_width(graph, look.style) <= WIDEST else "TB"


def laid_out(graph: Graph, look: Look) -> Layout:
    """Lay a graph out in the direction in which it fits."""
    way = way_of(graph, look)
    put = partial(lay_out, graph, style=look.style, engine=look.engine)
    found = put(direction=way)
    if way == "LR" and look.direction == "auto" and found.width > WIDEST:
        return put(direction="TB")
    return found


def view_of(
    graph: Graph, look: Look, depth: int | str = "auto", title: str = ""
) -> View:
    """Return a drawing that fits, its modules open as deep as ``depth``, or "auto"."""
    main = _fitted(title, graph, look, depth)
    main.graph = replace(main.graph, remarks=main.graph.remarks + _remarks(main))
    return main


def open_boxes(main: View, look: Look) -> None:
    """Add the drawings of what is in a drawing's boxes, as many as a page shows."""
    shown, waiting = len(main.graph.rows), deque([main])
    while waiting:
        view = waiting.popleft()
        for i, group in view.boxes.items():
            name = view.graph.nodes[i].names[0]
            if view.parts is None or view.parts.size(group) < 2:
                continue
            if shown >= PAGE:
                view.more.append(name)
                continue
            found = _fitted(name, view.parts.inside(group), look, "auto")
            shown += len(found.graph.rows)
            view.insides.append(found)
            waiting.append(found)


def _remarks(view: View) -> tuple[str, ...]:
    found = []
    if view.boxes:
        level = 1 + max(levels(view.graph).values())
        found.append(f"A closed box is a module; depth={level + 1} opens it here.")
    if view.graph.guessed and (view.boxes or view.graph.groups):
        found.append(GUESSED)
    return tuple(found)


def _fitted(title: str, graph: Graph, look: Look, depth: int | str) -> View:
    """Open modules as deep as there is room, and cut what is too wide even so."""
    for closed in _depths(graph, depth):  # the deepest first
        width, layout = _measured(closed[0], look)
        if width <= WIDEST:
            break
    whole, boxes = closed
    count = SHOWN
    drawn = bundle(nearest(whole, count, NEAREST))
    if drawn is not whole:
        width, layout = _measured(drawn, look)
    while min(count, len(drawn.rows)) > LEAST and width > WIDEST:
        count = max(LEAST, int(min(count, len(drawn.rows)) * WIDEST / width))
        drawn = bundle(nearest(whole, count, NEAREST))
        width, layout = _measured(drawn, look)
    shown = {i: group for i, group in boxes.items() if i < count}
    return View(title, drawn, layout, shown, Parts(graph) if shown else None)


def _depths(graph: Graph, depth: int | str) -> list[tuple[Graph, dict[int, int]]]:
    """Return the graph with its modules closed: as asked, or deep ones first."""
    if depth != "auto":
        return [close(graph, int(depth)) if depth else (plain(graph), {})]
    found: list[tuple[Graph, dict[int, int]]] = []
    for level in range(1, max(levels(graph).values()) + 1):
        closed = close(graph, level)
        if found and len(closed[0].rows) > BOXES:
            return found[::-1]
        found.append(closed)
    if not found or len(graph.rows) <= BOXES:
        found.append((graph, {}))
    return found[::-1]


def _measured(graph: Graph, look: Look) -> tuple[float, Layout | None]:
    """Return a drawing's width; laid out, unless it is surely too wide or too large."""
    if len(graph.rows) > 2 * SHOWN:  # it is cut: nobody would see it
        return WIDEST + 1.0, None
    if way_of(graph, look) == "TB":
        width = breadth(graph, look.style)
        if width > SURELY * WIDEST:
            return width, None
    layout = laid_out(graph, look)
    return layout.width, layout
