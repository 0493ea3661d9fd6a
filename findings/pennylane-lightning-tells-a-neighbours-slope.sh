#!/bin/sh
# PennyLane 0.45.1 with its simulator lightning.qubit 0.45.0, by its default way to a gradient,
# beside default.qubit and the parameter-shift rule.  Guessed: equal for every gate that
# is accepted, or an error.  Seen: equal for 76 gates with an angle; with OrbitalRotation, or after
# a DiagonalQubitUnitary of fixed numbers, the values are equal and all slopes are 0, those of
# the other gates too, in silence.  One angle alone gets its own slope before such a gate, and
# from it on the slope of the next gate's angle; the last gets 0.  These gates are handed to
# the C++ code as a matrix with params.append([]), while trainable_params goes on counting
# their parameter: what is looked up afterwards stands one place further.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check \
    pennylane==0.45.1 pennylane-lightning==0.45.0 autograd==1.8.0 autoray==0.8.4 numpy==2.4.6 \
    scipy==1.17.1
cat >"$folder/ask.py" <<'END'
from importlib.metadata import version

import pennylane as qml
from pennylane import numpy as np

print("pennylane", version("pennylane"), "lightning", version("pennylane-lightning"))
angles = [0.3, 0.37, 0.6, 0.9]


def double(angle):
    qml.DoubleExcitation(angle, wires=range(4))


def orbital(angle):
    qml.OrbitalRotation(angle, wires=range(4))


def diagonal(angle):
    qml.DiagonalQubitUnitary(np.array([1, 1j, -1, 1], requires_grad=False), wires=(0, 1))
    qml.RY(angle, wires=1)


def slopes(gate, device, learnt, **options):
    @qml.qnode(qml.device(device, wires=4), **options)
    def circuit(x):
        at = dict(zip(learnt, x))
        a, b, c, d = (at.get(i, angle) for i, angle in enumerate(angles))
        for wire in range(4):
            qml.RY(0.3 + 0.2 * wire, wires=wire)
        qml.RX(a, wires=1)
        gate(b)
        qml.RY(c, wires=0)
        qml.RY(d, wires=1)
        return qml.expval(qml.PauliZ(0) @ qml.PauliX(1))

    start = np.array([angles[i] for i in learnt], requires_grad=True)
    return qml.grad(circuit)(start).tolist()


for gate in (double, orbital, diagonal):
    print(gate.__name__)
    for words, options in (
        ("default.qubit", {}),
        ("lightning.qubit", {"diff_method": "parameter-shift"}),
        ("lightning.qubit", {}),
    ):
        together = slopes(gate, words, (0, 1, 2, 3), **options)
        alone = [slopes(gate, words, (i,), **options)[0] for i in range(4)]
        print("  ", words, *options.values())
        for name, numbers in (("four angles", together), ("each alone", alone)):
            print(f"      {name}:", *(f"{round(number, 4) + 0.0:.4f}" for number in numbers))
END
cat >"$folder/seen" <<'END'
pennylane 0.45.1 lightning 0.45.0
double
   default.qubit
      four angles: -0.1244 -0.0342 -0.7593 0.1168
      each alone: -0.1244 -0.0342 -0.7593 0.1168
   lightning.qubit parameter-shift
      four angles: -0.1244 -0.0342 -0.7593 0.1168
      each alone: -0.1244 -0.0342 -0.7593 0.1168
   lightning.qubit
      four angles: -0.1244 -0.0342 -0.7593 0.1168
      each alone: -0.1244 -0.0342 -0.7593 0.1168
orbital
   default.qubit
      four angles: -0.1322 -0.2266 -0.8117 -0.0253
      each alone: -0.1322 -0.2266 -0.8117 -0.0253
   lightning.qubit parameter-shift
      four angles: -0.1322 -0.2266 -0.8117 -0.0253
      each alone: -0.1322 -0.2266 -0.8117 -0.0253
   lightning.qubit
      four angles: 0.0000 0.0000 0.0000 0.0000
      each alone: -0.1322 -0.8117 -0.0253 0.0000
diagonal
   default.qubit
      four angles: 0.0052 0.0505 -0.2700 0.0505
      each alone: 0.0052 0.0505 -0.2700 0.0505
   lightning.qubit parameter-shift
      four angles: 0.0052 0.0505 -0.2700 0.0505
      each alone: 0.0052 0.0505 -0.2700 0.0505
   lightning.qubit
      four angles: 0.0000 0.0000 0.0000 0.0000
      each alone: 0.0052 -0.2700 0.0505 0.0000
END
"$folder/env/bin/python" -W ignore "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: pennylane-lightning-tells-a-neighbours-slope"
