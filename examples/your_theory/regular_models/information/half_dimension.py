"""reg:half_dimension: at a regular point the volume of {K < ε} falls like ε^{d/2}."""

from __future__ import annotations

import math
from collections.abc import Callable

import sympy
from sympy import Expr, Symbol, latex

from ddtheory.values import Citation, Interval, Verdict
from ddtheory.verify import Claim, Comparison, Equation, Experiment, Proof

d = Symbol("d", integer=True, positive=True)
eps = Symbol("epsilon", positive=True)

_SIDE = 800
_LEVELS = (0.02, 0.32)


def rate(dimension: Expr | int) -> Expr:
    """The formula of the statement: d/2."""
    return sympy.sympify(dimension) / 2


CLAIM = Claim(
    id="reg:half_dimension",
    title="The learning coefficient of a regular model is half its dimension",
    given=r"Let $K = |w|^2$ near $0$ in $d$ coordinates.",
    clauses={
        "rate": rf"The volume of $\{{K < \varepsilon\}}$ is $c\,\varepsilon^\lambda$ with $\lambda = {latex(rate(d))}$."
    },
    source=Citation("Watanabe 2009", "chapter 6"),
    hypotheses=("The Fisher information at 0 is positive definite: every direction has order 1.",),
    rests_on=("thm:fisher_decay",),
    expected=Verdict.CONFIRMED,
)


def derive() -> Proof:
    """The volume of a ball of radius √ε, by its formula."""
    ball = sympy.pi ** (d / 2) / sympy.gamma(d / 2 + 1) * sympy.sqrt(eps) ** d
    slope = eps * sympy.diff(sympy.log(ball), eps)
    rivals = {"d for d/2": d, "one coordinate too many": rate(d + 1)}
    return Proof("Symbolic in d.", (Equation("rate", "log-slope of the volume of a ball", slope, rate(d), rivals),))


def _slope(value: Callable[[float, float], float]) -> float:
    """Log-slope of the share of a grid on [−1, 1]² where K < ε, between two levels."""
    points = [(2 * i + 1) / _SIDE - 1 for i in range(_SIDE)]
    values = [value(x, y) for x in points for y in points]
    low, high = (sum(found < level for found in values) for level in _LEVELS)
    return math.log(high / low) / math.log(_LEVELS[1] / _LEVELS[0])


def measure() -> Experiment:
    check = Comparison(
        "log-slope for d = 2",
        1,
        Interval.around(_slope(lambda x, y: x * x + y * y), 0.005),
        (2, 1.5, 0.5),
        0.02,
        "the cells that the circle cuts, 1 % of the smaller disc",
    )
    return Experiment(f"A grid of {_SIDE}² points on the square.", {"rate": [check]})


def control() -> Experiment:
    """w₁² + w₂⁴ has one direction of order 2: 1/2 + 1/4."""
    check = Comparison(
        "log-slope for w₁² + w₂⁴",
        0.75,
        Interval.around(_slope(lambda x, y: x * x + y**4), 0.01),
        (1,),
        0.03,
        "the cells that the curve cuts",
    )
    return Experiment("A direction whose information vanishes, which the hypothesis excludes.", {"rate": [check]})
