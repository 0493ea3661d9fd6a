"""Read lessons: gallery scripts, and MyST pages that execute or state something."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from myst_nb.core.read import read_myst_markdown_notebook
from sphinx_gallery.py_source_parser import split_code_and_text_blocks

from coursebuild.beside import files_of_page, files_of_script, scripts
from coursebuild.settings import settings
from coursecheck.stated import Block
from courserun.lesson import Lesson

MAGIC = re.compile(r"^%(?:matplotlib|config|load_ext|autoreload)\b.*", re.MULTILINE)
STATES = re.compile(r">>> |\$|\{(math|law|code-cell)\}")

__all__ = [
    "page_blocks",
    "read_lessons",
    "read_page",
    "read_script",
    "script_blocks",
    "without_magics",
]


def read_lessons(root: Path) -> Iterator[Lesson]:
    """Yield every lesson below ``root``: scripts, then pages that state something."""
    for path in scripts(root):
        yield read_script(path, root)
    for path in sorted(root.glob("docs/**/*.md")):
        if STATES.search(path.read_text(encoding="utf-8")):
            yield read_page(path, root)


def read_script(path: Path, root: Path) -> Lesson:
    """Read a gallery script.

    ``# sphinx_gallery_seconds = 120`` in it raises its time limit (in seconds),
    ``# sphinx_gallery_warns = ["non-leaf"]`` declares warnings that it shows.
    """
    config, blocks = split_code_and_text_blocks(str(path))
    return Lesson(
        name=path.relative_to(root).as_posix(),
        blocks=script_blocks(blocks),
        seconds=float(config.get("seconds", Lesson.seconds)),
        warns=tuple(config.get("warns", ())),
        files=files_of_script(path),
        **settings(path, root, config),
    )


def script_blocks(blocks: Iterable[Any]) -> tuple[Block, ...]:
    """Turn sphinx-gallery's blocks into ours."""
    return tuple(Block(b.type, b.content, b.lineno) for b in blocks)


def read_page(path: Path, root: Path) -> Lesson:
    """Read a MyST page, with code cells or without.

    ``lesson: {seconds: 120, warns: [...]}`` in its front matter does what the
    comments do in a script.
    """
    text = path.read_text(encoding="utf-8")
    notebook = read_myst_markdown_notebook(text, add_source_map=True, path=path)
    options = notebook.metadata.get("lesson", {})
    blocks = page_blocks(notebook, text)
    code = [block.source for block in blocks if block.kind == "code"]
    return Lesson(
        name=path.relative_to(root).as_posix(),
        blocks=blocks,
        files=files_of_page(path, code),
        markup="md",
        seconds=float(options.get("seconds", Lesson.seconds)),
        warns=tuple(options.get("warns", ())),
        **settings(path, root, options),
    )


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
