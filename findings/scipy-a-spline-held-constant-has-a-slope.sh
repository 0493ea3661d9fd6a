#!/bin/sh
# SciPy 1.17.1: splines that are held at their last value outside of their data, UnivariateSpline
# with ext=3 ("const", "return the boundary value") and RectBivariateSpline, which always is:
# slopes out there, beside quotients.  Guessed: 0, by either way of asking, or an error.  Seen, of
# data that end at 2: spline(2.5, 1) is 5, the slope of the curve continued, for a function that
# stays where it is, while spline.derivative() is 0 there; the surface has the slope of its
# edge, 4, both by dx=1 and by partial_derivative.  So a descent by these slopes walks
# out of the data, on and on, without gain.  The antiderivative is held as well: it has the slope 0
# where the function that it came from is 3.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check \
    scipy==1.17.1 numpy==2.4.6
cat >"$folder/ask.py" <<'END'
import numpy as np
import scipy
from scipy import interpolate

print("SciPy", scipy.__version__)
x, y = np.linspace(0, 2, 9), np.linspace(0, 1, 5)


def told(words, **numbers):
    print(words)
    for name, number in numbers.items():
        print(f"   {name.replace('_', ' ')}: {round(float(number), 4) + 0.0:.4f}")


def quotient(f, x, h=1e-5):
    return (f(x + h) - f(x - h)) / (2 * h)


line = interpolate.UnivariateSpline(x, x**2 - 1, s=0, ext=3)
surface = interpolate.RectBivariateSpline(x, y, x[:, None] ** 2 + y)
for where in (1.5, 2.5):
    told(
        f"x**2 - 1 on 0 to 2 at {where}",
        value=line(where),
        with_nu_of_1=line(where, 1),
        of_derivative=line.derivative()(where),
        quotient=quotient(line, where),
        quotient_of_antiderivative=quotient(line.antiderivative(), where),
    )
    told(
        f"x**2 + y on 0 to 2 at ({where}, 0.5)",
        value=surface.ev(where, 0.5),
        with_dx_of_1=surface.ev(where, 0.5, dx=1),
        of_partial_derivative=surface.partial_derivative(1, 0)(where, 0.5, grid=False),
        quotient=quotient(lambda x: surface.ev(x, 0.5), where),
    )
at = 0.5
values = []
surface = interpolate.RectBivariateSpline(x, y, -(x[:, None] ** 2) + y)
for _ in range(5):
    values.append(f"{at:.1f}: {float(surface.ev(at, 0.5)):.1f}")
    at -= 0.5 * float(surface.ev(at, 0.5, dx=1))
print("down y - x**2 by half of the slope,", ", ".join(values))
END
cat >"$folder/seen" <<'END'
SciPy 1.17.1
x**2 - 1 on 0 to 2 at 1.5
   value: 1.2500
   with nu of 1: 3.0000
   of derivative: 3.0000
   quotient: 3.0000
   quotient of antiderivative: 1.2500
x**2 + y on 0 to 2 at (1.5, 0.5)
   value: 2.7500
   with dx of 1: 3.0000
   of partial derivative: 3.0000
   quotient: 3.0000
x**2 - 1 on 0 to 2 at 2.5
   value: 3.0000
   with nu of 1: 5.0000
   of derivative: 0.0000
   quotient: 0.0000
   quotient of antiderivative: 0.0000
x**2 + y on 0 to 2 at (2.5, 0.5)
   value: 4.5000
   with dx of 1: 4.0000
   of partial derivative: 4.0000
   quotient: 0.0000
down y - x**2 by half of the slope, 0.5: 0.3, 1.0: -0.5, 2.0: -3.5, 4.0: -3.5, 6.0: -3.5
END
"$folder/env/bin/python" -W ignore "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: scipy-a-spline-held-constant-has-a-slope"
