"""Read lessons: gallery scripts, and pages that execute or state something."""

from __future__ import annotations

import ast
import io
import logging
import os
import re
import tokenize
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import nbformat
from myst_nb.core.read import MystMetadataParsingError, read_myst_markdown_notebook
from sphinx_gallery.py_source_parser import split_code_and_text_blocks

from coursebuild.sources.beside import TITLE, files_of_page, files_of_script, scripts
from coursebuild.sources.docnames import CELL, header_of, page_of, pages
from coursebuild.sources.door import (
    Said,
    misplaced,
    misset,
    read_source,
    said_in_page,
    said_in_script,
    untitled,
)
from coursebuild.sources.settings import settings
from coursecheck.stated import Block
from courserun.kept import Kept, Memory
from courserun.lesson import Lesson
from courserun.runs import LessonError

logging.getLogger("sphinx.sphinx-gallery").addFilter(  # ``door`` says where, too
    lambda record: getattr(record, "subtype", "") != "file_conf"
)
MAGIC = re.compile(r"^%(?:matplotlib|config|load_ext|autoreload)\b.*", re.MULTILINE)
PATIENCE = 300.0  # seconds that an easy lesson has where it does not say
STATES = re.compile(
    r">>> |\$|\bmath\b|\blaw\b|mystnb|eval-rst|\binclude\b|\\(?:begin\{|[(\[])",
    re.IGNORECASE,
)
NOTHING = Memory(None)
_EATEN = re.compile(r"(?<!\\)(?:\\\\)*(\\[abfnrtvxuUN0-7])")
_BEFORE = tokenize.COMMENT, tokenize.NL, tokenize.ENCODING
_INCLUDE = {
    "rst": re.compile(
        r"^[ ]*\.\.[ ]+include[ ]?::[ ]*(?P<path>\S+)[ ]*$"
        r"(?P<options>(?:\n[ ]+:[\w-]+:.*)*)",
        re.MULTILINE,
    ),
    "md": re.compile(
        r"^[ ]*[`~:]{3,}\{include\}[ ]*(?P<path>\S+)[ ]*$"
        r"(?P<options>(?:\n[ ]*:[\w-]+:.*)*)",
        re.MULTILINE,
    ),
}

__all__ = [
    "page_blocks",
    "read_lessons",
    "read_notebook",
    "read_page",
    "read_script",
    "read_text",
    "script_blocks",
    "without_magics",
]


def read_lessons(root: Path, kept: Kept | None = None) -> Iterator[Lesson]:
    """Yield every lesson below ``root``: scripts, then texts that state something.

    What is wrong with a file, and where it lies, is among the ``faults`` of its lesson.
    The blocks of texts are ``kept``.
    """
    lock = root / "requirements.lock"  # which packages read
    known = Memory(kept, Path(__file__).parent, *([lock] if lock.exists() else []))
    astray = dict([*_deep(root), *misplaced(root, scripts(root))])
    for path in sorted({*scripts(root), *astray}):
        lesson = _read(partial(read_script, known=known), path, root)
        faults = [astray[path]] if path in astray else []
        faults += [fault for fault in lesson.faults if fault not in faults]
        blocks = () if path in astray else lesson.blocks
        yield replace(lesson, blocks=blocks, faults=tuple(faults))
    folders = (root / "gallery", *sorted(root.glob("gallery/*/")))
    headers = (root / header_of(folder, root) for folder in folders)
    for path in [*headers, *pages(root, ".rst")]:
        if path.exists() and _states(path):
            yield _read(read_text, path, root)
    for path in pages(root, ".md"):
        if _states(path):
            yield _read(partial(read_page, known=known), path, root)
    for path in pages(root, ".ipynb"):
        yield _read(read_notebook, path, root)
    known.keep()


def _deep(root: Path) -> Iterator[tuple[Path, str]]:
    """Yield the lessons that lie so deep that no page would show them, and why."""
    for path in sorted(root.glob("gallery/*/*/**/*.py")):
        if _is_lesson(path):
            name, level = path.relative_to(root), path.relative_to(root).parts[1]
            why = (
                f"{name.as_posix()}:1\n  lies two folders deep, where no page shows"
                f" it: move it to gallery/{level}/, or make a level of its folder"
            )
            yield path, why


def _states(path: Path) -> bool:
    """Tell whether a text may state something, or is no UTF-8, which will be told."""
    text = path.read_text("utf-8", "replace")
    return "\ufffd" in text or bool(STATES.search(text))


def _read(read: Callable[[Path, Path], Lesson], path: Path, root: Path) -> Lesson:
    """Read a source; one that cannot be read is a lesson of faults alone."""
    try:
        return read(path, root)
    except LessonError as error:
        name = path.relative_to(root).as_posix()
        return Lesson(name, (), faults=(str(error),))


def _is_lesson(path: Path) -> bool:
    with suppress(SyntaxError, ValueError):  # no title either
        tree = ast.parse(path.read_bytes())
        return bool(TITLE.search(ast.get_docstring(tree) or ""))
    return False


def read_text(path: Path, root: Path) -> Lesson:
    """Read a page in reStructuredText, or the header of a level."""
    block = Block("text", read_source(path, root), 1)
    return _with_included(
        Lesson(path.relative_to(root).as_posix(), (block,), **settings(path, root, {})),
        root,
    )


def read_script(path: Path, root: Path, known: Memory = NOTHING) -> Lesson:
    """Read a gallery script.

    ``# sphinx_gallery_seconds = 120`` in it raises its time limit (in seconds),
    ``# sphinx_gallery_warns = ["non-leaf"]`` declares warnings that it shows.
    """
    name, text = path.relative_to(root).as_posix(), read_source(path, root)

    def split() -> tuple[Block, ...]:
        if why := untitled(path, root, text):
            raise LessonError(why)
        _refuse_eaten(path, root)
        return script_blocks(split_code_and_text_blocks(str(path))[1])

    blocks = known.of(("script", name, text), split)
    said, faults = said_in_script(name, text)
    lesson = Lesson(
        name=name,
        blocks=blocks,
        files=files_of_script(path),
        **_options(path, root, said, faults, "sphinx_gallery_"),
    )
    return _with_included(lesson, root)


def _options(
    path: Path, root: Path, said: Said, faults: Sequence[str] = (), prefix: str = ""
) -> dict[str, Any]:
    """Return what a lesson says of itself, and what is wrong there, as options."""
    wrong = misset(path.relative_to(root).as_posix(), said, prefix)
    own = {name: value for name, (value, _) in said.items() if name not in wrong}
    form = settings(path, root, own)
    seconds = Lesson.seconds if form["strict"] else PATIENCE
    return {
        "seconds": float(own.get("seconds", seconds)),
        "warns": tuple(own.get("warns", ())),
        "faults": (*faults, *wrong.values()),
        **form,
    }


def _refuse_eaten(path: Path, root: Path) -> None:
    r"""Refuse a docstring in which Python has read ``\theta`` as a tab and "heta"."""
    source = read_source(path, root)
    with suppress(SyntaxError, tokenize.TokenError):  # the runner will say so
        tokens = tokenize.generate_tokens(io.StringIO(source).readline)
        first = next(t for t in tokens if t.type not in _BEFORE)
        text = first.string if first.type == tokenize.STRING else ""
        raw = re.match(r"[a-z]*r", text, re.IGNORECASE)
        if not raw and (eaten := _EATEN.search(text)):
            line = first.start[0] + text.count("\n", 0, eaten.start(1))
            raise LessonError(
                f"{path.relative_to(root).as_posix()}:{line}\n  Python does not read"
                f" {eaten[1]} as it stands in this docstring: begin the docstring"
                ' with r""" (r for raw)'
            )


def _with_included(lesson: Lesson, root: Path) -> Lesson:
    """Add the texts that a lesson's texts include, as its page does."""
    docname = PurePosixPath(page_of(lesson.name))
    folder = root / "docs" / docname.parent
    blocks = (
        replace(b, included=tuple(_included(b, folder, lesson.markup, root)))
        if b.kind == "text"
        else b
        for b in lesson.blocks
    )
    return replace(lesson, blocks=tuple(blocks))


def _included(block: Block, folder: Path, markup: str, root: Path) -> Iterator[Block]:
    for match in _INCLUDE[markup].finditer(block.source):
        options = dict(re.findall(r":([\w-]+):[ ]*(.*)", match["options"]))
        base = root / "docs" if match["path"].startswith("/") else folder
        path = Path(os.path.normpath(base / match["path"].removeprefix("/")))
        if options.keys() & {"literal", "code"} or not path.is_file():
            continue  # shown as it is; Sphinx says what is missing
        text = read_source(path, root)
        first, last = _part(text, options)
        file = path.relative_to(root).as_posix() if path.is_relative_to(root) else path
        part = Block(
            "text",
            text[first:last],
            text.count("\n", 0, first) + 1,
            file=str(file),
        )
        yield part
        yield from _included(part, path.parent, markup, root)


def _part(text: str, options: Mapping[str, str]) -> tuple[int, int]:
    """Return from where to where a text is included."""
    lines = text.splitlines(keepends=True)
    limits = (options.get(name) for name in ("start-line", "end-line"))
    kept = range(len(lines))[slice(*(int(n) if n else None for n in limits))]
    first, last = (sum(map(len, lines[:n])) for n in (kept.start, kept.stop))
    if mark := options.get("start-after"):
        first = text.find(mark, first) + len(mark)
    if (mark := options.get("end-before")) and (at := text.find(mark, first)) >= 0:
        last = at
    return first, last


def script_blocks(blocks: Iterable[Any]) -> tuple[Block, ...]:
    """Turn sphinx-gallery's blocks into ours."""
    return tuple(Block(b.type, b.content, b.lineno) for b in blocks)


def read_page(path: Path, root: Path, known: Memory = NOTHING) -> Lesson:
    """Read a MyST page, with code cells or without.

    ``lesson: {seconds: 120, warns: [...]}`` in its front matter does what the
    comments do in a script.
    """
    name, text = path.relative_to(root).as_posix(), read_source(path, root)

    def split() -> tuple[tuple[Block, ...], Said]:
        try:
            notebook = read_myst_markdown_notebook(text, add_source_map=True, path=path)
        except MystMetadataParsingError as error:
            found = re.search(r"line (\d+)", str(error))
            raise LessonError(
                f"{name}:{found[1] if found else 1}\n  {error}\n  (what stands behind"
                " +++ or atop a cell is no text: it is the metadata of a cell,"
                ' {"tags": []})'
            ) from error
        return page_blocks(notebook, text), said_in_page(notebook.metadata, text)

    loads = ":load:" in text  # a cell from a file, which may have changed
    blocks, said = split() if loads else known.of(("page", name, text), split)
    code = [block.source for block in blocks if block.kind == "code"]
    lesson = Lesson(
        name=name,
        blocks=blocks,
        files=files_of_page(path, code),
        markup="md",
        **_options(path, root, said),
    )
    return _with_included(lesson, root)


def read_notebook(path: Path, root: Path) -> Lesson:
    """Read a notebook as a page; what it has stored of older runs counts for nothing.

    ``lesson`` in its metadata does what it does in a page's front matter.

    Raises:
        LessonError: it is no notebook, or none of Python's.
    """
    name, text = path.relative_to(root).as_posix(), read_source(path, root)
    try:
        notebook = nbformat.reads(text, as_version=4)
    except Exception as error:
        why = str(error).partition("\n")[0][:200]
        raise LessonError(
            f"{name}:1\n  cannot be read as a notebook: open it in Jupyter and save it"
            f" again, or give the file another name\n  ({why})"
        ) from error
    data = notebook.metadata
    language = data.get("kernelspec", {}).get("language", "python")
    if language != "python":
        raise LessonError(
            f"{name}:1\n  is a notebook in {language}, and only Python runs here:"
            " choose a Python kernel in Jupyter and save it"
        )
    blocks = tuple(_cell_block(*cell) for cell in enumerate(notebook.cells, 1))
    lesson = Lesson(
        name=name,
        blocks=blocks,
        files=files_of_page(path, [b.source for b in blocks if b.kind == "code"]),
        markup="md",
        **_options(path, root, said_in_page(data)),
    )
    return _with_included(lesson, root)


def _cell_block(number: int, cell: Any) -> Block:
    """Return a notebook's cell, at the line that myst-nb says for it."""
    line, tags = number * CELL + 1, tuple(cell.metadata.get("tags", ()))
    if cell.cell_type == "code":
        return Block("code", without_magics(cell.source), line, tags)
    return Block("text", cell.source if cell.cell_type == "markdown" else "", line)


def page_blocks(notebook: Any, text: str) -> tuple[Block, ...]:
    """Turn a notebook's cells into blocks, with the lines where they stand."""
    lines = text.splitlines()
    starts = notebook.metadata["source_map"]
    return tuple(
        Block(
            "code" if cell.cell_type == "code" else "text",
            without_magics(cell.source) if cell.cell_type == "code" else cell.source,
            _first_line(cell.source, lines, start),
            tuple(cell.metadata.get("tags", ())),
        )
        for cell, start in zip(notebook.cells, starts, strict=True)
    )


def without_magics(code: str) -> str:
    """Make comments of the lines that tell a notebook how to look.

    >>> without_magics("%matplotlib inline\\nx = 5 %2")
    '#%matplotlib inline\\nx = 5 %2'
    """
    return MAGIC.sub(r"#\g<0>", code)


def _first_line(source: str, lines: list[str], start: int) -> int:
    """Return the 1-based line of ``source``'s beginning, at or after ``start``.

    myst-nb reports where a cell's fence or its blank lines begin.
    """
    first = source.split("\n", 1)[0]
    while start < len(lines) and lines[start] != first:
        start += 1
    return start + 1
