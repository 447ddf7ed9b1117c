"""Anchor A2: at the boundary of a mixture weight the Fisher determinant vanishes, at rate 2."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Symbol, symbols

from ddtheory import cells
from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import Claim, Comparison, Curve, Experiment, Observation
from ddtheory.verify.older import older_experiment, older_proof, older_statement
from ddtheory.verify.proof import Proof, Prose
from ddtheory.workbench.evidence import limit, rate

if TYPE_CHECKING:
    from torch import Tensor

w = Symbol("w", positive=True)
m, x = symbols("m x", real=True)

_WEIGHTS = tuple(0.05 * 2.0**-n for n in range(14))


def _gaussian_mean(polynomial_times_exponential: Expr) -> Expr:
    """E over x ~ N(0, 1), by sympy's integrator."""
    density = sympy.exp(-(x**2) / 2) / sympy.sqrt(2 * sympy.pi)
    return sympy.simplify(
        sympy.integrate(sympy.expand(polynomial_times_exponential * density), (x, -sympy.oo, sympy.oo))
    )


def derive() -> Proof:
    # likelihood ratio of the components; at w → 0 expectations are under N(0, 1)
    ratio = sympy.exp(m * x - m**2 / 2)
    weight_score, location_score = ratio - 1, (x - m) * ratio  # the second without its factor w
    ww = _gaussian_mean(weight_score**2)
    wm = _gaussian_mean(weight_score * location_score)
    mm = _gaussian_mean(location_score**2)
    coefficient = ww * mm - wm**2
    closed = sympy.exp(m**2) * (sympy.exp(m**2) - 1 - m**2)
    return older_proof(
        steps=(
            Prose(
                "The score of w is r − 1 and that of m is w (x − m) r, both over 1 + w(r − 1); r is the ratio "
                "of the components.",
                r"F_{ww} \to e^{m^2} - 1,\quad F_{wm} \sim w\, m e^{m^2},\quad F_{mm} \sim w^2 (1 + m^2) e^{m^2}",
            ),
            Prose(
                "So the determinant vanishes like w², not only like w; its coefficient is positive for m ≠ 0 "
                "because e^s > 1 + s.",
                r"\det F = w^2\, e^{m^2} (e^{m^2} - 1 - m^2) + O(w^3)",
            ),
        ),
        residuals={
            "F_ww": ww - (sympy.exp(m**2) - 1),
            "F_wm / w": wm - m * sympy.exp(m**2),
            "F_mm / w²": mm - (1 + m**2) * sympy.exp(m**2),
            "det F / w²": coefficient - closed,
        },
        controls={"det F / w² without the cross term": ww * mm - closed},
    )


def _determinants(location: float) -> list[float]:
    import torch

    from ddtheory.measure import fisher_matrix

    problem = cells.mixture_problem(0.0, location)
    found: list[float] = []
    for weight in _WEIGHTS:
        matrix: Tensor = fisher_matrix(problem, {"w": torch.tensor([weight], dtype=torch.float64)})
        # scale out the factors of w first: the determinant of the scaled matrix loses no digits
        scale = torch.tensor([1.0, 1.0 / weight], dtype=torch.float64)
        found.append(float(torch.linalg.det(scale[:, None] * matrix * scale)) * weight**2)
    return found


def measure() -> Experiment:
    determinants = _determinants(1.0)
    coefficient = float(sympy.E * (sympy.E - 2))
    scaled = [value / weight**2 for weight, value in zip(_WEIGHTS, determinants, strict=True)]
    return older_experiment(
        "w N(1, 1) + (1 − w) N(0, 1) in torch on Gauss–Hermite nodes; the (w, m) Fisher matrix at w = 0.05 · 2^{−n}.",
        (
            Comparison(
                "rate of det F in w",
                2,
                rate(_WEIGHTS, determinants),
                (1, 3),
                0.1,
                "local slopes extrapolated to w = 0; the printed bound w(AB + C²) shows rate 1 only",
                "rate in w",
            ),
            Comparison(
                "det F / w² → e(e − 2)",
                coefficient,
                limit(_WEIGHTS, scaled, 1e-9),
                (coefficient / 2, 2 * coefficient, float(sympy.E * (sympy.E - 1) * 2)),
                0.05,
                "extrapolated to w = 0; the last rival leaves out the cross term",
                "coefficient",
            ),
            Observation(
                "det F > 0 inside",
                "positive at every w",
                "positive at every w" if min(determinants) > 0 else "not positive",
                "the statement for 0 < w < 1, m ≠ 0",
            ),
        ),
        (Curve("det F at m = 1", _WEIGHTS, tuple(determinants), 2.0),),
    )


def control() -> Experiment:
    determinants = _determinants(0.0)
    largest = max(abs(value) for value in determinants)
    return older_experiment(
        "m = 0: the components coincide, the weight is not identified either, and the determinant is 0 at every w.",
        (
            Comparison(
                "largest det F over all w at m = 0",
                0,
                Interval(largest, 0.0, largest),
                (float(sympy.E * (sympy.E - 2)) * min(_WEIGHTS) ** 2,),
                1e-12,
                "rounding of the quadrature; the rival is the smallest determinant at m = 1",
                "determinant",
            ),
        ),
    )


CLAIM = Claim(
    id="anchor:A2",
    title="Mixture weight boundary",
    clauses=older_statement(
        r"For $w N(m, 1) + (1-w) N(0, 1)$ the determinant of the $(w, m)$ Fisher matrix is positive for $0 < w < 1$, "
        r"$m \ne 0$, and tends to $0$ as $w \to 0^+$; sharper, $\det F = w^2 e^{m^2}(e^{m^2} - 1 - m^2) + O(w^3)$."
    ),
    source=cite("shirodkar2026dead", "Anchor A2"),
    hypotheses=("m ≠ 0.", "w approaches the boundary from inside."),
    expected=Verdict.CONFIRMED,
    derive=derive,
    measure=measure,
    control=control,
    doubts=(
        "A one-sided degeneracy at a boundary: the order language of dead directions does not apply to w, "
        "along which K "
        "is regular. The rate 2 and its coefficient are derived here; the paper's bound gives rate 1."
    ),
)
