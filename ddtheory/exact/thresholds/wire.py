"""How exact values are written in certificates: rationals as strings, polynomials as lists of terms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from ddtheory.exact.thresholds.germs.local_ring import Element
from ddtheory.exact.thresholds.germs.real_fields import RealField, coefficients
from ddtheory.exact.thresholds.nodes import Bound, CertificateError

_MOST_DENSE = 12  # variables; with more of them most exponents are 0
_LONGEST = 12_000  # bits; Python prints 4300 digits and no more


def polynomial_to_json(polynomial: Element) -> list[list[Any]]:
    """[[exponents, "p/q"], …], in graded order; in many variables the exponents that are not 0, by their place.

    Raises:
        CertificateError: a coefficient is too long to write down.

    >>> from ddtheory.exact.thresholds.germs.local_ring import ring_of
    >>> x, y = ring_of(("x", "y")).gens
    >>> polynomial_to_json(x**2 / 2 - y)
    [[[2, 0], '1/2'], [[0, 1], '-1']]
    >>> many = ring_of([f"x{i}" for i in range(300)]).gens
    >>> polynomial_to_json(many[7] ** 2 * many[299] + 1)
    [[{'7': 2, '299': 1}, '1'], [{}, '1']]
    """
    written = list if polynomial.ring.ngens <= _MOST_DENSE else _sparse
    return [[written(monomial), number_to_json(coefficient)] for monomial, coefficient in polynomial.terms()]


def _sparse(monomial: Sequence[int]) -> dict[str, int]:
    return {str(place): power for place, power in enumerate(monomial) if power}


def number_to_json(coefficient: Any) -> str | list[str]:
    """A rational as text; another element of a field as the list of coefficients of 1, c, c², …"""
    parts = coefficients(coefficient) or [Fraction(0)]
    return rational_to_json(parts[0]) if len(parts) == 1 else rationals_to_json(parts)


def field_to_json(field: RealField) -> dict[str, list[str]]:
    """The polynomial of its generator, constant term first, and an interval that holds no other root."""
    return {
        "minimal_polynomial": rationals_to_json(field.polynomial),
        "interval": rationals_to_json([field.lower, field.upper]),
    }


def bound_to_json(bound: Bound) -> list[Any]:
    """[value, m], with "infinity" for the unit ideal and null for an unknown m."""
    return ["infinity" if bound.value == math.inf else str(bound.value), bound.m]


def rational_to_json(value: Fraction | int) -> str:
    """A number as text.

    Raises:
        CertificateError: it is too long to write down.
    """
    number = Fraction(value)
    if number.numerator.bit_length() + number.denominator.bit_length() > _LONGEST:
        raise CertificateError(f"A number has more than {_LONGEST} bits, which is too long to write down.")
    return str(number)


def rationals_to_json(values: Sequence[Fraction | int]) -> list[str]:
    return [rational_to_json(value) for value in values]
