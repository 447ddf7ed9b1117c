"""The algebra of intersections: sums, crossings and unions of blocks that share no variable."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

import sympy
from sympy import Symbol, gamma, log, symbols

from ddtheory.exact.thresholds.intersection import separable_sum, transversal_crossing, union
from ddtheory.references import cite
from ddtheory.values import RLCT, Verdict
from ddtheory.verify.claim import Check, Claim, Comparison, Experiment
from ddtheory.verify.older import older_experiment, older_proof, older_statement
from ddtheory.verify.proof import Proof, Prose
from ddtheory.workbench.thresholds import pair_checks

if TYPE_CHECKING:
    from ddtheory.measure.sublevel import Floats

n, z, first, second = symbols("n z lambda_1 lambda_2", positive=True)
m1, m2, gap = symbols("m_1 m_2 g", integer=True, positive=True)

_SAMPLES = 1_500_000


def derive() -> Proof:
    lam, c1, c2, d1, d2 = symbols("lambda C_1 C_2 d_1 d_2", positive=True)
    distance = Symbol("delta", positive=True)
    # evidences multiply; −d log Z/d log n = λ − (m − 1)/log n for Z = n^{−λ} (log n)^{m−1}
    product = n**-first * log(n) ** (m1 - 1) * n**-second * log(n) ** (m2 - 1)
    exponent = sympy.simplify(-n * sympy.diff(sympy.expand_log(log(product)), n))
    # zeta functions multiply: at one place the orders add, at another the second factor is a number
    tied = (z + lam) ** -m1 * (z + lam) ** -m2
    apart = ((z + first) ** -m1 * (z + first + distance) ** -m2 * (z + first) ** m1).subs(z, -first)
    # Z(n) ~ C n^{−λ} (log n)^{m−1} with C = Γ(λ) d/(m − 1)!, d the leading Laurent coefficient up to sign
    total = gamma(lam) * d1 * d2 / sympy.factorial(m1 + m2 - 1)
    parts = {d1: c1 * sympy.factorial(m1 - 1) / gamma(lam), d2: c2 * sympy.factorial(m2 - 1) / gamma(lam)}
    constant = sympy.factorial(m1 - 1) * sympy.factorial(m2 - 1) / (sympy.factorial(m1 + m2 - 1) * gamma(lam)) * c1 * c2
    # charts: zeta functions add; the pole of higher order at the same place stays, with its own coefficient
    added = d1 * (z + lam) ** -(m2 + gap) + d2 * (z + lam) ** -m2
    return older_proof(
        steps=(
            Prose(
                "K_1 + K_2: evidences multiply.",
                r"Z = Z_1 Z_2 \sim n^{-\lambda_1 - \lambda_2} (\log n)^{m_1 + m_2 - 2}: \quad "
                r"(\lambda_1 + \lambda_2,\ m_1 + m_2 - 1)",
            ),
            Prose(
                "K_1 K_2: zeta functions multiply. Poles at one place add their orders; else the first one decides.",
                r"\zeta = \zeta_1 \zeta_2: \quad (\min \lambda_i,\ \textstyle\sum_{\lambda_i = \min} m_i), \qquad "
                r"C = \frac{(m_1 - 1)!\,(m_2 - 1)!}{(m_1 + m_2 - 1)!\,\Gamma(\lambda)}\, C_1 C_2",
            ),
            Prose(
                "Charts: zeta functions add, so the dominating pole stays and its order does not grow.",
                r"\zeta = \sum \zeta_i: \quad \text{the pair with the smallest } \lambda, \text{ then the largest } m",
            ),
        ),
        residuals={
            "sum: exponent": sympy.simplify(exponent - (first + second) + (m1 + m2 - 2) / log(n)),
            "crossing: order of the tied pole": sympy.simplify(tied * (z + lam) ** (m1 + m2)) - 1,
            "crossing: untied, the other factor is a number": sympy.simplify(apart - distance**-m2),
            "crossing: constant": sympy.simplify(total.subs(parts) - constant),
            "union: coefficient at the higher pole": sympy.expand(added * (z + lam) ** (m2 + gap)).subs(z, -lam) - d1,
            "rule: sum": _difference(
                separable_sum(RLCT(Fraction(1, 2), 2), RLCT(Fraction(1, 4), 3)), Fraction(3, 4), 4
            ),
            "rule: crossing": _difference(
                transversal_crossing(RLCT(Fraction(1, 2), 2), RLCT(Fraction(1, 2), 3), RLCT(Fraction(1), 4)),
                Fraction(1, 2),
                5,
            ),
            "rule: union": _difference(
                union(RLCT(Fraction(1, 2), 2), RLCT(Fraction(1, 2), 3), RLCT(Fraction(1), 4)), Fraction(1, 2), 3
            ),
        },
        controls={
            "sum with m_1 + m_2": sympy.simplify(exponent - (first + second) + (m1 + m2 - 1) / log(n)),
            "crossing with λ_1 + λ_2": sympy.simplify(tied * (z + 2 * lam) ** (m1 + m2)) - 1,
            "constant C_1 C_2": sympy.simplify(constant.subs({m1: 1, m2: 2, lam: 1}) - c1 * c2),
            "union with the sum of the coefficients": d1 - (d1 + d2),
        },
    )


def _difference(found: RLCT, lam: Fraction, m: int) -> sympy.Expr:
    """Zero when the pair is (λ, m)."""
    return sympy.Rational(abs(found.lam - lam).numerator) + abs(found.m - m)


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

    checks: list[Check] = []
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
        checks += pair_checks(
            name,
            separable_sum(*pairs),
            threshold(DEPTHS, together),
            "Z(n) of each block by quadrature",
            rivals=(min(pair.lam for pair in pairs), max(pair.lam for pair in pairs)),
            rival_m=(sum(pair.m for pair in pairs),),
        )
    # equal rates from different powers and priors, beside one that is larger
    checks += pair_checks(
        "x²·y⁶·z² with prior y² z",
        transversal_crossing(RLCT(half), RLCT(half), RLCT(Fraction(1))),
        threshold(DEPTHS, crossing_exponents([0.5, 0.5, 1.0])),
        "first passage",
        rivals=(Fraction(2), Fraction(1)),
    )
    checks += pair_checks(
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

    checks.append(
        Comparison(
            "V of (x⁴ + y⁴) z², ε = 0.0025, on {x⁴ + y⁴ < 1}",
            area * _tied(2, delta),
            sampled_volume(inside, [(0.0, 1.0)] * 3, samples=_SAMPLES, seed=4),
            (area * _tied(1, delta), area * _tied(3, delta), _tied(2, delta)),
            0.004,
            f"{_SAMPLES} uniform draws, 3.3 standard errors; the rivals have no tie, one more, and the wrong area",
            "volume",
        )
    )
    return older_experiment(
        "Evidences of blocks by quadrature, volumes of crossings by the first passage of a chain, an area by hand, and "
        "draws: none of them knows a rule.",
        tuple(checks),
    )


def control() -> Experiment:
    from ddtheory.measure.sublevel import DEPTHS, planar_exponents, threshold

    how = "one integral over log x"
    half = Fraction(1, 2)
    return older_experiment(
        "Blocks that share a variable: x²(x² + y²)² would be a tie of two blocks with 1/2 if they were disjoint, and "
        "x²(x² + y²) no tie at all; x² + x²y² would be a sum.",
        (
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
            *pair_checks(
                "x²y² + x⁴y²",
                RLCT(half, 2),
                threshold(DEPTHS, planar_exponents([(2, 2), (4, 2)])),
                how,
                rivals=(Fraction(3, 4), Fraction(1)),
            ),
        ),
    )


CLAIM = Claim(
    id="rem:intersections",
    title="Sums, crossings and unions of disjoint blocks",
    clauses=older_statement(
        r"For blocks that share no variable: $K_1 + K_2$ has $(\lambda_1 + \lambda_2,\ m_1 + m_2 - 1)$; $K_1 K_2$ has "
        r"$(\min \lambda_i,\ \sum_{\lambda_i = \min} m_i)$, with "
        r"$C = \frac{(m_1-1)!\,(m_2-1)!}{(m_1+m_2-1)!\,\Gamma(\lambda)} C_1 C_2$ at a tie; a neighbourhood covered by "
        r"charts has the dominating pair, at equal $\lambda$ the larger $m$ and never the sum."
    ),
    source=cite("lin2011", "Propositions 4.5 and 5.2"),
    hypotheses=("The blocks share no variable, and the prior is a product.", "K_i ≥ 0."),
    expected=Verdict.CONFIRMED,
    derive=derive,
    measure=measure,
    control=control,
    rests_on=("thm:multi_component_rates",),
    doubts="With a common factor all three fail, as the control shows; the Newton polyhedron decides there.",
)
