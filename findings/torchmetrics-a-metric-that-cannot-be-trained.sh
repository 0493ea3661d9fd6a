#!/bin/sh
# torchmetrics 1.9.0 with torch 2.13.0: VisualInformationFidelity says of itself that it is
# differentiable, and its value has a grad_fn.  Expected: a gradient with respect to either
# picture.  Seen: its backward pass raises for both, on two ordinary pictures: the quotient
# g was saved for the backward pass, and later its entries behind three masks are set to
# zero in place (version 3; expected version 0).  Those lines run whether a mask
# holds anything or not, so no picture escapes.  Structural similarity, beside it, trains.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check \
    torch==2.13.0 numpy==2.4.6 torchmetrics==1.9.0
cat >"$folder/ask.py" <<'END'
import torch
import torchmetrics
from torchmetrics import image

print("torch", torch.__version__.split("+")[0], "torchmetrics", torchmetrics.__version__)
rows = torch.arange(64, dtype=torch.float64)
first = 0.5 + 0.3 * torch.sin(0.9 * rows)[:, None] * torch.cos(0.7 * rows)
second = 0.9 * first + 0.04 * torch.sin(2.1 * rows)
for metric in (image.VisualInformationFidelity(), image.StructuralSimilarityIndexMeasure()):
    for place, name in enumerate(("preds", "target")):
        pair = [first[None, None].clone(), second[None, None].clone()]
        leaf = pair[place].requires_grad_()
        metric.reset()
        value = metric(*pair)
        try:
            value.backward()
            told = f"gradient, finite: {bool(leaf.grad.isfinite().all())}"
        except RuntimeError as error:
            told = str(error).split(";")[0].split("output")[1]
        print(type(metric).__name__, metric.is_differentiable, name, value.requires_grad, told)
END
cat >"$folder/seen" <<'END'
torch 2.13.0 torchmetrics 1.9.0
VisualInformationFidelity True preds True  0 of IndexPut, is at version 3
VisualInformationFidelity True target True  0 of IndexPut, is at version 3
StructuralSimilarityIndexMeasure True preds True gradient, finite: True
StructuralSimilarityIndexMeasure True target True gradient, finite: True
END
"$folder/env/bin/python" -W ignore "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: torchmetrics-a-metric-that-cannot-be-trained"
