# wrong on purpose
import torch

p = torch.tensor([1.5, 2.0, 3.0], requires_grad=True)
t = torch.tensor([1.0, 2.5, 30.0])
error = (p - t).clamp(-1, 1)
loss = (error**2).sum() / 2
loss.backward()
assert p.grad.equal(torch.tensor([0.5, -0.5, -1.0])), p.grad
