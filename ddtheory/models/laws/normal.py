"""Gaussian models with a mean and a covariance that both depend on the parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sympy import Expr, Matrix

from ddtheory.errors import InvalidValueError
from ddtheory.exact.numbers.zero import is_zero, sign
from ddtheory.models.laws.law import Comparison
from ddtheory.models.reading import said

if TYPE_CHECKING:
    from torch import Tensor

    from ddtheory.measure import Head

_SAYS = (
    "With M = Σ*^(−1/2) Σ Σ*^(−1/2), K = ½ (tr M⁻¹ − n − log det M⁻¹) + ½ ‖Σ^(−1/2)(μ − μ*)‖², and "
    "ν − 1 − log ν ≍ (ν − 1)² for the eigenvalues ν of M⁻¹ near 1: K ≍ ‖μ − μ*‖² + ‖Σ − Σ*‖²."
)


@dataclass(frozen=True)
class Normal:
    """y ~ N(μ, Σ) in n dimensions; the outputs are μ and then the rows of Σ."""

    size: int
    name: str = "gaussian"
    uniform: bool = False

    def parts(self, outputs: Sequence[Expr]) -> tuple[Matrix, Matrix]:
        """μ and Σ."""
        return Matrix(outputs[: self.size]), Matrix(self.size, self.size, list(outputs[self.size :]))

    def compare(self, outputs: Sequence[Expr], truth: Sequence[Expr]) -> Comparison:
        _, covariance = self.parts(outputs)
        _, true_covariance = self.parts(truth)
        self._refuse_asymmetric(covariance)
        self._refuse_indefinite(true_covariance)
        kept = [*range(self.size), *(self.size * (1 + i) + j for i in range(self.size) for j in range(i, self.size))]
        return Comparison(tuple(outputs[place] - truth[place] for place in kept), _SAYS)

    def divergence(self, outputs: Sequence[Expr], truth: Sequence[Expr]) -> Expr:
        import sympy

        mean, covariance = self.parts(outputs)
        true_mean, true_covariance = self.parts(truth)
        determinant, adjugate = covariance.det(method="berkowitz"), covariance.adjugate()
        step = mean - true_mean
        trace = (adjugate * (true_covariance + step * step.T)).trace() / determinant
        return (trace - self.size + sympy.log(determinant / true_covariance.det(method="berkowitz"))) / 2

    def _refuse_asymmetric(self, covariance: Matrix) -> None:
        for i in range(self.size):
            for j in range(i):
                if not is_zero(covariance[i, j] - covariance[j, i]):
                    raise InvalidValueError(
                        f"The covariance is not symmetric: {said(covariance[i, j])} against {said(covariance[j, i])}."
                    )

    def _refuse_indefinite(self, covariance: Matrix) -> None:
        if covariance.free_symbols:
            raise InvalidValueError("The true covariance depends on an input that is not given point by point.")
        if any(sign(covariance[:k, :k].det()) <= 0 for k in range(1, self.size + 1)):
            raise InvalidValueError(
                "The true covariance is not positive definite: the truth has no density, and K ≍ Σ f² fails. Leave out "
                "the coordinates that are constant, or add noise."
            )

    def head(self) -> Head:
        from ddtheory.models.laws.normal_head import NormalHead

        return NormalHead(self.size)

    def as_head_takes(self, outputs: Tensor) -> Tensor:
        return outputs
