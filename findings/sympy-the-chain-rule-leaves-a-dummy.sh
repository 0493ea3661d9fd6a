#!/bin/sh
# SymPy 1.14.0: second and third derivatives of f(u, v), an undefined f of two inner functions,
# with a concrete f put in afterwards, beside the derivatives of the concrete composition.
# Guessed: the chain rule, at any order.  Seen: first derivatives are right, and further ones
# where an inner function is x alone or x plus a number.  The second derivative of f(2*x, 3*x)
# holds two symbols that nobody made, printed as _2*x and _3*x, as if they were products; they
# are dummies, stay when f and x are given, and no number comes out.  The third derivative
# of f(x*y, x + y) does become a number, in silence a wrong one: 8.21 for 12.32.  Of
# d'Alembert's waves, f(x - y, x + y) is right, and f(x + y, x - y) is not.  A derivative of an
# undefined f is asked for its free symbols before it is used.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check \
    sympy==1.14.0 mpmath==1.3.0
cat >"$folder/ask.py" <<'END'
import sympy
from sympy.core.cache import clear_cache

print("SymPy", sympy.__version__)
x, y, a, b = sympy.symbols("x y a b")
f = sympy.Function("f")
concrete = sympy.Lambda((a, b), sympy.sin(a) * b**3 + a * b)
point = {x: 0.3, y: 0.7}
for inner, variables in (
    ((2 * x, 3 * x), (x,)),
    ((x, 2 * x), (x, x)),
    ((x + 1, x + 2), (x, x)),
    ((2 * x, 3 * x), (x, x)),
    ((x**2, x**3), (x, x)),
    ((x * y, x + y), (x, x)),
    ((x * y, x + y), (x, x, x)),
    ((x - y, x + y), (x, y)),
    ((x + y, x - y), (x, y)),
):
    clear_cache()
    derivative = sympy.diff(f(*inner), *variables)
    after = derivative.subs(f, concrete).doit().subs(point)
    before = sympy.diff(concrete(*inner), *variables).subs(point)
    print(f"f{inner} by", ", ".join(map(str, variables)))
    strange = sorted(map(str, derivative.free_symbols - {x, y}))
    print("   symbols that nobody made:", ", ".join(strange) or "none")
    told = "no number" if after.free_symbols else sympy.N(after, 5)
    print(f"   f put in afterwards: {told}, before: {sympy.N(before, 5)}")
END
cat >"$folder/seen" <<'END'
SymPy 1.14.0
f(2*x, 3*x) by x
   symbols that nobody made: none
   f put in afterwards: 8.9196, before: 8.9196
f(x, 2*x) by x, x
   symbols that nobody made: none
   f put in afterwards: 12.319, before: 12.319
f(x + 1, x + 2) by x, x
   symbols that nobody made: none
   f put in afterwards: 12.064, before: 12.064
f(2*x, 3*x) by x, x
   symbols that nobody made: _2*x, _3*x
   f put in afterwards: no number, before: 61.862
f(x**2, x**3) by x, x
   symbols that nobody made: _x**2, _x**3
   f put in afterwards: no number, before: 0.54216
f(x*y, x + y) by x, x
   symbols that nobody made: _x + y
   f put in afterwards: 6.6563, before: 6.6563
f(x*y, x + y) by x, x, x
   symbols that nobody made: _x + y
   f put in afterwards: 8.2114, before: 12.319
f(x - y, x + y) by x, y
   symbols that nobody made: none
   f put in afterwards: -2.7259, before: -2.7259
f(x + y, x - y) by x, y
   symbols that nobody made: _x + y
   f put in afterwards: no number, before: 2.0734
END
"$folder/env/bin/python" -W ignore "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: sympy-the-chain-rule-leaves-a-dummy"
