r"""The mass of a Gaussian prior outside a box, enclosed.

The part outside |w_i| ≤ W is, with K ≥ 0 there, e^{−tK} ≤ 1 and tK e^{−tK} ≤ 1/e, at most Σ_i T_i ∏_{j≠i} M_j with the
mass M_j of one coordinate and its tail T_i ≤ 2 W^{h} e^{−(W − |w*_i|)²/(2s²)}/κ, κ = (W − |w*_i|)/s² − max(h, 0)/W > 0,
because the density is log-concave beyond that point up to the factor x^h.
"""

from __future__ import annotations

import math
from fractions import Fraction

from flint import acb, arb

from ddtheory.exact.finite_n.given import GermPrior
from ddtheory.exact.finite_n.localised import half_line
from ddtheory.exact.numbers.enclosing import ball, working


def reach(phi: GermPrior, share: float | arb) -> Fraction:
    """W that leaves at most so much outside."""
    assert phi.variance is not None  # without a variance there is a box
    width = max(map(abs, phi.centre)) + Fraction(math.ceil(8 * math.sqrt(phi.variance)), 8)
    step = Fraction(math.ceil(4 * math.sqrt(phi.variance)), 8)
    with working(64):
        while not outside(phi, width) < share:
            width += step
    return width


def outside(phi: GermPrior, width: Fraction) -> arb:
    """A bound of the mass of the prior outside the box; see the module. Infinite where the bound does not hold."""
    assert phi.variance is not None
    masses, tails = [], []
    for h, c in zip(phi.exponents, phi.centre, strict=True):
        start = acb(ball((h + 1) / 2))
        masses.append(sum((half_line(start, phi.variance, sign * c).real for sign in (1, -1)), arb(0)))
        gap = width - abs(c)
        kappa = gap / phi.variance - max(h, Fraction(0)) / width
        if gap <= 0 or kappa <= 0:
            return arb("inf")
        tails.append(2 * (ball(h) * ball(width).log() - ball(gap**2 / (2 * phi.variance))).exp() / ball(kappa))
    total = arb(0)
    for index, tail in enumerate(tails):
        total += math.prod((mass for other, mass in enumerate(masses) if other != index), start=tail)
    return total
