"""Bounds of strategies, checked when the strategy is made and not when it is first drawn from."""

from __future__ import annotations

import math
from fractions import Fraction

from ddtheory.errors import InvalidValueError


def check_whole(name: str, value: object, *, least: int, most: int | None = None) -> None:
    """A bound that must be a whole number from `least` to `most`.

    Raises:
        InvalidValueError: it is not.
    """
    whole = isinstance(value, int) and not isinstance(value, bool)
    if whole and least <= value and (most is None or value <= most):  # type: ignore[operator]
        return
    reach = f"at least {least}" if most is None else f"from {least} to {most}"
    raise InvalidValueError(f"{name} = {value!r} must be a whole number, {reach}.")


def check_range(low_name: str, low: int, high_name: str, high: int, *, least: int, most: int | None = None) -> None:
    """Two whole bounds with low ≤ high.

    Raises:
        InvalidValueError: one is no whole number in reach, or they are in the wrong order.
    """
    check_whole(low_name, low, least=least, most=most)
    check_whole(high_name, high, least=least, most=most)
    if low > high:
        raise InvalidValueError(
            f"{low_name} = {low} is larger than {high_name} = {high}, so there is nothing to draw. Swap them."
        )


def check_positive(name: str, value: object) -> Fraction:
    """A positive rational bound, exact; floats are refused because 0.1 is not one tenth.

    Raises:
        InvalidValueError: it is no positive int or Fraction.
    """
    if isinstance(value, int | Fraction) and not isinstance(value, bool) and value > 0:
        return Fraction(value)
    raise InvalidValueError(f"{name} = {value!r} must be a positive int or Fraction.")


def largest_fraction(bound: Fraction, max_denominator: int) -> Fraction:
    """The largest fraction up to a bound with a denominator up to another.

    >>> largest_fraction(Fraction(5, 6), 3)
    Fraction(2, 3)
    """
    return max(Fraction(math.floor(bound * denominator), denominator) for denominator in range(1, max_denominator + 1))
