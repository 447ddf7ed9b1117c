"""Signs of a polynomial near 0, seen at points: exact values, and no other idea than to look."""

from __future__ import annotations

import random
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

Json = Any


def value(generator: Json, point: Sequence[Fraction]) -> Fraction:
    """A generator of a certificate, with rational coefficients, at a point."""
    total = Fraction(0)
    for exponent, coefficient in generator:
        term = Fraction(coefficient)
        for base, e in zip(point, exponent, strict=True):
            term *= base**e
        total += term
    return total


def seen(germ: Json, generator: Json, parameters: Sequence[int] = (), count: int = 600) -> set[int]:
    """The signs at points x_i = ± m·10^{−w}, random m and w, in the domain; parameters are anywhere.

    Some coordinates are 0; and in two variables, points are on curves x = ± m t^a, y = ± n t^b for small a and b.
    """
    rng = random.Random(str(generator))
    found: set[int] = set()
    for _ in range(count):
        scale = rng.choice([1, 2, 4, 8])
        point = []
        for index, one_sided in enumerate(germ["nonnegative"]):
            size = Fraction(rng.randrange(1, 40), rng.choice([8, 10]))
            small = size / 10 ** (2 + rng.randrange(1, 5) * scale)
            chosen = rng.choice([Fraction(rng.randrange(4), 2), size]) if index in parameters else small
            chosen *= rng.choice([1, 1, 1, 0]) if index not in parameters else 1
            point.append(chosen if one_sided else chosen * rng.choice([-1, 1]))
        v = value(generator, point)
        found |= {(v > 0) - (v < 0)} - {0}
    return found
