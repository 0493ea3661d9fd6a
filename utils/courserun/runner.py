"""Run each lesson in a process of its own, within its time, whatever it does."""

from __future__ import annotations

import atexit
import base64
import json
import os
import pickle
import re
import secrets
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from courserun.forkserver import ENVIRONMENT, LATE, OLDEST
from courserun.lesson import Failure, Lesson, Run

__all__ = [
    "INTERRUPTED",
    "LessonExecutor",
    "at_once",
    "run_lesson",
    "start_server",
    "stop_servers",
]

INTERRUPTED = "was interrupted: the process that lessons are forked from ended"
UTILS = Path(__file__).parents[1]
_KEPT = "HOME", "PATH", "TMPDIR", "PYTHONPATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"
_START = """
import socket, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from courserun.forkserver import serve
serve(socket.socket(fileno=int(sys.argv[2])), Path(sys.argv[3]))
"""


class LessonExecutor(ThreadPoolExecutor):
    """A pool that runs as many lessons at once as there are cores, or as WORKERS says.

    Left by an exception, Ctrl-C included, it kills the lessons under way.
    """

    def __init__(
        self,
        workers: int | None = None,
        *,
        lessons: Iterable[Lesson] = (),
        oldest: bool = False,
    ) -> None:
        """Load torch, and what the lessons to come seem to need.

        ``oldest``: for lessons that run as on an old processor.
        """
        super().__init__(workers or at_once(), thread_name_prefix="lesson")
        _server(oldest).load(_late(lessons))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the pool; lessons that are under way end too if they may be cancelled."""
        super().shutdown(wait=False, cancel_futures=cancel_futures)
        if cancel_futures:
            stop_servers()
        super().shutdown(wait=wait)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Wait for the lessons, or kill them."""
        self.shutdown(cancel_futures=kind is not None)


def run_lesson(lesson: Lesson, *, oldest: bool = False, **options: Any) -> Run:
    """Run a lesson in a new process; whatever goes wrong is the run's failure.

    ``oldest``: as on an old processor, see :data:`courserun.forkserver.OLDEST`.
    ``options`` are those of :func:`courserun.cells.run_cells`.  Takes and
    returns plain data: any executor can be given it, on any machine.
    """
    return _server(oldest).run(lesson, options)


def start_server() -> None:
    """Begin to load torch, where it is clear that lessons will run."""
    _server()


def stop_servers() -> None:
    """Kill every lesson under way, and the processes that they are forked from."""
    with _lock:
        while _servers:
            _servers.pop().stop()


class _Server:
    """The parent's end of a :mod:`courserun.forkserver`.

    A process that is forked from the parent has this end, too, and may ask; the server
    outlives it.  One of them asks at a time.
    """

    def __init__(self, takes: tuple[object, bool], more: dict[str, str]) -> None:
        """``takes``: which lessons it may run; ``more`` environment for these."""
        self.takes: tuple[object, bool] | None = takes
        self._parent = os.getpid()
        self._lock = threading.Lock()
        self._waiting: set[socket.socket] = set()
        # The server makes this folder and removes it, so that it goes even if this
        # process is killed; this process removes it if the server is.
        name = f"lessons-{secrets.token_hex(8)}"
        self._home = Path(tempfile.gettempdir(), name)
        atexit.register(shutil.rmtree, self._home, ignore_errors=True)
        self._control, theirs = socket.socketpair()
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        with theirs:
            command: list[str | Path] = [sys.executable, "-P", "-c", _START, UTILS]
            command += [str(theirs.fileno()), self._home]
            self._process = subprocess.Popen(
                command,
                env=kept | ENVIRONMENT | more,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,  # a Ctrl-C is for the parent to hear
            )

    def run(self, lesson: Lesson, options: dict[str, Any]) -> Run:
        """Have a child run the lesson; read what it left.

        Hanging up (by an exception while waiting, or a sudden death) kills the
        child, and removes what it left.
        """
        pickled = base64.b64encode(pickle.dumps(lesson)).decode()
        request = {"lesson": pickled, "seconds": lesson.seconds, **options}
        with self._asked() as ours, ours.makefile(encoding="utf-8") as lines:
            self._waiting.add(ours)
            try:
                ours.sendall(json.dumps(request).encode() + b"\n")
                answer = lines.readline()
            except OSError:
                answer = ""
            finally:
                self._waiting.discard(ours)
            if answer:
                return _outcome(lesson, json.loads(answer))
        with suppress(subprocess.TimeoutExpired):  # so that nobody asks it again
            self._process.wait(timeout=5)
        return Run(lesson.name, (), failure=_post_mortem(lesson, self._home, None))

    def load(self, names: Iterable[str]) -> None:
        """Load modules beforehand, because lessons will need them."""
        with self._asked() as ours, suppress(OSError):
            ours.sendall(json.dumps({"load": [*names]}).encode() + b"\n")

    def _asked(self) -> socket.socket:
        """Send one end of a new pair of sockets; return the other one."""
        ours, theirs = socket.socketpair()
        with theirs, self._lock, suppress(OSError):  # else who reads finds the end
            socket.send_fds(self._control, [b"!"], [theirs.fileno()])
        return ours

    def is_alive(self) -> bool:
        """Tell whether it still runs; let go of it if not."""
        if self._is_ours() and self._process.poll() is None:
            return True
        if not self._is_ours() and not select.select([self._control], [], [], 0)[0]:
            return True  # it says nothing here, so that only its end can be read
        self._control.close()
        return False

    def retire(self) -> None:
        """Let it finish what is under way, and end."""
        self.takes = None
        self._control.close()

    def _is_ours(self) -> bool:
        return os.getpid() == self._parent

    def stop(self) -> None:
        """End it with all its children; where it is another's, those we wait for."""
        for waiting in tuple(self._waiting):
            with suppress(OSError):
                waiting.shutdown(socket.SHUT_RDWR)
        self._control.close()
        if not self._is_ours():
            return
        self._process.terminate()
        try:
            self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:  # it loads a module; its children die with it
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._home, ignore_errors=True)


_lock = threading.Lock()
_servers: list[_Server] = []  # those of former code only finish what is under way
atexit.register(stop_servers)


def _late(lessons: Iterable[Lesson]) -> list[str]:
    code = "".join(b.source for x in lessons for b in x.blocks if b.kind == "code")
    return [name for name, need in LATE.items() if need.search(code)]


def _server(oldest: bool = False) -> _Server:
    """Return a server that has loaded the code in ``utils`` as it is now."""
    code = [(p, p.stat().st_mtime_ns) for p in sorted(UTILS.glob("*/*.py"))]
    with _lock:
        _servers[:] = [server for server in _servers if server.is_alive()]
        for server in _servers:
            if server.takes and server.takes[0] != code:
                server.retire()
        takes = code, oldest
        found = next((s for s in _servers if s.takes == takes), None)
        if found is None:
            found = _Server(takes, OLDEST if oldest else {})
            _servers.append(found)
        return found


def _outcome(lesson: Lesson, end: dict[str, Any]) -> Run:
    """Read what a lesson's process left in its folder."""
    if error := end.get("error"):
        message = f"{lesson.name}:1: the lesson could not be run: {error}"
        return Run(lesson.name, (), failure=Failure(message, 1))
    folder = Path(end["folder"])
    if end["code"] == 0 and not end["late"] and (folder / "run").exists():
        return Run.from_json((folder / "run").read_text(encoding="utf-8"))
    return Run(lesson.name, (), failure=_post_mortem(lesson, folder, end))


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
    if end["code"] == os.EX_IOERR:
        return f"could not note how it went: is there room in {tempfile.gettempdir()}?"
    if end["code"] < 0:
        name = signal.Signals(-end["code"]).name
        return f"died of {name}" + " (out of memory?)" * (name == "SIGKILL")
    code = end["code"]
    return f"ended the process (exit code {code}): a lesson ends after its last cell"


def at_once() -> int:
    """Return how many may run at once: as WORKERS says, or one for each core."""
    wanted = os.environ.get("WORKERS")
    if wanted and not (wanted.isdecimal() and int(wanted)):
        raise ValueError(f"WORKERS={wanted} is no number of lessons: WORKERS=2 is one")
    if wanted:
        return int(wanted)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
