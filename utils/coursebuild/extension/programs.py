"""Say a recorded graph as a program of the playground, and link to it.

The program is derived from the graph alone: a line for each leaf, each constant that
has a name, and each node that has one or is used twice; the others stand inside the
line that uses them.  PyTorch then runs it, and there is a link only where it gives the
graph's own numbers.
"""

from __future__ import annotations

import re
from collections import Counter
from html import escape
from itertools import count
from keyword import iskeyword
from string import ascii_lowercase
from typing import Any, NamedTuple
from urllib.parse import quote

import torch
from torch import Tensor

from torchutils.labels import operation
from torchutils.rules import BEFORE, SECOND
from torchutils.tape import added_constant

__all__ = ["UnsaidError", "link", "to_program"]

LONGEST = 600  # characters of an address: it is copied, sent and read aloud
LOST = "a constant of {}, which PyTorch does not keep"
CLOSE = 1e-6  # of a tensor's largest number: many lessons compute in float32
SUM, PRODUCT, POWER, ATOM = range(1, 5)  # how tightly a text binds
_Json = dict[str, Any]


class UnsaidError(ValueError):
    """What stands in the way of a program, in words."""


class _Way(NamedTuple):
    """How an operation is written: its text, how that binds, what operands must."""

    text: str
    binds: int = ATOM
    needs: tuple[int, ...] = (SUM, SUM)


class _Term(NamedTuple):
    text: str
    binds: int
    value: Tensor


_INFIX = {
    "add": _Way("{0} + {1}", SUM, (SUM, PRODUCT)),
    "sub": _Way("{0} - {1}", SUM, (SUM, PRODUCT)),
    "rsub": _Way("{1} - {0}", SUM, (PRODUCT, SUM)),
    "mul": _Way("{0} * {1}", PRODUCT, (PRODUCT, POWER)),
    "div": _Way("{0} / {1}", PRODUCT, (PRODUCT, POWER)),
    "pow": _Way("{0}**{1}", POWER, (ATOM, POWER)),
    "neg": _Way("-{0}", PRODUCT, (POWER,)),
    **dict.fromkeys(("dot", "mv", "mm"), _Way("{0} @ {1}", PRODUCT, (PRODUCT, POWER))),
}
_ONE = ["exp", "log", "sin", "cos", "tan", "tanh", "sigmoid", "relu", "sqrt", "abs"]
_ONE += ["reciprocal", "log1p", "expm1"]
_LISTS = ["stack", "cat"]
_FUNCTIONS = {
    **{k: getattr(torch, k) for k in [*_ONE, *_LISTS, "maximum", "minimum"]},
    "softplus": torch.nn.functional.softplus,
}
_ONE += ["softplus"]
_USUAL = {"alpha": 1, "rounding_mode": None, "beta": 1, "threshold": 20}  # unwritten


def link(graph: _Json, playground: str) -> str:
    """Return a link to the playground at that address; empty where there can be none.

    ``graph`` is what a figure's data hold: ``Graph.to_json``, read.
    """
    try:
        program = to_program(graph)
    except UnsaidError:
        return ""
    root = next(node for node in graph["nodes"] if node.get("root"))
    label = "Open in the playground"
    named = escape(f"{label}: {', '.join(root.get('names', ['a graph']))}")
    address = escape(playground + _fragment(program))
    return (
        f'<p class="ag-open"><a href="{address}" aria-label="{named}">{label}</a></p>'
    )


def _fragment(program: str) -> str:
    return "#p=" + quote(program, safe="!$'()*+,-./:;=?@_~")


def to_program(graph: _Json) -> str:
    """Return a program that computes a recorded graph, with its names and numbers.

    Raises:
        UnsaidError: the playground cannot compute it, or computes other numbers.
    """
    if len(graph.get("seeds", [])) != 1:
        raise UnsaidError("more than one output")
    if any("complex" in node.get("dtype", "") for node in graph["nodes"]):
        raise UnsaidError("complex numbers")
    writer = _Writer(graph)
    nodes = [graph["nodes"][place] for place in graph["forward"]]
    leaves = [node for node in nodes if node["kind"] == "leaf"]
    leaves.sort(key=lambda node: node.get("names", []))
    for node in leaves + nodes[len(leaves) :]:  # in "forward" leaves stand first
        writer.take(node)
    writer.start(graph["seeds"][0][2])
    program = "\n".join(writer.lines)
    if len(_fragment(program)) > LONGEST - len("../../playground.html"):
        raise UnsaidError("a program that is too long for an address")
    _check(program, graph, writer)
    return program


class _Writer:
    """Writes a line after the other, and computes what they give."""

    def __init__(self, graph: _Json) -> None:
        self.lines: list[str] = []
        self.names: dict[str, Tensor] = {}
        self.terms: dict[int, _Term] = {}
        self.constants: dict[str, _Term] = {}
        self.into: dict[int, dict[int, int]] = {n["id"]: {} for n in graph["nodes"]}
        for edge in graph["edges"]:
            self.into[edge["dst"]][edge["arg"]] = edge["src"]
        self.uses = Counter(edge["src"] for edge in graph["edges"])

    def take(self, node: _Json) -> None:
        """Say a node, whose operands have been said."""
        named = node.get("names") or node.get("root") or self.uses[node["id"]] > 1
        if node["kind"] == "leaf":
            term = self._leaf(node)
        elif node["kind"] == "op":
            term = self._applied(node)
        else:
            raise UnsaidError("operations that are not drawn")
        if named and node["kind"] == "op":
            term = self._named(node.get("names"), term.text, term.value)
        self.terms[node["id"]] = term

    def _leaf(self, node: _Json) -> _Term:
        value = _tensor(node.get("value"))
        text = f"tensor({value.tolist()}, requires_grad=True)"
        term = self._named(node.get("names"), text, value)
        if (before := dict(node.get("attrs", ())).get(BEFORE)) is not None:
            self.lines.append(f"{term.text}.grad = tensor({_tensor(before).tolist()})")
        return term

    def start(self, upstream: Any) -> None:
        """Write the line that gives backward its gradient; a 1 needs none."""
        given = _tensor(upstream)
        if given.dim() or given != 1:
            name = self.lines[-1].split(" = ")[0]
            self.lines.append(f"{name}.backward(tensor({given.tolist()}))")

    def _named(self, names: list[str] | None, text: str, value: Tensor) -> _Term:
        """Write a line, and return the name that it gives."""
        name = _free(names[0] if names else "", self.names)
        self.names[name] = value
        self.lines.append(f"{name} = {text}")
        return _Term(name, ATOM, value)

    def _applied(self, node: _Json) -> _Term:
        op, attrs = operation(node["op"]), dict(node.get("attrs", ()))
        into = self.into[node["id"]]
        way = _way(op, node, attrs, len(into))
        if way is None or any(attrs.get(k, v) != v for k, v in _USUAL.items()):
            raise UnsaidError(f"the operation {op}")
        given = [
            self.terms[into[k]] if k in into else self._constant(op, k, node, attrs)
            for k in range(way.text.count("{"))
        ]
        names = [f"t{k}" for k in range(len(given))]
        values = dict(zip(names, (term.value for term in given), strict=True))
        value = eval(way.text.format(*names), {**_CALLS, **values})
        if [*value.shape] != node["shape"]:
            why = LOST if op in _LISTS else "the operation {}"
            raise UnsaidError(why.format(op))
        if op == "mul" and 1 not in into and not given[1].value.dim():
            given.reverse()  # as one writes it; PyTorch turns it round again
        texts = [
            term.text if term.binds >= need else f"({term.text})"
            for term, need in zip(given, way.needs, strict=False)
        ]
        return _Term(way.text.format(*texts), way.binds, value)

    def _constant(self, op: str, place: int, node: _Json, attrs: _Json) -> _Term:
        """Return an operand that needs no gradient, by its name if it has one."""
        known = [attrs[k] for k in (SECOND if place else ("self",)) if k in attrs]
        value = known[0] if known else self._solved(op, place, node)
        if isinstance(value, str) and value in attrs:
            if value not in self.constants:
                numbers = _tensor(attrs[value])
                text = f"tensor({numbers.tolist()})"
                self.constants[value] = self._named([value], text, numbers)
            return self.constants[value]
        numbers = _tensor(value)
        # A number to the left of its tensor would be another operation.
        if numbers.dim() or (not place and op in ("sub", "div")):
            return _Term(f"tensor({numbers.tolist()})", ATOM, numbers)
        text = repr(numbers.item()).removesuffix(".0")
        return _Term(text, PRODUCT if text[0] == "-" else ATOM, numbers)

    def _solved(self, op: str, place: int, node: _Json) -> Any:
        """Return the constant of a sum, which torch does not keep, by its result."""
        if op == "where":
            return _unchosen(place, node)
        op = "rsub" if op == "sub" and not place else op
        if op not in ("add", "sub", "rsub") or node.get("value") is None:
            raise UnsaidError(LOST.format(op))
        given = self.terms[self.into[node["id"]][1 - place]].value
        dtype = getattr(torch, node["dtype"])
        return added_constant(op, given, _tensor(node["value"]), dtype)


def _way(op: str, node: _Json, attrs: _Json, operands: int) -> _Way | None:
    """Return how an operation is written, None where the playground lacks it."""
    if op in _LISTS:
        listed = ", ".join(f"{{{k}}}" for k in range(operands))
        text = f"{op}([{listed}], {attrs.get('dim', 0)})"
        return _Way(text, ATOM, (SUM,) * operands)
    if op == "where":
        return _Way(f"where(tensor({_condition(attrs)}), {{0}}, {{1}})")
    if op in _INFIX:
        return _INFIX[op]
    if op in _FUNCTIONS:
        return _Way(f"{op}({{0}})" if op in _ONE else f"{op}({{0}}, {{1}})")
    if node["op"] in ("SumBackward1", "MeanBackward1"):
        attrs = {"dim": (0,), **attrs}  # a drawing leaves out what is 0
    text = _method(op, node["shape"], attrs)
    return _Way(text, ATOM, (ATOM,)) if text else None


def _condition(attrs: _Json) -> Any:
    """Return which entries where() takes from its first operand, as lists."""
    known = attrs.get("condition")
    known = attrs.get(known, known) if isinstance(known, str) else known
    if known is None or isinstance(known, str):
        raise UnsaidError("a tensor whose numbers are not drawn")
    return known


def _unchosen(place: int, node: _Json) -> Any:
    """Return an operand of where() that PyTorch does not keep, as far as it shows."""
    value = _tensor(node.get("value"))
    first = torch.tensor(_condition(dict(node["attrs"]))).expand(value.shape)
    shown = value[~first if place else first]
    one = shown.numel() == 0 or bool((shown == shown[0]).all())
    return (shown[0].item() if shown.numel() else 0) if one else value.tolist()


def _method(op: str, shape: list[int], attrs: _Json) -> str:
    """Return what is written behind a tensor, with its options."""
    dim = attrs.get("dim", 0)
    before = ":, " * dim if isinstance(dim, int) else ""
    if op in ("t", "clone"):
        return f"{{0}}.{op}()"
    if op in ("sum", "mean"):
        dims = [] if "dim" not in attrs else [f"dim={tuple(dim)}"]
        kept = ["keepdim=True"] if attrs.get("keepdim") else []
        return f"{{0}}.{op}({', '.join(dims + kept)})"
    if op == "select":
        return f"{{0}}[{before}{attrs.get('index', 0)}]"
    if op == "slice":
        step = attrs.get("step", 1)
        end = f":{step}" if step != 1 else ""
        return f"{{0}}[{before}{attrs.get('start', 0)}:{attrs['end']}{end}]"
    if op == "permute" and attrs["dims"] == [*range(len(shape))][::-1]:
        return "{0}.T"
    if op == "expand":
        return f"{{0}}.expand({', '.join(map(str, shape))})"
    if op in ("unsqueeze", "softmax", "log_softmax"):
        return f"{{0}}.{op}({dim})"
    if op in ("view", "unsafe_view", "squeeze") and shape:
        return f"{{0}}.reshape({', '.join(map(str, shape))})"
    return ""


def _free(name: str, taken: dict[str, Tensor]) -> str:
    """Return a name that is no other's, and hides nothing that programs use.

    >>> _free("x", {}), _free("0.weight", {}), _free("log", {}), _free("", {"a": None})
    ('x', '_0_weight', 'log_', 'b')
    """
    if not name:
        every = (f"{c}{n or ''}" for n in count() for c in ascii_lowercase)
        return next(k for k in every if k not in taken)
    name = re.sub(r"\W|^(?=\d)", "_", name)
    while name in (*taken, *_CALLS) or iskeyword(name):
        name += "_"
    return name


def _tensor(value: Any) -> Tensor:
    """Return numbers as a tensor; what the drawing has no room for is no number."""
    try:
        found = torch.tensor(value, dtype=torch.float64)
    except (TypeError, ValueError, RuntimeError):
        raise UnsaidError("a tensor whose numbers are not drawn") from None
    return found


def _check(program: str, graph: _Json, writer: _Writer) -> None:
    """Run a program with PyTorch, and compare what it gives with the graph.

    Raises:
        UnsaidError: it gives other values, or other gradients.
    """
    made: dict[str, Any] = dict(_CALLS)
    exec(program, made)
    last = program.splitlines()[-1]
    if ".backward(" not in last:
        made[last.split(" = ")[0]].backward()
    for node in graph["nodes"]:
        own = made.get(writer.terms[node["id"]].text)
        if own is None:
            continue
        grad = own.grad if node["kind"] == "leaf" else None
        held = any(name == BEFORE for name, _ in node.get("attrs", ()))
        arrived = node.get("grad" if held else "adjoint")
        for ours, drawn in ((own, node.get("value")), (grad, arrived)):
            if ours is not None and not _same(ours, drawn):
                raise UnsaidError("numbers that the playground does not find")


def _number_tensor(data: Any, *, requires_grad: bool = False) -> Tensor:
    """Make a tensor as the playground does: a mask, or float64."""
    mask = torch.tensor(data)
    if mask.dtype == torch.bool:
        return mask
    return torch.tensor(data, dtype=torch.float64, requires_grad=requires_grad)


_CALLS = {**_FUNCTIONS, "where": torch.where, "tensor": _number_tensor}


def _same(ours: Tensor, drawn: Any) -> bool:
    """Say whether numbers are those of the drawing, as far as it has any."""
    theirs = _numbers(drawn)
    if theirs is None:
        return True
    far = CLOSE * theirs[theirs.isfinite()].abs().sum().item()
    return torch.allclose(ours.detach(), theirs, rtol=0, atol=far, equal_nan=True)


def _numbers(value: Any) -> Tensor | None:
    """Read numbers as JSON holds them: nan and inf are words.

    >>> _numbers([1, "nan"]), _numbers("300 numbers")
    (tensor([1., nan], dtype=torch.float64), None)
    """

    def read(part: Any) -> Any:
        return [*map(read, part)] if isinstance(part, list) else float(part)

    try:
        return torch.tensor(read(value), dtype=torch.float64)
    except (TypeError, ValueError):
        return None
