#!/bin/sh
# autograd 1.9.1 (HIPS), which differentiates complex functions: slopes along a line of
# Hermitian matrices, through factors of them.  Guessed: right, as for inv and slogdet.  Seen: cholesky and sqrtm are right for a real matrix and wrong in silence for a
# complex one.  The log-determinant by the factor's diagonal has the slope -0.13, where
# slogdet and the quotient say 0.3: the rule of cholesky transposes without a conjugate, and
# the one of sqrtm returns anp.real(...).
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check \
    autograd==1.9.1 numpy==2.4.6 scipy==1.17.1
cat >"$folder/ask.py" <<'END'
from importlib.metadata import version

import autograd.numpy as np
import numpy
from autograd import grad
from autograd.scipy.linalg import sqrtm

print("autograd", version("autograd"))
A = numpy.array([[3.0, 1.0 - 1.0j], [1.0 + 1.0j, 2.0]])
way = numpy.array([[0.5, 0.3 + 0.7j], [0.3 - 0.7j, -0.2]])
w = numpy.array([[1.0, 2.0], [3.0, 4.0]])
for words, f in {
    "log det by slogdet": lambda A: np.linalg.slogdet(A)[1],
    "log det by cholesky": lambda A: 2 * np.sum(np.log(np.real(np.diag(np.linalg.cholesky(A))))),
    "sum of w |inverse|^2": lambda A: np.sum(w * np.abs(np.linalg.inv(A)) ** 2),
    "sum of w |cholesky|^2": lambda A: np.sum(w * np.abs(np.linalg.cholesky(A)) ** 2),
    "sum of w Re(sqrtm)": lambda A: np.sum(w * np.real(sqrtm(A))),
}.items():
    print(words)
    for kind, at, along in (("real", A.real, way.real), ("complex", A, way)):
        line = lambda t: f(at + t * along)
        slope, quotient = grad(line)(0.0), (line(1e-5) - line(-1e-5)) / 2e-5
        print(f"   {kind}: {slope:.4f}, quotient {quotient:.4f}")
END
cat >"$folder/seen" <<'END'
autograd 1.9.1
log det by slogdet
   real: -0.0400, quotient -0.0400
   complex: 0.3000, quotient 0.3000
log det by cholesky
   real: -0.0400, quotient -0.0400
   complex: -0.1333, quotient 0.3000
sum of w |inverse|^2
   real: 0.7120, quotient 0.7120
   complex: -1.4250, quotient -1.4250
sum of w |cholesky|^2
   real: -0.4444, quotient -0.4444
   complex: -0.8333, quotient 0.0778
sum of w Re(sqrtm)
   real: 0.2191, quotient 0.2191
   complex: 0.2204, quotient 0.4667
END
"$folder/env/bin/python" -W ignore "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: autograd-factors-of-a-complex-matrix"
