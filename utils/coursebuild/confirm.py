"""Check what texts state, without building pages: ``make doctest``."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from collections.abc import Iterator, Sequence
from functools import partial
from io import StringIO
from pathlib import Path
from types import ModuleType

from coursebuild.build import SiteError
from coursebuild.doctests import OutputChecker
from coursebuild.lesson import Lesson, Run
from coursebuild.reading import read_lessons
from coursebuild.runner import LessonExecutor, run_lesson

__all__ = ["confirm", "docstring_examples"]


def confirm(root: Path, names: Sequence[str] = ()) -> str:
    """Run what the named lessons state, or all lessons, pages and docstrings.

    Returns one line with the number of statements that ran.

    Raises:
        SiteError: a statement is false, a name is no lesson, or nothing was
            found to check.
    """
    runs = list(_runs(_chosen(root, names)))
    if failures := [run.failure.message for run in runs if run.failure]:
        raise SiteError("\n\n".join(failures))
    stated = sum(len(run.statements) for run in runs)
    silent = [run.lesson for run in runs if not run.statements]
    if silent := [n for n in silent if names or n.startswith("gallery/")]:
        raise SiteError(f"{', '.join(silent)}: states nothing to check.")
    if names:
        return f"{stated} statements are true in {', '.join(names)}"
    examples = docstring_examples()
    return f"{stated} statements are true in {len(runs)} lessons and pages, and " + (
        f"{examples} examples in docstrings"
    )


def _chosen(root: Path, names: Sequence[str]) -> list[Lesson]:
    lessons = {lesson.name: lesson for lesson in read_lessons(root)}
    if unknown := [name for name in names if name not in lessons]:
        raise SiteError(f"{unknown[0]} is no lesson. There are: {', '.join(lessons)}")
    return [lessons[name] for name in names or lessons]


def _runs(lessons: Sequence[Lesson]) -> Iterator[Run]:
    with LessonExecutor() as executor:
        yield from executor.map(partial(run_lesson, only_statements=True), lessons)


def docstring_examples(packages: Sequence[str] = ("torchutils", "coursebuild")) -> int:
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
    for info in pkgutil.iter_modules(found.__path__, f"{package}."):
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
