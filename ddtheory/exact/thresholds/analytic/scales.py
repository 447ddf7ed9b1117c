"""Coordinates and generators scaled by positive constants, so that irrational coefficients become rational.

A scale keeps the zero of a coordinate, its side, and a weight |x|^h up to a constant; a generator and K may be divided
by a positive constant. In logarithms all scalings together add a vector of the span of the rows (e_j, a), one for each
term c·x^a of generator j. So a set of terms with independent rows can be given coefficients ±1, and a term with the row
Σ r_b·(row of b) then has the coefficient c·∏ |c_b|^{−r_b}.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

import sympy
from flint import fmpq, fmpq_mat
from sympy import Expr, Rational

from ddtheory.errors import UndecidedError
from ddtheory.exact.numbers.zero import is_zero, sign
from ddtheory.exact.thresholds.analytic.jets import Monomial

_MOST_TERMS = 60
_DIGITS = 20


def in_rational_scales(jets: Sequence[Mapping[Monomial, Expr]]) -> list[dict[Monomial, Expr]] | None:
    """The same polynomials in scaled coordinates, with rational coefficients; None where no scale does it.

    >>> found = in_rational_scales([{(2, 0): Rational(1), (1, 1): sympy.sqrt(2), (0, 2): Rational(3)}])
    >>> found
    [{(2, 0): 1, (1, 1): 1, (0, 2): 3/2}]
    >>> in_rational_scales([{(1, 0): Rational(1), (0, 1): sympy.pi}, {(1, 0): Rational(1), (0, 1): Rational(1)}])
    """
    terms = [(j, monomial, c) for j, entry in enumerate(jets) for monomial, c in entry.items()]
    if len(terms) > _MOST_TERMS:
        return None
    rows = [[int(j == k) for k in range(len(jets))] + list(monomial) for j, monomial, _ in terms]
    reduced, rank = fmpq_mat([[fmpq(rows[k][i]) for k in range(len(rows))] for i in range(len(rows[0]))]).rref()
    basis = [next(k for k in range(len(rows)) if reduced[i, k]) for i in range(rank)]
    found: list[dict[Monomial, Expr]] = [{} for _ in jets]
    try:
        sizes = [terms[k][2] * sign(terms[k][2]) for k in basis]
        for k, (j, monomial, c) in enumerate(terms):
            value = c
            for i, size in enumerate(sizes):
                value *= size ** -Rational(int(reduced[i, k].p), int(reduced[i, k].q))
            ratio = rational_ratio(value, sympy.Integer(1))
            if ratio is None:
                return None
            found[j][monomial] = ratio
    except UndecidedError:
        return None
    return found


def rational_ratio(value: Expr, unit: Expr) -> Rational | None:
    """value/unit when it is a rational number of moderate size: guessed from digits, and proven.

    >>> rational_ratio(sympy.sqrt(8) + sympy.sqrt(2), sympy.sqrt(2)), rational_ratio(sympy.pi, sympy.Integer(1))
    (3, None)
    """
    if isinstance(value, Rational) and isinstance(unit, Rational):
        return value / unit
    digits = Fraction(str(sympy.N(value / unit, 2 * _DIGITS)))
    guess = digits.limit_denominator(10 ** (_DIGITS // 2))
    if abs(guess - digits) > Fraction(1, 10**_DIGITS):
        return None
    ratio = Rational(guess.numerator, guess.denominator)
    try:
        return ratio if is_zero(value - ratio * unit) else None
    except UndecidedError:
        return None
