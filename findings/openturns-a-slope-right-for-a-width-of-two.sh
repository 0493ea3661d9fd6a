#!/bin/sh
# OpenTURNS 1.27.post1: the gradients of densities and distribution functions in the
# distribution's own parameters, computePDFGradient and computeCDFGradient, beside quotients,
# for some fifty distributions.  Guessed: right, or an error.  Seen: SmoothedUniform(a, b,
# sigma), a uniform number plus a normal one, has the density's slope in sigma wrong by the
# factor (b - a) / 2, in silence: right on the default interval from -1 to 1, as on any of width
# two, and five times too large from -1 to 9.  Its distribution function beside it is right.
# Pareto's distribution function has nan in its third parameter, a shift, at each point that was
# asked, where its density has the right number.  The others are right, those by
# integration to some per cent.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check \
    openturns==1.27.post1 dill==0.4.1 psutil==7.2.2
cat >"$folder/ask.py" <<'END'
import openturns as ot

ot.Log.Show(ot.Log.NONE)
print("OpenTURNS", ot.__version__)


def told(words, made, numbers, x, names=("PDF", "CDF")):
    print(words)
    for name in names:
        told = getattr(made(*numbers), f"compute{name}Gradient")([x])
        quotients = []
        for i in range(len(numbers)):
            ends = []
            for step in (1e-4, -1e-4):
                moved = [n + step * (k == i) for k, n in enumerate(numbers)]
                ends.append(getattr(made(*moved), f"compute{name}")([x]))
            quotients.append((ends[0] - ends[1]) / 2e-4)
        for word, slopes in (("Gradient", told), (" quotients", quotients)):
            print(f"   {name}{word}:", *(f"{slope + 0.0:.4f}" for slope in slopes))


for a, b in ((-1.0, 1.0), (-1.0, 2.0), (-1.0, 9.0)):
    told(f"SmoothedUniform({a}, {b}, 0.5) at 0.3", ot.SmoothedUniform, (a, b, 0.5), 0.3)
told("Pareto(1.2, 2.3, 0.1) at 2", ot.Pareto, (1.2, 2.3, 0.1), 2.0)
END
cat >"$folder/seen" <<'END'
OpenTURNS 1.27.post1
SmoothedUniform(-1.0, 1.0, 0.5) at 0.3
   PDFGradient: 0.2151 -0.0789 -0.2449
   PDF quotients: 0.2151 -0.0789 -0.2449
   CDFGradient: -0.1771 -0.2802 -0.0681
   CDF quotients: -0.1771 -0.2802 -0.0681
SmoothedUniform(-1.0, 2.0, 0.5) at 0.3
   PDFGradient: 0.1015 -0.1097 -0.0395
   PDF quotients: 0.1015 -0.1097 -0.0263
   CDFGradient: -0.1873 -0.1444 0.0041
   CDF quotients: -0.1873 -0.1444 0.0041
SmoothedUniform(-1.0, 9.0, 0.5) at 0.3
   PDFGradient: 0.0072 -0.0100 -0.0353
   PDF quotients: 0.0072 -0.0100 -0.0071
   CDFGradient: -0.0865 -0.0130 0.0014
   CDF quotients: -0.0865 -0.0130 0.0014
Pareto(1.2, 2.3, 0.1) at 2
   PDFGradient: 0.8063 -0.0104 0.7307
   PDF quotients: 0.8063 -0.0104 0.7307
   CDFGradient: -0.6661 0.1597 nan
   CDF quotients: -0.6661 0.1597 -0.4207
END
"$folder/env/bin/python" -W ignore "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: openturns-a-slope-right-for-a-width-of-two"
