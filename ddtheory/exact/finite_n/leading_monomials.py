r"""The leading term of a monomial K = c ∏ |w_i|^{p_i} with prior ∏ |w_i|^{h_i}, on a box and under a Gaussian.

On the box of half width W let V = K/c', c' = c ∏ W^{p_i} and τ = c't. −log V has a density Σ c_{jl} s^l e^{−μ_j s}
(`crossing_law`), and each part gives

  ∫_0^∞ s^l e^{−μs} e^{−τe^{−s}} ds = (−d/dμ)^l [Γ(μ) τ^{−μ}] − (the same over s < 0),

the latter below e^{−τ}/(τ − l − μ). So Z/(C t^{−λ} (log t)^{m−1}) − 1 is a finite sum of multiples of
t^{−δ} (log t)^{i−m+1}, δ = μ − λ ≥ 0, up to what is exponentially small; the bound takes the sum of their sizes.

Under e^{−γ‖w‖²/2} on ℝ^d, with x_i(z) = (h_i + 1 − p_i z)/2,

  Z(t) = (1/2πi) ∫ Γ(z) (ct)^{−z} ∏ (2/γ)^{x_i(z)} Γ(x_i(z)) dz   over Re z below λ = min (h_i + 1)/p_i.

The pole at λ has order m and gives t^{−λ} times a polynomial in log t. What is left is the same integral over Re z = σ
between λ and the next pole. There |Γ(x + iv)| ≤ |Γ(x)| and, by Cauchy–Schwarz and Parseval,

  ∫ |Γ(σ + iv)| dv ≤ (∫ |Γ(σ + 1 + iv)|² dv ∫ dv/(σ² + v²))^{1/2} = π (2Γ(2σ + 2)/σ)^{1/2} 2^{−σ−1}.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import comb, factorial, prod

from flint import arb, arb_series
from sympy import Poly

from ddtheory.exact.finite_n import crossing_law
from ddtheory.exact.finite_n.leading_value import LeadingTerm
from ddtheory.exact.numbers.enclosing import ball
from ddtheory.values import RLCT

_SHARES = (Fraction(1, 4), Fraction(1, 2), Fraction(3, 4), Fraction(7, 8))  # of the way from λ to the next pole


def on_box(
    polynomial: Poly, exponents: Sequence[Fraction], half_width: Fraction, pair: RLCT, go_on: Callable[[], None]
) -> LeadingTerm:
    [(powers, coefficient)] = polynomial.terms()
    rates = [(h + 1) / p for p, h in zip(powers, exponents, strict=True)]
    terms = crossing_law.density(rates, go_on)
    scale = Fraction(int(coefficient.p), int(coefficient.q)) * half_width ** sum(powers)
    lam, m = pair.lam, pair.m
    mass = prod((2 / (h + 1) for h in exponents), start=Fraction(1))
    size = (ball(sum(exponents, Fraction(len(powers)))) * ball(half_width).log()).exp()
    lead = ball(terms[0].coefficients[-1]) * ball(lam).gamma()
    log_scale = ball(scale).log()
    constant = ball(mass) * size * lead * (-ball(lam) * log_scale).exp()
    # (δ, power of log t, coefficient) relative to the leading term
    parts: dict[tuple[Fraction, int], arb] = {}
    for term in terms:
        delta = term.rate - lam
        factor = (-ball(delta) * log_scale).exp() / lead
        derivatives = crossing_law.gamma_derivatives(term.rate, len(term.coefficients), Fraction(1))
        for order, c in enumerate(term.coefficients):
            for i in range(order + 1):
                # (−d/dμ)^l Γ(μ) τ^{−μ} = Σ_i binom(l, i) (−d/dμ)^i Γ(μ) L^{l−i} τ^{−μ}, L = log t + log c'
                at = comb(order, i) * derivatives[i] * ball(c) * factor
                for power in range(order - i + 1):
                    value = at * comb(order - i, power) * log_scale ** (order - i - power)
                    key = (delta, power)
                    parts[key] = parts.get(key, arb(0)) + value
    parts[Fraction(0), m - 1] = parts[Fraction(0), m - 1] - 1
    tails = [
        (abs(ball(c)) / abs(lead), order + term.rate) for term in terms for order, c in enumerate(term.coefficients)
    ]

    def remainder(log: arb) -> arb:
        total = arb(0)
        if m > 1 and not log > 0:
            return arb("inf")
        for (delta, power), value in parts.items():
            extra = power - m + 1
            if not delta and not extra:
                total += abs(value)  # a ball around 0
                continue
            at = log
            if delta and extra > 0 and log < ball(extra / delta):
                at = ball(extra / delta)
            total += abs(value) * (-ball(delta) * at).exp() * (at**extra if extra else 1)
        tau = (log + log_scale).exp()
        for c, growth in tails:
            if not tau > ball(2 * growth + 2 * lam + 1):
                return arb("inf")
            total += c * (ball(lam) * tau.log() - tau).exp() / (tau - ball(growth)) / log ** (m - 1)
        return total

    return LeadingTerm(constant, remainder)


def under_gaussian(polynomial: Poly, exponents: Sequence[Fraction], gamma: Fraction, pair: RLCT) -> LeadingTerm:
    """Under e^{−γ‖w‖²/2} on ℝ^d."""
    [(powers, coefficient)] = polynomial.terms()
    lam, m = pair.lam, pair.m
    log_scale = ball(Fraction(int(coefficient.p), int(coefficient.q))).log()
    log_width = (2 / ball(gamma)).log()
    # Γ(z) c^{−z} ∏ … (λ − z)^m at z = λ + ε: a series in ε
    series = arb_series([ball(lam), 1], prec=m).gamma() * _power(-log_scale, lam, Fraction(1), m)
    for p, h in zip(powers, exponents, strict=True):
        x, critical = (h + 1 - p * lam) / 2, h + 1 == p * lam
        # at a pole Γ(−pε/2) = Γ(1 − pε/2) · 2/(−pε)
        factor = arb_series([ball(x + critical), ball(Fraction(-p, 2))], prec=m).gamma()
        series *= factor * _power(log_width, x, Fraction(-p, 2), m) * (ball(Fraction(2, p)) if critical else 1)
    # −residue of that over (−ε)^m, times t^{−ε}: Σ_j (−1)^{m−1−j} series_{m−1−j} (log t)^j/j!
    parts = [ball(Fraction((-1) ** (m - 1 - j), factorial(j))) * series[m - 1 - j] for j in range(m)]
    constant = parts[-1]

    poles = [(h + 1 + 2 * k) / p for p, h in zip(powers, exponents, strict=True) for k in range(2)]
    gap = min(pole for pole in poles if pole > lam) - lam
    lines = []
    for share in _SHARES:
        sigma = lam + share * gap
        size = (-ball(sigma) * log_scale).exp() * (ball(2 * sigma + 2).gamma() * 2 / ball(sigma)).sqrt() / 2
        size *= (-ball(sigma + 1) * arb(2).log()).exp()
        for p, h in zip(powers, exponents, strict=True):
            x = ball((h + 1 - p * sigma) / 2)
            size *= (x * log_width).exp() * abs(x.gamma())
        lines.append((share * gap, size / constant))

    def remainder(log: arb) -> arb:
        if m > 1 and not log > 0:
            return arb("inf")
        slow = sum((abs(part) / constant / log ** (m - 1 - j) for j, part in enumerate(parts[:-1])), arb(0))
        fast = min(((size * (-ball(delta) * log).exp()).upper() for delta, size in lines), key=float)
        return slow + fast / log ** (m - 1)

    return LeadingTerm(constant, remainder)


def _power(log: arb, start: Fraction, slope: Fraction, terms: int) -> arb_series:
    """b^{start + slope·ε} as a series in ε, from log b."""
    return arb_series([ball(start) * log, ball(slope) * log], prec=terms).exp()
