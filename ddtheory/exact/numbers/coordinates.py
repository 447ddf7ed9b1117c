"""Symbols of sympy that stand for coordinates: one a name, declared to take no fewer values than the domain has."""

from __future__ import annotations

from collections.abc import Iterable

from sympy import Symbol

from ddtheory.errors import InvalidValueError, clipped


def coordinates_of(symbols: Iterable[Symbol]) -> list[Symbol]:
    """The coordinates by name.

    Raises:
        InvalidValueError: two symbols of one name, which differ in what is declared of them.

    >>> coordinates_of({Symbol("y"), Symbol("x")})
    [x, y]
    >>> coordinates_of({Symbol("x"), Symbol("x", real=True)})
    Traceback (most recent call last):
    ddtheory.errors.InvalidValueError: There are two symbols named x with different assumptions; declare x once and ...
    """
    found: dict[str, Symbol] = {}
    for symbol in set(symbols):
        if symbol.name in found:
            name = clipped(symbol.name)
            raise InvalidValueError(
                f"There are two symbols named {name} with different assumptions; declare {name} once and use it. In "
                "text every name is a real symbol, so give text alone, or expressions alone."
            )
        found[symbol.name] = symbol
    return [found[name] for name in sorted(found)]


def free_coordinates_of(symbols: Iterable[Symbol], advice: str = "") -> list[Symbol]:
    """The coordinates by name, of a domain that has 0 in its interior.

    Raises:
        InvalidValueError: as `coordinates_of` and `refuse_narrowed` raise.
    """
    found = coordinates_of(symbols)
    for symbol in found:
        refuse_narrowed(symbol, advice=advice)
    return found


def refuse_narrowed(symbol: Symbol, *, below: bool = True, above: bool = True, advice: str = "") -> None:
    """Refuse a symbol whose assumptions leave out values that the domain has, so that nothing assumed is dropped.

    Every door for expressions asks this of its coordinates. A dense set of numbers (`rational=True`) leaves nothing
    out that a continuous K would tell.

    Args:
        below: the domain has negative values of the coordinate.
        above: it has positive ones.
        advice: how to say that the domain ends at 0, where that can be said.

    Raises:
        InvalidValueError: the symbol is declared an integer, infinite, or of one sign where the domain has the other.

    >>> refuse_narrowed(Symbol("x", nonnegative=True), below=False)
    >>> refuse_narrowed(Symbol("x", nonnegative=True))
    Traceback (most recent call last):
    ddtheory.errors.InvalidValueError: x is declared never to be negative, and the domain has negative values of it. ...
    """
    name = clipped(symbol.name)
    if symbol.is_integer:
        raise InvalidValueError(
            f"{name} is declared an integer, and a coordinate takes all real values near its point. Leave the "
            "assumption out, or put a number in its place."
        )
    if symbol.is_finite is False:
        raise InvalidValueError(f"{name} is declared infinite, and a coordinate is finite. Leave the assumption out.")
    sides = (("negative", below, symbol.is_extended_nonnegative), ("positive", above, symbol.is_extended_nonpositive))
    for sign, there, declared in sides:
        if there and declared:
            raise InvalidValueError(
                f"{name} is declared never to be {sign}, and the domain has {sign} values of it. Leave the assumption "
                f"out{', or say ' + advice if advice else ''}."
            )
