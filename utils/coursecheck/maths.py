r"""Find the formulas in the text of a lesson, with their places.

In rst: ``:math:`` and roles made of it, before or behind their text, a default
role, ``.. math::``; in MyST: ``$…$``, ``$$…$$``, ``{math}``, fences, and the
environments of amsmath, whose names are left out; ``{eval-rst}`` is rst.  A general
law, which nobody can check, is marked by the role ``law`` or the option
``:class: law``.  Code is left out.  What Sphinx makes of a page has the last word:
see ``coursebuild.extension.judge``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

__all__ = [
    "OUTER",
    "RELATION",
    "TYPESET",
    "Maths",
    "Roles",
    "blank",
    "find_maths",
    "find_put_out",
    "plain",
    "rst_in",
    "running_text",
    "without_blocks",
]

Roles = dict[str, str]  # what each role is made of; that of "" is the default


@dataclass(frozen=True)
class Maths:
    """One formula: its text as written, the offset in the source, a law or not."""

    text: str
    start: int
    law: bool


RELATION = re.compile(  # what a reader takes for "is equal to"
    r"[=≈≡≅≃≐≜＝≌≍≎≏≑≒≓≔≕≖≗≙≣⋍⩦⩴⩵꞊═゠]|\\char(?![A-Za-z])|\\(?:equiv|eqsim|asymp"
    r"|circeq|eqcirc|triangleq|xlongequal|(?:(?!prec|succ)[A-Za-z])*(?:approx|simeq"
    r"|cong|doteq|Doteq|dotseq|umpeq|[cC]oloneq|q?qcolon|equals)[A-Za-z]*)(?![A-Za-z])"
    r"|\\(?:text\w*|mathrm|operatorname)\{[^{}]*\b(?:equals?\b|(?:is|are|was|gives"
    r"|yields|becomes|makes)\b[^{}]*\}(?s:.*)\d)"
)
_LITERAL = (
    "code|code-block|code-cell|raw-cell|sourcecode|literalinclude|doctest|raw"
    "|testcode|testoutput|graphviz|mermaid|only-code"
)
_ENVIRONMENT = r"(?P<env>equation|multline|gather|align|alignat|flalign|eqnarray)"
OUTER = re.compile(
    rf"\s*\\begin\{{{_ENVIRONMENT}(?P<star>\*?)\}}(?:\{{\d+\}})?"
    r"(?P<inside>.*)\\end\{(?P=env)(?P=star)\}\s*",
    re.DOTALL,
)
TYPESET = re.compile(  # in what a cell puts out as LaTeX
    r"\$\$(?P<display>.+?)\$\$|\$(?P<inline>.+?)\$"
    r"|(?P<environment>\\begin\{(?P<name>\w+\*?)\}.*?\\end\{(?P=name)\})",
    re.DOTALL,
)
_OPTION = re.compile(r"^[ ]*:[\w-]+:(?:[ ].*)?$", re.MULTILINE)
_YAML = re.compile(r"\s*---\n(?:.*\n)*?[ ]*---[ ]*(?=\n)")
_LAW = re.compile(r"class: *.*\blaw\b")
_ITEMS = r"[ ]*(?:(?:[-*+]|\d+[.)])[ ]+)*"  # what may stand before a block
_BLOCKS = {  # what is literal, or displayed maths; for MyST also text in fences
    "rst": re.compile(
        rf"^(?P<indent>[ ]*)(?:\.\.[ ]+(?P<name>(?i:math)|{_LITERAL})[ ]?::"
        r"|\.\.(?!\S)(?![ ]+(?:\S+[ ]?::|_|\[|\|))|(?P<lead>(?![ ]*\.\.).*::)[ ]*$)"
        r"(?P<body>.*(?:\n(?:(?P=indent)[ ]+\S.*|[ ]*$))*)",
        re.MULTILINE,
    ),
    "md": re.compile(
        rf"^{_ITEMS}(?P<fence>`{{3,}}|~{{3,}}|:{{3,}})[ ]*"
        r"(?:\{(?P<name>[\w:-]+)\}(?P<argument>.*)|[^`\n]*)\n"
        r"(?P<body>(?:.*\n)*?(?:(?![ ]*(?P=fence)).+\Z)?)"
        r"(?:[ ]*(?P=fence)[`~:]*[ ]*$|\Z)"
        rf"|^{_ITEMS}\\begin\{{{_ENVIRONMENT}(?P<star>\*?)\}}(?:\{{\d+\}})?"
        r"(?P<inside>(?:.|\n)*?)\\end\{(?P=env)(?P=star)\}[ ]*$"
        rf"|^{_ITEMS}\$\$(?P<display>(?:.|\n)+?)\$\$[ ]*(?:\([^)$\n]+\)[ ]*)?$"
        r"|<!--(?:.|\n)*?-->|^[ ]*%.*$",
        re.MULTILINE,
    ),
}
_PARENTHESES = r"\\\((?P<round>.+?)\\\)|\\\[(?P<square>.+?)\\\]"  # shown as they are
_INLINE = {
    "rst": re.compile(
        r"``.+?``|(?<!\w):(?P<role>[\w.+-]+):`(?P<text>(?:[^`\\]|\\.)*)`"
        r"|:[\w:.+-]+:`[^`]*`|(?<![\w`:])`(?P<before>[^`]+)`:(?P<suffix>[\w.+-]+):"
        r"|(?<![\w`:\\])(?P<link>`(?![\s`])[^`]+`__?)(?!\w)"
        r"|(?<![\w`:\\])`(?P<alone>(?![\s`])[^`]+)`(?![\w`_:])"
        r"|^[ ]*\.\.[ ]+role[ ]?::[ ]*(?P<new>[\w.+-]+)\s*\(\s*(?P<base>[\w.+-]+)\s*\)"
        r"|^[ ]*\.\.[ ]+default-role[ ]?::[ ]*(?P<default>[\w.+-]*)"
        rf"|{_PARENTHESES}",
        re.DOTALL | re.MULTILINE,
    ),
    "md": re.compile(
        r"\{(?P<role>math|law)\}`(?P<text>[^`]*)`"
        r"|(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`)"
        rf"|{_PARENTHESES}|\\."
        r"|\$(?P<inline>(?:\\.|[^$\\\n]|\n(?![ ]*\n))+)\$",
        re.DOTALL,
    ),
}
_TEXTS = ("text", "before", "alone", "inline", "round", "square")


def find_maths(
    source: str, markup: Literal["rst", "md"], roles: Roles | None = None
) -> tuple[Maths, ...]:
    """Return the formulas of a text in order.

    ``roles`` are those that the text above has made; what this one makes is added.

    >>> find_maths("So :math:`y = 28`, not ``:math:`y = 27```.", "rst")
    (Maths(text='y = 28', start=10, law=False),)
    """
    roles = {} if roles is None else roles
    found = [m for *_, maths in _blocks(source, markup, roles) for m in maths]
    for match in _INLINE[markup].finditer(without_blocks(source, markup)):
        groups = match.groupdict()
        _learn(groups, roles)
        kind = _kind(groups, roles)
        for name in _TEXTS:
            if kind and (groups.get(name) or "").strip():
                found.append(Maths(groups[name], match.start(name), kind == "law"))
    return tuple(sorted(found, key=lambda maths: maths.start))


def find_put_out(source: str, kind: str) -> Iterator[str]:
    r"""Yield the formulas in what a cell puts out: Markdown, or LaTeX.

    >>> list(find_put_out(r"$\displaystyle y = 9$", "latex"))
    ['y = 9']
    """
    if kind == "markdown":
        found = [maths.text for maths in find_maths(source, "md")]
    else:
        groups = ("display", "inline", "environment")
        found = [m[g] for m in TYPESET.finditer(source) for g in groups if m[g]]
    for formula in found:
        outer = OUTER.fullmatch(formula)
        text = outer["inside"] if outer else formula
        yield " ".join(text.replace(r"\displaystyle", "").split())


def running_text(source: str, markup: Literal["rst", "md"]) -> str:
    """Return the text with spaces where code, formulas and other roles stand."""
    roles: Roles = {}

    def cleared(match: re.Match[str]) -> str:
        groups = match.groupdict()
        _learn(groups, roles)
        alone = groups.get("alone") and not _kind(groups, roles)
        words = alone or groups.get("link")
        shown = groups.get("round") or groups.get("square")
        return match[0] if words or shown else blank(match)

    return _INLINE[markup].sub(cleared, without_blocks(source, markup))


def rst_in(source: str, markup: Literal["rst", "md"]) -> str:
    r"""Return the text with spaces where it is no reStructuredText.

    >>> rst_in("a\n```{eval-rst}\n.. ask:: y\n```\nb", "md").split()
    ['..', 'ask::', 'y']
    """
    if markup == "rst":
        return source
    parts = [m for m in _BLOCKS["md"].finditer(source) if m["name"] == "eval-rst"]
    text = _blanked(source)
    for start, end in (part.span("body") for part in parts):
        text = text[:start] + source[start:end] + text[end:]
    return text


def blank(match: re.Match[str]) -> str:
    """Put spaces in the place of a match, and keep its lines."""
    return _blanked(match[0])


def without_blocks(source: str, markup: Literal["rst", "md"]) -> str:
    """Return the text with spaces where literal blocks and displayed formulas stand."""
    running = _unquoted(source, markup)
    for start, end, _ in _blocks(source, markup, {}):
        running = running[:start] + _blanked(running[start:end]) + running[end:]
    return running


def plain(formula: str) -> str:
    r"""Return a formula as both readers know it: ours, and Sphinx's.

    >>> plain(r"\begin{align*} y &= 3 \end{align*}"), plain("y &= 3 % three")
    ('y&=3', 'y&=3')
    """
    outer = OUTER.fullmatch(formula)
    text = outer["inside"] if outer else formula
    return "".join(re.sub(r"(?<!\\)%.*", "", text).split())


def _blanked(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


def _unquoted(source: str, markup: str) -> str:
    """Put spaces for the marks of MyST's block quotes."""
    if markup == "rst":
        return source
    return re.sub(r"(?m)^(?:[ ]{0,3}>)+", blank, source)


def _learn(groups: dict[str, str | None], roles: Roles) -> None:
    if new := groups.get("new"):
        roles[new.lower()] = groups["base"] or ""
    elif groups.get("default") is not None:
        roles[""] = groups["default"] or ""


def _kind(groups: dict[str, str | None], roles: Roles) -> str:
    """Say what a match is: maths, a law, or nothing to check."""
    if groups.get("inline") or groups.get("round") or groups.get("square"):
        return "math"
    name: str | None = groups.get("role") or groups.get("suffix")
    name = "" if name is None else name.lower()
    for _ in range(len(roles) + 1):
        name = roles.get(name, name).lower()
    return name if name in ("math", "law") else ""


def _blocks(
    source: str, markup: Literal["rst", "md"], roles: Roles
) -> Iterator[tuple[int, int, tuple[Maths, ...]]]:
    """Yield what is literal or a displayed formula: from, to, formulas."""
    start, source = 0, _unquoted(source, markup)
    while match := _BLOCKS[markup].search(source, start):
        groups = match.groupdict()
        name, first = groups.get("name") or "", match.start()
        start = match.end()
        if shown := groups.get("inside") or groups.get("display"):
            at = match.start("inside" if groups.get("inside") else "display")
            yield first, start, (Maths(shown.rstrip(), at, law=False),)
        elif name == "eval-rst":
            yield first, start, _moved(find_maths(match["body"], "rst", roles), match)
        elif markup == "md" and name and not re.fullmatch(f"math|{_LITERAL}", name):
            yield first, match.end("name") + 1, ()
            yield start - len(match[0].rpartition("\n")[2]), start, ()
            for a, b, maths in _blocks(match["body"], "md", roles):
                below = match.start("body")
                yield below + a, below + b, _moved(maths, match)
        else:
            lead = match.end("lead") if groups.get("lead") else first
            yield lead, start, (_displayed(match),) if name.lower() == "math" else ()


def _moved(found: tuple[Maths, ...], match: re.Match[str]) -> tuple[Maths, ...]:
    return tuple(replace(m, start=match.start("body") + m.start) for m in found)


def _displayed(match: re.Match[str]) -> Maths:
    """Read a directive: its argument, options, of which ``class`` may say law, body."""
    argument, body = match.groupdict().get("argument"), match["body"]
    start = match.start("body" if argument is None else "argument")
    text = body if argument is None else f"{argument}\n{body}"
    head = re.match(r"\s*?.*(?:\n[ ]*\S.*)*", text)
    assert head
    if yaml := _YAML.match(text):
        options, shown = yaml[0], _blanked(yaml[0])
    else:
        options, shown = head[0], _OPTION.sub(blank, head[0])
    law = any(_LAW.search(line) for line in options.splitlines())
    text = shown + text[len(shown) :]
    first = len(text) - len(text.lstrip())
    outer = OUTER.fullmatch(text)
    if outer:
        first, text = outer.start("inside"), text[: outer.end("inside")]
    return Maths(text[first:].rstrip(), start + first, law)
