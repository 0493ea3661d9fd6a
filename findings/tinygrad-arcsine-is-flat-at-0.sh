#!/bin/sh
# tinygrad 0.14.0: asin, acos, atan and erf are smooth at 0, with the slopes 1, -1, 1, 1.1284.
# Guessed: for asin and acos those (they were in our list as controls, beyond doubt).  Seen:
# 0 for all four, without a word; 0.01 to either side they are right.  Each is computed as
# sign(x) times an expression in |x| (atan through asin), and sign(0) is 0, so nothing of the
# gradient passes.  atan and erf were guessed from that; sinh and tanh, built of exp, are right.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check tinygrad==0.14.0
cat >"$folder/ask.py" <<'END'
from importlib.metadata import version
from tinygrad import Tensor
print("tinygrad", version("tinygrad"))
for name in ("asin", "acos", "atan", "erf", "sinh", "tanh"):
    x = Tensor([-0.01, 0.0, 0.01])
    getattr(x, name)().sum().backward()
    print(name, *(f"{slope:.3f}" for slope in x.grad.tolist()))
END
cat >"$folder/seen" <<'END'
tinygrad 0.14.0
asin 1.000 0.000 1.000
acos -1.000 0.000 -1.000
atan 1.000 0.000 1.000
erf 1.128 0.000 1.128
sinh 1.000 1.000 1.000
tanh 1.000 1.000 1.000
END
DEV=PYTHON "$folder/env/bin/python" "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: tinygrad-arcsine-is-flat-at-0"
