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

import copy
import re
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import Tensor

from coursebuild.algebra import FUNCTIONS
from coursebuild.binding import DERIVED_NAMES, Definition, Log, Names, UnboundError
from coursebuild.comparing import FalseError, compare, derives, is_literal
from coursebuild.doctests import StatementError
from coursebuild.formulas import Equation, FormulaError, Node, names_in, parse, walk
from coursebuild.lesson import Block, Statement
from coursebuild.maths import Maths, find_maths

__all__ = ["Checker", "StatementError"]

_POINTS = 3  # random points at which a formula is tried; one may sit on a kink
_TRIES = 12  # to find points where it has a value
_HEAD = re.compile(r"([A-Za-z])\s*\(\s*[A-Za-z](?:\s*,\s*[A-Za-z])*\s*\)\s*&?\s*=")
_GIVEN = {"pi", "e", "infty", "i", "I"}


@dataclass(frozen=True)
class _Entry:
    """One equation, and what the look before the next cell has found."""

    block: Block
    maths: Maths
    place: int
    found: Statement | FormulaError | None


class Checker:
    """Check the text blocks of one lesson, in their order.

    Call :meth:`read` with the namespace at a block, :meth:`confirm` when the next
    code cell has run, and :meth:`finish` at last; ``seed`` moves the random points.
    """

    def __init__(self, name: str, markup: Literal["rst", "md"], seed: int = 0) -> None:
        self._name, self._markup, self._seed = name, markup, seed
        self._definitions: dict[str, Definition] = {}
        self._unused: dict[str, StatementError] = {}
        self._pending: list[_Entry] = []

    def copy(self) -> Checker:
        """Return a checker that goes on from here on its own."""
        twin = copy.copy(self)
        twin._definitions, twin._unused = dict(self._definitions), dict(self._unused)
        twin._pending = list(self._pending)
        return twin

    def read(self, block: Block, namespace: Mapping[str, Any]) -> None:
        """Look at the block's statements as the namespace stands there.

        Raise :class:`StatementError` for a formula that cannot be read.
        """
        for maths in find_maths(block.source, self._markup):
            if maths.law:
                law = Statement("law", _line(maths.text), _line_of(block, maths, 0))
                self._pending.append(_Entry(block, maths, 0, law))
                continue
            try:
                count = len(self._equations(maths, namespace))
            except FormulaError as error:
                raise self._report(block, maths, error) from error
            for place in range(count):
                entry = _Entry(block, maths, place, None)
                found = self._look(entry, namespace, last=False)
                self._pending.append(replace(entry, found=found))

    def confirm(self, namespace: Mapping[str, Any]) -> tuple[Statement, ...]:
        """Look again at what was not true before; return what is stated and true.

        Raise :class:`StatementError` at the first statement that was true at
        neither look, with both sides and what differs.
        """
        pending, self._pending = self._pending, []
        done: list[Statement] = []
        for entry in pending:
            later = entry.found
            if not isinstance(later, Statement) or later.kind == "value":
                later = self._look(entry, namespace, last=True)
            looks = entry.found, later
            if true := [look for look in looks if isinstance(look, Statement)]:
                done.append(true[0])
            elif isinstance(later, FormulaError):
                false = (look for look in looks if isinstance(look, FalseError))
                error = next(false, later)
                raise self._report(entry.block, entry.maths, error) from error
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
        self, entry: _Entry, namespace: Mapping[str, Any], *, last: bool
    ) -> Statement | FormulaError | None:
        """Decide one equation; None if it only defines, or cannot be decided yet."""
        log = Log()
        try:
            equation = self._equations(entry.maths, namespace)[entry.place]
            _refuse_circle(equation)
            defines = self._define(equation, Names(namespace, self._definitions, log))
            scope = Names(namespace, dict(self._definitions), log)
            if defines:
                text = "nothing uses this definition, so nothing checks it"
                problem = FormulaError(text, equation.start)
                self._unused[defines] = self._report(entry.block, entry.maths, problem)
                if len(equation.members) == 2:
                    return None
            difference = self._verify(equation, scope)
            self._tie(equation, scope)
        except FormulaError as problem:
            return problem
        for name in log.texts - {defines}:
            self._unused.pop(name, None)
        if log.texts and not last:  # the next cell may give these names a value
            return None
        kind = "gradient" if derives(equation.members) else "value"
        line = _line_of(entry.block, entry.maths, equation.start)
        witnesses = tuple(sorted(log.witnesses))
        return Statement(kind, _line(equation.text), line, witnesses, difference)

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

    # Truth

    def _verify(self, equation: Equation, scope: Names) -> float:
        """Compare all members; return the largest difference, or raise."""
        self._random = torch.Generator().manual_seed(self._seed)
        free: dict[str, Tensor] = {}
        while True:
            try:
                worst = compare(equation, scope.bind(free), anywhere=bool(free)) or 0.0
                break
            except UnboundError as unbound:
                if unbound.name in free or unbound.name not in self._params(equation):
                    raise
                free[unbound.name] = self._draw(torch.tensor(1.0), 0)
        if free:
            scope.log.witnesses.add("random points")
            worst = self._try(equation, scope, free, Names.bind)
        if derives(equation.members):
            self._try_differences(equation, scope.bind(free), bool(free))
        return worst

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
            if derives(m) or any(map(scope.knows, names_in(m)))
        )
        leaves = self._leaves(equation, scope)
        if free or not leaves or len(formulas) < 2:
            return
        kept = replace(equation, members=formulas, relations=("=",) * len(formulas))
        try:
            self._try(kept, numeric, leaves, Names.move, 1e-5)
            scope.log.witnesses.add("finite differences")
        except FalseError:
            if not self._constants(equation, scope):
                raise
        except FormulaError:
            pass  # the text does not say enough to move, or leads to no number

    def _try(
        self,
        equation: Equation,
        scope: Names,
        like: Mapping[str, Tensor],
        go: Callable[[Names, Mapping[str, Tensor]], Names],
        rtol: float | None = None,
    ) -> float:
        """Compare at random points where the formulas have a value."""
        found: list[float | FalseError] = []
        for k in range(_TRIES):
            point = go(scope, {name: self._draw(t, k) for name, t in like.items()})
            try:
                difference = compare(equation, point, rtol, anywhere=True)
            except FalseError as error:
                difference = error
            found += [] if difference is None else [difference]
            if len(found) == _POINTS:
                break
        false = [f for f in found if isinstance(f, FalseError)]
        if len(false) > scope.numeric:  # a kink may lie between two differences
            text = f"  true here, but not as a formula:\n{false[0]}"
            raise FalseError(text, false[0].at)
        if not found:
            raise FormulaError("found no number where this has a value", equation.start)
        return max(f for f in found if not isinstance(f, FalseError))

    def _constants(self, equation: Equation, scope: Names) -> bool:
        """Tell whether a tensor takes part that may be a detached value of others."""
        tensors = [scope.live(name) for name in scope.closure(equation.members)]
        return any(isinstance(t, Tensor) and not t.requires_grad for t in tensors)

    def _leaves(self, equation: Equation, scope: Names) -> dict[str, Tensor]:
        """Return what can be moved: leaves, and what is differentiated by."""
        derivatives = [n for n in walk(equation.members) if n.op == "derivative"]
        targets = names_in([n.args[2] for n in derivatives])
        lives = {n: scope.live(n) for n in scope.closure(equation.members)}
        return {
            name: live
            for name, live in lives.items()
            if isinstance(live, Tensor)
            and live.requires_grad
            and (live.is_leaf or name in targets)
        }

    def _draw(self, like: Tensor, k: int) -> Tensor:
        """Draw a point, now and then one where roots and ln have a value."""
        uniform = torch.rand(like.shape, generator=self._random, dtype=torch.float64)
        return 0.4 + 1.6 * uniform if k % 2 == 0 else 4 * uniform - 2

    # What an author sees

    def _report(
        self, block: Block, maths: Maths, error: FormulaError
    ) -> StatementError:
        line = _line_of(block, maths, error.at)
        where = f"{self._name}:{line}"
        if isinstance(error, FalseError):
            return StatementError(f"{where}\n{error}", line)
        start = maths.text.rfind("\n", 0, error.at) + 1
        shown = maths.text[start:].split("\n")[0]
        caret = " " * (error.at - start) + "^"
        return StatementError(f"{where}\n  {shown}\n  {caret} {error}", line)


def _refuse_circle(equation: Equation) -> None:
    """Refuse ``n = |n|``, which would be true of any slip that gives n itself."""
    first, *others = equation.members
    formulas = [member for member in others if not is_literal(member)]
    circular = [f for f in formulas if first.args[0] in names_in(f)]
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
    bodies = [m for m in equation.members[1:] if name not in names_in(m)]
    bodies.sort(key=is_literal)
    if not bodies or derives(bodies[0]) != (name in DERIVED_NAMES):
        return None
    if first.op == "index":
        return name, (), Node("each", (letters, bodies[0], (bodies[0],)), first.at)
    return name, () if scope.live(name) is not None else letters, bodies[0]


def _line(text: str) -> str:
    return " ".join(text.split())


def _line_of(block: Block, maths: Maths, at: int) -> int:
    return block.line + block.source[: maths.start + at].count("\n")
