"""Read docs/instead.txt: programs for walks that the playground cannot open."""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["FILE", "Instead", "InsteadError", "read_instead"]

FILE = "docs/instead.txt"
_HEAD = re.compile(r"\[(\S+) ([1-9]\d*)\] (\S.*)")
_FORM = (
    "[PAGE WALK] and words, like [lessons/2_practice/50_convolution 1] a smaller one"
)


class Instead(NamedTuple):
    """What is opened in place of a walk: the link's words, the program, its place."""

    words: str
    program: str
    line: int = 0


class InsteadError(ValueError):
    """What is wrong with an entry, and where it stands."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(f"{FILE}:{line}\n  {why}")


def read_instead(text: str) -> dict[str, dict[int, Instead]]:
    r"""Return what is opened in place of walks, by page and by the walk's number.

    Raises:
        InsteadError: an entry has another form, or is the second of its walk.

    >>> read_instead("# comment\n[lessons/a 2] a smaller one\nx = tensor(1.)\n")
    {'lessons/a': {2: Instead(words='a smaller one', program='x = tensor(1.)', line=2)}}
    """
    found: dict[str, dict[int, Instead]] = {}
    line = 1
    for part in re.split(r"(?m)^(?=\[)", re.sub(r"(?m)^#.*", "", text)):
        head, _, program = part.lstrip().partition("\n")
        named = _HEAD.fullmatch(head)
        if head and not (named and program.strip()):
            line += part[: part.index(head)].count("\n")
            raise InsteadError(line, f"{head!r} must be {_FORM}, and a program below")
        if named:
            walks, number = found.setdefault(named[1], {}), int(named[2])
            if number in walks:
                raise InsteadError(line, f"{head!r} is the second of this walk")
            walks[number] = Instead(named[3], program.strip(), line)
        line += part.count("\n")
    return found
