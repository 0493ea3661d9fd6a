"""Tell which cells make what later cells and questions speak of."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from symtable import SymbolTable, symtable
from typing import NamedTuple

__all__ = ["Said", "needed"]

WORD = re.compile(r"[^\W\d]\w*")


class Said(NamedTuple):
    """A cell's code or a question's words; ``sure`` where it is shown in any case."""

    source: str
    sure: bool


def needed(said: Iterable[Said]) -> list[bool]:
    """Tell of each cell, in their order, whether it is shown.

    One that is not sure has to bind a name that something shown below it uses, before
    another cell binds it anew.  An import is on no sheet.

    >>> first, define, other = "x = 1", "def f(a):\\n    b = a\\n    return b", "b = 2"
    >>> needed([Said(s, False) for s in (first, define, other)] + [Said("f(x)", True)])
    [True, True, False, True]
    >>> needed([Said("w = 1", False), Said("w -= 1", False), Said("What is w?", True)])
    [True, True, True]
    >>> needed([Said("x = 1", False), Said("x = 2", True), Said("What is x?", True)])
    [False, True, True]
    """
    shown: list[bool] = []
    wanted: set[str] = set()
    for source, sure in reversed([*said]):
        bound, used = _names(source)
        shown.append(sure or bool(bound & wanted))
        if shown[-1]:
            wanted = (wanted - bound) | used
    return shown[::-1]


def _names(source: str) -> tuple[set[str], set[str]]:
    """Return the names that a cell binds, and those that it takes from outside."""
    try:
        top = symtable(source, "cell", "exec")
    except SyntaxError:
        return set(), {*WORD.findall(source)}
    symbols = top.get_symbols()
    bound = {s.get_name() for s in symbols if s.is_assigned() and not s.is_imported()}
    used = {
        symbol.get_name()
        for table in _scopes(top)
        for symbol in table.get_symbols()
        if symbol.is_referenced() and (table is top or symbol.is_global())
    }
    return bound, used | _changed(source)


def _scopes(table: SymbolTable) -> Iterator[SymbolTable]:
    yield table
    for child in table.get_children():
        yield from _scopes(child)


def _changed(source: str) -> set[str]:
    """Return the names that ``+=`` and the like read, which symtable does not say."""
    found = (
        n.target for n in ast.walk(ast.parse(source)) if isinstance(n, ast.AugAssign)
    )
    return {target.id for target in found if isinstance(target, ast.Name)}
