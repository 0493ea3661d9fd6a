"""Environments in which readers run what they took away."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import pytest

from coursebuild.downloads.archives import build_wheel

__all__ = ["Reader", "jupyter", "reader", "said", "with_wheel"]

ROOT = Path(__file__).parents[1]
SITE = ROOT / "build" / "html"
PROCESS = Path(__file__).with_name("reader_process.py")


class Reader:
    """A reader's Python that has loaded torch; each download has a fork of its own."""

    def __init__(self, python: Path) -> None:
        """Start it, with nothing of this project in reach."""
        self._errors = TemporaryFile("w+")  # noqa: SIM115  # of what it loads; see end
        calm = {"GOMP_SPINCOUNT": "0"}  # threads that wait leave others the processor
        self._process = subprocess.Popen(
            [python, PROCESS],
            env=_bare() | calm,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            encoding="utf-8",
        )

    def run(self, way: str, path: Path, *more: Path) -> dict[str, Any]:
        """Run what lies at a path, where it lies; return what it found.

        A "script" is run as `python` does, "cells" of a notebook one after the other,
        and those of a notebook in "jupyter", of which ``more`` has the packages.
        """
        request = json.dumps([way, *map(str, (path, *more))])
        self._process.stdin.write(f"{request}\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        self._errors.seek(0)
        errors = self._errors.read()
        assert answer, errors
        found = json.loads(answer)
        return found | {"errors": errors + found["errors"]}

    def end(self) -> None:
        """End the process, which ends with its input."""
        with self._errors, self._process as process:
            process.stdin.close()


@pytest.fixture(scope="session")
def reader(once) -> Iterator[Reader]:
    """Start Python in a fresh environment that holds what the lessons' pages name."""
    process = Reader(once("reader", _install) / "env" / "bin" / "python")
    yield process
    process.end()


@pytest.fixture(scope="session")
def jupyter(once) -> Path:
    """Return a folder with Jupyter's smallest part; a reader has Jupyter already."""
    return once("jupyter", _install_jupyter)


def said(page: Path) -> list[str]:
    """Return what a lesson's page says to install; the wheel as a file."""
    group = page.read_text().partition('class="downloads')[2]
    line = re.sub(r"<[^>]+>", "", group[: group.index("</pre>")].rpartition("<pre>")[2])
    words = line.split()
    assert words[:2] == ["pip", "install"]
    return [w.rpartition("/")[2] if w.endswith(".whl") else w for w in words[2:]]


def _install(folder: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", folder / "env"], check=True)
    (wheel,) = SITE.glob("wheel/*.whl")
    shutil.copy(wheel, folder)
    lessons = {path.stem for path in ROOT.glob("gallery/*/*.py")}
    pages = [page for page in SITE.glob("lessons/*/*.html") if page.stem in lessons]
    packages = sorted({package for page in pages for package in said(page)})
    _pip(folder / "env" / "bin" / "python", *packages, folder=folder)


def _install_jupyter(folder: Path) -> None:
    _pip(sys.executable, "--target", folder, "nbclient", "ipykernel", folder=folder)


def _pip(python: Path | str, *arguments: object, folder: Path) -> None:
    """Install as a reader would, who has set nothing for Python.

    What is loaded gets compiled then: to compile all of torch took 20 s more.
    """
    pip = [python, "-m", "pip", "install", "--quiet", "--no-compile"]
    command = [*pip, *map(str, arguments)]
    env, index = _bare(), os.environ.get("TORCH_INDEX")
    if index:
        env["PIP_EXTRA_INDEX_URL"] = index
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def _bare() -> dict[str, str]:
    """Return what is set, but for what Python itself reads."""
    return {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}


def with_wheel(env: Path) -> Path:
    """Make an environment with our wheel, and return its Python.

    All else it borrows from the environment in which the tests run: nothing is fetched.
    """
    venv.create(env, symlinks=True)
    base = {"base": str(env), "platbase": str(env)}
    packages = Path(sysconfig.get_path("purelib", vars=base))
    (packages / "beside.pth").write_text(sysconfig.get_path("purelib"))
    with zipfile.ZipFile(build_wheel(ROOT, env)) as wheel:
        wheel.extractall(packages)
    return Path(sysconfig.get_path("scripts", vars=base)) / "python"
