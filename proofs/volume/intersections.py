"""The algebra of intersections: sums, crossings and unions of blocks that share no variable."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Matrix, Symbol, gamma, latex, log, symbols

from ddtheory.exact.thresholds.intersection import separable_sum, transversal_crossing, union
from ddtheory.references import cite
from ddtheory.values import RLCT, Verdict
from ddtheory.verify.claim import Check, Claim, Comparison, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.certified import pair_row
from ddtheory.workbench.statement import printed
from ddtheory.workbench.thresholds import pair_checks

if TYPE_CHECKING:
    from ddtheory.measure.sublevel import Floats

n, z, first, second = symbols("n z lambda_1 lambda_2", positive=True)
m1, m2, gap = symbols("m_1 m_2 g", integer=True, positive=True)

_SAMPLES = 1_500_000


def tie_constant(first_m: Expr | int, second_m: Expr | int, lam: Expr) -> Expr:
    """C/(C_1 C_2) of the statement for two blocks with the same λ: (m_1 − 1)! (m_2 − 1)!/((m_1 + m_2 − 1)! Γ(λ))."""
    top = sympy.factorial(first_m - 1) * sympy.factorial(second_m - 1)
    return top / (sympy.factorial(first_m + second_m - 1) * gamma(lam))


def summed(first_lam: Expr, second_lam: Expr, first_m: Expr, second_m: Expr) -> tuple[Expr, Expr]:
    """The pair of K_1 + K_2: (λ_1 + λ_2, m_1 + m_2 − 1)."""
    return first_lam + second_lam, first_m + second_m - 1


_SUMMED = ",\\ ".join(map(printed, summed(first, second, m1, m2)))


CLAIM = Claim(
    id="rem:intersections",
    title="Sums, crossings and unions of disjoint blocks",
    given=r"Let $K_1$ and $K_2$ share no variable, with pairs $(\lambda_i, m_i)$ and constants $C_i$.",
    clauses={
        "sum": rf"$K_1 + K_2$ has $({_SUMMED})$.",
        "crossing": r"$K_1 K_2$ has $(\min \lambda_i,\ \sum_{\lambda_i = \min} m_i)$.",
        "constant": rf"At a tie $C = {latex(tie_constant(m1, m2, Symbol('lambda')))}\, C_1 C_2$.",
        "union": (
            r"A neighbourhood covered by charts has the dominating pair, at equal $\lambda$ the larger $m$ and never "
            r"the sum."
        ),
    },
    source=cite("lin2011", "Propositions 4.5 and 5.2"),
    hypotheses=("The blocks share no variable, and the prior is a product.", "K_i ≥ 0."),
    expected=Verdict.CONFIRMED,
    rests_on=("thm:multi_component_rates",),
    doubts="With a common factor all three fail, as the control shows; the Newton polyhedron decides there.",
)


def derive() -> Proof:
    lam, c1, c2, d1, d2 = symbols("lambda C_1 C_2 d_1 d_2", positive=True)
    distance = Symbol("delta", positive=True)

    def exponent(evidence: Expr) -> Expr:
        """−d log Z/d log n, which is λ − (m − 1)/log n for Z = n^{−λ} (log n)^{m−1}."""
        return -n * sympy.diff(sympy.expand_log(sympy.log(evidence)), n)

    def evidence(order: Expr, multiplicity: Expr) -> Expr:
        return n**-order * log(n) ** (multiplicity - 1)

    def zeta(order: Expr, multiplicity: Expr) -> Expr:
        return (z + order) ** -multiplicity

    # Z(n) ~ C n^{−λ} (log n)^{m−1} with C = Γ(λ) d/(m − 1)!, d the leading Laurent coefficient up to sign
    total = gamma(lam) * d1 * d2 / sympy.factorial(m1 + m2 - 1)
    parts = {d1: c1 * sympy.factorial(m1 - 1) / gamma(lam), d2: c2 * sympy.factorial(m2 - 1) / gamma(lam)}
    # charts: zeta functions add; the pole of higher order at the same place stays, with its own coefficient
    added = d1 * zeta(lam, m2 + gap) + d2 * zeta(lam, m2)
    rules = {
        "sum": (
            separable_sum(RLCT(Fraction(1, 2), 2), RLCT(Fraction(1, 4), 3)),
            RLCT(Fraction(3, 4), 4),
            RLCT(Fraction(3, 4), 5),
        ),
        "crossing": (
            transversal_crossing(RLCT(Fraction(1, 2), 2), RLCT(Fraction(1, 2), 3), RLCT(Fraction(1), 4)),
            RLCT(Fraction(1, 2), 5),
            RLCT(Fraction(1, 2), 9),
        ),
        "union": (
            union(RLCT(Fraction(1, 2), 2), RLCT(Fraction(1, 2), 3), RLCT(Fraction(1), 4)),
            RLCT(Fraction(1, 2), 3),
            RLCT(Fraction(1, 2), 5),
        ),
    }
    return Proof(
        "Symbolic in λ_i, m_i and n; the rules of the package on one triple of pairs each.",
        (
            Prose("K_1 + K_2: evidences multiply.", r"Z = Z_1 Z_2"),
            Equation(
                "sum",
                "exponent of the product of two evidences, and of one with the pair of the statement",
                exponent(evidence(first, m1) * evidence(second, m2)),
                exponent(evidence(*summed(first, second, m1, m2))),
                {
                    "m_1 + m_2": exponent(evidence(first + second, m1 + m2)),
                    "min λ": exponent(evidence(first, m1 + m2 - 1)),
                },
            ),
            Prose("K_1 K_2: zeta functions multiply.", r"\zeta = \zeta_1 \zeta_2"),
            Equation(
                "crossing",
                "poles at one place add their orders",
                zeta(lam, m1) * zeta(lam, m2),
                zeta(lam, m1 + m2),
                {"λ_1 + λ_2": zeta(2 * lam, m1 + m2), "the larger order": zeta(lam, m1)},
            ),
            Equation(
                "crossing",
                "poles at two places: at the first one the other factor is a number",
                (zeta(first, m1) * zeta(first + distance, m2) * (z + first) ** m1).subs(z, -first),
                distance**-m2,
                {"δ^{−m_1}": distance**-m1},
            ),
            Equation(
                "constant",
                "C = Γ(λ) d/(m − 1)! with the product of the leading Laurent coefficients",
                total.subs(parts),
                tie_constant(m1, m2, lam) * c1 * c2,
                {
                    "C_1 C_2": c1 * c2,
                    "without Γ(λ)": tie_constant(m1, m2, lam) * gamma(lam) * c1 * c2,
                    "at m_1 = 1, m_2 = 2, one factorial less": (
                        total.subs(parts).subs({m1: 1, m2: 2}),
                        (tie_constant(m1, m2, lam) * (m1 + m2 - 1) * c1 * c2).subs({m1: 1, m2: 2}),
                    ),
                },
            ),
            Prose("Charts: zeta functions add, so the dominating pole stays and its order does not grow."),
            Equation(
                "union",
                "coefficient at the pole of higher order",
                sympy.expand(added * (z + lam) ** (m2 + gap)).subs(z, -lam),
                d1,
                {"the sum of the coefficients": d1 + d2},
            ),
            *(
                Equation(
                    name,
                    "the rule of the package: (λ, m) of three blocks, or of two",
                    Matrix(pair_row(found)),
                    Matrix(pair_row(expected)),
                    {"another m": Matrix(pair_row(other))},
                )
                for name, (found, expected, other) in rules.items()
            ),
        ),
    )


def _tied(count: int, delta: float) -> float:
    return delta * sum((-math.log(delta)) ** j / math.factorial(j) for j in range(count))


def _two_corners(depth: float) -> float:
    """−d log V/dℓ of x²(1 − x)²y² on the unit square: V = 2x_0 + 2δ log((1 − x_0)/x_0), x_0(1 − x_0) = δ = e^{−ℓ/2}."""
    delta = math.exp(-depth / 2)
    edge = 2 * delta / (1 + math.sqrt(1 - 4 * delta))
    span = 2 * math.log((1 - edge) / edge)  # −dV/dℓ = δ·span/2: the edge itself moves nothing
    return delta * span / 2 / (2 * edge + delta * span)


def measure() -> Experiment:
    from ddtheory.measure.sublevel import (
        DEPTHS,
        crossing_evidence_exponents,
        crossing_exponents,
        sampled_volume,
        threshold,
    )

    added: list[Check] = []
    half = Fraction(1, 2)
    # rates (h + 1)/p of the blocks of each sum
    sums: tuple[tuple[str, tuple[tuple[Fraction, ...], ...]], ...] = (
        ("(ab)² + (cd)²", ((half, half), (half, half))),
        ("(abc)² + x⁴", ((half,) * 3, (half / 2,))),
        ("(ab)² + (cde)⁴ + x⁶y²", ((half, half), (half / 2,) * 3, (Fraction(1, 6), half))),
    )
    for name, blocks in sums:
        pairs = [RLCT(min(rates), rates.count(min(rates))) for rates in blocks]
        exponents = [crossing_evidence_exponents([float(rate) for rate in rates]) for rates in blocks]
        together = [sum(parts) for parts in zip(*exponents, strict=True)]
        added += pair_checks(
            name,
            separable_sum(*pairs),
            threshold(DEPTHS, together),
            "Z(n) of each block by quadrature",
            rivals=(min(pair.lam for pair in pairs), max(pair.lam for pair in pairs)),
            rival_m=(sum(pair.m for pair in pairs),),
        )
    # equal rates from different powers and priors, beside one that is larger
    crossed = pair_checks(
        "x²·y⁶·z² with prior y² z",
        transversal_crossing(RLCT(half), RLCT(half), RLCT(Fraction(1))),
        threshold(DEPTHS, crossing_exponents([0.5, 0.5, 1.0])),
        "first passage",
        rivals=(Fraction(2), Fraction(1)),
    )
    joined = pair_checks(
        "x²(1 − x)²y², two corners",
        union(RLCT(half, 2), RLCT(half, 2)),
        threshold(DEPTHS[:5], [_two_corners(depth) for depth in DEPTHS[:5]]),  # e^{−ℓ/2} underflows below
        "the area by hand",
        rivals=(Fraction(1, 4), Fraction(1)),
        rival_m=(4,),
    )
    # a crossing of blocks: x⁴ + y⁴ has λ = 1/2, and so has z²
    area = math.gamma(1.25) ** 2 / math.gamma(1.5)
    delta = 0.05

    def inside(w: Floats) -> Floats:
        block = w[0] ** 4 + w[1] ** 4
        return (block < 1) & (block * w[2] ** 2 < delta**2)

    constant = Comparison(
        "V of (x⁴ + y⁴) z², ε = 0.0025, on {x⁴ + y⁴ < 1}",
        area * _tied(2, delta),
        sampled_volume(inside, [(0.0, 1.0)] * 3, samples=_SAMPLES, seed=4),
        (area * _tied(1, delta), area * _tied(3, delta), _tied(2, delta)),
        0.004,
        f"{_SAMPLES} uniform draws, 3.3 standard errors; the rivals have no tie, one more, and the wrong area",
        "volume",
    )
    return Experiment(
        "Evidences of blocks by quadrature, volumes of crossings by the first passage of a chain, an area by hand, and "
        "draws: none of them knows a rule.",
        {"sum": added, "crossing": crossed, "constant": (constant,), "union": joined},
    )


def control() -> Experiment:
    from ddtheory.measure.sublevel import DEPTHS, planar_exponents, sampled_volume, threshold

    how = "one integral over log x"
    half = Fraction(1, 2)
    return Experiment(
        "Blocks that share a variable: x²(x² + y²)² would be a tie of two blocks with 1/2 if they were disjoint, and "
        "x²(x² + y²) no tie at all; x²y² + x⁴y² would be a sum. And two blocks with different λ have no tie.",
        {
            "crossing": (
                *pair_checks(
                    "x²(x² + y²)²",
                    RLCT(Fraction(1, 3)),
                    threshold(DEPTHS, planar_exponents([(6, 0), (2, 4)])),
                    how,
                    rivals=(half,),
                ),
                *pair_checks(
                    "x²(x² + y²)",
                    RLCT(half, 2),
                    threshold(DEPTHS, planar_exponents([(4, 0), (2, 2)])),
                    how,
                    rivals=(Fraction(1), Fraction(3, 2)),
                ),
            ),
            "sum": pair_checks(
                "x²y² + x⁴y²",
                RLCT(half, 2),
                threshold(DEPTHS, planar_exponents([(2, 2), (4, 2)])),
                how,
                rivals=(Fraction(3, 4), Fraction(1)),
            ),
            "constant": [
                Comparison(
                    "V of x² z⁴, ε = 0.0025, on the unit square: λ = 1/2 and 1/4, no tie",
                    2 * math.sqrt(0.05) - 0.05,
                    sampled_volume(lambda w: w[0] * w[1] ** 2 < 0.05, [(0.0, 1.0)] * 2, samples=_SAMPLES, seed=6),
                    (_tied(2, 0.05), 2 * math.sqrt(0.05)),
                    0.004,
                    f"{_SAMPLES} uniform draws, 3.3 standard errors; by hand. The rivals are the tie, and the leading "
                    "term alone",
                    "volume",
                )
            ],
            "union": pair_checks(
                "x⁴y², one corner of two unequal sides",
                RLCT(Fraction(1, 4)),
                threshold(DEPTHS, planar_exponents([(4, 2)])),
                how,
                rivals=(half, Fraction(3, 4)),
                rival_m=(2,),
            ),
        },
    )
