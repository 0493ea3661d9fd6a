"""Draw a plot: from numbers to paths in tenths of a pixel, between two axes."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from math import ceil, floor, hypot, isfinite, log10
from typing import NamedTuple

from torchutils.layout import text_width
from torchutils.svg import FONT, safe

__all__ = ["Frame", "arrow_path", "axes", "dots_path", "line_path", "ticks"]

WIDTH, LEFT, RIGHT, TOP, BOTTOM = 320, 40, 8, 22, 34  # pixels
HEAD, HALF = 90, 38  # of an arrow's head: its length, half its width
Point = tuple[float, float]


class Frame(NamedTuple):
    """What a plot shows of the plane, and its size in tenths of a pixel."""

    left: float
    right: float
    bottom: float
    top: float
    width: int
    height: int

    @classmethod
    def within(
        cls, left: float, right: float, bottom: float, top: float, *, equal: bool
    ) -> Frame:
        """Return a frame as wide as a phone; with ``equal``, of one scale.

        Raises:
            ValueError: a limit is not below the other.
        """
        if not (left < right and bottom < top):
            raise ValueError(
                f"xlim {left, right} and ylim {bottom, top}: first the lower limit, "
                "then the upper one"
            )
        width = 10 * (WIDTH - LEFT - RIGHT)
        shape = (top - bottom) / (right - left) if equal else 0.65
        return cls(left, right, bottom, top, width, round(width * shape))

    def place(self, x: float, y: float) -> Point:
        """Return where a point is drawn, from the upper left corner."""
        return (
            (x - self.left) / (self.right - self.left) * self.width,
            (self.top - y) / (self.top - self.bottom) * self.height,
        )

    def holds(self, point: Point) -> bool:
        """Say whether a place is within the plot."""
        return 0 <= point[0] <= self.width and 0 <= point[1] <= self.height

    def cut(self, start: Point, end: Point) -> tuple[Point, Point] | None:
        """Return the part of a straight line that is within the plot, if there is one.

        >>> Frame(0, 1, 0, 1, 100, 100).cut((-50.0, 50.0), (150.0, 50.0))
        ((0.0, 50.0), (100.0, 50.0))
        """
        first, last = 0.0, 1.0
        for at, limit in enumerate((self.width, self.height)):
            way = end[at] - start[at]
            if way:
                near, far = sorted((-start[at] / way, (limit - start[at]) / way))
                first, last = max(first, near), min(last, far)
            elif not 0 <= start[at] <= limit:
                return None
        if first > last:
            return None
        (x0, y0), (x, y) = start, (e - s for s, e in zip(start, end, strict=True))
        return (x0 + x * first, y0 + y * first), (x0 + x * last, y0 + y * last)


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Return round numbers from ``low`` to ``high``, at most so many.

    >>> ticks(0, 2), ticks(-1.3, 5)
    ([0.0, 0.5, 1.0, 1.5, 2.0], [0.0, 2.0, 4.0])
    """
    power = 10.0 ** floor(log10((high - low) / most))
    for step in (power, 2 * power, 5 * power, 10 * power):
        first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
        if last - first < most:
            break
    return [round(k * step, 12) for k in range(first, last + 1)]


def line_path(frame: Frame, points: Iterable[Point]) -> str:
    """Return a line from point to point, cut at the plot's border.

    A point that is no number parts it.

    >>> line_path(Frame(0, 1, 0, 1, 100, 100), [(0, 0), (1, 1), (2, 1)])
    'M0 100l100 -100'
    """
    parts: list[str] = []
    at = None
    for start, end in pairwise(points):
        if not all(map(isfinite, (*start, *end))):
            continue
        found = frame.cut(frame.place(*start), frame.place(*end))
        if not found:
            continue
        (x, y), (u, v) = (tuple(map(round, point)) for point in found)
        if (x, y) != at:
            parts.append(f"M{x} {y}")
        elif (u, v) == at:
            continue  # too short to be seen
        parts.append(f"l{u - x} {v - y}")
        at = u, v
    return "".join(parts)


def dots_path(frame: Frame, points: Iterable[Point]) -> str:
    """Return a dot at each point within the plot, for a pen with a thick end.

    >>> dots_path(Frame(0, 1, 0, 1, 100, 100), [(0.5, 0.5), (3, 3)])
    'M50 50h0'
    """
    places = (frame.place(*p) for p in points if all(map(isfinite, p)))
    inside = (place for place in places if frame.holds(place))
    return "".join(f"M{round(x)} {round(y)}h0" for x, y in inside)


def arrow_path(frame: Frame, foot: Point, tip: Point) -> str:
    """Return an arrow; one that is shorter than a pixel has no head.

    >>> arrow_path(Frame(0, 1, 0, 1, 100, 100), (0, 0), (1, 0))
    'M0 100l100 0M10 62L100 100M10 138L100 100'
    """
    if not all(map(isfinite, (*foot, *tip))):
        return ""
    (x, y), (u, v) = frame.place(*foot), frame.place(*tip)
    length = hypot(u - x, v - y)
    shaft = f"M{round(x)} {round(y)}l{round(u) - round(x)} {round(v) - round(y)}"
    if length < 10:
        return shaft
    east, south = (u - x) / length, (v - y) / length
    ends = (
        f"M{round(u - HEAD * east + side * south)} "
        f"{round(v - HEAD * south - side * east)}L{round(u)} {round(v)}"
        for side in (HALF, -HALF)
    )
    return shaft + "".join(ends)


def axes(frame: Frame, labels: tuple[str, str], words: str, marks: str) -> str:
    """Return an SVG with the marks between two axes; ``words`` describe it."""
    wide, high = frame.width / 10, frame.height / 10
    height = round(TOP + high + BOTTOM)
    lines, numbers = [], []
    for x in ticks(frame.left, frame.right):
        at = frame.place(x, 0)[0]
        lines.append(f"M{at:.0f} 0v{frame.height}")
        middle = min(at / 10, wide + RIGHT - text_width(f"{x:g}", 12) / 2)
        place = f'x="{middle:.1f}" y="{high + 15:.1f}" text-anchor="middle"'
        numbers.append(f"<text {place}>{x:g}</text>")
    for y in ticks(frame.bottom, frame.top):
        at = frame.place(0, y)[1]
        lines.append(f"M0 {at:.0f}h{frame.width}")
        place = f'x="-5" y="{at / 10 + 4:.1f}" text-anchor="end"'
        numbers.append(f"<text {place}>{y:g}</text>")
    east, north = map(safe, labels)
    place = f'x="{wide / 2:.1f}" y="{high + 30:.1f}" text-anchor="middle"'
    numbers += [f"<text {place}>{east}</text>"] * bool(east)
    numbers += [f'<text x="{10 - LEFT}" y="-9">{north}</text>'] * bool(north)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="mv-svg" role="img" '
        f'aria-label="{safe(words)}" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" font-family="{FONT}" font-size="12">'
        f'<rect class="mv-page" width="{WIDTH}" height="{height}" fill="#fff"/>'
        f'<g transform="translate({LEFT} {TOP})">'
        f'<g class="mv-ink" fill="#1a1a1a">{"".join(numbers)}</g>'
        f'<g transform="scale(.1)" fill="none" stroke-linejoin="round">'
        f'<path class="mv-grid" d="{"".join(lines)}" stroke="#ddd" stroke-width="8"/>'
        f"{marks}</g></g></svg>"
    )
