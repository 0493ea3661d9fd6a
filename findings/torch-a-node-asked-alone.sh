#!/bin/sh
# torch 2.13.0: the nodes of a graph, asked without backward().  The product of shapes (2, 1)
# and (3,): its node called with an upstream gradient of ones.  Expected: gradients of the
# shapes (2, 1) and (3,).  Seen: (2, 3) twice; the engine sums them down after the node has
# returned, so the node's own answer is not yet the inputs' gradient.  And exp saves its
# result: expected that _raw_saved_result.unpack() gives it, as _saved_result does; seen an
# error about detach_(), though nothing was detached: unpack() in Python does not hand over
# the node that a result of its own belongs to.  The saved input of sin unpacks.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check torch==2.13.0 numpy==2.4.6
cat >"$folder/ask.py" <<'END'
import torch
print("torch", torch.__version__.split("+")[0])
a = torch.ones(2, 1, requires_grad=True)
b = torch.ones(3, requires_grad=True)
y = a * b
print("node", *(tuple(g.shape) for g in y.grad_fn(torch.ones(2, 3))))
print("engine", *(tuple(g.shape) for g in torch.autograd.grad(y, (a, b), torch.ones(2, 3))))
x = torch.zeros(1, requires_grad=True)
y, z = x.exp(), x.sin()
print("saved by exp", y.grad_fn._saved_result.tolist())
try:
    print("unpacked", y.grad_fn._raw_saved_result.unpack().tolist())
except RuntimeError as error:
    print("unpacked", str(error).split(",")[0])
print("unpacked from sin", z.grad_fn._raw_saved_self.unpack().tolist())
END
cat >"$folder/seen" <<'END'
torch 2.13.0
node (2, 3) (2, 3)
engine (2, 1) (3,)
saved by exp [1.0]
unpacked Trying to use a saved tensor that has been detached in-place
unpacked from sin [0.0]
END
"$folder/env/bin/python" "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: torch-a-node-asked-alone"
