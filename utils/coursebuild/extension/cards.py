"""Draw what shows the site elsewhere: its icons, and a card for each page."""

from __future__ import annotations

import struct
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Polygon
from matplotlib.text import Text
from PIL import Image

from coursebuild.extension.pictures import SIZE

__all__ = ["card", "draw_card", "favicon", "icon"]

RIGHT = 1128  # where lines end
ACCENT, ROOT, INK, GREY = "#0b6e6e", "#c2410c", "#1b1f24", "#4d5560"
NODES = ((6, 7), (26, 7), (16, 26))  # the mark's, as in mark.svg: of 32 by 32


@contextmanager
def _defaults() -> Iterator[None]:
    """Know nothing of the author's matplotlibrc: it would change the bytes."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        yield


@_defaults()
def icon(pixels: int, *, margin: float = 0.0) -> bytes:
    """Return the site's mark as a square PNG, white where it has a margin."""
    figure = _figure(pixels, pixels)
    if not margin:
        figure.patch.set_alpha(0)
    inner = 1 - 2 * margin
    _mark(figure, margin, margin, inner, inner, pixels * inner)
    return _png(figure)


def favicon() -> bytes:
    """Return the mark as an ICO, for browsers that want no SVG."""
    png = icon(32)
    entry = struct.pack("<BBBBHHII", 32, 32, 0, 0, 1, 32, len(png), 22)
    return struct.pack("<HHH", 0, 1, 1) + entry + png


@_defaults()
def card(site: str, title: str, text: str) -> bytes:
    """Return the picture that chats show beside a link to a page, as a small PNG."""
    pixels = Image.open(BytesIO(_png(draw_card(site, title, text)))).convert("RGB")
    file = BytesIO()
    few = pixels.quantize(32, Image.Quantize.MAXCOVERAGE)  # the median cut loses red
    few.save(file, "PNG", optimize=True)
    return file.getvalue()


@_defaults()
def draw_card(site: str, title: str, text: str) -> Figure:
    """Draw the mark, the site's name, and a page's title and description."""
    figure = _figure(*SIZE)
    _mark(figure, 0.06, 0.77, 80 / SIZE[0], 80 / SIZE[1], 80)
    plain: dict[str, Any] = {"color": INK, "parse_math": False}
    figure.text(0.145, 0.833, site, size=27, va="center", **plain)
    plain |= {"x": 0.06, "va": "top"}
    head = figure.text(y=0.66, s="", size=44, weight="bold", linespacing=1.2, **plain)
    lines = _fill(head, title, lines=2)
    plain |= {"color": GREY, "linespacing": 1.45}
    below = figure.text(y=0.50 if lines == 1 else 0.38, s="", size=24, **plain)
    _fill(below, text, lines=4)
    figure.add_artist(Polygon([(0, 0), (1, 0), (1, 0.025), (0, 0.025)], color=ACCENT))
    return figure


def _fill(place: Text, words: str, *, lines: int) -> int:
    """Break words into as long lines as fit; return how many there are."""
    widest = int(3100 / float(place.get_fontsize()))  # letters in a line of thin ones
    for width in range(widest, 8, -2):
        place.set_text(textwrap.fill(words, width, max_lines=lines, placeholder="…"))
        if place.get_window_extent().x1 <= RIGHT:
            break
    return place.get_text().count("\n") + 1


def _figure(width: int, height: int) -> Figure:
    figure = Figure(figsize=(width / 100, height / 100), dpi=100)
    FigureCanvasAgg(figure)
    return figure


def _mark(
    figure: Figure, x: float, y: float, width: float, height: float, pixels: float
) -> None:
    axes = figure.add_axes((x, y, width, height))
    axes.set_axis_off()
    axes.set(xlim=(0, 32), ylim=(32, 0))
    unit = pixels / 32 * 0.72  # points to a step of the mark's
    axes.add_patch(Polygon(NODES, fill=False, ec=ACCENT, lw=2.6 * unit))
    for place in NODES[:2]:
        axes.add_patch(Circle(place, 3.6, fc="white", ec=ACCENT, lw=2.4 * unit))
    axes.add_patch(Circle(NODES[2], 3.6, fc=ROOT, ec=ROOT, lw=2.4 * unit))


def _png(figure: Figure) -> bytes:
    file = BytesIO()
    figure.savefig(file, format="png", dpi=100, metadata={"Software": None})
    return file.getvalue()
