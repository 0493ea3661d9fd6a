"""Run each lesson in a process of its own, within its time, whatever it does."""

from __future__ import annotations

import atexit
import json
import os
import pickle
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from courserun.forkserver import ENVIRONMENT, LATE
from courserun.lesson import Failure, Lesson, Run

__all__ = ["INTERRUPTED", "LessonExecutor", "run_lesson", "stop_servers"]

INTERRUPTED = "was interrupted: the process that lessons are forked from ended"
UTILS = Path(__file__).parents[1]
_KEPT = "HOME", "PATH", "TMPDIR", "PYTHONPATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"
_START = """
import socket, sys
sys.path.insert(0, sys.argv[1])
from courserun.forkserver import serve
serve(socket.socket(fileno=int(sys.argv[2])), sys.argv[3:])
"""


class LessonExecutor(ThreadPoolExecutor):
    """A pool that runs as many lessons at once as there are cores, or as WORKERS says.

    Left by an exception, Ctrl-C included, it kills the lessons under way.
    """

    def __init__(
        self, workers: int | None = None, *, lessons: Iterable[Lesson] = ()
    ) -> None:
        """Load torch, and what the lessons to come seem to need."""
        at_once = workers or int(os.environ.get("WORKERS") or _cores())
        super().__init__(at_once, thread_name_prefix="lesson")
        _server(_late(lessons))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the pool; lessons that are under way end too if they may be cancelled."""
        super().shutdown(wait=False, cancel_futures=cancel_futures)
        if cancel_futures:
            stop_servers()
        super().shutdown(wait=wait)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Wait for the lessons, or kill them."""
        self.shutdown(cancel_futures=kind is not None)


def run_lesson(lesson: Lesson, **options: Any) -> Run:
    """Run a lesson in a new process; whatever goes wrong is the run's failure.

    ``options`` are those of :func:`courserun.cells.run_cells`.  Takes and
    returns plain data: any executor can be given it, on any machine.
    """
    with tempfile.TemporaryDirectory(prefix="lesson-", ignore_cleanup_errors=True) as f:
        folder = Path(f)
        (folder / "lesson").write_bytes(pickle.dumps(lesson))
        end = _server().run(folder, lesson.seconds, options)
        if end == {"code": 0, "late": False} and (folder / "run").exists():
            return Run.from_json((folder / "run").read_text(encoding="utf-8"))
        return Run(lesson.name, (), failure=_post_mortem(lesson, folder, end))


def stop_servers() -> None:
    """Kill every lesson under way, and the processes that they are forked from."""
    with _lock:
        while _servers:
            _servers.pop().stop()


class _Server:
    """The parent's end of a :mod:`courserun.forkserver`."""

    def __init__(self, stamp: object, late: Sequence[str]) -> None:
        self.stamp = stamp
        self._lock = threading.Lock()
        self._control, theirs = socket.socketpair()
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        with theirs:
            command = [sys.executable, "-P", "-c", _START, UTILS, str(theirs.fileno())]
            command += late
            self._process = subprocess.Popen(
                command,
                env=kept | ENVIRONMENT,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,  # a Ctrl-C is for the parent to hear
            )

    def run(
        self, folder: Path, seconds: float, options: dict[str, Any]
    ) -> dict[str, Any] | None:
        """Have a child run the lesson of ``folder``; say how it ended.

        None means that the server itself ended.  Hanging up (by an exception
        while waiting) kills the child.
        """
        request = {"folder": str(folder), "seconds": seconds, **options}
        ours, theirs = socket.socketpair()
        with ours, ours.makefile("rw", encoding="utf-8") as line:
            print(json.dumps(request), file=line, flush=True)
            try:
                with theirs, self._lock:
                    socket.send_fds(self._control, [b"!"], [theirs.fileno()])
                answer = line.readline()
            except OSError:
                answer = ""
        if answer:
            return json.loads(answer)
        with suppress(subprocess.TimeoutExpired):  # so that nobody asks it again
            self._process.wait(timeout=5)
        return None

    def is_alive(self) -> bool:
        """Tell whether it still runs; let go of it if not."""
        if self._process.poll() is None:
            return True
        self._control.close()
        return False

    def retire(self) -> None:
        """Let it finish what is under way, and end."""
        self._control.close()

    def stop(self) -> None:
        """End it with all its children."""
        self._control.close()
        self._process.terminate()
        self._process.wait()


_lock = threading.Lock()
_servers: list[_Server] = []  # the last one takes requests, older ones finish
atexit.register(stop_servers)


def _late(lessons: Iterable[Lesson]) -> list[str]:
    code = "".join(b.source for x in lessons for b in x.blocks if b.kind == "code")
    return [name for name, need in LATE.items() if need.search(code)]


def _server(late: Sequence[str] = ()) -> _Server:
    """Return a server that has loaded the code in ``utils`` as it is now."""
    stamp = [(p, p.stat().st_mtime_ns) for p in sorted(UTILS.glob("*/*.py"))]
    with _lock:
        _servers[:] = [server for server in _servers if server.is_alive()]
        if not _servers or _servers[-1].stamp != stamp:
            if _servers:
                _servers[-1].retire()
            _servers.append(_Server(stamp, late))
        return _servers[-1]


def _post_mortem(lesson: Lesson, folder: Path, end: dict[str, Any] | None) -> Failure:
    """Say how a lesson died, and where it was: from what its process noted."""
    trace = _read(folder / "trace")
    name = re.escape(lesson.name.encode("ascii", "backslashreplace").decode())
    places = re.findall(r"^(\d+): (.*)$", trace, re.MULTILINE)
    line, place = places[-1] if places else (1, "the lesson")
    dumped = re.search(rf'File "{name}", line (\d+)', trace)
    line = int(dumped[1] if dumped else line)
    cell = int(place.removeprefix("cell ")) if place.startswith("cell ") else None
    words = _death(lesson, end, _read(folder / "error"))
    return Failure(f"{lesson.name}:{line}: {place} {words}", line, cell)


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


def _death(lesson: Lesson, end: dict[str, Any] | None, error: str) -> str:
    if end is None:
        return INTERRUPTED
    if end["late"]:
        return (
            f"took longer than the {lesson.seconds:g} s that the lesson has: "
            "let it do less, or declare more `seconds`"
        )
    if error:
        return f"could not be run, or its outputs could not be kept: {error}"
    if end["code"] < 0:
        name = signal.Signals(-end["code"]).name
        return f"died of {name}" + " (out of memory?)" * (name == "SIGKILL")
    code = end["code"]
    return f"ended the process (exit code {code}): a lesson ends after its last cell"


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
