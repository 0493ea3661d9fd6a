"""List the modules of a package on a page, each with its own first sentence."""

from __future__ import annotations

import ast
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx

__all__ = ["setup", "summaries"]


def summaries(package: Path) -> list[tuple[str, str]]:
    """Return the path of each module below ``package``, and what its docstring says.

    Raises:
        ValueError: a module has no docstring, so that nobody is told what it is for.
    """
    found = []
    for path in sorted(package.rglob("*.py")):
        name = path.relative_to(package.parent).as_posix()
        said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
        if not said:
            raise ValueError(f"{name} has no docstring: say in its first line what for")
        found.append((name, said.partition("\n\n")[0].replace("\n", " ")))
    return found


class _Modules(Directive):
    """``.. modules:: coursecheck`` lists that package of ``utils/``."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return a definition list, in the order of the files' names."""
        env = self.state.document.settings.env
        package = Path(env.app.confdir, "utils", self.arguments[0])
        if not package.is_dir():
            raise self.error(f"utils/ has no package {self.arguments[0]!r}.")
        listed = nodes.definition_list(classes=["modules", "no-search"])
        for name, said in summaries(package):
            term = nodes.term("", "", nodes.literal(text=name))
            text, _ = self.state.inline_text(said, self.lineno)
            told = nodes.definition("", nodes.paragraph("", "", *text))
            listed += nodes.definition_list_item("", term, told)
        return [listed]


def setup(app: Sphinx) -> None:
    """Register the directive."""
    app.add_directive("modules", _Modules)
