#!/bin/sh
# SciPy 1.17.1, jacobi 0.9.2, numdifftools 0.11.2: three estimators of a derivative that
# also say how far to trust it.  abs at 0 has no derivative.  Guessed: SciPy's success is
# False, jacobi's error large.  Seen: 0, success True, an error of rounding size
# in all three; and max(x, 0) gets 1/2 in the same way.  At a kink the central difference is
# the same at every step, and agreement between steps is all that is looked at.  x*abs(x),
# which does have the derivative 0 at 0, is the one that fails: its differences shrink with
# the step.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check scipy==1.17.1 jacobi==0.9.2 numdifftools==0.11.2 numpy==2.4.6
cat >"$folder/ask.py" <<'END'
from importlib.metadata import version
import jacobi
import numdifftools
import numpy as np
from scipy.differentiate import derivative
print(*(f"{name} {version(name)}" for name in ("scipy", "jacobi", "numdifftools")))
for words, f in {
    "abs(x)": np.abs,
    "max(x, 0)": lambda x: np.maximum(x, 0.0),
    "x*abs(x)": lambda x: x * np.abs(x),
}.items():
    s = derivative(f, 0.0)
    n = numdifftools.Derivative(f, full_output=True)(0.0)
    print(words, "- success of scipy:", bool(s.success))
    for name, slope, error in (
        ("scipy", s.df, s.error),
        ("jacobi", *jacobi.jacobi(f, 0.0)),
        ("numdifftools", n.estimate, n.error_estimate),
    ):
        print(f"  {name} {abs(slope):.1g}, error below 1e-12: {bool(error < 1e-12)}")
END
cat >"$folder/seen" <<'END'
scipy 1.17.1 jacobi 0.9.2 numdifftools 0.11.2
abs(x) - success of scipy: True
  scipy 0, error below 1e-12: True
  jacobi 0, error below 1e-12: True
  numdifftools 0, error below 1e-12: True
max(x, 0) - success of scipy: True
  scipy 0.5, error below 1e-12: True
  jacobi 0.5, error below 1e-12: True
  numdifftools 0.5, error below 1e-12: True
x*abs(x) - success of scipy: False
  scipy 7e-05, error below 1e-12: False
  jacobi 0.02, error below 1e-12: False
  numdifftools 0, error below 1e-12: False
END
"$folder/env/bin/python" "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: derivative-estimators-trust-a-kink"
