"""Polynomial extrapolation to t = 0 with an error bar, and the first non-zero power of a series.

Everything here works with radii in increasing order and takes the relative error of each value as given.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

SPREAD_SAFETY = 2.0  # successive extrapolations differ by about the error of the worse one


@dataclass(frozen=True)
class Limit:
    """An extrapolated value and the half width that spread and rounding allow."""

    value: float
    error: float


class Extrapolation:
    """Extrapolation from given nodes to t = 0, or to `at`, by the polynomial through all of them (Neville).

    The error of a limit is what changes when the largest or the smallest radius is left out, times
    SPREAD_SAFETY, plus the propagated errors of the values. Leaving out the smallest radius is what unmasks a
    limit that is not there: for f = 1/t the value halves.

    >>> limit = Extrapolation([1.0, 2.0, 4.0]).limit([1.5, 3.0, 9.0], [0.0, 0.0, 0.0])    # 1 + t²/2
    >>> round(limit.value, 12)
    1.0
    """

    def __init__(self, nodes: Sequence[float], at: float = 0.0) -> None:
        self.full = lagrange(nodes, at)
        self.without_largest = lagrange(nodes[:-1], at)
        self.without_smallest = lagrange(nodes[1:], at)

    def limit(self, values: Sequence[float], errors: Sequence[float]) -> Limit:
        full = dot(self.full, values)
        spread = max(
            abs(full - dot(self.without_largest, values[:-1])),
            abs(full - dot(self.without_smallest, values[1:])),
        )
        rounding = math.fsum(abs(w) * e for w, e in zip(self.full, errors, strict=True))
        return Limit(full, SPREAD_SAFETY * spread + rounding)


def lagrange(nodes: Sequence[float], at: float) -> list[float]:
    """Weights w with Σ w_i f(t_i) = f(at) for every polynomial of degree below the number of nodes."""
    return [math.prod((s - at) / (s - t) for j, s in enumerate(nodes) if j != i) for i, t in enumerate(nodes)]


def dot(weights: Sequence[float], values: Sequence[float]) -> float:
    return math.fsum(w * v for w, v in zip(weights, values, strict=True))


@dataclass(frozen=True)
class FirstPower:
    """The one power p of t for which f/t^p has a finite limit clear of zero.

    Attributes:
        power: p in f = c t^p + …
        coefficient: c in units of f/t^p at the smallest radius, with its error.
        shares: for each power below p, the share of f at the smallest radius that it could still hold.
    """

    power: int
    coefficient: Limit
    shares: tuple[tuple[int, float], ...]


CLEAR = 10.0  # a limit is not zero when it is this many error bars away from it
HIGHEST_POWER = 24


def first_power(
    radii: Sequence[float], values: Sequence[float], relative: Sequence[float], lowest: int
) -> FirstPower | None:
    """The leading power of f: below it f/t^p tends to zero, above it f/t^p has no limit.

    None when no power from `lowest` to HIGHEST_POWER, or more than one, has a limit clear of zero.

    >>> found = first_power([1.0, 2.0, 4.0, 8.0], [3.0, 24.0, 192.0, 1536.0], [0.0] * 4, lowest=1)    # 3t³
    >>> found.power, round(found.coefficient.value, 12)
    (3, 1.0)
    """
    scaled = [t / radii[0] for t in radii]
    extrapolation = Extrapolation(scaled)
    found: list[tuple[int, Limit]] = []
    for power in range(lowest, HIGHEST_POWER + 1):
        reduced = [v / (values[0] * s**power) for s, v in zip(scaled, values, strict=True)]
        limit = extrapolation.limit(reduced, [r * e for r, e in zip(reduced, relative, strict=True)])
        if limit.value > CLEAR * limit.error:
            found.append((power, limit))
    if len(found) != 1:
        return None
    power, limit = found[0]
    reduced = [v / (values[0] * s**power) for s, v in zip(scaled, values, strict=True)]
    bounds = {rival: rival_share(scaled, reduced, relative, power - rival) for rival in range(lowest, power)}
    shares = tuple((rival, abs(share.value) + share.error) for rival, share in bounds.items())
    return FirstPower(power, limit, shares)


def rival_share(scaled: Sequence[float], reduced: Sequence[float], relative: Sequence[float], gap: int) -> Limit:
    """How much t^{−gap} there is in `reduced` = polynomial + c t^{−gap}, as a share at t = 1, the smallest.

    The divided difference over n nodes kills polynomials of degree n − 2, and what it leaves is c times that
    of t^{−gap}. Its error is judged by leaving out the largest radius, plus the propagated errors of the values.
    """

    def share(count: int) -> Limit:
        nodes = scaled[:count]
        weights = [1.0 / math.prod(s - t for j, t in enumerate(nodes) if j != i) for i, s in enumerate(nodes)]
        rival = math.fsum(w * s**-gap for w, s in zip(weights, nodes, strict=True))
        terms = [w * r / rival for w, r in zip(weights, reduced[:count], strict=True)]
        return Limit(math.fsum(terms), math.fsum(abs(x) * e for x, e in zip(terms, relative[:count], strict=True)))

    whole, short = share(len(scaled)), share(len(scaled) - 1)
    return Limit(whole.value, abs(whole.value - short.value) + whole.error)
