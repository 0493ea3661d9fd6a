"""Doctests of lessons: the comparator, the examples found, the tensors left alone."""

import sys

import pytest
import torch

from coursecheck.doctests import difference, run_doctests
from coursecheck.faults import StatementError
from coursecheck.stated import Block

SAME = [
    ("tensor([0., 4., 8., 12.])", "tensor([ 0.,  4.,  8., 12.])"),
    ("tensor([0.,\n        4.])", "tensor([0., 4.])"),
    ("tensor(12.)", "tensor(12.0000)"),
    ("tensor([12., 0.5])", "tensor([12.0000,  0.5000])"),
    ("tensor(0.1966)", "tensor(0.1966)"),
    ("tensor(0.2)", "tensor(0.1966)"),
    ("0.1966", "0.19661193324148185"),
    ("12.0", "12.000000000000002"),
    ("0.3", "0.30000000000000004"),
    ("12.", "12.0"),
    ("tensor(-0.)", "tensor(0.)"),
    ("tensor(0.)", "tensor(-0.)"),
    ("tensor(nan)", "tensor(nan)"),
    ("tensor([inf, -inf])", "tensor([inf, -inf])"),
    ("tensor(1.e-05)", "tensor(1.0000e-05)"),
    ("tensor(2.847e+03)", "tensor(2846.8300)"),
    ("1e5", "100000.0"),
    ("[[1, 2], [3, 4]]", "[[1, 2], [3, 4]]"),
    ("(tensor(1.), None)", "(tensor(1.), None)"),
    ("{'a': 1, 'b': [2.5]}", "{'a': 1, 'b': [2.5]}"),
    ("tensor(28., grad_fn=<MulBackward0>)", "tensor(28., grad_fn=<MulBackward0>)"),
    ("tensor([1.], requires_grad=True)", "tensor([1.],\n       requires_grad=True)"),
    ("tensor(0.5, dtype=torch.float64)", "tensor(0.5000, dtype=torch.float64)"),
    ("tensor(3.+4.j)", "tensor(3.+4.j)"),
    ("torch.Size([2, 3])", "torch.Size([2, 3])"),
    ("a\n<BLANKLINE>\nb", "a\n\nb"),
    ("tensor(0.324)", "tensor(0.3241)"),
    ("True", "True"),
    ("", ""),
]
DIFFERENT = [
    ("tensor(12.)", "tensor(13.)"),
    ("tensor(12.)", "tensor(12.0001)"),
    ("tensor(12.)", "tensor(12)"),
    ("tensor(12)", "tensor(12.)"),
    ("tensor(12.)", "tensor(-12.)"),
    ("tensor(12.)", "tensor([12.])"),
    ("tensor([12.])", "tensor([[12.]])"),
    ("tensor([0., 4.])", "tensor([0., 4., 8.])"),
    ("tensor([0., 4., 8.])", "tensor([0., 4.])"),
    ("tensor([[1., 2.], [3., 4.]])", "tensor([[1., 2., 3., 4.]])"),
    ("tensor(0.1966)", "tensor(0.1967)"),
    ("tensor(0.19661)", "tensor(0.1966)"),
    ("tensor(0.1966)", "tensor(0.0197)"),
    ("tensor(1.e-05)", "tensor(1.e-04)"),
    ("tensor(1.e-05)", "tensor(1.4000e-05)"),
    ("1e1", "8.0"),
    ("tensor(1.e2)", "tensor(80.)"),
    ("0.e1", "4.0"),
    ("tensor(0.)", "tensor(0.1966)"),
    ("tensor(nan)", "tensor(0.)"),
    ("tensor(0.)", "tensor(nan)"),
    ("tensor(inf)", "tensor(-inf)"),
    ("tensor(1., dtype=torch.float64)", "tensor(1.)"),
    ("tensor(1.)", "tensor(1., dtype=torch.float64)"),
    ("dtype=torch.float32", "dtype=torch.float64"),
    ("tensor(1.)", "tensor(1., requires_grad=True)"),
    ("requires_grad=True", "requires_grad=False"),
    ("grad_fn=<MulBackward0>", "grad_fn=<AddBackward0>"),
    ("grad_fn=<MulBackward0>", "grad_fn=<MulBackward1>"),
    ("(tensor(1.), None)", "(tensor(1.),)"),
    ("tensor(3.+4.j)", "tensor(3.-4.j)"),
    ("torch.Size([2, 3])", "torch.Size([3, 2])"),
    ("1 2", "12"),
    ("", "tensor(1.)"),
    ("tensor(1.)", ""),
    ("None", "tensor(0.)"),
    ("tensor([0., ..., 3.])", "tensor([0., 1., 3.])"),
    ("tensor(0.325)", "tensor(0.3245)"),  # of 0.32446 or of 0.32454
    ("tensor(0.324)", "tensor(0.3245)"),
]


def text(source: str, line: int = 10) -> Block:
    return Block("text", source, line)


@pytest.fixture
def namespace():
    x = torch.arange(4.0, requires_grad=True)
    return {"torch": torch, "x": x, "y": 2 * x.dot(x)}


@pytest.mark.parametrize(("want", "got"), SAME)
def test_comparator_accepts_the_same(want, got):
    assert difference(want, got) is None


@pytest.mark.parametrize(("want", "got"), DIFFERENT)
def test_comparator_refuses_what_differs(want, got):
    assert difference(want, got) is not None


@pytest.mark.parametrize(
    ("want", "got", "words"),
    [
        ("tensor([0., 5.])", "tensor([0., 4.])", "5., not 4."),
        (
            "tensor(1.)",
            "tensor(1., dtype=torch.float64)",
            "), not , dtype=torch.float64)",
        ),
        ("tensor([1.])", "tensor([1., 2.])", "]), not , 2.])"),
        ("True", "False", "True, not False"),
        ("", "tensor(1.)", "the end, not tensor(1.)"),
    ],
)
def test_comparator_names_the_first_difference(want, got, words):
    assert difference(want, got) == words


@pytest.mark.parametrize(
    ("want", "fits"),
    [
        ("is at ... 1; ...", True),
        ("...expected 0", True),
        ("is ... version 2; ...", False),
        ("is at version 1", False),
        ("...", True),
    ],
)
def test_ellipsis_stands_for_any_words(want, fits):
    got = "is at version 1; expected 0"
    assert (difference(want, got, ellipsis=True) is None) == fits


@pytest.mark.parametrize(
    "source",
    [
        ">>> x.sum()\ntensor(6., grad_fn=<SumBackward0>)",
        "Text.\n\n    >>> y.item()\n    28.0\n\nText.",
        "```{doctest}\n>>> y.item()\n28.0\n```\nText.",
        "```python\n>>> y.item()\n28.0\n```",
        ":::{note}\n>>> y.item()\n28.0\n:::",
        ">>> z = y + 1\n>>> z.item()\n29.0",
        ">>> for i in range(2):\n...     print(i)\n0\n1",
        ">>> x.grad is None\nTrue",
        ">>> torch.ones(1, dtype=torch.int64).requires_grad_()"
        "  # doctest: +ELLIPSIS\n"
        "Traceback (most recent call last):\nRuntimeError: only Tensors of ...",
        ">>> 1 / 0\nTraceback (most recent call last):\n"
        "ZeroDivisionError: division by zero",
        ">>> 1 / 0\nTraceback (most recent call last):\n  File 'a', line 1\n"
        "ZeroDivisionError: division by zero",
        ">>> raise ValueError('one\\n  two')\nTraceback (most recent call last):\n"
        "ValueError: one\n  two",
    ],
)
def test_examples_are_found_and_true(source, namespace):
    assert len(run_doctests(text(source), namespace, "a.py")) == 1


VALUES = [  # an expression, and what is true of its value, if not of its print
    ("torch.tensor(0.32446)", "tensor(0.324)"),
    ("torch.tensor(0.32446)", "tensor(0.3245)"),
    ("torch.tensor(0.32446)", "tensor(0.32446)"),
    ("torch.tensor([0.32446, 12])", "tensor([0.324, 12.])"),
    ("[torch.tensor(0.32446), 2, True, None]", "[tensor(0.324), 2, True, None]"),
    ("{1: torch.tensor([0.32446])}", "{1: tensor([0.324])}"),
    ("torch.tensor([float('nan'), 0.32446])", "tensor([nan, 0.324])"),
    ("torch.tensor(0.32446 + 2j)", "tensor(0.324+2.j)"),
    ("torch.tensor(0.32446 + 2j).conj()", "tensor(0.324-2.j)"),  # only marked as one
    ("torch.tensor(2 + 0.32446j).conj().imag", "tensor(-0.324)"),
    ("torch.tensor(0.1) + torch.tensor(0.2)", "tensor(0.3)"),
    ("0.1 + 0.2", "0.30000000000000004"),
    ("0.1 + 0.2", "0.3"),
    ("torch.tensor(2 / 3, dtype=torch.float64)", "tensor(0.6667, dtype=torch.float64)"),
]


@pytest.mark.parametrize(("source", "want"), VALUES)
def test_number_is_compared_with_the_value(source, want, namespace):
    assert run_doctests(text(f">>> {source}\n{want}"), namespace, "a.py")


def test_all_false_examples_of_a_text_are_told_at_once(namespace):
    source = ">>> y.item()\n27.0\n>>> 1\n1\n>>> 2\n3\n"
    with pytest.raises(StatementError) as caught:
        run_doctests(text(source), namespace, "a.py")
    assert [word in str(caught.value) for word in ("a.py:10", "a.py:14")] == [True] * 2
    assert caught.value.line == 10


def test_example_becomes_a_statement_with_its_line(namespace):
    (done,) = run_doctests(text("Text\n\n>>> y.item()\n28.0"), namespace, "a.py")
    assert (done.kind, done.line, done.source) == (
        "doctest",
        12,
        ">>> y.item()\n28.0\n",
    )


def test_text_without_examples_states_nothing(namespace):
    assert run_doctests(text("No example."), namespace, "a.py") == ()


def test_bound_names_stay_in_the_block(namespace):
    run_doctests(text(">>> z = 1"), namespace, "a.py")
    assert "z" not in namespace


def test_random_numbers_of_the_lesson_are_left_alone(namespace):
    before = torch.get_rng_state()
    run_doctests(text(">>> r = torch.rand(3)"), namespace, "a.py")
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("source", "line", "words"),
    [
        ("a\n\n>>> y.item()\n27.0", 12, ("27.0", "28.0", "a.py:12", ">>> y.item()")),
        (">>> y.item()", 10, ("nothing", "28.0")),
        (">>> 1 / 0", 10, ("ZeroDivisionError",)),
        (">>> 1 / 0\n0", 10, ("stated    0", "ZeroDivisionError")),
        (
            ">>> 1 / 0\nZeroDivisionError: division by zero",
            10,
            ("Traceback (most recent call last):", "type and message"),
        ),
        (
            ">>> int('x')\nTraceback (most recent call last):\nValueError: other",
            10,
            ("stated    Traceback", "ValueError: other", "invalid literal"),
        ),
        (
            ">>> 1 / 0\nTraceback (most recent call last):\nValueError: division",
            10,
            ("ValueError: division, not ZeroDivisionError: division by zero",),
        ),
        (">>> torch.tensor(0.32446)\ntensor(0.325)", 10, ("0.325, not 0.32446",)),
        (">>> torch.tensor(0.3245)\ntensor(0.325)", 10, ("hangs on the last bit",)),
        (">>> [torch.tensor(0.32446)]\n[tensor(0.325)]", 10, ("0.325, not 0.32446",)),
        (">>> print(torch.tensor(0.32446))\ntensor(0.325)", 10, ("hangs on the last",)),
        (">>> 0.125\n0.12", 10, ("0.12 hangs on the last bit of 0.125",)),
        (">>> 1 / 1\nTraceback (most recent call last):\nError: a", 10, ("1.0",)),
        (">>> q", 10, ("NameError",)),
        (">>> y.grad", 10, ("UserWarning", "not a leaf")),
        (">>>x", 10, ("blank",)),
        (">>> 1  # doctest: +SKIP\n2", 10, ("no option", "1  # doctest: +SKIP")),
        (">>> 1  # doctest: +NUMBER\n1", 10, ("option",)),
        (">>> 1  # doctest: +IGNORE_EXCEPTION_DETAIL\n1", 10, ("no option",)),
        (">>> y.backward()", 10, ("may look", ".grad of x")),
        (">>> x.detach().add_(1).sum()\ntensor(10.)", 10, ("the value of x",)),
        (">>> x.requires_grad_(False).sum()\ntensor(6.)", 10, ("requires_grad of x",)),
        (">>> y.retain_grad()", 10, ("retains_grad of y",)),
        (">>> p = layer.weight.requires_grad_(False)", 10, ("layer.weight",)),
        (">>> w.grad.zero_()\ntensor([0., 0.])", 10, ("the value of .grad of w",)),
    ],
)
def test_false_example_raises(source, line, words, namespace):
    w = torch.ones(2, requires_grad=True)
    w.sum().backward()
    namespace |= {"layer": torch.nn.Linear(2, 1), "w": w}
    with pytest.raises(StatementError) as caught:
        run_doctests(text(source), namespace, "a.py")
    assert caught.value.line == line
    for word in words:
        assert word in str(caught.value)


HEADER = "Traceback (most recent call last):\n"
UNSEEN = [  # what stands in an example, and nobody has compared; the message's words
    (
        f">>> 1 / 0\n{HEADER}  2 + 2 is 5 here\nZeroDivisionError: division by zero",
        "above",
    ),
    (
        f">>> 1 / 0\n{HEADER}  File 'a', line 3, in f\n    1 / 0\n    2 + 2 is 5\n"
        "ZeroDivisionError: division by zero",
        "above the error",
    ),
    (
        ">>> 1 / 0\nTraceback (innermost last):\nZeroDivisionError: division by zero",
        "above the error",
    ),
    (">>> # the gradient is\ntensor(5.)", "nothing runs here"),
    (">>>\n5", "nothing runs here"),
    (
        ">>> import sys\n>>> sys.displayhook = print\n>>> 4\n4",
        "displayhook was changed",
    ),
    (">>> LIAR(4.0)\n9.0", "it prints 9.0 for 4.0"),
]


class Liar(float):
    """A number that shows another."""

    def __repr__(self):
        return "9.0"


@pytest.mark.parametrize(("example", "words"), UNSEEN)
def test_example_shows_nothing_that_nobody_compares(example, words, namespace):
    hook = sys.displayhook
    with pytest.raises(StatementError, match=words):
        run_doctests(text(f"{example}\n"), namespace | {"LIAR": Liar}, "a.py")
    assert sys.displayhook is hook


def test_lesson_that_changed_what_prints_a_tensor_is_refused(namespace, monkeypatch):
    monkeypatch.setattr(torch.Tensor, "__repr__", lambda self: "tensor(9.)")
    with pytest.raises(StatementError, match=r"Tensor\.__repr__ was changed"):
        run_doctests(text(">>> torch.tensor(4.)\ntensor(9.)\n"), namespace, "a.py")


def test_stack_of_a_stated_error_may_hold_frames(namespace):
    frames = "  File 'a', line 3, in f\n    1 / 0\n    ~~^~~\n  ...\n"
    error = f">>> 1 / 0\n{HEADER}{frames}ZeroDivisionError: division by zero\n"
    assert len(run_doctests(text(error), namespace, "a.py")) == 1
