#!/bin/sh
# statsmodels 0.15.0: the score of the truncated count models, the gradient of their
# log-likelihood, which fit() climbs by.  Guessed: equal to quotients, in each variant p that is
# offered.  Seen: right for TruncatedLFGeneralizedPoisson with p=1 and for
# TruncatedLFNegativeBinomialP with p=2; wrong at any point for the first with p=2, its
# default, and for the second with p=1.  score_obs() makes the model of the numbers that are
# cut off anew and does not hand p on, so that it takes the default of the model within, 1 for the
# one and 2 for the other: a part of the gradient is another model's.  loglike() beside it hands
# it on.  fit() stops below the top, with a warning that it has not converged.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check \
    statsmodels==0.15.0 numpy==2.4.6 scipy==1.17.1 pandas==3.1.1 patsy==1.0.3
cat >"$folder/ask.py" <<'END'
import warnings

import numpy as np
import statsmodels
from scipy.stats import nbinom
from statsmodels.discrete import truncated_model
from statsmodels.tools.numdiff import approx_fprime

print("statsmodels", statsmodels.__version__)
warnings.simplefilter("ignore")
n = 400
x = np.linspace(-1, 1, n)
u = np.arange(n) * 0.6180339887 % 1
counts = nbinom.ppf(u, 2, 2 / (2 + np.exp(0.8 + 0.5 * x)))
point = np.array([0.7, 0.3, 0.5])


def told(words, numbers):
    print(f"   {words}:", " ".join(f"{number + 0.0:.2f}" for number in numbers))


for kind in ("TruncatedLFGeneralizedPoisson", "TruncatedLFNegativeBinomialP"):
    for power in (1, 2):
        model = getattr(truncated_model, kind)(counts, np.stack([np.ones(n), x], axis=1), p=power)
        print(f"{kind}, p={power}" + (", the default" if power == 2 else ""))
        told("score() at a point", model.score(point))
        told("quotients there", approx_fprime(point, model.loglike, centered=True))
        fitted = model.fit(disp=0, maxiter=500)
        without = model.fit(disp=0, method="nm", maxiter=5000)
        more = without.llf - fitted.llf > 0.5
        print("   without a gradient, Nelder-Mead climbs", "higher" if more else "as high")
END
cat >"$folder/seen" <<'END'
statsmodels 0.15.0
TruncatedLFGeneralizedPoisson, p=1
   score() at a point: 35.02 24.97 9.84
   quotients there: 35.02 24.97 9.84
   without a gradient, Nelder-Mead climbs as high
TruncatedLFGeneralizedPoisson, p=2, the default
   score() at a point: -72.74 14.26 -134.84
   quotients there: -17.56 12.41 -51.11
   without a gradient, Nelder-Mead climbs higher
TruncatedLFNegativeBinomialP, p=1
   score() at a point: 100.19 38.65 83.18
   quotients there: 81.44 41.57 47.27
   without a gradient, Nelder-Mead climbs higher
TruncatedLFNegativeBinomialP, p=2, the default
   score() at a point: 45.54 31.51 19.35
   quotients there: 45.54 31.51 19.35
   without a gradient, Nelder-Mead climbs as high
END
"$folder/env/bin/python" -W ignore "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: statsmodels-a-truncated-model-climbs-another-hill"
