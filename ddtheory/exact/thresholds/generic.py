"""Generic constants: symbols without an algebraic relation, so that a polynomial in them is 0 only where it is listed.

What is derived for them holds for all their values off the zeros of finitely many polynomials, which are kept.

Linear combinations. Let M be the matrix of coefficients of generators f = M·(monomials), over ℚ(c), of rank r, P its
pivot columns, R its reduced row echelon form. Then M = M_P·R, so wherever an r × r minor of M_P and the denominators
are not 0, M(c) and R(c) have one row space, and the generators with the coefficients of R generate the same ideal.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import sympy
from sympy import QQ, Expr, Poly, Symbol
from sympy.polys.matrices import DomainMatrix
from sympy.polys.polyerrors import CoercionFailed

_MOST_CONSTANTS = 6
_MOST_RANK = 8
_MOST_ENTRIES = 2_000


def is_generic(symbol: Symbol) -> bool:
    """Whether a constant is declared generic; generic constants are independent of each other."""
    return bool(symbol.is_transcendental)


def is_of_generic(expression: Expr) -> bool:
    """Whether an expression is a rational function, not 0, of generic constants alone."""
    symbols = expression.free_symbols
    rational = bool(symbols) and all(map(is_generic, symbols)) and expression.is_rational_function(*symbols)
    return bool(rational and sympy.cancel(expression) != 0)


def off(expressions: Iterable[Expr]) -> tuple[str, ...]:
    """The different irreducible factors of numerators and denominators, in order.

    >>> c, d = sympy.symbols("c d", real=True, transcendental=True)
    >>> off([c * (c - d) ** 2, 1 / (c + 1), sympy.Integer(3)])
    ('c', 'c - d', 'c + 1')
    """
    found: dict[Expr, None] = {}
    for expression in expressions:
        for part in sympy.fraction(sympy.together(expression)):
            for factor, _ in sympy.factor_list(part)[1] if part.free_symbols else ():
                found[-factor if -factor in found else factor] = None
    return tuple(map(str, found))


def combined(polynomials: Sequence[Poly]) -> tuple[list[Expr], list[Expr]] | None:
    """Generators of the same ideal with rational coefficients, and what must not be 0; None otherwise.

    >>> x, y = sympy.symbols("x y", real=True)
    >>> c, d = sympy.symbols("c d", real=True, transcendental=True)
    >>> combined([Poly(x + c * y**2, x, y), Poly(x + d * y**2, x, y)])
    ([x, y**2], [-c + d])
    """
    coordinates = polynomials[0].gens
    rows = [dict(polynomial.terms()) for polynomial in polynomials]
    monomials = sorted(set().union(*rows), key=lambda monomial: (sum(monomial), monomial))
    entries = [[row.get(monomial, sympy.Integer(0)) for monomial in monomials] for row in rows]
    constants = sorted({s for row in entries for entry in row for s in entry.free_symbols}, key=str)
    if not constants or len(constants) > _MOST_CONSTANTS or not all(map(is_generic, constants)):
        return None
    listed = [entry for row in entries for entry in row]
    if len(listed) > _MOST_ENTRIES or not all(entry.is_rational_function(*constants) for entry in listed):
        return None
    try:
        matrix = DomainMatrix.from_Matrix(sympy.Matrix(entries)).convert_to(QQ.frac_field(*constants))
    except CoercionFailed:  # numbers that are not rational
        return None
    reduced, pivots = matrix.rref()
    if len(pivots) > _MOST_RANK:
        return None
    found = reduced.to_Matrix()[: len(pivots), :]
    if any(entry.free_symbols for entry in found):
        return None
    _, chosen = matrix.transpose().rref()
    minor = matrix.to_Matrix().extract(list(chosen), list(pivots)).det(method="berkowitz")
    denominators = [sympy.fraction(sympy.together(entry))[1] for entry in listed]
    powers = [sympy.Mul(*[x**e for x, e in zip(coordinates, monomial, strict=True)]) for monomial in monomials]
    generators = [sympy.Add(*[c * p for c, p in zip(row, powers, strict=True)]) for row in found.tolist()]
    return generators, [minor, *dict.fromkeys(c for c in denominators if c != 1)]
