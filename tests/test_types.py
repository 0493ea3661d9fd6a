"""Types hold, and those who call torchutils are told of every wrong option."""

import ast
import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest
from lent import with_wheel

import torchutils

ROOT = Path(__file__).parents[1]
CALLS = ROOT / "tests/typed_calls.py"
TYPED = ("torchutils", "coursecheck", "courserun", "coursebuild")


def mypy(folder, *arguments):
    """Run it in a folder; what it knows of torch stays from run to run."""
    own = ("PYTHONPATH", "MYPYPATH", "MYPY_CACHE_DIR")
    cache = ROOT / "build/.mypy"  # without it each run reads torch for 13 s
    return subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", cache, *arguments],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if name not in own},
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    """Return the Python of an environment with our wheel and what it depends on."""
    return with_wheel(tmp_path_factory.mktemp("reader") / "env")


def test_types_hold():
    done = mypy(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    typed = [p for name in TYPED for p in ROOT.glob(f"utils/{name}/**/*.py")]
    assert f"{len(typed)} source files" in done.stdout


def test_readers_calls_are_checked_against_the_wheel(reader):
    done = mypy(reader.parents[2], "--python-executable", reader, CALLS)
    assert done.returncode == 0, done.stdout + done.stderr


def calls(name):
    """Return the calls of a function that the reader's script makes."""
    for node in ast.walk(ast.parse(CALLS.read_text("utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == name:
            yield node


@pytest.mark.parametrize("name", torchutils.__all__)
def test_reader_calls_all_that_is_public_with_every_option(name):
    known = [*inspect.signature(getattr(torchutils, name)).parameters]
    given, found = set(), [*calls(name)]
    for call in found:
        given |= {*known[: len(call.args)], *(k.arg for k in call.keywords)}
    assert found
    assert set(known) - given == set()
