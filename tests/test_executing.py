"""Lessons begin before Sphinx, once, and also where Sphinx is called alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from toy import BETA, ENVIRONMENT, Site


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
