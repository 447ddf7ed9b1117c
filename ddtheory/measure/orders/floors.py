"""How much of a measured Fisher or divergence is rounding.

K and F are squares of amplitudes, and rounding moves amplitudes by about one unit ε of the numbers they are
computed from. So the floors are ε² times a scale, and the scale is probed, not assumed:

- every parameter is moved by one unit, up or down at random with a fixed seed, at the smallest and at the
  largest radius; the divergence between the two models, and the squared change of the whitened tangent,
  are what one rounding of each parameter does;
- the unit is that of the shortest dtype that the model rounds to inside;
- every output is moved by one unit in the same way;
- a sample that stands on a kink at that radius changes its tangent by a jump, which is no rounding: where a minority of
  the samples does, they are left out of the floor;
- for sums that cancel exactly at the true parameter the first two say nothing; there the Jacobian scale
  ε² (1 + ‖θ0‖²) F_r along one random unit direction r stands in.

The floor is the largest of these times SAFETY, since a computation rounds many times and not once. A probe
may leave the domain of the model, or meet a kink at the true parameter; samples where it is NaN are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ddtheory.measure.heads.head import per_sample
from ddtheory.measure.orders.pushforward import differentiate
from ddtheory.measure.setting.direction import unit_direction
from ddtheory.measure.setting.parameters import squared_norm
from ddtheory.measure.setting.problem import Problem

SAFETY = 100.0
SEED = 0x5EED
JUMP = 0.25  # a whitened tangent that one unit ε moves by more than ε to this power of its scale jumps
MINORITY = 0.5  # of the samples: if more of them jump, rounding is as large as that


@dataclass
class Jitter:
    """Weighted sums of what one rounding does at one radius: to F, to K, and to F of the samples that jump."""

    fisher: float = 0.0
    divergence: float = 0.0
    jumps: float = 0.0
    jumping: int = 0

    def add(self, other: Jitter) -> None:
        self.fisher += other.fisher
        self.divergence += other.divergence
        self.jumps += other.jumps
        self.jumping += other.jumping

    def rounding(self, samples: int) -> float:
        """What is rounding of F: all of it, or what the jumps of a minority leave."""
        return self.fisher + (self.jumps if self.jumping > MINORITY * samples else 0.0)


class RoundingProbe:
    """Probes of one problem, shared by all its paths. Sums are over the batches seen so far."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.epsilon = torch.finfo(problem.dtype).eps
        generator = torch.Generator().manual_seed(SEED)
        like = problem.truth.items()
        self.signs = {
            name: torch.randint(0, 2, value.shape, generator=generator, dtype=torch.int8).to(value).mul_(2).sub_(1)
            for name, value in like
        }
        self.random = unit_direction(
            problem.truth,
            # drawn in float32, which is several times faster: a scale needs no more
            {name: torch.randn(value.shape, generator=generator).to(value) for name, value in like},
        )
        self.scale = 0.0
        self.norm = 1.0 + squared_norm(problem.truth)

    def rounds_to(self, dtype: torch.dtype) -> None:
        """The model rounds to this dtype somewhere inside, so that its units are the ones to move by."""
        self.epsilon = max(self.epsilon, torch.finfo(dtype).eps)

    def nudged(self, positions: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """All parameters of the model, those given at `positions`, moved by one relative unit each."""
        everything = {**self.problem.truth, **positions}
        return {name: value * (1.0 + self.epsilon * self.signs[name]) for name, value in everything.items()}

    def see(self, inputs: Tensor, weights: Tensor) -> Tensor:
        """Add a batch to the Jacobian scale F_r; what it is in each sample, (batch,)."""
        truth = {name: self.problem.truth[name] for name in self.random}
        outputs, tangents = differentiate(self.problem, truth, self.random, inputs, "at the true parameter")
        squares = per_sample(self.problem.in_metric(outputs, tangents).square())
        self.scale += weighted_sum(weights, squares)
        return torch.where(torch.isfinite(squares), squares, 0.0)

    def jitter(
        self,
        positions: Mapping[str, Tensor],
        velocities: Mapping[str, Tensor],
        outputs: Tensor,
        whitened: Tensor,
        inputs: Tensor,
        weights: Tensor,
        scale: Tensor,
        where: str,
    ) -> Jitter:
        """What one rounding does at a point of known outputs and tangent; `scale` is what `see` returned."""
        moved, tangents = differentiate(self.problem, self.nudged(positions), velocities, inputs, where)
        fisher = per_sample((self.problem.in_metric(moved, tangents) - whitened).square())
        size = torch.maximum(per_sample(whitened.square()), self.norm * scale)
        # where the Jacobian vanishes, as on a gauge orbit, all of a tangent is rounding: of the outputs, and no jump
        size = torch.maximum(size, self.epsilon * per_sample(outputs.square()))
        jumping = fisher > (self.epsilon**JUMP) ** 2 * size
        generator = torch.Generator().manual_seed(SEED)
        signs = (2.0 * torch.randint(0, 2, outputs.shape, generator=generator) - 1.0).to(outputs)
        divergence = torch.maximum(
            self.problem.kl(outputs, moved),
            self.problem.kl(outputs, outputs * (1.0 + self.epsilon * signs)),
        )
        return Jitter(
            weighted_sum(weights, torch.where(jumping, 0.0, fisher)),
            weighted_sum(weights, divergence),
            weighted_sum(weights, torch.where(jumping, fisher, 0.0)),
            int(jumping.sum()),
        )

    def floors(self, jitters: Iterable[Jitter], samples: int) -> tuple[float, float]:
        """Floors of F and K from what `jitter` found at each radius, summed over the batches."""
        found = list(jitters)
        fisher = max(jitter.rounding(samples) for jitter in found)
        divergence = max(jitter.divergence for jitter in found)
        total = self.problem.total(samples)
        jacobian = self.epsilon**2 * self.norm * self.scale
        least = torch.finfo(self.problem.dtype).tiny  # smaller numbers lose their digits, or are flushed to zero
        return (
            max(SAFETY * max(fisher, jacobian) / total, least),
            max(SAFETY * max(divergence, 0.5 * jacobian) / total, least),
        )


def weighted_sum(weights: Tensor, values: Tensor) -> float:
    """Σ w v over the samples where v is a number."""
    return float((weights * torch.where(torch.isfinite(values), values, 0.0)).sum())
