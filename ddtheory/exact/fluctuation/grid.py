r"""log M(η)M(−η) on a grid of many points, by the differential equation of M in place of one special function a point.

Integrating d/dv(|v|^{a−1} v e^{ηv − v²/2}) over v gives M'' = ηM' + aM. Let E be the solution with E(0) = 1, E'(0) = 0
and O the one with O(0) = 0, O'(0) = c, the mean of the one-sided density at 0: two-sided M = E, one-sided M = E + O for
either sign of η, and E(−η) = E(η), O(−η) = −O(η). So M(η)M(−η) is E², or E² − O².

**Steps.** Around a centre γ ≥ 0 the solutions with value and slope (1, 0) and (0, 1) have power series Σ u_n s^n,
u_{n+2} = (γ(n+1)u_{n+1} + (n+a)u_n)/((n+1)(n+2)), whose coefficients are all ≥ 0. So are E, E', O and O', nothing
cancels on the way, and the radius of a ball grows no faster than its midpoint. One pair of series serves all points of
a window and both solutions.

**The tail of a series.** For 0 ≤ s ≤ S let r_n = u_n S^n. Where n ≥ max(4γS, 16S², 4S√a), r_{n+2} ≤ r_{n+1}/4 + r_n/8,
hence with B = max(r_n, 2r_{n+1}) by induction r_{n+k} ≤ B 2^{−k}: the terms from n on sum to at most 2B, and those of
the derivative to at most (2n + 2)B/S.

**What one-sidedness costs.** E² − O² loses as many bits as M(−η) is smaller than M(η), about η²/(2 ln 2). The weight
e^{−ξ²/2} of the point returns as many when β = 1; the caller asks for the others.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from flint import arb, arb_poly, ctx

from ddtheory.exact.fluctuation.partition import Sided, mean_at_zero
from ddtheory.exact.numbers.enclosing import ball, working

_WINDOW = 16  # points; more need longer series, fewer need more of them
_LOOKING = 8  # coefficients from one look at the tail to the next


def log_products(
    a: Fraction, sided: Sided, step: Fraction, count: int, precision: Callable[[int], int]
) -> Iterator[arb]:
    """log M(η)M(−η) at η = step, 2·step, …, count·step, in this order.

    Args:
        step: dyadic, with few bits: it multiplies every coefficient.
        precision: the bits to compute with beyond the j-th point; it must not grow.

    >>> *_, last = log_products(Fraction(1), "two", Fraction(1, 8), 40, lambda j: 64)  # log M = η²/2 for the normal law
    >>> bool(abs(last - 25) < 1e-15)
    True
    """
    with working(precision(0)):
        even, odd = _Solution(arb(1), arb(0)), _Solution(arb(0), arb(0))
        if sided == "one":
            odd = _Solution(arb(0), mean_at_zero(a) * ball(step))
    for centre in range(0, count, _WINDOW):
        size = min(_WINDOW, count - centre)
        with working(precision(centre)):
            window = _Window.at(a, step, centre, size)
            logs = [_log_product(window.value(even, i), window.value(odd, i), sided) for i in range(1, size + 1)]
            even, odd = window.moved(even), window.moved(odd)
        yield from logs


def _log_product(even: arb, odd: arb, sided: Sided) -> arb:
    return 2 * even.log() if sided == "two" else ((even - odd) * (even + odd)).log()


@dataclass(frozen=True)
class _Solution:
    """Its value at a centre, and its slope there a step of the grid."""

    value: arb
    slope: arb


@dataclass(frozen=True)
class _Window:
    """The solutions (1, 0) and (0, 1) around a centre, as polynomials in the number of steps beyond it.

    Attributes:
        size: how far the tails hold, in steps.
        tail, tail_of_slope: a ball around 0 that holds what either polynomial, or either derivative, leaves out.
    """

    basis: tuple[arb_poly, arb_poly]
    size: int
    tail: arb
    tail_of_slope: arb

    @classmethod
    def at(cls, a: Fraction, step: Fraction, centre: int, size: int) -> _Window:
        reach = step * size
        least = math.ceil(max(4.0 * step * centre * reach, 16.0 * reach**2, 4.0 * reach * math.sqrt(a))) + 1
        series = [arb(1), arb(0)], [arb(0), arb(1)]
        tiny = arb(2) ** (-ctx.prec)
        n, left = 0, arb(1)
        while left > tiny:
            outer = (n + 1) * (n + 2) * a.denominator * step.denominator**2
            far = step.numerator**2 * centre * (n + 1) * a.denominator
            near = step.numerator**2 * (n * a.denominator + a.numerator)
            for known in series:
                known.append((known[n + 1] * far + known[n] * near) / outer)
            n += 1
            if n >= least and n % _LOOKING == 0:
                left = max(known[n] for known in series).max(2 * size * max(known[n + 1] for known in series))
                left *= arb(size) ** n
        first, second = (arb_poly(known[:n]) for known in series)
        slopes = (2 * n + 2) * left / size
        return cls((first, second), size, arb(0, (2 * left).upper()), arb(0, slopes.upper()))

    def value(self, of: _Solution, steps: int) -> arb:
        first, second = (polynomial(steps) + self.tail for polynomial in self.basis)
        return of.value * first + of.slope * second

    def moved(self, of: _Solution) -> _Solution:
        """The same solution at the end of the window."""
        first, second = (polynomial.derivative()(self.size) + self.tail_of_slope for polynomial in self.basis)
        return _Solution(self.value(of, self.size), of.value * first + of.slope * second)
