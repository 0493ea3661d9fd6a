#!/bin/sh
# torch 2.13.0: FlopCounterMode, which counts the multiplications and additions of a run, for
# a matrix of 50 by 100 and a vector of 100.  Guessed: 10,000 however the product is written,
# two for each entry of the matrix, and 20,000 on the way back.  Seen: that for v @ W.T, for
# nn.Linear and einsum, and 0 for W @ v, the same numbers from the same entries; 0 for dot
# and outer.  The counter knows the operators mm, addmm and bmm, to which v @ W.T is brought,
# and neither mv nor dot, and says nothing of what it leaves out.  What a gradient costs in
# evaluations of its function is 0/0 in such a program, or too small where only a part of
# it is written that way.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check \
    torch==2.13.0 numpy==2.4.6
cat >"$folder/ask.py" <<'END'
import torch
from torch.utils.flop_counter import FlopCounterMode

print("torch", torch.__version__.split("+")[0])
W = torch.ones(50, 100, requires_grad=True)
v = torch.ones(100, requires_grad=True)
layer = torch.nn.Linear(100, 50)


def count(run):
    with FlopCounterMode(display=False) as counter:
        result = run()
    return counter.get_total_flops(), result


for words, run in {
    "W @ v": lambda: W @ v,
    "v @ W.T": lambda: v @ W.T,
    "torch.mv": lambda: torch.mv(W, v),
    "einsum": lambda: torch.einsum("ij,j->i", W, v),
    "W @ v[:, None]": lambda: W @ v[:, None],
    "nn.Linear": lambda: layer(v),
    "a batch of one": lambda: v[None] @ W.T,
    "v @ v": lambda: v @ v,
    "outer": lambda: torch.outer(v, v),
}.items():
    there, result = count(run)
    back, _ = count(result.sum().backward)
    print(f"{words}: there {there}, back {back}")
END
cat >"$folder/seen" <<'END'
torch 2.13.0
W @ v: there 0, back 0
v @ W.T: there 10000, back 20000
torch.mv: there 0, back 0
einsum: there 10000, back 20000
W @ v[:, None]: there 10000, back 20000
nn.Linear: there 10000, back 20000
a batch of one: there 10000, back 20000
v @ v: there 0, back 0
outer: there 0, back 0
END
"$folder/env/bin/python" -W ignore "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: torch-a-matrix-times-a-vector-costs-nothing"
