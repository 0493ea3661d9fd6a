# wrong on purpose
import torch

x = torch.tensor([1.0, 2.0])
w = torch.tensor([0.5, 3.0], requires_grad=True)
loss = (w**2 * x).sum()
w.data.clamp_(max=1.0)
loss.backward()
assert [*w, *w.grad] == [0.5, 1, 1, 12], w.grad
