"""Exponential families by their log partition function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ddtheory.errors import InvalidValueError, MeasurementError
from ddtheory.measure.doors import shown
from ddtheory.measure.heads.head import any_of, moving, per_sample, tiny
from ddtheory.measure.heads.stable import bregman, hessian, positive_factor, second_along


@dataclass(frozen=True)
class ExponentialFamily:
    """Outputs are natural parameters η of p(y | η) = h(y) exp(η·T(y) − A(η)).

    G = ∇²A(η), and K is the Bregman divergence A(η) − A(η0) − ∇A(η0)·(η − η0), computed where it cancels
    as ∫₀¹ (1 − s) Δᵀ∇²A(η0 + sΔ)Δ ds by Gauss–Legendre quadrature.

    `log_partition` is A, vectorised and differentiable by torch. It may act

    - element by element (result of the shape of η): every output component is an independent label with a
      one-parameter family, the Hessian is diagonal; this is Poisson (`torch.exp`), exponential (η ↦ −log(−η)). Take
      `Bernoulli` rather than `torch.nn.functional.softplus`, which is a straight line beyond 20;
    - on the last dimension (result of the shape of η without it): one family with that many parameters; the
      Hessian is formed for each sample, so keep that dimension small.

    Raises:
        InvalidValueError: A is no function.
        MeasurementError: A has another shape, or is not convex.

    >>> poisson = ExponentialFamily(torch.exp)
    >>> eta = torch.tensor([[0.0]], dtype=torch.float64)
    >>> poisson.whitened(eta, torch.ones_like(eta)).square().item()       # variance = mean = 1
    1.0
    >>> expected = 1.6487212707001282 - 1 - 0.5                           # mean 1 against mean √e
    >>> abs(poisson.divergence(eta, eta + 0.5).item() - expected) < 1e-15
    True
    """

    log_partition: Callable[[Tensor], Tensor]

    def __post_init__(self) -> None:
        if not callable(self.log_partition):
            raise InvalidValueError(
                f"The log partition is {shown(self.log_partition)}; give a function of natural parameters, torch.exp."
            )

    def whitened(self, outputs: Tensor, tangents: Tensor) -> Tensor:
        if self._acts_by_element(outputs):
            curvature = second_along(self.log_partition, outputs, torch.ones_like(outputs))
            if bool((curvature < 0).any()):
                raise MeasurementError(
                    f"The log partition function has second derivative {curvature.min().item():.3g} < 0. "
                    "The log partition of an exponential family is convex: check its sign."
                )
            return curvature.sqrt() * tangents
        factor = positive_factor(hessian(self.log_partition, outputs), "The Hessian of the log partition function")
        return (factor @ tangents.unsqueeze(-1)).squeeze(-1)

    def divergence(self, truth_outputs: Tensor, outputs: Tensor) -> Tensor:
        self._acts_by_element(truth_outputs)
        return per_sample(bregman(self.log_partition, truth_outputs, outputs))

    def saturated(self, outputs: Tensor, tangents: Tensor) -> Tensor:
        """A natural parameter moves where its variance is zero, which no strictly convex log partition gives."""
        if self._acts_by_element(outputs):
            variance = second_along(self.log_partition, outputs, torch.ones_like(outputs))
        else:
            variance = hessian(self.log_partition, outputs).diagonal(dim1=-2, dim2=-1)
        return any_of((variance < tiny(outputs)) & moving(outputs, tangents))

    def _acts_by_element(self, outputs: Tensor) -> bool:
        shape = self.log_partition(outputs).shape
        if shape == outputs.shape:
            return True
        if shape == outputs.shape[:-1]:
            return False
        raise MeasurementError(
            f"The log partition function maps natural parameters {tuple(outputs.shape)} to {tuple(shape)}. "
            "It must act element by element, or reduce the last dimension and keep the others."
        )
