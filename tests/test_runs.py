"""All runs of a build: each lesson ran, or the build says which did not."""

from __future__ import annotations

from pathlib import Path

import pytest

from coursecheck.stated import Block
from courserun.freshness import Store
from courserun.lesson import Lesson, Run
from courserun.runner import LessonExecutor
from courserun.runs import LessonError, Runs

FIRST, SECOND = (
    Lesson(f"gallery/0_toy/{number}_toy.py", (Block("code", f"{number}", 1),))
    for number in (10, 20)
)


def test_lesson_that_nobody_executed_is_named(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with LessonExecutor(1) as executor:
        ran = Runs(tmp_path, store, [FIRST])
        ran.start(executor, lambda run: None)
        ran.finish()
    runs = Runs(tmp_path, store, [FIRST, SECOND])  # and nobody starts the second
    with pytest.raises(LessonError, match=f"^{SECOND.name}: has not run$"):
        runs.finish()


def test_runs_are_reported_fetched_and_kept(tmp_path: Path) -> None:
    reported: list[Run] = []
    runs = Runs(tmp_path, Store(tmp_path), [FIRST, SECOND])
    assert runs.stale == [FIRST.name, SECOND.name]
    with LessonExecutor(1) as executor:
        runs.start(executor, reported.append)
        done = runs.finish()
    assert reported == done
    assert [run.outputs[0].parts[0].source for run in done if run.outputs[0]] == [
        "10",
        "20",
    ]
    assert Runs(tmp_path, Store(tmp_path), [FIRST, SECOND]).stale == []


@pytest.mark.parametrize("wanted", ["0", "-1", "many", "1.5"])
def test_number_of_workers_that_is_none_is_refused(
    monkeypatch: pytest.MonkeyPatch, wanted: str
) -> None:
    monkeypatch.setenv("WORKERS", wanted)
    with pytest.raises(ValueError, match=f"WORKERS={wanted} is no number of lessons"):
        LessonExecutor()
