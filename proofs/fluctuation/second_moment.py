"""E[v²] = 2λ + 2βν: what a sampler's mean divergence is worth, on the population and on the data."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, latex, symbols

from ddtheory.exact.fluctuation.nu import frozen_fluctuation, singular_fluctuation
from ddtheory.references import cite
from ddtheory.values import Verdict
from ddtheory.verify.claim import Check, Claim, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench import fluctuation_forms as forms
from ddtheory.workbench.fluctuation_checks import averaged_check, drawn_check, quadrature_check

if TYPE_CHECKING:
    from ddtheory.workbench.measurements.line_posterior import Floats, Moments

lam, nu, beta, a, n, v = symbols("lambda nu beta a n v", positive=True)
xi, eta = symbols("xi eta", real=True)

_CASES = ((1, Fraction(1)), (2, Fraction(1)), (3, Fraction(1)), (2, Fraction(1, 2)), (3, Fraction(2)))
_DATASETS = 20_000
_SIZE = 100_000
_LARGE = 1e8


def second_moment(threshold: Expr, fluctuation: Expr, temperature: Expr) -> Expr:
    """E_ξ E[v²]: 2λ + 2βν."""
    return 2 * threshold + 2 * temperature * fluctuation


def population(threshold: Expr, fluctuation: Expr, temperature: Expr) -> Expr:
    """The limit of nβ E[K]: λ + βν."""
    return threshold + temperature * fluctuation


def empirical(threshold: Expr, fluctuation: Expr, temperature: Expr) -> Expr:
    """The limit of nβ E[K_n]: λ − βν."""
    return threshold - temperature * fluctuation


def squared_mean(threshold: Expr, fluctuation: Expr, temperature: Expr) -> Expr:
    """E_ξ[(E v)²]: 2λ + 2(β − 1)ν."""
    return 2 * threshold + 2 * (temperature - 1) * fluctuation


CLAIM = Claim(
    id="cor:second_moment",
    title="The second moment is 2λ + 2ν",
    given=(
        r"Let $v = \sqrt{n\beta A}\, s^k$ have the limiting posterior of thm:nu_universality at inverse temperature "
        r"$\beta$, and let $K_n$ be the divergence on the data."
    ),
    clauses={
        "second moment": rf"$E_\xi E[v^2] = {latex(second_moment(lam, nu, beta))}$, with $\nu = \nu(\beta)$.",
        "population": rf"The posterior mean of the divergence is $n\beta E[K] \to {latex(population(lam, nu, beta))}$.",
        "empirical": rf"On the data it is $n\beta E[K_n] \to {latex(empirical(lam, nu, beta))}$.",
        "squared mean": (
            rf"$E_\xi[(E v)^2] = {latex(squared_mean(lam, nu, beta))}$, which is $2\lambda$ at $\beta = 1$."
        ),
    },
    source=cite("watanabe2009", "Section 6.3"),
    hypotheses=("One scalar parameter, K of exact order k.",),
    expected=Verdict.CONFIRMED,
    rests_on=("thm:nu_universality", "thm:tempering"),
    doubts="A sampler on the data estimates λ − βν, not λ; averaged over data sets the two differ by 2βν.",
)


def derive() -> Proof:
    density = v ** (a - 1) * sympy.exp(eta * v - v**2 / 2)
    values = symbols("m_1:7", real=True)
    root = sympy.sqrt(beta) * xi

    def mean(at: Expr) -> Expr:
        return sympy.Add(*[value * at**power for power, value in enumerate(values)])

    def average(value: Expr) -> Expr:
        return forms.gaussian_mean(value, xi)

    variance = sympy.diff(mean(eta), eta).subs(eta, root)  # m' = (log M)''
    fluctuation = average(variance) / 2
    square = a + root * mean(root)  # E v² by Stein's identity
    y, u = symbols("y u", real=True)
    loss = (n * beta * (u**2 / 2 - y * u)).subs({u: v / sympy.sqrt(n * beta), y: xi / sympy.sqrt(n)}, simultaneous=True)
    return Proof(
        "Symbolic in a = 2λ and β, the posterior mean m(η) by its first six coefficients.",
        (
            Prose(
                "Stein's identity: the integral of a derivative vanishes, so E[v²] = a + η m.", r"E[v^2] = a + \eta m"
            ),
            Equation(
                "second moment",
                "the derivative of v times the density",
                sympy.diff(v * density, v),
                (a + eta * v - v**2) * density,
                {"of the density alone": (sympy.diff(density, v), (a + eta * v - v**2) * density)},
            ),
            Prose("Integration by parts in ξ turns E[ξ m] into a variance."),
            Equation(
                "second moment",
                "E_ξ of √β ξ m(√β ξ), and 2βν with ν = ½ E_ξ m'(√β ξ)",
                average(root * mean(root)),
                2 * beta * fluctuation,
                {"2ν": 2 * fluctuation, "βν": beta * fluctuation},
            ),
            Equation(
                "second moment",
                "E_ξ of a + η m at η = √β ξ",
                average(square),
                second_moment(a / 2, fluctuation, beta),
                {"without β": second_moment(a / 2, fluctuation, sympy.Integer(1)), "2λ": a},
            ),
            Prose("The divergence on the population is nβK = v²/2; on the data it has the noise in it."),
            Equation(
                "empirical",
                "nβ K_n of y = u + ε with mean ȳ = ξ/√n, at u = v/√(nβ)",
                loss,
                v**2 / 2 - root * v,
                {"β ξ v": v**2 / 2 - beta * xi * v},
            ),
            Equation(
                "population",
                "E_ξ of v²/2",
                average(square / 2),
                population(a / 2, fluctuation, beta),
                {"λ": a / 2, "λ − βν": empirical(a / 2, fluctuation, beta)},
            ),
            Equation(
                "empirical",
                "E_ξ of v²/2 − √β ξ v",
                average(square / 2 - root * mean(root)),
                empirical(a / 2, fluctuation, beta),
                {"λ": a / 2, "λ + βν": population(a / 2, fluctuation, beta)},
            ),
            Equation(
                "squared mean",
                "E_ξ of E[v²] − Var(v)",
                average(square - variance),
                squared_mean(a / 2, fluctuation, beta),
                {"2λ at every β": a, "2λ + 2βν": second_moment(a / 2, fluctuation, beta)},
            ),
        ),
    )


def measure() -> Experiment:
    from ddtheory.workbench.measurements.line_posterior import Line, expected, simulate

    means: dict[str, list[Check]] = {"second moment": [], "population": [], "empirical": [], "squared mean": []}
    for k, temperature in _CASES:
        value = singular_fluctuation(k, beta=temperature).midpoint
        threshold = Fraction(1, 2 * k)
        name = f"k = {k}, β = {temperature}"
        line = Line(k, beta=float(temperature))
        found = simulate(line, _SIZE, datasets=_DATASETS, seed=k)
        up, down = (float(formula(threshold, value, temperature)) for formula in (population, empirical))
        for clause, what, reading, predicted, rival in (
            ("population", "K", found.population, up, down),
            ("empirical", "K_n", found.empirical, down, up),
        ):
            means[clause].append(
                drawn_check(
                    f"nβ E[{what}] ({clause}), {name}",
                    predicted,
                    reading,
                    (threshold, rival),
                    reason=f"{_DATASETS} data sets at n = {_SIZE}; the rivals are λ and the other sign",
                    quantity="λ ± βν",
                    width=0.12,
                )
            )

        def scaled(moments: Moments, noise: Floats, coupling: float = float(temperature) * _LARGE) -> Floats:
            return coupling * (moments.second / 2 - noise * moments.first / _LARGE**0.5)

        coupling = float(temperature) * _LARGE
        second = coupling * expected(line, _LARGE, lambda moments, _xi: moments.second)
        averages = {
            "second moment": (second, second_moment),
            "population": (second / 2, population),
            "empirical": (expected(line, _LARGE, scaled), empirical),
            "squared mean": (coupling * expected(line, _LARGE, lambda m, _xi: m.second - m.variance), squared_mean),
        }
        plain = float(singular_fluctuation(k).midpoint)
        for clause, (average, formula) in averages.items():
            exact = float(formula(threshold, value, temperature))
            rivals = {
                "without ν": float(formula(threshold, 0, temperature)),
                "2ν": float(formula(threshold, 2 * value, temperature)),
                "ν at β = 1": float(formula(threshold, plain, temperature)),
                "β = 1": float(formula(threshold, value, 1)),
                "β²": float(formula(threshold, value, temperature**2)),
            }
            means[clause].append(
                averaged_check(
                    f"{clause}, mean over data sets at n = 10⁸, {name}",
                    exact,
                    average,
                    tuple(dict.fromkeys(rival for rival in rivals.values() if abs(rival - exact) > 1e-9))
                    or (2 * exact,),
                    reason="Rivals: no ν, twice ν, ν at β = 1, other powers of β",
                    quantity=clause,
                )
            )
    return Experiment(
        "y = s^k + ε with a flat prior, posterior by quadrature; data sets drawn at n = 10⁵, and averaged by "
        "quadrature at n = 10⁸.",
        means,
    )


def control() -> Experiment:
    import numpy as np

    from ddtheory.workbench.measurements.line_posterior import Line, posterior_moments

    checks: dict[str, list[Check]] = {"second moment": [], "population": [], "empirical": [], "squared mean": []}
    for k in (2, 3):
        value = float(singular_fluctuation(k).midpoint)
        threshold = Fraction(1, 2 * k)
        frozen = float(frozen_fluctuation(threshold, "two" if k % 2 else "one").midpoint)
        still = posterior_moments(Line(k), _LARGE, np.zeros(1))
        second, first = float(_LARGE * still.second[0]), float(_LARGE * still.first[0] ** 2)
        for clause, what, predicted, found, rival in (
            ("second moment", "E[v²]", 2 * threshold, second, second_moment(float(threshold), value, 1)),
            ("population", "nβ E[K]", threshold, second / 2, population(float(threshold), value, 1)),
            ("empirical", "nβ E[K_n]", threshold, second / 2, empirical(float(threshold), value, 1)),
            (
                "squared mean",
                "(E v)²",
                float(2 * threshold) - 2 * frozen,
                first,
                squared_mean(float(threshold), value, 1),
            ),
        ):
            checks[clause].append(
                quadrature_check(
                    f"{what} at noiseless data, k = {k}",
                    predicted,
                    found,
                    (float(rival),),
                    reason="quadrature at ȳ = 0, n = 10⁸; the rival is the value of the claim",
                    quantity=clause,
                )
            )
    return Experiment(
        "Without noise in the data there is no ν in E[v²]: it is 2λ, K_n is K, and the squared mean is 2λ less twice "
        "the frozen variance.",
        checks,
    )
