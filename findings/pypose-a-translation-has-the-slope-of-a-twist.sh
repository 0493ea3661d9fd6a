#!/bin/sh
# PyPose 0.9.5 with torch 2.13.0, float64: slopes through poses and rotations, from numbers to
# numbers, beside quotients.  Guessed: right, however a pose is written down.  Seen: right for
# a point that is moved, for the matrix and for Adj; wrong in silence for the translation of
# exp(twist), three of whose six slopes are another's, though the matrix holds the same three
# numbers; for its Euler angles, for a rotation made of Euler angles or of a matrix, and for
# AdjT.  "The gradient of a Lie Group is computed as a left perturbation in its tangent space",
# says the documentation of add(), and between group operations it flows in that form;
# translation(), euler() and what makes a pose of numbers deal in plain slopes instead, and
# nothing converts them.  Read numbers off matrix(), and make poses with Exp().
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check \
    torch==2.13.0 numpy==2.4.6 pypose==0.9.5
cat >"$folder/ask.py" <<'END'
from importlib.metadata import version

import pypose as pp
import torch

print("torch", torch.__version__.split("+")[0], "pypose", version("pypose"))
torch.set_default_dtype(torch.float64)
w = torch.tensor([0.7, -0.4, 1.1])
turn, other = torch.tensor([0.3, -0.7, 0.5]), torch.tensor([-0.2, 0.4, 0.3, 0.5, 0.7, -0.3])
twist = torch.cat([torch.tensor([0.5, -0.7, 0.3]), turn])


def told(words, f, x):
    x = x.clone().requires_grad_()
    slopes = torch.autograd.grad(f(x), x)[0]
    steps = 1e-6 * torch.eye(len(x))
    quotients = [((f(x + e) - f(x - e)) / 2e-6).item() for e in steps]
    print(words)
    for name, numbers in (("backward", slopes.tolist()), ("quotients", quotients)):
        print(f"   {name}:", *(f"{round(number, 4) + 0.0:.4f}" for number in numbers))


told("a point moved by exp(twist)", lambda x: pp.se3(x).Exp().Act(w) @ w, twist)
told("the matrix of exp(twist)", lambda x: pp.se3(x).Exp().matrix()[:3, 3] @ w, twist)
told("the translation of exp(twist)", lambda x: pp.se3(x).Exp().translation() @ w, twist)
told("the Euler angles of exp(turn)", lambda x: pp.so3(x).Exp().euler() @ w, turn)
told("a matrix from Euler angles", lambda x: pp.euler2SO3(x).matrix()[0] @ w, turn)
told(
    "exp(turn), its matrix, and back",
    lambda x: pp.mat2SO3(pp.so3(x).Exp().matrix()).Act(w)[0],
    turn,
)
long = torch.cat([w, 2 * w.flip(0)])
told("Adj of a twist", lambda x: pp.se3(twist).Exp().Adj(pp.se3(x)).tensor() @ long, other)
told("AdjT of a twist", lambda x: pp.se3(twist).Exp().AdjT(pp.se3(x)).tensor() @ long, other)
END
cat >"$folder/seen" <<'END'
torch 2.13.0 pypose 0.9.5
a point moved by exp(twist)
   backward: 0.9228 -0.4726 0.8646 -0.0587 0.7009 0.3808
   quotients: 0.9228 -0.4726 0.8646 -0.0587 0.7009 0.3808
the matrix of exp(twist)
   backward: 0.9228 -0.4726 0.8646 -0.2282 -0.0999 0.1630
   quotients: 0.9228 -0.4726 0.8646 -0.2282 -0.0999 0.1630
the translation of exp(twist)
   backward: 0.9228 -0.4726 0.8646 0.2234 0.0420 -0.2585
   quotients: 0.9228 -0.4726 0.8646 -0.2282 -0.0999 0.1630
the Euler angles of exp(turn)
   backward: 1.3101 -0.4514 1.6607
   quotients: 0.4220 -0.3047 1.0343
a matrix from Euler angles
   backward: 0.2584 0.5143 0.4173
   quotients: 0.8470 1.0218 0.6520
exp(turn), its matrix, and back
   backward: 0.0071 0.5810 0.2858
   quotients: 0.4458 1.2180 0.2723
Adj of a twist
   backward: 1.0689 -0.6020 0.5958 2.4236 -1.7407 -0.4003
   quotients: 1.0689 -0.6020 0.5958 2.4236 -1.7407 -0.4003
AdjT of a twist
   backward: -1.2257 -1.4406 1.6462 1.1140 -0.5274 2.4333
   quotients: 0.0802 -0.5673 1.2376 0.5661 -1.1606 2.1785
END
"$folder/env/bin/python" -W ignore "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: pypose-a-translation-has-the-slope-of-a-twist"
