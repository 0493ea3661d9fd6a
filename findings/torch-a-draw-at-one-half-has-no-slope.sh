#!/bin/sh
# torch 2.13.0: ContinuousBernoulli's rsample, its slope in the probability, in float64.  The
# draw is the inverse of the distribution function at a uniform number; the formula is 0/0 at a
# probability of 1/2, where the true slope is 2 u (1 - u).  Guessed: about that, from a Taylor
# series, as mean, variance and log_prob have one there.  Seen: 0 from 0.499 to 0.501, in
# cdf and icdf too, where the draw is taken for uniform; outside all digits hold.  A network whose
# last layer starts with logits of 0, so at 1/2, is told that nothing changes.
# And LogitRelaxedBernoulli, made from logits in float32: guessed the slope 1 at any logit,
# since the draw is the logit plus noise.  Seen: 1 up to 15, and 0 beyond 16: the logits go
# through probabilities that are clamped, and the draw stays where it is.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check \
    torch==2.13.0 numpy==2.4.6 mpmath==1.3.0
cat >"$folder/ask.py" <<'END'
import mpmath
import torch
from torch.distributions import ContinuousBernoulli
from torch.distributions.relaxed_bernoulli import LogitRelaxedBernoulli

print("torch", torch.__version__.split("+")[0])
mpmath.mp.dps = 40


def inverse(u, p):
    return (mpmath.log(1 - p + u * (2 * p - 1)) - mpmath.log(1 - p)) / mpmath.log(p / (1 - p))


def slope(f, at):
    x = torch.tensor(at, dtype=torch.float64, requires_grad=True)
    return torch.autograd.grad(f(x), x)[0].item()


def drawn(p):
    torch.manual_seed(0)
    return ContinuousBernoulli(p).rsample()


torch.manual_seed(0)
u = mpmath.mpf(torch.rand((), dtype=torch.float64).item())
third = torch.tensor(0.3, dtype=torch.float64)
for at in (0.4, 0.498, 0.4995, 0.5, 0.6):
    h = mpmath.mpf("1e-9")
    true = (inverse(u, at + h) - inverse(u, at - h)) / (2 * h)
    print(f"rsample at {at}: slope {slope(drawn, at):.4f}, true {float(true):.4f}")
for name, f in {
    "mean": lambda p: ContinuousBernoulli(p).mean,
    "log_prob": lambda p: ContinuousBernoulli(p).log_prob(third),
    "cdf": lambda p: ContinuousBernoulli(p).cdf(third),
    "icdf": lambda p: ContinuousBernoulli(p).icdf(third),
}.items():
    print(f"{name} at 0.498, 0.5, 0.502:", *(f"{slope(f, at):.4f}" for at in (0.498, 0.5, 0.502)))
print(f"2 u (1 - u) at the draw: {float(2 * u * (1 - u)):.4f}")
for logit in (0.0, 15.0, 17.0, 30.0, -17.0):
    torch.manual_seed(0)
    x = torch.tensor(logit, requires_grad=True)
    draw = LogitRelaxedBernoulli(torch.tensor(1.0), logits=x).rsample()
    told = torch.autograd.grad(draw, x)[0]
    print(f"relaxed, logit {logit}: draw {draw:.2f}, slope {told:.4f}")
END
cat >"$folder/seen" <<'END'
torch 2.13.0
rsample at 0.4: slope 0.0781, true 0.0781
rsample at 0.498: slope 0.0584, true 0.0584
rsample at 0.4995: slope 0.0000, true 0.0582
rsample at 0.5: slope 0.0000, true 0.0581
rsample at 0.6: slope 0.0470, true 0.0470
mean at 0.498, 0.5, 0.502: 0.3333 0.3333 0.3333
log_prob at 0.498, 0.5, 0.502: -0.7973 -0.8000 -0.8027
cdf at 0.498, 0.5, 0.502: -0.4205 0.0000 -0.4196
icdf at 0.498, 0.5, 0.502: 0.4191 0.0000 0.4209
2 u (1 - u) at the draw: 0.0581
relaxed, logit 0.0: draw -0.01, slope 1.0000
relaxed, logit 15.0: draw 14.83, slope 1.0000
relaxed, logit 17.0: draw 15.93, slope 0.0000
relaxed, logit 30.0: draw 15.93, slope 0.0000
relaxed, logit -17.0: draw -15.96, slope 0.0000
END
"$folder/env/bin/python" -W ignore "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: torch-a-draw-at-one-half-has-no-slope"
