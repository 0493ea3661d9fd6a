#!/bin/sh
# pymanopt 2.2.1: exp(x, log(x, y)), a step from x along the shortest way to y, which ends at y by
# definition, on each manifold that has both.  Guessed: y.  Seen: so on all but one; on
# ComplexCircle, whose points are complex numbers of modulus 1, the end is the real part of y,
# which is on no circle, and the shortest step leads as far away.  The formula is right, and its
# result is written into np.zeros(self._dimension), which holds real numbers; NumPy warns that
# it discards an imaginary part.  retraction(), which the optimisers use, log() and dist() are
# right.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check \
    pymanopt==2.2.1 numpy==2.4.6 scipy==1.17.1
cat >"$folder/ask.py" <<'END'
import warnings

import numpy as np
import pymanopt
from pymanopt.manifolds import ComplexCircle, Sphere

print("pymanopt", pymanopt.__version__)
circle, sphere = ComplexCircle(2), Sphere(4)
x, y = np.exp(1j * np.array([0.3, 2.0])), np.exp(1j * np.array([1.1, 1.5]))
step = circle.log(x, y)


def told(words, z):
    print(f"   {words}:", *(f"{entry:.4f}" for entry in np.round(z, 4) + 0.0))


print("ComplexCircle")
told("x", x)
told("y", y)
told("log(x, y)", step)
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    end = circle.exp(x, step)
told("exp(x, log(x, y))", end)
print(f"   of the kind {end.dtype}; NumPy warns:", *(w.category.__name__ for w in seen))
told("its moduli", abs(end))
told("cos(|v|) x + sin(|v|) v / |v|", np.cos(abs(step)) * x + np.sin(abs(step)) * step / abs(step))
told("retraction(x, log(x, y))", circle.retraction(x, step))
told("length of exp(x, 1e-6 v)", [circle.dist(x, circle.exp(x, 1e-6 * step))])
told("length of 1e-6 v", [circle.norm(x, 1e-6 * step)])
print("Sphere")
a, b = np.array([0.6, 0.8, 0, 0]), np.array([0, 0.6, 0, 0.8])
told("b", b)
told("exp(a, log(a, b))", sphere.exp(a, sphere.log(a, b)))
END
cat >"$folder/seen" <<'END'
pymanopt 2.2.1
ComplexCircle
   x: 0.9553+0.2955j -0.4161+0.9093j
   y: 0.4536+0.8912j 0.0707+0.9975j
   log(x, y): -0.2364+0.7643j 0.4546+0.2081j
   exp(x, log(x, y)): 0.4536 0.0707
   of the kind float64; NumPy warns: ComplexWarning
   its moduli: 0.4536 0.0707
   cos(|v|) x + sin(|v|) v / |v|: 0.4536+0.8912j 0.0707+0.9975j
   retraction(x, log(x, y)): 0.5614+0.8276j 0.0344+0.9994j
   length of exp(x, 1e-6 v): 1.4588
   length of 1e-6 v: 0.0000
Sphere
   b: 0.0000 0.6000 0.0000 0.8000
   exp(a, log(a, b)): 0.0000 0.6000 0.0000 0.8000
END
"$folder/env/bin/python" -W ignore "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: pymanopt-a-step-along-the-circle-leaves-it"
