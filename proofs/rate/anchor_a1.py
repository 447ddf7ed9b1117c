"""Anchor A1: the Gaussian location curve, where t²F = 2k²K holds at every t."""

from __future__ import annotations

from fractions import Fraction

import sympy
from sympy import Symbol, symbols

from ddtheory import cells
from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import Check, Claim, Comparison, Curve, Experiment
from ddtheory.verify.older import older_experiment, older_proof, older_statement
from ddtheory.verify.proof import Proof, Prose
from ddtheory.workbench.evidence import profile_curve

t, sigma = symbols("t sigma", positive=True)
k = Symbol("k", integer=True, positive=True)

_RADII = (0.5, 0.25, 0.1, 0.05)
_ROUNDING = 1e-11  # F and K are each a few roundings of size 1e-16 away from the exact value, K after a square


def derive() -> Proof:
    y = Symbol("y", real=True)
    mean = t**k
    log_density = -((y - mean) ** 2) / (2 * sigma**2) - sympy.log(sigma) - sympy.log(2 * sympy.pi) / 2
    score = sympy.diff(log_density, t)
    z = Symbol("z", real=True)  # standard normal: E z = 0 and E z² = 1
    fisher = sympy.expand(score.subs(y, mean + sigma * z) ** 2).coeff(z, 2)
    log_ratio = (log_density.subs(mean, 0) - log_density).subs(y, sigma * z)  # log p_0/p_t under y ~ N(0, σ²)
    divergence = sympy.expand(log_ratio).coeff(z, 0)
    return older_proof(
        steps=(
            Prose(
                "The score is the derivative of the log-density; its square has mean k² t^{2k−2}/σ².",
                r"F = \frac{k^2 t^{2k-2}}{\sigma^2}",
            ),
            Prose(
                "The divergence from t = 0 to t is the squared distance of the means.", r"K = \frac{t^{2k}}{2\sigma^2}"
            ),
            Prose("Both are monomials, so the balance is an identity and no limit.", r"t^2 F = 2 k^2 K"),
        ),
        residuals={
            "F": fisher - k**2 * t ** (2 * k - 2) / sigma**2,
            "K": divergence - t ** (2 * k) / (2 * sigma**2),
            "t²F − 2k²K": t**2 * fisher - 2 * k**2 * divergence,
        },
        controls={"t²F − k²K": t**2 * fisher - k**2 * divergence},
    )


def measure() -> Experiment:
    from ddtheory import measure as reading

    checks: list[Check] = []
    curves: list[Curve] = []
    for order in (1, 2, 3, 4):
        for variance in (1, 3):
            cell = cells.gaussian_location(order, variance)
            profile = reading.fisher_along(cell.problem(), cell.torch_direction("t"), _RADII)
            ratios = [
                t**2 * f / (2 * d) for t, f, d in zip(profile.radii, profile.fisher, profile.divergence, strict=True)
            ]
            checks.append(
                Comparison(
                    f"t²F/(2K) at t = {_RADII}, k = {order}, σ² = {variance}",
                    order**2,
                    Interval(ratios[-1], min(ratios) - _ROUNDING, max(ratios) + _ROUNDING),
                    (Fraction(order * (order - 1)), Fraction(order * (order + 1)), Fraction(order**2, 2)),
                    1e-9,
                    "the spread over all radii plus rounding: an identity must hold at every radius",
                    "k²",
                )
            )
        curves.append(profile_curve(profile, f"k = {order}", order))
    return older_experiment(
        "N(t^k, σ²) in torch, F by a forward-mode derivative, K from the same pass.", tuple(checks), tuple(curves)
    )


def control() -> Experiment:
    from ddtheory import measure as reading

    time = Symbol("t", real=True)
    order = 2
    cell = cells.mean_map([time**order + time ** (order + 1)], name="mean t² + t³")
    radius = Fraction(1, 10)
    profile = reading.fisher_along(cell.problem(), cell.torch_direction("t"), [float(radius)])
    ratio = profile.radii[0] ** 2 * profile.fisher[0] / (2 * profile.divergence[0])
    exact = order**2 * ((1 + Fraction(order + 1, order) * radius) / (1 + radius)) ** 2
    return older_experiment(
        "With a second term in the mean the balance holds in the limit only: at t = 1/10 it is off by 9 %.",
        (
            Comparison(
                "t²F/(2K) at t = 1/10 for the mean t² + t³",
                exact,
                Interval.around(ratio, _ROUNDING),
                (order**2,),
                1e-9,
                "rounding; the exact value is k² ((1 + (k+1)t/k)/(1 + t))²",
                "k² at finite t",
            ),
        ),
    )


CLAIM = Claim(
    id="anchor:A1",
    title="Gaussian location: the balance at every t",
    clauses=older_statement(
        r"For $N(t^k, \sigma^2)$: $F = k^2 t^{2(k-1)}/\sigma^2$, $K = t^{2k}/(2\sigma^2)$, and $t^2 F = 2k^2 K$ at "
        r"every $t$."
    ),
    source=cite("shirodkar2026dead", "Anchor A1"),
    hypotheses=("The mean is exactly t^k.",),
    expected=Verdict.CONFIRMED,
    derive=derive,
    measure=measure,
    control=control,
)
