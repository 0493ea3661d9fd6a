"""The drawing as SVG: escaped text, classes for themes, light colours as fall-back."""

from html import escape
from itertools import chain
from math import hypot

from torchutils.graph import Graph, Group, Node
from torchutils.labels import Line, stands_out
from torchutils.layout import (
    INSET,
    SIZE,
    STEP,
    Box,
    Layout,
    Wire,
    broken,
    cut,
    text_width,
)
from torchutils.text import summary, timeline
from torchutils.values import visible

__all__ = ["drawn_width", "safe", "to_svg", "width_of"]

MARGIN = 8
LEAST = 12  # pixels of a letter
HEAD = 9  # the length of an arrow's head
FONT = "system-ui,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"

# role: (what the legend says, attributes of its shape)
_ROLES = {
    "leaf": ("leaf: keeps .grad", 'fill="#dcebfa" stroke="#1b62a5"'),
    "op": ("operation", 'fill="#f1f1f1" stroke="#5a5a5a"'),
    "root": ("output", 'fill="#dff3e0" stroke="#1e7a34"'),
    "tensor": ("no graph", 'fill="#fff" stroke="#6b6b6b" stroke-dasharray="5 3"'),
    "more": ("not drawn", 'fill="#fff" stroke="#6b6b6b" stroke-dasharray="2 3"'),
    "module": ("module, closed", 'fill="#ece7f6" stroke="#5b3f9e" stroke-width="2.5"'),
    "given": ("from outside", 'fill="#fff" stroke="#6b6b6b" stroke-dasharray="5 3"'),
    "saved": (
        "saved for backward",
        'fill="#fdebd3" stroke="#9a5200" stroke-dasharray="5 3"',
    ),
}
_TEXT = {"g": ' class="ag-grad" fill="#b00020"'}


def to_svg(
    graph: Graph,
    layout: Layout,
    *,
    title: str = "",
    css: str = "",
    look: str = "",
    rooms: tuple[int, ...] = (),
) -> str:
    """Return one SVG element; ``css`` makes it stand alone, ``look`` adds a class.

    If it is a little wider than one of the ``rooms`` for it, it becomes that wide.

    It has no ids, so that the same drawing may stand twice on a page, no scripts
    and no links; everything that came from outside is escaped text.
    """
    said = timeline(graph) if graph.backward and not css else {}
    legend, wide, high = _legend(graph, layout)
    width, height = round(wide + 2 * MARGIN), round(high + 2 * MARGIN)
    hide = ' display="none"' if look == "ag-narrow" else ""  # without a style sheet
    scale = _fitting(width, rooms) / width
    about = " ".join(graph.remarks) or "The text version lists every step."
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{f"ag-svg {look}".strip()}" '
        f'role="img"{hide} width="{width * scale:.0f}" height="{height * scale:.0f}" '
        f'viewBox="{-MARGIN} {-MARGIN} {width} {height}" '
        f'font-family="{FONT}" font-size="13">'
        f"<title>{safe(title or summary(graph))}</title><desc>{safe(about)}</desc>",
        f"<style>{css}</style>" if css else "",
        f'<rect class="ag-page" x="{-MARGIN}" y="{-MARGIN}" width="{width}" '
        f'height="{height}" fill="#fff"/><g class="ag-ink" fill="#1a1a1a">',
        *map(_frame, graph.groups, layout.groups),
        '<g class="ag-edges" stroke="#555" stroke-width="1.5">',
        *(_wire(k, wire, bool(said)) for k, wire in enumerate(layout.wires)),
        "</g>",
        *map(_title, graph.groups, layout.groups),
        '<g text-anchor="middle">',
        *(_mark(k, w.label, said) for k, w in enumerate(layout.wires) if w.label),
        *(_node(n, layout.boxes[n.id], said) for n in graph.nodes),
        f"</g>{legend}</g></svg>",
    ]
    return "".join(parts)


def _fitting(width: int, rooms: tuple[int, ...]) -> int:
    fits = (room for room in rooms if room < width <= room * SIZE / LEAST)
    return next(fits, width)


def width_of(graph: Graph, layout: Layout, rooms: tuple[int, ...]) -> int:
    """Return the width that a drawing will have, in pixels."""
    _, wide, _ = _legend(graph, layout)
    return _fitting(round(wide + 2 * MARGIN), rooms)


def drawn_width(svg: str) -> int:
    """Return the width of a drawing, in pixels, as it is written in it.

    >>> drawn_width('<svg class="ag-svg" width="640" height="80">')
    640
    """
    return int(svg.split('width="', 1)[1].split('"', 1)[0])


def safe(text: str) -> str:
    """Escape text for HTML and SVG, attributes included."""
    return escape(visible(text))


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")


def _role(node: Node) -> str:
    return "root" if node.root and node.kind == "op" else node.kind


_States = list[tuple[int, str, str]]
_Said = dict[str, _States]


def _node(node: Node, box: Box, said: _Said) -> str:
    role = _role(node)
    middle = _n(box.x)
    y = box.y - STEP * sum(line.rows for line in box.lines) / 2 + 14
    rows = []
    for line in box.lines:
        look = ' font-size="14" font-weight="600"' if line.role == "t" else ""
        if line.role in "vg":
            own = "r" if line.text.startswith("grad") else "a"
            place = f"{'v' if line.role == 'v' else own}{node.id}{line.at}"
            states = said.get(f"{line.role}{node.id}{line.at}", [])
            rows += _states(line, middle, y, place, states)
        else:
            rows.append(_row(line, middle, y, look))
        y += STEP * line.rows
    uncut = "\n".join(safe(line.text) for line in box.lines)
    lit = ' stroke-width="4"' if stands_out(node) else ""
    tip = "" if said else f"<title>{uncut}</title>"  # it would tell the end
    return (
        f'<g class="ag-node" data-node="{node.id}"{lit}>{tip}{_shape(role, box)}'
        f"{''.join(rows)}</g>"
    )


def _row(line: Line, x: str, y: float, look: str = "") -> str:
    look += _TEXT.get(line.role, "")
    first, *more = map(safe, broken(line))
    rows = "".join(f'<tspan x="{x}" dy="{STEP}">{row}</tspan>' for row in more)
    return f'<text x="{x}" y="{_n(y)}"{look}>{first}{rows}</text>'


def _states(line: Line, x: str, y: float, place: str, states: _States) -> list[str]:
    """Return a line as it is in the end, and hidden, as it was before."""
    if not states:
        return [_row(line, x, y)]
    *earlier, (start, _, _) = states
    ends = [state[0] for state in states[1:]]
    rows = []
    for (k, was, text), end in zip(earlier, ends, strict=True):
        look = f' data-v="{was}" data-from="{k}" data-to="{end}" visibility="hidden"'
        rows.append(_row(line._replace(text=text), x, y, look))
    return [*rows, _row(line, x, y, f' data-v="{place}" data-from="{start}"')]


def _shape(role: str, box: Box, grow: float = 0) -> str:
    """Return the outline: a double one for an output, a folded corner for a saved."""
    x, y = box.x - box.width / 2 - grow, box.y - box.height / 2 - grow
    w, h = box.width + 2 * grow, box.height + 2 * grow
    if role == "saved":
        points = f"M{_n(x)} {_n(y)}h{_n(w - 9)}l9 9v{_n(h - 9)}h{_n(-w)}z"
        return f'<path class="ag-box ag-saved" d="{points}" {_ROLES[role][1]}/>'
    place = f'x="{_n(x)}" y="{_n(y)}" width="{_n(w)}" height="{_n(h)}"'
    if role == "leaf":
        place += f' rx="{_n(min(10, h / 3))}"'  # in the legend as in the drawing
    shape = f'<rect class="ag-box ag-{role}" {place} {_ROLES[role][1]}/>'
    if role == "root" and not grow:
        return shape + _shape(role, box, -INSET)
    return shape


def _points(points: tuple[tuple[float, float], ...]) -> str:
    every = "%.1f,%.1f " * len(points) % tuple(chain.from_iterable(points))
    return every.replace(".0,", ",").replace(".0 ", " ")[:-1]


def _wire(k: int, wire: Wire, walked: bool) -> str:
    """Return an edge; one that is walked has a second head, for the way back."""
    start, *rest = wire.points
    end, tip = wire.points[-1], wire.tip
    back = ""
    if walked:
        toward = rest[0] if rest[0] != start else tip
        length = hypot(toward[0] - start[0], toward[1] - start[1]) or 1
        x, y = ((b - a) / length * HEAD for a, b in zip(start, toward, strict=True))
        head = _head((start[0] + x, start[1] + y), start)
        path = f"{head}M{_points((end, tip))}"
        back = f'<path class="ag-back" d="{path}" visibility="hidden"/>'
    return (
        f'<g class="ag-edge" data-edge="{k}"><path d="M{_points((start,))}C'
        f'{_points(tuple(rest))}" fill="none"/>'
        f'<path class="ag-head" d="{_head(end, tip)}" fill="#555"/>{back}</g>'
    )


def _head(foot: tuple[float, float], tip: tuple[float, float]) -> str:
    (x1, y1), (x2, y2) = foot, tip
    length = hypot(x2 - x1, y2 - y1) or 1
    dx, dy = (y1 - y2) / length * 3.5, (x2 - x1) / length * 3.5
    return f"M{_points(((x1 + dx, y1 + dy), tip, (x1 - dx, y1 - dy)))}z"


def _mark(k: int, box: Box, said: _Said) -> str:
    y = box.y - box.height / 2 + 13
    rows = []
    for line in box.lines:
        states = said.get(f"s{k}", []) if line.role == "g" else []
        rows += _states(line, _n(box.x), y, f"s{k}", states)
        y += STEP * line.rows
    return f'<g class="ag-mark" data-edge="{k}">{"".join(rows)}</g>'


def _frame(group: Group, box: Box) -> str:
    x, y = box.x - box.width / 2, box.y - box.height / 2
    return (
        f'<rect class="ag-frame" x="{_n(x)}" y="{_n(y)}" width="{_n(box.width)}" '
        f'height="{_n(box.height)}" fill="none" stroke="#6b6b6b" stroke-dasharray="6 4"'
        ' rx="4"/>'
    )


def _title(group: Group, box: Box) -> str:
    """Return a frame's title, which hides the edges that run through its row."""
    x, y, text = box.x - box.width / 2 + 8, box.y - box.height / 2, cut(group.title)
    return (
        f'<rect class="ag-page" x="{_n(x - 2)}" y="{_n(y + 3)}" '
        f'width="{_n(text_width(text) + 4)}" height="{STEP}" fill="#fff"/>'
        f'<text x="{_n(x)}" y="{_n(y + STEP)}">{safe(text)}</text>'
    )


def _legend(graph: Graph, layout: Layout) -> tuple[str, float, float]:
    """Return the entries for the roles that occur, and the whole drawing's size."""
    present = {_role(n) for n in graph.nodes}
    limit = max(layout.width, 300)
    x, y, widest, parts = 0.0, layout.height + 26, layout.width, []
    for role, (word, _) in _ROLES.items():
        if role not in present:
            continue
        room = 26 + text_width(word)
        if x and x + room > limit:
            x, y = 0.0, y + STEP
        parts.append(_shape(role, Box(x + 10, y, 19, 12)))
        parts.append(f'<text x="{_n(x + 25)}" y="{_n(y + 4.5)}">{word}</text>')
        x += room + 14
        widest = max(widest, x - 14)
    if graph.backward:
        word = "+ contribution that went back along an edge"
        if x and x + text_width(word) > limit:
            x, y = 0.0, y + STEP
        look = _TEXT["g"]
        parts.append(f'<text x="{_n(x)}" y="{_n(y + 4.5)}"{look}>{word}</text>')
        widest = max(widest, x + text_width(word))
    return f'<g class="ag-legend">{"".join(parts)}</g>', widest, y + 10
