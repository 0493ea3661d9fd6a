"""Whatever was edited, and in which order: what is kept gives what is made anew.

``SEQUENCES=20`` tries as many sequences of edits; a failure names its seed.
"""

from __future__ import annotations

import os
import pickle
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest
from toy import Site

from coursebuild.extension.memory import HELD
from coursebuild.extension.renewal import ENVIRONMENT, RECORD
from courserun.kept import Kept

EDITS = 4  # in a sequence
COUNT = int(os.environ.get("SEQUENCES", "1"))
LESSON = '''"""
Lesson {k}
==========

Lesson {k} follows an arrow, as a leaf would.  See :doc:`1_lesson` as well.

:Level: low
:Time: {k} minutes
"""

# %%
# .. _place-{k}:
#
# The slope of :math:`x^2`
# ------------------------
#
# At 3 it is :math:`2 \\cdot 3 = 6`.

x = 3

# %%
# Predict it:
#
# .. ask:: 2 * x
#
# .. answer::
#
#    It is 6, twice 3.

2 * x
'''
PAGES = {
    "docs/index.md": "# Site\n\nIt takes {course}`time`.\n\n```{levels}\n```\n\n"
    "```{toctree}\nlessons/index\nglossary\nlists\nquiz\nledger\npage\n```\n",
    "docs/glossary.md": "# Glossary\n\n```{glossary}\narrow\n  It leads to a leaf. "
    "More follows.\n\nleaf\n  It has no arrow, see {ref}`place-1`.\n```\n",
    "docs/lists.md": "# Lists\n\n```{lessons-by} Level\nlow: Begin here.\n```\n",
    "docs/quiz.md": "# Quiz\n\n```{quiz}\nlessons/0_toy/1_lesson: The slope of x^2\n"
    "```\n",
    "docs/ledger.md": "# Ledger\n\n```{ledger}\n```\n",
    "docs/part.md": "---\norphan: true\n---\n\n# Part\n\nA part of two pages.\n",
    "docs/page.md": "# Page\n\nAn equation: $2^3 = 8$.\n\n```{include} part.md\n"
    ":start-after: Part\n```\n",
    "gallery/GALLERY_HEADER.rst": "Lessons\n=======\n\nAll of them.\n",
    "gallery/0_toy/GALLERY_HEADER.rst": "Toy\n---\n\nOne level.\n",
}
Edit = Callable[[Site, Random], None]


def lessons(site: Site) -> list[str]:
    """Return the lessons by their numbers; the first stays where it is."""
    found = [path.name for path in site.root.glob("gallery/0_toy/*.py")]
    ordered = sorted(found, key=lambda name: int(name.partition("_")[0]))
    return [f"gallery/0_toy/{name}" for name in ordered]


def toggle(old: str, new: str, name: str = "") -> Edit:
    """Return an edit that puts some words for others, or back, in one source."""

    def edit(site: Site, random: Random) -> None:
        place = name or random.choice(lessons(site))
        text = site.read(place)
        before, after = (old, new) if new not in text else (new, old)
        assert before in text
        site.write(place, text.replace(before, after))

    return edit


def add(site: Site, _: Random) -> None:
    """Add a lesson at the end."""
    k = int(Path(lessons(site)[-1]).name.partition("_")[0]) + 1
    site.write(f"gallery/0_toy/{k}_lesson.py", LESSON.format(k=k))


def remove(site: Site, random: Random) -> None:
    """Remove a lesson."""
    if found := lessons(site)[1:]:
        (site.root / random.choice(found)).unlink()


def rename(site: Site, random: Random) -> None:
    """Give a lesson another number, so that its neighbours are others."""
    if found := lessons(site)[1:]:
        name = site.root / random.choice(found)
        free = set(range(2, 20)) - {
            int(Path(x).name.partition("_")[0]) for x in lessons(site)
        }
        name.rename(name.with_name(f"{random.choice(sorted(free))}_lesson.py"))


def retitle(site: Site, random: Random) -> None:
    """Change the title of a section that no quiz takes from."""
    if found := lessons(site)[1:]:
        toggle("# The slope", "# One slope", random.choice(found))(site, random)


def fail(site: Site, random: Random) -> None:
    """State something false, see it refused, and take it back."""
    change = toggle("3 = 6", "3 = 7", random.choice(lessons(site)))
    change(site, random)
    done = site.build()
    assert done.code == 1
    assert "3 = 7" in done.error
    change(site, random)


GLOSSARY = "docs/glossary.md"
FIRST, HEADER = "gallery/0_toy/1_lesson.py", "gallery/0_toy/GALLERY_HEADER.rst"
COMMON: list[Edit] = [
    toggle("follows", "tracks"),
    toggle(" minutes\n", "0 minutes\n"),
    toggle('"""\nLesson ', '"""\nUnit '),
    toggle("x = 3\n", "x = 3.0\n"),
    toggle("At 3", "Near 3"),
    toggle("leads to a", "points to one", GLOSSARY),
    toggle("More follows.\n", "More follows.\n\nunit\n  A lesson.\n", GLOSSARY),
    toggle("# Glossary", "# All words", GLOSSARY),
    toggle("A part", "The part", "docs/part.md"),
    toggle("An equation", "The equation", "docs/page.md"),
    toggle("Begin here", "Start here", "docs/lists.md"),
    toggle("One level", "A level", HEADER),
    add,
    add,
    remove,
    rename,
    retitle,
    fail,
]
RARE: list[Edit] = [  # which let the build begin with nothing
    toggle("{% block body %}", "{% block body %}<hr>", "docs/_templates/page.html"),
    toggle("{", "{ ", "docs/_static/site.css"),
    toggle("VALUE = 12", "VALUE = 13", "utils/helper.py"),
    toggle("Gradients with", "Slopes with", "conf.py"),
]


@pytest.fixture(scope="module")
def built(once: Callable[[str, Callable[[Path], None]], Path]) -> Site:
    """Return a built site of three lessons and pages that show them."""

    def make(folder: Path) -> None:
        site = Site(folder / "site")
        shutil.rmtree(site.root / "gallery")
        for name in PAGES:
            site.write(name, PAGES[name])
        for k in (1, 2, 3):
            site.write(f"gallery/0_toy/{k}_lesson.py", LESSON.format(k=k))
        done = site.build()
        assert done.code == 0, done

    return Site(once("renewed", make) / "site")


@pytest.fixture
def copied(built: Site, tmp_path: Path) -> Iterator[Site]:
    """Return a copy of it, to be edited."""
    yield built.copy(tmp_path / "site")
    shutil.rmtree(tmp_path / "site")


@pytest.mark.parametrize("seed", range(COUNT))
def test_what_is_kept_gives_what_is_made_anew(copied: Site, seed: int) -> None:
    random = Random(seed)
    edits = [random.choice(COMMON) for _ in range(EDITS)]
    edits[random.randrange(EDITS)] = random.choice(RARE)
    for number, edit in enumerate(edits):
        edit(copied, random)
        done = copied.build()
        assert done.code == 0, (seed, number, done)
        assert copied.sums() == copied.sums_anew(runs=True), (seed, number)


def test_word_in_a_lesson_reaches_its_page_alone(copied: Site) -> None:
    build_here(copied)
    times = read_at(copied)
    toggle("At 3", "Near 3", "gallery/0_toy/2_lesson.py")(copied, Random())
    assert copied.build().code == 0
    assert changed(times, read_at(copied)) == {"lessons/0_toy/2_lesson"}


@pytest.mark.parametrize(
    ("edit", "page"),
    [
        (toggle("At 3", "Near 3", FIRST), "quiz"),  # which draws its question
        (toggle(" minutes\n", "0 minutes\n", FIRST), "index"),  # which adds them up
        (toggle("3 = 6", "3 = 6.0", FIRST), "ledger"),
        (toggle("One level", "A level", HEADER), "index"),
    ],
)
def test_page_that_draws_from_a_lesson_is_read_again(
    copied: Site, edit: Edit, page: str
) -> None:
    build_here(copied)
    times = read_at(copied)
    edit(copied, Random())
    assert copied.build().code == 0
    assert page in changed(times, read_at(copied))


def changed(before: dict[str, int], after: dict[str, int]) -> set[str]:
    """Return the pages that were read in between."""
    return {page for page in after if after[page] != before.get(page)}


def build_here(site: Site) -> None:
    """Build a copy once: Sphinx reads all pages where the folder has moved."""
    toggle("An equation", "The equation", "docs/page.md")(site, Random())
    assert site.build().code == 0


def read_at(site: Site) -> dict[str, int]:
    """Return when each page was read last."""
    with kept(site, ENVIRONMENT).open("rb") as f:
        times: dict[str, int] = pickle.load(f).all_docs
    return times


def kept(site: Site, name: str) -> Path:
    """Return what is kept of a file, which is named by what it holds."""
    data = Kept(site.html.with_name(".pages")).read(RECORD)
    assert data
    return site.html.with_name(".files") / pickle.loads(data).files[name]


def test_damage_to_what_is_kept_is_noticed(copied: Site) -> None:
    build_here(copied)
    page = kept(copied, "glossary.html")
    page.write_text(page.read_text().replace("leads", "leaps"))
    toggle("A part", "The part", "docs/part.md")(copied, Random())
    assert copied.build().code == 0
    assert copied.sums() == copied.sums_anew(runs=True)


def test_page_that_stays_is_the_same_file_in_the_next_site(copied: Site) -> None:
    """It is linked into place: no build writes it again."""
    build_here(copied)
    names = (
        "glossary.html",
        "lessons/0_toy/1_lesson.html",
        "lessons/0_toy/2_lesson.html",
    )
    before = [(copied.html / name).stat().st_ino for name in names]
    toggle("At 3", "Near 3", "gallery/0_toy/2_lesson.py")(copied, Random())
    assert copied.build().code == 0
    after = [(copied.html / name).stat().st_ino for name in names]
    assert [a == b for a, b in zip(after, before, strict=True)] == [True, True, False]


def test_note_is_told_by_each_build(copied: Site) -> None:
    name, line = "gallery/0_toy/2_lesson.py", "# " + "-" * 24
    copied.write(name, copied.read(name).replace(line, line[:12]))
    first = copied.build()
    toggle("A part", "The part", "docs/part.md")(copied, Random())
    notes = [line for line in first.out.splitlines() if "underline" in line]
    assert notes
    assert notes[0] in copied.build().out


def test_edited_word_loads_nothing_that_it_does_not_need(copied: Site) -> None:
    build_here(copied)
    toggle("At 3", "Near 3", "gallery/0_toy/2_lesson.py")(copied, Random())
    done = copied.build(env={"PYTHONPROFILEIMPORTTIME": "1"})
    assert done.code == 0
    loaded = set(re.findall(r"^import time:.*\| +([\w.]+)$", done.error, re.MULTILINE))
    assert {"sphinx.application", "myst_nb.sphinx_", "docutils.nodes"} <= loaded
    heavy = {
        "torch",
        "numpy",
        "matplotlib",
        "sqlalchemy",
        "jupyter_client",
        "hatchling",
        "py_mini_racer",
    }
    assert not loaded & heavy


def test_formulas_of_a_page_that_went_are_kept_no_longer(copied: Site) -> None:
    folder = copied.root / "build" / ".formulas"
    before = {*folder.iterdir()}
    remove(copied, Random())
    assert copied.build().code == 0
    after = {*folder.iterdir()}
    assert len(before - after) == 1
    assert after < before


def test_pages_that_memory_has_no_room_for_are_the_same(copied: Site) -> None:
    before = copied.sums()
    code = "utils/coursebuild/extension/memory.py"
    toggle(f"HELD = {HELD}", "HELD = 1", code)(copied, Random())
    done = copied.build()
    assert done.code == 0, done
    assert "The site is ready" in done.out
    assert copied.sums() == before
