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

__all__ = ["Maths", "find_maths"]


@dataclass(frozen=True)
class Maths:
    """One formula: its text as written, the offset in the source, a law or not."""

    text: str
    start: int
    law: bool


_RST = re.compile(
    r"``.+?``|:(?P<role>math|law):`(?P<text>[^`]*)`|:[\w:-]+:`[^`]*`", re.DOTALL
)
_MD = re.compile(
    r"\{(?P<role>math|law)\}`(?P<text>[^`]*)`|(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`)"
    r"|\\.|\$\$(?P<display>.+?)\$\$|\$(?P<inline>(?!\s)[^$]+?(?<![\s\\]))\$(?!\d)",
    re.DOTALL,
)
_RST_DIRECTIVE = re.compile(r"(?P<indent>[ ]*)\.\. (?P<name>[\w-]+)::[ ]?(?P<rest>.*)")
_MD_FENCE = re.compile(
    r"[ ]*(?P<fence>`{3,}|~{3,})[ ]*(?:\{(?P<name>[\w-]+)\})?(?P<rest>.*)"
)
_OPTION = re.compile(r"[ ]*:(?P<name>[\w-]+):[ ]*(?P<value>.*)")
_LITERAL = frozenset(
    "code code-block code-cell sourcecode parsed-literal literalinclude doctest raw"  # noqa: SIM905
    " testcode testoutput graphviz mermaid only-code".split()
)


def find_maths(source: str, markup: Literal["rst", "md"]) -> tuple[Maths, ...]:
    """Return the formulas of a text in order.

    >>> find_maths("So :math:`y = 28`, not ``:math:`y = 27```.", "rst")
    (Maths(text='y = 28', start=10, law=False),)
    """
    blocks = _rst_blocks if markup == "rst" else _md_blocks
    running = list(source)
    found = []
    for start, end, maths in blocks(source):
        running[start:end] = [c if c == "\n" else " " for c in source[start:end]]
        found += [maths] if maths else []
    pattern = _RST if markup == "rst" else _MD
    for match in pattern.finditer("".join(running)):
        groups = match.groupdict()
        for name in ("text", "display", "inline"):
            if groups.get(name):
                law = groups["role"] == "law"
                found.append(Maths(groups[name], match.start(name), law))
    return tuple(sorted(found, key=lambda maths: maths.start))


def _rst_blocks(source: str) -> Iterator[tuple[int, int, Maths | None]]:
    """Yield what is literal or a displayed formula: from, to, formula."""
    lines = _lines(source)
    k = 0
    while k < len(lines):
        start, line = lines[k]
        k += 1
        match = _RST_DIRECTIVE.match(line)
        comment = re.match(r"[ ]*\.\.(?=$|\s)(?!\s+(\S+::|_|\[|\|))", line)
        literal = line.endswith("::") and not line.lstrip().startswith("..")
        if (match and match["name"] in _LITERAL | {"math"}) or comment or literal:
            indent = len(line) - len(line.lstrip())
            last = k
            while last < len(lines) and _deeper(lines[last][1], indent):
                last += 1
            end = lines[last][0] if last < len(lines) else len(source)
            first = start + match.start("rest") if match else lines[k - 1][0]
            is_math = match and match["name"] == "math"
            yield start, end, _displayed(source, first, end) if is_math else None
            k = last


def _md_blocks(source: str) -> Iterator[tuple[int, int, Maths | None]]:
    lines = [*_lines(source), (len(source), "")]
    open_fences: list[str] = []  # of directives that hold text, such as a note
    k = 0
    while k < len(lines) - 1:
        start, line = lines[k]
        k += 1
        match = _MD_FENCE.fullmatch(line)
        if match and open_fences and line.strip() == open_fences[-1]:
            open_fences.pop()
            yield start, start + len(line), None
        elif match and match["name"] in _LITERAL | {"math", None}:
            first, closing = lines[k][0], match["fence"]
            while k < len(lines) - 1 and not lines[k][1].strip().startswith(closing):
                k += 1
            stop = lines[k][0]
            k = min(k + 1, len(lines) - 1)
            is_math = match["name"] == "math"
            yield (
                start,
                lines[k][0],
                _displayed(source, first, stop) if is_math else None,
            )
        elif match:
            open_fences.append(match["fence"])
            yield start, start + len(line), None


def _displayed(source: str, start: int, end: int) -> Maths:
    """Read a directive's body: options first, of which ``class`` may say law."""
    law = False
    lines = _lines(source[start:end])
    first = 0
    for k, (_, line) in enumerate(lines):
        option = _OPTION.fullmatch(line)
        if option:
            law |= option["name"] == "class" and "law" in option["value"].split()
            first = lines[k + 1][0] if k + 1 < len(lines) else end - start
        elif line.strip():
            break
    return Maths(source[start + first : end].rstrip(), start + first, law)


def _lines(source: str) -> list[tuple[int, str]]:
    """Return every line with its offset."""
    matches = re.finditer(r"[^\n]*\n|[^\n]+", source)
    return [(match.start(), match[0].rstrip()) for match in matches]


def _deeper(line: str, indent: int) -> bool:
    return not line or len(line) - len(line.lstrip()) > indent
