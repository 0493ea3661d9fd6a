"""Whatever goes wrong, a build says so or is right, and the former site stays whole."""

from __future__ import annotations

import ctypes
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from functools import partial
from pathlib import Path

import pytest
from toy import ALPHA, BETA, ENVIRONMENT, PAGE, Done, Site, obey_modes

from coursebuild.undisturbed import undisturbed

GAMMA, DELTA = "gallery/0_toy/30_gamma.py", "gallery/0_toy/40_delta.py"
CELL = "\n```{{code-cell}} python\n{}\n```\n"
NO_INK = (
    "class Drawing:\n    def _repr_html_(self):\n        raise ValueError('no ink')\n"
)
LIMIT, GRACE = 1, 30  # seconds, on a busy machine


SPIN_IN_C = "# sphinx_gallery_seconds = 1\nn = 10**12\nsum(range(n))"
FAULTS = {  # code at the end of a lesson, from line 17 on: what its author is told
    "segfault": ("import ctypes\nctypes.string_at(0)", "18: cell 2 died of SIGSEGV"),
    "killed": ("import os\nos.kill(os.getpid(), 9)", "14: cell 2 died of SIGKILL"),
    "loop_in_c": (SPIN_IN_C, "19: cell 2 took longer than the 1 s"),
    "endless": ("while True:\n    print('y' * 999)", "18: cell 2 shows more than"),
    "memory": ("x = bytearray(2**33)", "17: cell 2 took more memory than there is"),
    "ctrl_c": ("raise KeyboardInterrupt", "17: cell 2 raised KeyboardInterrupt"),
    "warning": ("import warnings\nwarnings.warn('old')", "18: cell 2 warns"),
}
MEMORY = 2**32  # bytes a process may have


def spoil(site: Site) -> None:
    """Break every lesson and page in a way of its own."""
    beta = site.read(BETA)
    for name, (code, _) in FAULTS.items():
        text = beta.replace("Beta\n====", f"{name}\n{'=' * len(name)}")
        site.write(f"gallery/0_toy/50_{name}.py", f"{text}\n{code}\n")
    site.write(ALPHA, site.read(ALPHA) + f"\n{NO_INK}\n\nDrawing()\n")
    site.write(BETA, beta + "\n1 / 0\n")
    site.write(GAMMA, beta.replace("Beta", "Gamma") + "\nimport os\n\nos._exit(0)\n")
    site.write(DELTA, beta.replace("Beta", "Delta") + "\nimport sys\n\nsys.exit(0)\n")
    dead = '<p><a href="nowhere.html">There</a>.</p>'
    site.write(PAGE, f"{site.read(PAGE)}{CELL.format('[][0]')}\n{dead}\n")
    slow = site.read(PAGE).replace("kernelspec:", "lesson: {seconds: 1}\nkernelspec:")
    site.write("docs/slow.md", slow.replace("6 * 7", "while True: pass"))


def _limit_memory() -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))


@pytest.fixture(scope="module")
def spoiled(
    reference: Site, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Done, float, Site]]:
    """Return how the build of a spoiled site ended, and how long that took."""
    site = reference.copy(tmp_path_factory.mktemp("spoiled") / "site")
    spoil(site)
    start = time.monotonic()
    done = site.build(preexec_fn=_limit_memory)
    yield done, time.monotonic() - start, site
    shutil.rmtree(site.root)


def test_link_that_leads_nowhere_is_told_beside_other_faults(
    spoiled: tuple[Done, float, Site],
) -> None:
    place = r"docs/page\.md:\d+\n  links to nowhere\.html, which is not there"
    assert re.search(place, spoiled[0].error)


def test_false_number_is_all_that_is_told(site: Site) -> None:
    """Neither a step of what was not drawn, nor what is made last, is a dead link."""
    walk = (
        "from torchutils import record_backward\n\nrecord_backward(x[0] * 2, locals())"
    )
    words = "# %%\n# See :step:`it sends to x`.\n#\n# >>> 6 * 7\n# 41"
    site.write(ALPHA, f"{site.read(ALPHA)}\n# %%\n# A walk:\n\n{walk}\n\n{words}\n")
    script = '<script src="_static/playground/playground.js"></script>'
    site.write(PAGE, f"{site.read(PAGE)}\n{script}\n")
    done = site.build()
    assert done.code == 1
    assert "41, not 42" in done.error
    assert "links to" not in done.error


def test_pages_that_were_never_written_are_no_dead_links(site: Site) -> None:
    """Where Sphinx breaks off among the pages, the reason is all that is told."""
    page = "docs/_templates/page.html"
    block = r"({%-? block \w+ -?%})"
    late = r"\1{% if pagename == 'page' %}{{ nobody.at.home }}{% endif %}"
    site.write(page, re.sub(block, late, site.read(page), count=1))
    done = site.build()
    assert done.code == 1
    assert "'nobody' is undefined" in done.error
    assert "is not there" not in done.error


def test_program_for_a_walk_is_told_once_where_it_stands(site: Site) -> None:
    """Whatever page has a walk asks for it."""
    site.write("docs/instead.txt", "# programs\n\nx = tensor(1.)\n")
    done = site.build()
    assert done.code == 1
    assert done.error.count("docs/instead.txt:3\n  'x = tensor(1.)' must be") == 1
    assert "is not there" not in done.error
    site.write("docs/instead.txt", "[nowhere 1] it\nx = tensor(1.)\n")
    done = site.build()
    assert done.code == 1
    assert "docs/instead.txt:1\n  there is no page nowhere" in done.error


@pytest.mark.parametrize(
    "message",
    [
        f"{ALPHA}:23: cell 2 raised ValueError: no ink",
        f"{BETA}:17: cell 2 raised ZeroDivisionError",
        f"{GAMMA}:14: cell 2 ended the process (exit code 0)",
        f"{DELTA}:19: cell 2 called exit(0)",
        f"{PAGE}:16: cell 2 raised IndexError",
        "docs/slow.md:13: cell 1 took longer than the 1 s",
        *(f"gallery/0_toy/50_{name}.py:{words}" for name, (_, words) in FAULTS.items()),
    ],
)
def test_build_names_every_lesson_and_page_that_fails(
    spoiled: tuple[Done, float, Site], message: str
) -> None:
    done, _, _ = spoiled
    assert done.code == 1
    assert message in done.error


def test_build_that_fails_ends_in_time(
    spoiled: tuple[Done, float, Site], reference: Site
) -> None:
    other_work = 3 * reference.took  # Sphinx, and whoever shares the machine
    assert spoiled[1] < LIMIT + GRACE + other_work


def test_build_that_fails_leaves_the_former_site(
    spoiled: tuple[Done, float, Site], reference: Site
) -> None:
    _, _, site = spoiled
    assert site.sums() == reference.sums()
    assert site.leftovers() == []


def test_progress_names_each_lesson_that_ends(
    spoiled: tuple[Done, float, Site],
) -> None:
    lines = spoiled[0].out.splitlines()
    of = len(FAULTS) + 6
    assert [line.split()[1] for line in lines] == [
        f"{k}/{of}" for k in range(1, of + 1)
    ]
    assert f"{ALPHA}  failed" in {line.split(maxsplit=2)[2] for line in lines}


def test_progress_says_how_long_a_lesson_took(site: Site) -> None:
    site.write(BETA, site.read(BETA) + "\nimport time\n\ntime.sleep(1.2)\n")
    found = re.findall(
        rf"^lesson 1/1  {BETA}  (\d+\.\d) s$", site.build().out, re.MULTILINE
    )
    assert [float(seconds) >= 1.2 for seconds in found] == [True]


def test_broken_then_reverted_lesson_is_the_former_site(site: Site) -> None:
    before, good = site.sums(), site.read(BETA)
    site.write(BETA, good + "\n1 / 0\n")
    assert site.build().code == 1
    site.write(BETA, good)
    done = site.build()
    assert done.code == 0
    assert done.out.startswith("Nothing to do")
    assert site.sums() == before


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("docs/page.md", "# Page\n\n[gone](gone.md)\n", "docs/page.md:3"),
        ("docs/page.md", "# Page\n\n$\\frac{1$\n", "docs/page.md"),
        ("docs/lost.md", "# Lost\n", "docs/lost.md"),
        (ALPHA, "x = (\n", "10_alpha.py"),
        ("conf.py", "1 / 0", "division by zero"),
        ("utils/helper.py", "VALUE = (", "utils/helper.py"),
        ("utils/helper.py", "VALUE = object()", "shows <object object at 0x"),
    ],
)
def test_source_that_cannot_be_built_is_named(
    site: Site, name: str, text: str, message: str
) -> None:
    before = site.sums()
    site.write(name, text)
    done = site.build()
    assert done.code == 1
    assert message in done.error
    assert site.sums() == before


def test_source_that_changes_during_the_build_is_not_published(site: Site) -> None:
    """Else the next build would take old pages for those of the new sources."""
    before = site.sums()
    helper = str(site.root / "utils/helper.py")[::-1]  # no path of the machine
    change = f"from pathlib import Path\n\nhelper = Path({helper!r}[::-1])\n"
    change += "_ = helper.write_text('VALUE = 13')\n"
    site.write(BETA, f"{site.read(BETA)}\n{change}")
    done = site.build()
    assert done.code == 1
    assert "changed during the build" in done.error
    assert site.sums() == before
    site.write(BETA, site.read(BETA).replace("VALUE = 13", "VALUE = 12"))
    assert BETA in site.build().executed


def test_source_that_changes_and_comes_back_is_not_published(site: Site) -> None:
    """Its content is the former one, and yet a lesson has seen another."""
    before = site.sums()
    helper = str(site.root / "utils/helper.py")[::-1]  # no path of the machine
    change = f"\nfrom pathlib import Path\n\nhelper = Path({helper!r}[::-1])\n"
    change += "_ = helper.write_text('VALUE = 13\\n')\n"
    change += "from helper import VALUE\n"
    change += "_ = helper.write_text('VALUE = 12\\n')\n\n# %%\n# It says:\n\nVALUE\n"
    site.write(ALPHA, site.read(ALPHA) + change)
    done = site.build()
    assert done.code == 1
    assert "changed during the build" in done.error
    assert site.sums() == before


def below(folder: Path) -> list[str]:
    """Name the processes whose temporary folder is this one."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if f"TMPDIR={folder}\0".encode() in (process / "environ").read_bytes():
                found.append(process.name)
    return found


def test_kill_at_any_moment_leaves_a_whole_site(
    site: Site, reference: Site, tmp_path: Path
) -> None:
    """Two lessons run each time; what they left behind goes as well."""
    folder, chance = tmp_path / "temporary", random.Random(0)
    folder.mkdir()
    env, former = {"TMPDIR": str(folder)}, site.sums()
    for number in range(20):
        for name in (ALPHA, BETA):
            site.write(name, f"{reference.read(name)}\nprint('Number {number}.')\n")
        with site.start(env=env) as process:
            with suppress(subprocess.TimeoutExpired):  # some moments are too late
                process.wait(chance.uniform(0.05, 1.2) * reference.took)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        page = site.html / "lessons/0_toy/20_beta.html"
        new = f"Number {number}." in page.read_text(encoding="utf-8")
        assert new or site.sums() == former
        former = site.sums()
    end = time.monotonic() + 60
    while below(folder):  # who forks the lessons loads torch to the end
        assert time.monotonic() < end
        time.sleep(0.1)
    assert list(folder.iterdir()) == []
    done = site.build(env=env)
    assert done.code == 0
    assert "Number 19." in page.read_text(encoding="utf-8")
    assert site.leftovers() == []
    assert list(folder.iterdir()) == []
    assert below(folder) == []


@pytest.mark.parametrize("seconds", [0.0, 0.7, 1.2, 1.7])
def test_ctrl_c_ends_a_build_with_a_sentence(site: Site, seconds: float) -> None:
    before = site.sums()
    for name in (ALPHA, BETA):
        site.write(name, site.read(name) + "\nwhile True:\n    pass\n")
    process = site.start()
    while not site.html.with_name(".work").exists():  # a busy machine starts it late
        assert process.poll() is None
        time.sleep(0.01)
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    start = time.monotonic()
    done = site.wait(process)
    assert time.monotonic() - start < GRACE
    assert done.code == 130
    assert done.error == "Stopped; the published site is as it was.\n"
    assert site.sums() == before
    assert site.leftovers() == []


def test_ctrl_c_waits_until_torch_is_imported() -> None:
    """In the middle of its import, Python aborted with "terminate called"."""
    reached = []

    def disturbed() -> None:
        with undisturbed():
            signal.raise_signal(signal.SIGINT)
            reached.append("end")

    with pytest.raises(KeyboardInterrupt):
        disturbed()
    assert reached == ["end"]
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


INTERRUPTED = """
import os, runpy, signal, sys
from types import SimpleNamespace as Like
from courserun import kept

def then(call):
    def both(*given, **named):
        done = call(*given, **named)
        calls.append(call)
        if len(calls) == number:
            signal.raise_signal(signal.SIGINT)
        return done
    return both

calls, name, number = [], sys.argv[1], int(sys.argv[2])
module = kept.tempfile if name == "mkstemp" else kept.os
like = Like(**vars(module) | {name: then(getattr(module, name))})
setattr(kept, module.__name__, like)
sys.argv[1:] = ["html"]
runpy.run_module("coursebuild", run_name="__main__")
"""


@pytest.mark.parametrize("call", ["mkstemp", "replace"])
@pytest.mark.parametrize("number", [2, 9])
def test_ctrl_c_around_the_writing_of_a_file_leaves_none_by_half(
    site: Site, call: str, number: int
) -> None:
    site.write(BETA, site.read(BETA) + "\nVALUE + 1\n")
    site.write(ALPHA, site.read(ALPHA).replace("One graph", "A graph"))
    command = [sys.executable, "-c", INTERRUPTED, call, str(number)]
    options = {"env": ENVIRONMENT, "capture_output": True, "text": True}
    done = subprocess.run(command, cwd=site.root, check=False, **options)
    assert done.stderr == "Stopped; the published site is as it was.\n"
    assert done.returncode == 130
    assert site.leftovers() == []


def test_two_builds_at_once_end_in_one_right_site(site: Site) -> None:
    site.write(PAGE, "# Page\n\nTwice.\n")
    ends = [site.wait(process) for process in (site.start(), site.start())]
    assert [done.code for done in ends] == [0, 0]
    first, second = sorted(ends, key=lambda done: "Nothing to do" in done.out)
    assert "The site is ready" in first.out
    assert "waiting" in second.out
    assert "Twice." in (site.html / "page.html").read_text(encoding="utf-8")
    assert site.sums()


def _limit_files(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.parametrize("size", [0, 1_000, 10_000, 30_000, 100_000])
def test_write_that_fails_is_told(site: Site, size: int) -> None:
    """Whoever may not mount a small disk meets the same error at another size."""
    before = site.sums()
    site.write(PAGE, "# Page\n\nToo large.\n")
    done = site.build(preexec_fn=partial(_limit_files, size))
    assert done.code == 1
    assert "File too large" in done.error
    assert site.sums() == before


CLONE_NEWNS = 0x00020000  # of <linux/sched.h>; Python 3.12 has os.unshare


def _keep_mounts_to_ourselves() -> None:
    """Let what is mounted from here on vanish with this process, however it ends.

    A disk that a killed run left behind kept pytest from clearing its folders.
    """
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS):
        raise OSError(ctypes.get_errno(), "unshare")
    # In a changed root, "/" may be no mount: then disks are seen outside, as before.
    subprocess.run(["mount", "--make-rprivate", "/"], check=False)


class SmallDisk:
    """A file system in memory whose size can be set; needs root."""

    def __init__(self, folder: Path) -> None:
        """Mount it over a folder, with what is in there."""
        _keep_mounts_to_ourselves()
        self.folder = folder
        aside = folder.rename(folder.with_name("aside"))
        folder.mkdir()
        self._mount("-t", "tmpfs", "-o", "mode=755", "tmpfs")
        shutil.copytree(aside, folder, symlinks=True, dirs_exist_ok=True)

    def leave(self, free: int) -> None:
        """Leave so many bytes free."""
        used = shutil.disk_usage(self.folder).used
        self._mount("-o", f"remount,size={used + free}")

    def close(self) -> None:
        """Take it away."""
        subprocess.run(["umount", self.folder], check=True)

    def _mount(self, *options: str) -> None:
        subprocess.run(["mount", *options, self.folder], check=True)


@pytest.fixture
def small_disk(site: Site) -> Iterator[SmallDisk]:
    """Put the build's folder on a small disk."""
    disk = SmallDisk(site.html.parent)
    yield disk
    disk.close()


MAY_MOUNT = sys.platform == "linux" and os.geteuid() == 0
if MAY_MOUNT:  # where not, test_write_that_fails_is_told stands for it

    @pytest.mark.parametrize("free", [4_096, 65_536, 400_000, 1_000_000, 1_600_000])
    def test_full_disk_is_told(site: Site, small_disk: SmallDisk, free: int) -> None:
        before = site.sums()
        site.write(PAGE, "# Page\n\nToo much.\n")
        small_disk.leave(free)
        done = site.wait(site.start())  # which sees the disk; who forks may not
        assert done.code == 1
        assert "No space left on device" in done.error
        assert site.sums() == before
        small_disk.leave(100_000_000)
        assert site.wait(site.start()).code == 0

    @pytest.mark.parametrize("free", [4_096, 8_192, 20_480])
    def test_full_disk_for_what_lessons_leave_is_told(
        site: Site, tmp_path: Path, free: int
    ) -> None:
        before = site.sums()
        site.write(BETA, site.read(BETA) + "\n'y' * 100_000\n")
        (tmp_path / "temporary").mkdir()
        with closing(SmallDisk(tmp_path / "temporary")) as disk:
            disk.leave(free)
            done = site.build(env={"TMPDIR": str(disk.folder)})
        assert done.code == 1
        assert f"{BETA}  failed" in done.out
        assert f"is there room in {disk.folder}?" in done.error
        assert site.sums() == before


def _chmod(root: Path, change: Callable[[int], int]) -> None:
    for path in [root, *root.rglob("*")]:
        if not path.is_symlink():
            path.chmod(change(path.stat().st_mode))


def test_sources_may_be_read_only(site: Site) -> None:
    site.write(PAGE, "# Page\n\nRead only.\n")
    sources = [site.root / name for name in ("docs", "gallery", "utils", "vendor")]
    for folder in sources:
        _chmod(folder, lambda mode: mode & ~0o222)
    done = site.build(preexec_fn=obey_modes)
    for folder in sources:
        _chmod(folder, lambda mode: mode | 0o200)
    assert done.code == 0, done
    assert "Read only." in (site.html / "page.html").read_text(encoding="utf-8")
    assert site.leftovers() == []


def test_target_without_write_permission_is_told(site: Site) -> None:
    before = site.sums()
    site.write(PAGE, "# Page\n\nNot written.\n")
    site.html.parent.chmod(0o555)
    done = site.build(preexec_fn=obey_modes)
    site.html.parent.chmod(0o755)
    assert done.code == 1
    assert "Permission denied" in done.error
    assert "Traceback" not in done.error
    assert site.sums() == before


def test_file_in_the_place_of_the_target_is_told(site: Site) -> None:
    shutil.rmtree(site.html.parent)
    site.html.parent.write_text("in the way")
    done = site.build()
    assert done.code == 1
    assert str(site.html.parent) in done.error
    assert "make doctor" in done.error


def test_published_site_is_readable_under_a_strict_umask(site: Site) -> None:
    shutil.rmtree(site.html.parent)
    assert site.build(umask=0o077).code == 0
    parts = [site.html.parent, site.html.resolve().parent, site.html.resolve()]
    for path in [*parts, *site.html.resolve().rglob("*")]:
        assert path.stat().st_mode & 0o777 == (0o755 if path.is_dir() else 0o644)
