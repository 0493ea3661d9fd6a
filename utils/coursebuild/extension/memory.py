"""Let a build of many pages need little more memory than one of few.

A page's tree is a cycle, which a collection alone frees; and Sphinx resolves the trees
of pages faster than its processes write them, and would hold all that wait.
"""

from __future__ import annotations

import gc
from collections.abc import Set
from itertools import count

from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder

__all__ = ["setup"]

READ = 25  # pages, after which their trees are freed
GROUP = 50  # pages that may wait to be written


class _Builder(StandaloneHTMLBuilder):
    """Sphinx's own, which writes so many pages before it resolves the next."""

    def write_documents(self, docnames: Set[str]) -> None:
        """Write all pages, group by group."""
        names = sorted(docnames)
        for start in range(0, len(names), GROUP):
            if start:
                gc.collect()
            super().write_documents(set(names[start : start + GROUP]))


def setup(app: Sphinx) -> None:
    """Free what pages leave; what was there before is frozen, and costs nothing."""
    pages = count(1)

    def free(*_: object) -> None:
        if next(pages) % READ == 0:
            gc.collect()

    app.add_builder(_Builder, override=True)
    app.connect("env-before-read-docs", lambda *_: gc.freeze())
    app.connect("doctree-read", free)
