"""Logarithms that are written apart, as one: log u + log v = log uv where u and v are positive."""

from __future__ import annotations

import math

import sympy
from sympy import Expr, Rational

from ddtheory.errors import NotAnalyticError, UndecidedError
from ddtheory.exact.numbers.zero import sign
from ddtheory.exact.thresholds.analytic.compositions import compositions
from ddtheory.exact.thresholds.analytic.factors import value_at_origin

SAYS = "Logarithms of what is positive at the point are one logarithm of a product."


def one_logarithm(expression: Expr) -> Expr:
    """A sum with logarithms c_i log u_i as one with a single −c log ∏ u_i^{k_i}, c_i = −c·k_i and c > 0.

    Only where that leaves a function of one argument, which is understood in any number of coordinates; else the sum
    itself. The u_i must be positive at the origin, where the logarithms are read, and the c_i rational.

    >>> x, y, z = sympy.symbols("x y z", real=True)
    >>> one_logarithm((1 + x) * (1 + y) / (1 + z) - 1 - sympy.log(1 + x) - sympy.log(1 + y) + sympy.log(1 + z))
    (x + 1)*(y + 1)/(z + 1) - log((x + 1)*(y + 1)/(z + 1)) - 1
    """
    split = [(term, *term.as_coeff_Mul()) for term in sympy.Add.make_args(expression)]
    logarithms = [(c, rest.args[0]) for _, c, rest in split if isinstance(rest, sympy.log)]
    if not logarithms or not all(isinstance(c, Rational) for c, _ in logarithms):
        return expression
    try:
        if any(sign(value_at_origin(u)) <= 0 for _, u in logarithms):
            return expression
    except (NotAnalyticError, UndecidedError):
        return expression
    scale = math.lcm(*[int(c.q) for c, _ in logarithms])
    divisor = Rational(math.gcd(*[int(c * scale) for c, _ in logarithms]), scale)
    product = sympy.Mul(*[u ** (-c / divisor) for c, u in logarithms])
    others = [term for term, _, rest in split if not isinstance(rest, sympy.log)]
    found = sympy.Add(*others, -divisor * sympy.log(product))
    return found if len(next(compositions([found])).symbols) == 1 else expression
