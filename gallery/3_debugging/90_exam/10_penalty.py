# wrong on purpose
import torch

x, t = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([2.0, 4.0, 6.0])
w = torch.tensor(1.0, requires_grad=True)
losses = torch.tensor([((w * a - b) ** 2).item() for a, b in zip(x, t)])
loss = losses.sum() + 0.5 * w**2
loss.backward()
assert w.grad == -27, w.grad
