# wrong on purpose
import torch

w = torch.tensor(0.5, requires_grad=True)
optimizer = torch.optim.SGD([w], lr=0.1)
h = torch.tensor(1.0)
for _ in range(3):
    optimizer.zero_grad()
    h = w * h + 1
    h.backward()
    optimizer.step()
assert w.isclose(torch.tensor(0.09)), w
