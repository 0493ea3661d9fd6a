#!/bin/sh
# SymPy 1.14.0: the derivative of a Meijer G-function in one of its parameters, for five that are
# elementary or well known, beside quotients.  Guessed: right, or refused, as most such
# derivatives are no G-functions; two parameters of one kind raise "Derivative not expressible
# as G-function?".  Seen: right for exp(-z) z**a and for the incomplete gamma function; for
# gamma(1 - a) (1 + z)**(a - 1), a Bessel function and a power of 1 - z it is told to be
# log(z) times the function itself, with the wrong sign in two.  "All other gamma factors have
# to reduce to rational functions", says the comment in _diff_wrt_parameter; those of two lists
# are looked for a partner in the two other lists, and what is left over there is not seen.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check \
    sympy==1.14.0 mpmath==1.3.0
cat >"$folder/ask.py" <<'END'
import sympy
from sympy import Rational, S, besselk, gamma, meijerg, sqrt, symbols, uppergamma

print("sympy", sympy.__version__)
a, z = symbols("a z", positive=True)
for words, known, g in (
    ("exp(-z) * z**a", sympy.exp(-z) * z**a, meijerg([[], []], [[a], []], z)),
    ("uppergamma(a, z)", uppergamma(a, z), meijerg([[], [1]], [[0, a], []], z)),
    (
        "gamma(1 - a) * (1 + z)**(a - 1)",
        gamma(1 - a) * (1 + z) ** (a - 1),
        meijerg([[a], []], [[0], []], z),
    ),
    (
        "2 * z**(a/2) * besselk(a, 2*sqrt(z))",
        2 * z ** (a / 2) * besselk(a, 2 * sqrt(z)),
        meijerg([[], []], [[0, a], []], z),
    ),
    (
        "(1 - z)**(a - 1) / gamma(a)",
        (1 - z) ** (a - 1) / gamma(a),
        meijerg([[], [a]], [[0], []], z),
    ),
):
    def at(f, point):
        return f.subs(z, Rational(3, 10)).evalf(20, subs={a: point})

    point, step = Rational(4, 10), Rational(1, 10**5)
    told = sympy.diff(g, a)
    quotient = (at(g, point + step) - at(g, point - step)) / (2 * step)
    print(words)
    print(f"   the same: {abs(at(g, point) - at(known, point)) < S(10) ** -12}")
    print(f"   diff(meijerg, a): {at(told, point):.5f}, quotient: {quotient:.5f}")
    print(f"   is meijerg * log(z): {told == g * sympy.log(z)}")
END
cat >"$folder/seen" <<'END'
sympy 1.14.0
exp(-z) * z**a
   the same: True
   diff(meijerg, a): -0.55103, quotient: -0.55103
   is meijerg * log(z): True
uppergamma(a, z)
   the same: True
   diff(meijerg, a): -0.19710, quotient: -0.19710
   is meijerg * log(z): False
gamma(1 - a) * (1 + z)**(a - 1)
   the same: True
   diff(meijerg, a): -1.53180, quotient: 2.29391
   is meijerg * log(z): True
2 * z**(a/2) * besselk(a, 2*sqrt(z))
   the same: True
   diff(meijerg, a): -0.73520, quotient: -0.20249
   is meijerg * log(z): True
(1 - z)**(a - 1) / gamma(a)
   the same: True
   diff(meijerg, a): -0.67230, quotient: 1.23112
   is meijerg * log(z): True
END
"$folder/env/bin/python" -W ignore "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: sympy-a-parameter-of-meijerg-takes-no-notice"
