"""What lessons say of themselves: lists by level and tag, and errors for slips."""

import re
from pathlib import Path

import pytest
from docutils.core import publish_doctree
from toy import ALPHA, BETA

from coursebuild.extension.facts import facts_of, unknown, unused

ROOT = Path(__file__).parents[1]
SITE = ROOT / "build" / "html"
LISTS = "# Lists\n\n```{lessons-by} Tags\ngraph: What is recorded.\n```\n"
TREE = "# Toy\n\n```{toctree}\nlessons/index\npage\nlists\n```\n"
TIME = ":Time: 1 minute\n"


def test_facts_are_read_and_cut_at_their_commas():
    page = publish_doctree(
        "Title\n=====\n\nText.\n\n:Time: 5 minutes\n:Tags: graph, chain rule\n"
    )
    facts = {"Time": ["5 minutes"], "Tags": ["graph", "chain rule"]}
    assert facts_of(page) == facts


def test_page_without_facts_has_none():
    assert facts_of(publish_doctree("Title\n=====\n\nText.\n")) == {}


def test_tag_needs_a_list_and_other_facts_do_not():
    facts = {"Tags": ["graph"], "Time": ["5"], "Level": ["Basics"]}
    assert unknown(facts, []) == [("Tags", "graph")]
    assert unknown(facts, [("Tags", "graph"), ("Level", "Bsics")]) == [
        ("Level", "Basics")
    ]


def test_value_that_no_lesson_has_is_found():
    known = [("Tags", "graph"), ("Tags", "shapes")]
    assert unused([{"Tags": ["graph"]}], known) == [("Tags", "shapes")]


def test_lesson_with_a_known_tag_is_listed_and_links_back(site):
    site.write("docs/lists.md", LISTS)
    site.write("docs/index.md", TREE)
    site.write(ALPHA, site.read(ALPHA).replace(TIME, TIME + ":Tags: graph\n"))
    done = site.build()
    assert done.code == 0, done
    page = (site.html / "lists.html").read_text()
    assert 'href="lessons/0_toy/10_alpha.html"' in page.partition("tags-graph")[2]
    lesson = (site.html / "lessons/0_toy/10_alpha.html").read_text()
    assert 'href="../../lists.html#tags-graph">graph</a>' in lesson


@pytest.mark.parametrize(
    ("tag", "message"),
    [
        ("grahp", f"{BETA}:8: WARNING: Tags: grahp is not known; there are: graph"),
        ("", "Tags: graph is what no lesson says"),
    ],
)
def test_slip_stops_the_build(site, tag, message):
    site.write("docs/lists.md", LISTS)
    site.write("docs/index.md", TREE)
    facts = f"{TIME}:Tags: {tag}\n" if tag else TIME
    site.write(BETA, site.read(BETA).replace(TIME, facts))
    done = site.build()
    assert done.code == 1
    assert message in done.error + done.out


def test_each_lesson_has_a_level_and_tags_that_link_to_the_lists():
    lessons = [p for p in SITE.glob("lessons/*/*.html") if p.stem != "index"]
    assert len(lessons) == len(list(ROOT.glob("gallery/*/*.py")))
    for lesson in lessons:
        links = re.findall(r'tags\.html#(level|tags)-[\w-]+"', lesson.read_text())
        assert links.count("level") == 1
        assert 1 <= links.count("tags") <= 3
