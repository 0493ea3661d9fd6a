"""What all tests share: one toy site, built once and copied for each; one browser."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import find
from playwright.sync_api import Browser, Playwright, sync_playwright
from toy import Site

from coursebuild.browser import FLAGS

# Where the tests were started in the background (nohup, some CI) SIGINT is ignored,
# and every process that a test starts and interrupts would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Return a built site, which nobody may change: one for all workers of xdist."""
    base = tmp_path_factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with (base / "reference.lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        took = base / "reference.took"
        if not took.exists():
            start = time.monotonic()
            done = Site(base / "reference").build()
            assert done.code == 0, done
            took.write_text(str(time.monotonic() - start))
        site = Site(base / "reference")
        site.took = float(took.read_text())
    return site


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Start Playwright, whose loop may run only once in a thread."""
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
