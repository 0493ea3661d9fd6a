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


def bracketed(text: str) -> str:
    """Put brackets around each negative number that follows an operator."""
    return _NEGATIVE.sub(r"\1(\2)", text)


def with_rules(graph: Graph) -> Graph:
    """Add to each edge the rule by which its contribution is computed."""
    inputs = operands(graph)
    edges = [e._replace(rule=_fill(graph, inputs[e.dst], e)) for e in graph.edges]
    return graph.replace(edges=tuple(edges))


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
    node, source = graph.nodes[edge.dst], graph.nodes[edge.src]
    own = dict(node.attrs)
    op = operation(node.op)
    templates = _RULES.get(op, ())
    if not 0 <= edge.arg < len(templates) or node.count > 1 or "alpha" in own:
        return ""

    def word(of: Node, name: str, out: int = 0) -> str:
        value, place = of.value, f"v{of.id}"
        if of.outputs:
            value, place = of.outputs[out].value, f"{place}_{out}"
        known = numbers and value is not None and not isinstance(value, str)
        return mark(place, value) if known else name

    words = {k: show(own.get(v, v) if numbers else v) for k, v in own.items()}
    words["g"] = mark(f"a{node.id}", node.adjoint) if numbers else "g"
    words["out"] = word(node, "out")
    given = source.outputs[edge.out].shape if source.outputs else source.shape
    words["count"] = str(_size(given) // (_size(node.shape) or 1))
    for e in inputs:
        of = graph.nodes[e.src]
        words["ab"[e.arg : e.arg + 1]] = word(of, reference(of, e.out), e.out)
    words.setdefault("a", words.get("self", ""))
    words.setdefault("b", next((words[k] for k in SECOND if k in words), ""))
    try:
        text = templates[edge.arg].format_map(words)
    except KeyError:
        return ""
    spread = op in _SPREAD and given != node.shape
    return f"Σ({text})" if spread else text


def _size(shape: tuple[int | str, ...] | None) -> int:
    return prod(n for n in shape or () if isinstance(n, int))
