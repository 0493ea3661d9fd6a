"""Names: from locals(), modules and containers; whatever else is ignored."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from torchutils import make_dot
from torchutils.names import find_names


def test_locals_with_modules_functions_and_numbers_is_accepted():
    x = torch.ones(2, requires_grad=True)
    everything = {**locals(), "torch": torch, "f": print, "n": 3, "s": "text"}
    assert repr(make_dot(x * 2, everything)).endswith("1 leaf (x)")


def test_namespace_of_a_notebook_hides_its_own_names():
    x = torch.ones(2)
    space = {"__name__": "__main__", "_": x, "_1": x, "Out": {1: x}, "x": x}
    assert find_names(space).of(x) == ("x",)


def test_underscore_counts_in_a_plain_dict():
    x = torch.ones(2)
    assert find_names({"_x": x}).of(x) == ("_x",)


@pytest.mark.parametrize(
    ("wrap", "name"),
    [
        (lambda x: [x], "v[0]"),
        (lambda x: (1, x), "v[1]"),
        (lambda x: {"k": x}, "v['k']"),
        (lambda x: [{"k": x}], "v[0]['k']"),
    ],
)
def test_containers_are_looked_into(wrap, name):
    x = torch.ones(2)
    assert find_names({"v": wrap(x)}).of(x) == (name,)


def test_module_names_its_parameters():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    assert find_names(model).of(model[1].weight) == ("1.weight",)
    assert find_names({"model": model}).of(model[0].bias) == ("model.0.bias",)


def lists():
    vocab = list(range(2000))
    return locals()


def loop():
    net = NET
    for p in net.parameters():
        p.grad = None
    return locals()


class Trainer:
    def __init__(self):
        self.net = NET
        self.step = 1

    def names(self):
        return locals()


NET = nn.Linear(2, 1)
PLACES = {
    "beside a long list": (lambda: {**lists(), "net": NET}, ("net.weight", "net.bias")),
    "in one of many lists": (
        lambda: {**{f"a{k}": [1] * 900 for k in range(9)}, "ps": [*NET.parameters()]},
        ("ps[0]", "ps[1]"),
    ),
    "after a loop": (loop, ("net.weight", "net.bias")),
    "in self": (lambda: Trainer().names(), ("self.net.weight", "self.net.bias")),
    "in a namespace": (
        lambda: {"s": SimpleNamespace(net=NET)},
        ("s.net.weight", "s.net.bias"),
    ),
}


@pytest.mark.parametrize("place", PLACES)
def test_parameter_is_found_and_called_by_its_path(place):
    names, expected = PLACES[place]
    found = find_names(names())
    assert (found.of(NET.weight)[0], found.of(NET.bias)[0]) == expected


def test_list_that_was_not_looked_through_is_told():
    x = torch.ones(2, requires_grad=True)
    text = make_dot(x * 2, {"long": [*range(2000), x]}).text
    assert "not all of long was looked through" in text
    assert "looked through" not in make_dot(x * 2, {"long": [0] * 2000, "x": x}).text


def test_tied_weight_has_both_names():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    model[1].weight = model[0].weight
    assert find_names(model).of(model[0].weight) == ("0.weight", "1.weight")


def test_endless_list_ends():
    x: list[object] = []
    x.append(x)
    assert find_names({"x": x}).tensors == {}


def test_tensor_is_never_compared_by_value():
    a, b = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    assert make_dot(a * 2, {"b": b}).graph.leaves[0].names == ()


def test_long_list_is_looked_into_at_its_start_only():
    class Watched(list):
        seen = 0

        def __iter__(self):
            for item in super().__iter__():
                self.seen += 1
                yield item

    long = Watched(range(100_000))
    find_names({"long": long})
    assert long.seen <= 1000
