"""Every exception that the package raises. Each message says what happened, the likely cause and what to try."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class DDTheoryError(Exception):
    """Base of all errors of this package: `except DDTheoryError` catches them and nothing else."""


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


class OutputError(DDTheoryError, OSError):
    """A result cannot be written where it was asked for."""


def unknown(what: str, name: str, known: Iterable[str]) -> UnknownNameError:
    """The error for a name that does not exist, with the nearest names that do."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.4)
    hint = f"Did you mean {' or '.join(near)}?" if near else f"Known: {', '.join(names)}."
    return UnknownNameError(f"There is no {what} named {name!r}. {hint}")


def clipped(value: str) -> str:
    """At most forty characters of a text."""
    return value if len(value) <= 40 else value[:39] + "…"


def shown(value: object) -> str:
    """A value in an error message: a number or a short text as it is, anything else by its type.

    >>> shown(None), shown(0.5), shown("x" * 100), shown([1, 2])
    ('None', '0.5', "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…'", 'a list')
    """
    if value is None or isinstance(value, bool | float):
        return repr(value)
    if isinstance(value, int):
        return repr(value) if abs(value) < 10**20 else "a huge integer"
    return repr(clipped(value)) if isinstance(value, str) else f"a {type(value).__name__}"
