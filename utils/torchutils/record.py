"""Run a backward pass and write down what it does, node by node."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Literal

import torch
from torch.autograd.function import BackwardCFunction
from torch.autograd.graph import GradientEdge
from torch.utils.hooks import RemovableHandle

from torchutils.calm import uncollected
from torchutils.check import Checked, grads_of, look, tell, without
from torchutils.cuts import Cuts
from torchutils.drawing import Direction, Drawing, Fold, Style, check_look
from torchutils.graph import NONE, Edge, Graph, Node, Output
from torchutils.names import Names, find_names
from torchutils.read import check_saved, describe
from torchutils.rules import BEFORE, HOOKED, with_rules
from torchutils.tape import to_tape
from torchutils.values import Value, kinds, numbers
from torchutils.walk import (
    ACCUMULATE,
    Root,
    Walk,
    check_limits,
    leaf_of,
    start,
    walk,
)

__all__ = ["record_backward"]

Grads = tuple[torch.Tensor | None, ...]
_States = dict[tuple[int, int], frozenset[str] | None]
_Grads = dict[tuple[int, int], Value]  # by node and output
_Seeds = tuple[tuple[int, int, Value], ...]


def record_backward(
    y: object,
    names: Mapping[str, object] | torch.nn.Module | None = None,
    *,
    gradient: torch.Tensor | Sequence[torch.Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: torch.Tensor | Sequence[torch.Tensor] | None = None,
    values: int = 8,
    check: bool | Cuts = False,
    attrs: bool = False,
    saved: bool | Literal["sizes"] = False,
    max_nodes: int = 500,
    force: bool = False,
    style: Style = "lesson",
    direction: Direction = "auto",
    fold: Fold = "auto",
    title: str = "",
    detachable: bool = False,
) -> Drawing:
    """Run ``y.backward()``, and return a drawing that knows what flowed where.

    ``gradient``, ``retain_graph``, ``create_graph`` and ``inputs`` are those of
    ``backward``; where ``y`` is a list, ``gradient`` is one.  Every ``.grad`` ends as
    plain ``backward`` leaves it.  Recorded are, for each node,
    the order in which the engine came to it and its adjoint (the sum that it
    received), and for each edge the contribution that was sent along it, all of
    them for tensors of at most ``values`` numbers.

    ``check`` marks where the first nan and the first inf are, forward and backward, and
    says why a named parameter got no gradient.  Give it what
    :func:`~torchutils.trace_cuts` returned, and what cut the parameter off is named.

    With ``detachable``, a reader of the page may cut edges, as ``detach`` does, and see
    what still arrives.  The other options are those of
    :func:`~torchutils.make_dot`.  Raises ValueError when
    ``y`` has no graph, and whatever ``backward`` raises.

    >>> x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    >>> record = record_backward(torch.dot(x, x**2), locals())
    >>> print(record.text.splitlines()[-1])
      9. x is a leaf: its .grad was None, is [3, 12, 27]
    """
    check_look(style, direction, fold)
    check_saved(saved)
    check_limits(values, max_nodes, force)
    with uncollected():
        live = walk(y, max_nodes)
    if len(live.bare) == len(live.nodes):
        raise ValueError(
            "nothing to record: no output has an autograd graph; make one from a "
            "tensor with requires_grad=True, outside torch.no_grad()"
        )
    known = find_names(names)
    roots = [(k, r) for k, (_, r) in enumerate(live.roots) if _has_graph(r)]
    gradients = _gradients(gradient, roots, len(live.roots))
    with uncollected():
        before = describe(live, known, values=values, attrs=attrs, saved=saved)
    looked = look(live, known) if check else None
    held = grads_of(known) if check else {}
    log = _Log(
        values, _given(live, [r for _, r in roots], gradients) if check else None
    )
    outputs = [root for _, root in roots]
    run = partial(
        torch.autograd.backward,
        outputs,  # type: ignore[arg-type]  # it takes tensors and edges mixed
        gradients,
        retain_graph=retain_graph,
        create_graph=create_graph,
        inputs=inputs,
    )
    _backward(live, log, run)
    with uncollected():
        grads = _grads(live, known, values, attrs=attrs)
    seeds = tuple(_seeds(live, outputs, gradients, values))
    told = partial(_told, before, grads, log, seeds)
    graph: Graph | Callable[[], Graph] = told
    if looked is not None:
        graph = tell(told(), looked, Checked(log.first, log.came))
        cuts = check if isinstance(check, Cuts) else None
        said = without(graph, live, known, log.came, inputs, cuts, held)
        graph = replace(graph, remarks=(*graph.remarks, *said))
    if detachable:
        graph = graph if isinstance(graph, Graph) else graph()
        if isinstance(why := to_tape(graph), str):
            raise ValueError(
                f"detachable: a page cannot compute this graph, because of {why}"
            )
    drawing = Drawing(graph, style=style, direction=direction, fold=fold, title=title)
    drawing.detachable = detachable
    return drawing


def _has_graph(root: Root) -> bool:
    return isinstance(root, GradientEdge) or root.requires_grad


def _gradients(
    given: torch.Tensor | Sequence[torch.Tensor | None] | None,
    roots: list[tuple[int, Root]],
    count: int,
) -> list[torch.Tensor | None]:
    """Return one gradient for each output that has a graph, None where none is given.

    Raises ValueError when their number fits neither these outputs nor all of them.
    """
    if given is None:
        return [None] * len(roots)
    listed = [*([given] if isinstance(given, torch.Tensor) else given)]
    if len(listed) == count:
        return [listed[k] for k, _ in roots]
    if len(listed) != len(roots):
        raise ValueError(
            f"gradient has {len(listed)} tensors, for {len(roots)} outputs with a "
            "graph: give one for each, or None"
        )
    return listed


def _seeds(
    live: Walk,
    outputs: Sequence[Root],
    gradients: Sequence[torch.Tensor | None],
    values: int,
) -> Iterator[tuple[int, int, Value]]:
    """Find what each output's adjoint begins with: its place, and the numbers."""
    for root, gradient in zip(outputs, gradients, strict=True):
        node = start(root)
        if gradient is None:
            meta = (node,) if isinstance(node, torch.Tensor) else node._input_metadata
            gradient = torch.ones(meta[root.output_nr].shape, device="cpu")
        yield live.places[node], root.output_nr, numbers(gradient, values)


def _given(
    live: Walk,
    outputs: Sequence[Root],
    gradients: Sequence[torch.Tensor | None],
) -> _States:
    """Find the nan and inf in the gradients that outputs are given."""
    found: _States = {}
    for root, gradient in zip(outputs, gradients, strict=True):
        if gradient is not None:
            place = live.places[start(root)], root.output_nr
            found[place] = (found.get(place) or frozenset()) | (
                kinds(gradient) or frozenset()
            )
    return found


_DIGITS = {"float16": 11, "bfloat16": 8}


def _rounding(graph: Graph) -> tuple[str, ...]:
    found = dict.fromkeys(n.dtype for n in graph.nodes if n.dtype in _DIGITS)
    return tuple(
        f"A number of type {t} has {_DIGITS[t]} binary digits: what an operation sends "
        "is rounded to them, and so is each sum."
        for t in found
    )


class _Log:
    """What the hooks saw; numbers and positions only, no tensor and no node."""

    def __init__(self, values: int, given: _States | None = None) -> None:
        self.values = values
        self.given = given  # None: nothing is checked
        self.came: _States = {}
        self.first: dict[str, tuple[str, int, int]] = {}
        self.order: list[int] = []
        # Node, output or operand, value, one after the other: of a small model, tuples
        # and lists would be as much work for the garbage collector as the pass itself.
        self.received: list[Any] = []
        self.sent: list[Any] = []
        self.hooks: dict[int, int] = {}  # how many of the user's a node has

    def arrived(self, i: int, received: Grads) -> None:
        """Note what node ``i`` received."""
        self.order.append(i)
        _note(self.received, i, received, self.values)
        if self.given is not None:
            self._check(i, received, self.given)

    def departed(self, i: int, sent: Grads, _received: Grads) -> None:
        """Note what node ``i`` sent to each operand."""
        _note(self.sent, i, sent, self.values)
        if self.given is not None:
            for arg, grad in enumerate(sent):
                if grad is not None:
                    self._first("sent", i, arg, kinds(grad))

    def turned(self, i: int, sent: Grads, received: Grads) -> None:
        """Note both, of a node whose turn ends before the next one's."""
        self.arrived(i, received)
        self.departed(i, sent, received)

    def _check(self, i: int, received: Grads, known: _States) -> None:
        for out, grad in enumerate(received):
            if grad is not None:
                self.came[i, out] = found = kinds(grad)
                self._first("given", i, out, known.get((i, out)))
                self._first("came", i, out, found)

    def _first(self, what: str, i: int, k: int, found: frozenset[str] | None) -> None:
        for kind in found or ():
            self.first.setdefault(kind, (what, i, k))


def _note(log: list[Any], i: int, grads: Grads, values: int) -> None:
    note = log.append
    for k, grad in enumerate(grads):
        if grad is not None:
            note(i)
            note(k)
            note(numbers(grad, values))


def _noted(log: list[Any]) -> _Grads:
    """Return what was noted, by node and output, or by node and operand."""
    rows = iter(log)
    return {(i, k): value for i, k, value in zip(rows, rows, rows, strict=True)}


def _adjoint(node: Node, came: _Grads, visited: bool) -> Value:
    if not node.outputs:
        return came.get((node.id, 0))
    adjoints = (came.get((node.id, k)) for k in range(len(node.outputs)))
    return tuple(0 if g is None else g for g in adjoints) if visited else None


def _results(node: Node) -> tuple[Node | Output, ...]:
    return node.outputs or (node,)


def _nothing(item: Node | Output) -> Value:
    """Return what a .grad holds that the pass left as None."""
    return NONE if item.keeps_grad else None


def _outputs(node: Node, grads: _Grads, came: _Grads) -> tuple[Output, ...]:
    """Return a node's outputs, each with its .grad of now, and with what came to it."""
    return tuple(
        one._replace(
            grad=grads.get((node.id, k), _nothing(one)), adjoint=came.get((node.id, k))
        )
        for k, one in enumerate(node.outputs)
    )


def _grads(live: Walk, names: Names, values: int, *, attrs: bool) -> _Grads:
    """Return each .grad after the pass, by node and output."""
    if not values and not attrs:  # a graph so read says no more of them
        return {
            (i, tensor.output_nr): numbers(grad, values)
            for i, tensor in _kept(live, names)
            if (grad := tensor.grad) is not None
        }
    after = describe(live, names, values=values, attrs=attrs)
    each = (
        (node.id, k, one.grad)
        for node in after.nodes
        for k, one in enumerate(_results(node))
    )
    return {(i, k): grad for i, k, grad in each if grad is not None}


def _kept(live: Walk, names: Names) -> Iterator[tuple[int, torch.Tensor]]:
    """Yield the tensors that keep their .grad, each with the place of its node."""
    for i, node in enumerate(live.nodes):
        if type(node) is ACCUMULATE and (leaf := leaf_of(node)) is not None:
            yield i, leaf
    for made in names.made.values():
        for tensor in made:
            place = live.places.get(start(tensor))
            if place is not None and tensor.retains_grad:
                yield place, tensor


def _backward(live: Walk, log: _Log, run: Callable[[], None]) -> None:
    handles: list[RemovableHandle] = []
    try:
        with uncollected():
            _hook(live, log, handles)
        run()
    finally:  # a leaf's node outlives the graph: its hooks would fire in the next
        for handle in handles:
            handle.remove()


def _hook(live: Walk, log: _Log, handles: list[RemovableHandle]) -> None:
    arrived, departed, turned = log.arrived, log.departed, log.turned
    for i, node in enumerate(live.nodes):
        if isinstance(node, torch.Tensor):
            continue
        if type(node) is ACCUMULATE:
            handles.append(node.register_prehook(partial(arrived, i)))
            continue
        if isinstance(node, BackwardCFunction):  # it may run a backward pass
            handles.append(node.register_prehook(partial(arrived, i)))
            handle = node.register_hook(partial(departed, i))
        else:
            handle = node.register_hook(partial(turned, i))
        handles.append(handle)
        if (others := len(handle.hooks_dict_ref() or ()) - 1) > 0:
            log.hooks[i] = others


def _told(before: Graph, grads: _Grads, log: _Log, seeds: _Seeds) -> Graph:
    """Put together what was read and what the hooks saw."""
    with uncollected():
        graph = _merge(before, grads, log)
        remarks = graph.remarks + _rounding(graph)
        return with_rules(replace(graph, seeds=seeds, remarks=remarks, ran=True))


def _merge(before: Graph, grads: _Grads, log: _Log) -> Graph:
    nodes, visited = list[Node](), {*log.order}
    came, sent = _noted(log.received), _noted(log.sent)
    for node in before.nodes:
        if node.kind not in ("leaf", "op"):
            nodes.append(node)
            continue
        attrs = node.attrs
        if node.kind == "leaf" and node.grad not in (None, NONE):
            attrs = *attrs, (BEFORE, node.grad)
        hooks = log.hooks.get(node.id)
        notes = (*node.notes, f"{HOOKED}: {hooks}") if hooks else node.notes
        outputs = _outputs(node, grads, came) if node.outputs else ()
        adjoint = _adjoint(node, came, node.id in visited)
        told = adjoint, attrs, notes, node.root, node.line, outputs
        grad = None if outputs else grads.get((node.id, 0), _nothing(node))
        nodes.append(Node(*node[:7], grad, node.keeps_grad, *told, *node[15:]))
    edges = (Edge(*e[:4], sent.get((e.dst, e.arg)), *e[5:]) for e in before.edges)
    order = tuple(log.order)
    return replace(before, rows=tuple(nodes), wires=tuple(edges), backward=order)
