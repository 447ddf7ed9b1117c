"""How exact values are written in certificates: rationals as strings, polynomials as lists of terms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from ddtheory.exact.thresholds.local_ring import Element, fraction
from ddtheory.exact.thresholds.nodes import Bound


def polynomial_to_json(polynomial: Element) -> list[list[Any]]:
    """[[exponents, "p/q"], …], in graded order.

    >>> from ddtheory.exact.thresholds.local_ring import ring_of
    >>> x, y = ring_of(("x", "y")).gens
    >>> polynomial_to_json(x**2 / 2 - y)
    [[[2, 0], '1/2'], [[0, 1], '-1']]
    """
    return [[list(monomial), str(fraction(coefficient))] for monomial, coefficient in polynomial.terms()]


def bound_to_json(bound: Bound) -> list[Any]:
    """[value, m], with "infinity" for the unit ideal and null for an unknown m."""
    return ["infinity" if bound.value == math.inf else str(bound.value), bound.m]


def rationals_to_json(values: Sequence[Fraction | int]) -> list[str]:
    return [str(Fraction(value)) for value in values]
