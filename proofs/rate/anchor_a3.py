"""Anchor A3: on the curve (w, m) = (t, t) through the mixture boundary both readings give k = 2."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Symbol, symbols

from ddtheory import cells
from ddtheory.exact.orders.series import Series, expand
from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import Claim, Comparison, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.evidence import limit, order_check, profile_curve
from ddtheory.workbench.statement import printed

if TYPE_CHECKING:
    from torch import Tensor

t = Symbol("t", positive=True)
x = Symbol("x", real=True)


def divergence(radius: Expr | float) -> Expr:
    """The leading term of K: t⁴/2."""
    return radius**4 / 2


def fisher(radius: Expr | float) -> Expr:
    """The leading term of F: 4t²."""
    return 4 * radius**2


_ORDER = 2


CLAIM = Claim(
    id="anchor:A3",
    title="Both readings agree on the mixture curve",
    given=r"Let $(w, m) = (t, t)$ be a curve of $w N(m,1) + (1-w) N(0,1)$.",
    clauses={
        "K": rf"$K = {printed(divergence(t))} + O(t^5)$.",
        "F": rf"$F = {printed(fisher(t))} + O(t^3)$.",
        "order": f"Both readings give $k = {_ORDER}$.",
    },
    source=cite("shirodkar2026dead", "Anchor A3"),
    hypotheses=("The curve is (t, t).",),
    expected=Verdict.CONFIRMED,
    rests_on=("thm:fisher_decay",),
    doubts="The curve is chosen: (t, t²) through the same point reads k = 3, which the control shows.",
)


def derive() -> Proof:
    mean = symbols("m", real=True)

    def log_ratio(weight: Expr, location: Expr) -> Series:
        """Of the mixture to N(0, 1), as a power series in t."""
        return expand(sympy.log(1 + weight * (sympy.exp(location * x - location**2 / 2) - 1)), t, 4)

    series = log_ratio(t, t)
    truncated = sympy.Add(*[series[power] * t**power for power in range(4)])
    leading = series[2] * t**2

    def moment(value: Expr) -> Expr:
        """E over x ~ N(0, 1) of a polynomial in x of degree two."""
        square = sympy.Poly(sympy.expand(value), x)
        return sympy.Add(*[square.coeff_monomial(x**power) * {0: 1, 1: 0, 2: 1}[power] for power in range(3)])

    return Proof(
        "The log-ratio as a power series in t, symbolic in x; moments of N(0, 1) by hand.",
        (
            Equation(
                "order",
                "log p_t/p_0 up to t²",
                series[0] + series[1] * t + leading,
                x * t**2,
                {
                    "curve (t, 1), of order t already": sympy.Add(
                        *[log_ratio(t, mean)[power] * t**power for power in (0, 1, 2)]
                    ),
                    "curve (t, t²), of order t³": sympy.Add(
                        *[log_ratio(t, t**2)[power] * t**power for power in (0, 1, 2)]
                    ),
                },
            ),
            Prose("K = E[e^d − 1 − d] ~ E d²/2 and F = E (∂_t d)², with E x² = 1.", r"E x^2 = 1"),
            Equation(
                "K",
                "half the second moment of the leading term",
                moment(leading**2) / 2,
                divergence(t),
                {"without the half": t**4, "t²": t**2 / 2},
            ),
            Equation(
                "F",
                "second moment of the derivative of the leading term",
                moment(sympy.diff(leading, t) ** 2),
                fisher(t),
                {"2t²": 2 * t**2, "4t³": 4 * t**3},
            ),
            Equation(
                "order",
                f"balance t² F = 2k² K of the leading terms at k = {_ORDER}",
                t**2 * moment(sympy.diff(leading, t) ** 2),
                2 * _ORDER**2 * moment(leading**2) / 2,
                {"k = 1": 2 * moment(leading**2) / 2, "k = 3": 2 * 3**2 * moment(leading**2) / 2},
            ),
            Equation(
                "K",
                "the next term of the log-ratio is of order t³: t times the second order of e^{tx − t²/2}",
                truncated - leading,
                (x**2 - 1) / 2 * t**3,
                {"without its mean": x**2 / 2 * t**3, "t⁴": (x**2 - 1) / 2 * t**4},
            ),
        ),
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
    metric = [2 * f / fisher(s) for s, f in zip(times, profile.fisher, strict=True)]
    distance = [d / divergence(s) for s, d in zip(times, profile.divergence, strict=True)]
    tenth = reading.fisher_along(problem, reading.arc(problem, diagonal, label="(t, t)"), [0.1 / root])
    reason = "extrapolated to t = 0 from the six smallest radii"
    return Experiment(
        "w N(m, 1) + (1 − w) N(0, 1) in torch on Gauss–Hermite nodes, along (w, m) = (t, t) at unit speed.",
        {
            "order": (order_check("order along (t, t)", 2, found),),
            "F": (
                Comparison(
                    "F/(4t²)", 1, limit(times, metric, 1e-9), (2, sympy.Rational(1, 2)), 0.05, reason, "coefficient"
                ),
                Comparison(
                    "F/(4t²) at t = 0.1",
                    1.0076,
                    Interval.around(2 * tenth.fisher[0] / fisher(0.1), 5e-5),
                    (1,),
                    1.5e-4,
                    "the value at finite t, from the register's independent quadrature, four decimals",
                    "coefficient at finite t",
                ),
            ),
            "K": (
                Comparison(
                    "K/(t⁴/2)",
                    1,
                    limit(times, distance, 1e-6),
                    (2, sympy.Rational(1, 2)),
                    0.05,
                    reason,
                    "coefficient",
                ),
            ),
        },
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
    return Experiment(
        "The curve (t, 1), with the components apart, is regular with the chi-square constant e^{m²} − 1; the curve "
        "(t, t²) from the same point as the claim has order 3, so k belongs to the curve and not to the point.",
        {
            "order": (
                order_check("order along (t, 1)", 1, reading.order(regular), rivals=(2,)),
                order_check("order along (t, t²)", 3, reading.order(bent), rivals=(2,)),
            ),
            "F": (
                Comparison(
                    "F along (t, 1)",
                    chi_square,
                    limit(regular.radii, regular.fisher, 1e-9),
                    (4, 1, 2),
                    0.05,
                    "extrapolated to t = 0",
                    "coefficient",
                ),
            ),
            "K": (
                Comparison(
                    "K/t² along (t, 1)",
                    chi_square / 2,
                    limit(
                        regular.radii, [d / s**2 for s, d in zip(regular.radii, regular.divergence, strict=True)], 1e-9
                    ),
                    (0.5, chi_square, 2),
                    0.05,
                    "extrapolated to t = 0",
                    "coefficient",
                ),
            ),
        },
    )
