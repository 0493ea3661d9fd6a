"""The chain rule at each operation, in words that a reader can compute with.

The formulas are those of torch's ``tools/autograd/derivatives.yaml``, where ``g`` is
the upstream gradient and ``out`` the operation's own result.  ``Σ`` sums over what
broadcasting had repeated.
"""

import re
from math import prod

from torchutils.graph import Edge, Graph, Node
from torchutils.labels import operands, operation, reference
from torchutils.values import Value, show

__all__ = ["BEFORE", "MARK", "SECOND", "bracketed", "mark", "spell", "with_rules"]

BEFORE = "grad before"  # a leaf's attribute: what .grad held when backward began
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
    "relu": ("{g} where {a} > 0, else 0",),
    "abs": ("{g} · sign {a}",),
    "maximum": ("{g} where {a} > {b}, else 0", "{g} where {b} > {a}, else 0"),
    "minimum": ("{g} where {a} < {b}, else 0", "{g} where {b} < {a}, else 0"),
    "clone": ("{g}",),
}

SECOND = ("other", "tensor", "vec", "mat2", "exponent")  # torch's names
_SPREAD = frozenset(["add", "sub", "rsub", "mul", "div", "pow", "maximum", "minimum"])


def mark(place: str, value: Value) -> str:
    """Return a number's text, marked with the place that it came from.

    The place is a letter and the id of a node or edge: ``v0`` the value of node 0,
    ``a0`` its adjoint, ``b0`` and ``r0`` its .grad before and after, ``s1`` what edge 1
    sent, ``p1`` the adjoint of its source so far.
    """
    return f"\x02{place}\x03{show(value)}\x04"


def with_rules(graph: Graph) -> Graph:
    """Add to each edge the rule by which its contribution is computed."""
    inputs = operands(graph)
    edges = [e._replace(rule=_named(graph, inputs[e.dst], e)) for e in graph.edges]
    return graph.replace(edges=tuple(edges))


def spell(graph: Graph, inputs: list[Edge], edge: Edge) -> str:
    """Return an edge's rule with the numbers in it, each one marked.

    ``inputs`` are the edges into the same node.  What has no known number keeps its
    name.
    """
    node = graph.nodes[edge.dst]
    own = dict(node.attrs)
    words = {
        k: show(own.get(v, v) if isinstance(v, str) else v) for k, v in own.items()
    }
    words |= {"g": mark(f"a{node.id}", node.adjoint), "out": _value(node, "out")}
    for e in inputs:
        source = graph.nodes[e.src]
        words["ab"[e.arg : e.arg + 1]] = _value(source, reference(source, e.out))
    return _fill(graph, edge, words)


def _value(node: Node, name: str) -> str:
    known = node.value is not None and not isinstance(node.value, str)
    return mark(f"v{node.id}", node.value) if known else name


def bracketed(text: str) -> str:
    """Put brackets around each negative number that follows an operator."""
    return _NEGATIVE.sub(r"\1(\2)", text)


def _size(node: Node) -> int:
    return prod(n for n in node.shape or () if isinstance(n, int))


def _named(graph: Graph, inputs: list[Edge], edge: Edge) -> str:
    words = {k: show(v) for k, v in graph.nodes[edge.dst].attrs}
    words |= {"g": "g", "out": "out"}
    for e in inputs:
        words["ab"[e.arg : e.arg + 1]] = reference(graph.nodes[e.src], e.out)
    return _fill(graph, edge, words)


def _fill(graph: Graph, edge: Edge, words: dict[str, str]) -> str:
    """Put words into the template for an edge; empty when there is none."""
    node, source = graph.nodes[edge.dst], graph.nodes[edge.src]
    op = operation(node.op)
    templates = _RULES.get(op, ())
    if not 0 <= edge.arg < len(templates) or node.count > 1:
        return ""
    if "alpha" in dict(node.attrs):
        return ""
    words.setdefault("a", words.get("self", ""))
    words.setdefault("b", next((words[k] for k in SECOND if k in words), ""))
    words["count"] = str(_size(source) // (_size(node) or 1))
    try:
        text = templates[edge.arg].format_map(words)
    except KeyError:
        return ""
    spread = op in _SPREAD and not source.outputs and source.shape != node.shape
    return f"Σ({text})" if spread else text
