#!/bin/sh
# geoopt 0.5.1 with torch 2.13.0: slopes of the smooth maps of hyperbolic networks at the
# origin, where points and tangents start, beside the ones at (0.01, 0.01), where the first
# order is the same.  Guessed: the identity for expmap0 and logmap0, half of it for half of
# a point, the matrix for mobius_matvec, and 1 for the round trip through Lorentz's two maps.
# Seen, in silence: mobius_matvec passes 0 at the origin for any curvature, also for 0, where
# it is the plain product with the matrix; logmap0 and the scalar product pass 0 in float32
# and 1.05 of the slope in float64; the round trip passes 0.0003, and the sphere's expmap, at
# a tangent of 0, nan.  Norms are clamped to 1e-15, which 1 + 1e-15 does not hold in float32;
# and matvec puts zeros where its product is 0.  A point there does not learn to leave.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check \
    torch==2.13.0 numpy==2.4.6 scipy==1.17.1 geoopt==0.5.1
cat >"$folder/ask.py" <<'END'
import geoopt
import torch

print("torch", torch.__version__.split("+")[0], "geoopt", geoopt.__version__)
M = torch.tensor([[1.0, 2.0], [0.0, 3.0]])


def first_column(f, at, dtype, size):
    x = torch.zeros(size, dtype=dtype)
    x[-2:] = at
    jacobian = torch.autograd.functional.jacobian(f, x)
    return " ".join(f"{round(entry, 4) + 0.0:.4f}" for entry in jacobian[-2:, -2].tolist())


def told(words, f, dtype, size=2):
    origin, near = (first_column(f, at, dtype, size) for at in (0.0, 0.01))
    print(f"   {words}: {origin} at the origin, {near} near it")


for dtype in (torch.float32, torch.float64):
    print(str(dtype))
    matrix, half = M.to(dtype), torch.tensor(0.5, dtype=dtype)
    for words, space in {
        "Poincare ball": geoopt.PoincareBall().to(dtype),
        "curvature 0": geoopt.Stereographic(k=0.0).to(dtype),
    }.items():
        told(f"{words}, expmap0", space.expmap0, dtype)
        told(f"{words}, logmap0", space.logmap0, dtype)
        told(f"{words}, half", lambda x, s=space: s.mobius_scalar_mul(half, x), dtype)
        told(f"{words}, matrix", lambda x, s=space: s.mobius_matvec(matrix, x), dtype)
    lorentz, sphere = geoopt.Lorentz().to(dtype), geoopt.Sphere()
    pole = torch.tensor([1.0, 0.0, 0.0], dtype=dtype)
    told("Lorentz, there and back", lambda x: lorentz.logmap0(lorentz.expmap0(x)), dtype, 3)
    told("sphere, expmap", lambda x: sphere.expmap(pole, x), dtype, 3)
END
cat >"$folder/seen" <<'END'
torch 2.13.0 geoopt 0.5.1
torch.float32
   Poincare ball, expmap0: 1.0000 0.0000 at the origin, 0.9999 -0.0001 near it
   Poincare ball, logmap0: 0.0000 0.0000 at the origin, 1.0001 0.0001 near it
   Poincare ball, half: 0.0000 0.0000 at the origin, 0.5001 0.0000 near it
   Poincare ball, matrix: 0.0000 0.0000 at the origin, 0.9991 -0.0004 near it
   curvature 0, expmap0: 1.0000 0.0000 at the origin, 1.0000 0.0000 near it
   curvature 0, logmap0: 1.0000 0.0000 at the origin, 1.0000 0.0000 near it
   curvature 0, half: 0.5000 0.0000 at the origin, 0.5000 0.0000 near it
   curvature 0, matrix: 0.0000 0.0000 at the origin, 1.0000 0.0000 near it
   Lorentz, there and back: 0.0003 0.0000 at the origin, 1.0000 -0.0001 near it
   sphere, expmap: nan nan at the origin, 0.9999 0.0000 near it
torch.float64
   Poincare ball, expmap0: 1.0000 0.0000 at the origin, 0.9999 -0.0001 near it
   Poincare ball, logmap0: 1.0547 0.0000 at the origin, 1.0001 0.0001 near it
   Poincare ball, half: 0.5274 0.0000 at the origin, 0.5001 0.0000 near it
   Poincare ball, matrix: 0.0000 0.0000 at the origin, 0.9991 -0.0004 near it
   curvature 0, expmap0: 1.0000 0.0000 at the origin, 1.0000 0.0000 near it
   curvature 0, logmap0: 1.0000 0.0000 at the origin, 1.0000 0.0000 near it
   curvature 0, half: 0.5000 0.0000 at the origin, 0.5000 0.0000 near it
   curvature 0, matrix: 0.0000 0.0000 at the origin, 1.0000 0.0000 near it
   Lorentz, there and back: 0.0003 0.0000 at the origin, 1.0000 0.0000 near it
   sphere, expmap: nan nan at the origin, 0.9999 0.0000 near it
END
"$folder/env/bin/python" -W ignore "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: geoopt-nothing-leaves-the-origin"
