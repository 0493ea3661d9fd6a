"""Send all style sheets of a page as one file, and the fonts of its formulas early.

A page that is read over a slow line waits once, not fifteen times, before it shows
anything.  The two fonts that nearly every formula needs come in the same file, and are
decoded before the first line is laid out: fonts that come later would move the lines.
The others come when the page has been shown, those of folded answers as well: a browser
that prints opens them, and does not wait for fonts.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from pathlib import Path

__all__ = ["Sheets", "late"]

LINK = re.compile(r'\s*<link rel="stylesheet" type="text/css" href="([^"?]*)[^>]*>')
ONE = '\n    <link rel="stylesheet" type="text/css" href="{}">'
CLASSES = re.compile('class="([^"]*)"')
URL = re.compile(r"""url\((?:"([^"]*)"|'([^']*)'|([^"')]*))\)""")
FONTS = (  # file, family, style
    ("KaTeX_Main-Regular", "KaTeX_Main", "normal"),
    ("KaTeX_Math-Italic", "KaTeX_Math", "italic"),
)
DECODE = "".join(
    f'document.fonts.load("{style} 1em {family}");' for _, family, style in FONTS
)
RARE = (  # a font as CSS names it, and the classes of what is set in it
    ("1em KaTeX_Size1", "delimsizing size1|delimsizing mult|op-symbol small-op"),
    ("1em KaTeX_Size2", "delimsizing size2|op-symbol large-op"),
    ("1em KaTeX_Size3", "delimsizing size3"),
    ("1em KaTeX_Size4", "delimsizing size4|delimsizing mult"),
    ("bold 1em KaTeX_Main", "mathbf"),
    ("1em KaTeX_AMS", "amsrm|mathbb"),
)


class Sheets:
    """The style sheets of a site: each page loads one, which knows whether it typesets.

    One for all and one for formulas would need a second connection before HTTP/2.
    """

    def __init__(self, site: Path) -> None:
        """Join nothing yet."""
        self._site = site
        self._made: dict[tuple[tuple[Path, ...], bool], Path] = {}

    def join(self, page: Path, text: str) -> tuple[str, Path | None]:
        """Let the text of a page load one sheet; return both, where it loads any."""
        links = list(LINK.finditer(text))  # a page may bring its own, in its body
        if not links:
            return text, None
        files = tuple(Path(os.path.normpath(page.parent / link[1])) for link in links)
        typeset = 'class="katex"' in text
        one = self._sheet(files, typeset=typeset)
        link = ONE.format(os.path.relpath(one, page.parent))
        link += f"<script>{DECODE}{late(text)}</script>" if typeset else ""
        start = links[0].start()
        return text[:start] + link + LINK.sub("", text[start:]), one

    def _sheet(self, files: tuple[Path, ...], *, typeset: bool) -> Path:
        if (files, typeset) not in self._made:
            fonts = _embedded(self._site) if typeset else ""
            name = "formulas" if typeset else "style"
            text = _joined(self._site, files) + fonts
            self._made[files, typeset] = _write(self._site, name, text)
        return self._made[files, typeset]


def late(text: str) -> str:
    """Return the script that loads what else the formulas of a page are set in.

    >>> late('<b class="delimsizing size3">(</b>')
    'addEventListener("load",()=>["1em KaTeX_Size3"].map(f=>document.fonts.load(f)));'
    >>> late("a size of 3")
    ''
    """
    classes = "\n".join({*CLASSES.findall(text)})
    fonts = [font for font, of in RARE if re.search(rf"\b(?:{of})\b", classes)]
    if not fonts:
        return ""
    names = json.dumps(fonts)
    return f'addEventListener("load",()=>{names}.map(f=>document.fonts.load(f)));'


def _write(site: Path, name: str, text: str) -> Path:
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    target = site / "_static" / f"{name}-{digest}.css"
    if not target.exists():
        target.write_text(text, encoding="utf-8")
    return target


def _embedded(site: Path) -> str:
    """Return the rules of the fonts, with the fonts in them."""
    rules = []
    for file, family, style in FONTS:
        path = site / "_static/katex/fonts" / f"{file}.woff2"
        data = base64.b64encode(path.read_bytes()).decode()
        rules.append(
            f"@font-face {{ font-family: {family}; font-style: {style}; "
            f"font-display: block; src: url(data:font/woff2;base64,{data}); }}\n"
        )
    return "".join(rules)


def _joined(site: Path, files: tuple[Path, ...]) -> str:
    return "\n".join(_moved(file, site / "_static") for file in files)


def _moved(file: Path, folder: Path) -> str:
    """Return a style sheet as it must be written when it stands in ``folder``."""

    def address(found: re.Match[str]) -> str:
        link = "".join(part or "" for part in found.groups())
        if link.startswith(("data:", "#")):
            return found[0]
        return f"url({os.path.relpath(file.parent / link, folder)})"

    text = file.read_text(encoding="utf-8")
    if "@import" in text:
        raise ValueError(f"{file.name}: @import works at the top of a file only")
    for font, _, _ in FONTS:  # or both would be loaded
        text = re.sub(rf"@font-face\s*{{[^}}]*{font}\.woff2[^}}]*}}", "", text)
    return URL.sub(address, text.replace('@charset "utf-8";', ""))
