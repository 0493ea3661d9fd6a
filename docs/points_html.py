"""Show the points of ``points.py`` in tables."""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from re import findall
from types import MappingProxyType

from points import Answer, Measured, measure, read_rows

__all__ = [
    "Html",
    "breakable",
    "by_function",
    "by_verdict",
    "functions",
    "measured",
    "table",
]

NOWHERE: Mapping[str, str] = MappingProxyType({})
CALLS = r"\b(torch(?:\.\w+)+|F\.\w+)\(|(?<=[\w)\]]\.)(\w+)\("
AROUND = "complex|diag|eye|inv|ones|stack|sum|tensor|view|zeros"  # make what is needed
HEADS = ("Call, and point", "Value", "Slopes measured", "Gradient", "Second", "Verdict")


@dataclass(frozen=True)
class Html:
    """What a notebook shows as HTML."""

    source: str

    def _repr_html_(self) -> str:
        return self.source


def measured() -> list[Measured]:
    """Measure each row of the table."""
    return [measure(row) for row in read_rows()]


def table(
    points: list[Measured], kind: str, elsewhere: Mapping[str, str] = NOWHERE
) -> Html:
    """Return the rows of a kind, as a table.

    ``elsewhere`` holds, by call and point, what other releases answer.

    Raises:
        ValueError: no row is of that kind.
    """
    rows = [
        _row(point, elsewhere.get(f"{point.row.call} | {point.row.point}", ""))
        for point in points
        if point.row.kind == kind
    ]
    if not rows:
        raise ValueError(f"no row of points.txt is of the kind {kind!r}: add one")
    heads = "".join(f'<th scope="col">{head}</th>' for head in HEADS)
    head, body = f"<thead><tr>{heads}</tr></thead>", "".join(rows)
    return Html(f'<table class="atlas">{head}<tbody>{body}</tbody></table>')


def by_verdict(points: list[Measured]) -> Html:
    """Return a folded list of links for each verdict and each mark."""
    lists = defaultdict[str, list[Measured]](list)
    for point in points:
        for word in (point.verdict, *point.marks):
            lists[word].append(point)
    return Html("".join(_list(word, lists[word]) for word in sorted(lists)))


def by_function(points: list[Measured]) -> Html:
    """Return a folded list of functions, each with a link to its points."""
    lists = defaultdict[str, list[Measured]](list)
    for point in points:
        for name in functions(point.row.call):
            lists[name].append(point)
    items = "".join(_index(name, lists[name]) for name in sorted(lists))
    title = f"{len(lists)} functions"
    return Html(f"<details><summary>{title}</summary><ul>{items}</ul></details>")


def functions(call: str) -> list[str]:
    """Return which functions of torch are called, but for those that make tensors.

    >>> functions("torch.where(x > 0, x.log(), torch.zeros(()))")
    ['torch.log', 'torch.where']
    """
    names = {whole or f"torch.{method}" for whole, method in findall(CALLS, call)}
    return sorted(n for n in names if n.rpartition(".")[2] not in AROUND.split("|"))


def _index(name: str, points: list[Measured]) -> str:
    """Return an entry, which the search finds by its calls."""
    calls = list(dict.fromkeys(p.row.call for p in points))
    calls.sort(key=lambda call: not call.startswith(f"{name}("))
    words = " ".join(calls)
    first, *others = points = sorted(points, key=lambda p: calls.index(p.row.call))
    title = f"<code>{name}</code> at {_at(first)}"
    link = f'<a data-search="{escape(words)}" href="#{first.row.address}">{title}</a>'
    said = zip(others, points, strict=False)  # a call is said where it is another one
    more = (
        f'<a href="#{p.row.address}">'
        f"{_at(p) if p.row.call == before.row.call else _title(p)}</a>"
        for p, before in said
    )
    return f"<li>{', '.join([link, *more])}</li>"


def _at(point: Measured) -> str:
    return point.row.point.replace("-", "−")


def _list(word: str, points: list[Measured]) -> str:
    links, title = "".join(map(_link, points)), f"{word}: {len(points)}"
    return f"<details><summary>{title}</summary><ul>{links}</ul></details>"


def _link(point: Measured) -> str:
    return f'<li><a href="#{point.row.address}">{_title(point)}</a></li>'


def _title(point: Measured) -> str:
    return f"<code>{escape(point.row.call, quote=False)}</code> at {_at(point)}"


def _row(point: Measured, elsewhere: str) -> str:
    left, right = _answer(point.left, _round), _answer(point.right, _round)
    cells = [
        _number(point.value),
        left if left == right else f"below: {left}<br>above: {right}",
        _modes(point.modes),
        _answer((point.second,) if isinstance(point.second, float) else point.second),
        f"{_verdict(point)}{_more(point, elsewhere)}",
    ]
    name, rest = point.row.address, zip(HEADS[1:], cells, strict=True)
    title = f'<a href="#{name}">{_title(point)}</a>'
    tds = "".join(f'<td data-head="{head}">{cell}</td>' for head, cell in rest)
    return f'<tr id="{name}"><th scope="row">{title}</th>{tds}</tr>'


def _verdict(point: Measured) -> str:
    words = "".join(f"<br>{mark}" for mark in point.marks)
    return f'<div class="verdict"><strong>{point.verdict}</strong>{words}</div>'


def _more(point: Measured, elsewhere: str) -> str:
    """Return other releases' answers, note, links and script of a row."""
    row, parts = point.row, [elsewhere] if elsewhere else []
    if row.note:
        parts.append(escape(row.note, quote=False))
    if row.lesson:
        words = row.lesson.rpartition("/")[2].partition("_")[2].replace("_", " ")
        parts.append(f'<a href="lessons/{row.lesson}.html">Lesson: {words}</a>')
    if row.issue:
        link = f"https://github.com/pytorch/pytorch/issues/{row.issue}"
        parts.append(f'<a href="{link}">PyTorch’s issue {row.issue}</a>')
    code = f'<div class="highlight"><pre>{escape(row.script, quote=False)}</pre></div>'
    parts.append(f"<details><summary>Script</summary>{code}</details>")
    return "".join(f"<div>{part}</div>" for part in parts)


def _modes(modes: dict[str, Answer]) -> str:
    """Return each gradient with the modes that gave it."""
    groups = defaultdict[str, list[str]](list)
    for mode, answer in modes.items():
        groups[_answer(answer)].append(mode)
    if len(groups) == 1:
        return next(iter(groups))
    return "<br>".join(f"{', '.join(names)}: {text}" for text, names in groups.items())


def _answer(answer: Answer, to: Callable[[float], float] = float) -> str:
    if isinstance(answer, str):
        return breakable(answer)
    return ", ".join(_number(to(number)) for number in answer)


def breakable(name: str) -> str:
    """Let a name be broken between its words: it is too long for some columns.

    >>> breakable("RuntimeError"), breakable("torch.compile")
    ('Runtime<wbr>Error', 'torch.<wbr>compile')
    """
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[a-z]\.)(?=[a-z])", "<wbr>", name)


def _round(slope: float) -> float:
    """Take for 0 what a quotient leaves of it."""
    return 0.0 if abs(slope) < 1e-6 else slope


def _number(number: float) -> str:
    """Write a number with four digits.

    >>> _number(-0.333333)
    '−0.3333'
    """
    return f"{number + 0:.4g}".replace("-", "−").replace("e+", "e")
