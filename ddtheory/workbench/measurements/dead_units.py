"""Students of one ReLU unit, many seeds in one training, from any point of the orbit and from starts of any size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ddtheory.workbench.measurements.full_batches import Draws, Make, descend

INPUTS, STUDENTS, SAMPLES = 2, 4, 40
DEAD = 1e-3
"""|a|‖w‖ below which a unit counts as dead; that of the teacher is 1."""


class Networks(nn.Module):
    """One network x ↦ A relu(Wx) for each problem, whose units stand side by side: rows of `first`, columns of `last`.

    The loss is a sum over problems, and optimisers that look at units or at entries train each as it would be alone.
    """

    def __init__(self, first: Tensor, last: Tensor) -> None:
        super().__init__()
        self.first, self.last = nn.Parameter(first.clone()), nn.Parameter(last.clone())

    def forward(self, x: Tensor) -> Tensor:
        """(problems, samples, inputs) to (problems, samples)."""
        problems = x.shape[0]
        hidden = torch.relu(x @ self.first.reshape(problems, STUDENTS, -1).mT)
        return (hidden * self.last.reshape(problems, 1, STUDENTS)).sum(-1)


@dataclass(frozen=True, eq=False)
class Trained:
    """Where a training ended.

    Attributes:
        networks: of all problems.
        inputs: (problems, samples, inputs).
        sizes: |a|‖w‖ of each unit, (problems, units), which no rescaling changes.
    """

    networks: Networks
    inputs: Tensor
    sizes: Tensor

    @property
    def dead(self) -> Tensor:
        """Which units are below `DEAD`, (problems, units)."""
        return self.sizes < DEAD

    def alone(self, number: int) -> nn.Module:
        """One of the networks; its layers are "0" and "2"."""
        layers = [nn.Linear(INPUTS, STUDENTS, bias=False), nn.Linear(STUDENTS, 1, bias=False)]
        units = slice(number * STUDENTS, (number + 1) * STUDENTS)
        layers[0].weight.data = self.networks.first.detach()[units].clone()
        layers[1].weight.data = self.networks.last.detach()[:, units].clone()
        return nn.Sequential(layers[0], nn.ReLU(), layers[1])


class DeadUnits:
    """Normal inputs, one teacher unit of length one without noise, students from normal weights; float64.

    >>> DeadUnits(seeds=[0, 1]).inputs.shape
    torch.Size([2, 40, 2])
    """

    def __init__(self, seeds: Sequence[int]) -> None:
        drawn = [_drawn(seed) for seed in seeds]
        self.inputs = torch.stack([each[0] for each in drawn])
        self.labels = torch.stack([each[1] for each in drawn])
        self._first, self._last, self._logs = (torch.cat([each[i] for each in drawn]) for i in (2, 3, 4))

    def networks(self, spread: float = 1.0, scale: float = 1.0) -> Networks:
        """The start: every weight times `scale`, units moved along the orbit by factors from 1/spread to spread."""
        factors = spread**self._logs
        return Networks(scale * factors[:, None] * self._first, (scale * self._last / factors)[None])

    def train(self, make: Make, steps: int, *, spread: float = 1.0, scale: float = 1.0) -> Trained:
        """Full batches; the loss is half the mean square of each problem."""
        model = self.networks(spread, scale)

        def losses() -> Tensor:
            return (model(self.inputs) - self.labels).square().mean(1) / 2

        for _ in descend(losses, make(model), steps):
            pass
        sizes = (model.first.detach().norm(dim=1) * model.last.detach()[0].abs()).reshape(-1, STUDENTS)
        return Trained(model, self.inputs, sizes)


def _drawn(seed: int) -> tuple[Tensor, ...]:
    """Inputs and labels, W, a, and a number in [−1, 1] for each unit."""
    draws = Draws(seed)
    x, teacher, logs = draws.normal(SAMPLES, INPUTS), draws.normal(INPUTS), draws.signed(STUDENTS)
    labels = torch.relu(x @ (teacher / teacher.norm()))
    return x, labels, 0.5 * draws.normal(STUDENTS, INPUTS), 0.5 * draws.normal(STUDENTS), logs
