"""Run notebooks as Jupyter does, a process each, but with torch loaded once for all.

``python notebook_runner.py a.ipynb b.ipynb`` prints a line of JSON for each: what the
checks in it said, or the error that ended it.  It needs nothing of this project.
"""

import ast
import json
import linecache
import os
import sys
import time
import traceback
import warnings
from pathlib import Path

import matplotlib
import torch  # before the processes part

from torchutils import Verdict

matplotlib.use("agg")
torch.set_num_threads(1)  # several run side by side


def run(path: Path) -> dict[str, object]:
    """Return what the checks said, and processor seconds; or what failed, and where."""
    cells = json.loads(path.read_text("utf-8"))["cells"]
    names: dict[str, object] = {"__name__": "__main__", "display": repr}
    said: list[bool] = []
    code = [cell["source"] for cell in cells if cell["cell_type"] == "code"]
    for number, source in enumerate(code):
        try:
            value = shown(source, names, f"<cell {number}>")
        except BaseException:
            return {"failed": traceback.format_exc(), "cell": source}
        if isinstance(value, Verdict):
            said.append(value.right)
    return {"said": said, "seconds": time.process_time()}


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


def in_a_fork(path: Path) -> str:
    """Run one notebook where it lies; return its line."""
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        os.chdir(path.parent)
        sys.path.insert(0, "")
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = json.dumps({"name": str(path), **run(path)})
        with os.fdopen(writer, "w") as out:
            out.write(found)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as out:
        found = out.read()
    os.waitpid(child, 0)
    return found or json.dumps({"name": str(path), "failed": "it killed its process"})


if __name__ == "__main__":
    for name in sys.argv[1:]:
        print(in_a_fork(Path(name).resolve()), flush=True)
