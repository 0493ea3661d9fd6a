"""The drawing as an HTML figure: inline on a page, or a page of its own."""

from functools import cache
from importlib.resources import files

from torchutils.graph import Graph
from torchutils.rules import MARK
from torchutils.svg import safe
from torchutils.text import Step, steps, summary

__all__ = ["stylesheet", "to_figure", "to_page"]


def to_figure(graph: Graph, svg: str, *, style: str = "lesson", title: str = "") -> str:
    """Return a figure with the drawing, its text version, and the steps as data.

    It has no style attribute, style element or script that runs, so that it fits a
    strict content security policy; without a stylesheet it looks right in light.
    A page's script may put a toolbar into ``.ag-walk`` to step through the data.
    """
    forward, backward = steps(graph, style)
    remarks = "".join(f"<p>{safe(r)}</p>" for r in graph.remarks)
    caption = f"<figcaption>{safe(title)}</figcaption>" if title else ""
    bar = data = ""
    if graph.backward:
        safe_json = graph.to_json().replace("<", "\\u003c")
        data = f'<script type="application/json" class="ag-data">{safe_json}</script>'
        bar = '<div class="ag-walk"></div>'
    return (
        f'<figure class="ag">{caption}<div class="ag-scroll" tabindex="0" role="group" '
        f'aria-label="Drawing">{svg}</div>{bar}{remarks}'
        f'<details class="ag-text"><summary>Text version</summary>'
        f"<p>{safe(summary(graph))}</p>{_list('Forward', forward)}"
        f"{_list('Backward', backward, 1 + len(forward))}</details>{data}</figure>"
    )


def _list(heading: str, listed: list[Step], start: int = 1) -> str:
    if not listed:
        return ""
    items = "".join(map(_item, listed))
    return f'<p>{heading}</p><ol start="{start}">{items}</ol>'


def _item(step: Step) -> str:
    at = f'data-node="{step.node}"'
    at += "" if step.edge is None else f' data-edge="{step.edge}"'
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
