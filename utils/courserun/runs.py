"""The runs of all lessons of one build: started at once, fetched when needed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future
from functools import partial
from pathlib import Path

from courserun.freshness import Store, code_state, lesson_keys
from courserun.kept import Kept
from courserun.lesson import Lesson, Run
from courserun.runner import run_lesson

__all__ = ["LessonError", "Runs"]


class LessonError(ValueError):
    """One or more lessons failed; the message holds what each author needs."""


class Runs:
    """Every lesson's run, from the store where nothing that it depends on changed."""

    def __init__(
        self,
        root: Path,
        store: Store,
        lessons: Iterable[Lesson],
        said: Kept | None = None,
    ) -> None:
        """Look up what is known; nothing executes yet.

        ``said`` is where is kept what code says: see ``lesson_keys``.
        """
        self._root, self._store = root, store
        self._state = code_state(root)
        self.lessons = {lesson.name: lesson for lesson in lessons}
        self._keys = lesson_keys(self.lessons.values(), root=root, kept=said)
        stored = {name: store.get(key) for name, key in self._keys.items()}
        self._ready = {name: run for name, run in stored.items() if run}
        self._futures: dict[str, Future[Run]] = {}

    def start(self, executor: Executor, done: Callable[[Run], None]) -> None:
        """Execute the lessons whose outputs are not known; call ``done`` for each."""
        for name in self.stale:
            future = executor.submit(run_lesson, self.lessons[name])
            future.add_done_callback(partial(_report, done))
            self._futures[name] = future

    @property
    def stale(self) -> list[str]:
        """The lessons that the store does not know."""
        return [name for name in self.lessons if name not in self._ready]

    def key(self, name: str) -> str:
        """Return the digest of all that a lesson's run depends on; "" for no lesson."""
        return self._keys.get(name, "")

    @property
    def known(self) -> list[Run]:
        """The runs that ended well so far."""
        return list(self._ready.values())

    def __getitem__(self, name: str) -> Run | None:
        """Wait for the run of a lesson; None when it failed, or is not to be executed.

        Raises:
            KeyError: the lesson was not there when the build began.
        """
        run = self._ready.get(name) or self._wait(name)
        return None if run and run.failure else run

    @property
    def makes_pages(self) -> bool:
        """Tell whether each lesson can be shown, be it true or not."""
        return all(x.blocks or not x.faults for x in self.lessons.values())

    def failures(self) -> list[str]:
        """Wait for all; return what is wrong with each, so that its author sees all."""
        found = []
        for name, lesson in self.lessons.items():
            run = self._ready.get(name) or self._wait(name)
            found += [
                *lesson.faults,
                *([run.failure.message] if run and run.failure else []),
            ]
        return found

    def _wait(self, name: str) -> Run | None:
        if name not in self.lessons:
            raise KeyError(f"{name} is no lesson of this build")
        if name not in self._futures:
            return None
        run = self._futures[name].result()
        if run.failure is None and name not in self._ready:
            if code_state(self._root) == self._state:  # else: which code was it?
                self._store.put(self._keys[name], run)
            self._ready[name] = run
        return run

    def finish(self) -> list[Run]:
        """Wait for all; forget what no lesson needs any more; return the runs.

        Raises:
            LessonError: a lesson failed, or nobody executed it.
        """
        if failures := self.failures():
            raise LessonError("\n\n".join(failures))
        runs = {name: self[name] for name in self.lessons}
        if idle := [name for name, run in runs.items() if run is None]:
            raise LessonError(f"{', '.join(idle)}: has not run")
        self._store.sweep(set(self._keys.values()))
        return [run for run in runs.values() if run]


def _report(done: Callable[[Run], None], future: Future[Run]) -> None:
    if not future.cancelled() and not future.exception():
        done(future.result())
