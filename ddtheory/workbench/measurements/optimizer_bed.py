"""A small student of one teacher unit, trained by any optimiser from several starts at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ddtheory.measure import Gaussian, Problem
from ddtheory.workbench.measurements.full_batches import Draws, Make, descend

INPUTS, STUDENTS, SAMPLES = 3, 3, 64


class Students(nn.Module):
    """One network x ↦ A φ(Wx) for each problem, with matrices of its own, "inner.0" and "outer.0" for the first."""

    def __init__(self, starts: Sequence[Tensor], activation: nn.Module) -> None:
        super().__init__()
        self.inner = nn.ParameterList([start[:, :-1].clone() for start in starts])
        self.outer = nn.ParameterList([start[:, -1:].mT.clone() for start in starts])
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        """(problems, samples, inputs) to (problems, samples, 1)."""
        hidden = self.activation(x @ torch.stack(list(self.inner)).mT)
        found: Tensor = hidden @ torch.stack(list(self.outer)).mT
        return found


@dataclass(frozen=True, eq=False)
class Trained:
    """Where a training ended, problem by problem: a problem whose layers are "0", "1" and "2", and W and A."""

    networks: Students
    inputs: Tensor

    def problems(self) -> Iterator[Problem]:
        for x, inner, outer in zip(self.inputs, self.networks.inner, self.networks.outer, strict=True):
            first, last = (_layer(matrix.detach()) for matrix in (inner, outer))
            yield Problem.from_module(nn.Sequential(first, self.networks.activation, last), x, Gaussian())

    def balances(self, degree: int) -> Tensor:
        """‖w‖² − p a² of every unit, (problems, units)."""
        pairs = zip(self.networks.inner, self.networks.outer, strict=True)
        return torch.stack([(w.square().sum(1) - degree * a[0].square()).detach() for w, a in pairs])


def _layer(matrix: Tensor) -> nn.Linear:
    layer = nn.Linear(matrix.shape[1], matrix.shape[0], bias=False, dtype=torch.float64)
    layer.weight.data = matrix.clone()
    return layer


class OptimizerBed:
    """Normal inputs, a teacher of one unit without noise, students from normal weights of deviation 0.3; float64.

    >>> OptimizerBed(nn.ReLU(), seeds=[0, 1]).inputs.shape
    torch.Size([2, 64, 3])
    """

    def __init__(self, activation: nn.Module, seeds: Sequence[int]) -> None:
        drawn = [_drawn(seed) for seed in seeds]
        self.activation = activation
        self.inputs = torch.stack([x for x, _, _ in drawn])
        self.labels = activation(self.inputs @ torch.stack([teacher for _, teacher, _ in drawn]))
        self.starts = [start for _, _, start in drawn]

    def start(self) -> Trained:
        return Trained(Students(self.starts, self.activation), self.inputs)

    def train(self, make: Make, steps: int) -> Trained:
        """Full batches; the loss is half the mean square, summed over problems."""
        found = self.start()

        def losses() -> Tensor:
            return (found.networks(self.inputs) - self.labels).square().mean((1, 2)) / 2

        for _ in descend(losses, make(found.networks), steps):
            pass
        return found


def _drawn(seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Inputs, the teacher as a column of length one, and the start, a row (w, a) for each unit."""
    draws = Draws(seed)
    teacher = draws.normal(INPUTS, 1)
    return draws.normal(SAMPLES, INPUTS), teacher / teacher.norm(), 0.3 * draws.normal(STUDENTS, INPUTS + 1)


def silent(make: Make, steps: int, shape: tuple[int, int] = (2, 2)) -> list[float]:
    """The size of a matrix without gradient, from a start of 1 and after each step: what decay alone does."""
    module = nn.ParameterDict({"w": torch.ones(shape, dtype=torch.float64)})
    optimizer = make(module)
    found = [1.0]
    for _ in range(steps):
        module["w"].grad = torch.zeros(shape, dtype=torch.float64)
        optimizer.step()
        found.append(float(module["w"].detach().abs().max()))
    return found
