"""Tell what went wrong in the author's terms: their own file, line and remedy."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from coursebuild.sources.docnames import header_of, source_of

__all__ = ["authored", "cellwise", "script_line", "worded"]

_CELLS = re.compile(
    r"(?P<name>\.ipynb):(?P<cell>\d+)(?P<line>\d{4})(?!\d)"
    r"(?::? (?:cell \d+|the text))?:?"
)
_GENERATED = re.compile(r"gallery/(?P<page>[^:\n]+)\.rst(?::(?P<line>\d+))?\b")
_BY_MYST = re.compile(r"(?m)(?<=\.ipynb:)(?P<line>\d+)(?=: (?:WARNING|ERROR|CRITICAL))")
_LINES = re.compile(r"\.\. GENERATED FROM PYTHON SOURCE LINES (\d+)-(\d+)")
_UNDERLINE = re.compile(r"([=\-~^\"'*+#.:_`])\1{2,}")
_REMEDIES = {  # after what others say: what an author can do
    r'Unknown directive type "([^"]+)"': "no such directive: is {0} spelt right? It may"
    " also be MyST's, or of an extension that conf.py lacks",
    r"Unknown directive type: '([^']+)'": "no such directive: is {0} spelt right?",
    r'Unknown interpreted text role "([^"]+)"': "no such role: is {0} spelt right?",
    r"unknown (?:role|directive) name: (\S+)": "nothing here knows {0}: is it spelt"
    " right? What another project documents is written as code",
    r"unknown document: '([^']+)'": "no such page: name it by its path without suffix,"
    " from this page or, with / before it, from docs/",
    r"undefined label: '([^']+)'": "no such place: write `.. _{0}:` above it, or the"
    " page's path and the section's title, as in :ref:`/tags:Tags`",
    r"term not in glossary: '([^']+)'": "docs/glossary.md does not define {0}",
    r"Inline (?:literal|emphasis|strong|interpreted text[^.]*) start-string without": (
        "close what these backticks or asterisks open, in the same paragraph; a sign"
        " that is meant as such has a backslash before it"
    ),
    r"Title underline too short": "make the line below the title as long as the title",
    r"Unexpected indentation": "put a blank line before what is indented, or indent it"
    " less",
    r"(?:Bullet list|Enumerated list|Block quote|Definition list|Field list|Explicit"
    r" markup|Literal block) ends without a blank line": "put a blank line below it",
    r"py:\w+ reference target not found: (\S+)": "nothing here documents {0}: is it"
    " spelt right? What another project documents is written as code, ``{0}``",
    r"image file not readable: (\S+)": "no such picture: {0} is looked for beside the"
    " page, or below docs/ where its path begins with /",
    r"duplicate label": "give one of the two sections another title",
    r"Non-consecutive header level increase": "use one # less: levels are not skipped",
    r"Unknown target name: \"([^\"]+)\"": "write `.. _{0}: address` somewhere below, or"
    " take the underscore away",
    r"'myst' cross-reference target not found: '([^']*)'": "no such page or place: is"
    " {0} spelt right, from this page's folder?",
    r"document isn't included in any toctree": "name the page in a toctree, as"
    " docs/index.md has one, or write `orphan: true` into its front matter",
    r": formula ['\"]": "KaTeX, which sets the formulas, cannot read it:"
    " is a bracket open, or a command misspelt?",
}


def authored(text: str, root: Path, docs: Path) -> str:
    """Name the author's file and line where a message has those of generated pages.

    ``docs`` is the build's copy of the pages, with what sphinx-gallery wrote there.
    """

    def own(match: re.Match[str]) -> str:
        docname = f"lessons/{match['page']}"
        source, line = source_of(docname, root), int(match["line"] or 1)
        if not match["line"] and text[match.end() : match.end() + 1] != ":":
            return source
        page, path = docs / f"{docname}.rst", root / source
        if (root / match[0].partition(":")[0]).exists():
            return match[0]  # the author's own
        if page.is_file() and path.is_file():
            read = page.read_text("utf-8").splitlines()
            if docname == "lessons/index":  # which shows what the levels' headers say
                source = _header_with(read[line - 1 : line], root, source)
            written = (root / source).read_text("utf-8", "replace").splitlines()
            line = script_line(read, line, written)
        return f"{source}:{line}"

    text = _BY_MYST.sub(lambda match: str(int(match["line"]) - 1), text)
    return _GENERATED.sub(own, text)


def _header_with(words: Sequence[str], root: Path, default: str) -> str:
    """Return the first of all headers that has a line."""
    levels = (header_of(folder, root) for folder in sorted(root.glob("gallery/*/")))
    for header in (default, *levels):
        path = root / header
        if path.is_file() and set(words) & set(path.read_text("utf-8").splitlines()):
            return header
    return default


def worded(message: str) -> str:
    """Begin what others say with its place, and end it with a remedy we know.

    >>> print(worded("a.md:3: WARNING: Title underline too short.\\n\\nA\\n-"))
    a.md:3: WARNING: Title underline too short.
      A
      -
      (make the line below the title as long as the title)
    """
    message = re.sub(r"^(?:WARNING|ERROR): (?=(?:docs|gallery)/)", "", message)
    first, *more = [line for line in message.splitlines() if line.strip()]
    lines = [first, *(line if line[:1] == " " else f"  {line}" for line in more)]
    for pattern, remedy in _REMEDIES.items():
        if found := re.search(pattern, first):
            return "\n".join([*lines, f"  ({remedy.format(*found.groups())})"])
    return "\n".join(lines)


def script_line(page: Sequence[str], line: int, script: Sequence[str]) -> int:
    """Return the line of a script that sphinx-gallery made a page's line from.

    It says above each block which lines it comes from.  In there, the line is looked
    for by its words, near its place; without, the block's first line is returned.

    >>> page = [".. GENERATED FROM PYTHON SOURCE LINES 2-4", "", "A", "", "B"]
    >>> script_line(page, 5, ["# %%", "# A", "#", "# B"])
    4
    """
    marks = ((k, m) for k, t in enumerate(page[:line]) if (m := _LINES.search(t)))
    at, first, last = 0, 1, len(script)
    for k, mark in marks:
        at, first, last = k + 2, int(mark[1]), max(int(mark[2]), int(mark[1]))
    if first == 1:  # the docstring, whose end its first line does not tell
        last = len(script)
    words = page[line - 1].strip() if line <= len(page) else ""
    near = first + max(line - 1 - at, 0)
    found = [
        number
        for number, text in enumerate(script[first - 1 : last], first)
        if words and text.strip().lstrip("#").strip() == words
    ]
    best = min(found, key=lambda number: abs(number - near), default=min(near, last))
    return best - bool(_UNDERLINE.fullmatch(words))  # of a title, which stands above


def cellwise(text: str) -> str:
    """Name the cell of a notebook, counted from its top, and the line in that cell.

    >>> cellwise("docs/a.ipynb:120003: cell 7 raised an error")
    'docs/a.ipynb: cell 12, line 3: raised an error'
    """
    return _CELLS.sub(
        lambda m: f"{m['name']}: cell {m['cell']}, line {int(m['line'])}:", text
    )
