"""What a user gives to `rlct`, read: which symbols are coordinates, and expressions with rational coefficients."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import sympy
from sympy import Expr, Rational, Symbol

from ddtheory.arguments import list_of
from ddtheory.errors import InvalidValueError, clipped
from ddtheory.exact.numbers.coordinates import coordinates_of, refuse_narrowed
from ddtheory.exact.numbers.given import expression_of
from ddtheory.exact.numbers.names import parse_parameter, refuse_run_together
from ddtheory.exact.thresholds.constants import (
    constant_factor,
    squares_with_constants,
    without_factor,
    without_parameters,
)
from ddtheory.exact.thresholds.expressions import is_rational_polynomial, squares_of
from ddtheory.exact.thresholds.generic import is_generic, off


@dataclass(frozen=True)
class Reading:
    """What is to be derived, after constants and parameters have left.

    Attributes:
        kind: "divergence" when K itself is at hand, "generators" when K ≍ Σ f².
        expressions: K, or the f_i, in the coordinates alone.
        asked: the expressions as they were given.
        symbols: the coordinates that occur in what was given, by name.
        parameters: the names that are held fixed.
        exceptions: polynomials in generic constants; where one of them is 0, the pair may be another.
    """

    kind: str
    expressions: tuple[Expr, ...]
    asked: tuple[Expr, ...]
    symbols: tuple[str, ...]
    parameters: tuple[str, ...]
    exceptions: tuple[str, ...] = ()


def read(
    given: Sequence[object],
    kind: str,
    parameters: object,
    point: Mapping[str, Expr],
    one_sided: Iterable[str],
) -> Reading:
    """The expressions of a divergence or of generators.

    Raises:
        InvalidValueError: no expression, a parameter that does not occur, or a name with two meanings.
        UndecidedError: the pair may depend on a parameter, or a sign is not known.
    """
    if kind == "generators":
        refuse_run_together((entry for entry in given if isinstance(entry, str)), known=declared(parameters))
    parsed = [expression_of(entry) for entry in given]
    held = _held(parsed, declared(parameters), point, frozenset(one_sided))
    asked = [_plain(expression, held) for expression in parsed]
    symbols = tuple(
        sorted({symbol.name for expression in asked for symbol in expression.free_symbols} - {*held}),
    )
    coordinates = [Symbol(name, real=True) for name in symbols]
    if not coordinates:
        raise InvalidValueError(f"{asked[0]} contains no variable, so there is no singularity to analyse.")
    divided = _constants(kind, asked, coordinates) if any(map(is_generic, held.values())) else []
    kind, expressions = _without_constants(kind, asked, frozenset(coordinates))
    if held and any(expression.free_symbols - {*coordinates} for expression in expressions):
        expressions, more = _without_held(kind, expressions, coordinates, point, frozenset(one_sided))
        divided += more
    generic = [c for c in divided if any(map(is_generic, c.free_symbols))]
    return Reading(kind, tuple(expressions), tuple(asked), symbols, tuple(sorted(held)), off(generic))


def _constants(kind: str, expressions: Sequence[Expr], coordinates: Sequence[Symbol]) -> list[Expr]:
    """The constants that may leave as factors: of generators, or of the terms of K and of its squares."""
    found: list[Expr] = []
    for expression in expressions:
        terms = sympy.Add.make_args(expression) if kind == "divergence" else [expression]
        found += [constant_factor(term, frozenset(coordinates))[0] for term in terms]
        if kind == "divergence" and expression.is_polynomial(*coordinates):
            found += sympy.Poly(expression, *coordinates).coeffs()
    return found


def declared(parameters: object) -> dict[str, Symbol]:
    """Parameters by name: symbols with what is assumed of them, names, or texts such as "a:positive".

    Raises:
        InvalidValueError: something else.
    """
    entries = [parameters] if isinstance(parameters, str | Symbol) else list_of(parameters, "The list of parameters")
    found: dict[str, Symbol] = {}
    for entry in entries:
        if not isinstance(entry, str | Symbol):
            raise InvalidValueError(f"parameters names a {type(entry).__name__}; a parameter is a symbol or a name.")
        symbol = expression_of(entry) if isinstance(entry, Symbol) else parse_parameter(str.__str__(entry))
        found[symbol.name] = symbol
    return found


def _held(
    expressions: Sequence[Expr],
    parameters: Mapping[str, Symbol],
    point: Mapping[str, Expr],
    one_sided: frozenset[str],
) -> dict[str, Symbol]:
    """The symbols that are no coordinates: those declared, and those assumed non-zero, since a coordinate may be 0."""
    symbols = coordinates_of(set().union(*[expression.free_symbols for expression in expressions]))
    occurring = {symbol.name: symbol for symbol in symbols}
    for name in parameters:
        if name not in occurring:
            known = ", ".join(sorted(occurring)) or "none"
            raise InvalidValueError(f"The parameter {clipped(name)} does not occur. The symbols: {known}.")
        if name in point:
            raise InvalidValueError(
                f"{name} is a parameter, so it has no value in at={{…}}. Put the number in its place."
            )
    found: dict[str, Symbol] = {}
    for name, own in occurring.items():
        if name in parameters:
            told = parameters[name]
            more = own.assumptions0.items() <= told.assumptions0.items()
            found[name] = told if more else own
        elif own.is_nonzero and name not in point:
            found[name] = own
        else:
            value = point.get(name, Rational(0))
            below = bool(value <= 0) and name not in one_sided
            refuse_narrowed(own, below=below, above=bool(value >= 0), advice=f"nonnegative=[{clipped(name)!r}]")
        if name in found and found[name].is_real is None:
            found[name] = Symbol(name, real=True)
    return found


def _plain(expression: Expr, held: Mapping[str, Symbol]) -> Expr:
    floats = {number: Rational(str(number)) for number in expression.atoms(sympy.Float)}
    symbols = {symbol: held.get(symbol.name, Symbol(symbol.name, real=True)) for symbol in expression.free_symbols}
    changed = {**floats, **{symbol: one for symbol, one in symbols.items() if symbol != one}}
    return expression.xreplace(changed) if changed else expression


def _without_constants(
    kind: str, expressions: Sequence[Expr], coordinates: frozenset[Symbol]
) -> tuple[str, list[Expr]]:
    """Constant factors leave; a sum of squares with constants, or of functions, is read as the generators squared."""
    if kind == "divergence":
        (whole,) = (without_factor(expression, coordinates, keep_sign=True) for expression in expressions)
        squares = squares_of(whole)
        if squares is not None and whole.is_polynomial() and whole.free_symbols <= coordinates:
            return kind, [whole]
        # squares of functions that are polynomials up to units only, or with constants: K ≍ Σ f² is what can be used
        roots = [root for _, root in squares] if squares else squares_with_constants(whole, coordinates)
        if not roots:
            return kind, [whole]
        expressions = roots
    return "generators", [
        expression
        if is_rational_polynomial(expression) and expression.free_symbols <= coordinates
        else without_factor(expression, coordinates, keep_sign=False)
        for expression in expressions
    ]


def _without_held(
    kind: str,
    expressions: Sequence[Expr],
    coordinates: Sequence[Symbol],
    point: Mapping[str, object],
    one_sided: frozenset[str],
) -> tuple[list[Expr], list[Expr]]:
    for expression in expressions:
        if not expression.is_polynomial(*coordinates):
            raise InvalidValueError(
                f"{expression} has a parameter and is no polynomial in the coordinates. Give its Taylor polynomial, "
                "and say so, or put in numbers."
            )
    place = {x: x + sympy.Rational(str(point[x.name])) for x in coordinates if point.get(x.name)}
    back = {x: 2 * x - moved for x, moved in place.items()}
    moved = [expression.subs(place, simultaneous=True) for expression in expressions]
    found, divided = without_parameters(moved, coordinates, one_sided, divergence=kind == "divergence")
    return [expression.subs(back, simultaneous=True) for expression in found], divided
