"""The main numbers of lessons, found a second time, without torch."""

import functools
import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import mpmath
import numpy as np
import pytest
import sympy as sp

from coursecheck.mutate import next_digit

GALLERY = Path(__file__).parents[1] / "gallery"
NUMBER = r"(-?\d+(?:\.\d+)?)"
HALF = sp.Rational(1, 2)
Found = Mapping[str, Sequence[sp.Expr | float]]  # words of a lesson: their numbers


@functools.cache
def source(lesson: str) -> str:
    """Return a lesson without line breaks and the signs of comments."""
    (path,) = GALLERY.glob(f"*/{lesson}.py")
    text = path.read_text(encoding="utf-8")
    return re.sub(r"\n#? *", " ", text)


def stated(text: str, words: str) -> list[str]:
    """Return the numbers that a text has at each ``@`` of words that it has once."""
    pattern = re.escape(words).replace("@", NUMBER).replace(r"\ ", r"\s+")
    found = re.findall(pattern, text)
    assert len(found) == 1, f"{len(found)} times: {words}"
    return list(found[0]) if isinstance(found[0], tuple) else found


def agrees(said: str, value: sp.Expr | float) -> bool:
    """Compare to as many decimals as are said; what has none is exact."""
    places = len(said.partition(".")[2])
    allowed = sp.Rational(1, 2 * 10**places) if places else sp.Rational(1, 10**9)
    return bool(abs(sp.Rational(said) - sp.sympify(value)) <= allowed)


def confirm(text: str, words: str, values: Sequence[sp.Expr | float]) -> None:
    """Compare what a text states in these words with what was found."""
    for said, value in zip(stated(text, words), values, strict=True):
        assert agrees(said, value), f"{words}: {said}, not {sp.N(value)}"


def misprints(words: str, said: Sequence[str]) -> list[str]:
    """Return the words with their numbers, one of which has another last digit."""
    return [
        functools.reduce(
            lambda text, number: text.replace("@", number, 1),
            [*said[:k], next_digit(said[k]), *said[k + 1 :]],
            words,
        )
        for k in range(len(said))
    ]


@pytest.mark.parametrize(
    ("said", "agreed"),
    [("0.33", True), ("0.34", False), ("1", False), ("0", False), ("-0.33", False)],
)
def test_wrong_digit_is_contradicted(said, agreed):
    assert agrees(said, sp.Rational(1, 3)) == agreed


def test_number_that_is_no_longer_stated_is_missed():
    with pytest.raises(AssertionError, match="0 times"):
        stated(source("30_higher_order"), "@ words that no lesson holds")


def test_each_advanced_lesson_has_witnesses():
    assert {path.stem for path in GALLERY.glob("4_advanced/*.py")} <= {*WITNESSES}


def _inputs_of_a_neuron() -> Found:
    u, v = sp.symbols("u v")
    z = 2 * u - 3 * v - 3
    y = 1 / (1 + sp.exp(-z))
    at, e = {u: -1, v: -2}, sp.Rational(1, 5)
    slopes = [sp.diff(y, k).subs(at) for k in (u, v)]
    against = {k: at[k] - e * sp.sign(d) for k, d in zip(at, slopes, strict=True)}
    corners = itertools.product((e, -e), repeat=2)
    sums = [z.subs({u: -1 + a, v: -2 + c}) for a, c in corners]
    return {
        r"w^\top x + b) = @`": [y.subs(at)],
        r"there is :math:`y\,(1 - y) = @`": [slopes[0] / 2],
        r"\nabla_x y = y\,(1 - y)\, w = (@, @)": slopes,
        r"\epsilon \cdot 3 = @`": [z.subs(at) - z.subs(against)],
        r"\sigma(0) = @`": [y.subs(against)],
        "+ b).detach() tensor([@, @, @, @])": sums,
    }


def _shares_and_units() -> Found:
    a, b, t = sp.symbols("a b t")
    at = {a: 2, b: 3}
    slopes = [sp.diff(a * b, k) for k in (a, b)]
    end_shares = [a * slopes[0].subs(at), b * slopes[1].subs(at)]
    road = {k: t * end for k, end in at.items()}
    shares = [
        end * sp.integrate(d.subs(road, simultaneous=True), (t, 0, 1))
        for d, end in zip(slopes, at.values(), strict=True)
    ]
    return {
        r"\text{by\_slopes} = (@, @)": [share.subs(at) for share in end_shares],
        "Together they claim @.": [sum(end_shares).subs(at)],
        r"\text{shares} = (@, @)": shares,
        r"\text{product} - 0 = @`": [sum(shares)],
        r"\text{factor} = \frac{1}{255} = @`": [sp.Rational(1, 255)],
        r"255 \epsilon = @`": [sp.Rational(255, 5)],
        r"\sqrt{3 \cdot 224^2} = @`": [sp.sqrt(3 * 224**2)],
    }


def _climb_of_two_inputs() -> Found:
    u, v = sp.symbols("u v")
    value = 2 * u - 3 * v
    cost = u**2 + v**2
    start = {u: -1, v: -2}
    gradient = [sp.diff(value - cost, k) for k in start]
    (best,) = sp.solve(gradient, [u, v], dict=True)
    moved = [start[k] - best[k] for k in start]
    steps = [
        [d + sign * g.subs(start) / 10 for d, g in zip(moved, gradient, strict=True)]
        for sign in (1, -1)
    ]
    return {
        r"z = w^\top x = @` and": [value.subs(start)],
        r"\text{cost} = x^\top x = @`": [cost.subs(start)],
        r"\text{goal} = z - \text{cost} = @`": [(value - cost).subs(start)],
        r"w - 2x = (@, @)": [g.subs(start) for g in gradient],
        r"\frac{w}{2} = (@, @)": [best[u], best[v]],
        r"\frac{w^\top w}{4} = @`": [(value - cost).subs(best)],
        r"\text{factors} = (@, @)": [
            sp.Matrix(step).norm() / sp.Matrix(moved).norm() for step in steps
        ],
    }


def _cube_and_hessians() -> Found:
    a, b = sp.symbols("a b")
    cube = [sp.diff(a**3, a, k) for k in range(4)]
    hessian = sp.hessian(a**2 * b + b**3, (a, b)).subs({a: 1, b: 2})
    valley = sp.hessian((1 - a) ** 2 + 100 * (b - a**2) ** 2, (a, b))
    ends = valley.subs({a: 1, b: 1}).eigenvals()
    return {
        "[@, @, @, @] Without it": [value.subs(a, 2) for value in cube],
        "3x^2 = @`": [cube[1].subs(a, 5)],
        "6x = @`": [cube[2].subs(a, 5)],
        r"= \begin{pmatrix} @ & @ \\ @ & @ \end{pmatrix} .. wrong::": list(hessian),
        "(4 - 2, 2 - 12) = (@, @)": list(hessian * sp.Matrix([1, -1])),
        "(@, [0.229753, 0.973249])": [max(hessian.eigenvals())],
        "@ times: the quotient": [sp.floor(max(ends) / min(ends) + HALF)],
    }


def _newton() -> Found:
    w = sp.Symbol("w")
    loss = (1 / (1 + sp.exp(-w)) - 1) ** 2
    slope, curvature = sp.diff(loss, w), sp.diff(loss, w, 2)
    found = {
        "error is :math:`L = @`": loss,
        r"-2 s\,(1 - s)^2 = @`": slope,
        r"\text{curvature} = @`": curvature,
        r"{\text{curvature}} = @`": w - slope / curvature,
    }
    return {words: [value.subs(w, -2)] for words, value in found.items()}


def _nested() -> Found:
    w, x = sp.symbols("w x")
    at = {w: 1, x: 2}
    penalty = sp.diff(w * x**3, x) ** 2
    step = w - sp.diff((w - 3) ** 2, w) / 10
    return {
        "18 w x^4 = @`": [sp.diff(penalty, w).subs(at)],
        "36 w^2 x^3 = @`": [sp.diff(penalty, x).subs(at)],
        r"\cdot 0.8 = @`": [sp.diff((step - 3) ** 2, w).subs(w, 0)],
    }


def _rules() -> Found:
    t = sp.Symbol("t", positive=True)
    normed, lost = _normalised(t)
    functions = {
        '"det": [@, @,': 3 * t**2,
        '"logdet": [@, @,': sp.log(3 * t**2),
        '"solve": [@, @,': 1 / t,
        "(tensor(@), @)": normed,
    }
    found = {words: 2 * [sp.diff(f, t, 2)] for words, f in functions.items()}
    right = sp.diff(normed, t, 2)
    found["four_ways(batch, 2.0)] [@, @, @, @]"] = [right, right, lost, lost]
    return {words: [f.subs(t, 2) for f in values] for words, values in found.items()}


def _normalised(t: sp.Symbol) -> tuple[sp.Expr, sp.Expr]:
    """Return the first of three normalised values, and how its forward rule changes.

    The rule has the row's mean and the inverse of its spread as two constants.
    """
    m, r = sp.symbols("m r")
    row = [t, t**2, sp.Integer(3)]
    mean = sum(row) / 3
    spread = sum((entry - mean) ** 2 for entry in row) / 3
    inverse = 1 / sp.sqrt(spread + sp.Rational(1, 10**5))
    moves = [sp.diff(entry, t) - sp.diff(mean, t) for entry in row]
    change = -(r**3) * sum(d * (x - m) for d, x in zip(moves, row, strict=True)) / 3
    rule = moves[0] * r + (row[0] - m) * change
    return (t - mean) * inverse, sp.diff(rule, t).subs({m: mean, r: inverse})


def _softplus() -> Found:
    z, half = sp.Symbol("z"), sp.Rational(1, 2)
    softplus = sp.log(1 + sp.exp(z))
    orders = [sp.diff(softplus, z, order) for order in range(3)]
    slope = orders[1].subs(z, 1)
    sharp = [softplus.subs(z, 2) / 4, orders[1].subs(z, 2)]
    return {
        "values are :math:`y = (@, @, @)`": [
            softplus.subs(z, k * 1000) for k in (-1, 0, 1)
        ],
        r"\operatorname{softplus}(z) = @`": [softplus.subs(z, 1)],
        r"\sigma(z) = @`": [slope],
        r"\sigma(z)\, x = (@, @)": [3 * slope, slope],
        r"\text{at\_1000} = (@, @, @)": [d.subs(z, 1000) for d in orders],
        r"\tfrac12 \cdot \tfrac12) = (@, @, @)": [d.subs(z, 0) for d in orders],
        "print(y.item(), grad(y, z)[0].item()) @ @ @ @ @ @": [
            *sharp,
            *sharp,
            softplus.subs(z, half),
            orders[1].subs(z, half),
        ],
    }


def _polynomial_and_product() -> Found:
    x, half = sp.Symbol("x"), sp.Rational(1, 2)
    legendre, product = sp.legendre(3, x), x * sp.exp(x)
    return {
        r"P_3(\tfrac12) = @`": [legendre.subs(x, half)],
        r"P_3'(\tfrac12) = @`": [sp.diff(legendre, x).subs(x, half)],
        r"are :math:`\text{at\_0} = (@, @, @)`": [
            sp.diff(product, x, order).subs(x, 0) for order in range(3)
        ],
    }


def _rounding() -> Found:
    """Straight through: x + r, whose rest r = round(x) - x stands still."""
    x, r = sp.symbols("x r")
    at = sp.Rational(13, 10)
    q = sp.floor(at + HALF)
    here = {x: at, r: q - at}
    end = at
    for _ in range(39):
        end -= sp.Rational(7, 100) * 2 * (sp.floor(end + HALF) - 3)
    chosen = [sp.diff((x + r - 3) ** 2, x, order).subs(here) for order in (1, 2)]
    return {
        "weight is :math:`q = @`, and so :math:`L = (q - 3)^2 = @`": [q, (q - 3) ** 2],
        r"\nabla_x L = 2(q - 3) = @`": chosen[:1],
        ">>> grad(first, x) (tensor(@.,": chosen[1:],
        r"\text{last} = (@, @)`": [sp.floor(end + HALF), end],
    }


def _clipped() -> Found:
    """A slope passes where the number, or the rounded one, is between -1 and 1."""
    places = [sp.Rational(n, 10) for n in (13, 16, 3)]
    rounded = [sp.floor(place + HALF) for place in places]
    values = [min(q, 1) for q in rounded]
    slopes = [2 * (q - 3) if abs(q) <= 1 else 0 for q in rounded]
    by_value = [2 * (values[k] - 3) if places[k] <= 1 else 0 for k in (0, 2)]
    return {
        r"2 \cdot (0 - 3) = @`": by_value[1:],
        "u)[0].item()) @ @ PyTorch's own": by_value,
        "([@, @, @], [@, @, @])": [*values, *slopes],
    }


def _spikes_and_classes() -> Found:
    z = sp.Symbol("z")
    slope = sp.diff(1 / (1 + sp.exp(-z)), z)
    logits = sp.symbols("a b c")
    total = sum(map(sp.exp, logits))
    cost = sum(k * sp.exp(a) / total for k, a in enumerate(logits, 1))
    at = dict(zip(logits, (2, 1, 0), strict=True))
    slopes = [sp.diff(cost, a).subs(at) for a in logits]
    return {
        r"\odot (1 - \sigma(z)) = (@, @, @)`": [slope.subs(z, k) for k in (-2, 0, 2)],
        "retain_graph=True)[0] (@, tensor([@, @, @]))": [1, *slopes],
    }


def _reversal_and_miss() -> Found:
    a, f, p = sp.symbols("a f p")
    heads = [sp.diff((f - k) ** 2, f).subs(f, 2) for k in (3, 1)]
    own = sp.diff((a * f - 1) ** 2, a).subs({a: 1, f: 2})
    through = sp.diff((a * f - 1) ** 2, f).subs({a: 1, f: 2})
    miss = 1 + sp.Rational(9, 10) * a * p - p
    at = {a: 2, p: HALF}
    d = miss.subs(at)
    return {
        r"-2 - \tfrac12 \cdot 2 = @`": [heads[0] - heads[1] / 2],
        "0.5) - 1) ** 2, [a, w]) (tensor(@., dtype=torch.float64), tensor(@.,": [
            own,
            -through / 2,
        ],
        "grad((a * w - 1) ** 2, [a, w]) (tensor(@., dtype=torch.float64), tensor(@.,": [
            own,
            through,
        ],
        r"\cdot 2 \cdot 0.5 - 0.5 = @`": [d],
        r"-2 \cdot 1.4) = (@, @)`": [sp.diff(miss**2, p).subs(at), -2 * d],
    }


def _dual_numbers() -> Found:
    e = sp.Symbol("e")

    def parts(value: sp.Expr) -> list[sp.Expr]:
        return [sp.expand(value).coeff(e, order) for order in (0, 1)]

    x = sp.Symbol("x")
    bends = [sp.diff(x**3, x, order).subs(x, 2) for order in range(3)]
    return {
        r"(2 + \varepsilon)(2 + \varepsilon) &= @ + @ \varepsilon": parts((2 + e) ** 2),
        r"(4 + 4 \varepsilon)(2 + \varepsilon) &= @ + @ \varep": parts((2 + e) ** 3),
        r"\text{speed} = 12 t = @`": parts((2 + e / 10) ** 3)[1:],
        "cube.tangent.value, cube.tangent.tangent (@, @, @)": bends,
        "divide(sin(x), x).tangent @ >>>": [sp.diff(sp.sin(x) / x, x).subs(x, 2)],
        r"\text{forth} = 3 x^2 = @`": [bends[1]],
        r"\text{back} = @`": [(x**2).subs(x, 2)],  # of x c, where c stands still
    }


def _directions() -> Found:
    a, b, t = sp.symbols("a b t")
    f = sp.log(a) + a * b - sp.sin(b)
    slopes = [sp.diff(f, v).subs({a: 2, b: 5}) for v in (a, b)]
    before = -(2 + t) - 2 * (-3 + t) + (-3 + t)
    y = 1 / (1 + sp.exp(-before))
    at = [sp.diff(y, t, order).subs(t, 0) for order in (0, 1)]
    cubes = [sp.diff(a**3, a).subs(a, k) for k in (1, 2)]
    J = sp.Matrix([a * b, sp.sin(a), b**2]).jacobian([a, b]).subs({a: 0, b: 3})
    return {
        "5.0, 0.0)).tangent @ by_b": slopes[:1],
        r"\text{by\_b} = 2 - \cos 5 = @`": slopes[1:],
        r"a - \cos b) = (@, @)`": slopes,
        "The answer is :math:`y = @`": at[:1],
        r"there is :math:`y\,(1 - y) = @`": [at[1] / sp.diff(before, t)],
        r"\text{speed} = -2 \cdot y\,(1 - y) = @`": at[1:],
        r"J = \begin{pmatrix} @ & @ \\ @ & @ \\ @ & @ \end{pmatrix}`": list(J),
        "grad(loss)(x) (tensor(@.), tensor([ @., @.]))": [sum(cubes), *cubes],
    }


def _evaluations() -> Found:
    """Count products with the two matrices, W of n by 16 and V of 16 by m.

    Back, each of m rows goes through V and W once.  Forward, each of n tangents
    does; the value does once, and once more it meets the matrices' own tangents.
    """
    n, m = sp.symbols("n m")
    one = 16 * (n + m)
    forward, reverse = (one + n * one + one) / one, (one + m * one) / one
    costs = [sp.simplify(cost) for cost in (forward, reverse)]
    return {
        r"\text{by\_reverse} = @`": [costs[1].subs({n: 1000, m: 1})],
        r"\text{by\_forward} = @`": [costs[0].subs({n: 1000, m: 1})],
        ">>> costs(4, 4) [@, @]": [cost.subs({n: 4, m: 4}) for cost in costs],
        ">>> costs(1, 1000) [@, @]": [cost.subs({n: 1, m: 1000}) for cost in costs],
        "there.get_total_flops() @ One": [1 + 2],  # back by weights, and by inputs
        "W.T, 1000) (0, @)": [2 * 16 * 1000],
    }


POINTS = sp.Matrix([[1, 1], [1, 2], [1, 3]])
HEIGHTS = sp.Matrix([1, 2, 2])


def _samples() -> Found:
    w = sp.Matrix(sp.symbols("w_0 w_1"))
    losses = [e**2 for e in POINTS * w - HEIGHTS]
    zero = dict.fromkeys(w, 0)
    G = sp.Matrix([sp.Matrix([loss]).jacobian(w) for loss in losses]).subs(zero)
    mean = sp.ones(1, 3) * G / 3
    norms = [G.row(k).norm() for k in range(3)]
    factors = [min(sp.Integer(1), 5 / norm) for norm in norms]
    clipped = sum((f * G.row(k) for k, f in enumerate(factors)), sp.zeros(1, 2)) / 3
    height = sp.Symbol("t")
    by_height = sp.diff((0 - height) ** 2, height).subs(height, 2)
    hessians = [sp.hessian(loss, w) for loss in losses]
    batch = sum(hessians, sp.zeros(2)) / 3
    return {
        r"\lVert X w - y \rVert^2 = @`": [sum(losses).subs(zero) / 3],
        r"(X w - y) = (-\frac{@}{@}, -\frac{@}{@})`": [
            part for slope in mean for part in (-slope.p, slope.q)
        ],
        r"G = \begin{pmatrix} @ & @ \\ @ & @ \\ @ & @ \end{pmatrix}": list(G),
        r"\sum_k G_k = (@, @)`": list(mean),
        r"\text{first} = G_0 = (@, @)`": list(G.row(0)),
        "argnums=2)(weights, X[2], y[2]) tensor(@.,": [by_height],
        r"\text{norms} = (@, @, @)`": norms,
        r"\text{factors} = (@, @, @)`": factors,
        ":math:`g = (@, @)`": list(clipped),
        r"\text{late} = (@, @)`": list(5 * mean / mean.norm()),
        r"\text{outer} = \begin{pmatrix} @ & @ \\ @ & @ \end{pmatrix}": list(
            hessians[2]
        ),
        ">>> mean tensor([[@, @], [@, @]],": list(batch),
    }


def _batches_and_matrices() -> Found:
    z = sp.Matrix(sp.symbols("a b c"))
    total = sum(map(sp.exp, z))
    softmax = sp.Matrix([sp.exp(entry) / total for entry in z])
    J = softmax.jacobian(z).subs(dict(zip(z, (2, 1, 0), strict=True)))
    s, x = sp.symbols("s x")
    A = sp.Matrix(2, 2, sp.symbols("p q r t"))
    det = sp.hessian(A.det(), list(A))
    sinc = sp.series(sp.sin(sp.pi * x) / (sp.pi * x), x, 0, 4).removeO()
    together = POINTS - sp.ones(3, 3) * POINTS / 3
    alone = POINTS - POINTS * sp.ones(2, 2) / 2
    return {
        r"q q^\top = \begin{pmatrix} @ & @ & @ \\ @ & @ & @ \\ @ & @ & @": list(J),
        "lambda s: s**3))(torch.tensor(2.0)) tensor(@.)": [
            sp.diff(s**3, s, 2).subs(s, 2)
        ],
        r"\text{bend} = @`": [sp.diff(sinc, x, 2)],
        "by_autograd[0, 1, 1, 0].item() (@, @)": [det[0, 3], det[1, 2]],
        "by_autograd.abs().sum() tensor(@.,": [sum(map(abs, det))],
        r"\text{together}_0 = (@, @)`": list(together.row(0)),
        r"\text{together}_2 = (@, @)`": list(together.row(2)),
        r"\text{alone}_2 = (@, @)`": list(alone.row(2)),
        "output(three), grad(output)(three) (tensor(@.), tensor([[@.]]))": [
            (s**2).subs(s, 3),
            sp.diff(s**2, s).subs(s, 3),
        ],
    }


def _what_slopes_need() -> Found:
    """An operation keeps each name that stands in one of its slopes."""
    a, b = sp.symbols("a b")
    five = [3 * a, a * b, sp.exp(a), a / b, a + b]
    counts = [
        len(set().union(*(sp.diff(f, v).free_symbols for v in (a, b)))) for f in five
    ]
    s = sp.tanh(sp.Rational(3, 2))
    return {
        "z = wx = @`": [sp.Rational(3, 2)],
        r"s = \tanh z = @`": [s],
        r"\frac{ds}{dz} = 1 - s^2 = @`": [sp.diff(sp.tanh(a), a).subs(a, 3 * HALF)],
        r"\text{counts} = (@, @, @, @, @)`": counts,
        "lambda: W.exp())] [@, @, @]": [counts[4], counts[1], counts[2]],
        r"16 \cdot 1000 \cdot 8 = @`": [16 * np.zeros(1000).nbytes],
        "in_segments(x, 4))) @ .. predict": [4 * np.zeros(1000).nbytes],
    }


def _waiting(saved: Sequence[str], *, present: bool = False) -> int:
    """Count the different tensors that wait in a chain of eight blocks.

    ``saved`` names what a block saves; its ``out`` is the ``in`` of the next one.
    The first ``in`` does not count where it was present before.
    """
    tensors = {
        (k + 1, "in") if name == "out" else (k, name)
        for k in range(8)
        for name in saved
    }
    return len(tensors - ({(0, "in")} if present else set()))


def _networks() -> Found:
    relu, gelu = ["in", "out"], ["in", "product"]
    swish = ["in", "product", "normed", "sigmoid"]

    there, again, back = 1, 1, 2  # products: back goes one by each factor
    products = there + back, there + again + back, there + back

    def ways(kept: list[str]) -> list[int]:
        chosen = ["in"], ["in", "product"]
        return [_waiting(names, present=True) for names in (kept, *chosen)]

    def bargain(kept: list[str]) -> list[int]:
        return list(itertools.chain(*zip(ways(kept), products, strict=True)))

    both = [_waiting(kept) for kept in (relu, gelu)]
    return {
        r"\text{waiting} = (@, @)`": both,
        "activations(network(nn.Tanh())) (@, @)": both[::-1],
        r"\text{with\_tanh} = (@, @, @)`": ways(relu),
        ">>> bargain(blocks(nn.LayerNorm(32), Swish()))"
        " {'keep': (@, @), 'again': (@, @), 'choose': (@, @)}": bargain(swish),
        ">>> bargain(blocks(nn.GELU()))"
        " {'keep': (@, @), 'again': (@, @), 'choose': (@, @)}": bargain(gelu),
        r"\text{quotient} = \frac{@}{@} = @`": [
            *(products[k] for k in (1, 0)),
            sp.Rational(products[1], products[0]),
        ],
    }


def _peak(layers: int, segments: int = 0) -> int:
    """Return how many tensors are alive at once, there and back, beside the input.

    The caller holds the last result and the upstream gradient.  With segments, their
    ends wait; each computes its results again, before it is walked back.
    """
    ends = [f"end {k}" for k in range(segments)]
    size = layers // (segments or 1)
    held = {"upstream", ends[-1] if ends else f"0.{size - 1}"}
    alive, gradient, most = held | set(ends), "upstream", 0
    for k in reversed(range(segments or 1)):
        results = [f"{k}.{j}" for j in range(size)]
        alive |= set(results)
        for result in reversed(results):
            alive.add(new := f"gradient of {result}")
            most = max(most, len(alive))
            alive -= {result, gradient} - held
            gradient = new
        alive -= set(ends[max(k - 1, 0) : k])
    return most


def _segments() -> Found:
    peaks = [_peak(16, k) for k in (1, 2, 4, 8, 16)]
    s, n = sp.symbols("s n", positive=True)
    law = s + n / s
    [best] = sp.solve(sp.diff(law, s), s)
    many = {n: 10_000}
    return {
        r"\frac{16}{k} + 2 = (@, @, @, @, @)": peaks,
        r"\text{peaks}_4 = @`": peaks[4:],
        r"\text{peaks}_0 = @`": peaks[:1],
        "*peak*, here @. >>> plain.max() tensor(@.)": 2 * [_peak(16)],
        "depth=64)).max() (tensor(@.), tensor(@.))": [_peak(64, 8), _peak(64)],
        r"\text{computed} = 2 \cdot 16 = @`": [16 + 4 * 4],
        r"\text{in\_sequence} = 16 + 12 = @`": [16 + 3 * 4],  # not the last again
        ":math:`f(4) = @`": [peaks[2]],
        r"\frac{64}{8} = @`": [law.subs({n: 64, s: best.subs(n, 64)})],
        r":math:`\sqrt{n} = @`": [best.subs(many)],
        r"2 \sqrt{n} = @`": [law.subs(s, best).subs(many)],
    }


def _half_precision() -> Found:
    """Keep each result of tanh as NumPy's float16."""
    x = np.linspace(-1, 1, 1000)
    rough, fine = np.ones(1000), np.ones(1000)
    for _ in range(16):
        x = np.tanh(x)
        rough *= 1 - x.astype(np.float16).astype(np.float64) ** 2
        fine *= 1 - x**2
    one = np.float16(np.tanh(5.0)).astype(float)
    cosine = np.cos(5.0)
    return {
        "(rough / fine - 1).abs().max() tensor(@,": [np.abs(rough / fine - 1).max()],
        r"\text{share} = @`": [(1 - one**2) / (1 - np.tanh(5.0) ** 2)],
        "torch.tensor(5.0).cos() (tensor(@, dtype=torch.float64), tensor(@))": [
            np.cos(np.float16(5).astype(float)),
            cosine,
        ],
        "torch.tanh(torch.tensor(5.0)).half().item() (tensor(@), @)": [
            np.tanh(5.0),
            one,
        ],
    }


def _parts(f: sp.Expr, z: sp.Symbol, at: sp.Expr) -> list[sp.Expr]:
    """Return the slopes of a real f by the real and by the imaginary part of z."""
    a, b = sp.symbols("a b", real=True)
    by_parts = f.subs(z, a + sp.I * b)
    place = dict(zip((a, b), at.as_real_imag(), strict=True))
    real = sp.expand_complex(by_parts)
    return [sp.simplify(sp.diff(real, part).subs(place)) for part in (a, b)]


def _complex_losses() -> Found:
    z = sp.Symbol("z")
    at = 3 + 4 * sp.I
    square = _parts(z * sp.conjugate(z), z, at)
    size = sum(part**2 for part in square)
    real, imaginary = (_parts(part(z * z), z, at) for part in (sp.re, sp.im))
    turned = [k * sp.pi / 180 for k in (50, 310)]
    angle = _angle_slopes()
    return {
        "own place: :math:`\\nabla_z L = @ + @i`": square,
        "= \\lvert z \\rvert^2 = @` again": [size / 4],
        r"z - \frac{1}{10} \nabla_z L = @ + @i`": [
            k - part / 10 for k, part in zip((3, 4), square, strict=True)
        ],
        r"\sqrt{6^2 + 8^2} = @`": [sp.sqrt(size)],
        "slope[31] (tensor(@, dtype=torch.float64), tensor(@,": [
            square[0] * sp.cos(t) + square[1] * sp.sin(t) for t in turned
        ],
        r"\frac{z}{m} = @ + @i`": _parts(sp.sqrt(z * sp.conjugate(z)), z, at),
        r"\nabla_z r = @ - @i`": [real[0], -real[1]],
        "(z * z).imag, 3 + 4j) tensor(@.+@.j": imaginary,
        r"J = \begin{pmatrix} @ & @ \\ @ & @ \end{pmatrix}": [*real, *imaginary],
        r"J e_0 = (@, @)`": [real[0], imaginary[0]],
        r"J^\top e_0 = (@, @)": real,
        ":math:`g = @ + @i`": square,
        r"\text{wirtinger} = @ + @i`": [part / 2 for part in square],
        r"\text{jax} = @ - @i`": square,
        "at(torch.angle, 3 + 4j) tensor(@+@j": angle,
    }


def _angle_slopes() -> list[sp.Expr]:
    a, b = sp.symbols("a b")
    return [sp.diff(sp.atan2(b, a), v).subs({a: 3, b: 4}) for v in (a, b)]


def _conjugate_slopes() -> Found:
    """What z receives of f with weight 1 is the gradient of the real part of f."""
    z = sp.Symbol("z")
    functions = [
        (z * z, 1 + 2 * sp.I),
        (sp.exp(sp.I * z), sp.Integer(0)),
        (1 / z, sp.I),
    ]
    pairs = [_parts(sp.re(f), z, at) for f, at in functions]
    slope = sp.diff(z * z, z).subs(z, 1 + 2 * sp.I).as_real_imag()
    return {
        r"\text{received} = (@ - @i, -i, @)`": [pairs[0][0], -pairs[0][1], pairs[2][0]],
        "they are :math:`@, @`, then :math:`@, @`, then :math:`@, @`": [
            part for pair in pairs for part in pair
        ],
        r"\text{forward} = @ + @i`": slope,
    }


def _complex_neuron() -> Found:
    w = sp.Symbol("w")
    x, t = 1 + 2 * sp.I, 5 * sp.I
    one = sp.Integer(1)
    r = w * x - t
    left = sp.expand(r.subs(w, 1))
    loss = r * sp.conjugate(r)
    slopes = _parts(loss, w, one)
    step = [1 - slopes[0] / 10, -slopes[1] / 10]
    volume = _parts(loss, w, one)[0]  # k moves along the real axis of w
    factors = [1 - sp.Rational(4, 100) * f for f in (x**2, x * sp.conjugate(x))]
    friend = functools.reduce(_by_jax, range(2), 3 + 4 * sp.I)
    return {
        "r = w x - t = @ - @i`": [sp.re(left), -sp.im(left)],
        r"\lvert w x - t \rvert^2 = @`": [sp.expand(left * sp.conjugate(left))],
        "(1 - 2i) = @ - @i`": [slopes[0], -slopes[1]],
        r"0.1\,\nabla_w L = @ + i`": [step[0]],
        r"\nabla_k M = @`": [volume],
        "abs(x) ** 2 (tensor(@, dtype=torch.float64), tensor(@,": [
            abs(sp.expand(f)) for f in factors
        ],
        "((w * x - t) ** 2).real tensor(@.,": [sp.re(sp.expand(left**2))],
        ">>> friend tensor(@+@j": friend.as_real_imag(),
    }


def _by_jax(z: sp.Expr, _: int) -> sp.Expr:
    """Step against the conjugate of the gradient 2z."""
    return sp.expand(z - sp.conjugate(2 * z) / 10)


def _adam_and_fourier() -> Found:
    """Adam's first step divides each part by its own size."""
    tenth = sp.Rational(1, 10)
    parts = [k - tenth * sp.sign(2 * k) for k in (3, 4)]
    turned = 5 - tenth * sp.sign(2 * 5)
    x = sp.symbols("x:4", real=True)

    def slopes(frequencies: Sequence[int]) -> list[sp.Expr]:
        energy = 0
        for k in frequencies:
            turns = [sp.pi * k * n / 2 for n in range(4)]
            for f in (sp.cos, sp.sin):
                energy += sum(f(u) * v for u, v in zip(turns, x, strict=True)) ** 2
        at = dict(zip(x, range(4), strict=True))
        return [sp.diff(energy, v).subs(at) for v in x]

    length = sp.sqrt(sum(part**2 for part in parts))
    return {
        r"\operatorname{Re}(p_0) = @`": parts[:1],
        r"\operatorname{Im}(p_0) = @`": parts[1:],
        "p.detach().abs() (tensor([@], dtype=torch.float64), tensor([@],": [
            turned,
            length,
        ],
        "torch.fft.fft), wave) (tensor([ @., @., @., @.],": slopes(range(4)),
        "torch.fft.rfft), wave) (tensor([ @., @., @., @.],": slopes(range(3)),
    }


def _newton_for_a_root() -> Found:
    a, z = sp.symbols("a z")
    step = (z + a / z) / 2
    values, slopes = [sp.Integer(1)], [sp.Integer(0)]
    for _ in range(5):
        at = {z: values[-1], a: 2}
        by_a, by_z = (sp.diff(step, v).subs(at) for v in (a, z))
        slopes.append(by_a + by_z * slopes[-1])
        values.append(step.subs(at))
    second = {z: values[1], a: 2}
    through = sp.diff(step, z).subs(second) * slopes[1]
    root = sp.sqrt(2)
    true = sp.diff(sp.sqrt(a), a).subs(a, 2)
    early = 1 / (2 * values[2])
    e = sp.Symbol("e")
    return {
        "z_1 = @` and :math:`z_2 = @`": values[1:3],
        r"The truth is :math:`\sqrt{a} = @`": [root],
        r"\frac{1}{2 \sqrt{a}} = @`": [true],
        r"\frac{dz_1}{da} = \frac{1}{2} = @`": slopes[1:2],
        r"\frac{1}{2 z_1} = @`": [sp.diff(step, a).subs(second)],
        r"\cdot 0.5 = @`": [through],
        r"\frac{dz_2}{da} = @`": slopes[2:3],
        "for s in slopes.tolist()] [@, @, @, @, @]": slopes[1:],
        r"\text{implicit} = @`": [true],
        r"\text{slopes}_1 = @`": slopes[2:3],
        r"\text{early} = \frac{1}{2 z_2} = @`": [early],
        r"z_2 - \sqrt{a} = @`": [values[2] - root],
        "(3 * r**2), e)[0].item() @ ..": [sp.diff(sp.cbrt(e), e).subs(e, 8)],
    }


def _rest(w: float, x: float) -> mpmath.mpf:
    """Solve z = tanh(w z + x) near 1."""
    return mpmath.findroot(lambda z: mpmath.tanh(w * z + x) - z, 0.9)


def _unrolled(w: float, x: float, steps: int) -> tuple[float, float]:
    """Return z after some steps from 0, and its slope by x, carried along."""
    z, slope = mpmath.mpf(0), mpmath.mpf(0)
    for _ in range(steps):
        z = mpmath.tanh(w * z + x)
        slope = (1 - z**2) * (w * slope + 1)
    return z, slope


def _rest_and_its_slopes() -> Found:
    """Slopes of the solution itself: high-precision differences of the root found."""
    z = _rest(0.5, 1)
    by_x = mpmath.diff(lambda x: _rest(0.5, x), 1)
    by_w = mpmath.diff(lambda w: _rest(w, 1), 0.5)
    loss = mpmath.diff(lambda w: (w * _rest(w, 1)) ** 2, 0.5)
    cut = mpmath.diff(lambda w: (w * z) ** 2, 0.5)
    geometric = (1 - z**2) / 2
    last = [(1 - z**2) * sum(geometric**k for k in range(n)) for n in (1, 2, 3)]
    far = mpmath.findroot(lambda t: mpmath.tanh(2 * t) - t, 0.9)
    by_equation = [
        mpmath.diff(lambda t: mpmath.tanh(2 * t + 0), at) / 2 for at in (0, far)
    ]
    return {
        "it rests at :math:`z = @`": [z],
        "z^2 = @`, and tanh": [z**2],
        r"\text{one\_step} = 1 - z^2 = @`": last[:1],
        r"= \frac{s}{1 - ws} = @,": [by_x],
        r"\frac{s\,z}{1 - ws} = @": [by_w],
        r"\text{forgotten} = 2wz^2 = @`": [cut],
        "forgotten).item(), 4), round(right.item(), 4) (@, @)": [loss - cut, loss],
        "(1, 2, 3)], slopes[0].item() ([@, @, @], @)": [*last, by_x],
        "- last(2), 4) @ ..": [by_x - last[1]],
        "by_equation_at(end) (@, @, @)": [
            far,
            *(s / (1 - 2 * s) for s in by_equation),
        ],
    }


def _slow_rest() -> Found:
    """Each step saves w, its z but for the first zero, and its result."""
    steps = 10, 100, 1000
    walks = [_unrolled(1, 0.001, n) for n in steps]
    by_formula = [(1 - z**2) / (1 - (1 - z**2)) for z, _ in walks]
    z = walks[0][0]
    left = mpmath.tanh(z + 0.001) - z
    penalty = sp.Symbol("penalty")
    best = sp.Rational(1 * 2 + 2 * 3) / (1**2 + 2**2 + penalty)
    return {
        r"\text{by\_steps} = (@, @, @)`": [3 * n - 1 for n in steps],
        r"\text{about} = (@, @, @)`": [mpmath.nint(slope) for _, slope in walks],
        "for s in by_formula.tolist()] [@, @, @]": [mpmath.nint(s) for s in by_formula],
        "early_z**2))).item(), 2) (@, @)": [left, left / z**2],
        "(by_unrolling, by_formula)] [@, @]": [walks[2][1], by_formula[2]],
        r"\frac{8}{5 + \lambda} = @`": [best.subs(penalty, 1)],
        r"-\frac{8}{36} = @`": [sp.diff(best, penalty).subs(penalty, 1)],
    }


MU, SIGMA, EPSILON = sp.Rational(3, 2), HALF, sp.Symbol("epsilon")
DRAW = MU + SIGMA * EPSILON
SCORE = EPSILON / SIGMA


def _mean(f: sp.Expr) -> sp.Expr:
    """Return the mean of a polynomial in a standard normal epsilon.

    The mean of its even powers 2k is (2k - 1)(2k - 3)...1, that of odd ones is 0.
    """
    terms = sp.Poly(f, EPSILON).terms()
    return sum(c * sp.factorial2(k - 1) for (k,), c in terms if k % 2 == 0)


def _variance(f: sp.Expr) -> sp.Expr:
    return _mean(f**2) - _mean(f) ** 2


def _baselines() -> Found:
    b = sp.Symbol("b")
    v = sp.expand(_variance((DRAW**2 - b) * SCORE))
    gap = sp.Poly(v.subs(b, sp.Rational(9, 4) - b), b).all_coeffs()  # in 2.25 - b
    at = {k: v.subs(b, sp.Rational(k)) for k in ("0", "9/4", "5/2", "3")}
    times = sp.ceiling(at["0"] / _variance(2 * DRAW))
    share = [1 - sp.Rational(1, n) for n in (2, 4)]  # the draw's own part of a mean
    slope = _mean(DRAW**2 * SCORE)
    return {
        r"v(b) = @\,(2.25 - b)^2 + @\,(2.25 - b) + @": gap,
        "v(0) = @`": [at["0"]],
        r"\sqrt{v(0)} = @`": [sp.sqrt(at["0"])],
        "v(2.25) = @`": [at["9/4"]],
        "v(2.5) = @`": [at["5/2"]],
        "v'(@) = 0`": sp.solve(sp.diff(v, b), b),
        "v(3) = @`": [at["3"]],
        "(0, 2.25, 2.5, 3)] [7.5, @, @, @]": [  # 7.45, of these draws 7.46
            sp.sqrt(at[k]) for k in ("9/4", "5/2", "3")
        ],
        r"\text{times} = @`": [times],
        r"\text{halves} = \frac{3}{2} = @`": [share[0] * slope],
        "(f4 * score4).mean() tensor(@,": share[1:],
        "pair_score).mean().round() tensor(@.,": [slope],
    }


def _moved_draws() -> Found:
    mu, sigma, border = sp.symbols("mu sigma border", positive=True)
    E = mu**2 + sigma**2
    at = {mu: MU, sigma: SIGMA}
    three = [1, -2, HALF]
    x = [DRAW.subs(EPSILON, e) for e in three]
    by_sigma = [2 * d * e for d, e in zip(x, three, strict=True)]
    bell = sp.exp(-(((border - mu) / sigma) ** 2) / 2) / sigma / sp.sqrt(2 * sp.pi)
    above = sp.erfc((border - mu) / sigma / sp.sqrt(2)) / 2
    here = {**at, border: 2}
    tail = mu * above + sigma**2 * bell
    return {
        r"E = \mu^2 + \sigma^2 = @`": [E.subs(at)],
        r"2\mu = @`": [sp.diff(E, mu).subs(at)],
        r"2\sigma = @`": [sp.diff(E, sigma).subs(at)],
        r"\sigma \epsilon = (@, @, @)`": x,
        "(2 + 0.5 + 1.75) = @": [2 * sum(x) / 3],
        r"1.75 \cdot 0.5) = @": [sum(by_sigma) / 3],
        r"{\sigma^2} = @`": [SCORE.subs(EPSILON, 1)],
        r"\text{truth} = @`": [sp.diff(tail, mu).subs(here)],
        "(tensor(0.1586, dtype=torch.float64), tensor(@,": [above.subs(here)],
        "(tensor(0., dtype=torch.float64), tensor(@,": [bell.subs(here)],
    }


def _choices() -> Found:
    """The gradient of the first logit has two values, one for each choice."""
    p = sp.Symbol("p")

    def of_first(p: sp.Expr, baseline: sp.Expr) -> list[sp.Expr]:
        return [(1 - baseline) * (1 - p), (2 - baseline) * -p]

    def spread(pair: Sequence[sp.Expr], p: sp.Expr) -> sp.Expr:
        return sp.sqrt(p * (1 - p)) * abs(pair[0] - pair[1])

    tens = (0, 3 * HALF, 10)
    likely = sp.Rational(9, 10)
    reward = p + 2 * (1 - p)
    first = sum(w * g for w, g in zip((HALF, HALF), of_first(HALF, 0), strict=True))
    coin, cut = sp.Rational(3, 10), sp.Rational(45, 100)
    slope = sp.diff(p * (1 - cut) ** 2 + (1 - p) * cut**2, p)
    scored = [(1 - cut) ** 2 / coin, -(cut**2) / (1 - coin)]
    return {
        r"\text{reward} = p^\top R = @`": [reward.subs(p, HALF)],
        "(R - p^\\top R) = (@, @)`": [first, -first],
        r"\text{spreads} = (@, @, @)`": [spread(of_first(HALF, b), HALF) for b in tens],
        "- q[0]) tensor([@, @],": of_first(likely, reward.subs(p, likely)),
        r"\ln \frac{1}{2} = @`": [sp.log(HALF)],
        ">>> torch.autograd.grad(weighed, chance) (tensor(@,": [slope],
        "(0.3 * 0.7)).std() tensor(@,": [spread(scored, coin)],
    }


def _grown() -> Found:
    """Spreads of d squares times the score of the first; 500 is one of draws alone."""
    rows = []
    for d in (1, 10, 100):
        rows.append([2 * SIGMA])
        for baseline in (0, d * _mean(DRAW**2)):
            others = (d - 1) * _mean(DRAW**2)
            own = (DRAW**2 + others - baseline) * SCORE
            wide = (d - 1) * _variance(DRAW**2) * _mean(SCORE**2)
            rows[-1].append(sp.sqrt(_variance(own) + wide))
    one, ten, hundred = [[sp.floor(s + HALF) for s in row] for row in rows]
    return {
        r"{pmatrix} @ & @ & @ \\ @ & @ & @ \\ @ & 500 & @ \end": [
            *one,
            *ten,
            *hundred[::2],
        ]
    }


SOBEL = np.array([-1.0, 0, 1, -2, 0, 2, -1, 0, 1])


@functools.cache
def _scenes() -> tuple[np.ndarray, np.ndarray]:
    """Return the picture of the edge filter without its grain, and the grain."""
    down, across = np.mgrid[:64, :64].astype(float)
    grain = 43758.5453 * np.sin(12.9898 * across + 78.233 * down) % 1 - 0.5

    def disc(row: float, column: float, radius: float) -> np.ndarray:
        distance = np.hypot(down - row, across - column)
        return 1 / (1 + np.exp(-2 * (radius - distance)))

    scene = 0.4 + 0.004 * down + 0.4 * disc(20, 42, 11) - 0.3 * disc(42, 20, 14)
    scene[40:, 48:] += 0.2
    return scene, grain


def _curvatures(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the eigenvalues and eigenvectors of an edge filter's Hessian."""
    windows = np.lib.stride_tricks.sliding_window_view(picture, (3, 3)).reshape(-1, 9)
    return np.linalg.eigh(2 / len(windows) * windows.T @ windows)


def _with_momentum(
    values: np.ndarray, error: np.ndarray, rate: float, momentum: float
) -> np.ndarray:
    """Return what remains of the errors after 200 steps of a matrix each."""
    slope = rate * values
    both = np.array([[1 - slope, np.full(9, -momentum)], [slope, np.full(9, momentum)]])
    powers = np.linalg.matrix_power(both.transpose(2, 0, 1), 200)
    return powers[:, 0, 0] * error


def _edge_filter() -> Found:
    """Descent in closed form: each eigenvector's error has a factor of its own."""
    scene, grain = _scenes()
    picture = scene + grain / 10
    values, vectors = _curvatures(picture)
    centred = _curvatures(picture - picture.mean())[0]

    def after(steps: int, values: np.ndarray, vectors: np.ndarray) -> np.ndarray:
        return vectors @ ((1 - values / 5) ** steps * (vectors.T @ -SOBEL))

    def loss(steps: int) -> float:
        error = vectors.T @ after(steps, values, vectors)
        return (values * error**2).sum() / 2

    thousand = SOBEL + after(1000, values, vectors)
    seen = after(3000, values, vectors)
    clean = after(10000, *_curvatures(scene))
    of_grain, ways = _curvatures(grain)
    parts = vectors.T @ after(1000, values, vectors)
    rounded = vectors.T @ (thousand.round() - SOBEL)
    roots = np.sqrt(values[[0, 8]])
    rate, momentum = 4 / sum(roots) ** 2, (np.diff(roots)[0] / sum(roots)) ** 2
    rolled = _with_momentum(values, vectors.T @ -SOBEL, rate, momentum)
    new = ways.T @ after(1000, values, vectors)
    whole = ways.T @ SOBEL
    return {
        "for step in (0, 100, 1000, 3000)] [@, @, @, @]": [
            loss(steps) for steps in (0, 100, 1000, 3000)
        ],
        "(tensor([@, @, @], dtype": thousand[:3],
        "tensor([@, @], dtype=torch.float64), tensor": thousand[[3, 5]],
        "tensor([@, @, @], dtype=torch.float64)) >>> loss": thousand[6:],
        "[:, 2].sum() tensor(@,": [thousand[2::3].sum()],
        r"\text{eigenvalues}_0 = @`": values[:1],
        r"0.001629` and :math:`\text{eigenvalues}_8 = @`": values[8:],
        "eigenvalues[0]).item()) @": [round(values[8] / values[0])],
        r"1 - 0.4 \cdot \text{eigenvalues}_8 = @`": [1 - 0.4 * values[8]],
        r"\frac{2}{\text{eigenvalues}_8} = @`": [2 / values[8]],
        r"\text{factors}_0 = @`": [1 - values[0] / 5],
        r"\ln \text{factors}_0} = @`": [np.log(0.5) / np.log(1 - values[0] / 5)],
        "** 3000 tensor([@, @, @, @],": (1 - values[[0, 6, 7, 8]] / 5) ** 3000,
        "[[0, 2, 7]] tensor([@, @, @],": (parts**2 / (parts**2).sum())[[0, 2, 7]],
        "loss(way[1000]) @ .. wrong": [(values * rounded**2).sum() / 2 / loss(1000)],
        ">>> rate, momentum (@, @)": [rate, momentum],
        ">>> off(way[10000]) @": [abs(after(10000, values, vectors)).max()],
        ">>> off(w.detach()) @": [abs(vectors @ rolled).max()],
        r"\text{centred}_8 = @`": centred[8:],
        r"\text{centred}_0 = @`": centred[:1],
        r"\frac{\text{centred}_8}{\text{centred}_0} = @`": [centred[8] / centred[0]],
        r"\frac{\text{eigenvalues}_8}{\text{centred}_8} = @`": [values[8] / centred[8]],
        "287)[287]) (@,": [abs(seen).max()],
        "of_grain[0]).item(), 2) @": [round(of_grain[8] / of_grain[0], 2)],
        ">>> off(clean) @": [abs(clean).max()],
        "share_of_zeros(grain_X, grain_y) (@, @)": [
            loss(1000) / loss(0),
            (of_grain * new**2).sum() / (of_grain * whole**2).sum(),
        ],
    }


COUNT = np.arange(65.0)
ACROSS, DOWN = np.meshgrid(COUNT, COUNT)


def _wall(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Photograph the scene of the registration at given places."""

    def spot(column: float, row: float, size: float) -> np.ndarray:
        return np.exp(-((x - column) ** 2 + (y - row) ** 2) / (2 * size**2))

    bright = 0.8 * spot(40, 24, 8) + 0.6 * spot(18, 42, 7) + 0.5 * spot(42, 48, 5)
    dark = 0.5 * spot(50, 36, 5) + 0.4 * spot(20, 18, 5)
    pattern = np.cos(np.pi * x / 4) * np.cos(np.pi * y / 4)
    return bright - dark + 0.3 * pattern * spot(32, 32, 16)


def _read(image: np.ndarray, x: np.ndarray, y: np.ndarray) -> list[np.ndarray]:
    """Return what is read between pixels, and its slopes by column and row.

    Beyond the border the picture goes on with its last pixel.
    """
    u, v = (np.clip(place, 0, 64) for place in (x, y))
    i, j = (np.minimum(place.astype(int), 63) for place in (u, v))
    a, b = u - i, v - j
    lower, upper = (
        [image[j + k, i], image[j + k, i + 1] - image[j + k, i]] for k in (0, 1)
    )
    rows = [line[0] + a * line[1] for line in (lower, upper)]
    by_x = ((1 - b) * lower[1] + b * upper[1]) * (u == x)
    return [(1 - b) * rows[0] + b * rows[1], by_x, (rows[1] - rows[0]) * (v == y)]


def _blurred(image: np.ndarray, size: int) -> np.ndarray:
    k = np.exp(-(np.arange(-3 * size, 3 * size + 1) ** 2) / (2 * max(size, 1) ** 2))
    k /= k.sum()
    windows = np.lib.stride_tricks.sliding_window_view
    wide = np.pad(image, 3 * size, mode="edge")
    return windows(windows(wide, k.size, axis=0) @ k, k.size, axis=1) @ k


def _on_pixels() -> Found:
    slopes = np.diff([0.0, 1, 4, 9, 16])
    first, second = _wall(ACROSS, DOWN), _wall(ACROSS + 20, DOWN - 12)

    def loss(t: float) -> float:
        return ((_read(first, ACROSS + t, DOWN)[0] - second) ** 2).mean()

    step = 1e-6
    bricks = 0.3 * np.cos(np.pi * ACROSS / 4) * np.cos(np.pi * DOWN / 4)
    soft = _read(_blurred(first, 4), ACROSS + 20, DOWN - 12)[0] - second
    beyond = _read(first, ACROSS + 20, DOWN - 12)[0] - second
    assert abs(beyond[12:, :45]).max() < 1e-12
    return {
        r"\text{value}}{du} = 4 - 1 = @`": slopes[1:2],
        r"2 \cdot 3 = @`": [2 * slopes[1]],
        r"\text{on\_pixel} = 9 - 4 = @`": slopes[2:3],
        r"\text{rightwards} = @`": [1000 * (loss(step) - loss(0)) / step],
        r"\text{leftwards} = @`": [1000 * (loss(0) - loss(-step)) / step],
        r"\frac{32}{65} = @`": [(0.5 - 65 / 2) * 64 / 65 + 32],
        "columns[64] tensor(@,": [(64.5 - 65 / 2) * 64 / 65 + 32],
        "gap.max().item() (True, @)": [abs(beyond).max()],
        "in (0, 1, 2, 4)] [@, @, @, @]": [
            _blurred(bricks, size)[32, 32] for size in (0, 1, 2, 4)
        ],
        "loss_at(t, soft).item() (tensor(True), @)": [(soft**2).mean()],
    }


CORNERS = np.array([[0.0, 0], [64, 0], [64, 64], [0, 64]])


def _move(to: np.ndarray) -> np.ndarray:
    """Return where a homography that sends the corners there sends each pixel."""
    equations, ends = [], []
    for (u, v), (a, b) in zip(CORNERS, to, strict=True):
        equations += [[u, v, 1, 0, 0, 0, -u * a, -v * a]]
        equations += [[0, 0, 0, u, v, 1, -u * b, -v * b]]
        ends += [a, b]
    m = np.append(np.linalg.solve(equations, ends), 1).reshape(3, 3)
    x, y, depth = m @ [ACROSS.ravel(), DOWN.ravel(), np.ones(65 * 65)]
    return (np.stack([x, y]) / depth).reshape(2, 65, 65)


def _moved_camera() -> Found:
    """Gauss-Newton, with finite differences where the lesson has forward mode."""
    truth = CORNERS + np.array([[6.0, -9], [-5, 4], [3, -8], [9, 5]])
    first, second = _wall(ACROSS, DOWN), _wall(*_move(truth))
    to, off = CORNERS, [np.hypot(*(CORNERS - truth).T).max()]
    unit = 1e-5 * np.eye(8).reshape(8, 4, 2)
    for size in (4, 2, 0):
        a, b = _blurred(first, size), _blurred(second, size)
        for _ in range(8):
            seen, *slopes = _read(a, *_move(to))
            ways = [(_move(to + e) - _move(to - e)) / 2e-5 for e in unit]
            J = np.stack([(slopes * way).sum(axis=0).ravel() for way in ways], axis=1)
            to = to - np.linalg.lstsq(J, (seen - b).ravel())[0].reshape(4, 2)
        off.append(np.hypot(*(to - truth).T).max())
    return {
        r"\sqrt{6^2 + 9^2} \approx @`": [np.hypot(6, 9)],
        "in off[[0, 8, 16, 24]].tolist()] [@, @, @, @]": off,
    }


WITNESSES: Mapping[str, Sequence[Callable[[], Found]]] = {
    "40_feature_visualisation": (_climb_of_two_inputs,),
    "30_saliency": (_inputs_of_a_neuron, _shares_and_units),
    "10_custom_function": (_softplus, _polynomial_and_product),
    "20_surrogate_gradients": (
        _rounding,
        _clipped,
        _spikes_and_classes,
        _reversal_and_miss,
    ),
    "30_higher_order": (_cube_and_hessians, _newton, _nested, _rules),
    "40_forward_mode": (_dual_numbers, _directions, _evaluations),
    "50_torch_func": (_samples, _batches_and_matrices),
    "60_memory": (_what_slopes_need, _networks, _segments, _half_precision),
    "70_complex": (
        _complex_losses,
        _conjugate_slopes,
        _complex_neuron,
        _adam_and_fourier,
    ),
    "80_implicit": (_newton_for_a_root, _rest_and_its_slopes, _slow_rest),
    "90_randomness": (_moved_draws, _baselines, _choices, _grown),
    "50_edge_filter": (_edge_filter,),
    "60_registration": (_on_pixels, _moved_camera),
}


@pytest.mark.parametrize(
    ("lesson", "found"),
    [(lesson, found) for lesson, all_ in WITNESSES.items() for found in all_],
)
def test_lesson_states_what_is_found(lesson, found):
    """And each of its numbers is refused with another last digit."""
    text = source(lesson)
    for words, values in found().items():
        confirm(text, words, values)
        for wrong in misprints(words, stated(text, words)):
            with pytest.raises(AssertionError, match=", not "):
                confirm(wrong, words, values)
