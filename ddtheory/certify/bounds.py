"""Bounds on a pair (κ, m) in the order of dominance, and how they combine. A `Bound` is one side, `Bounds` are both.

κ is the threshold of the ideal of a germ: λ of K when K is its only generator, 2λ when K ≍ Σ f_j².

(a, m) governs (b, n) when a < b, or a = b and m ≥ n. A lower bound (v, m) says that v governs the true pair, an upper
bound that the true pair governs it; without m, only κ ≥ v or κ ≤ v is said. κ = ∞ belongs to the unit ideal.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from ddtheory.certify.scalars import bounded, shown


@dataclass(frozen=True)
class Bound:
    """A value, None for ∞, with a multiplicity, None for unknown."""

    value: Fraction | None
    multiplicity: int | None = None

    @property
    def _size(self) -> Fraction | float:
        return math.inf if self.value is None else self.value

    def as_lower(self) -> tuple[Fraction | float, float]:
        """Sorts lower bounds from weak to strong; an unknown multiplicity may be any."""
        return self._size, -math.inf if self.multiplicity is None else -self.multiplicity

    def as_upper(self) -> tuple[Fraction | float, float, bool]:
        """Sorts upper bounds from strong to weak; an unknown multiplicity is at least 1."""
        return self._size, -(self.multiplicity or 1), self.multiplicity is None

    def plus(self, amount: Fraction | int) -> Bound:
        return self if self.value is None else Bound(self.value + amount, self.multiplicity)

    def over(self, divisor: int) -> Bound:
        return self if self.value is None else Bound(self.value / divisor, self.multiplicity)

    def __str__(self) -> str:
        return f"({'infinity' if self.value is None else shown(self.value)}, {self.multiplicity or '?'})"

    def latex(self) -> str:
        value = r"\infty" if self.value is None else shown(self.value)
        return rf"\left({value}, {self.multiplicity or '?'}\right)"


@dataclass(frozen=True)
class Bounds:
    """What is proven of one pair."""

    lower: Bound
    upper: Bound

    @classmethod
    def exactly(cls, value: Fraction | int | None, multiplicity: int) -> Bounds:
        bound = Bound(None if value is None else Fraction(value), multiplicity)
        return cls(bound, bound)

    @property
    def is_exact(self) -> bool:
        return self.lower == self.upper and self.lower.multiplicity is not None

    @property
    def is_consistent(self) -> bool:
        """Whether some pair satisfies both: the lower bound governs the upper one, or is equal to it."""
        return self.lower.as_lower() <= self.upper.as_upper()[:2]

    def plus(self, amount: Fraction | int) -> Bounds:
        return Bounds(self.lower.plus(amount), self.upper.plus(amount))

    def over(self, divisor: int) -> Bounds:
        return Bounds(self.lower.over(divisor), self.upper.over(divisor))


UNIT = Bounds.exactly(None, 1)


def summed(blocks: Sequence[Bounds]) -> Bounds:
    """Values and m − 1 add over ideals in separate variables; a unit among them makes the sum a unit."""
    return Bounds(_sum(b.lower for b in blocks), _sum(b.upper for b in blocks))


def crossed(factors: Sequence[Bounds]) -> Bounds:
    """The product of ideals in separate variables: the smallest value; multiplicities add where it is attained."""
    return Bounds(_crossing([b.lower for b in factors]), _crossing([b.upper for b in factors]))


def united(charts: Sequence[Bounds]) -> Bounds:
    """The dominating pair."""
    return Bounds(
        min((b.lower for b in charts), key=Bound.as_lower), min((b.upper for b in charts), key=Bound.as_upper)
    )


def sharpest(bounds: Sequence[Bounds]) -> Bounds:
    """The strongest bounds of several on one pair."""
    return Bounds(
        max((b.lower for b in bounds), key=Bound.as_lower), min((b.upper for b in bounds), key=Bound.as_upper)
    )


def _sum(bounds: Iterable[Bound]) -> Bound:
    total, multiplicity = Fraction(0), 1
    known = True
    for bound in bounds:
        if bound.value is None:
            return UNIT.lower
        total = bounded(total + bound.value)
        known = known and bound.multiplicity is not None
        multiplicity += (bound.multiplicity or 1) - 1
    return Bound(total, multiplicity if known else None)


def _crossing(bounds: Sequence[Bound]) -> Bound:
    finite = [bound.value for bound in bounds if bound.value is not None]
    if not finite:
        return UNIT.lower
    attained = [bound.multiplicity for bound in bounds if bound.value == min(finite)]
    known = [m for m in attained if m is not None]
    return Bound(min(finite), sum(known) if len(known) == len(attained) else None)
