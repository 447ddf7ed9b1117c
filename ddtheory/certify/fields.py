"""ℚ(c) inside ℝ: residues modulo a polynomial of which c is the only root in an interval, with exact signs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

from ddtheory.certify.limits import MOST_FIELD_DEGREE, spend, within
from ddtheory.certify.refusal import require
from ddtheory.certify.scalars import Number, Rational, Scalar, bounded, sign, whole
from ddtheory.certify.sturm import Univariate, chain, gcd, roots, square_free, trimmed, value, variations


@dataclass(frozen=True)
class Field:
    """ℚ(c), where c is the only real root of Σ a_i z^i in (lower, upper]. The polynomial may be reducible.

    >>> root_two = Field((-2, 0, 1), Fraction(1), Fraction(2))
    >>> c = root_two.element([0, 1])
    >>> (c * c - 2).sign(), (c - Fraction(3, 2)).sign(), (c - Fraction(7, 5)).sign()
    (0, -1, 1)
    """

    polynomial: tuple[Rational, ...]
    lower: Fraction
    upper: Fraction

    def __post_init__(self) -> None:
        require(len(self.polynomial) > 1, "the polynomial of a field is a constant")
        within(len(self.polynomial) - 1, MOST_FIELD_DEGREE, "for the degree of a field")
        require(self.polynomial[-1] != 0, "the leading coefficient of the polynomial of a field is 0")
        require(self.lower < self.upper, "the interval of a field is empty")
        found = roots(list(self.polynomial), self.lower, self.upper)
        require(found == 1, f"the polynomial of a field has {found} roots in its interval, not one")

    @cached_property
    def modulus(self) -> Univariate:
        """The square-free polynomial that residues are taken by."""
        return square_free(list(self.polynomial))

    @cached_property
    def _chain(self) -> list[Univariate]:
        return chain(self.modulus)

    @cached_property
    def _enclosure(self) -> list[Fraction]:
        """The narrowest interval found so far; it only shrinks, so it is no part of the value."""
        return [self.lower, self.upper]

    def element(self, coefficients: Sequence[Rational]) -> Element:
        """Σ coefficients[i] c^i."""
        parts = [Fraction(c) for c in coefficients]
        modulus = [Fraction(c) for c in self.modulus]  # type: ignore[arg-type]  # the modulus is rational
        while len(parts) >= len(modulus):
            factor = parts.pop() / modulus[-1]
            for k, c in enumerate(modulus[:-1]):
                spend()
                place = len(parts) - len(modulus) + 1 + k
                parts[place] = bounded(parts[place] - factor * c)
        return Element(self, tuple(_rational(part) for part in trimmed(parts)))

    def is_root(self, p: Univariate) -> bool:
        """Whether p(c) = 0, for a polynomial p ≠ 0 with rational coefficients."""
        return roots(gcd(list(self.modulus), p), self.lower, self.upper) == 1

    def narrow(self) -> None:
        """Halve the enclosure of c."""
        low, high = self._enclosure
        middle = (low + high) / 2
        inside = variations(self._chain, low) - variations(self._chain, middle)
        self._enclosure[:] = (low, middle) if inside else (middle, high)

    def enclose(self, p: Sequence[Rational]) -> tuple[Fraction, Fraction]:
        """Bounds on p(c) from the present enclosure of c."""
        low, high = self._enclosure
        bottom = top = Fraction(0)
        for coefficient in reversed(p):
            spend()
            ends = (bottom * low, bottom * high, top * low, top * high)
            bottom, top = bounded(min(ends) + coefficient), bounded(max(ends) + coefficient)
        return bottom, top

    def same_number(self, other: Field) -> bool:
        """Whether both fields name one real number c."""
        common = gcd(list(self.modulus), list(other.modulus))
        lower, upper = max(self.lower, other.lower), min(self.upper, other.upper)
        return lower < upper and roots(common, lower, upper) == 1

    def is_number(self, rational: Rational) -> bool:
        """Whether c is this rational number."""
        return self.lower < rational <= self.upper and sign(value(self.modulus, rational)) == 0


@dataclass(frozen=True, eq=False)
class Element(Scalar):
    """A number Σ parts[i] c^i of a field."""

    field: Field
    _parts: tuple[Rational, ...]

    @property
    def parts(self) -> tuple[Rational, ...]:
        return self._parts

    def __add__(self, other: Number) -> Element:
        theirs = self._read(other)
        size = max(len(self.parts), len(theirs))
        padded = [*self.parts, *[0] * (size - len(self.parts))]
        for k, part in enumerate(theirs):
            padded[k] = _rational(padded[k] + part)
        return Element(self.field, tuple(_rational(part) for part in trimmed(padded)))

    def __mul__(self, other: Number) -> Element:
        theirs = self._read(other)
        product: list[Rational] = [0] * max(len(self.parts) + len(theirs) - 1, 0)
        for i, a in enumerate(self.parts):
            for j, b in enumerate(theirs):
                spend()
                product[i + j] = _rational(product[i + j] + a * b)
        return self.field.element(product)

    def sign(self) -> int:
        if len(self.parts) <= 1:
            return sign(self.parts[0]) if self.parts else 0
        if not self._surely_nonzero() and self.field.is_root(list(self.parts)):
            return 0
        while not self._surely_nonzero():
            self.field.narrow()
        return 1 if self.field.enclose(self.parts)[0] > 0 else -1

    def inverse(self) -> Element | None:
        """By Euclid's algorithm; None when a factor of the polynomial that does not vanish at c is in the way."""
        older, old = [Fraction(c) for c in self.field.modulus], [Fraction(c) for c in self.parts]  # type: ignore[arg-type]
        older_cofactor, cofactor = [Fraction(0)], [Fraction(1)]
        while len(old) > 1:
            quotient, rest = _divided(older, old)
            if not rest:
                return None
            product = _minus_product(older_cofactor, quotient, cofactor)
            older, old, older_cofactor, cofactor = old, rest, cofactor, product
        return self.field.element([_rational(bounded(c / old[0])) for c in cofactor])

    def _surely_nonzero(self) -> bool:
        bottom, top = self.field.enclose(self.parts)
        return bottom > 0 or top < 0

    def _read(self, other: Any) -> tuple[Rational, ...]:
        if isinstance(other, Element):
            require(other.field == self.field, "numbers of two different fields are combined")
            return other.parts
        return (other,) if other else ()


def _divided(p: Sequence[Fraction], q: Sequence[Fraction]) -> tuple[list[Fraction], list[Fraction]]:
    """Quotient and remainder."""
    rest, quotient = list(p), [Fraction(0)] * max(len(p) - len(q) + 1, 0)
    while len(rest) >= len(q):
        factor, shift = bounded(rest[-1] / q[-1]), len(rest) - len(q)
        quotient[shift] = factor
        for k, c in enumerate(q):
            spend()
            rest[shift + k] = bounded(rest[shift + k] - factor * c)
        while rest and not rest[-1]:
            rest.pop()
    return quotient, rest


def _minus_product(p: Sequence[Fraction], q: Sequence[Fraction], r: Sequence[Fraction]) -> list[Fraction]:
    """p − q·r."""
    found = [*p, *[Fraction(0)] * (len(q) + len(r) - 1 - len(p))]
    for i, a in enumerate(q):
        for j, b in enumerate(r):
            spend()
            found[i + j] = bounded(found[i + j] - a * b)
    return found


def _rational(part: Number) -> Rational:
    reduced = whole(part)
    assert not isinstance(reduced, Scalar)
    return reduced
