"""Turn a lesson into a notebook of clean Markdown, with one call of pandoc at most."""

from __future__ import annotations

import base64
import json
import mimetypes
import re
from collections.abc import Iterable, Sequence
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pypandoc
from sphinx_gallery.py_source_parser import remove_config_comments

from coursebuild.downloads.portable import Place, portable
from coursecheck.stated import Block
from courserun.kept import Kept

__all__ = ["NOWHERE", "blocks_with_hidden", "markdown", "notebook"]

FILTER = Path(__file__).with_suffix(".lua")
FORMAT = "commonmark+tex_math_dollars+pipe_tables+raw_html"
BOUNDARY = "lesson-block-boundary"
IMAGE = re.compile(r"(?P<before>!\[[^\]]*\]\()(?P<path>[^)\s:]+)\)")
READS = re.compile(r":file:|include::")  # other files, which no key knows
NOWHERE = Place()


def notebook(
    blocks: Sequence[Any], place: Place = NOWHERE, kept: Kept | None = None
) -> dict[str, Any]:
    """Return the notebook (nbformat 4) of a lesson's ``(kind, source, line)`` blocks.

    Every cell's id is its position, so that the same lesson gives the same bytes.
    ``kept`` remembers what pandoc made of its texts.
    """
    sources = [source for kind, source, _ in blocks if kind == "text"]
    texts = iter(markdown(sources, place, kept))
    cells = [
        _code(number, source) if kind == "code" else _text(number, next(texts), place)
        for number, (kind, source, _) in enumerate(blocks)
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def blocks_with_hidden(blocks: Iterable[Block]) -> list[tuple[str, str, int]]:
    """Return a lesson's blocks as a notebook has them: with what its page hides.

    Only the comments that say so go, and other settings, and cells of these alone.

    >>> code = "# sphinx_gallery_start_ignore\\nx = 1\\n# sphinx_gallery_end_ignore\\nx"
    >>> blocks_with_hidden([Block("code", code, 1)])
    [('code', 'x = 1\\nx', 1)]
    """
    kept = [(b.kind, remove_config_comments(b.source), b.line) for b in blocks]
    return [block for block in kept if block[0] == "text" or block[1].strip()]


def _code(number: int, source: str) -> dict[str, Any]:
    cell = {"id": f"cell-{number}", "metadata": {}, "source": source.strip()}
    return {"cell_type": "code", **cell, "execution_count": None, "outputs": []}


def _text(number: int, source: str, place: Place) -> dict[str, Any]:
    """Make a cell of text, in which the pictures of the site travel along."""
    attached: dict[str, dict[str, str]] = {}

    def attach(match: re.Match[str]) -> str:
        path = place.path(match["path"])
        if not path.is_file():
            return match[0]
        mime = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        data = base64.b64encode(path.read_bytes()).decode()
        attached[path.name] = {mime: data}
        return f"{match['before']}attachment:{quote(path.name)})"

    text = IMAGE.sub(attach, source)
    cell = {"id": f"cell-{number}", "metadata": {}, "source": text}
    cell |= {"attachments": attached} if attached else {}
    return {"cell_type": "markdown", **cell}


def markdown(
    texts: Sequence[str], place: Place = NOWHERE, kept: Kept | None = None
) -> list[str]:
    r"""Convert the text blocks of one lesson from reStructuredText.

    They go through pandoc together: that is one process, and a link's target or
    a footnote may stand in another block.

    >>> markdown([r"The slope is :math:`2x`."])
    ['The slope is $2x$.']
    """
    whole = f"\n\n{BOUNDARY}\n\n".join(portable(texts, place))
    parts = _converted(whole, kept)
    if len(parts) != len(texts):  # markup that is open goes on over a boundary
        own = portable(texts, place)
        return [part for text in own for part in _converted(text, kept)[:1]]
    return parts


def _converted(text: str, kept: Kept | None) -> list[str]:
    if kept and not READS.search(text):
        done = kept.made(_key(text), lambda: _pandoc(text))
    else:
        done = _pandoc(text)
    return [part.strip() for part in re.split(rf"(?m)^{BOUNDARY}$", done)]


def _key(text: str) -> str:
    """Digest all that pandoc's answer depends on."""
    return sha256(json.dumps([*_converter(), FORMAT, text]).encode()).hexdigest()


@cache  # to look a version up takes longer than all else here
def _converter() -> tuple[str, str]:
    return version("pypandoc_binary"), FILTER.read_text(encoding="utf-8")


def _pandoc(text: str) -> str:
    done: str = pypandoc.convert_text(
        text,
        to=FORMAT,
        format="rst",
        filters=[str(FILTER)],
        extra_args=["--wrap=none", "--quiet"],
    )
    return done
