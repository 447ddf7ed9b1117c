"""Anchor A1: the Gaussian location curve, where t²F = 2k²K holds at every t."""

from __future__ import annotations

from fractions import Fraction

import sympy
from sympy import Expr, Symbol, latex, symbols

from ddtheory import cells
from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import Check, Claim, Comparison, Curve, Experiment
from ddtheory.verify.proof import Equation, Proof
from ddtheory.workbench.evidence import profile_curve
from ddtheory.workbench.ladder import value_check
from ddtheory.workbench.statement import printed

t, sigma = symbols("t sigma", positive=True)
k = Symbol("k", integer=True, positive=True)

_RADII = (0.5, 0.25, 0.1, 0.05)
_ROUNDING = 1e-11  # F and K are each a few roundings of size 1e-16 away from the exact value, K after a square
_WIDTH = 5e-11  # of an interval that holds the rounding and no more


def fisher_formula(order: Expr | int, variance: Expr | int, radius: Expr | float) -> Expr:
    """F of the statement: k² t^{2(k−1)}/σ²."""
    return order**2 * radius ** (2 * (order - 1)) / variance


def divergence_formula(order: Expr | int, variance: Expr | int, radius: Expr | float) -> Expr:
    """K of the statement: t^{2k}/(2σ²)."""
    return radius ** (2 * order) / (2 * variance)


def balance_formula(order: Expr | int) -> Expr:
    """t² F over K: 2k²."""
    return 2 * order**2


CLAIM = Claim(
    id="anchor:A1",
    title="Gaussian location: the balance at every t",
    given=r"Let the data be $N(t^k, \sigma^2)$.",
    clauses={
        "F": rf"$F = {latex(fisher_formula(k, sigma**2, t))}$.",
        "K": rf"$K = {latex(divergence_formula(k, sigma**2, t))}$.",
        "balance": rf"$t^2 F = {printed(balance_formula(k))} K$ at every $t$.",
    },
    source=cite("shirodkar2026dead", "Anchor A1"),
    hypotheses=("The mean is exactly t^k.",),
    expected=Verdict.CONFIRMED,
)


def derive() -> Proof:
    y = Symbol("y", real=True)
    mean = t**k
    log_density = -((y - mean) ** 2) / (2 * sigma**2) - sympy.log(sigma) - sympy.log(2 * sympy.pi) / 2
    score = sympy.diff(log_density, t)
    z = Symbol("z", real=True)  # standard normal: E z = 0 and E z² = 1
    fisher = sympy.expand(score.subs(y, mean + sigma * z) ** 2).coeff(z, 2)
    log_ratio = (log_density.subs(mean, 0) - log_density).subs(y, sigma * z)  # log p_0/p_t under y ~ N(0, σ²)
    divergence = sympy.expand(log_ratio).coeff(z, 0)
    return Proof(
        "Symbolic in k, t and σ.",
        (
            Equation(
                "F",
                "mean of the squared score, by the derivative of the log-density",
                fisher,
                fisher_formula(k, sigma**2, t),
                {
                    "k for k²": fisher_formula(k, sigma**2, t) / k,
                    "σ for σ²": fisher_formula(k, sigma, t),
                    "rate 2k": t**2 * fisher_formula(k, sigma**2, t),
                },
            ),
            Equation(
                "K",
                "mean of the log-ratio from t = 0 to t",
                divergence,
                divergence_formula(k, sigma**2, t),
                {
                    "without the 2": 2 * divergence_formula(k, sigma**2, t),
                    "rate k": divergence_formula(k / 2, sigma**2, t),
                },
            ),
            Equation(
                "balance",
                "both are monomials, so it is an identity and no limit",
                t**2 * fisher,
                balance_formula(k) * divergence,
                {"k² K": k**2 * divergence, "2k K": 2 * k * divergence},
            ),
        ),
    )


def measure() -> Experiment:
    from ddtheory import measure as reading

    balance: list[Check] = []
    fisher: list[Check] = []
    divergence: list[Check] = []
    curves: list[Curve] = []
    for order in (1, 2, 3, 4):
        for variance in (1, 3):
            cell = cells.gaussian_location(order, variance)
            profile = reading.fisher_along(cell.problem(), cell.torch_direction("t"), _RADII)
            ratios = [t**2 * f / d for t, f, d in zip(profile.radii, profile.fisher, profile.divergence, strict=True)]
            balance.append(
                Comparison(
                    f"t²F/K at t = {_RADII}, k = {order}, σ² = {variance}",
                    balance_formula(order),
                    Interval(ratios[-1], min(ratios) - _ROUNDING, max(ratios) + _ROUNDING),
                    (2 * order * (order - 1), 2 * order * (order + 1), order**2),
                    _WIDTH,
                    "the spread over all radii plus rounding: an identity must hold at every radius",
                    "2k²",
                )
            )
            last = profile.radii[-1]
            exact = float(fisher_formula(order, variance, last))
            fisher.append(
                value_check(
                    f"F at t = {last}, k = {order}, σ² = {variance}",
                    exact,
                    profile.fisher[-1],
                    rivals=(2 * exact, exact * last, *([exact / order] if order > 1 else [])),
                    error=1e-13,
                )
            )
            distance = float(divergence_formula(order, variance, last))
            divergence.append(
                value_check(
                    f"K at t = {last}, k = {order}, σ² = {variance}",
                    distance,
                    profile.divergence[-1],
                    rivals=(2 * distance, distance / 2, distance / last),
                    error=1e-12,
                )
            )
            (time,) = cell.coordinates
            exact_face = float(cell.divergence.subs(time, sympy.Rational(1, 20)))
            divergence.append(
                value_check(
                    f"K of the cell in exact arithmetic at t = 1/20, k = {order}, σ² = {variance}",
                    float(divergence_formula(order, variance, 1 / 20)),
                    exact_face,
                    rivals=(2 * exact_face, exact_face / 2, 20 * exact_face),
                    error=1e-13,
                    reason="the symbolic face of the same cell; rounding",
                )
            )
        curves.append(profile_curve(profile, f"k = {order}", order))
    return Experiment(
        "N(t^k, σ²) in torch, F by a forward-mode derivative, K from the same pass.",
        {"balance": balance, "F": fisher, "K": divergence},
        tuple(curves),
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
    fisher, divergence = (2 * radius + 3 * radius**2) ** 2, (radius**2 + radius**3) ** 2 / 2
    return Experiment(
        "With a second term in the mean F and K are others at finite t, and the balance holds in the limit only: at t "
        "= 1/10 it is off by 9 %.",
        {
            "F": (
                value_check(
                    "F at t = 1/10 for the mean t² + t³",
                    fisher,
                    profile.fisher[0],
                    rivals=(float(fisher_formula(order, 1, radius)),),
                    error=1e-12,
                ),
            ),
            "K": (
                value_check(
                    "K at t = 1/10 for the mean t² + t³",
                    divergence,
                    profile.divergence[0],
                    rivals=(float(divergence_formula(order, 1, radius)),),
                    error=1e-12,
                ),
            ),
            "balance": (
                Comparison(
                    "t²F/(2K) at t = 1/10 for the mean t² + t³",
                    exact,
                    Interval.around(ratio, _ROUNDING),
                    (order**2,),
                    _WIDTH,
                    "rounding; the exact value is k² ((1 + (k+1)t/k)/(1 + t))²",
                    "k² at finite t",
                ),
            ),
        },
    )
