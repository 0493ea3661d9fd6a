#!/bin/sh
# JAX 0.10.2: lax.cummax where the maximum occurs several times.
# Guessed: each output sends its gradient to the first or the last of the equal entries, or
# shares it equally among them, as jnp.max does.  Seen: the shares are 1/2, 1/4, 1/4 for
# three equal entries, and which entry gets the half differs from output to output: the
# scan halves every pair that it compares, so the shape of its tree is in the gradient.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check jax==0.10.2 jaxlib==0.10.2 numpy==2.4.6
cat >"$folder/ask.py" <<'END'
import jax
import jax.numpy as jnp
print("jax", jax.__version__)
x = jnp.array([1.0, 3.0, 3.0, 3.0])
print("max", jax.grad(jnp.max)(x).tolist())
for row in jax.jacrev(jax.lax.cummax)(x).tolist():
    print("cummax", row)
print("cummin of equals", jax.grad(lambda x: jax.lax.cummin(x)[2])(jnp.ones(3)).tolist())
END
cat >"$folder/seen" <<'END'
jax 0.10.2
max [0.0, 0.3333333432674408, 0.3333333432674408, 0.3333333432674408]
cummax [1.0, 0.0, 0.0, 0.0]
cummax [0.0, 1.0, 0.0, 0.0]
cummax [0.0, 0.5, 0.5, 0.0]
cummax [0.0, 0.5, 0.25, 0.25]
cummin of equals [0.25, 0.25, 0.5]
END
"$folder/env/bin/python" "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: jax-cummax-shares-a-tie-unevenly"
