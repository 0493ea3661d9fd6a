"""Print a level's questions as a sheet, and the same with their answers as a book."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import takewhile

from bs4 import BeautifulSoup, Tag

from coursebuild.books.chapters import Chapter, one

__all__ = ["with_answers", "without_answers"]

ROOM = '<div class="room"></div>'  # for a pen
CODE = ".highlight-Python"
BORDER = "section, .box"  # the site's script covers as far as there: cover.js
ALOUD = ".ag-text, .plotting, .covered"


def with_answers(chapters: Iterable[Chapter]) -> list[Chapter]:
    """Return of each lesson its title, and the sections that ask, with each answer.

    What the site covers is left out; code stays, for questions are about it.
    """
    return _linked([_asking(chapter) for chapter in chapters])


def without_answers(chapters: Iterable[Chapter]) -> list[Chapter]:
    """Return the same without the answers, and room to write below each question."""
    found = with_answers(chapters)
    for box in (box for chapter in found for box in chapter.body.select(".box")):
        for answer in box.select(".answer"):
            answer.decompose()
        box.append(BeautifulSoup(ROOM, "html.parser"))
    return found


def _asking(chapter: Chapter) -> Chapter:
    body = chapter.body
    for box in body.select(".predict"):
        after = [it for it in box.next_siblings if isinstance(it, Tag)]
        for tag in takewhile(lambda it: not it.css.match(BORDER), after):
            if not tag.css.match(CODE):
                tag["class"] = "covered"
    for tag in body.select(ALOUD):
        tag.decompose()
    for section in body.select("section"):
        if not section.decomposed and not section.select(".box"):
            section.decompose()
    head, top = one(body, "h1, h2"), one(body, ":has(> h1, > h2)")
    for tag in top.find_all(recursive=False):
        if tag is not head and tag.name != "section":
            tag.decompose()  # what the lesson promises, and needs
    return chapter._replace(level=0)  # a sheet has no parts


def _linked(chapters: list[Chapter]) -> list[Chapter]:
    """Leave of each link out of the book its words."""
    ids = {tag["id"] for c in chapters for tag in c.body.select("[id]")}
    ids |= {chapter.key for chapter in chapters}
    for link in (link for c in chapters for link in c.body.select('a[href^="#"]')):
        if str(link["href"])[1:] not in ids:
            link.unwrap()
    return chapters
