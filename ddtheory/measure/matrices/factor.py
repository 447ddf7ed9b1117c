"""A triangular factor of rows that come in batches, and what it says of their last column."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ddtheory.errors import MeasurementError

ENOUGH = 2  # rows a column that wait before they are reduced: one reduction of few rows costs as much as of many
RANK_TOLERANCE = 1e3  # singular values below this many ε of the largest are a kernel, not a small eigenvalue


@dataclass(frozen=True)
class FactorReading:
    """Sums over samples, not yet divided by their number."""

    schur: float
    fisher: float
    smallest_positive: float
    dropped: int


class Factor:
    """A triangular factor R of tall rows that come in batches: RᵀR = Σ rowsᵀrows, which is never formed."""

    def __init__(self) -> None:
        self._triangle: Tensor | None = None
        self._waiting: list[Tensor] = []

    def add(self, rows: Tensor) -> None:
        if rows.is_complex():  # a cast would drop the imaginary parts in silence
            raise MeasurementError("The values are complex, and a Gram of real numbers is wanted. Choose a real layer.")
        self._waiting.append(rows.double())
        if sum(map(len, self._waiting)) > ENOUGH * rows.shape[1]:
            self._reduce()

    @property
    def triangle(self) -> Tensor | None:
        """R, or nothing where no batch was seen."""
        if self._waiting:
            self._reduce()
        return self._triangle

    def _reduce(self) -> None:
        known = [] if self._triangle is None else [self._triangle]
        self._triangle = torch.linalg.qr(torch.cat([*known, *self._waiting]), mode="r").R
        self._waiting = []

    def read(self, basis: Tensor) -> FactorReading:
        """Project the last column on the others; `basis` is the triangular factor of the directions."""
        triangle = self.triangle
        if triangle is None:
            raise MeasurementError("No batch was seen, so there is nothing to read.")
        others, own = triangle[:, :-1], triangle[:, -1]
        dropped, residual = 0, own
        if others.shape[1]:
            left, values, _ = torch.linalg.svd(others, full_matrices=False)
            kept = values > tolerance(values)
            dropped = others.shape[1] - int(kept.sum())
            span = left[:, kept]
            for _ in range(2):  # the second pass removes what rounding left of the span
                residual = residual - span @ (span.T @ residual)
        spectrum = torch.linalg.svdvals(torch.linalg.solve_triangular(basis.double(), triangle, upper=True, left=False))
        positive = spectrum[spectrum > tolerance(spectrum)]
        return FactorReading(
            schur=float(residual.square().sum()),
            fisher=float(own.square().sum()),
            smallest_positive=float(positive[-1].square()) if len(positive) else 0.0,
            dropped=dropped,
        )


def tolerance(values: Tensor) -> Tensor:
    return RANK_TOLERANCE * torch.finfo(values.dtype).eps * values.max()
