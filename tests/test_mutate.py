"""Mutation: what is changed, what is left alone, and what the check lets pass."""

from collections import Counter

import pytest
import torch

from coursebuild.doctests import run_doctests
from coursebuild.lesson import Block
from coursebuild.mutate import kill_rate, mutants
from coursebuild.statements import Checker, StatementError

torch.set_num_threads(1)
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


def holds(text):
    """Tell whether a text is true after CODE has run."""
    namespace: dict = {}
    exec(CODE, namespace)
    block, checker = Block("text", text, 1), Checker("a.py", "rst")
    try:
        run_doctests(block, namespace, "a.py")
        checker.read(block, namespace)
        checker.confirm(namespace)
        checker.finish()
    except StatementError:
        return False
    return True


@pytest.mark.parametrize(
    ("kind", "formula", "expected"),
    [
        ("digit", "y = 28", "y = 29"),
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


def test_every_mutant_of_a_lesson_is_killed():
    result = kill_rate(LESSON, holds)
    assert result.survivors == ()
    assert result.rate == 1
    assert set(result.total) >= {"digit", "exponent", "coefficient", "swap", "doctest"}
    assert result.total.total() >= 25


def test_survivors_are_named_by_kind_and_line():
    result = kill_rate(LESSON, lambda text: True)
    assert result.rate == 0
    assert Counter(kind for kind, _, _ in result.survivors) == result.total
    assert ("digit", 3) in {(kind, line) for kind, line, _ in result.survivors}


def test_refused_text_measures_nothing():
    with pytest.raises(ValueError, match="repair it first"):
        kill_rate(LESSON, lambda text: False)


def test_text_without_statements_has_no_kill_rate():
    assert kill_rate("Nothing.", lambda text: True).rate == 0
