"""The first use of a word in a lesson: what is linked, and what is left alone."""

import ast
import json
import re
from functools import cache
from itertools import takewhile
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from docutils import nodes
from docutils.core import publish_doctree

from coursebuild.extension.glossary import Entry, forms, link_terms, termlink

ROOT = Path(__file__).parents[1]
SITE = ROOT / "build" / "html"
LESSONS = sorted(p for p in SITE.glob("lessons/*/*.html") if p.stem != "index")
KNOWN = [
    Entry({"leaf": "term-leaf"}, "It begins.", "glossary"),
    Entry({"root": "term-root"}, "It ends.", "glossary"),
    Entry({"gradient": "term-gradient"}, "Slopes.", "glossary"),
    Entry({"edge": "term-edge"}, "It connects.", "glossary"),
    Entry({"view": "term-view"}, "It shows.", "glossary"),
    Entry({"upstream gradient": "term-up"}, "It arrives.", "glossary"),
    Entry({"Jacobian-vector product": "term-jvp", "JVP": "term-JVP"}, "J.", "glossary"),
]
CONF = ast.parse((ROOT / "conf.py").read_text(encoding="utf-8"))
IGNORED = next(
    ast.literal_eval(node.value)
    for node in CONF.body
    if isinstance(node, ast.Assign) and node.targets[0].id == "glossary_ignores"
)
TITLE = "Page\n====\n\nSection\n-------\n\n"


def linked(text: str, *, ignored=(), taught=None) -> list[str]:
    """Return the words that become links in a page with this text."""
    doctree = publish_doctree(TITLE + text, settings_overrides={"report_level": 5})
    before = doctree.astext()
    link_terms(doctree, KNOWN, ignored, taught or {}, lambda _: "#")
    assert doctree.astext() == before
    return [node.astext() for node in doctree.findall(termlink)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A leaf, and a leaf.", ["leaf"]),
        ("Leaves and roots.", ["Leaves", "roots"]),
        ("The upstream gradient, then a gradient.", ["upstream gradient", "gradient"]),
        ("The upstream\ngradient.", ["upstream\ngradient"]),
        ("A JVP is a Jacobian-vector product.", ["JVP"]),
        ("- A leaf\n- in a list", ["leaf"]),
        ("**A leaf** is strong.", ["leaf"]),
    ],
)
def test_first_use_is_linked(text, words):
    assert linked(text) == words


@pytest.mark.parametrize(
    "text",
    [
        "Leafy leaflets uproot.",
        "multi-leaf and leaf-like",
        "``leaf``",
        "::\n\n   leaf",
        ":math:`leaf`",
        "`leaf <https://example.org>`__",
        ">>> leaf",
        "A leaf\n~~~~~~\n\nno.",
        "A *leaf* is introduced here, and the leaf is known.",
        "Here come *leaves*. A leaf is known.",
        "=====  =====\nleaf   root\n=====  =====",
        ":Needs: a leaf",
        "word\n   leaf",
    ],
)
def test_word_stays_as_it_is(text):
    assert linked(text) == []


def test_word_that_is_too_common_is_left_alone_and_longer_ones_are_not():
    text = "A gradient, an upstream gradient, a square root, a root."
    words = linked(text, ignored=["gradient", "square root"])
    assert words == ["upstream gradient", "root"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("This leaves the loop, and what leaves a kink is a slope.", []),
        ("``None`` leaves that tensor alone. A leaf holds it.", ["leaf"]),
        ("Here come *leaves*. A leaf is known.", []),
        ("About the root of eps, and the roots\nof the entries.", []),
        ("The root of eps, a cube root; then from the root back.", ["root"]),
        ("A picture and its edges; what is above stands on its edge.", []),
        ("In the drawing, an edge leads on, and so do its edges.", ["edge"]),
        ("At the edge of a stair, at the lower edge, near an edge.", []),
        ("But for the root at 0 it holds.", []),
        ("Written with a root, or with the root of 2. So much for a root.", []),
        ("She views the page, and a view is shown.", []),
    ],
)
def test_form_with_another_meaning_is_not_linked(text, words):
    assert linked(text, ignored=IGNORED) == words


def test_section_that_teaches_a_word_links_it_neither_there_nor_later():
    text = "A leaf.\n\nMore\n----\n\nA root and a gradient.\n\nLast\n----\n\nA root."
    assert linked(text, taught={"more": {KNOWN[1]}}) == ["leaf", "gradient"]
    assert linked(text, taught={"section": {KNOWN[0]}}) == ["root", "gradient"]


def test_plural_of_each_word_is_formed():
    words = ["leaf", "batch", "loss", "kink"]
    assert [forms(w)[1] for w in words] == ["leaves", "batches", "losses", "kinks"]


def test_link_carries_its_preview():
    doctree = publish_doctree(TITLE + "A leaf.")
    link_terms(doctree, KNOWN, (), {}, lambda _: "glossary.html#term-leaf")
    link = doctree.next_node(termlink)
    assert link["says"] == "It begins."
    assert isinstance(link.parent, nodes.paragraph)


def test_glossary_has_about_60_terms_and_most_lead_to_a_lesson():
    text = (SITE / "glossary.html").read_text()
    assert len(re.findall(r'<dt id="term-', text)) >= 60
    assert len(re.findall(r"<p>.*?(?=</dd>)", text, re.DOTALL)) >= 55
    assert text.count('href="lessons/') >= 55


def test_each_lesson_but_the_first_has_links_to_the_glossary():
    counts = [p.read_text().count('<a class="term"') for p in LESSONS]
    assert len(counts) == len(list(ROOT.glob("gallery/*/*.py")))
    assert sum(count > 0 for count in counts) >= len(counts) - 2
    assert sum(counts) >= 40


@pytest.mark.parametrize("page", LESSONS, ids=lambda path: path.stem)
def test_word_is_linked_once_and_in_no_heading_or_code(page):
    text = page.read_text()
    links = re.findall(r'<a class="term" href="[^"]*#([^"]+)" aria-description', text)
    assert len(links) == len(set(links))
    for part in re.findall(r"<(h\d|pre|code|table|dl)\b(.*?)</\1>", text, re.DOTALL):
        assert 'class="term"' not in part[1]


@cache
def parsed(page: str) -> BeautifulSoup:
    return BeautifulSoup((SITE / page).read_text(encoding="utf-8"), "html.parser")


def test_section_to_which_a_word_leads_says_it():
    missing, seen = [], 0
    for definition in parsed("glossary.html").select("dl.glossary > dd"):
        terms = [
            *takewhile(lambda e: e.name == "dt", definition.find_previous_siblings())
        ]
        page, _, section = definition.select("a")[-1]["href"].partition("#")
        text = parsed(page).find(id=section).get_text(" ").lower()
        words = [re.findall(r"\w{3,}", term.get_text().lower()) for term in terms]
        said = [all(word[:5] in text for word in term) for term in words]
        missing += [] if any(said) else words
        seen += 1
    assert seen >= 60
    assert missing == []


def test_terms_lead_to_where_they_are_taught():
    """A section that only uses a word does not say what it is."""
    source = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")
    links = re.findall(r"\{ref\}`(\w+ here) <", source)
    assert len(links) > 50
    assert set(links) == {"Taught here"}


def test_section_to_which_a_symbol_leads_has_it():
    rows = parsed("glossary.html").select("#symbols tbody tr")
    missing = []
    for row in rows:
        page, _, section = row.select_one("a")["href"].partition("#")
        tex = [a.text for a in parsed(page).find(id=section).select("annotation")]
        symbol = re.sub(r"\\[lr]Vert", r"\\|", row.select_one("td annotation").text)
        signs = re.findall(r"\\(?:[a-z]+|\|)", symbol) or [symbol]
        missing += [sign for sign in signs if sign not in " ".join(tex)]
    assert len(rows) >= 20
    assert missing == []


@pytest.mark.parametrize("page", LESSONS, ids=lambda path: path.stem)
def test_previews_of_a_page_weigh_little(page):
    links = re.findall(r'<a class="term"[^>]*>', page.read_text())
    assert sum(map(len, links)) < 4000


def test_downloads_know_nothing_of_the_glossary():
    books = list(SITE.glob("_downloads/*/*.ipynb"))
    assert len(books) == len(LESSONS)
    for book in books:
        cells = json.loads(book.read_text())["cells"]
        assert not any("glossary" in cell["source"] for cell in cells)
