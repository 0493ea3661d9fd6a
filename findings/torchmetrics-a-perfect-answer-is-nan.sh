#!/bin/sh
# torchmetrics 1.9.0 with torch 2.13.0: what a metric that says "differentiable" gives as
# the gradient where the prediction equals the target.  Expected: 0, or a guard as in the
# losses of most libraries.  Seen: nan for every metric that takes a root, a logarithm or an
# arc cosine last (nine of fourteen asked), a gradient of 0 or of rounding for the others.
# One entry that is met exactly is enough to lose a network when such a metric is its loss;
# RelativeAverageSpectralError is nan though its own value there is a plain 0.  And an
# angle between a picture and itself is not 0: SpectralAngleMapper, in float32, says 1e-4.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check \
    torch==2.13.0 numpy==2.4.6 torchmetrics==1.9.0
cat >"$folder/ask.py" <<'END'
import torch
import torchmetrics
from torchmetrics import image, regression

print("torch", torch.__version__.split("+")[0], "torchmetrics", torchmetrics.__version__)
numbers = torch.tensor([1.0, 2.0, 4.0])
picture = torch.arange(768.0).reshape(1, 3, 16, 16) % 97 / 97 + 0.1
asked = [
    (regression.MeanSquaredError(), numbers),
    (regression.MeanSquaredError(squared=False), numbers),
    (regression.NormalizedRootMeanSquaredError(), numbers),
    (regression.RelativeSquaredError(squared=False), numbers),
    (regression.MinkowskiDistance(p=3), numbers),
    (regression.LogCoshError(), numbers),
    (regression.MeanAbsoluteError(), numbers),
    (image.ErrorRelativeGlobalDimensionlessSynthesis(), picture),
    (image.RelativeAverageSpectralError(), picture),
    (image.RootMeanSquaredErrorUsingSlidingWindow(), picture),
    (image.SpectralAngleMapper(), picture),
    (image.PeakSignalNoiseRatio(data_range=1.0), picture),
    (image.StructuralSimilarityIndexMeasure(data_range=1.0), picture),
    (image.UniversalImageQualityIndex(), picture),
]
for metric, target in asked:
    answer = target.clone().requires_grad_()
    value = metric(answer, target.clone())
    value.sum().backward()
    largest = answer.grad.abs().max()
    told = "nan" if largest.isnan() else "0" if largest < 1e-6 else "else"
    print(type(metric).__name__, metric.is_differentiable, f"{value:.0e}", told)
END
cat >"$folder/seen" <<'END'
torch 2.13.0 torchmetrics 1.9.0
MeanSquaredError True 0e+00 0
MeanSquaredError True 0e+00 nan
NormalizedRootMeanSquaredError True 0e+00 nan
RelativeSquaredError True 0e+00 nan
MinkowskiDistance True 0e+00 nan
LogCoshError True 0e+00 0
MeanAbsoluteError True 0e+00 0
ErrorRelativeGlobalDimensionlessSynthesis True 0e+00 nan
RelativeAverageSpectralError True 0e+00 nan
RootMeanSquaredErrorUsingSlidingWindow True 0e+00 nan
SpectralAngleMapper True 1e-04 nan
PeakSignalNoiseRatio True inf nan
StructuralSimilarityIndexMeasure True 1e+00 0
UniversalImageQualityIndex True 1e+00 0
END
"$folder/env/bin/python" -W ignore "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: torchmetrics-a-perfect-answer-is-nan"
