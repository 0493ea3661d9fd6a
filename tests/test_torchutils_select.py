"""Parts of a graph: the paths to a tensor, nodes that stand out, bytes held."""

import json

import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from docs.models import MODELS
from torchutils import make_dot, read_graph, trace_modules
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


def _seen_around_modules(name: str) -> list[tuple[str, int]]:
    """Sum up what torch hands to a hook in each call of a module, parameters aside."""
    model, inputs = _made_of(name)
    own = {p.untyped_storage().data_ptr() for p in model.parameters()}
    calls: list[tuple[str, dict[int, int]]] = []
    running: list[dict[int, int]] = []
    alive = []

    def enter(path: str) -> None:
        running.append({})
        calls.append((path, running[-1]))

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        alive.append(tensor)
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            for held in running:
                held[storage.data_ptr()] = storage.nbytes()
        return tensor

    for path, module in model.named_modules():
        if path:
            module.register_forward_pre_hook(lambda *_, path=path: enter(path))
            module.register_forward_hook(lambda *_: (running.pop(), None)[1])
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
        model(*inputs)
    return [(path, sum(held.values())) for path, held in calls if held]


def _made_of(name: str) -> tuple[nn.Module, tuple[torch.Tensor, ...]]:
    torch.manual_seed(0)
    make, given = MODELS[name]
    return make(), given()


@pytest.mark.saved
@pytest.mark.parametrize("name", ["GPT-2, 12 layers", "ResNet-18"])
def test_bytes_of_each_module_are_those_that_hooks_see_around_it(name):
    model, inputs = _made_of(name)
    with trace_modules(model):
        y = model(*inputs).sum()
    groups = read_graph(y, model, saved="sizes").groups
    assert len(groups) > 40
    held = [(g.label, g.saves) for g in groups if g.saves]
    assert held == _seen_around_modules(name)


@pytest.mark.saved
def test_bytes_of_modules_are_told_in_words_picture_and_json():
    parts = {"a": nn.Linear(2, 3), "b": nn.Sequential(nn.Tanh(), nn.Linear(3, 1))}
    model = nn.Sequential()
    for name, part in parts.items():
        model.add_module(name, part)
    with trace_modules(model):
        y = model(torch.ones(4, 2)).sum()
    told = "By module: b (Sequential) 48 bytes, a (Linear) 32 bytes; what two share"
    frames = make_dot(y, model, saved="sizes", depth=2)
    assert told in frames.text
    assert ">b (Sequential): saves 48 bytes</text>" in frames.svg
    assert 'label="b (Sequential): saves 48 bytes"' in frames.source
    groups = json.loads(frames.json)["groups"]
    assert {g["label"]: g["saves"] for g in groups} == {
        "a": 32,
        "b": 48,
        "b.0": 48,
        "b.1": 48,
    }
    closed = make_dot(y, model, saved="sizes", depth=1)
    assert "b (Sequential) of a: (4, 1) · float32, saves = 48 bytes" in closed.text
    assert ">saves = 48 bytes</text>" in closed.svg


@pytest.mark.saved
def test_bytes_of_guessed_modules_are_said_to_be_guessed():
    model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    y = model(torch.ones(4, 2)).sum()
    told = "By module, as guessed: 2 (Linear) 48 bytes, 0 (Linear) 32 bytes; what two"
    assert told in make_dot(y, model, saved="sizes").text
    assert "By module" not in make_dot(y, saved="sizes").text
