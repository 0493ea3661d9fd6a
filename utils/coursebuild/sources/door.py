"""Say what is wrong with a source before anything of it runs: its place and form."""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from coursebuild.sources.beside import TITLE
from coursebuild.sources.docnames import header_of
from coursebuild.sources.settings import CHOICES
from courserun.runs import LessonError

__all__ = [
    "Said",
    "misplaced",
    "misset",
    "read_source",
    "said_in_page",
    "said_in_script",
    "untitled",
]

Said = dict[str, tuple[Any, int]]  # each setting: its value, its line
_SETTING = re.compile(
    r"^[ \t]*#\s*sphinx_gallery_(?P<name>\w+)(?:\s*=\s*(?P<value>.*?))?[ \t]*$",
    re.MULTILINE,
)
_FORM = """\
    r\"""
    Title
    =====

    What the reader will see.
    \"""
"""
_FLAGS = "start_ignore", "end_ignore"
_SWALLOWED = re.compile(r"^# ?%%+[ ]+(?P<words>[^\s\[].*)\n#[ ]?\S", re.MULTILINE)
_ODD = re.compile(r"[\s#%?&<>\"'`|\\]")
_EXAMPLES = {
    "seconds": "120",
    "warns": '["non-leaf"]',
    "thumbnail_number": "2",
    **{name: f'"{choices[-1]}"' for name, choices in CHOICES.items()},
}


def read_source(path: Path, root: Path) -> str:
    """Return the text of a source.

    Raises:
        LessonError: it is not UTF-8.
    """
    data = path.read_bytes()
    try:
        return data.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise LessonError(
            f"{_name(path, root)}:{line}\n  is not UTF-8 (byte 0x{data[error.start]:x}"
            " begins no letter there): save the file as UTF-8 in your editor"
        ) from error


def untitled(path: Path, root: Path, text: str) -> str | None:
    """Return why a script makes no page: it has no docstring, or that has no title."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return None  # the runner will say so
    docstring = ast.get_docstring(tree, clean=True)
    if docstring is None:
        return (
            f"{_name(path, root)}:1\n  has no docstring, from which a lesson has its"
            f" title: begin it with\n{_FORM}  (a module that a lesson imports"
            " is none: let its name begin with _)"
        )
    if not TITLE.search(docstring):
        return (
            f"{_name(path, root)}:{tree.body[0].lineno}\n  its docstring has no title:"
            " begin it with one, and a line of = below it that is as long, as in\n"
            f"{_FORM.rstrip()}"
        )
    return None


def misplaced(root: Path, scripts: Iterable[Path]) -> Iterator[tuple[Path, str]]:
    """Yield the scripts that no page can be made of where they are, and why."""
    found = [(path, _beside_levels(path)) for path in root.glob("gallery/*.py")]
    first: dict[str, Path] = {}
    for path in scripts:
        other = first.setdefault(path.name, path)
        found.append((path, _unfit(path, root, _name(other, root))))
    for path, why in sorted(found):
        if why:
            yield path, f"{_name(path, root)}:1\n  {why}"


def _beside_levels(path: Path) -> str:
    return (
        "lies beside the levels: move it into the folder of one, as"
        f" gallery/0_basics/{path.name}"
    )


def _unfit(path: Path, root: Path, first: str) -> str:
    header = header_of(path.parent, root)
    if not (root / header).exists():
        return (
            f"its level has no header: write {header}, with a title, a line of - below"
            " it that is as long, and a sentence"
        )
    if not TITLE.search((root / header).read_text("utf-8", "replace")):
        return (
            f"its level's header has no title: begin {header} with one, and a line of -"
            " below it that is as long"
        )
    if _ODD.search(path.name):
        better = _ODD.sub("_", path.name)
        return f"has a name that no link can hold: rename it to {better}"
    if first != _name(path, root):
        return (
            f"is called like {first}: rename one of them, since links name a lesson by"
            " its file"
        )
    return ""


def said_in_script(name: str, text: str) -> tuple[Said, list[str]]:
    """Return the settings that a script's comments make, and what is wrong there."""
    said: Said = {}
    faults, open_at = [], 0
    for match in _SETTING.finditer(text):
        line, setting = text.count("\n", 0, match.start("name")) + 1, match["name"]
        place = f"{name}:{line}\n  sphinx_gallery_{setting}"
        if setting in _FLAGS:
            opens = setting == _FLAGS[0]
            faults += [_unpaired(name, line)] if opens == bool(open_at) else []
            open_at = line if opens else 0
        elif match["value"] is None:
            faults.append(_unknown(place, setting, "sphinx_gallery_"))
        else:
            try:
                said[setting] = ast.literal_eval(match["value"]), line
            except (SyntaxError, ValueError):
                example = _EXAMPLES.get(setting, "a number or a quoted word")
                faults.append(
                    f"{place} = {match['value']} cannot be read: write {example}"
                )
    faults += [_unpaired(name, open_at)] if open_at else []
    return said, [*faults, *_swallowed(name, text)]


def _swallowed(name: str, text: str) -> Iterator[str]:
    """Yield a message for each text of which sphinx-gallery drops the first line."""
    for match in _SWALLOWED.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        yield (
            f"{name}:{line}\n  no page shows what stands behind # %% on its own line,"
            f" {match['words']!r}: begin the text on the next line"
        )


def _unpaired(name: str, line: int) -> str:
    return (
        f"{name}:{line}\n  what is hidden from the page stands between"
        " # sphinx_gallery_start_ignore and # sphinx_gallery_end_ignore: one is missing"
    )


def said_in_page(metadata: Mapping[str, Any], text: str = "") -> Said:
    """Return the settings under ``lesson`` in a page's front matter."""
    said = metadata.get("lesson") or {}
    said = said if isinstance(said, Mapping) else {str(said): ""}
    lines = text.splitlines()

    def line(name: str) -> int:
        return next((n for n, t in enumerate(lines, 1) if f"{name}:" in t), 1)

    return {name: (value, line(name)) for name, value in said.items()}


def misset(name: str, said: Said, prefix: str) -> dict[str, str]:
    """Return what is wrong with each setting; ``prefix`` is how a lesson names them."""
    faults = {}
    for setting, (value, line) in said.items():
        place = f"{name}:{line}\n  {prefix}{setting}"
        if setting not in _EXAMPLES or (not prefix and setting == "thumbnail_number"):
            faults[setting] = _unknown(place, setting, prefix)
        elif why := _wrong(setting, value):
            example = _EXAMPLES[setting]
            faults[setting] = f"{place} is {why}, not {value!r}: write {example}"
    return faults


def _unknown(place: str, setting: str, prefix: str) -> str:
    near = difflib.get_close_matches(setting, _EXAMPLES, n=1)
    meant = f"did you mean {prefix}{near[0]}? " if near else "delete the line. "
    return f"{place} does nothing here: {meant}There are {', '.join(_EXAMPLES)}"


def _wrong(setting: str, value: object) -> str:
    """Return what a setting is, where this value is none."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if setting == "seconds":
        return "" if number and value > 0 else "a number of seconds"  # type: ignore[operator]
    if setting == "thumbnail_number":
        return "" if isinstance(value, int) and number else "a whole number"
    if setting == "warns":
        if not isinstance(value, list | tuple) or not all(
            isinstance(x, str) for x in value
        ):
            return "a list of words that the warnings hold"
        return "" if all(map(_is_pattern, value)) else "a list of regular expressions"
    return "" if value in CHOICES[setting] else " or ".join(CHOICES[setting])


def _is_pattern(text: str) -> bool:
    try:
        re.compile(text)
    except re.error:
        return False
    return True


def _name(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()
