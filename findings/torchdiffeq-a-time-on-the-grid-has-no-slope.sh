#!/bin/sh
# torchdiffeq 0.2.5 with torch 2.13.0, float64: the angle of a pendulum at an observed time,
# and its slope in the three times of odeint().  Guessed: the velocity there for that time,
# and minus it for the start, by each method to its accuracy.  Seen: by the fixed steps (rk4,
# midpoint; step_size 0.01) both slopes are 0, in silence, where the time is a point of the
# grid, as 0.75 is; at 0.755 they are right.  The linear interpolation, which is the default,
# begins with "if t == t0: return y0", and what it returns does not depend on t.  The adjoint,
# interp="cubic" and dopri5 give the velocity at both times.  A delay or a time that is to be
# learnt starts on a round number, and does not move.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check \
    torch==2.13.0 numpy==2.4.6 scipy==1.17.1 torchdiffeq==0.2.5
cat >"$folder/ask.py" <<'END'
from importlib.metadata import version

import torch
from torchdiffeq import odeint, odeint_adjoint

print("torch", torch.__version__.split("+")[0], "torchdiffeq", version("torchdiffeq"))
torch.set_default_dtype(torch.float64)


class Swing(torch.nn.Module):
    def forward(self, t, y):
        return torch.stack([y[1], -torch.sin(y[0])])


start = torch.tensor([1.0, 0.5])


def told(words, solve, middle, **options):
    t = torch.tensor([0.0, middle, 1.5], requires_grad=True)
    y = solve(Swing(), start, t, **options)
    slopes = torch.autograd.grad(y[1, 0], t)[0]
    print(f"   {words}: {' '.join(f'{slope + 0.0:.4f}' for slope in slopes.tolist())}")


def quotient(middle, **options):
    def angle(*times):
        return odeint(Swing(), start, torch.tensor(times), **options)[1, 0]

    h = 1e-4
    first = (angle(h, middle, 1.5) - angle(-h, middle, 1.5)) / (2 * h)
    second = (angle(0.0, middle + h, 1.5) - angle(0.0, middle - h, 1.5)) / (2 * h)
    print(f"   quotients: {first:.4f} {second:.4f}")


for middle in (0.75, 0.755):
    print(f"the angle at {middle}, slopes in the start, in this time and in the last")
    for method in ("rk4", "midpoint"):
        fixed = {"method": method, "options": {"step_size": 0.01}}
        told(f"{method}, step 0.01", odeint, middle, **fixed)
        told(f"{method}, step 0.01, adjoint", odeint_adjoint, middle, **fixed)
    fixed = {"method": "rk4", "options": {"step_size": 0.01, "interp": "cubic"}}
    told("rk4, step 0.01, cubic", odeint, middle, **fixed)
    told("dopri5", odeint, middle, method="dopri5", rtol=1e-8, atol=1e-8)
    quotient(middle, method="dopri5", rtol=1e-10, atol=1e-10)
END
cat >"$folder/seen" <<'END'
torch 2.13.0 torchdiffeq 0.2.5
the angle at 0.75, slopes in the start, in this time and in the last
   rk4, step 0.01: 0.0000 0.0000 0.0000
   rk4, step 0.01, adjoint: 0.1697 -0.1697 0.0000
   midpoint, step 0.01: 0.0000 0.0000 0.0000
   midpoint, step 0.01, adjoint: 0.1697 -0.1697 0.0000
   rk4, step 0.01, cubic: 0.1697 -0.1697 0.0000
   dopri5: 0.1697 -0.1697 0.0000
   quotients: 0.1697 -0.1697
the angle at 0.755, slopes in the start, in this time and in the last
   rk4, step 0.01: 0.1742 -0.1742 0.0000
   rk4, step 0.01, adjoint: 0.1742 -0.1742 0.0000
   midpoint, step 0.01: 0.1742 -0.1742 0.0000
   midpoint, step 0.01, adjoint: 0.1742 -0.1742 0.0000
   rk4, step 0.01, cubic: 0.1742 -0.1742 0.0000
   dopri5: 0.1742 -0.1742 0.0000
   quotients: 0.1742 -0.1742
END
"$folder/env/bin/python" -W ignore "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: torchdiffeq-a-time-on-the-grid-has-no-slope"
