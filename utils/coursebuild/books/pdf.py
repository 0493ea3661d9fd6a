"""Print the chapters as one PDF, through the Chromium that also runs the tests.

It is printed twice: CSS in Chromium has no ``target-counter``, so the contents' page
numbers are read from the first print.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib
import pikepdf
from bs4 import BeautifulSoup
from playwright.sync_api import Page, sync_playwright

from coursebuild.books.chapters import Chapter
from coursebuild.books.chromium import FLAGS, find
from coursebuild.books.front_matter import Book, contents, title_page
from coursebuild.extension.paper import TEXT_WIDTH, TOO_WIDE, margin_box

__all__ = ["NoBrowserError", "page_numbers", "print_book"]

STYLE = Path(__file__).with_name("book.css")
HEADINGS = """[...document.querySelectorAll("h1, h2, h3, h4, h5, h6")]
    .map(heading => heading.textContent.trim().replace(/\\s+/g, " "))"""
PATIENCE = 600_000  # milliseconds: a whole book, on a machine that is busy
FONTS = Path(matplotlib.get_data_path(), "fonts", "ttf")  # the same on every machine
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
{styles}<style>{own}</style></head>
<body data-theme="light"><main>{front}<nav class="toc-page">{contents}</nav>
{chapters}</main></body></html>
"""


class NoBrowserError(ValueError):
    """This machine has no Chromium to print with."""


def print_book(
    book: Book, chapters: list[Chapter], site: Path, style: str = ""
) -> bytes:
    """Return the PDF: tagged, with outline, links and page numbers.

    ``style`` is what its CSS has beyond that of a book.

    Raises:
        NoBrowserError: the message says what to install.
        ValueError: something is wider than a page, or the page numbers do not settle.
    """
    if not (chromium := find()):
        raise NoBrowserError("The PDF needs Chromium: sudo apt install chromium")
    with TemporaryDirectory() as folder, sync_playwright() as tools:
        for name in ("_static", "_images"):
            Path(folder, name).symlink_to(site.resolve() / name)
        browser = tools.chromium.launch(executable_path=chromium, args=[*FLAGS])
        page, file = browser.new_page(), Path(folder, "book.html")
        page.set_default_timeout(PATIENCE)
        draft = _print(page, file, _html(book, chapters, site, {}, style))
        numbers = page_numbers(draft)
        printed = _print(page, file, _html(book, chapters, site, numbers, style))
        headings: list[str] = page.evaluate(HEADINGS)
        browser.close()
    if page_numbers(printed) != numbers:
        raise ValueError("The PDF's page numbers differ between its two prints.")
    return _finished(book, printed, headings)


def page_numbers(pdf: bytes) -> dict[str, int]:
    """Return the page on which each place that something links to stands."""
    with pikepdf.open(BytesIO(pdf)) as read:
        pages = {page.obj.objgen: number for number, page in enumerate(read.pages, 1)}
        places = read.Root.get("/Dests", pikepdf.Dictionary())
        return {
            name.removeprefix("/"): pages[place[0].objgen]
            for name, place in places.items()
        }


def _finished(book: Book, pdf: bytes, headings: list[str]) -> bytes:
    """Return the PDF with what Chromium does not say, or says wrongly.

    Of a heading in two lines its outline loses the blank between them, and says the
    first line twice where the heading begins a page.  And it writes each of its
    200,000 tags as plain text: packed, the book takes a third of the room.

    Raises:
        ValueError: the outline has not one entry for each heading.
    """
    date = f"D:{book.date:%Y%m%d%H%M%S}Z"
    out = BytesIO()
    with pikepdf.open(BytesIO(pdf)) as written:
        written.docinfo["/Author"] = book.author
        written.docinfo["/CreationDate"] = written.docinfo["/ModDate"] = date
        entries = [*_entries(written.Root.get("/Outlines", pikepdf.Dictionary()))]
        if len(entries) != len(headings):
            counts = f"{len(entries)} entries for {len(headings)} headings"
            raise ValueError(f"The PDF's outline has {counts}.")
        for entry, heading in zip(entries, headings, strict=True):
            entry["/Title"] = heading
        written.save(
            out,
            object_stream_mode=pikepdf.ObjectStreamMode.generate,
            deterministic_id=True,
        )
    return out.getvalue()


def _entries(above: pikepdf.Object) -> Iterator[pikepdf.Object]:
    """Yield the entries of an outline below one: siblings, and what is below each."""
    entry = above.get("/First")
    while entry is not None:
        yield entry
        yield from _entries(entry)
        entry = entry.get("/Next")


def _print(page: Page, file: Path, html: str) -> bytes:
    file.write_text(html, encoding="utf-8")
    page.set_viewport_size({"width": TEXT_WIDTH, "height": 1000})
    page.emulate_media(media="print")  # first: paper's fonts too must be there
    page.goto(file.as_uri(), wait_until="load")
    page.evaluate("document.fonts.ready.then(() => null)")
    if wide := page.evaluate(TOO_WIDE):
        raise ValueError(f"The PDF would cut what is wider than its page: {wide[-1]}")
    return page.pdf(prefer_css_page_size=True, outline=True, tagged=True)


def _html(
    book: Book,
    chapters: list[Chapter],
    site: Path,
    numbers: Mapping[str, int],
    style: str,
) -> str:
    top = BeautifulSoup((site / "index.html").read_text("utf-8"), "html5lib")
    for answer in [d for c in chapters for d in c.body.select("details")]:
        answer["open"] = ""
    pages = "".join(
        f"@page {c.key} {{ {margin_box(f'{book.title} · {c.title}')} }}"
        f" #{c.key} {{ page: {c.key} }}\n"
        for c in chapters
    )
    listed = contents(
        chapters,
        lambda chapter: f"#{chapter.key}",
        lambda chapter: f'<span class="page">{numbers.get(chapter.key, 0)}</span>',
    )
    return PAGE.format(
        title=escape(book.title),
        styles="".join(map(str, top.select('link[rel="stylesheet"]'))),
        own=STYLE.read_text("utf-8").replace("FONTS", FONTS.as_uri()) + style + pages,
        front=title_page(book),
        contents=listed,
        chapters="\n".join(str(chapter.body) for chapter in chapters),
    )
