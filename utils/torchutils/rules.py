"""The chain rule at each operation, in words that a reader can compute with.

The formulas are those of torch's ``tools/autograd/derivatives.yaml``, where ``g`` is
the upstream gradient and ``out`` the operation's own result.
"""

from torchutils.graph import Edge, Graph, Node
from torchutils.labels import operands, operation, reference
from torchutils.values import show

__all__ = ["with_rules"]

_RULES = {
    "add": ("g", "g"),
    "sub": ("g", "−g"),
    "mul": ("g · {b}", "g · {a}"),
    "div": ("g / {b}", "−g · {a} / {b}²"),
    "pow": ("g · {exponent} · {a}^({exponent} − 1)",),
    "neg": ("−g",),
    "dot": ("g · {b}", "g · {a}"),
    "mv": ("g {b}ᵀ", "{a}ᵀ g"),
    "mm": ("g {b}ᵀ", "{a}ᵀ g"),
    "t": ("gᵀ",),
    "sum": ("g, copied to each",),
    "mean": ("g / count, copied to each",),
    "exp": ("g · out",),
    "log": ("g / {a}",),
    "sin": ("g · cos {a}",),
    "cos": ("−g · sin {a}",),
    "tanh": ("g · (1 − out²)",),
    "sigmoid": ("g · out · (1 − out)",),
    "sqrt": ("g / (2 · out)",),
    "relu": ("g where {a} > 0, else 0",),
    "abs": ("g · sign {a}",),
    "clone": ("g",),
}


def with_rules(graph: Graph) -> Graph:
    """Add to each edge the rule by which its contribution is computed."""
    inputs = operands(graph)
    edges = [
        e._replace(rule=_rule(graph, graph.nodes[e.dst], inputs[e.dst], e))
        for e in graph.edges
    ]
    return graph.replace(edges=tuple(edges))


def _rule(graph: Graph, node: Node, inputs: list[Edge], edge: Edge) -> str:
    templates = _RULES.get(operation(node.op), ())
    if not 0 <= edge.arg < len(templates) or node.count > 1:
        return ""
    words = {k: show(v) for k, v in node.attrs}
    for e in inputs:
        words["ab"[e.arg : e.arg + 1]] = reference(graph.nodes[e.src], e.out)
    words.setdefault("a", words.get("self", ""))
    words.setdefault("b", words.get("other", words.get("tensor", "")))
    try:
        return templates[edge.arg].format_map(words)
    except KeyError:
        return ""
