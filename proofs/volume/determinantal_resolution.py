"""prop:determinantal_resolution: (λ, m) of a product of matrices, by singular values and a Newton polyhedron."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Symbol, symbols

from ddtheory.exact.thresholds.matrix_products import (
    by_elementary_divisors,
    by_rank_sequences,
    deep_linear,
    reduced_rank,
)
from ddtheory.exact.thresholds.newton import monomial_rlct
from ddtheory.references import cite
from ddtheory.values import RLCT, Verdict
from ddtheory.verify.claim import Check, Claim, Comparison, Experiment
from ddtheory.verify.older import older_experiment, older_proof, older_statement
from ddtheory.verify.proof import Proof, Prose
from ddtheory.workbench.thresholds import pair_checks

if TYPE_CHECKING:
    from ddtheory.measure.sublevel import Threshold

L = Symbol("L", integer=True, positive=True)
a, b = symbols("a b", positive=True)

_SAMPLES = 1_000_000
_DEPTHS = tuple(16.0 * 2**step for step in range(5))


def _width_one(layers: Expr) -> tuple[Expr, Expr]:
    """The closed form at L + 1 widths 1, rank 0 and L ≥ 2: ℓ = L, S = L + 1, ⌈S/ℓ⌉ = 2, remainder 1."""
    total, remainder = layers + 1, sympy.Integer(1)
    pairs = layers * (layers + 1) / 2
    lam = remainder * (layers - remainder) / (4 * layers) - (layers - 1) * total**2 / (4 * layers) + pairs / 2
    return lam, remainder * (layers - remainder) + 1


def _first_case(inputs: Expr, hidden: Expr, outputs: Expr, rank: Expr) -> Expr:
    both = hidden + rank
    return (-(both**2) - inputs**2 - outputs**2 + 2 * both * (inputs + outputs) + 2 * inputs * outputs) / 8


def _by_polyhedron(hidden: int, outputs: int, *, element: bool = True) -> RLCT:
    """Two inputs, rank 0: singular values a = s_1, b = s_1 s_2 of the first factor, K ≍ Σ (a w_i)² + (b v_i)².

    The volume element a^g b^g (a² − b²) da db, g = |H − 2|, is s_1^{2g+3} s_2^g, up to a unit where a > b.
    """
    g = abs(hidden - 2)
    prior = [2 * g + 3, g] if element else [0, 0]
    units = [tuple(int(i == j) for j in range(2 * outputs)) for i in range(2 * outputs)]
    generators = [((1, 0) if i < outputs else (1, 1)) + unit for i, unit in enumerate(units)]
    return monomial_rlct(generators, [*prior, *[0] * (2 * outputs)])


def _compared() -> tuple[int, int, int]:
    """How many products of two factors, and of three or four, were compared; and how many derivations disagree."""
    two = [(m, h, n, rank) for m, h, n in itertools.product(range(1, 6), repeat=3) for rank in range(min(m, h, n) + 1)]
    deep = [
        (widths, rank)
        for layers in (3, 4)
        for widths in itertools.product(range(1, 4), repeat=layers + 1)
        for rank in range(min(widths) + 1)
    ]
    disagree = sum(
        len({deep_linear((m, h, n), rank), reduced_rank(m, h, n, rank), by_elementary_divisors(m, h, n, rank)}) > 1
        for m, h, n, rank in two
    ) + sum(deep_linear(widths, rank) != by_rank_sequences(widths, rank) for widths, rank in deep)
    return len(two), len(deep), disagree


def derive() -> Proof:
    alpha, beta, w, n, z = symbols("alpha beta w n z", positive=True)
    inputs, hidden, outputs, rank = symbols("M H N r", integer=True, positive=True)

    def turn(angle: Expr) -> sympy.Matrix:
        return sympy.Matrix([[sympy.cos(angle), -sympy.sin(angle)], [sympy.sin(angle), sympy.cos(angle)]])

    factor = turn(alpha) * sympy.diag(a, b) * turn(beta)
    volume = sympy.Matrix(list(factor)).jacobian([alpha, beta, a, b]).det()
    gaussian = sympy.integrate(
        sympy.exp(-(1 + n * a**2) * w**2 / 2) / sympy.sqrt(2 * sympy.pi), (w, -sympy.oo, sympy.oo)
    )
    two_layers, deep, disagreements = _compared()
    polyhedra = [
        size for size in itertools.product(range(2, 6), range(1, 6)) if _by_polyhedron(*size) != deep_linear((2, *size))
    ]
    lam, m = _width_one(L)
    shift = _first_case(inputs, hidden, outputs, rank) - _first_case(
        inputs - rank, hidden - rank, outputs - rank, sympy.Integer(0)
    )
    two_by_two = _by_polyhedron(2, 2).lam
    without = _by_polyhedron(2, 2, element=False).lam
    return older_proof(
        steps=(
            Prose(
                "In singular values the volume element of a factor carries the discriminant.",
                r"dW = |a^2 - b^2|\, da\, db\, d\alpha\, d\beta",
            ),
            Prose(
                "With a = s_1, b = s_1 s_2 the entries of the product become monomials, and the programme of their "
                "Newton polyhedron gives (λ, m): (3/2, 1) for 2 × 2 × 2 at rank 0.",
                r"\langle s_1 w_i,\ s_1 s_2 v_i \rangle, \quad \text{prior } s_1^{2g+3} s_2^{g},\ g = |H - 2|",
            ),
            Prose(
                "A truth of rank r splits off r(M + N − r) regular coordinates and leaves the reduced sizes.",
                r"\lambda(M, H, N; r) = \tfrac12 r(M + N - r) + \lambda(M - r, H - r, N - r; 0)",
            ),
            Prose(
                "At width one the closed form is the crossing of L coordinates, for every L.",
                r"\int \prod w_l^{2z} = (2z + 1)^{-L}: \qquad (\lambda, m) = (\tfrac12, L)",
            ),
            Prose(
                f"The closed form, the four cases, elementary divisors and rank sequences agree on {two_layers} "
                f"products of two factors and {deep} of three and four."
            ),
        ),
        residuals={
            "volume element": sympy.simplify(volume**2 - (a**2 - b**2) ** 2),
            "the last factor, integrated": sympy.simplify(gaussian - 1 / sympy.sqrt(1 + n * a**2)),
            "width one: λ − 1/2": sympy.simplify(lam - sympy.Rational(1, 2)),
            "width one: m − L": sympy.simplify(m - L),
            "width one: pole of order L at −1/2": sympy.simplify(
                (2 * z + 1) ** -L * (z + sympy.Rational(1, 2)) ** L - 2**-L
            ),
            "rank r in the first case": sympy.expand(shift - rank * (inputs + outputs - rank) / 2),
            "derivations that disagree": sympy.Integer(disagreements),
            "polyhedra that disagree": sympy.Integer(len(polyhedra)),
            "2 × 2 × 2 at rank 0": sympy.Rational(two_by_two.numerator, two_by_two.denominator) - sympy.Rational(3, 2),
        },
        controls={
            "width one with the slice coefficient 1/(2L)": sympy.simplify(lam - 1 / (2 * L)),
            "m = a(ℓ − a), as a restatement prints it": sympy.simplify(m - 1 - L),
            "the polyhedron without the volume element": sympy.Rational(without.numerator, without.denominator)
            - sympy.Rational(3, 2),
            "rank r as one direction of order 2": sympy.expand(shift - rank / sympy.Integer(4)),
        },
    )


def _reading(hidden: int, outputs: int, rank: int, weight: int = 0) -> Threshold:
    from ddtheory.measure.sublevel import threshold
    from ddtheory.workbench.measurements.matrix_evidence import two_factors

    step = 0.05  # the third derivative of log Z is at most 2m/ℓ³, so a central difference errs below 1e-6
    exponents = []
    for depth in _DEPTHS:
        below, above = (
            two_factors(hidden, outputs, rank, depth + sign * step, reach=depth, weight=weight) for sign in (-1, 1)
        )
        exponents.append((below - above) / (2 * step))
    return threshold(_DEPTHS, exponents, 1e-6)


_HOW = "Z(n) of Gaussian factors by quadrature over the singular values, log n = 16 to 256"


def _cell(hidden: int, outputs: int, rank: int, *rivals: Fraction) -> tuple[Comparison, Comparison]:
    predicted = deep_linear((2, hidden, outputs), rank)
    near = [predicted.lam + Fraction(shift, 4) for shift in (-2, -1, 1, 2)]
    return pair_checks(
        f"widths (2, {hidden}, {outputs}), rank {rank}",
        predicted,
        _reading(hidden, outputs, rank),
        _HOW,
        rivals=sorted({*near, *rivals} - {predicted.lam}),
        widths=(1e-3, 0.1),
    )


def _tied(count: int, delta: float) -> float:
    return delta * sum((-math.log(delta)) ** j / math.factorial(j) for j in range(count))


def _under_hyperbola(level: float) -> float:
    """Area of xy < level in [1/2, 2]², for a level near 1."""
    if level >= 1:
        return 0.75 * (level - 1) + level * math.log(4 / level) - (1 - level / 4)
    return level * math.log(4 * level) - (level - 0.25)


def measure() -> Experiment:
    from ddtheory.measure.sublevel import sampled_volume

    how = f"{_SAMPLES} uniform draws, 3.3 standard errors"
    checks: list[Check] = []
    for layers in (2, 3, 4):
        checks.append(
            Comparison(
                f"width one, rank 0, L = {layers}: V(0.0025) on the unit cube",
                _tied(layers, 0.05),
                sampled_volume(
                    lambda w: math.prod(w) ** 2 < 0.0025, [(0.0, 1.0)] * layers, samples=_SAMPLES, seed=layers
                ),
                (_tied(layers - 1, 0.05), _tied(layers + 1, 0.05)),
                0.004,
                f"{how}; the rivals are L − 1 and L + 1 layers",
                "volume",
            )
        )
    exact = _under_hyperbola(1.05) - _under_hyperbola(0.95)
    checks.append(
        Comparison(
            "width one, rank 1, L = 2: V(0.0025) on [1/2, 2]²",
            exact,
            sampled_volume(lambda w: (w[0] * w[1] - 1) ** 2 < 0.0025, [(0.5, 2.0)] * 2, samples=_SAMPLES, seed=5),
            (_tied(2, 0.05), 2 * 0.05),
            0.004,
            f"{how}; 2√ε along the fibre of length log 4, no logarithm; the rivals are the crossing and fibre length 1",
            "volume",
        )
    )
    # rivals: the bound of the polyhedron in the raw entries, and live block plus slice coefficient
    checks += _cell(2, 2, 0, Fraction(2))
    checks += _cell(2, 2, 1, Fraction(7, 4))
    checks += _cell(3, 3, 1)
    checks += _cell(2, 3, 0)
    checks += _cell(3, 4, 0)
    return older_experiment(
        "Width one by draws. Two real factors with Gaussian weights: the last factor is integrated exactly, the first "
        "by its singular values, which is an evidence and no formula for λ.",
        tuple(checks),
    )


def control() -> Experiment:
    return older_experiment(
        "A truth of full rank has no determinantal locus; and a prior that vanishes on it moves the pair.",
        (
            *pair_checks(
                "widths (2, 2, 2), rank 2",
                RLCT(Fraction(2)),
                _reading(2, 2, 2),
                _HOW,
                rivals=(Fraction(3, 2), Fraction(7, 4)),
                widths=(1e-3, 0.1),
            ),
            *pair_checks(
                "widths (2, 2, 2), rank 0, prior |det W_1|",
                RLCT(Fraction(2), 2),
                _reading(2, 2, 0, weight=1),
                _HOW,
                rivals=(Fraction(3, 2), Fraction(7, 4)),
                widths=(1e-3, 0.1),
            ),
        ),
    )


CLAIM = Claim(
    id="prop:determinantal_resolution",
    title="Determinantal loci: (λ, m) of a product of matrices",
    clauses=older_statement(
        r"For $K = \tfrac12\|W_L \cdots W_1 - C\|^2$ with widths $H_0, \dots, H_L$ and $\operatorname{rank} C = r$, "
        r"singular values and a Newton polyhedron give $(\lambda, m)$: with $M_s = H_s - r$, $\mathcal M$ the "
        r"$\ell + 1$ smallest that satisfy $S \ge \ell \max_{\mathcal M} M_s$, $S < \ell \min_{\text{outside}} M_s$, "
        r"and $a = S - (\lceil S/\ell \rceil - 1)\ell$: $\lambda = \tfrac12 (r(H_0 + H_L) - r^2) + "
        r"\frac{a(\ell - a)}{4\ell} - \frac{\ell(\ell-1)}{4} (S/\ell)^2 + \tfrac12 \sum_{i<j} M_i M_j$, "
        r"$m = a(\ell - a) + 1$. At width one: "
        r"$(\tfrac12, L)$ with $V = P_L(\sqrt\varepsilon)$ for $r = 0$, and $(\tfrac12, 1)$ for $r = 1$."
    ),
    source=cite("shirodkar2026dead", "prop:determinantal_resolution"),
    hypotheses=(
        "The pair is global: the dominating one over all factorisations of C. At one factorisation it may be larger.",
        "The prior is positive on the fibre, over the reals.",
    ),
    expected=Verdict.CONFIRMED,
    derive=derive,
    measure=measure,
    control=control,
    rests_on=("thm:multi_component_rates",),
    assumes=(cite("aoyagi2024", "Definition 3 and Theorem 2"),),
    doubts=(
        "The general closed form is the literature's. Here two factors are derived again, for two inputs by the "
        "polyhedron and for all sizes up to 5 by elementary divisors; depth 3 and 4 are compared with rank sequences, "
        "and depth 3 is measured in register:D1."
    ),
)
