"""reg:additive: n draws carry n times the information of one, if they are independent."""

from __future__ import annotations

import sympy
from sympy import Expr, Symbol, latex

from ddtheory.values import Citation, Interval, Verdict
from ddtheory.verify import TITLE, Claim, Comparison, Equation, Experiment, Proof

n = Symbol("n", integer=True, positive=True)
sigma = Symbol("sigma", positive=True)


def information(draws: Expr | int, deviation: Expr | float) -> Expr:
    """The formula of the statement: n/σ²."""
    return draws / deviation**2


CLAIM = Claim(
    id="reg:additive",
    title="n draws carry n times the information of one",
    holds="n independent draws carry n times the information of one",
    given=r"Let $y_1, \dots, y_n$ be draws from $N(\mu, \sigma^2)$ with known $\sigma$.",
    clauses={"information": rf"Their Fisher information about $\mu$ is ${latex(information(n, sigma))}$."},
    source=Citation("Fisher 1925", "section 2"),
    hypotheses=("The draws are independent.",),
    titled="Any n draws do.",
    expected=Verdict.NARROWER,
)


def derive() -> Proof:
    mean, y = sympy.symbols("mu y", real=True)
    score = sympy.diff(-((y - mean) ** 2) / (2 * sigma**2), mean)
    of_one = sympy.integrate(
        score.subs(mean, 0) ** 2 * sympy.exp(-(y**2) / (2 * sigma**2)), (y, -sympy.oo, sympy.oo)
    ) / sympy.sqrt(2 * sympy.pi * sigma**2)
    return Proof(
        "Symbolic in n and σ; scores of independent draws are uncorrelated, so that their variances add.",
        (
            Equation(
                "information",
                "n times the variance of the score of one draw",
                n * of_one,
                information(n, sigma),
                {"σ for σ²": n / sigma, "n² for n": n**2 / sigma**2},
            ),
        ),
    )


def _of_gaussian(draws: int, correlation: float, deviation: float) -> float:
    """1ᵀ C⁻¹ 1 for C_ij = σ² ρ^|i−j|, by a solver."""
    import numpy as np

    places = np.arange(draws)
    covariance = deviation**2 * correlation ** np.abs(places[:, None] - places[None, :]).astype(float)
    return float(np.linalg.solve(covariance, np.ones(draws)).sum())


def _check(label: str, predicted: float, found: float, rivals: tuple[float, ...]) -> Comparison:
    error = 1e-11 * abs(predicted)
    return Comparison(label, predicted, Interval.around(found, error), rivals, 3 * error, "rounding of the solver")


def _correlated() -> Comparison:
    """(n − (n − 2) ρ)/(1 + ρ)/σ² for neighbours of correlation ρ."""
    draws, correlation, deviation = 10, 0.5, 2.0
    exact = (draws - (draws - 2) * correlation) / (1 + correlation) / deviation**2
    return _check(
        "ten draws whose neighbours have correlation 1/2",
        exact,
        _of_gaussian(draws, correlation, deviation),
        (float(information(draws, deviation)),),
    )


def measure() -> Experiment:
    checks = [
        _check(
            f"{draws} independent draws of deviation {deviation}",
            float(information(draws, deviation)),
            _of_gaussian(draws, 0.0, deviation),
            (draws / deviation, draws**2 / deviation**2),
        )
        for draws, deviation in ((5, 2.0), (40, 0.5))
    ]
    return Experiment("The information of a Gaussian vector, from its covariance.", {"information": checks})


def control() -> Experiment:
    return Experiment("Correlated draws, which the hypothesis excludes.", {"information": [_correlated()]})


def counterexample() -> Experiment:
    return Experiment("Draws of an autoregression carry less.", {TITLE: [_correlated()]})
