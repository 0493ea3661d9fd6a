"""One function, one result: ``make_dot`` and the ``Drawing`` that it returns."""

import warnings
import webbrowser
from collections.abc import Callable, Mapping
from functools import cache, cached_property, partial
from pathlib import Path
from typing import Literal, NoReturn, get_args, overload

import torch

from torchutils.calm import uncollected
from torchutils.close import part, plain
from torchutils.dot import quote, to_dot
from torchutils.fit import bundle
from torchutils.fold import fold as fold_repeats
from torchutils.graph import Graph
from torchutils.html import Inside, stylesheet, to_figure, to_page
from torchutils.layout import Engine, Layout, check_engine, lay_out, place, run_engine
from torchutils.mermaid import to_mermaid
from torchutils.read import read_graph
from torchutils.select import Choice
from torchutils.svg import drawn_width, to_svg, width_of
from torchutils.text import summary, to_text, unopened
from torchutils.views import Look, View, laid_out, open_boxes, view_of, way_of

__all__ = [
    "Direction",
    "Drawing",
    "Fold",
    "Style",
    "check_look",
    "make_dot",
    "make_dot_from_trace",
    "resize_graph",
]

Style = Literal["lesson", "torch"]
Direction = Literal["auto", "LR", "TB"]
Fold = Literal["auto", True, False]
Depth = int | Literal["auto"]
STYLES, DIRECTIONS, FOLDS = map(get_args, (Style, Direction, Fold))
FORMATS = (
    "svg",
    "html",
    "dot",
    "gv",
    "mmd",
    "json",
    "txt",
    "png",
    "pdf",
    "jpg",
    "jpeg",
)
PIXELS = ("png", "pdf", "jpg", "jpeg")  # drawn by Graphviz
PHONE, COLUMN = 369, 670  # the room for a drawing on a page, in pixels
FAR = 1.25  # times too wide: no other way to put the boxes was ever narrow enough
LINES = (0, 230, 160, 110)  # pixels of a line on a phone, more is broken; 0: never
ROOMS = (480, COLUMN, 960, 1440, 1920)  # drawing.css knows them
Measure = Callable[[Layout], int]
FOLD_FROM, WARN_FROM = 30, 150  # nodes: fold by itself; say that a page grows heavy


class Drawing:
    """An autograd graph that shows itself; it keeps no tensor and no node alive.

    ``graph`` is all that was read, or makes it when it is first asked for.  What is
    drawn, ``drawn``, is the same with its repeats folded: when ``fold`` is True, or
    "auto", there are over 30 nodes, and no backward pass was recorded, of which a fold
    shows nothing.  With "auto", what is still too large or too wide for a page ends
    where it fits.
    """

    def __init__(
        self,
        graph: Graph | Callable[[], Graph],
        *,
        style: Style = "lesson",
        direction: Direction = "auto",
        fold: Fold = "auto",
        title: str = "",
        depth: Depth = "auto",
        only: str = "",
    ) -> None:
        check_look(style, direction, fold, depth)
        self._read = graph
        self.style = style
        self.direction = direction
        self.fold = fold
        self.depth = depth
        self.only = only
        self.title = title
        self.detachable = False  # whether a page offers to cut edges
        self.format = "pdf"  # what render() writes, as torchviz has it
        self.graph_attr: dict[str, str] = {}  # for Graphviz, as torchviz has them
        self.node_attr: dict[str, str] = {}
        self.edge_attr: dict[str, str] = {}

    def __repr__(self) -> str:
        return summary(self.graph)

    @property
    def graph(self) -> Graph:
        """All that was read."""
        if not isinstance(self._read, Graph):
            self._read = self._read()  # it held what it was made from
        return self._read

    @cached_property
    def _view(self) -> View:
        """What is drawn; what is in its boxes only once ``_opened`` was asked for."""
        asked = self.depth != "auto" or bool(self.only)
        graph = part(self.graph, self.only) if self.only else self.graph
        large = len(graph.rows) > FOLD_FROM and not graph.backward
        as_it_is = not asked and (self.fold != "auto" or bool(graph.backward))
        if as_it_is or (graph.guessed and not (asked or large)):
            graph = plain(graph)
        if self.fold is True or (self.fold and (large or asked)):
            graph = fold_repeats(graph)
        if as_it_is or not (large or asked or graph.groups):
            return View(self.only, bundle(graph))
        return view_of(graph, self._look, self.depth, self.only)

    @cached_property
    def _opened(self) -> View:
        """What is drawn, and what is in its boxes, which no source or picture shows."""
        open_boxes(self._view, self._look)
        return self._view

    @cached_property
    def _engine(self) -> Engine:
        """Graphviz, asked once for each plan."""
        return cache(place)

    @property
    def _look(self) -> Look:
        return Look(self.style, self.direction, self._engine)

    @property
    def _way(self) -> str:
        return way_of(self.drawn, Look(self.style, self.direction))  # asks no engine

    @property
    def drawn(self) -> Graph:
        """What is drawn of the graph."""
        return self._view.graph

    @property
    def source(self) -> str:
        """The drawing in the DOT language."""
        source = to_dot(self.drawn, style=self.style, direction=self._way)
        if not (self.graph_attr or self.node_attr or self.edge_attr):
            return source
        own = self.graph_attr, self.node_attr, self.edge_attr
        kinds = dict(zip(("graph", "node", "edge"), own, strict=True))
        added = [
            f"{kind} [{' '.join(f'{k}={quote(str(v))}' for k, v in own.items())}]"
            for kind, own in kinds.items()
            if own
        ]
        opening, ours, rest = source.split("\n", 2)  # what comes later wins
        return "\n".join([opening, ours, *added, rest])

    @property
    def mermaid(self) -> str:
        """The drawing in Mermaid's language, for what draws that itself."""
        return to_mermaid(self.drawn, style=self.style, direction=self._way)

    def attr(self, kw: str | None = None, **attrs: str) -> None:
        """Set attributes for Graphviz, of all nodes, all edges or the graph.

        They reach what Graphviz draws: ``source``, png, pdf and jpg.
        """
        _check("kw", kw or "graph", ("graph", "node", "edge"))
        getattr(self, f"{kw or 'graph'}_attr").update(attrs)

    @cached_property
    def svg(self) -> str:
        """The drawing as an SVG element for a page."""
        return self._svg("")

    def _with_narrow(
        self, graph: Graph, wide: str, title: str, *, inside: bool = False
    ) -> str:
        """Add a narrow drawing to one that is too wide for a phone.

        What is inside of a box, which a reader opens to read it step by step, is one
        column; so is what Graphviz cannot make narrow enough.
        """
        if drawn_width(wide) <= PHONE:
            return wide
        rooms = PHONE, COLUMN
        measured = partial(width_of, graph, rooms=rooms)
        layout = None if inside else self._beside(graph, measured)
        if layout is None or measured(layout) > PHONE:
            column = self._column(graph, measured)
            layout = min([*filter(None, [layout]), column], key=measured)
        if measured(layout) >= drawn_width(wide):
            return wide
        narrow = to_svg(graph, layout, title=title, look="ag-narrow", rooms=rooms)
        room = next((w for w in ROOMS if w >= drawn_width(wide)), ROOMS[-1])
        return wide.replace("ag-svg", f"ag-svg ag-from-{room}", 1) + narrow

    def _beside(self, graph: Graph, measured: Measure) -> Layout:
        """Put as many boxes beside each other as a phone has room for.

        Where one column, with the edges that pass by, is far too wide, so are two.
        """
        put = partial(
            lay_out, graph, style=self.style, narrow=True, engine=self._engine
        )
        column = put(beside=1)
        if not column.engine or measured(column) > FAR * PHONE:
            return column
        for beside in (0, 3, 2):
            layout = put(beside=beside)
            if measured(layout) <= PHONE:
                return layout
        return column

    def _column(self, graph: Graph, measured: Measure) -> Layout:
        """Put boxes below each other, with lines broken as little as is needed."""
        put = partial(
            lay_out, graph, style=self.style, narrow=True, engine=self._engine
        )
        first, *between, last = (partial(put, stacked=True, room=k) for k in LINES)
        whole = first()
        if not PHONE < measured(whole) < 3 * PHONE:  # rows are at most so much shorter
            return whole
        tight = last()
        if measured(tight) > PHONE:
            return min(whole, tight, key=measured)
        tried = (layout() for layout in between)
        return next((k for k in tried if measured(k) <= PHONE), tight)

    def _svg(self, css: str) -> str:
        if len(self.drawn.nodes) > WARN_FROM:
            text = f"{len(self.drawn.nodes)} nodes take about as many KB in a page"
            warnings.warn(f"{text}; a smaller max_nodes draws less", stacklevel=4)
        rooms = () if css else (PHONE, COLUMN)
        return to_svg(self.drawn, self._layout, title=self.title, css=css, rooms=rooms)

    @cached_property
    def _layout(self) -> Layout:
        return self._view.layout or laid_out(self.drawn, self._look)

    @cached_property
    def text(self) -> str:
        """The drawing in words, as numbered lines."""
        said = [to_text(self.drawn, style=self.style, whole=self.graph)]
        for view in self._opened.walk():
            if view is not self._view:
                said.append(to_text(view.graph, style=self.style, title=view.title))
            if view.more:
                said.append(unopened(view.more))
        return "\n".join(said)

    @cached_property
    def json(self) -> str:
        """The graph that was read, unfolded, as JSON text (see ``Graph.to_json``)."""
        return self.graph.to_json()

    @cached_property
    def html(self) -> str:
        """The drawing as a figure for a page, with picture, text version and data."""
        with uncollected():
            return to_figure(
                self.drawn,
                self._with_narrow(self.drawn, self.svg, self.title),
                self._layout.boxes,
                style=self.style,
                title=self.title,
                whole=self.graph,
                detachable=self.detachable,
                insides=self._inside(self._opened),
                more=self._opened.more,
            )

    def _inside(self, view: View) -> tuple[Inside, ...]:
        found = []
        for inner in view.insides:
            layout = inner.layout or laid_out(inner.graph, self._look)
            turns = self.direction == "auto" and way_of(inner.graph, self._look) == "LR"
            if turns and layout.width > COLUMN:
                layout = laid_out(inner.graph, self._look._replace(direction="TB"))
            rooms = PHONE, COLUMN
            svg = to_svg(inner.graph, layout, title=inner.title, rooms=rooms)
            svg = self._with_narrow(inner.graph, svg, inner.title, inside=True)
            within = self._inside(inner), tuple(inner.more)
            found.append(Inside(inner.title, inner.graph, svg, *within))
        return tuple(found)

    def _repr_html_(self) -> str:
        return self.html

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> dict[str, str]:
        """Offer a figure; where no HTML is shown, the picture, and the words."""
        return {
            "text/html": self.html,
            "image/svg+xml": self._svg(stylesheet()),
            "text/markdown": f"```text\n{self.text}\n```",
            "text/plain": repr(self),
        }

    def save(
        self, path: str | Path = "Digraph.gv", directory: str | Path | None = None
    ) -> Path:
        """Write a file in the format that its ending names, and return its path.

        The endings are svg, html, dot (or gv, or none), mmd (Mermaid), json, txt,
        png, pdf and jpg.  The last three are drawn by Graphviz with this machine's
        fonts; the others are the same bytes everywhere.  Raises ValueError for another
        ending, and for a file that would take Graphviz minutes.
        """
        path = Path(directory or "", path)
        ending = path.suffix.lower().removeprefix(".") or "dot"
        _check("the file's ending", ending, FORMATS)
        content = self.pipe(ending)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    @overload
    def pipe(self, format: str | None = None) -> bytes: ...

    @overload
    def pipe(self, format: str | None = None, *, encoding: str) -> str: ...

    def pipe(
        self, format: str | None = None, *, encoding: str | None = None
    ) -> bytes | str:
        """Return the bytes of a file in a format, or its text in an encoding."""
        ending = format or self.format
        _check("format", ending, FORMATS)
        if ending in PIXELS:
            check_engine(self.drawn, ending, self.style)
            content = run_engine(self.source, ending)
            return content.decode(encoding) if encoding else content
        text = {
            "svg": lambda: self._svg(stylesheet()),
            "html": lambda: to_page(self.html, self.title or repr(self)),
            "mmd": lambda: self.mermaid,
            "json": lambda: self.json + "\n",
            "txt": lambda: self.text + "\n",
        }.get(ending, lambda: self.source)()
        return text if encoding else text.encode()

    def render(
        self,
        filename: str | Path = "Digraph.gv",
        directory: str | Path | None = None,
        view: bool = False,
        cleanup: bool = False,
        format: str | None = None,
        *,
        quiet: bool = False,
        outfile: str | Path | None = None,
    ) -> str:
        """Write DOT and a picture beside it, as graphviz's ``render`` does.

        Returns the picture's path: ``outfile``, or the file's name, a dot and the
        format (pdf unless ``format``, or the attribute of that name, says otherwise).
        Nothing is printed, ``quiet`` or not.
        """
        if outfile is not None:
            format = format or Path(outfile).suffix.removeprefix(".")
            filename = Path(outfile).with_suffix(".gv")
        source = Path(directory or "", filename)
        ending = (format or self.format).lower()
        picture = source.with_name(f"{source.name}.{ending}")
        picture = picture if outfile is None else Path(directory or "", outfile)
        content = self.pipe(ending)
        source.parent.mkdir(parents=True, exist_ok=True)
        if not cleanup:
            source.write_text(self.source, "utf-8")
        picture.write_bytes(content)
        if view:
            webbrowser.open(picture.resolve().as_uri())
        return str(picture)

    def view(
        self,
        filename: str | Path = "Digraph.gv",
        directory: str | Path | None = None,
        cleanup: bool = False,
    ) -> str:
        """Render, and open the picture with what this machine opens such files with."""
        return self.render(filename, directory, view=True, cleanup=cleanup)


def check_look(
    style: object, direction: object, fold: object, depth: object = "auto"
) -> None:
    """Raise ValueError, with the known values, for one that an option can't have."""
    if depth != "auto" and (type(depth) is not int or depth < 0):
        text = "give how many modules deep to draw, 0 for no boxes, or 'auto'"
        raise ValueError(f"depth={depth!r}: {text}")
    _check("style", style, STYLES)
    _check("direction", direction, DIRECTIONS)
    _check("fold", fold, FOLDS)


def _check(what: str, value: object, known: tuple[object, ...]) -> None:
    if value not in known:
        raise ValueError(f"{what} {value!r} is not one of {', '.join(map(str, known))}")


def make_dot(
    y: object = None,
    names: Mapping[str, object] | torch.nn.Module | None = None,
    attrs: bool = False,
    saved: bool | Literal["sizes"] = False,
    max_attr_chars: int | None = None,
    *,
    values: int | None = None,
    max_nodes: int | None = None,
    force: bool = False,
    style: Style = "lesson",
    direction: Direction = "auto",
    fold: Fold = "auto",
    title: str = "",
    path_to: Choice | None = None,
    highlight: Choice | None = None,
    depth: Depth = "auto",
    only: str = "",
    var: object = None,
    params: Mapping[str, object] | None = None,
    show_attrs: bool = False,
    show_saved: bool = False,
) -> Drawing:
    """Draw the autograd graph behind a tensor, or a list or dict of tensors.

    ``names`` is any mapping, such as ``locals()``, or a module: tensors in it that
    occur in the graph are called by their names, all else is ignored.

    Options on the look: ``style`` ("lesson" or "torch"), ``direction`` ("LR", "TB",
    or "auto": the first if that is at most 1,600 pixels wide), ``fold`` ("auto", True
    or False: repeated parts drawn once), ``title``.  On modules, which are boxes in a
    large graph, and wherever :func:`trace_modules` watched: ``depth`` (how many modules
    deep to open them, 0 for none, "auto" for as many as fit), ``only`` (a module's
    path: what is in its first call).  On what is
    read: ``values`` (how many numbers a tensor may have to be shown), ``attrs`` (every
    option of every node), ``saved`` (saved tensors as nodes, or "sizes": bytes),
    ``max_nodes``, ``force``, ``path_to`` and ``highlight`` (tensors or names: draw what
    is between them and y alone, let them stand out); see :func:`read_graph`.

    The rest is for calls written for torchviz: its ``var``, ``params``, ``show_attrs``
    and ``show_saved`` mean y, names, attrs and saved, also by their place; its
    ``max_attr_chars`` is not needed.

    Raises TypeError when there is no tensor; ValueError for a value that an option
    can't have.

    >>> x = torch.arange(4.0, requires_grad=True)
    >>> make_dot(torch.dot(x, x**2), locals())
    autograd graph: 3 nodes, 3 edges, 1 leaf (x)
    """
    graph = read_graph(
        var if y is None else y,
        params if names is None else names,
        values=values,
        attrs=attrs or show_attrs,
        saved=saved or show_saved,
        max_nodes=max_nodes,
        force=force,
        path_to=path_to,
        highlight=highlight,
        guess_from=0 if saved == "sizes" and depth else _guess_from(fold, depth, only),
    )
    return Drawing(
        graph,
        style=style,
        direction=direction,
        fold=fold,
        title=title,
        depth=depth,
        only=only,
    )


def _guess_from(fold: object, depth: object, only: str) -> int | None:
    """Return from how many nodes on boxes are wanted, though nobody traced modules."""
    if only or depth != "auto":
        return None if depth == 0 and not only else 0
    return FOLD_FROM if fold == "auto" else None


def make_dot_from_trace(trace: object) -> NoReturn:
    """Refuse, with what to write instead: torchviz's function of this name does too.

    Raises NotImplementedError.
    """
    raise NotImplementedError(
        "a trace is not drawn: call the module, and draw what comes out: "
        "make_dot(module(x), module)"
    )


def resize_graph(
    dot: Drawing, size_per_element: float = 0.15, min_size: float = 12
) -> None:
    """Do nothing: a drawing has the size of what is in it.

    torchviz's function of this name sets a size by hand; so would
    ``dot.attr(size="12,12")``.
    """
