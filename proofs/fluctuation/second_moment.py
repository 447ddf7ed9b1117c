"""E[v²] = 2λ + 2ν: what a sampler's mean divergence is worth, on the population and on the data."""

from __future__ import annotations

from fractions import Fraction

import sympy
from sympy import symbols

from ddtheory.exact.fluctuation.nu import singular_fluctuation
from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import Check, Claim, Comparison, Experiment
from ddtheory.verify.older import older_experiment, older_proof, older_statement
from ddtheory.verify.proof import Proof, Prose

_CASES = ((1, Fraction(1)), (2, Fraction(1)), (3, Fraction(1)), (2, Fraction(1, 2)), (3, Fraction(2)))
_DATASETS = 20_000
_SIZE = 100_000


def derive() -> Proof:
    lam, nu, beta, a, m, eta = symbols("lambda nu beta a m eta", positive=True)
    # Stein: E v² = a + ηm with η = √β ξ; Gaussian parts: E_ξ[√β ξ m(√β ξ)] = β E_ξ[m'] = β E_ξ Var = 2βν
    cross = 2 * beta * nu
    second = 2 * lam + cross
    population = second / 2  # nβK = v²/2
    empirical = population - cross  # nβK_n = v²/2 − √β ξ v
    variance = a + m * (eta - m)
    return older_proof(
        steps=(
            Prose("Stein's identity, averaged over the noise.", r"E_\xi E[v^2] = 2\lambda + \sqrt\beta\,E_\xi[\xi m]"),
            Prose(
                "Integration by parts in ξ turns the second term into a variance.",
                r"\sqrt\beta\, E_\xi[\xi\, m(\sqrt\beta\,\xi)] = \beta\, E_\xi \mathrm{Var}(v) = 2\beta\nu",
            ),
            Prose(
                "With nβK = v²/2 and nβK_n = v²/2 − √β ξ v:",
                r"n\beta E[K] \to \lambda + \beta\nu, \qquad n\beta E[K_n] \to \lambda - \beta\nu",
            ),
            Prose("At β = 1 the squared mean averages to 2λ.", r"E_\xi[m^2] = 2\lambda"),
        ),
        residuals={
            "population": population - (lam + beta * nu),
            "empirical": empirical - (lam - beta * nu),
            "half the difference is βν": (population - empirical) / 2 - beta * nu,
            "E[m²] = E[v²] − E[Var] at β = 1": (second - 2 * nu).subs(beta, 1) - 2 * lam,
            "Var = E[v²] − m²": sympy.expand(variance - (a + eta * m - m**2)),
        },
        controls={"population loss without ν": population - lam},
    )


def measure() -> Experiment:
    from ddtheory.workbench.measurements.line_posterior import Line, expected, simulate

    checks: list[Check] = []
    for k, beta in _CASES:
        nu = singular_fluctuation(k, beta=beta, digits=12)
        lam = Fraction(1, 2 * k)
        line = Line(k, beta=float(beta))
        found = simulate(line, _SIZE, datasets=_DATASETS, seed=13 * k)
        for name, reading, sign in (
            ("population", found.population, 1),
            ("empirical", found.empirical, -1),
        ):
            checks.append(
                Comparison(
                    f"nβ E[{'K' if sign > 0 else 'K_n'}] ({name}), k = {k}, β = {beta}",
                    float(lam + sign * beta * nu.midpoint),
                    reading,
                    (lam, float(lam - sign * beta * nu.midpoint)),
                    0.12,
                    f"{_DATASETS} data sets at n = {_SIZE}, 3.3 standard errors; the rivals are λ and the other sign",
                    "λ ± βν",
                )
            )
        average = float(beta) * expected(line, 1e8, lambda moments, _xi: 1e8 * moments.second)
        checks.append(
            Comparison(
                f"E_ξ E[v²], k = {k}, β = {beta}",
                float(2 * lam + 2 * beta * nu.midpoint),
                _near(average),
                (2 * lam, float(2 * lam + 2 * nu.midpoint) if beta != 1 else float(2 * lam + nu.midpoint)),
                1e-4,
                "Gauss–Hermite average over data sets at n = 10⁸; the width covers the bias of order 1/n and the rule",
                "E[v²]",
            )
        )
    return older_experiment("y = s^k + ε with a flat prior, posterior by quadrature.", tuple(checks))


def control() -> Experiment:
    import numpy as np

    from ddtheory.workbench.measurements.line_posterior import Line, posterior_moments

    checks: list[Check] = []
    for k in (2, 3):
        nu = singular_fluctuation(k, digits=12)
        frozen = posterior_moments(Line(k), 1e8, np.zeros(1))
        checks.append(
            Comparison(
                f"E[v²] at noiseless data, k = {k}",
                Fraction(1, k),
                _near(float(1e8 * frozen.second[0])),
                (float(Fraction(1, k) + 2 * nu.midpoint),),
                1e-4,
                "quadrature at ȳ = 0, n = 10⁸",
                "E[v²]",
            )
        )
    return older_experiment("Without noise in the data there is no ν in E[v²]: it is 2λ.", tuple(checks))


def _near(value: float) -> Interval:
    return Interval.around(value, 2e-5)


CLAIM = Claim(
    id="cor:second_moment",
    title="The second moment is 2λ + 2ν",
    clauses=older_statement(
        r"$E_\xi E[v^2] = 2\lambda + 2\beta\nu(\beta)$; equivalently the posterior mean of the divergence is "
        r"$n\beta E[K] \to \lambda + \beta\nu$ on the population and $n\beta E[K_n] \to \lambda - \beta\nu$ on the "
        r"data."
    ),
    source=cite("watanabe2009", "Section 6.3"),
    hypotheses=("One scalar parameter, K of exact order k.",),
    expected=Verdict.CONFIRMED,
    derive=derive,
    measure=measure,
    control=control,
    rests_on=("thm:nu_universality", "thm:tempering"),
    doubts="A sampler on the data estimates λ − βν, not λ; averaged over data sets the two differ by 2βν.",
)
