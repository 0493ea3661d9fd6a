"""The teacher's pack: it asks without telling, and what it asks can be answered."""

import json
import re
import shutil
from pathlib import Path

import nbformat
import pytest
from test_downloads import install, run

from coursebuild.sources.beside import scripts
from coursebuild.teaching import read_taught, write_notebooks
from coursebuild.teaching.questions import Code, Question, Text, parts, sheet
from coursecheck.stated import Asked, Block

ROOT = Path(__file__).parents[1]
RUNNER = Path(__file__).with_name("notebook_runner.py")
LESSONS = [(path.parent.name, path.stem) for path in scripts(ROOT)]
LEVELS = sorted({level for level, _ in LESSONS})
SHEETS = [(level, name) for level in LEVELS for name in ("sheet", "answers")]
NAMES = [stem for _, stem in LESSONS]
DETAILS = re.compile(r"<summary>Answer</summary>(.*?)</details>", re.DOTALL)
PROMPT = re.compile(r"^\s*(?:>>>|\.\.\.)?\s*")
TOLD = 20  # characters: what is shorter may stand elsewhere by chance

BOX = """\
Title
=====

.. predict::

   What is it?

   .. ask:: x.grad

   .. answer::

      It is 5.

      .. wrong:: 4

         No.

It has come out.

Next
----

Here.

.. exercise::

   And now?

   .. answer::

      >>> u = 3
      >>> u + 1
      4
      >>> print(7)
      7

"""


@pytest.fixture(scope="module")
def taught():
    return {it.stem: it for it in read_taught(ROOT)}


@pytest.fixture(scope="module")
def pack(once):
    return once(
        "teach", lambda folder: write_notebooks(ROOT, read_taught(ROOT), folder)
    )


def cells(path: Path, kind: str) -> list[str]:
    book = json.loads(path.read_text("utf-8"))
    return [c["source"] for c in book["cells"] if c["cell_type"] == kind]


def told(pack: Path, level: str, name: str) -> str:
    return "\n".join(cells(pack / "teachers" / level / f"{name}.ipynb", "markdown"))


def questions(found) -> list[Question]:
    return [part for part in found if isinstance(part, Question)]


def test_lesson_is_parted_into_what_asks_and_what_tells():
    blocks = [Block("text", BOX, 1), Block("code", "x.grad", 40)]
    asked = [Asked("ask", "x.grad", 8, (5.0,)), Asked("wrong", "4", 14, (4.0,))]
    title, predict, after, here, exercise, code = parts(blocks, asked)
    assert title == Text("Title\n=====", covered=False)
    assert (predict.text, predict.numbers) == (".. predict::\n\n   What is it?", (5.0,))
    assert predict.code == "my_answer = x.grad"
    assert after == Text("It has come out.", covered=True)
    assert here == Text("Next\n----\n\nHere.", covered=False)
    assert (exercise.numbers, exercise.code) == ((4.0,), "u = 3\nmy_answer = u + 1")
    assert exercise.text == ".. exercise::\n\n   And now?"
    assert code == Code("x.grad")


def test_numbers_that_nobody_asks_for_are_an_error():
    with pytest.raises(ValueError, match=r"no run computed what this asks"):
        [*parts([Block("text", BOX, 1)], [])]
    with pytest.raises(ValueError, match=r"no box asks for y"):
        [*parts([Block("text", "Text", 1)], [Asked("ask", "y", 1, (1.0,))])]


def test_sheet_has_no_section_that_asks_nothing():
    quiet = [Block("text", "Quiet\n-----\n\nWords.", 50), Block("code", "z = 1", 54)]
    more = [Block("text", "Last\n----\n\n.. exercise::\n\n   Why?", 60)]
    asked = [Asked("ask", "x.grad", 8, (5.0,))]
    found = [*sheet(parts([Block("text", BOX, 1), *quiet, *more], asked))]
    assert Code("z = 1", folded=True) in found
    said = "\n".join(part.source for part in found if isinstance(part, Text))
    assert "Quiet" not in said
    assert "Words." not in said
    assert "It has come out." not in said
    assert [q.kind for q in questions(found)] == ["predict", "exercise", "exercise"]


def test_every_lesson_has_its_notebooks(taught):
    assert sorted(taught) == sorted(NAMES)


@pytest.mark.parametrize(("level", "name"), LESSONS, ids=NAMES)
def test_notebooks_are_valid_and_check_what_numbers_answer(taught, pack, level, name):
    asked = questions(taught[name].parts)
    keys = [question.key for question in asked if question.key]
    assert keys
    for folder in ("students", "teachers"):
        path = pack / folder / level / f"{name}.ipynb"
        nbformat.validate(nbformat.read(path, as_version=4))
        code = "\n".join(cells(path, "code"))
        found = re.findall(r'^check_answer\(my_answer, "(.*)"\)$', code, re.MULTILINE)
        assert sorted(found) == sorted(keys)


@pytest.mark.parametrize(("level", "name"), LESSONS, ids=NAMES)
def test_no_answer_stands_in_a_students_notebook(taught, pack, level, name):
    """What the teacher's notebook has in its answers and nowhere else is not there."""
    answers = DETAILS.findall(told(pack, level, name))
    assert len(answers) == len(questions(taught[name].parts))
    level_has = [it for it in taught.values() if it.level == level]
    outside = "\n".join(
        [DETAILS.sub("", told(pack, level, it.stem)) for it in level_has]
        + [p.source for it in level_has for p in it.parts if isinstance(p, Code)]
    )
    lines = {PROMPT.sub("", line) for a in answers for line in a.splitlines()}
    telling = [s for s in lines if len(s) >= TOLD and s not in outside]
    assert telling
    for book in (name, "sheet"):
        given = (pack / "students" / level / f"{book}.ipynb").read_text("utf-8")
        text = "\n".join(c["source"] for c in json.loads(given)["cells"])
        assert [line for line in telling if line in text] == []
        assert "<summary>Answer" not in text
        assert not re.search(r"my_answer = (?!\.\.\.)", text)


@pytest.fixture(scope="module")
def reader(once):
    """The Python of a fresh environment that holds what the lessons' pages name."""
    return once("reader", install) / "env" / "bin" / "python"


@pytest.fixture(scope="module")
def ran(once, reader, pack):
    """What the checks of each notebook said, by folder and name."""

    def play(folder: Path) -> None:
        shutil.copytree(pack, folder / "pack")
        books = sorted((folder / "pack").glob("*/*/*.ipynb"))
        done = run(reader, RUNNER, *books, folder=folder)
        assert done.returncode == 0, done.stderr
        (folder / "said").write_text(done.stdout)

    said = map(json.loads, (once("taught", play) / "said").read_text().splitlines())
    return {(Path(s["name"]).parts[-3], *place(s["name"])): s for s in said}


def place(path: str) -> tuple[str, str]:
    return Path(path).parts[-2], Path(path).stem


ALL = LESSONS + SHEETS


@pytest.mark.parametrize(("level", "name"), ALL, ids=["-".join(it) for it in ALL])
def test_checks_are_red_without_answers_and_green_with_them(ran, level, name):
    for folder, right in (("students", False), ("teachers", True)):
        if (found := ran.get((folder, level, name))) is None:
            assert name in ("sheet", "answers")  # each for one of the two
            continue
        assert "failed" not in found, found["failed"]
        assert found["said"]
        assert set(found["said"]) == {right}


def test_notebooks_run_in_jupyter(reader, pack, tmp_path):
    jupyter = ["-m", "pip", "install", "--quiet", "nbclient", "ipykernel"]
    assert run(reader, *jupyter, folder=tmp_path).returncode == 0
    level, name = LESSONS[0]
    for folder, sign in (("students", "✗"), ("teachers", "✓")):
        book = tmp_path / f"{folder}.ipynb"
        shutil.copy(pack / folder / level / f"{name}.ipynb", book)
        execute = [reader.with_name("jupyter-execute"), "--inplace", book]
        done = run(*execute, folder=tmp_path)
        assert done.returncode == 0, done.stderr
        said = re.findall("[✓✗](?= [A-Z])", book.read_text("utf-8"))
        assert said
        assert set(said) == {sign}
