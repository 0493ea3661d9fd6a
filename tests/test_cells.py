"""What a cell shows, prints, draws and may not do."""

from __future__ import annotations

import shutil
import sys
import textwrap

import pytest

from coursecheck.stated import Block
from courserun.lesson import Lesson, Output, Picture, Run, Shown
from courserun.runner import run_lesson

NAME = "gallery/1_toy/10_toy.py"


def run(*blocks: str, only_statements: bool = False, **options: object) -> Run:
    """Run a lesson of cells and texts; a text begins with ``text:``."""
    made, line = [], 1
    for source in map(textwrap.dedent, blocks):
        kind = "text" if source.startswith("text:") else "code"
        made.append(Block(kind, source.removeprefix("text:"), line))
        line += source.count("\n") + 2
    lesson = Lesson(NAME, tuple(made), **options)  # type: ignore[arg-type]
    return run_lesson(lesson, only_statements=only_statements)


def text(*parts: str) -> Output:
    """Return the output of a cell that showed texts."""
    return Output(tuple(Shown("text", part) for part in parts))


def pictures(output: Output | None) -> list[Picture]:
    """Return the pictures of an output."""
    assert output is not None
    return [part for part in output.parts if isinstance(part, Picture)]


def message(*blocks: str, **options: object) -> str:
    """Run a lesson that fails; return what it says."""
    failure = run(*blocks, **options).failure
    assert failure is not None
    return failure.message


SHOWN = {
    "value": ("1 + 1", text("2")),
    "text": ("'a'", text("'a'")),
    "nothing": ("None", Output()),
    "statement": ("x = 1", Output()),
    "empty": ("# a comment", Output()),
    "tensor": ("import torch\ntorch.ones(2)", text("tensor([1., 1.])")),
    "print": ("print('é', 1)\n2", text("é 1\n", "2")),
    "both_streams": (
        "import sys\nprint(1)\nprint(2, file=sys.stderr)\nprint(3)",
        text("1\n2\n3\n"),
    ),
    "below_python": (
        "import os\nprint(1)\n_ = os.write(1, b'2\\n')\nprint(3)\n"
        "_ = os.system('echo 4')",
        text("1\n2\n3\n4\n"),
    ),
    "no_new_line": ("print(1, end='')", text("1")),
    "html": (
        "class A:\n    def _repr_html_(self):\n        return '<b>a</b>'\nA()",
        Output((Shown("html", "<b>a</b>"),)),
    ),
    "html_of_none": (
        "class A:\n    def _repr_html_(self): pass\n"
        "    def __repr__(self): return 'a'\nA()",
        text("a"),
    ),
    "class_with_html": (
        "class A:\n    def _repr_html_(self):\n        return 1 / 0\nA",
        text("<class '__main__.A'>"),
    ),
    "main": ("__name__, __file__", text("('__main__', '10_toy.py')")),
    "no_files": ("import os\nos.listdir()", text("[]")),
    "own_source": (
        "import inspect\ndef f():\n    return 1\nprint(inspect.getsource(f))",
        text("def f():\n    return 1\n\n"),
    ),
    "pickled": (
        "import pickle\nclass A: pass\ntype(pickle.loads(pickle.dumps(A()))) is A",
        text("True"),
    ),
    "uninitialised": ("torch.empty(1)", text("tensor([nan])")),
    "seeds": (
        "import random, numpy\n"
        "a = torch.rand(1).item(), random.random(), numpy.random.rand()\n"
        "[round(x, 4) for x in a]",
        text("[0.4963, 0.8444, 0.5488]"),
    ),
    "threads": ("torch.get_num_threads()", text("1")),
}


@pytest.mark.parametrize("kind", SHOWN)
def test_cell_shows(kind: str) -> None:
    code, expected = SHOWN[kind]
    result = run("import torch", code)
    assert result.failure is None
    assert result.outputs == (Output(), expected)


CUT = {
    "address": ("object()", "cell 1 shows <object object at 0x"),
    "address_printed": ("print(lambda: 0)", "shows <function <lambda> at 0x"),
    "html_fails": (
        "class A:\n    def _repr_html_(self):\n        return 1 / 0\nA()",
        f"{NAME}:3: cell 1 raised ZeroDivisionError",
    ),
    "input": ("input('name?')", "cell 1 asks for input('name?')"),
    "syntax": ("x = 1\nx x", f"{NAME}:2: cell 1 raised"),
    "deprecated": (
        "import warnings\nwarnings.warn('old', DeprecationWarning)",
        f"{NAME}:2: cell 1 warns\n  DeprecationWarning: old",
    ),
    "torch_warning": (
        "import torch\n(torch.ones(1, requires_grad=True) * 2).grad",
        "UserWarning: The .grad attribute",
    ),
    "no_label": (
        "import matplotlib.pyplot as plt\nfig = plt.figure()",
        "call fig.set_label('what the picture shows')",
    ),
    "drawing": (
        "import matplotlib.pyplot as plt\nfig = plt.figure()\n"
        "fig.set_label('a')\n_ = fig.text(0, 0, '$x_$')",
        "cell 1 raised ValueError",
    ),
}


@pytest.mark.parametrize("kind", CUT)
def test_cell_fails(kind: str) -> None:
    code, words = CUT[kind]
    assert words in message(code)


def test_failure_names_the_frames_of_the_lesson_only() -> None:
    told = message(
        "def half(x):\n    return int(x) / 0",
        "import functools\nfunctools.reduce(\n    lambda a, b: half(a), [1, 2])",
    )
    assert told.splitlines() == [
        f"{NAME}:2: cell 2 raised ZeroDivisionError: division by zero",
        f"  {NAME}:5 in <module>: functools.reduce(",
        f"  {NAME}:6 in <lambda>: lambda a, b: half(a), [1, 2])",
        f"  {NAME}:2 in half: return int(x) / 0",
        "  (an error that is shown on purpose is caught in its cell, and printed)",
    ]


def test_failure_keeps_the_outputs_before_it() -> None:
    assert run("1", "1 / 0", "3").outputs == (text("1"),)


def test_future_import_rules_later_cells() -> None:
    result = run("from __future__ import annotations", "def f(x: Unknown): pass\n1")
    assert result.outputs[1] == text("1")


def test_warning_that_is_declared_is_shown_without_paths() -> None:
    code = "import torch\n(torch.ones(1, requires_grad=True) * 2).grad"
    (output,) = run(code, warns=("not a leaf",)).outputs
    assert output is not None
    (shown,) = output.parts
    assert shown.source.startswith("UserWarning: The .grad attribute of a Tensor")
    assert "Triggered" not in shown.source


def test_warning_that_is_declared_must_come() -> None:
    assert "['non-leaf'], which never came" in message("1", warns=("non-leaf",))


@pytest.mark.parametrize(
    ("since", "words"),
    [("since torch 2.1", "which never came"), ("since torch 99.0", "warns\n")],
)
def test_declared_warning_counts_from_its_release_on(since: str, words: str) -> None:
    code = "1" if words.startswith("which") else "import warnings\nwarnings.warn('old')"
    assert words in message(code, warns=(f"old {since}",))


def test_warning_of_a_later_release_need_not_come() -> None:
    assert run("1", warns=("old since torch 99.0",)).failure is None


def test_warning_that_the_lesson_records_is_its_own() -> None:
    code = """
        import warnings
        with warnings.catch_warnings(record=True) as log:
            warnings.warn("seen")
        str(log[0].message)
    """
    assert run(code).outputs == (text("'seen'"),)


CURVE = """
    import matplotlib.pyplot as plt
    fig, ax = plt.subplots()
    fig.set_label("a line")
    ax.plot([0, 1], label="y", color="black")
    _ = ax.quiver([0], [0], [1], [1])  # is filled with black, by default
    ax.legend()
    plt.show()
"""


def test_figure_is_drawn_in_light_and_in_dark() -> None:
    (output,) = run(CURVE).outputs
    (picture,) = pictures(output)
    assert picture.dark is not None
    assert (picture.alt, picture.suffix) == ("a line", ".svg")
    assert b"#1f2328" in picture.light
    assert b"#e6e8eb" not in picture.light
    assert b"#e6e8eb" in picture.dark
    assert b"#1f2328" not in picture.dark
    for sentinel in (b"#000000", b"#fdfefc"):
        assert sentinel not in picture.light + picture.dark


def test_figure_belongs_to_its_cell() -> None:
    first, second = run(CURVE, "1").outputs
    assert len(pictures(first)) == 1
    assert second == text("1")


def test_figure_is_the_same_each_time() -> None:
    assert run(CURVE) == run(CURVE)


def test_doctest_sees_the_variables_of_its_place() -> None:
    result = run("x = 2", "text:\n\n>>> x\n2\n", "x = 3")
    assert result.failure is None
    assert [(s.kind, s.line) for s in result.statements] == [("doctest", 5)]


def test_doctest_that_is_false_fails_at_its_line() -> None:
    failure = run("x = 2", "text:\n\n>>> x\n3\n").failure
    assert failure is not None
    assert (failure.line, failure.cell) == (5, None)
    assert failure.message.startswith(f"{NAME}:5")


def test_only_statements_draws_and_shows_nothing() -> None:
    blocks = (CURVE, "text:\n\n>>> len(ax.lines)\n1\n", "object()")
    result = run(*blocks, only_statements=True)
    assert result.failure is None
    assert len(result.statements) == 1
    assert result.outputs == (Output(), None, Output())


def test_only_statements_closes_the_figures() -> None:
    cell = "import matplotlib.pyplot as plt\nfor _ in range(15): plt.figure()"
    assert run(cell, cell, only_statements=True).failure is None


EASY = {
    "address": (
        "import torch\nx = torch.ones(1, requires_grad=True)\n"
        "print((x * x).grad_fn)\n(x * x).grad_fn",
        text("<MulBackward0 object>\n", "<MulBackward0 object>"),
        [f"{NAME}:4: cell 1 shows <MulBackward0 object at 0x"],
    ),
    "local_function": (
        "def f():\n    def g(): pass\n    return g\n[f()]",
        text("[<function f.<locals>.g>]"),
        [f"{NAME}:4: cell 1 shows <function f.<locals>.g at 0x"],
    ),
    "warning": (
        "import warnings\n\nwarnings.warn('old')",
        text("UserWarning: old\n"),
        [f"{NAME}:3: cell 1 warns\n  UserWarning: old"],
    ),
}


@pytest.mark.parametrize("name", EASY)
def test_easy_lesson_goes_on_with_a_note(name: str) -> None:
    code, wanted, notes = EASY[name]
    strict, easy = run(code), run(code, strict=False)
    assert strict.failure is not None
    assert (easy.failure, easy.outputs) == (None, (wanted,))
    assert len(easy.notes) == len(notes)
    assert all(map(str.startswith, easy.notes, notes))


def tagged(code: str, tag: str, *, strict: bool = True) -> Run:
    """Run a tagged cell, and one that shows what the first has left."""
    cells = Block("code", code, 3, (tag,)), Block("code", "x", 9)
    return run_lesson(Lesson(NAME, (Block("code", "x = 1", 1), *cells), strict=strict))


def test_cell_that_is_tagged_to_raise_shows_its_error_and_the_lesson_goes_on() -> None:
    result = tagged("x = 2\nprint(x)\n1 / 0\nx = 3", "raises-exception")
    shown = text("2\nZeroDivisionError: division by zero\n")
    assert (result.failure, result.outputs[1:]) == (None, (shown, text("2")))


def test_cell_that_is_tagged_to_raise_has_to() -> None:
    failure = tagged("x = 2", "raises-exception").failure
    assert failure is not None
    assert failure.message.startswith(f"{NAME}:3: cell 2 is tagged raises-exception")
    easy = tagged("x = 2", "raises-exception", strict=False)
    assert easy.failure is None
    assert len(easy.notes) == 1


@pytest.mark.parametrize(
    "code", ["input()", "import warnings\nwarnings.warn('old')", "exit()", "x = ("]
)
def test_cell_that_is_tagged_to_raise_may_do_no_more_than_others(code: str) -> None:
    failure = tagged(code, "raises-exception").failure
    assert (failure is not None) == (code != "x = (")


def test_cell_that_is_tagged_to_be_skipped_says_so() -> None:
    result = tagged("x = 2", "skip-execution")
    assert result.outputs[1:] == (text("(not executed)\n"), text("1"))


FIGURE = "import matplotlib.pyplot as plt\nfig, axes = plt.subplots(2)\n"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("fig.suptitle('Both')\naxes[0].set_title('Left')", "Both, Left"),
        ("axes[0].set_title('a\\nb')\naxes[1].set_title('c')", "a b, c"),
        ("fig.set_label('All')\nfig.suptitle('Both')", "All"),
        ("pass", "a figure that nobody has described"),
    ],
)
def test_easy_figure_is_described_by_its_titles(code: str, words: str) -> None:
    result = run(FIGURE + code, strict=False)
    assert pictures(result.outputs[0])[0].alt == words
    told = [note for note in result.notes if f"are told: {words}" in note]
    assert len(told) == len(result.notes) == (words != "All")


def test_many_figures_of_a_cell_are_no_reason_to_warn() -> None:
    cell = "import matplotlib.pyplot as plt\nfor _ in range(25): plt.figure()"
    assert run(cell, only_statements=True).failure is None


CUBE = "import torch\nx = torch.tensor(2.0, requires_grad=True)\ny = x**3"


@pytest.mark.parametrize(
    "blocks",
    [
        (CUBE, "text:\n:math:`\\nabla_x y = 3x^2 = 12`", "y.backward()"),
        ("text:\n:math:`\\nabla_x y = 3x^2 = 12`", CUBE),
        (CUBE, "text:\n:math:`\\nabla_x y = 3x^2 = 12`"),
        (CUBE, "text:\n:math:`\\nabla_x y = 3x^2 = 12`", "text:More.", "1"),
    ],
    ids=["before the cell", "after the cell", "at the end", "two texts"],
)
def test_formula_holds_before_or_after_the_next_cell(blocks: tuple[str, ...]) -> None:
    result = run(*blocks)
    assert result.failure is None
    assert [s.kind for s in result.statements] == ["gradient"]


def test_formula_that_is_false_fails_at_its_line() -> None:
    failure = run(CUBE, "text:\n:math:`\\nabla_x y = 2x^2 = 8`", "y.backward()").failure
    assert failure is not None
    assert (failure.line, failure.cell) == (6, None)
    assert failure.message.startswith(f"{NAME}:6")


def test_statements_come_in_the_order_of_the_page() -> None:
    block = "text:\n:math:`\\nabla_x y = 12`\n\n>>> y.item()\n8.0\n"
    result = run(CUBE, block, "y.backward()")
    assert [s.kind for s in result.statements] == ["gradient", "doctest"]


def test_definition_that_no_later_text_uses_fails_the_lesson():
    told = message("x = 2.0", "text:One\n:math:`q = 28`.", "y = 3.0")
    assert told.startswith(f"{NAME}:4\n")
    assert "nothing uses this definition" in told


def test_definition_that_a_later_cell_or_text_uses_is_fine():
    definitions = "text::math:`g(x) = x^2`, :math:`f(x) = x^3`."
    done = run(definitions, "def g(x): return x * x", "text::math:`f(2) = 8`")
    assert done.failure is None
    assert [s.source for s in done.statements] == ["g(x) = x^2", "f(2) = 8"]


def test_all_faults_of_a_lesson_are_told_at_once() -> None:
    bad = "text:\n:math:`x = 3`, :math:`x = \\foo`\n\n>>> x\n4\n"
    failure = run(
        "x = 2", bad, "y = 1", "text:\n:math:`y = 5`", "z = 1", "1 / 0"
    ).failure
    assert failure is not None
    words = ("x = 3", r"unknown command \foo", "4, not 2", "y = 5", "ZeroDivisionError")
    assert [word for word in words if word not in failure.message] == []
    assert failure.message.index("x = 3") < failure.message.index("y = 5")


OPEN = ["text:\n" + r":math:`f = \bar{g}`, :math:`\hat{u} = \foo`", "x = 1"]


def test_several_general_laws_are_told_the_setting_that_spares_their_marks() -> None:
    failure = run(*OPEN).failure
    assert failure is not None
    assert "2 formulas could not be compared" in failure.message
    assert 'say so once, by # sphinx_gallery_formulas = "laws"' in failure.message


@pytest.mark.parametrize("text", [r":math:`\foo = 1`", ":math:`x = 3`, :math:`x = 4`"])
def test_one_law_and_false_formulas_are_told_no_setting(text: str) -> None:
    failure = run("x = 1", f"text:\n{text}", "x = 2").failure
    assert failure is not None
    assert "sphinx_gallery_formulas" not in failure.message


COMPILED = """
import os
os.environ["TORCHINDUCTOR_CACHE_DIR"] = os.getcwd()  # as if for the first time
{}
import torch
f = torch.compile(lambda x: (torch.sin(x) ** 2).sum())
x = torch.ones(2, requires_grad=True)
f(x).backward()
x.grad
"""


@pytest.mark.skipif(not shutil.which("g++"), reason="there is no C++ compiler")
@pytest.mark.skipif(" " in sys.prefix, reason="torch 2.13 links -L unquoted")
def test_compiled_function_has_its_gradient():
    """With precompiled headers, the compiler dies of the limit on files."""
    done = run(COMPILED.format(""), seconds=300)
    assert done.failure is None
    assert done.outputs == (text("tensor([0.9093, 0.9093])"),)


def test_missing_compiler_is_said_with_its_remedy():
    told = message(COMPILED.format("os.environ['PATH'] = '/nowhere'"), seconds=300)
    assert "install g++" in told
    assert 'backend="aot_eager"' in told


def test_long_story_of_an_error_is_cut():
    assert len(message("raise ValueError('x' * 10**5)")) < 5000
