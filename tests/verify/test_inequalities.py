"""Inequalities and matrix equations as evidence: a wrong sign, a loose bound and a wrong entry are seen."""

from __future__ import annotations

import pytest
import sympy
from sympy import symbols

from ddtheory.errors import InvalidValueError
from ddtheory.verify.claim import Outcome
from ddtheory.verify.symbolic import vanishes
from ddtheory.workbench.entrywise import entrywise
from ddtheory.workbench.inequality import bound_check, excess
from ddtheory.workbench.ladder import RESOLUTION, rate_check

a, b = symbols("a b", real=True)
x = symbols("x", positive=True)


def test_an_inequality_with_its_slack() -> None:
    assert vanishes(excess(a**2 + b**2, 2 * a * b, (a - b) ** 2))
    assert vanishes(excess(x + 1 / x, sympy.Integer(2), (sympy.sqrt(x) - 1 / sympy.sqrt(x)) ** 2))


def test_a_slack_of_both_signs_is_no_proof() -> None:
    """x ≥ 1 fails for small x: x − 1 is a difference, but not one with a sign."""
    assert vanishes(excess(x, sympy.Integer(1), x - 1)) is not True


def test_the_wrong_way_round_and_a_wrong_constant() -> None:
    assert vanishes(excess(2 * a * b, a**2 + b**2, (a - b) ** 2)) is False
    assert vanishes(excess(a**2 + b**2, 3 * a * b, (a - b) ** 2)) is False


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


def test_every_entry_of_a_matrix_equation_is_a_residual() -> None:
    left = sympy.Matrix([[a, b], [b, a]])
    for row in range(2):
        for column in range(2):
            wrong = left.copy()
            wrong[row, column] += x
            found = entrywise("m", left, wrong)
            assert [name for name, entry in found.items() if entry != 0] == [f"m, entry {row + 1}, {column + 1}"]
    with pytest.raises(InvalidValueError, match="shapes"):
        entrywise("m", left, sympy.Matrix([[a, b]]))


def test_a_rate_is_not_read_more_coarsely_than_it_says() -> None:
    """A rate that is off by five thousandths is seen, so the resolution cannot be widened in silence."""
    radii = tuple(0.1 * 2.0 ** (-n / 2) for n in range(9))
    check = rate_check("r", 3, radii, [t**3.005 for t in radii])
    assert check.outcome is Outcome.CONTRADICTS
    assert check.measured.width < check.max_width < 10.1 * RESOLUTION
    assert "0.001" in check.reason and pytest.approx(0.001) == RESOLUTION
