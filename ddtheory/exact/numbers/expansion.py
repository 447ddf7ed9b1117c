"""How many terms an expression may have once it is multiplied out, told before anything is."""

from __future__ import annotations

import math

import sympy
from sympy import Expr, Pow


def expanded_size(expression: Expr) -> int:
    """A bound on the number of terms after expansion.

    >>> x, y = sympy.symbols("x y")
    >>> expanded_size((x + y) ** 10 * (1 + x))  # 11 monomials, times 2
    22
    """
    if isinstance(expression, sympy.Add):
        return sum(expanded_size(term) for term in expression.args)
    if isinstance(expression, sympy.Mul):
        return math.prod(expanded_size(factor) for factor in expression.args)
    if isinstance(expression, Pow) and expression.args[1].is_Integer:
        inside, power = expanded_size(expression.args[0]), int(expression.args[1])
        if inside == 1:
            return 1
        variables = len(expression.free_symbols)
        return (
            min(math.comb(inside + power - 1, power), math.comb(variables + power * 12, variables)) if power > 0 else 1
        )
    return 1
