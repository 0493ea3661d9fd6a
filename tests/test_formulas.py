"""The language of formulas: values, shapes, places of errors, and sympy beside it."""

import pytest
import sympy
import torch

from coursecheck.algebra import BUILT_IN, evaluate
from coursecheck.binding import Definition, Log, Names
from coursecheck.formulas import FUNCTIONS, FormulaError, parse
from coursecheck.maths import RELATION
from coursecheck.verifying import STENCILS

torch.set_num_threads(1)
VARIABLES = {
    "x": torch.tensor([1.0, 2, 3]),
    "z": torch.tensor([0.5, -1, 2]),
    "A": torch.tensor([[1.0, 2], [3, 4]]),
    "B": torch.tensor([[2.0, 0, 1], [1, 1, 0]]),
    "s": torch.tensor(0.5),
    "t": -2,
    "w1": 0.25,
    "loss_fn": 7.0,
    "theta": 3.0,
    "lambda_": 0.1,
    "x_hat": 9.0,
}


def compute(text, variables=VARIABLES, definitions=None):
    scope = Names(variables, definitions or {}, Log())
    [equation] = parse(f"{text} = 0", scope.is_function)
    return evaluate(equation.members[0], scope).tensor


VALUES = [
    ("2 + 3 \\cdot 4 - 6/3", 12),
    ("-2^2", -4),
    ("2 \\cdot -3", -6),
    ("x^\\top z", 4.5),
    ("x \\cdot z", 4.5),
    ("x z^\\top", [[0.5, -1, 2], [1, -2, 4], [1.5, -3, 6]]),
    ("x \\odot z", [0.5, -2, 6]),
    ("2x - \\mathbf{1}", [1, 3, 5]),
    ("s\\,x", [0.5, 1, 1.5]),
    ("x/2", [0.5, 1, 1.5]),
    ("\\frac{1}{x}", [1, 0.5, 1 / 3]),
    ("\\frac12 x", [0.5, 1, 1.5]),
    ("\\tfrac12", 0.5),
    ("\\frac{10}3", 10 / 3),
    ("\\frac{22}{10}", 2.2),
    ("\\frac1{12}", 1 / 12),
    ("\\frac123", 1.5),
    ("2^10", 0),
    ("2^{10}", 1024),
    ("x^2", [1, 4, 9]),
    ("x_1^2", 4),
    ("x_{1}", 2),
    ("A_{10}", 3),
    ("A_{1,0}", 3),
    ("A_1", [3, 4]),
    ("w_1", 0.25),
    ("AB", [[4, 2, 1], [10, 4, 3]]),
    ("A A^\\top", [[5, 11], [11, 25]]),
    ("A^{-1}A", [[1, 0], [0, 1]]),
    ("A^2", [[7, 10], [15, 22]]),
    ("A^{-2}A^3", [[1, 2], [3, 4]]),
    ("A^{-\\top}A^T", [[1, 0], [0, 1]]),
    ("Bx", [5, 3]),
    ("z^\\top B^\\top", [3, -0.5]),
    ("B + x", [[3, 2, 4], [2, 3, 3]]),
    ("(A + I)", [[2, 2], [3, 5]]),
    ("(2I) A", [[2, 4], [6, 8]]),
    ("A^{-1}A - I_2", [[0, 0], [0, 0]]),
    ("\\mathbf 1_3^\\top x", 6),
    ("x - e_0", [0, 2, 3]),
    ("e_2^\\top x", 3),
    ("\\mathbf 1^\\top x", 6),
    ("\\operatorname{diag}(1, 2)", [[1, 0], [0, 2]]),
    ("\\operatorname{tr}(A)", 5),
    ("\\det A", -2),
    ("\\lVert x\\rVert_2^2", 14),
    ("\\|z\\|_1", 3.5),
    ("\\|z\\|_\\infty", 2),
    ("\\|A\\|_F", 30**0.5),
    ("|t|", 2),
    ("\\lvert z_1 \\rvert", 1),
    ("\\max(x, z)", [1, 2, 3]),
    ("\\max(0, z)", [0.5, 0, 2]),
    ("\\max x", 3),
    ("\\max_i z_i", 2),
    ("\\sum_{i=0}^{2} x_i^2", 14),
    ("\\sum_i x_i z_i + 1", 5.5),
    ("\\sum_{i,j} A_{ij}", 10),
    ("\\sum_i A_i", [4, 6]),
    ("\\prod_i x_i", 6),
    ("\\sum_{i=0}^{1} x_i x_{i+1}", 8),
    ("\\operatorname{mean}(x)", 2),
    ("\\ln(e^{2})", 2),
    ("\\log 1", 0),
    ("\\sin^2 s + \\cos^2 s", 1),
    ("\\exp(0)", 1),
    ("\\sqrt{4}", 2),
    ("\\sqrt[3]{8}", 2),
    ("\\sigma(0)", 0.5),
    ("\\sigma'(0)", 0.25),
    ("\\text{relu}(z)", [0.5, 0, 2]),
    ("\\text{loss\\_fn}", 7),
    ("\\mathrm{loss\\_fn} + 1", 8),
    ("2\\theta\\lambda", 0.6),
    ("\\hat x", 9),
    ("\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}", [[1, 2], [3, 4]]),
    ("\\left( 1, \\tfrac{1}{2} \\right)", [1, 0.5]),
    ("128\\,000", 128000),
    ("3.7 \\cdot 10^{-3}", 0.0037),
    ("3.7{\\cdot}10^{-3}", 0.0037),
    ("\\pi", torch.pi),
    ("\\|3 + 4i\\|_2", 5),
    ("\\underbrace{s^2}_{\\text{a b}} + 1", 1.25),
    ("\\nabla_x (x^\\top z)", [0.5, -1, 2]),
    ("\\nabla_x^2 (x_0 x_1)", [[0, 1, 0], [1, 0, 0], [0, 0, 0]]),
    ("\\frac{\\partial}{\\partial x_1} x_1^3", 12),
    ("\\frac{d^2}{ds^2} (s^3)", 3),
    ("\\frac{\\partial^2 (x_0 x_1^2)}{\\partial x_0 \\partial x_1}", 4),
]


@pytest.mark.parametrize(("text", "expected"), VALUES)
def test_formula_has_its_value(text, expected):
    value = compute(text)
    expected = torch.tensor(expected, dtype=torch.float64)
    torch.testing.assert_close(value, expected, rtol=1e-6, atol=1e-9)


ERRORS = [
    (r"y = x z", "z", r"\odot"),
    (r"y = \foo", r"\foo", "unknown command"),
    (r"y = (1, 2", "", "expected )"),
    (r"y = 1/2x", "x", r"\frac"),
    (r"y = \sin a b", "b", "parentheses"),
    (r"y = x_3", "x_3"[1:], "count from 0"),
    (r"y = A^{\frac12}", "{", "whole number"),
    (r"y = x + A", "+ A", "do not fit"),
    (r"y = A B^\top", "B", "do not multiply"),
    (r"y = x A", "A", r"x^\top A"),
    (r"y = \sum x", r"\sum", "over what"),
    (r"y = (1, \ldots, 4)", r"\ldots", "dots"),
    (r"y = 1e-3", "e-3", "power of ten"),
    (r"y = q + 1", "q", "law"),
    (r"y = 1/A", "/A", "divided"),
    (r"y = \begin{pmatrix}1&2\\3\end{pmatrix}", r"\begin", "different lengths"),
    (r"y = \frac{d^2 s}{ds}", r"\frac", "orders"),
    (r"y = \nabla", "", "gradient of what"),
    (r"y = \sum_{i=0}^{3} x_i", "_i", "count from 0"),
    (r"y = f'", "'", "say where"),
    (r"h = .1, .01", ".01", "one equation"),
    (r"y = \mathbf 1 x^\top", "x", "not known"),
    (r"y = \sqrt{2", "", "expected }"),
    (r"so (y = 28)", "=", "out of its braces"),
    (r"y = \underbrace{y}_{= 5}", "= 5", "out of its braces"),
    (r"y \stackrel{!}{=} 5", "=", "out of its braces"),
    (r"y = 8 \text{ where z = 3}", "= 3", "out of the words"),
    (r"y = 8 \text{ and 3}", "3", "out of the words"),
    (r"y \cong 8", r"\cong", r"write =, or \approx"),
    (r"y ≅ 8", "≅", r"write =, or \approx"),
    (r"y \propto x", r"\propto", "mark it as law"),
    (r"y = ||x| - |z||", "", r"\lVert"),
    (r"y = \lvert\lvert x\rvert\rvert", r"\lvert\lvert", r"\lVert"),
    (r"y = |x|_1", "_", r"\lVert x \rVert_1"),
    (r"y = 2\mathrm{e}{-3}", r"\mathrm", "power of ten"),
    (r"y = W^{(2)} x", "^", "W_2 or W2"),
    (r"y = \langle x, A \rangle", r"\langle", "of one shape"),
    (r"y = \mathbb E x", r"\mathbb", "mean"),
    (r"y = \operatorname{Var}(x)", r"\operatorname", "over n or n - 1"),
    (r"y = (-1)!", "-1", "from 0 on"),
    (r"y = \lim x", r"\lim", "the quotient"),
    (r"y = \int x", r"\int", "as law"),
    (r"y = x \otimes z", r"\otimes", r"x z^\top"),
    (r"y = \dot x", r"\dot", r"\frac{dy}{dt}"),
    (r"y = 90^\circ", r"\circ", "radians"),
    (r"y = \lg 8", r"\lg", r"\log_{10}"),
    (r"y = 1,234", "234", "1{,}234"),
    (r"y = \sum_{i<2} x_i", "<", "both limits"),
    (r"y = \foo", r"\foo", "page on formulas"),
    (r"y = x², z = 1", "²", "^{…}"),
    (r"y = \begin{cases} 1 & \text{if x is large} \end{cases}", r"\text", "in signs"),
    (r"y = (x_1, \dots, x_4)", r"(x_1", "are not all"),
    (r"y = 14, 15", "15", "one equation"),
    (r"y = A_{:,1}", ":", "a column A e_1"),
    (r"y = t_0", "_", r"\partial_t y"),
    (r"y = \overline{x}", r"\overline", "mean"),
    (r"y = \sin^{-1} s", "{", r"\arcsin"),
    (r"y = f^2(s)", "^", "f(x)^2"),
    (r"y = f^{-1}(s)", "^", "f(x)^2"),
    (r"x.shape = 3", ".", r"\operatorname{shape}(x)"),
    (r"y = \begin{cases} 1 \\ 2 \end{cases}", r"\begin", "only the last row"),
    (r"y = 3!!", "!", "product out"),
    (r"y = \sin^{(2)}(s)", "{", r"\sin^2"),
    (r"f(x) = x^2, y = f \circ s", r"\circ", "f(g(x))"),
    (r"y = \langle x | z \rangle", r"\rangle", "expected |"),
    (r"y = s, n = 0, \dots, 1", r"0, \dots", "has n as an index"),
    (r"y = \|A\|", r"\|A", "norm"),
]


@pytest.mark.parametrize(("text", "place", "words"), ERRORS)
def test_error_points_at_its_place(text, place, words):
    scope = Names(VARIABLES, {}, Log())

    def known(name):
        return name == "f" or scope.is_function(name)

    with pytest.raises(FormulaError) as caught:
        [evaluate(e.members[1], scope) for e in parse(text, known)]
    assert words in str(caught.value)
    expected = text.rindex(place) if place else len(text)
    assert abs(caught.value.at - expected) <= 1


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (r"x", 0),
        (r"x \to y, f \colon x \mapsto y", 0),
        (r"x \in \mathcal X, h \to 0", 0),
        (r"y = 1, z = 2", 2),
        (r"y = 1 \quad z = 2", 2),
        (r"\begin{aligned} y &= 1 \\ &= 2 \\ z &= 3 \end{aligned}", 2),
        ("y = 1\n\nz = 2", 2),
        ("y = 1\n + 2", 1),
        ("y &= 1 \\\\\n &\\quad + 2", 1),
        (r"z_i = x_i^2, \quad i = 0, \dots, 3", 1),
        (r"y = 1 \text{ and } z = 2.", 2),
        (r"f(x, y) = (1, 2)", 1),
        (r"y = 1 \implies z = 2", 2),
        (r"\sum_{i=0}^3 x_i", 0),
        (r"y = 1 \text{ for all } x, \forall z", 1),
        (r"y = 1 \text{ whereas } z = 2", 2),
        (r"y = 1 \quad\text{whereas}\quad z = 2", 2),
        (r"y = 1, \quad x \in \mathbb R", 1),
        (r"i = 0, \dots, 3", 0),
        (r"y = 1 < 2, 3 > z", 2),
        (r"\begin{alignat}{2} y &= 1 & z &= 2 \end{alignat}", 1),
    ],
)
def test_formula_splits_into_equations(text, count):
    assert len(parse(text)) == count


SCALARS = """
x**3 | x^3
3*x**2 - 4*x | 3x^2-4x
x**x | x^x
exp(x) | e^x
exp(-x**2) | \\exp(-x^2)
exp(2*x)*x | xe^{2x}
2**x | 2^x
log(x) | \\ln x
log(x**2)*sin(x) + 1/x | \\ln(x^2)\\sin x+1/x
log(1 + exp(x)) | \\ln(1+e^x)
x*log(x) | x\\ln x
sin(x) | \\sin x
sin(3*x) | \\sin 3x
sin(x)**2 | \\sin^2 x
sin(x**2) | \\sin(x^2)
cos(x) | \\cos x
cos(sin(x)) | \\cos(\\sin x)
x*cos(x) | x\\cos x
sin(x)*cos(x) | \\sin x\\cos x
sin(x)/x | \\frac{\\sin x}{x}
tan(x) | \\tan x
tanh(x) | \\tanh x
tanh(x)**2 | \\tanh^2 x
tanh(2*x + 1) | \\tanh(2x+1)
sinh(x) | \\sinh x
cosh(x) | \\cosh x
atan(x) | \\arctan x
sqrt(x) | \\sqrt{x}
sqrt(1 + x**2) | \\sqrt{1+x^2}
x**Rational(3, 2) | x^{\\frac32}
1/x | \\frac1x
1/(1 + x**2) | \\frac{1}{1+x^2}
x/(1 + x) | x/(1+x)
(x - 3)**2 | (x-3)^2
(2*x - 1)**5 | (2x-1)^5
(x**2 - 1)/(x**2 + 1) | \\frac{x^2-1}{x^2+1}
1/(1 + exp(-x)) | \\sigma(x)
x/(1 + exp(-x)) | x\\,\\sigma(x)
1/(1 + exp(-3*x + 2)) | \\sigma(3x-2)
1/(1 + exp(-x))*(1 - 1/(1 + exp(-x))) | \\sigma(x)(1-\\sigma(x))
-log(1/(1 + exp(-x))) | -\\ln\\sigma(x)
log(1 + exp(x)) + 0*x | \\operatorname{softplus}(x)
Abs(x) | |x|
Max(x, 0) | \\operatorname{relu}(x)
Max(x, 2) | \\max(x, 2)
x*Abs(x) | x|x|
exp(sin(x)) | e^{\\sin x}
exp(x)*sin(x) | e^x\\sin x
log(cos(x)**2) | \\ln(\\cos^2 x)
(1 + x)**10 | (1+x)^{10}
x**4/4 - x**2/2 | \\frac{x^4}{4}-\\frac{x^2}{2}
Rational(5, 2)*x**3 - Rational(3, 2)*x | \\tfrac12(5x^3-3x)
sqrt(x)*log(x) | \\sqrt{x}\\ln x
exp(-x)*x**2 | x^2 e^{-x}
x**(-2) | x^{-2}
log(log(x + 2)) | \\ln\\ln(x+2)
"""
PAIRS = [tuple(line.split(" | ")) for line in SCALARS.strip().splitlines()]


@pytest.mark.parametrize(("expression", "latex"), PAIRS)
def test_derivative_agrees_with_sympy(expression, latex):
    x = sympy.Symbol("x", real=True)
    derivative = sympy.diff(sympy.sympify(expression, {"x": x}), x)
    f = parse(f"f = {latex}")[0].members[1]
    for stencil in (None, *STENCILS):
        scope = Names({}, {"f": Definition(("x",), f)}, Log(), stencil=stencil)
        for point in (0.7, 1.9):
            [slope] = parse(f"f'({point}) = 0", scope.is_function)
            value = float(evaluate(slope.members[0], scope).tensor)
            expected = float(derivative.subs(x, point))
            assert value == pytest.approx(expected, rel=1e-6 if stencil else 1e-12)


@pytest.mark.parametrize(("expression", "latex"), PAIRS)
def test_latex_of_sympy_is_read(expression, latex):
    x = sympy.Symbol("x", real=True)
    f = sympy.sympify(expression, {"x": x})
    text = sympy.latex(f).replace(r"\operatorname{atan}", r"\arctan")
    for point in (0.7, 1.9):
        value = compute(text, {"x": point})
        assert float(value) == pytest.approx(float(f.subs(x, point)), rel=1e-12)


MATRICES = {
    r"a^\top x": lambda m: m.a.dot(m.x),
    r"x^\top x": lambda m: m.x.dot(m.x),
    r"x^\top Ax": lambda m: (m.x.T * m.A * m.x)[0],
    r"\frac12 x^\top Ax - b^\top x": lambda m: (
        (m.x.T * m.A * m.x)[0] / 2 - m.b.dot(m.x)
    ),
    r"(a^\top x)^2": lambda m: m.a.dot(m.x) ** 2,
    r"\|Ax-b\|_2^2": lambda m: (m.A * m.x - m.b).dot(m.A * m.x - m.b),
    r"\|x\|_2": lambda m: sympy.sqrt(m.x.dot(m.x)),
    r"\sum_i e^{x_i}": lambda m: sum(sympy.exp(e) for e in m.x),
    r"\operatorname{logsumexp}(x)": lambda m: sympy.log(sum(sympy.exp(e) for e in m.x)),
    r"\operatorname{mean}(x \odot a)": lambda m: m.x.dot(m.a) / 2,
    r"-\ln \frac{e^{x_0}}{\sum_i e^{x_i}}": lambda m: (
        sympy.log(sum(sympy.exp(e) for e in m.x)) - m.x[0]
    ),
    r"\operatorname{tr}(AX)": lambda m: (m.A * m.X).trace(),
    r"\operatorname{tr}(X^\top AX)": lambda m: (m.X.T * m.A * m.X).trace(),
    r"\operatorname{tr}(XX^\top)": lambda m: (m.X * m.X.T).trace(),
    r"\operatorname{tr}(AX^{-1})": lambda m: (m.A * m.X.inv()).trace(),
    r"a^\top Xb": lambda m: (m.a.T * m.X * m.b)[0],
    r"a^\top X^{-1}b": lambda m: (m.a.T * m.X.inv() * m.b)[0],
    r"a^\top X^\top Xb": lambda m: (m.a.T * m.X.T * m.X * m.b)[0],
    r"\det X": lambda m: m.X.det(),
    r"\ln\det X": lambda m: sympy.log(m.X.det()),
    r"\|X\|_F^2": lambda m: sum(e**2 for e in m.X),
    r"\|AX-B\|_F^2": lambda m: sum(e**2 for e in m.A * m.X - m.B),
    r"\sum_{i,j} \tanh(X_{ij})": lambda m: sum(sympy.tanh(e) for e in m.X),
}


class Symbols:
    """The letters of MATRICES: numbers, but for x and X."""

    a, b = sympy.Matrix([3, -1]), sympy.Matrix([2, 5])
    A, B = sympy.Matrix([[1, 2], [3, 4]]), sympy.Matrix([[0, -1], [2, 1]])
    x, X = sympy.Matrix(sympy.symbols("x:2")), sympy.Matrix(2, 2, sympy.symbols("X:4"))


def as_tensor(matrix):
    tensor = torch.tensor(matrix.tolist(), dtype=torch.float64)
    return tensor.flatten() if matrix.cols == 1 else tensor


@pytest.mark.parametrize("latex", MATRICES)
def test_matrix_gradient_agrees_with_sympy(latex):
    by = "X" if "X" in latex else "x"
    symbols = getattr(Symbols, by)
    point = dict(zip(symbols, (1.5, 0.25, -0.5, 2.0), strict=False))
    values = {k: as_tensor(getattr(Symbols, k)) for k in "abAB"}
    values[by] = as_tensor(symbols.subs(point))
    gradient = compute(rf"\nabla_{{{by}}} ({latex})", values)
    function = MATRICES[latex](Symbols)
    expected = [float(sympy.diff(function, s).subs(point)) for s in symbols]
    torch.testing.assert_close(
        gradient.flatten(), torch.tensor(expected, dtype=torch.float64)
    )


@pytest.mark.parametrize("sign", ["=", "≈", "≡", "≔", r"\equiv", r"\doteq"])
def test_sign_that_states_is_noticed_where_nobody_reads_the_formula(sign):
    assert RELATION.search(f"y {sign} 5")


def test_each_function_that_is_read_can_be_computed():
    assert BUILT_IN.keys() == FUNCTIONS
