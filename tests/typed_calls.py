"""A reader's script: every public name and option; test_types.py has it checked."""

from pathlib import Path
from typing import NoReturn, assert_type

import torch
from torch.autograd.graph import get_gradient_edge

from torchutils import (
    Cuts,
    Drawing,
    MovingPlot,
    Verdict,
    answer_key,
    check_answer,
    diff,
    make_dot,
    make_dot_from_trace,
    read_graph,
    record_backward,
    resize_graph,
    trace_cuts,
    trace_lines,
    trace_modules,
)

x = torch.tensor([1.0, 2.0], requires_grad=True)
model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Tanh())
with trace_modules(model), trace_lines(), trace_cuts() as cuts:
    assert_type(cuts, Cuts)
    y: torch.Tensor = model(x).sum()
assert_type(cuts.of(x), tuple[str, ...])

drawing = make_dot(
    y,
    model,
    True,
    "sizes",
    100,
    values=4,
    max_nodes=50,
    force=False,
    style="torch",
    direction="TB",
    fold=False,
    title="A layer",
    path_to=["0.weight", get_gradient_edge(x)],
    highlight=x,
    depth="auto",
    only="",
)
assert_type(drawing, Drawing)
make_dot(var=[y, {"x": x}], params={"x": x}, show_attrs=True, show_saved=True)
make_dot(y, locals(), attrs=True, saved=True, max_attr_chars=None, depth=2, fold="auto")
resize_graph(drawing, size_per_element=0.2, min_size=8)

record = record_backward(
    [y, y * 2],
    {"x": x},
    gradient=[None, torch.tensor(1.0)],
    retain_graph=True,
    create_graph=False,
    inputs=[x],
    values=4,
    check=cuts,
    attrs=True,
    saved=True,
    max_nodes=50,
    force=False,
    style="lesson",
    direction="auto",
    fold=True,
    title="Back",
    detachable=False,
)
record_backward(y, gradient=torch.tensor(1.0), check=True, saved="sizes", inputs=x)
graph = read_graph(
    y,
    model,
    values=0,
    attrs=False,
    saved="sizes",
    max_nodes=None,
    force=True,
    path_to="0.bias",
    highlight=["0.bias"],
    guess_from=None,
)
assert_type(diff(drawing, graph), str)
same = Drawing(
    graph, style="lesson", direction="LR", fold="auto", title="", depth=0, only=""
)
assert_type(Cuts().of(x), tuple[str, ...])
assert_type([node.names for node in graph.leaves], list[tuple[str, ...]])
assert_type(graph.nodes[0].shape, tuple[int | str, ...] | None)
by_size = sorted(graph.nodes, key=lambda node: len(node.outputs))
arrows = {(edge.src, edge.dst): edge.arg for edge in record.graph.edges}
assert_type(arrows, dict[tuple[int, int], int])

drawing.attr("node", shape="oval")
assert_type(same.pipe("svg"), bytes)
assert_type(drawing.pipe("svg", encoding="utf-8"), str)
assert_type((drawing.svg + drawing.html + drawing.text + drawing.json), str)
assert_type((drawing.source, drawing.mermaid), tuple[str, str])

h = torch.tensor([1.0, 0.5, 0.25])
plot = MovingPlot(
    {"h": h},
    "A secant",
    xlim=(0, 2),
    ylim=(0, 4),
    xlabel="x",
    ylabel="y",
    equal=False,
    start={"h": 0.5},
)
plot.point(1 + h, (1 + h) ** 2, "1 + h")
plot.points([0.0, 1], [0, 1.0])
plot.line([0, 2], h[:2])
plot.arrow(0, 1.0, dx=h, dy=2)
plot.say("Its slope is {slope}, {word}.", slope=2 + h, word=["far", "near", "here"])

assert_type(check_answer(answer=x, key=answer_key(numbers=[1, 2.0])), Verdict)
assert_type(Verdict(right=True, text="Right.").right, bool)


def files(folder: Path) -> None:
    assert_type(drawing.save(folder / "a.svg", directory=folder), Path)
    assert_type(
        drawing.render(
            "a.gv",
            folder,
            view=False,
            cleanup=True,
            format="svg",
            quiet=True,
            outfile=None,
        ),
        str,
    )
    drawing.view("a.gv", directory=str(folder), cleanup=True)


def refused() -> None:
    """Each of these is an error: where there is none, its ignore is unused."""
    make_dot(y, style="bold")  # type: ignore[arg-type]
    make_dot(y, direction="RL")  # type: ignore[arg-type]
    make_dot(y, saved="all")  # type: ignore[arg-type]
    make_dot(y, depth="all")  # type: ignore[arg-type]
    make_dot(y, highlight=3)  # type: ignore[arg-type]
    make_dot(y, colour="red")  # type: ignore[call-arg]
    record_backward(y, values=None)  # type: ignore[arg-type]
    record_backward(y, gradient=1.0)  # type: ignore[arg-type]
    trace_modules(y)  # type: ignore[arg-type]
    diff(y, y)  # type: ignore[arg-type]
    plot.point("one", 1)  # type: ignore[arg-type]


def never() -> NoReturn:
    make_dot_from_trace(y)
