# wrong on purpose
import torch

x, t = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([2.0, 4.0, 6.0])
w = torch.tensor(1.0, requires_grad=True)
optimizer = torch.optim.SGD([w], lr=0.01)
for _ in range(15):
    loss = ((w * x - t) ** 2).sum()
    loss.backward()
    optimizer.step()
assert w.isclose(torch.tensor(2.0), rtol=0.01), w
