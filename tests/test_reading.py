"""Lessons as data: blocks with the lines at which they stand in their file."""

import warnings
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import (
    new_code_cell,
    new_markdown_cell,
    new_notebook,
    new_raw_cell,
)

from coursebuild.sources.reading import (
    read_lessons,
    read_notebook,
    read_page,
    read_script,
    read_text,
)
from coursebuild.texts.form import review
from courserun.runs import LessonError

ROOT = Path(__file__).parents[1]

SCRIPT = '''\
"""
Title
=====
"""
# sphinx_gallery_seconds = 120
# sphinx_gallery_warns = ["non-leaf"]

# %%
# First text,
# two lines.

x = 1
x

# %%
# Second text.

y = 2
'''

PAGE = """\
---
file_format: mystnb
kernelspec:
  name: python3
lesson:
  seconds: 90
---

# Title

First text.

```{code-cell} python
x = 1

y = 2
```

Last text.
"""


TAGGED = PAGE.replace(
    "python\nx = 1", "python\n:tags: [hide-input, a]\n\n%matplotlib inline\nx = 1"
)


def write(folder, name, text):
    path = folder / name
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return path


def assert_lines_are_right(lesson, text):
    """Each block's first line stands at its line of the file."""
    lines = text.splitlines()
    for block in lesson.blocks:
        first = next(filter(str.strip, block.source.splitlines()), None)
        if first is None:
            continue  # the blank line that a comment for sphinx-gallery leaves
        offset = block.source[: block.source.index(first)].count("\n")
        assert lines[block.line - 1 + offset].endswith(first)


def test_script_becomes_text_and_code(tmp_path):
    path = write(tmp_path, "gallery/0_a/10_b.py", SCRIPT)
    lesson = read_script(path, tmp_path)
    assert lesson.name == "gallery/0_a/10_b.py"
    kinds = [block.kind for block in lesson.blocks if block.source.strip()]
    assert [k for k in kinds if k == "text"] == ["text"] * 3
    assert "x = 1\nx" in [block.source.strip() for block in lesson.blocks]


def test_script_declares_its_limit_and_warnings(tmp_path):
    path = write(tmp_path, "gallery/0_a/10_b.py", SCRIPT)
    lesson = read_script(path, tmp_path)
    assert (lesson.seconds, lesson.warns) == (120.0, ("non-leaf",))


def test_lines_of_a_script_are_those_of_its_file(tmp_path):
    path = write(tmp_path, "gallery/0_a/10_b.py", SCRIPT)
    assert_lines_are_right(read_script(path, tmp_path), SCRIPT)


def test_page_becomes_text_and_code(tmp_path):
    path = write(tmp_path, "docs/page.md", PAGE)
    lesson = read_page(path, tmp_path)
    assert (lesson.name, lesson.markup) == ("docs/page.md", "md")
    assert [block.kind for block in lesson.blocks] == ["text", "code", "text"]
    assert lesson.seconds == 90.0


def test_lines_of_a_page_are_those_of_its_file(tmp_path):
    path = write(tmp_path, "docs/page.md", PAGE)
    assert_lines_are_right(read_page(path, tmp_path), PAGE)


def test_all_lessons_of_the_project_are_read():
    names = [lesson.name for lesson in read_lessons(ROOT)]
    assert set(names) >= {"docs/index.md", "docs/rules.md"}
    scripts = [name for name in names if name.startswith("gallery/")]
    found = [p.relative_to(ROOT).as_posix() for p in ROOT.glob("gallery/*/*.py")]
    assert scripts == sorted(found)


def test_lines_of_every_lesson_are_those_of_its_file():
    for lesson in read_lessons(ROOT):
        assert_lines_are_right(lesson, (ROOT / lesson.name).read_text())


def test_cell_of_a_page_keeps_its_tags_and_loses_its_magic(tmp_path):
    lesson = read_page(write(tmp_path, "docs/page.md", TAGGED), tmp_path)
    cells = [block for block in lesson.blocks if block.kind == "code"]
    assert [cell.tags for cell in cells] == [("hide-input", "a")]
    assert cells[0].source.startswith("#%matplotlib inline\nx = 1\n")
    assert cells[0].line == TAGGED[: TAGGED.index("%mat")].count("\n") + 1
    _, notes = review(tmp_path, [lesson], [])
    assert notes == [
        f"docs/page.md:{cells[0].line}\n  %matplotlib inline is ignored here"
    ]


def notebook(folder, *cells, language="python", **metadata):
    kernel = {"name": "k", "display_name": "K", "language": language}
    made = new_notebook(cells=cells, metadata={"kernelspec": kernel, **metadata})
    return write(folder, "docs/book.ipynb", nbformat.writes(made))


def test_notebook_is_a_page_whose_lines_name_their_cells(tmp_path):
    cells = (
        new_markdown_cell("# A\n\n$y = 2$"),
        new_code_cell("y = 2"),
        new_raw_cell("r"),
    )
    path = notebook(tmp_path, *cells, lesson={"seconds": 9})
    lesson = read_notebook(path, tmp_path)
    assert (lesson.name, lesson.markup) == ("docs/book.ipynb", "md")
    assert lesson.seconds == 9.0
    found = [(b.kind, b.source, b.line) for b in lesson.blocks]
    assert found == [
        ("text", "# A\n\n$y = 2$", 10_001),
        ("code", "y = 2", 20_001),
        ("text", "", 30_001),
    ]


def test_notebook_of_another_language_is_refused(tmp_path):
    with pytest.raises(LessonError, match=r"docs/book.ipynb:1\n  is a notebook in R"):
        read_notebook(notebook(tmp_path, language="R"), tmp_path)


def test_notebook_that_is_none_is_refused(tmp_path):
    path = write(tmp_path, "docs/book.ipynb", "# Title\n")
    with pytest.raises(LessonError, match=r"docs/book.ipynb:1\n  cannot be read as"):
        read_notebook(path, tmp_path)


def test_copies_that_jupyter_keeps_are_no_pages(tmp_path):
    write(tmp_path, "docs/.ipynb_checkpoints/book.ipynb", "")
    assert list(read_lessons(tmp_path)) == []


HEAD = '"""\nTitle\n=====\n\nSo :math:`{}`.\n"""\n'


@pytest.mark.parametrize(
    "formula",
    [r"\theta", r"\nabla_x y", r"\bar x", r"\frac12", r"\alpha", r"\rho", r"\vec x"],
)
def test_backslash_that_python_reads_is_refused(tmp_path, formula):
    path = write(tmp_path, "gallery/0_a/10_b.py", HEAD.format(formula))
    with pytest.raises(LessonError, match=r'gallery/0_a/10_b.py:5\n(.|\n)*r"""'):
        read_script(path, tmp_path)


@pytest.mark.parametrize(
    "text",
    ["r" + HEAD.format(r"\theta"), HEAD.format(r"\\theta"), HEAD.format(r"\sigma")],
)
def test_backslash_that_python_leaves_is_read(tmp_path, text):
    path = write(tmp_path, "gallery/0_a/10_b.py", text)
    with warnings.catch_warnings():  # Python 3.12 warns of the last one
        warnings.simplefilter("ignore")
        first = read_script(path, tmp_path).blocks[0].source
    assert "theta`" in first or "sigma`" in first


@pytest.mark.parametrize("below", ["gallery/3_x/1_sub", "gallery/3_x/1_sub/2_sub"])
def test_lesson_that_no_page_would_show_is_refused(tmp_path, below):
    write(tmp_path, f"{below}/10_one.py", HEAD.format("x"))
    [lesson] = read_lessons(tmp_path)
    [fault] = lesson.faults
    assert fault.startswith(f"{below}/10_one.py:1\n  lies two folders deep")


def test_module_two_folders_deep_is_no_lesson(tmp_path):
    write(tmp_path, "gallery/3_x/tools/helper.py", '"""Help."""\n')
    assert list(read_lessons(tmp_path)) == []


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("", "0\n1\n2\n3\n"),
        (":start-line: 1", "1\n2\n3\n"),
        (":end-line: 3", "0\n1\n2\n"),
        (":end-line: -1", "0\n1\n2\n"),
        (":start-line: -2", "2\n3\n"),
        (":start-after: 1\n   :end-before: 3", "\n2\n"),
    ],
)
def test_included_text_is_what_the_page_includes(tmp_path, options, expected):
    path = write(tmp_path, "docs/a.rst", f".. include:: b.txt\n   {options}\n")
    path.with_name("b.txt").write_text("0\n1\n2\n3\n")
    [part] = read_text(path, tmp_path).blocks[0].included
    assert (part.source, part.file) == (expected, "docs/b.txt")
    assert (
        "0\n1\n2\n3\n".splitlines()[part.line - 1]
        == (part.source or "\n").splitlines()[0]
        or "start-after" in options
    )


def test_text_behind_a_block_break_is_refused_with_its_line(tmp_path):
    path = tmp_path / "docs" / "a.md"
    path.parent.mkdir()
    front = "---\nfile_format: mystnb\nkernelspec:\n  name: python3\n---\n"
    path.write_text(f"{front}\n# A\n\n+++ $y = 8$\n\nSo.\n")
    with pytest.raises(LessonError, match=r"^docs/a\.md:9\n.*(?s:.*)behind \+\+\+"):
        read_page(path, tmp_path)
