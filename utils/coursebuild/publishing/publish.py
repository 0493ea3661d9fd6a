"""Put a built site in place in one step, and know whether it is still right."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from coursebuild.addresses import read_places
from coursebuild.publishing.source_date import source_date
from courserun.kept import digest_of, files_below

__all__ = [
    "STORES",
    "Look",
    "State",
    "checksums",
    "code",
    "fingerprint",
    "input_date",
    "is_current",
    "locked",
    "look",
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
CACHE = "__pycache__"


class Look(NamedTuple):
    """What was seen of all inputs at one time, in a fixed order.

    ``state`` tells that a source changed, were it changed back since; ``digests`` are
    of what each holds, by its name from the root.
    """

    state: State
    digests: dict[str, bytes]


def look(root: Path) -> Look:
    """Look at every file that the site is a function of."""
    names = _inputs(root)
    digests = {name: hashlib.sha256(_data(f"{root}/{name}")).digest() for name in names}
    return Look(_state(root, names), digests)


def _inputs(root: Path) -> list[str]:
    below = [f"{folder}/{x}" for folder in FOLDERS for x in files_below(root / folder)]
    found = (name for name in below if f"/{CACHE}/" not in name)
    return [*INPUTS, *(name for name in found if os.path.isfile(f"{root}/{name}"))]


def _data(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def input_date(root: Path) -> date | None:
    """Return the day of the last change of the inputs, where it is known."""
    return source_date(root, (*INPUTS, *FOLDERS))


def fingerprint(root: Path, seen: Look | None = None) -> str:
    """Return the digest of all inputs, of Python's version and of torch's.

    The inputs' date and the addresses count, since git and the environment know
    of them what no file says.  They are looked at, unless they were ``seen``.
    """
    digests = (seen or look(root)).digests
    return _digest(root, digests, str(input_date(root)))


def pages_key(root: Path, seen: Look | None = None) -> str:
    """Return the digest of all that is no source of one page, which may change all.

    The inputs' date does not count: see ``put_date``.
    """
    digests = (seen or look(root)).digests
    return _digest(root, {x: d for x, d in digests.items() if not _is_a_pages(x)})


def _is_a_pages(name: str) -> bool:
    source = name.startswith("docs/") and name.endswith(SOURCES)
    return source or name.startswith("gallery/")


def _digest(root: Path, digests: Mapping[str, bytes], said: str = "") -> str:
    digest = hashlib.sha256(f"{sys.version} {version('torch')}".encode())
    digest.update(os.environ.get("SOURCE_DATE_EPOCH", "").encode())
    digest.update(f"{said} {read_places(root)}".encode())
    for name, held in digests.items():
        digest.update(name.encode(errors="surrogateescape") + b"\0" + held)
    return digest.hexdigest()[:32]


def state(root: Path) -> State:
    """Return what tells that a source changed; reads none."""
    return _state(root, _inputs(root))


def _state(root: Path, names: Iterable[str]) -> State:
    found = ((path, os.stat(path)) for path in (f"{root}/{name}" for name in names))
    return [(path, stat.st_mtime_ns, stat.st_size) for path, stat in found]


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
