"""The questions that forums ask most about autograd, in ten wordings each.

They stand in the order of their rank.  Each wording was written before the finder was
tuned on it.  ``tuned`` holds those that it was tuned on; ``held_out`` was asked three
times, and nothing was tuned on its misses.
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
            '  File "/usr/lib/python3.10/site-packages/torch/autograd/__init__.py", '
            "line 200, in backward\n    Variable._execution_engine.run_backward(\n"
            "RuntimeError: element 0 of tensors does not require grad and does not "
            "have a grad_fn",
            "froze all layers for transfer learning and now loss.backward() crashes, "
            "no grad_fn",
            "loss.requires_grad is False after the forward pass, how do I make it "
            "True?",
            "Traceback (most recent call last):\n  File "
            '"/home/jk/proj/train_gan.py", line 88, in <module>\n    '
            "errG.backward()\n  File "
            '"/home/jk/miniconda3/envs/pt/lib/python3.9/site-packages/torch/_tensor.py"'
            ", line 487, in backward\n    torch.autograd.backward(\nRuntimeError: "
            "element 0 of tensors does not require grad and does not have a grad_fn",
            "wrapped trainning step in no_grad by accident, backward says does not "
            "have grad_fn",
            "my custom loss uses numpy inside and then .backward() complains the "
            "tensor doesnt require grad",
        ),
        (
            '  File "D:\\work\\seg\\train.py", line 141, in train_one_epoch\n    '
            "scaler.scale(loss).backward()\n  File "
            '"D:\\envs\\dl\\lib\\site-packages\\torch\\_tensor.py", line 363, in '
            "backward\n    torch.autograd.backward(self, gradient, retain_graph, "
            "create_graph, inputs=inputs)\nRuntimeError: element 0 of tensors does "
            "not require grad and does not have a grad_fn",
            "resnet18 param.requires_grad=False for all, then backward raises no "
            "grad_fn error",
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
            "RuntimeError: Trying to backward through the graph a second time (or "
            "directly access saved tensors after they have already been freed). "
            "Saved intermediate values of the graph are freed when you call "
            ".backward() or autograd.grad(). Specify retain_graph=True if you need "
            "to backward through the graph a second time or if you need to access "
            "saved tensors after calling backward.",
            "I have two losses loss1.backward() and loss2.backward() sharing the "
            "encoder, second one fails with freed buffers",
            "do i need retain_graph if i call backward for generator and "
            "discriminator both",
            "RNN works first batch then second batch: Trying to backward through the "
            "graph a second time, saved intermediate values already freed",
            "pytorch keep_graph persistent like tf GradientTape(persistent=True)",
        ),
        (
            "Trying to backward through the graph a second time, but the saved "
            "intermediate results have already been freed. in pix2pix",
            "encoder shared by two heads, call backward for each head -> buffers freed",
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
            "  File "
            '"C:\\Users\\me\\Anaconda3\\lib\\site-packages\\torch\\autograd\\__init__.py"'
            ", line 173, in backward\n    Variable._execution_engine.run_backward(  # "
            "Calls into the C++ engine to run the backward pass\nRuntimeError: one "
            "of the variables needed for gradient computation has been modified by "
            "an inplace operation: [torch.cuda.FloatTensor [256]] is at version 4; "
            "expected version 3 instead.",
            "nn.ReLU(inplace=True) gives error in backward, works if I set False",
            "writing out[:, i] = h in a loop over timesteps, loss.backward fails: "
            "expected version 0",
        ),
        (
            "which is output 0 of TBackward, is at version 2; expected version 1 "
            "instead. Hint: enable anomaly detection",
            "can i use += in forward() or does it mess up autograd",
            "after pytorch upgrade actor critic code: one of the variables needed "
            "for gradient computation has been modifed by an inplace operation",
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
            "model.fc.weight.grad prints None after loss.backward(), what am I doing "
            "wrong?",
            "AttributeError: 'NoneType' object has no attribute 'data' when I loop "
            "over p.grad.data",
            "weights.grad is None allways, requires_grad=True was set, moved model "
            "to gpu",
            "TypeError: unsupported operand type(s) for *: 'float' and 'NoneType' "
            "when doing w -= lr*w.grad",
            "is_leaf is False so I cant read the gradient, how to keep it",
        ),
        (
            "torch warning accessing .grad of non-leaf, returns None, input = "
            "input.to(device)",
            "param.grad is None for some layers after backward()",
            "x = Variable(torch.ones(2), requires_grad=True)*2 ; x.grad prints None",
        ),
    ),
    Ranked(
        "scalar outputs",
        (
            "RuntimeError: grad can be implicitly created only for scalar outputs",
            "I don't understand the gradient argument in "
            "y.backward(torch.tensor([1., 0.1, 0.001]))",
            "    loss.backward()\n  File "
            '"/opt/conda/lib/python3.8/site-packages/torch/tensor.py", line 185, in '
            "backward\n    torch.autograd.backward(self, gradient, retain_graph, "
            "create_graph)\nRuntimeError: grad can be implicitly created only for "
            "scalar outputs",
            "CrossEntropyLoss with reduction='none' then backward does not work",
            "why can only a scalar call backward() without arguments",
            "RuntimeError: grad can be implicitly created only for scalar outputs, "
            "DataParallel multi gpu",
            "what to pass to .backward() if output is a vector",
        ),
        (
            "loss has shape (32,) and backward complains grad can be implicitly "
            "created only for scalar",
            "y.backward() vs y.backward(torch.ones(3)) whats that argument good for",
            "RuntimeError: grad can be implicitly created only for scalar outputs "
            "... colab, pytorch lightning",
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
            "model.zero_grad() or optimizer.zero_grad(), and where in the loop do I "
            "put it",
            "calling loss.backward() twice doubles x.grad",
            "do gradients add up across loss.backward calls? zero_grad every batch "
            "or every epoch",
            "gradient accumulation pytorch larger effective batch size w/ small vram",
        ),
        (
            "why dont optimizers clear old gradients automatically",
            "optimizer.zero_grad(set_to_none=True) faster?",
            "simulate batch size 256 with 4 steps of 64, scale the loss?",
        ),
    ),
    Ranked(
        "detach, no_grad",
        (
            "model.eval() vs with torch.no_grad() for inference",
            "what is the difference between .data and .detach() in pytorch",
            "should I use torch.no_grad or requires_grad = False to freeze the "
            "backbone?",
            "detach() or with torch.no_grad() for the target network, is it the same",
            "do I still need no_grad if I already called eval() at validation",
            "inference_mode or no_grad? and eval, whats the diff",
            "tensorflow stop_gradient equivalent in pytorch",
            "x.data vs x.detach() deprecated?",
        ),
        (
            "should validation loop be in torch.no_grad if model.eval() is set",
            "difference .detach() with no_grad() requires_grad=False for a part of "
            "the net",
            "how to block gradients flowing into one branch",
        ),
    ),
    Ranked(
        "NaN",
        (
            "RuntimeError: Function 'SqrtBackward0' returned nan values in its 0th "
            "output.",
            "torch.where gives NaN gradient although the nan branch is not selected",
            "gradient of torch.sqrt at 0 is inf, then everything becomes nan",
            "RuntimeError: Function 'PowBackward0' returned nan values in its 0th "
            "output.",
            "weights turn into NaN after the first optimizer step but the loss was a "
            "normal number",
            "loss becomes nan after few iterations, gradients nan, log(0) maybe",
            "RuntimeError: Function 'LogBackward0' returned nan values in its 0th "
            "output. (detect_anomaly on)",
            "torch.norm backward nan for zero vector",
        ),
        (
            "Function 'DivBackward0' returned nan values in its 1th output",
            "my gradients are NaN but forward output looks ok, mask with torch.where",
            "acos / sqrt grads explode to inf nan near edge of domain",
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
            "/usr/local/lib/python3.7/dist-packages/torch/nn/modules/loss.py:528: "
            "UserWarning: Using a target size (torch.Size([64, 1])) that is "
            "different to the input size (torch.Size([64])). This will likely lead "
            "to incorrect results due to broadcasting. Please ensure they have the "
            "same size.\n  return F.mse_loss(input, target, reduction=self.reduction)",
            "mse_loss broadcasts my labels silently, do I have to squeeze?",
            "loss between tensor of shape [N, 1] and [N] is too large",
            "UserWarning: Using a target size (torch.Size([16])) that is different "
            "to the input size (torch.Size([16, 1])) is deprecated. Please ensure "
            'they have the same size. "Please ensure they have the same '
            'size.".format(target.size(), input.size()))',
            "BCELoss / MSELoss labels need unsqueeze(1)? shape [64] vs [64,1]",
        ),
        (
            "Using a target size (torch.Size([8])) that is different to the input "
            "size (torch.Size([8, 1])). F.mse_loss warning",
            "regression net always predicts the same average value",
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
            "torch.cuda.OutOfMemoryError: CUDA out of memory after 300 iterations, "
            "the first iterations run fine",
            "GPU memory leak when I append the losses to a list",
            "cuda oom after some epochs although batch size is the same",
            "GPU ram usage goes up each iteration until crash, total_loss += loss",
        ),
        (
            "pytorch CUDA out of memory only after a few hundred batches, no leak in "
            "dataloader",
            "avg_loss += loss eats memory?",
            "how to free graph, memory climbs in every step of my loop",
        ),
    ),
    Ranked(
        "leaf Variable",
        (
            "RuntimeError: a leaf Variable that requires grad has been used in an "
            "in-place operation.",
            "how to update weights manually without an optimizer, w = w - lr * "
            "w.grad does not work and w -= lr * w.grad raises",
            "RuntimeError: a view of a leaf Variable that requires grad is being "
            "used in an in-place operation.",
            "can't assign into a parameter: self.weight[0] = 0 says leaf variable "
            "in-place",
            "initialize bias with self.bias.fill_(0) raises leaf Variable error",
            "RuntimeError: a leaf Variable that requires grad is being used in an "
            "in-place operation.\n  at weight.data.normal_ / nn.init",
            "manual sgd step: param -= lr * param.grad error leaf variable",
        ),
        (
            "a leaf Variable that requires grad has been used in an in-place "
            "operation. embedding.weight[idx] = vec",
            "how can I clamp weights after each update w/out error about leaf variable",
        ),
    ),
    Ranked(
        "hidden state",
        (
            "why does the word language model example call repackage_hidden",
            "LSTM training gets slower with every batch because the hidden state is "
            "carried over",
            "what does hidden = hidden.detach() do between batches in an rnn",
            "stateful LSTM: do I have to detach h and c after each sequence?",
            "truncated backpropagation through time in pytorch",
            "LSTM h_t, c_t detach() between batches why",
            "tbptt with retain_graph is slow, carry hidden over sequences",
        ),
        (
            "char-rnn: h = h.data each batch, what for",
            "GRU hidden carry over between minibatches, backward through graph twice "
            "error",
        ),
    ),
    Ranked(
        "floating point and complex",
        (
            "RuntimeError: Only Tensors of floating point and complex dtype can "
            "require gradients",
            "torch.arange(4, requires_grad=True) doesn't work",
            "RuntimeError: only Tensors of floating point dtype can require gradients",
            "can I get gradients with respect to a LongTensor of token ids?",
            "x = torch.tensor([1, 2, 3], requires_grad=True) error integers",
            "requires_grad on int tensor / torch.long not possible?",
            "RuntimeError: Only Tensors of floating point and complex dtype can "
            "require gradients\n>>> nn.Parameter(torch.zeros(3, dtype=torch.int64))",
            "nn.Parameter of uint8 quantized weights raises require gradients",
        ),
        (
            "torch.tensor([1,2,3], requires_grad=True) -> only Tensors of floating "
            "point",
            "requires_grad_() on bool mask fails",
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
            "does torch.as_tensor on a list of tensors break the computation graph",
            "how to make a rotation matrix from a parameter theta without losing the "
            "gradient: torch.tensor([[cos, -sin], [sin, cos]])",
            "torch.tensor(list_of_losses) backward not working, stack instead?",
            "UserWarning: To copy construct from a tensor, it is recommended to use "
            "sourceTensor.clone().detach()",
        ),
        (
            "convert list of tensors to tensor without breaking gradients",
            "torch.FloatTensor([a, b]) detaches my params? use stack or cat",
            "warning To copy construct from a tensor, it is recommended to use "
            "sourceTensor.clone().detach()",
        ),
    ),
    Ranked(
        "The differentiated Tensor at",
        (
            "RuntimeError: One of the differentiated Tensors appears to not have "
            "been used in the graph. Set allow_unused=True if this is the desired "
            "behavior.",
            "autograd.grad fails because one parameter is not part of the loss",
            "RuntimeError: The differentiated Tensor at index 1 appears to not have "
            "been used in the graph. Set allow_unused=True if this is the desired "
            "behavior.",
            "what does allow_unused=True do and why do I get None back from "
            "autograd.grad",
            "MAML inner loop torch.autograd.grad(loss, params): some Tensor not used "
            "in graph",
            "torch.autograd.grad -> One of the differentiated Tensors appears to not "
            "have been used in the graph",
            "gradient penalty autograd.grad returns None for the input, allow_unused",
        ),
        (
            "RuntimeError: One of the differentiated Tensors appears to not have "
            "been used in the graph. Set allow_unused=True - PINN second derivative "
            "u_xx",
            "torch.autograd.grad unused inputs allow_unused gives None",
        ),
    ),
    Ranked(
        "kink",
        (
            "what is the derivative of relu at 0 in pytorch",
            "torch.max with two equal maxima, where does the gradient go?",
            "gradient of torch.clamp at the min and max boundary",
            "torch.abs gradient at zero, is it a subgradient",
            "how is max pooling differentiated when there is a tie in the window",
            "how does pytorch differentiate non-differentiable functions like relu, "
            "abs",
            "argmax tie gradient torch.max split evenly or one",
            "sign of zero, subgradient of L1",
        ),
        (
            "does relu have gradient 0 or 1 at x=0",
            "gradient of max when several entries are the same",
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
            "UserWarning: Input #0 requires gradient and is not a double precision "
            "floating point or complex. This check will likely fail if all the "
            "inputs are not of double precision floating point or complex.",
            "gradcheck passes with double but fails with float",
            "finite difference check of my custom layer does not match autograd, "
            "which eps and atol",
            "GradcheckError: Jacobian mismatch for output 0 with respect to input 1",
            "verify custom autograd function numerically",
        ),
        (
            "gradcheck float32 tolerance fails, custom op cuda",
            "numerical vs analytical gradient mismatch in my autograd.Function",
            "GradcheckError: Jacobian computed with forward/reverse numerical "
            "mismatch for output 0 with respect to input 0",
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
            "modify or clip a gradient during the backward pass with "
            "tensor.register_hook",
            "access the gradients of feature maps for Grad-CAM",
            "get grad of hidden layer output, register_forward_hook or backward hook",
            "print grads inside nn.Sequential while backprop",
            "keras/tf get activations gradients equivalent pytorch gradcam",
        ),
        (
            "print gradient flowing through a layer, register_full_backward_hook "
            "example",
            "log grad norms of all layers tensorboard exploding",
        ),
    ),
)
