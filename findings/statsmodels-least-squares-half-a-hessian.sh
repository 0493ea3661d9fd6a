#!/bin/sh
# statsmodels 0.15.0: hessian() of two models beside quotients of their own score(), which is
# right.  Guessed: equal, for least squares if for anything.  Seen: OLS.hessian(params), at its
# default scale=None the one of the profile log-likelihood -n/2 log(ssr), counts X'X once where
# the second derivative of ssr is twice X'X: at the solution it is half of what it should be,
# elsewhere a diagonal entry has the other sign.  With scale=1 it is right.
# NegativeBinomialP, whose variance grows as a power p of the mean: right for p=1 and p=2, wrong
# for p=1.5 in the entries of the mean with the spread, one by a factor of 3; a factor 2 - p
# stands once too often in its formula; for p=1 it is 1, and for p=2 the term is 0 anyway.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check \
    statsmodels==0.15.0 numpy==2.4.6 scipy==1.17.1 pandas==3.1.1 patsy==1.0.3
cat >"$folder/ask.py" <<'END'
import numpy as np
import statsmodels
from statsmodels.api import OLS
from statsmodels.discrete.discrete_model import NegativeBinomialP
from statsmodels.tools.numdiff import approx_fprime

print("statsmodels", statsmodels.__version__)
x = np.linspace(-1, 1, 40)
mean = np.stack([np.ones(40), x], axis=1)
answers = 1 + 2 * x + np.sin(40 * x)
counts = np.round(np.exp(1 + x + np.sin(40 * x)))


def told(words, model, point, **options):
    print(words)
    for name, matrix in (
        ("hessian()", model.hessian(point, **options)),
        (
            "quotients of score()",
            approx_fprime(point, lambda p: model.score(p, **options), centered=True),
        ),
    ):
        rows = (" ".join(f"{entry:.2f}" for entry in row) for row in matrix.round(2) + 0.0)
        print(f"   {name}: {'; '.join(rows)}")


least = OLS(answers, mean)
told("OLS at the least squares", least, least.fit().params)
told("OLS at another point", least, np.array([0.5, 1.0]))
told("OLS there, scale=1", least, np.array([0.5, 1.0]), scale=1.0)
for power in (1, 1.5, 2):
    model = NegativeBinomialP(counts, mean, p=power)
    told(f"NegativeBinomialP, p={power}", model, np.array([1.0, 0.8, 0.5]))
END
cat >"$folder/seen" <<'END'
statsmodels 0.15.0
OLS at the least squares
   hessian(): -40.61 0.00; 0.00 -14.23
   quotients of score(): -81.23 0.00; 0.00 -28.46
OLS at another point
   hessian(): -2.31 11.41; 11.41 2.59
   quotients of score(): -19.64 11.41; 11.41 -3.48
OLS there, scale=1
   hessian(): -40.00 0.00; 0.00 -14.02
   quotients of score(): -40.00 0.00; 0.00 -14.02
NegativeBinomialP, p=1
   hessian(): -73.82 -15.88 -14.14; -15.88 -26.64 -11.68; -14.14 -11.68 -15.20
   quotients of score(): -73.82 -15.88 -14.14; -15.88 -26.64 -11.68; -14.14 -11.68 -15.20
NegativeBinomialP, p=1.5
   hessian(): -64.59 -13.50 -51.90; -13.50 -23.69 -13.86; -51.90 -13.86 -19.31
   quotients of score(): -64.59 -13.50 -15.70; -13.50 -23.69 -11.10; -15.70 -11.10 -19.31
NegativeBinomialP, p=2
   hessian(): -54.85 -10.00 -18.15; -10.00 -20.22 -9.38; -18.15 -9.38 -12.84
   quotients of score(): -54.85 -10.00 -18.15; -10.00 -20.22 -9.38; -18.15 -9.38 -12.84
END
"$folder/env/bin/python" -W ignore "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: statsmodels-least-squares-half-a-hessian"
