"""The first command on a fresh machine: one sentence for everything that lacks."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from coursebuild.commands import bootstrap

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "utils/coursebuild/commands/bootstrap.py"


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "requirements.lock").write_text("")
    return tmp_path


def run(project, **variables):
    return subprocess.run(
        [sys.executable, SCRIPT],
        cwd=project,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_bootstrap_parses_under_the_oldest_python_3():
    ast.parse(SCRIPT.read_text(), feature_version=(3, 4))


def test_old_python_gets_a_sentence(project, monkeypatch, capsys):
    monkeypatch.setattr(bootstrap, "NEEDS", (9, 9))
    assert bootstrap.main() == 1
    error = capsys.readouterr().err
    assert "is too old: this project needs 9.9 or later" in error
    assert "make PYTHON=" in error


def test_environment_is_made_once_until_the_lock_or_the_folder_changes(project):
    """An environment takes seconds, so that one serves for three facts."""
    assert "Making the environment" in run(project).stdout
    assert run(project).stdout == ""
    moved = project / "moved" / "here"
    shutil.copytree(project, moved, symlinks=True, ignore=lambda *_: {"moved"})
    assert "Making the environment" in run(moved).stdout
    (project / "requirements.lock").write_text("# changed\n")
    assert "Making the environment" in run(project).stdout
    assert run(project).stdout == ""


def test_environment_of_another_folder_is_not_emptied(project):
    theirs = project / "theirs"
    theirs.mkdir()
    (theirs / "kept").write_text("")
    (project / ".venv").symlink_to("theirs")
    result = run(project)
    assert result.returncode == 1
    assert result.stderr.startswith(".venv is a link to theirs, and would be emptied.")
    assert (theirs / "kept").exists()


def test_missing_venv_module_gets_a_sentence(project):
    (project / "venv.py").write_text("raise SystemExit('No module named ensurepip')")
    result = run(project, PYTHONPATH=str(project))
    assert result.returncode == 1
    assert "apt install python3-venv" in result.stderr
    assert "Traceback" not in result.stderr


def test_missing_network_gets_a_sentence_and_can_be_repeated(project):
    (project / "requirements.lock").write_text("torch==2.13.0\n")
    offline = {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_FIND_LINKS": "",
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_RETRIES": "0",
    }
    for _ in range(2):
        result = run(project, **offline)
        assert result.returncode == 1
        assert "Check the network" in result.stderr
        assert "Traceback" not in result.stderr
