r"""Z and λ(nβ) of a germ that is no polynomial: each orthant is a unit cube (`phase`), cut into cells (`cubature`)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from fractions import Fraction

import sympy
from flint import arb
from sympy import Expr, Symbol

from ddtheory.errors import InvalidValueError
from ddtheory.exact.finite_n import cubature
from ddtheory.exact.finite_n.cubature import Quadrature, precision_of
from ddtheory.exact.finite_n.domains import closed
from ddtheory.exact.finite_n.given import GermPrior, exactly
from ddtheory.exact.finite_n.outside import outside, reach
from ddtheory.exact.finite_n.phase import AnalyticPhase
from ddtheory.exact.numbers.enclosing import ball, working

_ROUNDS = 16


def analytic_integrals(
    expression: Expr, symbols: list[Symbol], phi: GermPrior, t: Fraction, digits: int, go_on: Callable[[], None]
) -> tuple[arb, arb, int] | None:
    """(Z, t ∫ K e^{−tK} φ, cells) to so many digits; None when they do not come."""
    if phi.radius is not None:
        raise InvalidValueError(
            "‖w‖ ≤ R is for polynomials K; this one is none. Take a box, or a Gaussian, which has no edge."
        )
    phi, offsets = phi.around_zero()
    shift = {symbol: symbol + exactly(o) for symbol, o in zip(symbols, offsets, strict=True) if o}
    expression = expression.subs(shift, simultaneous=True)
    spread = Fraction(1) if phi.bounded else reach(phi, 1e-3)
    boxes = [closed(ends, spread) for ends in phi.ends]
    goal = math.prod((high - low for low, high in boxes), start=Fraction(1)) * Fraction(1, 1000)
    # the share of the error that a digit needs is known only once Z is
    for _ in range(_ROUNDS):
        evidence, moment, cells = _integrate(expression, symbols, phi, t, digits, goal, go_on)
        good = evidence > 0 and moment > 0
        if good and min(evidence.rel_accuracy_bits(), moment.rel_accuracy_bits()) > (digits + 1) * math.log2(10):
            return evidence, moment, cells
        if good:
            size = min(float(evidence), float(moment))
            goal = min(Fraction(size) * Fraction(1, 4 * 10 ** (digits + 1)), goal / 100)
        else:
            goal /= 10**6
    return None


def _integrate(
    expression: Expr,
    symbols: list[Symbol],
    phi: GermPrior,
    t: Fraction,
    digits: int,
    goal: Fraction,
    go_on: Callable[[], None],
) -> tuple[arb, arb, int]:
    """(Z, t ∫ K e^{−tK} φ, cells) with an absolute error of about the goal."""
    width = Fraction(1) if phi.bounded else reach(phi, float(goal) / 8)
    weights = [h.numerator + h.denominator - 1 for h in phi.exponents]
    sides = [[end for end in closed(ends, width) if end] for ends in phi.ends]
    copies: dict[tuple[Expr, Expr], Fraction] = {}
    for ends in itertools.product(*sides):
        phase = _orthant(expression, symbols, phi, ends)
        shares = [_share(h, end, side) for h, end, side in zip(phi.exponents, ends, sides, strict=True)]
        copies[phase] = copies.get(phase, Fraction(0)) + math.prod(shares, start=Fraction(1))
    with working(precision_of(digits, t)):
        factor = arb(1)
        for h, side in zip(phi.exponents, sides, strict=True):
            factor *= h.denominator * (ball(h + 1) * ball(max(map(abs, side))).log()).exp()
        share = goal / (2 ** len(symbols) * Fraction(float(factor)))
        evidence, moment, cells = arb(0), arb(0), 0
        for (divergence, localisation), count in copies.items():
            quadrature = Quadrature(AnalyticPhase(divergence, localisation, symbols, t), weights, t, digits)
            found = quadrature.integrate(share, cubature.MAX_CELLS - cells, go_on)
            evidence, moment = evidence + ball(count) * found.evidence, moment + ball(count) * found.moment
            cells += found.cells
        rest = arb(0) if phi.bounded else arb(0, outside(phi, width).upper())
        return factor * evidence + rest, factor * moment + rest, cells


def _share(h: Fraction, end: Fraction, side: Sequence[Fraction]) -> Fraction:
    """(end/W)^{h+1}; a fractional h has equal sides."""
    longest = max(map(abs, side))
    return Fraction(1) if abs(end) == longest else (abs(end) / longest) ** int(h + 1)


def _orthant(expression: Expr, symbols: list[Symbol], phi: GermPrior, ends: Sequence[Fraction]) -> tuple[Expr, Expr]:
    """K and the localisation after w_i = end_i v_i^{b_i}."""
    images = [exactly(end) * symbol**h.denominator for end, symbol, h in zip(ends, symbols, phi.exponents, strict=True)]
    distances = [(image - exactly(c)) ** 2 for image, c in zip(images, phi.centre, strict=True)]
    localisation = sympy.Add(*distances) / (2 * exactly(phi.variance)) if phi.variance else sympy.Integer(0)
    return expression.subs(dict(zip(symbols, images, strict=True)), simultaneous=True), localisation
