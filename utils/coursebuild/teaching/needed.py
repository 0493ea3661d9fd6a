"""Tell which cells make what later cells and questions speak of."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from copy import copy
from symtable import SymbolTable, symtable
from typing import NamedTuple

__all__ = ["Said", "needed"]

WORD = re.compile(r"[^\W\d]\w*")
KEPT = re.compile(r"(?<![\w.])[^\W\d]\w*\.grad\b")  # a gradient, as ``x.grad``
CHANGES = re.compile(r".*_|append|retain_grad|register_.*")  # methods that do so
BLOCKS = ("body", "orelse", "finalbody", "handlers")


class Said(NamedTuple):
    """A cell's code or a question's words; ``sure`` where it is shown in any case."""

    source: str
    sure: bool


class Flow(NamedTuple):
    """What a statement binds or changes, and what it takes from above.

    A gradient is a name of its own, ``x.grad``, and ``fills`` tells of a backward step,
    which may change each.
    """

    bound: set[str]
    used: set[str]
    fills: bool = False


def needed(said: Iterable[Said]) -> list[bool]:
    """Tell of each cell, in their order, whether it is shown.

    One that is not sure has to bind or change something that something shown below it
    takes from above.  An import is on no sheet.

    >>> first, define, other = "x = 1", "def f(a):\\n    b = a\\n    return b", "b = 2"
    >>> needed([Said(s, False) for s in (first, define, other)] + [Said("f(x)", True)])
    [True, True, False, True]
    >>> needed([Said("w = 1", False), Said("w -= 1", False), Said("What is w?", True)])
    [True, True, True]
    >>> needed([Said("x = 1", False), Said("x = 2\\nx", True), Said("And x?", True)])
    [False, True, True]
    >>> cells = "x = f(1)", "y = 2 * x", "y.backward()", "What is x.grad?"
    >>> needed([Said(s, s.startswith("What")) for s in cells])
    [True, True, True, True]
    """
    lines = [(_run(_flows(source)), sure) for source, sure in said]
    gradients = {name for flow, _ in lines for name in flow.bound if KEPT.match(name)}
    shown: list[bool] = []
    wanted: set[str] = set()
    for flow, sure in reversed(lines):
        full = flow.fills and bool(gradients & wanted)
        shown.append(sure or full or bool(flow.bound & wanted))
        if shown[-1]:
            wanted = (wanted - flow.bound) | flow.used
    return shown[::-1]


def _flows(source: str) -> Iterator[Flow]:
    """Yield the flow of each statement; of words, that they speak of each name."""
    try:
        yield from map(_flow, ast.parse(source).body)
    except SyntaxError:
        yield Flow(set(), {*WORD.findall(source), *KEPT.findall(source)})


def _run(flows: Iterable[Flow]) -> Flow:
    """Return what statements do one after the other."""
    bound, used, fills = set[str](), set[str](), False
    for flow in flows:
        used |= flow.used - bound
        bound |= flow.bound
        fills |= flow.fills
    return Flow(bound, used, fills)


def _flow(statement: ast.stmt) -> Flow:
    """Return what a statement does, with the blocks in it as if each ran once."""
    head, below = _parted(statement)
    return _run([_of_line(head), *map(_flow, below)])


def _parted(statement: ast.stmt) -> tuple[ast.stmt, list[ast.stmt]]:
    """Return a statement without the lines indented below it, and these."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return statement, []  # what it binds is its own
    head, below = copy(statement), list[ast.stmt]()
    for name in BLOCKS:
        for line in getattr(statement, name, []):
            below += _caught(line) if isinstance(line, ast.ExceptHandler) else [line]
        if hasattr(statement, name):
            ends = name in ("body", "finalbody")
            setattr(head, name, [ast.Pass()] if ends else [])
    return head, below


def _caught(handler: ast.ExceptHandler) -> list[ast.stmt]:
    """Return the lines that run for an error, which has got its name before."""
    named = ast.parse(f"{handler.name} = None").body if handler.name else []
    return [*named, *handler.body]


def _of_line(statement: ast.stmt) -> Flow:
    """Return what a statement without lines below it does, or a definition."""
    top = symtable(ast.unparse(statement), "cell", "exec")
    symbols = top.get_symbols()
    bound = {s.get_name() for s in symbols if s.is_assigned() and not s.is_imported()}
    used = {
        symbol.get_name()
        for table in _scopes(top)
        for symbol in table.get_symbols()
        if symbol.is_referenced() and (table is top or symbol.is_global())
    }
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return Flow(bound, used)
    changed = _changed(statement)
    used |= changed.used
    bound |= changed.bound | {f"{name}.grad" for name in bound - used}
    return Flow(bound, used, changed.fills)


def _scopes(table: SymbolTable) -> Iterator[SymbolTable]:
    yield table
    for child in table.get_children():
        yield from _scopes(child)


def _changed(statement: ast.stmt) -> Flow:
    """Return what a statement does to gradients, or in place: symtable says neither."""
    bound, used, emptied, fills = set[str](), set[str](), set[str](), False
    for node in _now(statement):
        match node:
            case ast.Call(func=ast.Attribute(value=value, attr="zero_")):
                emptied |= _owner(value)
            case ast.Call(func=ast.Attribute(attr="backward")):
                fills = True
            case ast.AugAssign(target=value):
                bound |= _owner(value)
                used |= _owner(value)
            case ast.Call(func=ast.Attribute(value=value, attr=name)):
                if CHANGES.fullmatch(name):
                    bound |= _owner(value)
                    used |= _owner(value)
            case ast.Attribute(attr="grad", ctx=ast.Store()):
                bound |= _owner(node)
            case ast.Attribute(attr="grad"):
                used |= _owner(node)
    return Flow(bound | emptied, used - emptied, fills)


def _owner(value: ast.expr) -> set[str]:
    """Return whose the place is: a gradient's own name, or the first one in it."""
    found = KEPT.match(ast.unparse(value)) or WORD.match(ast.unparse(value))
    return {found[0]} if found else set()


def _now(node: ast.AST) -> Iterator[ast.AST]:
    """Yield a node and all below it, but for what waits in a lambda."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.Lambda):
            yield from _now(child)
