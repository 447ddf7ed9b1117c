"""The head of N(μ, Σ) with both parts among the outputs."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ddtheory.measure.heads.stable import exponential_remainder


@dataclass(frozen=True)
class NormalHead:
    """y ~ N(μ, Σ); outputs (batch, n + n²) are μ and the rows of Σ.

    The Fisher metric is ‖L⁻¹μ̇‖² + ½‖L⁻¹Σ̇L⁻ᵀ‖², Σ = LLᵀ. With e the eigenvalues of L⁻¹Σ*L⁻ᵀ − 1,
    K = ½ Σ (e − log(1 + e)) + ½‖L⁻¹(μ − μ*)‖², each term computed as exp(u) − 1 − u at u = log(1 + e).
    """

    size: int

    def whitened(self, outputs: Tensor, tangents: Tensor) -> Tensor:
        factor = torch.linalg.cholesky(self._covariance(outputs))
        shift = self._solved(factor, tangents[:, : self.size].unsqueeze(2)).flatten(1)
        return torch.cat([shift, self._congruent(factor, self._covariance(tangents)).flatten(1) / 2**0.5], dim=1)

    def divergence(self, truth_outputs: Tensor, outputs: Tensor) -> Tensor:
        factor = torch.linalg.cholesky(self._covariance(outputs))
        step = self._covariance(truth_outputs) - self._covariance(outputs)
        eigenvalues = torch.linalg.eigvalsh(self._congruent(factor, step))
        shift = self._solved(factor, (outputs - truth_outputs)[:, : self.size].unsqueeze(2)).flatten(1)
        return (exponential_remainder(torch.log1p(eigenvalues)).sum(dim=1) + shift.square().sum(dim=1)) / 2

    def _covariance(self, outputs: Tensor) -> Tensor:
        whole = outputs[:, self.size :].reshape(-1, self.size, self.size)
        return (whole + whole.mT) / 2  # a step that is not symmetric leaves the model; its symmetric part is measured

    def _solved(self, factor: Tensor, values: Tensor) -> Tensor:
        return torch.linalg.solve_triangular(factor, values, upper=False)

    def _congruent(self, factor: Tensor, values: Tensor) -> Tensor:
        """L⁻¹VL⁻ᵀ."""
        return self._solved(factor, self._solved(factor, values).mT)
