"""What the parts of our Sphinx extension tell each other during one build."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from sphinx.application import Sphinx

    from coursebuild.extension.facts import Fact, Facts
    from coursebuild.extension.glossary import Entry
    from coursebuild.extension.search import Found
    from courserun.kept import Kept
    from courserun.runs import Runs

__all__ = ["State", "remember", "state"]


@dataclass
class State:
    """What is known before pages are read, and what reading them adds.

    ``texts`` are those of notebooks, ``day`` is that of the sources' last change.  Keys
    are pages, but for ``fact_places``: there a fact leads to its page and section.
    """

    runs: Runs
    wheel: Path
    texts: Kept
    day: date | None
    facts: dict[str, Facts] = field(default_factory=dict)
    fact_lines: dict[tuple[str, str], int] = field(default_factory=dict)
    fact_places: dict[Fact, tuple[str, str]] = field(default_factory=dict)
    terms: list[Entry] = field(default_factory=list)
    sections: dict[str, list[Found]] = field(default_factory=dict)


_states: WeakKeyDictionary[Sphinx, State] = WeakKeyDictionary()


def remember(app: Sphinx, known: State) -> None:
    """Keep what one of Sphinx's applications knows, as long as it lives."""
    _states[app] = known


def state(app: Sphinx) -> State:
    """Return what an application knows, once its configuration was read."""
    return _states[app]
