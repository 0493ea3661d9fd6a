"""What lies beside a lesson and belongs to it: data, and modules that it imports."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from coursebuild.sources.docnames import HEADERS

__all__ = ["TITLE", "files_of_page", "files_of_script", "helpers", "scripts", "tree_of"]

Files = tuple[tuple[str, bytes], ...]
PATH = re.compile(
    r"(?![./])(?!.{200})[\w\-+. ]+(?:/[\w\-+ ][\w\-+. ]*)*"
)  # below a page
TITLE = re.compile(r"^(\S.*)\n([=\-~^\"'*+#.:_`])\2{2,}\s*$", re.MULTILINE)


def scripts(root: Path) -> list[Path]:
    """Return the scripts below ``root/gallery`` that are lessons."""
    folders = sorted(path for path in root.glob("gallery/*") if path.is_dir())
    return [p for d in folders for p in sorted({*d.glob("*.py")} - helpers(d))]


def helpers(folder: Path) -> set[Path]:
    """Return the modules of a folder that are no lessons.

    Their name begins with ``_``, or a script beside them imports them and they have
    no title, as every lesson has.  No code can import ``10_lesson``: where all have
    such names, none is read.
    """
    paths = {*folder.glob("*.py")}
    private = {path for path in paths if path.stem.startswith("_")}
    if not any(path.stem.isidentifier() for path in paths - private):
        return private
    said = {path: _said(path.read_bytes()) for path in paths}
    used = {name for facts in said.values() for name in facts.imports}
    return private | {p for p in paths if p.stem in used and not said[p].titled}


def files_of_script(path: Path) -> Files:
    """Return all files of a lesson's level but the lessons, below it as well.

    A folder that has the name of a lesson is that lesson's alone.
    """
    folder = path.parent
    if all(map(_is_alone, os.listdir(folder))):
        return ()  # at once: each lesson of a level asks
    others = {p.with_suffix("") for p in folder.glob("*.py")} - {path.with_suffix("")}
    below = _below(folder, helpers(folder))
    found = sorted(p for p in below if others.isdisjoint(p.parents))
    return _read(folder, tuple((p, p.stat().st_mtime_ns) for p in found))


def _is_alone(name: str) -> bool:
    """Tell by a file's name alone that it belongs to no lesson beside it."""
    base, suffix = os.path.splitext(name)
    is_lesson = suffix == ".py" and not (base.isidentifier() or base.startswith("_"))
    return is_lesson or name in HEADERS or name == "__pycache__" or name[0] == "."


def files_of_page(path: Path, code: Iterable[str]) -> Files:
    """Return the files beside a page that its code, or a module of it, names."""
    folder, found = path.parent, set[Path]()
    todo: list[str | bytes] = [*code]
    while todo:
        said = _said(todo.pop())
        named = {folder / name for name in said.strings}
        modules = {folder / f"{name}.py" for name in said.imports}
        new = {p for p in named | modules if p.is_file()} - found
        todo += [p.read_bytes() for p in new if p.suffix == ".py"]
        found |= new
    return _read(folder, tuple((p, p.stat().st_mtime_ns) for p in sorted(found)))


@lru_cache(maxsize=8)
def _read(folder: Path, stamped: tuple[tuple[Path, int], ...]) -> Files:
    """Read files once for all lessons of a level."""
    paths = [path for path, _ in stamped]
    return tuple((p.relative_to(folder).as_posix(), p.read_bytes()) for p in paths)


def tree_of(source: str | bytes) -> ast.Module:
    """Return what Python reads; nothing where it can read nothing."""
    with suppress(SyntaxError, ValueError):  # the runner will say so
        return ast.parse(source)
    return ast.Module([], [])


class _Said(NamedTuple):
    """What a piece of code imports (first names), and what it may open."""

    imports: frozenset[str]
    strings: frozenset[str]
    titled: bool


@lru_cache(maxsize=1024)
def _said(source: str | bytes) -> _Said:
    tree = tree_of(source)
    imports: set[str] = set()
    strings: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imports.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            imports.add(node.module.partition(".")[0])
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            strings |= {node.value} if PATH.fullmatch(node.value) else set()
    titled = bool(TITLE.search(ast.get_docstring(tree) or ""))
    return _Said(frozenset(imports), frozenset(strings), titled)


def _below(folder: Path, modules: set[Path]) -> Iterator[Path]:
    """Yield a level's files; a folder with a header in it is a level of its own."""
    for path in folder.iterdir():
        if path.name.startswith(".") or path.name == "__pycache__":
            continue
        if path.is_dir():
            if not any((path / name).exists() for name in HEADERS):
                yield from (p for p in path.rglob("*") if _is_data(p, path))
        elif path.name not in HEADERS and (path.suffix != ".py" or path in modules):
            yield path


def _is_data(path: Path, folder: Path) -> bool:
    parts = path.relative_to(folder).parts
    hidden = any(part.startswith(".") or part == "__pycache__" for part in parts)
    return path.is_file() and not hidden
