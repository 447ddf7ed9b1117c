"""The algebra of typed intersections, as laws and against hand-computed germs."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddtheory.errors import InvalidValueError
from ddtheory.exact.thresholds.intersection import separable_sum, transversal_crossing, union
from ddtheory.exact.thresholds.nodes import (
    INFINITE,
    Bound,
    best_lower,
    best_upper,
    in_crossing,
    in_sum,
    lower_of_union,
    upper_of_union,
)
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
    """In the order of dominance, λ first and then m."""
    for rule in RULES:
        assert rule(min(a, b), c) <= rule(max(a, b), c)


@given(pairs, pairs, pairs)
def test_a_union_is_distributed_over_and_absorbs(a: RLCT, b: RLCT, c: RLCT) -> None:
    """A block beside a union of charts is a union over the charts; what dominates a part absorbs it."""
    for rule in (separable_sum, transversal_crossing):
        assert rule(a, union(b, c)) == union(rule(a, b), rule(a, c))
    assert union(a, transversal_crossing(a, b)) == transversal_crossing(a, b)
    assert union(a, separable_sum(a, b)) == a


@given(pairs, pairs)
def test_the_rules_are_not_each_other(a: RLCT, b: RLCT) -> None:
    """The control: sums and crossings are not idempotent, and none of them is a union."""
    assert transversal_crossing(a, a) == RLCT(a.lam, 2 * a.m) != a
    assert separable_sum(a, a) != a
    assert separable_sum(a, b) not in (transversal_crossing(a, b), union(a, b))


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


# --- the same rules on bounds, with the zero ideal (0, 1) and the unit ideal (∞, 1) -----------------------------------

ZERO = Bound(Fraction(0), 1)
values = st.fractions(min_value=Fraction(1, 4), max_value=2, max_denominator=4)
known = st.builds(Bound, values, st.integers(1, 3))
INTO = ((in_sum, separable_sum), (in_crossing, transversal_crossing), (lower_of_union, union), (upper_of_union, union))


def from_pair(pair: RLCT) -> Bound:
    return Bound(pair.lam, pair.m)


@given(st.lists(pairs, min_size=1, max_size=4))
def test_bounds_that_are_exact_follow_the_rules(parts: list[RLCT]) -> None:
    for rule, expected in INTO:
        assert rule([from_pair(part) for part in parts]) == from_pair(expected(*parts))


@given(known)
def test_neutral_and_absorbing_elements(a: Bound) -> None:
    assert in_sum([a, ZERO]) == in_sum([ZERO, a]) == a
    assert in_sum([a, INFINITE]) == in_sum([INFINITE, a]) == INFINITE
    assert in_crossing([a, INFINITE]) == in_crossing([INFINITE, a]) == a
    assert in_crossing([a, ZERO]) == in_crossing([ZERO, a]) == ZERO
    for rule in (lower_of_union, upper_of_union):
        assert rule([a, INFINITE]) == rule([INFINITE, a]) == a
    for rule in (in_sum, in_crossing, lower_of_union, upper_of_union):
        assert rule([INFINITE, INFINITE]) == INFINITE


def is_lower(bound: Bound, pair: RLCT) -> bool:
    return bound.value < pair.lam or (bound.value == pair.lam and (bound.m is None or pair.m <= bound.m))


def is_upper(bound: Bound, pair: RLCT) -> bool:
    return bound.value > pair.lam or (bound.value == pair.lam and (bound.m is None or pair.m >= bound.m))


@st.composite
def bounded(draw: st.DrawFn) -> tuple[Bound, RLCT, Bound]:
    """A pair between bounds: often of its own λ, with an m that is right, or unknown."""
    pair = RLCT(draw(values), draw(st.integers(1, 3)))
    steps = st.sampled_from((Fraction(0), Fraction(0), Fraction(1, 4), Fraction(1, 2)))
    unknown = st.sampled_from((None, 1, 2, 3, 4))
    lower = draw(st.builds(Bound, steps.map(lambda step: max(Fraction(0), pair.lam - step)), unknown))
    upper = draw(st.one_of(st.just(INFINITE), st.builds(Bound, steps.map(lambda step: pair.lam + step), unknown)))
    return (
        lower if is_lower(lower, pair) else Bound(lower.value),
        pair,
        upper if is_upper(upper, pair) else Bound(upper.value),
    )


@given(st.lists(bounded(), min_size=1, max_size=3))
def test_bounds_of_parts_give_bounds_of_the_whole(parts: list[tuple[Bound, RLCT, Bound]]) -> None:
    lower, middle, upper = ([part[i] for part in parts] for i in range(3))
    for below, above, rule in (
        (in_sum, in_sum, separable_sum),
        (in_crossing, in_crossing, transversal_crossing),
        (lower_of_union, upper_of_union, union),
    ):
        assert is_lower(below(lower), rule(*middle))
        assert is_upper(above(upper), rule(*middle))


@given(bounded(), bounded(), st.lists(st.integers(0, 1), min_size=1, max_size=3))
def test_the_best_of_several_bounds_is_a_bound(
    first: tuple[Bound, RLCT, Bound], second: tuple[Bound, RLCT, Bound], chosen: list[int]
) -> None:
    """Bounds on one pair: those of the smaller pair from below, those of the larger from above."""
    pair = first[1]
    lower = [first[0]] + [second[0] for take in chosen if take and is_lower(second[0], pair)]
    upper = [first[2]] + [second[2] for take in chosen if take and is_upper(second[2], pair)]
    best = best_lower(lower), best_upper(upper)
    assert is_lower(best[0], pair) and is_upper(best[1], pair)
    assert best[0] in lower and best[0].value == max(bound.value for bound in lower)
    assert best[1] in upper and best[1].value == min(bound.value for bound in upper)
