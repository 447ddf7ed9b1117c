"""The algebra of typed intersections, as laws and against hand-computed germs."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddtheory.errors import InvalidValueError
from ddtheory.exact.intersection import separable_sum, transversal_crossing, union
from ddtheory.values import RLCT

pairs = st.builds(RLCT, st.fractions(min_value=Fraction(1, 12), max_value=6, max_denominator=12), st.integers(1, 4))
RULES = (separable_sum, transversal_crossing, union)


@given(pairs, pairs, pairs)
def test_every_rule_is_associative_and_commutative(a: RLCT, b: RLCT, c: RLCT) -> None:
    for rule in RULES:
        assert rule(a, b) == rule(b, a)
        assert rule(rule(a, b), c) == rule(a, rule(b, c)) == rule(a, b, c)
        assert rule(a) == a


@given(pairs, pairs)
def test_order_of_the_results(a: RLCT, b: RLCT) -> None:
    """Adding a term regularises, a factor makes more singular, and a union is one of its parts."""
    assert separable_sum(a, b).lam > max(a.lam, b.lam)
    assert transversal_crossing(a, b) <= min(a, b)
    assert union(a, b) in (a, b) and union(a, b) <= a and union(a, b) <= b
    assert union(a, a) == a


@given(pairs, pairs, pairs)
def test_monotone(a: RLCT, b: RLCT, c: RLCT) -> None:
    smaller, larger = min(a, b), max(a, b)
    assert transversal_crossing(smaller, c).lam <= transversal_crossing(larger, c).lam
    assert union(smaller, c) <= union(larger, c)
    assert separable_sum(smaller, c).lam <= separable_sum(larger, c).lam


def test_by_hand() -> None:
    half, quarter = RLCT(Fraction(1, 2)), RLCT(Fraction(1, 4))
    assert transversal_crossing(half, half) == RLCT(Fraction(1, 2), 2)  # x²y²
    assert transversal_crossing(half, quarter) == RLCT(Fraction(1, 4), 1)  # x²y⁴
    assert separable_sum(half, quarter) == RLCT(Fraction(3, 4), 1)  # x² + y⁴
    crossing = transversal_crossing(half, half)
    assert separable_sum(crossing, crossing) == RLCT(Fraction(1), 3)  # (ab)² + (cd)²
    assert union(RLCT(Fraction(1, 2), 2), RLCT(Fraction(1, 2), 1)) == RLCT(Fraction(1, 2), 2)  # never 3


def test_nothing_to_combine() -> None:
    for rule in RULES:
        with pytest.raises(InvalidValueError):
            rule()
