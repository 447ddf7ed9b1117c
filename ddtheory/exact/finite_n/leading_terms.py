"""The leading term C t^{−λ} (log t)^{m−1} of Z(t), enclosed, and from which t on it is near: where it is known how.

Monomials with any prior exponents, and weighted homogeneous germs of the plane, on a box or under a Gaussian on ℝ^d
whose centre is 0 (`leading_monomials`, `leading_plane`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from sympy import Expr, Poly, Symbol

from ddtheory.exact.finite_n import leading_monomials, leading_plane
from ddtheory.exact.finite_n.leading_value import BITS, LeadingTerm
from ddtheory.exact.numbers.enclosing import working
from ddtheory.values import RLCT


def leading_term(
    expression: Expr,
    symbols: Sequence[Symbol],
    exponents: Sequence[Fraction],
    half_width: Fraction | None,
    pair: RLCT,
    weights: tuple[tuple[int, ...], int] | None,
    go_on: Callable[[], None],
    variance: Fraction | None = None,
) -> LeadingTerm | str:
    """Of K with the prior ∏ |w_i|^{h_i}, or why it is not enclosed.

    Args:
        half_width: of the box; None for ℝ^d under a Gaussian around 0.
        weights: (a, D) if K is weighted homogeneous.
        variance: s² of the Gaussian, in place of a box.
    """
    if not expression.is_polynomial(*symbols):
        return "K is no polynomial"
    polynomial = Poly(expression, *symbols)
    if not (polynomial.domain.is_ZZ or polynomial.domain.is_QQ):
        return "K has irrational coefficients"
    with working(BITS):
        if len(polynomial.monoms()) == 1:
            if half_width is not None:
                return leading_monomials.on_box(polynomial, exponents, half_width, pair, go_on)
            if variance is not None:
                return leading_monomials.under_gaussian(polynomial, exponents, 1 / variance, pair)
        if len(symbols) == 2 and not any(exponents) and weights is not None:
            (first, second), degree = weights
            if half_width is not None:
                return leading_plane.on_box(polynomial, (first, second), degree, half_width, pair, go_on)
            if variance is not None:
                return leading_plane.under_gaussian(polynomial, (first, second), degree, 1 / variance, pair, go_on)
    return "K is neither a monomial nor a weighted homogeneous polynomial in the plane with a flat prior"
