#!/bin/sh
# PyTensor 3.0.7: the gradient of one expression, compiled without and with rewrites.
# Guessed: rewrites change the speed, so nan stays nan.  Seen: three of four are nan without
# rewrites and finite with them (fast_run, the default): switch(x > 0, sqrt(x), 0) at 0,
# 0 * log(x) at 0, log(1 + exp(x)) at 1000.  A bug that a debugger is to find (mode
# FAST_COMPILE) is not there in the fast mode, and the other way round.  sqrt(x * x) at 0 is
# nan in both.  And maximum(x, 0) has the slope 1 at 0, maximum(0, x) has 0.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check pytensor==3.0.7 numpy==2.4.6
cat >"$folder/ask.py" <<'END'
import warnings
warnings.simplefilter("ignore")
import logging
logging.disable(logging.CRITICAL)
import pytensor
import pytensor.tensor as pt
from pytensor.compile.mode import Mode
print("pytensor", pytensor.__version__)
x = pt.dscalar("x")
for words, y, at in (
    ("switch(x > 0, sqrt(x), 0)", pt.switch(x > 0, pt.sqrt(x), 0.0), 0.0),
    ("0 * log(x)", 0 * pt.log(x), 0.0),
    ("log(1 + exp(x))", pt.log(1 + pt.exp(x)), 1000.0),
    ("sqrt(x * x)", pt.sqrt(x * x), 0.0),
    ("maximum(x, 0)", pt.maximum(x, 0.0), 0.0),
    ("maximum(0, x)", pt.maximum(0.0, x), 0.0),
):
    modes = (Mode(linker="py", optimizer=how) for how in (None, "fast_run"))
    slopes = [pytensor.function([x], pytensor.grad(y, x), mode=m)(at) for m in modes]
    print(words, *map(float, slopes))
END
cat >"$folder/seen" <<'END'
pytensor 3.0.7
switch(x > 0, sqrt(x), 0) nan 0.0
0 * log(x) nan 0.0
log(1 + exp(x)) nan 1.0
sqrt(x * x) nan nan
maximum(x, 0) 1.0 1.0
maximum(0, x) 0.0 0.0
END
"$folder/env/bin/python" "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: pytensor-the-optimiser-decides-on-nan"
