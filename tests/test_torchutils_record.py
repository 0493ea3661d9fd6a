"""A recorded backward pass: true numbers, the engine's order, no side effect."""

import gc
import gzip
import json
import re
import weakref

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch.utils.checkpoint import checkpoint

from torchutils import make_dot, record_backward
from torchutils.graph import NONE, engine_order
from torchutils.labels import operation

ONE = {"neg": torch.neg, "sin": torch.sin, "cube": lambda a: a**3, "clone": torch.clone}
TWO = {"add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": None}
TWO["div"] = lambda a, b: torch.div(a, b)
KIND = {"cube": "pow"}


@st.composite
def programs(draw: st.DrawFn) -> tuple[int, list[tuple[str, tuple[int, ...]]]]:
    """Draw a count of leaves and a list of operations on earlier results."""
    leaves = draw(st.integers(1, 3))
    steps = []
    for k in range(draw(st.integers(1, 9))):
        name = draw(st.sampled_from([*ONE, *TWO]))
        count = 1 if name in ONE else 2
        known = st.integers(0, leaves + k - 1)
        steps.append((name, tuple(draw(known) for _ in range(count))))
    return leaves, steps


def run(leaves, steps):
    made = [
        torch.tensor([0.7 + k, 1.9 - k / 3], dtype=torch.float64, requires_grad=True)
        for k in range(leaves)
    ]
    for name, args in steps:
        made.append((ONE | TWO)[name](*(made[a] for a in args)))
    return made


def reachable(leaves, steps):
    seen, queue = set(), [leaves + len(steps) - 1]
    while queue:
        k = queue.pop()
        if k not in seen:
            seen.add(k)
            queue += steps[k - leaves][1] if k >= leaves else ()
    return seen


def contribution(name, args, arg, made, upstream):
    """Recompute what one operation sends to one operand, each operand on its own."""
    own = [made[a].detach().requires_grad_() for a in args]
    out = (ONE | TWO)[name](*own)
    return torch.autograd.grad(out, own[arg], upstream)[0]


def ops(order, graph):
    return [i for i in order if graph.nodes[i].kind == "op"]


@given(programs())
@settings(max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck))
def test_random_graph_is_read_and_recorded_exactly(program):
    leaves, steps = program
    made = run(leaves, steps)
    names = {f"t{k}": t for k, t in enumerate(made)}
    graph = make_dot(made[-1], names).graph
    at = {n.names[0]: n for n in graph.nodes}
    kept = reachable(leaves, steps)
    assert set(at) == {f"t{k}" for k in kept}
    wires = {
        (graph.nodes[e.src].names[0], graph.nodes[e.dst].names[0], e.arg)
        for e in graph.edges
    }
    expected = {
        (f"t{a}", f"t{k}", j)
        for k in kept
        if k >= leaves
        for j, a in enumerate(steps[k - leaves][1])
    }
    assert wires == expected
    assert len(graph.edges) == len(expected)
    upstream = torch.tensor([1.0, -2.0], dtype=torch.float64)
    inner = [made[k] for k in sorted(kept)]
    true = torch.autograd.grad(made[-1], inner, upstream, retain_graph=True)
    record = record_backward(made[-1], names, gradient=upstream).graph
    assert ops(record.backward, graph) == ops(engine_order(graph), graph)
    for k, grad in zip(sorted(kept), true, strict=True):
        assert record.nodes[at[f"t{k}"].id].adjoint == pytest.approx(
            tuple(grad.tolist()), nan_ok=True
        )
    adjoints = dict(zip(sorted(kept), true, strict=True))
    for e in record.edges:
        k = int(record.nodes[e.dst].names[0][1:])
        name, args = steps[k - leaves]
        sent = contribution(name, args, e.arg, made, adjoints[k])
        assert e.grad == pytest.approx(tuple(sent.tolist()), nan_ok=True)


def test_leaf_grad_equals_sum_of_contributions():
    x = torch.arange(4.0, requires_grad=True)
    graph = record_backward(torch.dot(x, x**2)).graph
    total = [
        sum(parts)
        for parts in zip(
            *(e.grad for e in graph.edges if graph.nodes[e.src].kind == "leaf"),
            strict=True,
        )
    ]
    assert total == x.grad.tolist() == [0, 3, 12, 27]


def build():
    x = torch.arange(4.0, requires_grad=True)
    x.grad = torch.ones(4)
    z = x**2
    z.retain_grad()
    w = torch.full((4,), 2.0, requires_grad=True)
    return x, z, w, torch.dot(x, z * w)


def state(x, z, w, y):
    return [
        (t.grad.tolist(), t.grad.stride(), t._version, t.grad.requires_grad)
        for t in (x, z, w)
    ] + [y.grad_fn._raw_saved_self.data is None]


@pytest.mark.saved
def test_record_leaves_the_state_of_plain_backward():
    plain, recorded = build(), build()
    plain[-1].backward()
    record_backward(recorded[-1])
    assert state(*recorded) == state(*plain)


def test_record_removes_its_hooks_when_backward_fails():
    x = torch.arange(4.0, requires_grad=True)
    x.register_hook(lambda g: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        record_backward(torch.dot(x, x))
    x._backward_hooks.clear()
    other = record_backward((x * 3).sum(), {"x": x}).graph
    assert other.backward == engine_order(other)


def test_user_hook_changes_the_adjoint_not_the_contribution():
    x = torch.ones(2, requires_grad=True)
    x.register_hook(lambda g: 10 * g)
    graph = record_backward((x * 3).sum(), {"x": x}).graph
    assert graph.leaves[0].adjoint == (30.0, 30.0)
    assert [e.grad for e in graph.edges if e.src == graph.leaves[0].id] == [(3.0, 3.0)]


def test_retain_graph_allows_a_second_record():
    x = torch.ones(2, requires_grad=True)
    y = (x * x).sum()
    record_backward(y, retain_graph=True)
    record_backward(y)
    assert x.grad.tolist() == [4.0, 4.0]


@pytest.mark.filterwarnings("ignore:Using backward.. with create_graph")
def test_create_graph_makes_differentiable_grad():
    x = torch.tensor(3.0, requires_grad=True)
    record_backward(x**3, create_graph=True)
    second = torch.autograd.grad(x.grad, x)[0]
    x.grad = None
    assert second.item() == 18.0


def test_inputs_limits_what_is_written():
    x, w = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    record_backward((x * w).sum(), inputs=[x])
    assert w.grad is None


def test_several_outputs_take_several_gradients():
    x = torch.ones(2, requires_grad=True)
    ones = [torch.ones(2), torch.ones(2)]
    record_backward([x * 2, x * 3], gradient=ones)
    assert x.grad.tolist() == [5.0, 5.0]


def test_unknown_option_is_refused_before_backward_runs():
    x = torch.ones(2, requires_grad=True)
    with pytest.raises(TypeError, match="keyword argument 'colour'"):
        record_backward((x * 2).sum(), colour=1)
    assert x.grad is None


def test_record_without_graph_says_why():
    with pytest.raises(ValueError, match="nothing to record"):
        record_backward(torch.ones(2))


def test_text_spells_the_accumulation_out():
    x = torch.arange(4.0, requires_grad=True)
    z = x**2
    text = record_backward(torch.dot(x, z), {"x": x, "z": z}).text
    assert "x adds up [0, 1, 4, 9] + [0, 2, 8, 18] = [0, 3, 12, 27]" in text


def test_text_says_what_grad_held_before():
    x = torch.tensor(3.0, requires_grad=True)
    for _ in range(2):
        drawing = record_backward(x * x, {"x": x})
    assert drawing.text.endswith("its .grad was 6, is 6 + 6 = 12")
    assert "grad before = 6" in drawing.html


@pytest.mark.parametrize(
    ("make", "rule"),
    [
        (lambda x, c: x * c, "Σ(g · c) = Σ(1 · [2, 3]) = 5"),
        (lambda x, c: c - x, "Σ(−g) = Σ(−1) = -2"),
        (lambda x, c: 1 / x, "−g · out² = −1 · 0.5² = -0.25"),
        (lambda x, c: 2 - x, "−g = −1 = -1"),
        (lambda x, c: (x * c).mean(), "g / 2, copied to each = 1 / 2, copied"),
        (lambda x, c: (-x) ** 2, "g · 2 · #1^(2 − 1) = 1 · 2 · (-2)^(2 − 1) = -4"),
        (lambda x, c: (c - x) * -3, "Σ(−g) = Σ(−[-3, -3]) = 6"),
        (lambda x, c: (1 - x) * -3, "−g = −(-3) = 3"),
        (lambda x, c: (-x).sin(), "g · cos #1 = 1 · cos (-2) = -0.4161"),
        (lambda x, c: x.sub(c, alpha=2), "sends to x: 2"),
    ],
)
@pytest.mark.saved
def test_text_spells_the_rule_with_numbers(make, rule):
    x, c = torch.tensor(2.0, requires_grad=True), torch.tensor([2.0, 3.0])
    y = make(x, c)
    ones = torch.ones_like(y)
    text = record_backward(y, {"x": x, "c": c, "y": y}, gradient=ones).text
    assert rule in text.replace("[1, 1]", "1")


NAN = float("nan")
RULED = {
    "relu": (lambda x, w: x.relu(), [-1.0, 0.0, NAN, 2.0], [1.0] * 4),
    "abs": (lambda x, w: x.abs(), [-1.0, 0.0, NAN, 2.0], [1.0] * 4),
    "maximum": (torch.maximum, [1.0, 2.0, NAN, 3.0], [1.0, 4.0, 5.0, NAN]),
    "minimum": (torch.minimum, [1.0, 2.0, NAN, 3.0], [1.0, 4.0, 5.0, NAN]),
    "power of 0": (lambda x, w: x**0, [0.0, 2.0], [1.0] * 2),
    "power of 1": (lambda x, w: x**1, [0.0, 2.0], [1.0] * 2),
    "powers": (lambda x, w: x ** torch.tensor([0.0, 3.0]), [0.0, 2.0], [1.0] * 2),
    "floor": (lambda x, w: torch.div(x, w, rounding_mode="floor"), [3.0], [2.0]),
    "trunc": (lambda x, w: torch.div(x, w, rounding_mode="trunc"), [3.0], [2.0]),
    "div": (torch.div, [3.0, 0.0], [2.0, -4.0]),
    "reciprocal": (lambda x, w: 1 / x, [3.0, -2.0], [1.0] * 2),
    "sqrt": (lambda x, w: x.sqrt(), [4.0, 0.0], [1.0] * 2),
    "log": (lambda x, w: x.log(), [4.0, 0.5], [1.0] * 2),
    "exp": (lambda x, w: x.exp(), [1.0, -2.0], [1.0] * 2),
    "sin": (lambda x, w: x.sin() * w.cos(), [1.0, -2.0], [3.0, 4.0]),
    "tanh": (lambda x, w: x.tanh() * w.sigmoid(), [1.0, -2.0], [3.0, 4.0]),
    "mul": (torch.mul, [1.0, -2.0], [3.0, 4.0]),
    "dot": (torch.dot, [1.0, -2.0], [3.0, 4.0]),
    "sum": (lambda x, w: x.sum() * w, [1.0, -2.0], [3.0, 4.0]),
    "mean": (lambda x, w: x.mean() - w.mean(), [1.0, -2.0], [3.0, 4.0]),
    "alpha": (lambda x, w: torch.sub(x, w, alpha=3), [1.0, -2.0], [3.0, 4.0]),
    "node's hook": (lambda x, w: hooked(x * w), [1.0, -2.0], [3.0, 4.0]),
}
UNSPELLED = ("power of 0", "powers", "floor", "trunc", "alpha", "node's hook")
_V = r"(\[.*?\]|[^\s,]+)"
PYTHON = [
    (
        rf"^0 where {_V} ([<>]) {_V}, {_V} / 2 where equal, else {_V}$",
        r"where(\1 \2 \3, 0 * \5, where(\1 == \3, \4 / 2, \5))",
    ),
    (rf"^0 where {_V} ≤ 0, else {_V}$", r"where(\1 <= 0, 0 * \2, \2)"),
    (", copied to each$", ""),
    (
        r"\[.*?\]|(?<![\w.\[])-?(?:\d[\d.]*(?:e[-+]\d+)?|\bnan\b|inf)",
        lambda m: f"T({m[0]})",
    ),
    (r"(sign|cos|sin) (\(T\(.*?\)\)|T\(.*?\))", r"\1(\2)"),
    ("·", "*"),
    ("−", "-"),
    ("²", "**2"),
    (r"\^", "**"),
]


def hooked(y):
    y.grad_fn.register_hook(
        lambda sent, _: tuple(g if g is None else 10 * g for g in sent)
    )
    return y


def evaluate(rule: str) -> torch.Tensor:
    """Compute what a rule says, with the numbers in it."""
    for pattern, python in PYTHON:
        rule = re.sub(pattern, python, rule)
    known = {name: getattr(torch, name) for name in ("cos", "sin", "sign", "where")}
    known |= {"nan": NAN, "inf": float("inf"), "Σ": torch.sum}
    return eval(rule, known | {"T": lambda v: torch.tensor(v, dtype=torch.float64)})


def laws(record) -> list[tuple[str, str]]:
    """Return each rule with numbers in it, and what it is said to be."""
    found = []
    for line in record.text.splitlines():
        _, sends, law = line.partition("; ")[0].partition(": ")
        *rules, result = law.split(" = ")
        if sends and " sends to " in line:
            found += [(rule, result) for rule in rules[1:]]
    return found


@pytest.mark.parametrize("name", RULED)
@pytest.mark.saved
def test_rule_with_numbers_computes_what_it_says(name):
    make, *numbers = RULED[name]
    x, w = (torch.tensor(v, dtype=torch.float64).requires_grad_() for v in numbers)
    y = make(x, w)
    record = record_backward(y, {"x": x, "w": w, "y": y}, gradient=torch.ones_like(y))
    found = laws(record)
    assert bool(found) == (name not in UNSPELLED)
    for rule, result in found:
        pair = torch.broadcast_tensors(evaluate(rule), evaluate(result))
        assert torch.allclose(*pair, rtol=2e-3, atol=1e-3, equal_nan=True), rule


def test_rule_of_complex_numbers_conjugates_or_is_left_out():
    c, d = (torch.tensor(v, requires_grad=True) for v in (1 + 2j, 2j))
    text = record_backward((c * d - c).abs(), {"c": c, "d": d}).text
    assert " sends to c: −g = " in text
    assert "·" not in text.partition("Backward")[2]


SAID = {
    "tensor's hook": (
        lambda x: (x.register_hook(lambda g: g * 10), (x * 3 + x * 2).sum())[1],
        ["x adds up 2 + 3 = 5", "its .grad was None, is 50; a hook made 50 of 5"],
    ),
    "hook of a result": (
        lambda x: ((z := x * 3).register_hook(lambda g: g * 10), z * 2)[1],
        ["(mul) has its turn: g = 20; a hook made 20 of 2"],
    ),
    "node's hook": (
        lambda x: hooked(x * 3),
        ["sends to x: 30, after its hook", "hooks on the node: 1"],
    ),
    "hook after accumulation": (
        lambda x: (x.register_post_accumulate_grad_hook(double), x * 3)[1],
        ["its .grad was None, is 6; something else changed it"],
    ),
    "hook that empties": (
        lambda x: (x.register_post_accumulate_grad_hook(empty), x * 3)[1],
        ["its .grad was None, is None; something else emptied it"],
    ),
    "hook that empties what was held": (
        lambda x: (
            x.register_post_accumulate_grad_hook(empty),
            setattr(x, "grad", torch.tensor(5.0)),
            x * 3,
        )[2],
        ["its .grad was 5, is None; something else emptied it"],
    ),
}


def double(x):
    x.grad *= 2


def empty(x):
    x.grad = None


@pytest.mark.parametrize("case", SAID)
def test_hook_is_said_where_it_changes_a_number(case):
    make, told = SAID[case]
    x = torch.tensor(1.0, requires_grad=True)
    text = record_backward(make(x), {"x": x}).text
    assert [t for t in told if t not in text] == []


def test_output_inside_the_graph_tells_what_it_began_with():
    x = torch.tensor(2.0, requires_grad=True)
    z = x * 3
    y = z * 5
    seeds = [torch.tensor(1.0), torch.tensor(100.0)]
    record = record_backward([y, z], locals(), gradient=seeds)
    assert "z adds up 100 + 5 = 105" in record.text
    assert json.loads(record.json)["seeds"] == [[0, 0, 1], [1, 0, 100]]


def test_output_that_is_given_twice_tells_of_both():
    x = torch.tensor(2.0, requires_grad=True)
    y = x * 3
    seeds = [torch.tensor(v) for v in (1.0, -4.0, 7.0, 1.0)]
    record = record_backward([y, y, x, x], locals(), gradient=seeds)
    assert "y (mul) has its turn: g = -3; y began with 1 + (-4) = -3" in record.text
    assert "x adds up 8 + (-9) = -1" in record.text
    assert "its .grad was None, is -1; x began with 7 + 1 = 8" in record.text
    assert "began" not in record_backward([x * 3, x], {"x": x}).text


def test_rounding_of_a_short_type_is_said():
    x = torch.tensor(1.1, dtype=torch.bfloat16, requires_grad=True)
    assert "type bfloat16 has 8 binary digits" in record_backward(x * x).text


MIXED = {
    "a tensor without a graph": lambda x: {
        "loss": (x * 2).sum(),
        "acc": torch.ones(()),
    },
    "indices": lambda x: x.view(1, -1).max(dim=1),
    "top": lambda x: x.topk(1),
    "packed": lambda x: torch.nn.utils.rnn.pack_sequence([x]),
    "a leaf": lambda x: [x.sum(), x[0] * 1, torch.ones(2)],
}


@pytest.mark.parametrize("case", MIXED)
def test_outputs_without_a_graph_are_let_be(case):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = MIXED[case](x)
    given = [None, None, None] if case == "a leaf" else None
    if case == "packed":
        given = [torch.ones(2), None]
    record = record_backward(y, {"x": x}, gradient=given)
    assert x.grad is not None
    assert "has no autograd graph" in record.html
    assert record.text


def test_gradients_that_fit_no_outputs_are_refused():
    x = torch.ones(2, requires_grad=True)
    with pytest.raises(ValueError, match="gradient has 3 tensors, for 1 outputs"):
        record_backward([x.sum(), torch.ones(2)], gradient=[None] * 3)


ODD = {
    "nothing": lambda: torch.ones(0, requires_grad=True).sum(),
    "mean of nothing": lambda: torch.ones(2, 0, requires_grad=True).sum(1).sum(),
    "dot": lambda: torch.ones(2, requires_grad=True).dot(torch.ones(2)),
}


@pytest.mark.parametrize("device", ["cpu", "meta"])
@pytest.mark.parametrize("case", ODD)
def test_record_shows_itself_whatever_the_device(case, device):
    record = record_backward(ODD[case]())
    with torch.device(device):
        assert "ag-data" in record.html


def test_long_record_is_not_folded_unasked():
    x = y = torch.ones(2, requires_grad=True)
    for _ in range(40):
        y = y * x
    record = record_backward(y.sum(), {"x": x})
    assert "Backward will visit" not in record.text
    assert record.text.count(" sends to ") == 81
    assert '"tape"' in record.html


@pytest.mark.saved
def test_record_with_saved_tensors_can_be_computed_in_its_page():
    x = torch.ones(2, requires_grad=True)
    record = record_backward((x * x).sum(), {"x": x}, saved=True)
    assert [node.kind for node in record.graph.nodes].count("saved") == 2
    assert '"tape"' in record.html


def test_record_that_stopped_says_that_its_page_cannot_compute_it():
    x = y = torch.ones(2, requires_grad=True)
    for _ in range(9):
        y = y * 2
    record = record_backward(y.sum(), {"x": x}, max_nodes=3)
    assert "because of the operations that are not drawn" in record.html


def test_folded_record_says_what_it_leaves_out():
    x = y = torch.ones(2, requires_grad=True)
    for _ in range(40):
        y = y * x
    text = record_backward(y.sum(), {"x": x}, fold=True).text
    assert "What backward sent is left out; fold=False shows it." in text
    assert "Backward will visit" not in text


def test_numbers_in_the_figure_are_marked_with_their_place():
    x = torch.tensor(3.0, requires_grad=True)
    html = record_backward(x * x, {"x": x}).html
    marks = dict(re.findall(r'<b data-v="(\w+)">([^<]*)</b>', html))
    expected = {"v1": "3", "a0": "1", "s1": "3", "p1": "6", "b1": "None", "r1": "6"}
    assert marks | expected == marks


def test_recorded_lesson_figure_is_light():
    x = torch.arange(4.0, requires_grad=True)
    z = x**2
    y = torch.dot(x, z)
    html = record_backward(y, locals()).html.encode()
    assert len(html) <= 13_000  # a wide drawing and a narrow one
    assert len(gzip.compress(html, mtime=0)) <= 3_200


@pytest.mark.parametrize("draw", [make_dot, record_backward])
def test_drawing_keeps_no_activation_alive(draw):
    gc.disable()
    try:
        x = torch.ones(3, requires_grad=True)
        z = x * 2
        y = (z**2).sum()
        alive = weakref.ref(z)
        drawing = draw(y, {"x": x, "z": z, "y": y})
        del z, y
        assert alive() is None
        assert drawing.graph.leaves
    finally:
        gc.enable()


def test_node_that_runs_a_backward_pass_has_its_turn_before_those_in_it():
    x, w = (torch.full((2,), k, requires_grad=True) for k in (1.0, 2.0))
    inner = checkpoint(lambda t: (t * w).sin(), x.exp(), use_reentrant=True)
    graph = record_backward((inner * w).sum(), {"x": x, "w": w}).graph
    nodes = [graph.nodes[i] for i in graph.backward]
    order = [node.names[0] if node.names else operation(node.op) for node in nodes]
    assert order == ["sum", "mul", "w", "checkpoint_function", "w", "exp", "x"]


def test_with_values_off_the_same_gradients_are_known_to_be_there():
    def recorded(values):
        x, w, unused = (torch.ones(3, requires_grad=True) for _ in range(3))
        kept, free = x * 2, w * 3
        kept.retain_grad()
        parts = torch.stack([kept, free]).unbind()
        parts[1].retain_grad()
        y = (parts[0] * parts[1]).sum() + (unused * 1).sum()
        record = record_backward(y, locals(), values=values, inputs=[x, w, kept])
        return record.graph

    def there(graph):
        ones = [(n.id, one) for n in graph.nodes for one in (n, *n.outputs)]
        return [(i, one.grad not in (None, NONE), one.keeps_grad) for i, one in ones]

    off, on = recorded(0), recorded(8)
    assert off.backward == on.backward
    assert there(off) == there(on)
    assert sum(grad for _, grad, _ in there(off)) >= 3
    assert [e.grad is None for e in off.edges] == [e.grad is None for e in on.edges]


class _FirstOnly(torch.autograd.Function):
    @staticmethod
    def forward(ctx, a, b):
        return a + b

    @staticmethod
    def backward(ctx, grad):
        return grad, None


@pytest.mark.parametrize("values", [0, 8])
def test_leaf_that_got_nothing_is_not_said_to_wait(values):
    a, b = (torch.ones(2, requires_grad=True) for _ in range(2))
    kept = a * 2
    kept.retain_grad()
    y = _FirstOnly.apply(a, b.sin()).sum() + 0 * kept.detach().sum()
    record = record_backward([y, kept.sum()], locals(), inputs=[a], values=values)
    assert "not computed yet" not in record.html
    grads = {n.names[0]: n.grad for n in record.graph.leaves}
    assert grads["b"] == "None"
    assert grads["a"] == ((3.0, 3.0) if values else "2 numbers")
