"""Make an EPUB of the chapters: formulas as MathML, drawings as SVG, no script.

EPUB 3.3, https://www.w3.org/TR/epub-33/, and EPUB Accessibility 1.1.
"""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5
from xml.etree import ElementTree

from bs4 import Tag
from bs4.dammit import EntitySubstitution
from bs4.element import PreformattedString
from bs4.formatter import XMLFormatter

from coursebuild.books.chapters import Chapter, one
from coursebuild.books.front_matter import Book, contents, title_page
from courserun.terminal import legible

__all__ = ["chapter_page", "file_of", "members"]

STYLE = Path(__file__).with_name("epub.css")
CONTAINER = """<?xml version="1.0" encoding="utf-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles><rootfile full-path="EPUB/package.opf"
media-type="application/oebps-package+xml"/></rootfiles></container>
"""
PAGE = """<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"
xmlns:xlink="http://www.w3.org/1999/xlink" lang="en" xml:lang="en">
<head><title>{title}</title>
<link rel="stylesheet" type="text/css" href="book.css"/></head>
<body>{body}</body></html>
"""
PACKAGE = """<?xml version="1.0" encoding="utf-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id"
xml:lang="en" prefix="schema: http://schema.org/">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:identifier id="id">{identifier}</dc:identifier>
<dc:title>{title}</dc:title>
<dc:creator>{author}</dc:creator>
<dc:language>en</dc:language>
<dc:rights>{rights}</dc:rights>
<meta property="dcterms:modified">{date}</meta>
{access}
</metadata>
<manifest>
{manifest}
</manifest>
<spine>
{spine}
</spine>
</package>
"""
ACCESS = {
    "accessMode": ["textual", "visual"],
    "accessModeSufficient": ["textual", "textual,visual"],
    "accessibilityFeature": [
        "alternativeText",
        "MathML",
        "longDescription",
        "displayTransformability",
        "readingOrder",
        "structuralNavigation",
        "tableOfContents",
    ],
    "accessibilityHazard": ["none"],
    "accessibilitySummary": [
        "Formulas are MathML with their LaTeX as alternative text. Each drawing of a "
        "graph has a short description, and a text version that lists its steps."
    ],
}
ROOTS = {
    "svg": "http://www.w3.org/2000/svg",
    "math": "http://www.w3.org/1998/Math/MathML",
}
MIME = mimetypes.types_map | mimetypes.common_types  # WebP is among the latter
NAME = re.compile(r"(?:(?:xml|xlink|epub):)?[A-Za-z_][\w.-]*")  # and no other prefix
XML = XMLFormatter(entity_substitution=EntitySubstitution.substitute_xml)
LANDMARKS = (
    '<nav epub:type="landmarks" hidden="hidden"><h2>Landmarks</h2><ol>'
    '<li><a epub:type="toc" href="nav.xhtml">Contents</a></li>'
    '<li><a epub:type="bodymatter" href="{first}">Start</a></li></ol></nav>'
)


def file_of(key: str) -> str:
    """Return the name of a chapter's file."""
    return f"{key}.xhtml"


def members(
    book: Book, chapters: list[Chapter], site: Path, cover: bytes
) -> Iterator[tuple[str, bytes]]:
    """Yield the names and bytes of the EPUB's files, ``mimetype`` first."""
    pages = {
        "cover.xhtml": PAGE.format(
            title="Cover",
            body='<section epub:type="cover"><img class="cover" src="cover.png" '
            f'alt="{escape(book.title)}: the cover"/></section>',
        ),
        "title.xhtml": PAGE.format(title=escape(book.title), body=title_page(book)),
        "nav.xhtml": PAGE.format(title="Contents", body=_navigation(chapters)),
    }
    for chapter in chapters:
        _use_mathml(chapter.body)
        pages[file_of(chapter.key)] = chapter_page(chapter)
    images = {str(i["src"]) for c in chapters for i in c.body.select("img[src]")}
    files = {name: (site / name).read_bytes() for name in sorted(images)}
    files |= {"cover.png": cover, "book.css": _style(site)}
    yield "mimetype", b"application/epub+zip"
    yield "META-INF/container.xml", CONTAINER.encode()
    yield "EPUB/package.opf", _package(book, pages, files).encode()
    for name, page in pages.items():
        yield f"EPUB/{name}", page.encode()
    for name, data in files.items():
        yield f"EPUB/{name}", data


def chapter_page(chapter: Chapter) -> str:
    """Return a chapter as XML, whatever the outputs on its page hold.

    Raises:
        ValueError: it is none, which no reader of books would open.
    """
    _make_xml(chapter.body)
    body = chapter.body.decode(formatter=XML)
    page = PAGE.format(title=escape(legible(chapter.title)), body=body)
    try:
        ElementTree.fromstring(page)
    except ElementTree.ParseError as error:
        raise ValueError(f"{chapter.key}: this page is no XML: {error}") from error
    return page


def _make_xml(body: Tag) -> None:
    """Take out of a page what HTML bears, and XML or a book does not."""
    for node in body.find_all(string=True):
        if isinstance(node, PreformattedString):  # a comment, a declaration
            node.extract()
        elif (text := legible(node)) != node:
            node.replace_with(text)
    for tag in body.find_all(True):
        tag.attrs = {
            name: legible(value) if isinstance(value, str) else value
            for name, value in tag.attrs.items()
            if NAME.fullmatch(name)
        }
        if tag.name in ROOTS:
            tag.attrs.setdefault("xmlns", ROOTS[tag.name])
        if tag.name == "style" and not tag.find_parent("svg"):
            tag.decompose()
        elif not NAME.fullmatch(tag.name):
            tag.unwrap()


def _use_mathml(body: Tag) -> None:
    """Keep of each formula its MathML alone, with the LaTeX as its description."""
    for formula in body.select(".katex"):
        math = one(formula, "math").extract()
        math["alttext"] = one(math, "annotation").extract().get_text().strip()
        outer = formula.parent
        if outer and "katex-display" in _classes(outer):
            math["display"] = "block"
            formula = outer
        formula.replace_with(math)
    for drawn in body.select("svg *"):
        drawn.attrs = {k: v for k, v in drawn.attrs.items() if k[:5] != "data-"}


def _classes(tag: Tag) -> list[str]:
    return tag.get_attribute_list("class")


def _sections(chapter: Chapter) -> str:
    """Return the list of a lesson's sections; of other pages, none."""
    if not chapter.level:
        return ""
    links = "".join(
        f'<li><a href="{file_of(chapter.key)}#{section["id"]}">'
        f"{escape(' '.join(heading.get_text().split()))}</a></li>"
        for heading in chapter.body.select("section[id] > h3")
        if (section := heading.parent)
    )
    return f"<ol>{links}</ol>" if links else ""


def _navigation(chapters: list[Chapter]) -> str:
    first = file_of(chapters[0].key)
    toc = contents(chapters, lambda chapter: file_of(chapter.key), _sections)
    return f'<nav epub:type="toc" role="doc-toc">{toc}</nav>' + LANDMARKS.format(
        first=first
    )


def _style(site: Path) -> bytes:
    """Return our rules, and the site's light colours for code."""
    colours = (site / "_static/pygments.css").read_text(encoding="utf-8")
    return (STYLE.read_text("utf-8") + colours.partition("@media")[0]).encode()


def _package(book: Book, pages: dict[str, str], files: Iterable[str]) -> str:
    items = [
        _item(name, "application/xhtml+xml", _properties(name, page))
        for name, page in pages.items()
    ]
    for name in files:
        kind = MIME[Path(name).suffix]
        items.append(_item(name, kind, ["cover-image"] * (name == "cover.png")))
    access = (
        f'<meta property="schema:{name}">{escape(value)}</meta>'
        for name, values in ACCESS.items()
        for value in values
    )
    return PACKAGE.format(
        identifier=f"urn:uuid:{uuid5(NAMESPACE_URL, book.title)}",
        title=escape(book.title),
        author=escape(book.author),
        rights=escape(book.rights),
        date=book.date.strftime("%Y-%m-%dT%H:%M:%SZ"),
        access="\n".join(access),
        manifest="\n".join(items),
        spine="\n".join(f'<itemref idref="{_id(name)}"/>' for name in pages),
    )


def _properties(name: str, page: str) -> list[str]:
    found = {
        "nav": name == "nav.xhtml",
        "svg": "<svg" in page,
        "mathml": "<math" in page,
    }
    return [word for word, holds in found.items() if holds]


def _item(name: str, kind: str, properties: list[str]) -> str:
    more = f' properties="{" ".join(properties)}"' if properties else ""
    return f'<item id="{_id(name)}" href="{name}" media-type="{kind}"{more}/>'


def _id(name: str) -> str:
    return "i-" + name.replace("/", "-")
