"""Start what a build executes, before Sphinx is loaded: lessons run meanwhile."""

from __future__ import annotations

import os
from concurrent.futures import Executor
from pathlib import Path
from typing import NamedTuple

from coursebuild.downloads.archives import build_wheel
from coursebuild.sources.reading import read_lessons
from courserun.freshness import Store
from courserun.kept import Files, Kept
from courserun.lesson import Lesson, Run
from courserun.runner import LessonExecutor, stop_servers
from courserun.runs import Runs

__all__ = ["Course", "begin", "stop"]


class Course(NamedTuple):
    """The lessons of one build, the package that readers take away, what files were."""

    runs: Runs
    wheel: Path
    files: Files


# Kept here, since Sphinx tells its extensions nothing of a build that is broken off.
_executors: list[Executor] = []
_begun: dict[Path, Course] = {}


def begin(root: Path, out: Path, *, execute: bool) -> Course:
    """Build the wheel into ``out``, and start the lessons that nobody has run yet.

    What has begun is returned: `make html` asks first, and then our extension.
    """
    out = out.resolve()  # as Sphinx names it
    if out not in _begun:
        store, said = Store(root / "build/.runs"), Kept(root / "build/.code")
        wheel = build_wheel(root, out / "wheel", said)
        runs = Runs(root, store, read_lessons(root, said), said)
        if execute and runs.stale:
            _execute(runs)
        else:
            stop_servers()  # no lesson runs
        _begun[out] = Course(runs, wheel, Files(root / "build/.files"))
    return _begun[out]


def stop() -> None:
    """Kill the lessons that still run, and start no other: the build has ended."""
    _begun.clear()
    while _executors:
        _executors.pop().shutdown(cancel_futures=True)
    stop_servers()


def _execute(runs: Runs) -> None:
    """Start lessons, and report each as it ends."""
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
