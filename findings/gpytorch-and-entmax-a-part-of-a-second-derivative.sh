#!/bin/sh
# GPyTorch 1.15.2 and entmax 1.3 with torch 2.13.0, float64: the second derivative of a sum
# of a kernel's entries, and of a log-determinant, in the lengthscale; and of the square of a
# loss of entmax along a line.  Guessed: right, or an error.  Seen: every slope is right.
# RBFKernel and the Matern kernels give a wrong second derivative in silence, here with the
# wrong sign in most cases; with a lengthscale for each dimension (ard_num_dims), where other
# lines run, RBFKernel is right, and so is RQKernel.  Each rule is a Function whose forward
# pass stores the derivative as numbers, which a second backward pass takes for constants;
# once_differentiable would have raised.  Entmax's losses drop the same part.  Newton
# steps and Laplace approximations are built on just these.  entmax15 itself was beside them,
# no guess written: nan where an entry is exactly 0, which is what it is made for.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check \
    torch==2.13.0 numpy==2.4.6 scipy==1.17.1 gpytorch==1.15.2 linear_operator==0.6.1 \
    jaxtyping==0.3.11 entmax==1.3
cat >"$folder/ask.py" <<'END'
from importlib.metadata import version

import entmax
import torch
from gpytorch import kernels

for name in ("torch", "gpytorch", "entmax"):
    print(name, version(name).split("+")[0])
torch.set_default_dtype(torch.float64)
points = torch.tensor([[0.0, 0.0], [1.0, 0.5], [-0.7, 1.2], [0.3, -1.0]])
scores = torch.tensor([[0.3, -0.2, 0.9], [0.1, 1.1, 0.4]])
line = torch.tensor([[0.5, 1.0, -0.5], [-1.0, 0.5, 1.0]])
wanted = torch.tensor([0, 2])


def slope(f, at):
    x = torch.tensor(at, requires_grad=True)
    return torch.autograd.grad(f(x), x)[0].item()


def second(f, at):
    x = torch.tensor(at, requires_grad=True)
    (first,) = torch.autograd.grad(f(x), x, create_graph=True)
    return torch.autograd.grad(first, x)[0].item()


def quotient(f, at, step=1e-5):
    return (f(at + step) - f(at - step)) / (2 * step)


def matrix(kernel, lengthscale):
    size = kernel.raw_lengthscale.shape
    del kernel.raw_lengthscale
    kernel.raw_lengthscale = lengthscale.expand(size)
    return kernel(points).to_dense()


def told(words, f, at):
    value = quotient(lambda x: f(torch.tensor(x)).item(), at)
    turn = quotient(lambda x: slope(f, x), at)
    print(f"{words}: slope {slope(f, at):.4f}, quotient {value:.4f}")
    print(f"   second derivative {second(f, at):.4f}, quotient {turn:.4f}")


for name, make in {
    "RBF": kernels.RBFKernel,
    "RBF, one for each dimension": lambda: kernels.RBFKernel(ard_num_dims=2),
    "Matern 1/2": lambda: kernels.MaternKernel(nu=0.5),
    "Matern 3/2": lambda: kernels.MaternKernel(nu=1.5),
    "Matern 5/2": lambda: kernels.MaternKernel(nu=2.5),
    "RQ": kernels.RQKernel,
}.items():
    told(f"{name}, sum", lambda s, make=make: matrix(make(), s).sum(), 1.5)
    told(
        f"{name}, log-determinant",
        lambda s, make=make: torch.logdet(matrix(make(), s) + 0.1 * torch.eye(4)),
        1.5,
    )
for name in ("sparsemax_loss", "entmax15_loss"):
    loss = getattr(entmax, name)
    told(f"{name}, squared", lambda s, f=loss: (f(scores + s * line, wanted) ** 2).sum(), 0.1)
told("entmax15", lambda s: (entmax.entmax15(scores + s * line) * line).sum(), 0.1)
far = torch.tensor([0.0, 0.0, -5.0])
told(
    "entmax15 with an entry of 0",
    lambda s: (entmax.entmax15(scores + far + s * line) * line).sum(),
    0.1,
)
END
cat >"$folder/seen" <<'END'
torch 2.13.0
gpytorch 1.15.2
entmax 1.3
RBF, sum: slope 2.9929, quotient 2.9929
   second derivative 0.5460, quotient -2.2035
RBF, log-determinant: slope -1.4534, quotient -1.4534
   second derivative -1.4487, quotient 0.5876
RBF, one for each dimension, sum: slope 2.9929, quotient 2.9929
   second derivative -2.2035, quotient -2.2035
RBF, one for each dimension, log-determinant: slope -1.4534, quotient -1.4534
   second derivative 0.5876, quotient 0.5876
Matern 1/2, sum: slope 2.0292, quotient 2.0292
   second derivative 0.3702, quotient -0.6730
Matern 1/2, log-determinant: slope -0.5524, quotient -0.5524
   second derivative -0.3576, quotient -0.0297
Matern 3/2, sum: slope 2.7622, quotient 2.7622
   second derivative 0.5039, quotient -1.2877
Matern 3/2, log-determinant: slope -1.0977, quotient -1.0977
   second derivative -0.9433, quotient 0.0179
Matern 5/2, sum: slope 2.9222, quotient 2.9222
   second derivative 0.5331, quotient -1.5867
Matern 5/2, log-determinant: slope -1.2913, quotient -1.2913
   second derivative -1.2044, quotient 0.1444
RQ, sum: slope 2.0321, quotient 2.0321
   second derivative -1.2453, quotient -1.2453
RQ, log-determinant: slope -1.2623, quotient -1.2623
   second derivative 0.3040, quotient 0.3040
sparsemax_loss, squared: slope -1.4053, quotient -1.4053
   second derivative 1.4653, quotient 2.1980
entmax15_loss, squared: slope -1.5573, quotient -1.5573
   second derivative 1.0874, quotient 3.0587
entmax15: slope 1.3023, quotient 1.3023
   second derivative -1.0710, quotient -1.0710
entmax15 with an entry of 0: slope 0.6678, quotient 0.6678
   second derivative nan, quotient -0.5928
END
"$folder/env/bin/python" -W ignore "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: gpytorch-and-entmax-a-part-of-a-second-derivative"
