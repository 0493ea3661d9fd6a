"""The questions that forums ask most about autograd, in five wordings each.

They stand in the order of their rank.  All were written before anybody had asked the
finder, which was then tuned with ``tuned`` at hand; ``held_out`` was looked at once.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["RANKED", "Ranked"]


class Ranked(NamedTuple):
    """A part of the heading that answers, and what people paste or type."""

    heading: str
    tuned: tuple[str, ...]
    held_out: tuple[str, ...]


RANKED = (
    Ranked(
        "element 0 of tensors",
        (
            "RuntimeError: element 0 of tensors does not require grad and does not "
            "have a grad_fn",
            "I take the argmax of my model's output and compute the loss from it, "
            "and then loss.backward() throws that element 0 does not require grad",
        ),
        (
            '  File "/usr/lib/python3.10/site-packages/torch/autograd/__init__.py", '
            "line 200, in backward\n    Variable._execution_engine.run_backward(\n"
            "RuntimeError: element 0 of tensors does not require grad and does not "
            "have a grad_fn",
            "froze all layers for transfer learning and now loss.backward() crashes, "
            "no grad_fn",
            "loss.requires_grad is False after the forward pass, how do I make it "
            "True?",
        ),
    ),
    Ranked(
        "second time",
        (
            "RuntimeError: Trying to backward through the graph a second time, but "
            "the buffers have already been freed. Specify retain_graph=True when "
            "calling backward the first time.",
            "Why do I get an error at the second iteration that tells me to specify "
            "retain_graph=True? The first iteration is fine",
            "when is retain_graph=True really needed",
        ),
        (
            "RuntimeError: Trying to backward through the graph a second time (or "
            "directly access saved tensors after they have already been freed). "
            "Saved intermediate values of the graph are freed when you call "
            ".backward() or autograd.grad(). Specify retain_graph=True if you need "
            "to backward through the graph a second time or if you need to access "
            "saved tensors after calling backward.",
            "I have two losses loss1.backward() and loss2.backward() sharing the "
            "encoder, second one fails with freed buffers",
        ),
    ),
    Ranked(
        "modified by an inplace",
        (
            "RuntimeError: one of the variables needed for gradient computation has "
            "been modified by an inplace operation: [torch.cuda.FloatTensor [512, "
            "10]], which is output 0 of AsStridedBackward0, is at version 2; "
            "expected version 1 instead. Hint: the backtrace further above shows the "
            "operation that failed to compute its gradient. The variable in question "
            "was changed in there or anywhere later. Good luck!",
            "how do I find which inplace operation broke the gradient computation?",
        ),
        (
            "RuntimeError: one of the variables needed for gradient computation has "
            "been modified by an inplace operation: [torch.FloatTensor [64, 1]], "
            "which is output 0 of ReluBackward0, is at version 1; expected version 0 "
            "instead. Hint: enable anomaly detection to find the operation that "
            "failed to compute its gradient, with "
            "torch.autograd.set_detect_anomaly(True).",
            "GAN code worked in pytorch 1.4, after upgrading d_optimizer.step() "
            "before g_loss.backward() gives inplace operation error",
            "does x += y on a residual connection break autograd? it says the tensor "
            "is at version 3, expected version 2",
        ),
    ),
    Ranked(
        "Why is .grad None",
        (
            "UserWarning: The .grad attribute of a Tensor that is not a leaf Tensor "
            "is being accessed. Its .grad attribute won't be populated during "
            "autograd.backward(). If you indeed want the .grad field to be populated "
            "for a non-leaf Tensor, use .retain_grad() on the non-leaf Tensor.",
            "x = torch.randn(3, requires_grad=True).to('cuda') and after backward "
            "x.grad is None",
            "gradient of the input image is None even though I set requires_grad",
        ),
        (
            "model.fc.weight.grad prints None after loss.backward(), what am I doing "
            "wrong?",
            "AttributeError: 'NoneType' object has no attribute 'data' when I loop "
            "over p.grad.data",
        ),
    ),
    Ranked(
        "scalar outputs",
        (
            "RuntimeError: grad can be implicitly created only for scalar outputs",
            "I don't understand the gradient argument in "
            "y.backward(torch.tensor([1., 0.1, 0.001]))",
        ),
        (
            "    loss.backward()\n  File "
            '"/opt/conda/lib/python3.8/site-packages/torch/tensor.py", line 185, in '
            "backward\n    torch.autograd.backward(self, gradient, retain_graph, "
            "create_graph)\nRuntimeError: grad can be implicitly created only for "
            "scalar outputs",
            "CrossEntropyLoss with reduction='none' then backward does not work",
            "why can only a scalar call backward() without arguments",
        ),
    ),
    Ranked(
        "Why zero_grad",
        (
            "what happens if I forget optimizer.zero_grad()?",
            "why does pytorch accumulate gradients by default instead of overwriting "
            "them",
            "batch does not fit on the GPU, how to accumulate gradients over 4 "
            "mini-batches and should I divide the loss by 4",
        ),
        (
            "model.zero_grad() or optimizer.zero_grad(), and where in the loop do I "
            "put it",
            "calling loss.backward() twice doubles x.grad",
        ),
    ),
    Ranked(
        "detach, no_grad",
        (
            "model.eval() vs with torch.no_grad() for inference",
            "what is the difference between .data and .detach() in pytorch",
        ),
        (
            "should I use torch.no_grad or requires_grad = False to freeze the "
            "backbone?",
            "detach() or with torch.no_grad() for the target network, is it the same",
            "do I still need no_grad if I already called eval() at validation",
        ),
    ),
    Ranked(
        "NaN",
        (
            "RuntimeError: Function 'SqrtBackward0' returned nan values in its 0th "
            "output.",
            "torch.where gives NaN gradient although the nan branch is not selected",
            "gradient of torch.sqrt at 0 is inf, then everything becomes nan",
        ),
        (
            "RuntimeError: Function 'PowBackward0' returned nan values in its 0th "
            "output.",
            "weights turn into NaN after the first optimizer step but the loss was a "
            "normal number",
        ),
    ),
    Ranked(
        "target size",
        (
            "UserWarning: Using a target size (torch.Size([32])) that is different "
            "to the input size (torch.Size([32, 1])). This will likely lead to "
            "incorrect results due to broadcasting. Please ensure they have the same "
            "size.",
            "my regression network outputs the same value (the mean) for every "
            "input, output shape is (N,1) and y is (N,)",
        ),
        (
            "/usr/local/lib/python3.7/dist-packages/torch/nn/modules/loss.py:528: "
            "UserWarning: Using a target size (torch.Size([64, 1])) that is "
            "different to the input size (torch.Size([64])). This will likely lead "
            "to incorrect results due to broadcasting. Please ensure they have the "
            "same size.\n  return F.mse_loss(input, target, reduction=self.reduction)",
            "mse_loss broadcasts my labels silently, do I have to squeeze?",
            "loss between tensor of shape [N, 1] and [N] is too large",
        ),
    ),
    Ranked(
        "memory grow",
        (
            "RuntimeError: CUDA out of memory. Tried to allocate 20.00 MiB (GPU 0; "
            "10.76 GiB total capacity; 9.71 GiB already allocated; 13.56 MiB free; "
            "9.74 GiB reserved in total by PyTorch)",
            "memory keeps increasing every epoch, I do running_loss += loss",
            "is it loss.item() or loss.data when summing up the training loss, "
            "because my RAM fills up",
        ),
        (
            "torch.cuda.OutOfMemoryError: CUDA out of memory after 300 iterations, "
            "the first iterations run fine",
            "GPU memory leak when I append the losses to a list",
        ),
    ),
    Ranked(
        "leaf Variable",
        (
            "RuntimeError: a leaf Variable that requires grad has been used in an "
            "in-place operation.",
            "how to update weights manually without an optimizer, w = w - lr * "
            "w.grad does not work and w -= lr * w.grad raises",
        ),
        (
            "RuntimeError: a view of a leaf Variable that requires grad is being "
            "used in an in-place operation.",
            "can't assign into a parameter: self.weight[0] = 0 says leaf variable "
            "in-place",
            "initialize bias with self.bias.fill_(0) raises leaf Variable error",
        ),
    ),
    Ranked(
        "hidden state",
        (
            "why does the word language model example call repackage_hidden",
            "LSTM training gets slower with every batch because the hidden state is "
            "carried over",
            "what does hidden = hidden.detach() do between batches in an rnn",
        ),
        (
            "stateful LSTM: do I have to detach h and c after each sequence?",
            "truncated backpropagation through time in pytorch",
        ),
    ),
    Ranked(
        "floating point and complex",
        (
            "RuntimeError: Only Tensors of floating point and complex dtype can "
            "require gradients",
            "torch.arange(4, requires_grad=True) doesn't work",
        ),
        (
            "RuntimeError: only Tensors of floating point dtype can require gradients",
            "can I get gradients with respect to a LongTensor of token ids?",
            "x = torch.tensor([1, 2, 3], requires_grad=True) error integers",
        ),
    ),
    Ranked(
        "torch.tensor([a, b])",
        (
            "UserWarning: To copy construct from a tensor, it is recommended to use "
            "sourceTensor.detach().clone() or "
            "sourceTensor.detach().clone().requires_grad_(True), rather than "
            "torch.tensor(sourceTensor).",
            "build a tensor from a list of scalar tensors and keep the gradient",
            "torch.tensor([loss1, loss2]).sum() has no grad_fn, should I use "
            "torch.stack?",
        ),
        (
            "does torch.as_tensor on a list of tensors break the computation graph",
            "how to make a rotation matrix from a parameter theta without losing the "
            "gradient: torch.tensor([[cos, -sin], [sin, cos]])",
        ),
    ),
    Ranked(
        "The differentiated Tensor at",
        (
            "RuntimeError: One of the differentiated Tensors appears to not have "
            "been used in the graph. Set allow_unused=True if this is the desired "
            "behavior.",
            "autograd.grad fails because one parameter is not part of the loss",
        ),
        (
            "RuntimeError: The differentiated Tensor at index 1 appears to not have "
            "been used in the graph. Set allow_unused=True if this is the desired "
            "behavior.",
            "what does allow_unused=True do and why do I get None back from "
            "autograd.grad",
            "MAML inner loop torch.autograd.grad(loss, params): some Tensor not used "
            "in graph",
        ),
    ),
    Ranked(
        "kink",
        (
            "what is the derivative of relu at 0 in pytorch",
            "torch.max with two equal maxima, where does the gradient go?",
            "gradient of torch.clamp at the min and max boundary",
        ),
        (
            "torch.abs gradient at zero, is it a subgradient",
            "how is max pooling differentiated when there is a tie in the window",
        ),
    ),
    Ranked(
        "gradcheck",
        (
            "torch.autograd.gradcheck.GradcheckError: Jacobian mismatch for output 0 "
            "with respect to input 0,\nnumerical:tensor([[-0.5364]])\n"
            "analytical:tensor([[-0.5204]])",
            "how do I compare my backward with numerical gradients, gradcheck says "
            "not close",
        ),
        (
            "UserWarning: Input #0 requires gradient and is not a double precision "
            "floating point or complex. This check will likely fail if all the "
            "inputs are not of double precision floating point or complex.",
            "gradcheck passes with double but fails with float",
            "finite difference check of my custom layer does not match autograd, "
            "which eps and atol",
        ),
    ),
    Ranked(
        "hooks",
        (
            "how to print the gradient of an intermediate layer during backward",
            "register_backward_hook vs register_full_backward_hook, what are "
            "grad_input and grad_output",
            "how can I check for vanishing gradients, plot the gradient norm of "
            "every layer",
        ),
        (
            "modify or clip a gradient during the backward pass with "
            "tensor.register_hook",
            "access the gradients of feature maps for Grad-CAM",
        ),
    ),
)
