"""Give the search page the words of every section, so that it asks for no page.

Sphinx's own index knows of most words only on which page they stand, and makes an
excerpt by loading that page, which no browser allows for a site opened from a file.
What every query needs is one script: which section holds which word how often.  The
texts, for the excerpts of what was found, come after it in small groups.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from html import unescape
from pathlib import Path
from sys import intern
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

from coursebuild.state import state

__all__ = ["counted", "postings", "sections", "setup", "stems"]

INDEX = "_static/sections.js"
TEXTS = "_static/sections"
GROUP = 2  # sections whose texts come together; search.js is told
UNUSED = ("searchtools.js", "language_data.js")  # Sphinx copies its search all the same
SILENT = (
    nodes.title,
    nodes.raw,
    nodes.math_block,
    nodes.comment,
    nodes.system_message,
    addnodes.index,
    addnodes.toctree,
)
Found = tuple[str, str, str]  # place, title, words
LINK = re.compile(r'<a data-search="([^"]*)" href="(#[^"]*)">(.*?)</a>')
CAMEL = re.compile(r"\b(?!\w+Error\b)\w*[a-z][A-Z]\w*", re.ASCII)
JOINED = re.compile(r"\b(in|non|grad)[- ](?=place|leaf|cam)", re.ASCII)
ENDINGS = re.compile("(ation|ting|ing|tion|ment|ed|es|s|e|ly)$")
# A line of an example's output that nobody looks for: numbers, as tensors print them.
NUMBERS = re.compile(
    r"^(?:[\W\d_]|e[+-]|inf|nan|tensor|dtype|torch|float64|True|False|None)+$"
)


def sections(doctree: nodes.document) -> list[Found]:
    """Return place, title and words of a page's sections, terms and functions.

    The place of the page itself is "", and what has a place of its own is in no other.
    A link of raw HTML with ``data-search``, its words, stands for where it leads.
    """
    found = [found for node in doctree.findall() for found in _place(node)]
    return [said for said in found if said[-1] or not said[0]]


def _place(node: nodes.Node) -> Iterator[Found]:
    if isinstance(node, nodes.section) and "no-search" not in node["classes"]:
        inner = isinstance(node.parent, nodes.section)
        title = next(iter(node.findall(nodes.title)))
        yield f"#{node['ids'][0]}" if inner else "", _words(title), _words(node)
    elif isinstance(node, addnodes.desc):
        signature = next(iter(node.findall(addnodes.desc_signature)))
        if signature["ids"]:
            yield f"#{signature['ids'][0]}", signature["fullname"], _words(node)
    elif isinstance(node, nodes.definition_list_item) and _is_entry(node):
        terms = list(node.findall(nodes.term))
        names = ", ".join(_words(term) for term in terms)
        yield f"#{terms[0]['ids'][0]}", names, _words(node[-1])
    elif isinstance(node, nodes.raw) and "html" in node["format"]:
        for words, place, title in LINK.findall(node.astext()):
            yield place, unescape(re.sub("<.*?>", "", title)), unescape(words)


def _is_entry(node: nodes.Node) -> bool:
    return isinstance(node, nodes.definition_list_item) and isinstance(
        node.parent.parent, addnodes.glossary
    )


def _words(node: nodes.Node) -> str:
    return " ".join("".join(_texts(node)).split())


def _texts(node: nodes.Node) -> Iterator[str]:
    """Yield what stands in a node, but for what has a place of its own."""
    for child in node.children:
        if isinstance(child, nodes.Text):
            yield str(child)
        elif isinstance(child, addnodes.desc_signature):
            yield child.astext() + " "
        elif isinstance(child, nodes.math):  # a reader of excerpts wants no LaTeX
            formula = child.astext()
            yield "…" if set(formula) & set("\\{^") else formula
        elif isinstance(child, nodes.doctest_block | nodes.literal_block):
            lines = child.astext().splitlines()
            yield " ".join(line for line in lines if not NUMBERS.match(line)) + " "
        elif not _is_apart(child):
            yield from _texts(child)
            yield "" if isinstance(child, nodes.Inline) else " "


def _is_apart(node: nodes.Node) -> bool:
    own = (*SILENT, nodes.section, addnodes.desc)
    hidden = isinstance(node, nodes.Element) and "no-search" in node["classes"]
    return isinstance(node, own) or _is_entry(node) or hidden


def _begin(app: Sphinx) -> None:
    app.builder.search = False  # type: ignore[attr-defined]  # ours takes its place


def _collect(app: Sphinx, doctree: nodes.document, name: str) -> None:
    found = sections(doctree)
    state(app).sections[name] = found
    state(app).stems[name] = [counted(words) for *_, words in found]


def _offer(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Write the words where a script finds them without a request, and the page."""
    if app.builder.name != "html":
        return
    taught = _taught(app)
    pages, texts, counts = [], list[str](), list[Mapping[str, int]]()
    for name, found in sorted(state(app).sections.items()):
        level = " · ".join(state(app).facts.get(name, {}).get("Level", []))
        parts = [(at, title, taught.get((name, at), "")) for at, title, _ in found]
        pages.append([name, found[0][1], level, parts])
        texts += [words for *_, words in found]
        counts += state(app).stems[name]
    _write(app, texts, {"group": GROUP, "pages": pages, "words": postings(counts)})
    yield "search", {}, "search.html"


def _write(app: Sphinx, texts: list[str], index: dict[str, Any]) -> None:
    folder = Path(app.outdir, TEXTS)
    folder.mkdir(parents=True, exist_ok=True)
    code = f"const siteSections = {_json(index)};\nconst siteTexts = [];\n"
    Path(app.outdir, INDEX).write_text(code, "utf-8")
    for at in range(0, len(texts), GROUP):
        code = f"siteTexts[{at // GROUP}] = {_json(texts[at : at + GROUP])};\n"
        (folder / f"{at // GROUP}.js").write_text(code, "utf-8")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def counted(text: str) -> dict[str, int]:
    """Return how often a text holds each stem; equal ones are one, to be kept small."""
    return {intern(word): count for word, count in Counter(stems(text)).items()}


def postings(counts: Iterable[Mapping[str, int]]) -> dict[str, list[int]]:
    """Return for each stem the sections that hold it, as steps from one to the next.

    A negative number is how often the section before it holds the word, where more
    than once.

    >>> postings(map(counted, ["a leaf", "", "leaves of a leaf, a leaf"]))
    {'leaf': [1, 2, -2], 'leav': [3], 'of': [3]}
    """
    found: dict[str, list[int]] = {}
    last: dict[str, int] = {}
    for number, said in enumerate(counts, 1):
        for word, count in said.items():
            steps = found.setdefault(word, [])
            steps += [number - last.get(word, 0), *([-count] if count > 1 else [])]
            last[word] = number
    return dict(sorted(found.items()))


def stems(text: str) -> list[str]:
    """Return the words of a text as stems.js reads them, which says why."""
    text = CAMEL.sub(lambda it: it[0] + re.sub("[A-Z]+", r" \g<0>", " " + it[0]), text)
    text = re.sub(r"[\[(]\w+, ?1[\])]", " column ", text.lower(), flags=re.ASCII)
    text = re.sub("([iy])z", r"\1s", text)
    text = JOINED.sub(r"\1", re.sub("['’]", "", text))
    words = re.findall(r"[a-z]+(?:_[a-z]+)*|[+]=", text)
    parts = [[word, *word.split("_")] if "_" in word else [word] for word in words]
    return [_stem(word) for some in parts for word in some if len(word) > 1]


def _stem(word: str) -> str:
    return ENDINGS.sub("", word)[:8] if len(word) > 5 else word.removesuffix("s")


def _taught(app: Sphinx) -> dict[tuple[str, str], str]:
    """Return the terms that a section teaches, as the glossary says, by its place."""
    labels = app.env.domains.standard_domain.labels
    found: dict[tuple[str, str], str] = {}
    for entry in state(app).entries:
        if entry.taught in labels:
            page, place = labels[entry.taught][:2]
            before = found.get((page, f"#{place}"), "")
            found[page, f"#{place}"] = " ".join([before, *entry.words]).strip()
    return found


def _tidy(app: Sphinx, _error: object) -> None:
    for name in UNUSED:
        Path(app.outdir, "_static", name).unlink(missing_ok=True)


def setup(app: Sphinx) -> None:
    """Register the index and the page that looks into it."""
    app.connect("builder-inited", _begin)
    app.connect("doctree-resolved", _collect)
    app.connect("html-collect-pages", _offer)
    app.connect("build-finished", _tidy)
