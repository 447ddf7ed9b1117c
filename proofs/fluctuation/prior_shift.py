"""A monomial prior |s|^h acts on λ and ν through a = (h + 1)/k alone."""

from __future__ import annotations

import math
from fractions import Fraction

import sympy
from sympy import Expr, Symbol, latex, symbols

from ddtheory.exact.fluctuation.nu import fluctuation_from_lambda, singular_fluctuation
from ddtheory.references import cite
from ddtheory.values import Verdict
from ddtheory.verify.claim import Check, Claim, Curve, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.fluctuation_checks import (
    averaged_check,
    by_hand,
    drawn_check,
    quadrature_check,
    threshold_check,
)
from ddtheory.workbench.ladder import rate_check

n, k, v, s = symbols("n k v s", positive=True)
h = Symbol("h", nonnegative=True)

_CASES = ((2, Fraction(1)), (2, Fraction(-1, 2)), (3, Fraction(1)), (3, Fraction(2)), (4, Fraction(3)))
_DATASETS = 6000
_LARGE = 1e8


def exponent(order: Expr | int, weight: Expr | Fraction) -> Expr:
    """a of the statement: (h + 1)/k."""
    return (weight + 1) / order


def threshold(order: Expr | int, weight: Expr | Fraction) -> Expr:
    """λ of the statement: (h + 1)/(2k)."""
    return (weight + 1) / (2 * order)


CLAIM = Claim(
    id="rem:prior_shift",
    title="A monomial prior shifts λ to (h + 1)/(2k)",
    given=r"Let the prior along one line of order $k$ be $|s|^h$, $h > -1$, and $v = \sqrt n\, s^k$.",
    clauses={
        "threshold": rf"$\lambda = {latex(threshold(k, h))}$.",
        "density": rf"In $v$ the prior is $|v|^{{a - 1}}$ with $a = {latex(exponent(k, h))}$.",
        "fluctuation": r"$\nu$ depends on $k$ and $h$ through $a$ and the parity of $k$ only.",
    },
    source=cite("shirodkar2026dead", "rem:multi_component_h_i"),
    hypotheses=("One scalar parameter, K of exact order k.", "The prior vanishes, or diverges, at the true value."),
    expected=Verdict.CONFIRMED,
    rests_on=("thm:nu_universality",),
)


def derive() -> Proof:
    line = (v / sympy.sqrt(n)) ** (1 / k)  # s
    density = line**h * sympy.diff(line, v)
    xi = Symbol("xi", real=True)
    j = Symbol("j", integer=True, positive=True)

    def likelihood(power: Expr) -> Expr:
        """n(ȳ u − u²/2) at u = s^power, with ȳ = ξ/√n."""
        feature = line**power
        return n * (xi / sympy.sqrt(n) * feature - feature**2 / 2)

    return Proof(
        "Symbolic in k, h and n.",
        (
            Prose(
                "Substitute s = (v/√n)^{1/k} in |s|^h ds.",
                r"|s|^h ds \propto n^{-(h+1)/(2k)}\, |v|^{(h+1)/k - 1} dv",
            ),
            Equation(
                "threshold",
                "n ∂/∂n of the density of v",
                n * sympy.diff(density, n),
                -threshold(k, h) * density,
                {
                    "h/(2k)": -threshold(k, h - 1) * density,
                    "(h + 1)/k": -exponent(k, h) * density,
                    "a prior positive at 0": (n * sympy.diff(line + 1, n) / (line + 1), -threshold(k, h)),
                },
            ),
            Equation(
                "density",
                "v ∂/∂v of the density of v",
                v * sympy.diff(density, v),
                (exponent(k, h) - 1) * density,
                {
                    "a = h/k": (exponent(k, h - 1) - 1) * density,
                    "without −1": exponent(k, h) * density,
                },
            ),
            Prose("The likelihood has neither k nor h in it once it is written in v."),
            Equation(
                "fluctuation",
                "n(ȳ u − u²/2) at u = s^k",
                likelihood(k),
                xi * v - v**2 / 2,
                {"another order in u": (likelihood(k + 1), xi * v - v**2 / 2)},
            ),
            Prose("The parity of k decides whether −s gives −v or v, so whether v runs over the line or a half-line."),
            Equation(
                "fluctuation", "odd powers at −s", (-s) ** (2 * j + 1), -(s ** (2 * j + 1)), {"even": s ** (2 * j)}
            ),
            Equation("fluctuation", "even powers at −s", (-s) ** (2 * j), s ** (2 * j), {"odd": -(s ** (2 * j))}),
        ),
    )


def measure() -> Experiment:
    import numpy as np

    from ddtheory.workbench.measurements.line_posterior import Line, expected, posterior_moments, simulate

    fluctuations: list[Check] = []
    thresholds: list[Check] = []
    densities: list[Check] = []
    curves: list[Curve] = []
    for order, weight in _CASES:
        exact = float(singular_fluctuation(order, prior_exponent=weight))
        line = Line(order, prior_exponent=float(weight))
        found = simulate(line, 100_000, datasets=_DATASETS, seed=order)
        fluctuations.append(
            drawn_check(
                f"½ E[V_n] at n = 100000, k = {order}, h = {weight}",
                exact,
                found.nu,
                (float(singular_fluctuation(order)),),
                reason=f"{_DATASETS} data sets; the rival is the flat prior",
                width=0.03,
            )
        )
        check, curve = threshold_check(
            f"k = {order}, h = {weight}",
            line,
            Fraction(threshold(order, weight)),
            (Fraction(1, 2 * order), weight / (2 * order)),
        )
        thresholds.append(check)
        curves.append(curve)
        densities.append(
            quadrature_check(
                f"E[v²] at noiseless data, which is a, k = {order}, h = {weight}",
                Fraction(exponent(order, weight)),
                float(_LARGE * posterior_moments(line, _LARGE, np.zeros(1)).second[0]),
                (Fraction(1, order), weight / order),
                reason="quadrature at ȳ = 0, n = 10⁸; the rivals are the flat prior and h/k",
                quantity="a",
            )
        )
    # pairs of one a and one parity, by quadrature over data sets
    for order, power, other, lam, sided in (
        (3, Fraction(2), 1, Fraction(1, 2), "two"),
        (4, Fraction(1), 2, Fraction(1, 4), "one"),
        (5, Fraction(2, 3), 3, Fraction(1, 6), "two"),
    ):
        value = float(fluctuation_from_lambda(lam, "two" if sided == "two" else "one"))
        fluctuations.append(
            averaged_check(
                f"½ E[V_n] at n = 10⁸, k = {order}, h = {power}: ν of k = {other}, h = 0",
                value,
                expected(Line(order, prior_exponent=float(power)), _LARGE),
                (
                    float(singular_fluctuation(order)),
                    float(fluctuation_from_lambda(lam, "one" if sided == "two" else "two")),
                ),
                reason="The rivals are the flat prior, and the same a at the other parity",
            )
        )
    return Experiment(
        "y = s^k + ε with prior |s|^h on [−1, 1], posterior by quadrature.",
        {"threshold": thresholds, "density": densities, "fluctuation": [*fluctuations, *by_hand()]},
        tuple(curves),
    )


def control() -> Experiment:
    import numpy as np

    from ddtheory.workbench.measurements.line_posterior import Line, simulate

    # same a = 2/3, different sides: k = 3, h = 1 on the line against a half-line
    line = singular_fluctuation(3, prior_exponent=1)
    half = fluctuation_from_lambda("1/3", "one")
    found = simulate(Line(3, prior_exponent=1, one_sided=True), 100_000, datasets=_DATASETS, seed=77)

    def beside(radius: float, power: int) -> float:
        """∫ v^power e^{−v²/2} |s − 0.3| ds at v = √n s², 1/n = radius: the zero of the prior is not the truth."""
        x = np.linspace(-5, 5, 4001)  # √v
        return (
            float(np.trapezoid(x ** (2 * power) * np.exp(-(x**4) / 2) * np.abs(x * radius**0.25 - 0.3), x))
            * radius**0.25
        )

    radii = [10.0**-power for power in range(8, 16)]
    whole = 2**0.25 * math.gamma(1 / 4) / 2  # ∫ e^{−x⁴/2} dx
    return Experiment(
        "a alone does not decide: the side does too. And where the prior vanishes beside the true value, at 0.3, the "
        "values are those of a prior that is positive at the truth.",
        {
            "fluctuation": [
                drawn_check(
                    "k = 3, h = 1, s ≥ 0 only", float(half), found.nu, (float(line),), reason=f"{_DATASETS} data sets"
                )
            ],
            "threshold": [
                rate_check(
                    "k = 2, prior |s − 0.3|: exponent of Z in 1/n",
                    Fraction(1, 4),
                    radii,
                    [beside(radius, 0) for radius in radii],
                    rivals=(Fraction(threshold(2, Fraction(1))),),
                    quantity="λ",
                ),
                quadrature_check(
                    "k = 2, prior |s − 0.3|: Z n^{1/4} at noiseless data, n = 10¹⁵",
                    0.3 * whole,
                    beside(radii[-1], 0) / radii[-1] ** 0.25,
                    (whole, whole / 0.3),
                    reason="quadrature; the prior is 0.3 at the truth",
                    quantity="coefficient",
                ),
            ],
            "density": [
                quadrature_check(
                    "k = 2, prior |s − 0.3|: E[v²] at noiseless data, n = 10¹⁵",
                    Fraction(1, 2),
                    beside(radii[-1], 2) / beside(radii[-1], 0),
                    (Fraction(exponent(2, Fraction(1))),),
                    reason="quadrature; the odd part of the prior drops out",
                    quantity="a",
                )
            ],
        },
    )
