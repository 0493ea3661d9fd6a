"""Tell what went wrong in the author's terms: their own file, line and remedy."""

from __future__ import annotations

import re

__all__ = ["cellwise"]

_CELLS = re.compile(
    r"(?P<name>\.ipynb):(?P<cell>\d+)(?P<line>\d{4})(?!\d)"
    r"(?::? (?:cell \d+|the text))?:?"
)


def cellwise(text: str) -> str:
    """Name the cell of a notebook, counted from its top, and the line in that cell.

    >>> cellwise("docs/a.ipynb:120003: cell 7 raised an error")
    'docs/a.ipynb: cell 12, line 3: raised an error'
    """
    return _CELLS.sub(
        lambda m: f"{m['name']}: cell {m['cell']}, line {int(m['line'])}:", text
    )
