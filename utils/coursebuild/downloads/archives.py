"""Write the wheel of torchutils, and zips that have the same bytes each time."""

from __future__ import annotations

import os
import pickle
import tempfile
import zipfile
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from courserun.kept import Kept, digest_of, files_below

__all__ = ["DATE", "build_wheel", "pack", "write_zip"]

AROUND = "pyproject.toml", "LICENSE", "requirements.lock"  # which names hatchling
DATE = (2020, 1, 1, 0, 0, 0)  # any fixed date: bytes must not depend on the clock


def build_wheel(root: Path, folder: Path, kept: Kept | None = None) -> Path:
    """Put the wheel of torchutils into ``folder``; return its path.

    It is ``kept``, and built again where something has changed that it may hold.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sources = [f"utils/{name}" for name in files_below(root / "utils")]
    parts = [name for name in (*AROUND, *sources) if (root / name).exists()]
    said = [(x, digest_of(root / x)) for x in parts if "__pycache__" not in x]
    what = os.environ.get("SOURCE_DATE_EPOCH"), said  # hatchling dates files by it
    key = sha256(repr(what).encode()).hexdigest()
    if kept and (data := kept.read(key)):
        name, wheel = pickle.loads(data)
        (folder / name).write_bytes(wheel)
        return folder / str(name)
    built = _built(root, folder)
    if kept:
        kept.write(key, pickle.dumps((built.name, built.read_bytes())))
    return built


def _built(root: Path, folder: Path) -> Path:
    """Build the wheel.

    hatchling makes the same bytes from the same sources, by way of a temporary file:
    it lies in ``folder``, where it goes away with a build that is killed.  While this
    runs, all temporary files of this process do: start no lesson meanwhile.
    """
    from hatchling.builders.wheel import WheelBuilder  # most edits need none of it

    former, tempfile.tempdir = tempfile.tempdir, str(folder)
    try:
        builder = WheelBuilder(str(root))
        return Path(next(builder.build(directory=str(folder), versions=["standard"])))
    finally:
        tempfile.tempdir = former


def write_zip(
    target: Path, files: Iterable[Path], more: Iterable[tuple[str, bytes]] = ()
) -> str:
    """Pack ``files`` flat into ``target``, with ``more`` where they lay, sorted."""
    members = [(path.name, path.read_bytes()) for path in files]
    pack(target, sorted([*members, *more]))
    return str(target)


def pack(target: Path, members: Iterable[tuple[str, bytes]], stored: str = "") -> None:
    """Write a zip in the given order, with fixed dates and modes.

    The member ``stored`` is not compressed, as an EPUB's first one must not be.
    """
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            entry = zipfile.ZipInfo(name, DATE)
            entry.external_attr = 0o100644 << 16
            plain = name == stored
            entry.compress_type = zipfile.ZIP_STORED if plain else zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
