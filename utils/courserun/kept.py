"""What cost something: texts by what they came from, files by what they hold."""

from __future__ import annotations

import os
import pickle
import shutil
import sys
import tempfile
from collections.abc import Callable, Collection
from contextlib import suppress
from functools import cache
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

__all__ = [
    "Files",
    "Kept",
    "Memory",
    "code_digest",
    "digest_of",
    "files_below",
    "link",
]

STAMPS = "stamps"
Stamp = tuple[int, int, int]  # a file's inode, its time in nanoseconds, its size


@cache
def code_digest(*places: Path) -> str:
    """Digest Python's version and some code: files, and all modules in folders."""
    files = (sorted(p.glob("*.py")) if p.is_dir() else [p] for p in places)
    said = [sha256(path.read_bytes()).hexdigest() for some in files for path in some]
    return sha256(repr((sys.version, said)).encode()).hexdigest()


def digest_of(path: str | Path) -> str:
    """Digest what a file holds: SHA-256, in hexadecimal digits."""
    with open(path, "rb") as file:  # it may be large
        return file_digest(file, "sha256").hexdigest()


def files_below(folder: Path) -> list[str]:
    """Return the files of a folder, at any depth, by their sorted names from there."""
    found = (f"{at}/{name}" for at, _, names in os.walk(folder) for name in names)
    return sorted(path[len(str(folder)) + 1 :] for path in found)


def link(source: str | Path, target: str | Path) -> None:
    """Put a file in a second place, or a copy of it where it cannot have two.

    Nobody may write into either of them from then on, but put another in its place.
    """
    with suppress(FileNotFoundError):
        os.unlink(target)
    try:
        os.link(source, target)
    except OSError:  # another disk, or too many links
        shutil.copy2(source, target)


class Files:
    """A folder of files by their digests, which are linked into place, not copied.

    What they hold is read once, for nobody writes into them: a file of the folder that
    has the time and the size that it had is the same.
    """

    def __init__(self, folder: Path) -> None:
        """Use a folder, and remember which of its files are asked for."""
        self._folder = folder
        self._asked: dict[str, Stamp] = {}
        self._known: dict[Stamp, str] = {}
        if data := Kept(folder).read(STAMPS):
            here, stamps = pickle.loads(data)
            if here == self._here():  # a copy holds other files
                self._known = {stamp: digest for digest, stamp in stamps.items()}

    def digest(self, path: str | Path) -> str:
        """Digest a file, which is read unless it is linked with one of the folder."""
        stat = os.stat(path)
        known = self._known.get(_stamp(stat)) if stat.st_nlink > 1 else None
        return known or digest_of(path)

    def take(self, path: Path) -> str:
        """Keep a file into which nobody will write; return its digest."""
        digest = self.digest(path)
        if not self.holds(digest):
            self._folder.mkdir(parents=True, exist_ok=True)
            link(path, self._path(digest))
            self._note(digest, _stamp(os.stat(path)))
        return digest

    def holds(self, digest: str) -> bool:
        """Tell whether a file is there, and is what was taken."""
        if digest in self._asked:
            return True
        try:
            stamp = _stamp(os.stat(self._path(digest)))
        except FileNotFoundError:
            return False
        if stamp not in self._known:
            self._known[stamp] = digest_of(self._path(digest))
        if self._known[stamp] != digest:
            return False
        self._note(digest, stamp)
        return True

    def give(self, digest: str, target: str | Path) -> None:
        """Put a file that the folder ``holds`` in place."""
        link(self._path(digest), target)

    def sweep(self) -> None:
        """Remove all but what was asked for."""
        if self._folder.exists():
            for name in {*os.listdir(self._folder)} - self._asked.keys():
                os.unlink(self._path(name))
            Kept(self._folder).write(STAMPS, pickle.dumps((self._here(), self._asked)))

    def _note(self, digest: str, stamp: Stamp) -> None:
        self._asked[digest] = stamp
        self._known[stamp] = digest

    def _here(self) -> tuple[str, int]:
        return str(self._folder.resolve()), self._folder.stat().st_ino

    def _path(self, digest: str) -> str:
        return f"{self._folder}/{digest}"


def _stamp(stat: os.stat_result) -> Stamp:
    return stat.st_ino, stat.st_mtime_ns, stat.st_size


class Kept:
    """A folder of texts by key; it is made when there is something to keep."""

    def __init__(self, folder: Path) -> None:
        """Use a folder, and remember which of its texts are asked for."""
        self._folder = folder
        self._asked: set[str] = set()

    def get(self, key: str) -> str | None:
        """Return a text; forget it if its file is not what was written."""
        data = self.read(key)
        return None if data is None else data.decode()

    def read(self, key: str) -> bytes | None:
        """Return data; forget it if its file is not what was written."""
        self._asked.add(key)
        try:
            digest, _, data = self._path(key).read_bytes().partition(b"\n")
        except FileNotFoundError:
            return None
        if digest == sha256(data).hexdigest().encode():
            return data
        self.forget(key)
        return None

    def put(self, key: str, text: str) -> None:
        """Keep a text, whole or not at all."""
        self.write(key, text.encode())

    def write(self, key: str, data: bytes) -> None:
        """Keep data, whole or not at all."""
        self._folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(suffix=".part", dir=self._folder)
        try:
            with open(handle, "wb") as file:
                file.write(sha256(data).hexdigest().encode() + b"\n")
                file.write(data)  # not joined: what a thousand pages say is large
            os.replace(name, self._path(key))
        finally:
            Path(name).unlink(missing_ok=True)

    def made(self, key: str, make: Callable[[], str]) -> str:
        """Return a text; make it and keep it, where it is not there.

        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     kept = Kept(Path(folder))
        ...     kept.made("key", lambda: "made"), kept.made("key", lambda: "again")
        ('made', 'made')
        """
        if (text := self.get(key)) is None:
            text = make()
            self.put(key, text)
        return text

    def forget(self, key: str) -> None:
        """Remove a text, where there is one."""
        self._path(key).unlink(missing_ok=True)

    def sweep(self, keep: Collection[str] | None = None) -> None:
        """Remove all but some, else all but what was asked for; and half a file."""
        if self._folder.exists():
            kept = {self._path(key) for key in (self._asked if keep is None else keep)}
            for path in set(self._folder.iterdir()) - kept:
                path.unlink(missing_ok=True)

    def thin(self, most: int) -> None:
        """Remove the oldest, where there are more: several processes have asked."""
        if self._folder.exists():
            made = {path: path.stat().st_mtime_ns for path in self._folder.iterdir()}
            for path in sorted(made, key=made.__getitem__)[: max(len(made) - most, 0)]:
                path.unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.json"


class Memory:
    """What functions of texts returned, all of it in one file, by digests of texts."""

    def __init__(self, kept: Kept | None, *readers: Path) -> None:
        """Remember what was kept by the same code: ``readers`` are its files."""
        self._kept, self._key = kept, code_digest(*readers)
        data = kept.read(self._key) if kept else None
        self._known: dict[str, Any] = pickle.loads(data) if data else {}
        self._asked: dict[str, Any] = {}

    def of(self, what: object, make: Callable[[], Any]) -> Any:
        """Return what was made of something; make it, where that is not known."""
        digest = _digested(what)
        if digest not in self._asked:
            known = digest in self._known
            self._asked[digest] = self._known[digest] if known else make()
        return self._asked[digest]

    def knows(self, what: object) -> bool:
        """Tell whether it is known what was made of something."""
        digest = _digested(what)
        return digest in self._asked or digest in self._known

    def keep(self) -> None:
        """Keep what was asked for, and nothing else."""
        if self._kept and self._asked.keys() != self._known.keys():
            self._kept.write(self._key, pickle.dumps(self._asked))


def _digested(what: object) -> str:
    return sha256(repr(what).encode(errors="surrogatepass")).hexdigest()
