"""An enclosure never loses the number it encloses: in arithmetic, as decimals, as text."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ddtheory import Enclosure
from ddtheory.errors import InvalidValueError

fractions = st.fractions(min_value=-1000, max_value=1000, max_denominator=10**6)
radii = st.fractions(min_value=0, max_value=1, max_denominator=10**9)
positions = st.fractions(min_value=-1, max_value=1, max_denominator=100)


@given(fractions, radii, positions, fractions, radii, positions)
def test_arithmetic_contains_the_arithmetic_of_the_numbers(
    m: Fraction, r: Fraction, p: Fraction, n: Fraction, s: Fraction, q: Fraction
) -> None:
    left, right = Enclosure(m, r), Enclosure(n, s)
    x, y = m + p * r, n + q * s
    assert left.contains(x) and right.contains(y)
    assert (left + right).contains(x + y)
    assert (left - right).contains(x - y)
    assert (left * right).contains(x * y)
    assert (-left).contains(-x)
    assert (left + 2).contains(x + 2) and (3 * left).contains(3 * x)


@pytest.mark.parametrize(
    ("radius", "shown"),
    [("0.00095", "0.00095"), ("0.0001", "0.00010"), ("0.00099", "0.00099"), ("0.012", "0.012"), ("7", "7.0")],
)
def test_a_radius_is_shown_with_two_digits(radius: str, shown: str) -> None:
    assert Enclosure("0.5", radius).decimals()[1] == shown


@given(fractions, radii)
@example(Fraction(1, 3), Fraction(0))
@example(Fraction(0), Fraction(1, 10**40))
@example(Fraction(-999, 1000), Fraction(1, 7 * 10**12))
@example(Fraction(5), Fraction(12345))
def test_decimals_enclose_the_enclosure_and_are_not_much_wider(m: Fraction, r: Fraction) -> None:
    found = Enclosure(m, r)
    shown = Enclosure(*found.decimals())
    assert shown.contains(found)
    if r:
        assert shown.radius <= max(Fraction(5, 4) * r, r + 1)
    assert str(found) and found._repr_latex_().startswith("$")


@given(fractions, radii.filter(bool))
def test_digits_mean_what_they_say(m: Fraction, r: Fraction) -> None:
    digits = Enclosure(m, r).digits
    assert digits is not None
    if digits:
        assert r * 10**digits <= abs(m)
    assert r * 10 ** (digits + 1) > abs(m)


@given(fractions, radii, fractions, radii)
def test_overlap_is_symmetric_and_follows_from_a_common_number(
    m: Fraction, r: Fraction, n: Fraction, s: Fraction
) -> None:
    left, right = Enclosure(m, r), Enclosure(n, s)
    assert left.overlaps(right) == right.overlaps(left) == (abs(m - n) <= r + s)
    if left.contains(right):
        assert left.overlaps(right)


def test_text() -> None:
    assert str(Enclosure("0.5")) == "0.5"
    assert str(Enclosure("1.25", "0.01")) == "1.250 ± 0.010"
    assert str(Enclosure("0.17297326", "1e-8")) == "0.172973260 ± 1.0e-8"
    assert Enclosure("0.17297326", "1e-8")._repr_latex_() == r"$0.172973260 \pm 1.0 \cdot 10^{-8}$"
    assert Enclosure(1).digits is None and float(Enclosure("0.25", 1)) == 0.25


def test_it_is_a_frozen_value() -> None:
    assert Enclosure(1, "1/2") == Enclosure(Fraction(1), Fraction(1, 2))
    assert len({Enclosure(1), Enclosure("1.0")}) == 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        Enclosure(1).radius = Fraction(1)  # type: ignore[misc]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((0.5,), "a float is rounded"), ((1, 0.1), "a float is rounded"), (("x",), "two rational"), ((1, -1), "negative")],
)
def test_bad_input(arguments: tuple[object, ...], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        Enclosure(*arguments)  # type: ignore[arg-type]
