"""Link the first use of each word of the glossary in a lesson, with a preview.

The preview is the first sentence of the definition.  It travels in the link itself,
as its accessible description: screen readers say it once, the style sheet shows it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util import logging

from coursebuild.state import state

__all__ = ["Entry", "entries", "forms", "link_terms", "setup"]

logger = logging.getLogger(__name__)
SENTENCE = re.compile(r".*?[.!?](?=\s|$)", re.DOTALL)
IRREGULAR = {"leaf": "leaves"}
RUNNING_TEXT = (
    nodes.document,
    nodes.section,
    nodes.paragraph,
    nodes.bullet_list,
    nodes.enumerated_list,
    nodes.list_item,
    nodes.strong,
)


@dataclass(frozen=True, eq=False)
class Entry:
    """One definition: its words with their places, its first sentence, its page."""

    words: Mapping[str, str]
    says: str
    page: str
    taught: str = ""  # the label of a section


class termlink(nodes.Inline, nodes.TextElement):  # noqa: N801 (docutils' way)
    """A link to the glossary, with the text of its preview."""


def entries(doctree: nodes.document, page: str) -> Iterator[Entry]:
    """Yield what the glossaries of a page define.

    A first sentence with a formula warns: a preview is plain text.
    """
    for glossary in doctree.findall(addnodes.glossary):
        for item in glossary.findall(nodes.definition_list_item):
            terms = [child for child in item if isinstance(child, nodes.term)]
            text = next(item.findall(nodes.paragraph))
            says = _first_sentence(text)
            if any(math.astext() in says for math in text.findall(nodes.math)):
                logger.warning("a preview holds no formula: %s", says, location=item)
            links = item.findall(addnodes.pending_xref)
            taught = next((x["reftarget"] for x in links if x["reftype"] == "ref"), "")
            words = {term.astext(): term["ids"][0] for term in terms}
            yield Entry(words, says, page, taught)


def _first_sentence(paragraph: nodes.paragraph) -> str:
    text = " ".join(paragraph.astext().split())
    found = SENTENCE.match(text)
    return found[0] if found else text


def forms(word: str) -> tuple[str, str]:
    """Return a word and its plural.

    >>> forms("leaf"), forms("loss"), forms("Jacobian")
    (('leaf', 'leaves'), ('loss', 'losses'), ('Jacobian', 'Jacobians'))
    """
    ending = "es" if re.search(r"(s|x|ch|sh)$", word) else "s"
    return word, IRREGULAR.get(word, word + ending)


def link_terms(
    doctree: nodes.document,
    known: Iterable[Entry],
    ignored: Iterable[str],
    taught: Mapping[str, set[Entry]],
    address: Callable[[Entry], str],
) -> None:
    """Link each entry's first use in running text to its address.

    ``taught`` names the entries that a section, by its id, teaches: there, and after
    it, they need no link.  Neither does a word that the text itself emphasises, since
    that is how a lesson introduces it.  ``ignored`` are words, forms and phrases that
    often mean something else: in them nothing is linked.
    """
    named = {
        form.lower(): entry for entry in known for w in entry.words for form in forms(w)
    }
    words = named | {form.lower(): None for word in ignored for form in forms(word)}
    used: set[Entry | None] = {None}
    pattern = _pattern(words)
    for node in list(doctree.findall()):
        if isinstance(node, nodes.section):
            used = used.union(*(taught.get(name, ()) for name in node["ids"]))
        elif isinstance(node, nodes.emphasis):
            used.add(named.get(_plain(node.astext())))
        elif isinstance(node, nodes.Text) and _is_running(node):
            new = list(_linked(str(node), pattern, words, used, address))
            if len(new) > 1:
                node.parent.replace(node, new)


def _pattern(words: Iterable[str]) -> re.Pattern[str]:
    longest = sorted(words, key=lambda word: (-len(word), word))
    choice = "|".join(re.escape(w).replace(r"\ ", r"\s+") for w in longest)
    return re.compile(rf"(?<![\w.-])(?:{choice})(?![\w-])", re.IGNORECASE)


def _linked(
    text: str,
    pattern: re.Pattern[str],
    words: Mapping[str, Entry | None],
    used: set[Entry | None],
    address: Callable[[Entry], str],
) -> Iterator[nodes.Node]:
    start = 0
    for match in pattern.finditer(text):
        entry = words[_plain(match[0])]
        if entry is None or entry in used:
            continue
        used.add(entry)
        yield nodes.Text(text[start : match.start()])
        yield termlink("", match[0], refuri=address(entry), says=entry.says)
        start = match.end()
    yield nodes.Text(text[start:])


def _plain(text: str) -> str:
    return " ".join(text.lower().split())


def _is_running(node: nodes.Node) -> bool:
    """Tell whether a text stands in a paragraph that everybody sees."""
    while node.parent is not None:
        node = node.parent
        box = isinstance(node, nodes.container) and "box" in node["classes"]
        if not (box or isinstance(node, RUNNING_TEXT)):
            return False
    return True


def _collect(app: Sphinx, doctree: nodes.document) -> None:
    if found := list(entries(doctree, app.env.docname)):
        state(app).terms[app.env.docname] = found


def _link(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    is_lesson = docname.startswith("lessons/") and not docname.endswith("/index")
    terms = state(app).entries
    if not is_lesson or not terms or app.builder.name != "html":
        return
    labels = app.env.domains.standard_domain.labels
    taught: dict[str, set[Entry]] = {}
    for entry in terms:
        page, place = labels.get(entry.taught, ("", ""))[:2]
        if page == docname:
            taught.setdefault(place, set()).add(entry)

    def address(entry: Entry) -> str:
        place = next(iter(entry.words.values()))
        return f"{app.builder.get_relative_uri(docname, entry.page)}#{place}"

    ignored = app.config.glossary_ignores
    link_terms(doctree, terms, ignored, taught, address)


def _open(self: Any, node: termlink) -> None:
    uri, says = escape(node["refuri"]), escape(node["says"])
    self.body.append(f'<a class="term" href="{uri}" aria-description="{says}">')


def _close(self: Any, _node: termlink) -> None:
    self.body.append("</a>")


def setup(app: Sphinx) -> None:
    """Register the linker."""
    app.add_config_value("glossary_ignores", default=[], rebuild="env")
    app.add_node(termlink, html=(_open, _close))
    app.connect("doctree-read", _collect)
    app.connect("doctree-resolved", _link)
