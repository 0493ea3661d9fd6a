"""Typeset formulas while building, with the vendored KaTeX.

The reader's browser gets finished HTML with MathML inside: formulas are there
without JavaScript, and no page asks another host for anything.
"""

from __future__ import annotations

import atexit
import os
import pickle
import re
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from markdown_it.tree import SyntaxTreeNode
from myst_parser.mdit_to_docutils.sphinx_ import SphinxRenderer
from sphinx.application import Sphinx
from sphinx.util import logging

from coursecheck.maths import OUTER
from courserun.kept import Kept, code_digest

if TYPE_CHECKING:
    from py_mini_racer import MiniRacer

__all__ = ["FormulaError", "displayed", "prepare", "setup", "typeset"]

_Asked = tuple[str, bool]  # a formula, and whether it is displayed

logger = logging.getLogger(__name__)
STROKE = "\ue020"  # of KaTeX's fonts, in \neq; site.css draws it
_STROKE = re.compile(rf'mrel((?: mtight)?)">{STROKE}<')  # the second: in an index
_LABEL = re.compile(r"\\label\{([^{}]*)\}")
_ENVIRONMENT = re.compile(r"\\begin\{(\w+\*?)\}.*?\\end\{\1\}", re.DOTALL)
_PART = '<span class="katex-base">'
_CLOSING = "</span></span>"  # of the formula, after its last part
_TAG = re.compile(r"<[^>]*>")
_BRACKETS = re.compile(r'class="(mopen|mclose)[^>]*>([^<]*)')
ONE_LINE = 26  # signs that fit into a box on a phone
SHORT = 12  # signs of a formula that no line parts
TIMES = "\u22c5"
NEGATIVE = re.compile(r"(?<=[\";])height:-[^;\"]*;")  # means nothing, and is an error
_render_amsmath = SphinxRenderer.render_amsmath
FOLDER = Path(__file__).parents[2] / "vendor" / "katex"
TITLES = ""  # is no page: under this the formulas of all titles are kept
# Errors too, so that a fork knows what its parent was told.
_made: dict[_Asked, str | FormulaError] = {}


class FormulaError(ValueError):
    """KaTeX cannot read a formula; the message shows where."""


@cache
def _engine() -> tuple[MiniRacer, int]:
    """Return what runs KaTeX, and the process in which its thread lives."""
    from py_mini_racer import MiniRacer  # and V8, which most edits need not

    engine = MiniRacer()
    atexit.register(engine.close)  # left to the interpreter's end, its thread may hang
    engine.eval((FOLDER / "katex.min.js").read_text(encoding="utf-8"))
    return engine, os.getpid()


def typeset(formula: str, *, display: bool = False) -> str:
    r"""Return the HTML of a formula in LaTeX.

    Raises:
        FormulaError: KaTeX does not know something in it.
        RuntimeError: This process was forked from one that typesets, and which has not
            seen the formula: the engine is not here, and would be waited for.

    >>> "<math" in typeset(r"\nabla_x y = 4x")
    True
    """
    html = _typeset((formula, display))
    if isinstance(html, FormulaError):
        raise FormulaError(*html.args)
    return html


def _typeset(asked: _Asked) -> str | FormulaError:
    if asked not in _made:
        _made[asked] = _typeset_anew(*asked)
    return _made[asked]


def _typeset_anew(formula: str, display: bool) -> str | FormulaError:
    engine, process = _engine()
    if process != os.getpid():
        raise RuntimeError(f"formula {formula!r} was to be typeset before forking")
    from py_mini_racer import JSEvalException

    options = {"displayMode": display, "throwOnError": True, "strict": False}
    try:
        html = str(engine.call("katex.renderToString", formula, options))
    except JSEvalException as error:
        reason = re.search(r"KaTeX parse error: (.*)", str(error))
        return FormulaError(reason.group(1) if reason else str(error))
    html = _STROKE.sub(r'mrel\1 katex-stroke"><', html)
    return _held(NEGATIVE.sub("", html), end=not display)


def _held(html: str, *, end: bool) -> str:
    """Keep on one line what stands in brackets or around a dot, unless it is long.

    KaTeX parts a formula where a line may end, and it may end in brackets, too.  With
    ``end``, the last part takes along the comma or full stop that follows, and a short
    formula is one part.
    """
    before, *parts = html.split(_PART)
    if not parts:
        return html
    last, closing = parts[-1][: -len(_CLOSING)], parts[-1][-len(_CLOSING) :]
    whole: list[str] = []
    short = end and len(_signs("".join(parts))) <= SHORT
    depth = 0
    for part in (*parts[:-1], last):
        joined = bool(whole) and (short or depth > 0 or _signs(whole[-1])[-1:] == TIMES)
        if joined and len(_signs(whole[-1] + part)) <= ONE_LINE:
            whole[-1] += _PART + part
        else:
            whole.append(_PART + part)
        for side, signs in _BRACKETS.findall(part):
            depth += len(signs) if side == "mopen" else -len(signs)
    for k, piece in enumerate(whole):
        if piece.count(_PART) > 1 or (end and k == len(whole) - 1):
            whole[k] = f'<span class="kept">{piece}</span>'
    return before + "".join(whole) + closing


def _signs(html: str) -> str:
    return _TAG.sub("", html).replace("\u200b", "")  # a space without width


def prepare(app: Sphinx, page: str, *parts: nodes.Element, more: bool = False) -> None:
    """Typeset what a page will show, since pages may be written in forks.

    Done when a page is read, because titles are shown on other pages, and when it is
    resolved, which may show ``more``.  It is kept by the page's name, so that an edit
    typesets what it changes.
    """
    asked = dict.fromkeys(formula for part in parts for formula in _formulas(part))
    kept, key = _kept(app), _key(page)
    data = kept.read(key)
    known: dict[_Asked, str] = pickle.loads(data) if data else {}
    _made.update(known)
    made = {how: html for how in asked if isinstance(html := _typeset(how), str)}
    made = known | made if more else made
    if made.keys() != known.keys():
        kept.write(key, pickle.dumps(made))


def _formulas(document: nodes.Element) -> Iterator[_Asked]:
    for node in document.findall(nodes.math):
        yield node.astext(), False
    for block in document.findall(nodes.math_block):
        yield displayed(block.astext()), True


def _kept(app: Sphinx) -> Kept:
    return Kept(Path(app.confdir) / "build" / ".formulas")


def _key(page: str) -> str:
    code = code_digest(Path(__file__), FOLDER / "katex.min.js")
    return sha256(f"{code} {page}".encode()).hexdigest()


def _sweep(app: Sphinx, error: Exception | None) -> None:
    if error is None:  # else it may not have come to all pages
        _kept(app).sweep({*map(_key, app.env.all_docs), _key(TITLES)})


def _inline(self: Any, node: nodes.math) -> None:
    self.body.append(_html(node, node.astext(), display=False))
    raise nodes.SkipNode


def _display(self: Any, node: nodes.math_block) -> None:
    bare = node.copy()  # the theme wraps it, and gives the frame the same id
    bare["ids"] = [i for i in node["ids"] if i not in node.parent["ids"]]
    self.body.append(self.starttag(bare, "div", CLASS="math"))
    self.body.append(_html(node, displayed(node.astext()), display=True))
    if number := node.get("number"):
        self.body.append(f'<span class="eqno">({number})</span>')
    self.body.append("</div>\n")
    raise nodes.SkipNode


def displayed(formula: str) -> str:
    r"""Return a displayed formula with each equation on a line of its own.

    A blank line parts equations, as in Sphinx; amsmath's environments become those
    that KaTeX knows and does not number, since Sphinx does.

    >>> displayed("y &= 3\n\nz &= 4")
    '\\begin{aligned}y &= 3 \\\\ z &= 4\\end{aligned}'
    """
    formula = _LABEL.sub("", formula)  # it has become the label of the page's element
    outer = OUTER.fullmatch(formula)
    inside = outer["inside"] if outer else formula
    if outer and outer["env"] == "eqnarray":
        inside = re.sub(r"&\s*([^&\\]+?)\s*&\s*", r"&\1 ", inside)
    rows = _rows(inside)
    joined = r" \\ ".join(rows)
    bare = _ENVIRONMENT.sub("", joined)
    if "&" not in bare and r"\\" not in bare:
        return joined
    kinds = ("align*", "gather*") if r"\tag" in bare else ("aligned", "gathered")
    kind = kinds["&" not in bare]
    return rf"\begin{{{kind}}}{joined}\end{{{kind}}}"


def _rows(formula: str) -> list[str]:
    """Split at blank lines, but not within an environment."""
    rows: list[str] = []
    for part in re.split(r"\n[ \t]*\n", formula):
        if rows and rows[-1].count(r"\begin{") > rows[-1].count(r"\end{"):
            rows[-1] += f"\n{part.strip()}"
        elif part.strip():
            rows.append(part.strip())
    return rows


def _html(node: nodes.Element, formula: str, *, display: bool) -> str:
    """Typeset, or warn where the formula stands (a warning stops the build).

    A formula that was checked carries its mark; see ``coursebuild.extension.checked``.
    """
    try:
        html = typeset(formula, display=display)
    except FormulaError as error:
        logger.warning("formula %r: %s", formula, error, location=node)
        return ""
    if how := node.get("checked"):
        look = "law" if "law" in node["classes"] else "true"
        mark = f'<span class="checked {look}"><span> ({how})</span></span>'
        html = f'<span class="stated" title="{how}">{html}{mark}</span>'
    return html


class _SteadyLabels(SphinxRenderer):
    """What numbers an environment of amsmath: the same label in each build."""

    def render_amsmath(self, token: SyntaxTreeNode) -> None:
        """Note the label that stands in it."""
        self.written = _LABEL.search(token.content)
        _render_amsmath(self, token)

    def _random_label(self) -> str:
        if self.written:
            return self.written[1]
        name = self.sphinx_env.docname
        return f"{name}:{self.sphinx_env.new_serialno('amsmath')}"


def setup(app: Sphinx) -> None:
    """Make this the way in which HTML pages show mathematics."""
    for name in ("render_amsmath", "_random_label"):
        setattr(SphinxRenderer, name, getattr(_SteadyLabels, name))
    app.add_html_math_renderer("katex", (_inline, None), (_display, None))
    late = {"priority": 900}  # after what changes formulas
    app.connect(
        "doctree-read", lambda app, doc: prepare(app, app.env.docname, doc), **late
    )
    app.connect(
        "doctree-resolved",
        lambda app, doc, page: prepare(app, page, doc, more=True),
        **late,
    )
    app.connect("build-finished", _sweep)
