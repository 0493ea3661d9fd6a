"""Number the graphs that a page walks through; join them to its code and its text.

The k-th step of the n-th of them gets the id ``ag-n-sk``: a link to it shows the step
in the drawing, or without JavaScript its line in the text version.  A line of code that
made nodes of the n-th graph is marked ``data-made="n-node"``.  Where the playground
can compute a graph, a link opens it there; elsewhere it is said why not, and what
docs/instead.txt has in its place is opened.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from functools import cache
from hashlib import sha256
from html import escape, unescape
from importlib.metadata import version
from itertools import accumulate, count
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

from coursebuild.extension.instead import FILE, Instead, InsteadError, read_instead
from coursebuild.extension.written import written
from coursebuild.sources.docnames import place_of, source_of
from coursebuild.state import state
from coursebuild.undisturbed import load_torch
from courserun.kept import Kept

__all__ = ["join", "makers", "setup", "step_role"]

logger = logging.getLogger(__name__)

PLAYGROUND = "playground"
MOST = 3000  # links that are kept
_PART = re.compile(
    r'(?P<code><div class="highlight"><pre>)(?P<lines>.*?)(?=</pre>)'
    r'|(?P<walk><figure class="ag">((?!</figure>).)*?<div class="ag-walk">.*?</figure>)'
    r'|<a class="ag-step">(?P<step>.*?)</a>',
    re.DOTALL,
)
_STEP = re.compile(r"<li (data-node.*?)</li>")
_DATA = re.compile(r'class="ag-data">(.*?)</script>')
_WORDS = '<details class="ag-text">'
_BREAK = re.compile(r'<span class="w">(\s*\n\s*)</span>')  # blanks across lines
_TAG = re.compile(r"<[^>]*>")
_BINDS = re.compile(r"\s*([\w, ]+?) (?:[-+*/@]|\*\*)?= ")
_Page = list[re.Match[str]]


def join(
    body: str,
    playground: str = "",
    kept: Kept | None = None,
    instead: dict[int, Instead] | None = None,
) -> tuple[str, list[str]]:
    """Return a page's body with its walks joined to it, and which steps are missing.

    Without the address of a ``playground`` no walk is opened there.  What opens one is
    ``kept``, since PyTorch has to try it.  What is opened ``instead`` of walks that
    cannot be is known by their numbers.

    Raises:
        InsteadError: what is opened instead is wrong.
    """
    page, others = list(_PART.finditer(body)), instead or {}
    made, faults = _made(page), []
    lines, walks = count(), count(1)

    def write(part: re.Match[str]) -> str:
        if part["code"]:
            code = _BREAK.sub(r"\1", part["lines"])
            found = (_line(x, made[next(lines)]) for x in code.split("\n"))
            return part["code"] + "\n".join(found)
        if part["walk"]:
            n, steps = next(walks), count(1)
            walk = _STEP.sub(
                lambda m: f'<li id="ag-{n}-s{next(steps)}" {m[1]}</li>', part["walk"]
            )
            other = others.get(n)
            opened = _opened(part, page, playground, kept, other) if playground else ""
            return walk.replace(_WORDS, opened + _WORDS, 1)
        above = [p for p in page if p["walk"] and p.end() <= part.start()]
        step = _find(above, _text(part["step"]))
        if not step:  # or the lesson failed, and nothing was drawn
            faults.append(_text(part["step"]))
            return part[0]
        return f'<a href="#ag-{len(above)}-s{step}">step {step}</a>'

    joined = _PART.sub(write, body)
    for number in others.keys() - range(1, next(walks)):
        raise InsteadError(others[number].line, f"its page has no walk {number}")
    return joined, faults


def _opened(
    part: re.Match[str],
    page: _Page,
    playground: str,
    kept: Kept | None,
    instead: Instead | None,
) -> str:
    """Return what opens a walk in the playground, or why that cannot be."""
    data = _DATA.findall(part["walk"])[0]
    above = (p["lines"] for p in page if p["code"] and p.end() <= part.start())
    made = {k: v for k, v in written(map(_text, above)).items() if f'"{k}"' in data}

    def tried() -> str:
        load_torch()
        from coursebuild.extension.programs import link

        return link(_graph(part), playground, made, instead)

    what = repr((_tries(), playground, data, made, instead))
    return kept.made(sha256(what.encode()).hexdigest(), tried) if kept else tried()


@cache
def _tries() -> str:
    """Return what tells that a walk might be opened in another way."""
    own = Path(__file__).with_name("programs.py")
    drawing = Path(__file__).parents[2].glob("torchutils/*.py")
    code = b"".join(path.read_bytes() for path in sorted([own, *drawing]))
    return version("torch") + sha256(code).hexdigest()


def _text(html: str) -> str:
    return unescape(_TAG.sub("", html))


def _find(above: _Page, words: str) -> int:
    """Return which step of the last drawing begins with some words; 0 for none."""
    steps = _STEP.findall(above[-1]["walk"]) if above else []
    told = (_text(f"<{step}") for step in steps)
    return next((k for k, text in enumerate(told, 1) if text.startswith(words)), 0)


def _made(page: _Page) -> dict[int, list[str]]:
    """Return, by the number of a line of code, the nodes that it made."""
    made: dict[int, list[str]] = defaultdict(list)
    lines: list[str] = []
    walks = count(1)
    for part in page:
        if part["code"]:
            lines += map(_text, part["lines"].split("\n"))
        elif part["walk"]:
            n = next(walks)
            for node, line in makers(_graph(part), lines).items():
                made[line].append(f"{n}-{node}")
    return made


def _graph(part: re.Match[str]) -> dict[str, Any]:
    graph: dict[str, Any] = json.loads(_DATA.findall(part["walk"])[0])
    return graph


def makers(graph: dict[str, Any], lines: list[str]) -> dict[int, int]:
    """Return, by the id of a node, the line of code that made it.

    A name is made where it was bound last, what has none where it was used; and an
    output without a name in the last line.

    >>> x, y = {"id": 0, "names": ["x"]}, {"id": 1}
    >>> makers({"nodes": [x, y], "edges": [{"src": 0, "dst": 1}]}, ["x = 3", "f(x)"])
    {0: 0, 1: 1}
    """
    bound: dict[str, int] = {}
    for k, text in enumerate(lines):
        if binds := _BINDS.match(text):
            bound |= dict.fromkeys(re.split("[ ,]+", binds[1]), k)
    user = {e["src"]: e["dst"] for e in reversed(graph["edges"])}
    found = {}
    for node in graph["nodes"]:
        n, names = node["id"], node.get("names")
        while not names and n in user:
            n = user[n]
            names = graph["nodes"][n].get("names")
        known = [bound.get(re.split(r"\W", name)[0]) for name in names or ()]
        made = [k for k in known if k is not None][:1]
        if not names and lines:
            made = [max(k for k, text in enumerate(lines) if text.strip())]
        if made:
            found[node["id"]] = made[0]
    return found


def _line(html: str, made: list[str]) -> str:
    """Mark a line of code, if it made nodes and no element goes on in the next line.

    >>> _line("<span>y</span>", ["1-0"])
    '<span data-made="1-0"><span>y</span></span>'
    >>> _line("</span>y<span>", ["1-0"])
    '</span>y<span>'
    """
    tags = re.findall("</?span", html)
    open_ = list(accumulate(1 if tag == "<span" else -1 for tag in tags))
    if made and min(open_, default=0) >= 0 and sum(open_[-1:]) == 0:
        return f'<span data-made="{" ".join(made)}">{html}</span>'
    return html


def step_role(
    _role: str, _raw: str, text: str, *_: Any, **__: Any
) -> tuple[list[nodes.Node], list[Any]]:
    """Link to the step of the drawing above that begins with some words."""
    return [nodes.raw("", f'<a class="ag-step">{escape(text)}</a>', format="html")], []


def _on_page(
    app: Sphinx, page: str, _template: str, context: dict[str, Any], _tree: object
) -> None:
    if "body" in context:
        there = page != PLAYGROUND and PLAYGROUND in app.env.found_docs
        address = context["pathto"](PLAYGROUND) if there else ""
        root = Path(app.confdir)
        try:
            others = _instead(root).get(page)
            context["body"], faults = join(
                context["body"], address, _links(root), others
            )
        except InsteadError as error:
            logger.warning("%s", error)
            return
        source = source_of(page, root)
        runs = state(app).runs
        if source in runs.lessons and runs[source] is None:
            return  # it failed, or this is a draft
        for step in faults:
            why = "no drawing above has a step that begins so: copy its words"
            place = place_of(page, root, step)
            logger.warning("%s\n  :step:`%s`\n  %s", place, step, why)


def _miss(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Name what would be opened on pages that are not there."""
    try:
        named = _instead(Path(app.confdir))
    except InsteadError:
        return []  # as each page will say
    for page in named.keys() - env.found_docs:
        for entry in named[page].values():
            logger.warning("%s", InsteadError(entry.line, f"there is no page {page}"))
    return []


def _instead(root: Path) -> dict[str, dict[int, Instead]]:
    file = root / FILE
    return read_instead(file.read_text("utf-8") if file.exists() else "")


def _links(root: Path) -> Kept:
    return Kept(root / "build" / ".links")


def setup(app: Sphinx) -> None:
    """Register the role, and what is done to each page."""
    app.connect("build-finished", lambda app, _: _links(Path(app.confdir)).thin(MOST))
    app.connect("env-updated", _miss)
    app.add_role("step", step_role)
    app.connect("html-page-context", _on_page)
