"""Functions that do not change along the kernel of their differentials generate what their linear parts generate.

Let v run over the kernel of df(0), of dimension d − r, and f(x + t·v) = f(x). Then the f are functions of the r linear
forms of df(0), in which they vanish at 0 with all differentials independent, so r of them are coordinates there.
"""

from __future__ import annotations

from collections.abc import Sequence

import sympy
from sympy import Expr, Rational

from ddtheory.errors import DDTheoryError
from ddtheory.exact.thresholds.analytic.jets import jet
from ddtheory.exact.thresholds.germs.limits import spend

_MOST_SYMBOLS = 30
_MOST_OPERATIONS = 5_000

SAYS = "The generators do not change along the kernel of their differentials, so they generate what these do."


def linear_forms(expressions: Sequence[Expr]) -> list[Expr] | None:
    """The linear forms with rational coefficients that generate the same ideal; None where that is not seen.

    >>> x, y = sympy.symbols("x y", real=True)
    >>> linear_forms([1 / sympy.sqrt(1 + (x - y) ** 2) + x - y - 1])
    [x - y]
    >>> linear_forms([sympy.sin(x - y), x**2])
    """
    symbols = sorted(set().union(*[entry.free_symbols for entry in expressions]), key=lambda symbol: symbol.name)
    if len(symbols) > _MOST_SYMBOLS or sum(map(sympy.count_ops, expressions)) > _MOST_OPERATIONS:
        return None
    rows: list[list[Expr]] = []
    for expression in expressions:
        spend()
        try:
            lowest = jet(expression, symbols, 1)
        except DDTheoryError:
            return None
        if any(not any(monomial) for monomial in lowest):
            return None
        rows.append([lowest.get(tuple(int(x is y) for y in symbols), sympy.Integer(0)) for x in symbols])
    reduced, pivots = sympy.Matrix(rows).rref()
    if not pivots or not all(isinstance(entry, Rational) for entry in reduced):
        return None
    times = [sympy.Dummy("t", real=True) for _ in range(len(symbols) - len(pivots))]
    kernel = reduced[: len(pivots), :].nullspace()
    step = sum((t * v for t, v in zip(times, kernel, strict=True)), start=sympy.zeros(len(symbols), 1))
    moved = {x: x + along for x, along in zip(symbols, step, strict=True)}
    for expression in expressions:
        spend()
        found = sympy.expand(expression.subs(moved, simultaneous=True))  # in arguments, too
        if found.free_symbols & {*times}:
            return None
    return [sympy.Add(*[c * x for c, x in zip(reduced.row(i), symbols, strict=True)]) for i in range(len(pivots))]
