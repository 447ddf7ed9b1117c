r"""Volumes of the sublevel sets of normal crossings, exact at every ε, and how slowly their slopes reach λ.

For K = c ∏ |w_i|^{p_i} with prior ∏ |w_i|^{h_i} on the unit box, −log(K/c) is a sum of independent exponentials
(`finite_n_crossing`), so with L = log(c/ε) > 0

  V(ε) = ∫_{K<ε} φ = mass · P(S > L) = mass · Σ_j e^{−μ_j L} Σ_l c_{jl} Σ_{q≤l} (l!/q!) L^q/μ_j^{l−q+1}.

Tied exponents give the P_r of thm:multi_component_rates: V = P_r(ε^{1/(2k)}), P_r(δ) = δ Σ_{j<r} (−log δ)^j/j!.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import factorial, prod
from typing import Any, Literal

from flint import arb

from ddtheory.errors import InvalidValueError
from ddtheory.exact.finite_n.crossing_law import Term, density
from ddtheory.exact.finite_n.crossings import SIDES, check_crossing
from ddtheory.exact.numbers.enclosing import ball, check_digits, deadline, rational, to_digits, working
from ddtheory.exact.numbers.given import choice
from ddtheory.exact.thresholds.intersection import transversal_crossing
from ddtheory.values import RLCT, Enclosure


@dataclass(frozen=True)
class Volume:
    """V(ε) of a sublevel set, and its slopes.

    Attributes:
        epsilon: the level.
        volume: V(ε) = ∫_{K<ε} φ.
        local_slope: d log V/d log ε, which tends to λ like λ − (m − 1)/log(1/ε).
        raw_slope: log V/log ε, which needs log log to reach λ and is no estimator; None at ε = 1.
        rlct: (λ, m).
    """

    epsilon: Fraction
    volume: Enclosure
    local_slope: Enclosure
    raw_slope: Enclosure | None
    rlct: RLCT


def sublevel_volume(
    exponents: Sequence[Any],
    epsilon: Any,
    *,
    prior: Sequence[Any] | None = None,
    scale: Any = 1,
    sided: Literal["one", "two"] = "two",
    digits: int = 30,
    seconds: float = 60,
) -> Volume:
    r"""V(ε) of K = c ∏ |w_i|^{p_i} on the box [−1, 1]^d ("two") or [0, 1]^d ("one"), as proven enclosures.

    Raises:
        InvalidValueError: ε is not in (0, c), or anything that `finite_n` refuses.
        UndecidedError: the limit of time.

    Source: Shirodkar 2026, Dead Directions, thm:multi_component_rates (positive orthant); Lin 2011, Proposition 5.2,
    for the asymptotics.

    >>> found = sublevel_volume((2, 2), "1e-16", sided="one")  # (xy)²: λ = 1/2, and the raw slope is far from it
    >>> f"{float(found.raw_slope):.3f}", f"{float(found.local_slope):.3f}", found.rlct.lam
    ('0.419', '0.474', Fraction(1, 2))
    """
    go_on = deadline(seconds, "Ask for fewer digits, or allow more seconds.")
    powers, weights = check_crossing(exponents, prior)
    level, c = rational(epsilon, "the level ε"), rational(scale, "the scale c of K")
    if c <= 0 or not 0 < level < c:
        raise InvalidValueError(f"The level ε = {level} is not between 0 and the largest value {c} of K on the box.")
    digits = check_digits(digits)
    choice(sided, "sided", SIDES)
    rates = [(h + 1) / p for p, h in zip(powers, weights, strict=True)]
    terms = density(rates, go_on)
    mass = Fraction(2 ** len(powers) if sided == "two" else 1) / prod(h + 1 for h in weights)

    def volume(precision: int) -> arb:
        with working(precision + 32):
            go_on()
            return ball(mass) * _survival(terms, ball(c / level).log())

    def local(precision: int) -> arb:
        with working(precision + 32):
            go_on()
            log = ball(c / level).log()
            return _density(terms, log) / _survival(terms, log)

    def raw(precision: int) -> arb:
        with working(precision + 32):
            return volume(precision).log() / ball(level).log()

    return Volume(
        level,
        to_digits(volume, digits),
        to_digits(local, digits),
        None if level == 1 else to_digits(raw, digits),
        transversal_crossing(*map(RLCT, rates)),
    )


def _survival(terms: Sequence[Term], log: arb) -> arb:
    """P(S > L)."""
    total = arb(0)
    for term in terms:
        rate = ball(term.rate)
        inner = arb(0)
        for power, coefficient in enumerate(term.coefficients):
            for q in range(power + 1):
                ratio = ball(coefficient * factorial(power) / factorial(q))
                inner += ratio * log**q / rate ** (power - q + 1)
        total += inner * (-rate * log).exp()
    return total


def _density(terms: Sequence[Term], log: arb) -> arb:
    """f(L)."""
    total = arb(0)
    for term in terms:
        inner = sum((ball(value) * log**power for power, value in enumerate(term.coefficients)), arb(0))
        total += inner * (-ball(term.rate) * log).exp()
    return total
