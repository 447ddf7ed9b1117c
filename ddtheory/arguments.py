"""What plain arguments are: numbers, lists, mappings, paths and text, each read or refused in one sentence."""

from __future__ import annotations

import itertools
import math
import numbers
import operator
import os
import re
from collections.abc import Container, Iterable, KeysView, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from ddtheory.errors import InvalidValueError, place, shown


def as_fraction(value: object) -> Fraction | None:
    """An exact rational number of any library as a `Fraction` of Python integers; None for anything else.

    `Fraction` itself keeps the numerator of a numpy integer, which has 64 bits and wraps around in silence.

    >>> as_fraction(3), as_fraction(True), as_fraction(0.5)
    (Fraction(3, 1), None, None)
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Rational):
        return None
    return Fraction(operator.index(value.numerator), operator.index(value.denominator))


def as_integer(value: object) -> int | None:
    """An integer of any library as a Python one; None for anything else, truth values included."""
    return None if isinstance(value, bool) or not isinstance(value, numbers.Integral) else operator.index(value)


def as_name(value: object, what: str) -> str:
    """A name as plain text.

    Raises:
        InvalidValueError: no text, none at all, or one that no page and no terminal can write.

    >>> as_name("layers.0.weight", "The parameter")
    'layers.0.weight'
    """
    if not isinstance(value, str):
        raise InvalidValueError(f"{what} is {shown(value)}; it must be text.")
    name = str.__str__(value)
    if not name or any("\ud800" <= character <= "\udfff" for character in name):
        raise InvalidValueError(
            f"{what} is {shown(name)}. Give a name of at least one character, none of them half of a surrogate pair, "
            "which nothing can print or save."
        )
    return name


def parameter_name(value: object, what: str) -> str:
    """The name of a parameter or a buffer, with dots between the modules that it is in.

    Raises:
        InvalidValueError: no name, or one with nothing between two dots, before the first one or after the last one.
    """
    name = as_name(value, what)
    if not all(name.split(".")):
        raise InvalidValueError(f"{what} is {shown(name)}, and a module or parameter on its way has no name. Name it.")
    return name


def exact_fraction(value: object, what: str) -> Fraction:
    """The same, where nothing else will do.

    Raises:
        InvalidValueError: no rational number, or one of more digits than Python prints.
    """
    number = as_fraction(value)
    if number is None or is_long(number, MOST_PRINTED):
        raise InvalidValueError(f"{what} is {shown(value)}; give an integer or a Fraction that can be meant.")
    return number


def as_float(value: object, what: str) -> float:
    """A measured number of any library as a Python float.

    Raises:
        InvalidValueError: it is none, or too large for one.

    >>> as_float(Fraction(1, 4), "The estimate")
    0.25
    """
    if isinstance(value, float):
        return float.__float__(value)
    if isinstance(value, numbers.Real) and not isinstance(value, bool):
        try:
            exact = as_fraction(value)
            return float(value) if exact is None else float(exact)
        except (OverflowError, TypeError):
            pass
    raise InvalidValueError(f"{what} is {shown(value)}, not a number that a float can be.")


MOST_ENTRIES = 100_000


def list_of(values: object, what: str, most: int = MOST_ENTRIES) -> list[Any]:
    """The entries of something that can be iterated: a list of them, for it may be used up, or never end.

    Raises:
        InvalidValueError: text, a mapping, or nothing that can be iterated; more than `most` entries; or an iteration
            that fails.

    >>> import itertools
    >>> list_of((1, 2), "centre")
    [1, 2]
    >>> list_of(itertools.count(), "centre")
    Traceback (most recent call last):
    ddtheory.errors.InvalidValueError: centre has more than 100000 entries.
    """
    found = first_of(values, what, most + 1)
    if len(found) > most:
        raise InvalidValueError(f"{what} has more than {most} entries.")
    return found


def first_of(values: object, what: str, most: int) -> list[Any]:
    """The first entries of something that can be iterated, at most so many; it may never end.

    Raises:
        InvalidValueError: text, a mapping, or nothing that can be iterated; or an iteration that fails.

    >>> import itertools
    >>> first_of(itertools.count(), "The data", 2)
    [0, 1]
    """
    if isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
        raise InvalidValueError(f"{what} is {shown(values)}; give a list.")
    try:
        return list(itertools.islice(values, most))
    except Exception as error:  # the iterator is somebody else's code: whatever it raises
        raise InvalidValueError(f"{what} cannot be listed: its iterator raises {type(error).__name__}.") from error


def in_order(values: object, what: str, most: int = MOST_ENTRIES) -> list[Any]:
    """The entries of a list of which the order, or how often an entry comes, means something.

    Raises:
        InvalidValueError: a set, whose order is that of hashes and whose equal entries are one; and as in `list_of`.

    >>> in_order((3, 5, 3), "widths")
    [3, 5, 3]
    >>> in_order({3, 5}, "widths")
    Traceback (most recent call last):
    ddtheory.errors.InvalidValueError: widths is a set, which has no order and no entry twice; give a list.
    """
    has_no_order = isinstance(values, Container) and not hasattr(type(values), "__getitem__")
    if has_no_order and not isinstance(values, str | bytes | Mapping | KeysView):
        raise InvalidValueError(
            f"{what} is a {type(values).__name__}, which has no order and no entry twice; give a list."
        )
    return list_of(values, what, most)


def pairs_of(values: object, what: str, most: int = MOST_ENTRIES) -> list[tuple[Any, Any]]:
    """The keys of a mapping with their values.

    Raises:
        InvalidValueError: no mapping; more than `most` keys; or a mapping that cannot be read.

    >>> pairs_of({"x": 1}, "at")
    [('x', 1)]
    """
    if not isinstance(values, Mapping):
        raise InvalidValueError(f"{what} is {shown(values)}; give values by name, as in {{'x': 1}}.")
    try:
        found = [(key, value) for key, value in itertools.islice(values.items(), most + 1)]
    except Exception as error:  # as above
        raise InvalidValueError(f"{what} cannot be read: it raises {type(error).__name__}.") from error
    if len(found) > most:
        raise InvalidValueError(f"{what} has more than {most} entries.")
    return found


def path_of(value: object, what: str) -> Path:
    """The name of a file or folder, as text or as a path.

    Raises:
        InvalidValueError: it is neither, or no file can have that name.

    >>> path_of("a/b.json", "The file").name
    'b.json'
    """
    if not isinstance(value, str | Path):
        raise InvalidValueError(f"{what} is {shown(value)}; give its name, as text or as a Path.")
    path = Path(str.__str__(value)) if isinstance(value, str) else value
    try:
        name = os.fsencode(path)
    except UnicodeEncodeError:
        name = b"\0"
    if b"\0" in name:
        raise InvalidValueError(f"{what} is {place(path)}, which no file can be named.")
    return path


MOST_DIGITS = 40_000
"""Of the numbers of an enclosure, which prints them itself."""

MOST_PRINTED = 4_000
"""Python prints integers of up to 4300 digits."""

_EXPONENT = re.compile(r"[eE]([+-]?[\d_]+)\s*\Z")


def is_long(value: Fraction, digits: int) -> bool:
    return max(abs(value.numerator), value.denominator).bit_length() > digits * math.log2(10)


def read_fraction(text: str) -> Fraction | None:
    """Text as a rational; None when it is none. A power of ten that is too large is not multiplied out."""
    power = _EXPONENT.search(text)
    if len(text) > MOST_DIGITS or (power and len(power[1].lstrip("+-0_")) > len(str(MOST_DIGITS))):
        return None
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        return None
