"""f(p_1 … p_d) for polynomials over a field ℚ(c), computed with integers: c is one variable more until the end."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from ddtheory.certify.fields import Field
from ddtheory.certify.limits import MOST_FIELD_DEGREE, spend, within
from ddtheory.certify.polynomials import Exponent, Polynomial
from ddtheory.certify.scalars import Number, Scalar, bounded, whole

Integral: TypeAlias = Mapping[int, int]  # by a monomial packed into one number, c among its variables

Sparse: TypeAlias = Mapping[tuple[tuple[int, int], ...], Number]  # by (variable, exponent), …

_MOST_DEGREE = 100  # Horner's scheme takes a frame of Python for each


@dataclass(frozen=True)
class _Fraction:
    """A polynomial with integers over one denominator."""

    terms: Integral
    denominator: int

    def times(self, other: _Fraction) -> _Fraction:
        total: dict[int, int] = {}
        get = total.get
        for left, a in self.terms.items():
            spend()
            for right, b in other.terms.items():
                place = left + right
                total[place] = get(place, 0) + a * b
        found = {place: bounded(value) for place, value in total.items() if value}
        return _Fraction(found, bounded(self.denominator * other.denominator))


def _sum(summands: Sequence[_Fraction]) -> _Fraction:
    common = 1
    for summand in summands:
        common = bounded(math.lcm(common, summand.denominator))
    total: dict[int, int] = {}
    get = total.get
    for summand in summands:
        spend()
        factor = common // summand.denominator
        for place, value in summand.terms.items():
            total[place] = get(place, 0) + factor * value
    return _Fraction({place: bounded(value) for place, value in total.items() if value}, common)


def composed(f: Polynomial, images: Sequence[Polynomial], dimension: int, field: Field | None) -> Polynomial:
    """f with every variable replaced by a polynomial in `dimension` variables; no coefficient is formally 0.

    By Horner's scheme in the variable that most terms have. Over a field a coefficient is a residue modulo its
    polynomial, which is 0 as a number where it is formally 0.

    >>> composed({(2,): 1}, [{(1, 0): 1, (0, 1): 1}], 2, None)
    {(2, 0): 1, (1, 1): 2, (0, 2): 1}
    """
    degree = max((sum(exponent) for exponent in f), default=0)
    within(degree, _MOST_DEGREE, "for the degree of a composition")
    terms: Sparse = {tuple((i, e) for i, e in enumerate(exponent) if e): c for exponent, c in f.items()}
    used = sorted({i for monomial in terms for i, _ in monomial})
    packing = _Packing.of([images[i] for i in used], dimension, degree)
    total = _horner(terms, {i: packing.integral(images[i]) for i in used}, packing)
    parts: dict[Exponent, dict[int, int]] = {}
    for packed, value in total.terms.items():
        *place, power = packing.unpacked(packed)
        parts.setdefault(tuple(place), {})[power] = value
    found = {place: _number(at, total.denominator, field) for place, at in parts.items()}
    return {place: c for place, c in found.items() if not is_formally_zero(c)}


@dataclass(frozen=True)
class _Packing:
    """Monomials as one number each, with so many bits for an exponent: the product is the sum.

    The last exponent is that of c.
    """

    variables: int
    bits: int

    @classmethod
    def of(cls, images: Sequence[Polynomial], dimension: int, degree: int) -> _Packing:
        """Wide enough for products of so many of these polynomials, and a number."""
        powers = [e for image in images for exponent in image for e in exponent]
        sizes = [len(c.parts) for image in images for c in image.values() if isinstance(c, Scalar)]
        return cls(dimension + 1, ((degree + 1) * max([*powers, *sizes, MOST_FIELD_DEGREE])).bit_length())

    def integral(self, p: Polynomial) -> _Fraction:
        listed = [(e, c.parts if isinstance(c, Scalar) else (c,)) for e, c in p.items()]
        common = bounded(math.lcm(*(part.denominator for _, parts in listed for part in parts)))
        terms = {
            self._packed((*exponent, power)): part.numerator * (common // part.denominator)
            for exponent, parts in listed
            for power, part in enumerate(parts)
            if part
        }
        return _Fraction(terms, common)

    def _packed(self, exponent: Exponent) -> int:
        found = 0
        for e in reversed(exponent):
            found = found << self.bits | e
        return found

    def unpacked(self, packed: int) -> Exponent:
        mask = (1 << self.bits) - 1
        return tuple(packed >> self.bits * i & mask for i in range(self.variables))


def _horner(terms: Sparse, images: Mapping[int, _Fraction], packing: _Packing) -> _Fraction:
    summands = [packing.integral({(0,) * (packing.variables - 1): terms[()]})] if () in terms else []
    rest = {monomial: c for monomial, c in terms.items() if monomial}
    while rest:
        spend()
        (variable, _), *_ = Counter(i for monomial in rest for i, _ in monomial).most_common(1)
        with_it = {_without(monomial, variable): c for monomial, c in rest.items() if variable in dict(monomial)}
        rest = {monomial: c for monomial, c in rest.items() if variable not in dict(monomial)}
        summands.append(images[variable].times(_horner(with_it, images, packing)))
    return _sum(summands)


def _without(monomial: tuple[tuple[int, int], ...], variable: int) -> tuple[tuple[int, int], ...]:
    """The monomial divided by the variable once."""
    return tuple((i, e - (i == variable)) for i, e in monomial if e - (i == variable))


def is_formally_zero(c: Number) -> bool:
    """Whether a number is 0 as it is written: always where the polynomial of the field is irreducible."""
    return not any(c.parts) if isinstance(c, Scalar) else c == 0


def _number(parts: Mapping[int, int], common: int, field: Field | None) -> Number:
    if field is None:
        return whole(Fraction(parts.get(0, 0), common))
    return field.residue([parts.get(k, 0) for k in range(max(parts) + 1)], common)
