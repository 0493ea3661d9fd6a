"""Two graphs compared, in words."""

import pytest
import torch
from torch import nn

from torchutils import diff, make_dot, record_backward
from torchutils.saved import SHOWN


def leaf(*numbers: float) -> torch.Tensor:
    return torch.tensor(numbers, requires_grad=True)


X, W = leaf(1.0, 2.0), leaf(3.0, 4.0)
NAMES = {"x": X, "w": W}
CHANGES = {
    "constant": (lambda: X**2, lambda: X**3, ["~ #0 (pow): ", "exponent 2 → 3"]),
    "order": (
        lambda: X - W,
        lambda: W - X,
        ["operand 0 x → w", "operand 1 w → x"],
    ),
    "new operation": (
        lambda: (X * W).sum(),
        lambda: (X * W).exp().sum(),
        ["+ #1 = exp(#2)", "operand 0 #1 (mul) → #1 (exp)"],
    ),
    "operation left out": (
        lambda: X.sin().exp(),
        lambda: X.exp(),
        ["- #1 = sin(x)", "~ #0 (exp)", "operand 0 #1 (sin) → x"],
    ),
    "shape": (
        lambda: X.sin(),
        lambda: X.repeat(2).sin(),
        ["shape (2,) → (4,)", "+ #1 = repeat(x)"],
    ),
    "leaf": (lambda: X.sin(), lambda: W.sin(), ["- x: leaf", "+ w: leaf"]),
    "output": (
        lambda: W.unbind()[0],
        lambda: W.unbind()[1],
        ["output of output 0 True → False", "output of output 1 False → True"],
    ),
    "fifth digit": (
        lambda: X.sin() * 0.333331,
        lambda: X.sin() * 0.333332,
        ["other 0.333331"],
    ),
    "type": (lambda: X.sin(), lambda: X.double().sin(), ["type float32 → float64"]),
}


@pytest.mark.parametrize("case", CHANGES)
def test_change_is_told(case):
    first, second, told = CHANGES[case]
    text = diff(make_dot(first(), NAMES), make_dot(second(), NAMES))
    if case == "fifth digit" and not SHOWN:  # nobody sees this constant
        told = []
    assert [t for t in told if t not in text] == []


@pytest.mark.parametrize("case", CHANGES)
def test_graph_made_again_is_the_same(case):
    for make in CHANGES[case][:2]:
        graphs = [make_dot(make(), NAMES).graph for _ in range(2)]
        assert diff(*graphs).startswith("No difference: autograd graph: ")


def test_leaves_in_another_order_are_the_same_leaves():
    text = diff(make_dot(X * W, NAMES), make_dot(W * X, NAMES))
    assert text == "~ #0 (mul): operand 0 x → w; operand 1 w → x"


def test_nan_is_no_difference():
    graphs = [make_dot(leaf(-1.0).log()).graph for _ in range(2)]
    assert diff(*graphs).startswith("No difference")


def test_second_backward_is_told_by_its_sums():
    x = leaf(1.0)
    first, second = (record_backward(x * 3, {"x": x}) for _ in range(2))
    assert diff(first, second) == "~ x: .grad [3] → [6]; grad before none → [3]"


def test_what_went_back_is_compared():
    x, w = leaf(1.0), leaf(2.0)
    y = x * w
    names = {"x": x, "w": w, "y": y}
    first = record_backward(y, names, retain_graph=True)
    x.grad = w.grad = None
    second = record_backward(y, names, gradient=torch.tensor([10.0]))
    text = diff(first, second)
    assert "~ y (mul): adjoint [1] → [10]; sent to x [2] → [20]" in text


def test_new_layer_moves_no_other():
    torch.manual_seed(0)
    layers = [nn.Linear(4, 4) for _ in range(3)]
    given = torch.ones(1, 4)
    short, long = nn.Sequential(*layers), nn.Sequential(*layers, nn.ReLU())
    lines = diff(
        make_dot(short(given), short), make_dot(long(given), long)
    ).splitlines()
    assert [line[0] for line in lines] == ["~", "+"]
    assert lines[1].startswith("+ #0 = relu(")


def test_remark_that_one_has_is_told():
    x = leaf(1.0)
    text = diff(make_dot(x * 2), make_dot([x * 2, torch.ones(1)]))
    assert "+ Output [1] has no autograd graph" in text
