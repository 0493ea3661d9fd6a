#!/bin/sh
# NVIDIA Warp 1.19.0 on the CPU, slopes of a kernel's scalar functions.  Guessed and seen:
# max(x, 0) at 0: guessed 1, seen 0, and max(0, x) has 1: a tie goes to the second argument.
# clamp(x, 0, 1): guessed 1 at both bounds, seen 1 at the lower and 0 at the upper one.
# abs at 0: guessed 0, seen 1.  asin at 1: guessed inf, as sqrt gives at 0; seen 0, "flat".
# frac(x) = x - trunc(x) was beside them, no guess written: 0 everywhere, even at 0.3, where
# the slope is 1 and mod(x, 1), the same number, has 1.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check warp-lang==1.19.0 numpy==2.4.6
cat >"$folder/ask.py" <<'END'
import os
import warp as wp
wp.config.log_level = wp.LOG_ERROR
wp.config.kernel_cache_dir = os.environ["folder"] + "/kernels"
print("warp", wp.__version__)
@wp.kernel
def values(x: wp.array(dtype=float), y: wp.array(dtype=float)):
    y[0] = wp.max(x[0], 0.0)
    y[1] = wp.max(0.0, x[1])
    y[2] = wp.clamp(x[2], 0.0, 1.0)
    y[3] = wp.clamp(x[3], 0.0, 1.0)
    y[4] = wp.abs(x[4])
    y[5] = wp.sqrt(x[5])
    y[6] = wp.asin(x[6])
    y[7] = wp.frac(x[7])
    y[8] = wp.mod(x[8], 1.0)
words = "max(x,0) max(0,x) clamp-lower clamp-upper abs sqrt asin frac mod".split()
points = [0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.3, 0.3]
x = wp.array(points, dtype=float, requires_grad=True, device="cpu")
y = wp.zeros(len(points), dtype=float, requires_grad=True, device="cpu")
with wp.Tape() as tape:
    wp.launch(values, dim=1, inputs=[x], outputs=[y], device="cpu")
y.grad.fill_(1.0)
tape.backward()
for word, point, value, slope in zip(words, points, y.numpy(), x.grad.numpy()):
    print(word, point, "value %.3f" % value, "slope", float(slope))
END
cat >"$folder/seen" <<'END'
warp 1.19.0
max(x,0) 0.0 value 0.000 slope 0.0
max(0,x) 0.0 value 0.000 slope 1.0
clamp-lower 0.0 value 0.000 slope 1.0
clamp-upper 1.0 value 1.000 slope 0.0
abs 0.0 value 0.000 slope 1.0
sqrt 0.0 value 0.000 slope inf
asin 1.0 value 1.571 slope 0.0
frac 0.3 value 0.300 slope 0.0
mod 0.3 value 0.300 slope 1.0
END
folder=$folder "$folder/env/bin/python" "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: warp-the-corners-and-an-arcsine"
