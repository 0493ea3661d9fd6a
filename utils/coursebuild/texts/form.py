"""Judge what is no matter of truth: a fault where a lesson is strict, else a note."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from sphinx_gallery.py_source_parser import SYNTAX_ERROR_DOCSTRING

from coursebuild.sources.beside import tree_of
from coursebuild.texts.loose_numbers import (
    Number,
    all_numbers,
    loose_numbers,
    reviewed,
    unused,
)
from courserun.kept import Memory
from courserun.lesson import Lesson, Run

__all__ = ["faults", "review", "sort_messages"]

_PLACE = r"(?P<{}>[^:\n]+\.(?:rst|md|py|ipynb))(?::\d+)?"
_MESSAGE = re.compile(
    rf"^(?:{_PLACE.format('before')}:(?:[^:\n]*:)? )?"
    rf"(?:WARNING|ERROR|CRITICAL|SEVERE): (?:{_PLACE.format('after')}\n)?",
    re.MULTILINE,
)
_OF_FORM = re.compile(  # kinds of Sphinx's warnings after which a page says the same
    r"(?:^|: )(?:WARNING: (?!.*start-string without)|ERROR: Unknown directive type)"
    r"[\s\S]*"
    r"\[(?:docutils|image|ref|autosectionlabel|toc|myst|misc|form)(?:\.[^\]\s]+)?\]"
    r"\s*(?:\n|$)"
)
_NOWHERE = re.compile(r"WARNING: unknown (?:role|directive) name: (\S+)")
_FIELDS = re.compile(r"^:[A-Z][\w ]*: \S", re.MULTILINE)


def review(
    root: Path,
    lessons: Iterable[Lesson],
    runs: Iterable[Run],
    *,
    whole: bool = True,
    state: bool = False,
    known: Memory | None = None,
) -> tuple[list[str], list[str]]:
    """Return the faults and the notes on some lessons that have run.

    Where these are the ``whole`` site, what the list of numbers holds for nothing is
    a fault, too.  With ``state``, a strict lesson has to state something.  What lessons
    say is ``known``.
    """
    allowed, found = reviewed(root), {run.lesson: run for run in runs}
    read = [(lesson, *_read(lesson, known or Memory(None))) for lesson in lessons]
    said = {lesson.name: numbers for lesson, numbers, _ in read}
    wrong = unused(said, allowed) if whole else []
    notes: list[str] = []
    for lesson, numbers, imported in read:
        notes += found[lesson.name].notes if lesson.name in found else ()
        notes += _magics(lesson)
        loose = loose_numbers(lesson.name, numbers, allowed)
        (wrong if lesson.strict else notes).extend(loose)
        wrong += faults(lesson) if lesson.strict else []
        (wrong if lesson.strict else notes).extend(imported)
        if lesson.name in found and not found[lesson.name].statements:
            (wrong if lesson.strict and state else notes).extend(_silent(lesson, whole))
    return wrong, notes


def _read(lesson: Lesson, known: Memory) -> tuple[list[Number], list[str]]:
    """Return the numbers in a lesson's texts, and what it imports and never uses."""
    what = "form", lesson.name, lesson.markup, lesson.blocks
    found: tuple[list[Number], list[str]] = known.of(
        what, lambda: ([*all_numbers(lesson)], [*unused_imports(lesson)])
    )
    return found


def faults(lesson: Lesson) -> Iterator[str]:
    """Yield what a script lacks that a reader of the site would miss."""
    first = lesson.blocks[0].source if lesson.blocks else SYNTAX_ERROR_DOCSTRING
    unread = first == SYNTAX_ERROR_DOCSTRING  # and something else is told
    if lesson.name.endswith(".py") and not (unread or _FIELDS.search(first)):
        yield (
            f"{lesson.name}:1\n  has no field list: below the docstring's first words, "
            "write `:Level:`, `:Tags:` and what else the lesson says of itself"
        )


def unused_imports(lesson: Lesson) -> Iterator[str]:
    """Yield a message for each import whose name neither code nor text holds again."""
    whole = "\n".join(block.source for block in lesson.blocks)
    for block in lesson.blocks:
        tree = tree_of(block.source) if block.kind == "code" else ast.Module([], [])
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [(a.asname or a.name).partition(".")[0] for a in node.names]
                for name in names:
                    if len(re.findall(rf"\b{re.escape(name)}\b", whole)) == 1:
                        line = block.line + node.lineno - 1
                        yield (
                            f"{lesson.name}:{line}\n  imports {name} and never uses"
                            " it: delete the import"
                        )


def _magics(lesson: Lesson) -> Iterator[str]:
    """Yield a note on each line for a notebook that ``reading`` has commented out."""
    code = [block for block in lesson.blocks if block.kind == "code"]
    for block in code if lesson.markup == "md" else ():
        for number, line in enumerate(block.source.splitlines(), block.line):
            if line.startswith("#%"):
                yield f"{lesson.name}:{number}\n  {line[1:]} is ignored here"


def _silent(lesson: Lesson, whole: bool) -> Iterator[str]:
    """Yield a message for a lesson, or a page that was named, without a statement."""
    if lesson.name.endswith(".py") or not whole:
        yield (
            f"{lesson.name}:1\n  states nothing to check: write what it computes as a "
            "formula (:math:`y = 28`) or as an example (>>> y)"
        )


def sort_messages(text: str, lessons: Iterable[Lesson]) -> tuple[list[str], list[str]]:
    """Part what Sphinx has said into faults, and notes on easy lessons.

    >>> sort_messages("a.md:3: WARNING: odd [docutils]\\nb.md: ERROR: no", [])
    (['a.md:3: WARNING: odd [docutils]', 'b.md: ERROR: no'], [])
    """
    lessons = list(lessons)
    easy = {
        Path(lesson.name).with_suffix("") for lesson in lessons if not lesson.strict
    }
    starts = [match.start() for match in _MESSAGE.finditer(text)]
    wrong, notes = [text[: starts[0]] if starts else text], list[str]()
    for start, end in zip(starts, [*starts[1:], None], strict=False):
        said = text[start:end].strip()
        nowhere = _NOWHERE.fullmatch(said)
        if nowhere and f'"{nowhere[1]}"' in text:
            continue  # docutils says the same, with its place
        said = f"{_place_of(nowhere[1], lessons)}{said}" if nowhere else said
        match = _MESSAGE.match(said)
        place = match and (match["before"] or match["after"])
        form = nowhere or _OF_FORM.search(said)
        may = place and Path(place).with_suffix("") in easy and form
        (notes if may else wrong).append(said)
    return [said for said in wrong if said.strip()], notes


def _place_of(role: str, lessons: Iterable[Lesson]) -> str:
    """Say which line names a role or directive, where Sphinx does not."""
    for lesson in lessons:
        for block in lesson.blocks:
            for line, words in enumerate(block.source.lower().splitlines(), block.line):
                if block.kind == "text" and f"{role}:" in words:
                    return f"{lesson.name}:{line}: "
    return ""
