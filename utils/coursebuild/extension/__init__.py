"""The Sphinx extension that conf.py names: runs lessons, shows what they put out."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst.roles import math_role
from sphinx.application import Sphinx
from sphinx.config import Config

from coursebuild import typeset
from coursebuild.downloads.portable import Place
from coursebuild.extension import (
    asks,
    boxes,
    checked,
    course,
    facts,
    glossary,
    header,
    judge,
    memory,
    modules,
    outline,
    plotting,
    python_links,
    quiz,
    search,
    signatures,
    walks,
)
from coursebuild.lessons import gallery, pages
from coursebuild.lessons.start import begin
from coursebuild.publishing import easy_links
from coursebuild.sources.beside import helpers
from coursebuild.state import State, remember, state
from courserun.kept import Kept

__all__ = ["setup"]

MANY_PAGES = 100
PARTS = [asks, boxes, python_links, glossary, judge, typeset, checked, outline, header]
PARTS += [easy_links, modules, search, facts, walks, course, quiz, plotting, signatures]
PARTS += [gallery, memory]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register everything; lessons start when the configuration is read, or before."""
    app.add_config_value("execute_lessons", default=True, rebuild="env")
    app.add_config_value("pages_key", default="", rebuild="", types=[str])
    app.add_role("law", law_role)
    app.connect("config-inited", _start)
    app.connect("builder-inited", _copy_drawing_style, priority=1)
    app.connect("html-page-context", _shorten_sidebar, priority=400)  # before furo
    app.connect("build-finished", _finish, priority=900)  # it raises: others come first
    for part in PARTS:
        part.setup(app)
    return {"parallel_read_safe": False, "parallel_write_safe": True}


def law_role(*args: Any, **kwargs: Any) -> tuple[list[nodes.Node], list[Any]]:
    """Show a general law: mathematics with free symbols, which no run can check."""
    formulas, messages = math_role(*args, **kwargs)
    for formula in formulas:
        if isinstance(formula, nodes.Element):  # no message
            formula["classes"].append("law")
    return formulas, messages


def _start(app: Sphinx, config: Config) -> None:
    root, out = Path(app.confdir), Path(app.outdir)
    course = begin(root, out, execute=config.execute_lessons)
    modules = sorted(path.name for d in root.glob("gallery/*/") for path in helpers(d))
    config.sphinx_gallery_conf["ignore_pattern"] = _any_of(modules)
    place = Place(docs=Path(app.srcdir), site=config.html_baseurl)
    images, made = out / "_images", Kept(root / "build" / ".lessons")
    key, warned = config.pages_key, lambda: app._warncount
    shelf = gallery.Shelf(made, course.files, key, warned)
    texts = gallery.install(root, images, course.runs, [course.wheel], place, shelf)
    remember(app, State(course.runs, course.wheel, (texts, made), course.files))
    pages.install(Path(app.srcdir), images, course.runs)


def _any_of(names: list[str]) -> str:
    """Return the pattern of some file names; it matches nothing where there are none.

    >>> _any_of(["a.py"]), _any_of([])
    ('^(?:a\\\\.py)$', '^(?:)$')
    """
    return f"^(?:{'|'.join(map(re.escape, names))})$"


def _copy_drawing_style(app: Sphinx) -> None:
    """Publish the style sheet that travels with the drawings' code."""
    target = Path(app.outdir) / "_static" / "drawing.css"
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(Path(app.confdir, "utils/torchutils/drawing.css"), target)
    app.add_css_file("drawing.css")


def _shorten_sidebar(
    app: Sphinx, _page: str, _template: str, context: dict[str, Any], _tree: object
) -> None:
    """Let a page of a large site name the lessons of its own level only.

    Else pages, time and memory grow with the square of the number of lessons.
    """
    if "toctree" in context:
        whole = context["toctree"]
        less = {"collapse": True} if len(app.env.found_docs) > MANY_PAGES else {}
        context["toctree"] = lambda **how: _plain(whole(**how | less))


def _plain(tree: str) -> str:
    """Let a caption be text: Sphinx calls it a heading, without a level.

    >>> _plain('<p class="caption" role="heading">')
    '<p class="caption">'
    """
    return tree.replace(' role="heading"', "")


def _finish(app: Sphinx, error: Exception | None) -> None:
    """Let no build end well while a lesson has not."""
    if error is None and app.config.execute_lessons:
        state(app).runs.finish()
        for kept in state(app).kept:
            kept.sweep()
