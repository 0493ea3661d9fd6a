"""Texts that cost something to make, each in a file named by what it was made from."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Collection
from hashlib import sha256
from pathlib import Path

__all__ = ["Kept"]


class Kept:
    """A folder of texts by key; it is made when there is something to keep."""

    def __init__(self, folder: Path) -> None:
        """Use a folder, and remember which of its texts are asked for."""
        self._folder = folder
        self._asked: set[str] = set()

    def get(self, key: str) -> str | None:
        """Return a text; forget it if its file is not what was written."""
        self._asked.add(key)
        path = self._path(key)
        try:
            digest, _, text = path.read_text(encoding="utf-8").partition("\n")
        except FileNotFoundError:
            return None
        except ValueError:  # no text at all
            digest, text = "", ""
        if digest == sha256(text.encode()).hexdigest():
            return text
        self.forget(key)
        return None

    def put(self, key: str, text: str) -> None:
        """Keep a text, whole or not at all."""
        self._folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(suffix=".part", dir=self._folder)
        try:
            with open(handle, "w", encoding="utf-8") as file:
                file.write(sha256(text.encode()).hexdigest() + "\n" + text)
            os.replace(name, self._path(key))
        except BaseException:
            Path(name).unlink()
            raise

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
