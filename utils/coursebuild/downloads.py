"""What a reader downloads: torchutils as a wheel, and a zip for each lesson."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from pathlib import Path

from hatchling.builders.wheel import WheelBuilder

__all__ = ["build_wheel", "write_zip"]

DATE = (2020, 1, 1, 0, 0, 0)  # any fixed date: bytes must not depend on the clock


def build_wheel(root: Path, folder: Path) -> Path:
    """Build the wheel of torchutils into ``folder``; return its path.

    hatchling makes the same bytes from the same sources.
    """
    builder = WheelBuilder(str(root))
    return Path(next(builder.build(directory=str(folder), versions=["standard"])))


def write_zip(target: Path, files: Iterable[Path]) -> str:
    """Pack ``files`` flat into ``target``: sorted, with fixed dates and modes."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(files, key=lambda path: path.name):
            entry = zipfile.ZipInfo(path.name, DATE)
            entry.external_attr = 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())
    return str(target)
