#!/bin/sh
# JAX 0.10.2, float64: the slope of jax.scipy.special.spence, log(x) / (1 - x), a smooth
# function there.  Guessed: right, or an error.  Seen: right in forward mode; in reverse
# mode nan, in silence, for every x above 1 up to 2, right again beyond.  It is the "where
# trap" of the textbooks within JAX: _spence_calc computes log(1 - x) for all x and chooses
# with jnp.where afterwards; forward mode chooses among tangents, reverse mode sends a 0
# through the logarithm of a negative number.  (What it says at 0 is another finding.)
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check \
    jax==0.10.2 jaxlib==0.10.2 numpy==2.4.6
cat >"$folder/ask.py" <<'END'
import math

import jax
from jax import numpy as jnp
from jax.scipy.special import spence

jax.config.update("jax_enable_x64", True)
print("jax", jax.__version__)
for x in (0.4, 0.9, 1.2, 1.5, 1.9, 2.0, 2.1, 4.0):
    backward, (_, forward) = jax.grad(spence)(x), jax.jvp(spence, (x,), (1.0,))
    print(f"{x}: backward {backward:.4f}, forward {forward:.4f}, true {math.log(x) / (1 - x):.4f}")
x = jnp.array([0.5, 1.5, 2.5])
for words, f in (("backward", jax.jacrev), ("forward", jax.jacfwd)):
    jacobian = f(spence)(x)
    print(words, [[round(entry, 4) + 0.0 for entry in row] for row in jacobian.tolist()])
END
cat >"$folder/seen" <<'END'
jax 0.10.2
0.4: backward -1.5272, forward -1.5272, true -1.5272
0.9: backward -1.0536, forward -1.0536, true -1.0536
1.2: backward nan, forward -0.9116, true -0.9116
1.5: backward nan, forward -0.8109, true -0.8109
1.9: backward nan, forward -0.7132, true -0.7132
2.0: backward nan, forward -0.6931, true -0.6931
2.1: backward -0.6745, forward -0.6745, true -0.6745
4.0: backward -0.4621, forward -0.4621, true -0.4621
backward [[-1.3863, nan, 0.0], [0.0, nan, 0.0], [0.0, nan, -0.6109]]
forward [[-1.3863, 0.0, 0.0], [0.0, -0.8109, 0.0], [0.0, 0.0, -0.6109]]
END
"$folder/env/bin/python" -W ignore "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: jax-spence-backward-is-nan-from-1-to-2"
