"""Arithmetic of polynomials as dictionaries: exponents → coefficient, no coefficient zero."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from ddtheory.certify.limits import MOST_DEGREE, spend, within
from ddtheory.certify.refusal import require
from ddtheory.certify.scalars import Number, Scalar, bounded, sign, whole

Exponent: TypeAlias = tuple[int, ...]
Polynomial: TypeAlias = Mapping[Exponent, Number]


def pruned(terms: Mapping[Exponent, Number]) -> Polynomial:
    """Without the terms that vanish, and no number too large."""
    return {exponent: whole(c) for exponent, c in terms.items() if sign(c)}


def constant(dimension: int, number: Number) -> Polynomial:
    return pruned({(0,) * dimension: number})


def variable(dimension: int, index: int) -> Polynomial:
    spend()
    return {tuple(int(i == index) for i in range(dimension)): 1}


def add(*summands: Polynomial) -> Polynomial:
    total: dict[Exponent, Number] = {}
    for summand in summands:
        for exponent, c in summand.items():
            spend()
            total[exponent] = whole(total[exponent] + c) if exponent in total else c
    return pruned(total)


def scale(p: Polynomial, number: Number) -> Polynomial:
    found: dict[Exponent, Number] = {}
    for exponent, c in p.items():
        spend()
        found[exponent] = c * number
    return pruned(found)


def multiply(p: Polynomial, q: Polynomial) -> Polynomial:
    return pruned(_times(p, q))


def _times(p: Polynomial, q: Polynomial) -> Polynomial:
    """The product, with algebraic coefficients that may be 0: it takes long to tell."""
    total: dict[Exponent, Number] = {}
    for left, a in p.items():
        for right, b in q.items():
            spend()
            exponent = tuple(map(int.__add__, left, right))
            total[exponent] = whole(total[exponent] + a * b) if exponent in total else whole(a * b)
    return {exponent: c for exponent, c in total.items() if isinstance(c, Scalar) or c}


def power(p: Polynomial, exponent: int, dimension: int) -> Polynomial:
    degree = max((sum(e) for e in p), default=0)
    within(degree * exponent, MOST_DEGREE, "for the degree of a power")
    result, square = constant(dimension, 1), p
    while exponent:
        if exponent & 1:
            result = _times(result, square)
        exponent >>= 1
        square = _times(square, square) if exponent else square
    return pruned(result)


def equal(p: Polynomial, q: Polynomial) -> bool:
    return not add(p, scale(q, -1))


def combination(coefficients: Iterable[Polynomial], polynomials: Iterable[Polynomial]) -> Polynomial:
    """Σ coefficient · polynomial."""
    return add(*(multiply(a, f) for a, f in zip(coefficients, polynomials, strict=True)))


def derivative(p: Polynomial, orders: Sequence[int]) -> Polynomial:
    """The partial derivative of the given orders, one per variable.

    >>> derivative({(3, 1): 2}, (2, 1))
    {(1, 0): 12}
    """
    found: dict[Exponent, Number] = {}
    for exponent, c in p.items():
        spend()
        factor = 1
        for e, k in zip(exponent, orders, strict=True):
            factor = factor and bounded(factor * math.perm(e, k))
        if factor:
            found[tuple(e - k for e, k in zip(exponent, orders, strict=True))] = c * factor
    return pruned(found)


def gradient_at_zero(p: Polynomial, dimension: int) -> list[Number]:
    return [p.get(tuple(int(i == k) for i in range(dimension)), 0) for k in range(dimension)]


def at_zero(p: Polynomial) -> Number:
    """The value at the origin."""
    return next((c for exponent, c in p.items() if not any(exponent)), 0)


def is_unit(p: Polynomial) -> bool:
    """Whether the value at the origin is not 0."""
    return sign(at_zero(p)) != 0


def is_constant(p: Polynomial) -> bool:
    """Whether the polynomial is a number other than 0."""
    return len(p) == 1 and is_unit(p)


def evaluate(p: Polynomial, point: Sequence[Number]) -> Number:
    total: Number = 0
    for exponent, c in p.items():
        term = c
        for base, e in zip(point, exponent, strict=True):
            for _ in range(e):
                spend()
                term = whole(term * base)
        total = whole(total + term)
    return total


def substitute(p: Polynomial, images: Sequence[Polynomial], dimension: int) -> Polynomial:
    """p with every variable replaced by a polynomial in `dimension` variables.

    >>> substitute({(2,): 1}, [{(1, 0): 1, (0, 1): 1}], 2)
    {(2, 0): 1, (1, 1): 2, (0, 2): 1}
    """
    powers: dict[tuple[int, int], Polynomial] = {}

    def raised(index: int, exponent: int) -> Polynomial:
        key = (index, exponent)
        if key not in powers:
            powers[key] = power(images[index], exponent, dimension)
        return powers[key]

    total: dict[Exponent, Number] = {}
    for exponent, c in p.items():
        term = constant(dimension, c)
        for index, e in enumerate(exponent):
            if e and term:
                term = _times(term, raised(index, e))
        for place, coefficient in term.items():
            total[place] = whole(total[place] + coefficient) if place in total else coefficient
    return pruned(total)


def uses(p: Polynomial) -> set[int]:
    """The variables that occur."""
    return {index for exponent in p for index, e in enumerate(exponent) if e}


def on(p: Polynomial, kept: Sequence[int]) -> Polynomial:
    """A polynomial that uses kept variables only, in those variables."""
    require(uses(p) <= set(kept), "a polynomial uses a variable that it must not contain")
    return {tuple(exponent[i] for i in kept): c for exponent, c in p.items()}


def proportional(p: Polynomial, q: Polynomial) -> bool:
    """Whether two non-zero polynomials are multiples of each other by a number."""
    if p.keys() != q.keys() or not p:
        return False
    first = next(iter(p))
    spend()
    return all(sign(p[e] * q[first] - q[e] * p[first]) == 0 for e in p)
