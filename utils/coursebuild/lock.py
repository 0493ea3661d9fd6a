"""Lock what pyproject.toml asks for: one exact version of everything."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

__all__ = ["lock"]

HEADER = """\
# Every version that the site is built and tested with.  Written by `make lock`
# from the groups in pyproject.toml.  No hashes: torch's wheel differs between
# PyPI and PyTorch's CPU index, and either must serve.
"""
CUDA = re.compile(r"(nvidia|triton|cuda)\b")


def lock(root: Path) -> str:
    """Return the text of the lock for the groups of ``root``'s pyproject.toml.

    Raises:
        ValueError: the resolver took a CUDA build of torch, whose packages must
            not be forced on every reader; the message names the remedy.
    """
    groups = tomllib.loads((root / "pyproject.toml").read_text())["dependency-groups"]
    wanted = [requirement for group in groups.values() for requirement in group]
    found = dict(sorted(_resolve(wanted).items()))
    if cuda := [name for name in found if CUDA.match(name)]:
        raise ValueError(
            f"the resolver took a CUDA build of torch (it wants {cuda[0]}). Say: "
            "make lock TORCH_INDEX=https://download.pytorch.org/whl/cpu"
        )
    return HEADER + "".join(f"{name}=={found[name]}\n" for name in found)


def _resolve(wanted: list[str]) -> dict[str, str]:
    """Ask pip what it would install into an empty environment."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run"]
    command += ["--ignore-installed", "--report", "-", *wanted]
    if index := os.environ.get("TORCH_INDEX"):
        command += ["--extra-index-url", index]
    report = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    packages = [item["metadata"] for item in json.loads(report)["install"]]
    return {_normal(p["name"]): p["version"].split("+")[0] for p in packages}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
