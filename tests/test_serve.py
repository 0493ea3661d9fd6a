"""A served site is what a clean build gives, and its processes end with it."""

from __future__ import annotations

import functools
import re
import signal
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from toy import ALPHA, BETA, PAGE, ROOT, Site

from coursebuild.commands import html as build
from coursebuild.commands import serve, warm
from coursebuild.publishing.publish import code

LIMIT = 120  # seconds, which only what hangs can take
ENDED = re.compile(r"^(The site is .*, open|Nothing to do|SyntaxError)", re.MULTILINE)
PRINTS = "utils/coursebuild/commands/html.py"


class Served:
    """A site under ``make serve``, with what it prints."""

    def __init__(self, site: Site, folder: Path) -> None:
        """Start to serve a site; ``folder`` marks all processes that this starts."""
        folder.mkdir()
        self.site, self.folder, self.lines = site, folder, list[str]()
        env = {"TMPDIR": str(folder), "PYTHONUNBUFFERED": "1"}
        self.process = site.start("serve", env=env)
        for pipe in self.process.stdout, self.process.stderr:
            threading.Thread(target=self._read, args=[pipe], daemon=True).start()
        self.wait(lambda: self._address() is not None)

    def _read(self, pipe: Iterator[str]) -> None:
        self.lines.extend(pipe)  # each as it comes

    def _address(self) -> str | None:
        opened = (x.split()[1] for x in self.lines if x.startswith("Open "))
        return next(opened, None)

    def get(self, name: str = "") -> str:
        """Return what the server answers."""
        with urllib.request.urlopen(f"{self._address()}{name}", timeout=LIMIT) as page:
            return page.read().decode()

    def wait(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds."""
        end = time.monotonic() + LIMIT
        while not holds():
            assert time.monotonic() < end, self.lines
            assert self.process.poll() is None, self.lines
            time.sleep(0.05)

    def edit(self, name: str, old: str, new: str) -> str:
        """Edit a source; return what was said until all was done."""
        said, text = len(self.lines), self.site.read(name)
        assert old in text
        self.site.write(name, text.replace(old, new))
        self.wait(lambda: ENDED.search("".join(self.lines[said:])) is not None)
        return "".join(self.lines[said:])

    def processes(self) -> list[int]:
        """Return the processes that were started, and what they started."""
        mark, found = f"TMPDIR={self.folder}".encode(), []
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if mark in (process / "environ").read_bytes().split(b"\0"):
                    found.append(int(process.name))
        return found

    def end(self, how: signal.Signals = signal.SIGINT) -> None:
        """End the server alone, as `kill` does; wait until all has gone."""
        assert self.processes()
        self.process.send_signal(how)
        self.process.wait(LIMIT)
        end = time.monotonic() + LIMIT
        while left := self.processes():
            assert time.monotonic() < end, left
            time.sleep(0.05)


@pytest.fixture
def served(site: Site, tmp_path: Path) -> Iterator[Served]:
    """Serve a copy of the built site."""
    served = Served(site, tmp_path / "tmp")
    yield served
    if served.process.poll() is None:
        served.end()
    served.process.stdout.close()
    served.process.stderr.close()


def test_what_is_loaded_beforehand_is_there_and_is_what_builds_need() -> None:
    names = set(warm._modules(ROOT))
    assert [name for name in names if find_spec(name) is None] == []
    assert names > {"torch", "furo", "myst_nb", "coursebuild.extension.renewal"}


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_served_site_is_what_a_clean_build_gives(served: Served) -> None:
    site = served.site
    assert serve.RELOAD.decode() in served.get()
    assert "lesson 1/1" in served.edit(ALPHA, "[1.0, 2.0]", "[1.0, 3.0]")
    assert "lesson 1/1" not in served.edit(ALPHA, "One graph", "A graph")
    served.edit(PAGE, "A cell", "One cell")
    served.edit(BETA, "Beta\n====", "Beta 2\n======")
    first = served.processes()
    assert site.sums() == site.sums_anew()
    served.edit(ALPHA, "A graph", "This graph")
    assert set(first) <= set(served.processes())  # which nothing has replaced
    assert site.sums() == site.sums_anew()


def test_changed_code_is_loaded_again(served: Served) -> None:
    site = served.site
    served.edit(ALPHA, "One graph", "A graph")  # by warm code
    said = served.edit(PRINTS, "The site is ready", "The site is all ready")
    assert "The site is all ready" in said
    served.edit("conf.py", "Gradients with", "Slopes with")
    assert "Slopes with" in served.get()
    served.edit("utils/helper.py", "VALUE = 12", "VALUE = 13")
    assert site.sums() == site.sums_anew()


def test_code_that_cannot_be_loaded_is_told_until_it_can(served: Served) -> None:
    served.edit(PRINTS, "import gc\n", "import gc gc\n")
    served.wait(lambda: "SyntaxError" in served.get())  # printed before it is shown
    assert "Alpha" in served.get()
    served.edit(PRINTS, "import gc gc\n", "import gc\n")
    served.wait(lambda: "SyntaxError" not in served.get())


def test_build_refuses_code_that_differs_from_what_was_loaded(site: Site) -> None:
    before = site.sums()
    site.write(ALPHA, site.read(ALPHA).replace("One graph", "A graph"))
    loaded = code(site.root)
    site.write("utils/helper.py", "VALUE = 14\n")
    with pytest.raises(build.StaleCodeError):
        build.build(site.root, loaded)
    assert site.sums() == before


def test_no_edit_of_a_page_is_one_of_code(site: Site) -> None:
    loaded = code(site.root)
    for name in ALPHA, PAGE, "docs/_static/site.css":
        site.write(name, f"{site.read(name)}\n")
    assert code(site.root) == loaded
    site.write("conf.py", f"{site.read('conf.py')}\n")
    assert code(site.root) != loaded


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    ("how", "busy"),
    [(signal.SIGINT, True), (signal.SIGTERM, False), (signal.SIGKILL, True)],
)
def test_server_that_ends_leaves_no_process(
    served: Served, how: signal.Signals, busy: bool
) -> None:
    site = served.site
    if busy:
        endless = "\nimport time\n\ntime.sleep(99)\n"
        site.write(BETA, site.read(BETA) + endless)
        served.wait(lambda: any(served.folder.glob("lessons-*/lesson-*/trace")))
    served.end(how)
    assert site.leftovers() == []
    assert not list(served.folder.iterdir())


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_build_that_hears_no_signal_is_killed_and_leaves_nothing(
    served: Served,
) -> None:
    site = served.site
    endless = "\n```{code-cell} python\nwhile True: pass\n```\n"
    site.write(PAGE, site.read(PAGE) + endless)
    deaf = "\nif 'tags' in globals():  # Sphinx reads this, in the build\n"
    deaf += "    import signal\n\n    signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    deaf += "    (ROOT / 'deaf').touch()\n"
    site.write("conf.py", site.read("conf.py") + deaf)
    served.wait((site.root / "deaf").exists)
    assert site.leftovers() == [".work"]
    served.end()
    assert site.leftovers() == []
    assert not list(served.folder.iterdir())


def test_open_page_is_loaded_again(served: Served, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(served._address() + "lessons/0_toy/10_alpha.html")
    served.edit(ALPHA, "One graph", "A graph")  # and nothing else
    page.get_by_text("A graph.").first.wait_for(timeout=LIMIT * 1000)
    page.close()


@contextmanager
def serving(port: int, fault: str, folder: Path) -> Iterator[int]:
    """Serve a folder for a while."""
    handler = functools.partial(serve._Handler, serve._Fault(fault), directory=folder)
    server = serve._listen(port, handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def test_server_takes_the_next_port_where_one_is_taken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(0, "", tmp_path) as taken, serving(taken, "", tmp_path) as port:
        assert port != taken
    assert f"Port {taken} is taken" in capsys.readouterr().out


@pytest.mark.parametrize("written", [True, False])
def test_server_shows_a_fault_above_the_former_site(
    tmp_path: Path, written: bool
) -> None:
    if written:
        (tmp_path / "index.html").write_text("<body><p>Former.</p></body>")
    with serving(0, "gallery/a.py:3: <x> is wrong", tmp_path) as port:
        address = f"http://127.0.0.1:{port}/"
        with urllib.request.urlopen(address, timeout=LIMIT) as page:
            text = page.read().decode()
    assert "gallery/a.py:3: &lt;x&gt; is wrong" in text
    assert ("Former." in text) is written
