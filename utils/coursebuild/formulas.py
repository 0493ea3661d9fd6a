r"""Parse the LaTeX of our lessons into small trees that keep their places.

A formula is one or more equations, separated by ``\\``, blank lines, commas or
``\quad``; a row that begins with a relation continues the one above.  Side by
side is multiplication, tighter than ``\cdot`` and ``\odot``; a function without
parentheses takes one factor, which a number may precede.  What is not
understood is a :class:`FormulaError` at its place, never a guess.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

__all__ = ["FUNCTIONS", "Equation", "FormulaError", "Node", "parse"]

FUNCTIONS = frozenset(
    "exp ln sin cos tan sinh cosh tanh arctan sqrt abs sign max min sigma sigmoid"  # noqa: SIM905
    " softmax softplus relu logsumexp diag tr det mean sum".split()
)
_ALIASES = {"ReLU": "relu", "sgn": "sign", "trace": "tr"}
_FONTS = {"mathbf", "boldsymbol", "bm", "mathit", "mathsf", "vec", "mathcal"}
_NAMED = {"text", "mathrm", "operatorname", "textit", "texttt", "textrm"}
_GREEK = frozenset(
    "alpha beta gamma delta epsilon varepsilon zeta eta theta lambda mu nu xi pi rho"  # noqa: SIM905
    " sigma tau phi varphi chi psi omega Delta Theta Lambda Phi Psi Omega ell".split()
)
_SPACE = re.compile(
    r"\\[,;:! ]|\s|~|%.*|\\(?:left|right|[bB]igg?[lr]?|limits|displaystyle)(?![A-Za-z])"
)
_TOKEN = re.compile(
    r"(?P<number>\d{1,3}(?:\\,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
    r"|(?P<command>\\(?:[A-Za-z]+|.))|(?P<letter>[^\W\d_])|(?P<sign>\S)"
)
_DIGIT = re.compile(r"(?P<number>\d)")  # TeX takes one: \frac12, x^23 is x^2 3
_FRACTIONS = (r"\frac", r"\tfrac", r"\dfrac")
_SINGLE = (*_FRACTIONS, "^", "_")
_RELATIONS = {"=": "=", r"\approx": "≈", r"\simeq": "≈"}
_DIFFERENTIALS = {"d", r"\partial"}
_MATRICES = {"pmatrix", "bmatrix", "matrix", "smallmatrix"}
_WRAPPERS = {"aligned", "align", "split", "gathered", "equation"}
_WORDS = {"and", "with", "where", "for", "at", "if", "so", "or", "hence"}
_OPERATORS = {
    "/": "over",
    "*": "times",
    r"\times": "times",
    r"\cdot": "dot",
    r"\odot": "hadamard",
}
_NO_FACTOR = frozenset(
    (")", "]", "}", r"\}", ",", "+", "-", "&", "\\\\", r"\end", "_", "^")
)
_CLOSING = {"(": ")", "[": "]", r"\{": r"\}", r"\lvert": r"\rvert", "|": "|"}
_NORMS = {r"\|": r"\|", r"\lVert": r"\rVert", r"\Vert": r"\Vert"}


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
    at: int


@dataclass(frozen=True)
class Equation:
    """A chain: ``relations[k]`` stands between members k and k + 1.

    ``text`` is what was written, ``start`` its offset in the formula.
    """

    members: tuple[Node, ...]
    relations: tuple[str, ...]
    text: str
    start: int


@dataclass(frozen=True)
class _Token:
    text: str
    kind: str
    at: int


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
    rows = _rows(_normal(_tokens(text)))
    for row in rows:
        _refuse_hidden(row)
    return tuple(
        _Parser(row, is_function).equation(text)
        for row in rows
        if _top_level(row, _RELATIONS)
    )


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    at = 0
    while at < len(text):
        if blank := re.match(r"\s*\n[ \t]*\n\s*", text[at:]):
            found.append(_Token(r"\\", "command", at))
            at += blank.end()
        elif space := _SPACE.match(text, at):
            at = space.end()
        else:
            before = ["", "", *(t.text for t in found[-2:])]
            above = before[-2] in _FRACTIONS and before[-1].isdigit()
            single = above or before[-1] in _SINGLE
            match = (single and _DIGIT.match(text, at)) or _TOKEN.match(text, at)
            assert match is not None  # the last alternative takes any sign
            found.append(_Token(match[0], str(match.lastgroup), at))
            at = match.end()
    return found


def _normal(tokens: list[_Token]) -> list[_Token]:
    """Drop alignment wrappers, unbrace lone operators, turn words into commas."""
    joined = [t.text for t in tokens]
    kept: list[_Token] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        word, after = _group(joined, at + 1)
        if token.text in (r"\begin", r"\end") and word.rstrip("*") in _WRAPPERS:
            at = after
        elif token.text == r"\text" and word in _WORDS:
            kept.append(_Token(",", "sign", token.at))
            at = after
        elif token.text in (r"\mathrm", r"\text") and word == "d":
            kept.append(_Token("d", "letter", token.at))
            at = after
        elif joined[at : at + 3] in (["{", op, "}"] for op in _OPERATORS):
            kept.append(tokens[at + 1])
            at += 3
        else:
            kept.append(token)
            at += 1
    return kept


def _group(texts: list[str], at: int) -> tuple[str, int]:
    """Return the text of the braces or of the one token at a place, and its end."""
    depth, end = 0, at
    while end < len(texts):
        depth += (texts[end] == "{") - (texts[end] == "}")
        end += 1
        if depth == 0:
            break
    inner = texts[at + 1 : end - 1] if texts[at : at + 1] == ["{"] else texts[at:end]
    return "".join(inner), end


def _top_level(tokens: list[_Token], wanted: Collection[str]) -> list[int]:
    """Return the places of tokens that stand in no bracket or environment."""
    depth, found = 0, []
    for place, token in enumerate(tokens):
        depth -= token.text in (")", "]", "}", r"\}", r"\end")
        if depth == 0 and token.text in wanted:
            found.append(place)
        depth += token.text in ("(", "[", "{", r"\{", r"\begin")
    return found


def _refuse_hidden(row: list[_Token]) -> None:
    r"""Refuse an equation in braces, which would state something unchecked."""
    opened: list[str] = []
    for before, token in zip([None, *row], row, strict=False):
        if token.text in ("{", "("):
            opened.append(before.text if before and token.text == "{" else "")
        elif token.text in ("}", ")") and opened:
            opened.pop()
        elif token.text in _RELATIONS and opened and opened[-1] not in ("_", r"\text"):
            raise FormulaError("take this equation out of its braces", token.at)


def _rows(tokens: list[_Token]) -> list[list[_Token]]:
    """Split a formula into its equations."""
    aligned = set(_top_level(tokens, {"&"}))
    cuts = {"\\\\", ",", ";", r"\quad", r"\qquad", r"\Rightarrow", r"\implies"}
    places = [*_top_level(tokens, cuts), len(tokens)]
    rows: list[list[_Token]] = []
    start, broken = 0, False
    for place in places:
        row = [tokens[k] for k in range(start, place) if k not in aligned]
        while row and row[-1].text == ".":
            row.pop()
        joins = row and (
            row[0].text in _RELATIONS or (broken and row[0].text in ("+", "-"))
        )
        if joins and rows:
            rows[-1] += row
        elif row:
            rows.append(row)
        ends = place < len(tokens) and tokens[place].text == "\\\\"
        broken = ends or (broken and not row)
        start = place + 1
    return _without_ranges(rows)


def _without_ranges(rows: list[list[_Token]]) -> list[list[_Token]]:
    """Drop ``i = 0, \\dots, 3``; refuse what says nothing beside an equation."""
    words = ["".join(t.text for t in row) for row in rows]
    kept, k = [], 0
    while k < len(rows):
        if (
            re.fullmatch(r"[a-z]=\d+", words[k])
            and words[k + 1 : k + 2]
            and (words[k + 1] in (r"\dots", r"\ldots", r"\cdots"))
        ):
            k += 3
            continue
        kept.append(rows[k])
        k += 1
    equations = [bool(_top_level(row, _RELATIONS)) for row in kept]
    if any(equations) and not all(equations):
        odd = kept[equations.index(False)][0]
        raise FormulaError("no equation here: write one equation per formula", odd.at)
    return kept


class _Parser:
    """A recursive descent over the tokens of one equation."""

    def __init__(self, tokens: list[_Token], is_function: Callable[[str], bool]):
        self._tokens = list(tokens)
        self._is_function = is_function
        self._place = 0
        self._closers: list[str] = []

    def equation(self, text: str) -> Equation:
        members, relations = [self._definition() or self._sum()], []
        while self._text in _RELATIONS:
            relations.append(_RELATIONS[self._next().text])
            members.append(self._sum())
        self._end()
        start, last = self._tokens[0].at, self._tokens[-1]
        written = text[start : last.at + len(last.text)]
        return Equation(tuple(members), tuple(relations), written, start)

    # Reading tokens

    @property
    def _text(self) -> str:
        tokens = self._tokens
        return tokens[self._place].text if self._place < len(tokens) else ""

    @property
    def _at(self) -> int:
        if self._place < len(self._tokens):
            return self._tokens[self._place].at
        return self._tokens[-1].at + len(self._tokens[-1].text) if self._tokens else 0

    def _next(self) -> _Token:
        if self._place >= len(self._tokens):
            raise FormulaError("the formula ends too early", self._at)
        self._place += 1
        return self._tokens[self._place - 1]

    def _skip(self, text: str) -> bool:
        found = self._text == text
        self._place += found
        return found

    def _expect(self, text: str) -> None:
        if not self._skip(text):
            found = self._text or "the end"
            raise FormulaError(f"expected {text}, found {found}", self._at)

    def _end(self) -> None:
        if self._text:
            raise FormulaError(f"cannot read {self._text} here", self._at)

    def _within(self, closer: str) -> Node:
        self._closers.append(closer)
        node = self._sum()
        self._closers.pop()
        self._expect(closer)
        return node

    def _single(self) -> Node:
        """Read a TeX argument: a group in braces, or one token."""
        if self._skip("{"):
            return self._within("}")
        node = self._atom()
        if node.op == "number" and len(node.args[0]) > 1:
            raise FormulaError("TeX takes one digit here: write braces", node.at)
        return node

    # Sums, products, factors

    def _definition(self) -> Node | None:
        """Read ``f(x, y)`` on the left, also where f is no function yet."""
        start = self._place
        try:
            name = self._atom()
            items = self._items() if name.op == "name" and self._text == "(" else ()
            if items and self._text == "=" and all(i.op == "name" for i in items):
                return Node("call", (name.args[0], items), name.at)
        except FormulaError:
            pass  # it is read again, as an expression, which reports
        self._place = start
        self._closers.clear()
        return None

    def _sum(self) -> Node:
        at = self._at
        negative = self._text == "-"
        if self._text in ("+", "-"):
            self._next()
        node = self._product()
        if negative:
            node = Node("minus", (node,), at)
        while self._text in ("+", "-"):
            token = self._next()
            op = "plus" if token.text == "+" else "minus"
            node = Node(op, (node, self._product()), token.at)
        return node

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
            elif self._text == "-":
                at = self._next().at
                right = Node("minus", (self._juxtaposed(),), at)
            else:
                right = self._juxtaposed()
            node = Node(_OPERATORS[token.text], (node, right), token.at)
        return node

    def _juxtaposed(self) -> Node:
        node = self._factor()
        while self._starts_factor():
            at = self._at
            node = Node("times", (node, self._factor()), at)
        return node

    def _starts_factor(self) -> bool:
        text = self._text
        if not text or text in self._closers[-1:] or text in _NO_FACTOR:
            return False
        return text not in _RELATIONS and text not in _OPERATORS

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
        word, end = _group([t.text for t in self._tokens], self._place)
        plain = re.sub(r"\\(mathsf|mathrm|mathbf)\{?(\w)\}?", r"\2", word)
        if plain.lstrip("-") in ("T", r"\top", r"\intercal"):
            self._place = end
            if plain.startswith("-"):
                minus = Node("minus", (Node("number", ("1",), at),), at)
                node = Node("power", (node, minus), at)
            return Node("transpose", (node,), at)
        if word in ("*", r"\star", r"\ast") and node.op == "name":
            self._place = end
            return Node("name", (f"{node.args[0]}_star",), node.at)
        return Node("power", (node, self._single()), at)

    def _subscript(self, node: Node, at: int) -> Node:
        word, end = _group([t.text for t in self._tokens], self._place)
        label = re.fullmatch(r"\\(?:text|mathrm)\{?([A-Za-z]\w*)\}?", word)
        if label and node.op == "name":
            self._place = end
            return Node("name", (f"{node.args[0]}_{label[1]}",), node.at)
        subs = self._list("}") if self._skip("{") else (self._single(),)
        return Node("index", (node, tuple(s for sub in subs for s in _split(sub))), at)

    def _prime(self, node: Node, at: int) -> Node:
        count = 1
        while self._skip("'"):
            count += 1
        if node.op != "name":
            raise FormulaError("a prime belongs to the name of a function", at)
        items = self._items() if self._text == "(" else ()
        return Node("prime", (node.args[0], count, items), node.at)

    def _items(self) -> tuple[Node, ...]:
        self._expect("(")
        return self._list(")")

    def _list(self, closer: str) -> tuple[Node, ...]:
        self._closers.append(closer)
        items = [self._sum()]
        while self._skip(","):
            items.append(self._sum())
        self._closers.pop()
        self._expect(closer)
        return tuple(items)

    # Atoms

    def _atom(self) -> Node:
        token = self._next()
        text, at = token.text, token.at
        if token.kind == "number":
            if re.fullmatch(r"e-?\d", "".join(t.text[:1] for t in self._ahead(3))[:3]):
                raise FormulaError(r"write the power of ten: \cdot 10^{…}", self._at)
            return Node("number", (re.sub(r"\\,", "", text),), at)
        if text in ("(", "[", r"\{"):
            items = self._list(_CLOSING[text])
            return items[0] if len(items) == 1 else Node("tuple", items, at)
        if text == "{":
            return self._within("}")
        if text in ("|", r"\lvert"):
            return Node("call", ("abs", (self._within(_CLOSING[text]),)), at)
        if text in _NORMS:
            return self._norm(_NORMS[text], at)
        if text in _DIFFERENTIALS and (node := self._slashed(text, at)):
            return node
        if token.kind == "letter":
            return self._named(text, at)
        if text.startswith("\\"):
            return self._command(text[1:], at)
        raise FormulaError(f"cannot read {text} here", at)

    def _ahead(self, count: int) -> list[_Token]:
        return self._tokens[self._place : self._place + count]

    def _norm(self, closer: str, at: int) -> Node:
        inner = self._within(closer)
        order = "2"
        if self._skip("_"):
            order, self._place = _group([t.text for t in self._tokens], self._place)
        return Node("norm", (inner, order), at)

    def _command(self, name: str, at: int) -> Node:
        if f"\\{name}" in _FRACTIONS:
            return self._fraction(at)
        if name == "sqrt":
            return Node("call", ("sqrt", (self._single(),)), at)
        if name in ("sum", "prod") or (name in ("max", "min") and self._text == "_"):
            return self._big(name, at)
        if name == "nabla":
            return self._nabla(at)
        if name == "begin":
            return self._matrix(at)
        if name in _FONTS | _NAMED | {"bar", "hat", "tilde", "underbrace"}:
            return self._dressed(name, at)
        if name in _GREEK:
            return self._named(name, at)
        if name in ("log", *FUNCTIONS):
            return self._applied({"log": "ln"}.get(name, name), at)
        if name in ("dots", "ldots", "cdots"):
            raise FormulaError("write every number out: dots hide what is stated", at)
        if name == "infty":
            return Node("name", ("infty",), at)
        raise FormulaError(f"unknown command \\{name}", at)

    def _dressed(self, dress: str, at: int) -> Node:
        if dress == "underbrace":
            node = self._single()
            if self._skip("_"):
                _, self._place = _group([t.text for t in self._tokens], self._place)
            return node
        if dress in ("hat", "tilde", "bar"):
            inner = self._single()
            if inner.op != "name":
                raise FormulaError(f"\\{dress} belongs on one name", at)
            if dress == "bar":
                return Node("bar", (inner.args[0],), at)
            return self._named(f"{inner.args[0]}_{dress}", at)
        word, self._place = _group([t.text for t in self._tokens], self._place)
        word = word.replace("\\_", "_").lstrip("\\")
        if word in ("1", "0"):
            return Node(
                "ones" if word == "1" else "number", ("1" if word == "1" else "0",), at
            )
        word = _ALIASES.get(word, word)
        if dress in _NAMED and word in FUNCTIONS:
            return self._applied(word, at)
        if not word.isidentifier():
            raise FormulaError(f"{word!r} is no name", at)
        return self._named(word, at)

    def _named(self, name: str, at: int) -> Node:
        applied = self._is_function(name) or (name == "sigma" and self._text == "(")
        if applied and self._text == "(":
            return Node("call", (name, self._items()), at)
        return Node("name", (name,), at)

    def _applied(self, name: str, at: int) -> Node:
        """Apply a function to parentheses, or to one factor without them."""
        power = None
        if self._text == "'":
            self._next()
            return self._prime(Node("name", (name,), at), at)
        if self._skip("^"):
            power = self._single()
        if self._text == "(":
            node = Node("call", (name, self._items()), at)
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
        lower = upper = None
        if not self._skip("_"):
            raise FormulaError(f"over what? write \\{name}_i", at)
        braced = self._skip("{")
        letters = [self._next()]
        while braced and self._text not in ("}", "="):
            self._skip(",")
            letters.append(self._next())
        for letter in letters:
            if letter.kind != "letter":
                raise FormulaError("a sum runs over letters", letter.at)
        if braced and self._skip("="):
            lower = self._sum()
        if braced:
            self._expect("}")
        if self._skip("^"):
            upper = self._single()
        if (lower is None) != (upper is None):
            raise FormulaError("a sum has both limits or none", at)
        names = tuple(letter.text for letter in letters)
        return Node("big", (name, names, lower, upper, self._juxtaposed()), at)

    def _matrix(self, at: int) -> Node:
        kind, self._place = _group([t.text for t in self._tokens], self._place)
        if kind not in _MATRICES:
            raise FormulaError(f"unknown environment {kind}", at)
        rows: list[list[Node]] = [[]]
        while not self._skip(r"\end"):
            rows[-1].append(self._sum())
            if self._skip("\\\\") and self._text != r"\end":
                rows.append([])
            elif self._text != r"\end":
                self._skip("&")
        _, self._place = _group([t.text for t in self._tokens], self._place)
        if len({len(row) for row in rows}) != 1:
            raise FormulaError("the rows of this matrix have different lengths", at)
        return Node("matrix", tuple(tuple(row) for row in rows), at)

    # Derivatives

    def _nabla(self, at: int) -> Node:
        targets: tuple[Node, ...] = ()
        order = 1
        while self._text in ("_", "^"):
            if self._next().text == "^":
                order = _count(self._single())
            elif self._skip("{"):
                targets = self._list("}")
            else:
                targets = (self._single(),)
        if not self._starts_factor():
            raise FormulaError("the gradient of what?", self._at)
        return Node("derivative", ("nabla", self._juxtaposed(), targets, order), at)

    def _fraction(self, at: int) -> Node:
        words = [t.text for t in self._tokens]
        _, middle = _group(words, self._place)
        sign = words[self._place + (words[self._place] == "{")]
        below = words[middle : middle + 3]
        if sign in _DIFFERENTIALS and below[:2] == ["{", sign] and below[2:] != ["}"]:
            return self._leibniz(sign, at)
        return Node("over", (self._single(), self._single()), at)

    def _leibniz(self, sign: str, at: int) -> Node:
        braced = self._skip("{")
        self._expect(sign)
        order = _count(self._single()) if self._skip("^") else 1
        operand = None
        if braced and not self._skip("}"):
            operand = self._within("}")
        self._expect("{")
        targets: list[Node] = []
        while not self._skip("}"):
            self._expect(sign)
            target = self._factor()
            times = 1
            if target.op == "power":
                times = _count(target.args[1])
                target = target.args[0]
            targets += [target] * times
        if len(targets) != order:
            raise FormulaError("the orders above and below differ", at)
        if operand is None:
            operand = self._juxtaposed()
        return Node("derivative", ("partial", operand, tuple(targets), 1), at)

    def _slashed(self, sign: str, at: int) -> Node | None:
        r"""Read ``dy/dx``, ``\partial y_i/\partial x_j`` or ``\partial_x y``."""
        if sign != "d" and self._skip("_"):
            targets = self._list("}") if self._skip("{") else (self._single(),)
            return Node("derivative", ("partial", self._juxtaposed(), targets, 1), at)
        start, closers = self._place, list(self._closers)
        try:
            operand = self._factor()
            self._expect("/")
            self._expect(sign)
            return Node("derivative", ("partial", operand, (self._factor(),), 1), at)
        except FormulaError:
            if sign != "d":
                raise
        self._place, self._closers = start, closers
        return None


def _split(sub: Node) -> list[Node]:
    """Take ``ij`` and ``n2`` in a subscript as two indices, not as a product."""
    if sub.op == "times":
        return [node for factor in sub.args for node in _split(factor)]
    return [sub]


def _count(node: Node) -> int:
    if node.op != "number" or not node.args[0].isdigit():
        raise FormulaError("the order of a derivative is a number", node.at)
    return int(node.args[0])
