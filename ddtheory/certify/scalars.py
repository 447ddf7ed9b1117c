"""What a coefficient is: a rational number, or a real algebraic number with an exact sign."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import TypeAlias, TypeVar, Union

from ddtheory.certify.limits import MOST_BITS, MOST_DIGITS, spend, within

Rational: TypeAlias = int | Fraction


class Scalar(ABC):
    """An exact real number that is given by rational parts and knows its sign."""

    __slots__ = ()

    @property
    @abstractmethod
    def parts(self) -> tuple[Rational, ...]: ...

    @abstractmethod
    def sign(self) -> int: ...

    @abstractmethod
    def inverse(self) -> Scalar | None:
        """1/x for x ≠ 0, or None where it is not known how to write it."""

    @abstractmethod
    def __add__(self, other: Number) -> Scalar: ...

    @abstractmethod
    def __mul__(self, other: Number) -> Scalar: ...

    def __neg__(self) -> Scalar:
        return self * -1

    def __sub__(self, other: Number) -> Scalar:
        return self + -other

    def __radd__(self, other: Number) -> Scalar:
        return self + other

    def __rsub__(self, other: Number) -> Scalar:
        return -self + other

    def __rmul__(self, other: Number) -> Scalar:
        return self * other


Number: TypeAlias = Union[int, Fraction, Scalar]  # noqa: UP007 (a forward name in the class above)


def sign(value: Number) -> int:
    """−1, 0 or 1, exactly."""
    return value.sign() if isinstance(value, Scalar) else (value > 0) - (value < 0)


def content(values: Iterable[Number]) -> Fraction:
    """The positive rational g such that the parts of all values, divided by g, are integers without common factor.

    >>> content([Fraction(2, 3), 4])
    Fraction(2, 3)
    """
    divisor, multiple = 0, 1
    for value in values:
        for part in value.parts if isinstance(value, Scalar) else (value,):
            spend()
            divisor = math.gcd(divisor, part.numerator)
            multiple = bounded(math.lcm(multiple, part.denominator))
    return Fraction(divisor or 1, multiple if divisor else 1)


def primitive(values: Sequence[Number]) -> list[Number]:
    """A positive rational multiple with small integer parts: signs and zeros stay what they are."""
    divisor = content(values)
    return [_divided(value, divisor) for value in values]


def _divided(value: Number, divisor: Fraction) -> Number:
    spend()
    if isinstance(value, int) and divisor.denominator == 1:
        return bounded(value // divisor.numerator)
    return whole(value * (1 / divisor))


def whole(value: Number) -> Number:
    """An integral fraction as an int, which is much faster to compute with; bounded."""
    if isinstance(value, int):
        return bounded(value)
    if isinstance(value, Scalar):
        return value
    return value.numerator if bounded(value).denominator == 1 else value


Kept = TypeVar("Kept", bound=Union[int, Fraction])  # noqa: UP007 (a name of a type at run time)


def bounded(value: Kept) -> Kept:
    """The number itself, unless it has grown too large to go on with."""
    if value.numerator.bit_length() > MOST_BITS or value.denominator.bit_length() > MOST_BITS:
        within(max(value.numerator.bit_length(), value.denominator.bit_length()), MOST_BITS, "bits of one number")
    return value


def total(values: Iterable[Rational]) -> Fraction:
    """The sum. Every partial sum is bounded: denominators multiply."""
    found = Fraction(0)
    for value in values:
        spend()
        found = bounded(found + value)
    return found


def shown(value: Rational) -> str:
    """The number as text, or its size when it has more digits than Python prints."""
    digits = max(value.numerator.bit_length(), value.denominator.bit_length()) * math.log10(2)
    return str(value) if digits < MOST_DIGITS else f"a number of {round(digits)} digits"
