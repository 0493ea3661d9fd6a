# wrong on purpose
import torch

x = torch.tensor([0.0, 1.0], requires_grad=True)
y = x.exp()
y += 1
y.log().sum().backward()
assert x.grad.allclose(x.sigmoid()), x.grad
