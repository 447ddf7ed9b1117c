r"""Pieces of the domain, each a cube [−1, 1]^d under a polynomial map, with everything composed with the map exactly.

A piece is halved along an axis, or cut along a graph s_i = p(s_j, j ≠ i) with −1 < p − r and p + r < 1 into what lies
below, a band of half width r around the graph, and what lies above: the graph is a curve of zeros of K, along which
boxes would have to be as small as the valley is narrow. Each of the maps
s_i ↦ a + b s_i, with a and b free of s_i, has the Jacobian b > 0. All coefficients are rational, so nothing is rounded.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from flint import fmpq, fmpq_mpoly

Floats = dict[tuple[int, ...], float]

_HALF = fmpq(1, 2)
_DEGREE = 3  # of a graph that is no polynomial
_DENOMINATOR = 2**30
_NEWTON = 40
_FARTHEST = 1.5  # where a zero is looked for


@dataclass(frozen=True)
class Chart:
    """A cube: the bases in its coordinates, the Jacobian, and how often it was cut along a graph."""

    bases: tuple[fmpq_mpoly, ...]
    jacobian: fmpq_mpoly
    cuts: int = 0

    def halves(self, axis: int) -> list[Chart]:
        half = self.jacobian.context().constant(_HALF)
        generator = self.jacobian.context().gens()[axis]
        return [self._moved(axis, (generator + sign) * _HALF, half, 0) for sign in (-1, 1)]

    def along(self, axis: int, graph: fmpq_mpoly, band: fmpq) -> list[Chart]:
        """Below, on and above the band around the graph; without a band two pieces."""
        generator = self.jacobian.context().gens()[axis]
        low, high = graph - band, graph + band
        below, above = (low + 1) * _HALF, (1 - high) * _HALF
        pieces = [
            self._moved(axis, (low - 1) * _HALF + below * generator, below, 1),
            self._moved(axis, (high + 1) * _HALF + above * generator, above, 1),
        ]
        if band:
            pieces.append(self._moved(axis, graph + band * generator, self.jacobian.context().constant(band), 1))
        return pieces

    def _moved(self, axis: int, image: fmpq_mpoly, jacobian: fmpq_mpoly, cuts: int) -> Chart:
        images = list(self.jacobian.context().gens())
        images[axis] = image
        return Chart(
            tuple(base.compose(*images) for base in self.bases),
            self.jacobian.compose(*images) * jacobian,
            self.cuts + cuts,
        )


def floats(polynomial: fmpq_mpoly) -> Floats:
    """Its coefficients, right to 1e-15 of each."""
    return {
        tuple(map(int, powers)): int(value.p) / int(value.q)
        for powers, value in zip(polynomial.monoms(), polynomial.coeffs(), strict=True)
    }


def graph_of_zeros(base: fmpq_mpoly, terms: Floats, axis: int) -> fmpq_mpoly | None:
    """p with base ≈ 0 at s_axis = p, when the base is monotone along the axis; p may leave the cube.

    Where the base is linear in s_axis with a constant slope p is exact; otherwise it is interpolated. Any p is good
    for a cut, and a good p for a cheap one.
    """
    dimension = len(next(iter(terms)))
    unit = tuple(int(index == axis) for index in range(dimension))
    lead = terms.get(unit, 0.0)
    mixed = {powers: value for powers, value in terms.items() if powers[axis] and powers != unit}
    slope = abs(lead) - sum(abs(value) * powers[axis] for powers, value in mixed.items())
    if slope <= 0:
        return None
    context = base.context()
    if not mixed:
        generator = context.gens()[axis]
        slope_exact = base.derivative(axis)
        found = (generator * slope_exact - base) * (1 / slope_exact.leading_coefficient())
        return context.from_dict({powers: _rounded(value, 2**60) for powers, value in found.terms()})
    others = [index for index in range(dimension) if index != axis and any(powers[index] for powers in terms)]
    nodes = [math.cos(math.pi * (2 * k + 1) / (2 * _DEGREE + 2)) for k in range(_DEGREE + 1)]
    values = {}
    for place in itertools.product(range(_DEGREE + 1), repeat=len(others)):
        point = [0.0] * dimension
        for index, k in zip(others, place, strict=True):
            point[index] = nodes[k]
        values[place] = _zero(terms, axis, point)
    return context.from_dict(_interpolated(values, nodes, others, dimension))


def _zero(terms: Floats, axis: int, point: list[float]) -> float:
    """The zero along the axis, by Newton's method."""
    column: dict[int, float] = {}
    for powers, value in terms.items():
        for index, power in enumerate(powers):
            if index != axis and power:
                value *= point[index] ** power
        column[powers[axis]] = column.get(powers[axis], 0.0) + value
    s = 0.0
    for _ in range(_NEWTON):
        slope = sum(k * c * s ** (k - 1) for k, c in column.items() if k)
        step = sum(c * s**k for k, c in column.items()) / slope if slope else 0.0
        s = min(max(s - step, -_FARTHEST), _FARTHEST)
        if abs(step) < 1e-14:
            break
    return s


def _interpolated(
    values: dict[tuple[int, ...], float], nodes: Sequence[float], others: Sequence[int], dimension: int
) -> dict[tuple[int, ...], fmpq]:
    """Coefficients of the polynomial through values at the Chebyshev nodes."""
    basis = [_lagrange(nodes, k) for k in range(len(nodes))]
    total: dict[tuple[int, ...], float] = {}
    for place, value in values.items():
        for powers in itertools.product(range(len(nodes)), repeat=len(others)):
            term = value * math.prod(basis[k][power] for k, power in zip(place, powers, strict=True))
            total[powers] = total.get(powers, 0.0) + term
    found = {}
    for powers, value in total.items():
        key = [0] * dimension
        for index, power in zip(others, powers, strict=True):
            key[index] = power
        found[tuple(key)] = fmpq(round(value * _DENOMINATOR), _DENOMINATOR)
    return found


def _lagrange(nodes: Sequence[float], index: int) -> list[float]:
    """Power coefficients of the polynomial that is 1 at one node and 0 at the others."""
    found = [1.0]
    for other, node in enumerate(nodes):
        if other != index:
            scale = 1 / (nodes[index] - node)
            raised = [0.0, *found]
            found = [scale * (high - node * low) for high, low in zip(raised, [*found, 0.0], strict=True)]
    return found


def _rounded(value: fmpq, denominator: int) -> fmpq:
    """The value, or the nearest with this denominator when its own is larger."""
    if int(value.q) <= denominator:
        return value
    return fmpq(round(int(value.p) * denominator / int(value.q)), denominator)
