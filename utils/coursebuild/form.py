"""Judge what is no matter of truth: a fault where a lesson is strict, else a note."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from coursebuild.prose import loose_numbers, reviewed, unused
from courserun.lesson import Lesson, Run

__all__ = ["faults", "review"]

_FIELDS = re.compile(r"^:[A-Z][\w ]*: \S", re.MULTILINE)


def review(
    root: Path,
    lessons: Iterable[Lesson],
    runs: Iterable[Run],
    *,
    whole: bool = True,
    state: bool = False,
) -> tuple[list[str], list[str]]:
    """Return the faults and the notes on some lessons that have run.

    Where these are the ``whole`` site, what the list of numbers holds for nothing is
    a fault, too.  With ``state``, a strict lesson has to state something.
    """
    lessons, allowed = list(lessons), reviewed(root)
    found = {run.lesson: run for run in runs}
    wrong = unused(lessons, allowed) if whole else []
    notes: list[str] = []
    for lesson in lessons:
        if lesson.name in found:
            notes += found[lesson.name].notes
        said = [*loose_numbers(lesson, allowed), *faults(lesson)]
        (wrong if lesson.strict else notes).extend(said)
        if lesson.name in found and not found[lesson.name].statements:
            (wrong if lesson.strict and state else notes).extend(_silent(lesson, whole))
    return wrong, notes


def faults(lesson: Lesson) -> Iterator[str]:
    """Yield what a script lacks that a reader of the site would miss."""
    if lesson.name.endswith(".py") and not _FIELDS.search(lesson.blocks[0].source):
        yield (
            f"{lesson.name}:1\n  has no field list: below the docstring's first words, "
            "write `:Level:`, `:Tags:` and what else the lesson says of itself"
        )


def _silent(lesson: Lesson, whole: bool) -> Iterator[str]:
    """Yield a message for a lesson, or a page that was named, without a statement."""
    if lesson.name.startswith("gallery/") or not whole:
        yield (
            f"{lesson.name}:1\n  states nothing to check: write what it computes as a "
            "formula (:math:`y = 28`) or as an example (>>> y)"
        )
