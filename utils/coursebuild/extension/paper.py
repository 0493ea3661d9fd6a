"""Paper: each page names its lesson, and nothing is wider than a page."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

__all__ = ["TEXT_WIDTH", "TOO_WIDE", "running_title", "setup"]

TEXT_WIDTH = 665  # CSS pixels between the margins in docs/_static/print.css
# Returns what reaches into the right margin, but for what only a screen reader sees.
TOO_WIDE = """() => [...document.querySelectorAll("article *, .toc-page *")].filter(e =>
    e.getClientRects().length
    && !e.closest(".katex-mathml, .katex svg, .checked, .visually-hidden")
    && !e.parentElement.closest("svg")
    && e.getBoundingClientRect().right > document.documentElement.clientWidth + 1
).map(e => e.outerHTML.slice(0, 160))"""


def running_title(title: str) -> str:
    r"""Return the CSS of a margin box with ``title``; goes into ``@page``.

    >>> running_title('a "b" <c>')
    '@top-left { content: "a \\22 b\\22  \\3c c>"; font: 8.5pt sans-serif }'
    """
    # The signs that end a string of CSS, or the style element around it.
    signs: dict[str, str | int | None] = {
        sign: f"\\{ord(sign):x} " for sign in '\\"<\n'
    }
    text = title.translate(str.maketrans(signs))
    return f'@top-left {{ content: "{text}"; font: 8.5pt sans-serif }}'


def _name(
    app: Sphinx, _page: str, _template: str, context: dict[str, Any], doctree: Any
) -> None:
    if doctree and (title := doctree.next_node(nodes.title)):
        text = f"{app.config.project}: {title.astext()}"
        style = f"<style>@page {{ {running_title(text)} }}</style>"
        context["metatags"] = context.get("metatags", "") + style


def setup(app: Sphinx) -> None:
    """Register the style of each page."""
    app.connect("html-page-context", _name)
