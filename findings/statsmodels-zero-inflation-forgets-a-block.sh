#!/bin/sh
# statsmodels 0.15.0: the Hessian of ZeroInflatedPoisson's log-likelihood, where the fit ends,
# beside quotients, for counts of which a third are zeros of another kind.  Guessed: equal, as
# the scores are.  Seen: each second derivative in the share of zeros and a parameter of the
# mean is 0, where the quotients say 57 beside -40 on the diagonal; so the two are taken for
# independent, and the standard errors that are printed are too small, here by a
# sixth.  The block is computed, above the diagonal; hess_arr[tri_idx] = hess_arr.T[tri_idx],
# which is to make the matrix symmetric, then copies the lower triangle over it, where nothing
# was ever written.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check \
    statsmodels==0.15.0 numpy==2.4.6 scipy==1.17.1 pandas==3.1.1 patsy==1.0.3
cat >"$folder/ask.py" <<'END'
import numpy as np
import statsmodels
from scipy.stats import poisson
from statsmodels.discrete.count_model import ZeroInflatedPoisson
from statsmodels.tools.numdiff import approx_hess

print("statsmodels", statsmodels.__version__)
n = 400
x = np.linspace(-1, 1, n)
u, v = (np.arange(n) * 0.6180339887 % 1, np.arange(n) * 0.7548776662 % 1)
counts = np.where(u < 0.35, 0, poisson.ppf(v, np.exp(0.3 + 0.5 * x)))
model = ZeroInflatedPoisson(counts, np.stack([np.ones(n), x], axis=1), np.ones((n, 1)))


def told(words, *rows, digits=3):
    print(words)
    for row in rows:
        print("  ", *(f"{entry + 0.0:8.{digits}f}" for entry in row))


fitted = model.fit(disp=0, method="bfgs", maxiter=500)
here = model.hessian(fitted.params)
quotients = approx_hess(fitted.params, model.loglike)
told("share of zeros, mean, slope", fitted.params)
told("hessian()", *here, digits=1)
told("quotients of the log-likelihood", *quotients, digits=1)
told("standard errors that are reported", fitted.bse)
for words, matrix in (("hessian()", here), ("the quotients", quotients)):
    told(f"standard errors by {words}", np.sqrt(np.diag(np.linalg.inv(-matrix))))
END
cat >"$folder/seen" <<'END'
statsmodels 0.15.0
share of zeros, mean, slope
     -0.746    0.231    0.586
hessian()
      -40.5      0.0      0.0
        0.0   -285.1    -54.2
        0.0    -54.2   -103.3
quotients of the log-likelihood
      -40.5     56.9      1.7
       56.9   -285.1    -54.2
        1.7    -54.2   -103.3
standard errors that are reported
      0.157    0.062    0.104
standard errors by hessian()
      0.157    0.062    0.104
standard errors by the quotients
      0.188    0.075    0.105
END
"$folder/env/bin/python" -W ignore "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: statsmodels-zero-inflation-forgets-a-block"
