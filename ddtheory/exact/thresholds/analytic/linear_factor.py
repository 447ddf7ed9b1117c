"""A function that vanishes where its linear part does is that linear part times a unit, as e^x − e^y is."""

from __future__ import annotations

from collections.abc import Sequence

import sympy
from sympy import Expr, Symbol

from ddtheory.errors import NotAnalyticError, UndecidedError
from ddtheory.exact.numbers.zero import is_zero, sign
from ddtheory.exact.orders.flatness import prove_flat
from ddtheory.exact.thresholds.analytic.jets import jet


def linear_factor(expression: Expr, symbols: Sequence[Symbol]) -> Expr | None:
    """The linear part p of f, when f vanishes on p = 0; then f = p·g, and g(0) = 1.

    With p = c·x + q(others), f vanishes at x = −q/c for all values of the others. That is proven by substitution.

    >>> x, y = sympy.symbols("x y", real=True)
    >>> linear_factor(sympy.sin(x) - sympy.sin(y), [x, y]), linear_factor(sympy.sin(x) - y, [x, y])
    (x - y, None)
    """
    try:
        linear = jet(expression, symbols, 1)
        if not linear or any(sum(monomial) != 1 for monomial in linear):
            return None
        slopes = {symbols[monomial.index(1)]: c for monomial, c in linear.items()}
        part = sympy.Add(*[c * x for x, c in slopes.items()])
        x, slope = next(iter(slopes.items()))
        if not sign(slope):
            return None
        rest = expression.xreplace({x: sympy.expand((slope * x - part) / slope)})
        return part if _is_identically_zero(rest) else None
    except (NotAnalyticError, UndecidedError):
        return None


def _is_identically_zero(expression: Expr) -> bool:
    symbols = sorted(expression.free_symbols, key=lambda symbol: symbol.name)
    if not symbols:
        return is_zero(expression)
    if jet(expression, symbols, 4):
        return False
    time = sympy.Dummy("t", real=True)
    return bool(prove_flat(expression.xreplace({symbol: time * symbol for symbol in symbols}), time))
