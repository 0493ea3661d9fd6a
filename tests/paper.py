"""The words of what was printed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pypdfium2 import PdfDocument

__all__ = ["words_of"]

HYPHEN = "\ufffe"  # as PDFium gives one that ends a line


def words_of(pdf: Path | bytes) -> list[str]:
    """Return the text of each page of a PDF."""
    return [*_words(pdf)]


def _words(pdf: Path | bytes) -> Iterator[str]:
    with PdfDocument(pdf) as document:
        for page in document:
            text = page.get_textpage()
            yield text.get_text_range().replace(HYPHEN, "-")
            text.close()
            page.close()
