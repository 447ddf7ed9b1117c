"""Checks of ladders agree with closed forms, exclude rivals, and fail on the wrong value."""

from __future__ import annotations

import pytest

from ddtheory.verify.claim import Outcome
from ddtheory.workbench.ladder import count_check, limit_check, rate_check, value_check

RADII = tuple(0.1 * 2.0 ** (-n / 2) for n in range(9))


@pytest.mark.parametrize("power", [0, 1, 6, 14])
def test_a_rate_is_read_and_its_neighbours_are_excluded(power: int) -> None:
    values = [2.5 * t**power * (1 + 3 * t) for t in RADII]
    check = rate_check("r", power, RADII, values)
    assert check.outcome is Outcome.AGREES and not check.rivals_left
    assert {float(rival) for rival in check.rivals} == {power - 2.0, power - 1.0, power + 1.0, power + 2.0}
    for wrong in (power - 1, power + 1):
        assert rate_check("r", wrong, RADII, values).outcome is Outcome.CONTRADICTS


def test_a_constant_factor_does_not_move_a_rate() -> None:
    for factor in (1e-6, 1e6):
        assert rate_check("r", 3, RADII, [factor * t**3 for t in RADII]).outcome is Outcome.AGREES


def test_a_rate_that_does_not_settle_is_inconclusive() -> None:
    check = rate_check("r", 2, RADII, [t**2 + 1e-4 for t in RADII])
    assert check.outcome is not Outcome.AGREES


def test_the_prediction_is_never_its_own_rival() -> None:
    assert 3 not in rate_check("r", 3, RADII, [t**3 for t in RADII], rivals=(3, 9)).rivals


def test_limits() -> None:
    values = [0.25 + t + t**2 for t in RADII]
    assert limit_check("l", 0.25, RADII, values, rivals=(0.5,)).outcome is Outcome.AGREES
    assert limit_check("l", 0.26, RADII, values, rivals=(0.5,)).outcome is Outcome.CONTRADICTS
    assert limit_check("l", 0.25, RADII, values, rivals=(0.25,)).outcome is Outcome.INCONCLUSIVE


def test_values_and_counts() -> None:
    assert value_check("v", 0.1, 0.1 * (1 + 1e-12), rivals=(0.2,)).outcome is Outcome.AGREES
    assert value_check("v", 0.1, 0.1 * (1 + 1e-6), rivals=(0.2,)).outcome is Outcome.CONTRADICTS
    assert value_check("v", 0, 0.0, rivals=(1,)).outcome is Outcome.AGREES
    assert value_check("v", 0, 1e-8, rivals=(1,), error=1e-9).outcome is Outcome.CONTRADICTS
    assert count_check("c", 3, 3, rivals=(2, 4), reason="x").outcome is Outcome.AGREES
    assert count_check("c", 3, 2, rivals=(2, 4), reason="x").outcome is Outcome.CONTRADICTS
