r"""Normal crossings under a Gaussian prior, for any exponents, by one Mellin–Barnes integral with proven tails.

With φ = ∏ x_i^{h_i} e^{−x_i²/(2s²)} on x_i > 0 and K = c ∏ x_i^{p_i}, put τ = ct. Since
e^{−u} = (1/2πi) ∫ Γ(z) u^{−z} dz on Re z = σ > 0,

  Z(t) = (1/2πi) ∫ Γ(z) τ^{−z} ∏_i E_i(z) dz,   E_i(z) = ½ (2s²)^{b_i(z)} Γ(b_i(z)),   b_i(z) = (h_i + 1 − p_i z)/2,

for 0 < σ < λ = min (h_i + 1)/p_i; a factor z under the integral gives −t Z'(t) = t ∫ K e^{−tK} φ.

Tails. |Γ(x + iy)| ≤ √(2π) |x + iy|^{x−1/2} e^{−π|y|/2 + 1/(6|y|)} for x ≥ 0 (DLMF 5.6.9). For y ≥ Y, with Y ≥ 1 and
every p_i Y/2 ≥ 1, the arguments of all factors have modulus 1 or more, so each has |x + igy|^{x−1/2} ≤
((x + g) y)^{max(x−1/2, 0)}; hence the integrand is at most A y^N e^{−κy}, κ = (π/2)(1 + Σ p_i/2), and
∫_Y^∞ y^N e^{−κy} dy ≤ Y^N e^{−κY}/(κ − N/Y) when κY > N.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction

from flint import acb, arb

from ddtheory.errors import UndecidedError
from ddtheory.exact.enclosing import ball, working

_EVALUATIONS = 200_000


def gaussian_moments(
    powers: Sequence[Fraction],
    weights: Sequence[Fraction],
    tau: Fraction,
    scale: Fraction,
    variance: Fraction,
    copies: int,
) -> tuple[Callable[[int], tuple[arb, arb]], Callable[[int], arb]]:
    """(precision ↦ (∫ e^{−τK/c} φ, ∫ (K/c) e^{−τK/c} φ)), and precision ↦ C of Z ~ C t^{−λ} (log t)^{m−1}."""
    rates = [(h + 1) / p for p, h in zip(powers, weights, strict=True)]
    lam = min(rates)
    steps = 2 + max(math.log(tau.numerator) - math.log(tau.denominator), 0)
    # at this distance from the pole τ^{−σ} is not much larger than the answer
    line = lam * (1 - Fraction(1, math.ceil(steps)))
    cache: dict[int, tuple[arb, arb]] = {}

    def moments(precision: int) -> tuple[arb, arb]:
        if precision not in cache:
            with working(precision + 64):
                zeroth, first = (
                    _contour(powers, weights, tau, variance, line, power, precision) * copies for power in (0, 1)
                )
                cache[precision] = (zeroth, first / ball(tau))
        return cache[precision]

    def constant(precision: int) -> arb:
        with working(precision + 32):
            value = ball(lam).gamma() * copies * (-ball(lam) * ball(scale).log()).exp()
            for power, weight, rate in zip(powers, weights, rates, strict=True):
                value *= 1 / ball(power) if rate == lam else _factor(power, weight, variance, acb(ball(lam))).real
            return value / math.factorial(rates.count(lam) - 1)

    return moments, constant


def _factor(power: Fraction, weight: Fraction, variance: Fraction, z: acb) -> acb:
    """E_i(z)."""
    exponent = (ball(weight) + 1 - ball(power) * z) / 2
    return (exponent * ball(2 * variance).log()).exp() * exponent.gamma() / 2


def _contour(
    powers: Sequence[Fraction],
    weights: Sequence[Fraction],
    tau: Fraction,
    variance: Fraction,
    line: Fraction,
    moment: int,
    precision: int,
) -> arb:
    """(1/2πi) ∫ z^moment Γ(z) τ^{−z} ∏ E_i(z) dz over Re z = line."""
    log_tau = ball(tau).log()

    def integrand(y: acb, _analytic: bool) -> acb:
        z = ball(line) + acb(0, 1) * y
        value = z.gamma() * (-z * log_tau).exp()
        for power, weight in zip(powers, weights, strict=True):
            value *= _factor(power, weight, variance, z)
        return value * z if moment else value

    decay = math.pi / 2 * (1 + float(sum(powers)) / 2)
    reach = math.ceil((precision + 64) * math.log(2) / decay)
    end = Fraction(max(reach, 2, *(math.ceil(2 / p) for p in powers)))
    tolerance = arb(2) ** -(precision + 8)
    # G(−y) is the conjugate of G(y): twice the real part over y > 0
    found = acb.integral(
        integrand, acb(0), acb(ball(end)), abs_tol=tolerance, rel_tol=tolerance, eval_limit=_EVALUATIONS
    ).real
    return (found + arb(0, _tail(powers, weights, tau, variance, line, moment, end).upper())) / arb.pi()


def _tail(
    powers: Sequence[Fraction],
    weights: Sequence[Fraction],
    tau: Fraction,
    variance: Fraction,
    line: Fraction,
    moment: int,
    end: Fraction,
) -> arb:
    """A bound of ∫_Y^∞ |G(σ + iy)| dy; see the module."""
    growth = [(line, Fraction(1))]
    growth += [((h + 1 - p * line) / 2, p / 2) for p, h in zip(powers, weights, strict=True)]
    size = (-ball(line) * ball(tau).log()).exp() * (ball(line) + 1) ** moment
    order = arb(moment)
    for real, multiple in growth:
        exponent = ball(max(real - Fraction(1, 2), Fraction(0)))
        size *= (2 * arb.pi()).sqrt() * (1 / (6 * ball(multiple * end))).exp() * ball(real + multiple) ** exponent
        order += exponent
    for real, _ in growth[1:]:
        size *= (ball(real) * ball(2 * variance).log()).exp() / 2
    decay = arb.pi() / 2 * ball(1 + sum(powers, Fraction(0)) / 2)
    y = ball(end)
    margin = decay - order / y
    if not margin > 0:
        raise UndecidedError("The Mellin–Barnes integral decays too slowly; ask for more digits.")
    return size * y**order * (-decay * y).exp() / margin
