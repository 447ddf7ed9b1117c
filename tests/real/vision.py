"""A vision transformer of two blocks on the digits of scikit-learn, trained until weight decay has killed its units."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

WIDTH, HIDDEN, HEADS = 16, 6, 2


class Squared(nn.Module):
    """max(z, 0)², of order 2 at 0."""

    def forward(self, z: Tensor) -> Tensor:
        return torch.relu(z).square()


class Block(nn.Module):
    def __init__(self, activation: Callable[[], nn.Module]) -> None:
        super().__init__()
        self.before, self.between = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.attention = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
        self.up, self.activation, self.down = nn.Linear(WIDTH, HIDDEN), activation(), nn.Linear(HIDDEN, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        y = self.before(x)
        x = x + self.attention(y, y, y, need_weights=False)[0]
        out: Tensor = x + self.down(self.activation(self.up(self.between(x))))
        return out


class Vision(nn.Module):
    """Four patches of 4 × 4 pixels."""

    def __init__(self, activation: Callable[[], nn.Module]) -> None:
        super().__init__()
        self.patch, self.positions = nn.Linear(16, WIDTH), nn.Parameter(0.02 * torch.randn(1, 4, WIDTH))
        self.blocks = nn.Sequential(Block(activation), Block(activation))
        self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, 10)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.head(self.norm(self.blocks(self.patch(x) + self.positions)).mean(1))
        return out


def digits(samples: int) -> tuple[Tensor, Tensor]:
    """Patches (samples, 4, 16) between 0 and 1, and their classes."""
    datasets = pytest.importorskip("sklearn.datasets", reason="scikit-learn (the extra real) is not installed")
    pixels, classes = datasets.load_digits(return_X_y=True)
    images = torch.tensor(pixels[:samples], dtype=torch.float32).reshape(-1, 2, 4, 2, 4) / 16
    return images.transpose(2, 3).reshape(-1, 4, 16), torch.tensor(classes[:samples])


def trained(activation: Callable[[], nn.Module], decayed: bool, samples: int = 256) -> nn.Module:
    """Adam for 400 steps; then, with `decayed`, momentum for 2600 with weight decay on the hidden layers alone."""
    inputs, classes = digits(samples)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = Vision(activation)
    hidden = [value for name, value in model.named_parameters() if ".up." in name or ".down." in name]
    others = [value for name, value in model.named_parameters() if not (".up." in name or ".down." in name)]
    _descend(model, torch.optim.AdamW(model.parameters(), 3e-3), inputs, classes, 400)
    if decayed:
        groups = [{"params": hidden, "weight_decay": 8e-3}, {"params": others}]
        _descend(model, torch.optim.SGD(groups, 0.05, momentum=0.9), inputs, classes, 2600)
    return model.eval()


def _descend(model: nn.Module, optimizer: torch.optim.Optimizer, inputs: Tensor, classes: Tensor, steps: int) -> None:
    for _ in range(steps):
        optimizer.zero_grad()
        F.cross_entropy(model(inputs), classes).backward()
        optimizer.step()
