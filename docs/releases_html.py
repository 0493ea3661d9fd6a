"""Show what ``releases.py`` has read: in the atlas, and on a page of its own."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import groupby, pairwise
from pathlib import Path
from typing import TypeVar

import torch
from points import KINDS, Row, read_rows
from points_html import Html, breakable
from releases import Answers, History, compared, key, read_history

__all__ = ["Changes", "asked", "elsewhere", "history", "steps", "swept"]

T = TypeVar("T")
SWEEP = Path(__file__).with_name("sweep.json")
MODES = ("reverse", "forward", "vmap", "float32")
WORDS = {"second": "second derivative", "compiled": "through torch.compile"}


def history() -> History:
    """Read the file, for the table's rows and the release that runs."""
    here = torch.__version__.partition("+")[0]
    return read_history(read_rows(), here=here)


def elsewhere(found: History) -> dict[str, str]:
    """Return what the atlas says of other releases, by the row's key."""
    lines = dict[str, str]()
    for name, row in found.rows.items():
        texts = {v: _differs(row[found.site], row[v]) for v in row}
        groups = defaultdict[str, list[str]](list)
        for version, text in texts.items():
            if text:
                groups[text].append(version)
        parts = (f"{', '.join(group)}: {text}" for text, group in groups.items())
        if groups:
            link = '<a href="releases.html">Other releases</a>'
            lines[name] = "<br>".join([link, *parts])
    return lines


def _differs(own: Answers | None, other: Answers | None) -> str:
    differs = {name: new for name, (_, new) in compared(own or {}, other or {}).items()}
    if "value" in differs and len(other or {}) == 1:
        return differs["value"]
    return "; ".join(f"{name} {_number(new)}" for name, new in _grouped(differs))


def _grouped(texts: dict[str, T]) -> Iterator[tuple[str, T]]:
    """Yield each text with the names that have it; all modes are the gradient."""
    groups = defaultdict[T, list[str]](list)
    for name, text in texts.items():
        groups[text].append(name)
    for text, names in groups.items():
        whole = set(MODES) <= set(names)
        rest = [WORDS.get(n, n) for n in names if not whole or n not in MODES]
        yield ", ".join([*(["gradient"] * whole), *rest]), text


@dataclass
class Changes:
    """What changed, in tables by subject; it knows which rows have been shown."""

    history: History
    rows: Sequence[Row]
    _shown: set[str] = field(default_factory=set)

    def table(self, pattern: str) -> Html:
        """Return the rows that changed and whose call begins or has such a name.

        Raises:
            ValueError: none did, so the text around it speaks of nothing.
        """
        rows = [r for r in self._left() if re.search(rf"\b(?:{pattern})\b", r.call)]
        if not rows:
            told = f"no row that changed has a call like {pattern!r}"
            raise ValueError(f"{told}: correct it, or take its section out")
        return self._tabled(rows)

    def rest(self) -> Html:
        """Return all rows that changed and that no table has shown."""
        rows = list(self._left())
        return self._tabled(rows) if rows else Html("<p>No other row changed.</p>")

    def _left(self) -> Iterator[Row]:
        for row in sorted(self.rows, key=lambda row: KINDS.index(row.kind)):
            known = key(row) in self.history.rows.keys() - self._shown
            if known and any(_changes(self.history, row)):
                yield row

    def _tabled(self, rows: Sequence[Row]) -> Html:
        self._shown |= {key(row) for row in rows}
        versions = [release.version for release in self.history.releases]
        heads = ("Call, and point", "What", *versions)
        head = "".join(f'<th scope="col">{text}</th>' for text in heads)
        lines = (
            _line(row, what, texts, versions)
            for row in rows
            for what, texts in _changes(self.history, row)
        )
        body = f"<thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody>"
        return Html(f'<table class="atlas releases">{body}</table>')


def _changes(found: History, row: Row) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield what is not the same in all releases, with the answer of each.

    A release in which the call fails has one answer for all of it.
    """
    answers = [answer or {} for answer in found.rows[key(row)].values()]
    failed = [a["value"] if len(a) == 1 else "" for a in answers]
    names = {name: None for answer in answers for name in answer}
    texts = {name: _level([a.get(name, "") for a in answers]) for name in names}
    changed = {n: t for n, t in texts.items() if len({text for text in t if text}) > 1}
    for what, told in _grouped(changed):
        yield what, tuple(a or b for a, b in zip(told, failed, strict=True))


def _level(texts: list[str]) -> tuple[str, ...]:
    """Write alike what differs by noise alone."""
    level: list[str] = []
    for text in texts:
        alike = (old for old in level if not compared({"": old}, {"": text}))
        level.append(next(alike, text))
    return tuple(level)


def _line(row: Row, what: str, texts: Sequence[str], versions: Sequence[str]) -> str:
    cells = []
    for text, group in groupby(
        zip(texts, versions, strict=True), key=lambda pair: pair[0]
    ):
        names = [version for _, version in group]
        wide = f' colspan="{len(names)}"' if len(names) > 1 else ""
        head = ", ".join(names)
        cells.append(f'<td{wide} data-head="{head}">{_number(text)}</td>')
    said = breakable(what)
    first = f'<th scope="row">{_call(row)}</th><td data-head="What">{said}</td>'
    return f"<tr>{first}{''.join(cells)}</tr>"


def _call(row: Row) -> str:
    """Link a row of the atlas."""
    call, at = escape(row.call, quote=False), row.point.replace("-", "−")
    return f'<a href="atlas.html#{row.address}"><code>{call}</code> at {at}</a>'


def _number(text: str) -> str:
    if text[:1].isalpha():  # an error, or not there
        return breakable(text)
    return text.replace("-", "−").replace("e+", "e")


def steps(found: History) -> Html:
    """Return, from each release to the next, how many rows answer otherwise."""
    lines = []
    for old, new in pairwise(release.version for release in found.releases):
        pairs = [(row[old] or {}, row[new] or {}) for row in found.rows.values()]
        count = sum(bool(compared(a, b)) for a, b in pairs)
        told = f"{count} of {len(pairs)} points answer otherwise"
        lines.append(f"<li>From {old} to {new}: {told}.</li>")
    return Html(f"<ul>{''.join(lines)}</ul>")


def asked(found: History) -> Html:
    """Return when and where each release was asked, and which statements held."""
    heads = ("PyTorch", "Asked on", "There", "Points", "Statements that hold")
    head = "".join(f'<th scope="col">{text}</th>' for text in heads)
    lines = []
    for it in found.releases:
        points = sum(bool(row[it.version]) for row in found.rows.values())
        texts = (it.date, it.platform, str(points), f"{it.statements:,}")
        cells = zip(heads[1:], texts, strict=True)
        tds = "".join(f'<td data-head="{name}">{text}</td>' for name, text in cells)
        lines.append(f'<tr><th scope="row">{it.version}</th>{tds}</tr>')
    table = f"<thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody>"
    return Html(f'<table class="atlas asked">{table}</table>{_stopped(found)}')


def swept(found: History, rows: Sequence[Row], text: str = "") -> Html:
    """Return what ``make sweep`` found, with a point of the atlas that changed as well.

    Without a text, the file beside this one is read.
    """
    told = json.loads(text or SWEEP.read_text("utf-8"))
    old, new = told["releases"]
    known = [row for row in rows if key(row) in found.rows]
    changed = [row for row in known if any(_changes(found, row))]
    lines = []
    for operator, counts in told["differ"].items():
        name = operator.partition(" ")[0].rpartition(".")[2]
        shown = (row for row in changed if re.search(rf"\b{name}\(", row.call))
        row = next(shown, None)
        link = _call(row) if row else "not in the atlas"
        words = "; ".join(f"{what}: {count}" for what, count in counts.items())
        lines.append(f"<li><code>{operator}</code>: {words} ({link})</li>")
    count = f"{told['operators']} operators, {told['inputs']:,} inputs"
    said = f"From {old} to {new}: {count}, {len(lines)} operators differ."
    return Html(f"<p>{said}</p><ul>{''.join(lines)}</ul>")


def _stopped(found: History) -> str:
    """Return the pages that stop at a line in a release, folded."""
    lists = []
    for it in found.releases:
        items = (
            f"<li>{_page(source)}: {escape(why, quote=False)}</li>"
            for source, why in it.failed.items()
        )
        if it.failed:
            title = f"PyTorch {it.version}: {len(it.failed)} lessons or pages stop"
            inner = f"<summary>{title}</summary><ul>{''.join(items)}</ul>"
            lists.append(f"<details>{inner}</details>")
    return "".join(lists)


def _page(source: str) -> str:
    """Link the page of a source.

    >>> _page("docs/rules.md")
    '<a href="rules.html">rules</a>'
    """
    name = re.sub(r"^docs/", "", source.replace("gallery/", "lessons/"))
    name = re.sub(r"\.\w+$", "", name)
    page = re.sub(r"/GALLERY_HEADER$", "/index", name)
    return f'<a href="{page}.html">{name}</a>'
