"""ℚ(c) inside ℝ: the field of one real root of an irreducible polynomial, with exact signs."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

from sympy import QQ, CRootOf, Poly, Rational, Symbol

from ddtheory.exact.thresholds.germs.limits import spend

LARGEST_DEGREE = 12  # beyond it arithmetic takes minutes


@dataclass(frozen=True)
class RealField:
    """ℚ(c), where c is the only real root of Σ a_i z^i in the interval.

    Attributes:
        polynomial: a_0, a_1, …, irreducible over ℚ.
        lower, upper: rational bounds lower < c < upper.
    """

    polynomial: tuple[Fraction, ...]
    lower: Fraction
    upper: Fraction

    @cached_property
    def domain(self) -> Any:
        """The field as a domain of sympy, whose generator is c."""
        z = Symbol("z")
        whole = _poly(self.polynomial, z)
        number = next(k for k, root in enumerate(whole.real_roots(radicals=False)) if self.lower < root < self.upper)
        return QQ.algebraic_field(CRootOf(whole, number))

    @cached_property
    def _enclosure(self) -> list[Fraction]:
        """Bounds on c that only get narrower; no part of the value."""
        return [self.lower, self.upper]

    def sign(self, element: Any) -> int:
        """The sign of an element of the domain.

        >>> root_two = RealField((Fraction(-2), Fraction(0), Fraction(1)), Fraction(1), Fraction(2))
        >>> c = root_two.domain.unit
        >>> root_two.sign(c**2 - 2), root_two.sign(2 * c - 3), root_two.sign(5 * c - 7)
        (0, -1, 1)
        """
        parts = coefficients(element)
        while parts:
            low, high = _enclosed(parts, *self._enclosure)
            if low > 0 or high < 0:
                return 1 if low > 0 else -1
            self._halve()
        return 0

    def _halve(self) -> None:
        spend()
        low, high = self._enclosure
        middle = (low + high) / 2
        # a polynomial that is irreducible, of degree 2 or more, changes its sign at c and vanishes at no rational
        same = (_value(self.polynomial, low) > 0) == (_value(self.polynomial, middle) > 0)
        self._enclosure[:] = (middle, high) if same else (low, middle)

    def __str__(self) -> str:
        return f"{in_powers(self.polynomial)} = 0 and {self.lower} < c < {self.upper}"


def real_roots(factor: Poly, positive: bool) -> list[RealField]:
    """The fields of the real roots of an irreducible polynomial over ℚ of degree 2 or more, or of the positive ones."""
    polynomial = tuple(Fraction(int(c.p), int(c.q)) for c in reversed(factor.all_coeffs()))
    fields = [
        RealField(polynomial, *(Fraction(int(end.p), int(end.q)) for end in ends)) for ends, _ in factor.intervals()
    ]
    return [field for field in fields if not positive or field.sign(field.domain.unit) > 0]


def coefficients(element: Any) -> list[Fraction]:
    """An element as Σ parts[i] c^i, without leading zeros; a rational is an element too."""
    listed = element.to_list() if hasattr(element, "to_list") else [element] if element else []
    return [Fraction(int(part.numerator), int(part.denominator)) for part in reversed(listed)]


def in_powers(parts: Sequence[Fraction]) -> str:
    """Σ parts[i] c^i as text, the highest power first.

    >>> in_powers([Fraction(-2), Fraction(0), Fraction(1)])
    'c^2 - 2'
    """
    text = ""
    for power, part in reversed([*enumerate(parts)]):
        if part:
            names = ["c" if power == 1 else f"c^{power}"] if power else []
            body = "*".join([*([str(abs(part))] if abs(part) != 1 or not names else []), *names])
            text += f" {'-' if part < 0 else '+'} {body}" if text else ("-" if part < 0 else "") + body
    return text or "0"


@dataclass(frozen=True)
class Algebraic:
    """An element of a field that can be compared with 0."""

    element: Any
    field: RealField

    def __bool__(self) -> bool:
        return bool(self.element)

    def __gt__(self, zero: int) -> bool:
        return self.field.sign(self.element) > 0

    def __lt__(self, zero: int) -> bool:
        return self.field.sign(self.element) < 0


def count_real_roots(polynomial: Poly, field: RealField, positive: bool) -> int:
    """How many different real roots a polynomial over a field has, whose constant term is not 0: Sturm's theorem."""
    sequence = [entry.rep.to_list() for entry in polynomial.sturm()]  # highest coefficient first, in the domain

    def changes(side: int) -> int:
        """Sign changes at 0, or at side · ∞."""
        signs = [
            field.sign(entry[-1]) if not side else field.sign(entry[0]) * side ** (len(entry) - 1) for entry in sequence
        ]
        seen = [s for s in signs if s]
        return sum(a != b for a, b in itertools.pairwise(seen))

    return changes(0 if positive else -1) - changes(1)


def _poly(polynomial: tuple[Fraction, ...], z: Symbol) -> Poly:
    return Poly([Rational(a.numerator, a.denominator) for a in reversed(polynomial)], z, domain="QQ")


def _value(polynomial: tuple[Fraction, ...], at: Fraction) -> Fraction:
    total = Fraction(0)
    for a in reversed(polynomial):
        total = total * at + a
    return total


def _enclosed(parts: list[Fraction], low: Fraction, high: Fraction) -> tuple[Fraction, Fraction]:
    """Bounds on Σ parts[i] c^i."""
    bottom = top = Fraction(0)
    for part in reversed(parts):
        ends = (bottom * low, bottom * high, top * low, top * high)
        bottom, top = min(ends) + part, max(ends) + part
    return bottom, top
