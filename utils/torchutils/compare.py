"""What changed between two graphs, in words."""

from collections.abc import Iterator
from difflib import SequenceMatcher

from torchutils.drawing import Drawing
from torchutils.graph import Edge, Graph, Node, Output
from torchutils.labels import operands, operation, reference, shape
from torchutils.rules import MARK
from torchutils.text import made, summary
from torchutils.values import Value, show

__all__ = ["diff"]

_FIELDS = {  # what is compared of a node or an output, and how it is called
    "names": "names",
    "shape": "shape",
    "dtype": "type",
    "value": "value",
    "grad": ".grad",
    "adjoint": "adjoint",
    "notes": "notes",
    "root": "output",
}
_UNKNOWN = {"shape": "unknown", "value": "not known", "adjoint": "not known"}


def diff(a: Drawing | Graph, b: Drawing | Graph) -> str:
    """Return what differs between two graphs: a line a node, ``-``, ``+`` or ``~``.

    Leaves are compared with those of the same name, operations in the order of their
    execution.  A node without a name has the number that it has in its own graph.

    >>> from torchutils import make_dot
    >>> import torch
    >>> x = torch.tensor(2.0, requires_grad=True)
    >>> print(diff(make_dot(x**2, {"x": x}), make_dot(x**3, {"x": x})))
    ~ #0 (pow): value 4 → 8; exponent 2 → 3
    """
    first, second = (d.graph if isinstance(d, Drawing) else d for d in (a, b))
    pairs = _matched(first, second)
    lines = [*_lines(first, second, pairs)]
    if first.remarks != second.remarks:
        lines += [f"- {r}" for r in first.remarks if r not in second.remarks]
        lines += [f"+ {r}" for r in second.remarks if r not in first.remarks]
    return "\n".join(lines) or f"No difference: {summary(first)}"


def _matched(a: Graph, b: Graph) -> dict[int, int]:
    """Pair nodes: leaves by name, and the rest by the order of execution."""
    names = {n.names[0]: n.id for n in b.leaves if n.names}
    pairs = {
        n.id: names[n.names[0]] for n in a.leaves if n.names[:1] and n.names[0] in names
    }
    taken = set(pairs.values())
    left = [i for i in _order(a) if i not in pairs]
    right = [i for i in _order(b) if i not in taken]
    old, new = [_key(a.nodes[i]) for i in left], [_key(b.nodes[k]) for k in right]
    alike = SequenceMatcher(None, old, new, autojunk=False)
    for i, k, size in alike.get_matching_blocks():
        pairs |= zip(left[i : i + size], right[k : k + size], strict=True)
    return pairs


def _order(graph: Graph) -> list[int]:
    forward = graph.forward
    rest = {n.id for n in graph.nodes} - set(forward)
    return [*forward, *sorted(rest)]


def _key(node: Node) -> tuple[object, ...]:
    return (
        node.kind,
        node.op,
        len(node.outputs),
        node.names if node.kind == "leaf" else (),
    )


def _lines(a: Graph, b: Graph, pairs: dict[int, int]) -> Iterator[str]:
    inputs = operands(a), operands(b)
    back = {k: i for i, k in pairs.items()}
    for i in _order(a):
        node = a.nodes[i]
        if i not in pairs:
            yield f"- {_words(a, node, inputs[0][i])}"
            continue
        other = b.nodes[pairs[i]]
        changes = [*_changes(node, other), *_outputs(node, other)]
        changes += _wiring(a, b, pairs, (inputs[0][i], inputs[1][other.id]))
        if changes:
            yield f"~ {_who(node)}: {'; '.join(changes)}"
    for k in _order(b):
        if k not in back:
            yield f"+ {_words(b, b.nodes[k], inputs[1][k])}"


def _words(graph: Graph, node: Node, inputs: list[Edge]) -> str:
    return MARK.sub(r"\2", made(graph, node, inputs))


def _who(node: Node, out: int = -1) -> str:
    who = reference(node, out)
    return f"{who} ({operation(node.op)})" if node.kind == "op" else who


def _changes(a: Node | Output, b: Node | Output, of: str = "") -> Iterator[str]:
    for field, word in _FIELDS.items():
        if field == "adjoint" and isinstance(a, Node) and a.outputs:
            continue  # each output has its own
        yield from _change(
            field, word + of, getattr(a, field, None), getattr(b, field, None)
        )
    old, new = (dict(getattr(x, "attrs", ())) for x in (a, b))
    for name in {**old, **new}:
        yield from _change("", name, old.get(name), new.get(name))


def _change(field: str, word: str, old: Value, new: Value) -> Iterator[str]:
    if repr(old) == repr(new):  # nan is nan
        return
    texts = _text(field, old), _text(field, new)
    if texts[0] == texts[1]:  # they differ behind the fourth digit
        texts = repr(old), repr(new)
    yield f"{word} {texts[0]} → {texts[1]}"


def _text(field: str, value: Value) -> str:
    if value is None:
        return _UNKNOWN.get(field, "none")
    if field == "shape" and isinstance(value, tuple):
        return shape(value)
    if field in ("names", "notes") and isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    return show(value)


def _outputs(a: Node, b: Node) -> Iterator[str]:
    for k, (old, new) in enumerate(zip(a.outputs, b.outputs, strict=True)):
        yield from _changes(old, new, f" of output {k}")


def _wiring(
    a: Graph, b: Graph, pairs: dict[int, int], given: tuple[list[Edge], list[Edge]]
) -> Iterator[str]:
    """Compare where the operands of two nodes come from, and what went back there."""
    old, new = ({e.arg: e for e in edges} for edges in given)
    for arg in sorted(old.keys() | new.keys()):
        was, now = old.get(arg), new.get(arg)
        words = [
            _who(g.nodes[e.src], e.out) if e else "a constant"
            for g, e in ((a, was), (b, now))
        ]
        if was and now and (pairs.get(was.src), was.out) == (now.src, now.out):
            yield from _change("", f"sent to {words[0]}", was.grad, now.grad)
        else:
            yield f"operand {arg} {words[0]} → {words[1]}"
