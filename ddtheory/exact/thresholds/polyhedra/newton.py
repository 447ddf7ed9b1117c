"""Newton polyhedra: the exact rational programme behind (κ, m) of a monomial ideal, with its certificate.

For generators with exponent vectors A and prior ∏|w_i|^{h_i}, put τ = h + 1. The number

    ℓ = min {⟨w, τ⟩ : w ≥ 0, ⟨w, a⟩ ≥ 1 for a ∈ A} = max {Σ_a y_a : y ≥ 0, Σ_a y_a a ≤ τ}

is κ of the ideal, and m is 1 + the dimension of the set of optimal w. Both programmes are solved exactly; an optimal
pair (w, y) is a certificate that anyone can check by adding fractions.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from flint import fmpq, fmpq_mat, fmpz_mat

from ddtheory.errors import InvalidValueError, UndecidedError
from ddtheory.values import RLCT

Exponents = Sequence[int]
Row = tuple[Fraction, ...]


@dataclass(frozen=True)
class NewtonDistance:
    """The solution of the programme: the value ℓ, the multiplicity, and the certificate.

    Attributes:
        value: ℓ, which is κ of the monomial ideal.
        multiplicity: 1 + the dimension of the optimal face of weights.
        weights: an optimal w, one entry a variable; a divisorial valuation of order 1 and log discrepancy ℓ.
        multipliers: an optimal y, one entry a generator; Σ y_a = ℓ proves that no w does better.
    """

    value: Fraction
    multiplicity: int
    weights: Row
    multipliers: Row


def _never() -> bool:
    return False


def newton_distance(
    exponents: Sequence[Exponents], prior: Sequence[Fraction | int] = (), expired: Callable[[], bool] = _never
) -> NewtonDistance:
    """Solve the programme of a monomial ideal exactly.

    Args:
        exponents: one vector a generator, non-negative integers, none of them zero (a unit has κ = ∞).
        prior: the exponents h_i > −1 of the prior ∏|w_i|^{h_i}; all 0 when omitted.

    Source: Arnold, Gusein-Zade and Varchenko 1988; Howald 2001; Lin 2011, Theorem 4.18. The equality κ = ℓ holds for
    monomial ideals; for other ideals ℓ is an upper bound.

    Raises:
        InvalidValueError: no generator, a vector of the wrong length, a negative or zero exponent vector, h ≤ −1.
        UndecidedError: there is no time left.

    >>> found = newton_distance([(1, 1)])                          # ⟨xy⟩: κ = 1, m = 2
    >>> found.value, found.multiplicity
    (Fraction(1, 1), 2)
    >>> newton_distance([(2, 0), (0, 3)]).value                    # ⟨x², y³⟩: 1/2 + 1/3
    Fraction(5, 6)
    """
    generators = [tuple(vector) for vector in exponents]
    programme = _Programme(generators, _targets(generators, prior), expired)
    columns = range(programme.columns)
    prices, costs = programme.maximise(columns, range(programme.columns + programme.rows))
    weights = tuple(_fraction(price) for price in prices)
    levels = programme.levels()
    multipliers = tuple(_fraction(levels.get(column, fmpq(0))) for column in columns)
    value = sum(multipliers, Fraction(0))
    return NewtonDistance(value, 1 + programme.optimal_dimension(costs), weights, multipliers)


def monomial_rlct(exponents: Sequence[Exponents], prior: Sequence[Fraction | int] = ()) -> RLCT:
    """(λ, m) of K = Σ_a w^{2a}, the sum of squares of monomials, with prior ∏|w_i|^{h_i}.

    Raises:
        InvalidValueError: as in `newton_distance`.

    >>> monomial_rlct([(1, 1)]), monomial_rlct([(1, 0), (0, 2)])    # x²y² and x² + y⁴
    (RLCT(lam=Fraction(1, 2), m=2), RLCT(lam=Fraction(3, 4), m=1))
    """
    found = newton_distance(exponents, prior)
    return RLCT(found.value / 2, found.multiplicity)


def is_certificate(exponents: Sequence[Exponents], prior: Sequence[Fraction | int], found: NewtonDistance) -> bool:
    """Whether weights and multipliers are feasible and meet: then ℓ is right, whoever computed it.

    >>> is_certificate([(2, 0), (0, 3)], (), newton_distance([(2, 0), (0, 3)]))
    True
    """
    generators = [tuple(vector) for vector in exponents]
    targets = _targets(generators, prior)
    dimensions = range(len(targets))
    loads = [sum(y * a[i] for y, a in zip(found.multipliers, generators, strict=True)) for i in dimensions]
    return (
        all(w >= 0 for w in found.weights)
        and all(y >= 0 for y in found.multipliers)
        and all(sum(w * e for w, e in zip(found.weights, a, strict=True)) >= 1 for a in generators)
        and all(load <= target for load, target in zip(loads, targets, strict=True))
        and sum(w * t for w, t in zip(found.weights, targets, strict=True)) == found.value == sum(found.multipliers)
    )


def _targets(generators: list[tuple[int, ...]], prior: Sequence[Fraction | int]) -> Row:
    if not generators:
        raise InvalidValueError("The ideal has no generator; K ≡ 0 has no learning coefficient.")
    dimension = len(generators[0])
    if any(len(vector) != dimension for vector in generators) or dimension == 0:
        raise InvalidValueError(f"All exponent vectors need the same positive length; got {generators}.")
    if any(not isinstance(entry, int) or entry < 0 for vector in generators for entry in vector):
        raise InvalidValueError(f"Exponents are integers ≥ 0; got {generators}.")
    if any(not any(vector) for vector in generators):
        raise InvalidValueError("A generator is constant, so K does not vanish at the point and there is no λ.")
    shifts = [Fraction(h) for h in prior] or [Fraction(0)] * dimension
    if len(shifts) != dimension:
        raise InvalidValueError(f"The prior has {len(shifts)} exponents for {dimension} variables.")
    if any(h <= -1 for h in shifts):
        raise InvalidValueError(f"A prior exponent h ≤ −1 is not integrable; got {tuple(map(str, shifts))}.")
    return tuple(h + 1 for h in shifts)


class _Programme:
    """Maximise a linear function of y ≥ 0 subject to Σ y_a a ≤ τ: the revised simplex method in exact arithmetic.

    The origin is feasible because τ > 0, so there is no first phase. Columns are the y, then the slacks. Only the basis
    is kept; prices and levels are solved for anew in every step, so that nothing accumulates.
    """

    def __init__(self, generators: list[tuple[int, ...]], targets: Row, expired: Callable[[], bool]) -> None:
        self.expired = expired
        self.rows, self.columns = len(targets), len(generators)
        units = [tuple(int(i == j) for j in range(self.rows)) for i in range(self.rows)]
        self.vectors = [*generators, *units]
        self.matrix = fmpq_mat(fmpz_mat(self.vectors).transpose())
        self.targets = [fmpq(target.numerator, target.denominator) for target in targets]
        self.basis = list(range(self.columns, self.columns + self.rows))

    def maximise(self, objective: Collection[int], allowed: Iterable[int]) -> tuple[list[fmpq], list[fmpq]]:
        """Maximise the sum of the columns in `objective`, moving only through `allowed` ones.

        Returns the prices of the rows and the reduced costs of the columns; the basis is left at an optimum.
        """
        allowed = sorted(allowed)
        stalls = 0
        while True:
            if self.expired():
                raise UndecidedError("The programme of the Newton polyhedron was not solved in time.")
            square = fmpz_mat([self.vectors[column] for column in self.basis])  # the transposed basis
            gains = fmpq_mat(self.rows, 1, [int(column in objective) for column in self.basis])
            prices = fmpq_mat(square).solve(gains).transpose()
            values = (prices * self.matrix).entries()
            costs = [value - int(column in objective) for column, value in enumerate(values)]
            improving = [column for column in allowed if costs[column] < 0]
            if not improving:
                return prices.entries(), costs
            # the steepest column; after many steps without a rise Bland's rule, which cannot cycle
            entering = improving[0] if stalls > self.rows else min(improving, key=lambda column: costs[column])
            sides = [entry for pair in zip(self.targets, self.vectors[entering], strict=True) for entry in pair]
            solved = fmpq_mat(square.transpose()).solve(fmpq_mat(self.rows, 2, sides)).entries()
            # every generator is non-zero, so the feasible set is bounded and some entry is positive
            ratios = [
                (solved[2 * i] / solved[2 * i + 1], variable, i)
                for i, variable in enumerate(self.basis)
                if solved[2 * i + 1] > 0
            ]
            step, _, leaving = min(ratios)
            stalls = stalls + 1 if step == 0 else 0
            self.basis[leaving] = entering

    def levels(self) -> dict[int, fmpq]:
        """The positive y and slacks at the basis."""
        square = fmpz_mat([self.vectors[column] for column in self.basis]).transpose()
        solved = fmpq_mat(square).solve(fmpq_mat(self.rows, 1, self.targets)).entries()
        return {column: level for column, level in zip(self.basis, solved, strict=True) if level > 0}

    def optimal_dimension(self, costs: Sequence[fmpq]) -> int:
        """Dimension of {w optimal}: the number of variables minus the rank of what is tight at every optimal w.

        By strict complementarity a constraint on w is tight at every optimal w exactly when some optimal y or slack is
        positive there. Moving only through columns of zero reduced cost keeps Σ y_a optimal.
        """
        allowed = {column for column, cost in enumerate(costs) if cost == 0}
        tight = set(self.levels())
        while True:
            null, dimension = fmpz_mat([self.vectors[column] for column in tight]).nullspace()
            outside = fmpz_mat(self.vectors) * null  # a column in the span of the tight ones adds nothing
            unknown = {column for column in allowed if any(outside[column, k] for k in range(dimension))}
            if unknown:
                self.maximise(unknown, allowed)
            found = unknown & set(self.levels())
            if not found:
                return int(dimension)
            tight |= found


def _fraction(value: fmpq) -> Fraction:
    return Fraction(int(value.p), int(value.q))
