"""Check what texts state, without building pages; falsify it, to check the check."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from io import StringIO
from pathlib import Path
from types import ModuleType
from typing import Any

from coursebuild.commands.html import SiteError, told
from coursebuild.sources.reading import read_lessons
from coursebuild.texts.claims import review_claims
from coursebuild.texts.form import review
from coursebuild.texts.loose_numbers import is_reviewed, numbers, reviewed
from coursecheck.doctests import OutputChecker
from coursecheck.mutate import next_digit
from coursecheck.stated import Statement, StatementKind
from courserun.lesson import Lesson, Run
from courserun.runner import LessonExecutor, run_lesson

__all__ = ["confirm", "docstring_examples", "judged", "mutate", "run_statements"]

PACKAGES = "torchutils", "coursecheck", "courserun", "coursebuild"
LEDGER = "docs/ledger.md"
ENOUGH = 0.99  # of the mutants have to be refused
_HOURS = 3600.0  # seconds: a lesson with all its mutants takes up to a minute
_EXPLAINED = re.compile(r"^- `(?P<name>[^`]+)`: `(?P<text>[^`]+)`", re.MULTILINE)


def confirm(
    root: Path,
    names: Sequence[str] = (),
    *,
    seeds: Sequence[int] = (0,),
    oldest: bool = False,
) -> str:
    """Run what the named lessons state, or all lessons, pages and docstrings.

    Each of the ``seeds`` gives points at which formulas are tried; ``oldest`` lets
    lessons compute as on an old processor.  Returns the notes, and one line with the
    number of statements that ran.

    Raises:
        SiteError: a statement is false, a name is no lesson, or a strict lesson
            has a fault of form: a result in running text, nothing to check, or
            claims what nothing backs.
    """
    lessons = _chosen(root, names)
    runs = [*run_statements(lessons, oldest=oldest, seeds=seeds)]
    return judged(root, lessons, runs, names)


def judged(
    root: Path, lessons: Sequence[Lesson], runs: Sequence[Run], names: Sequence[str]
) -> str:
    """Return what :func:`confirm` does of lessons that have run: the ``names``, or all.

    Raises:
        SiteError: as there.
    """
    failures = [fault for lesson in lessons for fault in lesson.faults]
    failures += [run.failure.message for run in runs if run.failure]
    ended = [run for run in runs if not run.failure]
    faults, notes = review(root, lessons, ended, whole=not names, state=True)
    faults += review_claims(root, lessons, whole=not names)[0]
    if failures + faults:
        raise SiteError("\n\n".join(failures + faults))
    stated = sum(len(run.statements) for run in runs)
    said = f"{stated} statements are true in "
    if names:
        return "\n".join([*told(notes), said + ", ".join(names)])
    examples, allowed = docstring_examples(), len(reviewed(root))
    said += f"{len(runs)} lessons and pages, and {examples} examples in docstrings; "
    return "\n".join(
        [*told(notes), f"{said}{allowed} numbers in running text are reviewed"]
    )


def mutate(root: Path, names: Sequence[str] = (), *, one_in: int = 1) -> str:
    """Falsify what the named lessons state, or all, one change at a time.

    With ``one_in`` above 1, only a sample is tried, always the same.  Returns a
    table: how many mutants of each kind the check has refused.

    Raises:
        SiteError: a lesson is not true to begin with, too many mutants survive,
            or one survives that the ledger does not explain.
    """
    lessons, allowed = _chosen(root, names), reviewed(root)
    patient = [replace(lesson, seconds=_HOURS) for lesson in lessons]
    runs = list(run_statements(patient, mutate=one_in))
    failures = [fault for lesson in lessons for fault in lesson.faults]
    failures += [run.failure.message for run in runs if run.failure]
    if failures:
        raise SiteError("\n\n".join(failures))
    found = [(run.lesson, mutant) for run in runs for mutant in run.statements]
    found += [(x.name, mutant) for x in lessons for mutant in _misread(x, allowed)]
    if not found:
        raise SiteError("nothing is stated here that could be falsified.")
    survivors = [(name, mutant) for name, mutant in found if not mutant.witnesses]
    table = _table([mutant for _, mutant in found])
    text = (root / LEDGER).read_text(encoding="utf-8")
    known = [(m["name"], m["text"]) for m in _EXPLAINED.finditer(text)]
    new = [s for s in survivors if not any(_is_explained(*s, *k) for k in known)]
    old = [k for k in known if not any(_is_explained(*s, *k) for s in survivors)]
    faults = [f"{name}:{m.line}: {m.kind} survives: {m.source}" for name, m in new]
    sample = names or one_in > 1
    faults += [] if sample else [f"{LEDGER}: {k[1]} does not survive" for k in old]
    if faults or len(survivors) > (1 - ENOUGH) * len(found):
        raise SiteError("\n".join([*faults, table]))
    return table


def _is_explained(name: str, mutant: Statement, known: str, text: str) -> bool:
    return name == known and text in mutant.source


def _misread(lesson: Lesson, allowed: Sequence[tuple[str, str]]) -> Iterator[Statement]:
    """Change the numbers in running text and in labels; the list has to notice."""
    for block in lesson.blocks:
        kind: StatementKind = "prose" if block.kind == "text" else "label"
        for line, number, around, _ in numbers(block, lesson.markup):
            last = re.search(r"\d(?=\D*$)", number)
            if last is None:  # ∇y = x
                continue
            other = next_digit(number[: last.end()]) + number[last.end() :]
            changed = around.replace(number, other)
            listed = is_reviewed(lesson.name, other, changed, allowed)
            yield Statement(kind, other, line, () if listed else ("refused",))


def _table(found: Sequence[Statement]) -> str:
    total = Counter(mutant.kind for mutant in found)
    refused = Counter(mutant.kind for mutant in found if mutant.witnesses)
    rows = [(str(k), refused[k], n) for k, n in total.most_common()]
    rows.append(("all", refused.total(), total.total()))
    return "\n".join(f"{k:<12}{a:>5} of{n:>5}{a / n:>9.1%}" for k, a, n in rows if n)


def _chosen(root: Path, names: Sequence[str]) -> list[Lesson]:
    lessons = {lesson.name: lesson for lesson in read_lessons(root)}
    if unknown := [name for name in names if name not in lessons]:
        raise SiteError(f"{unknown[0]} is no lesson. There are: {', '.join(lessons)}")
    return [lessons[name] for name in names or lessons]


def run_statements(
    lessons: Sequence[Lesson], *, oldest: bool = False, **options: Any
) -> Iterator[Run]:
    """Run what lessons and pages state, whatever becomes of it."""
    run = partial(run_lesson, only_statements=True, oldest=oldest, **options)
    with LessonExecutor(oldest=oldest) as executor:
        yield from executor.map(run, lessons)


def docstring_examples(packages: Sequence[str] = PACKAGES) -> int:
    """Run the examples in the packages' docstrings; return how many there were.

    Raises:
        SiteError: an example is false, or a package has none.
    """
    count = 0
    for package in packages:
        results = [_examples_of(module) for module in _modules(package)]
        if not sum(results):
            raise SiteError(f"{package}: no docstring holds an example.")
        count += sum(results)
    return count


def _modules(package: str) -> Iterator[ModuleType]:
    found = importlib.import_module(package)
    yield found
    for info in pkgutil.walk_packages(found.__path__, f"{package}."):
        if not info.name.endswith("__main__"):
            yield importlib.import_module(info.name)


def _examples_of(module: ModuleType) -> int:
    runner = doctest.DocTestRunner(checker=OutputChecker(), verbose=False)
    report = StringIO()
    for test in doctest.DocTestFinder().find(module):
        runner.run(test, out=report.write)
    if report.getvalue():
        raise SiteError(report.getvalue())
    return runner.tries
