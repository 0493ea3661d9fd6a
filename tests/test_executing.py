"""Lessons begin before Sphinx, once, and also where Sphinx is called alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from toy import ALPHA, BETA, ENVIRONMENT, Site


def test_lessons_run_once_below_a_linked_folder(site: Site, tmp_path: Path) -> None:
    """Sphinx resolves links in its paths; what began before it is found."""
    site.write(BETA, site.read(BETA) + "\n1 + 1\n")
    linked = tmp_path / "linked"
    linked.symlink_to(site.root)
    done = site.build(env={"PYTHONPATH": str(linked / "utils")})
    assert done.code == 0, done
    assert done.out.count(f"1/1  {BETA}  ") == 1  # the notes name it too
    assert str(linked) in done.out


def test_bare_sphinx_build_may_be_repeated(site: Site) -> None:
    """The wheel of the first one is no obstacle to the second."""
    command = [sys.executable, "-m", "sphinx", "-q", "-c", ".", "docs", "build/bare"]
    for _ in range(2):
        done = subprocess.run(
            [*command, "-D", "execute_lessons=0"],
            cwd=site.root,
            env=ENVIRONMENT,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("code", ["", "\n1 / 0\n"])
def test_forked_build_does_what_a_new_process_does(
    site: Site, tmp_path: Path, code: str
) -> None:
    site.write(BETA, site.read(BETA) + code)
    site.write(ALPHA, site.read(ALPHA).replace("One graph", "A graph"))
    prints = "utils/coursebuild/commands/html.py"  # which it has to load from there
    site.write(prints, site.read(prints).replace("site is ready", "pages are ready"))
    twin = site.copy(tmp_path / "twin")
    forked, new = site.build(), twin.wait(twin.start())
    assert ("The pages are ready" in forked.out) == (not code)
    assert (forked.code, forked.error) == (new.code, new.error)
    assert forked.executed == new.executed
    assert site.sums() == twin.sums()


def test_forked_builds_know_nothing_of_one_another(site: Site) -> None:
    told = "\nimport sys\nprint('helper is loaded:', 'helper' in sys.modules)\n"
    site.write("conf.py", site.read("conf.py") + f"import helper{told}")
    assert "helper is loaded: True" in site.build().out
    site.write("conf.py", site.read("conf.py").replace("import helper", ""))
    assert "helper is loaded: False" in site.build().out
