#!/bin/sh
# MyGrad 2.5.0: maximum(x, y) at a tie.  Guessed: 1/2 to each, or all to one of the two.
# Seen: nothing to either, so maximum(x, x), which is x, has the slope 0; max over an array
# does send 1, to the first of the equal entries.  Also: backward() a second time on one
# result: guessed an error, or twice the gradient; seen the same gradient again, since each
# call starts from nothing.  And backward() from a tensor of whole numbers: guessed an error;
# seen silence and no gradient, since such a tensor is a constant.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check mygrad==2.5.0 numpy==2.4.6
cat >"$folder/ask.py" <<'END'
from importlib.metadata import version
import mygrad as mg
print("mygrad", version("mygrad"))
x, y = mg.tensor(3.0), mg.tensor(3.0)
mg.maximum(x, y).backward()
print("maximum(x, y)", x.grad, y.grad)
x = mg.tensor([3.0, 4.0])
mg.maximum(x, x).sum().backward()
print("maximum(x, x)", x.grad)
x = mg.tensor([1.0, 3.0, 3.0])
mg.max(x).backward()
print("max", x.grad)
x = mg.tensor(2.0)
square = x * x
for times in ("once", "twice"):
    square.backward()
    print("backward", times, x.grad)
x = mg.tensor(2)
(x * x).backward()
print("a whole number", x.grad, "constant:", x.constant)
END
cat >"$folder/seen" <<'END'
mygrad 2.5.0
maximum(x, y) 0.0 0.0
maximum(x, x) [0. 0.]
max [0. 1. 0.]
backward once 4.0
backward twice 4.0
a whole number None constant: True
END
"$folder/env/bin/python" "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: mygrad-a-tie-loses-the-gradient"
