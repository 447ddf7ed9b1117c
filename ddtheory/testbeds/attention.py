"""Attention as the beds have it: one map for queries, keys and values, one for the outputs, all tokens see all."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ddtheory.testbeds.bed import linear


def drawn_linear(inputs: int, outputs: int, draw: torch.Generator, *, bias: bool = True) -> nn.Linear:
    """A linear layer of normal weights with variance 1/inputs and a bias of zeros, from a generator of its own."""
    weight = torch.randn(outputs, inputs, generator=draw, dtype=torch.float64) / inputs**0.5
    return linear(weight, torch.zeros(outputs, dtype=torch.float64) if bias else None)


class Attention(nn.Module):
    """x ↦ W_O Σ_heads softmax(q kᵀ/√(width/heads)) v, of shape (samples, tokens, width)."""

    def __init__(self, width: int, heads: int, draw: torch.Generator, *, bias: bool = True) -> None:
        super().__init__()
        self.heads = heads
        self.query_key_value = drawn_linear(width, 3 * width, draw, bias=bias)
        self.output = drawn_linear(width, width, draw, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        samples, tokens, width = x.shape
        each = width // self.heads
        split = self.query_key_value(x).reshape(samples, tokens, 3, self.heads, each)
        query, key, value = split.permute(2, 0, 3, 1, 4)
        seen = (query @ key.mT / each**0.5).softmax(-1) @ value
        found: Tensor = self.output(seen.transpose(1, 2).reshape(samples, tokens, width))
        return found
