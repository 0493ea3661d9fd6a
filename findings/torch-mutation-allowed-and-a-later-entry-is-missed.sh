#!/bin/sh
# torch 2.13.0: allow_mutation_on_saved_tensors(), under which, says its documentation, what
# was saved for the backward pass is cloned when it is changed.  A state of three entries; one
# entry, or a slice, is squared, and then the state is changed in place.  Guessed: the slope
# at the old state wherever the entry stands, or the usual error.  Seen: right for the first
# entry; for a later one, and for a slice that starts later, the slope at the new state, in
# silence.  The other way round too: the state is saved, and a later entry of it is changed.
# A saved tensor is known again by the address where it starts, and no overlap is looked for;
# the comparison that raises without the mode is not made within it.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check \
    torch==2.13.0 numpy==2.4.6
cat >"$folder/ask.py" <<'END'
from contextlib import nullcontext

import torch
from torch.autograd.graph import allow_mutation_on_saved_tensors

print("torch", torch.__version__.split("+")[0])


def slopes(mode, save, change):
    x = torch.tensor([2.0, 3.0, 4.0], requires_grad=True)
    with mode():
        state = x * 1
        squares = save(state) ** 2
        change(state)
        try:
            return torch.autograd.grad(squares.sum(), x)[0].tolist()
        except RuntimeError as error:
            return type(error).__name__


def itself(state):
    return state


def nothing(state):
    pass


def whole(state):
    state.mul_(10)


for words, save, change in (
    ("state saved, state changed", itself, whole),
    ("first entry saved, state changed", lambda state: state[0], whole),
    ("second entry saved, state changed", lambda state: state[1], whole),
    ("later slice saved, state changed", lambda state: state[1:], whole),
    ("state saved, first entry changed", itself, lambda state: state[0].mul_(10)),
    ("state saved, second entry changed", itself, lambda state: state[1].mul_(10)),
    ("second entry cloned, state changed", lambda state: state[1].clone(), whole),
):
    print(words)
    print("   unchanged", slopes(nullcontext, save, nothing))
    print("   in the mode", slopes(allow_mutation_on_saved_tensors, save, change))
    print("   without it", slopes(nullcontext, save, change))
END
cat >"$folder/seen" <<'END'
torch 2.13.0
state saved, state changed
   unchanged [4.0, 6.0, 8.0]
   in the mode [4.0, 6.0, 8.0]
   without it RuntimeError
first entry saved, state changed
   unchanged [4.0, 0.0, 0.0]
   in the mode [4.0, 0.0, 0.0]
   without it RuntimeError
second entry saved, state changed
   unchanged [0.0, 6.0, 0.0]
   in the mode [0.0, 60.0, 0.0]
   without it RuntimeError
later slice saved, state changed
   unchanged [0.0, 6.0, 8.0]
   in the mode [0.0, 60.0, 80.0]
   without it RuntimeError
state saved, first entry changed
   unchanged [4.0, 6.0, 8.0]
   in the mode [4.0, 6.0, 8.0]
   without it RuntimeError
state saved, second entry changed
   unchanged [4.0, 6.0, 8.0]
   in the mode [4.0, 60.0, 8.0]
   without it RuntimeError
second entry cloned, state changed
   unchanged [0.0, 6.0, 0.0]
   in the mode [0.0, 6.0, 0.0]
   without it [0.0, 6.0, 0.0]
END
"$folder/env/bin/python" -W ignore "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: torch-mutation-allowed-and-a-later-entry-is-missed"
