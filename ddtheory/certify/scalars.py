"""What a coefficient is: a rational number, or a real algebraic number with an exact sign."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import TypeAlias, Union

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
    rationals = [part for value in values for part in (value.parts if isinstance(value, Scalar) else (value,)) if part]
    if not rationals:
        return Fraction(1)
    return Fraction(math.gcd(*(p.numerator for p in rationals)), math.lcm(*(p.denominator for p in rationals)))


def primitive(values: Sequence[Number]) -> list[Number]:
    """A positive rational multiple with small integer parts: signs and zeros stay what they are."""
    scale = 1 / content(values)
    return [whole(value * scale) for value in values]


def whole(value: Number) -> Number:
    """An integral fraction as an int, which is much faster to compute with."""
    return value.numerator if isinstance(value, Fraction) and value.denominator == 1 else value
