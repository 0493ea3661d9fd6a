"""Reading: every kind of graph, true to the graph, and without a side effect."""

import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import Thread

import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

import torchutils
from torchutils import make_dot, read_graph, record_backward, trace_lines


def leaf(*shape: int, **options: object) -> torch.Tensor:
    return torch.ones(shape, requires_grad=True, **options)


class Cube(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x, None)
        return x**3

    @staticmethod
    def backward(ctx, grad):
        return 3 * ctx.saved_tensors[0] ** 2 * grad


def after_backward():
    y = (leaf(3) ** 2).sum()
    y.backward()
    return y


def custom_after_backward():
    y = Cube.apply(leaf(3)).sum()
    y.backward()
    return y


def changed_in_place():
    a = leaf(3).clone()
    b = a**2
    a.add_(1)
    return b.sum()


def held_by_hooks():
    with torch.autograd.graph.saved_tensors_hooks(lambda t: "packed", lambda p: 1 / 0):
        return (leaf(3) ** 2).sum()


def inside_grad():
    x = leaf(3)
    g = torch.autograd.grad((x**3).sum(), x, create_graph=True)[0]
    return (g**2).sum()


def view_of_view():
    base = leaf(4, 4) * 1
    part = base[1:, :2]
    part.mul_(3)
    return base.sum() + part.T.sum()


def nested(layout: torch.layout, factor: int = 2) -> torch.Tensor:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parts = [torch.ones(2), torch.ones(3)]
        leaf = torch.nested.nested_tensor(parts, layout=layout, requires_grad=True)
        return leaf if factor == 1 else leaf * factor


def inference():
    with torch.inference_mode():
        return torch.ones(3) * 2


def compiled():
    return torch.compile(lambda t: (t.sin() * 2).sum(), backend="aot_eager")(leaf(3))


def functorch():
    return torch.vmap(lambda t: (t**2).sum())(leaf(3, 2)).sum()


def lstm():
    return nn.LSTM(2, 3)(torch.ones(4, 1, 2))[0].sum()


CASES: dict[str, tuple[Callable[[], object], str]] = {
    "list": (lambda: [leaf(3) * 2, leaf(2) + 1], "4 nodes, 2 edges"),
    "dict": (lambda: {"o": leaf(3) * 2}, "2 nodes, 1 edge"),
    "leaf itself": (lambda: leaf(3), "1 node, 0 edges"),
    "edge": (
        lambda: torch.autograd.graph.get_gradient_edge(leaf(3) * 2),
        "2 nodes, 1 edge",
    ),
    "no graph": (lambda: torch.ones(3), "no autograd graph: 1 tensor"),
    "integer": (lambda: torch.arange(3), "no autograd graph: 1 tensor"),
    "inference": (inference, "no autograd graph: 1 tensor"),
    "no grad mode": (lambda: (leaf(3) * 2).detach(), "no autograd graph: 1 tensor"),
    "after backward": (after_backward, "3 nodes, 2 edges"),
    "custom": (lambda: Cube.apply(leaf(3)).sum(), "3 nodes, 2 edges"),
    "custom after backward": (custom_after_backward, "3 nodes, 2 edges"),
    "changed in place": (changed_in_place, "4 nodes, 3 edges"),
    "held by hooks": (held_by_hooks, "3 nodes, 2 edges"),
    "grad in forward": (inside_grad, "autograd graph: "),
    "views": (view_of_view, "autograd graph: "),
    "strided nested": (lambda: nested(torch.strided), "2 nodes, 1 edge"),
    "jagged nested": (lambda: nested(torch.jagged), "2 nodes, 1 edge"),
    "sparse": (lambda: torch.eye(3).to_sparse().requires_grad_() * 2, "2 nodes"),
    "complex": (lambda: (leaf(2, dtype=torch.complex64) * 1j).abs(), "3 nodes"),
    "bfloat16": (lambda: leaf(2, dtype=torch.bfloat16).exp(), "2 nodes"),
    "meta": (lambda: leaf(2, device="meta") * 2, "2 nodes, 1 edge"),
    "empty": (lambda: leaf(0).sum(), "2 nodes, 1 edge"),
    "nan": (lambda: leaf(2) * torch.tensor([float("nan"), float("inf")]), "2 nodes"),
    "compiled": (compiled, "2 nodes, 1 edge"),
    "vmap inside": (functorch, "autograd graph: "),
    "lstm": (lstm, "autograd graph: "),
    "einsum": (lambda: torch.einsum("ij,jk->ik", leaf(2, 2), leaf(2, 2)), "autograd"),
    "max": (lambda: leaf(3).max(0).values, "2 nodes, 1 edge"),
    "unbind": (lambda: leaf(3).unbind()[1] * 2, "3 nodes, 2 edges"),
    "foreach": (lambda: torch.stack([leaf(2), leaf(2)]).sum(), "4 nodes, 3 edges"),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("options", [{}, {"attrs": True, "saved": True}])
def test_every_case_is_read_and_drawn(case, options):
    make, expected = CASES[case]
    drawing = make_dot(make(), **options)
    assert expected in repr(drawing)
    assert drawing.html.startswith("<figure")
    assert drawing.source.startswith("digraph")
    assert drawing.json.startswith("{")
    assert drawing.text


NOTES = {
    "after backward": "saved tensors freed",
    "custom": "custom Function",
    "custom after backward": "saved tensors freed",
    "changed in place": "self changed in place: backward fails",
    "held by hooks": "saved tensors packed by a hook",
    "views": "sum(",
    "integer": "its type, int64, cannot require a gradient",
    "inference": "inference mode",
    "compiled": "compiled: one node",
    "unbind": "output 1",
    "sparse": "sparse_coo",
}


@pytest.mark.parametrize("case", NOTES)
@pytest.mark.saved
def test_case_is_explained(case):
    drawing = make_dot(CASES[case][0]())
    assert NOTES[case] in drawing.text + drawing.html


@pytest.mark.parametrize("options", [{}, {"attrs": True, "saved": True, "values": 50}])
@pytest.mark.saved
def test_checkpointed_forward_is_never_run_again(options):
    runs = []

    def block(t):
        runs.append(1)
        return (t**2).sin().exp()

    y = checkpoint(block, leaf(3), use_reentrant=False).sum()
    assert "computed again (checkpoint)" in make_dot(y, **options).html
    assert len(runs) == 1


def test_parallel_edges_are_both_read():
    x = leaf(3)
    assert [(e.src, e.dst, e.arg) for e in read_graph(x * x).edges] == [
        (1, 0, 0),
        (1, 0, 1),
    ]


def test_operand_order_tells_a_minus_b_from_b_minus_a():
    a, b = leaf(3), leaf(3)
    names = {"a": a, "b": b}
    assert make_dot(a - b, names).text != make_dot(b - a, names).text
    assert "sub(b, a)" in make_dot(b - a, names).text


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda x: x**2, ("exponent", 2)),
        (lambda x: x**3, ("exponent", 3)),
        (lambda x: x * 2, ("other", 2)),
        (lambda x: x * 2.5, ("other", 2.5)),
        (lambda x: x / 4, ("other", 4)),
        (lambda x: x.sum(-1), ("dim", (-1,))),
        (lambda x: torch.softmax(x, -1), ("dim", -1)),
        (lambda x: torch.sub(x, x, alpha=3), ("alpha", 3)),
    ],
)
@pytest.mark.saved
def test_constant_is_read(make, expected):
    assert expected in read_graph(make(leaf(3))).nodes[0].attrs


@pytest.mark.saved
def test_named_constant_is_called_by_its_name():
    c = torch.ones(3)
    assert ("other", "c") in read_graph(leaf(3) * c, {"c": c}).nodes[0].attrs


def test_output_index_is_read():
    parts = leaf(3).unbind()
    assert read_graph(parts[2] * parts[1]).edges[0].out == 2


def test_names_of_outputs_are_kept_apart():
    a, b = leaf(2).unbind()
    assert "sub(b, a)" in make_dot(b - a, {"a": a, "b": b}).text


@pytest.mark.saved
def test_unnamed_value_is_recovered_from_what_its_consumer_saved():
    x = torch.arange(4.0, requires_grad=True)
    assert read_graph(torch.dot(x, x**2)).nodes[2].value == (0, 1, 4, 9)


def test_value_that_nobody_kept_is_not_invented():
    x = torch.arange(4.0, requires_grad=True)
    assert read_graph((x * 2).sum()).nodes[1].value is None


def test_grad_is_pending_then_there():
    x = leaf(2)
    y = (x * 2).sum()
    before = make_dot(y).text
    y.backward()
    after = make_dot(y).text
    assert "grad: not computed yet" in before
    assert "grad [2, 2]" in after


def test_zero_grad_is_shown_as_zero_not_as_missing():
    x = leaf(2)
    x.grad = torch.zeros(2)
    assert "grad [0, 0]" in make_dot((x * 2).sum()).text


@pytest.mark.saved
def test_retained_grad_of_intermediate_is_shown():
    x = leaf(2)
    z = x * 3
    z.retain_grad()
    y = z.sum()
    assert "z = mul(x): (2,) · float32, other = 3, [3, 3], grad: not" in (
        make_dot(y, {"x": x, "z": z}).text
    )


def test_retained_grad_is_known_where_numbers_are_not_read():
    x = leaf(2)
    z = x * 3
    z.retain_grad()
    y = z.sum()
    y.backward()
    assert "grad: not computed yet" not in make_dot(y, {"z": z}, values=0).text


def test_constant_called_outputs_is_no_count_of_outputs():
    c = torch.ones(2)
    assert "output 0" not in make_dot((leaf(2) * c).exp(), {"outputs": c}).source


def test_hooks_are_shown():
    x = leaf(2)
    x.register_hook(lambda g: g)
    x.register_post_accumulate_grad_hook(lambda p: None)
    assert read_graph(x * 2).leaves[0].notes == (
        "hooks: 1",
        "hooks after accumulation: 1",
    )


def test_tensor_without_a_graph_has_its_notes():
    assert read_graph(torch.eye(2).to_sparse()).nodes[0].notes == ("sparse_coo",)


def test_names_and_shapes_alone_are_read_where_no_number_is():
    x = leaf(2)
    x.register_hook(lambda g: g)
    assert read_graph(x * 2, values=0).leaves[0].notes == ()


def test_view_and_version_are_shown():
    x = leaf(4)
    base = x * 1
    part = base[:2]
    part.mul_(2)
    notes = read_graph(part.sum(), {"base": base, "part": part}).nodes[1].notes
    assert notes == ("view of base", "changed in place: version 1")


def test_several_names_are_all_shown():
    x = leaf(2)
    assert read_graph(x * 2, {"x": x, "weight": x}).leaves[0].names == ("x", "weight")


def test_source_line_is_shown_without_its_path():
    x = leaf(2)
    with trace_lines():
        y = x * 3  # the line
    line = read_graph(y).nodes[0].line
    assert line.endswith("y = x * 3  # the line")
    assert "/" not in line


def run(code: str) -> subprocess.CompletedProcess[str]:
    utils = str(Path(torchutils.__file__).parent.parent)
    env = {**os.environ, "PYTHONPATH": utils}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, env=env, check=False)


@pytest.mark.parametrize("length", [5_000, 100_000])
def test_deep_chain_is_cut_announced_and_freed(length):
    code = f"""if True:
        import torch, warnings
        from torchutils import make_dot
        warnings.simplefilter("ignore")
        y = torch.ones(2, requires_grad=True)
        for _ in range({length}):
            y = y * 1.01
        d = make_dot(y)
        assert d.graph.truncated == 500, d.graph.truncated
        assert "stopped after 500 nodes" in d.html
        del y
        print(d)
    """
    done = run(code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("stopped after 500")


def changed_list():
    x, places = leaf(3), torch.tensor([0, 1])
    y = x[places]
    places.add_(1)
    return y.sum()


def changed_result():
    y = leaf(3).exp()
    z = y * 2
    y.add_(1)
    return z.sum()


class Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        y = x**2
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx, grad):
        return 2 * ctx.saved_tensors[0] * grad


def changed_function():
    a = leaf(3) * 1
    b = Square.apply(a)
    with torch.no_grad():
        a.add_(10)
    return b.sum()


def changed_result_of_function():
    b = Square.apply(leaf(3) * 1)
    c = b * 1
    b.add_(1)
    return c.sum()


def long_and_changed():
    x = leaf(2)
    a = x * 1
    b = a**2
    for _ in range(60):
        b = torch.sin(b) + x
    a.add_(1)
    return b.sum()


def changed_input(*, reentrant: bool):
    a = leaf(3) * 1
    y = checkpoint(torch.sin, a, use_reentrant=reentrant)
    a.add_(1)
    return y.sum()


CHANGED = [
    (
        partial(changed_input, reentrant=True),
        "tensors[0] changed in place: backward fails",
    ),
    (
        partial(changed_input, reentrant=False),
        "computed again (checkpoint) from a changed input: backward fails",
    ),
    (changed_in_place, "self changed in place: backward fails"),
    (changed_list, "indices[0] changed in place: backward fails"),
    (changed_result, "result changed in place: backward fails"),
    (changed_function, "tensors[0] changed in place: backward fails"),
    (changed_result_of_function, "tensors[1] changed in place: backward fails"),
    (long_and_changed, "self changed in place: backward fails"),
]


@pytest.mark.parametrize(("make", "note"), CHANGED)
@pytest.mark.saved
def test_change_that_stops_backward_is_told(make, note):
    y = make()
    text = make_dot(y, fold=False).text
    assert [
        n for n in text.replace(": ", ", ").split(", ") if n == note
    ] or note in text
    assert text.count("backward fails") == 1
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()


def test_operation_inside_a_changed_view_is_said_to_be_hidden():
    base, factor = leaf(3) * 1, torch.ones(2)
    base[:2].mul_(factor)
    factor.add_(1)
    assert "saved tensors not checked: PyTorch hides them" in make_dot(base.sum()).text


@pytest.mark.saved
def test_freed_list_is_told():
    y = leaf(3)[torch.tensor([0, 1])].sum()
    y.backward()
    assert "saved tensors freed" in make_dot(y).text


def spent(x):
    y = (x**2).sum()
    y.backward()
    x.grad = None
    return y


def frozen(x):
    y = x * 3
    x.requires_grad_(False)
    return y


def stepped(x):
    y = x * 3
    with torch.no_grad():
        x -= 1
    return y


def saved_anew(x):
    with torch.no_grad():
        x -= 1
    return x**2


STATES = [
    (spent, ["grad None", "Backward would fail"], "not computed yet"),
    (frozen, ["requires no gradient any more"], "not computed yet"),
    (stepped, ["changed in place: version 1, perhaps after its use"], "fails"),
    (saved_anew, ["x: leaf · (2,) · float32, [0, 0], grad: not"], "changed"),
]


@pytest.mark.parametrize(("make", "told", "untold"), STATES)
@pytest.mark.saved
def test_state_of_a_leaf_is_told_as_it_is(make, told, untold):
    x = leaf(2)
    text = make_dot(make(x), {"x": x}).text
    assert [t for t in told if t not in text] == []
    assert untold not in text


@pytest.mark.parametrize(
    "options",
    [
        lambda x: (torch.div(x, 2, rounding_mode=m) for m in ("floor", "trunc")),
        lambda x: (nn.functional.gelu(x, approximate=a) for a in ("none", "tanh")),
        lambda x: (
            x.new_zeros(2).scatter_reduce(0, x.detach().long(), x, reduce=r)
            for r in ("sum", "prod", "amax")
        ),
    ],
)
def test_options_that_are_words_tell_drawings_apart(options):
    x = leaf(2, device="meta")  # no number tells them apart
    drawings = [make_dot(y, {"x": x}).source for y in options(x)]
    assert len(set(drawings)) == len(drawings)


def test_constant_before_an_operand_counts():
    x, c = leaf(2), torch.ones(2)
    texts = [make_dot(y, {"x": x}, values=0).text for y in (c - x, x - c)]
    assert ["sub(constant, x)" in texts[0], "sub(x)" in texts[1]] == [True, True]


ALONE = {
    "dense": lambda: leaf(2),
    "sparse": lambda: torch.eye(2).to_sparse().requires_grad_(),
    "csr": lambda: torch.eye(2).to_sparse_csr().requires_grad_(),
    "meta": lambda: leaf(2, device="meta"),
    "jagged": lambda: nested(torch.jagged, 1),
    "strided nested": lambda: nested(torch.strided, 1),
    "complex": lambda: leaf(2, dtype=torch.complex64),
}


@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support")
@pytest.mark.parametrize(
    "mode", [torch.enable_grad, torch.no_grad, torch.inference_mode]
)
@pytest.mark.parametrize("kind", ALONE)
def test_leaf_alone_is_read_in_every_mode(kind, mode):
    x = ALONE[kind]()
    with mode():
        graph = read_graph([x], {"x": x})
    assert [(n.kind, n.names) for n in graph.nodes] == [("leaf", ("x",))]


def test_leaf_alone_is_the_leaf_of_other_outputs():
    x = leaf(2)
    assert len(read_graph([x, x * 2]).nodes) == 2


def test_result_without_grad_mode_is_said_to_be_so():
    x = leaf(2)
    with torch.no_grad():
        y = x * 2
    assert "or it was made under torch.no_grad()" in make_dot(y).text


def renewed_view():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    base = x * 1
    v = base[:1]
    base.mul_(10)
    return v * v, locals()


def two_threads():
    made = {}
    x = leaf(2)

    def begin():
        for _ in range(50):
            made["y"] = made.get("y", x) * 2

    thread = Thread(target=begin)
    thread.start()
    thread.join()
    return made["y"].sin(), {"x": x}


@pytest.mark.parametrize("make", [renewed_view, two_threads])
def test_operands_are_made_before_they_are_used(make):
    y, names = make()
    graph = read_graph(y, names)
    place = {i: k for k, i in enumerate(graph.forward)}
    assert len(place) == len(graph.nodes)
    assert all(place[e.src] < place[e.dst] for e in graph.edges)
    assert record_backward(y.sum(), names).html


def test_cut_is_a_warning():
    with pytest.warns(UserWarning, match="stopped after 2 nodes"):
        read_graph((leaf(2) * 2).exp().sum(), max_nodes=2)


def endless() -> list[object]:
    outputs: list[object] = [leaf(2) * 2]
    outputs.append({"again": outputs})
    return outputs


def deep(levels: int) -> object:
    outputs: object = leaf(2) * 2
    for _ in range(levels):
        outputs = (outputs, outputs)
    return outputs


def test_nested_pairs_are_read_at_once():
    """2 ** 90 would not end."""
    assert len(read_graph(deep(90)).nodes) == 2


BAD = [
    (lambda: make_dot(endless()), ValueError, "again'] is a container that holds it"),
    (lambda: make_dot(deep(102)), ValueError, "over 100 deep: pass the tensors in a l"),
    (lambda: make_dot(3), TypeError, "no tensor to draw in 'int'"),
    (lambda: make_dot([]), TypeError, "no tensor to draw in 'list'"),
    (lambda: make_dot(leaf(2) * 2, 5), TypeError, "a mapping such as locals"),
    (lambda: make_dot(leaf(2), colour=1), TypeError, "keyword argument 'colour'"),
    (lambda: make_dot(), TypeError, "no tensor to draw in 'NoneType'"),
    (
        lambda: make_dot(nn.Linear(2, 2), leaf(2)),
        TypeError,
        r"make_dot\(model\(x\), model\)",
    ),
    (lambda: make_dot(torch.sin), TypeError, "sin is a function, .*: call it"),
    (
        lambda: make_dot(leaf(2), saved="size"),
        ValueError,
        "one of True, False, 'sizes'",
    ),
    (
        lambda: make_dot(leaf(2), highlight=3),
        TypeError,
        "tensors or their names, not i",
    ),
    (lambda: make_dot(leaf(2), path_to="q"), ValueError, "path_to: 'q' is not in the"),
    (
        lambda: make_dot(leaf(2), path_to=leaf(2)),
        ValueError,
        "the tensor is not in the",
    ),
    (lambda: make_dot(leaf(2), style="x"), ValueError, "'x' is not one of lesson"),
    (lambda: make_dot(leaf(2), direction="X"), ValueError, "one of auto, LR, TB"),
    (lambda: make_dot(leaf(2), fold="X"), ValueError, "one of auto, True, False"),
    (lambda: make_dot(leaf(2), values=-1), ValueError, "values=-1"),
    (lambda: make_dot(leaf(2), max_nodes=0), ValueError, "max_nodes=0"),
    (lambda: make_dot(leaf(2), max_nodes=2001), ValueError, "force=True"),
]


@pytest.mark.parametrize(("call", "error", "message"), BAD)
def test_wrong_call_is_refused_at_the_door(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("change", [spent, lambda x: (x**2).sum()])
def test_gradient_that_is_not_there_is_not_foretold_where_nothing_else_is_read(change):
    x = leaf(2)
    drawing = make_dot(change(x), {"x": x}, values=0)
    assert "grad None" in drawing.text
    assert "grad None" in drawing.source
    assert "not computed yet" not in drawing.text + drawing.source
