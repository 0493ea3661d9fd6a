#!/bin/sh
# mpmath 1.4.1: mp.diff(f, 3) for f(x) = x**2, where f passes through a Python float.
# Guessed: about 6, or noise.  Seen: 0, without a word.  The step is 2**-(precision) small,
# far below a float's spacing at 3, so both points round to the same float.  Whoever takes
# mpmath for an independent witness of a float function gets "constant".  At a step of the
# caller's choice (h=1e-6) it is 6.  The one-sided slope of abs needs direction=1; at the
# default, diff(floor, 0) is 4.6e18 and diff(sqrt, 0) a complex number, no error.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check mpmath==1.4.1
cat >"$folder/ask.py" <<'END'
import mpmath
from mpmath import mp
print("mpmath", mpmath.__version__)
square = lambda x: float(x) ** 2
print("float inside", mp.diff(square, 3))
print("step given  ", mp.nstr(mp.diff(square, 3, h=1e-6), 6))
print("exact       ", mp.diff(lambda x: x**2, 3))
print("abs at 0    ", mp.diff(abs, 0), mp.diff(abs, 0, direction=1))
print("floor at 0  ", mp.nstr(mp.diff(mp.floor, 0), 3))
print("sqrt at 0   ", mp.nstr(mp.diff(mp.sqrt, 0), 3))
END
cat >"$folder/seen" <<'END'
mpmath 1.4.1
float inside 0.0
step given   6.0
exact        6.0
abs at 0     0.0 1.0
floor at 0   4.61e+18
sqrt at 0    (1.52e+9 - 1.52e+9j)
END
"$folder/env/bin/python" "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: mpmath-diff-of-a-rounded-function"
