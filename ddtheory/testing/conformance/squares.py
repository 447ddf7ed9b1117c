"""K of a cell as a sum of squares, which is what makes a mean squared error of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, TypeAlias

from ddtheory.errors import InvalidValueError

if TYPE_CHECKING:
    from sympy import Expr

    from ddtheory.cells import Cell

Squares: TypeAlias = "Sequence[tuple[Fraction, Expr]]"
"""K = Σ c f²."""

_NODES = 12  # of a rule whose error on |θ| ≤ 1 is below the last bit of a double


def polynomial_squares(cell: Cell, *, of_generators: bool = False) -> Squares:
    """K of the cell as squares of polynomials in its coordinates with rational coefficients.

    Args:
        of_generators: of Σ f² over the generators, where K is none such.

    Raises:
        InvalidValueError: K is no such sum.
    """
    from ddtheory.exact.thresholds.expressions import squares_of

    inside = set(cell.coordinates)
    for found in (squares_of(cell.divergence), [(Fraction(1), f) for f in cell.generators] if of_generators else None):
        if found and all(f.is_polynomial(*inside) and f.free_symbols <= inside for _, f in found):
            return found
    raise InvalidValueError(f"K of the cell {cell.name} is no sum of squares of polynomials in its coordinates.")


def analytic_squares(cell: Cell) -> Squares:
    """K of the cell as squares of functions that are analytic on the box of half width 1.

    An exponential family on a curve has K = θ² ∫_0^1 (1 − s) b''(sθ) ds with θ = t^k, and Gauss's rule in s makes a sum
    of squares of it, to the last bit of a double.

    Raises:
        InvalidValueError: K is not seen to be such a sum, or has roots.
    """
    found = _of_curve(cell) if cell.family == "exponential_curve" else _terms(cell.divergence)
    if not found or not all(f.free_symbols <= set(cell.coordinates) and not _has_root(f) for _, f in found):
        raise InvalidValueError(f"K of the cell {cell.name} is no sum of squares of functions of its coordinates.")
    return found


def _terms(divergence: Expr) -> Squares | None:
    """Σ c f², term by term as it is written: of products of even powers, negative ones too."""
    import sympy

    found: list[tuple[Fraction, Expr]] = []
    for term in sympy.Add.make_args(divergence):
        coefficient, rest = term.as_coeff_Mul()
        powers = [factor.as_base_exp() for factor in sympy.Mul.make_args(rest)]
        if not (coefficient.is_Rational and coefficient > 0 and all(p.is_Integer and p % 2 == 0 for _, p in powers)):
            return None
        root = sympy.Mul(*[base ** (power / 2) for base, power in powers])
        found.append((Fraction(int(coefficient.p), int(coefficient.q)), root))
    return found


def _has_root(expression: Expr) -> bool:
    """Whether a coordinate stands under a root: there quadrature does not come to an end."""
    import sympy

    return any(not power.exp.is_integer and power.base.free_symbols for power in expression.atoms(sympy.Pow))


def _of_curve(cell: Cell) -> Squares:
    import sympy
    from numpy.polynomial.legendre import leggauss

    (theta,) = cell.generators
    # √b'': of log(1 + e^θ) it is 1/(2 cosh(θ/2)), of e^θ it is e^{θ/2}
    roots: dict[str, Callable[[Expr], Expr]] = {
        "bernoulli": lambda at: 1 / (2 * sympy.cosh(at / 2)),
        "poisson": lambda at: sympy.exp(at / 2),
        "gaussian": lambda at: sympy.Integer(1),
    }
    root = roots[cell.arguments["family"]]
    found = []
    nodes, weights = leggauss(_NODES)
    for node, weight in zip(nodes, weights, strict=True):
        s, share = Fraction(1 + float(node)) / 2, Fraction(float(weight)) / 2
        found.append((share * (1 - s), theta * root(sympy.Rational(s.numerator, s.denominator) * theta)))
    return found
