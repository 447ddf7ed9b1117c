"""Factors that are units, or a simpler expression times a positive unit, at the origin."""

from __future__ import annotations

import sympy
from sympy import Expr, Integer, Pow, Symbol

from ddtheory.errors import NotAnalyticError
from ddtheory.exact.numbers.zero import sign
from ddtheory.exact.thresholds.analytic.jets import jet
from ddtheory.exact.thresholds.germs.local_ring import factors, ring_of

_LIKE_ITS_ARGUMENT = (
    sympy.sin, sympy.tan, sympy.asin, sympy.atan, sympy.sinh, sympy.tanh, sympy.asinh, sympy.atanh, sympy.erf,
)  # fmt: skip
_MOST_TERMS = 40
_MOST_FUNCTIONS = 4
_MOST_OPERATIONS = 250


def factored(expression: Expr) -> Expr:
    """A sum as a product, its functions taken for unknowns; the sum itself where that is long to compute.

    >>> x, y = sympy.symbols("x y", real=True)
    >>> factored(y**2 - 2 * y * sympy.sin(x) + sympy.sin(x) ** 2)
    (y - sin(x))**2
    """
    functions = expression.atoms(sympy.Function, sympy.exp)
    if not isinstance(expression, sympy.Add) or not 1 < len(expression.args) <= _MOST_TERMS:
        return expression
    if len(functions) > _MOST_FUNCTIONS or sympy.count_ops(expression) > _MOST_OPERATIONS:
        return expression
    try:
        polynomial = sympy.Poly(expression)
    except sympy.PolynomialError:
        return expression
    if not (polynomial.domain.is_ZZ or polynomial.domain.is_QQ):
        return expression
    ring = ring_of([f"u{place}" for place in range(len(polynomial.gens))])
    element = ring.from_dict({m: ring.domain(int(c.p), int(c.q)) for m, c in polynomial.terms()})
    constant, found = factors(element)  # by FLINT, where sympy may take a minute
    if len(found) == 1 and found[0][1] == 1:
        return expression
    place = dict(zip(map(str, ring.symbols), polynomial.gens, strict=True))
    parts = [
        factor.as_expr().subs({s: place[str(s)] for s in ring.symbols}, simultaneous=True) ** power
        for factor, power in found
    ]
    return sympy.Mul(sympy.Rational(int(constant.numerator), int(constant.denominator)), *parts)


def without_units(expression: Expr) -> Expr:
    """A product without its units, whose signs stay; f(p) with f(0) = 0 < f′(0) is p times a positive unit.

    Raises:
        NotAnalyticError: a factor has a pole, a branch point or an unknown function at 0.
        UndecidedError: it is not known whether a factor vanishes at 0.

    >>> x, y = sympy.symbols("x y", real=True)
    >>> without_units(sympy.tanh(x * y) * sympy.sin(x) / (y - 2) * sympy.exp(x))
    -x**2*y
    """
    if isinstance(expression, sympy.Mul):
        return sympy.Mul(*[without_units(factor) for factor in expression.args])
    if isinstance(expression, Pow) and expression.args[1].is_Integer:
        return without_units(expression.args[0]) ** expression.args[1]
    if isinstance(expression, Symbol) or not expression.free_symbols:
        return expression
    try:
        turn = sign(value_at_origin(expression))
    except NotAnalyticError:
        if len(expression.free_symbols) == 1:
            return expression  # the series in one variable tells whether the singularity is removable
        raise
    if turn:
        return Integer(turn)
    if isinstance(expression, _LIKE_ITS_ARGUMENT) and not value_at_origin(expression.args[0]):
        return without_units(expression.args[0])
    if isinstance(expression, sympy.log):
        return without_units(expression.args[0] - 1)
    return expression


def value_at_origin(expression: Expr) -> Expr:
    """f(0), for an expression that is analytic there.

    Raises:
        NotAnalyticError, UndecidedError: as in `jet`.
    """
    symbols = sorted(expression.free_symbols, key=lambda symbol: symbol.name)
    return jet(expression, symbols, 0).get((0,) * len(symbols), Integer(0))
