"""log M(η)M(−η) on a grid by steps of the differential equation, against one special function a point."""

from __future__ import annotations

from fractions import Fraction

import flint
import pytest

from ddtheory.exact.fluctuation import grid, quadrature
from ddtheory.exact.fluctuation.nu import fluctuation_from_lambda, singular_fluctuation
from ddtheory.exact.fluctuation.partition import Sided, log_partition
from ddtheory.exact.numbers.enclosing import ball, working

EXPONENTS = (Fraction(1, 10**6), Fraction(1), Fraction(7, 3), Fraction(60))
STEPS = (Fraction(1, 64), Fraction(5, 32))


def twin(a: Fraction, sided: Sided, eta: Fraction) -> flint.arb:
    right, left = log_partition(a, sided, ball(eta))
    return right + left


@pytest.mark.parametrize("sided", ["one", "two"])
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("a", EXPONENTS)
def test_the_balls_hold_what_the_special_functions_say(a: Fraction, sided: Sided, step: Fraction) -> None:
    """At forty points, and so in three windows, each against a value of many more bits."""
    rough, fine = (list(grid.log_products(a, sided, step, 40, lambda j, bits=bits: bits)) for bits in (64, 200))
    assert len(rough) == len(fine) == 40
    for j in (1, 16, 17, 40):
        with working(500):
            known = twin(a, sided, j * step)
            assert fine[j - 1].contains(known)
            assert fine[j - 1].rel_accuracy_bits() > 60 or (sided, a, j) == ("one", 60, 40)  # E² − O² loses them there
            assert not rough[j - 1].is_finite() or rough[j - 1].contains(known)


def test_steps_lose_few_bits_where_nothing_cancels() -> None:
    *_, last = grid.log_products(Fraction(1, 2), "two", Fraction(1, 64), 2000, lambda j: 200)
    assert last.rel_accuracy_bits() > 170


def test_a_tail_is_what_is_left_out_at_least() -> None:
    """The same windows at 53 bits and at 400: the polynomial of few terms and its tail hold that of many."""
    for centre, size in ((0, 16), (16, 16), (640, 7)):
        with working(53):
            rough = grid._Window.at(Fraction(1, 3), Fraction(1, 8), centre, size)
        with working(400):
            fine = grid._Window.at(Fraction(1, 3), Fraction(1, 8), centre, size)
            for short, long in zip(rough.basis, fine.basis, strict=True):
                assert short.length() < long.length()
                assert (short(size) + rough.tail).overlaps(long(size))
                assert (short.derivative()(size) + rough.tail_of_slope).overlaps(long.derivative()(size))
                exact = flint.arb_poly([c.mid() for c in long.coeffs()[: short.length()]])
                assert long(size) - exact(size) <= rough.tail.upper()
                assert long.derivative()(size) - exact.derivative()(size) <= rough.tail_of_slope.upper()


@pytest.mark.parametrize(("sided", "beta"), [("one", "1"), ("one", "1/3"), ("one", "7/2"), ("one", "9"), ("two", "9")])
def test_a_fluctuation_is_that_of_the_special_functions(
    monkeypatch: pytest.MonkeyPatch, sided: Sided, beta: str
) -> None:
    fast = fluctuation_from_lambda("1/4", sided, beta, digits=60)

    def slowly(a: Fraction, sided: Sided, step: Fraction, count: int, precision: object) -> object:
        with working(700):
            return [twin(a, sided, j * step) for j in range(1, count + 1)]

    monkeypatch.setattr(quadrature, "log_products", slowly)
    slow = fluctuation_from_lambda("1/4", sided, beta, digits=60)
    assert fast.overlaps(slow)
    assert fast.digits is not None and fast.digits >= 60


def test_a_steep_prior_is_answered_on_a_half_line() -> None:
    """At λ = 1000 the half-line is a normal law that sees no boundary: ν tends to 1/4, as frozen_fluctuation does."""
    found = fluctuation_from_lambda(1000, "one", digits=10)
    assert Fraction(1, 4) - Fraction(1, 10**4) < found.midpoint < Fraction(1, 4)


@pytest.mark.slow
def test_a_thousand_digits_are_those_of_half_as_many() -> None:
    many, fewer = singular_fluctuation(2, digits=1000), singular_fluctuation(2, digits=500)
    assert many.digits is not None and many.digits >= 1000
    assert many.overlaps(fewer)
