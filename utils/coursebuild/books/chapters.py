"""Read the published site as a book: its pages in the reader's order, without tools.

The books are made of the pages that readers see, so nothing is executed again and
nothing can differ from the site.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator
from copy import copy
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup, Tag

__all__ = ["Chapter", "copied", "one", "read_chapters"]

# The title page and the contents stand for the first two, the others are for authors
# and teachers.
AUTHORS = "authors", "formulas", "api", "architecture", "teaching"
TYPED = "playground", "practice"  # are empty until a reader types
LEFT_OUT = ("index", "lessons/index", "ledger", *TYPED, *AUTHORS)
COPIES = "quiz_"  # begins the name of a page that asks again what lessons have asked
# What needs a screen, a script or the other colours: elements, and classes.  They are
# looked up in sets: a selector of all of them took longer than to parse the page.
TOOLS = {"script", "template", "form", "label", "button", "input", "output"}
TOOL_CLASSES = {"headerlink", "downloads", "to-foot", "film", "start", "only-dark"}
TOOL_CLASSES |= {"ag-fixed", "ag-open", "ag-inside", "ag-narrow", "sphx-glr-thumbnails"}
REFERENCES = ("aria-labelledby", "aria-describedby")


class Chapter(NamedTuple):
    """One page of the site; its ids begin with ``key``, so that no two collide."""

    key: str
    title: str
    level: int  # 1 within a part, else 0
    body: Tag


def read_chapters(
    site: Path, *, file: Callable[[str], str], public: str = ""
) -> list[Chapter]:
    """Return the chapters; ``file`` says in which file one with a given key lies.

    What a link leads to outside of the book is asked from the address ``public``;
    where there is none, the link's words stay.

    Raises:
        ValueError: the site's pages do not lead from one to the next.
    """
    pages = dict(_pages(site))
    if len(pages) < 2:
        raise ValueError(f"{site}: index.html leads to no lesson; say `make html`.")
    left = {f"{name}.html" for name in LEFT_OUT}
    kept = {
        name: page
        for name, page in pages.items()
        if name not in left and not name.startswith(COPIES)
    }
    keys = {name: name.removesuffix(".html").replace("/", "-") for name in kept}

    def where(name: str, fragment: str) -> str | None:
        if key := keys.get(name):
            return f"{file(key)}#{key}-{fragment}" if fragment else f"{file(key)}#{key}"
        end = f"#{fragment}" if fragment else ""
        return f"{public}{name}{end}" if public else None

    return [_chapter(name, keys[name], page, where) for name, page in kept.items()]


def copied(chapter: Chapter) -> Chapter:
    """Return a chapter whose body may be changed."""
    return chapter._replace(body=copy(chapter.body))


def _pages(site: Path) -> Iterator[tuple[str, BeautifulSoup]]:
    """Follow each page's link to the next one, as a reader does.

    A level's page, which lessons pass over, comes before its first lesson.
    """
    name: str | None = "index.html"
    known = {""}
    while name:
        folder = posixpath.dirname(name)
        if folder not in known:
            known.add(folder)
            yield (part := f"{folder}/index.html"), _page(site / part)
        page = _page(site / name)
        yield name, page
        link = page.select_one('link[rel="next"]')
        name = _joined(name, str(link["href"])) if link else None


def _page(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html5lib")


def _joined(name: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(path)))


Where = Callable[[str, str], str | None]


def _chapter(name: str, key: str, page: BeautifulSoup, where: Where) -> Chapter:
    body, head = one(page, "article[role=main]"), one(page, "article h1, article h2")
    for tool in body.find_all(_is_tool):
        tool.decompose()
    for tag in body.find_all(True):
        _rename(tag, key)
        tag.attrs.pop("tabindex", None)  # nothing scrolls in a book
        if tag.name == "a" and "href" in tag.attrs:
            _lead(tag, name, where)
        elif tag.name == "img" and "src" in tag.attrs:
            tag["src"] = _joined(name, str(tag["src"]))
    part = name.endswith("/index.html")
    lesson = name.count("/") > 1 and not part
    if lesson:
        _lower_headings(body)
    body.attrs = {
        "id": key,
        "class": "lesson" if lesson else "part" if part else "page",
    }
    return Chapter(key, " ".join(head.get_text().split()), int(lesson), body)


def one(page: Tag, selector: str) -> Tag:
    """Return the element that each page, or formula, of the site has."""
    found = page.select_one(selector)
    assert found, selector
    return found


def _is_tool(tag: Tag) -> bool:
    return (
        tag.name in TOOLS
        or tag.get("visibility") == "hidden"
        or not TOOL_CLASSES.isdisjoint(tag.get_attribute_list("class"))
    )


def _rename(tag: Tag, key: str) -> None:
    if "id" in tag.attrs:
        tag["id"] = f"{key}-{tag['id']}"
    for attribute in REFERENCES:
        if attribute in tag.attrs:
            names = str(tag[attribute]).split()
            tag[attribute] = " ".join(f"{key}-{name}" for name in names)


def _lead(link: Tag, page: str, where: Where) -> None:
    url = urlsplit(str(link["href"]))
    if url.scheme:
        return
    target = where(_joined(page, url.path) if url.path else page, unquote(url.fragment))
    if target is None:
        link.unwrap()
    else:
        link["href"] = target
        link.attrs.pop("download", None)


def _lower_headings(body: Tag) -> None:
    """Put a lesson's headings below that of its part."""
    for heading in body.find_all(["h1", "h2", "h3", "h4", "h5"]):
        heading.name = f"h{int(heading.name[1]) + 1}"
