r"""The face of a cell that an estimator sees: a local posterior, and nothing of the value that is expected of it.

The posterior at (n, β) has density ∝ e^{−nβ K(w)} φ(w) with φ(w) = ∏ |w_i|^{h_i} e^{−γ‖w − w*‖²/2} on the box
lower ≤ w ≤ upper (or on all of ℝ^d), K in nats, K(w*) = 0.
"""

from __future__ import annotations

import itertools
import math
import numbers
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeAlias, runtime_checkable

import numpy
from numpy.typing import NDArray

from ddtheory.arguments import list_of
from ddtheory.errors import InvalidValueError, shown
from ddtheory.testing.ranges import check_whole

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


@dataclass(frozen=True, repr=False)
class PolynomialPosterior:
    """K(w) = Σ_j g_j(w)² with polynomial g_j: the Gaussian regression y = g(w) x + N(0, ½) at E x² = 1.

    `divergence` is made of operators and indexing alone, so that any array library can compute it, trace it and
    differentiate it; `terms` is K itself, for a library that wants to build it.

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
    >>> crossing, crossing.terms
    (PolynomialPosterior(K = (w1*w2)^2), ((1.0, (2, 2)),))
    """

    version: ClassVar[str] = "1"  # for kept results: everything else that it consists of is in its fields

    generators: tuple[Terms, ...]
    truth: tuple[float, ...]
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    prior_exponents: tuple[float, ...] = ()
    localisation: float = 0.0

    def __post_init__(self) -> None:
        for name in ("truth", "lower", "upper", "prior_exponents"):
            object.__setattr__(self, name, numbers_of(name, getattr(self, name)))
        size = len(self.truth)
        object.__setattr__(self, "prior_exponents", self.prior_exponents or (0.0,) * size)
        object.__setattr__(self, "localisation", _number("localisation", self.localisation))
        object.__setattr__(self, "generators", tuple(map(_plain, list_of(self.generators, "generators"))))
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

    def __repr__(self) -> str:
        k = _as_text(self.generators)
        k = k if len(k) <= 60 else f"a sum of {len(self.generators)} squares in {len(self.truth)} parameters"
        prior = ", prior |w|^h" if any(self.prior_exponents) else ""
        return f"PolynomialPosterior(K = {k}{prior}{f', γ = {self.localisation:g}' if self.localisation else ''})"

    def latex(self) -> str:
        """K as LaTeX, without dollars.

        >>> PolynomialPosterior((((2.0, (3,)),),), (0.0,), (-1.0,), (1.0,)).latex()
        'K = (2 w_{1}^{3})^2'
        """
        return "K = " + " + ".join(f"({_polynomial(g, 'w_{{{}}}', '^{{{}}}', ' ')})^2" for g in self.generators)

    @property
    def terms(self) -> Terms:
        """K = Σ c ∏ w_i^{p_i}, multiplied out: (c, p) a term."""
        found: dict[tuple[int, ...], float] = {}
        for generator in self.generators:
            for (c, p), (d, q) in itertools.product(generator, repeat=2):
                powers = tuple(map(sum, zip(p, q, strict=True)))
                found[powers] = found.get(powers, 0.0) + c * d
        return tuple((c, powers) for powers, c in sorted(found.items(), reverse=True))

    def divergence(self, points: Any) -> Any:
        """K at points of any array library, shape (…, d) → (…)."""
        values = [_evaluate(generator, points) for generator in self.generators]
        return sum((value * value for value in values[1:]), values[0] * values[0])

    def gradient(self, points: Floats) -> Floats:
        """∇K in numpy, shape (rows, d) → (rows, d)."""
        values = [_evaluate(generator, points) for generator in self.generators]
        slopes = [
            sum(
                2 * value * _sum(_derivative(g, axis), points) for value, g in zip(values, self.generators, strict=True)
            )
            for axis in range(len(self.truth))
        ]
        return numpy.stack(slopes, axis=1)

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


def _evaluate(terms: Terms, points: Any) -> Any:
    """The polynomial at each point, by operators and indexing alone: no function of an array library is needed."""
    found = _sum(terms, points)
    return found if any(any(powers) for _, powers in terms) else found + 0.0 * points[..., 0]


def _sum(terms: Terms, points: Any) -> Any:
    """The same, a number where no parameter occurs."""
    total: Any = 0.0
    for coefficient, powers in terms:
        term: Any = coefficient
        for axis, power in enumerate(powers):
            if power:
                term = term * points[..., axis] ** power
        total = total + term
    return total


def _plain(terms: object) -> Terms:
    """The same terms in Python's own numbers."""
    found = []
    for term in list_of(terms, "a generator"):
        parts = list_of(term, "a term")
        if len(parts) != 2:
            raise InvalidValueError(
                f"A term has {len(parts)} parts; it is (coefficient, powers), such as (1.0, (1, 2))."
            )
        powers = tuple(check_whole("a power", power, least=0) for power in list_of(parts[1], "the powers of a term"))
        found.append((_number("a coefficient", parts[0]), powers))
    return tuple(found)


def numbers_of(name: str, values: object) -> tuple[float, ...]:
    """Real numbers of any library, infinite ones included, as Python floats.

    Raises:
        InvalidValueError: no list, or an entry that is none.
    """
    return tuple(_number(f"an entry of {name}", value) for value in list_of(values, name))


def _number(name: str, value: object) -> float:
    try:
        if isinstance(value, numbers.Real) and not isinstance(value, bool) and not math.isnan(float(value)):
            return float(value)
    except OverflowError:
        pass
    raise InvalidValueError(f"A posterior is made of real numbers, and {name} is {shown(value)}.")


def _as_text(generators: Sequence[Terms]) -> str:
    """K as text that every parser of expressions reads."""
    return " + ".join(f"({_polynomial(g, 'w{}', '^{}', '*')})^2" for g in generators)


def _polynomial(terms: Terms, variable: str, exponent: str, times: str) -> str:
    parts: list[str] = []
    for coefficient, powers in terms:
        factors = [
            variable.format(axis + 1) + (exponent.format(power) if power > 1 else "")
            for axis, power in enumerate(powers)
            if power
        ]
        size = f"{abs(coefficient):g}"
        shown = times.join(factors if size == "1" and factors else [size, *factors])
        parts.append(f"{'-' if coefficient < 0 else '+'} {shown}")
    return " ".join(parts).removeprefix("+ ") or "0"


def _derivative(terms: Terms, axis: int) -> Terms:
    return tuple(
        (coefficient * powers[axis], (*powers[:axis], powers[axis] - 1, *powers[axis + 1 :]))
        for coefficient, powers in terms
        if powers[axis]
    )
