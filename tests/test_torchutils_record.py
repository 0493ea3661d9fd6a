"""A recorded backward pass: true numbers, the engine's order, no side effect."""

import gc
import re
import weakref

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from torchutils import make_dot, record_backward
from torchutils.graph import engine_order

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
    with pytest.raises(TypeError, match="no option 'colour'"):
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
def test_text_spells_the_rule_with_numbers(make, rule):
    x, c = torch.tensor(2.0, requires_grad=True), torch.tensor([2.0, 3.0])
    y = make(x, c)
    ones = torch.ones_like(y)
    text = record_backward(y, {"x": x, "c": c, "y": y}, gradient=ones).text
    assert rule in text.replace("[1, 1]", "1")


def test_numbers_in_the_figure_are_marked_with_their_place():
    x = torch.tensor(3.0, requires_grad=True)
    html = record_backward(x * x, {"x": x}).html
    marks = dict(re.findall(r'<b data-v="(\w+)">([^<]*)</b>', html))
    expected = {"v1": "3", "a0": "1", "s1": "3", "p1": "6", "b1": "None", "r1": "6"}
    assert marks | expected == marks


def test_recorded_lesson_figure_is_under_8_kb():
    x = torch.arange(4.0, requires_grad=True)
    z = x**2
    y = torch.dot(x, z)
    assert len(record_backward(y, locals()).html.encode()) <= 8192


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
