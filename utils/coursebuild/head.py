"""Tell search engines and chats what a page is about, in its own words."""

from __future__ import annotations

from html import escape
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

__all__ = ["describe", "setup", "shorten"]

LONGEST = 200  # characters: more is cut by those who show it


def describe(doctree: nodes.document) -> str:
    """Return a page's first paragraph, cut at the end of a sentence or a word.

    Formulas and boxes are left out; a page that has no paragraph gives "".
    """
    for paragraph in doctree.findall(nodes.paragraph):
        if isinstance(paragraph.parent, nodes.section | nodes.container):
            return shorten(paragraph.astext())
    return ""


def shorten(text: str) -> str:
    """Return a text in one line, cut at the end of a sentence or a word.

    >>> shorten("One\\nline.")
    'One line.'
    """
    text = " ".join(text.split())
    if len(text) <= LONGEST:
        return text
    short = text[:LONGEST]
    sentence, stop, _ = short.rpartition(". ")
    return sentence + "." if stop else short.rpartition(" ")[0] + "…"


def _tags(
    app: Sphinx, _page: str, _template: str, context: dict[str, Any], doctree: Any
) -> None:
    text = describe(doctree) if doctree else ""
    if not text:
        return
    title = doctree.next_node(nodes.title).astext()
    found = {"description": text, "og:title": title, "og:description": text}
    found |= {"og:type": "article", "og:site_name": app.config.project}
    context["metatags"] = context.get("metatags", "") + "".join(
        f'\n    <meta {"property" if ":" in name else "name"}="{name}" '
        f'content="{escape(content)}">'
        for name, content in found.items()
    )


def setup(app: Sphinx) -> None:
    """Register the tags."""
    app.connect("html-page-context", _tags)
