"""What lies beside a lesson and belongs to it: data, and modules that it imports."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from coursebuild.sources import HEADERS

__all__ = ["TITLE", "files_of_page", "files_of_script", "helpers", "scripts"]

Files = tuple[tuple[str, bytes], ...]
TITLE = re.compile(r"^(\S.*)\n([=\-~^\"'*+#.:_`])\2{2,}\s*$", re.MULTILINE)


def scripts(root: Path) -> list[Path]:
    """Return the scripts below ``root/gallery`` that are lessons."""
    found = sorted(root.glob("gallery/*/*.py"))
    return [path for path in found if path not in helpers(path.parent)]


def helpers(folder: Path) -> set[Path]:
    """Return the modules of a folder that are no lessons.

    Their name begins with ``_``, or a script beside them imports them and they have
    no title, as every lesson has.
    """
    found = sorted(folder.glob("*.py"))
    trees = {path: _tree(path.read_bytes()) for path in found}
    used = {name for tree in trees.values() for name in _imported(tree)}
    return {
        path
        for path in found
        if path.stem.startswith("_")
        or (
            path.stem in used and not TITLE.search(ast.get_docstring(trees[path]) or "")
        )
    }


def files_of_script(path: Path) -> Files:
    """Return all files of a lesson's level but the lessons, below it as well."""
    folder = path.parent
    return tuple(sorted(_pack(_below(folder, helpers(folder)), folder)))


def files_of_page(path: Path, code: Iterable[str]) -> Files:
    """Return the files beside a page that its code names or imports."""
    folder, found = path.parent, set()
    for source in code:
        tree = _tree(source)
        found |= {folder / f"{name}.py" for name in _imported(tree)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found |= {folder / node.value} if _is_name(node.value) else set()
    return tuple(sorted(_pack((p for p in found if p.is_file()), folder)))


def _is_name(text: str) -> bool:
    return bool(re.fullmatch(r"[\w\-+. ]{1,200}", text)) and text.strip(".") != ""


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


def _pack(paths: Iterable[Path], folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in paths:
        yield path.relative_to(folder).as_posix(), path.read_bytes()


def _tree(source: str | bytes) -> ast.Module:
    with suppress(SyntaxError, ValueError):  # the runner will say so
        return ast.parse(source)
    return ast.Module([], [])


def _imported(tree: ast.Module) -> set[str]:
    """Return the first names of what a script imports."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names
