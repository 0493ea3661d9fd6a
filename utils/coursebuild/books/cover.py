"""Draw the cover of the EPUB: a picture, since shelves of e-readers show no SVG."""

from __future__ import annotations

from io import BytesIO
from textwrap import fill

from matplotlib import rc_context
from matplotlib.figure import Figure

__all__ = ["draw_cover"]

LEAVES, ROOT = ((6, 7), (26, 7)), (16, 26)  # as in docs/_static/mark.svg
PAPER, ACCENT, GLOW = "#ffffff", "#0b6e6e", "#fb923c"


def draw_cover(title: str, author: str) -> bytes:
    """Return a PNG of 1200 by 1800 pixels; the same bytes from the same words."""
    with rc_context({"font.family": "DejaVu Sans"}):
        figure = Figure(figsize=(6, 9), dpi=200, facecolor=ACCENT)
        axes = figure.add_axes((0.2, 0.2, 0.6, 0.4), xlim=(0, 32), ylim=(32, 0))
        axes.set_aspect("equal")
        axes.axis("off")
        axes.plot(*zip(*LEAVES, ROOT, LEAVES[0], strict=True), color=PAPER, lw=9)
        axes.plot(*zip(*LEAVES, strict=True), "o", ms=42, mew=8, mfc=ACCENT, mec=PAPER)
        axes.plot(*ROOT, "o", ms=48, color=GLOW)
        figure.text(0.1, 0.9, fill(title, 14), color=PAPER, size=36, va="top")
        figure.text(0.1, 0.08, fill(author, 40), color=PAPER, size=12)
        out = BytesIO()
        figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()
