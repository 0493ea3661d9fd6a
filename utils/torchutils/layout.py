"""Where things go: sizes from our own table of widths, positions from Graphviz."""

import json
import re
import shutil
import subprocess
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from itertools import chain, combinations
from textwrap import wrap
from typing import NamedTuple

from torchutils.calm import once
from torchutils.graph import Graph, Node
from torchutils.labels import Line, edge_lines, is_ordered, node_lines
from torchutils.lanes import Geometry, Point, Size, arrange, ranks, work
from torchutils.stack import one_by_one, stack
from torchutils.text import Timeline, timeline

__all__ = [
    "Box",
    "Layout",
    "Wire",
    "breadth",
    "broken",
    "check_engine",
    "cut",
    "is_slow",
    "lay_out",
    "place",
    "row_width",
    "run_engine",
    "text_width",
]

SIZE, TITLE, STEP = 13, 14, 18  # font sizes and the distance of lines, in pixels
PAD, BESIDE = 11, 21.6  # around a text, and between what stands side by side
INSET = 3  # of the inner outline of an output
LINE = 40  # characters in a line; the whole text is in the tooltip
ENGINE = 1500  # so many places Graphviz orders in half a second, whatever the graph
CROWD = 20_000  # and so many, squared, for each node: a tenth of a second
BY_ONE = 4  # so many operands are numbered one by one
ROWS = 4  # into so many rows at most a line is broken
SMALL = 300  # pixels of a title that the smallest phone shows whole
_WORDS = {"t": re.compile(r"[^\s_.]+[\s_.]*"), "": re.compile(r"\S+\s*")}

# Helvetica's advance widths in thousandths, from the metrics that Adobe published
# for the 14 standard fonts of PDF, for the characters 32 to 126.
_WIDTHS = (
    "278 278 355 556 556 889 667 191 333 333 389 584 278 333 278 278 556 556 556 556 "
    "556 556 556 556 556 556 278 278 584 584 584 556 1015 667 667 722 722 667 611 778 "
    "722 278 500 667 556 833 722 778 667 778 722 667 611 722 667 944 667 667 611 278 "
    "278 278 469 556 333 556 556 500 556 556 278 556 556 222 222 500 222 833 556 556 "
    "556 556 333 500 278 556 500 722 500 500 500 334 260 334 584"
)
_TABLE = {chr(32 + k): int(w) for k, w in enumerate(_WIDTHS.split())}
_ROOM = 1.17  # DejaVu Sans and Verdana are that much wider


class Placed(NamedTuple):
    """Where a plan's parts go, in pixels from the left and from the top.

    ``nodes`` are centres; of each edge ``wires`` are a curve, its tip, and the centre
    of its label; ``frames`` are the groups' centres and sizes.
    """

    width: float
    height: float
    nodes: list[Point]
    wires: list[tuple[tuple[Point, ...], Point, Point | None]]
    frames: list[tuple[float, float, float, float]]


Engine = Callable[[str], Placed]  # a plan in the DOT language, to places


class Box(NamedTuple):
    """A node's or a group's place: centre and size in pixels, y downwards."""

    x: float
    y: float
    width: float
    height: float
    lines: tuple[Line, ...] = ()


class Wire(NamedTuple):
    """An edge's curve: a start, then triples of Bézier points; its tip; its label."""

    points: tuple[tuple[float, float], ...]
    tip: tuple[float, float]
    label: Box | None = None


@dataclass(frozen=True)
class Layout:
    """A whole drawing's geometry; nodes and edges in the graph's own order."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    wires: tuple[Wire, ...]
    groups: tuple[Box, ...]
    engine: bool = True  # Graphviz made it, and heeded how many may stand beside


@cache
def text_width(text: str, size: float = SIZE) -> float:
    """Return the room, in pixels, that a line needs in any usual sans-serif font.

    >>> text_width("pow") < text_width("pow(x)") < text_width("日本語テスト")
    True
    """
    units = sum(_TABLE.get(c) or _wide(c) for c in text)
    return units * size * _ROOM / 1000


def _wide(char: str) -> int:
    if unicodedata.east_asian_width(char) in "WF":
        return 1000
    return 0 if unicodedata.combining(char) else 620


def cut(text: str, limit: int = LINE) -> str:
    """Shorten a line that is too long for a drawing."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


@once
def _lines(graph: Graph, style: str, *, number: bool = False) -> list[list[Line]]:
    """Return each box's lines; words that are too many for one go on in the next."""
    every = (node_lines(node, style, number=number) for node in graph.nodes)
    return [[part for line in lines for part in _told(line)] for lines in every]


@once
def _sizes(graph: Graph, style: str) -> list[Size]:
    return [_size(lines, PAD) for lines in _lines(graph, style)]


def _told(line: Line) -> list[Line]:
    """Break a fact into lines of about one length.

    >>> line = Line("saved tensors computed again (checkpoint)")
    >>> [part.text for part in _told(line)]
    ['saved tensors computed again', '(checkpoint)']
    """
    count = -(-len(line.text) // LINE)
    if count <= 1 or line.role != "m":
        return [line]
    width = min(LINE, len(line.text) // count + 8)
    parts = wrap(
        line.text, width, max_lines=3, placeholder=" …", break_long_words=False
    )
    return [line._replace(text=part) for part in parts]


@cache
def broken(line: Line) -> tuple[str, ...]:
    """Return the rows of a line: as few as its room asks for, about equally long.

    >>> broken(Line("grad [0.25, -0.5, 0.75]", "g", room=100))
    ('grad [0.25, ', '-0.5, 0.75]')
    """
    text = cut(line.text)
    if not line.room or text_width(text) <= line.room:
        return (text,)
    words = _WORDS.get(line.role, _WORDS[""]).findall(text)
    rows = min(len(_filled(words, line.room)), ROWS)
    runs = ("".join(words[i:k]) for i, k in combinations(range(len(words) + 1), 2))
    tries = (_filled(words, room) for room in sorted(map(text_width, runs)))
    return next((tuple(found) for found in tries if len(found) <= rows), (text,))


def _filled(words: list[str], room: float) -> list[str]:
    rows = [""]
    for word in words:
        if rows[-1] and text_width(rows[-1] + word) > room:
            rows.append("")
        rows[-1] += word
    return rows


def _for_a_phone(lines: list[Line]) -> list[Line]:
    """Say one fact a line, and break a title that is wider than the smallest phone."""
    return [
        line._replace(room=line.room or SMALL * SIZE / TITLE / 1.13)
        if line.role == "t" and text_width(line.text, TITLE * 1.13) > SMALL
        else line
        for line in _one_fact_a_line(lines)
    ]


def _size(lines: Iterable[Line], pad: float) -> tuple[float, float]:
    widths, height = [], 0
    for line in lines:
        wide, most = _line_width(line)
        widths.append(max(wide + 2 * pad, most + 2))
        height += STEP * line.rows
    return round(max(widths)), height + 2 * max(pad - 4, 0)


@cache
def _line_width(line: Line) -> tuple[float, float]:
    """Return a line's usual width, and what it takes at most, in DejaVu Sans.

    There a sign of a list takes up to three pixels more than in Helvetica, and a bold
    letter a twentieth.
    """
    bold = line.role == "t"
    rows = broken(line)
    wide = max(text_width(row, TITLE * 1.08 if bold else SIZE) for row in rows)
    most = max(
        text_width(row, TITLE * 1.13 if bold else SIZE)
        + (2.2 if bold else 0.9) * sum(map(row.count, "[]#"))
        for row in rows
    )
    return wide, most


@once
def row_width(graph: Graph, style: str) -> float:
    """Return about how wide a drawing from left to right is, before it is one."""
    rank = ranks(graph)
    wide, room = [0.0] * (max(rank, default=0) + 1), [0.0] * (max(rank, default=0) + 1)
    for r, (own, _) in zip(rank, _sizes(graph, style), strict=True):
        wide[r] = max(wide[r], own)
    for k, lines in edge_lines(graph, style).items():
        goal = rank[graph.wires[k][1]]
        room[goal] = max(room[goal], _size(lines, 3)[0] + 32)
    return sum(wide) + sum(room) + 32 * (len(wide) - 1)


def is_slow(graph: Graph, *, labels: bool) -> bool:
    """Say whether Graphviz would be slow: many places, or many that share a row."""
    places = work(graph, labels=labels)
    return places > ENGINE or places**2 > CROWD * len(graph.rows)


def breadth(graph: Graph, style: str) -> float:
    """Return about how wide a drawing from top to bottom is, before it is one.

    Its widest row counts: boxes, or the edges on their way and the labels among them.
    """
    rank = ranks(graph)
    rows = [0.0] * (2 * max(rank, default=0) + 1)  # a row of labels after each of boxes
    for r, (own, _) in zip(rank, _sizes(graph, style), strict=True):
        rows[2 * r] += own + BESIDE
    marks = edge_lines(graph, style)
    for k, (src, dst, *_) in enumerate(graph.wires):
        first, last = 2 * rank[src] + 1, 2 * rank[dst]
        for row in range(first, last):
            rows[row] += BESIDE
        if k in marks:
            rows[(first + last) // 2] += _size(marks[k], 3)[0]
    return max(rows) - BESIDE


def lay_out(
    graph: Graph,
    *,
    style: str = "lesson",
    direction: str = "LR",
    narrow: bool = False,
    beside: int = 0,
    room: float = 0,
    stacked: bool = False,
    engine: Engine | None = None,
) -> Layout:
    """Place every node and edge; the engine knows no text, so no font matters.

    A ``narrow`` drawing is for a phone: its boxes say one fact a line, and at most
    so many stand ``beside`` each other, if any number is given.  A line that is wider
    than its ``room`` is broken there, if any is given.  A ``stacked`` one has one box
    in a row, and takes no Graphviz, except where a group's nodes can't stand together.
    ``engine`` asks Graphviz for places, as :func:`place` does, or remembers.
    """
    walked = bool(graph.backward)  # in words that call a box by its number
    texts = _lines(graph, style, number=walked)
    marks = edge_lines(graph, style)
    if stacked:
        marks = _in_one_label(graph, marks)
    said = timeline(graph) if narrow and walked else {}
    if narrow:
        direction, texts = "TB", [_for_a_phone(lines) for lines in texts]
    if narrow and room:
        texts = [[*_in_rows(lines, k, said, room)] for k, lines in enumerate(texts)]
        marks = {k: _in_rows(lines, -1, {}, room) for k, lines in marks.items()}
    pad, gap = (4, 0.1) if narrow else (PAD, BESIDE / 72)
    sizes = [_size(lines, pad) for lines in texts]
    if narrow:  # and what a walk says before has no other line to be as wide as
        sizes = [
            (max(w, _size(_earlier(k, lines, said), pad)[0]) + _inset(node), h + 6)
            for k, (node, lines, (w, h)) in enumerate(
                zip(graph.nodes, texts, sizes, strict=True)
            )
        ]
    mark_sizes = {k: _size(lines, 3) for k, lines in marks.items()}
    titles = {g.id: text_width(g.title) + 2 * PAD for g in graph.groups}
    own = stack(graph, sizes, mark_sizes, titles) if stacked else None
    if own is None and is_slow(graph, labels=bool(marks)):
        across = direction == "LR"
        own = arrange(graph, sizes, mark_sizes, titles, across=across)
    if own is not None:
        found = _from_corner(graph, own, sizes, mark_sizes)
    else:
        plan = _plan(graph, sizes, mark_sizes, direction, gap, beside)
        found = (engine or place)(plan)
    boxes = [
        Box(*at, *size, tuple(lines))
        for at, size, lines in zip(found.nodes, sizes, texts, strict=True)
    ]
    wires = [
        Wire(points, tip, Box(*at, *mark_sizes[k], marks[k]) if at else None)
        for k, (points, tip, at) in enumerate(found.wires)
    ]
    groups = [Box(*frame) for frame in found.frames]
    placed = tuple(boxes), tuple(wires), tuple(groups)
    return Layout(found.width, found.height, *placed, engine=own is None)


def place(plan: str) -> Placed:
    """Have Graphviz place what a plan asks for."""
    found = json.loads(run_engine(plan, "json0"))
    left, bottom, right, top = map(float, found["bb"].split(","))

    def at(pair: str) -> Point:
        x, y = pair.split(",")
        return round(float(x) - left, 1), round(top - float(y), 1)

    def frame(box: str) -> tuple[float, float, float, float]:
        x0, y0, x1, y1 = box.split(",")
        (near, upper), (far, lower) = at(f"{x0},{y1}"), at(f"{x1},{y0}")
        return (near + far) / 2, (upper + lower) / 2, far - near, lower - upper

    objects = {o["name"]: o for o in found.get("objects", ())}
    nodes = {int(n[1:]): at(o["pos"]) for n, o in objects.items() if "pos" in o}
    frames = {int(n[8:]): frame(o["bb"]) for n, o in objects.items() if "bb" in o}
    wires = {}
    for edge in found.get("edges", ()):
        if "id" in edge:
            tip, *points = edge["pos"].split()
            label = at(edge["lp"]) if "lp" in edge else None
            goal = at(tip.removeprefix("e,"))
            wires[int(edge["id"])] = tuple(map(at, points)), goal, label
    return Placed(
        right - left,
        top - bottom,
        [nodes[k] for k in range(len(nodes))],
        [wires[k] for k in range(len(wires))],
        [frames[k] for k in range(len(frames))],
    )


def _from_corner(
    graph: Graph, found: Geometry, sizes: list[Size], marks: dict[int, Size]
) -> Placed:
    """Count from the upper left corner of all that there is."""
    across, down = ([p[k] for points, _ in found.wires for p in points] for k in (0, 1))
    places = [*zip(found.nodes, sizes, strict=True)]
    places += [(found.labels[k], size) for k, size in marks.items()]
    across += [x for _, (x, _) in found.wires]
    down += [y for _, (_, y) in found.wires]
    for (x, y), (w, h) in places:
        across += (x - w / 2, x + w / 2)
        down += (y - h / 2, y + h / 2)
    for x0, y0, x1, y1 in found.frames.values():
        across += (x0, x1)
        down += (y0, y1)
    left, top = min(across), min(down)

    def at(point: Point) -> Point:  # round(x, 1) takes five times as long
        return round((point[0] - left) * 10) / 10, round((point[1] - top) * 10) / 10

    wires = [
        (tuple(map(at, points)), at(tip), at(found.labels[k]) if k in marks else None)
        for k, (points, tip) in enumerate(found.wires)
    ]
    frames = [
        (*at(((x0 + x1) / 2, (y0 + y1) / 2)), x1 - x0, y1 - y0)
        for x0, y0, x1, y1 in (found.frames[group.id] for group in graph.groups)
    ]
    size = max(across) - left, max(down) - top
    return Placed(*size, [*map(at, found.nodes)], wires, frames)


def _in_one_label(
    graph: Graph, marks: dict[int, tuple[Line, ...]]
) -> dict[int, tuple[Line, ...]]:
    """Number many operands at once: in a column they come in from left to right."""
    into: dict[int, list[int]] = defaultdict(list)
    for k, edge in enumerate(graph.edges):
        into[edge.dst].append(k)
    found = dict(marks)
    for many in into.values():
        numbers = [(Line(f"operand {n}"),) for n in range(len(many))]
        if len(many) > BY_ONE and [marks.get(k) for k in many] == numbers:
            found.update(dict.fromkeys(many, ()))
            found[many[0]] = (Line(f"operands 0 … {len(many) - 1}"),)
    return {k: lines for k, lines in found.items() if lines}


def _inset(node: Node) -> int:
    return 2 * INSET if node.root and node.kind == "op" else 0


def _one_fact_a_line(lines: list[Line]) -> list[Line]:
    found = []
    for line in lines:
        if line.role == "m" and " · " in line.text:
            found += [line._replace(text=part) for part in line.text.split(" · ")]
        else:
            found.append(line)
    return found


def _in_rows(
    lines: Iterable[Line], node: int, said: Timeline, room: float
) -> tuple[Line, ...]:
    """Let each line have as many rows as it, or what it says before, needs."""
    found = []
    for line in lines:
        line = Line(line.text, line.role, line.at, 1, room)
        rows = max(len(broken(one)) for one in (line, *_before(node, line, said)))
        found.append(line if rows == 1 else line._replace(rows=rows))
    return tuple(found)


def _earlier(node: int, lines: Iterable[Line], said: Timeline) -> list[Line]:
    """Return what the gradients' lines say while contributions come in."""
    before = (_before(node, line, said) for line in lines)
    return [Line("grad None"), *chain.from_iterable(before)]


def _before(node: int, line: Line, said: Timeline) -> list[Line]:
    if line.role != "g":
        return []
    texts = [text for _, _, text in said.get(f"g{node}{line.at}", ())]
    adjoint = f"adjoint {line.text.partition(' ')[2]}"
    return [line._replace(text=text) for text in (adjoint, *texts)]


def _plan(
    graph: Graph,
    sizes: list[tuple[float, float]],
    marks: dict[int, tuple[float, float]],
    direction: str,
    gap: float,
    beside: int,
) -> str:
    out = [
        f"digraph {{ rankdir={direction} nodesep={gap:.4g} ranksep=0.45 bgcolor=none "
        'node [shape=box fixedsize=true label=""] edge [arrowsize=0.7]'
    ]
    for node, (width, height) in zip(graph.nodes, sizes, strict=True):
        size = f"width={width / 72:.4f} height={height / 72:.4f}"
        order = " ordering=in" if node.kind == "op" and is_ordered(node.op) else ""
        out.append(f"n{node.id} [{size}{order}]")
    for e, edge in enumerate(graph.edges):
        label = f" label={_blank(*marks[e])}" if e in marks else ""
        out.append(f'n{edge.src} -> n{edge.dst} [id="{e}"{label}]')
    column = one_by_one(graph) if beside else []
    for above, below in zip(column, column[beside:], strict=False):
        out.append(f"n{above} -> n{below} [style=invis weight=3]")  # as a column
    parts: dict[int, list[str]] = {}
    for node in graph.nodes:
        parts.setdefault(node.group, []).append(f"n{node.id}")
    for place, group in reversed([*enumerate(graph.groups)]):  # alike: the same plan
        room = _blank(text_width(group.title), STEP)
        body = " ".join(parts.pop(group.id, ()))
        text = f"subgraph cluster_{place} {{ label={room} margin=12 {body} }}"
        parts.setdefault(group.parent, []).append(text)
    out += [text for text in parts.get(-1, ()) if text.startswith("subgraph")]
    return "\n".join([*out, "}"])


def _blank(width: float, height: float) -> str:
    """Reserve room for a text without showing the engine the text."""
    size = f'FIXEDSIZE="TRUE" WIDTH="{width:.0f}" HEIGHT="{height:.0f}"'
    return f'<<TABLE BORDER="0" {size}><TR><TD></TD></TR></TABLE>>'


def check_engine(graph: Graph, ending: str, style: str) -> None:
    """Raise ValueError, with the remedy, for what Graphviz might draw for minutes."""
    if is_slow(graph, labels=bool(edge_lines(graph, style))):
        raise ValueError(
            f"Graphviz, which makes {ending} files, could take minutes for these "
            f"{len(graph.rows)} nodes and can't be interrupted: save as svg or html, "
            "or draw less with a smaller max_nodes"
        )


def run_engine(dot: str, output: str) -> bytes:
    """Have Graphviz turn DOT text into a format: in this process, else by ``dot``.

    Raises RuntimeError, with the remedy, when there is no engine.
    """
    try:
        import pygraphviz  # type: ignore[import-untyped]  # without types
    except ImportError:
        return _run_program(dot, output)
    graph = pygraphviz.AGraph(string=dot)
    try:
        drawn: bytes = graph.draw(format=output, prog="dot")
        return drawn
    finally:
        graph.close()


def _run_program(dot: str, output: str) -> bytes:
    program = shutil.which("dot")
    if program is None:
        raise RuntimeError(
            "no layout engine: pip install pygraphviz (it carries Graphviz with it), "
            "or put Graphviz's own program dot on the PATH"
        )
    command = [program, f"-T{output}"]
    done = subprocess.run(command, input=dot.encode(), capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(f"dot failed: {done.stderr.decode(errors='replace')[:500]}")
    return done.stdout
