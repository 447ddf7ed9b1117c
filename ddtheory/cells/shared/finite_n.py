"""Finite-temperature targets λ(nβ) = nβ E[K] of cells.

Those of type Finite are on the box of half width 1 around the point with a uniform prior, those of type Localised on
all of ℝ^d under e^{−γ‖w − θ0‖²/2}.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import reduce
from typing import Any

from flint import acb
from sympy import Expr

from ddtheory.exact.finite_n.crossings import FiniteN, finite_n
from ddtheory.exact.finite_n.gated import gated_crossing
from ddtheory.exact.finite_n.germs import finite_n_germ
from ddtheory.exact.finite_n.reflections import reflection_norms
from ddtheory.exact.finite_n.shifted_width_two import ShiftedWidthTwo
from ddtheory.exact.finite_n.three_vectors import ThreeVectors
from ddtheory.exact.finite_n.width_two import WidthTwo
from ddtheory.values import Enclosure

Finite = Callable[[Any, int], Enclosure]
Localised = Callable[[Any, Any, int], Enclosure]

HALF = Fraction(1, 2)
"""K = f²/2 for unit noise."""


def crossing(powers: Sequence[int], prior: Sequence[Fraction | int] = (), scale: Fraction = HALF) -> Finite:
    """K = scale · ∏ |w_i|^{p_i} with prior ∏ |w_i|^{h_i}."""
    return lambda n_beta, digits: (
        finite_n(powers, n_beta, prior=prior or None, scale=scale, digits=digits).learning_coefficient
    )


def separate(powers: Sequence[int], scale: Fraction = HALF) -> Finite:
    """K = scale · Σ w_i^{p_i}."""

    def compute(n_beta: Any, digits: int) -> Enclosure:
        parts = [finite_n((power,), n_beta, scale=scale, digits=digits + 2) for power in powers]
        return reduce(FiniteN.separable_sum, parts).learning_coefficient

    return compute


def polynomial(divergence: Expr) -> Finite:
    """Any polynomial K with rational coefficients in at most three variables."""
    return lambda n_beta, digits: finite_n_germ(divergence, n_beta, digits=digits).learning_coefficient


def gated(factor: Callable[[acb], acb]) -> Finite:
    """K = x² y² F(z)."""
    return lambda n_beta, digits: gated_crossing(factor, n_beta, digits)


def mirrors(kind: str, dimension: int) -> Localised:
    """K = P²/2 with P the product over the mirrors of a reflection group."""
    return lambda n_beta, gamma, digits: (
        reflection_norms(kind, dimension, HALF).finite_n(n_beta, gamma, digits).learning_coefficient
    )


def product_of_width_two(inputs: int, outputs: int, scale: Fraction = HALF, rank_first: int = 0) -> Localised:
    """K = scale · ‖BX‖² with X of shape (2, inputs) and B of shape (outputs, 2), around B = 0 and X = diag(1, …, 0)."""
    if rank_first:
        return ShiftedWidthTwo(inputs, outputs, rank_first, scale).learning_coefficient
    return WidthTwo(inputs, outputs, scale).learning_coefficient


def minors_of_three_vectors(dimension: int, scale: Fraction = HALF) -> Localised:
    """K = scale · Σ |x_i ∧ x_j|² over three vectors, around zero."""
    return ThreeVectors(dimension, scale).learning_coefficient
