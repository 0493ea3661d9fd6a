"""Turn a lesson into a notebook of clean Markdown, with one call of pandoc."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pypandoc
from sphinx_gallery.py_source_parser import remove_config_comments

from coursecheck.questions import DIRECTIVE
from coursecheck.stated import Block

__all__ = ["blocks_with_hidden", "markdown", "notebook"]

FILTER = Path(__file__).with_suffix(".lua")
FORMAT = "commonmark+tex_math_dollars+pipe_tables+raw_html"
BOUNDARY = "lesson-block-boundary"
HIDDEN = re.compile(r"(?m)^[ \t]*#\s*sphinx_gallery_(?:start|end)_ignore[^\n]*\n?")
DOCTEST = re.compile(r"(?m)(?:^|(?<=\n\n))(?P<indent> *)>>> .*(?:\n(?P=indent)\S.*)*")


def notebook(blocks: Sequence[Any]) -> dict[str, Any]:
    """Return the notebook (nbformat 4) of a lesson's ``(kind, source, line)`` blocks.

    Every cell's id is its position, so that the same lesson gives the same bytes.
    """
    texts = iter(markdown([source for kind, source, _ in blocks if kind == "text"]))
    cells = [
        _cell(number, kind, source.strip() if kind == "code" else next(texts))
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
    kept = [(b.kind, _without_settings(b), b.line) for b in blocks]
    return [block for block in kept if block[0] == "text" or block[1].strip()]


def _without_settings(block: Block) -> str:
    if block.kind == "text":
        return block.source
    return remove_config_comments(HIDDEN.sub("", block.source))


def _cell(number: int, kind: str, source: str) -> dict[str, Any]:
    cell = {"id": f"cell-{number}", "metadata": {}, "source": source}
    if kind == "text":
        return {"cell_type": "markdown", **cell}
    return {"cell_type": "code", **cell, "execution_count": None, "outputs": []}


def markdown(texts: Sequence[str]) -> list[str]:
    r"""Convert the text blocks of one lesson from reStructuredText.

    They go through pandoc together: that is one process, and a link's target or
    a footnote may stand in another block.

    >>> markdown([r"The slope is :math:`2x`."])
    ['The slope is $2x$.']
    """
    texts = [DIRECTIVE.sub(_without_form, text) for text in texts]
    whole = f"\n\n{BOUNDARY}\n\n".join(DOCTEST.sub(_as_code_block, t) for t in texts)
    done = pypandoc.convert_text(
        whole,
        to=FORMAT,
        format="rst",
        filters=[str(FILTER)],
        extra_args=["--wrap=none"],
    )
    return [part.strip() for part in re.split(rf"(?m)^{BOUNDARY}$", done)]


def _without_form(match: re.Match[str]) -> str:
    """Leave out what a page asks for; name a wrong answer by its expression."""
    indent, expression = match["indent"], " ".join(match["argument"].split())
    if match["kind"] == "ask":
        return ""
    if match["kind"] == "wrong":
        return f"{indent}.. wrong::\n\n{indent}   If you found ``{expression}``:\n"
    return match[0]


def _as_code_block(match: re.Match[str]) -> str:
    """Frame a doctest; pandoc takes it for a paragraph."""
    indent = match["indent"]
    lines = "\n".join("   " + line for line in match[0].splitlines())
    return f"{indent}.. code-block:: python\n\n{lines}"
