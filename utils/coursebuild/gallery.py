"""Let sphinx-gallery make the pages, with outputs that our runner produced.

Three of its functions and one template are replaced by name; its version is
pinned exactly, and a test fails when a replacement no longer applies.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from textwrap import indent
from typing import Any

import sphinx_gallery
from sphinx_gallery import backreferences, gen_rst

from coursebuild.downloads import write_zip
from coursebuild.notebooks import notebook
from coursebuild.show import output_html
from courserun.lesson import Output
from courserun.runs import Runs

__all__ = ["KNOWN_VERSION", "install"]

KNOWN_VERSION = "0.22.1"
CARD = """
.. container:: lesson-card

   .. image:: /{thumbnail}
      :alt:

   :doc:`{doc_name}`

   .. raw:: html

      <p>{intro}</p>

"""
DRAWING = re.compile(r"<svg\b.*?</svg>", re.DOTALL)


def install(root: Path, images: Path, runs: Runs, extras: list[Path]) -> None:
    """Replace what sphinx-gallery executes and what it packs.

    ``images`` is the folder for pictures; ``extras`` go into each lesson's zip.

    Raises:
        RuntimeError: another version of sphinx-gallery is installed.
    """
    if sphinx_gallery.__version__ != KNOWN_VERSION:
        raise RuntimeError(
            f"sphinx-gallery {sphinx_gallery.__version__} is installed, but its hooks "
            f"are known for {KNOWN_VERSION} only: run `make html`, which installs it."
        )

    def execute_script(
        blocks: list[Any], script: dict[str, Any], _conf: object, _file: object
    ) -> tuple[list[str], float]:
        name = Path(script["src_file"]).relative_to(root).as_posix()
        run = runs[name]
        outputs = run.outputs if run else (None,) * len(blocks)
        _save_thumbnail(outputs, Path(script["image_path_iterator"].next()))
        script |= {"memory_delta": 0.0, "example_globals": {}}
        link = "../" * name.count("/") + images.name
        return [_output_rst(output, images, link) for output in outputs], 0.0

    def zip_files(files: list[str], target: Path, *_: object) -> str:
        return write_zip(Path(target), [*map(Path, files), *extras])

    backreferences.THUMBNAIL_TEMPLATE = CARD
    gen_rst.execute_script = execute_script
    gen_rst.zip_files = zip_files
    gen_rst.jupyter_notebook = lambda blocks, *_: notebook(blocks)


def _output_rst(output: Output | None, images: Path, link: str) -> str:
    html = output_html(output, images, link) if output else ""
    return f".. raw:: html\n\n{indent(html, '   ')}\n\n" if html else ""


def _save_thumbnail(outputs: Iterable[Output | None], path: Path) -> None:
    """Save the lesson's first graph or picture where its card looks for it."""
    for output in filter(None, outputs):
        if output.pictures:
            first = output.pictures[0]
            path.with_suffix(first.suffix).write_bytes(first.light)
            return
        if drawing := DRAWING.search(output.html or ""):
            path.with_suffix(".svg").write_text(drawing[0], encoding="utf-8")
            return
