"""What a value is to a notebook: HTML, Markdown, LaTeX, a picture, or its text."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from xml.etree import ElementTree

from courserun.figures import LARGEST_PICTURE, is_drawn_by, picture_of, take_figures
from courserun.lesson import Part, Picture, Shown
from courserun.terminal import legible, settled

__all__ = ["Display", "replace_ipython"]

Excuse = Callable[..., None]

# What a page shows of a value, the best first; JupyterLab's order.
FORMATS = {
    "text/html": "_repr_html_",
    "text/markdown": "_repr_markdown_",
    "text/latex": "_repr_latex_",
    "image/svg+xml": "_repr_svg_",
    "image/png": "_repr_png_",
    "image/jpeg": "_repr_jpeg_",
    "image/gif": "",
    "image/webp": "",
    "application/json": "_repr_json_",
}
SUFFIXES = {"png": ".png", "jpeg": ".jpg", "gif": ".gif", "webp": ".webp"}
WIDEST = 1600  # pixels: a picture that is too large is made so wide
CARD = 400, 280  # pixels
SVG = "http://www.w3.org/2000/svg"
ElementTree.register_namespace("", SVG)
ElementTree.register_namespace("xlink", "http://www.w3.org/1999/xlink")


class Display:
    """What one cell after the other shows, in the order in which it shows it."""

    def __init__(
        self,
        read: Callable[[], str],
        excuse: Excuse,
        names: Mapping[str, Any],
        *,
        on: bool,
    ) -> None:
        """Read printed text with ``read``; show nothing at all unless ``on``."""
        self._read, self._excuse, self._names, self._on = read, excuse, names, on
        self.begin()

    def begin(self) -> None:
        """Begin a cell."""
        self._parts: list[Part] = []
        self._places: dict[str, int] = {}
        self._outdated = 0  # so many parts go when another one comes

    def end(self) -> list[Part]:
        """Show the figures that are still open; return what the cell showed."""
        self.figures()
        return self._parts

    def value(self, value: Any) -> None:
        """Show the value of a cell's last line."""
        if value is not None:
            self.show(value)

    def show(
        self,
        *values: Any,
        display_id: str | None = None,
        update: bool = False,
        raw: bool = False,
        metadata: Mapping[str, Any] | None = None,
        clear: bool = False,
        **_: Any,
    ) -> None:
        """Show values as ``IPython.display.display`` does."""
        if clear:
            self.clear(wait=True)
        for value in values if self._on else ():
            self._print()
            shown = _raw if raw else _as_part
            if part := shown(value, metadata, self._excuse):
                self._put(part, display_id, update=update)

    def bare(self, *values: Any, **how: Any) -> Any:
        """Show values where nothing was imported; IPython makes the handle of one."""
        if "display_id" not in how:
            return self.show(*values, **how)
        from IPython.display import display

        return display(*values, **how)

    def publish(
        self, data: Any, metadata: Any = None, *, transient: Any = None, **how: Any
    ) -> None:
        """Show a MIME bundle, as ``IPython.display.publish_display_data`` does."""
        name = (transient or {}).get("display_id")
        self.show(data, raw=True, metadata=metadata, display_id=name, **how)

    def clear(self, wait: bool = False) -> None:
        """Forget what the cell has shown; with ``wait``, when it shows more."""
        self._print()
        if wait:
            self._outdated = len(self._parts)
        else:
            self.begin()

    def figures(self) -> None:
        """Show the open figures and close them; one that is shown already, not again.

        This is what ``pyplot.show()`` does in a notebook, and the end of each cell.
        """
        self._print()
        made = list(self._names.values())
        for picture in take_figures(self._excuse, made, draw=self._on):
            if picture not in self._parts[self._outdated :]:
                self._put(picture)

    def _print(self) -> None:
        text = settled(self._read())
        if text.strip() and self._on:
            self._put(Shown("text", text))

    def _put(
        self, part: Part, name: str | None = None, *, update: bool = False
    ) -> None:
        if update:
            if name not in self._places:
                raise ValueError("updates what no display of this cell has shown")
            self._parts[self._places[name]] = part
            return
        if self._outdated:
            del self._parts[: self._outdated]
            self._places.clear()
            self._outdated = 0
        if name:
            self._places[name] = len(self._parts)
        self._parts.append(part)


def _as_part(
    value: Any, metadata: Mapping[str, Any] | None, excuse: Excuse
) -> Part | None:
    """Return what shows a value; None where it shows itself.

    Raises:
        ValueError: no page can show it, or it is a picture without a description.
    """
    if isinstance(value, type):
        return Shown("text", settled(repr(value)))
    if hasattr(type(value), "_ipython_display_"):
        value._ipython_display_()
        return None
    if any(is_drawn_by(value, *names) for names in DRAWN):
        return picture_of(value, excuse)
    if not (best := _best(value)):
        return _text(value)
    mime, content, how = best
    more = (metadata or {}).get(mime) or {}
    return _part((mime, content, {**how, **more}), _description(value), excuse)


def _raw(data: Mapping[str, Any], metadata: Any, excuse: Excuse) -> Part:
    for mime in (*FORMATS, "text/plain"):
        if data.get(mime) is not None:
            how = (metadata or {}).get(mime) or {}
            return _part((mime, data[mime], how), "", excuse)
    raise ValueError(f"shows {sorted(data)}, and no page of this site can: show HTML")


DRAWN = (("figure", "Figure"), ("animation", "Animation"))


def _text(value: Any) -> Shown:
    text = repr(value)
    if re.fullmatch(r"<IPython\.[\w.]+ object>", text):
        raise ValueError(f"shows {text}, and no page of this site can: show HTML")
    return Shown("text", settled(text))


def _best(value: Any) -> _Formatted | None:
    """Ask a value for the best that it can be; what comes after is not made."""
    kind = type(value)
    data: Mapping[str, Any] | None = {}
    metadata: Mapping[str, Any] = {}
    if hasattr(kind, "_repr_mimebundle_"):
        bundle = value._repr_mimebundle_(include=None, exclude=None)
        data, metadata = _with_metadata(bundle)
    for mime, method in FORMATS.items():
        found = (data or {}).get(mime), metadata.get(mime) or {}
        if found[0] is None and method and hasattr(kind, method):
            found = _with_metadata(getattr(value, method)())
        if found[0] is not None:
            return mime, *found
    return None


_Formatted = tuple[str, Any, Mapping[str, Any]]


def _with_metadata(found: Any) -> tuple[Any, Mapping[str, Any]]:
    return found if isinstance(found, tuple) else (found, {})


def _description(value: Any) -> str:
    """Return what a picture says of itself (Pillow reads it from a PNG)."""
    info = getattr(value, "info", None)
    words = info.get("Description") if isinstance(info, dict) else None
    return str(getattr(value, "alt", None) or words or "")


def _part(best: _Formatted, alt: str, excuse: Excuse) -> Part:
    mime, content, how = best
    if mime.startswith("image/"):
        return _picture(mime, content, str(how.get("alt") or alt), how, excuse)
    if mime == "application/json":
        return Shown("text", json.dumps(content, indent=2, ensure_ascii=False))
    if mime == "text/html" and "_anim_slider" in str(content):
        raise ValueError(
            "shows to_jshtml(), which asks another host for its buttons: let the "
            "animation itself be the value"
        )
    kind = mime.removeprefix("text/").replace("plain", "text")
    clean = settled if kind == "text" else legible
    return Shown(kind, clean(str(content)))  # type: ignore[arg-type]


def _picture(
    mime: str,
    content: str | bytes,
    alt: str,
    how: Mapping[str, Any],
    excuse: Excuse,
) -> Picture:
    wide = str(how.get("width"))
    width = int(wide) if wide.isdecimal() else None
    if mime == "image/svg+xml":
        return _svg_picture(content, alt, width, excuse)
    if not alt:
        alt = "a picture that nobody has described"
        excuse(
            "shows a picture without a description: Image(..., alt='what it shows'), "
            "or picture.info['Description'] = 'what it shows' for one of Pillow's",
            f"those who do not see it are told: {alt}",
        )
    raw = base64.b64decode(content) if isinstance(content, str) else content
    return _pixels(raw, SUFFIXES[mime.partition("/")[2]], alt, width, excuse)


def _svg_picture(
    content: str | bytes, alt: str, width: int | None, excuse: Excuse
) -> Picture:
    """Make a file of an SVG: its ids, styles and scripts cannot reach the page."""
    text = content.decode() if isinstance(content, bytes) else content
    text = legible(text[max(text.find("<svg"), 0) :])  # without prolog and doctype
    if "xmlns=" not in text.partition(">")[0]:
        text = text.replace("<svg", f'<svg xmlns="{SVG}"', 1)
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise ValueError(f"shows an SVG that is no XML: {error}") from error
    alt = alt or root.get("aria-label") or (root.findtext(f"{{{SVG}}}title") or "")
    if not alt.strip():
        alt = "a picture that nobody has described"
        excuse(
            "shows an SVG without a description: begin it with a <title>",
            f"those who do not see it are told: {alt}",
        )
    return Picture(text.encode(), None, ".svg", " ".join(alt.split()), width)


def _pixels(
    raw: bytes, suffix: Any, alt: str, width: int | None, excuse: Excuse
) -> Picture:
    """Keep a picture of pixels, in a size that a page can bear, and a small one."""
    from PIL import Image

    image = Image.open(io.BytesIO(raw))
    if len(raw) > LARGEST_PICTURE:
        excuse(
            f"shows a picture of {len(raw):,} bytes: show a smaller one",
            f"it is shown as WebP, {WIDEST} pixels wide at most",
            grave=False,
        )
        image.thumbnail((WIDEST, WIDEST))
        file = io.BytesIO()
        image.save(file, format="webp", quality=85)
        raw, suffix = file.getvalue(), ".webp"
    card = image.convert("RGBA")
    card.thumbnail(CARD)
    file = io.BytesIO()
    card.save(file, format="png")
    return Picture(raw, None, suffix, alt, width, small=file.getvalue())


def replace_ipython(functions: Any, display: Display) -> None:
    """Let IPython's functions show on the page what they show in a notebook."""
    handle = functions.DisplayHandle

    def show(*values: Any, display_id: Any = None, **how: Any) -> Any:
        given = handle(None if display_id is True else display_id)
        display.show(*values, display_id=display_id and given.display_id, **how)
        return given if display_id else None

    functions.display = show
    functions.publish_display_data = display.publish
    functions.clear_output = display.clear
