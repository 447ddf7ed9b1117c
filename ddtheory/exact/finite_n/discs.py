r"""Bounds of a sum of products of powers on Bernstein ellipses, from Chebyshev coefficients.

In E_ρ, |T_k| ≤ (ρ^k + ρ^{−k})/2 and |Im T_k| ≤ (ρ^k − ρ^{−k})/2. So a polynomial g = Σ c_α T_α, with s_i in E_ρ and the
other variables in [−1, 1], lies within r = Σ_{α≠0} |c_α| (ρ^{α_i} + ρ^{−α_i})/2 of c_0, and its imaginary part is at
most q = Σ |c_α| (ρ^{α_i} − ρ^{−α_i})/2. A square c ∏ g^e with even e has

  Re ≥ c ∏ (|c_0| − r)^e cos Σ e arctan(q/(|c_0| − r))   where every |c_0| > r and the angle is below π/2,
  Re ≥ −c (Im ∏ g^{e/2})²                                always, and c ((|c_0| − r)² − q²) for one g with e = 2,

and any other term is bounded by its value at the centre and the distance from there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from operator import mul
from typing import NamedTuple

from ddtheory.exact.finite_n.charts import Floats
from ddtheory.exact.finite_n.squares import Term

_ROUNDING = 1e-13  # of the sum of the coefficients: more than all roundings of the conversion together
RHOS = (1.5, 1.9, 2.4, 3.2, 4.5, 7.0, 12.0, 30.0)

Disc = tuple[float, float, float]
"""|centre| with its sign, radius, bound of the imaginary part."""


@dataclass(frozen=True)
class Margins:
    """The constant Chebyshev coefficient of a polynomial, and for each axis the sums of |c_α| by α_i."""

    centre: float
    along: list[list[float]]
    noise: float

    def disc(self, axis: int, index: int) -> Disc:
        """A disc around its values for s_axis in the ellipse `RHOS[index]`, the others real."""
        margin = self.along[axis]
        means, halves = _factors(len(margin))[index]
        radius = sum(map(mul, margin, means)) - abs(self.centre) + self.noise * means[-1]
        imaginary = sum(map(mul, margin, halves)) + self.noise * halves[-1]
        return self.centre, max(radius, 0.0), min(imaginary, radius)

    @cached_property
    def real(self) -> Disc:
        """A disc around its values on the cube."""
        radius = max(sum(self.along[0]) - abs(self.centre), 0.0) + self.noise
        return self.centre, radius, 0.0


def margins(terms: Floats, dimension: int) -> Margins:
    """Of a polynomial with these coefficients."""
    centre, along = _chebyshev(terms, dimension)
    return Margins(centre, along, _ROUNDING * sum(map(abs, terms.values())))


def _chebyshev(terms: Floats, dimension: int) -> tuple[float, list[list[float]]]:
    """The constant Chebyshev coefficient, and for each axis the sums of |c_α| by α_i."""
    current = terms
    for axis in range(dimension):
        moved: Floats = {}
        for powers, value in current.items():
            if powers[axis] < 2:
                moved[powers] = moved.get(powers, 0.0) + value
                continue
            for order, share in _power(powers[axis]):
                key = (*powers[:axis], order, *powers[axis + 1 :])
                moved[key] = moved.get(key, 0.0) + value * share
        current = moved
    margins = []
    for axis in range(dimension):
        margin = [0.0] * (1 + max((powers[axis] for powers in current), default=0))
        for powers, value in current.items():
            margin[powers[axis]] += abs(value)
        margins.append(margin)
    return current.get((0,) * dimension, 0.0), margins


@lru_cache(maxsize=256)
def _power(degree: int) -> tuple[tuple[int, float], ...]:
    """s^k = Σ 2^{1−k} C(k, (k − j)/2) T_j over j ≡ k, the term j = 0 halved."""
    return tuple(
        (order, math.comb(degree, (degree - order) // 2) * 2.0 ** (1 - degree) * (1.0 if order else 0.5))
        for order in range(degree % 2, degree + 1, 2)
    )


@lru_cache(maxsize=256)
def _factors(count: int) -> list[tuple[list[float], list[float]]]:
    """(ρ^k ± ρ^{−k})/2 for k < count, by ρ; 1 and 0 for k = 0."""
    return [
        ([(rho**k + rho**-k) / 2 for k in range(count)], [(rho**k - rho**-k) / 2 for k in range(count)]) for rho in RHOS
    ]


class Bounds(NamedTuple):
    """Of Φ = tK + γR at t = γ = 1: lower bounds of Re K and Re R, and upper bounds of |K| and |R|."""

    divergence: float
    divergence_size: float
    rest: float
    rest_size: float

    def at(self, t: float, gamma: float) -> tuple[float, float]:
        """(a lower bound of Re Φ, an upper bound of t|K|)."""
        whole = t * self.divergence_size + gamma * self.rest_size
        low = t * self.divergence + gamma * self.rest - 1e-12 * whole - 1e-10
        return low, t * self.divergence_size * (1 + 1e-10)


def bounds(terms: Sequence[Term], found: Sequence[Disc]) -> Bounds:
    """Of the terms where the bases lie in these discs; up to a rounding that `Bounds.at` takes off."""
    divergence = divergence_size = rest = rest_size = 0.0
    for term in terms:
        largest = abs(term.size)
        for index, power in term.powers:
            centre, radius, _ = found[index]
            largest *= (abs(centre) + radius) ** power
        low = _square(term, found) if term.square else _other(term, largest, found)
        if term.divergence:
            divergence, divergence_size = divergence + low, divergence_size + largest
        else:
            rest, rest_size = rest + low, rest_size + largest
    return Bounds(divergence, divergence_size, rest, rest_size)


def _square(term: Term, found: Sequence[Disc]) -> float:
    if not term.powers:
        return term.size
    near, angle, modulus, imaginary = 1.0, 0.0, 1.0, 0.0
    for index, power in term.powers:
        centre, radius, side = found[index]
        size = abs(centre)
        gap = size - radius
        if gap > 0:
            near *= gap**power
            angle += power * math.atan2(side, gap)
        else:
            near, angle = 0.0, math.inf
        # |Im g^n| ≤ n |g|^{n−1} |Im g|, and |Im (gh)| ≤ |g| |Im h| + |Im g| |h|
        half = power // 2
        rest = (size + radius) ** (half - 1)
        top = rest * (size + radius)
        imaginary = modulus * min(half * side * rest, top) + imaginary * top
        modulus *= top
    flat = -(min(imaginary, modulus) ** 2)
    if power == 2 and gap > 0 and len(term.powers) == 1:
        flat += gap**2
    return term.size * (max(flat, near * math.cos(angle)) if angle < 1.57 else flat)


def _other(term: Term, largest: float, found: Sequence[Disc]) -> float:
    centre = term.size
    for index, power in term.powers:
        centre *= found[index][0] ** power
    return centre - (largest - abs(centre))
