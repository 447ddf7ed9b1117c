"""Whose labels a gradient Gram averages over: those of the model, or targets with noise.

The Fisher needs labels drawn from the model: all of them, each with its probability, or some of them at random where
the outputs are many. The *empirical* second moment of the gradients uses the labels of the
data; near a minimum without noise its residual dies too, and every rate read from it is off by that of the residual.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import torch
from torch import Tensor

from ddtheory.errors import InvalidValueError, MeasurementError
from ddtheory.measure.borrowed import borrowed
from ddtheory.measure.doors import count, real_number, real_tensor, seed_number, shown
from ddtheory.measure.matrices.gram import GramFactor
from ddtheory.measure.setting.batch import Inputs, Labelled
from ddtheory.measure.setting.problem import Problem

LARGEST_EXACT = 256  # output components of a sample for which every label is taken, at one reverse pass each
DRAWS = 64


@dataclass(frozen=True)
class ModelLabels:
    """Labels drawn from the model, the expected Fisher: all of them, or a mean over random ones with error bars.

    With B(f) the root of the metric, BᵀB = G(f), the cotangent c = Bᵀε with independent signs ε has E ccᵀ = G(f). So a
    draw costs one reverse pass for all labels of a sample, where the exact expectation takes one for each component of
    its outputs: 1000 for 1000 classes, 50 000 times the positions for a vocabulary.

    Attributes:
        draws: how many random cotangents a batch; None takes the expectation exactly.
        seed: of the signs.

    Raises:
        InvalidValueError: fewer than two draws, which have no error bar, or a seed that is none.

    >>> ModelLabels(draws=64)
    ModelLabels(draws=64, seed=0)
    """

    draws: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.draws is not None:
            object.__setattr__(self, "draws", count("draws", self.draws, 2))
        object.__setattr__(self, "seed", seed_number(self.seed))


@dataclass(frozen=True, eq=False)
class NoisyTargets:
    """Labels y = target(x) + ε with E εεᵀ = variance · I, under the loss ½‖f − y‖².

    The expectation over the noise is taken in closed form: E_ε[(f − y)(f − y)ᵀ] = rrᵀ + variance · I with the residual
    r = f − target(x). So no label is drawn, and the variance 0 is the noiseless empirical second moment.

    Attributes:
        target: inputs of the problem, a batch at a time, to targets of the shape of the outputs.
        variance: of one output component, in squared units of the outputs.

    Raises:
        InvalidValueError: the variance is negative or not finite.

    >>> labels = NoisyTargets(lambda x: 0 * x, variance=0.25)
    >>> residual = torch.tensor([[3.0]], dtype=torch.float64)
    >>> labels.cotangents(residual, residual).square().sum().item()              # r² + v
    9.25
    """

    target: Callable[[Any], Tensor]
    variance: float

    def __post_init__(self) -> None:
        if not callable(self.target):
            raise InvalidValueError(f"The target is {shown(self.target)}; give a function from inputs to targets.")
        variance = real_number("The noise variance", self.variance)
        if not (variance >= 0 and math.isfinite(variance)):
            raise InvalidValueError(f"The noise variance is {variance!r}; it must be finite and not negative.")
        object.__setattr__(self, "variance", variance)

    def cotangents(self, outputs: Tensor, inputs: Inputs) -> Tensor:
        """Cotangents c (1 + size, batch, …) with Σ c cᵀ = rrᵀ + variance · I for each sample."""
        with borrowed("The target fails", "It gets the inputs of the problem, a batch at a time."):
            target = real_tensor("The target", self.target(inputs.inputs if isinstance(inputs, Labelled) else inputs))
        if target.shape != outputs.shape:
            raise MeasurementError(
                f"The targets have shape {tuple(target.shape)}, the outputs {tuple(outputs.shape)}. "
                "Return one target an output."
            )
        residual = outputs - target
        if isinstance(inputs, Labelled):
            residual = inputs.only(residual)  # what stands where there is no label, padding, is no target
        return torch.cat([residual[None], math.sqrt(self.variance) * unit_cotangents(outputs)])


Labels: TypeAlias = ModelLabels | NoisyTargets | None


class Cotangents:
    """Output cotangents c (batch, …) of which Σ ccᵀ is what the labels make of the loss gradient, batch after batch.

    Without labels they are those of the model: all of them up to `LARGEST_EXACT` output components of a sample, `DRAWS`
    random ones beyond.

    Attributes:
        draws: how many are random; None where the sum is exact.
    """

    def __init__(self, problem: Problem, labels: Labels) -> None:
        if labels is not None and not isinstance(labels, ModelLabels | NoisyTargets):
            raise InvalidValueError(
                f"The labels are {shown(labels)}; give ModelLabels or NoisyTargets, or leave them out."
            )
        self._problem, self._labels = problem, labels
        self.draws = labels.draws if isinstance(labels, ModelLabels) else None
        seed = labels.seed if isinstance(labels, ModelLabels) else 0
        self._generator = torch.Generator().manual_seed(seed)

    def of(self, outputs: Tensor, inputs: Inputs) -> Iterator[Tensor]:
        """Those of one batch."""
        if isinstance(self._labels, NoisyTargets):
            yield from self._labels.cotangents(outputs, inputs)
            return
        whitened, pull_back = torch.func.vjp(
            lambda tangents: self._problem.in_metric(outputs, tangents), torch.zeros_like(outputs)
        )[:2]
        if self._labels is None and whitened[0].numel() > LARGEST_EXACT:
            self.draws = DRAWS
        if self.draws is None:
            for cotangent in unit_cotangents(whitened):
                yield pull_back(cotangent)[0]
            return
        for _ in range(self.draws):
            signs = 2.0 * torch.randint(0, 2, whitened.shape, generator=self._generator) - 1.0
            yield pull_back(signs.to(whitened))[0] / math.sqrt(self.draws)


class Spread:
    """The spread over random draws of the diagonal of a Gram, and the standard errors that it makes."""

    def __init__(self) -> None:
        self._diagonals: dict[int, Tensor] = {}

    def add(self, number: int, rows: Tensor, draws: int | None) -> None:
        """The rows (·, width) of one draw, for one batch; nothing where the sum over labels is exact."""
        if draws is not None:
            diagonal = draws * rows.double().square().sum(dim=0)
            self._diagonals[number] = self._diagonals.get(number, torch.zeros_like(diagonal)) + diagonal

    def onto(self, gram: GramFactor, total: float) -> GramFactor:
        """The Gram with the standard errors of its diagonal."""
        if not self._diagonals:
            return gram
        diagonals = torch.stack(list(self._diagonals.values())) / total
        return replace(gram, errors=diagonals.std(dim=0) / math.sqrt(len(diagonals)))


def unit_cotangents(outputs: Tensor) -> Tensor:
    """One cotangent for each output component, shape (size, batch, …)."""
    size = outputs[0].numel()
    identity = torch.eye(size, dtype=outputs.dtype, device=outputs.device).reshape(size, 1, *outputs.shape[1:])
    return identity.expand(size, *outputs.shape)
