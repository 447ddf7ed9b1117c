"""Newton polyhedra: the exact rational programme behind (λ, m) of a monomial ideal, with its certificate.

For generators with exponent vectors A and prior ∏|w_i|^{h_i}, put τ = h + 1. The number

    ℓ = min {⟨w, τ⟩ : w ≥ 0, ⟨w, a⟩ ≥ 1 for a ∈ A} = max {Σ_a y_a : y ≥ 0, Σ_a y_a a ≤ τ}

is λ of the ideal (so K ≍ Σ f_i² has λ = ℓ/2), and m is 1 + the dimension of the set of optimal w. Both programmes are
solved exactly; an optimal pair (w, y) is a certificate that anyone can check by adding fractions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from flint import fmpq, fmpq_mat

from ddtheory.errors import InvalidValueError
from ddtheory.values import RLCT

Exponents = Sequence[int]
Row = tuple[Fraction, ...]


@dataclass(frozen=True)
class NewtonDistance:
    """The solution of the programme: the value ℓ, the multiplicity, and the certificate.

    Attributes:
        value: ℓ, which is λ of the monomial ideal.
        multiplicity: 1 + the dimension of the optimal face of weights.
        weights: an optimal w, one entry a variable; a divisorial valuation of order 1 and log discrepancy ℓ.
        multipliers: an optimal y, one entry a generator; Σ y_a = ℓ proves that no w does better.
    """

    value: Fraction
    multiplicity: int
    weights: Row
    multipliers: Row


def newton_distance(exponents: Sequence[Exponents], prior: Sequence[Fraction | int] = ()) -> NewtonDistance:
    """Solve the programme of a monomial ideal exactly.

    Args:
        exponents: one vector a generator, non-negative integers, none of them zero (a unit has no λ).
        prior: the exponents h_i > −1 of the prior ∏|w_i|^{h_i}; all 0 when omitted.

    Source: Arnold, Gusein-Zade, Varchenko, volume II; Howald 2001; Lin 2011, Theorem 4.18. The equality λ = ℓ holds for
    monomial ideals; for other ideals ℓ is an upper bound.

    Raises:
        InvalidValueError: no generator, a vector of the wrong length, a negative or zero exponent vector, h ≤ −1.

    >>> found = newton_distance([(1, 1)])                          # ⟨xy⟩: λ = 1, m = 2
    >>> found.value, found.multiplicity
    (Fraction(1, 1), 2)
    >>> newton_distance([(2, 0), (0, 3)]).value                    # ⟨x², y³⟩: 1/2 + 1/3
    Fraction(5, 6)
    """
    generators = [tuple(vector) for vector in exponents]
    programme = _Programme(generators, _targets(generators, prior))
    programme.maximise(programme.total())
    weights, multipliers = programme.weights(), programme.multipliers()
    value = sum(multipliers, Fraction(0))
    return NewtonDistance(value, 1 + programme.optimal_dimension(), weights, multipliers)


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
    """Maximise a linear function of y ≥ 0 subject to Σ y_a a ≤ τ: the simplex method in fractions, Bland's rule.

    The origin is feasible because τ > 0, so there is no first phase. Columns are the y, then the slacks.
    """

    def __init__(self, generators: list[tuple[int, ...]], targets: Row) -> None:
        self.generators = generators
        self.rows, self.columns = len(targets), len(generators)
        self.table = [
            [Fraction(a[i]) for a in generators] + [Fraction(i == slack) for slack in range(self.rows)] + [targets[i]]
            for i in range(self.rows)
        ]
        self.basis = [self.columns + i for i in range(self.rows)]
        self.costs: list[Fraction] = []

    def total(self) -> list[Fraction]:
        return [Fraction(1)] * self.columns + [Fraction(0)] * self.rows

    def maximise(self, objective: list[Fraction], allowed: frozenset[int] | None = None) -> Fraction:
        """The maximum, moving only through `allowed` columns; the table is left at an optimum."""
        costs = [-value for value in objective] + [Fraction(0)]
        for i, variable in enumerate(self.basis):
            costs = _eliminate(costs, self.table[i], costs[variable])
        free = range(self.columns + self.rows) if allowed is None else sorted(allowed)
        while (entering := next((j for j in free if costs[j] < 0), None)) is not None:
            # every generator is non-zero, so the feasible set is bounded and some entry is positive
            ratios = [
                (row[-1] / row[entering], self.basis[i], i) for i, row in enumerate(self.table) if row[entering] > 0
            ]
            leaving = min(ratios)[2]
            pivot = self.table[leaving][entering]
            self.table[leaving] = [value / pivot for value in self.table[leaving]]
            for i, row in enumerate(self.table):
                if i != leaving and row[entering]:
                    self.table[i] = _eliminate(row, self.table[leaving], row[entering])
            costs = _eliminate(costs, self.table[leaving], costs[entering])
            self.basis[leaving] = entering
        self.costs = costs
        return costs[-1]

    def weights(self) -> Row:
        """The optimal w of the dual programme: the reduced costs of the slacks."""
        return tuple(self.costs[self.columns : self.columns + self.rows])

    def multipliers(self) -> Row:
        found = [Fraction(0)] * (self.columns + self.rows)
        for i, variable in enumerate(self.basis):
            found[variable] = self.table[i][-1]
        return tuple(found[: self.columns])

    def optimal_dimension(self) -> int:
        """Dimension of {w optimal}: the number of variables minus the rank of what is tight at every optimal w.

        By strict complementarity a constraint on w is tight at every optimal w exactly when some optimal y or slack is
        positive there. Moving only through columns of zero reduced cost keeps Σ y_a optimal.
        """
        allowed = frozenset(j for j in range(self.columns + self.rows) if self.costs[j] == 0)
        tight: list[tuple[int, ...]] = []
        for column in sorted(allowed):
            objective = [Fraction(j == column) for j in range(self.columns + self.rows)]
            if self.maximise(objective, allowed) > 0:
                slot = column - self.columns
                unit = tuple(int(slot == other) for other in range(self.rows))
                tight.append(self.generators[column] if column < self.columns else unit)
        return self.rows - (fmpq_mat([[fmpq(entry) for entry in row] for row in tight]).rank() if tight else 0)


def _eliminate(row: list[Fraction], pivot_row: list[Fraction], factor: Fraction) -> list[Fraction]:
    return [value - factor * pivot for value, pivot in zip(row, pivot_row, strict=True)]
