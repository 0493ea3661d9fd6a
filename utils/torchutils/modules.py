"""Which module ran which operation: traced while it ran, or guessed from names."""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import get_ident
from typing import NamedTuple
from weakref import WeakKeyDictionary

import torch
from torch import nn
from torch._C._autograd import _get_sequence_nr
from torch.nn.modules.module import (
    register_module_forward_hook,
    register_module_forward_pre_hook,
)

from torchutils.graph import Group, Row, WireRow
from torchutils.names import Names
from torchutils.walk import Walk, leaf_of

__all__ = ["Call", "trace_modules", "traced", "with_modules"]

CONTAINERS = (nn.ModuleList, nn.ModuleDict)  # they hold modules, and run nothing


class Call(NamedTuple):
    """One run of a module: its path, its class, and the operations made meanwhile.

    They are those numbered from ``start``, and before ``end``.
    """

    path: str
    cls: str
    start: int
    end: int


THREADS = (
    "Which module ran which operation is not known: several threads made operations "
    "while trace_modules watched, and each thread numbers its own."
)


@contextmanager
def trace_modules(model: nn.Module) -> Iterator[None]:
    """Have a drawing know which module ran what inside the ``with``.

    ``make_dot(loss, model)`` then draws a box for each call of a module.  Nothing is
    changed: hooks note the number that autograd gives to the next operation, before
    and after each call in this thread.  A later trace of the same model replaces it.
    Each thread counts for itself, and PyTorch tells of no operation which thread made
    it: where modules run in other threads too, the drawing says that it does not know.
    A lone operation of another thread is noticed by its number: the graph holds another
    operation with that number, or one that uses it, or that it uses, contradicts it.
    One whose number fits by chance between its operands' and its users' may stand in a
    wrong box.

    Raises TypeError when ``model`` is no module.

    >>> model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Tanh())
    >>> with trace_modules(model):
    ...     y = model(torch.ones(1, 2))
    >>> [call.cls for call in traced(model)]
    ['Sequential', 'Linear', 'Tanh']
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"trace_modules needs a module, not {type(model).__name__}")
    trace = _Trace(model)
    hooks = (
        register_module_forward_pre_hook(trace.enter),
        register_module_forward_hook(trace.leave, always_call=True),
    )
    _TRACES[model] = trace
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


class _Trace:
    """The hooks of one trace; they hold paths, and no module."""

    def __init__(self, model: nn.Module) -> None:
        self.known = {id(m): (path, _name(m)) for path, m in model.named_modules()}
        self.calls: list[Call] = []
        self.open: list[tuple[int, int]] = []
        self.thread = get_ident()
        self.threads = False  # a module ran in another thread: a copy, perhaps

    def enter(self, module: nn.Module, _given: object) -> None:
        """Note where a call begins."""
        if torch.compiler.is_compiling():
            return
        if get_ident() != self.thread:
            self.threads = True
        elif id(module) in self.known:
            now = _get_sequence_nr()
            self.open.append((id(module), len(self.calls)))
            self.calls.append(Call(*self.known[id(module)], now, now))

    def leave(self, module: nn.Module, _given: object, _made: object) -> None:
        """Note where a call ends, and with it those inside that failed."""
        if torch.compiler.is_compiling() or get_ident() != self.thread:
            return
        while any(one == id(module) for one, _ in self.open):
            ended, place = self.open.pop()
            now = _get_sequence_nr()
            self.calls[place] = self.calls[place]._replace(end=now)
            if ended == id(module):
                return


_TRACES: WeakKeyDictionary[nn.Module, _Trace] = WeakKeyDictionary()


def _name(module: nn.Module) -> str:
    return type(module).__name__


def traced(model: nn.Module) -> list[Call]:
    """Return the calls of the last trace of a model, in the order of their starts."""
    return _TRACES[model].calls if model in _TRACES else []


def with_modules(
    live: Walk, names: Names, nodes: list[Row], guess_from: int | None
) -> tuple[list[Row], tuple[Group, ...], bool, str]:
    """Give each node its group: the call of a module that made it, or that owns it.

    Returns the nodes, the groups, whether they are guessed, and what is to be said of
    a trace that does not help.  Guessed is in graphs of more than ``guess_from`` nodes,
    None for none.
    """
    ops = sorted(
        (i for i, row in enumerate(nodes) if row[1] == "op"),
        key=lambda i: nodes[i][16],  # seq
    )
    made = [node for i in ops if not isinstance(node := live.nodes[i], torch.Tensor)]
    calls, numbers = _calls(names.models), [node._sequence_nr() for node in made]
    homes, groups = _traced(calls, numbers)
    guess, unknown = not any(home >= 0 for home in homes), ""
    number = dict(zip(ops, numbers, strict=True))
    if calls and _in_threads(names.models, calls, homes, live, number):
        guess, unknown = True, THREADS
    if guess:
        if guess_from is None or len(nodes) <= guess_from:
            return nodes, (), False, unknown
        if len(set(numbers)) < len(numbers) or any(_against(live, number)):
            ops = _by_use(live, ops)
        homes, groups = _guessed(live, names, nodes, ops)
    home = dict(zip(ops, homes, strict=True))
    home |= _leaves(live, nodes, home, groups)
    roots = [g for g in _with_parents(set(home.values()), groups) if g.parent < 0]
    if len(roots) == 1 and any(roots[0].label == name for name, _ in names.models):
        home, groups = _without(roots[0].id, home, groups)
    kept = _numbered(_with_parents(set(home.values()), groups), guess)
    rows = [
        row if home.get(i, -1) < 0 else (*row[:-1], home[i])
        for i, row in enumerate(nodes)
    ]
    return rows, kept, guess and bool(kept), unknown


def _in_threads(
    models: Sequence[tuple[str, nn.Module]],
    calls: Sequence[Call],
    homes: list[int],
    live: Walk,
    number: dict[int, int],
) -> bool:
    """Say whether a call's operations may be those of another thread.

    A module ran in one, or a number of a call was given twice, or one of two numbers
    of the trace that contradict each other is of another thread.
    """
    if any(_TRACES[m].threads for _, m in models if m in _TRACES):
        return True
    boxed = zip(number.values(), homes, strict=True)
    given = Counter(n for n, home in boxed if home >= 0)
    if any(count > 1 for count in given.values()):
        return True
    first, end = min(call.start for call in calls), max(call.end for call in calls)
    pairs = ((number[src], number[dst]) for src, dst, *_ in _against(live, number))
    return any(first <= later < end and first <= user < end for later, user in pairs)


def _against(live: Walk, number: dict[int, int]) -> Iterator[WireRow]:
    """Yield the edges whose operand has a later number than its user, in one thread.

    A view that is renewed, after its base has changed in place, has one rightly: its
    user asks for it, and it is strided anew (torch/csrc/autograd/variable.cpp,
    ``VariableHooks::grad_fn``).
    """
    for edge in live.edges:
        if number.get(edge[0], -1) > number.get(edge[1], 1 << 64) and (
            type(live.nodes[edge[0]]).__name__ != "AsStridedBackward0"
        ):
            yield edge


def _by_use(live: Walk, ops: Sequence[int]) -> list[int]:
    """Order operations by depth: what makes an operand just before its first user.

    Numbers of several threads say nothing of the order between these.
    """
    operands: dict[int, list[int]] = {i: [] for i in ops}
    used = set()
    for src, dst, *_ in live.edges:
        if src in operands and dst in operands:
            operands[dst].append(src)
            used.add(src)
    found: dict[int, None] = {}
    waiting = [(i, False) for i in ops if i not in used]
    while waiting:
        i, ready = waiting.pop()
        if ready:
            found[i] = None
        elif i not in found:
            waiting.append((i, True))
            waiting += [(src, False) for src in reversed(operands[i])]
    return list(found)


def _calls(models: Sequence[tuple[str, nn.Module]]) -> list[Call]:
    once = {id(model): (name, model) for name, model in reversed(models)}
    calls = [
        call._replace(path=_joined(name, call.path))
        for name, model in once.values()
        for call in traced(model)
    ]
    return sorted(calls, key=lambda call: (call.start, -call.end))


def _traced(calls: list[Call], numbers: list[int]) -> tuple[list[int], list[Group]]:
    """Return the innermost call in which each operation was made, and the calls."""
    groups: list[Group] = []
    opened: list[int] = []
    for k, call in enumerate(calls):
        while opened and calls[opened[-1]].end < max(call.end, call.start + 1):
            opened.pop()
        parent = opened[-1] if opened else -1
        groups.append(Group(k, call.path, parent=parent, cls=call.cls))
        opened.append(k)
    starts, found = [call.start for call in calls], []
    for number in numbers:
        at = bisect_right(starts, number) - 1
        while at >= 0 and calls[at].end <= number:
            at = groups[at].parent
        found.append(at)
    return found, groups


def _leaves(
    live: Walk,
    nodes: list[Row],
    home: dict[int, int],
    groups: list[Group],
) -> dict[int, int]:
    """Put each parameter in the innermost group with all that use it."""
    users: dict[int, list[int]] = defaultdict(list)
    for edge in live.edges:
        if nodes[edge[0]][1] == "leaf":
            users[edge[0]].append(home.get(edge[1], -1))
    parent = {g.id: g.parent for g in groups}
    found = {}
    for leaf, used in users.items():
        own = isinstance(leaf_of(live.nodes[leaf]), nn.Parameter)
        if own or any("." in name for name in nodes[leaf][3]):
            found[leaf] = _around(used, parent)
    return found


def _around(used: list[int], parent: dict[int, int]) -> int:
    if len(distinct := {*used}) == 1:
        return used[0]
    chains = []
    for group in distinct:
        chain = []
        while group >= 0:
            chain.append(group)
            group = parent[group]
        chains.append(chain)
    return next((g for g in chains[0] if all(g in c for c in chains)), -1)


def _with_parents(used: set[int], groups: Sequence[Group]) -> tuple[Group, ...]:
    kept = []
    for group in reversed(groups):  # a group comes after its parent
        if group.id in used:
            used.add(group.parent)
            kept.append(group)
    return tuple(reversed(kept))


def _numbered(groups: Sequence[Group], guess: bool) -> tuple[Group, ...]:
    """Tell the calls of one module apart; a guess knows of parts alone."""
    several, found = Counter(g.label for g in groups), []
    seen: Counter[str] = Counter()
    for group in groups:
        seen[group.label] += 1
        word = f"{'part' if guess else 'call'} {seen[group.label]}"
        found.append(group._replace(call=word if several[group.label] > 1 else ""))
    return tuple(found)


def _without(
    root: int, home: dict[int, int], groups: list[Group]
) -> tuple[dict[int, int], list[Group]]:
    """Leave out the one call of the model, in which all is that was drawn of it."""
    home = {i: -1 if group == root else group for i, group in home.items()}
    rest = [g._replace(parent=-1) if g.parent == root else g for g in groups]
    return home, [g for g in rest if g.id != root]


def _joined(*parts: str) -> str:
    return ".".join(part for part in parts if part)


Path = tuple[str, ...]


def _guessed(
    live: Walk, names: Names, nodes: list[Row], ops: list[int]
) -> tuple[list[int], list[Group]]:
    """Guess a call for each operation: as long as its module does not change."""
    owner, classes = _owners(live, names, nodes)
    groups: list[Group] = []
    opened: list[tuple[Path, int]] = []
    found = []
    for path in _places(owner, ops, live.edges):
        while opened and opened[-1][0] != path[: len(opened[-1][0])]:
            opened.pop()
        inside = opened[-1][0] if opened else ()
        for length in range(len(inside) + 1, len(path) + 1):
            name = ".".join(path[:length])
            cls = classes.get(name, "" if path[length - 1].isdigit() else "module")
            if cls in ("ModuleList", "ModuleDict"):
                continue
            parent = opened[-1][1] if opened else -1
            groups.append(Group(len(groups), name, parent=parent, cls=cls or "module"))
            opened.append((path[:length], groups[-1].id))
        found.append(opened[-1][1] if opened else -1)
    return found, groups


def _owners(
    live: Walk, names: Names, nodes: list[Row]
) -> tuple[dict[int, Path], dict[str, str]]:
    """Return the module of each leaf that has but one, and what classes there are."""
    paths: dict[int, set[Path]] = {}
    classes: dict[str, str] = {}
    for prefix, model in names.models:
        own: dict[int, set[Path]] = defaultdict(set)
        for path, module in model.named_modules():
            full = _joined(prefix, path)
            classes[full] = _container(module) or _name(module)
            for parameter in module._parameters.values():
                own[id(parameter)].add(tuple(full.split(".")))
        paths = dict(own) | paths
    owner = {}
    for i, row in enumerate(nodes):
        if row[1] == "leaf":
            known = {tuple(name.split(".")[:-1]) for name in row[3]}
            known = paths.get(id(leaf_of(live.nodes[i])), known)
            owner[i] = next(iter(known)) if len(known) == 1 else ()
    return owner, classes


def _container(module: nn.Module) -> str:
    """Return the kind of a module that only holds others, and has no forward pass."""
    if type(module).forward is not nn.Module.forward:
        return ""
    return next((k.__name__ for k in CONTAINERS if isinstance(module, k)), "")


def _places(
    owner: dict[int, Path], ops: list[int], edges: Sequence[WireRow]
) -> list[Path]:
    """Guess where each operation, in the order of execution, ran: a path of names.

    One that reads a module's parameter ran in that module; what lies between two of
    those, in the deepest module around both, or around all that it reads.
    """
    inputs: dict[int, list[int]] = defaultdict(list)
    for edge in edges:
        inputs[edge[1]].append(edge[0])
    known = {i: _common([p for s in inputs[i] if (p := owner.get(s))]) for i in ops}
    after: dict[int, Path] = {}
    following: Path = ()
    for i in reversed(ops):
        after[i] = following
        if (own := known[i]) is not None:
            following = own
    found: dict[int, Path] = {}
    before: Path = ()
    for i in ops:
        if (own := known[i]) is not None:
            found[i] = before = own
            continue
        found[i] = _common([before, after[i]]) or ()
        read = [found[s] for s in inputs[i] if s in found]
        around = (_common(read) or ()) if len(read) > 1 else ()
        if len(around) > len(found[i]) and around == before[: len(around)]:
            found[i] = around
    return [found[i] for i in ops]


def _common(paths: Sequence[Path]) -> Path | None:
    """Return the longest path that all begin with; None where there is no path."""
    if not paths:
        return None
    least, most = min(paths), max(paths)
    same = 0
    while same < min(len(least), len(most)) and least[same] == most[same]:
        same += 1
    return least[:same]
