"""Print a level's questions as a sheet, and the same with their answers as a book."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import takewhile

from bs4 import BeautifulSoup, Tag

from coursebuild.books.chapters import Chapter, one
from coursebuild.teaching.needed import Said, needed

__all__ = ["with_answers", "without_answers"]

ROOM = '<div class="room"></div>'  # for a pen
CODE = ".highlight-Python"
BORDER = "section, .box"  # the site's script covers as far as there: cover.js
ASKS = f"{CODE}, .doctest, .box"
ALOUD = ".ag-text, .plotting, .checked"  # on a sheet, a tick would look like a mark


def with_answers(chapters: Iterable[Chapter]) -> list[Chapter]:
    """Return of each lesson its title, and the sections that ask, with each answer.

    What the site covers is left out.  Of this and of other sections, the cells stay
    that make what a later question or its code speaks of.
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
    for tag in body.select(ALOUD):
        tag.decompose()
    hidden = [*_covered(body), *_quiet(body)]
    stays = _needed(body, hidden)
    for tag in hidden:
        if not any(tag is cell for cell in stays):
            tag.decompose()
    for section in body.select("section"):
        if not section.decomposed and not section.select(f".box, {CODE}"):
            section.decompose()
    return chapter._replace(level=0)  # a sheet has no parts


def _covered(body: Tag) -> Iterator[Tag]:
    """Yield what stands after a prediction, and may tell its answer."""
    for box in body.select(".predict"):
        after = [it for it in box.next_siblings if isinstance(it, Tag)]
        yield from takewhile(lambda it: not it.css.match(BORDER), after)


def _quiet(body: Tag) -> Iterator[Tag]:
    """Yield what stands in sections that ask nothing, and what a lesson promises."""
    for section in (one(body, ":has(> h1, > h2)"), *body.select("section")):
        if section.name != "section" or not section.select(".box"):
            for tag in section.find_all(recursive=False):
                if not tag.css.match("section, h1, h2, h3, h4, h5"):
                    yield tag


def _needed(body: Tag, hidden: list[Tag]) -> list[Tag]:
    """Return the cells among what is hidden that something shown needs."""
    places = {id(tag) for tag in hidden}
    within = {id(tag) for top in hidden for tag in top.find_all()}
    found = [tag for tag in body.select(ASKS) if id(tag) not in within]
    cells = [tag for tag in found if id(tag) not in places or tag.css.match(CODE)]
    said = [Said(_source(tag), id(tag) not in places) for tag in cells]
    shown = zip(cells, needed(said), strict=True)
    return [tag for tag, stays in shown if stays and id(tag) in places]


def _source(tag: Tag) -> str:
    """Return a cell's code; of a box, what it asks."""
    if not tag.css.match(".box"):
        return tag.get_text()
    codes = [
        code for code in tag.select("code") if not code.find_parent(class_="answer")
    ]
    return "? ".join(code.get_text() for code in codes)


def _linked(chapters: list[Chapter]) -> list[Chapter]:
    """Leave of each link out of the book its words."""
    ids = {tag["id"] for c in chapters for tag in c.body.select("[id]")}
    ids |= {chapter.key for chapter in chapters}
    for link in (link for c in chapters for link in c.body.select('a[href^="#"]')):
        if str(link["href"])[1:] not in ids:
            link.unwrap()
    return chapters
