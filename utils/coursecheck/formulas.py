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
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

from coursecheck.tokens import (
    BAR,
    BOUNDS,
    BRACKETS,
    CONDITIONS,
    CUTS,
    DOTS,
    DOUBLE,
    MEMBERSHIP,
    OPERATORS,
    RELATIONS,
    UPRIGHT,
    FormulaError,
    Token,
    is_other_relation,
    rows,
    split,
    tokens,
)

__all__ = [
    "FUNCTIONS",
    "Equation",
    "FormulaError",
    "Node",
    "is_fraction",
    "names_in",
    "parse",
    "walk",
]

FUNCTIONS = frozenset(
    "exp sin cos tan arctan sinh cosh tanh sqrt abs sign relu sigmoid mean sum arcsin"  # noqa: SIM905
    " arccos erf erfc floor ceil ln Re Im sigma softplus silu gelu shape softmax"
    " logsumexp diag tr det max min".split()
)
_ALIASES = {"ReLU": "relu", "sgn": "sign", "trace": "tr", "Tr": "tr", "log": "ln"}
_FONTS = {"mathbf", "boldsymbol", "bm", "mathit", "mathsf", "vec", "mathcal", "mathbb"}
_GREEK = frozenset(
    "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa"  # noqa: SIM905
    " lambda mu nu xi pi rho sigma tau upsilon phi varphi chi psi omega ell Gamma"
    " Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega".split()
)
_DIFFERENTIALS = {"d", r"\partial"}
_NO_FACTOR = {*OPERATORS, *CONDITIONS, *RELATIONS, *MEMBERSHIP, ",", "+", "-", "&"}
_NO_FACTOR |= {"\\\\", "_", "^", "!", BAR, ")", "]", "}", r"\}", r"\rvert"}
_NORMS = {r"\|", r"\lVert", r"\Vert", DOUBLE}
_TRANSPOSED = re.compile(r"(-?)(?:\\top|\\intercal|T|\\math(?:sf|rm|bf)\{?T\}?)")
_LABEL = re.compile(r"\\(?:text|math|operatorname)(?:rm|it|sf|bf)?\{?([A-Za-z]\w*)\}?")
_OTHERWISE = re.compile(r"(\\text(rm)?\{?|,|\{|\s)*(otherwise|else|elsewhere|)\W*")
_TEN = re.compile(r"e-?\d|\\(?:mathrm|text|operatorname)\{[eE]\}\s*(?:\{[-+]?\d|\d)")
_SIGNS = {**BOUNDS, **RELATIONS, **MEMBERSHIP}
_HINTS = {
    ".": r": this is code, or write \operatorname{shape}(x)",
    ":": r": a row is A_1, a column A e_1",
}
_RELATED = {  # what to write instead of a relation that nobody checks
    **dict.fromkeys((r"\leftarrow", r"\gets", "←"), "give the new value a name and ="),
    **dict.fromkeys((r"\mapsto", "↦"), "write f(x) = …"),
    **dict.fromkeys((r"\to", r"\rightarrow", "→"), "write =, or f(x) = … for a map"),
    r"\sim": r"write \approx",
    **dict.fromkeys((r"\ll", r"\gg"), "it leaves open by how much: write < or >"),
    r"\not": r"write \ne, \ge or \notin",
    ":": r"write \frac for a ratio",
}
_ROUNDED = {r"\lfloor": "floor", r"\lceil": "ceil"}
_SETS = {r"\{": "set", "[": "closed", "(": "open"}
_BRACES = {r"\underbrace", r"\overbrace"}
_ARROWS = {r"\to", r"\rightarrow", r"\longrightarrow", "→"}
_REMEDIES = {
    "%": "write it as a fraction of 1",
    "not": r"write \ne",
    "circ": r"write radians: \frac{\pi}{2}",
    "overline": r"write \bar x for an adjoint, \operatorname{mean}(x) for a mean",
    "lim": "no limit is computed: state the quotient for one h, or mark it as law",
    "int": "no integral is computed: mark it as law",
    "otimes": r"write x z^\top for the outer product",
    "dot": r"write \frac{dy}{dt}",
    "ddot": r"write \frac{d^2 y}{dt^2}",
    "dim": r"write \operatorname{shape}(x)",
    "norm": r"write \lVert x \rVert",
    "abs": r"write \lvert x \rvert",
    "lg": r"write \log_2 or \log_{10}",
    "pm": "write one equation for each sign",
    "mp": "write one equation for each sign",
    "in": "say in words what it belongs to",
    "forall": r"say it in words: \text{ for all } x, or outside of the formula",
    "exists": "say it in words, outside of the formula",
    "arg": "write the index itself, or mark it as law",
    "ast": r"write \cdot or \odot for a product",
    "star": r"write \cdot or \odot for a product",
    "substack": "write a sum under each sum",
}
_UNREAD = "the page on formulas lists what is read; mark as law what no code computes"


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


_SIZED = Node("ones", ()), Node("name", ("I",))  # their index is their size
Span = tuple[str, Node, Node]  # a letter, and from where to where it counts


@dataclass(frozen=True)
class Equation:
    """A chain: ``relations[k]`` stands between members k and k + 1.

    ``text`` is what was written, ``start`` its offset in the formula, ``spans``
    what the formula says of how far its letters count.
    """

    members: tuple[Node, ...]
    relations: tuple[str, ...]
    text: str
    start: int
    spans: tuple[Span, ...] = ()

    @cached_property
    def runs(self) -> tuple[Equation, ...]:
        """The stretches in which the members are equal: what bounds part."""
        ends = [k for k, sign in enumerate(self.relations) if sign not in "=≈"]
        cuts = pairwise([-1, *ends, len(self.relations)])
        return tuple(
            replace(
                self,
                members=self.members[start + 1 : end + 1],
                relations=self.relations[start + 1 : end],
            )
            for start, end in cuts
        )

    @cached_property
    def bounds(self) -> tuple[str, ...]:
        """The relations between two runs."""
        return tuple(sign for sign in self.relations if sign not in "=≈")

    @cached_property
    def letters(self) -> tuple[str, ...]:
        """The letters that stand in subscripts and are bound by no sum."""
        found = list(walk(self.members))
        bound = {letter for n in found if n.op == "big" for letter in n.args[1]}
        indexed = [n for n in found if n.op == "index" and n.args[0] not in _SIZED]
        subs = [s for n in indexed for s in n.args[1]]
        names = (sub.args[0] for sub in subs if sub.op == "name")
        return tuple(dict.fromkeys(name for name in names if name not in bound))


def parse(
    text: str,
    is_function: Callable[[str], bool] = lambda name: False,
    is_result: Callable[[str], bool] = lambda name: False,
    is_known: Callable[[str], bool] = lambda name: False,
) -> tuple[Equation, ...]:
    r"""Read every equation of a formula; what states no equality is left out.

    ``is_function`` tells which names are applied by parentheses, so that
    ``f(x)`` is a value and ``x(y + 1)`` a product; ``is_result`` those that do not
    count, as ``i`` does in ``i = 0, \dots, 3``; ``is_known`` those with a value, of
    which ``h \to 0`` is no condition.

    >>> [equation] = parse(r"\nabla_x y = 4x = (0, 4)")
    >>> [member.op for member in equation.members]
    ['derivative', 'times', 'tuple']
    """
    found = tokens(text)
    parts, spans = _without_spans(text, rows(found), is_function, is_known)
    parts = [row for row in parts if not _is_condition(row, is_known)]
    related = [row for row in parts if any(t.text in _SIGNS for t in row)]
    _refuse_odd(text, [row for row in parts if row not in related], found, related)
    read = [_Parser(text, row, is_function).related() for row in related]
    equations = [replace(equation, spans=spans) for equation in read if equation]
    for letter, low, _ in spans:
        used = any(letter in equation.letters for equation in equations)
        if is_result(letter) or (equations and not used):
            raise FormulaError(f"nothing beside it has {letter} as an index", low.at)
    return tuple(equations)


def _is_condition(row: Sequence[Token], is_known: Callable[[str], bool]) -> bool:
    r"""Tell whether it says what a letter may be: ``h \to 0``, ``i \in \{1, 2\}``."""
    letter, *signs = (token.text for token in row)
    limits = bool(signs) and (signs[0] in _ARROWS or signs[0] in MEMBERSHIP)
    single = letter.lstrip("\\") in _GREEK or (letter.isalpha() and len(letter) == 1)
    others = any(s in _SIGNS or is_other_relation(s) for s in signs[1:])
    return limits and single and not others and not is_known(letter.lstrip("\\"))


def _refuse_odd(
    text: str,
    odd: list[list[Token]],
    found: Sequence[Token],
    related: Sequence[Sequence[Token]],
) -> None:
    """Refuse what is no equation and has numbers, or stands beside an equation."""
    implied = [t for t in found if t.text in CUTS]  # 3 \Rightarrow 5
    alone = [t for row in odd for t in row] + implied
    for row in odd if related else [alone]:
        _refuse_unchecked(row)
    strange = [row for row in odd if not _is_remark(text, row)]
    if strange and related:
        raise FormulaError(
            "no equation here: write one equation per formula, a condition as"
            r" \begin{cases}, thousands as 1{,}234, an inner product as \langle"
            r" x, z \rangle",
            strange[0][0].at,
        )


def _refuse_unchecked(row: Sequence[Token]) -> None:
    r"""Refuse ``y \sim 15``: a relation that nobody checks, beside a number."""
    numbers = _numbers(row)
    signs = (t for t in (*row, *_grouped(row)) if is_other_relation(t.text))
    _refuse_labels(row)
    if numbers and (sign := next(signs, None)):
        remedy = _RELATED.get(sign.text, r"write =, \approx, < or \in")
        raise FormulaError(
            f"nobody checks what {sign.text} says of a number: {remedy}, say it in"
            " words, or mark it as law",
            sign.at,
        )


def _refuse_labels(row: Sequence[Token]) -> None:
    """Refuse what states something below or above a brace."""
    for brace, sign, label in zip(row, row[2:], row[3:], strict=False):
        if brace.text in _BRACES and sign.text in ("_", "^"):
            _refuse_stating(label)
    for token in row:
        _refuse_labels(token.inner)


def _refuse_stating(label: Token) -> None:
    """Refuse numbers and relations at a brace; letters and words may name it."""
    below = [Token("", label.at, label.at), *(label.inner or (label,))]
    for before, token in pairwise(below):
        related = token.text in _SIGNS or is_other_relation(token.text)
        if related or (token.text[-1].isdigit() and before.text not in ("_", "^")):
            raise FormulaError(
                "nothing checks what stands at a brace: write it behind =", token.at
            )


def _grouped(row: Sequence[Token]) -> Iterator[Token]:
    """Yield what stands in groups, but below or above nothing."""
    for before, token in pairwise((Token("", 0, 0), *row)):
        if before.text not in ("_", "^"):
            yield from token.inner
            yield from _grouped(token.inner)


def _numbers(row: Sequence[Token], *, sizes: bool = False) -> bool:
    r"""Tell whether there are numbers: in ``x_1`` there is none.

    With ``sizes``, those of ``\mathbb R^2`` count.
    """
    kept = [
        token
        for k, token in enumerate(row)
        if not k
        or (row[k - 1].text != "_" and (sizes or not _is_name_above(row[:k], token)))
    ]
    return any(t.text[-1].isdigit() or _numbers(t.inner, sizes=sizes) for t in kept)


def _is_name_above(before: Sequence[Token], token: Token) -> bool:
    space = [t.text for t in before[-3:-2]] == [r"\mathbb"]
    layer = [t.text for t in token.inner[:1]] in (["("], ["["])
    return before[-1].text == "^" and (space or layer)


def _is_remark(text: str, row: Sequence[Token]) -> bool:
    r"""Tell whether a row says nothing: a word, a letter, ``f \mapsto g``."""
    source = text[row[0].at : row[-1].end]
    if any(t.text == r"\forall" or is_other_relation(t.text) for t in row):
        return not _numbers(row)
    said = row[0].text.lstrip("\\") in UPRIGHT and len(row) == 2
    letter = len(row) == 1 and row[0].text.lstrip("\\").isalpha()
    return (said or letter) and not any(map(str.isdigit, source))


def _without_spans(
    text: str,
    found: list[list[Token]],
    is_function: Callable[[str], bool],
    is_known: Callable[[str], bool],
) -> tuple[list[list[Token]], tuple[Span, ...]]:
    r"""Take out ``i = 0, \dots, 3``, ``i = 0, 1, 2``, and ``i \in \{0, 1, 2\}``."""
    kept: list[list[Token]] = []
    spans: list[Span] = []
    while found:
        row, *found = found
        below = any(_is_below(row[0], r) for r in (*kept, *found))
        member = [token.text for token in row[1:]] == [r"\in", r"\{"]
        if member and (below or not is_known(row[0].text)):
            items = _items(row[2].inner)
            taken = _counted(items) if _counted(items) == len(items) else 0
        else:
            items = [row[2:], *found]
            taken = _counted(items) if row[1:] and row[1].text == "=" else 0
            dotted = any(t.text in DOTS for item in items[:taken] for t in item)
            taken = taken if dotted or below else 0
        ends = items[:1] + items[taken - 1 : taken]
        if taken < 2 or not all(ends) or not row[0].text.isalpha():
            kept.append(row)
            continue
        found = found if row[1].text == r"\in" else found[taken - 1 :]
        low, high = (_Parser(text, end, is_function)._whole() for end in ends)
        spans.append((row[0].text, low, high))
    return kept, tuple(spans)


def _inside(token: Token) -> Iterator[Token]:
    for inner in token.inner:
        yield inner
        yield from _inside(inner)


def _is_below(letter: Token, items: Sequence[Token]) -> bool:
    """Tell whether a letter stands in an index, below or raised."""
    return any(
        letter.text in (t.text, *(inner.text for inner in _inside(t)))
        for before, t in pairwise(items)
        if before.text in ("_", "^")
    ) or any(_is_below(letter, token.inner) for token in items)


def _items(inner: Sequence[Token]) -> list[list[Token]]:
    """Part what stands between commas, and leave the commas out."""
    return [[t for t in part if t.text != ","] for part in split(inner, {","})]


def _counted(items: Sequence[Sequence[Token]]) -> int:
    """Return how many of the items count up: 0, 1, 2, or 0, …, n - 1."""
    texts = ["".join(token.text for token in item) for item in items]
    taken = 1
    while taken < len(items) and texts[taken - 1].isdigit() and texts[taken].isdigit():
        if int(texts[taken]) != int(texts[taken - 1]) + 1:
            return 1
        taken += 1
    dotted = taken < len(items) - 1 and texts[taken] in DOTS
    return taken + 2 if dotted else taken


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


class _Parser:
    """A recursive descent over the tokens of one equation or of one bracket."""

    def __init__(
        self,
        source: str,
        tokens: Sequence[Token],
        is_function: Callable[[str], bool],
        end: int | None = None,
    ) -> None:
        self._source, self._tokens = source, list(tokens)
        self._is_function = is_function
        self._place = 0
        self._stop = tokens[-1].end if end is None else end

    def related(self) -> Equation | None:
        r"""Read an equation; ``x \in \mathcal X`` says nothing without a number."""
        row = list(self._tokens)
        signs = {_SIGNS[t.text] for t in row if t.text in _SIGNS}
        try:
            return self.equation()
        except FormulaError:
            if signs <= set(MEMBERSHIP.values()) and not _numbers(row, sizes=True):
                return None
            raise

    def equation(self) -> Equation:
        start, end = self._tokens[0].at, self._tokens[-1].end
        first = self._definition()
        if first and self._text not in _SIGNS:
            self._place, first = 0, None
        members, relations = [first or self._sum()], []
        while self._text in _SIGNS:
            relations.append(_SIGNS[self._next().text])
            member = relations[-1] in MEMBERSHIP.values()
            members.append(self._set() if member else self._sum())
        self._end()
        written = self._source[start:end]
        return Equation(tuple(members), tuple(relations), written, start)

    def _set(self) -> Node:
        r"""Read ``\{0, 1\}``, ``[0, 1]``, ``(0, 1)`` or ``\mathbb R^{2 \times 3}``."""
        token = self._next()
        if token.text in _SETS:
            return Node(_SETS[token.text], self._list(token), token.at)
        letter = self._word(self._next()) if token.text == r"\mathbb" else ""
        sizes: tuple[Node, ...] = ()
        if letter and self._skip("^"):
            group = self._next()
            parts = split(group.inner or (group,), {r"\times"})
            inside = (self._inside(p[k > 0 :], group.end) for k, p in enumerate(parts))
            sizes = tuple(part._whole() for part in inside)
        if letter not in ("R", "Z", "N", "C"):
            raise FormulaError(r"a set is \{0, 1\}, [0, 1] or \mathbb R^n", token.at)
        return Node("space", (letter, sizes), token.at)

    # Reading tokens

    @property
    def _text(self) -> str:
        left = self._place < len(self._tokens)
        return self._tokens[self._place].text if left else ""

    @property
    def _at(self) -> int:
        return self._tokens[self._place].at if self._text else self._stop

    def _next(self) -> Token:
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
            raise _unread(self._text, self._at)

    def _word(self, token: Token) -> str:
        """Return what is written in some braces, or the one sign without them."""
        inner = (token.inner[0].at, token.inner[-1].end) if token.inner else (0, 0)
        start, end = inner if token.text == "{" else (token.at, token.end)
        return "".join(self._source[start:end].split())

    def _argument(self) -> tuple[str, int]:
        r"""Return what is written next, ``\text{a}`` as a whole; count its tokens."""
        taken = 1 + self._text.startswith((r"\math", r"\text"))
        tokens = self._tokens[self._place : self._place + taken]
        return "".join(map(self._word, tokens)), taken

    def _inside(self, tokens: Sequence[Token], end: int) -> _Parser:
        return _Parser(self._source, tokens, self._is_function, end)

    def _list(self, bracket: Token) -> tuple[Node, ...]:
        """Read what stands between the commas in a bracket."""
        if any(token.text in DOTS for token in bracket.inner):
            return (self._dotted(bracket),)
        inside = self._inside(bracket.inner, bracket.end)
        items = [inside._sum()]
        while inside._skip(","):
            items.append(inside._sum())
        inside._end()
        return tuple(items)

    def _dotted(self, bracket: Token) -> Node:
        r"""Read ``x_1, \dots, x_n``: all entries, and from where they are counted."""
        parts = _items(bracket.inner)
        at = next(token.at for token in bracket.inner if token.text in DOTS)
        dots = [
            k for k, part in enumerate(parts) if [t.text in DOTS for t in part] == [1]
        ]
        ends = [
            self._inside(part, bracket.end)._whole()
            for k, part in enumerate(parts)
            if part and k not in dots
        ]
        entries = all(node.op == "index" for node in ends)
        named = {(node.args[0], len(node.args[1])) for node in ends if entries}
        if len(ends) < 2 or dots != [len(parts) - 2] or len(named) != 1:
            message = "write every number out: dots hide what is stated"
            raise FormulaError(message, at)
        [low, *more, high] = (node.args[1][0] for node in ends)
        heads = [node.args[0] for node in (low, *more)]
        if heads != [str(k) for k in range(_count(low), _count(low) + len(heads))]:
            raise FormulaError("count up by 1 to the dots", at)
        return Node("entries", (ends[0].args[0], low, high), bracket.at)

    def _several(self) -> tuple[Node, ...]:
        """Read what stands in braces, or a single token."""
        braced = self._text == "{"
        return self._list(self._next()) if braced else (self._single(),)

    def _only(self, bracket: Token) -> Node:
        return self._inside(bracket.inner, bracket.end)._whole()

    def _single(self) -> Node:
        """Read a TeX argument: a group in braces, or one token."""
        text = self._text
        if text[:1].isdigit() and len(text) > 1:  # TeX takes one digit
            token = self._tokens[self._place]
            cut = token.at + 1
            first = Token(text[0], token.at, cut)
            rest = Token(text[1:], cut, token.end)
            self._tokens[self._place : self._place + 1] = [first, rest]
        node = self._atom()
        if node.op == "number" and text[:1] == ".":
            raise FormulaError("TeX takes one digit here: write braces", node.at)
        return node

    # Sums, products, factors

    def _definition(self) -> Node | None:
        """Read ``f(x, y)``, also where f is no function."""
        start = self._place
        if self._text.isalpha() or self._text.lstrip("\\") in _GREEK | UPRIGHT | _FONTS:
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
        while self._text in OPERATORS:
            token = self._next()
            if token.text == "/":
                right = self._factor()
                if self._starts_factor():
                    raise FormulaError(
                        r"what is below the line? write \frac or parentheses", self._at
                    )
            else:
                right = self._negated(self._juxtaposed)
                sides = (side.names for side in (node, right) if side.op == "name")
                if token.text == r"\circ" and any(
                    self._is_function(name) for names in sides for name in names
                ):
                    raise FormulaError("write f(g(x)), or \\odot", token.at)
            node = Node(OPERATORS[token.text], (node, right), token.at)
        return node

    def _juxtaposed(self) -> Node:
        node = self._factors()
        return self._evaluated(node) if self._skip(BAR) else node

    def _factors(self) -> Node:
        """Read factors side by side; a bar behind them is of what they stand in."""
        node = self._factor()
        last = node
        while self._starts_factor():
            at = self._at
            last = self._beside(last)
            node = Node("times", (node, last), at)
        return node

    def _beside(self, left: Node) -> Node:
        """Read a factor beside another; refuse ``2 4``, which is shown as 24."""
        before, first = self._tokens[self._place - 1 : self._place + 1]
        right = base = self._factor()
        while base.op in ("power", "factorial", "index"):
            base = base.args[0]
        mixed = first.text.endswith("frac") and is_fraction(base)
        if _is_size(before) and _is_size(first):
            raise FormulaError(
                r"shapes are written (2, 3)(3, 4), a product of numbers with \cdot",
                first.at,
            )
        apart = "(" in (before.text, first.text) or "[" in (before.text, first.text)
        if left.op == "number" and not apart and (base.op == "number" or mixed):
            raise FormulaError(
                r"readers take two numbers side by side for one: write \cdot, or"
                r" 1\,000 for a thousand",
                first.at,
            )
        return right

    def _evaluated(self, node: Node) -> Node:
        r"""Read ``_{x=3, y=2}`` after a bar: where the node is taken."""
        self._skip("_")
        place = self._next()
        [*rows] = (split(part, {"="}) for part in split(place.inner, {","}))
        pairs = []
        for row in rows:
            name = self._inside([t for t in row[0] if t.text != ","], place.end)._sum()
            each = name.op == "index" and all(sub.op == "name" for sub in name.args[1])
            base = name.args[0] if each else name
            if base.op != "name" or len(row) != 2:
                raise FormulaError(
                    "where? write x = 3 below the bar, x_i = 3 for each entry of x,"
                    " x = (1, 2) for entries that differ",
                    place.at,
                )
            value = self._inside(row[1][1:], place.end)._whole()
            if each:
                value = Node("each_entry", (value, *name.args[1]), value.at)
            pairs.append((base.args[0], value))
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
        while self._text in ("^", "_", "'", "!"):
            token = self._next()
            if token.text == "!" and node.op == "factorial":
                raise FormulaError("write this product out", token.at)
            if token.text == "!":
                node = Node("factorial", (node,), token.at)
            elif token.text == "^":
                node = self._power(node, token.at)
            elif token.text == "_":
                node = self._subscript(node, token.at)
            else:
                node = self._prime(node, token.at)
        return node

    def _power(self, node: Node, at: int) -> Node:
        group = self._tokens[self._place].inner if self._text == "{" else ()
        labels = group[:1] and (group[0].text in ("(", "[") or _is_label(group[0]))
        if labels:
            self._next()
            labelled = self._labelled(node, group[0], at)
            if len(group) == 1:
                return labelled
            if _TRANSPOSED.fullmatch(self._source[group[1].at : group[-1].end]):
                return Node("transpose", (labelled,), at)
            raise FormulaError("write braces around what has the power", group[1].at)
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
        if node.op == "name" and self._is_function(node.args[0]):
            name = node.args[0]
            message = f"write {name}(x)^2, or {name}({name}(x)) for it twice"
            raise FormulaError(message, at)
        return Node("power", (node, self._single()), at)

    def _labelled(self, node: Node, bracket: Token, at: int) -> Node:
        r"""Read ``W^{(2)}``, the variable W2, and ``x^{(i)}``, the i-th of all x."""
        base, subs = node.args if node.op == "index" else (node, ())
        [label, *more] = self._list(bracket)
        if base.op != "name" or more:
            raise FormulaError("what stands in parentheses here numbers a name", at)
        if self._is_function(base.args[0]):
            items = self._list(self._next()) if self._text == "(" else ()
            return Node("prime", (base.args[0], _count(label), items), at)
        if label.op != "number":
            return Node("index", (base, (label, *subs)), at)
        layer = Node("index", (base, (Node("layer", label.args, at),)), at)
        return Node("index", (layer, subs), at) if subs else layer

    def _subscript(self, node: Node, at: int) -> Node:
        if node.op == "call" and node.args[0] == "abs":
            message = (
                r"for a norm write \lVert x \rVert_1, for an entry \lvert x_1 \rvert"
            )
            raise FormulaError(message, at)
        word, taken = self._argument()
        if (label := _LABEL.fullmatch(word)) and node.op == "name":
            self._place += taken
            return Node("name", (f"{node.args[0]}_{label[1]}",), node.at)
        subs = tuple(s for sub in self._several() for s in _apart(sub))
        if node.op == "index" and node.args[1][0].op != "layer":
            node, subs = node.args[0], (*node.args[1], *subs)
        return Node("index", (node, subs), at)

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
            if _TEN.match(self._source, token.end):
                raise FormulaError(r"write the power of ten: \cdot 10^{…}", token.end)
            digits = text.replace(r"\,", "").replace("{,}", "")
            if not digits.isascii():
                raise FormulaError("write digits and ^{…}", at)
            return Node("number", (digits,), at)
        if text in ("(", "[", "{", r"\{", r"\left."):
            items = self._list(token)
            node = items[0] if len(items) == 1 else Node("tuple", items, at)
            return self._evaluated(node) if text == r"\left." else node
        if text in ("|", r"\lvert"):
            if len(token.inner) == 1 and token.inner[0].text == text:
                raise FormulaError(r"for a norm write \lVert x \rVert", at)
            return Node("call", ("abs", (self._only(token),)), at)
        if text in _NORMS:
            return Node("norm", (self._only(token), self._order()), at)
        if text == r"\langle":
            return Node("inner", self._list(token), at)
        if text in _ROUNDED:
            return Node("call", (_ROUNDED[text], self._list(token)), at)
        if text.startswith(r"\begin"):
            return self._table(token)
        if text in _DIFFERENTIALS and (slashed := self._slashed(text, at)):
            return slashed
        if text.isalpha():
            return self._named(text, at)
        if text.startswith("\\"):
            return self._command(text[1:], at)
        raise _unread(text, at)

    def _order(self) -> str:
        """Read what kind of norm it is; its power may stand before."""
        power = self._tokens[self._place : self._place + 4]
        if [t.text for t in power[::2]] == ["^", "_"] and len(power) == 4:
            self._tokens[self._place : self._place + 4] = power[2:] + power[:2]
        if not self._skip("_"):
            return "2"
        word, taken = self._argument()
        self._place += taken
        label = _LABEL.fullmatch(word)
        return label[1] if label else word

    def _command(self, name: str, at: int) -> Node:
        if name in ("frac", "tfrac", "dfrac"):
            return self._fraction(at)
        if name == "sqrt":
            return self._root(at)
        if name in ("sum", "prod") or (name in ("max", "min") and self._text == "_"):
            return self._big(name, at)
        if name == "nabla":
            return self._nabla(at)
        if name in ("bar", "hat", "tilde"):
            return self._accented(name, at)
        if name == "underbrace":
            node = self._single()
            if self._skip("_"):
                _refuse_stating(self._next())
            return node
        if name in _FONTS | UPRIGHT:
            return self._styled(name, at)
        if name in _GREEK or name == "infty":
            return self._named(name, at)
        if _ALIASES.get(name, name) in FUNCTIONS:
            return self._applied(_ALIASES.get(name, name), at)
        if name in ("binom", "tbinom", "dbinom"):
            return Node("binomial", (self._single(), self._single()), at)
        if f"\\{name}" in DOTS:
            raise FormulaError("write every number out: dots hide what is stated", at)
        remedy = _REMEDIES.get(name, _UNREAD)
        raise FormulaError(f"unknown command \\{name}: {remedy}", at)

    def _root(self, at: int) -> Node:
        if self._text != "[":
            return Node("call", ("sqrt", (self._single(),)), at)
        order = self._only(self._next())
        part = Node("over", (Node("number", ("1",), at), order), at)
        return Node("power", (self._single(), part), at)

    def _accented(self, accent: str, at: int) -> Node:
        inner = self._single()
        if inner.op != "name":
            raise FormulaError(f"\\{accent} belongs on one name", at)
        if accent == "bar":
            return Node("bar", inner.args, at)
        return self._named(f"{inner.args[0]}_{accent}", at)

    def _styled(self, style: str, at: int) -> Node:
        word = self._word(self._next()).replace("\\_", "_").lstrip("\\")
        if word == "1":
            return self._indicator(at) or Node("ones", (), at)
        if word == "0":
            return Node("number", ("0",), at)
        if style == "mathbb":
            remedy = r"is no value: write mean for \mathbb E, or say it in words"
            raise FormulaError(f"\\mathbb {word} {remedy}", at)
        word = _ALIASES.get(word, word)
        if style in UPRIGHT and word in FUNCTIONS:
            return self._applied(word, at)
        if not word.isidentifier():
            raise FormulaError(f"{word!r} is no name", at)
        return self._named(word, at)

    def _indicator(self, at: int) -> Node | None:
        r"""Read ``(x > 0)`` or ``_{x > 0}`` after ``\mathbb 1``: 1 or 0."""
        start = self._place
        self._skip("_")
        bracket = self._next() if self._text in ("(", "[", "{", r"\{") else None
        if not bracket or not any(t.text in CONDITIONS for t in bracket.inner):
            self._place = start
            return None
        one, zero = (Node("number", (digit,), at) for digit in "10")
        return Node("cases", ((one, *self._conditions(bracket.inner)), (zero,)), at)

    def _named(self, name: str, at: int) -> Node:
        name = self._numbered(name)
        applied = self._is_function(name) or name == "sigma"
        if applied and self._text == "(":
            return Node("call", (name, self._list(self._next())), at)
        node = Node("name", (name,), at)
        place = self._number_in_parentheses()
        return Node("placed", (node, place), at) if place else node

    def _numbered(self, name: str) -> str:
        """Read ``_3`` where ``P_3`` is a function that is applied."""
        after = self._tokens[self._place : self._place + 3]
        if len(after) == 3 and after[0].text == "_" and after[2].text in ("(", "'"):
            number = self._word(after[1])
            for spelling in (f"{name}_{number}", f"{name}{number}"):
                if self._is_function(spelling):
                    self._place += 2
                    return spelling
        return name

    def _number_in_parentheses(self) -> Node | None:
        """Read ``(2)`` after what may be taken there; a power makes it a factor."""
        bracket, *after = self._tokens[self._place : self._place + 2] or (None,)
        if bracket is None or bracket.text != "(":
            return None
        if after and after[0] and after[0].text in "^!'":
            return None
        number = [t for k, t in enumerate(bracket.inner) if k or t.text != "-"]
        if len(number) != 1 or not number[0].text[-1].isdigit():
            return None
        return self._only(self._next())

    def _applied(self, name: str, at: int) -> Node:
        """Apply a function to parentheses, or to one factor without them."""
        if self._skip("'"):
            return self._prime(Node("name", (name,), at), at)
        base = self._several()[0] if name == "ln" and self._skip("_") else None
        power = self._raised(name) if self._skip("^") else None
        if self._text == "(":
            node = Node("call", (name, self._list(self._next())), at)
        else:
            argument = self._factor()
            if argument.op == "number" and self._starts_factor():
                argument = Node("times", (argument, self._beside(argument)), at)
            node = Node("call", (name, (argument,)), at)
            if self._starts_factor() and self._text.lstrip("\\") not in FUNCTIONS:
                raise FormulaError(
                    f"where does {name} end? write parentheses", self._at
                )
        if base:
            node = Node("over", (node, Node("call", ("ln", (base,)), at)), at)
        return Node("power", (node, power), at) if power else node

    def _raised(self, name: str) -> Node:
        group = self._peek_inner(0)
        if group and group[0].text == "(" and self._text == "{":
            raise FormulaError(f"write \\{name}^2, or \\{name}''", self._at)
        at, power = self._at, self._single()
        if power.op == "minus":
            message = f"the inverse, \\arc{name}, or 1 over it, \\frac{{1}}{{…}}?"
            raise FormulaError(message, at)
        return power

    def _big(self, name: str, at: int) -> Node:
        r"""Read a sum over letters, with limits or over all there is."""
        upper = self._single() if self._skip("^") else None
        if not self._skip("_"):
            raise FormulaError(f"over what? write \\{name}_i", at)
        token = self._next()
        letters, *limit = split(token.inner or (token,), set(CONDITIONS))
        names = tuple(t.text for t in letters if t.text != ",")
        for letter in letters:
            if not letter.text.isalpha() and letter.text != ",":
                raise FormulaError("a sum runs over letters", letter.at)
        if not names:
            raise FormulaError("a sum runs over letters", token.at)
        sign = CONDITIONS[limit[0][0].text] if limit else "="
        if sign not in ("=", "!="):
            raise FormulaError(r"write both limits: \sum_{i=0}^{j-1}", limit[0][0].at)
        side = self._inside(limit[0][1:], token.end)._whole() if limit else None
        lower, but = (side, None) if sign == "=" else (None, side)
        upper = self._single() if self._skip("^") else upper
        if (lower is None) != (upper is None):
            raise FormulaError("a sum has both limits or none", at)
        return Node("big", (name, names, lower, upper, self._juxtaposed(), but), at)

    def _table(self, token: Token) -> Node:
        """Read a matrix, or values with their conditions."""
        kind = token.text[7:-1]
        if token.text not in BRACKETS:
            raise FormulaError(f"unknown environment {kind}", token.at)
        rows = []
        inner = token.inner[kind == "array" :]  # without its columns {cc}
        for row in split(inner, {"\\\\"}):
            row = row[1:] if row and row[0].text == "\\\\" else row
            cells = [[t for t in cell if t.text != "&"] for cell in split(row, {"&"})]
            if row:
                rows.append(cells)
        if kind.endswith("cases"):
            values = ([t for t in row[0] if t.text != ","] for row in rows)
            if not all(values) or any(len(row) > 2 for row in rows):
                raise FormulaError("write a value & a condition in a row", token.at)
            cases = tuple(self._case(*row) for row in rows)
            if any(len(case) == 1 for case in cases[:-1]):
                raise FormulaError("only the last row is without condition", token.at)
            return Node("cases", cases, token.at)
        if len({len(row) for row in rows}) != 1:
            message = "the rows of this matrix have different lengths"
            raise FormulaError(message, token.at)
        entries = ((self._inside(c, token.end)._whole() for c in row) for row in rows)
        matrix = Node("matrix", tuple(map(tuple, entries)), token.at)
        return Node("call", ("det", (matrix,)), token.at) if kind[0] == "v" else matrix

    def _case(self, value: list[Token], when: Sequence[Token] = ()) -> tuple[Node, ...]:
        """Read a value and its conditions; "otherwise" and nothing are none."""
        value = [token for token in value if token.text != ","]
        node = self._inside(value, value[-1].end)._whole()
        if not any(token.text in CONDITIONS for token in when):
            words = "".join(self._source[t.at : t.end] for t in when)
            if words and not _OTHERWISE.fullmatch(words):
                raise FormulaError("write the condition in signs: x > 0", when[0].at)
            return (node,)
        return node, *self._conditions(when)

    def _conditions(self, when: Sequence[Token]) -> tuple[Node, ...]:
        """Read ``0 < x < 1``, or several conditions, all of which must hold."""
        tests: list[Node] = []
        for part in split(when, {","}):
            said = self._source[part[0].at : part[0].end] if part else ""
            if "or" in said:
                raise FormulaError("write a row for each condition", part[0].at)
            part = [token for token in part if token.text != ","]
            sides = split(part, set(CONDITIONS))
            nodes = [
                self._inside(side[k > 0 :], part[-1].end)._whole()
                for k, side in enumerate(sides)
                if part
            ]
            signs = [CONDITIONS[side[0].text] for side in sides[1:]]
            if nodes and not signs:
                raise FormulaError("write the condition in signs: x > 0", nodes[0].at)
            pairs = zip(signs, pairwise(nodes), strict=bool(nodes))
            tests += [Node(sign, pair, pair[0].at) for sign, pair in pairs]
        return tuple(tests)

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
        of = (targets and self._definition()) or self._factors()
        return Node("derivative", ("nabla", of, targets, order), at)

    def _fraction(self, at: int) -> Node:
        above, below = (self._peek_inner(k) for k in (0, 1))
        sign = above[0].text if above else ""
        if sign in _DIFFERENTIALS and len(below) > 1 and below[0].text == sign:
            return self._leibniz(sign, above, below, at)
        return Node("over", (self._single(), self._single()), at)

    def _peek_inner(self, ahead: int) -> tuple[Token, ...]:
        tokens = self._tokens[self._place + ahead :][:1]
        return tokens[0].inner or (tokens[0],) if tokens else ()

    def _leibniz(
        self,
        sign: str,
        above: tuple[Token, ...],
        below: tuple[Token, ...],
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
        place = self._number_in_parentheses() if operand else None
        operand = operand or self._factors()
        node = Node("derivative", ("partial", operand, tuple(targets), 1), at)
        if place and len({target.args[0] for target in targets}) == 1:
            return Node("at", (node, ((targets[0].args[0], place),)), at)
        return Node("times", (node, place), at) if place else node

    def _slashed(self, sign: str, at: int) -> Node | None:
        r"""Read ``dy/dx``, ``\partial y_i/\partial x_j`` or ``\partial_x y``."""
        if sign != "d" and self._skip("_"):
            targets = self._several()
            return Node("derivative", ("partial", self._factors(), targets, 1), at)
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


def _unread(sign: str, at: int) -> FormulaError:
    return FormulaError(f"cannot read {sign} here{_HINTS.get(sign, '')}", at)


def _apart(sub: Node) -> list[Node]:
    """Take ``ij`` and ``n2`` in a subscript as two indices, not as a product."""
    if sub.op == "times":
        return [node for factor in sub.args for node in _apart(factor)]
    return [sub]


def _is_label(token: Token) -> bool:
    r"""Tell the label of ``h^{\langle 1 \rangle}`` from the product of two vectors."""
    return token.text == r"\langle" and "," not in {t.text for t in token.inner}


def _is_size(token: Token) -> bool:
    r"""Tell whether it is ``(2 \times 3)``, which may be a number or a shape."""
    return token.text == "(" and any(t.text == r"\times" for t in token.inner)


def is_fraction(node: Node) -> bool:
    """Tell whether a node is one whole number over another."""
    return node.op == "over" and all(
        n.op == "number" and n.args[0].isdigit() for n in node.args
    )


def _count(node: Node) -> int:
    if node.op != "number" or not node.args[0].isdigit():
        raise FormulaError("a whole number belongs here", node.at)
    return int(node.args[0])
