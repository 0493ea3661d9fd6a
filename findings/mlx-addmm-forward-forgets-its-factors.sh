#!/bin/sh
# MLX 0.32.4 on the CPU: slopes along a direction of addmm(c, a, b, alpha, beta), which is
# alpha * (a @ b) + beta * c, and of the two ways to a remainder.  Guessed: the quotient, in
# both modes, or an error, as MLX raises for what it cannot differentiate.  Seen: backward
# is right; forward mode takes both factors for 1 in silence, so a factor 2 goes missing.
# "divmod(a, b) is equivalent to but faster than (a // b, a % b)", says its documentation:
# remainder has the slopes 1 and -7, divmod's has 0 for both, in both modes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check \
    'mlx[cpu]==0.32.4'
cat >"$folder/ask.py" <<'END'
from importlib.metadata import version

import mlx.core as mx

mx.set_default_device(mx.cpu)
print("mlx", version("mlx"))


def told(words, f, x, way, h=0.25):
    backward = mx.sum(mx.grad(f)(x) * way).item()
    forward = mx.jvp(f, [x], [way])[1][0].item()
    quotient = ((f(x + h * way) - f(x - h * way)) / (2 * h)).item()
    print(f"   {words}: backward {backward:.3f}, forward {forward:.3f}, quotient {quotient:.3f}")


a = mx.array([[1.0, 2.0], [3.0, 4.0]])
b = mx.array([[0.5, -1.0], [2.0, 1.0]])
c = mx.array([[2.0, 0.0], [1.0, -2.0]])
way = mx.array([[1.0, 0.5], [-0.5, 2.0]])
for alpha, beta in ((1.0, 1.0), (0.5, 2.0)):
    print(f"addmm(c, a, b, alpha={alpha}, beta={beta})")
    told("in c", lambda x: mx.addmm(x, a, b, alpha, beta).sum(), c, way)
    told("in a", lambda x: mx.addmm(c, x, b, alpha, beta).sum(), a, way)
    told("in b", lambda x: mx.addmm(c, a, x, alpha, beta).sum(), b, way)
    told("written out, in a", lambda x: (alpha * (x @ b) + beta * c).sum(), a, way)
x, y, one = mx.array(2.9), mx.array(0.4), mx.array(1.0)
print("the remainder of 2.9 / 0.4")
told("remainder, in x", lambda x: mx.remainder(x, y), x, one, 0.01)
told("divmod, in x", lambda x: mx.divmod(x, y)[1], x, one, 0.01)
told("remainder, in y", lambda y: mx.remainder(x, y), y, one, 0.01)
told("divmod, in y", lambda y: mx.divmod(x, y)[1], y, one, 0.01)
END
cat >"$folder/seen" <<'END'
mlx 0.32.4
addmm(c, a, b, alpha=1.0, beta=1.0)
   in c: backward 3.000, forward 3.000, quotient 3.000
   in a: backward 7.250, forward 7.250, quotient 7.250
   in b: backward 15.000, forward 15.000, quotient 15.000
   written out, in a: backward 7.250, forward 7.250, quotient 7.250
addmm(c, a, b, alpha=0.5, beta=2.0)
   in c: backward 6.000, forward 3.000, quotient 6.000
   in a: backward 3.625, forward 7.250, quotient 3.625
   in b: backward 7.500, forward 15.000, quotient 7.500
   written out, in a: backward 3.625, forward 3.625, quotient 3.625
the remainder of 2.9 / 0.4
   remainder, in x: backward 1.000, forward 1.000, quotient 1.000
   divmod, in x: backward 0.000, forward 0.000, quotient 1.000
   remainder, in y: backward -7.000, forward -7.000, quotient -7.000
   divmod, in y: backward 0.000, forward 0.000, quotient -7.000
END
"$folder/env/bin/python" -W ignore "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: mlx-addmm-forward-forgets-its-factors"
