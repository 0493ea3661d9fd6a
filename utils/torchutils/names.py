"""Which names do tensors have?  Answered from any mapping, or from a module."""

from collections.abc import Mapping, Sequence
from itertools import islice
from types import SimpleNamespace

import torch

from torchutils.values import visible

__all__ = ["Names", "find_names"]

DEPTH = 2  # a name's value may be a list of dicts of tensors, no deeper
INSIDE = 1000  # how many items of one list or dict are looked at
IN_ALL = 20_000  # how many items inside containers are, and the rest is told
CONTAINERS = (list, tuple, dict, torch.nn.Module, SimpleNamespace)


class Names:
    """Names of tensors by identity, and of the nodes that made them.

    The tensors are held here, so that no identity is reused while we look;
    the object must not outlive the reading of a graph.
    """

    def __init__(self) -> None:
        self.tensors: dict[int, tuple[str, ...]] = {}
        self.made: dict[object, list[torch.Tensor]] = {}  # by their grad_fn
        self.held: list[torch.Tensor] = []
        self.models: list[tuple[str, torch.nn.Module]] = []
        self.cut = ""  # the name of a container that was not looked through

    def add(self, name: str, tensor: torch.Tensor) -> None:
        """Remember one more name of a tensor."""
        known, name = self.tensors.get(id(tensor)), visible(name)
        if known is not None:
            if name not in known:
                self.tensors[id(tensor)] = (*known, name)
            return
        self.tensors[id(tensor)] = (name,)
        self.held.append(tensor)
        try:
            node = tensor.grad_fn
        except RuntimeError:  # a view that torch has declared invalid
            return
        if node is not None:
            self.made.setdefault(node, []).append(tensor)

    def of(self, tensor: torch.Tensor) -> tuple[str, ...]:
        """Return every name of this very tensor, first bound first."""
        return self.tensors.get(id(tensor), ())


def find_names(names: Mapping[str, object] | torch.nn.Module | None) -> Names:
    """Collect the names of tensors; everything else in ``names`` is ignored.

    Lists, tuples, dicts, namespaces, modules, and what is called ``self``, are looked
    into, up to two levels deep; modules first, so that a parameter is called by its
    path, and not by the variable of a loop.  In a module's or notebook's own namespace,
    names that start with an underscore, and IPython's ``In`` and ``Out``, are no names
    of the reader's.
    """
    found = Names()
    if names is None:
        return found
    if isinstance(names, torch.nn.Module):
        found.models.append(("", names))
        names = dict(_of_module("", names))
    if not isinstance(names, (dict, Mapping)):
        raise TypeError(
            f"names must be a mapping such as locals(), or a module, not "
            f"{type(names).__name__}; leave it out to draw without names"
        )
    private = "__name__" in names
    queue: list[tuple[str, object, int]] = []
    tensors: list[tuple[str, torch.Tensor]] = []
    for name, value in tuple(names.items()):  # reading may fill a live namespace
        if not isinstance(name, str) or (private and _hidden(name)):
            continue
        if isinstance(value, torch.nn.Module):
            found.models.append((name, value))
            for inner, tensor in _of_module(name + ".", value):
                found.add(inner, tensor)
        elif isinstance(value, torch.Tensor):
            tensors.append((name, value))
        elif isinstance(value, CONTAINERS) or name == "self":
            queue.append((name, value, 1))
    for name, value in tensors:
        found.add(name, value)
    _look_inside(queue, found)
    return found


def _look_inside(queue: list[tuple[str, object, int]], found: Names) -> None:
    budget = IN_ALL
    for name, value, depth in queue:  # it grows while we go
        items = _items(name, value)
        if isinstance(value, torch.nn.Module):
            found.models.append((name, value))
        if isinstance(value, (list, tuple, dict)) and len(value) > len(items):
            found.cut = found.cut or name
        for inner, item in items:
            budget -= 1
            if isinstance(item, torch.Tensor):
                found.add(inner, item)
            elif depth < DEPTH and isinstance(item, CONTAINERS):
                queue.append((inner, item, depth + 1))
            if not budget:
                found.cut = found.cut or name
                return


def _items(name: str, value: object) -> Sequence[tuple[str, object]]:
    if isinstance(value, torch.nn.Module):
        return _of_module(name + ".", value)
    if not isinstance(value, (list, tuple, dict)):
        return [(f"{name}.{k}", v) for k, v in getattr(value, "__dict__", {}).items()]
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    known = [(k, v) for k, v in islice(pairs, INSIDE) if isinstance(k, (str, int))]
    return [(f"{name}[{k!r}]", v) for k, v in known]


def _of_module(prefix: str, module: torch.nn.Module) -> list[tuple[str, torch.Tensor]]:
    owned = [*module.named_parameters(remove_duplicate=False)]
    return [(prefix + n, t) for n, t in [*owned, *module.named_buffers()]]


def _hidden(name: str) -> bool:
    return name.startswith("_") or name in ("In", "Out")
