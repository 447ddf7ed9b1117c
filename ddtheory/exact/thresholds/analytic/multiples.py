"""Generators without multiples of each other: the ideal stays what it is."""

from __future__ import annotations

from collections.abc import Sequence

import sympy
from sympy import Expr

from ddtheory.errors import NotAnalyticError
from ddtheory.exact.thresholds.analytic.factors import value_at_origin
from ddtheory.exact.thresholds.expressions import is_rational_polynomial

_MOST_OPERATIONS = 200


def without_multiples(expressions: Sequence[Expr]) -> list[Expr]:
    """Terms that have another generator as a factor leave, and so does what division by one takes away.

    The functions are unknowns in that division, so its quotient is a polynomial in them, and analytic where they are.

    >>> x, y = sympy.symbols("x y", real=True)
    >>> without_multiples([x**2 + sympy.sin(y) * (x - y), x - y])
    [x**2, x - y]
    """
    found = list(expressions)
    for i in range(len(found)):
        for j in range(len(found)):
            if i != j and found[i].free_symbols and found[j].free_symbols:
                found[i] = _reduced(found[i], found[j])
    return found


def _reduced(expression: Expr, other: Expr) -> Expr:
    if is_rational_polynomial(expression) or not (_is_analytic(expression) and _is_analytic(other)):
        return expression
    terms = sympy.Add.make_args(expression)
    kept = [term for term in terms if not any(other in (part, -part) for part in sympy.Mul.make_args(term))]
    if len(kept) < len(terms):
        return sympy.Add(*kept)
    if sympy.count_ops(expression) + sympy.count_ops(other) > _MOST_OPERATIONS:
        return expression
    try:
        _, rest = sympy.reduced(sympy.expand(expression), [sympy.expand(other)])
    except sympy.PolynomialError:
        return expression
    fewer = len(sympy.Add.make_args(rest)) < len(sympy.Add.make_args(sympy.expand(expression)))
    return rest if fewer or rest == 0 else expression


def _is_analytic(expression: Expr) -> bool:
    try:
        value_at_origin(expression)
    except NotAnalyticError:
        return False
    return True
