"""Say in plain reStructuredText what only Sphinx knows, for a lesson's notebook."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from posixpath import dirname, join, normpath
from textwrap import dedent, indent
from typing import NamedTuple

from sphinx.config import Config
from sphinx.directives.code import LiteralIncludeReader

from coursecheck.questions import DIRECTIVE

__all__ = ["BACKTICK", "Place", "portable"]

BACKTICK = "\ue000"  # stands for one in a literal, which pandoc would take for its end
LITERAL = re.compile(r"(?<!`)``(?=\S)(?P<text>[^\n]*?)``(?!`)")
BLOCK = (
    r"(?m)^(?P<indent> *)\.\. {}::(?P<first>[^\n]*)"
    r"(?P<body>(?:\n(?P=indent) +\S[^\n]*|\n[ \t]*(?=\n))*)"
)
MATH = re.compile(BLOCK.format("math"))
INCLUDE = re.compile(BLOCK.format("(?P<literal>literal)?include"))
LABEL = re.compile(r"(?m)^ *:label: *(\S+)")
OPTION = re.compile(r"\s*:(?P<name>[\w-]+):\s*(?P<value>.*)")
ALONE = re.compile(r"\\begin\{(?P<name>(align|gather|eqnarray)\*?)\}")
WITHIN = {"align": "aligned", "gather": "gathered", "eqnarray": "aligned"}
ROLE = re.compile(
    r":(?P<role>doc|term|ref|download):`(?:(?P<text>[^`<]+?)\s*<)?(?P<to>[^`<>]+)>?`"
)
VERSION = re.compile(r"\.\. (?P<what>versionadded|versionchanged|deprecated):: *(\S+)")
SINCE = {"versionadded": "Added", "versionchanged": "Changed", "deprecated": "Old"}
DOCTEST = re.compile(r"(?m)(?:^|(?<=\n\n))(?P<indent> *)>>> .*(?:\n(?P=indent)\S.*)*")


class Place(NamedTuple):
    """Where a lesson stands: its page's name, its sources, the site's address."""

    docname: str = "lessons/level/lesson"
    docs: Path = Path("docs")
    site: str = ""

    def path(self, name: str) -> Path:
        """Return the file that a path on the page means."""
        if name.startswith("/"):
            return self.docs / name[1:]
        return self.docs / dirname(self.docname) / name


def portable(texts: Sequence[str], place: Place) -> list[str]:
    r"""Return the text blocks of one lesson as pandoc reads them.

    Equations are numbered throughout, as on the page.

    >>> portable([".. math::\n   :label: a\n\n   y = 1", "In :eq:`a`."], Place())
    ['.. raw:: html\n\n   $$y = 1 \\tag{1}$$\n', 'In (1).']
    """
    texts = [INCLUDE.sub(lambda m: _included(m, place), text) for text in texts]
    texts = [LITERAL.sub(_protected, text) for text in texts]
    labels = [
        name
        for t in texts
        for m in MATH.finditer(t)
        for name in LABEL.findall(m["body"])
    ]
    numbers = {name: number for number, name in enumerate(labels, 1)}
    return [_portable(text, numbers, place) for text in texts]


def _portable(text: str, numbers: Mapping[str, int], place: Place) -> str:
    text = DIRECTIVE.sub(_without_form, text)
    text = MATH.sub(lambda match: _equations(match, numbers), text)
    for name, number in numbers.items():
        text = text.replace(f":eq:`{name}`", f"({number})")
    text = ROLE.sub(lambda match: _link(match, place), text)
    text = re.sub(r"(?m)^( *)\.\. only:: .*$", r"\1.. container:: only", text)
    text = VERSION.sub(
        lambda m: f".. admonition:: {SINCE[m['what']]} in {m[2]}\n", text
    )
    return DOCTEST.sub(_as_code_block, text)


def _protected(match: re.Match[str]) -> str:
    return f"``{match['text'].replace('`', BACKTICK)}``"


def _without_form(match: re.Match[str]) -> str:
    """Leave out what a page asks for; name a wrong answer by its expression."""
    indent, expression = match["indent"], " ".join(match["argument"].split())
    if match["kind"] == "ask":
        return ""
    if match["kind"] == "wrong":
        return f"{indent}.. wrong::\n\n{indent}   If you found ``{expression}``:\n"
    return match[0]


def _as_code_block(match: re.Match[str]) -> str:
    """Frame a doctest; pandoc takes it for a paragraph."""
    lines = "\n".join("   " + line for line in match[0].splitlines())
    return f"{match['indent']}.. code-block:: python\n\n{lines}"


def _options(body: str) -> tuple[dict[str, str], str]:
    """Take a directive's body apart: its options, its content."""
    lines = dedent(body.strip("\n")).split("\n") if body.strip() else []
    head = list(takewhile(OPTION.fullmatch, lines))
    found = [match for line in head if (match := OPTION.fullmatch(line))]
    options = {match["name"]: match["value"] for match in found}
    return options, "\n".join(lines[len(head) :]).strip("\n")


def _equations(match: re.Match[str], numbers: Mapping[str, int]) -> str:
    """Set each equation on lines of its own, as Sphinx does; number the last one."""
    options, content = _options(match["body"])
    whole = f"{match['first'].strip()}\n\n{content}".strip()
    parts = [_aligned(part.strip()) for part in re.split(r"\n[ \t]*\n", whole)]
    if number := numbers.get(options.get("label", "")):
        parts[-1] += rf" \tag{{{number}}}"
    blocks = (f".. raw:: html\n\n{indent(f'$${p}$$', '   ')}\n" for p in parts)
    return indent("\n".join(blocks), match["indent"])


def _aligned(formula: str) -> str:
    r"""Return what may stand between ``$$`` and ``$$``.

    >>> _aligned(r"\begin{align*} y &= x \end{align*}")
    '\\begin{aligned} y &= x \\end{aligned}'
    """
    if match := ALONE.match(formula):
        inner = WITHIN[match[2]]
        return formula.replace(f"{{{match['name']}}}", f"{{{inner}}}")
    if re.search(r"\\\\|(?<!\\)&", formula) and r"\begin" not in formula:
        return f"\\begin{{aligned}}\n{formula}\n\\end{{aligned}}"
    return formula


def _included(match: re.Match[str], place: Place) -> str:
    """Put a file's text, or its lines as they are, where they are included."""
    options, _ = _options(match["body"])
    path = place.path(match["first"].strip())
    flags = {name: value or None for name, value in options.items()}
    text, _ = LiteralIncludeReader(str(path), flags, Config()).read()
    if not match["literal"]:
        return indent(text, match["indent"])
    language = options.get("language", "python" if path.suffix == ".py" else "text")
    caption = f"   :caption: {options['caption']}\n" if "caption" in options else ""
    block = f".. code-block:: {language}\n{caption}\n{indent(text, '   ')}"
    return indent(block, match["indent"])


def _link(match: re.Match[str], place: Place) -> str:
    """Lead to the published page, where there is one; else the words stay."""
    role, to = match["role"], match["to"]
    if role == "download":
        return f"`{match['text'] or to} <{to}>`__"
    text = match["text"]
    page, _, section = (to, "", "") if role != "ref" else f"/{to}".partition(":")
    if role == "term":
        page, section, text = "/glossary", f"term-{to}", text or to
    if not place.site or (role == "ref" and not section):
        return match[0]
    name = normpath(join("/", dirname(place.docname), page)).lstrip("/")
    mark = re.sub("[^a-zA-Z0-9]+", "-", section)
    mark = f"#{mark if role == 'term' else mark.lower()}" if mark else ""
    return f"`{text or section or to} <{place.site}{name}.html{mark}>`__"
