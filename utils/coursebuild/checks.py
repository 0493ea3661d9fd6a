"""Look through a built site for what must never be published."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

__all__ = ["page_of", "problems"]

FORBIDDEN = {
    "Traceback (most recent call last)": "a traceback",
    " object at 0x": "an object's address",
    'class="problematic"': "a broken reference",
}
EMPTY_BY_DESIGN = ("_static/scripts/furo-extensions.js",)  # as the theme ships it
ANYWHERE = ("404.html", "../")  # shown at any depth, it leads to the folder above
LOADS = {
    "img": "src",
    "script": "src",
    "link": "href",
    "iframe": "src",
    "source": "src",
}


def problems(site: Path, root: Path, drawn: Mapping[str, int]) -> list[str]:
    """Return one line for each thing that is wrong with the pages of ``site``.

    ``root`` is the project's folder: its path must appear nowhere.  ``drawn`` says
    how many graphs each lesson drew.
    """
    found = [f"{name}: is empty" for name in _empty_files(site)]
    pages = {page: page.read_text(encoding="utf-8") for page in site.rglob("*.html")}
    if not pages:
        return [*found, f"{site.name}: holds no page"]
    ids = {page: _Page(text) for page, text in pages.items()}
    for page, text in sorted(pages.items()):
        name = page.relative_to(site)
        wrong = [*_wrong_text(text, root), *_wrong_links(page, site, ids)]
        found += [f"{name}: {line}" for line in wrong]
    sources = sorted([*root.glob("gallery/*/*.py"), *root.glob("docs/**/*.md")])
    return [*found, *_missing(site, sources, root), *_lost(site, drawn)]


def _empty_files(site: Path) -> Iterator[str]:
    for path in sorted(site.rglob("*")):
        name = path.relative_to(site).as_posix()
        if path.is_file() and not path.stat().st_size and name not in EMPTY_BY_DESIGN:
            yield name


def _wrong_text(text: str, root: Path) -> Iterator[str]:
    for mark, what in (FORBIDDEN | {f"{root}/": "a path of this machine"}).items():
        if mark in text:
            yield f"shows {what}: {_around(text, mark)}"
    if not text.rstrip().endswith("</html>"):
        yield "ends too early"


def _around(text: str, mark: str) -> str:
    at = text.index(mark)
    return re.sub(r"\s+", " ", text[max(at - 40, 0) : at + 60])


def _wrong_links(page: Path, site: Path, pages: dict[Path, _Page]) -> Iterator[str]:
    for tag, url in pages[page].links:
        parts = urlsplit(url)
        if (page.name, url) == ANYWHERE:
            continue
        if parts.scheme or parts.netloc:
            if tag != "a":
                yield f"asks another host for {url}"
            continue
        target = page.parent / unquote(parts.path) if parts.path else page
        target = Path(*_flat(target.parts))
        if target.is_dir():
            target /= "index.html"
        if not target.exists() or not target.is_relative_to(site):
            yield f"links to {url}, which is not there"
        elif target in pages and unquote(parts.fragment) not in pages[target].ids:
            yield f"links to {url}, but there is no such place on that page"


def _flat(parts: tuple[str, ...]) -> list[str]:
    """Resolve ``..`` by text alone: the site may be reached through a link."""
    flat: list[str] = []
    for part in parts:
        if part == "..":
            flat.pop()
        else:
            flat.append(part)
    return flat


def _missing(site: Path, sources: Iterable[Path], root: Path) -> Iterator[str]:
    """Name the lessons and pages that the site does not show."""
    for source in sources:
        name = source.relative_to(root).as_posix()
        if not (site / page_of(name)).exists():
            yield f"{name}: its page is missing"


def _lost(site: Path, drawn: Mapping[str, int]) -> Iterator[str]:
    """Name the pages on which a drawing is lost between its lesson and the page."""
    for name, count in drawn.items():
        page = site / page_of(name)
        shown = page.read_text(encoding="utf-8").count("<svg") if page.exists() else 0
        if shown < count:
            yield f"{name}: drew {count} graphs, its page shows {shown}"


def page_of(name: str) -> str:
    """Return the page of a source below the site's top.

    >>> page_of("gallery/0_basics/10_one.py"), page_of("docs/rules.md")
    ('lessons/0_basics/10_one.html', 'rules.html')
    """
    below = name.removeprefix("docs/").replace("gallery/", "lessons/", 1)
    return PurePosixPath(below).with_suffix(".html").as_posix()


class _Page(HTMLParser):
    """The ids of a page, and what it loads or links to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids = {"", "top"}
        self.links: list[tuple[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take down what this element is called and where it leads."""
        values = dict(attrs)
        self.ids.add(values.get("id") or "")
        url = values.get("href" if tag == "a" else LOADS.get(tag, ""))
        loads = tag != "link" or "stylesheet" in (values.get("rel") or "")
        if url and (tag == "a" or loads) and not url.startswith(("data:", "mailto:")):
            self.links.append((tag, url))
