"""Numbers from outside, checked at the door: bounds of a strategy when it is made, not when it is drawn from."""

from __future__ import annotations

import contextlib
import math
import numbers
import re
from fractions import Fraction

from ddtheory.arguments import as_float, as_fraction, as_integer
from ddtheory.errors import InvalidValueError, shown

_MOST_BITS = 14_000  # Python prints no more than 4300 digits
_PLACES = 300  # of a number that still has a float
_NUMBER = r"\d{1,300}(/\d{1,300}|\.\d{0,300})?([eE][-+]?\d{1,3})?"


def check_whole(name: str, value: object, *, least: int, most: int | None = None) -> int:
    """A whole number from `least` to `most`, of any library, as a Python one.

    Raises:
        InvalidValueError: it is none; a truth value is none either.
    """
    whole = as_integer(value)
    if whole is None or whole < least or (most is not None and whole > most):
        reach = f"at least {least}" if most is None else f"from {least} to {most}"
        raise InvalidValueError(f"{name} = {shown(value)} must be a whole number, {reach}.")
    if whole.bit_length() > _MOST_BITS:
        raise InvalidValueError(f"{name} is {shown(whole)}, too large to be meant.")
    return whole


def check_truth(name: str, value: object) -> bool:
    """True or False.

    Raises:
        InvalidValueError: something else, whatever it is taken for.
    """
    if not isinstance(value, bool):
        raise InvalidValueError(f"{name} = {shown(value)} must be True or False.")
    return value


def check_range(
    low_name: str, low: object, high_name: str, high: object, *, least: int, most: int | None = None
) -> tuple[int, int]:
    """Two whole bounds with low ≤ high.

    Raises:
        InvalidValueError: one is no whole number in reach, or they are in the wrong order.
    """
    lowest = check_whole(low_name, low, least=least, most=most)
    highest = check_whole(high_name, high, least=least, most=most)
    if lowest > highest:
        raise InvalidValueError(
            f"{low_name} = {shown(lowest)} is larger than {high_name} = {shown(highest)}, so there is nothing to draw. "
            "Swap them."
        )
    return lowest, highest


def check_positive(name: str, value: object) -> Fraction:
    """A positive rational bound, exact; floats are refused because 0.1 is not one tenth.

    Raises:
        InvalidValueError: it is no positive integer or fraction.
    """
    rational = as_fraction(value)
    if rational is None or rational <= 0 or max(rational.numerator, rational.denominator).bit_length() > _MOST_BITS:
        raise InvalidValueError(f"{name} = {shown(value)} must be a positive int or Fraction that can be meant.")
    return rational


def check_rational(name: str, value: object) -> Fraction:
    """A positive number as a fraction: an integer, a fraction, a float as the dyadic number that it is, or text.

    Raises:
        InvalidValueError: it is none, or its decimals have more than 300 places.

    >>> check_rational("beta", 0.5), check_rational("beta", "579/4000"), check_rational("beta", "1e-3")
    (Fraction(1, 2), Fraction(579, 4000), Fraction(1, 1000))
    """
    rational = as_fraction(value)
    if isinstance(value, str) and re.fullmatch(_NUMBER, str.strip(value)):
        with contextlib.suppress(ValueError, ZeroDivisionError):
            rational = Fraction(str.strip(value))
    elif rational is None and isinstance(value, numbers.Real) and not isinstance(value, bool):
        with contextlib.suppress(ValueError, OverflowError):
            rational = Fraction(float(value))
    if rational is None or not 0 < rational < 10**_PLACES or rational.denominator >= 10**_PLACES * rational.numerator:
        raise InvalidValueError(
            f"{name} = {shown(value)} must be a positive number: an integer, a fraction, a finite float, or text such "
            'as "579/4000".'
        )
    return rational


def check_seconds(name: str, value: object) -> float:
    """A positive number of seconds.

    Raises:
        InvalidValueError: it is none.
    """
    if isinstance(value, numbers.Real) and not isinstance(value, bool) and (seconds := as_float(value, name)) > 0:
        return seconds
    raise InvalidValueError(f"{name} = {shown(value)} must be a positive number of seconds, or None for no limit.")


def largest_fraction(bound: Fraction, max_denominator: int) -> Fraction:
    """The largest fraction up to a bound with a denominator up to another.

    >>> largest_fraction(Fraction(5, 6), 3)
    Fraction(2, 3)
    """
    return max(Fraction(math.floor(bound * denominator), denominator) for denominator in range(1, max_denominator + 1))
