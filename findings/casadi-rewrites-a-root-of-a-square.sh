#!/bin/sh
# CasADi 3.8.2: the square root of x*x, differentiated at 0.
# Guessed: nan, 0 times infinity, as in torch, JAX and autograd.  Seen: 0.  CasADi rewrites
# sqrt(x*x) as fabs(x) while the expression is written down, before anything is
# differentiated, and fabs has the slope 0 there.  exp(log(x)) stays as it is.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check casadi==3.8.2 numpy==2.4.6
cat >"$folder/ask.py" <<'END'
import casadi
print("casadi", casadi.__version__)
for kind in (casadi.SX, casadi.MX):
    x = kind.sym("x")
    root = casadi.sqrt(x * x)
    slope = casadi.Function("slope", [x], [casadi.jacobian(root, x)])
    print(kind.__name__, root, float(slope(0.0)))
x = casadi.SX.sym("x")
print(casadi.exp(casadi.log(x)))
END
cat >"$folder/seen" <<'END'
casadi 3.8.2
SX fabs(x) 0.0
MX fabs(x) 0.0
exp(log(x))
END
"$folder/env/bin/python" "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: casadi-rewrites-a-root-of-a-square"
