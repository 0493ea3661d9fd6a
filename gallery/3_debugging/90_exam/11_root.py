# wrong on purpose
import torch

w = torch.tensor(1.0, requires_grad=True)
x = w * torch.tensor([-1.0, 0.0, 4.0])
y = torch.where(x > 0, x.sqrt(), 0.0).sum()
y.backward()
assert w.grad == 1, w.grad
