"""The transformer whose layers are read: blocks of `models.py` behind an embedding, before a pooled classifier.

A vocabulary head would have tokens × vocabulary outputs a sample, and an exact G takes one reverse pass for each of
them; a classifier has as many as classes.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

import torch
from models import TOKENS, Block
from torch import Tensor, nn
from torch.nn import functional

from ddtheory.measure import Categorical, Problem

CLASSES = 4
VOCABULARY = 256
LARGE = (24, 184)  # blocks and width: 24 · 12 · 184² weights and a little more, about 10⁷ parameters


class Classifier(nn.Module):
    """Token numbers (samples, tokens) to logits (samples, classes)."""

    def __init__(self, depth: int, width: int, classes: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, width)
        self.position = nn.Parameter(0.02 * torch.randn(TOKENS, width))
        self.blocks = nn.Sequential(*(Block(width) for _ in range(depth)))
        self.last = nn.LayerNorm(width)
        self.logits = nn.Linear(width, classes, bias=False)

    def forward(self, numbers: Tensor) -> Tensor:
        return self.logits(self.last(self.blocks(self.embedding(numbers) + self.position)).mean(dim=1))


@dataclass(frozen=True, eq=False)
class Case:
    """A classifier on a batch; `layers` are the linear layers inside its blocks, four a block."""

    depth: int
    width: int
    module: nn.Module
    inputs: Tensor
    problem: Problem

    @property
    def layers(self) -> list[str]:
        return [
            name
            for name, module in self.module.named_modules()
            if name.startswith("blocks.") and isinstance(module, nn.Linear)
        ]

    def without_last(self) -> Case:
        """The same model on all samples but one."""
        return case_of(self.depth, self.width, self.module, self.inputs[:-1])


def case_of(depth: int, width: int, module: nn.Module, inputs: Tensor) -> Case:
    return Case(depth, width, module, inputs, Problem.from_module(module, inputs, Categorical()))


def build(depth: int, width: int, *, classes: int, samples: int = 16, seed: int = 0) -> Case:
    """Sequences of 16 tokens, float64."""
    torch.manual_seed(seed)
    module = Classifier(depth, width, classes).double().eval().requires_grad_(False)
    return case_of(depth, width, module, torch.randint(VOCABULARY, (samples, TOKENS)))


def training_step(case: Case) -> Callable[[], None]:
    """Forward, backward and an AdamW update on the whole batch, of a copy of the model."""
    module = copy.deepcopy(case.module).train().requires_grad_(True)
    optimiser = torch.optim.AdamW(module.parameters(), lr=1e-4)
    generator = torch.Generator().manual_seed(1)
    labels = torch.randint(module.logits.out_features, (case.inputs.shape[0],), generator=generator)

    def step() -> None:
        optimiser.zero_grad(set_to_none=True)
        functional.cross_entropy(module(case.inputs), labels).backward()
        optimiser.step()

    return step
