"""X1: a regular direction at a boundary of the parameter space has ν = 0.202182…"""

from __future__ import annotations

import sympy
from sympy import Rational, Symbol

from ddtheory.exact.fluctuation.nu import singular_fluctuation
from ddtheory.exact.numbers.enclosing import enclosure, working
from ddtheory.references import cite
from ddtheory.values import Enclosure, Verdict
from ddtheory.verify.claim import Claim, Comparison, Experiment, Observation
from ddtheory.verify.older import older_experiment, older_proof, older_statement
from ddtheory.verify.proof import Proof, Prose


def _mills_integral(digits: int) -> Enclosure:
    """∫ φ³/Φ² over ℝ, by ball arithmetic; the tails beyond 30 are bounded.

    For ξ < 0, Φ(ξ) ≥ φ(ξ)|ξ|/(1 + ξ²), so φ³/Φ² ≤ φ (1 + ξ²)²/ξ² ≤ 4ξ²φ for ξ ≤ −1; for ξ > 0 it is at most 4φ³.
    """
    from flint import acb, arb

    with working(4 * digits + 60):
        normal = (2 * arb.pi()).sqrt()

        def integrand(xi: acb, _analytic: bool) -> acb:
            density = (-xi * xi / 2).exp() / normal
            return density**3 / ((-xi / arb(2).sqrt()).erfc() / 2) ** 2

        middle = acb.integral(integrand, acb(-30), acb(30)).real
        edge = arb(30)
        density = (-edge * edge / 2).exp() / normal
        tail = 4 * (edge + 1 / edge) * density + 4 * density**3  # ∫_R^∞ ξ²φ ≤ (R + 1/R) φ(R)
        return enclosure(middle + arb(0, tail.upper()), digits)


def derive() -> Proof:
    xi = Symbol("xi", real=True)
    ratio = sympy.Function("rho")(xi)  # φ/Φ
    density = sympy.Function("phi")(xi)
    # φ' = −ξφ, Φ' = φ
    slope = -xi * ratio - ratio**2
    mean = xi + ratio
    variance = 1 + mean * (xi - mean)  # Riccati at a = 1
    # E[ξρ] = E[ρ'] = −E[ξρ] − E[ρ²], so E[ξρ] = −E[ρ²]/2; E Var = 1 − E[ξρ] − E[ρ²]
    cross, square = sympy.symbols("c q", real=True)
    solved = sympy.solve(sympy.Eq(cross, -cross - square), cross)[0]
    average = 1 - solved - square
    exact = singular_fluctuation(1, sided="one", digits=30)
    claimed = Rational(1, 2) - _as_rational(_mills_integral(30)) / 4
    gap = _as_rational(exact) - claimed
    close = abs(gap) <= 2 * Rational(1, 10**29)
    return older_proof(
        steps=(
            Prose("On the half-line with a = 1 the posterior is a truncated normal law.", r"m = \xi + \varphi/\Phi"),
            Prose("Its variance follows from the Riccati equation.", r"\mathrm{Var} = 1 - \xi\rho - \rho^2"),
            Prose(
                "Gaussian integration by parts gives E[ξρ] = E[ρ'] = −E[ξρ] − E[ρ²].",
                r"\nu = \tfrac12 - \tfrac14 \int \varphi^3/\Phi^2 = 0.2021822015\ldots",
            ),
        ),
        residuals={
            "ρ' = −ξρ − ρ²": sympy.expand(slope - (-xi * density / density * ratio - ratio**2)),
            "Riccati: m' = Var": sympy.expand((1 + slope) - variance),
            "½ E Var": average / 2 - (Rational(1, 2) - square / 4),
            "the integral and the parabolic cylinder formula differ in 29 digits": sympy.Integer(int(not close)),
        },
        controls={
            "½ − ½∫φ³/Φ²": average / 2 - (Rational(1, 2) - square / 2),
            "0.186 in place of 0.202": _as_rational(exact) - Rational(186, 1000),
        },
    )


def _as_rational(value: Enclosure) -> Rational:
    return Rational(value.midpoint.numerator, value.midpoint.denominator)


def measure() -> Experiment:
    from ddtheory.workbench.measurements.line_posterior import Line, simulate

    found = simulate(Line(1, one_sided=True), 100_000, datasets=20_000, seed=1)
    exact = float(singular_fluctuation(1, sided="one", digits=12))
    return older_experiment(
        "y = s + ε with a flat prior on [0, 1] and the truth at the boundary, posterior by quadrature.",
        (
            Comparison(
                "½ E[V_n] at n = 100000",
                exact,
                found.nu,
                (0.5, 0.186, 0.25),
                0.01,
                "20000 data sets, 3.3 standard errors; the rivals are the interior value, the register's second number "
                "and half the interior value",
                "ν",
            ),
        ),
    )


def control() -> Experiment:
    from ddtheory.workbench.measurements.line_posterior import Line, simulate

    inside = simulate(Line(1), 100_000, datasets=4000, seed=2)
    squared = simulate(Line(2, prior_exponent=1), 100_000, datasets=20_000, seed=3)
    value = singular_fluctuation(1, sided="one", digits=12)
    return older_experiment(
        "The truth inside gives ½. And the number is no mark of a boundary: k = 2 with prior |s| has the same a = 1 on "
        "v ≥ 0.",
        (
            Comparison(
                "flat prior on [−1, 1], k = 1",
                Rational(1, 2),
                inside.nu,
                (float(value),),
                0.02,
                "4000 data sets, 3.3 standard errors",
                "ν",
            ),
            Comparison(
                "prior |s| on [−1, 1], k = 2",
                float(value),
                squared.nu,
                (float(singular_fluctuation(2, digits=12)), 0.186),
                0.012,
                "20000 data sets, 3.3 standard errors",
                "ν",
            ),
            Observation(
                "enclosures of the two",
                "equal",
                "equal" if value == singular_fluctuation(2, prior_exponent=1, digits=12) else "different",
                "ν depends on k and h through a and the sidedness of v only",
            ),
        ),
    )


CLAIM = Claim(
    id="register:X1",
    title="The constant 0.202 of a one-sided regular line",
    clauses=older_statement(
        r"For $k = 1$ and a prior on $s \ge 0$, $\nu = \tfrac12 - \tfrac14 \int_{\mathbb R} \varphi^3/\Phi^2 "
        r"= 0.2021822015\ldots$"
    ),
    source=cite("register2026", "X1"),
    hypotheses=("The truth is at the boundary of the parameter space, and K is regular there.", "β = 1."),
    expected=Verdict.CONFIRMED,
    derive=derive,
    measure=measure,
    control=control,
    rests_on=("thm:nu_universality",),
    doubts=(
        "Confirmed as mathematics. That the 0.202 of thm:kill_switch_backbone is this number stays a conjecture: its "
        "text is not available, and its measured 0.186 is not this value."
    ),
)
