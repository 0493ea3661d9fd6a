"""Plain data about a lesson and about one run of it."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from coursecheck.stated import Asked, Block, Formula, Statement

__all__ = ["SVG", "Failure", "Lesson", "Output", "Part", "Picture", "Run", "Shown"]

SVG = re.compile(r"<svg\b[^>]*>")


@dataclass(frozen=True)
class Lesson:
    """What a runner needs to know; nothing in it depends on where it runs.

    ``name`` is the file's path below the project's root, with ``/``.
    ``seconds`` is the time limit.  ``warns`` holds regular expressions: the
    warnings that the lesson shows on purpose, all others are errors; one that ends in
    `` since torch 2.14`` counts from that release on.  ``files`` are
    what lies beside it: data and modules, with their paths from there.

    What is no matter of truth is an error where ``strict``, else a note.  With
    ``laws``, an equation that nothing binds is a general law; with ``quotes``, an
    example in a literal block is shown and not run.

    ``faults`` are what is wrong with the file itself; one that makes no page has no
    ``blocks`` either.
    """

    name: str
    blocks: tuple[Block, ...]
    markup: Literal["rst", "md"] = "rst"
    seconds: float = 60.0
    warns: tuple[str, ...] = ()
    files: tuple[tuple[str, bytes], ...] = field(default=(), repr=False)
    strict: bool = True
    laws: bool = False
    quotes: bool = False
    faults: tuple[str, ...] = ()


@dataclass(frozen=True)
class Shown:
    """What a cell showed in words: ``kind`` says how a page is to read ``source``."""

    kind: Literal["text", "html", "markdown", "latex"]
    source: str


@dataclass(frozen=True)
class Picture:
    """A picture that a cell made: ``light`` and ``dark`` are whole files.

    ``small`` is a PNG for the lesson's card, where ``light`` is no card's picture;
    ``film`` is what moves, a GIF, where ``light`` is a still of it.
    """

    light: bytes
    dark: bytes | None
    suffix: Literal[".svg", ".png", ".jpg", ".gif", ".webp"]
    alt: str
    width: int | None = None
    small: bytes | None = None
    film: bytes | None = None


Part = Shown | Picture


@dataclass(frozen=True)
class Output:
    """What one cell showed, in the order in which it showed it."""

    parts: tuple[Part, ...] = ()


@dataclass(frozen=True)
class Failure:
    """Why a lesson did not end well: one message for its author."""

    message: str
    line: int | None = None
    cell: int | None = None


@dataclass(frozen=True)
class Run:
    """The outcome of a lesson: an output for each block (None for text).

    ``notes`` are what its author should know, and readers need not wait for.
    ``formulas`` are all that were read, whether they state something or not.
    """

    lesson: str
    outputs: tuple[Output | None, ...]
    statements: tuple[Statement, ...] = ()
    asked: tuple[Asked, ...] = ()
    notes: tuple[str, ...] = ()
    formulas: tuple[Formula, ...] = ()
    seconds: float = field(default=0.0, compare=False)
    failure: Failure | None = None

    @property
    def drawings(self) -> list[str]:
        """The opening tag of each graph that the lesson drew."""
        parts = [part for output in self.outputs if output for part in output.parts]
        shown = [p.source for p in parts if isinstance(p, Shown) and p.kind == "html"]
        return [tag for html in shown for tag in SVG.findall(html)]

    def to_json(self) -> str:
        """Write the run as JSON; pictures are base64.

        >>> run = Run("a lesson", (None, Output((Shown("text", "28"),))))
        >>> Run.from_json(run.to_json()) == run
        True
        """
        return json.dumps(asdict(self), default=_encode, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Run:
        """Read what :meth:`to_json` wrote."""
        data = json.loads(text, object_hook=_decode)
        return cls(
            lesson=data["lesson"],
            outputs=tuple(o and _output(o) for o in data["outputs"]),
            statements=tuple(
                Statement(**{**s, "witnesses": tuple(s["witnesses"])})
                for s in data["statements"]
            ),
            asked=tuple(
                Asked(**{**a, "numbers": tuple(a["numbers"])}) for a in data["asked"]
            ),
            notes=tuple(data["notes"]),
            formulas=tuple(Formula(**f) for f in data["formulas"]),
            seconds=data["seconds"],
            failure=data["failure"] and Failure(**data["failure"]),
        )


def _output(data: Mapping[str, Any]) -> Output:
    parts = data["parts"]
    return Output(tuple((Shown if "kind" in p else Picture)(**p) for p in parts))


def _encode(value: object) -> dict[str, str]:
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode("ascii")}
    raise TypeError(f"a run holds plain data only, not {value!r}")


def _decode(data: dict[str, Any]) -> Any:
    return base64.b64decode(data["base64"]) if set(data) == {"base64"} else data
