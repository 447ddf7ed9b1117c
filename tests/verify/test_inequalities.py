"""Measured bounds and rates as evidence: a bound that is too large or exceeded, and a wide resolution, are seen."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sympy import symbols

from ddtheory.values import Interval
from ddtheory.verify.claim import Outcome
from ddtheory.workbench.inequality import attained_check, bound_check
from ddtheory.workbench.ladder import RESOLUTION, rate_check

a, b = symbols("a b", real=True)
x = symbols("x", positive=True)


@pytest.mark.parametrize(
    ("ratio", "outcome"),
    [
        (0.0, Outcome.CONTRADICTS),
        (0.5, Outcome.CONTRADICTS),  # a bound that is twice too large
        (0.899, Outcome.CONTRADICTS),
        (0.901, Outcome.AGREES),
        (1.0, Outcome.AGREES),
        (1.001, Outcome.CONTRADICTS),  # a bound that is exceeded
        (3.0, Outcome.CONTRADICTS),
    ],
)
def test_a_bound_is_held_and_nearly_attained(ratio: float, outcome: Outcome) -> None:
    assert bound_check("b", ratio, reason="r").outcome is outcome


@pytest.mark.parametrize("ratio", [0.95, 1.0])
def test_a_bound_better_by_a_tenth_fails(ratio: float) -> None:
    assert bound_check("b", ratio / 0.9, reason="r").outcome is Outcome.CONTRADICTS


def test_a_rate_is_not_read_more_coarsely_than_it_says() -> None:
    """A rate that is off by five thousandths is seen, so the resolution cannot be widened in silence."""
    radii = tuple(0.1 * 2.0 ** (-n / 2) for n in range(9))
    check = rate_check("r", 3, radii, [t**3.005 for t in radii])
    assert check.outcome is Outcome.CONTRADICTS
    assert check.measured.width < check.max_width < 10.1 * RESOLUTION
    assert "0.001" in check.reason and pytest.approx(0.001) == RESOLUTION


@pytest.mark.parametrize(("ratio", "outcome"), [(1.0005, Outcome.AGREES), (0.8996, Outcome.INCONCLUSIVE)])
def test_a_stated_error_widens_both_ends(ratio: float, outcome: Outcome) -> None:
    """A value that misses an end by less than its error contradicts nothing; 9/10 is then not excluded either."""
    assert bound_check("b", ratio, reason="r").outcome is Outcome.CONTRADICTS
    assert bound_check("b", ratio, reason="r", error=1e-3).outcome is outcome


@pytest.mark.parametrize(
    ("ratio", "outcome"),
    [(1.0, Outcome.AGREES), (0.999, Outcome.CONTRADICTS), (1.001, Outcome.CONTRADICTS), (0.9, Outcome.CONTRADICTS)],
)
def test_a_bound_that_is_attained_leaves_no_room_on_either_side(ratio: float, outcome: Outcome) -> None:
    """A better bound fails at 9/10, a weaker one at 10/9: both are rivals, and must be excluded."""
    check = attained_check("b", ratio, reason="r")
    assert check.outcome is outcome
    assert check.rivals == (0.9, 1 / 0.9)


def test_no_case_of_the_book_hides_the_upper_end_of_a_bound() -> None:
    """Where `bound_check` is used its ratio stays below 1: an upper end that is too low would miss 1 and be seen."""
    low = bound_check("b", 0.98, reason="r")
    assert low.measured.upper > 1 > low.measured.lower
    assert replace(low, measured=Interval(0.98, 0.98, 0.98)).outcome is Outcome.CONTRADICTS
