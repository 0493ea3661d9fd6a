"""Typeset formulas while building, with the vendored KaTeX.

The reader's browser gets finished HTML with MathML inside: formulas are there
without JavaScript, and no page asks another host for anything.
"""

from __future__ import annotations

import atexit
import re
from functools import cache
from pathlib import Path
from typing import Any

from docutils import nodes
from py_mini_racer import JSEvalException, MiniRacer
from sphinx.application import Sphinx
from sphinx.util import logging

__all__ = ["FormulaError", "setup", "typeset"]

logger = logging.getLogger(__name__)
WORD_JOINER = "\u2060"
NEGATIVE = re.compile(r"(?<=[\";])height:-[^;\"]*;")  # means nothing, and is an error
FOLDER = Path(__file__).parents[2] / "vendor" / "katex"


class FormulaError(ValueError):
    """KaTeX cannot read a formula; the message shows where."""


@cache
def _engine() -> MiniRacer:
    engine = MiniRacer()
    atexit.register(engine.close)  # left to the interpreter's end, its thread may hang
    engine.eval((FOLDER / "katex.min.js").read_text(encoding="utf-8"))
    return engine


@cache
def typeset(formula: str, *, display: bool = False) -> str:
    r"""Return the HTML of a formula in LaTeX.

    Raises:
        FormulaError: KaTeX does not know something in it.

    >>> "<math" in typeset(r"\nabla_x y = 4x")
    True
    """
    options = {"displayMode": display, "throwOnError": True, "strict": False}
    try:
        html = str(_engine().call("katex.renderToString", formula, options))
    except JSEvalException as error:
        reason = re.search(r"KaTeX parse error: (.*)", str(error))
        raise FormulaError(reason.group(1) if reason else str(error)) from None
    return NEGATIVE.sub("", html)


def _inline(self: Any, node: nodes.math) -> None:
    self.body.append(_html(node, node.astext(), display=False))
    raise nodes.SkipNode


def _display(self: Any, node: nodes.math_block) -> None:
    formula = node.astext()
    if "\\\\" in formula and "\\begin" not in formula:
        formula = rf"\begin{{aligned}}{formula}\end{{aligned}}"
    self.body.append(self.starttag(node, "div", CLASS="math"))
    self.body.append(_html(node, formula, display=True))
    self.body.append("</div>\n")
    raise nodes.SkipNode


def _html(node: nodes.Element, formula: str, *, display: bool) -> str:
    """Typeset, or warn where the formula stands (a warning stops the build).

    A formula that was checked carries its mark; see ``coursebuild.marks``.
    """
    try:
        html = typeset(formula, display=display)
    except FormulaError as error:
        logger.warning("formula %r: %s", formula, error, location=node)
        return ""
    if how := node.get("checked"):
        look = "law" if "law" in node["classes"] else "true"
        html += (
            f'<span class="checked {look}" title="{how}"><span> ({how})</span></span>'
        )
    return html


def setup(app: Sphinx) -> None:
    """Make this the way in which HTML pages show mathematics."""
    app.add_html_math_renderer("katex", (_inline, None), (_display, None))
