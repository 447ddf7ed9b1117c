"""Gram matrices M = E[v vᵀ] kept as a factor, and their spectra: singular values, never the eigenvalues of M.

A Gram matrix holds squares. Formed in float64 it loses every eigenvalue below 10⁻¹⁶ of the largest; the singular values
of a triangular factor R with RᵀR = M keep them down to 10⁻²⁵. Nothing is regularised: eigenvalues that are rounding are
counted as zeros and reported, and what is read is the smallest of the others.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ddtheory.arguments import as_integer
from ddtheory.errors import InvalidValueError, MeasurementError
from ddtheory.measure.doors import count, real_number, real_tensor, shown, text
from ddtheory.measure.matrices.factor import RANK_TOLERANCE
from ddtheory.measure.orders.profile import all_real
from ddtheory.measure.tables import reach
from ddtheory.shown import Shown, decimal

DOUBLE = torch.finfo(torch.float64).eps
ROUNDING = 100.0  # a singular value is off by at most this many ε of the largest one


@dataclass(frozen=True, repr=False)
class Spectrum(Shown):
    """The eigenvalues of a Gram matrix, without those that are zero to rounding.

    Attributes:
        eigenvalues: the positive ones, from large to small.
        zeros: how many were left out. They are exact zeros, or too small to be told from them.
        threshold: eigenvalues at or below this count as zero.
        separation: smallest eigenvalue that was kept over largest that was left out; infinite when none was, or when
            what was left out is exactly zero. A value below 10⁴ says that the cut is not clear.
        epsilon: rounding unit of the numbers that the matrix was computed from.

    >>> spectrum = Spectrum((4.0, 1e-6), zeros=1, threshold=1e-25, separation=math.inf)
    >>> spectrum.size, spectrum.smallest_positive, round(spectrum.log_det_plus, 6) == round(math.log(4e-6), 6)
    (3, 1e-06, True)
    """

    eigenvalues: tuple[float, ...]
    zeros: int
    threshold: float
    separation: float
    epsilon: float = DOUBLE

    def __post_init__(self) -> None:
        eigenvalues = all_real("eigenvalue", self.eigenvalues)
        if any(not (value > 0 and math.isfinite(value)) for value in eigenvalues):
            raise InvalidValueError("An eigenvalue is not positive and finite. Count those that are zero in `zeros`.")
        object.__setattr__(self, "eigenvalues", tuple(sorted(eigenvalues, reverse=True)))
        object.__setattr__(self, "zeros", count("zeros", self.zeros, 0))
        for name in ("threshold", "separation", "epsilon"):
            object.__setattr__(self, name, real_number(name, getattr(self, name)))

    def __repr__(self) -> str:
        return f"Spectrum({len(self.eigenvalues)} eigenvalues {reach(self.eigenvalues)}, {self.zeros} zeros)"

    def latex(self) -> str:
        if not self.eigenvalues:
            return rf"\lambda = 0 \times {self.zeros}"
        zeros = rf",\quad 0 \times {self.zeros}" if self.zeros else ""
        return rf"\lambda_1 = {decimal(self.eigenvalues[0])},\quad \lambda^+ = {decimal(self.eigenvalues[-1])}{zeros}"

    def rows(self) -> Mapping[str, str]:
        return {
            "eigenvalues": f"{len(self.eigenvalues)}, {reach(self.eigenvalues)}",
            "zeros": str(self.zeros),
            "threshold": f"{self.threshold:.3g}",
            "separation": f"{self.separation:.3g}",
        }

    @property
    def size(self) -> int:
        return len(self.eigenvalues) + self.zeros

    @property
    def smallest_positive(self) -> float:
        """λ⁺, blind to how many directions share it.

        Raises:
            MeasurementError: all eigenvalues are zero.
        """
        if not self.eigenvalues:
            raise MeasurementError("Every eigenvalue is zero to rounding, so there is no smallest positive one.")
        return self.eigenvalues[-1]

    @property
    def log_det_plus(self) -> float:
        """log det⁺ = Σ log λ over the positive eigenvalues, in nats. It counts every direction that dies."""
        return math.fsum(math.log(value) for value in self.eigenvalues)

    @property
    def relative_error(self) -> float:
        """Bound on the relative rounding error of the smallest positive eigenvalue."""
        return 2 * ROUNDING * self.epsilon * math.sqrt(self.eigenvalues[0] / self.smallest_positive)


@dataclass(frozen=True, eq=False, repr=False)
class GramFactor(Shown):
    """A Gram matrix M = RᵀR of shape (width, width), kept as its triangular factor.

    Attributes:
        triangle: R, (rows, width) float64 with rows ≤ width, already divided by the square root of the sample count.
        label: how messages and tables call it.
        epsilon: rounding unit of the numbers that went in; that of float32 for a float32 model.
        errors: standard errors of the diagonal entries, (width,), where M is a mean over random draws of labels; None
            where it is exact to rounding.
    """

    triangle: Tensor
    label: str = ""
    epsilon: float = DOUBLE
    errors: Tensor | None = None

    def __post_init__(self) -> None:
        triangle = real_tensor("The factor", self.triangle)
        if triangle.ndim != 2 or not triangle.is_floating_point():
            raise InvalidValueError(f"The factor is {shown(triangle)}; it needs real numbers, (rows, width).")
        object.__setattr__(self, "triangle", triangle.detach().double())
        text("The label", self.label)
        if self.errors is not None:
            errors = real_tensor("The tensor of errors", self.errors).detach().double()
            if tuple(errors.shape) != (self.width,):
                raise InvalidValueError(f"There are {tuple(errors.shape)} errors for a Gram of width {self.width}.")
            object.__setattr__(self, "errors", errors)

    def __repr__(self) -> str:
        drawn = "" if self.errors is None else f", trace ± {self._uncertainty():.2g}"
        return f"GramFactor({self.label!r}, {self.width} × {self.width}, rank ≤ {min(self.triangle.shape)}{drawn})"

    def _uncertainty(self) -> float:
        """At most this is the standard error of the trace: entries of one draw are not independent."""
        return 0.0 if self.errors is None else float(self.errors.sum())

    def latex(self) -> str:
        most = min(self.triangle.shape)
        return rf"M = R^\top R \in \mathbb{{R}}^{{{self.width} \times {self.width}}},\quad \text{{rank}} \le {most}"

    @property
    def width(self) -> int:
        return self.triangle.shape[1]

    def matrix(self) -> Tensor:
        """M itself, (width, width). For entries of order one; small eigenvalues are lost in it."""
        return self.triangle.mT @ self.triangle

    def along(self, direction: Tensor) -> float:
        """uᵀMu = ‖Ru‖² for a direction of shape (width,), scaled to unit length."""
        direction = real_tensor("The direction", direction).detach().to(self.triangle)
        length = float(direction.norm())
        if tuple(direction.shape) != (self.width,) or not length > 0:
            raise InvalidValueError(
                f"The direction has shape {tuple(direction.shape)} and length {length:.3g}; "
                f"it needs shape ({self.width},) and a positive length."
            )
        return float((self.triangle @ (direction / length)).square().sum())

    def entry(self, index: int) -> float:
        """M_ii, from the column of the factor.

        Raises:
            InvalidValueError: there is no such index.
        """
        place = as_integer(index)
        if place is None or not -self.width <= place < self.width:
            raise InvalidValueError(f"The index is {shown(index)}; it goes from 0 to {self.width - 1} here.")
        return float(self.triangle[:, place].square().sum())

    def spectrum(self) -> Spectrum:
        """Eigenvalues as squared singular values of the factor.

        >>> graded = GramFactor(torch.diag(torch.tensor([1.0, 1e-11, 0.0], dtype=torch.float64)))
        >>> found = graded.spectrum()
        >>> abs(found.smallest_positive / 1e-22 - 1) < 1e-3, found.zeros             # eigvalsh would find 0
        (True, 1)
        """
        if not bool(torch.isfinite(self.triangle).all()):
            raise MeasurementError(f"The Gram {self.label!r} is NaN or infinite. The model has left its domain.")
        values = torch.linalg.svdvals(self.triangle)
        cut = RANK_TOLERANCE * self.epsilon * float(values[0]) if len(values) else 0.0
        kept = [float(value) ** 2 for value in values if float(value) > cut and float(value) ** 2 > 0]
        left_out = float(values[len(kept)]) ** 2 if len(kept) < len(values) else 0.0
        separation = kept[-1] / left_out if kept and left_out > 0 else math.inf
        return Spectrum(tuple(kept), self.width - len(kept), cut**2, separation, self.epsilon)

    def null_vector(self) -> Tensor:
        """The right singular vector of the smallest singular value, (width,); its largest entry is positive."""
        padded = torch.cat([self.triangle, torch.zeros(self.width, self.width, dtype=self.triangle.dtype)])
        vector = torch.linalg.svd(padded, full_matrices=False).Vh[-1]
        return vector * torch.sign(vector[vector.abs().argmax()])
