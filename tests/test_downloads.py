"""Each lesson's downloads run on their own, with what the page says to install."""

import os
import re
import shutil
import zipfile
from pathlib import Path

import nbformat
import pytest
from lent import said

from coursebuild.downloads import archives
from coursebuild.downloads.archives import build_wheel, write_zip
from coursebuild.sources.beside import files_of_script
from coursebuild.sources.reading import read_script
from courserun.kept import Kept

ROOT = Path(__file__).parents[1]
SITE = ROOT / "build" / "html"
LESSONS = sorted(p.stem for p in ROOT.glob("gallery/*/*.py"))
PAGES = {p.stem: p for p in SITE.glob("lessons/*/*.html")}


def download(lesson: str, suffix: str) -> Path:
    (path,) = SITE.glob(f"_downloads/*/{lesson}{suffix}")
    return path


def lay_beside(lesson: str, folder: Path) -> dict[str, bytes]:
    """Write what lies beside a lesson into ``folder``; return it."""
    (script,) = ROOT.glob(f"gallery/*/{lesson}.py")
    files = dict(files_of_script(script))
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return files


def test_there_are_lessons_to_download():
    assert "10_gradients_with_pytorch" in LESSONS


@pytest.mark.parametrize("lesson", LESSONS)
def test_script_runs_on_its_own(reader, tmp_path, lesson):
    script = shutil.copy(download(lesson, ".py"), tmp_path)
    lay_beside(lesson, tmp_path)
    (source,) = ROOT.glob(f"gallery/*/{lesson}.py")
    declared = read_script(source, ROOT).warns
    done = reader.run("script", script)
    parts = re.split(r"(?m)^(?=\S+:\d+: \w*Warning: )", done.pop("errors"))
    other = [p for p in parts if p and not any(re.search(d, p) for d in declared)]
    assert (done, other) == (RAN, [])


RAN = {"code": 0, "borrowed": []}
NEVER = {  # what a process of its own would not do either
    "raises": ("1 / 0", "ZeroDivisionError"),
    "exits": ("raise SystemExit(3)", "'code': 3"),
    "dies": ("import os\nos.kill(os.getpid(), 9)", "it ended its process"),
    "says why": ("raise SystemExit('words')", "'code': 'words'"),
    "warns": ("import warnings\nwarnings.warn('soon')", "UserWarning: soon"),
    "cannot end": ("class A:\n    def __del__(self): 1 / 0\na = A()", "__del__"),
    "ends late": ("import atexit\natexit.register(lambda: 1 / 0)", "ZeroDivision"),
    "in a thread": (
        "from threading import Timer\nTimer(0.1, lambda: 1 / 0).start()",
        "ZeroDivision",
    ),
    "imports nothing": ("torch.ones(1)", "NameError"),
    "imports us": ("import coursebuild", "ModuleNotFoundError"),
    "imports Jupyter": ("import ipykernel", "ModuleNotFoundError"),
    "borrows": ("import torch as t\nt._dynamo.reset", "['torch._dynamo']"),
    "borrows a part": (
        "from torch import fx\nfx.experimental.symbolic_shapes",
        "['torch.fx.experimental.symbolic_shapes']",
    ),
}


@pytest.mark.parametrize("fault", NEVER)
def test_fault_of_a_script_is_noticed(reader, tmp_path, fault):
    source, words = NEVER[fault]
    script = tmp_path / "a.py"
    script.write_text(source)
    assert words in str(reader.run("script", script))


def test_script_is_the_main_module_where_it_lies(reader, tmp_path):
    """It has its name and arguments, and what it does to a module nobody else sees."""
    (tmp_path / "beside.py").write_text("")
    script = tmp_path / "a.py"
    script.write_text(
        "import os, pickle, sys\nimport beside, torch\nclass A: pass\n"
        "assert type(pickle.loads(pickle.dumps(A()))) is A\n"
        "assert (__name__, sys.argv) == ('__main__', [__file__])\n"
        "assert os.listdir() and sys.path[0] == os.getcwd()\n"
        "assert not hasattr(torch, 'mine')\ntorch.mine = 1\n"
    )
    for _ in range(2):
        assert reader.run("script", script) == {**RAN, "errors": ""}


@pytest.mark.parametrize("lesson", LESSONS)
def test_zip_holds_what_runs(tmp_path, lesson):
    """The script and the notebook that the other tests run, the wheel, and files."""
    with zipfile.ZipFile(download(lesson, ".zip")) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    (wheel,) = SITE.glob("wheel/*.whl")
    assert wheel.name in said(PAGES[lesson])
    run_here = [download(lesson, ".py"), download(lesson, ".ipynb"), wheel]
    beside = lay_beside(lesson, tmp_path)
    assert held == {path.name: path.read_bytes() for path in run_here} | beside


@pytest.mark.parametrize("lesson", LESSONS)
def test_notebook_runs_on_its_own(reader, jupyter, tmp_path, lesson):
    book = shutil.copy(download(lesson, ".ipynb"), tmp_path)
    lay_beside(lesson, tmp_path)
    done = reader.run("jupyter", book, jupyter)
    assert "failed" not in done, done["failed"]
    assert done["borrowed"] == []


def test_cell_that_fails_in_jupyter_is_noticed(reader, jupyter, tmp_path):
    book = tmp_path / "a.ipynb"
    cells = [nbformat.v4.new_code_cell(source) for source in ("x = 1", "x / 0")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), book)
    assert "ZeroDivisionError" in reader.run("jupyter", book, jupyter)["failed"]


def test_wheel_has_the_same_bytes_every_time(tmp_path):
    first, second = (build_wheel(ROOT, tmp_path / name) for name in ("a", "b"))
    assert first.read_bytes() == second.read_bytes()


def test_wheel_is_built_where_something_has_changed(tmp_path, monkeypatch):
    for name in ("pyproject.toml", "LICENSE", "utils/README.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "utils/torchutils", tmp_path / "utils/torchutils")
    kept, build = Kept(tmp_path / "kept"), archives._built
    first = build_wheel(tmp_path, tmp_path / "first", kept)
    built = []
    monkeypatch.setattr(archives, "_built", lambda *a: built.append(a) or build(*a))
    again = build_wheel(tmp_path, tmp_path / "again", kept)
    assert (again.name, again.read_bytes()) == (first.name, first.read_bytes())
    assert not built
    with (tmp_path / "utils/torchutils/names.py").open("a") as file:
        file.write("# changed\n")
    third = build_wheel(tmp_path, tmp_path / "third", kept)
    assert built
    assert third.read_bytes() != first.read_bytes()


def test_zip_has_the_same_bytes_every_time(tmp_path):
    files = []
    for name, mode in (("a.py", 0o600), ("b.ipynb", 0o755)):
        files.append(tmp_path / name)
        files[-1].write_text(name)
        files[-1].chmod(mode)
    write_zip(tmp_path / "1.zip", files)
    os.utime(files[0], (0, 10**9))
    write_zip(tmp_path / "2.zip", reversed(files))
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()
