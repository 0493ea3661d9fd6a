"""Say what the course consists of: its levels, its length, and one next lesson."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective, SphinxRole

from coursebuild.sources.beside import helpers
from coursebuild.sources.docnames import header_of
from coursebuild.state import LEVELS, state

__all__ = ["Level", "levels", "reading", "setup", "skip", "spell"]

_TIME = re.compile(r"^:Time: (\d+) minutes$", re.MULTILINE)


@dataclass(frozen=True)
class Level:
    """A folder of lessons: its page, what its header says, and how long it takes."""

    page: str
    title: str
    says: str
    lessons: int
    minutes: int


def levels(root: Path) -> list[Level]:
    """Return the levels that have a lesson, in order."""
    found = [_level(folder, root) for folder in sorted(root.glob("gallery/[0-9]*/"))]
    return [level for level in found if level.lessons]


def _level(folder: Path, root: Path) -> Level:
    header = (root / header_of(folder, root)).read_text(encoding="utf-8")
    title, _, *text = header.strip().splitlines()
    says = " ".join("\n".join(text).strip().partition("\n\n")[0].split())
    scripts = sorted(set(folder.glob("*.py")) - set(helpers(folder)))
    times = [_TIME.search(script.read_text(encoding="utf-8")) for script in scripts]
    minutes = sum(int(time[1]) for time in times if time)
    return Level(f"lessons/{folder.name}/index", title, says, len(scripts), minutes)


def spell(minutes: int) -> str:
    """Say how long something takes, to the half hour where it is long.

    >>> spell(20), spell(85), spell(60), spell(215)
    ('20 minutes', '1½ hours', '1 hour', '3½ hours')
    """
    if minutes < 60:
        return f"{minutes} minutes"
    halves = round(minutes / 30)
    hours = f"{halves // 2}{'½' * (halves % 2)}"
    return f"{hours} hour{'s' * (hours != '1')}"


def link_to(page: str, title: str, here: str) -> addnodes.pending_xref:
    """Return a link from the page ``here`` to another; one that is not there warns."""
    where: dict[str, Any] = {"refdomain": "std", "reftype": "doc", "refdoc": here}
    where |= {"reftarget": f"/{page}", "refexplicit": True, "refwarn": True}
    return addnodes.pending_xref("", nodes.inline("", title), **where)


class _Levels(SphinxDirective):
    """``.. levels::`` shows a card for each level that has a lesson."""

    def run(self) -> list[nodes.Node]:
        """Return the cards."""
        state(self.env.app).draw(self.env.docname, LEVELS)
        shown = map(self._card, levels(Path(self.env.app.confdir)))
        cards = nodes.enumerated_list("", *shown)
        return [nodes.container("", cards, classes=["levels"])]

    def _card(self, level: Level) -> nodes.list_item:
        link = link_to(level.page, level.title, self.env.docname)
        text, _ = self.state.inline_text(level.says, self.lineno)
        count = f"{level.lessons} lesson{'s' * (level.lessons != 1)}"
        length = nodes.paragraph("", f"{count}, {spell(level.minutes)}")
        length["classes"].append("length")
        head = nodes.paragraph("", "", nodes.strong("", "", link))
        return nodes.list_item("", head, nodes.paragraph("", "", *text), length)


class _Course(SphinxRole):
    """``:course:`time``` and ``:course:`lessons``` say how long, and how many."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Return the number as text."""
        state(self.env.app).draw(self.env.docname, LEVELS)
        found = levels(Path(self.env.app.confdir))
        said = {
            "time": spell(sum(level.minutes for level in found)),
            "lessons": str(sum(level.lessons for level in found)),
        }
        if self.text in said:
            return [nodes.Text(said[self.text])], []
        why = f"course knows {' and '.join(said)}, and not {self.text!r}"
        return [], [self.inliner.reporter.error(why, line=self.lineno)]


def reading(relations: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Return what comes before and after each page, with quizzes after their levels.

    The side navigation lists the quizzes below all lessons, as the table of contents
    has them; who reads on wants the quiz of a level after its last lesson.

    >>> lists = ["lessons/1_a/index", "lessons/1_a/10", "lessons/2_b/index", "quiz_a"]
    >>> list(reading({page: ["lessons/index"] for page in lists}))
    ['lessons/1_a/index', 'lessons/1_a/10', 'quiz_a', 'lessons/2_b/index']
    """
    order = list(relations)
    for last, quiz in _quizzes(order).items():
        order.remove(quiz)
        order.insert(order.index(last) + 1, quiz)
    ways = zip(order, [None, *order], [*order[1:], None], strict=False)
    return {page: [relations[page][0], *around] for page, *around in ways}


def _quizzes(pages: list[str]) -> dict[str, str]:
    """Return the quizzes of levels, by the last page of each level."""
    last = {page.split("/")[1]: page for page in pages if page.count("/") > 1}
    quizzes = {page: f"quiz_{level.partition('_')[2]}" for level, page in last.items()}
    return {page: quiz for page, quiz in quizzes.items() if quiz in pages}


def skip(page: str, way: int, relations: dict[str, list[Any]]) -> str | None:
    """Return the page before (1) or after (2) a page, beyond the lists of lessons.

    >>> order = {"a": [None, None, "lessons/1/index"]}
    >>> order["lessons/1/index"] = [None, "a", "lessons/1/10"]
    >>> skip("a", 2, order)
    'lessons/1/10'
    """
    found: str | None = relations.get(page, [None] * 3)[way]
    while found and found.startswith("lessons/") and found.endswith("/index"):
        found = relations[found][way]
    return found


def _order(app: Sphinx, env: BuildEnvironment) -> None:
    """Find out once in which order pages are read."""
    state(app).order = reading(env.collect_relations())


def _turn(app: Sphinx, page: str, _t: str, context: dict[str, Any], _d: Any) -> None:
    """Let the buttons below a page lead to a lesson or its quiz, as its text does."""
    if not isinstance(app.builder, StandaloneHTMLBuilder):
        return
    order = state(app).order
    for name, way in {"prev": 1, "next": 2}.items():
        if page in order and (goal := skip(page, way, order)):
            title = app.builder.render_partial(app.env.titles[goal])["title"]
            link = app.builder.get_relative_uri(page, goal)
            context[name] = {"link": link, "title": title}
        elif page in order:
            context[name] = None


def setup(app: Sphinx) -> None:
    """Register the cards, the role, and what turns the pages."""
    app.add_directive("levels", _Levels)
    app.add_role("course", _Course())
    app.connect("env-updated", _order)
    app.connect("html-page-context", _turn)
