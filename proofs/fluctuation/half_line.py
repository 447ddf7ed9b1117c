"""X1: a regular direction at a boundary of the parameter space has ν = 0.202182…"""

from __future__ import annotations

import math
from fractions import Fraction

import sympy
from sympy import Expr, Rational, Symbol, latex, symbols

from ddtheory.exact.fluctuation.nu import singular_fluctuation
from ddtheory.exact.numbers.enclosing import enclosure, working
from ddtheory.references import cite
from ddtheory.values import Enclosure, Verdict
from ddtheory.verify.claim import Check, Claim, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.fluctuation_checks import averaged_check, by_hand, drawn_check
from ddtheory.workbench.ladder import value_check
from ddtheory.workbench.statement import printed

xi = Symbol("xi", real=True)
rho = Symbol("rho", real=True)

_VALUE = Fraction("0.2021822015")
_LARGE = 1e8


def truncated_mean(noise: Expr | float, ratio: Expr | float) -> Expr | float:
    """The mean of the truncated normal law: ξ + ρ."""
    return noise + ratio


def truncated_variance(noise: Expr | float, ratio: Expr | float) -> Expr | float:
    """Its variance: 1 − ξρ − ρ²."""
    return 1 - noise * ratio - ratio**2


def from_integral(integral: Expr) -> Expr:
    """ν of the statement: ½ − ¼ ∫ φ³/Φ²."""
    return Rational(1, 2) - integral / 4


_INTEGRAL = Symbol(r"\int_{\mathbb R} \varphi^3/\Phi^2")


CLAIM = Claim(
    id="register:X1",
    title="The constant 0.202 of a one-sided regular line",
    given=(
        r"Let $k = 1$ and let the prior hold $s \ge 0$ only; $\varphi$ and $\Phi$ are the density and the distribution "
        r"function of $N(0, 1)$, and $\rho = \varphi(\xi)/\Phi(\xi)$."
    ),
    clauses={
        "truncated law": (
            rf"The limiting posterior at the noise $\xi$ has the mean ${latex(truncated_mean(xi, rho))}$ and the "
            rf"variance ${latex(truncated_variance(xi, rho))}$."
        ),
        "integral": rf"$\nu = {printed(from_integral(_INTEGRAL))}$.",
        "value": rf"$\nu = {float(_VALUE):.10f}\ldots$",
        "no mark of a boundary": r"$k = 2$ with the prior $|s|$ on both sides has the same $\nu$.",
    },
    source=cite("register2026", "X1"),
    hypotheses=("The truth is at the boundary of the parameter space, and K is regular there.", "β = 1."),
    expected=Verdict.CONFIRMED,
    rests_on=("thm:nu_universality",),
    doubts=(
        "Confirmed as mathematics. That the 0.202 of thm:kill_switch_backbone is this number stays a conjecture: its "
        "text is not available, and its measured 0.186 is not this value."
    ),
)


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
    v = Symbol("v", positive=True)
    density = sympy.exp(-(xi**2) / 2) / sympy.sqrt(2 * sympy.pi)
    distribution = (1 + sympy.erf(xi / sympy.sqrt(2))) / 2
    ratio = density / distribution
    half_line = sympy.integrate(sympy.exp(xi * v - v**2 / 2), (v, 0, sympy.oo)).rewrite(sympy.erf)
    line = sympy.expand(sympy.integrate(sympy.exp(xi * v - v**2 / 2), (v, -sympy.oo, sympy.oo)))
    mean = truncated_mean(xi, ratio)
    # E[ξρ] = E[ρ'] = −E[ξρ] − E[ρ²]; E Var = 1 − E[ξρ] − E[ρ²]
    cross, square = symbols("c q", real=True)
    solved = sympy.solve(sympy.Eq(cross, -cross - square), cross)[0]
    exact = _rational(singular_fluctuation(1, sided="one"))
    mills = _rational(_mills_integral(30))
    line_of_two = sympy.sqrt(v)  # s at k = 2, where v = s²

    def digits(value: Expr, count: int) -> Expr:
        return sympy.floor(value * 10**count)

    return Proof(
        "Symbolic in ξ; the integral and the formula of thm:nu_universality by ball arithmetic to 28 digits.",
        (
            Prose("On the half-line with a = 1 the posterior is a truncated normal law."),
            Equation(
                "truncated law",
                "the derivative in ξ of log ∫_0^∞ e^{ξv − v²/2} dv",
                sympy.diff(half_line, xi) / half_line,
                mean,
                {
                    "ξ − ρ": truncated_mean(xi, -ratio),
                    "over the whole line": (sympy.diff(line, xi) / line, mean),
                },
            ),
            Equation(
                "truncated law",
                "the derivative of the mean",
                sympy.diff(mean, xi),
                truncated_variance(xi, ratio),
                {"1 + ξρ − ρ²": truncated_variance(-xi, ratio), "without ρ²": 1 - xi * ratio},
            ),
            Prose(
                "Gaussian integration by parts: the integral of the derivative of φρ vanishes, so 2E[ξρ] = −E[ρ²].",
                r"E[\xi\rho] = -\tfrac12 E[\rho^2] = -\tfrac12 \int \varphi^3/\Phi^2",
            ),
            Equation(
                "integral",
                "the derivative of φρ",
                sympy.diff(density * ratio, xi),
                -2 * xi * density * ratio - density * ratio**2,
                {"of ρ": (sympy.diff(ratio, xi), -2 * xi * density * ratio - density * ratio**2)},
            ),
            Equation(
                "integral",
                "½ E Var from E[ξρ] = c and E[ρ²] = q",
                (1 - solved - square) / 2,
                from_integral(square),
                {"½ − ½ q": Rational(1, 2) - square / 2, "c = −q": Rational(1, 2)},
            ),
            Equation(
                "integral",
                "28 digits of the general formula, and of ½ − ¼ ∫ φ³/Φ²",
                digits(exact, 28),
                digits(from_integral(mills), 28),
                {"½ − ½ ∫ φ³/Φ²": digits(Rational(1, 2) - mills / 2, 28)},
            ),
            Equation(
                "value",
                "ten digits of the enclosure",
                digits(exact, 10),
                digits(Rational(_VALUE), 10),
                {"0.186 in place of 0.202": digits(Rational("0.186"), 10)},
            ),
            Prose("At k = 2 v = s² holds v ≥ 0 only, and |s| ds is flat in v: the same law."),
            Equation(
                "no mark of a boundary",
                "|s| ds/dv at s = √v",
                line_of_two * sympy.diff(line_of_two, v),
                Rational(1, 2),
                {"flat prior": (sympy.diff(line_of_two, v), Rational(1, 2))},
            ),
        ),
    )


def _rational(value: Enclosure) -> Rational:
    return Rational(value.midpoint)


def _ratio(noise: float) -> float:
    """φ/Φ."""
    return math.exp(-(noise**2) / 2) / (2 * math.pi) ** 0.5 / ((1 + math.erf(noise / 2**0.5)) / 2)


def _moments(order: int, noise: float, *, one_sided: bool = False, weight: float = 0.0) -> tuple[float, float]:
    """Mean and variance of v at the noise ξ, n = 10⁸."""
    import numpy as np

    from ddtheory.workbench.measurements.line_posterior import Line, posterior_moments

    line = Line(order, one_sided=one_sided, prior_exponent=weight)
    found = posterior_moments(line, _LARGE, np.array([noise]) / _LARGE**0.5)
    return float(_LARGE**0.5 * found.first[0]), float(_LARGE * found.variance[0])


def _averaged(label: str, found: float, predicted: Fraction | float, rivals: tuple[Fraction | float, ...]) -> Check:
    return averaged_check(label, predicted, found, rivals)


def measure() -> Experiment:
    import numpy as np

    from ddtheory.workbench.measurements.line_posterior import Line, expected, simulate

    found = simulate(Line(1, one_sided=True), 100_000, datasets=20_000, seed=1)
    squared = simulate(Line(2, prior_exponent=1), 100_000, datasets=20_000, seed=3)
    average = expected(Line(1, one_sided=True), _LARGE)
    grid = np.linspace(-12, 12, 24_001)
    ratios = np.array([_ratio(float(point)) for point in grid[grid > -8]])
    # below −8 ρ is −ξ up to 2 %, where φ holds less than 1e-14
    integral = float(np.trapezoid(np.exp(-(grid[grid > -8] ** 2) / 2) / (2 * np.pi) ** 0.5 * ratios**2, dx=0.001))
    laws: list[Check] = []
    for noise in (-1.0, 0.5, 2.0):
        mean, variance = _moments(1, noise, one_sided=True)
        ratio = _ratio(noise)
        laws += [
            value_check(
                f"mean of v at ξ = {noise:g}",
                float(truncated_mean(noise, ratio)),
                mean,
                rivals=(noise, noise - ratio),
                error=1e-5,
                reason="quadrature in s at n = 10⁸; φ/Φ by the error function",
                quantity="mean",
            ),
            value_check(
                f"variance of v at ξ = {noise:g}",
                float(truncated_variance(noise, ratio)),
                variance,
                rivals=(1, 1 - noise * ratio, 1 + noise * ratio - ratio**2),
                error=1e-5,
                reason="quadrature in s at n = 10⁸; φ/Φ by the error function",
                quantity="variance",
            ),
        ]
    return Experiment(
        "y = s + ε with a flat prior on [0, 1] and the truth at the boundary, and y = s² + ε with prior |s| on [−1, "
        "1]; posterior by quadrature.",
        {
            "truncated law": laws,
            "integral": [
                _averaged(
                    "½ E[V_n] at n = 10⁸, against ½ − ¼ ∫ φ³/Φ² by the trapezoidal rule",
                    average,
                    0.5 - integral / 4,
                    (0.5 - integral / 2, 0.5, 0.5 + integral / 4),
                )
            ],
            "value": [
                drawn_check(
                    "½ E[V_n] at n = 100000",
                    _VALUE,
                    found.nu,
                    (0.5, 0.186, 0.25),
                    reason=(
                        "20000 data sets; the rivals are the interior value, the register's second number and half the "
                        "interior value"
                    ),
                    width=0.01,
                ),
                _averaged("½ E[V_n] at n = 10⁸", average, _VALUE, (Fraction(1, 2), 0.186, Fraction("0.2022"))),
                *by_hand(),
            ],
            "no mark of a boundary": [
                drawn_check(
                    "prior |s| on [−1, 1], k = 2: ½ E[V_n] at n = 100000",
                    _VALUE,
                    squared.nu,
                    (float(singular_fluctuation(2)), 0.186),
                    reason="20000 data sets; the rivals are the flat prior, and the register's second number",
                    width=0.012,
                ),
                _averaged(
                    "prior |s| on [−1, 1], k = 2: ½ E[V_n] at n = 10⁸",
                    expected(Line(2, prior_exponent=1), _LARGE),
                    _VALUE,
                    (float(singular_fluctuation(2)),),
                ),
            ],
        },
    )


def control() -> Experiment:
    from ddtheory.workbench.measurements.line_posterior import Line, expected, simulate

    inside = simulate(Line(1), 100_000, datasets=4000, seed=2)
    mean, variance = _moments(1, 0.5)
    ratio = _ratio(0.5)
    return Experiment(
        "The truth inside gives ½: the posterior is normal, not truncated. And k = 2 with a flat prior is another law.",
        {
            "truncated law": [
                value_check(
                    f"flat prior on [−1, 1], k = 1: {what} of v at ξ = 1/2",
                    predicted,
                    value,
                    rivals=(float(rival),),
                    error=1e-5,
                    reason="quadrature in s at n = 10⁸; the rival is that of the truncated law",
                    quantity=what,
                )
                for what, predicted, value, rival in (
                    ("mean", Fraction(1, 2), mean, truncated_mean(0.5, ratio)),
                    ("variance", 1, variance, truncated_variance(0.5, ratio)),
                )
            ],
            "integral": [
                _averaged(
                    "flat prior on [−1, 1], k = 1: ½ E[V_n] at n = 10⁸",
                    expected(Line(1), _LARGE),
                    Fraction(1, 2),
                    (_VALUE,),
                )
            ],
            "value": [
                drawn_check(
                    "flat prior on [−1, 1], k = 1", Fraction(1, 2), inside.nu, (_VALUE,), reason="4000 data sets"
                )
            ],
            "no mark of a boundary": [
                _averaged(
                    "flat prior on [−1, 1], k = 2: ½ E[V_n] at n = 10⁸",
                    expected(Line(2), _LARGE),
                    Fraction("0.1729732674"),
                    (_VALUE,),
                )
            ],
        },
    )
