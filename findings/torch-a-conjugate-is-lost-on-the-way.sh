#!/bin/sh
# torch 2.13.0 and safetensors 0.8.0: a conjugate (which torch only marks, and computes when
# it is needed), its imaginary part, and a complex gradient, saved, sent and lent.  Guessed:
# each comes back as it was, or an error, as numpy() raises one.  Seen: torch.save keeps all
# three; safetensors and a pipe of torch.multiprocessing drop the mark in silence, so that a
# number comes back as its conjugate and an imaginary part with the other sign.  Both copy
# the bytes by address.  DLPack refuses the conjugate and lends the imaginary part negated.
# The gradient of Re(conj(p) c) carries the mark without anybody's asking: what another
# process or a file gets of it points another way.  resolve_conj() or resolve_neg() first.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check \
    torch==2.13.0 numpy==2.4.6 safetensors==0.8.0
cat >"$folder/ask.py" <<'END'
import io

import numpy
import safetensors
import torch
from safetensors.torch import load, save
from torch import multiprocessing

print("torch", torch.__version__.split("+")[0], "safetensors", safetensors.__version__)
here, there = multiprocessing.Pipe()


def sent(x):
    here.send(x)
    return there.recv().clone()


def pickled(x):
    file = io.BytesIO()
    torch.save(x, file)
    file.seek(0)
    return torch.load(file)


def through(words, x):
    print(f"{words}: {x.resolve_conj().resolve_neg().tolist()}")
    for name, way in {
        "torch.save": pickled,
        "safetensors": lambda x: load(save({"x": x}))["x"],
        "a pipe of torch.multiprocessing": sent,
        "numpy.from_dlpack": lambda x: torch.tensor(numpy.from_dlpack(x)),
        "x.numpy": lambda x: torch.tensor(x.numpy()),
    }.items():
        try:
            y = way(x)
            print(f"   {name}:", "as it was" if torch.equal(x, y) else y.tolist())
        except (BufferError, RuntimeError) as error:
            print(f"   {name}: {type(error).__name__}")


z = torch.tensor([1 + 2j])
through("a conjugate", z.conj())
through("its imaginary part", z.conj().imag)
p = torch.nn.Parameter(z)
(p.conj() * (4 - 3j)).real.sum().backward()
through("a gradient of Re(conj(p) c)", p.grad)
END
cat >"$folder/seen" <<'END'
torch 2.13.0 safetensors 0.8.0
a conjugate: [(1-2j)]
   torch.save: as it was
   safetensors: [(1+2j)]
   a pipe of torch.multiprocessing: [(1+2j)]
   numpy.from_dlpack: BufferError
   x.numpy: RuntimeError
its imaginary part: [-2.0]
   torch.save: as it was
   safetensors: [2.0]
   a pipe of torch.multiprocessing: [2.0]
   numpy.from_dlpack: [2.0]
   x.numpy: RuntimeError
a gradient of Re(conj(p) c): [(4-3j)]
   torch.save: as it was
   safetensors: [(4+3j)]
   a pipe of torch.multiprocessing: [(4+3j)]
   numpy.from_dlpack: BufferError
   x.numpy: RuntimeError
END
"$folder/env/bin/python" -W ignore "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: torch-a-conjugate-is-lost-on-the-way"
