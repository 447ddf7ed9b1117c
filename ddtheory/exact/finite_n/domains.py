r"""The domain of a polynomial posterior in pieces, each a cube [−1, 1]^d under a polynomial map.

A coordinate with prior |w_i|^h, h = a/b in lowest terms, is taken one sign at a time as w_i = ±W v^b, v in [0, 1], so
that |w_i|^h dw_i = W^{h+1} b v^{a+b−1} dv has a whole exponent ≥ 0; the others are taken whole, w_i = m + W s.

A disc ‖w‖ ≤ R is the rectangle with corners R(±20/29, ±21/29), which lie on the circle, and four caps, each cut into
slices whose outer side is a polynomial q below the circle. If |1 − u² − q₀²| ≤ e on a slice then |q₀ − √(1 − u²)| ≤
e/√(1 − u²) ≤ (29/20) e, so q = q₀ − (29/20) e leaves a sliver of at most that times two between itself and the circle.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from flint import arb, fmpq, fmpq_mpoly

from ddtheory.exact.finite_n.given import Ends, GermPrior
from ddtheory.exact.finite_n.squares import fraction
from ddtheory.exact.numbers.enclosing import ball

_CORNER = Fraction(20, 29), Fraction(21, 29)
_SLICES = 16
_DEGREE = 10
_DENOMINATOR = 2**48


@dataclass(frozen=True)
class Patch:
    """w as polynomials on the cube, the v_i of coordinates with a prior, and the Jacobian but for `size`."""

    images: tuple[fmpq_mpoly, ...]
    weights: tuple[fmpq_mpoly, ...]
    jacobian: fmpq_mpoly


def patches(phi: GermPrior, width: Fraction, gens: Sequence[fmpq_mpoly]) -> Iterator[Patch]:
    """The domain; an open end is taken at the width. Every interval holds 0."""
    context = gens[0].context()
    if phi.radius is not None:
        for images, jacobian in _disc(gens):
            yield Patch(tuple(fraction(phi.radius) * image for image in images), (), jacobian)
        return
    parts = [sides(h, closed(ends, width), one) for h, ends, one in zip(phi.exponents, phi.ends, gens, strict=True)]
    for chosen in itertools.product(*parts):
        yield Patch(
            tuple(image for image, _, _ in chosen),
            tuple(weight for _, weight, _ in chosen if weight is not None),
            context.constant(fraction(math.prod((share for _, _, share in chosen), start=Fraction(1)))),
        )


def size(phi: GermPrior, width: Fraction) -> arb:
    """The factor that all Jacobians share."""
    if phi.radius is not None:
        return ball(phi.radius**2)
    factors = (length(h, closed(ends, width)) for h, ends in zip(phi.exponents, phi.ends, strict=True))
    return math.prod(factors, start=arb(1))


def length(h: Fraction, ends: tuple[Fraction, Fraction]) -> arb:
    """The factor that the shares of `sides` leave out."""
    low, high = ends
    longest = max(-low, high) if h else (high - low) / 2
    return h.denominator * (ball(h + 1) * ball(longest).log()).exp() / (2 if h else 1)


def sliver(phi: GermPrior) -> arb:
    """A bound of what the patches leave out of Z and of t ∫ K e^{−tK} φ, with K ≥ 0 on the disc; nothing of a box."""
    if phi.radius is None:
        return arb(0)
    area = ball(phi.radius**2 * sum((2 * loss * length for _, _, loss, length in _slices()), Fraction(0)))
    if phi.variance is None:
        return area
    widest = max(loss for _, _, loss, _ in _slices())
    distance = abs(ball(phi.radius) - sum((ball(c) ** 2 for c in phi.centre), arb(0)).sqrt()) - 2 * ball(
        phi.radius * widest
    )
    nearest = distance if distance > 0 else arb(0)
    return area * (-(nearest**2) / (2 * ball(phi.variance))).exp()


def closed(ends: Ends, width: Fraction) -> tuple[Fraction, Fraction]:
    """The interval, its open ends taken at the width."""
    low, high = ends
    return (-width if low is None else low, width if high is None else high)


def sides(
    h: Fraction, ends: tuple[Fraction, Fraction], generator: fmpq_mpoly
) -> list[tuple[fmpq_mpoly, fmpq_mpoly | None, Fraction]]:
    """(w, v or None, share of the Jacobian) for each part of one coordinate; an open end is closed already."""
    low, high = ends
    if not h:
        return [(fraction((low + high) / 2) + fraction((high - low) / 2) * generator, None, Fraction(1))]
    unit = (generator + 1) * fmpq(1, 2)
    longest = max(-low, high)
    # a fractional h has equal sides, so that the power of their ratio is rational
    return [
        (
            fraction(end) * unit**h.denominator,
            unit,
            Fraction(1) if abs(end) == longest else (abs(end) / longest) ** int(h + 1),
        )
        for end in (high, low)
        if end
    ]


def _disc(gens: Sequence[fmpq_mpoly]) -> Iterator[tuple[tuple[fmpq_mpoly, ...], fmpq_mpoly]]:
    """The unit disc but for slivers: the map and its Jacobian."""
    a, b = map(fraction, _CORNER)
    first, second = gens
    yield (a * first, b * second), first.context().constant(a * b)
    for which, (middle, powers, _, length) in _slices_by_cap():
        along = fraction(middle) + fraction(length / 2) * second
        outer = sum((fraction(c) * second**power for power, c in enumerate(powers)), first * 0)
        inner = (a, b)[which]
        half = (outer - inner) * fmpq(1, 2)
        for sign in (1, -1):
            across = sign * (inner + half * (first + 1))
            images = (across, along) if which == 0 else (along, across)
            yield images, half * fraction(length / 2)


def _slices() -> list[tuple[Fraction, tuple[Fraction, ...], Fraction, Fraction]]:
    """Of all four caps."""
    return [one for _, one in _slices_by_cap() for _ in (1, -1)]


@lru_cache(maxsize=1)
def _slices_by_cap() -> list[tuple[int, tuple[Fraction, tuple[Fraction, ...], Fraction, Fraction]]]:
    """(0 for caps in w_1, 1 for caps in w_2; (middle of u, coefficients of q in s, loss, length)), u = middle + s
    length/2."""
    found = []
    for which, end in enumerate(reversed(_CORNER)):
        half = end / _SLICES
        for index in range(_SLICES):
            middle = -end + half * (2 * index + 1)
            powers = _below_the_circle(middle, half)
            found.append((which, (middle, *powers, 2 * half)))
    return found


def _below_the_circle(middle: Fraction, half: Fraction) -> tuple[tuple[Fraction, ...], Fraction]:
    """q ≤ √(1 − (middle + half s)²) on [−1, 1] and a bound of half the difference, which is at most twice the loss."""
    powers = [Fraction(round(c * _DENOMINATOR), _DENOMINATOR) for c in _interpolated(float(middle), float(half))]
    square = [Fraction(0)] * (2 * _DEGREE + 1)
    for (i, p), (j, q) in itertools.product(enumerate(powers), repeat=2):
        square[i + j] += p * q
    gap = [-c for c in square]
    for power, c in enumerate((1 - middle**2, -2 * middle * half, -(half**2))):
        gap[power] += c
    loss = sum(map(abs, _chebyshev(gap)), Fraction(0)) / min(_CORNER)
    return (powers[0] - loss, *powers[1:]), loss


def _interpolated(middle: float, half: float) -> list[float]:
    """Coefficients of the polynomial that is √(1 − (middle + half s)²) at the Chebyshev nodes, near enough."""
    count = _DEGREE + 1
    angles = [math.pi * (2 * k + 1) / (2 * count) for k in range(count)]
    values = [math.sqrt(1 - (middle + half * math.cos(angle)) ** 2) for angle in angles]
    before, current = [1.0], [0.0, 1.0]  # T_0, T_1
    found = [0.0] * count
    for order in range(count):
        share = sum(value * math.cos(order * angle) for value, angle in zip(values, angles, strict=True)) / count
        for power, c in enumerate(before):
            found[power] += c * share * (2 if order else 1)
        following = [0.0, *(2 * c for c in current)]
        for power, c in enumerate(before):
            following[power] -= c
        before, current = current, following
    return found


def _chebyshev(powers: Sequence[Fraction]) -> list[Fraction]:
    """Coefficients in T_k, exactly; the sum of their sizes bounds the polynomial on [−1, 1]."""
    found = [Fraction(0)] * len(powers)
    for power, c in enumerate(powers):
        for order in range(power % 2, power + 1, 2):
            share = Fraction(math.comb(power, (power - order) // 2), 2**power) * (2 if order else 1)
            found[order] += c * share
    return found
