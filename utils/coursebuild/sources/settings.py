"""Read how strictly a lesson or page is to be taken: it says so, or its level does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypedDict

from coursebuild.sources.docnames import header_of
from courserun.runs import LessonError

__all__ = ["CHOICES", "settings"]

CHOICES = {  # the first is what holds where nobody says anything
    "checks": ("easy", "strict"),  # of what is no matter of truth
    "formulas": ("checked", "laws"),  # what an equation is that nothing binds
    "consoles": ("run", "shown"),  # what examples in literal blocks are
}
_SAID = re.compile(rf"^\.\. ({'|'.join(CHOICES)}): *(.*?) *$", re.MULTILINE)


class Settings(TypedDict):
    """Options of a ``Lesson``."""

    strict: bool
    laws: bool
    quotes: bool


def settings(path: Path, root: Path, own: Mapping[str, Any]) -> Settings:
    """Return the settings of a source as options of a ``Lesson``.

    ``own`` is what the source says itself.  It goes before what a comment in the
    header of its level says (``.. checks: strict``).  Pages of ``docs`` are
    strict, a notebook there is not.

    Raises:
        LessonError: there is no such choice.
    """
    said = {name: choices[0] for name, choices in CHOICES.items()}
    source = path.relative_to(root).as_posix()
    if source.startswith("docs/") and path.suffix != ".ipynb":
        said["checks"] = "strict"
    header = header_of(path.parent, root)
    if source.startswith("gallery/") and (root / header).exists():
        text = (root / header).read_text("utf-8", "replace")
        for match in _SAID.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            said[match[1]] = _chosen(match[1], match[2], f"{header}:{line}")
    for name in CHOICES.keys() & own.keys():
        said[name] = _chosen(name, own[name], f"{source}:1")
    return {
        "strict": said["checks"] == "strict",
        "laws": said["formulas"] == "laws",
        "quotes": said["consoles"] == "shown",
    }


def _chosen(name: str, value: object, place: str) -> str:
    if value not in CHOICES[name]:
        choices = " or ".join(CHOICES[name])
        raise LessonError(f"{place}: {name} is {choices}, not {value!r}")
    return str(value)
