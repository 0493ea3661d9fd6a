"""The drawing as an HTML figure: inline on a page, or a page of its own."""

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from torchutils.graph import Graph
from torchutils.labels import numbered, reference
from torchutils.layout import Box
from torchutils.rules import MARK
from torchutils.svg import safe
from torchutils.tape import Tape, to_tape
from torchutils.text import Step, steps, summary, unopened

__all__ = ["Inside", "stylesheet", "to_figure", "to_page"]


class Inside(NamedTuple):
    """What is in a closed box: its name, graph and drawing, and the boxes in it."""

    title: str
    graph: Graph
    svg: str
    insides: tuple["Inside", ...] = ()
    more: tuple[str, ...] = ()  # boxes that are drawn in a drawing of their own


def to_figure(
    graph: Graph,
    svg: str,
    boxes: Sequence[Box] = (),
    *,
    style: str = "lesson",
    title: str = "",
    detachable: bool = False,
    whole: Graph | None = None,
    insides: Sequence[Inside] = (),
    more: Sequence[str] = (),
) -> str:
    """Return a figure with the drawing, its text version, and the steps as data.

    It has no style attribute, style element or script that runs, so that it fits a
    strict content security policy; without a stylesheet it looks right in light.
    A page's script may put a toolbar into ``.ag-walk``, to step through the data, and
    show the form ``.ag-leaves``, to compute them anew; if ``detachable``, with an edge
    cut.
    """
    forward, backward = steps(graph, style)
    remarks = "".join(f"<p>{safe(r)}</p>" for r in graph.remarks)
    caption = f"<figcaption>{safe(title)}</figcaption>" if title else ""
    bar = data = ""
    if graph.backward:
        tape = to_tape(graph)
        bar = '<div class="ag-walk"></div>' + _leaves(
            graph, tape, boxes, detachable=detachable
        )
        json = graph.to_json()
        if isinstance(tape, Tape):
            json = f'{json[:-1]},"tape":{tape.to_json()}}}'
        safe_json = json.replace("<", "\\u003c")
        data = f'<script type="application/json" class="ag-data">{safe_json}</script>'
    return (
        f'<figure class="ag">{caption}<div class="ag-scroll" tabindex="0" role="group" '
        f'aria-label="{_name(graph, title)}">{svg}</div>{bar}{remarks}{_unopened(more)}'
        f"{''.join(map(_opened, insides))}"
        f'<details class="ag-text"><summary>Text version</summary>'
        f"<p>{safe(summary(whole or graph))}</p>{_list(graph, 'Forward', forward)}"
        f"{_list(graph, 'Backward', backward, 1 + len(forward))}"
        f"{''.join(_words(inside, style) for inside in insides)}"
        f"</details>{data}</figure>"
    )


def _name(graph: Graph, title: str) -> str:
    """Return what a drawing is called by ear: its title, or what it leads to."""
    roots = [numbered(node) for node in graph.nodes if node.root]
    more = f" and {len(roots) - 3} more" if len(roots) > 3 else ""
    return safe(f"Drawing of {title or ', '.join(roots[:3]) + more or 'a graph'}")


def _opened(inside: Inside) -> str:
    """Return a box that a reader opens and closes, with those in it."""
    remarks = "".join(f"<p>{safe(r)}</p>" for r in inside.graph.remarks)
    name = safe(f"Inside {inside.title}")
    return (
        f'<details class="ag-inside"><summary>{name}</summary>'
        f'<div class="ag-scroll" tabindex="0" role="group" aria-label="{name}">'
        f"{inside.svg}</div>{remarks}{_unopened(inside.more)}"
        f"{''.join(map(_opened, inside.insides))}</details>"
    )


def _unopened(names: Sequence[str]) -> str:
    return f"<p>{safe(unopened(names))}</p>" if names else ""


def _words(inside: Inside, style: str) -> str:
    forward, _ = steps(inside.graph, style)
    within = "".join(_words(inner, style) for inner in inside.insides)
    heading = f"Inside {safe(inside.title)}"
    lines = [MARK.sub(r"\2", step.text) for step in forward]
    items = "".join(f"<li>{safe(line)}</li>" for line in lines)
    return f"<p>{heading}</p><ol>{items}</ol>{within}"


def _leaves(
    graph: Graph, tape: Tape | str, boxes: Sequence[Box], *, detachable: bool
) -> str:
    """Return a form with the leaves' numbers, or why they can't be changed.

    The fields stand in the order of the boxes: from top to bottom, from left to right.
    """
    if isinstance(tape, str):
        why = f"These numbers can't be changed here, because of {safe(tape)}."
        return f'<p class="ag-fixed" hidden>{why}</p>'
    fields = []
    place = {k: (box.y, box.x) for k, box in enumerate(boxes)}
    for leaf in sorted(graph.leaves, key=lambda leaf: place.get(leaf.id, ())):
        _, *parts = tape.places[f"v{leaf.id}"]
        numbers = ", ".join(str(tape.code[k][0]) for k in parts[0])
        own = f'name="v{leaf.id}" value="{numbers}" size="{len(numbers) + 4}"'
        fields.append(f"<label>{safe(reference(leaf))} = <input {own}></label> ")
    reset = '<button type="reset">Reset</button>'
    attrs = [dict(node.attrs) for node in graph.nodes]
    kept = [name for own in attrs for name in own.values() if name in own]
    stays = " · ".join(f"{safe(name)} stays" for name in dict.fromkeys(kept))
    return (
        f'<form class="ag-leaves" hidden>Change {"".join(fields)}{reset} {stays}'
        f"{_edges(graph, tape) if detachable else ''}</form>"
    )


def _edges(graph: Graph, tape: Tape) -> str:
    """Return a box to tick for each edge along which something was sent."""
    boxes = (
        f'<label><input type="checkbox" name="s{k}"> '
        f"{' → '.join(safe(reference(graph.nodes[n])) for n in (e.src, e.dst))}</label>"
        for k, e in enumerate(graph.edges)
        if f"s{k}" in tape.places
    )
    how = "Cut an edge: tick its box, or click the arrow"
    return f"<fieldset><legend>{how}</legend>{''.join(boxes)}</fieldset>"


def _list(graph: Graph, heading: str, listed: list[Step], start: int = 1) -> str:
    if not listed:
        return ""
    goals = [None if s.edge is None else graph.edges[s.edge].src for s in listed]
    items = "".join(map(_item, listed, goals))
    return f'<p>{heading}</p><ol start="{start}">{items}</ol>'


def _item(step: Step, to: int | None) -> str:
    at = f'data-node="{step.node}"'
    at += "" if to is None else f' data-edge="{step.edge}" data-to="{to}"'
    at += f' data-ask="{step.ask}"' if step.ask else ""
    text, *marked = MARK.split(step.text)
    parts = [safe(text)]
    for place, number, text in zip(*[iter(marked)] * 3, strict=True):
        parts.append(f'<b data-v="{place}">{safe(number)}</b>{safe(text)}')
    return f"<li {at}>{''.join(parts)}</li>"


def to_page(figure: str, title: str) -> str:
    """Return a whole HTML page that needs nothing else."""
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{safe(title)}</title><style>{stylesheet()}</style>"
        f'<body class="ag-alone"><main>{figure}</main></body></html>\n'
    )


@cache
def stylesheet() -> str:
    """Return the style sheet that themes every drawing, dark mode included."""
    return files("torchutils").joinpath("drawing.css").read_text("utf-8")
