"""Expressions as they were written: squares, functions in place of coordinates, polynomials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, TypeAlias

import sympy
from sympy import Expr, Pow, Rational, Symbol

from ddtheory.errors import InvalidValueError
from ddtheory.exact.numbers.expansion import expanded_size
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
    places = {symbol.name: place for place, symbol in enumerate(ring.symbols)}
    found: dict[tuple[int, ...], Any] = {}
    others: list[Expr] = []
    for term in sympy.Add.make_args(expression):
        monomial = _monomial(term, places)
        if monomial is None:
            others.append(term)
        else:
            exponents, coefficient = monomial
            found[exponents] = found.get(exponents, 0) + ring.domain(coefficient.p, coefficient.q)
    plain = ring.from_dict(found)
    if not others:
        return plain
    rest = sympy.Add(*others)
    return plain + ring.from_expr(rest.xreplace({symbol: Symbol(symbol.name) for symbol in rest.free_symbols}))


def _monomial(term: Expr, places: Mapping[str, int]) -> tuple[tuple[int, ...], Rational] | None:
    """The exponents and the coefficient of a rational multiple of a product of powers; None for anything else."""
    exponents = [0] * len(places)
    coefficient: Rational = sympy.Integer(1)
    for factor in sympy.Mul.make_args(term):
        if isinstance(factor, Symbol):
            exponents[places[factor.name]] += 1
        elif isinstance(factor, Rational):
            coefficient *= factor
        else:
            base, power = factor.as_base_exp()
            if not (isinstance(base, Symbol) and isinstance(power, sympy.Integer) and power.p > 0):
                return None
            exponents[places[base.name]] += power.p
    return tuple(exponents), coefficient


def refuse_long(expression: Expr, most_terms: int) -> None:
    """
    Raises:
        InvalidValueError: the expression could have far too many terms after expansion.
    """
    size = expanded_size(expression)
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
        return isinstance(power, sympy.Integer) and power.p > 0 and is_rational_polynomial(base)
    return isinstance(expression, Rational | Symbol)


def described(asked: Sequence[Expr], given: Sequence[Polynomial], kind: str, steps: Sequence[str]) -> str:
    """Which polynomials stand for what was asked, and why they may."""
    found = ", ".join(shown(f) for f in given)
    read = (
        f"{', '.join(map(str, asked)).replace('**', '^')} read up to units, constants and scales of coordinates as "
        f"{found if kind == 'divergence' else f'⟨{found}⟩'}."
    )
    return " ".join([read, *steps])
