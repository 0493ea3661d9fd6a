#!/bin/sh
# SciPy 1.17.1: the functions of scipy.special that return their derivative beside their value,
# some thirty, beside quotients.  Guessed: the derivative in the argument, as it is handed in.
# Seen, for the Mathieu functions mathieu_cem and mathieu_sem, whose x is "given in degrees, not
# radians" and which return "the derivative with respect to x": the derivative per radian, 57.3
# times the slope in x.  Their modified kin take x without a unit and are right.  Newton's
# steps to a zero ten degrees away are too short by that factor, and look as if they had nearly
# arrived.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check \
    scipy==1.17.1 numpy==2.4.6
cat >"$folder/ask.py" <<'END'
import numpy as np
import scipy
from scipy import special

print("scipy", scipy.__version__)


def quotient(f, x, h=1e-4):
    return (8 * (f(x + h) - f(x - h)) - f(x + 2 * h) + f(x - 2 * h)) / (12 * h)


for name, x in (
    ("mathieu_cem", 37.0),
    ("mathieu_sem", 37.0),
    ("mathieu_modcem1", 0.7),
    ("mathieu_modsem2", 0.7),
    ("pbdv", 0.7),
):
    f = getattr(special, name)
    numbers = (2, 5.0) if name.startswith("mathieu") else (1.3,)
    told = f(*numbers, x)[1]
    seen = quotient(lambda x: f(*numbers, x)[0], x)
    print(f"{name} at {x}: slope {told:.5f}, quotient {seen:.5f}, ratio {told / seen:.4f}")
print(f"degrees in a radian: {180 / np.pi:.4f}")


def newton(x, unit):
    steps = []
    for _ in range(4):
        value, slope = special.mathieu_cem(1, 5.0, x)
        x -= value / (slope * unit)
        steps.append(f"{x:.2f}")
    return " ".join(steps)


print("Newton's steps from 80 to the zero at 90, as told:", newton(80.0, 1.0))
print("... with the slope per degree:", newton(80.0, np.pi / 180))
END
cat >"$folder/seen" <<'END'
scipy 1.17.1
mathieu_cem at 37.0: slope -0.09672, quotient -0.00169, ratio 57.2958
mathieu_sem at 37.0: slope 1.46907, quotient 0.02564, ratio 57.2958
mathieu_modcem1 at 0.7: slope -1.57949, quotient -1.57949, ratio 1.0000
mathieu_modsem2 at 0.7: slope 1.11661, quotient 1.11661, ratio 1.0000
pbdv at 0.7: slope 1.00457, quotient 1.00457, ratio 1.0000
degrees in a radian: 57.2958
Newton's steps from 80 to the zero at 90, as told: 80.20 80.39 80.58 80.76
... with the slope per degree: 91.36 90.00 90.00 90.00
END
"$folder/env/bin/python" -W ignore "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: scipy-a-slope-per-radian-of-an-angle-in-degrees"
