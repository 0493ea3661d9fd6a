"""Parts of a graph: the paths to a tensor, nodes that stand out, bytes held."""

import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from torchutils import make_dot, read_graph
from torchutils.saved import UNSHOWN


def made() -> dict[str, torch.Tensor]:
    x, w, b = (torch.ones(2, requires_grad=True) for _ in range(3))
    h = (x * w).exp()
    y = ((h + b.sin()) * h).sum()
    return {"x": x, "w": w, "b": b, "h": h, "y": y}


@pytest.mark.parametrize("wanted", ["x", "tensor", "both"])
def test_paths_to_a_leaf_leave_other_branches_out(wanted):
    names = made()
    chosen = {"x": "x", "tensor": names["x"], "both": ["x", names["w"]]}[wanted]
    graph = read_graph(names["y"], names, path_to=chosen)
    ops = [n.op for n in graph.nodes if n.kind == "op"]
    assert sorted(ops) == [
        "AddBackward0",
        "ExpBackward0",
        "MulBackward0",
        "MulBackward0",
        "SumBackward0",
    ]
    assert [n.names for n in graph.leaves] == [("x",), ("w",)]
    said = [line for line in graph.remarks if line != UNSHOWN]
    assert said == ["Drawn are the paths to what path_to names: 7 nodes of 9."]


def test_operand_that_is_off_the_path_is_not_forgotten():
    names = made()
    assert "add(h, …)" in make_dot(names["y"], names, path_to="x").text


def test_path_to_a_result_ends_there():
    names = made()
    graph = read_graph(names["y"], names, path_to=names["h"])
    assert [n.op for n in graph.nodes if n.names == ("h",)] == ["ExpBackward0"]
    assert not graph.leaves


def test_highlight_stands_out_in_picture_words_and_data():
    names = made()
    drawing = make_dot(names["y"], names, highlight=["h", names["x"]])
    lit = [n.names for n in drawing.graph.nodes if "highlighted" in n.notes]
    assert lit == [("h",), ("x",)]
    assert drawing.svg.count('stroke-width="4"') == 2
    assert drawing.source.count("penwidth=4") == 2
    assert drawing.text.count("highlighted") == 2
    assert drawing.json.count('"highlighted"') == 2


def test_highlighted_node_is_not_folded_away():
    x = torch.ones(2, requires_grad=True)
    results = [x]
    for _ in range(40):
        results.append(results[-1].sin())
    y, middle = results[-1], results[20]
    text = make_dot(y, {"x": x, "middle": middle}, highlight="middle").text
    assert "middle = sin(" in text
    assert text.count("highlighted") == 1


def test_unasked_drawing_is_whole_and_even():
    names = made()
    assert "path_to" not in make_dot(names["y"], names).text
    assert 'stroke-width="4"' not in make_dot(names["y"], names).svg


def mlp():
    return nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 8)), torch.ones(4, 8)


def attention():
    layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True)
    return layer, torch.ones(1, 3, 8)


def twice():
    linear = nn.Linear(4, 4)
    return nn.Sequential(linear, nn.Tanh(), linear, nn.Tanh()), torch.ones(2, 4)


class Views(nn.Module):
    """Two saved tensors lie in the memory of one."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = x.exp()
        a, b = y.chunk(2)
        return a * b


def views():
    return Views(), torch.ones(4, requires_grad=True)


@pytest.mark.saved
@pytest.mark.parametrize("make", [mlp, attention, twice, views])
def test_bytes_are_those_that_hooks_see(make):
    """torch calls a hook for each tensor that it saves: an account of its own."""
    torch.manual_seed(0)
    model, given = make()
    own = {p.untyped_storage().data_ptr() for p in model.parameters()}
    own |= {given.untyped_storage().data_ptr()} if given.requires_grad else set()
    seen: dict[int, int] = {}
    alive = []

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        alive.append(tensor)
        storage = tensor.untyped_storage()
        seen[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
        model(given).sum()
    expected = sum(size for at, size in seen.items() if at not in own)
    remark = read_graph(model(given).sum(), model, saved="sizes").remarks[0]
    assert remark.startswith(f"Saved for backward: {expected:,} bytes")


@pytest.mark.saved
def test_each_operation_says_what_it_holds():
    x = torch.ones(3, requires_grad=True)
    graph = read_graph(x.exp() * x, {"x": x}, saved="sizes")
    held = {n.op: dict(n.attrs).get("saves") for n in graph.nodes if n.kind == "op"}
    assert held == {"MulBackward0": "12 bytes", "ExpBackward0": "12 bytes"}
    remark = "Saved for backward: 12 bytes, beside 12 bytes of leaves; tensors: 3; "
    assert graph.remarks == (remark + "what they share counts once.",)


@pytest.mark.saved
def test_what_a_checkpoint_holds_is_said_not_to_be_counted():
    x = torch.ones(3, requires_grad=True)
    y = checkpoint(lambda t: t.sin().exp(), x, use_reentrant=False)
    remark = read_graph(y, saved="sizes").remarks[0]
    assert remark.startswith("Saved for backward: 0 bytes")
    assert remark.endswith(
        "Not counted: 2, which are packed, computed again or unknown."
    )
