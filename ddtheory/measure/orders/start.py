"""The Fisher at the true parameter itself, from the samples that do not stand on a kink there.

If F(0) = ‖G^{1/2} J γ'(0)‖² is positive then K(t) = ½F(0)t² + o(t²), whatever kinks the path meets later: the order is
1. What could deceive is a kink at the true parameter, where torch returns a derivative of its own choice. So each
sample is asked again a little further on, and counts when its derivative has changed by less than half: then F has a
limit of at least a quarter of what is counted, on whichever branch the path goes. A derivative that is infinite or NaN
at the true parameter proves nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ddtheory.measure.heads.head import per_sample
from ddtheory.measure.orders.pushforward import differentiate
from ddtheory.measure.setting.parameters import squared_norm
from ddtheory.measure.setting.path import Path
from ddtheory.measure.setting.problem import Problem

UNMOVED = 0.1  # a step is not taken when rounding loses more than this share of it
FEWEST_UNITS = 64  # the shorter of two steps away from the true parameter, in ε; the longer one is √ε
CHANGE = 0.25  # the square of the largest relative change of a derivative that has no kink


@dataclass
class Start:
    """Running sums of F(0) along one path.

    Attributes:
        fisher: Σ w ‖G^{1/2} J γ'(0)‖² over the samples whose derivative is continuous there.
        kinked: how many samples of positive weight have a derivative that is not.
        infinite: whether the derivative of a sample is infinite or NaN.
    """

    path: Path
    fisher: float = 0.0
    kinked: int = 0
    infinite: bool = False
    steps: tuple[float, ...] | None = field(default=None, repr=False)

    def see(self, problem: Problem, truth_outputs: Tensor, inputs: Tensor, weights: Tensor) -> None:
        """Add one batch."""
        where = f"at t = 0 on the {self.path.label}"

        def whitened(radius: float) -> tuple[Tensor, Tensor]:
            """G^{1/2} J γ'(t), zero for samples where it is no number, and which ones these are."""
            positions, velocities = self.path.state(radius)
            outputs, tangents = differentiate(problem, positions, velocities, inputs, where)
            numbers = finite(outputs) & finite(tangents)
            keep = numbers.reshape(-1, *(1 for _ in outputs.shape[1:]))
            outputs = torch.where(keep, outputs, truth_outputs)
            return problem.in_metric(outputs, torch.where(keep, tangents, 0.0)), numbers

        first, numbers = whitened(0.0)
        self.infinite |= bool((~numbers & (weights > 0)).any())
        size = per_sample(first.square())
        moving = (size > 0) & (weights > 0)
        smooth = torch.zeros_like(moving)
        for step in self.chosen(problem):
            if not bool((moving & ~smooth).any()):
                break
            near, numbers = whitened(step)
            smooth |= numbers & (per_sample((near - first).square()) <= CHANGE * size)
        self.fisher += float((weights * torch.where(moving & smooth, size, 0.0)).sum())
        self.kinked += int((moving & ~smooth).sum())

    def chosen(self, problem: Problem) -> tuple[float, ...]:
        """The steps that rounding does not undo, from large to small."""
        if self.steps is None:
            epsilon = torch.finfo(problem.dtype).eps
            self.steps = tuple(t for t in (math.sqrt(epsilon), FEWEST_UNITS * epsilon) if self.taken(t))
        return self.steps

    def taken(self, step: float) -> bool:
        """Whether θ0 and γ(t) differ by tγ'(0) in the numbers of the dtype."""
        (origin, velocities), (positions, _) = self.path.state(0.0), self.path.state(step)
        lost = {
            name: (positions[name] - origin[name]) - step * velocity
            for name, velocity in velocities.items()
            if name in positions
        }
        return math.sqrt(squared_norm(lost)) <= UNMOVED * step


def finite(values: Tensor) -> Tensor:
    """Which samples are numbers throughout, (batch,)."""
    return torch.isfinite(values).reshape(len(values), -1).all(dim=1)
