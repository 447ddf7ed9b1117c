"""Factor analysis, Σ = Λ Λᵀ + diag ψ, at Λ = 0: the true model has no factor."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING

import sympy

from ddtheory.cells import covariance
from ddtheory.cells.blocks import at_least, matrix, vector
from ddtheory.cells.cell import Cell
from ddtheory.cells.registry import family
from ddtheory.cells.routes import closed_form, newton
from ddtheory.cells.truth import Provenance, Route, Side
from ddtheory.errors import InvalidValueError
from ddtheory.values import RLCT, Citation

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
def factor_analysis(*, covariates: int = 3, factors: int = 1) -> Cell:
    """x ~ N(0, Λ Λᵀ + diag ψ) with n covariates and k factors, at Λ = 0, ψ = 1.

    The variances are regular, and the off-diagonal entries leave K ≍ Σ_{i<j} (Λ_i · Λ_j)². For n > k, λ = (k + 2)n/4
    and m = 1; but n = 2, k = 1 has ⟨Λ_1 Λ_2⟩ and m = 2. The proof of equality below covers k ≤ 2; for more factors
    (k + 2)n/4 stands as an upper bound: the generators are homogeneous of degree 2 in kn variables.

    Args:
        covariates: n ≥ 2.
        factors: k, at least 1 and less than n.

    Source: Drton & Plummer 2017, the code that accompanies it (which has m = 1 also for n = 2).

    Raises:
        InvalidValueError: sizes out of range.

    >>> factor_analysis(covariates=4, factors=2).rlct, factor_analysis(covariates=2, factors=1).rlct
    (RLCT(lam=Fraction(4, 1), m=1), RLCT(lam=Fraction(3, 2), m=2))
    >>> factor_analysis(covariates=4, factors=3).truth.status.value
    'bounds'
    """
    at_least(covariates, 2, "The number of covariates")
    at_least(factors, 1, "The number of factors")
    if factors >= covariates:
        raise InvalidValueError(f"With {factors} factors {covariates} covariates leave nothing to tell; give fewer.")
    loadings, loading_names = matrix("l", "loadings", covariates, factors)
    variances, variance_names = vector("v", "variances", covariates)
    sigma = sympy.eye(covariates) + sympy.diag(*variances) + loadings * loadings.T
    pairs = list(itertools.combinations(range(covariates), 2))
    products = tuple(loadings.row(i).dot(loadings.row(j)) for i, j in pairs)
    value = RLCT(Fraction((factors + 2) * covariates, 4), 2 if covariates == 2 else 1)
    monomials = [
        tuple(int((row, c) in ((i, f), (j, f))) for row in range(covariates) for c in range(factors))
        for i, j in pairs
        for f in range(factors)
    ]
    settled = factors <= 2
    argument = (
        "off-diagonal products beside n regular variances; a face on which all are binomial needs n > k non-zero "
        "vectors of the plane that are orthogonal, so no face has a real zero in the torus"
    )
    rank = RLCT(Fraction(covariates, 2))
    routes: tuple[Route, ...] = (newton(argument, monomials, regular=covariates),)
    if settled:
        routes = (closed_form("(k + 2)n/4 (m = 2 for n = 2)", lambda: value), *routes)
    else:
        routes = (
            newton("the polyhedron bounds from above", monomials, regular=covariates, side=Side.UPPER),
            Route("Hessian rank", "λ ≥ ρ/2, ρ = n variances", lambda: rank, Side.LOWER),
        )
    return Cell(
        "",
        covariance.divergence(sigma),
        loading_names | variance_names,
        {
            "two loadings": {loadings[0, 0].name: 1, loadings[1, 0].name: 1},
            "variance": {variances[0].name: 1},
            "loading": {loadings[0, 0].name: 1},
        },
        Citation("Drton & Plummer 2017, JRSS-B 79:323–380", "factor analysis"),
        lambda seed: covariance.problem(
            lambda parameters: _sigma(parameters, covariates),
            {"loadings": (covariates, factors), "variances": (covariates,)},
        ),
        generators=(*products, *(sigma[i, i] - 1 for i in range(covariates))),
        provenance=Provenance.CODE,
        routes=routes,
        remark="A single loading only moves a variance to second order: order 2, but its arc with ψ is flat.",
    )


def _sigma(parameters: Mapping[str, Tensor], covariates: int) -> Tensor:
    import torch

    loadings = parameters["loadings"]
    return torch.eye(covariates, dtype=loadings.dtype) + torch.diag(parameters["variances"]) + loadings @ loadings.mT
