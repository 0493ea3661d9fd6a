#!/bin/sh
# Opacus 1.6.0 and BackPACK 1.7.1 with torch 2.13.0: per-sample gradients of one layer's
# weight, in float64, beside those of torch, one sample at a time.  Guessed: right for every
# layer that is accepted, the rest refused (Opacus validates a model, BackPACK raises
# NotImplementedError).  Seen: both accept a convolution with padding_mode "circular",
# "reflect" or "replicate" and get it wrong by half of the largest entry, BackPACK's
# second derivatives too: they cut the input into patches anew, with zeros around it.
# And Opacus sends a gradient to an Embedding's padding row, where torch sends none;
# BackPACK refuses padding_idx.  With Opacus it is what is clipped and what trains.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check \
    torch==2.13.0 numpy==2.4.6 scipy==1.17.1 opacus==1.6.0 backpack-for-pytorch==1.7.1 \
    einops==0.8.2 unfoldNd==0.2.3
cat >"$folder/ask.py" <<'END'
from importlib.metadata import version

import torch
from backpack import backpack, extend
from backpack.extensions import BatchGrad, DiagHessian
from opacus.grad_sample import GradSampleModule
from opacus.validators import ModuleValidator
from torch import nn

for name in ("torch", "opacus", "backpack-for-pytorch"):
    print(name, version(name).split("+")[0])
torch.set_default_dtype(torch.float64)


def loss(layer, x):
    return ((layer(x) - 1) ** 2).sum()


def one_by_one(layer, x):
    return torch.stack([torch.autograd.grad(loss(layer, row[None]), layer.weight)[0] for row in x])


def curvature(layer, x):
    def of(weight):
        return ((torch.func.functional_call(layer, {"weight": weight}, (x,)) - 1) ** 2).sum()

    weight = layer.weight.detach()
    size = weight.numel()
    hessian = torch.autograd.functional.hessian(of, weight).reshape(size, size)
    return hessian.diagonal().reshape(weight.shape)


def by_opacus(layer, x):
    if ModuleValidator.validate(layer):
        return "refused"
    wrapped = GradSampleModule(layer, loss_reduction="sum")
    loss(wrapped, x).backward()
    found = layer.weight.grad_sample
    wrapped.to_standard_module()
    return found


def by_backpack(layer, x, extension, name):
    try:
        model = extend(nn.Sequential(layer, nn.Flatten()))
        measure = extend(nn.MSELoss(reduction="sum"))
        out = model(x)
        with backpack(extension):
            measure(out, torch.ones_like(out)).backward()
    except NotImplementedError:
        return "refused"
    return getattr(layer.weight, name)


def off(found, right):
    if isinstance(found, str):
        return found
    error = (found - right).abs().max() / right.abs().max()
    return "right" if error < 1e-9 else f"wrong by {error:.2f} of the largest"


def pictures():
    return torch.randn(3, 2, 5, 5)


def words():
    return torch.tensor([[0, 1], [2, 0], [3, 3]])


for name, make, data in (
    ("zeros", lambda: nn.Conv2d(2, 3, 3, padding=1), pictures),
    ("circular", lambda: nn.Conv2d(2, 3, 3, padding=1, padding_mode="circular"), pictures),
    ("reflect", lambda: nn.Conv2d(2, 3, 3, padding=1, padding_mode="reflect"), pictures),
    ("replicate", lambda: nn.Conv2d(2, 3, 3, padding=1, padding_mode="replicate"), pictures),
    ("embedding, padding_idx", lambda: nn.Embedding(5, 3, padding_idx=0), words),
):
    torch.manual_seed(0)
    layer, x = make(), data()
    right = one_by_one(layer, x)
    print(f"{name}, opacus: {off(by_opacus(layer, x), right)}")
    found = by_backpack(layer, x, BatchGrad(), "grad_batch")
    print(f"{name}, backpack: {off(found, right)}")
    if data is pictures:
        found = by_backpack(layer, x, DiagHessian(), "diag_h")
        print(f"{name}, backpack, second derivatives: {off(found, curvature(layer, x))}")
END
cat >"$folder/seen" <<'END'
torch 2.13.0
opacus 1.6.0
backpack-for-pytorch 1.7.1
zeros, opacus: right
zeros, backpack: right
zeros, backpack, second derivatives: right
circular, opacus: wrong by 0.54 of the largest
circular, backpack: wrong by 0.54 of the largest
circular, backpack, second derivatives: wrong by 0.52 of the largest
reflect, opacus: wrong by 0.50 of the largest
reflect, backpack: wrong by 0.50 of the largest
reflect, backpack, second derivatives: wrong by 0.47 of the largest
replicate, opacus: wrong by 0.49 of the largest
replicate, backpack: wrong by 0.49 of the largest
replicate, backpack, second derivatives: wrong by 0.44 of the largest
embedding, padding_idx, opacus: wrong by 0.31 of the largest
embedding, padding_idx, backpack: refused
END
"$folder/env/bin/python" -W ignore "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: opacus-and-backpack-a-circular-padding-is-taken-for-zeros"
