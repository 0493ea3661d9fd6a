"""Make what a teacher hands out, and what a teacher keeps: ``build/teach``."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from coursebuild.addresses import read_places
from coursebuild.books import about
from coursebuild.books.chapters import Chapter, copied, read_chapters
from coursebuild.books.front_matter import Book
from coursebuild.books.pdf import print_book
from coursebuild.commands.html import SiteError, build
from coursebuild.downloads.notebooks import NOWHERE
from coursebuild.downloads.portable import Place
from coursebuild.extension.course import levels
from coursebuild.sources.docnames import page_of
from coursebuild.sources.reading import read_lessons
from coursebuild.teaching.notebooks import (
    ASKING,
    SOLVED,
    Cell,
    asking,
    introduced,
    joined,
    solved,
    written,
)
from coursebuild.teaching.questions import Part, parts, sheet
from coursebuild.teaching.sheets import with_answers, without_answers
from coursebuild.teaching.slides import show
from courserun.freshness import Store
from courserun.kept import Kept
from courserun.lesson import Lesson
from courserun.runs import Runs

__all__ = [
    "NAME",
    "Taught",
    "make_teach",
    "print_sheets",
    "read_levels",
    "read_taught",
    "write_notebooks",
    "write_slides",
]

NAME = "teach"
STYLE = Path(__file__).with_name("sheets.css")
KINDS = (
    ("students", asking, ASKING, "sheet"),
    ("teachers", solved, SOLVED, "answers"),
)
PRINTED = (
    ("students", without_answers, "sheet", "Questions, and room for answers"),
    ("teachers", with_answers, "answers", "Questions with their answers"),
)


class Taught(NamedTuple):
    """A lesson as the pack needs it: its files, its place, its parts."""

    lesson: Lesson
    place: Place
    parts: tuple[Part, ...]

    @property
    def level(self) -> str:
        """The folder of its level."""
        return self.lesson.name.split("/")[1]

    @property
    def stem(self) -> str:
        """The name of its files."""
        return Path(self.lesson.name).stem


def make_teach(root: Path) -> str:
    """Write ``build/teach`` from the built site; return one line about it.

    Raises:
        SiteError: the site cannot be built, or this machine has no Chromium.
    """
    print(build(root))
    target, site = root / "build" / NAME, root / "build" / "html"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for wheel in site.glob("wheel/*.whl"):
        shutil.copy(wheel, target)
    write_notebooks(root, read_taught(root), target)
    chapters = read_levels(site)
    write_slides(about(root), chapters, site, target)
    try:
        print_sheets(root, chapters, site, target)
    except ValueError as error:
        raise SiteError(f"{error}\nNotebooks and slides are made.") from error
    return f"The teacher's pack is ready: {target}"


def read_levels(site: Path) -> dict[str, list[Chapter]]:
    """Return the pages of the lessons, by their level's folder."""
    found: dict[str, list[Chapter]] = {}
    for chapter in read_chapters(site, file=lambda _key: ""):
        folder = chapter.key.removeprefix("lessons-").partition("-")[0]
        if chapter.level:
            found.setdefault(folder, []).append(chapter)
    return found


def write_slides(
    book: Book, chapters: Mapping[str, Iterable[Chapter]], site: Path, target: Path
) -> None:
    """Write each lesson's slides, a file of its own."""
    for level, lessons in chapters.items():
        (target / "slides" / level).mkdir(parents=True)
        for lesson in lessons:
            stem = lesson.key.removeprefix(f"lessons-{level}-")
            path = target / "slides" / level / f"{stem}.html"
            path.write_text(show(book, copied(lesson), site), "utf-8")


def print_sheets(
    root: Path, chapters: Mapping[str, Sequence[Chapter]], site: Path, target: Path
) -> None:
    """Print each level's questions, and the same with their answers.

    Raises:
        ValueError: there is no Chromium, or it cannot print them.
    """
    titles = _titles(root)
    for level, lessons in chapters.items():
        for folder, choose, name, says in PRINTED:
            title = f"{titles[level]}: {name}"
            book = about(root)._replace(title=title, subtitle=says)
            chosen = choose([copied(lesson) for lesson in lessons])
            path = target / folder / level / f"{name}.pdf"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(print_book(book, chosen, site, STYLE.read_text("utf-8")))


def read_taught(root: Path) -> list[Taught]:
    """Return all lessons, with the numbers that the site's build computed for them.

    Raises:
        ValueError: a lesson has not run as it now stands.
    """
    all_lessons = [*read_lessons(root)]
    runs = Runs(root, Store(root / "build" / ".runs"), all_lessons)
    address = read_places(root).site
    found = []
    for lesson in all_lessons:
        if not (lesson.name.startswith("gallery/") and lesson.name.endswith(".py")):
            continue
        if (run := runs[lesson.name]) is None:
            raise ValueError(f"{lesson.name} has not run: say `make html`.")
        docname = page_of(lesson.name).removesuffix(".html")
        place = Place(docname=docname, site=address)
        found.append(Taught(lesson, place, tuple(parts(lesson.blocks, run.asked))))
    return found


def write_notebooks(root: Path, taught: Iterable[Taught], target: Path) -> None:
    """Write each lesson's notebook and each level's sheet: without answers, and with.

    What lies beside a lesson lies beside its notebooks.
    """
    kept = Kept(root / "build" / f".{NAME}")
    titles = _titles(root)
    with TemporaryDirectory() as docs:
        _link_sources(root, Path(docs))
        found = [it._replace(place=it.place._replace(docs=Path(docs))) for it in taught]
        for level, group in groupby(found, lambda it: it.level):
            lessons = [*group]
            for folder, cells, note, name in KINDS:
                place = target / folder / level
                place.mkdir(parents=True)
                for it in lessons:
                    _lay_beside(it.lesson, place)
                    book = written(introduced(cells(it.parts), note), it.place, kept)
                    _write(place / f"{it.stem}.ipynb", book)
                book = _sheet(titles[level], lessons, cells, note, kept)
                _write(place / f"{name}.ipynb", book)
    kept.sweep()


def _titles(root: Path) -> dict[str, str]:
    """Return the title of each level, by its folder."""
    return {Path(level.page).parent.name: level.title for level in levels(root)}


def _link_sources(root: Path, docs: Path) -> None:
    """Lay lessons and pages as the site has them, since texts include files so."""
    for path in root.glob("docs/*"):
        (docs / path.name).symlink_to(path)
    (docs / "lessons").symlink_to(root / "gallery")


def _sheet(
    title: str,
    lessons: Iterable[Taught],
    cells: Callable[[Iterable[Part]], Iterator[Cell]],
    note: str,
    kept: Kept,
) -> dict[str, Any]:
    """Return one notebook with the questions of all lessons of a level."""
    head = introduced([("text", f"{title}: questions\n" + "=" * 80, 0)], note)
    books = [written(cells(sheet(it.parts)), it.place, kept) for it in lessons]
    return joined([written(head, NOWHERE, kept), *books])


def _lay_beside(lesson: Lesson, folder: Path) -> None:
    for name, data in lesson.files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def _write(path: Path, book: dict[str, Any]) -> None:
    path.write_text(json.dumps(book, indent=1, ensure_ascii=False), "utf-8")
