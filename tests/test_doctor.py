"""The doctor: one sentence with its remedy for each thing that is wrong."""

from __future__ import annotations

import ast
import fcntl
import importlib.util
import os
import shutil
import subprocess
import sys
from collections import namedtuple
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
from toy import ENVIRONMENT, ROOT, Done, obey_modes

from coursebuild.commands import doctor

SCRIPT = ROOT / "utils/coursebuild/commands/doctor.py"
OFFLINE = {
    "PIP_CONFIG_FILE": os.devnull,
    "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
    "PIP_RETRIES": "0",
}

Usage = namedtuple("Usage", "free")


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    """Make a folder with our code, an environment that works, and a browser."""
    shutil.copytree(ROOT / "utils", tmp_path / "utils")
    (tmp_path / ".venv").symlink_to(sys.prefix)
    torch = version("torch").split("+")[0]
    (tmp_path / "requirements.lock").write_text(f"# A lock.\ntorch=={torch}\n")
    browser = tmp_path / "bin" / "chromium"
    browser.parent.mkdir()
    browser.touch(0o755)
    yield tmp_path
    shutil.rmtree(tmp_path)


def ask(project: Path, *, preexec_fn: object = None, **variables: str) -> Done:
    """Ask the doctor."""
    path = f"{project / 'bin'}:{ENVIRONMENT['PATH']}"
    done = subprocess.run(
        [sys.executable, "-m", "coursebuild.commands.doctor"],
        cwd=project,
        env=ENVIRONMENT | {"PATH": path, "TMPDIR": str(project)} | variables,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=preexec_fn,  # type: ignore[arg-type]
    )
    assert "Traceback" not in done.stderr
    return Done(done.returncode, done.stdout, done.stderr)


def test_doctor_parses_under_the_oldest_python_3() -> None:
    ast.parse(SCRIPT.read_text(encoding="utf-8"), feature_version=(3, 4))


def test_healthy_machine_is_well(project: Path) -> None:
    done = ask(project)
    assert done.out.endswith("All is well.\n")
    assert version("torch") in done.out
    assert done.code == 0


@pytest.mark.parametrize("line", ["torch==9.9.9", "no-such-package==1.0"])
def test_package_that_the_lock_wants_is_missing(project: Path, line: str) -> None:
    (project / "requirements.lock").write_text(f"{line}\n")
    done = ask(project, **OFFLINE)
    assert f"Missing: {line}. Say: make html" in done.out
    assert "pip cannot fetch packages" in done.out
    assert done.code == 1


def test_machine_without_environment_needs_the_index(project: Path) -> None:
    (project / ".venv").unlink()
    done = ask(project, **OFFLINE)
    assert "There is no environment yet" in done.out
    assert "Check the network" in done.out


def test_environment_that_lost_its_python_is_told(project: Path) -> None:
    (project / ".venv").unlink()
    python = project / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\necho gone >&2\nexit 3\n")
    python.chmod(0o755)
    words = ".venv/bin/python does not run: gone. Say: make clean html"
    assert words in ask(project).out


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("utils/torch.py", "raise ImportError('no torch')", "ImportError: no torch"),
        (
            "utils/courserun/forkserver.py",
            "ENVIRONMENT = LATE = OLDEST = {}",
            "No lesson can",
        ),
    ],
)
def test_lesson_that_cannot_run_is_told(
    project: Path, name: str, text: str, words: str
) -> None:
    (project / name).write_text(text)
    done = ask(project)
    assert words in done.out
    assert done.code == 1


def test_folder_without_write_permission_is_told(project: Path) -> None:
    (project / "build").mkdir(mode=0o555)
    done = ask(project, preexec_fn=obey_modes)
    assert f"{project / 'build'}: Permission denied. Make it" in done.out


def test_file_in_the_place_of_the_folder_is_told(project: Path) -> None:
    (project / "build").touch()
    assert f"{project / 'build'}: Not a directory. Make it" in ask(project).out


def test_build_that_runs_is_told(project: Path) -> None:
    (project / "build").mkdir()
    with (project / "build" / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "A build is running here. Wait for it" in ask(project).out


def test_lock_that_a_killed_build_left_is_nothing(project: Path) -> None:
    (project / "build").mkdir()
    (project / "build" / ".lock").touch()
    assert ask(project).code == 0


@pytest.mark.parametrize(
    ("place", "name", "value", "words"),
    [
        (doctor, "NEEDS", (9, 9), "Install 9.9 or later: make PYTHON="),
        (doctor, "LITTLE_SHARED", 2**60, "too small for Chromium. Start with"),
        (doctor, "CHROMIUM", ("no-browser",), "needs Chromium. Debian"),
        (shutil, "disk_usage", lambda _: Usage(10**8), "has 0.1 GB left. Make room"),
        (importlib.util, "find_spec", lambda _: None, "apt install python3-venv"),
    ],
)
def test_fault_of_the_machine_is_told(
    monkeypatch: pytest.MonkeyPatch, place: object, name: str, value: object, words: str
) -> None:
    assert words not in "".join(doctor._machine())
    monkeypatch.setattr(place, name, value)
    assert words in "".join(doctor._machine())
