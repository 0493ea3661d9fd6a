"""What the pages of the built site hold, found 20 times as fast as in a soup."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lxml import html

__all__ = ["SITE", "found"]

SITE = Path(__file__).parents[1] / "build" / "html"


def found(name: str, path: str) -> Any:
    """Return what an XPath finds on a page: elements, or strings."""
    parser = html.HTMLParser(encoding="utf-8")
    return html.document_fromstring((SITE / name).read_bytes(), parser).xpath(path)
