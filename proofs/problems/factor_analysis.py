"""problem:one_factor: the local pairs of factor analysis with one factor, by how many loadings are not zero."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Integer, Matrix, Symbol, eye, symbols

from ddtheory.references import cite
from ddtheory.values import Verdict
from ddtheory.verify.claim import Check, Claim, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.certified import certified, pair_row
from ddtheory.workbench.ladder import count_check, slope_check
from ddtheory.workbench.statement import printed

if TYPE_CHECKING:
    from torch import Tensor

_SIZES = (3, 4, 5)
_LOADINGS = (1, 2, 1, 3, 1)  # of the truths, as many as are not zero


def all_loadings(size: Expr | int) -> Expr:
    """λ with three loadings or more: p."""
    return sympy.sympify(size)


def few_loadings(size: Expr | int) -> Expr:
    """λ with one or two: (2p − 1)/2."""
    return (2 * sympy.sympify(size) - 1) / 2


def no_loadings(size: Expr | int) -> Expr:
    """λ with none: 3p/4."""
    return 3 * sympy.sympify(size) / 4


_ALL, _FEW, _NONE = (printed(lam(Symbol("p"))) for lam in (all_loadings, few_loadings, no_loadings))


CLAIM = Claim(
    id="problem:one_factor",
    title="The local pairs of factor analysis with one factor",
    given=(
        r"Let $x \sim N(0, \Sigma)$ with $\Sigma = \ell\ell^T + \operatorname{diag}(\psi)$ in $p \ge 3$ dimensions, "
        r"$\psi_i > 0$, at a truth in the model with $q$ loadings that are not zero, and $K$ the divergence."
    ),
    clauses={
        "generators": (
            r"$K \asymp \sum_i (\ell_i^2 + \psi_i - \Sigma^0_{ii})^2 + "
            r"\sum_{i<j} (\ell_i \ell_j - \Sigma^0_{ij})^2$ near the truth."
        ),
        "three": rf"For $q \ge 3$ the pair is $({_ALL}, 1)$.",
        "two": f"For $q = 2$ it is $({_FEW}, 1)$.",
        "one": f"For $q = 1$ it is $({_FEW}, 1)$.",
        "none": f"For $q = 0$ it is $({_NONE}, 1)$.",
    },
    source=cite("drton2017", "Theorem 1.1", verified=False),
    hypotheses=("The prior is positive at the truth.",),
    expected=Verdict.CONFIRMED,
    doubts=(
        "Stated for all p; derived here for p = 3, 4, 5, each with a certificate. Of the five dimensions one generator "
        "each is regular, ψ_i, and the others are products of two loadings."
    ),
)


def _generators(size: int, present: int) -> list[Expr]:
    """Entries of Σ − Σ⁰ at a truth with so many loadings, in coordinates from there."""
    moves, variances = symbols(f"l_1:{size + 1}"), symbols(f"v_1:{size + 1}")
    truth = [Integer(_LOADINGS[i]) if i < present else Integer(0) for i in range(size)]
    loadings = [t + x for t, x in zip(truth, moves, strict=True)]
    found = [sympy.expand(loadings[i] ** 2 - truth[i] ** 2 + variances[i]) for i in range(size)]
    found += [sympy.expand(loadings[i] * loadings[j] - truth[i] * truth[j]) for i in range(size) for j in range(i)]
    return found


def _pairs(present: int | None) -> Matrix:
    """A row (λ, m) for each p, all loadings present where None is given."""
    rows = [pair_row(certified(generators=_generators(p, p if present is None else present))) for p in _SIZES]
    return Matrix(rows)


def _rows(lam: Sequence[Expr], m: int = 1) -> Matrix:
    return Matrix([[value, Integer(m)] for value in lam])


def derive() -> Proof:
    s = symbols("s", real=True)
    a = Matrix(2, 2, symbols("a_1:5", real=True))
    a = a + a.T
    moved = eye(2) + s * a
    divergence = (moved.trace() - sympy.log(moved.det()) - 2) / 2  # from N(0, 1), the covariance moved
    full, less, none = ([lam(p) for p in _SIZES] for lam in (all_loadings, few_loadings, no_loadings))
    return Proof(
        f"p = {_SIZES}, at truths with rational loadings: derivations that the checker accepts. The divergence of two "
        "normal laws for two dimensions, at the unit matrix, as any covariance is in other coordinates.",
        (
            Prose("A normal law is a regular family in Σ: K is comparable to the squares of the entries of Σ − Σ⁰."),
            Equation(
                "generators",
                "the second derivative by s of the divergence at 1 + sA: a definite form of the entries of A",
                sympy.diff(divergence, s, 2).subs(s, 0),
                (a * a).trace() / 2,
                {"of the diagonal": (a[0, 0] ** 2 + a[1, 1] ** 2) / 2, "twice": (a * a).trace()},
            ),
            Equation("three", "q = p", _pairs(None), _rows(full), {"as at q = 2": _rows(less)}),
            Equation("three", "q = 3", _pairs(3), _rows(full), {"as at q = 2": _rows(less)}),
            Equation("two", "q = 2", _pairs(2), _rows(less), {"p": _rows(full), "m = 2": _rows(less, 2)}),
            Equation("one", "q = 1", _pairs(1), _rows(less), {"p": _rows(full), "3p/4": _rows(none)}),
            Equation("none", "q = 0", _pairs(0), _rows(none), {"as at q = 1": _rows(less), "m = 2": _rows(none, 2)}),
        ),
    )


def _rank(size: int, present: int) -> int:
    """The rank of the differential of (ℓ, ψ) ↦ Σ at a truth, by automatic differentiation."""
    import torch

    loadings = torch.tensor([float(_LOADINGS[i]) if i < present else 0.0 for i in range(size)], dtype=torch.float64)
    start = torch.cat([loadings, torch.ones(size, dtype=torch.float64)])

    def covariance(w: Tensor) -> Tensor:
        found = torch.outer(w[:size], w[:size]) + torch.diag(w[size:])
        return found[torch.tril(torch.ones(size, size, dtype=torch.bool))]

    jacobian = torch.func.jacrev(covariance)(start)
    return int(torch.linalg.matrix_rank(jacobian))


def measure() -> Experiment:
    from ddtheory.workbench.measurements.volume_slope import volume_slope

    reason = "singular values of a Jacobian in float64; where the fibre is smooth, λ is half of it"
    ranks: dict[str, list[Check]] = {
        clause: [
            count_check(f"p = {p}, {present} loadings: rank of the differential of Σ", 2 * p - less, _rank(p, present),
                        rivals=(2 * p - 1 + less, 2 * p - 2), reason=reason)
            for p in (3, 5)
        ]
        for clause, present, less in (("three", 3, 0), ("two", 2, 1), ("one", 1, 1))
    }  # fmt: skip
    found = volume_slope(
        lambda w: (w[0] * w[1]) ** 2 + (w[0] * w[2]) ** 2 + (w[1] * w[2]) ** 2,
        [(-1.0, 1.0)] * 3, 1e-4, samples=4_000_000, seed=4,
    )  # fmt: skip
    return Experiment(
        "Ranks of the differential at truths with loadings; at none, the volume of the loadings that are left, p = 3.",
        {
            **ranks,
            "none": [
                slope_check("p = 3: λ less the three variances", Fraction(3, 4), found, Fraction(1), Fraction(1, 2),
                            draws="four million draws a level, ε = 1e-4")
            ],
            "generators": [_ratio_check(seed) for seed in (1, 2)],
        },
    )  # fmt: skip


def _ratio(covariance: Tensor) -> float:
    """K over the sum of squares, from the truth 1."""
    import torch

    eigenvalues = torch.linalg.eigvalsh(covariance) - 1
    return float((eigenvalues - torch.log1p(eigenvalues)).sum() / 2 / eigenvalues.square().sum())


def _ratio_check(seed: int) -> Check:
    """K over the sum of squares for a covariance close to the truth: between 1/4 and 1/2 times the condition."""
    import torch

    from ddtheory.workbench.ladder import value_check

    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(4, 4, generator=generator, dtype=torch.float64)
    noise = (noise + noise.mT) / 2
    step = 1e-4
    moved = torch.eye(4, dtype=torch.float64) + step * noise
    return value_check(
        f"draw {seed}: K over ‖Σ − 1‖²", Fraction(1, 4), _ratio(moved),
        rivals=(Fraction(1, 2), 1), error=1e-3, reason="the next term is of the order of the step, 1e-4",
        quantity="ratio",
    )  # fmt: skip


def control() -> Experiment:
    import torch

    from ddtheory.workbench.ladder import value_check

    unit = torch.full((4,), 0.5, dtype=torch.float64)
    far = torch.eye(4, dtype=torch.float64) + (math.e - 1) * torch.outer(unit, unit)
    two = certified(generators=_generators(2, 0))
    kept = certified(generators=_generators(3, 0)[3:])
    return Experiment(
        "Two dimensions have one product of loadings, a crossing. Variances that are known leave the loadings alone. A "
        "rank that is counted at the wrong truth is another one, and so is the quotient far from the truth.",
        {
            "generators": [
                value_check("far from the truth, Σ = 1 + (e − 1) uuᵀ: K over ‖Σ − 1‖²",
                            (sympy.E - 2) / (2 * (sympy.E - 1) ** 2), _ratio(far), rivals=(Fraction(1, 4),),
                            reason="one eigenvalue e, with logarithm 1, by hand; rounding", quantity="ratio")
            ],
            "none": [
                value_check("p = 2, no loadings: λ", Fraction(3, 2), float(two.lam), rivals=(Fraction(5, 4), 2)),
                count_check("p = 2, no loadings: m", 2, two.m, rivals=(1,), reason="(ℓ₁ℓ₂)² is a crossing"),
                value_check("p = 3, variances known: λ", Fraction(3, 4), float(kept.lam), rivals=(Fraction(9, 4),)),
            ],
            "three": [
                count_check("p = 3, no loadings: rank of the differential", 3, _rank(3, 0), rivals=(6, 5),
                            reason="the variances alone")
            ],
            "two": [
                count_check("p = 2, two loadings: rank of the differential", 3, _rank(2, 2), rivals=(4, 2),
                            reason="three entries of Σ, and four parameters")
            ],
            "one": [
                count_check("p = 2, one loading: rank of the differential", 3, _rank(2, 1), rivals=(4, 2),
                            reason="two variances and the other loading")
            ],
        },
    )  # fmt: skip
