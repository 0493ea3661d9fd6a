"""Tell search engines and chats what a page is about, in its own words."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

from coursebuild.extension.pictures import SIZE, Pictures

__all__ = ["describe", "setup", "shorten"]

CARDS = "_cards"
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
    sentences = re.match(r".*[.?!](?= )", short)
    return sentences[0] if sentences else short.rpartition(" ")[0] + "…"


def _tags(
    app: Sphinx, page: str, _template: str, context: dict[str, Any], doctree: Any
) -> None:
    text = describe(doctree) if doctree else ""
    if not text or app.builder.name != "html":
        return
    title = doctree.next_node(nodes.title).astext()
    found = {"description": text, "og:title": title, "og:description": text}
    found |= {"og:type": "article", "og:site_name": app.config.project}
    if app.config.html_baseurl:  # what follows must be absolute
        found |= {"og:url": context["pageurl"], **_card(app, page, title, text)}
    context["metatags"] = context.get("metatags", "") + "".join(
        f'\n    <meta {"property" if name.startswith("og:") else "name"}="{name}" '
        f'content="{escape(content)}">'
        for name, content in found.items()
    )


def _card(app: Sphinx, page: str, title: str, text: str) -> dict[str, str]:
    """Draw a page's card, and return the tags that show it."""
    name = f"{CARDS}/{page}.png"
    path = Path(app.outdir, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    card = Pictures(Path(app.confdir)).card(app.config.project, title, text)
    path.write_bytes(card)
    return {
        "og:image": app.config.html_baseurl + name,
        "og:image:width": str(SIZE[0]),
        "og:image:height": str(SIZE[1]),
        "og:image:alt": title,
        "twitter:card": "summary_large_image",
    }


def setup(app: Sphinx) -> None:
    """Register the tags."""
    app.connect("html-page-context", _tags)
