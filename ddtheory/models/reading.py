"""What a user gives to a model, read: expressions in real symbols, exact numbers, lists of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sympy
from sympy import Expr, Rational, Symbol

from ddtheory.arguments import in_order
from ddtheory.errors import InvalidValueError, shown
from ddtheory.exact.numbers.coordinates import free_coordinates_of
from ddtheory.exact.numbers.given import by_name, expression_of
from ddtheory.exact.numbers.names import refuse_run_together
from ddtheory.exact.orders.divergence import refuse_unknown_functions
from ddtheory.shown import shortened

_MOST_OUTPUTS = 1_000
_WIDEST = 80


def expression(value: object, what: str) -> Expr:
    """One expression in plain real symbols; floats in it mean the decimals that they print.

    Raises:
        InvalidValueError: no expression, or a value that is not real and finite.
        NotAnalyticError: a function that is not analytic, or not known.

    >>> expression("0.5*a*tanh(b*x)", "the mean")
    a*tanh(b*x)/2
    """
    found = expression_of(value, what)
    if found.has(sympy.nan, sympy.zoo, sympy.oo, -sympy.oo, sympy.I):
        raise InvalidValueError(f"{what} contains a value that is not real and finite.")
    refuse_unknown_functions(found)
    symbols = free_coordinates_of(found.free_symbols, "nonnegative=… where the pair is asked for")
    plain = {symbol: Symbol(symbol.name, real=True) for symbol in symbols}
    floats = {number: Rational(str(number)) for number in found.atoms(sympy.Float)}
    return found.xreplace({**plain, **floats})


def expressions(values: object, what: str) -> tuple[Expr, ...]:
    """A list of expressions, or one for itself.

    >>> expressions(["a*b", "c"], "the means"), expressions("a", "the mean")
    ((a*b, c), (a,))
    """
    listed = [values] if is_alone(values) else in_order(values, what)
    if not 0 < len(listed) <= _MOST_OUTPUTS:
        raise InvalidValueError(f"{what} has {len(listed)} entries; give 1 to {_MOST_OUTPUTS}.")
    refuse_run_together(text for text in listed if isinstance(text, str))
    return tuple(expression(value, what) for value in listed)


def is_alone(values: object) -> bool:
    """Whether this is one expression and no list."""
    return isinstance(values, str | int | float | Expr)


def number(value: object, what: str) -> Expr:
    """An exact real number.

    Raises:
        InvalidValueError: something with a name in it, or no number.

    >>> number("1/2", "a weight"), number(0.25, "a weight")
    (1/2, 1/4)
    """
    found = expression(value, what)
    if found.free_symbols:
        raise InvalidValueError(f"{what} is {said(found)}; it must be a number.")
    return found


def numbers_by_name(values: object, what: str) -> dict[Symbol, Expr]:
    """Numbers by symbol."""
    return {Symbol(name, real=True): number(value, f"{what}[{name}]") for name, value in by_name(values, what).items()}


def parameters_in(values: Sequence[Expr], inputs: Sequence[Symbol]) -> tuple[Symbol, ...]:
    """The symbols that are no inputs, by name.

    Raises:
        InvalidValueError: there is none.
    """
    found = set[Symbol]().union(*[value.free_symbols for value in values]) - set(inputs)
    if not found:
        raise InvalidValueError("The model has no parameter; give expressions with at least one name besides inputs.")
    return tuple(sorted(found, key=lambda symbol: symbol.name))


def at_point(point: Mapping[Symbol, Expr]) -> str:
    """A point in words.

    >>> at_point({Symbol("a"): Rational(1, 2)})
    'a = 1/2'
    """
    return shortened(", ".join(f"{symbol.name} = {value}" for symbol, value in point.items()), _WIDEST) or "the point"


def said(value: Expr) -> str:
    """An expression in a message, on part of a line."""
    return shortened(str(value), _WIDEST)


def refuse_unknown_names(names: Sequence[str], known: Sequence[Symbol], what: str) -> None:
    """Refuse names that are no parameters of the model.

    Raises:
        InvalidValueError: one is not.
    """
    listed = [symbol.name for symbol in known]
    for name in names:
        if name not in listed:
            raise InvalidValueError(
                f"{what} names {shown(name)}, which is no parameter of the model. The parameters: "
                f"{shortened(', '.join(listed), _WIDEST)}."
            )
