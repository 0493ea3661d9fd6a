"""Work that makes many objects at once, without searching them for garbage."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["uncollected"]


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
