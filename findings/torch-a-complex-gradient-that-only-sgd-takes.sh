#!/bin/sh
# torch 2.13.0: one step of each of the twelve optimisers that take complex parameters.  The
# documentation defines it as "equivalent to stepping through the same optimizer on the
# torch.view_as_real() equivalent of the complex params".  Guessed: a step, whatever the
# loss.  Seen: with the loss Re(conj(p) c) or Re(p^H c), eleven of them raise in step();
# SGD alone steps.  Their gradient is c, marked as a conjugate that is yet to be computed,
# .grad keeps the mark, and view_as_real() refuses it.  Written as Re(p c), or with one more
# term in the loss, .grad is an ordinary tensor and all twelve step.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check \
    torch==2.13.0 numpy==2.4.6
cat >"$folder/ask.py" <<'END'
import torch

print("torch", torch.__version__.split("+")[0])
c = torch.tensor([2 - 1j, 0.5 + 1j])
kinds = ("SGD", "Adam", "AdamW", "Adagrad", "Adadelta", "RMSprop", "Rprop", "NAdam",
         "RAdam", "Adamax", "ASGD", "LBFGS")
for words, loss in {
    "Re(p c)": lambda p: (p * c).real.sum(),
    "Re(conj(p) c)": lambda p: (p.conj() * c).real.sum(),
    "Re(p^H c)": lambda p: (p.mH @ c[:, None]).real.sum(),
    "Re(conj(p) c) + |p|^2": lambda p: (p.conj() * c).real.sum() + (p.abs() ** 2).sum(),
}.items():
    stepped, refused = [], set()
    for kind in kinds:
        p = torch.nn.Parameter(torch.tensor([[1 + 2j], [0.5 - 1j]]))
        optimizer = getattr(torch.optim, kind)([p], lr=0.1)

        def closure():
            optimizer.zero_grad()
            value = loss(p)
            value.backward()
            return value

        try:
            optimizer.step(closure)
            stepped.append(kind)
        except RuntimeError as error:
            refused.add(str(error).split(".")[0])
    print(f"{words}: p.grad.is_conj() {p.grad.is_conj()}, stepped {len(stepped)} of {len(kinds)}")
    if refused:
        print("  ", *stepped, *refused, sep=" | ")
END
cat >"$folder/seen" <<'END'
torch 2.13.0
Re(p c): p.grad.is_conj() False, stepped 12 of 12
Re(conj(p) c): p.grad.is_conj() True, stepped 1 of 12
   | SGD | view_as_real doesn't work on unresolved conjugated tensors
Re(p^H c): p.grad.is_conj() True, stepped 1 of 12
   | SGD | view_as_real doesn't work on unresolved conjugated tensors
Re(conj(p) c) + |p|^2: p.grad.is_conj() False, stepped 12 of 12
END
"$folder/env/bin/python" -W ignore "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: torch-a-complex-gradient-that-only-sgd-takes"
