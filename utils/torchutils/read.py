"""Walk the autograd graph behind a tensor and write down what is there."""

import re
import warnings
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import NamedTuple

import torch
from torch.autograd.graph import GradientEdge

from torchutils.graph import Edge, Graph, Node
from torchutils.names import Names, find_names
from torchutils.saved import CHANGED, FREED, HELD, Saved, attributes, saved_tensors
from torchutils.values import Value, numbers

__all__ = ["LIMIT", "Walk", "check_limits", "describe", "read_graph", "walk"]

# A Python object is made for each autograd node that we touch, and torch 2.13
# frees them by recursion: some 50,000 in a row kill the process when the graph is
# freed, 2,500 do in a thread with a small stack.  So a walk stops early.
LIMIT = 2000

_ARRAYS = (CHANGED, FREED, HELD)


class Walk(NamedTuple):
    """The live nodes of a graph: to be dropped as soon as it has been read."""

    roots: tuple[tuple[str, object], ...]
    nodes: list[object]  # autograd nodes, and tensors that have none
    index: dict[int, int]
    edges: list[tuple[int, int, int, int]]  # src, dst, arg, out
    more: list[tuple[int, int]]  # operands beyond the limit: dst, arg


def walk(outputs: object, max_nodes: int) -> Walk:
    """Visit every node behind ``outputs``, breadth first, at most ``max_nodes``."""
    roots = _roots(outputs)
    nodes: list[object] = []
    index: dict[int, int] = {}
    edges: list[tuple[int, int, int, int]] = []
    more: list[tuple[int, int]] = []
    for _, root in roots:
        start = _start(root)
        if id(start) not in index:
            index[id(start)] = len(nodes)
            nodes.append(start)
    for dst, node in enumerate(nodes):  # the list grows while we go
        if isinstance(node, torch.Tensor):
            continue
        for arg, (source, out) in enumerate(node.next_functions):
            if source is None:
                continue
            src = index.get(id(source))
            if src is None:
                if len(nodes) >= max_nodes:
                    more.append((dst, arg))
                    continue
                src = index[id(source)] = len(nodes)
                nodes.append(source)
            edges.append((src, dst, arg, out))
    return Walk(roots, nodes, index, edges, more)


def _start(root: torch.Tensor | GradientEdge) -> object:
    if isinstance(root, GradientEdge):
        return root.node
    if root.grad_fn is not None:
        return root.grad_fn
    if root.requires_grad:  # its AccumulateGrad node, so that x alone is x elsewhere
        with torch.enable_grad():
            return root.view_as(root).grad_fn.next_functions[0][0]
    return root


def _roots(outputs: object) -> tuple[tuple[str, object], ...]:
    found: list[tuple[str, object]] = []
    queue = [("", outputs)]
    while queue:
        name, item = queue.pop(0)
        if isinstance(item, (torch.Tensor, GradientEdge)):
            found.append((name, item))
        elif isinstance(item, (tuple, list)):
            queue += [(f"{name}[{i}]", v) for i, v in enumerate(item)]
        elif isinstance(item, Mapping):
            queue += [(f"{name}[{k!r}]", v) for k, v in item.items()]
        elif is_dataclass(item) and not isinstance(item, type):
            names = [f.name for f in fields(item)]
            queue += [(f"{name}.{n}", getattr(item, n)) for n in names]
    if not found:
        raise TypeError(
            f"no tensor to draw in {type(outputs).__name__!r}: pass the tensor on "
            "which you would call backward(), or a list or dict of such tensors"
        )
    return tuple(found)


def read_graph(
    outputs: object,
    names: Mapping[str, object] | torch.nn.Module | None = None,
    *,
    values: int = 8,
    attrs: bool = False,
    saved: bool = False,
    max_nodes: int = 500,
    force: bool = False,
) -> Graph:
    """Read the graph behind ``outputs`` into records that hold no tensor.

    ``values`` is how many numbers a tensor may have for them to be read; ``attrs``
    asks for every option that the nodes keep; ``saved`` for saved tensors as nodes
    of their own.  Reading stops, and says so, after ``max_nodes`` nodes; more than
    2,000 need ``force=True``, because freeing such a graph may exhaust the stack.
    """
    check_limits(values, max_nodes, force)
    return describe(
        walk(outputs, max_nodes),
        find_names(names),
        values=values,
        attrs=attrs,
        saved=saved,
        limit=max_nodes,
    )


def check_limits(values: int, max_nodes: int, force: bool) -> None:
    """Raise ValueError for limits that cannot be, or that are dangerous."""
    if isinstance(values, bool) or not isinstance(values, int) or values < 0:
        raise ValueError(
            f"values={values!r}: give the largest count to show, 0 or more"
        )
    if not isinstance(max_nodes, int) or max_nodes < 1:
        raise ValueError(f"max_nodes={max_nodes!r}: give a whole number of at least 1")
    if max_nodes > LIMIT and not force:
        raise ValueError(
            f"max_nodes={max_nodes} is over {LIMIT}: torch may exhaust the stack "
            "when a graph so much visited is freed; pass force=True to go on"
        )


def describe(
    live: Walk, names: Names, *, values: int, attrs: bool, saved: bool, limit: int
) -> Graph:
    """Turn live nodes into records."""
    ops = [isinstance(n, torch.Tensor) or hasattr(n, "variable") for n in live.nodes]
    kept = [[] if t else saved_tensors(n) for n, t in zip(live.nodes, ops, strict=True)]
    known = _values_kept_by_consumers(live, kept, values) if values else {}
    order = _execution_order(live.nodes, ops)
    root_ids = {live.index[id(_start(r))] for _, r in live.roots}
    nodes: list[Node] = []
    for i, node in enumerate(live.nodes):
        if ops[i]:
            record = _tensor_record(i, node, names, values)
        else:
            record = _op_record(i, node, kept[i], names, values, attrs)
            record = record._replace(
                seq=order[i],
                value=known.get(i) if record.value is None else record.value,
            )
        nodes.append(record._replace(root=True) if i in root_ids else record)
    edges = [Edge(*e) for e in live.edges]
    if live.more:
        nodes.append(Node(len(nodes), "more"))
        edges += [Edge(len(nodes) - 1, dst, arg) for dst, arg in live.more]
    if saved:
        _add_saved(nodes, edges, kept, names, values)
    remarks = _remarks(live, nodes)
    return Graph(
        tuple(nodes), tuple(edges), (), limit if live.more else 0, (), tuple(remarks)
    )


def _execution_order(nodes: list[object], leaf: list[bool]) -> dict[int, int]:
    made = [(n._sequence_nr(), -i) for i, n in enumerate(nodes) if not leaf[i]]
    return {-i: rank for rank, (_, i) in enumerate(sorted(made))}


def _tensor_record(i: int, node: object, names: Names, values: int) -> Node:
    tensor = node if isinstance(node, torch.Tensor) else node.variable
    kind = "tensor" if node is tensor else "leaf"
    return Node(
        i,
        kind,
        "",
        names.of(tensor),
        _shape(tensor),
        _dtype(tensor.dtype),
        numbers(tensor, values) if values else None,
        _grad(tensor, values),
        kind == "leaf",
        notes=_notes(tensor),
    )


def _grad(tensor: torch.Tensor, values: int) -> Value:
    grad = tensor.grad
    return None if grad is None else numbers(grad, values)


def _shape(item: object) -> tuple[int, ...] | None:
    try:
        return tuple(int(n) for n in item.shape)
    except (RuntimeError, TypeError, ValueError, AttributeError):
        return None  # nested tensors have no one shape


def _notes(tensor: torch.Tensor) -> tuple[str, ...]:
    notes = []
    if tensor.layout is not torch.strided:
        notes.append(str(tensor.layout).removeprefix("torch."))
    if tensor.is_nested:
        notes.append("nested")
    if tensor.device.type != "cpu":
        notes.append(str(tensor.device))
    if not tensor.is_inference() and (version := tensor._version):
        notes.append(f"changed in place: version {version}")
    if hooks := len(tensor._backward_hooks or ()):
        notes.append(f"hooks: {hooks}")
    if hooks := len(getattr(tensor, "_post_accumulate_grad_hooks", None) or ()):
        notes.append(f"hooks after accumulation: {hooks}")
    return tuple(notes)


_DTYPES: dict[torch.dtype, str] = {}


def _dtype(dtype: torch.dtype) -> str:
    if dtype not in _DTYPES:
        _DTYPES[dtype] = str(dtype).removeprefix("torch.")
    return _DTYPES[dtype]


def _op_record(
    i: int, node: object, kept: list[Saved], names: Names, values: int, attrs: bool
) -> Node:
    meta = node._input_metadata
    first = meta[0] if meta else None
    shape = None
    if first is not None and not first.is_cpp_nested_tensor:
        shape = _shape(first)
    extra = attributes(node, everything=attrs)
    if len(meta) > 1:
        extra.append(("outputs", len(meta)))
    if values and any(source is None for source, _ in node.next_functions):
        extra += _constants(kept, names, values)
    record = Node(
        i,
        "op",
        type(node).__name__,
        (),
        shape,
        "" if first is None else _dtype(first.dtype),
        attrs=tuple(extra),
        notes=_op_notes(node, kept),
        line=_line(node),
    )
    made = names.made.get(id(node))
    return _with_tensors(record, made, names, values) if made else record


def _with_tensors(
    record: Node, made: list[torch.Tensor], names: Names, values: int
) -> Node:
    first = made[0]
    named = tuple(n for t in made for n in names.of(t))
    outputs = [""] * max(t.output_nr + 1 for t in made)
    for tensor in made:
        outputs[tensor.output_nr] = names.of(tensor)[0]
    one = len(made) == 1 and first.output_nr == 0
    base = names.of(first._base) if first._is_view() else ()
    notes = _notes(first)
    if first._is_view():
        notes = (f"view of {base[0]}" if base else "view", *notes)
    retains = first.retains_grad
    return record._replace(
        names=named,
        value=numbers(first, values) if values and one else None,
        grad=_grad(first, values) if retains else None,
        keeps_grad=retains,
        notes=record.notes + notes,
        outputs=() if one else tuple(outputs),
    )


def _op_notes(node: object, kept: list[Saved]) -> tuple[str, ...]:
    states = {s.state for s in kept}
    notes = [f"saved tensors {s}" for s in (FREED, HELD) if s in states]
    notes += [f"{s.name} was {CHANGED}" for s in kept if s.state == CHANGED]
    if isinstance(node, torch.autograd.function.BackwardCFunction):
        compiled = type(node).__name__.startswith("CompiledFunction")
        notes.insert(0, "compiled: one node" if compiled else "custom Function")
    return tuple(notes)


def _constants(kept: list[Saved], names: Names, values: int) -> list[tuple[str, Value]]:
    found = []
    for name, tensor, state in kept:
        if tensor is None or state or tensor.requires_grad or name.startswith("result"):
            continue
        called = names.of(tensor)
        found.append((name, called[0] if called else numbers(tensor, values)))
    return found


def _line(node: object) -> str:
    trace = node.metadata.get("traceback_")
    if not trace:
        return ""
    # The last frame outside torch made the call; its path is nobody's business.
    own = [f for f in trace if "/torch/" not in f.replace("\\", "/")] or trace[-1:]
    place = re.search(r"line (\d+)", own[-1])
    source = own[-1].strip().splitlines()
    text = source[1].strip() if len(source) > 1 else ""
    return f"line {place[1]}: {text}" if place else text


def _values_kept_by_consumers(
    live: Walk, kept: list[list[Saved]], values: int
) -> dict[int, Value]:
    """Find values of unnamed results that their consumers, or they, have saved."""
    known: dict[int, Value] = {}
    for i, items in enumerate(kept):
        for name, tensor, state in items:
            if tensor is None or state or not tensor.requires_grad:
                if name == "result" and tensor is not None and not state:
                    known.setdefault(i, numbers(tensor, values))
                continue
            maker = tensor.grad_fn
            source = i if maker is None and name == "result" else None
            if maker is not None and tensor.output_nr == 0:
                source = live.index.get(id(maker))
            if source is not None and source not in known:
                known[source] = numbers(tensor, values)
    return known


def _add_saved(
    nodes: list[Node],
    edges: list[Edge],
    kept: list[list[Saved]],
    names: Names,
    values: int,
) -> None:
    for dst, items in enumerate(kept):
        for name, tensor, state in items:
            record = Node(len(nodes), "saved", name, notes=(state,) if state else ())
            if tensor is not None:
                record = record._replace(
                    names=names.of(tensor),
                    shape=_shape(tensor),
                    dtype=_dtype(tensor.dtype),
                    value=numbers(tensor, values) if values else None,
                )
            edges.append(Edge(record.id, dst, -1))
            nodes.append(record)


def _remarks(live: Walk, nodes: list[Node]) -> list[str]:
    found = []
    for name, root in live.roots:
        if isinstance(root, torch.Tensor) and not root.requires_grad:
            what = f"Output {name}" if name else "This tensor"
            why = _why_no_graph(root)
            found.append(f"{what} has no autograd graph: {why}.")
    if live.more:
        text = f"The drawing stopped after {len(live.nodes)} nodes (max_nodes)"
        found.append(f"{text}: the graph goes on.")
        warnings.warn(text, stacklevel=5)
    return found


def _why_no_graph(tensor: torch.Tensor) -> str:
    if tensor.is_inference():
        return "it was made in inference mode"
    if not (tensor.is_floating_point() or tensor.is_complex()):
        return f"its type, {_dtype(tensor.dtype)}, cannot require a gradient"
    return "nothing that it was made from requires a gradient, or it was detached"
