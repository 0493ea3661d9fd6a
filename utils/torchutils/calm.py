"""What spares work: results kept with a graph, and no search for garbage meanwhile."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from torchutils.graph import Graph

__all__ = ["once", "uncollected"]

P = ParamSpec("P")
T = TypeVar("T")


@contextmanager
def uncollected() -> Iterator[None]:
    """Let no cyclic garbage be searched for meanwhile.

    A drawing makes tens of thousands of tuples and keeps them.  Python takes their
    number for a sign of garbage, and looks through all objects of the process: of
    PyTorch there are so many that this took as long as the drawing.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def once(
    make: Callable[Concatenate[Graph, P], T],
) -> Callable[Concatenate[Graph, P], T]:
    """Let a function of a graph, and of hashable options, run once for each graph.

    What it returns is shared: nobody may change it.
    """

    @wraps(make)
    def known(graph: Graph, /, *args: P.args, **options: P.kwargs) -> T:
        key = make, args, *options.items()
        if key not in graph.memo:
            graph.memo[key] = make(graph, *args, **options)
        found: T = graph.memo[key]
        return found

    return known
