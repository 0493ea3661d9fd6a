#!/bin/sh
# torch 2.13.0: gradcheck of an elementwise square whose backward pass multiplies the slope
# of one entry by a factor, in float64, at each of 100 places.  Guessed of fast_mode=True:
# one entry of 1000 that is wrong by 10 % is found, as it is without.  Seen: it passes at
# each place, with the factor 3 at 85 of 100, and with the factor 100 still at 5.  Fast mode
# compares one number, the sum of the slopes with random weights, and widens the absolute
# tolerance by the product of the sums of these weights, which grows with the number of
# entries.  The slow mode refuses the factor 1.002.  Where a sum is the only output, a tenth
# passes at each place as well.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check \
    torch==2.13.0 numpy==2.4.6
cat >"$folder/ask.py" <<'END'
import torch

print("torch", torch.__version__.split("+")[0])


class Square(torch.autograd.Function):
    place, factor = 0, 1.0

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**2

    @staticmethod
    def backward(ctx, upstream):
        slopes = 2 * ctx.saved_tensors[0]
        slopes[Square.place] *= Square.factor
        return upstream * slopes


def passes(f, entries, place, factor, fast):
    x = torch.linspace(1, 2, entries, dtype=torch.float64).requires_grad_()
    Square.place, Square.factor = place, factor
    return torch.autograd.gradcheck(f, (x,), fast_mode=fast, raise_exception=False)


def counted(f, entries, factor):
    places = range(0, entries, max(1, entries // 100))
    return f"{sum(passes(f, entries, place, factor, True) for place in places)} of {len(places)}"


print("slow, 1000 entries, factor 1:", passes(Square.apply, 1000, 500, 1.0, False))
for place in (0, 500, 999):
    print(f"slow, factor 1.002 at {place}:", passes(Square.apply, 1000, place, 1.002, False))
for entries in (10, 100, 1000):
    for factor in (1.0, 1.1, 3.0, 100.0):
        passed = counted(Square.apply, entries, factor)
        print(f"fast, {entries} entries, factor {factor}: passes at {passed} places")
for factor in (1.1, 3.0):
    passed = counted(lambda x: Square.apply(x).sum(), 1000, factor)
    print(f"fast, the sum of 1000, factor {factor}: passes at {passed} places")
END
cat >"$folder/seen" <<'END'
torch 2.13.0
slow, 1000 entries, factor 1: True
slow, factor 1.002 at 0: False
slow, factor 1.002 at 500: False
slow, factor 1.002 at 999: False
fast, 10 entries, factor 1.0: passes at 10 of 10 places
fast, 10 entries, factor 1.1: passes at 1 of 10 places
fast, 10 entries, factor 3.0: passes at 0 of 10 places
fast, 10 entries, factor 100.0: passes at 0 of 10 places
fast, 100 entries, factor 1.0: passes at 100 of 100 places
fast, 100 entries, factor 1.1: passes at 68 of 100 places
fast, 100 entries, factor 3.0: passes at 8 of 100 places
fast, 100 entries, factor 100.0: passes at 0 of 100 places
fast, 1000 entries, factor 1.0: passes at 100 of 100 places
fast, 1000 entries, factor 1.1: passes at 100 of 100 places
fast, 1000 entries, factor 3.0: passes at 85 of 100 places
fast, 1000 entries, factor 100.0: passes at 5 of 100 places
fast, the sum of 1000, factor 1.1: passes at 100 of 100 places
fast, the sum of 1000, factor 3.0: passes at 24 of 100 places
END
"$folder/env/bin/python" -W ignore "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: torch-gradcheck-in-fast-mode-and-one-wrong-entry"
