"""Two-class problems that a ReLU network fits without end, many seeds in one training, from any point of the orbit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from ddtheory.workbench.measurements.full_batches import Draws, Make, descend

Kind = Literal["clouds", "teacher"]

INPUTS, HIDDEN, SAMPLES, HELD_OUT = 8, 32, 96, 500


@dataclass(frozen=True)
class Curves:
    """Mean losses at every `every`-th step, the start first, of shape (readings, problems)."""

    every: int
    training: Tensor
    held_out: Tensor


class Networks(nn.Module):
    """One network for each problem, x ↦ A relu(Wx + b) + c, whose channels stand side by side.

    A channel is a row of `first` and an entry of `bias`, and a column of `last`.

    The loss is the sum over problems, and DDCAdam and AdamW look at channels and at entries, so each network is trained
    as it would be alone.
    """

    def __init__(self, first: Tensor, bias: Tensor, last: Tensor) -> None:
        super().__init__()
        problems = first.shape[0] // HIDDEN
        self.first, self.bias, self.last = (nn.Parameter(value.clone()) for value in (first, bias, last))
        self.out = nn.Parameter(first.new_zeros(problems, 1, last.shape[0]))

    def forward(self, x: Tensor) -> Tensor:
        """(problems, samples, inputs) to (problems, samples, 2)."""
        problems = x.shape[0]
        weights, last = self.first.reshape(problems, HIDDEN, -1), self.last.reshape(-1, problems, HIDDEN)
        hidden = torch.relu(x @ weights.mT + self.bias.reshape(problems, 1, HIDDEN))
        return hidden @ last.permute(1, 2, 0) + self.out


class OverTraining:
    """Problems of both kinds for every seed, in float64: "clouds" that overlap, and a "teacher" without noise.

    Clouds are normal with means ±e₁, so no classifier errs on less than 16 % of fresh samples. The teacher has four
    ReLU units of random directions, two for each class. There are fewer samples than a network has parameters.

    >>> OverTraining(("clouds",), seeds=[0, 1]).inputs.shape
    torch.Size([2, 96, 8])
    """

    def __init__(self, kinds: Sequence[Kind], seeds: Sequence[int]) -> None:
        drawn = [_problem(kind, seed) for kind in kinds for seed in seeds]
        data = [torch.stack([each[i] for each in drawn]) for i in range(4)]
        self.inputs, self.labels, self.fresh, self.fresh_labels = data
        self._first, self._bias = (torch.cat([each[i] for each in drawn]) for i in (4, 5))
        self._last = torch.cat([each[6] for each in drawn], 1)
        self._logs = torch.cat([each[7] for each in drawn])

    def networks(self, spread: float = 1.0) -> Networks:
        """The start, its channels scaled by factors between 1/spread and spread, which leave the functions alone."""
        factors = spread**self._logs
        return Networks(factors[:, None] * self._first, factors * self._bias, self._last / factors)

    def train(self, make: Make, steps: int, *, spread: float = 1.0, every: int = 10) -> Curves:
        """Full batches; the loss is the mean cross-entropy of each problem."""
        model = self.networks(spread)
        training, held_out = [], []
        for step, losses in enumerate(descend(lambda: _losses(model(self.inputs), self.labels), make(model), steps)):
            if step % every == 0:
                training.append(losses)
                held_out.append(_losses(model(self.fresh), self.fresh_labels).detach())
        return Curves(every, torch.stack(training), torch.stack(held_out))


def _losses(outputs: Tensor, labels: Tensor) -> Tensor:
    found = nn.functional.cross_entropy(outputs.flatten(0, 1), labels.flatten(), reduction="none")
    return found.reshape(labels.shape).mean(1)


def _problem(kind: Kind, seed: int) -> tuple[Tensor, ...]:
    """Inputs and labels, fresh ones, the start (W, b, A), and a number in [−1, 1] for each channel."""
    draws = Draws(seed)
    units = draws.normal(4, INPUTS)

    def draw(samples: int) -> tuple[Tensor, Tensor]:
        x = draws.normal(samples, INPUTS)
        if kind == "teacher":
            heard = torch.relu(x @ units.mT)
            return x, (heard[:, :2].sum(1) > heard[:, 2:].sum(1)).long()
        labels = torch.arange(samples) % 2
        x[:, 0] += 2 * labels - 1
        return x, labels

    first = (2 / INPUTS) ** 0.5 * draws.normal(HIDDEN, INPUTS)
    start = first, 0.1 * draws.normal(HIDDEN), HIDDEN**-0.5 * draws.normal(2, HIDDEN)
    logs = draws.signed(HIDDEN)
    return *draw(SAMPLES), *draw(HELD_OUT), *start, logs
