#!/bin/sh
# HIPS autograd 1.9.1: where(x > 0, sqrt(x), 0) at 0, once for the float 0.0, once for an
# array of one zero.  Guessed: nan for both.  Seen: ZeroDivisionError for the float, since
# its rule for sqrt computes a Python power of a negative exponent; nan for the array.
# And x**x at 0: guessed nan (0 * log 0), seen 0 in silence: its power rule replaces log 0.
# prod([0, 2]): guessed (2, 0), seen nan first: it divides the product by the entry.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check autograd==1.9.1 numpy==2.4.6
cat >"$folder/ask.py" <<'END'
import warnings
warnings.simplefilter("ignore")
from importlib.metadata import version
import autograd.numpy as np
from autograd import grad
print("autograd", version("autograd"))
def trap(x):
    return np.sum(np.where(x > 0, np.sqrt(x), 0.0))
for x in (0.0, np.zeros(1)):
    try:
        print(type(x).__name__, grad(trap)(x))
    except ZeroDivisionError as error:
        print(type(x).__name__, "ZeroDivisionError:", error)
print("x**x", float(grad(lambda x: x**x)(0.0)))
print("prod", grad(np.prod)(np.array([0.0, 2.0])))
END
cat >"$folder/seen" <<'END'
autograd 1.9.1
float ZeroDivisionError: 0.0 cannot be raised to a negative power
ndarray [nan]
x**x 0.0
prod [nan  0.]
END
"$folder/env/bin/python" "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: autograd-a-float-raises-an-array-is-nan"
