"""Expressions as they were written: squares, functions in place of coordinates, polynomials."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, TypeAlias

import sympy
from sympy import Expr, Pow, Rational, Symbol

from ddtheory.errors import InvalidValueError
from ddtheory.exact.thresholds.germs.ideal import shown

Polynomial: TypeAlias = Any  # an element of a sympy ring


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


def polynomial_of(expression: Expr, ring: Any, most_terms: int) -> Polynomial:
    """A polynomial with rational coefficients as an element of a ring.

    Raises:
        InvalidValueError: it could have too many terms.
    """
    refuse_long(expression, most_terms)
    return ring.from_expr(expression.xreplace({symbol: Symbol(symbol.name) for symbol in expression.free_symbols}))


def refuse_long(expression: Expr, most_terms: int) -> None:
    """
    Raises:
        InvalidValueError: the expression could have far too many terms after expansion.
    """
    size = _expanded_size(expression)
    if size > 200 * most_terms:
        raise InvalidValueError(
            f"Expanding the expression could take {size} terms; the limit is most_terms = {most_terms}. Give the "
            "generators of its ideal instead."
        )


def is_rational_polynomial(expression: Expr) -> bool:
    """Whether an expression is a polynomial with rational coefficients.

    >>> x = Symbol("x")
    >>> is_rational_polynomial(x**2 / 3), is_rational_polynomial(sympy.sqrt(2) * x), is_rational_polynomial(1 / x)
    (True, False, False)
    """
    if isinstance(expression, sympy.Add | sympy.Mul):
        return all(map(is_rational_polynomial, expression.args))
    if isinstance(expression, Pow):
        base, power = expression.args
        return bool(power.is_Integer and power > 0 and is_rational_polynomial(base))
    return isinstance(expression, Rational | Symbol)


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


def described(asked: Sequence[Expr], given: Sequence[Polynomial], kind: str, steps: Sequence[str]) -> str:
    """Which polynomials stand for what was asked, and why they may."""
    found = ", ".join(shown(f) for f in given)
    read = (
        f"{', '.join(map(str, asked)).replace('**', '^')} read up to units, constants and scales of coordinates as "
        f"{found if kind == 'divergence' else f'⟨{found}⟩'}."
    )
    return " ".join([read, *steps])
