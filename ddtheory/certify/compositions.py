"""f(p_1 … p_d) for polynomials over a field ℚ(c), computed with integers: c is one variable more until the end."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from ddtheory.certify.fields import Field
from ddtheory.certify.limits import spend, within
from ddtheory.certify.polynomials import Exponent, Polynomial
from ddtheory.certify.scalars import Number, Scalar, bounded, whole

Integral: TypeAlias = Mapping[Exponent, int]  # the last exponent is that of c


Sparse: TypeAlias = Mapping[tuple[tuple[int, int], ...], Number]  # by (variable, exponent), …

_MOST_DEGREE = 100  # Horner's scheme takes a frame of Python for each


@dataclass(frozen=True)
class _Fraction:
    """A polynomial with integers over one denominator."""

    terms: Integral
    denominator: int

    def times(self, other: _Fraction) -> _Fraction:
        total: dict[Exponent, int] = {}
        for left, a in self.terms.items():
            for right, b in other.terms.items():
                spend()
                place = tuple(map(int.__add__, left, right))
                total[place] = total.get(place, 0) + a * b
        found = {place: bounded(value) for place, value in total.items() if value}
        return _Fraction(found, bounded(self.denominator * other.denominator))

    def plus(self, other: _Fraction) -> _Fraction:
        common = bounded(math.lcm(self.denominator, other.denominator))
        total: dict[Exponent, int] = {}
        for summand in (self, other):
            factor = common // summand.denominator
            for place, value in summand.terms.items():
                spend()
                total[place] = total.get(place, 0) + factor * value
        return _Fraction({place: bounded(value) for place, value in total.items() if value}, common)


def composed(f: Polynomial, images: Sequence[Polynomial], dimension: int, field: Field | None) -> Polynomial:
    """f with every variable replaced by a polynomial in `dimension` variables; no coefficient is formally 0.

    By Horner's scheme in the variable that most terms have. Over a field a coefficient is a residue modulo its
    polynomial, which is 0 as a number where it is formally 0.

    >>> composed({(2,): 1}, [{(1, 0): 1, (0, 1): 1}], 2, None)
    {(2, 0): 1, (1, 1): 2, (0, 2): 1}
    """
    within(max((sum(exponent) for exponent in f), default=0), _MOST_DEGREE, "for the degree of a composition")
    terms: Sparse = {tuple((i, e) for i, e in enumerate(exponent) if e): c for exponent, c in f.items()}
    total = _Composition([_integral(image) for image in images], dimension).of(terms)
    parts: dict[Exponent, dict[int, int]] = {}
    for place, value in total.terms.items():
        parts.setdefault(place[:-1], {})[place[-1]] = value
    found = {place: _number(at, total.denominator, field) for place, at in parts.items()}
    return {place: c for place, c in found.items() if not is_formally_zero(c)}


class _Composition:
    def __init__(self, images: Sequence[_Fraction], dimension: int) -> None:
        self._images = images
        self._dimension = dimension

    def of(self, terms: Sparse) -> _Fraction:
        total = _integral({(0,) * self._dimension: terms[()]} if () in terms else {})
        rest = {monomial: c for monomial, c in terms.items() if monomial}
        while rest:
            spend()
            (variable, _), *_ = Counter(i for monomial in rest for i, _ in monomial).most_common(1)
            with_it = {_without(monomial, variable): c for monomial, c in rest.items() if variable in dict(monomial)}
            rest = {monomial: c for monomial, c in rest.items() if variable not in dict(monomial)}
            total = total.plus(self._images[variable].times(self.of(with_it)))
        return total


def _without(monomial: tuple[tuple[int, int], ...], variable: int) -> tuple[tuple[int, int], ...]:
    """The monomial divided by the variable once."""
    return tuple((i, e - (i == variable)) for i, e in monomial if e - (i == variable))


def is_formally_zero(c: Number) -> bool:
    """Whether a number is 0 as it is written: always where the polynomial of the field is irreducible."""
    return not any(c.parts) if isinstance(c, Scalar) else c == 0


def _integral(p: Polynomial) -> _Fraction:
    listed = [(e, c.parts if isinstance(c, Scalar) else (c,)) for e, c in p.items()]
    common = bounded(math.lcm(*(part.denominator for _, parts in listed for part in parts)))
    terms = {
        (*exponent, power): part.numerator * (common // part.denominator)
        for exponent, parts in listed
        for power, part in enumerate(parts)
        if part
    }
    return _Fraction(terms, common)


def _number(parts: Mapping[int, int], common: int, field: Field | None) -> Number:
    if field is None:
        return whole(Fraction(parts.get(0, 0), common))
    return field.element([Fraction(parts.get(k, 0), common) for k in range(max(parts) + 1)])
