"""Regression: Gaussian noise of one known variance around the outputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sympy
from sympy import Expr

from ddtheory.models.laws.law import Comparison

if TYPE_CHECKING:
    from torch import Tensor

    from ddtheory.measure import Head


@dataclass(frozen=True)
class Noise:
    """y ~ N(f, σ² I), K = ‖f − f*‖²/(2σ²)."""

    variance: Expr
    name: str = "regression"
    uniform: bool = True

    def compare(self, outputs: Sequence[Expr], truth: Sequence[Expr]) -> Comparison:
        found = tuple(f - own for f, own in zip(outputs, truth, strict=True))
        return Comparison(found, "K = E‖f − f*‖²/(2σ²), a sum of squares as it stands.")

    def divergence(self, outputs: Sequence[Expr], truth: Sequence[Expr]) -> Expr:
        return sympy.Add(*[(f - own) ** 2 for f, own in zip(outputs, truth, strict=True)]) / (2 * self.variance)

    def head(self) -> Head:
        from ddtheory.measure import Gaussian

        return Gaussian(float(self.variance))

    def as_head_takes(self, outputs: Tensor) -> Tensor:
        return outputs
