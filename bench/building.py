"""Measure builds of the site, side by side, and write the tables of docs/speed.md.

``python bench/building.py`` needs a quiet machine and half an hour;
``python bench/building.py edits`` prints the table of edits alone.  The tables are
ratios, so that they can be compared between machines.
"""

from __future__ import annotations

import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
TABLES = ROOT / "docs" / "speed_tables.txt"
SOURCES = ("docs", "gallery", "utils", "vendor")
FILES = ("conf.py", "pyproject.toml", "requirements.lock", "LICENSE")
TIMES = 2  # of which the fastest counts
COUNTS = (10, 100, 1000)
EDITED = (10, 40, 100)
SERVED, EDITS = 40, 5  # generated lessons, edits of which the median counts
FIRST = "gallery/0_basics/10_gradients_with_pytorch.py"
# In a generated lesson, in one of ours, in a page: one is put for the other, and back.
WORDS = ("One graph", "A graph"), ("At the end we", "In the end we")
WORDS += (("Every graph has", "Each graph has"),)
COMMENT = "\nx = torch.arange(4.0)\n", "\nx = torch.arange(4.0)  # four\n"
# The floor: every lesson's code, one after the other, in one process.
EXECUTE = """
import linecache, os, sys, tempfile, warnings
from pathlib import Path
import matplotlib, torch
from coursebuild.sources.reading import read_lessons
matplotlib.use("agg")
warnings.simplefilter("ignore")
torch.set_num_threads(1)
sys.stdout = open(os.devnull, "w")
for lesson in read_lessons(Path.cwd()):
    os.chdir(tempfile.mkdtemp(dir=os.environ["LESSONS"]))
    for name, data in lesson.files:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(data)
    names = {"__name__": "__main__"}
    for block in lesson.blocks:
        if block.kind == "code":
            place = f"{lesson.name}, line {block.line}"
            lines = block.source.splitlines(True)
            linecache.cache[place] = len(block.source), None, lines, place
            exec(compile(block.source, place, "exec"), names)
"""
# What stock sphinx-gallery needs to make pages of our lessons; of generated ones less.
BOXES = ', "coursebuild.extension.boxes"'
STOCK = """
from docutils.parsers.rst.roles import math_role
from pathlib import Path
extensions = ["sphinx_gallery.gen_gallery"{boxes}]
html_theme = "furo"
sphinx_gallery_conf = {{
    "examples_dirs": [{gallery!r}], "gallery_dirs": ["lessons"], "parallel": {parallel},
    "filename_pattern": "", "within_subsection_order": "FileNameSortKey",
}}
def setup(app):
    app.add_role("law", math_role)
"""
NAMES = {
    "floor": "the floor: bare execution, then pages without execution",
    "ours": "`make html`: isolated, every statement checked",
    "stock_serial": "stock sphinx-gallery, lessons alone, no check",
    "stock_parallel": "the same with its `parallel`",
    "sphinx_again": "nothing changed: `sphinx-build` (the floor here)",
    "ours_again": "nothing changed: `make html`",
}
LESSON = '''"""
Lesson {number:04}
===========

One graph, one number.

:Time: 1 minute
"""

# %%
# The slope of :math:`x^2` at {number}:
import torch

from torchutils import make_dot

x = torch.tensor({number}.0, requires_grad=True)
y = x**2
y.backward()
x.grad

# %%
# Its graph:

make_dot(y, locals())
'''


class Took(NamedTuple):
    """What a command took: wall time, work of all its processes, its own memory."""

    seconds: float
    work: float
    megabytes: float

    def best(self, other: Took | None) -> Took:
        """Return the least of each."""
        return Took(*map(min, self, other)) if other else self

    def then(self, other: Took) -> Took:
        """Return what both took, one after the other."""
        most = max(self.megabytes, other.megabytes)
        return Took(self.seconds + other.seconds, self.work + other.work, most)


def took(command: list[str], folder: Path, **variables: str) -> Took:
    """Run a command to its end."""
    env = {**os.environ, "PYTHONPATH": "utils", "OMP_NUM_THREADS": "1", **variables}
    start = time.perf_counter()
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command, cwd=folder, env=env, stdin=-3, stdout=log, stderr=log
        )
        ended, peak = threading.Event(), [0.0]
        watcher = threading.Thread(target=_watch, args=(process.pid, ended, peak))
        watcher.start()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        ended.set()
        watcher.join()
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            log.seek(0)
            raise SystemExit(f"{command}:\n{log.read().decode()[-3000:]}")
    result = Took(seconds, usage.ru_utime + usage.ru_stime, peak[0])
    print(f"{result}  {command[-1][-60:]!r}", flush=True)
    return result


def _watch(pid: int, ended: threading.Event, peak: list[float]) -> None:
    """Note the high-water mark of a process's memory while it lives (Linux)."""
    status = Path(f"/proc/{pid}/status")
    while not ended.wait(0.05):
        with suppress(OSError, IndexError):
            peak[0] = int(status.read_text().split("VmHWM:")[1].split()[0]) / 1000


def project(folder: Path) -> Path:
    """Copy the sources of the site."""
    for name in SOURCES:
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=ignore)
    for name in FILES:
        shutil.copy(ROOT / name, folder)
    return folder


def python(*arguments: object) -> list[str]:
    """Return a command of this Python."""
    return [sys.executable, *map(str, arguments)]


def sphinx(source: Path, out: Path, *options: object) -> list[str]:
    """Return a command of sphinx-build, in one process."""
    return python("-m", "sphinx", "-q", *options, source, out)


BUILD = python("-m", "coursebuild", "html")


def stock(root: Path, folder: Path, parallel: str, boxes: str = BOXES) -> list[str]:
    """Return the command of a stock sphinx-gallery for the lessons alone."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    gallery = str(root / "gallery")
    conf = STOCK.format(gallery=gallery, parallel=parallel, boxes=boxes)
    (folder / "conf.py").write_text(conf)
    toctree = ".. toctree::\n\n   lessons/index\n"
    (folder / "index.rst").write_text(f"Site\n====\n\n{toctree}")
    return sphinx(folder, folder / "out")


def builds(root: Path, extra: Path) -> dict[str, Took]:
    """Measure the ways in turns, so that all share a noisy moment."""
    pages, docs = root / "plain", root / "plain-docs"
    off = ("-c", root, "-D", "execute_lessons=0")

    def floor() -> Took:
        for folder in (pages, docs):
            shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(root / "docs", docs)
        with tempfile.TemporaryDirectory() as lessons:
            executed = took(python("-c", EXECUTE), root, LESSONS=lessons)
        return executed.then(took(sphinx(docs, pages, *off), root))

    def ours() -> Took:
        shutil.rmtree(root / "build", ignore_errors=True)
        return took(BUILD, root)

    def stock_serial() -> Took:
        return took(stock(root, root / "stock", "False"), root)

    def stock_parallel() -> Took:
        path = f"utils{os.pathsep}{extra}"
        command = stock(root, root / "stock", str(os.cpu_count()))
        return took(command, root, PYTHONPATH=path)

    def sphinx_again() -> Took:
        return took(sphinx(docs, pages, *off), root)

    def ours_again() -> Took:
        return took(BUILD, root)

    found: dict[str, Took] = {}
    clean: list[Callable[[], Took]] = [floor, stock_serial, stock_parallel, ours]
    for ways in clean, [sphinx_again, ours_again]:
        for way in ways * TIMES:
            found[way.__name__] = way().best(found.get(way.__name__))
    return found


def generate(root: Path, count: int) -> Path:
    """Make a site of generated lessons, twenty-five in a level."""
    project(root)
    shutil.rmtree(root / "gallery")
    for path in root.glob("docs/*.md"):
        path.unlink()
    for name in ("prose_numbers", "instead"):  # they name our own lessons
        (root / f"docs/{name}.txt").unlink()
    (root / "docs/index.md").write_text("# Site\n\n```{toctree}\nlessons/index\n```\n")
    for number in range(count):
        level = root / "gallery" / f"{number // 25:02}_level"
        if number % 25 == 0:
            level.mkdir(parents=True)
            title = f"Level {number // 25:02}\n--------\n\nOne level.\n"
            (level / "GALLERY_HEADER.rst").write_text(title)
        (level / f"{number:04}_lesson.py").write_text(LESSON.format(number=number))
    header = "Lessons\n=======\n\nAll of them.\n"
    (root / "gallery" / "GALLERY_HEADER.rst").write_text(header)
    return root


def edit(lesson: Path, *pairs: tuple[str, str]) -> str:
    """Put one word of a text for another, or back; return what is new."""
    text, pairs = lesson.read_text(encoding="utf-8"), pairs or WORDS
    both = [*pairs, *(words[::-1] for words in pairs)]
    old, new = next(words for words in both if words[0] in text)
    lesson.write_text(text.replace(old, new, 1), encoding="utf-8")
    return new


def edited(root: Path, lesson: Path) -> tuple[Took, Took]:
    """Measure a clean build, and the one after a word of a lesson has changed.

    Each is the best of some: what else runs here weighs on a second more than on many.
    """
    clean = again = None
    for _ in range(TIMES):
        shutil.rmtree(root / "build", ignore_errors=True)
        clean = took(BUILD, root).best(clean)
    for _ in range(EDITS):
        edit(lesson)
        again = took(BUILD, root).best(again)
    return clean, again


def stock_edited(root: Path, lesson: Path) -> tuple[Took, Took]:
    """Measure the same of stock sphinx-gallery, which checks nothing."""
    command = stock(root, root / "stock", "False", "")
    clean, again = took(command, root), None
    for _ in range(EDITS):
        edit(lesson)
        again = took(command, root).best(again)
    return clean, again


class Server(NamedTuple):
    """What serves a site and builds it again: its command, what it says, its page."""

    command: list[str]
    says: bytes
    page: Path
    path: str = "utils"


def ours_served(root: Path, lesson: Path) -> Server:
    """Return `make serve`."""
    command = python("-u", "-m", "coursebuild", "serve")
    return Server(command, b"Open http", _page(root / "build/html", lesson))


def stock_served(root: Path, lesson: Path, extra: Path) -> Server:
    """Return sphinx-autobuild with stock sphinx-gallery, for the lessons alone."""
    folder = root / "stock"
    took(stock(root, folder, "False", ""), root)  # what is idle builds nothing, too
    options = [
        "--port",
        "0",
        "--watch",
        root / "gallery",
        "--ignore",
        folder / "lessons",
    ]
    options += ["--ignore", folder / "sg_execution_times.rst"]
    command = python("-u", "-m", "sphinx_autobuild", folder, folder / "out", *options)
    page = _page(folder / "out", lesson)
    return Server(command, b"Waiting to detect", page, f"utils{os.pathsep}{extra}")


def _hear() -> None:
    """Let a server hear Ctrl-C, which a process in the background ignores."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _page(site: Path, lesson: Path) -> Path:
    return site / "lessons" / lesson.parent.name / f"{lesson.stem}.html"


def served(
    server: Server, root: Path, lesson: Path, edits: int
) -> tuple[list[float], float]:
    """Edit a site that is served; return the seconds until each page was there.

    The second is the work of all its processes.  An edit that is not counted waits
    until all is loaded.
    """
    seconds = []
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            server.command,
            cwd=root,
            env={**os.environ, "PYTHONPATH": server.path, "OMP_NUM_THREADS": "1"},
            stdin=-3,
            stdout=log,
            stderr=log,
            preexec_fn=_hear,
        )
        _wait(lambda: server.says in os.pread(log.fileno(), 1 << 20, 0))
        for number in range(1 + edits):
            time.sleep(1 if number else 5)  # it says that it watches before it does
            word = edit(lesson)
            start = time.perf_counter()
            _wait(lambda: word in _read(server.page))  # noqa: B023
            seconds.append(time.perf_counter() - start)
    process.send_signal(signal.SIGINT)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return seconds[1:], usage.ru_utime + usage.ru_stime


def _read(page: Path) -> str:
    with suppress(FileNotFoundError):
        text = page.read_text(encoding="utf-8")
        return text if "</html>" in text else ""
    return ""


def _wait(holds: Callable[[], bool], limit: float = 600) -> None:
    end = time.perf_counter() + limit
    while not holds():
        if time.perf_counter() > end:
            raise SystemExit("The server does not answer.")
        time.sleep(0.01)


def serve(server: Server, root: Path, lesson: Path) -> Took:
    """Measure an edit of what is served: the median, and an edit's share of work."""
    _, idle = served(server, root, lesson, 0)
    seconds, work = served(server, root, lesson, EDITS)
    result = Took(statistics.median(seconds), (work - idle) / EDITS, 0)
    print(f"{result}  serve {seconds}", flush=True)
    return result


def edit_costs(folder: Path, extra: Path) -> dict[str, tuple[Took, Took]]:
    """Measure edits beside the clean build of the same site.

    The same lessons are given to stock sphinx-gallery, and to sphinx-autobuild.
    """
    found = {}
    for count in EDITED:
        root = folder / f"edited-{count}"
        root.mkdir()
        lesson = generate(root, count) / "gallery/00_level/0007_lesson.py"
        found[f"{count} generated lessons"] = clean, _ = edited(root, lesson)
        if count == SERVED:
            name = f"the same under `make serve`, median of {EDITS}"
            found[name] = clean, serve(ours_served(root, lesson), root, lesson)
            name = "the same lessons, stock sphinx-gallery, no check"
            found[name] = bare, _ = stock_edited(root, lesson)
            name = f"the same under sphinx-autobuild, median of {EDITS}"
            server = stock_served(root, lesson, extra)
            found[name] = bare, serve(server, root, lesson)
        shutil.rmtree(root)
    root = folder / "edited"
    root.mkdir()
    lesson = project(root) / FIRST
    found["this site, a lesson's words"] = clean, _ = edited(root, lesson)
    edit(root / "docs/using.md")
    found["this site, a page's words"] = clean, took(BUILD, root)
    edit(lesson, COMMENT)
    found["this site, a comment in a cell"] = clean, took(BUILD, root)
    return found


def edit_table(found: dict[str, tuple[Took, Took]]) -> Iterator[str]:
    """Yield the lines of the table of edits."""
    columns = "seconds | to its clean build | processor seconds | to its clean build"
    yield f"| one edited word | {columns} |"
    yield "|---|---|---|---|---|"
    for name, (clean, cost) in found.items():
        yield (
            f"| {name} | {cost.seconds:.2f} | {cost.seconds / clean.seconds:.2f} "
            f"| {cost.work:.2f} | {cost.work / clean.work:.2f} |"
        )


def measured(times: int | str) -> Iterator[str]:
    """Yield when and where something was measured."""
    machine = f"{os.cpu_count()} cores, {platform.machine()}"
    yield f"Measured on {date.today():%d %B %Y}, {machine}, Python"
    yield f"{platform.python_version()}, best of {times}; the machine had a load of"
    yield f"{os.getloadavg()[2]:.1f} in the last quarter of an hour.\n"


def tables(found: dict[str, Took], grown: dict[int, Took]) -> Iterator[str]:
    """Yield the lines of the page's tables."""
    yield from measured(TIMES)
    yield "| build | seconds | to the floor | processor seconds | to the floor |"
    yield "|---|---|---|---|---|"
    for key, name in NAMES.items():
        cost, floor = found[key], found["sphinx_again" if "again" in key else "floor"]
        yield (
            f"| {name} | {cost.seconds:.2f} | {cost.seconds / floor.seconds:.2f} "
            f"| {cost.work:.2f} | {cost.work / floor.work:.2f} |"
        )
    yield "\n| generated lessons | seconds | processor seconds a lesson | MB |"
    yield "|---|---|---|---|"
    for count, cost in grown.items():
        each = cost.work / count
        yield f"| {count:,} | {cost.seconds:.1f} | {each:.3f} | {cost.megabytes:.0f} |"


def main() -> None:
    """Measure, print and write."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        extra = folder / "extra"  # which only the others need
        pinned = [f"{name}=={version(name)}" for name in ("sphinx", "docutils")]
        wanted = ["joblib", "sphinx-autobuild", *pinned]
        install = python("-m", "pip", "install", "-q", "--target", extra, *wanted)
        subprocess.run(install, check=True)
        changed = [
            *measured(f"{EDITS} (the last two rows: of 1)"),
            *edit_table(edit_costs(folder, extra)),
        ]
        if "edits" in sys.argv:
            print("\n".join(changed))
            return
        root = folder / "site"
        root.mkdir()
        found = builds(project(root), extra)
        grown = {}
        for count in COUNTS:
            root = folder / str(count)
            root.mkdir()
            grown[count] = took(BUILD, generate(root, count))
            shutil.rmtree(root)
    text = "\n".join([*tables(found, grown), "", *changed]) + "\n"
    print(text)
    TABLES.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
