#!/bin/sh
# torch 2.13.0: cholesky_solve and cholesky_inverse read the lower triangle of their factor
# alone, as solve_triangular does.  Changing the upper entry changes no result.  Expected:
# a gradient of 0 there, which solve_triangular gives.  Seen: -0.51 and -0.57, larger than
# any entry below, where both quotients are 0.  It is the gradient along L, as if the
# factor had been masked by whoever made it: right after cholesky(), whose own backward
# pass drops it, and wrong for a factor that is a parameter of its own: a step moves
# entries that nothing depends on, and the gradient's norm (by which it is clipped) counts
# them.  Multiply the factor by torch.tril first.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check torch==2.13.0 numpy==2.4.6
cat >"$folder/ask.py" <<'END'
import torch

print("torch", torch.__version__.split("+")[0])
b = torch.tensor([[1.0], [2.0]], dtype=torch.float64)
calls = {
    "cholesky_solve": lambda f: torch.cholesky_solve(b, f).sum(),
    "cholesky_inverse": lambda f: torch.cholesky_inverse(f).sum(),
    "solve_triangular": lambda f: torch.linalg.solve_triangular(f, b, upper=False).sum(),
    "tril, then cholesky_solve": lambda f: torch.cholesky_solve(b, f.tril()).sum(),
}
for name, call in calls.items():
    factor = torch.tensor([[2.0, 5.0], [1.0, 3.0]], dtype=torch.float64, requires_grad=True)
    call(factor).backward()
    other = factor.detach() + torch.tensor([[0.0, 0.25], [0.0, 0.0]])
    quotient = (call(other) - call(factor)) / 0.25
    print(f"{name}: gradient {factor.grad[0, 1]:.4f}, quotient {quotient:.4f}")
END
cat >"$folder/seen" <<'END'
torch 2.13.0
cholesky_solve: gradient -0.5093, quotient 0.0000
cholesky_inverse: gradient -0.5679, quotient 0.0000
solve_triangular: gradient 0.0000, quotient 0.0000
tril, then cholesky_solve: gradient 0.0000, quotient 0.0000
END
"$folder/env/bin/python" "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: torch-cholesky-solve-slopes-of-what-it-never-reads"
