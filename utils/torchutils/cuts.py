"""Where tensors leave the graph: seen while the forward pass runs, and told later."""

import linecache
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import Self
from weakref import WeakValueDictionary

import torch
from torch.overrides import TorchFunctionMode

from torchutils.walk import LIMIT, leaf_of, walk

__all__ = ["Cuts", "leaves", "trace_cuts"]

TAKEN = "item tolist numpy __float__ __int__ __bool__ __complex__ __index__ __array__"
OUT = frozenset(TAKEN.split())  # a number or an array comes out, and no tensor
FRESH = ("_like", "new_")  # what they make depends on a tensor's shape alone
OWN = str(Path(__file__).parent), str(Path(torch.__file__).parent)


class Cuts(TorchFunctionMode):
    """What cut tensors off the graph, in the order in which it happened.

    Only the first cut on a way is noted.  Not seen are functions that are no torch
    functions, such as ``nn.Parameter(y)``.
    """

    def __init__(self) -> None:
        super().__init__()
        self._leaves: WeakValueDictionary[int, torch.Tensor] = WeakValueDictionary()
        self._found: dict[int, dict[str, None]] = {}  # by the leaf behind it

    def __torch_function__(
        self,
        function: Callable[..., object],
        types: Iterable[type],
        args: tuple[object, ...] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> object:
        """Call the function, and note whether its result is off the graph."""
        made = function(*args, **(kwargs or {}))
        if cut := _cut(function, made):
            given = [*_tensors((*args, *(kwargs or {}).values()))]
            if given := [t for t in given if t.requires_grad and t is not made]:
                self._note(f"{cut} ({_line(sys._getframe(1))})", given)
        return made

    def _note(self, cut: str, given: list[torch.Tensor]) -> None:
        for leaf in leaves(given):
            if self._leaves.get(id(leaf)) is not leaf:
                self._leaves[id(leaf)] = leaf
                self._found[id(leaf)] = {}
            self._found[id(leaf)][cut] = None

    def of(self, leaf: torch.Tensor) -> tuple[str, ...]:
        """Return what cut off results of this leaf, each with its line."""
        known = self._leaves.get(id(leaf)) is leaf
        return tuple(self._found[id(leaf)]) if known else ()

    def __enter__(self) -> Self:
        """Begin to look."""
        super().__enter__()  # type: ignore[no-untyped-call]  # torch's own
        return self


def trace_cuts() -> Cuts:
    """Note, inside the ``with``, what takes tensors out of the autograd graph.

    Pass what it returns to ``record_backward`` as ``check``: a parameter without a
    gradient is then told which ``detach``, ``no_grad``, integer or number cut it off,
    and in which line.

    >>> w = torch.ones(2, requires_grad=True)
    >>> with trace_cuts() as cuts:
    ...     z = (w * 2).detach()
    >>> cuts.of(w)[0].partition(" (line")[0]
    'detach()'
    """
    return Cuts()


def _cut(function: Callable[..., object], made: object) -> str:
    """Name the cut that a call made, if it may have made one."""
    name = getattr(function, "__name__", "")
    if name in ("__get__", "__set__"):
        name = getattr(getattr(function, "__self__", None), "__name__", "")
        if name != "data" and not isinstance(made, torch.Tensor):
            return ""
        if name in ("grad", "_grad", "_base"):
            return ""
        name = f".{name}"
    if name in OUT:
        return f"{name}(), which gives no tensor"
    if name == "tensor":
        return "torch.tensor(), which makes a new leaf"
    first = next(_tensors((made,)), None)
    if first is None or any(t.requires_grad for t in _tensors((made,))):
        return ""
    if name in ("detach", "detach_", ".data"):
        return name if name == ".data" else f"{name}()"
    if any(mark in name for mark in FRESH):
        return ""
    return _why(name, first)


def _why(name: str, made: torch.Tensor) -> str:
    if made.is_inference():
        return f"{name} in inference mode"
    if not torch.is_grad_enabled():
        return f"{name} under no_grad()"
    if not (made.is_floating_point() or made.is_complex()):
        return f"{name}, whose result is of type {str(made.dtype)[6:]}"
    return f"{name}, which has no derivative"


def _tensors(items: Iterable[object]) -> Iterator[torch.Tensor]:
    for item in items:
        if isinstance(item, torch.Tensor):
            yield item
        elif isinstance(item, (list, tuple)):
            yield from (t for t in item if isinstance(t, torch.Tensor))


def leaves(tensors: list[torch.Tensor]) -> list[torch.Tensor]:
    """Return the leaves that tensors were made from, as far as the limit reaches."""
    found = [t for t in tensors if t.is_leaf]
    if made := [t for t in tensors if not t.is_leaf]:
        nodes = walk(made, LIMIT).nodes
        found += [leaf for n in nodes if (leaf := leaf_of(n)) is not None]
    return found


def _line(inner: FrameType) -> str:
    """Return the author's own line: the innermost that is not torch's or ours."""
    frame: FrameType | None = inner
    while frame and frame.f_code.co_filename.startswith(OWN):
        frame = frame.f_back
    frame = frame or inner
    path, number = frame.f_code.co_filename, frame.f_lineno
    text = linecache.getline(path, number).strip()
    return f"line {number}: {text}" if text else f"line {number}"
