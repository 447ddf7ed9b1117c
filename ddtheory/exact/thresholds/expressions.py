"""Expressions as polynomials in the local ring: squares, and functions that are a polynomial times a unit."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, TypeAlias

import sympy
from sympy import Expr, Pow, Rational, Symbol

from ddtheory.errors import InvalidValueError, NotAnalyticError, UndecidedError
from ddtheory.exact.numbers.zero import sign
from ddtheory.exact.orders.ray import leading_term
from ddtheory.exact.thresholds.ideal import shown

Polynomial: TypeAlias = Any  # an element of a sympy ring

_VANISHING = (sympy.sin, sympy.tan, sympy.sinh, sympy.tanh, sympy.asin, sympy.atan, sympy.asinh, sympy.atanh, sympy.erf)
_ENTIRE = (sympy.exp, sympy.sin, sympy.cos, sympy.sinh, sympy.cosh, sympy.tanh, sympy.atan, sympy.asinh, sympy.erf)


def functions_as_coordinates(expressions: Sequence[Expr], moved: set[str]) -> list[Expr]:
    """A variable that occurs only inside one odd function, as in tanh(y), is replaced: y ↦ tanh(y) is a coordinate.

    It is y times a positive unit, so a prior weight or a boundary at y = 0 stays what it is.
    """
    found = list(expressions)
    for function in {atom for expression in found for atom in expression.atoms(*_VANISHING)}:
        (inner,) = function.args
        if not isinstance(inner, Symbol) or inner.name in moved:
            continue
        replaced = [expression.xreplace({function: sympy.Dummy(inner.name)}) for expression in found]
        if not any(inner in expression.free_symbols for expression in replaced):
            found = [expression.xreplace({function: inner}) for expression in found]
    return found


def squares_of(expression: Expr) -> list[tuple[Fraction, Expr]] | None:
    """K read as Σ c_i f_i² with c_i > 0, term by term as it was written."""
    found: list[tuple[Fraction, Expr]] = []
    for term in sympy.Add.make_args(expression):
        coefficient, rest = term.as_coeff_Mul()
        if not isinstance(coefficient, Rational) or coefficient <= 0:
            return None
        root: Expr = sympy.Integer(1)
        for factor in sympy.Mul.make_args(rest):
            base, power = factor.as_base_exp()
            if not power.is_Integer or power <= 0 or power % 2:
                return None
            root = root * base ** (power / 2)
        found.append((Fraction(int(coefficient.p), int(coefficient.q)), root))
    return found


def polynomial_of(expression: Expr, ring: Any, point: Mapping[str, Fraction], most_terms: int) -> Polynomial:
    symbols = _real_symbols(ring)
    reduced = _up_to_units(expression, point)
    if not reduced.is_polynomial(*symbols):
        culprit = next((f for f in reduced.atoms(sympy.Function)), reduced)
        raise NotAnalyticError(
            f"{culprit} is no polynomial. What can be reduced: polynomials with rational coefficients, and products "
            "and powers of these with sin, tan, tanh, sinh, atan, erf, log(1 + p), exp(p) − 1 of p vanishing there: "
            "each is p times a unit. Otherwise give a Taylor polynomial, and say so."
        )
    size = _expanded_size(reduced)
    if size > 200 * most_terms:
        raise InvalidValueError(
            f"Expanding the expression could take {size} terms; the limit is most_terms = {most_terms}. Give the "
            "generators of its ideal instead."
        )
    named = reduced.xreplace({symbol: Symbol(symbol.name) for symbol in symbols})
    try:
        return ring.from_expr(named)
    except (ValueError, sympy.polys.polyerrors.CoercionFailed):
        raise InvalidValueError(
            f"{expression} has a coefficient that is not rational. Constant factors of a generator do not matter; "
            "rescale the variables, or replace the coefficient by a rational number and say so."
        ) from None


@functools.lru_cache(maxsize=8)
def _real_symbols(ring: Any) -> tuple[Symbol, ...]:
    return tuple(Symbol(symbol.name, real=True) for symbol in ring.symbols)


def _expanded_size(expression: Expr) -> int:
    """A bound on the number of terms after expansion."""
    if isinstance(expression, sympy.Add):
        return sum(_expanded_size(term) for term in expression.args)
    if isinstance(expression, sympy.Mul):
        return math.prod(_expanded_size(factor) for factor in expression.args)
    if isinstance(expression, Pow) and expression.args[1].is_Integer:
        inside, power = _expanded_size(expression.args[0]), int(expression.args[1])
        variables = len(expression.free_symbols)
        return (
            min(math.comb(inside + power - 1, power), math.comb(variables + power * 12, variables)) if power > 0 else 1
        )
    return 1


def _up_to_units(expression: Expr, point: Mapping[str, Fraction]) -> Expr:
    """The factors that are a polynomial times a unit at the point, replaced by that polynomial."""
    if isinstance(expression, sympy.Mul):
        return sympy.Mul(*[_up_to_units(factor, point) for factor in expression.args])
    if isinstance(expression, Pow) and expression.args[1].is_Integer and expression.args[1] > 0:
        return _up_to_units(expression.args[0], point) ** expression.args[1]
    place = {Symbol(name, real=True): Rational(v.numerator, v.denominator) for name, v in point.items()}

    def vanishes(inner: Expr) -> bool:
        value = inner.subs({symbol: place.get(symbol, 0) for symbol in inner.free_symbols})
        return bool(value == 0) and is_analytic(inner)

    def is_analytic(inner: Expr) -> bool:
        """Sums, products and powers, entire functions of such, and the others where they are p times a unit."""
        if inner.is_number or isinstance(inner, Symbol):
            return True
        if isinstance(inner, Pow) and not (inner.args[1].is_Integer and inner.args[1] > 0):
            return False
        if isinstance(inner, _VANISHING) and not isinstance(inner, _ENTIRE) and not vanishes(inner.args[0]):
            return False
        if isinstance(inner, sympy.log) and not vanishes(inner.args[0] - 1):
            return False
        known = (sympy.Add, sympy.Mul, Pow, sympy.log, *_VANISHING, *_ENTIRE)
        return isinstance(inner, known) and all(map(is_analytic, inner.args))

    if isinstance(expression, _VANISHING) and vanishes(expression.args[0]):
        return _up_to_units(expression.args[0], point)
    if isinstance(expression, sympy.log) and vanishes(expression.args[0] - 1):
        return _up_to_units(sympy.expand(expression.args[0] - 1), point)
    if isinstance(expression, sympy.exp) and is_analytic(expression.args[0]):
        return sympy.Integer(1)
    if isinstance(expression, sympy.cos) and vanishes(expression.args[0]):
        return sympy.Integer(1)
    if isinstance(expression, sympy.Add) and len(expression.free_symbols) == 1 and not expression.is_polynomial():
        (symbol,) = expression.free_symbols
        return _leading_power(expression, symbol, place.get(symbol, sympy.Integer(0)))
    if isinstance(expression, sympy.Add) and len(expression.args) == 2:
        for first, second in itertools.permutations(expression.args):
            for side in (1, -1):
                if second == -side and isinstance(side * first, sympy.exp) and vanishes((side * first).args[0]):
                    return side * _up_to_units((side * first).args[0], point)
                if second == side and isinstance(-side * first, sympy.cos) and vanishes((-side * first).args[0]):
                    return side * _up_to_units((-side * first).args[0], point) ** 2
    return expression


def _leading_power(expression: Expr, symbol: Symbol, at: Expr) -> Expr:
    """A function of one variable is (x − x_0)^k times a unit, when it has the same order on both sides."""
    time = Symbol("t", positive=True)
    try:
        right, left = (leading_term(expression.subs(symbol, at + side * time), time) for side in (1, -1))
        if right.exponent is None or right.exponent != left.exponent:
            return expression
        return sign(right.coefficient) * (symbol - at) ** right.exponent  # the sign of K matters
    except (NotAnalyticError, UndecidedError):
        return expression


def described(asked: Sequence[Expr], given: Sequence[Polynomial], kind: str) -> str:
    """Which polynomials stand for what was asked."""
    found = ", ".join(shown(f) for f in given)
    return (
        f"{', '.join(map(str, asked)).replace('**', '^')} read up to units, constants and scales of coordinates as "
        f"{found if kind == 'divergence' else f'⟨{found}⟩'}."
    )
