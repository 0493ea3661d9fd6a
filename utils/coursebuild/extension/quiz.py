"""Ask again, on a page of its own, what lessons have asked, with their own boxes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from coursebuild.extension.asks import ask
from coursebuild.extension.course import link_to
from coursebuild.state import state

__all__ = ["question", "setup"]

logger = logging.getLogger(__name__)


class drawn(nodes.General, nodes.Element):  # noqa: N801 (docutils' way)
    """The place of a box that a lesson holds; filled when all pages are read."""


class _Quiz(SphinxDirective):
    """``.. quiz::`` has a line ``page: section`` for each question."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return a section for each question."""
        lines = [line for line in self.content if line.strip()]
        return [self._section(k, line) for k, line in enumerate(lines, 1)]

    def _section(self, number: int, line: str) -> nodes.section:
        page, _, title = (part.strip() for part in line.partition(": "))
        state(self.env.app).draw(self.env.docname, page)
        name = f"Question {number}"
        section = nodes.section("", nodes.title(name, name))
        section["classes"].append("no-search")  # its lesson is found
        section["ids"].append(f"question-{number}")
        place = drawn(page=page, title=title)
        self.set_source_info(place)
        section += place
        return section


def question(doctree: nodes.document, title: str) -> list[nodes.Node]:
    """Return copies of what a section says up to its first question, and of that.

    Outputs stay behind, for they answer; so do boxes that ask for no number.  The cell
    that the question is about stands between its box and the next text.

    Raises:
        LookupError: no section has this title, or it asks for no number.
    """
    section = _section_of(doctree, title)
    below = [node for node in section.children[1:] if isinstance(node, nodes.Element)]
    parts = [node for node in below if not isinstance(node, nodes.raw)]
    boxes = [k for k, node in enumerate(parts) if any(node.findall(ask))]
    if not boxes:
        raise LookupError(f"section {title!r} has no box that asks for a number")
    end = boxes[0]
    before = [node for node in parts[:end] if "box" not in node.get("classes", ())]
    found = [*before, *_code(parts[end + 1 :]), parts[end]]
    copies: list[nodes.Node] = [node.deepcopy() for node in found]
    for node in (inner for copy in copies for inner in copy.findall(nodes.Element)):
        node["ids"] = []  # which are the lesson's
    return copies


def _section_of(doctree: nodes.document, title: str) -> nodes.section:
    for section in doctree.findall(nodes.section):
        if section[0].astext() == title:
            return section
    raise LookupError(f"there is no section {title!r}")


def _code(parts: list[nodes.Element]) -> Iterator[nodes.Element]:
    for node in parts:
        code = isinstance(node, nodes.literal_block) or "cell" in node["classes"]
        if not code:
            return
        yield node


class _Draw(SphinxPostTransform):
    """Fill the places, before references are resolved."""

    default_priority = 4

    def run(self, **_: Any) -> None:
        """Put the question and a link to its lesson in each place."""
        for place in list(self.document.findall(drawn)):
            try:
                place.replace_self(self._filled(place["page"], place["title"]))
            except (LookupError, FileNotFoundError) as error:
                why = "quiz: %s: %s. Name a lesson, and a section of it with an `ask`"
                logger.warning(why, place["page"], error, location=place)

    def _filled(self, page: str, title: str) -> list[nodes.Node]:
        doctree = self.env.get_doctree(page)
        name = self.env.titles[page].astext()
        link = link_to(page, name, self.env.docname)
        text = f", section “{title}”."
        source = nodes.paragraph("", "From ", link, nodes.Text(text))
        source["classes"].append("drawn-from")
        copies = question(doctree, title)
        for reference in (r for copy in copies for r in copy.findall(pending_xref)):
            reference["refdoc"] = self.env.docname  # where its way begins
        return [*copies, source]


def setup(app: Sphinx) -> None:
    """Register the directive, and what fills it."""
    app.add_node(drawn)
    app.add_directive("quiz", _Quiz)
    app.add_post_transform(_Draw)
