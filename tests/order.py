"""Hand the longest tests to the workers first: none is left alone at the end.

What each test took is noted in pytest's cache, and known to the next run.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import islice

import pytest

__all__ = ["dealt", "pytest_collection_modifyitems", "pytest_configure"]

KEY = "seconds"
LEAST = 1.0  # seconds: what takes less is where it was


def pytest_configure(config: pytest.Config) -> None:
    """Measure what each test takes, where their reports arrive."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Clock(config))


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Begin with what takes long, where workers share the tests."""
    given = getattr(config, "workerinput", None)
    if given:
        seconds = [given["seconds"].get(item.nodeid, 0.0) for item in items]
        order = dealt([*map(_place, items)], seconds, given["workercount"])
        items[:] = [items[number] for number in order]


class _Clock:
    """What tests took, by their names: in former runs, and in this one."""

    def __init__(self, config: pytest.Config) -> None:
        """Read what is known; where the cache is off, nothing is."""
        self._cache = getattr(config, "cache", None)
        self.known: dict[str, float] = self._cache.get(KEY, {}) if self._cache else {}
        self._now: dict[str, float] = {}

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: object) -> None:
        """Tell a worker what is known: all of them have to order alike."""
        node.workerinput[KEY] = self.known  # type: ignore[attr-defined]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add what a test, or what it needed, has taken."""
        took = self._now.get(report.nodeid, 0.0) + report.duration
        self._now[report.nodeid] = took

    def pytest_sessionfinish(self) -> None:
        """Keep what was long; forget what is no longer."""
        if self._cache:
            both = self.known | self._now
            long = {name: round(s, 1) for name, s in both.items() if s >= LEAST}
            self._cache.set(KEY, long)


def _place(item: pytest.Item) -> Hashable:
    """Return what a test has to stay with: its module, where they share a fixture."""
    info = getattr(item, "_fixtureinfo", None)
    found = info.name2fixturedefs.values() if info else ()
    shared = any(d.scope in ("module", "class") for defs in found for d in defs)
    return item.nodeid.partition("::")[0] if shared else item.nodeid


def dealt(
    places: Sequence[Hashable], seconds: Sequence[float], workers: int
) -> list[int]:
    """Order tests for workers, each of which gets as many of those that follow.

    ``places`` says of each test what it stays with.  What is long comes first in the
    hand of one worker, the longest in whose hand is least; what is short fills up.

    >>> dealt(["a", "b", "c", "d", "c", "e"], [0, 3, 2, 9, 2, 0], 2)
    [3, 0, 5, 2, 4, 1]
    """
    groups: dict[Hashable, list[int]] = {}
    for number, place in enumerate(places):
        groups.setdefault(place, []).append(number)
    took = {place: sum(seconds[n] for n in group) for place, group in groups.items()}
    hands: list[list[int]] = [[] for _ in range(workers)]
    loads = [0.0] * workers
    for place in sorted(took, key=lambda place: -took[place]):
        if took[place] < LEAST:
            break
        least = loads.index(min(loads))
        hands[least] += groups.pop(place)
        loads[least] += took[place]
    rest = iter([number for group in groups.values() for number in group])
    left = len(places)
    for number, hand in enumerate(hands):
        size = left // (workers - number)  # as pytest-xdist cuts them
        hand += islice(rest, max(size - len(hand), 0))
        left -= size
    return [number for hand in hands for number in hand] + [*rest]
