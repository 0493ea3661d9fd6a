"""The main numbers of lessons, found a second time: by sympy, without torch."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
import sympy as sp

GALLERY = Path(__file__).parents[1] / "gallery"
NUMBER = r"(-?\d+(?:\.\d+)?)"


def stated(lesson: str, words: str) -> list[str]:
    """Return the numbers that a lesson's source has at each ``@`` of ``words``.

    The words are as in the source, but for line breaks, and stand there once.
    """
    source = (GALLERY / f"{lesson}.py").read_text(encoding="utf-8")
    pattern = re.escape(words).replace("@", NUMBER).replace(r"\ ", r"\s+")
    found = re.findall(pattern, re.sub(r"\n#? *", " ", source))
    assert len(found) == 1, f"{len(found)} times in {lesson}: {words}"
    return list(found[0]) if isinstance(found[0], tuple) else found


def agrees(said: str, value: sp.Expr) -> bool:
    """Compare to as many decimals as are said."""
    places = len(said.partition(".")[2])
    return bool(abs(sp.Rational(said) - value) <= sp.Rational(1, 2 * 10**places))


def confirm(lesson: str, found: Mapping[str, Sequence[sp.Expr]]) -> None:
    """Compare what a lesson states, each by its words, with what was found."""
    for words, values in found.items():
        for said, value in zip(stated(lesson, words), values, strict=True):
            assert agrees(said, value), f"{words}: {said}, not {sp.N(value)}"


@pytest.mark.parametrize(
    ("said", "agreed"),
    [("0.33", True), ("0.34", False), ("1", False), ("-0.33", False)],
)
def test_wrong_digit_is_contradicted(said, agreed):
    assert agrees(said, sp.Rational(1, 3)) == agreed


def test_number_that_is_no_longer_stated_is_missed():
    with pytest.raises(AssertionError, match="0 times"):
        stated("4_advanced/30_higher_order", "@ words that no lesson holds")


def test_30_higher_order():
    lesson = "4_advanced/30_higher_order"
    confirm(lesson, _cube_and_hessians())
    confirm(lesson, _newton())
    confirm(lesson, _nested())
    confirm(lesson, _rules())


def _cube_and_hessians() -> dict[str, Sequence[sp.Expr]]:
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
        "@ times: the quotient": [max(ends) / min(ends)],
    }


def _newton() -> dict[str, Sequence[sp.Expr]]:
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


def _nested() -> dict[str, Sequence[sp.Expr]]:
    w, x = sp.symbols("w x")
    at = {w: 1, x: 2}
    penalty = sp.diff(w * x**3, x) ** 2
    step = w - sp.diff((w - 3) ** 2, w) / 10
    return {
        "18 w x^4 = @`": [sp.diff(penalty, w).subs(at)],
        "36 w^2 x^3 = @`": [sp.diff(penalty, x).subs(at)],
        r"\cdot 0.8 = @`": [sp.diff((step - 3) ** 2, w).subs(w, 0)],
    }


def _rules() -> dict[str, Sequence[sp.Expr]]:
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


def test_10_custom_function():
    lesson = "4_advanced/10_custom_function"
    confirm(lesson, _softplus())
    confirm(lesson, _polynomial_and_product())


def _softplus() -> dict[str, Sequence[sp.Expr]]:
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


def _polynomial_and_product() -> dict[str, Sequence[sp.Expr]]:
    x, half = sp.Symbol("x"), sp.Rational(1, 2)
    legendre, product = sp.legendre(3, x), x * sp.exp(x)
    return {
        r"P_3(\tfrac12) = @`": [legendre.subs(x, half)],
        r"P_3'(\tfrac12) = @`": [sp.diff(legendre, x).subs(x, half)],
        r"are :math:`\text{at\_0} = (@, @, @)`": [
            sp.diff(product, x, order).subs(x, 0) for order in range(3)
        ],
    }
