"""Walk the autograd graph behind a tensor: a loop, breadth first, with a limit."""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from typing import NamedTuple, TypeAlias

import torch
from torch.autograd.graph import GradientEdge, Node

from torchutils.graph import WireRow

__all__ = [
    "ACCUMULATE",
    "LIMIT",
    "Live",
    "Root",
    "Walk",
    "check_limits",
    "leaf_of",
    "start",
    "walk",
]

# A Python object is made for each autograd node that we touch, and torch 2.13
# frees them by recursion: some 50,000 in a row kill the process when the graph is
# freed, 2,500 do in a thread with a small stack.  So a walk stops early.
LIMIT = 2000
FIRST = 500  # of a graph with more nodes, so many are read
DEEPEST = 100  # outputs may stand in containers in so many containers

ACCUMULATE = torch._C._functions.AccumulateGrad  # type: ignore[attr-defined]  # unlisted

Live: TypeAlias = Node | torch.Tensor  # a node, or a tensor that has none
Root: TypeAlias = torch.Tensor | GradientEdge


class Walk(NamedTuple):
    """The live nodes of a graph: to be dropped as soon as it has been read."""

    roots: tuple[tuple[str, Root], ...]
    starts: dict[int, set[int]]  # the roots: places among the nodes, outputs
    nodes: list[Live]
    bare: set[int]  # where those tensors are
    places: dict[Live, int]  # among the nodes
    edges: list[WireRow]
    more: list[tuple[int, int]]  # operands beyond the limit: dst, arg


def walk(outputs: object, max_nodes: int | None) -> Walk:
    """Visit every node behind ``outputs``, at most ``max_nodes`` of them.

    None: all of a graph that may be visited as a whole, the first of a larger one.
    """
    roots = _roots(outputs)
    if max_nodes is None:
        whole = _visit(roots, LIMIT)
        return _visit(roots, FIRST) if whole.more else whole
    return _visit(roots, max_nodes)


def _visit(roots: tuple[tuple[str, Root], ...], max_nodes: int) -> Walk:
    index: dict[Live, int] = {}
    bare: set[int] = set()
    starts: dict[int, set[int]] = {}
    for _, root in roots:
        first = start(root)
        place = index.setdefault(first, len(index))
        starts.setdefault(place, set()).add(root.output_nr)
        if first is root:
            bare.add(place)
    nodes = list(index)
    edges: list[WireRow] = []
    more: list[tuple[int, int]] = []
    find, link = index.get, edges.append
    for dst, node in enumerate(nodes):  # the list grows while we go
        if isinstance(node, torch.Tensor):
            continue
        arg = -1
        for source, out in node.next_functions:
            arg += 1
            if source is None:
                continue
            src = find(source)
            if src is None:
                src = len(nodes)
                if src >= max_nodes:
                    more.append((dst, arg))
                    continue
                index[source] = src
                nodes.append(source)
            link((src, dst, arg, out, None, "", ""))
    return Walk(roots, starts, nodes, bare, index, edges, more)


def start(root: Root) -> Live:
    """Return the node of an output, or the tensor itself where it has none."""
    if isinstance(root, GradientEdge):
        return root.node
    node = root.grad_fn
    if node is None and root.requires_grad:  # AccumulateGrad: x alone is x elsewhere
        with torch.inference_mode(False), torch.enable_grad():
            used = root.clone() if _is_strided_nested(root) else _use(root)
            node = used.grad_fn and used.grad_fn.next_functions[0][0]
    return root if node is None else node


def leaf_of(node: Live) -> torch.Tensor | None:
    """Return the leaf whose gradient a node accumulates; None for another node."""
    return getattr(node, "variable", None) if type(node) is ACCUMULATE else None


def _is_strided_nested(tensor: torch.Tensor) -> bool:
    """Say whether a Function of Python can't take a tensor: it has no sizes."""
    return tensor.is_nested and tensor.layout is torch.strided


class _Use(torch.autograd.Function):
    """Use a tensor of any layout, and look at nothing in it."""

    @staticmethod
    def forward(x: torch.Tensor) -> torch.Tensor:
        return torch.empty(0)

    @staticmethod
    def setup_context(ctx: object, inputs: object, output: object) -> None:
        """Keep nothing."""


_use: Callable[[torch.Tensor], torch.Tensor] = _Use.apply


def _roots(outputs: object) -> tuple[tuple[str, Root], ...]:
    if isinstance(outputs, torch.Tensor):
        return (("", outputs),)
    found: list[tuple[str, Root]] = []
    queue: list[tuple[str, object, tuple[int, ...]]] = [("", outputs, ())]
    seen = set()
    for name, item, inside in queue:  # it grows while we go
        if isinstance(item, (torch.Tensor, GradientEdge)):
            found.append((name, item))
        elif id(item) in inside or len(inside) > DEEPEST:
            what = f"outputs{name} is a container that holds itself"
            what += f", or lies over {DEEPEST} deep" if len(inside) > DEEPEST else ""
            raise ValueError(f"{what}: pass the tensors in a list of their own")
        elif id(item) not in seen:  # what stands in two places is read once
            seen.add(id(item))
            within = (*inside, id(item))
            queue += [(name + place, v, within) for place, v in _parts(item)]
    if callable(outputs) and not found:
        raise TypeError(_uncalled(outputs))
    if not found:
        raise TypeError(
            f"no tensor to draw in {type(outputs).__name__!r}: pass the tensor on "
            "which you would call backward(), or a list or dict of such tensors"
        )
    return tuple(found)


def _uncalled(outputs: object) -> str:
    if isinstance(outputs, torch.nn.Module):
        return (
            f"{type(outputs).__name__} is a module, and only what it computes has a "
            "graph: write make_dot(model(x), model), with your model and its input x"
        )
    name = getattr(outputs, "__name__", type(outputs).__name__)
    return f"{name} is a function, and only what it returns has a graph: call it"


def _parts(item: object) -> list[tuple[str, object]]:
    """Return what is in a container, each with the words that lead to it."""
    if isinstance(item, (tuple, list)):
        return [(f"[{i}]", v) for i, v in enumerate(item)]
    if isinstance(item, Mapping):
        return [(f"[{k!r}]", v) for k, v in item.items()]
    if is_dataclass(item) and not isinstance(item, type):
        return [(f".{f.name}", getattr(item, f.name)) for f in fields(item)]
    return []


def check_limits(values: int | None, max_nodes: int | None, force: bool) -> None:
    """Raise ValueError for limits that cannot be, or that are dangerous."""
    if values is not None and (type(values) is not int or values < 0):
        raise ValueError(
            f"values={values!r}: give the largest count of numbers to show, 0 or more"
        )
    if max_nodes is None:
        return
    if type(max_nodes) is not int or max_nodes < 1:
        raise ValueError(f"max_nodes={max_nodes!r}: give a whole number of at least 1")
    if max_nodes > LIMIT and not force:
        raise ValueError(
            f"max_nodes={max_nodes} is over {LIMIT}: torch may exhaust the stack "
            "when a graph so much visited is freed; pass force=True to go on"
        )
