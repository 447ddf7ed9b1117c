"""The models that are measured: a perceptron with a Gaussian head, a causal transformer with a vocabulary head."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from ddtheory.measure import Categorical, Gaussian, Problem

HIDDEN = 5  # square layers of the perceptron
BLOCKS = 4  # of the transformer
HEADS = 4
TOKENS = 16  # a sequence
WIDTHS = {  # parameters, about → width of the perceptron, width and vocabulary of the transformer
    10**4: (44, 12, 64),
    10**5: (141, 44, 128),
    10**6: (446, 140, 256),
    10**7: (1414, 448, 512),
}


class Perceptron(nn.Sequential):
    """Square layers with GELU between them, one output."""

    def __init__(self, width: int) -> None:
        layers: list[nn.Module] = []
        for _ in range(HIDDEN):
            layers += [nn.Linear(width, width), nn.GELU()]
        super().__init__(*layers, nn.Linear(width, 1))


class Block(nn.Module):
    """Causal self-attention and a perceptron, each behind a layer norm and beside a skip connection."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.before_attention = nn.LayerNorm(width)
        self.attention = nn.Linear(width, 3 * width)
        self.mix = nn.Linear(width, width)
        self.before_perceptron = nn.LayerNorm(width)
        self.widen = nn.Linear(width, 4 * width)
        self.narrow = nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        samples, tokens, width = x.shape
        joined = self.attention(self.before_attention(x)).view(samples, tokens, 3, HEADS, width // HEADS)
        query, key, value = joined.permute(2, 0, 3, 1, 4)
        attended = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        x = x + self.mix(attended.transpose(1, 2).reshape(samples, tokens, width))
        return x + self.narrow(functional.gelu(self.widen(self.before_perceptron(x))))


class Transformer(nn.Module):
    """Token numbers (samples, tokens) to logits (samples, tokens, vocabulary)."""

    def __init__(self, width: int, vocabulary: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        self.position = nn.Parameter(0.02 * torch.randn(TOKENS, width))
        self.blocks = nn.Sequential(*(Block(width) for _ in range(BLOCKS)))
        self.last = nn.LayerNorm(width)
        self.logits = nn.Linear(width, vocabulary, bias=False)

    def forward(self, numbers: Tensor) -> Tensor:
        return self.logits(self.last(self.blocks(self.embedding(numbers) + self.position)))


ONE_LAYER = {
    "mlp": {"early": "0.weight", "middle": "4.weight", "late": "8.weight"},
    "transformer": {
        "early": "blocks.0.attention.weight",
        "middle": "blocks.2.attention.weight",
        "late": "blocks.3.narrow.weight",
    },
}
DIRECTIONS = ("early", "middle", "late", "all")


@dataclass(frozen=True, eq=False)
class Case:
    """A model on a batch, and labels drawn from it for the rivals that need labels."""

    kind: str
    module: nn.Module
    inputs: Tensor
    labels: Tensor
    problem: Problem

    @property
    def head(self) -> Gaussian | Categorical:
        return Gaussian() if self.kind == "mlp" else Categorical()

    def direction(self, where: str) -> Mapping[str, Tensor]:
        """A random direction inside one layer, or through all of them."""
        generator = torch.Generator().manual_seed(1)
        names = list(self.problem.truth) if where == "all" else [ONE_LAYER[self.kind][where]]
        return {name: torch.randn(self.problem.truth[name].shape, generator=generator) for name in names}


def build(kind: str, size: int, *, device: str, dtype: torch.dtype, scale: int = 1, seed: int = 0) -> Case:
    """256 rows for the perceptron, 16 sequences of 16 tokens for the transformer, `scale` times."""
    torch.manual_seed(seed)
    width, narrow, vocabulary = WIDTHS[size]
    if kind == "mlp":
        module: nn.Module = Perceptron(width)
        inputs = torch.randn(256 * scale, width)
        labels = torch.randn(256 * scale, 1).sign()  # y = f ± 1: with one output the squared score is exact
    else:
        module = Transformer(narrow, vocabulary)
        inputs = torch.randint(vocabulary, (16 * scale, TOKENS))
        with torch.no_grad():
            labels = torch.distributions.Categorical(logits=module(inputs)).sample()
    module = module.to(device=device, dtype=dtype).eval()
    inputs = inputs.to(device=device, dtype=dtype if inputs.is_floating_point() else None)
    head = Gaussian() if kind == "mlp" else Categorical()
    problem = Problem.from_module(module, inputs, head, dtype=dtype)
    module.requires_grad_(False)
    return Case(kind, module, inputs, labels.to(device), problem)
