"""What a node keeps for its backward: read without running hooks or recomputing."""

from functools import cache
from typing import NamedTuple

import torch

from torchutils.values import Value, numbers

__all__ = ["CHANGED", "FREED", "HELD", "Saved", "attributes", "saved_tensors"]

FREED = "freed"
HELD = "held by a hook or a checkpoint"
CHANGED = "changed in place since: backward will fail"

_SIZES = ("sizes", "strides", "options", "scalar_type", "sym_", "layout", "sizes_")


class Saved(NamedTuple):
    """One saved tensor: its name, itself if it may be looked at, and its state."""

    name: str
    tensor: torch.Tensor | None
    state: str = ""


@cache
def _fields(kind: type) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
    names = [n for n in dir(kind) if n.startswith(("_raw_saved_", "_saved_"))]
    raw = tuple(n[11:] for n in names if n.startswith("_raw_saved_"))
    scalars = tuple(n[7:] for n in names if n[0:7] == "_saved_" and n[7:] not in raw)
    custom = issubclass(kind, torch.autograd.function.BackwardCFunction)
    return raw, scalars, custom


def saved_tensors(node: object) -> list[Saved]:
    """Return the tensors that a node saved, none of them unpacked by a hook.

    ``_saved_x`` would run the user's unpack hooks and re-run a checkpointed
    forward pass, so we look at ``_raw_saved_x`` first.
    """
    raw, _, custom = _fields(type(node))
    if custom:
        return _of_custom(node)
    found = []
    for name in raw:
        item = getattr(node, "_raw_saved_" + name)
        if isinstance(item, (tuple, list)):
            found += [_look(node, f"{name}[{k}]", s, "") for k, s in enumerate(item)]
        else:
            found.append(_look(node, name, item, "_saved_" + name))
    return [s for s in found if s is not None]


def _of_custom(node: object) -> list[Saved]:
    try:
        items = node._raw_saved_tensors or ()
    except RuntimeError:
        return [Saved("saved", None, FREED)]
    found = [_look(node, f"saved[{k}]", item, "") for k, item in enumerate(items)]
    return [s for s in found if s is not None]


def _look(node: object, name: str, item: object, checked: str) -> Saved | None:
    if item.unpack_hook is not None:
        data = item.data
        return Saved(name, None, HELD) if data is not None else None
    data = item.data
    try:
        if checked and getattr(node, checked) is None:
            return None
    except RuntimeError:
        return Saved(name, None, FREED) if data is None else Saved(name, data, CHANGED)
    return Saved(name, data) if isinstance(data, torch.Tensor) else None


def attributes(node: object, *, everything: bool) -> list[tuple[str, Value]]:
    """Return the numbers and options that a node keeps beside its tensors.

    By default only what tells two drawings apart: sizes, and options at their
    default, are left out.
    """
    found = []
    for name in _fields(type(node))[1]:
        if not everything and any(part in name for part in _SIZES):
            continue
        try:
            value = _signed(getattr(node, "_saved_" + name))
        except RuntimeError:
            continue
        if everything or not _is_default(name, value):
            found.append((name, value))
    return found


def _signed(value: object) -> Value:
    if isinstance(value, (tuple, list)):
        return tuple(_signed(v) for v in value)
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, int):
        return value - 2**64 if value >= 2**63 else value
    if isinstance(value, torch.Tensor):
        return numbers(value, 8)
    return value if isinstance(value, (float, complex)) else str(value)


def _is_default(name: str, value: Value) -> bool:
    if name in ("alpha", "beta") and value == 1:
        return True
    return value in ("None", "False", (), ((),)) or isinstance(value, str)
