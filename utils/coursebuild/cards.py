"""Draw what shows the site elsewhere: its icons, and a card for each page."""

from __future__ import annotations

import struct
import textwrap
from io import BytesIO

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Polygon
from PIL import Image

__all__ = ["SIZE", "card", "draw_card", "favicon", "icon"]

SIZE = (1200, 630)  # pixels, as the readers of og:image want it
ACCENT, ROOT, INK, GREY = "#0b6e6e", "#c2410c", "#1b1f24", "#4d5560"
NODES = ((6, 7), (26, 7), (16, 26))  # the mark's, as in mark.svg: of 32 by 32
LINES = {"title": (30, 2), "text": (60, 4)}  # letters in a line, lines


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


def card(site: str, title: str, text: str) -> bytes:
    """Return the picture that chats show beside a link to a page, as a small PNG."""
    pixels = Image.open(BytesIO(_png(draw_card(site, title, text)))).convert("RGB")
    file = BytesIO()
    pixels.quantize(32).save(file, "PNG", optimize=True)
    return file.getvalue()


def draw_card(site: str, title: str, text: str) -> Figure:
    """Draw the mark, the site's name, and a page's title and description."""
    figure = _figure(*SIZE)
    _mark(figure, 0.06, 0.77, 80 / SIZE[0], 80 / SIZE[1], 80)
    say = {"color": INK, "parse_math": False, "va": "center"}
    figure.text(0.145, 0.833, site, size=27, **say)
    say |= {"va": "top", "x": 0.06, "linespacing": 1.2}
    figure.text(y=0.66, s=_wrap(title, "title"), size=44, weight="bold", **say)
    say |= {"color": GREY, "linespacing": 1.45}
    below = 0.50 if len(title) <= LINES["title"][0] else 0.38
    figure.text(y=below, s=_wrap(text, "text"), size=24, **say)
    figure.add_artist(Polygon([(0, 0), (1, 0), (1, 0.025), (0, 0.025)], color=ACCENT))
    return figure


def _wrap(text: str, part: str) -> str:
    width, lines = LINES[part]
    return textwrap.fill(text, width, max_lines=lines, placeholder="…")


def _figure(width: int, height: int) -> Figure:
    """Return an empty figure that knows nothing of the author's matplotlibrc."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
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
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        figure.savefig(file, format="png", dpi=100, metadata={"Software": None})
    return file.getvalue()
