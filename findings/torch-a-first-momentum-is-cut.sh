#!/bin/sh
# torch 2.13.0: three steps of an optimiser made with differentiable=True ("whether autograd
# should occur through the optimizer step"), and the slope of what comes out with respect to
# the starting point and to the learning rate, in float64, beside quotients.  Guessed: both
# right for every optimiser that takes the learning rate as a tensor, an error else.  Seen:
# SGD with momentum is right in the learning rate and wrong at the starting point, once with
# the other sign: the first gradient is detached before it becomes the buffer, so all that
# the first step and the buffer owe to the start is lost.  Without momentum, and in Adam, RAdam,
# NAdam and RMSprop, all is right.  ASGD takes a learning rate that requires a gradient, without
# a word, and the result does not depend on it.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check \
    torch==2.13.0 numpy==2.4.6
cat >"$folder/ask.py" <<'END'
import torch

torch.set_default_dtype(torch.float64)
print("torch", torch.__version__.split("+")[0])
goal, weight = torch.tensor([[1.0, 2.0], [1.0, 3.0]])


def slope_of_loss(p):
    p = p.clone()
    loss = (weight * (p - goal) ** 2 + 0.1 * p**4).sum()
    return torch.autograd.grad(loss, p, create_graph=True)[0]


def end(make, start, rate, differentiable):
    p = start.clone() if differentiable else start.clone().detach().requires_grad_()
    optimiser = make([p], lr=rate, differentiable=differentiable)
    for _ in range(3):
        p.grad = slope_of_loss(p)
        optimiser.step()
    return ((p - 0.3) ** 2).sum()


def recorded(make, of):
    start = torch.tensor([0.5, -0.7], requires_grad=True)
    rate = torch.tensor(0.05, requires_grad=True) if of == "rate" else 0.05
    value = end(make, start, rate, True)
    if of == "rate":
        slope = torch.autograd.grad(value, rate, allow_unused=True)[0]
        return "none" if slope is None else f"{slope:.4f}"
    return " ".join(f"{entry:.4f}" for entry in torch.autograd.grad(value, start)[0])


def quotient(make, of):
    step = 1e-6

    def at(which, sign):
        start = torch.tensor([0.5, -0.7])
        if which is not None:
            start[which] += sign * step
        rate = 0.05 + (sign * step if which is None else 0)
        return end(make, start, rate, False).item()

    return " ".join(
        f"{(at(which, 1) - at(which, -1)) / (2 * step):.4f}"
        for which in ((None,) if of == "rate" else (0, 1))
    )


def with_options(name, **options):
    return lambda params, **more: getattr(torch.optim, name)(params, **options, **more)


for words, make, asked in (
    ("SGD", with_options("SGD"), ("start", "rate")),
    ("SGD, Nesterov momentum", with_options("SGD", momentum=0.9, nesterov=True), ("start", "rate")),
    ("SGD, momentum", with_options("SGD", momentum=0.9), ("start",)),
    ("Adam", with_options("Adam"), ("start", "rate")),
    ("RAdam", with_options("RAdam"), ("start", "rate")),
    ("NAdam", with_options("NAdam"), ("start",)),
    ("RMSprop", with_options("RMSprop"), ("start",)),
    ("ASGD", with_options("ASGD"), ("start", "rate")),
):
    for of in asked:
        print(f"{words}, {of}: recorded {recorded(make, of)}, quotient {quotient(make, of)}")
END
cat >"$folder/seen" <<'END'
torch 2.13.0
SGD, start: recorded 0.4480 0.4859, quotient 0.4480 0.4859
SGD, rate: recorded 36.9893, quotient 36.9893
SGD, Nesterov momentum, start: recorded 0.4340 -0.9393, quotient 0.2268 -1.4922
SGD, Nesterov momentum, rate: recorded -13.0177, quotient -13.0177
SGD, momentum, start: recorded 0.5867 0.6468, quotient 0.3574 -1.6761
Adam, start: recorded 0.6943 -1.7002, quotient 0.6943 -1.7002
Adam, rate: recorded -3.0392, quotient -3.0392
RAdam, start: recorded 0.4485 0.4076, quotient 0.4485 0.4076
RAdam, rate: recorded 73.0004, quotient 73.0004
NAdam, start: recorded 0.6311 -1.7443, quotient 0.6311 -1.7443
RMSprop, start: recorded 0.3394 0.1043, quotient 0.3394 0.1043
ASGD, start: recorded 0.4480 0.4859, quotient 0.4480 0.4859
ASGD, rate: recorded none, quotient 36.9883
END
"$folder/env/bin/python" -W ignore "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: torch-a-first-momentum-is-cut"
