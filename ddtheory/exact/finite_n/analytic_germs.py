r"""Z and λ(nβ) of a germ that is no polynomial: each orthant is a unit cube (`phase`), cut into cells (`cubature`)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from fractions import Fraction

import sympy
from flint import arb
from sympy import Expr, Symbol

from ddtheory.exact.finite_n import cubature
from ddtheory.exact.finite_n.cubature import Quadrature, precision_of
from ddtheory.exact.finite_n.given import GermPrior, exactly
from ddtheory.exact.finite_n.outside import outside, reach
from ddtheory.exact.finite_n.phase import AnalyticPhase
from ddtheory.exact.numbers.enclosing import ball, working

_ROUNDS = 16


def analytic_integrals(
    expression: Expr, symbols: list[Symbol], phi: GermPrior, t: Fraction, digits: int, go_on: Callable[[], None]
) -> tuple[arb, arb, int] | None:
    """(Z, t ∫ K e^{−tK} φ, cells) to so many digits; None when they do not come."""
    spread = phi.half_width or reach(phi, 1e-3)
    goal = (2 * spread) ** len(symbols) * Fraction(1, 1000)
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
    width = phi.half_width or reach(phi, float(goal) / 8)
    weights = [h.numerator + h.denominator - 1 for h in phi.exponents]
    copies: dict[tuple[Expr, Expr], int] = {}
    for signs in itertools.product((1, -1), repeat=len(symbols)):
        phase = _orthant(expression, symbols, phi, [sign * width for sign in signs])
        copies[phase] = copies.get(phase, 0) + 1
    with working(precision_of(digits, t)):
        factor = arb(1)
        for h in phi.exponents:
            factor *= h.denominator * (ball(h + 1) * ball(width).log()).exp()
        share = goal / (2 ** len(symbols) * Fraction(float(factor)))
        evidence, moment, cells = arb(0), arb(0), 0
        for (divergence, localisation), count in copies.items():
            quadrature = Quadrature(AnalyticPhase(divergence, localisation, symbols, t), weights, t, digits)
            found = quadrature.integrate(share, cubature.MAX_CELLS - cells, go_on)
            evidence, moment = evidence + count * found.evidence, moment + count * found.moment
            cells += found.cells
        rest = arb(0) if phi.half_width else arb(0, outside(phi, width).upper())
        return factor * evidence + rest, factor * moment + rest, cells


def _orthant(expression: Expr, symbols: list[Symbol], phi: GermPrior, ends: list[Fraction]) -> tuple[Expr, Expr]:
    """K and the localisation after w_i = end_i v_i^{b_i}."""
    images = [exactly(end) * symbol**h.denominator for end, symbol, h in zip(ends, symbols, phi.exponents, strict=True)]
    distances = [(image - exactly(c)) ** 2 for image, c in zip(images, phi.centre, strict=True)]
    localisation = sympy.Add(*distances) / (2 * exactly(phi.variance)) if phi.variance else sympy.Integer(0)
    return expression.subs(dict(zip(symbols, images, strict=True)), simultaneous=True), localisation
