#!/bin/sh
# autograd 1.9.1 (HIPS): the gradient of a weighted sum of tile() and of kron(), beside
# quotients.  Guessed: right for every shape.  Seen: tile(square, 2) repeats the
# columns, as NumPy's does, and its gradient is summed over the rows, wrong in silence; so is
# the one of a cube by (1, 2).  The rule counts the repetitions from the first axis,
# "for axis, rep in enumerate(reps)", and NumPy from the last.  Where the rows cannot be
# halved it raises, an error about a split; with as many repetitions as axes it is right, and
# for a vector.  kron() of two matrices is right, of two arrays with three axes wrong.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check \
    autograd==1.9.1 numpy==2.4.6 scipy==1.17.1
cat >"$folder/ask.py" <<'END'
from importlib.metadata import version

import autograd.numpy as np
import numpy
from autograd import grad

print("autograd", version("autograd"))


def quotients(f, x):
    entries = numpy.zeros_like(x)
    for place in numpy.ndindex(*x.shape):
        step = numpy.zeros_like(x)
        step[place] = 1e-3
        entries[place] = (f(x + step) - f(x - step)) / 2e-3
    return entries


def told(words, f, x):
    def total(x):
        y = f(x)
        return np.sum(numpy.arange(1.0, y.size + 1).reshape(y.shape) * y)

    true = quotients(total, x)
    try:
        given = grad(total)(x)
    except ValueError as error:
        print(f"{words}: ValueError, {error}")
        return
    right = "right" if numpy.allclose(given, true, rtol=1e-6) else "wrong"
    print(f"{words}: {right}, {given.round(3).tolist()}, quotients {true.round(3).tolist()}")


vector, square = numpy.array([1.0, 2.0]), numpy.array([[1.0, 2.0], [3.0, 4.0]])
told("tile(vector, 2)", lambda x: np.tile(x, 2), vector)
told("tile(square, 2)", lambda x: np.tile(x, 2), square)
told("tile(square, (1, 2))", lambda x: np.tile(x, (1, 2)), square)
told("tile(row, 2)", lambda x: np.tile(x, 2), square[:1])
told("tile(cube, (1, 2))", lambda x: np.tile(x, (1, 2)), square.reshape(1, 2, 2))
told("tile(cube, (1, 1, 2))", lambda x: np.tile(x, (1, 1, 2)), square.reshape(1, 2, 2))
other = numpy.array([[1.0, 0.5], [2.0, -1.0]])
told("kron(square, other)", lambda x: np.kron(x, other), square)
cube = other.reshape(2, 2, 1)
told("kron(a cube, another)", lambda x: np.kron(x, cube), square.reshape(2, 1, 2))
END
cat >"$folder/seen" <<'END'
autograd 1.9.1
tile(vector, 2): right, [4.0, 6.0], quotients [4.0, 6.0]
tile(square, 2): wrong, [[6.0, 8.0], [10.0, 12.0]], quotients [[4.0, 6.0], [12.0, 14.0]]
tile(square, (1, 2)): right, [[4.0, 6.0], [12.0, 14.0]], quotients [[4.0, 6.0], [12.0, 14.0]]
tile(row, 2): ValueError, array split does not result in an equal division
tile(cube, (1, 2)): wrong, [[[6.0, 8.0], [10.0, 12.0]]], quotients [[[4.0, 6.0], [12.0, 14.0]]]
tile(cube, (1, 1, 2)): right, [[[4.0, 6.0], [12.0, 14.0]]], quotients [[[4.0, 6.0], [12.0, 14.0]]]
kron(square, other): right, [[6.0, 11.0], [26.0, 31.0]], quotients [[6.0, 11.0], [26.0, 31.0]]
kron(a cube, another): wrong, [[[6.0, 11.0]], [[26.0, 31.0]]], quotients [[[5.5, 8.0]], [[25.5, 28.0]]]
END
"$folder/env/bin/python" -W ignore "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: autograd-a-tile-is-summed-along-another-axis"
