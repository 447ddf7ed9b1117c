"""Anchor A2: at the boundary of a mixture weight the Fisher determinant vanishes, at rate 2."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Symbol, latex, symbols

from ddtheory import cells
from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import Claim, Comparison, Curve, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.evidence import limit, rate
from ddtheory.workbench.ladder import count_check

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


def coefficient(location: Expr | float) -> Expr:
    """The coefficient of the statement: e^{m²} (e^{m²} − 1 − m²)."""
    square = sympy.sympify(location) ** 2
    return sympy.exp(square) * (sympy.exp(square) - 1 - square)


CLAIM = Claim(
    id="anchor:A2",
    title="Mixture weight boundary",
    given=r"Let $F$ be the $(w, m)$ Fisher matrix of $w N(m, 1) + (1-w) N(0, 1)$.",
    clauses={
        "positive": r"$\det F > 0$ for $0 < w < 1$, $m \ne 0$.",
        "rate": rf"$\det F = w^2\, {latex(coefficient(m))} + O(w^3)$ as $w \to 0^+$.",
    },
    source=cite("shirodkar2026dead", "Anchor A2"),
    hypotheses=("m ≠ 0.", "w approaches the boundary from inside."),
    expected=Verdict.CONFIRMED,
    doubts=(
        "A one-sided degeneracy at a boundary: the order language of dead directions does not apply to w, along which "
        "K is regular. The rate 2 and its coefficient are derived here; the paper's bound gives rate 1."
    ),
)


def derive() -> Proof:
    # likelihood ratio of the components; at w → 0 expectations are under N(0, 1)
    ratio = sympy.exp(m * x - m**2 / 2)
    weight_score, location_score = ratio - 1, (x - m) * ratio  # the second without its factor w
    mixture = sympy.log(1 + w * (ratio - 1))
    scores = sympy.Matrix([sympy.diff(mixture, w), sympy.diff(mixture, m)])
    ww = _gaussian_mean(weight_score**2)
    wm = _gaussian_mean(weight_score * location_score)
    mm = _gaussian_mean(location_score**2)
    grown = sympy.exp(m**2)
    # at any w: the determinant is E[s_w²] times the squared distance of s_m from the line of s_w
    p = symbols("p_1:4", positive=True)
    u, v = symbols("u_1:4", real=True), symbols("v_1:4", real=True)

    def mean(values: Sequence[Expr]) -> Expr:
        return sympy.Add(*[chance * value for chance, value in zip(p, values, strict=True)])

    gram = sympy.Matrix(
        [
            [mean([y * y for y in u]), mean([y * z for y, z in zip(u, v, strict=True)])],
            [mean([y * z for y, z in zip(u, v, strict=True)]), mean([z * z for z in v])],
        ]
    )
    minors = sympy.Add(*[p[i] * p[j] * (u[i] * v[j] - u[j] * v[i]) ** 2 for i, j in ((0, 1), (0, 2), (1, 2))])
    size = Symbol("s", positive=True)
    tail = sympy.exp(size) - 1 - size
    return Proof(
        "Symbolic in m and w; expectations under N(0, 1) by sympy's integrator. That the two scores are not "
        "proportional for 0 < w < 1 is prose.",
        (
            Equation(
                "rate",
                "scores of w and m over 1 + w(r − 1), r the ratio of the components",
                scores * (1 + w * (ratio - 1)),
                sympy.Matrix([weight_score, w * location_score]),
                {"without the factor w": sympy.Matrix([weight_score, location_score])},
            ),
            Equation("rate", "F_ww at w = 0", ww, grown - 1, {"e^{m²}": grown, "2(e^{m²} − 1)": 2 * (grown - 1)}),
            Equation("rate", "F_wm over w", wm, m * grown, {"no cross term": sympy.Integer(0), "−m": -m * grown}),
            Equation("rate", "F_mm over w²", mm, (1 + m**2) * grown, {"without m²": grown}),
            Equation(
                "rate",
                "determinant over w²",
                ww * mm - wm**2,
                coefficient(m),
                {
                    "without the cross term": (ww * mm, coefficient(m)),
                    "e^{m²} − 1 for e^{m²} − 1 − m²": grown * (grown - 1),
                },
            ),
            Equation(
                "positive",
                "the determinant of a Gram matrix is a sum of squares of minors, for a law on three points",
                gram.det(),
                minors,
                {"with a plus": gram[0, 0] * gram[1, 1] + gram[0, 1] ** 2},
            ),
            Prose(
                "It is zero only for proportional scores, and (x − m) r and r − 1 are not for m ≠ 0. The coefficient "
                "is positive as well: e^s − 1 − s has the slope e^s − 1 > 0 and vanishes at 0."
            ),
            Equation(
                "positive",
                "slope of e^s − 1 − s, in e^s = 1 + (e^s − 1)",
                sympy.diff(tail, size) * size,
                (tail + size) * size,
                {"of e^s − 1": (sympy.diff(tail + size, size) * size, (tail + size) * size)},
            ),
        ),
    )


def _determinants(location: float, weights: Sequence[float] = _WEIGHTS) -> list[float]:
    import torch

    from ddtheory.measure import fisher_matrix

    problem = cells.mixture_problem(0.0, location)
    found: list[float] = []
    for weight in weights:
        matrix: Tensor = fisher_matrix(problem, {"w": torch.tensor([weight], dtype=torch.float64)})
        # scale out the factors of w first: the determinant of the scaled matrix loses no digits
        scale = torch.tensor([1.0, 1.0 / weight], dtype=torch.float64)
        found.append(float(torch.linalg.det(scale[:, None] * matrix * scale)) * weight**2)
    return found


def measure() -> Experiment:
    determinants = _determinants(1.0)
    exact = float(coefficient(1))
    scaled = [value / weight**2 for weight, value in zip(_WEIGHTS, determinants, strict=True)]
    return Experiment(
        "w N(1, 1) + (1 − w) N(0, 1) in torch on Gauss–Hermite nodes; the (w, m) Fisher matrix at w = 0.05 · 2^{−n}.",
        {
            "rate": (
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
                    exact,
                    limit(_WEIGHTS, scaled, 1e-9),
                    (exact / 2, 2 * exact, float(sympy.E * (sympy.E - 1) * 2)),
                    0.05,
                    "extrapolated to w = 0; the last rival leaves out the cross term",
                    "coefficient",
                ),
            ),
            "positive": [_least(location) for location in (0.5, 1.0, 2.0)],
        },
        (Curve("det F at m = 1", _WEIGHTS, tuple(determinants), 2.0),),
    )


def _least(location: float) -> Comparison:
    """How many of 18 determinants are above the rounding of theirs, which is 1e-12 of F_ww F_mm."""
    weights = (*_WEIGHTS, 0.25, 0.5, 0.75, 0.95)
    clear = [value > 1e-9 * weight**2 for weight, value in zip(weights, _determinants(location, weights), strict=True)]
    none = [value > 1e-9 * weight**2 for weight, value in zip(weights, _determinants(0.0, weights), strict=True)]
    return count_check(
        f"m = {location}: determinants above 1e-9 w², of {len(weights)} weights from 6e-6 to 0.95",
        len(weights),
        sum(clear),
        rivals=(sum(none),),
        reason="rounding is 1e-12 w²; the rival is the count at m = 0",
    )


def control() -> Experiment:
    determinants = _determinants(0.0)
    largest = max(abs(value) for value in determinants)
    return Experiment(
        "m = 0: the components coincide, the weight is not identified either, and the determinant is 0 at every w.",
        {
            "positive": (
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
            "rate": [_other_component()],
        },
    )


def _other_component() -> Comparison:
    """w and the location of the component that has the weight 1 − w: F_mm tends to 1, and det F to e^{m²} − 1 − m²."""
    import torch

    from ddtheory.measure import fisher_matrix

    values = []
    for weight in _WEIGHTS:
        matrix = fisher_matrix(cells.mixture_problem(0.0, -1.0), {"w": torch.tensor([1 - weight], dtype=torch.float64)})
        values.append(float(torch.linalg.det(matrix)))
    return Comparison(
        "at the other end, w → 1: rate of det F in 1 − w",
        0,
        rate(_WEIGHTS, values),
        (1, 2),
        0.1,
        "local slopes extrapolated to w = 1, where m is regular and w a boundary without degeneracy",
        "rate in 1 − w",
    )
