r"""The face of a cell that an estimator sees: a local posterior, and nothing of the value that is expected of it.

The posterior at (n, β) has density ∝ e^{−nβ K(w)} φ(w) with φ(w) = ∏ |w_i|^{h_i} e^{−γ‖w − w*‖²/2} on the box
lower ≤ w ≤ upper (or on all of ℝ^d), K in nats, K(w*) = 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

import numpy
from numpy.typing import NDArray

from ddtheory.errors import InvalidValueError

if TYPE_CHECKING:
    from torch import nn

    from ddtheory.measure import Problem

Floats: TypeAlias = "NDArray[numpy.float64]"

Terms: TypeAlias = "tuple[tuple[float, tuple[int, ...]], ...]"
"""A polynomial: (coefficient, powers) a term."""


@runtime_checkable
class Posterior(Protocol):
    """What `check_estimator` needs of a model. Objects of this kind travel to worker processes, so they are picklable.

    Attributes:
        truth: w*.
        lower, upper: the box; infinite where there is none.
        prior_exponents: h_i.
        localisation: γ.
    """

    @property
    def truth(self) -> tuple[float, ...]: ...
    @property
    def lower(self) -> tuple[float, ...]: ...
    @property
    def upper(self) -> tuple[float, ...]: ...
    @property
    def prior_exponents(self) -> tuple[float, ...]: ...
    @property
    def localisation(self) -> float: ...

    def divergence(self, points: Floats) -> Floats:
        """K at each row of `points`, shape (rows, d) → (rows,)."""

    def gradient(self, points: Floats) -> Floats:
        """∇K at each row, shape (rows, d) → (rows, d)."""

    def module(self) -> nn.Module:
        """A torch module at w*, one parameter vector "w": with data it gives K as a mean squared error."""

    def data(self) -> tuple[Any, Any]:
        """Inputs and targets, noise-free, with mean((module(inputs) − targets)² summed over outputs) = K exactly."""


@dataclass(frozen=True)
class PolynomialPosterior:
    """K(w) = Σ_j g_j(w)² with polynomial g_j: the Gaussian regression y = g(w) x + N(0, ½) at E x² = 1.

    Attributes:
        generators: the g_j, each as ((coefficient, powers), …).
        truth: w*, a common zero of the g_j.
        lower, upper: the box.
        prior_exponents: h_i; 0 each when empty.
        localisation: γ.

    Raises:
        InvalidValueError: lengths that do not match, a generator that is not 0 at w*, w* outside of the box, or an
            improper prior.

    >>> crossing = PolynomialPosterior((((1.0, (1, 1)),),), (0.0, 0.0), (-1.0, -1.0), (1.0, 1.0))
    >>> crossing.divergence(numpy.array([[2.0, 3.0]])), crossing.gradient(numpy.array([[2.0, 3.0]]))
    (array([36.]), array([[36., 24.]]))
    """

    generators: tuple[Terms, ...]
    truth: tuple[float, ...]
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    prior_exponents: tuple[float, ...] = ()
    localisation: float = 0.0

    def __post_init__(self) -> None:
        size = len(self.truth)
        object.__setattr__(self, "prior_exponents", self.prior_exponents or (0.0,) * size)
        lengths = {len(self.lower), len(self.upper), len(self.prior_exponents)}
        lengths |= {len(powers) for generator in self.generators for _, powers in generator}
        if not self.generators or not size or lengths != {size}:
            raise InvalidValueError(f"A posterior in {size} parameters has bounds or powers of lengths {lengths}.")
        if not all(low <= w <= high for low, w, high in zip(self.lower, self.truth, self.upper, strict=True)):
            raise InvalidValueError(f"The truth {self.truth} lies outside of the box.")
        if not all(math.isfinite(bound) for bound in self.lower + self.upper) and not self.localisation > 0:
            raise InvalidValueError("A flat prior without a box is improper: give a box, or a localisation γ > 0.")
        if min(self.prior_exponents) <= -1 or self.localisation < 0:
            raise InvalidValueError("Prior exponents are above −1 and the localisation is not negative.")
        if float(self.divergence(numpy.array([self.truth]))[0]) > 1e-20:
            raise InvalidValueError(f"K is not 0 at the truth {self.truth}.")

    def divergence(self, points: Floats) -> Floats:
        return numpy.square(self.values(points)).sum(axis=1)

    def values(self, points: Floats) -> Floats:
        """g at each row, shape (rows, generators)."""
        return numpy.stack([_evaluate(generator, points) for generator in self.generators], axis=1)

    def gradient(self, points: Floats) -> Floats:
        values = self.values(points)
        slopes = [
            sum(2 * values[:, j] * _evaluate(_derivative(g, axis), points) for j, g in enumerate(self.generators))
            for axis in range(len(self.truth))
        ]
        return numpy.stack([numpy.broadcast_to(slope, len(points)) for slope in slopes], axis=1)

    def module(self) -> nn.Module:
        import torch
        from torch import Tensor, nn

        generators, truth = self.generators, self.truth

        class Polynomials(nn.Module):
            """x ↦ g(w) x."""

            def __init__(self) -> None:
                super().__init__()
                self.w = nn.Parameter(torch.tensor(truth, dtype=torch.float64))

            def forward(self, inputs: Tensor) -> Tensor:
                coordinates = self.w.unbind()
                values = [sum(_term(term, coordinates) for term in generator) for generator in generators]
                return inputs * torch.stack(values)

        return Polynomials()

    def data(self) -> tuple[Any, Any]:
        import torch

        inputs = torch.tensor([[1.0], [-1.0]] * 4, dtype=torch.float64)
        return inputs, torch.zeros(len(inputs), len(self.generators), dtype=torch.float64)

    def problem(self) -> Problem:
        """The same model for `ddtheory.measure`."""
        from ddtheory.measure import Gaussian, Problem

        inputs, _ = self.data()
        return Problem.from_module(self.module(), inputs, Gaussian(0.5))


def _term(term: tuple[float, tuple[int, ...]], coordinates: Sequence[Any]) -> Any:
    coefficient, powers = term
    return coefficient * math.prod(w**power for w, power in zip(coordinates, powers, strict=True) if power)


def _evaluate(terms: Terms, points: Floats) -> Floats:
    total = numpy.zeros(len(points))
    for coefficient, powers in terms:
        term = numpy.full(len(points), coefficient)
        for axis, power in enumerate(powers):
            if power:
                term *= points[:, axis] ** power
        total += term
    return total


def _derivative(terms: Terms, axis: int) -> Terms:
    return tuple(
        (coefficient * powers[axis], (*powers[:axis], powers[axis] - 1, *powers[axis + 1 :]))
        for coefficient, powers in terms
        if powers[axis]
    )
