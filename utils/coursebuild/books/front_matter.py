"""What a book has before its chapters: a title page, and the contents."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from html import escape
from typing import NamedTuple

from coursebuild.books.chapters import Chapter
from coursebuild.downloads.archives import DATE

__all__ = ["Book", "contents", "dated", "title_page"]


class Book(NamedTuple):
    """What is said about the whole."""

    title: str
    author: str
    rights: str
    release: str
    torch: str
    date: datetime
    public: str = ""  # the site's address, where it is known
    subtitle: str = (
        "What PyTorch does when you call <code>backward()</code>, its gradients "
        "computed, its formulas compared with them"
    )  # as HTML


def dated() -> datetime:
    """Return the date that a book carries: SOURCE_DATE_EPOCH's, or a fixed one."""
    if epoch := os.environ.get("SOURCE_DATE_EPOCH"):
        return datetime.fromtimestamp(int(epoch), UTC)
    return datetime(*DATE, tzinfo=UTC)


def title_page(book: Book) -> str:
    """Return the first page, as HTML that is also XHTML."""
    lines = [f"Release {book.release}. Every output is that of torch {book.torch}."]
    if book.public:
        lines.append(
            f'The site, with graphs to walk through: <a href="{escape(book.public)}">'
            f"{escape(book.public)}</a>"
        )
    lines.append(f"© {escape(book.rights)}")
    said = "".join(f"<p>{line}</p>" for line in lines)
    return (
        '<section class="titlepage"><h1>' + escape(book.title) + "</h1>"
        f'<p class="subtitle">{book.subtitle}</p>'
        f'<p class="author">{escape(book.author)}</p><div class="imprint">{said}</div>'
        "</section>"
    )


def contents(
    chapters: list[Chapter],
    href: Callable[[Chapter], str],
    more: Callable[[Chapter], str] = lambda _: "",
) -> str:
    """Return the table of contents: parts, and the lessons in them."""
    parts: list[tuple[str, list[str]]] = []
    for chapter in chapters:
        link = f'<a href="{href(chapter)}">{escape(chapter.title)}</a>{more(chapter)}'
        if chapter.level:
            parts[-1][1].append(link)
        else:
            parts.append((link, []))
    return "<h1>Contents</h1>" + _list(*(p + _list(*below) for p, below in parts))


def _list(*items: str) -> str:
    return f"<ol>{''.join(f'<li>{i}</li>' for i in items)}</ol>" if items else ""
