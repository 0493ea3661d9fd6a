#!/bin/sh
# torch 2.13.0: four functions at 2.3, exported, and the slope of the exported program's
# module; every value stays as it was.  Guessed: detach() and no_grad() are kept, so each
# slope is the eager one, also after run_decompositions(), which is to rewrite operators.
# Seen: export keeps them, run_decompositions() takes both out (no_grad() with an empty table
# too): x * (x**2).detach() turns from the slope x**2 into 3 * x**2, and a straight-through
# estimator (rounding, slope 1) into plain rounding with slope 0, which trains nothing.  A
# Function with a backward of its own (100 times the upstream gradient; no guess written) is
# forgotten at export, and the lines of its forward are differentiated.
# symbolic_trace was guessed to lose no_grad() and does; jit.trace was guessed to keep it.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check torch==2.13.0 numpy==2.4.6
cat >"$folder/ask.py" <<'END'
import torch

print("torch", torch.__version__.split("+")[0])


class Hundredfold(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x**2

    @staticmethod
    def backward(ctx, upstream):
        return 100 * upstream


class Asked(torch.nn.Module):
    def __init__(self, f):
        super().__init__()
        self.f = f

    def forward(self, x):
        return self.f(x)


def without_gradient(x):
    with torch.no_grad():
        square = x**2
    return x * square


def slope(f):
    x = torch.tensor(2.3, requires_grad=True)
    y = f(x)
    return f"{y.item():.2f} slope {torch.autograd.grad(y, x)[0].item():.2f}"


example = torch.tensor(2.0)
for words, f in {
    "detach": lambda x: x * (x**2).detach(),
    "no_grad": without_gradient,
    "straight through": lambda x: x + (x.round() - x).detach(),
    "Function": Hundredfold.apply,
}.items():
    exported = torch.export.export(Asked(f), (example,))
    for way, made in {
        "eager": f,
        "export": exported.module(),
        "decomposed": exported.run_decompositions().module(),
        "decomposed by {}": exported.run_decompositions({}).module(),
        "jit.trace": torch.jit.trace(f, (example,)),
        "fx": torch.fx.symbolic_trace(Asked(f)),
    }.items():
        print(f"{words}, {way}: {slope(made)}")
END
cat >"$folder/seen" <<'END'
torch 2.13.0
detach, eager: 12.17 slope 5.29
detach, export: 12.17 slope 5.29
detach, decomposed: 12.17 slope 15.87
detach, decomposed by {}: 12.17 slope 5.29
detach, jit.trace: 12.17 slope 5.29
detach, fx: 12.17 slope 5.29
no_grad, eager: 12.17 slope 5.29
no_grad, export: 12.17 slope 5.29
no_grad, decomposed: 12.17 slope 15.87
no_grad, decomposed by {}: 12.17 slope 15.87
no_grad, jit.trace: 12.17 slope 15.87
no_grad, fx: 12.17 slope 15.87
straight through, eager: 2.00 slope 1.00
straight through, export: 2.00 slope 1.00
straight through, decomposed: 2.00 slope 0.00
straight through, decomposed by {}: 2.00 slope 1.00
straight through, jit.trace: 2.00 slope 1.00
straight through, fx: 2.00 slope 1.00
Function, eager: 5.29 slope 100.00
Function, export: 5.29 slope 4.60
Function, decomposed: 5.29 slope 4.60
Function, decomposed by {}: 5.29 slope 4.60
Function, jit.trace: 5.29 slope 100.00
Function, fx: 5.29 slope 4.60
END
"$folder/env/bin/python" -W ignore "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: torch-export-forgets-what-was-cut"
