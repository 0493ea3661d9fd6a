#!/bin/sh
# CasADi 3.8.2: if_else(x > 0, sqrt(x), 0) at 0, the "where trap" of torch and JAX, where
# the branch that was not taken sends nan.  Guessed: nan here too, since both branches are
# evaluated (if_else is no short circuit by default).  Seen: 0.  A branch that was not
# taken is multiplied by a zero that wins over infinity; a product written out does not.
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
    for words, y in {
        "if_else": casadi.if_else(x > 0, casadi.sqrt(x), 0),
        "product": (x > 0) * casadi.sqrt(x),
    }.items():
        slope = casadi.Function("slope", [x], [casadi.jacobian(y, x)])
        print(kind.__name__, words, float(slope(0.0)), float(slope(4.0)))
END
cat >"$folder/seen" <<'END'
casadi 3.8.2
SX if_else 0.0 0.25
SX product nan 0.25
MX if_else 0.0 0.25
MX product nan 0.25
END
"$folder/env/bin/python" "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: casadi-where-does-not-poison"
