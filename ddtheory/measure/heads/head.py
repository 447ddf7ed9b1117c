"""What a head is, and when it cannot tell a law that stands still from one whose numbers are too small.

A head knows two things. `whitened` sends an output tangent v to a tensor whose squared norm, sample by
sample, is the Fisher metric vᵀG(f)v of the law p(y | f): the *expected* Fisher, labels drawn from the
model, never the empirical one. `divergence` is KL(q ‖ p) in nats between the law at the truth and the law
at other outputs, computed from the difference of the outputs so that K ~ δ² keeps its relative accuracy
for every δ that the outputs resolve.

Shapes: outputs and tangents (batch, …) in one floating dtype; `whitened` returns (batch, …), linear in the
tangent; `divergence` returns (batch,), summed over everything but the first dimension.

A head may have a third method, `saturated(outputs, tangents)`, (batch,) of truth values: the outputs of the
sample move, and the law with them, but by less than the dtype holds. A softmax with a gap of 800 between two logits
has p = e⁻⁸⁰⁰ = 0 in float64. Then F = 0 and K = 0 are no proof that anything is flat.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

SIGNS = 0x5EED
STILL = 64.0  # in ε of the outputs: an output whose derivative is smaller than this stands still, to rounding


class Head(Protocol):
    """The law of the label given the outputs. Any object with these two methods is a head."""

    def whitened(self, outputs: Tensor, tangents: Tensor) -> Tensor:
        """A tensor (batch, …), linear in the tangents, whose squared norm per sample is vᵀG(f)v."""
        ...

    def divergence(self, truth_outputs: Tensor, outputs: Tensor) -> Tensor:
        """KL(law at the truth ‖ law at `outputs`) per sample, in nats, shape (batch,)."""
        ...


def per_sample(values: Tensor) -> Tensor:
    """Sum over everything but the first dimension."""
    return values.reshape(values.shape[0], -1).sum(dim=1)


def saturated(head: Head, outputs: Tensor, tangents: Tensor) -> Tensor:
    """(batch,) of truth values: outputs move, and their law by less than the dtype holds.

    A head without the method is asked with signs: where vᵀGv is zero along v and along v with the signs of its entries
    drawn at random, no cancellation can have made it so, and the metric itself is zero where v moves.
    """
    own = getattr(head, "saturated", None)
    if own is not None:
        found: Tensor = own(outputs, tangents)
        return found
    generator = torch.Generator().manual_seed(SIGNS)
    signs = (2.0 * torch.randint(0, 2, tangents.shape, generator=generator) - 1.0).to(tangents)
    lost = [per_sample(head.whitened(outputs, v).square()) < tiny(outputs) for v in (tangents, signs * tangents)]
    return any_of(moving(outputs, tangents)) & lost[0] & lost[1]


def moving(outputs: Tensor, tangents: Tensor) -> Tensor:
    """Where a tangent is more than rounding, in the shape of the tangents."""
    size = outputs.abs().reshape(len(outputs), -1).amax(dim=1).reshape(-1, *(1 for _ in outputs.shape[1:]))
    return tangents.abs() > STILL * torch.finfo(outputs.dtype).eps * (1.0 + size)


def any_of(values: Tensor) -> Tensor:
    """Whether any is true for a sample, (batch,)."""
    return values.reshape(len(values), -1).any(dim=1)


def tiny(like: Tensor) -> float:
    """The smallest positive number of full accuracy."""
    return torch.finfo(like.dtype).tiny
