"""A site of two lessons and an executed page, built the way an author builds it."""

from __future__ import annotations

import atexit
import ctypes
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from warm import Forker

from coursebuild.publishing.publish import STORES

__all__ = ["ALPHA", "BETA", "ENVIRONMENT", "PAGE", "ROOT", "Done", "Site", "obey_modes"]

ROOT = Path(__file__).parents[1]
ALPHA, BETA = "gallery/0_toy/10_alpha.py", "gallery/0_toy/20_beta.py"
PAGE = "docs/page.md"
ENVIRONMENT = {"PATH": os.environ["PATH"], "PYTHONPATH": "utils"}
COPIED = ("conf.py", "pyproject.toml", "requirements.lock", "LICENSE")
COPIED += ("utils", "vendor", "docs/_static", "docs/_templates")
_forker = Forker(ENVIRONMENT)
atexit.register(_forker.end)
WRITTEN = {
    ALPHA: '"""\nAlpha\n=====\n\nOne graph.\n\n:Time: 1 minute\n"""\n\n'
    "import torch\n\nfrom torchutils import make_dot\n\n"
    "x = torch.tensor([1.0, 2.0], requires_grad=True)\n\n"
    "# %%\n# A drawing:\n\nmake_dot((x * x).sum(), locals())\n",
    BETA: '"""\nBeta\n====\n\nOne number.\n\n:Time: 1 minute\n"""\n\n'
    "from helper import VALUE\n\n# %%\n# What the helper says:\n\nVALUE\n",
    PAGE: "---\nfile_format: mystnb\nkernelspec:\n  name: python3\n---\n\n"
    "# Page\n\nA cell:\n\n```{code-cell} python\n6 * 7\n```\n",
    "docs/index.md": "# Toy\n\n```{toctree}\nlessons/index\npage\n```\n",
    "gallery/GALLERY_HEADER.rst": "Lessons\n=======\n\nAll of them.\n",
    "gallery/0_toy/GALLERY_HEADER.rst": "Toy\n---\n\nOne level.\n\n.. checks: strict\n",
    "utils/helper.py": "VALUE = 12\n",
}


def obey_modes() -> None:
    """Take from root the right to write where the mode of a file forbids it."""
    if sys.platform == "linux" and os.geteuid() == 0:
        drop_from_bounding_set, cap_dac_override = 24, 1
        assert ctypes.CDLL(None).prctl(drop_from_bounding_set, cap_dac_override) == 0


class Done(NamedTuple):
    """What a build left on the terminal, and its exit status."""

    code: int
    out: str
    error: str

    @property
    def executed(self) -> set[str]:
        """The lessons that the progress lines name."""
        return set(re.findall(r"^lesson \d+/\d+  (\S+)", self.out, re.MULTILINE))


class Site:
    """A project folder."""

    def __init__(self, root: Path) -> None:
        """Use a folder that holds a project, or make one there."""
        self.root = root
        self.html = root / "build" / "html"
        self.took = 0.0  # seconds for the first build, where it was measured
        if not root.exists():
            self._make()

    def _make(self) -> None:
        for name in COPIED:
            source, target = ROOT / name, self.root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if source.is_dir() else shutil.copy2)(source, target)
        for name, text in WRITTEN.items():
            self.write(name, text)

    def copy(self, root: Path) -> Site:
        """Copy the project with all that was built."""
        shutil.copytree(self.root, root, symlinks=True)
        return Site(root)

    def read(self, name: str) -> str:
        """Return the text of a source."""
        return (self.root / name).read_text(encoding="utf-8")

    def write(self, name: str, text: str) -> None:
        """Write a source."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def start(
        self, command: str = "html", *, env: dict[str, str] | None = None, **more: Any
    ) -> subprocess.Popen[str]:
        """Start a build, in an environment that holds nothing of this process's."""
        return subprocess.Popen(
            [sys.executable, "-m", "coursebuild", command],
            cwd=self.root,
            env=ENVIRONMENT | (env or {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,
            **more,
        )

    def build(self, command: str = "html", **options: Any) -> Done:
        """Build, and wait for the end; options are those of a process that is new."""
        if options:
            return self.wait(self.start(command, **options))
        return Done(*_forker.run(self.root, command))

    def wait(self, process: subprocess.Popen[str]) -> Done:
        """Wait for the end of a build."""
        with process:
            out, error = process.communicate(timeout=120)
        return Done(process.returncode, out, error)

    def sums_anew(self, *, runs: bool = False) -> str:
        """Return what ``sums`` says of a site built with nothing, or its runs, kept."""
        anew = self.copy(self.root.with_name("anew"))
        for path in anew.html.parent.iterdir():
            if path.is_dir() and not (runs and path.name == ".runs"):
                path.unlink() if path.is_symlink() else shutil.rmtree(path)
        done = anew.build()
        assert done.code == 0, done
        sums = anew.sums()
        shutil.rmtree(anew.root)
        return sums

    def sums(self) -> str:
        """Return the manifest of the published site, after a check of every file.

        Raises:
            AssertionError: the site is not what its manifest says.
        """
        check = ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"]
        assert subprocess.run(check, cwd=self.html, check=False).returncode == 0
        sums = (self.html / "SHA256SUMS").read_text(encoding="utf-8")
        files = sum(path.is_file() for path in self.html.rglob("*"))
        assert files == sums.count("\n") + 1
        return sums

    def leftovers(self) -> list[str]:
        """Name what lies in the build's folder beside the site and the stored runs."""
        folder = self.html.parent
        places = [*folder.glob("*"), *folder.glob(".sites/*")]
        known = {folder / ".lock", folder / ".sites", self.html, self.html.resolve()}
        for name in STORES:
            places += folder.glob(f"{name}/*")
            known |= {folder / name, *folder.glob(f"{name}/*.json")}
        known |= {folder / ".pages", folder / ".files", folder / ".templates"}
        return sorted(path.name for path in set(places) - known)
