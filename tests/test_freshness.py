"""A lesson's key changes with what its run depends on, and with nothing else."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from course import LESSONS

from coursecheck.gist import gist
from coursecheck.maths import Roles
from coursecheck.stated import Block
from courserun import freshness
from courserun.freshness import Store, lesson_key, lesson_keys
from courserun.kept import Kept
from courserun.lesson import Failure, Lesson, Output, Picture, Run, Shown
from courserun.runner import run_lesson

ROOT = Path(__file__).parents[1]
WORD = re.compile(r"(?<![\w`:$\\{.-])[a-z]{4,}(?![\w`:$}-])")
USES_MODULE = "from helpers import curves\ncurves.plot(open('points.csv'))"
NAME = "gallery/1_toy/10_toy.py"
FILES = {
    "conf.py": "project = 'toy'",
    "requirements.lock": "torch==2.13.0",
    "gallery/1_toy/points.csv": "1,2",
    "gallery/1_toy/other.csv": "1,2",
    "utils/helpers/__init__.py": "",
    "utils/helpers/curves.py": "def plot():\n    from .deep import shades\n",
    "utils/helpers/unused.py": "from helpers import never",
    "utils/helpers/never.py": "",
    "utils/helpers/deep/__init__.py": "from ..style import TONE",
    "utils/helpers/deep/shades.py": "import importlib\n"
    "importlib.import_module('helpers.lazy')\nopen('tones.json')",
    "utils/helpers/deep/tones.json": "[]",
    "utils/helpers/style.py": "import helpers.curves  # a circle\nTONE = 1",
    "utils/helpers/lazy.py": "import torch",
    "utils/stated.py": "",
    "utils/mydata/2026/points_1.csv": "1,2",
    "utils/points.csv": "1,2",
    "utils/coursebuild/books/book.css": "",
    "utils/courserun/__init__.py": "",
    "utils/courserun/forkserver.py": "import courserun.cells",
    "utils/courserun/cells.py": "",
    "utils/coursebuild/publishing/publish.py": "",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Make a toy project."""
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def toy(code: str = USES_MODULE, text: str = ">>> import stated") -> Lesson:
    """Make a lesson of a text and a cell."""
    return Lesson(NAME, (Block("text", text, 1), Block("code", code, 5)))


@pytest.mark.parametrize(
    "change",
    [
        "conf.py",
        "requirements.lock",
        "utils/helpers/__init__.py",
        "utils/helpers/curves.py",
        "utils/helpers/deep/__init__.py",
        "utils/helpers/deep/shades.py",
        "utils/helpers/deep/tones.json",
        "utils/helpers/style.py",
        "utils/helpers/lazy.py",
        "utils/stated.py",
        "utils/mydata/2026/points_1.csv",
        "utils/points.csv",
        "utils/courserun/cells.py",
        "utils/courserun/forkserver.py",
    ],
)
def test_key_changes_with_a_file_in_reach(root: Path, change: str) -> None:
    before = lesson_key(toy(), root=root)
    (root / change).write_text("changed = True")
    assert lesson_key(toy(), root=root) != before
    (root / change).write_text(FILES[change])
    assert lesson_key(toy(), root=root) == before


@pytest.mark.parametrize(
    "change",
    [
        "gallery/1_toy/other.csv",
        "gallery/1_toy/20_next.py",
        "utils/helpers/unused.py",
        "utils/helpers/never.py",
        "utils/coursebuild/publishing/publish.py",
        "utils/coursebuild/books/book.css",
        "README.md",
    ],
)
def test_key_ignores_a_file_out_of_reach(root: Path, change: str) -> None:
    before = lesson_key(toy(), root=root)
    (root / change).write_text("changed = True")
    assert lesson_key(toy(), root=root) == before


@pytest.mark.parametrize(
    "changed",
    [
        toy(code=USES_MODULE + "\n"),
        toy(text=">>> import stated\n\nMore."),
        replace(toy(), name="gallery/1_toy/11_toy.py"),
        replace(toy(), warns=("non-leaf",)),
        replace(toy(), markup="md"),
    ],
    ids=["code", "text", "name", "warns", "markup"],
)
def test_key_changes_with_the_lesson(root: Path, changed: Lesson) -> None:
    assert lesson_key(changed, root=root) != lesson_key(toy(), root=root)


@pytest.mark.parametrize("tool", ["torch", "python"])
def test_key_changes_with_versions(
    root: Path, monkeypatch: pytest.MonkeyPatch, tool: str
) -> None:
    before = lesson_key(toy(), root=root)
    monkeypatch.setattr(freshness, "version", lambda name: "2.14.0")
    if tool == "python":
        monkeypatch.undo()
        monkeypatch.setattr(freshness.platform, "python_version", lambda: "3.99.0")
    assert lesson_key(toy(), root=root) != before


def test_key_is_the_same_in_another_folder(root: Path) -> None:
    before = lesson_key(toy(), root=root)
    moved = root.rename(root.with_name(f"{root.name} with space ü"))
    assert lesson_key(toy(), root=moved) == before


def test_key_of_a_lesson_that_no_parser_reads_is_there(root: Path) -> None:
    assert lesson_key(toy(code="x x"), root=root)


def test_keys_of_many_lessons_are_those_of_each(root: Path) -> None:
    lessons = [toy(), replace(toy(code="1"), name="gallery/1_toy/20_next.py")]
    assert lesson_keys(lessons, root=root) == {
        lesson.name: lesson_key(lesson, root=root) for lesson in lessons
    }


PICTURE = Picture(b"<svg>light</svg>", b"<svg>dark</svg>", ".svg", "a curve")
RUN = Run(NAME, (None, Output((Shown("text", "hé tensor(2.)"), PICTURE))), seconds=0.5)


def test_store_returns_what_was_put(tmp_path: Path) -> None:
    store = Store(tmp_path / "new" / "runs")
    assert store.get("key") is None
    store.put("key", RUN)
    assert Store(tmp_path / "new" / "runs").get("key") == RUN


def test_store_refuses_a_failed_run(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="only runs that end well"):
        Store(tmp_path).put("key", replace(RUN, failure=Failure("no")))


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(path.read_bytes()[:-9]),
        lambda path: path.write_bytes(path.read_bytes().replace(b"2.", b"3.")),
        lambda path: path.write_bytes(b"\xff\xfe"),
        lambda path: path.write_bytes(b""),
    ],
    ids=["torn", "altered", "no text", "empty"],
)
def test_store_forgets_a_damaged_run(
    tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    store = Store(tmp_path)
    store.put("key", RUN)
    (path,) = tmp_path.iterdir()
    damage(path)
    assert store.get("key") is None
    assert not path.exists()


def test_store_keeps_the_former_run_when_the_write_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("No space left on device")

    store = Store(tmp_path)
    store.put("key", RUN)
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        store.put("key", replace(RUN, outputs=()))
    assert store.get("key") == RUN
    assert len(list(tmp_path.iterdir())) == 1


def test_store_sweeps_what_is_not_kept(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put("old", RUN)
    store.put("new", RUN)
    (tmp_path / "killed.part").write_text("half")
    store.sweep({"new"})
    assert [path.stem for path in tmp_path.iterdir()] == ["new"]


def test_code_is_parsed_once_and_new_code_again(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Kept(tmp_path / "kept")
    before = lesson_keys([toy()], root=root, kept=kept)
    parsed, parse = [], freshness._parsed

    def noted(source: str | bytes, package: str) -> freshness._Words:
        parsed.append(source)
        return parse(source, package)

    monkeypatch.setattr(freshness, "_parsed", noted)
    assert lesson_keys([toy()], root=root, kept=kept) == before
    assert not parsed
    (root / "utils/helpers/style.py").write_text("import csv")
    after = lesson_keys([toy()], root=root, kept=kept)
    assert parsed == [b"import csv"]
    assert after == lesson_keys([toy()], root=root) != before


TEXT = """One arrow, see :math:`x`.

.. role:: sum(math)

It is :math:`2 x = 6`.

So :math:`x^2` is 9, as said.

>>> x
3

.. ask:: 2 * x

.. answer::

   It is 6, twice 3.

:sum:`x + 1`
"""


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("One arrow", "An arrow", True),
        ("as said", "as we said", True),
        ("2 x = 6", "2 x = 7", False),
        ("is 9", "is 8", False),
        ("So", "If", False),  # a condition: no number is said any more
        (">>> x\n3", ">>> x\n4", False),
        (">>> x", ">>> x + 0", False),
        ("ask:: 2 * x", "ask:: 3 * x", False),
        ("twice 3", "twice 4", False),
        ("sum(math)", "sum(code)", False),
        ("One arrow", "One arrow\nor", False),  # a line of a formula is told
        (".\n\nSo", ".\n \n\nSo", False),
    ],
)
def test_key_changes_with_what_a_text_states(
    root: Path, old: str, new: str, *, same: bool
) -> None:
    before, after = (
        replace(toy(), blocks=(Block("text", text, 1), Block("code", "x = 3", 30)))
        for text in (TEXT, TEXT.replace(old, new, 1))
    )
    keys = [lesson_key(lesson, root=root) for lesson in (before, after)]
    assert before != after
    assert (keys[0] == keys[1]) is same


@pytest.mark.parametrize(
    "name",
    [
        "gallery/0_basics/10_gradients_with_pytorch.py",
        "gallery/1_foundations/30_chain_rule.py",
        "docs/rules.md",
    ],
)
def test_words_that_leave_the_key_leave_the_run(name: str) -> None:
    lesson = next(x for x in LESSONS if x.name == name)
    roles: Roles = {}
    blocks, count = [], 0
    for block in lesson.blocks:
        source = block.source
        for word in WORD.findall(source) if block.kind == "text" else ():
            edited = re.sub(rf"(?<![\w`:$\\{{.-]){word}(?![\w`:$}}-])", "thing", source)
            looks = [
                gist(replace(block, source=s), lesson.markup, dict(roles))
                for s in (source, edited)
            ]
            if looks[0] == looks[1] and edited != source:
                source, count = edited, count + 1
        if block.kind == "text":
            gist(block, lesson.markup, roles)
        blocks.append(replace(block, source=source))
    other = replace(lesson, blocks=tuple(blocks))
    assert count > 100
    assert lesson_key(other, root=ROOT) == lesson_key(lesson, root=ROOT)
    before, after = run_lesson(lesson), run_lesson(other)
    assert before.failure is None
    assert before == after
