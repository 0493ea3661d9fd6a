#!/bin/sh
# Pyro 1.9.2 with torch 2.13.0, float64: the log-determinants that its normalizing flows of
# vectors tell, beside those of their Jacobians by torch, some twenty transforms.  Guessed:
# equal, to rounding.  Seen: Sylvester's are not, in silence.  At the start, with weights near 0,
# both are nearly 0; with weights of size 2 the told "density" of one layer sums to 1.26 over
# the plane, so that training, which raises it, can raise what is none.  Planar, Radial and Spline
# are right.  The formula, x + Q R tanh(S Q^T x + b), is one of columns, as in the
# documentation; the layer multiplies rows by the same matrices, x @ B and tanh(...) @ A, and there
# the Qs do not cancel in the determinant.  On columns the told number is right.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check \
    torch==2.13.0 numpy==2.4.6 pyro-ppl==1.9.2 pyro-api==0.1.2
cat >"$folder/ask.py" <<'END'
import pyro
import pyro.distributions as dist
import torch
from pyro.distributions import transforms

print("torch", torch.__version__.split("+")[0], "pyro", pyro.__version__)
torch.set_default_dtype(torch.float64)
x = torch.tensor([0.3, -0.7])


def made(transform, weights):
    """The transform with weights of the given size, the same on every machine."""
    for count, parameter in enumerate(transform.parameters()):
        angles = torch.arange(1.0, parameter.numel() + 1) + 2 * count
        parameter.data = weights * torch.cos(angles).view_as(parameter)
    return transform


for name in ("Planar", "Radial", "Spline", "Sylvester"):
    for weights in (0.001, 1.0, 2.0):
        transform = made(getattr(transforms, name)(2), weights)
        told = transform.log_abs_det_jacobian(x, transform(x)).sum()
        jacobian = torch.autograd.functional.jacobian(transform, x)
        seen = torch.linalg.slogdet(jacobian)[1]
        print(f"{name}, weights of {weights}: told {told + 0:.5f}, Jacobian's {seen + 0:.5f}")

line = torch.linspace(-8, 8, 161)
grid = torch.cartesian_prod(line, line).requires_grad_()
normal = dist.Normal(0.0, 1.0).expand([2]).to_event(1).log_prob(grid).detach()
for name in ("Planar", "Sylvester"):
    transform = made(getattr(transforms, name)(2), 2.0)
    y = transform(grid)
    told = transform.log_abs_det_jacobian(grid, y)
    rows = [torch.autograd.grad(y[:, i].sum(), grid, retain_graph=True)[0] for i in (0, 1)]
    volume = 0.01 * torch.stack(rows, 1).det().abs()
    mass = ((normal - told).exp() * volume).sum().item()
    print(f"{name}, weights of 2.0: the density, summed over the plane, is {mass:.4f}")
Q, R, S = transform.Q(x), transform.R(), transform.S()


def columns(x):
    return x + Q @ R @ torch.tanh(S @ Q.T @ x + transform.b)


inner = S @ Q.T @ x + transform.b
told = torch.log1p((1 - torch.tanh(inner) ** 2) * R.diagonal() * S.diagonal()).sum()
jacobian = torch.autograd.functional.jacobian(columns, x)
print("Sylvester's formula on columns: told", end=" ")
print(f"{told:.5f}, Jacobian's {torch.linalg.slogdet(jacobian)[1]:.5f}")
END
cat >"$folder/seen" <<'END'
torch 2.13.0 pyro 1.9.2
Planar, weights of 0.001: told -0.36651, Jacobian's -0.36651
Planar, weights of 1.0: told -1.07832, Jacobian's -1.07832
Planar, weights of 2.0: told -3.36598, Jacobian's -3.36598
Radial, weights of 0.001: told 0.00065, Jacobian's 0.00065
Radial, weights of 1.0: told 0.87299, Jacobian's 0.87299
Radial, weights of 2.0: told 0.80143, Jacobian's 0.80143
Spline, weights of 0.001: told -0.08053, Jacobian's -0.08053
Spline, weights of 1.0: told -2.22086, Jacobian's -2.22086
Spline, weights of 2.0: told -4.92077, Jacobian's -4.92077
Sylvester, weights of 0.001: told -0.00000, Jacobian's -0.00000
Sylvester, weights of 1.0: told -0.24462, Jacobian's -0.23765
Sylvester, weights of 2.0: told -0.23470, Jacobian's -0.17490
Planar, weights of 2.0: the density, summed over the plane, is 1.0000
Sylvester, weights of 2.0: the density, summed over the plane, is 1.2567
Sylvester's formula on columns: told -0.46514, Jacobian's -0.46514
END
"$folder/env/bin/python" -W ignore "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: pyro-a-flow-whose-density-does-not-integrate-to-1"
