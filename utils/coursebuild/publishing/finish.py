"""Finish each page once: its date, its one style sheet, the repairs of its HTML."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import NamedTuple

from coursebuild.publishing.html_repairs import needless, repaired
from coursebuild.publishing.source_date import put_date
from coursebuild.publishing.stylesheets import Sheets
from courserun.kept import Files, Memory

__all__ = ["finish"]


class _Finished(NamedTuple):
    """The faults of a page; digests of what it became and of its sheet, by place."""

    faults: list[str]
    files: dict[str, str]


def finish(
    site: Path, day: date | None, files: Files, known: Memory, key: str = ""
) -> list[str]:
    """Finish all pages of ``site``; return what is wrong with the repairs.

    ``known`` remembers what has become of pages, and ``files`` hold that, while the
    ``key`` is the same: that of style sheets and code.
    """
    found: set[str] = set()
    sheets = Sheets(site)
    for page in sorted(site.rglob("*.html")):
        name = page.relative_to(site).as_posix()

        def make(page: Path = page, name: str = name) -> _Finished:
            return _finished(site, name, day, files, sheets)

        made = _whole(known, (key, name, str(day), files.digest(page)), make, files)
        found.update(made.faults)
        for place, digest in made.files.items():
            if place == name or not (site / place).exists():  # one sheet is for many
                files.give(digest, site / place)
    (site / "_static" / "sg-tags.js").unlink(missing_ok=True)
    return needless(found)


def _whole(
    known: Memory, what: object, make: Callable[[], _Finished], files: Files
) -> _Finished:
    """Return what is known of a page, or make it where its files have gone."""
    made: _Finished = known.of(what, make)
    return made if all(map(files.holds, made.files.values())) else make()


def _finished(
    site: Path, name: str, day: date | None, files: Files, sheets: Sheets
) -> _Finished:
    page = site / name
    text = put_date(page.read_text(encoding="utf-8"), day)
    text, sheet = sheets.join(page, text)
    faults, text = repaired(text)
    page.unlink()  # it may be linked with one that is kept
    page.write_text(text, encoding="utf-8")
    parts = [page, *([sheet] if sheet else [])]
    taken = {part.relative_to(site).as_posix(): files.take(part) for part in parts}
    return _Finished(faults, taken)
