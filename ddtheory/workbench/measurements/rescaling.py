r"""Optimiser steps on blocks W_1, …, W_L whose positive rescaling ∏ c_i = 1 leaves the function unchanged.

Gradients transform the other way round, g_i → g_i/c_i. A step commutes with the gauge when it maps rescaled blocks to
rescaled blocks; then the function after any number of steps does not depend on the representative it started from.

The gauge-equivariant step reads invariants only. With ρ_i = |W_i| and ĝ_i = ⟨g_i, W_i⟩, for every block

  W_i ← δ (e^{r_i} W_i − η ρ_i u_i),   u_i = tangential part of A(ρ_i (g_i − ĝ_i W_i/ρ_i²)),   r = −η Qᵀ A(Q ĝ),

where A is the state map of Adam, applied to each invariant, δ = 1 − η·decay, and Q is orthogonal with first row
1/√L: for two blocks (ĝ_1 + ĝ_2)/√2 and (ĝ_1 − ĝ_2)/√2. After Shirodkar 2026, Dead-Direction Conditioners.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ddtheory.errors import InvalidValueError

Blocks = list[Tensor]
Step = Callable[[Blocks, Blocks], Blocks]
"""Blocks and their gradients to the next blocks; a step may keep a state."""

ADAM_EPSILON = 1e-8


@dataclass
class AdamState:
    """The state map of Adam: g ↦ m̂/(√v̂ + ε), element by element, with bias correction.

    >>> AdamState()(torch.tensor([4.0, -0.5], dtype=torch.float64)).tolist()          # the first step is the sign
    [0.9999999975, -0.9999999800000003]
    """

    epsilon: float = ADAM_EPSILON
    decays: tuple[float, float] = (0.9, 0.999)
    count: int = field(default=0, init=False)
    first: Tensor | float = field(default=0.0, init=False)
    second: Tensor | float = field(default=0.0, init=False)

    def __call__(self, gradient: Tensor) -> Tensor:
        slow, slower = self.decays
        self.count += 1
        self.first = slow * self.first + (1 - slow) * gradient
        self.second = slower * self.second + (1 - slower) * gradient.square()
        mean, square = self.first / (1 - slow**self.count), self.second / (1 - slower**self.count)
        return mean / (square.sqrt() + self.epsilon)


def gradient_descent(rate: float) -> Step:
    """W − η g."""
    return lambda blocks, gradients: [w - rate * g for w, g in zip(blocks, gradients, strict=True)]


def adam(rate: float, count: int = 2) -> Step:
    """Adam, each block with its own state."""
    states = [AdamState() for _ in range(count)]
    return lambda blocks, gradients: [
        w - rate * state(g) for w, g, state in zip(blocks, gradients, states, strict=True)
    ]


def gauge_adam(
    rate: float,
    count: int = 2,
    *,
    decay: float = 0.0,
    coupled_decay: float = 0.0,
    epsilon: float = ADAM_EPSILON,
    norm_offset: float = 0.0,
    differences: bool = True,
) -> Step:
    """The gauge-equivariant step of the module text.

    Args:
        rate: η.
        count: number of blocks.
        decay: decoupled: all blocks shrink by 1 − η·decay.
        coupled_decay: added to the gradient as decay·W; this breaks the equivariance.
        epsilon: of the state maps.
        norm_offset: divides by ρ + offset in the place of ρ; anything but 0 breaks the equivariance.
        differences: False feeds 0 to the channels of ĝ that measure differences between blocks.

    Raises:
        InvalidValueError: no block, or (at a step) a block of norm zero, which has no direction.

    >>> step = gauge_adam(0.1)
    >>> w, g = torch.tensor([[2.0]], dtype=torch.float64), torch.tensor([[1.0]], dtype=torch.float64)
    >>> [round(float(b), 4) for b in step([w, w], [g, g])]       # ĝ_1 = ĝ_2: one radial step of −η/√2 in log W
    [1.8635, 1.8635]
    """
    if count < 1:
        raise InvalidValueError(f"An optimiser needs at least one block, got {count}.")
    tangents = [AdamState(epsilon=epsilon) for _ in range(count)]
    radial = AdamState(epsilon=epsilon)
    mixing = _mixing(count)

    def step(blocks: Blocks, gradients: Blocks) -> Blocks:
        norms = [w.norm() + norm_offset for w in blocks]
        if not all(bool(w.norm() > 0) for w in blocks):
            raise InvalidValueError(
                "A block is zero, so it has no direction to step along. Start away from the singular point."
            )
        gradients = [g + coupled_decay * w for g, w in zip(gradients, blocks, strict=True)]
        inner = torch.stack([(g * w).sum() for g, w in zip(gradients, blocks, strict=True)])
        invariants = mixing @ inner
        if not differences:
            invariants = torch.cat([invariants[:1], torch.zeros_like(invariants[1:])])
        growth = torch.exp(-rate * mixing.mT @ radial(invariants))
        moved: Blocks = []
        for w, g, norm, along, factor, state in zip(blocks, gradients, norms, inner, growth, tangents, strict=True):
            raw = state(norm * (g - along / norm**2 * w))
            tangential = raw - (raw * w).sum() / norm**2 * w
            moved.append((1 - rate * decay) * (factor * w - rate * norm * tangential))
        return moved

    return step


def descend(loss: Callable[[Blocks], Tensor], blocks: Sequence[Tensor], step: Step, count: int) -> list[Blocks]:
    """The blocks before and after each of `count` steps down the loss.

    >>> path = descend(lambda w: w[0] ** 2, [torch.tensor(1.0, dtype=torch.float64)], gradient_descent(0.25), 2)
    >>> [float(blocks[0]) for blocks in path]
    [1.0, 0.5, 0.25]
    """
    path = [[w.detach() for w in blocks]]
    for _ in range(count):
        leaves = [w.clone().requires_grad_() for w in path[-1]]
        with torch.enable_grad():
            gradients = torch.autograd.grad(loss(leaves), leaves)
        path.append([w.detach() for w in step(path[-1], list(gradients))])
    return path


def rescaled(blocks: Sequence[Tensor], factors: Sequence[float]) -> Blocks:
    """c_i W_i.

    >>> [float(w) for w in rescaled([torch.tensor(2.0), torch.tensor(2.0)], [4.0, 0.25])]
    [8.0, 0.5]
    """
    return [factor * w for w, factor in zip(blocks, factors, strict=True)]


def _mixing(count: int) -> Tensor:
    """Helmert's orthogonal matrix: the sum first, then differences."""
    rows = [torch.full((count,), count**-0.5, dtype=torch.float64)]
    for size in range(1, count):
        row = torch.zeros(count, dtype=torch.float64)
        row[:size], row[size] = 1.0, -float(size)
        rows.append(row / (size * (size + 1)) ** 0.5)
    return torch.stack(rows)
