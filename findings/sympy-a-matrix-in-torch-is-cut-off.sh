#!/bin/sh
# SymPy 1.14.0 with torch 2.13.0: lambdify(..., modules="torch") of a rotation by an angle,
# and of other expressions, called with tensors that require a gradient.  Guessed: a gradient
# flows, as it does for a single expression.  Seen: an expression and a list of
# expressions have one; a Matrix, also inside a larger expression, is printed as
# torch.tensor([[cos(x), ...]]), which copies the numbers out of the graph.  What else the
# expression has goes on: the slope of x * (R(x) v)_0 is the one for a constant R.  Torch
# warns at the first such call of a process, of a conversion to a scalar, and then no more.
# The printer's option requires_grad=True makes a new leaf of the numbers, so that
# backward() runs and x.grad stays None.  A Derivative is printed without create_graph: no
# second one.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check \
    torch==2.13.0 numpy==2.4.6 sympy==1.14.0 mpmath==1.3.0
cat >"$folder/ask.py" <<'END'
import sympy
import torch

print("sympy", sympy.__version__, "torch", torch.__version__.split("+")[0])
x = sympy.Symbol("x")
R = sympy.Matrix([[sympy.cos(x), -sympy.sin(x)], [sympy.sin(x), sympy.cos(x)]])
v = sympy.Matrix([1, 2])
entry = (R * v)[0]
product = sympy.MatMul(R, v, evaluate=False)


def called(expression):
    t = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    return t, sympy.lambdify(x, expression, modules="torch")(t)


for words, expression in {
    "entry of the product": entry,
    "list": list(R),
    "matrix": R,
    "product of matrices": product,
    "derivative": sympy.Derivative(entry, x),
}.items():
    t, result = called(expression)
    first = result[0] if isinstance(result, list) else result
    print(f"{words}: {type(result).__name__}, requires a gradient: {first.requires_grad}")

t, result = called(x * product)
slope = torch.autograd.grad(result[0, 0], t)[0].item()
true = sympy.diff(x * entry, x).subs(x, 0.7)
print(f"x times the first entry: slope {slope:.4f}, true {float(true):.4f}")
code = sympy.printing.pytorch.torch_code(R, requires_grad=True)
t = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
leaf = eval(code, {"torch": torch, "x": t})
leaf.sum().backward()
print(f"with requires_grad=True: a leaf {leaf.is_leaf}, gradient of x {t.grad}")
END
cat >"$folder/seen" <<'END'
sympy 1.14.0 torch 2.13.0
entry of the product: Tensor, requires a gradient: True
list: list, requires a gradient: True
matrix: Tensor, requires a gradient: False
product of matrices: Tensor, requires a gradient: False
derivative: Tensor, requires a gradient: False
x times the first entry: slope -0.5236, true -2.0453
with requires_grad=True: a leaf True, gradient of x None
END
"$folder/env/bin/python" -W ignore "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: sympy-a-matrix-in-torch-is-cut-off"
