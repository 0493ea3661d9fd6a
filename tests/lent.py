"""Environments in which readers run what they took away."""

import sysconfig
import venv
import zipfile
from pathlib import Path

from coursebuild.downloads.archives import build_wheel

__all__ = ["with_wheel"]

ROOT = Path(__file__).parents[1]


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
