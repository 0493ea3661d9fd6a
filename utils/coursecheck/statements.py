r"""Check what the text of a lesson states in formulas, with the lesson's variables.

An equation is checked when everything in it can be bound: to variables of the
code; to definitions that the text gave before (``h = 0.1``, ``f(x, y) = x^2y``);
to an index, which runs over a tensor (``z_i = x_i^2``); or to the argument of a
defined function, which is tried at random points.  An equation whose left side
is a name that the code does not have defines it.  Any other equation that
cannot be read or bound is an error, unless its author marks it as a law.
A formula without an equals sign states nothing.  Where a page says
``formulas: laws``, what nothing binds or uses is a law without a mark; what can be
compared has to be true all the same.

A statement holds if it is true before the next code cell, or after it; but what
is false stays so unless the cell changes something in it, and what a paragraph
states of a variable that changes is about the same side of the cell.

A number with a decimal point stands for what rounds to it where it stands alone
or in a tuple; inside an expression it is exact, unless ``\approx`` precedes it.
"""

from __future__ import annotations

import copy
import re
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import Tensor

from coursecheck.algebra import evaluate, spellings
from coursecheck.binding import DERIVED_NAMES, Definition, Log, Names, OpenError
from coursecheck.comparing import FalseError, derives, is_literal
from coursecheck.doctests import StatementError, run_doctests
from coursecheck.formulas import (
    FUNCTIONS,
    Equation,
    FormulaError,
    Node,
    names_in,
    parse,
    walk,
)
from coursecheck.maths import Maths, find_maths, without_blocks
from coursecheck.stated import Block, Statement
from coursecheck.verifying import verify

__all__ = ["Checker", "StatementError"]

_HEAD = re.compile(r"([A-Za-z])\s*\(\s*[A-Za-z](?:\s*,\s*[A-Za-z])*\s*\)\s*&?\s*=")
_GIVEN = {"pi", "e", "infty", "i", "I"}


_Found = Statement | FormulaError | None  # None: it only defines, or not yet
_State = Mapping[str, tuple[Any, ...]]  # what tells whether a variable has changed


@dataclass(frozen=True)
class _Entry:
    """One equation: what the last look has found, and the names that it is about."""

    block: Block
    maths: Maths
    place: int
    found: _Found = None
    names: frozenset[str] = frozenset()

    @property
    def paragraph(self) -> tuple[int, int]:
        """Return the line of its block, and how many blank lines precede it."""
        above = self.block.source[: self.maths.start]
        return self.block.line, len(re.findall(r"\n[ ]*\n", above))


class Checker:
    """Check the text blocks of one lesson, in their order.

    Call :meth:`read` with the namespace at a block, :meth:`confirm` when the next
    code cell has run, and :meth:`finish` at last; ``seed`` moves the random points.
    With ``laws``, what nothing binds is a law; with ``quotes``, an example in a
    literal block is no example.  ``notes`` says of which formulas and blocks.
    """

    def __init__(
        self,
        name: str,
        markup: Literal["rst", "md"],
        seed: int = 0,
        *,
        laws: bool = False,
        quotes: bool = False,
    ) -> None:
        self.name, self.markup, self._seed = name, markup, seed
        self._laws, self._quotes = laws, quotes
        self.notes: list[str] = []
        self._definitions: dict[str, Definition] = {}
        self._unused: dict[str, tuple[StatementError, Statement | None]] = {}
        self._pending: list[tuple[_Entry, _State]] = []

    def copy(self) -> Checker:
        """Return a checker that goes on from here on its own."""
        twin = copy.copy(self)
        twin._definitions, twin._unused = dict(self._definitions), dict(self._unused)
        twin._pending = list(self._pending)
        return twin

    def read(self, block: Block, namespace: Mapping[str, Any]) -> tuple[Statement, ...]:
        """Run the block's examples; look at its formulas, as the namespace stands.

        Return the examples.  Raise :class:`StatementError` for one that is false,
        or for a formula that cannot be read.
        """
        self.look(block, namespace)
        if self._quotes and ">>> " in block.source:
            text = without_blocks(block.source, self.markup)
            if count := block.source.count(">>> ") - text.count(">>> "):
                place = f"{self.name}:{block.line}"
                self.notes.append(f"{place}\n  {count} examples are shown and not run")
            block = replace(block, source=text)
        return run_doctests(block, namespace, self.name)

    def look(self, block: Block, namespace: Mapping[str, Any]) -> None:
        """Look at the block's formulas, and leave the examples out."""
        state = _state(namespace)
        for maths in find_maths(block.source, self.markup):
            if maths.law:
                self._pending.append((_Entry(block, maths, 0, _law(block, maths)), {}))
                continue
            try:
                count = len(self._equations(maths, namespace))
            except FormulaError as error:
                if not self._laws:
                    raise self._report(block, maths, error) from error
                self.notes.append(f"{self._report(block, maths, error)}\n  (a law)")
                self._pending.append((_Entry(block, maths, 0, _law(block, maths)), {}))
                continue
            for place in range(count):
                entry = self._look(_Entry(block, maths, place), namespace, last=False)
                self._pending.append((entry, state))

    def confirm(self, namespace: Mapping[str, Any]) -> tuple[Statement, ...]:
        """Look again at what was not true before; return what is stated and true.

        Raise :class:`StatementError` at the first statement that was true at
        neither look, with both sides and what differs.
        """
        pending, self._pending = self._pending, []
        looks = [(e, *self._look_again(e, state, namespace)) for e, state in pending]
        only_later = {
            (entry.paragraph, name)
            for entry, later, changed in looks
            for name in changed
            if isinstance(later, Statement) > isinstance(entry.found, Statement)
        }
        done: list[Statement] = []
        for entry, later, changed in looks:
            true = [f for f in (entry.found, later) if isinstance(f, Statement)]
            false = [f for f in (later, entry.found) if isinstance(f, FalseError)]
            luck = {(entry.paragraph, name) for name in changed} & only_later
            if isinstance(later, FormulaError) and (not true or (luck and false)):
                error = (*false, later)[0]
                if not (self._laws and isinstance(error, OpenError)):
                    raise self._report(entry.block, entry.maths, error) from error
                equation = self._equations(entry.maths, namespace)[entry.place]
                true = [_law(entry.block, entry.maths, equation)]
            done += true[:1]
        return tuple(done)

    def _look_again(
        self, entry: _Entry, before: _State, namespace: Mapping[str, Any]
    ) -> tuple[_Found, set[str]]:
        """Look after the cell where it may matter; say which names have changed."""
        now = _state(namespace)
        same = {n for n in entry.names if _same(before.get(n), now.get(n))}
        changed = set(entry.names - same)
        if not changed and isinstance(entry.found, Statement | FalseError):
            return entry.found, changed
        return self._look(entry, namespace, last=True).found, changed

    def finish(self) -> tuple[Statement, ...]:
        """Return what is left to say, which is nothing, or what turned out a law.

        Raise :class:`StatementError` for a definition that nothing has used: it
        would be a formula that the reader trusts and nobody has checked.
        """
        if self._laws:
            return tuple(law for _, law in self._unused.values() if law)
        for error, _ in self._unused.values():
            raise error
        return ()

    def _equations(
        self, maths: Maths, namespace: Mapping[str, Any]
    ) -> tuple[Equation, ...]:
        scope = Names(namespace, self._definitions, Log())
        heads = {h for h in _HEAD.findall(maths.text) if scope.live(h) is None}
        return parse(maths.text, lambda n: n in heads or scope.is_function(n))

    @torch.enable_grad()  # whatever the lesson has switched off
    def _look(
        self, entry: _Entry, namespace: Mapping[str, Any], *, last: bool
    ) -> _Entry:
        """Decide one equation, if it can be decided by now."""
        names: frozenset[str] = frozenset()
        try:
            equation = self._equations(entry.maths, namespace)[entry.place]
            scope = Names(namespace, self._definitions, Log())
            names = frozenset(_subjects(equation, scope))
            found = self._decide(entry, equation, scope, last)
        except FormulaError as problem:
            found = problem
        return replace(entry, found=found, names=names)

    def _decide(
        self, entry: _Entry, equation: Equation, scope: Names, last: bool
    ) -> Statement | None:
        _refuse_circle(equation)
        defines = self._define(equation, scope)
        log = scope.log
        scope = replace(scope, definitions=dict(self._definitions))
        if defines:
            text = "nothing uses this definition, so nothing checks it"
            problem = FormulaError(text, equation.start)
            only = len(equation.members) == 2
            law = _law(entry.block, entry.maths, equation) if only else None
            error = self._report(entry.block, entry.maths, problem)
            self._unused[defines] = error, law
            if only:
                return None
        difference = self._verify(equation, scope)
        self._tie(equation, scope)
        for name in log.texts - {defines}:
            self._unused.pop(name, None)
        if log.texts and not last:  # the next cell may give these names a value
            return None
        kind = "gradient" if derives(equation.members) else "value"
        line = _line_of(entry.block, entry.maths, equation.start)
        witnesses = tuple(sorted(log.witnesses))
        return Statement(kind, _line(equation.text), line, witnesses, difference)

    def _verify(self, equation: Equation, scope: Names) -> float:
        """Compare all members; where laws may stand, those that can be compared."""
        try:
            return verify(equation, scope, self._seed)
        except OpenError:
            members = [m for m in equation.members if _has_value(m, equation, scope)]
            if not self._laws or len(members) < 2:
                raise
            scope.log.witnesses.add("in part")
            relation = "≈" if "≈" in equation.relations else "="
            relations = (relation,) * (len(members) - 1)
            part = replace(equation, members=tuple(members), relations=relations)
            return verify(part, scope, self._seed)

    # Definitions

    def _define(self, equation: Equation, scope: Names) -> str | None:
        """Learn a name that the code does not have; return it if it was new."""
        head = _head(equation, scope)
        if not head or scope.live(head[0]) is not None:
            return None
        name, params, body = head
        old = self._definitions.get(name)
        if old and is_literal(body) and not is_literal(old.body):
            return None  # a value for what the text has defined: it is checked
        if not params and equation.members[0].op == "name":
            unknown = (n for n in names_in(body) if not scope.knows(n))
            params = tuple(n for n in unknown if n not in _GIVEN)
        self._definitions[name] = Definition(params, body)
        return None if scope.has_function(name) else name

    def _tie(self, equation: Equation, scope: Names) -> None:
        """Keep a definition that is true of a live tensor, for this very tensor."""
        if not (head := _head(equation, scope)):
            return
        name, _, body = head
        live = scope.live(name)
        if live is not None or scope.has_function(name):
            self._unused.pop(name, None)
        if isinstance(live, Tensor) and not is_literal(body):
            self._definitions[name] = Definition((), body, weakref.ref(live))

    # What an author sees

    def _report(
        self, block: Block, maths: Maths, error: FormulaError
    ) -> StatementError:
        line = _line_of(block, maths, error.at)
        where = f"{self.name}:{line}"
        if isinstance(error, FalseError):
            return StatementError(f"{where}\n{error}", line)
        start = maths.text.rfind("\n", 0, error.at) + 1
        shown = maths.text[start:].split("\n")[0]
        caret = " " * (error.at - start) + "^"
        return StatementError(f"{where}\n  {shown}\n  {caret} {error}", line)


def _state(namespace: Mapping[str, Any]) -> _State:
    return {name: _mark(value) for name, value in namespace.items()}


def _mark(value: Any) -> tuple[Any, ...]:
    if isinstance(value, Tensor):
        return value, value.requires_grad, value.is_inference() or value._version
    simple = isinstance(value, int | float | tuple) or callable(value)
    return (value if simple else object(),)  # others may change unseen


def _same(before: tuple[Any, ...] | None, now: tuple[Any, ...] | None) -> bool:
    if before is None or now is None:
        return before is now
    return before[0] is now[0] and before[1:] == now[1:]


def _subjects(equation: Equation, scope: Names) -> Iterator[str]:
    """Yield the names, some of them of the code, that an equation is about."""
    names = scope.closure(equation.members)
    yield from names
    for node in walk(equation.members):
        if node.op in ("call", "prime"):
            yield node.args[0]
        elif node.op == "index":
            yield from spellings(node)
    if set(DERIVED_NAMES) & set(names) or any(
        n.op == "bar" for n in walk(equation.members)
    ):
        yield from scope.namespace


def _refuse_circle(equation: Equation) -> None:
    """Refuse ``n = |n|``, which would be true of any slip that gives n itself."""
    first, *others = equation.members
    formulas = [member for member in others if not is_literal(member)]
    circular = [f for f in formulas if first.args[0] in names_in(f)]
    if first.op == "name" and circular:
        raise FormulaError(
            f"{first.args[0]} stands on both sides: if it is meant as a fixed"
            " point, write the name alone on the right",
            first.at,
        )


def _head(equation: Equation, scope: Names) -> tuple[str, tuple[str, ...], Node] | None:
    """Read the left side as what is defined: its name, arguments and body."""
    first = equation.members[0]
    if first.op not in ("name", "call", "index"):
        return None
    base, args = (first, ()) if first.op == "name" else first.args
    name = base if isinstance(base, str) else base.args[0]
    letters = tuple(arg.args[0] for arg in args if arg.op == "name")
    if not isinstance(name, str) or len(set(letters)) != len(args) or name in FUNCTIONS:
        return None
    bodies = [m for m in equation.members[1:] if name not in names_in(m)]
    bodies.sort(key=is_literal)
    if not bodies or derives(bodies[0]) != (name in DERIVED_NAMES):
        return None
    if first.op == "index":
        return name, (), Node("each", (letters, bodies[0], (bodies[0],)), first.at)
    return name, () if scope.live(name) is not None else letters, bodies[0]


def _has_value(member: Node, equation: Equation, scope: Names) -> bool:
    if equation.letters:
        node = (equation.letters, member, equation.members)
        member = Node("each", node, member.at)
    try:
        evaluate(member, replace(scope, log=Log()))
    except FormulaError:
        return False
    return True


def _law(block: Block, maths: Maths, equation: Equation | None = None) -> Statement:
    text, at = (equation.text, equation.start) if equation else (maths.text, 0)
    return Statement("law", _line(text), _line_of(block, maths, at))


def _line(text: str) -> str:
    return " ".join(text.split())


def _line_of(block: Block, maths: Maths, at: int) -> int:
    return block.line + block.source[: maths.start + at].count("\n")
