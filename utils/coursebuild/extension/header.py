"""Say at a lesson's foot how it runs elsewhere, and where its outputs come from."""

from __future__ import annotations

import ast
import platform
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

from coursebuild.addresses import binder, colab
from coursebuild.publishing.source_date import AS_OF
from coursebuild.sources.beside import helpers, tree_of
from coursebuild.sources.docnames import source_of
from coursebuild.state import state

__all__ = ["TORCH", "imports", "setup"]

FOOT = "run-it"
TORCH = version("torch").split("+")[0]


class ArrangeLesson(SphinxTransform):
    """Make of sphinx-gallery's buttons a section at the foot, and a link to it.

    Runs before Sphinx collects the files to copy.
    """

    default_priority = 400
    labels: ClassVar = {".py": "Script", ".ipynb": "Notebook", ".zip": "Zip"}

    def apply(self, **_: Any) -> None:
        """Move the buttons, and say how the files run elsewhere."""
        for node in list(self.document.findall(_is_replaced)):
            node.parent.remove(node)
            if links := list(node.findall(addnodes.download_reference)):
                above: nodes.Element = next(iter(self.document.findall(nodes.title)))
                for facts in list(self.document.findall(nodes.field_list))[:1]:
                    facts["classes"].append("facts")
                    above = facts
                lesson: nodes.Element = above.parent
                lesson.insert(lesson.index(above) + 1, _link_to_foot())
                lesson += self._foot(links)

    def _foot(self, links: list[addnodes.download_reference]) -> nodes.section:
        files = self._files(links)
        files += self._services()
        title = nodes.title("", "Run this lesson yourself")
        parts = [title, files, *self._install(), self._origin()]
        return nodes.section("", *parts, ids=[FOOT], classes=["downloads", "no-search"])

    def _files(self, links: list[addnodes.download_reference]) -> nodes.paragraph:
        line = nodes.paragraph("", "Download ")
        for link in links:
            link.clear()
            link += nodes.Text(self.labels[Path(link["reftarget"]).suffix])
            line += [link, nodes.Text(" ")]
        return line

    def _services(self) -> list[nodes.Node]:
        """Return links to where the notebook runs, if its branch has an address."""
        repository = self.app.config.repository
        if not repository:
            return []
        book = self.env.docname.removeprefix("lessons/") + ".ipynb"
        line: list[nodes.Node] = [nodes.Text("Open in ")]
        for name, link in {"Colab": colab, "Binder": binder}.items():
            look = {"refuri": link(repository, book), "classes": ["download"]}
            line += [nodes.reference("", name, **look), nodes.Text(" ")]
        return line

    def _install(self) -> list[nodes.Node]:
        """Say in one line what to install; the wheel comes from the site's address."""
        wheel, site = state(self.app).wheel.name, self.app.config.html_baseurl
        needs = nodes.paragraph("", "To run it elsewhere, ")
        if site:
            needs += nodes.Text("install what it needs:")
        else:
            up = "../" * self.env.docname.count("/")
            needs += nodes.Text("fetch ")
            link = f"{up}wheel/{wheel}"
            needs += nodes.reference("", wheel, refuri=link, internal=True)
            needs += nodes.Text(" (it is in the zip) and say:")
        root = Path(self.app.confdir)
        others = " ".join(imports(root / source_of(self.env.docname, root)))
        wheel = f"{site}wheel/{wheel}" if site else wheel
        command = " ".join(f"pip install torch=={TORCH} {others} {wheel}".split())
        block = nodes.literal_block(command, command, language="text")
        return [needs, block, *self._files_beside()]

    def _files_beside(self) -> Iterator[nodes.paragraph]:
        """Say that there are files beside the lesson, in the zip alone."""
        name = source_of(self.env.docname, Path(self.app.confdir))
        lesson = state(self.app).runs.lessons[name]
        if names := [name for name, _ in lesson.files]:
            yield nodes.paragraph("", f"The zip holds {', '.join(names)} as well.")

    def _origin(self) -> nodes.paragraph:
        """Say which versions made the outputs, and when their sources last changed."""
        text = (
            f"Its outputs come from Python {platform.python_version()}, torch {TORCH} "
            f"and torchutils {self.app.config.version}{AS_OF}."
        )
        return nodes.paragraph("", text, classes=["origin"])


def _link_to_foot() -> nodes.paragraph:
    link = nodes.reference("", "Run this lesson yourself", refid=FOOT, internal=True)
    return nodes.paragraph("", "", link, classes=["to-foot", "no-search"])


def imports(script: Path) -> list[str]:
    """Return the packages that a script needs beyond Python, torch and torchutils."""
    names = []
    modules = helpers(script.parent)
    code = [path.read_text(encoding="utf-8") for path in (script, *modules)]
    for node in (node for source in code for node in ast.walk(tree_of(source))):
        if isinstance(node, ast.Import):
            names += [alias.name.split(".")[0] for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names.append((node.module or "").split(".")[0])
    own = {"torch", "torchutils", *(path.stem for path in modules)}
    others = set(names) - sys.stdlib_module_names - own - {""}
    return sorted({_packages().get(name, [name])[0] for name in others})


_packages = cache(packages_distributions)  # PIL comes with pillow


def _is_replaced(node: nodes.Node) -> bool:
    """Find what sphinx-gallery adds, and the box of a cell of settings alone."""
    names = {"sphx-glr-download-link-note", "sphx-glr-footer"}
    if isinstance(node, nodes.literal_block):
        return not node.astext().strip()
    return isinstance(node, nodes.Element) and bool(
        names & set(node.get("classes", ()))
    )


def setup(app: Sphinx) -> None:
    """Register what changes the pages that sphinx-gallery wrote."""
    app.add_transform(ArrangeLesson)
