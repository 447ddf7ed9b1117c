"""Orders, coefficients, learning coefficients and intervals."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from ddtheory.errors import InvalidValueError
from ddtheory.testing.ranges import check_positive, check_range, check_whole, largest_fraction
from ddtheory.values import RLCT, Enclosure, Interval


def orders(*, min_value: int = 1, max_value: int = 5) -> SearchStrategy[int]:
    """KL orders k, whole numbers from `min_value` to `max_value`; shrinks to the smallest.

    Raises:
        InvalidValueError: a bound is no positive whole number, or they are in the wrong order.

    >>> from hypothesis import find
    >>> find(orders(min_value=2), lambda k: True)
    2
    """
    min_value, max_value = check_range("min_value", min_value, "max_value", max_value, least=1)
    return st.integers(min_value, max_value)


def coefficients(*, max_magnitude: int | Fraction = 3, max_denominator: int = 4) -> SearchStrategy[Fraction]:
    """Rational coefficients c ≠ 0 with |c| ≤ `max_magnitude`; shrinks to 1, or to the largest when 1 is out of reach.

    Raises:
        InvalidValueError: `max_magnitude` is not positive or smaller than 1/max_denominator, or `max_denominator` is
            no positive whole number.

    >>> from hypothesis import find
    >>> find(coefficients(), lambda c: c < 0)
    Fraction(-1, 1)
    """
    largest, fractions = _positive_fractions("max_magnitude", max_magnitude, max_denominator)
    positive = st.one_of(st.just(min(Fraction(1), largest)), fractions)
    return st.builds(_signed, positive, st.sampled_from((1, -1)))


def rlcts(
    *, max_value: int | Fraction = 6, max_denominator: int = 12, max_multiplicity: int = 4
) -> SearchStrategy[RLCT]:
    """Learning coefficients with their multiplicity, (λ, m) with 0 < λ ≤ `max_value`.

    Shrinks to (1/2, 1), the regular model in one coordinate, and where that is out of bounds to a simple fraction.

    Raises:
        InvalidValueError: a bound is not positive, or no fraction lies within the bounds.

    >>> from hypothesis import find
    >>> find(rlcts(), lambda pair: True)
    RLCT(lam=Fraction(1, 2), m=1)
    """
    largest, values = _positive_fractions("max_value", max_value, max_denominator)
    max_multiplicity = check_whole("max_multiplicity", max_multiplicity, least=1)
    if largest >= Fraction(1, 2) and check_whole("max_denominator", max_denominator, least=1) >= 2:
        values = st.one_of(st.just(Fraction(1, 2)), values)
    return st.builds(RLCT, values, st.integers(1, max_multiplicity))


def intervals(*, max_magnitude: int = 10, max_width: int = 4) -> SearchStrategy[Interval]:
    """Measured intervals, lower ≤ estimate ≤ upper, on a grid of 1/64 so that arithmetic on them is exact in float64.

    Shrinks to the interval that is the point 0.

    Raises:
        InvalidValueError: a bound is no whole number in reach.

    >>> from hypothesis import find
    >>> find(intervals(), lambda i: i.width >= 1 and i.contains(0))
    Interval(estimate=0.0, lower=0.0, upper=1.0)
    """
    max_magnitude = check_whole("max_magnitude", max_magnitude, least=1)
    max_width = check_whole("max_width", max_width, least=0)
    grid = 64

    def build(estimate: int, below: int, above: int) -> Interval:
        return Interval(estimate / grid, (estimate - below) / grid, (estimate + above) / grid)

    half = st.integers(0, max_width * grid // 2)
    return st.builds(build, st.integers(-max_magnitude * grid, max_magnitude * grid), half, half)


def enclosures(*, max_magnitude: int = 10, max_radius: int | Fraction = 1) -> SearchStrategy[Enclosure]:
    """Proven enclosures with a rational midpoint and a decimal radius; shrinks to the exact 0.

    Raises:
        InvalidValueError: a bound is not positive.

    >>> from hypothesis import find
    >>> find(enclosures(), lambda value: value.radius > 0).contains(0)
    True
    """
    max_magnitude = check_whole("max_magnitude", max_magnitude, least=1)
    bound = check_positive("max_radius", max_radius)
    midpoints = st.fractions(min_value=-max_magnitude, max_value=max_magnitude, max_denominator=60)
    decimals = st.builds(_power_of_ten, st.integers(0, 30), st.integers(1, 9)).filter(lambda radius: radius <= bound)
    return st.builds(Enclosure, midpoints, st.one_of(st.just(Fraction(0)), decimals))


def _power_of_ten(places: int, digit: int) -> Fraction:
    return Fraction(digit, 10**places)


def _positive_fractions(
    name: str, largest: int | Fraction, max_denominator: int
) -> tuple[Fraction, SearchStrategy[Fraction]]:
    """The positive fractions up to the bound of that name, and the largest of them."""
    bound = check_positive(name, largest)
    max_denominator = check_whole("max_denominator", max_denominator, least=1, most=10_000)
    reached = largest_fraction(bound, max_denominator)
    if not reached:
        raise InvalidValueError(
            f"No fraction with denominator up to {max_denominator} is positive and at most {bound}. "
            f"Raise {name} or max_denominator."
        )
    least = Fraction(1, max_denominator)
    return reached, st.fractions(min_value=least, max_value=reached, max_denominator=max_denominator)


def _signed(size: Fraction, sign: int) -> Fraction:
    return sign * size
