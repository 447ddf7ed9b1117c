"""Ideals of sums Σ_k a_k·φ_i(b_k): power sums, of which finitely many generate.

With p_n = Σ_k a_k b_k^n over r units, p_{n+r} = e_1 p_{n+r−1} − e_2 p_{n+r−2} + … with the elementary symmetric
functions e_j of the b_k (Newton's identities, from ∏(T − b_k) = 0 at T = b_k). So p_n, and a series Σ_n c_n p_n over
n ≥ n_0 + r, lies in m·⟨p_{n_0} … p_{n_0+r−1}⟩; where only every Q-th n occurs, the same holds with the b_k^Q. If the
first r coefficients of r generators form an invertible matrix, they generate the same ideal as these r power sums.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import sympy
from flint import fmpq, fmpq_mat
from sympy import Expr, Rational

from ddtheory.errors import NotAnalyticError, UndecidedError
from ddtheory.exact.thresholds.analytic.cutting import Cut
from ddtheory.exact.thresholds.analytic.jets import jet

_PLACE = sympy.Dummy("b", real=True)
_MOST_UNITS = 6


def power_sums(expressions: Sequence[Expr]) -> Cut | None:
    """The first power sums, where the generators are combinations of power sums; None where that is not seen.

    >>> a, b, c, d = sympy.symbols("a b c d", real=True)
    >>> tanh = sympy.tanh
    >>> power_sums([a * tanh(b) + c * tanh(d), a * tanh(2 * b) + c * tanh(2 * d)]).expressions
    (a*b + c*d, a*b**3 + c*d**3)
    """
    units: dict[tuple[Expr, Expr], None] = {}
    shapes: list[Expr] = []
    entire = [e for e in expressions if not e.is_polynomial(*e.free_symbols)]
    places = {b for expression in entire for b in _places(expression)}
    for expression in expressions:
        found = _as_sum(expression, places)
        if found is None:
            return None
        shape, mine = found
        if units and set(mine) != set(units):
            return None
        units = units or dict.fromkeys(mine)
        shapes.append(shape)
    count = len(units)
    if not 1 < count <= _MOST_UNITS or len(shapes) < count:
        return None
    powers, rows = _coefficients(shapes, count)
    if powers is None or fmpq_mat(rows).rank() < count:
        return None
    found = tuple(sympy.Add(*[a * b**n for a, b in units]) for n in powers)
    return Cut(
        found, "Power sums of higher order lie in the ideal of the first ones (Newton's identities).", "generators"
    )


def _places(expression: Expr) -> set[Expr]:
    """The symbols that stand in functions."""
    return set().union(*[f.free_symbols for f in expression.atoms(sympy.Function, sympy.exp, sympy.Pow)])


def _as_sum(expression: Expr, places: set[Expr]) -> tuple[Expr, list[tuple[Expr, Expr]]] | None:
    """(φ, units (a, b)) of Σ a·φ(b), with one function φ and units whose b are different coordinates."""
    shape: Expr | None = None
    units: list[tuple[Expr, Expr]] = []
    for term in sympy.Add.make_args(expression):
        inside = term.free_symbols & places
        if len(inside) != 1:
            return None
        (b,) = inside
        own, a = term.as_independent(b, as_Add=False)[::-1]
        mine = own.xreplace({b: _PLACE})
        if shape is None:
            shape = mine
        ratio = sympy.simplify(mine / shape)
        if not isinstance(ratio, Rational) or a.free_symbols & {b} or any(b == other for _, other in units):
            return None
        units.append((ratio * a, b))
    if shape is None or any(a.free_symbols & places for a, _ in units):
        return None
    return shape, units


def _coefficients(shapes: Sequence[Expr], count: int) -> tuple[list[int] | None, list[list[fmpq]]]:
    """The first exponents n_0 + jQ that occur, and the coefficients there; Q is proven by the parity of the functions.

    Other steps than 1 and 2 are not looked for.
    """
    try:
        series = [jet(shape, [_PLACE], 4 * count + 8) for shape in shapes]
    except (UndecidedError, NotAnalyticError):
        return None, []
    occurring = sorted({n for terms in series for (n,) in terms})
    if not occurring or not all(isinstance(c, Rational) for terms in series for c in terms.values()):
        return None, []
    first = occurring[0]
    step = 2 if math.gcd(*[n - first for n in occurring]) % 2 == 0 and all(map(_has_parity, shapes)) else 1
    powers = [first + step * j for j in range(count)]
    rows = [[_flint(terms.get((n,), Rational(0))) for n in powers] for terms in series]
    return powers, rows


def _has_parity(shape: Expr) -> bool:
    turned = shape.xreplace({_PLACE: -_PLACE})
    return bool(turned in (shape, -shape))


def _flint(value: Rational) -> fmpq:
    return fmpq(int(value.p), int(value.q))
