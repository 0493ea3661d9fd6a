#!/bin/sh
# Paddle 3.3.1 on the CPU, in float64: group_norm of two groups of three entries, and the
# gradient of a weighted sum of the result.  Guessed: right, and the same whether the scale
# is left out or a tensor of ones, as in torch.  Seen: right with a scale; without one (what
# GroupNorm(weight_attr=False) computes) it is wrong by a constant in every group, while the
# values are equal.  A shift of a whole group changes nothing, so its gradients have to sum
# to 0; here they sum to 0.00 in the first group and to 3.04 in the second.  With one group it
# is wrong too, while layer_norm over the same entries, without a scale, is right.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check paddlepaddle==3.3.1 numpy==2.4.6
cat >"$folder/ask.py" <<'END'
import numpy
import paddle
from paddle.nn import functional

print("paddle", paddle.__version__)
point = numpy.array([0.31, -0.42, 0.77, 0.13, 0.58, -0.91])
weights = paddle.to_tensor([0.7, -1.1, 0.4, 0.9, -0.3, 1.3], dtype="float64")
scale = paddle.ones([2], dtype="float64")


def sums(text, f):
    def value(x):
        return (f(paddle.reshape(x, [1, 2, 3])).flatten() * weights).sum()

    x = paddle.to_tensor(point, stop_gradient=False)
    gradient = paddle.grad(value(x), x)[0].numpy()
    steps = 1e-5 * numpy.eye(6)
    quotients = [
        (value(paddle.to_tensor(point + s)) - value(paddle.to_tensor(point - s))).item() / 2e-5
        for s in steps
    ]
    print(text, f"value {value(x).item():.4f}")
    print("  gradient ", *(f"{g:.2f}" for g in gradient))
    print("  quotients", *(f"{q:.2f}" for q in quotients))


sums("two groups, no scale", lambda x: functional.group_norm(x, 2))
sums("two groups, scale of ones", lambda x: functional.group_norm(x, 2, weight=scale))
sums("one group, no scale", lambda x: functional.group_norm(x, 1))
sums("layer_norm, no scale", lambda x: functional.layer_norm(x, [2, 3]))
END
cat >"$folder/seen" <<'END'
paddle 3.3.1
two groups, no scale value 0.2302
  gradient  1.18 -0.46 -0.72 1.74 0.51 0.80
  quotients 1.18 -0.46 -0.72 0.73 -0.51 -0.22
two groups, scale of ones value 0.2302
  gradient  1.18 -0.46 -0.72 0.73 -0.51 -0.22
  quotients 1.18 -0.46 -0.72 0.73 -0.51 -0.22
one group, no scale value -0.6885
  gradient  1.29 -2.07 0.93 1.57 -0.35 1.91
  quotients 0.74 -2.62 0.38 1.03 -0.89 1.36
layer_norm, no scale value -0.6885
  gradient  0.74 -2.62 0.38 1.03 -0.89 1.36
  quotients 0.74 -2.62 0.38 1.03 -0.89 1.36
END
"$folder/env/bin/python" -W ignore "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: paddle-group-norm-without-a-scale"
