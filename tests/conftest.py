"""One toy site for all tests: made once, built once, copied for each."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from toy import Site


@pytest.fixture(scope="session")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Return a built site, which nobody may change."""
    site = Site(tmp_path_factory.mktemp("reference") / "site")
    start = time.monotonic()
    done = site.build()
    site.took = time.monotonic() - start
    assert done.code == 0, done
    yield site
    shutil.rmtree(site.root)


@pytest.fixture
def site(reference: Site, tmp_path: Path) -> Iterator[Site]:
    """Return a copy of the built site."""
    yield reference.copy(tmp_path / "site")
    shutil.rmtree(tmp_path / "site")
