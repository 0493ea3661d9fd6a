r"""Find the formulas in the text of a lesson, with their places.

In rst: ``:math:`` roles and ``.. math::`` directives; in MyST: ``$…$``,
``$$…$$``, ``{math}`` roles and fences.  A general law, which nobody can check,
is marked by the role ``law`` or the option ``:class: law``.  Code is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

__all__ = ["Maths", "blank", "find_maths", "running_text", "without_blocks"]


@dataclass(frozen=True)
class Maths:
    """One formula: its text as written, the offset in the source, a law or not."""

    text: str
    start: int
    law: bool


_LITERAL = (
    "code|code-block|code-cell|sourcecode|parsed-literal|literalinclude|doctest|raw"
    "|testcode|testoutput|graphviz|mermaid|only-code"
)
_OPTIONS = re.compile(r"(?:[ ]*:[\w-]+:.*(?:\n|$))*")
_LAW = re.compile(r":class:.*\blaw\b")
_BLOCKS = {  # what is literal, or displayed maths; for MyST also text in fences
    "rst": re.compile(
        rf"^(?P<indent>[ ]*)(?:\.\.[ ](?P<name>math|{_LITERAL})::[ ]?"
        r"|\.\.(?!\S)(?![ ]+(?:\S+::|_|\[|\|))|(?![ ]*\.\.).*::[ ]*$)"
        r"(?P<body>.*(?:\n(?:(?P=indent)[ ]+\S.*|[ ]*$))*)",
        re.MULTILINE,
    ),
    "md": re.compile(
        r"^[ ]*(?P<fence>`{3,}|~{3,})[ ]*(?:\{(?P<name>[\w-]+)\}.*|[^`\n]*)\n"
        r"(?P<body>(?:.*\n)*?)[ ]*(?P=fence)[ ]*$",
        re.MULTILINE,
    ),
}
_INLINE = {
    "rst": re.compile(
        r"``.+?``|:(?P<role>math|law):`(?P<text>[^`]*)`|:[\w:-]+:`[^`]*`", re.DOTALL
    ),
    "md": re.compile(
        r"\{(?P<role>math|law)\}`(?P<text>[^`]*)`"
        r"|(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`)|\\."
        r"|\$\$(?P<display>.+?)\$\$|\$(?P<inline>(?!\s)[^$]+?(?<![\s\\]))\$(?!\d)",
        re.DOTALL,
    ),
}


def find_maths(source: str, markup: Literal["rst", "md"]) -> tuple[Maths, ...]:
    """Return the formulas of a text in order.

    >>> find_maths("So :math:`y = 28`, not ``:math:`y = 27```.", "rst")
    (Maths(text='y = 28', start=10, law=False),)
    """
    found = [maths for _, _, maths in _blocks(source, markup) if maths]
    for match in _INLINE[markup].finditer(without_blocks(source, markup)):
        groups = match.groupdict()
        for name in ("text", "display", "inline"):
            if groups.get(name):
                law = groups["role"] == "law"
                found.append(Maths(groups[name], match.start(name), law))
    return tuple(sorted(found, key=lambda maths: maths.start))


def running_text(source: str, markup: Literal["rst", "md"]) -> str:
    """Return the text with spaces where code, formulas and other roles stand."""
    return _INLINE[markup].sub(blank, without_blocks(source, markup))


def blank(match: re.Match[str]) -> str:
    """Put spaces in the place of a match, and keep its lines."""
    return re.sub(r"[^\n]", " ", match[0])


def without_blocks(source: str, markup: str) -> str:
    """Return the text with spaces where literal blocks and displayed formulas stand."""
    running = source
    for start, end, _ in _blocks(source, markup):
        gap = re.sub(r"[^\n]", " ", source[start:end])
        running = running[:start] + gap + running[end:]
    return running


def _blocks(source: str, markup: str) -> Iterator[tuple[int, int, Maths | None]]:
    """Yield what is literal or a displayed formula: from, to, formula."""
    start = 0
    while match := _BLOCKS[markup].search(source, start):
        name = match["name"]
        start = match.end()
        if markup == "md" and name and not re.fullmatch(f"math|{_LITERAL}", name):
            yield match.start(), match.start("body"), None
            yield start - len(match[0].rpartition("\n")[2]), start, None
            inner = match["body"]
            for a, b, maths in _blocks(inner, markup):
                first = match.start("body")
                moved = maths and Maths(maths.text, first + maths.start, maths.law)
                yield first + a, first + b, moved
        else:
            maths = _displayed(match) if name == "math" else None
            yield match.start(), start, maths


def _displayed(match: re.Match[str]) -> Maths:
    """Read a directive's body: options first, of which ``class`` may say law."""
    body = match["body"]
    options = _OPTIONS.match(body, body.startswith("\n"))
    law = bool(_LAW.search(options[0]))
    return Maths(
        body[options.end() :].rstrip(), match.start("body") + options.end(), law
    )
