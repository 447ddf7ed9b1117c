"""Factor analysis, Σ = Λ Λᵀ + diag ψ, at Λ = 0: the true model has no factor."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from fractions import Fraction
from math import comb, factorial
from typing import TYPE_CHECKING

import sympy

from ddtheory.cells.shared import covariance
from ddtheory.cells.shared.blocks import at_least, entry, matrix, vector
from ddtheory.cells.shared.cell import Cell, Size, SymbolicFace
from ddtheory.cells.shared.families import family
from ddtheory.cells.shared.routes import Programme, closed_form, newton, with_regular
from ddtheory.cells.shared.truth import Provenance, Route, Side
from ddtheory.errors import InvalidValueError
from ddtheory.exact.thresholds.intersection import transversal_crossing
from ddtheory.references import cite
from ddtheory.values import RLCT

if TYPE_CHECKING:
    from torch import Tensor


@family(
    {"covariates": 2, "factors": 1},
    {"covariates": 3, "factors": 1},
    {"covariates": 4, "factors": 1},
    {"covariates": 3, "factors": 2},
    {"covariates": 4, "factors": 2},
    {"covariates": 4, "factors": 3},
)
def factor_analysis(name: str, /, *, covariates: int = 3, factors: int = 1) -> Cell:
    """x ~ N(0, Λ Λᵀ + diag ψ) with n covariates and k factors, at Λ = 0, ψ = 1.

    The variances are regular, and the off-diagonal entries leave K ≍ Σ_{i<j} (Λ_i · Λ_j)². For n > k, λ = (k + 2)n/4;
    m = n for n = k + 1, where Λ = 0 and the strata of orthogonal rows all have the same λ; m = 1 for n > k + 1.

    Args:
        covariates: n ≥ 2.
        factors: k, at least 1 and less than n.

    Source: λ is in the code that accompanies Drton and Plummer 2017, which has m = 1 throughout; m is derived here, and
    is that of the restricted Boltzmann machine with the same germ (Aoyagi 2010).

    Raises:
        InvalidValueError: sizes out of range.

    >>> factor_analysis(covariates=4, factors=2).rlct, factor_analysis(covariates=3, factors=2).rlct
    (RLCT(lam=Fraction(4, 1), m=1), RLCT(lam=Fraction(3, 1), m=3))
    """
    at_least(covariates, 2, "The number of covariates")
    at_least(factors, 1, "The number of factors")
    if factors >= covariates:
        raise InvalidValueError(f"With {factors} factors {covariates} covariates leave nothing to tell; give fewer.")

    def symbolic() -> SymbolicFace:
        loadings, loading_names = matrix("l", "loadings", covariates, factors)
        variances, variance_names = vector("v", "variances", covariates)
        sigma = sympy.eye(covariates) + sympy.diag(*variances) + loadings * loadings.T
        products = (loadings.row(i).dot(loadings.row(j)) for i, j in pairs())
        generators = (*products, *(sigma[i, i] - 1 for i in range(covariates)))
        return SymbolicFace(covariance.divergence(sigma), loading_names | variance_names, generators)

    def pairs() -> Iterator[tuple[int, int]]:
        return itertools.combinations(range(covariates), 2)

    value = RLCT(Fraction((factors + 2) * covariates, 4), covariates if covariates == factors + 1 else 1)

    def monomials() -> list[tuple[int, ...]]:
        return [
            tuple(int((row, c) in ((i, f), (j, f))) for row in range(covariates) for c in range(factors))
            for i, j in pairs()
            for f in range(factors)
        ]

    variables = covariates * factors
    programme = Programme(comb(covariates, 2) * factors, variables, lambda: (monomials(), ()))
    first, second = (entry("l", covariates, factors, row, 0) for row in range(2))
    return Cell(
        name,
        symbolic,
        {
            "two loadings": {first: 1, second: 1},
            "variance": {"v1": 1},
            "loading": {first: 1},
        },
        cite("drton-plummer2017", "factor analysis", verified=False),
        lambda seed: covariance.problem(
            lambda parameters: _sigma(parameters, covariates),
            {"loadings": (covariates, factors), "variances": (covariates,)},
        ),
        Size(variables + covariates, factorial(covariates)),
        provenance=Provenance.CODE,
        routes=(
            closed_form("(k + 2)n/4, m = n for n = k + 1 (Drton and Plummer 2017; Aoyagi 2010)", lambda: value),
            Route(
                "blow-ups of rows",
                "the zero matrix has kn/4, a non-zero row leaves n − 1 regular products and the case (n − 1, k − 1)",
                lambda: with_regular(orthogonal_rows(covariates, factors), covariates),
            ),
            newton("the polyhedron bounds from above", programme, regular=covariates, side=Side.UPPER),
        ),
        remark="A single loading only moves a variance to second order: order 2, but its arc with ψ is flat.",
    )


def orthogonal_rows(rows: int, width: int) -> RLCT:
    """(λ, m) of Σ_{i<j} (Λ_i · Λ_j)² at Λ = 0, for rows Λ_i in ℝ^k, at least two.

    K is homogeneous of degree 4 in nk variables: the blow-up of 0 has λ = nk/4 on its divisor. The deepest zeros on the
    divisor have one non-zero row (scaling the other rows to 0 keeps the pair and can only deepen its limit): there the
    n − 1 products with that row are regular and the others are the case (n − 1, k − 1). The divisor crosses these, so
    at equal λ the multiplicities add.

    >>> orthogonal_rows(2, 1), orthogonal_rows(3, 2)
    (RLCT(lam=Fraction(1, 2), m=2), RLCT(lam=Fraction(3, 2), m=3))
    """
    divisor = RLCT(Fraction(rows * width, 4))
    beside = RLCT(Fraction(rows - 1, 2))
    if rows > 2 and width > 1:
        beside = with_regular(orthogonal_rows(rows - 1, width - 1), rows - 1)
    return transversal_crossing(divisor, beside)


def _sigma(parameters: Mapping[str, Tensor], covariates: int) -> Tensor:
    import torch

    loadings = parameters["loadings"]
    return torch.eye(covariates, dtype=loadings.dtype) + torch.diag(parameters["variances"]) + loadings @ loadings.mT
