"""Write what Colab and Binder open: the notebooks, and what they need to run."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from coursebuild.addresses import NOTEBOOKS, raw
from coursebuild.extension.header import TORCH, imports
from coursebuild.sources.beside import files_of_script, scripts

__all__ = ["requirements", "with_install", "write_branch"]

README = """\
Written by `make notebooks` for Colab and Binder, and replaced with every change of
the site.  The lessons' sources are on the branch main.
"""


def write_branch(root: Path, repository: str) -> Path:
    """Write the branch from the built site into ``build/notebooks``; return that.

    Raises:
        ValueError: the repository has no address, or a notebook is not there once.
    """
    if not repository:
        raise ValueError(
            "Colab and Binder need the repository's address: name it in "
            "[project.urls] of pyproject.toml, as Repository, and build again."
        )
    target, site = root / "build" / NOTEBOOKS, root / "build" / "html"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    wheel = _only(site, "wheel/*.whl")
    shutil.copy(wheel, target)
    address = raw(repository, wheel.name)
    lessons = scripts(root)
    for script in lessons:
        book = _only(site, f"_downloads/*/{script.stem}.ipynb")
        files = files_of_script(script)
        links = [(raw(repository, f"{script.parent.name}/{n}"), n) for n, _ in files]
        text = with_install(json.loads(book.read_text("utf-8")), address, links)
        path = target / script.parent.name / book.name
        path.parent.mkdir(exist_ok=True)
        for name, data in files:
            (path.parent / name).parent.mkdir(parents=True, exist_ok=True)
            (path.parent / name).write_bytes(data)
        path.write_text(json.dumps(text, indent=1, ensure_ascii=False), "utf-8")
    others = sorted({name for script in lessons for name in imports(script)})
    (target / "requirements.txt").write_text(requirements(others, wheel.name))
    (target / "runtime.txt").write_text("python-{}.{}\n".format(*sys.version_info))
    (target / "README.md").write_text(README)
    return target


def _only(site: Path, pattern: str) -> Path:
    found = list(site.glob(pattern))
    if len(found) != 1:
        raise ValueError(f"build/html has {len(found)} of {pattern}: run `make html`.")
    return found[0]


def requirements(others: list[str], wheel: str) -> str:
    """Return what pip installs for the notebooks: the versions of this build.

    >>> print(requirements([], "a.whl").replace(TORCH, "2.13.0"), end="")
    --extra-index-url https://download.pytorch.org/whl/cpu
    torch==2.13.0
    ./a.whl
    """
    lines = ["--extra-index-url https://download.pytorch.org/whl/cpu"]
    lines += [f"torch=={TORCH}", *(f"{name}=={version(name)}" for name in others)]
    return "\n".join([*lines, f"./{wheel}", ""])


def with_install(
    notebook: dict[str, Any], wheel: str, files: Iterable[tuple[str, str]] = ()
) -> dict[str, Any]:
    """Return a notebook that begins with what installs torchutils.

    Colab opens the notebook alone: it fetches ``files``, by address and name.

    >>> with_install({"cells": []}, "https://a.b/c.whl")["cells"][0]["source"]
    '%pip install --quiet https://a.b/c.whl'
    """
    fetch = [f"!curl --silent --create-dirs -o '{name}' '{a}'" for a, name in files]
    source = "\n".join([f"%pip install --quiet {wheel}", *fetch])
    cell: dict[str, object] = {"id": "install", "cell_type": "code", "source": source}
    cell |= {"metadata": {}, "execution_count": None, "outputs": []}
    return notebook | {"cells": [cell, *notebook["cells"]]}
