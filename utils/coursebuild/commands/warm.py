"""A process that has loaded what a build needs, and forks each build from itself.

Run as ``python -m coursebuild.commands.warm ROOT CODE DESCRIPTOR``, by
:class:`Warm` alone.  What a build imports is loaded once; what it computes ends with
the fork.  No build runs code that differs from the files: see :func:`code`.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from runpy import run_path
from typing import IO, Any, NoReturn

from coursebuild.__main__ import run
from coursebuild.commands.html import StaleCodeError, build
from coursebuild.publishing.publish import code, locked, sweep
from courserun.runner import start_server

__all__ = ["Warm"]

GRACE = 5  # seconds for a build to sweep, once it is to end
STALE = os.EX_TEMPFAIL
UTILS = Path(__file__).parents[2]


class Warm:
    """The parent's end: builds one site as often as asked.

    Its process is replaced wherever ``utils``, ``conf.py`` or another file that is no
    page's has changed, so that no build runs code of another time.
    """

    def __init__(self, root: Path) -> None:
        """Start nothing yet."""
        self._root = root
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._said: IO[bytes] = tempfile.TemporaryFile("a+b")  # noqa: SIM115
        self._code = ""

    def build(self) -> str:
        """Bring the site up to date; return what is wrong, nothing where it is."""
        ended = self._asked()
        while ended == STALE:
            ended = self._asked()
        self._said.seek(0)
        said = self._said.read().decode(errors="replace")
        print(said, end="", file=sys.stderr, flush=True)
        return (said or "The build failed.") if ended else ""

    def stop(self) -> None:
        """End the process and all that it started; wait until it has gone."""
        if self._process and self._control:
            self._control.close()
            self._process.terminate()
            try:
                self._process.wait(timeout=2 * GRACE)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = self._control = None

    def _asked(self) -> int:
        """Have one build made; return its exit status."""
        self._said.truncate(0)
        control = self._started()
        answer = b""
        with suppress(OSError):
            control.sendall(b"\n")
            answer = control.recv(64)
        if answer:
            return int(answer)
        self.stop()  # it could not load our code, say
        return 1

    def _started(self) -> socket.socket:
        """Start the process, unless it runs and has loaded the code as it is."""
        now = code(self._root)
        if self._control and now == self._code:
            return self._control
        self.stop()
        self._code = now
        self._control, theirs = socket.socketpair()
        command = [sys.executable, "-m", __name__, str(self._root), now]
        with theirs:
            self._process = subprocess.Popen(
                [*command, str(theirs.fileno())],
                cwd=self._root,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stderr=self._said,
                start_new_session=True,  # a Ctrl-C is for the parent to hear
            )
        return self._control


def main(root: Path, loaded: str, control: socket.socket) -> None:
    """Fork a build whenever asked, until the other end hangs up or says so."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    known: list[str] = []
    while control.recv(1):
        start_server()  # lessons of all builds are forked from one process, too
        gc.collect()
        gc.freeze()  # no collection touches, and so copies, what is shared
        ended = _forked(root, loaded, control)
        if ended is None:
            return
        control.sendall(str(ended["code"]).encode())
        if not known:  # no build waits for this
            known = _modules(root)
        _load([*known, *ended["modules"]])


def _modules(root: Path) -> list[str]:
    """Name what a build is going to import: all of ours, and what conf.py names."""
    from sphinx.application import builtin_extensions

    files = (p.relative_to(UTILS) for p in UTILS.glob("coursebuild/**/*.py"))
    ours = [".".join(p.with_suffix("").parts) for p in files if p.name[0] != "_"]
    with suppress(Exception):  # a build will say what is wrong with conf.py
        conf = run_path(str(root / "conf.py"))
        ours += [*conf["extensions"], conf["html_theme"]]
    return ["torch", *builtin_extensions, *ours]


def _load(names: Iterable[str]) -> None:
    """Import what is not there yet; a build will say where that fails."""
    for name in names:
        if name not in sys.modules:
            with suppress(Exception):
                import_module(name)


def _forked(root: Path, loaded: str, control: socket.socket) -> dict[str, Any] | None:
    """Build in a fork; return how it ended, None where nobody waits for it any more."""
    theirs, ours = os.pipe()
    pid = os.fork()
    if not pid:
        _become(root, loaded, ours)
    os.close(ours)
    with suppress(OSError):  # the fork does the same: whoever comes first
        os.setpgid(pid, pid)
    try:
        told = b"".join(iter(lambda: _read(theirs, control), b""))
    except (SystemExit, EOFError):
        _end(pid, root)
        return None
    finally:
        os.close(theirs)
    os.waitpid(pid, 0)
    return json.loads(told) if told else {"code": 1, "modules": []}


def _read(source: int, control: socket.socket) -> bytes:
    """Return what a build says, nothing at its end.

    Raises:
        EOFError: who asked for it has hung up.
    """
    ready: list[int] = select.select([source, control.fileno()], [], [])[0]
    if source in ready:
        return os.read(source, 1 << 16)
    raise EOFError


def _end(pid: int, root: Path) -> None:
    """Interrupt a build as Ctrl-C does, with all that it started; then kill it.

    One that had to be killed has left what it should have swept.
    """
    ended, deadline = 0, time.monotonic() + GRACE
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGINT)
        while time.monotonic() < deadline and not ended:
            ended = os.waitpid(pid, os.WNOHANG)[0]
            time.sleep(0.02)
        os.killpg(pid, signal.SIGKILL)  # what is left of its group
    if not ended:
        os.waitpid(pid, 0)
        target = root / "build" / "html"
        with locked(target.parent):
            sweep(target)


def _become(root: Path, loaded: str, told: int) -> NoReturn:
    """Build in this new process, say how it ended and what it imported, and end."""
    ended = 1
    try:
        with suppress(OSError):
            os.setpgid(0, 0)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        before = set(sys.modules)
        try:
            ended = run(partial(build, root, loaded))
        except StaleCodeError:
            ended = STALE
        modules = sorted(filter(_lasts, set(sys.modules) - before))
        os.write(told, json.dumps({"code": ended, "modules": modules}).encode())
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(ended)  # at once: what the parent does at its exit is not ours to do


def _lasts(name: str) -> bool:
    """Tell whether a module is installed or ours: no page brought it along."""
    spec = getattr(sys.modules[name], "__spec__", None)
    origin = spec and spec.origin
    places = UTILS, Path(sys.prefix), Path(sys.base_prefix)
    return origin in ("built-in", "frozen") or any(
        origin and Path(origin).is_relative_to(place) for place in places
    )


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[3])) as end:
        main(Path(sys.argv[1]), sys.argv[2], end)
