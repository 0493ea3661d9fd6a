#!/bin/sh
# uncertainties 3.2.3 carries exact derivatives through arithmetic.  abs() of 0.0 +/- 1.0:
# guessed the slope 0 (torch's, the middle of the two sides) or nan.  Seen: 1, so the result
# is 0.0 +/- 1.0; for -0.0 too.  The square root at 0: guessed an error or an infinite spread.  Seen: nan.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check uncertainties==3.2.3
cat >"$folder/ask.py" <<'END'
import uncertainties
from uncertainties import ufloat, umath
print("uncertainties", uncertainties.__version__)
for zero in (0.0, -0.0):
    x = ufloat(zero, 1.0)
    print("abs", abs(x), *abs(x).derivatives.values())
x = ufloat(0.0, 1.0)
print("sqrt", umath.sqrt(x), *umath.sqrt(x).derivatives.values())
print("square", x**2)
END
cat >"$folder/seen" <<'END'
uncertainties 3.2.3
abs 0.0+/-1.0 1.0
abs 0.0+/-1.0 1.0
sqrt 0.0+/-nan nan
square 0.0+/-0
END
"$folder/env/bin/python" -W ignore "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: uncertainties-a-modulus-at-0"
