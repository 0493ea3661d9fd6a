"""What is wrong with a file or its place is told before anything of it runs."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_notebook

from coursebuild.sources.reading import read_lessons

LEVEL = "gallery/0_toy"
HEADER = "Toy\n---\n\nOne level.\n"
LESSON = '"""\nToy\n===\n\nOne number.\n"""\n\nx = 1\n'
PAGE = "---\nfile_format: mystnb\nlesson:\n  {}\n---\n\n# Page\n\n$y = 2$\n"
SET = "sphinx_gallery_"
FAULTS = [  # a file, its text, where its message begins, words of the remedy
    (f"{LEVEL}/10_no.py", "x = 1\n", ":1\n", "has no docstring"),
    (f"{LEVEL}/10_no.py", '\n"""Words."""\n', ":2\n", "a line of = below it"),
    (f"{LEVEL}/10_no.py", f"{LESSON}# caf\xe9\n", ":9\n", "save the file as UTF-8"),
    (f"{LEVEL}/GALLERY_HEADER.rst", "Toy\n---\n\ncaf\xe9", ":4\n", "as UTF-8"),
    ("docs/page.md", "# Page\n\ncaf\xe9\n", ":3\n", "save the file as UTF-8"),
    ("docs/page.ipynb", "# caf\xe9\n", ":1\n", "save the file as UTF-8"),
    ("docs/page.ipynb", "# Page\n", ":1\n", "open it in Jupyter and save it again"),
    ("docs/page.ipynb", "R", ":1\n", "choose a Python kernel"),
    ("gallery/10_one.py", LESSON, ":1\n", "move it into the folder of one"),
    ("gallery/1_new/10_new.py", LESSON, ":1\n", "write gallery/1_new/GALLERY_HEADER.r"),
    (f"{LEVEL}/10 my one.py", LESSON, ":1\n", "rename it to 10_my_one.py"),
    ("gallery/3_late/20_two.py", LESSON, ":1\n", f"like {LEVEL}/20_two.py: rename"),
    ("gallery/3_late/1_deep/10_one.py", LESSON, ":1\n", "move it to gallery/3_late/"),
    (f"{LEVEL}/30_s.py", f"{LESSON}# {SET}second = 3\n", ":9\n", f"mean {SET}seconds?"),
    (f"{LEVEL}/30_s.py", f"{LESSON}# {SET}line_numbers = True\n", ":9\n", "delete the"),
    (f"{LEVEL}/30_s.py", f"{LESSON}# {SET}capture_repr = ()\n", ":9\n", "delete the"),
    (f"{LEVEL}/30_s.py", f"{LESSON}# {SET}seconds = 'two'\n", ":9\n", "write 120"),
    (f"{LEVEL}/30_s.py", f"{LESSON}# {SET}seconds = 0\n", ":9\n", "write 120"),
    (
        f"{LEVEL}/30_s.py",
        f"{LESSON}# {SET}warns = 'leaf'\n",
        ":9\n",
        'write ["non-leaf',
    ),
    (f"{LEVEL}/30_s.py", f"{LESSON}# {SET}warns = ['(']\n", ":9\n", "regular express"),
    (f"{LEVEL}/30_s.py", f"{LESSON}# {SET}checks = easy\n", ":9\n", 'write "strict"'),
    (f"{LEVEL}/30_s.py", f"{LESSON}# {SET}checks = 'lax'\n", ":9\n", "easy or strict"),
    (f"{LEVEL}/30_s.py", f"{LESSON}# {SET}thumbnail_number = 'a'\n", ":9\n", "write 2"),
    (f"{LEVEL}/30_s.py", f"{LESSON}# {SET}start_ignore\n", ":9\n", "one is missing"),
    (f"{LEVEL}/30_s.py", f"{LESSON}# {SET}end_ignore\n", ":9\n", "one is missing"),
    (f"{LEVEL}/30_s.py", f"{LESSON}# %% One\n# two.\n", ":9\n", "on the next line"),
    (f"{LEVEL}/30_s.py", f"{LESSON}#%%% One\n#two.\n", ":9\n", "on the next line"),
    ("docs/page.md", PAGE.format("second: 3"), ":4\n", "did you mean seconds?"),
    ("docs/page.md", PAGE.format("seconds: two minutes"), ":4\n", "write 120"),
    ("docs/page.md", PAGE.format("warns: non-leaf"), ":4\n", 'write ["non-leaf"]'),
]


@pytest.mark.parametrize(("file", "text", "place", "words"), FAULTS)
def test_fault_of_a_file_is_told_with_its_line_and_a_remedy(
    tmp_path: Path, file: str, text: str, place: str, words: str
) -> None:
    for level in (LEVEL, "gallery/3_late"):
        write(tmp_path, f"{level}/GALLERY_HEADER.rst", HEADER)
    write(tmp_path, f"{LEVEL}/20_two.py", LESSON)
    if text == "R":
        kernel = {"name": "ir", "display_name": "R", "language": "R"}
        text = nbformat.writes(new_notebook(metadata={"kernelspec": kernel}))
    write(tmp_path, file, text)
    faults = [fault for lesson in read_lessons(tmp_path) for fault in lesson.faults]
    assert len(faults) == 1
    assert faults[0].startswith(f"{file}{place}")
    assert words in faults[0]


def write(root: Path, file: str, text: str) -> None:
    """Write a file; what is not ASCII becomes Latin-1."""
    path = root / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("latin-1"))


def test_lesson_with_a_wrong_setting_is_read_all_the_same(tmp_path: Path) -> None:
    write(tmp_path, f"{LEVEL}/GALLERY_HEADER.rst", HEADER)
    write(tmp_path, f"{LEVEL}/10_s.py", f"{LESSON}# {SET}second = 3\n")
    (lesson,) = read_lessons(tmp_path)
    assert [block.kind for block in lesson.blocks] == ["text", "code"]


@pytest.mark.parametrize(
    "below", ["# %%\n# One.\n", "# %% [markdown]\n# One.\n", "# %% A\n"]
)
def test_marker_that_swallows_no_text_is_none(tmp_path: Path, below: str) -> None:
    write(tmp_path, f"{LEVEL}/GALLERY_HEADER.rst", HEADER)
    write(tmp_path, f"{LEVEL}/10_s.py", f"{LESSON}\n{below}")
    (lesson,) = read_lessons(tmp_path)
    assert lesson.faults == ()
