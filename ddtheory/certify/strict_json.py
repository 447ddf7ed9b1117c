"""Reading JSON strictly: the right types, one spelling of every number, no unknown keys."""

from __future__ import annotations

import math
import re
import reprlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from fractions import Fraction
from typing import Any

from ddtheory.certify.bounds import Bound
from ddtheory.certify.fields import Field
from ddtheory.certify.limits import DEEPEST, MOST_DIGITS, MOST_EXPONENT, MOST_ITEMS, MOST_VARIABLES, spend, within
from ddtheory.certify.polynomials import Polynomial
from ddtheory.certify.refusal import Refused, require
from ddtheory.certify.scalars import Number, sign, whole
from ddtheory.errors import InvalidValueError, shown

_PLACE = re.compile(r"0|[1-9][0-9]*")
_RATIONAL = re.compile(r"-?(0|[1-9][0-9]*)(/[1-9][0-9]*)?")
_DEEPEST_LEVEL = 2 * DEEPEST + 20  # a step below another is two levels, and what is in it few
_MOST_BITS = math.ceil(MOST_DIGITS * math.log2(10))


def plain(value: Any, depth: int = 0) -> Any:
    """The same in the types of Python that JSON text is read into: no code of another type runs in a check.

    Raises:
        InvalidValueError: it holds something that JSON does not have.
    """
    spend()
    if depth > _DEEPEST_LEVEL:
        return ...  # of no type of JSON: whatever reads as far as this refuses it
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, float):
        return float.__float__(value)
    if isinstance(value, int):
        return int.__int__(value)
    if isinstance(value, list | tuple):
        entries = list.__iter__(value) if isinstance(value, list) else tuple.__iter__(value)
        return [plain(entry, depth + 1) for entry in entries]
    if isinstance(value, Mapping):
        try:
            pairs = list(value.items())
        except Exception as error:  # a mapping of somebody else's kind
            raise InvalidValueError(f"A certificate cannot be read: it raises {type(error).__name__}.") from error
        if not all(isinstance(key, str) for key, _ in pairs):
            raise InvalidValueError("A certificate has an entry whose name is no text, which JSON does not have.")
        return {str.__str__(key): plain(entry, depth + 1) for key, entry in pairs}
    raise InvalidValueError(f"A certificate holds {shown(value)}, which JSON does not have. Give what to_json() gives.")


def entries(value: Any, what: str, needed: Sequence[str], optional: Sequence[str] = ()) -> Mapping[str, Any]:
    """An object with all the needed keys and no unknown ones."""
    require(isinstance(value, Mapping), f"{what} is no object")
    missing = [key for key in needed if key not in value]
    require(not missing, f"{what} lacks {', '.join(missing)}")
    unknown = sorted(str(key) for key in value if key not in needed and key not in optional)
    require(not unknown, f"{what} has entries that the format does not know: {', '.join(unknown)}")
    return value


class _Quote(reprlib.Repr):
    """Shows the types of JSON; what is of another is not asked for its text."""

    def repr_instance(self, x: Any, level: int) -> str:
        return shown(x)


_QUOTE = _Quote()


def quoted(value: Any) -> str:
    """A value as Python writes it, shortened."""
    try:
        return _QUOTE.repr(value)
    except ValueError:  # Python prints no integer with more than 4300 digits
        return "a number too long to be shown"


def items(value: Any, what: str, length: int | None = None) -> Sequence[Any]:
    """A list, of a given length if there is one."""
    require(isinstance(value, list | tuple), f"{what} is no list")
    within(len(value), MOST_ITEMS, "entries of one list")
    require(length is None or len(value) == length, f"{what} has {len(value)} entries where {length} are needed")
    return value


def integer(value: Any, what: str, least: int | None = None, below: int | None = None) -> int:
    require(isinstance(value, int) and not isinstance(value, bool), f"{what} is no integer")
    if value.bit_length() > _MOST_BITS:
        within(value.bit_length(), _MOST_BITS, "bits of an integer")
    require(least is None or value >= least, f"{what} is {value}, less than {least}")
    require(below is None or value < below, f"{what} is {value}, not below {below}")
    return int(value)


def text(value: Any, what: str) -> str:
    require(isinstance(value, str), f"{what} is no string")
    return str(value)


def truth(value: Any, what: str) -> bool:
    require(isinstance(value, bool), f"{what} is neither true nor false")
    return bool(value)


def rational(value: Any, what: str) -> Fraction:
    """A rational in lowest terms, as "p" or "p/q"."""
    require(isinstance(value, str), f"{what} is no rational string such as 1/2")
    require(_RATIONAL.fullmatch(value) is not None, f"{what} is no rational string such as 1/2")
    spend()
    within(len(value), min(MOST_DIGITS, sys.get_int_max_str_digits() or MOST_DIGITS), "digits of one number")
    number = Fraction(value)
    require(str(number) == value, f"{what} is not in lowest terms")
    return number


def rationals(value: Any, what: str, length: int | None = None) -> list[Fraction]:
    return [rational(entry, f"an entry of {what}") for entry in items(value, what, length)]


def indices(value: Any, what: str, below: int, length: int | None = None) -> list[int]:
    """Different integers in range."""
    found = [integer(entry, f"an entry of {what}", 0, below) for entry in items(value, what, length)]
    require(len(set(found)) == len(found), f"{what} has an entry twice")
    return found


def exponent(value: Any, what: str, dimension: int) -> tuple[int, ...]:
    powers = tuple(integer(e, f"an entry of {what}", 0) for e in items(value, what, dimension))
    within(max(powers, default=0), MOST_EXPONENT, "for an exponent")
    return powers


_SPARSE: ContextVar[bool] = ContextVar("exponents may be sparse", default=False)


@contextmanager
def exponents_may_be_sparse(allowed: bool) -> Iterator[None]:
    """Inside, the exponents of a term may be an object {"place": power}, as the second format has it."""
    token = _SPARSE.set(allowed)
    try:
        yield
    finally:
        _SPARSE.reset(token)


def _term(value: Any, what: str, dimension: int) -> tuple[int, ...]:
    """The exponents of a term: all of them in a list, or those that are not 0 by their place, in order."""
    if not (_SPARSE.get() and isinstance(value, Mapping)):
        return exponent(value, what, dimension)
    powers, last = [0] * dimension, -1
    for key, power in value.items():
        require(isinstance(key, str) and _PLACE.fullmatch(key) is not None, f"a place in {what} is no whole number")
        within(len(key), len(str(MOST_VARIABLES)), "digits of a place")
        place = int(key)
        require(place < dimension, f"the place {place} in {what} is not below {dimension}")
        require(place > last, f"the places in {what} are not in order")
        powers[place], last = integer(power, f"a power in {what}", 1), place
    within(max(powers, default=0), MOST_EXPONENT, "for an exponent")
    return tuple(powers)


def field(value: Any) -> Field | None:
    if value is None:
        return None
    description = entries(value, "a field", ("minimal_polynomial", "interval"))
    polynomial = rationals(description["minimal_polynomial"], "the minimal polynomial")
    lower, upper = rationals(description["interval"], "the interval of a field", 2)
    return Field(tuple(whole_rational(c) for c in polynomial), lower, upper)


def whole_rational(value: Fraction) -> int | Fraction:
    return value.numerator if value.denominator == 1 else value


def number(value: Any, what: str, over: Field | None) -> Number:
    """A rational string or, over a field, the list of coefficients of 1, c, c², …"""
    if isinstance(value, str):
        return whole(rational(value, what))
    if over is None:
        raise Refused(f"{what} is no rational string, and the germ has no field")
    return over.element(rationals(value, what))


def polynomial(value: Any, what: str, dimension: int, over: Field | None) -> Polynomial:
    """A list of [exponents, coefficient], no exponents twice, no coefficient 0; exponents as in `_term`."""
    found: dict[tuple[int, ...], Number] = {}
    for term in items(value, what):
        powers, coefficient = items(term, f"a term of {what}", 2)
        key = _term(powers, f"the exponents of a term of {what}", dimension)
        require(key not in found, f"{what} has the exponents {list(key)} twice")
        found[key] = number(coefficient, f"a coefficient of {what}", over)
        require(sign(found[key]) != 0, f"{what} has a coefficient 0")
    return found


def bound(value: Any, what: str) -> Bound:
    """[value, multiplicity], the value a non-negative rational string or "infinity", the multiplicity perhaps null."""
    size, multiplicity = items(value, what, 2)
    m = None if multiplicity is None else integer(multiplicity, f"the multiplicity of {what}", 1)
    if size == "infinity":
        return Bound(None, m)
    found = rational(size, f"the value of {what}")
    require(found >= 0, f"the value of {what} is negative")
    return Bound(found, m)
