"""Make an environment with a release of torch, and remove it afterwards."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROOM = 14  # GB: an environment, and the wheels that it is unpacked from


class EnvironmentFailure(SystemExit):
    """An environment cannot be made; the message says which, why, and what helps."""


@dataclass(frozen=True)
class Environment:
    """A Python with a release of torch, which sees this project's modules."""

    version: str
    folder: Path

    def run(
        self, *arguments: str | Path, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run Python there, and return what it printed.

        Raises:
            EnvironmentFailure: it was to end well, and did not.
        """
        paths = os.pathsep.join(str(ROOT / name) for name in ("utils", "tests"))
        done = subprocess.run(
            [self.folder / "bin" / "python", *arguments],
            check=False,
            capture_output=True,
            text=True,
            env=os.environ | {"PYTHONPATH": paths, "PYTHONUTF8": "1"},
            cwd=ROOT,
        )
        if check and done.returncode:
            words = " ".join(map(str, arguments))
            told = (
                f"torch {self.version}: python {words} failed:\n{done.stderr[-3000:]}"
            )
            raise EnvironmentFailure(told)
        return done


@contextmanager
def environment(
    version: str,
    packages: Sequence[str | Path],
    *,
    constraints: str | Path = os.devnull,
) -> Iterator[Environment]:
    """Install a release and these packages into a folder that is removed in the end.

    Raises:
        EnvironmentFailure: there is no room, or pip could not install it.
    """
    refuse_no_release(version)
    refuse_full_disk(version)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the folder goes
    with tempfile.TemporaryDirectory(prefix=f"torch-{version}-") as name:
        folder = Path(name)
        print(f"torch {version}: installing", flush=True)
        venv.create(folder, with_pip=True)
        own = {"PIP_CONSTRAINT": str(constraints), "TMPDIR": name}  # its wheels go too
        pip = [folder / "bin" / "python", "-m", "pip", "install", "--quiet"]
        pip += ["--no-cache-dir", "--no-compile", "--disable-pip-version-check"]
        done = subprocess.run(
            [*pip, f"torch=={version}", *packages],
            check=False,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | own,
        )
        if done.returncode:
            errors = [x for x in done.stderr.splitlines() if x.startswith("ERROR")]
            told = (errors or done.stderr.splitlines() or ["no message"])[-1]
            raise EnvironmentFailure(
                f"torch {version} could not be installed: {told}\n"
                "Is it a release of PyPI's, with a wheel for this Python "
                f"({sys.version_info[0]}.{sys.version_info[1]})?  Is there a network?"
            )
        yield Environment(version, folder)


def refuse_no_release(version: str) -> None:
    """Raise where a version is not written as a release is."""
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        raise EnvironmentFailure(f"{version!r} is no release: write TORCH=2.13.0")


def refuse_full_disk(version: str, *, room: float = ROOM) -> None:
    """Raise where an environment would not fit."""
    place = tempfile.gettempdir()
    free = shutil.disk_usage(place).free / 1e9
    if free < room:
        raise EnvironmentFailure(
            f"torch {version} needs {room} GB in {place}, where {free:.0f} are free: "
            "make room, or set TMPDIR"
        )
