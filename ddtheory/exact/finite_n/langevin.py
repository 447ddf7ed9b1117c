r"""What discrete Langevin dynamics returns where its law is Gaussian: each part of the bias in closed form.

K = ½ Σ h_i w_i², pinned at c by γ, on ℝ^d. One step is w' = w − (ε/2)(nβ ∇L̂ + γ(w − c)) + N(0, ε), where the gradient
of the batch is ∇L̂_i = h_i (1 + s ζ) w_i + σ ζ' with independent ζ, ζ' of mean 0 and variance 1. With a = nβ h + γ and
ρ = 1 − εa/2 a coordinate is a linear recursion, so its moments are exact:

  mean  m_k = γc/a + ρ^k (c − γc/a),
  E w²_{k+1} = (ρ² + κ) E w²_k + 2ρ (εγc/2) m_k + (εγc/2)² + ε + (ε nβ σ/2)²,   κ = (ε nβ h s/2)².

It settles if |ρ| < 1 and ρ² + κ < 1; without noise in the gradient and c = 0 the variance is 1/(a (1 − εa/4)). The
sampler returns nβ (mean over the draws of ½ Σ h w² − baseline), where the baseline is the error of L̂(w*).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from flint import arb

from ddtheory.arguments import in_order
from ddtheory.errors import InvalidValueError, UndecidedError, shown
from ddtheory.exact.numbers.enclosing import ball, bits, check_digits, enclosure, rational, to_digits, working
from ddtheory.exact.numbers.given import whole_number
from ddtheory.shown import Shown
from ddtheory.values import Enclosure

_MOST = 10_000  # coordinates


@dataclass(frozen=True, repr=False)
class LangevinTarget(Shown):
    """The expectation of what a sampler returns, and of what it consists.

    Attributes:
        value: the expectation of its estimate.
        parts: name → contribution, which add up to the value: λ, then what each departure adds to what was there.
        stable_below: the step size ε above which the second moment of the chain diverges.
    """

    value: Enclosure
    parts: Mapping[str, Enclosure]
    stable_below: Fraction

    def __str__(self) -> str:
        return f"{_short(self.value, 6)} = " + " ".join(
            f"{'+' if part.midpoint >= 0 and index else ''}{_short(part, 4)} ({name})"
            for index, (name, part) in enumerate(self.parts.items())
        )

    def latex(self) -> str:
        return rf"\mathbb{{E}}\,\hat\lambda = {self.value.latex()}"

    def rows(self) -> Mapping[str, str]:
        return {**{name: str(part) for name, part in self.parts.items()}, "in all": str(self.value)}


def _short(value: Enclosure, digits: int) -> str:
    """A few digits, also of what is no float.

    >>> _short(Enclosure(Fraction(1, 3)), 4), _short(Enclosure(10**400), 4)
    ('0.3333', '1.000e+400')
    """
    number = value.midpoint
    if number == 0 or Fraction(1, 10**300) < abs(number) < 10**300:
        return f"{float(number):.{digits}g}"
    return f"{Decimal(number.numerator) / Decimal(number.denominator):.{digits}g}"


def langevin_target(
    curvatures: Iterable[Any],
    n_beta: Any,
    *,
    step: Any,
    localisation: Any = 0,
    centre: Iterable[Any] | None = None,
    gradient_noise: Any = 0,
    curvature_noise: Any = 0,
    baseline: Any = 0,
    steps: int | None = None,
    burn_in: int = 0,
    digits: int = 12,
) -> LangevinTarget:
    r"""The expectation of λ̂ from discrete Langevin on K = ½ Σ h_i w_i², and each departure from λ = d/2 on its own.

    Args:
        curvatures: h_i > 0, rationals.
        n_beta: t = nβ > 0.
        step: ε of w' = w − (ε/2)(nβ ∇L̂ + γ(w − c)) + N(0, ε).
        localisation: γ ≥ 0.
        centre: c, where the chain starts and the pin is; the zero of K when missing.
        gradient_noise: σ², the variance of each component of the gradient of a batch that does not depend on w: that
            of one sample over the batch size.
        curvature_noise: s², the relative variance of the curvature between batches.
        baseline: what was taken for L(w*) less L(w*), in nats; it is subtracted nβ times. A noisy baseline of mean 0
            adds no bias, and its standard error times nβ to that of the estimate.
        steps, burn_in: the draws k = burn_in + 1, …, steps are averaged; the stationary law when steps is missing.
        digits: significant digits of the value.

    Raises:
        InvalidValueError: a number that is none, or has the wrong sign, or a chain that diverges at this step.

    >>> found = langevin_target([1], 100, step="1/1000", localisation=0)
    >>> print(found.value.contains(Fraction(1, 2) / (1 - Fraction(100, 4000))))  # 1/(1 − εa/4)
    True
    >>> print(found)
    0.512821 = 0.5 (λ) +0 (localisation) +0.01282 (step size)
    """
    h = [rational(value, "a curvature") for value in in_order(curvatures, "curvatures", _MOST)]
    t, eps, gamma = rational(n_beta, "nβ"), rational(step, "the step ε"), rational(localisation, "the localisation γ")
    sigma, relative = rational(gradient_noise, "the gradient noise"), rational(curvature_noise, "the curvature noise")
    shift, digits = rational(baseline, "the baseline"), check_digits(digits)
    c = (
        [Fraction(0)] * len(h)
        if centre is None
        else [rational(one, "a coordinate of the centre") for one in in_order(centre, "The centre", _MOST)]
    )
    if not h or len(c) != len(h):
        raise InvalidValueError(f"There are {len(h)} curvatures and {len(c)} coordinates of the centre; give one each.")
    if min(*h, t, eps) <= 0 or min(gamma, sigma, relative) < 0:
        raise InvalidValueError("Curvatures, nβ and the step are positive, γ and the noises are not negative.")
    burn_in = whole_number(burn_in, "burn_in", least=0)
    if steps is not None:
        steps = whole_number(steps, "steps", least=burn_in + 1, advice="There is no draw after the burn-in.")
    limit = min(4 * (t * one + gamma) / ((t * one + gamma) ** 2 + (t * one) ** 2 * relative) for one in h)
    if eps >= limit:
        raise InvalidValueError(
            f"At the step ε = {shown(eps)} the chain diverges: its second moment is finite below {shown(limit)}."
        )
    stages: list[tuple[str, _Chain]] = [("localisation", _Chain(Fraction(0), Fraction(0), Fraction(0), None, 0))]
    stages.append(("step size", _Chain(eps, Fraction(0), Fraction(0), None, 0)))
    if sigma:
        stages.append(("gradient noise", _Chain(eps, sigma, Fraction(0), None, 0)))
    if relative:
        stages.append(("curvature noise", _Chain(eps, sigma, relative, None, 0)))
    if steps is not None:
        stages.append(("chain length", _Chain(eps, sigma, relative, steps, burn_in)))
    half = Fraction(len(h), 2)

    def at(chain: _Chain, precision: int) -> arb:
        with working(precision + 64):
            return sum((chain.moment(t, one, gamma, place) for one, place in zip(h, c, strict=True)), arb(0))

    def added(chain: _Chain, before: _Chain | None) -> Callable[[int], arb]:
        return lambda precision: at(chain, precision) - (ball(half) if before is None else at(before, precision))

    parts = {"λ": Enclosure(half)}
    for index, (name, chain) in enumerate(stages):
        parts[name] = _part(added(chain, stages[index - 1][1] if index else None), digits)
    if shift:
        parts["baseline"] = Enclosure(-t * shift)
    last = stages[-1][1]
    return LangevinTarget(_part(lambda p: at(last, p) - ball(t * shift), digits), parts, limit)


@dataclass(frozen=True)
class _Chain:
    """ε (0: continuous time), σ², s², and which draws are averaged."""

    step: Fraction
    noise: Fraction
    relative: Fraction
    steps: int | None
    burn_in: int

    def moment(self, t: Fraction, h: Fraction, gamma: Fraction, c: Fraction) -> arb:
        """nβ h/2 times the mean of E w² over the draws."""
        a = t * h + gamma
        goal = gamma * c / a
        if not self.step:
            return ball(t * h / 2 * (1 / a + goal**2))
        rho = 1 - self.step * a / 2
        kappa = (self.step * t * h / 2) ** 2 * self.relative
        drift = self.step * gamma * c / 2
        fresh = drift**2 + self.step + (self.step * t / 2) ** 2 * self.noise
        # E w²_k = A + B ρ^k + C r^k with r = ρ² + κ, from E w²_{k+1} = r E w²_k + 2ρ·drift·m_k + fresh
        r = rho**2 + kappa
        settled = (2 * rho * drift * goal + fresh) / (1 - r)
        if self.steps is None:
            return ball(t * h / 2 * settled)
        slow = 2 * rho * drift * (c - goal) / (rho - r) if rho != r else Fraction(0)
        if rho == r and drift * (c - goal) * rho:
            raise InvalidValueError("The step is exactly resonant: change it by a little.")
        start = c**2 - settled - slow
        count = self.steps - self.burn_in
        total = ball(settled) + (self._mean(rho, count) * ball(slow) + self._mean(r, count) * ball(start))
        return ball(t * h / 2) * total

    def _mean(self, ratio: Fraction, count: int) -> arb:
        """The mean of ratio^k over the draws."""
        first, last = ball(ratio) ** (self.burn_in + 1), ball(ratio) ** (self.burn_in + count + 1)
        return (first - last) / ball((1 - ratio) * count)


def _part(compute: Callable[[int], arb], digits: int) -> Enclosure:
    """To so many digits; a part that is 0 to 50 digits beyond them is given as what encloses it."""
    try:
        return to_digits(compute, digits)
    except UndecidedError:
        return enclosure(compute(bits(digits) + 166), digits)
