"""What a user may give: text, numbers and sympy expressions, made exact. Anything else is refused unread.

Every public function of the exact side takes its arguments through here. sympy's own conversion is no door: it walks
containers and evaluates the strings in them as code.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any, TypeAlias

from sympy import Expr, Rational, Symbol

from ddtheory.errors import InvalidValueError
from ddtheory.exact.numbers.parse import parse_expression
from ddtheory.values import as_fraction, as_integer

Number: TypeAlias = "Expr | int | float | Fraction | str"


def expression_of(value: object, what: str = "K") -> Expr:
    """The exact expression that a user gave: text is parsed, numbers are made exact, a sympy expression is itself.

    Args:
        value: text in the grammar of `parse_expression`, a sympy expression, an integer of any library, a `Fraction`,
            or a finite float, which means the decimal that it prints.
        what: what it is for, in messages.

    Raises:
        InvalidValueError: anything else. Its parts are not looked at.

    >>> expression_of("x^2"), expression_of(Fraction(1, 2)), expression_of(0.1)
    (x**2, 1/2, 1/10)
    >>> expression_of(["x"])
    Traceback (most recent call last):
    ddtheory.errors.InvalidValueError: K is a list, not an expression. Give text such as "x^2*y^4" or a sympy ...
    """
    if isinstance(value, Expr):
        return value
    if isinstance(value, str):
        return parse_expression(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise InvalidValueError(f"{what} is {value}; it must be finite.")
        return Rational(repr(float(value)))
    if (number := as_fraction(value)) is not None:
        return Rational(number.numerator, number.denominator)
    raise InvalidValueError(
        f'{what} is {_kind(value)}, not an expression. Give text such as "x^2*y^4" or a sympy expression.'
    )


def whole_number(value: object, what: str, least: int = 1, advice: str = "") -> int:
    """A Python integer from an integer of any library.

    Raises:
        InvalidValueError: not an integer, a truth value, or smaller than `least`.

    >>> from sympy import Integer
    >>> whole_number(Integer(3), "k")
    3
    """
    kind = "a positive integer" if least == 1 else f"an integer of at least {least}"
    number = as_integer(value)
    if number is None or number < least:
        shown = _kind(value) if number is None and not isinstance(value, bool | float | str) else repr(value)
        raise InvalidValueError(f"{what} = {shown} is not {kind}. {advice}".rstrip())
    return number


def by_name(values: object, what: str) -> dict[str, Any]:
    """A mapping with its keys, symbols or names, as names.

    Raises:
        InvalidValueError: not a mapping, or a key that is neither.

    >>> by_name({Symbol("x"): 1, "y": 2}, "at")
    {'x': 1, 'y': 2}
    """
    if not isinstance(values, Mapping):
        raise InvalidValueError(f"{what} is {_kind(values)}; give numbers by name, as in {{'x': 1}}.")
    found: dict[str, Any] = {}
    for key, value in values.items():
        name = _name(key, what)
        if name in found:
            raise InvalidValueError(f"{what} names {name} twice, as a symbol and as text or under two assumptions.")
        found[name] = value
    return found


def names_of(values: Iterable[Any] | str | Symbol, what: str) -> list[str]:
    """Symbols or names as names; a single one may stand for itself.

    Raises:
        InvalidValueError: something that is neither.

    >>> names_of("sigma", "parameters"), names_of([Symbol("x"), "y"], "parameters")
    (['sigma'], ['x', 'y'])
    """
    if isinstance(values, str | Symbol):
        return [_name(values, what)]
    if not isinstance(values, Iterable):
        raise InvalidValueError(f"{what} is {_kind(values)}; give names or symbols, as in {what}=['x'].")
    return [_name(value, what) for value in values]


def _name(key: object, what: str) -> str:
    if isinstance(key, Symbol):
        return str(key.name)
    if isinstance(key, str):
        return key
    raise InvalidValueError(f"{what} names {_kind(key)}; a coordinate is named by a sympy symbol or by text.")


def _kind(value: object) -> str:
    """The type of a value, never its text: a repr is code of whoever wrote the type."""
    if value is None:
        return "None"
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeio' else 'a'} {name}"
