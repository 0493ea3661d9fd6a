#!/bin/sh
# JAX 0.10.2: the modified Bessel function I0 is smooth and even, so its slope at 0 is 0.
# Guessed: 0.  Seen: 1, in reverse and in forward mode, without a word; at 1e-9 it is right.
# I0 is computed as exp(|x|) times the scaled function, and JAX's slope of |x| at 0 is 1:
# a choice that is harmless at a kink becomes a false derivative of a function that has none.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check jax==0.10.2 jaxlib==0.10.2 numpy==2.4.6
cat >"$folder/ask.py" <<'END'
import jax
jax.config.update("jax_enable_x64", True)
i0, i0e, i1 = jax.scipy.special.i0, jax.scipy.special.i0e, jax.scipy.special.i1
print("jax", jax.__version__)
print("reverse", *(float(jax.grad(i0)(x)) for x in (-1e-9, 0.0, 1e-9)))
print("forward", float(jax.jvp(i0, (0.0,), (1.0,))[1]))
print("the truth, I1(0)", float(i1(0.0)))
print("scaled, at its kink", float(jax.grad(i0e)(0.0)))
END
cat >"$folder/seen" <<'END'
jax 0.10.2
reverse -5.000000413701855e-10 1.0 5.000000413701855e-10
forward 1.0
the truth, I1(0) 0.0
scaled, at its kink 0.0
END
"$folder/env/bin/python" "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: jax-bessel-i0-slope-at-0"
