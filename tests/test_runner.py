"""Lessons that fail, hang, die or leak harm nobody but themselves."""

from __future__ import annotations

import textwrap
import time
from pathlib import Path

import pytest

from coursebuild.lesson import Block, Lesson
from coursebuild.runner import run_lesson

UTILS = Path(__file__).parents[1] / "utils"
NAME = "gallery/1_toy/10_toy.py"


def lesson(*cells: str, **options: object) -> Lesson:
    """Make a lesson of code cells, each two lines below the one before."""
    blocks, line = [], 1
    for cell in map(textwrap.dedent, cells):
        blocks.append(Block("code", cell, line))
        line += cell.count("\n") + 2
    return Lesson(NAME, tuple(blocks), **options)  # type: ignore[arg-type]


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
    "endless_print": ("while True:\n    print('y' * 99)", 4, "printed more than"),
    "endless_write": (PRINT_IN_C, 5, "printed more than"),
    "memory_bomb": ("x = ['']\nwhile True:\n    x += x", 5, "more memory"),
    "torch_bomb": ("import torch\ntorch.zeros(10**10)", 4, "more memory"),
    "ctrl_c": ("raise KeyboardInterrupt", 3, "raised KeyboardInterrupt"),
    "warning": ("import warnings\nwarnings.warn('old')", 4, "UserWarning: old"),
    "stopped": ("import os\nos.kill(os.getpid(), 19)", 3, "took longer than the 1 s"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_lesson_that_fails_says_what_and_where(fault: str) -> None:
    code, line, words = FAULTS[fault]
    start = time.monotonic()
    run = run_lesson(lesson("a = 1", code, seconds=1), memory=500_000_000)
    assert time.monotonic() - start < 6
    assert run.failure is not None
    assert run.failure.cell == 2
    assert words in run.failure.message
    assert run.failure.message.startswith(f"{NAME}:{run.failure.line}: cell 2 ")
    assert run.failure.line == line or line is None
