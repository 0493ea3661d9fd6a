"""Execute the blocks of one lesson in this process, and note what each shows.

The process is taken over and never given back (its streams, warnings, seeds,
``__main__``): :mod:`courserun.forkserver` calls this in a process of its own.
"""

from __future__ import annotations

import ast
import builtins
import codeop
import ctypes
import io
import json
import linecache
import os
import random
import re
import resource
import sys
import tempfile
import time
import traceback
import types
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn, cast

import numpy
import torch

from coursecheck.asks import evaluate
from coursecheck.faults import StatementError, gathered, raise_all
from coursecheck.maths import find_put_out
from coursecheck.mutate import Mutants
from coursecheck.questions import Question, find_questions, unanswered
from coursecheck.stated import Asked, Block, Statement
from coursecheck.statements import Checker
from courserun.awaited import when_imported
from courserun.display import Display, replace_ipython
from courserun.figures import prepare_pyplot
from courserun.lesson import Failure, Lesson, Output, Part, Picture, Run, Shown

__all__ = ["run_cells"]

LONGEST_OUTPUT = 1_000_000  # bytes a cell: what a page can bear
LONGEST_STORY = 4_000  # characters of an error's own words
NO_COMPILER = """
  torch.compile calls a C++ compiler: install g++, or take a backend that needs none,
  torch.compile(..., backend="aot_eager")"""
LARGEST_FILE = 64_000_000  # bytes: stops endless writing that Python does not see
_UTILS = str(Path(__file__).parents[1]) + os.sep
_OWN = tuple(f"{_UTILS}{name}{os.sep}" for name in ("courserun", "coursecheck"))
_ADDRESS = re.compile(r"(?P<thing><[^\n]{,80}?) at 0x[0-9a-fA-F]+(?P<end>>?)")
_UNREAD = re.compile(r"^ +\^ \S", re.MULTILINE)  # the caret below a formula
_MATHML = re.compile(r"<math\b(?:(?!</math>).)*(?:[=≈≡]|&#(?:61|x3[dD]);)", re.DOTALL)
_TRIGGER = re.compile(r" \(Triggered internally at [^)]*\)")
_TO_AUTHORS = DeprecationWarning, PendingDeprecationWarning, ImportWarning


def run_cells(
    lesson: Lesson,
    *,
    only_statements: bool = False,
    memory: int | None = None,
    seeds: Sequence[int] = (0,),
    mutate: int = 0,
    mark: Callable[[str], object] = lambda place: None,
) -> Run:
    """Execute a lesson's blocks in order, up to the first cell that fails.

    What a text states and what is false is gathered, and told in one message.

    ``memory`` is how many bytes it may take beyond what the process holds now
    (Linux).  ``mark`` is told each block's place before it begins, so that
    somebody knows if this process dies.  With ``only_statements`` nothing is
    shown or drawn.  Each of the ``seeds`` gives points at which formulas are tried;
    with ``mutate`` the statements are one in so many
    :class:`~coursecheck.mutate.Mutants`.  Never raises for a fault of the lesson's.
    """
    start = time.perf_counter()
    outputs: list[Output | None] = []
    statements: list[Statement] = []
    asked: list[Asked] = []
    checker = Checker(
        lesson.name, lesson.markup, seeds, laws=lesson.laws, quotes=lesson.quotes
    )
    looker = Mutants(checker, mutate) if mutate else checker
    session = _Session(lesson, looker, only_statements)
    failure = None
    faults: list[StatementError] = []
    try:
        with _limits(memory):
            for block in lesson.blocks:
                mark(session.enter(block))
                if block.kind == "text":
                    with gathered(faults):
                        statements += session.read(block)
                    outputs.append(None)
                else:
                    outputs.append(session.execute(block))
                    with gathered(faults):
                        statements += session.confirm()
                    with gathered(faults):
                        session.look_at(outputs[-1], checker)
                    with gathered(faults):
                        asked += session.answer()
            with gathered(faults):
                statements += session.confirm()
            with gathered(faults):
                session.close()
            raise_all(faults)
            statements += session.end()
    except StatementError as error:
        failure = session.failure(error)
    except BaseException as error:
        failure = session.failure(error)
        told = [*map(str, faults), failure.message]
        failure = replace(failure, message="\n\n".join(told))
    if failure and not lesson.laws:
        failure = replace(
            failure, message=failure.message + _laws_hint(failure, lesson)
        )
    statements.sort(key=lambda statement: statement.line)
    seconds = time.perf_counter() - start
    return Run(
        lesson.name,
        tuple(outputs),
        tuple(statements),
        tuple(asked),
        (*session.notes, *checker.notes),
        tuple(checker.formulas),
        seconds=seconds,
        failure=failure,
    )


class _LessonError(Exception):
    """The lesson does what no lesson may; the message goes on after "cell 2"."""


class _Session:
    """A lesson under way: its namespace, its place, its screen, its warnings."""

    def __init__(
        self, lesson: Lesson, checker: Checker | Mutants, only_statements: bool
    ) -> None:
        self._name, self._markup = lesson.name, lesson.markup
        self._strict = lesson.strict
        self.notes: list[str] = []
        self._cell, self._line, self._place = 0, 1, "the lesson"
        self._home = os.getcwd()
        self._namespace = _take_over(lesson)
        self._compile = codeop.Compile()  # remembers `from __future__ import`
        self._screen = _Screen()
        self._display = Display(
            self._screen.taken, self._excuse, self._namespace, on=not only_statements
        )
        _let_show(lesson, self._display)
        self._warnings = _Warnings(lesson.warns, self._warn)
        self._checker = checker
        self._questions: list[Question] = []

    def enter(self, block: Block) -> str:
        """Go to a block; return its place in words."""
        self._cell += block.kind == "code"
        self._line = block.line
        self._place = f"cell {self._cell}" if block.kind == "code" else "the text"
        return f"{block.line}: {self._place}"

    def read(self, block: Block) -> Iterable[Statement]:
        """Run a text's doctests; look at its formulas, as the variables are now."""
        faults: list[StatementError] = []
        done: Iterable[Statement] = ()
        self._questions += find_questions(block, self._name, faults, self._markup)
        with gathered(faults):
            done = self._checker.read(block, self._namespace)
        raise_all(faults)
        return done

    def confirm(self) -> Iterable[Statement]:
        """Look again at the formulas that stood before this cell."""
        return self._checker.confirm(self._namespace)

    def look_at(self, output: Output | None, checker: Checker) -> None:
        """Compare the formulas that the cell has put out, as the variables are now."""
        faults: list[StatementError] = []
        shown = [p for p in (output.parts if output else ()) if isinstance(p, Shown)]
        for part in (p for p in shown if p.kind in ("markdown", "latex")):
            for formula in find_put_out(part.source, part.kind):
                with gathered(faults):
                    checker.look_at_output(formula, self._line, self._namespace)
        for part in (p for p in shown if p.kind == "html"):
            if found := _MATHML.search(part.source):
                why = "puts out MathML, which nobody checks: state it in the text"
                told = f"{self._name}:{self._line}\n  {found[0][:80]}\n  {why}"
                faults.append(StatementError(told, self._line))
        raise_all(faults)

    def answer(self) -> list[Asked]:
        """Evaluate what was asked before this cell."""
        questions, self._questions = self._questions, []
        asked: list[Asked] = []
        faults: list[StatementError] = []
        for question in questions:
            with gathered(faults):
                asked += evaluate(question, self._namespace, self._name)
        raise_all(faults)
        return asked

    def execute(self, block: Block) -> Output:
        """Execute a cell; return what it shows."""
        self._screen.clear()
        self._display.begin()
        if "skip-execution" in block.tags:
            print("(not executed)")
        elif "raises-exception" in block.tags:
            self._expect(block)
        else:
            self._run(block)
        return Output(tuple(map(self._addressless, self._display.end())))

    def _expect(self, block: Block) -> None:
        """Run a cell that raises, and show what as its output."""
        try:
            self._run(block)
        except (_LessonError, Warning):
            raise
        except Exception as error:
            print("".join(traceback.format_exception_only(error)).strip())
        else:
            self._excuse("is tagged raises-exception, but raises nothing", "let pass")

    def _compiled(self, tree: Any, how: str) -> types.CodeType:
        return self._compile(tree, self._name, how)

    def _run(self, block: Block) -> None:
        tree = ast.parse("\n" * (block.line - 1) + block.source, self._name)
        last = tree.body.pop() if _ends_in_value(tree) else None
        exec(self._compiled(tree, "exec"), self._namespace)
        if isinstance(last, ast.Expr):
            self._line = last.lineno
            code = self._compiled(ast.Expression(last.value), "eval")
            self._display.value(eval(code, self._namespace))

    def _excuse(self, fault: str, done: str, *, grave: bool = True) -> None:
        """Refuse what is no matter of truth; where the lesson is easy, only note it.

        Raises:
            _LessonError: the lesson is strict, and the fault is ``grave``.
        """
        if self._strict and grave:
            raise _LessonError(fault)
        frames = traceback.walk_stack(None)
        lines = [n for frame, n in frames if frame.f_code.co_filename == self._name]
        line = lines[0] if lines else self._line
        note = f"{self._name}:{line}: {self._place} {fault}\n  ({done})"
        self.notes += [] if note in self.notes else [note]

    def _warn(self, warning: Warning) -> None:
        """Take a warning that nobody declared: where the lesson may, it is shown."""
        if self._strict:
            raise warning
        self._excuse(_words(warning), "shown all the same")

    def _addressless(self, part: Part) -> Part:
        if isinstance(part, Picture):
            return part
        if part.kind == "text" and len(part.source) > LONGEST_OUTPUT:
            raise _too_long()
        if address := _ADDRESS.search(part.source):
            fault = f"shows {address['thing']} at 0x…, which differs from run to run: "
            fault += "assign the value (`_ = ...`), or give its class a __repr__"
            self._excuse(fault, "shown without its address")
        return replace(part, source=_ADDRESS.sub(r"\g<thing>\g<end>", part.source))

    def close(self) -> None:
        """Refuse the questions after which no cell runs."""
        raise_all([unanswered(question, self._name) for question in self._questions])

    def end(self) -> Iterable[Statement]:
        """Look whether what the lesson declares came true, and was used."""
        self._line, self._place = 1, "the lesson"
        if self._warnings.missing:
            raise _LessonError(
                f"declares the warnings {sorted(self._warnings.missing)}, which never "
                "came: take them out of its `warns`, or show them"
            )
        return self._checker.finish()

    def failure(self, error: BaseException) -> Failure:
        """Say what went wrong, and where in the lesson and in ``utils``."""
        if isinstance(error, StatementError):
            return Failure(str(error), error.line)
        if self._screen.is_full():
            error = _too_long().with_traceback(error.__traceback__)
        beside = self._home + os.sep
        frames = [
            frame
            for frame in traceback.extract_tb(error.__traceback__)
            if frame.filename == self._name
            or (
                frame.filename.startswith((_UTILS, beside))
                and not frame.filename.startswith(_OWN)
            )
        ]
        lines = [f.lineno for f in frames if f.filename == self._name]
        line = lines[-1] if lines else getattr(error, "lineno", None) or self._line
        folder = self._name.rpartition("/")[0] + "/"
        words = _words(error).replace(beside, folder)
        story = [f"{self._name}:{line}: {self._place} {words}"]
        for frame in frames:
            name = frame.filename.removeprefix(_UTILS).replace(beside, folder)
            story.append(f"  {name}:{frame.lineno} in {frame.name}: {frame.line}")
        story += [f"  ({remedy})"] if (remedy := _remedy(error)) else []
        cell = self._cell if self._place.startswith("cell") else None
        return Failure("\n".join(story), line, cell)


class _Screen(io.FileIO):
    """Standard output and error as one file, of which a cell may fill so much."""

    def __init__(self) -> None:
        with tempfile.TemporaryFile() as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        super().__init__(1, "w", closefd=False)
        self._text = io.TextIOWrapper(
            cast(Any, self), "utf-8", "backslashreplace", "\n", line_buffering=True
        )
        sys.stdout = sys.stderr = self._text
        self._libc = ctypes.CDLL(None)
        self.clear()

    def clear(self) -> None:
        """Begin a cell."""
        self._start = self._seen = os.fstat(1).st_size
        self._written = 0

    def write(self, data: Any) -> int:
        """Write, up to the limit."""
        self._written += len(data)
        if self._written > LONGEST_OUTPUT:
            raise _too_long()
        return super().write(data) or 0

    def is_full(self) -> bool:
        """Tell whether the cell wrote more than it may, below Python as well."""
        size = os.fstat(1).st_size - self._start
        return max(size, self._written) > LONGEST_OUTPUT

    def taken(self) -> str:
        """Return what the cell wrote since somebody looked."""
        self._text.flush()
        self._libc.fflush(None)
        if self.is_full():
            raise _too_long()
        data = os.pread(1, LONGEST_OUTPUT, self._seen)
        self._seen += len(data)
        return data.decode(errors="replace")


class _Warnings:
    """Warnings are errors; those that the lesson declares are shown instead."""

    def __init__(
        self, patterns: tuple[str, ...], undeclared: Callable[[Warning], None]
    ) -> None:
        self._declared, self._undeclared = _of_this_release(patterns), undeclared
        self.missing = set(self._declared)
        warnings.resetwarnings()
        warnings.simplefilter("always")
        for kind in (*_TO_AUTHORS, ResourceWarning):  # a reader sees none of these
            warnings.simplefilter("ignore", kind)
        warnings.filterwarnings("always", "", DeprecationWarning, "__main__")
        warnings.showwarning = self._show

    def _show(self, message: Any, category: type[Warning], *_: Any, **__: Any) -> None:
        text = _TRIGGER.sub("", f"{category.__name__}: {message}")
        hits = {pattern for pattern in self._declared if re.search(pattern, text)}
        if not hits:
            self._undeclared(message)
        self.missing -= hits
        print(text, file=sys.stderr)


def _of_this_release(patterns: tuple[str, ...]) -> tuple[str, ...]:
    """Leave out the patterns of later releases: ``old since torch 2.14``."""
    parts = [pattern.partition(" since torch ") for pattern in patterns]
    return tuple(words for words, _, release in parts if _torch_is(release or "0"))


def _torch_is(release: str) -> bool:
    """Say whether the installed torch is of a release, or of a later one."""
    here, asked = (
        [int(number) for number in version.split(".")[:2]]
        for version in (torch.__version__, release)
    )
    return here >= asked


def _take_over(lesson: Lesson) -> dict[str, Any]:
    """Make this process the lesson's, the same at every start."""
    sys.modules["__main__"] = types.ModuleType("__main__")
    sys.argv = [lesson.name]
    _lay_out(lesson)
    builtins.input = _no_input
    code = [block for block in lesson.blocks if block.kind == "code"]
    lines: list[str] = []
    for block in code:  # tracebacks and inspect read the source from here
        lines += ["\n"] * (block.line - 1 - len(lines))
        lines += block.source.splitlines(keepends=True)
    linecache.cache[lesson.name] = (0, None, lines, lesson.name)
    torch.manual_seed(0)
    random.seed(0)
    numpy.random.seed(0)
    torch.set_default_dtype(torch.float32)
    torch.set_num_threads(1)
    torch.set_printoptions(profile="default")
    # Not use_deterministic_algorithms: it takes a second to import a compiler.
    torch.set_deterministic_debug_mode("error")
    return sys.modules["__main__"].__dict__


def _lay_out(lesson: Lesson) -> None:
    """Put what lies beside the lesson where it lies when a reader runs it."""
    for name, data in lesson.files:
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    sys.path.insert(0, os.getcwd())
    sys.dont_write_bytecode = True
    if lesson.markup == "rst":  # a notebook has none
        vars(sys.modules["__main__"])["__file__"] = Path(lesson.name).name


def _ends_in_value(tree: ast.Module) -> bool:
    return bool(tree.body) and isinstance(tree.body[-1], ast.Expr)


def _let_show(lesson: Lesson, display: Display) -> None:
    """Lead what draws and displays to the lesson's cells."""
    when_imported(
        {
            "matplotlib.pyplot": lambda pyplot: prepare_pyplot(pyplot, display.figures),
            "IPython.core.display_functions": lambda m: replace_ipython(m, display),
        }
    )
    if lesson.markup == "md":  # as in a notebook; a script's reader has none
        builtins.display = display.bare  # type: ignore[attr-defined]


def _words(error: BaseException) -> str:
    text = "".join(traceback.format_exception_only(error)).strip()
    if isinstance(error, _LessonError):
        return str(error)
    if isinstance(error, SystemExit):
        return (
            f"called exit({error.code!r}): a lesson ends after its last cell, so delete"
            " the call"
        )
    if isinstance(error, Warning):
        said = str(error).partition("\n")[0][:40]
        pattern = json.dumps(re.sub(r"[][.^$*+?{}\\|()]", r"\\\g<0>", said))
        return (
            f"warns\n  {_TRIGGER.sub('', text)}\n  (a warning that the page shows on "
            "purpose is declared by a pattern in the lesson's `warns`: "
            f"# sphinx_gallery_warns = [{pattern}] in a script)"
        )
    if isinstance(error, MemoryError) or "can't allocate memory" in text:
        return f"took more memory than there is for a lesson\n  {text}"
    if isinstance(error, NameError) and error.name == "display":
        text += ": from IPython.display import display"
    if "InvalidCxxCompiler" in text:
        text += NO_COMPILER
    if len(text) > LONGEST_STORY:  # a compiler's, say
        text = f"{text[: LONGEST_STORY // 2]}\n[...]\n{text[-LONGEST_STORY // 2 :]}"
    if isinstance(error, SyntaxError):
        lines = text.splitlines()  # what it is comes last, after the place
        own = not os.path.isabs(error.filename or "")  # which the message begins with
        text = "\n".join([lines[-1], *lines[own:-1]])
    text = re.sub(r"\n(?! )", "\n  ", text)
    return f"raised {text}"


def _remedy(error: BaseException) -> str:
    """Return what an author can do about an error, where its words do not say so."""
    if isinstance(error, _LessonError | SystemExit | Warning | MemoryError):
        return ""
    if isinstance(error, ModuleNotFoundError) and error.name:
        return (
            f"{error.name.partition('.')[0]} is not installed here: name its package in"
            " the dependencies of pyproject.toml and say `make lock`, or, if the module"
            " is your own, put it beside the lesson"
        )
    if isinstance(error, SyntaxError) and (error.text or "").lstrip()[:1] in "%!?":
        how = (
            "figures show without it"
            if "matplotlib" in (error.text or "")
            else "write Python"
        )
        return f"that is a command of Jupyter's, no Python: delete it, {how}"
    if isinstance(error, SyntaxError):
        return "Python cannot read it: is a bracket open, a colon or quote missing?"
    return "an error that is shown on purpose is caught in its cell, and printed"


def _laws_hint(failure: Failure, lesson: Lesson) -> str:
    """Name the setting that spares a mark for each of several general laws."""
    if (count := len(_UNREAD.findall(failure.message))) < 2:
        return ""
    return (
        f"\n\n{lesson.name}:1\n  {count} formulas could not be compared: where they are"
        ' general laws, say so once, by # sphinx_gallery_formulas = "laws" in a'
        " script, lesson: {formulas: laws} in a page's front matter or a notebook's"
        " metadata"
    )


def _too_long() -> _LessonError:
    return _LessonError(f"shows more than {LONGEST_OUTPUT:,} bytes: show less")


def _no_input(prompt: object = "") -> NoReturn:
    raise _LessonError(f"asks for input({prompt!r}), and nobody is there to answer")


@contextmanager
def _limits(memory: int | None) -> Iterator[None]:
    """Limit files and memory; no more so when the failure is written down."""
    limits = {resource.RLIMIT_FSIZE: LARGEST_FILE}
    if memory is not None and sys.platform == "linux":
        status = Path("/proc/self/status").read_text(encoding="utf-8")
        held = int(status.partition("VmData:")[2].split()[0]) * 1024
        limits[resource.RLIMIT_DATA] = held + memory
    hard = {kind: resource.getrlimit(kind)[1] for kind in limits}
    for kind, limit in limits.items():
        resource.setrlimit(kind, (limit, hard[kind]))
    try:
        yield
    finally:
        for kind in limits:
            resource.setrlimit(kind, (hard[kind], hard[kind]))
