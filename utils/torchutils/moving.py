"""A picture that a reader moves: for each position of a slider, marks and numbers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from string import Formatter
from typing import NamedTuple, TypeAlias

import torch

from torchutils.plot import Frame, arrow_path, axes, dots_path, line_path
from torchutils.svg import safe
from torchutils.values import Value, frozen, show

__all__ = ["MovingPlot"]

_Row: TypeAlias = torch.Tensor | float | Sequence[torch.Tensor | float]
Numbers: TypeAlias = _Row | Sequence[_Row | Sequence[_Row]]
ROWS = (20, 4)  # of the table: with one quantity, and for each of two
LARGEST = 40_000  # bytes: what a page can bear of one picture's table
COLOURS = ("#1b62a5", "#b00020", "#6b4fa0", "#8a4b00", "#6b6b6b")  # the last: no name
DASHES = ("", "70 40", "20 40", "90 30 20 30", "")  # or else colour alone would tell
PENS = {"line": 22, "arrow": 28, "point": 80, "points": 80}  # in tenths of a pixel
DOTS = "point", "points"
SAMPLES = {"line": "M0 60h240", "point": "M120 60h0", "points": "M120 60h0"}
SAMPLES["arrow"] = "M0 60h220M140 20L220 60M140 100L220 60"
HELD = 'class="mv-held" stroke-width="260" stroke-linecap="round" stroke="none"'
SCROLLS = 'class="mv-table" tabindex="0" role="group" aria-label="Table"'
_NUMBER = re.compile(r"(?<![\w.])[-−+]?\d[\w.]*")


class _Mark(NamedTuple):
    """A mark: its path for each position, or one path if it stays."""

    kind: str
    name: str
    paths: list[str]


class MovingPlot:
    """A plot with a slider for each of one or two quantities.

    ``positions`` names each quantity and lists its values.  Whatever has one row for
    each of them moves (with two quantities the first two dimensions are theirs, as
    ``torch.meshgrid(..., indexing="ij")`` makes them); what has none stays.  A mark
    with a name has a colour, and is in the key below the picture.  The first ``point``
    that moves can be dragged.

    ``start`` names the values to begin with, else the first ones.  Without a script
    the picture shows these, and a table all of them, or some; ``print`` shows the
    table.  With ``equal``, both axes have one scale.

    >>> h = torch.tensor([1.0, 0.5, 0.25])
    >>> plot = MovingPlot({"h": h}, "A parabola's secant", xlim=(0, 2), ylim=(0, 4))
    >>> plot.point(1 + h, (1 + h) ** 2, "1 + h")
    >>> plot.say("Its slope is {slope}.", slope=((1 + h) ** 2 - 1) / h)
    >>> plot
    A parabola's secant
       h  slope
       1      3
     0.5    2.5
    0.25   2.25
    """

    def __init__(
        self,
        positions: Mapping[str, Numbers],
        title: str,
        *,
        xlim: tuple[float, float],
        ylim: tuple[float, float],
        xlabel: str = "",
        ylabel: str = "",
        equal: bool = False,
        start: Mapping[str, float] | None = None,
    ) -> None:
        self._values = {name: _tensor(v) for name, v in positions.items()}
        fit = [v.dim() == 1 and len(v) > 1 for v in self._values.values()]
        if len(fit) not in (1, 2) or not all(fit):
            raise ValueError(
                f"positions {[*positions]}: give one or two names, each with at least "
                "two values, such as {'h': [1, 0.5]}"
            )
        self._grid = tuple(map(len, self._values.values()))
        self._start = tuple(self._places(start or {}))
        self._title, self._labels = title, (xlabel, ylabel)
        self._frame = Frame.within(*xlim, *ylim, equal=equal)
        self._marks: list[_Mark] = []
        self._said: list[str | list[str]] = []
        self._columns: dict[str, list[Value]] = {}

    def line(self, x: Numbers, y: Numbers, name: str = "") -> None:
        """Draw a line from point to point."""
        self._add("line", name, 1, x, y)

    def points(self, x: Numbers, y: Numbers, name: str = "") -> None:
        """Draw several points."""
        self._add("points", name, 1, x, y)

    def point(self, x: Numbers, y: Numbers, name: str = "") -> None:
        """Draw one point."""
        self._add("point", name, 0, x, y)

    def arrow(
        self, x: Numbers, y: Numbers, dx: Numbers, dy: Numbers, name: str = ""
    ) -> None:
        """Draw an arrow from a point, so far to the right and so far up."""
        self._add("arrow", name, 0, x, y, dx, dy)

    def say(self, words: str, **columns: Numbers | Sequence[str]) -> None:
        """Say something of each position, with numbers where ``{names}`` stand.

        ``{slope:.6f}`` chooses the digits.  A name has numbers, or a list of words,
        for each position, and is a column of the table; or it has one number.  Raises
        ValueError when a name has none, and when a number stands among the words.
        """
        known = {name: self._column(name, given) for name, given in columns.items()}
        self._said += [" "] if self._said else []
        for literal, name, digits, _ in Formatter().parse(words):
            if number := _NUMBER.search(literal):
                raise ValueError(
                    f"say: {number[0]!r} would stay the same at each position: write a "
                    "name in its place, {name}, and give its numbers"
                )
            self._said.append(literal)
            if name is not None and name not in known:
                raise ValueError(f"say: {{{name}}} has no numbers: add {name}=...")
            if name is not None:
                self._said.append([_text(x, digits or "") for x in known[name]])
        self._columns |= {k: v for k, v in known.items() if len({*v}) > 1}

    def _places(self, start: Mapping[str, float]) -> Iterator[int]:
        """Find where among its values each quantity begins."""
        if unknown := start.keys() - self._values.keys():
            raise ValueError(f"start: {min(unknown)} is none of {[*self._values]}")
        for name, values in self._values.items():
            wanted = start.get(name, values[0].item())
            place = int((values - wanted).abs().argmin())
            if abs(values[place].item() - wanted) > 1e-6 * abs(wanted):
                raise ValueError(f"start: {wanted} is no value of {name}")
            yield place

    def _row(self, places: Sequence[int]) -> int:
        """Return the number of a position: the last quantity moves fastest."""
        return places[0] if len(places) == 1 else places[0] * self._grid[1] + places[1]

    def _add(self, kind: str, name: str, dim: int, *given: Numbers) -> None:
        rows = [self._rows(kind, dim, _tensor(numbers)) for numbers in given]
        count = max(map(len, rows))
        if len(lengths := {row.shape[-1] for row in rows if dim}) > 1:
            raise ValueError(f"{kind}: x and y have {sorted(lengths)} numbers")
        paths = [
            self._path(kind, *row)
            for row in zip(*(r.expand(count, *r.shape[1:]) for r in rows), strict=True)
        ]
        self._marks.append(_Mark(kind, name, paths))
        if len(self._names()) >= len(COLOURS):
            raise ValueError(f"{kind} {name!r}: no more than {len(COLOURS) - 1} names")

    def _rows(self, kind: str, dim: int, tensor: torch.Tensor) -> torch.Tensor:
        """Return a row for each position, or one for all."""
        shape, n = tuple(tensor.shape), len(self._grid)
        if len(shape) == dim:
            return tensor[None]
        if shape[:n] == self._grid and len(shape) == n + dim:
            return tensor.flatten(0, n - 1)
        stays = "a list of numbers" if dim else "one number"
        moves = f"{self._grid}, the positions'" + (", and a list for each" * dim)
        raise ValueError(
            f"{kind}: the shape {shape} is neither that of {stays}, which stays, nor "
            f"that of {moves}, which moves"
        )

    def _path(self, kind: str, *row: torch.Tensor) -> str:
        if kind == "arrow":
            x, y, dx, dy = (t.item() for t in row)
            return arrow_path(self._frame, (x, y), (x + dx, y + dy))
        xs, ys = (t.reshape(-1).tolist() for t in row)
        draw = line_path if kind == "line" else dots_path
        return draw(self._frame, zip(xs, ys, strict=True))

    def _column(self, name: str, given: Numbers | Sequence[str]) -> list[Value]:
        """Return a number, a tuple of them, or words, for each position."""
        n, grid = len(self._grid), self._grid
        shape: tuple[int, ...]
        column: list[Value]
        if isinstance(given, Sequence) and all(isinstance(x, str) for x in given):
            shape, column = (len(given),), [*map(str, given)]
        else:
            tensor = _tensor(given)
            tensor = tensor if tensor.dim() else tensor.expand(grid)
            shape = tuple(tensor.shape)
            column = [frozen(x.tolist()) for x in tensor.flatten(0, n - 1)]
        if shape[:n] != grid:
            raise ValueError(f"say: {name} has the shape {shape}, the positions {grid}")
        return column

    def _names(self) -> list[str]:
        return list(dict.fromkeys(mark.name for mark in self._marks if mark.name))

    def _table(self) -> list[list[str]]:
        """Return the head, then a row for each position, or for chosen ones."""
        most = ROWS[len(self._grid) - 1]
        chosen = {*product(*(_spread(n, most) for n in self._grid)), self._start}
        rows = [[*self._values, *(name.replace("_", " ") for name in self._columns)]]
        for places in sorted(chosen):
            pairs = zip(self._values.values(), places, strict=True)
            at = [values[k].item() for values, k in pairs]
            own = [column[self._row(places)] for column in self._columns.values()]
            rows.append([_text(x) for x in (*at, *own)])
        return rows

    def __repr__(self) -> str:
        rows = self._table()
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ("  ".join(map(str.rjust, row, widths)) for row in rows)
        return "\n".join([self._title, *lines])

    def _repr_html_(self) -> str:
        """Return a figure, which is complete without the script that moves it."""
        if not self._said:
            raise ValueError(
                f"{self._title!r} has no words for those who do not see it: add "
                "plot.say(...)"
            )
        html = (
            f'<figure class="mv"><figcaption>{safe(self._title)}</figcaption>'
            f"{self._svg()}{self._key()}{self._form()}{self._sentence()}"
            f'<details class="mv-text"><summary>Table</summary>'
            f"<div {SCROLLS}>{self._html_table()}</div></details>"
            f"{self._data()}</figure>"
        )
        if len(html) > LARGEST:
            raise ValueError(
                f"{self._title!r} has {len(html):,} bytes, a page can bear {LARGEST:,}:"
                " let it have fewer positions, or fewer points in what moves"
            )
        return html

    def _svg(self) -> str:
        now, moving, held, parts = self._row(self._start), 0, False, []
        for mark in self._marks:
            moves = len(mark.paths) > 1
            path = f'<path d="{mark.paths[now * moves]}"'
            path += f' data-row="{moving}"' if moves else ""
            if moves and mark.kind == "point" and not held:
                held = True
                parts.append(f"{path} {HELD}/>")
            parts.append(f"{path} {self._look(mark)}/>")
            moving += moves
        pairs = zip(self._values.items(), self._start, strict=True)
        at = [f"{name} = {_text(values[k].item())}" for (name, values), k in pairs]
        said = "".join(x if isinstance(x, str) else x[now] for x in self._said)
        words = f"{', '.join([self._title, *at])}. {said}"  # moving.js writes the same
        return axes(self._frame, self._labels, words, "".join(parts))

    def _look(self, mark: _Mark) -> str:
        """Return how a mark is drawn: with a name in colour, else in grey."""
        k = self._names().index(mark.name) if mark.name else -1
        pen = PENS[mark.kind] if mark.name or mark.kind in DOTS else 10
        look = f'class="mv-{k + 1}" stroke-width="{pen}" stroke="{COLOURS[k]}"'
        if mark.kind in DOTS:
            return f'{look} stroke-linecap="{("square" if k in (1, 3) else "round")}"'
        dash = DASHES[k] if mark.kind == "line" else ""
        return f'{look} stroke-dasharray="{dash}"' if dash else look

    def _key(self) -> str:
        """Return the names of the marks, each with a sample."""
        first = {mark.name: mark for mark in reversed(self._marks) if mark.name}
        items = (
            '<li><svg width="24" height="12" viewBox="0 0 240 120" '
            f'aria-hidden="true" fill="none"><path d="{SAMPLES[first[name].kind]}" '
            f"{self._look(first[name])}/></svg> {safe(name)}</li>"
            for name in self._names()
        )
        return f'<ul class="mv-key">{"".join(items)}</ul>' if first else ""

    def _form(self) -> str:
        fields = (  # the slider itself says its number, so that beside it is silent
            f'<div><label>{safe(name)} <input type="range" max="{len(values) - 1}" '
            f'value="{k}"></label><output aria-live="off">'
            f"{_text(values[k].item())}</output></div>"
            for (name, values), k in zip(self._values.items(), self._start, strict=True)
        )
        how = "Move the sliders" if len(self._values) > 1 else "Move the slider"
        if any(mark.kind == "point" and len(mark.paths) > 1 for mark in self._marks):
            how += ", or drag the point"
        form = f'<form class="mv-form" autocomplete="off" hidden><p>{how}:</p>'
        return f"{form}{''.join(fields)}</form>"

    def _sentence(self) -> str:
        now = self._row(self._start)
        said = (
            safe(x) if isinstance(x, str) else f"<b>{safe(x[now])}</b>"
            for x in self._said
        )
        return f'<p class="mv-say" aria-live="polite">{"".join(said)}</p>'

    def _html_table(self) -> str:
        head, *rows = (map(safe, row) for row in self._table())
        named = "".join(f'<th scope="col">{name}</th>' for name in head)
        body = "".join(f"<tr><td>{'</td><td>'.join(row)}</td></tr>" for row in rows)
        return f"<table><thead><tr>{named}</tr></thead><tbody>{body}</tbody></table>"

    def _data(self) -> str:
        """Return what the page's script needs: labels, paths and words, by position."""
        data = {
            "at": [[_text(x) for x in v.tolist()] for v in self._values.values()],
            "marks": [mark.paths for mark in self._marks if len(mark.paths) > 1],
            "words": [x for x in self._said if not isinstance(x, str)],
        }
        text = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
        text = text.replace("<", "\\u003c")
        return f'<script type="application/json" class="mv-data">{text}</script>'


def _tensor(given: object) -> torch.Tensor:
    """Return numbers as a tensor of 64 bits, without a record."""
    if isinstance(given, list | tuple) and any(
        isinstance(x, torch.Tensor | list | tuple) for x in given
    ):
        return torch.stack([_tensor(x) for x in given])
    return torch.as_tensor(given).detach().to("cpu", torch.float64)


def _text(value: Value, digits: str = "") -> str:
    return format(value, digits) if digits else show(value)


def _spread(count: int, most: int) -> set[int]:
    """Return at most so many places, the first and the last among them.

    >>> _spread(3, 20), _spread(13, 4)
    ({0, 1, 2}, {0, 8, 4, 12})
    """
    most = min(count, most)
    return {round(k * (count - 1) / (most - 1)) for k in range(most)}
