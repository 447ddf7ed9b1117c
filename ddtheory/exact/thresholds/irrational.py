"""Germs with numbers that are not rational, in coefficients or in the point, over the field that these generate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from sympy import Expr, Rational, Symbol

from ddtheory.errors import InvalidValueError, clipped
from ddtheory.exact.thresholds.expressions import refuse_long
from ddtheory.exact.thresholds.germs.ideal import IdealGerm
from ddtheory.exact.thresholds.germs.local_ring import ring_of
from ddtheory.exact.thresholds.germs.over_field import (
    NotPolynomial,
    NumberField,
    constants_in,
    element_of,
    field_of,
    moved,
)


@dataclass(frozen=True)
class Irrational:
    """A germ over a field, at its point and moved to the origin.

    Attributes:
        numbers: the field.
        given: the polynomials as they were given.
        place: the point, in the field.
        germ: the same at the origin.
    """

    numbers: NumberField
    given: IdealGerm
    place: tuple[Any, ...]
    germ: IdealGerm


def over_field(
    expressions: Sequence[Expr],
    names: Sequence[str],
    point: Mapping[str, Expr],
    shape: tuple[tuple[Fraction, ...], tuple[bool, ...]],
    more: Sequence[Expr] = (),
    most_terms: int = 5_000,
) -> Irrational:
    """Polynomials over the field of their coefficients and of the point.

    Args:
        shape: the prior exponents, and which variables are one-sided.
        more: further expressions whose numbers the field must hold.

    Raises:
        InvalidValueError: an expression is no polynomial, or has too many terms.
        UndecidedError: a number is not algebraic, or the field has a degree above 12.

    >>> from sympy import sqrt, symbols
    >>> x, y = symbols("x y", real=True)
    >>> shape = ((Fraction(0),) * 2, (False,) * 2)
    >>> found = over_field([x**2 - 2 * y], ["x", "y"], {"x": sqrt(2), "y": Rational(1)}, shape)
    >>> print(found.germ)
    ⟨(2*c)*x - 2*y + x^2⟩ with c^2 - 2 = 0 and 1 < c < 2
    """
    used = [number for entry in (*expressions, *more) for number in constants_in(entry)]
    numbers = field_of([*used, *point.values()])
    ring = ring_of(names, numbers.domain)
    places: dict[Expr, Any] = {Symbol(name, real=True): x for name, x in zip(names, ring.gens, strict=True)}
    given: list[Any] = []
    for expression in expressions:
        refuse_long(expression, most_terms)
        try:
            given.append(element_of(expression, places, ring, numbers.read))
        except NotPolynomial as part:
            raise InvalidValueError(
                f"{clipped(str(part))} is no polynomial. At a point with irrational coordinates the generators must be "
                "polynomials; give Taylor polynomials, and say so."
            ) from None
    place = tuple(numbers.read(point.get(name, Rational(0))) for name in names)
    germs = [
        IdealGerm(ring, tuple(found), *shape, field=numbers.field)
        for found in (given, [moved(f, place, numbers.field) for f in given])
    ]
    return Irrational(numbers, germs[0], place, germs[1])
