"""Typed intersections: how the pairs (λ, m) of blocks of variables assemble into the pair of the whole.

Each rule is a function on `RLCT` values with its hypothesis and its citation. None of them applies to blocks that
share variables.
"""

from __future__ import annotations

from fractions import Fraction

from ddtheory.errors import InvalidValueError, shown
from ddtheory.values import RLCT


def separable_sum(*parts: RLCT) -> RLCT:
    """K = K_1(x) + K_2(y) + … with K_i ≥ 0 in disjoint variables: λ = Σ λ_i, m = 1 + Σ (m_i − 1).

    A block of ρ regular coordinates is `RLCT(Fraction(ρ, 2))`.

    Source: Lin 2011, Proposition 4.5.

    Raises:
        InvalidValueError: no part is given, or one that is no pair.

    >>> from fractions import Fraction
    >>> separable_sum(RLCT(Fraction(1, 2), 2), RLCT(Fraction(1, 4), 3))
    RLCT(lam=Fraction(3, 4), m=4)
    """
    _some(parts)
    return RLCT(sum((part.lam for part in parts), Fraction(0)), 1 + sum(part.m - 1 for part in parts))


def transversal_crossing(*parts: RLCT) -> RLCT:
    """K = K_1(x) · K_2(y) · … in disjoint variables: λ = min λ_i, m = Σ of m_i over the minimisers.

    Source: Lin 2011, Proposition 4.5.

    Raises:
        InvalidValueError: no part is given, or one that is no pair.

    >>> from fractions import Fraction
    >>> half = RLCT(Fraction(1, 2))
    >>> transversal_crossing(half, half)                     # (xy)²
    RLCT(lam=Fraction(1, 2), m=2)
    """
    _some(parts)
    smallest = min(part.lam for part in parts)
    return RLCT(smallest, sum(part.m for part in parts if part.lam == smallest))


def union(*parts: RLCT) -> RLCT:
    """A neighbourhood covered by charts or strata: the dominating pair; at equal λ the larger m, never the sum.

    Source: Watanabe 2009, Section 4.4 (the largest pole over all charts, with its order).

    Raises:
        InvalidValueError: no part is given, or one that is no pair.

    >>> from fractions import Fraction
    >>> union(RLCT(Fraction(1, 2), 2), RLCT(Fraction(1, 2), 1), RLCT(Fraction(3, 4), 5))
    RLCT(lam=Fraction(1, 2), m=2)
    """
    _some(parts)
    return min(parts)


def _some(parts: tuple[RLCT, ...]) -> None:
    if not parts:
        raise InvalidValueError("An intersection rule needs at least one pair (λ, m).")
    for part in parts:
        if not isinstance(part, RLCT):
            raise InvalidValueError(
                f"{shown(part)} is no pair (λ, m). Give RLCT(Fraction(1, 2), 1), or the rlct of a derivation."
            )
