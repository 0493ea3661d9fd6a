#!/bin/sh
# torch 2.13.0, torch.onnx.export with onnxscript 0.7.2, run in ONNX Runtime 1.32.0: single
# functions before and after.  Guessed, of some 280: the same numbers, or a refusal, as for
# thirty of them.  Seen: the label_smoothing of cross_entropy and the divisor_override of
# avg_pool2d are left out, in silence ("this was ignored due to ONNX not support", says a
# comment; and "TODO").  logsigmoid, and the binary cross-entropy from scores, which are
# there so that a large score stays finite, are exported as log(sigmoid(x)) and are infinite at
# -120.  A row of attention that sees nothing gives 0 in torch and a mean of all in the export.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check \
    torch==2.13.0 numpy==2.4.6 onnx==1.23.2 onnxscript==0.7.2 onnxruntime==1.32.0
cat >"$folder/ask.py" <<'END'
import contextlib
import io
import logging

import numpy as np
import onnxruntime
import torch
from torch.nn import functional as F

print("torch", torch.__version__.split("+")[0], "onnxruntime", onnxruntime.__version__)
logging.disable(logging.CRITICAL)
scores = torch.tensor([[0.5, -1.0, 2.0], [1.0, 0.0, -60.0]])
targets = torch.tensor([0, 1])
picture = torch.arange(16.0).reshape(1, 1, 4, 4)
queries = torch.tensor([[[[1.0, 0.0], [0.0, 2.0]]]])
nothing_first = torch.tensor([[False, False], [True, True]])


class Called(torch.nn.Module):
    def __init__(self, f):
        super().__init__()
        self.f = f

    def forward(self, x):
        return self.f(x)


def told(words, f, x):
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        exported = torch.onnx.export(Called(f), (x,), verbose=False)
    session = onnxruntime.InferenceSession(exported.model_proto.SerializeToString())
    (y,) = session.run(None, {session.get_inputs()[0].name: x.numpy()})
    print(words)
    for name, numbers in (("torch", f(x).numpy()), ("exported", y)):
        print(f"   {name}:", *(f"{number + 0.0:.4f}" for number in np.ravel(numbers)))


told("cross_entropy", lambda x: F.cross_entropy(x, targets), scores)
told(
    "... label_smoothing=0.2",
    lambda x: F.cross_entropy(x, targets, label_smoothing=0.2),
    scores,
)
told("avg_pool2d, 2 by 2", lambda x: F.avg_pool2d(x, 2), picture)
told("... divisor_override=1", lambda x: F.avg_pool2d(x, 2, divisor_override=1), picture)
told("logsigmoid", F.logsigmoid, scores * 2)
told(
    "binary_cross_entropy_with_logits",
    lambda x: F.binary_cross_entropy_with_logits(x, torch.ones(2, 3)),
    scores * 2,
)
told(
    "scaled_dot_product_attention, a first row that sees nothing",
    lambda x: F.scaled_dot_product_attention(x, x, x, attn_mask=nothing_first),
    queries,
)
END
cat >"$folder/seen" <<'END'
torch 2.13.0 onnxruntime 1.32.0
cross_entropy
   torch: 1.5273
   exported: 1.5273
... label_smoothing=0.2
   torch: 3.4940
   exported: 1.5273
avg_pool2d, 2 by 2
   torch: 2.5000 4.5000 10.5000 12.5000
   exported: 2.5000 4.5000 10.5000 12.5000
... divisor_override=1
   torch: 10.0000 18.0000 42.0000 50.0000
   exported: 2.5000 4.5000 10.5000 12.5000
logsigmoid
   torch: -0.3133 -2.1269 -0.0181 -0.1269 -0.6931 -120.0000
   exported: -0.3133 -2.1269 -0.0181 -0.1269 -0.6931 -inf
binary_cross_entropy_with_logits
   torch: 20.5464
   exported: inf
scaled_dot_product_attention, a first row that sees nothing
   torch: 0.0000 0.0000 0.0558 1.8884
   exported: 0.5000 1.0000 0.0558 1.8884
END
"$folder/env/bin/python" -W ignore "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: torch-an-exported-loss-is-not-smoothed"
