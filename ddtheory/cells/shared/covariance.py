"""Centred Gaussian models given by their covariance: K symbolically, and the torch problem with its labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sympy
from sympy import Expr, Matrix

if TYPE_CHECKING:
    from torch import Tensor

    from ddtheory.measure import Problem


def divergence(covariance: Matrix) -> Expr:
    """K = ½ (tr Σ⁻¹ − n + log det Σ), in nats, of N(0, Σ) from the truth N(0, I).

    >>> s = sympy.Symbol("s", positive=True)
    >>> divergence(Matrix([[s]]))
    log(s)/2 - 1/2 + 1/(2*s)
    """
    determinant = covariance.det(method="berkowitz")
    trace = sympy.Add(*[covariance.minor_submatrix(i, i).det(method="berkowitz") for i in range(covariance.rows)])
    if covariance.rows == 1:
        trace = sympy.Integer(1)
    return (trace / determinant - covariance.rows + sympy.log(determinant)) / 2


@dataclass(frozen=True)
class CentredGaussian:
    """A head for x ~ N(0, Σ) whose outputs are the entries of Σ, (batch, n²).

    The Fisher metric is vᵀGv = ½ tr (Σ⁻¹V)² = ½ ‖L⁻¹VL⁻ᵀ‖², Σ = LLᵀ. With e the eigenvalues of L⁻¹Σ0L⁻ᵀ − 1,
    K = ½ Σ (e − log(1 + e)), each term computed as exp(u) − 1 − u at u = log(1 + e), which does not cancel.
    """

    def whitened(self, outputs: Tensor, tangents: Tensor) -> Tensor:
        return self._congruent(outputs, tangents).flatten(1) / 2**0.5

    def divergence(self, truth_outputs: Tensor, outputs: Tensor) -> Tensor:
        import torch

        from ddtheory.measure.heads.stable import exponential_remainder

        shift = torch.linalg.eigvalsh(self._congruent(outputs, truth_outputs - outputs))
        return exponential_remainder(torch.log1p(shift)).sum(dim=1) / 2

    def labels(self, outputs: Tensor, generator: Any) -> Tensor:
        """Draws x ~ N(0, Σ)."""
        import torch

        covariance = _square(outputs)
        noise = torch.randn(covariance.shape[:2], generator=generator, dtype=outputs.dtype)
        return (torch.linalg.cholesky(covariance) @ noise.unsqueeze(2)).squeeze(2)

    def loss(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """½ xᵀΣ⁻¹x + ½ log det Σ."""
        import torch

        covariance = _square(outputs)
        white = torch.linalg.solve(covariance, labels.unsqueeze(2)).squeeze(2)
        return ((labels * white).sum(dim=1) + torch.linalg.slogdet(covariance).logabsdet) / 2

    def _congruent(self, outputs: Tensor, values: Tensor) -> Tensor:
        """L⁻¹VL⁻ᵀ."""
        import torch

        factor = torch.linalg.cholesky(_square(outputs))
        half = torch.linalg.solve_triangular(factor, _square(values), upper=False)
        return torch.linalg.solve_triangular(factor, half.mT, upper=False)


def _square(flat: Tensor) -> Tensor:
    size = round(flat.shape[1] ** 0.5)
    return flat.reshape(-1, size, size)


def problem(covariance: Callable[[Mapping[str, Tensor]], Tensor], shapes: Mapping[str, tuple[int, ...]]) -> Problem:
    """x ~ N(0, Σ(θ)) with parameters that are 0 at the truth; the one input says nothing."""
    import torch

    from ddtheory.measure import Problem

    def model(parameters: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
        return covariance(parameters).reshape(1, -1).expand(inputs.shape[0], -1)

    truth = {name: torch.zeros(*shape, dtype=torch.float64) for name, shape in shapes.items()}
    return Problem(model, truth, torch.ones(1, 1, dtype=torch.float64), CentredGaussian())
