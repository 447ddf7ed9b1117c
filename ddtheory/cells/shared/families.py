"""The families of the catalogue by name: which there are, which cells stand in the catalogue, and how one is found."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache, wraps
from types import GenericAlias
from typing import Any, Concatenate, ParamSpec, Protocol, cast

from ddtheory.arguments import as_fraction, as_integer, in_order, read_fraction
from ddtheory.cells.shared.cell import Cell
from ddtheory.errors import InvalidValueError, shown, unknown
from ddtheory.exact.formulas import Formula
from ddtheory.exact.numbers.given import by_name
from ddtheory.shown import Shown, counted

Parameters = ParamSpec("Parameters")


@dataclass(frozen=True)
class General:
    """The closed form of a family in general sizes.

    Attributes:
        formula: makes it.
        sizes: keyword parameters of the family → the sizes of the formula, or None where it does not cover them.
    """

    formula: Callable[[], Formula]
    sizes: Callable[..., Mapping[str, Any] | None]


class Made(Protocol[Parameters]):
    """A family as users call it."""

    def __call__(self, *args: Parameters.args, **kwargs: Parameters.kwargs) -> Cell: ...

    def formula(self) -> Formula:
        """λ and m in general sizes, with their domain.

        Raises:
            InvalidValueError: no closed form in general sizes is known for the family.
        """


@dataclass(frozen=True, repr=False)
class Family(Shown):
    """A family of cells.

    Attributes:
        name: the name of its function.
        make: keyword parameters → the cell.
        examples: the parameters of the cells that stand in the catalogue.
        defaults: parameter name → default.
        types: parameter name → type, for parameters that arrive as text.
        general: the closed form in general sizes, where there is one.
    """

    name: str
    make: Callable[..., Cell]
    examples: tuple[Mapping[str, Any], ...]
    defaults: Mapping[str, Any]
    types: Mapping[str, Any]
    general: General | None = None

    def formula(self) -> Formula:
        """λ and m in general sizes, with their domain; `cells.hidden_layer.formula()` is the same.

        Raises:
            InvalidValueError: no closed form in general sizes is known for the family.

        >>> families()["hidden_layer"].formula().at(H=4, M=1, Q=2)                                    # tanh has Q = 2
        RLCT(lam=Fraction(1, 1), m=2)
        """
        if self.general is None:
            known = ", ".join(name for name, entry in families().items() if entry.general)
            raise InvalidValueError(
                f"For {self.name} no closed form in general sizes is known; there is one for {known}. Its cells have "
                "their pairs, and ddtheory.exact.formulas.fit proposes a formula from them."
            )
        return self.general.formula()

    def __str__(self) -> str:
        parameters = ", ".join(self.types)
        return f"{self.name}({parameters}), {counted(len(self.examples), 'cell')} of the catalogue"

    def rows(self) -> Mapping[str, str]:
        parameters = {
            name: f"{kind_of(kind)}{f' = {self.defaults[name]}' if name in self.defaults else ''}"
            for name, kind in self.types.items()
        }
        return {"family": self.name, "is": self.summary, **parameters, "cells": str(len(self.examples))}

    @property
    def summary(self) -> str:
        """The first line of the docstring."""
        return (self.make.__doc__ or "").strip().splitlines()[0]


_FAMILIES: dict[str, Family] = {}

_LARGEST, _FINEST, _LONGEST = 10**5, 10**300, 200  # a whole number, a part of a fraction, a text


Make = Callable[Concatenate[str, Parameters], Cell]
"""A family as its file writes it: the name of the cell, then the parameters that users give."""


def family(
    *examples: Mapping[str, Any], general: General | None = None
) -> Callable[[Make[Parameters]], Made[Parameters]]:
    """Registers a function as a family; each example is a cell of the catalogue, and without one the default is.

    The function gets the name of the cell first, as it is written in the catalogue: the family and the arguments given.
    Users call it without. `general` is its closed form in general sizes; the function has it as `formula()`.
    """

    def register(make: Make[Parameters]) -> Made[Parameters]:
        signature = inspect.signature(make)
        signature = signature.replace(parameters=list(signature.parameters.values())[1:])

        hints = {name: hint for name, hint in typing.get_type_hints(make).items() if name in signature.parameters}

        @wraps(make)
        def named(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Cell:
            bound = signature.bind(*args, **kwargs)
            for parameter, value in bound.arguments.items():
                bound.arguments[parameter] = _accepted(hints[parameter], value, f"{parameter} of {make.__name__}")
            told = ", ".join(f"{name}={_text(value)}" for name, value in bound.arguments.items())
            bound.apply_defaults()
            cell = make(f"{make.__name__}({told})", *bound.args, **bound.kwargs)
            return replace(cell, family=make.__name__, arguments=dict(bound.arguments))

        named.__signature__ = signature  # type: ignore[attr-defined]
        defaults = {name: parameter.default for name, parameter in signature.parameters.items()}
        entry = Family(make.__name__, named, examples or ({},), defaults, hints, general)
        _FAMILIES[make.__name__] = entry
        named.formula = entry.formula  # type: ignore[attr-defined]
        return cast("Made[Parameters]", named)

    return register


def families() -> Mapping[str, Family]:
    """All families by name."""
    return dict(sorted(_FAMILIES.items()))


@cache
def catalogue() -> tuple[Cell, ...]:
    """Every cell of the catalogue, family by family.

    >>> len(catalogue()) > 60
    True
    """
    return tuple(entry.make(**example) for entry in families().values() for example in entry.examples)


def find(name: str, **parameters: Any) -> Cell:
    """The cell of a family at given parameters; those left out have their defaults.

    Raises:
        UnknownNameError: there is no such family, or it has no such parameter; the message names the nearest.
        InvalidValueError: the family refuses a value.

    >>> find("reduced_rank", inputs=2, hidden=2, outputs=2, rank=1).rlct
    RLCT(lam=Fraction(2, 1), m=2)
    """
    entry = _family(name)
    for parameter in parameters:
        if parameter not in entry.defaults:
            raise unknown(f"parameter of {name}", parameter, entry.defaults)
    return entry.make(**parameters)


def find_text(name: str, parameters: Mapping[str, str]) -> Cell:
    """The same with values as text, as on a command line: `widths` = "5,3,4", `rank` = "1".

    Raises:
        UnknownNameError: as in `find`.
        InvalidValueError: a text is no value of that parameter.

    >>> find_text("deep_linear", {"widths": "1,1,1", "rank": "0"}).rlct
    RLCT(lam=Fraction(1, 2), m=2)
    """
    entry = _family(name)
    values: dict[str, Any] = {}
    for parameter, text in by_name(parameters, "parameters").items():
        if not isinstance(text, str):
            raise InvalidValueError(f"{parameter} of {name} is {shown(text)}; here values are text. Use `find`.")
        if parameter not in entry.types:
            raise unknown(f"parameter of {name}", parameter, entry.types)
        values[parameter] = _value(entry.types[parameter], str.__str__(text), f"{parameter} of {name}")
    return entry.make(**values)


def _family(name: str) -> Family:
    if not isinstance(name, str) or name not in _FAMILIES:
        raise unknown("cell", name, _FAMILIES)
    return _FAMILIES[name]


def _value(kind: Any, text: str, what: str) -> Any:
    if isinstance(kind, GenericAlias):
        parts = [part for part in text.strip("()[] ").split(",") if part.strip()]
        return tuple(_value(typing.get_args(kind)[0], part.strip(), what) for part in parts)
    if kind is str:
        return text
    if kind is bool:
        if text.lower() not in ("true", "false"):
            raise InvalidValueError(f"{what} is {shown(text)}; it must be true or false.")
        return text.lower() == "true"
    number = read_fraction(text)
    if number is None or (kind is int and number.denominator > 1):
        example = "3" if kind is int else "1/2"
        raise InvalidValueError(f"{what} is {shown(text)}; it must be a number such as {example}.")
    return int(number) if number.denominator == 1 and kind is not Fraction else number


def _accepted(kind: Any, value: Any, what: str) -> Any:
    """The value as a family takes it: integers and fractions of any library are those of Python.

    Raises:
        InvalidValueError: it is of another kind, or beyond any model: a long text, a large number.

    >>> import numpy
    >>> _accepted(tuple[int, ...], [numpy.int64(2), 3], "widths")
    (2, 3)
    """
    if isinstance(kind, GenericAlias):
        return tuple(_accepted(typing.get_args(kind)[0], item, f"an entry of {what}") for item in in_order(value, what))
    if kind is str:
        found: Any = str.__str__(value) if isinstance(value, str) else None
    elif kind is bool:
        found = value if isinstance(value, bool) else None
    elif kind is int:
        found = as_integer(value)
    else:  # a fraction; where whole numbers are allowed by their own type, they stay whole
        whole = as_integer(value) if int in typing.get_args(kind) else None
        found = as_fraction(value) if whole is None else whole
    if found is None:
        raise InvalidValueError(f"{what} is {shown(value)}; it must be {kind_of(kind)}.")
    if _size(found) > {str: _LONGEST, int: _LARGEST}.get(kind, _FINEST):
        raise InvalidValueError(f"{what} is {shown(value)}, and no model has such a size.")
    return found


def _size(value: Any) -> int:
    return len(value) if isinstance(value, str) else max(abs(value.numerator), value.denominator)


def as_typed(value: object) -> str:
    """How a value is typed on a command line, where `find_text` reads it.

    >>> as_typed((5, 3, 4)), as_typed(Fraction(-1, 2)), as_typed("tanh")
    ('5,3,4', '-1/2', 'tanh')
    """
    return ",".join(map(as_typed, value)) if isinstance(value, tuple) else str(value)


def kind_of(hint: Any) -> str:
    """What a parameter with this type takes, in words.

    >>> kind_of(tuple[int, ...]), kind_of(int), kind_of(str), kind_of(Fraction | int)
    ('whole numbers', 'a whole number', 'a word', 'a fraction')
    """
    if isinstance(hint, GenericAlias):
        return {int: "whole numbers", str: "words", Fraction: "fractions"}[typing.get_args(hint)[0]]
    if hint in (int, str, bool):
        return {int: "a whole number", str: "a word", bool: "true or false"}[hint]
    return "a fraction"


def _text(value: object) -> str:
    """How a value stands in the name of a cell.

    >>> _text((1, Fraction(1, 2))), _text("tanh"), _text(3)
    ('(1, 1/2)', "'tanh'", '3')
    """
    if isinstance(value, tuple):
        return f"({', '.join(_text(item) for item in value)}{',' if len(value) == 1 else ''})"
    return repr(value) if isinstance(value, str) else str(value)
