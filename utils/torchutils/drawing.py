"""One function, one result: ``make_dot`` and the ``Drawing`` that it returns."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import torch

from torchutils.dot import to_dot
from torchutils.graph import Graph
from torchutils.html import stylesheet, to_figure, to_page
from torchutils.layout import lay_out, run_engine
from torchutils.read import read_graph
from torchutils.svg import to_svg
from torchutils.text import summary, to_text

__all__ = ["Drawing", "make_dot"]

STYLES, DIRECTIONS = ("lesson", "torch"), ("LR", "TB")
FORMATS = ("svg", "html", "dot", "gv", "json", "txt", "png", "pdf")


class Drawing:
    """An autograd graph that shows itself; it keeps no tensor and no node alive."""

    def __init__(
        self,
        graph: Graph,
        *,
        style: str = "lesson",
        direction: str = "LR",
        title: str = "",
    ) -> None:
        _check("style", style, STYLES)
        _check("direction", direction, DIRECTIONS)
        self.graph = graph
        self.style = style
        self.direction = direction
        self.title = title

    def __repr__(self) -> str:
        return summary(self.graph)

    @cached_property
    def source(self) -> str:
        """The drawing in the DOT language."""
        return to_dot(self.graph, style=self.style, direction=self.direction)

    @cached_property
    def svg(self) -> str:
        """The drawing as an SVG element for a page."""
        return self._svg("")

    def _svg(self, css: str) -> str:
        layout = lay_out(self.graph, style=self.style, direction=self.direction)
        return to_svg(self.graph, layout, title=self.title, css=css)

    @cached_property
    def text(self) -> str:
        """The drawing in words, as numbered lines."""
        return to_text(self.graph, style=self.style)

    @cached_property
    def json(self) -> str:
        """The graph that was read, as JSON text."""
        return self.graph.to_json()

    @cached_property
    def html(self) -> str:
        """The drawing as a figure for a page, with picture, text version and data."""
        return to_figure(self.graph, self.svg, style=self.style, title=self.title)

    def _repr_html_(self) -> str:
        return self.html

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        return {"text/html": self.html, "text/plain": repr(self)}

    def save(self, path: str | Path) -> Path:
        """Write a file in the format that its ending names, and return its path.

        The endings are svg, html, dot (or gv), json, txt, png and pdf.  The last two
        are drawn by Graphviz with this machine's fonts; the others are the same bytes
        everywhere.
        """
        path = Path(path)
        ending = path.suffix.lower().removeprefix(".")
        _check("the file's ending", ending, FORMATS)
        path.write_bytes(self._bytes(ending))
        return path

    def _bytes(self, ending: str) -> bytes:
        if ending in ("png", "pdf"):
            return run_engine(self.source, ending)
        if ending == "svg":
            return self._svg(stylesheet()).encode()
        if ending == "html":
            return to_page(self.html, self.title or repr(self)).encode()
        if ending in ("dot", "gv"):
            return self.source.encode()
        return ((self.json if ending == "json" else self.text) + "\n").encode()


def _check(what: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ValueError(f"{what} {value!r} is not one of {', '.join(known)}")


def make_dot(
    y: object,
    names: Mapping[str, object] | torch.nn.Module | None = None,
    *,
    style: str = "lesson",
    direction: str = "LR",
    title: str = "",
    values: int | None = None,
    attrs: bool = False,
    saved: bool = False,
    max_nodes: int = 500,
    force: bool = False,
) -> Drawing:
    """Draw the autograd graph behind a tensor, or a list or dict of tensors.

    ``names`` is any mapping, such as ``locals()``, or a module: tensors in it that
    occur in the graph are called by their names, all else is ignored.

    >>> x = torch.arange(4.0, requires_grad=True)
    >>> make_dot(torch.dot(x, x**2), locals())
    autograd graph: 3 nodes, 3 edges, 1 leaf (x)
    """
    graph = read_graph(
        y,
        names,
        values=values,
        attrs=attrs,
        saved=saved,
        max_nodes=max_nodes,
        force=force,
    )
    return Drawing(graph, style=style, direction=direction, title=title)
