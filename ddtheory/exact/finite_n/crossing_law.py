r"""A normal crossing on the unit box as a law of one variable: K = ∏ x_i^{p_i} with prior ∏ x_i^{h_i} on [0, 1]^d.

Under the normalised prior x_i^{h_i+1} is uniform, so −log x_i^{p_i} is exponential with rate λ_i = (h_i + 1)/p_i, and
S = −log K is a sum of independent exponentials. Its density is an exponential polynomial with rational coefficients,

  f(s) = Σ_j Σ_{l < r_j} c_{jl} s^l e^{−μ_j s},

where μ_j runs over the distinct rates and r_j is how often each occurs, from the partial fractions of
E[e^{−zS}] = ∏ λ_i/(λ_i + z). The smallest rate and its number of occurrences are (λ, m).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import factorial, prod

from flint import arb

from ddtheory.exact.numbers.enclosing import ball


@dataclass(frozen=True)
class Term:
    """Σ_l coefficients[l] s^l e^{−rate·s}."""

    rate: Fraction
    coefficients: tuple[Fraction, ...]


def always() -> None:
    """No limit of time."""


def density(rates: Sequence[Fraction], go_on: Callable[[], None] = always) -> tuple[Term, ...]:
    """The density of a sum of independent exponentials with these rates, slowest term first; `go_on` raises when there
    is no time left.

    >>> density([Fraction(1, 2), Fraction(1, 2)])  # (xy)²: s e^{−s/2}/4
    (Term(rate=Fraction(1, 2), coefficients=(Fraction(0, 1), Fraction(1, 4))),)
    """
    counts = sorted(Counter(rates).items())
    scale = prod(rate**count for rate, count in counts)
    terms: list[Term] = []
    for rate, count in counts:
        # Taylor coefficients at w = 0 of ∏ over the other rates of (other − rate + w)^{−r}
        series = [Fraction(1)] + [Fraction(0)] * (count - 1)
        for other, times in counts:
            if other != rate:
                go_on()
                for _ in range(times):
                    series = _divide(series, other - rate)
        # A_{l+1}/w^{l+1} is the transform of A_{l+1} s^l e^{−rate·s}/l!
        terms.append(
            Term(rate, tuple(Fraction(scale * series[count - 1 - power], factorial(power)) for power in range(count)))
        )
    return tuple(terms)


def _divide(series: list[Fraction], shift: Fraction) -> list[Fraction]:
    """series/(shift + w), truncated."""
    found: list[Fraction] = []
    for value in series:
        found.append((value - (found[-1] if found else 0)) / shift)
    return found


def laplace(
    terms: Sequence[Term], tau: Fraction, power: int, precision: int, go_on: Callable[[], None] = always
) -> arb:
    """E[K^power e^{−τK}] under this law, at the working precision; τ > 0, power ∈ {0, 1, …}."""
    total = arb(0)
    for term in terms:
        go_on()
        integrals = unit_integrals(term.rate + power, len(term.coefficients), tau, precision)
        for coefficient, integral in zip(term.coefficients, integrals, strict=True):
            total += ball(coefficient) * integral
    return total


def unit_integrals(mu: Fraction, count: int, tau: Fraction, precision: int) -> list[arb]:
    """[∫_0^1 u^{μ−1} (−log u)^l e^{−τu} du for l < count], each with a relative error of about 2^{−precision}.

    For small τ the exponential series; for large τ the integral to ∞, (−d/dμ)^l Γ(μ) τ^{−μ}, whose tail beyond 1 is at
    most ∫_1^∞ u^N e^{−τu} du ≤ e^{−τ}/(τ − N), N ≥ max(μ − 1, 0) + l, because log u ≤ u and u^N ≤ e^{N(u−1)}.
    """
    largest = max(-(-(mu - 1) // 1), 0) + count - 1
    if tau > largest + 1 + precision:  # more than enough: e^{−τ} against 2^{−precision}
        tail = (-ball(tau)).exp() / ball(tau - largest)
        return [value + arb(0, tail.upper()) for value in gamma_derivatives(mu, count, tau)]
    return _series(mu, count, tau, precision)


def gamma_derivatives(mu: Fraction, count: int, tau: Fraction) -> list[arb]:
    """[(−d/dμ)^l Γ(μ) τ^{−μ} for l < count], by log Γ(μ + w) = log Γ(μ) + ψ(μ) w + Σ_{j≥2} (−1)^j ζ(j, μ) w^j/j."""
    centre = ball(mu)
    logs = log_gamma_series(centre, count)
    if count > 1:
        logs[1] -= ball(tau).log()
    series = exponential(logs)
    lead = centre.gamma() * (-centre * ball(tau).log()).exp()
    return [(-1) ** power * factorial(power) * lead * value for power, value in enumerate(series)]


def log_gamma_series(centre: arb, count: int) -> list[arb]:
    """Taylor coefficients of log Γ(centre + w) − log Γ(centre)."""
    found = [arb(0), centre.digamma()]
    found += [(-1) ** j * arb(j).zeta(centre) / j for j in range(2, count)]
    return found[:count]


def exponential(logs: Sequence[arb]) -> list[arb]:
    """Taylor coefficients of the exponential of a series without constant term."""
    found = [arb(1)]
    for power in range(1, len(logs)):
        found.append(sum((j * logs[j] * found[power - j] for j in range(1, power + 1)), arb(0)) / power)
    return found


def _series(mu: Fraction, count: int, tau: Fraction, precision: int) -> list[arb]:
    """Σ_j (−τ)^j/j! · l!/(μ + j)^{l+1}; from j ≥ 2τ on the terms at least halve, so the rest is below the last term."""
    from ddtheory.exact.numbers.enclosing import working

    extra = int(3 * tau) + 1  # the terms grow to e^τ and the sum is about e^{−τ} at the least
    totals = [arb(0)] * count
    with working(precision + extra):
        size, exact_tau = arb(1), ball(tau)
        small = arb(2) ** -(precision + extra)
        j = 0
        while True:
            inverse = 1 / ball(mu + j)
            value = size * inverse
            for power in range(count):
                totals[power] += factorial(power) * value
                value *= inverse
            j += 1
            size *= -exact_tau / j
            if j > 2 * tau and abs(size) < small and mu + j > 1:
                break
        rest = 2 * abs(size).upper()  # 1/(μ + j) < 1
        return [total + arb(0, factorial(power) * rest) for power, total in enumerate(totals)]
