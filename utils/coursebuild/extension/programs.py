"""Say a recorded graph as a program of the playground, and link to it.

The program is derived from the graph: a line for each leaf, each constant that has a
name, and each node that has one or is used twice; the others stand inside the line that
uses them.  Numbers for which the drawing has no room are those of the page's code.
PyTorch then runs the program, and there is a link only where it gives the graph's own
numbers; elsewhere a sentence says why not, and what is opened instead, if an author
has given it.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from html import escape
from itertools import count, product
from keyword import iskeyword
from string import ascii_lowercase
from typing import Any, NamedTuple
from urllib.parse import quote

import torch
from torch import Tensor

from coursebuild.extension.instead import Instead, InsteadError
from torchutils.labels import operation
from torchutils.rules import BEFORE, SECOND
from torchutils.tape import added_constant

__all__ = ["UnsaidError", "link", "to_program"]

# Of 600 characters of an address, what a program may have: it is copied and read aloud.
FRAGMENT = 600 - len("../../playground.html")
LARGEST = 256  # numbers of a tensor in the playground: LIMIT in tensor.js
# What stands in the way, as the reader is told; `marks` a name.
LACKING = "it has no `{}`"
OWN = "it knows no backward pass but PyTorch's, and `{}` brings its own"
COMPLEX = "it has no complex numbers"
LARGE = "a tensor here has {} numbers, and there it may have at most {}"
UNDRAWN = "this drawing leaves out numbers that it needs"
HIDDEN = "this drawing leaves out operations"
LOST = "PyTorch does not keep a number that goes into `{}`"
LONG = "the program is too long for an address"
OUTPUTS = "it starts from one output, and this walk from {}"
OTHER = "it finds other numbers"
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
_SPELT = ("linalg_det", "max_pool2d_with_indices", "convolution")  # by other operations
_FUNCTIONS = {
    **{k: getattr(torch, k) for k in [*_ONE, *_LISTS, "maximum", "minimum"]},
    "softplus": torch.nn.functional.softplus,
}
_ONE += ["softplus"]
_USUAL = {"alpha": 1, "rounding_mode": None, "beta": 1, "threshold": 20}  # unwritten


def link(
    graph: _Json,
    playground: str,
    written: dict[str, str] | None = None,
    instead: Instead | None = None,
) -> str:
    """Return a link to the playground at that address, or why there can be none.

    ``graph`` is what a figure's data hold: ``Graph.to_json``, read; ``written`` says
    how the page's code made tensors, by their names; ``instead`` is opened where the
    graph cannot be.

    Raises:
        InsteadError: what is given instead does not run, or is not needed.
    """
    try:
        program = to_program(graph, written)
    except UnsaidError as error:
        why = re.sub("`(.*?)`", r"<code>\1</code>", escape(str(error)))
        other = f" {_other(instead, playground)}" if instead else ""
        return f'<p class="ag-open">Not in the playground: {why}.{other}</p>'
    if instead:
        raise InsteadError(
            instead.line, "this walk can be opened itself: delete the entry"
        )
    root = next(node for node in graph["nodes"] if node.get("root"))
    names = ", ".join(root.get("names", ["a graph"]))
    line = _anchor(program, playground, "Open in the playground", names)
    return f'<p class="ag-open">{line}</p>'


def _other(instead: Instead, playground: str) -> str:
    """Return a link to what an author gives for a walk that cannot be opened."""
    if len(_fragment(instead.program)) > FRAGMENT:
        raise InsteadError(instead.line, LONG)
    try:
        made = _run(instead.program)
    except Exception as error:
        raise InsteadError(
            instead.line, f"PyTorch says of the program: {error}"
        ) from error
    if not any(isinstance(x, Tensor) and x.grad is not None for x in made.values()):
        raise InsteadError(instead.line, "no leaf of the program gets a gradient")
    return _anchor(instead.program, playground, f"Open {instead.words}") + "."


def _anchor(program: str, playground: str, label: str, of: str = "") -> str:
    named = f' aria-label="{escape(f"{label}: {of}")}"' if of else ""
    address = escape(playground + _fragment(program))
    return f'<a href="{address}"{named}>{escape(label)}</a>'


def _fragment(program: str) -> str:
    return "#p=" + quote(program, safe="!$'()*+,-./:;=?@_~")


def to_program(graph: _Json, written: dict[str, str] | None = None) -> str:
    """Return a program that computes a recorded graph, with its names and numbers.

    Numbers that the graph has not are computed from ``written``: expressions by name.

    Raises:
        UnsaidError: the playground cannot compute it, or computes other numbers.
    """
    if (outputs := len(graph.get("seeds", []))) != 1:
        raise UnsaidError(OUTPUTS.format(outputs))
    if any("complex" in node.get("dtype", "") for node in graph["nodes"]):
        raise UnsaidError(COMPLEX)
    most = max(math.prod(node.get("shape", ())) for node in graph["nodes"])
    if most > LARGEST:
        raise UnsaidError(LARGE.format(most, LARGEST))
    writer = _Writer(graph, written or {})
    nodes = [graph["nodes"][place] for place in graph["forward"]]
    leaves = [node for node in nodes if node["kind"] == "leaf"]
    leaves.sort(key=lambda node: node.get("names", []))
    for node in leaves + nodes[len(leaves) :]:  # in "forward" leaves stand first
        writer.take(node)
    writer.start(graph["seeds"][0][2])
    program = "\n".join(writer.lines)
    if len(_fragment(program)) > FRAGMENT:
        raise UnsaidError(LONG)
    _check(program, graph, writer)
    return program


class _Writer:
    """Writes a line after the other, and computes what they give."""

    def __init__(self, graph: _Json, written: dict[str, str]) -> None:
        self.written = written
        self.lines: list[str] = []
        self.names: dict[str, Tensor] = {}
        self.terms: dict[int, _Term] = {}
        self.constants: dict[str, _Term] = {}
        self.into: dict[int, dict[int, int]] = {n["id"]: {} for n in graph["nodes"]}
        for edge in graph["edges"]:
            self.into[edge["dst"]][edge["arg"]] = edge["src"]
        self.out = {edge["src"]: graph["nodes"][edge["dst"]] for edge in graph["edges"]}
        self.uses = Counter(edge["src"] for edge in graph["edges"])
        for edge in graph["edges"]:  # what is used several times gets a name
            user = graph["nodes"][edge["dst"]]
            self.uses[edge["src"]] += operation(user["op"]) in _SPELT

    def take(self, node: _Json) -> None:
        """Say a node, whose operands have been said."""
        named = node.get("names") or node.get("root") or self.uses[node["id"]] > 1
        if node["kind"] == "leaf":
            term = self._leaf(node)
        elif node["kind"] == "op":
            term = self._applied(node)
        else:
            raise UnsaidError(HIDDEN)
        if named and node["kind"] == "op":
            term = self._named(node.get("names"), term.text, term.value)
        self.terms[node["id"]] = term

    def _leaf(self, node: _Json) -> _Term:
        value = self._numbers(node.get("value"), *node.get("names", ()))
        text = f"tensor({value.tolist()}, requires_grad=True)"
        term = self._named(node.get("names"), text, value)
        if (before := dict(node.get("attrs", ())).get(BEFORE)) is not None:
            self.lines.append(f"{term.text}.grad = tensor({_tensor(before).tolist()})")
        return term

    def _numbers(self, drawn: Any, *names: str) -> Tensor:
        """Return numbers that are drawn, or else those of the page's code."""
        said = [self.written[name] for name in names if name in self.written]
        if said and _is_left_out(drawn):
            made = eval(said[0], {"torch": torch, "math": math})
            return torch.as_tensor(made).detach().double()
        return _tensor(drawn)

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
        inputs = [self.terms[into[k]].value for k in sorted(into)]
        way = _spelt(op, node, inputs) or _way(op, node, attrs, len(into))
        if way is None or any(attrs.get(k, v) != v for k, v in _USUAL.items()):
            own = "custom Function" in node.get("notes", ())
            called = node["op"].removesuffix("Backward") if own else op
            raise UnsaidError((OWN if own else LACKING).format(called))
        given = [
            self.terms[into[k]] if k in into else self._constant(op, k, node, attrs)
            for k in range(1 + max(map(int, re.findall(r"{(\d+)}", way.text))))
        ]
        names = [f"t{k}" for k in range(len(given))]
        values = dict(zip(names, (term.value for term in given), strict=True))
        value = eval(way.text.format(*names), {**_CALLS, **values})
        if [*value.shape] != node["shape"]:
            why = LOST if op in _LISTS else LACKING
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
        if isinstance(value, str) and (value in attrs or value in self.written):
            if value not in self.constants:
                numbers = self._numbers(attrs.get(value), value)
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
        result = self._result(node)
        if op not in ("add", "sub", "rsub") or result is None:
            raise UnsaidError(LOST.format(op))
        given = self.terms[self.into[node["id"]][1 - place]].value
        return added_constant(op, given, result, getattr(torch, node["dtype"]))

    def _result(self, node: _Json) -> Tensor | None:
        """Return a node's value as it is drawn, or else by what it is divided by."""
        if node.get("value") is not None:
            return _tensor(node["value"])
        after = self.out.get(node["id"], {})
        by = dict(after.get("attrs", ())).get("other")
        if "value" not in after or not isinstance(by, int | float):
            return None
        divided = operation(after["op"]) == "div"
        return _tensor(after["value"]) * by if divided else None


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


def _spelt(op: str, node: _Json, inputs: list[Tensor]) -> _Way | None:
    """Return how an operation that the playground lacks is said by those that it has.

    Its operands stand there several times. The determinant of a matrix of shape (2, 2),
    the maximum of one plane, and the convolution of one plane, (1, 1, rows, columns),
    by one kernel, which takes windows of its own size.
    """
    shapes = [tuple(x.shape) for x in inputs]
    if op == "linalg_det" and shapes == [(2, 2)]:
        return _Way("{0}[0, 0] * {0}[1, 1] - {0}[0, 1] * {0}[1, 0]", SUM, (ATOM,))
    if any(len(shape) != 4 or shape[:2] != (1, 1) for shape in shapes):
        return None
    ones = ", ".join(map(str, node["shape"]))
    if op == "max_pool2d_with_indices" and node["shape"] == [1, 1, 1, 1]:
        text = f"{{0}}.flatten().max(0).values.reshape({ones})"
        return _Way(text, ATOM, (ATOM,))
    if op != "convolution" or len(inputs) != 2:
        return None
    (rows, columns), (high, wide) = node["shape"][2:], shapes[1][2:]
    if shapes[0][2:] != (rows + high - 1, columns + wide - 1):
        return None  # its windows stand elsewhere
    corners = product(range(rows), range(columns))
    windows = [f"{{0}}[:, :, {i}:{i + high}, {j}:{j + wide}]" for i, j in corners]
    rows_of = ", ".join(f"{window}.flatten()" for window in windows)
    text = f"(stack([{rows_of}], 0) @ {{1}}.flatten()).reshape({ones})"
    return _Way(text, ATOM, (ATOM, ATOM))


def _condition(attrs: _Json) -> Any:
    """Return which entries where() takes from its first operand, as lists."""
    known = attrs.get("condition")
    known = attrs.get(known, known) if isinstance(known, str) else known
    if known is None or isinstance(known, str):
        raise UnsaidError(UNDRAWN)
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


def _is_left_out(value: Any) -> bool:
    return value is None or (isinstance(value, str) and value.endswith(" numbers"))


def _tensor(value: Any) -> Tensor:
    """Return numbers as a tensor; what the drawing has no room for is no number."""
    try:
        found = torch.tensor(value, dtype=torch.float64)
    except (TypeError, ValueError, RuntimeError):
        raise UnsaidError(UNDRAWN) from None
    return found


def _check(program: str, graph: _Json, writer: _Writer) -> None:
    """Run a program with PyTorch, and compare what it gives with the graph.

    Raises:
        UnsaidError: it gives other values, or other gradients.
    """
    made = _run(program)
    for node in graph["nodes"]:
        own = made.get(writer.terms[node["id"]].text)
        if own is None:
            continue
        grad = own.grad if node["kind"] == "leaf" else None
        held = any(name == BEFORE for name, _ in node.get("attrs", ()))
        arrived = node.get("grad" if held else "adjoint")
        for ours, drawn in ((own, node.get("value")), (grad, arrived)):
            if ours is not None and not _same(ours, drawn):
                raise UnsaidError(OTHER)


def _run(program: str) -> dict[str, Any]:
    """Run a program and its backward pass, as the playground does; return its names."""
    made: dict[str, Any] = dict(_CALLS)
    exec(program, made)
    last = program.splitlines()[-1]
    if ".backward(" not in last:
        made[last.split(" = ")[0]].backward()
    return made


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
