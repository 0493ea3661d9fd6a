"""Make slides of a lesson's page: one idea a slide, all in one file, for no network."""

from __future__ import annotations

import mimetypes
import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from bs4 import BeautifulSoup, Tag

from coursebuild.books.chapters import Chapter, one
from coursebuild.books.front_matter import Book

__all__ = ["Slide", "show", "slides"]

HERE = Path(__file__)
SHOWN = (  # what a slide is about; a paragraph leads to it
    ".highlight-Python, .doctest, .cell-output, .math-wrapper, .math, .box, "
    ".table-wrapper, .admonition, .highlight, table, ul, ol, dl, figure, img"
)
OUTPUT = ".cell-output"
DRAWS = ":is(svg, img)"
SHORT = 5  # lines of code, beside which a drawing has room
LONG = 20  # lines that a slide shows in letters which the last row can read
LEFT_OUT = ".ag-text, .ag-walk, .ag-leaves, .mv-text, .plotting, .facts, .checked"
URL = re.compile(r"url\((?!data:)(?P<path>[^)\"']+)\)")
TOLD = 60  # words of a section that shows nothing
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}: slides</title>
<style>{styles}</style></head>
<body data-theme="light"><main>
{slides}
</main><script>{script}</script></body></html>
"""
ONE = """<article class="slide{first}" id="slide-{number}">
<div class="fit">{body}</div>
<footer><span>{title}</span><span>{number} / {count}</span></footer></article>"""


@dataclass
class Slide:
    """A heading, and what stands below it, as HTML."""

    heading: str
    parts: list[str] = field(default_factory=list)

    @property
    def html(self) -> str:
        """The slide's content."""
        return f"<h2>{self.heading}</h2>" + "\n".join(self.parts)


def slides(chapter: Chapter) -> Iterator[Slide]:
    """Yield the slides of a lesson; the answer to a prediction has its own.

    An exercise is shown without its answer, which the answer book has.
    """
    for tag in chapter.body.select(LEFT_OUT):
        tag.decompose()
    for link in chapter.body.select('a:not([href^="http"])'):
        link.unwrap()
    head = one(chapter.body, "h1, h2")
    top = one(chapter.body, ":has(> h1, > h2)")
    promise = one(top, "p").extract()
    yield Slide(head.decode_contents(), [str(promise)])
    yield from _of_section(top, head)
    for section in top.select("section"):
        if heading := section.select_one("h2, h3, h4, h5"):
            yield from _of_section(section, heading)


def _of_section(section: Tag, heading: Tag) -> Iterator[Slide]:
    """Yield a slide for each thing that a section shows, below what leads to it."""
    title, lead = heading.decode_contents(), list[str]()
    slide: Slide | None = None
    first = True
    for tag in section.find_all(recursive=False):
        if tag is heading or tag.name in ("section", "span"):
            continue
        if not tag.css.match(SHOWN):
            if slide:
                yield slide
                slide = None
            lead = [*lead, str(tag)] if first else [str(tag)]
            continue
        if not (slide and tag.css.match(OUTPUT) and _has_room(slide, tag)):
            if slide:
                yield slide
            slide, lead = Slide(title, lead[-1:]), []
        first = False
        answers = [answer.extract() for answer in tag.select(".answer")]
        piece, *more = _pieces(tag)
        slide.parts.append(piece)
        for piece in more:
            yield slide
            slide = Slide(title, [piece])
        if answers and "predict" in tag["class"]:
            yield slide
            slide = None
            yield from (Slide(title, [_opened(answer)]) for answer in answers)
    if slide:
        yield slide
    if first and lead:
        yield Slide(title, _few(lead))


def _has_room(slide: Slide, output: Tag) -> bool:
    """Tell whether an output stands with its code: a drawing only if that is short."""
    lines = slide.parts[-1].count("\n")
    if output.select(DRAWS):
        return lines <= SHORT
    return lines + output.get_text().count("\n") <= LONG


def _pieces(tag: Tag) -> Iterator[str]:
    """Yield code in pieces that are not long, parted at a blank line where one is near.

    Pygments closes its tags at the end of each line.
    """
    pre = tag.pre if tag.css.match(".highlight-Python, .doctest, .highlight") else None
    lines = pre.decode_contents().rstrip("\n").split("\n") if pre else []
    while pre and len(lines) > LONG:
        blank = [k for k in range(LONG // 2, LONG) if not lines[k].strip()]
        end = blank[-1] if blank else LONG
        yield _with_code(tag, pre, lines[:end])
        lines = lines[end:]
    yield _with_code(tag, pre, lines) if pre else str(tag)


def _with_code(tag: Tag, pre: Tag, lines: list[str]) -> str:
    text = "\n".join(lines).strip("\n")
    code = one(BeautifulSoup(f"<pre>{text}\n</pre>", "html.parser"), "pre")
    pre.clear()
    pre.extend([*code.contents])
    return str(tag)


def _opened(answer: Tag) -> str:
    """Return what an answer says; the words for mistakes stay in the book."""
    for tag in answer.select("summary, .wrong"):
        tag.decompose()
    return f'<p class="says">Answer</p>{answer.decode_contents()}'


def _few(paragraphs: list[str]) -> list[str]:
    """Return the paragraphs with which a section begins, the first in any case."""
    kept, words = list[str](), 0
    for paragraph in paragraphs:
        words += len(re.sub("<[^>]*>", "", paragraph).split())
        if kept and words > TOLD:
            break
        kept.append(paragraph)
    return kept


def show(book: Book, chapter: Chapter, site: Path) -> str:
    """Return the slides as one page, with all that it needs in it."""
    page = BeautifulSoup((site / "index.html").read_text("utf-8"), "html5lib")
    sheets = [str(link["href"]) for link in page.select('link[rel="stylesheet"]')]
    styles = [_with_fonts(site / sheet) for sheet in sheets]
    styles.append(HERE.with_suffix(".css").read_text("utf-8"))
    for image in chapter.body.select("img[src]"):
        image["src"] = _data(site / str(image["src"]))
    found = [*slides(chapter)]
    made = [
        ONE.format(
            number=number,
            first=" first" if number == 1 else "",
            count=len(found),
            title=escape(f"{book.title}: {chapter.title}"),
            body=slide.html,
        )
        for number, slide in enumerate(found, 1)
    ]
    return PAGE.format(
        title=escape(chapter.title),
        styles="\n".join(styles),
        slides="\n".join(made),
        script=HERE.with_suffix(".js").read_text("utf-8"),
    )


def _with_fonts(sheet: Path) -> str:
    """Return a style sheet that names no other file."""

    def inlined(match: re.Match[str]) -> str:
        return f"url({_data(sheet.parent / match['path'])})"

    return URL.sub(inlined, sheet.read_text("utf-8"))


def _data(path: Path) -> str:
    """Return a file as an address that holds it."""
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return f"data:{kind};base64,{b64encode(path.read_bytes()).decode()}"
