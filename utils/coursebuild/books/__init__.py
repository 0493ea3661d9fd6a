"""Make of the published site what is read without it: a zip, an EPUB and a PDF."""

from __future__ import annotations

import tomllib
from importlib.metadata import version
from pathlib import Path
from runpy import run_path

from coursebuild.books import epub
from coursebuild.books.chapters import read_chapters
from coursebuild.books.cover import draw_cover
from coursebuild.books.front_matter import Book, dated
from coursebuild.books.pdf import print_book
from coursebuild.commands.html import SiteError, build
from coursebuild.downloads.archives import pack

__all__ = ["NAME", "about", "make_books", "make_epub", "make_pdf", "make_zip"]

NAME = "gradients-with-pytorch"
START = """\
Open index.html in a browser. It needs no network and no server.

{title}, release {release}
{rights}
"""


def make_books(root: Path) -> str:
    """Write ``build/books``; return one line about it.

    Raises:
        SiteError: the site cannot be built, or this machine has no Chromium.
    """
    print(build(root))
    site, folder = root / "build" / "html", root / "build" / "books"
    folder.mkdir(exist_ok=True)
    book = about(root)
    make_zip(book, site, folder / f"{NAME}.zip")
    make_epub(book, site, folder / f"{NAME}.epub")
    try:
        make_pdf(book, site, folder / f"{NAME}.pdf")
    except ValueError as error:
        raise SiteError(f"{error}\nThe zip and the EPUB are made.") from error
    return f"The books are ready: {folder}"


def about(root: Path) -> Book:
    """Return what the project says about itself."""
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    names = run_path(str(root / "conf.py"))
    public = project.get("urls", {}).get("Homepage", "")
    return Book(
        title=names["project"],
        author=names["author"],
        rights=names["project_copyright"],
        release=project["version"],
        torch=version("torch").split("+")[0],
        date=dated(),
        public=f"{public.rstrip('/')}/" if public else "",
    )


def make_zip(book: Book, site: Path, target: Path) -> None:
    """Pack the site as it is published, and a note for those who unpack it."""
    note = START.format(title=book.title, release=book.release, rights=book.rights)
    names = (p.relative_to(site).as_posix() for p in site.rglob("*") if p.is_file())
    files = [(f"{NAME}/{n}", (site / n).read_bytes()) for n in sorted(names)]
    pack(target, [(f"{NAME}/START-HERE.txt", note.encode()), *files])


def make_epub(book: Book, site: Path, target: Path) -> None:
    """Write the EPUB."""
    chapters = read_chapters(site, file=epub.file_of, public=book.public)
    cover = draw_cover(book.title, book.author)
    pack(target, epub.members(book, chapters, site, cover), stored="mimetype")


def make_pdf(book: Book, site: Path, target: Path) -> None:
    """Print the PDF."""
    chapters = read_chapters(site, file=lambda _key: "", public=book.public)
    target.write_bytes(print_book(book, chapters, site))
