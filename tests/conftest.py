"""What all tests share: one toy site, built once and copied for each; one browser."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from hashlib import sha256
from pathlib import Path

import pytest
from chromium import find
from lent import jupyter, reader
from order import pytest_collection_modifyitems, pytest_configure
from playwright.sync_api import Browser, Playwright, expect, sync_playwright
from toy import Site

from coursebuild.books.chromium import FLAGS
from courserun.lesson import Lesson, Run
from courserun.runner import run_lesson

# Where the tests were started in the background (nohup, some CI) SIGINT is ignored,
# and every process that a test starts and interrupts would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

__all__ = ["pytest_collection_modifyitems", "pytest_configure"]  # hooks
__all__ += ["jupyter", "reader"]  # fixtures


Once = Callable[[str, Callable[[Path], None]], Path]


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """Let the first of xdist's workers make something, and the others wait for it."""
    base = tmp_path_factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def make_once(name: str, make: Callable[[Path], None]) -> Path:
        folder, made = base / name, base / f"{name}.made"
        with (base / f"{name}.lock").open("a+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not made.exists():
                shutil.rmtree(folder, ignore_errors=True)  # another may have failed
                folder.mkdir()
                make(folder)
                made.touch()
        return folder

    return make_once


@pytest.fixture(scope="session")
def stated(once: Once) -> Callable[[Lesson], Run]:
    """Run what a lesson states, once for all tests, at the points of three seeds.

    The build computes as this processor does; here it is the oldest one.
    """

    def run(lesson: Lesson) -> Run:
        def make(folder: Path) -> None:
            patient = replace(lesson, seconds=600)  # the machine may be busy
            seeds = [1, 20, 300]
            made = run_lesson(patient, oldest=True, only_statements=True, seeds=seeds)
            (folder / "run").write_text(made.to_json(), encoding="utf-8")

        name = sha256(repr(asdict(lesson)).encode()).hexdigest()
        folder = once(f"stated-{name}", make)
        return Run.from_json((folder / "run").read_text(encoding="utf-8"))

    return run


@pytest.fixture(scope="session")
def reference(once: Once) -> Site:
    """Return a built site, which nobody may change."""
    folder = once("reference", _build)
    site = Site(folder / "site")
    site.took = float((folder / "took").read_text())
    return site


def _build(folder: Path) -> None:
    site, start = Site(folder / "site"), time.monotonic()
    done = site.wait(site.start())
    assert done.code == 0, done
    (folder / "took").write_text(str(time.monotonic() - start))


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Start Playwright, whose loop may run only once in a thread."""
    expect.set_options(timeout=60_000)  # which only what never comes true can take
    with sync_playwright() as tools:
        yield tools


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Start Chromium once for all tests; contexts keep them apart."""
    chromium = playwright.chromium.launch(executable_path=find(), args=[*FLAGS])
    yield chromium
    chromium.close()


@pytest.fixture
def site(reference: Site, tmp_path: Path) -> Iterator[Site]:
    """Return a copy of the built site."""
    yield reference.copy(tmp_path / "site")
    shutil.rmtree(tmp_path / "site")
