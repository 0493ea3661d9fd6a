"""What the course's lessons and pages say, read once for all tests of a process.

``make html`` has run them: what it has kept need not be run again.
"""

from functools import cache
from pathlib import Path

from coursebuild.sources.reading import read_lessons
from courserun.freshness import Store, lesson_keys
from courserun.lesson import Run

__all__ = ["LESSONS", "ROOT", "run_of"]

ROOT = Path(__file__).parents[1]
LESSONS = [*read_lessons(ROOT)]


def run_of(name: str) -> Run:
    """Return what the last build has kept of a lesson's run, as the lesson is now."""
    run = Store(ROOT / "build/.runs").get(_keys()[name])
    assert run, f"{name} has not run: make html"
    return run


@cache
def _keys() -> dict[str, str]:
    return lesson_keys(LESSONS, root=ROOT)
