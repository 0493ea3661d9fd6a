"""A cluster of real workers on this machine: the same bytes, whoever gets lost."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from toy import ALPHA, BETA, ENVIRONMENT, PAGE, Site

QUIET = ["--no-dashboard", "--host", "127.0.0.1"]
SLOW = "\nimport time\n\ntime.sleep({})\n"


class Cluster:
    """A scheduler and its workers, each a process in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        """Start the scheduler."""
        self._processes: list[subprocess.Popen[bytes]] = []
        folder.mkdir()
        self._file = folder / "scheduler.json"
        self._start("scheduler", folder, "--port", "0")
        self.address = json.loads(wait_for(self._file))["address"]

    def _start(self, role: str, folder: Path, *more: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.dask_{role}", *QUIET]
        command += ["--scheduler-file", str(self._file), *more]
        with (folder / f"{role}.log").open("wb") as log:
            env = ENVIRONMENT | {"TMPDIR": str(folder)}
            process = subprocess.Popen(
                command, cwd=folder, env=env, stdout=log, stderr=log
            )
        self._processes.append(process)
        return process

    def add_worker(self, folder: Path) -> subprocess.Popen[bytes]:
        """Start a worker that stands in a folder, and wait until it is there."""
        folder.mkdir(exist_ok=True)
        more = ["--no-nanny", "--nthreads", "1", "--local-directory", str(folder)]
        process = self._start("worker", folder, *more)
        wait_for(folder / "worker.log", "Registered to")
        return process

    def close(self) -> None:
        """End all processes."""
        for process in reversed(self._processes):
            process.kill()
            process.wait()


def wait_for(path: Path, words: str = "}") -> str:
    """Wait until words stand in a file; return its text."""
    end = time.monotonic() + 60  # seconds, on a machine that others use
    while not path.exists() or words not in path.read_text(encoding="utf-8"):
        assert time.monotonic() < end, path.read_text(encoding="utf-8")
        time.sleep(0.05)
    return path.read_text(encoding="utf-8")


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """Start a scheduler."""
    cluster = Cluster(tmp_path / "scheduler")
    yield cluster
    cluster.close()


@pytest.fixture
def sources(site: Site) -> Site:
    """Return a site of which nothing is built: two slow lessons, a page."""
    shutil.rmtree(site.html.parent)
    for name in (ALPHA, BETA):
        site.write(name, site.read(name) + SLOW.format(1.5))
    return site


def test_cluster_builds_the_local_site_though_a_worker_dies(
    sources: Site, cluster: Cluster, tmp_path: Path
) -> None:
    copies = [sources.copy(tmp_path / name) for name in ("a", "b", "local")]
    worker, _ = [cluster.add_worker(copy.root) for copy in copies[:2]]
    local = copies[2]
    building = sources.start(env={"CLUSTER": cluster.address})
    while not list(copies[0].root.glob("lessons-*/*/trace")):  # it runs one
        assert building.poll() is None
        time.sleep(0.02)
    worker.send_signal(signal.SIGKILL)
    done = sources.wait(building)
    assert done.code == 0, done
    assert done.executed == {ALPHA, BETA, PAGE}
    assert local.build().code == 0
    assert sources.sums() == local.sums()


def test_lesson_on_a_worker_has_its_time_limit_and_its_process(
    sources: Site, cluster: Cluster, tmp_path: Path
) -> None:
    limit = "\n# sphinx_gallery_seconds = 1\nwhile True:\n    pass\n"
    sources.write(ALPHA, sources.read(ALPHA) + limit)
    sources.write(BETA, sources.read(BETA) + "\nimport os\n\nos._exit(0)\n")
    cluster.add_worker(sources.copy(tmp_path / "a").root)
    done = sources.build(env={"CLUSTER": cluster.address})
    assert done.code == 1
    assert "took longer than the 1 s" in done.error
    assert "ended the process (exit code 0)" in done.error


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("requirements.lock", "torch==2.0.0\n", "its lock is "),
        ("utils/helper.py", "VALUE = 13\n", "its code in utils is "),
        (
            "utils/sitecustomize.py",
            "import platform\n\nplatform.python_version = lambda: '3.9.9'\n",
            "its Python is 3.9.9, here it is",
        ),
        (
            "utils/torch-9.9.dist-info/METADATA",
            "Metadata-Version: 2.1\nName: torch\nVersion: 9.9\n",
            "its torch is 9.9, here it is",
        ),
    ],
)
def test_worker_that_differs_is_refused(
    sources: Site, cluster: Cluster, tmp_path: Path, name: str, text: str, words: str
) -> None:
    other = sources.copy(tmp_path / "other")
    other.write(name, text)
    cluster.add_worker(other.root)
    done = sources.build(env={"CLUSTER": cluster.address})
    assert f"is refused: {words}" in done.out
    assert "no worker of the cluster fits" in done.error
    assert done.code == 1


def test_worker_whose_code_changed_must_be_started_anew(
    sources: Site, cluster: Cluster, tmp_path: Path
) -> None:
    there = sources.copy(tmp_path / "a")
    cluster.add_worker(there.root)
    assert sources.build(env={"CLUSTER": cluster.address}).code == 0
    for site in (sources, there):
        site.write("utils/helper.py", "VALUE = 13\n")
    done = sources.build(env={"CLUSTER": cluster.address})
    assert "is refused: its code at its start is" in done.out
    assert "start it anew" in done.out


def test_worker_without_the_project_is_refused(
    sources: Site, cluster: Cluster, tmp_path: Path
) -> None:
    cluster.add_worker(tmp_path / "nothing")
    cluster.add_worker(sources.copy(tmp_path / "a").root)
    done = sources.build(env={"CLUSTER": cluster.address})
    assert "is refused: it has not this project" in done.out
    assert done.code == 0


def test_cluster_that_loses_its_last_worker_is_told(
    sources: Site, cluster: Cluster, tmp_path: Path
) -> None:
    worker = cluster.add_worker(sources.copy(tmp_path / "a").root)
    building = sources.start(env={"CLUSTER": cluster.address})
    assert building.stdout is not None
    assert building.stdout.readline().startswith("lesson 1/3")
    worker.send_signal(signal.SIGKILL)
    start = time.monotonic()
    done = sources.wait(building)
    assert time.monotonic() - start < 20
    assert "the cluster lost all workers that fit" in done.error
    assert done.code == 1


def test_missing_scheduler_is_told(sources: Site) -> None:
    done = sources.build(env={"CLUSTER": "tcp://127.0.0.1:9"})
    assert "no scheduler answers at tcp://127.0.0.1:9" in done.error
    assert done.code == 1
