"""Anchor A3: on the curve (w, m) = (t, t) through the mixture boundary both readings give k = 2."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy
from sympy import Symbol

from ddtheory import cells
from ddtheory.exact.orders.series import expand
from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import Claim, Comparison, Experiment
from ddtheory.verify.older import older_experiment, older_proof, older_statement
from ddtheory.verify.proof import Proof, Prose
from ddtheory.workbench.evidence import limit, order_check, profile_curve

if TYPE_CHECKING:
    from torch import Tensor

t = Symbol("t", positive=True)
x = Symbol("x", real=True)


def derive() -> Proof:
    ratio = sympy.exp(t * x - t**2 / 2)
    log_ratio = expand(sympy.log(1 + t * (ratio - 1)), t, 4)
    # E over N(0, 1): K = E[e^d − 1 − d] ~ E[d²]/2 and F = E[(∂_t d)²] with E x² = 1
    leading = log_ratio[2]
    second_moment = leading.coeff(x, 1) ** 2
    return older_proof(
        steps=(
            Prose("The log-ratio to t = 0 starts at t².", r"\log \frac{p_t}{p_0} = x\, t^2 + O(t^3)"),
            Prose(
                "So K is half its second moment, and F that of its derivative.",
                r"K = \tfrac12 t^4 + O(t^5), \quad F = 4 t^2 + O(t^3)",
            ),
        ),
        residuals={
            "coefficients of t^0 and t^1": sympy.Abs(log_ratio[0]) + sympy.Abs(log_ratio[1]),
            "coefficient of t²": leading - x,
            "coefficient of K": second_moment / 2 - sympy.Rational(1, 2),
            "coefficient of F": (2 * leading.coeff(x, 1)) ** 2 - 4,
        },
        controls={
            "on the curve (t, 1), order t already": expand(
                sympy.log(1 + t * (sympy.exp(x - sympy.Rational(1, 2)) - 1)), t, 2
            )[1]
        },
    )


def measure() -> Experiment:
    from ddtheory import measure as reading

    problem = cells.mixture_problem(0.0, 0.0)
    root = 2**-0.5  # unit speed: (w, m) = (s, s)/√2, so t = s/√2 and F in s is half of F in t

    def diagonal(s: Tensor) -> dict[str, Tensor]:
        return {"w": (s * root).reshape(1), "m": (s * root).reshape(1)}

    profile = reading.fisher_along(problem, reading.arc(problem, diagonal, label="(t, t)"))
    found = reading.order(profile)
    times = [radius * root for radius in profile.radii]
    fisher = [2 * f / (4 * s**2) for s, f in zip(times, profile.fisher, strict=True)]
    divergence = [2 * d / s**4 for s, d in zip(times, profile.divergence, strict=True)]
    tenth = reading.fisher_along(problem, reading.arc(problem, diagonal, label="(t, t)"), [0.1 / root])
    reason = "extrapolated to t = 0 from the six smallest radii"
    return older_experiment(
        "w N(m, 1) + (1 − w) N(0, 1) in torch on Gauss–Hermite nodes, along (w, m) = (t, t) at unit speed.",
        (
            order_check("order along (t, t)", 2, found),
            Comparison(
                "F/(4t²)", 1, limit(times, fisher, 1e-9), (2, sympy.Rational(1, 2)), 0.05, reason, "coefficient"
            ),
            Comparison(
                "K/(t⁴/2)", 1, limit(times, divergence, 1e-6), (2, sympy.Rational(1, 2)), 0.05, reason, "coefficient"
            ),
            Comparison(
                "F/(4t²) at t = 0.1",
                1.0076,
                Interval.around(2 * tenth.fisher[0] / (4 * 0.1**2), 5e-5),
                (1,),
                1e-3,
                "the value at finite t, from the register's independent quadrature, four decimals",
                "coefficient at finite t",
            ),
        ),
        (profile_curve(profile, "(t, t)", 2, found.window),),
    )


def control() -> Experiment:
    from ddtheory import measure as reading

    at_one = cells.mixture_problem(0.0, 1.0)
    regular = reading.fisher_along(at_one, reading.arc(at_one, lambda s: {"w": s.reshape(1)}, label="(t, 1)"))
    origin = cells.mixture_problem(0.0, 0.0)
    bent = reading.fisher_along(
        origin, reading.arc(origin, lambda s: {"w": s.reshape(1), "m": (s**2).reshape(1)}, label="(t, t²)")
    )
    chi_square = sympy.E - 1
    return older_experiment(
        "The curve (t, 1), with the components apart, is regular with the chi-square constant e^{m²} − 1; the "
        "curve (t, t²) "
        "from the same point as the claim has order 3, so k belongs to the curve and not to the point.",
        (
            order_check("order along (t, 1)", 1, reading.order(regular), rivals=(2,)),
            Comparison(
                "F along (t, 1)",
                chi_square,
                limit(regular.radii, regular.fisher, 1e-9),
                (4, 1, 2),
                0.05,
                "extrapolated to t = 0",
                "coefficient",
            ),
            order_check("order along (t, t²)", 3, reading.order(bent), rivals=(2,)),
        ),
    )


CLAIM = Claim(
    id="anchor:A3",
    title="Both readings agree on the mixture curve",
    clauses=older_statement(
        r"On the curve $(w, m) = (t, t)$ of $w N(m,1) + (1-w) N(0,1)$: $K = t^4/2 + O(t^5)$ and $F \sim 4t^2$, so "
        r"both readings give $k = 2$."
    ),
    source=cite("shirodkar2026dead", "Anchor A3"),
    hypotheses=("The curve is (t, t).",),
    expected=Verdict.CONFIRMED,
    derive=derive,
    measure=measure,
    control=control,
    rests_on=("thm:fisher_decay",),
    doubts="The curve is chosen: (t, t²) through the same point reads k = 3, which the control shows.",
)
