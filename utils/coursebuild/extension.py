"""The Sphinx extension that conf.py names: runs lessons, shows what they put out."""

from __future__ import annotations

import os
import shutil
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst.roles import math_role
from sphinx.application import Sphinx
from sphinx.config import Config

from coursebuild import (
    asks,
    boxes,
    doclinks,
    gallery,
    glossary,
    katex,
    marks,
    outline,
    pages,
    running,
    search,
    tags,
    walks,
)
from coursebuild.downloads import build_wheel
from coursebuild.reading import read_lessons
from courserun.freshness import Store
from courserun.lesson import Lesson, Run
from courserun.runner import LessonExecutor
from courserun.runs import Runs

__all__ = ["setup", "stop"]

MANY_PAGES = 100
# Kept here, since Sphinx tells its extensions nothing of a build that is broken off.
_executors: list[Executor] = []


def setup(app: Sphinx) -> dict[str, Any]:
    """Register everything; lessons start when the configuration is read."""
    app.add_config_value("execute_lessons", default=True, rebuild="env")
    app.add_role("law", law_role)
    app.connect("config-inited", _start)
    app.connect("builder-inited", _copy_drawing_style, priority=1)
    app.connect("html-page-context", _shorten_sidebar, priority=400)  # before furo
    app.connect("build-finished", _finish)
    parts = (asks, boxes, doclinks, glossary, katex, marks, outline, running)
    for part in (*parts, search, tags, walks):
        part.setup(app)
    return {"parallel_read_safe": False, "parallel_write_safe": True}


def law_role(*args: Any, **kwargs: Any) -> tuple[list[nodes.Node], list[Any]]:
    """Show a general law: mathematics with free symbols, which no run can check."""
    formulas, messages = math_role(*args, **kwargs)
    for formula in formulas:
        formula["classes"].append("law")
    return formulas, messages


def stop() -> None:
    """Kill the lessons that still run, and start no other: the build has ended."""
    while _executors:
        _executors.pop().shutdown(cancel_futures=True)


def _start(app: Sphinx, config: Config) -> None:
    root = Path(app.confdir)
    app.lesson_wheel = build_wheel(root, Path(app.outdir) / "wheel")
    app.lesson_runs = Runs(root, Store(root / "build" / ".runs"), read_lessons(root))
    if config.execute_lessons and app.lesson_runs.stale:
        _execute(app.lesson_runs)
    images = Path(app.outdir) / "_images"
    gallery.install(root, images, app.lesson_runs, [app.lesson_wheel])
    pages.install(Path(app.srcdir), images, app.lesson_runs)


def _execute(runs: Runs) -> None:
    """Start the lessons that nobody has run yet, and report each as it ends."""
    count = len(runs.stale)
    ended: list[Run] = []

    def report(run: Run) -> None:
        ended.append(run)
        how = "failed" if run.failure else f"{run.seconds:.1f} s"
        print(f"lesson {len(ended)}/{count}  {run.lesson}  {how}", flush=True)

    _executors.append(_executor([runs.lessons[name] for name in runs.stale]))
    runs.start(_executors[-1], report)


def _executor(lessons: list[Lesson]) -> Executor:
    """Return where lessons run: here, or on the cluster that CLUSTER names."""
    if address := os.environ.get("CLUSTER"):
        from courserun.cluster import ClusterExecutor  # distributed is optional

        return ClusterExecutor(address)
    return LessonExecutor(lessons=lessons)


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
    if len(app.env.found_docs) > MANY_PAGES and "toctree" in context:
        whole = context["toctree"]
        context["toctree"] = lambda **how: whole(**how | {"collapse": True})


def _finish(app: Sphinx, error: Exception | None) -> None:
    """Let no build end well while a lesson has not."""
    if error is None and app.config.execute_lessons:
        app.lesson_runs.finish()
