"""Take matplotlib figures as SVG, in light and in dark, always the same."""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from courserun.lesson import Picture

__all__ = ["is_drawn_by", "picture_of", "prepare_pyplot", "take_figures"]

INK = "#000000"  # matplotlib's default; it leaves it out where it fills
PAPER = "#fdfefc"  # stands for its default white, which is not an author's white
LIGHT = {INK: "#1f2328", PAPER: "#ffffff"}
DARK = {INK: "#e6e8eb", PAPER: "#14181e"}
OPAQUE = {"transparent": False, "facecolor": LIGHT[PAPER]}  # what has one look only
SIZE, LETTERS = (4.4, 3.2), 12  # inches, points: what a phone makes smaller can be read
LARGEST_SVG = 400_000  # bytes: from there on the data are drawn as pixels
LARGEST_CARD = 100_000  # bytes: an index shows one picture of each lesson
LARGEST_PICTURE = 2_000_000  # bytes: what a page can bear
INKED = ("color", "facecolor", "edgecolor", "markerfacecolor", "markeredgecolor")


def prepare_pyplot(pyplot: Any, show: Callable[[], None]) -> None:
    """Draw with the same style everywhere, whatever the user's own style is.

    ``show`` becomes ``pyplot.show``.
    """
    import matplotlib

    matplotlib.use("agg")
    matplotlib.rcdefaults()
    rc, defaults = matplotlib.rcParams, matplotlib.rcParamsDefault
    rc.update({key: PAPER for key, value in defaults.items() if value == "white"})
    rc.update({"svg.hashsalt": "lesson", "savefig.transparent": True})
    rc.update({"figure.figsize": SIZE, "font.size": LETTERS})
    rc["figure.max_open_warning"] = 0  # they are closed at the end of the cell
    pyplot.show = lambda *_, **__: show()


def take_figures(
    excuse: Callable[..., None], values: Iterable[object], *, draw: bool = True
) -> Iterator[Picture]:
    """Draw the open figures, or not, and close them, as notebooks do.

    One that an animation among ``values`` moves is drawn with its film.

    ``excuse`` is told of a figure that has no label, which describes it to who
    can't see it, and what is said instead; it may raise.
    """
    pyplot: Any = sys.modules.get("matplotlib.pyplot")
    numbers = pyplot.get_fignums() if pyplot else []
    drawn: Iterable[Any] = values
    moved = {v._fig: v for v in drawn if is_drawn_by(v, "animation", "Animation")}
    try:
        for figure in [pyplot.figure(n) for n in numbers if draw]:
            yield picture_of(moved.get(figure, figure), excuse)
    finally:
        if numbers:
            pyplot.close("all")


def is_drawn_by(value: object, module: str, name: str) -> bool:
    """Tell whether a value is of a class of matplotlib's, which is not imported."""
    found = sys.modules.get(f"matplotlib.{module}")
    return found is not None and isinstance(value, getattr(found, name))


def picture_of(value: Any, excuse: Callable[..., None]) -> Picture:
    """Draw a figure, or an animation: its film, and its end as the still.

    Raises:
        ValueError: its file is too large.
    """
    moves = is_drawn_by(value, "animation", "Animation")
    figure = value._fig if moves else value
    alt = _description(figure, excuse)
    film = _film(value, excuse) if moves else None
    light, dark = _drawn(figure, excuse)
    small = _png(figure) if len(light) > LARGEST_CARD else None
    if moves:  # nobody wants its end once more at the end of the cell
        sys.modules["matplotlib.pyplot"].close(figure)
    return Picture(light, dark, ".svg", alt, small=small, film=film)


def _description(figure: Any, excuse: Callable[..., None]) -> str:
    alt = str(figure.get_label()).strip()
    if not alt:
        fault = "shows a figure without a description: call fig.set_label('what the "
        alt = _titles(figure) or "a figure that nobody has described"
        excuse(f"{fault}picture shows')", f"those who do not see it are told: {alt}")
    return alt


def _titles(figure: Any) -> str:
    """Return the words that stand above a figure and above its parts."""
    titles = [figure.get_suptitle(), *(axes.get_title() for axes in figure.axes)]
    return ", ".join(dict.fromkeys(" ".join(t.split()) for t in titles if t.strip()))


def _drawn(figure: Any, excuse: Callable[..., None]) -> tuple[bytes, bytes]:
    """Draw once; ink and paper become what they are in light and in dark.

    What is too large is drawn again with its data as pixels: their ink cannot be
    exchanged, so where they have some, it is drawn for the dark as well.
    """
    svg = _svg(figure)
    if len(svg) <= LARGEST_SVG:
        light, dark = (_recoloured(svg, style) for style in (LIGHT, DARK))
        return light, dark
    axes = figure.axes
    data = [a for x in axes for a in (*x.collections, *x.lines, *x.patches)]
    for artist in data:
        artist.set_rasterized(True)
    pixels = _svg(figure)
    light = _recoloured(pixels, LIGHT)
    dark = _recoloured(_inked(figure, data, DARK[INK]) or pixels, DARK)
    excuse(
        f"shows a picture of {len(svg):,} bytes: draw less",
        f"its data are drawn as pixels, so it has {len(light):,}; "
        "artist.set_rasterized(True) does that too",
        grave=False,
    )
    if len(light) > LARGEST_PICTURE:
        raise ValueError(
            f"the figure is a file of {len(light):,} bytes, though its data are "
            f"drawn as pixels: show less of it"
        )
    return light, dark


def _svg(figure: Any) -> str:
    file = io.StringIO()
    metadata = {"Date": None, "Creator": None}
    figure.savefig(file, format="svg", bbox_inches="tight", metadata=metadata, dpi=200)
    return file.getvalue().replace("<svg ", f'<svg fill="{INK}" ', 1)


def _recoloured(svg: str, style: dict[str, str]) -> bytes:
    for sentinel, colour in style.items():
        svg = svg.replace(sentinel, colour)
    return svg.encode()


def _inked(figure: Any, artists: Iterable[Any], ink: str) -> str:
    """Draw the figure with another ink in what becomes pixels; "" if it has none."""
    former = []
    for artist in artists:
        for name in INKED:
            if colours := _with_ink(getattr(artist, f"get_{name}", list)(), ink):
                change = getattr(artist, f"set_{name}")
                former.append((change, getattr(artist, f"get_{name}")()))
                change(colours if len(colours) > 1 else colours[0])
    try:
        return _svg(figure) if former else ""
    finally:
        for change, colour in reversed(former):
            change(colour)


def _with_ink(colours: Any, ink: str) -> list[Any]:
    """Return the colours with another ink in them; nothing where there is no ink."""
    from matplotlib.colors import to_rgba, to_rgba_array

    rows = [tuple(map(float, row)) for row in to_rgba_array(colours)]
    inked = [to_rgba(ink, row[3]) if not any(row[:3]) else row for row in rows]
    return inked if inked != rows else []


def _png(figure: Any) -> bytes:
    """Draw a picture for a card."""
    file = io.BytesIO()
    look = {"bbox_inches": "tight", "dpi": 70, "metadata": {"Software": None}}
    figure.savefig(file, format="png", **look, **OPAQUE)
    return file.getvalue()


def _film(animation: Any, excuse: Callable[..., None]) -> bytes:
    """Draw every frame of a GIF."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.gif"
        animation.save(path, writer="pillow", dpi=100, savefig_kwargs=dict(OPAQUE))
        film = path.read_bytes()
    if len(film) > LARGEST_PICTURE:
        fault = f"shows a film of {len(film):,} bytes: let it have fewer frames"
        excuse(fault, "whoever plays it waits for it", grave=False)
    return film
