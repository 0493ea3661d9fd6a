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
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import Tensor

from coursecheck.algebra import evaluate, resolved, spellings
from coursecheck.binding import DERIVED_NAMES, Definition, FreedError, Log, Names
from coursecheck.comparing import FalseError, derives, is_literal
from coursecheck.doctests import run_doctests
from coursecheck.faults import StatementError, gathered, raise_all
from coursecheck.formulas import (
    FUNCTIONS,
    Equation,
    FormulaError,
    Node,
    names_in,
    parse,
    walk,
)
from coursecheck.maths import RELATION, Maths, Roles, find_maths, without_blocks
from coursecheck.spoken import spoken
from coursecheck.stated import Block, Formula, Statement, StatementKind
from coursecheck.tokens import OpenError
from coursecheck.verifying import verify

__all__ = ["Checker", "StatementError"]

_HEAD = re.compile(
    r"\\?([A-Za-z]+)(?:_\{?(\w+)\}?)?\s*\(\s*[A-Za-z](?:\s*,\s*[A-Za-z])*\s*\)\s*&?\s*"
    r"(?::?=|\\equiv|\\triangleq|\\coloneqq|[≡≜≔])"
)
_UNUSED = (
    "nothing uses this definition, so nothing checks it: what the code has is stated"
    " beside the cell that makes it; an argument in code style is written as code, a"
    " general law is marked as law"
)
_PUT_OUT = (
    "(this cell puts it out, where it is compared as in a text: leave the relation"
    " out, or state it in the text)"
)
_IN_WORDS = (
    "(the words behind the formula say so: put the whole equation into the formula; if"
    " they speak of another place, say in the sentence where, or mark it as law)"
)
_AS_LAW = {  # how an author marks one
    "rst": "a law is written :law:`…`, a displayed one has `:class: law` below it",
    "md": "a law is written {law}`…`, a displayed one has `:class: law` in ```{math}",
}
_GIVEN = {"pi", "e", "infty", "i", "I"}
_BELOW = re.compile(r"_\{[^{}]*\}")  # no place for a statement
_UNREAD = "it looks like an equation, but none is read here: write it on its own line"
_Found = Statement | FormulaError | None  # None: it only defines, or not yet
_State = Mapping[str, tuple[Any, ...]]  # what tells whether a variable has changed
_Key = tuple[int, int]  # a formula's number, and the place of an equation in it
_Paragraph = tuple[str, int, int]  # a block's file and line, paragraphs that precede


@dataclass(frozen=True)
class _Entry:
    """One equation: what the last look has found, and the names that it is about."""

    block: Block
    maths: Maths
    place: int
    number: int
    found: _Found = None
    names: frozenset[str] = frozenset()

    @property
    def key(self) -> _Key:
        """Return which equation of the lesson it is."""
        return self.number, self.place

    @property
    def paragraph(self) -> _Paragraph:
        """Return its block's file and line, and how many blank lines precede it."""
        above = self.block.source[: self.maths.start]
        file, line = self.block.file or "", self.block.line
        return file, line, len(re.findall(r"\n[ ]*\n", above))


@dataclass(frozen=True)
class _Unused:
    """A definition of the text, until something true is said with it."""

    name: str
    body: Node
    key: tuple[int, int]
    error: StatementError
    law: Statement | None


def _unread(before: _Found, later: FormulaError) -> list[FormulaError]:
    """Return what was wrong already while the graph was there that is freed now."""
    if not isinstance(later, FreedError) or isinstance(before, OpenError):
        return []
    return [before] if isinstance(before, FormulaError) else []


class Checker:
    """Check the text blocks of one lesson, in their order.

    Call :meth:`read` with the namespace at a block, :meth:`confirm` when the next
    code cell has run, and :meth:`finish` at last; each of the ``seeds`` gives random
    points of its own.  With ``laws``, what nothing binds is a law; with ``quotes``, an
    example in a literal block is no example.  ``notes`` says of which formulas and
    blocks.  ``formulas`` are all that it has read.
    """

    def __init__(
        self,
        name: str,
        markup: Literal["rst", "md"],
        seeds: Sequence[int] = (0,),
        *,
        laws: bool = False,
        quotes: bool = False,
    ) -> None:
        self.name, self.markup, self._seeds = name, markup, tuple(seeds)
        self._laws, self._quotes = laws, quotes
        self.notes: list[str] = []
        self.formulas: list[Formula] = []
        self._roles: Roles = {}
        self._definitions: dict[str, Definition] = {}
        self._bases: dict[str, int] = {}
        self._lengths: dict[_Paragraph, dict[_Key, dict[str, int]]] = {}
        self._unused: list[_Unused] = []
        self._pending: list[tuple[_Entry, _State]] = []
        self._spoken: list[tuple[_Entry, FalseError | bool]] = []

    def copy(self) -> Checker:
        """Return a checker that goes on from here on its own."""
        twin = copy.copy(self)
        twin._definitions, twin._unused = dict(self._definitions), list(self._unused)
        twin._pending, twin._bases = list(self._pending), dict(self._bases)
        twin._spoken = list(self._spoken)
        twin._lengths = {where: dict(of) for where, of in self._lengths.items()}
        twin.formulas, twin._roles = list(self.formulas), dict(self._roles)
        return twin

    def read(self, block: Block, namespace: Mapping[str, Any]) -> tuple[Statement, ...]:
        """Run the block's examples; look at its formulas, as the namespace stands.

        Return the examples.  Raise :class:`StatementError` for one that is false,
        or for a formula that cannot be read.
        """
        faults: list[StatementError] = []
        done: tuple[Statement, ...] = ()
        with gathered(faults):
            self.look(block, namespace)
        for part in (block, *block.included):
            with gathered(faults):
                done += self._examples(part, namespace)
        raise_all(faults)
        return done

    def _examples(
        self, block: Block, namespace: Mapping[str, Any]
    ) -> tuple[Statement, ...]:
        name = block.file or self.name
        if self._quotes and ">>> " in block.source:
            text = without_blocks(block.source, self.markup)
            if count := block.source.count(">>> ") - text.count(">>> "):
                place = f"{name}:{block.line}"
                self.notes.append(f"{place}\n  {count} examples are shown and not run")
            block = replace(block, source=text)
        return run_doctests(block, namespace, name)

    def look(self, block: Block, namespace: Mapping[str, Any]) -> None:
        """Look at the block's formulas, and leave the examples out."""
        state = _state(namespace)
        faults: list[StatementError] = []
        for part in (block, *block.included):
            found = find_maths(part.source, self.markup, self._roles)
            for maths in found:
                with gathered(faults):
                    self._read(part, maths, namespace, state)
            said = (_Entry(part, m, 0, -1) for m in spoken(part.source, found))
            self._spoken += [(e, self._hear(e, namespace)) for e in said]
        raise_all(faults)

    def _read(
        self, block: Block, maths: Maths, namespace: Mapping[str, Any], state: _State
    ) -> None:
        """Note a formula, and look at its equations."""
        place = f"{block.file or self.name}:{_line_of(block, maths, 0)}"
        number = len(self.formulas)
        self.formulas.append(Formula(maths.text, place))
        law = _Entry(block, maths, 0, number, _law(block, maths))
        if maths.law:
            self._pending.append((law, {}))
            return
        try:
            count = len(self._equations(maths, namespace))
        except FormulaError as error:
            if not self._laws:
                raise self._report(block, maths, error) from error
            self.notes.append(f"{self._report(block, maths, error)}\n  (a law)")
            self._pending.append((law, {}))
            return
        if not count and RELATION.search(_BELOW.sub("", maths.text)):
            raise self._report(block, maths, FormulaError(_UNREAD))
        for k in range(count):
            entry = _Entry(block, maths, k, number)
            self._pending.append((self._look(entry, namespace, last=False), state))

    def confirm(self, namespace: Mapping[str, Any]) -> tuple[Statement, ...]:
        """Look again at what was not true before; return what is stated and true.

        Raise :class:`StatementError` for the statements that were true at neither
        look, with both sides and what differs.
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
        faults: list[StatementError] = []
        for entry, later, changed in looks:
            true = [f for f in (entry.found, later) if isinstance(f, Statement)]
            false = [f for f in (later, entry.found) if isinstance(f, FalseError)]
            luck = {(entry.paragraph, name) for name in changed} & only_later
            if isinstance(later, FormulaError) and (not true or (luck and false)):
                error = (*false, *_unread(entry.found, later), later)[0]
                by_now = entry.names & set(namespace)  # the code has them
                self._unused = [u for u in self._unused if u.name not in by_now]
                if not (self._laws and isinstance(error, OpenError)):
                    faults.append(self._report(entry.block, entry.maths, error))
                    continue
                equation = self._equations(entry.maths, namespace)[entry.place]
                true = [_law(entry.block, entry.maths, equation)]
            done += [replace(s, formula=entry.number) for s in true[:1]]
        heard, self._spoken = self._spoken, []
        for entry, before in heard:
            both = before, self._hear(entry, namespace)
            false = [f for f in both if isinstance(f, FalseError)]
            if false and True not in both:
                fault = self._report(entry.block, entry.maths, false[-1])
                faults.append(StatementError(f"{fault}\n  {_IN_WORDS}", fault.line))
        raise_all(faults)
        return tuple(done)

    def _look_again(
        self, entry: _Entry, before: _State, namespace: Mapping[str, Any]
    ) -> tuple[_Found, set[str]]:
        """Look after the cell where it may matter; say which names have changed."""
        now = _state(namespace)
        same = {n for n in entry.names if _same(before.get(n), now.get(n))}
        changed = set(entry.names - same)
        sized = isinstance(entry.found, FalseError) and entry.paragraph in self._lengths
        known = isinstance(entry.found, Statement | FalseError)
        if known and not changed and not sized:  # n may have another size by now
            return entry.found, changed
        return self._look(entry, namespace, last=True).found, changed

    def look_at_output(
        self, formula: str, line: int, namespace: Mapping[str, Any]
    ) -> None:
        """Compare a formula that a cell has put out, which adds nothing to the text.

        Raise :class:`StatementError` if it is false or cannot be read.
        """
        twin = self.copy()
        twin.markup, twin._pending, twin._unused, twin._spoken = "md", [], [], []
        try:
            twin.look(Block("text", f"$${formula}$$", line), namespace)
            twin.confirm(namespace)
            twin.finish()
        except StatementError as fault:
            raise StatementError(f"{fault}\n  {_PUT_OUT}", line) from fault

    def finish(self) -> tuple[Statement, ...]:
        """Return what is left to say, which is nothing, or what turned out a law.

        Raise :class:`StatementError` for a definition that nothing has used: it
        would be a formula that the reader trusts and nobody has checked.
        """
        if self._laws:
            return tuple(unused.law for unused in self._unused if unused.law)
        raise_all([unused.error for unused in self._unused])
        return ()

    def _equations(
        self, maths: Maths, namespace: Mapping[str, Any]
    ) -> tuple[Equation, ...]:
        scope = self._scope(namespace)
        heads = {"_".join(filter(None, h)) for h in _HEAD.findall(maths.text)}
        heads = {head for head in heads if scope.live(head) is None}
        found = parse(
            maths.text,
            lambda name: name in heads or scope.is_function(name),
            lambda name: not isinstance(scope.live(name), int | None),
            scope.knows,
        )
        known = ((e, resolved(e.members, scope.knows)) for e in found)
        return tuple(replace(e, members=members) for e, members in known)

    def _scope(self, namespace: Mapping[str, Any]) -> Names:
        return Names(namespace, self._definitions, Log(), bases=self._bases)

    @torch.enable_grad()  # whatever the lesson has switched off
    def _look(
        self, entry: _Entry, namespace: Mapping[str, Any], *, last: bool
    ) -> _Entry:
        """Decide one equation, if it can be decided by now."""
        names: frozenset[str] = frozenset()
        equal = True
        found: _Found = None
        try:
            beside = self._equations(entry.maths, namespace)
            equation = beside[entry.place]
            equal = any(sign in "=≈" for sign in equation.relations)
            scope = self._scope(namespace)
            names = frozenset(_subjects(equation, scope))
            stating = _states(equation, scope, alone=len(beside) == 1)
            if stating:
                with self._measured(entry, scope):
                    found = self._decide(entry, equation, scope, last)
        except FormulaError as problem:
            found = problem if equal or not isinstance(problem, OpenError) else None
        return replace(entry, found=found, names=names)

    @contextmanager
    def _measured(self, entry: _Entry, scope: Names) -> Iterator[None]:
        """Give letters the sizes that they have in this paragraph; keep new ones."""
        here = self._lengths.get(entry.paragraph, {})
        for key in sorted(key for key in here if key < entry.key):
            scope.lengths.update(here[key])
        before = dict(scope.lengths)
        yield
        if scope.lengths != before:
            here = self._lengths.setdefault(entry.paragraph, {})
            here[entry.key] = dict(scope.lengths.items() - before.items())

    def _decide(
        self, entry: _Entry, equation: Equation, scope: Names, last: bool
    ) -> Statement | None:
        for run in equation.runs:
            _refuse_circle(run)
        before = dict(self._definitions)
        defines = self._define(equation, scope)
        self._count(equation, scope)
        log = scope.log
        scope = replace(scope, definitions=dict(self._definitions))
        only = bool(defines) and len(equation.members) == 2
        if defines and self._definitions[defines] != before.get(defines):
            problem = FormulaError(_UNUSED, equation.start)
            law = _law(entry.block, entry.maths, equation, entry.number)
            error = self._report(entry.block, entry.maths, problem)
            body = self._definitions[defines].body
            self._settle(defines, body, entry)
            unused = _Unused(defines, body, entry.key, error, law if only else None)
            self._unused.append(unused)
        if only:
            return None
        difference = self._verify(equation, scope)
        self._tie(entry, equation, scope)
        for name in log.texts - {defines}:
            self._settle(name, scope.definitions[name].body)
        if log.texts and not last:  # the next cell may give these names a value
            return None
        kind: StatementKind = "gradient" if derives(equation.members) else "value"
        line = _line_of(entry.block, entry.maths, equation.start)
        witnesses = tuple(sorted(log.witnesses))
        text = _line(equation.text)
        return Statement(kind, text, line, witnesses, difference, log.here)

    @torch.enable_grad()
    def _hear(self, entry: _Entry, namespace: Mapping[str, Any]) -> FalseError | bool:
        """Tell whether what is said in words is known to be true, or false, or not."""
        scope = self._scope(namespace)
        try:
            equations = self._equations(entry.maths, namespace)
            alone = len(equations) == 1
            if not alone or evaluate(equations[0].members[0], scope).tensor.ndim:
                return False
            self._try(equations[0], scope)
        except FalseError as error:
            return error
        except FormulaError:
            return False
        return True

    def _verify(self, equation: Equation, scope: Names) -> float:
        """Compare all members; where laws may stand, those that can be compared."""
        try:
            return self._try(equation, scope)
        except OpenError:
            parts = [_known_part(run, scope) for run in equation.runs]
            if not self._laws or not any(len(p.members) > 1 for p in parts):
                raise
            scope.log.witnesses.add("in part")
            known = (p for p in parts if len(p.members) > 1)
            return max(self._try(part, scope) for part in known)

    def _try(self, equation: Equation, scope: Names) -> float:
        return max(verify(equation, scope, seed) for seed in self._seeds)

    # Definitions

    def _count(self, equation: Equation, scope: Names) -> None:
        r"""Learn from ``x = (x_1, \dots, x_n)`` where the entries of x count from."""
        for node in walk(equation.members):
            if node.op == "entries":
                base, low, high = node.args
                [name] = names_in(base)
                first, size = low.args[0], scope.value(name, node.at).numel()
                if first not in ("0", "1"):
                    raise FormulaError("the first entry is x_0 or x_1", low.at)
                self._bases[name] = int(first)
                if high.op == "name" and not scope.knows(high.args[0]):
                    last = Node("number", (str(size - 1 + int(first)),), high.at)
                    self._definitions[high.args[0]] = Definition((), last, end=True)

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

    def _settle(self, name: str, body: Node, entry: _Entry | None = None) -> None:
        """Take what an entry, or another that says the same, defines as checked."""
        key = entry.key if entry else None
        self._unused = [
            u
            for u in self._unused
            if u.name != name or (u.key != key and u.body != body)
        ]

    def _tie(self, entry: _Entry, equation: Equation, scope: Names) -> None:
        """Keep a definition that is true of a live tensor, for this very tensor."""
        if not (head := _head(equation, scope)):
            return
        name, _, body = head
        live = scope.live(name)
        if live is not None or scope.has_function(name):
            self._settle(name, body, entry)
        if isinstance(live, Tensor) and not is_literal(body):
            self._definitions[name] = Definition((), body, weakref.ref(live))

    # What an author sees

    def _report(
        self, block: Block, maths: Maths, error: FormulaError
    ) -> StatementError:
        line = _line_of(block, maths, error.at)
        where = f"{block.file or self.name}:{line}"
        law = f"\n  ({_AS_LAW[self.markup]})" * ("as law" in str(error))
        if isinstance(error, FalseError):
            return StatementError(f"{where}\n{error}{law}", line)
        start = maths.text.rfind("\n", 0, error.at) + 1
        shown = maths.text[start:].split("\n")[0]
        caret = " " * (error.at - start) + "^"
        return StatementError(f"{where}\n  {shown}\n  {caret} {error}{law}", line)


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


def _states(equation: Equation, scope: Names, *, alone: bool) -> bool:
    """Tell ``y < 5`` of a result from ``x < 0`` of an input, which is a condition.

    It is none where it would share the mark of what stands beside it, and where it
    says of what shape a tensor is.
    """
    equal = any(sign in "=≈" for sign in equation.relations)
    names = names_in([m for m in equation.members if m.op != "space"])
    results = any(map(scope.leaves, names))
    member = not alone or bool({"∈", "∉"}.intersection(equation.relations))
    known = member and all(map(scope.knows, names))
    return equal or results or known or derives(equation.members)


def _refuse_circle(equation: Equation) -> None:
    """Refuse ``n = |n|``, which would be true of any slip that gives n itself."""
    first, *others = equation.members
    formulas = [m for m in others if not is_literal(m) and m.op != "entries"]
    circular = [f for f in formulas if first.args[0] in names_in(f)]
    if first.op != "name" or not circular:
        return
    [name] = first.args
    remedy = "if it is meant as a fixed point, write the name alone on the right"
    if entries := [s for f in circular if f.op == "index" for s in spellings(f)]:
        remedy = f"for what is no entry, give the code a variable {entries[0]}"
    raise OpenError(f"{name} stands on both sides: {remedy}", first.at)


def _head(equation: Equation, scope: Names) -> tuple[str, tuple[str, ...], Node] | None:
    """Read what is defined: its name, arguments and body."""
    members = equation.members
    if equation.bounds or members[0].op not in ("name", "call", "index"):
        return None
    first = members[0]
    new = [m for m in members[1:-1] if m.op == "call" and scope.is_new(m.args[0])]
    if new and first.op == "name":  # u = f(x) = 3x^2
        first, members = new[0], (new[0], *members[members.index(new[0]) + 1 :])
    base, args = (first, ()) if first.op == "name" else first.args
    name = base if isinstance(base, str) else "".join(base.names[:1])
    letters = tuple(arg.args[0] for arg in args if arg.op == "name")
    if not isinstance(name, str) or len(set(letters)) != len(args) or name in FUNCTIONS:
        return None
    bodies = [m for m in members[1:] if name not in names_in(m)]
    bodies.sort(key=is_literal)
    if not bodies or derives(bodies[0]) != (name in DERIVED_NAMES):
        return None
    if first.op == "index":
        of = letters, bodies[0], (bodies[0],), equation.spans
        return name, (), Node("each", of, first.at)
    return name, () if scope.live(name) is not None else letters, bodies[0]


def _known_part(equation: Equation, scope: Names) -> Equation:
    """Leave out the members that have no value."""
    known = tuple(m for m in equation.members if _has_value(m, equation, scope))
    relation = "≈" if "≈" in equation.relations else "="
    return replace(equation, members=known, relations=(relation,) * (len(known) - 1))


def _has_value(member: Node, equation: Equation, scope: Names) -> bool:
    if letters := scope.free(equation.letters):
        node = (letters, member, equation.members, equation.spans)
        member = Node("each", node, member.at)
    try:
        evaluate(member, replace(scope, log=Log()))
    except FormulaError:
        return False
    return True


def _law(
    block: Block, maths: Maths, equation: Equation | None = None, formula: int = -1
) -> Statement:
    text, at = (equation.text, equation.start) if equation else (maths.text, 0)
    line = _line_of(block, maths, at)
    return Statement("law", _line(text), line, formula=formula)


def _line(text: str) -> str:
    return " ".join(text.split())


def _line_of(block: Block, maths: Maths, at: int) -> int:
    return block.line + block.source[: maths.start + at].count("\n")
