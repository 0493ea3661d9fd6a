#!/bin/sh
# autograd 1.9.1 (HIPS): slopes of the chi-squared distribution in x, and of the Bessel
# functions iv and ive in their order, a real number.  Guessed: right.  Seen: with 3 degrees of freedom right; with 2.5 the slope of pdf
# and logpdf is 0 in silence, though cdf beside them is right and a gamma distribution that
# is the same one too.  The rule ends in "np.where(df % 1 == 0, (df - x - 2) / (2 * x), 0)".
# The slopes in the order are 0 as well, where gammainc and cdf raise NotImplementedError.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check \
    autograd==1.9.1 numpy==2.4.6 scipy==1.17.1
cat >"$folder/ask.py" <<'END'
from importlib.metadata import version

import numpy
import scipy
from autograd import grad
from autograd.scipy import special
from autograd.scipy.stats import chi2, gamma

print("autograd", version("autograd"), "scipy", scipy.__version__)


def told(words, slope, f, at):
    quotient = (f(at + 1e-5) - f(at - 1e-5)) / 2e-5
    print(f"{words}: {slope + 0.0:.4f}, quotient {quotient:.4f}")


for freedom in (3.0, 2.5):
    print(f"{freedom} degrees of freedom, slopes in x at 0.9")
    for name in ("cdf", "pdf", "logpdf"):
        f = getattr(chi2, name)
        told(f"   chi2.{name}", grad(f)(0.9, freedom), lambda x: f(x, freedom), 0.9)
    slope = grad(lambda x: gamma.logpdf(x / 2, freedom / 2))(0.9)
    told("   gamma.logpdf of the half", slope, lambda x: gamma.logpdf(x / 2, freedom / 2), 0.9)
print("slopes in the order at 1.5")
for name in ("iv", "ive"):
    f = getattr(special, name)
    told(f"   {name}(order, 0.6)", grad(f)(1.5, 0.6), lambda order: f(order, 0.6), 1.5)
for f, words in ((special.gammainc, "gammainc(a, 0.6)"), (chi2.cdf, None)):
    try:
        grad(f, 0 if words else 1)(*((1.5, 0.6) if words else (0.9, 2.5)))
    except NotImplementedError:
        print(f"   {words or 'chi2.cdf in its degrees of freedom'}: NotImplementedError")
END
cat >"$folder/seen" <<'END'
autograd 1.9.1 scipy 1.17.1
3.0 degrees of freedom, slopes in x at 0.9
   chi2.cdf: 0.2413, quotient 0.2413
   chi2.pdf: 0.0134, quotient 0.0134
   chi2.logpdf: 0.0556, quotient 0.0556
   gamma.logpdf of the half: 0.0556, quotient 0.0556
2.5 degrees of freedom, slopes in x at 0.9
   chi2.cdf: 0.2881, quotient 0.2881
   chi2.pdf: 0.0000, quotient -0.0640
   chi2.logpdf: 0.0000, quotient -0.2222
   gamma.logpdf of the half: -0.2222, quotient -0.2222
slopes in the order at 1.5
   iv(order, 0.6): 0.0000, quotient -0.2462
   ive(order, 0.6): 0.0000, quotient -0.1351
   gammainc(a, 0.6): NotImplementedError
   chi2.cdf in its degrees of freedom: NotImplementedError
END
"$folder/env/bin/python" -W ignore "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: autograd-half-a-degree-of-freedom-is-flat"
