"""Functions that vanish where a linear form p does, so often as their lowest term p^k says: p^k times a unit.

e^x − e^y is x − y times a unit, and x·log(x/y) − x + y at x = y = 1 is (x − y)² times one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sympy
from sympy import Expr, Symbol

from ddtheory.errors import NotAnalyticError, UndecidedError
from ddtheory.exact.numbers.zero import is_zero, sign
from ddtheory.exact.orders.flatness import prove_flat
from ddtheory.exact.thresholds.analytic.jets import Monomial, jet

_HIGHEST_POWER = 6


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


def linear_power(expression: Expr, symbols: Sequence[Symbol]) -> Expr | None:
    """±p^k with f = p^k·g and ±g(0) > 0, for k ≥ 2: the lowest form of f is c·p^k, and f vanishes to order k on p = 0.

    With p = x + q(others), f and its derivatives in x up to order k − 1 vanish at x = −q for all values of the others.

    >>> x, y = sympy.symbols("x y", real=True)
    >>> linear_power((x - y) * (sympy.exp(y) - sympy.exp(x)), [x, y]), linear_power(sympy.sin(x) ** 2 - y**2, [x, y])
    (-(x - y)**2, None)
    """
    try:
        for k in range(2, _HIGHEST_POWER + 1):
            lowest = jet(expression, symbols, k)
            if lowest:
                found = _root(lowest, symbols, k)
                break
        else:
            return None
        if found is None:
            return None
        part, x, turn = found
        there = {x: sympy.expand(x - part)}
        derivatives = [expression.diff(x, order).xreplace(there) for order in range(k)]
        return turn * part**k if all(map(_is_identically_zero, derivatives)) else None
    except (NotAnalyticError, UndecidedError):
        return None


def _root(form: Mapping[Monomial, Expr], symbols: Sequence[Symbol], k: int) -> tuple[Expr, Symbol, int] | None:
    """p, a symbol x with slope 1 in it, and the sign of c, where the form is c·p^k."""
    pure = [i for i in range(len(symbols)) if tuple(k * int(i == j) for j in range(len(symbols))) in form]
    if not pure or any(sum(monomial) != k for monomial in form):
        return None
    chosen = pure[0]

    def at(other: int) -> Expr:
        powers = [0] * len(symbols)
        powers[chosen] += k - 1
        powers[other] += 1
        return form.get(tuple(powers), sympy.Integer(0))

    c = at(chosen)
    part = sympy.Add(*[x * (1 if i == chosen else at(i) / (k * c)) for i, x in enumerate(symbols)])
    whole = sympy.Poly(c * part**k, *symbols)
    same = all(is_zero(whole.coeff_monomial(m) - form.get(m, 0)) for m in {*form, *whole.monoms()})
    return (part, symbols[chosen], sign(c)) if same else None


def _is_identically_zero(expression: Expr) -> bool:
    symbols = sorted(expression.free_symbols, key=lambda symbol: symbol.name)
    if not symbols:
        return is_zero(expression)
    if jet(expression, symbols, 4):
        return False
    time = sympy.Dummy("t", real=True)
    return bool(prove_flat(expression.xreplace({symbol: time * symbol for symbol in symbols}), time))
