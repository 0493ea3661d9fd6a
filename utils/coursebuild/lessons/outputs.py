"""Turn what a cell put out into HTML: the same on every kind of page."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from bs4 import BeautifulSoup
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin

from coursebuild.typeset import FormulaError, typeset
from coursecheck.maths import TYPESET
from courserun.lesson import Output, Part, Picture

__all__ = ["output_html", "write_pictures"]

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta"}
VOID |= {"source", "track", "wbr"}  # https://html.spec.whatwg.org/#void-elements
COLUMNS = re.compile(r"^ |\S  ", re.MULTILINE)  # what to break would put out of line
DISPLAYED = re.compile(r"\\displaystyle\b\s*")  # what Math and sympy begin with


def output_html(output: Output, images: Path, link: str) -> str:
    """Return the HTML of a cell's output; empty when it showed nothing.

    Its pictures are written into the folder ``images``, to which ``link`` leads
    from the page.

    >>> from courserun.lesson import Shown
    >>> output_html(Output((Shown("text", "tensor(28.)"),)), Path(), "")
    '<div class="cell-output"><pre>tensor(28.)</pre></div>'
    """
    parts = "".join(_part(part, images, link) for part in output.parts)
    return f'<div class="cell-output">{parts}</div>' if parts else ""


def write_pictures(output: Output | None, images: Path) -> None:
    """Write the pictures of a cell's output as its HTML names them."""
    for part in output.parts if output else ():
        if isinstance(part, Picture):
            _picture(part, images, "")


def _part(part: Part, images: Path, link: str) -> str:
    if isinstance(part, Picture):
        return _picture(part, images, link)
    match part.kind:
        case "html":
            return _whole(part.source)
        case "markdown":
            html = _whole(_reader().render(part.source))
            return f'<div class="markdown">{html}</div>'
        case "latex":
            return _latex(part.source)
    text = part.source.rstrip().expandtabs()
    columns = "\n" in text and COLUMNS.search(text)
    start = '<pre class="columns">' if columns else "<pre>"
    return f"{start}{escape(text, quote=False)}</pre>"


def _whole(html: str) -> str:
    """Close what an output leaves open, which would swallow the rest of the page.

    >>> _whole("a</div><b><p>c"), _whole("<p>a<br></p>")
    ('a<b><p>c</p></b>', '<p>a<br></p>')
    """
    tags = _Tags()
    tags.feed(html)
    tags.close()
    if not tags.wrong and not tags.open:
        return html  # byte for byte
    body = BeautifulSoup(html, "html5lib").body
    return body.decode_contents(formatter="html5") if body else ""


class _Tags(HTMLParser):
    """Whether each tag that is opened is closed, in the other order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong = False

    def handle_starttag(self, tag: str, _: object) -> None:
        """Open an element."""
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, _: object) -> None:
        """Open and close an element, which is in order in an SVG."""

    def handle_endtag(self, tag: str) -> None:
        """Close an element."""
        self.wrong |= not self.open or self.open.pop() != tag


def _latex(source: str) -> str:
    """Typeset the formulas in a text, without a mark: an author wrote no such text."""
    html, end = [], 0
    for match in TYPESET.finditer(source):
        formula = match["display"] or match["inline"] or match["environment"]
        shown = DISPLAYED.match(formula) or not match["inline"]
        html.append(escape(source[end : match.start()], quote=False))
        html.append(_formula(DISPLAYED.sub("", formula, count=1), display=bool(shown)))
        end = match.end()
    return f"<div>{''.join(html)}{escape(source[end:], quote=False)}</div>"


def _formula(formula: str, *, display: bool) -> str:
    """Typeset; what KaTeX cannot read is shown as it was written."""
    try:
        html = typeset(formula.strip(), display=display)
    except FormulaError:
        return f"<code>{escape(formula, quote=False)}</code>"
    return f'<div class="math">{html}</div>' if display else html


@cache
def _reader() -> MarkdownIt:
    """Return what reads Markdown as notebooks do; its headings are none of the page."""
    reader = MarkdownIt("commonmark").enable(["table", "strikethrough"])

    def math(text: str, options: dict[str, Any]) -> str:
        return _formula(text, display=options["display_mode"])

    reader.use(dollarmath_plugin, renderer=math)
    rules: dict[str, Any] = reader.renderer.rules  # type: ignore[attr-defined]
    rules["heading_open"] = lambda *_: "<p><strong>"
    rules["heading_close"] = lambda *_: "</strong></p>\n"
    return reader


def _picture(picture: Picture, images: Path, link: str) -> str:
    """Show the version that suits the page's colours; a film, when it is asked for."""
    if picture.dark is None:
        html = _img(picture.light, picture, "", images, link)
    else:
        html = _img(picture.light, picture, "only-light", images, link)
        html += _img(picture.dark, picture, "only-dark", images, link)
    if picture.film:
        name = _file(picture.film, ".gif", images)
        html += '<details class="film"><summary>Play the animation</summary>'
        html += f'<img src="{link}/{name}" alt="{escape(picture.alt)}"></details>'
    return html


def _img(data: bytes, picture: Picture, look: str, images: Path, link: str) -> str:
    """Show a picture; of the two, a reader in the light loads the light one only."""
    name = _file(data, picture.suffix, images)
    size = f' width="{picture.width}"' if picture.width else ""
    words = escape(picture.alt)
    late = ' loading="lazy"' if look == "only-dark" else ""
    return f'<img class="{look}" src="{link}/{name}"{size} alt="{words}"{late}>'


def _file(data: bytes, suffix: str, images: Path) -> str:
    """Write a file under its content's digest, so that equal pictures are one."""
    name = hashlib.sha256(data).hexdigest()[:16] + suffix
    images.mkdir(parents=True, exist_ok=True)
    (images / name).write_bytes(data)
    return name
