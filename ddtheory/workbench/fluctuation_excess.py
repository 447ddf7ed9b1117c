r"""ν exceeds its frozen value on a half-line: certificates for single orders, and one proof for all large orders.

With a = 1/k and v ≥ 0 (every even k), the claim ½ E_ξ Var(v) > ½ Var_0(v) is prop:nu_even. A single k is certified by
two enclosures that do not meet. All a ≤ a0 at once are covered by the bound of `uniform_margin`.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from flint import acb, arb

from ddtheory.errors import InvalidValueError
from ddtheory.exact.fluctuation.nu import fluctuation_from_lambda, frozen_fluctuation
from ddtheory.exact.numbers.enclosing import ball, rational, working
from ddtheory.values import Enclosure

UNIFORM_FROM = 20
"""`uniform_margin(1/20)` is positive: every real order k ≥ 20 is covered by one proof."""


def excess(lam: Any, *, digits: int = 12) -> Enclosure:
    """ν − frozen value on the half-line, for a learning coefficient λ = 1/(2k) or any other.

    >>> excess(Fraction(1, 4)).lower > Fraction(37, 1000)  # k = 2
    True
    """
    return fluctuation_from_lambda(lam, "one", 1, digits) - frozen_fluctuation(lam, "one", digits)


def uniform_margin(largest: Any, end: Any = 2) -> Fraction:
    r"""A lower bound of E_ξ Var(v)/a − 1 over all 0 < a ≤ a0 on the half-line; positive means ν > a/2 > frozen value.

    Proof. Let M_b(ξ) = ∫_0^∞ v^{b−1} e^{ξv − v²/2} dv, T = a M_a and 0 ≤ ξ ≤ X, so that
    Var/a = M_{a+2}/T − a (M_{a+1}/T)².

    - v^a ≥ 1 + a log v, and log v < 0 for v < 1 only, so M_{a+2} ≥ M_2 − a e^ξ ∫_0^1 v log(1/v) dv = M_2 − a e^ξ/4.
    - v^a ≤ 1 + a(v − 1), so M_{a+1} ≤ (1 − a) M_1 + a M_2 ≤ M_1 + a M_2.
    - On v < 1, e^{ξv} ≤ 1 + v(e^ξ − 1) by convexity; on v > 1, v^{a−1} ≤ 1. So T ≤ 1 + a(e^ξ − 1) + a M_1.
    - T grows with ξ and T(0) = 2^{a/2} Γ(1 + a/2) ≥ 1, since log 2 + ψ(1) > 0 and ψ increases.

    Every bound is monotone in a, so for all a ≤ a0

      Var/a ≥ (M_2 − a0 e^ξ/4)/(1 + a0(e^ξ − 1 + M_1)) − a0 (M_1 + a0 M_2)²,

    and the variance is not negative for other ξ. With M_1 = Φ(ξ)/φ(ξ) and M_2 = 1 + ξM_1 the mean of the right side
    over 0 ≤ ξ ≤ X is one integral, enclosed by ball arithmetic. The frozen value is (a − c²)/2 < a/2.

    Raises:
        InvalidValueError: a0 is not in (0, 1], or X is not positive.

    >>> uniform_margin(Fraction(1, 20)) > 0, uniform_margin(Fraction(1, 10)) > 0  # the bound is not sharp
    (True, False)
    """
    bound, upper = rational(largest, "the largest exponent a0"), rational(end, "the end X of the integral")
    if not 0 < bound <= 1 or upper <= 0:
        raise InvalidValueError(f"The uniform bound needs 0 < a0 ≤ 1 and X > 0, got a0 = {bound}, X = {upper}.")
    with working(96):
        a = ball(bound)

        def integrand(xi: acb, _analytic: bool) -> acb:
            density = (-xi * xi / 2).exp() / (2 * arb.pi()).sqrt()
            first = (-xi / arb(2).sqrt()).erfc() / 2 / density
            second = 1 + xi * first
            growth = xi.exp()
            main = (second - a * growth / 4) / (1 + a * (growth - 1 + first))
            return (main - a * (first + a * second) ** 2) * density

        found = acb.integral(integrand, acb(0), acb(ball(upper))).real - 1
        return Fraction(float(found.lower())) - Fraction(1, 2**40)  # the float rounds by less
