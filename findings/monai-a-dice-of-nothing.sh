#!/bin/sh
# monai 1.6.1 with torch 2.13.0: DiceLoss and its kin where a picture of 256 pixels holds
# nothing to be found, the usual case for most slices of a scan.  Expected: a large slope
# where something is predicted wrongly, and about 0 where the prediction is right.  Seen,
# the other way round: all pixels at 0.5, wrong, give a loss of 1 and a slope of 6e-10 each;
# all pixels at 0, right, give a loss of 0 and a slope of 100,000 each.  The smoothing of
# 1e-5 keeps 0/0 away, and is itself all that is left there: the loss climbs from 0 to 1
# within about 1e-6 of a pixel.  GeneralizedDiceLoss tells an empty picture nothing at all
# (0 and 0), FocalLoss what one had expected of all of them.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check \
    torch==2.13.0 numpy==2.4.6 monai==1.6.1
cat >"$folder/ask.py" <<'END'
import monai
import torch
from monai.losses import DiceLoss, FocalLoss, GeneralizedDiceLoss, TverskyLoss

print("torch", torch.__version__.split("+")[0], "monai", monai.__version__)
nothing = torch.zeros(1, 1, 16, 16)
for loss in (DiceLoss(), TverskyLoss(), GeneralizedDiceLoss()):
    for height in (0.5, 0.01, 0.0):
        predicted = torch.full_like(nothing, height).requires_grad_()
        value = loss(predicted, nothing)
        value.backward()
        slope = predicted.grad.max()
        print(f"{type(loss).__name__} at {height}: loss {value:.4f}, slope {slope:.0e}")
for logit in (0.0, -5.0):
    predicted = torch.full_like(nothing, logit).requires_grad_()
    value = FocalLoss()(predicted, nothing)
    value.backward()
    slope = predicted.grad.max()
    print(f"FocalLoss at a logit of {logit}: loss {value:.4f}, slope {slope:.0e}")
END
cat >"$folder/seen" <<'END'
torch 2.13.0 monai 1.6.1
DiceLoss at 0.5: loss 1.0000, slope 6e-10
DiceLoss at 0.01: loss 1.0000, slope 2e-06
DiceLoss at 0.0: loss 0.0000, slope 1e+05
TverskyLoss at 0.5: loss 1.0000, slope 1e-09
TverskyLoss at 0.01: loss 1.0000, slope 3e-06
TverskyLoss at 0.0: loss 0.0000, slope 5e+04
GeneralizedDiceLoss at 0.5: loss 0.0000, slope 0e+00
GeneralizedDiceLoss at 0.01: loss 0.0000, slope 0e+00
GeneralizedDiceLoss at 0.0: loss 0.0000, slope 0e+00
FocalLoss at a logit of 0.0: loss 0.1733, slope 1e-03
FocalLoss at a logit of -5.0: loss 0.0000, slope 4e-09
END
"$folder/env/bin/python" -W ignore "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: monai-a-dice-of-nothing"
