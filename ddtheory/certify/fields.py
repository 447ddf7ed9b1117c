"""ℚ(c) inside ℝ: residues modulo a polynomial of which c is the only root in an interval, with exact signs."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

from ddtheory.certify.limits import MOST_FIELD_DEGREE, spend, within
from ddtheory.certify.refusal import require
from ddtheory.certify.scalars import Number, Rational, Scalar, bounded, sign, whole
from ddtheory.certify.sturm import Univariate, chain, gcd, roots, square_free, value, variations


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
    def _integral_modulus(self) -> tuple[int, ...]:
        """The modulus times a number, with integers without a common factor."""
        listed = [Fraction(c) for c in self.modulus]  # type: ignore[arg-type]  # the modulus is rational
        common = bounded(math.lcm(*(c.denominator for c in listed)))
        return tuple(c.numerator * (common // c.denominator) for c in listed)

    @cached_property
    def _enclosure(self) -> list[Fraction]:
        """The narrowest interval found so far; it only shrinks, so it is no part of the value."""
        return [self.lower, self.upper]

    @cached_property
    def _powers(self) -> list[tuple[int, int]]:
        """Bounds on 1, c, c², … from the present enclosure of c, all times one positive number."""
        low, high = self._enclosure
        common = math.lcm(low.denominator, high.denominator)
        ends = low.numerator * (common // low.denominator), high.numerator * (common // high.denominator)
        most = len(self.modulus) - 2  # the degree of a residue
        found = [(1, 1)]
        for _ in range(most):
            spend()
            products = [bounded(a * b) for a in found[-1] for b in ends]
            found.append((min(products), max(products)))
        return [
            (bounded(bottom * common ** (most - k)), bounded(top * common ** (most - k)))
            for k, (bottom, top) in enumerate(found)
        ]

    def element(self, coefficients: Sequence[Rational]) -> Element:
        """Σ coefficients[i] c^i."""
        parts = [Fraction(c) for c in coefficients]
        common = bounded(math.lcm(*(part.denominator for part in parts)))
        return self.residue([part.numerator * (common // part.denominator) for part in parts], common)

    def residue(self, numerators: list[int], denominator: int) -> Element:
        """Σ numerators[i] c^i / denominator, for a positive denominator. The list is used up."""
        modulus = self._integral_modulus
        lead, degree = modulus[-1], len(modulus) - 1
        while len(numerators) > degree:
            spend()
            factor, shift = numerators.pop(), len(numerators) - degree
            if factor % lead == 0:
                factor //= lead
            elif factor:
                numerators, denominator = [lead * c for c in numerators], bounded(denominator * lead)
            if factor:
                for k in range(degree):
                    numerators[shift + k] = bounded(numerators[shift + k] - factor * modulus[k])
        while numerators and not numerators[-1]:
            numerators.pop()
        divisor = math.gcd(denominator, *numerators) * (1 if denominator > 0 else -1)
        return Element(self, tuple(bounded(c // divisor) for c in numerators), bounded(denominator // divisor))

    def is_root(self, p: Univariate) -> bool:
        """Whether p(c) = 0, for a polynomial p ≠ 0 with rational coefficients."""
        return roots(gcd(list(self.modulus), p), self.lower, self.upper) == 1

    def narrow(self) -> None:
        """Halve the enclosure of c."""
        low, high = self._enclosure
        middle = (low + high) / 2
        inside = variations(self._chain, low) - variations(self._chain, middle)
        self._enclosure[:] = (low, middle) if inside else (middle, high)
        self.__dict__.pop("_powers", None)

    def sign_of(self, residue: Sequence[int]) -> int:
        """The sign of Σ residue[i] c^i that the present enclosure of c shows; 0 when it shows none."""
        bottom = top = 0
        for c, (low, high) in zip(residue, self._powers, strict=False):
            bottom += c * (low if c > 0 else high)
            top += c * (high if c > 0 else low)
        return (bottom > 0) - (top < 0)

    def same_number(self, other: Field) -> bool:
        """Whether both fields name one real number c."""
        common = gcd(list(self.modulus), list(other.modulus))
        lower, upper = max(self.lower, other.lower), min(self.upper, other.upper)
        return lower < upper and roots(common, lower, upper) == 1

    def is_number(self, rational: Rational) -> bool:
        """Whether c is this rational number."""
        return self.lower < rational <= self.upper and sign(value(self.modulus, rational)) == 0


@dataclass(frozen=True, eq=False, slots=True)
class Element(Scalar):
    """A number Σ numerators[i] c^i / denominator of a field, in lowest terms and without vanishing leading ones."""

    field: Field
    numerators: tuple[int, ...]
    denominator: int

    @property
    def parts(self) -> tuple[Rational, ...]:
        return tuple(_rational(Fraction(c, self.denominator)) for c in self.numerators)

    def __add__(self, other: Number) -> Element:
        theirs, below = self._read(other)
        common = bounded(math.lcm(self.denominator, below))
        mine, factor = common // self.denominator, common // below
        return self.field.residue(
            [mine * a + factor * b for a, b in itertools.zip_longest(self.numerators, theirs, fillvalue=0)], common
        )

    def __mul__(self, other: Number) -> Element:
        theirs, below = self._read(other)
        product = [0] * max(len(self.numerators) + len(theirs) - 1, 0)
        for i, a in enumerate(self.numerators):
            spend()
            for j, b in enumerate(theirs):
                product[i + j] += a * b
        return self.field.residue(product, self.denominator * below)

    def sign(self) -> int:
        if len(self.numerators) <= 1:
            return sign(self.numerators[0]) if self.numerators else 0
        found = self.field.sign_of(self.numerators)
        if not found and self.field.is_root(list(self.numerators)):
            return 0
        while not found:
            self.field.narrow()
            found = self.field.sign_of(self.numerators)
        return found

    def inverse(self) -> Element | None:
        """By Euclid's algorithm; None of 0, and where a factor of the polynomial that is not 0 at c is in the way."""
        older, old = [Fraction(c) for c in self.field.modulus], [Fraction(c) for c in self.parts]  # type: ignore[arg-type]
        older_cofactor, cofactor = [Fraction(0)], [Fraction(1)]
        if not old:
            return None
        while len(old) > 1:
            quotient, rest = _divided(older, old)
            if not rest:
                return None
            product = _minus_product(older_cofactor, quotient, cofactor)
            older, old, older_cofactor, cofactor = old, rest, cofactor, product
        return self.field.element([_rational(bounded(c / old[0])) for c in cofactor])

    def _read(self, other: Any) -> tuple[tuple[int, ...], int]:
        """Numerators and the denominator."""
        if isinstance(other, Element):
            require(other.field is self.field or other.field == self.field, "numbers of two different fields meet")
            return other.numerators, other.denominator
        return ((other.numerator,), other.denominator) if other else ((), 1)


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
