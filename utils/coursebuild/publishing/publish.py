"""Put a built site in place in one step, and know whether it is still right."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from importlib.metadata import version
from pathlib import Path

from coursebuild.addresses import read_places
from coursebuild.publishing.source_date import source_date
from courserun.kept import digest_of, files_below

__all__ = [
    "STORES",
    "State",
    "checksums",
    "code",
    "fingerprint",
    "input_date",
    "inputs",
    "is_current",
    "locked",
    "pages_key",
    "publish",
    "readable",
    "state",
    "sweep",
    "swept",
]

State = list[tuple[str, int, int]]
SUMS = "SHA256SUMS"
SITES = ".sites"
STORES = [".cards", ".code", ".formulas", ".lessons", ".links", ".notebooks"]
STORES += [".read", ".runs"]
AGAIN = "-again"
INPUTS = ("conf.py", "pyproject.toml", "requirements.lock", "LICENSE")
FOLDERS = ("docs", "gallery", "utils", "vendor")
SOURCES = (".md", ".rst", ".ipynb")  # of pages in docs


def inputs(root: Path) -> Iterator[Path]:
    """Yield every file that the site is a function of, in a fixed order."""
    yield from (root / name for name in INPUTS)
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path


def input_date(root: Path) -> date | None:
    """Return the day of the last change of the inputs, where it is known."""
    return source_date(root, (*INPUTS, *FOLDERS))


def fingerprint(root: Path) -> str:
    """Return the digest of all inputs, of Python's version and of torch's.

    The inputs' date and the addresses count, since git and the environment know
    of them what no file says.
    """
    return _digest(root, inputs(root), str(input_date(root)))


def pages_key(root: Path) -> str:
    """Return the digest of all that is no source of one page, which may change all.

    The inputs' date does not count: see ``put_date``.
    """
    pages = root / "docs", root / "gallery"
    return _digest(
        root,
        (
            path
            for path in inputs(root)
            if not (path.suffix in SOURCES and path.is_relative_to(pages[0]))
            and not path.is_relative_to(pages[1])
        ),
    )


def _digest(root: Path, paths: Iterable[Path], said: str = "") -> str:
    digest = hashlib.sha256(f"{sys.version} {version('torch')}".encode())
    digest.update(os.environ.get("SOURCE_DATE_EPOCH", "").encode())
    digest.update(f"{said} {read_places(root)}".encode())
    for path in paths:
        digest.update(path.relative_to(root).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:32]


def state(root: Path) -> State:
    """Return what tells that a source changed, were it changed back since."""
    found = ((path, path.stat()) for path in inputs(root))
    return [(str(path), stat.st_mtime_ns, stat.st_size) for path, stat in found]


def code(root: Path, known: State | None = None) -> str:
    """Digest what tells that a file changed which is no page's: code and settings.

    ``known`` is the ``state`` of the root, where somebody has asked for it already.
    """
    pages = tuple(f"{root / name}{os.sep}" for name in FOLDERS if name != "utils")
    found = [entry for entry in known or state(root) if not entry[0].startswith(pages)]
    return hashlib.sha256(repr(found).encode()).hexdigest()


def is_current(target: Path, mark: str) -> bool:
    """Tell whether ``target`` is the site with that fingerprint, undamaged."""
    site = target.resolve()
    sums = site / SUMS
    same = site.name.removesuffix(AGAIN) == mark
    return same and sums.is_file() and sums.read_text() == checksums(site)


def publish(
    built: Path, target: Path, mark: str, digest: Callable[[str], str] = digest_of
) -> None:
    """Make ``target`` show the folder ``built`` from one moment to the next.

    ``target`` is a symbolic link to a folder named after the fingerprint: the
    link is replaced atomically, so that no reader ever sees half a site.  ``digest``
    digests its files.
    """
    (built / SUMS).write_text(checksums(built, digest))
    readable(built)
    sites = target.parent / SITES
    sites.mkdir(exist_ok=True)
    site = sites / mark
    if site.exists():  # the same inputs, but damaged
        site = sites / f"{mark}{AGAIN}"
    built.rename(site)
    link = sites / "link"
    link.symlink_to(site.relative_to(target.parent))
    if target.is_dir() and not target.is_symlink():
        target.rename(sites / "plain")
    link.replace(target)


def readable(folder: Path) -> None:
    """Let everybody read a folder, and its owner write, whatever the umask was."""
    for at, _, names in os.walk(folder):
        os.chmod(at, 0o755)
        for name in names:
            os.chmod(f"{at}/{name}", 0o644)


@contextlib.contextmanager
def swept(target: Path) -> Iterator[None]:
    """Sweep before and after a build, so that one that was killed leaves nothing."""
    sweep(target)
    try:
        yield
    finally:
        sweep(target)


def sweep(target: Path) -> None:
    """Remove what builds left: sites nobody sees, half-built folders, half files."""
    current = target.resolve().name
    folder = target.parent
    for name in STORES:
        for path in folder.glob(f"{name}/*.part"):
            path.unlink(missing_ok=True)
    for path in [*folder.glob(f"{SITES}/*"), *folder.glob(".work*")]:
        if path.is_symlink():
            path.unlink()
        elif path.name != current:
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


def checksums(site: Path, digest: Callable[[str], str] = digest_of) -> str:
    """Return the checksums of all files but its own, as sha256sum checks them."""
    names = [name for name in files_below(site) if Path(name).name != SUMS]
    return "".join(f"{digest(f'{site}/{name}')}  {name}\n" for name in names)
