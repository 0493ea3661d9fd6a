"""What students paste and type, for each question of the page, in its order.

Each script fails or warns, and what it prints then is pasted as it is.  The
page was read against ``typed`` while it was written, so how well these are found says
little about readers; ``unseen`` was written afterwards, and the page left as it was.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["ASKED", "Asked"]


class Asked(NamedTuple):
    """A part of the question's heading, paraphrases, a script that fails or warns."""

    heading: str
    typed: tuple[str, ...]
    unseen: tuple[str, ...]
    script: str = ""


START = "import torch\nfrom torch import nn\nx = torch.ones(2, requires_grad=True)\n"

ASKED = (
    Asked(
        "element 0 of tensors",
        (
            "RuntimeError: element 0 of tensors does not require grad",
            "loss has no grad_fn, backward fails",
            "my loss doesn't require grad, can I just set loss.requires_grad = True",
        ),
        (
            "why does backward complain that there is no grad_fn",
            "my network output does not require a gradient anymore",
        ),
        "model = nn.Linear(2, 1)\nwith torch.no_grad():\n    out = model(x)\n"
        "loss = out.sum()\nloss.backward()\n",
    ),
    Asked(
        "second time",
        (
            "should I use retain_graph=True in my training loop",
            "saved intermediate values are freed",
            "calling backward twice gives an error",
        ),
        (
            "do I have to retain the graph",
            "backward through the same graph two times",
        ),
        "y = (x * x).sum()\nfor epoch in range(2):\n    y.backward()\n",
    ),
    Asked(
        "modified by an inplace",
        (
            "is at version 1; expected version 0 instead",
            "GAN training error optimizer.step between two backward inplace operation",
            "which += breaks my backward pass",
        ),
        (
            "relu(inplace=True) error during backward",
            "tensor was changed in place before backward",
        ),
        "hidden = torch.sigmoid(x)\nhidden += 1\nhidden.sum().backward()\n",
    ),
    Asked(
        "Why is .grad None",
        (
            "grad is None after backward",
            "x.grad returns None when I move my tensor to the gpu with .cuda()",
            "non-leaf tensor grad warning",
        ),
        (
            "gradient stays None for my weights",
            "how can I get the gradient of a non leaf variable",
        ),
        "w = x * 2\nw.sum().backward()\nprint(w.grad)\n",
    ),
    Asked(
        "scalar outputs",
        (
            "what does the gradient argument of backward do",
            "how to call backward on a vector",
            "why do I need to pass torch.ones_like to backward",
        ),
        (
            "loss is a vector, can't call backward",
            "what is v in backward(v)",
        ),
        "predictions = x**2\npredictions.backward()\n",
    ),
    Asked(
        "Why zero_grad",
        (
            "why do we need optimizer.zero_grad()",
            "gradient accumulation divide loss by number of steps",
            "gradients add up instead of being replaced",
        ),
        (
            "do I have to clear gradients each iteration",
            "simulate a larger batch size with several backward calls",
        ),
    ),
    Asked(
        "detach, no_grad",
        (
            "difference between detach() and torch.no_grad()",
            "does model.eval() turn off gradients",
            "tensor.data vs tensor.detach",
        ),
        (
            "when to use inference_mode",
            "how to stop gradient flow through part of the network",
        ),
    ),
    Asked(
        "NaN",
        (
            "nan gradients with torch.where",
            "gradient of sqrt at zero is nan",
            "loss becomes nan how do I find the operation with detect_anomaly",
        ),
        (
            "nan after log(0)",
            "my gradients are nan although the loss is fine",
        ),
        "x = torch.zeros(1, requires_grad=True)\n"
        "with torch.autograd.detect_anomaly():\n"
        "    torch.where(x > 0, x.sqrt(), 0.0).sum().backward()\n",
    ),
    Asked(
        "target size",
        (
            "UserWarning: Using a target size that is different to the input size",
            "MSELoss wrong result broadcasting shape (N,1) and (N)",
            "my regression predicts the mean of the targets for everything",
        ),
        (
            "pytorch warns that input and target sizes differ",
            "prediction shape (32, 1) target shape (32)",
        ),
        "criterion = nn.MSELoss()\nloss = criterion(torch.ones(4, 1), torch.ones(4))\n",
    ),
    Asked(
        "memory grow",
        (
            "memory leak in training loop, out of memory after some epochs",
            "why should I use loss.item() when summing total_loss",
            "RAM usage increases every iteration",
        ),
        (
            "cuda out of memory grows each epoch",
            "keeping losses in a list uses more and more memory",
        ),
    ),
    Asked(
        "a leaf Variable",
        (
            "how do I update weights manually without error w -= lr * w.grad",
            "leaf variable in-place operation",
            "a view of a leaf Variable that requires grad is being used",
        ),
        (
            "in-place update of a parameter",
            "manual sgd step gives error",
        ),
        "loss = (x * x).sum()\nloss.backward()\nx -= 0.1 * x.grad\n",
    ),
    Asked(
        "hidden state of an RNN",
        (
            "repackage_hidden in the LSTM language model, what is it for",
            "truncated backpropagation through time detach",
            "why detach hidden state lstm",
        ),
        (
            "carry state from one sequence chunk to the next",
            "rnn backward through the graph twice",
        ),
    ),
    Asked(
        "floating point and complex",
        (
            "cannot require gradients for integer tensor",
            "can I backprop through argmax",
            "requires_grad on a long tensor fails",
        ),
        (
            "tensor must be float to have gradient",
            "argmax has no gradient",
        ),
        "indices = torch.arange(4, requires_grad=True)\n",
    ),
    Asked(
        "torch.tensor([a, b])",
        (
            "combine several losses into a tensor without losing the graph",
            "torch.stack or torch.tensor for a list of tensors with gradients",
            "it is recommended to use sourceTensor.detach().clone()",
        ),
        (
            "torch.tensor(list_of_tensors) gradient lost",
            "join scalars into a vector keeping gradients",
        ),
        "a, b = x\nboth = torch.tensor([a * 2, b * 3])\n",
    ),
    Asked(
        "differentiated Tensors",
        (
            "One of the differentiated Tensors appears to not have been used in the"
            " graph. Set allow_unused=True if this is the desired behavior.",
            "allow_unused",
            "autograd.grad says a tensor was not used in the graph",
        ),
        (
            "grad of a variable which does not influence the loss",
            "materialize_grads",
        ),
        "w = torch.ones(2, requires_grad=True)\n"
        "grads = torch.autograd.grad(x.sum(), [x, w])\n",
    ),
    Asked(
        "kink",
        (
            "derivative of relu at 0",
            "what does max return as gradient for equal values",
            "subgradient of abs in pytorch",
        ),
        (
            "clamp gradient at the boundary",
            "gradient of max when two entries tie",
        ),
    ),
    Asked(
        "gradcheck",
        (
            "gradcheck fails in float32",
            "numerical and analytical gradient do not agree",
            "torch.autograd.gradcheck GradcheckError",
        ),
        (
            "check my backward implementation numerically",
            "finite difference test fails",
        ),
        "torch.autograd.gradcheck(torch.sin, x)\n",
    ),
    Asked(
        "hooks",
        (
            "print the gradient of an intermediate layer",
            "register_hook vs retain_grad",
            "clip or modify gradients during backward",
        ),
        (
            "inspect gradients inside the model",
            "backward hook on a module",
        ),
    ),
    Asked(
        "second derivatives",
        (
            "how to compute the hessian",
            "gradient penalty needs create_graph",
            "higher order gradients",
        ),
        (
            "differentiate twice",
            "hessian vector product",
        ),
        "(x**3).sum().backward(create_graph=True)\n",
    ),
    Asked(
        "each sample of a batch",
        (
            "per-sample gradients with vmap",
            "individual gradient for every example in the batch",
            "per example gradient norm differential privacy",
        ),
        (
            "gradient for each example instead of the sum",
            "DP-SGD in pytorch",
        ),
    ),
    Asked(
        "Checkpointing",
        (
            "None of the inputs have requires_grad=True. Gradients will be None",
            "gradient checkpointing use_reentrant",
            "torch.utils.checkpoint gives no gradient for the layer weights",
        ),
        (
            "reentrant checkpoint",
            "activation checkpointing frozen input no gradients",
        ),
        "from torch.utils.checkpoint import checkpoint\n"
        "checkpoint(nn.Linear(2, 2), torch.ones(2), use_reentrant=True)\n",
    ),
    Asked(
        "complex number",
        (
            "complex gradient conjugate Wirtinger",
            "autograd with complex numbers",
            "pytorch complex derivative different from jax",
        ),
        (
            "derivative with respect to a complex tensor",
            "loss must be real for complex",
        ),
        "z = torch.tensor(1 + 1j, requires_grad=True)\n(z * z).backward()\n",
    ),
    Asked(
        "straight-through",
        (
            "how to backprop through round or quantization",
            "STE x + (q - x).detach()",
            "gradient of sign is zero, binary network does not learn",
        ),
        (
            "why (hard - soft).detach() + soft",
            "train network with binary weights",
        ),
    ),
    Asked(
        "Function of my own",
        (
            "custom autograd function forward backward",
            "implicit differentiation of a fixed point solver",
            "how to use ctx.save_for_backward",
        ),
        (
            "write my own backward",
            "differentiate through an iterative solver",
        ),
    ),
    Asked(
        "forward mode",
        (
            "jvp or vjp, which one is faster",
            "forward-mode automatic differentiation",
            "when should I use jacfwd instead of jacrev",
        ),
        (
            "number of inputs small and outputs large",
            "dual numbers",
        ),
    ),
)
