"""The small commands: a new lesson, a check of statements."""

import shutil
import time
from pathlib import Path

import pytest

from bench import building
from coursebuild import __main__
from coursebuild.commands.doctest import confirm, docstring_examples
from coursebuild.commands.html import SiteError
from coursebuild.commands.lesson import new_lesson
from coursebuild.commands.lock import CUDA
from coursebuild.publishing.publish import state
from coursebuild.sources.reading import read_lessons
from coursebuild.texts.claims import LIST as CLAIMS
from coursebuild.texts.form import review

ROOT = Path(__file__).parents[1]
FIRST = "gallery/0_basics/10_gradients_with_pytorch.py"


@pytest.fixture
def project(tmp_path):
    """A project that holds the first lesson and the template."""
    shutil.copytree(ROOT / "gallery/0_basics", tmp_path / "gallery/0_basics")
    shutil.copy(ROOT / "gallery/template.py.txt", tmp_path / "gallery")
    shutil.copy(ROOT / "requirements.lock", tmp_path)
    (tmp_path / "docs").mkdir()
    claimed = (ROOT / CLAIMS).read_text().splitlines(keepends=True)
    backed = (line for line in claimed if line.startswith("gallery/0_basics/"))
    (tmp_path / CLAIMS).write_text("".join(backed))
    listed = (ROOT / "docs/prose_numbers.txt").read_text().splitlines()
    ours = "\n".join(line for line in listed if line.startswith(FIRST))
    (tmp_path / "docs/prose_numbers.txt").write_text(ours)
    return tmp_path


def change(project, old, new):
    path = project / FIRST
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return text[: text.index(old)].count("\n") + 1


def test_true_lesson_is_confirmed_with_its_count(project):
    line = confirm(project, [FIRST])
    assert int(line.split()[0]) > 50
    assert line.endswith(f"statements are true in {FIRST}")


def test_false_doctest_names_file_line_stated_and_computed(project):
    change(project, "# tensor([ 0.,  4.,  8., 12.])", "# tensor([ 0.,  4.,  8., 13.])")
    with pytest.raises(SiteError) as caught:
        confirm(project, [FIRST])
    message = str(caught.value)
    assert f"{FIRST}:" in message
    assert "stated    tensor([ 0.,  4.,  8., 13.])" in message
    assert "computed  tensor([ 0.,  4.,  8., 12.])" in message


def test_false_formula_names_file_line_and_the_place(project):
    line = change(project, "= 4x = (0, 4, 8, 12)", "= 4x = (0, 4, 8, 13)")
    with pytest.raises(SiteError) as caught:
        confirm(project, [FIRST])
    message = str(caught.value)
    assert f"{FIRST}:{line}\n" in message  # the answer to its question is wrong, too
    assert "autograd" in message
    assert "index 3" in message


def test_unknown_processor_is_named_with_the_one_there_is(monkeypatch):
    monkeypatch.setenv("PROCESSOR", "older")
    with pytest.raises(ValueError, match=r"PROCESSOR=older .*: PROCESSOR=oldest is"):
        __main__.COMMANDS["doctest"](FIRST)


def test_unknown_lesson_is_named_with_those_there_are(project):
    with pytest.raises(SiteError, match=r"nothing\.py is no lesson\. There are: gal"):
        confirm(project, ["nothing.py"])


def test_lesson_that_states_nothing_is_an_error(project):
    silent = project / "gallery/0_basics/20_silent.py"
    silent.write_text('"""\nSilent\n======\n"""\n\nx = 1\n')
    with pytest.raises(SiteError, match=r"20_silent.py:1\n  states nothing"):
        confirm(project)


def test_docstrings_hold_examples():
    assert docstring_examples() > 20


def test_false_example_of_a_module_in_a_room_is_found(tmp_path, monkeypatch):
    room = tmp_path / "house_of_rooms" / "room"
    room.mkdir(parents=True)
    (room.parent / "__init__.py").write_text('""">>> 1 + 1\n2\n"""')
    (room / "__init__.py").touch()
    (room / "deep.py").write_text('""">>> 1 + 1\n3\n"""')
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(SiteError, match=r"house_of_rooms\.room\.deep"):
        docstring_examples(["house_of_rooms"])


def test_package_without_examples_is_an_error():
    with pytest.raises(SiteError, match="wsgiref: no docstring holds an example"):
        docstring_examples(["wsgiref"])


def test_new_lesson_is_true_as_it_stands(project):
    name = "gallery/0_basics/20_my_lesson.py"
    assert name in new_lesson(project, name)
    assert "statements are true" in confirm(project, [name])


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "is no lesson's name"),
        ("lesson.py", "is no lesson's name"),
        ("gallery/0_basics/no_number.py", "is no lesson's name"),
        ("gallery/0_basics/../../10_x.py", "is no lesson's name"),
        ("gallery/9_nowhere/10_lesson.py", "There is no level '9_nowhere'"),
        (FIRST, "exists; choose another"),
    ],
)
def test_new_lesson_refuses_the_name(project, name, reason):
    before = (project / FIRST).read_text()
    with pytest.raises(ValueError, match=reason):
        new_lesson(project, name)
    assert (project / FIRST).read_text() == before


def test_command_reports_an_error_in_words(capsys):
    assert __main__.main(["lesson", "nowhere.py"]) == 1
    assert "is no lesson's name" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["nvidia-cublas-cu13", "triton", "cuda-bindings"])
def test_lock_knows_packages_of_a_cuda_build(name):
    assert CUDA.match(name)


def test_lock_holds_one_version_of_everything_and_no_host():
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    packages = [line for line in lines if not line.startswith("#")]
    assert all(line.count("==") == 1 for line in packages)
    assert "torch==2.13.0" in packages
    assert not [line for line in lines if "://" in line]


def test_change_of_a_source_is_seen(project):
    for name in ("conf.py", "pyproject.toml", "LICENSE"):
        shutil.copy(ROOT / name, project)
    before = state(project)
    time.sleep(0.01)
    (project / FIRST).write_text("changed")
    assert state(project) != before


def test_generated_site_of_the_bench_has_nothing_that_stops_it(tmp_path):
    root = building.generate(tmp_path, 10)
    lessons = list(read_lessons(root))
    assert len(lessons) == 10
    assert review(root, lessons, [])[0] == []


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        (building.LESSON, []),
        ((ROOT / FIRST).read_text(), []),
        ((ROOT / FIRST).read_text(), [building.COMMENT]),
        ((ROOT / "docs/using.md").read_text(), []),
    ],
)
def test_edit_of_the_bench_can_be_taken_back(tmp_path, text, pairs):
    lesson = tmp_path / "lesson.py"
    lesson.write_text(text)
    building.edit(lesson, *pairs)
    once = lesson.read_text()
    building.edit(lesson, *pairs)
    assert once != text == lesson.read_text()
