"""Let myst-nb show executed pages with outputs that our runner produced."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import myst_nb
import nbformat
from nbformat import NotebookNode

from coursebuild.lessons.outputs import output_html
from courserun.runs import Runs

KNOWN_VERSION = "1.4.0"
# What myst-nb executes notebooks with: a kernel's client, a database.  To load them
# takes half a second, and none of them is asked for anything: see ``install``.
CLIENTS = {"cache": "Cache", "direct": "Direct", "inline": "Inline"}
for _name, _client in CLIENTS.items():
    _module = ModuleType(f"myst_nb.core.execute.{_name}")
    setattr(_module, f"NotebookClient{_client}", None)
    sys.modules.setdefault(_module.__name__, _module)

from myst_nb import sphinx_  # noqa: E402  (which loads them where they are not there)
from myst_nb.core.execute import NotebookClientBase  # noqa: E402

__all__ = ["KNOWN_VERSION", "install"]


def install(source: Path, images: Path, runs: Runs) -> None:
    """Replace the client with which myst-nb executes pages below ``source``.

    ``images`` is the folder for pictures.

    Raises:
        RuntimeError: another version of myst-nb is installed.
    """
    if myst_nb.__version__ != KNOWN_VERSION:
        raise RuntimeError(
            f"myst-nb {myst_nb.__version__} is installed, but its hook is known for "
            f"{KNOWN_VERSION} only: run `make html`, which installs it."
        )

    def create_client(
        notebook: NotebookNode, path: str, config: Any, logger: Any, _format: Any
    ) -> NotebookClientBase:
        notebook.metadata["language_info"] = {"name": "python"}
        page = Path(path).relative_to(source)
        run = runs[(Path("docs") / page).as_posix()]
        link = "../" * (len(page.parts) - 1) + images.name
        outputs = run.outputs if run else (None,) * len(notebook.cells)
        for cell, output in zip(notebook.cells, outputs, strict=True):
            if cell.cell_type == "code":  # what a notebook has stored is an older run's
                shown = output_html(output, images, link) if output else ""
                cell.outputs = _outputs(shown)
        return NotebookClientBase(notebook, Path(path), config, logger)

    sphinx_.create_client = create_client


def _outputs(html: str) -> list[NotebookNode]:
    data = {"text/html": html}
    return [nbformat.v4.new_output("display_data", data=data)] if html else []
