"""`rlct` on germs whose pair is known by construction and hidden from it: the pair, or bounds that contain it."""

from __future__ import annotations

from fractions import Fraction

import pytest
from agreement import FEWER
from hypothesis import event, given, settings
from hypothesis import strategies as st
from seeded import sample

import ddtheory as dd
from ddtheory.exact.thresholds.derivation import Derivation
from ddtheory.testing import HiddenGerm, germs_with_known_pairs
from ddtheory.values import RLCT

FORMS, HIDINGS = ("divergence", "generators"), ("none", "linear", "polynomial")
SECONDS = 2  # a germ; bounds are an answer too


def derived(germ: HiddenGerm) -> Derivation:
    return dd.rlct(germ.divergence, generators=germ.generators, seconds=SECONDS)


def contains(found: Derivation, pair: RLCT) -> bool:
    """Whether the pair lies between the bounds, in the order of dominance; an unknown m excludes none."""
    lower, upper = found.lower, found.upper
    above = lower.value < pair.lam or (lower.value == pair.lam and (lower.m is None or pair.m <= lower.m))
    below = upper.value > pair.lam or (upper.value == pair.lam and (upper.m is None or pair.m >= upper.m))
    return above and below


def check(found: Derivation, pair: RLCT) -> None:
    event(found.status)
    assert contains(found, pair), found.explain()
    assert found.status == "bounds" or found.rlct == pair


@pytest.mark.parametrize("hidden", HIDINGS)
@pytest.mark.parametrize("form", FORMS)
def test_the_known_pair_or_bounds_that_contain_it(form, hidden) -> None:
    @given(germs_with_known_pairs(max_variables=3, form=form, hidden=hidden))
    def holds(germ: HiddenGerm) -> None:
        check(derived(germ), germ.rlct)

    holds()


@pytest.mark.long
@pytest.mark.parametrize(
    ("form", "hidden", "most"),
    [
        ("divergence", "none", 6),
        ("divergence", "polynomial", 4),
        ("generators", "linear", 4),
        ("generators", "polynomial", 5),
    ],
)
def test_more_variables(form, hidden, most) -> None:
    @FEWER
    @given(germs_with_known_pairs(min_variables=4, max_variables=most, form=form, hidden=hidden))
    def holds(germ: HiddenGerm) -> None:
        check(derived(germ), germ.rlct)

    holds()


@given(germs_with_known_pairs(max_variables=3, form="generators"), st.sampled_from((Fraction(1, 2), Fraction(2))))
def test_a_wrong_pair_is_seen(germ: HiddenGerm, factor: Fraction) -> None:
    """The control: an exact answer excludes half and twice the λ, and one logarithm more or less."""
    found = derived(germ)
    if found.status == "exact":
        assert not contains(found, RLCT(factor * germ.rlct.lam, germ.rlct.m))
        assert not contains(found, RLCT(germ.rlct.lam, germ.rlct.m + 1))
        assert germ.rlct.m == 1 or not contains(found, RLCT(germ.rlct.lam, germ.rlct.m - 1))


@pytest.mark.long
def test_a_germ_with_a_wrong_claim_fails() -> None:
    """The control of the property itself: λ of the ideal in the place of that of K."""

    @settings(max_examples=20, database=None)
    @given(germs_with_known_pairs(hidden="none"))
    def holds(germ: HiddenGerm) -> None:
        check(derived(germ), RLCT(2 * germ.rlct.lam, germ.rlct.m))

    with pytest.raises(AssertionError):
        holds()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("hidden", HIDINGS)
def test_most_answers_are_exact(form, hidden) -> None:
    """Bounds alone would pass the properties above."""
    germs = sample(germs_with_known_pairs(min_variables=2, max_variables=2, form=form, hidden=hidden), 20)
    exact = [derived(germ).status == "exact" for germ in germs]
    assert sum(exact) >= 0.9 * len(germs), exact
