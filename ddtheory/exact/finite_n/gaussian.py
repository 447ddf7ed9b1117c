r"""Normal crossings under a Gaussian prior, for any exponents, by one Mellin–Barnes integral with proven tails.

With φ = ∏ |x_i|^{h_i} e^{−(x_i − w*_i)²/(2s²)} on ℝ^d or on x_i > 0, and K = c ∏ |x_i|^{p_i}, put τ = ct. Since
e^{−u} = (1/2πi) ∫ Γ(z) u^{−z} dz on Re z = σ > 0,

  Z(t) = (1/2πi) ∫ Γ(z) τ^{−z} ∏_i E_i(z) dz,   E_i(z) = ∫ |x|^{2b_i(z) − 1} e^{−(x − w*_i)²/(2s²)} dx,

b_i(z) = (h_i + 1 − p_i z)/2, for 0 < σ < λ = min (h_i + 1)/p_i; a factor z under the integral gives
−t Z'(t) = t ∫ K e^{−tK} φ. On a half-line with w*_i = 0, E_i = ½ (2s²)^{b_i} Γ(b_i); otherwise see
`finite_n_localised`.

Tails. |Γ(x + iy)| ≤ √(2π) |x + iy|^{x−1/2} e^{−π|y|/2 + 1/(6|y|)} for x ≥ 0 (DLMF 5.6.9). For y ≥ Y, with Y ≥ 1 and
every p_i Y/2 ≥ 1, the arguments of all factors have modulus 1 or more, so each has |x + igy|^{x−1/2} ≤
((x + g) y)^{max(x−1/2, 0)}; where w*_i ≠ 0, |E_i(σ + iy)| ≤ E_i(σ). Hence the integrand is at most A y^N e^{−κy},
κ = (π/2)(1 + Σ p_i/2) over the i with w*_i = 0, and ∫_Y^∞ y^N e^{−κy} dy ≤ Y^N e^{−κY}/(κ − N/Y) when κY > N.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from flint import acb, arb

from ddtheory.errors import UndecidedError
from ddtheory.exact.finite_n.localised import half_line, whole_line
from ddtheory.exact.numbers.enclosing import ball, working

_EVALUATIONS = 200_000
_FARTHEST = 60  # of ‖w*‖²/(2s²): beyond it the digits that cancel take minutes


@dataclass(frozen=True)
class Gaussian:
    """|x|^{p_i} in K, |x|^{h_i} and a Gaussian around w* in φ, on ℝ^d or on the positive orthant."""

    powers: tuple[Fraction, ...]
    weights: tuple[Fraction, ...]
    variance: Fraction
    centre: tuple[Fraction, ...]
    one_sided: bool

    @property
    def rates(self) -> list[Fraction]:
        return [(h + 1) / p for p, h in zip(self.powers, self.weights, strict=True)]

    def factor(self, index: int, z: acb) -> acb:
        """E_i(z)."""
        b = (ball(self.weights[index]) + 1 - ball(self.powers[index]) * z) / 2
        integral = half_line if self.one_sided else whole_line
        return integral(b, self.variance, self.centre[index])


def gaussian_moments(
    prior: Gaussian, tau: Fraction, scale: Fraction, go_on: Callable[[], None]
) -> tuple[Callable[[int], tuple[arb, arb]], Callable[[int], arb]]:
    """(precision ↦ (∫ e^{−τK/c} φ, ∫ (K/c) e^{−τK/c} φ)), and precision ↦ C of Z ~ C t^{−λ} (log t)^{m−1}."""
    rates, lam = prior.rates, min(prior.rates)
    integral = _trapezium if any(prior.centre) else _contour
    cache: dict[int, tuple[arb, arb]] = {}

    def moments(precision: int) -> tuple[arb, arb]:
        if precision not in cache:
            with working(precision + 64):
                zeroth, first = integral(prior, tau, precision, go_on)
                cache[precision] = (zeroth, first / ball(tau))
        return cache[precision]

    def constant(precision: int) -> arb:
        with working(precision + 32):
            value = ball(lam).gamma() * (-ball(lam) * ball(scale).log()).exp()
            for index, rate in enumerate(rates):
                value *= _residue(prior, index) if rate == lam else prior.factor(index, acb(ball(lam))).real
            return value / math.factorial(rates.count(lam) - 1)

    return moments, constant


def _residue(prior: Gaussian, index: int) -> arb:
    """E_i(z) (λ − z) at its pole: the mass of the prior at x = 0 over p."""
    density = (-ball(prior.centre[index] ** 2 / (2 * prior.variance))).exp()
    return density * (1 if prior.one_sided else 2) / ball(prior.powers[index])


def _integrand(prior: Gaussian, log_tau: arb, z: acb) -> acb:
    value = z.gamma() * (-z * log_tau).exp()
    for index in range(len(prior.powers)):
        value *= prior.factor(index, z)
    return value


def _contour(prior: Gaussian, tau: Fraction, precision: int, go_on: Callable[[], None]) -> tuple[arb, arb]:
    """(1/2πi) ∫ (1, z) Γ(z) τ^{−z} ∏ E_i(z) dz by adaptive quadrature; quick where E_i is a Γ function."""
    steps = 2 + max(math.log(tau.numerator) - math.log(tau.denominator), 0)
    # at this distance from the pole τ^{−σ} is not much larger than the answer
    line = min(prior.rates) * (1 - Fraction(1, math.ceil(steps)))
    log_tau = ball(tau).log()
    end = _reach(prior, precision)
    tolerance = arb(2) ** -(precision + 8)
    found = []
    for moment in (0, 1):

        def integrand(y: acb, _analytic: bool, moment: int = moment) -> acb:
            # an exception cannot pass through FLINT: it is raised again as soon as that returns
            try:
                go_on()
            except UndecidedError:
                return acb(0)
            z = ball(line) + acb(0, 1) * y
            return _integrand(prior, log_tau, z) * z**moment

        # G(−y) is the conjugate of G(y): twice the real part over y > 0
        value = acb.integral(
            integrand, acb(0), acb(ball(end)), abs_tol=tolerance, rel_tol=tolerance, eval_limit=_EVALUATIONS
        ).real
        go_on()
        found.append((value + arb(0, _tail(prior, tau, line, moment, end).upper())) / arb.pi())
    return found[0], found[1]


def _trapezium(prior: Gaussian, tau: Fraction, precision: int, go_on: Callable[[], None]) -> tuple[arb, arb]:
    """The same by the trapezoidal rule, which asks for E_i at points only: on wide balls 1F1 is hopeless.

    With ∫ |G| ≤ M on every line Re z ∈ [σ − a, σ + a] the rule of step q errs by at most 2M/(e^{2πa/q} − 1) (Trefethen
    and Weideman 2014, Theorem 5.1). τ^{−x} ∏ E_i(x) is log-convex, so it is largest at the ends.
    """
    distance = sum(c**2 for c in prior.centre) / (2 * prior.variance)
    if distance > _FARTHEST:
        raise UndecidedError(
            f"‖w*‖²/(2s²) = {float(distance):.4g} is more than {_FARTHEST}: a Gaussian too narrow and too far from the "
            "origin, which costs too many digits here. finite_n_germ takes it in up to three variables."
        )
    lam = min(prior.rates)
    line, margin = lam / 2, lam * Fraction(9, 20)
    log_tau = ball(tau).log()
    end = _reach(prior, precision)
    errors = [_on_lines(prior, tau, line - margin, line + margin, moment) for moment in (0, 1)]
    wanted = (precision + 8) * math.log(2) + max(float(max(errors).log()), 0.0) + 1
    count = math.ceil(float(end) * wanted / (2 * math.pi * float(margin)))
    if count > _EVALUATIONS:
        raise UndecidedError(
            f"The Mellin–Barnes integral would take {count} values, more than {_EVALUATIONS}: λ = {lam} is small or "
            "many digits were asked for. Ask for fewer digits."
        )
    step = end / count
    largest = (-ball(line) * log_tau).exp()
    for index in range(len(prior.powers)):
        largest *= prior.factor(index, acb(ball(line))).real
    negligible = arb(2) ** -(precision + 24) / count
    zeroth, first = arb(0), arb(0)
    for index in range(count + 1):
        go_on()
        z = acb(ball(line), ball(index * step))
        size = (largest * abs(z.gamma())).upper()
        value = acb(arb(0, size), arb(0, size))
        if not size < negligible:
            found = _integrand(prior, log_tau, z)
            value = found if found.is_finite() and abs(found).upper() < 2 * size else value
        value = value * (1 if index else ball(Fraction(1, 2)))
        zeroth += value.real
        first += (value * z).real
    decay = 2 * arb.pi() * ball(margin / step)
    answers = []
    for moment, total in enumerate((zeroth, first)):
        rest = 2 * errors[moment] / decay.expm1() / (2 * arb.pi()) + _tail(prior, tau, line, moment, end) / arb.pi()
        answers.append(total * ball(step) / arb.pi() + arb(0, rest.upper()))
    return answers[0], answers[1]


def _reach(prior: Gaussian, precision: int) -> Fraction:
    """Y beyond which the integrand is negligible."""
    decaying = [p for p, c in zip(prior.powers, prior.centre, strict=True) if not c]
    decay = math.pi / 2 * (1 + float(sum(decaying)) / 2)
    reach = math.ceil((precision + 64) * math.log(2) / decay)
    return Fraction(max(reach, 2, *(math.ceil(2 / p) for p in prior.powers)))


def _on_lines(prior: Gaussian, tau: Fraction, low: Fraction, high: Fraction, moment: int) -> arb:
    """A bound of ∫ |z^moment Γ(z) τ^{−z} ∏ E_i(z)| |dz| over every line Re z = x, low ≤ x ≤ high."""
    sizes = []
    for x in (low, high):
        size = (-ball(x) * ball(tau).log()).exp()
        for index in range(len(prior.powers)):
            size *= prior.factor(index, acb(ball(x))).real
        sizes.append(size)
    start = math.ceil(2 * (high + moment)) + 1
    # |z^moment Γ(z)| = |Γ(z + moment)| ≤ Γ(x + moment), and Γ is convex
    middle = 2 * start * max(ball(low + moment).gamma().upper(), ball(high + moment).gamma().upper())
    rest = _gammas([(high, Fraction(1))], moment, Fraction(start)) * (ball(high) + 1) ** moment
    return (max(size.upper() for size in sizes) * (middle + 2 * rest)).upper()


def _tail(prior: Gaussian, tau: Fraction, line: Fraction, moment: int, end: Fraction) -> arb:
    """A bound of ∫_Y^∞ |G(σ + iy)| dy; see the module."""
    size = (-ball(line) * ball(tau).log()).exp() * (ball(line) + 1) ** moment
    growth = [(line, Fraction(1))]
    for index, (power, weight) in enumerate(zip(prior.powers, prior.weights, strict=True)):
        real = (weight + 1 - power * line) / 2
        if prior.centre[index]:
            size *= prior.factor(index, acb(ball(line))).real
            continue
        growth.append((real, power / 2))
        size *= (ball(real) * ball(2 * prior.variance).log()).exp() / (2 if prior.one_sided else 1)
    return size * _gammas(growth, moment, end)


def _gammas(growth: Sequence[tuple[Fraction, Fraction]], moment: int, end: Fraction) -> arb:
    """A bound of ∫_Y^∞ y^moment ∏ |Γ(x + igy)| dy over the (x, g)."""
    size, order = arb(1), arb(moment)
    for real, multiple in growth:
        exponent = ball(max(real - Fraction(1, 2), Fraction(0)))
        size *= (2 * arb.pi()).sqrt() * (1 / (6 * ball(multiple * end))).exp() * ball(real + multiple) ** exponent
        order += exponent
    decay = arb.pi() / 2 * ball(sum((multiple for _, multiple in growth), Fraction(0)))
    y = ball(end)
    margin = decay - order / y
    if not margin > 0:
        raise UndecidedError("The Mellin–Barnes integral decays too slowly; ask for more digits.")
    return size * y**order * (-decay * y).exp() / margin
