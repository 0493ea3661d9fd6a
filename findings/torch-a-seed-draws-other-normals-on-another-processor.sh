#!/bin/sh
# torch 2.13.0 on x86-64 with AVX2 or AVX-512: normal draws from one seed, as this processor
# makes them and as torch's plainest path makes them (ATEN_CPU_CAPABILITY=default, what an older
# processor gets).  Expected: the same bits, as the generator counts in whole numbers; where
# machines differ, sums and products do it, whose order changes.  Seen: from 16 numbers on, a
# float32 randn has other last digits in more than a quarter of them, as log, sine and cosine
# are other ones, and near 0 a draw is another one by 3 in a thousand; 15 numbers, float64, rand,
# randint and randperm are the same to the bit.
# Met at work: digits drawn in float32, three hundred steps of training on them in float64, and
# the third digit of a trained network's score was that of the processor.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check \
    torch==2.13.0 numpy==2.4.6
cat >"$folder/draw.py" <<'END'
import sys

import torch

ways = {
    "randn, float32": lambda n: torch.randn(n),
    "randn, float64": lambda n: torch.randn(n, dtype=torch.float64),
    "rand, float32": lambda n: torch.rand(n),
    "randint": lambda n: torch.randint(1000, (n,)),
    "randperm": lambda n: torch.randperm(n),
}
drawn = {}
for name, draw in ways.items():
    for n in (15, 16, 100_000):
        torch.manual_seed(0)
        drawn[f"{name}, {n} numbers"] = draw(n)
if sys.argv[1:] == ["plain"]:
    assert torch.backends.cpu.get_cpu_capability() == "DEFAULT"
    torch.save(drawn, "plain")
else:
    assert torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512"), "an old processor"
    print("torch", torch.__version__.split("+")[0])
    for name, plain in torch.load("plain").items():
        other = plain != drawn[name]
        share = "a quarter to a half" if 0.25 < other.double().mean() < 0.5 else f"{other.sum()}"
        print(f"{name}: {'the same' if not other.any() else f'other in {share} of them'}")
    plain = torch.load("plain")["randn, float32, 100000 numbers"]
    apart = (drawn["randn, float32, 100000 numbers"] - plain).abs()
    print(f"furthest apart: {apart.max():.0e}, and to the draw itself {(apart / plain.abs()).max():.0e}")
END
cat >"$folder/seen" <<'END'
torch 2.13.0
randn, float32, 15 numbers: the same
randn, float32, 16 numbers: other in a quarter to a half of them
randn, float32, 100000 numbers: other in a quarter to a half of them
randn, float64, 15 numbers: the same
randn, float64, 16 numbers: the same
randn, float64, 100000 numbers: the same
rand, float32, 15 numbers: the same
rand, float32, 16 numbers: the same
rand, float32, 100000 numbers: the same
randint, 15 numbers: the same
randint, 16 numbers: the same
randint, 100000 numbers: the same
randperm, 15 numbers: the same
randperm, 16 numbers: the same
randperm, 100000 numbers: the same
furthest apart: 2e-06, and to the draw itself 3e-03
END
cd "$folder"
ATEN_CPU_CAPABILITY=default env/bin/python draw.py plain
env/bin/python draw.py | diff seen -
echo "as seen: torch-a-seed-draws-other-normals-on-another-processor"
