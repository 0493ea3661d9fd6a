"""Load torch where a page needs it; most edits need none of it."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["load_torch", "undisturbed"]


def load_torch() -> None:
    """Import torch, if nobody has."""
    if "torch" not in sys.modules:
        with undisturbed():
            import torch  # noqa: F401


@contextmanager
def undisturbed() -> Iterator[None]:
    """Hold a Ctrl-C back: in the middle of torch's import it would abort Python."""
    came: list[tuple[Any, ...]] = []
    here = threading.current_thread() is threading.main_thread()
    former = here and signal.signal(signal.SIGINT, lambda *what: came.append(what))
    try:
        yield
    finally:
        if here:
            signal.signal(signal.SIGINT, former)
    if came and callable(former):
        former(*came[0])
