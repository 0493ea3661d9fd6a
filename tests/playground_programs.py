"""Random programs for the playground, and what torch answers to them."""

from __future__ import annotations

import random
import re
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch

__all__ = ["REASONS", "TEMPLATES", "Answer", "answer", "programs"]

UNARY = """neg exp log sin cos tan tanh sigmoid relu sqrt abs square reciprocal log1p
expm1 clone t norm flatten"""
# operation: ways to write it.  a, b are tensors, k a number, e an exponent,
# i a dimension, s a shape, n an index, c a comparison, o a keepdim.
TEMPLATES = {
    "+": ["{a} + {b}", "{a} + {k}", "{k} + {a}", "2 * {a}**2 - {b} / 4 + -{a}"],
    "-": ["{a} - {b}", "{a} - {k}", "{k} - {a}", "-{a}", "{a} - {b} - {k} * 2**-1"],
    "*": [
        "{a} * {b}",
        "{a} * {k}",
        "{k} * {a}",
        "{a} * -{a}",
        "-({a} - 1)**2 * {b}[0]",
    ],
    "/": ["{a} / {b}", "{a} / {k}", "{k} / {a}"],
    "**": ["{a}**{e}", "{a}**{b}", "{k}**{a}", "-{a}**2", "2**-{a}**2"],
    "@": ["{a} @ {b}", "{a}.T @ {b}"],
    "[ ]": ["{a}[{n}]", "{a}[{n}:]", "{a}[:, {n}]", "{a}[{n}, {n}]", "{a}[::2, :2]"],
    "T": ["{a}.T"],
    **{name: ["NAME({a})", "torch.NAME({a})", "{a}.NAME()"] for name in UNARY.split()},
    "softplus": ["softplus({a})", "F.softplus({a})"],
    **{
        name: ["NAME({a}, {b})", "{a}.NAME({b})", "torch.NAME({a}, {k})"]
        for name in ("add", "sub", "mul", "div")
    },
    "pow": ["pow({a}, {e})", "{a}.pow({b})", "torch.pow({k}, {a})"],
    **{
        name: ["NAME({a}, {b})", "{a}.NAME({b})"]
        for name in ("maximum", "minimum", "dot", "mv", "mm", "matmul", "outer")
    },
    **{
        name: [
            "{a}.NAME()",
            "NAME({a}, {i})",
            "{a}.NAME(dim={i}, keepdim={o})",
            "{a}.NAME((0, 1))",
        ]
        for name in ("sum", "mean", "amax", "amin")
    },
    **{
        name: [
            "NAME({a})",
            "{a}.NAME()",
            "{a}.NAME({i})[0]",
            "torch.NAME({a}, dim={i}, keepdim={o}).values",
            "torch.NAME({a}, {b})",
        ]
        for name in ("max", "min")
    },
    "prod": ["{a}.prod()", "prod({a}, {i})"],
    "logsumexp": ["{a}.logsumexp({i})", "logsumexp({a}, dim=(0, 1))"],
    "softmax": ["{a}.softmax({i})", "F.softmax({a}, dim={i})"],
    "log_softmax": ["log_softmax({a}, {i})", "{a}.log_softmax(dim={i})"],
    "clamp": ["{a}.clamp({k}, {k})", "clamp({a}, min={k})", "{a}.clamp(max={k})"],
    "where": [
        "where({c}, {a}, {b})",
        "torch.where({c}, {a}, {k})",
        "where(tensor([True, False]), {a}, {b})",
        "where(tensor([[False], [True]]), {a}, {k})",
    ],
    "transpose": ["{a}.transpose({i}, {i})", "transpose({a}, 0, 1)"],
    "reshape": ["{a}.reshape({s})", "reshape({a}, ({s},))", "{a}.reshape(-1)"],
    "view": ["{a}.view({s})", "{a}.view(-1)", "{a}.T.exp().T.view(({s}))"],
    "expand": ["{a}.expand({s})", "{a}.expand(-1, 3)", "{a}.expand(({s},))"],
    "unsqueeze": ["{a}.unsqueeze({i})", "unsqueeze({a}, 0)"],
    "squeeze": ["{a}.squeeze()", "squeeze({a}, {i})"],
    "detach": ["{a}.detach()", "detach({a})"],
    "stack": ["stack([{a}, {b}])", "stack(({a}, {a}), dim={i})"],
    "cat": ["cat([{a}, {b}])", "torch.cat(({a}, {b}, {a}), {i})"],
}

# Lines that change a tensor in place.
CHANGES = [
    *(f"{{a}} {sign}= {{b}}" for sign in "+-*/"),
    *(f"{{a}} {sign}= {{k}}" for sign in "+-*/"),
    "{a} **= {e}",
    "{a} **= {b}",
    *(f"{{a}}.{name}_({{b}})" for name in ("add", "sub", "mul", "div", "pow")),
    "{a}.mul_(other={k})",
    "{a}.clamp_(max={k})",
    "{a}.clamp_({k}, {k})",
    *(
        f"{{a}}.{name}_()"
        for name in [
            *("neg", "exp", "log", "sin", "cos", "tan", "tanh", "sigmoid", "relu"),
            *("sqrt", "abs", "square", "reciprocal", "log1p", "expm1"),
        ]
    ),
]

LEAVES = [
    *["tensor(D, requires_grad=True)"] * 4,
    "torch.tensor(D).requires_grad_()",
    "tensor(D)",
    "tensor(D, dtype=torch.float64, requires_grad=True)",
    "ones(2, 3, requires_grad=True)",
    "arange(3.).requires_grad_()",
    "eye(2)",
    "zeros((2,), requires_grad=True)",
]

# Lines that torch refuses; x is a leaf that requires gradients, of shape (2,).
WRONG = {
    "name": ["y = nowhere + x", "y = nowhere(x)"],
    "operation": ["y = x.frobnicate()", "y = torch.frobnicate(x)", "y = x.__proto"],
    "syntax": ["y = x +", "y = (x", "y = x x", "f(x) = 2", "y = x..exp()", "y = 3x"],
    "type": [
        "y = x + None",
        "y = x.exp(1)",
        "y = softmax(x)",
        "y = x(1)",
        "y = x @ 2",
        "y = where(x, x, x)",
        "y = tensor([1., None])",
        "x.sum().backward(2.)",
        "x.grad = 1.",
        "x.grad = False",
    ],
    "integer": [
        "y = tensor([1, 2], requires_grad=True)",
        "y = torch.tensor(1, requires_grad=True)",
        "y = torch.tensor([True, False], requires_grad=True)",
    ],
    "leaf": [
        *("x += 1", "x[0] = 1.", "x.relu_()", "x *= x", "x.exp_()"),
        *("v = x[0]\nv += 1", "x += ones(3)", "x.T.exp_()"),
    ],
    "changed": [
        "y = x.exp()\ny += 1\ny.sum().backward()",
        "y = x * 2\nz = y**2\ny.neg_()\nz.sum().backward()",
        "c = ones(2)\ny = c * x\nc *= 2\ny.sum().backward()",
        "y = x.exp()\nwith torch.no_grad():\n    y /= 2\ny.sum().backward()",
        "y = x * 2\ny *= y\ny.sum().backward()",
        "y = x.exp()\nz = y.sum()\nz.backward(retain_graph=True)\ny -= 1\nz.backward()",
        "y = x.exp()\nz = y.T @ x\ny += 1\nz.backward()",
    ],
    "flag": [
        "y = x * 2\ny.requires_grad_(False)",
        "y = x.exp()\ny.requires_grad = False",
    ],
    "requires": ["y = x.detach().sum()", "with torch.no_grad():\n    y = x.sum()"],
    "nothing": ["y = 2.0", "y = 1 + 2"],
    "second": [
        "y = x.exp().sum()\ny.backward()\ny.backward()",
        "h = x.exp()\nh.backward(ones(2))\nh.sum().backward()",
    ],
    "scalar": ["y = x * 2", "x.backward()"],
    "broadcast": [
        "y = x + tensor([1., 2., 3.])",
        "y = where(x > 0, x, ones(3))",
        "y = x * 2\ny += ones(2, 2)",
        "y = ones(1)\ny.mul_(x)",
        "y = x * 2\ny -= ones(3)",
    ],
    "matmul": ["y = x @ ones(3)", "y = ones(2, 3) @ ones(2, 3)", "y = ones(3, 3) @ x"],
    "rank": [
        "y = x.dot(ones(2, 2))",
        "y = x @ tensor(1.)",
        "y = mv(x, x)",
        "y = x.mm(x)",
    ],
    "dimension": ["y = x.sum(1)", "y = x.softmax(dim=-2)", "y = x.sum((0, 0))"],
    "index": ["y = x[2]", "y = x[0, 0]", "y = x[0][0]", "y = x[-3]", "y = x[0.]"],
    "view": [
        "y = ones(2, 3).T.view(6)",
        "y = (ones(2, 3).T * 2).exp().view(6)",
        "y = eye(3)[:, :2].view(6)",
        "y = x.expand(2, 2).view(4)",
    ],
    "expand": [
        "y = x.expand(3)",
        "y = x.expand(2, 3)",
        "y = x.expand(-1, 2)",
        "y = eye(2).expand(2, 2, 3)",
    ],
    "reshape": [
        "y = x.view(3)",
        "y = eye(2).expand(2)",
        "y = x.reshape(3)",
        "y = x.reshape(-1, 3)",
        "y = x.reshape(-1, -1)",
        "y = ones(2, -1)",
        "y = eye(-2)",
    ],
    "sizes": ["y = stack([x, ones(3)])", "y = cat([x, ones(2, 2)])", "y = stack([])"],
    "upstream": [
        "y = x * 2\ny.backward(ones(3))",
        "y = x.sum()\ny.backward(tensor([1.]))",
        "x.grad = tensor(1.)",
        "x.detach().backward(ones(3))",
    ],
    "ragged": ["y = tensor([[1.], [1., 2.]])"],
    "number": ["y = x * (1 / 0)"],
}

ENDS = ("requires", "nothing", "scalar")  # there the wrong line is the last

# reason: what torch (or Python) says, as "Type: message".
REASONS = {
    "syntax": "SyntaxError|IndentationError",
    "name": "NameError",
    "operation": "AttributeError: .* has no attribute '(?!backward)",
    "nothing": "AttributeError: .* has no attribute 'backward'",
    "type": "TypeError|Could not infer dtype|where expected condition to be a boolean",
    "number": "ZeroDivisionError|OverflowError",
    "integer": "Only Tensors of floating point",
    "leaf": "leaf Variable that requires grad is being used in an in-place",
    "changed": "has been modified by an inplace operation",
    "flag": "you can only change requires_grad flags of leaf",
    "requires": "element 0 of tensors does not require grad",
    "second": "backward through the graph a second time",
    "upstream": "Mismatch in shape: grad_output|attempting to assign a gradient",
    "scalar": "grad can be implicitly created only for scalar",
    "broadcast": "The size of tensor a|doesn't match the broadcast shape",
    "matmul": "cannot be multiplied|size mismatch, got input|inconsistent tensor size",
    "rank": "1D tensors expected|at least 1D|@ vector expected|"
    "must be a matrix|Expected 1-D|zero-dimensional tensor|<= 2",
    "dimension": "Dimension out of range|appears multiple times|Dimension specified as",
    "index": "IndexError: index|IndexError: too many|invalid index of|"
    "only integers|index out of range|step must",
    "view": "view size is not compatible",
    "expand": "The expanded size of the tensor",
    "reshape": "is invalid for input of size|"
    "only one dimension can be inferred|invalid shape dim|"
    "negative dimension|must be greater or equal",
    "sizes": "equal size|Sizes of tensors must match|"
    "same number of dimensions|non-empty",
    "ragged": "expected sequence of length",
}


@dataclass
class Answer:
    """What torch says: values and gradients by name, or the reason of a refusal."""

    reason: str = ""
    line: int = 0
    values: dict[str, torch.Tensor] = field(default_factory=dict)
    gradients: dict[str, torch.Tensor] = field(default_factory=dict)


def answer(text: str, prelude: str) -> Answer:
    """Run a program with torch, and a backward pass where it starts none itself."""
    names: dict[str, Any] = {}
    exec(prelude, names)
    before = set(names)
    try:
        code = compile(text, "program", "exec")
        with warnings.catch_warnings(action="ignore"):
            exec(code, names)
            if ".backward(" not in text:
                names[_last(text)].backward()
    except Exception as error:
        return Answer(_reason(error, text), _line(error))
    finally:
        torch.set_default_dtype(torch.float32)
    made = {k: v for k, v in names.items() if k not in before and torch.is_tensor(v)}
    grads = {k: v.grad for k, v in made.items() if v.is_leaf and v.grad is not None}
    return Answer("", 0, made, grads)


def _last(text: str) -> str:
    """Return whom the last line binds or changes."""
    found = r"^ *(\w+)(?: (?:[-+*/@]|\*\*)?= |\.\w+_\()"
    return re.findall(found, text, re.MULTILINE)[-1]


def _reason(error: Exception, text: str) -> str:
    said = f"{type(error).__name__}: {error}"
    found = [reason for reason, pattern in REASONS.items() if re.search(pattern, said)]
    assert found, f"torch says something new: {said}\n{text}"
    return "index" if "only integers" in said else found[0]


def _line(error: Exception) -> int:
    frames = traceback.extract_tb(error.__traceback__)
    return max((f.lineno or 0 for f in frames if f.filename == "program"), default=0)


@dataclass
class Writer:
    """Write programs whose lines torch accepts, by trying each of them."""

    draw: random.Random
    prelude: str
    names: dict[str, Any] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    used: Counter[str] = field(default_factory=Counter)
    start: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.start = dict(self.names)

    def leaf(self, name: str) -> None:
        """Write a leaf of small whole numbers, which meet kinks and ties."""
        rank = self.draw.choice((0, 1, 1, 2, 2))
        data = self._numbers([self.draw.randint(1, 4) for _ in range(rank)])
        self.take(f"{name} = {self.draw.choice(LEAVES)}".replace("D", repr(data)))

    def _numbers(self, shape: list[int]) -> Any:
        if shape:
            return [self._numbers(shape[1:]) for _ in range(shape[0])]
        return self.draw.choice([-2.0, -1.0, 0.0, 0.0, 1.0, 1.0, 2.0, 3.0, 0.5])

    def take(self, line: str, changed: str = "") -> bool:
        """Append a line if torch takes it and its numbers are of use.

        A line that changes a tensor in place is tried on new tensors.
        """
        names = dict(self.start if changed else self.names)
        try:
            with warnings.catch_warnings(action="ignore"):
                exec("\n".join([*self.lines * bool(changed), line]), names)
        except Exception:
            return False
        made = names[changed or line.strip().split("\n")[-1].split()[0]]
        useless = (made.abs() > 1e4).any() or made.isnan().any()
        if ((made != 0) & (made.abs() < 1e-12)).any():
            return False  # how a sum is rounded would decide what follows
        if useless and self.draw.random() < 0.9:
            return False
        if not 0 < made.numel() <= 16 or made.dim() > 3:
            return False
        self.names = names
        self.lines.append(line)
        return True

    def _fill(self, template: str) -> str:
        draw = self.draw
        names = [
            k for k, v in self.names.items() if k[0] in "xyz" and torch.is_tensor(v)
        ]
        a, b, c = (draw.choice(names[-4:]) for _ in range(3))
        compared = draw.choice([f"{c} > 0", f"{a} >= {b}", f"{c} == 1", f"0 < {a}"])
        sizes = [str(draw.randint(1, 4)) for _ in range(draw.randint(1, 2))]
        return template.format(
            a=a,
            b=b,
            c=compared,
            k=draw.choice(["2", "3.", "0.5", "1", "0", "(-1)", "1/3"]),
            e=draw.choice(["2", "3", "0", "1", "0.5", "-1", "-2", "(-0.5)", "1.5"]),
            i=draw.choice(["0", "0", "1", "-1"]),
            n=draw.choice(["0", "1", "-1", "2"]),
            s=", ".join(sizes),
            o=draw.choice(["True", "False"]),
        )

    def step(self, name: str, often: Counter[str]) -> None:
        """Give a name to an operation that fits."""
        for _ in range(30):
            rare = sorted(TEMPLATES, key=often.__getitem__)[:6]  # or some seldom fit
            operation = self.draw.choice(self.draw.choice((rare, [*TEMPLATES])))
            part = self.draw.choice(TEMPLATES[operation]).replace("NAME", operation)
            line = f"{name} = {self._fill(part)}"
            if operation in ("@", "matmul") and self._high(line):
                continue
            copies = operation in ("reshape", "flatten")  # or not: the strides decide
            if self.draw.random() < 0.05 and not copies:
                line = f"with torch.no_grad():\n    {line}"
            if self.take(line):
                self.used[operation] += 1
                return

    def change(self) -> None:
        """Change in place what shares its numbers with no other tensor."""
        tensors = {k: v for k, v in self.names.items() if torch.is_tensor(v)}
        own = [k for k, v in tensors.items() if self._is_alone(v)]
        for _ in range(10 * bool(own)):
            name = self.draw.choice(own[-3:])
            line = self._fill(self.draw.choice(CHANGES).replace("{a}", name))
            if self.draw.random() < 0.05:
                line = f"with torch.no_grad():\n    {line}"
            if self.take(line, name):
                self.used["in place"] += 1
                return

    def _is_alone(self, tensor: torch.Tensor) -> bool:
        if tensor._is_view() or (tensor.is_leaf and tensor.requires_grad):
            return False
        where = tensor.untyped_storage().data_ptr()
        others = (v for v in self.names.values() if torch.is_tensor(v))
        return all(
            v is tensor or v.untyped_storage().data_ptr() != where for v in others
        )

    def _high(self, line: str) -> bool:
        """Say whether a line has a tensor of three dimensions, which @ stacks."""
        return any(
            self.names[k].dim() > 2 for k in re.findall(r"\b[xyz]\d?\b", line)[1:]
        )

    def end(self) -> None:
        """Make a scalar of the latest tensor that requires gradients."""
        tensors = {k: v for k, v in self.names.items() if torch.is_tensor(v)}
        asks = [k for k, v in tensors.items() if v.requires_grad] or [*tensors]
        last = self.draw.choice([*tensors][-1:] + asks[-1:] * 9)
        ends = [
            "{}.sum()",
            "{}.sum()",
            "({} * {}).sum()",
            "{}.mean()",
            "{}.max()",
            "{}.norm()",
        ]
        for end in (self.draw.choice(ends), "{}.sum()"):
            if self.take(f"y = {end.format(last, last)}"):
                break
        if self.draw.random() < 0.3:
            self._backward()

    def _backward(self) -> None:
        """Start once or twice, from the output or with an upstream gradient."""
        draw = self.draw
        asks = [k for k, v in self.names.items() if getattr(v, "requires_grad", False)]
        leaf = draw.choice([k for k in asks if self.names[k].is_leaf] or ["x"])
        given = self._given(leaf)
        self.lines += draw.choice([[], [], [], [f"{leaf}.grad = {given}"]])
        for _ in range(draw.choice((1, 1, 2))):
            name = draw.choice(asks or ["y"])
            starts = [
                f"{name}.backward({draw.choice(('', 'gradient='))}{self._given(name)})",
                f"{name}.backward({self._given(name)}, retain_graph=True)",
                "y.backward()",
                "y.backward(retain_graph=True)",
            ]
            self.lines.append(draw.choice(starts))
        self.lines += draw.choice([[], [], [], [f"{leaf}.grad = None"]])

    def _given(self, name: str) -> str:
        numbers = self._numbers([*self.names[name].shape])
        return f"tensor({numbers})"


def programs(seed: int, count: int, prelude: str) -> Iterator[tuple[str, set[str]]]:
    """Yield texts, each with its operations; torch refuses a line in a quarter."""
    start: dict[str, Any] = {}
    exec(prelude, start)
    wrong = [(reason, line) for reason, lines in WRONG.items() for line in lines]
    often: Counter[str] = Counter()
    for k in range(count):
        writer = Writer(random.Random(f"{seed} {k}"), prelude, dict(start))
        if k % 4:
            _right(writer, often)
            often += writer.used
        else:
            _wrong(writer, *wrong[k // 4 % len(wrong)])
        yield "\n".join(writer.lines), set(writer.used)
    torch.set_default_dtype(torch.float32)


def _right(writer: Writer, often: Counter[str]) -> None:
    for n in range(writer.draw.randint(1, 3)):
        writer.leaf(f"x{n}")
    writer.take("x = tensor([2., -1.], requires_grad=True)")
    for n in range(writer.draw.randint(2, 8)):
        writer.step(f"z{n}", often)
        if writer.draw.random() < 0.08:
            writer.change()
    writer.end()


def _wrong(writer: Writer, reason: str, lines: str) -> None:
    writer.take("x = tensor([1., 2.], requires_grad=True)")
    for n in range(writer.draw.randint(0, 2)):
        writer.step(f"z{n}", Counter())
    writer.lines += lines.split("\n")
    if ".backward(" not in lines and reason not in ENDS:
        writer.lines.append("y = x.sum()")
