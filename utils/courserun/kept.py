"""Texts and data that cost something, each in a file named by what it came from."""

from __future__ import annotations

import os
import pickle
import sys
import tempfile
from collections.abc import Callable, Collection
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

__all__ = ["Kept", "Memory", "code_digest"]


@cache
def code_digest(*places: Path) -> str:
    """Digest Python's version and some code: files, and all modules in folders."""
    files = (sorted(p.glob("*.py")) if p.is_dir() else [p] for p in places)
    said = [sha256(path.read_bytes()).hexdigest() for some in files for path in some]
    return sha256(repr((sys.version, said)).encode()).hexdigest()


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
                file.write(sha256(data).hexdigest().encode() + b"\n" + data)
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
        digest = sha256(repr(what).encode(errors="surrogatepass")).hexdigest()
        if digest not in self._asked:
            known = digest in self._known
            self._asked[digest] = self._known[digest] if known else make()
        return self._asked[digest]

    def keep(self) -> None:
        """Keep what was asked for, and nothing else."""
        if self._kept and self._asked.keys() != self._known.keys():
            self._kept.write(self._key, pickle.dumps(self._asked))
