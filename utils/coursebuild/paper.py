"""Let each printed page name the lesson that it belongs to."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

__all__ = ["running_title", "setup"]


def running_title(title: str) -> str:
    r"""Return the CSS of a margin box with ``title``; goes into ``@page``.

    >>> running_title('a "b" <c>')
    '@top-left { content: "a \\22 b\\22  \\3c c>"; font: 8.5pt sans-serif }'
    """
    # The signs that end a string of CSS, or the style element around it.
    signs = {sign: f"\\{ord(sign):x} " for sign in '\\"<\n'}
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
