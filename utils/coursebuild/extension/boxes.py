"""The boxes of a lesson: predict, exercise, and the answer that is folded."""

from __future__ import annotations

from typing import Any, ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

__all__ = ["setup"]


class answer(nodes.General, nodes.Element):  # noqa: N801 (docutils' way)
    """An answer: shown when the reader asks for it, open on paper."""


class Answer(SphinxDirective):
    """Fold what stands in it."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return the folded content."""
        node = answer()
        node += self.parse_content_to_nodes()
        return [node]


class Box(SphinxDirective):
    """Frame what stands in it, under the directive's own name."""

    has_content = True
    titles: ClassVar = {"predict": "Predict", "exercise": "Exercise"}

    def run(self) -> list[nodes.Node]:
        """Return the frame; exercises are numbered within their page."""
        title = self.titles[self.name]
        if self.name == "exercise":
            number = (self.env.temp_data.get("exercise") or 0) + 1
            self.env.temp_data["exercise"] = number
            title = f"{title} {number}"
        box = nodes.container(classes=["box", self.name])
        box += nodes.paragraph("", title, classes=["box-title"])
        box += self.parse_content_to_nodes()
        return [box]


def _open(self: Any, _node: answer) -> None:
    self.body.append('<details class="answer"><summary>Answer</summary>\n')


def _close(self: Any, _node: answer) -> None:
    self.body.append("</details>\n")


def setup(app: Sphinx) -> None:
    """Register the three directives."""
    app.add_node(answer, html=(_open, _close))
    app.add_directive("answer", Answer)
    for name in Box.titles:
        app.add_directive(name, Box)
