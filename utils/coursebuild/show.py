"""Turn what a cell put out into HTML: the same on every kind of page."""

from __future__ import annotations

import hashlib
from html import escape
from pathlib import Path

from courserun.lesson import Output, Picture

__all__ = ["output_html"]


def output_html(output: Output, images: Path, link: str) -> str:
    """Return the HTML of a cell's output; empty when it showed nothing.

    Its pictures are written into the folder ``images``, to which ``link`` leads
    from the page.

    >>> output_html(Output(text="tensor(28.)"), Path(), "")
    '<div class="cell-output"><pre>tensor(28.)</pre></div>'
    """
    parts = [_pre(output.stdout)] if output.stdout.strip() else []
    if output.html:
        parts.append(output.html)
    elif output.text:
        parts.append(_pre(output.text))
    parts += [_picture(picture, images, link) for picture in output.pictures]
    return f'<div class="cell-output">{"".join(parts)}</div>' if parts else ""


def _pre(text: str) -> str:
    return f"<pre>{escape(text.rstrip(), quote=False)}</pre>"


def _picture(picture: Picture, images: Path, link: str) -> str:
    """Show the version that suits the page's colours."""
    if picture.dark is None:
        return _img(picture.light, picture, "", images, link)
    return _img(picture.light, picture, "only-light", images, link) + _img(
        picture.dark, picture, "only-dark", images, link
    )


def _img(data: bytes, picture: Picture, look: str, images: Path, link: str) -> str:
    """Write the file under its content's digest, so that equal pictures are one."""
    name = hashlib.sha256(data).hexdigest()[:16] + picture.suffix
    images.mkdir(parents=True, exist_ok=True)
    (images / name).write_bytes(data)
    return f'<img class="{look}" src="{link}/{name}" alt="{escape(picture.alt)}">'
