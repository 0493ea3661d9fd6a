"""Put a built site in place in one step, and know whether it is still right."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path

__all__ = ["fingerprint", "inputs", "is_current", "locked", "publish", "sweep"]

SUMS = "SHA256SUMS"
SITES = ".sites"
INPUTS = ("conf.py", "pyproject.toml", "requirements.lock", "LICENSE")
FOLDERS = ("docs", "gallery", "utils", "vendor")


def inputs(root: Path) -> Iterator[Path]:
    """Yield every file that the site is a function of, in a fixed order."""
    yield from (root / name for name in INPUTS)
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path


def fingerprint(root: Path) -> str:
    """Return the digest of all inputs, of Python's version and of torch's."""
    digest = hashlib.sha256(f"{sys.version} {version('torch')}".encode())
    digest.update(os.environ.get("SOURCE_DATE_EPOCH", "").encode())
    for path in inputs(root):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:32]


def is_current(target: Path, mark: str) -> bool:
    """Tell whether ``target`` is the site with that fingerprint, undamaged."""
    site = target.resolve()
    sums = site / SUMS
    return site.name == mark and sums.is_file() and sums.read_text() == _sums(site)


def publish(built: Path, target: Path, mark: str) -> None:
    """Make ``target`` show the folder ``built`` from one moment to the next.

    ``target`` is a symbolic link to a folder named after the fingerprint: the
    link is replaced atomically, so that no reader ever sees half a site.
    """
    for path in [built, *built.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)  # readable under any umask
    (built / SUMS).write_text(_sums(built))
    (built / SUMS).chmod(0o644)
    site = target.parent / SITES / mark
    site.parent.mkdir(exist_ok=True)
    if site.exists():  # the same inputs, but damaged
        site.rename(site.with_name(f"{mark}.old"))
    built.rename(site)
    link = target.with_name(f".{target.name}.new")
    link.unlink(missing_ok=True)
    link.symlink_to(site.relative_to(target.parent))
    if target.is_dir() and not target.is_symlink():
        shutil.rmtree(target)
    link.replace(target)


def sweep(target: Path) -> None:
    """Remove what former builds left: sites nobody sees, half-built folders."""
    current = target.resolve().name
    leftovers = [*target.parent.glob(f"{SITES}/*"), *target.parent.glob(".work-*")]
    for path in leftovers:
        if path.name != current:
            shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder for one build; wait while another holds it."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / ".lock", "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another build is running here; waiting for it to end", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _sums(site: Path) -> str:
    """Return the checksums of all files in the form that sha256sum checks."""
    names: Iterable[str] = (
        path.relative_to(site).as_posix()
        for path in site.rglob("*")
        if path.is_file() and path.name != SUMS
    )
    return "".join(
        f"{hashlib.sha256((site / name).read_bytes()).hexdigest()}  {name}\n"
        for name in sorted(names)
    )
