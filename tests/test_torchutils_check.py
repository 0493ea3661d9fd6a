"""What check=True says: where a nan or inf begins, and why a gradient is missing."""

import weakref

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.checkpoint import checkpoint

from torchutils import record_backward, trace_cuts, trace_lines
from torchutils.saved import UNSHOWN

INF = float("inf")
Tensor = torch.Tensor


def leaf(*numbers: float) -> Tensor:
    return torch.tensor(numbers, requires_grad=True)


def checked(y: object, names: object = None, **options: object) -> list[str]:
    options = {"check": True} | options
    said = record_backward(y, names, **options).graph.remarks
    return [line for line in said if line != UNSHOWN]


def square_root():
    x = leaf(0.0, 1.0)
    y = torch.where(x > 0, x.sqrt(), 0 * x).sum()
    return y, {"x": x}


def logarithm():
    x = leaf(-1.0, 1.0)
    z = x.log()
    return z.sum(), {"x": x, "z": z}


def zero_times_inf():
    x = leaf(0.0)
    z = x.log()
    w = z * 0
    return w, locals()


def constant():
    x, c = leaf(1.0), torch.tensor(INF)
    return x * c, locals()


def leaf_itself():
    x = leaf(INF)
    return x * 2, locals()


def not_kept():
    x = leaf(-1.0)
    return (x.log() * 2 + 1).sum(), {"x": x}


def hidden_constant():
    x = leaf(1.0)
    y = x + torch.tensor(INF)
    return y, locals()


def overflow():
    x = leaf(2.0)
    big = x * 2e38
    y = big * 3e-38 + big * 1e-38
    return y, {"x": x}


FOUND = {
    "square root": (
        square_root,
        ["Backward: the first nan is what #2 (sqrt) sends to x: what came to it"],
    ),
    "logarithm": (
        logarithm,
        ["Forward: the first nan seen is in z (log): it arises there, from finite "],
    ),
    "zero times inf": (
        zero_times_inf,
        [
            "Forward: the first nan seen is in w (mul): it arises there, from z, not",
            "Forward: the first inf seen is in z (log): it arises there, from finite ",
            "Backward: the first nan is what z (log) sends to x: what came to it",
        ],
    ),
    "constant": (
        constant,
        [
            "Forward: the first inf seen is in #0 (mul): its constant c holds it.",
            "Backward: the first inf is what #0 (mul) sends to x: what came to it is f",
        ],
    ),
    "leaf": (
        leaf_itself,
        ["Forward: the first inf seen is in x: that is a leaf, and holds it."],
    ),
    "not kept": (
        not_kept,
        ["Forward: the first nan seen is in #0 (sum): of its operands, #1 was not"],
    ),
    "hidden constant": (
        hidden_constant,
        [
            "Forward: the first inf seen is in y (add): it arises there, from finite "
            "operands and a constant that PyTorch has not kept."
        ],
    ),
}


@pytest.mark.saved
@pytest.mark.parametrize("case", FOUND)
def test_first_odd_number_is_placed(case):
    make, expected = FOUND[case]
    said = checked(*make())
    hint = "Run the forward pass in trace_lines() to be told its line."
    said = [line for line in said if line != hint]
    assert [a[: len(b)] for a, b in zip(said, expected, strict=True)] == expected


def test_odd_gradient_that_was_given_is_placed():
    x = leaf(1.0, 2.0)
    y = x * 2
    said = checked(y, locals(), gradient=torch.tensor([1.0, INF]))
    assert "is in the gradient that was given for y (mul)" in said[0]


def test_odd_sum_of_finite_contributions_is_placed():
    x = leaf(1.0)
    said = checked(x * 3e38 * 1e-38 + x * 3e38 * 1e-38, {"x": x})
    assert "no nan and no inf" in said[0]
    x = leaf(1e-38)
    said = checked(x * 3e38 + x * 3e38, {"x": x})
    assert said[0].startswith(
        "Backward: the first inf is in what came to x: no contribution holds it"
    )


def test_hook_that_makes_a_nan_is_not_blamed_on_an_operation():
    x = leaf(1.0)
    x.register_hook(lambda g: g * float("nan"))
    said = checked(x * 2, {"x": x})
    assert said[0].endswith("so it arose in their sum, or in a hook.")


@pytest.mark.saved
def test_clean_pass_says_how_much_was_seen():
    x = leaf(1.0, 2.0)
    said = checked((x * 2).sin().sum(), {"x": x})
    assert said == [
        "Checked: no nan and no inf in the results of 3 of 4 nodes, as many as PyTorch "
        "has kept, and none in what went back."
    ]


def test_clean_pass_from_a_leaf_counts_it_once():
    x = leaf(1.0)
    assert "in the results of 1 of 1 nodes" in checked(x, {"x": x})[0]


def test_line_of_a_nan_is_told_where_it_was_traced():
    x = leaf(-1.0)
    with trace_lines():
        y = x.log()  # the line
    said = checked(y, locals())
    assert "z" not in said[0].partition("(log")[0]
    assert "y = x.log()  # the line)" in said[0]
    assert not [s for s in said if "trace_lines" in s]


def test_mark_stands_at_the_node():
    y, names = zero_times_inf()
    record = record_backward(y, names, check=True)
    notes = {n.names: n.notes for n in record.graph.nodes if n.notes}
    assert notes == {
        ("w",): ("the first nan seen, forward",),
        ("z",): ("the first inf seen, forward", "sends the first nan, backward"),
    }
    assert "the first nan seen, forward" in record.svg
    assert (
        record.svg.count('stroke-width="4"') == record.source.count("penwidth=4") == 2
    )


def test_unchecked_record_says_nothing():
    y, names = zero_times_inf()
    assert checked(y, names, check=False) == []


def test_check_leaves_the_state_of_plain_backward():
    (plain, names), (recorded, others) = logarithm(), logarithm()
    plain.backward()
    record_backward(recorded, others, check=True)
    assert torch.equal(
        names["x"].grad,
        others["x"].grad,
    )
    assert names["x"]._version == others["x"]._version


STEPS = {
    "log": torch.log,
    "sqrt": torch.sqrt,
    "neg": torch.neg,
    "exp": torch.exp,
    "square": torch.square,
    "zero": lambda a: a * 0,
}


@given(st.lists(st.tuples(st.sampled_from([*STEPS]), st.integers(0, 9)), min_size=1))
@settings(max_examples=200, deadline=None)
def test_first_odd_result_of_random_programs_is_named(program):
    """Where every result has a name, the first that was executed is told."""
    made = [leaf(0.5, 2.0)]
    names = {"t0": made[0]}
    for name, place in program:
        for operation in (STEPS[name], lambda a: a + made[-1]):
            made.append(operation(made[place % len(made)]))
            names[f"t{len(made) - 1}"] = made[-1]
    whole = torch.stack(made)
    total = whole.sum()
    names |= {"whole": whole, "total": total}
    said = checked(total, names)
    for kind, test in (("nan", torch.isnan), ("inf", torch.isinf)):
        head = f"Forward: the first {kind} seen is in "
        found = [line.removeprefix(head) for line in said if line.startswith(head)]
        odd = [k for k, t in enumerate(names.values()) if test(t).any()]
        first = [f"{[*names][k]} " for k in odd[:1]]
        assert [line.partition("(")[0] for line in found] == first
        assert not any("was not kept" in line for line in found)


class Nothing(torch.autograd.Function):
    @staticmethod
    def forward(ctx, a, b):
        return a + b

    @staticmethod
    def backward(ctx, grad):
        return grad, None


class Net(nn.Module):
    """Each parameter leaves the graph in another way."""

    def __init__(self) -> None:
        super().__init__()
        for name in ("a", "b", "c", "d", "e", "f", "g", "h", "k", "m"):
            setattr(self, name, nn.Parameter(torch.ones(2)))
        self.frozen = nn.Parameter(torch.ones(2), requires_grad=False)
        self.whole = nn.Parameter(torch.arange(2), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        y = (self.a * x).detach()
        with torch.no_grad():
            y = y + self.b * x
        y = y + (self.c * x).long()
        y = y + self.d.sum().item()
        y = y + torch.from_numpy((self.e * x).data.numpy())
        y = y + (self.f > 0)
        with torch.inference_mode():
            size = self.g * x
        y = y + size.clone() + torch.zeros_like(self.h)
        return (Nothing.apply(y * self.m, self.k) + self.frozen).sum()


CUT = {
    "a": "cut off by detach() (line ",
    "b": "cut off by mul under no_grad() (line ",
    "c": "cut off by long, whose result is of type int64 (line ",
    "d": "cut off by item(), which gives no tensor (line ",
    "e": "cut off by .data (line ",
    "f": "cut off by gt, whose result is of type bool (line ",
    "g": "cut off by mul in inference mode (line ",
    "h": "no torch function was seen to cut it off",
    "k": "(nothing) got one, and sent None on.",
    "frozen": "its requires_grad is False.",
    "whole": "its type, int64, cannot require one.",
}


@pytest.mark.filterwarnings("ignore:.*Converting a tensor with requires_grad")
def test_cut_is_named_with_its_line():
    net = Net()
    with trace_cuts() as cuts:
        y = net(torch.ones(2))
    said = checked(y, net, check=cuts)[1:]
    found = {}
    for line in said:
        names, _, why = line.removeprefix("No gradient for ").partition(": ")
        found |= dict.fromkeys(names.split(", "), why)
    assert set(found) == set(CUT)
    assert {k: v in found[k] for k, v in CUT.items()} == dict.fromkeys(CUT, True), found
    assert found["a"].endswith("y = (self.a * x).detach()).")


def test_cut_without_a_trace_is_not_guessed():
    net = Net()
    said = checked(net(torch.ones(2)), net)
    line = next(line for line in said if line.startswith("No gradient for a, b, c"))
    assert "PyTorch keeps no trace of a detach" in line
    assert "trace_cuts()" in line


@pytest.mark.parametrize(
    "cut", [Tensor.detach, lambda y: y.data, lambda y: y.detach().requires_grad_()]
)
def test_cut_that_shares_memory_is_told_without_a_trace(cut):
    w, v = leaf(1.0), leaf(2.0)
    y = w * 3
    z = cut(y)
    said = checked(z * v, {"w": w, "v": v, "y": y, "z": z})
    assert said[1:] == [
        "No gradient for w: z has the memory of y, and not its graph, as after "
        "detach(), .data or numpy()."
    ]


def test_parameter_that_inputs_leave_out_is_told():
    w, v = leaf(1.0), leaf(2.0)
    said = checked(w * v, {"w": w, "v": v}, inputs=[v])
    assert said[1:] == ["No gradient for w: inputs leaves it out."]


def test_cut_beyond_the_limit_is_not_claimed():
    w, y = leaf(1.0), leaf(1.0)
    for _ in range(9):
        y = y * 2
    said = checked(y + w.detach(), {"w": w}, max_nodes=5)
    assert "the part of the graph that was read does not reach it" in said[-1]


def test_trace_of_cuts_changes_no_number_and_no_graph():
    torch.manual_seed(1)
    net = nn.Sequential(nn.Linear(2, 3), nn.Dropout(), nn.Linear(3, 1))
    torch.manual_seed(2)
    plain = net(torch.ones(1, 2))
    torch.manual_seed(2)
    with trace_cuts():
        traced = net(torch.ones(1, 2))
    assert torch.equal(plain, traced)
    texts = []
    for y in (plain, traced):
        net.zero_grad()
        texts.append(record_backward(y, net).text)
    assert texts[0] == texts[1]


def test_trace_of_cuts_keeps_no_tensor_alive():
    with trace_cuts() as cuts:
        w = leaf(1.0)
        z = (w * 2).detach()
    alive = weakref.ref(w)
    del w, z
    assert alive() is None
    assert cuts.of(leaf(1.0)) == ()


@pytest.mark.parametrize("before", [None, 1.0])
def test_gradient_that_an_inner_pass_brought_is_not_called_missing(before):
    inner, unused = nn.Linear(2, 2), nn.Linear(2, 2)
    if before is not None:
        inner.weight.grad = torch.full((2, 2), before)
    x = leaf(1.0, 2.0)
    y = checkpoint(lambda t: inner(t).tanh(), x * 1, use_reentrant=True).sum()
    said = checked(y, {"x": x, "inner": inner, "unused": unused})
    assert inner.weight.grad is not None
    assert [line for line in said if "inner.weight" in line] == [
        "The gradient of inner.weight, inner.bias came along no edge of this graph: a "
        "backward pass inside this one, as in a reentrant checkpoint, or a hook wrote "
        "it."
    ]
    assert any(line.startswith("No gradient for unused.weight") for line in said)
