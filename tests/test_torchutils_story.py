"""What a drawing tells, in text, data and walk, against a walker of its own."""

import json
import random
import re
from html import unescape

import pytest
import torch

from torchutils import make_dot, record_backward
from torchutils.html import to_figure
from torchutils.labels import node_lines
from torchutils.saved import SHOWN
from torchutils.text import timeline

COUNT = 2000


class Pair(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2, x * -3

    @staticmethod
    def backward(ctx, a, b):
        return 2 * a - 3 * b


# Every operation takes and makes tensors of shape (2,).
ONE = [
    lambda a, b: a * b,
    lambda a, b: a - b,
    lambda a, b: a + b,
    lambda a, b: a.sin(),
    lambda a, b: a * 3,
    lambda a, b: -a,
]
SEVERAL = [
    lambda a, b: torch.stack([a, b]).unbind(),
    lambda a, b: torch.cat([a, b]).chunk(2),
    lambda a, b: Pair.apply(a),
    lambda a, b: torch.var_mean(torch.stack([a, b, a - b]), 0),
    lambda a, b: torch.cat([a, b, a]).split(2),
    lambda a, b: torch.std_mean(torch.stack([a, b, a * b]), 0),
]
if SHOWN:  # torch 2.10 has no derivative of this
    SEVERAL[-1] = lambda a, b: torch.aminmax(torch.stack([a, b]), dim=0)


def program(seed: int) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Run a few operations, half of them with several outputs; bind names anew."""
    rng = random.Random(seed)
    names, dtype = {}, torch.float64
    for name in "xw":
        numbers = [rng.uniform(0.5, 2), rng.uniform(-2, -0.5)]
        names[name] = torch.tensor(numbers, dtype=dtype, requires_grad=True)
    known = list(names.values())
    for k in range(rng.randint(1, 5)):
        made = rng.choice((ONE, SEVERAL)[k % 2 or rng.randint(0, 1)])(
            rng.choice(known[-3:]), rng.choice(known)
        )
        made = made if isinstance(made, tuple) else (made,)
        known += made
        names |= {rng.choice("abcd"): t for t in made if rng.random() < 0.6}
    return rng.choice(known[-2:]), names


def inputs(fn):
    """Return a node's operands that have a graph, by their numbers."""
    return {k: goal for k, goal in enumerate(fn.next_functions) if goal[0] is not None}


class Truth:
    """The graph as a plain walk over ``next_functions`` finds it."""

    def __init__(self, y, names):
        fn = y.grad_fn
        self.names, self.order = {}, [fn]
        for name, t in names.items():
            self.names.setdefault((self.maker(t), t.output_nr), name)
        for fn in self.order:
            new = dict.fromkeys(f for f, _ in inputs(fn).values())
            self.order += [f for f in new if f not in self.order]
        self.ids = {}

    @staticmethod
    def maker(t):
        return t.grad_fn or t.view_as(t).grad_fn.next_functions[0][0]

    def match(self, graph):
        """Find each node's id in the JSON, edge by edge from the output on."""
        edges = {(e["dst"], e["arg"]): e for e in graph["edges"]}
        roots = [n["id"] for n in graph["nodes"] if n.get("root")]
        assert len(roots) == 1
        assert len(edges) == len(graph["edges"])
        self.ids[self.order[0]] = roots[0]
        for fn in self.order:
            for arg, (source, out) in inputs(fn).items():
                e = edges.pop((self.ids[fn], arg))
                assert self.ids.setdefault(source, e["src"]) == e["src"]
                assert e["out"] == out
        assert not edges
        assert sorted(self.ids.values()) == list(range(len(graph["nodes"])))

    def outputs(self, fn):
        return len(fn._input_metadata) if fn.next_functions else 1

    def word(self, fn, out):
        number = f"[{out}]" if self.outputs(fn) > 1 else ""
        return self.names.get((fn, out), f"#{self.ids[fn]}{number}")

    def head(self, fn):
        return ", ".join(self.word(fn, k) for k in range(self.outputs(fn)))

    def run(self, y, seed, order):
        """Call each node in an order; return turns, contributions and sums."""
        sums, story = {(y.grad_fn, y.output_nr): seed}, []
        for fn in order:
            came = [sums.get((fn, k)) for k in range(self.outputs(fn))]
            story.append((fn, None, came))
            if not fn.next_functions:
                continue
            if hasattr(fn, "apply"):  # a Function of Python, which gets no None
                sent = fn.apply(*(torch.zeros(2) if c is None else c for c in came))
            else:
                sent = fn(*came)
            sent = sent if isinstance(sent, tuple) else (sent,)
            for arg, goal in inputs(fn).items():
                old = sums.get(goal)
                sums[goal] = sent[arg] if old is None else old + sent[arg]
                story.append((fn, arg, (goal, old, sent[arg], sums[goal])))
        return story


def show(t):
    return "[" + ", ".join(f"{v:.4g}" for v in t.tolist()) + "]"


def close(told: str, t: torch.Tensor) -> bool:
    number = r"-?(?:[\d.]+(?:e[-+]\d+)?|nan|inf)"
    first, *last = ([float(n) for n in re.findall(number, p)] for p in told.split("…"))
    every = t.flatten().tolist()
    kept = every[: len(first)] + (every[-len(last[0]) :] if last else [])
    whole = bool(last) or len(first) == len(every)
    return whole and [*first, *(last[0] if last else ())] == approx(kept)


def approx(value):
    return pytest.approx(value, rel=1e-3, abs=1e-3, nan_ok=True)


def same(value, t: torch.Tensor) -> bool:
    found = torch.tensor(value, dtype=torch.float64)
    return found.shape == t.shape and torch.allclose(found, t, equal_nan=True)


def compute(spelled: str) -> torch.Tensor:
    """Evaluate a rule with its numbers."""
    python = spelled.replace("·", "*").replace("−", "-")
    python = re.sub(r"\[.*?\]", lambda m: f"T({m[0]})", python)
    python = re.sub(r"cos (T\(.*?\))", r"cos(\1)", python)
    known = {"T": lambda v: torch.tensor(v, dtype=torch.float64), "cos": torch.cos}
    return eval(python, known)


def check_forward(lines, truth, names):
    heads = {}
    for line in lines:
        head, _, rest = line.partition(": ")
        heads[head.split(" = ")[0]] = head.partition(" = ")[2], rest
    assert len(heads) == len(lines) == len(truth.order)
    told = []
    for fn in truth.order:
        how, rest = heads[truth.head(fn)]
        told.append(truth.head(fn))
        given = [truth.word(*source) for source in inputs(fn).values()]
        if given:
            assert how.partition("(")[2] == ", ".join(given) + ")"
        for k in range(truth.outputs(fn)):
            if name := truth.names.get((fn, k)):
                value = show(names[name])
                several = truth.outputs(fn) > 1
                assert (f"{name} = {value}" if several else value) in rest
    places = {
        line.partition(": ")[0].split(" = ")[0]: k for k, line in enumerate(lines)
    }
    for fn in truth.order:
        for source, _ in inputs(fn).values():
            assert places[truth.head(source)] < places[truth.head(fn)]


def check_backward(lines, truth, story):
    assert len(lines) == len(story)
    for line, (fn, arg, what) in zip(lines, story, strict=True):
        if arg is None and not fn.next_functions:
            assert line.startswith(
                f"{truth.head(fn)} is a leaf: its .grad was None, is "
            )
            assert close(line.rpartition("is ")[2], what[0])
        elif arg is None:
            head, _, g = line.partition(" has its turn: g = ")
            assert head.rpartition(" (")[0] == truth.head(fn)
            if len(what) > 1:
                parts = [
                    f"{show(t)} for {truth.word(fn, k)}"
                    for k, t in enumerate(what)
                    if t is not None
                ]
                assert g == ", ".join(parts)
            else:
                assert close(g, what[0])
        else:
            check_sent(line, truth, fn, *what)


def check_sent(line, truth, fn, goal, old, sent, total):
    sends, _, adds = line.partition("; ")
    head, _, law = sends.partition(": ")
    word = truth.word(*goal)
    assert head == f"{truth.head(fn)} sends to {word}"
    _, *spelled, last = law.split(" = ") if " = " in law else ("", law)
    assert close(last, sent)
    for text in spelled:
        if not SHOWN and re.search(r"#|\bout\b", text):
            continue  # a number that PyTorch does not show keeps its name
        found = compute(text).expand(2)
        assert torch.allclose(found, sent, rtol=5e-3, atol=5e-3, equal_nan=True), line
    assert bool(adds) == (old is not None)
    if adds:
        begin, _, numbers = adds.partition(" adds up ")
        assert begin == word
        *terms, result = re.findall(r"\[.*?\]", numbers)
        assert [close(t, v) for t, v in zip(terms, (old, sent), strict=True)] == [1, 1]
        assert close(result, total)


def check_data(graph, truth, names, story):
    for fn in truth.order:
        node = graph["nodes"][truth.ids[fn]]
        several = truth.outputs(fn) > 1
        assert len(node.get("outputs", ())) == (truth.outputs(fn) if several else 0)
        for k, one in enumerate(node.get("outputs", [node])):
            name = truth.names.get((fn, k))
            assert one.get("names", []) == ([name] if name else [])
            if fn.next_functions:
                assert one["shape"] == list(fn._input_metadata[k].shape)
            if name:
                assert same(one["value"], names[name])
    edges = {(e["dst"], e["arg"]): e for e in graph["edges"]}
    for fn, arg, what in story:
        if arg is not None:
            assert same(edges[truth.ids[fn], arg]["grad"], what[2])
            continue
        node = graph["nodes"][truth.ids[fn]]
        for k, one in enumerate(node.get("outputs", [node])):
            if what[k] is not None:
                assert same(one["adjoint"], what[k])


def check_walk(record, lines, truth, story):
    """Compare the list that a page walks with the text, and what the boxes say then."""
    items = re.findall(r"<li (.*?)>(.*?)</li>", to_figure(record.graph, ""))
    texts = [unescape(re.sub("<.*?>", "", text)) for _, text in items]
    assert texts == lines
    said = timeline(record.graph)
    start = len(lines) - len(story) + 1
    for k, (fn, arg, what) in enumerate(story):
        node = re.search(r'data-node="(\d+)"', items[start - 1 + k][0])
        assert int(node[1]) == truth.ids[fn]
        if arg is None:
            continue
        source, out = what[0]
        assert f'data-to="{truth.ids[source]}"' in items[start - 1 + k][0]
        several = truth.outputs(source) > 1
        key = f"g{truth.ids[source]}" + (f"_{out}" if several else "")
        (text,) = [text for step, _, text in said[key] if step == start + k]
        word = truth.names.get((source, out), f"output {out}")
        label = f"adjoint of {word} " if several else "adjoint "
        assert text.startswith(label)
        assert close(text.removeprefix(label), what[3])


def check_picture(record, truth, y):
    """Each box that has several outputs says which is the result, and names each."""
    for fn in truth.order:
        box = [line.text for line in node_lines(record.graph.nodes[truth.ids[fn]])]
        count = truth.outputs(fn)
        names = [truth.names.get((fn, k)) for k in range(count)]
        if count > 1:
            if any(names):
                assert box[0].startswith(", ".join(n or "_" for n in names) + " = ")
            word = truth.names.get((fn, y.output_nr), f"output {y.output_nr}")
            assert (f"result: {word}" in box) == (fn is y.grad_fn)


@pytest.mark.parametrize("part", range(10))
def test_random_graph_is_told_without_a_false_step(part):
    several = drawn = 0
    for seed in range(part * COUNT // 10, (part + 1) * COUNT // 10):
        y, names = program(seed)
        if y.grad_fn is None:
            continue
        drawn += 1
        truth, upstream = Truth(y, names), torch.tensor([1.0, -2.0]).double()
        record = record_backward(y, names, gradient=upstream, retain_graph=True)
        graph = json.loads(record.json)
        truth.match(graph)
        nodes = {i: fn for fn, i in truth.ids.items()}
        order = [nodes[i] for i in graph["backward"]]
        assert len(order) == len(truth.order)
        story = truth.run(y, upstream, order)
        text = record.text.splitlines()
        at = text.index("Backward:")
        lines = [re.sub(r"^ *\d+\. ", "", line) for line in text]
        first = text.index("Forward:") + 1
        check_forward(lines[first:at], truth, names)
        check_backward(lines[at + 1 :], truth, story)
        check_data(graph, truth, names, story)
        check_walk(record, lines[first:at] + lines[at + 1 :], truth, story)
        check_picture(record, truth, y)
        ran = [fn for fn in truth.order if fn.next_functions]
        several += any(truth.outputs(fn) > 1 for fn in ran)
    assert drawn > 0.9 * COUNT / 10
    assert several > 0.6 * drawn


def test_two_outputs_without_names_are_two_drawings():
    a, b = (torch.ones(2, requires_grad=True) * 2).unbind()
    assert make_dot(a, values=0).source != make_dot(b, values=0).source
    assert make_dot(a, values=0).text != make_dot(b, values=0).text
    assert make_dot(a, values=0).json != make_dot(b, values=0).json


def torn(x):
    a, b = x.chunk(2)
    b = b * 3
    return torch.cat([a, b]).sum(), locals()


def eigen(x):
    w, v = torch.linalg.eigh(torch.outer(x, x) + torch.diag(x))
    return (w * v).sum(), locals()


def variance(x):
    mean = torch.var_mean(x)[1]
    return (mean * 2).exp(), locals()


def lstm(x):
    torch.manual_seed(0)
    out, (h, c) = torch.nn.LSTM(1, 2)(x.reshape(4, 1, 1))
    return out.sum() + h.sum() * c.sum(), {"x": x, "h": h}


@pytest.mark.parametrize(
    ("make", "told", "false"),
    [
        (
            torn,
            ["a, #2[1] = split(x)", "b = mul(#2[1])", "b sends to #2[1]:"],
            "mul(a)",
        ),
        (
            torn,
            ["a, #2[1] (split) has its turn: g = [1, 1] for a, [3, 3] for #2[1]"],
            "",
        ),
        (eigen, ["w, v = linalg_eigh(#", "w: (4,) · float32", "v: (4, 4)"], "w sends"),
        (
            variance,
            ["#2[0], mean = var_mean(x)", "#2[0], mean sends to x: [74.21, "],
            "exp(var_mean",
        ),
        (lstm, ["[0], #", "[2]"], "None sends"),
    ],
)
def test_outputs_of_one_operation_are_told_apart(make, told, false):
    y, names = make(torch.arange(1.0, 5.0).requires_grad_())
    text = record_backward(y, names, values=20).text
    assert [t for t in told if t not in text] == []
    assert not false or f" {false}" not in text


def test_plan_names_what_it_leaves_out():
    x = y = torch.ones(2, requires_grad=True)
    for _ in range(30):
        y = y * x
    text = make_dot(y, {"x": x}, fold=False).text
    assert text.endswith("#20 (mul), and 11 more")


def test_output_without_a_graph_is_never_visited():
    x = torch.ones(2, requires_grad=True)
    text = make_dot({"loss": x * 2, "acc": torch.ones(())}, {"x": x}).text
    assert text.endswith("Backward will visit: #0 (mul), x")


@pytest.mark.parametrize(
    ("dtype", "numbers", "told"),
    [
        (torch.float32, [3e38, 3e38], "x adds up 3e+38 + 3e+38 = inf"),
        (torch.float16, [6e4, 6e4], "x adds up 60000 + 60000 = inf"),
        (torch.bfloat16, [256.0, 1.0], "x adds up 1 + 256 = 256"),
    ],
)
def test_sum_is_rounded_as_its_type_does(dtype, numbers, told):
    x = torch.tensor(1.0, dtype=dtype, requires_grad=True)
    y = x * numbers[0] + x * numbers[1]
    text = record_backward(y, {"x": x}).text
    assert f"{told}\n" in text
    assert text.endswith(f"its .grad was None, is {x.grad.item():.4g}")
