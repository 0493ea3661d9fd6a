"""Run lessons on the workers of a Dask cluster: ``make html CLUSTER=tcp://...``.

Nothing is sent but lessons, nothing comes back but runs: each worker stands in a
copy of this project, and is used only if that copy is the same.
"""

from __future__ import annotations

import pickle
import platform
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, InvalidStateError
from contextlib import suppress
from functools import partial
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cloudpickle  # type: ignore[import-untyped]
from distributed import Client

from courserun.lesson import Run
from courserun.runner import INTERRUPTED
from courserun.runs import LessonError

__all__ = ["ClusterError", "ClusterExecutor", "identity"]

PATIENCE = 5  # seconds until a scheduler has answered
LOOK = 1.0  # seconds between two looks whether a worker is left
COPY = "start it anew in a copy of this project"


class ClusterError(LessonError):
    """No worker can run the lessons, or none is left."""


class ClusterExecutor(Executor):
    """A pool of those workers that would put out the same bytes as this machine."""

    def __init__(self, address: str) -> None:
        """Connect, and choose the workers; print why one is refused.

        Raises:
            ClusterError: nobody answers, or no worker fits.
        """
        # With lambdas and bytes: the scheduler unpickles, but has no copy of ours.
        cloudpickle.register_pickle_by_value(sys.modules[__name__])
        try:
            self._client = Client(address, timeout=PATIENCE, set_as_default=False)
        except (OSError, ValueError) as error:
            raise ClusterError(f"no scheduler answers at {address}: {error}") from error
        self._workers = self._fitting()
        self._pool = self._client.get_executor(
            pure=False, workers=self._workers, retries=2
        )
        self._waiting: list[Future[Run]] = []
        self._closed = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def submit(  # type: ignore[override]  # it runs lessons, and nothing else
        self, fn: Callable[..., Run], /, *args: Any, **kwargs: Any
    ) -> Future[Run]:
        """Have a worker run a lesson; another one if the first gets lost."""
        future: Future[Run] = Future()
        self._waiting.append(future)
        call = pickle.dumps((fn, args, kwargs))
        there = self._pool.submit(lambda: _run_there(call))
        there.add_done_callback(partial(_pass_on, future))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave the cluster; what is under way there ends in its time."""
        self._closed.set()
        self._pool.shutdown(wait=wait and not cancel_futures)
        self._client.close()

    def _fitting(self) -> list[str]:
        ours, fitting = identity(), []
        answers = self._client.run(lambda: identity(), on_error="return")
        for address, theirs in sorted(answers.items()):
            if theirs == ours:
                fitting.append(address)
            else:
                print(f"{address} is refused: {_reason(theirs, ours)}", flush=True)
        if not fitting:
            raise ClusterError("no worker of the cluster fits")
        return fitting

    def _watch(self) -> None:
        """Fail what waits when nobody is left to run it; Dask would wait for ever."""
        while not self._closed.wait(LOOK):
            with suppress(OSError):
                if set(self._workers) & set(self._client.nthreads()):
                    continue
            for future in self._waiting:
                _fail(future, ClusterError("the cluster lost all workers that fit"))
            return


def identity() -> dict[str, str]:
    """Return what must be equal where lessons put out equal bytes."""
    import courserun

    root = Path(courserun.__file__).parents[2]
    code = sha256()
    for path in sorted((root / "utils").rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            code.update(f"{path.relative_to(root).as_posix()}\0".encode())
            code.update(sha256(path.read_bytes()).digest())
    digest = code.hexdigest()[:16]
    return {
        "Python": platform.python_version(),
        "torch": version("torch"),
        "processor": platform.machine(),
        "lock": sha256((root / "requirements.lock").read_bytes()).hexdigest()[:16],
        "code in utils": digest,
        "code at its start": vars(courserun).setdefault("digest", digest),
    }


def _reason(theirs: dict[str, str] | Exception, ours: dict[str, str]) -> str:
    if isinstance(theirs, Exception):
        return f"it has not this project ({theirs}); {COPY}"
    name = next(name for name in ours if theirs[name] != ours[name])
    return f"its {name} is {theirs[name]}, here it is {ours[name]}; {COPY}"


def _run_there(call: bytes) -> Run:
    """Run a lesson on a worker; one that is being ended has no run to show."""
    run_lesson, args, kwargs = pickle.loads(call)
    run: Run = run_lesson(*args, **kwargs)
    if run.failure and INTERRUPTED in run.failure.message:
        raise ConnectionError(run.failure.message)  # Dask tries again
    return run


def _pass_on(future: Future[Run], there: Future[Run]) -> None:
    if there.cancelled():
        _fail(future, ClusterError("the scheduler of the cluster is gone"))
    elif error := there.exception():
        _fail(future, ClusterError(f"a lesson could not be run there: {error}"))
    else:
        with suppress(InvalidStateError):
            future.set_result(there.result())


def _fail(future: Future[Run], error: ClusterError) -> None:
    with suppress(InvalidStateError):
        future.set_exception(error)
