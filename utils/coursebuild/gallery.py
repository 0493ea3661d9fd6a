"""Let sphinx-gallery make the pages, with outputs that our runner produced.

Three of its functions and one template are replaced by name; its version is
pinned exactly, and a test fails when a replacement no longer applies.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from textwrap import indent
from typing import Any, ClassVar

import sphinx_gallery
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx_gallery import backreferences, gen_rst

from coursebuild.downloads import write_zip
from coursebuild.notebooks import notebook
from coursebuild.show import output_html
from courserun.lesson import Output
from courserun.runs import Runs

__all__ = ["KNOWN_VERSION", "install", "setup"]

KNOWN_VERSION = "0.22.1"
TORCH = version("torch").split("+")[0]
SVG = "http://www.w3.org/2000/svg"
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
            svg = drawing[0].replace("<svg", f'<svg xmlns="{SVG}"', 1)
            path.with_suffix(".svg").write_text(svg, encoding="utf-8")
            return


class ArrangeLesson(SphinxTransform):
    """Make of sphinx-gallery's download buttons one small group at the top.

    Runs before Sphinx collects the files to copy.
    """

    default_priority = 400
    labels: ClassVar = {".py": "Script", ".ipynb": "Notebook", ".zip": "Zip"}

    def apply(self, **_: Any) -> None:
        """Move the group, and say how its files run elsewhere."""
        for node in list(self.document.findall(_is_replaced)):
            node.parent.remove(node)
            if links := list(node.findall(addnodes.download_reference)):
                facts = next(iter(self.document.findall(nodes.field_list)))
                facts["classes"].append("facts")
                facts.parent.insert(facts.parent.index(facts) + 1, self._group(links))

    def _group(self, links: list[addnodes.download_reference]) -> nodes.container:
        line = nodes.paragraph("", "Download ")
        for link in links:
            link.clear()
            link += nodes.Text(self.labels[Path(link["reftarget"]).suffix])
            line += [link, nodes.Text(" ")]
        wheel = self.app.lesson_wheel.name
        up = "../" * self.env.docname.count("/")
        file = nodes.reference("", wheel, refuri=f"{up}wheel/{wheel}", internal=True)
        needs = nodes.paragraph("", "To run it elsewhere, fetch ")
        needs += [file, nodes.Text(" (it is in the zip) and say ")]
        source = Path(self.app.confdir, "gallery", *Path(self.env.docname).parts[1:])
        others = " ".join(_imports(source.with_suffix(".py")))
        command = " ".join(f"pip install torch=={TORCH} {others} {wheel}".split())
        needs += nodes.literal("", command)
        return nodes.container("", line, needs, classes=["downloads"])


def _imports(script: Path) -> list[str]:
    """Return what a script imports beyond Python, torch and torchutils."""
    names = []
    for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name.split(".")[0] for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names.append((node.module or "").split(".")[0])
    return sorted(set(names) - sys.stdlib_module_names - {"torch", "torchutils"})


def _is_replaced(node: nodes.Node) -> bool:
    names = {"sphx-glr-download-link-note", "sphx-glr-footer"}
    return isinstance(node, nodes.Element) and bool(
        names & set(node.get("classes", ()))
    )


def setup(app: Sphinx) -> None:
    """Register what changes the pages that sphinx-gallery wrote."""
    app.add_transform(ArrangeLesson)
