#!/bin/sh
# JAX 0.10.2: hard_tanh, relu6 and clip are the same ramp, scaled.  At their corners:
# guessed one convention for all three.  Seen three: hard_tanh 1, relu6 0, clip 1/2.
# Likewise fmax sends all of a tie to its second argument, where maximum shares it.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check jax==0.10.2 jaxlib==0.10.2 numpy==2.4.6
cat >"$folder/ask.py" <<'END'
import jax
import jax.numpy as jnp
from jax import grad, nn
print("jax", jax.__version__)
print("hard_tanh at -1, 1", *(float(grad(nn.hard_tanh)(x)) for x in (-1.0, 1.0)))
print("relu6 at 0, 6", *(float(grad(nn.relu6)(x)) for x in (0.0, 6.0)))
print("clip at -1, 1", *(float(grad(lambda x: jnp.clip(x, -1, 1))(x)) for x in (-1.0, 1.0)))
print("maximum(1, 1)", *map(float, grad(jnp.maximum, (0, 1))(1.0, 1.0)))
print("fmax(1, 1)", *map(float, grad(jnp.fmax, (0, 1))(1.0, 1.0)))
END
cat >"$folder/seen" <<'END'
jax 0.10.2
hard_tanh at -1, 1 1.0 1.0
relu6 at 0, 6 0.0 0.0
clip at -1, 1 0.5 0.5
maximum(1, 1) 0.5 0.5
fmax(1, 1) 0.0 1.0
END
"$folder/env/bin/python" "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: jax-the-corners-of-three-ramps"
