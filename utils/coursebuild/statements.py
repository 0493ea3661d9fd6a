r"""Check what the text of a lesson states in formulas, with the lesson's variables.

An equation is checked when everything in it can be bound: to variables of the
code; to definitions that the text gave before (``h = 0.1``, ``f(x, y) = x^2y``);
to an index, which runs over a tensor (``z_i = x_i^2``); or to the argument of a
defined function, which is tried at random points.  An equation whose left side
is a name that the code does not have defines it.  Any other equation that
cannot be read or bound is an error, unless its author marks it as a law.
A formula without an equals sign states nothing.

A statement holds if it is true before the next code cell, or after it.  A
number with a decimal point stands for what rounds to it where it stands alone
or in a tuple; inside an expression it is exact, unless ``\approx`` precedes it.
"""

from __future__ import annotations

import re
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import Tensor

from coursebuild.algebra import (
    FUNCTIONS,
    walk,
)
from coursebuild.binding import (
    DERIVED_NAMES,
    Definition,
    Log,
    Names,
    UnboundError,
    names_in,
)
from coursebuild.comparing import FalseError, compare, derives, is_literal
from coursebuild.doctests import StatementError
from coursebuild.formulas import Equation, FormulaError, Node, parse
from coursebuild.lesson import Block, Statement
from coursebuild.maths import Maths, find_maths

__all__ = ["Checker", "Pending", "StatementError"]

_POINTS = 3  # random points at which a formula is tried; one may sit on a kink
_TRIES = 12  # to find points where it has a value
_HEAD = re.compile(r"([A-Za-z])\s*\(\s*[A-Za-z](?:\s*,\s*[A-Za-z])*\s*\)\s*&?\s*=")


@dataclass(frozen=True)
class _Entry:
    """One equation of a block: ``done`` when decided, ``error`` while not true."""

    maths: Maths
    place: int
    done: Statement | None = None
    error: FormulaError | None = None


@dataclass(frozen=True)
class Pending:
    """The statements of one block, between the two looks at them."""

    block: Block
    entries: tuple[_Entry, ...]


class Checker:
    """Check the text blocks of one lesson, in their order.

    Call :meth:`before` with the namespace at a block and :meth:`after` when the
    next code cell has run; ``seed`` moves the random points.
    """

    def __init__(self, name: str, markup: Literal["rst", "md"], seed: int = 0) -> None:
        self._name, self._markup = name, markup
        self._random = torch.Generator().manual_seed(seed)
        self._definitions: dict[str, Definition] = {}
        self._unused: dict[str, StatementError] = {}

    def before(self, block: Block, namespace: Mapping[str, Any]) -> Pending:
        """Look at the block's statements as the namespace stands there.

        Raise :class:`StatementError` for a formula that cannot be read.
        """
        entries: list[_Entry] = []
        for maths in find_maths(block.source, self._markup):
            if maths.law:
                law = Statement("law", _line(maths.text), _line_of(block, maths, 0))
                entries.append(_Entry(maths, 0, law))
                continue
            try:
                count = len(self._equations(maths, namespace))
            except FormulaError as error:
                raise self._report(block, maths, error) from error
            for place in range(count):
                entry = _Entry(maths, place)
                entries.append(self._look(entry, block, namespace, last=False))
        return Pending(block, tuple(entries))

    def after(
        self, pending: Pending, namespace: Mapping[str, Any]
    ) -> tuple[Statement, ...]:
        """Look again at what was not true before; return what is stated and true.

        Raise :class:`StatementError` at the first statement that was true at
        neither look, with both sides and what differs.
        """
        done: list[Statement] = []
        for entry in pending.entries:
            later = entry
            if entry.done is None or entry.done.kind == "value":
                later = self._look(entry, pending.block, namespace, last=True)
            if later.error and not entry.done:
                errors = (later.error, entry.error)
                error = next(
                    (e for e in errors if isinstance(e, FalseError)), errors[0]
                )
                raise self._report(pending.block, entry.maths, error) from error
            if statement := entry.done or later.done:
                done.append(statement)
        return tuple(done)

    def finish(self) -> None:
        """Raise :class:`StatementError` for a definition that nothing has used.

        It would be a formula that the reader trusts and nobody has checked.
        """
        for error in self._unused.values():
            raise error

    def _equations(
        self, maths: Maths, namespace: Mapping[str, Any]
    ) -> tuple[Equation, ...]:
        scope = Names(namespace, self._definitions, Log())
        heads = {h for h in _HEAD.findall(maths.text) if scope.live(h) is None}
        return parse(maths.text, lambda n: n in heads or scope.is_function(n))

    @torch.enable_grad()  # whatever the lesson has switched off
    def _look(
        self, entry: _Entry, block: Block, namespace: Mapping[str, Any], *, last: bool
    ) -> _Entry:
        """Decide one equation, if it can be decided by now."""
        log = Log()
        try:
            equation = self._equations(entry.maths, namespace)[entry.place]
            _refuse_circle(equation)
            scope = Names(namespace, self._definitions, log)
            defines = self._define(equation, scope)
            scope = replace(scope, definitions=dict(self._definitions))
            if defines:
                text = "nothing uses this definition, so nothing checks it"
                problem = FormulaError(text, equation.start)
                self._unused[defines] = self._report(block, entry.maths, problem)
                if len(equation.members) == 2:
                    return replace(entry, error=None)
            error = self._verify(equation, scope)
            self._tie(equation, scope)
        except FormulaError as problem:
            return replace(entry, error=problem)
        for name in log.texts - {defines}:
            self._unused.pop(name, None)
        if log.texts and not last:  # the next cell may give these names a value
            return replace(entry, error=None)
        source = _line(equation.text)
        kind = "gradient" if derives(equation.members) else "value"
        line = _line_of(block, entry.maths, equation.start)
        witnesses = tuple(sorted(log.witnesses))
        done = Statement(kind, source, line, witnesses, error)
        return replace(entry, done=done, error=None)

    # Definitions

    def _define(self, equation: Equation, scope: Names) -> str | None:
        """Learn a name that the code does not have; return it if it was new."""
        head = _head(equation, scope)
        if not head or scope.live(head[0]) is not None:
            return None
        name, params, body = head
        if callable(scope.namespace.get(name)):
            self._definitions[name] = Definition(params, body)
            return None
        old = self._definitions.get(name)
        if old and is_literal(body) and not is_literal(old.body):
            return None  # a value for what the text has defined: it is checked
        if not params and equation.members[0].op == "name":
            params = tuple(
                n for n in names_in([body]) if not scope.knows(n) and n not in _GIVEN
            )
        self._definitions[name] = Definition(params, body)
        return name

    def _tie(self, equation: Equation, scope: Names) -> None:
        """Keep a definition that is true of a live tensor, for this very tensor."""
        head = _head(equation, scope)
        live = scope.live(head[0]) if head else None
        if head and (live is not None or callable(scope.namespace.get(head[0]))):
            self._unused.pop(head[0], None)
        if head and isinstance(live, Tensor) and not is_literal(head[2]):
            self._definitions[head[0]] = Definition((), head[2], weakref.ref(live))

    # Truth

    def _verify(self, equation: Equation, scope: Names) -> float:
        """Compare all members; return the largest difference, or raise."""
        free: dict[str, Tensor] = {}
        while True:
            try:
                error = compare(equation, scope.bind(free)) or 0.0
                break
            except UnboundError as unbound:
                if unbound.name in free or unbound.name not in self._params(equation):
                    raise
                free[unbound.name] = self._draw(torch.tensor(1.0), len(free))
        for k in range(_POINTS if free else 0):
            again = {name: self._draw(t, k) for name, t in free.items()}
            scope.log.witnesses.add("random points")
            error = max(error, compare(equation, scope.bind(again)) or 0.0)
        if derives(equation.members):
            self._try_differences(equation, scope.bind(free), bool(free))
        return error

    def _params(self, equation: Equation) -> set[str]:
        """Return the names that stand for any number."""
        names = {p for d in self._definitions.values() for p in d.params}
        head = equation.members[0]
        if head.op in ("call", "prime"):
            names |= set(names_in(head.args[-1]))
        return names

    def _try_differences(self, equation: Equation, scope: Names, free: bool) -> None:
        """Try the formulas, not only their values: numerically, and elsewhere."""
        numeric = replace(scope, numeric=True, log=Log(eps=scope.log.eps))
        if "autograd of the formula" in scope.log.witnesses:
            compare(equation, numeric, 1e-5)
            scope.log.witnesses.add("finite differences")
        formulas = tuple(
            m
            for m in equation.members
            if derives([m]) or any(map(scope.knows, names_in([m])))
        )
        leaves = self._leaves(equation, scope)
        if free or not leaves or len(formulas) < 2:
            return
        kept = replace(equation, members=formulas, relations=("=",) * len(formulas))
        problems = []
        inside = 0
        for k in range(_TRIES):
            point = {name: self._draw(leaf, k) for name, leaf in leaves.items()}
            try:
                inside += compare(kept, numeric.move(point), 1e-5) is not None
            except FalseError as error:
                inside += 1
                problems.append(error)
            except FormulaError:
                return  # the text does not say enough to move
            if inside == _POINTS:
                break
        if inside and len(problems) < 2:
            scope.log.witnesses.add("finite differences")
        elif problems and not self._constants(equation, scope):
            error = problems[0]
            raise FalseError(f"  true here, but not as a formula:\n{error}", error.at)

    def _constants(self, equation: Equation, scope: Names) -> bool:
        """Tell whether a tensor takes part that may be a detached value of others."""
        tensors = [scope.live(name) for name in scope.closure(equation.members)]
        return any(isinstance(t, Tensor) and not t.requires_grad for t in tensors)

    def _leaves(self, equation: Equation, scope: Names) -> dict[str, Tensor]:
        """Return what can be moved: leaves, and what is differentiated by."""
        targets = {
            name
            for node in walk(equation.members)
            if node.op == "derivative"
            for name in names_in(node.args[2])
        }
        lives = {n: scope.live(n) for n in scope.closure(equation.members)}
        return {
            name: live
            for name, live in lives.items()
            if isinstance(live, Tensor)
            and live.requires_grad
            and (live.is_leaf or name in targets)
        }

    def _draw(self, like: Tensor, k: int) -> Tensor:
        """Draw a point: positive at first, so that ln and roots have a value."""
        uniform = torch.rand(like.shape, generator=self._random, dtype=torch.float64)
        return 0.4 + 1.6 * uniform if k % 2 == 0 else 0.3 + 1.2 * uniform

    # What an author sees

    def _report(
        self, block: Block, maths: Maths, error: FormulaError
    ) -> StatementError:
        line = _line_of(block, maths, error.at)
        if isinstance(error, FalseError):
            return StatementError(f"{self._name}:{line}\n{error}", line)
        start = maths.text.rfind("\n", 0, error.at) + 1
        shown = maths.text[start:].split("\n")[0]
        caret = " " * (error.at - start) + "^"
        return StatementError(
            f"{self._name}:{line}\n  {shown}\n  {caret} {error}", line
        )


_GIVEN = {"pi", "e", "infty", "i", "I"}


def _refuse_circle(equation: Equation) -> None:
    """Refuse ``n = |n|``, which would be true of any slip that gives n itself."""
    first, *others = equation.members
    formulas = [member for member in others if not is_literal(member)]
    circular = [f for f in formulas if first.args[0] in names_in([f])]
    if first.op == "name" and formulas and circular == formulas:
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
    bodies = [m for m in equation.members[1:] if name not in names_in([m])]
    bodies.sort(key=is_literal)
    if not bodies or derives(bodies[:1]) != (name in DERIVED_NAMES):
        return None
    if first.op == "index":
        return name, (), Node("each", (letters, bodies[0]), first.at)
    return name, () if scope.live(name) is not None else letters, bodies[0]


def _line(text: str) -> str:
    return " ".join(text.split())


def _line_of(block: Block, maths: Maths, at: int) -> int:
    return block.line + block.source[: maths.start + at].count("\n")
