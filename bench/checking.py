"""Measure what checking costs: processor seconds of all lessons with and without it.

Each lesson runs in a process of its own, forked from one that has loaded what lessons
need, as in a build; the two ways take turns.  The whole is a clean build.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from building import BUILD, ROOT, project, took

from coursebuild.sources.reading import read_lessons
from courserun import cells, forkserver
from courserun.lesson import Lesson

TIMES = 3  # of which the fastest counts
MOST = 0.15  # of a clean build


class Silent:
    """A checker that looks at nothing."""

    def __init__(self, *_: object) -> None:
        """Take what a checker takes."""

    def read(self, *_: object) -> tuple[()]:
        """Find nothing."""
        return ()

    confirm = finish = read


def cost(lesson: Lesson, checker: Callable[..., object], folder: str) -> float:
    """Return the processor seconds of a lesson, run in a process in ``folder``."""
    before = _children()
    pid = os.fork()
    if not pid:
        code = 1
        try:
            os.chdir(folder)  # a lesson may write files
            cells.Checker = checker
            run = cells.run_cells(lesson)
            code = 1 if run.failure else 0
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    if status:
        raise SystemExit(f"{lesson.name} failed; `make doctest` says why")
    return _children() - before


def _children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    """Measure, print, and fail where checking takes more than it may."""
    os.environ |= forkserver.ENVIRONMENT
    checker = cells.Checker
    lessons = list(read_lessons(ROOT))
    for name in (*forkserver.PRELOAD, *forkserver.LATE):
        __import__(name)
    ways = [("checked", checker), ("unchecked", Silent)]
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        rounds = [
            {name: sum(cost(x, way, folder) for x in lessons) for name, way in ways}
            for _ in range(TIMES)
        ]
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        whole = took(BUILD, project(Path(folder))).work
    best = {name: min(turn[name] for turn in rounds) for name, _ in ways}
    checking = best["checked"] - best["unchecked"]
    for name, seconds in {**best, "checking": checking, "clean build": whole}.items():
        print(f"{name:<12}{seconds:7.2f} processor seconds  {seconds / whole:6.1%}")
    if checking > MOST * whole:
        sys.exit(f"Checking takes more than {MOST:.0%} of a clean build.")


if __name__ == "__main__":
    main()
