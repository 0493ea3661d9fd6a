"""Let a page's top heading belong to its article, not to a section within it.

Sphinx wraps the whole page in a section, so that the article itself has no heading
and a top heading stands at the second level of the outline: the HTML checker warns.
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

__all__ = ["setup"]


def _tag(self: Any) -> str:
    return "div" if self.section_level == 1 else "section"


def _open(self: Any, node: nodes.section) -> None:
    self.section_level += 1
    self.body.append(self.starttag(node, _tag(self)))


def _close(self: Any, _node: nodes.section) -> None:
    self.body.append(f"</{_tag(self)}>\n")
    self.section_level -= 1


def setup(app: Sphinx) -> None:
    """Register how sections are written."""
    app.add_node(nodes.section, override=True, html=(_open, _close))
