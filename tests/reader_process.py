"""Run what readers took away, a process each, forked from one that has loaded torch.

``python reader_process.py`` answers each line of its input, how to run a script or a
notebook and its path, by a line of JSON.  It needs nothing of this project.
"""
# ruff: noqa: E402

import sys

import numpy.random  # noqa: F401  # numpy loads it itself, where it is named
import torch

ALONE = frozenset(sys.modules)  # what a script has that imports these

import ast
import asyncio
import atexit
import gc
import json
import linecache
import os
import threading
import traceback
import warnings
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from types import ModuleType
from typing import NoReturn

import matplotlib.pyplot
import torch._dynamo  # a second's work for optimisers and torch.func

from torchutils import Verdict

LENT = sys.modules.keys() - ALONE
INLINE = "module://matplotlib_inline.backend_inline"
Answer = dict[str, object]


def as_script(path: Path) -> Answer:
    """Be what `python path` is, but to take torch apart; return how it ended."""
    main = sys.modules["__main__"] = ModuleType("__main__")
    main.__file__ = str(path)
    sys.argv = [str(path)]
    code: object = 0
    try:
        exec(compile(path.read_bytes(), str(path), "exec"), vars(main))
    except SystemExit as end:
        code = end.code or 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    threading._shutdown()
    atexit._run_exitfuncs()
    vars(main).clear()
    gc.collect()
    return {"code": code}


def as_cells(path: Path) -> Answer:
    """Run a notebook's cells; return what its checks said.

    Several run side by side, so that each has one thread; warnings are not told.
    """
    torch.set_num_threads(1)
    matplotlib.use("agg")
    warnings.simplefilter("ignore")
    names: dict[str, object] = {"__name__": "__main__", "display": repr}
    cells = enumerate(code_of(path))
    values = [shown(cell, names, f"<cell {number}>") for number, cell in cells]
    return {"said": [it.right for it in values if isinstance(it, Verdict)]}


def shown(source: str, names: dict[str, object], place: str) -> object:
    """Run a cell; return the value of its last line, after showing it."""
    *body, last = ast.parse(source).body
    linecache.cache[place] = (len(source), None, source.splitlines(True), place)
    ends = isinstance(last, ast.Expr)
    done = compile(ast.Module(body if ends else [*body, last], []), place, "exec")
    exec(done, names)
    if not ends:
        return None
    value = eval(compile(ast.Expression(last.value), place, "eval"), names)
    repr(value)
    if draws := getattr(value, "_repr_html_", None):
        draws()
    return value


def in_jupyter(path: Path, packages: str) -> Answer:
    """Be `jupyter-execute --inplace path`, whose kernel is a fork as well.

    Jupyter is loaded from the folder ``packages``, which nobody else sees.
    """
    sys.path.append(packages)
    from jupyter_client.provisioning import local_provisioner
    from nbclient.cli import NbClientApp

    local_provisioner.launch_kernel = Kernel
    NbClientApp.launch_instance([str(path), "--inplace"])
    return {}


class Kernel:
    """What Jupyter asks of a process; a fork instead of `python -m ipykernel`."""

    stdin = stdout = stderr = None

    def __init__(
        self, command: list[str], cwd: str, env: Mapping[str, str], **_: object
    ) -> None:
        """Fork it; it leads a group of its own, which Jupyter ends."""
        self.returncode: int | None = None
        parent, self.pid = os.getpid(), os.fork()
        if self.pid:
            with suppress(OSError):  # the kernel was faster
                os.setpgid(self.pid, self.pid)
            return
        os.setpgid(0, 0)
        try:
            os.chdir(cwd)
            os.environ.clear()
            os.environ.update(env, JPY_PARENT_PID=str(parent))
            be_kernel(command[command.index("-f") + 1])
        except BaseException:
            traceback.print_exc()
        os._exit(1)

    def poll(self) -> int | None:
        """Return the exit status, once it has ended."""
        if self.returncode is None and (ended := os.waitpid(self.pid, os.WNOHANG))[0]:
            self.returncode = os.waitstatus_to_exitcode(ended[1])
        return self.returncode

    def wait(self) -> int | None:
        """Return the exit status; Jupyter asks once it knows that there is one."""
        return self.poll()


def be_kernel(connection: str) -> None:
    """Begin as a new process would: nothing of Jupyter is running, nothing plotted."""
    from ipykernel.kernelapp import IPKernelApp
    from nbclient.cli import NbClientApp

    NbClientApp.clear_instance()
    asyncio.set_event_loop(asyncio.new_event_loop())
    matplotlib.rcParams["backend"] = INLINE  # as matplotlib reads it from MPLBACKEND
    IPKernelApp.launch_instance(["-f", connection])


WAYS = {"script": as_script, "cells": as_cells, "jupyter": in_jupyter}


def code_of(path: Path) -> list[str]:
    """Return the code of a script; of a notebook, cell by cell."""
    text = path.read_text("utf-8")
    if path.suffix == ".py":
        return [text]
    cells = json.loads(text)["cells"]
    return ["".join(it["source"]) for it in cells if it["cell_type"] == "code"]


def borrowed(source: str) -> list[str]:
    """Return the modules that code names and does not import, and that are here.

    In a process of its own it would miss them.
    """
    named: dict[str, str] = {}
    own: set[str] = set()
    nodes = [*ast.walk(ast.parse(source))]
    for node in nodes:
        if isinstance(node, ast.Import):
            for it in node.names:
                own.add(it.name)
                top = it.name.partition(".")[0]
                named[it.asname or top] = it.name if it.asname else top
        elif isinstance(node, ast.ImportFrom) and node.module:
            own.add(node.module)
            for it in node.names:
                named[it.asname or it.name] = f"{node.module}.{it.name}"
    own |= {*named.values()}
    own |= {name.rpartition(".")[0] for name in own}
    chains = {ast.unparse(node) for node in nodes if isinstance(node, ast.Attribute)}
    parts = (chain.partition(".") for chain in chains)
    found = {f"{named.get(head, head)}.{rest}" for head, _, rest in parts}
    return sorted((found & LENT) - own)


def answered(way: str, path: Path, *more: str) -> Answer:
    """Run one in a fork, where it lies; return what it found and what it complained."""
    with TemporaryFile("w+") as found, TemporaryFile("w+") as errors:
        if (child := os.fork()) == 0:
            become(found.fileno(), errors.fileno(), way, path, *more)
        os.waitpid(child, 0)
        found.seek(0)
        errors.seek(0)
        killed = {"failed": "it ended its process"}
        return (json.loads(found.read() or "0") or killed) | {"errors": errors.read()}


def become(told: int, errors: int, way: str, path: Path, *more: str) -> NoReturn:
    """Do in the child what the way says; tell what it found."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number, file in enumerate((nowhere, nowhere, errors)):
        os.dup2(file, number)
    os.chdir(path.parent)
    sys.path[0] = str(path.parent)
    try:
        lent = [name for code in code_of(path) for name in borrowed(code)]
        found = {"borrowed": lent, **WAYS[way](path, *more)}
    except BaseException:
        found = {"failed": traceback.format_exc()}
    sys.stdout.flush()
    sys.stderr.flush()
    os.write(told, json.dumps(found).encode())
    os._exit(0)


def main() -> None:
    """Answer each line until there are no more."""
    gc.freeze()  # no collection touches, and so copies, what is shared
    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        way, path, *more = json.loads(line)
        print(json.dumps(answered(way, Path(path), *more)), file=answers, flush=True)


if __name__ == "__main__":
    main()
