"""The process that lessons are forked from: it has torch, and computes nothing.

Not multiprocessing's own, because that one imports the parent's ``__main__`` in
every child, forgets ``sys.path`` (Python 3.11), and refuses to serve daemonic
processes, which Dask's workers are.
"""

from __future__ import annotations

import ctypes
import faulthandler
import gc
import importlib
import json
import os
import pickle
import re
import select
import shutil
import signal
import socket
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

__all__ = ["ENVIRONMENT", "LATE", "serve"]

# All that a lesson sees of the environment besides the paths of the machine.
# One thread everywhere: a library that starts some may not be forked after that.
ENVIRONMENT = {
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "PYTHONUTF8": "1",
    "PYTHONHASHSEED": "0",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}
PRELOAD = (
    "torch",
    "torch._subclasses.schema_check_mode",  # what printing the first tensor imports
    "numpy.random",
    "pygraphviz",
    "torchutils",
    "courserun.cells",
)
# A second each: loaded when code speaks of what needs it, or as soon as one asks.
LATE = {
    "torch._dynamo": re.compile(r"\boptim\b|checkpoint|compile|functional|vmap"),
    "matplotlib.pyplot": re.compile(r"matplotlib"),
}
GRACE = 0.3  # seconds for the child to note its own line before it is killed


@dataclass
class _Child:
    """A lesson under way; who waits for it holds the other end of ``reply``."""

    folder: Path
    reply: socket.socket
    deadline: float
    late: bool = False


def serve(control: socket.socket, late: Sequence[str] = ()) -> None:
    """Fork a child for each request, until none is under way and none can come.

    ``late`` names modules to load beforehand, because lessons will need them.
    A request is a socket with one line of JSON in it; the answer is one line,
    the child's exit code.  A child is killed, with all that it started, when its
    time is up or when who asked for it hangs up.
    """
    for name in (*PRELOAD, *late):
        _load(name)
    wake, alarm = socket.socketpair()
    alarm.setblocking(False)
    signal.set_wakeup_fd(alarm.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    children: dict[int, _Child] = {}
    sources = {control, wake}
    try:
        while control in sources or children:
            ready = _wait(sources, children)
            if wake in ready:
                wake.recv(4096)
            for pid, child in children.items():
                child.late |= time.monotonic() >= child.deadline
                if child.late or child.reply in ready:
                    _kill(pid)
            _bury(children)
            if control in ready and not _accept(control, children, [wake, alarm]):
                sources.remove(control)
    except SystemExit:
        for pid in children:
            _kill(pid)
    os._exit(0)  # at once: nobody waits for what libraries do at exit


def _load(name: str) -> None:
    """Import a module for all children; where it fails, a lesson will say so."""
    with suppress(Exception):
        importlib.import_module(name)
    gc.freeze()  # no collection touches, and so copies, what children share


def _wait(
    sources: set[socket.socket], children: dict[int, _Child]
) -> list[socket.socket]:
    """Return what is readable, at the next deadline at the latest."""
    deadline = min((c.deadline for c in children.values()), default=None)
    timeout = None if deadline is None else max(deadline - time.monotonic(), 0.01)
    replies = [child.reply for child in children.values()]
    return select.select([*sources, *replies], [], [], timeout)[0]


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError, PermissionError):  # macOS: of a zombie
        os.killpg(pid, signal.SIGKILL)


def _bury(children: dict[int, _Child]) -> None:
    """Tell how each child ended that did; take along what its lesson needed."""
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        _kill(pid)  # what it started and left
        child = children.pop(pid)
        wanted = child.folder / "late"
        names = wanted.read_text().split() if wanted.exists() else []
        answer = {"code": os.waitstatus_to_exitcode(status), "late": child.late}
        try:
            child.reply.sendall(json.dumps(answer).encode() + b"\n")
        except OSError:  # nobody waits: nobody else will tidy up
            shutil.rmtree(child.folder, ignore_errors=True)
        child.reply.close()
        for name in names:
            _load(name)


def _accept(
    control: socket.socket, children: dict[int, _Child], own: list[socket.socket]
) -> bool:
    """Fork a child for the next request; False when there will be none."""
    _, received, _, _ = socket.recv_fds(control, 1, 1)
    if not received:
        return False
    reply = socket.socket(fileno=received[0])
    with reply.makefile(encoding="utf-8") as lines:
        request = json.loads(lines.readline())
    folder, seconds = Path(request.pop("folder")), request.pop("seconds")
    pid = os.fork()
    if not pid:
        for other in (control, reply, *own, *(c.reply for c in children.values())):
            other.close()
        _become(folder, seconds, request)
    with suppress(OSError):  # the child does the same: whoever comes first
        os.setpgid(pid, pid)
    children[pid] = _Child(folder, reply, time.monotonic() + seconds + GRACE)
    return True


def _become(folder: Path, seconds: float, options: dict[str, Any]) -> NoReturn:
    """Run the lesson of a folder in this new process, and end it."""
    code = 1
    try:
        _settle(folder / "work")
        trace = (folder / "trace").open("ab", buffering=0)
        faulthandler.enable(trace)
        faulthandler.dump_traceback_later(seconds, file=trace)
        from courserun.cells import run_cells

        lesson = pickle.loads((folder / "lesson").read_bytes())
        run = run_cells(
            lesson, mark=lambda place: trace.write(f"{place}\n".encode()), **options
        )
        (folder / "run").write_text(run.to_json(), encoding="utf-8")
        late = [name for name in LATE if name in sys.modules]
        (folder / "late").write_text(" ".join(late), encoding="utf-8")
        code = 0
    except BaseException as error:
        (folder / "error").write_text(f"{type(error).__name__}: {error}", "utf-8")
    finally:
        os._exit(code)


def _settle(work: Path) -> None:
    """Leave the server: own group, own folder, default signals, no way to survive."""
    parent = os.getppid()
    with suppress(OSError):
        os.setpgid(0, 0)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:
        os._exit(1)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.pop("PYTHONPATH", None)
    os.umask(0o022)
    work.mkdir()
    os.chdir(work)
