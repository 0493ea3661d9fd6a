"""Say how a formula was checked, for its mark, and list all of them in the ledger."""

from __future__ import annotations

from collections import Counter
from html import escape
from importlib.metadata import version
from pathlib import Path, PurePosixPath

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from coursebuild.sources.docnames import page_of, source_of
from coursebuild.state import STATEMENTS, state
from coursecheck.stated import Statement
from courserun.lesson import Run

__all__ = ["LAW", "setup", "spoken"]

LAW = "a general law, not checked"
HERE = "at this point only"


def spoken(statements: list[Statement]) -> str:
    """Say how the statements of one formula were checked.

    >>> spoken([Statement("value", "y = 28", 3, ("code", "digits"))])
    'checked: code, digits'
    >>> spoken([Statement("gradient", "y' = x^2", 3, ("autograd",), here=True)])
    'checked at this point only: autograd'
    """
    if all(statement.kind == "law" for statement in statements):
        return LAW
    witnesses = {w for statement in statements for w in statement.witnesses}
    here = f" {HERE}" * any(statement.here for statement in statements)
    return f"checked{here}: {', '.join(sorted(witnesses))}"


class ledger(nodes.General, nodes.Element):  # noqa: N801 (docutils' way)
    """The place of the ledger; filled when all titles are known."""


class Ledger(SphinxDirective):
    """List every statement of the site, and what spoke for it."""

    def run(self) -> list[nodes.Node]:
        """Return the place where the list will stand."""
        state(self.env.app).draw(self.env.docname, STATEMENTS)
        return [ledger()]


def _fill(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    for node in list(doctree.findall(ledger)):
        known = state(app).runs
        all_ = [run for name in known.lessons if (run := known[name])]
        runs = [run for run in all_ if run.statements]
        root = Path(app.confdir)
        titles = {source_of(d, root): t.astext() for d, t in app.env.titles.items()}
        named = [(run, titles.get(run.lesson, run.lesson)) for run in runs]
        up = "../" * (len(PurePosixPath(docname).parts) - 1)
        tables = "".join(_table(run, title, up) for run, title in named)
        node.replace_self(nodes.raw("", _totals(runs) + tables, format="html"))


def _totals(runs: list[Run]) -> str:
    statements = [s for run in runs for s in run.statements]
    kinds = Counter(s.kind for s in statements)
    worst = max((s.error for s in statements), default=0.0)
    true, torch = len(statements) - kinds["law"], version("torch").split("+")[0]
    return (
        f"<p><strong>{true} statements</strong> on {len(runs)} pages are true: "
        f"{kinds['gradient']} gradients, {kinds['value']} values and "
        f"{kinds['doctest']} examples. {kinds['law']} general laws are marked as such "
        f"and not checked. The largest relative difference between two witnesses is "
        f"{worst:.0e}. Everything ran on torch {torch}.</p>"
    )


def _table(run: Run, title: str, up: str) -> str:
    rows = "".join(_row(statement) for statement in run.statements)
    return (
        f'<div class="table-wrapper"><table class="ledger"><caption>'
        f'<a href="{up}{page_of(run.lesson)}">{escape(title)}</a></caption><thead><tr>'
        '<th scope="col">Line</th><th scope="col">What is stated</th>'
        '<th scope="col">What spoke for it</th><th scope="col">Difference</th>'
        f"</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _row(statement: Statement) -> str:
    cells = [str(statement.line), f"<code>{escape(statement.source.strip())}</code>"]
    if statement.kind == "law":
        cells += [LAW, ""]
    else:
        difference = f"{statement.error:.0e}" if statement.error else "0"
        here = f" ({HERE})" * statement.here
        cells += [", ".join(statement.witnesses) + here, difference]
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def setup(app: Sphinx) -> None:
    """Register the ledger."""
    app.add_node(ledger)
    app.add_directive("ledger", Ledger)
    app.connect("doctree-resolved", _fill)
