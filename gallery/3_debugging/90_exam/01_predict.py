# wrong on purpose
import torch

x, t = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([2.0, 4.0, 6.0])
w = torch.tensor(1.0, requires_grad=True)


@torch.no_grad()
def predict(x):
    return w * x


loss = ((predict(x) - t) ** 2).sum()
loss.backward()
assert w.grad == -28, w.grad
