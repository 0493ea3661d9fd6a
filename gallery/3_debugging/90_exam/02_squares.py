# wrong on purpose
import torch

x, t = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([2.0, 4.0, 6.0])
w = torch.tensor(1.0, requires_grad=True)
loss = (w * x - t) ** 2
loss.backward()
assert w.grad.isclose(torch.tensor(-28 / 3)), w.grad
