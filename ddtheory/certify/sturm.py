"""Real roots of polynomials in one variable: division, greatest common divisors, and Sturm's count.

A polynomial is the list of its coefficients, constant term first, without a vanishing leading one. Remainders are
taken up to a positive factor, which changes no root and no sign; an algebraic leading coefficient is made rational by
such a factor, because products of algebraic numbers grow fast.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from fractions import Fraction

from ddtheory.certify.limits import spend
from ddtheory.certify.scalars import Number, Scalar, primitive, sign, whole

Univariate = list[Number]


def trimmed(coefficients: Sequence[Number]) -> Univariate:
    """Without vanishing leading coefficients; the polynomial 0 is the empty list."""
    degree = len(coefficients)
    while degree and sign(coefficients[degree - 1]) == 0:
        degree -= 1
    return list(coefficients[:degree])


def derivative(p: Univariate) -> Univariate:
    return trimmed([k * c for k, c in enumerate(p)][1:])


def divided(p: Univariate, q: Univariate) -> tuple[Univariate, Univariate]:
    """Quotient and remainder of p by q ≠ 0, both up to one common positive factor."""
    scale = _to_rational(q[-1])
    if scale is not None:  # p = Q·(scale·q) + R
        found, rest = divided(p, _scaled(q, scale))
        return trimmed([c * scale for c in found]), rest
    quotient: Univariate = [0] * max(len(p) - len(q) + 1, 0)
    rest = list(p)
    lead = q[-1]
    square = lead * lead
    while len(rest) >= len(q):
        shift, factor = len(rest) - len(q), rest[-1] * lead
        quotient = [square * c for c in quotient]
        quotient[shift] = quotient[shift] + factor
        rest = [square * c for c in rest[:-1]]
        for k, c in enumerate(q[:-1]):
            spend()
            rest[shift + k] = rest[shift + k] - factor * c
        both = primitive([*quotient, *rest])
        quotient, rest = both[: len(quotient)], trimmed(both[len(quotient) :])
    return trimmed(quotient), rest


def _to_rational(lead: Number) -> Scalar | None:
    """A positive number that makes an algebraic one rational."""
    if not isinstance(lead, Scalar) or len(lead.parts) <= 1:
        return None
    inverse = lead.inverse()
    return None if inverse is None else inverse * lead.sign()


def _scaled(p: Univariate, scale: Scalar) -> Univariate:
    """scale · p, with the leading coefficient that scale was made for."""
    return [*(c * scale for c in p[:-1]), sign(p[-1])]


def _normal(p: Univariate) -> Univariate:
    """A positive multiple with small parts and, if it is known how, a rational leading coefficient."""
    scale = _to_rational(p[-1]) if p else None
    return primitive(p if scale is None else _scaled(p, scale))


def gcd(p: Univariate, q: Univariate) -> Univariate:
    """A greatest common divisor, up to a factor.

    >>> gcd([-1, 0, 1], [1, -2, 1])
    [-1, 1]
    """
    while q:
        p, q = q, _normal(divided(p, q)[1])
    return _normal(p)


def square_free(p: Univariate) -> Univariate:
    """The polynomial with the same roots, each of them simple."""
    return _normal(divided(p, gcd(p, derivative(p)))[0]) if len(p) > 1 else p


def repeated(p: Univariate, multiplicity: int) -> Univariate:
    """A polynomial whose roots are the roots of p ≠ 0 of at least that multiplicity."""
    for _ in range(min(multiplicity, len(p)) - 1):
        p = gcd(p, derivative(p))
    return p


def value(p: Univariate, at: Number) -> Number:
    total: Number = 0
    for coefficient in reversed(p):
        spend()
        total = whole(total * at + coefficient)
    return total


def chain(p: Univariate) -> list[Univariate]:
    """Sturm's chain of a square-free polynomial."""
    found = [p, derivative(p)]
    while found[-1]:
        found.append(_normal([-c for c in divided(found[-2], found[-1])[1]]))
    return found[:-1]


def variations(sequence: Sequence[Univariate], at: Fraction | int | None, side: int = 1) -> int:
    """Sign changes of a chain at a number, or at side · ∞ when the number is None."""
    if at is None:
        signs = [sign(p[-1]) * (side ** (len(p) - 1)) for p in sequence]
    else:
        signs = [sign(value(p, at)) for p in sequence]
    seen = [s for s in signs if s]
    return sum(a != b for a, b in itertools.pairwise(seen))


def roots(p: Univariate, lower: Fraction | int | None = None, upper: Fraction | int | None = None) -> int:
    """How many different real roots p ≠ 0 has in (lower, upper]; None stands for −∞ and ∞.

    Source: Sturm's theorem, Basu, Pollack and Roy 2006, Theorem 2.62.

    >>> roots([0, -2, 0, 1]), roots([0, -2, 0, 1], 0), roots([0, -2, 0, 1], -1, 0)     # z³ − 2z
    (3, 1, 1)
    """
    if len(p) <= 1:
        return 0
    sequence = chain(square_free(p))
    return variations(sequence, lower, -1) - variations(sequence, upper, 1)


def has_root(p: Univariate, positive_only: bool) -> bool:
    """Whether p ≠ 0 has a real root other than 0, or a positive one."""
    p = without_zero_roots(p)
    return roots(p, 0 if positive_only else None) > 0


def negative_point(p: Univariate) -> Fraction | None:
    """A positive number at which p ≠ 0 is negative; None when p ≥ 0 on (0, ∞).

    The roots are separated by points that are no roots, so every sign between two of them is seen.

    >>> negative_point([1, -3, 1]), negative_point([1, -2, 1])
    (Fraction(1, 1), None)
    """
    for simple in (Fraction(1), Fraction(2), Fraction(1, 2)):
        if sign(value(p, simple)) < 0:
            return simple
    sequence = chain(square_free(without_zero_roots(p)))
    low = high = Fraction(1)
    while _is_root(sequence, low) or variations(sequence, 0) != variations(sequence, low):
        low /= 2
    while _is_root(sequence, high) or variations(sequence, high) != variations(sequence, None):
        high *= 2
    points, waiting = [low, high], [(low, high)]
    while waiting:
        low, high = waiting.pop()
        if variations(sequence, low) - variations(sequence, high) > 1:
            middle, part = (low + high) / 2, 3
            while _is_root(sequence, middle):
                middle, part = low + (high - low) / part, part + 1
            points.append(middle)
            waiting += [(low, middle), (middle, high)]
    return next((point for point in points if sign(value(p, point)) < 0), None)


def _is_root(sequence: Sequence[Univariate], at: Fraction) -> bool:
    return sign(value(sequence[0], at)) == 0


def without_zero_roots(p: Univariate) -> Univariate:
    """Divided by the largest power of the variable."""
    start = next(k for k, c in enumerate(p) if sign(c))
    return p[start:]


def largest_multiplicity(p: Univariate, positive_only: bool) -> int:
    """The largest multiplicity of a real root of p ≠ 0 other than 0 (or of a positive one); 0 when there is none.

    >>> largest_multiplicity([1, 2, 1], positive_only=False), largest_multiplicity([1, 2, 1], positive_only=True)
    (2, 0)
    """
    found = 0
    while has_root(p, positive_only):
        found += 1
        p = gcd(p, derivative(p))
    return found
