"""Take a cell's matplotlib figures as SVG, in light and in dark, always the same."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from typing import Any

from courserun.lesson import Picture

__all__ = ["prepare_pyplot", "take_figures"]

INK = "#000000"  # matplotlib's default; it leaves it out where it fills
PAPER = "#fdfefc"  # stands for its default white, which is not an author's white
LIGHT = {INK: "#1f2328", PAPER: "#ffffff"}
DARK = {INK: "#e6e8eb", PAPER: "#14181e"}


def prepare_pyplot() -> None:
    """Draw with the same style everywhere, whatever the user's own style is."""
    import matplotlib
    from matplotlib import pyplot

    matplotlib.use("agg")
    matplotlib.rcdefaults()
    rc, defaults = matplotlib.rcParams, matplotlib.rcParamsDefault
    rc.update({key: PAPER for key, value in defaults.items() if value == "white"})
    rc.update({"svg.hashsalt": "lesson", "savefig.transparent": True})
    rc["figure.max_open_warning"] = 0  # they are closed at the end of the cell
    pyplot.show = lambda *_, **__: None  # for readers of the script; it would warn


def take_figures(
    excuse: Callable[[str, str], None], *, draw: bool = True
) -> tuple[Picture, ...]:
    """Draw the open figures, or not, and close them.

    ``excuse`` is told of a figure that has no label, which describes it to who
    can't see it, and what is said instead; it may raise.
    """
    pyplot = sys.modules.get("matplotlib.pyplot")
    numbers = pyplot.get_fignums() if pyplot else []
    try:
        return tuple(_picture(pyplot.figure(n), excuse) for n in numbers if draw)
    finally:
        if numbers:
            pyplot.close("all")


def _picture(figure: Any, excuse: Callable[[str, str], None]) -> Picture:
    """Draw once; ink and paper become what they are in light and in dark."""
    alt = figure.get_label().strip()
    if not alt:
        fault = "shows a figure without a description: call fig.set_label('what the "
        alt = _titles(figure) or "a figure that nobody has described"
        excuse(f"{fault}picture shows')", f"those who do not see it are told: {alt}")
    file = io.StringIO()
    metadata = {"Date": None, "Creator": None}
    figure.savefig(file, format="svg", bbox_inches="tight", metadata=metadata)
    svg = file.getvalue().replace("<svg ", f'<svg fill="{INK}" ', 1)
    light, dark = (_recolour(svg, style) for style in (LIGHT, DARK))
    return Picture(light, dark, ".svg", alt)


def _titles(figure: Any) -> str:
    """Return the words that stand above a figure and above its parts."""
    titles = [figure.get_suptitle(), *(axes.get_title() for axes in figure.axes)]
    return ", ".join(dict.fromkeys(" ".join(t.split()) for t in titles if t.strip()))


def _recolour(svg: str, style: dict[str, str]) -> bytes:
    for sentinel, colour in style.items():
        svg = svg.replace(sentinel, colour)
    return svg.encode()
