"""Taylor polynomials as terms: made rational, made expressions again, and how far they are computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sympy
from flint import fmpq
from sympy import Expr, Rational, Symbol

from ddtheory.exact.numbers.zero import sign
from ddtheory.exact.thresholds.analytic.jets import Monomial
from ddtheory.exact.thresholds.analytic.scales import rational_ratio

Terms = Mapping[Monomial, Expr]

_DEGREES = (1, 2, 3, 4, 5, 6, 8, 10, 12)
_MOST_MONOMIALS = 500


def degrees(count: int) -> list[int]:
    """The degrees that are tried, for a number of variables."""
    return [degree for degree in _DEGREES if monomials(count, degree) <= _MOST_MONOMIALS]


def monomials(count: int, degree: int) -> int:
    """How many monomials there are up to a degree."""
    return int(sympy.binomial(count + degree, degree))


def is_rational(terms: Terms) -> bool:
    """Whether all coefficients are rational."""
    return all(isinstance(value, Rational) for value in terms.values())


def normalised(terms: Terms) -> Terms:
    """Divided by the size of the first coefficient where that makes all of them rational.

    >>> normalised({(1, 0): sympy.sqrt(2), (0, 1): -sympy.sqrt(8)})
    {(1, 0): 1, (0, 1): -2}
    """
    if is_rational(terms):
        return terms
    first = next(iter(terms.values()))
    size = first * sign(first)
    divided: dict[Monomial, Expr] = {}
    for monomial, c in terms.items():
        ratio = rational_ratio(c, size)
        if ratio is None:
            return terms
        divided[monomial] = ratio
    return divided


def for_flint(terms: Terms) -> dict[Monomial, fmpq]:
    """Rational coefficients for FLINT."""
    return {monomial: fmpq(int(c.p), int(c.q)) for monomial, c in terms.items()}


def expression_of(terms: Terms, symbols: Sequence[Symbol]) -> Expr:
    """Σ c x^a."""
    return sympy.Add(*[c * monomial_of(monomial, symbols) for monomial, c in terms.items()])


def monomial_of(monomial: Monomial, symbols: Sequence[Symbol]) -> Expr:
    """x^a."""
    return sympy.Mul(*[symbol**power for symbol, power in zip(symbols, monomial, strict=True)])


def degree_of(polynomial: Expr) -> int:
    """The total degree."""
    return int(sympy.Poly(polynomial, *polynomial.free_symbols).total_degree())


def text_of(expression: Expr) -> str:
    """An expression as `parse_expression` reads it."""
    return str(expression).replace("**", "^")
