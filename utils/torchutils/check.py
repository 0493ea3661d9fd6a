"""Where the first nan and inf are, and why a parameter gets no gradient."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import torch

from torchutils.cuts import Cuts, leaves
from torchutils.graph import Edge, Graph, Node
from torchutils.labels import FIRST, operands, operation, reference
from torchutils.names import Names
from torchutils.read import seen
from torchutils.saved import Saved, saved_tensors
from torchutils.values import KINDS, kinds
from torchutils.walk import Walk, leaf_of

__all__ = ["Checked", "Forward", "Held", "grads_of", "look", "tell", "without"]

Place = tuple[int, int]  # a node and its output
Held = Mapping[int, tuple[torch.Tensor | None, int]]  # a .grad and its version
MOST = 6  # names in one sentence
_INNER = (
    "The gradient of {} came along no edge of this graph: a backward pass inside this "
    "one, as in a reentrant checkpoint, or a hook wrote it."
)


class Forward(NamedTuple):
    """Which results hold a nan or an inf, as far as PyTorch has kept them."""

    states: dict[Place, frozenset[str]]
    constants: dict[int, list[tuple[str, frozenset[str]]]]
    hidden: frozenset[int]  # nodes with a constant that PyTorch has not kept


class Checked(NamedTuple):
    """What hooks saw: the first of each kind, and the nodes that a gradient reached."""

    first: Mapping[str, tuple[str, int, int]]  # what happened, node, output or operand
    came: Mapping[Place, frozenset[str] | None]


def look(live: Walk, names: Names) -> Forward:
    """Look at all tensors that can be seen before a backward pass frees them."""
    kept = [
        saved_tensors(n) if k not in live.bare and hasattr(n, "next_functions") else []
        for k, n in enumerate(live.nodes)
    ]
    found = seen(live, kept)
    for i, node in enumerate(live.nodes):
        if (leaf := leaf_of(node)) is not None:
            found[i, 0] = leaf
        for tensor in names.made.get(node, ()):
            found[i, tensor.output_nr] = tensor
    states = {place: kinds(tensor) for place, tensor in found.items()}
    constants = {i: _constants(items, names) for i, items in enumerate(kept)}
    hidden = {
        i
        for i, node in enumerate(live.nodes)
        if not isinstance(node, torch.Tensor)
        and sum(s is None for s, _ in node.next_functions) > len(constants[i])
    }
    known = {place: state for place, state in states.items() if state is not None}
    return Forward(known, constants, frozenset(hidden))


def _constants(items: list[Saved], names: Names) -> list[tuple[str, frozenset[str]]]:
    return [
        ((names.of(s.tensor) or (s.name,))[0], kinds(s.tensor) or frozenset())
        for s in items
        if s.tensor is not None
        and not s.state
        and not s.tensor.requires_grad
        and not s.name.startswith("result")
    ]


def tell(graph: Graph, forward: Forward, backward: Checked) -> Graph:
    """Add to a recorded graph the sentences, and the marks at nodes, of a check."""
    marks: dict[int, list[str]] = {}
    said = [*_forward(graph, forward, marks), *_backward(graph, backward, marks)]
    if not said:
        made = [n for n in graph.nodes if n.kind in ("op", "leaf")]
        count = len({i for i, _ in forward.states})
        said = [
            f"Checked: no nan and no inf in the results of {count} of {len(made)} "
            "nodes, as many as PyTorch has kept, and none in what went back."
        ]
    elif any(graph.nodes[i].kind == "op" and not graph.nodes[i].line for i in marks):
        said.append("Run the forward pass in trace_lines() to be told its line.")
    nodes = tuple(
        n._replace(notes=(*n.notes, *marks.get(n.id, ()))) for n in graph.nodes
    )
    return replace(graph, rows=nodes, remarks=(*graph.remarks, *said))


def _forward(graph: Graph, found: Forward, marks: dict[int, list[str]]) -> list[str]:
    inputs = operands(graph)
    said = []
    for kind in KINDS:
        for i in graph.forward:
            outs = range(len(graph.nodes[i].outputs) or 1)
            hit = [k for k in outs if kind in found.states.get((i, k), ())]
            if hit:
                marks.setdefault(i, []).append(f"{FIRST}{kind} seen, forward")
                why = _whence(graph, found, inputs[i], kind, graph.nodes[i])
                where = _at(graph.nodes[i], hit[0])
                said.append(f"Forward: the first {kind} seen is in {where}: {why}.")
                break
    return said


def _at(node: Node, out: int) -> str:
    who = reference(node, out)
    if node.kind != "op":
        return who
    where = f", {node.line}" if node.line else ""
    return f"{who} ({operation(node.op)}{where})"


def _whence(
    graph: Graph, found: Forward, inputs: list[Edge], kind: str, node: Node
) -> str:
    """Say where it comes from, as far as operands and constants are known."""
    if node.kind != "op":
        return "that is a leaf, and holds it"
    held = [name for name, state in found.constants[node.id] if kind in state]
    if held:
        return f"its constant {held[0]} holds it"
    places = {(e.src, e.out): reference(graph.nodes[e.src], e.out) for e in inputs}
    unknown = [who for place, who in places.items() if place not in found.states]
    if unknown:
        return f"of its operands, {_listed(unknown)} was not kept, and may hold it"
    odd = [who for place, who in places.items() if found.states[place]]
    from_where = f"{_listed(odd)}, not finite" if odd else "finite operands"
    if node.id in found.hidden:
        from_where += " and a constant that PyTorch has not kept"
    return f"it arises there, from {from_where}"


def _backward(graph: Graph, found: Checked, marks: dict[int, list[str]]) -> list[str]:
    inputs = {(e.dst, e.arg): e for e in graph.edges}
    said = []
    for kind in KINDS:
        if kind not in found.first:
            continue
        what, i, k = found.first[kind]
        node = graph.nodes[i]
        if what == "given":
            marks.setdefault(i, []).append(f"{FIRST}{kind}, backward")
            text = f"is in the gradient that was given for {_at(node, k)}"
        elif what == "came":
            marks.setdefault(i, []).append(f"{FIRST}{kind}, backward")
            text = f"is in what came to {_at(node, k)}: no contribution holds it, so "
            text += "it arose in their sum, or in a hook"
            text += ", or came from what is not drawn" if graph.truncated else ""
        else:
            marks.setdefault(i, []).append(f"sends {FIRST}{kind}, backward")
            edge = inputs.get((i, k))
            to = f" to {reference(graph.nodes[edge.src], edge.out)}" if edge else ""
            text = f"is what {_at(node, -1)} sends{to}: {_given(node, found)}"
        said.append(f"Backward: the first {kind} {text}.")
    return said


def _given(node: Node, found: Checked) -> str:
    states = [s for (i, _), s in found.came.items() if i == node.id and s]
    if not states:
        return "what came to it is finite"
    return f"what came to it holds {' and '.join(sorted(frozenset().union(*states)))}"


def without(
    graph: Graph,
    live: Walk,
    names: Names,
    came: Mapping[Place, object],
    inputs: torch.Tensor | Sequence[torch.Tensor] | None,
    cuts: Cuts | None,
    held: Held,
) -> list[str]:
    """Say which named parameters got no gradient, and why, as far as can be known.

    ``held`` is what :func:`grads_of` returned before the pass.  What it wrote to a leaf
    that the graph does not reach came from another pass inside it.
    """
    after = grads_of(names)
    place = {id(leaf_of(n)): i for i, n in enumerate(live.nodes)}
    chosen = None if inputs is None else {id(t) for t in _all(inputs)}
    shared = None if cuts else _shared(names)
    reasons: dict[str, list[str]] = {}
    inner: list[str] = []
    for leaf in names.held:
        wanted = leaf.requires_grad or isinstance(leaf, torch.nn.Parameter)
        if not (leaf.is_leaf and wanted) or (place.get(id(leaf), -1), 0) in came:
            continue
        if id(leaf) not in place and _wrote(held, after, leaf):
            inner.append(names.of(leaf)[0])
            continue
        if chosen is not None and leaf.requires_grad:
            if id(leaf) in chosen and id(leaf) in place:
                continue  # its gradient goes past its node
            why = "inputs leaves it out" if id(leaf) not in chosen else ""
        else:
            why = _frozen(leaf)
        if not why and id(leaf) in place:
            why = _unsent(graph, place[id(leaf)], came)
        why = why or _cut_off(graph, leaf, cuts, shared)
        reasons.setdefault(why, []).append(names.of(leaf)[0])
    said = [f"No gradient for {_listed(who)}: {why}." for why, who in reasons.items()]
    return [*([_INNER.format(_listed(inner))] if inner else []), *said]


def grads_of(names: Names) -> Held:
    """Return, by identity, what the .grad of each named leaf is, and its version."""
    return {id(t): (t.grad, _version(t.grad)) for t in names.held if t.is_leaf}


def _version(grad: torch.Tensor | None) -> int:
    return 0 if grad is None or grad.is_inference() else grad._version


def _wrote(before: Held, after: Held, leaf: torch.Tensor) -> bool:
    (old, was), (new, now) = before[id(leaf)], after[id(leaf)]
    return new is not old or now != was


def _all(inputs: torch.Tensor | Sequence[torch.Tensor]) -> list[torch.Tensor]:
    return [inputs] if isinstance(inputs, torch.Tensor) else list(inputs)


def _frozen(leaf: torch.Tensor) -> str:
    if leaf.requires_grad:
        return ""
    if leaf.is_floating_point() or leaf.is_complex():
        return "its requires_grad is False"
    return f"its type, {str(leaf.dtype)[6:]}, cannot require one"


def _unsent(graph: Graph, leaf: int, came: Mapping[Place, object]) -> str:
    users = [graph.nodes[e.dst] for e in graph.edges if e.src == leaf]
    reached = {i for i, _ in came}
    sent = [f"{reference(n)} ({operation(n.op)})" for n in users if n.id in reached]
    if sent:
        return f"{_listed(sent)} got one, and sent None on"
    return "none came to the operations that use it"


def _cut_off(
    graph: Graph,
    leaf: torch.Tensor,
    cuts: Cuts | None,
    shared: Mapping[int, list[str]] | None,
) -> str:
    if graph.truncated:
        return "the part of the graph that was read does not reach it (max_nodes)"
    if cuts is not None:
        if known := cuts.of(leaf):
            return f"cut off by {_listed(list(known), '; ')}"
        return (
            "no torch function was seen to cut it off, so that the output does not "
            "depend on it, or what cut it off is no torch function"
        )
    if found := (shared or {}).get(id(leaf)):
        return f"{_listed(found, '; ')}, as after detach(), .data or numpy()"
    return (
        "the graph does not reach it, and PyTorch keeps no trace of a detach, a "
        'no_grad, an integer or a new leaf; run the forward pass in "with '
        'trace_cuts() as cuts:", and pass check=cuts'
    )


def _shared(names: Names) -> dict[int, list[str]]:
    """Find named tensors that share memory with a result, but not its graph."""
    made = {}
    for t in names.held:
        if not t.is_leaf and (at := _memory(t)):
            made[at] = t
    found: dict[int, list[str]] = {}
    for t in names.held:
        whole = made.get(_memory(t)) if t.is_leaf else None
        if whole is not None:
            said = f"{names.of(t)[0]} has the memory of {names.of(whole)[0]}, and not "
            for leaf in leaves([whole]):
                found.setdefault(id(leaf), []).append(said + "its graph")
    return found


def _memory(tensor: torch.Tensor) -> int:
    try:
        return tensor.untyped_storage().data_ptr()
    except (RuntimeError, NotImplementedError):  # a sparse or wrapped one
        return 0


def _listed(words: list[str], comma: str = ", ") -> str:
    more = len(words) - MOST
    words = words[:MOST] if more > 0 else words
    return comma.join(words) + (f" and {more} more" if more > 0 else "")
