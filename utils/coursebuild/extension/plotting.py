"""Fold the code of a picture: what it draws is the lesson, not how."""

from __future__ import annotations

import ast
from typing import Any, ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

__all__ = ["draws", "setup"]


class plotting(nodes.General, nodes.Element):  # noqa: N801 (docutils' way)
    """Code that draws a picture: folded on the screen, open on paper."""


def draws(code: str) -> bool:
    """Tell whether at least half of a cell's statements draw a picture.

    They do from the one on that begins the picture.

    >>> draws("fig, ax = plt.subplots()\\nax.plot(x, y)")
    True
    >>> draws("x = f(1)\\ny = g(x)\\nz = h(y)\\nplot = MovingPlot({}, '')\\nplot")
    False
    """
    try:
        body = ast.parse(code).body
    except SyntaxError:  # a shell's line, or the notebook's own
        return False
    begins = [k for k, part in enumerate(body) if _begins(part)]
    return bool(begins) and 2 * (len(body) - begins[0]) >= len(body)


def _begins(statement: ast.stmt) -> bool:
    calls = (node.func for node in ast.walk(statement) if isinstance(node, ast.Call))
    names = {ast.unparse(call) for call in calls}
    return bool(names & {"plt.subplots", "plt.figure", "MovingPlot"})


class _Fold(SphinxTransform):
    """Fold in lessons what draws."""

    default_priority = 410
    languages: ClassVar = {"python", "Python", "ipython3", "default"}

    def apply(self, **_: Any) -> None:
        """Put each cell that draws into a fold."""
        if not self.env.docname.startswith("lessons/"):
            return
        for cell in list(self.document.findall(nodes.literal_block)):
            if cell.get("language") in self.languages and draws(cell.astext()):
                fold = plotting()
                cell.replace_self(fold)
                fold += cell


def _open(self: Any, _node: plotting) -> None:
    summary = "<summary>The code of the picture</summary>"
    self.body.append(f'<details class="plotting">{summary}\n')


def _close(self: Any, _node: plotting) -> None:
    self.body.append("</details>\n")


def setup(app: Sphinx) -> None:
    """Register the fold."""
    app.add_node(plotting, html=(_open, _close))
    app.add_transform(_Fold)
