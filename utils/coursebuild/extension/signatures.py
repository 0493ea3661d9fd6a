"""Let autodoc name the types that torchutils has names for, and leave out echoes.

Autodoc writes a type alias out, and ours are long: a node's value may be a tuple of
values.  What a page documents below the alias's name is written by that name.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

from sphinx.application import Sphinx
from sphinx.util.typing import stringify_annotation

__all__ = ["setup", "shortened"]

ECHO = "Alias for field number"  # all that a named tuple says of its fields


def shortened(text: str, aliases: dict[str, str]) -> str:
    """Write each alias's name where its meaning stands, innermost first.

    >>> shortened("(a: int | tuple[V, ...])", {"m.V": "int | tuple[V, ...]"})
    '(a: m.V)'
    """
    for name, meaning in aliases.items():
        outer = meaning.replace(f"[{name.rpartition('.')[2]},", f"[{name},")
        while meaning in text or outer in text:
            text = text.replace(meaning, name).replace(outer, name)
    return text


@cache
def _meanings(names: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in names:
        module, _, own = name.rpartition(".")
        alias = getattr(import_module(module), own)
        found[name] = shortened(stringify_annotation(alias, "smart"), found)
    return found


def _shorten(app: Sphinx, *given: Any) -> tuple[str | None, str | None]:
    aliases = _meanings(tuple(app.config.named_types))
    signature, result = (text and shortened(text, aliases) for text in given[-2:])
    return signature, result


def _leave_out(_: Sphinx, *given: Any) -> bool | None:
    return True if str(getattr(given[2], "__doc__", "")).startswith(ECHO) else None


def setup(app: Sphinx) -> None:
    """Change what autodoc writes; ``named_types`` in conf.py lists the aliases."""
    app.add_config_value("named_types", default=[], rebuild="env", types=list)
    app.connect("autodoc-process-signature", _shorten)
    app.connect("autodoc-skip-member", _leave_out)
