"""Lock what pyproject.toml asks for: one exact version of everything."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

__all__ = ["kept", "lock"]

HEADER = """\
# Every version that the site is built and tested with.  Written by `make lock`
# from the groups in pyproject.toml.  No hashes: torch's wheel differs between
# PyPI and PyTorch's CPU index, and either must serve.
"""
CUDA = re.compile(r"(nvidia|triton|cuda)\b")


def lock(root: Path, *, upgrade: bool = False) -> str:
    """Return the text of the lock for the groups of ``root``'s pyproject.toml.

    What is locked already stays as it is, where it fits what is asked for; with
    ``upgrade``, everything becomes the newest that fits.

    Raises:
        ValueError: the resolver took a CUDA build of torch, whose packages must
            not be forced on every reader; the message names the remedy.
    """
    groups = tomllib.loads((root / "pyproject.toml").read_text())["dependency-groups"]
    wanted = [requirement for group in groups.values() for requirement in group]
    path = root / "requirements.lock"
    old = path.read_text(encoding="utf-8") if path.exists() and not upgrade else ""
    found = dict(sorted(_resolve(wanted, kept(old, wanted)).items()))
    if cuda := [name for name in found if CUDA.match(name)]:
        raise ValueError(
            f"the resolver took a CUDA build of torch (it wants {cuda[0]}). Say: "
            "make lock TORCH_INDEX=https://download.pytorch.org/whl/cpu"
        )
    return HEADER + "".join(f"{name}=={found[name]}\n" for name in found)


def kept(old: str, wanted: list[str]) -> list[str]:
    """Return the lines of a lock that do not contradict what is asked for.

    >>> kept("# A lock.\\na==1.0\\nb==2.0\\n", ["A>=2", "b"])
    ['b==2.0']
    """
    asked = {_normal(r.name): r.specifier for r in map(Requirement, wanted)}
    pins = [Requirement(line) for line in old.splitlines() if re.match(r"\w", line)]
    return [
        str(pin)
        for pin in pins
        for version in [next(iter(pin.specifier)).version]
        if asked.get(_normal(pin.name), SpecifierSet()).contains(
            version, prereleases=True
        )
    ]


def _resolve(wanted: list[str], pins: list[str]) -> dict[str, str]:
    """Ask pip what it would install into an empty environment.

    Raises:
        ValueError: it finds nothing that fits; the message holds what pip says.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as constraints:
        constraints.write("\n".join(pins))
        constraints.flush()
        return _asked(wanted, constraints.name)


def _asked(wanted: list[str], constraints: str) -> dict[str, str]:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run"]
    command += ["--ignore-installed", "--report", "-", "-c", constraints, *wanted]
    if index := os.environ.get("TORCH_INDEX"):
        command += ["--extra-index-url", index]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise ValueError(
            f"{done.stderr.strip()}\nNothing fits all that is asked for and locked; "
            "`make lock UPGRADE=1` resolves everything anew."
        )
    packages = [item["metadata"] for item in json.loads(done.stdout)["install"]]
    return {_normal(p["name"]): p["version"].split("+")[0] for p in packages}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
