#!/bin/sh
# CasADi 3.8.2: a table of two coordinates read by interpolant(), its slopes, its second
# derivatives, and the slopes in the values of the table where these are an argument, beside
# quotients.  Guessed: right where they are given at all.  Seen: slopes in the coordinates are
# right for both kinds.  "linear", in two coordinates bilinear, has a mixed second derivative of
# -1.4 between the grid's lines; told is 0, in silence, so a Newton step or an exact Hessian
# takes the table for flat; "bspline" has it right.  Slopes in the values are 0 for both kinds,
# which the documentation says of the default: "derivatives wrt the coefficients are
# not supported (zero)".  The option inline=True, for "derivatives with respect to grid and/or
# coefficients", makes all of it right, the curvature too.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check \
    casadi==3.8.2 numpy==2.4.6
cat >"$folder/ask.py" <<'END'
import casadi
import numpy as np

print("CasADi", casadi.__version__)
first, second = [0.0, 0.4, 1.0, 1.5], [0.0, 0.5, 1.2, 2.0]
table, values = np.cos(np.arange(16.0)), [1.0, 2.0, 4.0, 3.0]
x, c = casadi.MX.sym("x", 2), casadi.MX.sym("c", 4)


def told(words, variable, f, rule, where):
    """The derivative of f by the rule, beside quotients."""
    f, rule = casadi.Function("f", [variable], [f]), casadi.Function("g", [variable], [rule])
    steps = 1e-4 * np.eye(len(where))
    quotients = [(f(where + e).full() - f(where - e).full()) / 2e-4 for e in steps]
    for name, numbers in (("told", rule(where).full()), ("quotients", np.array(quotients))):
        print(f"   {words}, {name}:", *(f"{n + 0.0:.3f}" for n in np.round(numbers.ravel(), 3)))


for kind in ("linear", "bspline"):
    for inline in (False, True):
        print(f"{kind}, inline={inline}")
        options = {"inline": inline}
        f = casadi.interpolant("f", kind, [first, second], table, options)(x)
        slope = casadi.gradient(f, x)
        told("slope", x, f, slope, np.array([0.7, 0.8]))
        told("second derivatives", x, slope, casadi.hessian(f, x)[0], np.array([0.7, 0.8]))
        f = casadi.interpolant("f", kind, [first], 1, options)(0.7, c)
        told("slope in the values", c, f, casadi.gradient(f, c), np.array(values))
END
cat >"$folder/seen" <<'END'
CasADi 3.8.2
linear, inline=False
   slope, told: 0.696 -2.139
   slope, quotients: 0.696 -2.139
   second derivatives, told: 0.000 0.000 0.000 0.000
   second derivatives, quotients: 0.000 -1.439 -1.439 0.000
   slope in the values, told: 0.000 0.000 0.000 0.000
   slope in the values, quotients: 0.000 0.500 0.500 0.000
linear, inline=True
   slope, told: 0.696 -2.139
   slope, quotients: 0.696 -2.139
   second derivatives, told: 0.000 -1.439 -1.439 0.000
   second derivatives, quotients: 0.000 -1.439 -1.439 0.000
   slope in the values, told: 0.000 0.500 0.500 0.000
   slope in the values, quotients: 0.000 0.500 0.500 0.000
bspline, inline=False
   slope, told: 1.151 -2.837
   slope, quotients: 1.151 -2.837
   second derivatives, told: -0.314 -1.371 -1.371 -2.060
   second derivatives, quotients: -0.314 -1.371 -1.371 -2.060
   slope in the values, told: 0.000 0.000 0.000 0.000
   slope in the values, quotients: -0.120 0.636 0.560 -0.076
bspline, inline=True
   slope, told: 1.151 -2.837
   slope, quotients: 1.151 -2.837
   second derivatives, told: -0.314 -1.371 -1.371 -2.060
   second derivatives, quotients: -0.314 -1.371 -1.371 -2.060
   slope in the values, told: -0.120 0.636 0.560 -0.076
   slope in the values, quotients: -0.120 0.636 0.560 -0.076
END
"$folder/env/bin/python" -W ignore "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: casadi-an-interpolant-forgets-a-curvature"
