"""Start a new lesson from the template."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["new_lesson"]

SHAPE = re.compile(r"gallery/\d+_[a-z_]+/\d+_[a-z0-9_]+\.py")


def new_lesson(root: Path, name: str) -> str:
    """Copy the template to ``name``; return one line that says what to do next.

    Raises:
        ValueError: the name has not the form of a lesson's, its level does not
            exist, or the lesson does: nothing is ever overwritten.
    """
    if not SHAPE.fullmatch(name):
        raise ValueError(
            f"{name or 'LESSON'!r} is no lesson's name. Say for example: "
            "make lesson LESSON=gallery/0_basics/20_my_lesson.py"
        )
    target = root / name
    if not (target.parent / "GALLERY_HEADER.rst").exists():
        raise ValueError(
            f"There is no level {target.parent.name!r}. Make its folder first, "
            "with a GALLERY_HEADER.rst that holds its title and one sentence."
        )
    if target.exists():
        raise ValueError(f"{name} exists; choose another number or name.")
    target.write_text((root / "gallery" / "template.py.txt").read_text())
    return f"Write in {name}, then check it: make doctest LESSON={name}"
