"""What a user may give: text, numbers and sympy expressions, made exact. Anything else is refused unread.

Every public function of the exact side takes its arguments through here. sympy's own conversion is no door: it walks
containers and evaluates the strings in them as code.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any, TypeAlias

import sympy
from sympy import Dummy, Expr, Rational, Symbol

from ddtheory.arguments import as_fraction, as_integer, list_of, pairs_of
from ddtheory.errors import InvalidValueError, shown
from ddtheory.exact.numbers.names import LONGEST_NAME
from ddtheory.exact.numbers.parse import MAX_BITS, MAX_POWER, parse_expression

Number: TypeAlias = "Expr | int | float | Fraction | str"

_MAX_DEPTH = 100
_MOST_FUNCTIONS = 12
_NO_NUMBER = (sympy.Lambda, sympy.MatrixExpr, sympy.matrices.expressions.matexpr.MatrixElement, sympy.Indexed)


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
        refuse_unreadable(value, what)
        return value
    if isinstance(value, str):
        return parse_expression(str.__str__(value))
    if isinstance(value, float):
        number = float.__float__(value)
        if not math.isfinite(number):
            raise InvalidValueError(f"{what} is {number}; it must be finite.")
        return Rational(repr(number))
    if (fraction := as_fraction(value)) is not None:
        if max(abs(fraction.numerator), fraction.denominator).bit_length() > MAX_BITS:
            raise InvalidValueError(f"{what} is {shown(fraction)}, too large to be meant.")
        return Rational(fraction.numerator, fraction.denominator)
    raise InvalidValueError(
        f'{what} is {shown(value)}, not an expression. Give text such as "x^2*y^4" or a sympy expression.'
    )


def refuse_unreadable(expression: Expr, what: str = "K") -> None:
    """Refuse an expression of sympy that cannot be meant, worked with or printed, before anything is computed.

    What the parser refuses in text is refused here: numbers of thousands of digits, also where they are not multiplied
    out yet, and exponents above 2000. Beside it: depths that no recursion survives, symbols that do not commute, that
    are not plain symbols, or whose names are not a few printable characters.

    Raises:
        InvalidValueError: the expression has one of these.

    >>> refuse_unreadable(sympy.Pow(2, 10**9, evaluate=False))
    Traceback (most recent call last):
    ddtheory.errors.InvalidValueError: K contains the exponent 1000000000, larger than 2000.
    """
    level: dict[Any, int] = {expression: 0}  # a part that occurs many times is looked at once
    for depth in range(_MAX_DEPTH + 1):
        if not level:
            return
        if depth == _MAX_DEPTH or max(level.values()) > _MOST_FUNCTIONS:
            raise InvalidValueError(
                f"{what} is nested more than {_MAX_DEPTH} deep, or has more than {_MOST_FUNCTIONS} functions inside of "
                "each other. Expand it, or give it in parts."
            )
        below: dict[Any, int] = {}
        for node, functions in level.items():
            _refuse_node(node, what)
            for part in node.args:
                below[part] = max(below.get(part, 0), functions + isinstance(node, sympy.Function))
        level = below


def _refuse_node(node: Any, what: str) -> None:
    if isinstance(node, Symbol):
        if type(node) not in (Symbol, Dummy):
            raise InvalidValueError(f"{what} contains {shown(node)}. Use plain symbols of sympy, or text.")
        if node.is_commutative is False:
            raise InvalidValueError(f"{what} contains the symbol {shown(node.name)}, which does not commute.")
        _printable(node.name, what)
        if node.is_extended_real is False:
            raise InvalidValueError(
                f"{what} contains the symbol {shown(node.name)}, which is declared to be no real number. Everything "
                "here is over the reals; leave the assumption out."
            )
    elif isinstance(node, _NO_NUMBER):
        raise InvalidValueError(f"{what} contains {shown(node)}, which is no number that depends on numbers.")
    elif isinstance(node, Rational):
        if max(abs(node.p), node.q).bit_length() > MAX_BITS:
            raise InvalidValueError(f"{what} contains a number of more than {MAX_BITS} bits, too large to be meant.")
    elif isinstance(node, sympy.Pow):
        base, exponent = node.args
        if isinstance(exponent, Rational) and abs(exponent) > MAX_POWER:
            raise InvalidValueError(f"{what} contains the exponent {_shown(exponent)}, larger than {MAX_POWER}.")
        sized = isinstance(base, Rational) and isinstance(exponent, Rational)
        if sized and abs(exponent) * max(abs(base.p), base.q).bit_length() > MAX_BITS:
            raise InvalidValueError(f"{what} contains a number of more than {MAX_BITS} bits, too large to be meant.")


def _printable(name: str, what: str) -> str:
    """A name that fits into a message, and is seen there."""
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise InvalidValueError(f"{what} contains the name {shown(name)}. A name is a few printable characters.")
    return name


def _shown(number: Rational) -> str:
    return shown(Fraction(int(number.p), int(number.q)))


def choice(value: object, what: str, known: Mapping[str, str]) -> str:
    """One of a few words, each with what it means.

    Raises:
        InvalidValueError: something else.

    >>> choice("one", "sided", {"two": "both signs", "one": "a half-line"})
    'one'
    """
    if isinstance(value, str) and str.__str__(value) in known:
        return str.__str__(value)
    meanings = " nor ".join(f'"{word}" ({meaning})' for word, meaning in known.items())
    raise InvalidValueError(f"{what} = {shown(value)} is neither {meanings}.")


def whole_number(value: object, what: str, least: int = 1, advice: str = "") -> int:
    """A Python integer from an integer of any library.

    Raises:
        InvalidValueError: not an integer, a truth value, smaller than `least`, or of thousands of digits.

    >>> from sympy import Integer
    >>> whole_number(Integer(3), "k")
    3
    """
    kind = "a positive integer" if least == 1 else f"an integer of at least {least}"
    number = as_integer(value)
    if number is None or number < least:
        raise InvalidValueError(
            f"{what} = {shown(value if number is None else number)} is not {kind}. {advice}".rstrip()
        )
    if number.bit_length() > MAX_BITS:
        raise InvalidValueError(f"{what} is {shown(number)}, too large to be meant.")
    return number


def by_name(values: object, what: str) -> dict[str, Any]:
    """A mapping with its keys, symbols or names, as names.

    Raises:
        InvalidValueError: not a mapping, or a key that is neither.

    >>> by_name({Symbol("x"): 1, "y": 2}, "at")
    {'x': 1, 'y': 2}
    """
    found: dict[str, Any] = {}
    for key, value in pairs_of(values, what):
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
        raise InvalidValueError(f"{what} is {shown(values)}; give names or symbols, as in {what}=['x'].")
    return [_name(value, what) for value in list_of(values, what)]


def _name(key: object, what: str) -> str:
    if isinstance(key, Symbol):
        return _printable(str.__str__(key.name), what)
    if isinstance(key, str):
        return _printable(str.__str__(key), what)
    raise InvalidValueError(f"{what} names {shown(key)}; a coordinate is named by a sympy symbol or by text.")
