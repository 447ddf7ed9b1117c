"""Whose labels a gradient Gram averages over: those of the model, or targets with noise.

The Fisher needs labels drawn from the model. The *empirical* second moment of the gradients uses the labels of the
data; near a minimum without noise its residual dies too, and every rate read from it is off by that of the residual.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ddtheory.errors import InvalidValueError, MeasurementError
from ddtheory.measure.batch import Inputs, Labelled
from ddtheory.measure.borrowed import borrowed
from ddtheory.measure.doors import real_number, real_tensor, shown
from ddtheory.measure.problem import Problem


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
        return torch.cat([residual[None], math.sqrt(self.variance) * unit_cotangents(outputs)])


def cotangents(problem: Problem, outputs: Tensor, inputs: Inputs, labels: NoisyTargets | None) -> Tensor:
    """Output cotangents c (q, batch, …) whose sum of squares Σ_q c cᵀ is what the labels make of the loss gradient.

    Without `labels` it is the metric G(f) of the head: labels drawn from the model, the expected Fisher.
    """
    if labels is not None and not isinstance(labels, NoisyTargets):
        raise InvalidValueError(f"The labels are {shown(labels)}; give NoisyTargets, or leave them out.")
    if labels is not None:
        return labels.cotangents(outputs, inputs)
    whitened, pull_back = torch.func.vjp(
        lambda tangents: problem.in_metric(outputs, tangents), torch.zeros_like(outputs)
    )[:2]
    return torch.stack([pull_back(cotangent)[0] for cotangent in unit_cotangents(whitened)])


def unit_cotangents(outputs: Tensor) -> Tensor:
    """One cotangent for each output component, shape (size, batch, …)."""
    size = outputs[0].numel()
    identity = torch.eye(size, dtype=outputs.dtype, device=outputs.device).reshape(size, 1, *outputs.shape[1:])
    return identity.expand(size, *outputs.shape)
