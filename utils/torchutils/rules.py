"""The chain rule at each operation, in words that a reader can compute with.

The formulas are those of torch's ``tools/autograd/derivatives.yaml``, where ``g`` is
the upstream gradient and ``out`` the operation's own result.  ``Σ`` sums over what
broadcasting had repeated.
"""

import re
from dataclasses import replace
from math import prod

from torchutils.graph import Edge, Graph, Node, Shape
from torchutils.labels import operands, operation, reference
from torchutils.values import Value, show

__all__ = [
    "BEFORE",
    "HOOKED",
    "MARK",
    "SECOND",
    "bracketed",
    "mark",
    "spell",
    "with_rules",
]

BEFORE = "grad before"  # a leaf's attribute: what .grad held when backward began
HOOKED = "hooks on the node"  # a note's beginning
MARK = re.compile("\x02(\\w+)\x03(.*?)\x04")  # a place, and a number's text
_NEGATIVE = re.compile("((?:cos|[·+−/n]) ?\x02\\w+\x03)(-.*?)(?=\x04)")

_RULES = {
    "add": ("{g}", "{g}"),
    "sub": ("{g}", "−{g}"),
    "rsub": ("−{g}", "{g}"),
    "mul": ("{g} · {b}", "{g} · {a}"),
    "div": ("{g} / {b}", "−{g} · {a} / {b}²"),
    "pow": ("{g} · {exponent} · {a}^({exponent} − 1)",),
    "neg": ("−{g}",),
    "reciprocal": ("−{g} · {out}²",),
    "dot": ("{g} · {b}", "{g} · {a}"),
    "mv": ("{g} {b}ᵀ", "{a}ᵀ {g}"),
    "mm": ("{g} {b}ᵀ", "{a}ᵀ {g}"),
    "t": ("{g}ᵀ",),
    "sum": ("{g}, copied to each",),
    "mean": ("{g} / {count}, copied to each",),
    "exp": ("{g} · {out}",),
    "log": ("{g} / {a}",),
    "sin": ("{g} · cos {a}",),
    "cos": ("−{g} · sin {a}",),
    "tanh": ("{g} · (1 − {out}²)",),
    "sigmoid": ("{g} · {out} · (1 − {out})",),
    "sqrt": ("{g} / (2 · {out})",),
    "relu": ("0 where {a} ≤ 0, else {g}",),
    "abs": ("{g} · sign {a}",),
    "maximum": (
        "0 where {a} < {b}, {g} / 2 where equal, else {g}",
        "0 where {b} < {a}, {g} / 2 where equal, else {g}",
    ),
    "minimum": (
        "0 where {a} > {b}, {g} / 2 where equal, else {g}",
        "0 where {b} > {a}, {g} / 2 where equal, else {g}",
    ),
    "clone": ("{g}",),
}
# These hold for complex numbers as they stand; the others would conjugate.
_LINEAR = frozenset(["add", "sub", "rsub", "neg", "t", "sum", "mean", "clone"])

SECOND = ("other", "tensor", "vec", "mat2", "exponent")  # torch's names
_SPREAD = frozenset(["add", "sub", "rsub", "mul", "div", "pow", "maximum", "minimum"])


def mark(place: str, value: Value) -> str:
    """Return a number's text, marked with the place that it came from.

    The place is a letter and the id of a node or edge: ``v0`` the value of node 0,
    ``a0`` its adjoint, ``b0`` and ``r0`` its .grad before and after, ``s1`` what edge 1
    sent, ``p1`` the adjoint of its source so far.
    """
    return f"\x02{place}\x03{show(value)}\x04"


def bracketed(text: str) -> str:
    """Put brackets around each negative number that follows an operator."""
    return _NEGATIVE.sub(r"\1(\2)", text)


def with_rules(graph: Graph) -> Graph:
    """Add to each edge the rule by which its contribution is computed."""
    inputs = operands(graph)
    edges = [
        Edge(*e[:5], rule, e.many) if (rule := _fill(graph, inputs[e.dst], e)) else e
        for e in graph.edges
    ]
    return replace(graph, wires=tuple(edges))


def spell(graph: Graph, inputs: list[Edge], edge: Edge) -> str:
    """Return an edge's rule with the numbers in it, each one marked.

    ``inputs`` are the edges into the same node.  What has no known number keeps its
    name.
    """
    return _fill(graph, inputs, edge, numbers=True)


def _fill(
    graph: Graph, inputs: list[Edge], edge: Edge, *, numbers: bool = False
) -> str:
    """Put names or numbers into an edge's rule; empty when it has none."""
    node = graph.nodes[edge.dst]
    op = operation(node.op)
    templates = _RULES.get(op, ())
    if not 0 <= edge.arg < len(templates):
        return ""
    source, own = graph.nodes[edge.src], dict(node.attrs)
    if _differs(graph, node, inputs, own):
        return ""

    def word(of: Node, name: str, out: int = 0) -> str:
        value, place = of.value, f"v{of.id}"
        if of.outputs:
            value, place = of.outputs[out].value, f"{place}_{out}"
        known = numbers and value is not None and not isinstance(value, str)
        return mark(place, value) if known else name

    words = {k: show(_number(own, k) if numbers else v) for k, v in own.items()}
    words["g"] = mark(f"a{node.id}", node.adjoint) if numbers else "g"
    words["out"] = word(node, "out")
    given = source.outputs[edge.out].shape if source.outputs else source.shape
    words["count"] = str(_size(given) // (_size(node.shape) or 1))
    for e in inputs:
        of = graph.nodes[e.src]
        words["ab"[e.arg : e.arg + 1]] = word(of, reference(of, e.out), e.out)
    for letter, known in (("a", ("self",)), ("b", SECOND)):
        for name in known:
            if name in words:
                words.setdefault(letter, words[name])
    try:
        text = templates[edge.arg].format_map(words)
    except KeyError:
        return ""
    spread = op in _SPREAD and given != node.shape
    return f"Σ({text})" if spread else text


def _differs(
    graph: Graph, node: Node, inputs: list[Edge], own: dict[str, Value]
) -> bool:
    """Say whether an operation computes something else than its rule does."""
    if node.count > 1 or {"alpha", "rounding_mode"} & own.keys():
        return True
    if any(note.startswith(HOOKED) for note in node.notes):
        return True
    exponent = show(_number({"exponent": 1, **own}, "exponent"), 10**6)
    if "0" in re.findall(r"[^][, ]+", exponent):  # g · 0 · x⁻¹ is nan at 0
        return True
    types = {node.dtype} | {
        (of.outputs[e.out] if of.outputs else of).dtype
        for e in inputs
        for of in [graph.nodes[e.src]]
    }
    mixed = len(types) > 1 or operation(node.op) not in _LINEAR
    return mixed and any(t.startswith("complex") for t in types)


def _number(own: dict[str, Value], name: str) -> Value:
    """Return an option, or the constant that it names."""
    value = own[name]
    return own.get(value, value) if isinstance(value, str) else value


def _size(shape: Shape) -> int:
    return prod(n for n in shape or () if isinstance(n, int))
