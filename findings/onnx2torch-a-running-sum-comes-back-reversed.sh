#!/bin/sh
# onnx2torch 1.5.15 with torch 2.13.0: functions that go to ONNX by torch's own exporter and
# come back as PyTorch, beside themselves, some seventy.  Guessed: the same numbers, or an error.
# Seen, in silence: a running sum comes back as the sum of what follows, so that each
# entry has another's slope, and nonzero(), a row for each place, comes back transposed.
# The exporter leaves out the attribute "reverse", 0 by ONNX's default, and the converter reads
# it as get('reverse', 1); for NonZero, whose result has a column for each place, it
# calls torch.nonzero.  The reference that comes with ONNX has both right.  torchvision, which
# the package imports for three operators, is an empty module here.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check \
    torch==2.13.0 numpy==2.4.6 onnx==1.19.1 ml_dtypes==0.5.3 protobuf==6.32.0
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check --no-deps \
    onnx2torch==1.5.15
mkdir "$folder/env/torchvision"
echo "nms = deform_conv2d = roi_align = None" >"$folder/env/torchvision/ops.py"
echo "from torchvision import ops" >"$folder/env/torchvision/__init__.py"
cat >"$folder/ask.py" <<'END'
import io
import logging
from importlib.metadata import version

import onnx
import onnx.reference
import onnx2torch
import torch

logging.disable(logging.CRITICAL)
for package in ("torch", "onnx", "onnx2torch"):
    print(package, version(package).split("+")[0])


class Model(torch.nn.Module):
    def __init__(self, f):
        super().__init__()
        self.forward = f


def told(words, f, x):
    file = io.BytesIO()
    torch.onnx.export(Model(f), (x,), file, opset_version=14, dynamo=False)
    model = onnx.load_from_string(file.getvalue())
    back = onnx2torch.convert(model)
    reference = onnx.reference.ReferenceEvaluator(model)
    print(words)
    print("   torch:    ", f(x).tolist())
    print("   reference:", reference.run(None, {reference.input_names[0]: x.numpy()})[0].tolist())
    print("   come back:", back(x).tolist())
    if f(x).is_floating_point():
        weights = torch.tensor([1.0, 10.0, 100.0, 1000.0])
        for name, g in (("torch", f), ("come back", back)):
            y = x.clone().requires_grad_()
            slopes = torch.autograd.grad((g(y) * weights).sum(), y)[0].tolist()
            print(f"   slopes, {name}:", slopes)


told("a product", lambda x: x * x[0], torch.tensor([1.0, 2.0, 3.0, 4.0]))
told("cumsum", lambda x: x.cumsum(0), torch.tensor([1.0, 2.0, 3.0, 4.0]))
told("cumsum of the flipped", lambda x: x.flip(0).cumsum(0).flip(0), torch.arange(1.0, 5.0))
told("nonzero", lambda x: x.nonzero(), torch.tensor([[1.0, 0.0], [2.0, 3.0]]))
END
cat >"$folder/seen" <<'END'
torch 2.13.0
onnx 1.19.1
onnx2torch 1.5.15
a product
   torch:     [1.0, 2.0, 3.0, 4.0]
   reference: [1.0, 2.0, 3.0, 4.0]
   come back: [1.0, 2.0, 3.0, 4.0]
   slopes, torch: [4322.0, 10.0, 100.0, 1000.0]
   slopes, come back: [4322.0, 10.0, 100.0, 1000.0]
cumsum
   torch:     [1.0, 3.0, 6.0, 10.0]
   reference: [1.0, 3.0, 6.0, 10.0]
   come back: [10.0, 9.0, 7.0, 4.0]
   slopes, torch: [1111.0, 1110.0, 1100.0, 1000.0]
   slopes, come back: [1.0, 11.0, 111.0, 1111.0]
cumsum of the flipped
   torch:     [10.0, 9.0, 7.0, 4.0]
   reference: [10.0, 9.0, 7.0, 4.0]
   come back: [1.0, 3.0, 6.0, 10.0]
   slopes, torch: [1.0, 11.0, 111.0, 1111.0]
   slopes, come back: [1111.0, 1110.0, 1100.0, 1000.0]
nonzero
   torch:     [[0, 0], [1, 0], [1, 1]]
   reference: [[0, 0], [1, 0], [1, 1]]
   come back: [[0, 1, 1], [0, 0, 1]]
END
PYTHONPATH=$folder/env "$folder/env/bin/python" -W ignore "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: onnx2torch-a-running-sum-comes-back-reversed"
