"""Fork `python -m coursebuild` from a process that has loaded what it will import.

Half of what a build of a small site computes is to load Sphinx.  That is loaded once;
our own code is loaded by each build from its own folder, as it is there and then.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import runpy
import subprocess
import sys
import traceback
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module, invalidate_caches
from pathlib import Path
from select import select
from typing import NoReturn

__all__ = ["Forker"]

PATIENCE = 120  # seconds, which only what hangs can take


class Forker:
    """The end of who asks; the process ends when this one closes its input."""

    def __init__(self, env: Mapping[str, str]) -> None:
        """Start nothing yet; ``env`` is the environment of all that is run."""
        self._env = dict(env)
        self._process: subprocess.Popen[str] | None = None

    def run(self, root: Path, *arguments: str) -> tuple[int, str, str]:
        """Run in a folder, in a session of its own; return how it ended, what it said.

        Raises:
            TimeoutError: it takes two minutes, or nobody is there to ask.
        """
        process = self._process = self._process or _start()
        said = root.with_name(f"{root.name}.out"), root.with_name(f"{root.name}.error")
        asked = [self._env, str(root), *map(str, said), *arguments]
        process.stdin.write(f"{json.dumps(asked)}\n")
        process.stdin.flush()
        ready = select([process.stdout], [], [], PATIENCE)[0]
        answer = process.stdout.readline() if ready else ""
        if not answer:
            process.kill()
            self.end()
            raise TimeoutError([path.read_text() for path in said if path.exists()])
        out, error = (path.read_text(encoding="utf-8") for path in said)
        for path in said:
            path.unlink()
        return int(answer), out, error

    def end(self) -> None:
        """End the process, where there is one."""
        if self._process:
            with self._process as process:
                process.stdin.close()
        self._process = None


def _start() -> subprocess.Popen[str]:
    """Start the process from an environment in which no code of ours is found."""
    return subprocess.Popen(
        [sys.executable, __file__],
        env={"PATH": os.environ["PATH"]},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )


def main() -> None:
    """Fork for each line of the input; load what the fork has loaded, for the next."""
    with open(os.dup(1), "w", encoding="utf-8") as answers:
        for line in sys.stdin:
            gc.freeze()  # no collection touches, and so copies, what is shared
            source, target = os.pipe()
            pid = os.fork()
            if not pid:
                answers.close()
                os.close(source)
                _become(target, *json.loads(line))
            os.close(target)
            with open(source, encoding="utf-8") as names:
                loaded = names.read().split()
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            answers.write(f"{code}\n")
            answers.flush()
            for name in set(loaded) - set(sys.modules):
                with suppress(Exception):
                    import_module(name)


def _become(
    told: int, env: dict[str, str], root: str, out: str, error: str, *arguments: str
) -> NoReturn:
    """Be what `python -m` would be; tell at the end what it has loaded."""
    os.setsid()
    os.environ.clear()
    os.environ.update(env)
    os.chdir(root)
    for path, number in ((os.devnull, 0), (out, 1), (error, 2)):
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(file, number)
        os.close(file)
    sys.path[:1] = [root, str(Path(root, "utils"))]
    invalidate_caches()
    sys.argv = ["coursebuild", *arguments]
    code: object = 0
    try:
        runpy.run_module("coursebuild", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = end.code or 0
    except BaseException:
        traceback.print_exc()
        code = 1
    os.write(told, "\n".join(filter(_installed, sorted(sys.modules))).encode())
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else 1)  # to take all apart would be dear


def _installed(name: str) -> bool:
    origin = getattr(getattr(sys.modules[name], "__spec__", None), "origin", None)
    places = sys.prefix, sys.base_prefix
    return bool(origin) and any(Path(origin).is_relative_to(p) for p in places)


if __name__ == "__main__":
    main()
