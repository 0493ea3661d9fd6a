"""List the lessons by what their facts say, and link these facts to the lists.

A lesson says ``:Level: Basics`` and ``:Tags: graph, chain rule``.  Which values there
are, and what each means, stands in the directive ``lessons-by``, on one page.
"""

from __future__ import annotations

from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from coursebuild.sources.docnames import source_of
from coursebuild.state import state

__all__ = ["facts_of", "setup", "unknown", "unused"]

logger = logging.getLogger(__name__)
Facts = dict[str, list[str]]  # what a lesson says: {"Tags": ["graph", "chain rule"]}
Fact = tuple[str, str]  # ("Tags", "graph")


class lesson_list(nodes.General, nodes.Element):  # noqa: N801 (docutils' way)
    """The place of a list of lessons; filled when all of them are known."""


class LessonsBy(SphinxDirective):
    """List the lessons by a fact; each line ``value: what it means`` is a value."""

    has_content = True
    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return a section for each value."""
        return [self._section(line) for line in self.content if line]

    def _section(self, line: str) -> nodes.section:
        value, _, meaning = (part.strip() for part in line.partition(":"))
        place = nodes.make_id(f"{self.arguments[0]}-{value}")
        fact = self.arguments[0], value
        state(self.env.app).places.setdefault(self.env.docname, {})[fact] = place
        section = nodes.section("", nodes.title(value, value), ids=[place])
        section += nodes.paragraph("", meaning)
        section += lesson_list(fact=fact)
        return section


def facts_of(doctree: nodes.document) -> Facts:
    """Return what the first field list of a page says, each value cut at its commas."""
    fields = next(iter(doctree.findall(nodes.field_list)), nodes.field_list())
    parts = (field.children for field in fields.children)
    facts = {name.astext(): body.astext() for name, body in parts}
    return {name: [v.strip() for v in text.split(",")] for name, text in facts.items()}


def unknown(facts: Facts, known: list[Fact]) -> list[Fact]:
    """Return what a lesson says that no list has; any tag needs one.

    >>> unknown({"Tags": ["graph", "grahp"], "Time": ["5"]}, [("Tags", "graph")])
    [('Tags', 'grahp')]
    """
    listed = {"Tags", *(name for name, _ in known)} & facts.keys()
    said = [(name, value) for name in sorted(listed) for value in facts[name]]
    return [fact for fact in said if fact not in known]


def unused(lessons: list[Facts], known: list[Fact]) -> list[Fact]:
    """Return the values of the lists that no lesson has."""
    return [
        (name, value)
        for name, value in known
        if not any(value in facts.get(name, ()) for facts in lessons)
    ]


def _collect(app: Sphinx, doctree: nodes.document) -> None:
    page, known = app.env.docname, state(app)
    if page.startswith("lessons/"):
        known.facts[page] = facts_of(doctree)
        known.fact_lines[page] = {
            field[0].astext(): field.line or 1 for field in doctree.findall(nodes.field)
        }


def _check(app: Sphinx, _env: object) -> None:
    lessons, places = state(app).facts, state(app).fact_places
    known = list(places)
    for page, facts in lessons.items():
        for name, value in unknown(facts, known):
            there = ", ".join(v for n, v in known if n == name) or "none"
            lists = places[known[0]][0] if known else ""
            where = source_of(lists, Path(app.confdir)) if known else "docs/tags.md"
            text = "%s: %s is not known; there are: %s. Write one of them, or define it"
            text += " in %s, below the directive lessons-by"
            place = page, state(app).fact_lines[page][name]
            logger.warning(text, name, value, there, where, location=place)
    for name, value in unused(list(lessons.values()), known):
        page = places[name, value][0]
        logger.warning("%s: %s is what no lesson says", name, value, location=page)


def _fill(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Put the lists in place; link a lesson's facts to them."""
    lessons, places = state(app).facts, state(app).fact_places
    for place in list(doctree.findall(lesson_list)):
        name, value = place["fact"]
        found = [p for p, f in lessons.items() if value in f.get(name, ())]
        items = [
            _line([_reference(app, docname, page, text=app.env.titles[page].astext())])
            for page in sorted(found)
        ]
        list_ = nodes.bullet_list("", *(nodes.list_item("", item) for item in items))
        place.replace_self(list_)
    for field in doctree.findall(nodes.field) if docname in lessons else ():
        name, body = field
        said = lessons[docname].get(name.astext(), ())
        facts = [(name.astext(), value) for value in said]
        if facts and all(fact in places for fact in facts):
            links = [
                _reference(app, docname, *places[fact], text=fact[1]) for fact in facts
            ]
            body.children = [_line(links)]


def _line(links: list[nodes.reference]) -> nodes.paragraph:
    parted = [node for link in links for node in (nodes.Text(", "), link)]
    return nodes.paragraph("", "", *parted[1:])


def _reference(
    app: Sphinx, here: str, page: str, place: str = "", *, text: str
) -> nodes.reference:
    uri = app.builder.get_relative_uri(here, page) + (place and f"#{place}")
    return nodes.reference("", text, refuri=uri, internal=True)


def setup(app: Sphinx) -> None:
    """Register the directive."""
    app.add_node(lesson_list)
    app.add_directive("lessons-by", LessonsBy)
    app.connect("doctree-read", _collect)
    app.connect("env-check-consistency", _check)
    app.connect("doctree-resolved", _fill)
