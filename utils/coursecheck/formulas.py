r"""Parse the LaTeX of our lessons into small trees that keep their places.

A formula is one or more equations, separated by ``\\``, blank lines, commas or
``\quad``; a row that begins with a relation continues the one above.  Side by
side is multiplication, tighter than ``\cdot`` and ``\odot``; a function without
parentheses takes one factor, which a number may precede.  What is not
understood is a :class:`FormulaError` at its place, never a guess.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

__all__ = ["FUNCTIONS", "Equation", "FormulaError", "Node", "names_in", "parse", "walk"]

FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    **{k: getattr(torch, k) for k in ("exp", "sin", "cos", "tan", "arctan", "sinh")},
    **{k: getattr(torch, k) for k in ("cosh", "tanh", "sqrt", "abs", "sign", "relu")},
    **{k: getattr(torch, k) for k in ("sigmoid", "mean", "sum")},
    "ln": torch.log,
    "sigma": torch.sigmoid,
    "softplus": torch.nn.functional.softplus,
    "softmax": lambda x: torch.softmax(x, -1),
    "logsumexp": lambda x: torch.logsumexp(x, -1),
    "diag": torch.diag,
    "tr": torch.trace,
    "det": torch.linalg.det,
    "max": torch.amax,
    "min": torch.amin,
}
_ALIASES = {"ReLU": "relu", "sgn": "sign", "trace": "tr", "log": "ln"}
_FONTS = {"mathbf", "boldsymbol", "bm", "mathit", "mathsf", "vec", "mathcal"}
_UPRIGHT = {"text", "mathrm", "operatorname", "textit", "texttt", "textrm"}
_GREEK = frozenset(
    "alpha beta gamma delta epsilon varepsilon zeta eta theta lambda mu nu xi pi rho"  # noqa: SIM905
    " sigma tau phi varphi chi psi omega Delta Theta Lambda Phi Psi Omega ell".split()
)
_RELATIONS = {"=": "=", r"\approx": "≈", r"\simeq": "≈"}
_CONDITIONS = {"<": "<", r"\le": "<=", r"\leq": "<=", "=": "=", r"\ne": "!="}
_CONDITIONS |= {">": ">", r"\ge": ">=", r"\geq": ">=", r"\neq": "!="}
_DIFFERENTIALS = {"d", r"\partial"}
_OPERATORS = {
    "/": "over",
    "*": "times",
    r"\times": "times",
    r"\cdot": "dot",
    r"\odot": "hadamard",
}
_BETWEEN = {*_OPERATORS, *_CONDITIONS, *_RELATIONS, ",", "+", "-", "&", "\\\\"}
_NO_FACTOR = {*_BETWEEN, "_", "^", r"\right|", ")", "]", "}", r"\}", r"\rvert"}
_CUTS = {"\\\\", ",", ";", r"\quad", r"\qquad", r"\Rightarrow", r"\implies"}
_BAR = r"\right|"  # \Big|_{x=3}, the place of a derivative
_TABLES = ("pmatrix", "bmatrix", "matrix", "smallmatrix", "cases")
_BRACKETS = {rf"\begin{{{k}}}": rf"\end{{{k}}}" for k in _TABLES}
_BRACKETS |= {"(": ")", "[": "]", "{": "}", r"\{": r"\}", "|": "|", r"\left.": _BAR}
_BRACKETS |= {r"\|": r"\|", r"\lVert": r"\rVert", r"\Vert": r"\Vert"}
_BRACKETS |= {r"\lvert": r"\rvert"}
_CLOSING = set(_BRACKETS.values()) - {"|", r"\|", r"\Vert", _BAR}
_NORMS = {r"\|", r"\lVert", r"\Vert"}
_TOKEN = re.compile(
    r"(?P<row>\s*\n[ \t]*\n\s*)"
    r"|(?P<bar>\\(?:right|[bB]igg?[lr]?)\s*(?:\||\\[lr]?vert)(?=\s*_))"
    r"|(?P<open>\\left\s*\.)"
    r"|\\[,;:! ]|\s|~|%.*"
    r"|\\(?:left|right|[bB]igg?[lr]?|limits|displaystyle)(?![A-Za-z])"
    r"|\\(?:begin|end)\{(?:aligned|align|split|gathered|equation)\*?\}"
    r"|(?P<word>\\text\{\s*(?:and|with|where|for|at|if|so|or|hence)\s*\})"
    r"|\\(?:mathrm|text)\{(?P<d>d)\}|\{\s*(?P<lone>/|\*|\\times|\\cdot|\\odot)\s*\}"
    r"|(?P<number>\d{1,3}(?:\\,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
    r"|(?P<other>\\(?:begin|end)\{\w+\}|\\(?:[A-Za-z]+|.)|\S)"
)
_TRANSPOSED = re.compile(r"(-?)(?:\\top|\\intercal|T|\\math(?:sf|rm|bf)\{?T\}?)")
_LABEL = re.compile(r"\\(?:text|mathrm)\{?([A-Za-z]\w*)\}?")
_NORMAL = {"row": "\\\\", "word": ",", "bar": _BAR, "open": r"\left."}


class FormulaError(Exception):
    """What cannot be read or computed, and the offset in the formula."""

    def __init__(self, message: str, at: int = 0) -> None:
        super().__init__(message)
        self.at = at


@dataclass(frozen=True)
class Node:
    """One operation of a formula: ``args`` are nodes, names or numbers."""

    op: str
    args: tuple[Any, ...]
    at: int = field(default=0, compare=False)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names that stand in it, each once, in order."""
        return self.args if self.op == "name" else tuple(names_in(self.args))


@dataclass(frozen=True)
class Equation:
    """A chain: ``relations[k]`` stands between members k and k + 1.

    ``text`` is what was written, ``start`` its offset in the formula.
    """

    members: tuple[Node, ...]
    relations: tuple[str, ...]
    text: str
    start: int

    @cached_property
    def letters(self) -> tuple[str, ...]:
        """The letters that stand in subscripts and are bound by no sum."""
        found = list(walk(self.members))
        bound = {letter for n in found if n.op == "big" for letter in n.args[1]}
        subs = [s for n in found if n.op == "index" for s in n.args[1]]
        names = (sub.args[0] for sub in subs if sub.op == "name")
        return tuple(dict.fromkeys(name for name in names if name not in bound))


@dataclass(frozen=True)
class _Token:
    """A sign or word; or an opening bracket, with all that stands in it."""

    text: str
    at: int
    end: int
    inner: tuple[_Token, ...] = ()


def parse(
    text: str, is_function: Callable[[str], bool] = lambda name: False
) -> tuple[Equation, ...]:
    r"""Read every equation of a formula; what states no equality is left out.

    ``is_function`` tells which names are applied by parentheses, so that
    ``f(x)`` is a value and ``x(y + 1)`` a product.

    >>> [equation] = parse(r"\nabla_x y = 4x = (0, 4)")
    >>> [member.op for member in equation.members]
    ['derivative', 'times', 'tuple']
    """
    rows = _rows(_tokens(text))
    for row in rows:
        _refuse_hidden(row)
    stating = [row for row in rows if any(t.text in _RELATIONS for t in row)]
    return tuple(_Parser(text, row, is_function).equation() for row in stating)


def walk(item: object) -> Iterator[Node]:
    """Yield the nodes in a node or a tuple, each before what is below it."""
    stack = [item]
    while stack:
        item = stack.pop()
        if isinstance(item, Node):
            yield item
            stack += reversed(item.args)
        elif isinstance(item, tuple | list):
            stack += reversed(item)


def names_in(item: object) -> list[str]:
    """Return the names that stand in some nodes, each once, in order."""
    if isinstance(item, Node):
        return list(item.names)
    parts = item if isinstance(item, tuple | list) else ()
    return list(dict.fromkeys(name for part in parts for name in names_in(part)))


def _tokens(text: str) -> list[_Token]:
    """Read signs and words, and nest what stands in brackets."""
    stack: list[tuple[str, int, list[_Token]]] = [("", 0, [])]
    for match in _TOKEN.finditer(text):
        kind, at, end = match.lastgroup, *match.span()
        if kind is None:
            continue
        word = _NORMAL.get(kind, match[kind])
        opener, start, inner = stack[-1]
        closer = _BRACKETS.get(opener)
        between = not inner or inner[-1].text in _BETWEEN  # no bar closes here
        if word == closer and not (word == opener and between):
            stack.pop()
            stack[-1][2].append(_Token(opener, start, end, tuple(inner)))
        elif word in _BRACKETS:
            stack.append((word, at, []))
        elif word in _CLOSING and closer:
            raise FormulaError(f"expected {closer}, found {word}", at)
        else:
            inner.append(_Token(word, at, end))
    if len(stack) > 1:
        raise FormulaError(f"expected {_BRACKETS[stack[-1][0]]}", len(text))
    return stack[0][2]


def _refuse_hidden(tokens: Sequence[_Token]) -> None:
    r"""Refuse an equation in brackets, which would state something unchecked."""
    for before, token in pairwise([None, *tokens]):
        if token.text == r"\begin{cases}" or (
            before and before.text in ("_", r"\text")
        ):
            continue
        for inner in token.inner:
            if inner.text in _RELATIONS:
                raise FormulaError("take this equation out of its braces", inner.at)
        _refuse_hidden(token.inner)


def _split(tokens: Sequence[_Token], cuts: set[str]) -> list[list[_Token]]:
    """Split at some signs; each part but the first begins with its sign."""
    parts: list[list[_Token]] = [[]]
    for token in tokens:
        if token.text in cuts:
            parts.append([])
        parts[-1].append(token)
    return parts


def _rows(tokens: list[_Token]) -> list[list[_Token]]:
    """Split a formula into its equations."""
    rows: list[list[_Token]] = []
    broken = False  # the line; a plus or minus then goes on
    for part in _split([t for t in tokens if t.text != "&"], _CUTS):
        broken |= bool(part) and part[0].text == "\\\\"
        row = part[1:] if part and part[0].text in _CUTS else part
        while row and row[-1].text == ".":
            row = row[:-1]
        if not row:
            continue
        joins = row[0].text in _RELATIONS or (broken and row[0].text in ("+", "-"))
        if joins and rows:
            rows[-1] += row
        else:
            rows.append(row)
        broken = False
    return _without_ranges(rows)


def _without_ranges(rows: list[list[_Token]]) -> list[list[_Token]]:
    """Drop ``i = 0, \\dots, 3``; refuse what says nothing beside an equation."""
    dots = {r"\dots", r"\ldots", r"\cdots"}
    places = [k for k, row in enumerate(rows) if row[0].text in dots and k]
    for k in reversed(places):
        if len(rows[k - 1]) == 3:
            del rows[k - 1 : k + 2]
    odd = [row for row in rows if not any(t.text in _RELATIONS for t in row)]
    if odd and len(odd) < len(rows):
        place = odd[0][0].at
        raise FormulaError("no equation here: write one equation per formula", place)
    return rows


class _Parser:
    """A recursive descent over the tokens of one equation or of one bracket."""

    def __init__(
        self,
        source: str,
        tokens: Sequence[_Token],
        is_function: Callable[[str], bool],
        end: int | None = None,
    ) -> None:
        self._source, self._tokens = source, list(tokens)
        self._is_function = is_function
        self._place = 0
        self._stop = tokens[-1].end if end is None else end

    def equation(self) -> Equation:
        start, end = self._tokens[0].at, self._tokens[-1].end
        first = self._definition()
        if first and self._text not in _RELATIONS:
            self._place, first = 0, None
        members, relations = [first or self._sum()], []
        while self._text in _RELATIONS:
            relations.append(_RELATIONS[self._next().text])
            members.append(self._sum())
        self._end()
        written = self._source[start:end]
        return Equation(tuple(members), tuple(relations), written, start)

    # Reading tokens

    @property
    def _text(self) -> str:
        left = self._place < len(self._tokens)
        return self._tokens[self._place].text if left else ""

    @property
    def _at(self) -> int:
        return self._tokens[self._place].at if self._text else self._stop

    def _next(self) -> _Token:
        if not self._text:
            raise FormulaError("the formula ends too early", self._stop)
        self._place += 1
        return self._tokens[self._place - 1]

    def _skip(self, text: str) -> bool:
        found = self._text == text
        self._place += found
        return found

    def _end(self) -> None:
        if self._text:
            raise FormulaError(f"cannot read {self._text} here", self._at)

    def _word(self, token: _Token) -> str:
        """Return what is written in some braces, or the one sign without them."""
        inner = (token.inner[0].at, token.inner[-1].end) if token.inner else (0, 0)
        start, end = inner if token.text == "{" else (token.at, token.end)
        return "".join(self._source[start:end].split())

    def _argument(self) -> tuple[str, int]:
        r"""Return what is written next, ``\text{a}`` as a whole; count its tokens."""
        taken = 1 + self._text.startswith((r"\math", r"\text"))
        tokens = self._tokens[self._place : self._place + taken]
        return "".join(map(self._word, tokens)), taken

    def _inside(self, tokens: Sequence[_Token], end: int) -> _Parser:
        return _Parser(self._source, tokens, self._is_function, end)

    def _list(self, bracket: _Token) -> tuple[Node, ...]:
        """Read what stands between the commas in a bracket."""
        inside = self._inside(bracket.inner, bracket.end)
        items = [inside._sum()]
        while inside._skip(","):
            items.append(inside._sum())
        inside._end()
        return tuple(items)

    def _several(self) -> tuple[Node, ...]:
        """Read what stands in braces, or a single token."""
        braced = self._text == "{"
        return self._list(self._next()) if braced else (self._single(),)

    def _only(self, bracket: _Token) -> Node:
        return self._inside(bracket.inner, bracket.end)._whole()

    def _single(self) -> Node:
        """Read a TeX argument: a group in braces, or one token."""
        text = self._text
        if text[:1].isdigit() and len(text) > 1:  # TeX takes one digit
            token = self._tokens[self._place]
            cut = token.at + 1
            first = _Token(text[0], token.at, cut)
            rest = _Token(text[1:], cut, token.end)
            self._tokens[self._place : self._place + 1] = [first, rest]
        node = self._atom()
        if node.op == "number" and text[:1] == ".":
            raise FormulaError("TeX takes one digit here: write braces", node.at)
        return node

    # Sums, products, factors

    def _definition(self) -> Node | None:
        """Read ``f(x, y)``, also where f is no function."""
        start = self._place
        if (
            self._text.isalpha()
            or self._text.lstrip("\\") in _GREEK | _UPRIGHT | _FONTS
        ):
            name = self._atom()
            if name.op == "name" and self._text == "(":
                bracket = self._next()
                if not self._starts_factor() and self._text not in ("^", "_", "'"):
                    items = self._list(bracket)
                    if all(item.op == "name" for item in items):
                        return Node("call", (name.args[0], items), name.at)
        self._place = start
        return None

    def _sum(self) -> Node:
        self._skip("+")
        node = self._negated(self._product)
        while self._text in ("+", "-"):
            token = self._next()
            op = "plus" if token.text == "+" else "minus"
            node = Node(op, (node, self._product()), token.at)
        return node

    def _negated(self, read: Callable[[], Node]) -> Node:
        at = self._at
        return Node("minus", (read(),), at) if self._skip("-") else read()

    def _product(self) -> Node:
        node = self._juxtaposed()
        while self._text in _OPERATORS:
            token = self._next()
            if token.text == "/":
                right = self._factor()
                if self._starts_factor():
                    raise FormulaError(
                        r"what is below the line? write \frac or parentheses", self._at
                    )
            else:
                right = self._negated(self._juxtaposed)
            node = Node(_OPERATORS[token.text], (node, right), token.at)
        return node

    def _juxtaposed(self) -> Node:
        node = self._factor()
        while self._starts_factor():
            at = self._at
            node = Node("times", (node, self._factor()), at)
        return self._evaluated(node) if self._skip(_BAR) else node

    def _evaluated(self, node: Node) -> Node:
        r"""Read ``_{x=3, y=2}`` after a bar: where the node is taken."""
        self._skip("_")
        place = self._next()
        [*rows] = (_split(part, {"="}) for part in _split(place.inner, {","}))
        pairs = []
        for row in rows:
            name = self._inside([t for t in row[0] if t.text != ","], place.end)._sum()
            if name.op != "name" or len(row) != 2:
                raise FormulaError("where? write x = 3 below the bar", place.at)
            pairs.append((name.args[0], self._inside(row[1][1:], place.end)._whole()))
        return Node("at", (node, tuple(pairs)), place.at)

    def _whole(self) -> Node:
        node = self._sum()
        self._end()
        return node

    def _starts_factor(self) -> bool:
        text = self._text
        return bool(text) and text not in _NO_FACTOR

    def _factor(self) -> Node:
        node = self._atom()
        while self._text in ("^", "_", "'"):
            token = self._next()
            if token.text == "^":
                node = self._power(node, token.at)
            elif token.text == "_":
                node = self._subscript(node, token.at)
            else:
                node = self._prime(node, token.at)
        return node

    def _power(self, node: Node, at: int) -> Node:
        word, taken = self._argument()
        if match := _TRANSPOSED.fullmatch(word):
            self._place += taken
            if match[1]:
                minus = Node("minus", (Node("number", ("1",), at),), at)
                node = Node("power", (node, minus), at)
            return Node("transpose", (node,), at)
        if word in ("*", r"\star", r"\ast") and node.op == "name":
            self._next()
            return Node("name", (f"{node.args[0]}_star",), node.at)
        return Node("power", (node, self._single()), at)

    def _subscript(self, node: Node, at: int) -> Node:
        word, taken = self._argument()
        if (label := _LABEL.fullmatch(word)) and node.op == "name":
            self._place += taken
            return Node("name", (f"{node.args[0]}_{label[1]}",), node.at)
        subs = (s for sub in self._several() for s in _apart(sub))
        return Node("index", (node, tuple(subs)), at)

    def _prime(self, node: Node, at: int) -> Node:
        count = 1
        while self._skip("'"):
            count += 1
        if node.op != "name":
            raise FormulaError("a prime belongs to the name of a function", at)
        items = self._list(self._next()) if self._text == "(" else ()
        return Node("prime", (node.args[0], count, items), node.at)

    # Atoms

    def _atom(self) -> Node:
        token = self._next()
        text, at = token.text, token.at
        if text[-1].isdigit():
            if re.match(r"e-?\d", self._source[token.end :]):
                raise FormulaError(r"write the power of ten: \cdot 10^{…}", token.end)
            return Node("number", (text.replace(r"\,", ""),), at)
        if text in ("(", "[", "{", r"\{", r"\left."):
            items = self._list(token)
            node = items[0] if len(items) == 1 else Node("tuple", items, at)
            return self._evaluated(node) if text == r"\left." else node
        if text in ("|", r"\lvert"):
            return Node("call", ("abs", (self._only(token),)), at)
        if text in _NORMS:
            order = self._word(self._next()) if self._skip("_") else "2"
            return Node("norm", (self._only(token), order), at)
        if text.startswith(r"\begin"):
            return self._table(token)
        if text in _DIFFERENTIALS and (node := self._slashed(text, at)):
            return node
        if text.isalpha():
            return self._named(text, at)
        if text.startswith("\\"):
            return self._command(text[1:], at)
        raise FormulaError(f"cannot read {text} here", at)

    def _command(self, name: str, at: int) -> Node:
        if name in ("frac", "tfrac", "dfrac"):
            return self._fraction(at)
        if name == "sqrt":
            return Node("call", ("sqrt", (self._single(),)), at)
        if name in ("sum", "prod") or (name in ("max", "min") and self._text == "_"):
            return self._big(name, at)
        if name == "nabla":
            return self._nabla(at)
        if name in ("bar", "hat", "tilde"):
            return self._accented(name, at)
        if name == "underbrace":
            node = self._single()
            if self._skip("_"):
                self._next()
            return node
        if name in _FONTS | _UPRIGHT:
            return self._styled(name, at)
        if name in _GREEK or name == "infty":
            return self._named(name, at)
        if _ALIASES.get(name, name) in FUNCTIONS:
            return self._applied(_ALIASES.get(name, name), at)
        if name in ("dots", "ldots", "cdots"):
            raise FormulaError("write every number out: dots hide what is stated", at)
        raise FormulaError(f"unknown command \\{name}", at)

    def _accented(self, accent: str, at: int) -> Node:
        inner = self._single()
        if inner.op != "name":
            raise FormulaError(f"\\{accent} belongs on one name", at)
        if accent == "bar":
            return Node("bar", inner.args, at)
        return self._named(f"{inner.args[0]}_{accent}", at)

    def _styled(self, style: str, at: int) -> Node:
        word = self._word(self._next()).replace("\\_", "_").lstrip("\\")
        if word in ("0", "1"):
            return Node("number", ("0",), at) if word == "0" else Node("ones", (), at)
        word = _ALIASES.get(word, word)
        if style in _UPRIGHT and word in FUNCTIONS:
            return self._applied(word, at)
        if not word.isidentifier():
            raise FormulaError(f"{word!r} is no name", at)
        return self._named(word, at)

    def _named(self, name: str, at: int) -> Node:
        applied = self._is_function(name) or name == "sigma"
        if applied and self._text == "(":
            return Node("call", (name, self._list(self._next())), at)
        return Node("name", (name,), at)

    def _applied(self, name: str, at: int) -> Node:
        """Apply a function to parentheses, or to one factor without them."""
        if self._skip("'"):
            return self._prime(Node("name", (name,), at), at)
        power = self._single() if self._skip("^") else None
        if self._text == "(":
            node = Node("call", (name, self._list(self._next())), at)
        else:
            argument = self._factor()
            if argument.op == "number" and self._starts_factor():
                argument = Node("times", (argument, self._factor()), at)
            node = Node("call", (name, (argument,)), at)
            if self._starts_factor() and self._text.lstrip("\\") not in FUNCTIONS:
                raise FormulaError(
                    f"where does {name} end? write parentheses", self._at
                )
        return Node("power", (node, power), at) if power else node

    def _big(self, name: str, at: int) -> Node:
        r"""Read a sum over letters, with limits or over all there is."""
        if not self._skip("_"):
            raise FormulaError(f"over what? write \\{name}_i", at)
        token = self._next()
        letters, *limit = _split(token.inner or (token,), {"="})
        names = tuple(t.text for t in letters if t.text != ",")
        for letter in letters:
            if not letter.text.isalpha() and letter.text != ",":
                raise FormulaError("a sum runs over letters", letter.at)
        lower = self._inside(limit[0][1:], token.end)._whole() if limit else None
        upper = self._single() if self._skip("^") else None
        if (lower is None) != (upper is None):
            raise FormulaError("a sum has both limits or none", at)
        return Node("big", (name, names, lower, upper, self._juxtaposed()), at)

    def _table(self, token: _Token) -> Node:
        """Read a matrix, or values with their conditions."""
        kind = token.text[7:-1]
        if token.text not in _BRACKETS:
            raise FormulaError(f"unknown environment {kind}", token.at)
        rows = []
        for row in _split(token.inner, {"\\\\"}):
            row = row[1:] if row and row[0].text == "\\\\" else row
            cells = [[t for t in cell if t.text != "&"] for cell in _split(row, {"&"})]
            if row:
                rows.append(cells)
        if kind == "cases":
            return Node("cases", tuple(self._case(*row) for row in rows), token.at)
        if len({len(row) for row in rows}) != 1:
            message = "the rows of this matrix have different lengths"
            raise FormulaError(message, token.at)
        entries = ((self._inside(c, token.end)._whole() for c in row) for row in rows)
        return Node("matrix", tuple(map(tuple, entries)), token.at)

    def _case(
        self, value: list[_Token], when: Sequence[_Token] = ()
    ) -> tuple[Node, ...]:
        """Read a value and its condition; "otherwise" and nothing are none."""
        sides = _split([t for t in when if t.text != ","], set(_CONDITIONS))
        if value[-1].text == ",":
            value = value[:-1]
        node = self._inside(value, value[-1].end)._whole()
        if len(sides) == 1:
            return (node,)
        left, right = (self._inside(side, side[-1].end) for side in sides)
        test = _CONDITIONS[right._next().text]
        return node, Node(test, (left._whole(), right._whole()), node.at)

    # Derivatives

    def _nabla(self, at: int) -> Node:
        targets: tuple[Node, ...] = ()
        order = 1
        while self._text in ("_", "^"):
            if self._next().text == "^":
                order = _count(self._single())
            else:
                targets = self._several()
        if not self._starts_factor():
            raise FormulaError("the gradient of what?", self._at)
        of = (targets and self._definition()) or self._juxtaposed()
        return Node("derivative", ("nabla", of, targets, order), at)

    def _fraction(self, at: int) -> Node:
        above, below = (self._peek_inner(k) for k in (0, 1))
        sign = above[0].text if above else ""
        if sign in _DIFFERENTIALS and len(below) > 1 and below[0].text == sign:
            return self._leibniz(sign, above, below, at)
        return Node("over", (self._single(), self._single()), at)

    def _peek_inner(self, ahead: int) -> tuple[_Token, ...]:
        tokens = self._tokens[self._place + ahead :][:1]
        return tokens[0].inner or (tokens[0],) if tokens else ()

    def _leibniz(
        self,
        sign: str,
        above: tuple[_Token, ...],
        below: tuple[_Token, ...],
        at: int,
    ) -> Node:
        self._place += 2
        top = self._inside(above[1:], above[-1].end)
        order = _count(top._single()) if top._skip("^") else 1
        operand = top._whole() if top._text else None
        targets: list[Node] = []
        bottom = self._inside(below, below[-1].end)
        while bottom._skip(sign):
            target, times = bottom._factor(), 1
            if target.op == "power":
                target, times = target.args[0], _count(target.args[1])
            targets += [target] * times
        bottom._end()
        if len(targets) != order:
            raise FormulaError("the orders above and below differ", at)
        operand = operand or self._juxtaposed()
        return Node("derivative", ("partial", operand, tuple(targets), 1), at)

    def _slashed(self, sign: str, at: int) -> Node | None:
        r"""Read ``dy/dx``, ``\partial y_i/\partial x_j`` or ``\partial_x y``."""
        if sign != "d" and self._skip("_"):
            targets = self._several()
            return Node("derivative", ("partial", self._juxtaposed(), targets, 1), at)
        start = self._place
        if self._starts_factor():
            operand = self._factor()
            if self._skip("/") and self._skip(sign):
                target = (self._factor(),)
                return Node("derivative", ("partial", operand, target, 1), at)
        if sign != "d":
            raise FormulaError("expected a fraction of differentials", at)
        self._place = start
        return None


def _apart(sub: Node) -> list[Node]:
    """Take ``ij`` and ``n2`` in a subscript as two indices, not as a product."""
    if sub.op == "times":
        return [node for factor in sub.args for node in _apart(factor)]
    return [sub]


def _count(node: Node) -> int:
    if node.op != "number" or not node.args[0].isdigit():
        raise FormulaError("the order of a derivative is a number", node.at)
    return int(node.args[0])
