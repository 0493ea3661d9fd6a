#!/bin/sh
# POT 0.9.7.post1 with torch 2.13.0: ot.solve with reg=0.3, and the slope of its value along
# a change of the weights a, of b, and of the costs M, by grad="autodiff" (the default),
# "envelope" (said to give the gradient of the value at less memory) and "last_step".
# Guessed, of all slopes of ot.solve, no way named: the quotient.  Seen: with
# the default reg_type, "KL", the envelope's slopes of both weights are wrong, by 39 % of
# the quotient for a; those of M are right.  They are the slopes for reg_type="entropy",
# where all is right: KL measures the plan against a times b, and the envelope does not see
# that this reference moves with the weights.  "last_step" is wrong everywhere, by a factor
# of up to 10 and once with the other sign, though the plan has converged.  And
# reg_type="L2" has no gradient at all for the weights, in silence: the value has a grad_fn.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check \
    torch==2.13.0 pot==0.9.7.post1 numpy==2.4.6 scipy==1.17.1
cat >"$folder/ask.py" <<'END'
import ot
import torch

print("pot", ot.__version__, "torch", torch.__version__.split("+")[0])
torch.set_default_dtype(torch.float64)
costs = torch.tensor([[0.1, 1.0, 2.0], [0.9, 0.2, 1.1], [1.7, 0.8, 0.3]])
start = {"M": costs, "a": torch.tensor([0.2, 0.3, 0.5]), "b": torch.tensor([0.4, 0.35, 0.25])}
along = torch.tensor([1.0, -2.0, 1.0])
change = {"M": torch.diag(along), "a": along, "b": along}
for regulariser in "KL", "entropy", "L2":
    for way in "autodiff", "envelope", "last_step":
        told = []
        for name in start:

            def value(step, name=name, regulariser=regulariser, way=way):
                given = start | {name: start[name] + step * change[name]}
                exact = {"reg": 0.3, "tol": 1e-12, "max_iter": 3000}
                return ot.solve(**given, **exact, reg_type=regulariser, grad=way).value

            leaf = start[name].clone().requires_grad_()
            given = start | {name: leaf}
            y = ot.solve(**given, reg=0.3, tol=1e-12, max_iter=3000, reg_type=regulariser, grad=way)
            gradient = None
            if y.value.requires_grad:
                (gradient,) = torch.autograd.grad(y.value, leaf, allow_unused=True)
            slope = gradient if gradient is None else f"{(gradient * change[name]).sum():.3f}"
            quotient = (value(1e-5) - value(-1e-5)) / 2e-5
            told.append(f"{name} {slope} of {quotient:.3f}")
        print(regulariser, way, *told, sep="  ")
END
cat >"$folder/seen" <<'END'
pot 0.9.7.post1 torch 2.13.0
KL  autodiff  M 0.110 of 0.110  a -0.082 of -0.082  b 0.278 of 0.278
KL  envelope  M 0.110 of 0.110  a -0.050 of -0.082  b 0.217 of 0.278
KL  last_step  M 0.273 of 0.110  a -0.070 of -0.082  b 0.073 of 0.278
entropy  autodiff  M 0.110 of 0.110  a -0.050 of -0.050  b 0.217 of 0.217
entropy  envelope  M 0.110 of 0.110  a -0.050 of -0.050  b 0.217 of 0.217
entropy  last_step  M 0.011 of 0.110  a -0.076 of -0.050  b -0.026 of 0.217
L2  autodiff  M 0.250 of 0.249  a None of -0.109  b None of 0.260
L2  envelope  M 0.250 of 0.249  a None of -0.109  b None of 0.260
L2  last_step  M 0.250 of 0.249  a None of -0.109  b None of 0.260
END
"$folder/env/bin/python" -W ignore "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: pot-an-envelope-that-forgets-the-weights"
