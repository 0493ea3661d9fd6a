#!/bin/sh
# Captum 0.9.0 with torch 2.13.0: DeepLift shares the difference of two results among the
# inputs, and the shares are to sum to it.  Two linear layers with an activation between, 64
# inputs drawn, float64.  "A limited number of non-linear activations" is supported, says the
# documentation; guessed: the others are refused, as LRP refuses them.  Seen: nothing is
# missing with ReLU, ELU, Softplus, Tanh, Sigmoid and LeakyReLU.  With SiLU, GELU, Mish, SELU,
# PReLU, ReLU6 and Hardtanh, and with torch.relu() in place of the module, the plain slope
# is taken for the rule, and 20 to 83 % of the difference is missing or too much, without a
# warning; also with CELU, which as it stands is the same function as ELU.
# convergence_delta tells it, if one asks.  Integrated gradients sum to the difference.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check \
    torch==2.13.0 numpy==2.4.6 matplotlib==3.11.2 captum==0.9.0
cat >"$folder/ask.py" <<'END'
from importlib.metadata import version

import torch
from captum.attr import LRP, DeepLift, IntegratedGradients
from torch import nn

print("torch", torch.__version__.split("+")[0], "captum", version("captum"))
torch.set_default_dtype(torch.float64)


class Called(nn.Module):
    def forward(self, x):
        return torch.relu(x)


def missing(shares, difference):
    return f"{100 * (shares.sum(1) - difference).abs().sum() / difference.abs().sum():.0f} %"


names = "ReLU ELU Softplus Tanh Sigmoid LeakyReLU SiLU GELU Mish CELU SELU PReLU ReLU6 Hardtanh"
for name in [*names.split(), "torch.relu"]:
    torch.manual_seed(0)
    activation = Called() if name == "torch.relu" else getattr(nn, name)()
    model = nn.Sequential(nn.Linear(4, 8), activation, nn.Linear(8, 1)).eval()
    x, start = 2 * torch.randn(64, 4), torch.zeros(64, 4)
    difference = (model(x) - model(start))[:, 0]
    deep = missing(DeepLift(model).attribute(x, start), difference)
    along = missing(IntegratedGradients(model).attribute(x, start, n_steps=500), difference)
    try:
        LRP(model).attribute(x)
        relevance = "accepts it"
    except TypeError:
        relevance = "refuses it"
    print(f"{name}: DeepLift misses {deep}, integrated gradients {along}, LRP {relevance}")
END
cat >"$folder/seen" <<'END'
torch 2.13.0 captum 0.9.0
ReLU: DeepLift misses 0 %, integrated gradients 0 %, LRP accepts it
ELU: DeepLift misses 0 %, integrated gradients 0 %, LRP refuses it
Softplus: DeepLift misses 0 %, integrated gradients 0 %, LRP refuses it
Tanh: DeepLift misses 0 %, integrated gradients 0 %, LRP accepts it
Sigmoid: DeepLift misses 0 %, integrated gradients 0 %, LRP refuses it
LeakyReLU: DeepLift misses 0 %, integrated gradients 0 %, LRP refuses it
SiLU: DeepLift misses 43 %, integrated gradients 0 %, LRP refuses it
GELU: DeepLift misses 35 %, integrated gradients 0 %, LRP refuses it
Mish: DeepLift misses 36 %, integrated gradients 0 %, LRP refuses it
CELU: DeepLift misses 23 %, integrated gradients 0 %, LRP refuses it
SELU: DeepLift misses 30 %, integrated gradients 0 %, LRP refuses it
PReLU: DeepLift misses 20 %, integrated gradients 0 %, LRP refuses it
ReLU6: DeepLift misses 30 %, integrated gradients 0 %, LRP refuses it
Hardtanh: DeepLift misses 83 %, integrated gradients 0 %, LRP refuses it
torch.relu: DeepLift misses 30 %, integrated gradients 0 %, LRP refuses it
END
"$folder/env/bin/python" -W ignore "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: captum-deeplift-without-a-rule-is-a-gradient"
