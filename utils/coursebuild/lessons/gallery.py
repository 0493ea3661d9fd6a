"""Let sphinx-gallery make the pages, with outputs that our runner produced.

Five of its functions and one template are replaced by name; its version is
pinned exactly, and a test fails when a replacement no longer applies.  What it has
made of a lesson is kept, and put in place while nothing changes that it was made from.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from textwrap import indent
from typing import Any

import sphinx_gallery
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx_gallery import backreferences, gen_gallery, gen_rst

from coursebuild.downloads.archives import write_zip
from coursebuild.downloads.notebooks import NOWHERE, blocks_with_hidden, notebook
from coursebuild.downloads.portable import Place
from coursebuild.lessons.outputs import output_html, write_pictures
from coursebuild.sources.docnames import page_of
from courserun.figures import LARGEST_CARD
from courserun.kept import Files, Kept
from courserun.lesson import Lesson, Output, Part, Picture
from courserun.runs import Runs

__all__ = ["KNOWN_VERSION", "Shelf", "card", "install", "setup"]

logger = logging.getLogger(__name__)
KNOWN_VERSION = "0.22.1"
_generate = gen_rst.generate_file_rst
_NUMBER = "sphinx_gallery_thumbnail_number"
CARD = """
.. lesson-card::

   /{thumbnail}
   {doc_name}
   <p>{intro}</p>

"""
ROOM = (320, 144)  # the room for a picture, in pixels
STEP = 18  # between two lines of a drawing; who asks torchutils for it loads torch
_SIZE = re.compile(r'width="\d+" height="\d+" viewBox="(-?\d+) (-?\d+) (\d+) (\d+)"')
_LEGEND = re.compile(r'<g class="ag-legend">.*?</g>')
_ROW = re.compile(r'<text x="[^"]*" y="([^"]*)"')
DRAWING = re.compile(r"<svg\b.*?</svg>", re.DOTALL)


class LessonCard(SphinxDirective):
    """A lesson's card: its picture, its link, the HTML of its first words.

    As directives within a directive they were a sixth of what an edit computed in a
    site of a hundred lessons: docutils makes a state machine for each.
    """

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return the card of what stands in three lines."""
        picture, docname, *words = self.content
        link, _ = self.parse_inline(f":doc:`{docname}`")
        parts: list[nodes.Element] = [
            nodes.image("", alt="", uri=picture),
            nodes.paragraph("", "", *link),
            nodes.raw("", "\n".join(words), format="html"),
        ]
        card = nodes.container("", *parts, classes=["lesson-card"])
        for node in card, *parts:
            self.set_source_info(node)
        return [card]


@dataclass(frozen=True)
class Shelf:
    """What sphinx-gallery has made of lessons: results, and ``files`` by digests.

    ``key`` is of all that is no source of a page: "" keeps nothing.  ``warned`` says
    how often Sphinx has warned: what brings a warning is made again, to say the same.
    """

    kept: Kept
    files: Files
    key: str = ""
    warned: Callable[[], int] = int


def install(
    root: Path,
    images: Path,
    runs: Runs,
    extras: list[Path],
    place: Place = NOWHERE,
    shelf: Shelf | None = None,
) -> Kept:
    """Replace what sphinx-gallery executes and what it packs.

    What is returned remembers the texts of notebooks, to be swept after the build.
    ``shelf`` holds what has been made of lessons.

    ``images`` is the folder for pictures; ``extras`` go into each lesson's zip;
    ``place`` says where docs and site are.

    Raises:
        RuntimeError: another version of sphinx-gallery is installed.
    """
    if sphinx_gallery.__version__ != KNOWN_VERSION:
        raise RuntimeError(
            f"sphinx-gallery {sphinx_gallery.__version__} is installed, but its hooks "
            f"are known for {KNOWN_VERSION} only: run `make html`, which installs it."
        )

    kept = Kept(root / "build" / ".notebooks")
    lesson = Lesson("", ())  # the one that sphinx-gallery is at

    def execute_script(
        blocks: list[Any], script: dict[str, Any], _conf: object, own: dict[str, Any]
    ) -> tuple[list[str], float]:
        nonlocal lesson
        name = Path(script["src_file"]).relative_to(root).as_posix()
        run = runs[name]
        lesson = runs.lessons[name]
        _lay_beside(Path(script["target_file"]).parent, lesson)
        outputs = run.outputs if run else (None,) * len(blocks)
        wanted = own.pop("thumbnail_number", None)  # else the first file is no first
        try:
            chosen = card(outputs, wanted if run else None)
        except ValueError as error:
            place = f"{name}:{_line_of_number(script)}"
            logger.warning("%s", error, location=place, type="form")
            chosen = card(outputs)
        if chosen:
            path = Path(script["image_path_iterator"].next())
            path.with_suffix(chosen[0]).write_bytes(chosen[1])
        script |= {"memory_delta": 0.0, "example_globals": {}}
        link = "../" * name.count("/") + images.name
        shown = [_output_rst(output, images, link) for output in outputs]
        if shown[-1]:  # a hidden last cell would go, with what it shows
            blocks.append(blocks[-1]._replace(type="text", content="\n"))
            shown.append("")
        return shown, 0.0

    def jupyter_notebook(*_: object) -> dict[str, Any]:
        docname = page_of(lesson.name).removesuffix(".html")
        own = place._replace(docname=docname)
        return notebook(blocks_with_hidden(lesson.blocks), own, kept)

    def zip_files(files: list[str], target: Path, *_: object) -> str:
        return write_zip(Path(target), [*map(Path, files), *extras], lesson.files)

    def generate(file: str, target: Path, source: Path, conf: Any) -> Any:
        nonlocal lesson
        lesson = runs.lessons[Path(source, file).relative_to(root).as_posix()]
        run, make = runs[lesson.name], partial(_generate, file, target, source, conf)
        if not (shelf and shelf.key and run):
            return make()
        own = Path(source, file).read_bytes(), replace(lesson, files=())
        what = shelf.key, place, runs.key(lesson.name), own
        key = sha256(repr(what).encode()).hexdigest()
        data = shelf.kept.read(key)
        result, files = pickle.loads(data) if data else (None, {})
        if not data or not all(map(shelf.files.holds, files.values())):
            return _kept(make, Path(target), shelf, key)
        _lay_beside(Path(target), lesson)
        for output in run.outputs:
            write_pictures(output, images)
        for name, digest in files.items():
            shelf.files.give(digest, f"{target}/{name}")
        return result

    backreferences.THUMBNAIL_TEMPLATE = CARD
    gen_rst.generate_file_rst = generate
    gen_rst.execute_script = execute_script
    gen_rst.zip_files = zip_files
    gen_rst.jupyter_notebook = jupyter_notebook
    return kept


def setup(app: Sphinx) -> None:
    """Let sphinx-gallery not load matplotlib, and not read each script once more."""
    app.add_directive("lesson-card", LessonCard)
    gen_gallery._import_matplotlib = lambda: None
    gen_rst._split_parallel = lambda scripts, *_: (scripts, [])


def _kept(make: Callable[[], Any], folder: Path, shelf: Shelf, key: str) -> Any:
    """Make what belongs to a lesson, and keep it with the files that are new then."""
    before, warned = {*folder.rglob("*")}, shelf.warned()
    result = make()
    new = [path for path in {*folder.rglob("*")} - before if path.is_file()]
    if shelf.warned() == warned:
        take = shelf.files.take
        files = {p.relative_to(folder).as_posix(): take(p) for p in sorted(new)}
        shelf.kept.write(key, pickle.dumps((result, files)))
    return result


def _lay_beside(folder: Path, lesson: Lesson) -> None:
    """Put beside a lesson's page what lies beside the lesson and its text includes."""
    text = "\n".join(block.source for block in lesson.blocks)
    for name, data in lesson.files:
        if f"include:: {name}\n" in text:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)


def _line_of_number(script: dict[str, Any]) -> int:
    text, _, _ = Path(script["src_file"]).read_text("utf-8").partition(_NUMBER)
    return text.count("\n") + 1


def _output_rst(output: Output | None, images: Path, link: str) -> str:
    html = output_html(output, images, link) if output else ""
    return f".. raw:: html\n\n{indent(html, '   ')}\n\n" if html else ""


def card(
    outputs: Iterable[Output | None], number: object = None
) -> tuple[str, bytes] | None:
    """Return what the lesson's card shows, with its suffix: a small picture.

    That is the first of its pictures and graphs that is small enough, or the one
    with the ``number`` that the lesson names, from 1, or from -1 at the end.

    Raises:
        ValueError: there is no such picture, or it is too large.
    """
    parts = [part for output in outputs if output for part in output.parts]
    cards = [found for part in parts if (found := _small(part))]
    if number is None:
        return next((c for c in cards if len(c[1]) <= LARGEST_CARD), None)
    known = [*range(-len(cards), 0), *range(1, len(cards) + 1)]
    if not isinstance(number, int) or number not in known:
        raise ValueError(
            f"{_NUMBER} = {number!r}, but the lesson shows "
            f"{len(cards)} pictures: 1 is the first, -1 the last"
        )
    chosen = cards[number - (number > 0)]
    if len(chosen[1]) > LARGEST_CARD:
        raise ValueError(
            f"{_NUMBER} = {number} is a drawing of "
            f"{len(chosen[1]):,} bytes: name one below {LARGEST_CARD:,}"
        )
    return chosen


def _small(part: Part) -> tuple[str, bytes] | None:
    if isinstance(part, Picture):
        return (".png", part.small) if part.small else (part.suffix, part.light)
    drawing = DRAWING.search(part.source) if part.kind == "html" else None
    return (".svg", excerpt(drawing[0]).encode()) if drawing else None


def excerpt(svg: str) -> str:
    """Return of a large drawing the part for which a card has room, to be read there.

    A plot is seen as a whole: the card makes it smaller.  A legend that would be cut is
    left out, with its rows.

    >>> excerpt('<svg width="678" height="90" viewBox="-8 -8 700 100">')
    '<svg width="320" height="100" viewBox="-8 -8 320 100">'
    >>> excerpt('<svg class="mv-svg" width="320" height="233">')
    '<svg class="mv-svg" width="320" height="233">'
    """
    size = _SIZE.search(svg)
    if not size or 'class="mv-svg"' in svg:
        return svg
    left, top, width, height = map(int, size.groups())
    legend = _LEGEND.search(svg)
    if legend and (width > ROOM[0] or height > ROOM[1]):
        height -= STEP * (1 + len(set(_ROW.findall(legend[0]))))
        svg = svg.replace(legend[0], "")
    width, height = min(width, ROOM[0]), min(height, ROOM[1])
    place = f'viewBox="{left} {top} {width} {height}"'
    return _SIZE.sub(f'width="{width}" height="{height}" {place}', svg, count=1)
