"""Data and modules beside a lesson: there when it runs, and in what is taken away."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from coursebuild.extension.header import imports
from coursebuild.lessons.gallery import _lay_beside
from coursebuild.sources import reading
from coursebuild.sources.beside import files_of_page, helpers, scripts
from coursebuild.sources.reading import read_lessons, read_script
from courserun.freshness import lesson_key
from courserun.kept import Kept
from courserun.lesson import Lesson, Run, Shown
from courserun.runner import run_lesson

TITLE = '"""\nTitle\n=====\n\nWords.\n"""\n'
LEVEL = {
    "10_one.py": TITLE + "import helper\nhelper.table()\n",
    "20_two.py": TITLE + "1\n",
    "helper.py": "from pathlib import Path\nimport numpy\nimport PIL\n"
    "def table(): return Path('data/a.csv').read_text()\n",
    "_hidden.py": "",
    "data/a.csv": "28",
    "data/deep/b.csv": "",
    ".secret": "",
    "__pycache__/x.pyc": "",
    "GALLERY_HEADER.rst": "Level\n=====\n",
    "1_sub/GALLERY_HEADER.rst": "Sub\n===\n",
    "1_sub/c.csv": "",
}


def make(root: Path, files: Mapping[str, str] = LEVEL) -> Path:
    """Write a level; return its folder."""
    folder = root / "gallery" / "0_toy"
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def one(root: Path) -> Lesson:
    return read_script(root / "gallery/0_toy/10_one.py", root)


def shown(run: Run) -> list[str]:
    assert run.failure is None
    parts = [part for output in run.outputs if output for part in output.parts]
    return [part.source for part in parts if isinstance(part, Shown)]


def test_module_that_a_lesson_imports_is_no_lesson(tmp_path: Path) -> None:
    folder = make(tmp_path)
    assert {path.name for path in helpers(folder)} == {"helper.py", "_hidden.py"}
    assert [path.name for path in scripts(tmp_path)] == ["10_one.py", "20_two.py"]


def test_lesson_that_has_the_name_of_an_import_stays_a_lesson(tmp_path: Path) -> None:
    folder = make(tmp_path, LEVEL | {"numpy.py": TITLE + "1\n"})
    assert folder / "numpy.py" in scripts(tmp_path)


def test_files_are_those_of_the_level(tmp_path: Path) -> None:
    make(tmp_path)
    names = [name for name, _ in one(tmp_path).files]
    assert names == ["_hidden.py", "data/a.csv", "data/deep/b.csv", "helper.py"]


def test_folder_with_a_lesson_s_name_is_that_lesson_s_alone(tmp_path: Path) -> None:
    make(tmp_path, LEVEL | {"10_one/deep/a.py": "", "20_two/b.csv": ""})
    names = [name for name, _ in one(tmp_path).files]
    assert "10_one/deep/a.py" in names
    assert "20_two/b.csv" not in names


def test_files_of_a_page_are_those_that_its_code_names(tmp_path: Path) -> None:
    files = {"a.csv": "1", "b.csv": "2", "mod.py": "open('deep/c.csv')", "page.md": ""}
    make(tmp_path, files | {"deep/c.csv": "", "deep/d.csv": ""})
    code = [
        "open('a.csv')\nimport mod",
        "'..', '/', '../0_toy/b.csv', '', 'a' * 9, '" + "a" * 300 + "'",
        "%magic",
    ]
    found = files_of_page(tmp_path / "gallery/0_toy/page.md", code)
    assert [name for name, _ in found] == ["a.csv", "deep/c.csv", "mod.py"]


CODE = {
    "module and data": ("import helper\nhelper.table()", "'28'"),
    "folder": ("open('data/a.csv').read()", "'28'"),
    "own place": (
        "from pathlib import Path\n"
        "(Path(__file__).resolve().parent / 'data/a.csv').read_text()",
        "'28'",
    ),
    "own place by os": (
        "import os\nopen(os.path.join(os.path.dirname(__file__), 'data', 'a.csv'))"
        ".read()",
        "'28'",
    ),
    "own name": ("__file__", "'10_one.py'"),
}


@pytest.mark.parametrize("case", CODE)
def test_lesson_finds_what_lies_beside_it(tmp_path: Path, case: str) -> None:
    code, wanted = CODE[case]
    make(
        tmp_path,
        LEVEL | {"10_one.py": TITLE + code + "\n\nimport helper\n\n# %%\n" + code},
    )
    assert shown(run_lesson(one(tmp_path))) == [wanted]


def test_failure_in_a_module_names_its_line(tmp_path: Path) -> None:
    broken = LEVEL | {"helper.py": "def table():\n    return 1 / 0\n"}
    make(tmp_path, broken)
    failure = run_lesson(one(tmp_path)).failure
    assert failure is not None
    assert failure.message.startswith("gallery/0_toy/10_one.py:8: cell 1 raised Zero")
    assert "  gallery/0_toy/helper.py:2 in table: return 1 / 0" in failure.message


def test_failure_to_import_names_the_author_s_own_file(tmp_path: Path) -> None:
    make(tmp_path, LEVEL | {"10_one.py": TITLE + "from helper import nothing\n"})
    failure = run_lesson(one(tmp_path)).failure
    assert failure is not None
    assert "(gallery/0_toy/helper.py)" in failure.message


@pytest.mark.parametrize("name", ["data/a.csv", "helper.py", "data/deep/b.csv"])
def test_change_beside_a_lesson_makes_its_outputs_stale(
    tmp_path: Path, name: str
) -> None:
    folder = make(tmp_path)
    (tmp_path / "utils").mkdir()
    before = lesson_key(one(tmp_path), root=tmp_path)
    (folder / name).write_text("# changed")
    assert lesson_key(one(tmp_path), root=tmp_path) != before


def test_module_leads_to_what_it_imports_of_utils(tmp_path: Path) -> None:
    make(tmp_path, LEVEL | {"helper.py": "import ours\n"})
    ours = tmp_path / "utils/ours.py"
    ours.parent.mkdir()
    ours.write_text("1")
    before = lesson_key(one(tmp_path), root=tmp_path)
    ours.write_text("2")
    assert lesson_key(one(tmp_path), root=tmp_path) != before


def test_packages_of_a_module_are_named_and_the_module_is_not(tmp_path: Path) -> None:
    folder = make(tmp_path)
    assert imports(folder / "10_one.py") == ["numpy", "pillow"]


def test_file_is_laid_beside_the_page_that_includes_it(tmp_path: Path) -> None:
    level = tmp_path / "gallery/0_toy"
    (level / "data").mkdir(parents=True)
    title = '"""\nOne\n===\n\nWords.\n"""\n\n# %%\n'
    (level / "10_one.py").write_text(title + "# .. literalinclude:: data/a.py\n\n1\n")
    for name in ("a.py", "b.md"):
        (level / "data" / name).write_text("x")
    _lay_beside(tmp_path / "page", read_script(level / "10_one.py", tmp_path))
    laid = [path.name for path in (tmp_path / "page").rglob("*") if path.is_file()]
    assert laid == ["a.py"]


def test_lesson_is_split_once_and_again_where_it_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path)
    kept, split = Kept(tmp_path / "kept"), reading.split_code_and_text_blocks
    first = list(read_lessons(tmp_path, kept))
    asked: list[str] = []
    monkeypatch.setattr(
        reading, "split_code_and_text_blocks", lambda p: asked.append(p) or split(p)
    )
    assert list(read_lessons(tmp_path, kept)) == first
    assert asked == []
    script = tmp_path / "gallery/0_toy/20_two.py"
    script.write_text(script.read_text() + "2\n")
    assert list(read_lessons(tmp_path, kept)) != first
    assert asked == [str(script)]


def test_lesson_that_goes_forward_declares_what_newer_releases_warn_of():
    """Since 2.14 PyTorch compiles its rules of forward mode with what it deprecates."""
    forward = re.compile(r"\bjacfwd\(|\bjvp\(|make_dual\(|forward_ad=|func\.hessian\(")
    found = [
        ("jit.script since torch 2.14" in lesson.warns, lesson.name)
        for lesson in read_lessons(Path(__file__).parents[1])
        if forward.search("\n".join(block.source for block in lesson.blocks))
    ]
    assert len(found) > 9
    assert [name for declares, name in found if not declares] == []
