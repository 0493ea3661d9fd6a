"""What the parts of our Sphinx extension tell each other during one build."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from pathlib import Path

    from sphinx.application import Sphinx

    from coursebuild.extension.facts import Fact, Facts
    from coursebuild.extension.glossary import Entry
    from coursebuild.extension.search import Found
    from courserun.kept import Files, Kept
    from courserun.runs import Runs

__all__ = ["LEVELS", "STATEMENTS", "State", "remember", "state"]


@dataclass
class State:
    """What is known before pages are read, and what reading them adds.

    ``kept`` is what the build has asked for, and what is swept after it; of what it has
    taken ``files`` knows the digests.  What
    is added stands below the page that it comes from: a later build that does not read
    the page is given it again.  ``draws`` are what else a page is made from: other
    pages by their names, the ``LEVELS``, the ``STATEMENTS`` of all runs.  ``order``
    holds what stands above, before and after each page, once all have been read.
    """

    runs: Runs
    wheel: Path
    kept: tuple[Kept, ...]
    files: Files
    facts: dict[str, Facts] = field(default_factory=dict)
    fact_lines: dict[str, dict[str, int]] = field(default_factory=dict)
    places: dict[str, dict[Fact, str]] = field(default_factory=dict)
    terms: dict[str, list[Entry]] = field(default_factory=dict)
    sections: dict[str, list[Found]] = field(default_factory=dict)
    stems: dict[str, list[dict[str, int]]] = field(default_factory=dict)
    draws: dict[str, set[str]] = field(default_factory=dict)
    order: dict[str, list[Any]] = field(default_factory=dict)

    @property
    def fact_places(self) -> dict[Fact, tuple[str, str]]:
        """The page and the section that list each fact."""
        listed = sorted(self.places.items())
        return {
            fact: (page, at) for page, found in listed for fact, at in found.items()
        }

    @property
    def entries(self) -> list[Entry]:
        """What all glossaries define."""
        return [entry for _, found in sorted(self.terms.items()) for entry in found]

    def added(self) -> dict[str, dict[str, Any]]:
        """Return what reading the pages has added, by its kind and by page."""
        return {name: getattr(self, name) for name in ADDED}

    def add(self, known: dict[str, dict[str, Any]]) -> None:
        """Take over what an earlier build has added."""
        for name, pages in known.items():
            getattr(self, name).update(pages)

    def draw(self, page: str, *sources: str) -> None:
        """Let a page be read again when one of these has changed."""
        self.draws.setdefault(page, set()).update(sources)

    def forget(self, page: str) -> None:
        """Drop what a page has added: it has gone, or is read again."""
        for pages in self.added().values():
            pages.pop(page, None)


ADDED = "facts", "fact_lines", "places", "terms", "sections", "stems", "draws"
LEVELS, STATEMENTS = ":levels", ":statements"  # no page has such a name
_states: WeakKeyDictionary[Sphinx, State] = WeakKeyDictionary()


def remember(app: Sphinx, known: State) -> None:
    """Keep what one of Sphinx's applications knows, as long as it lives."""
    _states[app] = known


def state(app: Sphinx) -> State:
    """Return what an application knows, once its configuration was read."""
    return _states[app]
