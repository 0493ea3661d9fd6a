"""Mutation: what is changed, what is left alone, and what the check lets pass."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from coursebuild.commands.doctest import mutate
from coursebuild.commands.html import SiteError
from coursecheck.mutate import mutants
from coursecheck.stated import Block
from courserun.lesson import Lesson
from courserun.runner import run_lesson

ROOT = Path(__file__).parents[1]
CODE = "import torch\nx = torch.arange(4.0, requires_grad=True)\ny = (x * x ** 2).sum()"
LESSON = r"""
We compute :math:`y = \sum_i x_i^3 = 36`, and
:math:`\nabla_x y = 3x^2 = (0, 3, 12, 27)`.

>>> y.item()
36.0
>>> torch.autograd.grad(y, x, retain_graph=True)[0]
tensor([ 0.,  3., 12., 27.])
>>> x.requires_grad
True
>>> y
tensor(36., grad_fn=<SumBackward0>)
"""


@pytest.mark.parametrize(
    ("kind", "formula", "expected"),
    [
        ("digit", "y = 28", "y = 29"),
        ("digit", "y ≈ 28", "y ≈ 29"),
        ("digit", r"y \equiv 28", r"y \equiv 29"),
        ("digit", "y = 0.19", "y = 0.10"),
        ("digit", r"\frac{1}{4} = y", r"\frac{2}{4} = y"),
        ("sign", "y = 1 + x", "y = 1 - x"),
        ("sign", "y = x - z", "y = x + z"),
        ("minus", "y = -x", "y = x"),
        ("minus", "y = (1, -2)", "y = (1, 2)"),
        ("exponent", "y = x^2", "y = x^3"),
        ("exponent", "y = x^{10}", "y = x^{11}"),
        ("function", r"y = \sin x", r"y = \operatorname{cos} x"),
        ("function", r"y = \operatorname{tr}(A)", r"y = \operatorname{det}(A)"),
        ("variable", "y = x", "x = x"),
        ("transpose", r"y = A^\top x", "y = A x"),
        ("transpose", r"Y = X^{-\top}", "Y = X^{-1}"),
        ("coefficient", "y = 4x", "y = x"),
        ("coefficient", r"y = \frac12 x", r"y =  x"),
        ("swap", "y = (1, 2)", "y = (2, 1)"),
    ],
)
def test_mutant_of_each_kind(kind, formula, expected):
    found = [text for k, _, text in mutants(f":math:`{formula}`") if k == kind]
    assert f":math:`{expected}`" in found


@pytest.mark.parametrize(
    ("formula", "same"),
    [
        ("y = -0", "y = 0"),
        ("y = (1, 1)", "y = (1, 1)"),
        (r"y = \max(x, z)", r"y = \max(z, x)"),
        ("y = 1x", "y = x"),
        ("y = x + 0", "y = x - 0"),
        (r"\frac{d}{dx} y = 1", r"\frac{x}{dx} y = 1"),
        ("y = 1^2", "y = 1^3"),
    ],
)
def test_mutant_that_states_the_same_is_not_made(formula, same):
    assert f":math:`{same}`" not in [t for _, _, t in mutants(f":math:`{formula}`")]


STATELESS = ["28", ":math:`28`", ":law:`y = 28`", "``:math:`y=1```"]


@pytest.mark.parametrize("text", STATELESS)
def test_what_states_nothing_has_no_mutants(text):
    assert list(mutants(text)) == []


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("tensor([0., 3.])", "tensor([1., 3.])"),
        ("tensor([0., 3.])", "tensor([0., 4.])"),
        ("tensor([0., 3.])", "tensor([[0., 3.])"),
        ("1.5000e-03", "1.5001e-03"),
        ("True", "False"),
        ("tensor(1., dtype=torch.float64)", "tensor(1., dtype=torch.float32)"),
        ("tensor(1., grad_fn=<MulBackward0>)", "tensor(1., grad_fn=<ExpBackward0>)"),
    ],
)
def test_output_of_a_doctest_is_changed(output, expected):
    found = [text for _, _, text in mutants(f">>> 1\n{output}\n")]
    assert f">>> 1\n{expected}\n" in found


def test_mutants_change_one_place_and_name_its_line():
    for _, line, text in mutants(LESSON):
        changed = [
            k
            for k, (a, b) in enumerate(
                zip(LESSON.splitlines(), text.splitlines(), strict=True), 1
            )
            if a != b
        ]
        assert changed == [line]


def made(*sources):
    """Make a lesson; a text begins with ``text:``."""
    kinds = ["text" if s.startswith("text:") else "code" for s in sources]
    blocks = (
        Block(kind, source.removeprefix("text:"), 10 * k)
        for k, (kind, source) in enumerate(zip(kinds, sources, strict=True))
    )
    return Lesson("gallery/0_toy/10_toy.py", tuple(blocks))


FOLLOWED = made(  # what is changed early may be refused late, or never
    "text::math:`f(t) = t^3`, :math:`g(t) = 2t`",
    CODE,
    "text:" + LESSON,
    "y.backward()",
    "text::math:`f(2) = 8`. Now :math:`y = \\sum_{i=0}^{3} z_i x_i`:",
    "z = torch.tensor([-1.0, 2, 0, 1], requires_grad=True)\ny = z @ x",
    "text:But :math:`y = \\sum_{i=0}^{3} \\max(z_i, 0) = 3` and :math:`\\nabla_z y = "
    "(0, 1, 0, 1)`.",
    "y = z.relu().sum()",
    "text:At last, :math:`g(5) = 10`.\n\n>>> torch.autograd.grad(y, z)[0]\n"
    "tensor([0., 1., 0., 1.])\n",
)


def run(lesson, **options):
    return run_lesson(lesson, only_statements=True, **options)


def one_by_one(lesson):
    """Run every mutant of a lesson on its own, the naive way."""
    for k, block in enumerate(lesson.blocks):
        for kind, line, text in mutants(block.source) if block.kind == "text" else ():
            blocks = list(lesson.blocks)
            blocks[k] = replace(block, source=text)
            failure = run(replace(lesson, blocks=tuple(blocks))).failure
            yield kind, block.line + line - 1, bool(failure)


def test_mutants_tried_together_are_judged_as_if_each_ran_alone():
    together = run(FOLLOWED, mutate=1)
    assert together.failure is None
    found = [(m.kind, m.line, bool(m.witnesses)) for m in together.statements]
    assert sorted(found) == sorted(one_by_one(FOLLOWED))
    assert Counter(killed for *_, killed in found)[False] == 1  # max(z_0, 0) is 0


def test_every_kind_of_mutant_is_refused():
    done = run(made(CODE, "text:" + LESSON), mutate=1).statements
    assert [m for m in done if not m.witnesses] == []
    kinds = {m.kind for m in done}
    assert kinds >= {"digit", "exponent", "coefficient", "swap", "doctest"}
    assert len(done) >= 25


def test_formula_is_looked_at_before_an_example_frees_its_graph():
    text = "text::math:`\\frac{dy}{dx} = 6`\n\n>>> torch.autograd.grad(y, x)[0]\n"
    code = "import torch\nx = torch.tensor(3.0, requires_grad=True)\ny = x**2"
    done = run(made(code, f"{text}tensor(6.)\n"), mutate=1)
    assert done.failure is None
    assert [m for m in done.statements if not m.witnesses] == []


def test_sample_is_always_the_same():
    [first, second] = (run(FOLLOWED, mutate=4).statements for _ in range(2))
    whole = run(FOLLOWED, mutate=1).statements
    assert first == second
    assert set(first) < set(whole)


def test_lesson_that_is_not_true_has_no_mutants():
    failure = run(made(CODE, "text::math:`y = 35`"), mutate=1).failure
    assert failure is not None
    assert "35" in failure.message


def test_sample_of_all_lessons_is_refused():
    table = mutate(ROOT, one_in=10)
    assert int(table.splitlines()[-1].split()[3]) >= 100


@pytest.fixture
def project(tmp_path):
    (tmp_path / "gallery/0_toy").mkdir(parents=True)
    header = "Toys\n----\n\nSmall lessons.\n"
    (tmp_path / "gallery/0_toy/GALLERY_HEADER.rst").write_text(header)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/ledger.md").write_text("# Ledger\n")
    lesson = tmp_path / FOLLOWED.name
    code = "import torch\n\nz = torch.tensor([-1.0, 2.0], requires_grad=True)\n"
    code += (
        "y = z.relu().sum()\n\n# %%\n# Now :math:`y = \\sum_{i=0}^{1} \\max(z_i, 0)`.\n"
    )
    lesson.write_text('"""\nToy\n===\n"""\n\n' + code)
    return tmp_path


def test_survivor_is_named_by_file_line_and_change(project):
    with pytest.raises(SiteError) as caught:
        mutate(project, [FOLLOWED.name])
    message = str(caught.value)
    assert message.startswith(f"{FOLLOWED.name}:12: digit survives: Now :math:`y = ")
    assert r"\sum_{i=1}" in message


def test_survivors_are_too_many_even_if_each_is_explained(project):
    text = f"- `{FOLLOWED.name}`: `\\sum_{{i=1}}^{{1}}` is the same here.\n"
    (project / "docs/ledger.md").write_text(text)
    with pytest.raises(SiteError, match="all") as caught:
        mutate(project, [FOLLOWED.name])
    assert "survives" not in str(caught.value)


@pytest.mark.parametrize(
    ("lost", "reason"),
    [("gallery/0_toy/GALLERY_HEADER.rst", "no header"), ("", "nothing is stated here")],
)
def test_lesson_without_mutants_is_a_fault(project, lost, reason):
    (project / (lost or "unused")).unlink(missing_ok=True)
    if not lost:
        (project / FOLLOWED.name).write_text('"""\nToy\n===\n"""\n\nx = "a"\n')
    with pytest.raises(SiteError, match=reason):
        mutate(project, [FOLLOWED.name])


def test_explanation_of_nothing_is_a_fault(project):
    (project / "docs/ledger.md").write_text("- `a.py`: `y = 1` is the same.\n")
    with pytest.raises(SiteError, match=r"ledger.md: y = 1 does not survive"):
        mutate(project)
