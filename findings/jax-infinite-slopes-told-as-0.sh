#!/bin/sh
# JAX 0.10.2: two functions of jax.scipy.special with a vertical tangent at 0.
# spence(x) has the slope log(x)/(1 - x), which tends to minus infinity; ndtri, the inverse
# of the normal distribution, has a slope that tends to plus infinity.
# Guessed: -inf and inf, as logit gives.  Seen: 0 and 0 in silence, a "flat" function.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check jax==0.10.2 jaxlib==0.10.2 numpy==2.4.6
cat >"$folder/ask.py" <<'END'
import jax
from jax.scipy import special
jax.config.update("jax_enable_x64", True)
print("jax", jax.__version__)
for name in ("spence", "ndtri", "logit"):
    slope = jax.grad(getattr(special, name))
    print(name, "at 0:", float(slope(0.0)), " at 1e-9: %.4g" % slope(1e-9))
END
cat >"$folder/seen" <<'END'
jax 0.10.2
spence at 0: 0.0  at 1e-9: -20.72
ndtri at 0: 0.0  at 1e-9: 1.624e+08
logit at 0: inf  at 1e-9: 1e+09
END
"$folder/env/bin/python" "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: jax-infinite-slopes-told-as-0"
