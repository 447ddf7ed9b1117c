"""Derivations: trees of rule applications, with proven bounds on the pair at every node."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from ddtheory.errors import DDTheoryError
from ddtheory.exact.thresholds.germs.ideal import IdealGerm
from ddtheory.exact.thresholds.germs.local_ring import Element

Data = Mapping[str, Any]


@dataclass(frozen=True)
class Bound:
    """A value of κ with a multiplicity, as a bound on a pair in the order of dominance.

    As a lower bound (v, m) says κ > v, or κ = v with multiplicity at most m; as an upper bound κ < v, or κ = v with
    multiplicity at least m. Without m only κ ≥ v or κ ≤ v is claimed. The value ∞ belongs to the unit ideal.
    """

    value: Fraction | float
    m: int | None = None

    @property
    def is_infinite(self) -> bool:
        return self.value == math.inf

    def scaled(self, factor: Fraction) -> Bound:
        return self if self.is_infinite else Bound(self.value * factor, self.m)

    def shifted(self, amount: Fraction) -> Bound:
        return self if self.is_infinite else Bound(self.value + amount, self.m)


INFINITE = Bound(math.inf, 1)
NOTHING = Bound(Fraction(0))  # the lower bound that always holds


# what `intersection` says of pairs, for bounds on them: a multiplicity may be unknown, and the unit ideal has κ = ∞


def in_sum(bounds: Sequence[Bound]) -> Bound:
    """κ and m − 1 add over blocks of a separable sum."""
    if any(bound.is_infinite for bound in bounds):
        return INFINITE
    known = [bound.m for bound in bounds if bound.m is not None]
    m = 1 + sum(m - 1 for m in known) if len(known) == len(bounds) else None
    return Bound(sum((bound.value for bound in bounds), Fraction(0)), m)


def in_crossing(bounds: Sequence[Bound]) -> Bound:
    """The smallest κ governs a product of blocks; multiplicities add over those that attain it."""
    least = min(bound.value for bound in bounds)
    if least == math.inf:
        return INFINITE
    attained = [bound.m for bound in bounds if bound.value == least]
    known = [m for m in attained if m is not None]
    return Bound(least, sum(known) if len(known) == len(attained) else None)


def lower_of_union(bounds: Sequence[Bound]) -> Bound:
    """What is certain of the dominating pair from below; an unknown m may be any."""
    return min(bounds, key=lambda bound: (bound.value, -math.inf if bound.m is None else -bound.m))


def upper_of_union(bounds: Sequence[Bound]) -> Bound:
    """What is certain of the dominating pair from above; an unknown m is at least 1."""
    return min(bounds, key=lambda bound: (bound.value, -(bound.m or 1), bound.m is None))


def best_lower(bounds: Sequence[Bound]) -> Bound:
    """The strongest of several lower bounds on one pair."""
    return max(bounds, key=lambda bound: (bound.value, -math.inf if bound.m is None else -bound.m))


def best_upper(bounds: Sequence[Bound]) -> Bound:
    """The strongest of several upper bounds on one pair."""
    return upper_of_union(bounds)


def _no_data() -> Data:
    return {}


@dataclass(frozen=True)
class Node:
    """One application of a rule.

    Attributes:
        rule: the name of the rule in the table.
        germ: what it was applied to.
        lower, upper: proven bounds on (κ, m) of the germ.
        says: one sentence for a reader, with the formulas of this step.
        children: the germs that it leads to.
        data: makes what a checker needs to follow the step; computed only when a certificate is asked for.
        new: in a step that changes coordinates, those of the child as polynomials in those of the germ, place by place;
            one that the child has no more vanishes along the step. Empty where the coordinates stay.
    """

    rule: str
    germ: IdealGerm
    lower: Bound
    upper: Bound
    says: str
    children: tuple[Node, ...] = ()
    data: Callable[[], Data] = field(default=_no_data, repr=False, compare=False)
    new: tuple[Element, ...] = field(default=(), repr=False, compare=False)

    @property
    def is_exact(self) -> bool:
        return self.lower == self.upper and (self.lower.m is not None)


Solve = Callable[[IdealGerm], Node]
"""The solver as the rules see it: the best derivation that it finds for a germ."""


def from_child(
    rule: str,
    germ: IdealGerm,
    child: Node,
    says: str,
    data: Callable[[], Data] = _no_data,
    *,
    times: Fraction = Fraction(1),
    plus: Fraction = Fraction(0),
    new: Sequence[Element] = (),
) -> Node:
    """A step to one other germ: κ = times · κ(child) + plus, with the same multiplicity."""
    lower, upper = (bound.scaled(times).shifted(plus) for bound in (child.lower, child.upper))
    return Node(rule, germ, lower, upper, says, (child,), data, tuple(new))


Combine = Callable[[Sequence[Bound]], Bound]


def from_children(
    rule: str,
    germ: IdealGerm,
    children: Sequence[Node],
    combine: tuple[Combine, Combine],
    says: str,
    data: Callable[[], Data] = _no_data,
) -> Node:
    """A step to several germs, whose lower bounds and upper bounds combine as one of the pairs below says."""
    lower = combine[0]([child.lower for child in children])
    upper = combine[1]([child.upper for child in children])
    return Node(rule, germ, lower, upper, says, tuple(children), data)


SUM: tuple[Combine, Combine] = (in_sum, in_sum)
CROSSING: tuple[Combine, Combine] = (in_crossing, in_crossing)
UNION: tuple[Combine, Combine] = (lower_of_union, upper_of_union)
BEST: tuple[Combine, Combine] = (best_lower, best_upper)


class CertificateError(DDTheoryError):
    """A step whose certificate is too large to write down; the step itself was carried out exactly."""
