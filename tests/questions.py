"""What students paste and type, for each question of the page, in its order.

Each script fails or warns, and what it prints then is pasted as it is.  The page and
the finder were made with ``typed``, ``unseen`` and ``TUNED`` at hand, so how well these
are found says little about readers; what ``HELD_OUT`` says says more.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["ASKED", "HELD_OUT", "START", "TUNED", "Asked"]


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
        "The differentiated Tensor",
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
    Asked(
        "Mismatch in shape",
        (
            "Mismatch in shape: grad_output[0] has a shape of torch.Size([2])",
            "which shape must grad_outputs have",
            "torch.autograd.grad grad_outputs wrong shape",
        ),
        (
            "vector passed to backward has the wrong size",
            "grad_outputs in torch.autograd.grad explained",
        ),
        "(x * 2).backward(gradient=torch.ones(3))\n",
    ),
    Asked(
        "Inference tensors",
        (
            "Inference tensors cannot be saved for backward",
            "use a tensor computed in inference_mode for training",
            "Inplace update to inference tensor outside InferenceMode is not allowed",
        ),
        (
            "features from a frozen backbone in inference mode break training",
            "how do I turn an inference tensor into a normal one",
        ),
        "with torch.inference_mode():\n    t = torch.ones(2)\ny = x * t\n",
    ),
    Asked(
        "requires_grad flags",
        (
            "you can only change requires_grad flags of leaf variables",
            "can't set requires_grad = False on the output of a layer",
            "requires_grad flag non-leaf error",
        ),
        (
            "switch off requires_grad for an activation",
            "y.requires_grad = False raises an error",
        ),
        "y = x * 2\ny.requires_grad = False\n",
    ),
    Asked(
        "numpy()",
        (
            "Can't call numpy() on Tensor that requires grad",
            "convert tensor with grad to numpy array",
            "plot weights with matplotlib error numpy requires grad",
        ),
        (
            "np.array(tensor) fails because of requires grad",
            "how to get a numpy array out of my model output",
        ),
        "x.numpy()\n",
    ),
    Asked(
        "deepcopy",
        (
            "Only Tensors created explicitly by the user support the deepcopy protocol",
            "copy.deepcopy(model) fails",
            "deepcopy of a non-leaf tensor",
        ),
        (
            "how to copy a model for a target network, deepcopy error",
            "weight_norm deepcopy not supported",
        ),
        "import copy\ncopy.deepcopy(x * 2)\n",
    ),
    Asked(
        "weights not updating",
        (
            "weights are not updating after optimizer.step()",
            "model parameters do not change during training",
            "loss stays constant and nothing is learned",
        ),
        (
            "my network is not training, weights stay the same",
            "optimizer.step does nothing",
        ),
    ),
    Asked(
        "work inside",
        (
            "how does autograd work internally",
            "can I write my own autograd engine",
            "micrograd explained",
        ),
        (
            "how is backward() implemented",
            "why does backward need a topological sort",
        ),
    ),
    Asked(
        "falling loss",
        (
            "loss goes down, are my gradients correct",
            "is a falling loss a proof of right gradients",
            "how do I test a backward pass that I wrote by hand",
        ),
        (
            "my network trains although the gradient has a bug",
            "can I trust my manual backprop if the loss decreases",
        ),
    ),
    Asked(
        "untrained classifier",
        (
            "initial loss of cross entropy with 10 classes",
            "why does my loss start at 2.303",
            "loss is 0.693 at the beginning",
        ),
        (
            "what loss does an untrained network have",
            "sanity check of the loss at initialization",
        ),
    ),
    Asked(
        "other digits",
        (
            "same seed, different results on another machine",
            "manual_seed but the numbers are not reproducible on a different CPU",
            "why is my loss slightly different on another computer",
        ),
        (
            "results differ between my laptop and the cluster",
            "does use_deterministic_algorithms make two machines agree",
        ),
    ),
)

# The finder's weights and the page's words were chosen with these at hand.
TUNED = (
    (
        "I get a grad_fn error on loss.backward() but all my layers are trainable",
        "fine tuning: RuntimeError does not require grad and does not have a"
        " grad_fn after freezing everything",
        "my loss prints without grad_fn, what did I break",
    ),
    (
        "must I set retain_graph or is something wrong with my loop",
        "error on the second iteration of training, first one works",
        "buffers have already been freed when I backprop two losses",
    ),
    (
        "in-place modification error in a GAN when the discriminator is stepped first",
        "how do I find which line modifies my tensor in place",
        "assigning to a slice x[0] = 1 makes backward fail",
    ),
    (
        "params.grad is None although loss.backward() ran",
        "the .grad attribute of a Tensor that is not a leaf Tensor is being accessed",
        "tensor moved to device has no gradient",
    ),
    (
        "backward() on a batch of losses, do I sum or take the mean",
        "my output is a matrix and backward throws an error",
        "meaning of backward(torch.ones(n))",
    ),
    (
        "what happens if I forget optimizer.zero_grad",
        "where should I put zero_grad, before or after step",
        "effective batch size larger than fits on my gpu",
    ),
    (
        "should I use detach or with torch.no_grad() for validation",
        "how can I freeze the first layers of a pretrained model",
        "is .data deprecated",
    ),
    (
        "loss is nan after a few iterations",
        "torch.norm gives nan gradient for zero vector",
        "masking with where still leads to nan in backward",
    ),
    (
        "broadcast warning in mse loss, results are bad",
        "should I squeeze the output before computing the loss",
        "my linear model only outputs the average of the labels",
    ),
    (
        "CUDA OOM after many batches although the batch size is constant",
        "gpu memory keeps increasing during training",
        "does total += loss keep the whole graph alive",
    ),
    (
        "cannot do w -= lr * grad on a parameter",
        "how to initialise weights in place without error",
        "gradient descent without an optimizer",
    ),
    (
        "why do people detach the hidden state each batch in LSTM training",
        "TBPTT how do I cut the sequence",
        "stateful gru error backward second time",
    ),
    (
        "only Tensors of floating point dtype can require gradients error with labels",
        "index tensor requires grad error",
        "is sampling or argmax differentiable",
    ),
    (
        "torch.tensor on a list of losses has no gradient",
        "UserWarning: To copy construct from a tensor it is recommended to use"
        " clone().detach()",
        "how to build a matrix out of variables so that backward works",
    ),
    (
        "autograd.grad throws an error because one input was not used",
        "unused parameters in autograd.grad",
        "gradient of an output w.r.t. an input it doesn't depend on returns error",
    ),
    (
        "what gradient does pytorch use for relu at zero",
        "torch.max with ties how is the gradient split",
        "is abs differentiable at 0 in pytorch",
    ),
    (
        "gradcheck returns false for my custom layer",
        "how to verify gradients with finite differences",
        "jacobian mismatch error double precision",
    ),
    (
        "how to get the gradient of activations for grad-cam",
        "register_full_backward_hook example",
        "gradient clipping of a single tensor",
    ),
    (
        "WGAN-GP gradient penalty how to implement",
        "second order derivative returns None or error",
        "compute hessian matrix of a loss function",
    ),
    (
        "get gradients for each sample separately without a for loop",
        "gradient norm per example",
        "vmap over grad",
    ),
    (
        "checkpoint_sequential no gradients warning",
        "reduce memory by recomputing activations",
        "UserWarning none of the inputs have requires_grad checkpoint",
    ),
    (
        "how does pytorch define the derivative of abs(z) for complex z",
        "grad can be created only for real scalar outputs but got ComplexFloat",
        "why is the gradient conjugated",
    ),
    (
        "how to make rounding differentiable",
        "binarized neural network sign function gradient zero",
        "vq-vae passes the gradient to the encoder with detach, how does this"
        " trick work",
    ),
    (
        "how to subclass torch.autograd.Function",
        "deep equilibrium model backward pass",
        "function returned an incorrect number of gradients (expected 2, got 1)",
    ),
    (
        "is forward mode AD available in pytorch",
        "jacobian of a function with one input and thousands of outputs",
        "difference between jvp and vjp",
    ),
    (
        "grad_output shape does not match output",
        "what do I pass as grad_outputs",
        "gradient argument has wrong shape error",
    ),
    (
        "inference_mode tensor in autograd error",
        "RuntimeError inference tensor clone",
        "I computed embeddings under inference_mode and now want to train on them",
    ),
    (
        "cannot set requires_grad to false for intermediate tensor",
        "how to turn off grad for a computed value",
        "error requires_grad flags leaf variables only",
    ),
    (
        "convert tensor with gradients to numpy array",
        "matplotlib plot of tensor that requires grad fails",
        "detach().cpu().numpy() why all of them",
    ),
    (
        "deepcopy of a model fails",
        "copy.deepcopy non-leaf tensor",
        "clone a network for a target network in DQN",
    ),
    (
        "loss does not decrease at all",
        "my network isn't learning, gradients are fine",
        "optimizer.step() does nothing",
    ),
    (
        "build a tiny autodiff library from scratch in numpy",
        "how does pytorch build the computational graph under the hood",
        "RecursionError in my recursive backward for long graphs",
    ),
    (
        "training works in spite of a wrong gradient",
        "does a decreasing loss mean that the backward pass is correct",
        "silent bug in hand written gradients",
    ),
    (
        "expected loss for random guessing, log of the number of classes",
        "MNIST loss begins far above 2.3",
        "why ln(10) at the start",
    ),
    (
        "the notebook prints other digits than the page although the seed is set",
        "loss curves of two machines drift apart after a few hundred steps",
        "why is my training not reproducible across CPUs",
    ),
)

# Written down before the finder's present way of ranking, in the manner of forums, and
# never looked at while it was made: two for each question, in the page's order.
HELD_OUT = (
    (
        "tensor does not have a grad_fn when calling loss.backward()",
        "after argmax my loss has no gradient and backward throws an error",
    ),
    (
        "backward works the first time and fails in the second iteration of my loop",
        "when do I need retain_graph and what does it cost",
    ),
    (
        "tensor is at version 2 expected version 1, what changed it",
        "in-place relu breaks gradient computation",
    ),
    (
        "param.grad is None for some layers",
        "I print x.grad and get None instead of a number",
    ),
    (
        "backward on a tensor with more than one element",
        "what should I put into the gradient parameter of .backward()",
    ),
    (
        "is it necessary to zero the gradients before each step",
        "accumulate gradients over mini batches to get a bigger batch",
    ),
    (
        "should I use eval or no_grad for validation",
        "block gradients for one branch of the model",
    ),
    (
        "gradient becomes nan although I mask the bad values with where",
        "sqrt of zero gives nan gradient",
    ),
    (
        "UserWarning target size different from input size mse",
        "my regression always outputs the average, shape (N,1) vs (N)",
    ),
    (
        "GPU memory increases every iteration until CUDA out of memory",
        "summing up the loss over an epoch eats all my RAM",
    ),
    (
        "manual gradient descent w -= lr * w.grad raises leaf variable in-place error",
        "can't modify a parameter in place",
    ),
    (
        "LSTM hidden state detach between sequences, why",
        "truncated BPTT how do I cut the graph",
    ),
    (
        "integer tensor cannot require gradients",
        "torch.arange requires_grad=True error dtype long",
    ),
    (
        "building a tensor from a list of losses loses grad",
        "torch.stack or torch.tensor to combine several scalars",
    ),
    (
        "autograd.grad says a tensor was not used in the graph",
        "set allow_unused=True, what does it mean",
    ),
    (
        "what is the derivative of ReLU at zero in pytorch",
        "max pooling with equal values, who gets the gradient",
    ),
    (
        "numerical gradient does not match analytical gradient",
        "gradcheck fails for float32 inputs",
    ),
    (
        "how do I print gradients of intermediate layers",
        "register_hook example to modify a gradient",
    ),
    (
        "compute the Hessian of a loss",
        "gradient penalty in WGAN-GP with create_graph=True",
    ),
    (
        "gradients for individual samples in a batch",
        "per example gradient norm for DP-SGD",
    ),
    (
        "torch.utils.checkpoint warning none of the inputs require grad",
        "trade compute for memory with activation checkpointing",
    ),
    (
        "gradient with respect to complex parameters wrong sign, conjugate?",
        "Wirtinger calculus in pytorch",
    ),
    (
        "straight through gradient for rounding",
        "how to backprop through sign function in binarized nets",
    ),
    (
        "own autograd.Function: what does backward have to return",
        "gradient of a fixed point iteration without unrolling",
    ),
    (
        "forward mode AD vs reverse mode AD",
        "use jvp for a function with one input and many outputs",
    ),
    (
        "grad_output has a different shape than output",
        "shape of the vector in vector-Jacobian product for autograd.grad",
    ),
    (
        "reuse tensors made under inference_mode in the training loop",
        "RuntimeError inference tensor in-place update",
    ),
    (
        "turn off requires_grad on a computed tensor",
        "only leaf variables can have requires_grad changed",
    ),
    (
        "cannot convert tensor to numpy because it requires gradient",
        "seaborn plot of a tensor throws detach().numpy() error",
    ),
    (
        "copying a network with deepcopy raises graph leaves error",
        "clone a model that has stored activations",
    ),
    (
        "my model parameters stay the same after training",
        "loss does not decrease, gradients seem fine but the weights never change",
    ),
    (
        "what happens under the hood when I call loss.backward()",
        "write a small autodiff library like micrograd in numpy",
    ),
    (
        "my training loss goes down, does that mean my backward pass is correct",
        "how can a bug in the gradients go unnoticed while the network learns",
    ),
    (
        "cross entropy loss starts at 2.30 for 10 classes, is this normal",
        "what initial loss should I expect at random initialization",
    ),
    (
        "different results on my laptop and on the server with the same code and seed",
        "torch.manual_seed does not give identical numbers on two computers",
    ),
)
