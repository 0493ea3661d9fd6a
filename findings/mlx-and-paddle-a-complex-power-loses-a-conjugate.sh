#!/bin/sh
# MLX 0.32.4 and Paddle 3.3.1 on the CPU: the reverse gradient of 0.7 Re(w) + 0.4 Im(w)
# with respect to the two real parts of z = 0.6 + 0.8i, for w = z*z and the same w written
# as a power (in Paddle with a tensor as exponent).  Guessed: equal, in every case.  Seen, in
# both: right for z*z and square(z), wrong for z**2, z**3 and z**-1.  MLX multiplies the
# upstream gradient by the derivative, not by its conjugate, which real numbers cannot show;
# Paddle's power gives the conjugate of MLX's answer, and its prod of complex entries the
# same answer as MLX's power.  A filter irfft(rfft(x)**2) of real samples goes wrong with it
# in MLX.  MLX's forward mode and its prod are right.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check \
    'mlx[cpu]==0.32.4' paddlepaddle==3.3.1 numpy==2.4.6
cat >"$folder/ask.py" <<'END'
import mlx.core as mx
import paddle

mx.set_default_device(mx.cpu)
print("mlx", mx.__version__, "paddle", paddle.__version__)


def quotients(power):
    def value(x, y):
        w = power(complex(x, y))
        return 0.7 * w.real + 0.4 * w.imag

    return value(0.600001, 0.8) - value(0.599999, 0.8), value(0.6, 0.800001) - value(0.6, 0.799999)


def mlx_value(f):
    def value(v):
        w = f(v[0] + 1j * v[1])
        return 0.7 * mx.real(w) + 0.4 * mx.imag(w)

    return value


def paddle_gradient(f):
    v = paddle.to_tensor([0.6, 0.8], dtype="float64", stop_gradient=False)
    w = f(paddle.complex(v[0], v[1]))
    return paddle.grad(0.7 * paddle.real(w) + 0.4 * paddle.imag(w), v)[0].tolist()


def filtered(square):
    samples = mx.array([0.31, -0.42, 0.77, 0.13])
    return mx.grad(lambda x: mx.fft.irfft(square(mx.fft.rfft(x)))[0])(samples).tolist()


def told(numbers):
    return "({:.3f}, {:.3f})".format(*numbers)


point = mx.array([0.6, 0.8])
for words, power, in_mlx, in_paddle in (
    ("z * z", lambda z: z * z, lambda z: z * z, lambda z: z * z),
    ("square(z)", lambda z: z * z, mx.square, paddle.square),
    ("z**2", lambda z: z**2, lambda z: z**2, lambda z: z ** paddle.to_tensor(2 + 0j)),
    ("z**3", lambda z: z**3, lambda z: z**3, lambda z: z ** paddle.to_tensor(3 + 0j)),
    ("1 / z", lambda z: 1 / z, lambda z: 1 / z, paddle.reciprocal),
    ("z**-1", lambda z: 1 / z, lambda z: z**-1, lambda z: z ** paddle.to_tensor(-1 + 0j)),
    (
        "prod(z, z)",
        lambda z: z * z,
        lambda z: mx.prod(mx.stack([z, z])),
        lambda z: paddle.prod(paddle.stack([z, z])),
    ),
):
    print(words, "quotients", told([q / 2e-6 for q in quotients(power)]))
    value = mlx_value(in_mlx)
    forward = [mx.jvp(value, [point], [mx.array(e)])[1][0].item() for e in ([1.0, 0.0], [0.0, 1.0])]
    print("  mlx", told(mx.grad(value)(point).tolist()), "forward", told(forward))
    print("  paddle", told(paddle_gradient(in_paddle)))
for words, f in ("rfft(x)**2", lambda z: z**2), ("rfft(x) times itself", lambda z: z * z):
    print(words, *(f"{slope:.2f}" for slope in filtered(f)))
END
cat >"$folder/seen" <<'END'
mlx 0.32.4 paddle 3.3.1
z * z quotients (1.480, -0.640)
  mlx (1.480, -0.640) forward (1.480, -0.640)
  paddle (1.480, -0.640)
square(z) quotients (1.480, -0.640)
  mlx (1.480, -0.640) forward (1.480, -0.640)
  paddle (1.480, -0.640)
z**2 quotients (1.480, -0.640)
  mlx (0.200, 1.600) forward (1.480, -0.640)
  paddle (0.200, -1.600)
z**3 quotients (0.564, -2.352)
  mlx (-1.740, 1.680) forward (0.564, -2.352)
  paddle (-1.740, -1.680)
1 / z quotients (0.580, -0.560)
  mlx (0.580, -0.560) forward (0.580, -0.560)
  paddle (0.580, -0.560)
z**-1 quotients (0.580, -0.560)
  mlx (-0.188, 0.784) forward (0.580, -0.560)
  paddle (-0.188, -0.784)
prod(z, z) quotients (1.480, -0.640)
  mlx (1.480, -0.640) forward (1.480, -0.640)
  paddle (0.200, 1.600)
rfft(x)**2 0.62 -0.84 1.54 0.26
rfft(x) times itself 0.62 0.26 1.54 -0.84
END
"$folder/env/bin/python" -W ignore "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: mlx-and-paddle-a-complex-power-loses-a-conjugate"
