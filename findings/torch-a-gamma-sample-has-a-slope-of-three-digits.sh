#!/bin/sh
# torch 2.13.0: the slope of a reparametrised sample with respect to its shape parameter,
# in float64, for Gamma and Beta.  A sample has no formula in the shape; the slope is
# -(dF/da)/(dF/dx) with F the cumulative distribution (implicit reparametrisation), which
# mpmath 1.3.0 gives to forty digits.  Guessed: a relative error below 1e-8, as of other
# special functions in float64.  Seen: up to 1e-3, so three digits hold; past small samples
# the slope is read off fitted formulas.  An unbiased estimator becomes slightly biased, and
# gradcheck or a comparison of digits that float64 seems to promise fails.  JAX 0.10.2 was
# guessed at 1e-6 and is exact to rounding.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check \
    torch==2.13.0 jax==0.10.2 jaxlib==0.10.2 numpy==2.4.6 mpmath==1.3.0
cat >"$folder/ask.py" <<'END'
import jax
import mpmath
import torch
from torch.distributions import Beta, Gamma

jax.config.update("jax_enable_x64", True)
mpmath.mp.dps = 40
print("torch", torch.__version__.split("+")[0], "jax", jax.__version__)


def gamma_cdf(a, x):
    return mpmath.gammainc(a, 0, x, regularized=True)


def beta_cdf(a, x):
    return mpmath.betainc(a, 3, 0, x, regularized=True)


def in_torch(make):
    def draw(shape, seed):
        torch.manual_seed(seed)
        a = torch.tensor(shape, dtype=torch.float64, requires_grad=True)
        sample = make(a).rsample()
        return sample.item(), torch.autograd.grad(sample, a)[0].item()

    return draw


def in_jax(shape, seed):
    sample, slope = jax.value_and_grad(jax.random.gamma, 1)(jax.random.key(seed), shape)
    return float(sample), float(slope)


for words, draw, cdf in (
    ("Gamma(a, 1)", in_torch(lambda a: Gamma(a, 1.0)), gamma_cdf),
    ("Beta(a, 3)", in_torch(lambda a: Beta(a, 3.0)), beta_cdf),
    ("jax gamma(a)", in_jax, gamma_cdf),
):
    for shape in (0.5, 2.0, 20.0):
        errors = []
        for seed in range(50):
            x, slope = draw(shape, seed)
            true = -mpmath.diff(cdf, (shape, x), (1, 0)) / mpmath.diff(cdf, (shape, x), (0, 1))
            errors.append(abs(slope / true - 1))
        digits = int(-mpmath.log10(max(errors)))
        print(f"{words} at {shape}: worst of fifty holds {min(digits, 12)} digits")
END
cat >"$folder/seen" <<'END'
torch 2.13.0 jax 0.10.2
Gamma(a, 1) at 0.5: worst of fifty holds 4 digits
Gamma(a, 1) at 2.0: worst of fifty holds 4 digits
Gamma(a, 1) at 20.0: worst of fifty holds 4 digits
Beta(a, 3) at 0.5: worst of fifty holds 3 digits
Beta(a, 3) at 2.0: worst of fifty holds 3 digits
Beta(a, 3) at 20.0: worst of fifty holds 3 digits
jax gamma(a) at 0.5: worst of fifty holds 12 digits
jax gamma(a) at 2.0: worst of fifty holds 12 digits
jax gamma(a) at 20.0: worst of fifty holds 12 digits
END
"$folder/env/bin/python" "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: torch-a-gamma-sample-has-a-slope-of-three-digits"
