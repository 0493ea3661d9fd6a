"""Write down what a live autograd graph says, in records that hold no tensor."""

import re
import warnings
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cache
from typing import Literal, Protocol

import torch

from torchutils.calm import uncollected
from torchutils.graph import (
    NONE,
    Edge,
    Graph,
    Group,
    Node,
    Output,
    Row,
    Shape,
    entitled,
)
from torchutils.modules import with_modules
from torchutils.names import Names, find_names
from torchutils.saved import (
    FREED,
    SHOWN,
    UNSHOWN,
    Saved,
    attributes,
    memory,
    saved_tensors,
    state_notes,
)
from torchutils.select import Choice, highlighted, paths, places
from torchutils.values import Value, numbers, visible
from torchutils.walk import ACCUMULATE, Walk, check_limits, leaf_of, walk

__all__ = ["check_saved", "describe", "read_graph", "seen", "trace_lines"]

_NAMES = "A leaf has no name here, and not all of {} was looked through for one."
TOLD = 5  # so many modules are listed with what they save
VALUES, DETAILED = 8, 100  # numbers shown, by default, in graphs of so many nodes


def read_graph(
    outputs: object,
    names: Mapping[str, object] | torch.nn.Module | None = None,
    *,
    values: int | None = None,
    attrs: bool = False,
    saved: bool | Literal["sizes"] = False,
    max_nodes: int | None = None,
    force: bool = False,
    path_to: Choice | None = None,
    highlight: Choice | None = None,
    guess_from: int | None = None,
) -> Graph:
    """Read the graph behind ``outputs``: tensors, or lists and dicts of them.

    ``values`` is how many numbers a tensor may have for them to be read.  By default it
    is 8 in graphs of up to 100 nodes; in larger ones only constants and options of
    operations are read, and what is unusual.  With 0, and neither ``attrs`` nor
    ``saved``, only names and shapes are, in a fraction of the time.  ``attrs``
    asks for every option that nodes keep, ``saved`` for saved tensors as nodes of
    their own.  A graph of up to 2,000 nodes is read as a whole, of a larger one
    the first 500; with ``max_nodes`` reading stops there.  When it stops it says so.
    More than 2,000 need ``force=True``: freeing such a graph may exhaust the stack.

    With ``saved="sizes"`` each operation and each module says how many bytes it holds
    for backward, and a sentence how many all do.  ``path_to`` keeps what is between the
    output and some tensors, or names, alone; ``highlight`` lets such stand out.

    Groups are the calls of modules, as :func:`trace_modules` knows them; in a graph of
    more than ``guess_from`` nodes without a trace they are guessed from ``names``.
    """
    check_saved(saved)
    check_limits(values, max_nodes, force)
    live = walk(outputs, max_nodes)
    known = find_names(names)
    with uncollected():
        graph = describe(
            live, known, values=values, attrs=attrs, saved=saved, guess_from=guess_from
        )
    if highlight is not None:
        graph = highlighted(graph, places(graph, live, "highlight", highlight))
    if path_to is not None:
        graph = paths(graph, places(graph, live, "path_to", path_to))
    if graph.truncated:
        warnings.warn(_stopped(graph.truncated), stacklevel=3)
    return graph


def trace_lines() -> AbstractContextManager[None]:
    """Have nodes made inside the ``with`` remember their source line.

    It costs some 15 µs an operation; the drawing shows the line's number and text.

    >>> x = torch.tensor(3.0, requires_grad=True)
    >>> with trace_lines():
    ...     y = x**2
    >>> read_graph(y).nodes[0].line.startswith("line ")
    True
    """
    return torch.autograd.set_detect_anomaly(True, check_nan=False)


def describe(
    live: Walk,
    names: Names,
    *,
    values: int | None = None,
    attrs: bool = False,
    saved: bool | Literal["sizes"] = False,
    guess_from: int | None = None,
) -> Graph:
    """Turn live nodes into records."""
    bare = values == 0 and not attrs and not saved
    constants = VALUES if values is None else max(values, 1)
    if values is None:
        values = VALUES if len(live.nodes) <= DETAILED else 0
    nodes = _rows(live, names, values, None if bare else attrs)
    if not bare:
        kept = [
            saved_tensors(n) if r[1] == "op" else []
            for n, r in zip(live.nodes, nodes, strict=True)
        ]
        held = seen(live, kept) if values else {}
        known = {place: numbers(t, values) for place, t in held.items()}
        _add_details(nodes, live, kept, names, known, constants)
    groups: tuple[Group, ...] = ()
    guessed, unknown = False, ""
    if names.models or (guess_from is not None and len(nodes) > guess_from):
        nodes, groups, guessed, unknown = with_modules(live, names, nodes, guess_from)
    edges = live.edges
    if live.more:
        rest = len(nodes)
        nodes.append(Node(rest, "more"))
        edges = [*edges, *(Edge(rest, dst, arg) for dst, arg in live.more)]
    sizes = ""
    if saved == "sizes":
        if SHOWN:
            groups, sizes = _add_sizes(nodes, groups, live, kept)
            sizes += _by_module(groups, guessed)
    elif saved:
        edges = [*edges, *_add_saved(nodes, kept, names, values)]
    truncated = len(live.nodes) if live.more else 0
    remarks = _remarks(live) if live.more or live.bare else []
    remarks = [*remarks, *(said for said in (unknown, sizes) if said)]
    if not (SHOWN or bare) and any(row[1] == "op" for row in nodes):
        remarks = [*remarks, UNSHOWN]
    if names.cut and any(row[1] == "leaf" and not row[3] for row in nodes):
        remarks = [*remarks, _NAMES.format(visible(names.cut))]
    return Graph(
        tuple(nodes),
        tuple(edges),
        truncated=truncated,
        groups=groups,
        remarks=tuple(remarks),
        bare=bare or not SHOWN,
        guessed=guessed,
    )


def _rows(live: Walk, names: Names, values: int, attrs: bool | None) -> list[Row]:
    """Make one row for each node; the one loop in which every step counts."""
    roots, made, order = live.starts, names.made, _order(live)
    rows: list[Row] = []
    look = names, values, attrs is None
    shape: Shape
    outputs: tuple[Output, ...]
    for i, node in enumerate(live.nodes):
        seq = order[i]
        if isinstance(node, torch.Tensor):
            rows.append(_tensor(i, "tensor", node, i in roots, *look))
            continue
        if seq < 0 and (leaf := leaf_of(node)) is not None:
            rows.append(_tensor(i, "leaf", leaf, i in roots, *look))
            continue
        meta = node._input_metadata
        found = () if attrs is None else attributes(node, everything=attrs)
        if len(meta) == 1 and not (one := meta[0]).is_nested_tensor:
            shape, dtype, outputs = tuple(one.shape), one.dtype, ()
        else:
            shape, dtype = (_shape(meta[0]), meta[0].dtype) if meta else (None, None)
            found = (("outputs", len(meta)), *found) if len(meta) > 1 else found
            outputs = _outputs(meta, roots.get(i, ())) if len(meta) > 1 else ()
        # fmt: off
        row: Row = (
            i, "op", type(node).__name__, (), shape, _dtype(dtype), None, None, False,
            None, found, (), i in roots, "", outputs, 1, seq, -1,
        )
        # fmt: on
        if noted := getattr(node, "metadata", None):  # torch's stub has a method
            row = Node._make(row)._replace(line=_line(noted))
        if node in made:
            row = _named(Node._make(row), made[node], names, values, attrs is None)
        rows.append(row)
    return rows


class _Shaped(Protocol):
    @property
    def shape(self) -> Iterable[object]: ...

    @property
    def dtype(self) -> torch.dtype: ...


def _outputs(meta: Sequence[_Shaped], roots: Collection[int]) -> tuple[Output, ...]:
    return tuple(
        Output(shape=_shape(one), dtype=_dtype(one.dtype), root=k in roots)
        for k, one in enumerate(meta)
    )


def _order(live: Walk) -> list[int]:
    """Rank the operations by when they ran; everything else gets -1."""
    leaf, bare = ACCUMULATE, torch.Tensor
    numbers = {
        i: node._sequence_nr()
        for i, node in enumerate(live.nodes)
        if type(node) is not leaf and not isinstance(node, bare)
    }
    places = [*numbers]
    places.reverse()  # of equals, the one that was found last
    places.sort(key=numbers.__getitem__)
    order = [-1] * len(live.nodes)
    for rank, i in enumerate(places):
        order[i] = rank
    return order


def _tensor(
    i: int,
    kind: str,
    tensor: torch.Tensor,
    root: bool,
    names: Names,
    values: int,
    bare: bool,
) -> Row:
    shape = _shape(tensor) if tensor.is_nested else tuple(tensor.shape)
    value = numbers(tensor, values) if values else None
    notes = () if bare else _notes(tensor)
    keeps = kind == "leaf" and tensor.requires_grad
    grad = _grad(tensor, values, bare=keeps and bare)
    if kind == "leaf" and not keeps:
        notes = ("requires no gradient any more", *notes)
    # fmt: off
    return (
        i, kind, "", names.of(tensor), shape, _dtype(tensor.dtype), value,
        grad, keeps, None, (), notes, root, "", (), 1, -1, -1,
    )
    # fmt: on


def _grad(tensor: torch.Tensor, values: int, *, bare: bool) -> Value:
    """Return what .grad holds; NONE if nothing, and nobody asks what is to come.

    Whether backward has been is known of what operations saved: a ``bare`` reading
    leaves that alone.
    """
    if (grad := tensor.grad) is not None:
        return numbers(grad, values)
    return NONE if bare else None


def _shape(item: _Shaped) -> Shape:
    try:  # the ragged dimension of a jagged tensor is no int
        return tuple(n if type(n) is int else str(n) for n in item.shape)
    except RuntimeError:  # a strided nested tensor has no one shape
        return None


@cache
def _dtype(dtype: torch.dtype | None) -> str:
    return "" if dtype is None else str(dtype).removeprefix("torch.")


def _named(
    record: Node, made: list[torch.Tensor], names: Names, values: int, bare: bool
) -> Node:
    """Add what the tensors that an operation made can say, when they have names."""
    outputs, notes = list(record.outputs), list[str]()
    for tensor in sorted(made, key=lambda t: t.output_nr):
        called, keeps, k = names.of(tensor), tensor.retains_grad, tensor.output_nr
        grad = _grad(tensor, values, bare=bare) if keeps else None
        value = numbers(tensor, values) if values else None
        said = () if bare else _made_notes(tensor, names)
        record = record._replace(names=record.names + called)
        if outputs:
            one = outputs[k]._replace(names=called, value=value)
            outputs[k] = one._replace(grad=grad, keeps_grad=keeps)
            notes += [f"{called[0]}: {note}" for note in said]
        else:
            record = record._replace(value=value, grad=grad, keeps_grad=keeps)
            notes += [note for note in said if note not in notes]
    return record._replace(outputs=tuple(outputs), notes=tuple(notes))


def _made_notes(tensor: torch.Tensor, names: Names) -> tuple[str, ...]:
    if tensor._base is None:
        return _notes(tensor)
    base = names.of(tensor._base)
    return (f"view of {base[0]}" if base else "view", *_notes(tensor))


def _notes(tensor: torch.Tensor) -> tuple[str, ...]:
    """Say what is unusual about a tensor."""
    notes = []
    # Parameters are filled in place when a module is made: no news for a leaf.
    if not (tensor.is_leaf or tensor.is_inference()) and tensor._version:
        notes.append(f"changed in place: version {tensor._version}")
    if tensor.layout is not torch.strided:
        notes.append(str(tensor.layout).removeprefix("torch."))
    elif tensor.is_nested:
        notes.append("nested")
    if not tensor.is_cpu:
        notes.append(str(tensor.device))
    if hooks := len(tensor._backward_hooks or ()):
        notes.append(f"hooks: {hooks}")
    if hooks := len(getattr(tensor, "_post_accumulate_grad_hooks", None) or ()):
        notes.append(f"hooks after accumulation: {hooks}")
    return tuple(notes)


def _line(noted: Mapping[str, list[str]]) -> str:
    """Return the source line that anomaly mode noted; never its path."""
    trace = noted.get("traceback_")
    if not trace:
        return ""
    own = [f for f in trace if "/torch/" not in f.replace("\\", "/")] or trace
    place = re.search(r"line (\d+)", own[-1])
    source = own[-1].strip().splitlines()[1:2]
    return ": ".join([f"line {place[1]}", *map(str.strip, source)]) if place else ""


def _add_details(
    nodes: list[Row],
    live: Walk,
    kept: list[list[Saved]],
    names: Names,
    known: dict[tuple[int, int], Value],
    constants: int,
) -> None:
    for i, node in enumerate(live.nodes):
        if nodes[i][1] == "op" and not isinstance(node, torch.Tensor):
            nodes[i] = _detailed(nodes[i], node, kept[i], names, known, constants)
        elif notes := _stale(i, live, kept):
            row = Node._make(nodes[i])
            nodes[i] = row._replace(notes=row.notes + notes)
    if any(s.state == FREED for items in kept for s in items):
        nodes[:] = [_spent(row) for row in nodes]


def _detailed(
    row: Row,
    node: torch.autograd.graph.Node,
    kept: list[Saved],
    names: Names,
    known: dict[tuple[int, int], Value],
    constants: int,
) -> Row:
    """Add to an operation's row what it saved, and what is unusual about that."""
    whole = any(source is None for source, _ in node.next_functions)
    shown = [s for s in kept if whole or _is_mask(s)]
    attrs = tuple(_constants(shown, names, constants))
    notes = state_notes(node, kept)
    if not (attrs or notes or known):
        return row
    record = Node._make(row)
    if known and not record.outputs and node not in names.made:
        record = record._replace(value=known.get((record.id, 0)))
    return record._replace(
        outputs=tuple(
            one if one.names else one._replace(value=known.get((record.id, k)))
            for k, one in enumerate(record.outputs)
        ),
        attrs=record.attrs + attrs,
        notes=notes + record.notes,
    )


def _spent(row: Row) -> Row:
    """Say that a .grad is None, where a backward pass has been and none will come."""
    node = Node._make(row)
    if node.outputs:
        every = [o._replace(grad=NONE) if _pending(o) else o for o in node.outputs]
        return node._replace(outputs=tuple(every))
    return node._replace(grad=NONE) if _pending(node) else row


def _pending(item: Node | Output) -> bool:
    return item.keeps_grad and item.grad is None


def _stale(i: int, live: Walk, kept: list[list[Saved]]) -> tuple[str, ...]:
    """Say that a leaf was changed in place, if no operation knows as of when.

    An operation that saved the leaf has checked its version.  A parameter is filled in
    place when its module is made, which is no news.
    """
    leaf = leaf_of(live.nodes[i])
    if leaf is None or not _version(leaf) or isinstance(leaf, torch.nn.Parameter):
        return ()
    users = [edge[1] for edge in live.edges if edge[0] == i]
    if all(any(s.tensor is leaf for s in kept[user]) for user in users):
        return ()
    return (f"changed in place: version {leaf._version}, perhaps after its use",)


def _version(tensor: torch.Tensor) -> int:
    return 0 if tensor.is_inference() else tensor._version


def _is_mask(saved: Saved) -> bool:
    """Say whether it chooses entries, of which no edge tells."""
    return saved.tensor is not None and saved.tensor.dtype == torch.bool


def _constants(kept: list[Saved], names: Names, values: int) -> list[tuple[str, Value]]:
    """Return the operands that need no gradient, as far as the node saved them."""
    found = []
    for name, tensor, state in kept:
        if tensor is None or state or tensor.requires_grad or name.startswith("result"):
            continue
        called, value = names.of(tensor), numbers(tensor, values)
        found.append((name, called[0] if called else value))
        if called and not isinstance(value, str):
            found.append((called[0], value))
    return found


def seen(live: Walk, kept: list[list[Saved]]) -> dict[tuple[int, int], torch.Tensor]:
    """Find results, by node and output, that their consumers, or they, have saved."""
    known: dict[tuple[int, int], torch.Tensor] = {}
    for _, root in live.roots:
        if isinstance(root, torch.Tensor) and root.grad_fn is not None:
            known[live.places[root.grad_fn], root.output_nr] = root
    for i, items in enumerate(kept):
        for name, tensor, state in items:
            if tensor is None or state:
                continue
            if (maker := tensor.grad_fn) is None:
                source = i if name == "result" else None
            else:
                source = live.places.get(maker)
            if source is not None:
                known.setdefault((source, tensor.output_nr), tensor)
    return known


def check_saved(saved: object) -> None:
    """Raise ValueError for what the option can't be."""
    if saved not in (True, False, "sizes"):
        raise ValueError(f"saved {saved!r} is not one of True, False, 'sizes'")


def _add_sizes(
    nodes: list[Row],
    groups: tuple[Group, ...],
    live: Walk,
    kept: list[list[Saved]],
) -> tuple[tuple[Group, ...], str]:
    """Say how much each operation saves, and each module with all that is in it."""
    leaves = [leaf for n in live.nodes if (leaf := leaf_of(n)) is not None]
    each, text = memory(kept, leaves)
    within: dict[int, dict[int, int]] = {group.id: {} for group in groups}
    for i, held in enumerate(each):
        if held:
            row = Node._make(nodes[i])
            size = ("saves", f"{sum(held.values()):,} bytes")
            nodes[i] = row._replace(attrs=(*row.attrs, size))
            within.get(row.group, {}).update(held)
    for group in reversed(groups):  # a group comes after its parent
        within.get(group.parent, {}).update(within[group.id])
    sums = (sum(within[group.id].values()) for group in groups)
    return tuple(map(_saving, groups, sums)), text


def _saving(group: Group, size: int) -> Group:
    return group._replace(saves=size)


def _by_module(groups: Sequence[Group], guessed: bool) -> str:
    """Tell the outermost modules that save, the largest first."""
    outer = [group for group in groups if group.parent < 0 and group.saves]
    if not outer:
        return ""
    outer.sort(key=lambda group: -group.saves)
    known = [f"{entitled(g.name, g.cls, 1)} {g.held}" for g in outer[:TOLD]]
    more = f", and {len(outer) - TOLD} more" if len(outer) > TOLD else ""
    how = "By module, as guessed" if guessed else "By module"
    return f" {how}: {', '.join(known)}{more}; what two share counts in both."


def _add_saved(
    nodes: list[Row], kept: list[list[Saved]], names: Names, values: int
) -> list[Edge]:
    edges = []
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
    return edges


def _remarks(live: Walk) -> list[str]:
    found = [
        f"{f'Output {name}' if name else 'This tensor'} has no autograd graph: "
        f"{_why_no_graph(root)}."
        for name, root in live.roots
        if isinstance(root, torch.Tensor) and not root.requires_grad
    ]
    return [*found, _stopped(len(live.nodes))] if live.more else found


def _stopped(count: int) -> str:
    return f"The drawing stopped after {count} nodes (max_nodes); the graph goes on."


def _why_no_graph(tensor: torch.Tensor) -> str:
    if tensor.is_inference():
        return "it was made in inference mode"
    if not (tensor.is_floating_point() or tensor.is_complex()):
        return f"its type, {_dtype(tensor.dtype)}, cannot require a gradient"
    return (
        "nothing that it was made from requires a gradient, or it was detached, or it "
        "was made under torch.no_grad()"
    )
