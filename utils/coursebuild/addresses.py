"""Know where the site and its sources are published, where that is configured.

``[project.urls]`` in pyproject.toml says it; on GitHub's machines, what it leaves
out follows from ``GITHUB_REPOSITORY``.  Where neither does, both are empty, and
no page shows what needs them.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

__all__ = ["NOTEBOOKS", "Places", "binder", "colab", "edit", "raw", "read_places"]

GITHUB = "https://github.com/"
BRANCH = "main"
NOTEBOOKS = "notebooks"  # the branch that Colab and Binder open; pages.yml pushes it
FORMS = {
    "Homepage": (r"https?://[^\s/?#]+(/[^\s?#]*)?", "https://owner.github.io/name/"),
    "Repository": (r"https://github\.com/[\w.-]+/[\w.-]+/?", f"{GITHUB}owner/name"),
}


class Places(NamedTuple):
    """The address of the site, with its last slash, and that of its repository."""

    site: str = ""
    repository: str = ""


def read_places(root: Path, environment: Mapping[str, str] = os.environ) -> Places:
    """Return what is configured.

    Raises:
        ValueError: an address has another form; the message names it.
    """
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    urls = project.get("urls", {})
    here = environment.get("GITHUB_REPOSITORY", "")
    site = urls.get("Homepage") or (here and _pages(here))
    repository = urls.get("Repository") or (here and GITHUB + here)
    for name, address in zip(FORMS, (site, repository), strict=True):
        pattern, example = FORMS[name]
        if address and not re.fullmatch(pattern, address):
            place = "[project.urls] of pyproject.toml" if urls.get(name) else "GitHub"
            raise ValueError(f"{name} {address!r} ({place}) must look like {example}")
    return Places(site and site.rstrip("/") + "/", repository.rstrip("/"))


def _pages(repository: str) -> str:
    """Return where GitHub Pages shows a repository.

    >>> _pages("Ada/engine"), _pages("Ada/ada.github.io")
    ('https://ada.github.io/engine/', 'https://ada.github.io/')
    """
    owner, _, name = repository.partition("/")
    host = f"{owner.lower()}.github.io"
    return f"https://{host}/" + (f"{name}/" if name.lower() != host else "")


def edit(repository: str, source: str) -> str:
    """Return where a source can be edited."""
    return f"{repository}/edit/{BRANCH}/{quote(source)}"


def raw(repository: str, name: str) -> str:
    """Return where a file of the notebooks' branch lies, as it is."""
    slug = repository.removeprefix(GITHUB)
    return f"https://raw.githubusercontent.com/{slug}/{NOTEBOOKS}/{quote(name)}"


def colab(repository: str, notebook: str) -> str:
    """Return where Colab opens a notebook of that branch.

    >>> colab("https://github.com/ada/engine", "0_a/1_b.ipynb")
    'https://colab.research.google.com/github/ada/engine/blob/notebooks/0_a/1_b.ipynb'
    """
    slug = repository.removeprefix(GITHUB)
    base = "https://colab.research.google.com/github"
    return f"{base}/{slug}/blob/{NOTEBOOKS}/{quote(notebook)}"


def binder(repository: str, notebook: str) -> str:
    """Return where Binder opens a notebook of that branch.

    >>> binder("https://github.com/ada/engine", "0_a/1_b.ipynb")
    'https://mybinder.org/v2/gh/ada/engine/notebooks?labpath=0_a%2F1_b.ipynb'
    """
    slug = repository.removeprefix(GITHUB)
    base = "https://mybinder.org/v2/gh"
    return f"{base}/{slug}/{NOTEBOOKS}?labpath={quote(notebook, safe='')}"
