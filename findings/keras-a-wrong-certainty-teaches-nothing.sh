#!/bin/sh
# Keras 3.15.1 on torch 2.13.0, float32: cross-entropy of a prediction that is wrong beyond
# doubt, made by sigmoid or softmax from a score.  Guessed: a large slope, 1/p of the
# prediction (some 1e7), so about -1 for the score, as in torch.  Seen: 0 from scores of
# about -16 on: predictions are clipped to [1e-7, 1 - 1e-7] first, the loss stays at 16.1 and
# an example that is most wrong teaches nothing.  At -15 the slope is -1.  The same for
# categorical and sparse categorical cross-entropy (not guessed); from_logits=True gives -1 throughout.
# Torch's own loss is right at -17; beyond -28 its slope fades too, though the loss goes on.
# (Keras on JAX 0.10.2 answers alike.)
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check \
    torch==2.13.0 keras==3.15.1 numpy==2.4.6
cat >"$folder/ask.py" <<'END'
import os

os.environ["KERAS_BACKEND"] = "torch"
import keras
import torch
from keras import losses, ops

print("keras", keras.__version__, "torch", torch.__version__.split("+")[0])
yes = torch.ones(1, 1)
pair = torch.tensor([[1.0, 0.0]])
place = torch.tensor([0])


def scores(s):
    return torch.cat([s, torch.zeros(1, 1)], 1)


asked = {
    "binary": lambda s: losses.binary_crossentropy(yes, ops.sigmoid(s)),
    "binary, logits": lambda s: losses.binary_crossentropy(yes, s, from_logits=True),
    "categorical": lambda s: losses.categorical_crossentropy(pair, ops.softmax(scores(s))),
    "sparse": lambda s: losses.sparse_categorical_crossentropy(place, ops.softmax(scores(s))),
    "torch, binary": lambda s: torch.nn.functional.binary_cross_entropy(s.sigmoid(), yes),
}
for words, loss in asked.items():
    for score in (-15.0, -17.0, -40.0):
        s = torch.tensor([[score]], requires_grad=True)
        value = loss(s).sum()
        slope = torch.autograd.grad(value, s)[0].item()
        print(f"{words}, score {score:.0f}: loss {value.item():.2f} slope {round(slope, 2) + 0.0:.2f}")
END
cat >"$folder/seen" <<'END'
keras 3.15.1 torch 2.13.0
binary, score -15: loss 15.00 slope -1.00
binary, score -17: loss 16.12 slope 0.00
binary, score -40: loss 16.12 slope 0.00
binary, logits, score -15: loss 15.00 slope -1.00
binary, logits, score -17: loss 17.00 slope -1.00
binary, logits, score -40: loss 40.00 slope -1.00
categorical, score -15: loss 15.00 slope -1.00
categorical, score -17: loss 16.12 slope 0.00
categorical, score -40: loss 16.12 slope 0.00
sparse, score -15: loss 15.00 slope -1.00
sparse, score -17: loss 16.12 slope 0.00
sparse, score -40: loss 16.12 slope 0.00
torch, binary, score -15: loss 15.00 slope -1.00
torch, binary, score -17: loss 17.00 slope -1.00
torch, binary, score -40: loss 40.00 slope 0.00
END
"$folder/env/bin/python" -W ignore "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: keras-a-wrong-certainty-teaches-nothing"
