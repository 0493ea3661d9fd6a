"""Give the search page an excerpt of every page and section, so that it asks for none.

Sphinx's own search loads each page that it finds to make an excerpt, which no browser
allows for a site that is opened from a file.
"""

from __future__ import annotations

import json
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

from coursebuild.head import describe, shorten

__all__ = ["excerpts", "setup"]


def excerpts(doctree: nodes.document) -> dict[str, str]:
    """Return the first sentences of a page (under "") and of its places, by anchor."""
    found = {"": describe(doctree)}
    for section in doctree.findall(nodes.section):
        if isinstance(section.parent, nodes.section):
            for child in section:
                if isinstance(child, nodes.paragraph):
                    found[f"#{section['ids'][0]}"] = shorten(child.astext())
                    break
    return found


def _collect(app: Sphinx, doctree: nodes.document) -> None:
    app.excerpts[app.env.docname] = excerpts(doctree)


def _offer(
    app: Sphinx, page: str, _template: str, context: dict[str, Any], _tree: object
) -> None:
    if page == "search":
        found = {}
        for name in sorted(app.excerpts):
            level = app.lesson_facts.get(name, {}).get("Level", [])
            for place, text in app.excerpts[name].items():
                found[name + place] = " · ".join([*level, text])
        for entry in app.glossary_entries:
            for word, place in entry.words.items():
                found[f"{entry.page}#{place}"] = f"{word}: {entry.says}"
        text = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
        context["excerpts"] = text.replace("<", "\\u003c")  # no end of the script


def setup(app: Sphinx) -> None:
    """Register what the template ``search.html`` shows."""
    app.excerpts = {}
    app.connect("doctree-read", _collect)
    app.connect("html-page-context", _offer)
