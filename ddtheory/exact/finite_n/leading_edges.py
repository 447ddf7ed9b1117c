r"""K on the edges of a box, between its zeros: what integrals over the directions of the plane are made of.

With K(s^{a_1} x, s^{a_2} y) = s^D K(x, y) let μ be a_1 W dy on the edges x = ±W and a_2 W dx on y = ±W. The rays
s ↦ (s^{a_1} x, s^{a_2} y) from the edges fill the plane, with area s^{a_1+a_2−1} ds dμ. K on an edge is a polynomial in
one variable; near a zero of order k it is u^k H(u).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from flint import acb, arb, arb_poly, fmpq, fmpq_poly
from sympy import Poly

from ddtheory.errors import UndecidedError
from ddtheory.exact.numbers.enclosing import ball

_PIECES = 90  # dyadic ones towards a zero
_EVALUATIONS = 100_000
_HALVINGS = 16


@dataclass(frozen=True)
class Piece:
    """Part of an edge that begins at a zero of order k of K, or at order 0 anywhere: K = u^k H(u), 0 ≤ u ≤ length.

    Attributes:
        weight: of dμ = weight · du.
        order: k.
        rest: the coefficients of H, from the constant on; H > 0.
        length: of the part.
    """

    weight: arb
    order: int
    rest: tuple[arb, ...]
    length: arb

    def integral(self, power: Fraction) -> arb:
        """∫ K^{−p} dμ, p·k < 1."""
        return self.weight * _integral(self.order, self.rest, self.length, power)

    def least_and_largest(self) -> tuple[arb, arb]:
        """Bounds of H.

        Raises:
            UndecidedError: no positive lower bound is seen.
        """
        found = list(self._values(self.rest))
        return arb(min((value.lower() for value in found), key=float)), arb(
            max((value.upper() for value in found), key=float)
        )

    def steepest(self) -> arb:
        """An upper bound of |H(u) − H(0)|/u."""
        slope = self.rest[1:] or (arb(0),)
        return arb(max((abs(_horner(slope, u)).upper() for u in self._cells()), key=float))

    def _cells(self) -> Iterator[arb]:
        count = 2**6
        for index in range(count):
            yield self.length * (arb(2 * index + 1) / (2 * count) + arb(0, 1 / (2 * count)))

    def _values(self, coefficients: Sequence[arb]) -> Iterator[arb]:
        stack = [(Fraction(0), Fraction(1))]
        while stack:
            low, high = stack.pop()
            middle, half = (low + high) / 2, (high - low) / 2
            value = _horner(coefficients, self.length * arb(ball(middle), ball(half).upper()))
            if high - low > Fraction(1, 16) or not value > 0:
                if high - low < Fraction(1, 2**_HALVINGS):
                    raise UndecidedError("K on an edge of the box cannot be told from 0 between its zeros.")
                stack += [(low, middle), (middle, high)]
            else:
                yield value


def pieces_of(polynomial: Poly, weights: tuple[int, int], half_width: Fraction) -> list[Piece]:
    """All edges, cut halfway between the zeros of K.

    Raises:
        UndecidedError: a zero is too near to a corner to tell.
    """
    found = []
    for axis in (0, 1):
        for sign in (-1, 1):
            edge = _on_edge(polynomial, axis, sign * half_width)
            weight = ball(weights[axis] * half_width)
            for place, order, direction, length in _pieces(edge, half_width):
                # the coefficients below k are 0, because the order of the zero is known
                moved = arb_poly([ball(Fraction(int(c.p), int(c.q))) for c in edge.coeffs()])(
                    arb_poly([place, direction])
                )
                rest = tuple(moved[index] for index in range(order, moved.length()))
                found.append(Piece(weight, order, rest, length))
    return found


def _on_edge(polynomial: Poly, axis: int, place: Fraction) -> fmpq_poly:
    coefficients: dict[int, Fraction] = {}
    for powers, value in polynomial.terms():
        power = powers[1 - axis]
        term = Fraction(int(value.p), int(value.q)) * place ** powers[axis]
        coefficients[power] = coefficients.get(power, Fraction(0)) + term
    listed = [coefficients.get(power, Fraction(0)) for power in range(max(coefficients) + 1)]
    return fmpq_poly([fmpq(value.numerator, value.denominator) for value in listed])


def _zeros(edge: fmpq_poly, half_width: Fraction) -> list[tuple[arb, int, int]]:
    """(zero, order, side) on [−W, W], in order; side −1 or 1 where the zero is that end, else 0.

    Raises:
        UndecidedError: a zero is too near to an end to tell.
    """
    found = []
    end = ball(half_width)
    for root, order in edge.numer().complex_roots() if edge.degree() > 0 else []:
        if root.imag != 0:
            continue
        place = root.real
        sides = [side for side in (-1, 1) if place.overlaps(side * end)]
        if sides:
            if edge(fmpq(sides[0] * half_width.numerator, half_width.denominator)) != 0:
                raise UndecidedError("A zero of K on an edge of the box cannot be told from its corner.")
            found.append((sides[0] * end, int(order), sides[0]))
        elif abs(place) < end:
            found.append((place, int(order), 0))
    return sorted(found, key=lambda zero: float(zero[0]))


def _pieces(edge: fmpq_poly, half_width: Fraction) -> Iterator[tuple[arb, int, int, arb]]:
    """(start, order of the zero there, direction, length): the edge cut halfway between its zeros."""
    zeros = _zeros(edge, half_width)
    end = ball(half_width)
    if not zeros:
        yield arb(0), 0, 1, end
        yield arb(0), 0, -1, end
    for index, (place, order, side) in enumerate(zeros):
        after = (zeros[index + 1][0] + place) / 2 if index + 1 < len(zeros) else end
        before = (zeros[index - 1][0] + place) / 2 if index else -end
        if side != 1:
            yield place, order, 1, after - place
        if side != -1:
            yield place, order, -1, place - before


def _horner(coefficients: Sequence[arb], u: arb) -> arb:
    total = arb(0)
    for c in reversed(coefficients):
        total = total * u + c
    return total


def _integral(order: int, rest: Sequence[arb], length: arb, power: Fraction) -> arb:
    """∫ (u^k H)^{−p} du."""

    def integrand(u: acb, analytic: bool) -> acb:
        value = acb(0)
        for c in reversed(rest):
            value = value * u + c
        if not (value.real > 0 and (u.real > 0 or not order)):  # away from the cut of the power
            return acb(arb(0, math.inf), arb(0, math.inf))
        return value ** acb(-ball(power)) * (u ** acb(-ball(power * order)) if order else 1)

    if not order:
        return _quadrature(integrand, arb(0), length)
    total = arb(0)
    for piece in range(_PIECES):
        total += _quadrature(integrand, length / 2 ** (piece + 1), length / 2**piece)
    # H between 0 and δ, times ∫ u^{−pk} du
    small = length / 2**_PIECES
    about = _horner(rest, arb(small.mid() / 2, small.upper() / 2 + small.rad()))
    exponent = ball(1 - power * order)
    return total + (-ball(power) * about.log()).exp() * (exponent * small.log()).exp() / exponent


def _quadrature(integrand: Callable[[acb, bool], acb], low: arb, high: arb) -> arb:
    tolerance = arb(2) ** -90
    return acb.integral(
        integrand, acb(low), acb(high), rel_tol=tolerance, abs_tol=tolerance, eval_limit=_EVALUATIONS
    ).real
