"""What autograd answers where a function has a kink, a tie, a pole or a jump.

The points stand in ``points.txt`` beside this file, one line each.  Run it with words
that the lines you want have in common: ``python points.py clamp``.
"""

import re
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from math import inf, isfinite, isnan, nan
from pathlib import Path

import torch
from torch import Tensor
from torch.autograd import forward_ad, grad
from torch.nn import functional

__all__ = ["KINDS", "Measured", "PointError", "Row", "judge", "measure", "read_rows"]

KINDS = ("kink", "tie", "pole", "jump", "degenerate")
TABLE = Path(__file__).with_name("points.txt")
OPTIONS = re.compile(r"(lesson|issue|step|note) (.+)|compile|meant|new")
WRONG = {"silently wrong", "outside"}
MEANT = "another on purpose"
Numbers = tuple[float, ...]
Answer = Numbers | str  # the gradient, or the type of the exception


class PointError(ValueError):
    """A line of the table cannot be used; the message says where, and what helps."""


@dataclass(frozen=True)
class Row:
    """A call and a point, as a line of the table names them."""

    place: str
    kind: str
    call: str
    point: str
    lesson: str = ""
    issue: str = ""
    step: float = 2.0**-10
    note: str = ""
    compile: bool = False
    meant: bool = False  # torch documents that it returns another gradient
    new: bool = False  # measured in the site's own release alone

    @property
    def address(self) -> str:
        """Return the row's name in a link.

        >>> Row("", "kink", "torch.clamp(x, -1, 1)", "-1").address
        'torch.clamp-x-minus-1-1-at-minus-1'
        """
        words = f"{self.call} at {self.point}"
        words = re.sub(r"(?<![\w.)\]])-(?=[\w.])", " minus ", words)
        return re.sub(r"[^\w.]+", "-", words).strip("-")

    @property
    def script(self) -> str:
        """Return three lines that show the gradient."""
        more = ", torch.nn.functional as F" if "F." in self.call else ""
        names = ", ".join(sorted(set(re.findall(r"\b(?:inf|nan)\b", self.point))))
        first = f"import torch{more}" + (f"; from math import {names}" * bool(names))
        x = f"x = torch.tensor({_floats(self.point)}, requires_grad=True)"
        return f"{first}\n{x}\nprint(torch.autograd.grad({self.call}, x))"

    @cached_property
    def function(self) -> Callable[[Tensor], Tensor]:
        """Return the call as a function of x."""
        try:
            return eval(f"lambda x: {self.call}", {"torch": torch, "F": functional})
        except SyntaxError as error:
            raise self.error(f"{self.call!r} is no Python: {error.msg}") from None

    def x(self) -> Tensor:
        """Return the point, in the default dtype."""
        try:
            return torch.tensor(eval(_floats(self.point), {"inf": inf, "nan": nan}))
        except (SyntaxError, NameError, TypeError, ValueError):
            told = f"{self.point!r} is no point: write 0, -inf or [1, 2]"
            raise self.error(told) from None

    def error(self, told: str) -> PointError:
        """Return what says that this line cannot be used."""
        return PointError(f"{self.place}: {told}")


def _floats(point: str) -> str:
    return re.sub(r"(?<![\w.])\d+(?![\w.])", r"\g<0>.0", point)


def read_rows(table: str = "", name: str = TABLE.name) -> list[Row]:
    """Read a table: lines of ``call | point; point | option; option`` below ``[kind]``.

    Without a table, the one beside this file is read.

    Raises:
        PointError: with the line, what is wrong with it, and the remedy.
    """
    kind, rows = "", dict[str, Row]()
    for number, line in enumerate((table or TABLE.read_text()).splitlines(), start=1):
        place, line = f"{name}:{number}", line.strip()
        if line.startswith("["):
            kind = line.strip("[]")
            if kind not in KINDS:
                told = f"{place}: no kind {kind!r}: write one of {', '.join(KINDS)}"
                raise PointError(told)
        elif line and not line.startswith("#"):
            for row in _read(line, kind, place):
                if twin := rows.get(row.address):
                    raise row.error(f"is {twin.place} again: take one of them out")
                rows[row.address] = row
    return list(rows.values())


def _read(line: str, kind: str, place: str) -> Iterator[Row]:
    """Read a line; each of its points is a row."""
    call, *rest = (part.strip() for part in line.split(" | "))
    if not kind or not 1 <= len(rest) <= 2 or not re.search(r"\bx\b", call):
        told = "write a call of x and its points below a [kind]: torch.abs(x) | 0"
        raise PointError(f"{place}: {line!r} is no row: {told}")
    options: dict[str, str] = {}
    for option in filter(None, map(str.strip, "".join(rest[1:]).split(";"))):
        if not (found := OPTIONS.fullmatch(option)):
            told = "write lesson, issue, step or note and words, compile, meant or new"
            raise PointError(f"{place}: no option {option!r}: {told}")
        options[found[1] or option] = found[2]
    step = float(options.pop("step", 2.0**-10))
    said = {flag: True for flag in ("compile", "meant", "new") if flag in options}
    options = {option: words for option, words in options.items() if words}
    for point in rest[0].split(";"):
        row = Row(place, kind, call, point.strip(), step=step, **said, **options)
        _ = row.function, row.x()
        yield row


@dataclass(frozen=True)
class Measured:
    """What was computed for a row, in double precision but for ``modes["float32"]``."""

    row: Row
    value: float
    left: Numbers  # quotients along each axis, from below
    right: Numbers
    modes: dict[str, Answer]
    second: float | str  # along (1, …, 1), reverse over reverse
    verdict: str
    marks: tuple[str, ...]


def measure(row: Row) -> Measured:
    """Compute a row: value, gradients in each mode, quotients, verdict."""
    f, modes = row.function, dict[str, Answer]()
    with _doubles(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        x = row.x()
        value = _value(row, x)
        modes["reverse"] = _answer(lambda: _reverse(f, x))
        modes["forward"] = _answer(lambda: _forward(f, x))
        modes["vmap"] = _answer(lambda: _batched(f, x))
        if row.compile:
            compiled = torch.compile(f, backend="aot_eager")
            modes["compiled"] = _answer(lambda: _reverse(compiled, x))
        second = _second(f, x)
        sides = [(d, *_sides(f, x, d, row.step)) for d in _directions(x)]
        curve = [_curvature(f, x, s * torch.ones_like(x), row.step) for s in (-1, 1)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        modes["float32"] = _answer(lambda: _reverse(f, row.x()))
    gradient = modes["reverse"]
    dots = [
        (_dot(gradient, d), left, right)
        for d, left, right in sides
        if not isinstance(gradient, str)
    ]
    verdict = gradient if isinstance(gradient, str) else judge(gradient, dots)
    verdict = "no gradient" if isinstance(gradient, str) else verdict
    axes = sides[: x.numel()]
    left, right = tuple(s[1] for s in axes), tuple(s[2] for s in axes)
    smooth = all(_same(a, b) for _, a, b in sides) and _add_up(x.numel(), sides)
    marks = _marks(modes, second, curve, slopes=right if smooth else ())
    if row.meant and verdict in WRONG:
        verdict = MEANT
        marks = tuple(mark for mark in marks if not mark.endswith(" wrong"))
    return Measured(row, value, left, right, modes, second, verdict, marks)


def judge(gradient: Numbers, sides: list[tuple[float, float, float]]) -> str:
    """Return the verdict on a gradient.

    ``sides`` holds, for each direction tried, the slope that the gradient predicts,
    and the slopes that were measured from below and from above; nan is none.

    >>> judge((0.5,), [(0.5, 0.0, 1.0)])
    'at the middle'
    """
    if any(map(isnan, gradient)):
        return "nan"
    found = {_judge(*side) for side in sides}
    if not all(map(isfinite, gradient)):
        return "infinite, wrongly" if found & WRONG else "infinite"
    if found & WRONG:
        return _why_wrong(len(gradient), sides)
    if "finite at an infinite slope" in found:
        return "finite at an infinite slope"
    for plain in ("no slope", "the slope"):
        found -= {plain} if len(found) > 1 else set()
    return found.pop() if len(found) == 1 else "in between"


def _why_wrong(axes: int, sides: list[tuple[float, float, float]]) -> str:
    """Return what a gradient is that some direction contradicts.

    A kink that bends one way in each direction has subgradients, and this is none.
    """
    both = [
        (left, right) for _, left, right in sides if left == left and right == right
    ]
    bends = {right > left for left, right in both if not _same(left, right)}
    if _add_up(axes, sides):
        return "outside" if bends else "silently wrong"
    return "outside" if len(bends) == 1 else "slopes do not add up"


def _add_up(axes: int, sides: list[tuple[float, float, float]]) -> bool:
    """Return whether the slopes along the diagonals follow from those of the axes."""
    slopes = [left if isnan(right) else right for _, left, right in sides]
    signs = [sum((-1) ** i * s for i, s in enumerate(slopes[:axes]))]
    sums = [sum(slopes[:axes]), *signs][: len(slopes) - axes]
    return all(_same(a, b) for a, b in zip(sums, slopes[axes:], strict=True))


def _judge(slope: float, left: float, right: float) -> str:
    """Return the verdict along one direction."""
    if isnan(slope) or (isnan(left) and isnan(right)):
        return "no slope"
    if isnan(left) or isnan(right):
        left = right = right if isnan(left) else left
        if _same(slope, left):
            return "one side's slope"
    if _same(left, right):
        wrong = "silently wrong" if isfinite(left) else "finite at an infinite slope"
        return "the slope" if _same(slope, left) else wrong
    if _same(slope, (left + right) / 2):
        return "at the middle"
    if _same(slope, left) or _same(slope, right):
        return "one side's slope"
    return "in between" if min(left, right) < slope < max(left, right) else "outside"


def _marks(
    modes: dict[str, Answer],
    second: float | str,
    curve: list[float],
    *,
    slopes: Numbers,
) -> tuple[str, ...]:
    """Return what else is to be said of a row; ``slopes`` is empty at a kink."""
    gradients = {mode: a for mode, a in modes.items() if not isinstance(a, str)}
    single = gradients.pop("float32", None)
    first, *others = gradients.values() or [()]
    differs = bool(first) and single is not None and not _alike(first, single)
    marks = {
        "modes disagree": any(not _alike(first, other) for other in others),
        "a mode is missing": 0 < len(gradients) < len(modes) - 1,
        "float32 differs": differs,
    }
    if slopes and all(map(isfinite, slopes)):
        for mode in ("forward", "vmap", "compiled"):
            found = gradients.get(mode, (nan,))
            finite = all(map(isfinite, found))
            marks[f"{mode} wrong"] = finite and not _alike(found, slopes)
    if slopes and _same(*curve, 1e-2) and isfinite(curve[0]):
        wrong = isinstance(second, float) and not _same(second, curve[0], 1e-2)
        marks["second derivative wrong"] = wrong and second == second
    marks["second derivative nan"] = second != second
    if isinstance(second, str) and gradients:
        marks["second derivative missing"] = True
    return tuple(mark for mark, holds in marks.items() if holds)


def _same(a: float, b: float, tolerance: float = 1e-4) -> bool:
    """Compare, to four digits; what is nan is like nothing."""
    return a == b or abs(a - b) <= tolerance * max(1.0, min(abs(a), abs(b)))


def _alike(some: Numbers, others: Numbers) -> bool:
    """Compare numbers; here nan is like nan."""
    return all(
        _same(a, b) or a != a != b != b for a, b in zip(some, others, strict=True)
    )


@contextmanager
def _doubles() -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def _value(row: Row, x: Tensor) -> float:
    try:
        y = row.function(x)
    except Exception as error:
        told = f"{row.call} raises {type(error).__name__}: {error}\n  correct the call"
        raise row.error(told) from None
    if not isinstance(y, Tensor) or y.numel() != 1:
        shape = f"shape {tuple(y.shape)}" if isinstance(y, Tensor) else type(y).__name__
        told = f"{row.call} gives {shape}, not one number: add [0], .values or .sum()"
        raise row.error(told)
    return float(y)


def _answer(compute: Callable[[], Tensor]) -> Answer:
    try:
        return tuple((compute() + 0.0).double().flatten().tolist())
    except Exception as error:
        return type(error).__name__


def _reverse(f: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    x = x.clone().requires_grad_()
    return grad(f(x).sum(), x)[0]


def _forward(f: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    slopes = []
    for d in torch.eye(x.numel()):
        with forward_ad.dual_level():
            y = f(forward_ad.make_dual(x.clone(), d.view_as(x).clone()))
            tangent = forward_ad.unpack_dual(y).tangent
        slopes.append(torch.zeros(()) if tangent is None else tangent.sum())
    return torch.stack(slopes)


def _batched(f: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    one = torch.func.grad(lambda x: f(x).sum())
    return torch.func.vmap(one)(torch.stack([x, x]))[0]


def _second(f: Callable[[Tensor], Tensor], x: Tensor) -> float | str:
    x = x.clone().requires_grad_()
    try:
        (g,) = grad(f(x).sum(), x, create_graph=True)
        if not g.requires_grad:
            return 0.0
        (h,) = grad(g.sum(), x, allow_unused=True)
    except Exception as error:
        return type(error).__name__
    return 0.0 if h is None else float(h.sum())


def _directions(x: Tensor) -> list[Tensor]:
    """Return each axis, and where there are several, two diagonals."""
    axes = [d.view_as(x) for d in torch.eye(x.numel())]
    if x.numel() == 1:
        return axes
    signs = torch.tensor([(-1.0) ** i for i in range(x.numel())])
    return [*axes, torch.ones_like(x), signs.view_as(x)]


def _dot(gradient: Numbers, d: Tensor) -> float:
    pairs = zip(gradient, d.flatten().tolist(), strict=True)
    return sum(g * c for g, c in pairs if c)


def _sides(
    f: Callable[[Tensor], Tensor], x: Tensor, d: Tensor, step: float
) -> tuple[float, float]:
    """Return the slopes along a direction from below and from above."""
    y = _at(f, x)

    def slope(h: float) -> float:
        return (_at(f, x + h * d) - y) / h

    steps = [step, step / 32, step / 1024]
    return _limit([slope(-h) for h in steps]), _limit([slope(h) for h in steps])


def _curvature(
    f: Callable[[Tensor], Tensor], x: Tensor, d: Tensor, step: float
) -> float:
    """Return the second derivative along a direction, from that side."""

    def bend(h: float) -> float:
        y, z, w = (_at(f, x + n * h * d) for n in range(3))
        return (y - 2 * z + w) / h**2

    return _limit([bend(h) for h in (4 * step, step, step / 4)])


def _at(f: Callable[[Tensor], Tensor], x: Tensor) -> float:
    """Return a value; nan where the function refuses the point."""
    try:
        return float(f(x))
    except RuntimeError:
        return nan


def _limit(terms: list[float]) -> float:
    """Return where three terms go whose distances shrink by one factor; inf, nan."""
    if not all(map(isfinite, terms)):
        return nan
    first, last = terms[1] - terms[0], terms[2] - terms[1]
    if abs(last) > max(0.6 * abs(first), 1e-6 * max(1.0, abs(terms[2]))):
        return inf if last > 0 else -inf
    small = abs(first - last) < 1e-9 * max(1.0, abs(terms[2]))
    return terms[2] if small else terms[2] + last**2 / (first - last)


if __name__ == "__main__":
    for row in read_rows():
        if all(word in f"{row.call} {row.point} {row.kind}" for word in sys.argv[1:]):
            print(measure(row))
