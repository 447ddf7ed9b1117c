"""One function as a polynomial, or a simpler function, times a positive unit."""

from __future__ import annotations

import sympy
from sympy import Expr, Integer

from ddtheory.errors import NotAnalyticError, UndecidedError
from ddtheory.exact.numbers.zero import sign
from ddtheory.exact.orders.flatness import prove_flat
from ddtheory.exact.orders.ray import leading_term
from ddtheory.exact.thresholds.analytic.compositions import Composition, compositions
from ddtheory.exact.thresholds.analytic.cutting import cut_ideal
from ddtheory.exact.thresholds.analytic.jets import jet
from ddtheory.exact.thresholds.analytic.linear_factor import linear_factor, linear_power
from ddtheory.exact.thresholds.analytic.terms import text_of

_DEGREES = (1, 2, 4, 8, 12)


def principal(function: Expr) -> tuple[Expr, str]:
    """(g, why) with function = g times a positive unit; g is the function itself, and why empty, when nothing is seen.

    Raises:
        NotAnalyticError: the function has no power series at 0.
        UndecidedError: it may be 0, or a coefficient may be.

    >>> x, y = sympy.symbols("x y", real=True)
    >>> principal(sympy.exp(x * y) - 1 - x * y)[0], principal(sympy.sin(x) - x * y)[0]
    (x**2*y**2, x)
    """
    ways = list(compositions([function]))
    for composition in ways:
        found = _of_one_argument(composition) if len(composition.symbols) == 1 else None
        if found is not None:
            return found
    for composition in ways:
        part = linear_factor(composition.outer[0], composition.symbols)
        if part is not None:
            p = composition.back(part)
            return p, f"A function that is 0 where {text_of(p)} is, its linear part, is that times a unit."
    for composition in ways:
        power = linear_power(composition.outer[0], composition.symbols)
        if power is not None:
            p = composition.back(power)
            return (
                p,
                f"A function that vanishes where {text_of(p)}, its lowest form, does, as often, is that times a unit.",
            )
    for composition in ways:
        ideal = cut_ideal(composition, "")
        if ideal is not None:
            return ideal.expressions[0], ideal.says
    return (Integer(0), "A function that is 0 is 0.") if _is_zero(function) else (function, "")


def _of_one_argument(composition: Composition) -> tuple[Expr, str] | None:
    """φ(p) with φ(t) = c·t^k + … is p^k times a unit of the sign of c; φ is looked at from both sides of 0."""
    (symbol,), (outer,) = composition.symbols, composition.outer
    time = sympy.Dummy("t", positive=True)
    try:
        right, left = (leading_term(outer.subs(symbol, side * time), time) for side in (1, -1))
        if right.exponent is None and left.exponent is None:
            return Integer(0), right.proof
        k = right.exponent
        if k is None or k != left.exponent or not k.is_Integer or k < 0:
            return None
        turn = sign(right.coefficient)
    except (NotAnalyticError, UndecidedError):
        return None
    p = composition.back(symbol)
    return turn * p**k, f"A function of p = {text_of(p)} whose series starts with p^{k} is p^{k} times a unit."


def _is_zero(function: Expr) -> bool:
    symbols = sorted(function.free_symbols, key=lambda symbol: symbol.name)
    if any(jet(function, symbols, degree) for degree in _DEGREES):
        return False
    time = sympy.Dummy("t", real=True)
    if prove_flat(function.xreplace({symbol: time * symbol for symbol in symbols}), time):
        return True
    raise UndecidedError(
        f"{function} vanishes to order {_DEGREES[-1]} at the point, and no proof that it is 0 was found. Simplify it "
        "by hand."
    )
