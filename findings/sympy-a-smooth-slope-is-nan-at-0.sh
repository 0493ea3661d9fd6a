#!/bin/sh
# SymPy 1.14.0: the derivative of a named function, evaluated at a point where it is smooth.
# Guessed, at 0: sinc 0, LambertW 1, elliptic_k pi/8.  Seen: nan for all three, since the
# stored formulas divide by x and subs() is no limit; besseli, whose formula does not, is right;
# limit() gives all of them.  And frac(x) and Mod(x, 1): guessed 1, seen a derivative that is
# left standing, for which even subs(x, 1/2) gives no number.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check sympy==1.14.0
cat >"$folder/ask.py" <<'END'
import sympy
from sympy import Rational, Symbol, besseli, elliptic_k, frac, Mod, LambertW, limit, sinc
print("sympy", sympy.__version__)
x = Symbol("x", real=True)
for f in (sinc(x), LambertW(x), elliptic_k(x), besseli(0, x)):
    slope = f.diff(x)
    print(f, "subs", slope.subs(x, 0), "limit", limit(slope, x, 0))
for f in (frac(x), Mod(x, 1)):
    print(f, f.diff(x), f.diff(x).subs(x, Rational(1, 2)).doit().is_number)
END
cat >"$folder/seen" <<'END'
sympy 1.14.0
sinc(x) subs nan limit 0
LambertW(x) subs nan limit 1
elliptic_k(x) subs nan limit pi/8
besseli(0, x) subs 0 limit 0
frac(x) Derivative(frac(x), x) False
Mod(x, 1) Derivative(Mod(x, 1), x) False
END
"$folder/env/bin/python" "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: sympy-a-smooth-slope-is-nan-at-0"
