"""Lessons that fail, hang, die or leak harm nobody but themselves."""

from __future__ import annotations

import ast
import operator
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from coursecheck.stated import Block
from courserun import runner
from courserun.forkserver import ENVIRONMENT, LATE
from courserun.lesson import Lesson, Run
from courserun.runner import LessonExecutor, run_lesson, stop_servers

UTILS = Path(__file__).parents[1] / "utils"
NAME = "gallery/1_toy/10_toy.py"


def lesson(*cells: str, **options: object) -> Lesson:
    """Make a lesson of code cells, each two lines below the one before."""
    blocks, line = [], 1
    for cell in map(textwrap.dedent, cells):
        blocks.append(Block("code", cell, line))
        line += cell.count("\n") + 2
    return Lesson(NAME, tuple(blocks), **options)  # type: ignore[arg-type]


PROMPT = 30  # seconds, on a busy machine; an endless lesson would take its minute
SEGFAULT = "import ctypes\nctypes.string_at(0)"
SPIN_IN_C = "n = 10**12\nsum(range(n))"
PRINT_IN_C = "import os\nwhile True:\n    os.write(1, b'y' * 4096)"
FAULTS = {  # code of cell 2, which begins at line 3: (line, words of the message)
    "raises": ("1 / 0", 3, "raised ZeroDivisionError: division by zero"),
    "sys_exit": ("import sys\nsys.exit(0)", 4, "called exit(0)"),
    "os_exit": ("import os\nos._exit(0)", 3, "ended the process (exit code 0)"),
    "segfault": (SEGFAULT, 4, "died of SIGSEGV"),
    "killed": ("import os\nos.kill(os.getpid(), 9)", 3, "died of SIGKILL"),
    "loop_in_python": ("while True:\n    pass", None, "took longer than the 1 s"),
    "loop_in_c": (SPIN_IN_C, 4, "took longer than the 1 s"),
    "endless_print": ("while True:\n    print('y' * 99)", 4, "shows more than"),
    "endless_write": (PRINT_IN_C, 5, "shows more than"),
    "memory_bomb": ("x = ['']\nwhile True:\n    x += x", 5, "more memory"),
    "torch_bomb": ("import torch\ntorch.zeros(10**10)", 4, "more memory"),
    "ctrl_c": ("raise KeyboardInterrupt", 3, "raised KeyboardInterrupt"),
    "warning": ("import warnings\nwarnings.warn('old')", 4, "UserWarning: old"),
    "stopped": ("import os\nos.kill(os.getpid(), 19)", 3, "took longer than the 1 s"),
}


@pytest.fixture(scope="module", autouse=True)
def _server() -> None:
    """Start the process that lessons are forked from, for which no lesson pays."""
    assert run_lesson(lesson("import torch")).failure is None


@pytest.mark.parametrize("fault", FAULTS)
def test_lesson_that_fails_says_what_and_where(fault: str) -> None:
    code, line, words = FAULTS[fault]
    seconds = 1 if "took longer than the 1 s" in words else 10  # the others end early
    start = time.monotonic()
    run = run_lesson(lesson("a = 1", code, seconds=seconds), memory=200_000_000)
    assert time.monotonic() - start < seconds + PROMPT
    assert run.failure is not None
    assert run.failure.cell == 2
    assert words in run.failure.message
    assert run.failure.message.startswith(f"{NAME}:{run.failure.line}: cell 2 ")
    assert run.failure.line == line or line is None


PROBE = lesson(
    """
    import os, random, time, warnings, numpy, torch, torchutils
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = (x * 1 / 3).sum()
    print(y, y.dtype, y.device, y.requires_grad, y.is_inference(), torch.empty(1))
    print(torch.is_anomaly_enabled(), torch.are_deterministic_algorithms_enabled())
    print(torch.rand(1), random.random(), numpy.random.rand(), numpy.float64(1) / 3)
    print(torch.get_num_threads(), os.environ.get("LEAK"), time.tzname, torch.LEAK)
    try:
        print(warnings.warn("seen"))
    except UserWarning:
        print("raised")
    print(os.listdir(), os.umask(0), getattr(torchutils, "LEAK", None), torch.sin(x))
    """.replace("torch.LEAK", "hasattr(torch, 'LEAK')")
)
LEAKS = {
    "dtype": "torch.set_default_dtype(torch.float64)",
    "device": "torch.set_default_device('meta')",
    "grad_mode": "torch.set_grad_enabled(False)",
    "inference_mode": "guard = torch.inference_mode(); guard.__enter__()",
    "anomaly_mode": "torch.autograd.set_detect_anomaly(True)",
    "torch_seed": "torch.manual_seed(9)",
    "python_seed": "random.seed(9)",
    "numpy_seed": "numpy.random.seed(9)",
    "threads": "torch.set_num_threads(2)",
    "deterministic": "torch.set_deterministic_debug_mode(0)",
    "print_options": "torch.set_printoptions(precision=9)",
    "numpy_print": "numpy.set_printoptions(legacy='1.13')",
    "environment": "os.environ['LEAK'] = 'yes'",
    "time_zone": "os.environ['TZ'] = 'Asia/Tokyo'; time.tzset()",
    "folder": "os.mkdir('a'); os.makedirs('b/c'); os.chdir('b')",
    "umask": "os.umask(0o77)",
    "patched_torch": "torch.sin = torch.cos",
    "torch_global": "torch.LEAK = 1",
    "helper_global": "torchutils.LEAK = 1",
    "warnings": "warnings.simplefilter('ignore')",
}
IMPORTS = "import os, random, time, warnings, numpy, torch, torchutils"


@pytest.fixture(scope="module")
def alone() -> Run:
    """Run the lesson that shows all state, before any other leaks into it."""
    run = run_lesson(PROBE)
    assert run.failure is None
    return run


@pytest.mark.parametrize("leak", LEAKS)
def test_state_of_one_lesson_is_not_seen_by_the_next(leak: str, alone: Run) -> None:
    code = f"{IMPORTS}\n{LEAKS[leak]}\nNone"
    within = run_lesson(lesson(code, PROBE.blocks[0].source))
    # The leak is one: in the same process it shows.
    assert within.outputs[1:] != alone.outputs
    assert run_lesson(PROBE) == alone


def test_lesson_may_run_as_on_an_old_processor() -> None:
    """Beside the others, whose server goes on."""
    asks = lesson("import torch\ntorch.backends.cpu.get_cpu_capability()")
    before = run_lesson(asks)
    old = run_lesson(asks, oldest=True)
    assert "DEFAULT" in old.to_json()
    assert run_lesson(asks) == before


def test_order_of_leaking_lessons_changes_nothing(alone: Run) -> None:
    leaks = [lesson(f"{IMPORTS}\n{leak}\nNone") for leak in LEAKS.values()]
    lessons = [*leaks, *[PROBE] * 5]
    for seed in range(3):
        random.Random(seed).shuffle(lessons)
        with LessonExecutor(2) as executor:
            runs = list(executor.map(run_lesson, lessons))
        assert not [run.failure for run in runs if run.failure]
        shown = [run for made, run in zip(lessons, runs, strict=True) if made is PROBE]
        assert shown == [alone] * 5


def test_lesson_finds_another_main_and_no_variables_of_the_parent() -> None:
    (output,) = run_lesson(
        lesson("import sys\nsys.argv, 'pytest' in sys.modules")
    ).outputs
    assert output is not None
    assert output.parts[0].source == f"(['{NAME}'], False)"


def test_environment_of_the_user_is_not_the_lessons(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code = "import os\nsorted(set(os.environ) - {'LD_LIBRARY_PATH', 'TMPDIR', 'HOME'})"
    monkeypatch.setenv("TORCH_LOGS", "autograd")
    stop_servers()
    (output,) = run_lesson(lesson(code)).outputs
    assert output is not None
    assert output.parts[0].source == str(sorted([*ENVIRONMENT, "PATH"]))


GRADIENT = """
    import torch
    x = torch.ones(100_000, requires_grad=True)
    (x @ x).backward()
    x.grad.sum()
"""


def test_torch_computes_in_many_children_at_once() -> None:
    with LessonExecutor(4) as executor:
        runs = list(executor.map(run_lesson, [lesson(GRADIENT)] * 8))
    assert {run.outputs[0].parts[0].source for run in runs} == {"tensor(200000.)"}


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_server_has_one_thread_and_does_not_grow() -> None:
    for _ in range(2):  # the server takes over what the first one had to import
        assert run_lesson(lesson(*map("import {}".format, LATE))).failure is None
    process = Path("/proc") / str(runner._server()._process.pid)
    opened = _handles(process)
    size = _resident(process)
    for _ in range(60):
        assert run_lesson(lesson("1")).failure is None
    assert len(list((process / "task").iterdir())) == 1
    assert _resident(process) - size < 1_000
    # The last child's line is closed a moment later.
    _wait_until(lambda: all(map(operator.le, _handles(process), opened)))


def _handles(process: Path) -> list[int]:
    return [len(list((p / "fd").iterdir())) for p in (process, Path("/proc/self"))]


def _resident(process: Path) -> int:
    text = (process / "status").read_text()
    return int(text.partition("VmRSS:")[2].split()[0])


def test_lesson_that_cannot_be_run_says_why() -> None:
    run = run_lesson(lesson("1", seconds=0))
    assert run.failure is not None
    assert "could not be run" in run.failure.message
    assert "timeout must be greater than 0" in run.failure.message


def test_folders_of_lessons_are_removed() -> None:
    code = "import os\nos.mkdir('a')\nopen('a/b', 'w').close()\nos.getcwd()"
    (output,) = run_lesson(lesson(code)).outputs
    assert output is not None
    folder = Path(ast.literal_eval(output.parts[0].source)).parent
    _wait_until(lambda: not folder.exists())
    home = folder.parent
    stop_servers()
    assert not home.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_killed_build_leaves_nothing_wherever_it_was(tmp_path: Path) -> None:
    """Its folders go with it, and so does the process that lessons come from."""
    chance = random.Random(0)
    many = "import time\ntime.sleep(0.01)\nopen('made', 'w').close()"
    for warm in (3, *(chance.uniform(0, 1) for _ in range(9))):
        with _parent(many, tmp_path, times=500) as parent:
            assert parent.stdout is not None
            assert parent.stdout.readline() == "main\n"
            time.sleep(warm)
            assert parent.poll() is None
            parent.kill()
    home = tmp_path / "with space ü"
    _wait_until(lambda: not _processes_below(home))  # some have yet to load torch
    # A file of this kind is Python's: it tries whether the folder can be written to.
    tried = {p.name for p in home.iterdir() if p.is_file() and len(p.name) == 8}
    left = {p.name for p in home.iterdir()} - {"parent.py", "__pycache__"}
    assert left <= tried


def _processes_below(home: Path) -> list[str]:
    """Name the processes whose temporary folder is this one."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if b"TMPDIR=" + os.fsencode(home) in (process / "environ").read_bytes():
                found.append(process.name)
    return found


def test_what_a_lesson_started_ends_with_it(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    code = f"""
        import subprocess
        process = subprocess.Popen(["sleep", "100"])
        open({str(note)!r}, "w").write(str(process.pid))
    """
    assert run_lesson(lesson(code + "    1")).failure is None
    _wait_until(lambda: not _lives(int(note.read_text())))
    assert run_lesson(lesson(code + "    while True: pass", seconds=1)).failure
    _wait_until(lambda: not _lives(int(note.read_text())))


def test_server_that_dies_fails_its_lesson_and_comes_again() -> None:
    with LessonExecutor(1) as executor:
        future = executor.submit(run_lesson, lesson("while True: pass"))
        time.sleep(0.2)
        os.kill(runner._server()._process.pid, signal.SIGKILL)
        run = future.result(timeout=PROMPT)
    assert run.failure is not None
    assert "was interrupted" in run.failure.message
    assert run_lesson(lesson("1")).failure is None


def test_fork_shares_the_server_and_ends_its_own_lessons_alone() -> None:
    server = runner._server()
    pid = os.fork()
    if not pid:
        well = False
        try:
            well = run_lesson(lesson("1")).failure is None
            with LessonExecutor(1) as executor:
                endless = executor.submit(run_lesson, lesson("while True: pass"))
                time.sleep(0.5)
                stop_servers()
                failure = endless.result().failure
            well &= failure is not None and "was interrupted" in failure.message
        finally:
            os._exit(not well)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert run_lesson(lesson("1")).failure is None
    assert runner._server() is server


def test_server_hears_the_end_while_it_forks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python swallows what a signal's handler raises in the middle of a fork."""
    end = "os.kill(os.getpid(), signal.SIGTERM)"
    hook = f"import os, signal\nos.register_at_fork(after_in_parent=lambda: {end})"
    (tmp_path / "sitecustomize.py").write_text(hook)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    stop_servers()
    run = run_lesson(lesson("while True: pass", seconds=10))
    stop_servers()
    assert run.failure is not None
    assert "was interrupted" in run.failure.message


def test_executor_that_an_error_leaves_kills_its_lessons() -> None:
    start = time.monotonic()
    endless = lesson("while True: pass")
    executor = LessonExecutor(2)
    futures = [executor.submit(run_lesson, endless) for _ in range(5)]
    with suppress(KeyboardInterrupt), executor:
        time.sleep(0.5)
        raise KeyboardInterrupt
    assert time.monotonic() - start < PROMPT
    assert all(f.cancelled() or f.result().failure for f in futures)


def test_helper_that_changes_is_loaded_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in ("coursecheck", "courserun"):
        (tmp_path / package).symlink_to(UTILS / package)
    helper = tmp_path / "torchutils" / "__init__.py"
    helper.parent.mkdir()
    monkeypatch.setattr(runner, "UTILS", tmp_path)
    shows = lesson("import torchutils\ntorchutils.VALUE")
    for value in ("11", "1 / 0", "222"):
        helper.write_text(f"VALUE = {value}")
        run = run_lesson(shows)
        if run.failure:
            assert "torchutils/__init__.py:1 in <module>: VALUE = 1 / 0" in str(run)
        else:
            assert run.outputs[0] is not None
            assert run.outputs[0].parts[0].source == value


PARENT = """
import sys
print("main", flush=True)
from coursecheck.stated import Block
from courserun.lesson import Lesson
from courserun.runner import LessonExecutor, run_lesson
lesson = Lesson("gallery/1 ü/1.py", (Block("code", sys.argv[1], 1),))
with LessonExecutor(2) as executor:
    count = range(int(sys.argv[2]))
    runs = [f.result() for f in [executor.submit(run_lesson, lesson) for _ in count]]
print(ascii([run.failure or run.outputs[0].parts[0].source for run in runs]))
"""


def _parent(
    code: str, folder: Path, *, way: str = "script", times: int = 2
) -> subprocess.Popen[str]:
    """Start a process that runs a lesson so many times, in a poor environment."""
    home = folder / "with space ü"
    home.mkdir(exist_ok=True)
    script = home / "parent.py"
    script.write_text(PARENT)
    command = {"script": [script], "-c": ["-c", PARENT], "-m": ["-m", "parent"]}[way]
    return subprocess.Popen(
        [sys.executable, *command, code, str(times)],
        cwd=home,
        env={"PYTHONPATH": str(UTILS), "LC_ALL": "C", "TMPDIR": str(home), "PATH": ""},
        umask=0o077,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("way", ["script", "-c", "-m"])
def test_parent_may_be_started_in_any_way(tmp_path: Path, way: str) -> None:
    with _parent("'é'", tmp_path, way=way) as parent:
        out, _ = parent.communicate(timeout=60)
    assert out == "main\n" + ascii(["'é'", "'é'"]) + "\n"
    assert parent.returncode == 0
    left = {p.name for p in (tmp_path / "with space ü").iterdir()}
    assert left <= {"parent.py", "__pycache__"}


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_lessons_die_with_their_parent(tmp_path: Path, how: signal.Signals) -> None:
    note = tmp_path / "pid"
    # Appended: two lessons write, and a file that one has emptied may stay so.
    write = f"open({str(note)!r}, 'a').write(f'{{os.getpid()}}\\n')"
    code = f"import os\n{write}\nwhile 1: 1"
    with _parent(code, tmp_path) as parent:
        _wait_until(lambda: note.exists() and note.read_text())
        parent.send_signal(how)
        assert parent.wait(timeout=PROMPT) != 0
    _wait_until(lambda: not any(_lives(int(pid)) for pid in note.read_text().split()))
    folder = tmp_path / "with space ü"
    _wait_until(lambda: not list(folder.glob("lesson*")))


def _lives(pid: int) -> bool:
    """Tell whether a process lives; where nobody asks how it ended, it stays listed."""
    try:
        os.kill(pid, 0)
        stat = Path(f"/proc/{pid}/stat")
        return not stat.exists() or ") Z " not in stat.read_text()
    except ProcessLookupError:
        return False


def _wait_until(true: Callable[[], object]) -> None:
    end = time.monotonic() + 60  # a second, but others may use this machine
    while not true():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.02)
