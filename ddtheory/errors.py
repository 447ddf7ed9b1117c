"""Every exception that the package raises, and the base of its warnings.

Each message says what happened, the likely cause and what to try.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from fractions import Fraction

from ddtheory.visible import visible

_LONGEST_MESSAGE = 2_000
_LONGEST_PLACE = 300


class DDTheoryError(Exception):
    """Base of all errors of this package: `except DDTheoryError` catches them and nothing else.

    A message may quote what was given: it is cut where it is long, and no terminal obeys it.
    """

    def __str__(self) -> str:
        said = super().__str__()
        return visible(said if len(said) <= _LONGEST_MESSAGE else said[:_LONGEST_MESSAGE] + "…")


class InvalidValueError(DDTheoryError, ValueError):
    """An argument has a value that means nothing here."""


class ParseError(InvalidValueError):
    """An expression contains something that is not arithmetic."""


class NotADivergenceError(InvalidValueError):
    """K is negative near the point, or not zero at it: it is no Kullback–Leibler divergence there."""


class NotAnalyticError(InvalidValueError):
    """The expression has no convergent power series at the point."""


class UndecidedError(DDTheoryError, ArithmeticError):
    """The computation cannot decide a sign or a zero, and refuses to guess."""


class DirectionError(InvalidValueError):
    """A direction is zero, of the wrong shape, or names parameters that do not exist."""


class MeasurementError(DDTheoryError, RuntimeError):
    """A model, its data or its derivative cannot be measured as given."""


class UnknownNameError(DDTheoryError, LookupError):
    """A claim, a cell or another registered thing does not exist."""


class BookError(DDTheoryError):
    """A file of the book does not declare its claims as it must."""


class MissingExtraError(DDTheoryError, ModuleNotFoundError):
    """An optional package is not installed; the message names the extra that brings it."""


class OutputError(DDTheoryError, OSError):
    """A result cannot be written where it was asked for."""


class DDTheoryWarning(UserWarning):
    """Base of all warnings of this package: a filter for it meets them and nothing else."""


def unknown(what: str, name: object, known: Iterable[str]) -> UnknownNameError:
    """The error for a name that does not exist, with the nearest names that do."""
    names = sorted(known)
    near: list[str] = []
    if type(name) is str and len(name) < 100:
        folded = [known.casefold() for known in names]
        close = difflib.get_close_matches(name.casefold(), folded, n=3, cutoff=0.4)
        near = [names[folded.index(each)] for each in dict.fromkeys(close)]
    hint = f"Did you mean {' or '.join(near)}?" if near else f"Known: {', '.join(names)}."
    return UnknownNameError(f"There is no {what} named {shown(name)}. {hint}")


def clipped(value: str) -> str:
    """At most forty characters of a text."""
    value = str.__str__(value)
    return value if len(value) <= 40 else value[:39] + "…"


def place(path: object) -> str:
    """A path, or the name of a file or a parameter, in a message: as it is where it is a line, else as by `shown`.

    >>> place("a/b.json"), place(""), place("a\\n"), len(place("x" * 5000))
    ('a/b.json', "''", "'a\\\\n'", 42)
    """
    name = str(path)
    return name if name.isprintable() and 0 < len(name) <= _LONGEST_PLACE else shown(name)


def shown(value: object) -> str:
    """A value in an error message: a number or a short text as it is, anything else by its type.

    It is printable, part of a line, and runs no code of the type of the value, whose repr may be a wall, or raise.

    >>> shown(None), shown(0.5), shown("x" * 100), shown([1, 2])
    ('None', '0.5', "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…'", 'a list')
    >>> shown("x\\n"), shown(-2), shown(10**400)
    ("'x\\\\n'", '-2', 'an integer of 1329 bits')
    """
    if value is None or type(value) in (bool, complex):
        return repr(value)
    if isinstance(value, float):
        return repr(float.__float__(value))
    if isinstance(value, str):
        return repr(clipped(str.__str__(value)))
    if isinstance(value, int) or type(value) is Fraction:
        number = Fraction(int.__int__(value)) if isinstance(value, int) else value
        bits = max(abs(number.numerator), number.denominator).bit_length()
        kind = "an integer" if number.denominator == 1 else "a fraction"
        return str(number) if bits <= 200 else f"{kind} of {bits} bits"
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeio' else 'a'} {name}"


def __dir__() -> list[str]:
    """The kinds of errors and warnings; what writes their sentences is not public."""
    return sorted(name for name, value in globals().items() if isinstance(value, type) and value.__module__ == __name__)
