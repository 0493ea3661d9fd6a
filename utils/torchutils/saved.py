"""What a node keeps for its backward: read without running hooks or recomputing."""

from collections.abc import Iterable
from functools import cache
from typing import NamedTuple, Protocol

import torch

from torchutils.values import Value, numbers
from torchutils.walk import Live

__all__ = [
    "FREED",
    "SHOWN",
    "UNSHOWN",
    "Saved",
    "attributes",
    "memory",
    "saved_tensors",
    "state_notes",
]

_LOOKS = ("data", "unpack")  # 2.9.1 has neither, 2.10.0 the first, 2.13.0 both
SHOWN = all(hasattr(torch._C._autograd.SavedTensor, look) for look in _LOOKS)
UNSHOWN = (
    f"PyTorch {torch.__version__.partition('+')[0]} shows what an operation has saved "
    "to those alone who run its hooks: constants, saved tensors, and whether backward "
    "would fail, are not in this drawing. PyTorch 2.13 shows them."
)

FREED = "freed"
PACKED = "packed by a hook"
AGAIN = "computed again (checkpoint)"
UNLIKE = AGAIN + " from a changed input: backward fails"
CHANGED = "changed in place: backward fails"

_MODIFIED = "modified by an inplace operation"  # so torch's own message says it
_NOISE = ("sizes", "strides", "options", "scalar_type", "sym_", "layout", "argsize")
_WHERE = ("_saved_size", "_saved_stride", "_saved_storage_offset")  # of views


class Saved(NamedTuple):
    """One saved tensor: its name, itself if it may be looked at, and its state."""

    name: str
    tensor: torch.Tensor | None
    state: str = ""


class _Raw(Protocol):
    """What torch lets one see of a saved tensor without unpacking it."""

    data: object
    unpack_hook: object

    def unpack(self) -> object: ...


@cache
def _tensor_fields(kind: type) -> tuple[tuple[str, str], ...]:
    """List the names of saved tensors, raw and checked, once for each type."""
    if issubclass(kind, torch.autograd.function.BackwardCFunction):
        return (("_raw_saved_tensors", ""),)
    raw = [n for n in dir(kind) if n.startswith("_raw_saved_")]
    return tuple((n, n.removeprefix("_raw")) for n in raw)


@cache
def _other_fields(kind: type, everything: bool) -> tuple[tuple[str, str], ...]:
    tensors = {checked for _, checked in _tensor_fields(kind)}
    names = [n for n in dir(kind) if n.startswith("_saved_") and n not in tensors]
    if not everything:
        names = [n for n in names if n not in _WHERE]
        names = [n for n in names if not any(noise in n for noise in _NOISE)]
    return tuple((n, n[7:]) for n in names)


def saved_tensors(node: Live) -> list[Saved]:
    """Return the tensors that a node saved, none of them unpacked by a hook.

    ``_saved_x`` would run the user's unpack hooks and re-run a checkpointed
    forward pass, so we look at ``_raw_saved_x`` first.  Where a release of torch shows
    nothing of that, nothing is returned.
    """
    if not SHOWN:
        return []
    found = []
    for raw, checked in _tensor_fields(type(node)):
        name = raw.removeprefix("_raw_saved_")
        try:
            item = getattr(node, raw)
        except RuntimeError:  # a custom Function after backward
            found.append(Saved("tensors", None, FREED))
            continue
        if isinstance(item, (tuple, list)):
            looks = [_look_at(node, f"{name}[{k}]", s) for k, s in enumerate(item)]
            found += [s for s in looks if s is not None]
        elif item is not None and (one := _look(node, name, item, checked)) is not None:
            found.append(one)
    return found


def _look(node: object, name: str, item: _Raw, checked: str) -> Saved | None:
    data = item.data
    if item.unpack_hook is not None:
        state = PACKED
        if type(data).__module__ == "torch.utils.checkpoint":
            state = UNLIKE if _input_changed(item.unpack_hook) else AGAIN
        return None if data is None else Saved(name, None, state)
    held = data if isinstance(data, torch.Tensor) else None
    try:
        if checked and getattr(node, checked) is None:
            return None
    except RuntimeError:
        return Saved(name, held, FREED if held is None else CHANGED)
    return None if held is None else Saved(name, held)


def _input_changed(hook: object) -> bool:
    """Look at what a checkpoint begins with: its hook holds it, and is not run."""
    held = [cell.cell_contents for cell in getattr(hook, "__closure__", None) or ()]
    inputs = [item for frame in held for item in getattr(frame, "saved_args", ())]
    looks = [_look_at(None, "", i) for i in inputs if hasattr(i, "unpack_hook")]
    return any(look is not None and look.state == CHANGED for look in looks)


def _look_at(node: object, name: str, item: _Raw) -> Saved | None:
    """Look at one of several saved tensors, which are checked one by one."""
    found = _look(node, name, item, "")
    if item.unpack_hook is not None or (found is not None and found.state):
        return found
    try:
        item.unpack()
    except RuntimeError as error:
        if found is None:
            return Saved(name, None, FREED)
        changed = _MODIFIED in str(error)
        if not changed and found.tensor is not None and found.tensor._version:
            # The node's own result, which only the node can unpack.
            changed = _fails(node)
        return found._replace(state=CHANGED) if changed else found
    return found


def _fails(node: object) -> bool:
    try:
        getattr(node, "saved_tensors", None)
    except RuntimeError as error:
        return _MODIFIED in str(error)
    return False


def memory(
    kept: list[list[Saved]], leaves: Iterable[torch.Tensor]
) -> tuple[list[dict[int, int]], str]:
    """Count what operations hold for backward, with a sentence on the whole.

    Of each operation it returns the bytes by the memory that they lie in.  Leaves exist
    anyway and are counted apart; what several tensors share counts once in the whole.
    """
    own = {key for leaf in leaves for key, _ in _storages(leaf)}
    each, tensors, unknown = [], 0, 0
    every: dict[int, int] = {}
    for items in kept:
        held: dict[int, int] = {}
        for item in items:
            parts = [] if item.tensor is None else _storages(item.tensor)
            held |= parts
            tensors += bool(parts)
            unknown += not parts and item.state != FREED
        every |= held
        each.append({key: size for key, size in held.items() if key not in own})
    anyway = sum(size for key, size in every.items() if key in own)
    text = f"Saved for backward: {sum(every.values()) - anyway:,} bytes"
    text += f", beside {anyway:,} bytes of leaves" if anyway else ""
    text += f"; tensors: {tensors}; what they share counts once."
    if unknown:
        text += f" Not counted: {unknown}, which are packed, computed again or unknown."
    return each, text


def _storages(tensor: torch.Tensor) -> list[tuple[int, int]]:
    """Return the memory that a tensor lies in: what tells it apart, and its bytes."""
    try:
        sparse = tensor.layout is torch.sparse_coo
        parts = (tensor._indices(), tensor._values()) if sparse else (tensor,)
        whole = [part.untyped_storage() for part in parts]
    except (RuntimeError, NotImplementedError):  # no one storage, or none at all
        return []
    return [(storage._cdata, storage.nbytes()) for storage in whole]


def state_notes(node: object, kept: list[Saved]) -> tuple[str, ...]:
    """Say what is unusual about an operation and what it saved."""
    states = {s.state for s in kept}
    notes = [
        f"saved tensors {s}" for s in (FREED, PACKED, AGAIN, UNLIKE) if s in states
    ]
    notes += [f"{s.name} {CHANGED}" for s in kept if s.state == CHANGED]
    if type(node).__name__ == "CopySlices":
        notes.append("saved tensors not checked: PyTorch hides them")
    if isinstance(node, torch.autograd.function.BackwardCFunction):
        compiled = type(node).__name__.startswith("CompiledFunction")
        notes.insert(0, "compiled: one node" if compiled else "custom Function")
    return tuple(notes)


def attributes(node: Live, *, everything: bool) -> tuple[tuple[str, Value], ...]:
    """Return the numbers and options that a node keeps beside its tensors.

    By default only what tells two drawings apart: sizes, and options at their
    default, are left out.
    """
    fields = _other_fields(type(node), everything)
    if not fields:
        return ()
    found = []
    for attribute, name in fields:
        try:
            value = getattr(node, attribute)
        except RuntimeError:
            continue
        if everything or not _usual(name, value):
            found.append((name, _simple(value)))
    return tuple(found)


def _usual(name: str, value: object) -> bool:
    if name in ("alpha", "beta"):
        return value == 1
    if type(value) is tuple:
        return not any(value)
    return value is None or value is False or value == "none"


def _simple(value: object) -> Value:
    if isinstance(value, (tuple, list)):
        return tuple(map(_simple, value))
    if isinstance(value, torch.Tensor):
        return numbers(value, 8)
    if isinstance(value, bool) or not isinstance(value, (int, float, complex)):
        return str(value)
    if isinstance(value, int) and value >= 2**63:  # how torch keeps the dimension -1
        return value - 2**64
    return value
