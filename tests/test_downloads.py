"""Each lesson's downloads run on their own, with what the page says to install."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from coursebuild.downloads import archives
from coursebuild.downloads.archives import build_wheel, write_zip
from coursebuild.sources.beside import files_of_script
from coursebuild.sources.reading import read_script
from courserun.kept import Kept

ROOT = Path(__file__).parents[1]
SITE = ROOT / "build" / "html"
LESSONS = sorted(p.stem for p in ROOT.glob("gallery/*/*.py"))
PAGES = {p.stem: p for p in SITE.glob("lessons/*/*.html")}


def run(*command: object, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command as a reader would, with nothing of this project in reach."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    if index := os.environ.get("TORCH_INDEX"):
        kept["PIP_EXTRA_INDEX_URL"] = index
    return subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=kept,
        capture_output=True,
        text=True,
        check=False,
    )


def said(lesson: str) -> list[str]:
    """Return what the lesson's page says to install; the wheel as a file."""
    group = PAGES[lesson].read_text().partition('class="downloads')[2]
    line = re.sub(r"<[^>]+>", "", group[: group.index("</pre>")].rpartition("<pre>")[2])
    words = line.split()
    assert words[:2] == ["pip", "install"]
    return [w.rpartition("/")[2] if w.endswith(".whl") else w for w in words[2:]]


@pytest.fixture(scope="module")
def reader(once):
    """The Python of a fresh environment that holds what the lessons' pages name."""
    return once("reader", install) / "env" / "bin" / "python"


def install(folder: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", folder / "env"], check=True)
    python = folder / "env" / "bin" / "python"
    (wheel,) = SITE.glob("wheel/*.whl")
    shutil.copy(wheel, folder)
    packages = sorted({package for lesson in LESSONS for package in said(lesson)})
    done = run(python, "-m", "pip", "install", "--quiet", *packages, folder=folder)
    assert done.returncode == 0, done.stderr


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
    done = run(reader, script, folder=tmp_path)
    parts = re.split(r"(?m)^(?=\S+:\d+: \w*Warning: )", done.stderr)
    other = [p for p in parts if p and not any(re.search(d, p) for d in declared)]
    assert (done.returncode, other) == (0, [])


@pytest.mark.parametrize("lesson", LESSONS)
def test_zip_holds_what_runs(tmp_path, lesson):
    """The script and the notebook that the other tests run, the wheel, and files."""
    with zipfile.ZipFile(download(lesson, ".zip")) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    (wheel,) = SITE.glob("wheel/*.whl")
    assert wheel.name in said(lesson)
    run_here = [download(lesson, ".py"), download(lesson, ".ipynb"), wheel]
    beside = lay_beside(lesson, tmp_path)
    assert held == {path.name: path.read_bytes() for path in run_here} | beside


def test_notebooks_run_on_their_own(reader, tmp_path):
    """Jupyter itself is the reader's; here its smallest part stands for it."""
    jupyter = ["-m", "pip", "install", "--quiet", "nbclient", "ipykernel"]
    assert run(reader, *jupyter, folder=tmp_path).returncode == 0
    books = [shutil.copy(download(name, ".ipynb"), tmp_path) for name in LESSONS]
    for name in LESSONS:
        lay_beside(name, tmp_path)
    done = run(reader.with_name("jupyter-execute"), *books, folder=tmp_path)
    assert done.returncode == 0, done.stderr


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
