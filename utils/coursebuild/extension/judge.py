r"""Let nothing be published that looks like a formula and that nobody has checked.

Our checker reads the sources, and Sphinx reads them in its own way.  So what Sphinx
has made of each page is compared with what the checker has read: a formula that
states something was checked, or is marked as a law, or stops the build.  So do
what was checked and is no formula on the page, and remains of markup.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from doctest import DocTestParser
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util import logging

from coursebuild.extension.checked import LAW, spoken
from coursebuild.sources.docnames import place_of, source_of
from coursebuild.state import state
from coursecheck.maths import RELATION, plain
from coursecheck.stated import Formula, Statement, stating
from courserun.lesson import Run

__all__ = ["remains", "setup", "sources_of"]

logger = logging.getLogger(__name__)
_LEVEL = re.compile(r"lessons/.*/index")  # a page that lists the lessons of one
_FORMULA, _CODE = "\ufffc", "\ufffd"  # stand for formulas and for code in a text
_STATED = "\ufff9"  # for a formula with a relation, in what stands around it
_ROLE = r"[A-Za-z][\w.+-]*(?::[A-Za-z][\w.+-]*)*"
_KNOWN = "math|law|eq|ref|doc|term|numref|cite"
_WRITTEN = "a role is shown as it is written: :math:`…` is spelt {math}`…` in MyST"
_COLON = "a role lacks a colon: :math:`…` has two"
_DOLLARS = (
    "dollars are shown, and no formula: write :math:`…`, in MyST $…$ in a line and"
    r" $$…$$ on lines of its own (\$ for a dollar)"
)
_LINES = (
    "an environment is shown as it is written: put it on lines of its own, in"
    " reStructuredText below `.. math::`"
)
_OUTSIDE = (
    "a sign such as = stands beside a formula, where nobody checks it: put the whole"
    " equation into the formula"
)
_TOUCHED = (
    "this touches a formula, which readers take for a part of it: put it into the"
    " formula, or a word between them"
)
_RAISED = (
    "an equation is written with raised or lowered signs, where nobody checks it: put"
    " it into a formula"
)
_SUBSTITUTION = "a substitution is shown as it is written: write out what it stands for"
_SIGN = r"[\w+\-−±*/·×√^=%‰°²³¹⁰-₟]"  # what goes on where a formula ends
_GAP = r"[\s\u200b]*"
_AROUND = {  # in the text around formulas, with what is in italics, in bold, or raised
    rf"{_SIGN}{_STATED}|{_STATED}(?:{_SIGN}|[!{_STATED}]|[.,:(]\d)": _TOUCHED,
    rf"{_STATED}{_GAP}[\d^%‰{_FORMULA}]|{_FORMULA}{_STATED}": _TOUCHED,
    rf"[{_FORMULA}{_STATED}]{_GAP}[=≈≡≅≃≜≠<≤≥>]": _OUTSIDE,
    rf"(?:[=≈≡≅≃≜≠<≤≥]|(?<!-)>){_GAP}[{_FORMULA}{_STATED}]": _OUTSIDE,
    rf"[{_FORMULA}{_STATED}]{_GAP}[→⇒↦∼∝∈]{_GAP}[-−+]?\d": _OUTSIDE,
}
_EQUALS = re.compile(r"[\w)]\s*[=≈≡]\s*[-−+]?\d")
_UNRUN = (
    "this example was not run: begin its line with >>>, and nothing but spaces before"
    " it; what only quotes a console says `consoles: shown`"
)
_REMAINS = {
    rf"(?<![\w:]):{_ROLE}:[`{_CODE}]": _WRITTEN,
    rf"(?<!\w):?(?:{_KNOWN}):?[`{_CODE}]": _COLON,
    rf"\{{{_ROLE}\}}[ ]?[`{_CODE}]": _WRITTEN,
    rf"[`{_CODE}]:(?:{_KNOWN}):": _WRITTEN,
    r"\$\$|\$(?=[^\s$])[^$\n]*[^\s$\\]\$(?!\d)": _DOLLARS,
    r"\\(?:begin|end)\{\w+\*?\}": _LINES,
    r"\{\{[ ]*\w+[ ]*\}\}": _SUBSTITUTION,
    r"(?m)^>>> \S": _UNRUN,
}
_LIST = (
    "a number at the beginning became that of a list: put a word before it, or begin"
    " the list with 1"
)
_BACKTICKS = "single backticks are no formula: write :math:`…`, or ``…`` for code"
_UNSEEN = "is checked, but not shown as a formula: write :math:`…`, in MyST $…$"
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_HIDDEN = nodes.comment | nodes.raw | nodes.substitution_definition
_AS_WRITTEN = nodes.math | nodes.math_block | nodes.literal | nodes.literal_block
_AS_WRITTEN |= nodes.doctest_block
_OUTPUT = '<div class="cell-output'
_RAW = re.compile(
    r"<math\b|\$[^$<>{}\n]*[=≈≡][^$<>{}\n]*\$|\\[(\[][^\n]*\\[)\]]|:math:`"
    r"|[\w)](?:</\w+>|\s)*[=≈≡]\s*(?:<\w+>)?[-−+]?\d+(?![\w%]*[\"'/;>])"
)


def judge(app: Sphinx, doctree: nodes.document) -> None:
    """Compare a page with what was checked, and mark its formulas."""
    docname = app.env.docname
    names = sources_of(app, docname)
    course = state(app).runs
    known = [name for name in names if name in course.lessons]
    runs = [course[name] for name in known]
    if None in runs:
        return  # a draft
    left = [read for run in runs if run for read in _read(run)]
    quotes = any(course.lessons[name].quotes for name in known)
    ran = {_squeezed(s.source) for run in runs if run for s in run.statements}
    faults = [*_unchecked(doctree, left), *_unseen(left), *remains(doctree)]
    faults += _unrun(doctree, ran, quotes=quotes)
    for node, text, why in faults:
        place = (
            _as_myst(node)
            if isinstance(node, str)
            else _place(app, node, text, names[0])
        )
        kind = (
            "form" if why in (_BACKTICKS, _LIST, _UNSEEN) else None
        )  # it is not false
        shown = _CONTROL.sub("?", " ".join(text.split()))
        logger.warning("%s\n  %s", why, shown, location=place, type=kind)


def sources_of(app: Sphinx, page: str) -> list[str]:
    """Return the sources that a page shows; the list of all lessons shows headers."""
    shown = [page]
    if page == "lessons/index":
        shown += sorted(filter(_LEVEL.match, app.env.found_docs))
    return [source_of(name, Path(app.confdir)) for name in shown]


def _read(run: Run) -> Iterator[tuple[Formula, list[Statement]]]:
    for number, formula in enumerate(run.formulas):
        yield formula, [s for s in run.statements if s.formula == number]


_Read = tuple[Formula, list[Statement]]
_Fault = tuple[nodes.Node | str, str, str]  # where, what, and why it is a fault


def _unchecked(doctree: nodes.document, left: list[_Read]) -> Iterator[_Fault]:
    """Mark the formulas that were read, which leaves ``left``; yield the others."""
    for node in _shown(doctree, nodes.math | nodes.math_block):
        key = plain(node.astext())
        read = next((r for r in left if plain(r[0].source) == key), None)
        if read:
            left.remove(read)
            if read[1]:
                node["checked"] = spoken(read[1])
                node["classes"] += ["law"] * (node["checked"] == LAW)
        elif "law" in node["classes"]:
            node["checked"] = LAW
        elif RELATION.search(node.astext()) or not _is_harmless(node.astext()):
            why = (
                "this formula was not checked, since it stands where none is looked"
                " for, or another time than it is written: write it into the text"
            )
            yield node, node.astext(), why


def _is_harmless(formula: str) -> bool:
    """Tell whether a formula without an equals sign states nothing of a number."""
    from coursecheck.formulas import FormulaError, parse  # few pages need it

    try:
        parse(formula, is_known=lambda name: True)
    except FormulaError:
        return False
    return True


def _unseen(left: Iterable[_Read]) -> Iterator[_Fault]:
    for formula, stated in left:
        if stated:
            yield formula.place, formula.source, _UNSEEN


def _as_myst(place: str) -> str:
    """Count a notebook's lines from 1 more, as myst-nb does: see ``wording``."""
    name, _, line = place.rpartition(":")
    return f"{name}:{int(line) + 1}" if name.endswith(".ipynb") else place


def _squeezed(text: str) -> str:
    return "".join(text.split())


def _unrun(doctree: nodes.document, ran: set[str], *, quotes: bool) -> Iterator[_Fault]:
    """Yield the examples that are shown, and that nobody has run."""
    for node in _shown(doctree, nodes.doctest_block | nodes.literal_block):
        text = node.astext()
        literal = isinstance(node, nodes.literal_block)
        if literal and (quotes or not text.startswith((">>> ", "In ["))):
            continue
        if "docstring of" in str(node.source):  # `make doctest` runs those
            continue
        examples = stating(DocTestParser().get_examples(text))
        if text.startswith("In [") or {_squeezed(e) for e in examples} - ran:
            yield node, text, _UNRUN


def remains(doctree: nodes.document) -> Iterator[_Fault]:
    """Yield what is left of markup in the text of a page: where, what, why."""
    for node in _shown(doctree, nodes.TextElement):
        if isinstance(node, nodes.title_reference) and RELATION.search(node.astext()):
            yield node, node.astext(), _BACKTICKS
        if not isinstance(node, _AS_WRITTEN):
            yield from ((node, text, why) for text, why in _left(_words(node)))
            yield from _beside(node)
    for node in _shown(doctree, nodes.Text):
        if found := _CONTROL.search(node.astext()):
            why = f"a control character is shown, {found[0]!r}: was it a backslash?"
            yield node.parent, node.astext(), why
    yield from _numbered(doctree)
    for node in doctree.findall(nodes.image):
        yield from ((node, text, why) for text, why in _left(node.get("alt", "")))
    for node in doctree.findall(nodes.abbreviation):
        yield from (
            (node, text, why) for text, why in _left(node.get("explanation", ""))
        )
    for node in doctree.findall(addnodes.toctree):
        titles = [title for title, _ in node["entries"] if title]
        for words in (node.get("caption") or "", *titles):
            yield from ((node, text, why) for text, why in _left(words))
    for node in doctree.findall(nodes.raw):
        text = node.astext()
        ours = _OUTPUT in text or "lesson-card" in node.parent.get("classes", ())
        if "html" in node["format"].split() and not ours:
            shown = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
            for match in _RAW.finditer(html.unescape(shown)):
                yield node, match[0], "raw HTML holds a formula, which nobody checks"


def _numbered(doctree: nodes.document) -> Iterator[_Fault]:
    """Yield each list that neither begins with 1 nor goes on where one ended."""
    ends = {0}
    for node in _shown(doctree, nodes.enumerated_list):
        start = node.get("start", 1)
        if node.get("enumtype", "arabic") == "arabic" and start - 1 not in ends:
            words = node[0].astext().split()[:1]
            yield node, " ".join([f"{start}{node.get('suffix', '.')}", *words]), _LIST
        ends.add(start - 1 + len(node))


def _shown(doctree: nodes.document, kind: Any) -> Iterator[Any]:
    """Yield the nodes of a kind that readers see."""
    todo: list[nodes.Node] = [doctree]
    while todo:
        node = todo.pop()
        if isinstance(node, _HIDDEN):
            continue
        if isinstance(node, kind):
            yield node
        todo += reversed(node.children)


def _words(element: nodes.Element) -> str:
    """Return an element's own text, with a sign for each formula or piece of code."""
    parts = []
    for node in element.children:
        if isinstance(node, nodes.Text):
            parts.append(node.astext())
        elif isinstance(node, nodes.math):
            parts.append(_FORMULA)
        elif isinstance(node, nodes.literal | nodes.title_reference):
            parts.append(_CODE)
        else:
            parts.append(" ")
    return "".join(parts)


def _beside(element: nodes.Element) -> Iterator[_Fault]:
    """Yield what stands so near to a formula that it reads as a part of it."""
    parts, raised = [], False
    for node in element.children:
        if isinstance(node, nodes.math):
            stated = RELATION.search(node.astext())
            parts.append(_STATED if stated else _FORMULA)
        elif isinstance(node, nodes.raw):
            parts.append("\n" * node.astext().startswith("<br"))
            raised |= node.astext().startswith(("<sup", "<sub"))
        elif isinstance(node, nodes.superscript | nodes.subscript):
            parts.append("^" + node.astext())
            raised = True
        elif isinstance(node, nodes.footnote_reference | nodes.citation_reference):
            parts.append(" ")
        else:
            parts.append(node.astext())
    text = "".join(parts)
    for pattern, why in _AROUND.items():
        if match := re.search(pattern, text):
            around = text[max(match.start() - 20, 0) : match.end() + 20]
            shown = re.sub(f"[{_FORMULA}{_STATED}]", "…", around)
            yield element, shown, why
            return
    if raised and (match := _EQUALS.search(text)):
        yield element, text[max(match.start() - 20, 0) : match.end()], _RAISED


def _left(text: str) -> Iterator[tuple[str, str]]:
    for pattern, why in _REMAINS.items():
        if match := re.search(pattern, text):
            around = text[max(match.start() - 20, 0) : match.end() + 20]
            shown = around.replace(_FORMULA, "…").replace(_CODE, "`…`")
            yield repr(shown)[1:-1].replace("\\\\", "\\"), why
            return


def _place(app: Sphinx, node: nodes.Node, text: str, name: str) -> str:
    """Return the author's file and line of what a page shows, or the page's line."""
    source = str(getattr(node, "source", None) or "")
    said = f" ({source})" if "docstring of" in source else ""
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    lesson = state(app).runs.lessons.get(name)
    more = name.endswith(".ipynb")  # myst-nb counts from 1 more, see ``wording``
    for block in lesson.blocks if lesson else ():
        if block.kind == "text":
            for line, words in enumerate(block.source.splitlines(), block.line + more):
                if first in words:
                    return f"{name}:{line}{said}"
    if not lesson and "docstring of" not in source:  # a source that states nothing
        levels = sorted(filter(_LEVEL.match, app.env.found_docs))
        for docname in (app.env.docname, *levels):
            place = place_of(docname, Path(app.confdir), first)
            if not place.endswith(":1"):
                return place
    line = getattr(node, "line", None) or 1
    generated = name.removesuffix(".py") + ".rst" * name.endswith(".py")
    return f"{generated}:{line}{said}"


def setup(app: Sphinx) -> None:
    """Judge each page when it is read."""
    app.connect("doctree-read", judge)
