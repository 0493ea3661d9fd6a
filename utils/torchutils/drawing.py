"""One function, one result: ``make_dot`` and the ``Drawing`` that it returns."""

import warnings
import webbrowser
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import torch

from torchutils.dot import to_dot
from torchutils.fold import fold as fold_repeats
from torchutils.graph import Graph
from torchutils.html import stylesheet, to_figure, to_page
from torchutils.layout import Layout, check_engine, lay_out, run_engine
from torchutils.read import read_graph
from torchutils.svg import to_svg
from torchutils.text import summary, to_text

__all__ = ["Drawing", "known_options", "make_dot"]

STYLES, DIRECTIONS, FOLDS = ("lesson", "torch"), ("LR", "TB"), ("auto", True, False)
FORMATS = ("svg", "html", "dot", "gv", "json", "txt", "png", "pdf")
FOLD_FROM, WARN_FROM = 30, 150  # nodes: fold by itself; say that a page grows heavy

# torchviz's names for our options, so that its calls work unchanged.
_TORCHVIZ = {"params": "names", "show_attrs": "attrs", "show_saved": "saved"}
_READING = frozenset(("values", "attrs", "saved", "max_nodes", "force"))
_LOOKS = ("style", "direction", "fold", "title")


class Drawing:
    """An autograd graph that shows itself; it keeps no tensor and no node alive.

    ``graph`` is all that was read.  What is drawn, ``drawn``, is the same with its
    repeats folded: when ``fold`` is True, or "auto", there are over 30 nodes, and no
    backward pass was recorded, of which a fold shows nothing.
    """

    def __init__(
        self,
        graph: Graph,
        *,
        style: str = "lesson",
        direction: str = "LR",
        fold: bool | str = "auto",
        title: str = "",
    ) -> None:
        _check("style", style, STYLES)
        _check("direction", direction, DIRECTIONS)
        _check("fold", fold, FOLDS)
        many = len(graph.rows) > FOLD_FROM and not graph.backward
        self.graph = graph
        self.drawn = fold_repeats(graph) if (many and fold) or fold is True else graph
        self.style = style
        self.direction = direction
        self.title = title
        self.format = "pdf"  # what render() writes, as torchviz has it

    def __repr__(self) -> str:
        return summary(self.graph)

    @property
    def source(self) -> str:
        """The drawing in the DOT language."""
        return to_dot(self.drawn, style=self.style, direction=self.direction)

    @cached_property
    def svg(self) -> str:
        """The drawing as an SVG element for a page."""
        return self._svg("")

    def _svg(self, css: str) -> str:
        if len(self.drawn.nodes) > WARN_FROM:
            text = f"{len(self.drawn.nodes)} nodes take about as many KB in a page"
            warnings.warn(f"{text}; a smaller max_nodes draws less", stacklevel=4)
        return to_svg(self.drawn, self._layout, title=self.title, css=css)

    @cached_property
    def _layout(self) -> Layout:
        return lay_out(self.drawn, style=self.style, direction=self.direction)

    @cached_property
    def text(self) -> str:
        """The drawing in words, as numbered lines."""
        return to_text(self.drawn, style=self.style)

    @cached_property
    def json(self) -> str:
        """The graph that was read, unfolded, as JSON text (see ``Graph.to_json``)."""
        return self.graph.to_json()

    @cached_property
    def html(self) -> str:
        """The drawing as a figure for a page, with picture, text version and data."""
        look = {"style": self.style, "title": self.title}
        return to_figure(self.drawn, self.svg, self._layout.boxes, **look)

    def _repr_html_(self) -> str:
        return self.html

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> dict[str, str]:
        return {"text/html": self.html, "text/plain": repr(self)}

    def save(self, path: str | Path) -> Path:
        """Write a file in the format that its ending names, and return its path.

        The endings are svg, html, dot (or gv), json, txt, png and pdf.  The last two
        are drawn by Graphviz with this machine's fonts; the others are the same bytes
        everywhere.  Raises ValueError for another ending, and for a png or pdf that
        would take Graphviz minutes.
        """
        path = Path(path)
        ending = path.suffix.lower().removeprefix(".")
        _check("the file's ending", ending, FORMATS)
        path.write_bytes(self.pipe(ending))
        return path

    def pipe(self, format: str | None = None) -> bytes:
        """Return the bytes of a file in a format; the same as ``save`` writes."""
        ending = format or self.format
        _check("format", ending, FORMATS)
        if ending in ("png", "pdf"):
            check_engine(self.drawn, ending, self.style)
            return run_engine(self.source, ending)
        text = {
            "svg": lambda: self._svg(stylesheet()),
            "html": lambda: to_page(self.html, self.title or repr(self)),
            "json": lambda: self.json + "\n",
            "txt": lambda: self.text + "\n",
        }.get(ending, lambda: self.source)
        return text().encode()

    def render(
        self,
        filename: str | Path = "Digraph.gv",
        directory: str | Path | None = None,
        view: bool = False,
        cleanup: bool = False,
        format: str | None = None,
    ) -> str:
        """Write DOT and a picture beside it, as graphviz's ``render`` does.

        Returns the picture's path: the file's name, a dot, the format (pdf unless
        ``format``, or the attribute of that name, says otherwise).
        """
        source = Path(directory or "", filename)
        ending = format or self.format
        picture = source.with_name(f"{source.name}.{ending}")
        content = self.pipe(ending)
        source.parent.mkdir(parents=True, exist_ok=True)
        picture.write_bytes(content)
        if not cleanup:
            source.write_text(self.source, "utf-8")
        if view:
            webbrowser.open(picture.resolve().as_uri())
        return str(picture)


def _check(what: str, value: object, known: tuple) -> None:
    if value not in known:
        raise ValueError(f"{what} {value!r} is not one of {', '.join(map(str, known))}")


def make_dot(
    y: object,
    names: Mapping[str, object] | torch.nn.Module | None = None,
    **options: object,
) -> Drawing:
    """Draw the autograd graph behind a tensor, or a list or dict of tensors.

    ``names`` is any mapping, such as ``locals()``, or a module: tensors in it that
    occur in the graph are called by their names, all else is ignored.

    Options on the look: ``style`` ("lesson" or "torch"), ``direction`` ("LR" or "TB"),
    ``fold`` ("auto", True or False: repeated parts drawn once), ``title``.  On what is
    read: ``values`` (how many numbers a tensor may have to be shown), ``attrs`` (every
    option of every node), ``saved`` (saved tensors as nodes), ``max_nodes``, ``force``;
    see :func:`read_graph`.  torchviz's ``params``, ``show_attrs`` and ``show_saved``
    mean names, attrs and saved; its ``max_attr_chars`` is not needed.

    Raises TypeError when there is no tensor, or for an unknown option; ValueError for
    a value that an option can't have.

    >>> x = torch.arange(4.0, requires_grad=True)
    >>> make_dot(torch.dot(x, x**2), locals())
    autograd graph: 3 nodes, 3 edges, 1 leaf (x)
    """
    look = {}
    if not options.keys() <= _READING:
        options = known_options(options)
        names = options.pop("names", names)
        look = {k: options.pop(k) for k in _LOOKS if k in options}
    return Drawing(read_graph(y, names, **options), **look)


def known_options(options: dict[str, object]) -> dict[str, object]:
    """Return options under our names; raise TypeError, with the list, for others."""
    known = {_TORCHVIZ.get(k, k): v for k, v in options.items()}
    known.pop("max_attr_chars", None)
    for name in known:
        if name not in {"names", *_READING, *_LOOKS}:
            every = ", ".join((*_LOOKS, *sorted(_READING), *_TORCHVIZ))
            raise TypeError(f"there is no option {name!r}; there are {every}")
    return known
