"""What is wrong with what a text states, gathered until its author is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["StatementError", "gathered", "raise_all"]


class StatementError(Exception):
    """A stated thing is false, or cannot be checked; ``line`` is the file's."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


@contextmanager
def gathered(faults: list[StatementError]) -> Iterator[None]:
    """Keep a fault for later, so that all of a lesson are told in one run."""
    try:
        yield
    except StatementError as error:
        faults.append(error)


def raise_all(faults: list[StatementError]) -> None:
    """Raise all faults as one, which begins with the first of the file."""
    if faults:
        faults.sort(key=lambda fault: fault.line)
        raise StatementError("\n\n".join(map(str, faults)), faults[0].line)
