"""Let a build of many pages need little more memory than one of few.

A page's tree is a cycle, which a collection alone frees; and Sphinx resolves the trees
of pages faster than its processes write them, and would hold all that wait.
"""

from __future__ import annotations

import gc
from collections.abc import Set
from itertools import count
from typing import Any

from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.environment import BuildEnvironment

__all__ = ["setup"]

HELD = 25  # pages that Sphinx may hold between reading and writing them
READ = 25  # pages, after which their trees are freed
GROUP = 50  # pages that may wait to be written


class _Few(dict[str, Any]):
    """So many pages: Sphinx would hold all, and reads the others from their files."""

    def __setitem__(self, page: str, tree: Any) -> None:
        """Take a page, while there is room."""
        if len(self) < HELD:
            super().__setitem__(page, tree)


class _Builder(StandaloneHTMLBuilder):
    """Sphinx's own, which writes so many pages before it resolves the next."""

    def write_documents(self, docnames: Set[str]) -> None:
        """Write all pages, group by group."""
        names = sorted(docnames)
        for start in range(0, len(names), GROUP):
            super().write_documents(set(names[start : start + GROUP]))
            if len(names) > GROUP:
                gc.collect()


def setup(app: Sphinx) -> None:
    """Free what pages leave; what was there before is frozen, and costs nothing."""
    pages = count(1)

    def free(*_: object) -> None:
        if next(pages) % READ == 0:
            gc.collect()

    app.add_builder(_Builder, override=True)
    app.connect("env-before-read-docs", _begin)
    app.connect("doctree-read", free)


def _begin(_app: Sphinx, env: BuildEnvironment, _names: list[str]) -> None:
    env._pickled_doctree_cache, env._write_doc_doctree_cache = _Few(), _Few()
    gc.freeze()
