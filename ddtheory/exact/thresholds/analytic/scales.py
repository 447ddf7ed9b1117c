"""Coordinates and generators scaled by positive constants, so that irrational coefficients become rational.

A scale keeps the zero of a coordinate, its side, and a weight |x|^h up to a constant; a generator and K may be divided
by a positive constant. In logarithms all scalings together add a vector of the span of the rows (e_j, a), one for each
term c·x^a of generator j. So a set of terms with independent rows can be given coefficients ±1, and a term with the row
Σ r_b·(row of b) then has the coefficient c·∏ |c_b|^{−r_b}.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sympy
from flint import fmpq, fmpq_mat
from sympy import Expr, Rational

from ddtheory.errors import UndecidedError
from ddtheory.exact.numbers.zero import sign
from ddtheory.exact.thresholds.analytic.jets import Monomial

_MOST_TERMS = 60


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
            value = sympy.radsimp(sympy.powdenest(sympy.powsimp(value)))
            if not isinstance(value, Rational):
                value = sympy.simplify(value)
            if not isinstance(value, Rational):
                return None
            found[j][monomial] = value
    except UndecidedError:
        return None
    return found
