#!/bin/sh
# JAXopt 0.8.5 on JAX 0.10.2: prox_group_lasso maps all of the ball around 0 to 0.
# Guessed: its Jacobian at 0 is 0.  Seen: nan, in silence; at (1e-3, 0) it is 0.  And
# projection_l2_ball leaves every point of the ball where it is, so its Jacobian is the
# identity; at the centre it is nan too.  Both divide by the norm before they decide whether
# to shrink, and a gradient of 0 meets the infinite slope of 1/0.  Optax 0.2.8 has the same
# function under the same name: the identity there (guessed so, and held).
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check jaxopt==0.8.5 optax==0.2.8 jax==0.10.2 jaxlib==0.10.2 numpy==2.4.6
cat >"$folder/ask.py" <<'END'
import warnings
warnings.simplefilter("ignore")
from importlib.metadata import version
import jax
import jax.numpy as jnp
import optax
from jaxopt import projection, prox
print(*(f"{name} {version(name)}" for name in ("jaxopt", "optax", "jax")))
for words, f in {
    "prox_group_lasso": prox.prox_group_lasso,
    "projection_l2_ball": projection.projection_l2_ball,
    "optax's": optax.projections.projection_l2_ball,
}.items():
    for point in ((1e-3, 0.0), (0.0, 0.0)):
        x = jnp.array(point)
        print(words, "at", point, f(x).tolist(), jax.jacrev(f)(x).tolist())
END
cat >"$folder/seen" <<'END'
jaxopt 0.8.5 optax 0.2.8 jax 0.10.2
prox_group_lasso at (0.001, 0.0) [0.0, 0.0] [[0.0, 0.0], [0.0, 0.0]]
prox_group_lasso at (0.0, 0.0) [0.0, 0.0] [[nan, nan], [nan, nan]]
projection_l2_ball at (0.001, 0.0) [0.0010000000474974513, 0.0] [[1.0, 0.0], [0.0, 1.0]]
projection_l2_ball at (0.0, 0.0) [0.0, 0.0] [[nan, nan], [nan, nan]]
optax's at (0.001, 0.0) [0.0010000000474974513, 0.0] [[1.0, 0.0], [0.0, 1.0]]
optax's at (0.0, 0.0) [0.0, 0.0] [[1.0, 0.0], [0.0, 1.0]]
END
"$folder/env/bin/python" "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: jaxopt-nan-in-the-middle-of-a-ball"
