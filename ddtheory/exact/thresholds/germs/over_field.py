"""Numbers that are not rational: the real field that they generate, and polynomials over it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

import sympy
from flint import Ordering, fmpq, fmpq_mpoly_ctx, fmpq_poly
from sympy import QQ, Expr, Poly, Pow, Rational, Symbol
from sympy.polys.polyerrors import CoercionFailed, NotAlgebraic
from sympy.polys.rings import PolyRing

from ddtheory.errors import UndecidedError, clipped
from ddtheory.exact.thresholds.germs.limits import spend
from ddtheory.exact.thresholds.germs.local_ring import Element, from_flint, substitute, to_flint
from ddtheory.exact.thresholds.germs.real_fields import LARGEST_DEGREE, RealField, coefficients

Numbers: TypeAlias = Callable[[Expr], Any]
"""Reads a constant as an element of the domain of a field."""


@dataclass(frozen=True)
class NumberField:
    """ℚ, or the real field that some numbers generate, and how numbers are read in it.

    Attributes:
        field: None for ℚ.
        read: a constant as an element; raises UndecidedError for one that is not in the field.
    """

    field: RealField | None
    read: Numbers

    @property
    def domain(self) -> Any:
        return QQ if self.field is None else self.field.domain


def field_of(numbers: Sequence[Expr]) -> NumberField:
    """The field that real algebraic numbers generate.

    Raises:
        UndecidedError: a number is not algebraic, or the field has a degree above 12.

    >>> from sympy import sqrt
    >>> found = field_of([sqrt(2), Rational(1, 2), 1 + sqrt(8)])
    >>> str(found.field), found.field.sign(found.read(sqrt(2)) - 1), found.read(sqrt(2)) ** 2
    ('c^2 - 2 = 0 and 1 < c < 2', 1, ANP([2], [1, 0, -2], QQ))
    """
    irrational = list(dict.fromkeys(number for number in numbers if not isinstance(number, Rational)))
    if not irrational:
        return NumberField(None, _rational)
    domain: Any = QQ
    for number in irrational:
        domain = _with(domain, number)
    whole = Poly(domain.mod.to_list(), Symbol("z"), domain="QQ")
    ends = (pair for pair, _ in whole.intervals())
    low, high = next((low, high) for low, high in ends if low < domain.ext.root < high)
    polynomial = tuple(Fraction(int(c.p), int(c.q)) for c in reversed(whole.all_coeffs()))
    field = RealField(polynomial, Fraction(int(low.p), int(low.q)), Fraction(int(high.p), int(high.q)))
    return NumberField(field, functools.partial(_element, domain=domain, field=field))


def _with(domain: Any, number: Expr) -> Any:
    """The field with one number more."""
    if domain.is_Algebraic:
        try:
            domain.from_sympy(number)
        except (CoercionFailed, NotAlgebraic, ValueError):
            pass
        else:
            return domain
    try:
        wider = QQ.algebraic_field(*([domain.ext.root] if domain.is_Algebraic else []), number)
    except (NotAlgebraic, NotImplementedError, ValueError):
        raise UndecidedError(
            f"{clipped(str(number))} is not known to be algebraic. Declare it a parameter, or give an algebraic number."
        ) from None
    degree = len(wider.mod.to_list()) - 1
    if degree > LARGEST_DEGREE:
        raise UndecidedError(
            f"With {clipped(str(number))} the numbers generate a field of degree {degree}; the limit is "
            f"{LARGEST_DEGREE}. Give a point with simpler numbers."
        )
    return wider


def _rational(number: Expr) -> Any:
    if not isinstance(number, Rational):
        raise UndecidedError(f"{clipped(str(number))} is not rational.")
    return QQ(int(number.p), int(number.q))


@functools.lru_cache(maxsize=2_048)
def _element(number: Expr, domain: Any, field: RealField) -> Any:
    if isinstance(number, Rational):
        return field.domain(QQ(int(number.p), int(number.q)))
    try:
        listed = domain.from_sympy(number).to_list()
    except (CoercionFailed, NotAlgebraic, ValueError):
        raise UndecidedError(f"{clipped(str(number))} is not in the field of the other numbers.") from None
    found, c = field.domain.zero, field.domain.unit
    for part in listed:
        found = found * c + field.domain(part)
    return found


def composed(polynomial: Element, images: Sequence[Element], ring: PolyRing, field: RealField | None) -> Element:
    """f(images), in which every variable is replaced by a polynomial of `ring`, over ℚ or over a field.

    Over ℚ(c) FLINT computes with c as one variable more, and c is reduced at the end.

    >>> from sympy import sqrt
    >>> numbers = field_of([sqrt(2)])
    >>> ring = PolyRing("x", numbers.domain, "grevlex")
    >>> (x,) = ring.gens
    >>> composed(x**2 - 2 * x, [x + numbers.read(sqrt(2)) * x], ring, numbers.field)[(2,)]
    ANP([2, 3], [1, 0, -2], QQ)
    """
    if field is None:
        return substitute(polynomial, images, ring)
    if not polynomial:
        return ring.zero
    spend()
    context = _context(ring.ngens + 1)
    wide = [_widened(image, context) for image in images]
    found = _widened(polynomial, _context(polynomial.ring.ngens + 1)).compose(*wide, context.gens()[-1])
    terms: dict[tuple[int, ...], list[Any]] = {}
    for monomial, coefficient in found.to_dict().items():
        *powers, power = map(int, monomial)
        parts = terms.setdefault(tuple(powers), [])
        parts.extend([QQ.zero] * (power + 1 - len(parts)))
        parts[power] = QQ(int(coefficient.p), int(coefficient.q))
    reduced = {monomial: _in_field(parts, field) for monomial, parts in terms.items()}
    return ring.from_dict({monomial: c for monomial, c in reduced.items() if c})


@functools.lru_cache(maxsize=64)
def _context(count: int) -> Any:
    return fmpq_mpoly_ctx.get([f"x{i}" for i in range(count)], Ordering.degrevlex)


@functools.lru_cache(maxsize=4_096)
def _widened(polynomial: Element, context: Any) -> Any:
    return context.from_dict(
        {
            (*monomial, power): to_flint(part)
            for monomial, c in polynomial.items()
            for power, part in enumerate(coefficients(c))
            if part
        }
    )


def _in_field(parts: Sequence[Any], field: RealField) -> Any:
    """Σ parts[i] c^i, reduced."""
    modulus = fmpq_poly([fmpq(part.numerator, part.denominator) for part in field.polynomial])
    rest = fmpq_poly([to_flint(part) for part in parts]) % modulus
    return field.domain([from_flint(part) for part in reversed(rest.coeffs())])


def constants_in(expression: Expr) -> list[Expr]:
    """The largest parts of a sum of products that contain no symbol.

    >>> from sympy import sqrt
    >>> from sympy.abc import x
    >>> constants_in((x + sqrt(2)) ** 2 * 3 - 1)
    [-1, 3, sqrt(2)]
    """
    if not expression.free_symbols:
        return [expression]
    if isinstance(expression, sympy.Add | sympy.Mul | Pow):
        parts = expression.args[:1] if isinstance(expression, Pow) else expression.args
        return [number for part in parts for number in constants_in(part)]
    return []


def element_of(expression: Expr, places: Mapping[Expr, Element], ring: PolyRing, numbers: Numbers) -> Element:
    """A sum of products of numbers and of what stands for symbols, or for powers with negative exponents.

    Raises:
        NotPolynomial: something else occurs.
    """
    if expression in places:
        return places[expression]
    if not expression.free_symbols:
        return ring.ground_new(numbers(expression))
    if isinstance(expression, sympy.Add):
        return sum((element_of(term, places, ring, numbers) for term in expression.args), ring.zero)
    if isinstance(expression, sympy.Mul):
        product = ring.one
        for factor in expression.args:
            product = product * element_of(factor, places, ring, numbers)
        return product
    if isinstance(expression, Pow) and expression.args[1].is_Integer:
        base, power = expression.args
        inner = places.get(1 / base) if power < 0 else element_of(base, places, ring, numbers)
        if inner is not None:
            return inner ** abs(int(power))
    raise NotPolynomial(str(expression))


class NotPolynomial(Exception):
    """An expression that is no polynomial in what is at hand."""


def moved(polynomial: Element, place: Sequence[Any], field: RealField | None) -> Element:
    """f(x + place), over a field."""
    ring = polynomial.ring
    return composed(polynomial, [x + entry for x, entry in zip(ring.gens, place, strict=True)], ring, field)
