"""Paper: each page names its lesson and licence, and nothing is wider than a page."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

__all__ = ["TEXT_WIDTH", "TOO_WIDE", "margin_box", "setup"]

TEXT_WIDTH = 665  # CSS pixels between the margins in docs/_static/print.css
# Returns what reaches into the right margin, but for what only a screen reader sees.
TOO_WIDE = """() => [...document.querySelectorAll("article *, .toc-page *")].filter(e =>
    e.getClientRects().length
    && !e.closest(".katex-mathml, .katex svg, .checked, .visually-hidden")
    && !e.parentElement.closest("svg")
    && e.getBoundingClientRect().right > document.documentElement.clientWidth + 1
).map(e => e.outerHTML.slice(0, 160))"""


def margin_box(text: str, place: str = "top-left") -> str:
    r"""Return the CSS of a margin box with a text; goes into ``@page``.

    >>> margin_box('a "b" <c>')
    '@top-left { content: "a \\22 b\\22  \\3c c>"; font: 8.5pt sans-serif }'
    """
    # The signs that end a string of CSS, or the style element around it.
    signs: dict[str, str | int | None] = {
        sign: f"\\{ord(sign):x} " for sign in '\\"<\n'
    }
    shown = text.translate(str.maketrans(signs))
    return f'@{place} {{ content: "{shown}"; font: 8.5pt sans-serif }}'


def _name(
    app: Sphinx, _page: str, _template: str, context: dict[str, Any], doctree: Any
) -> None:
    if doctree and (title := doctree.next_node(nodes.title)):
        text = f"{app.config.project}: {title.astext()}"
        whose = f"Copyright © {app.config.copyright}"
        boxes = f"{margin_box(text)} {margin_box(whose, 'bottom-left')}"
        # The footer says no more, and would now and then take a page of its own.
        foot = "@media print { footer > .bottom-of-page { display: none } }"
        style = f"@page {{ {boxes} }} {foot}"
        context["metatags"] = context.get("metatags", "") + f"<style>{style}</style>"


def setup(app: Sphinx) -> None:
    """Register the style of each page."""
    app.connect("html-page-context", _name)
