"""The process that lessons are forked from: it has torch, and computes nothing.

Not multiprocessing's own, because that one imports the parent's ``__main__`` in
every child, forgets ``sys.path`` (Python 3.11), and refuses to serve daemonic
processes, which Dask's workers are.
"""

from __future__ import annotations

import base64
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
import tempfile
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

__all__ = ["ENVIRONMENT", "LATE", "OLDEST", "serve"]

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
    # Precompiled headers are larger than a file of a lesson's may be.
    "TORCHINDUCTOR_COMPILE_THREADS": "1",
    "TORCHINDUCTOR_CPP_CACHE_PRECOMPILE_HEADERS": "0",
}
# Lets torch and its libraries compute as on a processor of 2008: other instructions sum
# in another order, and float32's normal draws end in other digits (torch 2.13).
OLDEST = {
    "ATEN_CPU_CAPABILITY": "default",
    "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
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


@dataclass(eq=False)
class _Child:
    """A lesson under way; who waits for it holds the other end of ``reply``."""

    folder: Path
    reply: socket.socket
    deadline: float
    late: bool = False

    def forget(self) -> None:
        """Remove what the lesson left: nobody waits for it any more."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.reply.close()


def serve(control: socket.socket, home: Path) -> None:
    """Fork a child for each request, until none is under way and none can come.

    ``home`` is a folder that is made for what the children leave, and removed at
    the end.  A request is a socket with one line of JSON in it; the answer is one
    line, the child's exit code and its folder, which stays until who asked hangs
    up.  A child is killed, with all that it started, when its time is up or when
    who asked for it hangs up earlier.  One that names modules to ``load`` beforehand,
    because lessons will need them, has no answer.
    """
    for name in PRELOAD:
        _load(name)
    wake, alarm = socket.socketpair()
    alarm.setblocking(False)
    signal.set_wakeup_fd(alarm.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    stop: list[int] = []  # a handler that raises is not heard amid what fork calls
    signal.signal(signal.SIGTERM, lambda number, _: stop.append(number))
    children: dict[int, _Child] = {}
    told: list[_Child] = []
    sources = {control, wake}
    while not stop and (control in sources or children or told):
        ready = _wait([*sources, *(c.reply for c in told)], children)
        if wake in ready:
            wake.recv(4096)
        for pid, child in children.items():
            child.late |= time.monotonic() >= child.deadline
            if child.late or child.reply in ready:
                _kill(pid)
        for child in [c for c in told if c.reply in ready]:
            told.remove(child)
            child.forget()
        told += _bury(children)
        own = [control, wake, alarm, *(c.reply for c in told)]
        if control in ready and not _accept(own, home, children):
            sources.remove(control)
    for pid in children:
        _kill(pid)
        os.waitpid(pid, 0)
    shutil.rmtree(home, ignore_errors=True)
    os._exit(0)  # at once: nobody waits for what libraries do at exit


def _load(name: str) -> None:
    """Import a module for all children; where it fails, a lesson will say so."""
    with suppress(Exception):
        importlib.import_module(name)
    gc.freeze()  # no collection touches, and so copies, what children share


def _wait(
    sources: Iterable[socket.socket], children: dict[int, _Child]
) -> list[socket.socket]:
    """Return what is readable, at the next deadline at the latest."""
    deadline = min((c.deadline for c in children.values()), default=None)
    timeout = None if deadline is None else max(deadline - time.monotonic(), 0.01)
    replies = [child.reply for child in children.values()]
    return select.select([*sources, *replies], [], [], timeout)[0]


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError, PermissionError):  # macOS: of a zombie
        os.killpg(pid, signal.SIGKILL)


def _bury(children: dict[int, _Child]) -> list[_Child]:
    """Tell how each child ended that did; take along what its lesson needed.

    Returns those whose folders are being read now.
    """
    told = []
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            break
        _kill(pid)  # what it started and left
        child = children.pop(pid)
        wanted = child.folder / "late"
        names = wanted.read_text().split() if wanted.exists() else []
        ended = {"code": os.waitstatus_to_exitcode(status), "late": child.late}
        answer = ended | {"folder": str(child.folder)}
        if _answer(child.reply, answer):
            told.append(child)
        else:
            child.forget()
        for name in names:
            _load(name)
    return told


def _answer(reply: socket.socket, answer: dict[str, Any]) -> bool:
    """Tell who waits; False when nobody does."""
    try:
        reply.sendall(json.dumps(answer).encode() + b"\n")
    except OSError:
        return False
    return True


def _accept(
    own: Sequence[socket.socket], home: Path, children: dict[int, _Child]
) -> bool:
    """Fork a child for the next request; False when there will be none.

    The first of the server's ``own`` sockets is where requests come from.
    """
    _, received, _, _ = socket.recv_fds(own[0], 1, 1)
    if not received:
        return False
    reply = socket.socket(fileno=received[0])
    with reply.makefile(encoding="utf-8") as lines:
        line = lines.readline()
    if not line.endswith("\n"):  # who asked died in the middle of it
        reply.close()
        return True
    request = json.loads(line)
    if "load" in request:
        reply.close()
        for name in request["load"]:
            _load(name)
        return True
    lesson, seconds = base64.b64decode(request.pop("lesson")), request.pop("seconds")
    try:
        home.mkdir(mode=0o700, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="lesson-", dir=home))
    except OSError as error:  # a full disk
        _answer(reply, {"error": str(error)})
        reply.close()
        return True
    pid = os.fork()
    if not pid:
        for other in (*own, reply, *(c.reply for c in children.values())):
            other.close()
        _become(folder, lesson, seconds, request)
    with suppress(OSError):  # the child does the same: whoever comes first
        os.setpgid(pid, pid)
    children[pid] = _Child(folder, reply, time.monotonic() + seconds + GRACE)
    return True


def _become(
    folder: Path, pickled: bytes, seconds: float, options: dict[str, Any]
) -> NoReturn:
    """Run a lesson in this new process, note in the folder how it went, and end."""
    code = os.EX_IOERR  # what cannot even be noted
    try:
        _settle(folder / "work")
        trace = (folder / "trace").open("ab", buffering=0)
        faulthandler.enable(trace)
        faulthandler.dump_traceback_later(seconds, file=trace)
        from courserun.cells import run_cells

        lesson = pickle.loads(pickled)
        run = run_cells(
            lesson, mark=lambda place: trace.write(f"{place}\n".encode()), **options
        )
        (folder / "run").write_text(run.to_json(), encoding="utf-8")
        late = [name for name in LATE if name in sys.modules]
        (folder / "late").write_text(" ".join(late), encoding="utf-8")
        code = 0
    except BaseException as error:
        (folder / "error").write_text(f"{type(error).__name__}: {error}", "utf-8")
        code = 1
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
