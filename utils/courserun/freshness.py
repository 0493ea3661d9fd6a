"""Know what a lesson's outputs depend on, and keep them while none of it changes."""

from __future__ import annotations

import ast
import doctest
import json
import platform
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from itertools import accumulate
from pathlib import Path
from typing import Any, Literal

from coursecheck.gist import gist
from coursecheck.maths import Roles
from coursecheck.stated import Block
from courserun.kept import Kept, Memory
from courserun.lesson import Lesson, Run

__all__ = ["Store", "code_state", "lesson_key", "lesson_keys"]

RUNS_IT = "courserun.forkserver"  # it, and what it imports, runs every lesson
ALWAYS = "conf.py", "requirements.lock"
CACHE = "__pycache__"
CHECKER = Path(gist.__code__.co_filename).parent  # what reads a text
_Words = tuple[frozenset[str], frozenset[str]]  # modules that are imported, texts
OWN = "torchutils", "coursecheck", "courserun", "coursebuild"  # name what they read


def lesson_key(lesson: Lesson, *, root: Path) -> str:
    """Digest all that one lesson's run depends on: see :func:`lesson_keys`."""
    return lesson_keys([lesson], root=root)[lesson.name]


def lesson_keys(
    lessons: Iterable[Lesson], *, root: Path, kept: Kept | None = None
) -> dict[str, str]:
    """Digest, for each lesson by name, all that its run depends on; imports nothing.

    That is its code, what its text states, what lies beside it, the code that they can
    reach in ``root/utils``, all data there, ``conf.py``, the lock, and the versions of
    Python and torch.  What code and texts say is ``kept`` by their digests, so that
    only what is new is parsed.
    """
    said = _Said(kept)
    code = _Code(root, said)
    shared = {
        "python": platform.python_version(),
        "torch": version("torch"),
        **{name: _digest(root / name) for name in ALWAYS if (root / name).exists()},
        **code.data(),
    }
    keys = {}
    for lesson in lessons:
        own = asdict(replace(lesson, files=(), blocks=()))
        blocks = list(said.in_blocks(lesson))
        beside = {name: sha256(data).hexdigest() for name, data in lesson.files}
        facts = [own, blocks, beside, shared, code.reachable(lesson)]
        keys[lesson.name] = _sum(facts)
    said.keep()
    if kept:
        kept.sweep()
    return keys


def code_state(root: Path) -> list[tuple[str, int, int]]:
    """Return what differs when code that runs lessons was edited; reads no file."""
    paths = [p for p in sorted(root.glob("utils/**/*")) if p.parent.name != CACHE]
    paths += [path for name in ALWAYS if (path := root / name).exists()]
    states = ((path, path.stat()) for path in paths if not path.is_dir())
    return [(str(path), stat.st_mtime_ns, stat.st_size) for path, stat in states]


@dataclass(frozen=True)
class _Module:
    """What a piece of code says: the modules it may import, the files it names.

    ``files`` maps paths to digests; a module's own file is among them.
    """

    imports: frozenset[str] = frozenset()
    files: Mapping[str, str] = field(default_factory=dict)


class _Code:
    """The code below a root as it is now; each module is read once.

    An import counts wherever it stands: in a function, in a doctest of a text,
    as ``import_module`` of a string.  Data counts for every lesson, since its name may
    be computed; that of our own packages counts where a string beside it names it.
    """

    def __init__(self, root: Path, said: _Said) -> None:
        self._root, self._utils, self._said = root, root / "utils", said
        self._modules: dict[str, _Module] = {}
        self._below = cache(self._files_of)  # most lessons import the same

    def data(self) -> dict[str, str]:
        """Return the paths, with digests, of the data that any lesson may read."""
        paths = sorted(self._utils.rglob("*"))
        found = (p for p in paths if p.is_file() and p.suffix not in (".py", ".pyc"))
        return self._digests(
            path
            for path in found
            if path.relative_to(self._utils).parts[0] not in (*OWN, "README.md")
        )

    def reachable(self, lesson: Lesson) -> dict[str, str]:
        """Return the paths, with digests, of all files that a lesson's run needs."""
        found = [self._look(source) for source in _sources(lesson)]
        below = self._below(frozenset({RUNS_IT}).union(*(m.imports for m in found)))
        return {path: digest for m in found for path, digest in m.files.items()} | below

    def _files_of(self, names: frozenset[str]) -> dict[str, str]:
        """Return the same of some modules, and of all that they import in turn."""
        files: dict[str, str] = {}
        todo, seen = set(names), set[str]()
        while todo:
            seen.add(name := todo.pop())
            files |= (module := self._module(name)).files
            todo |= module.imports - seen
        return files

    def _module(self, name: str) -> _Module:
        if name not in self._modules:
            self._modules[name] = self._read(name)
        return self._modules[name]

    def _read(self, name: str) -> _Module:
        base = self._utils.joinpath(*name.split("."))
        if (path := base / "__init__.py").is_file():
            package = name
        elif (path := base.with_name(f"{base.name}.py")).is_file():
            package = name.rpartition(".")[0]
        else:
            return _Module()  # not ours, or an attribute
        module = self._look(path.read_bytes(), path.parent, package)
        return replace(module, files={**module.files, **self._digests([path])})

    def _look(
        self, source: str | bytes, folder: Path | None = None, package: str = ""
    ) -> _Module:
        data = _data_files(folder) if folder else set()
        said = source if isinstance(source, str) else source.decode(errors="replace")
        if not data and "import" not in said:
            return _Module()  # parsing takes a second for all lessons
        imports, texts = self._said.by(source, package)
        files = self._digests(folder / x for x in texts & data) if folder else {}
        return _Module(imports, files)

    def _digests(self, paths: Iterable[Path]) -> dict[str, str]:
        return {p.relative_to(self._root).as_posix(): _digest(p) for p in paths}


def _sources(lesson: Lesson) -> Iterator[str | bytes]:
    yield from (data for name, data in lesson.files if name.endswith(".py"))
    parts = (part for block in lesson.blocks for part in (block, *block.included))
    for block in parts:
        if block.kind == "code":
            yield block.source
        else:
            with suppress(ValueError):  # the runner will say what is wrong with it
                examples = doctest.DocTestParser().get_examples(block.source)
                yield from (example.source for example in examples)


class _Said(Memory):
    """What pieces of code and texts say.

    To parse all that an edit leaves alone was a tenth of what its build computed.
    """

    def __init__(self, kept: Kept | None) -> None:
        super().__init__(kept, Path(__file__), CHECKER)

    def by(self, source: str | bytes, package: str) -> _Words:
        """Return what a piece of code says."""
        words: _Words = self.of((source, package), lambda: _parsed(source, package))
        return words

    def in_blocks(self, lesson: Lesson) -> Iterator[Any]:
        """Yield what each block of a lesson lets a run depend on."""
        roles: Roles = {}
        for block in lesson.blocks:
            if block.kind == "code":
                yield asdict(block)
            else:
                yield self._gist(block, lesson.markup, roles)

    def _gist(self, block: Block, markup: Literal["rst", "md"], roles: Roles) -> str:
        """Digest what a text states and asks; learn the roles that it makes."""
        what = json.dumps([asdict(block), markup, sorted(roles.items())])

        def make() -> tuple[str, Roles]:
            stated = what
            with suppress(Exception):  # the run will say what cannot be read
                stated = _sum(gist(block, markup, roles))
            return stated, dict(roles)

        stated, made = self.of(what, make)
        roles.update(made)
        return str(stated)


def _sum(data: Any) -> str:
    return sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


def _parsed(source: str | bytes, package: str) -> _Words:
    """Return the modules that code may import, with those they are in, and its texts.

    Texts are those that may name a file.  Code that is no Python has neither: the
    runner will say so.
    """
    imports: set[str] = set()
    texts: set[str] = set()
    with suppress(SyntaxError, ValueError):
        for node in ast.walk(ast.parse(source)):
            imports.update(_imports(node, package))
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts |= {node.value} if _may_name(node.value) else set()
    above = {part for name in imports for part in accumulate(name.split("."), _dotted)}
    return frozenset(above), frozenset(texts)


def _may_name(text: str) -> bool:
    return 0 < len(text) < 256 and "/" not in text


def _dotted(package: str, name: str) -> str:
    return f"{package}.{name}"


def _imports(node: ast.AST, package: str) -> list[str]:
    match node:
        case ast.Import():
            return [alias.name for alias in node.names]
        case ast.ImportFrom():
            above = package.rsplit(".", node.level - 1)[0] if node.level else ""
            base = ".".join(filter(None, [above, node.module]))
            return [base, *(f"{base}.{alias.name}" for alias in node.names)]
        case ast.Call(
            func=ast.Name(id="import_module" | "__import__")
            | ast.Attribute(attr="import_module"),
            args=[ast.Constant(value=str(name)), *_],
        ):
            return [name]
    return []


def _data_files(folder: Path) -> set[str]:
    with suppress(FileNotFoundError):
        entries = [e for e in folder.iterdir() if e.suffix != ".py" and e.is_file()]
        return {entry.name for entry in entries}
    return set()


def _digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


class Store:
    """Runs that ended well, by their keys."""

    def __init__(self, folder: Path) -> None:
        """Use a folder; it is made when there is something to keep."""
        self._kept = Kept(folder)

    def get(self, key: str) -> Run | None:
        """Return a run; forget it if its file is not what was written."""
        text = self._kept.get(key)
        try:
            return Run.from_json(text) if text is not None else None
        except (ValueError, KeyError, TypeError):  # by code of another time
            self._kept.forget(key)
            return None

    def put(self, key: str, run: Run) -> None:
        """Keep a run, whole or not at all.

        Raises:
            ValueError: the run failed, so there is nothing to keep.
        """
        if run.failure:
            raise ValueError(f"{run.lesson} failed: only runs that end well are kept")
        self._kept.put(key, run.to_json())

    def sweep(self, keep: set[str]) -> None:
        """Remove all runs but some, and what killed builds left."""
        self._kept.sweep(keep)
