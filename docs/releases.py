"""What autograd answers at the points of the atlas, in one release and in another.

The answers stand in ``releases.json`` beside this file; ``make versions`` measures
them, each release in an environment of its own, and writes that file.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from math import isclose, isnan
from pathlib import Path
from typing import Any

from points import PointError, Row, measure

__all__ = [
    "GONE",
    "Answers",
    "History",
    "Release",
    "ReleaseError",
    "answers",
    "compared",
    "key",
    "read_history",
    "written",
]

FILE = Path(__file__).with_name("releases.json")
GONE = "not there"
VERSION = re.compile(r"\d+\.\d+\.\d+")
Answers = dict[str, str]  # "value", each mode, "second": numbers in words, or an error


class ReleaseError(ValueError):
    """The file does not go with the table; the message says where, and what helps."""


@dataclass(frozen=True)
class Release:
    """When and where a release was asked, and what became of the site's statements."""

    version: str
    date: str
    platform: str
    statements: int = 0  # that were true, on all lessons and pages together
    failed: Mapping[str, str] = field(default_factory=dict)  # source: why it stopped

    @property
    def order(self) -> tuple[int, ...]:
        """Return what sorts it among the others."""
        return order(self.version)


@dataclass(frozen=True)
class History:
    """What each release answered at each row; ``None`` where it was not asked.

    ``rows`` maps a row's key to the answers by release, in the order of the releases.
    """

    site: str
    releases: tuple[Release, ...]
    rows: Mapping[str, Mapping[str, Answers | None]]

    def having(self, release: Release, found: Mapping[str, Answers]) -> "History":
        """Return the history with a release asked anew, and no row that it lacks."""
        others = [old for old in self.releases if old.version != release.version]
        releases = sorted([*others, release], key=lambda it: it.order)
        rows = {
            name: self._row(name, releases) | {release.version: new}
            for name, new in found.items()
        }
        return replace(self, releases=tuple(releases), rows=rows)

    def _row(self, name: str, releases: Sequence[Release]) -> dict[str, Answers | None]:
        old = self.rows.get(name, {})
        return {it.version: old.get(it.version) for it in releases}


def order(version: str) -> tuple[int, ...]:
    """Return what sorts a release among others.

    >>> sorted(["2.14.1", "2.9.1"], key=order)
    ['2.9.1', '2.14.1']
    """
    return tuple(map(int, version.split(".")))


def key(row: Row) -> str:
    """Return a row's name in the file.

    >>> key(Row("", "kink", "torch.abs(x)", "0"))
    'torch.abs(x) | 0'
    """
    return f"{row.call} | {row.point}"


def answers(row: Row) -> Answers:
    """Ask this release: value, gradient in each mode, second derivative.

    That it lacks the function, or refuses the call, is an answer.
    """
    try:
        point = measure(row)
    except PointError as error:
        cause = error.__context__
        missing = isinstance(cause, AttributeError)
        return {"value": GONE if missing else type(cause or error).__name__}
    found = {"value": _text(point.value), "reverse": _text(point.modes["reverse"])}
    modes = {mode: _text(answer) for mode, answer in point.modes.items()}
    return found | modes | {"second": _text(point.second)}


def _text(answer: str | float | Iterable[float]) -> str:
    """Write numbers with five digits: what is beyond is noise.

    >>> _text((1 / 3, -0.0, float("inf")))
    '0.33333, 0, inf'
    """
    if isinstance(answer, str):
        return answer
    numbers = [answer] if isinstance(answer, float) else answer
    return ", ".join(f"{number + 0:.5g}" for number in numbers)


def compared(old: Answers, new: Answers) -> dict[str, tuple[str, str]]:
    """Return what differs: its name, and both answers.

    A mode that one of them was not asked for tells nothing, unless the call failed.

    >>> compared({"value": "1", "second": "0"}, {"value": "1", "second": "nan"})
    {'second': ('0', 'nan')}
    """
    return {
        name: (old[name], new[name])
        for name in old
        if name in new and not _alike(old[name], new[name])
    }


def _alike(one: str, other: str) -> bool:
    try:
        pairs = [
            (float(a), float(b))
            for a, b in zip(one.split(", "), other.split(", "), strict=True)
        ]
    except ValueError:  # an error has no numbers
        return one == other
    return all(
        isclose(a, b, rel_tol=1e-4, abs_tol=1e-6) or (isnan(a) and isnan(b))
        for a, b in pairs
    )


def written(history: History) -> str:
    """Write a history: a line for each release, and for each row.

    The site's own release stands with each row; another one where it differs, and as
    ``null`` where it was not asked.
    """
    releases = {it.version: _without(asdict(it), "version") for it in history.releases}
    rows = {name: dict(_told(row, history.site)) for name, row in history.rows.items()}
    parts = {"releases": releases, "rows": rows}
    told = [f' "{name}": {_lines(entries)}' for name, entries in parts.items()]
    return "{\n" + f' "site": "{history.site}",\n' + ",\n".join(told) + "\n}\n"


def _told(
    row: Mapping[str, Answers | None], site: str
) -> Iterator[tuple[str, Mapping[str, str | None] | None]]:
    """Yield what the file says of a row: its differences from the site's release."""
    own = row.get(site) or {}
    for version, found in row.items():
        if version == site or found is None:
            yield version, found
        elif differs := dict(_difference(own, found)):
            yield version, differs


def _difference(own: Answers, found: Answers) -> Iterator[tuple[str, str | None]]:
    for name in {**own, **found}:
        here, there = own.get(name), found.get(name)
        if here is None or there is None or not _alike(here, there):
            yield name, there


def _without(entries: dict[str, Any], name: str) -> dict[str, Any]:
    return {other: entry for other, entry in entries.items() if other != name}


def _lines(entries: Mapping[str, Any]) -> str:
    lines = [f"  {json.dumps(n)}: {json.dumps(entry)}" for n, entry in entries.items()]
    return "{\n" + ",\n".join(lines) + "\n }"


def read_history(
    rows: Sequence[Row], text: str = "", *, here: str = "", name: str = FILE.name
) -> History:
    """Read the file, and see that it goes with the table's rows.

    Without a text, the file beside this one is read.  ``here`` is the release that
    builds the site; rows with the option ``new`` need not be in the file.

    Raises:
        ReleaseError: with the place, what does not match, and the remedy.
    """
    history = read(text or FILE.read_text("utf-8"), name)
    asked = [release.version for release in history.releases]
    anew = f'`make versions TORCH="{" ".join(asked)}"`'
    if here and here not in asked:
        told = f"{name}: PyTorch {here} builds this site, and was never asked"
        raise ReleaseError(f"{told}: `make versions TORCH={here}` asks it")
    known = {key(row): row for row in rows}
    for stray in history.rows.keys() - known.keys():
        told = f"{name}: {stray!r} is no row of points.txt: correct it there"
        raise ReleaseError(f"{told}, take its line out, or ask again: {anew}")
    for call, row in known.items():
        if not row.new and call not in history.rows:
            told = f"{call} is not in {name}: {anew} asks all releases for it"
            raise ReleaseError(
                f"{row.place}: {told} (14 GB, an hour), and the option `new` of the"
                " line puts that off"
            )
    for call, found in history.rows.items():
        for version in asked:
            if found[version] is None and not known[call].new:
                told = f"{name}: PyTorch {version} was not asked for {call}"
                raise ReleaseError(f"{told}: `make versions TORCH={version}` asks it")
    return history


def read(text: str, name: str = FILE.name) -> History:
    """Read a file as it is, whatever the table holds.

    Raises:
        ReleaseError: it is not what :func:`written` writes.
    """
    anew = "`make versions` writes it anew"
    try:
        told = json.loads(text)
        site, releases = told["site"], told["releases"]
        known = [Release(version, **entry) for version, entry in releases.items()]
        rows = {
            call: _full(row, site, [*releases]) for call, row in told["rows"].items()
        }
    except json.JSONDecodeError as error:
        raise ReleaseError(f"{name}:{error.lineno}: {error.msg}: {anew}") from None
    except (KeyError, TypeError, AttributeError) as error:
        raise ReleaseError(f"{name}: lacks or misnames {error}: {anew}") from None
    if strange := [v for v in releases if not VERSION.fullmatch(v)]:
        raise ReleaseError(f"{name}: no release {strange[0]!r}: write one like 2.13.0")
    for call, row in told["rows"].items():
        if strange := [version for version in row if version not in releases]:
            listed = ", ".join(releases)
            words = f"{name}: {call} has an answer of PyTorch {strange[0]}"
            raise ReleaseError(f"{words}, and `releases` lists {listed}: {anew}")
    return History(site, tuple(known), rows)


def _full(
    row: Mapping[str, Mapping[str, str | None] | None],
    site: str,
    versions: Sequence[str],
) -> dict[str, Answers | None]:
    """Return the answers of each release, also of those that differ in nothing."""
    own, full = row.get(site) or {}, dict[str, Answers | None]()
    for version in versions:
        differs = row.get(version, {})
        whole = {**own, **(differs or {})}
        there = {name: text for name, text in whole.items() if text is not None}
        full[version] = None if differs is None else there
    return full
