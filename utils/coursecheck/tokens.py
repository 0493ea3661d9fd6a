r"""Read LaTeX as signs and words, nested by brackets, and part it into equations.

What only dresses a formula (``\boxed``, ``\color``, ``\tag``, spaces, sizes) is
taken off; words in ``\text`` part a formula as a comma does.  A sign that states
an equality in some books and not in others is refused, and so is what states
something where no reader of ours would look: in words, below a brace.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

__all__ = [
    "BAR",
    "BOUNDS",
    "BRACKETS",
    "CONDITIONS",
    "CUTS",
    "DOTS",
    "DOUBLE",
    "MEMBERSHIP",
    "OPERATORS",
    "RELATIONS",
    "UPRIGHT",
    "FormulaError",
    "OpenError",
    "Token",
    "is_other_relation",
    "rows",
    "split",
    "tokens",
]

RELATIONS = {"=": "=", r"\equiv": "=", r"\triangleq": "=", r"\coloneqq": "="}
RELATIONS |= {rf"\{k}": "≈" for k in ("approx", "simeq", "approxeq", "thickapprox")}
BOUNDS = {"<": "<", r"\le": "<=", r"\leq": "<=", r"\ne": "!=", r"\neq": "!="}
BOUNDS |= {">": ">", r"\ge": ">=", r"\geq": ">=", r"\lt": "<", r"\gt": ">"}
BOUNDS |= {r"\leqslant": "<=", r"\geqslant": ">=", r"\leqq": "<=", r"\geqq": ">="}
BOUNDS |= {r"\nless": ">=", r"\ngtr": "<="}
BOUNDS |= {r"\nleq": ">", r"\ngeq": "<", r"\nleqslant": ">", r"\ngeqslant": "<"}
MEMBERSHIP = {r"\in": "∈", r"\isin": "∈", r"\notin": "∉"}
CONDITIONS = {"=": "=", **BOUNDS}
DOTS = {r"\dots", r"\ldots", r"\cdots", "…"}
UPRIGHT = {"text", "mathrm", "operatorname", "textit", "texttt", "textrm"}
OPERATORS = {
    "/": "over",
    "*": "times",
    r"\times": "times",
    r"\cdot": "dot",
    r"\odot": "hadamard",
    r"\circ": "hadamard",
}
BAR = r"\right|"  # \Big|_{x=3}, the place of a derivative
DOUBLE = "||"  # a norm, as it is typed
_TABLES = ("pmatrix", "bmatrix", "matrix", "smallmatrix", "cases", "dcases", "array")
BRACKETS = {rf"\begin{{{k}}}": rf"\end{{{k}}}" for k in (*_TABLES, "vmatrix")}
BRACKETS |= {"(": ")", "[": "]", "{": "}", r"\{": r"\}", "|": "|", r"\left.": BAR}
BRACKETS |= {r"\|": r"\|", r"\lVert": r"\rVert", r"\Vert": r"\Vert", DOUBLE: DOUBLE}
BRACKETS |= {r"\lvert": r"\rvert", r"\langle": r"\rangle"}
BRACKETS |= {r"\lfloor": r"\rfloor", r"\lceil": r"\rceil"}
_EITHER = {"|", r"\|", r"\Vert", DOUBLE, BAR}  # they may open as well
_CLOSING = set(BRACKETS.values()) - _EITHER
_BETWEEN = {*OPERATORS, *CONDITIONS, *RELATIONS, *MEMBERSHIP, ",", "+", "-", "&"}
_BETWEEN |= {"\\\\"}
CUTS = {"\\\\", ",", ";", r"\quad", r"\qquad", r"\Rightarrow", r"\implies"}
CUTS |= {r"\iff", r"\Leftrightarrow", r"\Longrightarrow", r"\therefore"}
_LIMITS = {r"\sum", r"\prod", r"\max", r"\min", BAR, r"\left."}
_VAGUE = {rf"\{k}" for k in ("doteq", "cong", "eqsim", "asymp", "propto", "circeq")}
_VAGUE |= {rf"\{k}" for k in ("eqcirc", "bumpeq", "Bumpeq", "backsimeq", "doteqdot")}
_VAGUE |= set("≅≐≂∼∝≍≗≖≏≎⋍≑∽≒≓≕≘≙≚≛≝≞≟≣⩵⩶⩴∷")
_OTHERS = re.compile(  # what TeX sets as a relation, beyond those that are read
    r":|\\(?!over|under|text|cd|big)\w*(?:arrow|harpoon|mapsto|mapsfrom|sim|prec|succ"
    r"|[cC]olon|less|gtr|equilibrium|[vV][dD]ash|slant|[gl]n?approx|[gl]neqq?|eqq"
    r"|triangle(?:left|right)|[qs]ubset|[Sq]ubset|supset|Supset|umpeq|oteq|cong)\w*"
    r"|\\n?(?:short)?(?:mid|parallel)|\\[lrudhULDRH]?[lr]?[aA]rr|\\(?:x|leads)?to(?:from)?"
    r"|\\(?:gets|not|mathrel|n?ni|notni|owns|perp|(?:var)?propto|implies|impliedby|iff"
    r"|models|dashv|bowtie|Join|multimap|because|therefore|between|ratio|(?:small)?smile"
    r"|(?:small)?frown|vartriangle|stackrel|overset|underset|pitchfork|imageof|origof"
    r"|restriction|[LR]sh|backepsilon|xlongequal|su[bp]e?(?<!sup)|\w*dotseq|lll?|ggg?)"
)
_DRESS = {r"\tag", r"\label", r"\color", r"\phantom", r"\hphantom", r"\vphantom"}
_DRESS |= {r"\hspace", r"\textcolor"}  # with what stands in braces after it
_SIGNS = {  # what a keyboard gives, and the command that says it
    "≈": r"\approx", "≃": r"\simeq", "≊": r"\approxeq", "≡": r"\equiv",
    "≜": r"\triangleq", "≔": "=", "＝": "=", "﹦": "=", "−": "-", "·": r"\cdot",
    "⋅": r"\cdot", "×": r"\times", "⊙": r"\odot", "∘": r"\circ", "≤": r"\le",
    "≥": r"\ge", "≠": r"\ne", "∈": r"\in", "∉": r"\notin", "∇": r"\nabla",
    "∂": r"\partial", "∑": r"\sum", "∏": r"\prod", "∞": r"\infty", "⇒": r"\Rightarrow",
    "′": "'", "⟨": r"\langle", "⟩": r"\rangle", "‖": r"\|", r"\vert": "|",
    "⋯": r"\cdots",
}  # fmt: skip
_SIZE = r"\\(?:left|right|[bB]igg?[lrm]?)"
_LONE = "and|with|where|for|at|if|so|or|hence|when|that is|while|but|as|since"
_TOKEN = re.compile(
    r"(?P<row>\s*\n[ \t]*\n\s*)"
    rf"|(?P<double>(?:{_SIZE}\s*)?\|\s*(?:{_SIZE}\s*)?\|)"
    r"|(?P<bar>\\(?:right|[bB]igg?[lr]?)\s*(?:\||\\[lr]?vert)(?=\s*_)"
    r"|(?:\||\\[lr]?vert)(?=\s*_\s*\{(?:[^{}=]|\{[^{}]*\})+=))"
    r"|(?P<open>\\left\s*\.)"
    r"|\\[,;:!> ]|\s|~|%.*"
    rf"|(?:{_SIZE}|\\(?:no)?limits|\\(?:display|text)style|\\no(?:number|tag))"
    r"(?![A-Za-z])|\\text\{\s*\}|\\(?:begin|end)\{alignat(?:ed)?\*?\}(?:\{\d\})?"
    r"|\\(?:begin|end)\{(?:aligned|align|split|gather|gathered|equation|multline"
    r"|flalign)\*?\}"
    rf"|(?P<word>\\text(?:rm|it|normal)?\{{(?:\s*(?:{_LONE})\s*"
    r"|[^{}]*[A-Za-z][^{}]*\s[^{}]*|\s[^{}]*[A-Za-z][^{}]*|\([^{}]*\)|[\s,;:.]+)\})"
    r"|\\(?:mathrm|text)\{(?P<d>d)\}|\{\s*(?P<lone>/|\*|\\times|\\cdot|\\odot)\s*\}"
    r"|(?P<number>\d{1,3}(?:(?:\\,|\{,\})\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
    r"|(?P<equal>:\s*=|\\(?:vcent)?colon\s*=)|(?P<le><\s*=)|(?P<ge>>\s*=)"
    r"|(?P<upright>\\operatorname\*)"
    r"|(?P<other>\\(?:begin|end)\{\w+\}|\\(?:[A-Za-z]+|.)|\S)"
)
_NORMAL = {"row": "\\\\", "word": ",", "bar": BAR, "open": r"\left.", "equal": "="}
_NORMAL |= {"double": DOUBLE, "le": r"\le", "ge": r"\ge", "upright": r"\operatorname"}


_HARMLESS = "¬±√∀∃∧∨∩∪∅∖∫∓⊕⊗"  # among the signs of mathematics, no relation


class FormulaError(Exception):
    """What cannot be read or computed, and the offset in the formula."""

    def __init__(self, message: str, at: int = 0) -> None:
        super().__init__(message)
        self.at = at


class OpenError(FormulaError):
    """What neither the code nor the text decides: nobody can say that it is false."""


@dataclass(frozen=True)
class Token:
    """A sign or word; or an opening bracket, with all that stands in it."""

    text: str
    at: int
    end: int
    inner: tuple[Token, ...] = ()


def is_other_relation(sign: str) -> bool:
    r"""Tell whether a sign relates two things in a way that nobody checks.

    >>> is_other_relation(r"\leadsto"), is_other_relation("↦"), is_other_relation("=")
    (True, True, False)
    """
    if sign in RELATIONS or sign in BOUNDS or sign in MEMBERSHIP:
        return False
    mathematical = len(sign) == 1 and unicodedata.category(sign) == "Sm"
    odd = mathematical and not sign.isascii() and sign not in _HARMLESS
    return odd or "←" <= sign <= "⇿" or bool(_OTHERS.fullmatch(sign))


def tokens(text: str) -> list[Token]:
    """Read signs and words, and nest what stands in brackets."""
    stack: list[tuple[str, int, list[Token]]] = [("", 0, [])]
    for word, at, end in _words(text):
        open_bar = stack[-1][0] == "|" and not _between(stack[-1][2])
        if open_bar and word in (DOUBLE, BAR):
            halves = [("|", at, at + 1)] + [("|", end - 1, end)] * (word == DOUBLE)
        else:
            halves = [(word, at, end)]
        for half in halves:
            _nest(stack, *half)
    if len(stack) > 1:
        closer = BRACKETS[stack[-1][0]]
        bars = closer in ("|", DOUBLE)
        hint = r": bars in bars are written \lvert … \rvert, \lVert … \rVert" * bars
        raise FormulaError(f"expected {closer}{hint}", len(text))
    return list(_undressed(stack[0][2]))


def _words(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield each sign or word, spelled in one way, and its place."""
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        if kind is None:
            continue
        word = _NORMAL.get(kind, match[kind])
        word = _SIGNS.get(word, word)
        if kind == "word" and (hidden := re.search(r"[\d=<>$≈]", match[kind])):
            raise FormulaError(
                r"nothing checks what stands in \text: take it out of the words",
                match.start() + hidden.start(),
            )
        if word in _VAGUE:
            raise FormulaError(
                f"{word} says one thing in one book, another in the next: write =,"
                r" or \approx, or mark it as law",
                match.start(),
            )
        yield word, *match.span()


def _between(inner: Sequence[Token]) -> bool:
    """Tell whether an operand is to come, so that no bar can close here."""
    return not inner or inner[-1].text in _BETWEEN


def _nest(
    stack: list[tuple[str, int, list[Token]]], word: str, at: int, end: int
) -> None:
    opener, start, inner = stack[-1]
    closer = BRACKETS.get(opener)
    if word == closer and not (word == opener and _between(inner)):
        stack.pop()
        stack[-1][2].append(Token(opener, start, end, tuple(inner)))
    elif word in BRACKETS:
        stack.append((word, at, []))
    elif word in _CLOSING and closer:
        half = {word, closer} == {")", "]"}
        hint = r": a half-open interval is written 0 \le p < 1" * half
        raise FormulaError(f"expected {closer}, found {word}{hint}", at)
    else:
        inner.append(Token(word, at, end))


def _undressed(inner: Sequence[Token]) -> Iterator[Token]:
    """Take off what does not change what a formula says."""
    items = iter(inner)
    for token in items:
        if token.text in _DRESS:
            following = next(items, token)
            following = next(items, token) if following.text == "*" else following
            if following.text != "{":
                raise FormulaError(f"{token.text} of what? write braces", token.at)
            if token.text == r"\tag" and any(
                t.text in RELATIONS for t in following.inner
            ):
                raise FormulaError(r"nothing checks what stands in \tag", following.at)
            if "".join(t.text for t in following.inner) in ("white", "black"):
                why = (
                    "this color hides a part on paper or in the dark: take another one"
                )
                raise FormulaError(why, following.at)
        elif token.text == r"\boxed":
            box = next(items, token)
            stating = any(t.text in CUTS or t.text in RELATIONS for t in box.inner)
            group = tuple(_undressed(box.inner))
            yield from group if stating else (replace(box, inner=group),)
        elif token.inner:
            yield replace(token, inner=tuple(_undressed(token.inner)))
        else:
            yield token


def split(items: Sequence[Token], cuts: set[str]) -> list[list[Token]]:
    """Split at some signs; each part but the first begins with its sign."""
    parts: list[list[Token]] = [[]]
    for token in items:
        if token.text in cuts:
            parts.append([])
        parts[-1].append(token)
    return parts


def rows(items: Sequence[Token]) -> list[list[Token]]:
    """Split a formula into what stands beside or below each other."""
    found: list[list[Token]] = []
    broken = False  # the line; a plus or minus then goes on
    for part in split([t for t in items if t.text != "&"], CUTS):
        broken |= bool(part) and part[0].text == "\\\\"
        row = part[1:] if part and part[0].text in CUTS else part
        while row and row[-1].text in (".", ":"):
            row = row[:-1]
        if not row:
            continue
        relates = row[0].text in RELATIONS or row[0].text in BOUNDS
        if found and (relates or (broken and row[0].text in ("+", "-"))):
            found[-1] += row
        else:
            found.append(row)
        broken = False
    for row in found:
        _refuse_hidden(row)
    return found


def _refuse_hidden(items: Sequence[Token]) -> None:
    """Refuse an equation in brackets, which would state something unchecked."""
    for k, token in enumerate(items):
        before = [t.text for t in items[max(0, k - 4) : k]]
        below = before[-1:] == ["_"] and bool(
            {*before[-2:-1], *before[-4:-3] * (before[-3:-2] == ["^"])} & _LIMITS
        )
        if token.text.endswith("cases}") or below or _is_indicator(items, k):
            continue
        for inner in token.inner:
            if inner.text in RELATIONS:
                raise FormulaError("take this equation out of its braces", inner.at)
        _refuse_hidden(token.inner)


def _is_indicator(items: Sequence[Token], k: int) -> bool:
    r"""Tell whether ``\mathbb 1`` stands before a bracket, maybe with ``_``."""
    before = list(items[:k])
    if before and before[-1].text == "_":
        before.pop()
    if len(before) < 2 or not before[-2].text.startswith(r"\math"):
        return False
    one = before[-1]
    return one.text == "1" or [t.text for t in one.inner] == ["1"]
