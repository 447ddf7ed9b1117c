"""The oracle of point blow-ups: against pairs by hand, and `rlct` against it on random plane ideals."""

from __future__ import annotations

import itertools
from fractions import Fraction
from random import Random

import pytest
import sympy
from sympy import Rational

from reference import point_blow_ups
from reference.plane_trials import outcome
from reference.point_blow_ups import Curve, pair, random_ideals

x, y = sympy.symbols("x y")

BY_HAND = [
    ([x * y], (Rational(1, 2), 2)),
    ([x**2 * y**3], (Rational(1, 6), 1)),
    ([x**2 - y**3], (Rational(5, 12), 1)),  # (1/2 + 1/3)/2
    ([x**2, y**3], (Rational(5, 12), 1)),
    ([x, y], (1, 1)),
    ([x**2 + y**2], (Rational(1, 2), 1)),  # no real branch
    ([(x**2 - 2 * y**2) ** 2], (Rational(1, 4), 2)),  # two double lines and the divisor N = 4, k = 1 between them
    ([(x**2 - 2 * y**2) ** 2 + y**7], (Rational(1, 4), 2)),  # y⁴(u² + y³) above: (3 + 2·2)/(2(6 + 2·4)) is 1/4 too
    ([x * (x - y) * (x + y)], (Rational(1, 3), 1)),
    ([(x - y**2) ** 3], (Rational(1, 6), 1)),
    ([(y**2 - x**3) ** 2 - x**9], (Rational(5, 24), 1)),
    ([x**2 * y, x * y**2], (Rational(1, 3), 1)),
]


@pytest.mark.parametrize(("ideal", "expected"), BY_HAND, ids=str)
def test_pairs_by_hand(ideal: list[sympy.Expr], expected: tuple[Rational, int]) -> None:
    lam, m = pair(ideal, x, y)
    assert (lam, m) == (Fraction(int(expected[0].p), int(expected[0].q)) if expected[0] != 1 else 1, expected[1])


def test_a_prior_adds_to_the_discrepancies() -> None:
    """∫ e^{−n(x² − y³)²} |x| dx dy: the divisor N = 6, k + 1 = 2·3 + 2 = 8. And |y|: 3 + 2·2 = 7."""
    assert pair([x**2 - y**3], x, y, (1, 0)) == (Fraction(1, 2), 1)  # 8/12 is more than the 1/2 of the branch
    assert pair([x**2, y**3], x, y, (1, 0)) == (Fraction(2, 3), 1)
    assert pair([x**2, y**3], x, y, (0, 1)) == (Fraction(7, 12), 1)
    assert pair([x * y], x, y, (1, 0)) == (Fraction(1, 2), 1)


def test_rlct_agrees_with_priors_too() -> None:
    for number, ideal in enumerate(itertools.islice(random_ideals(Random(12), x, y), 60)):
        assert outcome(ideal, number, (number % 3, number % 4)) != "wrong", ideal


def test_rlct_agrees_on_random_ideals() -> None:
    for number, ideal in enumerate(itertools.islice(random_ideals(Random(11), x, y), 150)):
        assert outcome(ideal, number) != "wrong", ideal


def test_a_wrong_discrepancy_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(point_blow_ups, "Curve", _Smaller)
    ideals = itertools.islice(random_ideals(Random(11), x, y), 20)
    assert "wrong" in {outcome(ideal, number) for number, ideal in enumerate(ideals)}


class _Smaller(Curve):
    @property
    def value(self) -> Fraction:
        return Fraction(self.jacobian, 2 * self.order)
