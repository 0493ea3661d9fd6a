#!/bin/sh
# CVXPY 1.9.3: expr.grad, "the (sub/super)gradient of the expression w.r.t. each variable", of
# quotients, beside difference quotients.  Guessed: right, or None, as for an atom
# that has none; some 80 other atoms are right.  Seen: x / 2 is right; where the denominator is a
# variable, the answer is a 1 for the first entry of the numerator and 0 for all else, whatever
# the numbers: 1 / s has the slope 0, in silence, and so has log(x[0] / s) in s, which log(x[0]) -
# log(s) has not.  DivExpression inherits the rule of affine atoms, which builds the matrix
# of a linear map out of two variables.  power(s, -1) and inv_pos(s) are right.  linearize() takes
# its slopes from there.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check \
    cvxpy==1.9.3 numpy==2.4.6 scipy==1.17.1 clarabel==0.11.1 osqp==1.1.3 scs==3.3.1
cat >"$folder/ask.py" <<'END'
import cvxpy as cp
import numpy as np

print("cvxpy", cp.__version__)
x, s = cp.Variable(2, pos=True), cp.Variable(pos=True)
at = {x: np.array([3.0, 4.0]), s: np.array(2.0)}


def value(f, where):
    for variable, numbers in where.items():
        variable.value = numbers
    return np.ravel(f.value)


def told(words, f):
    value(f, at)
    print(words)
    grad = f.grad
    for name, variable in (("x", x), ("s", s)):
        if variable in grad:
            said = np.reshape(getattr(grad[variable], "toarray", lambda: grad[variable])(), (-1,))
            quotients = []
            for i in range(variable.size):
                step = np.reshape(1e-5 * np.eye(variable.size)[i], variable.shape)
                ends = [value(f, {**at, variable: at[variable] + k * step}) for k in (1, -1)]
                quotients.extend((ends[0] - ends[1]) / 2e-5)
            for word, numbers in (("grad", said), ("quotients", quotients)):
                print(f"   in {name}, {word}:", *(f"{n + 0.0:.3f}" for n in numbers))


told("x / 2", x / 2)
told("x / s", x / s)
told("multiply(x, power(s, -1))", cp.multiply(x, cp.power(s, -1)))
told("1 / s", 1 / s)
told("inv_pos(s)", cp.inv_pos(s))
told("s / (s + 1)", s / (s + 1))
told("log(x[0] / s)", cp.log(x[0] / s))
told("log(x[0]) - log(s)", cp.log(x[0]) - cp.log(s))
told("x[1] / x[0]", x[1] / x[0])
line = cp.linearize(x[1] / x[0])
for point in ([3.0, 4.0], [4.0, 4.0], [3.0, 5.0]):
    x.value = np.array(point)
    print(f"linearize(x[1] / x[0]) made at (3, 4), at {point}: {np.ravel(line.value)[0]:.3f}")
END
cat >"$folder/seen" <<'END'
cvxpy 1.9.3
x / 2
   in x, grad: 0.500 0.000 0.000 0.500
   in x, quotients: 0.500 0.000 0.000 0.500
x / s
   in x, grad: 1.000 0.000 0.000 0.000
   in x, quotients: 0.500 0.000 0.000 0.500
   in s, grad: 0.000 0.000
   in s, quotients: -0.750 -1.000
multiply(x, power(s, -1))
   in x, grad: 0.500 0.000 0.000 0.500
   in x, quotients: 0.500 0.000 0.000 0.500
   in s, grad: -0.750 -1.000
   in s, quotients: -0.750 -1.000
1 / s
   in s, grad: 0.000
   in s, quotients: -0.250
inv_pos(s)
   in s, grad: -0.250
   in s, quotients: -0.250
s / (s + 1)
   in s, grad: 1.000
   in s, quotients: 0.111
log(x[0] / s)
   in x, grad: 0.667 0.000
   in x, quotients: 0.333 0.000
   in s, grad: 0.000
   in s, quotients: -0.500
log(x[0]) - log(s)
   in x, grad: 0.333 0.000
   in x, quotients: 0.333 0.000
   in s, grad: -0.500
   in s, quotients: -0.500
x[1] / x[0]
   in x, grad: 0.000 1.000
   in x, quotients: -0.444 0.333
linearize(x[1] / x[0]) made at (3, 4), at [3.0, 4.0]: 1.333
linearize(x[1] / x[0]) made at (3, 4), at [4.0, 4.0]: 1.333
linearize(x[1] / x[0]) made at (3, 4), at [3.0, 5.0]: 2.333
END
"$folder/env/bin/python" -W ignore "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: cvxpy-a-quotient-has-the-slopes-of-nothing"
