"""The boxes in which a reader types a prediction, compared with the run's numbers."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from coursebuild.sources.docnames import place_of, source_of
from coursebuild.state import state
from coursecheck.questions import shown

__all__ = ["setup"]

logger = logging.getLogger(__name__)


class ask(nodes.General, nodes.Element):  # noqa: N801 (docutils' way)
    """A place for the reader's numbers; nothing when the lesson was not run."""


class wrong(nodes.General, nodes.Element):  # noqa: N801 (docutils' way)
    """What went wrong if the reader found these numbers."""


class Ask(SphinxDirective):
    """Ask for the numbers of an expression."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Return the place where the form will stand."""
        return [ask(expression=" ".join(self.arguments[0].split()))]


class Wrong(Ask):
    """Explain a known wrong answer."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return the explanation."""
        node = wrong(expression=" ".join(self.arguments[0].split()))
        node += self.parse_content_to_nodes()
        return [node]


def _fill(app: Sphinx, doctree: nodes.document) -> None:
    """Give each place its numbers; one that no run has evaluated warns."""
    places = [n for n in doctree.findall(nodes.Element) if isinstance(n, ask | wrong)]
    name = source_of(app.env.docname, Path(app.confdir))
    runs = state(app).runs
    known = name in runs.lessons
    run = runs[name] if known else None
    if known and run is None:
        return  # a draft
    asked = run.asked if run else ()
    if [n["expression"] for n in places] != [a.expression for a in asked]:
        why = "what it asks is not what its run evaluated: ask in a lesson's script"
        words = places[0]["expression"] if places else ""
        place = place_of(app.env.docname, Path(app.confdir), words)
        logger.warning("%s\n  %s", place, why)
        return
    for node, found in zip(places, asked, strict=True):
        node["numbers"] = found.numbers


def _numbers(node: nodes.Element) -> str:
    return " ".join(map(repr, node["numbers"]))


def _ask(self: Any, node: ask) -> None:
    if "numbers" in node:
        self.body.append(
            f'<form class="ask" data-numbers="{_numbers(node)}" autocomplete="off">\n'
            '<label>Your prediction <input type="text" spellcheck="false"></label>\n'
            '<button>Check</button>\n<div role="status"></div>\n</form>\n'
        )
    raise nodes.SkipNode


def _wrong(self: Any, node: wrong) -> None:
    data, lead = "", f"<code>{escape(node['expression'])}</code>"
    if "numbers" in node:
        data, lead = f' data-numbers="{_numbers(node)}"', shown(node["numbers"])
    self.body.append(f'<div class="wrong"{data}>\n<p>If you found {lead}:</p>\n')


def _close(self: Any, _node: wrong) -> None:
    self.body.append("</div>\n")


def setup(app: Sphinx) -> None:
    """Register the two directives."""
    app.add_node(ask, html=(_ask, None))
    app.add_node(wrong, html=(_wrong, _close))
    app.add_directive("ask", Ask)
    app.add_directive("wrong", Wrong)
    app.connect("doctree-read", _fill)
