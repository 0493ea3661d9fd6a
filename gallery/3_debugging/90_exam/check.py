"""Say which of the twelve scripts are repaired: ``python check.py``."""

import ast
import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

SECONDS = 60


class Task(NamedTuple):
    """What a script has to keep, and what has to hold once more for other numbers."""

    assertion: str  # its last line: a repair leaves it as it is, and makes it true
    numbers: str  # its data, rates and rounds: a repair leaves them as they are
    old: str  # then this one, where it stands first in a tensor,
    new: str  # is changed to that one,
    then: str  # and this has to hold


W = "assert w.isclose(torch.tensor(2.0), rtol=0.01), w"
POINTS = "1.0 2.0 3.0 2.0 4.0 6.0 1.0"
TASKS = {
    "01_predict.py": Task(
        "assert w.grad == -28, w.grad",
        *(POINTS, "6.0", "8.0"),
        "assert w.grad.isclose(torch.tensor(-40.0)), w.grad",
    ),
    "02_squares.py": Task(
        "assert w.grad.isclose(torch.tensor(-28 / 3)), w.grad",
        *(POINTS, "6.0", "8.0"),
        "assert w.grad.isclose(torch.tensor(-40 / 3)), w.grad",
    ),
    "03_logarithm.py": Task(
        "assert x.grad.allclose(x.sigmoid()), x.grad",
        *("0.0 1.0", "1.0", "2.0"),
        "assert x.grad.allclose(torch.tensor([0.0, 2.0]).sigmoid()), x.grad",
    ),
    # A round keeps 0.72 of the distance to the best weight, 34 / 14.
    "04_step.py": Task(
        W,
        *(f"{POINTS} 20 0.01", "6.0", "8.0"),
        "assert w.isclose(torch.tensor((34 - 20 * 0.72**20) / 14), rtol=1e-4), w",
    ),
    "05_rounds.py": Task(
        W,
        *(f"{POINTS} 0.01 20", "6.0", "8.0"),
        "assert w.isclose(torch.tensor((34 - 20 * 0.72**20) / 14), rtol=1e-4), w",
    ),
    "06_state.py": Task(
        "assert w.isclose(torch.tensor(0.09)), w",
        *("0.5 0.1 1.0 3", "0.5", "0.7"),
        "assert w.isclose(torch.tensor(0.228)), w",
    ),
    "07_line.py": Task(
        W,
        *(f"{POINTS} 0.1 20", "6.0", "8.0"),
        "assert w.isclose(torch.tensor(34 / 14), rtol=1e-4), w",
    ),
    "08_descent.py": Task(
        W,
        *(f"{POINTS} 0.01 15", "6.0", "8.0"),
        "assert w.isclose(torch.tensor((34 - 20 * 0.72**15) / 14), rtol=1e-4), w",
    ),
    "09_limit.py": Task(
        "assert [*w, *w.grad] == [0.5, 1, 1, 12], w.grad",
        *("1.0 2.0 0.5 3.0", "3.0", "4.0"),
        "assert [*w, *w.grad] == [0.5, 1, 1, 16], w.grad",
    ),
    "10_penalty.py": Task(
        "assert w.grad == -27, w.grad",
        *(POINTS, "6.0", "8.0"),
        "assert w.grad.isclose(torch.tensor(-39.0)), w.grad",
    ),
    "11_root.py": Task(
        "assert w.grad == 1, w.grad",
        *("1.0 1.0 0.0 4.0", "0.0", "9.0"),
        "assert w.grad.isclose(torch.tensor(2.5)), w.grad",
    ),
    "12_outlier.py": Task(
        "assert p.grad.equal(torch.tensor([0.5, -0.5, -1.0])), p.grad",
        *("1.5 2.0 3.0 1.0 2.5 30.0", "1.5", "1.75"),
        "assert p.grad.allclose(torch.tensor([0.75, -0.5, -1.0])), p.grad",
    ),
}


def kept(source: str, assertion: str) -> bool:
    """Tell whether a script still ends in its assertion."""
    body = ast.parse(source).body
    return bool(body) and ast.dump(body[-1]) == ast.dump(ast.parse(assertion).body[0])


def numbers(tree: ast.AST) -> list[ast.Constant]:
    """Return the numbers in a script, or in a part of it."""
    constants = [node for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    return [node for node in constants if type(node.value) in (int, float)]


def data(tree: ast.AST) -> list[ast.Constant]:
    """Return the numbers of which a script makes tensors."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    tensors = [call for call in calls if ast.unparse(call.func) == "torch.tensor"]
    return [number for tensor in tensors for number in numbers(tensor)]


def counted(source: str) -> Counter[str]:
    """Count how often each number stands in a script."""
    return Counter(repr(number.value) for number in numbers(ast.parse(source)))


def lost(source: str, task: Task) -> list[str]:
    """Return which of a script's numbers a repair has lost, its last line apart."""
    have = counted(source) - counted(task.assertion)
    return list((Counter(task.numbers.split()) - have).elements())


def changed(source: str, old: str, new: str) -> str:
    """Return a script with another number where this one stands first in its data."""
    tree = ast.parse(source)
    first = set(data(tree))
    places = [node for node in numbers(tree) if repr(node.value) == old]
    node = min(places, key=lambda at: (at not in first, at.lineno, at.col_offset))
    lines = source.encode().splitlines(keepends=True)
    line = lines[node.lineno - 1]
    before, after = line[: node.col_offset], line[node.end_col_offset :]
    lines[node.lineno - 1] = before + new.encode() + after
    return b"".join(lines).decode()


def execute(path: Path, source: str, assertion: str) -> None:
    """Run a script up to its last line, and there an assertion."""
    names = {"__name__": "__main__", "__file__": str(path)}
    script = ast.parse(source)
    del script.body[-1]
    exec(compile(script, path, "exec"), names)
    exec(assertion, names)


def run(path: Path, task: Task) -> None:
    """Run a script, and once more with another number in its data."""
    source = path.read_text(encoding="utf-8")
    execute(path, source, task.assertion)
    try:
        execute(path, changed(source, task.old, task.new), task.then)
    except Exception as error:
        wrong = f"{type(error).__name__}: {error}".splitlines()[0]
        raise AssertionError(
            f"right for these numbers only: with {task.new} for {task.old}, {wrong}"
        ) from None
    print("\nrepaired")


def ending(path: Path, task: Task, seconds: float = SECONDS) -> str:
    """Run a script in a process of its own; return "repaired", or what it says."""
    command = [sys.executable, __file__, str(path), *task]
    asserting = {k: v for k, v in os.environ.items() if k != "PYTHONOPTIMIZE"}
    try:
        child = subprocess.run(
            command, capture_output=True, timeout=seconds, env=asserting
        )
    except subprocess.TimeoutExpired:
        return f"still running after {seconds} seconds"
    if not child.returncode and child.stdout.splitlines()[-1:] == [b"repaired"]:
        return "repaired"
    said = child.stderr.decode("utf-8", "replace").splitlines()
    errors = [line for line in said if line and not line[0].isspace()]
    return errors[-1].split(". ")[0] if errors else "ends before its assertion"


def complaint(source: str, task: Task) -> str:
    """Return which part that has to stay a script has lost, or nothing."""
    if not kept(source, task.assertion):
        return f"has to end in its line: {task.assertion}"
    if gone := lost(source, task):
        return f"has to keep its numbers, and has lost {', '.join(gone)}"
    return ""


def verdict(path: Path) -> str:
    """Return "repaired", or a word on why a script is not."""
    task = TASKS[path.name]
    try:
        complains = complaint(path.read_text(encoding="utf-8"), task)
    except FileNotFoundError:
        return "is missing"
    except SyntaxError as error:
        return f"line {error.lineno} is no Python: {error.msg}"
    return complains or ending(path, task)


def main(folder: Path) -> int:
    """Print a line for each script; return 0 if all are repaired, else 1."""
    paths = [folder / name for name in TASKS]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        verdicts = list(pool.map(verdict, paths))
    for path, words in zip(paths, verdicts, strict=True):
        print(f"{path.name:17} {words}")
    repaired = verdicts.count("repaired")
    print(f"{repaired} of {len(paths)} are repaired.")
    return int(repaired < len(paths))


if __name__ == "__main__":
    if sys.argv[1:]:  # the process of a script: see `ending`
        run(Path(sys.argv[1]), Task(*sys.argv[2:]))
    else:
        sys.exit(main(Path(__file__).resolve().parent))
