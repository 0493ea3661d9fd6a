"""Look through a built site for what must never be published."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from html import escape
from html.parser import HTMLParser
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit

from coursebuild.sources.beside import scripts
from coursebuild.sources.docnames import page_of, place_of
from coursebuild.sources.docnames import pages as pages_below
from courserun.kept import Memory, digest_of, files_below
from courserun.lesson import SVG
from courserun.runner import at_once

__all__ = ["Seen", "dead_links", "problems", "read_pages", "wrong_links"]

Seen = dict[tuple[str, str], tuple[bool, str]]  # folder or page, and address: its goal

FORBIDDEN = {
    "Traceback (most recent call last)": "a traceback",
    " object at 0x": "an object's address",
    'class="problematic"': "a broken reference",
    "sphx-glr-script-out": "an output that our runner did not make",
}
# An example of a text or of the ledger, whose error is stated and was compared.
EXAMPLE = re.compile(
    r"<pre\b(?:(?!</pre>).)*? class=\"gp\"(?:(?!</pre>).)*</pre>"
    r"|<td><code>&gt;&gt;&gt; [^<]*</code>",
    re.DOTALL,
)
# An installed package, or the folder in which a lesson ran, of whatever machine.
ELSEWHERE = r"/[^\s\"'<>]*/(?:site-packages|lesson-\w{8}/work)\b"
SIGNS = b"/site-packages", b"/lesson-"  # of which it holds one
EMPTY_BY_DESIGN = ("_static/scripts/furo-extensions.js",)  # as the theme ships it
_FIX = ": mend its address, or let a picture lie in docs/_static"
PROGRAM, FIELD = "p=", "pg-text"  # of the playground: what a link opens, and where
_BLANKS = re.compile(r"[\t\n\r]")  # in an address: browsers leave them out
FEW = 6  # pages: they are read before as many processes are forked
ANYWHERE = ("404.html", "../")  # shown at any depth, it leads to the folder above
LOADS = {
    "img": "src",
    "script": "src",
    "link": "href",
    "iframe": "src",
    "source": "src",
}


def problems(
    site: Path,
    root: Path,
    drawn: Mapping[str, Iterable[str]],
    known: Memory | None = None,
    digest: Callable[[str], str] = digest_of,
) -> list[str]:
    """Return one line for each thing that is wrong with the pages of ``site``.

    ``root`` is the project's folder: its path must appear nowhere.  ``drawn`` holds
    the opening tags of the graphs that each lesson drew; ``known`` is what pages said
    when they were read.  ``digest`` digests a file.
    """
    names, known = files_below(site), known or Memory(None)
    found = [f"{name}: is empty" for name in _empty_files(site, names)]
    pages, seen = read_pages(site, known, digest), Seen()
    if not pages:
        return [*found, f"{site.name}: holds no page"]
    for name, page in pages.items():
        found += [f"{name}: {line}" for line in page.wrong]
        found += _wrong_on(name, site, root, pages, seen)
    sources = [*pages_below(root, ".md", ".rst", ".ipynb"), *scripts(root)]
    found += _paths_of_the_machine(site, root, names, known, digest)
    return [*found, *_missing(site, sources, root), *_lost(site, drawn)]


def dead_links(site: Path, root: Path) -> list[str]:
    """Return one line for each link that leads nowhere, of a site that is refused."""
    pages, seen = read_pages(site), Seen()
    return [line for name in pages for line in _wrong_on(name, site, root, pages, seen)]


def _wrong_on(
    name: str, site: Path, root: Path, pages: Mapping[str, _Page], seen: Seen
) -> Iterator[str]:
    for _, url, why in wrong_links(name, site, pages, seen):
        place = place_of(name.removesuffix(".html"), root, url)
        known = (root / place.rpartition(":")[0]).exists()
        yield f"{place}\n  {why}{_FIX}" if known else f"{name}: {why}"


def _empty_files(site: Path, names: Iterable[str]) -> Iterator[str]:
    for name in names:
        if not os.path.getsize(f"{site}/{name}") and name not in EMPTY_BY_DESIGN:
            yield name


def _paths_of_the_machine(
    site: Path,
    root: Path,
    names: Iterable[str],
    known: Memory,
    digest: Callable[[str], str],
) -> Iterator[str]:
    """Name the files, pages or not, that show where something lay on the disk."""
    own = {f(f"{root}/").encode() for f in (str, quote, escape)}
    mark = re.compile(b"|".join([*map(re.escape, sorted(own)), ELSEWHERE.encode()]))
    signs = {*own, *SIGNS}  # to look for a word is ten times as fast

    def shown(path: str) -> str:
        data = Path(path).read_bytes()
        hit = mark.search(data) if any(sign in data for sign in signs) else None
        return hit[0].decode(errors="replace") if hit else ""

    for name in names:
        path = f"{site}/{name}"
        if hit := known.of((mark.pattern, digest(path)), partial(shown, path)):
            yield f"{name}: shows a path of this machine: {hit}"


def _wrong_text(text: str) -> Iterator[str]:
    unstated = EXAMPLE.sub("", text)
    for mark, what in FORBIDDEN.items():
        if mark in unstated:
            yield f"shows {what}: {_around(unstated, mark)}"
    if not text.rstrip().endswith("</html>"):
        yield "ends too early"


def _around(text: str, mark: str) -> str:
    at = text.index(mark)
    return re.sub(r"\s+", " ", text[max(at - 40, 0) : at + 60])


def read_pages(
    site: Path,
    known: Memory | None = None,
    digest: Callable[[str], str] = digest_of,
) -> dict[str, _Page]:
    """Read what the pages of ``site`` say, on all cores; return it by their names.

    What has been read is ``known``.
    """
    known = known or Memory(None)
    names = [name for name in files_below(site) if name.endswith(".html")]
    keys = {name: ("page", digest(f"{site}/{name}")) for name in names}
    new = [name for name, key in keys.items() if not known.knows(key)]
    paths = [site / name for name in new]
    if len(new) > FEW:
        with ProcessPoolExecutor(at_once(), mp_context=get_context("fork")) as pool:
            read = dict(zip(new, pool.map(_read, paths, chunksize=4), strict=True))
    else:
        read = dict(zip(new, map(_read, paths), strict=True))
    return {n: known.of(key, partial(read.__getitem__, n)) for n, key in keys.items()}


def _read(page: Path) -> _Page:
    parser, text = _Parser(), page.read_text(encoding="utf-8")
    parser.feed(text)
    links = (f"{tag} {_BLANKS.sub('', url)}" for tag, url in parser.links)
    wrong = tuple(_wrong_text(text))
    return _Page("\n".join(["", *sorted(parser.ids), ""]), "\n".join(links), wrong)


def wrong_links(
    name: str, site: Path, pages: Mapping[str, _Page], seen: Seen | None = None
) -> Iterator[tuple[str, str, str]]:
    """Yield what leads nowhere, or loads from elsewhere: its tag, its address, why.

    Pages of one folder have most links in common: ``seen`` holds where they lead.
    """
    folder, file = os.path.split(name)
    seen = {} if seen is None else seen
    for link in filter(None, pages[name].links.split("\n")):
        tag, _, url = link.partition(" ")
        if (file, url) == ANYWHERE:
            continue
        key = name if url.startswith(("#", "?")) else folder, url
        if key not in seen:
            seen[key] = _goal(name, url, site, pages)
        there, why = seen[key]
        if why and not (tag == "a" and not there):
            yield tag, url, why


def _goal(
    name: str, url: str, site: Path, pages: Mapping[str, _Page]
) -> tuple[bool, str]:
    """Tell whether an address is of this site, and what is wrong where it leads."""
    parts = urlsplit(url)
    if parts.scheme or parts.netloc:
        return False, f"asks another host for {url}"
    target = _flat(os.path.dirname(name), parts.path) if parts.path else name
    if target not in pages and os.path.isdir(f"{site}/{target}"):
        target = _flat(target, "index.html")
    if target not in pages and not _holds(site, target):
        return True, f"links to {url}, which is not there"
    if target in pages and not _leads(parts.fragment, pages[target].ids):
        return True, f"links to {url}, but there is no such place on that page"
    return True, ""


def _leads(fragment: str, ids: str) -> bool:
    """Say whether a page has a place; of a program a browser has to say if it runs."""
    is_program = fragment.startswith(PROGRAM) and f"\n{FIELD}\n" in ids
    return is_program or f"\n{unquote(fragment)}\n" in ids


def _flat(folder: str, link: str) -> str:
    """Resolve ``..`` by text alone: the site may be reached through a link."""
    return os.path.normpath(os.path.join(folder, unquote(link)))


def _holds(site: Path, name: str) -> bool:
    """Tell whether a name from the site's top is that of a file below it."""
    inside = not name.startswith(("/", "../"))
    return inside and os.path.exists(f"{site}/{name}")


def _missing(site: Path, sources: Iterable[Path], root: Path) -> Iterator[str]:
    """Name the lessons and pages that the site does not show."""
    for source in sources:
        name = source.relative_to(root).as_posix()
        if not (site / page_of(name)).exists():
            yield f"{name}: its page is missing"


def _lost(site: Path, drawn: Mapping[str, Iterable[str]]) -> Iterator[str]:
    """Name the pages on which a drawing is lost between its lesson and the page.

    A count of ``<svg`` would not notice: the theme's icons are drawings, too.
    """
    for name, tags in drawn.items():
        page, wanted = site / page_of(name), Counter(tags)
        text = page.read_text(encoding="utf-8") if page.exists() else ""
        if lost := (wanted - Counter(SVG.findall(text))).total():
            count = wanted.total()
            yield f"{name}: drew {count} graphs, its page shows {count - lost}"


class _Page(NamedTuple):
    """The ids of a page, what it loads or links to, and what is wrong with its text.

    Ids and links stand one in a line: lists of a thousand pages take 35 MB.
    """

    ids: str
    links: str
    wrong: tuple[str, ...]


class _Parser(HTMLParser):
    """What takes ids and links down."""

    def __init__(self) -> None:
        super().__init__()
        self.ids, self.links = {"", "top"}, dict[tuple[str, str], None]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take down what this element is called and where it leads."""
        values = dict(attrs)
        self.ids.add(values.get("id") or "")
        url = values.get("href" if tag == "a" else LOADS.get(tag, ""))
        loads = tag != "link" or "stylesheet" in (values.get("rel") or "")
        if url and (tag == "a" or loads) and not url.startswith(("data:", "mailto:")):
            self.links[tag, url] = None
