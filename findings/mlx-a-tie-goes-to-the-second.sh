#!/bin/sh
# MLX 0.32.4 on the CPU: maximum(x, 0) at 0.  Guessed: 1/2 to each side.  Seen: all goes to
# the second argument, so maximum(x, 0) has the slope 0 and maximum(0, x) the slope 1; max
# over an array shares.  mlx.nn builds on it (not guessed, met on the way): prelu with the
# slope 1/4 sends 1.25 at 0, more than either side, since it adds a maximum and a minimum that
# each send everything; celu, whose sides both have the slope 1 at 0, sends 0.
# clip at its bounds: guessed 1, seen 0.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check 'mlx[cpu]==0.32.4'
cat >"$folder/ask.py" <<'END'
import mlx.core as mx
from mlx import nn
mx.set_default_device(mx.cpu)
print("mlx", mx.__version__)
def slopes(f, *points):
    return [mx.grad(f)(mx.array(point)).item() for point in points]
print("maximum(x, 0)", *slopes(lambda x: mx.maximum(x, 0.0), 0.0))
print("maximum(0, x)", *slopes(lambda x: mx.maximum(0.0, x), 0.0))
print("max", mx.grad(mx.max)(mx.array([1.0, 3.0, 3.0])).tolist())
print("prelu", *slopes(lambda x: nn.prelu(x, mx.array(0.25)), -1.0, 0.0, 1.0))
print("celu", *(f"{slope:.3f}" for slope in slopes(nn.celu, -0.001, 0.0, 0.001)))
print("clip", *slopes(lambda x: mx.clip(x, 0.0, 1.0), 0.0, 0.5, 1.0))
END
cat >"$folder/seen" <<'END'
mlx 0.32.4
maximum(x, 0) 0.0
maximum(0, x) 1.0
max [0.0, 0.5, 0.5]
prelu 0.25 1.25 1.0
celu 0.999 0.000 1.000
clip 0.0 1.0 0.0
END
"$folder/env/bin/python" "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: mlx-a-tie-goes-to-the-second"
