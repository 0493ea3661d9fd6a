"""Read from a page's code with which numbers its names were made.

A drawing has room for few numbers; ``x = torch.linspace(0, 1, 9)`` says them all.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

__all__ = ["written"]

_MAKERS = {"tensor", "arange", "linspace", "ones", "zeros", "full", "eye"}
_METHODS = {"reshape", "view", "double", "requires_grad_", "t"}
_NAMES = {"T", "float32", "float64", "pi", "torch", "math"}
_PLAIN = (ast.Constant, ast.List, ast.Tuple, ast.UnaryOp, ast.BinOp, ast.keyword)
_GRAMMAR = (*_PLAIN, ast.operator, ast.unaryop, ast.expr_context)


def written(blocks: Iterable[str]) -> dict[str, str]:
    """Return how names were bound last, where that is made of numbers alone.

    ``blocks`` are the pieces of code in the order of the page; what is no code is
    passed over. What may have changed since it was bound is left out.

    >>> written(["x = torch.ones(9)", "y = torch.eye(3) / 2; z = x + 1", "x[0] = 2"])
    {'y': 'torch.eye(3) / 2'}
    """
    found: dict[str, str] = {}
    for block in blocks:
        try:
            statements = ast.parse(block).body
        except SyntaxError:
            continue
        for statement in statements:
            for name in _touched(statement):
                found.pop(name, None)
            match statement:
                case ast.Assign([ast.Name(name)], value) if _is_numbers(value):
                    found[name] = ast.unparse(value)
    return found


def _touched(statement: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement binds, or whose tensors it may change."""
    for part in ast.walk(statement):
        match part:
            case ast.Name(name, ast.Store()):
                yield name
            case ast.FunctionDef(name) | ast.ClassDef(name):
                yield name
            case ast.Subscript(ast.Name(name), _, ast.Store()):
                yield name
            case ast.AugAssign(ast.Subscript(ast.Name(name))):
                yield name
            case ast.Attribute(ast.Name(name), word) if word[-1] == "_":
                yield name
            case ast.Attribute(ast.Name(name), "data"):
                yield name


def _is_numbers(value: ast.expr) -> bool:
    return isinstance(value, ast.Call | ast.Attribute | ast.BinOp) and all(
        map(_is_plain, ast.walk(value))
    )


def _is_plain(part: ast.AST) -> bool:
    """Say whether a part of an expression is a number, or makes a tensor of numbers."""
    match part:
        case ast.Call(ast.Attribute(_, word)):
            return word in _MAKERS | _METHODS
        case ast.Attribute(_, word):
            return word in _MAKERS | _METHODS | _NAMES
        case ast.Name(name):
            return name in ("torch", "math")
    return isinstance(part, _GRAMMAR)
