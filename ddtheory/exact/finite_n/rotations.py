r"""K that depends on two coordinates through x² + y² alone: one coordinate ρ = x² + y² in their place.

On the square |x|, |y| ≤ W, with q = tan of the angle to the nearest axis,

  ∫∫ F(x² + y²) dx dy = π ∫_0^{W²} F(ρ) dρ + ∫_0^1 (π − 4 arctan q) F(W²(1 + q²)) 2W² q dq,

a disc and its four corners; and on ‖(x, y, z)‖ ≤ R it is π ∫ dz ∫_0^{R² − z²} F(ρ) dρ. The weight of the corners is
replaced by polynomials with a proven error: Taylor's on each of `_SLICES` slices, where |c_k| ≤ 1/k, since the
singularities ±i are at least 1 away. Three variables become two, where valleys end in points.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import sympy
from flint import arb, fmpq
from sympy import Expr, Symbol

from ddtheory.exact.finite_n.charts import Chart
from ddtheory.exact.finite_n.domains import Patch, closed, length, sides
from ddtheory.exact.finite_n.given import GermPrior, exactly
from ddtheory.exact.finite_n.outside import outside, reach
from ddtheory.exact.finite_n.polynomial_germs import PolynomialGerm, lowest, pieces
from ddtheory.exact.finite_n.squares import Reader, fraction
from ddtheory.exact.numbers.enclosing import ball, exact, working

_SLICES = 8
_DEGREE = 18
_BITS = 100
_INNER = Fraction(7, 10)  # below 1/√2: the disc of radius W holds the square of this half width


@dataclass(frozen=True)
class RotatedGerm(PolynomialGerm):
    """A germ in (ρ, z); its prior is that of (x, y, z).

    Attributes:
        axis: of z.
    """

    axis: int = 0

    def roots(self, width: Fraction) -> list[Chart]:
        return pieces(self, self._domain(width), [] if self.phi.exponents[self.axis] else [1])

    def level(self, t: float, gamma: float) -> float:
        centre = self.phi.centre[self.axis]
        width = abs(centre) + 1
        radial = closed(self._radial, width)[1]
        along = closed(self.phi.ends[self.axis], width)
        return max(lowest(self, (Fraction(0), centre), [(Fraction(0), radial**2), along], t, gamma), 0.0)

    def reach(self, phi: GermPrior, share: arb) -> Fraction:
        return reach(phi, share) / _INNER

    def size(self, phi: GermPrior, width: Fraction) -> arb:
        return arb.pi() if phi.radius is not None else arb.pi() * length(*self._height(width))

    def lost(self, phi: GermPrior, width: Fraction) -> arb:
        if phi.radius is not None:
            return arb(0)
        if not phi.bounded:
            return outside(phi, _INNER * width) + self._corners(width)
        return self._corners(width)

    @property
    def weights(self) -> tuple[tuple[int, int], ...]:
        h = self.phi.exponents[self.axis]
        return ((len(self.bases), h.numerator + h.denominator - 1),) if h else ()

    @property
    def _radial(self) -> tuple[Fraction | None, Fraction | None]:
        return next(ends for index, ends in enumerate(self.phi.ends) if index != self.axis)

    def _corners(self, width: Fraction) -> arb:
        """What the polynomials of the corners are off by: their area times the error, with Φ ≥ 0."""
        high = self._radial[1]
        if high is None:
            return arb(0)
        h, ends = self._height(width)
        mass = sum(((ball(h + 1) * ball(abs(end)).log()).exp() / ball(h + 1) for end in ends if end), arb(0))
        return arb.pi() * ball(high**2 * _slices()[1]) * mass

    def _height(self, width: Fraction) -> tuple[Fraction, tuple[Fraction, Fraction]]:
        return self.phi.exponents[self.axis], closed(self.phi.ends[self.axis], width)

    def _domain(self, width: Fraction) -> Iterator[Patch]:
        first, second = self.bases[0].context().gens()
        unit, half, phi = (first + 1) * fmpq(1, 2), fmpq(1, 2), self.phi
        if phi.radius is not None:
            height = (1 - second**2) * fraction(phi.radius**2)
            yield Patch((height * unit, fraction(phi.radius) * second), (), height * half * fraction(phi.radius))
            return
        low, high = self._radial
        disc = fraction(closed((low, high), width)[1] ** 2)
        radial = [(disc * unit, disc * half + first * 0)]
        if high is not None:
            for middle, reach_of, weight in _slices()[0]:
                q = fraction(middle) + fraction(reach_of) * first
                around = sum((fraction(c) * first**power for power, c in enumerate(weight)), first * 0)
                radial.append((disc + disc * q**2, 2 * disc * fraction(reach_of) * q * around))
        quadrants = sum(ends[0] == 0 for index, ends in enumerate(phi.ends) if index != self.axis)
        for (rho, jacobian), (image, weight, share) in itertools.product(radial, sides(*self._height(width), second)):
            factor = fraction(share / 2**quadrants)
            yield Patch((rho, image), () if weight is None else (weight,), jacobian * factor)


def rotated(expression: Expr, symbols: Sequence[Symbol], phi: GermPrior) -> RotatedGerm | None:
    """The germ in (ρ, z); None where K, the domain or the prior is not the same around one of the axes.

    Raises:
        PolynomialError: K is no polynomial with rational coefficients.
    """
    if len(symbols) != 3:
        return None
    for axis in range(3):
        others = [index for index in range(3) if index != axis]
        round_ = all(not phi.exponents[index] and not phi.centre[index] for index in others)
        ends = [phi.ends[index] for index in others]
        same = ends[0][1] == ends[1][1] and all(low == 0 or _mirrored(low, high) for low, high in ends)
        if not round_ or not same:
            continue
        rho = Symbol("rho", positive=True)
        found = _in_one(expression, [symbols[index] for index in others], rho)
        if found is not None:
            return _read(found, rho, symbols[axis], phi, axis)
    return None


def _mirrored(low: Fraction | None, high: Fraction | None) -> bool:
    return low is high is None or (low is not None and high is not None and low == -high)


def _in_one(expression: Expr, pair: Sequence[Symbol], rho: Symbol) -> Expr | None:
    """K with ρ for x² + y², written as it was."""
    first, second = pair
    found = expression.subs({first: sympy.sqrt(rho), second: 0}, simultaneous=True)
    if not found.is_polynomial(rho) or not expression.is_polynomial(first, second):
        return None
    whole = found.subs(rho, first**2 + second**2)
    gens = sorted(expression.free_symbols, key=str)
    return found if sympy.Poly(whole, *gens) == sympy.Poly(expression, *gens) else None


def _read(expression: Expr, rho: Symbol, along: Symbol, phi: GermPrior, axis: int) -> RotatedGerm:
    phi, offsets = phi.around_zero()
    if offsets[axis]:
        expression = expression.subs(along, along + exactly(offsets[axis]))
    reader = Reader([rho, along])
    reader.add(expression, Fraction(1), divergence=True)
    if phi.variance:
        reader.add(rho, Fraction(1, 2), divergence=False)
        reader.add((along - exactly(phi.centre[axis])) ** 2, Fraction(1, 2), divergence=False)
    return RotatedGerm(tuple(reader.bases), tuple(reader.terms), phi, axis=axis)


@lru_cache(maxsize=1)
def _slices() -> tuple[list[tuple[Fraction, Fraction, tuple[Fraction, ...]]], Fraction]:
    """(middle, half length, coefficients in s of 1 − (4/π) arctan(middle + half s)), and a bound of their errors."""
    half = Fraction(1, 2 * _SLICES)
    found = []
    rounding = Fraction(_DEGREE + 1, 2 ** (_BITS - 20))
    with working(_BITS):
        for index in range(_SLICES):
            middle = half * (2 * index + 1)
            angles = [ball(middle).atan(), *map(ball, _angles(middle, half))]
            weight = [(0 if power else 1) - c * 4 / arb.pi() for power, c in enumerate(angles)]
            found.append((middle, half, tuple(map(_near, weight))))
    remainder = half ** (_DEGREE + 1) / (_DEGREE + 1) / (1 - half)
    return found, Fraction(4, 3) * remainder + rounding


def _angles(middle: Fraction, half: Fraction) -> list[Fraction]:
    """The coefficients of s, s², … of arctan q at q = middle + half s, from those of its derivative 1/(1 + q²)."""
    slopes = [1 / (1 + middle**2)]
    for order in range(1, _DEGREE):
        before = slopes[order - 2] if order > 1 else Fraction(0)
        slopes.append(-slopes[0] * (2 * middle * half * slopes[order - 1] + half**2 * before))
    return [half * slope / order for order, slope in enumerate(slopes, start=1)]


def _near(value: arb) -> Fraction:
    """A rational within 2^{20 − bits} of every number in the ball."""
    middle = exact(value.mid())
    assert value.rad() < 2.0 ** (15 - _BITS)
    return Fraction(round(middle * 2 ** (_BITS - 10)), 2 ** (_BITS - 10))
