"""Models of the shapes that people train, small, in plain ``torch.nn``, to be drawn."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

__all__ = ["MODELS", "run"]


class Attention(nn.Module):
    """Attention of several heads, with one projection to queries, keys and values."""

    def __init__(self, size: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.c_attn, self.c_proj = nn.Linear(size, 3 * size), nn.Linear(size, size)

    def forward(self, x: Tensor) -> Tensor:
        parts = self.c_attn(x).split(x.shape[-1], dim=-1)
        q, k, v = (p.unflatten(-1, (self.heads, -1)).transpose(1, 2) for p in parts)
        mixed = scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.c_proj(mixed.transpose(1, 2).flatten(2))


class MLP(nn.Module):
    """Two linear layers with a GELU between."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.c_fc, self.c_proj = nn.Linear(size, 4 * size), nn.Linear(4 * size, size)
        self.act = nn.GELU(approximate="tanh")

    def forward(self, x: Tensor) -> Tensor:
        return self.c_proj(self.act(self.c_fc(x)))


class Block(nn.Module):
    """A layer of GPT-2: norm, attention, norm, MLP, each pair with a way around."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.ln_1, self.attn = nn.LayerNorm(size), Attention(size, 2)
        self.ln_2, self.mlp = nn.LayerNorm(size), MLP(size)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class GPT2(nn.Module):
    """A decoder-only transformer whose head shares the embedding's weight."""

    def __init__(self, layers: int = 12, size: int = 16, words: int = 20) -> None:
        super().__init__()
        self.wte, self.wpe = nn.Embedding(words, size), nn.Embedding(8, size)
        self.h = nn.ModuleList(Block(size) for _ in range(layers))
        self.ln_f = nn.LayerNorm(size)
        self.lm_head = nn.Linear(size, words, bias=False)
        self.lm_head.weight = self.wte.weight

    def forward(self, words: Tensor) -> Tensor:
        x = self.wte(words) + self.wpe(torch.arange(words.shape[1]))
        for block in self.h:
            x = block(x)
        return self.lm_head(self.ln_f(x))


class Sequences(nn.Module):
    """A recurrent module over packed sequences, and the sum of all that comes out."""

    def __init__(self, recurrent: nn.Module) -> None:
        super().__init__()
        self.recurrent = recurrent

    def forward(self, x: Tensor) -> Tensor:
        lengths = [x.shape[0] - 20 * k for k in range(x.shape[1])]
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths)
        return self.recurrent(packed)[0].data


class Unrolled(nn.Module):
    """A cell that is called step by step; the states are collected in a list."""

    def __init__(self, steps: int = 100) -> None:
        super().__init__()
        self.cell, self.steps = nn.LSTMCell(3, 4), steps

    def forward(self, x: Tensor) -> Tensor:
        state, found = None, []
        for _ in range(self.steps):
            state = self.cell(x, state)
            found.append(state[0])
        return torch.stack(found)


class _Assign(torch.autograd.Function):
    """Write one stage's slope among the others, in place, unnoticed by versions."""

    @staticmethod
    def forward(ctx: object, slopes: Tensor, slope: Tensor, at: int) -> Tensor:
        ctx.at = at
        slopes.data[..., at] = slope
        return slopes

    @staticmethod
    def backward(ctx: object, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        slope, grad = grad[..., ctx.at], grad.clone()
        grad[..., ctx.at] = 0
        return grad, slope, None


class ODE(nn.Module):
    """The Runge-Kutta method of Dormand and Prince, with step sizes that vary."""

    STAGES = (
        (1 / 5,),
        (3 / 40, 9 / 40),
        (44 / 45, -56 / 15, 32 / 9),
        (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
        (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
        (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
    )

    def __init__(self, steps: int = 6) -> None:
        super().__init__()
        self.f = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 2))
        self.steps = steps

    def forward(self, y: Tensor) -> Tensor:
        slope = self.f(y)
        for step in range(self.steps):
            dt = torch.tensor(0.05 + 0.01 * step)
            y, slope = self.step(y, slope, dt)
        return y

    def step(self, y: Tensor, slope: Tensor, dt: Tensor) -> tuple[Tensor, Tensor]:
        slopes = torch.empty(*y.shape, 7)
        slopes = _Assign.apply(slopes, slope, 0)
        for k, row in enumerate(self.STAGES):
            factors = torch.tensor(row) * dt
            now = y + (slopes[..., : k + 1] * factors).sum(-1)
            slope = self.f(now)
            slopes = _Assign.apply(slopes, slope, k + 1)
        return now, slope


def _conv(
    given: int, made: int, size: int = 3, stride: int = 1, groups: int = 1
) -> nn.Conv2d:
    own = {"stride": stride, "padding": size // 2, "groups": groups, "bias": False}
    return nn.Conv2d(given, made, size, **own)


class DenseLayer(nn.Module):
    """A layer of DenseNet: it reads all that the layers before it made."""

    def __init__(self, given: int, growth: int) -> None:
        super().__init__()
        self.norm1, self.relu1 = nn.BatchNorm2d(given), nn.ReLU(inplace=True)
        self.conv1 = _conv(given, 4 * growth, 1)
        self.norm2, self.relu2 = nn.BatchNorm2d(4 * growth), nn.ReLU(inplace=True)
        self.conv2 = _conv(4 * growth, growth)

    def forward(self, made: list[Tensor]) -> Tensor:
        x = self.conv1(self.relu1(self.norm1(torch.cat(made, 1))))
        return self.conv2(self.relu2(self.norm2(x)))


class DenseBlock(nn.ModuleDict):
    """Layers of which each reads all those before it."""

    def __init__(self, layers: int, given: int, growth: int) -> None:
        made = [DenseLayer(given + k * growth, growth) for k in range(layers)]
        super().__init__({f"denselayer{k}": m for k, m in enumerate(made, 1)})

    def forward(self, x: Tensor) -> Tensor:
        made = [x]
        for layer in self.values():
            made.append(layer(made))
        return torch.cat(made, 1)


class DenseNet(nn.Module):
    """DenseNet-121, thin."""

    def __init__(self, growth: int = 2) -> None:
        super().__init__()
        size = 2 * growth
        self.features = nn.Sequential()
        self.features.add_module("conv0", _conv(3, size, 7, 2))
        self.features.add_module("norm0", nn.BatchNorm2d(size))
        self.features.add_module("relu0", nn.ReLU(inplace=True))
        self.features.add_module("pool0", nn.MaxPool2d(3, 2, 1))
        for k, layers in enumerate((6, 12, 24, 16), 1):
            block = DenseBlock(layers, size, growth)
            self.features.add_module(f"denseblock{k}", block)
            size += layers * growth
            if k < 4:
                parts = nn.BatchNorm2d(size), nn.ReLU(inplace=True)
                pool = _conv(size, size // 2, 1), nn.AvgPool2d(2)
                self.features.add_module(f"transition{k}", nn.Sequential(*parts, *pool))
                size //= 2
        self.features.add_module("norm5", nn.BatchNorm2d(size))
        self.classifier = nn.Linear(size, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = nn.functional.relu(self.features(x)).mean((2, 3))
        return self.classifier(x)


class Residual(nn.Module):
    """A block of a ResNet: convolutions, and a way around them."""

    def __init__(self, given: int, made: int, stride: int, *, deep: bool) -> None:
        super().__init__()
        inner = made // 4 if deep else made
        sizes = (1, 3, 1) if deep else (3, 3)
        parts = [given, *[inner] * (len(sizes) - 1), made]
        for k, size in enumerate(sizes, 1):
            step = stride if k == len(sizes) - 1 else 1
            self.add_module(f"conv{k}", _conv(parts[k - 1], parts[k], size, step))
            self.add_module(f"bn{k}", nn.BatchNorm2d(parts[k]))
        self.relu, self.count = nn.ReLU(inplace=True), len(sizes)
        self.downsample = None
        if stride > 1 or given != made:
            around = _conv(given, made, 1, stride), nn.BatchNorm2d(made)
            self.downsample = nn.Sequential(*around)

    def forward(self, x: Tensor) -> Tensor:
        y = x
        for k in range(1, self.count + 1):
            y = getattr(self, f"bn{k}")(getattr(self, f"conv{k}")(y))
            y = self.relu(y) if k < self.count else y
        return self.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    """A ResNet of four stages, thin."""

    def __init__(self, depths: tuple[int, ...], *, deep: bool) -> None:
        super().__init__()
        self.conv1, self.bn1 = _conv(3, 8, 7, 2), nn.BatchNorm2d(8)
        self.relu, self.maxpool = nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)
        given = 8
        for k, depth in enumerate(depths, 1):
            made = 8 * 2**k
            steps = [2 if k > 1 and not b else 1 for b in range(depth)]
            blocks = [
                Residual(made if b else given, made, step, deep=deep)
                for b, step in enumerate(steps)
            ]
            self.add_module(f"layer{k}", nn.Sequential(*blocks))
            given = made
        self.avgpool, self.fc = nn.AdaptiveAvgPool2d(1), nn.Linear(given, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(self.avgpool(x).flatten(1))


class Squeeze(nn.Module):
    """Squeeze and excitation: one factor for each channel, from all of them."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc1, self.fc2 = nn.Conv2d(size, 8, 1), nn.Conv2d(8, size, 1)
        self.activation, self.scale = nn.ReLU(), nn.Hardsigmoid()

    def forward(self, x: Tensor) -> Tensor:
        y = self.fc2(self.activation(self.fc1(self.avgpool(x))))
        return self.scale(y) * x


class Inverted(nn.Module):
    """A block of MobileNetV3: widen, filter each channel, squeeze, narrow."""

    def __init__(self, given: int, wide: int, made: int, squeeze: bool) -> None:
        super().__init__()
        act = nn.Hardswish if squeeze else nn.ReLU
        parts = [_conv(given, wide, 1), nn.BatchNorm2d(wide), act()]
        parts += [_conv(wide, wide, 3, 1, wide), nn.BatchNorm2d(wide), act()]
        parts += [Squeeze(wide)] * squeeze
        self.block = nn.Sequential(*parts, _conv(wide, made, 1), nn.BatchNorm2d(made))
        self.around = given == made

    def forward(self, x: Tensor) -> Tensor:
        return self.block(x) + x if self.around else self.block(x)


def mobilenet() -> nn.Module:
    """Make the shape of MobileNetV3, small."""
    rows = [(8, 8, 0), (16, 8, 0), (18, 12, 1), (24, 12, 1), (24, 12, 1), (20, 12, 1)]
    rows += [(20, 12, 1), (28, 24, 1), (40, 24, 1), (40, 24, 1), (44, 24, 0)]
    given, blocks = 8, [_conv(3, 8, 3, 2), nn.BatchNorm2d(8), nn.Hardswish()]
    for wide, made, squeeze in rows:
        blocks.append(Inverted(given, wide, made, bool(squeeze)))
        given = made
    return nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten())


def transformer(layers: int = 6) -> nn.Module:
    """Make torch's own transformer: an encoder, and a decoder that reads from it."""
    own = {"dim_feedforward": 32, "batch_first": True}
    return nn.Transformer(16, 2, layers, layers, **own)


def encoder(layers: int = 12) -> nn.Module:
    """Make an encoder alone, as in BERT."""
    layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
    return nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)


def _words(size: int = 8) -> tuple[Tensor, ...]:
    return (torch.arange(2 * size).reshape(2, size) % 20,)


def _numbers(*shapes: tuple[int, ...]) -> tuple[Tensor, ...]:
    return tuple(torch.randn(*shape) for shape in shapes)


Maker = Callable[[], nn.Module]
_IMAGE = partial(_numbers, (2, 3, 64, 64))
_TWO = partial(_numbers, (2, 5, 16), (2, 5, 16))

# name: (what makes the module, what makes its inputs)
MODELS: dict[str, tuple[Maker, Callable[[], tuple[Tensor, ...]]]] = {
    "GPT-2, 12 layers": (GPT2, _words),
    "nn.Transformer, 6 + 6": (transformer, _TWO),
    "packed GRU, 100 steps": (
        lambda: Sequences(nn.GRU(3, 4)),
        partial(_numbers, (100, 4, 3)),
    ),
    "neural ODE": (ODE, partial(_numbers, (3, 2))),
    "DenseNet-121": (DenseNet, _IMAGE),
    "BERT, 12 layers": (encoder, partial(_numbers, (2, 5, 16))),
    "T5, 2 + 2": (partial(transformer, 2), _TWO),
    "ResNet-18": (lambda: ResNet((2, 2, 2, 2), deep=False), _IMAGE),
    "ResNet-152": (lambda: ResNet((3, 8, 36, 3), deep=True), _IMAGE),
    "MobileNetV3, small": (mobilenet, _IMAGE),
    "LSTM, states collected": (Unrolled, partial(_numbers, (2, 3))),
}


def run(name: str) -> tuple[Tensor, nn.Module]:
    """Make a model, run it, and return a loss and the model."""
    torch.manual_seed(0)
    make, given = MODELS[name]
    model, inputs = make(), given()
    return model(*inputs).sum(), model
