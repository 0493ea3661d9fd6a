"""Write notebooks in which a student answers, and the same with their answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from textwrap import indent
from typing import Any

from coursebuild.downloads.notebooks import notebook
from coursebuild.downloads.portable import Place
from coursebuild.teaching.questions import Code, Part, Question, Text
from courserun.kept import Kept

__all__ = ["ASKING", "SOLVED", "asking", "introduced", "joined", "solved", "written"]

Cell = tuple[str, str, int]  # as ``notebook`` takes it: kind, source, line
BEFORE = "# What the lesson computes before its next question\n"
FOLDED = {"jupyter": {"source_hidden": True, "outputs_hidden": True}, "collapsed": True}
IMPORT = "from torchutils import check_answer"
INSTALL = """\
It needs PyTorch, matplotlib and torchutils, whose wheel lies two folders
above: ``pip install torch matplotlib ../../gradients_torchutils-*.whl``.
"""
ASKING = f"""\
*Without answers.* Below each question that numbers answer stands a cell. Write yours in
place of the dots and run it: it says whether they are right, or which of them are not.
Below an exercise it compares what a full answer ends with, and leaves the rest to you.
Run the cells in their order and stop at each question, since cells further down compute
what it asks. {INSTALL}"""
SOLVED = f"""\
*With answers, for teachers.* Below each question stands its answer, and the cell that
checks it is filled with code that computes it. {INSTALL}"""
IN_WORDS = "\n\n   *No cell checks this one: answer in words, or with your own code.*"


def asking(parts: Iterable[Part]) -> Iterator[Cell]:
    """Yield the cells of a notebook that asks, and holds no answer.

    Text that would tell one is folded, as the site covers it.
    """

    def ask(question: Question) -> Iterator[Cell]:
        yield _text(question.text + ("" if question.key else IN_WORDS))
        if question.key:
            yield _check(f"my_answer = ...  # {_wanted(question)}", question)

    yield from _cells(parts, ask)


def solved(parts: Iterable[Part]) -> Iterator[Cell]:
    """Yield the cells of the same notebook, with each answer and the code behind it."""

    def answer(question: Question) -> Iterator[Cell]:
        yield _text(question.whole)
        if question.key and question.kind == "exercise":
            yield _check(question.code, question)

    yield from _cells(_computed(parts), answer)


def _computed(parts: Iterable[Part]) -> Iterator[Part]:
    """Let each prediction's check follow the cell that computes what it asks."""
    waiting: list[Question] = []
    for part in parts:
        yield part
        if isinstance(part, Code):
            yield from (Code(_checking(q.code, q)) for q in waiting)
            waiting = []
        elif isinstance(part, Question) and part.kind == "predict" and part.key:
            waiting.append(part)


def _cells(
    parts: Iterable[Part], ask: Callable[[Question], Iterator[Cell]]
) -> Iterator[Cell]:
    for part in parts:
        match part:
            case Code(source, folded):
                yield "code", (BEFORE + source if folded else source), 0
            case Text(source, covered):
                yield _text(_later(source) if covered else source)
            case Question():
                yield from ask(part)


def _text(source: str) -> Cell:
    return "text", source, 0


def _later(source: str) -> str:
    return f".. later::\n\n{indent(source, '   ')}"


def _check(answer: str, question: Question) -> Cell:
    return "code", _checking(answer, question), 0


def _checking(answer: str, question: Question) -> str:
    return f'{answer}\ncheck_answer(my_answer, "{question.key}")'


def _wanted(question: Question) -> str:
    count = len(question.numbers)
    wanted = f"{count} numbers" if count > 1 else "a number"
    return wanted + (", your last result" if question.kind == "exercise" else "")


def introduced(cells: Iterable[Cell], note: str) -> Iterator[Cell]:
    """Put below the first cell, the title, how to use the notebook."""
    first, *others = cells
    yield from (first, _text(note), ("code", IMPORT, 0), *others)


def written(cells: Iterable[Cell], place: Place, kept: Kept | None) -> dict[str, Any]:
    """Return the notebook (nbformat 4); what only prepares a question is folded."""
    book = notebook(list(cells), place, kept)
    for cell in book["cells"]:
        if cell["source"].startswith(BEFORE):
            cell["metadata"] = FOLDED
    return book


def joined(books: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return one notebook with the cells of several, named by their new places."""
    first, *others = books
    cells = [cell for book in (first, *others) for cell in book["cells"]]
    cells = [cell | {"id": f"cell-{number}"} for number, cell in enumerate(cells)]
    return first | {"cells": cells}
