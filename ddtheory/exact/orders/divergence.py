"""A divergence near a point: what is a coordinate, what is a parameter, and where the point is."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

import sympy
from sympy import Expr, Integer, Rational, Symbol
from sympy.polys.rootoftools import ComplexRootOf

from ddtheory.errors import (
    DirectionError,
    InvalidValueError,
    NotADivergenceError,
    NotAnalyticError,
    UndecidedError,
)
from ddtheory.exact.numbers.coordinates import coordinates_of, refuse_narrowed
from ddtheory.exact.numbers.given import Number, by_name, expression_of, names_of
from ddtheory.exact.numbers.names import FUNCTIONS
from ddtheory.exact.numbers.zero import is_zero
from ddtheory.shown import shortened

Names: TypeAlias = "Mapping[Symbol, Number] | Mapping[str, Number]"

_MAX_EXPONENT = 2_000
_ARITHMETIC = (sympy.Add, sympy.Mul, sympy.Pow, Symbol, sympy.Number, sympy.NumberSymbol, ComplexRootOf)


@dataclass(frozen=True)
class DivergenceGerm:
    """K moved to the origin: `divergence` in the `variables`, which all vanish at the point, and in parameters."""

    divergence: Expr
    variables: tuple[Symbol, ...]
    parameters: frozenset[Symbol]


def exact_number(value: Number, what: str) -> Expr:
    """A finite real constant as an exact expression; a float is taken at its exact binary value.

    Raises:
        InvalidValueError: the value is not finite, not real, or contains symbols.
    """
    if isinstance(value, float) and math.isfinite(value):
        fraction = Fraction(value)
        return Rational(fraction.numerator, fraction.denominator)
    number = expression_of(value, what)
    if isinstance(number, sympy.Float):
        return Rational(number)
    if number.free_symbols or not number.is_finite or not number.is_real:
        raise InvalidValueError(f"{what} is {shortened(str(number), 60)}; it must be a finite real constant.")
    return number


def germ_at(
    divergence: Expr | str | float,
    at: Names | None = None,
    parameters: Iterable[Symbol | str] = (),
) -> DivergenceGerm:
    """Move the point to the origin and tell coordinates from parameters.

    A symbol is a parameter when it is declared one, stands in an exponent, or is assumed to be non-zero (a
    coordinate takes the value 0). Every other symbol is a coordinate; the point is 0 unless `at` says otherwise.

    Raises:
        InvalidValueError: K is not a real expression, an exponent is too large, a name is ambiguous, or `at` names a
            symbol that does not occur.
        NotAnalyticError: K contains a function such as |x| that has no power series.
        UndecidedError: an exponent contains a symbol that is not assumed positive.
        NotADivergenceError: K is not zero at the point.
    """
    expression = expression_of(divergence)
    if expression.has(sympy.nan, sympy.zoo, sympy.oo, -sympy.oo, sympy.I):
        raise InvalidValueError(f"{expression} contains a value that is not real and finite.")
    refuse_unknown_functions(expression)
    expression = _without_floats(expression)
    coordinates_of(expression.free_symbols)
    point = by_symbol({} if at is None else at, expression, "at")
    declared = set(names_of(parameters, "parameters"))
    if missing := sorted(declared - {symbol.name for symbol in expression.free_symbols}):
        known = ", ".join(sorted(symbol.name for symbol in expression.free_symbols)) or "none"
        raise InvalidValueError(f"The parameter {missing[0]} does not occur in K. Its symbols: {known}.")
    held = {
        symbol
        for symbol in expression.free_symbols
        if symbol.name in declared or (symbol.is_nonzero and symbol not in point)
    }
    for power in expression.atoms(sympy.Pow):
        base, exponent = power.args
        if base.subs({symbol: point.get(symbol, 0) for symbol in base.free_symbols}) != 0:
            continue  # 2^x and (1 + y)^x are analytic in x, which may be a coordinate
        exponents = {symbol for symbol in exponent.free_symbols if symbol not in point}
        for symbol in sorted(exponents, key=str):
            if not symbol.is_positive:
                raise UndecidedError(
                    f"{symbol} stands in an exponent and nothing says that it is positive. Declare it, as in "
                    f"symbols('{symbol}', integer=True, positive=True), or --parameter {symbol}:positive-integer."
                )
        held |= exponents
    if any(symbol.name == "t" for symbol in held):
        raise InvalidValueError("t is the time along the ray in the answer; give the parameter t another name.")
    variables = tuple(sorted(expression.free_symbols - held, key=lambda symbol: symbol.name))
    for symbol in variables:
        value = point.get(symbol, Integer(0))
        refuse_narrowed(symbol, below=bool(value <= 0), above=bool(value >= 0))
    fresh = {symbol: Symbol(symbol.name, real=True) for symbol in variables}
    moved = expression.subs({symbol: fresh[symbol] + point.get(symbol, 0) for symbol in variables}, simultaneous=True)
    origin = dict.fromkeys(fresh.values(), Integer(0))
    if not analytic_at(moved, origin):
        if len(variables) > 1:
            # x² y² / (x² + y²) and √(x⁴ + y⁴) have a series on every ray, and none at the point
            raise NotAnalyticError(
                f"{moved} divides by zero or has a branch point at the point. A removable singularity such as "
                "sin(x)/x is understood in one coordinate only; rewrite K without it."
            )
        # the series decides whether it is removable
        return DivergenceGerm(moved, tuple(fresh.values()), frozenset(held))
    at_point = moved.subs(origin)
    if not is_zero(at_point):
        raise NotADivergenceError(
            f"K = {at_point} at the point, not 0. A divergence vanishes at the true parameter; "
            "check the point (at=…) or subtract the minimum."
        )
    return DivergenceGerm(moved, tuple(fresh.values()), frozenset(held))


def refuse_unknown_functions(expression: Expr) -> None:
    """Refuse what is neither arithmetic nor one of the functions of the parser.

    Raises:
        NotAnalyticError: the expression contains something else, such as |x| or an integral.
    """
    known = {*FUNCTIONS, "polygamma", "zeta"}  # ψ and its derivatives, and their values
    unknown = {type(node).__name__ for node in _nodes(expression) if not isinstance(node, _ARITHMETIC)} - known
    if unknown:
        raise NotAnalyticError(
            f"{', '.join(sorted(unknown))} is no analytic function known here. Known: {', '.join(sorted(FUNCTIONS))}."
        )


def by_symbol(values: Names, expression: Expr, what: str) -> dict[Symbol, Expr]:
    """The values by symbol of the expression, whether given by symbol or by name.

    Raises:
        InvalidValueError: a name does not occur in the expression, or the values are no mapping.
    """
    occurring = {symbol.name: symbol for symbol in expression.free_symbols}
    found: dict[Symbol, Expr] = {}
    for name, value in by_name(values, what).items():
        if name not in occurring:
            known = ", ".join(sorted(occurring)) or "none"
            raise InvalidValueError(f"{what} names {name}, which does not occur in K. Its symbols: {known}.")
        found[occurring[name]] = exact_number(value, f"{what}[{name}]")
    return found


def direction_of(germ: DivergenceGerm, along: Names) -> tuple[Expr, ...]:
    """The components of a direction in the germ's variables, not normalised.

    Raises:
        DirectionError: the direction is zero, not finite, or names a symbol that is no coordinate.
    """
    try:
        components = by_symbol(along, sympy.Add(*germ.variables, *germ.parameters), "along")
    except InvalidValueError as error:
        raise DirectionError(str(error)) from None
    for symbol in components:
        if symbol not in germ.variables:
            raise DirectionError(f"{symbol} is a parameter, not a coordinate; a direction moves coordinates only.")
    direction = tuple(components.get(symbol, Integer(0)) for symbol in germ.variables)
    # a component such as sin(1)² + cos(1)² − 1 must not be taken for one that moves
    direction = tuple(Integer(0) if is_zero(component) else component for component in direction)
    if not any(direction):
        raise DirectionError("The direction is zero. Give at least one non-zero component, as in along={y: 1}.")
    return direction


def _nodes(expression: Expr) -> Iterator[Expr]:
    """The expression and its parts; a root of a polynomial is one number."""
    parts = sympy.preorder_traversal(expression)
    for node in parts:
        if isinstance(node, ComplexRootOf):
            parts.skip()
        yield node


def analytic_at(expression: Expr, point: Mapping[Symbol, Expr]) -> bool:
    """Whether no part of an expression in analytic functions and powers is singular at the point.

    >>> x = Symbol("x", real=True)
    >>> analytic_at(sympy.sqrt(1 + x), {x: Integer(0)}), analytic_at(sympy.sin(x) / x, {x: Integer(0)})
    (True, False)
    """
    for power in expression.atoms(sympy.Pow):
        base, exponent = power.args
        if exponent.is_Integer and abs(exponent) > _MAX_EXPONENT:
            raise InvalidValueError(f"The exponent {exponent} is larger than {_MAX_EXPONENT}.")
        if exponent.free_symbols or (exponent.is_Integer and exponent >= 0):
            continue
        value = base.subs(point)
        if not _is_finite(value) or is_zero(value):
            return False
    return _is_finite(expression.subs(point))


def _is_finite(value: Expr) -> bool:
    return not value.has(sympy.nan, sympy.zoo, sympy.oo, -sympy.oo, sympy.AccumBounds)


def _without_floats(expression: Expr) -> Expr:
    return expression.xreplace({number: Rational(str(number)) for number in expression.atoms(sympy.Float)})
